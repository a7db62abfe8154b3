/*
 * host: what the objects of a script need of the state that they are in.
 *
 * A pointer to it stands in the state's extra space, which every coroutine has a copy of.
 *
 * Memory:  what objects hold outside of Lua's memory (groups of networks, ipsets without a name,
 *          rate limits) is counted in native_bytes, and bounded by native_max.
 * Threads: as the state.
 */
#ifndef POLICY_LUA_HOST_H
#define POLICY_LUA_HOST_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "recursor/policy/script.h"

enum { LUA_METATABLES = 64 };

struct lua_host {
	const struct script_host *to;
	int metatables[LUA_METATABLES]; /* of the objects, as luaL_ref() tells */
	bool is_classic; /* the script has hooks of the classic interface, and none of the other */
	/* NULL while the script's body runs: that is on another thread than its worker's, where the
	 * script before may be reading. */
	struct ipset_reader *reader;
	size_t native_bytes, native_max; /* native_max 0: no limit */
	/* Counts as so many of Lua's instructions; raises an error when that is too many.  NULL:
	 * nobody counts. */
	void (*charge)(lua_State *L, uint64_t n);
};

/* A line for the operator; the level is that of common/log.h. */
static inline void lua_host_tell(const struct script_host *to, int level, const char *text)
{
	if (to->log != NULL)
		to->log(to->ctx, level, text);
	else
		log_with(level, NULL, "%s", text);
}

static inline struct lua_host *lua_host_of(lua_State *L)
{
	return *(struct lua_host **)lua_getextraspace(L);
}

/* What takes as long as so many instructions is about to be done in C. */
static inline void lua_host_work(lua_State *L, uint64_t n)
{
	struct lua_host *host = lua_host_of(L);

	if (host->charge != NULL)
		host->charge(L, n);
}

/* Counts native memory that an object holds: `to` bytes instead of `from`.  More than there may be
 * is a Lua error, after what is garbage has been collected. */
void lua_host_charge(lua_State *L, size_t from, size_t to);

#endif
