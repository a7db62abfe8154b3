#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/nameset.h"

static struct nameset *set;
static char bad[NAME_TEXT_MAX];

static void make_set(void)
{
	ck_assert_int_eq(nameset_new(&set), E_OK);
}

static void free_set(void)
{
	nameset_free(set);
	nameset_free(NULL);
}

static void add(const char *list)
{
	ck_assert_int_eq(nameset_add_list(set, list, bad), E_OK);
}

static bool encloses(const char *text)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return nameset_encloses(set, name);
}

START_TEST(an_empty_set_has_nothing)
{
	nameset_seal(set);
	ck_assert(!encloses("."));
	ck_assert(!encloses("a.b"));
}
END_TEST

START_TEST(names_and_what_is_below)
{
	add("Example.org, test. a.net");
	add("");
	add("example.org");
	nameset_seal(set);
	ck_assert_uint_eq(nameset_count(set), 4);
	ck_assert(encloses("example.org") && encloses("WWW.EXAMPLE.ORG.") &&
		  encloses("a.b.c.test"));
	ck_assert(encloses("a.net") && encloses("b.a.net"));
	ck_assert(!encloses("org") && !encloses("net") && !encloses("aa.net") && !encloses("."));
	ck_assert(!encloses("example.org.uk") && !encloses("xexample.org"));
}
END_TEST

START_TEST(the_root_encloses_all)
{
	add(".");
	nameset_seal(set);
	ck_assert(encloses(".") && encloses("a.b.c"));
}
END_TEST

START_TEST(many_names)
{
	char text[32];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "n%u.zone", i);
		add(text);
	}
	nameset_seal(set);
	for (unsigned i = 0; i < 1010; i++) {
		(void)snprintf(text, sizeof(text), "x.n%u.zone", i);
		ck_assert_int_eq(encloses(text), i < 1000);
	}
}
END_TEST

START_TEST(wrong_names_are_told)
{
	char longer[2 * NAME_TEXT_MAX];

	ck_assert_int_eq(nameset_add_list(set, "a, b..c, d", bad), E_MALFORMED);
	ck_assert_str_eq(bad, "b..c");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(nameset_add_list(set, longer, bad), E_TOO_LONG);
	ck_assert_uint_eq(strlen(bad), NAME_TEXT_MAX - 1);
}
END_TEST

Suite *suite_nameset(void)
{
	Suite *s = suite_create("nameset");
	TCase *tc = tcase_create("nameset");

	tcase_add_checked_fixture(tc, make_set, free_set);
	tcase_add_test(tc, an_empty_set_has_nothing);
	tcase_add_test(tc, names_and_what_is_below);
	tcase_add_test(tc, the_root_encloses_all);
	tcase_add_test(tc, many_names);
	tcase_add_test(tc, wrong_names_are_told);
	suite_add_tcase(s, tc);
	return s;
}
