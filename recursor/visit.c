#include "recursor/visit.h"

#include <pthread.h>
#include <sched.h>

/* Lives on the stack of who waits for it. */
struct visit {
	struct worker *worker;
	void (*fn)(struct worker *w, void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

static void run_visit(void *ctx)
{
	struct visit *v = ctx;
	uint64_t began_us = loop_thread_cpu_us();

	v->fn(v->worker, v->arg);
	counter_max(&v->worker->counters.visit_max_us, loop_thread_cpu_us() - began_us);
	pthread_mutex_lock(&v->lock);
	v->done = true;
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

int visit_worker(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
	struct visit v = {
		.worker = w,
		.fn = fn,
		.arg = arg,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int err;

	if (!w->started)
		return E_SYSTEM;
	/* A full mailbox empties itself. */
	while ((err = loop_post(w->loop, run_visit, &v)) == E_LIMIT)
		(void)sched_yield();
	if (err != E_OK)
		return err;
	pthread_mutex_lock(&v.lock);
	while (!v.done)
		pthread_cond_wait(&v.changed, &v.lock);
	pthread_mutex_unlock(&v.lock);
	pthread_cond_destroy(&v.changed);
	pthread_mutex_destroy(&v.lock);
	return E_OK;
}
