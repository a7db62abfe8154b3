#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "fake_env.h"
#include "recursor/watch/dnstap.h"
#include "recursor/watch/metrics.h"
#include "recursor/watch/prometheus.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	dnstap_free(env.env.dnstap);
	fake_env_close(&env);
}

/* Servers that nobody sends to: `n` messages wait for each. */
static void watch(const char *servers, unsigned n)
{
	static const uint8_t wire[12];
	const struct dnstap_options o = {
		.servers = servers,
		.messages = DNSTAP_MESSAGES,
		.identity = "",
		.version = "",
		.queue_size = DNSTAP_QUEUE_LEAST,
		.reopen_interval_s = 1,
		.n_workers = 2,
	};
	const struct dnstap_message m = { .type = DNSTAP_CLIENT_QUERY, .wire = wire, .len = 12 };

	ck_assert_int_eq(dnstap_new(&env.env.dnstap, &o), E_OK);
	for (unsigned i = 0; i < n; i++)
		dnstap_see(dnstap_tap_of(env.env.dnstap, i % 2), &m);
}

static char *say(const char *line)
{
	int status;
	char *reply = fake_env_say(&env, line, -1, &status);

	ck_assert_int_eq(status, 0);
	return reply;
}

#define HEADING "Queued\tPipe-\tToo-\tOther-\tAddress\tType\n\tFull\tLarge\terror\n"

START_TEST(a_line_for_each_server)
{
	char *reply = say("get-remotelogger-stats");
	json_t *json, *server;

	ck_assert_str_eq(reply, HEADING);
	free(reply);
	watch("/run/a.sock 192.0.2.1:6000", 3);
	reply = say("get-remotelogger-stats");
	ck_assert_str_eq(reply, HEADING "3\t0\t0\t0\t/run/a.sock\tdnstapFrameStream\n"
					"3\t0\t0\t0\t192.0.2.1:6000\tdnstapFrameStream\n");
	free(reply);
	reply = say("--json get-remotelogger-stats");
	json = json_loads(reply, 0, NULL);
	server = json_array_get(json_object_get(json, "remote-loggers"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(server, "address")), "192.0.2.1:6000");
	ck_assert_int_eq(json_integer_value(json_object_get(server, "queued")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(server, "sent")), 0);
	ck_assert(json_is_false(json_object_get(server, "is-connected")));
	json_decref(json);
	free(reply);
}
END_TEST

START_TEST(a_metric_for_each_server_and_outcome)
{
	uint64_t value;

	ck_assert(!metrics_get(&env.env, "remote-logger-count-q-0", &value));
	watch("/run/a.sock /run/b.sock", 5);
	for (const char *p = "qpto"; *p != '\0'; p++) {
		char name[] = "remote-logger-count-?-1";

		name[strlen("remote-logger-count-")] = *p;
		ck_assert_msg(metrics_get(&env.env, name, &value), "%s", name);
		ck_assert_uint_eq(value, *p == 'q' ? 5 : 0);
	}
	ck_assert(!metrics_get(&env.env, "remote-logger-count-q-2", &value));
}
END_TEST

/* Labels as Prometheus reads them, whatever a path is made of. */
START_TEST(labels_are_quoted)
{
	static const char *const lines[] = {
		"# TYPE pdns_recursor_remote_logger_count counter\n",
		"pdns_recursor_remote_logger_count{address=\"/a\\\"b\\\\c\\\\xc3\\\\xa4\","
		"type=\"dnstapFrameStream\",count=\"queued\"} 2\n",
		"pdns_recursor_remote_logger_count{address=\"[2001:db8::1]:6000\","
		"type=\"dnstapFrameStream\",count=\"otherError\"} 0\n",
	};
	char longest[110], *text = NULL;
	size_t len;
	FILE *f;

	memset(longest, 0xff, sizeof(longest));
	longest[0] = '/';
	strcpy(longest + 105, " /x");
	watch(longest, 0);
	f = open_memstream(&text, &len);
	prometheus_write(f, &env.env);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(
		strstr(text, "\\\\xff\",type=\"dnstapFrameStream\",count=\"pipeFull\"} 0\n"));
	free(text);
	dnstap_free(env.env.dnstap);

	watch("/a\"b\\c\xc3\xa4 [2001:db8::1]:6000", 2);
	f = open_memstream(&text, &len);
	prometheus_write(f, &env.env);
	ck_assert_int_eq(fclose(f), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(strstr(text, lines[i]) != NULL, "no %s", lines[i]);
	free(text);
}
END_TEST

Suite *suite_dnstap_command(void)
{
	Suite *s = suite_create("dnstap_command");
	TCase *t = tcase_create("dnstap_command");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, a_line_for_each_server);
	tcase_add_test(t, a_metric_for_each_server_and_outcome);
	tcase_add_test(t, labels_are_quoted);
	suite_add_tcase(s, t);
	return s;
}
