/*
 * lookup: a question that is put to the server's own resolver by a thread that is no worker's, and
 * waited for.
 *
 *     err = lookup_new(&l, false);
 *     l->question.name = name; l->question.type = TYPE_TXT;
 *     err = lookup_run(l, env, stop_fd, wait_ms);
 *     if (err == E_OK) ... l->answer ...
 *     lookup_free(l);
 *
 * The question goes to a worker, the first as a rule, by a visit; the worker does not wait, the caller does.
 *
 * Memory:  shared by the caller and the request; the last of the two to be done with it frees it.
 * Threads: one caller; what is found is the worker's until lookup_run() has come back with E_OK.
 */
#ifndef WATCH_LOOKUP_H
#define WATCH_LOOKUP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/err.h"
#include "recursor/watch/env.h"

struct lookup {
	struct question question; /* the caller's to fill; its name is borrowed while it is asked */
	struct answer answer;     /* with references to its sets */
	unsigned worker;          /* which is asked; the caller's to fill too */
	struct trace *trace;      /* the steps, if they were wanted */
	/* the rest is lookup.c's */
	atomic_uint refs;
	int done_fd; /* an eventfd: readable when the answer is there */
	atomic_bool is_done;
	struct request *request; /* the worker's alone */
	uint8_t name[NAME_MAX_LEN];
	struct rrset **sets, **authority;
};

/* E_NOMEM; E_SYSTEM: there is no descriptor to wait with. */
int lookup_new(struct lookup **out, bool with_trace) MUST_USE;
/* Once.  E_OK: it is answered, with whatever rcode; E_SYSTEM: the worker does not run; E_LIMIT: not
 * within `wait_ms`; E_STOPPED: `stop_fd` (or -1) became readable. */
int lookup_run(struct lookup *l, const struct watch_env *env, int stop_fd, int wait_ms) MUST_USE;
void lookup_free(struct lookup *l); /* accepts NULL */

/* How long to wait at most: as long as a question takes, and a second. */
int lookup_patience_ms(const struct watch_env *env);

#endif
