/*
 * control: the control socket's server (protocol: common/ctl.h, commands: commands.h).
 *
 * A few threads of its own wait at one listening socket and serve a connection each, with
 * blocking calls: no worker and no loop ever waits for an operator, and one operator whose
 * dump or explain takes long does not keep the others waiting.
 *
 * Order of life, as main.c needs it: control_open() as root, before chroot, fork and setuid;
 * control_start() when the workers run; control_stop() before they are stopped.
 *
 * Limits:  CONTROL_THREADS connections are served at once, CONTROL_BACKLOG wait in the kernel;
 *          CONTROL_IO_MS for a peer to send its request, and for each bit of progress in taking
 *          the reply.
 * Memory:  the control belongs to whoever opened it; `env` is borrowed until control_stop().
 * Threads: open, start and stop from one thread.  The functions of `env` are called by all
 *          CONTROL_THREADS at once.
 */
#ifndef WATCH_CONTROL_H
#define WATCH_CONTROL_H

#include <stddef.h>

#include "common/err.h"
#include "recursor/watch/env.h"

enum {
	CONTROL_THREADS = 4,
	CONTROL_BACKLOG = 16,
	CONTROL_IO_MS = 5000,
	CONTROL_LAST_MS = 200, /* for the same, when the daemon ends */
};

struct control;

/* Everything is borrowed for the call of control_open(). */
struct control_options {
	const char *path;  /* ctl_socket_path(); with chroot: as seen before chroot */
	const char *owner; /* user name or number; NULL or "": left as it is */
	const char *group;
	const char *mode; /* octal; NULL or "": 0600 */
};

/* Binds the socket.  A stale socket is removed: a path that is no socket, or one at which
 * somebody answers, is not.  On error one line in `why`, and nothing is left behind. */
int control_open(struct control **out, const struct control_options *o, char *why,
		 size_t cap) MUST_USE;

/* Starts the threads.  E_SYSTEM. */
int control_start(struct control *c, const struct watch_env *env) MUST_USE;

/* Ends what is being served, joins the threads, removes the socket (by the directory held
 * open since control_open(), so also from within a chroot), frees.  Accepts NULL. */
void control_stop(struct control *c);

#endif
