#include "common/sieve.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/check.h"
#include "common/heap.h"

_Static_assert(sizeof(struct sieve_slot) == 20, "packed");

enum {
	SPARE_MIN = 8,     /* slots of reserve when the arrays grow, beside the eighth */
	SHRINK_ABOVE = 64, /* smaller arrays are kept until they are empty */
	MERGES_A_REMOVAL = 2,
	MAP_ABOVE = 16 * 1024, /* bytes; larger arrays are mapped */
	PAGE = 4096,
};

void sieve_init(struct sieve *s)
{
	*s = (struct sieve) {
		.newest = SIEVE_NONE,
		.oldest = SIEVE_NONE,
		.hand = SIEVE_NONE,
	};
}

/* --- arrays ---------------------------------------------------------------------------- */

/* A large array is mapped by itself: growing it moves no byte, only pages, and takes no memory
 * twice, whatever state the heap is in.  One in the heap leaves a hole at each growth, which the next
 * growth of its like does not fit in. */
static size_t array_cost(size_t bytes)
{
	if (bytes == 0)
		return 0;
	return bytes < MAP_ABOVE ? heap_cost(bytes) : (bytes + PAGE - 1) / PAGE * PAGE;
}

static void array_free(void *array, size_t bytes)
{
	if (bytes < MAP_ABOVE)
		free(array);
	else
		(void)munmap(array, bytes);
}

static void *array_new(size_t bytes)
{
	void *array;

	if (bytes < MAP_ABOVE)
		return malloc(bytes);
	array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return array == MAP_FAILED ? NULL : array;
}

/* NULL: no memory, and the array is as it was. */
static void *array_resize(void *array, size_t before, size_t bytes)
{
	void *other;

	if (before < MAP_ABOVE && bytes < MAP_ABOVE)
		return realloc(array, bytes);
	if (before >= MAP_ABOVE && bytes >= MAP_ABOVE) {
		other = mremap(array, before, bytes, MREMAP_MAYMOVE);
		return other == MAP_FAILED ? NULL : other;
	}
	other = array_new(bytes);
	if (other == NULL)
		return NULL;
	memcpy(other, array, before < bytes ? before : bytes);
	array_free(array, before);
	return other;
}

static size_t slots_bytes(uint32_t cap)
{
	return cap * sizeof(struct sieve_slot);
}

static size_t buckets_bytes(uint32_t cap)
{
	return cap * sizeof(uint32_t);
}

void sieve_deinit(struct sieve *s)
{
	array_free(s->slots, slots_bytes(s->slots_cap));
	array_free(s->buckets, buckets_bytes(s->cap));
	sieve_init(s);
}

static uint32_t with_spare(uint32_t n)
{
	return n + n / 8 + SPARE_MIN;
}

static void set_next(struct sieve_slot *slot, uint32_t next)
{
	slot->next = next & SIEVE_NONE;
}

static void set_newer(struct sieve_slot *slot, uint32_t newer)
{
	slot->newer = newer & SIEVE_NONE;
}

static void set_older(struct sieve_slot *slot, uint32_t older)
{
	slot->older = older & SIEVE_NONE;
}

static uint32_t next_of(const struct sieve *s, uint32_t at)
{
	return (uint32_t)s->slots[at].next;
}

static uint32_t newer_of(const struct sieve *s, uint32_t at)
{
	return (uint32_t)s->slots[at].newer;
}

static uint32_t older_of(const struct sieve *s, uint32_t at)
{
	return (uint32_t)s->slots[at].older;
}

static size_t bytes_for(uint32_t cap)
{
	return array_cost(slots_bytes(cap)) + array_cost(buckets_bytes(cap));
}

size_t sieve_bytes(const struct sieve *s)
{
	return array_cost(slots_bytes(s->slots_cap)) + array_cost(buckets_bytes(s->cap));
}

static bool is_full(const struct sieve *s)
{
	return s->n == s->cap || s->n == s->slots_cap;
}

size_t sieve_growth(const struct sieve *s)
{
	return is_full(s) ? bytes_for(with_spare(s->cap)) - sieve_bytes(s) : 0;
}

static int resize(struct sieve *s, uint32_t cap)
{
	struct sieve_slot *slots = array_resize(s->slots, slots_bytes(s->slots_cap),
						slots_bytes(cap));
	uint32_t *buckets;

	if (slots == NULL)
		return E_NOMEM;
	s->slots = slots;
	s->slots_cap = cap;
	buckets = array_resize(s->buckets, buckets_bytes(s->cap), buckets_bytes(cap));
	if (buckets == NULL)
		return E_NOMEM;
	s->buckets = buckets;
	s->cap = cap;
	return E_OK;
}

/* Linear hashing: bucket m = n_buckets comes to be and takes its share from the bucket that
 * stood in for it, m without its highest bit. */
static void split_bucket(struct sieve *s)
{
	uint32_t m = s->n_buckets++;
	uint32_t at, next, kept = SIEVE_NONE, moved = SIEVE_NONE;

	if (m == 0) {
		s->mask = 0;
		s->buckets[0] = SIEVE_NONE;
		return;
	}
	if (m == s->mask * 2 + 2)
		s->mask = s->mask * 2 + 1;
	for (at = s->buckets[m & s->mask]; at != SIEVE_NONE; at = next) {
		uint32_t *chain = (s->slots[at].hash & (s->mask * 2 + 1)) == m ? &moved : &kept;

		next = next_of(s, at);
		set_next(&s->slots[at], *chain);
		*chain = at;
	}
	s->buckets[m & s->mask] = kept;
	s->buckets[m] = moved;
}

/* The last bucket goes; the one that stands in for it takes its chain. */
static void merge_bucket(struct sieve *s)
{
	uint32_t m = --s->n_buckets;
	uint32_t at = s->buckets[m];
	uint32_t into;

	if (m == s->mask)
		s->mask >>= 1;
	into = m & s->mask;
	if (at == SIEVE_NONE)
		return;
	while (next_of(s, at) != SIEVE_NONE)
		at = next_of(s, at);
	set_next(&s->slots[at], s->buckets[into]);
	s->buckets[into] = s->buckets[m];
}

/* Makes what points to slot `from` in its chain point to `to`. */
static void chain_redirect(struct sieve *s, uint32_t from, uint32_t to)
{
	uint32_t b = sieve_bucket(s, s->slots[from].hash);
	uint32_t at = s->buckets[b];

	if (at == from) {
		s->buckets[b] = to;
		return;
	}
	while (next_of(s, at) != from) {
		at = next_of(s, at);
		ASSERT(at != SIEVE_NONE);
	}
	set_next(&s->slots[at], to);
}

/* Makes what points to slot `at` in the queue point to `newer` and `older` instead. */
static void queue_redirect(struct sieve *s, uint32_t at, uint32_t newer, uint32_t older)
{
	if (older_of(s, at) != SIEVE_NONE)
		set_newer(&s->slots[older_of(s, at)], newer);
	else
		s->oldest = newer;
	if (newer_of(s, at) != SIEVE_NONE)
		set_older(&s->slots[newer_of(s, at)], older);
	else
		s->newest = older;
}

int sieve_insert(struct sieve *s, uint32_t hash, void *value, uint32_t *at)
{
	struct sieve_slot *slot;
	uint32_t b;
	int err;

	if (s->n >= SIEVE_MAX_SLOTS)
		return E_LIMIT;
	if (is_full(s)) {
		err = resize(s, with_spare(s->cap));
		if (err != E_OK)
			return err;
	}
	*at = s->n++;
	while (s->n_buckets < s->n)
		split_bucket(s);
	b = sieve_bucket(s, hash);
	slot = &s->slots[*at];
	*slot = (struct sieve_slot) { .value = value, .hash = hash, .newer = SIEVE_NONE };
	set_next(slot, s->buckets[b]);
	set_older(slot, s->newest);
	s->buckets[b] = *at;
	if (s->newest != SIEVE_NONE)
		set_newer(&s->slots[s->newest], *at);
	else
		s->oldest = *at;
	s->newest = *at;
	return E_OK;
}

static void shrink(struct sieve *s)
{
	if (s->n == 0) {
		sieve_deinit(s);
		return;
	}
	for (int i = 0; i < MERGES_A_REMOVAL && s->n_buckets > with_spare(s->n); i++)
		merge_bucket(s);
	if (s->slots_cap > SHRINK_ABOVE && s->n < s->cap / 2 && s->n_buckets <= with_spare(s->n)) {
		/* When there is no memory for less memory, the arrays stay as they are. */
		if (resize(s, with_spare(s->n)) != E_OK)
			return;
	}
}

void *sieve_remove(struct sieve *s, uint32_t at)
{
	void *value = s->slots[at].value;
	uint32_t last;

	ASSERT(at < s->n);
	if (s->hand == at)
		s->hand = newer_of(s, at);
	chain_redirect(s, at, next_of(s, at));
	queue_redirect(s, at, newer_of(s, at), older_of(s, at));
	last = --s->n;
	if (last != at) {
		chain_redirect(s, last, at);
		queue_redirect(s, last, at, at);
		if (s->hand == last)
			s->hand = at;
		s->slots[at] = s->slots[last];
	}
	shrink(s);
	return value;
}

uint32_t sieve_victim(struct sieve *s)
{
	uint32_t at = s->hand;

	for (int step = 0; step < SIEVE_MAX_STEPS; step++) {
		if (at == SIEVE_NONE)
			at = s->oldest;
		if (at == SIEVE_NONE || !s->slots[at].visited)
			break;
		s->slots[at].visited = 0;
		at = newer_of(s, at);
	}
	s->hand = at != SIEVE_NONE ? at : s->oldest;
	return s->hand;
}
