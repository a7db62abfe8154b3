#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "recursor/watch/heavy.h"

/* Against exact counts: streams of keys, few of which make most of it. */

enum { KEYS = 5000, STREAM = 200000, ENTRIES = 256, PARTS = 7 };

static struct heavy *part[PARTS], *whole;
static struct cost exact[KEYS], total;

static struct heavy *make(unsigned entries)
{
	struct heavy *h = calloc(1, heavy_size(entries, sizeof(uint32_t)));

	ck_assert_ptr_nonnull(h);
	heavy_init(h, entries, sizeof(uint32_t));
	return h;
}

static void make_all(void)
{
	for (unsigned i = 0; i < PARTS; i++)
		part[i] = make(ENTRIES);
	whole = make(ENTRIES);
	memset(exact, 0, sizeof(exact));
	total = (struct cost) { 0 };
}

static void free_all(void)
{
	for (unsigned i = 0; i < PARTS; i++)
		free(part[i]);
	free(whole);
}

static uint64_t tag_of(uint32_t key)
{
	return hash_bytes(&key, sizeof(key));
}

/* Zipf's law, near enough: a key's chance falls with its number. */
static uint32_t draw(void)
{
	double u = (double)random() / RAND_MAX;
	uint32_t key = (uint32_t)(KEYS * u * u * u * u * u);

	return key < KEYS ? key : KEYS - 1;
}

static void feed(struct heavy *h, uint32_t key)
{
	const struct cost c = { .cpu_us = (uint64_t)random() % 30,
				.outqueries = key % 3,
				.wait_us = key % 11 == 0 ? 100000 : (uint64_t)random() % 1000 };

	heavy_add(h, &key, sizeof(key), tag_of(key), &c);
	cost_add(&exact[key], &c);
	cost_add(&total, &c);
}

static void expect_bound(uint64_t lower, uint64_t truth, uint64_t missed, unsigned weight)
{
	ck_assert_uint_le(lower, truth);
	ck_assert_uint_le((truth - lower) * weight, missed);
}

/* How many keys have truly cost more. */
static unsigned rank(uint32_t key)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < KEYS; i++)
		n += cost_score(&exact[i]) > cost_score(&exact[key]);
	return n;
}

/* What is there is right within its bounds; what is not has cost no more than is said.  Returns
 * how many of the `n` costliest are there. */
static unsigned judge(const struct heavy *h, unsigned n)
{
	bool found[KEYS] = { false };
	unsigned known = 0;

	ck_assert_mem_eq(&h->total, &total, sizeof(total));
	for (unsigned b = 0; b < h->n_buckets; b++) {
		for (unsigned way = 0; way < HEAVY_WAYS; way++) {
			const struct cost *c = &h->buckets[b].cost[way];
			uint64_t missed;
			uint32_t key;
			size_t len;
			const uint8_t *bytes = heavy_key(h, b, way, &len);

			if (bytes == NULL)
				continue;
			ck_assert_uint_eq(len, sizeof(key));
			memcpy(&key, bytes, sizeof(key));
			ck_assert(!found[key]);
			found[key] = true;
			missed = heavy_missed(h, tag_of(key));
			expect_bound(c->cpu_us, exact[key].cpu_us, missed, COST_CPU_WEIGHT);
			expect_bound(c->outqueries, exact[key].outqueries, missed,
				     COST_OUTQUERY_WEIGHT);
			expect_bound(c->wait_us, exact[key].wait_us, missed, COST_WAIT_WEIGHT);
		}
	}
	for (uint32_t key = 0; key < KEYS; key++) {
		if (!found[key]) {
			ck_assert_uint_le(cost_score(&exact[key]), heavy_missed(h, tag_of(key)));
			ck_assert_uint_le(cost_score(&exact[key]), heavy_missed_most(h));
		}
		if (found[key] && rank(key) < n)
			known++;
	}
	return known;
}

START_TEST(an_empty_one)
{
	uint32_t key = 1;
	size_t len;

	ck_assert_uint_eq(heavy_missed(whole, tag_of(key)), 0);
	ck_assert_uint_eq(heavy_missed_most(whole), 0);
	ck_assert_ptr_null(heavy_key(whole, 0, 0, &len));
	heavy_add(whole, &key, sizeof(key), tag_of(key), &(struct cost) { 0 });
	ck_assert_uint_eq(judge(whole, 1), 0);
}
END_TEST

START_TEST(few_keys_are_exact)
{
	struct heavy *large = make(KEYS);

	for (unsigned i = 0; i < 1000; i++)
		feed(large, i % 20);
	ck_assert_uint_eq(judge(large, 20), 20);
	ck_assert_uint_eq(heavy_missed_most(large), 0);
	heavy_clear(large);
	memset(exact, 0, sizeof(exact));
	total = (struct cost) { 0 };
	ck_assert_uint_eq(judge(large, 20), 0);
	free(large);
}
END_TEST

START_TEST(skewed_streams)
{
	srandom((unsigned)_i + 1);
	for (unsigned i = 0; i < STREAM; i++)
		feed(whole, draw());
	ck_assert_uint_eq(judge(whole, 20), 20);
}
END_TEST

/* Two in three are new each time, as in a flood of random names: who is heavy stays. */
START_TEST(a_flood_of_keys_that_come_once)
{
	srandom(3);
	for (unsigned i = 0; i < STREAM; i++)
		feed(whole, i % 3 == 0 ? i % 30 / 3 : 10 + (uint32_t)random() % (KEYS - 10));
	ck_assert_uint_eq(judge(whole, 10), 10);
}
END_TEST

START_TEST(merged_streams)
{
	srandom((unsigned)_i + 1);
	for (unsigned i = 0; i < STREAM; i++)
		feed(part[(size_t)random() % (_i == 0 ? PARTS : 2)], draw());
	for (unsigned i = 0; i < PARTS; i++)
		heavy_merge(whole, part[i]);
	ck_assert_uint_eq(judge(whole, 20), 20);
}
END_TEST

START_TEST(one_bucket)
{
	struct heavy *small = make(1);

	srandom(5);
	for (unsigned i = 0; i < 10000; i++)
		feed(small, draw());
	(void)judge(small, 1);
	free(small);
}
END_TEST

Suite *suite_heavy(void)
{
	Suite *s = suite_create("heavy");
	TCase *tc = tcase_create("heavy");

	tcase_add_checked_fixture(tc, make_all, free_all);
	tcase_add_test(tc, an_empty_one);
	tcase_add_test(tc, few_keys_are_exact);
	tcase_add_loop_test(tc, skewed_streams, 0, 5);
	tcase_add_test(tc, a_flood_of_keys_that_come_once);
	tcase_add_loop_test(tc, merged_streams, 0, 3);
	tcase_add_test(tc, one_bucket);
	suite_add_tcase(s, tc);
	return s;
}
