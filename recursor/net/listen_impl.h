/*
 * listen_impl: what listen.c and listen_tcp.c share; nobody else includes it.
 *
 * While the owner's callback may run, the TCP connection at work is held: whatever the callback
 * answers, the connection is not freed until settle() has seen it again.
 */
#ifndef NET_LISTEN_IMPL_H
#define NET_LISTEN_IMPL_H

#include <sys/queue.h>

#include "recursor/net/listen.h"
#include "recursor/net/partial.h"

/* An endpoint's number must fit struct client. */
enum { LISTEN_ADDRESSES_MAX = 256 };

/* An address we are bound to. */
struct endpoint {
	struct listener *l;
	struct addr local;
	bool is_any; /* 0.0.0.0 or ::, so that each packet must tell where it was sent to */
	uint8_t number;
	int udp_fd;
	struct loop_fd *udp_watch;
	int tcp_fd; /* -1: the watch has it, or it is closed */
	struct loop_watch tcp_watch;
};

struct udp_in;
struct udp_out;
struct tcp_client;

struct tcp_slot {
	struct tcp_client *client;
	uint32_t generation; /* of the connection there, or of the next one */
	uint32_t next_free;
};

TAILQ_HEAD(client_list, tcp_client);

struct listener {
	struct loop *loop; /* NULL until started */
	struct listen_limits limits;
	struct listen_handler handler;
	struct counters *counters;
	struct endpoint *endpoints[LISTEN_ADDRESSES_MAX];
	unsigned n_endpoints;
	unsigned depth; /* > 0: a callback of the owner may be running */
	bool is_stopped;

	struct udp_in *in;
	struct udp_out *out;
	struct loop_timer *send_timer;

	struct tcp_slot *slots; /* limits.tcp_clients of them */
	uint32_t free_slot;     /* limits.tcp_clients: none */
	uint32_t n_slots_used;  /* those from here on were never in use */
	uint32_t n_clients;
	uint32_t n_taken; /* queries, in this turn of the loop */
	size_t out_bytes; /* for answers that clients do not read */
	struct tally *tally;
	struct tally *own_tally;   /* NULL: it is shared */
	struct client_list by_age; /* the one without a sign of life for longest first */
	struct client_list to_resume;
	struct loop_timer *idle_timer, *accept_timer;
	uint64_t idle_due_ms;
	uint8_t *tcp_in; /* PARTIAL_BUFFER */
};

/* ---- listen_tcp.c ---- */

int listen_tcp_init(struct listener *l) MUST_USE; /* on error listen_tcp_deinit() is due */
void listen_tcp_deinit(struct listener *l);
int listen_tcp_start(struct listener *l) MUST_USE;
void listen_tcp_stop(struct listener *l);
bool listen_tcp_owes(const struct listener *l);
void listen_tcp_reply(struct listener *l, const struct client *to, const uint8_t *wire, size_t len);
void listen_tcp_drop(struct listener *l, const struct client *to);
/* After each turn: goes on with connections that had to wait for answers to leave. */
void listen_tcp_resume(struct listener *l);

#endif
