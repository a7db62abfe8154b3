/* Servers that do not answer, or not as they should; names without address; a network that is cut. */
#include <check.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/servers.h"
#include "tests/unit/servers_fixture.h"

/* attacks.md 2: for so many seconds or so many attempts. */
static const struct {
	enum throttle_reason why;
	unsigned seconds, tries;
} throttles[] = {
	{ THROTTLE_TIMEOUT, 10, 5 }, { THROTTLE_RCODE, 60, 3 },
	{ THROTTLE_LAME, 60, 100 },  { THROTTLE_UNREACHABLE, 60, 100 },
	{ THROTTLE_GARBLED, 10, 2 }, { THROTTLE_TRUNCATED, 60, 3 },
};

START_TEST(a_question_is_throttled_by_time_and_tries)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1), b = addr_n(2);
	enum throttle_reason why = throttles[_i].why;
	uint64_t end = T0 + throttles[_i].seconds * 1000;

	servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, why, T0);
	ck_assert_int_eq(is_throttled(s, &a, www_spelt, end - 1), why);
	ck_assert_int_eq(is_throttled(s, &a, www, end), THROTTLE_NONE);
	ck_assert_uint_eq(stats_of(s).throttles, 0);

	servers_throttle(s, &a, www_spelt, TYPE_A, ZONE_LABELS, why, T0);
	ck_assert_int_eq(is_throttled(s, &b, www, T0), THROTTLE_NONE);
	ck_assert_int_eq(is_throttled(s, &a, ftp, T0), THROTTLE_NONE);
	ck_assert_int_eq(servers_is_throttled(s, &a, www, TYPE_AAAA, ZONE_LABELS, 1, T0),
			 THROTTLE_NONE);
	/* As a server of the zone above. */
	ck_assert_int_eq(servers_is_throttled(s, &a, www, TYPE_A, ZONE_LABELS - 1, 1, T0),
			 THROTTLE_NONE);
	for (unsigned i = 0; i < throttles[_i].tries; i++)
		ck_assert_int_eq(is_throttled(s, &a, www, T0), why);
	ck_assert_int_eq(is_throttled(s, &a, www, T0), THROTTLE_NONE);
	servers_free(s);
}
END_TEST

START_TEST(many_fails_bring_a_server_down)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1);

	for (int i = 0; i < 63; i++)
		servers_timed_out(s, &a, www, 1500, T0);
	ck_assert(!look(s, &a, T0).down);
	ck_assert_int_eq(is_throttled(s, &a, www, T0), THROTTLE_NONE);
	/* An answer that is of no use neither counts nor forgives. */
	servers_answered(s, &a, 1000, false, T0);
	ck_assert_uint_eq(look(s, &a, T0).fails, 63);
	servers_unreachable(s, &a, www, 0, T0);
	ck_assert(look(s, &a, T0).down);
	ck_assert_int_eq(is_throttled(s, &a, www, T0), THROTTLE_DOWN);
	ck_assert_int_eq(is_throttled(s, &a, ftp, T0 + 59999), THROTTLE_DOWN);
	ck_assert_uint_eq(stats_of(s).failed, 1);

	/* One in 25 is let through, by the dice. */
	ck_assert_int_eq(servers_is_throttled(s, &a, www, TYPE_A, ZONE_LABELS, 50, T0),
			 THROTTLE_NONE);
	ck_assert_int_eq(servers_is_throttled(s, &a, www, TYPE_A, ZONE_LABELS, 51, T0),
			 THROTTLE_DOWN);

	/* When the time is over it gets a try; one more failure, and it is down again. */
	ck_assert_int_eq(is_throttled(s, &a, www, T0 + 60000), THROTTLE_NONE);
	servers_timed_out(s, &a, www, 1500, T0 + 61500);
	ck_assert_int_eq(is_throttled(s, &a, www, T0 + 62000), THROTTLE_DOWN);
	servers_answered(s, &a, 1000, true, T0 + 62000);
	ck_assert_int_eq(is_throttled(s, &a, www, T0 + 62000), THROTTLE_NONE);
	ck_assert_uint_eq(stats_of(s).failed, 0);
	servers_free(s);
}
END_TEST

START_TEST(what_has_ended_is_not_cleared)
{
	struct servers *s = make_table(&ordinary);
	struct addr a = addr_n(1), b = addr_n(2);

	for (int i = 0; i < 64; i++)
		servers_timed_out(s, &a, www, 1500, T0);
	servers_throttle(s, &b, www, TYPE_A, ZONE_LABELS, THROTTLE_RCODE, T0);
	ck_assert(look(s, &a, T0).down);
	ck_assert_uint_eq(servers_clear(s, false, T0 + 3600000), 0);
	for (int i = 0; i < 64; i++)
		servers_timed_out(s, &a, www, 1500, T0);
	servers_throttle(s, &b, www, TYPE_A, ZONE_LABELS, THROTTLE_RCODE, T0);
	ck_assert_uint_eq(servers_clear(s, false, T0), 2);
	ck_assert(!look(s, &a, T0).down);
	servers_free(s);
}
END_TEST

START_TEST(down_ends_after_many_tries)
{
	struct servers_config cfg = ordinary;
	struct addr a = addr_n(1);
	struct servers *s;

	cfg.bypass_probability = 0;
	s = make_table(&cfg);
	servers_throttle(s, &a, NULL, 0, 0, THROTTLE_DOWN, T0);
	for (int i = 0; i < SERVERS_DOWN_TRIES; i++)
		ck_assert_int_eq(servers_is_throttled(s, &a, www, TYPE_A, ZONE_LABELS, 0, T0),
				 THROTTLE_DOWN);
	ck_assert_int_eq(servers_is_throttled(s, &a, www, TYPE_A, ZONE_LABELS, 0, T0),
			 THROTTLE_NONE);
	ck_assert(!look(s, &a, T0).down);
	servers_free(s);
}
END_TEST

START_TEST(never_down_when_so_set)
{
	struct servers_config cfg = ordinary;
	struct addr a = addr_n(1);
	struct servers *s;

	cfg.down_max_fails = 0;
	s = make_table(&cfg);
	for (int i = 0; i < 1000; i++)
		servers_timed_out(s, &a, www, 1500, T0);
	ck_assert(!look(s, &a, T0).down);
	servers_free(s);
}
END_TEST

START_TEST(ended_throttles_are_tidied_up)
{
	struct servers *s = make_table(&ordinary);

	for (unsigned i = 0; i < 1000; i++) {
		struct addr a = addr_n(i);

		servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_TIMEOUT, T0);
	}
	for (unsigned i = 1000; i < 3000; i++) {
		struct addr a = addr_n(i);

		servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_TIMEOUT, T0 + 10000);
	}
	ck_assert_uint_lt(stats_of(s).throttles, 2500);
	servers_free(s);
}
END_TEST

START_TEST(names_without_address_are_left_out)
{
	struct servers_config cfg = { .max_throttles = 640,
				      .network_timeout_ms = 1500,
				      .unresolved_max_fails = 3,
				      .unresolved_time_s = 60 };
	static const uint8_t ns[] = "\2ns\7example", ns_spelt[] = "\2NS\7exAmple";
	static const uint8_t other[] = "\2n2\7example";
	struct servers_stats stats;
	struct servers *s;

	ck_assert_int_eq(servers_new(&s, &cfg), E_OK);
	for (int i = 0; i < 2; i++)
		servers_ns_unresolved(s, ns, T0);
	ck_assert(!servers_ns_is_left_out(s, ns, T0));
	servers_ns_unresolved(s, ns_spelt, T0);
	ck_assert(servers_ns_is_left_out(s, ns_spelt, T0));
	ck_assert(!servers_ns_is_left_out(s, other, T0));
	ck_assert(servers_ns_is_left_out(s, ns, T0 + 59999));
	ck_assert(!servers_ns_is_left_out(s, ns, T0 + 60000));
	servers_stats(s, &stats);
	ck_assert_uint_eq(stats.unresolved, 0);
	/* Not in a row: an address was found, or it is long ago. */
	for (int i = 0; i < 2; i++)
		servers_ns_unresolved(s, ns, T0);
	servers_ns_resolved(s, ns);
	servers_ns_unresolved(s, ns, T0);
	servers_ns_unresolved(s, ns, T0);
	servers_ns_unresolved(s, ns, T0 + 60000);
	ck_assert(!servers_ns_is_left_out(s, ns, T0 + 60000));
	/* Bounded, and gone at a word. */
	for (unsigned i = 0; i < 5000; i++) {
		uint8_t name[] = "\2xx\7example";

		name[1] = (uint8_t)i;
		name[2] = (uint8_t)(i >> 8);
		servers_ns_unresolved(s, name, T0);
	}
	servers_stats(s, &stats);
	ck_assert_uint_le(stats.unresolved, 640);
	ck_assert_uint_eq(servers_clear(s, false, T0), stats.unresolved);
	servers_stats(s, &stats);
	ck_assert_uint_eq(stats.unresolved, 0);
	servers_free(s);
}
END_TEST

/* Whoever delegates to names without address makes them by the thousand. */
START_TEST(names_without_address_push_no_server_out)
{
	struct servers_config cfg = ordinary;
	struct servers *s;

	cfg.max_throttles = 1000000;
	cfg.max_bytes = 2 << 20;
	cfg.unresolved_max_fails = 5;
	cfg.unresolved_time_s = 60;
	s = make_table(&cfg);
	for (unsigned i = 0; i < 640; i++) {
		struct addr a = addr_n(i);

		servers_answered(s, &a, 20000, true, T0);
	}
	for (unsigned i = 0; i < 60000; i++) {
		uint8_t name[] = "\4xxxx\7example";

		for (int k = 0; k < 4; k++)
			name[1 + k] = (uint8_t)('a' + (i >> 4 * k & 15));
		servers_ns_unresolved(s, name, T0);
	}
	ck_assert_uint_eq(stats_of(s).servers, 640);
	ck_assert_uint_gt(stats_of(s).unresolved, 640);
	ck_assert_uint_le(stats_of(s).bytes, cfg.max_bytes);
	servers_clear(s, true, 0);
	ck_assert_uint_eq(stats_of(s).bytes, bytes_when_empty());
	servers_free(s);
}
END_TEST

/* ---- while our own network is gone (weather.h) ---- */

enum { CUT_SERVERS = 40 };

static struct servers *make_weathered(void)
{
	struct servers_config cfg = ordinary;

	cfg.weather.min_servers = 8;
	return make_table(&cfg);
}

static const uint8_t *zone_n(unsigned n)
{
	static uint8_t name[4] = { 2 };

	name[1] = (uint8_t)('a' + n / 26);
	name[2] = (uint8_t)('a' + n % 26);
	return name;
}

/* In a network of its own. */
static struct addr far_server(unsigned n)
{
	return (struct addr) { .family = 4, .port = 53, .ip = { (uint8_t)(n + 11), 0, 0, 1 } };
}

/* All answered; the first has lost two before, as servers do. */
static void all_answer(struct servers *s, uint64_t now_ms)
{
	for (unsigned n = 0; n < CUT_SERVERS; n++) {
		struct addr a = far_server(n);

		servers_answered(s, &a, 10000 + n * 1000, true, now_ms);
		if (n > 0)
			continue;
		servers_timed_out(s, &a, zone_n(n), 50, now_ms);
		servers_timed_out(s, &a, zone_n(n), 100, now_ms);
	}
}

struct shown {
	unsigned n, throttles;
	struct server_dump d[CUT_SERVERS + 8];
};

static int show(void *ctx, const struct server_dump *d)
{
	struct shown *x = ctx;

	x->d[x->n++] = *d;
	return 0;
}

static int show_throttle(void *ctx, const struct throttle_dump *d)
{
	struct shown *x = ctx;

	(void)d;
	x->throttles++;
	return 0;
}

static void show_all(struct servers *s, struct shown *out, uint64_t now_ms)
{
	memset(out, 0, sizeof(*out));
	servers_walk(s, show, out, now_ms);
	servers_walk_throttles(s, show_throttle, out, now_ms);
}

/* Everybody is silent, until it is noticed; returns when. */
static uint64_t cut(struct servers *s, uint64_t now_ms)
{
	for (unsigned i = 0; !weather_is_out(servers_weather(s), 4); i++) {
		struct addr a = far_server(i % CUT_SERVERS), unknown = addr_n(7);

		now_ms += 30;
		servers_timed_out(s, &a, zone_n(i % CUT_SERVERS), 50, now_ms);
		servers_timed_out(s, &unknown, zone_n(0), 50, now_ms);
		servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_TIMEOUT, now_ms);
		ck_assert_uint_lt(i, 1000);
	}
	return now_ms;
}

START_TEST(a_cut_leaves_no_trace)
{
	struct servers *s = make_weathered();
	static struct shown before, after;
	uint64_t now = T0;
	struct addr a = far_server(5);

	all_answer(s, now);
	servers_throttle(s, &a, ftp, TYPE_A, ZONE_LABELS, THROTTLE_LAME, now);
	show_all(s, &before, now + 40000);
	ck_assert_uint_eq(before.n, CUT_SERVERS);
	ck_assert_uint_eq(before.throttles, 1);
	now = cut(s, now);

	/* Nothing is learnt now. */
	for (unsigned i = 0; i < 1000; i++) {
		a = far_server(i % CUT_SERVERS);
		ck_assert(!servers_timed_out(s, &a, zone_n(0), 50, now + i));
		ck_assert(!servers_unreachable(s, &a, zone_n(0), 50, now + i));
	}
	ck_assert_int_eq(is_throttled(s, &a, www, now), THROTTLE_NONE);
	show_all(s, &after, T0 + 40000);
	ck_assert_uint_eq(after.throttles, 1);
	ck_assert_uint_eq(after.n, before.n);
	for (unsigned i = 0; i < before.n; i++) {
		ck_assert(addr_equal(&before.d[i].addr, &after.d[i].addr));
		ck_assert_mem_eq(&before.d[i].view, &after.d[i].view, sizeof(after.d[i].view));
		ck_assert_uint_eq(before.d[i].age_ms, after.d[i].age_ms);
	}
	ck_assert_uint_eq(stats_of(s).failed, 1);
	servers_free(s);
}
END_TEST

START_TEST(what_left_in_the_cut_is_not_held_against_anybody)
{
	struct servers *s = make_weathered();
	struct addr a = far_server(3), b = far_server(4);
	uint64_t now;

	all_answer(s, T0);
	now = cut(s, T0) + 5000;
	servers_answered(s, &b, 14000, true, now);
	ck_assert(!weather_is_out(servers_weather(s), 4));
	ck_assert(!servers_timed_out(s, &a, zone_n(3), 100, now + 99));
	ck_assert_uint_eq(look(s, &a, now + 99).fails, 0);
	ck_assert(servers_timed_out(s, &a, zone_n(3), 100, now + 101));
	ck_assert_uint_eq(look(s, &a, now + 101).fails, 1);
	/* What fails from now on counts, and stays. */
	servers_throttle(s, &a, www, TYPE_A, ZONE_LABELS, THROTTLE_TIMEOUT, now + 101);
	ck_assert_int_eq(is_throttled(s, &a, www, now + 102), THROTTLE_TIMEOUT);
	servers_free(s);
}
END_TEST

/* A port that is closed is the server's own affair, and nobody's cut. */
START_TEST(refusals_are_no_cut)
{
	struct servers *s = make_weathered();

	all_answer(s, T0);
	for (unsigned i = 0; i < 1000; i++) {
		struct addr a = far_server(i % CUT_SERVERS);

		ck_assert(servers_unreachable(s, &a, NULL, 1, T0 + 600 + i * 10));
	}
	ck_assert(weather_is_fair(servers_weather(s)));
	servers_free(s);
}
END_TEST

/* Nor is the silence of those who never said anything. */
START_TEST(strangers_are_no_witnesses)
{
	struct servers *s = make_weathered();

	for (unsigned i = 0; i < 1000; i++) {
		struct addr a = far_server(i % 200);

		servers_timed_out(s, &a, zone_n(i % 200), 50, T0 + i * 10);
	}
	ck_assert(weather_is_fair(servers_weather(s)));
	all_answer(s, T0);
	for (unsigned i = 0; i < 1000; i++) {
		struct addr a = far_server(i % CUT_SERVERS);

		servers_timed_out(s, &a, zone_n(i % CUT_SERVERS), 50,
				  T0 + WEATHER_WITNESS_MS + i * 10);
	}
	ck_assert(weather_is_fair(servers_weather(s)));
	servers_free(s);
}
END_TEST

Suite *suite_servers_failing(void);

Suite *suite_servers_failing(void)
{
	Suite *s = suite_create("servers_failing");
	TCase *t = tcase_create("servers_failing");

	tcase_add_loop_test(t, a_question_is_throttled_by_time_and_tries, 0,
			    (int)(sizeof(throttles) / sizeof(*throttles)));
	tcase_add_test(t, many_fails_bring_a_server_down);
	tcase_add_test(t, down_ends_after_many_tries);
	tcase_add_test(t, what_has_ended_is_not_cleared);
	tcase_add_test(t, never_down_when_so_set);
	tcase_add_test(t, ended_throttles_are_tidied_up);
	tcase_add_test(t, names_without_address_are_left_out);
	tcase_add_test(t, names_without_address_push_no_server_out);
	tcase_add_test(t, a_cut_leaves_no_trace);
	tcase_add_test(t, what_left_in_the_cut_is_not_held_against_anybody);
	tcase_add_test(t, refusals_are_no_cut);
	tcase_add_test(t, strangers_are_no_witnesses);
	suite_add_tcase(s, t);
	return s;
}
