#include "recursor/watch/own_thread.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/check.h"

int own_thread_init(struct own_thread *t)
{
	*t = (struct own_thread) { .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	return t->stop_fd < 0 ? E_SYSTEM : E_OK;
}

int own_thread_start(struct own_thread *t, void *(*run)(void *ctx), void *ctx, const char *name)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	t->started = pthread_create(&t->thread, NULL, run, ctx) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!t->started)
		return E_SYSTEM;
	(void)pthread_setname_np(t->thread, name);
	return E_OK;
}

void own_thread_stop(struct own_thread *t)
{
	uint64_t one = 1;

	if (!t->started)
		return;
	/* It cannot fail: the counter holds more than 1. */
	ASSERT(write(t->stop_fd, &one, sizeof(one)) == sizeof(one));
	pthread_join(t->thread, NULL);
	t->started = false;
}

void own_thread_deinit(struct own_thread *t)
{
	if (t->stop_fd >= 0)
		(void)close(t->stop_fd);
	t->stop_fd = -1;
}

bool own_thread_wait(const struct own_thread *t, uint64_t ms)
{
	struct pollfd p = { .fd = t->stop_fd, .events = POLLIN };

	(void)poll(&p, 1, ms < INT_MAX ? (int)ms : INT_MAX);
	return p.revents == 0;
}
