/* scripts: see scripts.h. */
#include "recursor/scripts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/errands.h"
#include "recursor/pipeline.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/script.h"
#include "recursor/reconfigure.h"
#include "recursor/script_side.h"
#include "recursor/visit.h"
#include "recursor/wiring.h"

/* What a state knows of its daemon; made with it, freed with it. */
struct keep {
	struct script_side side;
	struct scripts *scripts;
	struct script *script; /* when it is retired */
	STAILQ_ENTRY(keep) link;
};

struct scripts {
	struct server *server;
	struct script **made; /* for each worker, between scripts_load() and scripts_take() */
	char *config_dir, *config_name;
	/* the thread that frees */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool is_started, is_ending;
	STAILQ_HEAD(keep_list, keep) retired;
};

/* ---- the end of a state ---- */

static void keep_free(struct keep *k)
{
	script_free(k->script);
	script_side_deinit(&k->side);
	free(k);
}

static void *free_retired(void *ctx)
{
	struct scripts *s = ctx;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		struct keep *k = STAILQ_FIRST(&s->retired);

		if (k != NULL) {
			STAILQ_REMOVE_HEAD(&s->retired, link);
			pthread_mutex_unlock(&s->lock);
			keep_free(k);
			pthread_mutex_lock(&s->lock);
		} else if (s->is_ending) {
			break;
		} else {
			pthread_cond_wait(&s->changed, &s->lock);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Without it what is retired waits for the daemon's end. */
static void start_thread(struct scripts *s)
{
	sigset_t all, before;

	if (s->is_started)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->is_started = pthread_create(&s->thread, NULL, free_retired, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (s->is_started)
		(void)pthread_setname_np(s->thread, "rec/lua");
}

static void retire(void *ctx, struct script *script)
{
	struct keep *k = ctx;
	struct scripts *s = k->scripts;

	k->script = script;
	pthread_mutex_lock(&s->lock);
	STAILQ_INSERT_TAIL(&s->retired, k, link);
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static int spawn(void *ctx, const char *path, char *why)
{
	const struct keep *k = ctx;

	return errands_spawn(k->scripts->server->errands, path, why);
}

/* ---- making states ---- */

static int make_state(struct script **out, struct scripts *s, struct worker *w,
		      const struct script_code *code, const struct settings *settings, char *why)
{
	struct keep *k = calloc(1, sizeof(*k));
	struct script_limits limits = wiring_script_limits(settings);
	struct script_host host = {
		.thread = w->index,
		.counters = &w->counters,
		.most_heap = &s->server->scripts_most.heap,
		.config_dir = s->config_dir,
		.config_name = s->config_name,
		.metrics = s->server->custom_metrics,
		.ipsets = s->server->ipsets,
		.ipset_reader = ipsets_reader(s->server->ipsets, w->index),
		.shelf = s->server->shelf,
		.spawn = spawn,
		.retired = retire,
	};
	int err = E_NOMEM;

	(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(err));
	if (k == NULL)
		return err;
	k->scripts = s;
	err = script_side_init(&k->side, &s->server->own_env, psl_get(settings->psl));
	if (err == E_OK) {
		script_side_fill(&k->side, &host);
		err = script_new(out, code, &limits, &host, why);
	}
	if (err != E_OK)
		keep_free(k);
	return err;
}

static void free_states(struct script **made, unsigned n)
{
	for (unsigned i = 0; made != NULL && i < n; i++)
		script_put(made[i]);
	free(made);
}

/* A state for each worker. */
static int make_states(struct script ***out, struct scripts *s, const char *path,
		       const struct settings *settings, char *why)
{
	const struct script_files files = {
		.path = path,
		.include_dir = settings->lua_global_include_dir,
	};
	unsigned n = s->server->n_workers;
	struct script **made = calloc(n, sizeof(struct script *));
	struct script_code *code = NULL;
	int err = E_NOMEM;

	(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(err));
	if (made == NULL)
		return err;
	err = script_code_load(&code, &files, why);
	for (unsigned i = 0; i < n && err == E_OK; i++)
		err = make_state(&made[i], s, &s->server->workers[i], code, settings, why);
	script_code_free(code);
	if (err == E_OK)
		*out = made;
	else
		free_states(made, n);
	return err;
}

/* ---- at the start ---- */

int scripts_new(struct scripts **out, struct server *server)
{
	const struct settings *now = atomic_load(&server->settings);
	struct scripts *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return E_NOMEM;
	s->server = server;
	STAILQ_INIT(&s->retired);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->config_dir = strdup(now->config_dir);
	s->config_name = strdup(now->config_name);
	if (s->config_dir == NULL || s->config_name == NULL) {
		scripts_free(s);
		return E_NOMEM;
	}
	*out = s;
	return E_OK;
}

void scripts_free(struct scripts *s)
{
	struct keep *k;

	if (s == NULL)
		return;
	free_states(s->made, s->server->n_workers);
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->is_started)
		pthread_join(s->thread, NULL);
	while ((k = STAILQ_FIRST(&s->retired)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->retired, link);
		keep_free(k);
	}
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->config_dir);
	free(s->config_name);
	free(s);
}

int scripts_load(struct scripts *s, const struct settings *settings, char *why)
{
	const char *path = settings->lua_dns_script;
	char reason[SCRIPT_WHY_MAX];
	int err;

	if (*path == '\0')
		return E_OK;
	err = make_states(&s->made, s, path, settings, reason);
	if (err != E_OK)
		(void)snprintf(why, SETTINGS_WHY_MAX, "lua-dns-script: %.480s", reason);
	else
		log_notice("lua-dns-script: loaded '%s'", path);
	return err;
}

struct script *scripts_take(struct scripts *s, unsigned worker)
{
	struct script *made = s->made == NULL ? NULL : s->made[worker];

	if (made != NULL)
		s->made[worker] = NULL;
	return made;
}

/* ---- while the daemon runs ---- */

static void give(struct worker *w, void *arg)
{
	struct script **made = arg;

	pipeline_set_script(w->pipeline, *made);
	*made = NULL;
}

static int load(struct scripts *s, const char *path, char *why)
{
	struct server *server = s->server;
	const struct settings *now = atomic_load(&server->settings);
	struct script **made = NULL;
	struct settings *changed = NULL;
	unsigned n = server->n_workers;
	int err = E_OK;

	if (*path != '\0')
		err = make_states(&made, s, path, now, why);
	if (err == E_OK)
		err = settings_change(&changed, now, "lua-dns-script", path, why);
	if (err != E_OK) {
		free_states(made, n);
		return err;
	}
	start_thread(s);
	server_reconfigure(server, changed);
	for (unsigned i = 0; i < n; i++) {
		struct script *none = NULL;

		/* One that cannot be visited has stopped. */
		if (visit_worker(&server->workers[i], give, made == NULL ? &none : &made[i]) !=
		    E_OK)
			continue;
	}
	free_states(made, n);
	return E_OK;
}

int server_load_script(struct server *s, const char *path, char *loaded, char *why)
{
	const struct settings *now;
	int err;

	server_change_begin(s);
	now = atomic_load(&s->settings);
	(void)snprintf(loaded, SETTINGS_WHY_MAX, "%s", path == NULL ? now->lua_dns_script : path);
	err = load(s->scripts, loaded, why);
	server_change_end(s);
	if (err != E_OK)
		log_error("retaining current script, error from '%s': %s", loaded, why);
	else if (*loaded == '\0')
		log_notice("lua-dns-script: unloaded");
	else
		log_notice("lua-dns-script: (re)loaded '%s'", loaded);
	return err;
}
