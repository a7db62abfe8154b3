/*
 * zones: the names for which the operator has said where the answers are: asked of given servers
 * (forward-zones and kin), or out of data of our own (auth-zones, export-etc-hosts).
 *
 *     zones_new(&z); zones_add_forward(z, ...); zones_add_auth(z, ...);      a snapshot is built,
 *     resolver_set_zones(r, z);                                              then only read
 *
 * The configured zone that a name belongs to is the one with the longest name that encloses it;
 * a zone within another takes its names out of that one altogether.  Nothing that is known of a
 * name from above its configured zone is used for it.
 *
 * Beside the zones stand groups of forwarders, each with a name of its own: resolvers to which a
 * policy may route a question, whatever its name is (struct question).
 *
 * Cost:    without configured zones one comparison; else a hash probe for each label count that
 *          some configured zone has.
 * Memory:  reference-counted; whoever puts the last reference frees it all, which takes a while
 *          with many zones: the control thread keeps one until no worker has any.
 * Threads: one while it is built, any number afterwards.
 */
#ifndef RESOLVE_ZONES_H
#define RESOLVE_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"

struct authzone;
struct zones;

enum {
	ZONES_SERVERS_MAX = 64, /* of one forward, or group */
	ZONES_GROUPS_MAX = 64,
	ZONES_GROUP_NAME_MAX = 64, /* with the byte that ends it */
};

struct configured_zone {
	struct configured_zone *next; /* in its bucket */
	uint64_t hash;
	uint64_t print;        /* of all that it says: equal for equal zones, in any process */
	struct authzone *auth; /* NULL: a forward */
	struct addr *servers;
	uint16_t n_servers;
	uint8_t labels;
	bool recurse;   /* RD=1: the servers are resolvers; else authorities */
	bool notify;    /* a NOTIFY for it, or below it, is heard */
	uint8_t name[]; /* lower case */
};

int zones_new(struct zones **out) MUST_USE;
struct zones *zones_get(struct zones *z); /* accepts NULL */
void zones_put(struct zones *z);          /* accepts NULL */

/* Each takes the place of a zone of the same name.  `name` is lower case.  E_NOMEM, E_LIMIT (more
 * servers than ZONES_SERVERS_MAX, or none). */
int zones_add_forward(struct zones *z, const uint8_t *name, const struct addr *servers, size_t n,
		      bool recurse, bool notify) MUST_USE;
/* Takes over `auth` on success; its apex is the zone's name. */
int zones_add_auth(struct zones *z, struct authzone *auth) MUST_USE;

/* A group of resolvers.  E_LIMIT: no server or more than ZONES_SERVERS_MAX, more than
 * ZONES_GROUPS_MAX groups; E_EXISTS: there is one of that name; E_NOMEM. */
int zones_add_group(struct zones *z, const char *name, const struct addr *servers,
		    size_t n) MUST_USE;
/* A name (any text) as a number, in any process the same; never 0. */
uint64_t zones_group_id(const char *name);
/* The group: a forward of the root that recurses; NULL: there is none.  Borrowed likewise; `z` may be
 * NULL. */
const struct configured_zone *zones_group(const struct zones *z, uint64_t id);
size_t zones_count_groups(const struct zones *z);

/* The configured zone of a name (lower case), or NULL; `z` may be NULL.  Borrowed: good while a
 * reference to the snapshot is held. */
const struct configured_zone *zones_find(const struct zones *z, const uint8_t *name);
/* The same for a question: a DS is its parent's to answer (RFC 4035 3.1.4.1). */
const struct configured_zone *zones_find_for(const struct zones *z, const uint8_t *name,
					     uint16_t type);
/* The zone of exactly that name, or NULL. */
const struct configured_zone *zones_exact(const struct zones *z, const uint8_t *name);

/* Is a NOTIFY for the name to be heard: is it, or does it lie within, a forward that says so? */
bool zones_allow_notify(const struct zones *z, const uint8_t *name);

size_t zones_count(const struct zones *z, bool auth);

/* Calls back with the name of each zone that `to` has and `from` has not, the other way round, or
 * that differs.  Either may be NULL.  A negative return ends it, and is returned. */
int zones_diff(const struct zones *from, const struct zones *to,
	       int (*cb)(void *ctx, const uint8_t *name), void *ctx) MUST_USE;

/* What stands in a goal for the zone it was begun in, to find later whether it is the same still. */
static inline uint64_t zones_print(const struct configured_zone *z)
{
	return z == NULL ? 0 : z->print;
}

#endif
