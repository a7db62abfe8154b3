/*
 * names: DNSName and DNSSuffixMatchGroup.
 *
 * Memory: Lua's.
 */
#ifndef POLICY_LUA_NAMES_H
#define POLICY_LUA_NAMES_H

#include <lua.h>
#include <stdint.h>

#include "common/name.h"

/* A DNSName of this name, its case kept, on top of the stack. */
void lua_push_name(lua_State *L, const uint8_t *name);

/* The name of a DNSName: borrowed, as long as the object is on the stack. */
const uint8_t *lua_check_name(lua_State *L, int index);

/* The same, or that of a text, which is read into `buffer`; what is none is a Lua error. */
const uint8_t *lua_check_name_or_text(lua_State *L, int index, uint8_t buffer[NAME_MAX_LEN]);

#endif
