#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_env.h"
#include "recursor/watch/carbon.h"
#include "recursor/watch/metrics.h"

static struct fake_env env;
static const char *ourname, *namespace;

static char *setting(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "carbon-ourname") == 0)
		return strdup(ourname);
	if (strcmp(name, "carbon-namespace") == 0)
		return strdup(namespace);
	if (strcmp(name, "stats-carbon-disabled-list") == 0)
		return strdup("cache-bytes, uptime");
	return strdup(strcmp(name, "carbon-instance") == 0 ? "recursor" : "");
}

static void open_env(void)
{
	fake_env_open(&env);
	env.env.setting = setting;
	ourname = "ns1.example";
	namespace = "pdns";
}

static void close_env(void)
{
	fake_env_close(&env);
}

START_TEST(a_line_a_metric)
{
	size_t len, lines = 0;
	char *text, *at;

	counter_add(&env.counters[0].questions, 1200);
	counter_add(&env.counters[1].questions, 34);
	text = carbon_text(&env.env, &len);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_ptr_nonnull(
		strstr(text, "\npdns.ns1.example.recursor.questions 1234 1700000000\r\n"));
	for (at = text; *at != '\0'; at = strstr(at, "\r\n") + 2) {
		ck_assert_int_eq(strncmp(at, "pdns.ns1.example.recursor.", 26), 0);
		lines++;
	}
	ck_assert_uint_ge(lines, metrics_count() - 2);
	ck_assert_ptr_null(strstr(text, ".uptime "));
	free(text);
}
END_TEST

START_TEST(without_a_name_it_is_the_host)
{
	char host[256] = "", prefix[300];
	char *text;
	size_t len;

	ourname = "";
	ck_assert_int_eq(gethostname(host, sizeof(host) - 1), 0);
	for (char *at = host; *at != '\0'; at++)
		if (*at == '.')
			*at = '_';
	snprintf(prefix, sizeof(prefix), "pdns.%s.recursor.", host);
	text = carbon_text(&env.env, &len);
	ck_assert_msg(strncmp(text, prefix, strlen(prefix)) == 0, "%.80s", text);
	free(text);
}
END_TEST

START_TEST(a_path_has_no_blanks)
{
	char *text;
	size_t len;

	ourname = "our host";
	namespace = "a\tb";
	text = carbon_text(&env.env, &len);
	ck_assert_int_eq(strncmp(text, "a_b.our_host.recursor.", 22), 0);
	free(text);
}
END_TEST

START_TEST(lists_of_servers)
{
	struct carbon_peer peers[CARBON_SERVERS_MAX];
	char why[ENV_WHY_MAX], many[64 * CARBON_SERVERS_MAX] = "";
	unsigned n = 77;

	ck_assert_int_eq(carbon_read_servers(peers, &n, "", why), E_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(carbon_read_servers(peers, &n,
					     "192.0.2.1, 192.0.2.2:99 [2001:db8::1]:7,2001:db8::2",
					     why),
			 E_OK);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(peers[0].to.port, 2003);
	ck_assert_uint_eq(peers[1].to.port, 99);
	ck_assert_uint_eq(peers[2].to.port, 7);
	ck_assert_uint_eq(peers[3].to.port, 2003);
	ck_assert_uint_eq(peers[3].to.family, 6);
	ck_assert_int_eq(carbon_read_servers(peers, &n, "192.0.2.1,graphite", why), E_MALFORMED);
	ck_assert_str_eq(why, "'graphite': not an address");
	ck_assert_uint_eq(n, 4);
	for (int i = 0; i <= CARBON_SERVERS_MAX; i++)
		strcat(many, "192.0.2.1 ");
	ck_assert_int_eq(carbon_read_servers(peers, &n, many, why), E_LIMIT);
}
END_TEST

static void say(const char *line, int expected, const char *reply)
{
	int status;
	char *text = fake_env_say(&env, line, -1, &status);

	ck_assert_str_eq(text, reply);
	ck_assert_int_eq(status, expected);
	free(text);
}

START_TEST(the_command)
{
	say("set-carbon-server", 0, "cleared carbon-server setting\n");
	ck_assert_str_eq(env.changed, "carbon-server=");
	say("set-carbon-server 192.0.2.1", 0, "set carbon-server to '192.0.2.1'\n");
	ck_assert_str_eq(env.changed, "carbon-server=192.0.2.1");
	say("set-carbon-server 192.0.2.1,192.0.2.2 ns1 isp res", 0,
	    "set carbon-server to '192.0.2.1,192.0.2.2'\nset carbon-ourname to 'ns1'\n"
	    "set carbon-namespace to 'isp'\nset carbon-instance to 'res'\n");
	say("--json set-carbon-server 192.0.2.1 ns2", 0,
	    "{\"carbon-server\":\"192.0.2.1\",\"carbon-ourname\":\"ns2\"}");
	env.changed[0] = '\0';
	say("set-carbon-server graphite ns1", 1,
	    "carbon-server stays as it is: 'graphite': not an address\n");
	ck_assert_str_eq(env.changed, "");
	env.refuses = true;
	say("set-carbon-server 192.0.2.1 ns1", 1, "carbon-ourname=ns1: must be less\n");
}
END_TEST

START_TEST(a_life_without_servers)
{
	struct carbon_stats stats = { .pushes = 1 };
	struct carbon *c = NULL;

	ck_assert_int_eq(carbon_new(&c), E_OK);
	ck_assert_int_eq(carbon_start(c, &env.env), E_OK);
	carbon_poke(c);
	carbon_poke(NULL);
	carbon_stop(c);
	carbon_stats(c, &stats);
	ck_assert_uint_eq(stats.pushes + stats.errors + stats.timeouts, 0);
	carbon_free(c);
	carbon_free(NULL);
	carbon_stats(NULL, &stats);
}
END_TEST

Suite *suite_carbon(void)
{
	Suite *s = suite_create("carbon");
	TCase *t = tcase_create("carbon");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, a_line_a_metric);
	tcase_add_test(t, without_a_name_it_is_the_host);
	tcase_add_test(t, a_path_has_no_blanks);
	tcase_add_test(t, lists_of_servers);
	tcase_add_test(t, the_command);
	tcase_add_test(t, a_life_without_servers);
	suite_add_tcase(s, t);
	return s;
}
