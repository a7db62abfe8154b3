/*
 * nsec3: denial by NSEC3 records (RFC 5155 8, RFC 9276): the functions of denial.h for a proof's NSEC3
 * sets, one record for who keeps them, and the hash.
 *
 * A hash of a name is SHA-1 (the only one there is), iterated: the zone chooses how often.
 *
 * Names are within the proof's zone: denial.c has looked.
 * Threads: any.
 */
#ifndef RESOLVE_DNSSEC_NSEC3_H
#define RESOLVE_DNSSEC_NSEC3_H

#include <stdbool.h>
#include <stdint.h>

#include "recursor/resolve/dnssec/denial.h"
#include "recursor/resolve/dnssec/proof.h"

enum {
	NSEC3_HASH_LEN = 20,
	NSEC3_LABEL_LEN = 32, /* a hash in base32hex */
};

/* How a zone's names are hashed; the salt is borrowed. */
struct nsec3_param {
	const uint8_t *salt;
	uint16_t iterations;
	uint8_t salt_len;
};

/* Borrowed from the set, but for the owner's hash. */
struct nsec3 {
	uint8_t owner[NSEC3_HASH_LEN];
	const uint8_t *next;
	struct nsec3_param param;
	struct typemap types;
	bool has_opt_out;
};

/* False for any other set than an NSEC3 that may be used for the zone (denial.h), of an unknown
 * algorithm, or with unknown flags (RFC 5155 8.1, 8.2). */
bool nsec3_read(struct nsec3 *out, const struct rrset *s, const uint8_t *zone);

/* The same of a set that nsec3_read() has taken before, but for the owner's hash. */
void nsec3_open(struct nsec3 *out, const struct rrset *s);

bool nsec3_param_equal(const struct nsec3_param *a, const struct nsec3_param *b);

/* The hash is in the gap between owner and next. */
bool nsec3_covers(const struct nsec3 *n, const uint8_t hash[NSEC3_HASH_LEN]);

/* E_NOMEM. */
int nsec3_hash(uint8_t out[NSEC3_HASH_LEN], const struct nsec3_param *param,
	       const uint8_t *name) MUST_USE;

/* A hash as a label: "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", lower case, without a closing zero; and back
 * (in any case).  False: no such label. */
void nsec3_label_write(uint8_t out[NSEC3_LABEL_LEN], const uint8_t hash[NSEC3_HASH_LEN]);
bool nsec3_label_read(uint8_t out[NSEC3_HASH_LEN], const uint8_t *label);

/* More than are heard of (RFC 9276 3.2)? */
bool nsec3_is_too_many(const struct dnssec_limits *limits, uint16_t iterations);
bool nsec3_has_many_iterations(const struct dnssec_limits *limits,
			       const struct denial_proof *proof);

enum denial nsec3_nxdomain(const struct dnssec_limits *limits, const struct denial_proof *proof,
			   const uint8_t *name, struct dnssec_work *work);
enum denial nsec3_nodata(const struct dnssec_limits *limits, const struct denial_proof *proof,
			 const uint8_t *name, uint16_t type, struct dnssec_work *work);
enum denial nsec3_wildcard(const struct dnssec_limits *limits, const struct denial_proof *proof,
			   const uint8_t *name, unsigned labels, struct dnssec_work *work);
enum ds_denial nsec3_ds(const struct dnssec_limits *limits, const struct denial_proof *proof,
			const uint8_t *name, struct dnssec_work *work);

#endif
