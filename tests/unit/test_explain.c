#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/rrtype.h"
#include "fake_env.h"
#include "recursor/watch/commands.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

static char *explain(const char *line, int expected_status)
{
	int status;
	char *reply = fake_env_say(&env, line, -1, &status);

	ck_assert_msg(status == expected_status, "'%s' has status %d: %s", line, status, reply);
	return reply;
}

static void expect_start(const char *line, int status, const char *start)
{
	char *reply = explain(line, status);

	ck_assert_msg(strncmp(reply, start, strlen(start)) == 0, "'%s' is answered with: %s", line,
		      reply);
	free(reply);
}

START_TEST(what_is_no_question_is_refused)
{
	expect_start("explain a..b", 1, "'a..b' is no domain name: ");
	expect_start("explain example. FROB", 1, "Unknown qtype FROB\n");
	expect_start("explain example. opt", 1, "No zone has records of qtype opt\n");
	expect_start("explain example. ANY", 1, "No zone has records of qtype ANY\n");
	expect_start("explain example. TYPE0", 1, "No zone has records of qtype TYPE0\n");
	/* CACHE_DELEGATION: an answer would be taken for a delegation. */
	expect_start("explain example. TYPE65281", 1, "No zone has records of qtype TYPE65281\n");
	ck_assert_uint_eq(env.visits, 0);
}
END_TEST

START_TEST(an_answer_at_once_is_shown)
{
	char *reply = explain("explain LocalHost", 0);

	ck_assert_ptr_nonnull(strstr(reply, "looks for localhost. A\n"));
	ck_assert_ptr_nonnull(strstr(reply, "\nNOERROR, 1 record, insecure\nlocalhost. "));
	ck_assert_ptr_nonnull(strstr(reply, " IN A 127.0.0.1\n0 of 50 out-queries, "));
	free(reply);
}
END_TEST

START_TEST(a_denial_shows_the_soa)
{
	char *reply = explain("explain x.invalid AAAA", 0);

	ck_assert_ptr_nonnull(strstr(reply, "\nNXDOMAIN, 0 records, insecure\n"));
	ck_assert_ptr_nonnull(strstr(reply, " IN SOA "));
	free(reply);
}
END_TEST

START_TEST(a_failure_is_explained)
{
	char *reply = explain("explain www.example.com", 0);

	ck_assert_ptr_nonnull(strstr(reply, " cannot be reached"));
	ck_assert_ptr_nonnull(strstr(reply, "\nSERVFAIL, 0 records ("));
	free(reply);
}
END_TEST

START_TEST(machines_get_all_of_it)
{
	char *reply = explain("--json explain localhost", 0);
	json_t *json = json_loads(reply, 0, NULL), *totals = json_object_get(json, "totals");

	ck_assert_str_eq(json_string_value(json_object_get(json, "name")), "localhost.");
	ck_assert_str_eq(json_string_value(json_object_get(json, "type")), "A");
	ck_assert_str_eq(json_string_value(json_object_get(json, "rcode")), "NOERROR");
	ck_assert_uint_ge(json_array_size(json_object_get(json, "events")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "answer")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(totals, "out-queries")), 0);
	json_decref(json);
	free(reply);
}
END_TEST

/* The clock stands still and no server answers: the wait ends it, and the request is taken back.  It
 * is a second more than a question takes: max-total-msec is 0 here, which is no limit, and not none. */
START_TEST(a_question_without_answer_is_given_up)
{
	struct resolver_stats stats;

	env.deaf = true;
	env.patience_ms = 200;
	expect_start("explain www.example.com", 1, "no answer within 1200 ms\n");
	resolver_stats(env.resolver[0], &stats);
	ck_assert_uint_le(stats.requests, 1); /* the priming's */
}
END_TEST

START_TEST(the_end_of_the_daemon_ends_the_wait)
{
	struct command_request *rq = malloc(sizeof(*rq));
	char text[] = "explain www.example.com";
	struct command_reply reply;
	int stop = eventfd(1, EFD_CLOEXEC);

	env.deaf = true;
	command_parse(rq, text, strlen(text));
	rq->stop_fd = stop;
	command_run(&env.env, rq, &reply);
	ck_assert_int_eq(reply.status, 1);
	ck_assert_str_eq(reply.text, "given up: the daemon ends\n");
	command_reply_free(&reply);
	free(rq);
	close(stop);
}
END_TEST

START_TEST(a_stopped_worker_is_told)
{
	env.is_stopped[0] = true;
	expect_start("explain www.example.com", 1, "no answer from worker-0\n");
	env.env.n_workers = 0;
	expect_start("explain www.example.com", 1, "no answer from worker-0\n");
}
END_TEST

Suite *suite_explain(void)
{
	Suite *s = suite_create("explain");
	TCase *t = tcase_create("explain");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, what_is_no_question_is_refused);
	tcase_add_test(t, an_answer_at_once_is_shown);
	tcase_add_test(t, a_denial_shows_the_soa);
	tcase_add_test(t, a_failure_is_explained);
	tcase_add_test(t, machines_get_all_of_it);
	tcase_add_test(t, a_question_without_answer_is_given_up);
	tcase_add_test(t, the_end_of_the_daemon_ends_the_wait);
	tcase_add_test(t, a_stopped_worker_is_told);
	suite_add_tcase(s, t);
	return s;
}
