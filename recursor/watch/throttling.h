/*
 * throttling: the commands about servers that are throttled, or never are.
 *
 * The lists are the settings dont-throttle-names and dont-throttle-netmasks; a change lasts until the
 * daemon ends.
 */
#ifndef WATCH_THROTTLING_H
#define WATCH_THROTTLING_H

#include "recursor/watch/commands.h"

int get_dont_throttle_names(struct command_call *call);
int add_dont_throttle_names(struct command_call *call);
int clear_dont_throttle_names(struct command_call *call);
int get_dont_throttle_netmasks(struct command_call *call);
int add_dont_throttle_netmasks(struct command_call *call);
int clear_dont_throttle_netmasks(struct command_call *call);

/* Every server may be asked again at once. */
int clear_throttles(struct command_call *call);
/* The same, and all that is known of servers is forgotten. */
int clear_nsspeeds(struct command_call *call);

#endif
