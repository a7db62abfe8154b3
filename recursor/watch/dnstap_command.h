/*
 * dnstap_command: the command that shows what became of messages for each server of dnstap-server.
 */
#ifndef WATCH_DNSTAP_COMMAND_H
#define WATCH_DNSTAP_COMMAND_H

#include "recursor/watch/commands.h"

int get_remotelogger_stats(struct command_call *call);

#endif
