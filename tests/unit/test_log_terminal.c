/* A pseudo-terminal in the place of stderr, which nobody reads, or somebody late. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/log_terminal.h"
#include "tests/unit/terminal.h"

enum { LINES = 600, LINE_BYTES = 1000 }; /* more than a pipe and a terminal hold */

static int saved_stderr, master;

static void open_terminal(void)
{
	struct log_options o = { .use_stderr = true, .level = LOG_LEVEL_INFO };
	int fd = terminal_open(&master);

	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(saved_stderr, 0);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon has it */
	log_configure(&o);
	log_terminal_begin();
	log_thread_is_worker(1); /* another one waits LOG_PATIENCE_MS for a full pipe, once */
}

static void close_terminal(void)
{
	log_thread_is_worker(0);
	log_terminal_end(0);
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	if (master >= 0)
		(void)close(master);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void say_number(int i)
{
	log_line(LOG_LEVEL_INFO, NULL, NULL, "%0*d", LINE_BYTES, i);
}

/* How many of them were taken; the rest is counted as lost. */
static uint64_t flood(void)
{
	struct log_stats before, after;

	log_stats(&before);
	for (int i = 0; i < LINES; i++)
		say_number(i);
	log_stats(&after);
	ck_assert_uint_ge(after.lines - before.lines + after.lost - before.lost, LINES);
	return after.lines - before.lines;
}

static void *flood_as_worker(void *taken)
{
	log_thread_is_worker(2);
	*(uint64_t *)taken = flood();
	return NULL;
}

/* Lines until the end, each whole and behind those before it. */
static void *read_lines(void *last)
{
	FILE *f = fdopen(dup(master), "r");
	char line[2 * LINE_BYTES];
	uint64_t n = 0;
	int before = -1;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL && strstr(line, "the end") == NULL) {
		ck_assert_uint_eq(strlen(line), LINE_BYTES + 2); /* with \r\n */
		ck_assert_int_gt(atoi(line), before);
		before = atoi(line);
		n++;
	}
	*(uint64_t *)last = n;
	(void)fclose(f);
	return NULL;
}

/* Each of these ends, or the test's time is over. */
START_TEST(nobody_reads)
{
	pthread_t other;
	uint64_t taken;

	ck_assert_int_eq(pthread_create(&other, NULL, flood_as_worker, &taken), 0);
	(void)flood();
	(void)pthread_join(other, NULL);
	ck_assert_uint_lt(flood(), LINES);
	log_terminal_end(1);
	ck_assert_uint_eq(flood(), 0);
}
END_TEST

START_TEST(somebody_reads_late)
{
	struct log_stats before, after;
	uint64_t taken = flood(), got = 0;
	pthread_t reader;

	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_lt(taken, LINES);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_lines, &got), 0);
	log_terminal_end(60 * 1000);
	/* And stderr is as it was. */
	log_stats(&before);
	log_line(LOG_LEVEL_INFO, NULL, NULL, "the end");
	log_stats(&after);
	ck_assert_uint_eq(after.lines, before.lines + 1);
	(void)pthread_join(reader, NULL);
	ck_assert_uint_eq(got, taken);
}
END_TEST

START_TEST(the_terminal_goes)
{
	struct log_stats now;

	(void)close(master);
	master = -1;
	do {
		log_line(LOG_LEVEL_INFO, NULL, NULL, "is somebody there?");
		log_stats(&now);
	} while (now.lost == 0);
}
END_TEST

Suite *suite_log_terminal(void)
{
	Suite *s = suite_create("log_terminal");
	TCase *tc = tcase_create("log_terminal");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, open_terminal, close_terminal);
	tcase_add_test(tc, nobody_reads);
	tcase_add_test(tc, somebody_reads_late);
	tcase_add_test(tc, the_terminal_goes);
	suite_add_tcase(s, tc);
	return s;
}
