#include <check.h>
#include <pthread.h>
#include <string.h>

#include "common/hash.h"
#include "common/name.h"
#include "recursor/resolve/weather.h"

enum { T0 = 5000000, MIN_SERVERS = 8, ENOUGH_MS = WEATHER_QUIET_MS + WEATHER_SUSPECT_MS };

static struct weather w;
static struct weather_change changes[8];
static unsigned n_changes;

static void on_change(void *ctx, const struct weather_change *c)
{
	(void)ctx;
	ck_assert_uint_lt(n_changes, 8);
	changes[n_changes++] = *c;
}

static void set_up(void)
{
	hash_key_set(0x243f6a8885a308d3, 0x13198a2e03707344);
	weather_init(&w, &(struct weather_config) { MIN_SERVERS, on_change, NULL });
	n_changes = 0;
}

static void tear_down(void)
{
	weather_deinit(&w);
}

/* A server in a network of its own. */
static struct addr server(unsigned network, unsigned host)
{
	return (struct addr) {
		.family = 4,
		.port = 53,
		.ip = { (uint8_t)(network + 1), 0, 0, (uint8_t)host },
	};
}

static struct addr server6(unsigned network)
{
	return (struct addr) { .family = 6, .port = 53, .ip = { 0x20, 1, 0, (uint8_t)network, 9 } };
}

/* So many networks of a family without a way in a row, from the first on. */
static void unsent(unsigned family, unsigned first, unsigned n, uint64_t now_ms)
{
	for (unsigned i = first; i < first + n; i++) {
		struct addr a = family == 6 ? server6(i) : server(i, 1);

		weather_unsent(&w, &a, now_ms);
	}
}

/* The n-th zone. */
static const uint8_t *zone(unsigned n)
{
	static _Thread_local uint8_t name[4] = { 2 };

	name[1] = (uint8_t)('a' + n / 26);
	name[2] = (uint8_t)('a' + n % 26);
	return name;
}

static void lose(unsigned network, uint64_t now_ms)
{
	struct addr a = server(network, 1);

	weather_failed(&w, &a, zone(network), now_ms);
}

static void lose_many(unsigned first, unsigned n, uint64_t now_ms)
{
	for (unsigned i = first; i < first + n; i++)
		lose(i, now_ms);
}

static void answer(unsigned network, uint64_t now_ms)
{
	struct addr a = server(network, 2);

	weather_answered(&w, &a, now_ms);
}

static enum weather_state state(void)
{
	return weather_state(&w, 4);
}

/* Until it is DOWN, or it would have been; returns when. */
static uint64_t go_dark(unsigned n, uint64_t now_ms)
{
	lose_many(0, n, now_ms += WEATHER_QUIET_MS);
	lose_many(0, n, now_ms += WEATHER_SUSPECT_MS);
	return now_ms;
}

START_TEST(many_unrelated_failures_are_ours)
{
	ck_assert(weather_is_fair(&w));
	lose_many(0, MIN_SERVERS - 1, T0);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	lose(MIN_SERVERS - 1, T0);
	ck_assert_int_eq(state(), WEATHER_SUSPECT);
	ck_assert(!weather_is_fair(&w));
	ck_assert(!weather_is_out(&w, 4));
	ck_assert_uint_eq(n_changes, 0);
	lose(0, T0 + WEATHER_SUSPECT_MS - 1);
	ck_assert_int_eq(state(), WEATHER_SUSPECT);
	lose(0, T0 + WEATHER_SUSPECT_MS);
	ck_assert_int_eq(state(), WEATHER_DOWN);
	ck_assert(weather_is_out(&w, 4));
	ck_assert(!weather_is_out(&w, 6));
	ck_assert_uint_eq(n_changes, 1);
	ck_assert_uint_eq(changes[0].family, 4);
	ck_assert_int_eq(changes[0].to, WEATHER_DOWN);
	ck_assert_uint_eq(changes[0].witnesses, MIN_SERVERS);
}
END_TEST

/* What is not unrelated: one network, one zone; what is not together. */
START_TEST(related_failures_are_theirs)
{
	uint64_t now = T0;

	for (unsigned i = 0; i < 200; i++) {
		struct addr a = server(1, i);

		weather_failed(&w, &a, zone(i), now += 10);
	}
	ck_assert_int_eq(state(), WEATHER_FAIR);
	for (unsigned i = 0; i < 30; i++) {
		struct addr a = server(i, 1);

		weather_failed(&w, &a, zone(i % 3), now += 100);
	}
	ck_assert_int_eq(state(), WEATHER_FAIR);
	now += WEATHER_WINDOW_MS;
	for (unsigned i = 0; i < 30; i++)
		lose(i, now += WEATHER_WINDOW_MS / (MIN_SERVERS - 1) + 1);
	ck_assert_int_eq(state(), WEATHER_FAIR);
}
END_TEST

/* An attacker's servers answered once, and fall silent in as many networks as he likes; a few others
 * go on answering, and he cannot help it. */
START_TEST(answers_of_others_keep_it_fair)
{
	uint64_t now = T0;

	for (unsigned i = 0; i <= WEATHER_LOCAL_MAX; i++)
		answer(200 + i, now);
	for (unsigned round = 0; round < 200; round++) {
		now += 100;
		/* each once in 400 ms */
		answer(200 + round % (WEATHER_LOCAL_MAX + 1), now);
		lose_many(0, 100, now + 50);
		ck_assert_int_eq(state(), WEATHER_FAIR);
	}
	ck_assert_uint_eq(n_changes, 0);
}
END_TEST

/* With no traffic but his: the first probe that is answered ends it, and what failed before says
 * nothing any more. */
START_TEST(an_answered_probe_ends_suspicion)
{
	struct addr root = server(250, 1);

	lose_many(0, 100, T0);
	ck_assert_int_eq(state(), WEATHER_SUSPECT);
	ck_assert(weather_take_probe(&w, 4, T0));
	ck_assert(!weather_take_probe(&w, 4, T0));
	ck_assert(!weather_take_probe(&w, 6, T0));
	weather_probe_answered(&w, &root, T0 + 30);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	ck_assert(weather_is_fair(&w));
	lose(0, T0 + ENOUGH_MS);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	lose_many(0, 100, T0 + ENOUGH_MS);
	ck_assert_int_eq(state(), WEATHER_SUSPECT);
	ck_assert_uint_eq(n_changes, 0);
}
END_TEST

/* Answers that come meanwhile end it too, and its time alone makes it DOWN: by a probe's turn. */
START_TEST(suspicion_is_judged_when_probes_are_due)
{
	lose_many(0, MIN_SERVERS, T0);
	answer(100, T0 + 1);
	ck_assert(!weather_take_probe(&w, 4, T0 + 2));
	ck_assert_int_eq(state(), WEATHER_FAIR);

	lose_many(0, MIN_SERVERS, T0 + 1000);
	ck_assert_int_eq(state(), WEATHER_SUSPECT);
	ck_assert(weather_take_probe(&w, 4, T0 + 1000));
	ck_assert(weather_take_probe(&w, 4, T0 + 1000 + WEATHER_PROBE_SUSPECT_MS));
	ck_assert_int_eq(state(), WEATHER_SUSPECT);
	weather_take_probe(&w, 4, T0 + 1000 + WEATHER_SUSPECT_MS);
	ck_assert_int_eq(state(), WEATHER_DOWN);
}
END_TEST

/* Our own servers, on this side of the cut: it takes more failures, they are asked on, and their
 * answers end nothing. */
START_TEST(a_few_networks_may_go_on_answering)
{
	struct addr ours = server(200, 1), theirs = server(3, 1);
	uint64_t now = T0;

	for (; now < T0 + 3000; now += 100) {
		answer(200, now);
		lose_many(0, MIN_SERVERS + WEATHER_LOCAL_MORE - 1, now + 50);
	}
	ck_assert_int_eq(state(), WEATHER_FAIR);
	for (; now < T0 + 6000; now += 100) {
		answer(200, now);
		lose_many(0, MIN_SERVERS + WEATHER_LOCAL_MORE, now + 50);
	}
	ck_assert_int_eq(state(), WEATHER_DOWN);
	ck_assert(weather_may_ask(&w, &ours));
	ck_assert(!weather_may_ask(&w, &theirs));
	answer(200, now);
	ck_assert_int_eq(state(), WEATHER_DOWN);
	answer(3, now);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	ck_assert(weather_may_ask(&w, &theirs));
}
END_TEST

START_TEST(the_first_answer_ends_it)
{
	uint64_t now = go_dark(MIN_SERVERS, T0);
	struct weather_stats s;

	ck_assert_int_eq(state(), WEATHER_DOWN);
	lose_many(0, 20, now + 100);
	ck_assert_int_eq(state(), WEATHER_DOWN);
	weather_stats(&w, 4, now + 500, &s);
	ck_assert_uint_eq(s.downs, 1);
	ck_assert_uint_eq(s.down_ms, 500);
	answer(7, now + 600);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	ck_assert(weather_is_fair(&w));
	ck_assert_uint_eq(n_changes, 2);
	ck_assert_int_eq(changes[1].from, WEATHER_DOWN);
	ck_assert_int_eq(changes[1].to, WEATHER_FAIR);
	ck_assert_uint_eq(changes[1].lasted_ms, 600);
	weather_stats(&w, 4, now + 5000, &s);
	ck_assert_uint_eq(s.down_ms, 600);
	/* The old failures do not make it DOWN again. */
	lose(0, now + 600 + ENOUGH_MS);
	ck_assert_int_eq(state(), WEATHER_FAIR);
}
END_TEST

START_TEST(while_down_few_questions_leave)
{
	uint64_t now = go_dark(MIN_SERVERS, T0);
	struct addr a = server(3, 1), got;
	uint8_t name[NAME_MAX_LEN];
	unsigned tries = 0, probes = 0;

	ck_assert(!weather_may_ask(&w, &a));
	for (unsigned i = 0; i < 10000; i++) {
		tries += weather_take_try(&w, 4, now + i);
		probes += weather_take_probe(&w, 4, now + i);
	}
	ck_assert_uint_le(tries, 10000 / WEATHER_TRY_DOWN_MS);
	ck_assert_uint_ge(tries, 10000 / WEATHER_TRY_DOWN_MS - 1);
	ck_assert_uint_le(probes, 10000 / WEATHER_PROBE_DOWN_MS);
	ck_assert_uint_ge(probes, 10000 / WEATHER_PROBE_DOWN_MS - 1);
	for (uint32_t dice = 0; dice < 20; dice++) {
		ck_assert(weather_witness_pick(&w, 4, dice, &got, name));
		ck_assert_uint_eq(got.ip[0], dice % MIN_SERVERS + 1);
		ck_assert(name_equal(name, zone(dice % MIN_SERVERS)));
	}
	ck_assert(!weather_witness_pick(&w, 6, 0, &got, name));
}
END_TEST

START_TEST(cuts_are_remembered)
{
	uint64_t answered = T0, noticed, ended;

	ck_assert(!weather_was_cut(&w, 4, T0));
	for (unsigned i = 0; i < 20; i++)
		answer(100 + i, answered);
	noticed = go_dark(MIN_SERVERS, answered);
	ended = noticed + 60000;
	ck_assert(weather_was_cut(&w, 4, noticed + 1000000));
	answer(7, ended);
	ck_assert_uint_eq(weather_quiet_since(&w, 4, answered + 1000), answered);

	ck_assert(!weather_was_early(&w, 4, answered - 1));
	ck_assert(weather_was_early(&w, 4, answered + 1));
	ck_assert(weather_was_early(&w, 0, answered + 1));
	ck_assert(!weather_was_early(&w, 6, answered + 1));
	ck_assert(weather_was_early(&w, 4, noticed));
	ck_assert(!weather_was_early(&w, 4, noticed + 1));
	ck_assert(weather_was_cut(&w, 4, noticed + 1));
	ck_assert(weather_was_cut(&w, 4, ended));
	ck_assert(!weather_was_cut(&w, 4, ended + 1));

	/* Many more: the last ones are known, the first one no longer. */
	for (unsigned i = 0; i < 40; i++) {
		answered = ended + 100000;
		for (unsigned k = 0; k < 20; k++)
			answer(100 + k, answered);
		n_changes = 0;
		noticed = go_dark(MIN_SERVERS, answered);
		ended = noticed + 1000;
		answer(7, ended);
		ck_assert(weather_was_early(&w, 4, noticed));
		ck_assert(!weather_was_early(&w, 4, ended));
	}
	ck_assert(!weather_was_cut(&w, 4, T0 + 1000));
}
END_TEST

START_TEST(families_are_apart)
{
	uint64_t now = T0;

	for (unsigned round = 0; round < 20; round++, now += 100) {
		for (unsigned i = 0; i < MIN_SERVERS; i++) {
			struct addr a = server6(i), b = server(i, 1);

			weather_failed(&w, &a, zone(i), now);
			weather_answered(&w, &b, now);
		}
	}
	ck_assert_int_eq(weather_state(&w, 6), WEATHER_DOWN);
	ck_assert_int_eq(weather_state(&w, 4), WEATHER_FAIR);
	ck_assert_uint_eq(changes[0].family, 6);
}
END_TEST

START_TEST(it_can_be_turned_off)
{
	w.cfg.min_servers = 0;
	go_dark(100, T0);
	ck_assert_int_eq(state(), WEATHER_FAIR);
}
END_TEST

START_TEST(no_route)
{
	struct weather_stats s;
	struct addr a = server6(1);

	unsent(6, 0, WEATHER_UNSENT - 1, T0);
	weather_sent(&w, 6, T0);
	unsent(6, 1, WEATHER_UNSENT - 1, T0);
	ck_assert_int_eq(weather_state(&w, 6), WEATHER_FAIR);
	unsent(6, WEATHER_UNSENT, 1, T0);
	ck_assert_int_eq(weather_state(&w, 6), WEATHER_UNROUTED);
	ck_assert(weather_is_out(&w, 6));
	ck_assert(!weather_may_ask(&w, &a));
	ck_assert_uint_eq(n_changes, 1);
	/* Seen to again from time to time, by one. */
	ck_assert(!weather_take_recheck(&w, 6, T0 + WEATHER_RECHECK_MS - 1));
	ck_assert(weather_take_recheck(&w, 6, T0 + WEATHER_RECHECK_MS));
	ck_assert(!weather_take_recheck(&w, 6, T0 + WEATHER_RECHECK_MS));
	unsent(6, 7, 1, T0 + WEATHER_RECHECK_MS);
	ck_assert_uint_eq(n_changes, 1);
	weather_stats(&w, 6, T0 + 4000, &s);
	ck_assert_int_eq(s.state, WEATHER_UNROUTED);
	ck_assert_uint_eq(s.unrouteds, 1);
	ck_assert_uint_eq(s.unrouted_ms, 4000);
	weather_sent(&w, 6, T0 + 5000);
	ck_assert_int_eq(weather_state(&w, 6), WEATHER_FAIR);
	ck_assert(!weather_take_recheck(&w, 6, T0 + 20000));
	ck_assert_uint_eq(n_changes, 2);
	ck_assert_uint_eq(changes[1].lasted_ms, 5000);
}
END_TEST

/* A host without a default route: strangers' addresses may lead nowhere, its own servers' do not. */
START_TEST(some_routes_are_routes)
{
	answer(1, T0);
	unsent(4, 0, 100, T0 + WEATHER_ROUTED_MS - 1);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	unsent(4, 0, 1, T0 + WEATHER_ROUTED_MS);
	ck_assert_int_eq(state(), WEATHER_UNROUTED);
}
END_TEST

/* A zone's servers in one or two prefixes that are routed nowhere are not the world. */
START_TEST(one_network_is_not_everybody)
{
	for (unsigned i = 0; i < 100; i++) {
		struct addr a = server(i % 2, i), b = server6(i % 2);

		b.ip[15] = (uint8_t)i;
		weather_unsent(&w, &a, T0 + i);
		weather_unsent(&w, &b, T0 + i);
	}
	ck_assert_int_eq(state(), WEATHER_FAIR);
	ck_assert_int_eq(weather_state(&w, 6), WEATHER_FAIR);
	unsent(4, 2, 1, T0 + 100);
	ck_assert_int_eq(state(), WEATHER_UNROUTED);
}
END_TEST

/* The link goes while all is silent, and comes back before anybody answers. */
START_TEST(down_then_without_a_route)
{
	uint64_t now = go_dark(MIN_SERVERS, T0);

	unsent(4, 0, WEATHER_UNSENT, now);
	ck_assert_int_eq(state(), WEATHER_UNROUTED);
	answer(3, now + 1); /* late */
	ck_assert_int_eq(state(), WEATHER_UNROUTED);
	weather_sent(&w, 4, now + 1000);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	ck_assert(weather_was_cut(&w, 4, now + 1000));
	ck_assert(!weather_was_cut(&w, 4, now + 1001));
}
END_TEST

static void *bustle(void *ctx)
{
	unsigned base = *(unsigned *)ctx;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned n = (base + i) % 40;

		if (i % 3000 < 2000)
			lose(n, T0 + i);
		else
			answer(n, T0 + i);
		if (weather_is_out(&w, 4))
			weather_take_probe(&w, 4, T0 + i);
		if (weather_is_out(&w, 4))
			weather_was_early(&w, 4, T0 + i - 10);
	}
	return NULL;
}

/* For the thread sanitizer; and the counts stay right. */
START_TEST(threads)
{
	pthread_t thread[2];
	unsigned base[2] = { 0, 7 };

	w.cfg.changed = NULL;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, bustle, &base[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < 40; i++)
		answer(i, T0 + 100000);
	weather_take_probe(&w, 4, T0 + 100001);
	ck_assert_int_eq(state(), WEATHER_FAIR);
	ck_assert(weather_is_fair(&w));
}
END_TEST

Suite *suite_weather(void)
{
	Suite *s = suite_create("weather");
	TCase *t = tcase_create("weather");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, many_unrelated_failures_are_ours);
	tcase_add_test(t, related_failures_are_theirs);
	tcase_add_test(t, answers_of_others_keep_it_fair);
	tcase_add_test(t, an_answered_probe_ends_suspicion);
	tcase_add_test(t, suspicion_is_judged_when_probes_are_due);
	tcase_add_test(t, a_few_networks_may_go_on_answering);
	tcase_add_test(t, the_first_answer_ends_it);
	tcase_add_test(t, while_down_few_questions_leave);
	tcase_add_test(t, cuts_are_remembered);
	tcase_add_test(t, families_are_apart);
	tcase_add_test(t, it_can_be_turned_off);
	tcase_add_test(t, no_route);
	tcase_add_test(t, some_routes_are_routes);
	tcase_add_test(t, one_network_is_not_everybody);
	tcase_add_test(t, down_then_without_a_route);
	tcase_add_test(t, threads);
	suite_add_tcase(s, t);
	return s;
}
