/*
 * The UDP half of outgoing: connected sockets, each to one server, each with a short life.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/wire.h"
#include "recursor/net/outgoing_impl.h"

enum {
	RECEIVE_BATCH = 8,
	RECEIVE_BATCHES = 4, /* of one socket before others have their turn */
	/* A packet more than 64 KB wide of the last: their first lines do not share a cache set. */
	PACKET_MAX = 65535,
	PACKET_STRIDE = 65536 + 64,
	QUESTION_MAX = 4096,
	REPORTS_MAX = 64, /* of one socket before others have their turn */
};

struct udp_socket {
	struct loop_watch watch;
	struct outgoing *o;
	struct addr server;
	LIST_ENTRY(udp_socket) in_bucket; /* while current */
	TAILQ_ENTRY(udp_socket) in_list;  /* while idle or broken */
	uint64_t born_ms, idle_ms;
	bool is_current, is_idle, is_broken, is_held;
	uint8_t n_asked, n_pending;
	/* In the order of asking.  An id stays when its question is over: what comes late for it
	 * is no guess of a stranger. */
	uint16_t ids[OUTGOING_SOCKET_QUESTIONS];
	struct question *questions[OUTGOING_SOCKET_QUESTIONS]; /* NULL: over */
};

struct udp_buffers {
	struct mmsghdr headers[RECEIVE_BATCH];
	struct iovec iov[RECEIVE_BATCH];
	struct sockaddr_storage from[RECEIVE_BATCH];
	uint8_t packets[RECEIVE_BATCH][PACKET_STRIDE];
};

/* ---- the life of a socket ---- */

static void retire(struct udp_socket *s)
{
	if (s->is_current) {
		LIST_REMOVE(s, in_bucket);
		s->is_current = false;
	}
}

static void leave_list(struct udp_socket *s)
{
	if (s->is_idle)
		TAILQ_REMOVE(&s->o->udp_idle, s, in_list);
	if (s->is_broken)
		TAILQ_REMOVE(&s->o->udp_broken, s, in_list);
	s->is_idle = s->is_broken = false;
}

static void close_socket(struct udp_socket *s)
{
	struct outgoing *o = s->o;

	retire(s);
	leave_list(s);
	loop_watch_close(&s->watch);
	slab_give(&o->udp_sockets, s);
	o->n_udp--;
}

/* After anything that may have ended a question of it. */
static void settle(struct udp_socket *s)
{
	struct outgoing *o = s->o;

	if (s->is_held || s->n_pending > 0)
		return;
	if (!s->is_current) {
		close_socket(s);
	} else if (!s->is_idle) {
		s->is_idle = true;
		s->idle_ms = loop_now_ms(o->loop);
		TAILQ_INSERT_TAIL(&o->udp_idle, s, in_list);
		outgoing_wake_by(o, s->idle_ms + OUTGOING_SOCKET_MS);
	}
}

static void end_question(struct udp_socket *s, struct question *q)
{
	outgoing_ticket_remove(s->o, q);
	s->questions[q->place] = NULL;
	s->n_pending--;
	slab_give(&s->o->udp_questions, q);
}

static void fail(struct udp_socket *s, uint16_t id, enum outgoing_failure why)
{
	struct outgoing *o = s->o;
	uint64_t ticket;
	unsigned i;

	for (i = 0; i < s->n_asked && s->ids[i] != id; i++)
		;
	if (i == s->n_asked || s->questions[i] == NULL)
		return;
	ticket = s->questions[i]->ticket;
	end_question(s, s->questions[i]);
	o->handler.failed(o->handler.ctx, ticket, why);
}

/* The network has something to say: the questions that it is about fail.  The socket gets no new
 * ones, and is closed when it has none left, unless it is held. */
static void hear(struct udp_socket *s)
{
	bool was_held = s->is_held;
	struct outgoing_icmp report;

	retire(s);
	s->is_held = true;
	for (unsigned n = 0; n < REPORTS_MAX && outgoing_icmp_read(s->watch.fd, &report); n++)
		if (report.error != 0)
			fail(s, report.id, outgoing_failure_of(report.error));
	s->is_held = was_held;
	settle(s);
}

static void show(const struct udp_socket *s, struct question *q, bool is_answer,
		 const uint8_t *wire, size_t len)
{
	const struct outgoing_seen seen = {
		.server = s->server, .is_answer = is_answer, .wire = wire, .len = len
	};

	outgoing_show(s->o, q, s->watch.fd, &seen);
}

/* ---- receiving ---- */

static void take_stray(struct udp_socket *s, bool is_late)
{
	struct outgoing *o = s->o;

	retire(s);
	if (is_late || s->n_pending == 0) {
		o->handler.unexpected(o->handler.ctx);
		return;
	}
	for (unsigned i = 0; i < s->n_asked; i++)
		if (s->questions[i] != NULL)
			o->handler.near_miss(o->handler.ctx, s->questions[i]->ticket);
}

static void take_packet(struct udp_socket *s, const uint8_t *wire, size_t len)
{
	struct outgoing *o = s->o;
	uint16_t id;
	unsigned i;

	if (len < WIRE_HEADER_LEN) {
		take_stray(s, false);
		return;
	}
	id = wire_get_u16(wire);
	for (i = 0; i < s->n_asked && s->ids[i] != id; i++)
		;
	if (i == s->n_asked || s->questions[i] == NULL) {
		take_stray(s, i < s->n_asked);
		return;
	}
	if (o->handler.seen != NULL)
		show(s, s->questions[i], true, wire, len);
	if (!o->handler.reply(o->handler.ctx, s->questions[i]->ticket, wire, len))
		retire(s);
	else if (s->questions[i] != NULL) /* not cancelled meanwhile */
		end_question(s, s->questions[i]);
}

static int receive(const struct udp_socket *s)
{
	struct udp_buffers *in = s->o->udp_in;
	ssize_t n;

	if (s->n_pending > 1)
		return recvmmsg(s->watch.fd, in->headers, RECEIVE_BATCH, MSG_DONTWAIT, NULL);
	/* The common case: one packet, and no second look that finds nothing. */
	n = recvmsg(s->watch.fd, &in->headers[0].msg_hdr, MSG_DONTWAIT);
	if (n < 0)
		return -1;
	in->headers[0].msg_len = (unsigned)n;
	return 1;
}

/* Before connect(2), when the socket had its port already, anybody could send to it. */
static bool is_from_server(const struct udp_socket *s, unsigned i)
{
	struct udp_buffers *in = s->o->udp_in;
	struct addr from;

	in->headers[i].msg_hdr.msg_namelen = sizeof(in->from[i]); /* as the next call wants it */
	return addr_from_sockaddr(&from, (struct sockaddr *)&in->from[i]) == E_OK &&
	       addr_equal(&from, &s->server);
}

static void on_readable(void *ctx, unsigned events)
{
	struct udp_socket *s = ctx;
	struct outgoing *o = s->o;
	int full, n;

	s->is_held = true;
	if (s->is_idle)
		leave_list(s);
	o->depth++;
	for (int round = 0; round < RECEIVE_BATCHES; round++) {
		full = s->n_pending > 1 ? RECEIVE_BATCH : 1;
		n = receive(s);
		if (n < 0) {
			/* Whoever was told of the error, its report may be there yet. */
			if (errno != EINTR && (errno != EAGAIN || (events & LOOP_BROKEN) != 0))
				hear(s);
			break;
		}
		for (unsigned i = 0; i < (unsigned)n; i++)
			if (is_from_server(s, i))
				take_packet(s, o->udp_in->packets[i],
					    o->udp_in->headers[i].msg_len);
		if (n < full || s->n_pending == 0)
			break;
	}
	o->depth--;
	s->is_held = false;
	settle(s);
}

/* ---- asking ---- */

static struct udp_socket *find_current(struct outgoing *o, const struct addr *server)
{
	uint64_t now = loop_now_ms(o->loop);
	struct udp_socket *s;

	LIST_FOREACH (s, &o->udp[outgoing_server_bucket(o, server)], in_bucket)
		if (addr_equal(&s->server, server))
			break;
	if (s == NULL || now - s->born_ms < OUTGOING_SOCKET_MS)
		return s;
	retire(s);
	settle(s);
	return NULL;
}

/* NULL, and the reason. */
static struct udp_socket *open_socket(struct outgoing *o, const struct addr *server,
				      enum outgoing_result *why)
{
	struct sockaddr_storage sa;
	struct udp_socket *s = NULL;
	socklen_t len;
	int fd;

	*why = OUTGOING_NO_RESOURCES;
	if (!outgoing_make_room(o))
		return NULL;
	fd = outgoing_open_bound(o, server, false);
	if (fd < 0) {
		*why = outgoing_open_failure(errno);
		return NULL;
	}
	len = addr_to_sockaddr(server, &sa);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0) {
		*why = outgoing_result_of(errno);
		goto out;
	}
	outgoing_icmp_want(fd, server->family);
	s = slab_take(&o->udp_sockets);
	if (s == NULL)
		goto out;
	if (loop_watch_start(&s->watch, o->loop, fd, LOOP_READ, on_readable, s) != E_OK)
		goto out;
	s->o = o;
	s->server = *server;
	s->born_ms = loop_now_ms(o->loop);
	s->is_current = true;
	LIST_INSERT_HEAD(&o->udp[outgoing_server_bucket(o, server)], s, in_bucket);
	o->n_udp++;
	return s;
out:
	if (s != NULL)
		slab_give(&o->udp_sockets, s);
	(void)close(fd);
	return NULL;
}

static uint16_t unused_id(struct udp_socket *s)
{
	uint16_t id;
	unsigned i;

	do {
		random_bytes(&s->o->random, &id, sizeof(id));
		for (i = 0; i < s->n_asked && s->ids[i] != id; i++)
			;
	} while (i < s->n_asked);
	return id;
}

/* 0, or the errno of sending. */
static int send_question(const struct udp_socket *s, const uint8_t *packet, size_t len)
{
	while (send(s->watch.fd, packet, len, MSG_DONTWAIT) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* 0, or an errno. */
static int ask(struct udp_socket *s, uint64_t ticket, const uint8_t *wire, size_t len)
{
	struct outgoing *o = s->o;
	struct question *q = slab_take(&o->udp_questions);
	uint8_t packet[QUESTION_MAX];
	uint16_t id;
	int error;

	if (q == NULL)
		return ENOMEM;
	id = unused_id(s);
	wire_put_u16(packet, id);
	memcpy(packet + 2, wire + 2, len - 2);
	error = send_question(s, packet, len);
	if (error != 0) {
		slab_give(&o->udp_questions, q);
		return error;
	}
	leave_list(s);
	q->ticket = ticket;
	q->udp = s;
	q->id = id;
	q->place = s->n_asked;
	s->ids[s->n_asked] = id;
	s->questions[s->n_asked] = q;
	s->n_asked++;
	s->n_pending++;
	outgoing_ticket_add(o, q);
	if (o->handler.seen != NULL)
		show(s, q, false, packet, len);
	if (s->n_asked == OUTGOING_SOCKET_QUESTIONS)
		retire(s);
	return 0;
}

/* A send that fails on a socket in use may tell of an earlier question (by a report that has not
 * been read yet): that fails, but not before the caller has returned. */
static void give_up(struct udp_socket *s)
{
	struct outgoing *o = s->o;

	retire(s);
	if (s->n_pending > 0) {
		s->is_broken = true;
		TAILQ_INSERT_TAIL(&o->udp_broken, s, in_list);
		outgoing_wake_by(o, loop_now_ms(o->loop));
	}
	settle(s);
}

enum outgoing_result outgoing_udp_send(struct outgoing *o, uint64_t ticket,
				       const struct addr *server, const uint8_t *wire, size_t len)
{
	enum outgoing_result result;
	struct udp_socket *s;
	int error;

	if (!EXPECT(len <= QUESTION_MAX))
		return OUTGOING_NO_RESOURCES;
	s = find_current(o, server);
	if (s != NULL) {
		error = ask(s, ticket, wire, len);
		if (error == 0 || outgoing_result_of(error) == OUTGOING_NO_RESOURCES)
			return outgoing_result_of(error);
		give_up(s);
	}
	s = open_socket(o, server, &result);
	if (s == NULL && result == OUTGOING_NO_RESOURCES && o->cfg.max_shared > 0)
		return outgoing_shared_send(o, ticket, server, wire, len);
	if (s == NULL)
		return result;
	ASSERT(s != NULL);
	error = ask(s, ticket, wire, len);
	if (error != 0)
		close_socket(s);
	return outgoing_result_of(error);
}

void outgoing_udp_cancel(struct outgoing *o, struct question *q)
{
	struct udp_socket *s = q->udp;

	(void)o;
	end_question(s, q);
	settle(s);
}

bool outgoing_udp_evict(struct outgoing *o)
{
	struct udp_socket *s = TAILQ_FIRST(&o->udp_idle);

	if (s != NULL)
		close_socket(s);
	return s != NULL;
}

void outgoing_udp_tick(struct outgoing *o, uint64_t now_ms)
{
	struct udp_socket *s;

	while ((s = TAILQ_FIRST(&o->udp_broken)) != NULL) {
		leave_list(s);
		hear(s);
	}
	/* Idle longer than a socket's life, so older than it. */
	while ((s = TAILQ_FIRST(&o->udp_idle)) != NULL) {
		if (now_ms - s->idle_ms < OUTGOING_SOCKET_MS) {
			outgoing_wake_by(o, s->idle_ms + OUTGOING_SOCKET_MS);
			break;
		}
		close_socket(s);
	}
}

/* ---- all of them ---- */

int outgoing_udp_init(struct outgoing *o)
{
	struct udp_buffers *in = calloc(1, sizeof(*in));

	TAILQ_INIT(&o->udp_idle);
	TAILQ_INIT(&o->udp_broken);
	if (in == NULL)
		return E_NOMEM;
	for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
		in->iov[i] = (struct iovec) { in->packets[i], PACKET_MAX };
		in->headers[i].msg_hdr = (struct msghdr) { .msg_name = &in->from[i],
							   .msg_namelen = sizeof(in->from[i]),
							   .msg_iov = &in->iov[i],
							   .msg_iovlen = 1 };
	}
	o->udp_in = in;
	slab_init(&o->udp_sockets, sizeof(struct udp_socket), o->cfg.max_sockets);
	slab_init(&o->udp_questions, sizeof(struct question),
		  (size_t)o->cfg.max_sockets * OUTGOING_SOCKET_QUESTIONS);
	return E_OK;
}

void outgoing_udp_deinit(struct outgoing *o)
{
	while (outgoing_udp_evict(o))
		;
	ASSERT(o->n_udp == 0);
	slab_deinit(&o->udp_sockets);
	slab_deinit(&o->udp_questions);
	free(o->udp_in);
}
