/*
 * visit: no command of rec_control and no endpoint of the HTTP API holds a worker for 1 ms, however
 * full the caches are and while questions come; nor does what a worker gives up at a time of what a
 * command has left too much of.  Every row of both tables is run, so that a new one is too.
 *
 * VISIT_RECORDS=1000000 in the environment fills the record cache more than `make check` has time
 * for.  Measured is CPU time of the worker's own thread, which other processes do not lengthen much; a
 * command has three tries all the same.
 */
#include <check.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/visit.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/health.h"
#include "recursor/watch/web/endpoint.h"
#include "tests/unit/full_server.h"
#include "tests/unit/own_address.h"
#include "tests/unit/tmpdir.h"

enum {
	PORT = 15363,
	ROOT_PORT = 15364,
	WORKERS = 2,
	IN_FLIGHT = 20000,
	VISIT_MAX_US = 1000,
	TRIES = 3,
	GIVEN_UP_LEAST = 500, /* at a time, while there is too much */
};

static struct {
	struct settings *settings;
	struct server *server;
	struct watch_env env;
	char dir[TMPDIR_MAX];
	unsigned records;
	pthread_t client;
	atomic_bool stop;
	int root; /* a root that never answers */
} test;

/* Those that are written where `dir` is. */
static char local[96], hints[96], api_dir[96], include_dir[96], cache_file[96], script[96];
static char forwards[96];
static char *argv_of_server[] = {
	(char *)"recursor",
	local,
	hints,
	api_dir,
	include_dir,
	cache_file,
	script,
	forwards,
	(char *)"--local-port=15363",
	(char *)"--outgoing-port=15364",
	(char *)"--dont-query=",
	(char *)"--threads=2",
	(char *)"--max-mthreads=10000",
	(char *)"--max-inflight-per-server=0",
	(char *)"--max-inflight-per-zone=0",
	(char *)"--max-cache-entries=2000000",
	(char *)"--max-packetcache-entries=1000000",
	(char *)"--max-total-msec=1000",
	(char *)"--config-dir=/nonexistent",
};

/* ---- a server with full caches ---- */

static void ignore_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static void ignore_quit(void *ctx, bool nicely)
{
	(void)ctx;
	(void)nicely;
}

static void open_silent_root(void)
{
	struct sockaddr_storage ss;
	struct addr a;
	socklen_t len;

	own_address(&a, 2, ROOT_PORT);
	len = addr_to_sockaddr(&a, &ss);
	test.root = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(test.root, (struct sockaddr *)&ss, len), 0);
}

static void write_file(const char *name, const char *text)
{
	char path[2 * TMPDIR_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", test.dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* Of the zone that everything is in; another one each time. */
static void forward_elsewhere(void)
{
	static unsigned n;

	n = n % 250 + 1;
	snprintf(forwards, sizeof(forwards), "--forward-zones=fill=127.0.0.%u", n);
}

static void write_files(void)
{
	char text[ADDR_TEXT_MAX], root[96];
	struct addr a;

	tmpdir_make(test.dir);
	own_address(&a, 2, 0);
	snprintf(root, sizeof(root), ". 3600 IN NS ns.\nns. 3600 IN A %s\n",
		 addr_ip_text(text, &a));
	write_file("hints", root);
	write_file("script.lua", "function preresolve(dq) return false end\n");
	own_address(&a, 1, 0);
	snprintf(local, sizeof(local), "--local-address=%s", addr_ip_text(text, &a));
	snprintf(hints, sizeof(hints), "--hint-file=%s/hints", test.dir);
	snprintf(api_dir, sizeof(api_dir), "--api-config-dir=%s/api", test.dir);
	snprintf(include_dir, sizeof(include_dir), "--include-dir=%s/api", test.dir);
	snprintf(cache_file, sizeof(cache_file), "--cache-file=%s/cache", test.dir);
	snprintf(script, sizeof(script), "--lua-dns-script=%s/script.lua", test.dir);
	forward_elsewhere();
	ck_assert_int_eq(mkdir(strchr(api_dir, '/'), 0700), 0);
}

static void start(void)
{
	char why[SETTINGS_WHY_MAX] = "";

	/* As main() does. */
	(void)mallopt(M_MXFAST, 0);
	hash_key_init();
	write_files();
	open_silent_root();
	ck_assert_msg(settings_load(&test.settings, ARRAY_LEN(argv_of_server), argv_of_server,
				    ignore_line, NULL, why) == E_OK,
		      "%s", why);
	ck_assert_msg(server_new(&test.server, test.settings, NULL, why) == E_OK, "%s", why);
	test.server->argc = ARRAY_LEN(argv_of_server);
	test.server->argv = argv_of_server;
	ck_assert_int_eq(server_start(test.server), E_OK);
	server_watch(test.server, &test.env, ignore_quit, NULL);
}

/* Questions whose answers are known, one after the other, and time for commands between them. */
static void *ask(void *unused)
{
	struct timeval patience = { .tv_usec = 100000 };
	struct sockaddr_storage ss;
	struct addr a;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)unused;
	own_address(&a, 1, PORT);
	len = addr_to_sockaddr(&a, &ss);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&ss, len) != 0)
		return NULL;
	for (unsigned i = 0; !atomic_load(&test.stop); i++) {
		uint8_t wire[512] = { 0 };
		size_t end = WIRE_HEADER_LEN;

		wire_put_u16(wire + 2, 0x0100);
		wire_put_u16(wire + 4, 1);
		full_server_name(wire + end, i % test.records);
		end += name_len(wire + end);
		wire_put_u16(wire + end, TYPE_A);
		wire_put_u16(wire + end + 2, CLASS_IN);
		if (send(fd, wire, end + 4, 0) > 0)
			(void)recv(fd, wire, sizeof(wire), 0);
		usleep(1000);
	}
	close(fd);
	return NULL;
}

static void open_all(void)
{
	const char *records = getenv("VISIT_RECORDS");
	struct full_server full;

	test.records = records == NULL ? FULL_RECORDS : (unsigned)strtoul(records, NULL, 10);
	start();
	full_server_fill(test.server, test.records);
	full_server_look(test.server, &full);
	ck_assert_uint_ge(full.records, test.records);
	ck_assert_uint_ge(full.packets, FULL_PACKETS);
	ck_assert_uint_ge(full.servers, FULL_SERVERS);
	ck_assert_uint_ge(full.throttles, FULL_THROTTLES);
	ck_assert_uint_ge(full.proofs, FULL_PROOFS);
	atomic_store(&test.stop, false);
	ck_assert_int_eq(pthread_create(&test.client, NULL, ask, NULL), 0);
}

static void close_all(void)
{
	atomic_store(&test.stop, true);
	pthread_join(test.client, NULL);
	server_stop(test.server);
	server_free(test.server);
	settings_free(test.settings);
	close(test.root);
	tmpdir_remove(test.dir);
}

/* ---- questions in flight ---- */

static size_t in_flight(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		n += test.env.in_flight(test.env.ctx, i);
	return n;
}

/* As many as there may be, or nearly: what the kernel loses is not sent again. */
static void fill_in_flight(void)
{
	struct sockaddr_storage ss;
	struct addr a;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	own_address(&a, 1, PORT);
	len = addr_to_sockaddr(&a, &ss);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		uint8_t wire[512] = { 0 };
		size_t end = WIRE_HEADER_LEN;
		char text[32];

		wire_put_u16(wire + 2, 0x0100);
		wire_put_u16(wire + 4, 1);
		snprintf(text, sizeof(text), "n%u.silent%u.", i, i);
		ck_assert_int_eq(name_from_text(wire + end, text), E_OK);
		end += name_len(wire + end);
		wire_put_u16(wire + end, TYPE_A);
		wire_put_u16(wire + end + 2, CLASS_IN);
		(void)!send(fd, wire, end + 4, 0);
		if (i % 64 == 0)
			usleep(1000);
	}
	close(fd);
}

/* ---- commands ---- */

static void say(const char *line, int file)
{
	struct command_request *rq = malloc(sizeof(*rq));
	struct command_reply reply;
	char text[128];

	ck_assert_ptr_nonnull(rq);
	snprintf(text, sizeof(text), "%s", line);
	command_parse(rq, text, strlen(text));
	if (command_brings_file(rq))
		rq->file = file;
	command_run(&test.env, rq, &reply);
	command_reply_free(&reply);
	free(rq);
}

static uint64_t longest_us(void)
{
	uint64_t us = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		counter *c = &test.server->workers[i].counters.visit_max_us;

		if (counter_get(c) > us)
			us = counter_get(c);
		atomic_store(&c->v, 0);
	}
	return us;
}

/* Each try finds everything full, and one to reload another zone. */
static void expect_short_visits(const char *line, int file)
{
	uint64_t us = 0;

	for (int i = 0; i < TRIES; i++) {
		full_server_fill(test.server, test.records);
		if (strcmp(line, "reload") == 0)
			forward_elsewhere();
		(void)longest_us();
		say(line, file);
		us = longest_us();
		if (us < VISIT_MAX_US || IS_SLOW)
			return;
	}
	ck_abort_msg("%s: held a worker for %lu us", line, (unsigned long)us);
}

/* What a worker gives up each time it keeps the house. */
static void give_up_some(struct worker *w, void *arg)
{
	(void)arg;
	if (w->index == 0)
		memory_rebalance(w->server, worker_wall_s(w));
	memory_tidy(w);
}

/* After a command that leaves too much of them in some table: what `line` says is to shrink to less
 * than half. */
static void expect_short_shrinking(const char *line, const char *back, size_t offset)
{
	struct full_server before, after;
	uint64_t us = 0;

	for (int i = 0; i < TRIES; i++) {
		full_server_fill(test.server, test.records);
		full_server_look(test.server, &before);
		(void)longest_us();
		say(line, -1);
		for (unsigned k = 0; k < (test.records + FULL_SERVERS) / GIVEN_UP_LEAST; k++)
			for (unsigned n = 0; n < WORKERS; n++)
				ck_assert_int_eq(
					visit_worker(&test.server->workers[n], give_up_some, NULL),
					E_OK);
		us = longest_us();
		full_server_look(test.server, &after);
		say(back, -1);
		/* With a sanitizer there is less of all, and room for it. */
		if (!IS_SLOW)
			ck_assert_uint_lt(*(size_t *)((char *)&after + offset),
					  *(size_t *)((char *)&before + offset) / 2);
		if (us < VISIT_MAX_US || IS_SLOW)
			return;
	}
	ck_abort_msg("%s: held a worker for %lu us", line, (unsigned long)us);
}

START_TEST(no_command_holds_a_worker)
{
	/* What commands want; where it is wrong they refuse, which is short as well. */
	static const char *const arguments[] = {
		"",   " nothing.fill$",  " A nothing.fill$", " 500000", " yes", " nothing.fill TXT",
		" *", " remotes-domains"
	};
	int file = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(file, 0);
	for (size_t i = 0; i < commands_count(); i++) {
		for (size_t k = 0; k < ARRAY_LEN(arguments); k++) {
			char line[128];

			snprintf(line, sizeof(line), "%s%s", commands_at(i)->word, arguments[k]);
			expect_short_visits(line, file);
		}
	}
	/* And those that find much to do. */
	fill_in_flight();
	for (int i = 0; i < 1000 && in_flight() <= 100; i++)
		usleep(10000);
	ck_assert_uint_gt(in_flight(), 100);
	expect_short_visits("current-queries", file);
	expect_short_visits("wipe-cache-typed A 7.fill$", file);
	expect_short_shrinking("set-aggr-nsec-cache-size 1000", "set-aggr-nsec-cache-size 100000",
			       offsetof(struct full_server, proofs));
	expect_short_shrinking("set-max-cache-entries 10000", "set-max-cache-entries 2000000",
			       offsetof(struct full_server, records));
	expect_short_shrinking("set-max-cache-memory 8M", "set-max-cache-memory 0",
			       offsetof(struct full_server, servers));
	expect_short_visits("wipe-cache $", file);
	close(file);
}
END_TEST

/* ---- endpoints ---- */

static void call(const struct endpoint *e, const char *arg, const struct endpoint_parameter *p,
		 size_t n, const char *body)
{
	struct endpoint_call c = {
		.env = &test.env,
		.method = e->method,
		.args = { arg, arg },
		.parameters = p,
		.n_parameters = n,
		.body = e->method[0] == 'G' ? NULL : json_loads(body, 0, NULL),
		.stop_fd = -1,
	};

	(void)e->run(&c);
	endpoint_call_free(&c);
}

static void expect_short_endpoint(const struct endpoint *e, const char *arg,
				  const struct endpoint_parameter *p, size_t n, const char *body)
{
	uint64_t us = 0;

	(void)longest_us();
	for (int i = 0; i < TRIES; i++) {
		call(e, arg, p, n, body);
		us = longest_us();
		if (us < VISIT_MAX_US || IS_SLOW)
			return;
	}
	ck_abort_msg("%s %s: held a worker for %lu us", e->method, e->path, (unsigned long)us);
}

START_TEST(no_endpoint_holds_a_worker)
{
	/* What endpoints want; where it is wrong they refuse, which is short as well. */
	static const struct endpoint_parameter parameters[] = {
		{ "q", "fill" },
		{ "domain", "nothing.fill." },
		{ "subtree", "true" },
		{ "name", "nothing.fill" },
		{ "type", "A" },
		{ "command", "get-query-ring" },
		{ "what", "domains" },
		{ "group", "suffix" },
		{ "client", "127.0.0.0/8" },
	};
	static const struct {
		const char *arg, *body;
	} rows[] = {
		{ "queries", "{\"name\": \"allow-from\", \"value\": [\"127.0.0.0/8\"]}" },
		{ "new.example.", "{\"name\": \"new.example.\", \"kind\": \"Forwarded\", "
				  "\"servers\": [\"127.0.0.1:53\"], \"recursion_desired\": true}" },
	};

	ck_assert_int_eq(health_start(&test.env.health, &test.env, "nothing.fill"), E_OK);
	for (size_t i = 0; i < endpoints_count(); i++) {
		const struct endpoint *e = endpoints_at(i);

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			expect_short_endpoint(e, rows[k].arg, parameters, ARRAY_LEN(parameters),
					      rows[k].body);
		expect_short_endpoint(e, "remotes", NULL, 0, "{}");
	}
	health_stop(test.env.health);
}
END_TEST

Suite *suite_visit(void)
{
	Suite *s = suite_create("visit");
	TCase *tc = tcase_create("visit");

	tcase_set_timeout(tc, 120);
	tcase_set_tags(tc, "time");
	tcase_add_checked_fixture(tc, open_all, close_all);
	tcase_add_test(tc, no_command_holds_a_worker);
	tcase_add_test(tc, no_endpoint_holds_a_worker);
	suite_add_tcase(s, tc);
	return s;
}
