/*
 * anchorage: the trust anchors in force, and what becomes of them while the daemon runs.
 *
 *     anchorage_open(&s->anchorage, s, settings, why);    reads what is configured (anchorload.h)
 *     anchorage_prepare(a); anchorage_start(a);           a thread that looks after them
 *     anchorage_edit(a, change, arg, why);                an operator's change: in force when it is back
 *     anchorage_reload(a, settings, why);                 what is configured has changed
 *     anchorage_stop(a); anchorage_free(a);
 *
 * Each worker has a reference to the snapshot in force (resolver_set_anchors()).  Whatever changes it
 * copies it, changes the copy, brings it to every worker on a visit, and then wipes from all caches
 * what they hold of each name whose anchors changed, and below it: a verdict rests on the anchor
 * it was made with.
 *
 * A reload changes what differs between what was configured before and what is now; what operators
 * changed besides stays as they made it.
 *
 * The thread: takes negative anchors away when they expire; looks whether the zones of those that operators
 * added validate again (RFC 7646 2); reads trustanchorfile anew every trustanchorfile-interval; follows
 * rollovers (RFC 5011, rollover.h) in trustanchor-state-file; tells zones which of their keys are
 * trusted here (RFC 8145).
 *
 * Errors:  one line in `why` (SETTINGS_WHY_MAX), and everything is as before.
 * Threads: open, start, stop, free from one; the rest any but a worker's.
 */
#ifndef RECURSOR_ANCHORAGE_H
#define RECURSOR_ANCHORAGE_H

#include "common/err.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/settings/settings.h"

struct anchorage;
struct server;

int anchorage_open(struct anchorage **out, struct server *server, const struct settings *s,
		   char *why) MUST_USE;
void anchorage_free(struct anchorage *a); /* accepts NULL */

/* Reads trustanchor-state-file: when privileges are dropped, before the first worker begins. */
void anchorage_prepare(struct anchorage *a);
/* The thread, when the workers run.  E_SYSTEM, E_NOMEM. */
int anchorage_start(struct anchorage *a) MUST_USE;
/* While the workers can still be visited. */
void anchorage_stop(struct anchorage *a);

/* Those in force; a reference. */
struct anchors *anchorage_get(struct anchorage *a);

/* `change` gets a copy of those in force, which takes their place unless it returns an error, which
 * is returned. */
int anchorage_edit(struct anchorage *a, int (*change)(void *arg, struct anchors *copy), void *arg,
		   char *why) MUST_USE;

/* Reads what the settings say. */
int anchorage_reload(struct anchorage *a, const struct settings *s, char *why) MUST_USE;

/* Has the daemon do that by what recursor.conf says now; `file`, unless it is NULL, takes the place
 * of lua-config-file.  `path` (SETTINGS_WHY_MAX): which that is, also on error.  `why`: as reconfigure.h. */
int server_reload_anchors(struct server *s, const char *file, char *path, char *why) MUST_USE;

#endif
