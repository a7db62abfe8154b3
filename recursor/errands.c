/* errands: see errands.h. */
#include "recursor/errands.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "recursor/cachecopy.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/script.h"
#include "recursor/reconfigure.h"
#include "recursor/script_side.h"
#include "recursor/wiring.h"

enum { GRACE_MS = 500 }; /* for a script that was told to end to come to its next instruction */

struct errands {
	struct server *server;
	struct script_code *start_stop; /* NULL: none is set */
	pthread_mutex_t lock;           /* of what follows */
	pthread_cond_t fewer;
	unsigned n_running;
	atomic_bool is_ending;       /* no more are begun, and those that run are to end, */
	_Atomic uint64_t stop_by_ms; /* on_recursor_stop() by then */
};

/* One script on its way; freed by its thread. */
struct errand {
	struct script_side side; /* first: the host's ctx */
	struct errands *errands;
	const struct settings *settings;
	char *path;                   /* what it was spawned with, or NULL, */
	struct script_code *own_code; /* and what was found there */
	const struct script_code *code;
	const char *function; /* called when the script has run; NULL: none */
};

static uint64_t now_ms(void)
{
	return loop_now_us() / 1000;
}

/* ---- what it may ask ---- */

static bool must_end(void *ctx)
{
	const struct errand *d = ctx;
	uint64_t stop_by_ms = atomic_load(&d->errands->stop_by_ms);

	if (stop_by_ms != 0)
		return now_ms() > stop_by_ms;
	return atomic_load(&d->errands->is_ending);
}

static bool go_on(void *ctx)
{
	return !must_end(ctx);
}

static int dump(void *ctx, bool servers, uint64_t sets, uint64_t bytes, char **out, size_t *len,
		uint64_t *n, char *why)
{
	const struct errand *d = ctx;
	struct cachecopy_choice choice = {
		.sets = !servers,
		.servers = servers,
		.max_sets = sets == 0 ? UINT64_MAX : sets,
		.max_bytes = bytes == 0 ? UINT64_MAX : bytes,
	};
	uint64_t most = d->settings->lua_memory_limit;
	struct cachefile_counts counts = { 0 };
	FILE *f = open_memstream(out, len);
	int err = E_NOMEM;

	/* More has no room in the state. */
	if (most != 0 && choice.max_bytes > most)
		choice.max_bytes = most;
	if (f != NULL)
		err = cachecopy_write(d->errands->server, f, &choice, &counts);
	if (f != NULL && fclose(f) != 0 && err == E_OK)
		err = E_NOMEM;
	if (err == E_OK) {
		*n = counts.sets + counts.servers;
		return E_OK;
	}
	(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(err));
	if (f != NULL)
		free(*out);
	return err;
}

static int load(void *ctx, const char *data, size_t len, uint64_t *n, char *why)
{
	const struct errand *d = ctx;
	struct cachecopy_counts counts = { 0 };
	char reason[CACHEFILE_WHY_MAX];
	FILE *f;
	int err;

	*n = 0;
	if (len == 0) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "it is empty");
		return E_MALFORMED;
	}
	f = fmemopen((void *)data, len, "r"); /* which takes no constant, and writes nothing */
	if (f == NULL) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	err = cachecopy_read(d->errands->server, f, go_on, ctx, &counts, reason);
	(void)fclose(f);
	*n = counts.loaded;
	if (err == E_END)
		(void)snprintf(why, SCRIPT_WHY_MAX, "the daemon ends");
	else if (err != E_OK)
		(void)snprintf(why, SCRIPT_WHY_MAX, "%s", reason);
	return err;
}

static int spawn(void *ctx, const char *path, char *why)
{
	const struct errand *d = ctx;

	return errands_spawn(d->errands, path, why);
}

/* ---- a thread ---- */

static void errand_free(struct errand *d)
{
	script_side_deinit(&d->side);
	script_code_free(d->own_code);
	free(d->path);
	settings_free(d->settings);
	free(d);
}

/* One line in `why`. */
static int run_script(struct errand *d, char *why)
{
	static const struct script_caches caches = { .dump = dump, .load = load };
	struct server *server = d->errands->server;
	struct script_limits limits = { .heap_bytes = d->settings->lua_memory_limit };
	struct script_host host = {
		.thread = server->n_workers, /* none of theirs */
		.most_heap = &server->scripts_most.heap,
		.config_dir = d->settings->config_dir,
		.config_name = d->settings->config_name,
		.metrics = server->custom_metrics,
		.ipsets = server->ipsets,
		.shelf = server->shelf,
		.caches = &caches,
		.spawn = spawn,
		.must_end = must_end,
	};
	struct script_files files = { .path = d->path };
	struct script *script = NULL;
	int err = E_OK;

	if (d->path != NULL)
		err = script_code_load(&d->own_code, &files, why);
	script_side_fill(&d->side, &host);
	if (err == E_OK)
		err = script_new(&script, d->path != NULL ? d->own_code : d->code, &limits, &host,
				 why);
	if (err == E_OK && d->function != NULL)
		err = script_run(script, d->function, why);
	script_put(script);
	return err;
}

static void *run(void *ctx)
{
	struct errand *d = ctx;
	struct errands *e = d->errands;
	const char *path = d->path != NULL ? d->path : script_code_path(d->code);
	const char *what = d->function == NULL ? "its thread" : d->function;
	char why[SCRIPT_WHY_MAX];

	log_info("script '%s': %s begins", path, what);
	switch (run_script(d, why)) {
	case E_OK:
		log_info("script '%s': %s has ended", path, what);
		break;
	case E_NOT_FOUND:
		log_info("script '%s' has no %s()", path, what);
		break;
	default:
		log_error("script '%s': %s: %s", path, what, why);
	}
	errand_free(d);
	pthread_mutex_lock(&e->lock);
	e->n_running--;
	pthread_cond_broadcast(&e->fewer);
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* Either `path`, or `code` and `function`. */
static int begin(struct errands *e, const char *path, const struct script_code *code,
		 const char *function, char *why)
{
	struct errand *d = calloc(1, sizeof(*d));
	sigset_t all, before;
	pthread_t thread;
	int rc, err = E_NOMEM;

	(void)snprintf(why, SCRIPT_WHY_MAX, "%s", err_text(err));
	if (d == NULL)
		return err;
	d->errands = e;
	d->code = code;
	d->function = function;
	d->settings = server_settings_get(e->server);
	err = script_side_init(&d->side, &e->server->own_env, psl_get(d->settings->psl));
	if (err == E_OK && path != NULL && (d->path = strdup(path)) == NULL)
		err = E_NOMEM;
	if (err != E_OK)
		goto fail;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, run, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "no thread: %s", strerror(rc));
		err = E_SYSTEM;
		goto fail;
	}
	(void)pthread_setname_np(thread, "rec/errand");
	(void)pthread_detach(thread);
	return E_OK;
fail:
	errand_free(d);
	return err;
}

/* A place among those that run, which the thread gives back. */
static int take_place(struct errands *e, bool even_at_the_end, char *why)
{
	int err = E_OK;

	pthread_mutex_lock(&e->lock);
	if (atomic_load(&e->is_ending) && !even_at_the_end) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "the daemon ends");
		err = E_STOPPED;
	} else if (e->n_running >= ERRANDS_MAX) {
		(void)snprintf(why, SCRIPT_WHY_MAX, "%d scripts have threads already", ERRANDS_MAX);
		err = E_LIMIT;
	} else {
		e->n_running++;
		if (e->n_running > atomic_load(&e->server->scripts_most.threads))
			atomic_store(&e->server->scripts_most.threads, e->n_running);
	}
	pthread_mutex_unlock(&e->lock);
	return err;
}

static void give_place(struct errands *e)
{
	pthread_mutex_lock(&e->lock);
	e->n_running--;
	pthread_mutex_unlock(&e->lock);
}

int errands_spawn(struct errands *e, const char *path, char *why)
{
	int err = take_place(e, false, why);

	if (err != E_OK)
		return err;
	err = begin(e, path, NULL, NULL, why);
	if (err != E_OK)
		give_place(e);
	return err;
}

static void call_start_stop(struct errands *e, const char *function, bool at_the_end)
{
	char why[SCRIPT_WHY_MAX];
	int err;

	if (e->start_stop == NULL)
		return;
	err = take_place(e, at_the_end, why);
	if (err == E_OK) {
		err = begin(e, NULL, e->start_stop, function, why);
		if (err != E_OK)
			give_place(e);
	}
	if (err != E_OK)
		log_error("lua-start-stop-script: %s() is not called: %s", function, why);
}

void errands_begin(struct errands *e)
{
	call_start_stop(e, "on_recursor_start", false);
}

/* ---- the end ---- */

static bool wait_for_all(struct errands *e, uint64_t ms)
{
	struct timespec until;
	bool all;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&e->lock);
	while (e->n_running > 0 && pthread_cond_timedwait(&e->fewer, &e->lock, &until) != ETIMEDOUT)
		;
	all = e->n_running == 0;
	pthread_mutex_unlock(&e->lock);
	return all;
}

bool errands_end(struct errands *e)
{
	bool all;

	/* The lock: none is begun after this. */
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->is_ending, true);
	pthread_mutex_unlock(&e->lock);
	all = wait_for_all(e, ERRANDS_END_MS);
	if (!all)
		log_error("a script's thread does not end; it is left behind");
	atomic_store(&e->stop_by_ms, now_ms() + ERRANDS_END_MS);
	call_start_stop(e, "on_recursor_stop", true);
	if (wait_for_all(e, all ? ERRANDS_END_MS + GRACE_MS : GRACE_MS))
		return true;
	if (all)
		log_error(
			"lua-start-stop-script: on_recursor_stop() does not end; it is left behind");
	return false;
}

/* ---- life ---- */

int errands_new(struct errands **out, struct server *server)
{
	struct errands *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;

	if (e == NULL)
		return E_NOMEM;
	e->server = server;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->fewer, &attr);
	pthread_condattr_destroy(&attr);
	*out = e;
	return E_OK;
}

int errands_load(struct errands *e, const struct settings *s, char *why)
{
	const struct script_files files = { .path = s->lua_start_stop_script };
	char reason[SCRIPT_WHY_MAX];
	int err;

	if (*files.path == '\0')
		return E_OK;
	err = script_code_load(&e->start_stop, &files, reason);
	if (err != E_OK)
		(void)snprintf(why, SETTINGS_WHY_MAX, "lua-start-stop-script: %.480s", reason);
	return err;
}

void errands_free(struct errands *e)
{
	if (e == NULL)
		return;
	script_code_free(e->start_stop);
	pthread_cond_destroy(&e->fewer);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
