#include "common/namelist.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/name.h"
#include "tests/unit/tmpdir.h"

static struct namelist *list;
static char why[NAMELIST_WHY_MAX];

static void begin(void)
{
	hash_key_set(1, 2);
}

static void end(void)
{
	namelist_free(list);
	namelist_free(NULL);
	list = NULL;
}

static int read_bytes(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	int err;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	namelist_free(list);
	list = NULL;
	err = namelist_read(&list, copy, len, "bad.txt", why);
	free(copy);
	return err;
}

static void expect_list(const char *text, size_t n)
{
	ck_assert_msg(read_bytes(text, strlen(text)) == E_OK, "%s", why);
	ck_assert_uint_eq(namelist_count(list), n);
}

static void expect_refusal(const char *text, const char *reason)
{
	ck_assert_int_ne(read_bytes(text, strlen(text)), E_OK);
	ck_assert_ptr_null(list);
	ck_assert_str_eq(why, reason);
}

static bool encloses(const char *text)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return namelist_encloses(list, name);
}

START_TEST(names_and_what_is_below)
{
	expect_list("# bad ones\n\nExample.COM\n  b.example.net.  # why\r\na.b.c.d.e\n"
		    "example.com\nx\\.y.org",
		    4);
	ck_assert(encloses("example.com"));
	ck_assert(encloses("a.b.c.EXAMPLE.com"));
	ck_assert(!encloses("com"));
	ck_assert(!encloses("anexample.com"));
	ck_assert(!encloses("example.net"));
	ck_assert(encloses("a.b.example.net"));
	ck_assert(encloses("a.b.c.d.e"));
	ck_assert(encloses("0.a.b.c.d.e"));
	ck_assert(!encloses("b.c.d.e"));
	ck_assert(!encloses("f.b.c.d.e"));
	ck_assert(encloses("z.x\\.y.org"));
	ck_assert(!encloses("y.org"));
	ck_assert(!encloses("."));
}
END_TEST

START_TEST(nothing_and_everything)
{
	expect_list("", 0);
	ck_assert(!encloses("."));
	ck_assert(!encloses("a.b"));
	expect_list("# none", 0);
	expect_list(".", 1);
	ck_assert(encloses("."));
	ck_assert(encloses("a.b"));
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_line)
{
	expect_refusal("a\n\nb..c\n", "bad.txt:3: 'b..c': not a name");
	expect_refusal("*.example.com", "bad.txt:1: '*.example.com': a name stands for all below "
					"it, too; leave out the asterisk");
	expect_refusal("a\n0.0.0.0 b", "bad.txt:2: 'b': more than a name in the line");
	ck_assert_int_eq(read_bytes("a\nb\0c\n", 6), E_MALFORMED);
	ck_assert_str_eq(why, "bad.txt:2: 'b': a zero byte");
	ck_assert_int_eq(namelist_load(&list, "/nonexistent/x", why), E_SYSTEM);
	ck_assert_str_eq(why, "/nonexistent/x: No such file or directory");
	ck_assert_int_eq(namelist_load(&list, "/dev/null", why), E_OK);
}
END_TEST

/* Half a million in fewer than fifty bytes each; and those alone. */
START_TEST(half_a_million_names)
{
	enum { MANY = 500000 };
	char dir[TMPDIR_MAX], path[TMPDIR_MAX + 16], text[80];
	FILE *f;

	tmpdir_make(dir);
	snprintf(path, sizeof(path), "%s/list", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < MANY; i++)
		fprintf(f, "bad%u.%s\n", i * 7, i % 3 == 0 ? "example" : "co.example");
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_msg(namelist_load(&list, path, why) == E_OK, "%s", why);
	tmpdir_remove(dir);
	ck_assert_uint_eq(namelist_count(list), MANY);
	ck_assert_uint_le(namelist_bytes(list), MANY * 50);
	for (unsigned i = 0; i < MANY; i += 11) {
		snprintf(text, sizeof(text), "www.bad%u.%s", i * 7,
			 i % 3 == 0 ? "example" : "co.example");
		ck_assert(encloses(text));
		snprintf(text, sizeof(text), "www.bad%u.%s", i * 7 + 1,
			 i % 3 == 0 ? "example" : "co.example");
		ck_assert(!encloses(text));
	}
}
END_TEST

Suite *suite_namelist(void)
{
	Suite *s = suite_create("namelist");
	TCase *t = tcase_create("namelist");

	tcase_add_checked_fixture(t, begin, end);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, names_and_what_is_below);
	tcase_add_test(t, nothing_and_everything);
	tcase_add_test(t, what_is_wrong_is_told_with_its_line);
	tcase_add_test(t, half_a_million_names);
	suite_add_tcase(s, t);
	return s;
}
