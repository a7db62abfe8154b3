/*
 * Record tables as a script of the classic interface hands them over: what is taken is sound, goes
 * back to the script as the same, and as DNSRecords of the other interface.
 *
 * Input: rows of a byte that says which fields there are (FIELD_...), then those: qtype (2 bytes),
 * ttl (4, signed), place (1, signed), qname (a length byte and so much text), content (two length
 * bytes and so much text).
 */
#include <lauxlib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "recursor/policy/lua/api.h"
#include "recursor/policy/lua/records.h"

enum {
	FIELD_QTYPE = 1,
	FIELD_TTL = 2,
	FIELD_PLACE = 4,
	FIELD_QNAME = 8,
	FIELD_CONTENT = 16,
	FIELD_IS_TEXT = 32, /* numbers are texts: both count in Lua */
	ROWS_MAX = 32,
};

static const uint8_t qname[] = "\3www\7example";

struct input {
	const uint8_t *at;
	size_t left;
};

static unsigned take(struct input *in, unsigned bytes)
{
	unsigned value = 0;

	for (unsigned i = 0; i < bytes && in->left > 0; i++, in->left--)
		value = value << 8 | *in->at++;
	return value;
}

static void push_text(lua_State *L, struct input *in, size_t len)
{
	if (len > in->left)
		len = in->left;
	lua_pushlstring(L, (const char *)in->at, len);
	in->at += len;
	in->left -= len;
}

static void set_number(lua_State *L, unsigned fields, const char *name, int64_t value)
{
	if ((fields & FIELD_IS_TEXT) != 0)
		lua_pushfstring(L, "%I", (LUAI_UACINT)value);
	else
		lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

static void push_row(lua_State *L, struct input *in)
{
	unsigned fields = take(in, 1);

	lua_newtable(L);
	if ((fields & FIELD_QTYPE) != 0)
		set_number(L, fields, "qtype", take(in, 2));
	if ((fields & FIELD_TTL) != 0)
		set_number(L, fields, "ttl", (int32_t)take(in, 4));
	if ((fields & FIELD_PLACE) != 0)
		set_number(L, fields, "place", (int8_t)take(in, 1));
	if ((fields & FIELD_QNAME) != 0) {
		push_text(L, in, take(in, 1));
		lua_setfield(L, -2, "qname");
	}
	if ((fields & FIELD_CONTENT) != 0) {
		push_text(L, in, take(in, 2));
		lua_setfield(L, -2, "content");
	}
}

/* Types whose text is certain to be read back as it was; of some others ldns writes what it does
 * not read. */
static bool is_plain(uint16_t type)
{
	static const uint16_t plain[] = {
		TYPE_A,  TYPE_NS,   TYPE_CNAME, TYPE_SOA, TYPE_PTR,
		TYPE_MX, TYPE_AAAA, TYPE_SRV,   TYPE_DS,  TYPE_DNAME,
	};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (plain[i] == type)
			return true;
	return false;
}

static void check_same(const struct hook_record *a, const struct hook_record *b)
{
	ASSERT(a->type == b->type && a->class == b->class && a->ttl == b->ttl);
	ASSERT(a->place == b->place && name_equal_case(a->name, b->name));
	ASSERT(!is_plain(a->type) ||
	       (a->rdlen == b->rdlen && memcmp(a->rdata, b->rdata, a->rdlen) == 0));
}

/* Upvalue-free: the two sets of records are light userdata. */
static int read_rows(lua_State *L)
{
	lua_check_classic_records(L, 2, qname, lua_touserdata(L, 1));
	return 0;
}

static int write_and_read(lua_State *L)
{
	const struct hook_records *records = lua_touserdata(L, 1);

	lua_push_classic_records(L, records);
	lua_check_classic_records(L, -1, qname, lua_touserdata(L, 2));
	return 0;
}

/* As DNSRecords, each with its content set to what it says. */
static int write_objects(lua_State *L)
{
	const struct hook_records *records = lua_touserdata(L, 1);

	lua_push_records(L, records);
	lua_check_records(L, -1, lua_touserdata(L, 2));
	return 0;
}

static void check_read(lua_State *L, struct hook_records *records)
{
	struct hook_records again = { 0 };
	bool all_plain = true;

	for (size_t i = 0; i < records->n; i++) {
		const struct hook_record *r = &records->rows[i];

		ASSERT(rdata_is_sound(r->type, r->rdata, r->rdlen));
		ASSERT(r->place >= PLACE_ANSWER && r->place <= PLACE_ADDITIONAL);
		all_plain = all_plain && is_plain(r->type);
	}
	lua_settop(L, 0);
	lua_pushcfunction(L, write_objects);
	lua_pushlightuserdata(L, records);
	lua_pushlightuserdata(L, &again);
	ASSERT(lua_pcall(L, 2, 0, 0) == LUA_OK && again.n == records->n);
	for (size_t i = 0; i < again.n; i++)
		check_same(&records->rows[i], &again.rows[i]);
	hookrecords_clear(&again);

	lua_pushcfunction(L, write_and_read);
	lua_pushlightuserdata(L, records);
	lua_pushlightuserdata(L, &again);
	if (lua_pcall(L, 2, 0, 0) != LUA_OK)
		ASSERT(!all_plain);
	for (size_t i = 0; i < again.n; i++)
		check_same(&records->rows[i], &again.rows[i]);
	hookrecords_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .at = data, .left = size };
	struct script_host outer = { 0 };
	struct lua_host host = { .to = &outer };
	struct hook_records records = { 0 };
	lua_State *L = luaL_newstate();

	ASSERT(L != NULL);
	lua_api_open(L, &host);
	lua_settop(L, 0);
	lua_pushcfunction(L, read_rows);
	lua_pushlightuserdata(L, &records);
	lua_newtable(L);
	for (int i = 1; in.left > 0 && i <= ROWS_MAX; i++) {
		push_row(L, &in);
		lua_rawseti(L, -2, i);
	}
	if (lua_pcall(L, 2, 0, 0) == LUA_OK)
		check_read(L, &records);
	else
		ASSERT(lua_type(L, -1) == LUA_TSTRING);
	hookrecords_clear(&records);
	lua_close(L);
	return 0;
}
