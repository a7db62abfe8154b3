/*
 * lua_state: a state with a script's objects and functions and nothing else of a script, for tests:
 * what it asks of its host is remembered here.
 */
#ifndef TESTS_LUA_STATE_H
#define TESTS_LUA_STATE_H

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/custom_metrics.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/shelf.h"

struct lua_test {
	lua_State *L;
	struct lua_host host;
	struct script_host outer;
	char said[4096]; /* by print and pdnslog, a line each: "level: text" for the latter */
	uint64_t drawn;
	uint64_t now_ns;
};

static inline void lua_test_say(struct lua_test *t, const char *text, size_t n)
{
	size_t len = strlen(t->said);

	if (n > sizeof(t->said) - 1 - len)
		n = sizeof(t->said) - 1 - len;
	memcpy(t->said + len, text, n);
	t->said[len + n] = '\0';
}

static inline void lua_test_log(void *ctx, int level, const char *text)
{
	char line[1200];

	(void)snprintf(line, sizeof(line), "%d: %s\n", level, text);
	lua_test_say(ctx, line, strlen(line));
}

static inline void lua_test_print(void *ctx, const char *text, size_t len)
{
	lua_test_say(ctx, text, len);
}

static inline bool lua_test_stat(void *ctx, const char *name, uint64_t *value)
{
	(void)ctx;
	*value = 42;
	return strcmp(name, "questions") == 0;
}

static inline void lua_test_wall(void *ctx, int64_t *s, int32_t *us)
{
	(void)ctx;
	*s = 1000000000;
	*us = 5;
}

static inline void lua_test_random(void *ctx, void *buf, size_t len)
{
	struct lua_test *t = ctx;

	ASSERT(len == sizeof(t->drawn));
	memcpy(buf, &t->drawn, len);
	t->drawn += 7;
}

/* co.uk is a suffix. */
static inline unsigned lua_test_registrable(void *ctx, const uint8_t *name)
{
	(void)ctx;
	return memcmp(name_suffix(name, 2), "\2co\2uk", 7) == 0 ? 3 : 2;
}

static inline uint64_t lua_test_now(void *ctx)
{
	const struct lua_test *t = ctx;

	return t->now_ns;
}

/* Says what it was asked for; no room for one byte. */
static inline int lua_test_dump(void *ctx, bool servers, uint64_t sets, uint64_t bytes, char **out,
				size_t *len, uint64_t *n, char *why)
{
	int written;

	(void)ctx;
	(void)snprintf(why, SCRIPT_WHY_MAX, "no room");
	if (bytes == 1)
		return E_NOMEM;
	written = asprintf(out, "%s %llu %llu", servers ? "servers" : "sets",
			   (unsigned long long)sets, (unsigned long long)bytes);
	ASSERT(written > 0);
	*n = *len = (size_t)written;
	return E_OK;
}

/* Takes all but what is empty. */
static inline int lua_test_load(void *ctx, const char *data, size_t len, uint64_t *n, char *why)
{
	(void)ctx;
	(void)data;
	(void)snprintf(why, SCRIPT_WHY_MAX, "empty");
	*n = len;
	return len > 0 ? E_OK : E_MALFORMED;
}

static inline int lua_test_spawn(void *ctx, const char *path, char *why)
{
	(void)ctx;
	(void)snprintf(why, SCRIPT_WHY_MAX, "cannot");
	return strcmp(path, "good.lua") == 0 ? E_OK : E_LIMIT;
}

static inline void lua_test_open(struct lua_test *t)
{
	static const struct ipsets_config ipsets = { .n_readers = 1,
						     .max_sets = 2,
						     .max_entries = 1000 };
	static const struct script_caches caches = { .dump = lua_test_dump, .load = lua_test_load };

	memset(t, 0, sizeof(*t));
	t->outer = (struct script_host) {
		.ctx = t,
		.thread = 3,
		.config_dir = "/etc/recursor",
		.config_name = "one",
		.now_ns = lua_test_now,
		.wall = lua_test_wall,
		.random = lua_test_random,
		.log = lua_test_log,
		.print = lua_test_print,
		.stat = lua_test_stat,
		.registrable = lua_test_registrable,
		.caches = &caches,
		.spawn = lua_test_spawn,
	};
	t->now_ns = 1000000000000;
	ASSERT(custom_metrics_new(&t->outer.metrics) == E_OK);
	ASSERT(ipsets_new(&t->outer.ipsets, &ipsets) == E_OK);
	t->outer.ipset_reader = ipsets_reader(t->outer.ipsets, 0);
	ASSERT(shelf_new(&t->outer.shelf) == E_OK);
	t->host.to = &t->outer;
	t->host.reader = t->outer.ipset_reader;
	t->L = luaL_newstate();
	ASSERT(t->L != NULL);
	luaL_openlibs(t->L);
	lua_api_open(t->L, &t->host);
}

static inline void lua_test_close(struct lua_test *t)
{
	lua_close(t->L);
	ASSERT(t->host.native_bytes == 0);
	shelf_free(t->outer.shelf);
	ipsets_free(t->outer.ipsets);
	custom_metrics_free(t->outer.metrics);
}

/* Runs a chunk; NULL, or what was wrong: borrowed until the next. */
static inline const char *lua_test_run(struct lua_test *t, const char *chunk)
{
	lua_settop(t->L, 0);
	return luaL_dostring(t->L, chunk) == LUA_OK ? NULL : lua_tostring(t->L, -1);
}

#endif
