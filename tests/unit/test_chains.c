#include "common/chains.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/timers.h"

struct thing {
	struct chain_link link;
	uint64_t key;
	bool in;
};

static uint64_t hash_of(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15U >> 20;
}

static struct thing *find(const struct chains *c, uint64_t key)
{
	struct chain_link *l = chains_first(c, hash_of(key));

	while (l != NULL && CONTAINER(l, struct thing, link)->key != key)
		l = chains_next(l);
	return l != NULL ? CONTAINER(l, struct thing, link) : NULL;
}

START_TEST(finds_what_is_in_it)
{
	enum { N = 5000 };
	struct thing *things = calloc(N, sizeof(*things));
	struct chains c;
	uint64_t seed = 1;
	size_t n = 0;

	ck_assert_ptr_nonnull(things);
	ck_assert_int_eq(chains_init(&c), E_OK);
	for (int step = 0; step < 8 * N; step++) {
		struct thing *t;

		seed = seed * 6364136223846793005U + 1442695040888963407U;
		t = &things[(seed >> 33) % N];
		t->key = (uint64_t)(t - things);
		ck_assert_ptr_eq(find(&c, t->key), t->in ? t : NULL);
		if (t->in && step > 4 * N) {
			chains_remove(&c, &t->link);
			t->in = false;
			n--;
		} else if (!t->in) {
			chains_add(&c, &t->link, hash_of(t->key));
			t->in = true;
			n++;
		}
		ck_assert_uint_eq(c.n, n);
		ck_assert_uint_le(c.n_buckets, c.cap);
	}
	ck_assert_uint_ge(c.n_buckets, 2 * CHAINS_START);
	for (int i = 0; i < N; i++)
		ck_assert_ptr_eq(find(&c, (uint64_t)i), things[i].in ? &things[i] : NULL);
	chains_deinit(&c);
	free(things);
}
END_TEST

/* One insert splits one bucket: it never walks many links. */
START_TEST(grows_bucket_by_bucket)
{
	enum { N = 5000 };
	struct thing *things = calloc(N, sizeof(*things));
	struct chains c;

	ck_assert_ptr_nonnull(things);
	ck_assert_int_eq(chains_init(&c), E_OK);
	for (int i = 0; i < N; i++) {
		size_t before = c.n_buckets;

		chains_add(&c, &things[i].link, hash_of((uint64_t)i));
		ck_assert_uint_le(c.n_buckets, before + 1);
	}
	ck_assert_uint_ge(c.n_buckets, N);
	chains_deinit(&c);
	free(things);
}
END_TEST

Suite *suite_chains(void);

Suite *suite_chains(void)
{
	Suite *s = suite_create("chains");
	TCase *tc = tcase_create("chains");

	tcase_add_test(tc, finds_what_is_in_it);
	tcase_add_test(tc, grows_bucket_by_bucket);
	suite_add_tcase(s, tc);
	return s;
}
