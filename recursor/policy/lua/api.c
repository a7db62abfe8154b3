#include "recursor/policy/lua/api.h"

#include <lauxlib.h>
#include <string.h>

#include "common/mdoc.h"
#include "recursor/policy/lua/constants.h"

static const struct lua_member members[] = {
#define LUA_MEMBER_ROW(o, k, n, a, s, i, c, w, h)                                                  \
	{                                                                                          \
		.object = LUA_##o,                                                                 \
		.kind = LUA_MEMBER_##k,                                                            \
		.name = (n),                                                                       \
		.arguments = (a),                                                                  \
		.since = (s),                                                                      \
		.interface = LUA_##i,                                                              \
		.call = (c),                                                                       \
		.set = (w),                                                                        \
		.help = (h),                                                                       \
	},
	LUA_MEMBERS(LUA_MEMBER_ROW)
#undef LUA_MEMBER_ROW
};

static const struct {
	const char *name, *help;
} objects[] = {
#define LUA_OBJECT_ROW(object, n, h) { (n), (h) },
	LUA_OBJECTS(LUA_OBJECT_ROW)
#undef LUA_OBJECT_ROW
};

enum { N_MEMBERS = sizeof(members) / sizeof(members[0]) };

/* Their addresses are the marks. */
static const char marks[LUA_N_OBJECTS];
_Static_assert((int)LUA_N_OBJECTS <= (int)LUA_METATABLES, "each has a metatable");

size_t lua_members_count(void)
{
	return N_MEMBERS;
}

const struct lua_member *lua_members_at(size_t i)
{
	return &members[i];
}

const char *lua_object_name(enum lua_object object)
{
	return objects[object].name;
}

/* ---- objects ---- */

void *lua_object_new(lua_State *L, enum lua_object object, size_t size, int uservalues)
{
	struct lua_mark *o = lua_newuserdatauv(L, size, uservalues);

	memset(o, 0, size);
	o->mark = &marks[object];
	lua_rawgeti(L, LUA_REGISTRYINDEX, lua_host_of(L)->metatables[object]);
	lua_setmetatable(L, -2);
	return o;
}

void *lua_object_test(lua_State *L, int index, enum lua_object object)
{
	struct lua_mark *o;

	if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) < sizeof(*o))
		return NULL;
	o = lua_touserdata(L, index);
	return o->mark == &marks[object] ? o : NULL;
}

void *lua_object_check(lua_State *L, int index, enum lua_object object)
{
	void *o = lua_object_test(L, index, object);

	if (o == NULL)
		luaL_typeerror(L, index, objects[object].name);
	return o;
}

/* ---- making them known ---- */

/* __index of objects with fields: a method, else what a field's function says. */
static int read_member(lua_State *L)
{
	lua_CFunction get;

	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	lua_settop(L, 2);
	if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL)
		return 1;
	get = lua_tocfunction(L, -1);
	lua_settop(L, 1);
	return get(L);
}

static int write_member(lua_State *L)
{
	lua_CFunction set;

	lua_settop(L, 3);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
		return luaL_error(L, "%s has no member '%s' that can be written",
				  lua_tostring(L, lua_upvalueindex(2)), luaL_tolstring(L, 2, NULL));
	set = lua_tocfunction(L, -1);
	lua_settop(L, 3);
	lua_remove(L, 2);
	return set(L);
}

/* The functions of an object of that kind in a new table; returns how many. */
static size_t push_functions(lua_State *L, enum lua_object object, unsigned kinds, bool writes)
{
	size_t n = 0;

	lua_newtable(L);
	for (size_t i = 0; i < N_MEMBERS; i++) {
		const struct lua_member *m = &members[i];
		lua_CFunction f = writes ? m->set : m->call;

		if (m->object != object || (kinds >> m->kind & 1) == 0 || f == NULL)
			continue;
		lua_pushcfunction(L, f);
		lua_setfield(L, -2, m->name);
		n++;
	}
	return n;
}

static void make_metatable(lua_State *L, enum lua_object object)
{
	enum { FIELDS = 1U << LUA_MEMBER_FIELD | 1U << LUA_MEMBER_VARIABLE };

	(void)push_functions(L, object, 1U << LUA_MEMBER_OPERATOR, false);
	if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
		(void)push_functions(L, object, 1U << LUA_MEMBER_METHOD, false);
		if (push_functions(L, object, FIELDS, false) > 0)
			lua_pushcclosure(L, read_member, 2);
		else
			lua_pop(L, 1);
		lua_setfield(L, -3, "__index");
	}
	lua_pop(L, 1);
	if (lua_getfield(L, -1, "__newindex") == LUA_TNIL) {
		(void)push_functions(L, object, 1U << LUA_MEMBER_VARIABLE, true);
		lua_pushstring(L, objects[object].name);
		lua_pushcclosure(L, write_member, 2);
		lua_setfield(L, -3, "__newindex");
	}
	lua_pop(L, 1);
	lua_pushstring(L, objects[object].name);
	lua_setfield(L, -2, "__name");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_host_of(L)->metatables[object] = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void add_globals(lua_State *L)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		const struct lua_member *m = &members[i];

		if (m->object != LUA_GLOBAL || m->kind != LUA_MEMBER_FUNCTION || m->call == NULL)
			continue;
		lua_pushcfunction(L, m->call);
		lua_setglobal(L, m->name);
	}
}

void lua_api_open(lua_State *L, struct lua_host *host)
{
	*(struct lua_host **)lua_getextraspace(L) = host;
	for (unsigned o = LUA_IPUTILS + 1; o < LUA_N_OBJECTS; o++)
		make_metatable(L, (enum lua_object)o);
	add_globals(L);
	(void)push_functions(L, LUA_IPUTILS, 1U << LUA_MEMBER_FUNCTION, false);
	lua_setglobal(L, "iputils");
	lua_open_constants(L);
}

/* ---- for the man page ---- */

static const char *interface_text(enum lua_interface interface)
{
	return interface == LUA_CLASSIC ? "classic" : interface == LUA_CURRENT ? "current" : "both";
}

static void print_member(FILE *f, const struct lua_member *m)
{
	fputs(".It ", f);
	if (m->kind == LUA_MEMBER_OPERATOR)
		fprintf(f, "Li %s",
			strcmp(m->name, "__eq") == 0         ? "=="
			: strcmp(m->name, "__lt") == 0       ? "\\*(Lt"
			: strcmp(m->name, "__le") == 0       ? "\\*(Le"
			: strcmp(m->name, "__index") == 0    ? "\"[] (read)\""
			: strcmp(m->name, "__len") == 0      ? "#"
			: strcmp(m->name, "__newindex") == 0 ? "\"[] (write)\""
							     : "tostring");
	else
		fprintf(f, "Li \"%s%s\"", m->name, m->arguments);
	fprintf(f, " Pq %s, %s\n", m->since, interface_text(m->interface));
	mdoc_print(f, m->help);
	fputs(m->help[strlen(m->help) - 1] == '?' ? "\n" : ".\n", f);
}

void lua_api_print_mdoc(FILE *f)
{
	for (unsigned o = 0; o < LUA_N_OBJECTS; o++) {
		bool is_first = true;

		for (size_t i = 0; i < N_MEMBERS; i++) {
			const struct lua_member *m = &members[i];

			if (m->object != (enum lua_object)o || strcmp(m->name, "__gc") == 0)
				continue;
			if (is_first)
				fprintf(f, ".Ss %s%s%s\n.Bl -tag -width Ds\n", objects[o].name,
					objects[o].name[0] != '\0' ? ": " : "", objects[o].help);
			is_first = false;
			print_member(f, m);
		}
		if (!is_first)
			fputs(".El\n", f);
	}
}
