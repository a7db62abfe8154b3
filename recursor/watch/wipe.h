/*
 * wipe: the commands that take entries out of the caches.
 *
 * All names are read before the first is wiped: a mistyped one wipes nothing.
 */
#ifndef WATCH_WIPE_H
#define WATCH_WIPE_H

#include "recursor/watch/commands.h"

int wipe_cache(struct command_call *call);
int wipe_cache_typed(struct command_call *call);

#endif
