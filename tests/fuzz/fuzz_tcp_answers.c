/*
 * Servers that send any streams in any pieces to who asked them over TCP: the answers that come up
 * are those messages of a connection's stream, in its order and whole, that have a pending question's
 * id; the questions arrive whole, whatever is cancelled meanwhile; each has one end, an answer or a
 * failure with a cause; connections, idle ones and questions on one stay within their limits.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/hash.h"
#include "recursor/net/outgoing.h"
#include "recursor/net/partial.h"
#include "tests/fuzz/still_net.h"

enum {
	CONNECTIONS = 24, /* in an input */
	QUESTIONS = 128,  /* likewise */
	PATIENCE = 100,   /* rounds in which a server still answers */
	PIPELINE_MAX = 32 /* outgoing_tcp.c's */
};

/* A question says its number behind its header. */
enum { QUESTION_LEN = WIRE_HEADER_LEN + 4, NUMBER_AT = WIRE_HEADER_LEN };

struct asked {
	enum { PENDING, ENDED } state;
	size_t len;
	int conn; /* where it has arrived last; -1: nowhere yet */
	uint16_t id;
};

struct server_side {
	int fd;       /* the server's end; -1: closed */
	int their_fd; /* the asker's; -1: closed */
	struct stream answers;
	bool has_ended; /* sends no more */
	uint8_t in[PARTIAL_BUFFER];
	size_t have;      /* a question that has not come whole */
	unsigned n_asked; /* questions that have come */
};

static struct server_side conns[CONNECTIONS], *current;
static unsigned n_conns;
static struct asked questions[QUESTIONS];
static unsigned n_questions, n_pending;
static struct outgoing *out;
static struct outgoing_config config;
static bool is_refused, is_wrong_next, asks_in_reply;
static unsigned cancel_in_reply; /* a question, from 1 on */
static uint8_t block[WIRE_MSG_MAX];

/* ---- the other end ---- */

/* What is random is the same in each run. */
ssize_t getrandom(void *to, size_t len, unsigned flags)
{
	(void)flags;
	memset(to, 0x17, len);
	return (ssize_t)len;
}

/* In libc's place: the descriptor becomes an end of a pair. */
int connect(int fd, __CONST_SOCKADDR_ARG sa, socklen_t len)
{
	int pair[2], small = 4096;
	struct server_side *c;

	(void)sa, (void)len;
	if (is_refused || n_conns == CONNECTIONS) {
		errno = ECONNREFUSED;
		return -1;
	}
	c = &conns[n_conns++];
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	ASSERT(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
	ASSERT(dup3(pair[1], fd, O_CLOEXEC) == fd && close(pair[1]) == 0);
	stream_start(&c->answers);
	c->fd = pair[0];
	c->their_fd = fd;
	c->has_ended = false;
	c->have = 0;
	c->n_asked = 0;
	errno = EINPROGRESS;
	return -1;
}

static void watch_closed(int fd)
{
	for (unsigned i = 0; i < n_conns; i++)
		if (conns[i].their_fd == fd)
			conns[i].their_fd = -1;
}

static unsigned n_open(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_conns; i++)
		n += conns[i].their_fd >= 0;
	return n;
}

static bool is_pending_at(const struct asked *q, const struct server_side *c)
{
	return q->state == PENDING && q->conn == c - conns;
}

static unsigned n_waiting(const struct server_side *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_questions; i++)
		n += is_pending_at(&questions[i], c);
	return n;
}

static void take_question(struct server_side *c, const uint8_t *wire, size_t len)
{
	uint32_t number;
	struct asked *q;

	ASSERT(len >= QUESTION_LEN);
	number = wire_get_u32(wire + NUMBER_AT);
	ASSERT(number < n_questions);
	q = &questions[number];
	ASSERT(q->len == len);
	for (size_t i = QUESTION_LEN; i < len; i++)
		ASSERT(wire[i] == (uint8_t)number);
	c->n_asked++;
	ASSERT(config.tcp_max_queries == 0 || c->n_asked <= config.tcp_max_queries);
	if (c->their_fd < 0) /* it may have been asked again meanwhile */
		return;
	ASSERT(q->conn < 0 || conns[q->conn].their_fd < 0);
	q->conn = (int)(c - conns);
	q->id = wire_get_u16(wire);
	for (unsigned i = 0; i < n_questions; i++)
		ASSERT(i == number || !is_pending_at(&questions[i], c) || questions[i].id != q->id);
}

static void read_questions(struct server_side *c)
{
	size_t pos = 0;
	ssize_t n;

	if (c->fd < 0)
		return;
	n = recv(c->fd, c->in + c->have, sizeof(c->in) - c->have, MSG_DONTWAIT);
	if (n <= 0)
		return;
	c->have += (size_t)n;
	while (c->have - pos >= PARTIAL_PREFIX) {
		size_t len = wire_get_u16(c->in + pos);

		if (c->have - pos - PARTIAL_PREFIX < len)
			break;
		take_question(c, c->in + pos + PARTIAL_PREFIX, len);
		pos += PARTIAL_PREFIX + len;
	}
	c->have -= pos;
	memmove(c->in, c->in + pos, c->have);
}

/* ---- who asks ---- */

static struct server_side *at_work(void)
{
	for (unsigned i = 0; still.at_work != NULL && i < n_conns; i++)
		if (conns[i].their_fd == still.at_work->fd)
			return &conns[i];
	return NULL;
}

static void end_question(uint64_t ticket)
{
	ASSERT(ticket > 0 && ticket <= n_questions && questions[ticket - 1].state == PENDING);
	questions[ticket - 1].state = ENDED;
	n_pending--;
}

static void cancel(unsigned number)
{
	if (number >= n_questions)
		return;
	outgoing_cancel(out, number + 1);
	if (questions[number].state == PENDING)
		end_question(number + 1);
}

static void ask(unsigned server, size_t len)
{
	struct addr to = { .family = 4, .port = 53, .ip = { 192, 0, 2, (uint8_t)server } };
	uint32_t number = n_questions;

	if (number == QUESTIONS)
		return;
	questions[n_questions++] = (struct asked) { .state = PENDING, .len = len, .conn = -1 };
	n_pending++;
	memset(block, (int)number, len);
	wire_put_u32(block + NUMBER_AT, number);
	if (outgoing_send(out, number + 1, &to, true, block, len) != OUTGOING_OK)
		end_question(number + 1);
}

static bool on_reply(void *ctx, uint64_t ticket, const uint8_t *wire, size_t len)
{
	struct server_side *c = at_work();
	bool is_wrong = is_wrong_next;

	(void)ctx;
	ASSERT(c != NULL && ticket > 0 && ticket <= n_questions);
	read_questions(c);
	ASSERT(is_pending_at(&questions[ticket - 1], c));
	ASSERT(questions[ticket - 1].id == wire_get_u16(wire));
	stream_take(&c->answers, wire, len);
	is_wrong_next = false;
	if (cancel_in_reply != 0)
		cancel(cancel_in_reply - 1);
	cancel_in_reply = 0;
	if (asks_in_reply)
		ask(1, QUESTION_LEN);
	asks_in_reply = false;
	if (!is_wrong && questions[ticket - 1].state == PENDING)
		end_question(ticket);
	return !is_wrong;
}

static void on_unexpected(void *ctx)
{
	struct server_side *c = at_work();
	size_t len = 0;
	uint16_t id;

	(void)ctx;
	ASSERT(c != NULL && stream_has_message(&c->answers, &len) && len >= WIRE_HEADER_LEN);
	read_questions(c);
	id = wire_get_u16(c->answers.bytes + c->answers.taken + PARTIAL_PREFIX);
	for (unsigned i = 0; i < n_questions; i++)
		ASSERT(!is_pending_at(&questions[i], c) || questions[i].id != id);
	c->answers.taken += PARTIAL_PREFIX + len;
}

static bool has_short_message(const struct server_side *c)
{
	const struct stream *s = &c->answers;

	return s->sent - s->taken >= PARTIAL_PREFIX &&
	       wire_get_u16(s->bytes + s->taken) < WIRE_HEADER_LEN;
}

static void on_failed(void *ctx, uint64_t ticket, enum outgoing_failure why)
{
	const struct server_side *c = at_work();
	size_t len;

	(void)ctx;
	end_question(ticket);
	/* Not from an event: it was found when something was asked. */
	if (c == NULL)
		return;
	ASSERT(why == OUTGOING_FAIL_CLOSED && (c->has_ended || has_short_message(c)));
	ASSERT(c->fd < 0 || has_short_message(c) || !stream_has_message(&c->answers, &len));
}

static uint64_t on_seen(void *ctx, const struct outgoing_seen *s)
{
	uint32_t number;

	(void)ctx;
	ASSERT(s->tcp && s->server.port == 53);
	if (!s->is_answer) {
		number = wire_get_u32(s->wire + NUMBER_AT);
		ASSERT(number < n_questions && questions[number].len == s->len);
		return number + 1;
	}
	ASSERT(s->mark > 0 && s->mark <= n_questions && questions[s->mark - 1].state == PENDING);
	return 0;
}

static void on_near_miss(void *ctx, uint64_t ticket)
{
	(void)ctx, (void)ticket;
	ASSERT(false);
}

/* ---- steps ---- */

static void check_settled(void)
{
	struct outgoing_stats s;
	size_t len;

	outgoing_stats(out, &s);
	ASSERT(s.pending == n_pending && s.tcp_connections == n_open());
	ASSERT(s.tcp_connections <= config.max_sockets && s.tcp_idle <= config.tcp_max_idle);
	ASSERT(s.most_tcp_idle_server <= config.tcp_max_idle_server);
	ASSERT(config.tcp_max_queries == 0 || s.most_tcp_asked <= config.tcp_max_queries);
	for (unsigned i = 0; i < n_conns; i++) {
		struct server_side *c = &conns[i];

		if (c->their_fd < 0)
			continue;
		ASSERT(c->fd >= 0 && !c->has_ended && !has_short_message(c));
		ASSERT(!stream_has_message(&c->answers, &len));
		ASSERT(stream_read(&c->answers, c->their_fd) == c->answers.sent);
		ASSERT(n_waiting(c) <= PIPELINE_MAX);
	}
}

/* Answers the n-th question that waits at the connection. */
static void add_answer(struct server_side *c, unsigned n, size_t len)
{
	unsigned n_there;

	read_questions(c);
	n_there = n_waiting(c);
	if (n_there == 0)
		return;
	n %= n_there;
	for (unsigned i = 0; i < n_questions; i++) {
		if (!is_pending_at(&questions[i], c) || n-- > 0)
			continue;
		memset(block, (int)(i + c->answers.made), len);
		wire_put_u16(block, questions[i].id);
		stream_add_message(&c->answers, block, len);
		return;
	}
}

static void end_stream(struct server_side *c, bool at_once)
{
	if (c->fd < 0)
		return;
	c->has_ended = true;
	(void)shutdown(c->fd, SHUT_WR);
	if (!at_once)
		return;
	(void)close(c->fd);
	c->fd = -1;
}

static void rare_step(unsigned arg)
{
	switch (arg) {
	case 0:
	case 1:
		end_stream(current, arg != 0);
		break;
	case 2:
		is_refused = !is_refused;
		break;
	case 3:
		is_wrong_next = true;
		break;
	case 4:
		asks_in_reply = true;
		break;
	case 5:
		still_pass(config.tcp_idle_ms);
		break;
	case 6:
		read_questions(current);
		break;
	default:
		still_pass(arg);
	}
}

static size_t answer_size(struct input *in)
{
	size_t b = input_byte(in);

	return WIRE_HEADER_LEN + (b < 128 ? b : (b - 127) * 511);
}

static void step(struct input *in)
{
	enum { RAW, ASK, SEND, TURN, ANSWER, CONNECTION, CANCEL, RARE };
	unsigned b = input_byte(in), arg = b >> 3;
	size_t len;

	switch (b & 7) {
	case RAW:
		stream_add_input(&current->answers, in, arg + 1);
		break;
	case ASK:
		ask(1 + (arg & 1), QUESTION_LEN + (arg < 28 ? arg : (arg - 27) * (size_t)3000));
		break;
	case SEND:
		if (current->fd >= 0 && !current->has_ended)
			stream_send(&current->answers, current->fd, input_size(arg));
		break;
	case TURN:
		still_go_on(arg >= 16, check_settled);
		break;
	case ANSWER:
		add_answer(current, arg, answer_size(in));
		break;
	case CONNECTION:
		if (n_conns > 0)
			current = &conns[n_conns - 1 - arg % n_conns];
		break;
	case CANCEL:
		len = input_byte(in);
		if (arg < 16)
			cancel((unsigned)len);
		else
			cancel_in_reply = (unsigned)len;
		break;
	case RARE:
		rare_step(arg);
	}
}

/* ---- from the first to the last ---- */

/* Every server that still can answers all there is. */
static void end_well(void)
{
	for (unsigned round = 0; n_pending > 0; round++) {
		ASSERT(round <= PATIENCE + QUESTIONS);
		for (unsigned i = 0; i < n_conns; i++) {
			struct server_side *c = &conns[i];

			read_questions(c);
			if (c->fd < 0 || c->has_ended)
				continue;
			if (c->answers.sent == c->answers.made)
				add_answer(c, round, WIRE_HEADER_LEN);
			if (round >= PATIENCE)
				end_stream(c, true);
			else
				stream_send(&c->answers, c->fd, STREAM_MAX);
		}
		(void)still_settle();
		check_settled();
	}
	still_pass(config.tcp_idle_ms + config.tcp_connect_ms);
	(void)still_settle();
	ASSERT(n_open() == 0);
}

static void start(struct input *in, bool is_seen)
{
	const struct outgoing_handler handler = { .reply = on_reply,
						  .near_miss = on_near_miss,
						  .failed = on_failed,
						  .unexpected = on_unexpected,
						  .seen = is_seen ? on_seen : NULL };
	unsigned b = input_byte(in);

	still_start();
	config = (struct outgoing_config) {
		.local4 = { { .family = 4 } },
		.n_local4 = 1,
		.port_min = 1024,
		.port_max = 65535,
		.max_sockets = 1 + (b & 3),
		.tcp_connect_ms = 40,
		.tcp_idle_ms = (b >> 2 & 3) * 50,
		.tcp_max_idle_server = b >> 4 & 1,
		.tcp_max_idle = (b >> 5 & 1) + 1,
		.tcp_max_queries = (b >> 6 & 3) * 3,
	};
	n_conns = n_questions = n_pending = 0;
	is_refused = is_wrong_next = asks_in_reply = false;
	cancel_in_reply = 0;
	current = &conns[0];
	current->fd = current->their_fd = -1;
	stream_start(&current->answers);
	ASSERT(outgoing_new(&out, &still, &config, &handler) == E_OK);
}

static void stop(void)
{
	outgoing_close(out);
	for (unsigned i = 0; i < n_conns; i++) {
		ASSERT(conns[i].their_fd < 0);
		if (conns[i].fd >= 0)
			(void)close(conns[i].fd);
	}
	ASSERT(still_is_empty() && check_surprises() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, data + len };
	unsigned b = input_byte(&in);

	hash_key_set(1, 2);
	start(&in, (b >> 2 & 1) != 0);
	while (in.at < in.end)
		step(&in);
	if ((b & 3) != 0)
		end_well();
	stop();
	return 0;
}
