/*
 * memory: one budget for all caches: `max-cache-memory`.
 *
 * Three parts divide it: the record cache, the packet caches of all threads, the server table.  What
 * the cache of proofs (resolve/dnssec/aggressive.h) has beside record sets counts as the record cache's,
 * and so do the public keys that each worker keeps ready (resolve/dnssec/keyring.h), of which there are as
 * many as 1/32 of the whole has room for.
 * Each is due a share: the server table 1/16, the record cache 2 MB for its fixed tables, and these
 * two what is left, in proportion of max-cache-entries to max-packetcache-entries.  What a part does not need the others may have,
 * until it does: then they give it back, a few entries an insert and some each time the house is
 * kept, but never what they are due themselves.
 *
 * Each part has a limit of bytes of its own, and knows nothing of the others: nothing is shared
 * where queries are answered.  The first worker moves the limits a few times a second.  A limit is
 * raised by no more than what others have really given back, so that all parts together stay
 * within the budget at every moment; after it was set lower, as soon as they have shrunk to it.
 *
 * Threads: memory_set_limits() any; memory_rebalance() the first worker; memory_adopt() and
 *          memory_tidy() each worker, the first one before the others.
 */
#ifndef RECURSOR_MEMORY_H
#define RECURSOR_MEMORY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct cache;
struct server;
struct settings;
struct worker;

enum { MEMORY_RECORDS, MEMORY_PACKETS, MEMORY_SERVERS, MEMORY_PARTS };

/* Bytes.  `held`: what it may reach before it has taken over the limit set last. */
struct memory_part {
	size_t due, used, held, limit;
};

/* Moves the limits: pure arithmetic. */
void memory_share(size_t total, struct memory_part parts[MEMORY_PARTS]);

struct memory {
	/* What is configured; may change at any time. */
	_Atomic uint64_t max_cache_memory, max_cache_entries, max_packetcache_entries;
	struct memory_part parts[MEMORY_PARTS]; /* the first worker's, as are the next */
	size_t record_entries, record_bytes;    /* the record cache's limits as set last */
	/* What each worker's packet cache may have. */
	_Atomic size_t packet_entries, packet_bytes;
};

/* Takes the three numbers over; what is there shrinks or grows in time. */
void memory_set_limits(struct memory *m, const struct settings *s);

/* The record cache's limit as it wants it: what its entries may take. */
size_t memory_record_limit(struct server *s);

/* Each worker, after memory_set_limits(): from now on nothing grows beyond them. */
void memory_adopt(struct worker *w);

/* Before there are caches: what each is due. */
void memory_init(struct memory *m, const struct settings *s);

/* What all had when the first worker looked last; for itself. */
uint64_t memory_used(const struct memory *m);

/* How many public keys each of so many workers may keep. */
size_t memory_keys(const struct memory *m, unsigned n_workers);

/* What the settings come to, in bytes. */
uint64_t memory_total(const struct memory *m);

/* The first worker's part of housekeeping: limits are moved, what is shared shrinks to them. */
void memory_rebalance(struct server *s, uint32_t wall_s);

/* Each worker's part: its packet cache follows its limit. */
void memory_tidy(struct worker *w);

#endif
