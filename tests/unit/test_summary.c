/* Lines are caught by putting a pipe in the place of stderr. */
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "recursor/summary.h"
#include "tests/unit/fake_env.h"

static struct fake_env fake;
static uint64_t now_ms;
static int saved_stderr, reading;

static uint64_t read_now_ms(void *ctx)
{
	(void)ctx;
	return now_ms;
}

static void open_all(void)
{
	int fds[2];

	fake_env_open(&fake);
	fake.env.now_ms = read_now_ms;
	now_ms = FAKE_NOW_MS;
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
	reading = fds[0];
}

static void close_all(void)
{
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(reading);
	fake_env_close(&fake);
}

static const char *caught(void)
{
	static char text[4096];
	ssize_t n = read(reading, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

START_TEST(nothing_yet)
{
	struct summary s = { 0 };

	summary_log(&s, &fake.env, false);
	ck_assert_str_eq(caught(), "stats: no stats yet!\n");
	summary_log(&s, &fake.env, true);
	ck_assert_str_eq(caught(), "");
}
END_TEST

START_TEST(tells_of_all_workers)
{
	struct summary s = { 0 };
	const char *text;

	counter_add(&fake.counters[0].questions, 150);
	counter_add(&fake.counters[1].questions, 50);
	counter_add(&fake.counters[0].packetcache_hits, 50);
	counter_add(&fake.counters[0].cache_hits, 30);
	counter_add(&fake.counters[1].cache_misses, 60);
	counter_add(&fake.counters[0].all_outqueries, 90);
	counter_add(&fake.counters[1].throttled_out, 10);
	counter_add(&fake.counters[1].tcp_outqueries, 3);
	counter_add(&fake.counters[1].outgoing_timeouts, 7);
	fake_env_put(&fake, "example.com.", 1, 60, RANK_AUTH_ANSWER, "\300\0\2\1", 4);
	summary_log(&s, &fake.env, false);
	text = caught();
	ck_assert_ptr_nonnull(strstr(text, "stats: 200 questions, 1 cache entries, 0 negative "
					   "entries, 33% cache hits\n"));
	ck_assert_ptr_nonnull(strstr(text, "stats: throttle map: 0, ns speeds: 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "stats: outpacket/query ratio 45%, 10% throttled\n"));
	ck_assert_ptr_nonnull(strstr(text, "stats: 3 outgoing tcp queries, "));
	ck_assert_ptr_nonnull(strstr(text, ", 7 outgoing timeouts\n"));
	ck_assert_ptr_nonnull(strstr(text, " packet cache entries, 25% packet cache hits\n"));
	ck_assert_ptr_null(strstr(text, "qps"));
}
END_TEST

START_TEST(tells_the_rate_from_the_second_time_on)
{
	struct summary s = { 0 };

	counter_add(&fake.counters[0].questions, 1000);
	summary_log(&s, &fake.env, true);
	ck_assert_ptr_null(strstr(caught(), "qps"));

	now_ms += 10500;
	counter_add(&fake.counters[1].questions, 500);
	summary_log(&s, &fake.env, false); /* by hand: does not count */
	ck_assert_ptr_null(strstr(caught(), "qps"));
	summary_log(&s, &fake.env, true);
	ck_assert_ptr_nonnull(strstr(caught(), "stats: 50 qps (average over 10 seconds)\n"));

	summary_log(&s, &fake.env, true); /* within the same second */
	ck_assert_ptr_null(strstr(caught(), "qps"));
}
END_TEST

Suite *suite_summary(void)
{
	Suite *s = suite_create("summary");
	TCase *tc = tcase_create("summary");

	tcase_add_checked_fixture(tc, open_all, close_all);
	tcase_add_test(tc, nothing_yet);
	tcase_add_test(tc, tells_of_all_workers);
	tcase_add_test(tc, tells_the_rate_from_the_second_time_on);
	suite_add_tcase(s, tc);
	return s;
}
