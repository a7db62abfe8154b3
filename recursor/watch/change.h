/*
 * change: the commands that show and change settings of the running daemon.
 *
 * A change lasts until the daemon ends: recursor.conf is not written to, and reload-acls leaves
 * what set-* has changed as it is.
 */
#ifndef WATCH_CHANGE_H
#define WATCH_CHANGE_H

#include "recursor/watch/commands.h"

int get_parameter(struct command_call *call);
int get_default_parameter(struct command_call *call);

int set_minimum_ttl(struct command_call *call);
int set_aggr_nsec_cache_size(struct command_call *call);
int set_max_cache_entries(struct command_call *call);
int set_max_cache_memory(struct command_call *call);
int set_max_packetcache_entries(struct command_call *call);
int set_stats_ringbuffer_entries(struct command_call *call);
int set_quiet(struct command_call *call);

/* Tells what a change or reload has left in `why`; which it cuts into lines. */
void command_warn(struct command_call *call, char *why);

/* Writes cache-file. */
int save_cache(struct command_call *call);

/* Reads the files again for who may ask and who may notify. */
int reload_acls(struct command_call *call);
/* And for what names are grouped by. */
int reload_public_suffix_list(struct command_call *call);
/* And for forward-zones, auth-zones and their kin. */
int reload_zones(struct command_call *call);
/* Both lists and zones, or neither. */
int reload(struct command_call *call);
int reload_defender(struct command_call *call);
int defender_show_command(struct command_call *call);

#endif
