/*
 * oom: each allocation fails in turn, and nothing worse comes of it than that something is not
 * done: no crash, no block left over, every question answered once.
 *
 * A *case* is a piece of work that is repeated from its beginning, with the first allocation
 * failing, then with the second, until it needs no more of them.  So are runs of the soak, a seed
 * each: what a seed must hold with faults everywhere, it must hold with these, too; once the
 * faults are over, so are these, and what can be resolved must be.
 */
#ifndef OOM_OOM_H
#define OOM_OOM_H

#include <stdbool.h>
#include <stddef.h>

struct oom_case {
	const char *name;
	/* Does the work; `nothing_fails` tells that it has to succeed.  NULL, or what went wrong. */
	const char *(*run)(const char *argument, bool nothing_fails);
	const char *argument;
};

/* ---- case_dnssec.c ---- */

const char *oom_dnssec_case(const char *argument, bool nothing_fails);

/* ---- case_reload.c ---- */

const char *oom_reload_case(const char *text, bool nothing_fails);
const char *oom_copy_case(const char *text, bool nothing_fails);

/* ---- case_script.c ---- */

const char *oom_script_case(const char *text, bool nothing_fails);

/* ---- case_tables.c ---- */

const char *oom_sieve_case(const char *argument, bool nothing_fails);
const char *oom_large_set_case(const char *argument, bool nothing_fails);

/* ---- cases.c ---- */

size_t oom_cases_count(void);
const struct oom_case *oom_cases_at(size_t i);

#endif
