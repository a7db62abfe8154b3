#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/watch/commands.h"
#include "tests/unit/text_set.h"
#include "tests/unit/wire_name.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

/* Dumps to a file and gives back what is in it. */
static char *dump(const char *line, int expected_status, const char *expected_reply)
{
	static char text[1 << 20];
	FILE *f = tmpfile();
	int status;
	char *reply;
	size_t len;

	ck_assert_ptr_nonnull(f);
	reply = fake_env_say(&env, line, fileno(f), &status);
	ck_assert_str_eq(reply, expected_reply);
	ck_assert_int_eq(status, expected_status);
	free(reply);
	rewind(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	fclose(f);
	return text;
}

static void expect_in(const char *text, const char *line)
{
	ck_assert_msg(strstr(text, line) != NULL, "no line '%s' in:\n%s", line, text);
}

static void fill_caches(void)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };

	fake_env_put(&env, "www.example.", TYPE_A, 300, RANK_AUTH_ANSWER, ip, sizeof(ip));
	fake_env_put(&env, "ns.example.", TYPE_A, 60, RANK_ADDITIONAL, ip, sizeof(ip));
	fake_env_put_negative(&env, RRSET_NODATA, "www.example.", TYPE_AAAA, 300);
	fake_env_put_negative(&env, RRSET_NXDOMAIN, "no.example.", 0, 300);
	fake_env_put_negative(&env, RRSET_FAILURE, "bad.example.", TYPE_MX, 5);
	fake_env_put_packet(&env, 0, "www.example.", TYPE_A, 30, false);
	fake_env_put_packet(&env, 1, "www.example.", TYPE_AAAA, 40, true);
}

START_TEST(the_cache_is_dumped)
{
	const char *text;

	fill_caches();
	text = dump("dump-cache", 0, "dumped 7 records\n");
	ck_assert_ptr_eq(strstr(text, "; main record cache dump follows\n;\n"), text);
	expect_in(text, "\nwww.example. 300 300 IN A 192.0.2.1 ; (Unchecked) auth=1 zone=example. "
			"rank=auth-answer\n");
	expect_in(text, "\nns.example. 60 60 IN A 192.0.2.1 ; (Unchecked) auth=0 zone=example. "
			"rank=additional\n");
	expect_in(text, "\n; negcache dump follows\n;\n");
	expect_in(text, "\nwww.example. 300 IN AAAA VIA example. ; (Unchecked) origttl=300\n");
	expect_in(text, "\nno.example. 300 IN TYPE0 VIA example. ; (Unchecked) origttl=300\n");
	expect_in(text, "\nbad.example. 5 IN MX FAILED Network Error ; (Unchecked) origttl=5\n");
	expect_in(text, "\n; packet cache dump from worker-0 follows\n;\n"
			"www.example. 30 A  ; tag 0 udp\n");
	expect_in(text, "\n; packet cache dump from worker-1 follows\n;\n"
			"www.example. 40 AAAA  ; tag 0 tcp\n");
}
END_TEST

START_TEST(parts_of_the_cache_are_dumped)
{
	const char *text;

	fill_caches();
	text = dump("dump-cache r", 0, "dumped 2 records\n");
	ck_assert_ptr_null(strstr(text, "negcache"));
	text = dump("dump-cache n", 0, "dumped 3 records\n");
	ck_assert_ptr_null(strstr(text, "main record"));
	dump("dump-cache p n", 0, "dumped 5 records\n");
	text = dump("dump-cache r x", 1, "dump-cache: r, n, p and a are parts, 'x' is none\n");
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(proofs_are_dumped_and_wiped)
{
	struct rrset *s = text_set("example.", "a.example. NSEC d.example. A RRSIG NSEC");
	const char *text;
	char *reply;
	int status;

	rrset_set_security(s, SEC_SECURE, 0);
	aggressive_put(env.env.aggressive, wire("example."), s, NULL, FAKE_WALL_S);
	rrset_put(s);
	text = dump("dump-cache a", 0, "dumped 1 records\n");
	ck_assert_ptr_eq(strstr(text, "; aggressive NSEC cache dump follows\n;\n"), text);
	expect_in(text, "\na.example. 3600 3600 IN NSEC d.example. A RRSIG NSEC");
	expect_in(text, "; (Secure) auth=1 ");
	expect_in(text, "\n; aggressive NSEC cache: 1 records\n");
	ck_assert_ptr_null(strstr(dump("dump-cache r", 0, "dumped 0 records\n"), "NSEC"));
	reply = fake_env_say(&env, "--json wipe-cache b.example", -1, &status);
	ck_assert_str_eq(reply, "{\"records\":0,\"negative\":0,\"packets\":0,\"proofs\":1}");
	free(reply);
	dump("dump-cache a", 0, "dumped 0 records\n");
}
END_TEST

START_TEST(a_large_packet_cache_is_dumped_in_slices)
{
	for (unsigned i = 0; i < 3000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.example.", i);
		fake_env_put_packet(&env, 0, name, TYPE_A, 30, false);
	}
	dump("dump-cache p", 0, "dumped 3000 records\n");
	ck_assert_uint_gt(env.visits, 10);
}
END_TEST

START_TEST(servers_are_dumped)
{
	uint8_t name[NAME_MAX_LEN];
	struct addr a, b;
	const char *text;

	ck_assert_int_eq(addr_from_text(&a, "192.0.2.1", 53), E_OK);
	ck_assert_int_eq(addr_from_text(&b, "2001:db8::1", 53), E_OK);
	ck_assert_int_eq(name_from_text(name, "ns.example."), E_OK);
	servers_answered(env.env.servers, &a, 12345, true, FAKE_NOW_MS - 5000);
	servers_set_name(env.env.servers, &a, name);
	servers_timed_out(env.env.servers, &b, name_root, 400, FAKE_NOW_MS);
	servers_throttle(env.env.servers, &a, name, TYPE_A, 1, THROTTLE_LAME, FAKE_NOW_MS);

	dump("--json dump-nsspeeds", 0, "{\"records\":2}");
	text = dump("dump-nsspeeds", 0, "dump-nsspeeds: dumped 2 records\n");
	ck_assert_ptr_eq(strstr(text, "; nsspeed dump follows\n; nsname\ttimestamp\t"), text);
	expect_in(text, "\nns.example.\t2023-11-14T22:13:15Z\t192.0.2.1/");
	expect_in(text, "\n-\t2023-11-14T22:13:20Z\t2001:db8::1/-/");

	text = dump("dump-throttlemap", 0, "dump-throttlemap: dumped 1 records\n");
	expect_in(text, "\n192.0.2.1\tns.example.\tA\t100\t2023-11-14T22:14:20Z\t");
	expect_in(text, throttle_reason_text(THROTTLE_LAME));
}
END_TEST

START_TEST(servers_in_trouble_are_dumped)
{
	uint8_t name[NAME_MAX_LEN];
	struct addr a, b;
	const char *text;

	ck_assert_int_eq(addr_from_text(&a, "192.0.2.1", 53), E_OK);
	ck_assert_int_eq(addr_from_text(&b, "2001:db8::1", 53), E_OK);
	ck_assert_int_eq(name_from_text(name, "ns.example."), E_OK);
	servers_answered(env.env.servers, &a, 12345, true, FAKE_NOW_MS - 5000);
	servers_learn(
		env.env.servers, &a,
		&(struct server_answer) { .rtt_us = 12345, .useful = true, .edns = EDNS_NONE },
		FAKE_NOW_MS);
	servers_timed_out(env.env.servers, &b, name_root, 400, FAKE_NOW_MS - 1000);
	servers_timed_out(env.env.servers, &b, name_root, 400, FAKE_NOW_MS);
	servers_ns_unresolved(env.env.servers, name, FAKE_NOW_MS - 3000);

	dump("--json dump-edns", 0, "{\"records\":1}");
	text = dump("dump-ednsstatus", 0, "dump-edns: dumped 1 records\n");
	ck_assert_str_eq(text, "; edns dump follows\n; ip\tstatus\tttd\n"
			       "192.0.2.1\tNoEDNS\t2023-11-14T23:13:20Z\n");
	text = dump("dump-failedservers", 0, "dump-failedservers: dumped 1 records\n");
	ck_assert_str_eq(text, "; failed servers dump follows\n; remote IP\tcount\ttimestamp\n"
			       "2001:db8::1\t2\t2023-11-14T22:13:20Z\n");
	text = dump("dump-non-resolving", 0, "dump-non-resolving: dumped 1 records\n");
	ck_assert_str_eq(text, "; non-resolving nameserver dump follows\n"
			       "; name\tcount\ttimestamp\n"
			       "ns.example.\t1\t2023-11-14T22:13:17Z\n");
}
END_TEST

/* A delegation is shown when the zone names other servers than its parent. */
START_TEST(parents_sets_are_dumped)
{
	static const uint8_t one[] = "\2n1\7example", other[] = "\2n2\7example";
	uint8_t name[NAME_MAX_LEN];
	struct rrset *s;

	for (int i = 0; i < 3; i++) {
		static const char *const zones[] = { "same.example.", "other.example.",
						     "silent.example." };
		struct rdata rr = { one, sizeof(one) };

		ck_assert_int_eq(name_from_text(name, zones[i]), E_OK);
		ck_assert_int_eq(rrset_new(&s, name, TYPE_NS, 60, FAKE_WALL_S, RANK_REFERRAL, &rr,
					   1, NULL, 0),
				 E_OK);
		ck_assert_int_eq(cache_put(env.env.cache, s, true, FAKE_WALL_S), CACHE_STORED);
		rrset_put(s);
	}
	fake_env_put(&env, "same.example.", TYPE_NS, 300, RANK_AUTH_ANSWER, one, sizeof(one));
	fake_env_put(&env, "other.example.", TYPE_NS, 300, RANK_AUTH_ANSWER, other, sizeof(other));
	ck_assert_str_eq(dump("dump-saved-parent-ns-sets", 0,
			      "dump-saved-parent-ns-sets: dumped 1 records\n"),
			 "; saved parent nameserver sets dump follows\n; domain\tttl\tnames\n"
			 "other.example.\t60\t n1.example.\n");
}
END_TEST

static void fill_until_it_is_larger_than_a_pipe(void)
{
	for (unsigned i = 0; i < 3000; i++) {
		static const uint8_t ip[4] = { 192, 0, 2, 1 };
		char name[32];

		snprintf(name, sizeof(name), "n%u.example.", i);
		fake_env_put(&env, name, TYPE_A, 300, RANK_AUTH_ANSWER, ip, sizeof(ip));
	}
}

static void expect_error(int file, int stop_fd, const char *why)
{
	struct command_request *rq = malloc(sizeof(*rq));
	char text[] = "dump-cache r";
	struct command_reply reply;

	command_parse(rq, text, strlen(text));
	rq->file = file;
	rq->stop_fd = stop_fd;
	command_run(&env.env, rq, &reply);
	ck_assert_int_eq(reply.status, 1);
	ck_assert_str_eq(reply.text, why);
	command_reply_free(&reply);
	free(rq);
}

START_TEST(the_end_of_the_daemon_ends_a_dump_that_nobody_reads)
{
	int ends[2], stop = eventfd(1, EFD_CLOEXEC);

	fill_until_it_is_larger_than_a_pipe();
	ck_assert_int_eq(pipe(ends), 0);
	expect_error(ends[1], stop, "Error writing dump file: Operation canceled\n");
}
END_TEST

static void *read_all(void *arg)
{
	const int *fd = arg;
	static size_t total;
	char buf[1000];
	ssize_t n;

	while ((n = read(*fd, buf, sizeof(buf))) > 0)
		total += (size_t)n;
	return &total;
}

START_TEST(a_slow_reader_gets_all)
{
	pthread_t reader;
	void *total;
	int ends[2], status;
	char *reply;

	fill_until_it_is_larger_than_a_pipe();
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &ends[0]), 0);
	reply = fake_env_say(&env, "dump-cache r", ends[1], &status);
	close(ends[1]);
	pthread_join(reader, &total);
	ck_assert_str_eq(reply, "dumped 3000 records\n");
	ck_assert_uint_gt(*(size_t *)total, 3000 * 50);
	free(reply);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(full, 0);
	fill_caches();
	expect_error(full, -1, "Error writing dump file: No space left on device\n");
	close(full);
}
END_TEST

Suite *suite_dump(void)
{
	Suite *s = suite_create("dump");
	TCase *t = tcase_create("dump");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, the_cache_is_dumped);
	tcase_add_test(t, parts_of_the_cache_are_dumped);
	tcase_add_test(t, proofs_are_dumped_and_wiped);
	tcase_add_test(t, a_large_packet_cache_is_dumped_in_slices);
	tcase_add_test(t, servers_are_dumped);
	tcase_add_test(t, servers_in_trouble_are_dumped);
	tcase_add_test(t, parents_sets_are_dumped);
	tcase_add_test(t, the_end_of_the_daemon_ends_a_dump_that_nobody_reads);
	tcase_add_test(t, a_slow_reader_gets_all);
	tcase_add_test(t, a_full_disk_is_told);
	suite_add_tcase(s, t);
	return s;
}
