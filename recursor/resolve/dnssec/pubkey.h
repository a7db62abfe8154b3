/*
 * pubkey: the arithmetic of one public key, by OpenSSL.
 *
 * A pubkey is made once from the bytes of a DNSKEY and then checks any number of signatures; the
 * context that OpenSSL wants for that is kept in it, so that a check allocates nothing of ours.
 *
 * Limits:  RSA moduli of PUBKEY_RSA_MIN_BITS to PUBKEY_RSA_MAX_BITS bits and exponents of at most
 *          PUBKEY_RSA_EXPONENT_BITS: a check then takes less than a millisecond.
 * Threads: a pubkey is used by one at a time.
 */
#ifndef RESOLVE_DNSSEC_PUBKEY_H
#define RESOLVE_DNSSEC_PUBKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/dnssec/algorithm.h"

enum {
	PUBKEY_RSA_MIN_BITS = 512,
	PUBKEY_RSA_MAX_BITS = 4096,
	PUBKEY_RSA_EXPONENT_BITS = 64,
};

struct pubkey;

/* `key` is the DNSKEY's public key field.  E_MALFORMED: it is none of that algorithm; E_LIMIT;
 * E_UNSUPPORTED: OpenSSL or its policy refuses; E_NOMEM. */
int pubkey_new(struct pubkey **out, const struct algorithm *a, const uint8_t *key,
	       size_t len) MUST_USE;
/* Accepts NULL. */
void pubkey_free(struct pubkey *k);

/* About what a check takes, to share out time by; at most 600 us but for P-384. */
unsigned pubkey_check_us(const struct pubkey *k);

/* Is it this key's signature?  `data`: the hash of what is signed, or all of it where the algorithm
 * names no hash.  `sig` is the RRSIG's signature field. */
bool pubkey_check(struct pubkey *k, const uint8_t *data, size_t len, const uint8_t *sig,
		  size_t sig_len);

#endif
