/*
 * tally: how many TCP connections clients hold, over all listeners of the process: the kernel
 * spreads a client's connections over the threads, and a limit that each thread counts for
 * itself would let through a multiple of it.
 *
 * Invariant:  each connection that is entered leaves once; addresses kept <= connections <= max.
 * Limits:     memory for `max` addresses is set aside at the start and touched when needed.
 * Threads:    for all; a mutex is held for one look into a hash table.  Asked when a connection
 *             opens and closes, never for a query.
 */
#ifndef NET_TALLY_H
#define NET_TALLY_H

#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

enum tally_verdict {
	TALLY_ENTERED,
	TALLY_FULL,        /* no more connections in all */
	TALLY_CLIENT_FULL, /* no more for this client */
};

struct tally;

/* `max` connections in all, `max_each` for each client address; the latter 0: no limit. */
int tally_new(struct tally **out, uint32_t max, uint32_t max_each) MUST_USE;
void tally_free(struct tally *t);

struct tally_count {
	uint32_t all, client; /* connections; the latter 0 without `max_each` */
};

/* May this client have one more connection?  The port does not matter.  When it may, `*now` is how many
 * there are. */
enum tally_verdict tally_enter(struct tally *t, const struct addr *client,
			       struct tally_count *now) MUST_USE;
void tally_leave(struct tally *t, const struct addr *client);

#endif
