/* The web server by its sockets, with a daemon behind it that is none. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/log.h"
#include "fake_env.h"
#include "own_address.h"
#include "recursor/watch/web/web.h"

enum { PORT = 15382 };

static struct fake_env env;
static struct watch_web counters;
static struct netset *clients;
static struct addr address;
static const char *key = "k";

static struct web_options options(void)
{
	return (struct web_options) {
		.addresses = &address,
		.n_addresses = 1,
		.allow_from = clients,
		.password = "",
		.key = key,
		.cross_origin = "",
		.max_body = 1000,
		.max_header = 8192,
		.max_connections = 16,
		.max_per_client = 2,
		.request_ms = 1000,
		.idle_ms = 500,
		.counters = &counters,
	};
}

static struct web *start(const char *allow_from)
{
	static const struct log_options quiet = { .level = LOG_LEVEL_CRIT, .ident = "test" };
	char why[WEB_WHY_MAX] = "", bad[ADDR_TEXT_MAX];
	struct web_options o;
	struct web *w = NULL;

	hash_key_init(); /* tries are counted by a hash of the address */
	log_configure(&quiet);
	memset(&counters, 0, sizeof(counters));
	own_address(&address, 1, PORT);
	fake_env_open(&env);
	env.env.web = &counters;
	ck_assert_int_eq(netset_new(&clients), E_OK);
	ck_assert_int_eq(netset_add_list(clients, allow_from, bad), E_OK);
	o = options();
	ck_assert_msg(web_open(&w, &o, why) == E_OK, "%s", why);
	ck_assert_int_eq(web_start(w, &env.env), E_OK);
	return w;
}

static void stop(struct web *w)
{
	web_stop(w);
	netset_free(clients);
	fake_env_close(&env);
}

/* From an address of this host, or NULL: from any. */
static int connect_from(const char *from)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 20 };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&address, &ss);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	if (from != NULL) {
		ck_assert_int_eq(inet_pton(AF_INET, from, &own.sin_addr), 1);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	}
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static int connect_to_it(void)
{
	return connect_from(NULL);
}

/* What is said until the connection ends. */
static const char *reply_of(int fd)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return text;
}

static const char *say(const char *request)
{
	int fd = connect_to_it();

	ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
			 (ssize_t)strlen(request));
	return reply_of(fd);
}

static void expect(const char *reply, const char *status, const char *part)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
	ck_assert_msg(strncmp(reply, line, strlen(line)) == 0, "%s", reply);
	ck_assert_msg(strstr(reply, part) != NULL, "%s", reply);
}

START_TEST(requests_get_their_reply)
{
	struct web *w = start("127.0.0.0/8");

	expect(say("GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n\r\n"), "200",
	       "[{\"version\":1,\"url\":\"/api/v1\"}]");
	expect(say("GET /api HTTP/1.1\r\nHost: x\r\n\r\n"), "401", "X-API-Key realm");
	expect(say("GET /none HTTP/1.1\r\nHost: x\r\n\r\n"), "404", "Not Found");
	expect(say("GET /live HTTP/1.1\r\nHost: x\r\n\r\n"), "200", "{\"live\":true}");
	expect(say("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"), "503", "starting");
	expect(say("PUT /servers/localhost/flush-cache HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n"
		   "Content-Length: 3\r\n\r\n{x}"),
	       "400", "no JSON");
	expect(say("PUT /servers/localhost/flush-cache HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n"
		   "Content-Length: 9999999\r\n\r\n"),
	       "413", "Content Too Large");
	ck_assert_uint_eq(counters.requests, 7);
	ck_assert_uint_eq(counters.unauthorized, 1);
	ck_assert_uint_eq(counters.too_large, 1);
	ck_assert_uint_eq(counters.errors, 3);
	stop(w);
}
END_TEST

START_TEST(strangers_get_nothing)
{
	struct web *w = start("192.0.2.0/24");

	ck_assert_str_eq(reply_of(connect_to_it()), "");
	ck_assert_uint_eq(counters.forbidden, 1);
	ck_assert_uint_eq(counters.requests, 0);
	stop(w);
}
END_TEST

/* Two are allowed: of three the first gives way, and the others are late in the end. */
START_TEST(who_is_slow_gives_way)
{
	struct web *w = start("127.0.0.0/8");
	int one = connect_to_it(), two = connect_to_it(), three = connect_to_it();

	expect(reply_of(one), "408", "Connection: close");
	ck_assert_uint_eq(counters.displaced, 1);
	expect(reply_of(two), "408", "Connection: close");
	expect(reply_of(three), "408", "Connection: close");
	ck_assert_uint_eq(counters.late, 2);
	stop(w);
}
END_TEST

START_TEST(the_end_waits_for_nobody)
{
	struct web *w = start("127.0.0.0/8");
	int fd = connect_to_it();

	ck_assert_int_eq(send(fd, "GET /api", 8, MSG_NOSIGNAL), 8);
	stop(w);
	close(fd);
}
END_TEST

/* More secrets than there are threads that look at them. */
START_TEST(secrets_that_wait_at_the_end_are_not_looked_at)
{
	int fds[2 * WEB_THREADS];
	struct web *w;

	key = "$scrypt$ln=12,p=16,r=8$AAAAAAAAAAAAAAAAAAAAAA==$"
	      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	w = start("127.0.0.0/8");
	for (unsigned i = 0; i < 2 * WEB_THREADS; i++) {
		char from[ADDR_TEXT_MAX], request[80];
		int len = snprintf(request, sizeof(request),
				   "GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: x%u\r\n\r\n", i);

		(void)snprintf(from, sizeof(from), "127.0.1.%u", i + 1);
		fds[i] = connect_from(from);
		ck_assert_int_eq(send(fds[i], request, (size_t)len, MSG_NOSIGNAL), len);
	}
	(void)usleep(50000); /* so that most have been handed over; whichever were, it ends */
	stop(w);
	for (unsigned i = 0; i < 2 * WEB_THREADS; i++) {
		const char *reply = reply_of(fds[i]);

		if (*reply != '\0' && strncmp(reply, "HTTP/1.1 401 ", 13) != 0)
			expect(reply, "503", "The server ends");
	}
	key = "k";
}
END_TEST

START_TEST(one_that_never_started_is_freed)
{
	char why[WEB_WHY_MAX] = "";
	struct web_options o;
	struct web *w = NULL, *second = NULL;

	own_address(&address, 1, PORT);
	o = options();
	ck_assert_int_eq(web_open(&w, &o, why), E_OK);
	ck_assert_int_eq(web_open(&second, &o, why), E_SYSTEM);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(why, "cannot listen on"));
	web_stop(w);
	o.key = "$scrypt$";
	ck_assert_int_eq(web_open(&w, &o, why), E_MALFORMED);
	web_stop(NULL);
}
END_TEST

Suite *suite_web(void)
{
	Suite *s = suite_create("web");
	TCase *t = tcase_create("web");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, requests_get_their_reply);
	tcase_add_test(t, strangers_get_nothing);
	tcase_add_test(t, who_is_slow_gives_way);
	tcase_add_test(t, the_end_waits_for_nobody);
	tcase_add_test(t, secrets_that_wait_at_the_end_are_not_looked_at);
	tcase_add_test(t, one_that_never_started_is_freed);
	suite_add_tcase(s, t);
	return s;
}
