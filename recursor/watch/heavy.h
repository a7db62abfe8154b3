/*
 * heavy: of very many keys the few that cost most, in fixed memory.
 *
 * Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements
 * in data streams", 2005), weighted, and cut into buckets: a key's hash says in which bucket of
 * HEAVY_WAYS places it may stand, and each bucket is a summary of its own of what falls to it.  A
 * key that finds its bucket full takes the place of the one with the lowest score and inherits that
 * score: so much of the newcomer may have been missed before, no more.
 *
 * A key's costs are of three kinds; its score is their weighted sum, so that who is heavy in any
 * of them stays.  The weights make equal what a worker can have of each in a second: 10 us of CPU,
 * an outquery, 20 ms of waiting.
 *
 * What holds:  a key's costs are never more than they truly were; what is missing of them has a
 *              score of heavy_missed() at most.  A key that is not there has cost no more than its
 *              bucket's lowest score, 0 when that has an empty place.  `total` is exact.
 * Merging:     keeps that (Agarwal and others: "Mergeable summaries", 2012); both must have been made
 *              alike.
 * Memory:      one block of heavy_size() bytes, to be copied as a whole.
 * Threads:     one at a time.
 */
#ifndef WATCH_HEAVY_H
#define WATCH_HEAVY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAVY_WAYS = 8, HEAVY_KEY_MAX = 255 };

struct cost {
	uint64_t cpu_us;
	uint64_t outqueries;
	uint64_t wait_us;
};

enum { COST_CPU_WEIGHT = 2000, COST_OUTQUERY_WEIGHT = 20000, COST_WAIT_WEIGHT = 1 };

static inline uint64_t cost_score(const struct cost *c)
{
	return c->cpu_us * COST_CPU_WEIGHT + c->outqueries * COST_OUTQUERY_WEIGHT +
	       c->wait_us * COST_WAIT_WEIGHT;
}

static inline void cost_add(struct cost *to, const struct cost *c)
{
	to->cpu_us += c->cpu_us;
	to->outqueries += c->outqueries;
	to->wait_us += c->wait_us;
}

struct heavy_bucket {
	uint64_t tag[HEAVY_WAYS];   /* the key's hash */
	uint64_t score[HEAVY_WAYS]; /* 0: nobody stands here */
	struct cost cost[HEAVY_WAYS];
};

struct heavy {
	unsigned n_buckets;
	unsigned key_max;
	bool is_used; /* something was added since it was cleared */
	struct cost total;
	struct heavy_bucket buckets[];
	/* and then the keys, a byte with their length before each */
};

/* At least `entries` keys of `key_max` bytes at most. */
size_t heavy_size(unsigned entries, unsigned key_max);
void heavy_init(struct heavy *h, unsigned entries, unsigned key_max); /* of zeroed memory */
void heavy_clear(struct heavy *h);

/* `tag`: the key's hash, a good one; two keys with equal ones are taken for one. */
void heavy_add(struct heavy *h, const void *key, size_t len, uint64_t tag, const struct cost *cost);

void heavy_merge(struct heavy *into, const struct heavy *from);

/* ---- looking at it ---- */

/* A place; `way` < HEAVY_WAYS, `bucket` < n_buckets.  NULL: it is empty. */
const uint8_t *heavy_key(const struct heavy *h, unsigned bucket, unsigned way, size_t *len);

/* A score: how much may have been missed of the key with that hash at most, be it there or not. */
uint64_t heavy_missed(const struct heavy *h, uint64_t tag);
/* The same for any key that is not there. */
uint64_t heavy_missed_most(const struct heavy *h);

#endif
