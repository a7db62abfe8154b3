/*
 * try_script: `rec_control try-lua-script FILE [RING]`: what a script would have done to the
 * questions that a ring still holds.
 *
 * The command and its output are here; the trial itself is run through struct watch_env, in a state
 * of its own, on the control thread that got the command.  What it finds is a struct try_report.
 *
 * Limits:  the last TRY_QUESTIONS_MAX entries of the ring; TRY_MS_MAX, then the report says how far
 *          it got; as many lines, errors, names and clients as the arrays have places.
 */
#ifndef WATCH_TRY_SCRIPT_H
#define WATCH_TRY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/name.h"
#include "recursor/watch/rings.h"

struct command_call;

enum {
	TRY_QUESTIONS_MAX = 200000,
	TRY_MS_MAX = 20000,
	TRY_PROGRESS_MS = 2000, /* then the log says how far it is, each time */
	TRY_HOOKS_MAX = 16,
	TRY_ERRORS_MAX = 10,
	TRY_LINES_MAX = 20,
	TRY_TOP = 10,
	TRY_TEXT_MAX = 512,
};

struct try_request {
	const char *path;
	enum ring_kind ring;
	int stop_fd; /* readable: give up; or -1 */
};

struct try_hook {
	const char *name;
	uint64_t calls, errors, drops, kills, changes;
	uint64_t cpu_ns;
};

/* Something, and how often. */
struct try_count {
	char text[NAME_TEXT_MAX];
	uint64_t n;
};

struct try_report {
	uint64_t entries; /* in the ring */
	uint64_t tried;   /* of these, the newest */
	bool has_timed_out;
	/* What became of those tried; each is one of the five. */
	uint64_t passed, changed, dropped, killed, unknown; /* unknown: no cache has its answer, so
							       the later hooks were not called */
	uint64_t failed; /* of whichever, a hook ended with an error */
	uint64_t load_cpu_us, cpu_us;
	uint64_t bytes; /* of the state, at the end */
	struct try_hook hooks[TRY_HOOKS_MAX];
	size_t n_hooks;
	struct try_count errors[TRY_ERRORS_MAX];
	size_t n_errors;
	uint64_t more_errors;                    /* of other texts */
	char lines[TRY_LINES_MAX][TRY_TEXT_MAX]; /* of pdnslog() and print() */
	size_t n_lines;
	uint64_t more_lines;
	/* Of the questions that were changed, dropped or killed. */
	struct try_count domains[TRY_TOP], clients[TRY_TOP];
	size_t n_domains, n_clients;
};

int try_lua_script(struct command_call *call);

#endif
