/* ComboAddressSet and ipset: hash tables of addresses in Lua's own memory; see addresses.h. */
#include <lauxlib.h>
#include <string.h>

#include "common/hash.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/lua/shared.h"

enum { SLOTS_MIN = 8, COPIES_EACH = 16 /* slots, in the time of an instruction */ };

/* The members of one family, in an object of its own; a set has two as user values.  Open
 * addressing, at most three quarters full.  A free slot is all zero, so that address is beside. */
struct slots {
	struct lua_mark mark;
	size_t cap, n; /* cap: a power of two */
	uint8_t width; /* 4 or 16 */
	bool has_zero;
	uint8_t keys[];
};

static size_t width_of(const struct addr *a)
{
	return a->family == 4 ? 4 : 16;
}

static bool is_zero(const uint8_t *ip, size_t width)
{
	static const uint8_t zero[16];

	return memcmp(ip, zero, width) == 0;
}

/* The slot that has it, or the free one where it would be. */
static uint8_t *find_slot(struct slots *s, const uint8_t *ip)
{
	uint64_t high = 0, low = 0;
	size_t i;

	memcpy(&high, ip, s->width == 4 ? 4 : 8);
	if (s->width == 16)
		memcpy(&low, ip + 8, 8);
	for (i = hash_mix(high, low) & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
		uint8_t *slot = s->keys + i * s->width;

		if (memcmp(slot, ip, s->width) == 0 || is_zero(slot, s->width))
			return slot;
	}
}

static bool has(struct slots *s, const struct addr *a)
{
	if (is_zero(a->ip, s->width))
		return s->has_zero;
	return !is_zero(find_slot(s, a->ip), s->width);
}

static struct slots *push_slots(lua_State *L, size_t width, size_t cap)
{
	struct slots *s = lua_object_new(L, LUA_SLOTS, sizeof(*s) + cap * width, 0);

	s->width = (uint8_t)width;
	s->cap = cap;
	return s;
}

/* The members of the address's family, of the set at the index; NULL: it has none. */
static struct slots *get_slots(lua_State *L, int index, const struct addr *a)
{
	struct slots *s;

	(void)lua_getiuservalue(L, index, a->family == 4 ? 1 : 2);
	s = lua_object_test(L, -1, LUA_SLOTS);
	lua_pop(L, 1); /* the set holds it */
	return s != NULL && s->width == width_of(a) ? s : NULL;
}

static struct slots *grow(lua_State *L, int index, const struct addr *a, struct slots *old)
{
	size_t cap = old == NULL ? SLOTS_MIN : 2 * old->cap;
	struct slots *s;

	lua_host_work(L, cap / COPIES_EACH);
	s = push_slots(L, width_of(a), cap);
	for (size_t i = 0; old != NULL && i < old->cap; i++) {
		const uint8_t *key = old->keys + i * s->width;

		if (!is_zero(key, s->width))
			memcpy(find_slot(s, key), key, s->width);
	}
	if (old != NULL) {
		s->n = old->n;
		s->has_zero = old->has_zero;
	}
	lua_setiuservalue(L, index, a->family == 4 ? 1 : 2);
	return s;
}

static void add_address(lua_State *L, int index, const struct addr *a)
{
	struct slots *s;
	uint8_t *slot;

	if (a->family == 0)
		return;
	s = get_slots(L, index, a);
	if (s == NULL || 4 * (s->n + 1) > 3 * s->cap)
		s = grow(L, index, a, s);
	if (is_zero(a->ip, s->width)) {
		s->has_zero = true;
		return;
	}
	slot = find_slot(s, a->ip);
	s->n += is_zero(slot, s->width);
	memcpy(slot, a->ip, s->width);
}

static bool has_address(lua_State *L, int index, const struct addr *a)
{
	struct slots *s = a->family != 0 ? get_slots(L, index, a) : NULL;

	return s != NULL && has(s, a);
}

/* ---- ComboAddressSet ---- */

int api_new_addresses(lua_State *L)
{
	(void)lua_object_new(L, LUA_ADDRESSES, sizeof(struct lua_mark), 2);
	return 1;
}

int api_addresses_add(lua_State *L)
{
	struct addr buffer;

	(void)lua_object_check(L, 1, LUA_ADDRESSES);
	if (lua_type(L, 2) != LUA_TTABLE) {
		add_address(L, 1, lua_check_address_or_text(L, 2, &buffer));
		return 0;
	}
	for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
		/* A copy: what is in the table may be gone once it is off the stack. */
		lua_host_work(L, 1);
		buffer = *lua_check_address_or_text(L, -1, &buffer);
		lua_pop(L, 1);
		add_address(L, 1, &buffer);
	}
	return 0;
}

int api_addresses_check(lua_State *L)
{
	struct addr buffer;

	(void)lua_object_check(L, 1, LUA_ADDRESSES);
	lua_pushboolean(L, has_address(L, 1, lua_check_address_or_text(L, 2, &buffer)));
	return 1;
}

/* ---- ipset, as in 3.7 ---- */

int api_new_ipset(lua_State *L)
{
	if (!lua_isnoneornil(L, 1))
		return lua_new_shared_set(L);
	(void)lua_object_new(L, LUA_IPSET, sizeof(struct lua_mark), 2);
	return 1;
}

int api_ipset_get(lua_State *L)
{
	(void)lua_object_check(L, 1, LUA_IPSET);
	if (has_address(L, 1, lua_check_address(L, 2)))
		lua_pushboolean(L, true);
	else
		lua_pushnil(L);
	return 1;
}

int api_ipset_set(lua_State *L)
{
	(void)lua_object_check(L, 1, LUA_IPSET);
	add_address(L, 1, lua_check_address(L, 2));
	return 0;
}
