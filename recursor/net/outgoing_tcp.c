/*
 * The TCP half of outgoing: connections that several questions share (RFC 7766 6.2.1).
 *
 * A connection's list holds its questions in the order of asking; those from `unsent` on are
 * still to be written, the first of them from byte `sent` on.  A question that is cancelled when
 * a part of it is written stays, with ticket 0, until the rest is: the framing wants it.
 *
 * A server may close a connection that was idle just as we ask again (RFC 7766 6.2.4): such a
 * question is asked once more, on a new connection.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/wire.h"
#include "recursor/net/outgoing_impl.h"

enum {
	PIPELINE_MAX = 32, /* pending on a connection */
	WRITE_BATCH = 16,
};

struct tcp_question {
	struct question q; /* first: questions are found by it */
	TAILQ_ENTRY(tcp_question) in_conn;
	bool on_reused; /* the connection had been used before */
	uint8_t *wire;  /* with its length before it */
	size_t len;
};

TAILQ_HEAD(tcp_questions, tcp_question);

enum tcp_place { IN_NONE, IN_CONNECTING, IN_IDLE, IN_BROKEN };

static_assert(offsetof(struct tcp_question, q) == 0, "a question's address is its tcp_question's");

struct tcp_conn {
	struct loop_watch watch;
	struct outgoing *o;
	struct addr server;
	LIST_ENTRY(tcp_conn) in_bucket; /* while current */
	TAILQ_ENTRY(tcp_conn) in_list;
	enum tcp_place place; /* which list */
	uint64_t since_ms;    /* when it came there */
	bool is_connected, is_current, is_held, is_dead;
	enum outgoing_failure broken_by;
	uint64_t n_asked, n_answered;
	unsigned n_pending;
	struct tcp_questions questions;
	struct tcp_question *unsent;
	size_t sent;
	struct partial partial; /* the beginning of a message */
};

/* ---- the life of a connection ---- */

static void retire(struct tcp_conn *c)
{
	if (c->is_current) {
		LIST_REMOVE(c, in_bucket);
		c->is_current = false;
	}
}

static void enter_list(struct tcp_conn *c, enum tcp_place place)
{
	struct outgoing *o = c->o;

	c->place = place;
	c->since_ms = loop_now_ms(o->loop);
	switch (place) {
	case IN_CONNECTING:
		TAILQ_INSERT_TAIL(&o->tcp_connecting, c, in_list);
		outgoing_wake_by(o, c->since_ms + o->cfg.tcp_connect_ms);
		break;
	case IN_IDLE:
		TAILQ_INSERT_TAIL(&o->tcp_idle, c, in_list);
		o->n_tcp_idle++;
		if (o->n_tcp_idle > o->most_tcp_idle)
			o->most_tcp_idle = o->n_tcp_idle;
		outgoing_wake_by(o, c->since_ms + o->cfg.tcp_idle_ms);
		break;
	case IN_BROKEN:
		TAILQ_INSERT_TAIL(&o->tcp_broken, c, in_list);
		outgoing_wake_by(o, c->since_ms);
		break;
	case IN_NONE:
		break;
	}
}

static void leave_list(struct tcp_conn *c)
{
	struct outgoing *o = c->o;

	switch (c->place) {
	case IN_CONNECTING:
		TAILQ_REMOVE(&o->tcp_connecting, c, in_list);
		break;
	case IN_IDLE:
		TAILQ_REMOVE(&o->tcp_idle, c, in_list);
		o->n_tcp_idle--;
		break;
	case IN_BROKEN:
		TAILQ_REMOVE(&o->tcp_broken, c, in_list);
		break;
	case IN_NONE:
		break;
	}
	c->place = IN_NONE;
}

/* Takes a question out of the connection's list; the ticket is the caller's business. */
static void detach(struct tcp_conn *c, struct tcp_question *tq)
{
	if (c->unsent == tq) {
		c->unsent = TAILQ_NEXT(tq, in_conn);
		c->sent = 0;
	}
	TAILQ_REMOVE(&c->questions, tq, in_conn);
}

static void free_question(struct outgoing *o, struct tcp_question *tq)
{
	free(tq->wire);
	slab_give(&o->tcp_questions, tq);
}

static void close_conn(struct tcp_conn *c)
{
	struct outgoing *o = c->o;
	struct tcp_question *tq;

	ASSERT(c->n_pending == 0);
	retire(c);
	leave_list(c);
	while ((tq = TAILQ_FIRST(&c->questions)) != NULL) {
		detach(c, tq);
		free_question(o, tq);
	}
	loop_watch_close(&c->watch);
	o->n_tcp--;
	partial_free(&c->partial);
	slab_give(&o->tcp_conns, c);
}

static bool may_idle(const struct tcp_conn *c)
{
	struct outgoing *o = c->o;
	const struct tcp_conn *other;
	uint32_t n = 0;

	if (!c->is_current || !c->is_connected || c->unsent != NULL || o->cfg.tcp_idle_ms == 0 ||
	    o->cfg.tcp_max_idle == 0)
		return false;
	LIST_FOREACH (other, &o->tcp[outgoing_server_bucket(o, &c->server)], in_bucket)
		if (other->place == IN_IDLE && addr_equal(&other->server, &c->server))
			n++;
	if (n >= o->cfg.tcp_max_idle_server)
		return false;
	if (n + 1 > o->most_tcp_idle_server)
		o->most_tcp_idle_server = n + 1;
	return true;
}

/* After anything that may have ended a question of it. */
static void settle(struct tcp_conn *c)
{
	struct outgoing *o = c->o;

	if (c->is_held || c->n_pending > 0 || c->place == IN_IDLE)
		return;
	if (!may_idle(c)) {
		close_conn(c);
		return;
	}
	if (o->n_tcp_idle >= o->cfg.tcp_max_idle)
		(void)outgoing_tcp_evict(o);
	enter_list(c, IN_IDLE);
}

static void want_events(struct tcp_conn *c)
{
	loop_watch_want(&c->watch,
			LOOP_READ | (!c->is_connected || c->unsent != NULL ? LOOP_WRITE : 0U));
}

/* ---- asking ---- */

static void append(struct tcp_conn *c, struct tcp_question *tq)
{
	const struct tcp_question *other;
	uint16_t id;

	do {
		random_bytes(&c->o->random, &id, sizeof(id));
		TAILQ_FOREACH (other, &c->questions, in_conn)
			if (other->q.id == id)
				break;
	} while (other != NULL);
	tq->q.id = id;
	tq->q.tcp = c;
	tq->on_reused = c->n_answered > 0;
	wire_put_u16(tq->wire + PARTIAL_PREFIX, id);
	TAILQ_INSERT_TAIL(&c->questions, tq, in_conn);
	if (c->unsent == NULL)
		c->unsent = tq;
	c->n_pending++;
	c->n_asked++;
	if (c->n_asked > c->o->most_tcp_asked)
		c->o->most_tcp_asked = c->n_asked;
	if (c->place == IN_IDLE)
		leave_list(c);
	if (c->o->cfg.tcp_max_queries != 0 && c->n_asked >= c->o->cfg.tcp_max_queries)
		retire(c);
}

static void show(const struct tcp_conn *c, struct tcp_question *tq, bool is_answer,
		 const uint8_t *wire, size_t len)
{
	const struct outgoing_seen seen = {
		.server = c->server, .tcp = true, .is_answer = is_answer, .wire = wire, .len = len
	};

	outgoing_show(c->o, &tq->q, c->watch.fd, &seen);
}

/* What `n` written bytes have done. */
static void advance(struct tcp_conn *c, size_t n)
{
	while (c->unsent != NULL && n > 0) {
		struct tcp_question *tq = c->unsent;
		size_t rest = tq->len - c->sent;

		if (n < rest) {
			c->sent += n;
			return;
		}
		n -= rest;
		c->sent = 0;
		c->unsent = TAILQ_NEXT(tq, in_conn);
		if (c->o->handler.seen != NULL)
			show(c, tq, false, tq->wire + PARTIAL_PREFIX, tq->len - PARTIAL_PREFIX);
		if (tq->q.ticket == 0) {
			TAILQ_REMOVE(&c->questions, tq, in_conn);
			free_question(c->o, tq);
		}
	}
}

/* Writes what can be written.  0, or the errno of a broken connection. */
static int write_questions(struct tcp_conn *c)
{
	while (c->unsent != NULL) {
		struct iovec iov[WRITE_BATCH];
		struct msghdr m = { .msg_iov = iov };
		struct tcp_question *tq = c->unsent;
		ssize_t n;

		for (; tq != NULL && m.msg_iovlen < WRITE_BATCH; tq = TAILQ_NEXT(tq, in_conn))
			iov[m.msg_iovlen++] = (struct iovec) { tq->wire, tq->len };
		iov[0].iov_base = c->unsent->wire + c->sent;
		iov[0].iov_len -= c->sent;
		n = sendmsg(c->watch.fd, &m, MSG_NOSIGNAL);
		if (n >= 0)
			advance(c, (size_t)n);
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			return errno;
	}
	want_events(c);
	return 0;
}

static void on_event(void *ctx, unsigned events);

/* NULL, and the reason. */
static struct tcp_conn *open_conn(struct outgoing *o, const struct addr *server,
				  enum outgoing_result *why)
{
	struct tcp_conn *c = NULL;
	struct sockaddr_storage sa;
	int fd, on = 1;
	socklen_t len;

	*why = OUTGOING_NO_RESOURCES;
	if (!outgoing_make_room(o))
		return NULL;
	fd = outgoing_open_bound(o, server, true);
	if (fd < 0) {
		*why = outgoing_open_failure(errno);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	len = addr_to_sockaddr(server, &sa);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) {
		*why = outgoing_result_of(errno);
		goto out;
	}
	c = slab_take(&o->tcp_conns);
	if (c == NULL)
		goto out;
	if (loop_watch_start(&c->watch, o->loop, fd, LOOP_READ | LOOP_WRITE, on_event, c) != E_OK)
		goto out;
	c->o = o;
	c->server = *server;
	c->is_current = true;
	TAILQ_INIT(&c->questions);
	LIST_INSERT_HEAD(&o->tcp[outgoing_server_bucket(o, server)], c, in_bucket);
	enter_list(c, IN_CONNECTING);
	o->n_tcp++;
	return c;
out:
	if (c != NULL)
		slab_give(&o->tcp_conns, c);
	(void)close(fd);
	return NULL;
}

static struct tcp_conn *find_current(const struct outgoing *o, const struct addr *server)
{
	struct tcp_conn *c;

	LIST_FOREACH (c, &o->tcp[outgoing_server_bucket(o, server)], in_bucket)
		if (c->n_pending < PIPELINE_MAX && addr_equal(&c->server, server))
			break;
	return c;
}

static struct tcp_question *new_question(struct outgoing *o, uint64_t ticket, const uint8_t *wire,
					 size_t len)
{
	struct tcp_question *tq = slab_take(&o->tcp_questions);

	if (tq == NULL)
		return NULL;
	tq->wire = malloc(PARTIAL_PREFIX + len);
	if (tq->wire == NULL) {
		slab_give(&o->tcp_questions, tq);
		return NULL;
	}
	tq->q.ticket = ticket;
	tq->len = PARTIAL_PREFIX + len;
	wire_put_u16(tq->wire, (uint16_t)len);
	memcpy(tq->wire + PARTIAL_PREFIX, wire, len);
	return tq;
}

enum outgoing_result outgoing_tcp_send(struct outgoing *o, uint64_t ticket,
				       const struct addr *server, const uint8_t *wire, size_t len)
{
	struct tcp_question *tq = new_question(o, ticket, wire, len);
	struct tcp_conn *c = find_current(o, server);
	enum outgoing_result why;
	int error;

	if (tq == NULL)
		return OUTGOING_NO_RESOURCES;
	if (c == NULL)
		c = open_conn(o, server, &why);
	if (c == NULL) {
		free_question(o, tq);
		return why;
	}
	append(c, tq);
	outgoing_ticket_add(o, &tq->q);
	if (c->is_connected && c->unsent == tq) {
		error = write_questions(c);
		if (error != 0) { /* found out now, told when the caller has returned */
			retire(c);
			c->is_dead = true;
			c->broken_by = outgoing_failure_of(error);
			enter_list(c, IN_BROKEN);
		}
	}
	return OUTGOING_OK;
}

void outgoing_tcp_cancel(struct outgoing *o, struct question *q)
{
	struct tcp_question *tq = (struct tcp_question *)(void *)q;
	struct tcp_conn *c = q->tcp;

	outgoing_ticket_remove(o, q);
	c->n_pending--;
	if (tq == c->unsent && c->sent > 0) {
		q->ticket = 0;
	} else {
		detach(c, tq);
		free_question(o, tq);
	}
	/* Most likely the question has timed out: a connection that is silent is not for others. */
	retire(c);
	settle(c);
}

/* ---- failing ---- */

/* It ends: with each connection that is closed so there is one less that was used before. */
static bool ask_again(struct tcp_conn *c, struct tcp_question *tq)
{
	struct outgoing *o = c->o;
	struct tcp_conn *next = find_current(o, &c->server);
	enum outgoing_result why;

	if (!tq->on_reused)
		return false;
	if (next == NULL)
		next = open_conn(o, &c->server, &why);
	if (next == NULL)
		return false;
	append(next, tq);
	if (next->is_connected)
		want_events(next);
	return true;
}

/* Every question fails or moves; the connection is closed unless it is held. */
static void fail(struct tcp_conn *c, enum outgoing_failure why)
{
	struct outgoing *o = c->o;
	bool was_held = c->is_held;
	struct tcp_question *tq;

	retire(c);
	c->is_dead = true;
	c->is_held = true;
	while ((tq = TAILQ_FIRST(&c->questions)) != NULL) {
		uint64_t ticket = tq->q.ticket;

		detach(c, tq);
		if (ticket == 0) {
			free_question(o, tq);
			continue;
		}
		c->n_pending--;
		if (why == OUTGOING_FAIL_CLOSED && ask_again(c, tq))
			continue;
		outgoing_ticket_remove(o, &tq->q);
		free_question(o, tq);
		o->handler.failed(o->handler.ctx, ticket, why);
	}
	c->is_held = was_held;
	settle(c);
}

/* ---- receiving ---- */

static void take_message(struct tcp_conn *c, const uint8_t *wire, size_t len)
{
	struct outgoing *o = c->o;
	uint16_t id = wire_get_u16(wire);
	struct tcp_question *tq;
	uint64_t ticket;

	TAILQ_FOREACH (tq, &c->questions, in_conn) {
		if (tq == c->unsent)
			tq = NULL;
		if (tq == NULL || (tq->q.id == id && tq->q.ticket != 0))
			break;
	}
	if (tq == NULL) {
		retire(c);
		o->handler.unexpected(o->handler.ctx);
		return;
	}
	c->n_answered++;
	ticket = tq->q.ticket;
	if (o->handler.seen != NULL)
		show(c, tq, true, wire, len);
	if (!o->handler.reply(o->handler.ctx, ticket, wire, len)) {
		retire(c);
	} else if (outgoing_ticket_find(o, ticket) == &tq->q) { /* not cancelled meanwhile */
		outgoing_ticket_remove(o, &tq->q);
		detach(c, tq);
		free_question(o, tq);
		c->n_pending--;
	}
}

/* Hands up the whole messages of the buffer.  Returns how many bytes they were. */
static size_t take_messages(struct tcp_conn *c, const uint8_t *buf, size_t len)
{
	size_t pos = 0;

	while (!c->is_dead && len - pos >= PARTIAL_PREFIX) {
		size_t n = wire_get_u16(buf + pos);

		if (n < WIRE_HEADER_LEN) {
			fail(c, OUTGOING_FAIL_CLOSED);
			break;
		}
		if (len - pos - PARTIAL_PREFIX < n)
			break;
		take_message(c, buf + pos + PARTIAL_PREFIX, n);
		pos += PARTIAL_PREFIX + n;
	}
	return pos;
}

static void read_answers(struct tcp_conn *c)
{
	uint8_t *buf = partial_buffer(&c->partial, c->o->tcp_in);
	size_t taken, have = c->partial.len;
	ssize_t n;

	/* What is kept is less than a message: there is room. */
	n = recv(c->watch.fd, buf + have, PARTIAL_BUFFER - have, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(c, n == 0 ? OUTGOING_FAIL_CLOSED : outgoing_failure_of(errno));
		return;
	}
	have += (size_t)n;
	taken = take_messages(c, buf, have);
	if (!c->is_dead && !partial_keep(&c->partial, buf, taken, have))
		fail(c, OUTGOING_FAIL_RESOURCES);
}

static void finish_connecting(struct tcp_conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		leave_list(c);
		c->is_connected = true;
		error = write_questions(c);
	}
	if (error != 0)
		fail(c, outgoing_failure_of(error));
}

static void on_event(void *ctx, unsigned events)
{
	struct tcp_conn *c = ctx;
	struct outgoing *o = c->o;
	int error;

	if (c->place == IN_IDLE) { /* it is closed, or says what nobody asked */
		close_conn(c);
		return;
	}
	c->is_held = true;
	o->depth++;
	if (!c->is_connected) {
		if ((events & (LOOP_WRITE | LOOP_BROKEN)) != 0)
			finish_connecting(c);
	} else {
		if ((events & (LOOP_READ | LOOP_BROKEN)) != 0)
			read_answers(c);
		if (!c->is_dead && (events & LOOP_WRITE) != 0) {
			error = write_questions(c);
			if (error != 0)
				fail(c, outgoing_failure_of(error));
		}
	}
	o->depth--;
	c->is_held = false;
	settle(c);
}

/* ---- all of them ---- */

bool outgoing_tcp_evict(struct outgoing *o)
{
	struct tcp_conn *c = TAILQ_FIRST(&o->tcp_idle);

	if (c != NULL)
		close_conn(c);
	return c != NULL;
}

void outgoing_tcp_tick(struct outgoing *o, uint64_t now_ms)
{
	struct tcp_conn *c;

	while ((c = TAILQ_FIRST(&o->tcp_broken)) != NULL) {
		leave_list(c);
		fail(c, c->broken_by);
	}
	while ((c = TAILQ_FIRST(&o->tcp_connecting)) != NULL) {
		if (now_ms - c->since_ms < o->cfg.tcp_connect_ms) {
			outgoing_wake_by(o, c->since_ms + o->cfg.tcp_connect_ms);
			break;
		}
		leave_list(c);
		fail(c, OUTGOING_FAIL_UNREACHABLE);
	}
	while ((c = TAILQ_FIRST(&o->tcp_idle)) != NULL) {
		if (now_ms - c->since_ms < o->cfg.tcp_idle_ms) {
			outgoing_wake_by(o, c->since_ms + o->cfg.tcp_idle_ms);
			break;
		}
		close_conn(c);
	}
}

void outgoing_tcp_init(struct outgoing *o)
{
	TAILQ_INIT(&o->tcp_connecting);
	TAILQ_INIT(&o->tcp_idle);
	TAILQ_INIT(&o->tcp_broken);
	slab_init(&o->tcp_conns, sizeof(struct tcp_conn), o->cfg.max_sockets);
	/* One more on each: a part of a cancelled one may have been written. */
	slab_init(&o->tcp_questions, sizeof(struct tcp_question),
		  (size_t)o->cfg.max_sockets * (PIPELINE_MAX + 1));
}

void outgoing_tcp_deinit(struct outgoing *o)
{
	while (outgoing_tcp_evict(o))
		;
	ASSERT(o->n_tcp == 0);
	slab_deinit(&o->tcp_conns);
	slab_deinit(&o->tcp_questions);
}
