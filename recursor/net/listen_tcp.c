/*
 * The TCP half of listen: pipelined queries, answers in any order (RFC 7766 6.2.1.1 and 7).
 *
 * Time: a connection's clock starts anew when it opens, when a query is whole, when an answer
 * leaves and when a slow reader takes some bytes; not for a part of a query.  After
 * limits.tcp_idle_ms it is closed, unless we owe it an answer.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/check.h"
#include "common/wire.h"
#include "recursor/net/listen_impl.h"

enum {
	ACCEPT_MAX = 64,       /* of one socket before others have their turn */
	ACCEPT_PAUSE_MS = 100, /* when there are no descriptors left */
	/* Pipelined queries by the thousand must not keep UDP waiting: what is read of one connection
	 * before others have their turn, in bytes, and what is taken of all in a turn of the loop. */
	READ_MAX = 4096,
	QUERIES_A_TURN = 512,
};

struct tcp_client {
	struct loop_watch watch;
	struct listener *l;
	struct addr remote, local;
	uint32_t slot, generation;
	TAILQ_ENTRY(tcp_client) in_age, in_resume;
	uint64_t touched_ms;
	uint32_t in_flight; /* queries without answer */
	uint32_t n_queries;
	bool is_held, is_dead, is_resuming;
	bool at_eof;            /* the client sends no more; what it has sent is answered */
	bool is_finished;       /* we take no more from it */
	bool is_draining;       /* we have said so to it, and wait for it to close */
	bool has_all;           /* and all that we sent before has arrived */
	struct partial partial; /* what has not been taken */
	uint8_t *out;           /* what could not be written */
	size_t out_pos, out_len, out_cap;
};

/* ---- the life of a connection ---- */

static void wake_by(struct listener *l, uint64_t due_ms)
{
	if (due_ms < l->idle_due_ms) {
		l->idle_due_ms = due_ms;
		loop_timer_at(l->idle_timer, due_ms);
	}
}

static void touch(struct tcp_client *c)
{
	struct listener *l = c->l;

	c->touched_ms = loop_now_ms(l->loop);
	TAILQ_REMOVE(&l->by_age, c, in_age);
	TAILQ_INSERT_TAIL(&l->by_age, c, in_age);
}

/* Slots are made when they are first needed: there are as many as the whole process may have
 * connections, and most of them another thread will have. */
static uint32_t take_slot(struct listener *l)
{
	uint32_t at = l->free_slot;

	l->free_slot = at == l->n_slots_used ? ++l->n_slots_used : l->slots[at].next_free;
	return at;
}

static size_t n_unwritten(const struct tcp_client *c)
{
	return c->out_len - c->out_pos;
}

static void close_client(struct tcp_client *c)
{
	struct listener *l = c->l;
	struct tcp_slot *slot = &l->slots[c->slot];

	l->out_bytes -= c->out_cap;
	loop_watch_close(&c->watch);
	tally_leave(l->tally, &c->remote);
	TAILQ_REMOVE(&l->by_age, c, in_age);
	if (c->is_resuming)
		TAILQ_REMOVE(&l->to_resume, c, in_resume);
	slot->client = NULL;
	slot->generation++;
	slot->next_free = l->free_slot;
	l->free_slot = c->slot;
	l->n_clients--;
	partial_free(&c->partial);
	free(c->out);
	free(c);
}

static bool has_whole_query(const struct tcp_client *c)
{
	return c->partial.len >= PARTIAL_PREFIX &&
	       c->partial.len - PARTIAL_PREFIX >= wire_get_u16(c->partial.buf);
}

/* Who does not read its answers gets no more of them: what it sends then fills its own buffers. */
static bool may_take(const struct tcp_client *c)
{
	const struct listen_limits *limits = &c->l->limits;

	return !c->is_finished && c->in_flight < limits->tcp_queries_at_once &&
	       n_unwritten(c) <= limits->tcp_write_backlog / 2;
}

/* We are done first: were the socket just closed, the kernel would answer what the client still
 * sends with a reset, and that could overtake our last answers. */
static void drain(struct tcp_client *c)
{
	c->is_draining = true;
	(void)shutdown(c->watch.fd, SHUT_WR);
	loop_watch_want(&c->watch, LOOP_READ);
}

/* After anything that has happened to it: what next? */
static void settle(struct tcp_client *c)
{
	struct listener *l = c->l;
	bool is_whole = !c->is_finished && has_whole_query(c);

	if (c->is_held)
		return;
	if (c->is_dead) {
		close_client(c);
		return;
	}
	if (c->is_draining)
		return;
	if (c->in_flight == 0 && n_unwritten(c) == 0) {
		if (c->at_eof) { /* found when all before it had been taken */
			close_client(c);
			return;
		}
		if (c->is_finished) {
			drain(c);
			return;
		}
	}
	if (may_take(c) && is_whole && !c->is_resuming) {
		c->is_resuming = true;
		TAILQ_INSERT_TAIL(&l->to_resume, c, in_resume);
	}
	loop_watch_want(&c->watch, (may_take(c) && !is_whole && !c->at_eof ? LOOP_READ : 0U) |
					   (n_unwritten(c) > 0 ? LOOP_WRITE : 0U));
}

/* ---- queries ---- */

/* Hands up whole queries, as many as may be in flight.  Returns how many bytes they were. */
static size_t take_queries(struct tcp_client *c, uint8_t *buf, size_t len)
{
	struct listener *l = c->l;
	const struct client from = { .remote = c->remote,
				     .local = c->local,
				     .tcp = true,
				     .slot = c->slot,
				     .generation = c->generation };
	size_t pos = 0;

	while (!c->is_dead && may_take(c) && len - pos >= PARTIAL_PREFIX) {
		size_t n = wire_get_u16(buf + pos);

		if (len - pos - PARTIAL_PREFIX < n)
			break;
		touch(c);
		l->n_taken++;
		c->n_queries++;
		c->in_flight++;
		counter_max(&l->counters->peak_tcp_at_once, c->in_flight);
		counter_max(&l->counters->peak_tcp_queries, c->n_queries);
		if (l->limits.tcp_queries_per_conn != 0 &&
		    c->n_queries >= l->limits.tcp_queries_per_conn)
			c->is_finished = true;
		if (n == 0) {
			COUNT(l->counters, dropped_queries);
			COUNT(l->counters, client_parse_drops);
		}
		if (n == 0 || l->handler.query(l->handler.ctx, &from, buf + pos + PARTIAL_PREFIX,
					       n) == LISTEN_CLOSE)
			c->is_dead = true;
		pos += PARTIAL_PREFIX + n;
	}
	return pos;
}

static void take_what_is_there(struct tcp_client *c, uint8_t *buf, size_t have)
{
	size_t taken = take_queries(c, buf, have);

	if (c->is_finished)
		taken = have;
	if (!c->is_dead && !partial_keep(&c->partial, buf, taken, have))
		c->is_dead = true;
}

static void read_queries(struct tcp_client *c)
{
	uint8_t *buf = partial_buffer(&c->partial, c->l->tcp_in);
	/* What is kept has no whole query, or we would not read: there is room. */
	size_t room = PARTIAL_BUFFER - c->partial.len;
	ssize_t n = recv(c->watch.fd, buf + c->partial.len, room < READ_MAX ? room : READ_MAX, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		c->is_dead = true;
	else if (n == 0)
		c->at_eof = true;
	else
		take_what_is_there(c, buf, c->partial.len + (size_t)n);
}

static void read_and_forget(struct tcp_client *c)
{
	ssize_t n = recv(c->watch.fd, c->l->tcp_in, PARTIAL_BUFFER, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		c->is_dead = true;
}

void listen_tcp_resume(struct listener *l)
{
	struct tcp_client *c;

	counter_max(&l->counters->peak_tcp_turn, l->n_taken);
	l->n_taken = 0;
	while ((c = TAILQ_FIRST(&l->to_resume)) != NULL) {
		TAILQ_REMOVE(&l->to_resume, c, in_resume);
		c->is_resuming = false;
		c->is_held = true;
		l->depth++;
		if (c->partial.buf != NULL)
			take_what_is_there(c, c->partial.buf, c->partial.len);
		l->depth--;
		c->is_held = false;
		settle(c);
	}
}

/* ---- answers ---- */

static void write_rest(struct tcp_client *c)
{
	ssize_t n = send(c->watch.fd, c->out + c->out_pos, n_unwritten(c), MSG_NOSIGNAL);

	if (n < 0) {
		c->is_dead = errno != EAGAIN && errno != EINTR;
		return;
	}
	touch(c);
	c->out_pos += (size_t)n;
	if (n_unwritten(c) == 0) {
		c->l->out_bytes -= c->out_cap;
		free(c->out);
		c->out = NULL;
		c->out_pos = c->out_len = c->out_cap = 0;
	}
}

static bool grow_out(struct tcp_client *c, size_t need)
{
	struct listener *l = c->l;
	size_t most = l->limits.tcp_write_backlog, cap = need > most / 2 ? most : need * 2;
	uint8_t *bigger;

	if (l->out_bytes - c->out_cap + cap > l->limits.tcp_write_total) {
		COUNT(l->counters, tcp_slow_readers);
		return false;
	}
	bigger = realloc(c->out, cap);
	if (bigger == NULL)
		return false;
	l->out_bytes += cap - c->out_cap;
	counter_max(&l->counters->peak_tcp_unread_all, l->out_bytes);
	c->out = bigger;
	c->out_cap = cap;
	return true;
}

static bool queue(struct tcp_client *c, const uint8_t *data, size_t len)
{
	size_t have = n_unwritten(c);

	if (have + len > c->l->limits.tcp_write_backlog) {
		COUNT(c->l->counters, tcp_slow_readers);
		return false;
	}
	counter_max(&c->l->counters->peak_tcp_unread, have + len);
	if (c->out_pos > 0)
		memmove(c->out, c->out + c->out_pos, have);
	c->out_pos = 0;
	c->out_len = have;
	if (have + len > c->out_cap && !grow_out(c, have + len))
		return false;
	memcpy(c->out + have, data, len);
	c->out_len = have + len;
	return true;
}

/* False: the connection is of no more use. */
static bool write_answer(struct tcp_client *c, const uint8_t *wire, size_t len)
{
	uint8_t prefix[PARTIAL_PREFIX];
	struct iovec iov[2] = { { prefix, PARTIAL_PREFIX }, { (void *)(uintptr_t)wire, len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = 0;
	size_t done;

	wire_put_u16(prefix, (uint16_t)len);
	if (n_unwritten(c) == 0) {
		n = sendmsg(c->watch.fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
	}
	done = n < 0 ? 0 : (size_t)n;
	if (done == PARTIAL_PREFIX + len)
		return true;
	if (done < PARTIAL_PREFIX)
		return queue(c, prefix + done, PARTIAL_PREFIX - done) && queue(c, wire, len);
	return queue(c, wire + (done - PARTIAL_PREFIX), len - (done - PARTIAL_PREFIX));
}

/* NULL when the connection is gone, or on its way. */
static struct tcp_client *find_client(const struct listener *l, const struct client *to)
{
	struct tcp_client *c;

	if (to->slot >= l->limits.tcp_clients)
		return NULL;
	c = l->slots[to->slot].client;
	return c == NULL || c->is_dead || c->generation != to->generation ? NULL : c;
}

void listen_tcp_reply(struct listener *l, const struct client *to, const uint8_t *wire, size_t len)
{
	struct tcp_client *c = find_client(l, to);

	if (c == NULL || !EXPECT(c->in_flight > 0))
		return;
	c->in_flight--;
	touch(c);
	if (!EXPECT(len <= WIRE_MSG_MAX) || !write_answer(c, wire, len))
		c->is_dead = true;
	settle(c);
}

void listen_tcp_drop(struct listener *l, const struct client *to)
{
	struct tcp_client *c = find_client(l, to);

	if (c == NULL || !EXPECT(c->in_flight > 0))
		return;
	c->in_flight--;
	touch(c);
	settle(c);
}

static void on_client(void *ctx, unsigned events)
{
	struct tcp_client *c = ctx;
	struct listener *l = c->l;

	c->is_held = true;
	l->depth++;
	if ((events & LOOP_BROKEN) != 0)
		c->is_dead = true;
	if (!c->is_dead && (events & LOOP_WRITE) != 0 && n_unwritten(c) > 0)
		write_rest(c);
	if (!c->is_dead && (events & LOOP_READ) != 0) {
		if (c->is_draining)
			read_and_forget(c);
		else if (l->n_taken < QUERIES_A_TURN) /* or the next turn has the event again */
			read_queries(c);
	}
	l->depth--;
	c->is_held = false;
	settle(c);
}

/* ---- accepting ---- */

/* Whom it admits it has entered in the tally. */
static bool is_admitted(struct listener *l, const struct addr *remote)
{
	struct tally_count now;

	if (!l->handler.accept(l->handler.ctx, remote)) {
		COUNT(l->counters, unauthorized_tcp);
		return false;
	}
	if (l->free_slot == l->limits.tcp_clients) {
		COUNT(l->counters, tcp_overflow);
		return false;
	}
	switch (tally_enter(l->tally, remote, &now)) {
	case TALLY_ENTERED:
		counter_max(&l->counters->peak_tcp_clients, now.all);
		counter_max(&l->counters->peak_tcp_client, now.client);
		return true;
	case TALLY_FULL:
		COUNT(l->counters, tcp_overflow);
		return false;
	case TALLY_CLIENT_FULL:
		COUNT(l->counters, tcp_client_overflow);
		return false;
	}
	return false;
}

static struct addr local_of(const struct endpoint *e, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct addr local = e->local;

	if (e->is_any && getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		(void)EXPECT(addr_from_sockaddr(&local, (struct sockaddr *)&sa) == E_OK);
	return local;
}

/* Takes the descriptor and the place in the tally. */
static void add_client(const struct endpoint *e, int fd, const struct addr *remote)
{
	struct listener *l = e->l;
	struct tcp_client *c = calloc(1, sizeof(*c));

	if (c == NULL ||
	    loop_watch_start(&c->watch, l->loop, fd, LOOP_READ, on_client, c) != E_OK) {
		free(c);
		(void)close(fd);
		tally_leave(l->tally, remote);
		COUNT(l->counters, tcp_refused);
		COUNT(l->counters, tcp_no_room);
		return;
	}
	c->l = l;
	c->remote = *remote;
	c->local = local_of(e, fd);
	c->slot = take_slot(l);
	c->generation = l->slots[c->slot].generation;
	l->slots[c->slot].client = c;
	l->n_clients++;
	c->touched_ms = loop_now_ms(l->loop);
	TAILQ_INSERT_TAIL(&l->by_age, c, in_age);
	wake_by(l, c->touched_ms + l->limits.tcp_idle_ms);
}

static void set_accepting(struct listener *l, bool on)
{
	for (unsigned i = 0; i < l->n_endpoints; i++)
		loop_watch_want(&l->endpoints[i]->tcp_watch, on ? LOOP_READ : 0);
}

static void accept_again(void *ctx)
{
	set_accepting(ctx, true);
}

static void on_accept(void *ctx, unsigned events)
{
	const struct endpoint *e = ctx;
	struct listener *l = e->l;

	(void)events;
	l->depth++;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		struct addr remote;
		int fd = accept4(e->tcp_watch.fd, (struct sockaddr *)&sa, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EAGAIN)
				break;
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM) {
				/* The connection stays where it is, and so would the event. */
				set_accepting(l, false);
				loop_timer_at(l->accept_timer,
					      loop_now_ms(l->loop) + ACCEPT_PAUSE_MS);
				break;
			}
			continue; /* an error of that connection, already gone (accept(2)) */
		}
		if (EXPECT(addr_from_sockaddr(&remote, (struct sockaddr *)&sa) == E_OK) &&
		    is_admitted(l, &remote)) {
			add_client(e, fd, &remote);
		} else {
			COUNT(l->counters, tcp_refused);
			(void)close(fd);
		}
	}
	l->depth--;
}

/* ---- time ---- */

static void on_idle(void *ctx)
{
	struct listener *l = ctx;
	uint64_t now = loop_now_ms(l->loop);
	struct tcp_client *c;

	l->idle_due_ms = UINT64_MAX;
	while ((c = TAILQ_FIRST(&l->by_age)) != NULL) {
		if (now - c->touched_ms < l->limits.tcp_idle_ms) {
			wake_by(l, c->touched_ms + l->limits.tcp_idle_ms);
			break;
		}
		if (c->in_flight > 0 && n_unwritten(c) == 0) { /* it waits for us */
			touch(c);
			continue;
		}
		COUNT(l->counters, tcp_timeouts);
		close_client(c);
	}
}

/* ---- all of them ---- */

int listen_tcp_init(struct listener *l)
{
	const struct listen_limits *limits = &l->limits;

	TAILQ_INIT(&l->by_age);
	TAILQ_INIT(&l->to_resume);
	l->idle_due_ms = UINT64_MAX;
	l->slots = calloc((size_t)limits->tcp_clients + 1, sizeof(l->slots[0]));
	l->tcp_in = malloc(PARTIAL_BUFFER);
	if (l->slots == NULL || l->tcp_in == NULL)
		return E_NOMEM;
	l->tally = limits->tally;
	if (l->tally != NULL)
		return E_OK;
	if (tally_new(&l->own_tally, limits->tcp_clients, limits->tcp_per_client) != E_OK)
		return E_NOMEM;
	l->tally = l->own_tally;
	return E_OK;
}

void listen_tcp_deinit(struct listener *l)
{
	struct tcp_client *c;

	while ((c = TAILQ_FIRST(&l->by_age)) != NULL)
		close_client(c);
	loop_timer_close(l->idle_timer);
	loop_timer_close(l->accept_timer);
	free(l->slots);
	tally_free(l->own_tally);
	free(l->tcp_in);
}

int listen_tcp_start(struct listener *l)
{
	int err = loop_timer_new(&l->idle_timer, l->loop, on_idle, l);

	if (err == E_OK)
		err = loop_timer_new(&l->accept_timer, l->loop, accept_again, l);
	for (unsigned i = 0; err == E_OK && i < l->n_endpoints; i++) {
		struct endpoint *e = l->endpoints[i];

		err = loop_watch_start(&e->tcp_watch, l->loop, e->tcp_fd, LOOP_READ, on_accept, e);
		if (err == E_OK)
			e->tcp_fd = -1;
	}
	return err;
}

void listen_tcp_stop(struct listener *l)
{
	struct tcp_client *c, *next;

	if (l->accept_timer != NULL) /* or listener_start() has failed before it */
		loop_timer_at(l->accept_timer, UINT64_MAX);
	for (unsigned i = 0; i < l->n_endpoints; i++)
		loop_watch_close(&l->endpoints[i]->tcp_watch);
	for (c = TAILQ_FIRST(&l->by_age); c != NULL; c = next) {
		next = TAILQ_NEXT(c, in_age);
		c->is_finished = true;
		settle(c);
	}
}

/* What the kernel still has is lost, too, if the client sends on when nobody reads any more. */
static bool has_all(const struct tcp_client *c)
{
	int unacknowledged = 0;

	/* The end itself counts for one, and who is gone for good never acknowledges that. */
	return n_unwritten(c) == 0 && (ioctl(c->watch.fd, SIOCOUTQ, &unacknowledged) < 0 ||
				       unacknowledged <= (c->is_draining ? 1 : 0));
}

bool listen_tcp_owes(const struct listener *l)
{
	struct tcp_client *c;

	if (!l->is_stopped)
		return l->n_clients > 0;
	TAILQ_FOREACH (c, &l->by_age, in_age) {
		if (c->has_all)
			continue;
		if (!has_all(c))
			return true;
		c->has_all = c->is_draining; /* nothing will be added */
	}
	return false;
}
