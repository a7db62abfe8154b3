/* dq_policy: the policy tags of a query, and dq.appliedPolicy. */
#include <lauxlib.h>
#include <string.h>

#include "recursor/policy/lua/dq.h"

enum { VALUE_DQ = 1, TYPES_MAX = 5 }; /* pdns.policytypes */

/* Reads and writes the query's, as long as it lives: no copy. */
struct policy {
	struct lua_mark mark;
	struct dq *dq; /* held by a user value */
};

static struct hook_query *query_of_dq(lua_State *L)
{
	struct dq *dq = lua_object_check(L, 1, LUA_DQ);

	if (dq->query == NULL)
		luaL_error(L, "the query of this dq has ended");
	return dq->query;
}

static struct hook_applied *policy_of(lua_State *L, int index)
{
	struct policy *p = lua_object_check(L, index, LUA_POLICY);

	if (p->dq->query == NULL)
		luaL_error(L, "the query of this appliedPolicy has ended");
	return &p->dq->query->policy;
}

static void check_memory(lua_State *L, int err)
{
	if (err == E_LIMIT)
		luaL_error(L, "no more than %d policy tags of %d bytes", HOOK_TAGS_MAX,
			   HOOK_TAG_MAX);
	if (err != E_OK)
		luaL_error(L, "%s", err_text(err));
}

/* ---- tags ---- */

int dq_add_policy_tag(lua_State *L)
{
	struct hook_query *q = query_of_dq(L);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);

	check_memory(L, hooktags_add(&q->tags, text, len));
	return 0;
}

int dq_get_policy_tags(lua_State *L)
{
	const struct hook_query *q = query_of_dq(L);

	lua_createtable(L, (int)q->tags.n, 0);
	for (unsigned i = 0; i < q->tags.n; i++) {
		lua_pushlstring(L, q->tags.tag[i].text, q->tags.tag[i].len);
		lua_seti(L, -2, i + 1);
	}
	return 1;
}

void dq_take_tags(lua_State *L, int index, struct hook_query *q)
{
	luaL_checktype(L, index, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
		size_t len;
		const char *text;

		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "a policy tag is a text, not a %s", luaL_typename(L, -1));
		text = lua_tolstring(L, -1, &len);
		check_memory(L, hooktags_add(&q->tags, text, len));
	}
}

int dq_set_policy_tags(lua_State *L)
{
	struct hook_query *q = query_of_dq(L);

	luaL_checktype(L, 2, LUA_TTABLE);
	hooktags_clear(&q->tags);
	dq_take_tags(L, 2, q);
	return 0;
}

/* Nothing applies a policy after a script has seen it but the script itself. */
int dq_discard_policy(lua_State *L)
{
	struct hook_query *q = query_of_dq(L);
	size_t len;
	const char *name = luaL_checklstring(L, 2, &len);

	check_memory(L, hooktags_add(&q->discarded, name, len));
	return 0;
}

/* ---- appliedPolicy ---- */

int dq_policy(lua_State *L)
{
	struct policy *p;

	(void)query_of_dq(L);
	p = lua_object_new(L, LUA_POLICY, sizeof(*p), VALUE_DQ);
	p->dq = lua_touserdata(L, 1);
	lua_pushvalue(L, 1);
	(void)lua_setiuservalue(L, -2, VALUE_DQ);
	return 1;
}

static void copy_text(lua_State *L, struct hook_text *to, const struct hook_text *from)
{
	check_memory(L, hooktext_set(to, from->text, from->len));
}

int dq_set_policy(lua_State *L)
{
	struct hook_applied *to = &query_of_dq(L)->policy;
	const struct hook_applied *from = policy_of(L, 2);

	if (from == to)
		return 0;
	copy_text(L, &to->name, &from->name);
	copy_text(L, &to->custom, &from->custom);
	copy_text(L, &to->trigger, &from->trigger);
	copy_text(L, &to->hit, &from->hit);
	to->kind = from->kind;
	to->type = from->type;
	to->ttl = from->ttl;
	return 0;
}

int policy_kind(lua_State *L)
{
	lua_pushinteger(L, policy_of(L, 1)->kind);
	return 1;
}

int policy_set_kind(lua_State *L)
{
	struct hook_applied *p = policy_of(L, 1);
	lua_Integer kind = luaL_checkinteger(L, 2);

	luaL_argcheck(L, kind >= POLICY_NO_ACTION && kind <= POLICY_CUSTOM, 2,
		      "not of pdns.policykinds");
	p->kind = (enum hook_policy)kind;
	return 0;
}

int policy_type(lua_State *L)
{
	lua_pushinteger(L, policy_of(L, 1)->type);
	return 1;
}

int policy_set_type(lua_State *L)
{
	struct hook_applied *p = policy_of(L, 1);
	lua_Integer type = luaL_checkinteger(L, 2);

	luaL_argcheck(L, type >= 0 && type <= TYPES_MAX, 2, "not of pdns.policytypes");
	p->type = (uint8_t)type;
	return 0;
}

int policy_ttl(lua_State *L)
{
	const struct hook_applied *p = policy_of(L, 1);

	lua_pushinteger(L, p->ttl < 0 ? HOOK_POLICY_TTL : p->ttl);
	return 1;
}

int policy_set_ttl(lua_State *L)
{
	struct hook_applied *p = policy_of(L, 1);
	lua_Integer ttl = luaL_checkinteger(L, 2);

	luaL_argcheck(L, ttl >= 0 && ttl <= INT32_MAX, 2, "out of range");
	p->ttl = ttl;
	return 0;
}

#define POLICY_TEXT(member)                                                                        \
	int policy_##member(lua_State *L)                                                          \
	{                                                                                          \
		const struct hook_text *t = &policy_of(L, 1)->member;                              \
                                                                                                   \
		lua_pushlstring(L, t->text == NULL ? "" : t->text, t->len);                        \
		return 1;                                                                          \
	}                                                                                          \
	int policy_set_##member(lua_State *L)                                                      \
	{                                                                                          \
		struct hook_applied *p = policy_of(L, 1);                                          \
		size_t len;                                                                        \
		const char *text = luaL_checklstring(L, 2, &len);                                  \
                                                                                                   \
		check_memory(L, hooktext_set(&p->member, text, len));                              \
		return 0;                                                                          \
	}
POLICY_TEXT(name)
POLICY_TEXT(custom)
POLICY_TEXT(trigger)
POLICY_TEXT(hit)
