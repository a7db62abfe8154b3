/*
 * anchorload: from the settings to the trust anchors that are configured.
 *
 *     the root's keys that are built in; in their place all that trustanchorfile has;
 *     what lua-config-file adds and clears; the names of negative-trustanchors
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
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/settings.h"

struct anchorload {
	struct anchors *anchors; /* a reference */
	uint32_t interval_s;     /* to be read again so often; 0: they need not be */
};

/* One line in `why` (SETTINGS_WHY_MAX) on error. */
int anchorload(struct anchorload *out, const struct settings *s, char *why) MUST_USE;

/* The DS and DNSKEY records of a file in a zone file's form, added to `a`; revoked keys are left
 * out, with a line in the log.  E_NOT_FOUND: it has none.  One line in `why` on error. */
int anchorload_file(struct anchors *a, const char *path, char *why, size_t why_cap) MUST_USE;

/* A DS as text, "20326 8 2 E06D...", added to what the name has; on error `reason`
 * (RDATA_TEXT_WHY_MAX) says why. */
int anchorload_text(struct anchors *a, const uint8_t *name, const char *ds, char *reason) MUST_USE;

#endif
