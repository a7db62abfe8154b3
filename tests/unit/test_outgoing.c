#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/wire.h"
#include "recursor/net/outgoing.h"
#include "tests/unit/turns.h"

/* Servers are plain sockets of the test; the owner of `outgoing` is this record of calls. */
enum { LOG_MAX = 256, MESSAGE_LEN = 40 };

static struct {
	uint64_t replies[LOG_MAX], near[LOG_MAX], failed[LOG_MAX];
	enum outgoing_failure why[LOG_MAX];
	unsigned n_replies, n_near, n_failed, n_unexpected, n_shared;
	uint8_t reply[65535];
	size_t reply_len;
	struct addr in_reply_server;
	bool refuse;                       /* what reply() says is: not the answer */
	void (*in_reply)(uint64_t ticket); /* what the owner does in its callback */
} seen;

static struct turns turns;
static struct outgoing *out;
static struct outgoing_config config;

static bool on_reply(void *ctx, uint64_t ticket, const uint8_t *wire, size_t len)
{
	(void)ctx;
	ck_assert_uint_lt(seen.n_replies, LOG_MAX);
	seen.replies[seen.n_replies++] = ticket;
	memcpy(seen.reply, wire, len);
	seen.reply_len = len;
	if (seen.in_reply != NULL)
		seen.in_reply(ticket);
	return !seen.refuse;
}

static void on_near_miss(void *ctx, uint64_t ticket)
{
	(void)ctx;
	ck_assert_uint_lt(seen.n_near, LOG_MAX);
	seen.near[seen.n_near++] = ticket;
}

static void on_failed(void *ctx, uint64_t ticket, enum outgoing_failure why)
{
	(void)ctx;
	ck_assert_uint_lt(seen.n_failed, LOG_MAX);
	seen.why[seen.n_failed] = why;
	seen.failed[seen.n_failed++] = ticket;
}

static void on_unexpected(void *ctx)
{
	(void)ctx;
	seen.n_unexpected++;
}

static void on_shared(void *ctx)
{
	(void)ctx;
	seen.n_shared++;
}

/* Who looks on: the last question and the last answer. */
static struct {
	struct outgoing_seen question, answer;
	uint8_t asked[MESSAGE_LEN], answered[MESSAGE_LEN];
	unsigned n_questions, n_answers;
} shown;

static uint64_t on_seen(void *ctx, const struct outgoing_seen *s)
{
	(void)ctx;
	ck_assert_uint_eq(s->len, MESSAGE_LEN);
	memcpy(s->is_answer ? shown.answered : shown.asked, s->wire, MESSAGE_LEN);
	if (s->is_answer) {
		shown.answer = *s;
		shown.n_answers++;
		return 999;
	}
	shown.question = *s;
	return 100 + shown.n_questions++;
}

static struct outgoing_handler handler = { NULL,          on_reply,  on_near_miss, on_failed,
					   on_unexpected, on_shared, NULL };

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return a;
}

static void set_up(void)
{
	hash_key_set(1, 2);
	memset(&seen, 0, sizeof(seen));
	memset(&shown, 0, sizeof(shown));
	handler.seen = NULL;
	turns_init(&turns);
	config = (struct outgoing_config) {
		.n_local4 = 1,
		.port_min = 1024,
		.port_max = 65535,
		.max_sockets = 64,
		.tcp_connect_ms = 10000,
		.tcp_idle_ms = 10000,
		.tcp_max_idle_server = 10,
		.tcp_max_idle = 100,
	};
	config.local4[0] = address("0.0.0.0");
	out = NULL;
}

static void start(void)
{
	ck_assert_int_eq(outgoing_new(&out, turns.loop, &config, &handler), E_OK);
}

static void tear_down(void)
{
	outgoing_close(out);
	turns_deinit(&turns);
	ck_assert_uint_eq(check_surprises(), 0);
}

static struct outgoing_stats stats(void)
{
	struct outgoing_stats s;

	outgoing_stats(out, &s);
	return s;
}

/* ---- servers ---- */

static int open_server(int type, const char *ip, struct addr *at)
{
	struct sockaddr_storage sa;
	struct addr a = address(ip);
	socklen_t len = addr_to_sockaddr(&a, &sa);
	int fd = socket(sa.ss_family, type | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	len = sizeof(sa);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(addr_from_sockaddr(at, (struct sockaddr *)&sa), E_OK);
	return fd;
}

struct got {
	int fd;
	uint8_t wire[1024];
	ssize_t len;
	struct sockaddr_storage from;
	socklen_t from_len;
	unsigned port;
};

static bool has_packet(void *ctx)
{
	struct got *g = ctx;

	g->from_len = sizeof(g->from);
	g->len = recvfrom(g->fd, g->wire, sizeof(g->wire), 0, (struct sockaddr *)&g->from,
			  &g->from_len);
	return g->len >= 0;
}

static struct got take(int fd)
{
	struct got g = { .fd = fd };
	struct addr from;

	ck_assert(turns_until(&turns, has_packet, &g));
	ck_assert_int_eq(addr_from_sockaddr(&from, (struct sockaddr *)&g.from), E_OK);
	g.port = from.port;
	return g;
}

static void answer(const struct got *g)
{
	ck_assert_int_eq(sendto(g->fd, g->wire, (size_t)g->len, 0,
				(const struct sockaddr *)&g->from, g->from_len),
			 g->len);
}

static void answer_wrong_id(const struct got *g)
{
	struct got wrong = *g;

	wrong.wire[0] ^= 1;
	answer(&wrong);
}

/* ---- questions ---- */

static const uint8_t *message(void)
{
	static uint8_t wire[MESSAGE_LEN];

	for (unsigned i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)i;
	return wire;
}

static enum outgoing_result try_ask(uint64_t ticket, const struct addr *server, bool tcp)
{
	return outgoing_send(out, ticket, server, tcp, message(), MESSAGE_LEN);
}

static void ask(uint64_t ticket, const struct addr *server)
{
	ck_assert_int_eq(try_ask(ticket, server, false), OUTGOING_OK);
}

static void ask_tcp(uint64_t ticket, const struct addr *server)
{
	ck_assert_int_eq(try_ask(ticket, server, true), OUTGOING_OK);
}

static bool reached(void *ctx)
{
	/* A pair: what is counted, and how far. */
	unsigned *const *pair = ctx;

	return *pair[0] >= *pair[1];
}

static void wait_for(unsigned *counted, unsigned n)
{
	unsigned *pair[2] = { counted, &n };

	ck_assert(turns_until(&turns, reached, pair));
	ck_assert_uint_eq(*counted, n);
}

static bool is_quiet(void *ctx)
{
	struct outgoing_stats s = stats();

	(void)ctx;
	return s.udp_sockets + s.tcp_connections == 0;
}

/* ---- UDP ---- */

START_TEST(udp_reply_comes_to_its_ticket)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	struct got g;

	start();
	ask(7, &at);
	g = take(fd);
	ck_assert_int_eq(g.len, MESSAGE_LEN);
	ck_assert_mem_eq(g.wire + 2, message() + 2, MESSAGE_LEN - 2);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.replies[0], 7);
	ck_assert_uint_eq(seen.reply_len, MESSAGE_LEN);
	ck_assert_mem_eq(seen.reply, g.wire, MESSAGE_LEN);
	ck_assert_uint_eq(stats().pending, 0);
	close(fd);
}
END_TEST

/* One question from `port`, whose answer is the same bytes. */
static void check_shown(const struct addr *server, bool tcp, unsigned port, uint64_t mark,
			const uint8_t *wire)
{
	ck_assert(addr_equal(&shown.question.server, server));
	ck_assert(addr_equal(&shown.answer.server, server));
	ck_assert_uint_eq(shown.question.local.port, port);
	ck_assert(addr_equal(&shown.answer.local, &shown.question.local));
	ck_assert_int_eq(shown.question.tcp, tcp);
	ck_assert_int_eq(shown.answer.tcp, tcp);
	ck_assert_uint_eq(shown.question.mark, 0);
	ck_assert_uint_eq(shown.answer.mark, mark);
	ck_assert_mem_eq(shown.asked, wire, MESSAGE_LEN);
	ck_assert_mem_eq(shown.answered, wire, MESSAGE_LEN);
}

START_TEST(udp_is_shown)
{
	struct addr at, busy;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	int other = open_server(SOCK_DGRAM, "127.0.0.1", &busy);
	struct got g;

	config.max_sockets = 1;
	config.max_shared = 1;
	handler.seen = on_seen;
	start();
	ask(7, &at);
	g = take(fd);
	answer_wrong_id(&g);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(shown.n_questions, 1);
	ck_assert_uint_eq(shown.n_answers, 1); /* what answers nothing is not */
	check_shown(&at, false, g.port, 100, g.wire);
	/* The same from a socket that is shared. */
	ask(8, &busy);
	(void)take(other);
	ask(9, &at);
	g = take(fd);
	answer(&g);
	wait_for(&seen.n_replies, 2);
	ck_assert_uint_eq(seen.n_shared, 1);
	ck_assert_uint_eq(shown.n_questions, 3);
	check_shown(&at, false, g.port, 102, g.wire);
	close(other);
	close(fd);
}
END_TEST

START_TEST(udp_reply_over_ipv6)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "::1", &at);
	struct got g;

	config.n_local6 = 1;
	config.local6[0] = address("::");
	start();
	ask(7, &at);
	g = take(fd);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	close(fd);
}
END_TEST

START_TEST(udp_many_replies_in_any_order)
{
	struct got g[OUTGOING_SOCKET_QUESTIONS];
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	for (unsigned i = 0; i < ARRAY_LEN(g); i++)
		ask(100 + i, &at);
	for (unsigned i = 0; i < ARRAY_LEN(g); i++)
		g[i] = take(fd);
	for (unsigned i = ARRAY_LEN(g); i-- > 0;)
		answer(&g[i]);
	wait_for(&seen.n_replies, ARRAY_LEN(g));
	for (unsigned i = 0; i < ARRAY_LEN(g); i++)
		ck_assert_uint_eq(seen.replies[i], 100 + ARRAY_LEN(g) - 1 - i);
	close(fd);
}
END_TEST

START_TEST(udp_socket_has_a_number_of_questions)
{
	struct got first, g = { 0 };
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	/* All in one turn, in which the loop's time stands still: none is too old. */
	for (unsigned i = 0; i <= OUTGOING_SOCKET_QUESTIONS; i++)
		ask(1 + i, &at);
	ck_assert_uint_eq(stats().udp_sockets, 2);
	first = take(fd);
	for (unsigned i = 1; i <= OUTGOING_SOCKET_QUESTIONS; i++) {
		g = take(fd);
		if (i < OUTGOING_SOCKET_QUESTIONS)
			ck_assert_uint_eq(g.port, first.port);
	}
	ck_assert_uint_ne(g.port, first.port);
	close(fd);
}
END_TEST

static bool is_aged(void *ctx)
{
	return loop_now_ms(turns.loop) >= *(uint64_t *)ctx;
}

START_TEST(udp_socket_has_an_age)
{
	struct got first, g;
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	uint64_t aged = loop_now_ms(turns.loop) + OUTGOING_SOCKET_MS;

	start();
	ask(1, &at);
	first = take(fd);
	ck_assert(turns_until(&turns, is_aged, &aged));
	ask(2, &at);
	g = take(fd);
	ck_assert_uint_ne(g.port, first.port);
	answer(&first); /* which is still heard */
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.replies[0], 1);
	close(fd);
}
END_TEST

START_TEST(udp_servers_do_not_share_a_socket)
{
	struct addr a, b;
	int fa = open_server(SOCK_DGRAM, "127.0.0.1", &a);
	int fb = open_server(SOCK_DGRAM, "127.0.0.1", &b);

	start();
	ask(1, &a);
	ask(2, &b);
	ck_assert_uint_ne(take(fa).port, take(fb).port);
	ck_assert_uint_eq(stats().udp_sockets, 2);
	close(fa);
	close(fb);
}
END_TEST

START_TEST(udp_ids_and_ports_vary)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	unsigned same_id = 0, same_port = 0, n = 0;
	struct got last = { 0 };

	start();
	for (uint64_t i = 0; i < 10; i++) {
		struct got g;

		ask(1 + i, &at);
		g = take(fd);
		answer_wrong_id(&g); /* so that the next has a new socket */
		wait_for(&seen.n_near, ++n);
		same_id += memcmp(g.wire, last.wire, 2) == 0;
		same_port += g.port == last.port;
		last = g;
	}
	/* Once may be chance: in 65536. */
	ck_assert_uint_le(same_id, 1);
	ck_assert_uint_le(same_port, 1);
	close(fd);
}
END_TEST

START_TEST(udp_wrong_id_is_a_near_miss_for_all)
{
	struct got a, b, c;
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	ask(1, &at);
	ask(2, &at);
	a = take(fd);
	b = take(fd);
	ck_assert_uint_eq(a.port, b.port);
	a.wire[0] = (uint8_t)(b.wire[0] ^ 0x55);
	a.wire[1] = (uint8_t)(a.wire[1] ^ 0x55);
	answer(&a);
	wait_for(&seen.n_near, 2);
	ck_assert_uint_eq(seen.near[0] + seen.near[1], 3);
	ck_assert_uint_eq(seen.n_unexpected, 0);

	/* No new question from there; the old one is still answered. */
	ask(3, &at);
	c = take(fd);
	ck_assert_uint_ne(c.port, b.port);
	answer(&b);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.replies[0], 2);
	ck_assert_uint_eq(stats().pending, 2);
	close(fd);
}
END_TEST

START_TEST(udp_short_packet_is_a_near_miss)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	struct got g;

	start();
	ask(1, &at);
	g = take(fd);
	g.len = WIRE_HEADER_LEN - 1;
	answer(&g);
	wait_for(&seen.n_near, 1);
	ck_assert_uint_eq(seen.n_replies, 0);
	close(fd);
}
END_TEST

START_TEST(udp_stranger_is_not_heard)
{
	struct addr at, other;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	int stranger = open_server(SOCK_DGRAM, "127.0.0.2", &other);
	struct got g;

	start();
	ask(1, &at);
	g = take(fd);
	(void)sendto(stranger, g.wire, (size_t)g.len, 0, (struct sockaddr *)&g.from, g.from_len);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.n_near + seen.n_unexpected, 0);
	close(fd);
	close(stranger);
}
END_TEST

START_TEST(udp_wrong_question_leaves_the_ticket)
{
	struct got g, next;
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	seen.refuse = true;
	ask(1, &at);
	g = take(fd);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(stats().pending, 1);

	ask(2, &at);
	next = take(fd);
	ck_assert_uint_ne(next.port, g.port);
	seen.refuse = false;
	answer(&g);
	wait_for(&seen.n_replies, 2);
	ck_assert_uint_eq(seen.replies[1], 1);
	ck_assert_uint_eq(stats().pending, 1);
	close(fd);
}
END_TEST

START_TEST(udp_late_answer_is_unexpected)
{
	struct got a, b;
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	ask(1, &at);
	ask(2, &at);
	a = take(fd);
	b = take(fd);
	outgoing_cancel(out, 1);
	outgoing_cancel(out, 1); /* of no effect */
	answer(&a);
	answer(&b);
	answer(&b); /* twice: late as well */
	wait_for(&seen.n_unexpected, 1);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.replies[0], 2);
	ck_assert_uint_eq(seen.n_near, 0);
	close(fd);
}
END_TEST

START_TEST(udp_nobody_there_is_refused)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	close(fd);
	ask(1, &at);
	wait_for(&seen.n_failed, 1);
	ck_assert_uint_eq(seen.failed[0], 1);
	ck_assert_int_eq(seen.why[0], OUTGOING_FAIL_REFUSED);
	ck_assert_uint_eq(stats().udp_sockets, 0);
}
END_TEST

/* The second send meets the error of the first. */
START_TEST(udp_refusal_found_by_sending)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);

	start();
	close(fd);
	ask(1, &at);
	ask(2, &at);
	ck_assert_uint_eq(seen.n_failed, 0); /* not before send() has returned */
	wait_for(&seen.n_failed, 2);
	ck_assert_uint_eq(seen.failed[0] + seen.failed[1], 3);
	ck_assert_int_eq(seen.why[0], OUTGOING_FAIL_REFUSED);
	ck_assert_int_eq(seen.why[1], OUTGOING_FAIL_REFUSED);
	ck_assert_uint_eq(stats().udp_sockets, 0);
}
END_TEST

START_TEST(udp_family_not_configured)
{
	struct addr at = address("[::1]:53");

	start();
	ck_assert_int_eq(try_ask(1, &at, false), OUTGOING_UNREACHABLE);
	ck_assert_int_eq(try_ask(1, &at, true), OUTGOING_UNREACHABLE);
	ck_assert_uint_eq(stats().pending, 0);
}
END_TEST

START_TEST(mapped_address_is_not_asked)
{
	struct addr v4, at = { .family = 6, .ip = { [10] = 0xff, [11] = 0xff } };
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &v4);
	uint8_t byte;

	memcpy(at.ip + 12, v4.ip, 4);
	at.port = v4.port;
	config.n_local6 = 1;
	config.local6[0] = address("::");
	start();
	ck_assert_int_eq(try_ask(1, &at, false), OUTGOING_UNREACHABLE);
	ck_assert_int_eq(try_ask(1, &at, true), OUTGOING_UNREACHABLE);
	turns_some(&turns);
	ck_assert_int_lt(recv(fd, &byte, 1, 0), 0);
	close(fd);
}
END_TEST

START_TEST(udp_sockets_have_a_limit)
{
	struct addr a, b, c;
	int fa = open_server(SOCK_DGRAM, "127.0.0.1", &a);
	int fb = open_server(SOCK_DGRAM, "127.0.0.1", &b);
	int fc = open_server(SOCK_DGRAM, "127.0.0.1", &c);
	struct got g;

	config.max_sockets = 2;
	start();
	ask(1, &a);
	ask(2, &b);
	ck_assert_int_eq(try_ask(3, &c, false), OUTGOING_NO_RESOURCES);
	ck_assert_int_eq(try_ask(3, &c, true), OUTGOING_NO_RESOURCES);
	ask(4, &a); /* on the socket that is there */
	g = take(fb);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ask(3, &c); /* in the place of the one that is idle now */
	ck_assert_uint_eq(stats().udp_sockets, 2);
	ck_assert_uint_eq(stats().pending, 3);
	close(fa);
	close(fb);
	close(fc);
}
END_TEST

/* One socket of its own is all there is: the rest share. */
START_TEST(udp_questions_share_sockets)
{
	enum { SERVERS = 5, EACH = 3, ALL = SERVERS * EACH };
	struct addr at[SERVERS], busy;
	int first = open_server(SOCK_DGRAM, "127.0.0.1", &busy);
	bool ports[65536] = { false };
	struct got g[ALL];
	unsigned n_ports = 0;
	int fd[SERVERS];

	config.max_sockets = 1;
	config.max_shared = 8;
	start();
	ask(1000, &busy);
	for (int i = 0; i < SERVERS; i++) {
		fd[i] = open_server(SOCK_DGRAM, "127.0.0.1", &at[i]);
		for (int k = 0; k < EACH; k++) {
			ask(1 + (uint64_t)i * EACH + (uint64_t)k, &at[i]);
			g[i * EACH + k] = take(fd[i]);
		}
	}
	ck_assert_uint_eq(seen.n_shared, ALL);
	ck_assert_uint_eq(stats().udp_sockets, 1);
	ck_assert_uint_ge(stats().shared_sockets, 2);
	ck_assert_uint_le(stats().shared_sockets, config.max_shared);
	for (unsigned i = 0; i < ALL; i++) {
		n_ports += !ports[g[i].port];
		ports[g[i].port] = true;
	}
	ck_assert_uint_eq(n_ports, stats().shared_sockets);
	outgoing_cancel(out, 2);
	answer(&g[1]); /* nobody waits for it, but for others from that server on that socket, perhaps */
	for (unsigned i = ALL; i-- > 0;)
		if (i != 1)
			answer(&g[i]);
	wait_for(&seen.n_replies, ALL - 1);
	for (unsigned i = 0; i < ALL - 1; i++)
		ck_assert_uint_ne(seen.replies[i], 2);
	ck_assert_uint_eq(stats().pending, 1);
	outgoing_cancel(out, 1000);
	for (int i = 0; i < SERVERS; i++)
		close(fd[i]);
	close(first);
}
END_TEST

/* Another's address, or a wrong id. */
START_TEST(udp_shared_sockets_hear_no_strangers)
{
	struct addr busy, at, stranger;
	int first = open_server(SOCK_DGRAM, "127.0.0.1", &busy);
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	int other = open_server(SOCK_DGRAM, "127.0.0.1", &stranger);
	struct got g, forged;

	config.max_sockets = 1;
	config.max_shared = 2;
	start();
	ask(1, &busy);
	ask(2, &at);
	g = take(fd);
	forged = g;
	forged.fd = other;
	answer(&forged);
	wait_for(&seen.n_unexpected, 1);
	ck_assert_uint_eq(seen.n_near, 0);
	answer_wrong_id(&g);
	wait_for(&seen.n_near, 1);
	ck_assert_uint_eq(seen.near[0], 2);
	/* What follows leaves from another socket. */
	ask(3, &at);
	ck_assert_uint_ne(take(fd).port, g.port);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.replies[0], 2);
	outgoing_cancel(out, 1);
	outgoing_cancel(out, 3);
	close(first);
	close(fd);
	close(other);
}
END_TEST

/* The owner cancels, and asks anew, in his callback. */
static void ask_in_reply(uint64_t ticket)
{
	static struct addr at;

	if (seen.in_reply_server.family != 0)
		at = seen.in_reply_server;
	outgoing_cancel(out, ticket);
	ask(ticket, &at);
}

START_TEST(udp_shared_questions_in_callbacks)
{
	struct addr busy, at;
	int first = open_server(SOCK_DGRAM, "127.0.0.1", &busy);
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	struct got g;

	config.max_sockets = 1;
	config.max_shared = 1;
	start();
	ask(1, &busy);
	ask(2, &at);
	g = take(fd);
	seen.in_reply = ask_in_reply;
	seen.in_reply_server = at;
	answer(&g);
	wait_for(&seen.n_replies, 1);
	g = take(fd); /* it was asked again, and that question is not over */
	ck_assert_uint_eq(stats().pending, 2);
	seen.in_reply = NULL;
	answer(&g);
	wait_for(&seen.n_replies, 2);
	ck_assert_uint_eq(stats().pending, 1);
	outgoing_cancel(out, 1);
	close(first);
	close(fd);
}
END_TEST

START_TEST(udp_idle_socket_gives_its_port)
{
	struct addr a, b, port;
	int fa = open_server(SOCK_DGRAM, "127.0.0.1", &a);
	int fb = open_server(SOCK_DGRAM, "127.0.0.1", &b);
	struct got g;

	close(open_server(SOCK_DGRAM, "127.0.0.1", &port));
	config.port_min = config.port_max = port.port; /* all there is */
	start();
	ask(1, &a);
	ck_assert_int_eq(try_ask(2, &b, false), OUTGOING_NO_RESOURCES);
	g = take(fa);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ask(2, &b);
	g = take(fb);
	ck_assert_uint_eq(g.port, port.port);
	ck_assert_uint_eq(stats().udp_sockets, 1);
	close(fa);
	close(fb);
}
END_TEST

START_TEST(udp_ports_are_of_the_range)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	unsigned n = 0;

	config.port_min = 40000;
	config.port_max = 40009;
	for (uint16_t p = 40000; p < 40005; p++)
		config.avoid[config.n_avoid++] = p;
	start();
	for (uint64_t i = 0; i < 20; i++) {
		struct got g;

		/* Others on this machine may hold some; a socket of ours holds one at most. */
		ask(1 + i, &at);
		g = take(fd);
		ck_assert_uint_ge(g.port, 40005);
		ck_assert_uint_le(g.port, 40009);
		answer_wrong_id(&g);
		wait_for(&seen.n_near, ++n);
		outgoing_cancel(out, 1 + i);
	}
	close(fd);
}
END_TEST

START_TEST(range_without_ports_is_refused)
{
	struct outgoing *none = NULL;

	config.port_min = config.port_max = 40000;
	config.avoid[config.n_avoid++] = 40000;
	ck_assert_int_eq(outgoing_new(&none, turns.loop, &config, &handler), E_RANGE);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(local_address_is_used)
{
	struct addr at, from;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	struct got g;

	config.local4[0] = address("127.0.0.9");
	start();
	ask(1, &at);
	g = take(fd);
	ck_assert_int_eq(addr_from_sockaddr(&from, (struct sockaddr *)&g.from), E_OK);
	from.port = 0;
	ck_assert(addr_equal(&from, &config.local4[0]));
	close(fd);
}
END_TEST

START_TEST(udp_idle_socket_is_closed)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	struct got g;

	start();
	ask(1, &at);
	g = take(fd);
	answer(&g);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(stats().udp_sockets, 1);
	ck_assert(turns_until(&turns, is_quiet, NULL));
	close(fd);
}
END_TEST

static struct addr next_server;

static void ask_next(uint64_t ticket)
{
	if (ticket < 50)
		ck_assert_int_eq(try_ask(ticket + 1, &next_server, false), OUTGOING_OK);
	if (ticket == 20)
		outgoing_cancel(out, ticket); /* the one that is being answered */
}

START_TEST(udp_asking_from_the_callback)
{
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &next_server);

	start();
	seen.in_reply = ask_next;
	ask(1, &next_server);
	for (unsigned i = 1; i <= 50; i++) {
		struct got g = take(fd);

		answer(&g);
		wait_for(&seen.n_replies, i);
		ck_assert_uint_eq(seen.replies[i - 1], i);
	}
	ck_assert_uint_eq(stats().pending, 0);
	close(fd);
}
END_TEST

static void cancel_all(uint64_t ticket)
{
	(void)ticket;
	for (uint64_t i = 1; i <= 8; i++)
		outgoing_cancel(out, i);
}

START_TEST(udp_cancelling_all_from_the_callback)
{
	struct addr at;
	int fd = open_server(SOCK_DGRAM, "127.0.0.1", &at);
	struct got g[8];

	start();
	seen.in_reply = cancel_all;
	seen.refuse = true; /* retired and empty: the socket goes under our hands */
	for (uint64_t i = 1; i <= 8; i++)
		ask(i, &at);
	for (unsigned i = 0; i < 8; i++)
		g[i] = take(fd);
	for (unsigned i = 0; i < 8; i++)
		answer(&g[i]);
	ck_assert(turns_until(&turns, is_quiet, NULL));
	ck_assert_uint_eq(seen.n_replies, 1);
	ck_assert_uint_eq(stats().pending, 0);
	close(fd);
}
END_TEST

START_TEST(closing_with_questions_pending)
{
	struct addr udp, tcp;
	int fu = open_server(SOCK_DGRAM, "127.0.0.1", &udp);
	int ft = open_server(SOCK_STREAM, "127.0.0.1", &tcp);

	start();
	for (uint64_t i = 1; i <= 40; i++)
		ask(i, &udp);
	for (uint64_t i = 41; i <= 80; i++)
		ask_tcp(i, &tcp);
	turns_some(&turns);
	outgoing_close(out);
	out = NULL;
	ck_assert_uint_eq(seen.n_failed, 0);
	close(fu);
	close(ft);
}
END_TEST

/* ---- TCP ---- */

struct stream {
	int listener, fd;
	uint8_t buf[8192], *big;
	size_t len, want;
};

static bool has_stream(void *ctx)
{
	struct stream *s = ctx;

	s->fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
	return s->fd >= 0;
}

static struct stream accept_stream(int listener)
{
	struct stream s = { .listener = listener };

	ck_assert(turns_until(&turns, has_stream, &s));
	return s;
}

static bool has_bytes(void *ctx)
{
	struct stream *s = ctx;
	ssize_t n = recv(s->fd, s->buf + s->len, s->want - s->len, 0);

	if (n > 0)
		s->len += (size_t)n;
	return s->len == s->want;
}

static bool is_at_end(void *ctx)
{
	struct stream *s = ctx;
	ssize_t n = recv(s->fd, s->buf, sizeof(s->buf), 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Reads the next question, with its length before it. */
static void take_tcp(struct stream *s)
{
	s->len = 0;
	s->want = 2 + MESSAGE_LEN;
	ck_assert(turns_until(&turns, has_bytes, s));
	ck_assert_uint_eq(wire_get_u16(s->buf), MESSAGE_LEN);
	ck_assert_mem_eq(s->buf + 4, message() + 2, MESSAGE_LEN - 2);
}

static void put_tcp(const struct stream *s, const uint8_t *data, size_t len)
{
	ck_assert_int_eq(send(s->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

START_TEST(tcp_reply_in_pieces)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	start();
	ask_tcp(5, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	for (size_t i = 0; i < s.len; i++) {
		ck_assert_uint_eq(seen.n_replies, 0);
		put_tcp(&s, s.buf + i, 1);
		if (i % 8 < 2)
			turns_some(&turns);
	}
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.replies[0], 5);
	ck_assert_uint_eq(seen.reply_len, MESSAGE_LEN);
	ck_assert_mem_eq(seen.reply, s.buf + 2, MESSAGE_LEN);
	ck_assert_uint_eq(stats().tcp_idle, 1);
	close(s.fd);
	close(fd);
}
END_TEST

START_TEST(tcp_is_shown)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct addr at, peer;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	handler.seen = on_seen;
	start();
	ask_tcp(5, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	ck_assert_int_eq(getpeername(s.fd, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(addr_from_sockaddr(&peer, (struct sockaddr *)&sa), E_OK);
	put_tcp(&s, s.buf, s.len);
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(shown.n_questions, 1);
	ck_assert_uint_eq(shown.n_answers, 1);
	check_shown(&at, true, peer.port, 100, s.buf + 2);
	close(s.fd);
	close(fd);
}
END_TEST

START_TEST(tcp_pipeline_answered_in_any_order)
{
	uint8_t answers[3][2 + MESSAGE_LEN], all[3 * (2 + MESSAGE_LEN)];
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	start();
	for (uint64_t i = 0; i < 3; i++)
		ask_tcp(1 + i, &at);
	s = accept_stream(fd);
	for (unsigned i = 0; i < 3; i++) {
		take_tcp(&s);
		memcpy(answers[i], s.buf, s.len);
	}
	ck_assert_uint_eq(stats().tcp_connections, 1);
	for (unsigned i = 0; i < 3; i++)
		memcpy(all + i * s.len, answers[2 - i], s.len);
	put_tcp(&s, all, s.len + 10); /* one and a part; then the rest */
	wait_for(&seen.n_replies, 1);
	put_tcp(&s, all + s.len + 10, sizeof(all) - s.len - 10);
	wait_for(&seen.n_replies, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(seen.replies[i], 3 - i);
	close(s.fd);
	close(fd);
}
END_TEST

START_TEST(tcp_longest_reply)
{
	static uint8_t longest[2 + 65535];
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;
	size_t sent = 0;

	start();
	ask_tcp(5, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	memset(longest, 'x', sizeof(longest));
	wire_put_u16(longest, 65535);
	memcpy(longest + 2, s.buf + 2, 2);
	while (sent < sizeof(longest)) {
		ssize_t n = send(s.fd, longest + sent, sizeof(longest) - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else
			turns_some(&turns);
	}
	wait_for(&seen.n_replies, 1);
	ck_assert_uint_eq(seen.reply_len, 65535);
	ck_assert_mem_eq(seen.reply, longest + 2, 65535);
	close(s.fd);
	close(fd);
}
END_TEST

static void ask_and_answer_tcp(uint64_t ticket, const struct addr *at, struct stream *s)
{
	unsigned n = seen.n_replies;

	ask_tcp(ticket, at);
	take_tcp(s);
	put_tcp(s, s->buf, s->len);
	wait_for(&seen.n_replies, n + 1);
}

START_TEST(tcp_connection_is_used_again)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	config.tcp_max_queries = 4;
	start();
	ask_tcp(1, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	put_tcp(&s, s.buf, s.len);
	wait_for(&seen.n_replies, 1);
	for (uint64_t i = 2; i <= 4; i++)
		ask_and_answer_tcp(i, &at, &s);
	/* That was tcp_max_queries. */
	ck_assert(turns_until(&turns, is_at_end, &s));
	ck_assert_uint_eq(stats().tcp_connections, 0);
	close(s.fd);
	close(fd);
}
END_TEST

START_TEST(tcp_idle_time_and_number_are_limited)
{
	struct addr a, b;
	int fa = open_server(SOCK_STREAM, "127.0.0.1", &a);
	int fb = open_server(SOCK_STREAM, "127.0.0.1", &b);
	struct stream sa, sb;

	config.tcp_idle_ms = 50;
	config.tcp_max_idle = 1;
	start();
	ask_tcp(1, &a);
	ask_tcp(2, &b);
	sa = accept_stream(fa);
	sb = accept_stream(fb);
	take_tcp(&sa);
	take_tcp(&sb);
	put_tcp(&sa, sa.buf, sa.len);
	wait_for(&seen.n_replies, 1);
	put_tcp(&sb, sb.buf, sb.len);
	wait_for(&seen.n_replies, 2);
	ck_assert_uint_le(stats().tcp_idle, 1);
	ck_assert(turns_until(&turns, is_at_end, &sa));
	ck_assert(turns_until(&turns, is_at_end, &sb));
	ck_assert_uint_eq(stats().tcp_connections, 0);
	ck_assert_uint_eq(stats().most_tcp_idle, 1);
	ck_assert_uint_eq(stats().most_tcp_idle_server, 1);
	ck_assert_uint_eq(stats().most_tcp_asked, 1);
	close(sa.fd);
	close(sb.fd);
	close(fa);
	close(fb);
}
END_TEST

START_TEST(tcp_closed_without_answer)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	start();
	ask_tcp(1, &at);
	ask_tcp(2, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	take_tcp(&s);
	close(s.fd);
	wait_for(&seen.n_failed, 2);
	ck_assert_int_eq(seen.why[0], OUTGOING_FAIL_CLOSED);
	ck_assert_uint_eq(stats().tcp_connections, 0);
	close(fd);
}
END_TEST

/* The server gives up the idle connection just as it is used again. */
START_TEST(tcp_closed_when_used_again_is_asked_anew)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s, again;

	start();
	ask_tcp(1, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	put_tcp(&s, s.buf, s.len);
	wait_for(&seen.n_replies, 1);
	ask_tcp(2, &at);
	close(s.fd);
	again = accept_stream(fd);
	take_tcp(&again);
	put_tcp(&again, again.buf, again.len);
	wait_for(&seen.n_replies, 2);
	ck_assert_uint_eq(seen.replies[1], 2);
	ck_assert_uint_eq(seen.n_failed, 0);

	/* Not for ever: the second connection is closed on it too. */
	ask_tcp(3, &at);
	close(again.fd);
	s = accept_stream(fd);
	take_tcp(&s);
	close(s.fd);
	wait_for(&seen.n_failed, 1);
	ck_assert_uint_eq(seen.failed[0], 3);
	close(fd);
}
END_TEST

START_TEST(tcp_nobody_there_is_refused)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);

	start();
	close(fd);
	ask_tcp(1, &at);
	wait_for(&seen.n_failed, 1);
	ck_assert_int_eq(seen.why[0], OUTGOING_FAIL_REFUSED);
	ck_assert_uint_eq(stats().tcp_connections, 0);
}
END_TEST

START_TEST(tcp_connecting_takes_too_long)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&at, &sa);
	int full[3];

	/* A listener whose queue is full answers no SYN. */
	ck_assert_int_eq(listen(fd, 0), 0);
	for (unsigned i = 0; i < ARRAY_LEN(full); i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(full[i], (struct sockaddr *)&sa, len);
	}
	config.tcp_connect_ms = 20;
	start();
	ask_tcp(1, &at);
	wait_for(&seen.n_failed, 1);
	ck_assert_int_eq(seen.why[0], OUTGOING_FAIL_UNREACHABLE);
	for (unsigned i = 0; i < ARRAY_LEN(full); i++)
		close(full[i]);
	close(fd);
}
END_TEST

START_TEST(tcp_nonsense_closes)
{
	static const uint8_t nonsense[] = { 0, 3, 1, 2, 3 };
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	start();
	ask_tcp(1, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	put_tcp(&s, nonsense, sizeof(nonsense));
	wait_for(&seen.n_failed, 1);
	ck_assert_int_eq(seen.why[0], OUTGOING_FAIL_CLOSED);
	close(s.fd);
	close(fd);
}
END_TEST

START_TEST(tcp_unknown_id_is_unexpected)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	start();
	ask_tcp(1, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	s.buf[2] ^= 1;
	put_tcp(&s, s.buf, s.len);
	wait_for(&seen.n_unexpected, 1);
	ck_assert_uint_eq(seen.n_near, 0);
	s.buf[2] ^= 1;
	put_tcp(&s, s.buf, s.len);
	wait_for(&seen.n_replies, 1);
	ck_assert(turns_until(&turns, is_at_end, &s)); /* it is not kept */
	close(s.fd);
	close(fd);
}
END_TEST

START_TEST(tcp_cancelled_question_ends_the_connection)
{
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at);
	struct stream s;

	start();
	ask_tcp(1, &at);
	s = accept_stream(fd);
	take_tcp(&s);
	outgoing_cancel(out, 1);
	ck_assert(turns_until(&turns, is_at_end, &s));
	ck_assert_uint_eq(stats().tcp_connections, 0);
	close(s.fd);
	close(fd);
}
END_TEST

static bool has_message(void *ctx)
{
	struct stream *s = ctx;
	ssize_t n;

	while (s->len < s->want) {
		n = recv(s->fd, s->big + s->len, s->want - s->len, 0);
		if (n <= 0)
			return false;
		s->len += (size_t)n;
	}
	return true;
}

/* All but the last are cancelled, one of them when a part of it is written: the rest of that must
 * follow, or the last could not be read. */
START_TEST(tcp_cancelled_in_the_middle_keeps_the_framing)
{
	enum { N = 32, LEN = 65535 };
	static uint8_t big[LEN], got[2 + LEN];
	struct addr at;
	int fd = open_server(SOCK_STREAM, "127.0.0.1", &at), small = 4096, mss = 536;
	struct stream s;
	unsigned n = 0;

	/* So that the kernel has room for a few of them only. */
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)), 0);
	start();
	for (unsigned i = 1; i <= N; i++) {
		memset(big, (int)i, sizeof(big));
		ck_assert_int_eq(outgoing_send(out, i, &at, true, big, sizeof(big)), OUTGOING_OK);
	}
	s = accept_stream(fd);
	s.big = got;
	turns_some(&turns);
	for (unsigned i = 1; i < N; i++)
		outgoing_cancel(out, i);
	do {
		s.len = 0;
		s.want = sizeof(got);
		ck_assert(turns_until(&turns, has_message, &s));
		ck_assert_uint_eq(wire_get_u16(got), LEN);
		memset(big, got[4], sizeof(big));
		ck_assert_mem_eq(got + 4, big, sizeof(big) - 2);
		n++;
	} while (got[4] != N);
	ck_assert_uint_lt(n, N); /* or all had been written at once */
	close(s.fd);
	close(fd);
}
END_TEST

Suite *suite_outgoing(void);
Suite *suite_outgoing(void)
{
	Suite *s = suite_create("outgoing");
	TCase *udp = tcase_create("udp"), *tcp = tcase_create("tcp");

	tcase_add_checked_fixture(udp, set_up, tear_down);
	tcase_set_timeout(udp, 60);
	tcase_add_test(udp, udp_reply_comes_to_its_ticket);
	tcase_add_test(udp, udp_is_shown);
	tcase_add_test(udp, udp_reply_over_ipv6);
	tcase_add_test(udp, udp_many_replies_in_any_order);
	tcase_add_test(udp, udp_socket_has_a_number_of_questions);
	tcase_add_test(udp, udp_socket_has_an_age);
	tcase_add_test(udp, udp_servers_do_not_share_a_socket);
	tcase_add_test(udp, udp_ids_and_ports_vary);
	tcase_add_test(udp, udp_wrong_id_is_a_near_miss_for_all);
	tcase_add_test(udp, udp_short_packet_is_a_near_miss);
	tcase_add_test(udp, udp_stranger_is_not_heard);
	tcase_add_test(udp, udp_wrong_question_leaves_the_ticket);
	tcase_add_test(udp, udp_late_answer_is_unexpected);
	tcase_add_test(udp, udp_nobody_there_is_refused);
	tcase_add_test(udp, udp_refusal_found_by_sending);
	tcase_add_test(udp, udp_family_not_configured);
	tcase_add_test(udp, mapped_address_is_not_asked);
	tcase_add_test(udp, udp_sockets_have_a_limit);
	tcase_add_test(udp, udp_questions_share_sockets);
	tcase_add_test(udp, udp_shared_sockets_hear_no_strangers);
	tcase_add_test(udp, udp_shared_questions_in_callbacks);
	tcase_add_test(udp, udp_idle_socket_gives_its_port);
	tcase_add_test(udp, udp_ports_are_of_the_range);
	tcase_add_test(udp, range_without_ports_is_refused);
	tcase_add_test(udp, local_address_is_used);
	tcase_add_test(udp, udp_idle_socket_is_closed);
	tcase_add_test(udp, udp_asking_from_the_callback);
	tcase_add_test(udp, udp_cancelling_all_from_the_callback);
	tcase_add_test(udp, closing_with_questions_pending);
	suite_add_tcase(s, udp);

	tcase_add_checked_fixture(tcp, set_up, tear_down);
	tcase_set_timeout(tcp, 60);
	tcase_add_test(tcp, tcp_reply_in_pieces);
	tcase_add_test(tcp, tcp_is_shown);
	tcase_add_test(tcp, tcp_pipeline_answered_in_any_order);
	tcase_add_test(tcp, tcp_longest_reply);
	tcase_add_test(tcp, tcp_connection_is_used_again);
	tcase_add_test(tcp, tcp_idle_time_and_number_are_limited);
	tcase_add_test(tcp, tcp_closed_without_answer);
	tcase_add_test(tcp, tcp_closed_when_used_again_is_asked_anew);
	tcase_add_test(tcp, tcp_nobody_there_is_refused);
	tcase_add_test(tcp, tcp_connecting_takes_too_long);
	tcase_add_test(tcp, tcp_nonsense_closes);
	tcase_add_test(tcp, tcp_unknown_id_is_unexpected);
	tcase_add_test(tcp, tcp_cancelled_question_ends_the_connection);
	tcase_add_test(tcp, tcp_cancelled_in_the_middle_keeps_the_framing);
	suite_add_tcase(s, tcp);
	return s;
}
