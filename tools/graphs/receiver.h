/*
 * receiver: takes carbon lines over TCP and gives them to the store.  Nothing is ever sent back.
 *
 * Limits: max_connections, and a quarter of them of one address; who comes then has the place of the
 *         one that was silent longest, for a resolver pushes as soon as it has connected, and goes.
 *         A connection that says nothing for ten minutes is closed.  An address that `allow` does
 *         not name is closed at once.  All are counted (refusal.h).
 * Threads: one, the caller's, in receiver_run().
 */
#ifndef GRAPHS_RECEIVER_H
#define GRAPHS_RECEIVER_H

#include <stddef.h>

#include "common/addr.h"
#include "common/netset.h"
#include "tools/graphs/store.h"

struct receiver;

enum { RECEIVER_LISTENERS_MAX = 16 };

/* Opens the sockets.  E_SYSTEM (errno set; *bad is the address), E_NOMEM. */
int receiver_new(struct receiver **out, struct store *store, const struct netset *allow,
		 const struct addr *listen, size_t n_listen, size_t max_connections,
		 const struct addr **bad) MUST_USE;
void receiver_free(struct receiver *r); /* accepts NULL */

/* Works until `stop_fd` can be read. */
int receiver_run(struct receiver *r, int stop_fd) MUST_USE;

/* A listening socket for the address; negative: E_SYSTEM, errno is set. */
int receiver_listen(const struct addr *a);

#endif
