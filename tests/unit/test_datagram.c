#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "recursor/net/datagram.h"
#include "tests/unit/turns.h"

enum { CALLS_MAX = 32 };

static struct turns turns;
static struct outgoing *out;
static struct datagrams *ds;
static struct counters counters;

static struct {
	unsigned n;
	void *ctx[CALLS_MAX];
	enum datagram_end how[CALLS_MAX];
	char reply[CALLS_MAX][64];
	size_t len[CALLS_MAX];
	const struct addr *again; /* asked from within the call */
} seen;

static bool no_reply(void *ctx, uint64_t ticket, const uint8_t *wire, size_t len)
{
	(void)ctx;
	(void)ticket;
	(void)wire;
	(void)len;
	return true;
}

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return a;
}

static void set_up(void)
{
	static const struct outgoing_handler handler = { .reply = no_reply };
	struct outgoing_config config = {
		.n_local4 = 1,
		.port_min = 1024,
		.port_max = 65535,
		.max_sockets = 4,
	};

	hash_key_set(1, 2);
	memset(&seen, 0, sizeof(seen));
	memset(&counters, 0, sizeof(counters));
	turns_init(&turns);
	config.local4[0] = address("0.0.0.0");
	ck_assert_int_eq(outgoing_new(&out, turns.loop, &config, &handler), E_OK);
	ck_assert_int_eq(datagrams_new(&ds, turns.loop, out, &counters), E_OK);
	datagrams_configure(ds, 3, 10000);
}

static void tear_down(void)
{
	datagrams_free(ds);
	outgoing_close(out);
	turns_deinit(&turns);
	ck_assert_uint_eq(check_surprises(), 0);
}

static int open_server(struct addr *at)
{
	struct sockaddr_storage sa;
	struct addr a = address("127.0.0.1");
	socklen_t len = addr_to_sockaddr(&a, &sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	len = sizeof(sa);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(addr_from_sockaddr(at, (struct sockaddr *)&sa), E_OK);
	return fd;
}

struct got {
	int fd;
	char text[64];
	ssize_t len;
	struct sockaddr_storage from;
	socklen_t from_len;
};

static bool has_packet(void *ctx)
{
	struct got *g = ctx;

	g->from_len = sizeof(g->from);
	g->len = recvfrom(g->fd, g->text, sizeof(g->text), 0, (struct sockaddr *)&g->from,
			  &g->from_len);
	return g->len >= 0;
}

static struct got take(int fd)
{
	struct got g = { .fd = fd };

	ck_assert(turns_until(&turns, has_packet, &g));
	return g;
}

static void answer(int fd, const struct got *g, const char *text)
{
	ck_assert_int_eq(
		sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&g->from, g->from_len),
		(ssize_t)strlen(text));
}

static void done(void *ctx, enum datagram_end how, const uint8_t *reply, size_t len)
{
	const struct addr *again = seen.again;
	struct datagram *d;

	ck_assert_uint_lt(seen.n, CALLS_MAX);
	ck_assert((reply != NULL) == (how == DATAGRAM_REPLY));
	seen.ctx[seen.n] = ctx;
	seen.how[seen.n] = how;
	seen.len[seen.n] = len;
	if (reply != NULL && len < sizeof(seen.reply[0]))
		memcpy(seen.reply[seen.n], reply, len);
	seen.n++;
	seen.again = NULL;
	if (again != NULL)
		ck_assert_int_eq(datagram_send(&d, ds, again, "again", 5, done, NULL), E_OK);
}

static bool reached(void *ctx)
{
	return seen.n >= *(unsigned *)ctx;
}

static void wait_for(unsigned n)
{
	ck_assert(turns_until(&turns, reached, &n));
	ck_assert_uint_eq(seen.n, n);
}

static struct datagram *send_text(const struct addr *to, const char *text, void *ctx)
{
	struct datagram *d = NULL;

	ck_assert_int_eq(datagram_send(&d, ds, to, text, strlen(text), done, ctx), E_OK);
	return d;
}

START_TEST(a_reply_comes_back)
{
	struct addr at;
	int fd = open_server(&at), mark;
	struct got g;

	(void)send_text(&at, "GETDOMAIN", &mark);
	ck_assert_uint_eq(datagrams_in_flight(ds), 1);
	g = take(fd);
	ck_assert_int_eq(g.len, 9);
	ck_assert(memcmp(g.text, "GETDOMAIN", 9) == 0);
	ck_assert_uint_eq(seen.n, 0);
	answer(fd, &g, "no DNS at all");
	wait_for(1);
	ck_assert_ptr_eq(seen.ctx[0], &mark);
	ck_assert_int_eq(seen.how[0], DATAGRAM_REPLY);
	ck_assert_str_eq(seen.reply[0], "no DNS at all");
	ck_assert_uint_eq(datagrams_in_flight(ds), 0);
	ck_assert_uint_eq(counter_get(&counters.lua_udp_queries), 1);
	/* What comes later finds nobody. */
	(void)close(fd);
}
END_TEST

START_TEST(an_empty_reply_is_one)
{
	struct addr at;
	int fd = open_server(&at);
	struct got g;

	(void)send_text(&at, "x", NULL);
	g = take(fd);
	answer(fd, &g, "");
	wait_for(1);
	ck_assert_int_eq(seen.how[0], DATAGRAM_REPLY);
	ck_assert_uint_eq(seen.len[0], 0);
	(void)close(fd);
}
END_TEST

START_TEST(a_stranger_is_not_heard)
{
	struct addr at, other;
	int fd = open_server(&at), stranger = open_server(&other);
	struct got g;

	(void)send_text(&at, "x", NULL);
	g = take(fd);
	answer(stranger, &g, "forged");
	answer(fd, &g, "right");
	wait_for(1);
	ck_assert_str_eq(seen.reply[0], "right");
	(void)close(fd);
	(void)close(stranger);
}
END_TEST

START_TEST(silence_ends)
{
	struct addr at;
	int fd = open_server(&at);

	datagrams_configure(ds, 3, 30);
	(void)send_text(&at, "1", NULL);
	wait_for(1);
	ck_assert_int_eq(seen.how[0], DATAGRAM_TIMEOUT);
	ck_assert_uint_eq(counter_get(&counters.lua_udp_timeouts), 1);
	ck_assert_uint_eq(datagrams_in_flight(ds), 0);
	(void)close(fd);
}
END_TEST

/* Who came later with less patience is told first. */
START_TEST(patience_may_change)
{
	struct addr at;
	int fd = open_server(&at), first, second;

	(void)send_text(&at, "1", &first);
	datagrams_configure(ds, 3, 20);
	(void)send_text(&at, "2", &second);
	wait_for(1);
	ck_assert_ptr_eq(seen.ctx[0], &second);
	ck_assert_uint_eq(datagrams_in_flight(ds), 1);
	(void)close(fd);
}
END_TEST

START_TEST(nobody_there)
{
	struct addr at;
	int fd = open_server(&at);

	(void)close(fd);
	(void)send_text(&at, "x", NULL);
	wait_for(1);
	ck_assert_int_eq(seen.how[0], DATAGRAM_FAILED);
	ck_assert_uint_eq(counter_get(&counters.lua_udp_failures), 1);
}
END_TEST

START_TEST(a_number_in_flight)
{
	struct addr at;
	int fd = open_server(&at);
	struct datagram *d[3], *more = NULL;
	struct got g;

	for (int i = 0; i < 3; i++)
		d[i] = send_text(&at, "x", NULL);
	ck_assert_int_eq(datagram_send(&more, ds, &at, "x", 1, done, NULL), E_LIMIT);
	ck_assert_ptr_null(more);
	ck_assert_uint_eq(counter_get(&counters.lua_udp_limits), 1);
	datagram_cancel(d[1]);
	(void)send_text(&at, "y", NULL);
	/* The sockets of all outgoing questions are a limit as well. */
	datagrams_configure(ds, 100, 10000);
	(void)send_text(&at, "z", NULL);
	ck_assert_int_eq(datagram_send(&more, ds, &at, "x", 1, done, NULL), E_LIMIT);
	ck_assert_uint_eq(datagrams_in_flight(ds), 4);
	g = take(fd);
	answer(fd, &g, "ok");
	wait_for(1);
	ck_assert_uint_eq(datagrams_in_flight(ds), 3);
	(void)close(fd);
}
END_TEST

START_TEST(what_cannot_be_sent)
{
	static const char much[DATAGRAM_MAX + 1];
	struct addr v6 = address("[::1]:9"), no_port = address("127.0.0.1"), at;
	int fd = open_server(&at);
	struct datagram *d = NULL;

	ck_assert_int_eq(datagram_send(&d, ds, &v6, "x", 1, done, NULL), E_RANGE);
	ck_assert_int_eq(datagram_send(&d, ds, &no_port, "x", 1, done, NULL), E_RANGE);
	ck_assert_int_eq(datagram_send(&d, ds, &at, much, sizeof(much), done, NULL), E_RANGE);
	datagrams_configure(ds, 0, 1000);
	ck_assert_int_eq(datagram_send(&d, ds, &at, "x", 1, done, NULL), E_LIMIT);
	ck_assert_ptr_null(d);
	ck_assert_uint_eq(datagrams_in_flight(ds), 0);
	(void)close(fd);
}
END_TEST

START_TEST(another_from_within)
{
	struct addr at;
	int fd = open_server(&at);
	struct got g;

	datagrams_configure(ds, 1, 10000);
	(void)send_text(&at, "x", NULL);
	seen.again = &at;
	g = take(fd);
	answer(fd, &g, "one");
	wait_for(1);
	g = take(fd);
	ck_assert(memcmp(g.text, "again", 5) == 0);
	answer(fd, &g, "two");
	wait_for(2);
	ck_assert_str_eq(seen.reply[1], "two");
	(void)close(fd);
}
END_TEST

Suite *suite_datagram(void);

Suite *suite_datagram(void)
{
	Suite *s = suite_create("datagram");
	TCase *tc = tcase_create("datagram");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_reply_comes_back);
	tcase_add_test(tc, an_empty_reply_is_one);
	tcase_add_test(tc, a_stranger_is_not_heard);
	tcase_add_test(tc, silence_ends);
	tcase_add_test(tc, patience_may_change);
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, a_number_in_flight);
	tcase_add_test(tc, what_cannot_be_sent);
	tcase_add_test(tc, another_from_within);
	suite_add_tcase(s, tc);
	return s;
}
