/*
 * key: DNSKEY, DS and RRSIG records, read from their rdata.
 *
 * The structs borrow from the rdata that they were read from.
 *
 * Threads: pure functions.
 */
#ifndef RESOLVE_DNSSEC_KEY_H
#define RESOLVE_DNSSEC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"
#include "recursor/resolve/dnssec/algorithm.h"

enum {
	DNSKEY_ZONE = 0x0100,   /* RFC 4034 2.1.1 */
	DNSKEY_REVOKE = 0x0080, /* RFC 5011 3 */
	DNSKEY_SEP = 0x0001,
	DNSKEY_PROTOCOL = 3,
	DNSKEY_KEY_MAX = 1024, /* longer than the key of any algorithm here */
	DNSKEY_HEAD_LEN = 4,   /* before the key; the digest; the signer's name */
	DS_HEAD_LEN = 4,
	RRSIG_HEAD_LEN = 18,
};

/* RFC 4034 2.1 */
struct dnskey {
	uint16_t flags;
	uint8_t protocol;
	uint8_t algorithm;
	uint16_t key_len;
	const uint8_t *key;
	struct rdata rdata;
};

/* RFC 4034 5.1 */
struct ds {
	uint16_t tag;
	uint8_t algorithm;
	uint8_t digest_type;
	uint16_t digest_len;
	const uint8_t *digest;
};

/* RFC 4034 3.1 */
struct rrsig {
	uint16_t type_covered;
	uint8_t algorithm;
	uint8_t labels;
	uint32_t original_ttl;
	uint32_t expiration_s, inception_s;
	uint16_t tag;
	uint16_t signature_len;
	const uint8_t *signer; /* as received: its case may be mixed */
	const uint8_t *signature;
	const uint8_t *head; /* RRSIG_HEAD_LEN bytes */
};

/* E_TRUNCATED, E_MALFORMED, or what name_check() says of the signer. */
int dnskey_read(struct dnskey *k, const struct rdata *rr) MUST_USE;
int ds_read(struct ds *d, const struct rdata *rr) MUST_USE;
int rrsig_read(struct rrsig *s, const struct rdata *rr) MUST_USE;

/* RFC 4034 B: of a DNSKEY's rdata, at least 4 bytes. */
uint16_t dnskey_tag(const struct rdata *rr);

/* The digest that a DS has for a key of that owner (RFC 4034 5.1.4).  E_UNSUPPORTED: a digest type
 * that we do not know or OpenSSL refuses. */
int dnskey_digest(uint8_t out[HASH_MAX_LEN], size_t *len, unsigned digest_type,
		  const uint8_t *owner, const struct rdata *dnskey) MUST_USE;

/* Is the DS of that key: tag, algorithm and digest?  Whether the key may be used is another matter. */
bool ds_matches(const struct ds *d, const uint8_t *owner, const struct dnskey *k);

/* a is before b in serial number arithmetic (RFC 4034 3.1.5, RFC 1982). */
static inline bool serial_is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

#endif
