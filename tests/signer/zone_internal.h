/* zone_internal: what zone.c and chain.c share; for them only. */
#ifndef SIGNER_ZONE_INTERNAL_H
#define SIGNER_ZONE_INTERNAL_H

#include "tests/signer/zone.h"

/* A set in the zone, or in its chain. */
struct zone_set {
	struct signed_set s; /* first: what is handed out is this */
	enum sign_fault fault;
	bool has_sigs; /* they have been made */
	/* NSEC3: of whom it speaks */
	const uint8_t *original;
	uint8_t hash[SIGN_HASH_LEN];
};

struct zone_sets {
	struct zone_set **at;
	size_t n, cap;
};

struct zone_block;

struct signed_zone {
	const uint8_t *apex;
	struct sign_policy policy;
	struct sign_use uses[SIGN_USES_MAX];
	unsigned n_uses;
	bool is_signed, is_sorted;
	struct zone_sets sets;  /* by owner in canonical order, then by type */
	struct zone_sets chain; /* NSEC: by owner; NSEC3: by hash */
	struct zone_block *blocks;
};

/* A copy that lives as long as the zone. */
void *zone_keep(struct signed_zone *z, const void *data, size_t len);
struct zone_set *zone_sets_push(struct signed_zone *z, struct zone_sets *to, const uint8_t *owner,
				uint16_t type, uint32_t ttl);
void zone_set_add(struct signed_zone *z, struct zone_set *set, const void *rdata, size_t len);
/* The first set at the owner or after it. */
size_t zone_lower_bound(const struct signed_zone *z, const uint8_t *owner);
struct zone_set *zone_set_find(const struct signed_zone *z, const uint8_t *owner, uint16_t type);
/* Its RRSIGs, if it is to have any. */
const struct signed_set *zone_set_signed(struct signed_zone *z, struct zone_set *set);

/* Is there anything at the name, or below it? */
bool zone_name_exists(const struct signed_zone *z, const uint8_t *name);
/* The deepest ancestor of the name, or the name itself, that exists: how many labels it has. */
unsigned zone_closest_encloser(const struct signed_zone *z, const uint8_t *name);
/* "*." before the ancestor of so many labels. */
void zone_wildcard_name(uint8_t out[NAME_MAX_LEN], const uint8_t *name, unsigned labels);

/* chain.c */
void zone_chain_make(struct signed_zone *z);

#endif
