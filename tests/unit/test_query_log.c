/* Lines are read from a pipe in the place of stderr. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/query_log.h"
#include "recursor/watch/query_queue.h"
#include "tests/unit/fake_env.h"

static struct fake_env env;
static struct query_log *log_;
static struct counters counters;
static struct query_filter filter;
static int saved_stderr, reading;
static char text[1 << 20];
static size_t text_len;

static void set_up(void)
{
	struct log_options o = { .use_stderr = true, .level = LOG_LEVEL_WARNING };
	int fds[2];

	fake_env_open(&env);
	log_ = env.env.query_log;
	memset(&counters, 0, sizeof(counters));
	query_filter_init(&filter, log_, 1, &counters);
	ck_assert_int_eq(query_log_configure(log_, 0, false), E_OK);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	(void)fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
	reading = fds[0];
	text_len = 0;
	log_configure(&o);
}

static void tear_down(void)
{
	struct log_options o = { .use_stderr = true, .level = LOG_LEVEL_NOTICE };

	fake_env_close(&env);
	log_configure(&o);
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(reading);
}

static const char *read_lines(void)
{
	ssize_t n = read(reading, text + text_len, sizeof(text) - 1 - text_len);

	text_len += n > 0 ? (size_t)n : 0;
	text[text_len] = '\0';
	return text;
}

static unsigned count_of(const char *what)
{
	unsigned n = 0;

	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

/* The thread writes when it will. */
static void wait_for(const char *what, unsigned times)
{
	for (unsigned i = 0; i < 1000 && count_of(what) < times; i++) {
		usleep(10000);
		(void)read_lines();
	}
	ck_assert_msg(count_of(what) >= times, "%u of '%s' in: %s", times, what, text);
}

static struct addr client_;
static uint8_t name_[NAME_MAX_LEN];

static struct query_seen seen(const char *client, const char *name, unsigned id)
{
	ck_assert_int_eq(addr_from_text(&client_, client, 4000), E_OK);
	ck_assert_int_eq(name_from_text(name_, name), E_OK);
	return (struct query_seen) {
		.client = &client_,
		.name = name_,
		.name_hash = name_hash(name_),
		.id = (uint16_t)id,
		.type = TYPE_A,
	};
}

static void ask(const char *client, const char *name, unsigned id)
{
	const struct query_seen q = seen(client, name, id);
	const struct query_outcome a = {
		.rcode = 3, .ede = -1, .dnssec = "Secure", .sets = 1, .out_queries = 2, .us = 1500
	};

	if (!query_filter_is_used(&filter, clock_now_ms()))
		return;
	query_filter_question(&filter, &q, clock_now_ms());
	query_filter_answer(&filter, &q, &a, clock_now_ms());
}

static char *say(const char *command, int wanted)
{
	char line[200];
	int status;
	char *reply;

	(void)snprintf(line, sizeof(line), "%s", command);
	reply = fake_env_say(&env, line, -1, &status);
	ck_assert_msg(status == wanted, "%s: %s", command, reply);
	filter.rules = env.query_rules[1];
	return reply;
}

static void expect(const char *command, int status, const char *wanted)
{
	char *reply = say(command, status);

	ck_assert_str_eq(reply, wanted);
	free(reply);
}

START_TEST(nothing_is_looked_for)
{
	ck_assert(!query_filter_is_used(&filter, clock_now_ms()));
	expect("log-queries", 0, "no rules\n");
	expect("log-queries off", 0, "0 rules taken out\n");
}
END_TEST

START_TEST(quiet_no_logs_everything)
{
	filter.all = true;
	ck_assert_int_eq(query_log_configure(log_, 0, true), E_OK);
	ask("192.0.2.1", "www.example.com", 7);
	wait_for("\n", 2);
	ck_assert_str_eq(
		text,
		"question for 'www.example.com.|A' from 192.0.2.1:4000\n"
		"answer to question 'www.example.com.|A' of 192.0.2.1:4000: NXDOMAIN, 1 sets, "
		"took 2 packets, 0 throttled, 0 timeouts, 1.5 ms, Secure\n");
}
END_TEST

START_TEST(a_client_a_suffix)
{
	expect("log-queries client=192.0.2.77/24 suffix=Example.COM for=30", 0,
	       "rule 1: questions of 192.0.2.0/24 below example.com., for 30 s\n");
	ask("192.0.2.1", "a.b.eXample.com", 1);
	ask("192.0.3.1", "c.example.com", 2);
	ask("192.0.2.1", "c.example.org", 3);
	ask("192.0.2.1", "notexample.com", 4);
	ask("2001:db8::1", "c.example.com", 5);
	ask("192.0.2.200", "example.com", 6);
	wait_for("question for", 2);
	ck_assert_uint_eq(count_of("question for"), 2);
	ck_assert_uint_eq(count_of("answer to"), 0);
	ck_assert_uint_eq(count_of("'a.b.eXample.com.|A' from 192.0.2.1:4000"), 1);
	ck_assert_uint_eq(count_of("'example.com.|A' from 192.0.2.200:4000"), 1);
	expect("log-queries client=2001:db8::/32 answers", 0,
	       "rule 2: questions and answers of 2001:db8::/32, for 60 s\n");
	ask("2001:db8:1::1", "c.example.com", 5);
	wait_for("answer to question 'c.example.com.|A' of [2001:db8:1::1]:4000", 1);
	expect("log-queries off 1", 0, "1 rule taken out\n");
	expect("log-queries off 1", 1, "log-queries: '1' is none of the rules\n");
	expect("log-queries off", 0, "1 rule taken out\n");
	ck_assert(!query_filter_is_used(&filter, clock_now_ms()));
	wait_for("more", 0);
}
END_TEST

/* A question and its answer, or neither; about as many as were wanted. */
START_TEST(a_share)
{
	expect("log-queries share=25% answers", 0,
	       "rule 1: questions and answers, 25 % of them, for 60 s\n");
	for (unsigned i = 0; i < 1600; i++)
		ask("192.0.2.1", "example.com", i);
	expect("log-queries off", 0, "1 rule taken out\n");
	wait_for("answer to", 250);
	usleep(100000);
	(void)read_lines();
	ck_assert_uint_eq(count_of("question for"), count_of("answer to"));
	ck_assert_uint_le(count_of("answer to"), 550);
}
END_TEST

START_TEST(it_ends_by_itself)
{
	const struct query_seen q = seen("192.0.2.1", "example.com", 1);
	uint64_t now_ms;

	log_set_level(LOG_LEVEL_INFO);
	free(say("log-queries all for=1", 0));
	now_ms = clock_now_ms();
	ck_assert(query_filter_is_used(&filter, now_ms));
	query_filter_question(&filter, &q, now_ms + 5000); /* the worker's own look at the clock */
	query_filter_question(&filter, &q, now_ms);
	ck_assert(!query_filter_is_used(&filter, now_ms + 5000));
	wait_for("log-queries: rule 1 has ended: 1 lines were written, 0 held back\n", 1);
	ck_assert_uint_eq(count_of("question for"), 1);
	expect("log-queries show", 0, "no rules\n");
}
END_TEST

START_TEST(a_flood_is_limited)
{
	struct query_log_stats stats;
	const struct query_seen q = seen("192.0.2.1", "example.com", 1);

	log_set_level(LOG_LEVEL_NOTICE);
	ck_assert_int_eq(query_log_configure(log_, 10, false), E_OK);
	free(say("log-queries all", 0));
	/* More than the queue holds, before anybody looks: they are dropped, and counted. */
	for (unsigned i = 0; i < 3 * QUERY_QUEUE_MAX; i++)
		query_filter_question(&filter, &q, clock_now_ms());
	wait_for("more lines of questions and answers were not written (query-log-rate=10", 1);
	query_log_stats(log_, &stats);
	ck_assert_uint_eq(stats.lines + stats.held_back + counter_get(&counters.query_log_drops),
			  3 * QUERY_QUEUE_MAX);
	ck_assert_uint_ge(stats.most_queued, QUERY_QUEUE_MAX / 2);
	ck_assert_uint_le(stats.most_queued, QUERY_QUEUE_MAX);
	ck_assert_uint_ge(stats.lines, 10);
	ck_assert_uint_le(stats.lines, 60);
	ck_assert_uint_eq(stats.rules, 1);
	ck_assert_uint_eq(count_of("question for"), stats.lines);
}
END_TEST

START_TEST(there_are_so_many_rules)
{
	struct query_log_stats stats;
	char *reply;

	for (unsigned i = 1; i <= QUERY_RULES_MAX; i++)
		free(say("log-queries client=192.0.2.1 answers", 0));
	expect("log-queries all", 1, "log-queries: there are 16 rules already\n");
	ck_assert_uint_eq(env.query_rules[0].n, QUERY_RULES_MAX);
	expect("log-queries off 3", 0, "1 rule taken out\n");
	reply = say("log-queries all", 0);
	/* A rule's number is never another's; its place is the free one. */
	ck_assert_str_eq(reply, "rule 19: questions, for 60 s\n");
	free(reply);
	expect("log-queries off", 0, "16 rules taken out\n");
	query_log_stats(log_, &stats);
	ck_assert_uint_eq(stats.rules, 0);
	ck_assert_uint_eq(stats.most_rules, QUERY_RULES_MAX);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	expect("log-queries client=nobody", 1, "log-queries: 'client=nobody' is no netmask\n");
	expect("log-queries client=192.0.2.1/33", 1,
	       "log-queries: 'client=192.0.2.1/33' is no netmask\n");
	expect("log-queries client=192.0.2.1:53", 1,
	       "log-queries: 'client=192.0.2.1:53' is no netmask\n");
	expect("log-queries suffix=a..b", 1, "log-queries: 'suffix=a..b' is no name\n");
	expect("log-queries share=0", 1,
	       "log-queries: 'share=0' is no share: more than 0, up to 100 percent\n");
	expect("log-queries share=nan", 1,
	       "log-queries: 'share=nan' is no share: more than 0, up to 100 percent\n");
	expect("log-queries for=86401", 1,
	       "log-queries: 'for=86401' is no number of seconds from 1 to 86400\n");
	expect("log-queries on", 1,
	       "log-queries: 'on' is none of all, client=, suffix=, share=, for=, answers, show, "
	       "off\n");
	expect("log-queries off x", 1, "log-queries: 'x' is no rule's number\n");
	expect("log-queries", 0, "no rules\n");
	ck_assert_uint_eq(env.query_rules[0].n, 0);
}
END_TEST

START_TEST(it_is_shown_as_json)
{
	free(say("log-queries suffix=example.com share=12.5 answers for=100", 0));
	expect("--json log-queries show", 0,
	       "{\"rules\":[{\"id\":1,\"suffix\":\"example.com.\",\"share\":12.5,\"answers\":true,"
	       "\"seconds-left\":100,\"lines\":0,\"held-back\":0}]}");
}
END_TEST

/* ---- the queue ---- */

static struct query_queue *queue;

static void *put_many(void *arg)
{
	unsigned n = *(unsigned *)arg;

	for (unsigned i = 0; i < n;) {
		struct query_record *r = query_queue_place(queue);

		if (r == NULL)
			continue;
		r->id = (uint16_t)i;
		r->type = (uint16_t)~i;
		query_queue_put(queue);
		i++;
	}
	return NULL;
}

START_TEST(nothing_is_torn_or_lost)
{
	unsigned n = 200000;
	pthread_t thread;

	queue = aligned_alloc(64, sizeof(*queue));
	ck_assert_ptr_nonnull(queue);
	atomic_init(&queue->written, 0);
	atomic_init(&queue->read, 0);
	atomic_init(&queue->most, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, put_many, &n), 0);
	for (unsigned i = 0; i < n;) {
		const struct query_record *r = query_queue_look(queue);

		if (r == NULL)
			continue;
		ck_assert(r->id == (uint16_t)i && r->type == (uint16_t)~i);
		query_queue_took(queue);
		i++;
	}
	(void)pthread_join(thread, NULL);
	ck_assert_ptr_null(query_queue_look(queue));
	free(queue);
}
END_TEST

Suite *suite_query_log(void)
{
	Suite *s = suite_create("query_log");
	TCase *tc = tcase_create("query_log");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, nothing_is_looked_for);
	tcase_add_test(tc, quiet_no_logs_everything);
	tcase_add_test(tc, a_client_a_suffix);
	tcase_add_test(tc, a_share);
	tcase_add_test(tc, it_ends_by_itself);
	tcase_add_test(tc, a_flood_is_limited);
	tcase_add_test(tc, there_are_so_many_rules);
	tcase_add_test(tc, what_is_wrong_is_named);
	tcase_add_test(tc, it_is_shown_as_json);
	suite_add_tcase(s, tc);
	tc = tcase_create("queue");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_is_torn_or_lost);
	suite_add_tcase(s, tc);
	return s;
}
