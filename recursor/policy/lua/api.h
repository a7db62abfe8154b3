/*
 * api: everything that a script can call or read, of both of PowerDNS's interfaces, in one table
 * (api_table.h), and what makes Lua see it.
 *
 *     lua_api_open(L, &host);        // globals, pdns, iputils, and a metatable for each object
 *     luaL_loadfilex(L, ...);
 *
 * A row is a member: recursor-lua(7)'s lists and the test that walks all members come from it.
 * Functions and methods are Lua's C functions.  A field has one that reads it (self on the stack,
 * one result) and perhaps one that writes it (self, value).  Members that have no function here
 * are made elsewhere: hooks are the script's own, some names stand for a group of constants.
 *
 * What a script does wrong is a Lua error with a clear text, nothing worse: objects are told by a
 * mark within their block and not by their metatable, which Lua's debug library can exchange.
 *
 * Threads: a state, one thread.  The table is constant.
 */
#ifndef POLICY_LUA_API_H
#define POLICY_LUA_API_H

#include <lua.h>
#include <stddef.h>
#include <stdio.h>

#include "recursor/policy/lua/api_table.h"
#include "recursor/policy/lua/host.h"

enum lua_object {
#define LUA_OBJECT_ENUM(object, name, help) LUA_##object,
	LUA_OBJECTS(LUA_OBJECT_ENUM)
#undef LUA_OBJECT_ENUM
};

enum { LUA_N_OBJECTS = LUA_OBJECT_END };

enum lua_member_kind {
	LUA_MEMBER_HOOK,     /* a global function of the script's */
	LUA_MEMBER_FUNCTION, /* of the globals, of pdns, of iputils */
	LUA_MEMBER_METHOD,
	LUA_MEMBER_OPERATOR, /* a metamethod; its name is Lua's: __eq */
	LUA_MEMBER_FIELD,    /* read only */
	LUA_MEMBER_VARIABLE, /* a field that can be written */
	LUA_MEMBER_CONSTANT,
};

/* Which of the two it belongs to.  All are there for every script. */
enum lua_interface { LUA_CLASSIC = 1, LUA_CURRENT = 2, LUA_BOTH = 3 };

struct lua_member {
	enum lua_object object;
	enum lua_member_kind kind;
	const char *name;
	const char *arguments; /* "(name)"; "" for what is no function */
	const char *since;     /* the release of PowerDNS that brought it, or "own" */
	enum lua_interface interface;
	lua_CFunction call; /* or what reads a field; NULL: made elsewhere */
	lua_CFunction set;  /* what writes a field; NULL: nothing does */
	const char *help;
};

#define LUA_MEMBER_DECLARE(object, kind, name, arguments, since, interface, call, set, help)       \
	LUA_DECLARE_##kind(call, set)
#define LUA_DECLARE_HOOK(call, set)
#define LUA_DECLARE_CONSTANT(call, set)
#define LUA_DECLARE_FUNCTION(call, set) int call(lua_State *L);
#define LUA_DECLARE_METHOD(call, set) int call(lua_State *L);
#define LUA_DECLARE_OPERATOR(call, set) int call(lua_State *L);
#define LUA_DECLARE_FIELD(call, set) int call(lua_State *L);
#define LUA_DECLARE_VARIABLE(call, set)                                                            \
	int call(lua_State *L);                                                                    \
	int set(lua_State *L);
LUA_MEMBERS(LUA_MEMBER_DECLARE)

size_t lua_members_count(void);
const struct lua_member *lua_members_at(size_t i);
const char *lua_object_name(enum lua_object object); /* "DNSName"; "" for the globals */

/* Makes all of it in a new state; raises Lua's error when memory is short.  The host is borrowed
 * for as long as the state lives. */
void lua_api_open(lua_State *L, struct lua_host *host);

/* What an object begins with. */
struct lua_mark {
	const char *mark;
};
/* A new object of ours on top of the stack, with so many user values; `size` counts the mark, and
 * all but the mark is zero. */
void *lua_object_new(lua_State *L, enum lua_object object, size_t size, int uservalues);

/* The object at `index`, or NULL when it is something else. */
void *lua_object_test(lua_State *L, int index, enum lua_object object);
/* The same; something else is a Lua error. */
void *lua_object_check(lua_State *L, int index, enum lua_object object);

/* All of it as mdoc, for recursor-lua(7). */
void lua_api_print_mdoc(FILE *f);

#endif
