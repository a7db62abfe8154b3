#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/sieve.h"

/* Values are small numbers in disguise: what a slot holds needs no memory here. */
static void *value_of(uintptr_t n)
{
	return (void *)n; /* NOLINT(performance-no-int-to-ptr) */
}

static uint32_t scramble(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

static uint32_t find(const struct sieve *s, uint32_t hash, uintptr_t n)
{
	uint32_t at = sieve_first(s, hash);

	while (at != SIEVE_NONE && s->slots[at].value != value_of(n))
		at = sieve_next(s, at);
	return at;
}

/* Every invariant of the structure, by walking all of it. */
static void verify(const struct sieve *s)
{
	uint32_t chained = 0, queued = 0, older = SIEVE_NONE;

	for (uint32_t b = 0; b < s->n_buckets; b++) {
		for (uint32_t at = s->buckets[b]; at != SIEVE_NONE; at = s->slots[at].next) {
			ck_assert_uint_lt(at, s->n);
			ck_assert_uint_eq(sieve_bucket(s, s->slots[at].hash), b);
			ck_assert_uint_le(++chained, s->n);
		}
	}
	ck_assert_uint_eq(chained, s->n);
	for (uint32_t at = s->oldest; at != SIEVE_NONE; at = s->slots[at].newer) {
		ck_assert_uint_lt(at, s->n);
		ck_assert_uint_eq(s->slots[at].older, older);
		ck_assert_uint_le(++queued, s->n);
		older = at;
	}
	ck_assert_uint_eq(queued, s->n);
	ck_assert_uint_eq(s->newest, older);
	ck_assert_uint_ge(s->n_buckets, s->n);
	ck_assert_uint_le(s->n_buckets, s->cap);
	ck_assert(s->hand == SIEVE_NONE || s->hand < s->n);
}

static void insert(struct sieve *s, uintptr_t n, uint32_t hash)
{
	uint32_t at;

	ck_assert_int_eq(sieve_insert(s, hash, value_of(n), &at), E_OK);
	ck_assert_ptr_eq(s->slots[at].value, value_of(n));
}

START_TEST(finds_what_was_put_in)
{
	struct sieve s;

	sieve_init(&s);
	ck_assert_uint_eq(sieve_first(&s, 7), SIEVE_NONE);
	for (uint32_t i = 1; i <= 3000; i++)
		insert(&s, i, scramble(i));
	verify(&s);
	for (uint32_t i = 1; i <= 3000; i++)
		ck_assert_uint_ne(find(&s, scramble(i), i), SIEVE_NONE);
	ck_assert_uint_eq(find(&s, scramble(3001), 3001), SIEVE_NONE);
	sieve_deinit(&s);
}
END_TEST

START_TEST(keeps_values_of_one_hash_apart)
{
	struct sieve s;

	sieve_init(&s);
	for (uint32_t i = 1; i <= 100; i++)
		insert(&s, i, i % 2 == 0 ? 42 : 43);
	ck_assert_uint_ne(find(&s, 42, 100), SIEVE_NONE);
	ck_assert_uint_eq(find(&s, 43, 100), SIEVE_NONE);
	ck_assert_ptr_eq(sieve_remove(&s, find(&s, 42, 50)), value_of(50));
	ck_assert_uint_eq(find(&s, 42, 50), SIEVE_NONE);
	ck_assert_uint_ne(find(&s, 42, 52), SIEVE_NONE);
	verify(&s);
	sieve_deinit(&s);
}
END_TEST

/* A random mix of everything against a plain table of what should be there. */
START_TEST(agrees_with_a_model)
{
	enum { KEYS = 600, STEPS = 60000 };
	static bool there[KEYS];
	struct sieve s;
	uint32_t count = 0, state = 1;

	sieve_init(&s);
	for (int step = 0; step < STEPS; step++) {
		uint32_t r = scramble(++state), key = 1 + r % (KEYS - 1);
		uint32_t hash = scramble(key) % 500; /* some are equal */
		/* Long spells of growing, long spells of shrinking. */
		bool grow = (step / 3000) % 2 == 0 ? (r >> 20) % 4 != 0 : (r >> 20) % 4 == 0;
		uint32_t at = find(&s, hash, key);

		ck_assert(there[key] == (at != SIEVE_NONE));
		if (at == SIEVE_NONE && grow) {
			insert(&s, key, hash);
			there[key] = true;
			count++;
		} else if (at != SIEVE_NONE && grow) {
			s.slots[at].visited = 1;
		} else if (s.n > 0) {
			uintptr_t gone;

			if (at == SIEVE_NONE)
				at = sieve_victim(&s);
			gone = (uintptr_t)sieve_remove(&s, at);
			ck_assert(there[gone]);
			there[gone] = false;
			count--;
		}
		ck_assert_uint_eq(s.n, count);
		if (step % 97 == 0)
			verify(&s);
	}
	sieve_deinit(&s);
}
END_TEST

START_TEST(memory_follows_the_content)
{
	struct sieve s;
	size_t full;

	sieve_init(&s);
	ck_assert_uint_eq(sieve_bytes(&s), 0);
	for (uint32_t i = 1; i <= 10000; i++) {
		size_t before = sieve_bytes(&s), growth = sieve_growth(&s);

		insert(&s, i, scramble(i));
		ck_assert_uint_eq(sieve_bytes(&s), before + growth);
	}
	full = sieve_bytes(&s);
	ck_assert_uint_ge(full, 10000 * 24);
	ck_assert_uint_le(full, 10000 * 28);
	while (s.n > 1000)
		sieve_remove(&s, s.n / 2);
	verify(&s);
	ck_assert_uint_lt(sieve_bytes(&s), full / 4);
	while (s.n > 0)
		sieve_remove(&s, 0);
	ck_assert_uint_eq(sieve_bytes(&s), 0);
	insert(&s, 1, 1);
	verify(&s);
	sieve_deinit(&s);
}
END_TEST

START_TEST(the_victim_is_the_oldest_not_visited)
{
	struct sieve s;

	sieve_init(&s);
	ck_assert_uint_eq(sieve_victim(&s), SIEVE_NONE);
	for (uint32_t i = 1; i <= 5; i++)
		insert(&s, i, scramble(i));
	s.slots[find(&s, scramble(1), 1)].visited = 1;
	s.slots[find(&s, scramble(2), 2)].visited = 1;
	ck_assert_ptr_eq(sieve_remove(&s, sieve_victim(&s)), value_of(3));
	/* The hand goes on from there, and comes round to those whose bit it cleared. */
	insert(&s, 6, scramble(6));
	ck_assert_ptr_eq(sieve_remove(&s, sieve_victim(&s)), value_of(4));
	ck_assert_ptr_eq(sieve_remove(&s, sieve_victim(&s)), value_of(5));
	ck_assert_ptr_eq(sieve_remove(&s, sieve_victim(&s)), value_of(6));
	ck_assert_ptr_eq(sieve_remove(&s, sieve_victim(&s)), value_of(1));
	ck_assert_ptr_eq(sieve_remove(&s, sieve_victim(&s)), value_of(2));
	ck_assert_uint_eq(s.n, 0);
	sieve_deinit(&s);
}
END_TEST

START_TEST(a_victim_is_found_where_all_were_visited)
{
	struct sieve s;

	sieve_init(&s);
	for (uint32_t i = 1; i <= 1000; i++) {
		insert(&s, i, scramble(i));
		s.slots[s.newest].visited = 1;
	}
	ck_assert_uint_lt(sieve_victim(&s), s.n);
	/* In bounded steps: not all bits are cleared. */
	ck_assert_uint_eq(s.slots[s.newest].visited, 1);
	sieve_deinit(&s);
}
END_TEST

/* What was asked twice outlives any number of names asked once; but for one in SIEVE_MAX_STEPS,
 * which the bound on the hand costs. */
START_TEST(a_scan_leaves_the_hot_ones)
{
	enum { HOT = 200, MAX = 1000, FLOOD = 50000 };
	struct sieve s;
	unsigned left = 0;

	sieve_init(&s);
	for (uint32_t i = 1; i <= HOT; i++) {
		insert(&s, i, scramble(i));
		s.slots[s.newest].visited = 1;
	}
	for (uint32_t i = HOT + 1; i <= FLOOD; i++) {
		if (s.n == MAX)
			sieve_remove(&s, sieve_victim(&s));
		insert(&s, i, scramble(i));
	}
	for (uint32_t i = 1; i <= HOT; i++)
		left += find(&s, scramble(i), i) != SIEVE_NONE;
	ck_assert_uint_ge(left, HOT - HOT / SIEVE_MAX_STEPS);
	sieve_deinit(&s);
}
END_TEST

START_TEST(walking_down_misses_nothing)
{
	static unsigned seen[2000];
	struct sieve s;

	sieve_init(&s);
	for (uint32_t i = 1; i < 2000; i++)
		insert(&s, i, scramble(i));
	for (uint32_t at = s.n; at > 0;) {
		seen[(uintptr_t)s.slots[--at].value]++;
		/* Meanwhile others remove. */
		if (at % 3 == 0)
			seen[(uintptr_t)sieve_remove(&s, scramble(at) % s.n)]++;
		at = at < s.n ? at : s.n;
	}
	for (uint32_t i = 1; i < 2000; i++)
		ck_assert_uint_ge(seen[i], 1);
	sieve_deinit(&s);
}
END_TEST

Suite *suite_sieve(void);

Suite *suite_sieve(void)
{
	Suite *s = suite_create("sieve");
	TCase *t = tcase_create("sieve");

	tcase_add_test(t, finds_what_was_put_in);
	tcase_add_test(t, keeps_values_of_one_hash_apart);
	tcase_add_test(t, agrees_with_a_model);
	tcase_add_test(t, memory_follows_the_content);
	tcase_add_test(t, the_victim_is_the_oldest_not_visited);
	tcase_add_test(t, a_victim_is_found_where_all_were_visited);
	tcase_add_test(t, a_scan_leaves_the_hot_ones);
	tcase_add_test(t, walking_down_misses_nothing);
	suite_add_tcase(s, t);
	return s;
}
