#include "common/timers.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum { START = 1000003 };

START_TEST(takes_what_is_due)
{
	struct timers *w = timers_new(START);
	struct timer a = { 0 }, b = { 0 }, c = { 0 };

	ck_assert_ptr_nonnull(w);
	ck_assert_uint_eq(timers_next(w), UINT64_MAX);
	ck_assert_ptr_null(timers_take(w, START));
	timers_start(w, &b, START + 20);
	timers_start(w, &a, START + 10);
	timers_start(w, &c, START + 20);
	ck_assert_uint_eq(timers_count(w), 3);
	ck_assert(timer_is_pending(&a));
	ck_assert_uint_eq(timers_next(w), START + 10);
	ck_assert_ptr_null(timers_take(w, START + 9));
	ck_assert_ptr_eq(timers_take(w, START + 10), &a);
	ck_assert(!timer_is_pending(&a));
	ck_assert_ptr_null(timers_take(w, START + 10));
	ck_assert_uint_eq(timers_next(w), START + 20);
	ck_assert_ptr_nonnull(timers_take(w, START + 500));
	ck_assert_ptr_nonnull(timers_take(w, START + 500));
	ck_assert_ptr_null(timers_take(w, START + 500));
	ck_assert_uint_eq(timers_count(w), 0);
	ck_assert_uint_eq(timers_next(w), UINT64_MAX);
	timers_free(w);
}
END_TEST

START_TEST(stop_and_restart)
{
	struct timers *w = timers_new(START);
	struct timer a = { 0 }, b = { 0 }, c = { 0 };

	timers_stop(w, &a); /* was never started */
	timers_start(w, &a, START + 5);
	timers_start(w, &b, START + 5);
	timers_start(w, &c, START + 5);
	timers_stop(w, &b); /* from the middle */
	timers_stop(w, &b);
	ck_assert_uint_eq(timers_count(w), 2);
	timers_stop(w, &c); /* the first of its slot */
	timers_stop(w, &a); /* the last of its slot */
	/* An empty slot is no reason to wake up. */
	ck_assert_uint_eq(timers_next(w), UINT64_MAX);
	timers_start(w, &a, START + 5);
	timers_start(w, &b, START + 40);
	timers_start(w, &a, START + 50);
	ck_assert_uint_eq(timers_count(w), 2);
	ck_assert_uint_eq(timers_next(w), START + 40);
	ck_assert_ptr_eq(timers_take(w, START + 100), &b);
	ck_assert_ptr_eq(timers_take(w, START + 100), &a);
	timers_free(w);
}
END_TEST

START_TEST(due_at_once)
{
	struct timers *w = timers_new(START);
	struct timer a = { 0 }, b = { 0 };

	timers_start(w, &a, START);
	ck_assert_ptr_eq(timers_take(w, START), &a);
	timers_start(w, &b, 3); /* long ago */
	ck_assert_uint_le(timers_next(w), START);
	ck_assert_ptr_eq(timers_take(w, START), &b);
	/* While the taking goes on. */
	timers_start(w, &a, START + 7);
	ck_assert_ptr_eq(timers_take(w, START + 9), &a);
	timers_start(w, &a, START + 8);
	timers_start(w, &b, START + 10);
	ck_assert_ptr_eq(timers_take(w, START + 9), &a);
	ck_assert_ptr_null(timers_take(w, START + 9));
	ck_assert_ptr_eq(timers_take(w, START + 10), &b);
	timers_free(w);
}
END_TEST

START_TEST(further_than_the_wheel)
{
	static const uint64_t ahead[] = { TIMERS_SLOTS - 1, TIMERS_SLOTS, TIMERS_SLOTS + 1,
					  3 * TIMERS_SLOTS, 10 * TIMERS_SLOTS + 17 };

	for (size_t i = 0; i < ARRAY_LEN(ahead); i++) {
		struct timers *w = timers_new(START);
		struct timer t = { 0 };
		uint64_t now = START, due = START + ahead[i];
		unsigned wakes = 0;

		/* As a loop does it: sleep until next, take. */
		timers_start(w, &t, due);
		for (;;) {
			uint64_t next = timers_next(w);

			ck_assert_uint_le(next, due);
			ck_assert_uint_ge(next, now);
			now = next;
			if (timers_take(w, now) != NULL)
				break;
			ck_assert_uint_lt(++wakes, 12);
		}
		ck_assert_uint_eq(now, due);

		/* In one leap of the clock. */
		timers_start(w, &t, now + ahead[i]);
		ck_assert_ptr_null(timers_take(w, now + ahead[i] - 1));
		ck_assert_ptr_eq(timers_take(w, now + ahead[i]), &t);
		timers_free(w);
	}
}
END_TEST

START_TEST(clock_set_back_only_delays)
{
	struct timers *w = timers_new(START);
	struct timer a = { 0 }, b = { 0 };

	timers_start(w, &a, START + 10);
	ck_assert_ptr_null(timers_take(w, START + 5));
	ck_assert_ptr_null(timers_take(w, START - 500));
	timers_start(w, &b, START - 400);
	ck_assert_ptr_null(timers_take(w, START - 400));
	ck_assert_ptr_eq(timers_take(w, START + 5), &b);
	ck_assert_ptr_eq(timers_take(w, START + 10), &a);
	timers_free(w);
}
END_TEST

START_TEST(leap_over_everything)
{
	struct timers *w = timers_new(START);
	struct timer t[100] = { 0 };
	bool taken[ARRAY_LEN(t)] = { false };
	uint64_t now = START + 1000 * TIMERS_SLOTS;
	size_t n = 0;
	struct timer *due;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		timers_start(w, &t[i], START + i * i * 1000);
	timers_start(w, &t[99], now + 5);
	while ((due = timers_take(w, now)) != NULL) {
		ck_assert(!taken[due - t]);
		taken[due - t] = true;
		n++;
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert(taken[i] == (t[i].due_ms <= now));
	ck_assert_uint_eq(timers_count(w), ARRAY_LEN(t) - n);
	ck_assert_uint_eq(timers_next(w), now + 5);
	ck_assert_ptr_eq(timers_take(w, now + 5), &t[99]);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		timers_stop(w, &t[i]);
	timers_free(w);
}
END_TEST

/* Against a plain array, with a generator of its own so that a failure repeats. */
START_TEST(like_a_plain_list)
{
	enum { N = 300, STEPS = 20000 };
	struct timers *w = timers_new(START);
	static struct timer t[N];
	uint64_t now = START, seed = 42;

	for (int step = 0; step < STEPS; step++) {
		size_t i;
		struct timer *due;
		uint64_t earliest = UINT64_MAX;
		size_t pending = 0;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		i = (seed >> 33) % N;
		switch (seed >> 60) {
		case 0:
			now += (seed >> 20) % 20000;
			break;
		case 1:
			timers_stop(w, &t[i]);
			break;
		case 2:
		case 3:
			now += (seed >> 20) % 50;
			break;
		default:
			timers_start(w, &t[i], now + (seed >> 20) % 12000);
			break;
		}
		while ((due = timers_take(w, now)) != NULL)
			ck_assert_uint_le(due->due_ms, now);
		for (i = 0; i < N; i++) {
			if (!timer_is_pending(&t[i]))
				continue;
			ck_assert_uint_gt(t[i].due_ms, now);
			earliest = t[i].due_ms < earliest ? t[i].due_ms : earliest;
			pending++;
		}
		ck_assert_uint_eq(timers_count(w), pending);
		ck_assert_uint_le(timers_next(w), earliest);
		if (earliest - now < TIMERS_SLOTS / 2)
			ck_assert_uint_gt(timers_next(w), now);
	}
	for (size_t i = 0; i < N; i++)
		timers_stop(w, &t[i]);
	timers_free(w);
}
END_TEST

Suite *suite_timers(void)
{
	Suite *s = suite_create("timers");
	TCase *t = tcase_create("timers");

	tcase_add_test(t, takes_what_is_due);
	tcase_add_test(t, stop_and_restart);
	tcase_add_test(t, due_at_once);
	tcase_add_test(t, further_than_the_wheel);
	tcase_add_test(t, clock_set_back_only_delays);
	tcase_add_test(t, leap_over_everything);
	tcase_add_test(t, like_a_plain_list);
	suite_add_tcase(s, t);
	return s;
}
