/*
 * readiness: whether clients should be sent here, and who is told: systemd (sd_notify), and by
 * the metrics `ready` and `draining` whoever announces our addresses.
 *
 *     starting    until the root's name servers are known
 *     serving     READY=1
 *     serving, the root not reached: after SERVER_STARTING_MS without an answer; what is known
 *                 (the cache, forwarded zones) is still worth serving
 *     draining    an operator said `drain`: everything is answered as before, but nobody new
 *                 should come; `undrain` ends it
 *     stopping    STOPPING=1; nothing is read any more
 *
 * With WatchdogSec= in the unit a keep-alive goes out only when every worker has answered the
 * ping before it.
 *
 * Threads: the main thread's.
 */
#ifndef RECURSOR_READINESS_H
#define RECURSOR_READINESS_H

#include "common/err.h"
#include "recursor/net/loop.h"
#include "recursor/worker.h"

struct readiness;

/* Before server_start(). */
int readiness_new(struct readiness **out, struct loop *l, struct server *s) MUST_USE;
/* The server runs: from now on it is told. */
void readiness_start(struct readiness *r);
/* No new questions are read from now on. */
void readiness_stopping(struct readiness *r);
/* After server_stop().  Accepts NULL. */
void readiness_free(struct readiness *r);

#endif
