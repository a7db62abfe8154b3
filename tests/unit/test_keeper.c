/* cache-file is written while others change the cache. */
#include "recursor/keeper.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/files/cachefile.h"
#include "recursor/net/loop.h"
#include "recursor/worker.h"
#include "tests/unit/own_address.h"

enum { NAMES = 100000 };

static struct settings *settings;
static struct server *server;
static char dir[] = "/tmp/test-keeper-XXXXXX";

static void ignore_line(void *ctx, const char *line)
{
	(void)ctx, (void)line;
}

static void start(void)
{
	char why[SETTINGS_WHY_MAX] = "", local[64], file[64], text[ADDR_TEXT_MAX];
	char *argv[] = {
		(char *)"recursor",
		local,
		file,
		(char *)"--local-port=15363",
		(char *)"--threads=1",
		(char *)"--hint-file=no",
		(char *)"--forward-zones=.=127.0.0.1:15364",
		(char *)"--config-dir=/nonexistent",
	};
	struct addr a;

	hash_key_init();
	ck_assert_ptr_nonnull(mkdtemp(dir));
	own_address(&a, 1, 0);
	snprintf(local, sizeof(local), "--local-address=%s", addr_ip_text(text, &a));
	snprintf(file, sizeof(file), "--cache-file=%s/cache", dir);
	ck_assert_msg(settings_load(&settings, ARRAY_LEN(argv), argv, ignore_line, NULL, why) ==
			      E_OK,
		      "%s", why);
	ck_assert_msg(server_new(&server, settings, NULL, why) == E_OK, "%s", why);
	keeper_open(&server->keeper, settings);
	ck_assert_ptr_nonnull(server->keeper);
	ck_assert_int_eq(server_start(server), E_OK);
}

static void stop(void)
{
	char path[64];

	struct watch_cachefile stats;

	server_stop(server);
	keeper_stop(server->keeper);
	keeper_stats(server->keeper, &stats); /* who is slow to end may still ask */
	ck_assert_uint_gt(stats.writes, 0);
	keeper_free(server->keeper);
	server_free(server);
	settings_free(settings);
	snprintf(path, sizeof(path), "%s/cache", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void fill(void)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	const struct rdata rr = { ip, sizeof(ip) };
	uint32_t now_s = loop_wall_s();

	for (unsigned i = 0; i < NAMES; i++) {
		uint8_t name[NAME_MAX_LEN];
		struct rrset *s = NULL;
		char text[32];

		snprintf(text, sizeof(text), "n%u.%s.", i, i % 2 == 0 ? "even" : "odd");
		ck_assert_int_eq(name_from_text(name, text), E_OK);
		ck_assert_int_eq(rrset_new(&s, name, TYPE_A, 86400, now_s, RANK_AUTH_ANSWER, &rr, 1,
					   NULL, 0),
				 E_OK);
		(void)cache_put(server->cache, s, 0, now_s);
		rrset_put(s);
	}
}

static atomic_bool is_saved;

/* Wipes while the first part of the file is on its way.  Returns the file when the rest of it came
 * after that, as far as can be known; else NULL. */
static void *wipe_meanwhile(void *arg)
{
	static const uint8_t even[] = "\4even";
	struct stat before, after;
	char path[64];

	snprintf(path, sizeof(path), "%s/cache.new", dir);
	while (stat(path, &before) != 0 || before.st_size == 0) {
		if (atomic_load(&is_saved))
			return NULL;
		(void)usleep(100);
	}
	(void)cache_wipe(server->cache, even, 0, true);
	return stat(path, &after) == 0 && after.st_ino == before.st_ino ? arg : NULL;
}

/* Writes the file; true if the wipe came in time. */
static bool save_and_wipe(void)
{
	char why[ENV_WHY_MAX] = "";
	void *in_time = NULL;
	pthread_t wiper;
	int err;

	fill();
	atomic_store(&is_saved, false);
	ck_assert_int_eq(pthread_create(&wiper, NULL, wipe_meanwhile, dir), 0);
	/* There is nothing to load, but the thread has to have seen that. */
	while ((err = keeper_save(server->keeper, why)) == E_EXISTS)
		(void)usleep(1000);
	atomic_store(&is_saved, true);
	ck_assert_msg(err == E_OK, "%s", why);
	ck_assert_int_eq(pthread_join(wiper, &in_time), 0);
	return in_time != NULL;
}

struct found {
	unsigned even, odd;
};

static void count_set(void *ctx, struct rrset *s, bool as_delegation, uint64_t zone)
{
	static const uint8_t even[] = "\4even";
	struct found *found = ctx;

	(void)as_delegation, (void)zone;
	if (name_is_within(rrset_owner(s), even))
		found->even++;
	else
		found->odd++;
}

static void ignore_server(void *ctx, const struct server_dump *d)
{
	(void)ctx, (void)d;
}

START_TEST(what_is_wiped_meanwhile_is_not_in_the_file)
{
	char why[CACHEFILE_WHY_MAX] = "", path[64];
	struct found found = { 0 };
	struct cachefile_sink sink = {
		.ctx = &found,
		.set = count_set,
		.server = ignore_server,
	};
	struct cachefile_info info;
	unsigned tries = 0;
	FILE *f;

	start();
	ck_assert_int_eq(keeper_start(server->keeper, server), E_OK);
	while (!save_and_wipe())
		ck_assert_uint_lt(++tries, 100);
	snprintf(path, sizeof(path), "%s/cache", dir);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	sink.now_s = loop_wall_s();
	ck_assert_msg(cachefile_read(f, &sink, &info, why) == E_OK, "%s", why);
	(void)fclose(f);
	ck_assert_uint_eq(found.even, 0);
	ck_assert_uint_eq(found.odd, NAMES / 2);
	stop();
}
END_TEST

/* Who has no descriptor left knows nothing of the file. */
START_TEST(what_cannot_be_opened_is_not_put_aside)
{
	struct watch_cachefile stats = { 0 };
	struct rlimit limit, none;
	char path[64];
	FILE *f;

	start();
	snprintf(path, sizeof(path), "%s/cache", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(keeper_start(server->keeper, server), E_OK);
	while (stats.errors + stats.refused == 0) {
		(void)usleep(1000);
		keeper_stats(server->keeper, &stats);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(stats.refused, 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	/* The end writes it anew, but not before the thread is done with reading. */
	while (keeper_save(server->keeper, (char[ENV_WHY_MAX]) { 0 }) == E_EXISTS)
		(void)usleep(1000);
	snprintf(path, sizeof(path), "%s/cache.bad", dir);
	ck_assert_int_eq(unlink(path), 0);
	stop();
}
END_TEST

Suite *suite_keeper(void);

Suite *suite_keeper(void)
{
	Suite *s = suite_create("keeper");
	TCase *c = tcase_create("keeper");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, what_cannot_be_opened_is_not_put_aside);
	tcase_add_test(c, what_is_wiped_meanwhile_is_not_in_the_file);
	suite_add_tcase(s, c);
	return s;
}
