#include "common/slab.h"

#include <check.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define IS_POISONED(p) (__asan_address_is_poisoned(p) != 0)
#endif

struct thing {
	uint64_t a;
	char text[21];
};

START_TEST(takes_and_gives)
{
	enum { N = 3 * SLAB_PAGE_OBJECTS + 1 };
	struct thing *things[N];
	struct slab s;

	slab_init(&s, sizeof(struct thing), 1000);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < N; i++) {
			things[i] = slab_take(&s);
			ck_assert_ptr_nonnull(things[i]);
			ck_assert_uint_eq((uintptr_t)things[i] % _Alignof(max_align_t), 0);
			ck_assert_uint_eq(things[i]->a, 0);
			ck_assert_int_eq(things[i]->text[20], 0);
			memset(things[i], 0xff, sizeof(*things[i]));
			things[i]->a = i;
		}
		ck_assert_uint_eq(s.used, N);
		for (size_t i = 0; i < N; i++)
			ck_assert_uint_eq(things[i]->a, i); /* none overlaps another */
		for (size_t i = 0; i < N; i++)
			slab_give(&s, things[(i * 7) % N]);
		ck_assert_uint_eq(s.used, 0);
		ck_assert_uint_eq(s.peak, N);
	}
	slab_deinit(&s);
}
END_TEST

START_TEST(limit_holds)
{
	struct slab s;
	void *a, *b;

	slab_init(&s, 1, 2);
	a = slab_take(&s);
	b = slab_take(&s);
	ck_assert(a != NULL && b != NULL && a != b);
	ck_assert_ptr_null(slab_take(&s));
	ck_assert_uint_eq(s.used, 2);
	slab_give(&s, a);
	ck_assert_ptr_eq(slab_take(&s), a);
	slab_give(&s, a);
	slab_give(&s, b);
	slab_deinit(&s);

	slab_init(&s, 1, 0);
	ck_assert_ptr_null(slab_take(&s));
	slab_deinit(&s);
}
END_TEST

START_TEST(nothing_may_be_left_out)
{
	struct slab s;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	slab_init(&s, 8, 8);
	ck_assert_ptr_nonnull(slab_take(&s));
	slab_deinit(&s);
}
END_TEST

#ifdef IS_POISONED
START_TEST(what_is_given_back_is_poisoned)
{
	struct slab s;
	char *p;

	slab_init(&s, 100, 8);
	p = slab_take(&s);
	ck_assert(!IS_POISONED(p) && !IS_POISONED(p + 99));
	slab_give(&s, p);
	ck_assert(IS_POISONED(p) && IS_POISONED(p + 99));
	ck_assert_ptr_eq(slab_take(&s), p);
	ck_assert(!IS_POISONED(p) && !IS_POISONED(p + 99));
	slab_give(&s, p);
	slab_deinit(&s);
}
END_TEST
#endif

Suite *suite_slab(void)
{
	Suite *s = suite_create("slab");
	TCase *t = tcase_create("slab");

	tcase_add_test(t, takes_and_gives);
	tcase_add_test(t, limit_holds);
	tcase_add_test_raise_signal(t, nothing_may_be_left_out, SIGABRT);
#ifdef IS_POISONED
	tcase_add_test(t, what_is_given_back_is_poisoned);
#endif
	suite_add_tcase(s, t);
	return s;
}
