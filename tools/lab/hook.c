/*
 * hook: a Lua script's function answer(query), asked before the zones.
 *
 * query:  name ("www.example."), type ("A"), server and client (addresses), transport ("udp" or
 *         "tcp"), edns, dnssec_ok (booleans), size (the UDP payload announced).
 * result: nil: the zones answer.  Or a table: rcode ("NXDOMAIN"), flags ("AA TC"), the sections
 *         answer, authority, additional (lists of records as text), delay (ms); or silent=true; or
 *         raw="bytes", the whole packet, its id filled in.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tools/lab/lab.h"

struct hook {
	lua_State *lua;
	uint64_t errors;
};

int hook_load(struct hook **out, const char *path, char why[LAB_WHY_MAX])
{
	struct hook *h = calloc(1, sizeof(*h));

	ASSERT(h != NULL);
	h->lua = luaL_newstate();
	ASSERT(h->lua != NULL);
	luaL_openlibs(h->lua);
	if (luaL_dofile(h->lua, path) != LUA_OK) {
		const char *text = lua_tostring(h->lua, -1);

		snprintf(why, LAB_WHY_MAX, "%s", text == NULL ? path : text);
		hook_free(h);
		return E_MALFORMED;
	}
	if (lua_getglobal(h->lua, "answer") != LUA_TFUNCTION) {
		snprintf(why, LAB_WHY_MAX, "%s: it has no function answer(query)", path);
		hook_free(h);
		return E_MALFORMED;
	}
	lua_settop(h->lua, 0);
	*out = h;
	return E_OK;
}

void hook_free(struct hook *h)
{
	if (h == NULL)
		return;
	lua_close(h->lua);
	free(h);
}

static void complain(struct hook *h, const char *what)
{
	if (h->errors++ < 10)
		fprintf(stderr, "lab: hook: %s\n", what == NULL ? "an error without a text" : what);
}

/* ---- the query ---- */

static void set_text(lua_State *l, const char *key, const char *value)
{
	lua_pushstring(l, value);
	lua_setfield(l, -2, key);
}

static void push_query(lua_State *l, const struct lab_query *q)
{
	char address[ADDR_TEXT_MAX];
	char *name = ldns_rdf2str(ldns_rr_owner(q->question));
	char *type = ldns_rr_type2str(ldns_rr_get_type(q->question));

	lua_createtable(l, 0, 8);
	set_text(l, "name", name);
	set_text(l, "type", type);
	set_text(l, "server", addr_ip_text(address, &q->server->addr));
	set_text(l, "client", addr_text(address, &q->client));
	set_text(l, "transport", q->transport == LAB_UDP ? "udp" : "tcp");
	lua_pushboolean(l, ldns_pkt_edns(q->pkt));
	lua_setfield(l, -2, "edns");
	lua_pushboolean(l, ldns_pkt_edns_do(q->pkt));
	lua_setfield(l, -2, "dnssec_ok");
	lua_pushinteger(l, ldns_pkt_edns_udp_size(q->pkt));
	lua_setfield(l, -2, "size");
	free(name);
	free(type);
}

/* ---- the result, a table on top of the stack ---- */

/* A string or number of the table; borrowed until the next call; NULL: not there. */
static const char *get_text(lua_State *l, const char *key, size_t *len)
{
	const char *text;

	lua_getfield(l, -1, key);
	text = lua_tolstring(l, -1, len);
	lua_pop(l, 1); /* the table holds on to it */
	return text;
}

static bool push_records(struct hook *h, ldns_pkt *reply, ldns_pkt_section section, const char *key)
{
	lua_State *l = h->lua;
	bool ok = true;

	if (lua_getfield(l, -1, key) == LUA_TTABLE) {
		lua_Integer n = luaL_len(l, -1);

		for (lua_Integer i = 1; i <= n && ok; i++) {
			ldns_rr *rr = NULL;
			const char *text;

			lua_geti(l, -1, i);
			text = lua_tostring(l, -1);
			ok = text != NULL && ldns_rr_new_frm_str(&rr, text, ZONE_DEFAULT_TTL, NULL,
								 NULL) == LDNS_STATUS_OK;
			if (ok)
				ldns_pkt_push_rr(reply, section, rr);
			else
				complain(h, text == NULL ? "a record that is no text" : text);
			lua_pop(l, 1);
		}
	}
	lua_pop(l, 1);
	return ok;
}

static bool set_rcode(lua_State *l, ldns_pkt *reply)
{
	static const struct {
		const char *name;
		uint8_t number;
	} rcodes[] = {
#define RCODE_ROW(name, number) { #name, (number)&15 },
		RCODE_TABLE(RCODE_ROW)
#undef RCODE_ROW
	};
	const char *text = get_text(l, "rcode", NULL);

	if (text == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++)
		if (strcmp(rcodes[i].name, text) == 0) {
			ldns_pkt_set_rcode(reply, rcodes[i].number);
			return true;
		}
	return false;
}

static void set_flags(lua_State *l, ldns_pkt *reply)
{
	const char *text = get_text(l, "flags", NULL);

	if (text == NULL)
		return;
	ldns_pkt_set_aa(reply, strstr(text, "AA") != NULL);
	ldns_pkt_set_tc(reply, strstr(text, "TC") != NULL);
	ldns_pkt_set_ra(reply, strstr(text, "RA") != NULL);
	ldns_pkt_set_ad(reply, strstr(text, "AD") != NULL);
}

static enum hook_verdict read_raw(lua_State *l, const struct lab_query *q, struct hook_answer *out)
{
	size_t len = 0;
	const char *raw = get_text(l, "raw", &len);

	if (raw == NULL)
		return HOOK_PASS;
	out->raw = malloc(len + 1);
	ASSERT(out->raw != NULL);
	memcpy(out->raw, raw, len);
	out->raw_len = len;
	if (len >= 2)
		ldns_write_uint16(out->raw, ldns_pkt_id(q->pkt));
	return HOOK_RAW;
}

static enum hook_verdict read_result(struct hook *h, const struct lab_query *q,
				     struct hook_answer *out)
{
	lua_State *l = h->lua;
	enum hook_verdict raw;
	bool silent;

	if (lua_isnil(l, -1))
		return HOOK_PASS;
	if (!lua_istable(l, -1)) {
		complain(h, "answer() gave neither nil nor a table");
		return HOOK_PASS;
	}
	lua_getfield(l, -1, "silent");
	silent = lua_toboolean(l, -1);
	lua_getfield(l, -2, "delay");
	out->delay_ms = (uint32_t)lua_tointeger(l, -1);
	lua_pop(l, 2);
	if (silent)
		return HOOK_SILENT;
	raw = read_raw(l, q, out);
	if (raw != HOOK_PASS)
		return raw;
	out->reply = serve_reply_new(q, LDNS_RCODE_NOERROR);
	set_flags(l, out->reply);
	if (set_rcode(l, out->reply) &&
	    push_records(h, out->reply, LDNS_SECTION_ANSWER, "answer") &&
	    push_records(h, out->reply, LDNS_SECTION_AUTHORITY, "authority") &&
	    push_records(h, out->reply, LDNS_SECTION_ADDITIONAL, "additional"))
		return HOOK_ANSWER;
	ldns_pkt_free(out->reply);
	out->reply = serve_reply_new(q, LDNS_RCODE_SERVFAIL);
	return HOOK_ANSWER;
}

enum hook_verdict hook_ask(struct hook *h, const struct lab_query *q, struct hook_answer *out)
{
	enum hook_verdict v;

	lua_getglobal(h->lua, "answer");
	push_query(h->lua, q);
	if (lua_pcall(h->lua, 1, 1, 0) != LUA_OK) {
		complain(h, lua_tostring(h->lua, -1));
		out->reply = serve_reply_new(q, LDNS_RCODE_SERVFAIL);
		v = HOOK_ANSWER;
	} else {
		v = read_result(h, q, out);
	}
	lua_settop(h->lua, 0);
	return v;
}
