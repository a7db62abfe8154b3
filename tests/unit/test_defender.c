#include "recursor/policy/defender.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/log.h"
#include "recursor/resolve/zones.h"

enum { WALL_S = 1700000000, TICK_MS = 200 };

static struct defender *d;
static struct defender_worker *w;
static uint64_t now_ms;
static struct addr client;

static struct defender_rules *rules_of(const char *text)
{
	char why[DEFENDER_WHY_MAX];
	struct defender_rules *r = NULL;

	ck_assert_msg(defender_rules_read(&r, text, strlen(text), "f", NULL, why) == E_OK, "%s",
		      why);
	return r;
}

static void begin_mode(const char *text, enum defender_mode mode)
{
	const struct defender_config cfg = {
		.mode = mode,
		.bytes = 2 << 20,
		.known_bytes = 1 << 20,
		.known_keep_s = 86400,
		.n_workers = 1,
	};
	struct defender_rules *rules = rules_of(text);

	hash_key_set(0x123456789abcdef1, 0xfedcba9876543219);
	log_set_level(LOG_LEVEL_ERROR);
	now_ms = 1000000;
	ck_assert_int_eq(defender_new(&d, &cfg, rules), E_OK);
	defender_rules_put(rules);
	ck_assert_int_eq(defender_worker_new(&w, d), E_OK);
	ck_assert_int_eq(addr_from_text(&client, "192.0.2.7", 5353), E_OK);
}

static void begin(const char *text)
{
	begin_mode(text, DEFENDER_BY_RULES);
}

static void tear_down(void)
{
	defender_worker_free(w);
	defender_free(d);
	w = NULL;
	d = NULL;
}

static uint32_t wall_s(void)
{
	return WALL_S + (uint32_t)(now_ms / 1000);
}

static void wait_ms(uint64_t ms)
{
	for (uint64_t end = now_ms + ms; now_ms < end;) {
		now_ms += TICK_MS;
		defender_worker_tick(w, now_ms, wall_s());
	}
}

static uint32_t answer(const char *text, const char *zone, unsigned domain_labels,
		       enum defender_end end)
{
	uint8_t name[NAME_MAX_LEN], at[NAME_MAX_LEN];
	struct defender_seen_answer a = {
		.qname = name,
		.zone = zone == NULL ? NULL : at,
		.domain_labels = domain_labels,
		.end = end,
		.exists = end == DEFENDER_END_NOERROR,
	};

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	if (zone != NULL)
		ck_assert_int_eq(name_from_text(at, zone), E_OK);
	a.child = name_hash(name);
	return defender_worker_answer(w, &a);
}

static unsigned serial;

/* `qps` questions for random names for so long. */
static void flood_zone(const char *below, const char *zone, unsigned domain_labels, unsigned qps,
		       unsigned seconds, enum defender_end end)
{
	for (unsigned tick = 0; tick < seconds * 1000 / TICK_MS; tick++) {
		for (unsigned i = 0; i < qps * TICK_MS / 1000; i++) {
			char name[128];

			snprintf(name, sizeof(name), "r%u.%s", serial++, below);
			(void)answer(name, zone, domain_labels, end);
		}
		wait_ms(TICK_MS);
	}
}

static void flood(unsigned qps, unsigned seconds)
{
	flood_zone("victim.example", NULL, 2, qps, seconds, DEFENDER_END_NXDOMAIN);
}

static size_t accused(void)
{
	struct defender_stats stats;

	defender_stats(d, &stats);
	return stats.accused;
}

/* The text of defender-show; freed by the next call. */
static const char *shown(void)
{
	static char *text;
	size_t len;
	FILE *f;

	free(text);
	text = NULL;
	f = open_memstream(&text, &len);
	defender_show(d, f, NULL, now_ms);
	fclose(f);
	return text;
}

static void check_shown(const char *wanted)
{
	const char *text = shown();

	ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in: %s", wanted, text);
}

/* What is done to a question: the effect's word, "pass", "probe", or "route POOL"; "none": it
 * concerns nobody who is accused. */
static struct defender_decision decision;

static const char *ask_as(const char *text, bool tcp, enum defender_knowledge knowledge,
			  bool before_cache)
{
	uint8_t name[NAME_MAX_LEN];
	struct defender_case c;
	struct defender_query q = {
		.qname = name,
		.client = &client,
		.tcp = tcp,
		.knowledge = knowledge,
		.before_cache = before_cache,
		.random = 1,
		.now_ms = now_ms,
	};

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	if (!defender_is_accusing(w) || !defender_match(w, name, name_hash(name), &c))
		return "none";
	defender_decide(w, &c, &q, &decision);
	if (decision.route != 0)
		return decision.route == zones_group_id("p") ? "route p" : "another route";
	if (decision.probe)
		return "probe";
	return decision.effect == DEFENDER_ALLOW ? "pass" : defender_effect_text(decision.effect);
}

static const char *ask(const char *text)
{
	return ask_as(text, false, DEFENDER_UNSEEN, false);
}

#define RULE                                                                                       \
	"- type: prsd\n  window: 10\n  minimum_number_of_qps: 100\n  minimum_number_of_children: " \
	"50\n  unseen_qps: 0\n"

/* ---- accusing ---- */

START_TEST(a_flood_is_accused_when_the_thresholds_are_met)
{
	begin(RULE);
	flood(400, 2);
	ck_assert_uint_eq(accused(), 0); /* 800 in a window of ten seconds */
	flood(400, 2);
	ck_assert_uint_eq(accused(), 1);
	check_shown("victim.example.  rule 1  refused");
	ck_assert_str_eq(ask("x.victim.example"), "refused");
	ck_assert_str_eq(ask("a.b.VICTIM.example"), "refused");
	ck_assert_str_eq(ask("victim.example"), "refused");
	ck_assert_str_eq(ask("x.other.example"), "none");
	ck_assert_str_eq(ask("example"), "none");
}
END_TEST

START_TEST(who_answers_everything_is_not_accused)
{
	begin(RULE);
	flood_zone("victim.example", NULL, 2, 2000, 10, DEFENDER_END_NOERROR);
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

START_TEST(few_names_asked_for_often_are_no_flood)
{
	begin(RULE);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 200; k++) {
			char name[64];

			snprintf(name, sizeof(name), "n%u.victim.example", k % 60);
			(void)answer(name, NULL, 2, DEFENDER_END_NXDOMAIN);
		}
		wait_ms(TICK_MS);
	}
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

START_TEST(the_packet_caches_hits_count)
{
	uint32_t note;

	begin(RULE);
	note = answer("www.victim.example", NULL, 2, DEFENDER_END_NOERROR);
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 100; k++)
			defender_tally_hit(defender_worker_rows(w), note, DEFENDER_END_NOERROR);
		flood(500, 1);
	}
	/* 100 hits and 500 failures a second: 0.83 failed, 0.17 out of the cache. */
	ck_assert_uint_eq(accused(), 1);
	tear_down();
	begin(RULE);
	note = answer("www.victim.example", NULL, 2, DEFENDER_END_NOERROR);
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < 200; k++)
			defender_tally_hit(defender_worker_rows(w), note, DEFENDER_END_NOERROR);
		flood(500, 1);
	}
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

START_TEST(excluded_suffixes_are_left_alone)
{
	begin(RULE "  exclude_suffixes: [example.]\n");
	flood(2000, 5);
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

START_TEST(public_suffixes_are_left_alone)
{
	begin(RULE "  minimum_number_of_labels: 1\n");
	/* The suffix's zone denies domains that are not there. */
	flood_zone("co.uk", "co.uk", 3, 2000, 5, DEFENDER_END_NXDOMAIN);
	flood_zone("example", "example", 2, 2000, 5, DEFENDER_END_NXDOMAIN);
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

START_TEST(the_zone_below_is_accused_and_not_its_domain)
{
	begin(RULE);
	flood_zone("sub.victim.example", "sub.victim.example", 2, 1000, 5, DEFENDER_END_NXDOMAIN);
	ck_assert_uint_eq(accused(), 1);
	check_shown("sub.victim.example.  rule 1");
	ck_assert_str_eq(ask("x.sub.victim.example"), "refused");
	ck_assert_str_eq(ask("x.victim.example"), "none");
	/* The domain has a flood of its own: both. */
	flood(1000, 3);
	ck_assert_uint_eq(accused(), 2);
	ck_assert_str_eq(ask("x.victim.example"), "refused");
}
END_TEST

START_TEST(many_zones_together_are_their_domains_doing)
{
	begin(RULE);
	for (unsigned s = 0; s < 10; s++)
		for (unsigned z = 0; z < 20; z++) {
			char zone[64];

			snprintf(zone, sizeof(zone), "z%u.victim.example", z);
			for (unsigned i = 0; i < 50; i++) {
				char name[128];

				snprintf(name, sizeof(name), "r%u.%s", serial++, zone);
				(void)answer(name, zone, 2, DEFENDER_END_SERVFAIL);
			}
			if (z % 4 == 3)
				wait_ms(TICK_MS);
		}
	ck_assert_uint_eq(accused(), 1);
	check_shown("victim.example.  rule 1");
}
END_TEST

START_TEST(an_accusation_ends_by_itself)
{
	begin(RULE "  action_duration: 20\n");
	flood(1000, 3);
	ck_assert_uint_eq(accused(), 1);
	wait_ms(16000);
	ck_assert_str_eq(ask("x.victim.example"), "refused");
	wait_ms(6000);
	ck_assert_uint_eq(accused(), 0);
	ck_assert(!defender_is_accusing(w));
	ck_assert_str_eq(ask("x.victim.example"), "none");
	check_shown("0 accused, 1 no longer");
	check_shown("queries: refused 1");
}
END_TEST

/* What is turned away counts as what it would have been. */
START_TEST(an_accusation_lasts_as_long_as_the_flood)
{
	begin(RULE "  action_duration: 20\n");
	flood(1000, 3);
	for (unsigned s = 0; s < 30; s++)
		flood_zone("victim.example", NULL, 2, 1000, 1, DEFENDER_END_TURNED);
	ck_assert_uint_eq(accused(), 1);
	wait_ms(35000);
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

START_TEST(one_rule_may_accuse_what_another_does_not)
{
	begin("- {type: prsd, window: 10, minimum_number_of_qps: 100000, action: drop}\n" RULE);
	flood(1000, 3);
	ck_assert_uint_eq(accused(), 1);
	check_shown("victim.example.  rule 2");
}
END_TEST

START_TEST(accusations_have_a_limit)
{
	struct defender_stats stats;

	begin("- {type: prsd, window: 1, minimum_number_of_qps: 1, minimum_number_of_children: 1, "
	      "action_duration: 600, unseen_qps: 0}\n");
	for (unsigned i = 0; i < DEFENDER_ACCUSATIONS_MAX + 500; i++) {
		char domain[64];

		snprintf(domain, sizeof(domain), "d%u.example", i);
		for (unsigned k = 0; k < 5; k++) {
			char name[128];

			snprintf(name, sizeof(name), "r%u.%s", k, domain);
			(void)answer(name, NULL, 2, DEFENDER_END_NXDOMAIN);
		}
		if (i % 8 == 0)
			wait_ms(1000);
	}
	wait_ms(1000);
	defender_stats(d, &stats);
	ck_assert_uint_eq(stats.accused, DEFENDER_ACCUSATIONS_MAX);
	ck_assert_uint_gt(stats.refused, 100);
	ck_assert_str_eq(ask("x.d0.example"), "refused");
}
END_TEST

/* ---- modes and rules ---- */

START_TEST(who_observes_does_nothing)
{
	static const struct {
		enum defender_mode mode;
		const char *text, *done;
	} cases[] = {
		{ DEFENDER_OBSERVE, RULE, "pass" },
		{ DEFENDER_BY_RULES, RULE "  observe: true\n", "pass" },
		{ DEFENDER_ACT, RULE "  observe: true\n", "pass" },
		{ DEFENDER_ACT, RULE, "refused" },
		{ DEFENDER_OFF, RULE, "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (i > 0)
			tear_down();
		begin_mode(cases[i].text, cases[i].mode);
		flood(1000, 3);
		ck_assert_uint_eq(accused(), strcmp(cases[i].done, "none") != 0);
		ck_assert_str_eq(ask("x.victim.example"), cases[i].done);
		if (strcmp(cases[i].done, "pass") != 0)
			continue;
		ck_assert_int_eq(decision.done[0].done, DEFENDER_DONE_OBSERVED);
		wait_ms(TICK_MS);
		check_shown("observed 1");
		check_shown("observed, else refused");
	}
}
END_TEST

START_TEST(rules_built_in_act_when_told)
{
	static const enum defender_mode modes[] = { DEFENDER_BY_RULES, DEFENDER_ACT };
	static const char *const done[] = { "pass", "probe" };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct defender_rules *rules = NULL;

		if (i > 0)
			tear_down();
		begin_mode(RULE, modes[i]);
		ck_assert_int_eq(defender_rules_builtin(&rules), E_OK);
		ck_assert_int_eq(defender_configure(d, modes[i], rules, now_ms), E_OK);
		defender_rules_put(rules);
		flood(1000, 4);
		ck_assert_uint_eq(accused(), 1);
		ck_assert_str_eq(ask("x.victim.example"), done[i]);
	}
}
END_TEST

START_TEST(other_rules_begin_anew)
{
	struct defender_rules *rules;

	begin(RULE);
	flood(1000, 3);
	ck_assert_str_eq(ask("x.victim.example"), "refused");
	rules = rules_of("- {type: prsd, window: 30, action: drop, unseen_qps: 0}\n");
	ck_assert_int_eq(defender_configure(d, DEFENDER_BY_RULES, rules, now_ms), E_OK);
	defender_rules_put(rules);
	wait_ms(TICK_MS);
	ck_assert_uint_eq(accused(), 0);
	ck_assert_str_eq(ask("x.victim.example"), "none");
	flood(1000, 5);
	ck_assert_str_eq(ask("x.victim.example"), "drop");
}
END_TEST

static struct defender_rules *other_rules;

static void *configure(void *arg)
{
	(void)arg;
	ck_assert_int_eq(defender_configure(d, DEFENDER_BY_RULES, other_rules, now_ms), E_OK);
	return NULL;
}

/* A pipe that takes nothing more in the place of stderr: its other end. */
static int stuff_stderr(int *saved)
{
	char page[4096] = { 0 };
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], page, sizeof(page)) > 0)
		continue;
	*saved = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

/* Who changes the rules waits for the log's patience; workers have the lock meanwhile. */
START_TEST(workers_wait_for_no_log)
{
	struct log_stats before, now;
	pthread_t thread;
	char page[4096];
	int reader, saved;

	begin(RULE);
	flood(1000, 3);
	ck_assert_uint_eq(accused(), 1);
	other_rules = rules_of("- {type: prsd, window: 30}\n");
	log_set_level(LOG_LEVEL_NOTICE);
	log_stats(&before);
	reader = stuff_stderr(&saved);
	ck_assert_int_eq(pthread_create(&thread, NULL, configure, NULL), 0);
	while (accused() > 0)
		usleep(1000);
	log_stats(&now);
	while (read(reader, page, sizeof(page)) > 0)
		continue;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	close(reader);
	dup2(saved, STDERR_FILENO);
	close(saved);
	defender_rules_put(other_rules);
	ck_assert_uint_eq(now.lost, before.lost);
}
END_TEST

/* Other rules want another table of zones. */
START_TEST(other_rules_reset_no_counter)
{
	struct defender_stats before, after;
	struct defender_rules *rules;

	begin("- {type: prsd, window: 1}\n");
	for (unsigned i = 0; i < 20000; i++) {
		char name[64];

		snprintf(name, sizeof(name), "x.d%u.example", i);
		(void)answer(name, NULL, 2, DEFENDER_END_NXDOMAIN);
		if (i % 100 == 0)
			wait_ms(TICK_MS);
	}
	wait_ms(1000);
	defender_stats(d, &before);
	ck_assert_uint_gt(before.evicted, 0);
	rules = rules_of("- {type: prsd, window: 30}\n");
	ck_assert_int_eq(defender_configure(d, DEFENDER_BY_RULES, rules, now_ms), E_OK);
	defender_rules_put(rules);
	defender_stats(d, &after);
	ck_assert_uint_eq(after.evicted, before.evicted);
}
END_TEST

/* ---- known names first ---- */

START_TEST(what_came_while_it_was_off_does_not_count)
{
	struct defender_rules *rules;
	uint32_t note;

	begin(RULE);
	rules = rules_of(RULE);
	note = answer("www.victim.example", NULL, 2, DEFENDER_END_NOERROR);
	ck_assert_int_eq(defender_configure(d, DEFENDER_OFF, rules, now_ms), E_OK);
	wait_ms(1000);
	for (unsigned i = 0; i < 1000000; i++)
		defender_tally_hit(defender_worker_rows(w), note, DEFENDER_END_NOERROR);
	wait_ms(1000);
	ck_assert_int_eq(defender_configure(d, DEFENDER_BY_RULES, rules, now_ms), E_OK);
	defender_rules_put(rules);
	wait_ms(TICK_MS);
	flood(1000, 3);
	ck_assert_uint_eq(accused(), 1);
}
END_TEST

START_TEST(known_names_keep_resolving)
{
	begin(RULE);
	(void)answer("WWW.victim.example", NULL, 2, DEFENDER_END_NOERROR);
	(void)answer("gone.victim.example", NULL, 2, DEFENDER_END_NXDOMAIN);
	flood(1000, 3);
	ck_assert_str_eq(ask_as("www.victim.example", false, DEFENDER_SEEN, false), "pass");
	ck_assert_int_eq(decision.done[0].done, DEFENDER_DONE_KNOWN);
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_CACHED, false), "pass");
	ck_assert_int_eq(decision.done[0].done, DEFENDER_DONE_CACHED);
}
END_TEST

static bool knows(const char *text)
{
	uint8_t name[NAME_MAX_LEN];
	struct defender_case c;

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	ck_assert(defender_match(w, name, name_hash(name), &c));
	return defender_knows(w, &c);
}

START_TEST(what_was_answered_is_known)
{
	static const uint8_t target[] = "\6target\6victim\7example";

	begin(RULE);
	defender_worker_learn(w, target,
			      answer("WWW.victim.example", NULL, 2, DEFENDER_END_NOERROR));
	(void)answer("gone.victim.example", NULL, 2, DEFENDER_END_NXDOMAIN);
	flood(1000, 3);
	ck_assert(knows("www.victim.example"));
	ck_assert(knows("target.victim.example"));
	ck_assert(!knows("gone.victim.example"));
}
END_TEST

/* A zone that has any name fills no more than its part of the filter. */
START_TEST(a_wildcard_does_not_wash_out_the_others)
{
	struct defender_stats stats;

	begin(RULE);
	(void)answer("www.other.example", NULL, 2, DEFENDER_END_NOERROR);
	flood_zone("wild.example", NULL, 2, 20000, 10, DEFENDER_END_NOERROR);
	defender_stats(d, &stats);
	ck_assert_uint_gt(stats.known_left_out, 100000);
	ck_assert_uint_eq(stats.known.turns, 0);
	ck_assert_uint_lt(stats.known.younger, 30000);
}
END_TEST

/* Nor by what its aliases lead to, wherever that is. */
START_TEST(aliases_do_not_wash_out_the_others)
{
	struct defender_stats stats;
	uint32_t note;

	begin(RULE);
	note = answer("x.wild.example", NULL, 2, DEFENDER_END_NOERROR);
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t target[NAME_MAX_LEN];
		char text[64];

		snprintf(text, sizeof(text), "t%u.d%u.example", i, i % 1000);
		ck_assert_int_eq(name_from_text(target, text), E_OK);
		defender_worker_learn(w, target, note);
	}
	wait_ms(TICK_MS);
	defender_stats(d, &stats);
	ck_assert_uint_gt(stats.known_left_out, 100000);
	ck_assert_uint_lt(stats.known.younger, 30000);
}
END_TEST

START_TEST(some_unseen_names_pass_to_see_how_they_end)
{
	unsigned probes = 0, repeated = 0;
	char name[64];

	begin("- {type: prsd, window: 10, minimum_number_of_qps: 100, unseen_qps: 10}\n");
	flood(1000, 3);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "u%u.victim.example", i);
		probes += strcmp(ask(name), "probe") == 0;
		if (i % 500 == 499)
			wait_ms(1000);
	}
	ck_assert_uint_ge(probes, 90);
	ck_assert_uint_le(probes, 130);
	/* Asked for again, they have a share of their own. */
	for (unsigned i = 4990; i < 5000; i++) {
		snprintf(name, sizeof(name), "u%u.victim.example", i);
		repeated += strcmp(ask(name), "pass") == 0;
		ck_assert_int_eq(decision.done[0].done, DEFENDER_DONE_REPEATED);
	}
	ck_assert_uint_eq(repeated, 10);
}
END_TEST

/* A domain whose unseen names turn out to exist is let go, though most are turned away. */
START_TEST(who_is_accused_wrongly_is_let_go)
{
	begin(RULE "  action_duration: 15\n");
	flood(1000, 3);
	ck_assert_uint_eq(accused(), 1);
	for (unsigned s = 0; s < 20; s++) {
		for (unsigned i = 0; i < 10; i++) {
			uint8_t name[NAME_MAX_LEN];
			char text[64];
			struct defender_seen_answer a = {
				.qname = name,
				.domain_labels = 2,
				.end = DEFENDER_END_NOERROR,
				.probe = true,
			};

			snprintf(text, sizeof(text), "p%u.victim.example", serial++);
			ck_assert_int_eq(name_from_text(name, text), E_OK);
			a.child = name_hash(name);
			(void)defender_worker_answer(w, &a);
		}
		flood_zone("victim.example", NULL, 2, 500, 1, DEFENDER_END_TURNED);
	}
	ck_assert_uint_eq(accused(), 0);
}
END_TEST

/* ---- every action, and the order of evaluation ---- */

#define POLICIES "- type: prsd\n  window: 10\n  minimum_number_of_qps: 100\n  unseen_qps: 0\n"

static const struct {
	const char *what, *rules, *udp, *tcp;
} actions[] = {
	{ "refused", POLICIES "  action: refused\n", "refused", "refused" },
	{ "drop", POLICIES "  action: drop\n", "drop", "drop" },
	{ "nxdomain", POLICIES "  action: nxdomain\n", "nxdomain", "nxdomain" },
	{ "truncate", POLICIES "  action: truncate\n", "truncate", "pass" },
	{ "allow", POLICIES "  action: allow\n", "pass", "pass" },
	{ "log", POLICIES "  action: log\n", "pass", "pass" },
	{ "route", POLICIES "  action: {type: route, pool: p}\n", "route p", "route p" },
	{ "slip", POLICIES "  action: {type: slip, slip: 4, action: drop}\n", "drop", "pass" },
	{ "slip's one", POLICIES "  action: {type: slip, slip: 1, action: drop}\n", "pass",
	  "pass" },
	{ "first match wins",
	  POLICIES "  policies:\n"
		   "  - {subnets: 192.0.2.0/24, action: nxdomain}\n"
		   "  - {subnets: 192.0.2.7/32, action: drop}\n",
	  "nxdomain", "nxdomain" },
	{ "selectors",
	  POLICIES "  policies:\n"
		   "  - {subnets: 198.51.100.0/24, action: nxdomain}\n"
		   "  - {protocols: DoTCP, action: allow}\n"
		   "  - {protocols: DoUDP, subnets: [192.0.2.0/25, '::/0'], action: drop}\n",
	  "drop", "pass" },
	{ "none matches",
	  POLICIES "  action: nxdomain\n  policies:\n"
		   "  - {subnets: 198.51.100.0/24, action: drop}\n",
	  "nxdomain", "nxdomain" },
	{ "a policy that passes is the last of its rule",
	  POLICIES "  action: drop\n  policies:\n  - {action: log}\n  - {action: refused}\n",
	  "pass", "pass" },
	{ "the next rule is asked",
	  POLICIES "  policies:\n  - {action: log}\n" POLICIES "  action: drop\n", "drop", "drop" },
	{ "but after allow",
	  POLICIES "  policies:\n  - {action: allow}\n" POLICIES "  action: drop\n", "pass",
	  "pass" },
	{ "a route holds, whatever the next rule passes",
	  POLICIES "  action: {type: route, pool: p}\n" POLICIES
		   "  action: {type: route, pool: q}\n",
	  "route p", "route p" },
	{ "clients that are excluded",
	  POLICIES "  exclude_ranges: 192.0.2.0/24\n" POLICIES "  action: drop\n", "drop", "drop" },
};

START_TEST(each_action)
{
	begin(actions[_i].rules);
	flood(1000, 5);
	ck_assert_msg(strcmp(ask("x.victim.example"), actions[_i].udp) == 0, "%s: %s",
		      actions[_i].what, ask("x.victim.example"));
	ck_assert_msg(strcmp(ask_as("x.victim.example", true, DEFENDER_UNSEEN, false),
			     actions[_i].tcp) == 0,
		      "%s over TCP", actions[_i].what);
}
END_TEST

START_TEST(the_domain_itself_may_be_left_out)
{
	begin(POLICIES "  include_queries_to_domain: false\n");
	flood(1000, 3);
	ck_assert_str_eq(ask("victim.example"), "pass");
	ck_assert_str_eq(ask("x.victim.example"), "refused");
}
END_TEST

START_TEST(rates_are_each_subnets)
{
	begin(POLICIES "  action: {type: rate-limit, qps: 3, ipv4_mask: 24, "
		       "rate_exceeded_action: nxdomain}\n");
	flood(1000, 3);
	for (unsigned i = 0; i < 3; i++) {
		client.ip[3] = (uint8_t)i;
		ck_assert_str_eq(ask("x.victim.example"), "pass");
	}
	ck_assert_str_eq(ask("x.victim.example"), "nxdomain");
	client.ip[2] = 9;
	ck_assert_str_eq(ask("x.victim.example"), "pass");
	client.ip[2] = 2;
	wait_ms(400);
	ck_assert_str_eq(ask("x.victim.example"), "pass");
	ck_assert_str_eq(ask("x.victim.example"), "nxdomain");
}
END_TEST

/* known_first: false is DNSdist's own order: a turn before the cache, and one after it. */
START_TEST(without_known_first_rules_act_before_the_cache)
{
	begin(POLICIES "  known_first: false\n"
		       "  policies:\n"
		       "  - subnets: 192.0.2.0/24\n"
		       "    options: {allow_cache_lookups: true}\n"
		       "    action: drop\n");
	flood(1000, 3);
	ck_assert(defender_acts_before_cache(w));
	/* The policy that matches waits, and nothing else is done before. */
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_UNSEEN, true), "pass");
	ck_assert(!decision.is_final);
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_CACHED, false), "pass");
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_SEEN, false), "drop");
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_UNSEEN, false), "drop");
	/* Another client meets the rule's own action at once, whatever is known. */
	client.ip[2] = 9;
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_UNSEEN, true), "refused");
	ck_assert(decision.is_final);
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_CACHED, false), "pass");
}
END_TEST

START_TEST(with_known_first_nothing_is_done_before_the_cache)
{
	begin(POLICIES);
	flood(1000, 3);
	ck_assert(!defender_acts_before_cache(w));
	ck_assert_str_eq(ask_as("x.victim.example", false, DEFENDER_UNSEEN, true), "pass");
	ck_assert(!decision.is_final);
}
END_TEST

/* ---- evidence ---- */

static char tags[256];

static void note_tag(void *ctx, const char *tag, size_t len)
{
	ck_assert_ptr_eq(ctx, tags);
	ck_assert_uint_eq(strlen(tag), len);
	strcat(strcat(tags, tag), " ");
}

START_TEST(each_rule_has_its_tag)
{
	uint8_t name[] = "\1x\6victim\7example";
	struct defender_case c;

	begin("- {type: prsd, minimum_number_of_qps: 100000}\n" RULE RULE);
	flood(1000, 3);
	ck_assert(defender_match(w, name, name_hash(name), &c));
	tags[0] = '\0';
	defender_case_tags(c.rules, note_tag, tags);
	ck_assert_str_eq(tags, "defender-prsd-2 defender-prsd-3 ");
}
END_TEST

/* Of more rules than one query is judged by, the first ones count; each has its tag. */
START_TEST(the_first_of_many_rules_is_asked_first)
{
	static const char rule[] = "- {type: prsd, window: 10, minimum_number_of_qps: 100, "
				   "unseen_qps: 0, action: %s}\n";
	uint8_t name[] = "\1x\6victim\7example";
	char text[2048];
	struct defender_case c;
	size_t len;

	len = (size_t)snprintf(text, sizeof(text), rule, "nxdomain");
	for (unsigned i = 1; i < DEFENDER_CASE_MAX + 3; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, rule, "refused");
	begin(text);
	flood(1000, 3);
	ck_assert_uint_eq(accused(), DEFENDER_CASE_MAX + 3);
	ck_assert_str_eq(ask("x.victim.example"), "nxdomain");
	ck_assert(defender_match(w, name, name_hash(name), &c));
	ck_assert_uint_eq(c.n, DEFENDER_CASE_MAX);
	ck_assert_uint_eq(c.rules, (1U << (DEFENDER_CASE_MAX + 3)) - 1);
}
END_TEST

START_TEST(evidence_is_shown)
{
	json_t *o = json_object(), *a;
	char name[64], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	begin(RULE "  comment: some words\n");
	flood(1000, 3);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "e%u.victim.example", i);
		client.ip[3] = i % 5 == 0 ? 1 : 2;
		(void)ask(name);
	}
	(void)ask_as("www.victim.example", false, DEFENDER_SEEN, false);
	wait_ms(TICK_MS);
	check_shown("defender=rules, 1 rules (f), 1 accused, 0 no longer");
	check_shown("victim.example.  rule 1  some words  refused");
	check_shown("queries: refused 500, known 1");
	check_shown("clients: 192.0.2.2 400, 192.0.2.1 100");
	check_shown("names: e");
	check_shown("failure-ratio               1 now,          1 when accused, >= 0.8");
	defender_show(d, out, o, now_ms);
	(void)fclose(out);
	free(text);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "accused")), 1);
	a = json_array_get(json_object_get(o, "accused"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(a, "domain")), "victim.example.");
	ck_assert_str_eq(json_string_value(json_object_get(a, "class")), "domain");
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(a, "queries"), "refused")), 500);
	ck_assert_double_eq(
		json_number_value(json_object_get(
			json_object_get(json_object_get(a, "figures"), "qps"), "minimum")),
		100);
	ck_assert_int_eq(json_integer_value(json_object_get(a, "until")) -
				 json_integer_value(json_object_get(a, "since")),
			 60);
	json_decref(o);
}
END_TEST

/* Accusations end while others are being shown. */
START_TEST(what_has_just_ended_did_so_no_time_ago)
{
	begin(RULE);
	flood(1000, 3);
	wait_ms(120000);
	ck_assert_uint_eq(accused(), 0);
	while (strstr(shown(), "ended 0 s ago") == NULL)
		now_ms -= 500;
	now_ms -= 2000;
	check_shown("ended 0 s ago");
}
END_TEST

Suite *suite_defender(void)
{
	Suite *s = suite_create("defender");
	TCase *t = tcase_create("defender");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, NULL, tear_down);
	tcase_add_test(t, a_flood_is_accused_when_the_thresholds_are_met);
	tcase_add_test(t, who_answers_everything_is_not_accused);
	tcase_add_test(t, few_names_asked_for_often_are_no_flood);
	tcase_add_test(t, the_packet_caches_hits_count);
	tcase_add_test(t, excluded_suffixes_are_left_alone);
	tcase_add_test(t, public_suffixes_are_left_alone);
	tcase_add_test(t, the_zone_below_is_accused_and_not_its_domain);
	tcase_add_test(t, many_zones_together_are_their_domains_doing);
	tcase_add_test(t, an_accusation_ends_by_itself);
	tcase_add_test(t, an_accusation_lasts_as_long_as_the_flood);
	tcase_add_test(t, one_rule_may_accuse_what_another_does_not);
	tcase_add_test(t, accusations_have_a_limit);
	tcase_add_test(t, who_observes_does_nothing);
	tcase_add_test(t, rules_built_in_act_when_told);
	tcase_add_test(t, other_rules_begin_anew);
	tcase_add_test(t, other_rules_reset_no_counter);
	tcase_add_test(t, workers_wait_for_no_log);
	tcase_add_test(t, what_came_while_it_was_off_does_not_count);
	tcase_add_test(t, known_names_keep_resolving);
	tcase_add_test(t, what_was_answered_is_known);
	tcase_add_test(t, a_wildcard_does_not_wash_out_the_others);
	tcase_add_test(t, aliases_do_not_wash_out_the_others);
	tcase_add_test(t, some_unseen_names_pass_to_see_how_they_end);
	tcase_add_test(t, who_is_accused_wrongly_is_let_go);
	tcase_add_loop_test(t, each_action, 0, ARRAY_LEN(actions));
	tcase_add_test(t, the_domain_itself_may_be_left_out);
	tcase_add_test(t, rates_are_each_subnets);
	tcase_add_test(t, without_known_first_rules_act_before_the_cache);
	tcase_add_test(t, with_known_first_nothing_is_done_before_the_cache);
	tcase_add_test(t, each_rule_has_its_tag);
	tcase_add_test(t, the_first_of_many_rules_is_asked_first);
	tcase_add_test(t, evidence_is_shown);
	tcase_add_test(t, what_has_just_ended_did_so_no_time_ago);
	suite_add_tcase(s, t);
	return s;
}
