/*
 * aggressive: answers from proofs that came with other answers (RFC 8198).
 *
 * An NSEC or NSEC3 record that denied one name denies all names of its gap.  What was verified is kept
 * here by zone and in order, so that the next random name below a signed zone is answered without
 * asking anybody: that it does not exist, that it has no such type, or with what a wildcard has for it.
 *
 *     zone -> SOA
 *             NSEC by owner, in canonical order     NSEC3 by hash     data made of wildcards
 *
 * Only what verified is taken: SEC_SECURE, signed by the zone (proof.h).  Nothing is answered longer
 * than each of its records lasts by its TTL and by its signatures, and a denial no longer than the SOA
 * allows (RFC 8198 5.4, RFC 9077).  An opt-out denies nothing.  Records that deny next to nothing (white
 * lies, the gaps of large NSEC3 zones) are not kept.  A newer record takes those away that it
 * contradicts, as far as they are its neighbours.
 *
 * Cost:    a look-up where nothing is known of a zone: one atomic load; else a hash and a load for each
 *          label, and, for the zone that is found, its shard's lock for one search.
 * Memory:  entries, and references to sets that are charged as shared (common/rrset.h).
 *          Eviction is SIEVE (common/sieve.h), out of the fullest shard.
 * Limits:  `max_entries` over all; a set of more than AGGRESSIVE_MAX_SET_BYTES is not kept.
 * Threads: any; a lock for each shard, in which a zone is as a whole.
 * Clock:   passed in (time of day, seconds).
 */
#ifndef RESOLVE_DNSSEC_AGGRESSIVE_H
#define RESOLVE_DNSSEC_AGGRESSIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"

enum { AGGRESSIVE_MAX_SET_BYTES = 4096 };

struct aggressive;
struct nsec3_memo;

struct aggressive_config {
	size_t max_entries;            /* 0: off */
	uint32_t min_nsec3_hit_ratio;  /* gaps below 1/n of all hashes are not kept; 0: none is */
	uint32_t max_nsec3_iterations; /* as in dnssec_limits */
	uint32_t max_nsec3_hash_cost;  /* names that may take more hashes are not looked up */
	uint32_t max_negative_ttl;     /* of what denials are made; 0: as their records last */
};

int aggressive_new(struct aggressive **out, const struct aggressive_config *cfg) MUST_USE;
void aggressive_free(struct aggressive *a);

/* For a cache in use; takes away at once what is too much. */
void aggressive_configure(struct aggressive *a, const struct aggressive_config *cfg);

/* Tells it of a set that verified: NSEC, NSEC3, or data made of a wildcard (by their RRSIGs' labels)
 * whose proof verified, too; any other is passed over.  `soa`: of the same answer and secure, or NULL.
 * References are taken. */
void aggressive_put(struct aggressive *a, const uint8_t *zone, struct rrset *set, struct rrset *soa,
		    uint32_t now_s);

enum aggressive_hit {
	AGGRESSIVE_NONE,
	AGGRESSIVE_NSEC, /* a denial, by NSEC; by NSEC3 */
	AGGRESSIVE_NSEC3,
	AGGRESSIVE_NSEC_WILDCARD, /* data made of a wildcard, by NSEC; by NSEC3 */
	AGGRESSIVE_NSEC3_WILDCARD,
};

/* Looks in the deepest zone known of at or above the name (above it, for its DS); `name` is lower case;
 * `memo` may be NULL.  Of a private type nothing is known.
 * *out, unless NONE, is a new set for the caller: a denial with its SOA and its proofs; or data with the
 * wildcard's RRSIGs, likewise (a CNAME set, when the wildcard has that).  It is SEC_SECURE, and its TTL is
 * what is left of all that it was made of. */
enum aggressive_hit aggressive_look(struct aggressive *a, const uint8_t *name, uint16_t type,
				    uint32_t now_s, struct nsec3_memo *memo, struct rrset **out);

/* Forgets what would answer for the name (or, with `subtree`, for all below it): its zone's records,
 * and those of the zones above that speak of it.  Returns how many entries went. */
size_t aggressive_wipe(struct aggressive *a, const uint8_t *name, bool subtree);

/* Takes away what has expired among the next `n` entries; called from time to time. */
size_t aggressive_expire_some(struct aggressive *a, size_t n, uint32_t now_s);

/* Walks everything; cb gets a borrowed set: NSEC, NSEC3, or data with a wildcard as owner.  A negative
 * return stops, and is returned.  No lock is held while cb runs; what comes or goes meanwhile may be
 * missed or met twice. */
int aggressive_walk(struct aggressive *a, int (*cb)(void *ctx, const struct rrset *s), void *ctx);

struct aggressive_sum {
	size_t entries, zones, bytes; /* bytes: without the sets */
};
size_t aggressive_entries(const struct aggressive *a);
void aggressive_sum(struct aggressive *a, struct aggressive_sum *out);

#endif
