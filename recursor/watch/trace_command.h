/*
 * trace_command: trace-regex [REGEX [FILE]]: which questions are traced, and where to.
 */
#ifndef WATCH_TRACE_COMMAND_H
#define WATCH_TRACE_COMMAND_H

#include "recursor/watch/commands.h"

int trace_regex(struct command_call *call);

#endif
