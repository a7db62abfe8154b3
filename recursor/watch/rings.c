/* rings: see rings.h. */
#include "recursor/watch/rings.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"

/*
 * A record's first word, from the lowest bit:
 *
 *     32  IPv4 address, as it stands in memory
 *     16  type
 *      8  length of the name in bytes, 0: none
 *      6  length of the record before in words, 0: there is none
 *      1  the address is IPv6 and stands in the next two words
 *      1  TCP
 */
enum {
	TYPE_SHIFT = 32,
	NAME_SHIFT = 48,
	BEFORE_SHIFT = 56,
	WORDS_MASK = 63, /* of a record's length in words */
	HEAD_SHIFT = 6,  /* the head's position stands above the length of its last record */
	NAME_WORDS_MAX = (NAME_MAX_LEN + 7) / 8,
	RING_RECORD_MAX = 1 + 2 + NAME_WORDS_MAX,
};
#define IS_IPV6 (1ULL << 62)
#define IS_TCP (1ULL << 63)
static_assert(RING_RECORD_MAX <= WORDS_MASK, "a record's length has its place");

struct ring {
	/* Words written since the beginning, and how many of them the last record has. */
	_Atomic uint64_t head;
	size_t at;    /* the writer's: where in the array that is */
	size_t words; /* of the array */
	size_t entries;
	_Atomic uint64_t *array;
};

struct rings {
	alignas(64) struct ring of[RING_COUNT];
};

static const struct {
	const char *name;
	unsigned words;
} table[] = {
#define RING_ROW(ring, name, words, help) [ring] = { name, words },
	RINGS(RING_ROW)
#undef RING_ROW
};

const char *ring_name(enum ring_kind kind)
{
	return table[kind].name;
}

/* ---- writing ---- */

int rings_new(struct rings **out, size_t entries)
{
	struct rings *r = aligned_alloc(alignof(struct rings), sizeof(*r));

	ASSERT(entries > 0);
	if (r == NULL)
		return E_NOMEM;
	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < RING_COUNT; i++) {
		struct ring *ring = &r->of[i];

		/* The place of the longest record is given up before that is written. */
		ring->words = entries * table[i].words + RING_RECORD_MAX;
		ring->entries = entries;
		ring->array = calloc(ring->words, sizeof(*ring->array));
		if (ring->array == NULL) {
			rings_free(r);
			return E_NOMEM;
		}
	}
	*out = r;
	return E_OK;
}

void rings_free(struct rings *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < RING_COUNT; i++)
		free(r->of[i].array);
	free(r);
}

static inline void put(struct ring *ring, uint64_t word)
{
	atomic_store_explicit(&ring->array[ring->at], word, memory_order_release);
	if (++ring->at == ring->words)
		ring->at = 0;
}

static void put_bytes(struct ring *ring, const uint8_t *bytes, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		put(ring, word);
	}
	if (len == 0)
		return;
	word = 0;
	memcpy(&word, bytes, len);
	put(ring, word);
}

void rings_note(struct rings *r, enum ring_kind kind, const struct ring_note *note)
{
	struct ring *ring = &r->of[kind];
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed), first;
	size_t name_len = note->name == NULL ? 0 : note->name_len;
	unsigned words = 1 + (unsigned)(name_len + 7) / 8;
	uint32_t ipv4;

	memcpy(&ipv4, note->remote->ip, sizeof(ipv4));
	first = (uint64_t)note->type << TYPE_SHIFT | (uint64_t)name_len << NAME_SHIFT |
		(head & WORDS_MASK) << BEFORE_SHIFT | (note->tcp ? IS_TCP : 0);
	if (note->remote->family == 6) {
		words += 2;
		put(ring, first | IS_IPV6);
		put_bytes(ring, note->remote->ip, sizeof(note->remote->ip));
	} else {
		put(ring, first | ipv4);
	}
	put_bytes(ring, note->name, name_len);
	atomic_store_explicit(&ring->head, ((head >> HEAD_SHIFT) + words) << HEAD_SHIFT | words,
			      memory_order_release);
}

/* ---- reading ---- */

static uint64_t head_of(const struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire);
}

/* A record's words; false: they may have been written over meanwhile. */
static bool copy_record(const struct ring *ring, uint64_t position, unsigned n,
			uint64_t out[RING_RECORD_MAX])
{
	size_t at = position % ring->words;

	for (unsigned i = 0; i < n; i++) {
		out[i] = atomic_load_explicit(&ring->array[at], memory_order_acquire);
		if (++at == ring->words)
			at = 0;
	}
	/* The record that is being written now begins at the head and has RING_RECORD_MAX words at
	 * most. */
	return (head_of(ring) >> HEAD_SHIFT) + RING_RECORD_MAX <= position + ring->words;
}

static void read_record(struct ring_entry *e, const uint64_t words[RING_RECORD_MAX])
{
	uint64_t first = words[0];
	size_t name_len = first >> NAME_SHIFT & 255;
	const uint64_t *rest = words + 1;
	uint32_t ipv4 = (uint32_t)first;

	*e = (struct ring_entry) {
		.remote.family = first & IS_IPV6 ? 6 : 4,
		.type = (uint16_t)(first >> TYPE_SHIFT),
		.tcp = (first & IS_TCP) != 0,
		.has_name = name_len > 0,
	};
	if (first & IS_IPV6) {
		memcpy(e->remote.ip, rest, sizeof(e->remote.ip));
		rest += 2;
	} else {
		memcpy(e->remote.ip, &ipv4, sizeof(ipv4));
	}
	for (size_t i = 0; i < name_len; i++)
		e->name[i] = ascii_lower(((const uint8_t *)rest)[i]);
}

struct reading {
	bool (*cb)(void *ctx, const struct ring_entry *e);
	void *ctx;
	size_t n;
	bool ended;
};

static void read_ring(struct reading *rd, const struct ring *ring)
{
	uint64_t head = head_of(ring), position = head >> HEAD_SHIFT;
	unsigned words = head & WORDS_MASK;
	uint64_t record[RING_RECORD_MAX] = { 0 };

	for (size_t i = 0; i < ring->entries && words > 0 && !rd->ended; i++) {
		struct ring_entry e;

		position -= words;
		if (!copy_record(ring, position, words, record))
			return;
		words = record[0] >> BEFORE_SHIFT & WORDS_MASK;
		read_record(&e, record);
		rd->n++;
		rd->ended = !rd->cb(rd->ctx, &e);
	}
}

/* ---- all workers' ---- */

struct ringset {
	pthread_mutex_t lock; /* control threads' */
	unsigned n;
	struct rings *of[];
};

int ringset_new(struct ringset **out, unsigned n_workers)
{
	struct ringset *s = calloc(1, sizeof(*s) + n_workers * sizeof(struct rings *));

	if (s == NULL)
		return E_NOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->n = n_workers;
	*out = s;
	return E_OK;
}

void ringset_free(struct ringset *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++)
		rings_free(s->of[i]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct rings *ringset_swap(struct ringset *s, unsigned worker, struct rings *r)
{
	struct rings *old;

	ASSERT(worker < s->n);
	pthread_mutex_lock(&s->lock);
	old = s->of[worker];
	s->of[worker] = r;
	pthread_mutex_unlock(&s->lock);
	return old;
}

size_t ringset_read(struct ringset *s, enum ring_kind kind,
		    bool (*cb)(void *ctx, const struct ring_entry *e), void *ctx)
{
	struct reading rd = { .cb = cb, .ctx = ctx };

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->n && !rd.ended; i++)
		if (s->of[i] != NULL)
			read_ring(&rd, &s->of[i]->of[kind]);
	pthread_mutex_unlock(&s->lock);
	return rd.n;
}
