/*
 * zonemd: whether a zone is as its publisher digested it (RFC 8976).
 *
 *     zonemd_new(&m, apex, serial, zonemds);         which of the ZONEMD records are of use?
 *     zonemd_record(m, owner, type, ttl, rdata);     every record of the zone, in canonical order
 *     verdict = zonemd_end(m);                       frees it
 *
 * Of use is a record of scheme SIMPLE (2.2.2) and of SHA-384 or SHA-512 (2.2.3), with a digest as long as
 * that hash's, the zone's own serial, and no other of the same scheme and hash beside it (2.2.3, 4).  One
 * that matches is enough; others are passed over.  Whether the ZONEMD records themselves may be
 * believed (DNSSEC) is the caller's to find out; without it the digest is a mere checksum.
 *
 * Left out of the digest are the apex ZONEMD records and their RRSIGs; the caller leaves out what is out of the
 * zone, and brings each record once.
 *
 * Memory:  the hashes' states, and room for one record.
 * Threads: one at a time.
 */
#ifndef RESOLVE_DNSSEC_ZONEMD_H
#define RESOLVE_DNSSEC_ZONEMD_H

#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"

/* symbol, words for people */
/* clang-format off */
#define ZONEMD_VERDICTS(X)                                                                       \
	X(MATCHES, "its ZONEMD digest is right")                                                 \
	X(NONE, "it has no ZONEMD record")                                                       \
	X(DIFFERS, "its ZONEMD digest is wrong")                                                 \
	X(SERIAL, "its ZONEMD record is of another serial")                                      \
	X(UNSUPPORTED, "its ZONEMD records are of schemes or hashes unknown here")               \
	X(AMBIGUOUS, "two of its ZONEMD records are of one scheme and hash")
/* clang-format on */

enum zonemd {
#define ZONEMD_ENUM(symbol, text) ZONEMD_##symbol,
	ZONEMD_VERDICTS(ZONEMD_ENUM)
#undef ZONEMD_ENUM
};

const char *zonemd_text(enum zonemd verdict);

struct zonemd_digest;

/* `zonemds`: the set at the apex, or NULL; it stays until the end.  E_NOMEM; E_UNSUPPORTED: OpenSSL has
 * not the hash. */
int zonemd_new(struct zonemd_digest **out, const uint8_t *apex, uint32_t serial,
	       const struct rrset *zonemds) MUST_USE;
/* One is of use: the records are wanted. */
bool zonemd_wants_records(const struct zonemd_digest *m);
void zonemd_record(struct zonemd_digest *m, const uint8_t *owner, uint16_t type, uint32_t ttl,
		   const struct rdata *rr);
enum zonemd zonemd_end(struct zonemd_digest *m);
void zonemd_free(struct zonemd_digest *m); /* accepts NULL */

/* canonical_rdata() of what a zone holds: the signer's name of an RRSIG in lower case too (RFC 6840 5.1),
 * which no signature covers but a digest does. */
void zonemd_canonical(uint8_t *out, uint16_t type, const struct rdata *rr);

#endif
