/*
 * shared: objects that all workers' scripts share: ipsets with options (policy/ipset.h), lists of
 * names out of files and rate limits (policy/shelf.h).
 *
 * Memory: not Lua's; ipset-max-entries bounds the sets, the file a list, `max` a rate limit.  Rate
 *         limits and sets without a name count as native memory (host.h).  An object of Lua's holds
 *         a reference, until it is collected or the state ends.
 */
#ifndef POLICY_LUA_SHARED_H
#define POLICY_LUA_SHARED_H

#include <lua.h>

/* iputils.newipset{...}: the table of options is at index 1. */
int lua_new_shared_set(lua_State *L);

#endif
