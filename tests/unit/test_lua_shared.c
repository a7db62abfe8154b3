/* What scripts of several states share, over time; each member by itself: test_lua_objects.c. */
#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "common/hash.h"
#include "recursor/policy/lua/addresses.h"
#include "tests/unit/lua_state.h"
#include "tests/unit/tmpdir.h"

static struct lua_test t;
static lua_State *other; /* another worker's */

static void open_states(void)
{
	hash_key_set(1, 2);
	lua_test_open(&t);
	other = luaL_newstate();
	ck_assert_ptr_nonnull(other);
	luaL_openlibs(other);
	lua_api_open(other, &t.host);
}

static void close_states(void)
{
	lua_close(other);
	lua_test_close(&t);
}

static void run_in(lua_State *L, const char *chunk)
{
	lua_settop(L, 0);
	ck_assert_msg(luaL_dostring(L, chunk) == LUA_OK, "%s: %s", chunk, lua_tostring(L, -1));
}

static void expect_error(const char *chunk, const char *why)
{
	lua_settop(t.L, 0);
	ck_assert_int_ne(luaL_dostring(t.L, chunk), LUA_OK);
	ck_assert_str_eq(lua_tostring(t.L, -1), why);
}

START_TEST(a_set_is_one_for_all_workers)
{
	run_in(t.L, "set = iputils.newipset{name='blocked', ttl=60}\n"
		    "set[newCA('192.0.2.1')] = 1 set:add('192.0.2.2', 5) set:add('192.0.2.3', 0)");
	run_in(other, "set = iputils.newipset{name='blocked', ttl=60} assert(#set == 3)\n"
		      "assert(set[newCA('192.0.2.1')] and set:check('192.0.2.2'))");
	t.now_ns += 5000000000;
	run_in(other, "assert(not set:check('192.0.2.2') and set:check('192.0.2.1'))");
	t.now_ns += 55000000000;
	run_in(t.L, "assert(set[newCA('192.0.2.1')] == nil and set:check('192.0.2.3'))");
}
END_TEST

START_TEST(a_set_outlives_its_script)
{
	run_in(t.L, "do local s = iputils.newipset{name='blocked'} s:add('::1') end\n"
		    "collectgarbage() assert(iputils.newipset{name='blocked'}:check('::1'))");
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
	expect_error("\niputils.newipset{nam='x'}",
		     "[string \"...\"]:2: newipset has no option 'nam'");
	expect_error("\niputils.newipset{'x'}", "[string \"...\"]:2: newipset has no option '1'");
	expect_error(
		"\niputils.newipset('x')",
		"[string \"...\"]:2: bad argument #1 to 'newipset' (table expected, got string)");
	expect_error("\niputils.newipset{ttl=-1}",
		     "[string \"...\"]:2: ttl wants a whole number from 0 to 1000000000");
	expect_error("\niputils.newipset{name='a b'}",
		     "[string \"...\"]:2: the name of an ipset has 1 to 63 letters, digits, '-', "
		     "'_', '.'");
	expect_error("\na = iputils.newipset{name='a'} b = iputils.newipset{name='b'}\n"
		     "c = iputils.newipset{name='c'}",
		     "[string \"...\"]:3: ipset-max-sets have a name already");
}
END_TEST

START_TEST(a_trial_touches_nothing)
{
	struct script_host real = t.outer;
	struct ipsets *tried = NULL;

	run_in(t.L, "set = iputils.newipset{name='blocked'} set:add('::1')");
	ck_assert_int_eq(ipsets_new_overlay(&tried, real.ipsets), E_OK);
	t.outer.ipsets = tried;
	t.host.reader = ipsets_reader(tried, 0);
	run_in(other, "set = iputils.newipset{name='blocked', ttl=1} assert(set:check('::1'))\n"
		      "set:clear() set:add('::2') assert(#set == 1)\n"
		      "set = nil collectgarbage()");
	t.outer = real;
	t.host.reader = real.ipset_reader;
	ipsets_free(tried);
	run_in(t.L, "assert(#set == 1 and set:check('::1') and not set:check('::2'))");
}
END_TEST

START_TEST(a_list_of_names_is_read_once)
{
	char dir[TMPDIR_MAX], path[TMPDIR_MAX + 16];
	struct shelf_stats stats;
	FILE *f;

	tmpdir_make(dir);
	snprintf(path, sizeof(path), "%s/bad", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < 1000; i++)
		fprintf(f, "bad%u.example\n", i);
	ck_assert_int_eq(fclose(f), 0);
	t.outer.config_dir = dir;
	run_in(t.L,
	       "list = newDSFromFile('bad') assert(list:count() == 1000)\n"
	       "assert(list:check(newDN('www.BAD7.example')) and not list:check('bad.example'))");
	run_in(other, "list = newDSFromFile('bad') assert(list:check('bad999.example.'))");
	shelf_stats(t.outer.shelf, &stats);
	ck_assert_uint_eq(stats.lists, 1);
	f = fopen(path, "ae");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "\nno..name\n");
	ck_assert_int_eq(fclose(f), 0);
	lua_settop(t.L, 0);
	ck_assert_int_ne(luaL_dostring(t.L, "newDSFromFile('bad')"), LUA_OK);
	ck_assert_ptr_nonnull(strstr(lua_tostring(t.L, -1), "/bad:1002: 'no..name': not a name"));
	tmpdir_remove(dir);
}
END_TEST

START_TEST(a_rate_goes_on)
{
	run_in(t.L, "r = newRateLimiter{name='r', qps=10, burst=1}\n"
		    "assert(r:allows('::1') and not r:allows('::1'))");
	run_in(other, "r = newRateLimiter{name='r', qps=10, burst=1} assert(not r:allows('::1'))");
	t.now_ns += 100000000;
	run_in(other, "assert(r:allows('::1'))");
	run_in(t.L, "assert(not r:allows('::1'))");
}
END_TEST

/* Where a host offers none of it, that is an error and no more. */
START_TEST(nothing_is_there)
{
	struct script_host real = t.outer;

	t.outer.ipsets = NULL;
	t.outer.shelf = NULL;
	run_in(t.L,
	       "assert(not pcall(iputils.newipset, {}) and not pcall(newDSFromFile, '/dev/null'))\n"
	       "assert(not pcall(newRateLimiter, {qps=1})) assert(iputils.newipset())");
	t.outer = real;
}
END_TEST

START_TEST(hostile_arguments)
{
	run_in(t.L,
	       "local junk = {true, 0, -1, 1 << 62, 0/0, '', 'a', ('x'):rep(300), {}, {{}}, print,"
	       " newDN('a'), newCA('::1'), newCAS(), io.stdout, iputils.newipset(),"
	       " iputils.newipset{}, newDSFromFile('/dev/null'), newRateLimiter{qps=1, max=1}}\n"
	       "for _, o in ipairs{junk[17], junk[18], junk[19]} do\n"
	       "	for key, f in pairs(debug.getmetatable(o)) do\n"
	       "		for a = 1, 20 do for b = 1, 20 do for c = 1, 20, 7 do\n"
	       "			if type(f) == 'function' and key ~= '__gc' then\n"
	       "				pcall(f, junk[a], junk[b], junk[c]) end\n"
	       "			if type(f) == 'table' then for _, g in pairs(f) do\n"
	       "				pcall(g, junk[a], junk[b], junk[c]) end end\n"
	       "		end end end\n"
	       "	end\n"
	       "end\n"
	       "for _, key in ipairs{'name', 'ttl', 'max', 'qps', 'burst', 'ipv4_mask'} do\n"
	       "	for a = 1, 20 do\n"
	       "		pcall(iputils.newipset, {[key] = junk[a]})\n"
	       "		pcall(newRateLimiter, {qps = 1, max = 10, [key] = junk[a]}) end end");
}
END_TEST

Suite *suite_lua_shared(void)
{
	Suite *s = suite_create("lua_shared");
	TCase *tc = tcase_create("lua_shared");

	tcase_add_checked_fixture(tc, open_states, close_states);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_set_is_one_for_all_workers);
	tcase_add_test(tc, a_set_outlives_its_script);
	tcase_add_test(tc, what_is_wrong_is_told);
	tcase_add_test(tc, a_trial_touches_nothing);
	tcase_add_test(tc, a_list_of_names_is_read_once);
	tcase_add_test(tc, a_rate_goes_on);
	tcase_add_test(tc, nothing_is_there);
	tcase_add_test(tc, hostile_arguments);
	suite_add_tcase(s, tc);
	return s;
}
