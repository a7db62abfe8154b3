/*
 * nsec: denial by NSEC records (RFC 4034 4, RFC 4035 5.4): the functions of denial.h for a proof's NSEC
 * sets, and one record for who keeps them.
 *
 * Names are within the proof's zone: denial.c has looked.
 * Threads: pure functions.
 */
#ifndef RESOLVE_DNSSEC_NSEC_H
#define RESOLVE_DNSSEC_NSEC_H

#include <stdbool.h>
#include <stdint.h>

#include "recursor/resolve/dnssec/denial.h"
#include "recursor/resolve/dnssec/proof.h"

/* Borrowed from the set. */
struct nsec {
	const uint8_t *owner, *next; /* `next` in any case */
	struct typemap types;
};

/* False for any other set than an NSEC that may be used for the zone (denial.h). */
bool nsec_read(struct nsec *out, const struct rrset *s, const uint8_t *zone);

/* The same of a set that nsec_read() has taken before. */
void nsec_open(struct nsec *out, const struct rrset *s);

/* The name, which is not the owner, is in the gap: no records of that name.  It may be an empty
 * non-terminal. */
bool nsec_covers(const struct nsec *n, const uint8_t *zone, const uint8_t *name);

/* In the gap, and nothing below it either. */
bool nsec_is_absent(const struct nsec *n, const uint8_t *zone, const uint8_t *name);

/* The closest encloser of a name that is absent by this record; a suffix of `name`. */
const uint8_t *nsec_encloser(const struct nsec *n, const uint8_t *name);

enum denial nsec_nxdomain(const struct denial_proof *proof, const uint8_t *name,
			  struct dnssec_work *work);
enum denial nsec_nodata(const struct denial_proof *proof, const uint8_t *name, uint16_t type,
			struct dnssec_work *work);
enum denial nsec_wildcard(const struct denial_proof *proof, const uint8_t *name, unsigned labels,
			  struct dnssec_work *work);
enum ds_denial nsec_ds(const struct denial_proof *proof, const uint8_t *name,
		       struct dnssec_work *work);
/* denial_empty_labels() */
unsigned nsec_empty_labels(const struct denial_proof *proof, const uint8_t *name,
			   const uint8_t *whole);

#endif
