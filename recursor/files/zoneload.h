/*
 * zoneload: from the settings to the zones that are configured: forward-groups; auth-zones, forward-zones,
 * forward-zones-recurse, forward-zones-file, each taking the place of what bears the same name
 * before it; then export-etc-hosts, which does not.
 *
 * Everything is read before anything is used: on error there are no zones, and one line that names
 * the setting or file, the line and what is wrong with it.
 *
 * Threads: any but a worker's: it reads files.
 */
#ifndef RECURSOR_ZONELOAD_H
#define RECURSOR_ZONELOAD_H

#include "common/err.h"
#include "common/zonefile.h"
#include "recursor/files/hosts.h"
#include "recursor/resolve/zones.h"
#include "recursor/settings/settings.h"

/* Lines about what is left out go to `warn`.  `leave`, or NULL: may it go on?  One line in `why`
 * (SETTINGS_WHY_MAX) on error. */
int zoneload(struct zones **out, const struct settings *s, const struct hosts_warn *warn,
	     const struct zonefile_leave *leave, char *why) MUST_USE;

/* The same, with a line in the log on what was loaded, and for each of the warnings. */
int zoneload_said(struct zones **out, const struct settings *s, const struct zonefile_leave *leave,
		  char *why) MUST_USE;

#endif
