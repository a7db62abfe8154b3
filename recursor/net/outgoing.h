/*
 * outgoing: asks servers over UDP and TCP.  The production side of struct world's send and
 * cancel (pipeline.c joins the two; this room does not know the resolver).
 *
 * UDP: a connected socket to one server, from a random port (udp-source-port-min to -max, less
 * the avoided ones), is used for at most OUTGOING_SOCKET_QUESTIONS questions or
 * OUTGOING_SOCKET_MS, and for no further question after the first packet that matches nothing:
 * an off-path attacker learns only the ports of sockets to his own servers.  Ids are random and
 * unused on the socket.
 * When all sockets are taken, a question leaves from one of a few that many servers share, each
 * with a random port and a short life (outgoing_shared.c).
 * TCP: connections are kept and shared by questions to the same server (RFC 7766 6.2.1), with
 * limits on number, idle time and questions.
 *
 * What the network says of a question over UDP (ICMP) fails that question at once.
 *
 * Only what comes from the server's address and port to the socket asked from, with the id of a
 * pending question, is handed up as a reply.
 *
 * Limits:  sockets in all (struct outgoing_config.max_sockets, and max_shared beside them): beyond
 *          them OUTGOING_NO_RESOURCES.
 * Threads: all on one worker's loop.  No call here calls back before it returns.
 */
#ifndef NET_OUTGOING_H
#define NET_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "recursor/net/loop.h"

enum { OUTGOING_SOCKET_QUESTIONS = 32, OUTGOING_SOCKET_MS = 1000, OUTGOING_AVOID_MAX = 64 };

struct outgoing_config {
	struct addr local4[16], local6[16]; /* query-local-address; one is chosen at random */
	unsigned n_local4, n_local6;        /* 0: that family is not used */
	uint16_t port_min, port_max;
	uint16_t avoid[OUTGOING_AVOID_MAX];
	unsigned n_avoid;
	uint32_t max_sockets;
	uint32_t max_shared;          /* sockets for many servers, beside those; 0: none */
	uint32_t tcp_connect_ms;      /* network-timeout */
	uint32_t tcp_idle_ms;         /* tcp-out-max-idle-ms */
	uint32_t tcp_max_idle_server; /* tcp-out-max-idle-per-auth */
	uint32_t tcp_max_idle;        /* tcp-out-max-idle-per-thread */
	uint32_t tcp_max_queries;     /* tcp-out-max-queries; 0: no limit */
};

/* UNROUTED: no route leads there, from no address of ours. */
enum outgoing_result {
	OUTGOING_OK,
	OUTGOING_UNROUTED,
	OUTGOING_UNREACHABLE,
	OUTGOING_NO_RESOURCES
};
enum outgoing_failure {
	OUTGOING_FAIL_UNREACHABLE,
	OUTGOING_FAIL_REFUSED,
	OUTGOING_FAIL_CLOSED,
	OUTGOING_FAIL_RESOURCES
};

/* A packet as it left or came; borrowed for the call. */
struct outgoing_seen {
	struct addr local, server;
	bool tcp, is_answer;
	uint64_t mark; /* of its question, with an answer */
	const uint8_t *wire;
	size_t len;
};

struct outgoing_handler {
	void *ctx;
	/* False: the packet was not the answer (wrong question): the ticket stays, the socket is
	 * not used for new questions. */
	bool (*reply)(void *ctx, uint64_t ticket, const uint8_t *wire, size_t len);
	void (*near_miss)(void *ctx, uint64_t ticket);
	void (*failed)(void *ctx, uint64_t ticket, enum outgoing_failure why);
	/* A packet on one of our sockets that answers no pending question. */
	void (*unexpected)(void *ctx);
	/* A question has left from a socket that others use too; needed where max_shared is not 0. */
	void (*shared)(void *ctx);
	/* NULL, or who looks on: a question has left (the whole of it, over TCP), or a packet with its
	 * id has come from its server.  What it returns for a question it is given with the answers. */
	uint64_t (*seen)(void *ctx, const struct outgoing_seen *seen);
};

struct outgoing;

/* Is it an address of this host, from which questions can leave?  errno: why not.  Any (0.0.0.0,
 * ::) is, also where the family is not to be had. */
bool outgoing_can_use(const struct addr *local);

int outgoing_new(struct outgoing **out, struct loop *loop, const struct outgoing_config *cfg,
		 const struct outgoing_handler *h) MUST_USE;
/* Cancels all, and frees.  Not from within a handler's call. */
void outgoing_close(struct outgoing *o);

/* `wire` is copied or sent before the call returns; its first two bytes are replaced by the id. */
enum outgoing_result outgoing_send(struct outgoing *o, uint64_t ticket, const struct addr *server,
				   bool tcp, const uint8_t *wire, size_t len);
void outgoing_cancel(struct outgoing *o, uint64_t ticket);

struct outgoing_stats {
	size_t udp_sockets, shared_sockets, tcp_connections, tcp_idle, pending;
	uint64_t most_tcp_idle, most_tcp_idle_server; /* at once, ever; of one server */
	uint64_t most_tcp_asked;                      /* questions over one connection */
};
void outgoing_stats(const struct outgoing *o, struct outgoing_stats *out);

#endif
