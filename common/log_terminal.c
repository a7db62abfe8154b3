/* log_terminal: see log_terminal.h. */
#include "common/log_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/log_sink.h"

/* The thread's; should it be left behind, stderr may be another file by then. */
static struct {
	int terminal, from;
} ends;
static pthread_t thread;
static int into = -1; /* the pipe; -1: no thread copies */

/* Somebody else may have set the terminal to non-blocking mode. */
static bool write_all(const char *text, size_t len)
{
	struct pollfd p = { .fd = ends.terminal, .events = POLLOUT };

	while (len > 0) {
		ssize_t n = write(ends.terminal, text, len);

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

static void close_ends(void)
{
	(void)close(ends.from);
	(void)close(ends.terminal);
}

static void *copy(void *arg)
{
	char text[LOG_RECORD_MAX];
	ssize_t n;

	(void)arg;
	do {
		n = read(ends.from, text, sizeof(text));
	} while (n > 0 ? write_all(text, (size_t)n) : n < 0 && errno == EINTR);
	close_ends();
	return NULL;
}

/* Signals are the main thread's. */
static bool start_thread(void)
{
	sigset_t all, before;
	bool started;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, copy, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		(void)pthread_setname_np(thread, "rec/terminal");
	return started;
}

void log_terminal_begin(void)
{
	int fds[2];

	if (isatty(STDERR_FILENO) != 1 || pipe2(fds, O_CLOEXEC) != 0)
		return;
	ends.from = fds[0];
	ends.terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	if (ends.terminal < 0 || !start_thread()) {
		close_ends();
		(void)close(fds[1]);
		return;
	}
	into = fds[1];
	log_sink_set_stderr(into);
}

void log_terminal_end(int patience_ms)
{
	struct timespec until;

	if (into < 0)
		return;
	log_sink_set_stderr(-1);
	(void)close(into);
	into = -1;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += patience_ms / 1000;
	until.tv_nsec += patience_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		log_sink_set_stderr(STDERR_FILENO);
	else
		(void)pthread_detach(thread);
}
