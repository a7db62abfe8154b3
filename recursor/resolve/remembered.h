/*
 * remembered: which (name, type) have had an answer of late, also after their TTL: a guess, in few
 * bytes, at which questions are somebody's and which are an attack's random names.
 *
 * A table of tags, each where its hash puts it; a new one takes the place of the old.  One in
 * 2^32 strangers is taken for a friend.  The names of an attack enter it only where they exist.
 *
 * Memory:  REMEMBERED_TAGS times four bytes.
 * Threads: any, without a lock: a tag is one word, and one lost to a race is no harm.
 */
#ifndef RESOLVE_REMEMBERED_H
#define RESOLVE_REMEMBERED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { REMEMBERED_TAGS = 1 << 18 }; /* a power of two */

static inline _Atomic uint32_t *remembered_place(_Atomic uint32_t *tags, uint64_t name_hash,
						 uint16_t type, uint32_t *tag)
{
	uint64_t h = (name_hash ^ type) * 0x9e3779b97f4a7c15U; /* the name's part is keyed */

	*tag = (uint32_t)h | 1; /* 0: nothing */
	return &tags[h >> 40 & (REMEMBERED_TAGS - 1)];
}

static inline void remembered_fetch(_Atomic uint32_t *tags, uint64_t name_hash, uint16_t type)
{
	uint32_t tag;

	__builtin_prefetch(remembered_place(tags, name_hash, type, &tag), 1);
}

static inline void remembered_note(_Atomic uint32_t *tags, uint64_t name_hash, uint16_t type)
{
	uint32_t tag;
	_Atomic uint32_t *place = remembered_place(tags, name_hash, type, &tag);

	atomic_store_explicit(place, tag, memory_order_relaxed);
}

static inline bool remembered_has(_Atomic uint32_t *tags, uint64_t name_hash, uint16_t type)
{
	uint32_t tag;
	_Atomic uint32_t *place = remembered_place(tags, name_hash, type, &tag);

	return atomic_load_explicit(place, memory_order_relaxed) == tag;
}

#endif
