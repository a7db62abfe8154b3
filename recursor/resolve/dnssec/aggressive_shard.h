/*
 * aggressive_shard: what aggressive.c (what is taken), aggressive_look.c (what is answered) and
 * aggressive_whole.c share; for them only.  What takes a shard, a zone or an entry wants the shard's lock
 * held; aggressive_evict() takes the locks itself, and the atomic members are read without.
 */
#ifndef RESOLVE_DNSSEC_AGGRESSIVE_SHARD_H
#define RESOLVE_DNSSEC_AGGRESSIVE_SHARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/lock.h"
#include "common/name.h"
#include "common/order.h"
#include "common/rrset.h"
#include "common/sieve.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/nsec3.h"

enum {
	SHARDS = 16,
	PRESENT = 4096,
	/* A byte of a name may take two (name_key()), and a type stands behind it. */
	KEY_MAX = 2 * NAME_MAX_LEN + 2,
	/* Of a wildcard's data, which are not kept with more. */
	AGGRESSIVE_RECORDS_MAX = 32,
	AGGRESSIVE_SIGS_MAX = 8,
};

enum tree {
	TREE_NSEC,
	TREE_DATA,
	TREE_NSEC3,
	TREE_NSEC3_OTHER, /* while a zone changes its parameters, the old ones go away here */
	TREES,
};

struct aggressive_entry {
	struct order_node node; /* first */
	struct aggressive_zone *zone;
	struct rrset *set;
	uint32_t until_s; /* by TTL, and by signature */
	uint8_t tree;     /* enum tree */
	uint8_t key[];
};

struct aggressive_zone {
	struct order trees[TREES];
	struct rrset *soa; /* or NULL */
	uint32_t soa_until_s;
	uint32_t hash;
	uint32_t n; /* entries */
	uint32_t present;
	uint8_t nsec3; /* the tree of NSEC3 that is in use */
	uint8_t name_len;
	uint8_t name[];
};

struct aggressive_shard {
	struct gate gate;
	struct sieve entries; /* by the priority of the node */
	struct sieve zones;   /* by the name */
	size_t bytes;
	uint32_t expire_at; /* slots below are still to be looked at */
	atomic_size_t n;
} __attribute__((aligned(64)));

struct aggressive {
	atomic_size_t n;
	atomic_size_t max_entries;
	atomic_uint min_hit_ratio, max_iterations, max_hash_cost, max_negative_ttl;
	atomic_uint expire_shard;
	_Atomic uint64_t drawn; /* priorities so far */
	atomic_ushort
		present[PRESENT]; /* zones by a part of their hash: whom to lock for nothing */
	struct aggressive_shard shards[SHARDS];
};

/* A name of the zone (of so many labels) as a key: canonical order is that of the bytes. */
uint16_t aggressive_key(uint8_t out[KEY_MAX], const uint8_t *name, unsigned zone_labels);
/* The same, and a type: of a wildcard's data. */
uint16_t aggressive_data_key(uint8_t out[KEY_MAX], const uint8_t *name, unsigned zone_labels,
			     uint16_t type);

static inline bool aggressive_may_have(const struct aggressive *a, uint64_t hash)
{
	return atomic_load_explicit(&a->present[(hash >> 36) % PRESENT], memory_order_relaxed) != 0;
}

static inline struct aggressive_shard *aggressive_shard(struct aggressive *a, uint64_t hash)
{
	return &a->shards[(hash >> 32) % SHARDS];
}

struct aggressive_zone *aggressive_zone(struct aggressive_shard *sh, const uint8_t *name,
					uint64_t hash);

/* The zone goes with its last entry. */
void aggressive_remove(struct aggressive *a, struct aggressive_shard *sh,
		       struct aggressive_entry *e);
void aggressive_visit(struct aggressive_shard *sh, const struct aggressive_entry *e);

/* The parameters of the zone's NSEC3 records; false: there are none. */
bool aggressive_param(const struct aggressive_zone *z, struct nsec3_param *out);

bool aggressive_is_over(const struct aggressive *a);
/* While there is too much: takes up to `most` out of the fullest shard, without a lock held. */
size_t aggressive_evict(struct aggressive *a, size_t most);

static inline bool aggressive_is_expired(const struct aggressive_entry *e, uint32_t now_s)
{
	return e->until_s <= now_s || rrset_is_expired(e->set, now_s);
}

static inline struct aggressive_entry *aggressive_entry_of(struct order_node *n)
{
	return (struct aggressive_entry *)(void *)n;
}

#endif
