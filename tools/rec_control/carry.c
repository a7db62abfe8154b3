/* carry: see carry.h. */
#include "tools/rec_control/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ctl.h"

/* A shell may have left the terminal in non-blocking mode. */
static void wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	(void)poll(&p, 1, -1);
}

static ssize_t read_some(int fd, char *data, size_t len)
{
	for (;;) {
		ssize_t n = read(fd, data, len);

		if (n < 0 && errno == EAGAIN)
			wait_for(fd, POLLIN);
		else if (n >= 0 || errno != EINTR)
			return n;
	}
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			wait_for(fd, POLLOUT);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

static void *carry(void *arg)
{
	struct carry *c = arg;
	char data[16 * 1024];
	ssize_t n;

	do {
		n = read_some(c->from, data, sizeof(data));
	} while (n > 0 && write_all(c->to, data, (size_t)n));
	if (n != 0)
		c->error = errno;
	/* The daemon has to see the end, whichever it was. */
	(void)close(c->reads ? c->to : c->from);
	return NULL;
}

/* When the daemon has read enough there is still its reply to show. */
static int start_thread(struct carry *c)
{
	sigset_t pipe_signal, before;
	int rc;

	(void)sigemptyset(&pipe_signal);
	(void)sigaddset(&pipe_signal, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	rc = pthread_create(&c->thread, NULL, carry, c);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int open_stream(int ends[2])
{
	const ssize_t len = sizeof(CTL_END_MARK);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	return write(ends[0], CTL_END_MARK, (size_t)len) == len ? 0 : -1;
}

int carry_begin(struct carry *c, int fd, enum carry_kind kind)
{
	bool reads = kind == CARRY_READS;
	int ends[2];

	*c = (struct carry) { .passed = -1, .reads = reads };
	if (isatty(fd) != 1)
		return fd;
	if ((kind == CARRY_STREAM ? open_stream(ends) : pipe2(ends, O_CLOEXEC)) != 0)
		return -1;
	c->from = reads ? fd : ends[0];
	c->to = reads ? ends[1] : fd;
	c->passed = reads ? ends[0] : ends[1];
	errno = start_thread(c);
	if (errno != 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return -1;
	}
	c->is_carried = true;
	return c->passed;
}

void carry_let_go(struct carry *c)
{
	if (c->is_carried)
		(void)close(c->passed);
}

int carry_end(struct carry *c, bool wait)
{
	if (!c->is_carried)
		return 0;
	if (c->reads || !wait)
		(void)pthread_cancel(c->thread);
	(void)pthread_join(c->thread, NULL);
	return c->reads ? 0 : c->error;
}
