/* Other settings and zones while the daemon runs. */
#include "recursor/reconfigure.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/anchorage.h"
#include "recursor/cachecopy.h"
#include "recursor/files/zoneload.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/rezone.h"
#include "recursor/shield.h"
#include "recursor/wiring.h"
#include "tests/unit/own_address.h"
#include "tests/unit/text_set.h"
#include "tests/unit/wire_name.h"

enum { OPERATORS = 2, CHANGES = 100 };

static struct settings *settings;
static struct server *server;

static void ignore_line(void *ctx, const char *line)
{
	(void)ctx, (void)line;
}

static char local[64], forwards[200], parents[] = "--save-parent-ns-set=yes";
static char *argv[] = {
	(char *)"recursor",
	local,
	(char *)"--local-port=15363",
	(char *)"--threads=2",
	(char *)"--hint-file=no",
	forwards,
	parents,
	(char *)"--config-dir=/nonexistent",
};

static void forward(const char *zones)
{
	snprintf(forwards, sizeof(forwards), "--forward-zones=%s", zones);
}

static void start(const char *zones)
{
	char why[SETTINGS_WHY_MAX] = "", text[ADDR_TEXT_MAX];
	struct addr a;

	hash_key_init();
	own_address(&a, 1, 0);
	snprintf(local, sizeof(local), "--local-address=%s", addr_ip_text(text, &a));
	forward(zones);
	ck_assert_msg(settings_load(&settings, ARRAY_LEN(argv), argv, ignore_line, NULL, why) ==
			      E_OK,
		      "%s", why);
	ck_assert_msg(server_new(&server, settings, NULL, why) == E_OK, "%s", why);
	server->argc = ARRAY_LEN(argv);
	server->argv = argv;
	ck_assert_int_eq(server_start(server), E_OK);
}

static void stop(void)
{
	server_stop(server);
	server_free(server);
	settings_free(settings);
}

static char *add_one(void *arg, const char *now)
{
	char *after = NULL;

	(void)arg;
	/* Time for another to come between, were it possible. */
	(void)usleep(10);
	ck_assert_int_ge(asprintf(&after, "%s%sns.example.com", now, *now != '\0' ? ", " : ""), 0);
	return after;
}

static void *operate(void *arg)
{
	char why[SETTINGS_WHY_MAX];

	for (unsigned i = 0; i < CHANGES; i++)
		if (server_amend(server, "dont-throttle-names", add_one, arg, why) != E_OK)
			abort();
	return NULL;
}

START_TEST(no_amendment_is_lost)
{
	pthread_t threads[OPERATORS];
	const struct settings *now;
	unsigned n = 1;

	start(".=127.0.0.1:15364");
	for (unsigned i = 0; i < OPERATORS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, operate, NULL), 0);
	for (unsigned i = 0; i < OPERATORS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	now = server_settings_get(server);
	for (const char *p = settings_text(now, "dont-throttle-names"); *p != '\0'; p++)
		n += *p == ',';
	settings_free(now);
	ck_assert_uint_eq(n, OPERATORS * CHANGES);
	stop();
}
END_TEST

/* By the time of day: the first worker sweeps what has expired by it. */
static void remember(const char *owner, uint16_t type)
{
	static const uint8_t data[] = { 0, 1, 8, 2, 1, 2, 3, 4 };
	const struct rdata rr = { data, type == TYPE_A ? 4 : sizeof(data) };
	uint8_t name[NAME_MAX_LEN];
	uint32_t now_s = loop_wall_s();
	struct rrset *s = NULL;

	ck_assert_int_eq(name_from_text(name, owner), E_OK);
	ck_assert_int_eq(rrset_new(&s, name, type, 3600, now_s, RANK_AUTH_ANSWER, &rr, 1, NULL, 0),
			 E_OK);
	ck_assert_int_eq(cache_put(server->cache, s, 0, now_s), CACHE_STORED);
	rrset_put(s);
}

static bool is_remembered(const char *owner, uint16_t type)
{
	uint8_t name[NAME_MAX_LEN];
	struct rrset *s;
	bool is;

	ck_assert_int_eq(name_from_text(name, owner), E_OK);
	s = cache_get(server->cache, name, type, RANK_ANSWER, loop_wall_s());
	is = s != NULL;
	rrset_put(s);
	return is;
}

/* A child's DS came from its parent, whose forward is now another. */
START_TEST(a_ds_goes_with_the_parents_zone)
{
	char why[SETTINGS_WHY_MAX] = "";

	start(".=127.0.0.1:15364,com=127.0.0.1:15365,example.com=127.0.0.1:15366");
	remember("example.com.", TYPE_DS);
	remember("www.com.", TYPE_A);
	remember("www.example.com.", TYPE_A);
	remember("net.", TYPE_DS);
	forward(".=127.0.0.1:15364,com=127.0.0.1:15364,example.com=127.0.0.1:15366");
	ck_assert_msg(server_reload_zones(server, NULL, 0, why) == E_OK, "%s", why);
	ck_assert(!is_remembered("example.com.", TYPE_DS));
	ck_assert(!is_remembered("www.com.", TYPE_A));
	ck_assert(is_remembered("www.example.com.", TYPE_A));
	ck_assert(is_remembered("net.", TYPE_DS));
	stop();
}
END_TEST

enum { KEPT = 4 * CACHEFILE_SLICE };

/* Other zones come into force after the first slice that is taken. */
struct change_meanwhile {
	struct zones *zones;
	unsigned calls;
	size_t before, after; /* entries, when they came and a slice later */
};

static bool change_zones(void *ctx)
{
	struct change_meanwhile *c = ctx;
	struct cache_stats stats;

	cache_stats(server->cache, &stats);
	c->calls++;
	/* All of the file has been looked at before. */
	if (c->calls == KEPT / CACHEFILE_SLICE + 1) {
		c->before = stats.entries;
		server_change_begin(server);
		zones_put(server->zones);
		server->zones = zones_get(c->zones);
		server_change_end(server);
	} else if (c->calls == KEPT / CACHEFILE_SLICE + 2) {
		c->after = stats.entries;
	}
	return true;
}

START_TEST(what_is_loaded_meets_the_zones_of_now)
{
	const struct cachecopy_choice sets = {
		.sets = true,
		.max_sets = UINT64_MAX,
		.max_bytes = UINT64_MAX,
	};
	struct change_meanwhile change = { .calls = 0 };
	struct cachefile_counts written = { 0 };
	struct cachecopy_counts read = { 0 };
	char why[SETTINGS_WHY_MAX] = "", *bytes = NULL;
	struct settings *other = NULL;
	size_t len = 0;
	FILE *f;

	start(".=127.0.0.1:15364");
	ck_assert_int_eq(
		settings_change(&other, settings, "forward-zones", ".=127.0.0.1:15365", why), E_OK);
	ck_assert_int_eq(zoneload_said(&change.zones, other, NULL, why), E_OK);
	for (unsigned i = 0; i < KEPT; i++) {
		char text[32];

		snprintf(text, sizeof(text), "n%u.example.", i);
		remember(text, TYPE_A);
	}
	f = open_memstream(&bytes, &len);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(cachecopy_write(server, f, &sets, &written), E_OK);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_uint_eq(written.sets, KEPT);
	(void)cache_wipe(server->cache, name_root, 0, true);
	f = fmemopen(bytes, len, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_msg(cachecopy_read(server, f, change_zones, &change, &read, why) == E_OK, "%s",
		      why);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_uint_gt(change.before, 0);
	ck_assert_uint_eq(change.after, change.before);
	ck_assert_uint_eq(read.loaded + read.dropped, KEPT);
	free(bytes);
	zones_put(change.zones);
	settings_free(other);
	stop();
}
END_TEST

static char *make_nothing(void *arg, const char *now)
{
	(void)arg, (void)now;
	return NULL;
}

static char *make_nonsense(void *arg, const char *now)
{
	(void)arg, (void)now;
	return strdup("a..b");
}

START_TEST(what_cannot_be_made_changes_nothing)
{
	char why[SETTINGS_WHY_MAX];
	const struct settings *now;

	start(".=127.0.0.1:15364");
	ck_assert_int_eq(server_amend(server, "dont-throttle-names", make_nothing, NULL, why),
			 E_NOMEM);
	ck_assert_str_eq(why, "out of memory");
	ck_assert_int_ne(server_amend(server, "dont-throttle-names", make_nonsense, NULL, why),
			 E_OK);
	ck_assert_ptr_nonnull(strstr(why, "dont-throttle-names=a..b: "));
	now = server_settings_get(server);
	ck_assert_str_eq(settings_text(now, "dont-throttle-names"), "");
	settings_free(now);
	stop();
}
END_TEST

static char told[SETTINGS_WHY_MAX];

static void change(const char *name, const char *value)
{
	ck_assert_msg(server_change(server, name, value, told) == E_OK, "%s", told);
}

static int saved_stderr, log_end;

static void catch_log(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
	log_end = fds[0];
}

/* How often `what` stands in what was logged since the last call. */
static unsigned count_logged(const char *what)
{
	char text[16384];
	ssize_t len = read(log_end, text, sizeof(text) - 1);
	unsigned n = 0;

	text[len > 0 ? len : 0] = '\0';
	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

static void release_log(void)
{
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(log_end);
}

/* reload-zones, reload, reload-acls and their kin: in the log, and to whom they come back. */
START_TEST(a_reload_warns_once)
{
	static const char warning[] = "save-parent-ns-set=no has no effect: ";
	static const char line[] =
		"save-parent-ns-set=no has no effect: name servers that a parent "
		"names are always asked when the zone's own fail";
	static const char *const more[] = { "allow-from", "allow-from-file" };
	static const char *const parent[] = { "save-parent-ns-set" };
	char why[SETTINGS_WHY_MAX], path[SETTINGS_WHY_MAX];

	strcpy(parents, "--save-parent-ns-set=no");
	start(".=127.0.0.1:15364");
	catch_log();
	ck_assert_int_eq(server_reload_zones(server, NULL, 0, why), E_OK);
	ck_assert_uint_eq(count_logged(warning), 1);
	ck_assert_str_eq(why, line);
	ck_assert_int_eq(server_reload_zones(server, more, ARRAY_LEN(more), why), E_OK);
	ck_assert_uint_eq(count_logged(warning), 1);
	ck_assert_str_eq(why, line);
	ck_assert_int_eq(server_reload(server, more, ARRAY_LEN(more), why), E_OK);
	ck_assert_uint_eq(count_logged(warning), 1);
	ck_assert_str_eq(why, line);
	ck_assert_int_eq(server_reload_defender(server, why), E_OK);
	ck_assert_uint_eq(count_logged(warning), 1);
	ck_assert_str_eq(why, line);
	ck_assert_int_eq(server_reload_anchors(server, NULL, path, why), E_OK);
	ck_assert_uint_eq(count_logged(warning), 1);
	ck_assert_str_eq(why, line);
	strcpy(parents, "--save-parent-ns-set=yes");
	ck_assert_int_eq(server_reload(server, parent, ARRAY_LEN(parent), why), E_OK);
	ck_assert_str_eq(why, "");
	release_log();
	stop();
}
END_TEST

START_TEST(memory_that_cannot_be_filled_is_warned_of)
{
	static const char warning[] = "max-cache-memory is more than max-cache-entries=1000000 and "
				      "max-packetcache-entries=500000 can fill: raise these, too\n";
	static const char less[] = "max-cache-memory is more than max-cache-entries=900000 and ";

	start(".=127.0.0.1:15364");
	catch_log();
	change("max-cache-memory", "64M");
	ck_assert_uint_eq(count_logged("max-cache-memory"), 0);
	change("max-cache-memory", "1T");
	ck_assert_uint_eq(count_logged(warning), 1);
	ck_assert_ptr_eq(strstr(warning, told), warning);
	ck_assert_uint_eq(strlen(told), strlen(warning) - 1);
	change("minimum-ttl-override", "2");
	ck_assert_uint_eq(count_logged("max-cache-memory"), 0);
	ck_assert_str_eq(told, "");
	change("max-cache-entries", "900000");
	ck_assert_uint_eq(count_logged(less), 1);
	change("max-cache-memory", "0");
	ck_assert_uint_eq(count_logged("max-cache-memory"), 0);
	release_log();
	stop();
}
END_TEST

/* A proof for each of `n` names.  A worker sweeps what has expired by the time of day. */
static void prove(unsigned n)
{
	uint32_t now_s = loop_wall_s();

	for (unsigned i = 0; i < n; i++) {
		char line[80];
		struct rrset *s;

		snprintf(line, sizeof(line), "n%05u.example. NSEC n%05u.example. A RRSIG NSEC",
			 10 * i, 10 * i + 5);
		s = text_set("example.", line);
		rrset_set_security(s, SEC_SECURE, 0);
		s->expires_s = now_s + TEXT_SET_TTL;
		aggressive_put(server->aggressive, wire("example."), s, NULL, now_s);
		rrset_put(s);
	}
}

START_TEST(proofs_have_the_room_that_settings_say)
{
	struct aggressive_sum before, sum;

	start(".=127.0.0.1:15364");
	aggressive_sum(server->aggressive, &before);
	prove(3000);
	ck_assert_uint_eq(aggressive_entries(server->aggressive), 3000);
	aggressive_sum(server->aggressive, &sum);
	ck_assert_uint_gt(sum.bytes, before.bytes + 3000 * 50);
	change("aggressive-nsec-cache-size", "100");
	ck_assert_uint_eq(aggressive_entries(server->aggressive), 100);
	change("aggressive-nsec-cache-size", "100000");
	prove(3000);
	ck_assert_uint_gt(aggressive_entries(server->aggressive), 2800);
	/* An eighth of 16 MB, a kilobyte each. */
	change("max-cache-memory", "16M");
	ck_assert_uint_eq(aggressive_entries(server->aggressive), 2048);
	change("aggressive-nsec-cache-size", "0");
	ck_assert_uint_eq(aggressive_entries(server->aggressive), 0);
	prove(10);
	ck_assert_uint_eq(aggressive_entries(server->aggressive), 0);
	stop();
}
END_TEST

/* Each member of what the proofs are configured with comes from its setting. */
START_TEST(proofs_are_as_settings_say)
{
	struct aggressive_config cfg;

	start(".=127.0.0.1:15364");
	wiring_aggressive_config(&cfg, settings, &server->memory);
	ck_assert_uint_eq(cfg.max_entries, settings->aggressive_nsec_cache_size);
	ck_assert_uint_eq(cfg.min_nsec3_hit_ratio, settings->aggressive_min_hit_ratio);
	ck_assert_uint_eq(cfg.max_nsec3_iterations, settings->nsec3_max_iterations);
	ck_assert_uint_eq(cfg.max_nsec3_hash_cost, settings->aggressive_max_hash_cost);
	ck_assert_uint_eq(cfg.max_negative_ttl, settings->max_negative_ttl_s);
	ck_assert_uint_gt(cfg.max_negative_ttl, 0);
	stop();
}
END_TEST

Suite *suite_reconfigure(void);

Suite *suite_reconfigure(void)
{
	Suite *s = suite_create("reconfigure");
	TCase *c = tcase_create("reconfigure");

	tcase_add_test(c, no_amendment_is_lost);
	tcase_add_test(c, a_reload_warns_once);
	tcase_add_test(c, memory_that_cannot_be_filled_is_warned_of);
	tcase_add_test(c, proofs_have_the_room_that_settings_say);
	tcase_add_test(c, proofs_are_as_settings_say);
	tcase_add_test(c, what_cannot_be_made_changes_nothing);
	tcase_add_test(c, a_ds_goes_with_the_parents_zone);
	tcase_add_test(c, what_is_loaded_meets_the_zones_of_now);
	suite_add_tcase(s, c);
	return s;
}
