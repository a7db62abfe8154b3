/* The handler threads: whatever may wait. */
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "recursor/watch/web/web_impl.h"

static struct exchange *next(struct web *w)
{
	struct exchange *x = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping && TAILQ_EMPTY(&w->waiting))
		pthread_cond_wait(&w->more, &w->lock);
	if (!w->stopping) {
		x = TAILQ_FIRST(&w->waiting);
		TAILQ_REMOVE(&w->waiting, x, queue);
	}
	pthread_mutex_unlock(&w->lock);
	return x;
}

static void give_back(struct web *w, struct exchange *x)
{
	uint64_t one = 1;

	pthread_mutex_lock(&w->lock);
	TAILQ_INSERT_TAIL(&w->done, x, queue);
	pthread_mutex_unlock(&w->lock);
	/* It cannot fail: the counter holds more than one a connection. */
	if (write(w->done_fd, &one, sizeof(one)) < 0)
		log_error("webserver: an answer waits for the next connection");
}

static void *handle(void *arg)
{
	struct web *w = arg;
	struct exchange *x;

	while ((x = next(w)) != NULL) {
		exchange_work(x);
		give_back(w, x);
	}
	return NULL;
}

int web_work_start(struct web *w)
{
	int failed = 0;

	while (w->n_handlers < WEB_THREADS && failed == 0) {
		failed = pthread_create(&w->handlers[w->n_handlers], NULL, handle, w);
		w->n_handlers += failed == 0;
	}
	/* One is enough to serve. */
	return w->n_handlers > 0 ? E_OK : E_SYSTEM;
}

void web_work_stop(struct web *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_handlers; i++)
		pthread_join(w->handlers[i], NULL);
	w->n_handlers = 0;
	TAILQ_CONCAT(&w->done, &w->waiting, queue);
}

void web_work_add(struct web *w, struct exchange *x)
{
	pthread_mutex_lock(&w->lock);
	TAILQ_INSERT_TAIL(&w->waiting, x, queue);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

struct exchange *web_work_take(struct web *w)
{
	struct exchange *x;

	pthread_mutex_lock(&w->lock);
	x = TAILQ_FIRST(&w->done);
	if (x != NULL)
		TAILQ_REMOVE(&w->done, x, queue);
	pthread_mutex_unlock(&w->lock);
	return x;
}
