/*
 * random_zone: small signed zones drawn from a seed, and what is true of every name in them.
 *
 * Names are made of the labels a, b and *, at most three below the apex "example"; there are aliases,
 * DNAMEs, wildcards, empty non-terminals, delegations with and without DS, glue.  The truth is found
 * by looking at the list of names (RFC 1034 4.3.2, RFC 4592), and knows of no NSEC.
 *
 * Memory: random_zone_free() frees all.
 */
#ifndef TESTS_UNIT_RANDOM_ZONE_H
#define TESTS_UNIT_RANDOM_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/name.h"
#include "common/rrset.h"
#include "tests/signer/zone.h"

enum {
	RANDOM_ZONE_NOW_S = 1700000000,
	RANDOM_ZONE_UNTIL_S = RANDOM_ZONE_NOW_S + 86400,
	RANDOM_ZONE_TTL = 3600,
	RANDOM_ZONE_NODES = 10,
	RANDOM_ZONE_NAMES = 1 + 4 + 16 + 64, /* that are asked for, of labels a, b, c and * */
	RANDOM_ZONE_CHAIN = 24,
};

struct random_node {
	uint8_t name[NAME_MAX_LEN];
	bool a, txt, cname, dname, ns, ds, soa;
};

struct random_zone {
	const uint8_t *apex;
	enum sign_denial denial;
	unsigned n;
	struct random_node nodes[RANDOM_ZONE_NODES];
	struct signed_zone *z;
	struct rrset *soa;
	struct rrset *chain[RANDOM_ZONE_CHAIN]; /* all of NSEC or NSEC3, secure */
	unsigned n_chain;
};

void random_zone_make(struct random_zone *out, uint64_t seed, enum sign_denial denial);
void random_zone_free(struct random_zone *z);

/* The same zone for other signers (without glue). */
void random_zone_write(const struct random_zone *z, FILE *f);

enum truth {
	TRUTH_ELSEWHERE, /* at a zone cut (but for its DS), below one, or below a DNAME */
	TRUTH_DATA,      /* or an alias */
	TRUTH_NODATA,
	TRUTH_NXDOMAIN,
	TRUTH_WILDCARD, /* the same by a wildcard */
	TRUTH_WILDCARD_NODATA,
};

enum truth random_zone_truth(const struct random_zone *z, const uint8_t *name, uint16_t type);
/* Something is at the name or below it. */
bool random_zone_has(const struct random_zone *z, const uint8_t *name);
/* The zone does not speak of what is at the name, or nothing there is its own. */
bool random_zone_is_cut_off(const struct random_zone *z, const uint8_t *name);
const struct random_node *random_zone_node(const struct random_zone *z, const uint8_t *name);

/* The i-th name to ask for, of RANDOM_ZONE_NAMES; 0: the apex. */
const uint8_t *random_zone_name(unsigned i, uint8_t out[NAME_MAX_LEN]);

/* A server's proof of the answer, each set secure; the caller puts them. */
unsigned random_zone_prove(const struct random_zone *z, const uint8_t *name, uint16_t type,
			   struct rrset *out[SIGNED_PROOFS_MAX]);

#endif
