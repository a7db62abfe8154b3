/*
 * verify: whether an RRset is signed as its zone's keys say (RFC 4035 5.2, 5.3).
 *
 * Each call is one piece of work: at most max_rrsigs_per_record * max_dnskeys checks of signatures,
 * whatever a hostile zone sends, and of large sets half a millisecond more; work->ns tells.  Nothing
 * is remembered here but keys (keyring.h); the verdict is the caller's to keep.
 *
 * What `struct verification` tells is of the signature that verified, or of the one that came
 * closest: for a person who asks why.
 *
 * Threads: as the keyring's.
 */
#ifndef RESOLVE_DNSSEC_VERIFY_H
#define RESOLVE_DNSSEC_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rrset.h"
#include "recursor/resolve/dnssec/bogus.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "recursor/resolve/dnssec/limits.h"

/* Signatures of a set for which keys are looked for: those that no key fits cost little, but
 * not nothing. */
enum { VERIFY_MAX_RRSIGS = 32 };

struct verification {
	enum bogus why; /* BOGUS_NONE: it is signed */
	bool is_expanded; /* from a wildcard: to prove is that no closer name is there (RFC 4035 5.3.4) */
	uint8_t labels; /* of the RRSIG: the wildcard's, without its asterisk */
	uint8_t algorithm;
	uint8_t digest_type; /* of the DS that led to the key; verify_dnskeys() */
	uint16_t tag;
	uint32_t inception_s;
	uint32_t until_s; /* its expiration; nothing may be kept for longer (RFC 4035 5.3.3) */
	uint32_t ttl_max; /* the original TTL; nor with a longer one */
};

/* Is the set signed by one of the zone's keys?  `zone`: lower case, the owner or above it; for a DS
 * the caller gives the parent.  `dnskeys`: the zone's, known to be good.  SEC_SECURE or SEC_BOGUS;
 * *out is written in any case. */
enum security verify_set(struct keyring *ring, const struct dnssec_limits *limits,
			 const struct rrset *s, const uint8_t *zone, const struct rrset *dnskeys,
			 uint32_t now_s, struct dnssec_work *work, struct verification *out);

/* Is the DNSKEY set signed by one of its keys that a DS vouches for?  That key need not have its SEP
 * bit set (RFC 4034 2.1.1), nor need all algorithms of the DS have signed (RFC 6840 5.11). */
enum security verify_dnskeys(struct keyring *ring, const struct dnssec_limits *limits,
			     const struct rrset *dnskeys, const struct rrset *ds, uint32_t now_s,
			     struct dnssec_work *work, struct verification *out);

/* Is the DNSKEY set signed by this key of it, whose rdata are borrowed from the set or equal to one of
 * its records?  A revoked one as well: that is how it says so (RFC 5011 2.1). */
enum security verify_self_signed(struct keyring *ring, const struct dnssec_limits *limits,
				 const struct rrset *dnskeys, const struct dnskey *key,
				 uint32_t now_s, struct dnssec_work *work,
				 struct verification *out);

/* Has a DS set one of an algorithm and digest that we know?  Else its zone is insecure (RFC 4035 5.2, RFC
 * 6840 5.2). */
bool ds_is_usable(const struct rrset *ds, const struct dnssec_limits *limits);

#endif
