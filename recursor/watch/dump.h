/*
 * dump: the commands that write what the daemon holds to a file, in the field's formats.
 *
 * The file is a descriptor that rec_control opened and passed.  It may be a pipe or a terminal
 * whose reader is slow: it is written to piece by piece, and given up when nothing moves for
 * PASSED_FILE_STALL_MS or the daemon ends.  Only the control thread writes; a worker is visited to copy
 * a handful of entries, the shared tables are locked for one probe at a time.
 */
#ifndef WATCH_DUMP_H
#define WATCH_DUMP_H

#include "recursor/watch/commands.h"

int dump_cache_command(struct command_call *call);
int dump_nsspeeds_command(struct command_call *call);
int dump_throttles_command(struct command_call *call);
int dump_edns_command(struct command_call *call);
int dump_failed_command(struct command_call *call);
int dump_non_resolving_command(struct command_call *call);
int dump_parents_command(struct command_call *call);

#endif
