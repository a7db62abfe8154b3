/*
 * script_command: the commands that load and unload the script of lua-dns-script.
 */
#ifndef WATCH_SCRIPT_COMMAND_H
#define WATCH_SCRIPT_COMMAND_H

#include "recursor/watch/commands.h"

int reload_lua_script(struct command_call *call);
int unload_lua_script(struct command_call *call);

#endif
