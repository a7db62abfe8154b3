/*
 * anchorload: from the settings to the trust anchors that are configured.
 *
 *     the root's keys that are built in; in their place all that trustanchorfile has;
 *     what lua-config-file adds and clears; the names of negative-trustanchors
 *
 * And of which zones it wants copies (copyplan.h), for that file is run once.
 *
 * Everything is read before anything is used: on error there are none, and one line that names the
 * setting or file, the line and what is wrong with it.
 *
 * Threads: any but a worker's: it reads files, and runs lua-config-file.
 */
#ifndef RECURSOR_ANCHORLOAD_H
#define RECURSOR_ANCHORLOAD_H

#include <stdio.h>

#include "common/err.h"
#include "recursor/files/copyplan.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/settings/settings.h"

struct anchorload {
	struct anchors *anchors; /* a reference */
	uint32_t interval_s;     /* to be read again so often; 0: they need not be */
	struct copyplans copies; /* which zones lua-config-file wants copies of */
};

void anchorload_clear(struct anchorload *read);

/* One line in `why` (SETTINGS_WHY_MAX) on error. */
int anchorload(struct anchorload *out, const struct settings *s, char *why) MUST_USE;

#endif
