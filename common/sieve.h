/*
 * sieve: a hash table that knows what to throw away: the ground of every cache here.
 *
 * Values are pointers, found by a 32-bit hash; the owner compares the keys.  All slots stand
 * in one array without gaps, chained by index:
 *
 *     buckets: | 3 | - | 0 | ...        slots: | 0 | 1 | 2 | 3 | ... n
 *                                                ^ next, newer, older are indices
 *
 * Eviction is SIEVE (Zhang and others, NSDI 2024).  The queue is in order of insertion.  A hit
 * sets a bit and moves nothing.  The hand goes from the oldest to the newest: it clears the bit
 * where it is set and takes the first slot where it is not, then stays there.  New slots come in
 * at the other end, so a flood of names asked once is thrown away by a hand that stays among
 * them, and what was asked twice is not even looked at.
 *
 * The table grows by linear hashing, one bucket split an insert, and shrinks likewise; there is
 * no moment at which everything is hashed again.
 *
 * A removal fills the gap with the last slot: an index is good until the next insert or
 * removal.  Walking from the last slot down misses nothing that was there at the start,
 * whatever is removed meanwhile.
 *
 * Memory:  24 bytes a slot with its bucket, up to 1/8 in reserve; nothing when empty.  Large arrays
 *          are mapped, and grow without being copied.  The values are the owner's.
 * Limits:  SIEVE_MAX_SLOTS; the owner keeps to limits of its own.
 * Threads: none; the owner locks.
 */
#ifndef COMMON_SIEVE_H
#define COMMON_SIEVE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	SIEVE_NONE = 0xfffff, /* no slot */
	SIEVE_MAX_SLOTS = SIEVE_NONE - 1,
	SIEVE_MAX_STEPS = 64, /* of the hand for one victim */
};

/* Packed: a large cache is made of these and little else. */
struct sieve_slot {
	void *value;
	uint32_t hash;
	uint64_t next : 20; /* in the bucket's chain */
	uint64_t newer : 20;
	uint64_t older : 20;
	uint64_t visited : 1;
	uint64_t tag : 3; /* the owner's */
} __attribute__((packed, aligned(4)));

struct sieve {
	struct sieve_slot *slots;
	uint32_t *buckets;
	uint32_t n;         /* slots in use: 0 to n - 1 */
	uint32_t cap;       /* buckets that there is room for */
	uint32_t slots_cap; /* the same of slots: another number where memory ran out between */
	uint32_t n_buckets; /* at least n, once there are any */
	uint32_t mask;      /* the largest power of two in n_buckets, less one */
	uint32_t newest, oldest;
	uint32_t hand; /* the slot to look at next, or SIEVE_NONE: the oldest */
};

void sieve_init(struct sieve *s);
/* Frees the arrays; the owner has dealt with the values. */
void sieve_deinit(struct sieve *s);

/* Adds a value as the newest and tells its slot.  E_NOMEM, E_LIMIT. */
int sieve_insert(struct sieve *s, uint32_t hash, void *value, uint32_t *at) MUST_USE;

/* Takes a slot out; the last slot moves into its place.  Returns the value. */
void *sieve_remove(struct sieve *s, uint32_t at);

/* Moves the hand to the slot that is to go, for the owner to remove.  After SIEVE_MAX_STEPS it
 * is the one the hand stands at, visited or not.  SIEVE_NONE when there is none. */
uint32_t sieve_victim(struct sieve *s);

/* What the arrays take, and what one more insert may add to that. */
size_t sieve_bytes(const struct sieve *s);
size_t sieve_growth(const struct sieve *s);

static inline uint32_t sieve_bucket(const struct sieve *s, uint32_t hash)
{
	uint32_t b = hash & (s->mask * 2 + 1);

	return b < s->n_buckets ? b : hash & s->mask;
}

static inline uint32_t sieve_same_hash(const struct sieve *s, uint32_t at, uint32_t hash)
{
	while (at != SIEVE_NONE && s->slots[at].hash != hash)
		at = (uint32_t)s->slots[at].next;
	return at;
}

/* The slots with that hash, in no order: the first one, then the one after `at`. */
static inline uint32_t sieve_first(const struct sieve *s, uint32_t hash)
{
	return s->n == 0 ? SIEVE_NONE : sieve_same_hash(s, s->buckets[sieve_bucket(s, hash)], hash);
}

static inline uint32_t sieve_next(const struct sieve *s, uint32_t at)
{
	return sieve_same_hash(s, (uint32_t)s->slots[at].next, s->slots[at].hash);
}

/* A search in a large table waits for memory at its bucket and again at its slot.  Who knows what
 * he will search for has both fetched meanwhile: the bucket, and, once that has come, the slot. */
static inline void sieve_fetch_bucket(const struct sieve *s, uint32_t hash)
{
	if (s->n != 0)
		__builtin_prefetch(&s->buckets[sieve_bucket(s, hash)]);
}

static inline void sieve_fetch_slot(const struct sieve *s, uint32_t hash)
{
	uint32_t at = s->n != 0 ? s->buckets[sieve_bucket(s, hash)] : SIEVE_NONE;

	if (at != SIEVE_NONE)
		__builtin_prefetch(&s->slots[at]);
}

#endif
