#include <check.h>
#include <math.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/account.h"

static struct counters counters;
static struct account account;

static void open_account(void)
{
	const struct settings settings = { .latency_statistic_size = 10,
					   .network_timeout_ms = 1500 };

	ck_assert_int_eq(account_init(&account, &counters, &settings), E_OK);
}

static void close_account(void)
{
	account_deinit(&account);
}

static void hit(unsigned times)
{
	static const struct client client;
	static const struct query query;

	for (unsigned i = 0; i < times; i++)
		account_packetcache_hit(&account, &client, &query, RCODE_NOERROR, 100);
}

/* Hits are samples of 0, whether they are averaged one by one or many together. */
START_TEST(hits_bring_the_averages_down)
{
	double usual = 0, ours = 0;

	for (unsigned turn = 0; turn < 50; turn++) {
		unsigned hits = turn * 7 % 20;

		for (unsigned i = 0; i < hits; i++) {
			usual *= 0.9;
			ours *= 0.9;
		}
		hit(hits);
		usual = usual * 0.9 + 4000 * 0.1;
		account_latency(&account, 4000);
		ours = ours * 0.9 + 30 * 0.1;
		account_own_time(&account, 30, 1);
	}
	hit(3);
	account_catch_up(&account);
	account_catch_up(&account); /* each once */
	ck_assert_double_eq_tol(account.latency_us, usual * 0.9 * 0.9 * 0.9, 0.001);
	ck_assert_double_eq_tol(account.our_latency_us, ours * 0.9 * 0.9 * 0.9, 0.001);
	for (unsigned i = 0; i < 1000; i++)
		account_latency(&account, 60 * 1000 * 1000); /* counts as network-timeout */
	ck_assert_double_eq_tol(account.latency_us, 1500000, 1);
	ck_assert_uint_eq(counter_get(&counters.peak_answer_us), 60 * 1000 * 1000);
}
END_TEST

START_TEST(own_time_has_its_buckets)
{
	static const uint64_t us[] = { 0,    999,   1000,  1999,  2000,  4000,
				       8000, 15999, 16000, 31999, 32000, 900000 };
	const counter *buckets = &counters.ourtime0_1;
	static const uint64_t want[] = { 2, 2, 1, 1, 2, 2, 2 };

	for (size_t i = 0; i < ARRAY_LEN(us); i++)
		account_own_time(&account, us[i], 3);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_uint_eq(counter_get(&buckets[i]), 3 * want[i]);
	ck_assert_ptr_eq(&buckets[ARRAY_LEN(want) - 1], &counters.ourtime_slow);
	ck_assert_uint_eq(counter_get(&counters.query_cpu_us[0]), 3);
}
END_TEST

START_TEST(answers_are_counted_by_rcode_reason_and_size)
{
	account_rcode(&account, RCODE_NXDOMAIN, REASON_OTHER, 10);
	account_rcode(&account, RCODE_REFUSED, REASON_NO_RECURSION, 11);
	account_rcode(&account, RCODE_BADVERS, REASON_EDNS_VERSION, 65535);
	account_rcode(&account, 4000, REASON_SCRIPT, 20);
	hit(2);
	ck_assert_uint_eq(counter_get(&counters.rcodes[RCODE_NXDOMAIN]), 1);
	ck_assert_uint_eq(counter_get(&counters.rcodes[RCODE_BADVERS]), 1);
	ck_assert_uint_eq(counter_get(&counters.rcodes[METRICS_RCODES - 1]), 1);
	ck_assert_uint_eq(counter_get(&counters.rcodes[RCODE_NOERROR]), 0);
	ck_assert_uint_eq(counter_get(&counters.hit_rcodes[RCODE_NOERROR]), 2);
	ck_assert_uint_eq(counter_get(&counters.reasons[REASON_OTHER]), 0); /* no error */
	ck_assert_uint_eq(counter_get(&counters.reasons[REASON_NO_RECURSION]), 1);
	ck_assert_uint_eq(counter_get(&account.sizes[1]), 1);
	ck_assert_uint_eq(counter_get(&account.sizes[2]), 2);
	ck_assert_uint_eq(counter_get(&account.sizes[10]), 2);
	ck_assert_uint_eq(counter_get(&account.sizes[METRICS_SIZES - 1]), 1);
}
END_TEST

Suite *suite_account(void)
{
	Suite *s = suite_create("account");
	TCase *t = tcase_create("account");

	tcase_add_checked_fixture(t, open_account, close_account);
	tcase_add_test(t, hits_bring_the_averages_down);
	tcase_add_test(t, own_time_has_its_buckets);
	tcase_add_test(t, answers_are_counted_by_rcode_reason_and_size);
	suite_add_tcase(s, t);
	return s;
}
