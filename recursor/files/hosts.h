/*
 * hosts: export-etc-hosts: each name of the hosts file becomes a zone of ours with its addresses,
 * each address one with a PTR record for the first name of its line.
 *
 * Rules:   a name without a dot has `suffix` put behind it, if there is one; a line whose address or
 *          name cannot be read is told of in a warning and left out; an address that stands on
 *          several lines belongs to the first (as for the system's own resolver).  A zone that is
 *          configured otherwise stays.
 * Limits:  HOSTS_ENTRIES_MAX names in all; CONF_FILE_MAX bytes.
 * Threads: any; nothing is shared.
 */
#ifndef RECURSOR_HOSTS_H
#define RECURSOR_HOSTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/zones.h"

enum { HOSTS_ENTRIES_MAX = 1000000, HOSTS_TTL = 86400 };

/* Where warnings go: one line each. */
struct hosts_warn {
	void (*line)(void *ctx, const char *line);
	void *ctx;
};

/* `suffix` is a name in lower case, or the root.  One line in `why` (SETTINGS_WHY_MAX) on error:
 * E_SYSTEM, E_TOO_LONG, E_LIMIT, E_NOMEM. */
int hosts_add(struct zones *zones, const char *path, const uint8_t *suffix,
	      const struct hosts_warn *warn, char *why) MUST_USE;

/* The same from memory; `text` is written to. */
int hosts_add_text(struct zones *zones, char *text, const char *path, const uint8_t *suffix,
		   const struct hosts_warn *warn, char *why) MUST_USE;

#endif
