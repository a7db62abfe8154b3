/*
 * explain: the command that resolves a question now and shows each step.
 *
 * The question is put to the first worker's resolver, with a trace and without taking the final
 * answer from the cache; what the steps on the way know from the cache they use, and show.  The
 * control thread waits, the worker does not (lookup.h).
 *
 * Limits:  max-total-msec and a second.
 */
#ifndef WATCH_EXPLAIN_H
#define WATCH_EXPLAIN_H

#include "recursor/watch/commands.h"

int explain_command(struct command_call *call);

#endif
