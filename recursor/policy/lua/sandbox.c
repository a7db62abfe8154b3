/*
 * sandbox: Lua's standard libraries, less what would get around the limits of a call or end the
 * daemon.
 *
 * A script is the operator's own and not an enemy: what is guarded against is a mistake that takes
 * a worker from its clients.  Hence no finalizers (Lua runs them without counting), no hooks and
 * metatables of debug's, no os.exit(); and loops in C that a wrong number makes endless are
 * charged for their length.  What blocks (io, os.execute) is the operator's to avoid.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/policy/lua/engine.h"

enum { COPIES_EACH = 16 }; /* of a small string take as long as one instruction */

/* What a function is replaced by has the function itself as its first upvalue.  It runs in our
 * frame, so that its errors name the script's line; none of these has upvalues of its own. */
static int call_original(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int set_metatable(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TTABLE) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "finalizers (__gc) are not to be had here");
		lua_pop(L, 1);
	}
	return call_original(L);
}

/* A coroutine begins with a count of its own. */
static int make_coroutine(lua_State *L)
{
	engine_charge(L, ENGINE_STEP);
	return call_original(L);
}

static int handle_error(lua_State *L)
{
	if (script_of(L)->is_over)
		return 1;
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* Lua calls the handler where the error is: in on_count(), where nothing counts. */
static int call_with_handler(lua_State *L)
{
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle_error, 1);
	lua_replace(L, 2);
	return call_original(L);
}

static int repeat(lua_State *L)
{
	size_t len, between = 0;
	lua_Integer n = luaL_checkinteger(L, 2);

	(void)luaL_checklstring(L, 1, &len);
	(void)luaL_optlstring(L, 3, "", &between);
	if (len + between == 0 || n <= 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	engine_charge(L, (uint64_t)n / COPIES_EACH);
	return call_original(L);
}

static int move(lua_State *L)
{
	lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);

	if (last >= first)
		engine_charge(L, (uint64_t)last - (uint64_t)first);
	return call_original(L);
}

/* As table's functions have it: what is no table needs a __len. */
static lua_Integer length_of(lua_State *L)
{
	int top = lua_gettop(L);
	lua_Integer n = 0;

	if (lua_type(L, 1) == LUA_TTABLE || luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
		n = luaL_len(L, 1);
	lua_settop(L, top);
	return n;
}

static void charge_range(lua_State *L, lua_Integer first, lua_Integer last)
{
	if (last > first)
		engine_charge(L, (uint64_t)last - (uint64_t)first);
}

/* insert and remove move what stands behind. */
static int insert(lua_State *L)
{
	if (lua_gettop(L) == 3)
		charge_range(L, lua_tointeger(L, 2), length_of(L));
	return call_original(L);
}

static int take_out(lua_State *L)
{
	if (lua_gettop(L) > 1)
		charge_range(L, lua_tointeger(L, 2), length_of(L));
	return call_original(L);
}

/* Bounds that were not given are those of the whole table. */
static void charge_part(lua_State *L, int first)
{
	lua_Integer from = luaL_optinteger(L, first, 1);

	charge_range(L, from,
		     lua_isnoneornil(L, first + 1) ? length_of(L)
						   : luaL_checkinteger(L, first + 1));
}

static int concat(lua_State *L)
{
	charge_part(L, 3);
	return call_original(L);
}

static int unpack(lua_State *L)
{
	charge_part(L, 2);
	return call_original(L);
}

/* What compares may be Lua's, and counts by itself. */
static int sort(lua_State *L)
{
	lua_Integer n = length_of(L);
	unsigned bits = 0;

	for (lua_Integer rest = n; rest > 1; rest >>= 1)
		bits++;
	if (n > 0 && n < INT32_MAX)
		engine_charge(L, (uint64_t)n * bits);
	return call_original(L);
}

/* Collecting looks at the whole heap. */
static int collect(lua_State *L)
{
	const char *what = luaL_optstring(L, 1, "collect");

	if (strcmp(what, "collect") == 0 || strcmp(what, "step") == 0)
		engine_charge(L, script_of(L)->heap / ENGINE_BYTES_EACH);
	return call_original(L);
}

static int refuse(lua_State *L)
{
	return luaL_error(L, "%s is not to be had here", lua_tostring(L, lua_upvalueindex(1)));
}

static void replace(lua_State *L, const char *library, const char *name, lua_CFunction by)
{
	if (lua_getglobal(L, library) != LUA_TTABLE) {
		lua_pop(L, 1);
		return;
	}
	if (by == refuse)
		lua_pushfstring(L, "%s.%s()", library, name);
	else
		lua_getfield(L, -1, name);
	lua_pushcclosure(L, by, 1);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

/* Of io.open in a trial: what the script reads at its start it may read. */
static int open_to_read(lua_State *L)
{
	const char *mode = luaL_optstring(L, 2, "r");

	if (mode[0] != 'r' || strchr(mode, '+') != NULL)
		return luaL_error(L, "in a trial nothing is written: io.open(..., '%s')", mode);
	return call_original(L);
}

/* A script that is only tried shall change nothing. */
static void sandbox_trial(lua_State *L)
{
	static const char *const os_names[] = { "execute", "remove", "rename", "tmpname" };
	static const char *const io_names[] = { "output", "popen", "tmpfile", "write" };

	for (size_t i = 0; i < ARRAY_LEN(os_names); i++)
		replace(L, LUA_OSLIBNAME, os_names[i], refuse);
	for (size_t i = 0; i < ARRAY_LEN(io_names); i++)
		replace(L, LUA_IOLIBNAME, io_names[i], refuse);
	replace(L, LUA_IOLIBNAME, "open", open_to_read);
	replace(L, LUA_LOADLIBNAME, "loadlib", refuse);
}

/* PowerDNS 3.x ran scripts in Lua 5.1: what that had, under its name of then. */
static void add_old_names(lua_State *L)
{
	static const struct {
		const char *library, *old, *of, *name;
	} rows[] = {
		{ LUA_GNAME, "loadstring", LUA_GNAME, "load" },
		{ LUA_GNAME, "unpack", LUA_TABLIBNAME, "unpack" },
		{ LUA_MATHLIBNAME, "mod", LUA_MATHLIBNAME, "fmod" },
		{ LUA_STRLIBNAME, "gfind", LUA_STRLIBNAME, "gmatch" },
		{ LUA_TABLIBNAME, "getn", LUA_GNAME, "rawlen" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)lua_getglobal(L, rows[i].library);
		(void)lua_getglobal(L, rows[i].of);
		(void)lua_getfield(L, -1, rows[i].name);
		lua_setfield(L, -3, rows[i].old);
		lua_pop(L, 2);
	}
}

static int no_ffi(lua_State *L)
{
	return luaL_error(L, "this recursor has no FFI");
}

/* require("ffi") says it, and not where it has been looked for. */
static void preload_refusal(lua_State *L)
{
	(void)lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, no_ffi);
	lua_setfield(L, -2, "ffi");
	lua_pop(L, 1);
}

void sandbox_open(lua_State *L)
{
	static const struct {
		const char *library, *name;
		lua_CFunction by;
	} rows[] = {
		{ LUA_GNAME, "collectgarbage", collect },
		{ LUA_GNAME, "setmetatable", set_metatable },
		{ LUA_GNAME, "xpcall", call_with_handler },
		{ LUA_COLIBNAME, "create", make_coroutine },
		{ LUA_COLIBNAME, "wrap", make_coroutine },
		{ LUA_STRLIBNAME, "rep", repeat },
		{ LUA_TABLIBNAME, "move", move },
		{ LUA_TABLIBNAME, "insert", insert },
		{ LUA_TABLIBNAME, "remove", take_out },
		{ LUA_TABLIBNAME, "concat", concat },
		{ LUA_TABLIBNAME, "unpack", unpack },
		{ LUA_TABLIBNAME, "sort", sort },
		{ LUA_DBLIBNAME, "debug", refuse },
		{ LUA_DBLIBNAME, "getmetatable", refuse },
		{ LUA_DBLIBNAME, "getregistry", refuse },
		{ LUA_DBLIBNAME, "getupvalue", refuse },
		{ LUA_DBLIBNAME, "sethook", refuse },
		{ LUA_DBLIBNAME, "setlocal", refuse },
		{ LUA_DBLIBNAME, "setmetatable", refuse },
		{ LUA_DBLIBNAME, "setupvalue", refuse },
		{ LUA_DBLIBNAME, "setuservalue", refuse },
		{ LUA_DBLIBNAME, "upvaluejoin", refuse },
		{ LUA_OSLIBNAME, "execute", shell_execute },
		{ LUA_OSLIBNAME, "exit", refuse },
		{ LUA_OSLIBNAME, "setlocale", refuse },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		replace(L, rows[i].library, rows[i].name, rows[i].by);
	/* Nor by way of the one kind of objects that Lua itself has finalizers for. */
	luaL_getmetatable(L, LUA_FILEHANDLE);
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	patterns_open(L);
	add_old_names(L);
	preload_refusal(L);
	if (lua_host_of(L)->to->is_trial)
		sandbox_trial(L);
}
