/*
 * ipset_commands: the commands about sets of addresses (policy/ipset.h, reached through env.h).
 *
 * dump-ipset and load-ipset write and read a descriptor that rec_control opened; of a pipe nobody
 * waits longer than PASSED_FILE_STALL_MS for the next piece, or for the daemon's end.
 */
#ifndef WATCH_IPSET_COMMANDS_H
#define WATCH_IPSET_COMMANDS_H

#include "recursor/watch/commands.h"

int list_ipsets(struct command_call *call);
int add_to_ipset(struct command_call *call);
int remove_from_ipset(struct command_call *call);
int clear_ipset(struct command_call *call);
int dump_ipset(struct command_call *call);
int load_ipset(struct command_call *call);

#endif
