/*
 * carry: a terminal for a command that writes or reads a file.
 *
 * The daemon takes no terminal: whoever writes to one may wait in the kernel until somebody reads, and
 * it has others to serve.  It gets a pipe, and a thread here, which may wait, carries what goes through.
 *
 * For what has no end of its own it gets a socket with CTL_END_MARK in it: the end tells whether it is
 * one in order.
 *
 *     fd = carry_begin(&carry, STDOUT_FILENO, CARRY_WRITES);
 *     ... pass fd to the daemon, get its reply ...
 *     carry_let_go(&carry);
 *     error = carry_end(&carry, true);
 */
#ifndef REC_CONTROL_CARRY_H
#define REC_CONTROL_CARRY_H

#include <pthread.h>
#include <stdbool.h>

enum carry_kind {
	CARRY_READS,  /* the daemon reads it */
	CARRY_WRITES, /* it is written until there is a reply */
	CARRY_STREAM, /* and from the reply on */
};

struct carry {
	bool is_carried, reads;
	int passed; /* the pipe's end that is not ours */
	int from, to;
	pthread_t thread;
	int error; /* errno of the thread */
};

/* What to pass for `fd`: itself, unless it is a terminal.  -1 and
 * errno. */
int carry_begin(struct carry *c, int fd, enum carry_kind kind);

/* It was passed, or will not be. */
void carry_let_go(struct carry *c);

/* Waits until the daemon has written all of it, if told to; what it does not read is left where it is.  0,
 * or the errno of what went wrong with the terminal; ECONNRESET: the daemon has broken off its stream. */
int carry_end(struct carry *c, bool wait);

#endif
