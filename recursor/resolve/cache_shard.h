/*
 * cache_shard: what cache.c (one name), cache_share.c (proofs) and cache_whole.c (all of it) share; for them only.
 *
 * Everything here but key_of(), shard_of() and the drops wants the shard's lock held.
 */
#ifndef RESOLVE_CACHE_SHARD_H
#define RESOLVE_CACHE_SHARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ascii.h"
#include "common/name.h"
#include "common/rrset.h"
#include "common/sieve.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/remembered.h"

/* Tags of slots. */
enum {
	TAG_DELEGATION = 1,
	TAG_SHARED = 2, /* a proof kept to be shared: never looked up, and charged by itself */
};

enum { DROPS_MAX = 32 };

struct shard {
	pthread_mutex_t lock;
	struct sieve map;
	size_t max_entries, max_bytes; /* of this shard */
	size_t set_bytes;
	size_t negative;
	size_t shared;      /* entries with TAG_SHARED */
	uint32_t most;      /* entries there were */
	uint32_t n_shards;  /* of the cache: its part of what all share */
	uint32_t expire_at; /* slots below are still to be looked at by cache_expire_some() */
	uint64_t acquired, contended, evicted, expired;
} __attribute__((aligned(64)));

/* What cache_wipe() was told of while sets come out of a file. */
enum { WIPES_MAX = 256 };

struct wipe {
	uint16_t type;
	bool subtree;
	uint8_t name[NAME_MAX_LEN];
};

struct wipes {
	pthread_mutex_t lock;
	struct wipe *wipe; /* NULL without memory: then each is one too many */
	unsigned n;
	unsigned restores; /* under way: between cache_restore_begin() and _end() */
	bool too_many;
};

struct cache {
	size_t max_set_bytes;
	struct wipes wipes;
	unsigned n_shards;
	atomic_uint expire_shard, shrink_shard;
	atomic_uint stale_s, locked_percent; /* cache_set_stale(), cache_set_locked() */
	_Atomic uint64_t n_wipes;            /* begun, and ended */
	_Atomic uint32_t *remembered;        /* remembered.h; NULL: no memory for it */
	struct shard shards[];
};

/* Sets to be given back when the lock is no longer held. */
struct drops {
	unsigned n;
	struct rrset *set[DROPS_MAX];
};

struct key {
	const uint8_t *name;
	size_t len;
	uint64_t hash;
};

static inline struct key key_of(const uint8_t *name)
{
	return (struct key) { .name = name, .len = name_len(name), .hash = name_hash(name) };
}

static inline struct shard *shard_lock(struct shard *sh)
{
	bool waited = pthread_mutex_trylock(&sh->lock) != 0;

	if (waited)
		pthread_mutex_lock(&sh->lock);
	sh->acquired++;
	sh->contended += waited;
	return sh;
}

static inline void shard_unlock(struct shard *sh)
{
	pthread_mutex_unlock(&sh->lock);
}

static inline struct shard *shard_of(struct cache *c, const struct key *k)
{
	return &c->shards[(k->hash >> 32) & (c->n_shards - 1)];
}

static inline struct rrset *set_at(const struct shard *sh, uint32_t at)
{
	return sh->map.slots[at].value;
}

static inline bool is_delegation(const struct shard *sh, uint32_t at)
{
	return (sh->map.slots[at].tag & TAG_DELEGATION) != 0;
}

static inline uint32_t stale_window(const struct cache *c)
{
	return atomic_load_explicit(&c->stale_s, memory_order_relaxed);
}

/* Expired, and past its use. */
static inline bool is_spent(const struct rrset *s, uint32_t now_s, uint32_t stale_s)
{
	return rrset_is_expired(s, now_s) && !rrset_is_stale(s, now_s, stale_s);
}

static inline bool is_shared(const struct shard *sh, uint32_t at)
{
	return (sh->map.slots[at].tag & TAG_SHARED) != 0;
}

static inline uint32_t same_name(const struct shard *sh, uint32_t at, const struct key *k)
{
	for (; at != SIEVE_NONE; at = sieve_next(&sh->map, at)) {
		const struct rrset *s = set_at(sh, at);

		if (s->owner_len == k->len && ascii_equal(rrset_owner(s), k->name, k->len) &&
		    !is_shared(sh, at))
			break;
	}
	return at;
}

static inline uint32_t first_of(const struct shard *sh, const struct key *k)
{
	return same_name(sh, sieve_first(&sh->map, (uint32_t)k->hash), k);
}

static inline uint32_t next_of(const struct shard *sh, uint32_t at, const struct key *k)
{
	return same_name(sh, sieve_next(&sh->map, at), k);
}

static inline void drops_add(struct drops *d, struct rrset *s)
{
	if (d->n == DROPS_MAX)
		rrset_put(s);
	else
		d->set[d->n++] = s;
}

static inline void drops_put(struct drops *d)
{
	while (d->n > 0)
		rrset_put(d->set[--d->n]);
}

static inline bool is_negative(const struct rrset *s)
{
	return s->kind != RRSET_DATA;
}

static inline size_t shard_bytes(const struct shard *sh)
{
	return sieve_bytes(&sh->map) + sh->set_bytes;
}

/* Has the set been wiped since cache_restore_begin()? */
bool cache_was_wiped(struct cache *c, const struct rrset *s, bool delegation);
/* Wipes without noting it. */
void cache_wipe_name(struct cache *c, const uint8_t *name, uint16_t type,
		     struct cache_wiped *wiped);

/* Would so much more be more than the limits allow? */
bool cache_is_over(const struct shard *sh, size_t more_entries, size_t more_bytes);

/* Takes away what SIEVE finds; false: there is nothing. */
bool cache_evict(struct shard *sh, uint32_t now_s, struct drops *drops);

/* Evicts until there is room for so much more.  Bounded, so that limits set lower are reached
 * over many inserts: then true as long as more goes than comes. */
bool cache_make_room(struct shard *sh, size_t more_entries, size_t more_bytes, uint32_t now_s,
		     struct drops *drops);

/* A set into a slot, and into the account. */
void cache_entry_fill(struct shard *sh, uint32_t at, struct rrset *s, unsigned tag);
/* Takes the set out of the account and hands it to `drops`; the slot is to be filled again or
 * removed. */
void cache_entry_empty(struct shard *sh, uint32_t at, struct drops *drops);

/* cache_share_proofs() by what is there alone. */
void cache_find_proofs(struct cache *c, struct rrset *denial, uint32_t now_s);

/* Takes an entry out, and out of the account; slots move (common/sieve.h). */
void cache_entry_remove(struct shard *sh, uint32_t at, struct drops *drops);

#endif
