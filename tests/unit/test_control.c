#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/ctl.h"
#include "common/log.h"
#include "fake_env.h"
#include "recursor/watch/control.h"
#include "tests/unit/terminal.h"

static struct fake_env env;
static char dir[32], path[64];
static struct control *control;

static void open_all(void)
{
	struct control_options o = { .path = path, .mode = "0620" };
	char why[512] = "";

	fake_env_open(&env);
	strcpy(dir, "/tmp/control.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.controlsocket", dir);
	ck_assert_msg(control_open(&control, &o, why, sizeof(why)) == E_OK, "%s", why);
	ck_assert_int_eq(control_start(control, &env.env), E_OK);
}

static void close_all(void)
{
	control_stop(control);
	fake_env_close(&env);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int connect_to_it(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void send_request(int fd, const char *text)
{
	struct ctl_header h = { .length = strlen(text) };
	uint8_t head[CTL_HEADER_LEN];

	ctl_put_header(head, &h);
	ck_assert_int_eq(send(fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
	if (h.length > 0)
		ck_assert_int_eq(send(fd, text, h.length, MSG_NOSIGNAL), (ssize_t)h.length);
}

static void send_descriptors(int fd, const int *passed, size_t n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} buf = { 0 };
	char x = 'X';
	struct iovec iov = { .iov_base = &x, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &buf };
	struct cmsghdr *cm;

	m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	cm = CMSG_FIRSTHDR(&m);
	ck_assert_ptr_nonnull(cm);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cm), passed, n * sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &m, MSG_NOSIGNAL), 1);
}

/* Reads the reply up to the end of the connection. */
static void expect_reply(int fd, int status, const char *text)
{
	uint8_t head[CTL_HEADER_LEN];
	struct ctl_header h;
	char got[4096];

	ck_assert_int_eq(recv(fd, head, sizeof(head), MSG_WAITALL), sizeof(head));
	ck_assert_int_eq(ctl_get_header(head, sizeof(got) - 1, &h), E_OK);
	ck_assert_int_eq(recv(fd, got, h.length, MSG_WAITALL), (ssize_t)h.length);
	got[h.length] = '\0';
	ck_assert_str_eq(got, text);
	ck_assert_int_eq(h.status, status);
	ck_assert_int_eq(recv(fd, got, 1, 0), 0);
	close(fd);
}

static void expect_closed(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	ck_assert_msg(n == 0 || (n < 0 && errno == ECONNRESET), "it is still open");
	close(fd);
}

START_TEST(a_command_is_answered)
{
	int fd = connect_to_it();

	send_request(fd, "ping");
	expect_reply(fd, 0, "pong worker-0\npong worker-1\n");
	fd = connect_to_it();
	send_request(fd, "frob");
	expect_reply(fd, 1, "Unknown command 'frob', try 'help'\n");
	fd = connect_to_it();
	send_request(fd, "");
	expect_reply(fd, 1, "invalid command\n");
}
END_TEST

START_TEST(the_socket_has_the_mode_asked_for)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0620);
}
END_TEST

START_TEST(pieces_are_put_together)
{
	struct ctl_header h = { .length = 4 };
	uint8_t head[CTL_HEADER_LEN];
	int fd = connect_to_it();

	ctl_put_header(head, &h);
	for (size_t i = 0; i < sizeof(head); i++)
		ck_assert_int_eq(send(fd, head + i, 1, 0), 1);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(send(fd, &"ping"[i], 1, 0), 1);
	expect_reply(fd, 0, "pong worker-0\npong worker-1\n");
}
END_TEST

START_TEST(what_is_no_request_is_hung_up_on)
{
	uint8_t head[CTL_HEADER_LEN];
	struct ctl_header h = { .length = CTL_REQUEST_MAX + 1 };
	int fd = connect_to_it();

	ctl_put_header(head, &h);
	ck_assert_int_eq(send(fd, head, sizeof(head), 0), sizeof(head));
	expect_closed(fd);

	fd = connect_to_it();
	h.length = 100;
	ctl_put_header(head, &h);
	ck_assert_int_eq(send(fd, head, sizeof(head), 0), sizeof(head));
	shutdown(fd, SHUT_WR);
	expect_closed(fd);
}
END_TEST

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(a_dump_goes_to_the_descriptor_that_came)
{
	FILE *file = tmpfile();
	int passed = fileno(file), fd = connect_to_it();
	char line[64];

	send_request(fd, "dump-throttlemap");
	send_descriptors(fd, &passed, 1);
	expect_reply(fd, 0, "dump-throttlemap: dumped 0 records\n");
	rewind(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	ck_assert_str_eq(line, "; throttle map dump follows\n");
	fclose(file);
}
END_TEST

/* It could hold a thread as long as nobody reads. */
START_TEST(a_terminal_is_refused)
{
	int master, passed = terminal_open(&master), fd = connect_to_it();

	send_request(fd, "dump-throttlemap");
	send_descriptors(fd, &passed, 1);
	expect_reply(fd, 1,
		     "dump-throttlemap: the daemon takes no terminal, which its own rec_control "
		     "does not pass; put a pipe between, as in `rec_control ... | cat`\n");
	close(passed);
	close(master);
}
END_TEST

START_TEST(descriptors_too_many_are_closed)
{
	FILE *file = tmpfile();
	int passed[4], fd = connect_to_it();
	unsigned before = open_descriptors();

	for (size_t i = 0; i < 4; i++)
		passed[i] = fileno(file);
	send_request(fd, "dump-throttlemap");
	send_descriptors(fd, passed, 4);
	expect_reply(fd, 0, "dump-throttlemap: dumped 0 records\n");
	ck_assert_uint_le(open_descriptors(), before); /* ours of the connection is closed too */
	fclose(file);
}
END_TEST

START_TEST(a_dump_without_descriptor_is_refused)
{
	int fd = connect_to_it();

	send_request(fd, "dump-throttlemap");
	ck_assert_int_eq(send(fd, "X", 1, 0), 1);
	expect_reply(fd, 1, "dump-throttlemap: no file came with it\n");
}
END_TEST

START_TEST(a_silent_peer_keeps_nobody_waiting)
{
	int idle[CONTROL_THREADS - 1];
	int fd;

	for (size_t i = 0; i < CONTROL_THREADS - 1; i++)
		idle[i] = connect_to_it();
	fd = connect_to_it();
	send_request(fd, "version");
	recv(fd, &(char) { 0 }, 1, 0);
	close(fd);
	fd = connect_to_it();
	send_request(fd, "ping");
	expect_reply(fd, 0, "pong worker-0\npong worker-1\n");
	for (size_t i = 0; i < CONTROL_THREADS - 1; i++)
		close(idle[i]);
}
END_TEST

START_TEST(quitting_is_told_after_the_reply)
{
	int fd = connect_to_it();

	log_set_level(LOG_LEVEL_WARNING);
	send_request(fd, "quit-nicely");
	expect_reply(fd, 0, "bye nicely\n");
	fd = connect_to_it();
	send_request(fd, "quit");
	expect_reply(fd, 0, "bye\n");
	ck_assert_uint_eq(env.quits, 1);
	ck_assert_uint_eq(env.quits_nicely, 1);
}
END_TEST

static void expect_refusal(const struct control_options *o, const char *part)
{
	struct control *c = NULL;
	char why[512] = "";

	ck_assert_int_ne(control_open(&c, o, why, sizeof(why)), E_OK);
	ck_assert_ptr_null(c);
	ck_assert_msg(strstr(why, part) != NULL, "'%s' says nothing of '%s'", why, part);
}

START_TEST(a_living_daemon_keeps_its_socket)
{
	struct control_options o = { .path = path };
	int fd;

	expect_refusal(&o, "somebody answers at");
	fd = connect_to_it();
	send_request(fd, "ping");
	expect_reply(fd, 0, "pong worker-0\npong worker-1\n");
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	char stale[80];
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char owner[24];
	struct control_options o = { .path = stale, .owner = owner, .group = NULL };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct control *c = NULL;
	struct stat st;
	char why[512];

	snprintf(stale, sizeof(stale), "%s/stale", dir);
	snprintf(owner, sizeof(owner), "0x%x", geteuid()); /* as the settings read a number */
	strcpy(sun.sun_path, stale);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	ck_assert_int_eq(control_open(&c, &o, why, sizeof(why)), E_OK);
	ck_assert_int_eq(lstat(stale, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	control_stop(c);
	ck_assert_int_ne(lstat(stale, &st), 0);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	char file[80];
	struct control_options o = { .path = file };
	int fd;

	snprintf(file, sizeof(file), "%s/file", dir);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	expect_refusal(&o, "exists and is no socket");
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(wrong_options_leave_nothing_behind)
{
	unsigned before = open_descriptors();
	char other[80], longer[200];
	struct stat st;

	snprintf(other, sizeof(other), "%s/other", dir);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	expect_refusal(&(struct control_options) { .path = other, .mode = "9" }, "socket-mode");
	expect_refusal(&(struct control_options) { .path = other, .mode = "07777" }, "socket-mode");
	expect_refusal(&(struct control_options) { .path = other, .owner = "no such" },
		       "socket-owner");
	expect_refusal(&(struct control_options) { .path = other, .group = "-1" }, "socket-group");
	expect_refusal(&(struct control_options) { .path = other, .owner = "4294967295" },
		       "socket-owner");
	expect_refusal(&(struct control_options) { .path = longer }, "longer than");
	expect_refusal(&(struct control_options) { .path = "/nowhere/x" },
		       "socket-dir '/nowhere/'");
	ck_assert_int_ne(lstat(other, &st), 0);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(another_daemons_socket_is_not_removed)
{
	struct stat st;
	int fd;

	ck_assert_int_eq(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	control_stop(control);
	control = NULL;
	ck_assert_int_eq(lstat(path, &st), 0);
}
END_TEST

START_TEST(who_is_being_served_is_told_of_the_end)
{
	int fd = connect_to_it();

	env.deaf = true;
	send_request(fd, "explain www.example.com");
	while (env.visits == 0)
		usleep(1000);
	control_stop(control);
	control = NULL;
	expect_reply(fd, 1, "given up: the daemon ends\n");
}
END_TEST

/* The fixture's end would take CONTROL_IO_MS for each, if they were waited for. */
START_TEST(stopping_waits_for_no_peer)
{
	for (int i = 0; i < CONTROL_THREADS + 2; i++)
		ck_assert_int_ge(connect_to_it(), 0);
}
END_TEST

Suite *suite_control(void)
{
	Suite *s = suite_create("control");
	TCase *t = tcase_create("control");

	tcase_add_checked_fixture(t, open_all, close_all);
	tcase_add_test(t, a_command_is_answered);
	tcase_add_test(t, the_socket_has_the_mode_asked_for);
	tcase_add_test(t, pieces_are_put_together);
	tcase_add_test(t, what_is_no_request_is_hung_up_on);
	tcase_add_test(t, a_dump_goes_to_the_descriptor_that_came);
	tcase_add_test(t, a_terminal_is_refused);
	tcase_add_test(t, descriptors_too_many_are_closed);
	tcase_add_test(t, a_dump_without_descriptor_is_refused);
	tcase_add_test(t, a_silent_peer_keeps_nobody_waiting);
	tcase_add_test(t, quitting_is_told_after_the_reply);
	tcase_add_test(t, a_living_daemon_keeps_its_socket);
	tcase_add_test(t, a_stale_socket_is_replaced);
	tcase_add_test(t, what_is_no_socket_is_left_alone);
	tcase_add_test(t, wrong_options_leave_nothing_behind);
	tcase_add_test(t, another_daemons_socket_is_not_removed);
	tcase_add_test(t, who_is_being_served_is_told_of_the_end);
	tcase_add_test(t, stopping_waits_for_no_peer);
	suite_add_tcase(s, t);
	return s;
}
