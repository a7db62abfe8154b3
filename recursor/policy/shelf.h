/*
 * shelf: what the scripts of all workers share besides sets of addresses: lists of names out of files,
 * and rate limits with a name.
 *
 *     shelf_get_names(shelf, &item, "/etc/recursor/bad-names", why);
 *     if (namelist_encloses(shelf_names(item), qname)) ...
 *     shelf_put(item);
 *
 * A file is read once: who asks for it again while somebody holds it gets the same list, as long as
 * the file is the same (device, inode, size, time of change).  A rate limit is the same for all who
 * give it the same name and the same numbers; one without a name is its owner's.  What nobody holds
 * any more is freed.
 *
 * Threads: any.  A file is read, and a limit's memory cleared, without the lock, for which workers may wait;
 * of two who do the same at once both get the first one's.
 */
#ifndef POLICY_SHELF_H
#define POLICY_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/namelist.h"
#include "recursor/policy/ratelimit.h"

struct shelf;
struct shelf_item;

int shelf_new(struct shelf **out) MUST_USE;
/* Nobody holds anything of it any more. */
void shelf_free(struct shelf *s); /* accepts NULL */

/* On error one line in `why` (NAMELIST_WHY_MAX): see namelist_load(). */
int shelf_get_names(struct shelf *s, struct shelf_item **out, const char *path, char *why) MUST_USE;
/* `name` NULL or "": its owner's.  E_RANGE, E_NOMEM. */
int shelf_get_ratelimit(struct shelf *s, struct shelf_item **out, const char *name,
			const struct ratelimit_config *cfg) MUST_USE;
void shelf_put(struct shelf_item *item); /* accepts NULL */

const struct namelist *shelf_names(const struct shelf_item *item);
struct ratelimit *shelf_ratelimit(const struct shelf_item *item);

struct shelf_stats {
	size_t lists, names, limits; /* what is there */
	uint64_t refused, forgotten; /* by the limits, ever */
	size_t bytes;
};

void shelf_stats(struct shelf *s, struct shelf_stats *out);

#endif
