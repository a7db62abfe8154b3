/*
 * scripts: the script of lua-dns-script on its way to the workers.
 *
 *     scripts_load()        at the start, before the threads: a state for each worker
 *     server_load_script()  later: code compiled and run in new states, here, on the caller's thread;
 *                           when all of them are ready each worker is visited and given its own
 *
 * So a script that does not load leaves the one before in force everywhere, and a visit exchanges a
 * pointer.  A state that no query uses any more is freed by a thread of ours: a large heap takes
 * longer than a worker may be held.
 *
 * Threads: as said; loads come one after the other (recursor/reconfigure.h).
 */
#ifndef RECURSOR_SCRIPTS_H
#define RECURSOR_SCRIPTS_H

#include "common/err.h"
#include "recursor/worker.h"

struct scripts;

int scripts_new(struct scripts **out, struct server *server) MUST_USE;
/* No state is in use any more. */
void scripts_free(struct scripts *s); /* accepts NULL */

/* What the settings name, for all workers, who do not run yet; nothing when they name none.  One
 * line in `why` (SETTINGS_WHY_MAX) on error. */
int scripts_load(struct scripts *s, const struct settings *settings, char *why) MUST_USE;
/* The state that was made for a worker, or NULL; the caller takes the reference. */
struct script *scripts_take(struct scripts *s, unsigned worker);

/* Loads `path`, or what lua-dns-script names when it is NULL, and makes it lua-dns-script; "" is no
 * script at all.  *loaded (SETTINGS_WHY_MAX) is the path, also on error.  One line in `why`. */
int server_load_script(struct server *s, const char *path, char *loaded, char *why) MUST_USE;

#endif
