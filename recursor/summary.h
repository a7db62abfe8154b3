/*
 * summary: the statistics in a few lines of the log, every statistics-interval and on SIGUSR1.
 *
 * Threads: the control thread.
 */
#ifndef RECURSOR_SUMMARY_H
#define RECURSOR_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "recursor/watch/env.h"

/* What the last periodical summary saw, for the queries a second since; zeroed at first. */
struct summary {
	bool has_last;
	uint64_t last_questions, last_ms;
};

/* `periodical`: remembers, and tells the queries a second from the second time on. */
void summary_log(struct summary *s, const struct watch_env *env, bool periodical);

#endif
