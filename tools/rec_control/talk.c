/* talk: see talk.h. */
#include "tools/rec_control/talk.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/ctl.h"
#include "common/err.h"

uint64_t talk_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int talk_connect(const char *path, int timeout_ms)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -1;
	strcpy(sun.sun_path, path); /* ctl_socket_path() saw to it that it fits */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	error = errno == EAGAIN ? ETIMEDOUT : errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* A daemon that refuses without reading to the end may be gone before all is sent; its answer
 * is there nevertheless. */
static bool send_all(int fd, const void *data, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, (const char *)data + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return errno == EPIPE;
		if (n > 0)
			sent += (size_t)n;
	}
	return true;
}

static bool send_descriptor(int fd, int passed)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char x = 'X';
	struct iovec iov = { .iov_base = &x, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &passed, sizeof(int));
	return sendmsg(fd, &m, MSG_NOSIGNAL) == 1 || errno == EPIPE;
}

/* talk_connect() has set how long is waited for room. */
static const char *send_error(void)
{
	return errno == EAGAIN ? "Timeout sending to the control channel" : strerror(errno);
}

/* What went wrong, or NULL. */
static const char *receive(int fd, void *buf, size_t len, uint64_t until_ms)
{
	for (size_t got = 0; got < len;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = talk_now_ms();
		int wait = until_ms == UINT64_MAX ? -1
			   : now >= until_ms      ? 0
						  : (int)(until_ms - now);
		int ready = poll(&p, 1, wait);
		ssize_t n;

		if (ready == 0)
			return "Timeout waiting for control channel data";
		n = ready < 0 ? -1 : recv(fd, (char *)buf + got, len - got, 0);
		if (n == 0)
			return "The control channel was closed before the answer was complete";
		if (n < 0 && errno != EINTR)
			return strerror(errno);
		if (n > 0)
			got += (size_t)n;
	}
	return NULL;
}

static const char *receive_reply(int fd, uint64_t until_ms, struct talk_reply *r)
{
	uint8_t head[CTL_HEADER_LEN];
	struct ctl_header h;
	const char *wrong = receive(fd, head, sizeof(head), until_ms);

	if (wrong != NULL)
		return wrong;
	if (ctl_get_header(head, CTL_REPLY_MAX, &h) != E_OK)
		return "The answer is no recursor's";
	r->text = malloc(h.length + 1);
	if (r->text == NULL)
		return err_text(E_NOMEM);
	r->status = h.status;
	r->len = h.length;
	r->text[r->len] = '\0';
	return receive(fd, r->text, r->len, until_ms);
}

const char *talk(int fd, const char *text, size_t len, int file, uint64_t until_ms,
		 struct talk_reply *reply)
{
	struct ctl_header h = { .length = len };
	uint8_t head[CTL_HEADER_LEN];

	ctl_put_header(head, &h);
	if (!send_all(fd, head, sizeof(head)) || !send_all(fd, text, len))
		return send_error();
	if (file >= 0 && !send_descriptor(fd, file))
		return send_error();
	return receive_reply(fd, until_ms, reply);
}
