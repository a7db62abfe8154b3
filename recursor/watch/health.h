/*
 * health: should clients be sent here, and is the daemon alive: what load balancers, announcers of
 * anycast addresses and supervisors ask for, at /ready and /live.
 *
 * A thread of its own puts a test question to each worker in turn, once a second, whoever asks how
 * often: `ready-test-name`, the root's name servers by default, from the cache or resolved.
 *
 *     ready   the root's name servers were fetched, nobody has said `drain`, and every worker
 *             answered the last test, with NOERROR or NXDOMAIN
 *     alive   a worker's last test ended not long ago, with whatever result: no worker hangs
 *
 * Limits:  HEALTH_WAIT_MS for a test; what waits longer has failed.
 * Memory:  the health belongs to whoever started it; `env` is borrowed until health_stop().
 * Threads: start and stop from one, the rest any; nothing here waits.
 */
#ifndef WATCH_HEALTH_H
#define WATCH_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "recursor/watch/env.h"

enum {
	HEALTH_EVERY_MS = 1000,
	HEALTH_WAIT_MS = 2000,
	HEALTH_HANGS_MS = 10000, /* without an end of a worker's test: it hangs */
	HEALTH_WHY_MAX = 400,
};

struct health;

/* What to ask: a name and a type, NS for the root and A for others when there is none; "": nothing,
 * the workers are only visited.  E_MALFORMED. */
int health_read_test(const char *text, uint8_t name[NAME_MAX_LEN], uint16_t *type) MUST_USE;

/* E_MALFORMED, E_NOMEM, E_SYSTEM. */
int health_start(struct health **out, const struct watch_env *env, const char *test) MUST_USE;
void health_stop(struct health *h); /* accepts NULL */

/* One line in `why` (HEALTH_WHY_MAX) when it is not. */
bool health_is_ready(struct health *h, char *why);
bool health_is_alive(struct health *h, char *why);

#endif
