/*
 * zonelist: the values that name zones:
 *
 *     forward-zones           example.com=192.0.2.1;[2001:db8::1]:5300, ^example.net=192.0.2.2
 *     forward-groups          scrubbers=192.0.2.1;192.0.2.2, ...    names of groups, not zones
 *     auth-zones              example.com=/etc/zones/example.com, example.net=...
 *     forward-zones-file      a zone a line: +example.com=192.0.2.1:5300, 192.0.2.2   # comment
 *                             + the servers recurse, ^ a NOTIFY for it is heard
 *
 * Syntax only; zoneload.h makes zones of them.
 *
 * Errors:  some words on what is wrong, into `reason` (SETTINGS_WHY_MAX).
 * Limits:  ZONES_SERVERS_MAX servers of a zone; ports are 1 to 65535.
 * Threads: any.
 */
#ifndef RECURSOR_ZONELIST_H
#define RECURSOR_ZONELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"
#include "recursor/resolve/zones.h"

struct zonelist_item {
	uint8_t name[NAME_MAX_LEN]; /* lower case */
	struct addr servers[ZONES_SERVERS_MAX];
	size_t n_servers;
	bool recurse, notify; /* by their signs; `recurse` in the file only */
	const char *file;     /* of an auth zone */
	const char *group;    /* the name of a group */
};

/* Borrowed for the call; a negative return ends the reading, and is returned. */
typedef int (*zonelist_item_cb)(void *ctx, const struct zonelist_item *item);

/* The settings' values.  `cb` may be NULL: only looks whether they are right. */
int zonelist_read_forwards(const char *text, zonelist_item_cb cb, void *ctx, char *reason) MUST_USE;
int zonelist_read_groups(const char *text, zonelist_item_cb cb, void *ctx, char *reason) MUST_USE;
int zonelist_read_files(const char *text, zonelist_item_cb cb, void *ctx, char *reason) MUST_USE;

/* A line of forward-zones-file; `line` is written to.  False in *found: it says nothing. */
int zonelist_read_line(char *line, struct zonelist_item *item, bool *found, char *reason) MUST_USE;

#endif
