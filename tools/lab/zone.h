/*
 * zone: a zone from a zone file, and what an authoritative server says of a name in it.
 *
 * Answers are made as RFC 1034 4.3.2 has it: referrals with the glue that the zone holds,
 * aliases followed within the zone, DNAME (RFC 6672), wildcards (RFC 4592), empty
 * non-terminals, and NXDOMAIN or NODATA with the SOA (RFC 2308 3).  No DNSSEC.
 *
 * Used by the lab and by the simulator's pretended servers.
 *
 * Memory:  zone_free() frees all; messages get copies.
 * Threads: a zone is only read once made.
 */
#ifndef LAB_ZONE_H
#define LAB_ZONE_H

#include <stdbool.h>
#include <stdio.h>

#include <ldns/ldns.h>

#include "common/err.h"

enum { ZONE_WHY_MAX = 512, ZONE_DEFAULT_TTL = 3600, ZONE_CHAIN_MAX = 8 };

struct zone {
	ldns_rdf *origin; /* lower case */
	ldns_rr **rr;     /* in canonical order of owner, then by type */
	size_t n_rr;
	const ldns_rr *soa; /* or NULL */
};

/* Reads records until the end of `f`; `name` is what errors call the file.  `origin` NULL: the
 * owner of the SOA record.  E_MALFORMED with one line in `why`. */
int zone_read(struct zone **out, FILE *f, const char *name, const char *origin,
	      char why[ZONE_WHY_MAX]) MUST_USE;
void zone_free(struct zone *z);
/* One record more, of a name in the zone; it is the zone's then. */
void zone_add(struct zone *z, ldns_rr *rr);

/* True if the name is the zone's origin or below it. */
bool zone_holds(const struct zone *z, const ldns_rdf *name);

/* Fills a message's sections, AA and rcode with what the zone says; question, id and the other
 * flags are the caller's. */
void zone_answer(const struct zone *z, const ldns_rdf *qname, ldns_rr_type qtype, ldns_pkt *reply);

#endif
