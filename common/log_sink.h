/*
 * log_sink: where lines of the log go, without waiting for it.
 *
 * A sink is stderr, or a datagram socket of the system's: syslog's or the journal's.  A daemon behind
 * a socket may end and begin again: it is connected to anew when it is found gone.
 *
 * Threads: any may write; opening and closing are for one, while nobody writes.
 */
#ifndef COMMON_LOG_SINK_H
#define COMMON_LOG_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/un.h>

struct log_sink {
	_Atomic int fd; /* -1: closed */
	atomic_bool is_stalled;
	struct sockaddr_un to;
};

#define LOG_SINK_CLOSED                                                                            \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Returns whether somebody is there; who is not may come. */
bool log_sink_open(struct log_sink *s, const char *path);
void log_sink_close(struct log_sink *s);

/* Parts of one datagram.  Waits `patience_ms` at most, and not at all when the one before was in
 * vain; false: it was not taken. */
bool log_sink_send(struct log_sink *s, struct iovec *parts, size_t n, int patience_ms);

/* The same for one line to stderr. */
bool log_sink_stderr(const char *line, size_t len, int patience_ms);
/* Such lines go to this descriptor from now on, a pipe's or stderr's; -1: nowhere. */
void log_sink_set_stderr(int fd);

#endif
