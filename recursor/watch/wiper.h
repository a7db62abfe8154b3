/*
 * wiper: forgets zones of which a NOTIFY says that they have changed (RFC 1996).
 *
 * A worker only leaves the zone's name; a thread of the wiper's own takes the subtree out of the
 * record cache, and out of each worker's packet cache by short visits.  A name that waits already
 * is not taken twice, so that many NOTIFYs for a zone cost one wipe.
 *
 * Limits:  WIPER_MAX names wait; the sender of one more is not answered, and will say it again.
 * Threads: wiper_post() from any; the rest from one.
 */
#ifndef WATCH_WIPER_H
#define WATCH_WIPER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/watch/env.h"

enum { WIPER_MAX = 256 };

struct wiper;

int wiper_new(struct wiper **out) MUST_USE;
/* Before a name can be posted; `env` is borrowed until wiper_stop(). */
int wiper_start(struct wiper *w, const struct watch_env *env) MUST_USE;
/* While the workers can still be visited; what waits is dropped. */
void wiper_stop(struct wiper *w);
void wiper_free(struct wiper *w); /* accepts NULL */

/* `zone` is lower case.  False: too many wait. */
bool wiper_post(struct wiper *w, const uint8_t *zone);

#endif
