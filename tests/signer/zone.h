/*
 * zone: a signed zone in memory: its records, its keys, the chain of NSEC or NSEC3 sets, and what
 * a server adds to its answers as proof (RFC 4035 3.1, RFC 5155 7.2).
 *
 *     z = signed_zone_new(apex);
 *     signed_zone_read(z, "example. 3600 IN SOA ...\n");        or signed_zone_add()
 *     signed_zone_delegate(z, child, 2);                        a DS set for a signed child
 *     signed_zone_break(z, owner, TYPE_A, SIGN_EXPIRED);        if something is to be wrong
 *     signed_zone_sign(z, &(struct sign_policy) { .algorithm = 13, ... });
 *     set = signed_zone_find(z, owner, TYPE_A);                 with its RRSIGs
 *     n = signed_zone_prove(z, qname, qtype, proofs);
 *     signed_set_rrset(&rrset, set, NULL, now_s);
 *
 * The zone's key of number n is sign_key(algorithm, n): one key that does both, or two, the entry
 * point being that of number n + 1.  In the course of a rollover a list says what each key does.
 *
 * What is in the zone: all records of owners that are not below a delegation.  NS sets of delegations
 * and glue are in it and are not signed (RFC 4035 2.2).
 *
 * RRSIGs are made when a set is asked for the first time.
 *
 * Memory:  signed_zone_free() frees all; sets are the zone's.
 * Threads: one.
 */
#ifndef SIGNER_ZONE_H
#define SIGNER_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"
#include "tests/signer/fault.h"
#include "tests/signer/key.h"

enum {
	SIGNED_PROOFS_MAX = 4,
	SIGN_SALT_MAX = 16,
	SIGN_ALGORITHMS_MAX = 3,
	SIGN_USES_MAX = 2 * SIGN_ALGORITHMS_MAX,
};

enum sign_denial { SIGN_NSEC, SIGN_NSEC3, SIGN_OPT_OUT };

/* What a key does in a zone. */
enum {
	USE_SHOWN = 1,      /* is in the DNSKEY set */
	USE_SIGNS = 2,      /* signs all but that set */
	USE_SIGNS_KEYS = 4, /* signs that set */
	USE_TRUSTED = 8,    /* the parent has its DS */
};

struct sign_use {
	uint8_t algorithm, number;
	uint16_t flags;
	uint8_t does;
};

struct sign_policy {
	uint8_t algorithm;
	uint8_t number;                        /* of the key */
	uint8_t more[SIGN_ALGORITHMS_MAX - 1]; /* algorithms that sign as well; 0: none */
	bool two_keys;                         /* a KSK and a ZSK */
	struct sign_use uses[SIGN_USES_MAX];   /* instead of these, if the first has an algorithm */
	enum sign_denial denial;
	uint16_t iterations;
	uint8_t salt_len, salt[SIGN_SALT_MAX];
	uint32_t inception_s, expiration_s;
	enum sign_fault fault; /* of keys, of proofs, or of every signature */
};

struct signed_set {
	const uint8_t *owner; /* lower case */
	uint16_t type;
	bool is_signed; /* it is to be: authoritative data */
	uint32_t ttl;
	const struct rdata *rr;
	size_t n;
	const struct rdata *sig;
	size_t n_sig;
};

struct signed_zone;

struct signed_zone *signed_zone_new(const uint8_t *apex);
void signed_zone_free(struct signed_zone *z);
const uint8_t *signed_zone_apex(const struct signed_zone *z);

/* Before it is signed: a record, in any order, names in any case; those already there are kept once. */
void signed_zone_add(struct signed_zone *z, const uint8_t *owner, uint16_t type, uint32_t ttl,
		     const uint8_t *rdata, size_t len);
/* Lines of a zone file, each with its owner; false: one of them is no record of the zone. */
bool signed_zone_read(struct signed_zone *z, const char *text);
/* The DS set of a child that has its keys by now (it is signed), with digest 1, 2 or 4. */
void signed_zone_delegate(struct signed_zone *z, const struct signed_zone *child, unsigned digest);
/* That set's signatures will be wrong so; type 0: all sets of the owner, owner NULL: of all. */
void signed_zone_break(struct signed_zone *z, const uint8_t *owner, uint16_t type,
		       enum sign_fault fault);

/* Once. */
void signed_zone_sign(struct signed_zone *z, const struct sign_policy *p);

/* The DS rdata of its entry point (of each algorithm's; `i` counts from 0); 0: no more. */
size_t signed_zone_ds(const struct signed_zone *z, unsigned i, unsigned digest,
		      uint8_t out[SIGN_DS_MAX]);

/* The DNSKEY set, which need not have its RRSIGs yet, or NULL. */
const struct signed_set *signed_zone_keys(const struct signed_zone *z);
/* The set of an owner and type, NSEC3 sets too, or NULL. */
const struct signed_set *signed_zone_find(struct signed_zone *z, const uint8_t *owner,
					  uint16_t type);
/* The wildcard that stands in for a name that is not there (RFC 4592); false: there is none. */
bool signed_zone_wildcard(const struct signed_zone *z, const uint8_t *name,
			  uint8_t out[NAME_MAX_LEN]);
/* The delegation at or above a name (of a DS question above it), or NULL. */
const uint8_t *signed_zone_cut(const struct signed_zone *z, const uint8_t *name, uint16_t type);

/* What belongs to the zone's answer for (name, type) beside the answer's own sets: with a referral
 * the DS set or the proof that there is none, with a denial its proof, with data expanded from a
 * wildcard the proof that nothing is closer.  How many sets, SIGNED_PROOFS_MAX at most. */
size_t signed_zone_prove(struct signed_zone *z, const uint8_t *name, uint16_t type,
			 const struct signed_set *out[SIGNED_PROOFS_MAX]);
/* Does the chain know of the name?  Not of all that exist: opt-out leaves out what is not signed, and NSEC
 * what is empty. */
bool signed_zone_knows(const struct signed_zone *z, const uint8_t *name);
/* All sets of the chain: the i-th, or NULL. */
const struct signed_set *signed_zone_chain(struct signed_zone *z, size_t i);

/* As the resolver has it; `owner`: of data expanded from a wildcard, or NULL.  The caller puts it. */
struct rrset *signed_set_rrset(const struct signed_set *s, const uint8_t *owner, uint32_t now_s);

/* RFC 5155 5: SHA-1, 20 bytes. */
enum { SIGN_HASH_LEN = 20 };
void sign_hash(const uint8_t *name, uint16_t iterations, const uint8_t *salt, size_t salt_len,
	       uint8_t out[SIGN_HASH_LEN]);

#endif
