#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recursor/host/pidfile.h"
#include "tests/unit/tmpdir.h"

static char dir[TMPDIR_MAX], path[128];

static void make_dir(void)
{
	tmpdir_make(dir);
}

static void remove_dir(void)
{
	tmpdir_remove(dir);
}

static const char *in_dir(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static long read_pid(const char *name)
{
	FILE *f = fopen(in_dir(name), "r");
	long pid = -1;

	if (f == NULL)
		return -1;
	ck_assert_int_eq(fscanf(f, "%ld", &pid), 1);
	(void)fclose(f);
	return pid;
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(comes_and_goes)
{
	struct pidfile p = { 0 };
	struct stat st;

	ck_assert_int_eq(pidfile_write(&p, dir, ""), E_OK);
	ck_assert_int_eq(read_pid("pdns_recursor.pid"), (long)getpid());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0133, 0);
	pidfile_remove(&p);
	ck_assert_int_eq(read_pid("pdns_recursor.pid"), -1);
	pidfile_remove(&p); /* once more does nothing */
}
END_TEST

START_TEST(has_the_configurations_name)
{
	struct pidfile p = { 0 };

	ck_assert_int_eq(pidfile_write(&p, dir, "two"), E_OK);
	ck_assert_int_eq(read_pid("pdns_recursor-two.pid"), (long)getpid());
	pidfile_remove(&p);
}
END_TEST

START_TEST(replaces_an_old_one)
{
	struct pidfile p = { 0 };

	write_text("pdns_recursor.pid", "1234567890123\n");
	ck_assert_int_eq(pidfile_write(&p, dir, ""), E_OK);
	ck_assert_int_eq(read_pid("pdns_recursor.pid"), (long)getpid());
	pidfile_remove(&p);
}
END_TEST

START_TEST(leaves_anothers_alone)
{
	struct pidfile p = { 0 };

	ck_assert_int_eq(pidfile_write(&p, dir, ""), E_OK);
	write_text("pdns_recursor.pid", "1\n");
	pidfile_remove(&p);
	ck_assert_int_eq(read_pid("pdns_recursor.pid"), 1);
}
END_TEST

/* As after a chroot: the path says nothing any more. */
START_TEST(is_removed_by_the_open_directory)
{
	struct pidfile p = { 0 };
	char moved[80];

	ck_assert_int_eq(pidfile_write(&p, dir, ""), E_OK);
	(void)snprintf(moved, sizeof(moved), "%s.moved", dir);
	ck_assert_int_eq(rename(dir, moved), 0);
	pidfile_remove(&p);
	ck_assert_int_eq(rename(moved, dir), 0);
	ck_assert_int_eq(read_pid("pdns_recursor.pid"), -1);
}
END_TEST

START_TEST(refuses)
{
	struct pidfile p = { .name = "same" };
	char longer[200];

	ck_assert_int_eq(pidfile_write(&p, "/nowhere", ""), E_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(pidfile_write(&p, dir, longer), E_TOO_LONG);
	/* A directory stands in the way. */
	ck_assert_int_eq(mkdir(in_dir("pdns_recursor.pid"), 0700), 0);
	ck_assert_int_eq(pidfile_write(&p, dir, ""), E_SYSTEM);
	ck_assert_int_ne(access(in_dir("pdns_recursor.pid.new"), F_OK), 0);
	ck_assert_str_eq(p.name, "same");
}
END_TEST

START_TEST(makes_the_directory)
{
	struct stat st;

	ck_assert_int_eq(pidfile_make_dir(in_dir("run"), geteuid(), getegid()), E_OK);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(pidfile_make_dir(path, geteuid(), getegid()), E_OK);
	ck_assert_int_eq(pidfile_make_dir("/nowhere/run", geteuid(), getegid()), E_SYSTEM);
	if (geteuid() == 0) {
		ck_assert_int_eq(pidfile_make_dir(in_dir("other"), 65534, 65534), E_OK);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_uid, 65534);
		ck_assert_uint_eq(st.st_gid, 65534);
	}
}
END_TEST

Suite *suite_pidfile(void)
{
	Suite *s = suite_create("pidfile");
	TCase *tc = tcase_create("pidfile");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, comes_and_goes);
	tcase_add_test(tc, has_the_configurations_name);
	tcase_add_test(tc, replaces_an_old_one);
	tcase_add_test(tc, leaves_anothers_alone);
	tcase_add_test(tc, is_removed_by_the_open_directory);
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, makes_the_directory);
	suite_add_tcase(s, tc);
	return s;
}
