/* defender_known: see defender_known.h. */
#include "recursor/policy/defender_known.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum {
	LINE_WORDS = 8, /* of 64 bits: a cache line */
	LINE_BITS = 512,
	BITS_A_NAME = 6,
	ROOM_A_NAME = 10,        /* bits of a filter */
	CLEARED_A_TICK = 1 << 16 /* words */
};

struct filter {
	void *block;
	_Atomic uint64_t *words; /* in it, from where a cache line begins */
	_Atomic uint64_t names;
};

struct defender_known {
	struct filter filters[2];
	_Atomic unsigned young;
	uint64_t n_lines; /* of one */
	uint64_t keep_ms;
	uint64_t began_ms; /* filling the younger */
	size_t cleared;    /* words of the older; SIZE_MAX: it is not being cleared */
	_Atomic uint64_t turns;
};

int defender_known_new(struct defender_known **out, size_t bytes, uint32_t keep_s)
{
	struct defender_known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return E_NOMEM;
	k->n_lines = bytes / 2 / (LINE_BITS / 8);
	k->keep_ms = (uint64_t)keep_s * 1000;
	k->cleared = SIZE_MAX;
	for (int i = 0; i < 2 && k->n_lines > 0; i++) {
		struct filter *f = &k->filters[i];

		/* calloc() leaves large blocks to the system until they are used. */
		f->block = calloc(k->n_lines + 1, LINE_BITS / 8);
		if (f->block == NULL) {
			defender_known_free(k);
			return E_NOMEM;
		}
		f->words = (void *)(((uintptr_t)f->block + LINE_BITS / 8 - 1) &
				    ~(uintptr_t)(LINE_BITS / 8 - 1));
	}
	*out = k;
	return E_OK;
}

void defender_known_free(struct defender_known *k)
{
	if (k == NULL)
		return;
	for (int i = 0; i < 2; i++)
		free(k->filters[i].block);
	free(k);
}

/* The line by the upper half of the hash; the bits by nine bits of it each. */
static _Atomic uint64_t *line_of(const struct defender_known *k, const struct filter *f,
				 uint64_t hash)
{
	uint64_t line = (uint64_t)((unsigned __int128)hash * k->n_lines >> 64);

	return f->words + line * LINE_WORDS;
}

static unsigned bit_of(uint64_t hash, unsigned i)
{
	return (unsigned)(hash >> (9 * i)) % LINE_BITS;
}

bool defender_known_add(struct defender_known *k, uint64_t hash)
{
	struct filter *f = &k->filters[atomic_load_explicit(&k->young, memory_order_relaxed)];
	_Atomic uint64_t *line;
	bool is_new = false;

	if (k->n_lines == 0)
		return false;
	line = line_of(k, f, hash);
	for (unsigned i = 0; i < BITS_A_NAME; i++) {
		unsigned bit = bit_of(hash, i);
		uint64_t mask = 1ULL << bit % 64;

		if (atomic_load_explicit(&line[bit / 64], memory_order_relaxed) & mask)
			continue;
		atomic_fetch_or_explicit(&line[bit / 64], mask, memory_order_relaxed);
		is_new = true;
	}
	return is_new;
}

static bool has(const struct defender_known *k, const struct filter *f, uint64_t hash)
{
	_Atomic uint64_t *line = line_of(k, f, hash);

	for (unsigned i = 0; i < BITS_A_NAME; i++) {
		unsigned bit = bit_of(hash, i);

		if (!(atomic_load_explicit(&line[bit / 64], memory_order_relaxed) >> bit % 64 & 1))
			return false;
	}
	return true;
}

bool defender_known_has(const struct defender_known *k, uint64_t hash)
{
	return k->n_lines > 0 && (has(k, &k->filters[0], hash) || has(k, &k->filters[1], hash));
}

void defender_known_fetch(const struct defender_known *k, uint64_t hash)
{
	for (int i = 0; i < 2 && k->n_lines > 0; i++)
		__builtin_prefetch(line_of(k, &k->filters[i], hash));
}

size_t defender_known_capacity(const struct defender_known *k)
{
	return k->n_lines * LINE_BITS / ROOM_A_NAME;
}

/* Another worker's clock, which began it, may be some milliseconds ahead. */
static bool is_due(const struct defender_known *k, uint64_t now_ms)
{
	return now_ms > k->began_ms && now_ms - k->began_ms >= k->keep_ms / 2;
}

/* True: the older is empty now. */
static bool clear_some(struct defender_known *k, struct filter *old)
{
	size_t words = k->n_lines * LINE_WORDS, n = words - k->cleared;

	if (n > CLEARED_A_TICK)
		n = CLEARED_A_TICK;
	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(&old->words[k->cleared + i], 0, memory_order_relaxed);
	k->cleared += n;
	return k->cleared == words;
}

void defender_known_tick(struct defender_known *k, uint64_t added, uint64_t now_ms)
{
	unsigned young = atomic_load_explicit(&k->young, memory_order_relaxed);
	struct filter *f = &k->filters[young], *old = &k->filters[!young];

	if (k->n_lines == 0)
		return;
	if (k->began_ms == 0)
		k->began_ms = now_ms;
	added += atomic_load_explicit(&f->names, memory_order_relaxed);
	atomic_store_explicit(&f->names, added, memory_order_relaxed);
	if (k->cleared == SIZE_MAX && (added >= defender_known_capacity(k) || is_due(k, now_ms)))
		k->cleared = 0;
	if (k->cleared == SIZE_MAX || !clear_some(k, old))
		return;
	k->cleared = SIZE_MAX;
	k->began_ms = now_ms;
	atomic_store_explicit(&old->names, 0, memory_order_relaxed);
	atomic_store_explicit(&k->young, !young, memory_order_relaxed);
	atomic_fetch_add_explicit(&k->turns, 1, memory_order_relaxed);
}

void defender_known_stats(const struct defender_known *k, struct defender_known_stats *out)
{
	unsigned young = atomic_load_explicit(&k->young, memory_order_relaxed);

	*out = (struct defender_known_stats) {
		.younger = atomic_load_explicit(&k->filters[young].names, memory_order_relaxed),
		.older = atomic_load_explicit(&k->filters[!young].names, memory_order_relaxed),
		.turns = atomic_load_explicit(&k->turns, memory_order_relaxed),
		.bytes = 2 * k->n_lines * (LINE_BITS / 8),
	};
}
