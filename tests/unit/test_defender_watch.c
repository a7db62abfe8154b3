#include "recursor/policy/defender_watch.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"

static struct defender_rules *rules;
static struct defender_watch *w;

static void begin(const char *text)
{
	char why[DEFENDER_WHY_MAX];

	ck_assert_msg(defender_rules_read(&rules, text, strlen(text), "f", NULL, why) == E_OK, "%s",
		      why);
	ck_assert_int_eq(defender_watch_new(&w, 256 * 1024, rules), E_OK);
}

static void set_up(void)
{
	hash_key_set(5, 6);
	begin("- {type: prsd, window: 60}\n");
}

static void tear_down(void)
{
	defender_watch_free(w);
	defender_rules_put(rules);
}

static uint64_t child;

static uint64_t hash_of(uint64_t n)
{
	return hash_bytes(&n, sizeof(n));
}

/* `n` questions for as many names, that ended so. */
static struct defender_watched *add(const char *zone, enum defender_end end, uint32_t n,
				    uint64_t now_ms)
{
	struct defender_counts counts = { .cached = 0 };
	struct sketch children = { .at = { 0 } };
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, zone), E_OK);
	counts.ends[end] = n;
	for (uint32_t i = 0; i < n; i++)
		sketch_add(&children, hash_of(child++));
	return defender_watch_add(w, name, &counts, &children, now_ms);
}

static double queries(struct defender_watched *row, uint64_t now_ms)
{
	struct defender_sum sum;

	defender_watch_count(w, row, rules->rules[0].window_s, now_ms, &sum);
	return defender_sum_queries(&sum);
}

START_TEST(the_window_slides)
{
	struct defender_watched *row = NULL;

	/* 10 a second from 1000 s to 1100 s */
	for (uint64_t s = 0; s < 100; s++) {
		double n;

		row = add("victim.example", DEFENDER_END_NXDOMAIN, 10, (1000 + s) * 1000);
		n = queries(row, (1000 + s) * 1000);
		if (s < 60)
			ck_assert_double_eq_tol(n, 10.0 * (double)(s + 1), 0.1);
		else
			ck_assert_double_eq_tol(n, 600, 20);
	}
	ck_assert_double_eq_tol(queries(row, 1130 * 1000), 300, 30);
	ck_assert_double_eq_tol(queries(row, 1165 * 1000), 0, 0.1);
	/* And long after. */
	row = add("victim.example", DEFENDER_END_NXDOMAIN, 3, 99999 * 1000);
	ck_assert_double_eq(queries(row, 99999 * 1000), 3);
}
END_TEST

START_TEST(children_leave_with_the_window)
{
	struct defender_watched *row = add("victim.example", DEFENDER_END_NXDOMAIN, 100, 60000);
	struct defender_sum sum;

	defender_watch_count_children(w, row, 60, 60000, &sum);
	ck_assert_double_eq_tol(sum.children, 100, 25);
	defender_watch_count_children(w, row, 60, 130000, &sum);
	ck_assert_double_eq(sum.children, 0);
}
END_TEST

/* Each threshold by itself keeps a domain from being accused. */
static const struct {
	const char *what;
	unsigned labels;
	struct defender_figures f;
	bool holds;
} cases[] = {
	{ "all met", 2, { 6000, 100, 3000, 2, 0.2, 0.8 }, true },
	{ "labels", 1, { 6000, 100, 3000, 2, 0.2, 0.8 }, false },
	{ "rate", 2, { 5999, 99.98, 3000, 2, 0.2, 0.8 }, false },
	{ "children", 2, { 6000, 100, 49, 2, 0.2, 0.8 }, false },
	{ "children just so", 2, { 6000, 100, 50, 2, 0.2, 0.8 }, true },
	{ "queries a child", 2, { 6000, 100, 2900, 2.07, 0.2, 0.8 }, false },
	{ "cache hits", 2, { 6000, 100, 3000, 2, 0.21, 0.8 }, false },
	{ "failures", 2, { 6000, 100, 3000, 2, 0.2, 0.79 }, false },
	{ "more than enough", 5, { 60000, 1000, 60000, 1, 0, 1 }, true },
};

START_TEST(all_thresholds_together)
{
	ck_assert_msg(defender_rule_holds(&rules->rules[0], cases[_i].labels, &cases[_i].f) ==
			      cases[_i].holds,
		      "%s", cases[_i].what);
}
END_TEST

START_TEST(what_a_failure_is_the_rule_says)
{
	static const struct {
		unsigned failures;
		double ratio;
	} kinds[] = {
		{ DEFENDER_FAIL_NXDOMAIN, 0.2 },
		{ DEFENDER_FAIL_SERVFAIL, 0.1 },
		{ DEFENDER_FAIL_TIMEOUT, 0.3 },
		{ DEFENDER_FAIL_OTHER, 0.15 },
		{ DEFENDER_FAIL_NXDOMAIN | DEFENDER_FAIL_OTHER, 0.35 },
		{ 0, 0 },
	};
	struct defender_rule rule = rules->rules[0];
	struct defender_sum sum = {
		.ends = { 250, 200, 100, 300, 150, 0 },
		.cached = 100,
		.children = 500,
	};
	struct defender_figures f;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		rule.failures = kinds[i].failures;
		defender_figures(&f, &rule, &sum);
		ck_assert_double_eq_tol(f.failure_ratio, kinds[i].ratio, 1e-9);
	}
	ck_assert_double_eq_tol(f.qps, 1000.0 / 60, 1e-9);
	ck_assert_double_eq(f.queries_per_child, 2);
	ck_assert_double_eq_tol(f.cache_hit_ratio, 0.1, 1e-9);
}
END_TEST

/* What was turned away is judged by what was let through to see. */
START_TEST(probes_speak_for_those_turned_away)
{
	struct defender_rule rule = rules->rules[0];
	struct defender_sum sum = { .ends = { [DEFENDER_END_TURNED] = 900 }, .children = 950 };
	struct defender_figures f;

	defender_figures(&f, &rule, &sum);
	ck_assert_double_eq(f.failure_ratio, 1);
	sum.ends[DEFENDER_END_NOERROR] = sum.probes[DEFENDER_END_NOERROR] = 75;
	sum.ends[DEFENDER_END_NXDOMAIN] = sum.probes[DEFENDER_END_NXDOMAIN] = 25;
	defender_figures(&f, &rule, &sum);
	ck_assert_double_eq_tol(f.failure_ratio, 0.25, 1e-9);
	ck_assert_double_eq(f.queries, 1000);
}
END_TEST

START_TEST(a_zone_is_taken_off_its_domain)
{
	struct defender_sum domain = { .ends = { 10, 100 }, .cached = 5, .children = 90 };
	struct defender_sum zone = { .ends = { 2, 95 }, .cached = 7, .children = 92 };

	defender_sum_subtract(&domain, &zone);
	ck_assert_double_eq(defender_sum_queries(&domain), 13);
	ck_assert_double_eq(domain.cached, 0);
	ck_assert_double_eq(domain.children, 0);
}
END_TEST

START_TEST(memory_is_bounded_and_a_heavy_zone_stays)
{
	size_t bytes = defender_watch_bytes(w);
	uint64_t now_ms = 1000000;

	ck_assert_uint_le(bytes, 256 * 1024);
	for (unsigned i = 0; i < 5000; i++) {
		char zone[32];

		if (i % 20 == 0)
			(void)add("victim.example", DEFENDER_END_NXDOMAIN, 100, now_ms);
		snprintf(zone, sizeof(zone), "z%u.example", i);
		(void)add(zone, DEFENDER_END_NXDOMAIN, 1, now_ms);
		now_ms += 10;
	}
	ck_assert_uint_gt(defender_watch_evicted(w), 4000);
	ck_assert_uint_eq(defender_watch_bytes(w), bytes);
	ck_assert_uint_le(defender_watch_rows(w), bytes / sizeof(struct defender_counts));
	ck_assert_double_eq_tol(
		queries(add("victim.example", DEFENDER_END_NXDOMAIN, 1, now_ms), now_ms), 25001, 1);
}
END_TEST

/* Each worker has the time of when it woke up. */
START_TEST(a_clock_behind_the_last_makes_no_zone_light)
{
	const uint64_t now_ms = 1000000;
	char zone[32];

	(void)add("victim.example", DEFENDER_END_NXDOMAIN, 1000, now_ms);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(zone, sizeof(zone), "z%u.example", i);
		(void)add(zone, DEFENDER_END_NXDOMAIN, 1, now_ms - 1);
	}
	ck_assert_double_eq_tol(
		queries(add("victim.example", DEFENDER_END_NXDOMAIN, 1, now_ms), now_ms), 1001, 1);
}
END_TEST

START_TEST(windows_of_several_rules)
{
	struct defender_watched *row;
	struct defender_sum sum;

	tear_down();
	begin("- {type: prsd, window: 1}\n- {type: prsd, window: 3600}\n");
	ck_assert(defender_watch_suits(w, rules));
	row = add("victim.example", DEFENDER_END_NXDOMAIN, 100, 5000000);
	(void)add("victim.example", DEFENDER_END_NXDOMAIN, 10, 8000000);
	defender_watch_count(w, row, 3600, 8000000, &sum);
	ck_assert_double_eq_tol(defender_sum_queries(&sum), 110, 0.1);
	defender_watch_count(w, row, 600, 8000000, &sum);
	ck_assert_double_eq_tol(defender_sum_queries(&sum), 10, 0.1);
}
END_TEST

/* The longest makes the buckets longer than the shortest is. */
START_TEST(a_window_shorter_than_a_bucket)
{
	const uint64_t hour_ms = 3600 * 1000;

	tear_down();
	begin("- {type: prsd, window: 1}\n- {type: prsd, window: 3600}\n");
	for (uint64_t at = hour_ms; at < hour_ms + 600 * 1000; at += 250) {
		struct defender_watched *row = add("v.example", DEFENDER_END_NXDOMAIN, 1, at);
		struct defender_sum sum;

		/* Before the second bucket nothing is known of the one before. */
		if (at < hour_ms + 120 * 1000)
			continue;
		defender_watch_count(w, row, 1, at + 249, &sum);
		defender_watch_count_children(w, row, 1, at + 249, &sum);
		ck_assert_double_eq_tol(defender_sum_queries(&sum), 4, 1.1);
		ck_assert_double_le(sum.children, 6);
	}
}
END_TEST

Suite *suite_defender_watch(void)
{
	Suite *s = suite_create("defender_watch");
	TCase *t = tcase_create("defender_watch");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, the_window_slides);
	tcase_add_test(t, children_leave_with_the_window);
	tcase_add_loop_test(t, all_thresholds_together, 0, ARRAY_LEN(cases));
	tcase_add_test(t, what_a_failure_is_the_rule_says);
	tcase_add_test(t, probes_speak_for_those_turned_away);
	tcase_add_test(t, a_zone_is_taken_off_its_domain);
	tcase_add_test(t, memory_is_bounded_and_a_heavy_zone_stays);
	tcase_add_test(t, a_clock_behind_the_last_makes_no_zone_light);
	tcase_add_test(t, windows_of_several_rules);
	tcase_add_test(t, a_window_shorter_than_a_bucket);
	suite_add_tcase(s, t);
	return s;
}
