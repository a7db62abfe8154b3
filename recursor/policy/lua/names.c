#include "recursor/policy/lua/names.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "recursor/policy/lua/api.h"

struct name_object {
	struct lua_mark mark;
	uint8_t name[];
};

void lua_push_name(lua_State *L, const uint8_t *name)
{
	size_t len = name_len(name);
	struct name_object *o = lua_object_new(L, LUA_DNSNAME, sizeof(*o) + len, 0);

	memcpy(o->name, name, len);
}

const uint8_t *lua_check_name(lua_State *L, int index)
{
	return ((struct name_object *)lua_object_check(L, index, LUA_DNSNAME))->name;
}

static const uint8_t *test_name(lua_State *L, int index)
{
	struct name_object *o = lua_object_test(L, index, LUA_DNSNAME);

	return o != NULL ? o->name : NULL;
}

const uint8_t *lua_check_name_or_text(lua_State *L, int index, uint8_t buffer[NAME_MAX_LEN])
{
	const uint8_t *name = test_name(L, index);
	const char *text;
	size_t len;
	int err;

	if (name != NULL)
		return name;
	if (lua_type(L, index) != LUA_TSTRING)
		luaL_typeerror(L, index, "DNSName or string");
	text = lua_tolstring(L, index, &len);
	err = strlen(text) == len ? name_from_text(buffer, text) : E_MALFORMED;
	if (err != E_OK)
		luaL_error(L, "'%s' is no domain name: %s", text, err_text(err));
	return buffer;
}

/* ---- DNSName ---- */

int api_new_name(lua_State *L)
{
	uint8_t buffer[NAME_MAX_LEN];

	lua_push_name(L, lua_check_name_or_text(L, 1, buffer));
	return 1;
}

int api_name_equal(lua_State *L)
{
	const uint8_t *name = lua_check_name(L, 1);
	uint8_t buffer[NAME_MAX_LEN];

	lua_pushboolean(L, name_equal(name, lua_check_name_or_text(L, 2, buffer)));
	return 1;
}

int api_name_eq(lua_State *L)
{
	const uint8_t *a = test_name(L, 1), *b = test_name(L, 2);

	lua_pushboolean(L, a != NULL && b != NULL && name_equal(a, b));
	return 1;
}

int api_name_less(lua_State *L)
{
	lua_pushboolean(L, name_compare(lua_check_name(L, 1), lua_check_name(L, 2)) < 0);
	return 1;
}

int api_name_is_part_of(lua_State *L)
{
	const uint8_t *name = lua_check_name(L, 1);
	uint8_t buffer[NAME_MAX_LEN];

	lua_pushboolean(L, name_is_within(name, lua_check_name_or_text(L, 2, buffer)));
	return 1;
}

int api_name_make_relative(lua_State *L)
{
	const uint8_t *name = lua_check_name(L, 1), *above;
	uint8_t buffer[NAME_MAX_LEN], relative[NAME_MAX_LEN];
	size_t len;

	above = lua_check_name_or_text(L, 2, buffer);
	if (!name_is_within(name, above)) {
		lua_push_name(L, above);
		return 1;
	}
	len = name_len(name) - name_len(above);
	memcpy(relative, name, len);
	relative[len] = 0;
	lua_push_name(L, relative);
	return 1;
}

int api_name_count_labels(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)name_labels(lua_check_name(L, 1)));
	return 1;
}

int api_name_wire_length(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)name_len(lua_check_name(L, 1)));
	return 1;
}

int api_name_raw_labels(lua_State *L)
{
	const uint8_t *name = lua_check_name(L, 1);

	lua_newtable(L);
	for (lua_Integer i = 1; *name != 0; name += 1 + *name) {
		lua_pushlstring(L, (const char *)name + 1, *name);
		lua_rawseti(L, -2, i++);
	}
	return 1;
}

int api_name_chop_off(lua_State *L)
{
	struct name_object *o = lua_object_check(L, 1, LUA_DNSNAME);
	bool is_root = name_is_root(o->name);

	if (!is_root) {
		const uint8_t *parent = name_parent(o->name);

		memmove(o->name, parent, name_len(parent));
	}
	lua_pushboolean(L, !is_root);
	return 1;
}

int api_name_text(lua_State *L)
{
	char text[NAME_TEXT_MAX];

	lua_pushstring(L, name_to_text(text, lua_check_name(L, 1)));
	return 1;
}

int api_name_text_no_dot(lua_State *L)
{
	char text[NAME_TEXT_MAX];

	lua_pushlstring(L, text, strlen(name_to_text(text, lua_check_name(L, 1))) - 1);
	return 1;
}

/* ---- DNSSuffixMatchGroup: a table whose keys are names in lower case, without the zero ---- */

int api_new_suffixes(lua_State *L)
{
	(void)lua_object_new(L, LUA_SUFFIXES, sizeof(struct lua_mark), 1);
	lua_newtable(L);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

/* Puts its table on top of the stack; the debug library can put another thing in its place. */
static void push_group(lua_State *L)
{
	(void)lua_object_check(L, 1, LUA_SUFFIXES);
	if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE)
		luaL_error(L, "the DNSSuffixMatchGroup has been broken");
}

static void push_key(lua_State *L, const uint8_t *name)
{
	lua_pushlstring(L, (const char *)name, name_len(name) - 1);
}

/* Adds the name at the index to the table on top of the stack. */
static void add_suffix(lua_State *L, int index)
{
	uint8_t buffer[NAME_MAX_LEN], lower[NAME_MAX_LEN];

	(void)name_lower(lower, lua_check_name_or_text(L, index, buffer));
	push_key(L, lower);
	lua_pushboolean(L, true);
	lua_rawset(L, -3);
}

int api_suffixes_add(lua_State *L)
{
	lua_settop(L, 2);
	push_group(L);
	if (lua_type(L, 2) != LUA_TTABLE) {
		add_suffix(L, 2);
		return 0;
	}
	for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
		lua_host_work(L, 1);
		lua_insert(L, 3);
		add_suffix(L, 3);
		lua_remove(L, 3);
	}
	return 0;
}

int api_suffixes_check(lua_State *L)
{
	uint8_t buffer[NAME_MAX_LEN], lower[NAME_MAX_LEN];
	const uint8_t *at = lower;
	bool found = false;

	(void)name_lower(lower, lua_check_name_or_text(L, 2, buffer));
	push_group(L);
	for (;;) {
		push_key(L, at);
		found = lua_rawget(L, -2) != LUA_TNIL;
		lua_pop(L, 1);
		if (found || *at == 0)
			break;
		at += 1 + *at;
	}
	lua_pushboolean(L, found);
	return 1;
}

/* The names are Lua's strings, which stay where they are while the table holds them. */
static int compare_keys(const void *a, const void *b)
{
	const uint8_t *const *x = a, *const *y = b;

	return name_compare(*x, *y);
}

/* Lua closes each string with a zero byte of its own: the root's label.  The debug library can put
 * other keys there. */
static bool is_key(lua_State *L, int index)
{
	const char *bytes;
	size_t len, found = 0;

	if (lua_type(L, index) != LUA_TSTRING)
		return false;
	bytes = lua_tolstring(L, index, &len);
	return name_check((const uint8_t *)bytes, len + 1, &found) == E_OK && found == len + 1;
}

int api_suffixes_text(lua_State *L)
{
	const uint8_t **names;
	luaL_Buffer text;
	size_t n = 0, i = 0;

	lua_settop(L, 1);
	push_group(L);
	for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1))
		n++;
	lua_host_work(L, n);
	names = lua_newuserdatauv(L, (n + 1) * sizeof(*names), 0);
	for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1))
		if (is_key(L, -2))
			names[i++] = (const uint8_t *)lua_tostring(L, -2);
	n = i;
	qsort(names, n, sizeof(*names), compare_keys);
	luaL_buffinit(L, &text);
	for (i = 0; i < n; i++) {
		char name[NAME_TEXT_MAX];

		if (i > 0)
			luaL_addstring(&text, ", ");
		luaL_addstring(&text, name_to_text(name, names[i]));
	}
	luaL_pushresult(&text);
	return 1;
}
