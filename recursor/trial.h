/*
 * trial: runs a script over the questions of a ring, as try-lua-script wants it.
 *
 * The script gets a state of its own on the caller's thread, with the limits of a worker's (where
 * the settings have none, with ones of ours); its sets of addresses are an overlay of the real ones,
 * its metrics are its own, what it says is kept for the report.  So nothing that a script can do
 * through our interfaces is seen outside; what Lua's own library does to files is (the engine takes
 * what writes from it).
 *
 * What each hook is given:
 *   ipfilter, gettag, prerpz, preresolve   every question of the ring, from the oldest on
 *   preoutquery    the first question for each name and type, with each address of the name servers
 *                  that the cache knows, until it does something
 *   nxdomain, noerror, nodata, postresolve   what the cache knows of the name
 * No followup is resolved, and nothing asked.
 *
 * Threads: one of the control server's; it never calls a worker.
 */
#ifndef RECURSOR_TRIAL_H
#define RECURSOR_TRIAL_H

#include "recursor/policy/script.h"
#include "recursor/watch/env.h"
#include "recursor/watch/try_script.h"

struct ipsets;

struct trial_options {
	struct script_limits limits; /* 0: ours */
	const char *include_dir;
	const char *config_dir, *config_name;
	struct addr local;     /* the address that clients ask */
	struct ipsets *ipsets; /* the real ones, or NULL */
};

/* `out` is zeroed.  E_MALFORMED, E_SYSTEM, E_NOMEM ...: one line in `why` (ENV_WHY_MAX). */
int trial_run(const struct watch_env *env, const struct trial_options *options,
	      const struct try_request *rq, struct try_report *out, char *why) MUST_USE;

#endif
