/*
 * rezone: other zones while the daemon runs (rec_control reload-zones, reload).
 *
 * Files and settings are read anew, all of them, before anything changes.  Then each worker gets the
 * new zones on a visit that exchanges a pointer; what it is resolving in a zone that has changed
 * begins anew.  At last the caches forget the names whose zone has changed, a few entries at a time:
 * the record cache those alone, the packet caches everything, for the answer to any name may lead
 * into such a zone.  The old zones are freed here, on the caller's thread.
 *
 * Reading is done before the lock on changes is taken: other settings may change meanwhile.  It is
 * broken off when the daemon ends (E_STOPPED).
 *
 * Errors:  one line in `why` (SETTINGS_WHY_MAX), and everything is as before.  Without one: as reconfigure.h.
 * Threads: as reconfigure.h.
 */
#ifndef RECURSOR_REZONE_H
#define RECURSOR_REZONE_H

#include "common/err.h"
#include "recursor/worker.h"

/* With them the settings `more` (or none) are taken from the files, as by server_reload(): all that, or
 * nothing of it. */
int server_reload_zones(struct server *s, const char *const *more, size_t n_more,
			char *why) MUST_USE;

/* The zones in force; a reference. */
struct zones *server_zones_get(struct server *s);

#endif
