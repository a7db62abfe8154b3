/*
 * copies: the zones of which the resolvers have a copy (zonecopy.h), to be asked in the place of the
 * zones' servers (RFC 8806).
 *
 * A snapshot is built by one thread, then published (resolver_set_copies()), then only read; but when
 * a copy expires may be moved on at any time, for the loader hears now and then that it is still the zone.
 * An expired one is as if it were not there.
 *
 * Memory:  reference-counted, as its copies are.
 * Limits:  COPIES_MAX zones.
 * Cost:    one comparison where there is no copy; else one a copy.
 * Threads: one while it is built, any number afterwards.
 */
#ifndef RESOLVE_COPIES_H
#define RESOLVE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/zonecopy.h"

enum { COPIES_MAX = 64 };

struct copies;

int copies_new(struct copies **out) MUST_USE;
struct copies *copies_get(struct copies *c); /* accepts NULL */
void copies_put(struct copies *c);           /* accepts NULL */

/* Takes a reference.  Expires when the time of day is `expires_s`.  E_LIMIT, E_EXISTS. */
int copies_add(struct copies *c, struct zonecopy *copy, uint32_t expires_s) MUST_USE;
size_t copies_count(const struct copies *c); /* accepts NULL */

/* False: there is no copy of that zone. */
bool copies_set_expiry(struct copies *c, const uint8_t *zone, uint32_t expires_s);

/* The copy of exactly that zone (lower case), borrowed; NULL: there is none that is good at
 * `now_s`. */
const struct zonecopy *copies_find(const struct copies *c, const uint8_t *zone, uint32_t now_s);

/* The same of the deepest zone that the question belongs to: a DS to the zone above (RFC 4035 3.1.4.1). */
const struct zonecopy *copies_enclosing(const struct copies *c, const uint8_t *name, uint16_t type,
					uint32_t now_s);

#endif
