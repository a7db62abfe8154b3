/* What scripts of all workers share: named ipsets, lists of names, rate limits; see shared.h. */
#include "recursor/policy/lua/shared.h"

#include <lauxlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/lua/names.h"
#include "recursor/policy/shelf.h"

enum { BYTES_EACH = 64 /* zeros, in the time of an instruction */ };

/* ---- options in a table ---- */

/* Every key of the table at index 1 is one of the list: a slip is not to go unnoticed. */
static void check_keys(lua_State *L, const char *what, const char *const *known)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, 1) != 0) {
		bool is_known = false;

		for (const char *const *k = known; *k != NULL; k++)
			is_known = is_known || (lua_type(L, -2) == LUA_TSTRING &&
						strcmp(lua_tostring(L, -2), *k) == 0);
		if (!is_known)
			luaL_error(L, "%s has no option '%s'", what, luaL_tolstring(L, -2, NULL));
		lua_pop(L, 1);
	}
}

/* False: it is not there. */
static bool get_whole(lua_State *L, const char *key, lua_Integer least, lua_Integer most,
		      lua_Integer *out)
{
	int is_whole;
	bool is_there = lua_getfield(L, 1, key) != LUA_TNIL;

	if (is_there) {
		*out = lua_tointegerx(L, -1, &is_whole);
		if (!is_whole || *out < least || *out > most)
			luaL_error(L, "%s wants a whole number from %I to %I", key,
				   (LUAI_UACINT)least, (LUAI_UACINT)most);
	}
	lua_pop(L, 1);
	return is_there;
}

/* The text under the key, or NULL; it stays on the stack. */
static const char *get_text(lua_State *L, const char *key)
{
	if (lua_getfield(L, 1, key) != LUA_TNIL && lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "%s wants a text", key);
	return lua_tostring(L, -1);
}

static uint64_t now_us(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;

	return to->now_ns == NULL ? 0 : to->now_ns(to->ctx) / 1000;
}

static uint32_t now_s(lua_State *L)
{
	return (uint32_t)(now_us(L) / 1000000);
}

/* Memory that is not Lua's is about to be taken, and filled with zeros. */
static size_t charge(lua_State *L, size_t bytes)
{
	lua_host_work(L, bytes / BYTES_EACH);
	lua_host_charge(L, 0, bytes);
	return bytes;
}

/* ---- ipset{} ---- */

struct set_object {
	struct lua_mark mark;
	struct ipset *set; /* a reference; NULL: it was closed */
	size_t charged;
};

static struct ipset *check_set(lua_State *L)
{
	struct set_object *o = lua_object_check(L, 1, LUA_SHARED_SET);

	if (o->set == NULL)
		luaL_error(L, "the ipset is closed");
	return o->set;
}

/* A table of options is at index 1. */
int lua_new_shared_set(lua_State *L)
{
	static const char *const known[] = { "name", "ttl", "max", NULL };
	const struct script_host *to = lua_host_of(L)->to;
	struct ipset_options o = { 0 };
	struct set_object *object;
	lua_Integer n = 0;
	int err;

	check_keys(L, "newipset", known);
	if (to->ipsets == NULL)
		return luaL_error(L, "there are no shared ipsets here");
	o.has_ttl = get_whole(L, "ttl", 0, IPSET_TTL_MAX, &n);
	o.ttl_s = (uint32_t)n;
	n = 0;
	o.has_max = get_whole(L, "max", 1, INT64_MAX, &n);
	o.max = (uint64_t)n;
	o.name = get_text(L, "name");
	object = lua_object_new(L, LUA_SHARED_SET, sizeof(*object), 0);
	/* Those with a name are as many as ipset-max-sets says. */
	if (o.name == NULL || o.name[0] == '\0')
		object->charged = charge(L, ipset_bytes_empty());
	err = ipsets_open(to->ipsets, &object->set, &o);
	if (err == E_MALFORMED)
		return luaL_error(L,
				  "the name of an ipset has 1 to %d letters, digits, '-', '_', '.'",
				  IPSET_NAME_MAX - 1);
	if (err == E_LIMIT)
		return luaL_error(L, "ipset-max-sets have a name already");
	if (err != E_OK)
		return luaL_error(L, "ipset: %s", err_text(err));
	return 1;
}

int api_shared_set_gc(lua_State *L)
{
	struct set_object *o = lua_object_test(L, 1, LUA_SHARED_SET);

	if (o != NULL) {
		ipset_put(o->set);
		o->set = NULL;
		lua_host_of(L)->native_bytes -= o->charged;
		o->charged = 0;
	}
	return 0;
}

static bool add(lua_State *L, struct ipset *s, int index, uint32_t ttl_s)
{
	struct addr buffer;

	return ipset_add(s, lua_check_address_or_text(L, index, &buffer), ttl_s, now_s(L)) == E_OK;
}

static bool take_out(lua_State *L, struct ipset *s, int index)
{
	struct addr buffer;

	return ipset_remove(s, lua_check_address_or_text(L, index, &buffer), now_s(L));
}

static bool has(lua_State *L, const struct ipset *s, int index)
{
	struct addr buffer;

	return ipset_has(s, lua_host_of(L)->reader, lua_check_address_or_text(L, index, &buffer),
			 now_s(L));
}

int api_shared_set_add(lua_State *L)
{
	struct ipset *s = check_set(L);
	uint32_t ttl_s = IPSET_TTL_OF_SET;

	if (!lua_isnoneornil(L, 3)) {
		lua_Integer n = luaL_checkinteger(L, 3);

		luaL_argcheck(L, n >= 0 && n <= IPSET_TTL_MAX, 3, "a ttl is 0 to 1000000000");
		ttl_s = (uint32_t)n;
	}
	lua_pushboolean(L, add(L, s, 2, ttl_s));
	return 1;
}

int api_shared_set_remove(lua_State *L)
{
	lua_pushboolean(L, take_out(L, check_set(L), 2));
	return 1;
}

int api_shared_set_check(lua_State *L)
{
	lua_pushboolean(L, has(L, check_set(L), 2));
	return 1;
}

int api_shared_set_clear(lua_State *L)
{
	ipset_clear(check_set(L));
	return 0;
}

int api_shared_set_count(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)ipset_count(check_set(L)));
	return 1;
}

int api_shared_set_text(lua_State *L)
{
	const struct ipset *s = check_set(L);

	lua_pushfstring(L, "ipset %s: %I addresses", ipset_name(s), (LUAI_UACINT)ipset_count(s));
	return 1;
}

/* A text is the name of a method; what is to be looked up is an address's object, as in 3.7. */
int api_shared_set_get(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "add", api_shared_set_add },       { "check", api_shared_set_check },
		{ "clear", api_shared_set_clear },   { "count", api_shared_set_count },
		{ "remove", api_shared_set_remove },
	};
	const struct ipset *s = check_set(L);
	struct addr a;

	if (lua_type(L, 2) != LUA_TSTRING) {
		a = *lua_check_address(L, 2);
		if (ipset_has(s, lua_host_of(L)->reader, &a, now_s(L)))
			lua_pushboolean(L, true);
		else
			lua_pushnil(L);
		return 1;
	}
	for (unsigned i = 0; i < ARRAY_LEN(methods); i++) {
		if (strcmp(lua_tostring(L, 2), methods[i].name) != 0)
			continue;
		lua_pushcfunction(L, methods[i].func);
		return 1;
	}
	return luaL_error(L, "an ipset has no method '%s'; its keys are addresses (iputils.newca)",
			  lua_tostring(L, 2));
}

int api_shared_set_put(lua_State *L)
{
	struct ipset *s = check_set(L);

	(void)lua_check_address(L, 2);
	if (lua_isnil(L, 3))
		(void)take_out(L, s, 2);
	else
		(void)add(L, s, 2, IPSET_TTL_OF_SET);
	return 0;
}

/* ---- lists of names, rate limits ---- */

struct shelf_object {
	struct lua_mark mark;
	struct shelf_item *item;
	size_t charged; /* a rate limit */
};

static struct shelf_item *check_item(lua_State *L, enum lua_object kind)
{
	struct shelf_object *o = lua_object_check(L, 1, kind);

	if (o->item == NULL)
		luaL_error(L, "the object is closed");
	return o->item;
}

static int close_item(lua_State *L, enum lua_object kind)
{
	struct shelf_object *o = lua_object_test(L, 1, kind);

	if (o != NULL) {
		shelf_put(o->item);
		o->item = NULL;
		lua_host_of(L)->native_bytes -= o->charged;
		o->charged = 0;
	}
	return 0;
}

static struct shelf *get_shelf(lua_State *L)
{
	struct shelf *shelf = lua_host_of(L)->to->shelf;

	if (shelf == NULL)
		luaL_error(L, "there are no shared objects here");
	return shelf;
}

int api_new_namelist(lua_State *L)
{
	const struct script_host *to = lua_host_of(L)->to;
	const char *path = luaL_checkstring(L, 1);
	struct shelf *shelf = get_shelf(L);
	struct shelf_object *o;
	char why[NAMELIST_WHY_MAX];

	if (path[0] != '/' && to->config_dir != NULL && to->config_dir[0] != '\0')
		path = lua_pushfstring(L, "%s/%s", to->config_dir, path);
	o = lua_object_new(L, LUA_NAMELIST, sizeof(*o), 0);
	if (shelf_get_names(shelf, &o->item, path, why) != E_OK)
		return luaL_error(L, "%s", why);
	return 1;
}

int api_namelist_gc(lua_State *L)
{
	return close_item(L, LUA_NAMELIST);
}

int api_namelist_check(lua_State *L)
{
	const struct namelist *l = shelf_names(check_item(L, LUA_NAMELIST));
	uint8_t buffer[NAME_MAX_LEN];

	lua_pushboolean(L, namelist_encloses(l, lua_check_name_or_text(L, 2, buffer)));
	return 1;
}

int api_namelist_count(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)namelist_count(shelf_names(check_item(L, LUA_NAMELIST))));
	return 1;
}

int api_new_ratelimit(lua_State *L)
{
	static const char *const known[] = { "name",      "qps", "burst", "ipv4_mask",
					     "ipv6_mask", "max", NULL };
	lua_Integer burst = 0, ipv4 = 32, ipv6 = 64, max = 100000;
	struct shelf *shelf = get_shelf(L);
	struct ratelimit_config cfg;
	struct shelf_object *o;
	const char *name;
	double qps;

	check_keys(L, "newRateLimiter", known);
	(void)lua_getfield(L, 1, "qps");
	if (!lua_isnumber(L, -1))
		return luaL_error(L, "newRateLimiter wants qps, the queries a second");
	qps = lua_tonumber(L, -1);
	if (!(qps >= RATELIMIT_QPS_LEAST && qps <= RATELIMIT_QPS_MOST))
		return luaL_error(L, "qps wants a number from 0.001 to 1000000000");
	(void)get_whole(L, "burst", 1, RATELIMIT_BURST_MOST, &burst);
	(void)get_whole(L, "ipv4_mask", 0, 32, &ipv4);
	(void)get_whole(L, "ipv6_mask", 0, 128, &ipv6);
	(void)get_whole(L, "max", 1, RATELIMIT_CLIENTS_MOST, &max);
	name = get_text(L, "name");
	cfg = (struct ratelimit_config) {
		.qps = qps,
		.burst = (uint32_t)burst,
		.ipv4_bits = (unsigned)ipv4,
		.ipv6_bits = (unsigned)ipv6,
		.max = (uint32_t)max,
	};
	o = lua_object_new(L, LUA_RATELIMIT, sizeof(*o), 0);
	o->charged = charge(L, (size_t)max * RATELIMIT_CLIENT_BYTES);
	if (shelf_get_ratelimit(shelf, &o->item, name, &cfg) != E_OK)
		return luaL_error(L, "newRateLimiter: out of memory");
	return 1;
}

int api_ratelimit_gc(lua_State *L)
{
	return close_item(L, LUA_RATELIMIT);
}

int api_ratelimit_allows(lua_State *L)
{
	struct ratelimit *r = shelf_ratelimit(check_item(L, LUA_RATELIMIT));
	struct addr buffer;

	lua_pushboolean(L,
			ratelimit_allows(r, lua_check_address_or_text(L, 2, &buffer), now_us(L)));
	return 1;
}
