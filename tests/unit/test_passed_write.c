#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "recursor/watch/passed_write.h"

enum { MUCH = 4 * 1024 * 1024 };

static struct passed_writer writer;

/* Bytes that are not the same everywhere. */
static const char *some_bytes(size_t at, size_t *len)
{
	static char bytes[5000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)((at + i) * 7 % 251);
	*len = sizeof(bytes);
	return bytes;
}

static size_t write_until_full(void)
{
	size_t done = 0, len;

	while (done < MUCH) {
		const char *data = some_bytes(done, &len);
		ssize_t n = passed_write(&writer, data, len);

		if (n < 0)
			break;
		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	ck_assert_uint_lt(done, MUCH);
	ck_assert_int_eq(errno, EAGAIN);
	return done;
}

static void expect(int fd, size_t at, size_t end)
{
	char got[4096];
	size_t len;

	while (at < end) {
		ssize_t n = read(fd, got, sizeof(got));

		ck_assert_int_gt(n, 0);
		ck_assert_mem_eq(got, some_bytes(at, &len), (size_t)n);
		at += (size_t)n;
	}
	ck_assert_uint_eq(at, end);
}

/* Both are in blocking mode: who waits for room does it for ever. */
static void fill_and_read(int into, int from)
{
	size_t done, more, len;
	char byte;

	ck_assert_int_eq(passed_writer_open(&writer, into), E_OK);
	done = write_until_full();
	ck_assert_uint_gt(done, 0);
	ck_assert_int_eq(passed_write(&writer, "x", 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	expect(from, 0, done);
	more = (size_t)passed_write(&writer, some_bytes(done, &len), 100);
	ck_assert_uint_eq(more, 100);
	expect(from, done, done + more);
	ck_assert_int_eq(fcntl(into, F_GETFL) & O_NONBLOCK, 0);
	/* And nothing of what did not fit is there. */
	ck_assert_int_eq(fcntl(from, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(read(from, &byte, 1), -1);
	(void)close(from);
	ck_assert_int_eq(passed_write(&writer, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	passed_writer_close(&writer);
	(void)close(into);
}

START_TEST(a_pipe)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fill_and_read(ends[1], ends[0]);
}
END_TEST

START_TEST(a_socket)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fill_and_read(ends[1], ends[0]);
}
END_TEST

START_TEST(a_file)
{
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(passed_writer_open(&writer, fileno(f)), E_OK);
	ck_assert_int_eq(passed_write(&writer, "text", 4), 4);
	ck_assert_int_eq(lseek(fileno(f), 0, SEEK_END), 4);
	passed_writer_close(&writer);
	(void)fclose(f);
}
END_TEST

START_TEST(what_is_none)
{
	ck_assert_int_eq(passed_writer_open(&writer, -1), E_SYSTEM);
}
END_TEST

/* As the daemon has it. */
static void ignore_sigpipe(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
}

static void heed_sigpipe(void)
{
	(void)signal(SIGPIPE, SIG_DFL);
}

Suite *suite_passed_write(void)
{
	Suite *s = suite_create("passed_write");
	TCase *tc = tcase_create("passed_write");

	tcase_set_timeout(tc, 10);
	tcase_add_checked_fixture(tc, ignore_sigpipe, heed_sigpipe);
	tcase_add_test(tc, a_pipe);
	tcase_add_test(tc, a_socket);
	tcase_add_test(tc, a_file);
	tcase_add_test(tc, what_is_none);
	suite_add_tcase(s, tc);
	return s;
}
