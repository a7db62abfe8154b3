/*
 * localcopy: the copies of zones that lua-config-file wants (copyplan.h), from their sources to the resolvers
 * (resolve/copies.h), and what becomes of them while the daemon runs.
 *
 *     localcopy_new(&l, server);
 *     localcopy_configure(l, plans, room);     at the start, and when lua-config-file is read again
 *     localcopy_start(l);  localcopy_stop(l);  a thread of its own: it loads, and blocks while it does
 *
 * A zone is loaded (file, or AXFR behind a look at the SOA record), checked (copycheck.h; the DS of a zone
 * that is no trust anchor's is asked for and validated), and given to every worker on a visit that exchanges
 * a pointer.  Whatever goes wrong is one line in the log, and what was there stays until it expires.
 *
 * When: at once; again after refreshPeriod, or SOA REFRESH if a transfer's is shorter; after
 * retryOnErrorPeriod when something was wrong; never again with a refreshPeriod of 0 that went well.
 *
 * Expiry (RFC 8806 4): SOA EXPIRE after the primary was last heard to have the same; of a file, after the file
 * was written, so that a download that has stopped coming is noticed.  Then the zone's servers are asked.
 *
 * Limits:  COPIES_MAX zones, one loading at a time; a zone's size (zonecopy.h, maxReceivedMBytes).
 * Errors:  one line in the log, and in struct watch_copy.
 * Threads: new, start, stop, free from one; the rest any but a worker's.
 */
#ifndef RECURSOR_LOCALCOPY_H
#define RECURSOR_LOCALCOPY_H

#include "common/err.h"
#include "recursor/files/copyplan.h"
#include "recursor/watch/env.h"

struct copies;
struct localcopy;
struct localcopy_room;
struct server;

int localcopy_new(struct localcopy **out, struct server *server) MUST_USE;
void localcopy_free(struct localcopy *l); /* accepts NULL */

/* What localcopy_configure() needs for those plans: to be had before anything else is changed.  E_NOMEM. */
int localcopy_room_new(struct localcopy_room **out, const struct copyplans *plans) MUST_USE;
/* The plans take the place of those before; a zone keeps its copy if that is from the same
 * source and was as well checked.  All are due at once.  Takes the room. */
void localcopy_configure(struct localcopy *l, const struct copyplans *plans,
			 struct localcopy_room *room);

/* When the workers run.  E_SYSTEM. */
int localcopy_start(struct localcopy *l) MUST_USE;
/* While the workers can still be visited. */
void localcopy_stop(struct localcopy *l);

/* The copies in force: a reference. */
struct copies *localcopy_get(struct localcopy *l);
/* How they are; *out is for free(), NULL when there are none. */
int localcopy_states(struct localcopy *l, struct watch_copy **out, size_t *n) MUST_USE;
void localcopy_stats(struct localcopy *l, struct watch_copies *out);

#endif
