/*
 * When there are more questions than sockets: UDP sockets that are connected to nobody, each for
 * questions to many servers.
 *
 * Whoever runs one of those servers learns its port, so a stranger guesses less; that is why they are
 * a last resort, why there are many, each question's chosen at random, and why none lives long.  Only
 * what comes from an address and port that were asked, with the id of a question to it, is an answer.
 * Errors of the network (ICMP) are not heard here: such a question times out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/timers.h"
#include "common/wire.h"
#include "recursor/net/outgoing_impl.h"

enum {
	QUESTIONS_MAX = 4096, /* that one socket is used for, unless there can be no other */
	PENDING_MAX = 16384,  /* on one socket: an unused id is soon found */
	RECEIVES_MAX = 32,    /* of one socket before others have their turn */
	QUESTION_MAX = 4096,
};

struct shared_question {
	struct question q;
	struct chain_link by_server; /* in outgoing.shared_servers */
	struct addr server;
};

struct shared_socket {
	struct loop_watch watch;
	struct outgoing *o;
	LIST_ENTRY(shared_socket) in_list;
	uint64_t born_ms;
	uint32_t n_asked, n_pending;
	uint8_t family;
	bool is_current; /* in outgoing.shared, at `place` */
	bool is_held;
	unsigned place;
};

static uint64_t server_hash(const struct shared_socket *s, const struct addr *server)
{
	return addr_hash(server) ^ (uintptr_t)s;
}

/* ---- the life of a socket ---- */

static void retire(struct shared_socket *s)
{
	struct outgoing *o = s->o;

	if (!s->is_current)
		return;
	s->is_current = false;
	o->shared[s->place] = o->shared[--o->n_shared_current];
	o->shared[s->place]->place = s->place;
}

static void settle(struct shared_socket *s)
{
	struct outgoing *o = s->o;

	if (s->is_held || s->n_pending > 0 || s->is_current)
		return;
	LIST_REMOVE(s, in_list);
	loop_watch_close(&s->watch);
	slab_give(&o->shared_sockets, s);
	o->n_shared--;
}

static void end_question(struct shared_question *sq)
{
	struct shared_socket *s = sq->q.shared;
	struct outgoing *o = s->o;

	if (o->shared_answered == &sq->q)
		o->shared_answered = NULL;
	outgoing_ticket_remove(o, &sq->q);
	chains_remove(&o->shared_servers, &sq->by_server);
	s->n_pending--;
	slab_give(&o->shared_questions, sq);
}

static void show(const struct shared_socket *s, struct shared_question *sq, bool is_answer,
		 const uint8_t *wire, size_t len)
{
	const struct outgoing_seen seen = {
		.server = sq->server, .is_answer = is_answer, .wire = wire, .len = len
	};

	outgoing_show(s->o, &sq->q, s->watch.fd, &seen);
}

/* ---- receiving ---- */

/* The questions of this socket to that server, from `l` on. */
static struct shared_question *same_server(const struct shared_socket *s, struct chain_link *l,
					   const struct addr *server)
{
	for (; l != NULL; l = chains_next(l)) {
		struct shared_question *sq = CONTAINER(l, struct shared_question, by_server);

		if (sq->q.shared == s && addr_equal(&sq->server, server))
			return sq;
	}
	return NULL;
}

static struct shared_question *first_of(const struct shared_socket *s, const struct addr *server)
{
	return same_server(s, chains_first(&s->o->shared_servers, server_hash(s, server)), server);
}

static struct shared_question *next_of(const struct shared_socket *s, struct shared_question *sq)
{
	return same_server(s, chains_next(&sq->by_server), &sq->server);
}

/* A packet that matches nothing, from a server that was asked or not. */
static void take_stray(struct shared_socket *s, const struct addr *from)
{
	struct outgoing *o = s->o;
	uint64_t tickets[OUTGOING_SOCKET_QUESTIONS];
	unsigned n = 0;

	retire(s);
	for (struct shared_question *sq = first_of(s, from); sq != NULL && n < ARRAY_LEN(tickets);
	     sq = next_of(s, sq))
		tickets[n++] = sq->q.ticket;
	if (n == 0)
		o->handler.unexpected(o->handler.ctx);
	for (unsigned i = 0; i < n; i++)
		o->handler.near_miss(o->handler.ctx, tickets[i]);
}

static void take_packet(struct shared_socket *s, const struct addr *from, const uint8_t *wire,
			size_t len)
{
	struct outgoing *o = s->o;
	struct shared_question *sq;

	sq = len >= WIRE_HEADER_LEN ? first_of(s, from) : NULL;
	while (sq != NULL && sq->q.id != wire_get_u16(wire))
		sq = next_of(s, sq);
	if (sq == NULL) {
		take_stray(s, from);
		return;
	}
	if (o->handler.seen != NULL)
		show(s, sq, true, wire, len);
	o->shared_answered = &sq->q;
	if (!o->handler.reply(o->handler.ctx, sq->q.ticket, wire, len))
		retire(s);
	else if (o->shared_answered != NULL)
		end_question(sq);
	o->shared_answered = NULL;
}

static void on_readable(void *ctx, unsigned events)
{
	struct shared_socket *s = ctx;
	struct outgoing *o = s->o;

	(void)events;
	s->is_held = true;
	o->depth++;
	for (int i = 0; i < RECEIVES_MAX; i++) {
		struct sockaddr_storage sa;
		socklen_t sa_len = sizeof(sa);
		struct addr from;
		ssize_t n = recvfrom(s->watch.fd, o->tcp_in, sizeof(o->tcp_in), MSG_DONTWAIT,
				     (struct sockaddr *)&sa, &sa_len);

		if (n < 0 && errno != EAGAIN)
			continue; /* an error of one packet */
		if (n < 0)
			break;
		if (addr_from_sockaddr(&from, (struct sockaddr *)&sa) == E_OK)
			take_packet(s, &from, o->tcp_in, (size_t)n);
	}
	o->depth--;
	s->is_held = false;
	settle(s);
}

/* ---- asking ---- */

static struct shared_socket *open_socket(struct outgoing *o, const struct addr *server)
{
	struct shared_socket *s;
	int fd;

	if (o->n_shared >= o->cfg.max_shared)
		return NULL;
	fd = outgoing_open_bound(o, server, false);
	if (fd < 0)
		return NULL;
	s = slab_take(&o->shared_sockets);
	if (s == NULL ||
	    loop_watch_start(&s->watch, o->loop, fd, LOOP_READ, on_readable, s) != E_OK)
		goto out;
	s->o = o;
	s->family = server->family;
	s->born_ms = loop_now_ms(o->loop);
	s->is_current = true;
	s->place = o->n_shared_current;
	o->shared[o->n_shared_current++] = s;
	LIST_INSERT_HEAD(&o->shared_all, s, in_list);
	o->n_shared++;
	return s;
out:
	if (s != NULL)
		slab_give(&o->shared_sockets, s);
	(void)close(fd);
	return NULL;
}

/* The first from `at` on that is of the family; NULL as well when it is too old, and retired. */
static struct shared_socket *find_current(struct outgoing *o, unsigned at, uint8_t family,
					  bool any_age)
{
	uint64_t now = loop_now_ms(o->loop);

	for (unsigned i = 0; i < o->n_shared_current; i++) {
		struct shared_socket *s = o->shared[(at + i) % o->n_shared_current];

		if (s->family != family || s->n_pending >= PENDING_MAX)
			continue;
		/* Without room for another it goes on, or there would soon be none. */
		if (any_age || o->n_shared == o->cfg.max_shared ||
		    (now - s->born_ms < OUTGOING_SOCKET_MS && s->n_asked < QUESTIONS_MAX))
			return s;
		retire(s);
		settle(s);
		return NULL;
	}
	return NULL;
}

/* Half of those there may be are in use; the others wait for the last of their answers. */
static struct shared_socket *choose(struct outgoing *o, const struct addr *server)
{
	uint32_t want = o->cfg.max_shared > 1 ? o->cfg.max_shared / 2 : 1;
	unsigned at = (unsigned)random_below(&o->random, want);
	struct shared_socket *s = NULL;

	if (at < o->n_shared_current)
		s = find_current(o, at, server->family, false);
	if (s == NULL)
		s = open_socket(o, server);
	if (s == NULL)
		s = find_current(o, at, server->family, true);
	return s;
}

static uint16_t unused_id(struct shared_socket *s, const struct addr *server)
{
	struct shared_question *sq;
	uint16_t id;

	do {
		random_bytes(&s->o->random, &id, sizeof(id));
		sq = first_of(s, server);
		while (sq != NULL && sq->q.id != id)
			sq = next_of(s, sq);
	} while (sq != NULL);
	return id;
}

enum outgoing_result outgoing_shared_send(struct outgoing *o, uint64_t ticket,
					  const struct addr *server, const uint8_t *wire,
					  size_t len)
{
	uint8_t packet[QUESTION_MAX];
	struct sockaddr_storage sa;
	socklen_t sa_len = addr_to_sockaddr(server, &sa);
	struct shared_socket *s = choose(o, server);
	struct shared_question *sq;

	sq = s != NULL ? slab_take(&o->shared_questions) : NULL;
	if (sq == NULL)
		return OUTGOING_NO_RESOURCES;
	sq->q = (struct question) { .ticket = ticket, .shared = s, .id = unused_id(s, server) };
	sq->server = *server;
	wire_put_u16(packet, sq->q.id);
	memcpy(packet + 2, wire + 2, len - 2);
	if (sendto(s->watch.fd, packet, len, MSG_DONTWAIT, (struct sockaddr *)&sa, sa_len) < 0) {
		int error = errno;

		slab_give(&o->shared_questions, sq);
		return outgoing_result_of(error);
	}
	chains_add(&o->shared_servers, &sq->by_server, server_hash(s, server));
	outgoing_ticket_add(o, &sq->q);
	s->n_pending++;
	s->n_asked++;
	o->handler.shared(o->handler.ctx);
	if (o->handler.seen != NULL)
		show(s, sq, false, packet, len);
	return OUTGOING_OK;
}

void outgoing_shared_cancel(struct question *q)
{
	struct shared_socket *s = q->shared;

	end_question(CONTAINER(q, struct shared_question, q));
	settle(s);
}

/* ---- all of them ---- */

int outgoing_shared_init(struct outgoing *o)
{
	LIST_INIT(&o->shared_all);
	slab_init(&o->shared_sockets, sizeof(struct shared_socket), o->cfg.max_shared);
	slab_init(&o->shared_questions, sizeof(struct shared_question),
		  (size_t)o->cfg.max_shared * PENDING_MAX);
	o->shared = calloc(o->cfg.max_shared + 1UL, sizeof(struct shared_socket *));
	return o->shared == NULL ? E_NOMEM : chains_init(&o->shared_servers);
}

void outgoing_shared_deinit(struct outgoing *o)
{
	while (o->n_shared_current > 0) {
		struct shared_socket *s = o->shared[0];

		retire(s);
		settle(s);
	}
	ASSERT(o->n_shared == 0);
	slab_deinit(&o->shared_sockets);
	slab_deinit(&o->shared_questions);
}
