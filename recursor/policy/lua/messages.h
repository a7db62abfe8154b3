/*
 * messages: DNSHeader, QType and EDNSOptionView.
 *
 * Memory: Lua's; what they show is copied.
 */
#ifndef POLICY_LUA_MESSAGES_H
#define POLICY_LUA_MESSAGES_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* A DNSHeader of these bytes on top of the stack. */
void lua_push_header(lua_State *L, const uint8_t header[WIRE_HEADER_LEN]);

/* A table of a query's EDNS options on top of the stack: by their codes, each an EDNSOptionView.
 * `options` is the list as it is in the packet; what is malformed ends it. */
void lua_push_options(lua_State *L, const uint8_t *options, size_t len);

/* True: a QType is at the index, and this is it. */
bool lua_qtype_test(lua_State *L, int index, uint16_t *type);

#endif
