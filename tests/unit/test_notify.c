#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "recursor/host/notify.h"

static int receiver = -1;
static char name[80];

static void listen_at(const char *text)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(text);

	memcpy(at.sun_path, text, len);
	if (text[0] == '@')
		at.sun_path[0] = '\0';
	receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(receiver, 0);
	ck_assert_int_eq(bind(receiver, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", text, 1), 0);
}

static const char *received(void)
{
	static char text[200];
	ssize_t n = recv(receiver, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void tell_all(void)
{
	char ready[64];

	notify_open();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_str_eq(received(), "");
	notify_ready();
	(void)snprintf(ready, sizeof(ready), "READY=1\nMAINPID=%ld", (long)getpid());
	ck_assert_str_eq(received(), ready);
	notify_extend(90000);
	ck_assert_str_eq(received(), "EXTEND_TIMEOUT_USEC=90000000");
	notify_stopping();
	ck_assert_str_eq(received(), "STOPPING=1");
	notify_close();
	notify_stopping();
	ck_assert_str_eq(received(), "");
	(void)close(receiver);
}

START_TEST(tells_a_path)
{
	(void)snprintf(name, sizeof(name), "/tmp/unit_notify_%ld", (long)getpid());
	listen_at(name);
	tell_all();
	(void)unlink(name);
}
END_TEST

START_TEST(tells_an_abstract_name)
{
	(void)snprintf(name, sizeof(name), "@unit_notify_%ld", (long)getpid());
	listen_at(name);
	tell_all();
}
END_TEST

START_TEST(a_watchdog_is_fed)
{
	char pid[32];

	(void)snprintf(name, sizeof(name), "@unit_notify_%ld", (long)getpid());
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	listen_at(name);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_PID", pid, 1), 0);
	notify_open();
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_uint_eq(notify_watchdog_us(), 3000000);
	notify_watchdog();
	ck_assert_str_eq(received(), "WATCHDOG=1");
	notify_status("well");
	ck_assert_str_eq(received(), "STATUS=well");
	notify_close();
	ck_assert_uint_eq(notify_watchdog_us(), 0);
	(void)close(receiver);

	/* Somebody else's, or nonsense. */
	listen_at(name);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_PID", "1", 1), 0);
	notify_open();
	ck_assert_uint_eq(notify_watchdog_us(), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "-3", 1), 0);
	notify_open();
	ck_assert_uint_eq(notify_watchdog_us(), 0);
	notify_close();
	(void)close(receiver);
}
END_TEST

START_TEST(without_systemd_nothing_happens)
{
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	notify_open();
	notify_ready();
	notify_stopping();
	notify_close();
}
END_TEST

START_TEST(bad_names_do_no_harm)
{
	static const char *const names[] = { "", "/", "relative", "@", "/nowhere/socket" };
	char longer[200];

	log_set_level(LOG_LEVEL_CRIT);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		notify_open();
		notify_ready();
	}
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", longer, 1), 0);
	notify_open();
	notify_ready();
	notify_close();
	log_set_level(LOG_LEVEL_NOTICE);
}
END_TEST

Suite *suite_notify(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_test(tc, tells_a_path);
	tcase_add_test(tc, tells_an_abstract_name);
	tcase_add_test(tc, a_watchdog_is_fed);
	tcase_add_test(tc, without_systemd_nothing_happens);
	tcase_add_test(tc, bad_names_do_no_harm);
	suite_add_tcase(s, tc);
	return s;
}
