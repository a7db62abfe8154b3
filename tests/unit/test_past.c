#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/past_stories.h"
#include "wire_name.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

/* With so many steps, or as many as a goal may write. */
static void keep_long(unsigned worker, const char *name, enum recorder_kind kind, uint64_t at_us,
		      unsigned n_steps)
{
	struct recorder_key key = {
		.kind = kind,
		.reason = kind == RECORDER_REFUSED ? RECORDER_DEFENDER : RECORDER_RESOLVED,
		.domain = name_hash(wire(name)),
		.client = at_us,
	};
	struct recorder_story s = {
		.name = wire(name),
		.type = TYPE_A,
		.at_us = at_us,
		.rcode = kind == RECORDER_FAILED ? RCODE_SERVFAIL : RCODE_NOERROR,
		.is_dropped = kind == RECORDER_REFUSED,
		.ede = kind == RECORDER_FAILED ? EDE_NETWORK_ERROR : EDE_NONE,
		.text = kind == RECORDER_FAILED ? "no server answers" : NULL,
		.figures = kind == RECORDER_REFUSED ? "not answered: example." : NULL,
		.took_us = 1234000,
		.out_queries = 5,
	};
	struct journals pool;
	struct journal j = { .n_chunks = 0 };
	const struct event e = { .kind = EVENT_TIMEOUT, .goal = 9, .note = "for a test" };
	uint8_t steps[JOURNAL_STORY_MAX];

	ck_assert_int_eq(addr_from_text(&s.client, "192.0.2.5:4242", 0), E_OK);
	journals_init(&pool, &env.counters[worker]);
	journals_configure(&pool, 100000);
	for (unsigned i = 0; i < n_steps; i++)
		journal_write(&pool, &j, &(struct journal_event) { .e = &e, .own = s.name });
	s.steps.goal = 9;
	s.has_steps = kind != RECORDER_REFUSED;
	s.step_bytes = steps;
	journal_copy(&j, &s.steps, steps, sizeof(steps));
	journal_give(&pool, &j);
	journals_deinit(&pool);
	ck_assert(recorder_keep(env.recorder[worker], &key, &s, at_us / 1000));
}

static void keep(unsigned worker, const char *name, enum recorder_kind kind, uint64_t at_us)
{
	keep_long(worker, name, kind, at_us, 1);
}

static void expect(const char *line, int status, const char *part)
{
	int got;
	char *reply = fake_env_say(&env, line, -1, &got);

	ck_assert_msg(got == status && strstr(reply, part) != NULL, "'%s': %d %s", line, got,
		      reply);
	free(reply);
}

START_TEST(wrong_words_are_refused)
{
	expect("explain --past a..b", 1, "'a..b' is no domain name: ");
	expect("explain a FROB --past", 1, "Unknown qtype FROB");
	expect("explain a A B --past", 1, "'B' is one word too many");
	expect("explain --past --frob", 1, "Unknown flag '--frob'");
	expect("explain --past --client=x", 1, "'x' is neither an address nor a netmask");
	expect("explain --past --client=192.0.2.1/33", 1, "'192.0.2.1/33' is neither");
	expect("explain --past --limit=0", 1, "limit: '0' is no number from 1 to 1000");
	expect("explain a --failed", 1, "--failed is for --past");
	expect("explain", 1, "usage: explain NAME [TYPE], or");
}
END_TEST

START_TEST(nothing_is_on_record)
{
	expect("explain --past", 0, "nothing of that is on record\n");
	for (unsigned i = 0; i < FAKE_WORKERS; i++) {
		recorder_free(env.recorder[i]);
		env.recorder[i] = NULL;
	}
	expect("explain --past", 0, "nothing is recorded: flight-recorder-memory is 0\n");
	expect("--json explain --past", 0, "\"is-on\":false");
}
END_TEST

START_TEST(the_latest_of_all_workers)
{
	int status;
	char *reply;
	const char *a, *b, *c;

	keep(0, "a.test", RECORDER_FAILED, 1000);
	keep(1, "b.test", RECORDER_SLOW, 3000);
	keep(0, "c.test", RECORDER_REFUSED, 2000);
	reply = fake_env_say(&env, "explain --past", -1, &status);
	a = strstr(reply, "a.test. A SERVFAIL (Network Error: no server answers)\n");
	b = strstr(reply, "b.test. A NOERROR\n");
	c = strstr(reply, "c.test. A no answer: the defender turned it away "
			  "(not answered: example.)\n");
	ck_assert_msg(a != NULL && b != NULL && c != NULL && a < c && c < b, "%s", reply);
	ck_assert_ptr_nonnull(strstr(reply, "1234 ms 192.0.2.5"));
	free(reply);
	reply = fake_env_say(&env, "explain --past --limit=1", -1, &status);
	ck_assert(strstr(reply, "b.test") != NULL && strstr(reply, "c.test") == NULL);
	free(reply);
	reply = fake_env_say(&env, "explain --past --failed --refused --client=192.0.2.0/24", -1,
			     &status);
	ck_assert(strstr(reply, "a.test") != NULL && strstr(reply, "b.test") == NULL &&
		  strstr(reply, "c.test") != NULL);
	free(reply);
	expect("explain --past --client=192.0.2.6", 0, "nothing of that");
}
END_TEST

START_TEST(a_story_is_told_whole)
{
	json_t *json, *story, *step;
	struct past_query q = { .limit = 0 };
	char why[PAST_WHY_MAX];

	keep(1, "www.a.test", RECORDER_FAILED, 1000);
	expect("explain WWW.a.test --past", 0,
	       "www.a.test. A, asked by 192.0.2.5:4242 over UDP, worker-1, ended ");
	expect("explain www.a.test A --past", 0, "no answer in time: for a test\n");
	expect("explain www.a.test AAAA --past", 0, "nothing of that");
	expect("explain a.test --past", 0, "nothing of that");
	expect("explain a.test$ --past", 0, "failed");
	expect("explain --past --steps", 0, "no answer in time: for a test\n");

	ck_assert_int_eq(past_query_set(&q, "frob", "1", why), E_NOT_FOUND);
	ck_assert_int_ne(past_query_set(&q, "kind", "failed, frob", why), E_OK);
	ck_assert_int_eq(past_query_set(&q, "name", "www.a.test", why), E_OK);
	ck_assert_int_eq(past_query_set(&q, "kind", "failed", why), E_OK);
	json = past_json(&env.env, &q, false);
	ck_assert(json_is_true(json_object_get(json, "is-on")));
	story = json_array_get(json_object_get(json, "stories"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(story, "name")), "www.a.test.");
	ck_assert_str_eq(json_string_value(json_object_get(story, "kind")), "failed");
	ck_assert_str_eq(json_string_value(json_object_get(story, "ede-text")),
			 "no server answers");
	ck_assert_int_eq(json_integer_value(json_object_get(story, "worker")), 1);
	step = json_array_get(json_object_get(story, "events"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(step, "event")), "timeout");
	json_decref(json);
}
END_TEST

START_TEST(a_visit_is_short)
{
	char text[32];
	unsigned before;
	int status;
	char *reply;

	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(text, sizeof(text), "x%u.test", i);
		keep(0, text, RECORDER_FAILED, 1000 + i);
	}
	before = env.visits;
	reply = fake_env_say(&env, "explain --past --limit=400 --steps", -1, &status);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_ge(env.visits - before, 400 / RECORDER_COPIED);
	ck_assert_ptr_nonnull(strstr(reply, "x499.test."));
	ck_assert_ptr_null(strstr(reply, "x99.test."));
	free(reply);
}
END_TEST

enum { LONG_STORIES = 100, LONG_STEPS = 300 };

/* Both workers and two kinds in turn, so that what is shown comes from everywhere. */
static void keep_long_ones(void)
{
	for (unsigned i = 0; i < LONG_STORIES; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "x%u.test", i);
		keep_long(i / 2 % 2, text, i % 2 == 0 ? RECORDER_FAILED : RECORDER_SLOW,
			  1000 * (i + 1), LONG_STEPS);
	}
	keep(0, "short.test", RECORDER_FAILED, 500);
}

START_TEST(steps_of_all_together_are_bounded)
{
	struct past_query q = { .limit = PAST_LIMIT_MOST };
	struct past_stories s = { .n = 0 };
	json_t *json;
	size_t bytes = 0;
	char *text;

	keep_long_ones();
	ck_assert_int_eq(past_stories_read(&s, &env.env, &q, true), E_OK);
	ck_assert(s.is_cut);
	ck_assert_uint_gt(s.n, PAST_LIMIT);
	ck_assert_uint_lt(s.n, LONG_STORIES);
	for (size_t i = 0; i < s.n; i++) {
		/* The newest, and none of them is left out for an older one that is shorter. */
		ck_assert_uint_eq(s.list[i]->copy.story.at_us, 1000 * (LONG_STORIES - i));
		bytes += s.list[i]->copy.story.steps.len;
	}
	ck_assert_uint_eq(s.bytes, bytes);
	ck_assert_uint_le(bytes, PAST_STEPS_MAX);
	ck_assert_uint_gt(bytes + s.list[0]->copy.story.steps.len, PAST_STEPS_MAX);
	past_stories_free(&s);

	json = past_json(&env.env, &q, true);
	ck_assert(json_is_true(json_object_get(json, "is-cut")));
	text = json_dumps(json, JSON_COMPACT);
	ck_assert_uint_lt(strlen(text), 16 * PAST_STEPS_MAX);
	free(text);
	json_decref(json);
	expect("explain --past --steps --limit=1000", 0,
	       "older ones are left out: the steps of all would take more than 262144 bytes\n");
}
END_TEST

START_TEST(nothing_is_cut_that_was_not_wanted)
{
	struct past_query q = { .limit = PAST_LIMIT };
	struct past_stories s = { .n = 0 };

	keep_long_ones();
	ck_assert_int_eq(past_stories_read(&s, &env.env, &q, true), E_OK);
	ck_assert(!s.is_cut);
	ck_assert_uint_eq(s.n, PAST_LIMIT);
	past_stories_free(&s);
	q.limit = PAST_LIMIT_MOST;
	ck_assert_int_eq(past_stories_read(&s, &env.env, &q, false), E_OK);
	ck_assert(!s.is_cut);
	ck_assert_uint_eq(s.bytes, 0);
	ck_assert_uint_gt(s.n, 80);
	past_stories_free(&s);
	/* As many as were wanted, though there was no room for those that were read first. */
	for (unsigned i = 0; i < 40; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "new%u.test", i);
		keep(1, text, RECORDER_REFUSED, 1000 * (LONG_STORIES + 1 + i));
	}
	q.limit = 40;
	ck_assert_int_eq(past_stories_read(&s, &env.env, &q, true), E_OK);
	ck_assert_uint_gt(s.to_us, 0);
	ck_assert(!s.is_cut);
	ck_assert_uint_eq(s.n, 40);
	ck_assert_uint_gt(s.list[39]->copy.story.at_us, 1000 * LONG_STORIES);
	past_stories_free(&s);
}
END_TEST

Suite *suite_past(void)
{
	Suite *s = suite_create("past");
	TCase *t = tcase_create("past");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, wrong_words_are_refused);
	tcase_add_test(t, nothing_is_on_record);
	tcase_add_test(t, the_latest_of_all_workers);
	tcase_add_test(t, a_story_is_told_whole);
	tcase_add_test(t, a_visit_is_short);
	tcase_add_test(t, steps_of_all_together_are_bounded);
	tcase_add_test(t, nothing_is_cut_that_was_not_wanted);
	suite_add_tcase(s, t);
	return s;
}
