#include "recursor/host/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/log.h"

static int socket_fd = -1;
static uint64_t watchdog_us;

static int open_socket(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@')) {
		errno = EINVAL;
		return -1;
	}
	memcpy(to.sun_path, path, len);
	/* The abstract namespace begins with a zero byte, and has none at the end. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* WATCHDOG_PID names who is watched: not one who went to the background, so far. */
static uint64_t read_watchdog(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long number;

	if (us == NULL || conf_int(us, 1, INT64_MAX, &number) != E_OK)
		return 0;
	if (pid != NULL && strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	return (uint64_t)number;
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	watchdog_us = read_watchdog();
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	if (path == NULL)
		return;
	notify_close();
	socket_fd = open_socket(path);
	if (socket_fd < 0)
		log_warning("NOTIFY_SOCKET=%s: %s", path, strerror(errno));
	(void)unsetenv("NOTIFY_SOCKET");
}

static void tell(const char *text)
{
	if (socket_fd >= 0 && send(socket_fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		log_warning("telling systemd: %s", strerror(errno));
}

void notify_ready(void)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld", (long)getpid());
	tell(text);
}

void notify_status(const char *text)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "STATUS=%s", text);
	tell(line);
}

uint64_t notify_watchdog_us(void)
{
	return socket_fd >= 0 ? watchdog_us : 0;
}

void notify_watchdog(void)
{
	tell("WATCHDOG=1");
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_extend(uint64_t ms)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%llu",
		       (unsigned long long)ms * 1000);
	tell(text);
}

void notify_close(void)
{
	if (socket_fd >= 0)
		(void)close(socket_fd);
	socket_fd = -1;
}
