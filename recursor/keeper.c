/* keeper: see keeper.h. */
#include "recursor/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "recursor/cachecopy.h"
#include "recursor/net/loop.h"

enum {
	PAUSE_MS = 1,   /* after each slice of what is loaded */
	WRITES_MAX = 3, /* in a row, for one writing */
};

struct keeper {
	struct server *server;
	char *path;       /* for people */
	const char *name; /* in it: the file's within the directory */
	int dir_fd;
	uint32_t interval_s;
	pthread_t thread;
	bool started;
	atomic_bool stopping, loading;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct watch_cachefile stats;
	pthread_mutex_t writing; /* one at a time */
};

/* ---- reading ---- */

static bool go_on(void *ctx)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct keeper *k = ctx;

	(void)nanosleep(&pause, NULL);
	return !atomic_load(&k->stopping);
}

/* Whoever could write to it could make us believe anything. */
static const char *what_is_wrong_with(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a plain file";
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write to it";
	return NULL;
}

/* E_NOT_FOUND: there is none. */
static int open_to_read(const struct keeper *k, FILE **out, char why[CACHEFILE_WHY_MAX])
{
	int fd = openat(k->dir_fd, k->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *wrong = NULL;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return E_NOT_FOUND;
	if (fd < 0 || fstat(fd, &st) != 0)
		wrong = strerror(errno);
	else
		wrong = what_is_wrong_with(&st);
	if (wrong == NULL)
		*out = fdopen(fd, "r");
	if (wrong == NULL && *out != NULL)
		return E_OK;
	(void)snprintf(why, CACHEFILE_WHY_MAX, "%s", wrong != NULL ? wrong : err_text(E_NOMEM));
	if (fd >= 0)
		(void)close(fd);
	return E_SYSTEM;
}

static void note_load(struct keeper *k, const struct cachecopy_counts *counts, bool refused)
{
	pthread_mutex_lock(&k->lock);
	k->stats.loaded = counts->loaded;
	k->stats.dropped = counts->dropped;
	k->stats.refused += refused;
	pthread_mutex_unlock(&k->lock);
}

static void load(struct keeper *k)
{
	struct cachecopy_counts counts = { 0 };
	char why[CACHEFILE_WHY_MAX];
	uint64_t began_us = loop_now_us();
	FILE *f = NULL;
	int err = open_to_read(k, &f, why);

	if (err == E_NOT_FOUND) {
		log_info("cache-file '%s' is not there yet", k->path);
		return;
	}
	if (err == E_OK)
		err = cachecopy_read(k->server, f, go_on, k, &counts, why);
	if (f != NULL)
		(void)fclose(f);
	note_load(k, &counts, err != E_OK && err != E_END);
	if (err == E_OK)
		log_notice(
			"cache-file '%s': %llu entries loaded in %llu ms, %llu not wanted any more",
			k->path, (unsigned long long)counts.loaded,
			(unsigned long long)(loop_now_us() - began_us) / 1000,
			(unsigned long long)counts.dropped);
	else if (err != E_END)
		log_with(LOG_LEVEL_ERROR,
			 LOG_FIELDS(LOG_TEXT("file", k->path), LOG_TEXT("error", why)),
			 "cache-file '%s' is refused: %s", k->path, why);
}

/* ---- writing ---- */

static int fill(const struct keeper *k, int fd, struct cachefile_counts *counts)
{
	struct cachecopy_choice all = {
		.sets = true,
		.servers = true,
		.max_sets = UINT64_MAX,
		.max_bytes = 2 * memory_total(&k->server->memory),
	};
	FILE *f = fdopen(fd, "w");
	int err, saved;

	if (f == NULL) {
		(void)close(fd);
		return E_SYSTEM;
	}
	err = cachecopy_write(k->server, f, &all, counts);
	if (err == E_OK && fsync(fd) != 0)
		err = E_SYSTEM;
	saved = errno;
	if (fclose(f) != 0 && err == E_OK)
		return E_SYSTEM;
	errno = saved;
	return err;
}

/* The new file takes the old one's place when it is whole and on the disk. */
static int replace(const struct keeper *k, struct cachefile_counts *counts)
{
	char fresh[NAME_MAX + 8];
	int fd, err, saved;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", k->name);
	(void)unlinkat(k->dir_fd, fresh, 0); /* what a killed daemon left */
	fd = openat(k->dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return E_SYSTEM;
	err = fill(k, fd, counts);
	if (err == E_OK && renameat(k->dir_fd, fresh, k->dir_fd, k->name) != 0)
		err = E_SYSTEM;
	if (err == E_OK) {
		(void)fsync(k->dir_fd);
		return E_OK;
	}
	saved = errno;
	(void)unlinkat(k->dir_fd, fresh, 0);
	errno = saved;
	return err;
}

/* What is wiped while it is written may be in the file already, and shall not come back from there
 * after the next start. */
static int replace_unwiped(const struct keeper *k, struct cachefile_counts *counts)
{
	struct cache *cache = k->server->cache;
	int err = E_OK;

	for (unsigned i = 0; i < WRITES_MAX && err == E_OK; i++) {
		uint64_t wipes = cache_wipes(cache);

		err = replace(k, counts);
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
	began_us = loop_now_us();
	err = replace_unwiped(k, &counts);
	if (err != E_OK)
		(void)snprintf(why, ENV_WHY_MAX, "cache-file '%s' cannot be written: %s", k->path,
			       err == E_SYSTEM ? strerror(errno) : err_text(err));
	note_write(k, err, &counts);
	pthread_mutex_unlock(&k->writing);
	if (err == E_OK)
		log_with(LOG_LEVEL_INFO,
			 LOG_FIELDS(LOG_TEXT("file", k->path), LOG_NUMBER("sets", counts.sets),
				    LOG_NUMBER("servers", counts.servers)),
			 "cache-file '%s': %llu sets and %llu servers written in %llu ms", k->path,
			 (unsigned long long)counts.sets, (unsigned long long)counts.servers,
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
		(void)snprintf(why, ENV_WHY_MAX, "cache-file '%s' is being loaded still", k->path);
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
	k->path = strdup(s->cache_file);
	k->interval_s = s->cache_file_interval_s;
	k->dir_fd = -1;
	atomic_init(&k->loading, true);
	pthread_mutex_init(&k->lock, NULL);
	pthread_mutex_init(&k->writing, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	return k;
}

static void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	if (k->dir_fd >= 0)
		(void)close(k->dir_fd);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->writing);
	pthread_mutex_destroy(&k->lock);
	free(k->path);
	free(k);
}

/* The directory as seen before chroot. */
static int open_directory(struct keeper *k, const struct settings *s)
{
	const char *slash = strrchr(k->path, '/');
	char *dir = NULL;
	int n;

	k->name = slash != NULL ? slash + 1 : k->path;
	if (*k->name == '\0' || strlen(k->name) > NAME_MAX - 4) {
		errno = EINVAL;
		return E_SYSTEM;
	}
	n = asprintf(&dir, "%s%s%.*s%s", s->chroot, *s->chroot != '\0' ? "/" : "",
		     (int)(k->name - k->path), k->path, slash == NULL ? "." : "");
	if (n < 0)
		return E_NOMEM;
	k->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return k->dir_fd < 0 ? E_SYSTEM : E_OK;
}

void keeper_open(struct keeper **out, const struct settings *s)
{
	struct keeper *k;
	int err = E_NOMEM;

	*out = NULL;
	if (*s->cache_file == '\0')
		return;
	k = keeper_new(s);
	if (k != NULL && k->path != NULL)
		err = open_directory(k, s);
	if (err == E_OK) {
		*out = k;
		return;
	}
	log_error("cache-file '%s' cannot be used: %s", s->cache_file,
		  err == E_SYSTEM ? strerror(errno) : err_text(err));
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

	if (k == NULL)
		return;
	if (k->started) {
		pthread_mutex_lock(&k->lock);
		atomic_store(&k->stopping, true);
		pthread_cond_signal(&k->wake);
		pthread_mutex_unlock(&k->lock);
		pthread_join(k->thread, NULL);
		if (!atomic_load(&k->loading))
			(void)write_file(k, why);
	}
	keeper_free(k);
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
