/*
 * anchor_commands: what an operator says about trust anchors, positive and negative.
 *
 * A change is in force for every worker, and what caches held of the name and below it is wiped, when
 * the reply comes.  None outlives the daemon: what shall last is configured.
 */
#ifndef WATCH_ANCHOR_COMMANDS_H
#define WATCH_ANCHOR_COMMANDS_H

#include "recursor/watch/commands.h"

int add_nta(struct command_call *call);
int add_ta(struct command_call *call);
int clear_nta(struct command_call *call);
int clear_ta(struct command_call *call);
int get_ntas(struct command_call *call);
int get_tas(struct command_call *call);
int list_dnssec_algos(struct command_call *call);
int reload_lua_config(struct command_call *call);
int set_dnssec_log_bogus(struct command_call *call);

#endif
