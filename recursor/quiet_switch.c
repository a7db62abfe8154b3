#include "recursor/quiet_switch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "common/log.h"
#include "recursor/reconfigure.h"
#include "recursor/server_state.h"
#include "recursor/settings/settings.h"

struct quiet_switch {
	struct server *server;
	pthread_mutex_t lock; /* of what follows */
	unsigned turns;       /* that are left */
	bool runs;
	/* main's */
	pthread_t thread;
	bool is_joinable;
};

static void turn_once(struct server *s)
{
	const struct settings *now = server_settings_get(s);
	bool quiet = !now->quiet;
	char why[SETTINGS_WHY_MAX];

	settings_free(now);
	if (server_change(s, "quiet", quiet ? "yes" : "no", why) != E_OK)
		log_error("quiet stays as it is: %s", why);
	else
		log_notice("quiet is %s now", quiet ? "on" : "off");
}

static void *run(void *ctx)
{
	struct quiet_switch *q = ctx;

	pthread_mutex_lock(&q->lock);
	for (; q->turns > 0; q->turns--) {
		pthread_mutex_unlock(&q->lock);
		turn_once(q->server);
		pthread_mutex_lock(&q->lock);
	}
	q->runs = false;
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void join(struct quiet_switch *q)
{
	if (q->is_joinable)
		pthread_join(q->thread, NULL);
	q->is_joinable = false;
}

int quiet_switch_new(struct quiet_switch **out, struct server *s)
{
	struct quiet_switch *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return E_NOMEM;
	q->server = s;
	pthread_mutex_init(&q->lock, NULL);
	*out = q;
	return E_OK;
}

void quiet_switch_turn(struct quiet_switch *q)
{
	sigset_t all, before;
	bool runs;

	pthread_mutex_lock(&q->lock);
	q->turns++;
	runs = q->runs;
	q->runs = true;
	pthread_mutex_unlock(&q->lock);
	if (runs)
		return;
	join(q);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	q->is_joinable = pthread_create(&q->thread, NULL, run, q) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (q->is_joinable)
		return;
	log_error("quiet stays as it is: there is no thread to change it");
	q->turns = 0;
	q->runs = false;
}

void quiet_switch_free(struct quiet_switch *q)
{
	if (q == NULL)
		return;
	join(q);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
