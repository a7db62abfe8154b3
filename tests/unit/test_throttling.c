#include "recursor/watch/throttling.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_env.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

static void expect(const char *line, int status, const char *text, const char *list)
{
	int got;
	char *reply = fake_env_say(&env, line, -1, &got);

	ck_assert_str_eq(reply, text);
	ck_assert_int_eq(got, status);
	ck_assert_str_eq(env.dont_throttle, list);
	free(reply);
}

START_TEST(names)
{
	expect("get-dont-throttle-names", 0, "\n", "");
	expect("add-dont-throttle-names ns.example.com ns2.example.com", 0,
	       "Added ns.example.com, ns2.example.com to the list of nameservers that may not be "
	       "throttled\n",
	       "ns.example.com, ns2.example.com");
	/* Once is enough. */
	expect("add-dont-throttle-names NS.example.com. example.net", 0,
	       "Added NS.example.com., example.net to the list of nameservers that may not be "
	       "throttled\n",
	       "ns2.example.com, NS.example.com., example.net");
	expect("get-dont-throttle-names", 0, "ns2.example.com, NS.example.com., example.net\n",
	       "ns2.example.com, NS.example.com., example.net");
	expect("clear-dont-throttle-names ns.example.com", 0,
	       "Removed ns.example.com from the list of nameservers that may not be throttled\n",
	       "ns2.example.com, example.net");
	expect("clear-dont-throttle-names *", 0,
	       "Cleared list of nameservers that may not be throttled\n", "");
}
END_TEST

START_TEST(netmasks)
{
	expect("add-dont-throttle-netmasks 192.0.2.0/24", 0,
	       "Added 192.0.2.0/24 to the list of nameserver netmasks that may not be throttled\n",
	       "192.0.2.0/24");
	expect("get-dont-throttle-netmasks", 0, "192.0.2.0/24\n", "192.0.2.0/24");
	expect("--json get-dont-throttle-netmasks", 0,
	       "{\"dont-throttle-netmasks\":\"192.0.2.0/24\"}", "192.0.2.0/24");
	expect("clear-dont-throttle-netmasks *", 0,
	       "Cleared list of nameserver netmasks that may not be throttled\n", "");
}
END_TEST

START_TEST(a_refusal_changes_nothing)
{
	char *reply;
	int status;

	env.refuses = true;
	reply = fake_env_say(&env, "add-dont-throttle-names a..b", -1, &status);
	ck_assert_int_eq(status, 1);
	ck_assert_str_eq(env.dont_throttle, "");
	free(reply);
}
END_TEST

START_TEST(throttles_are_cleared)
{
	static const uint8_t ns[] = "\2ns\7example";
	struct servers_stats stats;
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, "192.0.2.1", 53), E_OK);
	servers_throttle(env.env.servers, &a, ns, 1, 1, THROTTLE_LAME, FAKE_NOW_MS);
	servers_answered(env.env.servers, &a, 1000, true, FAKE_NOW_MS);
	expect("clear-throttles", 0, "cleared 1 throttles\n", "");
	servers_stats(env.env.servers, &stats);
	ck_assert_uint_eq(stats.throttles, 0);
	ck_assert_uint_eq(stats.servers, 1);
	expect("clear-nsspeeds", 0, "cleared 0 throttles and the speeds of all servers\n", "");
	servers_stats(env.env.servers, &stats);
	ck_assert_uint_eq(stats.servers, 0);
}
END_TEST

Suite *suite_throttling(void);

Suite *suite_throttling(void)
{
	Suite *s = suite_create("throttling");
	TCase *tc = tcase_create("throttling");

	tcase_add_checked_fixture(tc, open_env, close_env);
	tcase_add_test(tc, names);
	tcase_add_test(tc, netmasks);
	tcase_add_test(tc, a_refusal_changes_nothing);
	tcase_add_test(tc, throttles_are_cleared);
	suite_add_tcase(s, tc);
	return s;
}
