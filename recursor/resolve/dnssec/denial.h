/*
 * denial: what NSEC and NSEC3 records prove not to be.
 *
 * RFC 4035 5.4 with RFC 4592 and RFC 6840 4 for NSEC; RFC 5155 8 with RFC 9276 for NSEC3.
 *
 * A proof is a handful of NSEC or NSEC3 sets of one zone, each of which verified as secure already.
 * Only what verified is believed, and of that only what was meant: a set is passed over when it is
 * not signed by the proof's zone (the parent's NSEC is no word on the child's data), when it came
 * out of a wildcard itself, when it stands outside the zone or its rdata are malformed, and where it
 * would deny names below a zone cut or a DNAME.
 *
 * Memory:  nothing is kept; NSEC3 borrows OpenSSL's digest for a call.
 * Limits:  dnssec_limits: NSEC3 records looked at, iterations, hashes for one query.  One call does
 *          at most max_nsec3_hashes of SHA-1: 0.1 ms.
 * Threads: any.
 */
#ifndef RESOLVE_DNSSEC_DENIAL_H
#define RESOLVE_DNSSEC_DENIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"
#include "recursor/resolve/dnssec/limits.h"

struct denial_proof {
	const uint8_t *zone;       /* whose keys signed the sets */
	struct rrset *const *sets; /* others than NSEC and NSEC3 are passed over */
	size_t n;
};

enum denial {
	DENIAL_PROVED,
	DENIAL_INSECURE, /* an opt-out covers it, or denial_has_many_iterations() */
	DENIAL_NOT_PROVED,
	DENIAL_TOO_COSTLY, /* work->met_limit says which limit was met */
};

/* What is wanting in a proof that is none.  symbol, is it about a wildcard, how it is told */
/* clang-format off */
#define DENIAL_GAPS(X)                                                                           \
	X(NONE, false, NULL)                                                                     \
	X(ZONE, false, "none of the records is of a zone that may speak of this name")           \
	X(CHILD, false, "a zone that is signed lies between, for which they do not speak")       \
	X(NAME, false, "no NSEC covers this name")                                               \
	X(EXISTS, false, "the records say that this name exists")                                \
	X(TYPE, false, "the NSEC or NSEC3 of this name does not deny the type")                  \
	X(ENCLOSER, false, "no NSEC3 matches this name or one above it: no closest encloser")    \
	X(BELOW_CUT, false, "this closest encloser is a zone cut or an alias: not theirs to deny") \
	X(NEXT_CLOSER, false, "no NSEC or NSEC3 covers this next closer name")                   \
	X(WILDCARD, true, "no NSEC or NSEC3 covers this wildcard")                               \
	X(WILDCARD_NODE, true, "no NSEC or NSEC3 matches this wildcard")                         \
	X(WILDCARD_TYPE, true, "the NSEC or NSEC3 of this wildcard does not deny the type")
/* clang-format on */

enum denial_gap {
#define DENIAL_GAP_ENUM(symbol, is_wildcard, text) DENIAL_GAP_##symbol,
	DENIAL_GAPS(DENIAL_GAP_ENUM)
#undef DENIAL_GAP_ENUM
		DENIAL_GAP_N
};

/* After DENIAL_NOT_PROVED of `name`: what was wanting; NULL: it is not known.  Writes the name that it is
 * about: that name, one above it, or a wildcard there. */
const char *denial_gap_text(const struct dnssec_work *work, const uint8_t *name,
			    uint8_t about[NAME_MAX_LEN]);

/* Neither the name nor a wildcard for it exists. */
enum denial denial_nxdomain(const struct dnssec_limits *limits, const struct denial_proof *proof,
			    const uint8_t *name, struct dnssec_work *work);

/* The name, or the wildcard for it, exists without the type and without an alias; or it is an empty
 * non-terminal. */
enum denial denial_nodata(const struct dnssec_limits *limits, const struct denial_proof *proof,
			  const uint8_t *name, uint16_t type, struct dnssec_work *work);

/* Data of `name` were expanded from the wildcard below its last `labels` labels (the RRSIG's field):
 * nothing closer to the name exists. */
enum denial denial_wildcard(const struct dnssec_limits *limits, const struct denial_proof *proof,
			    const uint8_t *name, unsigned labels, struct dnssec_work *work);

/* What a zone says of a name of its own that has no DS. */
enum ds_denial {
	DS_DENIAL_CUT,     /* NS without DS: an insecure delegation */
	DS_DENIAL_NO_CUT,  /* the name is there without NS: the zone goes on */
	DS_DENIAL_NO_NAME, /* no such name, whatever wildcards say: they make no zone cuts */
	DS_DENIAL_OPT_OUT, /* there may be an insecure delegation, or nothing */
	DS_DENIAL_MANY_ITERATIONS, /* nothing that NSEC3 says is heard: insecure */
	DS_DENIAL_NOT_PROVED,
	DS_DENIAL_TOO_COSTLY,
};

enum ds_denial denial_ds(const struct dnssec_limits *limits, const struct denial_proof *proof,
			 const uint8_t *name, struct dnssec_work *work);

/* `name`, in the proof's zone, is no zone cut by the proof, nor are the names between it and `whole` of no more
 * than so many labels: all empty non-terminals of one NSEC. */
unsigned denial_empty_labels(const struct denial_proof *proof, const uint8_t *name,
			     const uint8_t *whole);

/* The proof's NSEC3 records ask for more iterations than allowed (RFC 9276 3.2, EDE 27): that is why
 * it is insecure, and not by an opt-out. */
bool denial_has_many_iterations(const struct dnssec_limits *limits,
				const struct denial_proof *proof);

#endif
