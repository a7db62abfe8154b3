#include "tools/graphs/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/log.h"

enum { PENDING_MAX = 256, PENDING_FIRST = 4, DUE_BATCH = 64 };
enum { PAST_S = 86400, FUTURE_S = 300 };

struct source;

struct metric {
	struct source *source;
	enum kind kind; /* written with both locks held */
	int64_t write_after_ms;
	struct sample before, last; /* what arrived last; time_s 0: nothing did */
	struct sample *pending;
	size_t n_pending, cap_pending;
	pthread_mutex_t file; /* guards what follows */
	bool is_looked_at;    /* the file is there, and file_last_s is its last value's time */
	int64_t file_last_s;
	char name[];
};

struct source {
	struct metric **metrics; /* in order of name */
	size_t n_metrics, cap_metrics;
	int64_t last_s; /* when it was heard last; 0: never */
	char name[];
};

struct store {
	struct store_options o;
	char *directory;
	int lock_fd;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t writer;
	bool is_urgent, is_ending;
	struct source **sources; /* in order of name */
	size_t n_sources, cap_sources;
	struct metric **metrics; /* of all sources, as they came; room for max_files */
	size_t n_metrics, n_waiting;
	_Atomic uint64_t taken, connections, writes, written, refused[REFUSAL_COUNT];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- what is known: arrays in order of name ---- */

static const char *source_name(const void *item)
{
	return ((const struct source *)item)->name;
}

static const char *metric_name(const void *item)
{
	return ((const struct metric *)item)->name;
}

/* Where it stands, or would. */
static bool find_name(void *const *items, size_t n, const char *(*name_of)(const void *),
		      const char *name, size_t *at)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, name_of(items[mid]));

		if (order == 0) {
			*at = mid;
			return true;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	*at = low;
	return false;
}

static int insert_at(void ***items, size_t *n, size_t *cap, size_t at, void *item)
{
	if (*n == *cap) {
		size_t more = *cap == 0 ? 16 : *cap * 2;
		void **bigger = realloc(*items, more * sizeof(*bigger));

		if (bigger == NULL)
			return E_NOMEM;
		*items = bigger;
		*cap = more;
	}
	memmove(*items + at + 1, *items + at, (*n - at) * sizeof(**items));
	(*items)[at] = item;
	++*n;
	return E_OK;
}

static struct metric *find_metric(const struct store *s, const char *source, const char *name)
{
	size_t i, j;

	if (!find_name((void *const *)s->sources, s->n_sources, source_name, source, &i))
		return NULL;
	if (!find_name((void *const *)s->sources[i]->metrics, s->sources[i]->n_metrics, metric_name,
		       name, &j))
		return NULL;
	return s->sources[i]->metrics[j];
}

static enum refusal add_source(struct store *s, const char *name, size_t at)
{
	size_t size = strlen(name) + 1;
	struct source *source = calloc(1, sizeof(*source) + size);

	if (source == NULL)
		return REFUSAL_MEMORY;
	memcpy(source->name, name, size);
	if (insert_at((void ***)&s->sources, &s->n_sources, &s->cap_sources, at, source) != E_OK) {
		free(source);
		return REFUSAL_MEMORY;
	}
	return REFUSAL_NONE;
}

static enum refusal add_metric(struct store *s, struct source *source, const char *name, size_t at)
{
	size_t size = strlen(name) + 1;
	struct metric *m = calloc(1, sizeof(*m) + size);

	if (m == NULL)
		return REFUSAL_MEMORY;
	memcpy(m->name, name, size);
	m->source = source;
	m->kind = kind_of(name);
	if (insert_at((void ***)&source->metrics, &source->n_metrics, &source->cap_metrics, at,
		      m) != E_OK) {
		free(m);
		return REFUSAL_MEMORY;
	}
	pthread_mutex_init(&m->file, NULL);
	s->metrics[s->n_metrics++] = m;
	return REFUSAL_NONE;
}

/* Finds the metric or makes it, if there is room. */
static enum refusal get_metric(struct store *s, const char *source_wanted, const char *name,
			       struct metric **out)
{
	enum refusal why = REFUSAL_NONE;
	struct source *source;
	size_t i, j = 0;
	bool known = find_name((void *const *)s->sources, s->n_sources, source_name, source_wanted,
			       &i);

	if (known && find_name((void *const *)s->sources[i]->metrics, s->sources[i]->n_metrics,
			       metric_name, name, &j)) {
		*out = s->sources[i]->metrics[j];
		return REFUSAL_NONE;
	}
	if (s->n_metrics >= s->o.max_files)
		return REFUSAL_FILES;
	if (!known)
		why = add_source(s, source_wanted, i);
	if (why != REFUSAL_NONE)
		return why;
	source = s->sources[i];
	if (source->n_metrics >= s->o.max_metrics)
		return REFUSAL_METRICS;
	why = add_metric(s, source, name, j);
	if (why == REFUSAL_NONE)
		*out = source->metrics[j];
	return why;
}

/* ---- what arrives ---- */

/* Files that came together are not all written together. */
static int64_t write_time(const struct store *s, const struct metric *m)
{
	int64_t longest = (int64_t)s->o.write_every_s * 1000;
	uint64_t h = hash_bytes(m->name, strlen(m->name)) ^
		     hash_bytes(m->source->name, strlen(m->source->name));

	return now_ms() + longest / 2 + (int64_t)(h % (uint64_t)(longest / 2 + 1));
}

static enum refusal let_wait(struct store *s, struct metric *m, const struct sample *sample)
{
	if (m->n_pending == PENDING_MAX)
		return REFUSAL_PENDING;
	if (m->n_pending == m->cap_pending) {
		size_t cap = m->cap_pending == 0 ? PENDING_FIRST : m->cap_pending * 2;
		struct sample *bigger = realloc(m->pending, cap * sizeof(*bigger));

		if (bigger == NULL)
			return REFUSAL_MEMORY;
		m->pending = bigger;
		m->cap_pending = cap;
	}
	if (m->n_pending == 0)
		m->write_after_ms = write_time(s, m);
	m->pending[m->n_pending++] = *sample;
	s->n_waiting++;
	if (m->n_pending == PENDING_MAX / 2) {
		m->write_after_ms = 0;
		s->is_urgent = true;
		pthread_cond_signal(&s->wake);
	}
	return REFUSAL_NONE;
}

static enum refusal take_locked(struct store *s, const struct line *l)
{
	struct sample sample = { l->time_s, l->value };
	struct metric *m = NULL;
	enum refusal why = get_metric(s, l->source, l->metric, &m);

	if (why != REFUSAL_NONE)
		return why;
	if (m->last.time_s != 0 && sample.time_s <= m->last.time_s)
		return sample.time_s == m->last.time_s ? REFUSAL_DUPLICATE : REFUSAL_ORDER;
	why = let_wait(s, m, &sample);
	if (why != REFUSAL_NONE)
		return why;
	m->before = m->last;
	m->last = sample;
	if (sample.time_s > m->source->last_s)
		m->source->last_s = sample.time_s;
	return REFUSAL_NONE;
}

enum refusal store_take(struct store *s, const struct line *l, int64_t now_s)
{
	enum refusal why;

	if (l->time_s > now_s + FUTURE_S) {
		why = REFUSAL_FUTURE;
	} else if (l->time_s < now_s - PAST_S) {
		why = REFUSAL_PAST;
	} else {
		pthread_mutex_lock(&s->lock);
		why = take_locked(s, l);
		pthread_mutex_unlock(&s->lock);
	}
	if (why == REFUSAL_NONE)
		atomic_fetch_add_explicit(&s->taken, 1, memory_order_relaxed);
	else
		store_refuse(s, why);
	return why;
}

void store_refuse(struct store *s, enum refusal why)
{
	ASSERT(why >= 0 && why < REFUSAL_COUNT);
	atomic_fetch_add_explicit(&s->refused[why], 1, memory_order_relaxed);
}

void store_count_connection(struct store *s)
{
	atomic_fetch_add_explicit(&s->connections, 1, memory_order_relaxed);
}

/* ---- files ---- */

enum { PATH_TEXT_MAX = PATH_MAX };

static void metric_path(const struct store *s, const struct metric *m, char out[PATH_TEXT_MAX])
{
	snprintf(out, PATH_TEXT_MAX, "%s/%s/%s.rrd", s->directory, m->source->name, m->name);
}

static int create_file(const struct store *s, const struct metric *m, const char *path,
		       int64_t first_s)
{
	char directory[PATH_TEXT_MAX];

	snprintf(directory, sizeof(directory), "%s/%s", s->directory, m->source->name);
	(void)mkdir(directory,
		    0755); /* if it cannot be made, the file cannot either, and says why */
	/* A step earlier, so that the first value is later than the file's beginning. */
	return archive_create(path, m->kind, first_s - s->o.step_s, s->o.step_s, s->o.heartbeat_s);
}

/* The file is there, and its last time known. */
static int look_at_file(struct store *s, struct metric *m, const char *path, int64_t first_s)
{
	enum kind kind;
	int err = E_OK;

	if (access(path, F_OK) != 0)
		err = create_file(s, m, path, first_s);
	if (err == E_OK)
		err = archive_look(path, &kind, &m->file_last_s);
	if (err != E_OK)
		return err;
	/* A file that was made when less was known of the metric stays as it is. */
	pthread_mutex_lock(&s->lock);
	m->kind = kind;
	pthread_mutex_unlock(&s->lock);
	m->is_looked_at = true;
	return E_OK;
}

static void write_samples(struct store *s, struct metric *m, struct sample *samples, size_t n)
{
	char path[PATH_TEXT_MAX];
	int err = E_OK;
	size_t old = 0;

	metric_path(s, m, path);
	if (!m->is_looked_at)
		err = look_at_file(s, m, path, samples[0].time_s);
	while (err == E_OK && old < n && samples[old].time_s <= m->file_last_s)
		store_refuse(s, samples[old++].time_s == m->file_last_s ? REFUSAL_DUPLICATE
									: REFUSAL_ORDER);
	if (err == E_OK && old < n)
		err = archive_append(path, m->kind, samples + old, n - old);
	if (err != E_OK) {
		m->is_looked_at = false; /* somebody may have removed it */
		atomic_fetch_add_explicit(&s->refused[REFUSAL_DISK], n - old, memory_order_relaxed);
		log_limited(LOG_LEVEL_ERROR, "%s: %s", path,
			    err == E_SYSTEM ? archive_error() : err_text(err));
		return;
	}
	m->file_last_s = samples[n - 1].time_s > m->file_last_s ? samples[n - 1].time_s
								: m->file_last_s;
	atomic_fetch_add_explicit(&s->writes, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->written, n - old, memory_order_relaxed);
}

/* Writes what waits; m->file is held. */
static void flush_metric(struct store *s, struct metric *m)
{
	struct sample *samples;
	size_t n;

	pthread_mutex_lock(&s->lock);
	samples = m->pending;
	n = m->n_pending;
	m->pending = NULL;
	m->n_pending = m->cap_pending = 0;
	s->n_waiting -= n;
	pthread_mutex_unlock(&s->lock);
	if (n > 0)
		write_samples(s, m, samples, n);
	free(samples);
}

/* ---- the thread that writes ---- */

/* Some of what is due from *at on; fewer than DUE_BATCH: it has seen all. */
static size_t collect_due(struct store *s, size_t *at, struct metric *due[DUE_BATCH])
{
	int64_t now = now_ms();
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	while (*at < s->n_metrics && n < DUE_BATCH) {
		struct metric *m = s->metrics[(*at)++];

		if (m->n_pending > 0 && (s->is_ending || m->write_after_ms <= now))
			due[n++] = m;
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void write_due(struct store *s)
{
	struct metric *due[DUE_BATCH];
	size_t at = 0, n;

	do {
		n = collect_due(s, &at, due);
		for (size_t i = 0; i < n; i++) {
			pthread_mutex_lock(&due[i]->file);
			flush_metric(s, due[i]);
			pthread_mutex_unlock(&due[i]->file);
		}
	} while (n == DUE_BATCH);
}

static void *write_files(void *ctx)
{
	struct store *s = ctx;
	bool is_ending;

	do {
		struct timespec until;

		pthread_mutex_lock(&s->lock);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		while (!s->is_ending && !s->is_urgent &&
		       pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
			;
		s->is_urgent = false;
		is_ending = s->is_ending;
		pthread_mutex_unlock(&s->lock);
		write_due(s);
	} while (!is_ending);
	return NULL;
}

/* ---- opening and closing ---- */

static int lock_directory(struct store *s, char why[STORE_WHY_MAX])
{
	char path[PATH_TEXT_MAX];

	if (mkdir(s->directory, 0755) != 0 && errno != EEXIST) {
		snprintf(why, STORE_WHY_MAX, "%s: cannot be made: %s", s->directory,
			 strerror(errno));
		return E_SYSTEM;
	}
	snprintf(path, sizeof(path), "%s/.lock", s->directory);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (s->lock_fd < 0) {
		snprintf(why, STORE_WHY_MAX, "%s: cannot be written to: %s", s->directory,
			 strerror(errno));
		return E_SYSTEM;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		snprintf(why, STORE_WHY_MAX, "%s: another one is at work there", s->directory);
		return E_SYSTEM;
	}
	return E_OK;
}

/* When a source was heard before we began: all of its metrics come together, so one will do. */
static void find_last(struct store *s, const char *name)
{
	char path[PATH_TEXT_MAX];
	struct source *source;
	enum kind kind;
	int64_t last_s;
	size_t i;

	if (!find_name((void *const *)s->sources, s->n_sources, source_name, name, &i))
		return;
	source = s->sources[i];
	if (source->n_metrics == 0)
		return;
	metric_path(s, source->metrics[0], path);
	if (archive_look(path, &kind, &last_s) == E_OK)
		source->last_s = last_s;
}

static void find_metrics(struct store *s, const char *source)
{
	char path[PATH_TEXT_MAX], name[LINE_METRIC_MAX];
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", s->directory, source);
	d = opendir(path);
	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);
		struct metric *m;

		if (len < 5 || len - 4 >= sizeof(name) ||
		    strcmp(entry->d_name + len - 4, ".rrd") != 0)
			continue;
		memcpy(name, entry->d_name, len - 4);
		name[len - 4] = '\0';
		if (line_is_metric(name) && get_metric(s, source, name, &m) != REFUSAL_NONE)
			log_limited(LOG_LEVEL_WARNING,
				    "%s: more files than max-files or max-metrics allow", path);
	}
	closedir(d);
	find_last(s, source);
}

static int find_sources(struct store *s, char why[STORE_WHY_MAX])
{
	struct dirent *entry;
	DIR *d = opendir(s->directory);

	if (d == NULL) {
		snprintf(why, STORE_WHY_MAX, "%s: cannot be read: %s", s->directory,
			 strerror(errno));
		return E_SYSTEM;
	}
	while ((entry = readdir(d)) != NULL)
		if (line_is_source(entry->d_name))
			find_metrics(s, entry->d_name);
	closedir(d);
	return E_OK;
}

static void free_store(struct store *s)
{
	for (size_t i = 0; i < s->n_metrics; i++) {
		pthread_mutex_destroy(&s->metrics[i]->file);
		free(s->metrics[i]->pending);
		free(s->metrics[i]);
	}
	for (size_t i = 0; i < s->n_sources; i++) {
		free(s->sources[i]->metrics);
		free(s->sources[i]);
	}
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s->sources);
	free(s->metrics);
	free(s->directory);
	free(s);
}

int store_open(struct store **out, const struct store_options *o, char why[STORE_WHY_MAX])
{
	struct store *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int err = E_NOMEM;

	snprintf(why, STORE_WHY_MAX, "%s", err_text(E_NOMEM));
	if (s == NULL)
		return E_NOMEM;
	s->o = *o;
	s->lock_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	s->directory = strdup(o->directory);
	s->metrics = calloc(o->max_files, sizeof(*s->metrics));
	if (s->directory == NULL || s->metrics == NULL)
		goto out;
	err = lock_directory(s, why);
	if (err == E_OK)
		err = find_sources(s, why);
	if (err == E_OK && pthread_create(&s->writer, NULL, write_files, s) != 0) {
		snprintf(why, STORE_WHY_MAX, "no thread can be made");
		err = E_SYSTEM;
	}
out:
	if (err != E_OK) {
		free_store(s);
		return err;
	}
	*out = s;
	return E_OK;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->writer, NULL);
	free_store(s);
}

/* ---- who asks ---- */

void store_stats(struct store *s, struct store_stats *out)
{
	out->taken = atomic_load_explicit(&s->taken, memory_order_relaxed);
	out->connections = atomic_load_explicit(&s->connections, memory_order_relaxed);
	out->writes = atomic_load_explicit(&s->writes, memory_order_relaxed);
	out->written = atomic_load_explicit(&s->written, memory_order_relaxed);
	for (size_t i = 0; i < REFUSAL_COUNT; i++)
		out->refused[i] = atomic_load_explicit(&s->refused[i], memory_order_relaxed);
	pthread_mutex_lock(&s->lock);
	out->sources = s->n_sources;
	out->metrics = s->n_metrics;
	out->waiting = s->n_waiting;
	pthread_mutex_unlock(&s->lock);
}

void store_each_source(struct store *s, store_source_cb cb, void *ctx)
{
	bool go_on = true;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_sources && go_on; i++) {
		struct store_source source = { s->sources[i]->name, s->sources[i]->last_s,
					       s->sources[i]->n_metrics };

		go_on = cb(ctx, &source);
	}
	pthread_mutex_unlock(&s->lock);
}

int store_each_metric(struct store *s, const char *source, store_metric_cb cb, void *ctx)
{
	size_t i;
	int err = E_NOT_FOUND;

	pthread_mutex_lock(&s->lock);
	if (find_name((void *const *)s->sources, s->n_sources, source_name, source, &i)) {
		for (size_t j = 0; j < s->sources[i]->n_metrics; j++)
			cb(ctx, s->sources[i]->metrics[j]->name, s->sources[i]->metrics[j]->kind);
		err = E_OK;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

double store_now(struct store *s, const char *source, const char *metric, bool rate)
{
	const struct metric *m;
	double value = NAN;

	pthread_mutex_lock(&s->lock);
	m = find_metric(s, source, metric);
	if (m == NULL || m->last.time_s == 0)
		;
	else if (!rate)
		value = m->last.value;
	else if (m->before.time_s != 0 && m->last.value >= m->before.value)
		value = (m->last.value - m->before.value) /
			(double)(m->last.time_s - m->before.time_s);
	pthread_mutex_unlock(&s->lock);
	return value;
}

int store_fetch(struct store *s, const char *source, const char *metric, bool rate,
		const struct stretch *t, double *out)
{
	char path[PATH_TEXT_MAX];
	struct metric *m;
	int err;

	pthread_mutex_lock(&s->lock);
	m = find_metric(s, source, metric);
	pthread_mutex_unlock(&s->lock);
	if (m == NULL)
		return E_NOT_FOUND;
	metric_path(s, m, path);
	pthread_mutex_lock(&m->file);
	flush_metric(s, m);
	err = archive_fetch(path, rate, t, out);
	pthread_mutex_unlock(&m->file);
	return err;
}

unsigned store_step_s(const struct store *s)
{
	return s->o.step_s;
}

unsigned store_heartbeat_s(const struct store *s)
{
	return s->o.heartbeat_s;
}
