#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "recursor/policy/lua/records.h"
#include "tests/unit/lua_state.h"

static const uint8_t qname[] = "\3www\7Example";

static struct lua_test t;
static struct hook_records records;

/* take(table): reads it into `records`, as what a classic hook returned. */
static int take(lua_State *L)
{
	lua_check_classic_records(L, 1, qname, &records);
	return 0;
}

static int take_objects(lua_State *L)
{
	lua_check_records(L, 1, &records);
	return 0;
}

static int give(lua_State *L)
{
	lua_push_classic_records(L, &records);
	return 1;
}

static int give_objects(lua_State *L)
{
	lua_push_records(L, &records);
	return 1;
}

static int add_text(lua_State *L)
{
	lua_add_record_text(L, &records, qname, (uint16_t)luaL_checkinteger(L, 1), 60,
			    PLACE_AUTHORITY, luaL_checkstring(L, 2));
	return 0;
}

static void open_state(void)
{
	static const luaL_Reg functions[] = {
		{ "take", take },         { "take_objects", take_objects },
		{ "give", give },         { "give_objects", give_objects },
		{ "add_text", add_text },
	};

	lua_test_open(&t);
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		lua_register(t.L, functions[i].name, functions[i].func);
}

static void close_state(void)
{
	hookrecords_clear(&records);
	lua_test_close(&t);
}

static void run(const char *chunk)
{
	const char *why = lua_test_run(&t, chunk);

	ck_assert_msg(why == NULL, "%s: %s", chunk, why);
}

static void check_row(size_t i, const char *expected)
{
	const struct hook_record *r = &records.rows[i];
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], line[2048];
	char *text = rdata_to_text(r->type, r->rdata, r->rdlen);

	ck_assert_ptr_nonnull(text);
	(void)snprintf(line, sizeof(line), "%u %s %u %u %s %s", (unsigned)r->place,
		       name_to_text(owner, r->name), (unsigned)r->ttl, (unsigned)r->class,
		       rrtype_to_text(r->type, type), text);
	free(text);
	ck_assert_str_eq(line, expected);
}

START_TEST(defaults)
{
	run("take({{content='192.0.2.1'}})");
	ck_assert_uint_eq(records.n, 1);
	check_row(0, "1 www.Example. 3600 1 A 192.0.2.1");
}
END_TEST

START_TEST(all_fields)
{
	run("take({{qtype=pdns.MX, content='25 mail.example.', ttl=5, qname='a.b'},\n"
	    "{qtype='16', content='\"x y\" z', place=2, ttl='7', qname='c.'},\n"
	    "{qtype=pdns.AAAA, content='2001:db8::1', place=3, qclass=1, ttl=1.9},\n"
	    "{qtype=pdns.CNAME, content='target.example', place=99}})");
	ck_assert_uint_eq(records.n, 4);
	check_row(0, "1 a.b. 5 1 MX 25 mail.example.");
	check_row(1, "2 c. 7 1 TXT \"x y\" \"z\"");
	check_row(2, "3 www.Example. 1 1 AAAA 2001:db8::1");
	check_row(3, "3 www.Example. 3600 1 CNAME target.example.");
}
END_TEST

START_TEST(content_of_the_row_before)
{
	run("take({{content='192.0.2.1', qname='a'}, {qname='b'}, {qname='c'}})");
	ck_assert_uint_eq(records.n, 3);
	check_row(2, "1 c. 3600 1 A 192.0.2.1");
}
END_TEST

START_TEST(a_hole_ends_the_table)
{
	run("take({{content='192.0.2.1'}, nil, {content='192.0.2.3'}})");
	ck_assert_uint_eq(records.n, 1);
	/* What is no table is no records, and what was there is gone. */
	run("take(nil)");
	ck_assert_uint_eq(records.n, 0);
	run("take({})");
	ck_assert_uint_eq(records.n, 0);
}
END_TEST

static const struct {
	const char *chunk, *why;
} refusals[] = {
	{ "take({{}})", "record 1: content: there is none" },
	{ "take({{content='192.0.2.1'}, {content='192.0.2.300'}})",
	  "record 2: content: '192.0.2.300'" },
	{ "take({{content='192.0.2.1'}, 5})", "record 2: a table is needed, not a number" },
	{ "take({{content={}}})", "record 1: content: text is needed, not a table" },
	{ "take({{content='a\\nb', qtype=16}})",
	  "record 1: content: a control character is in it" },
	{ "take({{content='a\\0b', qtype=16}})",
	  "record 1: content: a control character is in it" },
	{ "take({{content=('x'):rep(300000), qtype=16}})", "content: it is longer than 262144" },
	{ "take({{content='x', qtype=255}})", "content: an answer has no records of type 255" },
	{ "take({{content='x', qtype=41}})", "content: an answer has no records of type 41" },
	{ "take({{content='x', qtype=65536}})", "record 1: qtype: it must be from 1 to 65535" },
	{ "take({{content='x', qtype=0}})", "record 1: qtype: it must be from 1" },
	{ "take({{content='x', qtype='A'}})", "record 1: qtype: a number is needed, not a string" },
	{ "take({{content='192.0.2.1', ttl=-1}})", "record 1: ttl: it must be from 0" },
	{ "take({{content='192.0.2.1', ttl=0/0}})", "record 1: ttl: it must be from 0" },
	{ "take({{content='192.0.2.1', ttl=1e300}})", "record 1: ttl: it must be from 0" },
	{ "take({{content='192.0.2.1', ttl={}}})",
	  "record 1: ttl: a number is needed, not a table" },
	{ "take({{content='192.0.2.1', place=0}})", "record 1: place: it must be from 1" },
	{ "take({{content='192.0.2.1', qclass=0}})", "record 1: qclass: it must be from 1" },
	{ "take({{content='192.0.2.1', qname='a..b'}})",
	  "record 1: qname: 'a..b' is no domain name" },
	{ "take({{content='192.0.2.1', qname={}}})",
	  "record 1: qname: a name is needed, not a table" },
	{ "local all = {} for i = 1, 5000 do all[i] = {content='192.0.2.1'} end take(all)",
	  "no more than 4096 records" },
	{ "take_objects(5)", "table expected, got number" },
	{ "take_objects({newDR('a', 'A', 0, '192.0.2.1'), 'x'})",
	  "record 2: a DNSRecord is needed, not a string" },
	{ "add_text(pdns.A, 'x')", "content: 'x'" },
	{ "take(setmetatable({}, {__index = function(t, i) error('from within') end}))",
	  "from within" },
};

START_TEST(refused_with_row_and_field)
{
	const char *why = lua_test_run(&t, refusals[_i].chunk);

	ck_assert_msg(why != NULL, "%s is taken", refusals[_i].chunk);
	ck_assert_msg(strstr(why, refusals[_i].why) != NULL, "'%s' says '%s', not '%s'",
		      refusals[_i].chunk, why, refusals[_i].why);
}
END_TEST

/* What nodata() and postresolve() get. */
START_TEST(rows_given_have_six_fields)
{
	run("take({{qtype=pdns.MX, content='25 mail.example.', ttl=5, place=2}, {content='192.0.2.1'}})");
	run("local r = give() assert(#r == 2) local m = r[1]\n"
	    "assert(m.content == '25 mail.example.') assert(m.qtype == 15) assert(m.ttl == 5)\n"
	    "assert(m.qname == 'www.Example.') assert(m.place == 2) assert(m.qclass == 1)\n"
	    "assert(math.type(m.ttl) == 'integer') assert(r[2].content == '192.0.2.1') take(r)");
	ck_assert_uint_eq(records.n, 2);
	check_row(0, "2 www.Example. 5 1 MX 25 mail.example.");
}
END_TEST

START_TEST(objects)
{
	run("add_text(pdns.NS, 'ns.example.') add_text(pdns.A, '192.0.2.7')");
	check_row(0, "2 www.Example. 60 1 NS ns.example.");
	run("local r = give_objects() assert(#r == 2) assert(r[1].name:equal('www.example'))\n"
	    "assert(r[1].type == pdns.NS) assert(r[1].place == 2) assert(r[2]:getCA():equal('192.0.2.7'))\n"
	    "r[1]:changeContent('other.') r[1].ttl = 1 r[2] = newDR('b', 'A', 2, '192.0.2.8')\n"
	    "take_objects(r)");
	ck_assert_uint_eq(records.n, 2);
	check_row(0, "2 www.Example. 1 1 NS other.");
	check_row(1, "1 b. 2 1 A 192.0.2.8");
}
END_TEST

Suite *suite_lua_records(void)
{
	Suite *s = suite_create("lua_records");
	TCase *c = tcase_create("lua_records");

	tcase_add_checked_fixture(c, open_state, close_state);
	tcase_add_test(c, defaults);
	tcase_add_test(c, all_fields);
	tcase_add_test(c, content_of_the_row_before);
	tcase_add_test(c, a_hole_ends_the_table);
	tcase_add_loop_test(c, refused_with_row_and_field, 0, ARRAY_LEN(refusals));
	tcase_add_test(c, rows_given_have_six_fields);
	tcase_add_test(c, objects);
	suite_add_tcase(s, c);
	return s;
}
