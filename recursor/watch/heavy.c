/* heavy: see heavy.h. */
#include "recursor/watch/heavy.h"

#include <string.h>

#include "common/check.h"

static unsigned buckets_for(unsigned entries)
{
	return entries < HEAVY_WAYS ? 1 : (entries + HEAVY_WAYS - 1) / HEAVY_WAYS;
}

size_t heavy_size(unsigned entries, unsigned key_max)
{
	size_t n = buckets_for(entries);
	size_t size = sizeof(struct heavy) + n * sizeof(struct heavy_bucket) +
		      n * HEAVY_WAYS * (key_max + 1U);

	return (size + 63) & ~(size_t)63;
}

void heavy_init(struct heavy *h, unsigned entries, unsigned key_max)
{
	ASSERT(key_max <= HEAVY_KEY_MAX);
	h->n_buckets = buckets_for(entries);
	h->key_max = key_max;
	h->is_used = false;
}

void heavy_clear(struct heavy *h)
{
	/* What was never used is not touched: its pages need not be there. */
	if (h->is_used)
		memset(h->buckets, 0, h->n_buckets * sizeof(*h->buckets));
	h->total = (struct cost) { 0 };
	h->is_used = false;
}

/* Multiply and shift: from the hash's upper half. */
static unsigned bucket_of(const struct heavy *h, uint64_t tag)
{
	return (unsigned)((tag >> 32) * h->n_buckets >> 32);
}

static uint8_t *key_place(const struct heavy *h, unsigned bucket, unsigned way)
{
	uint8_t *keys = (uint8_t *)&h->buckets[h->n_buckets];

	return keys + ((size_t)bucket * HEAVY_WAYS + way) * (h->key_max + 1U);
}

/* HEAVY_WAYS: it is not there. */
static unsigned find(const struct heavy_bucket *b, uint64_t tag)
{
	unsigned way = 0;

	while (way < HEAVY_WAYS && (b->tag[way] != tag || b->score[way] == 0))
		way++;
	return way;
}

static unsigned lowest(const struct heavy_bucket *b)
{
	unsigned way = 0;

	for (unsigned i = 1; i < HEAVY_WAYS; i++)
		if (b->score[i] < b->score[way])
			way = i;
	return way;
}

static void add(struct heavy *h, const uint8_t *key, size_t len, uint64_t tag,
		const struct cost *cost, uint64_t score)
{
	unsigned at = bucket_of(h, tag), way;
	struct heavy_bucket *b = &h->buckets[at];
	uint8_t *place;

	way = find(b, tag);
	if (way == HEAVY_WAYS) {
		way = lowest(b);
		b->tag[way] = tag;
		b->cost[way] = (struct cost) { 0 };
		place = key_place(h, at, way);
		ASSERT(len <= h->key_max);
		*place = (uint8_t)len;
		memcpy(place + 1, key, len);
	}
	b->score[way] += score;
	cost_add(&b->cost[way], cost);
}

void heavy_add(struct heavy *h, const void *key, size_t len, uint64_t tag, const struct cost *cost)
{
	uint64_t score = cost_score(cost);

	if (score == 0)
		return;
	h->is_used = true;
	cost_add(&h->total, cost);
	add(h, key, len, tag, cost, score);
}

/* What may have been missed of whom `from` does not have is added to those that only `into` has. */
static void add_missed(struct heavy_bucket *into, const struct heavy_bucket *from)
{
	uint64_t missed = from->score[lowest(from)];

	for (unsigned i = 0; i < HEAVY_WAYS && missed > 0; i++)
		if (into->score[i] > 0 && find(from, into->tag[i]) == HEAVY_WAYS)
			into->score[i] += missed;
}

void heavy_merge(struct heavy *into, const struct heavy *from)
{
	ASSERT(into->n_buckets == from->n_buckets && into->key_max == from->key_max);
	if (!from->is_used)
		return;
	into->is_used = true;
	cost_add(&into->total, &from->total);
	for (unsigned i = 0; i < from->n_buckets; i++) {
		const struct heavy_bucket *b = &from->buckets[i];

		add_missed(&into->buckets[i], b);
		for (unsigned way = 0; way < HEAVY_WAYS; way++) {
			size_t len;
			const uint8_t *key = heavy_key(from, i, way, &len);

			if (key != NULL)
				add(into, key, len, b->tag[way], &b->cost[way], b->score[way]);
		}
	}
}

const uint8_t *heavy_key(const struct heavy *h, unsigned bucket, unsigned way, size_t *len)
{
	const uint8_t *place = key_place(h, bucket, way);

	if (h->buckets[bucket].score[way] == 0)
		return NULL;
	*len = *place;
	return place + 1;
}

uint64_t heavy_missed(const struct heavy *h, uint64_t tag)
{
	const struct heavy_bucket *b = &h->buckets[bucket_of(h, tag)];
	unsigned way = find(b, tag);

	if (way == HEAVY_WAYS)
		return b->score[lowest(b)];
	return b->score[way] - cost_score(&b->cost[way]);
}

uint64_t heavy_missed_most(const struct heavy *h)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < h->n_buckets; i++) {
		uint64_t missed = h->buckets[i].score[lowest(&h->buckets[i])];

		most = missed > most ? missed : most;
	}
	return most;
}
