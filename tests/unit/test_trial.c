#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/custom_metrics.h"
#include "common/rrtype.h"
#include "recursor/policy/ipset.h"
#include "recursor/trial.h"
#include "recursor/watch/metrics.h"
#include "tests/unit/fake_env.h"

static struct fake_env env;
static char path[32];

static void open_env(void)
{
	fake_env_open(&env);
	path[0] = '\0';
}

static void close_env(void)
{
	if (path[0] != '\0')
		(void)unlink(path);
	fake_env_close(&env);
}

static void write_script(const char *text)
{
	int fd;

	strcpy(path, "/tmp/test-trial-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void ask(unsigned worker, enum ring_kind ring, const char *client, const char *name,
		uint16_t type)
{
	uint8_t wire[NAME_MAX_LEN];
	struct addr a;
	struct ring_note note = { .remote = &a, .type = type };

	ck_assert_int_eq(addr_from_text(&a, client, 0), E_OK);
	if (name != NULL) {
		ck_assert_int_eq(name_from_text(wire, name), E_OK);
		note.name = wire;
		note.name_len = name_len(wire);
	}
	rings_note(env.rings[worker], ring, &note);
}

/* The reply of the command; for free(). */
static char *try(const char *how, const char *text, const char *ring, int expected)
{
	char line[128];
	char *reply;
	int status;

	write_script(text);
	(void)snprintf(line, sizeof(line), "%s try-lua-script %s %s", how, path, ring);
	reply = fake_env_say(&env, line, -1, &status);
	ck_assert_msg(status == expected, "%s", reply);
	return reply;
}

static json_t *try_json(const char *text, const char *ring)
{
	char *reply = try("--json", text, ring, 0);
	json_t *json = json_loads(reply, 0, NULL);

	ck_assert_msg(json != NULL, "%s", reply);
	free(reply);
	return json;
}

static long long number(json_t *json, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(json, key)), "no %s", key);
	return json_integer_value(json_object_get(json, key));
}

static void check_hook(json_t *json, const char *hook, long long calls, long long changed,
		       long long dropped, long long killed, long long errors)
{
	json_t *h = json_object_get(json_object_get(json, "hooks"), hook);

	ck_assert_msg(h != NULL, "no %s", hook);
	ck_assert_int_eq(number(h, "calls"), calls);
	ck_assert_int_eq(number(h, "changed"), changed);
	ck_assert_int_eq(number(h, "dropped"), dropped);
	ck_assert_int_eq(number(h, "killed"), killed);
	ck_assert_int_eq(number(h, "errors"), errors);
}

static void check_top(json_t *json, const char *list, size_t i, const char *text, long long n)
{
	json_t *row = json_array_get(json_object_get(json, list), i);

	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(json_string_value(json_object_get(row, "text")), text);
	ck_assert_int_eq(number(row, "count"), n);
}

static const uint8_t ip[4] = { 192, 0, 2, 80 };

START_TEST(questions_go_through_the_hooks)
{
	json_t *json;

	fake_env_put(&env, "www.example.com", TYPE_A, 300, RANK_AUTH_ANSWER, ip, 4);
	fake_env_put_negative(&env, RRSET_NXDOMAIN, "no.example.com", 0, 300);
	fake_env_put_negative(&env, RRSET_NODATA, "www.example.com", TYPE_TXT, 300);
	ask(0, RING_QUERIES, "192.0.2.1", "www.example.com", TYPE_A);
	ask(0, RING_QUERIES, "192.0.2.2", "no.example.com", TYPE_A);
	ask(1, RING_QUERIES, "192.0.2.2", "www.example.com", TYPE_TXT);
	ask(1, RING_QUERIES, "192.0.2.2", "unknown.example.com", TYPE_A);
	ask(1, RING_QUERIES, "192.0.2.9", "any.example.net", TYPE_ANY);
	ask(1, RING_QUERIES, "2001:db8::1", "www.example.com", TYPE_A);
	json = try_json(
		"function ipfilter(remote, localip, dh) return remote:equal('192.0.2.9') end\n"
		"function preresolve(dq)\n"
		"	if dq.qname:equal('unknown.example.com') then\n"
		"		dq.appliedPolicy.policyKind = pdns.policykinds.Drop end\n"
		"	if dq.remoteaddr:isIPv6() then dq.rcode = pdns.REFUSED return true end\n"
		"	return false\n"
		"end\n"
		"function nxdomain(dq) dq:addAnswer(pdns.A, '192.0.2.99') dq.rcode = 0 return true end\n"
		"function noerror(dq) assert(#dq:getRecords() < 2) return false end\n"
		"function nodata(dq) return false end\n"
		"function postresolve(dq) error('oh') end\n",
		"");
	ck_assert_str_eq(json_string_value(json_object_get(json, "ring")), "queries");
	ck_assert_int_eq(number(json, "entries"), 6);
	ck_assert_int_eq(number(json, "tried"), 6);
	ck_assert_int_eq(number(json, "dropped"), 2);
	ck_assert_int_eq(number(json, "changed"), 2);
	ck_assert_int_eq(number(json, "passed"), 2);
	ck_assert_int_eq(number(json, "killed"), 0);
	ck_assert_int_eq(number(json, "not-known"), 0);
	ck_assert_int_eq(number(json, "errors-in"), 3);
	check_hook(json, "ipfilter", 6, 0, 1, 0, 0);
	check_hook(json, "preresolve", 5, 1, 1, 0, 0);
	check_hook(json, "nxdomain", 1, 1, 0, 0, 0);
	check_hook(json, "noerror", 2, 0, 0, 0, 0);
	check_hook(json, "nodata", 1, 0, 0, 0, 0);
	check_hook(json, "postresolve", 3, 0, 0, 0, 3);
	check_top(json, "domains", 0, "example.com.", 3);
	check_top(json, "domains", 1, "example.net.", 1);
	check_top(json, "clients", 0, "192.0.2.2", 2);
	ck_assert_int_eq(number(json_array_get(json_object_get(json, "errors"), 0), "count"), 3);
	ck_assert_ptr_nonnull(
		strstr(json_string_value(json_object_get(
			       json_array_get(json_object_get(json, "errors"), 0), "text")),
		       ":11: oh"));
	json_decref(json);
}
END_TEST

/* As the announcement of 3.7 has it, with the cached delegation's server as the victim's. */
START_TEST(kill_and_block)
{
	static const uint8_t ns[] = "\2ns\7example\3com", server[4] = { 203, 0, 113, 1 };
	json_t *json;

	fake_env_put(&env, "example.com", TYPE_NS, 300, RANK_AUTH_ANSWER, ns, sizeof(ns));
	fake_env_put(&env, "ns.example.com", TYPE_A, 300, RANK_AUTH_ANSWER, server, 4);
	ask(0, RING_QUERIES, "192.0.2.1", "a.example.com", TYPE_A);
	ask(0, RING_QUERIES, "192.0.2.1", "b.example.com", TYPE_A);
	ask(0, RING_QUERIES, "192.0.2.2", "b.example.net", TYPE_A);
	ask(0, RING_QUERIES, "192.0.2.3", "c.example.com", TYPE_A);
	ask(0, RING_QUERIES, "192.0.2.4", "c.example.com", TYPE_A);
	json = try_json(
		"bad = iputils.newipset() nmg = iputils.newnmgroup() nmg:add('203.0.113.0/24')\n"
		"function ipfilter(remote)\n"
		"	if bad[remote] then return 1 end return -1\n"
		"end\n"
		"function preoutquery(remote, domain, qtype)\n"
		"	if nmg:match(remote) then\n"
		"		bad[iputils.newca(getlocaladdress())] = 1 return -3, {}\n"
		"	end return -1, {}\n"
		"end\n",
		"queries");
	check_hook(json, "ipfilter", 5, 0, 1, 0, 0);
	/* c.example.com is asked for once: the second would have met it in the cache. */
	check_hook(json, "preoutquery", 2, 0, 0, 2, 0);
	ck_assert_int_eq(number(json, "killed"), 2);
	ck_assert_int_eq(number(json, "dropped"), 1);
	ck_assert_int_eq(number(json, "not-known"), 2);
	check_top(json, "clients", 0, "192.0.2.1", 2);
	check_top(json, "clients", 1, "192.0.2.3", 1);
	json_decref(json);
}
END_TEST

START_TEST(nothing_else_is_touched)
{
	char *reply;
	struct addr a;

	ask(0, RING_QUERIES, "192.0.2.1", "a.example.com", TYPE_A);
	reply = try(
		"",
		"print('at', 'load') pdnslog('loud')\n"
		"function preresolve(dq) getMetric('own'):inc() pdnslog('said\\nso') return false end\n",
		"", 0);
	ck_assert_ptr_nonnull(strstr(reply, "\nwhat it said\n  at load\n  loud\n  said?so\n"));
	ck_assert_ptr_nonnull(strstr(reply, "tried on 1 of 1 entries of the ring queries\n"));
	ck_assert_ptr_nonnull(strstr(reply, "\npreresolve               1         0         0"));
	ck_assert_ptr_null(custom_metrics_find(env.env.custom_metrics, "own"));
	ck_assert_int_eq(addr_from_text(&a, "192.0.2.1", 0), E_OK);
	ck_assert_uint_eq(ipset_count(env.known), 0);
	free(reply);
}
END_TEST

/* Nor by what Lua brings with it. */
START_TEST(nothing_is_written)
{
	static const char *const writes[] = {
		"io.open('/tmp/trial-wrote', 'w')", "io.open('/tmp/trial-wrote', 'r+')",
		"io.open('/tmp/trial-wrote', 'a')", "os.execute('touch /tmp/trial-wrote')",
		"os.remove('/tmp/trial-wrote')",    "io.popen('touch /tmp/trial-wrote')",
		"io.output('/tmp/trial-wrote')",    "os.rename('/tmp/a', '/tmp/trial-wrote')",
	};

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		char *reply = try("", writes[i], "", 1);

		ck_assert_msg(strstr(reply, ":1: ") != NULL, "%s: %s", writes[i], reply);
		free(reply);
		(void)unlink(path);
	}
	ck_assert_int_ne(access("/tmp/trial-wrote", F_OK), 0);
	free(try("", "assert(io.open('/etc/passwd'))", "", 0));
}
END_TEST

START_TEST(other_rings)
{
	json_t *json;
	char *reply;

	ask(0, RING_SERVFAIL, "192.0.2.1", "a.example.com", TYPE_A);
	ask(0, RING_REMOTES, "192.0.2.7", NULL, 0);
	ask(1, RING_REMOTES, "192.0.2.8", NULL, 0);
	json = try_json("function preresolve(dq) return false end", "servfail-queries");
	ck_assert_str_eq(json_string_value(json_object_get(json, "ring")), "servfail");
	check_hook(json, "preresolve", 1, 0, 0, 0, 0);
	json_decref(json);
	(void)unlink(path);
	json = try_json("function preresolve(dq) return false end\n"
			"function ipfilter(r, l, dh) return r:equal('192.0.2.7') end",
			"remotes");
	check_hook(json, "preresolve", 0, 0, 0, 0, 0);
	check_hook(json, "ipfilter", 2, 0, 1, 0, 0);
	check_top(json, "clients", 0, "192.0.2.7", 1);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "domains")), 0);
	json_decref(json);
	(void)unlink(path);
	reply = try("", "", "none", 1);
	ck_assert_str_eq(reply, "try-lua-script: there is no ring 'none'\n");
	free(reply);
	(void)unlink(path);
	reply = try("", "", "timeouts", 1);
	ck_assert_str_eq(reply, "try-lua-script: the ring timeouts holds servers, no clients\n");
	free(reply);
}
END_TEST

START_TEST(scripts_that_do_not_load)
{
	char *reply = try("", "x = 1\nthis is no Lua\n", "", 1);
	int status;

	ck_assert_ptr_nonnull(strstr(reply, ":2: "));
	free(reply);
	(void)unlink(path);
	reply = try("", "while true do end", "", 1);
	ck_assert_ptr_nonnull(strstr(reply, "instructions"));
	free(reply);
	reply = fake_env_say(&env, "try-lua-script /nonexistent/x.lua", -1, &status);
	ck_assert_int_eq(status, 1);
	ck_assert_ptr_nonnull(strstr(reply, "/nonexistent/x.lua"));
	free(reply);
}
END_TEST

START_TEST(empty_ring)
{
	json_t *json = try_json("function maintenance() end", "");

	ck_assert_int_eq(number(json, "tried"), 0);
	json_decref(json);
}
END_TEST

Suite *suite_trial(void)
{
	Suite *s = suite_create("trial");
	TCase *c = tcase_create("trial");

	tcase_add_checked_fixture(c, open_env, close_env);
	tcase_set_timeout(c, 30);
	tcase_add_test(c, questions_go_through_the_hooks);
	tcase_add_test(c, kill_and_block);
	tcase_add_test(c, nothing_else_is_touched);
	tcase_add_test(c, nothing_is_written);
	tcase_add_test(c, other_rings);
	tcase_add_test(c, scripts_that_do_not_load);
	tcase_add_test(c, empty_ring);
	suite_add_tcase(s, c);
	return s;
}
