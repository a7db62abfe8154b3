#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "fake_env.h"
#include "recursor/watch/prometheus.h"

static struct fake_env env;

static void open_env(void)
{
	fake_env_open(&env);
}

static void close_env(void)
{
	fake_env_close(&env);
}

static char *written(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	prometheus_write(f, &env.env);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

static size_t times_in(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static struct custom_metric *make(struct custom_metric like)
{
	struct custom_metric *m = NULL;

	ck_assert_int_eq(custom_metrics_get(&m, env.env.custom_metrics, &like), E_OK);
	return m;
}

START_TEST(a_counter_has_three_lines)
{
	char *text;

	counter_add(&env.counters[0].answers0_1, 7);
	text = written();
	ck_assert_ptr_nonnull(strstr(text, "# TYPE pdns_recursor_answers0_1 counter\n"
					   "# HELP pdns_recursor_answers0_1 answered in less than "
					   "1 ms\n"
					   "pdns_recursor_answers0_1 7\n"));
	ck_assert_ptr_nonnull(strstr(text, "# TYPE pdns_recursor_concurrent_queries gauge\n"));
	ck_assert_ptr_nonnull(strstr(text, "# TYPE pdns_recursor_max_chain_length gauge\n"));
	free(text);
}
END_TEST

START_TEST(groups_have_one_heading)
{
	char *text;

	counter_add(&env.counters[0].auth_rcodes[3], 7);
	text = written();
	ck_assert_uint_eq(times_in(text, "# TYPE pdns_recursor_auth_rcode_answers counter\n"), 1);
	ck_assert_uint_eq(times_in(text, "# HELP pdns_recursor_auth_rcode_answers "), 1);
	ck_assert_ptr_nonnull(strstr(text, "\npdns_recursor_auth_rcode_answers{rcode=\"nxdomain\"}"
					   " 7\n"));
	free(text);
}
END_TEST

START_TEST(histograms_are_in_seconds)
{
	counter *h = env.counters[0].client_us;
	char *text;

	histogram_add(h, METRICS_CLIENT_FIRST_US, METRICS_CLIENT_STEPS, 1500003, 1);
	histogram_add(h, METRICS_CLIENT_FIRST_US, METRICS_CLIENT_STEPS, 20000000, 1);
	text = written();
#define CUMUL "pdns_recursor_cumul_clientanswers_seconds"
	ck_assert_uint_eq(times_in(text, "# TYPE " CUMUL " histogram\n"), 1);
	ck_assert_uint_eq(times_in(text, "# HELP " CUMUL), 1);
	ck_assert_ptr_nonnull(
		strstr(text, CUMUL "_bucket{le=\"1e-05\"} 0\n" CUMUL "_bucket{le=\"2e-05\"} 0\n"));
	ck_assert_ptr_nonnull(strstr(text, CUMUL "_bucket{le=\"2\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, CUMUL "_bucket{le=\"+Inf\"} 2\n" CUMUL
						 "_sum 21.500003\n" CUMUL "_count 2\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "pdns_recursor_cumul_authanswers_seconds_sum{ipversion=\"v6\"} "));
	ck_assert_ptr_nonnull(strstr(text, "pdns_recursor_cumul_outqueries_seconds_bucket{"
					   "transport=\"tcp\",ipversion=\"v4\",le=\"0.001\"} 0\n"));
	free(text);
}
END_TEST

START_TEST(scripts_metrics_are_exported)
{
	char *text;

	atomic_store(&make((struct custom_metric) { .name = "my.hits-2",
						    .is_gauge = true,
						    .help = "a \\ b\nc \xc3\xa4" })
			      ->value,
		     5);
	(void)make((struct custom_metric) {
		.name = "other", .prometheus = "of-mine", .help = "\xff" });
	text = written();
	ck_assert_ptr_nonnull(strstr(text, "# TYPE pdns_recursor_my_hits_2 gauge\n"
					   "# HELP pdns_recursor_my_hits_2 a \\\\ b\\nc \xc3\xa4\n"
					   "pdns_recursor_my_hits_2 5\n"));
	ck_assert_ptr_nonnull(strstr(text, "# TYPE pdns_recursor_of_mine counter\n"
					   "# HELP pdns_recursor_of_mine ?\n"
					   "pdns_recursor_of_mine 0\n"));
	free(text);
}
END_TEST

/* Prometheus would refuse all of it. */
START_TEST(no_name_comes_twice)
{
	static const char *const names[] = { "a.b",
					     "a-b",
					     "a_b",
					     "cache_hits",
					     "info",
					     "auth_rcode_answers",
					     "cumul_clientanswers_seconds",
					     "cumul_clientanswers_seconds_sum" };
	char *text;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct custom_metric like = { 0 };

		strcpy(like.name, names[i]);
		(void)make(like);
	}
	text = written();
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		char head[200];

		snprintf(head, sizeof(head), "%.*s", (int)strcspn(line, "\n"), line);
		if (strncmp(line, "# TYPE ", 7) == 0)
			*strchr(head + 7, ' ') = '\0';
		else if (line[0] == '#')
			continue;
		else
			*strrchr(head, ' ') = '\0';
		strcat(head, " ");
		ck_assert_msg(times_in(text, head) <= 2 + (line[0] != '#'), "%s", head);
		if (line[0] == '#')
			ck_assert_msg(times_in(text, head) == 1, "%s", head);
	}
	ck_assert_uint_eq(times_in(text, "\npdns_recursor_a_b "), 1);
	ck_assert_uint_eq(times_in(text, "\npdns_recursor_cache_hits "), 1);
	ck_assert_uint_eq(times_in(text, "\npdns_recursor_cumul_clientanswers_seconds_sum "), 1);
	free(text);
}
END_TEST

START_TEST(what_is_hidden_is_left_out)
{
	char *text;

	strcpy(env.hidden, "auth-rcode-answers, questions");
	text = written();
	ck_assert_ptr_null(strstr(text, "auth_rcode_answers"));
	ck_assert_ptr_null(strstr(text, "pdns_recursor_questions "));
	ck_assert_ptr_nonnull(strstr(text, "# TYPE pdns_recursor_info gauge\n"));
	ck_assert_ptr_nonnull(strstr(text, "\npdns_recursor_info{version=\""));
	ck_assert_str_eq(text + strlen(text) - 5, "\"} 1\n");
	free(text);
}
END_TEST

Suite *suite_prometheus(void)
{
	Suite *s = suite_create("prometheus");
	TCase *t = tcase_create("prometheus");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, a_counter_has_three_lines);
	tcase_add_test(t, groups_have_one_heading);
	tcase_add_test(t, histograms_are_in_seconds);
	tcase_add_test(t, scripts_metrics_are_exported);
	tcase_add_test(t, no_name_comes_twice);
	tcase_add_test(t, what_is_hidden_is_left_out);
	suite_add_tcase(s, t);
	return s;
}
