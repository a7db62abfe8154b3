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

/* insert and remove move what stands behind; how many there are, __len may say. */
static int shift(lua_State *L)
{
	if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL) {
		lua_Integer n = luaL_len(L, 1);

		lua_pop(L, 1);
		if (n > 0)
			engine_charge(L, (uint64_t)n);
	}
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

void sandbox_open(lua_State *L)
{
	static const struct {
		const char *library, *name;
		lua_CFunction by;
	} rows[] = {
		{ LUA_GNAME, "setmetatable", set_metatable },
		{ LUA_GNAME, "xpcall", call_with_handler },
		{ LUA_COLIBNAME, "create", make_coroutine },
		{ LUA_COLIBNAME, "wrap", make_coroutine },
		{ LUA_STRLIBNAME, "rep", repeat },
		{ LUA_TABLIBNAME, "move", move },
		{ LUA_TABLIBNAME, "insert", shift },
		{ LUA_TABLIBNAME, "remove", shift },
		{ LUA_DBLIBNAME, "debug", refuse },
		{ LUA_DBLIBNAME, "getregistry", refuse },
		{ LUA_DBLIBNAME, "sethook", refuse },
		{ LUA_DBLIBNAME, "setlocal", refuse },
		{ LUA_DBLIBNAME, "setmetatable", refuse },
		{ LUA_DBLIBNAME, "setupvalue", refuse },
		{ LUA_DBLIBNAME, "setuservalue", refuse },
		{ LUA_DBLIBNAME, "upvaluejoin", refuse },
		{ LUA_OSLIBNAME, "exit", refuse },
		{ LUA_OSLIBNAME, "setlocale", refuse },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		replace(L, rows[i].library, rows[i].name, rows[i].by);
	patterns_open(L);
	if (lua_host_of(L)->to->is_trial)
		sandbox_trial(L);
}
