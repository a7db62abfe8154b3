#include "recursor/net/tally.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"

static struct tally *tally;

static void set_up(void)
{
	hash_key_set(1, 2);
	tally = NULL;
}

static void tear_down(void)
{
	tally_free(tally);
	ck_assert_uint_eq(check_surprises(), 0);
}

static struct addr client(unsigned number, uint16_t port)
{
	return (struct addr) { .family = 4,
			       .port = port,
			       .ip = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				       (uint8_t)number } };
}

static struct tally_count now; /* after the last that entered */

static enum tally_verdict enter(unsigned number)
{
	struct addr a = client(number, 0);

	return tally_enter(tally, &a, &now);
}

static void leave(unsigned number)
{
	struct addr a = client(number, 0);

	tally_leave(tally, &a);
}

START_TEST(connections_of_an_address_are_limited)
{
	struct addr v4 = client(1, 1000), v6 = { .family = 6 };

	memcpy(v6.ip, v4.ip, sizeof(v6.ip));
	ck_assert_int_eq(tally_new(&tally, 100, 2), E_OK);
	ck_assert_int_eq(tally_enter(tally, &v4, &now), TALLY_ENTERED);
	v4.port++;
	ck_assert_int_eq(tally_enter(tally, &v4, &now), TALLY_ENTERED);
	ck_assert_uint_eq(now.all, 2);
	ck_assert_uint_eq(now.client, 2);
	v4.port++;
	ck_assert_int_eq(tally_enter(tally, &v4, &now), TALLY_CLIENT_FULL);
	ck_assert_int_eq(tally_enter(tally, &v6, &now), TALLY_ENTERED);
	ck_assert_uint_eq(now.all, 3);
	ck_assert_uint_eq(now.client, 1);
	tally_leave(tally, &v4);
	ck_assert_int_eq(tally_enter(tally, &v4, &now), TALLY_ENTERED);
	ck_assert_int_eq(tally_enter(tally, &v4, &now), TALLY_CLIENT_FULL);
}
END_TEST

START_TEST(connections_in_all_are_limited)
{
	uint32_t max_each = (uint32_t)_i; /* 0: none */

	ck_assert_int_eq(tally_new(&tally, 3, max_each), E_OK);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(enter(i), TALLY_ENTERED);
	ck_assert_int_eq(enter(3), TALLY_FULL);
	leave(1);
	ck_assert_int_eq(enter(3), TALLY_ENTERED);
	ck_assert_int_eq(enter(1), TALLY_FULL);
}
END_TEST

START_TEST(without_a_limit_for_each)
{
	ck_assert_int_eq(tally_new(&tally, 1000, 0), E_OK);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(enter(7), TALLY_ENTERED);
	ck_assert_int_eq(enter(7), TALLY_FULL);
	leave(7);
	ck_assert_int_eq(enter(7), TALLY_ENTERED);
}
END_TEST

/* Against a table that is plainly right; addresses come and go so that entries are used again. */
START_TEST(counts_are_right)
{
	enum { ADDRESSES = 200, MAX_IN_ALL = 60, MAX_EACH = 3, STEPS = 50000 };
	unsigned count[ADDRESSES] = { 0 }, all = 0, seen[3] = { 0 };
	uint32_t x = 1;

	ck_assert_int_eq(tally_new(&tally, MAX_IN_ALL, MAX_EACH), E_OK);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned who, range = i / 100 % 2 == 0 ? ADDRESSES : ADDRESSES / 10;
		enum tally_verdict right = TALLY_ENTERED;

		x = x * 1664525 + 1013904223;
		who = (x >> 8) % range;
		if (count[who] > 0 && x >> 30 == 0) {
			leave(who);
			count[who]--;
			all--;
			continue;
		}
		if (all == MAX_IN_ALL)
			right = TALLY_FULL;
		else if (count[who] == MAX_EACH)
			right = TALLY_CLIENT_FULL;
		ck_assert_int_eq(enter(who), right);
		seen[right]++;
		if (right == TALLY_ENTERED) {
			count[who]++;
			all++;
		} else if (right == TALLY_FULL) { /* most of them go */
			for (unsigned j = i % 7; j < ADDRESSES; j += 1 + i % 3)
				for (; count[j] > 0; count[j]--, all--)
					leave(j);
		}
	}
	for (unsigned i = 0; i < ARRAY_LEN(seen); i++)
		ck_assert_uint_gt(seen[i], 100);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, TURNS = 50000, MAX = 5, EACH = 2, CLIENTS = 4 };

static pthread_barrier_t barrier;
static _Atomic unsigned holding, holding_of[CLIENTS];

static void *come_and_go(void *ctx)
{
	unsigned seed = (unsigned)(uintptr_t)ctx;

	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < TURNS; i++) {
		unsigned mine[2], n = 0;

		for (unsigned j = 0; j < 2; j++) {
			unsigned who = (seed + i * (j + 1)) % CLIENTS;

			if (enter(who) != TALLY_ENTERED)
				continue;
			ck_assert_uint_le(++holding, MAX);
			ck_assert_uint_le(++holding_of[who], EACH);
			mine[n++] = who;
		}
		while (n > 0) {
			holding_of[mine[--n]]--;
			holding--;
			leave(mine[n]);
		}
	}
	return NULL;
}

START_TEST(threads_together_keep_the_limits)
{
	pthread_t threads[THREADS];

	ck_assert_int_eq(tally_new(&tally, MAX, EACH), E_OK);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	/* All have left. */
	for (unsigned i = 0; i < MAX; i++)
		ck_assert_int_eq(enter(i / EACH), TALLY_ENTERED);
	ck_assert_int_eq(enter(0), TALLY_FULL);
}
END_TEST

Suite *suite_tally(void);
Suite *suite_tally(void)
{
	Suite *s = suite_create("tally");
	TCase *tc = tcase_create("tally");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, connections_of_an_address_are_limited);
	tcase_add_loop_test(tc, connections_in_all_are_limited, 0, 3);
	tcase_add_test(tc, without_a_limit_for_each);
	tcase_add_test(tc, counts_are_right);
	tcase_add_test(tc, threads_together_keep_the_limits);
	suite_add_tcase(s, tc);
	return s;
}
