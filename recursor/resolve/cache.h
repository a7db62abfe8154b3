/*
 * cache: the record cache, shared by all workers.
 *
 * Keyed by name (RFC 4343: in any case), so that one probe under one lock finds everything
 * known of a name: the type asked for, an alias (CNAME), a denial (NXDOMAIN, NODATA), a recent
 * failure, the zone cut.
 * Values are rrsets (common/rrset.h); a lookup hands out references, so eviction and TTL 0
 * never pull a set away from somebody who uses it.
 *
 * What a parent says in a referral (NS, and the addresses of servers: glue) stands beside what
 * the zone says of itself: the parent's NS set decides who may speak for the zone, and until when
 * (ghost domains), and its glue is there when the zone's own addresses do not work.  The parent's
 * NS set is asked for as CACHE_DELEGATION, a private type number.  CACHE_TRUST is another.
 *
 * Which of two sets for one key stays is RFC 2181 5.4.1's ranking: a set replaces another of
 * lower or equal rank, or an expired one; a set of lower rank never replaces a live one.
 * Negative entries are ranked likewise; an NXDOMAIN takes the name's other entries of lower or
 * equal rank away, but not its CACHE_DELEGATION or CACHE_TRUST; and the other way round.  An
 * authoritative set takes a CNAME away, and a CNAME the name's NODATA (RFC 1034 3.6.2).  Neither an
 * NXDOMAIN nor a CNAME takes away what is secure, while it is not secure itself.  A failure takes nothing
 * away: it stands beside the expired set that could not be renewed, and beside what was told in passing,
 * until there is an answer.
 *
 * What has expired stays for the stale window (cache_set_stale(); RFC 8767 4), for those who ask for
 * it, and as long as no room is wanted.  A new set takes its place, but for one that is never an
 * answer (glue): that does not take the place of one that is.
 *
 * Eviction: SIEVE in each shard (common/sieve.h): a hit sets a bit, nothing is moved; a few
 *           entries an insert.
 * Memory:   accounted to the byte: sets, the proofs of denials (those that many share, once),
 *           slots and buckets, and what malloc adds.
 * Limits:   `max_entries` and `max_bytes` over all shards (0: none); a set larger than
 *           `max_set_bytes` (0: none) is not kept; CACHE_MAX_SETS_A_NAME.
 * Threads:  any; a lock for each shard, held for one probe.
 * Clock:    passed in (time of day, seconds).
 */
#ifndef RESOLVE_CACHE_H
#define RESOLVE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"

enum {
	CACHE_DELEGATION = 65281,   /* private use, RFC 6895 3.1: never on the wire */
	CACHE_TRUST = 65282,        /* what is known of a zone's being signed: see validate.h */
	CACHE_MAX_SETS_A_NAME = 64, /* or questions for every type make one long chain */
};

struct cache;

struct cache_config {
	size_t max_entries;
	size_t max_bytes;
	size_t max_set_bytes;
	unsigned shards;         /* a power of two */
	uint32_t stale_s;        /* cache_set_stale() */
	uint32_t locked_percent; /* cache_set_locked() */
};

int cache_new(struct cache **out, const struct cache_config *cfg) MUST_USE;
void cache_free(struct cache *c);

/* What is known of a name.  Each member is NULL or a reference for the caller, who gives it
 * back with cache_view_put(). */
struct cache_view {
	struct rrset *exact; /* (name, type): data or NODATA; else a failure */
	struct rrset *cname; /* the name's CNAME, when another type was asked, or what is bogus */
	struct rrset *dname; /* the name's DNAME */
	struct rrset *nxdomain;   /* the name does not exist */
	struct rrset *ns;         /* the zone's own NS set */
	struct rrset *delegation; /* the parent's NS set */
};

enum cache_want {
	CACHE_WANT_ANSWER = 1, /* exact, cname, nxdomain */
	CACHE_WANT_CUT = 2,    /* ns, delegation, dname, nxdomain */
};

/* For a name that will be looked up soon: has memory fetch what the look-up will touch, first the
 * shard, then, once that has come, what is found by it. */
void cache_fetch_shard(const struct cache *c, uint64_t name_hash);
void cache_fetch_bucket(const struct cache *c, uint64_t name_hash);
/* The same as the second, for a set of that type that will be put: an insert touches more. */
void cache_fetch_place(const struct cache *c, uint64_t name_hash, uint16_t type);

/* Looks a name up, in any case, whose name_hash() is at hand.  Only what is not expired at now_s is handed out, unless
 * `stale_s` is not 0: then also what expired at most that long ago (rrset_is_stale()).  Returns true if anything
 * was found. */
bool cache_look_hashed(struct cache *c, const uint8_t *name, uint64_t name_hash, uint16_t type,
		       unsigned want, uint32_t now_s, uint32_t stale_s, struct cache_view *view);
bool cache_look(struct cache *c, const uint8_t *name, uint16_t type, unsigned want, uint32_t now_s,
		uint32_t stale_s, struct cache_view *view);
void cache_view_put(struct cache_view *view);

/* One set: data only, of exactly that type (or CACHE_DELEGATION), rank at least `rank`.
 * A reference, or NULL. */
struct rrset *cache_get(struct cache *c, const uint8_t *name, uint16_t type, enum rank rank,
			uint32_t now_s);

/* The addresses of a name server, whose name_hash() is at hand, all under one lock; each NULL or a
 * reference.  `a` and `aaaa` are data or NODATA; an NXDOMAIN of the name comes back in both.  `glue_a`
 * and `glue_aaaa` are what the parent said in its referral.  `stale_s` as in cache_look(). */
struct cache_addresses {
	struct rrset *a, *aaaa;
	struct rrset *glue_a, *glue_aaaa;
};
void cache_get_addresses(struct cache *c, const uint8_t *name, uint64_t name_hash, uint32_t now_s,
			 uint32_t stale_s, struct cache_addresses *out);
void cache_addresses_put(struct cache_addresses *out);

enum cache_put_result {
	CACHE_STORED,
	CACHE_KEPT_BETTER, /* what is there ranks higher */
	CACHE_REFUSED,     /* too large, TTL 0, or no memory */
};

enum cache_put_how {
	CACHE_AS_DELEGATION = 1, /* the parent's word (NS, and glue), which stands beside the zone's
				    own and is never an answer */
	CACHE_REFRESHES = 2, /* asked for in order to replace what is there: no lock holds it up */
	CACHE_FILLS = 4, /* only where there is no answer, denial or alias; takes nothing away */
	CACHE_AT_CONFIGURED =
		8, /* at the name of a zone that the operator has configured: that it is not
				    there, as the zone above says who is asked for its DS, and what is
				    said in the zone itself are two questions */
};

/* Offers a set; the cache takes its own reference when it keeps it.  `how`: of cache_put_how. */
enum cache_put_result cache_put(struct cache *c, struct rrset *s, unsigned how, uint32_t now_s);
/* The same, with the name_hash() of the set's owner at hand. */
enum cache_put_result cache_put_hashed(struct cache *c, struct rrset *s, uint64_t owner_hash,
				       unsigned how, uint32_t now_s);
/* Takes that very set out again, and nothing else of its name.  False: it is not there any more. */
bool cache_drop(struct cache *c, const struct rrset *s);
/* Where that very set is still there it becomes `by`, of the same key, which takes away what it makes
 * untrue; `by` may be the set itself, whose verdict has come.  `how`: CACHE_AT_CONFIGURED or 0. */
void cache_replace(struct cache *c, const struct rrset *s, struct rrset *by, unsigned how,
		   uint32_t now_s);

/* Is there an answer, a denial or a failure, or does what expired at most `stale_s` ago show that the
 * name is there? */
bool cache_answers(struct cache *c, const uint8_t *name, uint16_t type, uint32_t now_s,
		   uint32_t stale_s);

/* Has there been an answer to it of late, though it may have expired?  (remembered.h) */
bool cache_remembers(const struct cache *c, uint64_t name_hash, uint16_t type);

struct cache_wiped {
	size_t records, negative;
};

/* Before a new denial is offered, or shown to anybody: its proofs become those that earlier ones of
 * the same zone have, where these say the same and end no more than an eighth of their life sooner;
 * the denial then ends with them.  Others are kept for later ones, but for those that have ended. */
void cache_share_proofs(struct cache *c, struct rrset *denial, uint32_t now_s);

/* Offers a set that was kept in a file, alive or within the stale window: it is taken where
 * nothing that is there contradicts it, whatever it ranks, and pushes nothing out.  Its proofs become
 * those that are there; nobody else may have seen it. */
enum cache_put_result cache_restore(struct cache *c, struct rrset *s, bool as_delegation,
				    uint32_t now_s);

/* Afterwards: its own proofs are kept for later denials, where there is room and no other. */
void cache_keep_proofs(struct cache *c, const struct rrset *denial, uint32_t now_s);

/* Between these, what cache_wipe() takes away is not restored after that; of very many wipes nothing
 * is.  Any number of threads at a time: what was wiped for one is for all. */
void cache_restore_begin(struct cache *c);
void cache_restore_end(struct cache *c);

/* Takes away what is at a name, or with `subtree` also all below it; `type` 0: every type.
 * A type means the parent's word too; an NXDOMAIN denies every type and goes with each. */
struct cache_wiped cache_wipe(struct cache *c, const uint8_t *name, uint16_t type, bool subtree);
/* Takes away everything at the names (lower case) for which `is_meant` says so; it is called with a
 * shard's lock held. */
struct cache_wiped cache_wipe_where(struct cache *c,
				    bool (*is_meant)(void *ctx, const uint8_t *name), void *ctx);

/* Changes when one of the two begins, and when it ends: what was walked through between two equal
 * numbers has lost nothing to them. */
uint64_t cache_wipes(const struct cache *c);

/* Walks everything, one shard at a time; cb gets a borrowed set.  A negative return stops, and is
 * returned.  Holds a shard's lock for collecting a few references only, never while cb runs; what
 * comes or goes meanwhile may be missed or met twice. */
int cache_walk(struct cache *c, int (*cb)(void *ctx, const struct rrset *s, bool delegation),
	       void *ctx);

struct cache_stats {
	size_t entries, negative;
	size_t most_entries; /* each shard's most, added up */
	size_t bytes;        /* of entries and their tables: what max_bytes limits */
	size_t fixed_bytes;  /* beside them, however empty it is */
	uint64_t lock_acquired, lock_contended, evicted, expired;
};
void cache_stats(struct cache *c, struct cache_stats *out);

/* New limits; shrinking happens a few entries an insert, and by cache_shrink_some(). */
void cache_set_limits(struct cache *c, size_t max_entries, size_t max_bytes);

/* While there is more than the limits allow: evicts up to `n` entries.  Returns how many. */
size_t cache_shrink_some(struct cache *c, size_t n, uint32_t now_s);

/* How long expired entries are kept; 0: no longer than until they are met.  At any time. */
void cache_set_stale(struct cache *c, uint32_t stale_s);

/* For so many percent of its TTL a set is not replaced by one that ranks no higher, or by one
 * authoritative set for another; 0: off.  At any time. */
void cache_set_locked(struct cache *c, uint32_t percent);

/* Takes away up to `n` entries that are expired for longer than the stale window; called from time
 * to time. */
size_t cache_expire_some(struct cache *c, size_t n, uint32_t now_s);

#endif
