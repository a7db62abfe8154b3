#include <check.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/metrics.h"
#include "recursor/watch/tracer.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

static void expect_reply(const char *line, int status, const char *text)
{
	int got;
	char *reply = fake_env_say(&env, line, -1, &got);

	ck_assert_str_eq(reply, text);
	ck_assert_msg(got == status, "'%s' has status %d", line, got);
	free(reply);
}

static json_t *expect_json(const char *line, int status)
{
	json_t *json;
	int got;
	char *reply = fake_env_say(&env, line, -1, &got);

	json = json_loads(reply, 0, NULL);
	ck_assert_msg(json_is_object(json), "'%s' is answered with: %s", line, reply);
	ck_assert_msg(got == status, "'%s' has status %d", line, got);
	ck_assert_int_eq(json_object_get(json, "error") != NULL, status != 0);
	free(reply);
	return json;
}

START_TEST(rows_are_in_order_and_explained)
{
	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *c = commands_at(i);

		ck_assert_uint_gt(strlen(c->help), 10);
		ck_assert_ptr_nonnull(c->run);
		ck_assert_int_le(c->min_args, c->max_args);
		ck_assert_int_eq(c->takes_file == COMMAND_TAKES_FILE,
				 strncmp(c->arguments, "FILE", 4) == 0);
		if (i > 0)
			ck_assert_str_lt(commands_at(i - 1)->word, c->word);
	}
}
END_TEST

/* Who asked for a change stands in the log. */
START_TEST(those_that_change_something_are_known)
{
	static const char changing[] =
		" add-dont-throttle-names add-dont-throttle-netmasks clear-dont-throttle-names"
		" clear-dont-throttle-netmasks clear-nsspeeds clear-throttles drain quit quit-nicely"
		" reload reload-acls reload-zones save-cache set-max-cache-entries set-max-cache-memory"
		" set-max-packetcache-entries set-minimum-ttl set-quiet trace-regex undrain"
		" wipe-cache wipe-cache-typed ";
	static const char looking[] =
		" current-queries dump-cache explain get get-all get-parameter help ping version ";

	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *c = commands_at(i);
		char word[64];

		snprintf(word, sizeof(word), " %s ", c->word);
		if (strstr(changing, word) != NULL)
			ck_assert_msg(!command_only_looks(c), "%s", word);
		if (strstr(looking, word) != NULL)
			ck_assert_msg(command_only_looks(c), "%s", word);
	}
}
END_TEST

/* They tell why, and none of them has been built meanwhile. */
START_TEST(commands_of_powerdns_that_are_not_here_say_why)
{
	static const char *const others[][2] = {
#define OTHER_ROW(word, why) { word, why },
		COMMANDS_NOT_HERE(OTHER_ROW)
#undef OTHER_ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char line[64], reply[256];

		if (i > 0)
			ck_assert_str_lt(others[i - 1][0], others[i][0]);
		for (size_t k = 0; k < commands_count(); k++) {
			ck_assert_str_ne(commands_at(k)->word, others[i][0]);
			ck_assert_str_ne(commands_at(k)->alias, others[i][0]);
		}
		snprintf(line, sizeof(line), "%s x", others[i][0]);
		snprintf(reply, sizeof(reply), "%s: not here: %s\n", others[i][0], others[i][1]);
		expect_reply(line, 1, reply);
	}
	expect_reply("Dump-RPZ", 1, "dump-rpz: not here: there are no response policy zones\n");
}
END_TEST

START_TEST(what_is_no_command_is_refused)
{
	expect_reply("", 1, "invalid command\n");
	expect_reply("  \t", 1, "invalid command\n");
	expect_reply("--json", 1, "{\"error\":\"invalid command\"}");
	expect_reply("Frobnicate X", 1, "Unknown command 'frobnicate', try 'help'\n");
	expect_reply("--frob ping", 1, "Unknown flag '--frob'\n");
	expect_reply("ping pong", 1, "usage: ping\n");
	expect_reply("get-parameter", 1, "usage: get-parameter SETTING...\n");
	expect_reply("explain a b c", 1,
		     "usage: explain NAME [TYPE], or explain [NAME [TYPE]] --past\n");
	expect_reply("dump-cache", 1, "dump-cache: no file came with it\n");
	ck_assert_uint_eq(env.visits, 0);
}
END_TEST

START_TEST(a_request_is_bytes)
{
	struct command_request *rq = malloc(sizeof(*rq));
	size_t len = 4 + 2 * COMMAND_WORDS_MAX;
	char zero[] = "ping\0quit", *many = malloc(len + 1);

	command_parse(rq, zero, sizeof(zero) - 1);
	ck_assert_ptr_null(rq->command);
	ck_assert_str_eq(rq->why, "invalid command");

	for (size_t i = 0; i < len; i++)
		many[i] = i % 2 == 0 ? 'x' : ' ';
	many[len] = '\0';
	command_parse(rq, many, len);
	ck_assert_ptr_null(rq->command);
	ck_assert_str_eq(rq->why, "more than 1024 words");
	free(many);
	free(rq);
}
END_TEST

START_TEST(case_of_the_word_does_not_matter_and_flags_are_read)
{
	struct command_request *rq = malloc(sizeof(*rq));
	char text[] = " --json --unicode --color  GET\tQuestions";

	command_parse(rq, text, strlen(text));
	ck_assert_str_eq(rq->command->word, "get");
	ck_assert(rq->json && rq->unicode && rq->colour);
	ck_assert_int_eq(rq->argc, 1);
	ck_assert_str_eq(rq->argv[0], "Questions");
	free(rq);
}
END_TEST

START_TEST(every_worker_answers_a_ping)
{
	expect_reply("ping", 0, "pong worker-0\npong worker-1\n");
	ck_assert_uint_eq(env.visits, 2);
	expect_reply("--json ping", 0, "{\"pong\":[\"worker-0\",\"worker-1\"]}");
	env.is_stopped[0] = true;
	expect_reply("ping", 1, "no answer from worker-0\npong worker-1\n");
	json_decref(expect_json("--json ping", 1));
}
END_TEST

START_TEST(metrics_are_shown)
{
	json_t *json;
	char *all;
	int status;

	counter_add(&env.counters[0].questions, 7);
	expect_reply("get", 0, "");
	expect_reply("get questions nothing uptime", 0, "7\nUNKNOWN\n42\n");
	expect_reply("--json get questions nothing", 0, "{\"questions\":7,\"nothing\":null}");

	all = fake_env_say(&env, "get-all", -1, &status);
	ck_assert_ptr_nonnull(strstr(all, "\nquestions\t7\n"));
	ck_assert_ptr_null(strstr(all, "\ncache-bytes\t"));
	free(all);
	json = expect_json("--json get-all", 0);
	ck_assert_uint_gt(json_object_size(json), metrics_count());
	json_decref(json);
}
END_TEST

/* What a script counts stands behind what we count, but in no place of ours. */
START_TEST(metrics_of_scripts_are_shown)
{
	static const struct custom_metric own = { .name = "own-hits" },
					  taken = { .name = "questions" };
	struct custom_metric *metric;
	char *all;
	int status;

	ck_assert_int_eq(custom_metrics_get(&metric, env.env.custom_metrics, &taken), E_OK);
	atomic_store(&metric->value, 99);
	ck_assert_int_eq(custom_metrics_get(&metric, env.env.custom_metrics, &own), E_OK);
	atomic_store(&metric->value, 5);
	expect_reply("get own-hits questions own-misses", 0, "5\n0\nUNKNOWN\n");
	all = fake_env_say(&env, "get-all", -1, &status);
	ck_assert_ptr_nonnull(strstr(all, "\nown-hits\t5\n"));
	ck_assert_ptr_null(strstr(all, "\t99\n"));
	free(all);
}
END_TEST

START_TEST(settings_are_shown)
{
	json_t *json;

	expect_reply("get-parameter max-qperq max-total-msec", 0,
		     "max-qperq=50\nmax-total-msec=0\n");
	expect_reply("get-parameter max-qperq nothing", 1, "max-qperq=50\nnothing not known\n");
	json = expect_json("--json get-parameter version-string", 0);
	ck_assert_str_eq(json_string_value(json_object_get(json, "version-string")), "say \"?\"");
	json_decref(json);
	json = expect_json("--json get-parameter max-qperq nothing", 1);
	ck_assert_uint_eq(json_object_size(json), 1);
	json_decref(json);
}
END_TEST

START_TEST(settings_are_changed)
{
	expect_reply("set-minimum-ttl 30", 0, "New minimum TTL: 30\n");
	ck_assert_str_eq(env.changed, "minimum-ttl-override=30");
	expect_reply("set-minimum-ttl", 1, "Need to supply new minimum TTL number\n");
	expect_reply("set-minimum-ttl 1 2", 1, "Need to supply new minimum TTL number\n");
	expect_reply("set-max-cache-entries 5", 0, "New max cache entries: 5\n");
	ck_assert_str_eq(env.changed, "max-cache-entries=5");
	expect_reply("set-aggr-nsec-cache-size 8", 0, "New aggressive NSEC cache size: 8\n");
	ck_assert_str_eq(env.changed, "aggressive-nsec-cache-size=8");
	expect_reply("set-max-aggr-nsec-cache-size 9", 0, "New aggressive NSEC cache size: 9\n");
	expect_reply("set-aggr-nsec-cache-size", 1,
		     "Need to supply new aggressive NSEC cache size\n");
	expect_reply("set-max-packetcache-entries 6", 0, "New max packetcache entries: 6\n");
	ck_assert_str_eq(env.changed, "max-packetcache-entries=6");
	expect_reply("--json set-max-cache-entries 7", 0, "{\"max-cache-entries\":7}");
	expect_reply("set-max-cache-memory 64M", 0, "New max cache memory: 123456789 bytes\n");
	ck_assert_str_eq(env.changed, "max-cache-memory=64M");
	expect_reply("--json set-max-cache-memory 5", 0, "{\"max-cache-memory\":123456789}");
	expect_reply("set-quiet No", 0, "quiet is off\n");
	ck_assert_str_eq(env.changed, "quiet=no");
	expect_reply("set-quiet on", 0, "quiet is on\n");
	ck_assert_str_eq(env.changed, "quiet=yes");
	expect_reply("set-quiet loud", 1, "set-quiet: 'loud' is neither yes nor no\n");
	expect_reply("get-default-parameter max-qperq frob", 1, "max-qperq=60\nfrob not known\n");
	expect_reply("reload-acls", 0, "ok\n");
	ck_assert_ptr_eq(strstr(env.changed, "allow-from allow-from-file "), env.changed);
	expect_reply("reload-zones", 0, "ok\n");
	ck_assert_str_eq(env.changed, "zones ");
	expect_reply("reload", 0, "ok\n");
	ck_assert_ptr_eq(strstr(env.changed, "zones allow-from allow-from-file "), env.changed);

	strcpy(env.warns, "one is odd\nand another");
	expect_reply("reload-acls", 0, "ok\nwarning: one is odd\nwarning: and another\n");
	expect_reply("--json reload", 0,
		     "{\"result\":\"ok\",\"warnings\":[\"one is odd\",\"and another\"]}");
	expect_reply("reload-defender", 0, "ok\nwarning: one is odd\nwarning: and another\n");
	strcpy(env.warns, "it is much");
	expect_reply("set-max-cache-entries 5", 0,
		     "New max cache entries: 5\nwarning: it is much\n");
	expect_reply("set-max-cache-memory 64M", 0,
		     "New max cache memory: 123456789 bytes\nwarning: it is much\n");
	expect_reply("reload-lua-config", 0,
		     "Reloaded Lua configuration file '/etc/config.lua'\nwarning: it is much\n");
	env.warns[0] = '\0';

	expect_reply("save-cache", 0, "wrote 14 entries\n");
	expect_reply("--json save-cache", 0, "{\"written\":14}");

	env.refuses = true;
	expect_reply("save-cache", 1, "the disk is full\n");
	expect_reply(
		"set-minimum-ttl x", 1,
		"Error parsing the new minimum TTL number: minimum-ttl-override=x: must be less\n");
	expect_reply("set-quiet no", 1, "quiet=no: must be less\n");
	expect_reply("set-max-cache-memory 1", 1, "max-cache-memory=1: must be less\n");
	expect_reply("reload-acls", 1, "recursor.conf:1: what is that\n");
	expect_reply("--json reload-acls", 1, "{\"error\":\"recursor.conf:1: what is that\"}");
	expect_reply("reload-zones", 1,
		     "reloading failed, see log\nrecursor.conf:1: what is that\n");
	expect_reply("reload", 1, "recursor.conf:1: what is that\n");
}
END_TEST

START_TEST(names_are_traced)
{
	uint8_t name[NAME_MAX_LEN];
	char *reply;
	int status;

	expect_reply("trace-regex", 0, "unset\nunset\n");
	expect_reply("trace-regex ^www\\.Example\\.$", 0, "ok\nok\n");
	for (unsigned i = 0; i < FAKE_WORKERS; i++) {
		ck_assert_int_eq(name_from_text(name, "WWW.example."), E_OK);
		ck_assert(trace_rule_matches(env.trace_rule[i], name));
		ck_assert_int_eq(name_from_text(name, "www.example.org."), E_OK);
		ck_assert(!trace_rule_matches(env.trace_rule[i], name));
	}
	reply = fake_env_say(&env, "trace-regex (", -1, &status);
	ck_assert_int_eq(status, 1);
	ck_assert_ptr_eq(strstr(reply, "'(' is no regular expression: "), reply);
	free(reply);
	expect_reply("trace-regex x file", 1, "trace-regex: no file came with it\n");
	ck_assert_ptr_nonnull(env.trace_rule[0]);
	expect_reply("--json trace-regex", 0, "{\"result\":\"unset\"}");
	ck_assert_ptr_null(env.trace_rule[0]);

	env.is_stopped[1] = true;
	expect_reply("trace-regex x", 0, "ok\n");
}
END_TEST

static int (*visit_in_place)(void *ctx, unsigned worker,
			     void (*visit)(void *arg, const struct watch_worker *w), void *arg);
static atomic_bool second_began;
static pthread_t second;

static void *trace_second(void *arg)
{
	int status;

	(void)arg;
	free(fake_env_say(&env, "trace-regex second", -1, &status));
	return NULL;
}

/* Between the workers of the first command the second one comes. */
static int visit_slowly(void *ctx, unsigned worker,
			void (*visit)(void *arg, const struct watch_worker *w), void *arg)
{
	int err = visit_in_place(ctx, worker, visit, arg);

	if (!atomic_exchange(&second_began, true)) {
		ck_assert_int_eq(pthread_create(&second, NULL, trace_second, NULL), 0);
		usleep(20000);
	}
	return err;
}

START_TEST(two_rules_at_once_are_not_mixed)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, "second."), E_OK);
	visit_in_place = env.env.on_worker;
	env.env.on_worker = visit_slowly;
	expect_reply("trace-regex first", 0, "ok\nok\n");
	ck_assert_int_eq(pthread_join(second, NULL), 0);
	for (unsigned i = 0; i < FAKE_WORKERS; i++)
		ck_assert(trace_rule_matches(env.trace_rule[i], name));
}
END_TEST

START_TEST(a_node_is_drained)
{
	expect_reply("get ready draining", 0, "1\n0\n");
	expect_reply("drain x", 1, "drain: 'x' is no number of questions a second\n");
	expect_reply("undrain", 0, "was not draining\n");
	expect_reply("drain", 0, "draining: 21 questions in flight, 0 a second come\n");
	expect_reply("get ready draining", 0, "0\n1\n");
	env.idle = true;
	expect_reply("--json drain", 0, "{\"drained\":true,\"in-flight\":0,\"qps\":0}");
	expect_reply("drain 5", 0, "drained: 0 questions in flight, 0 a second come\n");
	expect_reply("drain still", 0, "drained: 0 questions in flight, 0 a second come\n");
	expect_reply("drain still 5", 0, "drained: 0 questions in flight, 0 a second come\n");
	expect_reply("drain still x", 1, "drain: 'x' is no number of questions a second\n");
	expect_reply("drain 5 still", 1, "drain: '5' is not 'still'\n");
	expect_reply("undrain", 0, "ready again\n");
	expect_reply("get ready draining", 0, "1\n0\n");
	expect_reply("drain still 5", 1, "not draining\n");
	expect_reply("get ready draining", 0, "1\n0\n");

	/* New ones come all the time, but what was asked before is answered. */
	env.idle = false;
	env.draining_since_ms = FAKE_NOW_MS - 8001;
	expect_reply("drain", 0, "drained: 21 questions in flight, 0 a second come\n");
}
END_TEST

START_TEST(types_are_counted)
{
	expect_reply("get-qtypelist", 0, "");
	counter_add(&env.qtypes[0][TYPE_AAAA], 3);
	counter_add(&env.qtypes[1][TYPE_AAAA], 4);
	counter_add(&env.qtypes[1][TYPE_A], 2);
	counter_add(&env.qtypes[1][65535], 1);
	expect_reply("get-qtypelist", 0, "A\t2\nAAAA\t7\nTYPE65535\t1\n");
	expect_reply("--json get-qtypelist", 0,
		     "{\"qtypes\":{\"A\":2,\"AAAA\":7,\"TYPE65535\":1}}");
}
END_TEST

static enum command_quit quit_of(const char *line)
{
	struct command_request *rq = malloc(sizeof(*rq));
	struct command_reply reply;
	enum command_quit quit;
	char text[64];

	strcpy(text, line);
	command_parse(rq, text, strlen(text));
	command_run(&env.env, rq, &reply);
	ck_assert_int_eq(reply.status, 0);
	quit = reply.quit;
	command_reply_free(&reply);
	free(rq);
	return quit;
}

START_TEST(quitting_waits_for_the_reply)
{
	expect_reply("quit", 0, "bye\n");
	expect_reply("quit-nicely", 0, "bye nicely\n");
	ck_assert_int_eq(quit_of("quit"), COMMAND_QUIT);
	ck_assert_int_eq(quit_of("quit-nicely"), COMMAND_QUIT_NICELY);
	ck_assert_int_eq(quit_of("--json stop"), COMMAND_QUIT_NICELY);
	ck_assert_int_eq(quit_of("ping"), COMMAND_STAY);
	ck_assert_uint_eq(env.quits + env.quits_nicely, 0);
}
END_TEST

START_TEST(help_lists_every_command)
{
	json_t *json = expect_json("--json help", 0);
	int status;
	char *help = fake_env_say(&env, "help", -1, &status);

	ck_assert_uint_eq(json_array_size(json_object_get(json, "commands")), commands_count());
	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *c = commands_at(i);
		char line[256];

		snprintf(line, sizeof(line), "%s%s%s\n        %s\n", c->word,
			 c->arguments[0] == '\0' ? "" : " ", c->arguments, c->help);
		ck_assert_msg(strstr(help, line) != NULL, "%s is not in help", c->word);
	}
	free(help);
	json_decref(json);
}
END_TEST

/* What a command is run with to have nothing wrong, where that is not "localhost". */
static const char *good_arguments(const struct command *c)
{
	static const struct {
		const char *word, *arguments;
	} rows[] = {
		{ "add-ta", " localhost 1 13 99 00" },
		{ "add-to-ipset", " known ttl=5 192.0.2.1 2001:db8::1" },
		{ "clear-ipset", " known" },
		{ "drain", " 1" },
		{ "dump-ipset", " known FILE" },
		{ "get-default-parameter", " max-qperq" },
		{ "get-parameter", " max-qperq" },
		{ "load-ipset", " known FILE" },
		{ "log-queries", " client=192.0.2.0/24 for=1" },
		{ "remove-from-ipset", " known 192.0.2.1" },
		{ "set-carbon-server", " 192.0.2.1 ns1" },
		{ "set-dnssec-log-bogus", " yes" },
		{ "set-quiet", " yes" },
		{ "top-cost", " domains" },
		{ "wipe-cache-typed", " A localhost" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(c->word, rows[i].word) == 0)
			return rows[i].arguments;
	if (strncmp(c->word, "top-", 4) == 0)
		return " client=192.0.2.0/24,2001:db8::/32 limit=5";
	return c->takes_file == COMMAND_TAKES_FILE || c->arguments[0] == '\0' ? "" : " localhost";
}

static const char *arguments_of(const struct command *c, const char *script)
{
	return strcmp(c->word, "try-lua-script") == 0 ? script : good_arguments(c);
}

/* Every row is run, with nothing wrong: what is answered must be JSON. */
START_TEST(every_command_answers_in_json)
{
	FILE *file = tmpfile();
	char script[] = " /tmp/test-commands-XXXXXX";
	int fd = mkstemp(script + 1);

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *c = commands_at(i);
		char line[128], *reply;
		json_t *json;
		int status, expected = strcmp(c->word, "hash-password") == 0; /* not the daemon's */

		snprintf(line, sizeof(line), "--json %s%s", c->word, arguments_of(c, script));
		reply = fake_env_say(&env, line, c->takes_file ? fileno(file) : -1, &status);
		json = json_loads(reply, 0, NULL);
		ck_assert_msg(json_is_object(json) && json_object_size(json) > 0 &&
				      status == expected,
			      "%s is answered with status %d: %s", line, status, reply);
		json_decref(json);
		free(reply);
	}
	(void)unlink(script + 1);
	fclose(file);
}
END_TEST

/* ---- wiping ---- */

static void fill_caches(void)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };

	fake_env_put(&env, "example.", TYPE_A, 300, RANK_AUTH_ANSWER, ip, sizeof(ip));
	fake_env_put(&env, "example.", TYPE_TXT, 300, RANK_AUTH_ANSWER, "\1x", 2);
	fake_env_put(&env, "www.example.", TYPE_A, 300, RANK_AUTH_ANSWER, ip, sizeof(ip));
	fake_env_put(&env, "www.other.", TYPE_A, 300, RANK_AUTH_ANSWER, ip, sizeof(ip));
	fake_env_put_negative(&env, RRSET_NODATA, "www.example.", TYPE_AAAA, 300);
	fake_env_put_packet(&env, 0, "www.example.", TYPE_A, 300, false);
	fake_env_put_packet(&env, 1, "www.example.", TYPE_A, 300, false);
	fake_env_put_packet(&env, 1, "www.example.", TYPE_AAAA, 300, true);
	fake_env_put_packet(&env, 1, "example.", TYPE_A, 300, false);
}

START_TEST(a_name_is_wiped)
{
	fill_caches();
	expect_reply("wipe-cache WWW.example", 0,
		     "wiped 1 records, 1 negative records, 3 packets\n");
	expect_reply("wipe-cache www.example.", 0,
		     "wiped 0 records, 0 negative records, 0 packets\n");
	expect_reply("--json flushname example", 0,
		     "{\"records\":2,\"negative\":0,\"packets\":1,\"proofs\":0}");
}
END_TEST

START_TEST(a_subtree_is_wiped)
{
	fill_caches();
	expect_reply("wipe-cache example$", 0, "wiped 3 records, 1 negative records, 4 packets\n");
	expect_reply("wipe-cache $", 0, "wiped 1 records, 0 negative records, 0 packets\n");
	fill_caches();
	expect_reply("wipe-cache .$", 0, "wiped 4 records, 1 negative records, 4 packets\n");
}
END_TEST

START_TEST(a_type_is_wiped)
{
	fill_caches();
	expect_reply("wipe-cache-typed", 1, "Need a qtype\n");
	expect_reply("wipe-cache-typed FROB example", 1, "Unknown qtype FROB\n");
	expect_reply("wipe-cache-typed A", 1, "Need a name\n");
	expect_reply("wipe-cache-typed aaaa example$", 0,
		     "wiped 0 records, 1 negative records, 1 packets\n");
	expect_reply("wipe-cache-typed A www.example example", 0,
		     "wiped 2 records, 0 negative records, 3 packets\n");
}
END_TEST

START_TEST(a_wrong_name_wipes_nothing)
{
	static const char *const wrong[] = { "a..b", ".example", "a\\9" };

	fill_caches();
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char line[64];
		char *reply;
		int status;

		snprintf(line, sizeof(line), "wipe-cache www.example %s", wrong[i]);
		reply = fake_env_say(&env, line, -1, &status);
		ck_assert_int_eq(status, 1);
		ck_assert_ptr_eq(strstr(reply, "Error: "), reply);
		ck_assert_ptr_nonnull(strstr(reply, ", nothing wiped\n"));
		free(reply);
	}
	expect_reply("wipe-cache www.example", 0,
		     "wiped 1 records, 1 negative records, 3 packets\n");
}
END_TEST

/* A worker is visited for slices of a packet cache, not for all of it. */
START_TEST(a_large_packet_cache_is_wiped_in_slices)
{
	env.env.n_workers = 1;
	for (unsigned i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.%s", i, i % 5 == 0 ? "keep" : "go");
		fake_env_put_packet(&env, 0, name, TYPE_A, 300, false);
	}
	expect_reply("wipe-cache go$", 0, "wiped 0 records, 0 negative records, 4000 packets\n");
	ck_assert_uint_ge(env.visits, 4);
	expect_reply("wipe-cache $", 0, "wiped 0 records, 0 negative records, 1000 packets\n");
}
END_TEST

/* ---- what is being resolved ---- */

static void never_done(void *ctx, const struct answer *a)
{
	(void)ctx;
	(void)a;
}

static void ask(const char *name, uint16_t type, void *ctx)
{
	uint8_t wire[NAME_MAX_LEN];
	struct question q = { .name = wire, .type = type };

	env.deaf = true;
	ck_assert_int_eq(name_from_text(wire, name), E_OK);
	ck_assert_ptr_nonnull(resolver_ask(env.resolver[0], &q, never_done, ctx));
}

#define QUERIES_HEAD                                                                               \
	"qname                                   qtype  remote          tcp  chained   spent(ms)\n"

START_TEST(current_queries_have_their_columns)
{
	json_t *all, *worker;

	ask("www.example.com.", TYPE_A, &env.client);
	/* The resolver primes the root beside it. */
	expect_reply(
		"current-queries", 0,
		"2 currently outstanding questions\n" QUERIES_HEAD
		".                                       NS     -               n    n         0\n"
		"www.example.com.                        A      192.0.2.99      Y    n         0\n"
		" - done\n"
		"0 currently outstanding questions\n" QUERIES_HEAD " - done\n");
	ask("www.example.com.", TYPE_A, NULL);
	all = expect_json("--json current-queries", 0);
	worker = json_array_get(json_object_get(all, "workers"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(worker, "outstanding")), 3);
	ck_assert_uint_eq(json_array_size(json_object_get(worker, "queries")), 3);
	json_decref(all);
}
END_TEST

START_TEST(current_queries_are_a_hundred_at_most)
{
	char name[32], *reply;
	unsigned lines = 0;
	int status;

	for (unsigned i = 0; i < 130; i++) {
		snprintf(name, sizeof(name), "n%u.example.com.", i);
		ask(name, TYPE_MX, NULL);
	}
	reply = fake_env_say(&env, "current-queries", -1, &status);
	ck_assert_ptr_eq(strstr(reply, "131 currently"), reply);
	for (const char *p = strchr(reply, '\n'); p != NULL; p = strchr(p + 1, '\n'))
		lines++;
	ck_assert_uint_eq(lines, 2 + 100 + 1 + 3); /* heads and ends of two workers */
	free(reply);
}
END_TEST

Suite *suite_commands(void)
{
	Suite *s = suite_create("commands");
	TCase *t = tcase_create("commands");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, rows_are_in_order_and_explained);
	tcase_add_test(t, those_that_change_something_are_known);
	tcase_add_test(t, commands_of_powerdns_that_are_not_here_say_why);
	tcase_add_test(t, what_is_no_command_is_refused);
	tcase_add_test(t, a_request_is_bytes);
	tcase_add_test(t, case_of_the_word_does_not_matter_and_flags_are_read);
	tcase_add_test(t, every_worker_answers_a_ping);
	tcase_add_test(t, metrics_are_shown);
	tcase_add_test(t, metrics_of_scripts_are_shown);
	tcase_add_test(t, settings_are_shown);
	tcase_add_test(t, settings_are_changed);
	tcase_add_test(t, types_are_counted);
	tcase_add_test(t, names_are_traced);
	tcase_add_test(t, two_rules_at_once_are_not_mixed);
	tcase_add_test(t, a_node_is_drained);
	tcase_add_test(t, quitting_waits_for_the_reply);
	tcase_add_test(t, help_lists_every_command);
	tcase_add_test(t, every_command_answers_in_json);
	tcase_add_test(t, a_name_is_wiped);
	tcase_add_test(t, a_subtree_is_wiped);
	tcase_add_test(t, a_type_is_wiped);
	tcase_add_test(t, a_wrong_name_wipes_nothing);
	tcase_add_test(t, a_large_packet_cache_is_wiped_in_slices);
	tcase_add_test(t, current_queries_have_their_columns);
	tcase_add_test(t, current_queries_are_a_hundred_at_most);
	suite_add_tcase(s, t);
	return s;
}
