#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/check.h"
#include "common/psl.h"
#include "common/psl_filter.h"
#include "tests/unit/tmpdir.h"
#include "tests/unit/wire_name.h"

static char dir[TMPDIR_MAX], path[TMPDIR_MAX + 16], why[256];
static struct psl *list;
static struct psl_memo *memo;

static void make_dir(void)
{
	tmpdir_make(dir);
	(void)snprintf(path, sizeof(path), "%s/list", dir);
	ck_assert_int_eq(psl_memo_new(&memo), E_OK);
}

static void remove_dir(void)
{
	tmpdir_remove(dir);
	psl_put(list);
	psl_put(NULL);
	psl_memo_free(memo);
	psl_memo_free(NULL);
	list = NULL;
}

static int load(const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	psl_put(list);
	list = NULL;
	why[0] = '\0';
	return psl_new(&list, path, why, sizeof(why));
}

/* The registrable domain as text; asked for in each way there is, twice. */
static const char *domain(const char *text)
{
	static char out[NAME_TEXT_MAX];
	const uint8_t *name = wire(text);
	uint8_t lower[NAME_MAX_LEN];
	unsigned labels = psl_registrable(list, name);

	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(psl_registrable_memo(memo, list, name, name_hash(name)), labels);
	name_lower(lower, name_suffix(name, labels));
	return name_to_text(out, lower);
}

static const char rules[] = "// a comment\n"
			    "com\n"
			    "co.uk\n"
			    "a.very.long.one   and what follows a blank is no rule\n"
			    "*.ck\n"
			    "!www.ck\n"
			    "*.compute.example.com\n"
			    "forgot.his.name\n";

START_TEST(a_suffix_and_one_label_more)
{
	ck_assert_int_eq(load(rules), E_OK);
	ck_assert_str_eq(domain("a.b.example.co.uk"), "example.co.uk.");
	ck_assert_str_eq(domain("WWW.Example.COM"), "example.com.");
	ck_assert_str_eq(domain("x.y.a.very.long.one"), "y.a.very.long.one.");
	/* No rule: the last label is the suffix. */
	ck_assert_str_eq(domain("a.b.c.nowhere"), "c.nowhere.");
	/* Rules need not touch each other. */
	ck_assert_str_eq(domain("a.b.forgot.his.name"), "b.forgot.his.name.");
	ck_assert_str_eq(domain("a.b.his.name"), "his.name.");
}
END_TEST

START_TEST(short_names_stay)
{
	ck_assert_int_eq(load(rules), E_OK);
	ck_assert_str_eq(domain("."), ".");
	ck_assert_str_eq(domain("com"), "com.");
	ck_assert_str_eq(domain("co.uk"), "co.uk.");
	ck_assert_str_eq(domain("example.com"), "example.com.");
	/* Three labels or more that are a suffix themselves. */
	ck_assert_str_eq(domain("forgot.his.name"), "forgot.his.name.");
	ck_assert_str_eq(domain("a.very.long.one"), "a.very.long.one.");
}
END_TEST

START_TEST(wildcards_and_exceptions_hold)
{
	ck_assert_int_eq(load(rules), E_OK);
	ck_assert_str_eq(domain("a.b.c.ck"), "b.c.ck.");
	ck_assert_str_eq(domain("a.www.ck"), "www.ck.");
	ck_assert_str_eq(domain("a.b.c.compute.example.com"), "b.c.compute.example.com.");
}
END_TEST

/* Names that no host has: a dot in a label, a byte of any kind, a label that is a rule's sign. */
START_TEST(strange_names)
{
	char deep[NAME_TEXT_MAX] = "";

	ck_assert_int_eq(load(rules), E_OK);
	ck_assert_str_eq(domain("x.co\\.uk.co.uk"), "co\\.uk.co.uk.");
	ck_assert_str_eq(domain("a.x.co\\.uk"), "x.co\\.uk.");
	ck_assert_str_eq(domain("x.\\000\\255.com"), "\\000\\255.com.");
	ck_assert_str_eq(domain("x.y.*.ck"), "y.*.ck.");
	ck_assert_str_eq(domain("x.!www.ck"), "x.!www.ck.");
	for (unsigned i = 0; i < 120; i++)
		strcat(deep, "a.");
	strcat(deep, "example.co.uk");
	ck_assert_str_eq(domain(deep), "example.co.uk.");
}
END_TEST

/* A rule in other letters stands for a name in ASCII that is not in the file. */
START_TEST(rules_in_other_letters)
{
	ck_assert_int_eq(load("cn\ncom.cn\n\345\205\254\345\217\270.cn\n"), E_OK);
	ck_assert_str_eq(domain("a.b.xn--55qx5d.cn"), "b.xn--55qx5d.cn.");
	ck_assert_str_eq(domain("a.b.xn--other.cn"), "xn--other.cn.");
	ck_assert_str_eq(domain("a.b.com.cn"), "b.com.cn.");
}
END_TEST

/* A rule in signs that stand for ASCII: letters of full width, a byte order mark that stands for nothing. */
START_TEST(rules_in_signs_for_ascii)
{
	ck_assert_int_eq(load("uk\n\357\275\203\357\275\217.uk\n"), E_OK);
	ck_assert_str_eq(domain("a.b.co.uk"), "b.co.uk.");
	ck_assert_int_eq(load("uk\nco\357\273\277.uk\n"), E_OK);
	ck_assert_str_eq(domain("a.b.co.uk"), "b.co.uk.");
}
END_TEST

/* libpsl reads so many bytes at once: the rest is a line of its own, of a comment too. */
START_TEST(rules_behind_long_lines)
{
	for (int long_at = 250; long_at < 260; long_at++) {
		char text[512];

		(void)snprintf(text, sizeof(text), "com.foo\n//%0*dco.uk\nuk\n", long_at - 2, 0);
		ck_assert_int_eq(load(text), E_OK);
		ck_assert_str_eq(domain("a.b.co.uk"), long_at == 255 ? "b.co.uk." : "co.uk.");
	}
}
END_TEST

static bool has_filter(const char *list_text)
{
	char *text = strdup(list_text);
	struct psl_filter *f;
	bool has;

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(psl_filter_new(&f, text), E_OK);
	has = f != NULL;
	psl_filter_free(f);
	free(text);
	return has;
}

START_TEST(a_filter_for_letters_that_stay)
{
	/* One word of each script that the list of publicsuffix.org has rules in. */
	static const char *const words[] = {
		"\303\245",
		"\304\215",
		"\316\265\316\273",
		"\320\261\320\263",
		"\325\260\325\241\325\265",
		"\327\231\327\251\327\250\327\220\327\234",
		"\330\271\331\205\330\247\331\206",
		"\340\244\255\340\244\276\340\244\260\340\244\244",
		"\340\271\204\340\270\227\340\270\242",
		"\340\272\245\340\272\262\340\272\247",
		"\341\203\222\341\203\224",
		"\343\201\277\343\202\223\343\201\252",
		"\345\205\254\345\217\270",
		"\354\202\274\354\204\261",
	};

	ck_assert(has_filter(rules));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		ck_assert(has_filter(words[i]));
	ck_assert(!has_filter("com\nco\357\273\277.uk\n"));
	ck_assert(!has_filter("stra\303\237e.test\n")); /* of the sharp s two letters may be made */
	ck_assert(!has_filter("com\377\n"));
}
END_TEST

/* The memo is small: many names pass through it, and all come out as without it. */
START_TEST(many_names_through_a_memo)
{
	static const char *const ends[] = { "com", "co.uk", "ck", "www.ck", "his.name", "test" };

	ck_assert_int_eq(load(rules), E_OK);
	srandom(1);
	for (unsigned i = 0; i < 20000; i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "%ld.%ld.%ld.%s", random() % 50, random() % 50,
			       random() % 3, ends[(size_t)random() % ARRAY_LEN(ends)]);
		(void)domain(text);
	}
}
END_TEST

START_TEST(a_memo_asked_about_another_list_begins_anew)
{
	ck_assert_int_eq(load("com\n"), E_OK);
	ck_assert_str_eq(domain("a.b.example.com"), "example.com.");
	ck_assert_int_eq(load("com\nexample.com\n"), E_OK);
	ck_assert_str_eq(domain("a.b.example.com"), "b.example.com.");
}
END_TEST

START_TEST(the_list_of_the_system)
{
	struct psl *other;

	ck_assert_int_eq(psl_new(&list, "", why, sizeof(why)), E_OK);
	ck_assert_str_eq(domain("a.b.example.co.uk"), "example.co.uk.");
	ck_assert_str_eq(domain("www.xn--85x722f.xn--55qx5d.cn"), "xn--85x722f.xn--55qx5d.cn.");
	other = psl_get(list);
	psl_put(list);
	list = other;
	ck_assert_str_eq(domain("a.b.example.com"), "example.com.");
}
END_TEST

START_TEST(a_file_that_is_none_is_refused)
{
	ck_assert_int_eq(load(""), E_MALFORMED);
	ck_assert_str_eq(why, "no public suffix in it");
	ck_assert_int_eq(load("// nothing but\n\n// comments\n"), E_MALFORMED);
	ck_assert_int_eq(load(".DAFSA@PSL_0   \nxxxxxxx"), E_MALFORMED);
	ck_assert_int_eq(psl_new(&list, dir, why, sizeof(why)), E_SYSTEM);
	(void)snprintf(path, sizeof(path), "%s/missing", dir);
	ck_assert_int_eq(psl_new(&list, path, why, sizeof(why)), E_SYSTEM);
	ck_assert_str_eq(why, "No such file or directory");
	ck_assert_ptr_null(list);
}
END_TEST

Suite *suite_psl(void)
{
	Suite *s = suite_create("psl");
	TCase *tc = tcase_create("psl");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, a_suffix_and_one_label_more);
	tcase_add_test(tc, short_names_stay);
	tcase_add_test(tc, wildcards_and_exceptions_hold);
	tcase_add_test(tc, strange_names);
	tcase_add_test(tc, rules_in_other_letters);
	tcase_add_test(tc, rules_in_signs_for_ascii);
	tcase_add_test(tc, rules_behind_long_lines);
	tcase_add_test(tc, a_filter_for_letters_that_stay);
	tcase_add_test(tc, many_names_through_a_memo);
	tcase_add_test(tc, a_memo_asked_about_another_list_begins_anew);
	tcase_add_test(tc, the_list_of_the_system);
	tcase_add_test(tc, a_file_that_is_none_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
