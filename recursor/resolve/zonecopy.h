/*
 * zonecopy: a whole zone as it was transferred or read from a file, and the replies that an authority
 * of it would give.
 *
 *     zonecopy_new(&z, apex, max_bytes);
 *     zonecopy_add(z, owner, type, ttl, rdata, rdlen, why);    each record, in any order
 *     zonecopy_finish(z, leave, why);                          from here on it is only read
 *     zonecopy_reply(z, name, type, limits, buf, cap, &len);   a message, as a server would send it
 *
 * The records stand once, sorted into canonical order (RFC 4034 6.1, 6.3): so the digest of the zone
 * is one walk (dnssec/zonemd.h), a name is a binary search, and the NSEC that denies a name stands
 * before it.  RRSIGs, NSEC and NSEC3 are taken as they are: nothing is signed or judged here.
 *
 * What lies outside the zone is counted and left out (RFC 8976 3.3.1).
 *
 * Memory:  reference-counted; the records' bytes, and 8 to 32 bytes of index each.
 * Limits:  `max_bytes` of both, ZONECOPY_BYTES_MAX at most.
 * Cost:    a reply is a few binary searches, whatever the zone is like; where names are hashed, a hash a label
 *          up to 1000 rounds of SHA-1, and none at all of a zone with more iterations than
 *          nsec3_max_iterations.
 * Threads: one while it is built, any number afterwards.
 */
#ifndef RESOLVE_ZONECOPY_H
#define RESOLVE_ZONECOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"
#include "common/soa.h"

#define ZONECOPY_BYTES_MAX (1U << 30)

enum { ZONECOPY_WHY_MAX = 160 };

struct dnssec_limits;
struct zonecopy;
struct zonefile_leave; /* common/zonefile.h: a zone of millions takes minutes; NULL: they are waited for */

/* `apex` is lower case; `max_bytes` 0: ZONECOPY_BYTES_MAX. */
int zonecopy_new(struct zonecopy **out, const uint8_t *apex, size_t max_bytes) MUST_USE;
struct zonecopy *zonecopy_get(struct zonecopy *z);
void zonecopy_put(struct zonecopy *z); /* accepts NULL */

/* `owner` is lower case, the rdata are sound (names whole, in any case).  E_LIMIT: too large;
 * E_MALFORMED: a type that no zone has; E_NOMEM; then some words stand in `why`. */
int zonecopy_add(struct zonecopy *z, const uint8_t *owner, uint16_t type, uint32_t ttl,
		 const uint8_t *rdata, uint16_t rdlen, char why[ZONECOPY_WHY_MAX]) MUST_USE;

/* E_MALFORMED: no SOA record or two, no NS records; E_LIMIT: too large with its index; E_NOMEM, E_STOPPED. */
int zonecopy_finish(struct zonecopy *z, const struct zonefile_leave *leave,
		    char why[ZONECOPY_WHY_MAX]) MUST_USE;

/* ---- what is in it; from zonecopy_finish() on ---- */

const uint8_t *zonecopy_apex(const struct zonecopy *z);
void zonecopy_soa(const struct zonecopy *z, struct soa *out);
size_t zonecopy_records(const struct zonecopy *z);
size_t zonecopy_bytes(const struct zonecopy *z);
size_t zonecopy_strays(const struct zonecopy *z); /* left out */

/* All records in canonical order; borrowed for the call.  E_STOPPED. */
typedef void (*zonecopy_record_cb)(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
				   const struct rdata *rr);
int zonecopy_walk(const struct zonecopy *z, const struct zonefile_leave *leave,
		  zonecopy_record_cb cb, void *ctx) MUST_USE;

/* The set of that name (lower case) and type with its RRSIGs, RANK_AUTH_ANSWER, as of `now_s`.
 * E_NOT_FOUND, E_LIMIT (more than a set may have), E_NOMEM. */
int zonecopy_set(const struct zonecopy *z, const uint8_t *name, uint16_t type, uint32_t now_s,
		 struct rrset **out) MUST_USE;

/* The NSEC or NSEC3 set that stands for the apex, and so says which types it has.  As
 * zonecopy_set(); E_UNSUPPORTED: more iterations than are allowed. */
int zonecopy_apex_denial(const struct zonecopy *z, const struct dnssec_limits *limits,
			 uint32_t now_s, struct rrset **out) MUST_USE;

/* ---- replies (RFC 1034 4.3.2, 4035 3.1, 5155 7.2, 6672) ---- */

/* The message that answers the question (name in lower case, at the apex or below), with the signatures
 * and proofs that the zone has, its id 0.  E_UNSUPPORTED: not for a copy to answer (the apex's DS,
 * ANY, too many iterations, too much hashing); E_TOO_LONG: it does not fit. */
int zonecopy_reply(const struct zonecopy *z, const uint8_t *name, uint16_t type,
		   const struct dnssec_limits *limits, uint8_t *buf, size_t cap,
		   size_t *len) MUST_USE;

#endif
