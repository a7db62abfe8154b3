#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "recursor/watch/dnstap.h"

static const struct dnstap_options usual = {
	.servers = "/nonexistent/dnstap.sock",
	.messages = DNSTAP_MESSAGES,
	.identity = "ns1",
	.version = "v",
	.queue_size = DNSTAP_QUEUE_LEAST,
	.reopen_interval_s = 3600,
	.n_workers = 2,
};

START_TEST(lists_of_servers)
{
	static const struct {
		const char *list, *why;
	} wrong[] = {
		{ "192.0.2.1",
		  "'192.0.2.1': neither the path of a socket nor an address with a port" },
		{ "dnstap.sock",
		  "'dnstap.sock': neither the path of a socket nor an address with a port" },
		{ "/a /b /c /d /e /f /g /h /i", "more than 8 servers" },
		{ "/a [::1]:6000 /b /a", "'/a' is there twice" },
		{ "/a [::1]:6000 [0::1]:6000", "'[0::1]:6000' is there twice" },
	};
	struct dnstap_server servers[DNSTAP_SERVERS_MAX];
	char why[DNSTAP_WHY_MAX], longest[300];
	unsigned n = 7;

	ck_assert_int_eq(dnstap_read_servers(servers, &n, "", why), E_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(dnstap_read_servers(servers, &n, "/run/x.sock, [2001:db8::1]:6000", why),
			 E_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(servers[0].path, "/run/x.sock");
	ck_assert_str_eq(servers[1].path, "");
	ck_assert_uint_eq(servers[1].addr.port, 6000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_ne(dnstap_read_servers(servers, &n, wrong[i].list, why), E_OK);
		ck_assert_str_eq(why, wrong[i].why);
	}
	memset(longest, '/', sizeof(longest));
	longest[108] = '\0';
	ck_assert_int_eq(dnstap_read_servers(servers, &n, longest, why), E_TOO_LONG);
	longest[107] = '\0';
	ck_assert_int_eq(dnstap_read_servers(servers, &n, longest, why), E_OK);
}
END_TEST

START_TEST(off_is_nothing)
{
	struct dnstap_options o = usual;
	struct dnstap *d = NULL;
	struct dnstap_stats stats;

	o.servers = "";
	ck_assert_int_eq(dnstap_new(&d, &o), E_OK);
	ck_assert_ptr_null(d);
	ck_assert_ptr_null(dnstap_tap_of(d, 0));
	ck_assert_int_eq(dnstap_start(d), E_OK);
	dnstap_stats(d, &stats);
	ck_assert_uint_eq(stats.frames + stats.drops + stats.failures + stats.connected, 0);
	ck_assert_uint_eq(dnstap_n_servers(d), 0);
	dnstap_stop(d);
	dnstap_free(d);
}
END_TEST

/* Nobody reads: messages that are wanted wait, then are dropped and counted. */
START_TEST(what_nobody_takes_is_dropped)
{
	static const uint8_t wire[1000];
	struct dnstap_options o = usual;
	struct dnstap_message m = { .type = DNSTAP_CLIENT_QUERY, .wire = wire, .len = 1000 };
	struct dnstap *d = NULL;
	struct dnstap_stats stats;
	struct dnstap_tap *t;

	o.messages = "client-queries, resolver-responses";
	o.servers = "/nonexistent/a /nonexistent/b";
	ck_assert_int_eq(dnstap_new(&d, &o), E_OK);
	t = dnstap_tap_of(d, 1);
	ck_assert(dnstap_wants(t, DNSTAP_CLIENT_QUERY));
	ck_assert(dnstap_wants(t, DNSTAP_RESOLVER_RESPONSE));
	ck_assert(!dnstap_wants(t, DNSTAP_CLIENT_RESPONSE));
	ck_assert(!dnstap_wants(t, DNSTAP_RESOLVER_QUERY));
	for (int i = 0; i < 200; i++)
		dnstap_see(t, &m);
	dnstap_stats(d, &stats);
	ck_assert_uint_gt(stats.drops, 2 * 50);
	ck_assert_uint_lt(stats.drops, 2 * 150);
	ck_assert_uint_eq(dnstap_n_servers(d), 2);
	for (size_t i = 0; i < 2; i++) {
		struct dnstap_server_stats s;

		dnstap_server_stats(d, i, &s);
		ck_assert_str_eq(s.address, i == 0 ? "/nonexistent/a" : "/nonexistent/b");
		ck_assert_uint_eq(s.queued + s.pipe_full, 200);
		ck_assert_uint_eq(s.pipe_full, stats.drops / 2);
		ck_assert_uint_eq(s.too_large + s.frames + s.failures + s.is_connected, 0);
	}
	m.type = DNSTAP_CLIENT_RESPONSE;
	dnstap_see(t, &m);
	dnstap_stats(d, &stats);
	ck_assert_uint_eq(stats.frames, 0);
	/* The end does not wait for who is not there. */
	ck_assert_int_eq(dnstap_start(d), E_OK);
	while (stats.failures < 2) {
		usleep(1000);
		dnstap_stats(d, &stats);
	}
	dnstap_stop(d);
	dnstap_free(d);
}
END_TEST

Suite *suite_dnstap(void)
{
	Suite *s = suite_create("dnstap");
	TCase *t = tcase_create("dnstap");

	tcase_add_test(t, lists_of_servers);
	tcase_add_test(t, off_is_nothing);
	tcase_add_test(t, what_nobody_takes_is_dropped);
	suite_add_tcase(s, t);
	return s;
}
