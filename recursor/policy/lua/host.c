#include "recursor/policy/lua/host.h"

#include <lauxlib.h>

static bool is_too_much(const struct lua_host *host, size_t from, size_t to)
{
	return host->native_max != 0 && host->native_bytes - from + to > host->native_max;
}

void lua_host_charge(lua_State *L, size_t from, size_t to)
{
	struct lua_host *host = lua_host_of(L);

	if (to > from && is_too_much(host, from, to)) {
		/* Lua does not know how much hangs on what it has not collected yet. */
		lua_gc(L, LUA_GCCOLLECT);
		if (is_too_much(host, from, to))
			luaL_error(
				L,
				"groups of networks, ipsets and rate limits may not hold more than %I bytes",
				(LUAI_UACINT)host->native_max);
	}
	host->native_bytes = host->native_bytes - from + to;
}
