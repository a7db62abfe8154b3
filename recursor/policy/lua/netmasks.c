/* Netmask and NetmaskGroup; see addresses.h. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/netset.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/api.h"

enum { MASK_TEXT_MAX = ADDR_TEXT_MAX + 8 };

/* ---- Netmask ---- */

struct netmask_object {
	struct lua_mark mark;
	struct addr network, masked;
	uint8_t bits;
};

static unsigned max_bits(const struct addr *a)
{
	return a->family == 4 ? 32 : a->family == 6 ? 128 : 0;
}

void lua_push_netmask(lua_State *L, const struct addr *a, unsigned bits)
{
	struct netmask_object *o = lua_object_new(L, LUA_NETMASK, sizeof(*o), 0);

	o->network = *a;
	o->network.port = 0;
	o->bits = (uint8_t)(bits < max_bits(a) ? bits : max_bits(a));
	o->masked = o->network;
	addr_truncate(&o->masked, o->bits);
}

static const struct netmask_object *check_netmask(lua_State *L, int index)
{
	return lua_object_check(L, index, LUA_NETMASK);
}

/* "192.0.2.0/24", or an address alone.  False: it is none. */
static bool read_netmask(const char *text, size_t len, struct addr *a, unsigned *bits)
{
	return strlen(text) == len && addr_prefix_from_text(a, bits, text) == E_OK;
}

int api_new_netmask(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct addr a;
	unsigned bits;

	if (!read_netmask(text, len, &a, &bits))
		return luaL_error(L, "'%s' is no netmask", text);
	lua_push_netmask(L, &a, bits);
	return 1;
}

static bool netmask_has(const struct addr *masked, unsigned bits, const struct addr *a)
{
	struct addr cut = *a;

	if (a->family != masked->family || a->family == 0)
		return false;
	addr_truncate(&cut, bits);
	return addr_equal_ip(&cut, masked);
}

int api_netmask_match(lua_State *L)
{
	const struct netmask_object *o = check_netmask(L, 1);
	struct addr buffer;

	lua_pushboolean(L,
			netmask_has(&o->masked, o->bits, lua_check_address_or_text(L, 2, &buffer)));
	return 1;
}

int api_netmask_bits(lua_State *L)
{
	lua_pushinteger(L, check_netmask(L, 1)->bits);
	return 1;
}

int api_netmask_network(lua_State *L)
{
	lua_push_address(L, &check_netmask(L, 1)->network);
	return 1;
}

int api_netmask_masked(lua_State *L)
{
	lua_push_address(L, &check_netmask(L, 1)->masked);
	return 1;
}

int api_netmask_is_ipv4(lua_State *L)
{
	lua_pushboolean(L, check_netmask(L, 1)->network.family == 4);
	return 1;
}

int api_netmask_is_ipv6(lua_State *L)
{
	lua_pushboolean(L, check_netmask(L, 1)->network.family == 6);
	return 1;
}

int api_netmask_empty(lua_State *L)
{
	lua_pushboolean(L, check_netmask(L, 1)->network.family == 0);
	return 1;
}

int api_netmask_text(lua_State *L)
{
	const struct netmask_object *o = check_netmask(L, 1);
	char ip[ADDR_TEXT_MAX], text[MASK_TEXT_MAX] = "";

	if (o->network.family != 0)
		(void)snprintf(text, sizeof(text), "%s/%u", addr_ip_text(ip, &o->network),
			       (unsigned)o->bits);
	lua_pushstring(L, text);
	return 1;
}

int api_netmask_equal(lua_State *L)
{
	const struct netmask_object *a = lua_object_test(L, 1, LUA_NETMASK);
	const struct netmask_object *b = lua_object_test(L, 2, LUA_NETMASK);

	lua_pushboolean(L, a != NULL && b != NULL && a->bits == b->bits &&
				   addr_equal(&a->masked, &b->masked));
	return 1;
}

/* The masks, texts in arguments or in tables, from the index on. */
int api_match_netmask(lua_State *L)
{
	struct addr buffer;
	const struct addr *a = lua_check_address_or_text(L, 1, &buffer);
	int top = lua_gettop(L);
	bool found = false;

	for (int i = 2; i <= top && !found; i++) {
		bool is_table = lua_type(L, i) == LUA_TTABLE;

		for (lua_Integer k = 1; !found; k++) {
			struct addr network;
			unsigned bits;
			size_t len;
			const char *text;

			if (is_table && lua_rawgeti(L, i, k) == LUA_TNIL)
				break;
			text = luaL_checklstring(L, is_table ? -1 : i, &len);
			lua_host_work(L, 1);
			if (!read_netmask(text, len, &network, &bits))
				return luaL_error(L, "'%s' is no netmask", text);
			addr_truncate(&network, bits);
			found = netmask_has(&network, bits, a);
			if (!is_table)
				break;
			lua_pop(L, 1);
		}
		lua_settop(L, top);
	}
	lua_pushboolean(L, found);
	return 1;
}

/* ---- NetmaskGroup ---- */

struct netmasks_object {
	struct lua_mark mark;
	struct netset *set; /* NULL: it has been freed */
	size_t charged;
};

static struct netmasks_object *check_netmasks(lua_State *L, int index)
{
	struct netmasks_object *o = lua_object_check(L, index, LUA_NETMASKS);

	if (o->set == NULL)
		luaL_error(L, "the NetmaskGroup is gone");
	return o;
}

/* Room is charged for before it is taken. */
static void add_mask(lua_State *L, struct netmasks_object *o, int index)
{
	size_t len, next = netset_bytes_next(o->set);
	const char *text;
	int err;

	if (lua_type(L, index) != LUA_TSTRING)
		luaL_error(L, "a netmask is text, not a %s", luaL_typename(L, index));
	text = lua_tolstring(L, index, &len);
	if (next > o->charged) {
		lua_host_charge(L, o->charged, next);
		o->charged = next;
	}
	err = strlen(text) == len ? netset_add_text(o->set, text) : E_MALFORMED;
	if (err == E_NOMEM || err == E_LIMIT)
		luaL_error(L, "a netmask too many: %s", err_text(err));
	if (err != E_OK)
		luaL_error(L, "'%s' is no netmask", text);
}

static int add_table(lua_State *L, struct netmasks_object *o, int index)
{
	for (lua_Integer i = 1; lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
		lua_host_work(L, 1);
		add_mask(L, o, -1);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return 0;
}

int api_new_netmasks(lua_State *L)
{
	struct netmasks_object *o;

	if (!lua_isnoneornil(L, 1))
		luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	o = lua_object_new(L, LUA_NETMASKS, sizeof(*o), 0);
	if (netset_new(&o->set) != E_OK)
		return luaL_error(L, "out of memory");
	if (!lua_isnil(L, 1))
		(void)add_table(L, o, 1);
	return 1;
}

int api_netmasks_add(lua_State *L)
{
	add_mask(L, check_netmasks(L, 1), 2);
	return 0;
}

int api_netmasks_add_table(lua_State *L)
{
	struct netmasks_object *o = check_netmasks(L, 1);

	luaL_checktype(L, 2, LUA_TTABLE);
	return add_table(L, o, 2);
}

int api_netmasks_match(lua_State *L)
{
	const struct netmasks_object *o = check_netmasks(L, 1);
	struct addr buffer;

	lua_pushboolean(L, netset_match(o->set, lua_check_address_or_text(L, 2, &buffer)));
	return 1;
}

int api_netmasks_text(lua_State *L)
{
	const struct netmasks_object *o = check_netmasks(L, 1);
	size_t len;
	char *text;

	lua_host_work(L, 2 * netset_count(o->set));
	len = netset_text(o->set, NULL, 0);
	text = lua_newuserdatauv(L, len + 1, 0);

	(void)netset_text(o->set, text, len + 1);
	lua_pushlstring(L, text, len);
	return 1;
}

/* A script can call it too, through the debug library. */
int api_netmasks_gc(lua_State *L)
{
	struct netmasks_object *o = lua_object_test(L, 1, LUA_NETMASKS);

	if (o == NULL || o->set == NULL)
		return 0;
	netset_free(o->set);
	o->set = NULL;
	lua_host_of(L)->native_bytes -= o->charged;
	o->charged = 0;
	return 0;
}
