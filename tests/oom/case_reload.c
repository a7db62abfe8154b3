/* The cases of reload-lua-config (anchors and copies of zones are those of the file, both of them, or both are
 * as they were), and of a copy that is loaded (it is in use, or is loaded again). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/anchorage.h"
#include "recursor/localcopy.h"
#include "recursor/net/loop.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/worker.h"
#include "tests/oom/alloc.h"
#include "tests/oom/oom.h"

static char path[32];
static struct server server;

static void be_silent(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "we");

	ASSERT(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* No workers, but what anchors need. */
static struct settings *make_server(void)
{
	const struct cache_config cache = { .max_entries = 100,
					    .max_set_bytes = 4096,
					    .shards = 1 };
	const struct aggressive_config aggressive = { .max_entries = 10 };
	char program[] = "recursor", dir[] = "--config-dir=/none", lua[64], why[SETTINGS_WHY_MAX];
	char *argv[] = { program, dir, lua, NULL };
	struct settings *s = NULL;
	int fd;

	snprintf(path, sizeof(path), "/tmp/oom_XXXXXX");
	fd = mkstemp(path);
	ASSERT(fd >= 0 && close(fd) == 0);
	snprintf(lua, sizeof(lua), "--lua-config-file=%s", path);
	ASSERT(settings_load(&s, 3, argv, be_silent, NULL, why) == E_OK);
	memset(&server, 0, sizeof(server));
	pthread_mutex_init(&server.settings_lock, NULL);
	atomic_init(&server.settings, s);
	ASSERT(cache_new(&server.cache, &cache) == E_OK);
	ASSERT(aggressive_new(&server.aggressive, &aggressive) == E_OK);
	server.own_env.cache = server.cache;
	server.own_env.aggressive = server.aggressive;
	ASSERT(localcopy_new(&server.localcopy, &server) == E_OK);
	ASSERT(anchorage_open(&server.anchorage, &server, s, why) == E_OK);
	return s;
}

static void free_server(struct settings *s)
{
	anchorage_free(server.anchorage);
	localcopy_free(server.localcopy);
	aggressive_free(server.aggressive);
	cache_free(server.cache);
	settings_free(s);
	unlink(path);
}

static size_t count_copies(void)
{
	struct watch_copy *states = NULL;
	size_t n = 0;

	ASSERT(localcopy_states(server.localcopy, &states, &n) == E_OK);
	oom_free(states);
	return n;
}

const char *oom_reload_case(const char *text, bool nothing_fails)
{
	char why[SETTINGS_WHY_MAX] = "";
	struct anchors *before, *after;
	const char *wrong = NULL;
	struct settings *s;
	size_t copies;
	int err;

	alloc_pause(true);
	s = make_server();
	before = anchorage_get(server.anchorage);
	write_file(text);
	alloc_pause(false);
	err = anchorage_reload(server.anchorage, s, why);
	alloc_pause(true);
	after = anchorage_get(server.anchorage);
	copies = count_copies();
	if (err == E_OK && (after == before || copies != 1))
		wrong = "not all of it is in force";
	else if (err != E_OK && (after != before || copies != 0))
		wrong = "some of it is in force";
	else if (err != E_OK && (nothing_fails || why[0] == '\0'))
		wrong = "it fails";
	anchors_put(before);
	anchors_put(after);
	free_server(s);
	alloc_pause(false);
	return wrong;
}

/* ---- a copy of a zone ---- */

enum { LOOK_US = 100 };

/* Of the file, without a pause after an error; never again when it went well. */
static void want_copy(void)
{
	static struct copy_plan plan = { .zone = "\1d", .is_file = true };
	const struct copyplans plans = { .n = 1, .plans = &plan };
	struct localcopy_room *room = NULL;

	snprintf(plan.source, sizeof(plan.source), "%s", path);
	plan.zonemd = plan.dnssec = COPY_IGNORE;
	ASSERT(localcopy_room_new(&room, &plans) == E_OK);
	localcopy_configure(server.localcopy, &plans, room);
}

/* Until it is loaded, for which there is memory again once it could not be.  Allocates nothing: the loading
 * thread does. */
static bool wait_for_copy(void)
{
	struct watch_copies now = { 0 };
	bool has_failed = false;

	for (; now.loads == 0; usleep(LOOK_US)) {
		localcopy_stats(server.localcopy, &now);
		if (now.errors > 0)
			alloc_relent();
		has_failed |= now.errors > 0;
	}
	localcopy_stop(server.localcopy);
	return has_failed;
}

const char *oom_copy_case(const char *text, bool nothing_fails)
{
	const int level = log_level();
	const char *wrong = NULL;
	struct copies *published;
	struct settings *s;

	alloc_pause(true);
	s = make_server();
	write_file(text);
	want_copy();
	log_set_level(LOG_LEVEL_CRIT); /* of each try */
	alloc_pause(false);
	if (localcopy_start(server.localcopy) != E_OK) {
		wrong = nothing_fails ? "it does not start" : NULL;
	} else {
		if (wait_for_copy() && nothing_fails)
			wrong = "it fails";
		published = localcopy_get(server.localcopy);
		if (copies_find(published, (const uint8_t *)"\1d", loop_wall_s()) == NULL)
			wrong = "a copy that is held was not published";
		copies_put(published);
	}
	alloc_pause(true);
	log_set_level(level);
	free_server(s);
	alloc_pause(false);
	return wrong;
}
