/*
 * dq: the query as a hook of today's interface sees it, and its appliedPolicy.
 *
 * The object outlives its query when the script keeps it; its members are then an error.  What a
 * hook changes goes into the query's draft (hookquery.h).
 */
#ifndef POLICY_LUA_DQ_H
#define POLICY_LUA_DQ_H

#include <lua.h>

#include "recursor/policy/hookquery.h"
#include "recursor/policy/lua/api.h"

struct dq {
	struct lua_mark mark;
	struct hook_query *query; /* NULL: it has ended */
};

/* The query's dq, made at the first time.  Raises an error when memory is short. */
void dq_push(lua_State *L, struct hook_query *q);

/* dq.data becomes what is on top of the stack, which is popped. */
void dq_set_data(lua_State *L, struct hook_query *q);

/* The client-subnet option's Netmask, or nil. */
void dq_push_subnet(lua_State *L, const struct hook_query *q);

/* The texts of the table at `index` become policy tags. */
void dq_take_tags(lua_State *L, int index, struct hook_query *q);

/* The query ends. */
void dq_end(lua_State *L, struct hook_query *q);

#endif
