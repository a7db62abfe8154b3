#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/custom_metrics.h"

static struct custom_metrics *metrics;

static void open_metrics(void)
{
	ck_assert_int_eq(custom_metrics_new(&metrics), E_OK);
}

static void close_metrics(void)
{
	custom_metrics_free(metrics);
	custom_metrics_free(NULL);
}

static int get(struct custom_metric **out, const char *name)
{
	struct custom_metric like = { 0 };

	(void)snprintf(like.name, sizeof(like.name), "%s", name);
	return custom_metrics_get(out, metrics, &like);
}

START_TEST(one_name_is_one_metric)
{
	struct custom_metric like = { .name = "a", .help = "first", .is_gauge = true };
	struct custom_metric *a = NULL, *b = NULL;

	ck_assert_int_eq(custom_metrics_get(&a, metrics, &like), E_OK);
	atomic_store(&a->value, 3);
	ck_assert_int_eq(get(&b, "a"), E_OK);
	ck_assert_ptr_eq(a, b);
	ck_assert_str_eq(b->help, "first");
	ck_assert(b->is_gauge);
	ck_assert_ptr_eq(custom_metrics_find(metrics, "a"), a);
	ck_assert_ptr_null(custom_metrics_find(metrics, "b"));
}
END_TEST

static void append(void *ctx, const struct custom_metric *m)
{
	char *names = ctx;

	strcat(names, m->name);
	strcat(names, " ");
}

START_TEST(walked_in_order)
{
	struct custom_metric *m;
	char names[64] = "";

	ck_assert_int_eq(get(&m, "a10"), E_OK);
	ck_assert_int_eq(get(&m, "a9"), E_OK);
	ck_assert_int_eq(get(&m, "c"), E_OK);
	ck_assert_int_eq(get(&m, "a"), E_OK);
	ck_assert_int_eq(get(&m, "b.x_y-Z9"), E_OK);
	custom_metrics_walk(metrics, append, names);
	ck_assert_str_eq(names, "a a9 a10 b.x_y-Z9 c ");
}
END_TEST

static void look_up(void *ctx, const struct custom_metric *m)
{
	*(bool *)ctx = custom_metrics_find(metrics, m->name) == m;
}

/* A worker may want one, while another thread reads all that there is. */
START_TEST(who_walks_holds_nobody_up)
{
	struct custom_metric *m;
	bool found = false;

	ck_assert_int_eq(get(&m, "a"), E_OK);
	custom_metrics_walk(metrics, look_up, &found);
	ck_assert(found);
}
END_TEST

START_TEST(bad_names)
{
	struct custom_metric like = { .name = "ok", .prometheus = "not ok" };
	struct custom_metric *m = NULL;

	ck_assert_int_eq(get(&m, ""), E_MALFORMED);
	ck_assert_int_eq(get(&m, "a b"), E_MALFORMED);
	ck_assert_int_eq(get(&m, "a\n"), E_MALFORMED);
	ck_assert_int_eq(custom_metrics_get(&m, metrics, &like), E_MALFORMED);
	ck_assert_ptr_null(m);
}
END_TEST

START_TEST(no_more_than_the_limit)
{
	struct custom_metric *m = NULL;
	char name[32];

	for (int i = 0; i < CUSTOM_METRICS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		ck_assert_int_eq(get(&m, name), E_OK);
	}
	ck_assert_int_eq(get(&m, "more"), E_LIMIT);
	ck_assert_int_eq(get(&m, "m7"), E_OK);
}
END_TEST

Suite *suite_custom_metrics(void)
{
	Suite *s = suite_create("custom_metrics");
	TCase *c = tcase_create("custom_metrics");

	tcase_add_checked_fixture(c, open_metrics, close_metrics);
	tcase_add_test(c, one_name_is_one_metric);
	tcase_add_test(c, walked_in_order);
	tcase_add_test(c, who_walks_holds_nobody_up);
	tcase_add_test(c, bad_names);
	tcase_add_test(c, no_more_than_the_limit);
	suite_add_tcase(s, c);
	return s;
}
