#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_env.h"
#include "recursor/watch/secpoll.h"

static struct fake_env env;
static const char *suffix;

static char *setting(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "security-poll-suffix") == 0 ? strdup(suffix) : NULL;
}

static void open_env(void)
{
	fake_env_open(&env);
	env.env.setting = setting;
}

static void close_env(void)
{
	fake_env_close(&env);
}

static void expect_name(const char *version, const char *zone, const char *expected)
{
	char name[SECPOLL_NAME_MAX];

	ck_assert(secpoll_name(name, version, zone));
	ck_assert_str_eq(name, expected);
}

START_TEST(names)
{
	char longest[2 * SECPOLL_NAME_MAX], name[SECPOLL_NAME_MAX];

	expect_name("3.7.0", "secpoll.example.com.",
		    "recursor-3.7.0.security-status.secpoll.example.com.");
	expect_name("3.7.0", "secpoll.example.com",
		    "recursor-3.7.0.security-status.secpoll.example.com.");
	expect_name("3.6.0-1.debian", "x.", "recursor-3.6.0-1.debian.security-status.x.");
	expect_name("1.0~rc1+b2.debian", "a+b.", "recursor-1.0_rc1_b2.debian.security-status.a_b.");
	/* 63 bytes of the first part. */
	expect_name("1.0.12345678901234567890123456789012345678901234567890123456789", "x",
		    "recursor-1.0.12345678901234567890123456789012345678901234567890"
		    ".security-status.x.");
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ck_assert(!secpoll_name(name, "1.0.0", longest));
	ck_assert(secpoll_is_release("3.7.0"));
	ck_assert(!secpoll_is_release("0.1-git"));
	ck_assert(!secpoll_is_release("3.7.0.1"));
}
END_TEST

static void expect_said(const char *rdata, size_t len, int status, const char *message)
{
	struct secpoll_said said;

	ck_assert_int_eq(secpoll_read(&said, (const uint8_t *)rdata, len), E_OK);
	ck_assert_int_eq(said.status, status);
	ck_assert_str_eq(said.message, message);
}

START_TEST(what_records_say)
{
	static const char *const wrong[] = {
		"", "\1", "\0010", "\0014", "\2x ", "\2 1", "\00210", "\0051.2 x", "\3-1 ",
	};
	struct secpoll_said said;
	char longest[400];

	expect_said("\0041 OK", 5, 1, "OK");
	expect_said("\0012", 2, 2, "");
	expect_said("\0022 ", 3, 2, "");
	expect_said("\0143 Upgrade now", 13, 3, "Upgrade no");
	/* Several strings are one. */
	expect_said("\0012\0\002 a\1b", 8, 2, "ab");
	expect_said("\0053 \x1b[m", 6, 3, "?[m");
	/* 255 bytes are enough for a line. */
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "\3771 ", 3);
	longest[256] = 100;
	ck_assert_int_eq(secpoll_read(&said, (uint8_t *)longest, 357), E_OK);
	ck_assert_uint_eq(strlen(said.message), 255);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(secpoll_read(&said, (const uint8_t *)wrong[i], strlen(wrong[i])),
				 E_MALFORMED);
	ck_assert_int_eq(secpoll_read(&said, (const uint8_t *)"", 0), E_MALFORMED);
}
END_TEST

START_TEST(a_failure_hides_nothing)
{
	ck_assert_int_eq(secpoll_without_answer(SECPOLL_NO_DATA), SECPOLL_NO_DATA);
	ck_assert_int_eq(secpoll_without_answer(SECPOLL_OK), SECPOLL_NO_DATA);
	ck_assert_int_eq(secpoll_without_answer(SECPOLL_RECOMMENDED), SECPOLL_RECOMMENDED);
	ck_assert_int_eq(secpoll_without_answer(SECPOLL_MANDATORY), SECPOLL_MANDATORY);
}
END_TEST

/* One poll of a thread of its own. */
static struct secpoll_stats poll_once(const char *version, const char *zone)
{
	struct secpoll_stats stats = { 0 };
	struct secpoll *p = NULL;

	suffix = zone;
	ck_assert_int_eq(secpoll_new(&p, version, ""), E_OK);
	ck_assert_int_eq(secpoll_start(p, &env.env), E_OK);
	while (*zone != '\0' && stats.polls == 0) {
		usleep(1000);
		secpoll_stats(p, &stats);
	}
	secpoll_stop(p);
	secpoll_free(p);
	return stats;
}

START_TEST(polls_that_fail)
{
	static const struct {
		const char *version, *zone;
		unsigned failures;
	} rows[] = {
		{ "1.0.0", "example.com", 1 }, /* SERVFAIL */
		{ "1.0.0", "invalid", 1 },     /* NXDOMAIN */
		{ "1.0-git", "invalid", 0 },   /* the same, of what is no release */
		{ "1.0.0", "localhost", 1 },   /* no TXT */
		{ "1.0.0", "a..b", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secpoll_stats stats = poll_once(rows[i].version, rows[i].zone);

		ck_assert_uint_eq(stats.status, 0);
		ck_assert_uint_eq(stats.failures, rows[i].failures);
	}
	ck_assert_uint_eq(poll_once("1.0.0", "").polls, 0);
}
END_TEST

START_TEST(the_end_is_not_waited_for)
{
	struct secpoll *p = NULL;
	struct secpoll_stats stats;

	env.deaf = true;
	suffix = "example.com";
	ck_assert_int_eq(secpoll_new(&p, "1.0.0", "1.0.0-1.debian"), E_OK);
	ck_assert_int_eq(secpoll_start(p, &env.env), E_OK);
	while (env.visits == 0)
		usleep(1000);
	secpoll_stop(p);
	secpoll_stats(p, &stats);
	ck_assert_uint_eq(stats.polls, 0);
	secpoll_free(p);
	secpoll_free(NULL);
	secpoll_stats(NULL, &stats);
}
END_TEST

Suite *suite_secpoll(void)
{
	Suite *s = suite_create("secpoll");
	TCase *t = tcase_create("secpoll");

	tcase_add_checked_fixture(t, open_env, close_env);
	tcase_add_test(t, names);
	tcase_add_test(t, what_records_say);
	tcase_add_test(t, a_failure_hides_nothing);
	tcase_add_test(t, polls_that_fail);
	tcase_add_test(t, the_end_is_not_waited_for);
	suite_add_tcase(s, t);
	return s;
}
