#include "recursor/policy/ratelimit.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/hash.h"

enum { START_US = 5000000, SECOND_US = 1000000 };

static struct ratelimit *limit;

static int make(double qps, uint32_t burst, unsigned ipv4_bits, unsigned ipv6_bits, uint32_t max)
{
	const struct ratelimit_config cfg = {
		.qps = qps,
		.burst = burst,
		.ipv4_bits = ipv4_bits,
		.ipv6_bits = ipv6_bits,
		.max = max,
	};

	hash_key_set(1, 2);
	return ratelimit_new(&limit, &cfg);
}

static void free_limit(void)
{
	ratelimit_free(limit);
	limit = NULL;
	ratelimit_free(NULL);
}

static bool allows(const char *client, uint64_t now_us)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, client, 1234), E_OK);
	return ratelimit_allows(limit, &a, now_us);
}

/* Of so many queries, one each `step_us`, how many pass. */
static unsigned passing(const char *client, unsigned queries, uint64_t from_us, uint64_t step_us)
{
	unsigned n = 0;

	for (unsigned i = 0; i < queries; i++)
		n += allows(client, from_us + i * step_us);
	return n;
}

START_TEST(a_burst_and_then_the_rate)
{
	ck_assert_int_eq(make(10, 5, 32, 64, 100), E_OK);
	ck_assert_uint_eq(passing("192.0.2.1", 20, START_US, 0), 5);
	/* A second later five again, for the bucket has no more room. */
	ck_assert_uint_eq(passing("192.0.2.1", 20, START_US + SECOND_US, 0), 5);
	/* And at 100 a second for ten seconds ten pass in each; what was refused costs nothing. */
	ck_assert_uint_eq(passing("192.0.2.2", 1000, START_US, 10000), 5 + 99);
}
END_TEST

START_TEST(without_a_burst_it_is_a_seconds_worth)
{
	ck_assert_int_eq(make(7, 0, 32, 64, 100), E_OK);
	ck_assert_uint_eq(passing("192.0.2.1", 20, START_US, 0), 7);
	free_limit();
	ck_assert_int_eq(make(0.5, 0, 32, 64, 100), E_OK);
	ck_assert_uint_eq(passing("192.0.2.1", 10, START_US, SECOND_US), 5);
}
END_TEST

START_TEST(a_client_is_a_prefix)
{
	ck_assert_int_eq(make(1, 1, 24, 57, 100), E_OK);
	ck_assert(allows("192.0.2.1", START_US));
	ck_assert(!allows("192.0.2.254", START_US));
	ck_assert(allows("192.0.3.1", START_US));
	ck_assert(allows("2001:db8:0:0::1", START_US));
	ck_assert(!allows("2001:db8:0:7f::1", START_US));
	ck_assert(allows("2001:db8:0:80::1", START_US));
	ck_assert(!allows("192.0.2.1:99", START_US));
}
END_TEST

START_TEST(no_bits_are_one_client)
{
	ck_assert_int_eq(make(1, 1, 0, 0, 1), E_OK);
	ck_assert(allows("192.0.2.1", START_US));
	ck_assert(!allows("10.0.0.1", START_US));
	ck_assert(allows("::", START_US)); /* each family by itself */
	ck_assert(!allows("2001:db8::1", START_US));
}
END_TEST

START_TEST(who_floods_is_not_forgotten)
{
	struct ratelimit_stats s;
	unsigned passed = 0;

	ck_assert_int_eq(make(10, 10, 32, 64, 64), E_OK);
	/* 100 queries a second of one client, among thousands of others that ask once. */
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now_us = START_US + i * 10000;
		struct addr other = { .family = 4 };

		for (unsigned n = 0; n < 20; n++) {
			other.ip[1] = (uint8_t)i;
			other.ip[2] = (uint8_t)(i >> 8);
			other.ip[3] = (uint8_t)n;
			ck_assert(ratelimit_allows(limit, &other, now_us));
		}
		passed += allows("192.0.2.1", now_us);
	}
	/* Until it has asked more than the others it may be forgotten like one of them. */
	ck_assert_uint_le(passed, 10 + 100 + 3);
	ratelimit_stats(limit, &s);
	ck_assert_uint_eq(s.refused, 1000 - passed);
	ck_assert_uint_gt(s.forgotten, 10000);
	ck_assert_uint_le(s.bytes, 64 * 16 + 256);
}
END_TEST

START_TEST(a_clock_that_stands_still_does_no_harm)
{
	ck_assert_int_eq(make(1000000000, 1000000000, 32, 64, 10), E_OK);
	ck_assert_uint_eq(passing("192.0.2.1", 1000, 0, 0), 1000);
	free_limit();
	ck_assert_int_eq(make(0.001, 1000000000, 32, 64, 10), E_OK);
	ck_assert_uint_eq(passing("192.0.2.1", 1000, 0, 0), 1000);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	ck_assert_int_eq(make(0, 1, 32, 64, 10), E_RANGE);
	ck_assert_int_eq(make(-1, 1, 32, 64, 10), E_RANGE);
	ck_assert_int_eq(make(NAN, 1, 32, 64, 10), E_RANGE);
	ck_assert_int_eq(make(INFINITY, 1, 32, 64, 10), E_RANGE);
	ck_assert_int_eq(make(1, UINT32_MAX, 32, 64, 10), E_RANGE);
	ck_assert_int_eq(make(1, 1, 33, 64, 10), E_RANGE);
	ck_assert_int_eq(make(1, 1, 32, 129, 10), E_RANGE);
	ck_assert_int_eq(make(1, 1, 32, 64, 0), E_RANGE);
	ck_assert_int_eq(make(1, 1, 32, 64, UINT32_MAX), E_RANGE);
	ck_assert_ptr_null(limit);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, EACH = 20000, BURST = 5000 };

static _Atomic unsigned passed_all;

static void *ask(void *arg)
{
	struct addr one = { .family = 4, .ip = { 192, 0, 2, 1 } }, many = { .family = 6 };

	(void)arg;
	for (unsigned i = 0; i < EACH; i++) {
		many.ip[4] = (uint8_t)i;
		(void)ratelimit_allows(limit, &many, START_US);
		if (ratelimit_allows(limit, &one, START_US))
			atomic_fetch_add(&passed_all, 1);
	}
	return NULL;
}

START_TEST(threads_share_a_limit)
{
	pthread_t threads[THREADS];

	ck_assert_int_eq(make(1, BURST, 32, 64, 1000), E_OK);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_ge(atomic_load(&passed_all), BURST);
	ck_assert_uint_le(atomic_load(&passed_all), BURST + BURST / 10);
}
END_TEST

Suite *suite_ratelimit(void)
{
	Suite *s = suite_create("ratelimit");
	TCase *t = tcase_create("ratelimit");

	tcase_add_checked_fixture(t, NULL, free_limit);
	tcase_add_test(t, a_burst_and_then_the_rate);
	tcase_add_test(t, without_a_burst_it_is_a_seconds_worth);
	tcase_add_test(t, a_client_is_a_prefix);
	tcase_add_test(t, no_bits_are_one_client);
	tcase_add_test(t, who_floods_is_not_forgotten);
	tcase_add_test(t, a_clock_that_stands_still_does_no_harm);
	tcase_add_test(t, nonsense_is_refused);
	tcase_add_test(t, threads_share_a_limit);
	suite_add_tcase(s, t);
	return s;
}
