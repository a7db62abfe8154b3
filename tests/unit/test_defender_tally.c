#include "recursor/policy/defender_tally.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"

static struct defender_tally *t;

static void set_up(void)
{
	hash_key_set(3, 4);
	ck_assert_int_eq(defender_tally_new(&t, 64 * DEFENDER_TALLY_ROW), E_OK);
}

static void tear_down(void)
{
	defender_tally_free(t);
}

static uint32_t answer(const char *zone, uint64_t child, enum defender_end end, bool cached)
{
	uint8_t name[NAME_MAX_LEN];
	struct defender_answer a = { .zone = name,
				     .child = hash_bytes(&child, sizeof(child)),
				     .end = end };

	ck_assert_int_eq(name_from_text(name, zone), E_OK);
	a.zone_labels = name_labels(name);
	a.domain_labels = 2;
	a.cached = cached;
	return defender_tally_answer(t, &a);
}

static struct {
	unsigned n;
	struct defender_row row;
	struct defender_zone zone;
} taken;

static void take(void *ctx, const struct defender_row *row, const struct defender_zone *zone)
{
	static const uint8_t wanted[] = "\6victim\7example";

	ck_assert_ptr_eq(ctx, &taken);
	taken.n++;
	if (!name_equal(zone->name, wanted))
		return;
	taken.row = *row;
	taken.zone = *zone;
}

static void take_all(void)
{
	memset(&taken, 0, sizeof(taken));
	defender_tally_take(t, 0, 1, take, &taken);
}

START_TEST(ends_and_children_are_counted)
{
	uint32_t note = 0;

	for (unsigned i = 0; i < 40; i++)
		note = answer("Victim.Example", i % 20, i % DEFENDER_ENDS, i < 10);
	defender_tally_hit(defender_tally_rows(t), note, DEFENDER_END_NXDOMAIN);
	take_all();
	ck_assert_uint_eq(taken.n, 1);
	ck_assert_uint_eq(defender_counts_total(&taken.row.counts), 41);
	ck_assert_uint_eq(taken.row.counts.ends[DEFENDER_END_NXDOMAIN], 8);
	ck_assert_uint_eq(taken.row.counts.ends[DEFENDER_END_OTHER], 6);
	ck_assert_uint_eq(taken.row.counts.cached, 11);
	ck_assert_double_gt(sketch_count(&taken.zone.children), 17);
	ck_assert_double_lt(sketch_count(&taken.zone.children), 23);
	ck_assert_uint_eq(taken.zone.labels, 2);
	/* What was taken is counted no more. */
	take_all();
	ck_assert_uint_eq(taken.n, 0);
	defender_tally_hit(defender_tally_rows(t), note, DEFENDER_END_NOERROR);
	take_all();
	ck_assert_uint_eq(taken.row.counts.ends[DEFENDER_END_NOERROR], 1);
	ck_assert_uint_eq(defender_counts_total(&taken.row.counts), 1);
}
END_TEST

/* A flood is not to wait for its slice. */
START_TEST(what_is_hot_is_taken_at_once)
{
	(void)answer("other.example", 0, DEFENDER_END_NOERROR, false);
	for (unsigned i = 0; i < 200; i++)
		(void)answer("victim.example", i, DEFENDER_END_NXDOMAIN, false);
	memset(&taken, 0, sizeof(taken));
	defender_tally_take_hot(t, take, &taken);
	ck_assert_uint_eq(taken.n, 1);
	ck_assert_uint_eq(taken.row.counts.ends[DEFENDER_END_NXDOMAIN], 200);
	defender_tally_take_hot(t, take, &taken);
	ck_assert_uint_eq(taken.n, 1);
	take_all();
	ck_assert_uint_eq(taken.n, 1); /* the other */
}
END_TEST

START_TEST(slices_make_the_whole)
{
	for (unsigned i = 0; i < 30; i++) {
		char zone[32];

		snprintf(zone, sizeof(zone), "z%u.example", i);
		(void)answer(zone, i, DEFENDER_END_NOERROR, false);
	}
	memset(&taken, 0, sizeof(taken));
	for (unsigned i = 0; i < 5; i++)
		defender_tally_take(t, i, 5, take, &taken);
	ck_assert_uint_eq(taken.n + defender_tally_evicted(t), 30);
	ck_assert_uint_ge(taken.n, 20);
}
END_TEST

/* The victim asked for ten times as often as each of a hundred others a second, and a thousand
 * domains asked for once. */
START_TEST(a_heavy_zone_stays)
{
	uint32_t note = answer("victim.example", 0, DEFENDER_END_NXDOMAIN, false);
	unsigned n = 0;

	for (unsigned second = 0; second < 5; second++) {
		for (unsigned i = 0; i < 1000; i++) {
			char zone[32];

			if (i % 10 == 0)
				ck_assert_uint_eq(
					answer("victim.example", i, DEFENDER_END_NXDOMAIN, false),
					note);
			snprintf(zone, sizeof(zone), "z%u.example", n++);
			(void)answer(zone, i, DEFENDER_END_NXDOMAIN, false);
		}
		take_all();
		ck_assert_uint_eq(taken.row.counts.ends[DEFENDER_END_NXDOMAIN],
				  100 + (second == 0));
	}
	ck_assert_uint_gt(defender_tally_evicted(t), 4000);
	ck_assert_uint_eq(defender_tally_bytes(t), 64 * DEFENDER_TALLY_ROW);
}
END_TEST

START_TEST(a_note_of_another_zone_counts_nothing)
{
	uint32_t note = answer("victim.example", 0, DEFENDER_END_NOERROR, false);

	for (unsigned i = 0; i < 2000; i++) {
		char zone[32];

		snprintf(zone, sizeof(zone), "z%u.example", i);
		(void)answer(zone, i, DEFENDER_END_NOERROR, false);
	}
	take_all();
	ck_assert_uint_eq(taken.row.hash, 0); /* it has been pushed out */
	defender_tally_hit(defender_tally_rows(t), note, DEFENDER_END_NOERROR);
	defender_tally_hit(defender_tally_rows(t), 0, DEFENDER_END_NOERROR);
	take_all();
	ck_assert_uint_eq(taken.n, 0);
}
END_TEST

START_TEST(one_zone_learns_no_more_than_its_part)
{
	uint32_t note = answer("victim.example", 0, DEFENDER_END_NOERROR, false);
	uint32_t other = answer("example.net", 0, DEFENDER_END_NOERROR, false);

	for (unsigned i = 0; i < 5; i++)
		ck_assert(defender_tally_may_learn(t, note, 5));
	ck_assert(!defender_tally_may_learn(t, note, 5));
	ck_assert(defender_tally_may_learn(t, other, 5));
	defender_tally_forget_learnt(t);
	ck_assert(defender_tally_may_learn(t, note, 5));
}
END_TEST

START_TEST(a_zone_of_domains_and_the_same_as_a_domain_are_two)
{
	uint8_t name[NAME_MAX_LEN];
	struct defender_answer a = { .zone = name, .zone_labels = 2, .domain_labels = 3 };
	uint32_t above, below;

	ck_assert_int_eq(name_from_text(name, "co.uk"), E_OK);
	above = defender_tally_answer(t, &a);
	a.domain_labels = 2;
	below = defender_tally_answer(t, &a);
	ck_assert_uint_ne(above, below);
	ck_assert_uint_eq(defender_tally_answer(t, &a), below);
}
END_TEST

START_TEST(a_sketch_counts_names)
{
	static const unsigned numbers[] = { 1, 10, 50, 100, 300, 1000, 10000, 1000000 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sketch s = { .at = { 0 } }, half = { .at = { 0 } };
		double n = numbers[i];

		for (unsigned k = 0; k < numbers[i]; k++) {
			sketch_add(k % 2 == 0 ? &s : &half, hash_bytes(&k, sizeof(k)));
			sketch_add(&s, hash_bytes("\0\0\0", sizeof(k)));
		}
		sketch_unite(&s, &half);
		ck_assert_msg(sketch_count(&s) > 0.75 * n - 1 && sketch_count(&s) < 1.25 * n + 1,
			      "%u names are counted as %g", numbers[i], sketch_count(&s));
	}
}
END_TEST

Suite *suite_defender_tally(void)
{
	Suite *s = suite_create("defender_tally");
	TCase *c = tcase_create("defender_tally");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, ends_and_children_are_counted);
	tcase_add_test(c, what_is_hot_is_taken_at_once);
	tcase_add_test(c, slices_make_the_whole);
	tcase_add_test(c, a_heavy_zone_stays);
	tcase_add_test(c, a_note_of_another_zone_counts_nothing);
	tcase_add_test(c, one_zone_learns_no_more_than_its_part);
	tcase_add_test(c, a_zone_of_domains_and_the_same_as_a_domain_are_two);
	tcase_add_test(c, a_sketch_counts_names);
	suite_add_tcase(s, c);
	return s;
}
