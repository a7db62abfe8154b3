/*
 * keyring: public keys made ready for OpenSSL, and what else a check of a signature needs by it.
 *
 * To make a key costs as much as half a check with it, so those in use are kept.  A key is found
 * by its algorithm and its very bytes, whatever zone it is of: nothing has to be taken out when
 * a zone's keys change, and the zones that one provider signs with one key share it.  Bytes that
 * make no key are kept as that.
 *
 * Also kept: a context for each hash, and the place where sets are put into canonical form; so that
 * a check allocates nothing but what OpenSSL does inside.
 *
 * Memory:  at most KEYRING_KEY_BYTES a key, whatever its kind (OpenSSL 3: 0.7 to 3.9 KB once it has been
 *          used); the least useful go (SIEVE).
 * Limits:  `max` keys.
 * Threads: one keyring, one resolver.
 */
#ifndef RESOLVE_DNSSEC_KEYRING_H
#define RESOLVE_DNSSEC_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/dnssec/algorithm.h"
#include "recursor/resolve/dnssec/canonical.h"
#include "recursor/resolve/dnssec/key.h"
#include "recursor/resolve/dnssec/pubkey.h"

enum { KEYRING_KEYS_DEFAULT = 4096, KEYRING_KEY_BYTES = 4096 };

struct keyring;

/* E_NOMEM, E_UNSUPPORTED (OpenSSL has not even SHA-256). */
int keyring_new(struct keyring **out, size_t max) MUST_USE;
/* Accepts NULL. */
void keyring_free(struct keyring *r);
/* Those above the new limit go at once. */
void keyring_configure(struct keyring *r, size_t max);

struct keyring_stats {
	size_t keys, bytes; /* that are there; and no less than they take, with the ring itself */
	uint64_t hits, misses;
};
struct keyring_stats keyring_stats(const struct keyring *r);

/* The key of a DNSKEY, borrowed until the next call of this function.  E_UNSUPPORTED: it is no key of
 * its algorithm, or of a size that we do not use; E_NOMEM. */
int keyring_find(struct pubkey **out, struct keyring *r, const struct dnskey *k) MUST_USE;

/* Into `out`, which has room for HASH_MAX_LEN bytes.  E_UNSUPPORTED. */
int keyring_hash(struct keyring *r, enum hash h, uint8_t *out, const void *data,
		 size_t len) MUST_USE;

/* The places to work in; their content is anybody's. */
struct canonical *keyring_canonical(struct keyring *r);
/* Room for so many; NULL: there is no memory for it. */
uint16_t *keyring_tags(struct keyring *r, size_t n);

#endif
