#include "recursor/watch/wiper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/name.h"
#include "recursor/watch/wipe.h"

struct wiper {
	const struct watch_env *env;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stop;
	unsigned first, n; /* a ring */
	uint8_t names[WIPER_MAX][NAME_MAX_LEN];
};

int wiper_new(struct wiper **out)
{
	struct wiper *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return E_NOMEM;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	*out = w;
	return E_OK;
}

static void wipe_one(const struct wiper *w, const uint8_t *zone)
{
	struct wiped sum = { 0 };
	char text[NAME_TEXT_MAX];

	wipe_name(w->env, zone, true, 0, &sum);
	(void)name_to_text(text, zone);
	log_with(LOG_LEVEL_INFO,
		 LOG_FIELDS(LOG_TEXT("zone", text), LOG_NUMBER("records", sum.records),
			    LOG_NUMBER("negative", sum.negative),
			    LOG_NUMBER("packets", sum.packets)),
		 "NOTIFY for %s: wiped %zu records, %zu negative records, %zu packets", text,
		 sum.records, sum.negative, sum.packets);
}

static void *run(void *ctx)
{
	struct wiper *w = ctx;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		uint8_t zone[NAME_MAX_LEN];

		if (w->n == 0) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		/* Taken off first: what changes while we wipe is to be wiped again. */
		name_copy(zone, w->names[w->first]);
		w->first = (w->first + 1) % WIPER_MAX;
		w->n--;
		pthread_mutex_unlock(&w->lock);
		wipe_one(w, zone);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int wiper_start(struct wiper *w, const struct watch_env *env)
{
	sigset_t all, before;

	w->env = env;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	w->started = pthread_create(&w->thread, NULL, run, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w->started ? E_OK : E_SYSTEM;
}

void wiper_stop(struct wiper *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
}

void wiper_free(struct wiper *w)
{
	if (w == NULL)
		return;
	wiper_stop(w);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

bool wiper_post(struct wiper *w, const uint8_t *zone)
{
	bool waits = false;

	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < w->n && !waits; i++)
		waits = name_equal(w->names[(w->first + i) % WIPER_MAX], zone);
	if (!waits && w->n < WIPER_MAX) {
		name_copy(w->names[(w->first + w->n++) % WIPER_MAX], zone);
		waits = true;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return waits;
}
