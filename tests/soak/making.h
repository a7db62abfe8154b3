/* making: what internet.c and change.c share; for them only. */
#ifndef SOAK_MAKING_H
#define SOAK_MAKING_H

#include "tests/soak/internet.h"

struct making {
	struct internet *net;
	struct rng rng;
	unsigned bad; /* in 100: hosts with faults */
	unsigned lying;
	struct rng signing;
	unsigned breaking; /* in 100: signed zones with something wrong */
};

bool making_has_room(const struct internet *net);
/* A set of the zone's, as yet without records; NULL: no room. */
struct model_set *making_set(struct making *k, struct zone *z, const uint8_t *owner, uint16_t type);
/* To the set made last. */
void making_record_name(struct internet *net, struct model_set *s, const uint8_t *name);
void making_record(struct internet *net, struct model_set *s, const void *data, size_t len);
void making_records(struct making *k, struct model_set *s);
void making_random_set(struct making *k, struct zone *z);
/* The addresses of a host, at a name in the zone. */
void making_addresses(struct making *k, struct zone *z, const uint8_t *name, unsigned host);
/* A name server for a zone: an index into net->ns; -1: no room. */
int making_ns(struct making *k, unsigned zone, bool is_high);
void making_ns_list_add(uint8_t list[ZONE_NS_MAX], uint8_t *n, uint8_t ns);

/* change.c: the zone's sets in a chain of its own, but for those of an owner and type (0: all of its
 * types).  False: no room. */
bool making_copy_sets(struct internet *net, struct zone *z, const uint8_t *owner, uint16_t type);

/* signed.c: which zones are signed; the keys of one (false: it is not); single sets that are broken. */
void signed_draw(struct making *k);
bool signed_add_keys(struct making *k, struct zone *z);
/* The same for a zone whose keys or DS have changed; false: no room. */
bool signed_renew_keys(struct making *k, struct zone *z);
void signed_break(struct making *k);

#endif
