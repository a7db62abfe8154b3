#include "recursor/policy/lua/records.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "recursor/policy/lua/addresses.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/lua/messages.h"
#include "recursor/policy/lua/names.h"

/* Instructions that take as long as to read a record, or to write one. */
enum { RECORD_WORK = 20 };

/* ---- both interfaces ---- */

uint16_t lua_check_type(lua_State *L, int index)
{
	uint16_t type = 0;
	lua_Integer number;
	int is_number;

	if (lua_type(L, index) == LUA_TSTRING) {
		if (rrtype_from_text(lua_tostring(L, index), &type) != E_OK)
			luaL_error(L, "'%s' is no record type", lua_tostring(L, index));
		return type;
	}
	if (lua_qtype_test(L, index, &type))
		return type;
	number = lua_tointegerx(L, index, &is_number);
	if (!is_number)
		luaL_typeerror(L, index, "record type");
	if (number < 0 || number > UINT16_MAX)
		luaL_error(L, "%I is no record type", (LUAI_UACINT)number);
	return (uint16_t)number;
}

/* Which record a Lua error speaks of: the n-th of a table, or one that stands alone. */
struct place_of_error {
	lua_Integer row; /* 0: alone */
	const char *field;
};

__attribute__((format(printf, 3, 4))) _Noreturn static void refuse(lua_State *L,
								   struct place_of_error at,
								   const char *format, ...)
{
	char text[RDATA_TEXT_WHY_MAX + 64];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (at.row > 0)
		luaL_error(L, "record %I: %s: %s", (LUAI_UACINT)at.row, at.field, text);
	luaL_error(L, "%s: %s", at.field, text);
	abort(); /* luaL_error() does not come back */
}

/* Types of data, in which a client's question may be answered. */
static bool is_data_type(uint16_t type)
{
	return type != 0 && !rrtype_is_meta(type);
}

static uint16_t read_text(lua_State *L, struct place_of_error at, uint16_t type, const char *text,
			  size_t len, uint8_t out[WIRE_MSG_MAX])
{
	char why[RDATA_TEXT_WHY_MAX];
	uint16_t n = 0;
	int err;

	if (len > RECORD_TEXT_MAX)
		refuse(L, at, "it is longer than %d bytes", RECORD_TEXT_MAX);
	lua_host_work(L, RECORD_WORK + len / 8);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\t')
			refuse(L, at, "a control character is in it");
	if (!is_data_type(type))
		refuse(L, at, "an answer has no records of type %u", (unsigned)type);
	err = rdata_from_text(out, &n, type, text, NULL, why);
	if (err == E_NOMEM)
		luaL_error(L, "out of memory");
	if (err != E_OK)
		refuse(L, at, "'%.40s': %s", text, why);
	return n;
}

/* The text at the top of the stack as rdata.  It stays there. */
static uint16_t read_content(lua_State *L, struct place_of_error at, uint16_t type,
			     uint8_t out[WIRE_MSG_MAX])
{
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);

	if (text == NULL)
		refuse(L, at, "text is needed, not a %s", luaL_typename(L, -1));
	return read_text(L, at, type, text, len, out);
}

static void add(lua_State *L, struct hook_records *to, const struct hook_record *r)
{
	int err = hookrecords_add(to, r);

	if (err == E_LIMIT)
		luaL_error(L, "an answer has no more than %d records, of %d bytes in all",
			   HOOK_RECORDS_MAX, HOOK_RECORDS_BYTES);
	if (err != E_OK)
		luaL_error(L, "%s", err_text(err));
}

static int push_text(lua_State *L)
{
	lua_pushstring(L, lua_touserdata(L, 1));
	return 1;
}

/* Protected, since the text must be freed even if Lua has no memory for a copy of it. */
static void push_content(lua_State *L, const struct hook_record *r)
{
	char *text;
	int rc;

	luaL_checkstack(L, 4, NULL);
	lua_host_work(L, RECORD_WORK + r->rdlen / 8U);
	text = rdata_to_text(r->type, r->rdata, r->rdlen);
	if (text == NULL)
		luaL_error(L, "out of memory");
	lua_pushcfunction(L, push_text);
	lua_pushlightuserdata(L, text);
	rc = lua_pcall(L, 1, 1, 0);
	free(text);
	if (rc != LUA_OK)
		lua_error(L);
}

/* ---- DNSRecord: its name and its data are user values, in wire form ---- */

enum { VALUE_NAME = 1, VALUE_RDATA = 2 };

struct record_object {
	struct lua_mark mark;
	uint32_t ttl;
	uint16_t type, class;
	uint8_t place;
};

void lua_push_record(lua_State *L, const struct hook_record *r)
{
	struct record_object *o = lua_object_new(L, LUA_RECORD, sizeof(*o), 2);

	o->ttl = r->ttl;
	o->type = r->type;
	o->class = r->class;
	o->place = r->place;
	lua_pushlstring(L, (const char *)r->name, name_len(r->name));
	lua_setiuservalue(L, -2, VALUE_NAME);
	lua_pushlstring(L, (const char *)r->rdata, r->rdlen);
	lua_setiuservalue(L, -2, VALUE_RDATA);
}

/* Borrowed from the object; the debug library can put another thing in its place. */
static const uint8_t *value_of(lua_State *L, int index, int which, size_t *len)
{
	const char *bytes = NULL;

	if (lua_getiuservalue(L, index, which) == LUA_TSTRING)
		bytes = lua_tolstring(L, -1, len);
	if (bytes == NULL)
		luaL_error(L, "the DNSRecord has been broken");
	lua_pop(L, 1);
	return (const uint8_t *)bytes;
}

void lua_check_record(lua_State *L, int index, struct hook_record *out)
{
	const struct record_object *o = lua_object_check(L, index, LUA_RECORD);
	size_t name_bytes = 0, rdlen = 0, len = 0;

	index = lua_absindex(L, index);
	*out = (struct hook_record) {
		.name = value_of(L, index, VALUE_NAME, &name_bytes),
		.rdata = value_of(L, index, VALUE_RDATA, &rdlen),
		.ttl = o->ttl,
		.type = o->type,
		.class = o->class,
		.place = o->place,
	};
	if (name_check(out->name, name_bytes, &len) != E_OK || rdlen > UINT16_MAX ||
	    !rdata_is_sound(o->type, out->rdata, (uint16_t)rdlen))
		luaL_error(L, "the DNSRecord has been broken");
	out->rdlen = (uint16_t)rdlen;
}

void lua_push_records(lua_State *L, const struct hook_records *records)
{
	lua_createtable(L, (int)records->n, 0);
	for (size_t i = 0; i < records->n; i++) {
		lua_push_record(L, &records->rows[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

void lua_check_records(lua_State *L, int index, struct hook_records *to)
{
	index = lua_absindex(L, index);
	luaL_checktype(L, index, LUA_TTABLE);
	hookrecords_clear(to);
	for (lua_Integer i = 1; lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
		struct hook_record r;

		if (lua_object_test(L, -1, LUA_RECORD) == NULL)
			luaL_error(L, "record %I: a DNSRecord is needed, not a %s", (LUAI_UACINT)i,
				   luaL_typename(L, -1));
		lua_check_record(L, -1, &r);
		add(L, to, &r);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

void lua_add_record_text(lua_State *L, struct hook_records *to, const uint8_t *name, uint16_t type,
			 uint32_t ttl, enum hook_place place, const char *content)
{
	static const struct place_of_error at = { .field = "content" };
	uint8_t rdata[WIRE_MSG_MAX];
	struct hook_record r = {
		.name = name,
		.rdata = rdata,
		.ttl = ttl,
		.type = type,
		.class = CLASS_IN,
		.place = (uint8_t)place,
	};

	r.rdlen = read_text(L, at, type, content, strlen(content), rdata);
	add(L, to, &r);
}

static uint32_t check_ttl(lua_State *L, int index)
{
	lua_Integer ttl = luaL_checkinteger(L, index);

	luaL_argcheck(L, ttl >= 0 && ttl <= INT32_MAX, index, "a TTL is from 0 to 2147483647");
	return (uint32_t)ttl;
}

static uint8_t check_place(lua_State *L, int index, lua_Integer unless)
{
	lua_Integer place = luaL_optinteger(L, index, unless);

	luaL_argcheck(L, place >= PLACE_QUESTION && place <= PLACE_ADDITIONAL, index,
		      "a place is one of pdns.place");
	return (uint8_t)place;
}

/* newDR(name, type, ttl, content, place) */
int api_new_record(lua_State *L)
{
	static const struct place_of_error at = { .field = "content" };
	uint8_t buffer[NAME_MAX_LEN], rdata[WIRE_MSG_MAX];
	struct hook_record r = {
		.name = lua_check_name_or_text(L, 1, buffer),
		.type = lua_check_type(L, 2),
		.ttl = check_ttl(L, 3),
		.class = CLASS_IN,
		.place = check_place(L, 5, PLACE_ANSWER),
	};

	lua_pushvalue(L, 4);
	r.rdlen = read_content(L, at, r.type, rdata);
	r.rdata = rdata;
	lua_push_record(L, &r);
	return 1;
}

static struct record_object *check_object(lua_State *L)
{
	return lua_object_check(L, 1, LUA_RECORD);
}

int api_record_name(lua_State *L)
{
	struct hook_record r;

	lua_check_record(L, 1, &r);
	lua_push_name(L, r.name);
	return 1;
}

int api_record_set_name(lua_State *L)
{
	uint8_t buffer[NAME_MAX_LEN];
	const uint8_t *name;

	(void)check_object(L);
	name = lua_check_name_or_text(L, 2, buffer);
	lua_pushlstring(L, (const char *)name, name_len(name));
	lua_setiuservalue(L, 1, VALUE_NAME);
	return 0;
}

int api_record_type(lua_State *L)
{
	lua_pushinteger(L, check_object(L)->type);
	return 1;
}

/* What it holds must make sense for the other type too. */
int api_record_set_type(lua_State *L)
{
	struct record_object *o = check_object(L);
	struct hook_record r;
	uint16_t type = lua_check_type(L, 2);

	lua_check_record(L, 1, &r);
	if (!is_data_type(type) || !rdata_is_sound(type, r.rdata, r.rdlen))
		return luaL_error(L, "the record's content is not of type %d", (int)type);
	o->type = type;
	return 0;
}

int api_record_ttl(lua_State *L)
{
	lua_pushinteger(L, check_object(L)->ttl);
	return 1;
}

int api_record_set_ttl(lua_State *L)
{
	check_object(L)->ttl = check_ttl(L, 2);
	return 0;
}

int api_record_place(lua_State *L)
{
	lua_pushinteger(L, check_object(L)->place);
	return 1;
}

int api_record_set_place(lua_State *L)
{
	struct record_object *o = check_object(L);

	luaL_checkany(L, 2);
	o->place = check_place(L, 2, PLACE_ANSWER);
	return 0;
}

int api_record_content(lua_State *L)
{
	struct hook_record r;

	lua_check_record(L, 1, &r);
	push_content(L, &r);
	return 1;
}

int api_record_change(lua_State *L)
{
	static const struct place_of_error at = { .field = "content" };
	const struct record_object *o = check_object(L);
	uint8_t rdata[WIRE_MSG_MAX];
	uint16_t len;

	lua_settop(L, 2);
	len = read_content(L, at, o->type, rdata);
	lua_pushlstring(L, (const char *)rdata, len);
	lua_setiuservalue(L, 1, VALUE_RDATA);
	return 0;
}

int api_record_address(lua_State *L)
{
	struct hook_record r;
	struct addr a;

	lua_check_record(L, 1, &r);
	if ((r.type == TYPE_A || r.type == TYPE_AAAA) &&
	    addr_from_rdata(&a, r.rdata, r.rdlen, 0) == E_OK)
		lua_push_address(L, &a);
	else
		lua_pushnil(L);
	return 1;
}

/* ---- rows of the classic interface ---- */

static void push_row(lua_State *L, const struct hook_record *r)
{
	char name[NAME_TEXT_MAX];

	lua_createtable(L, 0, 6);
	push_content(L, r);
	lua_setfield(L, -2, "content");
	lua_pushinteger(L, r->type);
	lua_setfield(L, -2, "qtype");
	lua_pushstring(L, name_to_text(name, r->name));
	lua_setfield(L, -2, "qname");
	lua_pushinteger(L, r->ttl);
	lua_setfield(L, -2, "ttl");
	lua_pushinteger(L, r->place);
	lua_setfield(L, -2, "place");
	lua_pushinteger(L, r->class);
	lua_setfield(L, -2, "qclass");
}

void lua_push_classic_records(lua_State *L, const struct hook_records *records)
{
	lua_createtable(L, (int)records->n, 0);
	for (size_t i = 0; i < records->n; i++) {
		push_row(L, &records->rows[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

/* A number of the row on top of the stack; one with a fraction counts without it, as in 3.x. */
static uint32_t read_number(lua_State *L, lua_Integer row, const char *field, uint32_t unless,
			    uint32_t least, uint32_t most)
{
	struct place_of_error at = { .row = row, .field = field };
	lua_Number number = unless;
	int is_number = 1;

	if (lua_getfield(L, -1, field) != LUA_TNIL)
		number = lua_tonumberx(L, -1, &is_number);
	if (!is_number)
		refuse(L, at, "a number is needed, not a %s", luaL_typename(L, -1));
	if (!(number >= least) || !(number < (lua_Number)most + 1))
		refuse(L, at, "it must be from %u to %u", (unsigned)least, (unsigned)most);
	lua_pop(L, 1);
	return (uint32_t)number;
}

static void read_qname(lua_State *L, lua_Integer row, const uint8_t *unless,
		       uint8_t out[NAME_MAX_LEN])
{
	struct place_of_error at = { .row = row, .field = "qname" };
	const char *text;
	size_t len;
	int err;

	if (lua_getfield(L, -1, "qname") == LUA_TNIL) {
		(void)name_copy(out, unless);
	} else if (lua_object_test(L, -1, LUA_DNSNAME) != NULL) {
		(void)name_copy(out, lua_check_name(L, -1));
	} else {
		text = lua_tolstring(L, -1, &len);
		if (text == NULL)
			refuse(L, at, "a name is needed, not a %s", luaL_typename(L, -1));
		err = strlen(text) == len ? name_from_text(out, text) : E_MALFORMED;
		if (err != E_OK)
			refuse(L, at, "'%.60s' is no domain name: %s", text, err_text(err));
	}
	lua_pop(L, 1);
}

/* The row is on top of the stack; below it the content of the one before, or nil. */
static void read_row(lua_State *L, lua_Integer row, const uint8_t *qname, struct hook_records *to)
{
	struct place_of_error at = { .row = row, .field = "content" };
	uint8_t name[NAME_MAX_LEN], rdata[WIRE_MSG_MAX];
	struct hook_record r = { .name = name, .rdata = rdata };
	uint32_t place;

	read_qname(L, row, qname, name);
	r.type = (uint16_t)read_number(L, row, "qtype", TYPE_A, 1, UINT16_MAX);
	r.class = (uint16_t)read_number(L, row, "qclass", CLASS_IN, 1, UINT16_MAX);
	r.ttl = read_number(L, row, "ttl", HOOK_TTL, 0, INT32_MAX);
	place = read_number(L, row, "place", PLACE_ANSWER, PLACE_ANSWER, INT32_MAX);
	r.place = (uint8_t)(place > PLACE_ADDITIONAL ? PLACE_ADDITIONAL : place);
	if (lua_getfield(L, -1, "content") == LUA_TNIL) {
		lua_pop(L, 1);
		lua_pushvalue(L, -2);
		if (lua_isnil(L, -1))
			refuse(L, at, "there is none");
	}
	r.rdlen = read_content(L, at, r.type, rdata);
	add(L, to, &r);
	lua_replace(L, -3);
}

void lua_check_classic_records(lua_State *L, int index, const uint8_t *qname,
			       struct hook_records *to)
{
	hookrecords_clear(to);
	if (lua_type(L, index) != LUA_TTABLE)
		return;
	index = lua_absindex(L, index);
	lua_pushnil(L);
	for (lua_Integer row = 1; lua_geti(L, index, row) != LUA_TNIL; row++) {
		if (lua_type(L, -1) != LUA_TTABLE)
			luaL_error(L, "record %I: a table is needed, not a %s", (LUAI_UACINT)row,
				   luaL_typename(L, -1));
		read_row(L, row, qname, to);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}
