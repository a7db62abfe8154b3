#include "recursor/watch/health.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/name.h"
#include "common/rrtype.h"
#include "recursor/watch/lookup.h"
#include "recursor/watch/own_thread.h"

struct health {
	const struct watch_env *env;
	char test[NAME_TEXT_MAX + 32]; /* "": none */
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	struct own_thread thread;
	pthread_mutex_t lock; /* of what follows */
	uint64_t ended_ms;    /* the last test of a worker */
	bool tested, passed;
	char why[HEALTH_WHY_MAX - 100]; /* it did not */
};

int health_read_test(const char *text, uint8_t name[NAME_MAX_LEN], uint16_t *type)
{
	size_t len = strcspn(text, " \t");
	const char *rest = text + len + strspn(text + len, " \t");
	char copy[NAME_TEXT_MAX];

	if (len >= sizeof(copy))
		return E_MALFORMED;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (name_from_text(name, len == 0 ? "." : copy) != E_OK)
		return E_MALFORMED;
	*type = name[0] == 0 ? TYPE_NS : TYPE_A;
	return *rest == '\0' || rrtype_from_text(rest, type) == E_OK ? E_OK : E_MALFORMED;
}

/* ---- the thread ---- */

static void touch(void *arg, const struct watch_worker *w)
{
	(void)arg;
	(void)w;
}

/* Whether that worker answers; what is wrong goes to `why`. */
static bool test_worker(struct health *h, unsigned worker, char *why, size_t cap)
{
	struct lookup *l = NULL;
	unsigned rcode;
	int err;

	if (*h->test == '\0')
		return h->env->on_worker(h->env->ctx, worker, touch, NULL) == E_OK;
	err = lookup_new(&l, false);
	if (err == E_OK) {
		l->question.name = h->name;
		l->question.type = h->type;
		l->worker = worker;
		err = lookup_run(l, h->env, h->thread.stop_fd, HEALTH_WAIT_MS);
	}
	rcode = err == E_OK ? l->answer.rcode : 0;
	lookup_free(l);
	if (err == E_LIMIT)
		(void)snprintf(why, cap, "no answer for '%.200s' within %d ms", h->test,
			       HEALTH_WAIT_MS);
	else if (err != E_OK)
		(void)snprintf(why, cap, "'%.200s' cannot be asked for: %s", h->test,
			       err_text(err));
	else if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
		(void)snprintf(why, cap, "the answer for '%.200s' is an error, rcode %u", h->test,
			       rcode);
	else
		return true;
	return false;
}

static void note_end(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	h->ended_ms = h->env->now_ms(h->env->ctx);
	pthread_mutex_unlock(&h->lock);
}

static void test_all(struct health *h)
{
	char why[sizeof(h->why)] = "";
	bool passed = true;

	/* Many that each take their time are none that hangs. */
	for (unsigned i = 0; i < h->env->n_workers && passed; i++) {
		passed = test_worker(h, i, why, sizeof(why));
		note_end(h);
	}
	pthread_mutex_lock(&h->lock);
	if (h->tested && h->passed != passed)
		log_notice("health: %s", passed ? "the test question is answered again" : why);
	h->tested = true;
	h->passed = passed;
	memcpy(h->why, why, sizeof(h->why));
	pthread_mutex_unlock(&h->lock);
}

static void *watch_health(void *arg)
{
	struct health *h = arg;

	do {
		test_all(h);
	} while (own_thread_wait(&h->thread, HEALTH_EVERY_MS));
	return NULL;
}

int health_start(struct health **out, const struct watch_env *env, const char *test)
{
	struct health *h = calloc(1, sizeof(*h));
	int err = h == NULL ? E_NOMEM : health_read_test(test, h->name, &h->type);

	if (err != E_OK) {
		free(h);
		return err;
	}
	h->env = env;
	(void)snprintf(h->test, sizeof(h->test), "%s", test);
	h->ended_ms = env->now_ms(env->ctx);
	pthread_mutex_init(&h->lock, NULL);
	err = own_thread_init(&h->thread);
	if (err == E_OK)
		err = own_thread_start(&h->thread, watch_health, h, "rec/health");
	if (err == E_OK)
		*out = h;
	else
		health_stop(h);
	return err;
}

void health_stop(struct health *h)
{
	if (h == NULL)
		return;
	own_thread_stop(&h->thread);
	own_thread_deinit(&h->thread);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* ---- whoever asks ---- */

bool health_is_alive(struct health *h, char *why)
{
	uint64_t ended_ms, now_ms;

	pthread_mutex_lock(&h->lock);
	ended_ms = h->ended_ms;
	pthread_mutex_unlock(&h->lock);
	now_ms = h->env->now_ms(h->env->ctx);
	if (now_ms < ended_ms + HEALTH_HANGS_MS)
		return true;
	(void)snprintf(why, HEALTH_WHY_MAX, "a worker has not answered for %llu seconds",
		       (unsigned long long)(now_ms - ended_ms) / 1000);
	return false;
}

bool health_is_ready(struct health *h, char *why)
{
	const struct watch_env *env = h->env;
	bool ready = false;

	if (!health_is_alive(h, why))
		return false;
	pthread_mutex_lock(&h->lock);
	if (env->draining_since_ms(env->ctx) != 0)
		(void)snprintf(why, HEALTH_WHY_MAX, "draining");
	else if (!env->is_primed(env->ctx))
		(void)snprintf(why, HEALTH_WHY_MAX, "the root's name servers are not known yet");
	else if (!h->tested)
		(void)snprintf(why, HEALTH_WHY_MAX, "starting");
	else if (!h->passed)
		(void)snprintf(why, HEALTH_WHY_MAX, "%s", h->why);
	else
		ready = true;
	pthread_mutex_unlock(&h->lock);
	return ready;
}
