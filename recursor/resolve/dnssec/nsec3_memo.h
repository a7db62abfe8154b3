/*
 * nsec3_memo: hashes of names for NSEC3 (RFC 5155 5) that were made a moment ago.
 *
 * One name is hashed for several ends: to look whether proofs seen before deny it (RFC 8198), to validate
 * its own denial, for trust to read what that says of a zone cut, and all again for the next name below it.
 * A hash that is remembered costs nothing, so a client query's budget has it once.
 *
 * Memory:  a fixed table; a newer name takes an older one's slot.  Names and salts that are longer than
 *          its slots are not remembered.
 * Threads: one memo, one resolver.
 */
#ifndef RESOLVE_DNSSEC_NSEC3_MEMO_H
#define RESOLVE_DNSSEC_NSEC3_MEMO_H

#include <stdint.h>

#include "recursor/resolve/dnssec/nsec3.h"

enum {
	NSEC3_MEMO_SLOTS = 512, /* a power of two */
	NSEC3_MEMO_NAME_MAX = 128,
	NSEC3_MEMO_SALT_MAX = 16,
};

/* Zeroed, it is empty. */
struct nsec3_memo {
	struct nsec3_remembered {
		uint16_t iterations;
		uint8_t salt_len;
		uint8_t name_len; /* 0: nothing */
		uint8_t salt[NSEC3_MEMO_SALT_MAX];
		uint8_t hash[NSEC3_HASH_LEN];
		uint8_t name[NSEC3_MEMO_NAME_MAX]; /* lower case */
	} slots[NSEC3_MEMO_SLOTS];
};

/* The name's hash, borrowed until the next call; NULL: it is not remembered.  `m` may be NULL, which
 * remembers nothing. */
const uint8_t *nsec3_memo_find(const struct nsec3_memo *m, const struct nsec3_param *param,
			       const uint8_t *name);

/* From now on it is, unless it is too long. */
void nsec3_memo_keep(struct nsec3_memo *m, const struct nsec3_param *param, const uint8_t *name,
		     const uint8_t hash[NSEC3_HASH_LEN]);

/* nsec3_hash(), if it is not remembered; and keeps it.  E_NOMEM. */
int nsec3_memo_hash(struct nsec3_memo *m, uint8_t out[NSEC3_HASH_LEN],
		    const struct nsec3_param *param, const uint8_t *name) MUST_USE;

#endif
