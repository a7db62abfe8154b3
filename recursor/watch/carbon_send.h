/*
 * carbon_send: one text for many servers over TCP, all at once, each with its own patience.
 *
 *     carbon_connect(peers, n);             begins all connections, waits for none
 *     ... make the text ...
 *     carbon_send(peers, n, &o);            comes back when each has had all of it, or failed
 *
 * A server that does not answer, takes nothing or refuses costs the others nothing.  What a server
 * says is not read.
 *
 * Limits:  `idle_ms` without progress, `total_ms` in all, for each server; `stop_fd` ends it at once.
 * Threads: the caller's; it waits in poll().
 */
#ifndef WATCH_CARBON_SEND_H
#define WATCH_CARBON_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

enum { CARBON_SERVERS_MAX = 64 };

enum carbon_outcome {
	CARBON_UNDER_WAY,
	CARBON_SENT,
	CARBON_TIMEOUT,
	CARBON_ERROR,
	CARBON_STOPPED,
};

struct carbon_peer {
	struct addr to; /* the caller's to fill */
	enum carbon_outcome outcome;
	int error; /* CARBON_ERROR: errno */
	/* the rest is carbon_send.c's */
	int fd;
	bool is_connected;
	size_t sent;
	uint64_t due_ms;
};

struct carbon_send_options {
	const char *text;
	size_t len;
	uint32_t idle_ms, total_ms;
	int stop_fd; /* or -1 */
	/* Called once for each as soon as it has ended; or NULL. */
	void (*ended)(void *ctx, const struct carbon_peer *p);
	void *ctx;
};

void carbon_connect(struct carbon_peer *peers, unsigned n);
/* n: CARBON_SERVERS_MAX at most. */
void carbon_send(struct carbon_peer *peers, unsigned n, const struct carbon_send_options *o);

#endif
