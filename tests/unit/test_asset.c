#include <check.h>
#include <string.h>

#include "recursor/watch/web/asset.h"

static bool contains(const struct asset *a, const char *text)
{
	return memmem(a->bytes, a->len, text, strlen(text)) != NULL;
}

START_TEST(page_and_library_are_there)
{
	static const char *const paths[] = { "/",         "/page.js",        "/page.css",
					     "/icon.svg", "/dygraph.min.js", "/dygraph.min.css" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct asset *plain = asset_find(paths[i], false);
		const struct asset *packed = asset_find(paths[i], true);

		ck_assert_msg(plain != NULL && packed != NULL, "%s is missing", paths[i]);
		ck_assert(!plain->gzip && packed->gzip);
		ck_assert_str_eq(plain->type, packed->type);
		ck_assert_str_ne(plain->etag, packed->etag);
		/* RFC 1952 2.3.1: what a gzip file begins with. */
		ck_assert_mem_eq(packed->bytes, "\x1f\x8b\x08", 3);
		ck_assert_uint_gt(plain->len, 0);
	}
	ck_assert(contains(asset_find("/", false), "<!DOCTYPE html>"));
	ck_assert_str_eq(asset_find("/", true)->type, "text/html; charset=utf-8");
	ck_assert(contains(asset_find("/dygraph.min.js", false), "Dygraph"));
}
END_TEST

START_TEST(unknown_path_is_not_there)
{
	static const char *const paths[] = { "", "/index.html", "page.js", "/page.js/",
					     "/../page.js" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ck_assert_ptr_null(asset_find(paths[i], false));
		ck_assert_ptr_null(asset_find(paths[i], true));
	}
}
END_TEST

START_TEST(each_is_there_once)
{
	for (size_t i = 0; i < asset_count(); i++) {
		const struct asset *a = asset_at(i);

		ck_assert_ptr_eq(asset_find(a->path, a->gzip), a);
		ck_assert_int_eq(a->path[0], '/');
		ck_assert_int_eq(a->etag[0], '"');
	}
}
END_TEST

/* What the policy forbids does not stand in the page either. */
START_TEST(page_has_nothing_inline_and_names_no_host)
{
	static const char *const forbidden[] = { " style=", "<style", " onclick=", " onload=",
						 "http:",   "https:", "src=\"//",  "href=\"//" };
	/* What a client sends gets into the page as text, never through one of these. */
	static const char *const as_html[] = { "innerHTML",      "outerHTML", "insertAdjacentHTML",
					       "document.write", "DOMParser", "eval(",
					       "Function(" };
	const struct asset *page = asset_find("/", false);

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		ck_assert_msg(!contains(page, forbidden[i]), "%s", forbidden[i]);
	for (size_t i = 0; i < asset_count(); i++) {
		const struct asset *a = asset_at(i);

		/* dygraphs writes the labels of its axes so: numbers of ours. */
		if (!a->gzip && strstr(a->path, "dygraph") == NULL)
			for (size_t j = 0; j < sizeof(as_html) / sizeof(as_html[0]); j++)
				ck_assert_msg(!contains(a, as_html[j]), "%s: %s", a->path,
					      as_html[j]);
	}
	ck_assert_ptr_null(strstr(ASSET_POLICY, "unsafe"));
	ck_assert_ptr_null(strstr(ASSET_POLICY, "*"));
}
END_TEST

Suite *suite_asset(void)
{
	Suite *s = suite_create("asset");
	TCase *t = tcase_create("asset");

	tcase_add_test(t, page_and_library_are_there);
	tcase_add_test(t, unknown_path_is_not_there);
	tcase_add_test(t, each_is_there_once);
	tcase_add_test(t, page_has_nothing_inline_and_names_no_host);
	suite_add_tcase(s, t);
	return s;
}
