/*
 * call: one call of a hook, from the neutral query to Lua and back.
 *
 * Private to recursor/policy/lua/.  Each function here runs within engine_run().
 */
#ifndef POLICY_LUA_CALL_H
#define POLICY_LUA_CALL_H

#include <lua.h>

#include "recursor/policy/lua/engine.h"

struct call {
	struct script *script;
	enum hook hook;
	struct hook_query *query; /* NULL: ipfilter, maintenance */
	/* ipfilter's */
	const struct addr *remote, *local;
	const uint8_t *header;
	bool is_dropped;
	enum script_verdict verdict;
};

/* The function of the hook, on top of the stack. */
void call_push_function(lua_State *L, const struct call *c);

/* The classic interface: the hook's arguments, the call, and what it returned (from `first` on). */
void classic_call(lua_State *L, struct call *c);
void classic_take_results(lua_State *L, struct call *c, int first);

/* Today's likewise. */
void current_call(lua_State *L, struct call *c);
void current_call_gettag(lua_State *L, struct call *c);

/* What a hook's policy kind, or rcode, means for the query; after a call that did not fail. */
void call_apply_policy(struct call *c);

#endif
