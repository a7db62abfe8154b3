#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/graphs/boards.h"
#include "tools/graphs/kinds.h"
#include "tools/graphs/line.h"

/* What PowerDNS's resolver has and ours has not: known to boards for its sake. */
static const char *const foreign[] = { "dnssec-result-", "security-status" };

static bool is_foreign(const char *metric)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strncmp(metric, foreign[i], strlen(foreign[i])) == 0)
			return true;
	return false;
}

/* A line's kind is how its files are kept: a line would stay empty otherwise. */
static void check_term(void *ctx, const char *metric)
{
	const struct board_line *line = ctx;
	bool is_rate = line->kind == LINE_RATE;

	ck_assert_msg(line_is_metric(metric), "%s", metric);
	if (is_foreign(metric))
		return;
	ck_assert_msg(kind_of(metric) == (is_rate ? KIND_COUNTER : KIND_GAUGE),
		      "%s of line '%s' is of another kind", metric, line->label);
}

static void check_line(const struct board_line *line)
{
	char bucket[LINE_METRIC_MAX];

	ck_assert(line->colour != NULL && line->scale > 0);
	if (line->kind == LINE_PERCENTILE) {
		snprintf(bucket, sizeof(bucket), "%s-100", line->sum);
		ck_assert_msg(kind_of(bucket) == KIND_COUNTER, "%s", bucket);
		ck_assert(line->scale < 1);
		return;
	}
	boards_each_term(line->sum, check_term, (void *)(uintptr_t)line);
	if (line->per != NULL)
		boards_each_term(line->per, check_term, (void *)(uintptr_t)line);
}

START_TEST(each_line_has_metrics_of_its_kind)
{
	for (size_t i = 0; i < boards_count(); i++) {
		const struct board *b = boards_at(i);

		ck_assert_ptr_eq(boards_find(b->id), b);
		ck_assert_ptr_nonnull(b->lines[0].label);
		for (size_t k = 0; k < BOARD_LINES_MAX && b->lines[k].label != NULL; k++)
			check_line(&b->lines[k]);
	}
}
END_TEST

START_TEST(the_boards_that_everybody_wants)
{
	static const char *const wanted[] = { "queries",  "cache",       "latency", "outqueries",
					      "failures", "drops",       "cpu",     "memory",
					      "host-cpu", "host-network" };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_ptr_nonnull(boards_find(wanted[i]));
	ck_assert_ptr_null(boards_find("nothing"));
}
END_TEST

START_TEST(kinds_of_names)
{
	ck_assert_int_eq(kind_of("questions"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("qa-latency"), KIND_GAUGE);
	ck_assert_int_eq(kind_of("uptime"), KIND_GAUGE);
	ck_assert_int_eq(kind_of("cumul-clientanswers-le-1000"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("cumul-clientanswers-count"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("remote-logger-count-p-7"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("auth-nxdomain-answers"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("net-eth0-rx-bytes"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("net-rx-bytes"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("cpu-user-msec"), KIND_COUNTER);
	ck_assert_int_eq(kind_of("load-1"), KIND_GAUGE);
	ck_assert_int_eq(kind_of("a-script-s-own"), KIND_UNKNOWN);
}
END_TEST

START_TEST(hosts_and_resolvers)
{
	char host[LINE_SOURCE_MAX];

	ck_assert_int_eq(boards_of_source("pdns.ns1.host"), BOARD_HOST);
	ck_assert_int_eq(boards_of_source("pdns.ns1.recursor"), BOARD_RESOLVER);
	ck_assert_int_eq(boards_of_source("pdns.ghost"), BOARD_RESOLVER);
	ck_assert(boards_host_of("pdns.ns1.recursor", host, sizeof(host)));
	ck_assert_str_eq(host, "pdns.ns1.host");
	ck_assert(!boards_host_of("pdns.ns1.host", host, sizeof(host)));
	ck_assert(!boards_host_of("pdns.ns1.recursor", host, 5));
}
END_TEST

Suite *suite_graphs_boards(void)
{
	Suite *s = suite_create("graphs_boards");
	TCase *t = tcase_create("boards");

	tcase_add_test(t, each_line_has_metrics_of_its_kind);
	tcase_add_test(t, the_boards_that_everybody_wants);
	tcase_add_test(t, kinds_of_names);
	tcase_add_test(t, hosts_and_resolvers);
	suite_add_tcase(s, t);
	return s;
}
