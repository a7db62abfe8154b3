/*
 * pidfile: the directory of the pid file and the control socket, and the pid file.
 *
 * The directory stays open, so that the file can be removed from within a chroot.
 */
#ifndef RECURSOR_PIDFILE_H
#define RECURSOR_PIDFILE_H

#include <sys/types.h>

#include "common/err.h"

/* Makes the directory if it is not there, for that user and group, who must be able to remove
 * the files at the end.  Its parent must be there.  E_SYSTEM. */
int pidfile_make_dir(const char *dir, uid_t uid, gid_t gid) MUST_USE;

struct pidfile {
	int dir_fd;
	char name[128];
};

/* `<dir>/pdns_recursor[-<config_name>].pid`.  E_SYSTEM, E_TOO_LONG. */
int pidfile_write(struct pidfile *out, const char *dir, const char *config_name) MUST_USE;

/* Removes the file, if it is still ours.  Does nothing to a zeroed one. */
void pidfile_remove(struct pidfile *p);

#endif
