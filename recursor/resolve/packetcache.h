/*
 * packetcache: whole answers, keyed by the question as it stands in the packet.
 *
 * The key is what an answer depends on: name (case ignored; the answer takes the asker's
 * spelling by copying the question over), type, class, the flag RD, what of DNSSEC it takes
 * (the caller says), UDP or TCP, with EDNS or without, and a tag (gettag's; 0 where nobody has
 * said one).  The client's
 * payload size is not part of it: an answer serves whoever takes its length (one with TC set is
 * for nobody else, and is not to be put here).  A hit is a copy with the asker's id, question and
 * TTLs lowered by the age: no record is parsed, the places of the TTLs are remembered.
 *
 * Threads: one packet cache, one worker, no lock.
 * Eviction: SIEVE (common/sieve.h), a few entries an insert.
 * Limits:  max_entries (at most SIEVE_MAX_SLOTS), max_bytes (0: none); an answer larger than
 *          max_packet is not kept.
 * Memory:  accounted to the byte.
 */
#ifndef RESOLVE_PACKETCACHE_H
#define RESOLVE_PACKETCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct packetcache;

struct packetcache_config {
	size_t max_entries;
	size_t max_bytes;
	size_t max_packet;
	/* Not 0, and a power of two: an answer is kept when it is put for the second time; that it
	 * was put is remembered in a table of so many marks of two bytes.  Names asked once, as in
	 * a flood of random ones, then cost no memory and push nothing out. */
	size_t marks;
};

/* E_NOMEM, E_RANGE (`marks`). */
int packetcache_new(struct packetcache **out, const struct packetcache_config *cfg) MUST_USE;
void packetcache_free(struct packetcache *pc);

/* What the key is made of.  `query` is the client's packet, its question checked to be
 * complete: the name at byte 12, uncompressed, its end at `question_end`. */
struct packetcache_key {
	const uint8_t *query;
	size_t question_end; /* offset after qtype and qclass */
	uint64_t name_hash;  /* name_hash() of the name */
	bool tcp;
	bool edns;
	uint8_t dnssec;   /* below PACKETCACHE_DNSSEC: what the answer depends on of DO, AD, CD */
	uint16_t payload; /* largest answer the client takes over UDP */
	uint32_t tag;
};

enum { PACKETCACHE_DNSSEC = 16 };

/* What else a hit says. */
struct packetcache_hit {
	uint8_t rcode;
	bool bogus; /* packetcache_put()'s, as the next */
	uint32_t note;
};

uint32_t packetcache_hash(const struct packetcache_key *key);

/* What a look-up will touch, in this order: each is found by what is in the one before.  Fetched
 * for a whole batch one kind after the other, it lets its look-ups wait for memory side by side.
 * Nothing is changed.  False: the answer is not there. */
enum packetcache_fetch { PACKETCACHE_BUCKET, PACKETCACHE_SLOT, PACKETCACHE_ENTRY };
bool packetcache_fetch(const struct packetcache *pc, uint32_t hash, enum packetcache_fetch what);
/* The note that a hit will most likely tell, once the entry has come; 0: none. */
uint32_t packetcache_note(const struct packetcache *pc, uint32_t hash);

/* Copies a live answer into `out`, fitted to the query: id, question as spelt, RD, TTLs.
 * Returns its length; 0: not there, expired, or larger than `cap` or the client's payload.
 * *hit is set on a hit. */
size_t packetcache_get(struct packetcache *pc, const struct packetcache_key *key, uint32_t now_s,
		       uint8_t *out, size_t cap, struct packetcache_hit *hit);

/* Keeps an answer for `ttl` seconds.  `answer` is a whole message of ours (its question at byte
 * 12 like the query's).  Its TTL places are found here.  `note` is the caller's, who gets it back
 * with each hit; so is `bogus`. */
void packetcache_put(struct packetcache *pc, const struct packetcache_key *key,
		     const uint8_t *answer, size_t len, uint32_t ttl, uint32_t note, bool bogus,
		     uint32_t now_s);

/* Takes away the answers for a name whatever their tags, or with `subtree` for all below it too; `type` 0: every type.
 * In slices, since a worker is not to be held for long: looks at `n` entries at most.  *cursor is
 * SIZE_MAX to begin with, and kept by the caller; false after the last slice.  What is put between
 * two slices may be missed.  *wiped is added to. */
bool packetcache_wipe_some(struct packetcache *pc, size_t *cursor, size_t n, const uint8_t *name,
			   uint16_t type, bool subtree, size_t *wiped);

/* An answer as a walk shows it. */
struct packetcache_view {
	const uint8_t *qname; /* lower case, borrowed */
	uint16_t qtype;
	bool tcp;
	uint32_t ttl_left, tag;
};

/* Walks the live answers in slices likewise.  cb must not change the packet cache; a negative return
 * of it ends the walk. */
bool packetcache_walk_some(struct packetcache *pc, size_t *cursor, size_t n,
			   int (*cb)(void *ctx, const struct packetcache_view *v), void *ctx,
			   uint32_t now_s);

struct packetcache_stats {
	size_t entries, bytes;
	uint64_t evicted;
};
void packetcache_stats(const struct packetcache *pc, struct packetcache_stats *out);
/* New limits; shrinking happens a few entries an insert, and by packetcache_shrink_some(). */
void packetcache_set_limits(struct packetcache *pc, size_t max_entries, size_t max_bytes);

/* While there is more than the limits allow: evicts up to `n` answers.  Returns how many. */
size_t packetcache_shrink_some(struct packetcache *pc, size_t n);

#endif
