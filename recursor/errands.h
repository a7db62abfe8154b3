/*
 * errands: scripts that run beside the workers, each in a thread and a state of its own:
 * lua-start-stop-script at the daemon's start and at its end, and what a script has begun with
 * spawnThread().
 *
 * Such a script holds up nobody, so its instructions are not limited; its memory is, as any
 * script's (lua-memory-limit).  It may have the caches as strings.
 *
 *     errands_load()     the script of the start and the end is compiled: one that cannot be ends
 *                        the daemon, as lua-dns-script does
 *     errands_begin()    the workers run: on_recursor_start()
 *     errands_end()      what runs is ended, then on_recursor_stop() is called
 *
 * Limits:  ERRANDS_MAX scripts at a time.  At the daemon's end each gets ERRANDS_END_MS, and so
 *          does on_recursor_stop().  A script that waits for something outside (os.execute, io) may
 *          take longer, and cannot be ended: then the process goes without it.
 * Errors:  of a script: a line in the log, and nothing else.
 * Threads: errands_spawn(): any; the others: main's.
 */
#ifndef RECURSOR_ERRANDS_H
#define RECURSOR_ERRANDS_H

#include "common/err.h"
#include "recursor/worker.h"

enum { ERRANDS_MAX = 16, ERRANDS_END_MS = 5000 };

struct errands;

int errands_new(struct errands **out, struct server *server) MUST_USE;
/* One line in `why` (SETTINGS_WHY_MAX). */
int errands_load(struct errands *e, const struct settings *s, char *why) MUST_USE;
void errands_begin(struct errands *e);
/* The file is read by the thread: the caller may be a worker.  One line in `why` (SCRIPT_WHY_MAX).
 * E_LIMIT, E_STOPPED, E_NOMEM, E_SYSTEM. */
int errands_spawn(struct errands *e, const char *path, char *why) MUST_USE;
/* False: one has not ended, and the server may not be freed. */
bool errands_end(struct errands *e);
/* After errands_end() was true, or never called.  Accepts NULL. */
void errands_free(struct errands *e);

#endif
