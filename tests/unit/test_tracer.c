#include <check.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/watch/tracer.h"

static struct tracer *tracer;
static struct trace_rule *rule;
static uint8_t name[NAME_MAX_LEN];
static int ends[2];

static void open_all(void)
{
	char why[256];

	ck_assert_int_eq(tracer_new(&tracer), E_OK);
	ck_assert_int_eq(name_from_text(name, "www.example."), E_OK);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(trace_rules_new(&rule, 1, "example", ends[1], why, sizeof(why)), E_OK);
	close(ends[1]);
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_CRIT);
}

static void close_all(void)
{
	trace_rule_free(rule);
	tracer_free(tracer);
	close(ends[0]);
	log_set_level(LOG_LEVEL_NOTICE);
}

static struct traced *begin(void)
{
	struct traced *t = tracer_begin(tracer, rule);

	if (t != NULL)
		trace_add(traced_events(t), &(struct event) {
						    .kind = EVENT_GOAL,
						    .goal = 1,
						    .type = TYPE_A,
						    .name = trace_add_name(traced_events(t), name),
						    .other = TRACE_NO_NAME,
					    });
	return t;
}

static void end(struct traced *t)
{
	struct traced_end e = { .name = name, .type = TYPE_A, .us = 1234, .out_queries = 3 };

	ck_assert_int_eq(addr_from_text(&e.client, "192.0.2.1:4", 0), E_OK);
	tracer_end(tracer, t, &e);
}

static const char *written(void)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

/* The last reference to the file goes with the tracer: then it ends. */
static void finish(void)
{
	trace_rule_free(rule);
	rule = NULL;
	tracer_free(tracer);
	tracer = NULL;
}

START_TEST(steps_are_written)
{
	end(begin());
	tracer_end(tracer, begin(), NULL);
	finish();
	ck_assert_str_eq(written(), "www.example. A from 192.0.2.1: NOERROR after 1.2 ms and 3 "
				    "out-queries\n    0 ms  looks for www.example. A\n");
}
END_TEST

START_TEST(there_are_not_too_many)
{
	struct traced *all[TRACER_MAX];

	for (unsigned i = 0; i < TRACER_MAX; i++) {
		all[i] = begin();
		ck_assert_ptr_nonnull(all[i]);
	}
	ck_assert_ptr_null(begin());
	tracer_end(tracer, all[0], NULL);
	all[0] = begin();
	ck_assert_ptr_nonnull(all[0]);
	for (unsigned i = 0; i < TRACER_MAX; i++)
		end(all[i]);
	finish();
	ck_assert_ptr_nonnull(strstr(written(), "www.example. A from"));
}
END_TEST

START_TEST(a_reader_may_go)
{
	close(ends[0]);
	ends[0] = -1;
	ck_assert(trace_rule_matches(rule, name));
	end(begin());
	while (trace_rule_matches(rule, name))
		usleep(1000);
	/* What was begun before it was known does no harm. */
	end(begin());
}
END_TEST

/* Whoever reads learns that nothing more will come, though the rule is there still. */
static void expect_end(void)
{
	char unwanted[4096];
	ssize_t n;

	do {
		struct pollfd p = { .fd = ends[0], .events = POLLIN };

		ck_assert_int_eq(poll(&p, 1, 10000), 1);
		n = read(ends[0], unwanted, sizeof(unwanted));
	} while (n > 0);
	ck_assert_int_eq(n, 0);
}

START_TEST(a_reader_may_stall)
{
	for (unsigned i = 0; i < 2000 && trace_rule_matches(rule, name); i++) {
		struct traced *t = begin();

		if (t != NULL)
			end(t);
		else
			usleep(10000);
	}
	ck_assert(!trace_rule_matches(rule, name));
	expect_end();
}
END_TEST

static int refusal(const char *regex)
{
	struct trace_rule *none = NULL;
	char text[200] = "";
	int err = trace_rules_new(&none, 1, regex, -1, text, sizeof(text));

	trace_rule_free(none);
	ck_assert_msg((err == E_OK) == (text[0] == '\0'), "%s: %s", regex, text);
	return err;
}

/* Each of these would hold the daemon for minutes. */
START_TEST(what_takes_long_is_refused)
{
	char many[TRACER_REGEX_MAX + 2];

	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	ck_assert_int_eq(refusal(many), E_LIMIT);
	ck_assert_int_eq(refusal(many + 1), E_OK);
	ck_assert_int_eq(refusal("((a{1,100}){1,100}){1,100}"), E_LIMIT);
	ck_assert_int_eq(refusal("(.{1,60}a){40}$"), E_LIMIT);
	ck_assert_int_eq(refusal("(.?x?.?y?){120}z"), E_LIMIT);
	ck_assert_int_eq(refusal("^([0-9a-f][.]){32}ip6[.]arpa[.]$"), E_OK);
	ck_assert_int_eq(refusal("(.*)(.*)(.*)\\1\\2\\3x"), E_LIMIT);
	ck_assert_int_eq(refusal("a{99999999999999999999}"), E_LIMIT);
	ck_assert_int_eq(refusal("([0-9]{1,3}[.]){4}in-addr[.]arpa[.]$"), E_OK);
	ck_assert_int_eq(refusal("a\\\\1|b\\{300"), E_OK);
	ck_assert_int_eq(refusal("a{1"), E_MALFORMED);
	ck_assert_int_eq(refusal("a\\"), E_MALFORMED);
}
END_TEST

/* A name of `len` letters, another one each time. */
static void next_name(uint8_t *out, unsigned len)
{
	static uint32_t random = 1;
	char text[NAME_TEXT_MAX];
	unsigned n;

	for (n = 0; n < len; n++) {
		random = random * 1103515245 + 12345;
		text[n] = n % 50 == 49 ? '.' : "xyab"[random >> 20 & 3];
	}
	strcpy(text + n, ".");
	ck_assert_int_eq(name_from_text(out, text), E_OK);
}

static struct trace_rule *other_rule(const char *regex, int fd)
{
	struct trace_rule *other = NULL;
	char why[256];

	ck_assert_int_eq(trace_rules_new(&other, 1, regex, fd, why, sizeof(why)), E_OK);
	return other;
}

/* The library remembers some 2 KB of each of these names for as long as the expression is there. */
START_TEST(names_leave_no_memory_behind)
{
	struct trace_rule *other = other_rule(".*x.{8}y|the.end", -1);
	uint8_t text[NAME_MAX_LEN];
	size_t before = mallinfo2().uordblks;

	for (unsigned i = 0; i < 4000; i++) {
		next_name(text, 16);
		(void)trace_rule_matches(other, text);
	}
	ck_assert_uint_lt(mallinfo2().uordblks, before + 768 * 1024);
	ck_assert_int_eq(name_from_text(text, "the.end."), E_OK);
	ck_assert(trace_rule_matches(other, text));
	trace_rule_free(other);
}
END_TEST

/* Some milliseconds a name. */
START_TEST(what_is_slow_in_use_is_given_up)
{
	uint8_t text[NAME_MAX_LEN], last[NAME_MAX_LEN];
	struct trace_rule *other;

	trace_rule_free(rule);
	rule = NULL;
	close(ends[0]);
	ck_assert_int_eq(pipe(ends), 0);
	other = other_rule("(.?x?.?y?){70}z", ends[1]);
	close(ends[1]);
	ck_assert_int_eq(name_from_text(last, "z."), E_OK);
	ck_assert(trace_rule_matches(other, last));
	for (unsigned i = 0; i < 100; i++) {
		next_name(text, 248);
		(void)trace_rule_matches(other, text);
	}
	ck_assert(!trace_rule_matches(other, last));
	expect_end();
	trace_rule_free(other);
}
END_TEST

Suite *suite_tracer(void)
{
	Suite *s = suite_create("tracer");
	TCase *tc = tcase_create("tracer"), *timed = tcase_create("timed");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, open_all, close_all);
	tcase_add_test(tc, steps_are_written);
	tcase_add_test(tc, there_are_not_too_many);
	tcase_add_test(tc, a_reader_may_go);
	tcase_add_test(tc, a_reader_may_stall);
	tcase_add_test(tc, what_takes_long_is_refused);
	tcase_set_tags(timed, "time");
	tcase_set_timeout(timed, 60);
	tcase_add_checked_fixture(timed, open_all, close_all);
	tcase_add_test(timed, names_leave_no_memory_behind);
	tcase_add_test(timed, what_is_slow_in_use_is_given_up);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, timed);
	return s;
}
