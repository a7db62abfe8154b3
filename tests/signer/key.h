/*
 * key: keys for zones that tests sign, one for each algorithm and number, the same in every run.
 *
 * A private key follows from its algorithm and number alone, and a signature from the key and what
 * is signed (ECDSA's secret number is a hash of both, as in RFC 6979), so that a run repeats to the
 * last bit.  Nothing of the recursor's own DNSSEC is used: it is what is tested.
 *
 * Algorithms: 5, 7, 8, 10 (RSA of 1024 bits, 2048 from number SIGN_KEY_LARGE on), 13, 14, 15, 16.
 *
 * Memory:  keys are made when they are first asked for and kept until the process ends.
 * Threads: one.
 */
#ifndef SIGNER_KEY_H
#define SIGNER_KEY_H

#include <stddef.h>
#include <stdint.h>

enum {
	SIGN_KEYS_MAX = 64, /* of an algorithm */
	SIGN_KEY_LARGE = 48,
	SIGN_SIGNATURE_MAX = 256,
	SIGN_DNSKEY_MAX = 4 + 4 + 256,
	SIGN_DS_MAX = 4 + 64,
	SIGN_ZSK = 0x0100, /* flags: a zone's key (RFC 4034 2.1.1) */
	SIGN_KSK = 0x0101, /* and an entry point */
	SIGN_REVOKED = 0x0080,
};

struct sign_key;

/* Borrowed.  An algorithm that is none of the above is a mistake of the caller's. */
const struct sign_key *sign_key(unsigned algorithm, unsigned number);
uint8_t sign_key_algorithm(const struct sign_key *k);

/* The rdata of its DNSKEY record; the length. */
size_t sign_key_dnskey(const struct sign_key *k, uint16_t flags, uint8_t out[SIGN_DNSKEY_MAX]);
/* RFC 4034 B. */
uint16_t sign_dnskey_tag(const uint8_t *rdata, size_t len);
uint16_t sign_key_tag(const struct sign_key *k, uint16_t flags);

/* The rdata of the DS record of a DNSKEY; digest 1, 2 or 4. */
size_t sign_ds(const uint8_t *owner, const uint8_t *dnskey, size_t len, unsigned digest,
	       uint8_t out[SIGN_DS_MAX]);

/* The signature as an RRSIG has it; the length. */
size_t sign_bytes(const struct sign_key *k, const uint8_t *data, size_t len,
		  uint8_t out[SIGN_SIGNATURE_MAX]);

#endif
