/*
 * passed_write: writes to a descriptor that came from a client, and never waits in the kernel.
 *
 * The descriptor stays in blocking mode, as it is the client's too, and its other writers' (two dumps
 * into one pipe): what poll(2) has seen in a pipe another may have taken by the time of the write(2).
 * So a pipe is written by splice(2) out of one of our own, which can be told not to wait, and a socket
 * by send(2).  A file has room at any time; terminals are refused before (commands.c).
 *
 *     n = passed_write(&w, data, len);
 *     if (n < 0 && errno == EAGAIN)
 *             wait by poll(2), and again
 *
 * Threads: one at a time.
 */
#ifndef WATCH_PASSED_WRITE_H
#define WATCH_PASSED_WRITE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

struct passed_writer {
	int fd; /* not ours to close */
	enum { PASSED_FILE, PASSED_PIPE, PASSED_SOCKET } kind;
	int own[2]; /* of a PASSED_PIPE */
};

/* E_SYSTEM: there is no descriptor left for a pipe. */
int passed_writer_open(struct passed_writer *w, int fd) MUST_USE;
void passed_writer_close(struct passed_writer *w);

/* Before an end in order: CTL_END_MARK is taken out of a socket. */
void passed_writer_end(const struct passed_writer *w);

/* As write(2): how many bytes were taken, or -1. */
ssize_t passed_write(struct passed_writer *w, const char *data, size_t len);

#endif
