/*
 * visit: a function that runs on a worker's own thread while the caller waits.
 *
 * The one way in which other threads touch what a worker owns.  A worker that is visited answers
 * nobody meanwhile, so a visit ends well within 1 ms: long work is many visits.  How long the
 * longest took, in CPU time of the worker's thread, is the metric control-visit-max-usec.
 *
 * Threads: any but a worker's, while the workers run: after server_start(), and not beyond the
 *          beginning of server_stop().
 */
#ifndef RECURSOR_VISIT_H
#define RECURSOR_VISIT_H

#include "common/err.h"
#include "recursor/worker.h"

/* E_SYSTEM when the worker does not run. */
int visit_worker(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg) MUST_USE;

#endif
