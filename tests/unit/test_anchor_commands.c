#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "fake_env.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "tests/unit/wire_name.h"

#define DIGEST "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
#define ROOT                                                                                       \
	".\n"                                                                                      \
	"\t\t20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d\n"         \
	"\t\t38696 8 2 683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16\n"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

static void expect(const char *line, int status, const char *text)
{
	int got;
	char *reply = fake_env_say(&env, line, -1, &got);

	ck_assert_str_eq(reply, text);
	ck_assert_msg(got == status, "'%s' has status %d", line, got);
	free(reply);
}

static void expect_part(const char *line, int status, const char *part)
{
	int got;
	char *reply = fake_env_say(&env, line, -1, &got);

	ck_assert_msg(strstr(reply, part) != NULL, "'%s' says %s", line, reply);
	ck_assert_msg(got == status, "'%s' has status %d", line, got);
	free(reply);
}

static enum anchoring anchoring_of(const char *text)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return anchors_find(env.anchors, name, FAKE_WALL_S, NULL);
}

START_TEST(trust_anchors)
{
	expect("get-tas", 0, "Configured Trust Anchors:\n" ROOT);
	/* The digest in parts, as files have it. */
	expect("add-ta Example.COM. 1 13 2 00010203 " DIGEST, 1,
	       "Unable to add Trust Anchor for example.com: the digest's length is not that of its "
	       "type\n");
	expect("add-ta Example.COM. 1 13 2 " DIGEST, 0,
	       "Added Trust Anchor for example.com with data 1 13 2 " DIGEST "\n");
	expect("add-ta example.com 2 13 99 00", 0,
	       "Added Trust Anchor for example.com with data 2 13 99 00\n");
	expect("add-ta . 3 13 99 00", 0, "Added Trust Anchor for . with data 3 13 99 00\n");
	expect("get-tas", 0,
	       "Configured Trust Anchors:\n" ROOT "\t\t3 13 99 00\n"
	       "example.com\n\t\t1 13 2 " DIGEST "\n\t\t2 13 99 00\n");
	expect_part("add-ta example.com 1 13", 1, "Unable to add Trust Anchor for example.com: ");
	expect("add-ta a..b 1 13 99 00", 1, "Can't add Trust Anchor: 'a..b' is no domain name\n");
	expect("add-ta example.com", 1, "usage: add-ta NAME DS-DATA...\n");
	expect("clear-ta example.com .", 1,
	       "Refusing to remove root Trust Anchor, no Anchors removed\n");
	expect("clear-ta example.com a..b", 1,
	       "Error: 'a..b' is no domain name: the data are malformed. No Anchors removed\n");
	ck_assert_uint_eq(anchors_count(env.anchors), 2);
	expect("clear-ta Example.com other.example.", 0,
	       "Removed Trust Anchor(s) for example.com, other.example\n");
	ck_assert_uint_eq(anchors_count(env.anchors), 1);
	ck_assert_int_eq(anchors_lose(env.anchors, wire("example.com")), E_OK);
	expect("get-tas", 0,
	       "Configured Trust Anchors:\n" ROOT "\t\t3 13 99 00\n"
	       "example.com\n\t\tnone: all its keys are revoked\n");
}
END_TEST

START_TEST(negative_trust_anchors)
{
	expect("get-ntas", 0, "Configured Negative Trust Anchors:\n");
	expect("add-nta Example.com. their DS is wrong", 0,
	       "Added Negative Trust Anchor for example.com with reason 'their DS is wrong'\n");
	expect("add-nta b.example ttl=60 a reason", 0,
	       "Added Negative Trust Anchor for b.example with reason 'a reason'\n");
	expect("add-nta c.example ttl=0", 0,
	       "Added Negative Trust Anchor for c.example with reason ''\n");
	expect("get-ntas", 0,
	       "Configured Negative Trust Anchors:\n"
	       "example.com\ttheir DS is wrong\n"
	       "b.example\ta reason\t(ends in 60 seconds)\n"
	       "c.example\t\n");
	ck_assert_int_eq(anchoring_of("www.b.example."), ANCHORING_NEGATIVE);
	ck_assert_int_eq(anchoring_of("example."), ANCHORING_TRUST);
	expect("add-nta b.example ttl=x", 1,
	       "Can't add Negative Trust Anchor: 'ttl=x' is no time\n");
	expect("add-nta b..example", 1,
	       "Can't add Negative Trust Anchor: 'b..example' is no domain name: the data are "
	       "malformed\n");
	expect("clear-nta b..example", 1,
	       "Error: 'b..example' is no domain name: the data are malformed. No Negative Anchors "
	       "removed\n");
	expect("clear-nta B.example example.com", 0,
	       "Removed Negative Trust Anchors for  b.example, example.com\n");
	ck_assert_int_eq(anchoring_of("www.b.example."), ANCHORING_TRUST);
	expect("clear-nta *", 0, "Cleared all Negative Trust Anchors.\n");
	expect("get-ntas", 0, "Configured Negative Trust Anchors:\n");
	/* The root's own anchors are of the other kind. */
	expect("add-nta .", 0, "Added Negative Trust Anchor for . with reason ''\n");
	expect("clear-nta .", 0, "Removed Negative Trust Anchors for  .\n");
	expect("get-tas", 0, "Configured Trust Anchors:\n" ROOT);
}
END_TEST

START_TEST(in_json)
{
	int status;
	char *reply;
	json_t *json;

	expect("--json add-nta a.example ttl=5 why not", 0,
	       "{\"name\":\"a.example\",\"reason\":\"why not\",\"lifetime\":5}");
	reply = fake_env_say(&env, "--json get-ntas", -1, &status);
	ck_assert_str_eq(reply,
			 "{\"negative-trust-anchors\":[{\"name\":\"a.example\",\"reason\":\"why "
			 "not\",\"ends_in\":5}]}");
	free(reply);
	reply = fake_env_say(&env, "--json get-tas", -1, &status);
	json = json_loads(reply, 0, NULL);
	ck_assert_uint_eq(
		json_array_size(json_object_get(json_array_get(json_object_get(json, "trust-"
										     "anchors"),
							       0),
						"ds")),
		2);
	json_decref(json);
	free(reply);
	expect("--json clear-nta a.example", 0, "{\"removed\":[\"a.example\"]}");
}
END_TEST

START_TEST(a_refusal_changes_nothing)
{
	env.refuses = true;
	expect("add-nta a.example", 1, "Can't add Negative Trust Anchor: a limit was reached\n");
	expect("clear-nta *", 1, "Error: a limit was reached. No Anchors removed\n");
	expect_part("add-ta a.example 1 13 99 00", 1, "Unable to add Trust Anchor for a.example: ");
	expect("reload-lua-config", 1,
	       "reload-lua-config: nothing changed: recursor.conf:1: what is that\n");
	expect_part("reload-lua-config /x.lua", 1, "Unable to load Lua script from '/x.lua': ");
}
END_TEST

START_TEST(the_configuration_is_read_again)
{
	expect("reload-lua-config", 0, "Reloaded Lua configuration file '/etc/config.lua'\n");
	expect("reload-yaml /other.lua", 0, "Reloaded Lua configuration file '/other.lua'\n");
}
END_TEST

START_TEST(bogus_is_logged_or_not)
{
	expect("set-dnssec-log-bogus maybe", 1, "Unknown DNSSEC Bogus setting: 'maybe'\n");
	expect("set-dnssec-log-bogus On", 0, "DNSSEC Bogus logging enabled\n");
	ck_assert_str_eq(env.changed, "dnssec-log-bogus=yes");
}
END_TEST

START_TEST(algorithms)
{
	expect_part("list-dnssec-algos", 0, "RSASHA256 ");
	expect_part("list-dnssec-algos", 0, " ECDSAP256SHA256 ");
}
END_TEST

Suite *suite_anchor_commands(void);

Suite *suite_anchor_commands(void)
{
	Suite *s = suite_create("anchor_commands");
	TCase *t = tcase_create("anchor_commands");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, trust_anchors);
	tcase_add_test(t, negative_trust_anchors);
	tcase_add_test(t, in_json);
	tcase_add_test(t, a_refusal_changes_nothing);
	tcase_add_test(t, the_configuration_is_read_again);
	tcase_add_test(t, bogus_is_logged_or_not);
	tcase_add_test(t, algorithms);
	suite_add_tcase(s, t);
	return s;
}
