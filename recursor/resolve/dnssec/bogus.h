/*
 * bogus: why data did not validate.
 *
 * A row of BOGUS_TABLE is one cause, as precise as we know it: what the client is told of it (info
 * code and EXTRA-TEXT of an Extended DNS Error, RFC 8914), and which of PowerDNS's reasons counts
 * it (dnssec-result-bogus-REASON).  An RRset that is bogus carries its cause; so does one that only a
 * limit makes insecure (RFC 9276 3.2), which is told and not counted as bogus.
 * To add one is to add a row.
 *
 * Threads: any; the tables are constant.
 */
#ifndef RESOLVE_DNSSEC_BOGUS_H
#define RESOLVE_DNSSEC_BOGUS_H

#include <stdint.h>

#include "common/rrtype.h"

/* reason, its metric's suffix: PowerDNS's, whether or not a cause of ours has it */
/* clang-format off */
#define BOGUS_REASONS(X)                                                                         \
	X(NO_VALID_DNSKEY, "no-valid-dnskey")                                                    \
	X(INVALID_DENIAL, "invalid-denial")                                                      \
	X(UNABLE_TO_GET_DSS, "unable-to-get-dss")                                                \
	X(UNABLE_TO_GET_DNSKEYS, "unable-to-get-dnskeys")                                        \
	X(SELF_SIGNED_DS, "self-signed-ds")                                                      \
	X(NO_RRSIG, "no-rrsig")                                                                  \
	X(NO_VALID_RRSIG, "no-valid-rrsig")                                                      \
	X(MISSING_NEGATIVE_INDICATION, "missing-negative-indication")                            \
	X(SIGNATURE_NOT_YET_VALID, "signature-not-yet-valid")                                    \
	X(SIGNATURE_EXPIRED, "signature-expired")                                                \
	X(UNSUPPORTED_DNSKEY_ALGO, "unsupported-dnskey-algo")                                    \
	X(UNSUPPORTED_DS_DIGEST_TYPE, "unsupported-ds-digest-type")                              \
	X(NO_ZONE_KEY_BIT_SET, "no-zone-key-bit-set")                                            \
	X(REVOKED_DNSKEY, "revoked-dnskey")                                                      \
	X(INVALID_DNSKEY_PROTOCOL, "invalid-dnskey-protocol")

/* cause, EDE, text, reason */
#define BOGUS_TABLE(X)                                                                           \
	/* the chain of trust */                                                                 \
	X(UNABLE_TO_GET_DSS, DNSSEC_BOGUS, "no DS could be had", UNABLE_TO_GET_DSS)              \
	X(UNABLE_TO_GET_DNSKEYS, DNSKEY_MISSING, "no DNSKEY could be had",                       \
	  UNABLE_TO_GET_DNSKEYS)                                                                 \
	X(SELF_SIGNED_DS, DNSSEC_BOGUS, "the DS is signed by the zone it is for",                \
	  SELF_SIGNED_DS)                                                                        \
	X(NO_VALID_DNSKEY, DNSKEY_MISSING, "no DNSKEY matches the DS", NO_VALID_DNSKEY)          \
	X(UNUSABLE_DNSKEY, DNSKEY_MISSING, "the DNSKEY is no key we can use", NO_VALID_DNSKEY)   \
	X(NO_ZONE_KEY_BIT_SET, NO_ZONE_KEY_BIT_SET, "the DNSKEY is no zone key",                 \
	  NO_ZONE_KEY_BIT_SET)                                                                   \
	X(REVOKED_DNSKEY, DNSKEY_MISSING, "the DNSKEY is revoked", REVOKED_DNSKEY)               \
	X(INVALID_DNSKEY_PROTOCOL, DNSKEY_MISSING, "the DNSKEY's protocol is not 3",             \
	  INVALID_DNSKEY_PROTOCOL)                                                               \
	X(UNSIGNED_DNSKEYS, DNSSEC_BOGUS, "the DNSKEYs are not signed by the one of the DS",     \
	  NO_VALID_DNSKEY)                                                                       \
	/* signatures */                                                                         \
	X(NO_RRSIG, RRSIGS_MISSING, "no RRSIG", NO_RRSIG)                                        \
	X(UNSUPPORTED_DNSKEY_ALGO, UNSUPPORTED_DNSKEY_ALGO, "no RRSIG of a known algorithm",     \
	  UNSUPPORTED_DNSKEY_ALGO)                                                               \
	X(MALFORMED_RRSIG, DNSSEC_BOGUS, "the RRSIG is malformed", NO_VALID_RRSIG)               \
	X(FOREIGN_SIGNER, DNSSEC_BOGUS, "the RRSIG is by another zone", NO_VALID_RRSIG)          \
	X(NO_KEY_OF_RRSIG, DNSSEC_BOGUS, "no DNSKEY has the RRSIG's key tag", NO_VALID_RRSIG)    \
	X(NO_VALID_RRSIG, DNSSEC_BOGUS, "the RRSIG does not verify", NO_VALID_RRSIG)             \
	X(SIGNATURE_NOT_YET_VALID, SIGNATURE_NOT_YET_VALID, "the RRSIG is not yet valid",        \
	  SIGNATURE_NOT_YET_VALID)                                                               \
	X(SIGNATURE_EXPIRED, SIGNATURE_EXPIRED, "the RRSIG has expired", SIGNATURE_EXPIRED)      \
	X(SIGNATURE_BACKWARDS, SIGNATURE_EXPIRED_BEFORE_VALID,                                   \
	  "the RRSIG expires before it is valid", NO_VALID_RRSIG)                                \
	/* denials */                                                                            \
	X(MISSING_NEGATIVE_INDICATION, NSEC_MISSING, "no NSEC or NSEC3",                         \
	  MISSING_NEGATIVE_INDICATION)                                                           \
	X(INVALID_DENIAL, NSEC_MISSING, "the NSEC or NSEC3 do not prove it", INVALID_DENIAL)     \
	X(EXPANDED_DENIAL, NSEC_MISSING, "an NSEC3 made of a wildcard", INVALID_DENIAL)          \
	/* limits */                                                                             \
	X(MAX_RRSIGS, DNSSEC_BOGUS, "max-rrsigs-per-record", NO_VALID_RRSIG)                     \
	X(MAX_DNSKEYS, DNSSEC_BOGUS, "max-dnskeys", NO_VALID_DNSKEY)                             \
	X(MAX_DS, DNSSEC_BOGUS, "max-ds-per-zone", NO_VALID_DNSKEY)                              \
	X(MAX_CHECKS, DNSSEC_BOGUS, "max-signature-validations-per-query", NO_VALID_RRSIG)       \
	X(MAX_NSEC3S, NSEC_MISSING, "max-nsec3s-per-record", INVALID_DENIAL)                     \
	X(MAX_HASHES, DNSSEC_BOGUS, "max-nsec3-hash-computations-per-query", INVALID_DENIAL)     \
	X(MAX_ITERATIONS, UNSUPPORTED_NSEC3_ITERATIONS, "nsec3-max-iterations",                  \
	  INVALID_DENIAL) /* insecure by it, never bogus */                                       \
	X(TOO_LARGE, DNSSEC_BOGUS, "too large a set to verify", NO_VALID_RRSIG)                  \
	X(OUT_OF_MEMORY, DNSSEC_INDETERMINATE, "out of memory", NO_VALID_RRSIG)                  \
	X(MAX_DS_LOOKUPS, RRSIGS_MISSING, "no RRSIG, and max-ds-lookups-per-record", NO_RRSIG)
/* clang-format on */

enum bogus_reason {
#define BOGUS_REASON_ENUM(symbol, suffix) BOGUS_REASON_##symbol,
	BOGUS_REASONS(BOGUS_REASON_ENUM)
#undef BOGUS_REASON_ENUM
		BOGUS_REASON_N,
};

enum bogus {
	BOGUS_NONE, /* it is not, or nobody knows */
#define BOGUS_ENUM(symbol, ede, text, reason) BOGUS_##symbol,
	BOGUS_TABLE(BOGUS_ENUM)
#undef BOGUS_ENUM
		BOGUS_N,
};

_Static_assert(BOGUS_N <= 32, "in five bits of struct rrset");

struct bogus_row {
	const char *text;
	int16_t ede;    /* enum ede */
	uint8_t reason; /* enum bogus_reason */
};

/* Borrowed, for good.  A number that is none, and BOGUS_NONE, have the row of what is bogus for a
 * cause that nobody knows any more: EDE 6. */
const struct bogus_row *bogus_row(unsigned bogus);

/* "signature-expired" */
const char *bogus_reason_text(enum bogus_reason reason);

#endif
