/* classic: the hooks of PowerDNS Recursor 3.x: what they are called with, what they return. */
#include <lauxlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/lua/call.h"
#include "recursor/policy/lua/dq.h"
#include "recursor/policy/lua/names.h"
#include "recursor/policy/lua/records.h"

enum { RCODE_MAX = 4095, KILL = HOOK_RCODE_KILL, PASS = -1, DROP = HOOK_RCODE_DROP };

/* ---- what a query's hooks may ask ---- */

static struct call *current(lua_State *L, const char *function)
{
	struct call *c = script_of(L)->current;

	if (c == NULL || c->hook == HOOK_MAINTENANCE)
		luaL_error(L, "%s() is for the hooks of a query", function);
	return c;
}

int classic_local_address(lua_State *L)
{
	const struct call *c = current(L, "getlocaladdress");
	char text[ADDR_TEXT_MAX];
	const struct addr *a;

	if (c->query == NULL)
		a = c->local;
	else
		a = c->query->out != NULL ? &c->query->remote : &c->query->local;
	lua_pushstring(L, addr_ip_text(text, a));
	return 1;
}

int classic_set_variable(lua_State *L)
{
	struct call *c = current(L, "setvariable");

	/* Whether it counts in preoutquery would depend on whose question was put to the server. */
	if (c->query != NULL && c->query->out == NULL)
		c->query->variable = true;
	return 0;
}

/* ---- results ---- */

static const char *text_at(lua_State *L, int index, const char *what)
{
	if (lua_type(L, index) != LUA_TSTRING)
		luaL_error(L, "%s is a text, not a %s", what, luaL_typename(L, index));
	return lua_tostring(L, index);
}

static const uint8_t *qname_of(const struct hook_query *q)
{
	return q->out != NULL ? q->out->qname : q->qname;
}

static void take_records(lua_State *L, struct call *c, int index)
{
	struct hook_query *q = c->query;

	/* The answer so far is replaced, whatever it was. */
	q->draft.has_records = true;
	if (!lua_isnoneornil(L, index))
		lua_check_classic_records(L, index, qname_of(q), &q->draft.records);
	c->verdict = SCRIPT_TAKEN;
}

static void take_fake(lua_State *L, struct call *c, enum hook_followup kind, int first)
{
	struct hook_answer *d = &c->query->draft;
	const char *name = text_at(L, first + 1, "the name");
	const char *prefix = lua_isnoneornil(L, first + 2) ? ""
							   : text_at(L, first + 2, "the prefix");

	d->followup = kind;
	d->has_records = true;
	if (hooktext_set(&d->followup_name, name, strlen(name)) != E_OK ||
	    hooktext_set(&d->followup_prefix, prefix, strlen(prefix)) != E_OK)
		luaL_error(L, "%s", err_text(E_NOMEM));
	c->verdict = SCRIPT_TAKEN;
}

static void take_word(lua_State *L, struct call *c, int first)
{
	const char *word = lua_tostring(L, first);

	if (c->hook == HOOK_PREOUTQUERY)
		luaL_error(L, "'%s' is not for preoutquery", word);
	if (strcmp(word, "followCNAMERecords") == 0) {
		take_records(L, c, first + 2);
		c->query->draft.rcode = RCODE_NOERROR;
		c->query->draft.followup = FOLLOWUP_CNAME;
	} else if (strcmp(word, "getFakeAAAARecords") == 0) {
		take_fake(L, c, FOLLOWUP_FAKE_AAAA, first);
	} else if (strcmp(word, "getFakePTRRecords") == 0) {
		take_fake(L, c, FOLLOWUP_FAKE_PTR, first);
	} else {
		luaL_error(L, "'%s' is nothing that a hook may return", word);
	}
}

/* preoutquery's number was the result of a call of the network there: 1 a reply, 0 none; the manual
 * has it as an rcode.  Both scripts get what they mean when 0 and 1 are a reply without error. */
static void take_reply(lua_State *L, struct call *c, lua_Integer n, int first)
{
	if (n == KILL) {
		c->verdict = SCRIPT_KILL;
	} else if (n == DROP) {
		c->verdict = SCRIPT_DROP;
	} else {
		take_records(L, c, first + 1);
		c->query->draft.rcode = n <= 1 ? RCODE_NOERROR : (int)n;
	}
}

void classic_take_results(lua_State *L, struct call *c, int first)
{
	lua_Integer n;

	if (lua_type(L, first) == LUA_TSTRING) {
		take_word(L, c, first);
		return;
	}
	if (lua_type(L, first) != LUA_TNUMBER)
		luaL_error(L, "%s returned a %s, not a number", hook_name(c->hook),
			   lua_type(L, first) == LUA_TNONE ? "nothing" : luaL_typename(L, first));
	n = luaL_checkinteger(L, first);
	if (n == PASS)
		return;
	if (n > RCODE_MAX || n < KILL || (n == KILL && c->hook != HOOK_PREOUTQUERY))
		luaL_error(L, "%s returned %I, which is no rcode", hook_name(c->hook),
			   (LUAI_UACINT)n);
	if (c->hook == HOOK_PREOUTQUERY) {
		take_reply(L, c, n, first);
	} else if (n == DROP) {
		c->verdict = SCRIPT_DROP;
	} else {
		take_records(L, c, first + 1);
		c->query->draft.rcode = (int)n;
	}
}

/* ---- the call ---- */

static void push_who(lua_State *L, const struct hook_query *q)
{
	char text[ADDR_TEXT_MAX];

	if (q->out != NULL)
		lua_push_address(L, &q->out->server);
	else
		lua_pushstring(L, addr_ip_text(text, &q->remote));
}

static void push_found(lua_State *L, struct hook_query *q)
{
	if (hookquery_load(q) != E_OK)
		luaL_error(L, "%s", err_text(E_NOMEM));
	lua_push_classic_records(L, &q->answer.records);
}

void classic_call(lua_State *L, struct call *c)
{
	struct hook_query *q = c->query;
	char name[NAME_TEXT_MAX];
	int first = lua_gettop(L) + 1, n = 3;

	call_push_function(L, c);
	push_who(L, q);
	lua_pushstring(L, name_to_text(name, qname_of(q)));
	lua_pushinteger(L, q->out != NULL ? q->out->qtype : q->qtype);
	if (c->hook == HOOK_NODATA || c->hook == HOOK_NOERROR || c->hook == HOOK_POSTRESOLVE) {
		push_found(L, q);
		n++;
	}
	if (c->hook == HOOK_POSTRESOLVE) {
		lua_pushinteger(L, q->answer.rcode);
		n++;
	}
	lua_call(L, n, LUA_MULTRET);
	classic_take_results(L, c, first);
}
