/* log_terminal: see log_terminal.h. */
#include "common/log_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/log_sink.h"

/* The thread's own: should it be left behind, stderr may be another file by then. */
struct carrier {
	int terminal, from;
	int ending; /* closed last */
};

static int into = -1,
	   ended = -1; /* the pipe, and what tells that the thread has ended; -1: no thread */

/* Somebody else may have set the terminal to non-blocking mode. */
static bool write_all(int fd, const char *text, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			(void)poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void carrier_free(struct carrier *c)
{
	if (c == NULL)
		return;
	close_end(&c->from);
	close_end(&c->terminal);
	close_end(&c->ending);
	free(c);
}

static void *carry(void *arg)
{
	struct carrier *c = arg;
	char text[LOG_RECORD_MAX];
	ssize_t n;

	do {
		n = read(c->from, text, sizeof(text));
	} while (n > 0 ? write_all(c->terminal, text, (size_t)n) : n < 0 && errno == EINTR);
	carrier_free(c);
	return NULL;
}

/* Signals are the main thread's. */
static bool start_thread(struct carrier *c)
{
	sigset_t all, before;
	pthread_t thread;
	bool started;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, carry, c) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!started)
		return false;
	(void)pthread_setname_np(thread, "rec/terminal");
	(void)pthread_detach(thread);
	return true;
}

/* NULL: no memory, or no descriptors. */
static struct carrier *carrier_new(void)
{
	struct carrier *c = malloc(sizeof(*c));
	int lines[2] = { -1, -1 }, end[2] = { -1, -1 };

	if (c == NULL)
		return NULL;
	if (pipe2(lines, O_CLOEXEC) == 0 && pipe2(end, O_CLOEXEC) != 0)
		end[0] = end[1] = -1;
	into = lines[1];
	ended = end[0];
	*c = (struct carrier) {
		.terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0),
		.from = lines[0],
		.ending = end[1],
	};
	if (c->terminal >= 0 && c->ending >= 0)
		return c;
	carrier_free(c);
	return NULL;
}

void log_terminal_begin(void)
{
	struct carrier *c;

	if (isatty(STDERR_FILENO) != 1)
		return;
	c = carrier_new();
	if (c != NULL && start_thread(c)) {
		log_sink_set_stderr(into);
		return;
	}
	carrier_free(c);
	close_end(&into);
	close_end(&ended);
}

void log_terminal_end(int patience_ms)
{
	struct pollfd p = { .fd = ended, .events = POLLIN };

	if (into < 0)
		return;
	log_sink_set_stderr(-1);
	close_end(&into);
	if (poll(&p, 1, patience_ms) > 0)
		log_sink_set_stderr(STDERR_FILENO);
	close_end(&ended);
}
