/*
 * statefile: a file of the daemon's own, which outlives it.
 *
 * A new one is written beside the old one, synced, and takes its place whole: whatever happens
 * meanwhile (kill -9, a full disk), the old one stays.  It is read only if it is a plain file of our own
 * user (or root) that nobody else may write to: whoever could might make us believe anything.  What
 * is no plain file (a device, a pipe, a symbolic link) is neither replaced nor moved.
 *
 * The directory is held open from statefile_open() on, which comes before chroot and setuid.
 *
 * Threads: one at a time.
 */
#ifndef RECURSOR_STATEFILE_H
#define RECURSOR_STATEFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"

struct statefile {
	char *path;       /* for people */
	const char *name; /* in it: the file's within the directory */
	int dir_fd;
};

/* `path` is as seen within `root` ("": there is none).  E_SYSTEM (errno is set), E_NOMEM; *f may be
 * given to statefile_close() all the same. */
int statefile_open(struct statefile *f, const char *path, const char *root) MUST_USE;
void statefile_close(struct statefile *f);

/* E_NOT_FOUND: there is none.  What else is wrong stands in `why`: E_NOT_FILE (it is none that may be
 * read), E_SYSTEM, E_NOMEM. */
int statefile_read(const struct statefile *f, FILE **out, char *why, size_t why_cap) MUST_USE;

/* Of what statefile_read() returned, or who read what is in it: something is wrong with the file, and not
 * with us; want of rights, descriptors or memory passes, and the file may be good. */
bool statefile_is_damaged(int err);

/* `fill` writes the new one.  E_NOT_FILE, E_SYSTEM (errno is set), or what `fill` returned. */
int statefile_replace(const struct statefile *f, int (*fill)(void *ctx, FILE *to),
		      void *ctx) MUST_USE;

/* Puts .bad behind its name, in the place of what has that name.  E_NOT_FILE, E_SYSTEM. */
int statefile_put_aside(const struct statefile *f) MUST_USE;

#endif
