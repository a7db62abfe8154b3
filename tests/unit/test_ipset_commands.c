#include "recursor/watch/ipset_commands.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recursor/policy/ipset.h"
#include "tests/unit/fake_env.h"

enum { NOW_S = FAKE_NOW_MS / 1000 };

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

static void expect_file(const char *line, int file, int status, const char *text)
{
	int got;
	char *reply = fake_env_say(&env, line, file, &got);

	ck_assert_str_eq(reply, text);
	ck_assert_int_eq(got, status);
	free(reply);
}

static void expect(const char *line, int status, const char *text)
{
	expect_file(line, -1, status, text);
}

static bool has(const char *text, uint32_t now_s)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return ipset_has(env.known, NULL, &a, now_s);
}

START_TEST(addresses_come_and_go)
{
	expect("add-to-ipset known 192.0.2.1 2001:db8::1", 0, "added 2 to ipset known\n");
	expect("add-to-ipset known ttl=5 192.0.2.2", 0, "added 1 to ipset known\n");
	expect("add-to-ipset known ttl=0 192.0.2.3", 0, "added 1 to ipset known\n");
	ck_assert(has("192.0.2.1", NOW_S + 59) && !has("192.0.2.1", NOW_S + 60));
	ck_assert(has("192.0.2.2", NOW_S + 4) && !has("192.0.2.2", NOW_S + 5));
	ck_assert(has("192.0.2.3", NOW_S + 1000000));
	expect("remove-from-ipset known 192.0.2.1 192.0.2.77", 0, "removed 1 from ipset known\n");
	ck_assert(!has("192.0.2.1", NOW_S));
	expect("--json clear-ipset known", 0, "{\"removed\":3}");
	ck_assert_uint_eq(ipset_count(env.known), 0);
}
END_TEST

START_TEST(sets_are_listed)
{
	expect("add-to-ipset known 192.0.2.1", 0, "added 1 to ipset known\n");
	expect("list-ipsets", 0,
	       "name                        entries        max      ttl       adds    refused    "
	       "expired\n"
	       "known                             1          0       60          1          0    "
	       "      0\n");
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
	expect("add-to-ipset other 192.0.2.1", 1,
	       "there is no ipset 'other'; list-ipsets shows them\n");
	expect("remove-from-ipset other 192.0.2.1", 1,
	       "there is no ipset 'other'; list-ipsets shows them\n");
	expect("clear-ipset other", 1, "there is no ipset 'other'; list-ipsets shows them\n");
	expect("add-to-ipset known 192.0.2.1 192.0.2.0/24", 1,
	       "'192.0.2.0/24' is not an address; nothing was changed\n");
	expect("add-to-ipset known 192.0.2.1:53", 1,
	       "'192.0.2.1:53' is not an address; nothing was changed\n");
	expect("remove-from-ipset known x", 1, "'x' is not an address; nothing was changed\n");
	expect("add-to-ipset known ttl=x 192.0.2.1", 1, "ttl= wants a number of seconds\n");
	expect("add-to-ipset known ttl=5", 1,
	       "usage: add-to-ipset NAME [ttl=SECONDS] ADDRESS...\n");
	expect("add-to-ipset known", 1, "usage: add-to-ipset NAME [ttl=SECONDS] ADDRESS...\n");
	expect("load-ipset known FILE", 1, "load-ipset: no file came with it\n");
	ck_assert_uint_eq(ipset_count(env.known), 0);
}
END_TEST

START_TEST(a_full_set_is_told)
{
	struct ipset_options small = { .name = "known", .has_max = true, .max = 1 };
	struct ipset *s = NULL;

	ck_assert_int_eq(ipsets_open(env.ipsets, &s, &small), E_OK);
	expect("add-to-ipset known 192.0.2.1 192.0.2.2 192.0.2.3", 1,
	       "192.0.2.2: the set is full; 1 of 3 added\n");
	ipset_put(s);
}
END_TEST

START_TEST(a_set_is_dumped_and_loaded)
{
	FILE *f = tmpfile();
	char text[200] = "";

	ck_assert_ptr_nonnull(f);
	expect("add-to-ipset known ttl=7 192.0.2.1", 0, "added 1 to ipset known\n");
	expect_file("dump-ipset known list", fileno(f), 0, "dump-ipset: dumped 1 records\n");
	rewind(f);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 0);
	ck_assert_str_eq(text, "# ipset known: an address a line, and the seconds it stays; "
			       "0: for ever\n192.0.2.1 7\n");
	rewind(f);
	expect("add-to-ipset known 192.0.2.2", 0, "added 1 to ipset known\n");
	expect_file("load-ipset known list", fileno(f), 0, "loaded 1 into ipset known\n");
	ck_assert(has("192.0.2.1", NOW_S + 6) && !has("192.0.2.1", NOW_S + 7));
	ck_assert(!has("192.0.2.2", NOW_S));
	ck_assert_int_ge(fprintf(f, "10.0.0.0/8\n"), 0);
	rewind(f);
	expect_file("load-ipset known list", fileno(f), 1,
		    "list:3: an ipset holds addresses, no netmasks: '10.0.0.0/8'\n");
	ck_assert(has("192.0.2.1", NOW_S));
	expect_file("dump-ipset other list", fileno(f), 1,
		    "there is no ipset 'other'; list-ipsets shows them\n");
	expect_file("--json load-ipset other list", fileno(f), 1,
		    "{\"error\":\"there is no ipset 'other'; list-ipsets shows them\"}");
	(void)fclose(f);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	FILE *f = fopen("/dev/full", "we");

	ck_assert_ptr_nonnull(f);
	expect("add-to-ipset known ttl=7 192.0.2.1", 0, "added 1 to ipset known\n");
	expect_file("dump-ipset known list", fileno(f), 1,
		    "Error writing dump file: No space left on device\n");
	(void)fclose(f);
}
END_TEST

/* From a pipe whose writer has gone without a line's end. */
START_TEST(a_pipe_is_read_to_its_end)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "192.0.2.9", 9), 9);
	close(ends[1]);
	expect_file("load-ipset known -", ends[0], 0, "loaded 1 into ipset known\n");
	ck_assert(has("192.0.2.9", NOW_S));
	close(ends[0]);
}
END_TEST

Suite *suite_ipset_commands(void)
{
	Suite *s = suite_create("ipset_commands");
	TCase *t = tcase_create("ipset_commands");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, addresses_come_and_go);
	tcase_add_test(t, sets_are_listed);
	tcase_add_test(t, what_is_wrong_is_told);
	tcase_add_test(t, a_full_set_is_told);
	tcase_add_test(t, a_set_is_dumped_and_loaded);
	tcase_add_test(t, a_full_disk_is_told);
	tcase_add_test(t, a_pipe_is_read_to_its_end);
	suite_add_tcase(s, t);
	return s;
}
