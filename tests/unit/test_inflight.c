#include "recursor/resolve/inflight.h"

#include <check.h>
#include <stdlib.h>

#include "recursor/resolve/remembered.h"

enum { MAX = 512, T0 = 1000000 };

START_TEST(windows)
{
	uint32_t w = MAX;

	ck_assert_uint_eq(inflight_window(MAX, MAX, 1000), MAX);
	ck_assert_uint_eq(inflight_window(MAX, 100, 1000), 100);
	/* Four times as late as prompt: a quarter. */
	ck_assert_uint_eq(inflight_window(MAX, MAX, 4 * INFLIGHT_PROMPT_US), MAX / 4);
	ck_assert_uint_eq(inflight_window(MAX, 1, 1000), INFLIGHT_LEAST);
	ck_assert_uint_eq(inflight_window(4, 1, 1000), 4);
	for (int i = 0; i < 100; i++)
		w = inflight_shrink(MAX, w, INFLIGHT_ZONE_CUT);
	ck_assert_uint_eq(w, INFLIGHT_LEAST);
	for (int i = 0; i < MAX; i++)
		w = inflight_grow(MAX, w);
	ck_assert_uint_eq(w, MAX);
	/* A setting that was made smaller meanwhile. */
	ck_assert_uint_eq(inflight_shrink(100, MAX, INFLIGHT_ZONE_CUT), 93);
	ck_assert_uint_eq(inflight_grow(100, MAX), 100);
}
END_TEST

START_TEST(a_part_is_for_the_known)
{
	unsigned strangers = 0, known = 0, left = INFLIGHT_RESERVE_LEAST;
	struct inflight_zone *z;
	struct inflight in;
	bool limited;

	ck_assert_uint_eq(inflight_reserve(MAX, 100), 25);
	ck_assert_uint_eq(inflight_reserve(MAX, INFLIGHT_LEAST), INFLIGHT_RESERVE_LEAST);
	ck_assert_uint_eq(inflight_reserve(4, 4), 1);
	ck_assert_uint_eq(inflight_reserve(1, 1), 0);

	ck_assert_int_eq(inflight_init(&in, MAX), E_OK);
	z = inflight_hold(&in, 1, false, 1, false, T0, &limited);
	while (inflight_take_place(&in, z, false) == INFLIGHT_PLACE)
		strangers++;
	while (inflight_take_place(&in, z, true) == INFLIGHT_RESERVED)
		known++;
	ck_assert_uint_eq(strangers, MAX / 4 * 3);
	ck_assert_uint_eq(known, MAX / 4);
	while (known-- > 0)
		inflight_give_place(z, INFLIGHT_RESERVED);
	/* The window becomes small: the strangers are too many by far, the known have their part. */
	for (int i = 0; i < 100; i++)
		inflight_timed_out(&in, z);
	ck_assert_int_eq(inflight_take_place(&in, z, false), INFLIGHT_NO_PLACE);
	for (unsigned i = 0; i < left; i++)
		ck_assert_int_eq(inflight_take_place(&in, z, true), INFLIGHT_RESERVED);
	ck_assert_int_eq(inflight_take_place(&in, z, true), INFLIGHT_NO_PLACE);
	while (left-- > 0)
		inflight_give_place(z, INFLIGHT_RESERVED);
	while (strangers-- > 0)
		inflight_give_place(z, INFLIGHT_PLACE);
	inflight_let_go(&in, z, 1, T0);
	inflight_deinit(&in);
}
END_TEST

START_TEST(zones_are_held_apart)
{
	struct inflight_zone *z[MAX], *other;
	struct inflight in;
	bool limited;
	uint32_t n = 0;

	ck_assert_int_eq(inflight_init(&in, 8), E_OK);
	while ((z[n] = inflight_hold(&in, 1, false, 1, false, T0, &limited)) != NULL)
		n++;
	ck_assert(limited);
	ck_assert_uint_eq(n, 6);
	ck_assert(!inflight_may_join(&in, z[0], false));
	ck_assert(inflight_may_join(&in, z[0], true));
	inflight_waiters(z[0], 2);
	ck_assert(!inflight_may_join(&in, z[0], true));
	/* Another zone is another thing; who comes first may bring as many as there are. */
	other = inflight_hold(&in, 2, false, 100, false, T0, &limited);
	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_ne(other, z[0]);
	inflight_let_go(&in, other, 100, T0);
	ck_assert_uint_eq(in.zones.used, 1);
	inflight_waiters(z[0], -2);
	while (n-- > 0)
		inflight_let_go(&in, z[n], 1, T0);
	/* It has answered as it should: nothing to remember. */
	ck_assert_uint_eq(in.zones.used, 0);
	inflight_deinit(&in);
}
END_TEST

/* The root after a start: all are there.  Once its servers time out it is like any other. */
START_TEST(where_everybody_is_few_are_refused)
{
	struct inflight_zone *z[2 * MAX + 1];
	struct inflight in;
	bool limited;

	ck_assert_int_eq(inflight_init(&in, MAX), E_OK);
	for (unsigned i = 0; i < 2 * MAX; i++) {
		z[i] = inflight_hold(&in, 1, true, 1, false, T0, &limited);
		ck_assert_ptr_nonnull(z[i]);
		ck_assert_int_eq(inflight_take_place(&in, z[i], false), INFLIGHT_PLACE);
	}
	inflight_timed_out(&in, z[0]);
	ck_assert(inflight_may_join(&in, z[0], false));
	for (unsigned i = 0; i < INFLIGHT_ZONE_CUT; i++)
		inflight_timed_out(&in, z[0]);
	ck_assert_ptr_null(inflight_hold(&in, 1, true, 1, false, T0, &limited));
	ck_assert(limited);
	ck_assert_int_eq(inflight_take_place(&in, z[0], false), INFLIGHT_NO_PLACE);
	for (unsigned i = 0; i < 2 * MAX; i++) {
		inflight_give_place(z[i], INFLIGHT_PLACE);
		inflight_let_go(&in, z[i], 1, T0);
	}
	inflight_deinit(&in);
}
END_TEST

START_TEST(what_is_bad_is_remembered_for_a_while)
{
	struct inflight_zone *z;
	struct inflight in;
	unsigned places = 0;
	bool limited;

	ck_assert_int_eq(inflight_init(&in, MAX), E_OK);
	z = inflight_hold(&in, 1, false, 1, false, T0, &limited);
	for (int i = 0; i < 100; i++)
		inflight_timed_out(&in, z);
	inflight_let_go(&in, z, 1, T0);
	ck_assert_uint_eq(in.zones.used, 1);
	ck_assert_uint_eq(in.n_idle, 1);
	z = inflight_hold(&in, 1, false, 1, false, T0 + INFLIGHT_IDLE_MS - 1, &limited);
	ck_assert_uint_eq(in.n_idle, 0);
	while (inflight_take_place(&in, z, false) == INFLIGHT_PLACE)
		places++;
	ck_assert_uint_eq(places, INFLIGHT_LEAST - INFLIGHT_RESERVE_LEAST);
	inflight_answered(&in, z, 1000);
	inflight_answered(&in, z, 1000);
	ck_assert_int_eq(inflight_take_place(&in, z, false), INFLIGHT_PLACE);
	places++;
	while (places-- > 0)
		inflight_give_place(z, INFLIGHT_PLACE);
	inflight_let_go(&in, z, 1, T0);
	/* Long after that it is forgotten. */
	z = inflight_hold(&in, 2, false, 1, false, T0 + INFLIGHT_IDLE_MS, &limited);
	ck_assert_uint_eq(in.zones.used, 1);
	inflight_let_go(&in, z, 1, T0);
	inflight_deinit(&in);
}
END_TEST

START_TEST(idle_zones_are_bounded)
{
	struct inflight in;
	bool limited;

	ck_assert_int_eq(inflight_init(&in, MAX), E_OK);
	for (uint64_t i = 0; i < 3 * INFLIGHT_IDLE_MAX; i++) {
		struct inflight_zone *z = inflight_hold(&in, i, false, 1, false, T0, &limited);

		ck_assert_ptr_nonnull(z);
		inflight_timed_out(&in, z);
		inflight_let_go(&in, z, 1, T0);
	}
	ck_assert_uint_le(in.zones.used, INFLIGHT_IDLE_MAX + 1);
	inflight_deinit(&in);
}
END_TEST

START_TEST(no_limit)
{
	struct inflight in;
	bool limited;

	ck_assert_int_eq(inflight_init(&in, 0), E_OK);
	ck_assert_ptr_null(inflight_hold(&in, 1, false, 1, false, T0, &limited));
	ck_assert(!limited);
	/* Turned off while somebody is there. */
	inflight_configure(&in, 1);
	struct inflight_zone *z = inflight_hold(&in, 1, false, 1, false, T0, &limited);

	ck_assert_int_eq(inflight_take_place(&in, z, false), INFLIGHT_PLACE);
	inflight_configure(&in, 0);
	ck_assert_int_eq(inflight_take_place(&in, z, false), INFLIGHT_PLACE);
	ck_assert(inflight_may_join(&in, z, false));
	inflight_give_place(z, INFLIGHT_PLACE);
	inflight_give_place(z, INFLIGHT_PLACE);
	inflight_let_go(&in, z, 1, T0);
	inflight_deinit(&in);
}
END_TEST

START_TEST(remembers_what_was_answered)
{
	_Atomic uint32_t *tags = calloc(REMEMBERED_TAGS, sizeof(*tags));
	unsigned strangers = 0, friends = 0;

	ck_assert_ptr_nonnull((void *)tags);
	for (uint64_t i = 0; i < 1000; i++)
		remembered_note(tags, i * 0x123456789abcdef1U, 1);
	for (uint64_t i = 0; i < 1000; i++) {
		friends += remembered_has(tags, i * 0x123456789abcdef1U, 1);
		strangers += remembered_has(tags, i * 0x123456789abcdef1U, 28);
		strangers += remembered_has(tags, i * 0x23456789abcdef13U + 1, 1);
	}
	ck_assert_uint_eq(strangers, 0);
	ck_assert_uint_ge(friends, 950); /* some have taken another's place */
	free((void *)tags);
}
END_TEST

Suite *suite_inflight(void);

Suite *suite_inflight(void)
{
	Suite *s = suite_create("inflight");
	TCase *tc = tcase_create("inflight");

	tcase_add_test(tc, windows);
	tcase_add_test(tc, a_part_is_for_the_known);
	tcase_add_test(tc, zones_are_held_apart);
	tcase_add_test(tc, where_everybody_is_few_are_refused);
	tcase_add_test(tc, what_is_bad_is_remembered_for_a_while);
	tcase_add_test(tc, idle_zones_are_bounded);
	tcase_add_test(tc, no_limit);
	tcase_add_test(tc, remembers_what_was_answered);
	suite_add_tcase(s, tc);
	return s;
}
