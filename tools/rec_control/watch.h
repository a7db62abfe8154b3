/*
 * watch: `rec_control watch [RING]`: figures and a ring of the running daemon on the terminal, drawn
 * anew each second.
 *
 * The terminal is left as it was found, whatever ends it: q, a signal, an error.  A daemon that is
 * away, or started anew, is waited for.
 */
#ifndef REC_CONTROL_WATCH_H
#define REC_CONTROL_WATCH_H

#include <stdbool.h>
#include <stdio.h>

struct watch_options {
	const char *path; /* of the control socket */
	const char *ring; /* "top-queries", "queries", ...; NULL: the first */
	bool has_colour;
};

/* For a help text. */
#define WATCH_ARGUMENTS "[RING]"
#define WATCH_HELP                                                                                   \
	"show figures and a ring (top-queries, top-remotes ...) on the terminal, each second anew; " \
	"keys choose and filter"

/* The exit status; on failure one line has been said. */
int watch_run(const struct watch_options *o);

#endif
