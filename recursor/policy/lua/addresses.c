#include "recursor/policy/lua/addresses.h"

#include <lauxlib.h>
#include <string.h>

#include "recursor/policy/lua/api.h"

struct address_object {
	struct lua_mark mark;
	struct addr addr;
};

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

void lua_push_address(lua_State *L, const struct addr *a)
{
	struct address_object *o = lua_object_new(L, LUA_ADDRESS, sizeof(*o), 0);

	o->addr = *a;
}

const struct addr *lua_check_address(lua_State *L, int index)
{
	return &((struct address_object *)lua_object_check(L, index, LUA_ADDRESS))->addr;
}

static const struct addr *test_address(lua_State *L, int index)
{
	struct address_object *o = lua_object_test(L, index, LUA_ADDRESS);

	return o != NULL ? &o->addr : NULL;
}

const struct addr *lua_check_address_or_text(lua_State *L, int index, struct addr *buffer)
{
	const struct addr *a = test_address(L, index);
	const char *text;
	size_t len;

	if (a != NULL)
		return a;
	if (lua_type(L, index) != LUA_TSTRING)
		luaL_typeerror(L, index, "ComboAddress or string");
	text = lua_tolstring(L, index, &len);
	if (strlen(text) != len || addr_from_text(buffer, text, 0) != E_OK)
		luaL_error(L, "'%s' is no address", text);
	return buffer;
}

int api_new_address(lua_State *L)
{
	struct addr buffer;

	lua_push_address(L, lua_check_address_or_text(L, 1, &buffer));
	return 1;
}

int api_new_address_raw(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	lua_Integer port = luaL_optinteger(L, 2, 0);
	struct addr a = { 0 };

	luaL_argcheck(L, len == 4 || len == 16, 1, "an address has 4 or 16 bytes");
	luaL_argcheck(L, port >= 0 && port <= UINT16_MAX, 2, "a port is from 0 to 65535");
	a.family = len == 4 ? 4 : 6;
	a.port = (uint16_t)port;
	memcpy(a.ip, bytes, len);
	lua_push_address(L, &a);
	return 1;
}

static bool is_mapped(const struct addr *a)
{
	return a->family == 6 && memcmp(a->ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static int push_bool(lua_State *L, bool b)
{
	lua_pushboolean(L, b);
	return 1;
}

int api_address_equal_ip(lua_State *L)
{
	const struct addr *a = lua_check_address(L, 1);
	struct addr buffer;

	return push_bool(L, addr_equal_ip(a, lua_check_address_or_text(L, 2, &buffer)));
}

int api_address_equal(lua_State *L)
{
	const struct addr *a = test_address(L, 1), *b = test_address(L, 2);

	return push_bool(L, a != NULL && b != NULL && addr_equal(a, b));
}

int api_address_port(lua_State *L)
{
	lua_pushinteger(L, lua_check_address(L, 1)->port);
	return 1;
}

int api_address_raw(lua_State *L)
{
	const struct addr *a = lua_check_address(L, 1);

	lua_pushlstring(L, (const char *)a->ip, a->family == 4 ? 4 : 16);
	return 1;
}

int api_address_is_ipv4(lua_State *L)
{
	return push_bool(L, lua_check_address(L, 1)->family == 4);
}

int api_address_is_ipv6(lua_State *L)
{
	return push_bool(L, lua_check_address(L, 1)->family == 6);
}

int api_address_is_mapped(lua_State *L)
{
	return push_bool(L, is_mapped(lua_check_address(L, 1)));
}

int api_address_map(lua_State *L)
{
	const struct addr *a = lua_check_address(L, 1);
	struct addr v4 = { .family = 4, .port = a->port };

	if (!is_mapped(a))
		return luaL_error(L, "no IPv4 address is mapped into this one");
	memcpy(v4.ip, a->ip + 12, 4);
	lua_push_address(L, &v4);
	return 1;
}

int api_address_text(lua_State *L)
{
	char text[ADDR_TEXT_MAX];

	lua_pushstring(L, addr_ip_text(text, lua_check_address(L, 1)));
	return 1;
}

int api_address_text_port(lua_State *L)
{
	char text[ADDR_TEXT_MAX];

	lua_pushstring(L, addr_text(text, lua_check_address(L, 1)));
	return 1;
}

int api_address_reversed(lua_State *L)
{
	const struct addr *a = lua_check_address(L, 1);
	luaL_Buffer text;

	luaL_buffinit(L, &text);
	for (int i = a->family == 4 ? 3 : 15; i >= 0; i--) {
		char part[8];

		if (a->family == 4)
			(void)snprintf(part, sizeof(part), "%u%s", (unsigned)a->ip[i],
				       i > 0 ? "." : "");
		else
			(void)snprintf(part, sizeof(part), "%x.%x%s", a->ip[i] & 15U,
				       (unsigned)a->ip[i] >> 4, i > 0 ? "." : "");
		luaL_addstring(&text, part);
	}
	luaL_pushresult(&text);
	return 1;
}

int api_address_truncate(lua_State *L)
{
	struct address_object *o = lua_object_check(L, 1, LUA_ADDRESS);
	lua_Integer bits = luaL_checkinteger(L, 2);

	luaL_argcheck(L, bits >= 0, 2, "a number of bits is not negative");
	addr_truncate(&o->addr, bits > 128 ? 128 : (unsigned)bits);
	return 0;
}
