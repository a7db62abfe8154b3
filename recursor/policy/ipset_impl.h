/*
 * ipset_impl: what ipset.c (one set) and ipsets.c (all of them, and who reads what) share.
 *
 * Locks: ipsets.lock (names, references) may be held when a set's lock is taken, and that when
 *        ipsets.retired_lock is; never the other way round.
 */
#ifndef POLICY_IPSET_IMPL_H
#define POLICY_IPSET_IMPL_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "recursor/policy/ipset.h"

enum { IPSET_SHARD_BITS = 10, IPSET_SHARDS = 1 << IPSET_SHARD_BITS, IPSET_LOCKS = 64 };

/* A slot's first word: the IPv4 address, or 32 bits of an IPv6 address's hash, above the second
 * at which it expires (with IPSET_CLOCK_BASE added) or one of these.  0: empty, ever since. */
enum {
	IPSET_GONE = 1,   /* removed, or expired and swept */
	IPSET_MASKED = 2, /* an overlay's: removed, though the set below has it */
	IPSET_CLOCK_BASE = 16,
};
#define IPSET_FOREVER UINT32_MAX

struct ipset_table {
	struct ipset_table *next_retired;
	size_t bytes;
	uint32_t cap;
	uint32_t stride; /* words a slot: 1 or 3 */
	_Atomic uint64_t words[];
};

struct ipset_shard {
	_Atomic(struct ipset_table *) table; /* NULL: nothing in it; written with the lock held */
	uint32_t used;                       /* the lock's, as the rest: slots that are not empty */
	uint32_t live;                       /* those that are neither gone nor masked */
	uint32_t expires_first;              /* nothing expires before */
};

struct ipset {
	struct ipsets *all;
	struct ipset *next; /* with a name; ipsets.lock's, as the next */
	unsigned references;
	struct ipset *below;      /* an overlay's: a reference, or NULL */
	_Atomic bool hides_below; /* it was cleared */
	_Atomic int64_t overlaid; /* what its changes add to the count of the one below */
	char name[IPSET_NAME_MAX];
	_Atomic uint32_t ttl_s;
	_Atomic uint64_t max;
	_Atomic uint64_t entries, bytes;
	_Atomic uint64_t adds, removals, refusals, expirations;
	_Atomic uint32_t swept_s; /* when a full set was last swept for room */
	_Atomic uint32_t sweep_at;
	pthread_mutex_t locks[IPSET_LOCKS];
	struct ipset_shard shards[2][IPSET_SHARDS]; /* IPv4, IPv6 */
};

struct ipset_reader {
	alignas(64) _Atomic(struct ipset_table *) table;
};

struct ipsets {
	struct ipset_reader *readers;
	unsigned n_readers;
	struct ipsets *below; /* of an overlay */
	_Atomic uint64_t max_entries;
	_Atomic uint64_t entries, bytes;
	pthread_mutex_t lock;
	uint32_t max_sets;
	struct ipset *first; /* in order of name */
	uint32_t n_sets, most_sets;
	uint64_t sets_refused;
	struct ipset_stats ended; /* sums of sets that are no more */
	char tidied[IPSET_NAME_MAX];
	pthread_mutex_t retired_lock;
	struct ipset_table *retired;
};

/* Frees a table that no shard has any more, now or when nobody looks at it. */
void ipsets_retire(struct ipsets *r, struct ipset_table *t);
void ipsets_free_retired(struct ipsets *r);

void ipset_table_free(struct ipset_table *t);

int ipset_new(struct ipset **out, struct ipsets *all) MUST_USE;
void ipset_free(struct ipset *s); /* nobody reads it */
/* Looks at up to `slots` slots for entries that expired; how many it did look at. */
size_t ipset_sweep(struct ipset *s, uint32_t now_s, size_t slots);
/* `s` gets the entries of `from`, which has no name and no reader, and that one gets its.  E_LIMIT:
 * more than `s` may have. */
int ipset_take(struct ipset *s, struct ipset *from) MUST_USE;

#endif
