/* log_sink: see log_sink.h. */
#include "common/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int stderr_fd = STDERR_FILENO;
static atomic_bool stderr_is_stalled;
static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_ready(int fd, int patience_ms, atomic_bool *is_stalled)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	bool ready = poll(&p, 1, atomic_load(is_stalled) ? 0 : patience_ms) > 0;

	if (ready || patience_ms > 0)
		atomic_store(is_stalled, !ready);
	return ready;
}

static bool connect_again(struct log_sink *s)
{
	return connect(atomic_load(&s->fd), (const struct sockaddr *)&s->to, sizeof(s->to)) == 0;
}

bool log_sink_open(struct log_sink *s, const char *path)
{
	int fd;

	log_sink_close(s);
	if (strlen(path) >= sizeof(s->to.sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	s->to = (struct sockaddr_un) { .sun_family = AF_UNIX };
	strcpy(s->to.sun_path, path);
	atomic_store(&s->is_stalled, false);
	atomic_store(&s->fd, fd);
	return connect_again(s);
}

void log_sink_close(struct log_sink *s)
{
	int fd = atomic_exchange(&s->fd, -1);

	if (fd >= 0)
		(void)close(fd);
}

/* Is it that nobody is there?  A name that is gone, a socket that was closed. */
static bool is_gone(int error)
{
	return error == ENOTCONN || error == ECONNREFUSED || error == ECONNRESET ||
	       error == EDESTADDRREQ || error == EPIPE;
}

bool log_sink_send(struct log_sink *s, struct iovec *parts, size_t n, int patience_ms)
{
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = n };
	int fd = atomic_load(&s->fd);

	if (fd < 0)
		return false;
	for (unsigned tries = 0; tries < 3; tries++) {
		if (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
			atomic_store(&s->is_stalled, false);
			return true;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == ENOBUFS) {
			if (!is_ready(fd, patience_ms, &s->is_stalled))
				return false;
		} else if (!is_gone(errno) || !connect_again(s)) {
			return false;
		}
	}
	return false;
}

/* One write(2) a line.  Where poll(2) sees room in a pipe there is some for PIPE_BUF bytes, one line
 * (log.c): a second one behind the same look would wait in the kernel for the reader.  So nobody
 * waits under the lock; a terminal, of which that does not hold, has a pipe of its own before it
 * (log_terminal.h). */
bool log_sink_stderr(const char *line, size_t len, int patience_ms)
{
	bool taken;

	if (patience_ms > 0 && !is_ready(stderr_fd, patience_ms, &stderr_is_stalled))
		return false;
	pthread_mutex_lock(&stderr_lock);
	taken = is_ready(stderr_fd, 0, &stderr_is_stalled) &&
		write(stderr_fd, line, len) == (ssize_t)len;
	pthread_mutex_unlock(&stderr_lock);
	return taken;
}

void log_sink_set_stderr(int fd)
{
	pthread_mutex_lock(&stderr_lock);
	atomic_store(&stderr_fd, fd);
	atomic_store(&stderr_is_stalled, false);
	pthread_mutex_unlock(&stderr_lock);
}
