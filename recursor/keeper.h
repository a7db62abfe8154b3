/*
 * keeper: keeps the caches over a restart, in `cache-file`.
 *
 * A thread of its own loads the file while queries are answered already, in slices with pauses
 * between; then it writes it anew every `cache-file-interval`.  The daemon's end writes it once more.
 *
 * The file is written beside the old one, synced, and takes its place whole: whatever happens
 * meanwhile (kill -9, a full disk), the old one stays.  When something was wiped while it was written
 * it is written again.  Before anything of a file is used all of it
 * has been read and found right: it is loaded whole or not at all.  It has to be a plain file of
 * our own user (or root) that nobody else may write to.
 *
 * Order of life: keeper_open() before chroot and setuid, for the directory is held open from then
 * on; keeper_start() when the workers run; keeper_stop() when they have ended;
 * keeper_free() when nobody asks any more.
 *
 * Errors:  one line in the log; the daemon serves on without.
 * Threads: open, start, stop from one; keeper_save() and keeper_stats() any.
 */
#ifndef RECURSOR_KEEPER_H
#define RECURSOR_KEEPER_H

#include "common/err.h"
#include "recursor/settings/settings.h"
#include "recursor/watch/env.h"

struct keeper;
struct server;

/* *out is NULL when no file is configured, or its directory cannot be opened. */
void keeper_open(struct keeper **out, const struct settings *s);

/* E_SYSTEM. */
int keeper_start(struct keeper *k, struct server *server) MUST_USE;

/* Ends the thread; writes the file, but for one that was not all loaded yet.  Accepts NULL. */
void keeper_stop(struct keeper *k);
void keeper_free(struct keeper *k); /* accepts NULL */

/* Writes it now.  `why` (ENV_WHY_MAX) on error.  `k` may be NULL. */
int keeper_save(struct keeper *k, char *why) MUST_USE;

void keeper_stats(struct keeper *k, struct watch_cachefile *out);

#endif
