/*
 * outgoing_impl: what outgoing.c, outgoing_udp.c, outgoing_tcp.c and datagram.c share; nobody else
 * includes it.
 *
 * A question is in the table of tickets and belongs to one socket.  A socket is `current` while
 * new questions may be asked from it; then it is found by its server's address.  One that is not
 * lives on until its last question is answered or cancelled.  One that has no question is idle:
 * it is the first to go when sockets run short.
 *
 * While a callback of the owner may run, the socket at work is held: whatever the callback asks
 * or cancels, the socket is not freed until settle() has seen it again.
 */
#ifndef NET_OUTGOING_IMPL_H
#define NET_OUTGOING_IMPL_H

#include <sys/queue.h>
#include <sys/uio.h>

#include "common/chains.h"
#include "common/random.h"
#include "common/slab.h"
#include "recursor/net/outgoing.h"
#include "recursor/net/partial.h"

struct shared_socket;
struct udp_socket;
struct tcp_conn;
struct udp_buffers;

struct question {
	uint64_t ticket;
	struct chain_link by_ticket;
	struct udp_socket *udp; /* the one of the three it was asked from */
	struct shared_socket *shared;
	struct tcp_conn *tcp;
	uint64_t mark; /* of who looks on */
	uint16_t id;
	uint8_t place; /* UDP: its index in the socket */
};

LIST_HEAD(shared_list, shared_socket);
LIST_HEAD(udp_bucket, udp_socket);
LIST_HEAD(tcp_bucket, tcp_conn);
TAILQ_HEAD(udp_list, udp_socket);
TAILQ_HEAD(tcp_list, tcp_conn);

struct outgoing {
	struct loop *loop;
	struct loop_timer *timer;
	uint64_t due_ms; /* of the timer */
	struct outgoing_config cfg;
	struct outgoing_handler handler;
	struct random_source random;
	uint8_t avoid[65536 / 8]; /* a bit a port */
	unsigned depth;           /* > 0: a callback of the owner may be running */

	struct chains tickets;
	size_t server_buckets; /* a power of two */

	struct slab udp_sockets, udp_questions;
	struct udp_bucket *udp;
	struct udp_list udp_idle, udp_broken;
	struct udp_buffers *udp_in;
	size_t n_udp;
	size_t n_datagrams; /* sockets of datagram.c */

	struct slab shared_sockets, shared_questions;
	struct shared_list shared_all;
	struct shared_socket **shared; /* those that are current: any order, no gaps */
	unsigned n_shared, n_shared_current;
	struct chains shared_servers; /* questions by socket and server */
	/* while the owner is told; NULL once it has cancelled it */
	struct question *shared_answered;

	struct slab tcp_conns, tcp_questions;
	struct tcp_bucket *tcp;
	struct tcp_list tcp_connecting, tcp_idle, tcp_broken;
	size_t n_tcp, n_tcp_idle;
	/* The most there were: idle, idle of one server, questions over one connection. */
	uint64_t most_tcp_idle, most_tcp_idle_server, most_tcp_asked;
	uint8_t tcp_in[PARTIAL_BUFFER];
};

/* ---- outgoing.c ---- */

void outgoing_ticket_add(struct outgoing *o, struct question *q);
struct question *outgoing_ticket_find(const struct outgoing *o, uint64_t ticket);
void outgoing_ticket_remove(struct outgoing *o, struct question *q);

/* The bucket of a server's address. */
size_t outgoing_server_bucket(const struct outgoing *o, const struct addr *server);

/* Is it an address that a packet of ours may go to? */
bool outgoing_may_send(const struct outgoing *o, const struct addr *to);

/* Makes room for one more socket by closing an idle one where needed. */
bool outgoing_make_room(struct outgoing *o);

/* A new socket bound to a local address; UDP: to a random port also.  -1: none can be had. */
int outgoing_open_bound(struct outgoing *o, const struct addr *server, bool tcp);

/* Has outgoing_udp_tick() and outgoing_tcp_tick() called at that time or before. */
void outgoing_wake_by(struct outgoing *o, uint64_t due_ms);

/* Shows a packet to who looks on, with the socket's own address as `local`. */
void outgoing_show(struct outgoing *o, struct question *q, int fd,
		   const struct outgoing_seen *seen);

/* What errno means: of outgoing_open_bound(), of another call that failed at once, and when the
 * error came later. */
enum outgoing_result outgoing_open_failure(int error);
enum outgoing_result outgoing_result_of(int error);
enum outgoing_failure outgoing_failure_of(int error);

/* ---- outgoing_udp.c ---- */

int outgoing_udp_init(struct outgoing *o) MUST_USE;
void outgoing_udp_deinit(struct outgoing *o); /* every question has been cancelled */
enum outgoing_result outgoing_udp_send(struct outgoing *o, uint64_t ticket,
				       const struct addr *server, const uint8_t *wire, size_t len);
void outgoing_udp_cancel(struct outgoing *o, struct question *q);
bool outgoing_udp_evict(struct outgoing *o);
void outgoing_udp_tick(struct outgoing *o, uint64_t now_ms);

/* ---- outgoing_shared.c ---- */

int outgoing_shared_init(struct outgoing *o) MUST_USE;
void outgoing_shared_deinit(struct outgoing *o);
enum outgoing_result outgoing_shared_send(struct outgoing *o, uint64_t ticket,
					  const struct addr *server, const uint8_t *wire,
					  size_t len);
void outgoing_shared_cancel(struct question *q);

/* ---- outgoing_icmp.c ---- */

/* Has reports kept for the socket. */
void outgoing_icmp_want(int fd, uint8_t family);

/* What a report says: `error` 0: nothing that matters, or too little. */
struct outgoing_icmp {
	int error;   /* errno */
	uint16_t id; /* of the question that did not arrive */
};
/* The next report; false: there is none. */
bool outgoing_icmp_read(int fd, struct outgoing_icmp *out);

/* ---- outgoing_tcp.c ---- */

void outgoing_tcp_init(struct outgoing *o);
void outgoing_tcp_deinit(struct outgoing *o);
enum outgoing_result outgoing_tcp_send(struct outgoing *o, uint64_t ticket,
				       const struct addr *server, const uint8_t *wire, size_t len);
void outgoing_tcp_cancel(struct outgoing *o, struct question *q);
bool outgoing_tcp_evict(struct outgoing *o);
void outgoing_tcp_tick(struct outgoing *o, uint64_t now_ms);

#endif
