#include "recursor/policy/lua/messages.h"

#include <lauxlib.h>
#include <string.h>

#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/policy/lua/api.h"

/* ---- DNSHeader ---- */

struct header_object {
	struct lua_mark mark;
	uint8_t wire[WIRE_HEADER_LEN];
};

void lua_push_header(lua_State *L, const uint8_t header[WIRE_HEADER_LEN])
{
	struct header_object *o = lua_object_new(L, LUA_HEADER, sizeof(*o), 0);

	memcpy(o->wire, header, WIRE_HEADER_LEN);
}

/* The 16 bits at a place of the header. */
static unsigned header_word(lua_State *L, unsigned at)
{
	const struct header_object *o = lua_object_check(L, 1, LUA_HEADER);

	return wire_get_u16(o->wire + at);
}

static int push_word(lua_State *L, unsigned at)
{
	lua_pushinteger(L, (lua_Integer)header_word(L, at));
	return 1;
}

static int push_flag(lua_State *L, unsigned flag)
{
	lua_pushboolean(L, (header_word(L, 2) & flag) != 0);
	return 1;
}

int api_header_id(lua_State *L)
{
	return push_word(L, 0);
}

int api_header_aa(lua_State *L)
{
	return push_flag(L, MSG_AA);
}

int api_header_ad(lua_State *L)
{
	return push_flag(L, MSG_AD);
}

int api_header_cd(lua_State *L)
{
	return push_flag(L, MSG_CD);
}

int api_header_ra(lua_State *L)
{
	return push_flag(L, MSG_RA);
}

int api_header_rd(lua_State *L)
{
	return push_flag(L, MSG_RD);
}

int api_header_tc(lua_State *L)
{
	return push_flag(L, MSG_TC);
}

int api_header_rcode(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)(header_word(L, 2) & 15));
	return 1;
}

int api_header_opcode(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)(header_word(L, 2) >> 11 & 15));
	return 1;
}

int api_header_qdcount(lua_State *L)
{
	return push_word(L, 4);
}

int api_header_ancount(lua_State *L)
{
	return push_word(L, 6);
}

int api_header_nscount(lua_State *L)
{
	return push_word(L, 8);
}

int api_header_arcount(lua_State *L)
{
	return push_word(L, 10);
}

/* ---- QType ---- */

struct qtype_object {
	struct lua_mark mark;
	uint16_t type;
};

int api_new_qtype(lua_State *L)
{
	const char *text = luaL_checkstring(L, 1);
	struct qtype_object *o;
	uint16_t type;

	if (rrtype_from_text(text, &type) != E_OK)
		return luaL_error(L, "'%s' is no record type", text);
	o = lua_object_new(L, LUA_QTYPE, sizeof(*o), 0);
	o->type = type;
	return 1;
}

bool lua_qtype_test(lua_State *L, int index, uint16_t *type)
{
	const struct qtype_object *o = lua_object_test(L, index, LUA_QTYPE);

	if (o != NULL)
		*type = o->type;
	return o != NULL;
}

static uint16_t check_qtype(lua_State *L)
{
	return ((struct qtype_object *)lua_object_check(L, 1, LUA_QTYPE))->type;
}

int api_qtype_code(lua_State *L)
{
	lua_pushinteger(L, check_qtype(L));
	return 1;
}

int api_qtype_name(lua_State *L)
{
	char text[RRTYPE_TEXT_MAX];

	lua_pushstring(L, rrtype_to_text(check_qtype(L), text));
	return 1;
}

int api_qtype_equal(lua_State *L)
{
	const struct qtype_object *a = lua_object_test(L, 1, LUA_QTYPE);
	const struct qtype_object *b = lua_object_test(L, 2, LUA_QTYPE);

	lua_pushboolean(L, a != NULL && b != NULL && a->type == b->type);
	return 1;
}

/* ---- EDNSOptionView: its user value is the table of its values ---- */

void lua_push_options(lua_State *L, const uint8_t *options, size_t len)
{
	struct wire_reader r = { .msg = options, .len = len };
	uint16_t code, n;

	lua_newtable(L);
	while (wire_read_u16(&r, &code) == E_OK && wire_read_u16(&r, &n) == E_OK) {
		const char *value = (const char *)options + r.pos;

		if (wire_skip(&r, n) != E_OK)
			break;
		if (lua_rawgeti(L, -1, code) == LUA_TNIL) {
			lua_pop(L, 1);
			(void)lua_object_new(L, LUA_OPTION, sizeof(struct lua_mark), 1);
			lua_newtable(L);
			lua_setiuservalue(L, -2, 1);
			lua_pushvalue(L, -1);
			lua_rawseti(L, -3, code);
		}
		(void)lua_getiuservalue(L, -1, 1);
		lua_pushlstring(L, value, n);
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
		lua_pop(L, 2);
	}
}

/* The table of its values on top of the stack; the debug library can put another thing there. */
static void push_values(lua_State *L)
{
	(void)lua_object_check(L, 1, LUA_OPTION);
	if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE)
		luaL_error(L, "the EDNSOptionView has been broken");
}

int api_option_count(lua_State *L)
{
	push_values(L);
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
	return 1;
}

int api_option_values(lua_State *L)
{
	lua_Integer n;

	push_values(L);
	n = (lua_Integer)lua_rawlen(L, -1);
	lua_newtable(L);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, -2, i);
		lua_rawseti(L, -2, i);
	}
	return 1;
}

int api_option_content(lua_State *L)
{
	push_values(L);
	lua_rawgeti(L, -1, 1);
	return 1;
}

int api_option_size(lua_State *L)
{
	push_values(L);
	lua_rawgeti(L, -1, 1);
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
	return 1;
}
