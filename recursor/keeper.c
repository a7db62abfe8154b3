/* keeper: see keeper.h. */
#include "recursor/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "recursor/cachecopy.h"
#include "recursor/files/statefile.h"
#include "recursor/net/loop.h"

enum {
	PAUSE_MS = 1,   /* after each slice of what is loaded */
	WRITES_MAX = 3, /* in a row, for one writing */
};

struct keeper {
	struct server *server;
	struct statefile file;
	uint32_t interval_s;
	pthread_t thread;
	bool started;
	atomic_bool stopping, loading;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct watch_cachefile stats;
	pthread_mutex_t writing; /* one at a time */
	bool is_unread; /* the file could not be read; written while `loading`, then with `writing` */
};

/* ---- reading ---- */

static bool go_on(void *ctx)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct keeper *k = ctx;

	(void)nanosleep(&pause, NULL);
	return !atomic_load(&k->stopping);
}

static void note_load(struct keeper *k, const struct cachecopy_counts *counts, int err)
{
	pthread_mutex_lock(&k->lock);
	k->stats.loaded = counts->loaded;
	k->stats.dropped = counts->dropped;
	k->stats.refused += statefile_is_damaged(err);
	k->stats.errors += err != E_OK && err != E_END && !statefile_is_damaged(err);
	pthread_mutex_unlock(&k->lock);
}

/* It may be no cache at all, but what stood there before somebody mistyped a path. */
static void tell_refused(struct keeper *k, const char *why)
{
	bool aside = statefile_put_aside(&k->file) == E_OK;

	log_with(LOG_LEVEL_ERROR,
		 LOG_FIELDS(LOG_TEXT("file", k->file.path), LOG_TEXT("error", why)),
		 "cache-file '%s' is refused: %s%s", k->file.path, why,
		 aside ? "; the file is put aside as .bad" : "");
}

static void load(struct keeper *k)
{
	struct cachecopy_counts counts = { 0 };
	char why[CACHEFILE_WHY_MAX];
	uint64_t began_us = loop_now_us();
	FILE *f = NULL;
	int err = statefile_read(&k->file, &f, why, sizeof(why));

	if (err == E_NOT_FOUND) {
		log_info("cache-file '%s' is not there yet", k->file.path);
		return;
	}
	if (err == E_OK)
		err = cachecopy_read(k->server, f, go_on, k, &counts, why);
	if (f != NULL)
		(void)fclose(f);
	note_load(k, &counts, err);
	if (err == E_OK)
		log_notice(
			"cache-file '%s': %llu entries loaded in %llu ms, %llu not wanted any more",
			k->file.path, (unsigned long long)counts.loaded,
			(unsigned long long)(loop_now_us() - began_us) / 1000,
			(unsigned long long)counts.dropped);
	else if (statefile_is_damaged(err))
		tell_refused(k, why);
	else if (err != E_END)
		log_error("cache-file '%s' cannot be read: %s", k->file.path, why);
	k->is_unread = err != E_OK && err != E_END && !statefile_is_damaged(err);
}

/* ---- writing ---- */

struct filling {
	struct keeper *keeper;
	struct cachefile_counts *counts;
};

static int fill(void *ctx, FILE *f)
{
	const struct filling *filling = ctx;
	struct server *server = filling->keeper->server;
	struct cachecopy_choice all = {
		.sets = true,
		.servers = true,
		.max_sets = UINT64_MAX,
		.max_bytes = 2 * memory_total(&server->memory),
	};

	return cachecopy_write(server, f, &all, filling->counts);
}

/* What is wiped while it is written may be in the file already, and shall not come back from there
 * after the next start. */
static int replace_unwiped(struct keeper *k, struct cachefile_counts *counts)
{
	struct filling filling = { k, counts };
	struct cache *cache = k->server->cache;
	int err = E_OK;

	for (unsigned i = 0; i < WRITES_MAX && err == E_OK; i++) {
		uint64_t wipes = cache_wipes(cache);

		err = statefile_replace(&k->file, fill, &filling);
		if (cache_wipes(cache) == wipes)
			break;
	}
	return err;
}

static void note_write(struct keeper *k, int err, const struct cachefile_counts *counts)
{
	pthread_mutex_lock(&k->lock);
	if (err == E_OK) {
		k->stats.written = counts->sets + counts->servers;
		k->stats.written_s = loop_wall_s();
		k->stats.writes++;
	} else {
		k->stats.errors++;
	}
	pthread_mutex_unlock(&k->lock);
}

static int write_file(struct keeper *k, char *why)
{
	struct cachefile_counts counts = { 0 };
	uint64_t began_us;
	int err;

	pthread_mutex_lock(&k->writing);
	/* What could not be read may be good all the same. */
	if (k->is_unread && statefile_put_aside(&k->file) == E_OK)
		log_notice("cache-file '%s' could not be read: it is put aside as .bad",
			   k->file.path);
	k->is_unread = false;
	began_us = loop_now_us();
	err = replace_unwiped(k, &counts);
	if (err != E_OK)
		(void)snprintf(why, ENV_WHY_MAX, "cache-file '%s' cannot be written: %s",
			       k->file.path, err_why(err));
	note_write(k, err, &counts);
	pthread_mutex_unlock(&k->writing);
	if (err == E_OK)
		log_with(LOG_LEVEL_INFO,
			 LOG_FIELDS(LOG_TEXT("file", k->file.path), LOG_NUMBER("sets", counts.sets),
				    LOG_NUMBER("servers", counts.servers)),
			 "cache-file '%s': %llu sets and %llu servers written in %llu ms",
			 k->file.path, (unsigned long long)counts.sets,
			 (unsigned long long)counts.servers,
			 (unsigned long long)(loop_now_us() - began_us) / 1000);
	else
		log_error("%s", why);
	return err;
}

int keeper_save(struct keeper *k, char *why)
{
	if (k == NULL) {
		(void)snprintf(why, ENV_WHY_MAX, "no cache-file is set, or it cannot be used");
		return E_NOT_FOUND;
	}
	if (atomic_load(&k->loading)) {
		(void)snprintf(why, ENV_WHY_MAX, "cache-file '%s' is being loaded still",
			       k->file.path);
		return E_EXISTS;
	}
	return write_file(k, why);
}

/* ---- the thread ---- */

/* False: it is time to end. */
static bool wait_for_time(struct keeper *k)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += k->interval_s;
	pthread_mutex_lock(&k->lock);
	while (!atomic_load(&k->stopping)) {
		if (k->interval_s == 0)
			pthread_cond_wait(&k->wake, &k->lock);
		else if (pthread_cond_timedwait(&k->wake, &k->lock, &until) == ETIMEDOUT)
			break;
	}
	pthread_mutex_unlock(&k->lock);
	return !atomic_load(&k->stopping);
}

static void *run(void *ctx)
{
	struct keeper *k = ctx;
	char why[ENV_WHY_MAX];

	load(k);
	if (!atomic_load(&k->stopping))
		atomic_store(&k->loading, false);
	while (wait_for_time(k))
		(void)write_file(k, why);
	return NULL;
}

/* ---- its life ---- */

static struct keeper *keeper_new(const struct settings *s)
{
	struct keeper *k = calloc(1, sizeof(*k));
	pthread_condattr_t attr;

	if (k == NULL)
		return NULL;
	k->interval_s = s->cache_file_interval_s;
	k->file.dir_fd = -1;
	atomic_init(&k->loading, true);
	pthread_mutex_init(&k->lock, NULL);
	pthread_mutex_init(&k->writing, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	return k;
}

void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->writing);
	pthread_mutex_destroy(&k->lock);
	statefile_close(&k->file);
	free(k);
}

void keeper_open(struct keeper **out, const struct settings *s)
{
	struct keeper *k;
	int err = E_NOMEM;

	*out = NULL;
	if (*s->cache_file == '\0')
		return;
	k = keeper_new(s);
	if (k != NULL)
		err = statefile_open(&k->file, s->cache_file, s->chroot);
	if (err == E_OK) {
		*out = k;
		return;
	}
	log_error("cache-file '%s' cannot be used: %s", s->cache_file, err_why(err));
	keeper_free(k);
}

int keeper_start(struct keeper *k, struct server *server)
{
	sigset_t all, before;
	int rc;

	if (k == NULL)
		return E_OK;
	k->server = server;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&k->thread, NULL, run, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return E_SYSTEM;
	}
	k->started = true;
	(void)pthread_setname_np(k->thread, "rec/keeper");
	return E_OK;
}

void keeper_stop(struct keeper *k)
{
	char why[ENV_WHY_MAX];

	if (k == NULL || !k->started)
		return;
	pthread_mutex_lock(&k->lock);
	atomic_store(&k->stopping, true);
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	k->started = false;
	if (!atomic_load(&k->loading))
		(void)write_file(k, why);
}

void keeper_stats(struct keeper *k, struct watch_cachefile *out)
{
	*out = (struct watch_cachefile) { 0 };
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	*out = k->stats;
	pthread_mutex_unlock(&k->lock);
}
