/*
 * copy_commands: the copies of zones that zoneToCache() has the daemon keep, as an operator sees them.
 */
#ifndef WATCH_COPY_COMMANDS_H
#define WATCH_COPY_COMMANDS_H

#include "recursor/watch/commands.h"

int get_zone_copies(struct command_call *call);

#endif
