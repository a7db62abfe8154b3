#include <check.h>
#include <string.h>

#include "recursor/watch/web/endpoint.h"

START_TEST(each_row_is_whole)
{
	static const char *const methods[] = { "GET", "PUT", "POST", "PATCH", "DELETE" };

	for (size_t i = 0; i < endpoints_count(); i++) {
		const struct endpoint *e = endpoints_at(i);
		struct endpoint_match m;
		bool known = false;

		for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]); k++)
			known = known || strcmp(e->method, methods[k]) == 0;
		ck_assert_msg(known, "%s %s", e->method, e->path);
		ck_assert_int_eq(e->path[0], '/');
		ck_assert_uint_gt(strlen(e->help), 3);
		ck_assert_ptr_nonnull(e->run);
		ck_assert_uint_lt(strlen(e->path), 200);
		/* Its own path, with <> as what stands for it, finds it, and no row before it. */
		ck_assert_msg(endpoint_find(&m, e->method, e->path), "%s", e->path);
		ck_assert_ptr_eq(m.endpoint, e);
		ck_assert_ptr_nonnull(strstr(m.methods, e->method));
	}
}
END_TEST

START_TEST(paths_are_matched_whole)
{
	struct endpoint_match m;

	ck_assert(endpoint_find(&m, "GET", "/api"));
	ck_assert(!m.old_path);
	ck_assert_str_eq(m.methods, "GET");
	ck_assert(endpoint_find(&m, "GET", "/api/v1"));
	ck_assert(!endpoint_find(&m, "PUT", "/api"));
	ck_assert_str_eq(m.methods, "GET");
	ck_assert(!endpoint_find(&m, "GET", "/api/"));
	ck_assert_str_eq(m.methods, "");
	ck_assert(!endpoint_find(&m, "GET", "/ap"));
	ck_assert(!endpoint_find(&m, "GET", "/api/v"));
	ck_assert(!endpoint_find(&m, "GET", "//api"));
	ck_assert(!endpoint_find(&m, "GET", "api"));
	ck_assert(!endpoint_find(&m, "GET", ""));
	ck_assert(!endpoint_find(&m, "get", "/api"));
}
END_TEST

START_TEST(a_path_too_long_is_nowhere)
{
	char path[2 * ENDPOINT_PATH_MAX];
	struct endpoint_match m;

	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert(!endpoint_find(&m, "GET", path));
	ck_assert_str_eq(m.methods, "");
}
END_TEST

START_TEST(a_failure_takes_the_place_of_the_reply)
{
	struct endpoint_call c = { 0 };

	ck_assert_int_eq(endpoint_reply_json(&c, json_string("x")), 0);
	ck_assert_int_eq(endpoint_fail(&c, 422, "no %s", "such\xff"), -1);
	ck_assert_uint_eq(c.status, 422);
	ck_assert_str_eq(json_string_value(json_object_get(c.json, "error")), "no such?");
	endpoint_call_free(&c);
	ck_assert_int_eq(endpoint_reply_json(&c, NULL), -1);
	ck_assert_uint_eq(c.status, 500);
	endpoint_call_free(&c);
}
END_TEST

START_TEST(parameters_are_found_by_name)
{
	const struct endpoint_parameter list[] = { { "a", "1" }, { "b", "" }, { "a", "2" } };
	struct endpoint_call c = { .parameters = list, .n_parameters = 3 };

	ck_assert_str_eq(endpoint_parameter(&c, "a"), "1");
	ck_assert_str_eq(endpoint_parameter(&c, "b"), "");
	ck_assert_ptr_null(endpoint_parameter(&c, "c"));
}
END_TEST

START_TEST(the_versions_are_told)
{
	struct endpoint_call c = { 0 };
	struct endpoint_match m;

	ck_assert(endpoint_find(&m, "GET", "/api"));
	ck_assert_int_eq(m.endpoint->run(&c), 0);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(c.json, 0), "url")),
			 "/api/v1");
	endpoint_call_free(&c);
	ck_assert(endpoint_find(&m, "GET", "/api/v1"));
	ck_assert_int_eq(m.endpoint->run(&c), 0);
	ck_assert_uint_eq(json_array_size(c.json), 1);
	endpoint_call_free(&c);
}
END_TEST

Suite *suite_endpoint(void)
{
	Suite *s = suite_create("endpoint");
	TCase *t = tcase_create("endpoint");

	tcase_add_test(t, each_row_is_whole);
	tcase_add_test(t, paths_are_matched_whole);
	tcase_add_test(t, a_path_too_long_is_nowhere);
	tcase_add_test(t, a_failure_takes_the_place_of_the_reply);
	tcase_add_test(t, parameters_are_found_by_name);
	tcase_add_test(t, the_versions_are_told);
	suite_add_tcase(s, t);
	return s;
}
