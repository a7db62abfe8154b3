/* Lines are caught by putting a pipe in the place of stderr. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

static int saved_stderr, reading;

static void catch_stderr(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(saved_stderr, 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
	reading = fds[0];
}

/* What was written since the last call. */
static const char *caught(void)
{
	static char text[LOG_LINE_MAX * 40];
	ssize_t n = read(reading, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void release_stderr(void)
{
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(reading);
}

static void to_stderr(int level, bool stamps)
{
	struct log_options o = { .use_stderr = true, .timestamps = stamps, .level = level };

	log_configure(&o);
}

START_TEST(before_configuring)
{
	ck_assert_int_eq(log_level(), LOG_LEVEL_NOTICE);
	log_notice("number %d", 5);
	log_info("kept back");
	ck_assert_str_eq(caught(), "number 5\n");
}
END_TEST

START_TEST(level_decides)
{
	to_stderr(LOG_LEVEL_WARNING, false);
	log_error("e");
	log_warning("w");
	log_notice("n");
	ck_assert_str_eq(caught(), "e\nw\n");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("d");
	ck_assert_str_eq(caught(), "d\n");
}
END_TEST

START_TEST(stderr_can_be_off)
{
	struct log_options o = { .level = LOG_LEVEL_DEBUG };

	log_configure(&o);
	log_error("lost");
	ck_assert_str_eq(caught(), "");
}
END_TEST

START_TEST(timestamps_stand_in_front)
{
	const char *text;
	int day, hour, minute, second;
	char month[4], word[10];

	to_stderr(LOG_LEVEL_INFO, true);
	log_info("here");
	text = caught();
	ck_assert_int_eq(
		sscanf(text, "%3s %d %d:%d:%d %9s", month, &day, &hour, &minute, &second, word), 6);
	ck_assert_str_eq(word, "here");
}
END_TEST

START_TEST(lines_cannot_be_forged)
{
	to_stderr(LOG_LEVEL_INFO, false);
	log_info("%s", "a\nError: b\r\x1b[2J\x7f \xc3\xa9");
	ck_assert_str_eq(caught(), "a?Error: b??[2J? \xc3\xa9\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char text[LOG_LINE_MAX * 2];
	const char *got;

	to_stderr(LOG_LEVEL_INFO, true);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	got = caught();
	ck_assert_uint_eq(strlen(strchr(got, 'x')), LOG_LINE_MAX); /* with the newline */
	ck_assert_int_eq(got[strlen(got) - 1], '\n');
}
END_TEST

START_TEST(gate_keeps_back)
{
	struct log_gate gate = { 0 };
	unsigned lines = 0;
	const char *text;

	to_stderr(LOG_LEVEL_INFO, false);
	for (int i = 0; i < 100; i++)
		log_gated(&gate, LOG_LEVEL_INFO, "%d", i);
	text = caught();
	ck_assert(strncmp(text, "0\n", 2) == 0);
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	/* A second may have ended in between. */
	ck_assert_uint_ge(lines, 1);
	ck_assert_uint_le(lines, 3);
	ck_assert_uint_ge(atomic_load(&gate.held_back) + lines, lines);

	/* As if the last line were of long ago. */
	atomic_store(&gate.held_back, 7);
	atomic_store(&gate.last_s, 0);
	log_gated(&gate, LOG_LEVEL_INFO, "again");
	ck_assert_str_eq(caught(), "again (7 more like this before)\n");
	ck_assert_uint_eq(atomic_load(&gate.held_back), 0);

	/* What the level drops does not count as kept back. */
	log_gated(&gate, LOG_LEVEL_DEBUG, "quiet");
	ck_assert_uint_eq(atomic_load(&gate.held_back), 0);
}
END_TEST

static void *write_lines(void *arg)
{
	const char *word = arg;

	for (int i = 0; i < 100; i++)
		log_info("%s", word);
	return NULL;
}

START_TEST(threads_do_not_mix)
{
	static char words[4][5] = { "aaaa", "bbbb", "cccc", "dddd" };
	pthread_t threads[4];
	unsigned lines = 0;

	to_stderr(LOG_LEVEL_INFO, false);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, words[i]), 0);
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	for (const char *line = caught(); *line != '\0'; line += 5, lines++) {
		ck_assert(line[0] == line[1] && line[1] == line[2] && line[2] == line[3]);
		ck_assert_int_eq(line[4], '\n');
	}
	ck_assert_uint_eq(lines, 400);
}
END_TEST

Suite *suite_log(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, catch_stderr, release_stderr);
	tcase_add_test(tc, before_configuring);
	tcase_add_test(tc, level_decides);
	tcase_add_test(tc, stderr_can_be_off);
	tcase_add_test(tc, timestamps_stand_in_front);
	tcase_add_test(tc, lines_cannot_be_forged);
	tcase_add_test(tc, long_lines_are_cut);
	tcase_add_test(tc, gate_keeps_back);
	tcase_add_test(tc, threads_do_not_mix);
	suite_add_tcase(s, tc);
	return s;
}
