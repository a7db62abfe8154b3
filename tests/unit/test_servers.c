/* What is learnt of servers that answer; the table's bounds, its dumps and its threads. */
#include "recursor/resolve/servers.h"

#include <check.h>
#include <pthread.h>

#include "common/name.h"
#include "common/rrtype.h"
#include "recursor/resolve/inflight.h"
#include "recursor/resolve/servers_table.h"
#include "tests/unit/servers_fixture.h"

START_TEST(an_unknown_server_is_worth_a_try)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);
	struct server_view v = look(s, &a, T0);

	ck_assert(!v.known);
	ck_assert(!v.measured);
	ck_assert(!v.down);
	ck_assert_uint_eq(v.timeout_ms, SERVERS_FIRST_TIMEOUT_MS);
	ck_assert_uint_eq(stats_of(s).servers, 0);
	servers_free(s);
}
END_TEST

/* RFC 6298 2. */
START_TEST(the_mean_follows_the_rtt)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);
	struct server_view v;

	servers_answered(s, &a, 100000, true, T0);
	v = look(s, &a, T0);
	ck_assert(v.known);
	ck_assert(v.measured);
	ck_assert_uint_eq(v.srtt_us, 100000);
	ck_assert_uint_eq(v.timeout_ms, 300);
	servers_answered(s, &a, 20000, true, T0);
	v = look(s, &a, T0);
	ck_assert_uint_eq(v.srtt_us, 90000);
	ck_assert_uint_eq(v.timeout_ms, 90 + (4 * (50 * 3 + 80)) / 4);
	for (int i = 0; i < 100; i++)
		servers_answered(s, &a, 20000, true, T0);
	v = look(s, &a, T0);
	ck_assert_uint_ge(v.srtt_us, 19900);
	ck_assert_uint_le(v.srtt_us, 20100);
	ck_assert_uint_eq(v.timeout_ms, SERVERS_MIN_TIMEOUT_MS);
	servers_free(s);
}
END_TEST

START_TEST(time_outs_double_within_bounds)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);
	uint64_t now = T0;

	servers_answered(s, &a, 100000, true, now);
	servers_timed_out(s, &a, www, 300, now += 300);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 600);
	/* Two more were under way at the same time: one observation of the way's state. */
	servers_timed_out(s, &a, www, 300, now);
	servers_timed_out(s, &a, www, 300, now + 10);
	/* Another worker's, which has the time of when it woke up. */
	servers_timed_out(s, &a, www, 300, now - 1);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 600);
	ck_assert_uint_eq(look(s, &a, now).fails, 4);
	servers_timed_out(s, &a, www, 600, now += 600);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 1200);
	for (int i = 0; i < 20; i++)
		servers_timed_out(s, &a, www, 1500, now += 1500);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 1500);
	servers_answered(s, &a, 100000, true, now);
	ck_assert_uint_le(look(s, &a, now).timeout_ms, 300);
	ck_assert_uint_eq(look(s, &a, now).fails, 0);
	servers_free(s);
}
END_TEST

/* One that was near is waited for as long as any, once it has become slow. */
START_TEST(time_outs_double_up_to_the_last)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);
	uint64_t now = T0;

	servers_answered(s, &a, 1000, true, now);
	for (int i = 0; i < 20; i++)
		servers_timed_out(s, &a, www, 1500, now += 1500);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 1500);
	servers_answered(s, &a, 1000000, true, now);
	ck_assert_uint_ge(look(s, &a, now).timeout_ms, 1000);
	servers_free(s);
}
END_TEST

/* Later tries wait for longer than the server's time-out (ask.c): what they waited counts. */
START_TEST(time_outs_grow_with_what_was_waited)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);
	uint64_t now = T0;

	servers_answered(s, &a, 1000, true, now);
	servers_timed_out(s, &a, www, 50, now += 50);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 100);
	servers_timed_out(s, &a, www, 400, now += 400);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 800);
	servers_timed_out(s, &a, www, 800, now += 800);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 1500);
	servers_answered(s, &a, 1000, true, now);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 50);
	/* Not heard from for long: no more is doubled than was waited. */
	servers_timed_out(s, &a, www, 50, now += SERVERS_HALF_LIFE_S * 1000 * 3);
	ck_assert_uint_eq(look(s, &a, now).timeout_ms, 100);
	servers_free(s);
}
END_TEST

START_TEST(a_server_that_loses_looks_slow)
{
	struct servers *s = make_table(&ordinary);
	struct addr lossy = addr_n(1), steady = addr_n(2);
	uint64_t now = T0;

	for (int i = 0; i < 50; i++) {
		servers_answered(s, &steady, 40000, true, now);
		if (i % 2 == 0)
			servers_answered(s, &lossy, 10000, true, now);
		else
			servers_timed_out(s, &lossy, www, 200, now);
		now += 1000;
	}
	ck_assert_uint_gt(look(s, &lossy, now).srtt_us, look(s, &steady, now).srtt_us);
	/* How long to wait for what does come back is another matter. */
	servers_answered(s, &lossy, 10000, true, now);
	ck_assert_uint_le(look(s, &lossy, now).timeout_ms, 60);
	for (int i = 0; i < 50; i++)
		servers_answered(s, &lossy, 10000, true, now);
	ck_assert_uint_lt(look(s, &lossy, now).srtt_us, look(s, &steady, now).srtt_us);
	servers_free(s);
}
END_TEST

START_TEST(what_is_not_heard_from_fades)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);
	const uint64_t half_ms = SERVERS_HALF_LIFE_S * 1000;
	uint32_t before = UINT32_MAX;

	servers_answered(s, &a, 800000, true, T0);
	ck_assert_uint_eq(look(s, &a, T0 + half_ms).srtt_us, 400000);
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 3 / 2).srtt_us, 300000);
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 3).srtt_us, 100000);
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 40).srtt_us, 0);
	for (uint64_t t = 0; t < 10 * half_ms; t += half_ms / 7) {
		ck_assert_uint_le(look(s, &a, T0 + t).srtt_us, before);
		before = look(s, &a, T0 + t).srtt_us;
	}
	/* The time to wait does not fade, but doublings do. */
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 3).timeout_ms, 1500);
	servers_answered(s, &a, 1000, true, T0 + half_ms * 20); /* all else is too old */
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 20).srtt_us, 1000);
	servers_timed_out(s, &a, www, 50, T0 + half_ms * 20);
	servers_timed_out(s, &a, www, 50, T0 + half_ms * 20 + 100);
	servers_timed_out(s, &a, www, 50, T0 + half_ms * 20 + 200);
	servers_timed_out(s, &a, www, 50, T0 + half_ms * 20 + 300);
	servers_timed_out(s, &a, www, 50, T0 + half_ms * 20 + 400);
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 20 + 400).timeout_ms, 100);
	ck_assert_uint_eq(look(s, &a, T0 + half_ms * 30).timeout_ms, 50);
	servers_free(s);
}
END_TEST

START_TEST(edns_none_is_for_a_time)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);

	ck_assert_int_eq(look(s, &a, T0).edns, EDNS_UNKNOWN);
	servers_learn(s, &a,
		      &(struct server_answer) { .rtt_us = 1000, .useful = true, .edns = EDNS_NONE },
		      T0);
	ck_assert_int_eq(look(s, &a, T0 + SERVERS_EDNS_NONE_S * 1000 - 1).edns, EDNS_NONE);
	ck_assert_int_eq(look(s, &a, T0 + SERVERS_EDNS_NONE_S * 1000).edns, EDNS_UNKNOWN);
	servers_learn(s, &a,
		      &(struct server_answer) { .rtt_us = 1000, .useful = true, .edns = EDNS_OK },
		      T0);
	ck_assert_int_eq(look(s, &a, T0 + SERVERS_EDNS_NONE_S * 1000).edns, EDNS_OK);
	servers_free(s);
}
END_TEST

START_TEST(tables_are_bounded)
{
	struct servers *s = make_table(&ordinary);
	struct addr hot = addr_n(0xffffff);

	servers_answered(s, &hot, 1000, true, T0);
	for (unsigned i = 0; i < 20000; i++) {
		struct addr a = addr_n(i);

		servers_timed_out(s, &a, www, 100, T0);
		servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_TIMEOUT, T0);
		ck_assert(look(s, &hot, T0).known);
	}
	ck_assert_uint_le(stats_of(s).servers, ordinary.max_servers);
	ck_assert_uint_ge(stats_of(s).servers, ordinary.max_servers / 2);
	ck_assert_uint_le(stats_of(s).throttles, ordinary.max_throttles);
	ck_assert_uint_eq(stats_of(s).failed, stats_of(s).servers - 1);
	servers_clear(s, false, 0);
	ck_assert_uint_eq(stats_of(s).throttles, 0);
	ck_assert(look(s, &hot, T0).known);
	servers_clear(s, true, 0);
	ck_assert_uint_eq(stats_of(s).servers + stats_of(s).failed, 0);
	ck_assert_uint_eq(stats_of(s).bytes, bytes_when_empty());
	servers_free(s);
}
END_TEST

struct seen {
	unsigned servers, named, throttles, down;
	int result;
};

static int see_server(void *ctx, const struct server_dump *d)
{
	struct seen *seen = ctx;

	seen->servers++;
	if (d->ns_name != NULL) {
		seen->named++;
		ck_assert(name_equal_case(d->ns_name, ftp));
		ck_assert_uint_eq(d->view.srtt_us, 5000);
	}
	ck_assert_uint_eq(d->age_ms, 0);
	return seen->result;
}

static int see_throttle(void *ctx, const struct throttle_dump *d)
{
	struct seen *seen = ctx;

	seen->throttles++;
	if (d->name == NULL) {
		seen->down++;
		ck_assert_int_eq(d->why, THROTTLE_DOWN);
		ck_assert_uint_eq(d->ms_left, 60000);
	} else {
		ck_assert(name_equal_case(d->name, www));
		ck_assert_str_eq(throttle_reason_text(d->why), "lame");
		ck_assert_uint_eq(d->tries_left, 100);
	}
	return seen->result;
}

START_TEST(dumps_show_all)
{
	struct servers *s = make_table(&ordinary);
	struct seen seen = { 0 };

	for (unsigned i = 0; i < 2000; i++) {
		struct addr a = addr_n(i);

		servers_answered(s, &a, 5000, true, T0);
		if (i % 2 == 0)
			servers_set_name(s, &a, www);
		if (i % 4 == 0)
			servers_set_name(s, &a, www_spelt);
		if (i % 2 == 0)
			servers_set_name(s, &a, ftp);
		if (i % 5 == 0)
			servers_throttle(s, &a, www_spelt, TYPE_A, ZONE_LABELS, THROTTLE_LAME, T0);
		if (i % 10 == 0)
			servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_DOWN, T0);
	}
	ck_assert_int_eq(servers_walk(s, see_server, &seen, T0), E_OK);
	ck_assert_uint_eq(seen.servers, 2000);
	ck_assert_uint_eq(seen.named, 1000);
	ck_assert_int_eq(servers_walk_throttles(s, see_throttle, &seen, T0), E_OK);
	ck_assert_uint_eq(seen.throttles, 600);
	ck_assert_uint_eq(seen.down, 200);
	seen = (struct seen) { .result = -9 };
	ck_assert_int_eq(servers_walk(s, see_server, &seen, T0), -9);
	ck_assert_int_eq(servers_walk_throttles(s, see_throttle, &seen, T0), -9);
	ck_assert_uint_eq(seen.servers + seen.throttles, 2);
	servers_clear(s, true, 0);
	ck_assert_uint_eq(stats_of(s).bytes, bytes_when_empty());
	servers_free(s);
}
END_TEST

static void *hammer(void *arg)
{
	struct servers *s = arg;

	for (unsigned i = 0; i < 5000; i++) {
		struct addr a = addr_n(i * 7919 % 300);

		servers_answered(s, &a, i, i % 2 == 0, T0 + i);
		servers_timed_out(s, &a, www, 100, T0 + i);
		servers_set_name(s, &a, i % 2 == 0 ? www : ftp);
		look(s, &a, T0 + i);
		servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_RCODE, T0 + i);
		is_throttled(s, &a, www, T0 + i);
	}
	return NULL;
}

START_TEST(two_threads_share_it)
{
	struct servers_config cfg = ordinary;
	pthread_t thread;
	struct servers *s;

	cfg.max_servers = 128;
	s = make_table(&cfg);
	ck_assert_int_eq(pthread_create(&thread, NULL, hammer, s), 0);
	hammer(s);
	pthread_join(thread, NULL);
	ck_assert_uint_le(stats_of(s).servers, 128);
	servers_clear(s, true, 0);
	ck_assert_uint_eq(stats_of(s).bytes, bytes_when_empty());
	servers_free(s);
}
END_TEST

/* Who looks while all is cleared: `between` counts the times when some were gone, but not all. */
struct onlooker {
	struct servers *servers;
	size_t all;
	atomic_bool is_there, is_over;
	unsigned between;
};

static void *look_on(void *arg)
{
	struct onlooker *o = arg;

	while (!atomic_load(&o->is_over)) {
		size_t n = stats_of(o->servers).servers;

		o->between += n > 0 && n < o->all;
		atomic_store(&o->is_there, true);
	}
	return NULL;
}

/* All in one shard: a worker that wants it may not have to wait until the last is gone. */
START_TEST(a_clear_lets_others_pass)
{
	enum { ALL = 20000, TRIES = 500 };
	struct servers_config cfg = ordinary;
	unsigned most = 0;

	cfg.max_servers = (size_t)ALL * SERVERS_SHARDS;
	for (int t = 0; t < TRIES && most < 2; t++) {
		struct onlooker o = { .servers = make_table(&cfg), .all = ALL };
		pthread_t thread;

		for (unsigned i = 0; o.servers->shards[0].servers.n < ALL; i++) {
			struct addr a = addr_n(i);

			if (((addr_hash(&a) >> 32) & (SERVERS_SHARDS - 1)) == 0)
				servers_answered(o.servers, &a, 1000, true, T0);
		}
		ck_assert_uint_eq(stats_of(o.servers).servers, ALL);
		ck_assert_int_eq(pthread_create(&thread, NULL, look_on, &o), 0);
		while (!atomic_load(&o.is_there))
			(void)sched_yield();
		servers_clear(o.servers, true, 0);
		atomic_store(&o.is_over, true);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_uint_eq(stats_of(o.servers).servers, 0);
		servers_free(o.servers);
		most = o.between;
	}
	ck_assert_uint_ge(most, 2);
}
END_TEST

START_TEST(questions_in_flight)
{
	struct servers_config cfg = { .max_inflight = 100, .network_timeout_ms = 1500 };
	struct servers *s;
	struct addr a = { .family = 4, .port = 53, .ip = { 192, 0, 2, 1 } };
	struct server_answer late = { .rtt_us = 4 * INFLIGHT_PROMPT_US, .useful = true };
	struct server_view v;

	ck_assert_int_eq(servers_new(&s, &cfg), E_OK);
	for (int i = 0; i < 100; i++)
		ck_assert(servers_take(s, &a, false, false, T0, &v));
	ck_assert(!servers_take(s, &a, false, false, T0, &v));
	ck_assert_uint_eq(v.in_flight, 100);
	ck_assert(servers_take(s, &a, true, false, T0, &v)); /* known to exist: a quarter more */
	ck_assert(servers_take(s, &a, false, true, T0, &v)); /* let in before */
	servers_release(s, &a);
	servers_release(s, &a);
	for (int i = 0; i < 64; i++)
		servers_timed_out(s, &a, www, 400, T0);
	servers_unreachable(s, &a, www, 0, T0);
	servers_look(s, &a, T0, &v);
	ck_assert_uint_eq(v.in_flight, 35);
	/* Silent: no more than the least. */
	ck_assert(!servers_take(s, &a, false, false, T0, &v));
	while (v.in_flight > 0) {
		servers_release(s, &a);
		servers_look(s, &a, T0, &v);
	}
	servers_release(s, &a); /* one too many is no harm */
	for (int i = 0; i < INFLIGHT_LEAST; i++)
		ck_assert(servers_take(s, &a, false, false, T0, &v));
	ck_assert(!servers_take(s, &a, false, false, T0, &v));
	/* Answers make room, up to what their lateness leaves. */
	for (int i = 0; i < 200; i++)
		servers_learn(s, &a, &late, T0);
	for (int i = 0; i < 25; i++)
		ck_assert(servers_take(s, &a, false, false, T0, &v));
	ck_assert(!servers_take(s, &a, false, false, T0, &v));
	servers_free(s);
}
END_TEST

Suite *suite_servers(void);

Suite *suite_servers(void)
{
	Suite *s = suite_create("servers");
	TCase *t = tcase_create("servers");

	tcase_add_test(t, an_unknown_server_is_worth_a_try);
	tcase_add_test(t, the_mean_follows_the_rtt);
	tcase_add_test(t, time_outs_double_within_bounds);
	tcase_add_test(t, time_outs_double_up_to_the_last);
	tcase_add_test(t, time_outs_grow_with_what_was_waited);
	tcase_add_test(t, a_server_that_loses_looks_slow);
	tcase_add_test(t, what_is_not_heard_from_fades);
	tcase_add_test(t, edns_none_is_for_a_time);
	tcase_add_test(t, tables_are_bounded);
	tcase_add_test(t, dumps_show_all);
	tcase_add_test(t, two_threads_share_it);
	tcase_add_test(t, a_clear_lets_others_pass);
	tcase_add_test(t, questions_in_flight);
	suite_add_tcase(s, t);
	return s;
}
