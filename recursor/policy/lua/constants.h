/*
 * constants: the table pdns, which both interfaces share, and pdns_features.
 */
#ifndef POLICY_LUA_CONSTANTS_H
#define POLICY_LUA_CONSTANTS_H

#include <lua.h>

void lua_open_constants(lua_State *L);

#endif
