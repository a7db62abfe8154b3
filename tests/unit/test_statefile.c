/* statefile: a file of our own that is replaced whole. */
#include "recursor/files/statefile.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "tests/unit/tmpdir.h"

static char dir[TMPDIR_MAX];

static void setup(void)
{
	tmpdir_make(dir);
}

/* Nothing is left in it. */
static void teardown(void)
{
	ck_assert_int_eq(rmdir(dir), 0);
}

static int open_long(struct statefile *f, size_t name_len)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/", dir);

	memset(path + n, 'x', name_len);
	path[(size_t)n + name_len] = '\0';
	return statefile_open(f, path, "");
}

static int fill(void *ctx, FILE *to)
{
	return fputs(ctx, to) >= 0 ? E_OK : E_SYSTEM;
}

static int fill_half(void *ctx, FILE *to)
{
	return fputs(ctx, to) >= 0 ? E_LIMIT : E_SYSTEM;
}

START_TEST(want_of_something_is_no_damage)
{
	static const int damage[] = { E_NOT_FILE, E_MALFORMED, E_UNSUPPORTED, E_RANGE },
			 others[] = { E_OK, E_NOT_FOUND, E_SYSTEM, E_NOMEM, E_END };

	for (size_t i = 0; i < ARRAY_LEN(damage); i++)
		ck_assert(statefile_is_damaged(damage[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert(!statefile_is_damaged(others[i]));
}
END_TEST

static void check_text(const struct statefile *s, const char *text)
{
	char got[64] = "", why[128] = "";
	FILE *f = NULL;

	ck_assert_msg(statefile_read(s, &f, why, sizeof(why)) == E_OK, "%s", why);
	ck_assert_ptr_nonnull(fgets(got, sizeof(got), f));
	ck_assert_str_eq(got, text);
	(void)fclose(f);
}

START_TEST(the_old_one_stays_until_the_new_one_is_whole)
{
	char why[128], aside[PATH_MAX];
	struct statefile s;
	FILE *f = NULL;

	ck_assert_int_eq(open_long(&s, 1), E_OK);
	ck_assert_int_eq(statefile_read(&s, &f, why, sizeof(why)), E_NOT_FOUND);
	ck_assert_int_eq(statefile_replace(&s, fill, (char *)"one"), E_OK);
	check_text(&s, "one");
	ck_assert_int_eq(statefile_replace(&s, fill_half, (char *)"half"), E_LIMIT);
	check_text(&s, "one");
	ck_assert_int_eq(statefile_replace(&s, fill, (char *)"two"), E_OK);
	check_text(&s, "two");
	ck_assert_int_eq(statefile_put_aside(&s), E_OK);
	ck_assert_int_eq(statefile_read(&s, &f, why, sizeof(why)), E_NOT_FOUND);
	snprintf(aside, sizeof(aside), "%s.bad", s.path);
	ck_assert_int_eq(unlink(aside), 0);
	statefile_close(&s);
}
END_TEST

/* The directory must take the names beside it, too. */
START_TEST(a_name_may_be_so_long)
{
	char aside[PATH_MAX];
	struct statefile s;

	ck_assert_int_eq(open_long(&s, NAME_MAX - 4), E_OK);
	ck_assert_int_eq(statefile_replace(&s, fill, (char *)"long"), E_OK);
	check_text(&s, "long");
	ck_assert_int_eq(statefile_put_aside(&s), E_OK);
	snprintf(aside, sizeof(aside), "%s.bad", s.path);
	ck_assert_int_eq(unlink(aside), 0);
	statefile_close(&s);
	errno = 0;
	ck_assert_int_eq(open_long(&s, NAME_MAX - 3), E_SYSTEM);
	ck_assert_int_eq(errno, EINVAL);
	statefile_close(&s);
	ck_assert_int_eq(open_long(&s, 0), E_SYSTEM);
	statefile_close(&s);
}
END_TEST

/* By root it could be /dev/null that is renamed and replaced. */
START_TEST(what_is_no_plain_file_stays)
{
	static const char *const kinds[] = { "pipe", "directory", "link", "dangling link" };

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		struct stat before, after;
		struct statefile s;

		ck_assert_int_eq(open_long(&s, 1), E_OK);
		ck_assert_int_eq(i == 0   ? mkfifo(s.path, 0600)
				 : i == 1 ? mkdir(s.path, 0700)
				 : i == 2 ? symlink("/", s.path)
					  : symlink("nowhere", s.path),
				 0);
		ck_assert_int_eq(lstat(s.path, &before), 0);
		ck_assert_msg(statefile_replace(&s, fill, (char *)"text") == E_NOT_FILE, "%s",
			      kinds[i]);
		ck_assert_msg(statefile_put_aside(&s) == E_NOT_FILE, "%s", kinds[i]);
		ck_assert_int_eq(lstat(s.path, &after), 0);
		ck_assert_uint_eq(after.st_ino, before.st_ino);
		ck_assert_int_eq(remove(s.path), 0);
		statefile_close(&s);
	}
}
END_TEST

Suite *suite_statefile(void);

Suite *suite_statefile(void)
{
	Suite *s = suite_create("statefile");
	TCase *t = tcase_create("statefile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, want_of_something_is_no_damage);
	tcase_add_test(t, the_old_one_stays_until_the_new_one_is_whole);
	tcase_add_test(t, a_name_may_be_so_long);
	tcase_add_test(t, what_is_no_plain_file_stays);
	suite_add_tcase(s, t);
	return s;
}
