/* config: see recursor/policy/luaconfig.h. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/log.h"
#include "recursor/policy/lua/constants.h"
#include "recursor/policy/luaconfig.h"

enum {
	COUNT_STEP = 10000,
	HOURS = 24,
	HOURS_MAX = 365 * 24,
	LINE_MAX_LEN = 1024,
	COPY_NUMBER_MAX = 1000000000
};

/* What PowerDNS has and we have not: each is taken and nothing done. */
static const char *const later[] = {
	"addAllowedAdditionalQType",
	"addProxyMapping",
	"addSortList",
	"dnstapFrameStreamServer",
	"dnstapNODFrameStreamServer",
	"outgoingProtobufServer",
	"protobufServer",
	"rpzFile",
	"rpzMaster",
	"rpzPrimary",
	"setProtobufMasks",
};

struct running {
	const struct luaconfig *to;
	uint64_t told; /* a bit for each of `later` that was called */
	size_t bytes;
	uint64_t steps;
	bool is_over, starved;
};

_Static_assert(ARRAY_LEN(later) <= 64, "a bit for each");

static struct running *running_of(lua_State *L)
{
	return *(struct running **)lua_getextraspace(L);
}

/* ---- limits ---- */

static void *allocate(void *ctx, void *block, size_t old, size_t new)
{
	struct running *r = ctx;
	void *moved;

	if (block == NULL)
		old = 0;
	if (new == 0) {
		free(block);
		r->bytes -= old;
		return NULL;
	}
	if (new > old &&new - old > LUACONFIG_BYTES - r->bytes) {
		r->starved = true;
		return NULL;
	}
	moved = realloc(block, new);
	if (moved != NULL)
		r->bytes += new - old;
	return moved;
}

/* Raised again at every step, so that a pcall() does not get it any further. */
static void on_count(lua_State *L, lua_Debug *at)
{
	struct running *r = running_of(L);

	(void)at;
	r->steps += COUNT_STEP;
	if (r->steps < LUACONFIG_INSTRUCTIONS)
		return;
	r->is_over = true;
	lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	luaL_where(L, 0); /* a hook is no level of its own */
	lua_pushliteral(L, "it runs for too long");
	lua_concat(L, 2);
	(void)lua_error(L);
}

/* ---- functions ---- */

static int finish(lua_State *L, int err, const char *function, const char *why)
{
	if (err == E_OK)
		return 0;
	return luaL_error(L, "%s(): %s", function, why);
}

/* `otherwise`: what the second argument is when there is none; NULL: there must be one. */
static int add(lua_State *L, const char *function, const char *otherwise,
	       int (*cb)(void *ctx, const char *zone, const char *text, char *why))
{
	const char *zone = luaL_checkstring(L, 1);
	const char *text = otherwise == NULL ? luaL_checkstring(L, 2)
					     : luaL_optstring(L, 2, otherwise);
	char why[LUACONFIG_WHY_MAX];

	return finish(L, cb(running_of(L)->to->ctx, zone, text, why), function, why);
}

static int add_ta(lua_State *L)
{
	return add(L, "addTA", NULL, running_of(L)->to->add_ta);
}

static int add_nta(lua_State *L)
{
	return add(L, "addNTA", "", running_of(L)->to->add_nta);
}

static int clear(lua_State *L, const char *function,
		 int (*cb)(void *ctx, const char *zone, char *why))
{
	const char *zone = luaL_optstring(L, 1, NULL);
	char why[LUACONFIG_WHY_MAX];

	return finish(L, cb(running_of(L)->to->ctx, zone, why), function, why);
}

static int clear_ta(lua_State *L)
{
	return clear(L, "clearTA", running_of(L)->to->clear_ta);
}

static int clear_nta(lua_State *L)
{
	return clear(L, "clearNTA", running_of(L)->to->clear_nta);
}

static int read_file(lua_State *L)
{
	const struct luaconfig *to = running_of(L)->to;
	const char *path = luaL_checkstring(L, 1);
	lua_Integer hours = luaL_optinteger(L, 2, HOURS);
	char why[LUACONFIG_WHY_MAX];

	luaL_argcheck(L, hours >= 0 && hours <= HOURS_MAX, 2, "hours, up to a year");
	return finish(L, to->read_file(to->ctx, path, (uint32_t)hours, why),
		      "readTrustAnchorsFromFile", why);
}

/* zoneToCache()'s settings: name, member of struct luaconfig_copy. */
static const struct {
	const char *name;
	uint16_t offset;
	bool is_number;
} copy_settings[] = {
#define COPY_TEXT(name, member)                                                                    \
	{                                                                                          \
		name, offsetof(struct luaconfig_copy, member), false                               \
	}
#define COPY_NUMBER(name, member)                                                                  \
	{                                                                                          \
		name, offsetof(struct luaconfig_copy, member), true                                \
	}
	COPY_TEXT("dnssec", dnssec),
	COPY_TEXT("localAddress", local_address),
	COPY_NUMBER("maxReceivedMBytes", max_megabytes),
	COPY_NUMBER("refreshPeriod", refresh_s),
	COPY_NUMBER("retryOnErrorPeriod", retry_s),
	COPY_NUMBER("timeout", timeout_s),
	COPY_TEXT("tsigalgo", tsig_algorithm),
	COPY_TEXT("tsigname", tsig_name),
	COPY_TEXT("tsigsecret", tsig_secret),
	COPY_TEXT("zonemd", zonemd),
#undef COPY_TEXT
#undef COPY_NUMBER
};

/* The table's value of that name, on the top of the stack, becomes the member. */
static void take_copy_setting(lua_State *L, struct luaconfig_copy *c, size_t i)
{
	char *member = (char *)c + copy_settings[i].offset;
	lua_Integer value;
	int is_integer;

	if (!copy_settings[i].is_number) {
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "zoneToCache(): %s is no text", copy_settings[i].name);
		*(const char **)(void *)member = lua_tostring(L, -1);
		return;
	}
	value = lua_tointegerx(L, -1, &is_integer);
	if (!is_integer || value < 0 || value > COPY_NUMBER_MAX)
		luaL_error(L, "zoneToCache(): %s is no number from 0 to %d", copy_settings[i].name,
			   COPY_NUMBER_MAX);
	*(uint32_t *)(void *)member = (uint32_t)value;
}

static void read_copy_settings(lua_State *L, struct luaconfig_copy *c)
{
	for (lua_pushnil(L); lua_next(L, 4) != 0; lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
		size_t i = 0;

		while (i < ARRAY_LEN(copy_settings) && strcmp(copy_settings[i].name, key) != 0)
			i++;
		if (i == ARRAY_LEN(copy_settings))
			luaL_error(L, "zoneToCache() has no setting '%s'", key);
		take_copy_setting(L, c, i);
	}
}

/* The third argument: one, or a table of them. */
static void take_sources(lua_State *L, struct luaconfig_copy *c)
{
	luaL_Buffer all;

	if (!lua_istable(L, 3)) {
		c->source = luaL_checkstring(L, 3);
		c->sources = 1;
		return;
	}
	c->sources = (unsigned)lua_rawlen(L, 3);
	if (c->sources == 0 || c->sources > LUACONFIG_SOURCES_MAX)
		luaL_argerror(L, 3,
			      lua_pushfstring(L, "one source, or a table of up to %d",
					      LUACONFIG_SOURCES_MAX));
	luaL_buffinit(L, &all);
	for (unsigned i = 1; i <= c->sources; i++) {
		if (i > 1)
			luaL_addchar(&all, ' ');
		if (lua_rawgeti(L, 3, i) != LUA_TSTRING)
			luaL_error(L, "zoneToCache(): a source that is no text");
		luaL_addvalue(&all);
	}
	luaL_pushresult(&all);
	c->source = lua_tostring(L, -1);
	/* It lives as long as the argument does whose place it takes. */
	lua_replace(L, 3);
}

/* PowerDNS's defaults. */
static int zone_to_cache(lua_State *L)
{
	const struct luaconfig *to = running_of(L)->to;
	struct luaconfig_copy c = {
		.zone = luaL_checkstring(L, 1),
		.method = luaL_checkstring(L, 2),
		.zonemd = "validate",
		.dnssec = "validate",
		.timeout_s = 20,
		.refresh_s = 24 * 3600,
		.retry_s = 60,
	};
	char why[LUACONFIG_WHY_MAX];

	take_sources(L, &c);
	if (!lua_isnoneornil(L, 4)) {
		luaL_checktype(L, 4, LUA_TTABLE);
		read_copy_settings(L, &c);
	}
	if (c.timeout_s == 0 || c.retry_s == 0)
		return luaL_error(L,
				  "zoneToCache(): timeout and retryOnErrorPeriod are at least 1");
	return finish(L, to->add_copy(to->ctx, &c, why), "zoneToCache", why);
}

static int write_log(lua_State *L)
{
	const struct luaconfig *to = running_of(L)->to;
	lua_Integer level = luaL_optinteger(L, 2, LOG_LEVEL_WARNING);

	if (level < LOG_LEVEL_ERROR)
		level = LOG_LEVEL_ERROR;
	if (level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	to->log(to->ctx, (int)level, luaL_checkstring(L, 1));
	return 0;
}

/* Upvalue: which of `later`. */
static int warn_of(lua_State *L)
{
	struct running *r = running_of(L);
	size_t i = (size_t)lua_tointeger(L, lua_upvalueindex(1));
	char line[LINE_MAX_LEN];

	if ((r->told >> i & 1) != 0)
		return 0;
	r->told |= 1ULL << i;
	luaL_where(L, 1);
	(void)snprintf(line, sizeof(line), "%s%s() is PowerDNS's and does nothing here, yet",
		       lua_tostring(L, -1), later[i]);
	r->to->log(r->to->ctx, LOG_LEVEL_WARNING, line);
	return 0;
}

/* ---- the state ---- */

/* Source alone is loaded: bytecode can be made to break out of Lua. */
static int do_file(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);

	lua_settop(L, 1);
	if (luaL_loadfilex(L, path, "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, LUA_MULTRET);
	return lua_gettop(L) - 1;
}

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },          { LUA_STRLIBNAME, luaopen_string },
		{ LUA_TABLIBNAME, luaopen_table },    { LUA_MATHLIBNAME, luaopen_math },
		{ LUA_COLIBNAME, luaopen_coroutine }, { LUA_UTF8LIBNAME, luaopen_utf8 },
		{ LUA_OSLIBNAME, luaopen_os },
	};
	static const char *const os_left_out[] = { "execute", "exit",      "remove",
						   "rename",  "setlocale", "tmpname" };

	static const char *const base_left_out[] = { "load", "loadfile" };

	for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	lua_getglobal(L, LUA_OSLIBNAME);
	for (size_t i = 0; i < ARRAY_LEN(os_left_out); i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, os_left_out[i]);
	}
	lua_pop(L, 1);
	for (size_t i = 0; i < ARRAY_LEN(base_left_out); i++) {
		lua_pushnil(L);
		lua_setglobal(L, base_left_out[i]);
	}
	lua_register(L, "dofile", do_file);
}

/* What arguments of PowerDNS's functions are named by. */
static void open_constants(lua_State *L)
{
	static const char *const modes[] = { "Ignore", "CacheOnly", "CacheOnlyRequireAuth",
					     "ResolveImmediately", "ResolveDeferred" };

	lua_open_constants(L);
	lua_getglobal(L, "pdns");
	lua_pushnil(L);
	lua_setmetatable(L, -2); /* which needs a script's host */
	lua_newtable(L);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		lua_pushinteger(L, (lua_Integer)i);
		lua_setfield(L, -2, modes[i]);
	}
	lua_setfield(L, -2, "AdditionalMode");
	lua_getfield(L, -1, "policykinds");
	lua_setglobal(L, "Policy");
	lua_pop(L, 1);
}

static void open_functions(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "addTA", add_ta },
		{ "addDS", add_ta },
		{ "clearTA", clear_ta },
		{ "clearDS", clear_ta },
		{ "addNTA", add_nta },
		{ "clearNTA", clear_nta },
		{ "readTrustAnchorsFromFile", read_file },
		{ "zoneToCache", zone_to_cache },
		{ "pdnslog", write_log },
	};

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		lua_register(L, functions[i].name, functions[i].func);
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		lua_pushinteger(L, (lua_Integer)i);
		lua_pushcclosure(L, warn_of, 1);
		lua_setglobal(L, later[i]);
	}
}

struct source {
	const char *chunk, *text; /* "@" and the path */
	size_t len;
};

static int run(lua_State *L)
{
	const struct source *s = lua_touserdata(L, 1);

	open_libraries(L);
	open_constants(L);
	open_functions(L);
	if (luaL_loadbufferx(L, s->text, s->len, s->chunk, "t") != LUA_OK)
		return lua_error(L);
	lua_sethook(L, on_count, LUA_MASKCOUNT, COUNT_STEP);
	lua_call(L, 0, 0);
	return 0;
}

/* What went wrong, with the file; Lua has said it where it knew a line. */
static void explain(char *why, const struct source *s, const struct running *r, const char *said)
{
	const char *path = s->chunk + 1;

	if (r->starved)
		said = "it takes too much memory";
	else if (said == NULL)
		said = "an error that is no text";
	if (strncmp(said, path, strlen(path)) == 0)
		(void)snprintf(why, LUACONFIG_WHY_MAX, "%s", said);
	else
		(void)snprintf(why, LUACONFIG_WHY_MAX, "%s: %s", path, said);
}

static int run_text(struct source *s, const struct luaconfig *to, char *why)
{
	struct running r = { .to = to };
	lua_State *L = lua_newstate(allocate, &r);
	int err = E_OK;

	if (L == NULL)
		return E_NOMEM;
	*(struct running **)lua_getextraspace(L) = &r;
	lua_pushcfunction(L, run);
	lua_pushlightuserdata(L, s);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		err = r.is_over || r.starved ? E_LIMIT : E_MALFORMED;
		explain(why, s, &r, lua_tostring(L, -1));
	}
	lua_close(L);
	return err;
}

int luaconfig_run(const char *path, const struct luaconfig *to, char *why)
{
	struct source s = { 0 };
	char *text = NULL, *chunk = NULL;
	int err = conf_load_file(path, &text, &s.len);

	if (err != E_OK) {
		(void)snprintf(why, LUACONFIG_WHY_MAX, "%s: %s", path, err_why(err));
		return err;
	}
	if (asprintf(&chunk, "@%s", path) < 0) {
		chunk = NULL;
		err = E_NOMEM;
	}
	if (err == E_OK) {
		s.chunk = chunk;
		s.text = text;
		err = run_text(&s, to, why);
	}
	if (err == E_NOMEM)
		(void)snprintf(why, LUACONFIG_WHY_MAX, "%s: %s", path, err_text(err));
	free(chunk);
	free(text);
	return err;
}
