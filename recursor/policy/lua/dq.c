/* dq: see dq.h. */
#include "recursor/policy/lua/dq.h"

#include <lauxlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/messages.h"
#include "recursor/policy/lua/names.h"
#include "recursor/policy/lua/records.h"

enum { VALUE_DATA = 1, OPTION_SUBNET = 8 /* RFC 7871 6 */ };

/* ---- the object ---- */

void dq_push(lua_State *L, struct hook_query *q)
{
	struct dq *dq;

	if (q->dq != NULL) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, q->dq_ref);
		return;
	}
	dq = lua_object_new(L, LUA_DQ, sizeof(*dq), VALUE_DATA);
	/* There may be no memory for this; what the query points to is held from here on. */
	lua_pushvalue(L, -1);
	q->dq_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	q->dq = dq;
	dq->query = q;
}

void dq_set_data(lua_State *L, struct hook_query *q)
{
	dq_push(L, q);
	lua_insert(L, -2);
	(void)lua_setiuservalue(L, -2, VALUE_DATA);
	lua_pop(L, 1);
}

void dq_end(lua_State *L, struct hook_query *q)
{
	q->dq->query = NULL;
	luaL_unref(L, LUA_REGISTRYINDEX, q->dq_ref);
	q->dq = NULL;
	q->dq_ref = LUA_NOREF;
}

static struct hook_query *query_of(lua_State *L)
{
	struct dq *dq = lua_object_check(L, 1, LUA_DQ);

	if (dq->query == NULL)
		luaL_error(L, "the query of this dq has ended");
	ASSERT(dq->query != NULL);
	return dq->query;
}

static void check_memory(lua_State *L, int err)
{
	if (err == E_LIMIT)
		luaL_error(L, "too much of it for one query");
	if (err != E_OK)
		luaL_error(L, "%s", err_text(err));
}

static struct hook_records *records_of(lua_State *L, struct hook_query *q)
{
	struct hook_records *r = hookquery_records(q);

	if (r == NULL)
		luaL_error(L, "%s", err_text(E_NOMEM));
	return r;
}

static lua_Integer check_range(lua_State *L, int index, lua_Integer least, lua_Integer most)
{
	lua_Integer n = luaL_checkinteger(L, index);

	luaL_argcheck(L, n >= least && n <= most, index, "out of range");
	return n;
}

/* ---- the question ---- */

int dq_qname(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_push_name(L, q->out != NULL ? q->out->qname : q->qname);
	return 1;
}

int dq_qtype(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_pushinteger(L, q->out != NULL ? q->out->qtype : q->qtype);
	return 1;
}

int dq_is_tcp(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_pushboolean(L, q->out != NULL ? q->out->tcp : q->tcp);
	return 1;
}

int dq_set_is_tcp(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	if (q->out == NULL)
		return luaL_error(L, "isTcp can be set in preoutquery only");
	luaL_checktype(L, 2, LUA_TBOOLEAN);
	q->out->tcp = lua_toboolean(L, 2);
	return 0;
}

int dq_remote(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_push_address(L, q->out != NULL ? &q->out->server : &q->remote);
	return 1;
}

int dq_set_remote(lua_State *L)
{
	const struct hook_query *q = query_of(L);
	const struct addr *to = lua_check_address(L, 2);

	if (q->out == NULL)
		return luaL_error(L, "remoteaddr can be set in preoutquery only");
	q->out->server = *to;
	return 0;
}

int dq_local(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_push_address(L, q->out != NULL ? &q->remote : &q->local);
	return 1;
}

int dq_query_time(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_createtable(L, 0, 2);
	lua_pushinteger(L, (lua_Integer)(q->time_us / 1000000));
	lua_setfield(L, -2, "tv_sec");
	lua_pushinteger(L, (lua_Integer)(q->time_us % 1000000));
	lua_setfield(L, -2, "tv_usec");
	return 1;
}

int dq_get_dh(lua_State *L)
{
	lua_push_header(L, query_of(L)->header);
	return 1;
}

/* ---- EDNS ---- */

int dq_get_edns_flag(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_pushboolean(L, strcmp(luaL_checkstring(L, 2), "DO") == 0 && q->edns &&
				   (q->edns_flags & 0x8000) != 0);
	return 1;
}

int dq_get_edns_flags(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	lua_newtable(L);
	if (q->edns && (q->edns_flags & 0x8000) != 0) {
		lua_pushliteral(L, "DO");
		lua_seti(L, -2, 1);
	}
	return 1;
}

/* The next option of the list, which the pipeline has found to be sound. */
static bool next_option(const struct hook_query *q, size_t *at, unsigned *code,
			const uint8_t **value, size_t *len)
{
	const uint8_t *p = q->options + *at;

	if (q->options_len - *at < 4 || q->options_len - *at - 4 < wire_get_u16(p + 2))
		return false;
	*code = wire_get_u16(p);
	*len = wire_get_u16(p + 2);
	*value = p + 4;
	*at += 4 + *len;
	return true;
}

static bool find_option(const struct hook_query *q, unsigned wanted, const uint8_t **value,
			size_t *len)
{
	unsigned code;

	for (size_t at = 0; q->options != NULL && next_option(q, &at, &code, value, len);)
		if (code == wanted)
			return true;
	return false;
}

int dq_get_edns_option(lua_State *L)
{
	const struct hook_query *q = query_of(L);
	const uint8_t *value;
	size_t len;

	if (!find_option(q, (unsigned)check_range(L, 2, 0, UINT16_MAX), &value, &len))
		return 0;
	lua_pushlstring(L, (const char *)value, len);
	return 1;
}

int dq_get_edns_options(lua_State *L)
{
	const struct hook_query *q = query_of(L);
	const uint8_t *value;
	unsigned code;
	size_t len;

	lua_newtable(L);
	for (size_t at = 0; q->options != NULL && next_option(q, &at, &code, &value, &len);) {
		if (lua_geti(L, -1, code) == LUA_TNIL) {
			lua_pushlstring(L, (const char *)value, len);
			lua_seti(L, -3, code);
		}
		lua_pop(L, 1);
	}
	return 1;
}

void dq_push_subnet(lua_State *L, const struct hook_query *q)
{
	struct addr net = { 0 };
	const uint8_t *value;
	size_t len, bytes;

	/* Family, source and scope prefix, then as many bytes as the source prefix has. */
	if (find_option(q, OPTION_SUBNET, &value, &len) && len >= 4 &&
	    (wire_get_u16(value) == 1 || wire_get_u16(value) == 2)) {
		bytes = wire_get_u16(value) == 1 ? 4 : 16;
		if (len - 4 <= bytes && value[2] <= 8 * bytes) {
			net.family = bytes == 4 ? 4 : 6;
			memcpy(net.ip, value + 4, len - 4);
			lua_push_netmask(L, &net, value[2]);
			return;
		}
	}
	lua_pushnil(L);
}

int dq_get_edns_subnet(lua_State *L)
{
	dq_push_subnet(L, query_of(L));
	return 1;
}

int dq_get_proxy_values(lua_State *L)
{
	(void)query_of(L);
	lua_newtable(L);
	return 1;
}

/* ---- what is kept for the query's hooks ---- */

int dq_data(lua_State *L)
{
	(void)query_of(L);
	(void)lua_getiuservalue(L, 1, VALUE_DATA);
	return 1;
}

int dq_set_data_field(lua_State *L)
{
	(void)query_of(L);
	lua_settop(L, 2);
	(void)lua_setiuservalue(L, 1, VALUE_DATA);
	return 0;
}

int dq_tag(lua_State *L)
{
	lua_pushinteger(L, query_of(L)->tag);
	return 1;
}

int dq_set_tag(lua_State *L)
{
	query_of(L)->tag = (uint32_t)check_range(L, 2, 0, UINT32_MAX);
	return 0;
}

static int push_text(lua_State *L, const struct hook_text *t)
{
	lua_pushlstring(L, t->text == NULL ? "" : t->text, t->len);
	return 1;
}

static int take_text(lua_State *L, struct hook_text *t)
{
	size_t len = 0;
	const char *text = luaL_optlstring(L, 2, "", &len);

	check_memory(L, hooktext_set(t, text, len));
	return 0;
}

/* PowerDNS has a DNSName here: scripts say dq.followupName = dq.qname. */
int dq_followup_name(lua_State *L)
{
	return push_text(L, &query_of(L)->draft.followup_name);
}

int dq_set_followup_name(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TUSERDATA) {
		char text[NAME_TEXT_MAX];

		lua_pushstring(L, name_to_text(text, lua_check_name(L, 2)));
		lua_replace(L, 2);
	}
	return take_text(L, &query_of(L)->draft.followup_name);
}

/* Texts and switches that only wait to be read again. */
#define DQ_TEXT(name, member)                                                                      \
	int dq_##name(lua_State *L)                                                                \
	{                                                                                          \
		return push_text(L, &query_of(L)->member);                                         \
	}                                                                                          \
	int dq_set_##name(lua_State *L)                                                            \
	{                                                                                          \
		return take_text(L, &query_of(L)->member);                                         \
	}
DQ_TEXT(requestor_id, requestor_id)
DQ_TEXT(device_id, device_id)
DQ_TEXT(device_name, device_name)
DQ_TEXT(routing_tag, routing_tag)
DQ_TEXT(udp_answer, udp_answer)
DQ_TEXT(followup_prefix, draft.followup_prefix)
DQ_TEXT(udp_query, draft.udp_query)

#define DQ_SWITCH(name, member)                                                                    \
	int dq_##name(lua_State *L)                                                                \
	{                                                                                          \
		lua_pushboolean(L, query_of(L)->member);                                           \
		return 1;                                                                          \
	}                                                                                          \
	int dq_set_##name(lua_State *L)                                                            \
	{                                                                                          \
		query_of(L)->member = lua_toboolean(L, 2);                                         \
		return 0;                                                                          \
	}
DQ_SWITCH(variable, variable)
DQ_SWITCH(wants_rpz, wants_rpz)
DQ_SWITCH(log_response, log_response)
DQ_SWITCH(padding, add_padding)

/* ---- the answer ---- */

int dq_rcode(lua_State *L)
{
	lua_pushinteger(L, query_of(L)->draft.rcode);
	return 1;
}

int dq_set_rcode(lua_State *L)
{
	query_of(L)->draft.rcode = (int)check_range(L, 2, HOOK_RCODE_KILL, 4095);
	return 0;
}

int dq_ede(lua_State *L)
{
	const struct hook_query *q = query_of(L);

	if (q->draft.ede < 0)
		return 0;
	lua_pushinteger(L, q->draft.ede);
	return 1;
}

int dq_set_ede(lua_State *L)
{
	struct hook_query *q = query_of(L);

	q->draft.ede = lua_isnil(L, 2) ? -1 : (int32_t)check_range(L, 2, 0, UINT16_MAX);
	return 0;
}

int dq_ede_text(lua_State *L)
{
	return push_text(L, &query_of(L)->draft.ede_text);
}

int dq_set_ede_text(lua_State *L)
{
	return take_text(L, &query_of(L)->draft.ede_text);
}

int dq_validation(lua_State *L)
{
	unsigned state = query_of(L)->validation;

	lua_pushinteger(L, state >= HOOK_FIRST_BOGUS ? HOOK_BOGUS : state);
	return 1;
}

int dq_detailed_validation(lua_State *L)
{
	lua_pushinteger(L, query_of(L)->validation);
	return 1;
}

static int add_record(lua_State *L, enum hook_place place, int ttl_at)
{
	struct hook_query *q = query_of(L);
	const uint8_t *name = q->out != NULL ? q->out->qname : q->qname;
	const char *content = luaL_checkstring(L, 3);
	uint16_t type = lua_check_type(L, 2);
	uint8_t buffer[NAME_MAX_LEN];
	uint32_t ttl = HOOK_TTL;

	if (!lua_isnoneornil(L, ttl_at))
		ttl = (uint32_t)check_range(L, ttl_at, 0, INT32_MAX);
	if (!lua_isnoneornil(L, ttl_at + 1))
		name = lua_check_name_or_text(L, ttl_at + 1, buffer);
	lua_add_record_text(L, records_of(L, q), name, type, ttl, place, content);
	return 0;
}

int dq_add_answer(lua_State *L)
{
	return add_record(L, PLACE_ANSWER, 4);
}

int dq_add_record(lua_State *L)
{
	return add_record(L, (enum hook_place)check_range(L, 4, PLACE_ANSWER, PLACE_ADDITIONAL), 5);
}

int dq_get_records(lua_State *L)
{
	lua_push_records(L, records_of(L, query_of(L)));
	return 1;
}

int dq_set_records(lua_State *L)
{
	lua_check_records(L, 2, records_of(L, query_of(L)));
	return 0;
}

/* ---- followups ---- */

static const char *const followups[] = {
	[FOLLOWUP_NONE] = "",
	[FOLLOWUP_CNAME] = "followCNAMERecords",
	[FOLLOWUP_FAKE_AAAA] = "getFakeAAAARecords",
	[FOLLOWUP_FAKE_PTR] = "getFakePTRRecords",
	[FOLLOWUP_UDP_RESPONSE] = "udpQueryResponse",
	NULL,
};

int dq_followup(lua_State *L)
{
	lua_pushstring(L, followups[query_of(L)->draft.followup]);
	return 1;
}

int dq_set_followup(lua_State *L)
{
	struct hook_query *q = query_of(L);

	q->draft.followup = (enum hook_followup)luaL_checkoption(L, 2, "", followups);
	return 0;
}

int dq_udp_dest(lua_State *L)
{
	lua_push_address(L, &query_of(L)->draft.udp_dest);
	return 1;
}

int dq_set_udp_dest(lua_State *L)
{
	struct hook_query *q = query_of(L);

	q->draft.udp_dest = *lua_check_address(L, 2);
	return 0;
}

int dq_udp_callback(lua_State *L)
{
	lua_pushstring(L, query_of(L)->draft.udp_callback);
	return 1;
}

int dq_set_udp_callback(lua_State *L)
{
	struct hook_query *q = query_of(L);
	size_t len;
	const char *name = luaL_checklstring(L, 2, &len);

	luaL_argcheck(L, len < sizeof(q->draft.udp_callback), 2, "too long");
	memcpy(q->draft.udp_callback, name, len + 1);
	return 0;
}
