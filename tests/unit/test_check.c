#include "common/check.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What `run` writes to stderr. */
static void capture(void (*run)(void), char *out, size_t cap)
{
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	run();
	ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	n = read(ends[0], out, cap - 1);
	close(ends[0]);
	ck_assert_int_ge(n, 0);
	out[n] = '\0';
}

static void survive_three(void)
{
	for (int i = 0; i < 3; i++)
		ck_assert(!EXPECT(i > 7));
}

START_TEST(expect_counts_and_speaks_once)
{
	unsigned long before = check_surprises();
	char text[512];

	ck_assert(EXPECT(1 + 1 == 2));
	ck_assert_uint_eq(check_surprises(), before);
	capture(survive_three, text, sizeof(text));
	ck_assert_uint_eq(check_surprises(), before + 3);
	ck_assert_ptr_nonnull(strstr(text, "unexpected: i > 7 at tests/unit/test_check.c:"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(assert_passes_what_is_true)
{
	int evaluated = 0;

	ASSERT(++evaluated == 1);
	ck_assert_int_eq(evaluated, 1);
}
END_TEST

START_TEST(assert_aborts)
{
	int null = open("/dev/null", O_WRONLY);

	ck_assert_int_ge(null, 0);
	ck_assert_int_eq(dup2(null, STDERR_FILENO), STDERR_FILENO);
	ASSERT(null < 0);
}
END_TEST

Suite *suite_check(void)
{
	Suite *s = suite_create("check");
	TCase *t = tcase_create("check");

	tcase_add_test(t, expect_counts_and_speaks_once);
	tcase_add_test(t, assert_passes_what_is_true);
	tcase_add_test_raise_signal(t, assert_aborts, SIGABRT);
	suite_add_tcase(s, t);
	return s;
}
