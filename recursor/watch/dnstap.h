/*
 * dnstap: copies of clients' and servers' messages for those who watch (dnstap-server).
 *
 *     worker:  if (w->tap != NULL)
 *                      dnstap_see(w->tap, &message);
 *
 * A worker writes each message once into a queue for each server, and waits for nobody; a thread a
 * server sends them (dnstap_sender.h).  Where a server is slower than the traffic its queues are full
 * and messages are dropped and counted (dnstap-drops); the other servers have theirs.
 *
 * Off, as it is unless configured, a packet costs the test of that pointer.
 *
 * Limits:  dnstap-queue-size bytes for each worker and server, DNSTAP_SERVERS_MAX servers.
 * Threads: dnstap_see() and dnstap_time_ns() a tap's own worker; the rest one, but stats any.
 */
#ifndef WATCH_DNSTAP_H
#define WATCH_DNSTAP_H

#include "common/err.h"
#include "recursor/watch/dnstap_frame.h"
#include "recursor/watch/dnstap_sender.h"

enum { DNSTAP_SERVERS_MAX = 8, DNSTAP_WHY_MAX = 512 };

/* Bits, in the order of the words of dnstap-messages. */
#define DNSTAP_MESSAGES "client-queries client-responses resolver-queries resolver-responses"

/* What PowerDNS calls this kind of remote logger. */
#define DNSTAP_LOGGER_TYPE "dnstapFrameStream"

struct dnstap_options {
	const char *servers, *messages; /* the settings */
	const char *identity, *version;
	uint64_t queue_size;
	uint32_t reopen_interval_s;
	unsigned n_workers;
};

struct dnstap;
struct dnstap_tap; /* a worker's */

/* *out is NULL when there is no server. */
int dnstap_new(struct dnstap **out, const struct dnstap_options *o) MUST_USE;
/* The threads. */
int dnstap_start(struct dnstap *d) MUST_USE; /* accepts NULL, as the rest do */
/* When the workers have ended. */
void dnstap_stop(struct dnstap *d);
void dnstap_free(struct dnstap *d);

/* NULL: it is off. */
struct dnstap_tap *dnstap_tap_of(struct dnstap *d, unsigned worker);

/* Does anybody want those? */
bool dnstap_wants(const struct dnstap_tap *t, enum dnstap_type type);
/* Nothing when nobody does.  Everything is copied. */
void dnstap_see(struct dnstap_tap *t, const struct dnstap_message *m);
/* The time of day. */
uint64_t dnstap_time_ns(void);

struct dnstap_stats {
	uint64_t frames, drops, failures;
	uint64_t connected;   /* servers */
	uint64_t most_queued; /* bytes, of one queue */
};
void dnstap_stats(const struct dnstap *d, struct dnstap_stats *out); /* accepts NULL */

/* Of one server: each message is counted in one of queued, pipe_full and too_large. */
struct dnstap_server_stats {
	const char *address; /* the dnstap's */
	uint64_t queued;     /* they were sent, or wait */
	uint64_t pipe_full;  /* dropped: the queue was full, */
	uint64_t too_large;  /* or is too small for them */
	uint64_t frames, failures;
	bool is_connected;
};
size_t dnstap_n_servers(const struct dnstap *d); /* accepts NULL */
/* `server`: in the order of the setting. */
void dnstap_server_stats(const struct dnstap *d, size_t server, struct dnstap_server_stats *out);

/* Servers of a list like dnstap-server's, DNSTAP_SERVERS_MAX at most, each once; on error a reason in
 * `why` (DNSTAP_WHY_MAX). */
int dnstap_read_servers(struct dnstap_server *servers, unsigned *n, const char *list,
			char *why) MUST_USE;

#endif
