#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/watch/top.h"
#include "tests/unit/fake_env.h"
#include "tests/unit/wire_name.h"

static struct fake_env fake;
static char *reply;
static int status;

static void open_env(void)
{
	fake_env_open(&fake);
	reply = NULL;
}

static void close_env(void)
{
	fake_env_close(&fake);
	free(reply);
}

static const char *say(const char *line)
{
	free(reply);
	reply = fake_env_say(&fake, line, -1, &status);
	return reply;
}

static void note(unsigned worker, enum ring_kind ring, const char *remote, const char *name,
		 uint16_t type)
{
	const uint8_t *w = name == NULL ? NULL : wire(name);
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, remote, 4000), E_OK);
	rings_note(fake.rings[worker], ring,
		   &(struct ring_note) { .remote = &a,
					 .name = w,
					 .name_len = w == NULL ? 0 : name_len(w),
					 .type = type });
}

START_TEST(nothing_to_count)
{
	static const char *const commands[] = {
		"top-bogus-queries",     "top-bogus-remotes", "top-largeanswer-remotes",
		"top-pub-bogus-queries", "top-pub-queries",   "top-pub-servfail-queries",
		"top-queries",           "top-remotes",       "top-servfail-queries",
		"top-servfail-remotes",  "top-timeouts",
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		char json[64];

		ck_assert_str_eq(say(commands[i]), "No qualifying data available\n");
		ck_assert_int_eq(status, 0);
		(void)snprintf(json, sizeof(json), "--json %s", commands[i]);
		ck_assert_str_eq(say(json), "{\"entries\":0,\"top\":[],\"rest\":0}");
	}
}
END_TEST

START_TEST(questions_of_all_workers)
{
	note(0, RING_QUERIES, "192.0.2.1", "www.example.com", TYPE_A);
	note(1, RING_QUERIES, "192.0.2.2", "WWW.Example.com", TYPE_A);
	note(1, RING_QUERIES, "192.0.2.1", "www.example.com", TYPE_AAAA);
	ck_assert_str_eq(say("top-queries"), "Over last 3 entries:\n"
					     "66.67%\twww.example.com.|A\n"
					     "33.33%\twww.example.com.|AAAA\n"
					     "\n"
					     "0.00%\trest\n");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(say("--json top-queries"),
			 "{\"entries\":3,\"top\":["
			 "{\"count\":2,\"name\":\"www.example.com.\",\"type\":\"A\"},"
			 "{\"count\":1,\"name\":\"www.example.com.\",\"type\":\"AAAA\"}],"
			 "\"rest\":0}");
}
END_TEST

START_TEST(by_public_suffix)
{
	note(0, RING_SERVFAIL, "192.0.2.1", "a.Example.co.uk", TYPE_A);
	note(1, RING_SERVFAIL, "192.0.2.1", "b.b.example.co.uk", TYPE_A);
	note(1, RING_SERVFAIL, "192.0.2.1", "c.example.co.uk", TYPE_MX);
	note(1, RING_SERVFAIL, "192.0.2.1", ".", TYPE_NS);
	ck_assert_str_eq(say("top-pub-servfail-queries"), "Over last 4 entries:\n"
							  "50.00%\texample.co.uk.|A\n"
							  "25.00%\t.|NS\n"
							  "25.00%\texample.co.uk.|MX\n"
							  "\n"
							  "0.00%\trest\n");
	ck_assert_ptr_nonnull(
		strstr(say("top-servfail-queries"), "25.00%\tb.b.example.co.uk.|A\n"));
}
END_TEST

START_TEST(by_address)
{
	note(0, RING_REMOTES, "192.0.2.1:1", NULL, 0);
	note(0, RING_REMOTES, "2001:db8::1", NULL, 0);
	note(1, RING_REMOTES, "192.0.2.1:2", NULL, 0);
	ck_assert_str_eq(say("top-remotes"), "Over last 3 entries:\n"
					     "66.67%\t192.0.2.1\n"
					     "33.33%\t2001:db8::1\n"
					     "\n"
					     "0.00%\trest\n");
	ck_assert_str_eq(say("--json top-remotes"),
			 "{\"entries\":3,\"top\":[{\"count\":2,\"remote\":\"192.0.2.1\"},"
			 "{\"count\":1,\"remote\":\"2001:db8::1\"}],\"rest\":0}");
	note(0, RING_TIMEOUTS, "192.0.2.9:53", NULL, 0);
	ck_assert_ptr_nonnull(strstr(say("top-timeouts"), "100.00%\t192.0.2.9\n"));
	/* A ring of questions counts their clients. */
	note(0, RING_LARGE_ANSWERS, "192.0.2.7", "big", TYPE_TXT);
	ck_assert_ptr_nonnull(strstr(say("top-largeanswer-remotes"), "100.00%\t192.0.2.7\n"));
}
END_TEST

/* Twenty rows; of equal counts the lower key first; what is below them is the rest. */
START_TEST(twenty_rows_and_the_rest)
{
	char expected[2048] = "Over last 50 entries:\n6.00%\tb.|A\n4.00%\tb.|AAAA\n", name[16];

	for (unsigned i = 0; i < 45; i++) {
		(void)snprintf(name, sizeof(name), "n%02u", (i * 7) % 45);
		note(i % 2, RING_QUERIES, "192.0.2.1", name, TYPE_A);
	}
	for (unsigned i = 0; i < 5; i++)
		note(0, RING_QUERIES, "192.0.2.1", "b", i % 2 == 0 ? TYPE_A : TYPE_AAAA);
	for (unsigned i = 0; i < 18; i++)
		(void)snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
			       "2.00%%\tn%02u.|A\n", i);
	strcat(expected, "\n54.00%\trest\n");
	ck_assert_str_eq(say("top-queries"), expected);
}
END_TEST

START_TEST(many_entries)
{
	const struct top_wanted wanted = { .ring = RING_QUERIES, .by = TOP_BY_QUESTION };
	struct rings *large;
	struct top t;

	ck_assert_int_eq(rings_new(&large, 20000), E_OK);
	rings_free(ringset_swap(fake.env.rings, 0, large));
	fake.rings[0] = large;
	for (unsigned i = 0; i < 20000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "n%u.example", i % 5000);
		note(0, RING_QUERIES, "192.0.2.1", name, TYPE_A);
	}
	ck_assert_int_eq(top_count(&t, fake.env.rings, &wanted), E_OK);
	ck_assert_uint_eq(t.entries, 20000);
	ck_assert_uint_eq(t.n, 5000);
	for (size_t i = 0; i < t.n; i++)
		ck_assert_uint_eq(t.rows[i].count, 4);
	top_clear(&t);
}
END_TEST

START_TEST(of_some_clients_within_a_domain)
{
	struct top_wanted wanted = { .ring = RING_QUERIES, .by = TOP_BY_QUESTION };
	struct netset *clients = NULL;
	uint8_t within[NAME_MAX_LEN];
	struct top t;

	note(0, RING_QUERIES, "192.0.2.1", "www.example.com", TYPE_A);
	note(1, RING_QUERIES, "192.0.2.2", "WWW.example.com", TYPE_A);
	note(1, RING_QUERIES, "198.51.100.1", "www.example.com", TYPE_A);
	note(1, RING_QUERIES, "192.0.2.2", "www.example.net", TYPE_A);
	ck_assert_int_eq(netset_new(&clients), E_OK);
	ck_assert_int_eq(netset_add_text(clients, "192.0.2.0/24"), E_OK);
	ck_assert_int_eq(name_from_text(within, "example.com"), E_OK);
	wanted.clients = clients;
	ck_assert_int_eq(top_count(&t, fake.env.rings, &wanted), E_OK);
	ck_assert_uint_eq(t.entries, 3);
	ck_assert_uint_eq(t.rows[0].count, 2);
	top_clear(&t);
	wanted.within = within;
	ck_assert_int_eq(top_count(&t, fake.env.rings, &wanted), E_OK);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.entries, 2);
	top_clear(&t);
	wanted.clients = NULL;
	wanted.by = TOP_BY_REMOTE;
	ck_assert_int_eq(top_count(&t, fake.env.rings, &wanted), E_OK);
	ck_assert_uint_eq(t.n, 3);
	ck_assert_uint_eq(t.entries, 3);
	top_clear(&t);
	netset_free(clients);
}
END_TEST

START_TEST(arguments_of_the_commands)
{
	for (unsigned i = 0; i < 30; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "n%u.example", i);
		note(0, RING_QUERIES, i < 3 ? "192.0.2.1" : "2001:db8::1", name, TYPE_A);
	}
	note(1, RING_QUERIES, "198.51.100.1", "www.example.org", TYPE_TXT);
	ck_assert_str_eq(say("top-queries suffix=Example.ORG"),
			 "Over last 1 entries:\n100.00%\twww.example.org.|TXT\n\n0.00%\trest\n");
	ck_assert_str_eq(say("top-queries client=192.0.2.0/24 limit=1"),
			 "Over last 3 entries:\n33.33%\tn0.example.|A\n\n66.67%\trest\n");
	ck_assert_ptr_nonnull(
		strstr(say("--json top-pub-queries client=2001:db8::/32,192.0.2.1 limit=5"),
		       "{\"entries\":30,"));
	ck_assert_ptr_nonnull(strstr(say("top-queries limit=100"), "n29.example.|A"));
	ck_assert_str_eq(say("top-queries client=x"),
			 "'client=x' is none of client=NETMASK, suffix=NAME, limit=N (10000 at "
			 "most)\n");
	ck_assert_int_eq(status, 1);
	ck_assert_ptr_nonnull(strstr(say("top-queries limit=0"), "'limit=0' is none"));
	ck_assert_ptr_nonnull(strstr(say("top-queries limit=10001"), "'limit=10001' is none"));
	ck_assert_ptr_nonnull(strstr(say("top-queries suffix=a..b"), "'suffix=a..b' is none"));
	ck_assert_ptr_nonnull(strstr(say("top-queries 20"), "'20' is none"));
	ck_assert_ptr_nonnull(
		strstr(say("top-queries client=192.0.2.1 client=192.0.2.2"), "'client=192.0.2.2'"));
}
END_TEST

START_TEST(words_for_rings)
{
	enum ring_kind ring;

	ck_assert(top_find_ring("queries", &ring) && ring == RING_QUERIES);
	ck_assert(top_find_ring("servfail", &ring) && ring == RING_SERVFAIL);
	ck_assert(top_find_ring("servfail-queries", &ring) && ring == RING_SERVFAIL);
	ck_assert(top_find_ring("large-answer-remotes", &ring) && ring == RING_LARGE_ANSWERS);
	ck_assert(!top_find_ring("query", &ring));
}
END_TEST

START_TEST(changing_what_they_depend_on)
{
	ck_assert_str_eq(say("set-stats-ringbuffer-entries 5"),
			 "New number of entries of each ring: 5\n");
	ck_assert_str_eq(fake.changed, "stats-ringbuffer-entries=5");
	ck_assert_str_eq(say("reload-public-suffix-list"), "ok\n");
	ck_assert_str_eq(fake.changed, "public-suffix-list-file ");
	fake.refuses = true;
	(void)say("set-stats-ringbuffer-entries 5");
	ck_assert_int_eq(status, 1);
	ck_assert_str_eq(say("reload-public-suffix-list"), "recursor.conf:1: what is that\n");
	ck_assert_int_eq(status, 1);
}
END_TEST

Suite *suite_top(void)
{
	Suite *s = suite_create("top");
	TCase *tc = tcase_create("top");

	tcase_add_checked_fixture(tc, open_env, close_env);
	tcase_add_test(tc, nothing_to_count);
	tcase_add_test(tc, questions_of_all_workers);
	tcase_add_test(tc, by_public_suffix);
	tcase_add_test(tc, by_address);
	tcase_add_test(tc, twenty_rows_and_the_rest);
	tcase_add_test(tc, many_entries);
	tcase_add_test(tc, of_some_clients_within_a_domain);
	tcase_add_test(tc, arguments_of_the_commands);
	tcase_add_test(tc, words_for_rings);
	tcase_add_test(tc, changing_what_they_depend_on);
	suite_add_tcase(s, tc);
	return s;
}
