#include <check.h>
#include <string.h>

#include "common/check.h"
#include "recursor/costing.h"
#include "tests/unit/wire_name.h"

static struct costing costing;
static struct counters counters;
static struct psl *psl;
static struct client client;

static void open_costing(void)
{
	char why[256];

	memset(&counters, 0, sizeof(counters));
	costing_init(&costing);
	ck_assert_int_eq(psl_new(&psl, "", why, sizeof(why)), E_OK);
	ck_assert_int_eq(costs_new(&costing.costs, 64, 0), E_OK);
	ck_assert_int_eq(addr_from_text(&client.remote, "192.0.2.1", 4000), E_OK);
}

static void close_costing(void)
{
	costs_free(costing.costs);
	psl_put(psl);
}

static struct cost total(enum cost_kind kind)
{
	struct cost sum = { 0 };

	for (unsigned i = 0; i < costs_window_slots(COST_HOUR); i++)
		cost_add(&sum, &costs_slot(costing.costs, kind, COST_HOUR, i).heavy->total);
	return sum;
}

static void expect_clients(uint64_t cpu_us, uint64_t outqueries, uint64_t wait_us)
{
	struct cost c = total(COST_REMOTES);

	ck_assert_uint_eq(c.cpu_us, cpu_us);
	ck_assert_uint_eq(c.outqueries, outqueries);
	ck_assert_uint_eq(c.wait_us, wait_us);
}

static unsigned weight = 1;

static void end(uint64_t begun_us, uint64_t arrived_us, uint32_t outqueries, uint64_t now_us)
{
	const struct costing_query q = { .weight = weight,
					 .client = &client,
					 .name = wire("example.com"),
					 .domain_labels = 2,
					 .begun_us = begun_us,
					 .arrived_us = arrived_us,
					 .outqueries = outqueries };

	costing_ended(&costing, psl, &q, now_us);
}

START_TEST(out_of_the_cache)
{
	costing_enter(&costing, 1000);
	end(0, 1000, 0, 1007);
	expect_clients(7, 0, 0);
}
END_TEST

/* 5 us in the beginning, 9 in the end. */
START_TEST(one_question_to_a_server)
{
	uint64_t begun;

	costing_enter(&costing, 1000);
	begun = costing_begun(&costing, 1005) + 1;
	costing_enter(&costing, 21000);
	costing_server(&costing, &client.remote, 19990, false);
	end(begun, 1000, 1, 21009);
	costing_leave(&costing, 21010);
	expect_clients(14, 1, 20009);
	ck_assert_uint_eq(total(COST_SERVERS).cpu_us, 10);
	ck_assert_uint_eq(total(COST_SERVERS).outqueries, 1);
	ck_assert_uint_eq(total(COST_SERVERS).wait_us, 19990);
	ck_assert_uint_eq(costing.step_ns, 0);
}
END_TEST

/* Steps between the first and the last are charged as such steps are on average. */
START_TEST(three_questions)
{
	costing_enter(&costing, 1000);
	ck_assert_uint_eq(costing_begun(&costing, 1005), 5);
	for (unsigned i = 0; i < 2; i++) {
		costing_enter(&costing, 2000);
		costing_leave(&costing, 2008);
	}
	ck_assert_uint_eq(costing.step_ns, 8000);
	costing_enter(&costing, 3000);
	end(6, 1000, 3, 3004);
	costing_leave(&costing, 3005);
	expect_clients(5 + 8 + 8 + 4, 3, 2004);
	ck_assert_uint_eq(costing.step_ns, 8000);
}
END_TEST

/* Several queries end behind one door: each has the time since the one before. */
START_TEST(several_that_end_together)
{
	costing_enter(&costing, 1000);
	end(1, 1000, 1, 1010);
	end(1, 1000, 1, 1013);
	expect_clients(13, 2, 10 + 13);
}
END_TEST

START_TEST(one_hit_stands_for_many)
{
	unsigned sampled = 0;

	for (unsigned i = 0; i < 1000 * COSTING_SAMPLE; i++)
		sampled += costing_samples(&costing);
	ck_assert_uint_ge(sampled, 900);
	ck_assert_uint_le(sampled, 1100);
	costing_enter(&costing, 1000);
	costing_hit(&costing, psl, &client, wire("a.b"), 1002);
	expect_clients(2 * COSTING_SAMPLE, 0, 0);
}
END_TEST

/* 1000 packets took the worker 10 ms, of which 4 were charged: 6 us each were not seen. */
START_TEST(what_the_clock_does_not_see_is_spread)
{
	counter_add(&counters.questions, 600);
	counter_add(&counters.all_outqueries, 400);
	costing_enter(&costing, 1000);
	end(0, 1000, 0, 5000);
	costing_tick(&costing, &counters, 10000, 200);
	ck_assert_uint_eq(costing.overhead_ns, 6000);
	costing_enter(&costing, 6000);
	end(1, 6000, 2, 6010);
	expect_clients(4000 + 10 + 3 * 6, 2, 10);
	/* Too few packets to say anything new. */
	counter_add(&counters.questions, 1);
	costing_tick(&costing, &counters, 20000, 400);
	ck_assert_uint_eq(costing.overhead_ns, 6000);
}
END_TEST

/* Of very many queries some are measured, each for as many as it stands for; the sum is right. */
START_TEST(of_many_some_are_measured)
{
	unsigned measured = 0;

	for (unsigned i = 0; i < 10000; i++)
		ck_assert_uint_eq(costing_query_came(&costing, 1000), 1);
	costing_tick(&costing, &counters, 0, 200);
	(void)costing_query_came(&costing, 1000); /* the last of those that were all measured */
	for (unsigned i = 0; i < 10000; i++) {
		weight = costing_query_came(&costing, 1000);
		ck_assert(weight == 0 || weight == 8);
		measured += weight > 0;
		if (weight > 0)
			end(1, 1000, 2, 1010);
		else
			costing_ended_unseen(&costing);
		costing_server(&costing, &client.remote, 100, i % 2 == 0);
		costing_leave(&costing, 1020);
	}
	weight = 1;
	ck_assert_uint_ge(measured, 1100);
	ck_assert_uint_le(measured, 1400);
	expect_clients(measured * 80, measured * 16, measured * 80);
	ck_assert_uint_ge(total(COST_SERVERS).outqueries, 8800);
	ck_assert_uint_le(total(COST_SERVERS).outqueries, 11200);
	costing_tick(&costing, &counters, 0, 400);
	costing_tick(&costing, &counters, 0, 600);
	for (unsigned i = 0; i < 20; i++) /* what was chosen before has come by then */
		weight = costing_query_came(&costing, 1000);
	ck_assert_uint_eq(weight, 1);
}
END_TEST

/* A measured query that ends behind others that are not measured has its part of the time. */
START_TEST(unseen_queries_have_their_part)
{
	costing_enter(&costing, 1000);
	costing_ended_unseen(&costing);
	costing_ended_unseen(&costing);
	end(1, 1000, 1, 1030);
	expect_clients(10, 1, 30);
	end(1, 1000, 1, 1035);
	expect_clients(15, 2, 65);
}
END_TEST

START_TEST(time_outs_are_the_servers)
{
	costing_server(&costing, &client.remote, 400000, true);
	ck_assert_uint_eq(total(COST_SERVERS).outqueries, 1);
	ck_assert_uint_eq(total(COST_SERVERS).wait_us, 400000);
	ck_assert_uint_eq(total(COST_SERVERS).cpu_us, 0);
}
END_TEST

START_TEST(nobody_wants_to_know)
{
	struct costs *costs = costing.costs;

	costing.costs = NULL;
	for (unsigned i = 0; i < 1000; i++)
		ck_assert(!costing_samples(&costing));
	ck_assert_uint_eq(costing_query_came(&costing, 1000), 0);
	costing_open(&costing);
	end(1, 1000, 1, 1010);
	costing_hit(&costing, psl, &client, wire("a"), 1002);
	costing_server(&costing, &client.remote, 1, true);
	costing_close(&costing);
	costing_tick(&costing, &counters, 1, 1);
	costing.costs = costs;
	expect_clients(0, 0, 0);
}
END_TEST

Suite *suite_costing(void)
{
	Suite *s = suite_create("costing");
	TCase *tc = tcase_create("costing");

	tcase_add_checked_fixture(tc, open_costing, close_costing);
	tcase_add_test(tc, out_of_the_cache);
	tcase_add_test(tc, one_question_to_a_server);
	tcase_add_test(tc, three_questions);
	tcase_add_test(tc, several_that_end_together);
	tcase_add_test(tc, one_hit_stands_for_many);
	tcase_add_test(tc, what_the_clock_does_not_see_is_spread);
	tcase_add_test(tc, of_many_some_are_measured);
	tcase_add_test(tc, unseen_queries_have_their_part);
	tcase_add_test(tc, time_outs_are_the_servers);
	tcase_add_test(tc, nobody_wants_to_know);
	suite_add_tcase(s, tc);
	return s;
}
