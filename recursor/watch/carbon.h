/*
 * carbon: sends all metrics to the receivers of Graphite (carbon-server), by a thread of its own.
 *
 *     pdns.ns1.recursor.questions 1234 1423480000
 *
 * A push is one such line a metric, with CR LF, over a TCP connection that lasts no longer than it
 * takes.  The first comes right after the start, then one every carbon-interval; all servers get
 * the same text at the same time.  One that cannot be reached, or is slow (network-timeout), is told
 * in the log and counted, and has lost this push; nothing is kept for it.
 *
 * The settings are read before each push, so what rec_control set-carbon-server changes is in force
 * with the next, and carbon_poke() makes that come at once.
 *
 * Threads: new, start, stop, free from one; the rest any.
 */
#ifndef WATCH_CARBON_H
#define WATCH_CARBON_H

#include <stdint.h>

#include "common/err.h"
#include "recursor/watch/carbon_send.h"
#include "recursor/watch/env.h"

enum { CARBON_PORT = 2003 };

struct carbon;
struct command_call;

int carbon_new(struct carbon **out) MUST_USE;
/* `env` is borrowed until carbon_stop().  E_SYSTEM. */
int carbon_start(struct carbon *c, const struct watch_env *env) MUST_USE;
/* While the workers can still be visited; whatever is being sent is broken off. */
void carbon_stop(struct carbon *c);
void carbon_free(struct carbon *c); /* accepts NULL */

/* The next push is due now; accepts NULL. */
void carbon_poke(struct carbon *c);

struct carbon_stats {
	uint64_t pushes; /* that a server has taken whole */
	uint64_t errors, timeouts;
};
void carbon_stats(const struct carbon *c, struct carbon_stats *out); /* accepts NULL */

/* Servers of a list like carbon-server's; on error, one line in `why` (ENV_WHY_MAX). */
int carbon_read_servers(struct carbon_peer peers[CARBON_SERVERS_MAX], unsigned *n, const char *list,
			char *why) MUST_USE;

/* What is sent, for free(); NULL when there is no memory, or no name for this host. */
char *carbon_text(const struct watch_env *env, size_t *len);

/* rec_control set-carbon-server. */
int set_carbon_server(struct command_call *call);

#endif
