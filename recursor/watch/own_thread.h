/*
 * own_thread: the life of a thread that works by itself, now and then, until it is told to end.
 *
 *     own_thread_init(&t);
 *     own_thread_start(&t, run, ctx, "rec/name");
 *         run: do ... while (own_thread_wait(&t, ms));      or waits for t.stop_fd beside others
 *     own_thread_stop(&t);                                  and joins
 *     own_thread_deinit(&t);
 *
 * It gets no signals.
 */
#ifndef WATCH_OWN_THREAD_H
#define WATCH_OWN_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct own_thread {
	pthread_t thread;
	bool started;
	int stop_fd; /* readable from own_thread_stop() on */
};

int own_thread_init(struct own_thread *t) MUST_USE; /* E_SYSTEM: no descriptor */
int own_thread_start(struct own_thread *t, void *(*run)(void *ctx), void *ctx,
		     const char *name) MUST_USE;
/* Does nothing when it was not started. */
void own_thread_stop(struct own_thread *t);
void own_thread_deinit(struct own_thread *t);

/* False: it is time to end. */
bool own_thread_wait(const struct own_thread *t, uint64_t ms);

#endif
