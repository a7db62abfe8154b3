/* The functions that belong to no object: the log, random numbers, metrics, ... */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/custom_metrics.h"
#include "common/log.h"
#include "common/name.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/lua/names.h"

/* ---- pdnslog ---- */

/* pdns.loglevels to ours: Emergency and Alert are our Critical; All, NTLog and what is beyond are
 * Debug; None is nothing. */
static int level_of(lua_Integer level)
{
	if (level < LOG_LEVEL_CRIT)
		return LOG_LEVEL_CRIT;
	return level > LOG_LEVEL_DEBUG ? LOG_LEVEL_DEBUG : (int)level;
}

/* The table's keys and values behind the text, as key="value", as far as there is room. */
static void add_fields(lua_State *L, int table, char *line, size_t cap)
{
	for (lua_pushnil(L); lua_next(L, table) != 0; lua_settop(L, table + 1)) {
		size_t len = strlen(line);

		(void)luaL_tolstring(L, table + 1, NULL);
		(void)luaL_tolstring(L, table + 2, NULL);
		(void)snprintf(line + len, cap - len, " %s=\"%s\"", lua_tostring(L, -2),
			       lua_tostring(L, -1));
	}
}

/* Nothing in it shall steer a terminal or begin a line of the log. */
static void tidy(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int api_log(lua_State *L)
{
	struct lua_host *host = lua_host_of(L);
	lua_Integer level = host->is_classic ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
	char line[LOG_LINE_MAX];

	(void)luaL_tolstring(L, 1, NULL);
	lua_replace(L, 1);
	level = luaL_optinteger(L, 2, level);
	if (!lua_isnoneornil(L, 3))
		luaL_checktype(L, 3, LUA_TTABLE);
	lua_settop(L, 3);
	if (level < 0)
		return 0;
	(void)snprintf(line, sizeof(line), "From Lua script: %s", lua_tostring(L, 1));
	if (lua_istable(L, 3))
		add_fields(L, 3, line, sizeof(line));
	tidy(line);
	lua_host_tell(host->to, level_of(level), line);
	return 0;
}

/* ---- print ---- */

int api_print(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;
	int n = lua_gettop(L);
	luaL_Buffer text;
	const char *bytes;
	size_t len;

	for (int i = 1; i <= n; i++) {
		(void)luaL_tolstring(L, i, NULL);
		lua_replace(L, i);
	}
	luaL_buffinit(L, &text);
	for (int i = 1; i <= n; i++) {
		lua_pushvalue(L, i);
		luaL_addvalue(&text);
		luaL_addchar(&text, i < n ? '\t' : '\n');
	}
	if (n == 0)
		luaL_addchar(&text, '\n');
	luaL_pushresult(&text);
	bytes = lua_tolstring(L, -1, &len);
	if (to->print != NULL)
		to->print(to->ctx, bytes, len);
	else if (fwrite(bytes, 1, len, stdout) == len)
		(void)fflush(stdout);
	return 0;
}

/* ---- small ones ---- */

/* Uniform in [0, bound), bound at least 1: what would favour the small is drawn again. */
static uint64_t random_below(const struct script_host *to, uint64_t bound)
{
	uint64_t unfair = -bound % bound, drawn;

	do {
		to->random(to->ctx, &drawn, sizeof(drawn));
	} while (drawn < unfair);
	return drawn % bound;
}

int api_random(lua_State *L)
{
	lua_Integer max = luaL_optinteger(L, 1, (lua_Integer)1 << 31);

	luaL_argcheck(L, max > 0, 1, "the bound is at least 1");
	lua_pushinteger(L, (lua_Integer)random_below(lua_host_of(L)->to, (uint64_t)max));
	return 1;
}

int api_thread_id(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)lua_host_of(L)->to->thread);
	return 1;
}

int api_config_dir(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;

	lua_pushstring(L, to->config_dir != NULL ? to->config_dir : "");
	lua_pushstring(L, to->config_name != NULL ? to->config_name : "");
	return 2;
}

int api_registered_name(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;
	uint8_t buffer[NAME_MAX_LEN], lower[NAME_MAX_LEN];
	const uint8_t *name = lua_check_name_or_text(L, 1, buffer);
	char text[NAME_TEXT_MAX];
	unsigned labels = 2;

	/* As in 3.7: as it was given, which may be without the final dot. */
	if (name_labels(name) <= 2) {
		(void)luaL_tolstring(L, 1, NULL);
		return 1;
	}
	(void)name_lower(lower, name);
	if (to->registrable != NULL)
		labels = to->registrable(to->ctx, lower);
	lua_pushstring(L, name_to_text(text, name_suffix(lower, labels)));
	return 1;
}

int api_no_snmp(lua_State *L)
{
	return luaL_error(L, "this recursor has no SNMP");
}

/* ---- the caches as strings ---- */

static const struct script_caches *caches_of(lua_State *L)
{
	const struct script_caches *caches = lua_host_of(L)->to->caches;

	if (caches == NULL)
		luaL_error(
			L,
			"a worker would be held up: call it in a script of lua-start-stop-script "
			"or spawnThread()");
	return caches;
}

static uint64_t number_or_all(lua_State *L, int index)
{
	lua_Integer n = luaL_optinteger(L, index, 0);

	luaL_argcheck(L, n >= 0, index, "a number of 0 or more is wanted");
	return (uint64_t)n;
}

struct dumped {
	char *bytes;
	size_t len;
};

static int push_dumped(lua_State *L)
{
	const struct dumped *d = lua_touserdata(L, 1);

	lua_pushlstring(L, d->bytes, d->len);
	return 1;
}

static int push_dump(lua_State *L, bool servers, uint64_t sets, uint64_t bytes)
{
	const struct script_caches *caches = caches_of(L);
	char why[SCRIPT_WHY_MAX];
	struct dumped d;
	uint64_t n = 0;
	int rc;

	if (caches->dump(lua_host_of(L)->to->ctx, servers, sets, bytes, &d.bytes, &d.len, &n,
			 why) != E_OK)
		return luaL_error(L, "%s", why);
	/* The copy may be too large for the state. */
	lua_pushcfunction(L, push_dumped);
	lua_pushlightuserdata(L, &d);
	rc = lua_pcall(L, 1, 1, 0);
	free(d.bytes);
	if (rc != LUA_OK)
		return lua_error(L);
	lua_pushinteger(L, (lua_Integer)n);
	return 2;
}

int api_dump_records(lua_State *L)
{
	enum { SHARDS = 1024 }; /* the default of record-cache-shards, as in PowerDNS */
	uint64_t per_shard = number_or_all(L, 1), all;

	if (__builtin_mul_overflow(per_shard, SHARDS, &all))
		all = 0;
	return push_dump(L, false, all, number_or_all(L, 2));
}

int api_dump_servers(lua_State *L)
{
	return push_dump(L, true, 0, number_or_all(L, 1));
}

int api_load_dump(lua_State *L)
{
	const struct script_caches *caches = caches_of(L);
	char why[SCRIPT_WHY_MAX];
	size_t len;
	const char *data = luaL_checklstring(L, 1, &len);
	uint64_t n = 0;

	/* As in the field: one of another version is no error of the script's. */
	if (caches->load(lua_host_of(L)->to->ctx, data, len, &n, why) != E_OK)
		log_error("a dump of the cache is refused: %s", why);
	lua_pushinteger(L, (lua_Integer)n);
	return 1;
}

int api_spawn_thread(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;
	const char *path = luaL_checkstring(L, 1);
	char why[SCRIPT_WHY_MAX];

	if (to->spawn == NULL)
		return luaL_error(L, "no threads are begun in a trial");
	if (to->spawn(to->ctx, path, why) != E_OK)
		return luaL_error(L, "%s", why);
	return 0;
}

/* ---- metrics ---- */

struct metric_object {
	struct lua_mark mark;
	struct custom_metric *metric; /* of custom_metrics, which outlives the state */
};

/* Text of at most `cap` - 1 bytes; more is a Lua error. */
static void copy_text(lua_State *L, int index, const char *what, char *out, size_t cap)
{
	size_t len;
	const char *text = lua_tolstring(L, index, &len);

	if (text != NULL && len < cap && strlen(text) == len)
		memcpy(out, text, len + 1);
	else
		luaL_error(L, "a metric's %s is text of at most %d bytes", what, (int)cap - 1);
}

static void copy_field(lua_State *L, const char *field, char *out, size_t cap)
{
	if (lua_getfield(L, 2, field) != LUA_TNIL)
		copy_text(L, -1, field, out, cap);
	lua_pop(L, 1);
}

static void read_description(lua_State *L, struct custom_metric *like)
{
	char type[16] = "";

	if (lua_isnoneornil(L, 2))
		return;
	if (lua_type(L, 2) == LUA_TSTRING) {
		copy_text(L, 2, "prometheusName", like->prometheus, sizeof(like->prometheus));
		return;
	}
	luaL_checktype(L, 2, LUA_TTABLE);
	copy_field(L, "prometheusName", like->prometheus, sizeof(like->prometheus));
	copy_field(L, "description", like->help, sizeof(like->help));
	copy_field(L, "type", type, sizeof(type));
	like->is_gauge = strcmp(type, "gauge") == 0;
	if (!like->is_gauge && type[0] != '\0' && strcmp(type, "counter") != 0)
		luaL_error(L, "a metric's type is counter or gauge, not '%s'", type);
}

int api_get_metric(lua_State *L)
{
	struct custom_metrics *metrics = lua_host_of(L)->to->metrics;
	struct custom_metric like = { 0 };
	struct metric_object *o;
	int err;

	luaL_checkstring(L, 1);
	copy_text(L, 1, "name", like.name, sizeof(like.name));
	read_description(L, &like);
	if (metrics == NULL)
		return luaL_error(L, "there is no place for metrics of a script");
	o = lua_object_new(L, LUA_METRIC, sizeof(*o), 0);
	err = custom_metrics_get(&o->metric, metrics, &like);
	if (err == E_MALFORMED)
		return luaL_error(L, "'%s' is no name for a metric", like.name);
	if (err == E_LIMIT)
		return luaL_error(L, "no more than %d metrics can be made", CUSTOM_METRICS_MAX);
	if (err != E_OK)
		return luaL_error(L, "%s", err_text(err));
	return 1;
}

static struct custom_metric *check_metric(lua_State *L)
{
	struct metric_object *o = lua_object_check(L, 1, LUA_METRIC);

	/* An object that was left half made is collected, but debug can get at it before. */
	if (o->metric == NULL)
		luaL_error(L, "the metric was not made");
	return o->metric;
}

int api_metric_inc(lua_State *L)
{
	atomic_fetch_add_explicit(&check_metric(L)->value, 1, memory_order_relaxed);
	return 0;
}

int api_metric_inc_by(lua_State *L)
{
	struct custom_metric *metric = check_metric(L);
	lua_Integer n = luaL_checkinteger(L, 2);

	atomic_fetch_add_explicit(&metric->value, (uint64_t)n, memory_order_relaxed);
	return 0;
}

int api_metric_set(lua_State *L)
{
	struct custom_metric *metric = check_metric(L);
	lua_Integer n = luaL_checkinteger(L, 2);

	atomic_store_explicit(&metric->value, (uint64_t)n, memory_order_relaxed);
	return 0;
}

int api_metric_get(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)atomic_load_explicit(&check_metric(L)->value,
							     memory_order_relaxed));
	return 1;
}

int api_get_stat(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;
	const char *name = luaL_checkstring(L, 1);
	const struct custom_metric *own = to->metrics != NULL
						  ? custom_metrics_find(to->metrics, name)
						  : NULL;
	uint64_t value = 0;
	bool found = own != NULL;

	if (found)
		value = atomic_load_explicit(&own->value, memory_order_relaxed);
	else if (to->stat != NULL)
		found = to->stat(to->ctx, name, &value);
	if (found)
		lua_pushinteger(L, (lua_Integer)value);
	else
		lua_pushnil(L);
	return 1;
}
