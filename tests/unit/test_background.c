#include <check.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recursor/host/background.h"
#include "tests/unit/in_child.h"

static int pipe_fds[2];

static bool is_null_device(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

static int serves(void)
{
	char result = 'x', cwd[8] = "";

	if (background_begin() != E_OK)
		return 99;
	/* Here is the child of the child; what it finds goes through the pipe. */
	if (getsid(0) != getpid())
		result = 's';
	background_ready();
	if (!is_null_device(0) || !is_null_device(1) || !is_null_device(2))
		result = 'n';
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, "/") != 0)
		result = 'c';
	if (result == 'x')
		result = '.';
	return write(pipe_fds[1], &result, 1) == 1 ? 0 : 1;
}

static int dies_with_0(void)
{
	return background_begin() == E_OK ? 0 : 99;
}

static int dies_with_7(void)
{
	return background_begin() == E_OK ? 7 : 99;
}

START_TEST(parent_ends_when_the_child_serves)
{
	char result = 0;

	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(in_child(serves), 0);
	(void)close(pipe_fds[1]);
	ck_assert_int_eq(read(pipe_fds[0], &result, 1), 1);
	ck_assert_int_eq(result, '.');
	(void)close(pipe_fds[0]);
}
END_TEST

START_TEST(parent_fails_with_the_child)
{
	ck_assert_int_eq(in_child(dies_with_0), 1);
	ck_assert_int_eq(in_child(dies_with_7), 7);
}
END_TEST

START_TEST(ready_in_the_foreground_does_nothing)
{
	struct stat before, after;

	ck_assert_int_eq(fstat(2, &before), 0);
	background_ready();
	ck_assert_int_eq(fstat(2, &after), 0);
	ck_assert(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
}
END_TEST

Suite *suite_background(void)
{
	Suite *s = suite_create("background");
	TCase *tc = tcase_create("background");

	tcase_add_test(tc, parent_ends_when_the_child_serves);
	tcase_add_test(tc, parent_fails_with_the_child);
	tcase_add_test(tc, ready_in_the_foreground_does_nothing);
	suite_add_tcase(s, tc);
	return s;
}
