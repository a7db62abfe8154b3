/*
 * limits: what validation may cost, and what of it has been spent.
 *
 * A hostile zone chooses how many keys, signatures and hashes its answers take (KeyTrap,
 * CVE-2023-50387; costly NSEC3, CVE-2023-50868).  Every function that does such work is told the
 * limits, and adds to `struct dnssec_work` what it did; within one call no limit is passed: it stops,
 * says in `met_limit` which it met, and what it was to prove is not proved.  What the calls for one query
 * come to is the caller's to add up (goal_charge_work()).
 *
 * In all of them but the inception's skew, 0 means: no limit.
 */
#ifndef RESOLVE_DNSSEC_LIMITS_H
#define RESOLVE_DNSSEC_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "recursor/resolve/dnssec/bogus.h"

/* The most that RFC 5155 10.3 knows of: holds where no limit is set, too. */
enum { NSEC3_MAX_ITERATIONS = 2500 };

struct dnssec_limits {
	uint32_t max_rrsigs_per_record; /* tried of one set */
	uint32_t max_dnskeys;           /* tried of one tag and algorithm */
	uint32_t max_ds_per_zone;
	uint32_t max_ds_lookups_per_record; /* for the cut that makes an unsigned set insecure */
	uint32_t max_signature_validations; /* for one query */
	uint32_t nsec3_max_iterations;      /* more: the zone counts as insecure (RFC 9276 3.2) */
	uint32_t max_nsec3s_per_record;     /* looked at for one denial */
	uint32_t max_nsec3_hashes;          /* for one query; an iteration is one, too */
	uint32_t signature_inception_skew_s;
	uint64_t disabled_algorithms[4]; /* a bit for each number */
};

/* The defaults of the settings of these names. */
#define DNSSEC_LIMITS_DEFAULTS                                                                     \
	{                                                                                          \
		.max_rrsigs_per_record = 2, .max_dnskeys = 2, .max_ds_per_zone = 8,                \
		.max_ds_lookups_per_record = 40, .max_signature_validations = 30,                  \
		.nsec3_max_iterations = 50, .max_nsec3s_per_record = 10, .max_nsec3_hashes = 600,  \
		.signature_inception_skew_s = 60,                                                  \
	}

struct nsec3_memo;

/* Spent by the calls that it was handed to. */
struct dnssec_work {
	struct nsec3_memo *memo; /* of hashes that cost nothing; borrowed, or NULL */
	uint32_t checks;         /* of signatures */
	uint32_t hashes;         /* of NSEC3: each application of SHA-1 */
	uint64_t ns;             /* about what all of it took but these hashes: see verify.c */
	enum bogus met_limit;    /* BOGUS_NONE: none was */
	/* What a denial that is not proved wants: see denial_gap_text(). */
	uint8_t gap;        /* enum denial_gap */
	uint8_t gap_labels; /* of the name that it is about */
};

static inline bool dnssec_is_disabled(const struct dnssec_limits *limits, uint8_t algorithm)
{
	return (limits->disabled_algorithms[algorithm / 64] >> (algorithm % 64) & 1) != 0;
}

#endif
