/*
 * proof: what NSEC and NSEC3 records have in common: type bitmaps, and which sets may be used.
 *
 * Threads: pure functions.
 */
#ifndef RESOLVE_DNSSEC_PROOF_H
#define RESOLVE_DNSSEC_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"
#include "recursor/resolve/dnssec/denial.h"

/* The types that a name has (RFC 4034 4.1.2); borrowed from the rdata. */
struct typemap {
	const uint8_t *data;
	size_t len;
};

/* Well-formed: windows in order, none empty, none past the end. */
bool typemap_is_valid(const struct typemap *m);

bool typemap_has(const struct typemap *m, uint16_t type);

/* A zone cut seen from above: NS without SOA. */
bool typemap_is_cut(const struct typemap *m);

/* A zone cut or a DNAME: names below it are not of this zone, whose proofs say nothing of them (RFC 6840
 * 4.1, RFC 6672 5.3.4.1, RFC 5155 8.3). */
bool typemap_ends_zone(const struct typemap *m);

/* The name whose types these are has no records of `type` and no alias, and the zone that says so is
 * the one to ask (RFC 4035 5.2, 5.4; RFC 6840 4.3, 4.4). */
bool typemap_denies(const struct typemap *m, const uint8_t *name, uint16_t type);

/* What they say, as those of a name of the zone, of a DS at that name. */
enum ds_denial typemap_ds(const struct typemap *m, const uint8_t *name);

/* One record of `type`, signed by the zone alone, of an owner as it stands in the zone.  Sets *rr. */
bool proof_read(const struct rrset *s, uint16_t type, const uint8_t *zone, struct rdata *rr);

/* Not proved, for want of that; `name`: the end of the one that was to be denied, that whole. */
static inline enum denial proof_lacks(struct dnssec_work *work, enum denial_gap gap,
				      const uint8_t *name)
{
	work->gap = (uint8_t)gap;
	work->gap_labels = (uint8_t)name_labels(name);
	return DENIAL_NOT_PROVED;
}

/* "*" below `encloser`; false where that is no name. */
bool proof_wildcard(uint8_t out[NAME_MAX_LEN], const uint8_t *encloser);

#endif
