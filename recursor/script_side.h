/*
 * script_side: what every script may ask of the daemon, whoever runs it: clocks, chance, metrics,
 * public suffixes.
 *
 * A runner's own struct begins with a struct script_side; the pointer to it is the host's ctx.
 *
 * Threads: the state's.
 */
#ifndef RECURSOR_SCRIPT_SIDE_H
#define RECURSOR_SCRIPT_SIDE_H

#include "common/err.h"
#include "common/psl.h"
#include "common/random.h"
#include "recursor/policy/script.h"
#include "recursor/watch/env.h"

struct script_side {
	const struct watch_env *env; /* its ctx NULL: the daemon is not so far yet */
	struct random_source random;
	struct psl *psl;
};

/* The reference to `psl` is its own from now on, on error too.  E_SYSTEM. */
int script_side_init(struct script_side *side, const struct watch_env *env,
		     struct psl *psl) MUST_USE;
void script_side_deinit(struct script_side *side); /* accepts one that is zero */

/* Sets ctx and the functions. */
void script_side_fill(struct script_side *side, struct script_host *host);

#endif
