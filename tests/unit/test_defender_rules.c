#include "recursor/policy/defender_rules.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

static char why[DEFENDER_WHY_MAX];
static char warned[4096];

static void note(const char *line)
{
	strcat(strcat(warned, line), "; ");
}

static struct defender_rules *read_ok(const char *text)
{
	struct defender_rules *r = NULL;

	warned[0] = '\0';
	ck_assert_msg(defender_rules_read(&r, text, strlen(text), "f.yml", note, why) == E_OK, "%s",
		      why);
	return r;
}

/* The keys of DNSdist Defender's documented examples. */
static const char simple[] = "---\n"
			     "- type: prsd\n"
			     "  failures:\n"
			     "    - \"nxdomain\"\n"
			     "    - \"timeout\"\n"
			     "  maximum_queries_per_child_ratio: 1.5\n"
			     "  maximum_cache_hit_ratio: 0.25\n"
			     "  minimum_failure_ratio: 0.75\n"
			     "  minimum_number_of_children: 51\n"
			     "  minimum_number_of_labels: 3\n"
			     "  minimum_number_of_qps: 101\n"
			     "  include_queries_to_domain: false\n"
			     "  action: drop\n"
			     "  window: 61\n"
			     "  action_duration: 62\n"
			     "  comment: \"some words\"\n"
			     "  exclude_suffixes:\n"
			     "    - example.com.\n"
			     "    - example.org\n";

START_TEST(every_setting_is_read)
{
	static const uint8_t in[] = "\3www\7EXAMPLE\3org", out[] = "\7example\3net";
	struct defender_rules *rules = read_ok(simple);
	const struct defender_rule *r = &rules->rules[0];

	ck_assert_uint_eq(rules->n, 1);
	ck_assert_str_eq(rules->file, "f.yml");
	ck_assert_uint_eq(r->failures, DEFENDER_FAIL_NXDOMAIN | DEFENDER_FAIL_TIMEOUT);
	ck_assert_double_eq(r->max_queries_per_child, 1.5);
	ck_assert_double_eq(r->max_cache_hit_ratio, 0.25);
	ck_assert_double_eq(r->min_failure_ratio, 0.75);
	ck_assert_uint_eq(r->min_children, 51);
	ck_assert_uint_eq(r->min_labels, 3);
	ck_assert_uint_eq(r->min_qps, 101);
	ck_assert(!r->include_domain && !r->observe && r->known_first);
	ck_assert_int_eq(r->action.effect, DEFENDER_DROP);
	ck_assert_uint_eq(r->window_s, 61);
	ck_assert_uint_eq(r->duration_s, 62);
	ck_assert_str_eq(r->comment, "some words");
	ck_assert(nameset_encloses(r->exclude, in) && !nameset_encloses(r->exclude, out));
	ck_assert_ptr_null(r->clients);
	ck_assert_uint_eq(r->line, 2);
	ck_assert_str_eq(warned, "");
	defender_rules_put(rules);
}
END_TEST

static const char policies[] = "- type: prsd\n"
			       "  action: refused\n"
			       "  policies:\n"
			       "    - protocols:\n"
			       "        - \"DoTCP\"\n"
			       "      action:\n"
			       "        type: \"allow\"\n"
			       "    - subnets:\n"
			       "        - \"127.0.0.1/32\"\n"
			       "        - 2001:DB8::/32\n"
			       "      options:\n"
			       "        allow_cache_lookups: true\n"
			       "      action:\n"
			       "        type: \"rate-limit\"\n"
			       "        ipv4_mask: 24\n"
			       "        ipv6_mask: 56\n"
			       "        qps: 3\n"
			       "        rate_exceeded_action: \"nxdomain\"\n"
			       "    - action: { type: slip, slip: 4, action: drop }\n"
			       "    - action: { type: slip, slip: 4 }\n"
			       "    - protocols: [DoUDP, DoH]\n"
			       "      action: log\n"
			       "    - action: { type: \"route\", pool: \"best-effort\" }\n"
			       "    - action: { type: truncate }\n";

START_TEST(every_policy_is_read)
{
	static const char *const actions[] = {
		"allow",
		"rate-limit 3/s per /24 or /56, beyond it nxdomain",
		"slip 1 in 4, the others drop",
		"slip 1 in 4, the others truncate",
		"log",
		"route to best-effort",
		"truncate",
	};
	struct defender_rules *rules = read_ok(policies);
	const struct defender_rule *r = &rules->rules[0];
	char text[DEFENDER_ACTION_TEXT_MAX];
	struct addr a;

	ck_assert_uint_eq(r->n_policies, ARRAY_LEN(actions));
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		ck_assert_str_eq(defender_action_text(text, &r->policies[i].action), actions[i]);
	ck_assert_uint_eq(r->policies[0].protocols, DEFENDER_TCP);
	ck_assert_uint_eq(r->policies[1].protocols, 0);
	ck_assert(r->policies[1].allow_cache_lookups && !r->policies[2].allow_cache_lookups);
	ck_assert_int_eq(addr_from_text(&a, "2001:db8::1", 0), E_OK);
	ck_assert(netset_match(r->policies[1].subnets, &a));
	ck_assert_int_eq(addr_from_text(&a, "127.0.0.2", 0), E_OK);
	ck_assert(!netset_match(r->policies[1].subnets, &a));
	ck_assert_ptr_null(r->policies[2].subnets);
	ck_assert_uint_eq(r->policies[4].protocols & DEFENDER_UDP, DEFENDER_UDP);
	ck_assert_str_eq(warned, "f.yml:21: protocols: 'DoH' is not served here: nothing comes "
				 "that way; ");
	ck_assert_uint_eq(r->policies[3].line, 20);
	defender_rules_put(rules);
}
END_TEST

START_TEST(what_is_not_said_is_as_documented)
{
	struct defender_rules *rules = read_ok("- type: prsd\n- {type: prsd, observe: yes}\n");
	const struct defender_rule *r = &rules->rules[0];

	ck_assert_uint_eq(rules->n, 2);
	ck_assert(rules->rules[1].observe && !r->observe);
	ck_assert_uint_eq(r->window_s, 60);
	ck_assert_uint_eq(r->min_qps, 100);
	ck_assert_uint_eq(r->min_labels, 2);
	ck_assert_uint_eq(r->min_children, 50);
	ck_assert_double_eq(r->max_queries_per_child, 2);
	ck_assert_double_eq(r->max_cache_hit_ratio, 0.2);
	ck_assert_double_eq(r->min_failure_ratio, 0.8);
	ck_assert_uint_eq(r->failures, 15);
	ck_assert(r->include_domain);
	ck_assert_int_eq(r->action.effect, DEFENDER_REFUSED);
	ck_assert_uint_eq(r->duration_s, 60);
	defender_rules_put(rules);
}
END_TEST

START_TEST(of_ranges_the_more_specific_wins)
{
	struct defender_rules *rules = read_ok("- type: prsd\n"
					       "  exclude_ranges: [192.0.2.0/24, '2001:db8::/32']\n"
					       "  include_ranges: [192.0.2.128/25]\n"
					       "  ipv4_mask: 24\n"
					       "  ipv6_mask: 48\n"
					       "  port_mask: 2\n");
	static const struct {
		const char *address;
		bool is_in;
	} cases[] = {
		{ "198.51.100.1", true }, { "192.0.2.1", false },   { "192.0.2.129", true },
		{ "2001:db9::1", true },  { "2001:db8::1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;

		ck_assert_int_eq(addr_from_text(&a, cases[i].address, 0), E_OK);
		ck_assert_msg(netset_match(rules->rules[0].clients, &a) == cases[i].is_in, "%s",
			      cases[i].address);
	}
	ck_assert_uint_eq(rules->rules[0].ipv4_bits, 24);
	ck_assert_uint_eq(rules->rules[0].ipv6_bits, 48);
	ck_assert_uint_eq(rules->rules[0].port_bits, 2);
	defender_rules_put(rules);
}
END_TEST

START_TEST(the_built_in_rules_observe)
{
	struct defender_rules *rules = NULL;

	ck_assert_int_eq(defender_rules_builtin(&rules), E_OK);
	ck_assert_uint_eq(rules->n, 1);
	ck_assert(rules->rules[0].observe && rules->rules[0].known_first);
	ck_assert_ptr_null(rules->file);
	defender_rules_put(defender_rules_get(rules));
	defender_rules_put(rules);
	defender_rules_put(NULL);
}
END_TEST

START_TEST(an_alias_stands_for_what_it_names)
{
	struct defender_rules *rules = read_ok("- &r\n  type: prsd\n  window: 7\n- *r\n");

	ck_assert_uint_eq(rules->n, 2);
	ck_assert_uint_eq(rules->rules[1].window_s, 7);
	defender_rules_put(rules);
}
END_TEST

static const struct {
	const char *text, *why;
} errors[] = {
	{ "", "f.yml: there are no rules in it" },
	{ "# nothing\n", "f.yml: there are no rules in it" },
	{ "type: prsd\n", "f.yml:1: rules: 'a mapping' is no list of rules" },
	{ "- prsd\n", "f.yml:1: rule: 'prsd' is no mapping of keys to values" },
	{ "- window: 60\n", "f.yml:1: rule: 'a mapping' has no type" },
	{ "- type: dos\n", "f.yml:1: type: 'dos' is no kind of rule: there is prsd" },
	{ "- type: prsd\n  windows: 60\n",
	  "f.yml:2: rule: 'windows' is no key that is known here" },
	{ "- type: prsd\n  window: 6\n  window: 7\n", "f.yml:3: rule: 'window' is there twice" },
	{ "- type: prsd\n  window: 0\n", "f.yml:2: window: '0' is no number from 1 to 3600" },
	{ "- type: prsd\n  window: 6s\n", "f.yml:2: window: '6s' is no number from 1 to 3600" },
	{ "- type: prsd\n  window: -6\n", "f.yml:2: window: '-6' is no number from 1 to 3600" },
	{ "- type: prsd\n  window: [60]\n", "f.yml:2: window: 'a list' is no single value" },
	{ "- type: prsd\n  minimum_failure_ratio: 1.1\n",
	  "f.yml:2: minimum_failure_ratio: '1.1' is no number from 0 to 1" },
	{ "- type: prsd\n  maximum_cache_hit_ratio: nan\n",
	  "f.yml:2: maximum_cache_hit_ratio: 'nan' is no number from 0 to 1" },
	{ "- type: prsd\n  failures: [nxdomain, noerror]\n",
	  "f.yml:2: failures: 'noerror' is none of nxdomain, servfail, timeout, other-rcodes" },
	{ "- type: prsd\n  observe: perhaps\n",
	  "f.yml:2: observe: 'perhaps' is neither true nor false" },
	{ "- type: prsd\n  exclude_suffixes:\n  - a..b\n",
	  "f.yml:3: exclude_suffixes: 'a..b' is no name" },
	{ "- type: prsd\n  exclude_suffixes: a b\n",
	  "f.yml:2: exclude_suffixes: 'a b' is no name" },
	{ "- type: prsd\n  action: refuse\n", "f.yml:2: action: 'refuse' is no action" },
	{ "- type: prsd\n  action: slip\n", "f.yml:2: action: 'slip' of type slip has no slip" },
	{ "- type: prsd\n  action: {type: route}\n",
	  "f.yml:2: action: 'a mapping' of type route has no pool" },
	{ "- type: prsd\n  action: {pool: x}\n", "f.yml:2: action: 'a mapping' has no type" },
	{ "- type: prsd\n  action: {type: allow, qps: 3}\n",
	  "f.yml:2: action: 'a mapping' of type allow takes no qps" },
	{ "- type: prsd\n  policies:\n  - subnets: 192.0.2.0/24\n",
	  "f.yml:3: policies: 'a mapping' has no action" },
	{ "- type: prsd\n  policies: drop\n", "f.yml:2: policies: 'drop' is no list" },
	{ "- type: prsd\n  policies:\n  - subnets: 192.0.2.0/33\n    action: drop\n",
	  "f.yml:3: subnets: '192.0.2.0/33' is no network" },
	{ "- type: prsd\n  policies:\n  - protocols: UDP\n    action: drop\n",
	  "f.yml:3: protocols: 'UDP' is no protocol: DoUDP, DoTCP, ..." },
	{ "- type: prsd\n  policies:\n  - options: {cached: yes}\n    action: drop\n",
	  "f.yml:3: options: 'cached' is no key that is known here" },
	{ "- type: prsd\n  policies:\n  - action: {type: rate-limit, qps: 1, "
	  "rate_exceeded_action: allow}\n",
	  "f.yml:3: rate_exceeded_action: 'allow' is none of refused, drop, nxdomain, truncate" },
	{ "- type: prsd\n  policies:\n  - action: {type: rate-limit, qps: 0}\n",
	  "f.yml:3: qps: '0' is no number from 1 to 1000000000" },
	{ "- type: prsd\n---\n- type: prsd\n", "f.yml: a second document" },
	{ "- type: prsd\n window: 3\n", NULL },
	{ "- type: *r\n", NULL },
	{ "\"\\0\"\n", NULL },
	{ "- type: \"prsd\\0x\"\n", "f.yml:1: type: 'prsd' has a NUL byte" },
};

START_TEST(an_error_says_where_and_what)
{
	struct defender_rules *r = NULL;
	const char *text = errors[_i].text;

	why[0] = '\0';
	ck_assert_int_lt(defender_rules_read(&r, text, strlen(text), "f.yml", note, why), 0);
	ck_assert_ptr_null(r);
	if (errors[_i].why != NULL)
		ck_assert_str_eq(why, errors[_i].why);
	else
		ck_assert_int_eq(strncmp(why, "f.yml:", 6), 0);
}
END_TEST

/* Ten lines that stand for ten million values. */
START_TEST(aliases_do_not_multiply_without_end)
{
	char text[16384] = "- type: prsd\n  policies: &p\n";
	struct defender_rules *r = NULL;
	size_t len = strlen(text);

	for (unsigned i = 0; i < 250; i++)
		len += (size_t)sprintf(
			text + len, "  - {action: drop, subnets: %s}\n",
			i == 0 ? "&s [a::1, a::2, a::3, a::4, a::5, a::6, a::7, a::8, a::9]"
			       : "*s");
	for (unsigned i = 0; i < 31; i++)
		len += (size_t)sprintf(text + len, "- {type: prsd, policies: *p}\n");
	ck_assert_uint_lt(len, sizeof(text));
	ck_assert_int_eq(defender_rules_read(&r, text, len, "f.yml", NULL, why), E_LIMIT);
	ck_assert_ptr_nonnull(strstr(why, "more than 100000 values"));
}
END_TEST

START_TEST(limits_of_the_form)
{
	struct defender_rules *r = NULL;
	char *text = calloc(1, DEFENDER_FILE_MAX + 2);
	size_t len = 0;

	for (unsigned i = 0; i <= DEFENDER_RULES_MAX; i++)
		len += (size_t)sprintf(text + len, "- type: prsd\n");
	ck_assert_int_lt(defender_rules_read(&r, text, len, "f.yml", NULL, why), 0);
	ck_assert_str_eq(why, "f.yml:33: rule: 'a mapping' is one rule too many");
	len = (size_t)sprintf(text, "- type: prsd\n  policies:\n");
	for (unsigned i = 0; i <= DEFENDER_POLICIES_MAX; i++)
		len += (size_t)sprintf(text + len, "  - action: drop\n");
	ck_assert_int_lt(defender_rules_read(&r, text, len, "f.yml", NULL, why), 0);
	ck_assert_str_eq(why, "f.yml:259: policies: 'a mapping' is one policy too many");
	memset(text, ' ', DEFENDER_FILE_MAX + 1);
	ck_assert_int_eq(defender_rules_read(&r, text, DEFENDER_FILE_MAX + 1, "f.yml", NULL, why),
			 E_TOO_LONG);
	memset(text, '[', 20000);
	ck_assert_int_lt(defender_rules_read(&r, text, 20000, "f.yml", NULL, why), 0);
	ck_assert_ptr_null(r);
	free(text);
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	struct defender_rules *r = NULL;

	ck_assert_int_eq(defender_rules_load(&r, "/nowhere/d.yml", NULL, why), E_SYSTEM);
	ck_assert_str_eq(why, "/nowhere/d.yml: No such file or directory");
	ck_assert_int_lt(defender_rules_load(&r, "/", NULL, why), 0);
	ck_assert_ptr_null(r);
}
END_TEST

Suite *suite_defender_rules(void)
{
	Suite *s = suite_create("defender_rules");
	TCase *t = tcase_create("defender_rules");

	tcase_add_test(t, every_setting_is_read);
	tcase_add_test(t, every_policy_is_read);
	tcase_add_test(t, what_is_not_said_is_as_documented);
	tcase_add_test(t, of_ranges_the_more_specific_wins);
	tcase_add_test(t, the_built_in_rules_observe);
	tcase_add_test(t, an_alias_stands_for_what_it_names);
	tcase_add_loop_test(t, an_error_says_where_and_what, 0, ARRAY_LEN(errors));
	tcase_add_test(t, aliases_do_not_multiply_without_end);
	tcase_add_test(t, limits_of_the_form);
	tcase_add_test(t, a_file_that_is_not_there);
	suite_add_tcase(s, t);
	return s;
}
