/* current: the hooks of PowerDNS Recursor 4 and 5, which get a dq and return true or false. */
#include <lauxlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/call.h"
#include "recursor/policy/lua/dq.h"
#include "recursor/policy/lua/messages.h"
#include "recursor/policy/lua/names.h"

/* ---- gettag ---- */

static void take_id(lua_State *L, int index, const char *what, struct hook_text *to)
{
	size_t len;
	const char *text;

	if (lua_isnoneornil(L, index))
		return;
	if (lua_type(L, index) != LUA_TSTRING)
		luaL_error(L, "%s is a text, not a %s", what, luaL_typename(L, index));
	text = lua_tolstring(L, index, &len);
	if (hooktext_set(to, text, len) != E_OK)
		luaL_error(L, "%s", err_text(E_NOMEM));
}

static void take_tag(lua_State *L, int index, struct hook_query *q)
{
	lua_Integer tag;
	int is_whole;

	if (lua_isnoneornil(L, index))
		return;
	tag = lua_tointegerx(L, index, &is_whole);
	if (!is_whole || tag < 0 || tag > UINT32_MAX)
		luaL_error(L, "gettag returned a tag that is no number of 32 bits");
	q->tag = (uint32_t)tag;
}

void current_call_gettag(lua_State *L, struct call *c)
{
	struct hook_query *q = c->query;
	int first = lua_gettop(L) + 1;

	call_push_function(L, c);
	lua_push_address(L, &q->remote);
	dq_push_subnet(L, q);
	if (lua_isnil(L, -1)) {
		const struct addr none = { 0 };

		lua_pop(L, 1);
		lua_push_netmask(L, &none, 0);
	}
	lua_push_address(L, &q->local);
	lua_push_name(L, q->qname);
	lua_pushinteger(L, q->qtype);
	lua_push_options(L, q->options, q->shows_options ? q->options_len : 0);
	lua_pushboolean(L, q->tcp);
	lua_newtable(L);
	lua_call(L, 8, 7);
	take_tag(L, first, q);
	if (!lua_isnil(L, first + 1))
		dq_take_tags(L, first + 1, q);
	take_id(L, first + 3, "requestorId", &q->requestor_id);
	take_id(L, first + 4, "deviceId", &q->device_id);
	take_id(L, first + 5, "deviceName", &q->device_name);
	take_id(L, first + 6, "routingTag", &q->routing_tag);
	if (!lua_isnil(L, first + 2)) {
		lua_pushvalue(L, first + 2);
		dq_set_data(L, q);
	}
}

/* ---- those that get a dq ---- */

static bool is_either(const struct call *c)
{
	return c->hook != HOOK_CALLBACK && c->script->hooks[c->hook].is_either;
}

static void push_callback(lua_State *L, const struct call *c)
{
	const char *name = c->query->answer.udp_callback;

	if (lua_getglobal(L, name) != LUA_TFUNCTION)
		luaL_error(L, "there is no function '%s' for udpCallback", name);
}

void current_call(lua_State *L, struct call *c)
{
	int first = lua_gettop(L) + 1;

	if (c->hook == HOOK_CALLBACK)
		push_callback(L, c);
	else
		call_push_function(L, c);
	dq_push(L, c->query);
	lua_call(L, 1, LUA_MULTRET);
	if (c->hook == HOOK_PRERPZ || lua_isnoneornil(L, first))
		return;
	if (lua_isboolean(L, first))
		c->verdict = lua_toboolean(L, first) ? SCRIPT_TAKEN : SCRIPT_PASS;
	else if (is_either(c))
		classic_take_results(L, c, first);
	else
		luaL_error(L, "%s must return true or false, not a %s", hook_name(c->hook),
			   luaL_typename(L, first));
}

/* ---- what it means ---- */

static void clear_draft(struct hook_answer *d, int rcode)
{
	hookrecords_clear(&d->records);
	d->has_records = true;
	d->rcode = rcode;
	d->followup = FOLLOWUP_NONE;
}

/* An address, or the name of an alias, which is followed. */
static bool add_custom(struct hook_query *q)
{
	const char *text = q->policy.custom.text;
	uint8_t name[NAME_MAX_LEN];
	struct addr a;
	struct hook_record row = {
		.name = q->qname,
		.class = q->qclass,
		.ttl = q->policy.ttl < 0 ? HOOK_POLICY_TTL : (uint32_t)q->policy.ttl,
		.place = PLACE_ANSWER,
	};

	clear_draft(&q->draft, RCODE_NOERROR);
	if (text == NULL)
		return false;
	if (addr_from_text(&a, text, 0) == E_OK) {
		row.type = a.family == 4 ? TYPE_A : TYPE_AAAA;
		row.rdata = a.ip;
		row.rdlen = a.family == 4 ? 4 : 16;
		/* Asked for the other kind: there is none. */
		if (q->qtype != row.type && q->qtype != TYPE_ANY)
			return true;
	} else if (name_from_text(name, text) == E_OK) {
		row.type = TYPE_CNAME;
		row.rdata = name;
		row.rdlen = (uint16_t)name_len(name);
		if (q->qtype != TYPE_CNAME && q->qtype != TYPE_ANY)
			q->draft.followup = FOLLOWUP_CNAME;
	} else {
		return false;
	}
	return hookrecords_add(&q->draft.records, &row) == E_OK;
}

static bool is_discarded(const struct hook_query *q)
{
	const struct hook_text *name = &q->policy.name;

	for (unsigned i = 0; i < q->discarded.n; i++)
		if (q->discarded.tag[i].len == name->len && name->len > 0 &&
		    memcmp(q->discarded.tag[i].text, name->text, name->len) == 0)
			return true;
	return false;
}

void call_apply_policy(struct call *c)
{
	struct hook_query *q = c->query;

	/* Scripts for 4.0 to 4.3 drop by dq.rcode. */
	if (c->verdict == SCRIPT_TAKEN && q->draft.rcode == HOOK_RCODE_DROP) {
		c->verdict = SCRIPT_DROP;
		return;
	}
	if (c->verdict == SCRIPT_TAKEN && q->draft.rcode < 0)
		q->draft.rcode = RCODE_SERVFAIL;
	/* Once: a later hook of the query finds it there and done. */
	if (q->policy.kind == q->policy.done || is_discarded(q))
		return;
	q->policy.done = q->policy.kind;
	switch (q->policy.kind) {
	case POLICY_NO_ACTION:
		return;
	case POLICY_DROP:
		c->verdict = SCRIPT_DROP;
		return;
	case POLICY_NXDOMAIN:
		clear_draft(&q->draft, RCODE_NXDOMAIN);
		break;
	case POLICY_NODATA:
		clear_draft(&q->draft, RCODE_NOERROR);
		break;
	case POLICY_TRUNCATE:
		/* Over TCP it has no meaning: RPZ's tcp-only lets such a query pass. */
		if (q->tcp) {
			q->policy.done = POLICY_NO_ACTION;
			return;
		}
		clear_draft(&q->draft, RCODE_NOERROR);
		q->draft.is_truncated = true;
		break;
	case POLICY_CUSTOM:
		if (!add_custom(q))
			clear_draft(&q->draft, RCODE_SERVFAIL);
		break;
	}
	c->verdict = SCRIPT_TAKEN;
}
