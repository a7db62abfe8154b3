/* Lines are caught by putting a pipe in the place of stderr, and sockets of ours in those of the
 * system's. */
#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "tests/unit/in_child.h"

static int saved_stderr, reading;
static char directory[64], socket_path[108];

static void catch_stderr(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(saved_stderr, 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[1]);
	reading = fds[0];
	strcpy(directory, "/tmp/test-log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
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
	struct log_options o = { .use_stderr = true, .level = LOG_LEVEL_NOTICE };

	log_configure(&o);
	(void)unlink(socket_path);
	(void)rmdir(directory);
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(reading);
}

static void to_stderr(int level, bool stamps)
{
	struct log_options o = { .use_stderr = true, .timestamps = stamps, .level = level };

	log_configure(&o);
}

/* A daemon's end of socket_path. */
static int listen_there(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(sun.sun_path, socket_path);
	(void)unlink(socket_path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static const char *received(int fd)
{
	static char text[LOG_RECORD_MAX];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
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
	log_line(LOG_LEVEL_NOTICE, NULL, NULL, "n");
	ck_assert_str_eq(caught(), "e\nw\n");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("d");
	ck_assert_str_eq(caught(), "d\n");
}
END_TEST

START_TEST(lost_lines_are_counted)
{
	struct log_options o = { .level = LOG_LEVEL_DEBUG };
	struct log_stats before, after;

	log_configure(&o);
	log_stats(&before);
	log_error("lost");
	log_stats(&after);
	ck_assert_str_eq(caught(), "");
	ck_assert_uint_eq(after.lost, before.lost + 1);
	ck_assert_uint_eq(after.lines, before.lines);
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

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* As if what a site said were of long ago. */
static void let_time_pass(struct log_site *site)
{
	atomic_store(&site->window, 0);
}

START_TEST(a_site_is_held_back)
{
	static struct log_site site = { .file = "recursor/some.c", .is_limited = true };
	struct log_stats before, after;
	unsigned lines;

	to_stderr(LOG_LEVEL_INFO, false);
	log_stats(&before);
	for (int i = 0; i < 100; i++)
		log_say(&site, LOG_LEVEL_INFO, NULL, "%d", i);
	log_stats(&after);
	lines = count_lines(caught());
	/* A second may have ended in between. */
	ck_assert_uint_ge(lines, 1);
	ck_assert_uint_le(lines, 3);
	ck_assert_uint_eq(after.held_back - before.held_back + lines, 100);
	ck_assert_uint_eq(after.lines - before.lines, lines);

	atomic_store(&site.held_back, 7);
	let_time_pass(&site);
	log_say(&site, LOG_LEVEL_INFO, NULL, "again");
	ck_assert_str_eq(caught(), "again (7 more like this before)\n");
	ck_assert_uint_eq(atomic_load(&site.held_back), 0);

	/* What the level drops does not count as held back. */
	log_say(&site, LOG_LEVEL_DEBUG, NULL, "quiet");
	ck_assert_uint_eq(atomic_load(&site.held_back), 0);
}
END_TEST

START_TEST(who_is_silent_since_is_told_of)
{
	static struct log_site site = { .file = "recursor/other.c", .is_limited = true };

	to_stderr(LOG_LEVEL_INFO, false);
	atomic_store(&site.window, UINT64_MAX); /* it has spoken, and will for a while */
	site.is_limited = false;
	log_set_rate(1);
	log_say(&site, LOG_LEVEL_INFO, NULL, "first");
	for (int i = 0; i < 3; i++)
		log_say(&site, LOG_LEVEL_INFO, NULL, "%s asks", "somebody");
	(void)caught();
	atomic_store(&site.held_back, 3);
	let_time_pass(&site);
	log_tick();
	ck_assert_str_eq(caught(), "3 more lines like \"%s asks\" were held back\n");
	log_tick();
	ck_assert_str_eq(caught(), "");
}
END_TEST

START_TEST(the_rate_is_a_setting)
{
	static struct log_site one = { .file = "a.c" }, two = { .file = "b.c" };
	unsigned lines;

	to_stderr(LOG_LEVEL_INFO, false);
	log_set_rate(5);
	for (int i = 0; i < 50; i++)
		log_say(&one, LOG_LEVEL_INFO, NULL, "x");
	lines = count_lines(caught());
	ck_assert_uint_ge(lines, 5);
	ck_assert_uint_le(lines, 15);
	log_set_rate(0);
	for (int i = 0; i < 50; i++)
		log_say(&two, LOG_LEVEL_INFO, NULL, "y");
	ck_assert_uint_eq(count_lines(caught()), 50);
	/* A list of the operator's is not cut short. */
	log_set_rate(1);
	for (int i = 0; i < 50; i++)
		log_line(LOG_LEVEL_INFO, NULL, NULL, "z");
	ck_assert_uint_eq(count_lines(caught()), 50);
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

	to_stderr(LOG_LEVEL_INFO, false); /* at no rate */
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

/* ---- destinations ---- */

START_TEST(a_pipe_that_nobody_reads)
{
	struct log_stats before, after;
	char text[LOG_LINE_MAX];

	to_stderr(LOG_LEVEL_INFO, false);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* Nobody waits who answers clients; this returns or the test's time is over. */
	log_thread_is_worker(3);
	log_stats(&before);
	for (int i = 0; i < 200; i++)
		log_line(LOG_LEVEL_INFO, NULL, NULL, "%s", text);
	log_stats(&after);
	log_thread_is_worker(0);
	ck_assert_uint_gt(after.lost, before.lost);
	ck_assert_uint_eq(after.lost - before.lost + after.lines - before.lines, 200);
}
END_TEST

START_TEST(lines_go_to_syslog)
{
	int fd = listen_there(), again, pid, n = 0;
	struct log_options o = {
		.use_syslog = true,
		.level = LOG_LEVEL_INFO,
		.facility = LOG_LOCAL3,
		.ident = "tested",
		.syslog_path = socket_path,
	};
	char month[4], clock[9], day[4], rest[64];
	struct log_stats before, after;

	log_configure(&o);
	log_warning("to you\nand me");
	ck_assert_int_eq(sscanf(received(fd), "<156>%3s %3s %8s tested[%d]: %n%63[^\n]", month, day,
				clock, &pid, &n, rest),
			 5);
	ck_assert_int_eq(pid, getpid());
	ck_assert_str_eq(rest, "to you?and me");
	ck_assert_str_eq(caught(), "");

	/* It ends, and begins again. */
	(void)close(fd);
	log_stats(&before);
	log_warning("lost");
	log_stats(&after);
	ck_assert_uint_eq(after.lost, before.lost + 1);
	again = listen_there();
	log_warning("back");
	ck_assert_ptr_nonnull(strstr(received(again), "]: back"));
	(void)close(again);
}
END_TEST

START_TEST(lines_go_to_the_journal)
{
	int fd = listen_there();
	struct log_options o = {
		.use_journal = true,
		.use_stderr = true,
		.level = LOG_LEVEL_INFO,
		.facility = LOG_DAEMON,
		.ident = "tested",
		.journal_path = socket_path,
	};

	log_configure(&o);
	log_with(LOG_LEVEL_NOTICE, LOG_FIELDS(LOG_TEXT("client", "192.0.2.1"), LOG_NUMBER("n", 7)),
		 "it is %d", 3);
	ck_assert_str_eq(received(fd), "PRIORITY=5\nSYSLOG_IDENTIFIER=tested\nSYSLOG_FACILITY=3\n"
				       "TID=0\nSUBSYSTEM=test_log\nMESSAGE=it is 3\n"
				       "CLIENT=192.0.2.1\nN=7\n");
	ck_assert_str_eq(caught(), "");
	/* When it is not there somebody has to hear of it all the same. */
	(void)close(fd);
	log_notice("heard");
	ck_assert_str_eq(caught(), "heard\n");
}
END_TEST

static int fail_a_check(void)
{
	ASSERT(reading < 0);
	return 0;
}

START_TEST(failed_checks_are_told)
{
	struct log_options o = {
		.use_syslog = true,
		.level = LOG_LEVEL_NOTICE,
		.facility = LOG_DAEMON,
		.ident = "rec",
		.syslog_path = socket_path,
		.journal_path = socket_path,
	};
	int fd = listen_there();
	const char *text;

	log_configure(&o);
	ck_assert_int_eq(in_child(fail_a_check), 200 + SIGABRT);
	text = received(fd);
	ck_assert_ptr_eq(strstr(text, "<26>rec["), text);
	ck_assert_ptr_nonnull(strstr(text, "]: assertion failed: reading < 0 at "));
	ck_assert_ptr_null(strchr(text, '\n'));
	o.use_journal = true;
	log_configure(&o);
	ck_assert_int_eq(in_child(fail_a_check), 200 + SIGABRT);
	text = received(fd);
	ck_assert_ptr_nonnull(strstr(text, "PRIORITY=2\nSYSLOG_IDENTIFIER=rec\nSYSLOG_FACILITY=3\n"
					   "MESSAGE=assertion failed: reading < 0 at "));
	ck_assert_str_eq(text + strlen(text) - 1, "\n");
	ck_assert_str_eq(received(fd), "");
	(void)close(fd);
}
END_TEST

START_TEST(lines_are_objects)
{
	struct log_options o = { .use_stderr = true,
				 .level = LOG_LEVEL_INFO,
				 .form = LOG_FORM_JSON };
	json_t *line;

	log_configure(&o);
	log_thread_is_worker(2);
	log_with(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_TEXT("file", "a\"b\n\xff"), LOG_BOOL("ok", false)),
		 "no %s", "luck");
	log_thread_is_worker(0);
	line = json_loads(caught(), 0, NULL);
	ck_assert_ptr_nonnull(line);
	ck_assert_str_eq(json_string_value(json_object_get(line, "msg")), "no luck");
	ck_assert_str_eq(json_string_value(json_object_get(line, "prio")), "Error");
	ck_assert_str_eq(json_string_value(json_object_get(line, "subsystem")), "test_log");
	ck_assert_str_eq(json_string_value(json_object_get(line, "file")), "a\"b\n\xef\xbf\xbd");
	ck_assert_int_eq(json_integer_value(json_object_get(line, "tid")), 2);
	ck_assert(json_is_false(json_object_get(line, "ok")));
	json_decref(line);
}
END_TEST

Suite *suite_log(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, catch_stderr, release_stderr);
	tcase_add_test(tc, before_configuring);
	tcase_add_test(tc, level_decides);
	tcase_add_test(tc, lost_lines_are_counted);
	tcase_add_test(tc, timestamps_stand_in_front);
	tcase_add_test(tc, lines_cannot_be_forged);
	tcase_add_test(tc, long_lines_are_cut);
	tcase_add_test(tc, a_site_is_held_back);
	tcase_add_test(tc, who_is_silent_since_is_told_of);
	tcase_add_test(tc, the_rate_is_a_setting);
	tcase_add_test(tc, threads_do_not_mix);
	tcase_add_test(tc, a_pipe_that_nobody_reads);
	tcase_add_test(tc, lines_go_to_syslog);
	tcase_add_test(tc, lines_go_to_the_journal);
	tcase_add_test(tc, failed_checks_are_told);
	tcase_add_test(tc, lines_are_objects);
	suite_add_tcase(s, tc);
	return s;
}
