/* defender_tally: see defender_tally.h. */
#include "recursor/policy/defender_tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum {
	WAYS = 8,
	ROWS_LEAST = 64,
	HOT_MOST = 256,
	HOT_EVERY = 64, /* answers of a zone */
	ROWS_MOST = 1 << DEFENDER_NOTE_ROW_BITS,
	GENERATIONS = 1 << (32 - DEFENDER_NOTE_ROW_BITS),
};

static_assert(sizeof(struct defender_row) == 64, "a hit touches one cache line");

struct defender_tally {
	size_t n_rows; /* a power of two */
	struct defender_row *rows;
	struct defender_zone *zones;
	uint64_t *hashes; /* of the rows once more: a set's stand in a cache line */
	uint32_t *weights;
	uint64_t evicted;
	uint32_t hot[HOT_MOST]; /* rows; one may be there several times */
	unsigned n_hot;
};

int defender_tally_new(struct defender_tally **out, size_t bytes)
{
	struct defender_tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return E_NOMEM;
	t->n_rows = ROWS_LEAST;
	while (t->n_rows * 2 <= bytes / DEFENDER_TALLY_ROW && t->n_rows < ROWS_MOST)
		t->n_rows *= 2;
	t->rows = aligned_alloc(64, t->n_rows * sizeof(*t->rows));
	t->zones = calloc(t->n_rows, sizeof(*t->zones));
	t->hashes = aligned_alloc(64, t->n_rows * sizeof(*t->hashes));
	t->weights = calloc(t->n_rows, sizeof(*t->weights));
	if (t->rows == NULL || t->zones == NULL || t->hashes == NULL || t->weights == NULL) {
		defender_tally_free(t);
		return E_NOMEM;
	}
	memset(t->rows, 0, t->n_rows * sizeof(*t->rows));
	memset(t->hashes, 0, t->n_rows * sizeof(*t->hashes));
	*out = t;
	return E_OK;
}

void defender_tally_free(struct defender_tally *t)
{
	if (t == NULL)
		return;
	free(t->rows);
	free(t->zones);
	free(t->hashes);
	free(t->weights);
	free(t);
}

size_t defender_tally_bytes(const struct defender_tally *t)
{
	return t->n_rows * DEFENDER_TALLY_ROW;
}

struct defender_row *defender_tally_rows(struct defender_tally *t)
{
	return t->rows;
}

uint64_t defender_tally_evicted(const struct defender_tally *t)
{
	return t->evicted;
}

static size_t lightest(const struct defender_tally *t, size_t set)
{
	size_t best = set;

	for (size_t at = set + 1; at < set + WAYS; at++)
		if (t->weights[at] < t->weights[best])
			best = at;
	return best;
}

/* The row at `at` becomes the zone's. */
static void row_give(struct defender_tally *t, size_t at, uint64_t hash,
		     const struct defender_answer *a)
{
	struct defender_row *row = &t->rows[at];
	struct defender_zone *zone = &t->zones[at];
	uint32_t generation = (row->generation + 1) % GENERATIONS;

	t->evicted += row->hash != 0;
	*row = (struct defender_row) {
		.hash = hash,
		.generation = generation == 0 ? 1 : generation,
	};
	t->hashes[at] = hash;
	memset(&zone->children, 0, sizeof(zone->children));
	name_lower(zone->name, a->zone);
	zone->labels = (uint8_t)a->zone_labels;
	zone->domain_labels = (uint8_t)a->domain_labels;
}

/* Who remembers where the zone's row was spares us the hash, if it is there still. */
static bool is_there(const struct defender_tally *t, uint32_t note)
{
	return note != 0 &&
	       t->rows[note & (ROWS_MOST - 1)].generation == note >> DEFENDER_NOTE_ROW_BITS;
}

static size_t row_find(struct defender_tally *t, const struct defender_answer *a)
{
	uint64_t hash = name_hash(a->zone) | 1; /* 0: free */
	size_t set = (hash >> 1 & (t->n_rows / WAYS - 1)) * WAYS, at = set;

	/* What a zone says of domains below it, and of itself as a domain, is not one thing. */
	if (a->domain_labels > a->zone_labels)
		hash ^= 1ULL << 63;
	while (at < set + WAYS && t->hashes[at] != hash)
		at++;
	if (at < set + WAYS)
		return at;
	at = lightest(t, set);
	row_give(t, at, hash, a);
	return at;
}

uint32_t defender_tally_answer(struct defender_tally *t, const struct defender_answer *a)
{
	size_t at = is_there(t, a->hint) ? a->hint & (ROWS_MOST - 1) : row_find(t, a);
	struct defender_counts *c = &t->rows[at].counts;

	c->ends[a->end]++;
	c->cached += a->cached;
	if (a->probe && a->end < DEFENDER_END_TURNED)
		c->probes[a->end]++;
	if (++t->weights[at] % HOT_EVERY == 0 && t->n_hot < HOT_MOST)
		t->hot[t->n_hot++] = (uint32_t)at;
	sketch_add(&t->zones[at].children, a->child);
	return (uint32_t)at | t->rows[at].generation << DEFENDER_NOTE_ROW_BITS;
}

bool defender_tally_may_learn(struct defender_tally *t, uint32_t note, uint32_t most)
{
	struct defender_row *row = &t->rows[note & (ROWS_MOST - 1)];

	if (row->known_added >= most)
		return false;
	row->known_added++;
	return true;
}

void defender_tally_forget_learnt(struct defender_tally *t)
{
	for (size_t at = 0; at < t->n_rows; at++)
		t->rows[at].known_added = 0;
}

static void take_row(struct defender_tally *t, size_t at,
		     void (*cb)(void *ctx, const struct defender_row *row,
				const struct defender_zone *zone),
		     void *ctx)
{
	cb(ctx, &t->rows[at], &t->zones[at]);
	memset(&t->rows[at].counts, 0, sizeof(t->rows[at].counts));
	memset(&t->zones[at].children, 0, sizeof(t->zones[at].children));
}

void defender_tally_take_hot(struct defender_tally *t,
			     void (*cb)(void *ctx, const struct defender_row *row,
					const struct defender_zone *zone),
			     void *ctx)
{
	for (unsigned i = 0; i < t->n_hot; i++)
		if (defender_counts_total(&t->rows[t->hot[i]].counts) > 0)
			take_row(t, t->hot[i], cb, ctx);
	t->n_hot = 0;
}

void defender_tally_take(struct defender_tally *t, unsigned i, unsigned n,
			 void (*cb)(void *ctx, const struct defender_row *row,
				    const struct defender_zone *zone),
			 void *ctx)
{
	size_t end = t->n_rows * (i + 1) / n;

	for (size_t at = t->n_rows * i / n; at < end; at++) {
		struct defender_row *row = &t->rows[at];
		uint64_t total;

		if (t->hashes[at] == 0)
			continue;
		total = defender_counts_total(&row->counts);
		/* Hits count as well, now that they are known. */
		t->weights[at] = (uint32_t)((t->weights[at] + total) / 2);
		if (total > 0)
			take_row(t, at, cb, ctx);
	}
}
