#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "recursor/watch/carbon_send.h"

enum { LONG_TEXT = 16 << 20 }; /* more than sockets take unread */

static void make_addr(struct addr *out, uint16_t port)
{
	*out = (struct addr) { .family = 4, .port = port, .ip = { 127, 0, 0, 1 } };
}

/* A listening socket whose port is put into `out`. */
static int listen_at(struct addr *out)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 2048;

	make_addr(out, 0);
	len = addr_to_sockaddr(out, &sa);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	len = sizeof(sa);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(addr_from_sockaddr(out, (struct sockaddr *)&sa), E_OK);
	return fd;
}

struct reader {
	int fd;
	const char *greeting;
	size_t n;
};

/* Takes one connection and reads it to its end. */
static void *read_all(void *ctx)
{
	struct reader *r = ctx;
	char buf[65536];
	int c = accept(r->fd, NULL, NULL);
	ssize_t n;

	if (r->greeting != NULL)
		ck_assert_int_gt(send(c, r->greeting, strlen(r->greeting), 0), 0);
	while ((n = recv(c, buf, sizeof(buf), 0)) > 0)
		r->n += (size_t)n;
	close(c);
	return (void *)(intptr_t)n;
}

static char *long_text(void)
{
	char *text = malloc(LONG_TEXT);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', LONG_TEXT);
	return text;
}

START_TEST(each_server_gets_all_or_its_own_failure)
{
	struct carbon_peer peers[3];
	char *text = long_text();
	struct carbon_send_options o = {
		.text = text, .len = LONG_TEXT, .idle_ms = 2000, .total_ms = 20000, .stop_fd = -1
	};
	int slow = listen_at(&peers[0].to), dead = listen_at(&peers[1].to);
	struct reader reader = { .fd = listen_at(&peers[2].to), .greeting = "hello\n" };
	pthread_t thread;
	void *status;

	close(dead);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
	carbon_connect(peers, 3);
	carbon_send(peers, 3, &o);
	pthread_join(thread, &status);
	ck_assert_int_eq(peers[0].outcome, CARBON_TIMEOUT);
	ck_assert_int_eq(peers[1].outcome, CARBON_ERROR);
	ck_assert_int_eq(peers[1].error, ECONNREFUSED);
	ck_assert_int_eq(peers[2].outcome, CARBON_SENT);
	/* To the last byte, and no reset, although the greeting was not waited for. */
	ck_assert_uint_eq(reader.n, LONG_TEXT);
	ck_assert_ptr_null(status);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(peers[i].fd, -1);
	close(slow);
	close(reader.fd);
	free(text);
}
END_TEST

START_TEST(the_end_waits_for_nobody)
{
	char *text = long_text();
	struct carbon_send_options o = { .text = text,
					 .len = LONG_TEXT,
					 .idle_ms = 1000000,
					 .total_ms = 1000000,
					 .stop_fd = eventfd(1, 0) };
	struct carbon_peer peers[1];
	int slow = listen_at(&peers[0].to);

	carbon_connect(peers, 1);
	carbon_send(peers, 1, &o);
	ck_assert_int_eq(peers[0].outcome, CARBON_STOPPED);
	close(slow);
	close(o.stop_fd);
	free(text);
}
END_TEST

START_TEST(one_that_trickles_ends_in_time)
{
	struct carbon_peer peers[1];
	char *text = long_text();
	struct carbon_send_options o = {
		.text = text, .len = LONG_TEXT, .idle_ms = 1000000, .total_ms = 100, .stop_fd = -1
	};
	int slow = listen_at(&peers[0].to);

	carbon_connect(peers, 1);
	carbon_send(peers, 1, &o);
	ck_assert_int_eq(peers[0].outcome, CARBON_TIMEOUT);
	close(slow);
	free(text);
}
END_TEST

START_TEST(an_address_without_a_way_fails_at_once)
{
	struct carbon_peer peers[1];
	struct carbon_send_options o = { .text = "x", .len = 1, .idle_ms = 1000, .stop_fd = -1 };

	make_addr(&peers[0].to, 2003);
	memset(peers[0].to.ip, 255, 4); /* nobody connects to broadcast */
	carbon_connect(peers, 1);
	ck_assert_int_eq(peers[0].outcome, CARBON_ERROR);
	carbon_send(peers, 1, &o);
	ck_assert_int_eq(peers[0].outcome, CARBON_ERROR);
	carbon_send(peers, 0, &o);
}
END_TEST

Suite *suite_carbon_send(void)
{
	Suite *s = suite_create("carbon_send");
	TCase *t = tcase_create("carbon_send"), *timed = tcase_create("timed");

	tcase_set_timeout(t, 60);
	tcase_set_tags(timed, "time");
	tcase_set_timeout(timed, 60);
	tcase_add_test(timed, each_server_gets_all_or_its_own_failure);
	tcase_add_test(t, the_end_waits_for_nobody);
	tcase_add_test(t, one_that_trickles_ends_in_time);
	tcase_add_test(t, an_address_without_a_way_fails_at_once);
	suite_add_tcase(s, t);
	suite_add_tcase(s, timed);
	return s;
}
