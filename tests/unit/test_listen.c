#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/wire.h"
#include "recursor/net/listen.h"
#include "tests/unit/turns.h"

/* Clients are plain sockets of the test; the owner of the listener echoes, or keeps what it is
 * asked until the test has it answer. */
enum { KEPT_MAX = 300, QUERY_LEN = 40 };

struct kept {
	struct client from;
	uint8_t wire[512];
	size_t len;
};

static struct turns turns;
static struct listener *listener;
static struct listen_limits limits;
static struct counters counters;
static struct kept kept[KEPT_MAX];
static unsigned n_kept;
static uint16_t port;

static enum {
	ECHO,        /* answers at once with what it was asked */
	ECHO_BUFFER, /* the same, built in the batch's own place */
	KEEP,
	CLOSE,
} behaviour;
static bool accepts;

static enum listen_verdict on_query(void *ctx, const struct client *from, uint8_t *wire, size_t len)
{
	uint8_t *place;

	(void)ctx;
	ck_assert_uint_lt(n_kept, KEPT_MAX);
	kept[n_kept].from = *from;
	kept[n_kept].len = len;
	memcpy(kept[n_kept].wire, wire, len < sizeof(kept[0].wire) ? len : sizeof(kept[0].wire));
	n_kept++;
	switch (behaviour) {
	case ECHO:
		listen_reply(listener, from, wire, len);
		break;
	case ECHO_BUFFER:
		place = listen_reply_buffer(listener, from, len);
		ck_assert_int_eq(place == NULL, from->tcp);
		if (place != NULL) {
			memcpy(place, wire, len);
			wire = place;
		}
		listen_reply(listener, from, wire, len);
		break;
	case KEEP:
		break;
	case CLOSE:
		return LISTEN_CLOSE;
	}
	return LISTEN_TAKEN;
}

static bool on_accept(void *ctx, const struct addr *remote)
{
	(void)ctx;
	(void)remote;
	return accepts;
}

static void reply_kept(unsigned i)
{
	listen_reply(listener, &kept[i].from, kept[i].wire, kept[i].len);
}

static struct addr address(const char *ip)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, ip, port), E_OK);
	return a;
}

static void set_up(void)
{
	hash_key_set(1, 2);
	turns_init(&turns);
	memset(&counters, 0, sizeof(counters));
	limits = (struct listen_limits) {
		.tcp_clients = 16,
		.tcp_queries_at_once = 10,
		.tcp_idle_ms = 10000,
		.udp_batches = 4,
	};
	behaviour = ECHO;
	accepts = true;
	listener = NULL;
	n_kept = 0;
}

static const struct listen_handler handler = { .query = on_query, .accept = on_accept };

/* One address after the other, to a port that is free for all. */
static void bind_free_port(const char *ip, const char *more)
{
	char why[256] = "";
	int err = E_SYSTEM;

	for (int i = 0; err != E_OK && i < 100; i++) {
		struct addr a, b;

		listener_close(listener);
		port = (uint16_t)(20000 + (getpid() * 7 + i * 131) % 10000);
		a = address(ip);
		ck_assert_int_eq(listener_new(&listener, &limits, &counters), E_OK);
		err = listener_bind(listener, &a, false, false, why, sizeof(why));
		if (err == E_OK && more != NULL) {
			b = address(more);
			err = listener_bind(listener, &b, false, false, why, sizeof(why));
		}
	}
	ck_assert_msg(err == E_OK, "%s", why);
}

static void start(const char *ip, const char *more)
{
	bind_free_port(ip, more);
	ck_assert_int_eq(listener_start(listener, turns.loop, &handler), E_OK);
}

static void tear_down(void)
{
	listener_close(listener);
	turns_deinit(&turns);
	ck_assert_uint_eq(check_surprises(), 0);
}

/* ---- clients ---- */

struct talk {
	int fd;
	uint8_t buf[2 * (2 + 65535)];
	size_t len, want;
	struct addr from; /* of the last packet */
};

static struct talk talk, others[20]; /* large: not for the stack */

static void open_client(struct talk *t, int type, const char *ip)
{
	struct sockaddr_storage sa;
	struct addr a = address(ip);
	socklen_t len = addr_to_sockaddr(&a, &sa);

	t->fd = socket(sa.ss_family, type, 0);
	ck_assert_int_ge(t->fd, 0);
	/* A UDP client that is not connected hears from whoever answers. */
	if (type == SOCK_STREAM)
		ck_assert_int_eq(connect(t->fd, (struct sockaddr *)&sa, len), 0);
}

static const uint8_t *query(unsigned number)
{
	static uint8_t wire[QUERY_LEN];

	for (unsigned i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)(number + i);
	return wire;
}

static void send_udp(const struct talk *t, const char *ip, const uint8_t *wire, size_t len)
{
	struct sockaddr_storage sa;
	struct addr a = address(ip);
	socklen_t sa_len = addr_to_sockaddr(&a, &sa);

	ck_assert_int_eq(sendto(t->fd, wire, len, 0, (struct sockaddr *)&sa, sa_len), (ssize_t)len);
}

static bool has_packet(void *ctx)
{
	struct talk *t = ctx;
	struct sockaddr_storage sa;
	socklen_t sa_len = sizeof(sa);
	ssize_t n = recvfrom(t->fd, t->buf, sizeof(t->buf), MSG_DONTWAIT, (struct sockaddr *)&sa,
			     &sa_len);

	if (n < 0)
		return false;
	t->len = (size_t)n;
	ck_assert_int_eq(addr_from_sockaddr(&t->from, (struct sockaddr *)&sa), E_OK);
	return true;
}

static void take_udp(struct talk *t, const char *from, const uint8_t *wire, size_t len)
{
	struct addr a = address(from);

	ck_assert(turns_until(&turns, has_packet, t));
	ck_assert(addr_equal(&t->from, &a));
	ck_assert_uint_eq(t->len, len);
	ck_assert_mem_eq(t->buf, wire, len);
}

static void send_tcp(const struct talk *t, const void *data, size_t len)
{
	ck_assert_int_eq(send(t->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void send_query(const struct talk *t, unsigned number)
{
	uint8_t wire[2 + QUERY_LEN];

	wire_put_u16(wire, QUERY_LEN);
	memcpy(wire + 2, query(number), QUERY_LEN);
	send_tcp(t, wire, sizeof(wire));
}

static bool has_bytes(void *ctx)
{
	struct talk *t = ctx;
	ssize_t n;

	while (t->len < t->want) {
		n = recv(t->fd, t->buf + t->len, t->want - t->len, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		t->len += (size_t)n;
	}
	return true;
}

static void take_bytes(struct talk *t, size_t n)
{
	t->len = 0;
	t->want = n;
	ck_assert(turns_until(&turns, has_bytes, t));
}

static void take_answer(struct talk *t, unsigned number)
{
	take_bytes(t, 2 + QUERY_LEN);
	ck_assert_uint_eq(wire_get_u16(t->buf), QUERY_LEN);
	ck_assert_mem_eq(t->buf + 2, query(number), QUERY_LEN);
}

static bool is_at_end(void *ctx)
{
	struct talk *t = ctx;
	ssize_t n = recv(t->fd, t->buf, sizeof(t->buf), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void expect_end(struct talk *t)
{
	ck_assert(turns_until(&turns, is_at_end, t));
}

static bool has_kept(void *ctx)
{
	return n_kept >= *(unsigned *)ctx;
}

static void wait_for_kept(unsigned n)
{
	ck_assert(turns_until(&turns, has_kept, &n));
	ck_assert_uint_eq(n_kept, n);
}

static bool has_clients(void *ctx)
{
	return listener_tcp_clients(listener) == *(size_t *)ctx;
}

static void wait_for_clients(size_t n)
{
	ck_assert(turns_until(&turns, has_clients, &n));
}

/* ---- binding ---- */

START_TEST(bind_tells_what_is_wrong)
{
	struct listener *second = NULL;
	char why[256], text[ADDR_TEXT_MAX];
	struct addr a;

	start("127.0.0.1", NULL);
	a = address("127.0.0.1");
	ck_assert_int_eq(listener_new(&second, &limits, &counters), E_OK);
	ck_assert_int_eq(listener_bind(second, &a, false, false, why, sizeof(why)), E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why, addr_text(text, &a)));
	ck_assert_ptr_nonnull(strstr(why, strerror(EADDRINUSE)));
	listener_close(second);
}
END_TEST

START_TEST(bind_shares_a_port_where_told)
{
	struct listener *a = NULL, *b = NULL;
	struct addr at;
	char why[256];
	int err = E_SYSTEM;

	for (int i = 0; err != E_OK && i < 100; i++) {
		listener_close(a);
		port = (uint16_t)(30000 + (getpid() * 7 + i * 131) % 2000);
		at = address("127.0.0.1");
		ck_assert_int_eq(listener_new(&a, &limits, &counters), E_OK);
		err = listener_bind(a, &at, true, false, why, sizeof(why));
	}
	ck_assert_int_eq(err, E_OK);
	ck_assert_int_eq(listener_new(&b, &limits, &counters), E_OK);
	ck_assert_int_eq(listener_bind(b, &at, true, false, why, sizeof(why)), E_OK);
	listener_close(a);
	listener_close(b);
}
END_TEST

START_TEST(probe_finds_who_would_share)
{
	char why[256] = "", text[ADDR_TEXT_MAX];
	int udp, tcp, yes = 1;
	struct sockaddr_storage sa;
	struct addr at;
	socklen_t len;

	start("127.0.0.1", NULL);
	listener_close(listener); /* a port that is free */
	listener = NULL;
	at = address("127.0.0.1");
	len = addr_to_sockaddr(&at, &sa);
	ck_assert_int_eq(listener_probe(&at, false, why, sizeof(why)), E_OK);

	udp = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(setsockopt(udp, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(bind(udp, (struct sockaddr *)&sa, len), 0);
	ck_assert_int_eq(listener_probe(&at, false, why, sizeof(why)), E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why, addr_text(text, &at)));
	ck_assert_ptr_nonnull(strstr(why, strerror(EADDRINUSE)));
	close(udp);

	tcp = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(setsockopt(tcp, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(bind(tcp, (struct sockaddr *)&sa, len), 0);
	ck_assert_int_eq(listen(tcp, 1), 0);
	ck_assert_int_eq(listener_probe(&at, false, why, sizeof(why)), E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why, "(TCP)"));
	close(tcp);
	ck_assert_int_eq(listener_probe(&at, false, why, sizeof(why)), E_OK);
}
END_TEST

/* Connections that our last life closed first do not keep us from the port. */
START_TEST(probe_is_not_stopped_by_time_wait)
{
	struct addr at;
	char why[256] = "";

	behaviour = CLOSE;
	start("127.0.0.1", NULL);
	at = address("127.0.0.1");
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 1);
	expect_end(&talk);
	listener_close(listener);
	listener = NULL;
	close(talk.fd);
	ck_assert_msg(listener_probe(&at, false, why, sizeof(why)) == E_OK, "%s", why);
}
END_TEST

START_TEST(bind_to_an_address_that_is_not_here)
{
	struct addr at;
	char why[256];

	port = (uint16_t)(33000 + getpid() % 2000);
	at = address("192.0.2.77");
	ck_assert_int_eq(listener_new(&listener, &limits, &counters), E_OK);
	ck_assert_int_eq(listener_bind(listener, &at, false, false, why, sizeof(why)), E_SYSTEM);
	ck_assert_int_eq(listener_bind(listener, &at, false, true, why, sizeof(why)), E_OK);
}
END_TEST

/* ---- UDP ---- */

START_TEST(udp_answers)
{
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	send_udp(&talk, "127.0.0.1", query(1), QUERY_LEN);
	take_udp(&talk, "127.0.0.1", query(1), QUERY_LEN);
	ck_assert(!kept[0].from.tcp);
	ck_assert_uint_eq(kept[0].from.remote.family, 4);
	ck_assert_uint_eq(kept[0].from.local.port, port);
	close(talk.fd);
}
END_TEST

START_TEST(udp_answers_over_ipv6)
{
	start("::1", NULL);
	open_client(&talk, SOCK_DGRAM, "::1");
	send_udp(&talk, "::1", query(1), QUERY_LEN);
	take_udp(&talk, "::1", query(1), QUERY_LEN);
	ck_assert_uint_eq(kept[0].from.remote.family, 6);
	close(talk.fd);
}
END_TEST

START_TEST(udp_answers_from_the_address_asked)
{
	struct addr asked;

	start("0.0.0.0", "::");
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	for (unsigned i = 1; i < 5; i++) {
		char ip[ADDR_TEXT_MAX];

		(void)snprintf(ip, sizeof(ip), "127.0.0.%u", i);
		send_udp(&talk, ip, query(i), QUERY_LEN);
		take_udp(&talk, ip, query(i), QUERY_LEN);
		asked = address(ip);
		ck_assert(addr_equal(&kept[i - 1].from.local, &asked));
	}
	close(talk.fd);
	open_client(&talk, SOCK_DGRAM, "::1");
	send_udp(&talk, "::1", query(9), QUERY_LEN);
	take_udp(&talk, "::1", query(9), QUERY_LEN);
	asked = address("::1");
	ck_assert(addr_equal(&kept[4].from.local, &asked));
	close(talk.fd);
}
END_TEST

/* More than a batch, over two sockets. */
static void exchange_many(void)
{
	enum { MANY = 200 };
	bool got[MANY] = { false };

	start("127.0.0.1", "127.0.0.2");
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	for (unsigned i = 0; i < MANY; i++)
		send_udp(&talk, i % 3 == 0 ? "127.0.0.1" : "127.0.0.2", query(i), QUERY_LEN);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert(turns_until(&turns, has_packet, &talk));
		ck_assert(!got[talk.buf[0]]);
		got[talk.buf[0]] = true;
		ck_assert_uint_eq(talk.from.ip[3], talk.buf[0] % 3 == 0 ? 1 : 2);
	}
	ck_assert_uint_eq(counter_get(&counters.send_errors), 0);
	close(talk.fd);
}

START_TEST(udp_many)
{
	exchange_many();
}
END_TEST

START_TEST(udp_many_built_in_place)
{
	behaviour = ECHO_BUFFER;
	exchange_many();
}
END_TEST

START_TEST(udp_answers_later)
{
	behaviour = KEEP;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	for (unsigned i = 0; i < 3; i++)
		send_udp(&talk, "127.0.0.1", query(i), QUERY_LEN);
	wait_for_kept(3);
	for (unsigned i = 3; i-- > 0;)
		reply_kept(i);
	for (unsigned i = 3; i-- > 0;)
		take_udp(&talk, "127.0.0.1", query(i), QUERY_LEN);
	close(talk.fd);
}
END_TEST

/* One batch of answers, of two sockets by turns. */
START_TEST(udp_answers_of_two_addresses_at_once)
{
	static const char *const ip[] = { "127.0.0.1", "127.0.0.2" };

	behaviour = KEEP;
	start(ip[0], ip[1]);
	for (unsigned i = 0; i < 6; i++) {
		open_client(&others[i], SOCK_DGRAM, ip[0]);
		send_udp(&others[i], ip[i % 2], query(i), QUERY_LEN);
		wait_for_kept(i + 1);
	}
	for (unsigned i = 0; i < 6; i++)
		reply_kept(i);
	for (unsigned i = 0; i < 6; i++) {
		take_udp(&others[i], ip[i % 2], query(i), QUERY_LEN);
		close(others[i].fd);
	}
}
END_TEST

START_TEST(udp_too_long_is_counted)
{
	static uint8_t big[8192];

	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	send_udp(&talk, "127.0.0.1", big, sizeof(big));
	send_udp(&talk, "127.0.0.1", query(1), QUERY_LEN);
	take_udp(&talk, "127.0.0.1", query(1), QUERY_LEN);
	ck_assert_uint_eq(n_kept, 1);
	ck_assert_uint_eq(counter_get(&counters.truncated_drops), 1);
	ck_assert_uint_eq(counter_get(&counters.dropped_queries), 1);
	close(talk.fd);
}
END_TEST

/* An answer that the kernel refuses takes no other with it. */
START_TEST(udp_refused_answer_is_lost_alone)
{
	behaviour = KEEP;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	for (unsigned i = 0; i < 3; i++)
		send_udp(&talk, "127.0.0.1", query(i), QUERY_LEN);
	wait_for_kept(3);
	kept[1].from.remote.ip[0] = 255; /* 255.0.0.1: no address */
	for (unsigned i = 0; i < 3; i++)
		reply_kept(i);
	take_udp(&talk, "127.0.0.1", query(0), QUERY_LEN);
	take_udp(&talk, "127.0.0.1", query(2), QUERY_LEN);
	ck_assert_uint_eq(counter_get(&counters.send_errors), 1);
	close(talk.fd);
}
END_TEST

/* The listener's own socket. */
static int socket_of(int wanted)
{
	struct sockaddr_storage sa;
	struct addr a;

	for (int fd = 0; fd < 1024; fd++) {
		socklen_t len = sizeof(sa), type_len = sizeof(int);
		int type = 0;

		if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
		    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
		    addr_from_sockaddr(&a, (struct sockaddr *)&sa) == E_OK && a.port == port &&
		    type == wanted)
			return fd;
	}
	ck_abort_msg("no socket of the listener");
	return -1;
}

/* One of its descriptors cannot be watched: for want of memory, or the user's watches are used up. */
START_TEST(start_that_fails_is_stopped)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	for (unsigned i = 0; i < 2; i++) {
		int unwatchable = open("/dev/null", O_RDONLY);

		ck_assert_int_ge(unwatchable, 0);
		bind_free_port("127.0.0.1", NULL);
		ck_assert_int_ge(dup2(unwatchable, socket_of(types[i])), 0);
		ck_assert_int_eq(listener_start(listener, turns.loop, &handler), E_SYSTEM);
		listener_stop(listener);
		turns_some(&turns);
		listener_close(listener);
		listener = NULL;
		ck_assert_int_eq(close(unwatchable), 0);
	}
}
END_TEST

START_TEST(stopped_listener_still_answers)
{
	behaviour = KEEP;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_DGRAM, "127.0.0.1");
	open_client(&others[0], SOCK_STREAM, "127.0.0.1");
	open_client(&others[1], SOCK_STREAM, "127.0.0.1");
	send_udp(&talk, "127.0.0.1", query(0), QUERY_LEN);
	wait_for_kept(1);
	send_query(&others[0], 1);
	wait_for_kept(2);
	wait_for_clients(2);
	listener_stop(listener);
	send_udp(&talk, "127.0.0.1", query(2), QUERY_LEN);
	expect_end(&others[1]);
	turns_some(&turns);
	ck_assert_uint_eq(n_kept, 2);
	reply_kept(0);
	reply_kept(1);
	take_udp(&talk, "127.0.0.1", query(0), QUERY_LEN);
	take_answer(&others[0], 1);
	expect_end(&others[0]);
	close(talk.fd);
	close(others[0].fd);
	close(others[1].fd);
	wait_for_clients(0);
}
END_TEST

/* ---- TCP ---- */

START_TEST(tcp_answers)
{
	struct addr asked;

	start("0.0.0.0", "::1");
	open_client(&talk, SOCK_STREAM, "127.0.0.3");
	send_query(&talk, 1);
	take_answer(&talk, 1);
	asked = address("127.0.0.3");
	ck_assert(kept[0].from.tcp);
	ck_assert(addr_equal(&kept[0].from.local, &asked));
	close(talk.fd);
	open_client(&talk, SOCK_STREAM, "::1");
	send_query(&talk, 2);
	take_answer(&talk, 2);
	close(talk.fd);
	wait_for_clients(0);
}
END_TEST

START_TEST(tcp_query_in_pieces)
{
	uint8_t wire[3 * (2 + QUERY_LEN)];
	size_t cut[] = { 1, 2, 30, 2 + QUERY_LEN + 1, sizeof(wire) - 1, sizeof(wire) }, at = 0;

	for (unsigned i = 0; i < 3; i++) {
		wire_put_u16(wire + i * (2 + QUERY_LEN), QUERY_LEN);
		memcpy(wire + i * (2 + QUERY_LEN) + 2, query(i), QUERY_LEN);
	}
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (unsigned i = 0; i < ARRAY_LEN(cut); i++) {
		send_tcp(&talk, wire + at, cut[i] - at);
		at = cut[i];
		turns_some(&turns);
	}
	for (unsigned i = 0; i < 3; i++)
		take_answer(&talk, i);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_answers_in_any_order)
{
	behaviour = KEEP;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (unsigned i = 0; i < 5; i++)
		send_query(&talk, i);
	wait_for_kept(5);
	for (unsigned i = 5; i-- > 0;)
		reply_kept(i);
	for (unsigned i = 5; i-- > 0;)
		take_answer(&talk, i);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_queries_at_once_are_limited)
{
	behaviour = KEEP;
	limits.tcp_queries_at_once = 2;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (unsigned i = 0; i < 6; i++)
		send_query(&talk, i);
	wait_for_kept(2);
	turns_some(&turns);
	ck_assert_uint_eq(n_kept, 2);
	reply_kept(1);
	wait_for_kept(3);
	listen_drop(listener, &kept[0].from);
	wait_for_kept(4);
	behaviour = ECHO;
	reply_kept(2);
	wait_for_kept(6);
	take_answer(&talk, 1);
	take_answer(&talk, 2);
	take_answer(&talk, 4);
	take_answer(&talk, 5);
	reply_kept(3);
	take_answer(&talk, 3);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_half_closed_client_gets_its_answers)
{
	behaviour = KEEP;
	limits.tcp_queries_at_once = 2;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (unsigned i = 0; i < 4; i++)
		send_query(&talk, i);
	ck_assert_int_eq(shutdown(talk.fd, SHUT_WR), 0);
	wait_for_kept(2);
	reply_kept(0);
	reply_kept(1);
	wait_for_kept(4);
	reply_kept(2);
	turns_some(&turns);
	reply_kept(3);
	for (unsigned i = 0; i < 4; i++)
		take_answer(&talk, i);
	expect_end(&talk);
	ck_assert_uint_eq(listener_tcp_clients(listener), 0);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_empty_message_closes)
{
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_tcp(&talk, "\0\0", 2);
	expect_end(&talk);
	ck_assert_uint_eq(n_kept, 0);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_verdict_closes)
{
	behaviour = CLOSE;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 1);
	send_query(&talk, 2);
	expect_end(&talk);
	ck_assert_uint_eq(n_kept, 1);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_client_is_not_admitted)
{
	start("127.0.0.1", NULL);
	accepts = false;
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	expect_end(&talk);
	ck_assert_uint_eq(counter_get(&counters.unauthorized_tcp), 1);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_clients_are_limited)
{
	limits.tcp_clients = 3;
	start("127.0.0.1", NULL);
	for (unsigned i = 0; i < 3; i++)
		open_client(&others[i], SOCK_STREAM, "127.0.0.1");
	wait_for_clients(3);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	expect_end(&talk);
	close(talk.fd);
	ck_assert_uint_eq(counter_get(&counters.tcp_overflow), 1);
	close(others[1].fd);
	wait_for_clients(2);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 7);
	take_answer(&talk, 7);
	close(talk.fd);
	close(others[0].fd);
	close(others[2].fd);
}
END_TEST

START_TEST(tcp_clients_of_an_address_are_limited)
{
	limits.tcp_per_client = 2;
	start("0.0.0.0", "::1");
	for (unsigned i = 0; i < 2; i++)
		open_client(&others[i], SOCK_STREAM, "127.0.0.1");
	wait_for_clients(2);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	expect_end(&talk);
	close(talk.fd);
	ck_assert_uint_eq(counter_get(&counters.tcp_client_overflow), 1);
	open_client(&others[2], SOCK_STREAM, "::1"); /* another address */
	send_query(&others[2], 5);
	take_answer(&others[2], 5);
	close(others[0].fd);
	wait_for_clients(2);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 6);
	take_answer(&talk, 6);
	close(talk.fd);
	close(others[1].fd);
	close(others[2].fd);
}
END_TEST

static void open_from(struct talk *t, const char *from, const char *to)
{
	struct sockaddr_storage sa;
	struct addr a = address(from);
	socklen_t len;

	a.port = 0;
	len = addr_to_sockaddr(&a, &sa);
	t->fd = socket(sa.ss_family, SOCK_STREAM, 0);
	ck_assert_int_ge(t->fd, 0);
	ck_assert_int_eq(bind(t->fd, (struct sockaddr *)&sa, len), 0);
	a = address(to);
	len = addr_to_sockaddr(&a, &sa);
	ck_assert_int_eq(connect(t->fd, (struct sockaddr *)&sa, len), 0);
}

/* Two listeners as two threads have them, at ports of their own so that the kernel does not
 * choose between them; clients after the first come to the second. */
START_TEST(tcp_limits_hold_over_listeners_that_share_a_tally)
{
	struct listener *first;

	ck_assert_int_eq(tally_new(&limits.tally, 3, 2), E_OK);
	start("0.0.0.0", NULL);
	first = listener;
	open_client(&others[0], SOCK_STREAM, "127.0.0.1");
	wait_for_clients(1);
	listener = NULL;
	start("0.0.0.0", NULL);
	open_client(&others[1], SOCK_STREAM, "127.0.0.1");
	wait_for_clients(1);

	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	expect_end(&talk);
	close(talk.fd);
	ck_assert_uint_eq(counter_get(&counters.tcp_client_overflow), 1);

	open_from(&others[2], "127.0.0.2", "127.0.0.1");
	wait_for_clients(2);
	open_from(&talk, "127.0.0.3", "127.0.0.1");
	expect_end(&talk);
	close(talk.fd);
	ck_assert_uint_eq(counter_get(&counters.tcp_overflow), 1);

	/* What the other listener lets go of may be had here. */
	listener_close(first);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 6);
	take_answer(&talk, 6);
	close(talk.fd);
	for (unsigned i = 0; i < 3; i++)
		close(others[i].fd);
	listener_close(listener);
	listener = NULL;
	tally_free(limits.tally);
}
END_TEST

START_TEST(tcp_queries_of_a_connection_are_limited)
{
	limits.tcp_queries_per_conn = 3;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (unsigned i = 0; i < 5; i++)
		send_query(&talk, i);
	for (unsigned i = 0; i < 3; i++)
		take_answer(&talk, i);
	expect_end(&talk);
	/* Our end only: what the client still sends does not meet a reset. */
	for (unsigned i = 0; i < 3; i++) {
		send_query(&talk, i);
		turns_some(&turns);
	}
	ck_assert_uint_eq(n_kept, 3);
	close(talk.fd);
	wait_for_clients(0);
}
END_TEST

START_TEST(tcp_idle_client_is_closed)
{
	limits.tcp_idle_ms = 30;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 1);
	take_answer(&talk, 1);
	send_tcp(&talk, "\0\50half", 6); /* and never the rest */
	expect_end(&talk);
	ck_assert_uint_eq(counter_get(&counters.tcp_timeouts), 1);
	ck_assert_uint_eq(listener_tcp_clients(listener), 0);
	close(talk.fd);
}
END_TEST

static bool time_has_passed(void *ctx)
{
	return loop_now_ms(turns.loop) >= *(uint64_t *)ctx;
}

START_TEST(tcp_client_that_waits_for_us_is_not_idle)
{
	uint64_t until;

	behaviour = KEEP;
	limits.tcp_idle_ms = 20;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 1);
	wait_for_kept(1);
	until = loop_now_ms(turns.loop) + 100;
	ck_assert(turns_until(&turns, time_has_passed, &until));
	ck_assert_uint_eq(counter_get(&counters.tcp_timeouts), 0);
	reply_kept(0);
	take_answer(&talk, 1);
	expect_end(&talk);
	ck_assert_uint_eq(counter_get(&counters.tcp_timeouts), 1);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_longest_query_and_answer)
{
	static uint8_t longest[2 + 65535];
	size_t sent = 0;

	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (size_t i = 2; i < sizeof(longest); i++)
		longest[i] = (uint8_t)(i * 7);
	wire_put_u16(longest, 65535);
	while (sent < sizeof(longest)) {
		ssize_t n = send(talk.fd, longest + sent, sizeof(longest) - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		else
			turns_some(&turns);
	}
	take_bytes(&talk, sizeof(longest));
	ck_assert_mem_eq(talk.buf, longest, sizeof(longest));
	close(talk.fd);
}
END_TEST

static uint8_t big[60000];

/* Answers that do not fit the kernel's buffers wait in ours, up to the limit. */
static void fill(unsigned n_answers)
{
	int small = 65536;

	behaviour = KEEP;
	limits.tcp_queries_at_once = KEPT_MAX;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	(void)setsockopt(talk.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (unsigned i = 0; i < n_answers; i++)
		send_query(&talk, i);
	wait_for_kept(n_answers);
	for (unsigned i = 0; i < n_answers; i++) {
		memset(big, (int)i, sizeof(big));
		listen_reply(listener, &kept[i].from, big, sizeof(big));
	}
}

START_TEST(tcp_slow_reader_gets_all)
{
	enum { N = 200 };

	limits.tcp_write_backlog = N * (2 + sizeof(big));
	fill(N);
	for (unsigned i = 0; i < N; i++) {
		take_bytes(&talk, 2 + sizeof(big));
		ck_assert_uint_eq(wire_get_u16(talk.buf), sizeof(big));
		memset(big, (int)i, sizeof(big));
		ck_assert_mem_eq(talk.buf + 2, big, sizeof(big));
	}
	ck_assert_uint_eq(counter_get(&counters.tcp_slow_readers), 0);
	close(talk.fd);
}
END_TEST

static bool owes_nothing(void *ctx)
{
	(void)ctx;
	return !listener_owes(listener);
}

/* Stopped, it knows of answers that have not arrived, be they with us or with the kernel; who is
 * owed nothing does not count, and what a client asks meanwhile costs it no answer. */
START_TEST(stopped_listener_knows_what_it_owes)
{
	static const unsigned answers[] = { 200, 30 };

	limits.tcp_write_backlog = answers[0] * (2 + sizeof(big));
	for (unsigned round = 0; round < 2; round++) {
		unsigned n = answers[round];

		n_kept = 0;
		fill(n);
		open_client(&others[0], SOCK_STREAM, "127.0.0.1");
		wait_for_clients(2);
		ck_assert(listener_owes(listener));
		listener_stop(listener);
		send_query(&talk, 0);
		turns_some(&turns);
		ck_assert(listener_owes(listener));
		for (unsigned i = 0; i < n; i++)
			take_bytes(&talk, 2 + sizeof(big));
		expect_end(&talk);
		ck_assert(turns_until(&turns, owes_nothing, NULL));
		ck_assert_uint_eq(listener_tcp_clients(listener), 2); /* they may take their time */
		close(talk.fd);
		close(others[0].fd);
		listener_close(listener);
		listener = NULL;
	}
}
END_TEST

START_TEST(tcp_slow_reader_has_a_limit)
{
	limits.tcp_write_backlog = 100000;
	fill(KEPT_MAX);
	ck_assert_uint_eq(counter_get(&counters.tcp_slow_readers), 1);
	ck_assert_uint_eq(listener_tcp_clients(listener), 0);
	close(talk.fd);
}
END_TEST

/* All of them together have one, too: who comes to it is closed, and the others get theirs. */
START_TEST(tcp_slow_readers_have_a_limit_together)
{
	enum { EACH = KEPT_MAX / 2 - 1 };
	struct talk *const talks[2] = { &talk, &others[0] };
	unsigned n = 0, left;

	behaviour = KEEP;
	limits.tcp_queries_at_once = EACH;
	limits.tcp_write_backlog = UINT32_MAX;
	limits.tcp_write_total = 200000;
	start("127.0.0.1", NULL);
	for (unsigned t = 0; t < 2; t++) {
		open_client(talks[t], SOCK_STREAM, "127.0.0.1");
		(void)setsockopt(talks[t]->fd, SOL_SOCKET, SO_RCVBUF, &(int) { 65536 },
				 sizeof(int));
		for (unsigned i = 0; i < EACH; i++)
			send_query(talks[t], i);
		wait_for_kept((t + 1) * EACH);
	}
	while (counter_get(&counters.tcp_slow_readers) == 0) {
		ck_assert_uint_lt(n, 2 * EACH);
		listen_reply(listener, &kept[n % 2 * EACH + n / 2].from, big, sizeof(big));
		n++;
	}
	ck_assert_uint_eq(listener_tcp_clients(listener), 1);
	left = n % 2; /* the last answer was for the other one */
	for (unsigned i = 0; i < n / 2; i++)
		take_bytes(talks[left], 2 + sizeof(big));
	/* What has been taken makes room. */
	listen_reply(listener, &kept[left * EACH + n / 2].from, big, sizeof(big));
	take_bytes(talks[left], 2 + sizeof(big));
	close(talk.fd);
	close(others[0].fd);
}
END_TEST

/* Who sends questions and reads no answers is not read from any more, and loses nothing. */
START_TEST(tcp_slow_reader_is_not_read_from)
{
	static uint8_t longest[2 + 60000];
	size_t sent = 0, whole, stuck = 0;

	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	(void)setsockopt(talk.fd, SOL_SOCKET, SO_RCVBUF, &(int) { 65536 }, sizeof(int));
	(void)setsockopt(talk.fd, SOL_SOCKET, SO_SNDBUF, &(int) { 65536 }, sizeof(int));
	wire_put_u16(longest, sizeof(longest) - 2);
	while (stuck < 100) {
		size_t at = sent % sizeof(longest);
		ssize_t n = send(talk.fd, longest + at, sizeof(longest) - at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		stuck = n > 0 ? 0 : stuck + 1;
		if (n > 0)
			sent += (size_t)n;
		else
			turns_some(&turns);
	}
	ck_assert_uint_eq(counter_get(&counters.tcp_slow_readers), 0);
	ck_assert_uint_eq(listener_tcp_clients(listener), 1);
	whole = sent / sizeof(longest);
	ck_assert_uint_gt(whole, n_kept); /* it holds back */
	for (unsigned i = 0; i < whole; i++)
		take_bytes(&talk, sizeof(longest));
	close(talk.fd);
}
END_TEST

START_TEST(tcp_answer_to_a_connection_that_is_gone)
{
	behaviour = KEEP;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 1);
	wait_for_kept(1);
	/* A reset, or it would only be half closed. */
	ck_assert_int_eq(setsockopt(talk.fd, SOL_SOCKET, SO_LINGER,
				    &(struct linger) { .l_onoff = 1 }, sizeof(struct linger)),
			 0);
	close(talk.fd);
	wait_for_clients(0);
	/* The next has the same slot. */
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	send_query(&talk, 2);
	wait_for_kept(2);
	ck_assert_uint_eq(kept[0].from.slot, kept[1].from.slot);
	reply_kept(0);
	listen_drop(listener, &kept[0].from);
	reply_kept(1);
	take_answer(&talk, 2);
	close(talk.fd);
}
END_TEST

START_TEST(tcp_goes_on_when_descriptors_are_free_again)
{
	struct rlimit was, none = { 0, 0 };

	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none.rlim_max = was.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	turns_some(&turns);
	ck_assert_uint_eq(listener_tcp_clients(listener), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	send_query(&talk, 1);
	take_answer(&talk, 1);
	close(talk.fd);
}
END_TEST

START_TEST(closing_with_queries_in_flight)
{
	behaviour = KEEP;
	start("127.0.0.1", NULL);
	open_client(&talk, SOCK_STREAM, "127.0.0.1");
	for (unsigned i = 0; i < 5; i++)
		send_query(&talk, i);
	send_tcp(&talk, "\0\50half", 6);
	wait_for_kept(5);
	listener_close(listener);
	listener = NULL;
	expect_end(&talk);
	close(talk.fd);
}
END_TEST

Suite *suite_listen(void);
Suite *suite_listen(void)
{
	Suite *s = suite_create("listen");
	TCase *udp = tcase_create("udp"), *tcp = tcase_create("tcp");
	TCase *process = tcase_create("process");

	tcase_add_checked_fixture(udp, set_up, tear_down);
	tcase_set_timeout(udp, 60);
	tcase_add_test(udp, bind_tells_what_is_wrong);
	tcase_add_test(udp, bind_shares_a_port_where_told);
	tcase_add_test(udp, probe_finds_who_would_share);
	tcase_add_test(udp, probe_is_not_stopped_by_time_wait);
	tcase_add_test(udp, bind_to_an_address_that_is_not_here);
	tcase_add_test(udp, udp_answers);
	tcase_add_test(udp, udp_answers_over_ipv6);
	tcase_add_test(udp, udp_answers_from_the_address_asked);
	tcase_add_test(udp, udp_many);
	tcase_add_test(udp, udp_many_built_in_place);
	tcase_add_test(udp, udp_answers_later);
	tcase_add_test(udp, udp_answers_of_two_addresses_at_once);
	tcase_add_test(udp, udp_too_long_is_counted);
	tcase_add_test(udp, udp_refused_answer_is_lost_alone);
	tcase_add_test(udp, start_that_fails_is_stopped);
	tcase_add_test(udp, stopped_listener_still_answers);
	suite_add_tcase(s, udp);

	tcase_add_checked_fixture(tcp, set_up, tear_down);
	tcase_set_timeout(tcp, 60);
	tcase_add_test(tcp, tcp_answers);
	tcase_add_test(tcp, tcp_query_in_pieces);
	tcase_add_test(tcp, tcp_answers_in_any_order);
	tcase_add_test(tcp, tcp_queries_at_once_are_limited);
	tcase_add_test(tcp, tcp_half_closed_client_gets_its_answers);
	tcase_add_test(tcp, tcp_empty_message_closes);
	tcase_add_test(tcp, tcp_verdict_closes);
	tcase_add_test(tcp, tcp_client_is_not_admitted);
	tcase_add_test(tcp, tcp_clients_are_limited);
	tcase_add_test(tcp, tcp_clients_of_an_address_are_limited);
	tcase_add_test(tcp, tcp_limits_hold_over_listeners_that_share_a_tally);
	tcase_add_test(tcp, tcp_queries_of_a_connection_are_limited);
	tcase_add_test(tcp, tcp_idle_client_is_closed);
	tcase_add_test(tcp, tcp_client_that_waits_for_us_is_not_idle);
	tcase_add_test(tcp, tcp_longest_query_and_answer);
	tcase_add_test(tcp, tcp_slow_reader_gets_all);
	tcase_add_test(tcp, stopped_listener_knows_what_it_owes);
	tcase_add_test(tcp, tcp_slow_reader_has_a_limit);
	tcase_add_test(tcp, tcp_slow_readers_have_a_limit_together);
	tcase_add_test(tcp, tcp_slow_reader_is_not_read_from);
	tcase_add_test(tcp, tcp_answer_to_a_connection_that_is_gone);
	tcase_add_test(tcp, closing_with_queries_in_flight);
	suite_add_tcase(s, tcp);

	tcase_add_checked_fixture(process, set_up, tear_down);
	tcase_set_tags(process, "process");
	tcase_set_timeout(process, 60);
	tcase_add_test(process, tcp_goes_on_when_descriptors_are_free_again);
	suite_add_tcase(s, process);
	return s;
}
