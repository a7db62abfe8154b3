/*
 * Clients that send a listener any streams in any pieces: the queries that come up are those of each
 * stream, in its order and whole, however it was cut; no more of them than the limits allow; the
 * answers reach their client whole; and a connection ends for a reason.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "recursor/net/listen_impl.h"
#include "tests/fuzz/still_net.h"

enum {
	CLIENTS = 4,
	ANSWERS_MAX = 512, /* that a client does not read */
	KEPT_MAX = 256,
	READ_MAX = 4096, /* listen_tcp.c's */
	FIRST_PORT = 1000,
};

struct tcp_side {
	int fd;          /* the client's end; -1: not open */
	int their_fd;    /* the listener's; -1: it has closed it */
	uint32_t serial; /* of the connection */
	struct addr from;
	struct stream queries;
	unsigned in_flight, n_queries;
	bool has_ended; /* sends no more */
	bool is_doomed; /* it may be closed now */
	uint64_t touched_ms;
	struct answer_sent {
		size_t len;
		uint8_t seed;
	} answers[ANSWERS_MAX]; /* that are on the way */
	unsigned n_answers;
	size_t answer_pos; /* bytes of the first that have come */
};

struct kept_query {
	struct client from;
	struct tcp_side *c;
	uint32_t serial;
};

static struct tcp_side clients[CLIENTS], *current;
static struct kept_query kept[KEPT_MAX];
static unsigned n_kept, n_taken;
static struct listener *listener;
static struct listen_limits limits;
static struct counters counters;
static uint64_t n_slow; /* slow readers that are accounted for */
static uint32_t n_connections;
static bool answers_at_once, closes_next, is_stopped;
static uint8_t block[WIRE_MSG_MAX];

/* ---- the listener's connections ---- */

static struct tcp_side *to_accept;

/* In libc's place: who is there is an end of a pair, with an address. */
int accept4(int fd, __SOCKADDR_ARG sa, socklen_t *restrict len, int flags)
{
	struct sockaddr_storage from;
	int taken;

	(void)fd, (void)flags;
	if (to_accept == NULL) {
		errno = EAGAIN;
		return -1;
	}
	*len = addr_to_sockaddr(&to_accept->from, &from);
	memcpy(sa.__sockaddr__, &from, *len);
	taken = to_accept->their_fd;
	to_accept = NULL;
	return taken;
}

static bool is_finished(const struct tcp_side *c)
{
	return is_stopped ||
	       (limits.tcp_queries_per_conn != 0 && c->n_queries >= limits.tcp_queries_per_conn);
}

static bool has_query(const struct tcp_side *c)
{
	size_t len;

	return stream_has_message(&c->queries, &len);
}

static bool has_empty_query(const struct tcp_side *c)
{
	size_t len;

	return stream_has_message(&c->queries, &len) && len == 0;
}

static bool is_slow(void)
{
	if (counter_get(&counters.tcp_slow_readers) == n_slow)
		return false;
	n_slow++;
	return true;
}

/* Why may it be? */
static void watch_closed(int fd)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct tcp_side *c = &clients[i];

		if (c->fd < 0 || c->their_fd != fd)
			continue;
		c->their_fd = -1;
		if (listener == NULL || c->is_doomed || has_empty_query(c) || is_slow())
			return;
		/* Who waits for us is not idle. */
		if (still.now_ms - c->touched_ms >= limits.tcp_idle_ms &&
		    (c->in_flight == 0 || c->n_answers > 0))
			return;
		ASSERT(c->has_ended && c->in_flight == 0 && (is_finished(c) || !has_query(c)));
		return;
	}
}

static unsigned n_open(const struct addr *from)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		n += clients[i].fd >= 0 && clients[i].their_fd >= 0 &&
		     (from == NULL || memcmp(clients[i].from.ip, from->ip, sizeof(from->ip)) == 0);
	return n;
}

static void close_client(struct tcp_side *c)
{
	if (c->fd < 0)
		return;
	c->is_doomed = c->has_ended = true;
	(void)close(c->fd);
	if (c->their_fd >= 0)
		(void)still_settle();
	ASSERT(c->their_fd < 0);
	c->fd = -1;
}

static void open_client(struct tcp_side *c, unsigned number)
{
	struct loop_watch *door = listener->endpoints[0]->tcp_watch.loop == NULL
					  ? NULL
					  : &listener->endpoints[0]->tcp_watch;
	int pair[2], small = 4096;
	bool has_room;

	if (c->fd >= 0 || door == NULL)
		return;
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	ASSERT(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
	stream_start(&c->queries);
	c->serial = n_connections++;
	c->from = (struct addr) { .family = 4,
				  .port = (uint16_t)(FIRST_PORT + number),
				  .ip = { 192, 0, 2, (uint8_t)(number & 1) } };
	has_room = n_open(NULL) < limits.tcp_clients &&
		   (limits.tcp_per_client == 0 || n_open(&c->from) < limits.tcp_per_client);
	c->fd = pair[0];
	c->their_fd = pair[1];
	c->in_flight = c->n_queries = c->n_answers = 0;
	c->answer_pos = 0;
	c->has_ended = c->is_doomed = false;
	c->touched_ms = still.now_ms;
	to_accept = c;
	still_event(door, LOOP_READ);
	ASSERT(to_accept == NULL && (still_watch(pair[1]) != NULL) == has_room);
	if (!has_room) {
		c->their_fd = c->fd = -1;
		(void)close(pair[0]);
	}
}

/* ---- the listener's owner ---- */

static void answer(const struct kept_query *q, size_t len)
{
	struct tcp_side *c = q->c;
	bool is_there = c->fd >= 0 && c->their_fd >= 0 && c->serial == q->serial;

	if (is_there) {
		if (c->n_answers == ANSWERS_MAX)
			len = 0;
		c->in_flight--;
		c->touched_ms = still.now_ms;
	}
	if (len == 0) {
		listen_drop(listener, &q->from);
		return;
	}
	for (size_t i = 0; i < len; i++)
		block[i] = (uint8_t)(i * 7 + q->serial + len);
	if (is_there)
		c->answers[c->n_answers++] = (struct answer_sent) { len,
								    (uint8_t)(q->serial + len) };
	listen_reply(listener, &q->from, block, len);
}

static enum listen_verdict on_query(void *ctx, const struct client *from, uint8_t *wire, size_t len)
{
	struct tcp_side *c = &clients[from->remote.port - FIRST_PORT];
	struct kept_query q = { *from, c, c->serial };

	(void)ctx;
	ASSERT(from->tcp && addr_equal(&from->remote, &c->from));
	ASSERT(c->fd >= 0 && c->their_fd >= 0 && len > 0 && !is_finished(c));
	ASSERT(c->in_flight < limits.tcp_queries_at_once);
	stream_take(&c->queries, wire, len);
	c->in_flight++;
	c->n_queries++;
	n_taken++;
	c->touched_ms = still.now_ms;
	memset(wire, 0xa5, len); /* it is ours for the call */
	if (closes_next) {
		closes_next = false;
		c->is_doomed = true;
		return LISTEN_CLOSE;
	}
	if (answers_at_once || n_kept == KEPT_MAX)
		answer(&q, 1 + len % 1000);
	else
		kept[n_kept++] = q;
	return LISTEN_TAKEN;
}

static bool on_accept(void *ctx, const struct addr *remote)
{
	(void)ctx, (void)remote;
	return true;
}

static void answer_kept(unsigned i, size_t len)
{
	struct kept_query q;

	if (n_kept == 0)
		return;
	i %= n_kept--;
	q = kept[i];
	kept[i] = kept[n_kept];
	answer(&q, len);
}

/* ---- clients ---- */

static void check_answer_byte(struct tcp_side *c, uint8_t byte)
{
	const struct answer_sent *a = &c->answers[0];
	uint8_t prefix[2];
	size_t at = c->answer_pos++;

	ASSERT(c->n_answers > 0);
	wire_put_u16(prefix, (uint16_t)a->len);
	ASSERT(byte == (at < 2 ? prefix[at] : (uint8_t)((at - 2) * 7 + a->seed)));
	if (c->answer_pos == 2 + a->len) {
		c->answer_pos = 0;
		memmove(c->answers, c->answers + 1, --c->n_answers * sizeof(*a));
	}
}

/* True: something has come. */
static bool read_answers(struct tcp_side *c, size_t most)
{
	static uint8_t in[65536];
	ssize_t n;

	if (c->fd < 0)
		return false;
	n = recv(c->fd, in, most < sizeof(in) ? most : sizeof(in), MSG_DONTWAIT);
	for (ssize_t i = 0; i < n; i++)
		check_answer_byte(c, in[i]);
	return n > 0;
}

/* Nothing happens any more: is all done that could be? */
static void check_settled(void)
{
	ASSERT(listener_tcp_clients(listener) == n_open(NULL) &&
	       n_open(NULL) <= limits.tcp_clients);
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct tcp_side *c = &clients[i];
		size_t read, first = 0;
		bool is_waiting, may_wait;

		if (c->fd < 0 || c->their_fd < 0 || is_finished(c))
			continue;
		ASSERT(!c->is_doomed);
		is_waiting = stream_has_message(&c->queries, &first);
		/* Who has asked as many as it may, or reads no answers. */
		may_wait = c->in_flight == limits.tcp_queries_at_once || c->n_answers > 0;
		read = stream_read(&c->queries, c->their_fd);
		ASSERT(read >= c->queries.taken);
		ASSERT(may_wait || (!is_waiting && read == c->queries.sent));
		ASSERT(!is_waiting || read - c->queries.taken < PARTIAL_PREFIX + first + READ_MAX);
	}
}

static void rare_step(unsigned arg)
{
	switch (arg) {
	case 0:
		if (current->fd >= 0)
			(void)shutdown(current->fd, SHUT_WR);
		current->has_ended = true;
		break;
	case 1:
		close_client(current);
		break;
	case 2:
		closes_next = true;
		break;
	case 3:
		answers_at_once = !answers_at_once;
		break;
	case 4:
		listener_stop(listener);
		is_stopped = true;
		break;
	case 5:
		still_pass(limits.tcp_idle_ms);
		break;
	default:
		still_pass(arg);
	}
}

static void step(struct input *in)
{
	enum { RAW, MESSAGE, SEND, TURN, ANSWER, CLIENT, READ, RARE };
	unsigned b = input_byte(in), arg = b >> 3;
	size_t len;

	switch (b & 7) {
	case RAW:
		stream_add_input(&current->queries, in, arg + 1);
		break;
	case MESSAGE:
		len = arg < 24 ? arg + 1 : input_u16(in);
		memset(block, (int)(arg + current->queries.made), len);
		stream_add_message(&current->queries, block, len);
		break;
	case SEND:
		if (current->fd >= 0 && !current->has_ended)
			stream_send(&current->queries, current->fd, input_size(arg));
		break;
	case TURN:
		still_go_on(arg >= 16, check_settled);
		break;
	case ANSWER:
		len = input_byte(in);
		answer_kept(arg, len < 128 ? len : (len - 127) * 511);
		break;
	case CLIENT:
		current = &clients[arg % CLIENTS];
		open_client(current, arg % CLIENTS);
		break;
	case READ:
		(void)read_answers(current, input_size(arg));
		break;
	case RARE:
		rare_step(arg);
	}
}

/* ---- from the first to the last ---- */

/* All is sent, answered and read. */
static void end_well(void)
{
	bool goes_on = true;

	while (goes_on) {
		unsigned before = n_taken;

		goes_on = n_kept > 0;
		while (n_kept > 0)
			answer_kept(0, 1 + n_kept);
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct tcp_side *c = &clients[i];
			size_t sent = c->queries.sent;

			if (c->fd >= 0 && !c->has_ended)
				stream_send(&c->queries, c->fd, STREAM_MAX);
			goes_on |= read_answers(c, STREAM_MAX) || c->queries.sent > sent;
		}
		goes_on |= still_settle() || n_taken > before;
		check_settled();
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct tcp_side *c = &clients[i];

		if (c->fd < 0 || c->their_fd < 0)
			continue;
		ASSERT(c->n_answers == 0 && c->in_flight == 0);
		ASSERT(is_finished(c) || (!has_query(c) && !c->has_ended));
	}
	still_pass(limits.tcp_idle_ms);
	ASSERT(listener_tcp_clients(listener) == 0);
}

static void start(struct input *in)
{
	static const struct listen_handler handler = { .query = on_query, .accept = on_accept };
	const struct addr any_port = { .family = 4, .ip = { 127, 0, 0, 1 } };
	unsigned b = input_byte(in);
	char why[256];

	still_start();
	memset(&counters, 0, sizeof(counters));
	limits = (struct listen_limits) {
		.tcp_clients = CLIENTS - (b & 1),
		.tcp_per_client = b >> 1 & 1,
		.tcp_queries_at_once = 1 + (b >> 2 & 3) * 5,
		.tcp_queries_per_conn = (b >> 4 & 3) * 4,
		.tcp_idle_ms = 50,
		.tcp_write_backlog = b >> 6 & 1 ? 3000 : 0,
		.tcp_write_total = b >> 7 & 1 ? 70000 : 0,
		.udp_batches = 1,
	};
	n_slow = n_connections = n_kept = n_taken = 0;
	answers_at_once = closes_next = is_stopped = false;
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i].fd = clients[i].their_fd = -1;
	ASSERT(listener_new(&listener, &limits, &counters) == E_OK);
	ASSERT(listener_bind(listener, &any_port, false, false, why, sizeof(why)) == E_OK);
	ASSERT(listener_start(listener, &still, &handler) == E_OK);
	current = &clients[0];
	open_client(current, 0);
}

static void stop(void)
{
	struct listener *l = listener;

	listener = NULL;
	listener_close(l);
	for (unsigned i = 0; i < CLIENTS; i++)
		close_client(&clients[i]);
	ASSERT(still_is_empty() && check_surprises() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, data + len };
	unsigned b = input_byte(&in);

	hash_key_set(1, 2);
	start(&in);
	while (in.at < in.end)
		step(&in);
	if ((b & 3) != 0)
		end_well();
	stop();
	return 0;
}
