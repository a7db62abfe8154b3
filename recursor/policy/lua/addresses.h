/*
 * addresses: ComboAddress, the sets of addresses (ComboAddressSet, ipset), Netmask and
 * NetmaskGroup.
 *
 * Memory: Lua's, but for groups of networks, which are counted (host.h).
 * Limits: a set of addresses has as many as Lua's memory holds: 4 to 8 bytes an IPv4 address, for
 *         a moment three times that as it grows; a group of networks NETSET_MAX.
 */
#ifndef POLICY_LUA_ADDRESSES_H
#define POLICY_LUA_ADDRESSES_H

#include <lua.h>

#include "common/addr.h"

/* A ComboAddress on top of the stack. */
void lua_push_address(lua_State *L, const struct addr *a);

/* The address of a ComboAddress. */
const struct addr *lua_check_address(lua_State *L, int index);

/* The same, or that of a text, which is read into `buffer`; what is none is a Lua error. */
const struct addr *lua_check_address_or_text(lua_State *L, int index, struct addr *buffer);

/* A Netmask on top of the stack; bits beyond the address's length are cut off.  With no address
 * (family 0) it is the empty one. */
void lua_push_netmask(lua_State *L, const struct addr *a, unsigned bits);

#endif
