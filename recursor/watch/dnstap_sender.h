/*
 * dnstap_sender: one server of dnstap-server, and the thread that sends it the frames of all workers.
 *
 * Frames go over a Unix or TCP socket as a stream of Frame Streams, in both directions (the server
 * says that it takes them).  libfstrm opens the stream and ends it.  The socket is ours, for its own
 * would wait for a dead server without end; and frames are written as they stand in the queues, many
 * in one piece, where its writer takes two pieces for each.  While there is no connection one is
 * tried for every `reopen_interval_s`, and the queues fill.  What was being written when a connection
 * broke is written again to the next one, so that a frame may come twice and none is lost between.
 *
 * Threads: new, start, stop, free from one; dnstap_sender_stats() any.
 */
#ifndef WATCH_DNSTAP_SENDER_H
#define WATCH_DNSTAP_SENDER_H

#include <stdbool.h>
#include <sys/un.h>

#include "common/addr.h"
#include "recursor/watch/dnstap_queue.h"

struct dnstap_server {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of a Unix socket, or "" */
	struct addr addr;                                       /* then this */
};

struct dnstap_sender;

/* `queues` are borrowed: one a worker. */
int dnstap_sender_new(struct dnstap_sender **out, const struct dnstap_server *server,
		      struct dnstap_queue *queues, unsigned n_queues,
		      uint32_t reopen_interval_s) MUST_USE;
int dnstap_sender_start(struct dnstap_sender *s) MUST_USE;
/* Nothing is queued any more: what is there is sent, if that does not take longer than
 * DNSTAP_GRACE_MS. */
void dnstap_sender_stop(struct dnstap_sender *s);
void dnstap_sender_free(struct dnstap_sender *s); /* accepts NULL */

enum { DNSTAP_GRACE_MS = 500 };

/* The server as text: the path, or address and port. */
const char *dnstap_sender_address(const struct dnstap_sender *s);

struct dnstap_sender_stats {
	uint64_t frames;   /* sent */
	uint64_t failures; /* to connect, and connections that broke */
	bool is_connected;
};
void dnstap_sender_stats(const struct dnstap_sender *s, struct dnstap_sender_stats *out);

#endif
