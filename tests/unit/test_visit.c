/*
 * visit: no command of rec_control and no endpoint of the HTTP API holds a worker for 1 ms, however
 * full the caches are and while questions come.  Every row of both tables is run, so that a new one
 * is too.
 *
 * VISIT_RECORDS=1000000 in the environment fills the record cache more than `make check` has time
 * for.  Measured is CPU time of the worker's own thread, which other processes do not lengthen much; a
 * command has three tries all the same.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
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
#include "tests/unit/own_address.h"
#include "tests/unit/sanitizer.h"

enum {
	PORT = 15363,
	ROOT_PORT = 15364,
	WORKERS = 2,
	RECORDS = IS_SLOW ? 20000 : 100000,
	PACKETS = IS_SLOW ? 5000 : 200000, /* of each worker */
	PACKETS_A_VISIT = 500,
	IN_FLIGHT = 20000,
	VISIT_MAX_US = 1000,
	TRIES = 3,
};

static struct {
	struct settings *settings;
	struct server *server;
	struct watch_env env;
	char hints[64], api_dir[64];
	unsigned records;
	pthread_t client;
	atomic_bool stop;
	int root; /* a root that never answers */
} test;

static char *argv_of_server[20];

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

static void start(void)
{
	static char local[96], hints[96], api_dir[96], include_dir[96];
	char text[ADDR_TEXT_MAX], why[SETTINGS_WHY_MAX] = "";
	struct addr a;
	FILE *f;
	int argc = 0;

	hash_key_init();
	own_address(&a, 2, 0);
	snprintf(test.hints, sizeof(test.hints), "/tmp/test-visit-hints.%d", (int)getpid());
	f = fopen(test.hints, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, ". 3600 IN NS ns.\nns. 3600 IN A %s\n", addr_ip_text(text, &a));
	ck_assert_int_eq(fclose(f), 0);
	open_silent_root();
	own_address(&a, 1, 0);
	snprintf(local, sizeof(local), "--local-address=%s", addr_ip_text(text, &a));
	snprintf(hints, sizeof(hints), "--hint-file=%s", test.hints);
	snprintf(test.api_dir, sizeof(test.api_dir), "/tmp/test-visit-api.%d", (int)getpid());
	ck_assert_int_eq(mkdir(test.api_dir, 0700), 0);
	snprintf(api_dir, sizeof(api_dir), "--api-config-dir=%s", test.api_dir);
	snprintf(include_dir, sizeof(include_dir), "--include-dir=%s", test.api_dir);
	argv_of_server[argc++] = (char *)"recursor";
	argv_of_server[argc++] = api_dir;
	argv_of_server[argc++] = include_dir;
	argv_of_server[argc++] = local;
	argv_of_server[argc++] = hints;
	argv_of_server[argc++] = (char *)"--local-port=15363";
	argv_of_server[argc++] = (char *)"--outgoing-port=15364";
	argv_of_server[argc++] = (char *)"--dont-query=";
	argv_of_server[argc++] = (char *)"--threads=2";
	argv_of_server[argc++] = (char *)"--max-mthreads=10000";
	argv_of_server[argc++] = (char *)"--max-inflight-per-server=0";
	argv_of_server[argc++] = (char *)"--max-inflight-per-zone=0";
	argv_of_server[argc++] = (char *)"--max-cache-entries=2000000";
	argv_of_server[argc++] = (char *)"--max-packetcache-entries=1000000";
	argv_of_server[argc++] = (char *)"--max-total-msec=1000";
	argv_of_server[argc++] = (char *)"--config-dir=/nonexistent";
	ck_assert_msg(settings_load(&test.settings, argc, argv_of_server, ignore_line, NULL, why) ==
			      E_OK,
		      "%s", why);
	ck_assert_msg(server_new(&test.server, test.settings, NULL, why) == E_OK, "%s", why);
	test.server->argc = argc;
	test.server->argv = argv_of_server;
	ck_assert_int_eq(server_start(test.server), E_OK);
	server_watch(test.server, &test.env, ignore_quit, NULL);
}

static void name_of(uint8_t out[NAME_MAX_LEN], unsigned i)
{
	char text[40];

	snprintf(text, sizeof(text), "n%u.%u.fill.", i, i % 1000);
	ck_assert_int_eq(name_from_text(out, text), E_OK);
}

static void fill_records(void)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	const struct rdata rr = { .data = ip, .len = sizeof(ip) };
	uint32_t now_s = loop_wall_s();

	for (unsigned i = 0; i < test.records; i++) {
		uint8_t name[NAME_MAX_LEN];
		struct rrset *s = NULL;

		name_of(name, i);
		ck_assert_int_eq(
			rrset_new(&s, name, TYPE_A, 3600, now_s, RANK_AUTH_ANSWER, &rr, 1, NULL, 0),
			E_OK);
		ck_assert_int_eq(cache_put(test.server->cache, s, false, now_s), CACHE_STORED);
		rrset_put(s);
	}
}

/* Twice: an answer is kept when it is put again. */
static void put_packets(struct worker *w, void *arg)
{
	const unsigned *first = arg;
	uint32_t now_s = loop_wall_s();

	for (unsigned i = *first; i < *first + PACKETS_A_VISIT; i++) {
		uint8_t wire[512] = { 0 };
		struct packetcache_key key = { .query = wire, .payload = 512 };
		size_t len = WIRE_HEADER_LEN;

		wire_put_u16(wire + 4, 1);
		name_of(wire + len, i);
		key.name_hash = name_hash(wire + len);
		len += name_len(wire + len);
		wire_put_u16(wire + len, TYPE_A);
		wire_put_u16(wire + len + 2, CLASS_IN);
		key.question_end = len + 4;
		packetcache_put(w->packetcache, &key, wire, len + 4, 3600, 0, false, now_s);
		packetcache_put(w->packetcache, &key, wire, len + 4, 3600, 0, false, now_s);
	}
}

static void fill(void)
{
	fill_records();
	for (unsigned i = 0; i < PACKETS; i += PACKETS_A_VISIT)
		for (unsigned k = 0; k < WORKERS; k++)
			ck_assert_int_eq(visit_worker(&test.server->workers[k], put_packets, &i),
					 E_OK);
	ck_assert_uint_ge(test.env.packetcache_entries(test.env.ctx, 0), PACKETS / 2);
}

/* Questions whose answers are known, one after the other. */
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
		name_of(wire + end, i % test.records);
		end += name_len(wire + end);
		wire_put_u16(wire + end, TYPE_A);
		wire_put_u16(wire + end + 2, CLASS_IN);
		if (send(fd, wire, end + 4, 0) > 0)
			(void)recv(fd, wire, sizeof(wire), 0);
	}
	close(fd);
	return NULL;
}

static void open_all(void)
{
	const char *records = getenv("VISIT_RECORDS");

	test.records = records == NULL ? RECORDS : (unsigned)strtoul(records, NULL, 10);
	start();
	fill();
	atomic_store(&test.stop, false);
	ck_assert_int_eq(pthread_create(&test.client, NULL, ask, NULL), 0);
}

static void remove_api_dir(void)
{
	DIR *dir = opendir(test.api_dir);

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	ck_assert_int_eq(rmdir(test.api_dir), 0);
}

static void close_all(void)
{
	atomic_store(&test.stop, true);
	pthread_join(test.client, NULL);
	server_stop(test.server);
	server_free(test.server);
	settings_free(test.settings);
	close(test.root);
	unlink(test.hints);
	remove_api_dir();
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

static void expect_short_visits(const char *line, int file)
{
	uint64_t us = 0;

	(void)longest_us();
	for (int i = 0; i < TRIES; i++) {
		say(line, file);
		us = longest_us();
		if (us < VISIT_MAX_US || IS_SLOW)
			return;
	}
	ck_abort_msg("%s: held a worker for %lu us", line, (unsigned long)us);
}

START_TEST(no_command_holds_a_worker)
{
	/* What commands want; where it is wrong they refuse, which is short as well. */
	static const char *const arguments[] = {
		"",   " nothing.fill$",  " A nothing.fill$", " 100000", " yes", " nothing.fill TXT",
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
	tcase_add_checked_fixture(tc, open_all, close_all);
	tcase_add_test(tc, no_command_holds_a_worker);
	tcase_add_test(tc, no_endpoint_holds_a_worker);
	suite_add_tcase(s, tc);
	return s;
}
