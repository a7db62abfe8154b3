#include "recursor/watch/lookup.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LATE_MS = 1000 };

int lookup_new(struct lookup **out, bool with_trace)
{
	struct lookup *l = calloc(1, sizeof(*l));
	int err = E_NOMEM;

	if (l == NULL)
		return err;
	atomic_init(&l->refs, 1);
	l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (with_trace)
		l->trace = calloc(1, sizeof(*l->trace));
	if (l->done_fd < 0)
		err = E_SYSTEM;
	else if (l->trace != NULL || !with_trace)
		err = E_OK;
	if (err == E_OK)
		*out = l;
	else
		lookup_free(l);
	return err;
}

void lookup_free(struct lookup *l)
{
	if (l == NULL || atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	for (size_t i = 0; i < l->answer.n_sets; i++)
		rrset_put(l->sets[i]);
	for (size_t i = 0; i < l->answer.n_authority; i++)
		rrset_put(l->authority[i]);
	free(l->sets);
	free(l->authority);
	if (l->done_fd >= 0)
		close(l->done_fd);
	free(l->trace);
	free(l);
}

/* ---- on the worker ---- */

/* References to `n` sets; NULL, and *n 0: no memory. */
static struct rrset **copy_sets(struct rrset *const *sets, size_t *n)
{
	struct rrset **copy = calloc(*n + 1, sizeof(struct rrset *));

	if (copy == NULL)
		*n = 0;
	for (size_t i = 0; i < *n; i++)
		copy[i] = rrset_get(sets[i]);
	return copy;
}

static void take_answer(void *ctx, const struct answer *a)
{
	struct lookup *l = ctx;
	uint64_t one = 1;

	l->request = NULL;
	l->answer = *a;
	l->answer.goal = NULL;
	l->answer.sets = l->sets = copy_sets(a->sets, &l->answer.n_sets);
	l->answer.authority = l->authority = copy_sets(a->authority, &l->answer.n_authority);
	atomic_store(&l->is_done, true);
	/* It cannot fail: the counter holds more than 1. */
	if (write(l->done_fd, &one, sizeof(one)) < 0)
		(void)one;
	lookup_free(l);
}

static void visit_ask(void *arg, const struct watch_worker *w)
{
	struct lookup *l = arg;
	struct request *request;

	atomic_fetch_add(&l->refs, 1);
	request = resolver_ask(w->resolver, &l->question, take_answer, l);
	if (!atomic_load(&l->is_done))
		l->request = request;
}

static void visit_cancel(void *arg, const struct watch_worker *w)
{
	struct lookup *l = arg;

	if (l->request == NULL)
		return;
	resolver_cancel(w->resolver, l->request);
	l->request = NULL;
	lookup_free(l);
}

/* ---- on the caller's thread ---- */

/* When it takes too long or the daemon ends, the request is taken back: after that nothing of the
 * lookup is written to any more.  (A worker that has stopped cancels nothing, but then it writes
 * nothing either, and its resolver's end gives its reference back.) */
int lookup_run(struct lookup *l, const struct watch_env *env, int stop_fd, int wait_ms)
{
	struct pollfd fds[2] = {
		{ .fd = l->done_fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	/* The request may outlive the caller's name. */
	name_copy(l->name, l->question.name);
	l->question.name = l->name;
	l->question.trace = l->trace;
	if (l->worker >= env->n_workers ||
	    env->on_worker(env->ctx, l->worker, visit_ask, l) != E_OK)
		return E_SYSTEM;
	(void)poll(fds, 2, wait_ms);
	if (atomic_load(&l->is_done))
		return E_OK;
	if (env->on_worker(env->ctx, l->worker, visit_cancel, l) == E_OK &&
	    atomic_load(&l->is_done))
		return E_OK;
	return fds[1].revents != 0 ? E_STOPPED : E_LIMIT;
}

int lookup_patience_ms(const struct watch_env *env)
{
	return (int)env->patience_ms(env->ctx) + LATE_MS;
}
