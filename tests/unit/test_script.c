/* The engine: what loads, what a call may take, and how it ends; see test_hooks.c for what hooks do. */
#include <signal.h>
#include <sys/stat.h>

#include "common/check.h"
#include "recursor/policy/lua/engine.h"
#include "script_fake.h"
#include "tests/unit/sanitizer.h"
#include <lauxlib.h>
#include <lualib.h>

static const struct addr remote = { .family = 4, .port = 5353, .ip = { 192, 0, 2, 7 } };
static const struct addr local = { .family = 4, .port = 53, .ip = { 127, 0, 0, 1 } };
static const uint8_t header[WIRE_HEADER_LEN] = { 0x12, 0x34, 1, 0x20 };

static bool filter(struct script_fake *f)
{
	return script_ipfilter(f->script, &remote, &local, header, false);
}

/* ---- loading ---- */

START_TEST(what_does_not_load)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "x = 1\ny = = 2\n", ":2:" },
		{ "local t\n\nreturn t.x\n", ":3:" },
		{ "\nerror('no')", ":2: no" },
		{ "error({})", "table" },
		{ "error(nil)", "nil" },
		{ "\nwhile true do end", "lua-hook-instructions" },
		{ "local t = {} while true do t[#t + 1] = {} end", "lua-memory-limit" },
		{ "local s = ('x'):rep(1 << 30)", "lua-memory-limit" },
		{ "setmetatable({}, { __gc = function() end })", ":1:" },
		{ "getmetatable(io.stdout).__gc = print", ":1:" },
		{ "getmetatable(newDN('x')).__gc = print", ":1:" },
		{ "debug.getmetatable(newDN('x')).__gc = print", "debug.getmetatable" },
		{ "debug.getupvalue(setmetatable, 1)", "debug.getupvalue" },
		{ "os.exit(3)", "os.exit" },
		{ "debug.sethook()", "debug.sethook" },
		{ "getlocaladdress()", "getlocaladdress" },
		{ "\27Lua nonsense", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script_fake f;

		ck_assert_msg(script_fake_try(&f, rows[i].text) != E_OK, "%s", rows[i].text);
		ck_assert_msg(strstr(f.why, rows[i].why) != NULL, "%s: %s", rows[i].text, f.why);
		ck_assert_ptr_null(f.script);
		script_fake_close(&f);
	}
}
END_TEST

START_TEST(the_file_is_named)
{
	struct script_fake f;

	ck_assert_int_eq(script_fake_try(&f, "\n\nx = nil + 1"), E_MALFORMED);
	ck_assert_msg(strncmp(f.why, f.path, strlen(f.path)) == 0, "%s", f.why);
	ck_assert_ptr_nonnull(strstr(f.why, ":3: "));
	script_fake_close(&f);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	struct script_files files = { .path = "/nonexistent/x.lua" };
	struct script_code *code = NULL;
	char why[SCRIPT_WHY_MAX];

	ck_assert_int_eq(script_code_load(&code, &files, why), E_SYSTEM);
	ck_assert_str_eq(why, "/nonexistent/x.lua: No such file or directory");
	files.path = "/tmp";
	ck_assert_int_ne(script_code_load(&code, &files, why), E_OK);
	files.path = "/dev/null";
	files.include_dir = "/nonexistent";
	ck_assert_int_eq(script_code_load(&code, &files, why), E_SYSTEM);
	ck_assert_str_eq(why, "lua-global-include-dir=/nonexistent: No such file or directory");
	ck_assert_ptr_null(code);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	if (file == NULL)
		return;
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(the_directory_comes_first)
{
	char dir[] = "/tmp/test-script-XXXXXX", a[64], b[64], other[64], script[64];
	struct script_files files = { .path = script, .include_dir = dir };
	struct script_fake f = { 0 };
	struct script_host host = {
		.ctx = &f, .now_ns = fake_now_ns, .wall = fake_wall, .random = fake_random
	};

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(a, sizeof(a), "%s/10-a.lua", dir);
	(void)snprintf(b, sizeof(b), "%s/20-b.lua", dir);
	(void)snprintf(other, sizeof(other), "%s/notes.txt", dir);
	(void)snprintf(script, sizeof(script), "%s/script", dir);
	write_file(b, "assert(order == 'a') order = order .. 'b'");
	write_file(a, "order = 'a'");
	write_file(other, "this is not Lua");
	write_file(script,
		   "#! /usr/bin/lua\nassert(order == 'ab')\nfunction ipfilter(ca) return -1 end");
	ck_assert_int_eq(script_code_load(&f.code, &files, f.why), E_OK);
	ck_assert_str_eq(script_code_path(f.code), script);
	ck_assert_int_eq(script_new(&f.script, f.code, &f.limits, &host, f.why), E_OK);
	ck_assert(script_has(f.script, HOOK_IPFILTER));
	script_put(f.script);
	f.script = NULL;
	script_code_free(f.code);
	write_file(a, "x =");
	ck_assert_int_eq(script_code_load(&f.code, &files, f.why), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(f.why, "10-a.lua:1:"));
	ck_assert_int_eq(unlink(a) | unlink(b) | unlink(other) | unlink(script) | rmdir(dir), 0);
}
END_TEST

/* As luac writes it; cut short at any place it is refused, in one line. */
START_TEST(luac_loads_too)
{
	struct script_fake f, g = { 0 };
	const char *bytes;
	size_t len = 0;

	/* The bytes have zeros in them: through a file. */
	script_fake_open(&f, "local f = io.open('/tmp/test-script-luac', 'wb')\n"
			     "f:write(string.dump(load([[\n\nfunction ipfilter(ca)\n"
			     "if ca:tostring() == '192.0.2.7' then return 1 end\nerror('x') end]],"
			     "'@a.lua')))\nf:close()");
	script_fake_close(&f);
	{
		static char buffer[4096];
		FILE *file = fopen("/tmp/test-script-luac", "rb");

		ck_assert_ptr_nonnull(file);
		if (file != NULL) {
			len = fread(buffer, 1, sizeof(buffer), file);
			(void)fclose(file);
		}
		(void)unlink("/tmp/test-script-luac");
		bytes = buffer;
	}
	ck_assert_int_eq(script_fake_open_bytes(&g, bytes, len), E_OK);
	ck_assert(filter(&g));
	script_fake_close(&g);
	for (size_t cut = 1; cut < len; cut++) {
		struct script_fake h = { 0 };

		ck_assert_int_eq(script_fake_open_bytes(&h, bytes, cut), E_MALFORMED);
		script_fake_close(&h);
	}
}
END_TEST

/* ---- limits ---- */

/* Each is a body of ipfilter() that would not end, or not soon; a mark says whether what comes
 * behind it was reached. */
static const char *const endless[] = {
	"while true do end",
	"local function f() return f() end f()",
	"while true do pcall(function() while true do end end) end",
	"while true do pcall(pcall, error) end",
	"while true do xpcall(function() while true do end end, function() while true do end end) end",
	"local function f() pcall(f) f() end while true do pcall(f) end",
	"coroutine.wrap(function() while true do end end)()",
	"while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
	"while true do local c = coroutine.wrap(function() for i = 1, 90 do end end) c() end",
	"g = coroutine.wrap(function() repeat pcall(coroutine.yield) until x end) repeat g() until x",
	"local t = setmetatable({}, { __lt = function() while true do end end }) return t < t",
	"table.sort({ 3, 2, 1, 5, 4 }, function() while true do end end)",
	"string.gsub('xxx', 'x', function() while true do end end)",
	"local s = string.rep('', 1 << 62)  while true do end",
	"table.move({}, 1, 1 << 60, 2)",
	"table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)",
	"local x <close> = setmetatable({}, { __close = function() while true do end end })",
	"goto again ::again:: goto again",
	"load('while true do end')()",
	"local a = ('a'):rep(30) return a:find(('a?'):rep(30) .. a)",
	"local a = ('a'):rep(3000) return a:find('.-.-.-.-.-b')",
	"for _ in string.gmatch(('a'):rep(3000), '.-.-.-.-.-b') do end",
	"local r = ('a'):rep(3000):gsub('.-.-.-.-.-b', '')",
	"return ('('):rep(3000):match('%b().-%b().-%b().-x')",
	"local s = ('x'):rep(200000) for i = 1, 20 do s:find('y', 1, true) end",
};

START_TEST(what_does_not_end_is_ended)
{
	char text[1024];
	struct script_fake f;

	(void)snprintf(text, sizeof(text),
		       "local function f()\n%s\nend\n"
		       "function ipfilter(ca, l, dh) f() reached = true return false end\n"
		       "function preresolve(dq) assert(not reached) return false end",
		       endless[_i]);
	script_fake_open(&f, text);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(!filter(&f));
	ck_assert_msg(strstr(f.log, "lua-hook-instructions") != NULL, "%s: %s", endless[_i], f.log);
	ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_calls), 3);
	ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_overruns), 3);
	ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_errors), 0);
	ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_nsec), 3000);
	script_fake_close(&f);
}
END_TEST

static const char *const greedy[] = {
	"local t = {} while true do t[#t + 1] = 'x' .. #t end",
	"local s = 'x' while true do s = s .. s end",
	"return ('x'):rep(1 << 30)",
	"return ('x'):rep(1 << 30, 'y')",
	"return table.concat({ ('x'):rep(900000), ('y'):rep(900000) })",
	"return string.format('%s%s%s', ('x'):rep(900000), ('x'):rep(900000), 'x')",
	"local t = table.pack(('x'):rep(900000):byte(1, -1))",
	"local t = {} t[1 << 20] = 1 for i = 1, 1 << 20 do t[i] = i end",
	"return ('x'):rep(1000):gsub('x', ('y'):rep(10000))",
};

/* Work in C is counted like instructions. */
START_TEST(what_is_long_in_c_is_ended)
{
	static const char *const bodies[] = {
		"g:addMasks(masks)",
		"a:add(masks)",
		"matchnetmask('::1', masks)",
		"local x = g:tostring()",
		"table.insert(masks, 1, 'x') table.remove(masks, 1)",
		"table.sort(masks)",
		"local x = table.concat(masks)",
		"local x = select('#', table.unpack(masks))",
		"local x = big .. 'y'",
		"local x = big:upper()",
		"collectgarbage()",
	};
	static const char begin[] = "masks = {} for i = 1, 100 do masks[i] = '10.0.0.' .. i end\n"
				    "g = newNMG(masks) a = newCAS() big = ('x'):rep(10000)\n"
				    "function maintenance() for i = 1, 20000 do ";

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct script_fake f;
		char text[512];

		(void)snprintf(text, sizeof(text), "%s %s end end", begin, bodies[i]);
		script_fake_open(&f, text);
		script_maintain(f.script);
		ck_assert_msg(script_outcome(f.script)->failed, "%s", bodies[i]);
		ck_assert_ptr_nonnull(strstr(script_outcome(f.script)->why, "instructions"));
		script_fake_close(&f);
	}
}
END_TEST

/* So is what no count of ours sees, by the time that it takes. */
START_TEST(what_is_slow_is_ended)
{
	static const char *const bodies[] = {
		"x = long == other",
		"x = tonumber(blank)",
		"x = next(holes)",
	};
	static const char begin[] =
		"long = ('x'):rep(900000) other = ('x'):rep(899999) .. 'x'\n"
		"blank = (' '):rep(900000) .. '1' holes = {}\n"
		"for i = 1, 15000 do holes[-i] = 1 end for i = 1, 15000 do holes[-i] = nil end\n"
		"function ipfilter(ca, l, dh) for i = 1, 11000 do ";

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct script_fake f;
		char text[512];

		(void)snprintf(text, sizeof(text), "%s %s end end", begin, bodies[i]);
		script_fake_open(&f, text);
		ck_assert(!filter(&f));
		ck_assert_msg(script_outcome(f.script)->failed, "%s", bodies[i]);
		script_fake_close(&f);
	}
}
END_TEST

START_TEST(what_takes_too_much_is_ended)
{
	char text[1024];
	struct script_fake f;
	size_t before;

	(void)snprintf(text, sizeof(text), "function ipfilter(ca, l, dh)\n%s\nend", greedy[_i]);
	script_fake_open(&f, text);
	before = script_bytes(f.script);
	f.limits.instructions = 0;
	script_configure(f.script, &f.limits);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(!filter(&f));
	ck_assert_msg(strstr(f.log, "memory") != NULL ||
			      strstr(f.log, "too many results") != NULL ||
			      strstr(f.log, "too large") != NULL,
		      "%s: %s", greedy[_i], f.log);
	ck_assert_uint_le(script_bytes(f.script), before + 3 * f.limits.call_bytes);
	script_fake_close(&f);
}
END_TEST

/* A call may not use up the heap bit by bit, nor may all calls together. */
START_TEST(the_heap_is_bounded)
{
	struct script_fake f;
	unsigned failed = 0;

	script_fake_open(&f, "kept = {}\nfunction ipfilter(ca, l, dh)\n"
			     "kept[#kept + 1] = ('x'):rep(100000) return false end");
	for (unsigned i = 0; i < 200; i++) {
		(void)filter(&f);
		failed += script_outcome(f.script)->failed;
		ck_assert_uint_le(script_bytes(f.script), f.limits.heap_bytes);
	}
	ck_assert_uint_gt(failed, 100);
	ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_overruns), failed);
	/* ... and what it came to is known, of each call and of all. */
	ck_assert_uint_ge(counter_get(&f.counters.peak_lua_hook_bytes), 100000);
	ck_assert_uint_le(counter_get(&f.counters.peak_lua_hook_bytes), f.limits.call_bytes);
	ck_assert_uint_ge(f.most_heap, f.limits.heap_bytes - 200000);
	ck_assert_uint_le(f.most_heap, f.limits.heap_bytes);
	script_fake_close(&f);
}
END_TEST

/* Also where one call may take more than all. */
START_TEST(the_heap_is_bounded_before_the_call)
{
	struct script_fake f;

	script_fake_open(&f, "kept = {}\nfunction ipfilter(ca, l, dh)\n"
			     "kept[#kept + 1] = ('x'):rep(100000) return false end");
	f.limits.call_bytes = 2 * f.limits.heap_bytes;
	script_configure(f.script, &f.limits);
	for (unsigned i = 0; i < 200; i++) {
		(void)filter(&f);
		ck_assert_uint_le(script_bytes(f.script), f.limits.heap_bytes);
	}
	ck_assert_uint_gt(counter_get(&f.counters.lua_ipfilter_overruns), 100);
	script_fake_close(&f);
}
END_TEST

/* ---- patterns ---- */

/* What a call returns, as one line. */
static void tell_call(lua_State *L, const char *function, const char *s, const char *pattern,
		      const char *third, char *out, size_t cap)
{
	static const char chunk[] =
		"local f, s, p, third = ...\n"
		"local r\n"
		"if f == 'gmatch' then r = {} for a, b in s:gmatch(p) do\n"
		"r[#r + 1] = tostring(a) .. '/' .. tostring(b) end\n"
		"else r = { string[f](s, p, third) } for i = 1, 4 do r[i] = tostring(r[i]) end end\n"
		"return table.concat(r, ' ')";

	ck_assert_int_eq(luaL_loadstring(L, chunk), LUA_OK);
	lua_pushstring(L, function);
	lua_pushstring(L, s);
	lua_pushstring(L, pattern);
	lua_pushstring(L, third);
	if (lua_pcall(L, 4, 1, 0) != LUA_OK)
		(void)snprintf(out, cap, "error");
	else
		(void)snprintf(out, cap, "%s", lua_tostring(L, -1));
	lua_settop(L, 0);
}

static void compare_patterns(lua_State *plain, lua_State *ours, const char *s, const char *pattern)
{
	static const char *const functions[] = { "find", "match", "gmatch", "gsub" };

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const char *third = i == 3 ? "<%0>" : NULL;
		char want[4096], have[4096];

		tell_call(plain, functions[i], s, pattern, third, want, sizeof(want));
		tell_call(ours, functions[i], s, pattern, third, have, sizeof(have));
		/* An assertion that holds is dear where there are so many. */
		if (strcmp(want, have) != 0)
			ck_abort_msg("('%s'):%s('%s'): '%s', not '%s'", s, functions[i], pattern,
				     have, want);
	}
}

/* Ours mean what Lua's own mean, errors included. */
START_TEST(patterns_are_lua_s)
{
	static const char *const subjects[] = {
		"",
		"a",
		"www.example.com.",
		"a1-b2_c3 (d(e)f) [g]",
		"THE (quick) fox\n\t!",
		"aaa",
		"x^$%",
		"key = value, k2=v2",
		"]-^",
	};
	static const char *const patterns[] = {
		"",
		"a",
		"^",
		"$",
		"^$",
		".",
		".*",
		".-",
		".-$",
		"^(.-)%.(.*)$",
		"%a+",
		"%A",
		"[%w_]+",
		"[^%.]+%.",
		"(%a)(%d)",
		"()",
		"()(.)()",
		"(a*(.)%w(%s*))",
		"%b()",
		"%bxy",
		"%f[%a]%a+",
		"%f[%w]",
		"(.)%1",
		"[]]",
		"[^]]",
		"[a-c]",
		"[a-]",
		"[%a-z]",
		"[-a]",
		"a?b?c?",
		"a+",
		"a-b",
		"%%",
		"%.",
		"x%^",
		"^a*$",
		"(%w+)%s*=%s*(%w+)",
		"%",
		"[",
		"[a",
		"[%",
		"(",
		")",
		"(()",
		"%1",
		"%b",
		"%bx",
		"%f",
		"%f[",
		"(a)%2",
		"%g+",
		"%p",
		"%c",
		"%l%u",
		"%x+",
		"%S+",
		"a\nb",
		"(.-)x",
		"[%]]",
		"[a%-z]",
		"$a",
		"a$b",
		"^^",
		"(^a)",
		"()()%1",
		"[[:alpha:]]",
	};
	struct script_fake f;
	lua_State *plain = luaL_newstate();

	luaL_openlibs(plain);
	script_fake_open(&f, "");
	f.limits.instructions = 0;
	script_configure(f.script, &f.limits);
	/* Limits hold from a call on. */
	ck_assert_int_eq(script_run(f.script, "nothing", f.why), E_NOT_FOUND);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		for (size_t j = 0; j < sizeof(patterns) / sizeof(patterns[0]); j++)
			compare_patterns(plain, f.script->L, subjects[i], patterns[j]);
	/* And those that nobody thought of. */
	for (unsigned n = 0, seed = 1; n < (IS_TSAN ? 500 : 20000); n++) {
		static const char letters[] = "ab1.%%%*+-?()[]^$fbawd";
		char s[8], pattern[8];

		for (size_t i = 0; i < 7; i++) {
			seed = seed * 1103515245 + 12345;
			s[i] = "ab1("[seed >> 16 & 3];
			pattern[i] = letters[(seed >> 18) % (sizeof(letters) - 1)];
		}
		s[(seed >> 8) % 8] = pattern[(seed >> 11) % 8] = '\0';
		s[7] = pattern[7] = '\0';
		compare_patterns(plain, f.script->L, s, pattern);
	}
	lua_close(plain);
	script_fake_close(&f);
}
END_TEST

/* os.execute() is not Lua's own, but says the same; and a command is interrupted as others are, without
 * the process's own signals being touched. */
START_TEST(commands_are_lua_s)
{
	static const char *const commands[] = {
		"true",          "exit 3",          "kill -9 $$", "kill -INT $$",
		"kill -PIPE $$", "/nowhere/at/all", "",           "test \"a b\" = 'a b'",
	};
	struct script_fake f;
	lua_State *plain = luaL_newstate();

	luaL_openlibs(plain);
	script_fake_open(&f, "");
	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon has it */
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		lua_State *both[] = { plain, f.script->L };
		char *says[2];

		(void)signal(SIGPIPE, i == 4 ? SIG_DFL : SIG_IGN);
		for (size_t k = 0; k < 2; k++) {
			if (k == 1)
				(void)signal(SIGPIPE, SIG_IGN);
			lua_pushstring(both[k], commands[i]);
			lua_setglobal(both[k], "command");
			ck_assert_int_eq(
				luaL_dostring(both[k],
					      "local a, b, c = os.execute(command)\n"
					      "return tostring(a) .. ' ' .. b .. ' ' .. c"),
				LUA_OK);
			says[k] = strdup(lua_tostring(both[k], -1));
			ck_assert_ptr_nonnull(says[k]);
			lua_settop(both[k], 0);
		}
		ck_assert_str_eq(says[0], says[1]);
		free(says[0]);
		free(says[1]);
	}
	(void)signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(luaL_dostring(f.script->L, "return os.execute()"), LUA_OK);
	ck_assert(lua_toboolean(f.script->L, -1));
	lua_settop(f.script->L, 0);
	lua_close(plain);
	script_fake_close(&f);
}
END_TEST

static volatile sig_atomic_t interrupts;

static void on_sigint(int signo)
{
	(void)signo;
	interrupts++;
}

START_TEST(a_command_leaves_our_signals_alone)
{
	struct script_fake f;

	(void)signal(SIGINT, on_sigint);
	script_fake_open(&f, "assert(os.execute('kill -INT $PPID'))");
	(void)signal(SIGINT, SIG_DFL);
	ck_assert_int_eq(interrupts, 1);
	script_fake_close(&f);
}
END_TEST

/* ---- errors ---- */

START_TEST(an_error_names_its_line)
{
	static const char *const rows[] = {
		"function ipfilter(ca, l, dh)\nlocal x\nreturn x.y end",
		"function ipfilter(ca, l, dh)\n\nerror('mine') end",
		"function ipfilter(ca, l, dh)\n\nstring.rep() end",
		"function ipfilter(ca, l, dh)\n\nstring.rep('x', -1, {}) end",
		"function ipfilter(ca, l, dh)\n\nca:noSuchThing() end",
		"function ipfilter(ca, l, dh)\n\nnewCA('nonsense') end",
		"function ipfilter(ca, l, dh)\n\nsetmetatable(1) end",
		"function ipfilter(ca, l, dh)\n\nos.exit() end",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script_fake f;

		script_fake_open(&f, rows[i]);
		ck_assert(!filter(&f));
		ck_assert_msg(strstr(f.log, ":3: ") != NULL, "%s", f.log);
		ck_assert_ptr_nonnull(strstr(f.log, "lua error in 'ipfilter'"));
		ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_errors), 1);
		ck_assert_uint_eq(counter_get(&f.counters.lua_ipfilter_overruns), 0);
		script_fake_close(&f);
	}
}
END_TEST

/* A table that is an error, and one that cannot be told. */
START_TEST(an_error_may_be_anything)
{
	struct script_fake f;

	script_fake_open(&f, "function ipfilter(ca, l, dh) error(setmetatable({}, "
			     "{ __tostring = function() while true do end end })) end");
	ck_assert(!filter(&f));
	ck_assert_ptr_nonnull(strstr(f.log, "table"));
	script_fake_close(&f);
}
END_TEST

/* After a call that overran, the next has all its instructions, in old coroutines too. */
START_TEST(the_next_call_is_not_charged)
{
	struct script_fake f;

	script_fake_open(&f, "local n = 0\n"
			     "local old = coroutine.wrap(function() while true do\n"
			     "for i = 1, 1000 do end coroutine.yield(true) end end)\n"
			     "function ipfilter(ca, l, dh) n = n + 1\n"
			     "if n % 2 == 1 then while true do end end\n"
			     "for i = 1, 20000 do end return old() end");
	for (unsigned i = 0; i < 10; i++)
		ck_assert(filter(&f) == (i % 2 == 1));
	script_fake_close(&f);
}
END_TEST

START_TEST(limits_may_be_none)
{
	struct script_fake f;

	script_fake_open(&f, "function ipfilter(ca, l, dh) for i = 1, 1000000 do end\n"
			     "return #('x'):rep(4 << 20) > 0 end");
	ck_assert(!filter(&f));
	f.limits = (struct script_limits) { 0 };
	script_configure(f.script, &f.limits);
	ck_assert_msg(filter(&f), "%s", f.log);
	script_fake_close(&f);
}
END_TEST

START_TEST(maintenance_has_more)
{
	struct script_fake f;

	script_fake_open(&f, "function maintenance() for i = 1, 500000 do end done = true end\n"
			     "function ipfilter(ca, l, dh) return done end");
	script_maintain(f.script);
	ck_assert(filter(&f));
	ck_assert_uint_eq(counter_get(&f.counters.lua_maintenance_calls), 1);
	ck_assert_uint_eq(counter_get(&f.counters.lua_maintenance_errors), 0);
	script_fake_close(&f);
	script_fake_open(&f, "function maintenance() while true do end end");
	script_maintain(f.script);
	ck_assert_uint_eq(counter_get(&f.counters.lua_maintenance_overruns), 1);
	script_fake_close(&f);
}
END_TEST

/* ---- life ---- */

START_TEST(a_query_keeps_its_script)
{
	struct script_fake f;
	struct hook_query q;

	script_fake_open(&f, "function preresolve(dq) dq.data = {} return false end");
	script_fake_query(&q);
	ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q), SCRIPT_PASS);
	script_put(f.script);
	ck_assert_uint_eq(f.retired, 0);
	script_fake_query_end(&q);
	ck_assert_uint_eq(f.retired, 1);
	f.script = NULL;
	script_fake_close(&f);
}
END_TEST

static void use_up_heap(size_t room)
{
	static struct hook_query q[2000];
	struct script_fake f;
	unsigned failed = 0;

	script_fake_open(&f, "function preresolve(dq) return dq == nil end");
	f.limits.heap_bytes = script_bytes(f.script) + room;
	script_configure(f.script, &f.limits);
	for (size_t i = 0; i < ARRAY_LEN(q); i++) {
		script_fake_query(&q[i]);
		for (unsigned k = 0; k < 2; k++)
			ck_assert_int_eq(script_call(f.script, HOOK_PRERESOLVE, &q[i]),
					 SCRIPT_PASS);
		failed += script_outcome(f.script)->failed;
		ck_assert(q[i].dq == NULL || q[i].dq_ref != LUA_NOREF);
	}
	ck_assert_uint_gt(failed, 0);
	for (size_t i = 0; i < ARRAY_LEN(q); i++)
		script_fake_query_end(&q[i]);
	script_fake_close(&f);
}

/* Where there is memory for a dq, but not for one more place that holds it. */
START_TEST(a_query_points_to_no_dq_that_is_gone)
{
	for (size_t room = 20000; room < 120000; room += IS_TSAN ? 20000 : 2000)
		use_up_heap(room);
}
END_TEST

/* Scripts for 3.x were written in Lua 5.1. */
START_TEST(what_lua_5_1_had_is_there)
{
	struct script_fake f;

	script_fake_open(&f, "local a, b = unpack({ 1, 2 }) assert(a == 1 and b == 2)\n"
			     "assert(loadstring('return 3')() == 3)\n"
			     "assert(table.getn({ 1, 2, 3 }) == 3 and math.mod(7, 4) == 3)\n"
			     "local s = '' for w in string.gfind('a.b', '%a') do s = s .. w end\n"
			     "assert(s == 'ab' and math.pow(2, 3) == 8)");
	script_fake_close(&f);
}
END_TEST

START_TEST(what_is_not_there_says_so)
{
	static const char *const uncalled[] = { "gettag_ffi", "policyEventFilter",
						"postresolve_ffi" };
	struct script_fake f;
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(uncalled); i++) {
		(void)snprintf(text, sizeof(text), "function %s() end", uncalled[i]);
		script_fake_open(&f, text);
		ck_assert_uint_eq(f.said, 1);
		ck_assert_msg(strstr(f.log, "() will not be called: there ") != NULL, "%s", f.log);
		ck_assert_ptr_nonnull(strstr(f.log, uncalled[i]));
		script_fake_close(&f);
	}
	script_fake_open(&f, "local ok, why = pcall(require, 'ffi')\n"
			     "assert(not ok and why:find('this recursor has no FFI'))\n"
			     "ok, why = pcall(sendCustomSNMPTrap, 'x')\n"
			     "assert(not ok and why:find('no SNMP'))");
	script_fake_close(&f);
}
END_TEST

START_TEST(there_is_what_is_there)
{
	struct script_fake f;

	script_fake_open(&f, "postresolve = 5 function nodata() end");
	ck_assert(!script_has(f.script, HOOK_POSTRESOLVE));
	ck_assert(!script_has(f.script, HOOK_IPFILTER));
	ck_assert(script_has(f.script, HOOK_NODATA));
	ck_assert(script_has_query_hooks(f.script));
	script_fake_close(&f);
	script_fake_open(&f, "function ipfilter() end function maintenance() end");
	ck_assert(!script_has_query_hooks(f.script));
	script_fake_close(&f);
}
END_TEST

Suite *suite_script(void)
{
	Suite *s = suite_create("script");
	TCase *t = tcase_create("loading");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_does_not_load);
	tcase_add_test(t, the_file_is_named);
	tcase_add_test(t, a_file_that_is_not_there);
	tcase_add_test(t, the_directory_comes_first);
	tcase_add_test(t, luac_loads_too);
	suite_add_tcase(s, t);
	t = tcase_create("limits");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, what_does_not_end_is_ended, 0,
			    (int)(sizeof(endless) / sizeof(endless[0])));
	tcase_add_test(t, what_is_long_in_c_is_ended);
	tcase_add_test(t, what_is_slow_is_ended);
	tcase_add_loop_test(t, what_takes_too_much_is_ended, 0,
			    (int)(sizeof(greedy) / sizeof(greedy[0])));
	tcase_add_test(t, the_heap_is_bounded);
	tcase_add_test(t, the_heap_is_bounded_before_the_call);
	tcase_add_test(t, the_next_call_is_not_charged);
	tcase_add_test(t, limits_may_be_none);
	tcase_add_test(t, maintenance_has_more);
	tcase_add_test(t, patterns_are_lua_s);
	tcase_add_test(t, commands_are_lua_s);
	tcase_add_test(t, a_command_leaves_our_signals_alone);
	suite_add_tcase(s, t);
	t = tcase_create("errors");
	tcase_add_test(t, an_error_names_its_line);
	tcase_add_test(t, an_error_may_be_anything);
	tcase_add_test(t, a_query_keeps_its_script);
	tcase_add_test(t, a_query_points_to_no_dq_that_is_gone);
	tcase_add_test(t, there_is_what_is_there);
	tcase_add_test(t, what_lua_5_1_had_is_there);
	tcase_add_test(t, what_is_not_there_says_so);
	suite_add_tcase(s, t);
	return s;
}
