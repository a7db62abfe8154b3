/*
 * chains: a hash table of what its owner embeds a link in; it grows a bucket at a time, so that no
 * insert ever pays for a whole table.
 *
 *     struct goal { struct chain_link by_name; ... };
 *     chains_add(&c, &g->by_name, hash);
 *     for (l = chains_first(&c, hash); l != NULL; l = chains_next(l)) ... CONTAINER(l, ...) ...
 *     chains_remove(&c, &g->by_name);
 *
 * Linear hashing (Litwin, 1980): with each insert beyond as many as there are buckets, one bucket is
 * split in two.  The owner compares the keys; links of another hash are not shown to him.
 *
 * Memory:  a word a bucket, for the most there ever were, and up to as much again in reserve; the
 *          links are the owner's.  A failed allocation is no harm: the chains get longer.
 * Threads: none; the owner locks.
 */
#ifndef COMMON_CHAINS_H
#define COMMON_CHAINS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { CHAINS_START = 256 };

struct chain_link {
	struct chain_link *next;
	uint64_t hash;
};

struct chains {
	struct chain_link **buckets;
	size_t n; /* links */
	size_t n_buckets, cap;
	size_t mask; /* the largest power of two in n_buckets, less one */
};

int chains_init(struct chains *c) MUST_USE;
void chains_deinit(struct chains *c); /* the owner has dealt with the links */

void chains_add(struct chains *c, struct chain_link *l, uint64_t hash);
void chains_remove(struct chains *c, struct chain_link *l);

static inline struct chain_link **chains_bucket(const struct chains *c, uint64_t hash)
{
	size_t b = (size_t)hash & (c->mask * 2 + 1);

	return &c->buckets[b < c->n_buckets ? b : b & c->mask];
}

static inline struct chain_link *chains_same(struct chain_link *l, uint64_t hash)
{
	while (l != NULL && l->hash != hash)
		l = l->next;
	return l;
}

/* The links with that hash, in no order. */
static inline struct chain_link *chains_first(const struct chains *c, uint64_t hash)
{
	return chains_same(*chains_bucket(c, hash), hash);
}

static inline struct chain_link *chains_next(const struct chain_link *l)
{
	return chains_same(l->next, l->hash);
}

static inline size_t chains_bytes(const struct chains *c)
{
	return c->cap * sizeof(c->buckets[0]);
}

#endif
