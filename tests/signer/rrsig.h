/*
 * rrsig: signs a set of records: RRSIG rdata after RFC 4034 3, right or wrong in a named way.
 *
 * Records are brought into canonical form and order (RFC 4034 6) here; the caller's may be in any
 * order and case.
 */
#ifndef SIGNER_RRSIG_H
#define SIGNER_RRSIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"
#include "tests/signer/fault.h"
#include "tests/signer/key.h"

enum { SIGN_RRSIG_MAX = 18 + NAME_MAX_LEN + SIGN_SIGNATURE_MAX };

struct sign_with {
	const struct sign_key *key;
	uint16_t flags;      /* of its DNSKEY: the tag counts them */
	const uint8_t *zone; /* the signer's name */
	uint32_t inception_s, expiration_s;
};

/* Signs the records of an owner (a wildcard as it is); of the faults those of a signature but
 * UNSIGNED.  The length of the RRSIG's rdata. */
size_t sign_records(const struct sign_with *with, enum sign_fault fault, const uint8_t *owner,
		    uint16_t type, uint32_t ttl, const struct rdata *rr, size_t n,
		    uint8_t out[SIGN_RRSIG_MAX]);

/* The names within a record's data to lower case (RFC 4034 6.2, RFC 6840 5.1). */
void sign_canonical_rdata(uint16_t type, uint8_t *rdata, size_t len);

#endif
