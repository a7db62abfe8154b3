/*
 * listen: the sockets that clients reach us at: UDP with recvmmsg and sendmmsg, TCP with
 * pipelining.
 *
 * Each worker binds its own socket to each address (SO_REUSEPORT); binding is split from
 * starting, so that it can happen before privileges are dropped and before threads start.
 *
 * A query is handed up with a `struct client`, a small value that says where its answer goes;
 * it may be copied and kept as long as the query is being worked on.  For UDP it holds the
 * address the query was sent to (pktinfo), so that a socket bound to 0.0.0.0 or :: answers from
 * there.  For TCP it names the connection by slot and generation, so an answer to a connection
 * that is gone is thrown away, safely.
 *
 * UDP answers are collected and sent with one sendmmsg at the end of a batch or of a turn of the
 * loop (a hook of loop_after_turn() that makes answers ends with listener_flush()).  TCP answers
 * may leave in any order (RFC 7766 7).
 *
 * Limits (struct listen_limits): connections in all and for each client address (over all the
 * listeners that share a tally), queries at once on a connection, bytes waiting to be written to
 * a slow reader, idle time.
 * Threads: all on one worker's loop.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/metrics.h"
#include "recursor/net/loop.h"
#include "recursor/net/tally.h"

struct client {
	struct addr remote;
	struct addr local; /* where the query was sent to; the socket's address when not known */
	bool tcp;
	uint8_t socket;      /* UDP: which socket of the listener */
	uint32_t slot;       /* TCP: connection slot */
	uint32_t generation; /* TCP: must match, or the connection is gone */
	uint32_t ifindex;    /* UDP over IPv6 link-local */
};

enum listen_verdict {
	LISTEN_TAKEN, /* an answer will come, or none ever (UDP), or listen_drop() (TCP) */
	LISTEN_CLOSE, /* TCP: close the connection */
};

struct listen_limits {
	struct tally *tally;           /* shared, with limits of its own; NULL: those below */
	uint32_t tcp_clients;          /* max-tcp-clients: one listener may get them all */
	uint32_t tcp_per_client;       /* max-tcp-per-client; 0: no limit */
	uint32_t tcp_queries_at_once;  /* max-concurrent-requests-per-tcp-connection */
	uint32_t tcp_queries_per_conn; /* max-tcp-queries-per-connection; 0: no limit */
	uint32_t tcp_idle_ms;          /* client-tcp-timeout */
	uint32_t tcp_write_backlog;    /* bytes; 0: LISTEN_WRITE_BACKLOG */
	size_t tcp_write_total;        /* of all connections; 0: LISTEN_WRITE_TOTAL */
	uint32_t udp_batches;          /* batches of 64 read before other work has its turn */
};
enum { LISTEN_WRITE_BACKLOG = 256 * 1024, LISTEN_WRITE_TOTAL = 32 << 20, LISTEN_UDP_BATCH = 64 };

struct listen_handler {
	void *ctx;
	/* A UDP packet or a whole TCP message (without its length).  Answer now or later with
	 * listen_reply().  `from` and `wire`, which may be written to, are borrowed for the call, or,
	 * for UDP, until the end of taken(). */
	enum listen_verdict (*query)(void *ctx, const struct client *from, uint8_t *wire,
				     size_t len);
	/* All packets of a batch have been handed up; may be NULL. */
	void (*taken)(void *ctx);
	/* May a TCP connection from there be opened?  (The ACL.) */
	bool (*accept)(void *ctx, const struct addr *remote);
};

struct listener;

int listener_new(struct listener **out, const struct listen_limits *limits,
		 struct counters *counters) MUST_USE;

/* Binds UDP and TCP.  `free_bind`: IP_FREEBIND.  On error `why` gets one line that names the
 * address and the system's reason. */
int listener_bind(struct listener *l, const struct addr *a, bool reuseport, bool free_bind,
		  char *why, size_t why_cap) MUST_USE;

/* Is the address nobody's yet?  With `reuseport` listener_bind() cannot tell: another process of
 * the same user would share the clients with us unnoticed.  To be asked before the first socket
 * of our own is bound; `why` as above. */
int listener_probe(const struct addr *a, bool free_bind, char *why, size_t why_cap) MUST_USE;

/* Begins to read, on the loop of the calling thread. */
int listener_start(struct listener *l, struct loop *loop, const struct listen_handler *h) MUST_USE;

/* Stops to read and to accept; what is being worked on may still be answered. */
void listener_stop(struct listener *l);

/* Have TCP clients not received yet all that was answered?  Until it is stopped nobody looks, and
 * any client may have not. */
bool listener_owes(const struct listener *l);

/* Closes everything and frees.  Not from within a handler's call. */
void listener_close(struct listener *l);

/* Sends an answer of at most 65,535 bytes; copied.  Never blocks. */
void listen_reply(struct listener *l, const struct client *to, const uint8_t *wire, size_t len);

/* Where an answer may be built without a copy: at least `need` bytes of the next place in the
 * UDP batch, or NULL (TCP, or the batch cannot hold it).  Send it with listen_reply() from the
 * same pointer before any other listen_ call. */
uint8_t *listen_reply_buffer(struct listener *l, const struct client *to, size_t need);

/* There will be no answer: the TCP connection's place for a query is free again. */
void listen_drop(struct listener *l, const struct client *to);

/* Sends what is collected. */
void listener_flush(struct listener *l);

size_t listener_tcp_clients(const struct listener *l);

#endif
