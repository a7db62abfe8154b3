#include "recursor/policy/defender_known.h"

#include <check.h>

#include "common/hash.h"

enum { BYTES = 64 * 1024, KEEP_S = 100 };

static struct defender_known *k;

static void set_up(void)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(defender_known_new(&k, BYTES, KEEP_S), E_OK);
}

static void tear_down(void)
{
	defender_known_free(k);
}

/* A name's hash. */
static uint64_t name(uint64_t n)
{
	return hash_bytes(&n, sizeof(n));
}

START_TEST(a_name_is_known_once_it_was_added)
{
	ck_assert(!defender_known_has(k, name(1)));
	ck_assert(defender_known_add(k, name(1)));
	ck_assert(!defender_known_add(k, name(1)));
	ck_assert(defender_known_has(k, name(1)));
	ck_assert(!defender_known_has(k, name(2)));
}
END_TEST

START_TEST(a_full_filter_is_seldom_wrong)
{
	size_t n = defender_known_capacity(k), wrong = 0;

	ck_assert_uint_eq(n, BYTES / 2 * 8 / 10);
	for (size_t i = 0; i < n; i++)
		(void)defender_known_add(k, name(i));
	for (size_t i = 0; i < n; i++)
		ck_assert(defender_known_has(k, name(i)));
	for (size_t i = n; i < 2 * n; i++)
		wrong += defender_known_has(k, name(i));
	ck_assert_uint_lt(wrong, n / 25);
}
END_TEST

START_TEST(names_age)
{
	struct defender_known_stats stats;

	(void)defender_known_add(k, name(1));
	defender_known_tick(k, 1, 1000);
	defender_known_tick(k, 0, 1000 + KEEP_S * 500 - 1);
	defender_known_stats(k, &stats);
	ck_assert_uint_eq(stats.turns, 0);
	ck_assert_uint_eq(stats.younger, 1);
	/* It is in the older now; a name that is seen again goes into the younger. */
	defender_known_tick(k, 0, 1000 + KEEP_S * 500);
	defender_known_stats(k, &stats);
	ck_assert_uint_eq(stats.turns, 1);
	ck_assert_uint_eq(stats.older, 1);
	ck_assert(defender_known_has(k, name(1)));
	ck_assert(defender_known_add(k, name(2)));
	defender_known_tick(k, 1, 1000 + KEEP_S * 1000);
	ck_assert(!defender_known_has(k, name(1)));
	ck_assert(defender_known_has(k, name(2)));
	defender_known_tick(k, 0, 1000 + KEEP_S * 1500);
	ck_assert(!defender_known_has(k, name(2)));
}
END_TEST

START_TEST(a_full_one_makes_room_before_its_time)
{
	struct defender_known_stats stats;

	defender_known_tick(k, defender_known_capacity(k), 1000);
	defender_known_stats(k, &stats);
	ck_assert_uint_eq(stats.turns, 1);
	ck_assert_uint_eq(stats.younger, 0);
	ck_assert_uint_eq(stats.bytes, BYTES);
}
END_TEST

/* Each worker has the time of when it woke up. */
START_TEST(a_clock_behind_the_last_forgets_nothing)
{
	struct defender_known_stats stats;

	(void)defender_known_add(k, name(1));
	defender_known_tick(k, 1, 1000);
	defender_known_tick(k, 0, 1000 + KEEP_S * 500);
	defender_known_tick(k, 0, 1000 + KEEP_S * 500 - 1);
	defender_known_stats(k, &stats);
	ck_assert_uint_eq(stats.turns, 1);
	ck_assert(defender_known_has(k, name(1)));
}
END_TEST

/* A large one is cleared over several ticks, and does not lose what comes meanwhile. */
START_TEST(clearing_takes_its_time)
{
	struct defender_known *large = NULL;
	struct defender_known_stats stats;
	unsigned ticks = 0;

	ck_assert_int_eq(defender_known_new(&large, 4 << 20, KEEP_S), E_OK);
	defender_known_tick(large, defender_known_capacity(large), 1000);
	for (stats.turns = 0; stats.turns == 0; ticks++) {
		(void)defender_known_add(large, name(ticks));
		defender_known_tick(large, 0, 1000);
		defender_known_stats(large, &stats);
	}
	ck_assert_uint_gt(ticks, 1);
	for (unsigned i = 0; i < ticks; i++)
		ck_assert(defender_known_has(large, name(i)));
	defender_known_free(large);
}
END_TEST

START_TEST(without_memory_nothing_is_known)
{
	struct defender_known *none = NULL;

	ck_assert_int_eq(defender_known_new(&none, 0, KEEP_S), E_OK);
	ck_assert(!defender_known_add(none, name(1)));
	ck_assert(!defender_known_has(none, name(1)));
	defender_known_tick(none, 1, 1000);
	ck_assert_uint_eq(defender_known_capacity(none), 0);
	defender_known_free(none);
	defender_known_free(NULL);
}
END_TEST

Suite *suite_defender_known(void)
{
	Suite *s = suite_create("defender_known");
	TCase *t = tcase_create("defender_known");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_name_is_known_once_it_was_added);
	tcase_add_test(t, a_full_filter_is_seldom_wrong);
	tcase_add_test(t, names_age);
	tcase_add_test(t, a_full_one_makes_room_before_its_time);
	tcase_add_test(t, a_clock_behind_the_last_forgets_nothing);
	tcase_add_test(t, clearing_takes_its_time);
	tcase_add_test(t, without_memory_nothing_is_known);
	suite_add_tcase(s, t);
	return s;
}
