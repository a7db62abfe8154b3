/* metrics: listing and visiting what metrics_table.c has; see metrics.h. */
#include "recursor/watch/metrics.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/mdoc.h"
#include "common/metric_name.h"
#include "recursor/watch/metrics_impl.h"

/* ---- which samples there are ---- */

enum { ROWS_MAX = 512, SAMPLES_MAX = 1024 };

/* A sample of ours: a row, or a member of its group. */
struct sample {
	const struct row *row;
	size_t member;
	struct group_member called;
};

/* Made once from the table. */
static struct {
	const struct row *rows[ROWS_MAX];   /* in order of name */
	struct sample samples[SAMPLES_MAX]; /* row by row, as the rows are ordered */
	size_t n_samples;
	const struct sample *by_name[SAMPLES_MAX];
} all;
static pthread_once_t listed = PTHREAD_ONCE_INIT;

static int compare_rows(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return metric_name_compare((*x)->m.name, (*y)->m.name);
}

static int compare_samples(const void *a, const void *b)
{
	const struct sample *const *x = a, *const *y = b;

	return metric_name_compare((*x)->called.name, (*y)->called.name);
}

static void list_row(const struct row *row)
{
	size_t n = row->group != NULL ? row->group->n : 1;

	for (size_t i = 0; i < n; i++) {
		struct sample *s = &all.samples[all.n_samples];

		ASSERT(all.n_samples < SAMPLES_MAX);
		all.by_name[all.n_samples++] = s;
		s->row = row;
		s->member = i;
		if (row->group != NULL) {
			row->group->name(row->group, i, &s->called);
			continue;
		}
		ASSERT(strlen(row->m.name) < sizeof(s->called.name));
		strcpy(s->called.name, row->m.name);
	}
}

static void list_all(void)
{
	ASSERT(metrics_n_rows <= ROWS_MAX);
	for (size_t i = 0; i < metrics_n_rows; i++)
		all.rows[i] = &metrics_rows[i];
	qsort(all.rows, metrics_n_rows, sizeof(all.rows[0]), compare_rows);
	for (size_t i = 0; i < metrics_n_rows; i++)
		list_row(all.rows[i]);
	qsort(all.by_name, all.n_samples, sizeof(all.by_name[0]), compare_samples);
}

static void need_list(void)
{
	pthread_once(&listed, list_all);
}

/* The sample of that name, or NULL. */
static const struct sample *find(const char *name)
{
	size_t low = 0, high;

	need_list();
	high = all.n_samples;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = metric_name_compare(name, all.by_name[mid]->called.name);

		if (order == 0)
			return all.by_name[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* ---- values ---- */

static uint64_t workers_sum(const struct watch_env *env, size_t place)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < env->n_workers; w++)
		sum += counter_get((const counter *)env->counters(env->ctx, w) + place);
	return sum;
}

static uint64_t workers_peak(const struct watch_env *env, size_t place)
{
	uint64_t most = 0;

	for (unsigned w = 0; w < env->n_workers; w++) {
		uint64_t v = counter_get((const counter *)env->counters(env->ctx, w) + place);

		most = v > most ? v : most;
	}
	return most;
}

uint64_t reading_counter(const struct reading *r, size_t place)
{
	return r->sums != NULL ? r->sums[place] : workers_sum(r->env, place);
}

static uint64_t value_of(const struct sample *s, struct reading *r)
{
	const struct row *row = s->row;

	if (row->group != NULL)
		return row->group->value(row->group, r, s->member);
	if (row->read != NULL)
		return row->read(r);
	if (row->m.kind == METRIC_PEAK)
		return workers_peak(r->env, row->counter);
	return reading_counter(r, row->counter);
}

static bool is_there(const struct sample *s, struct reading *r)
{
	const struct metric_group *g = s->row->group;

	if (s->row->is_there != NULL && !s->row->is_there(r))
		return false;
	return g == NULL || g->n_there == NULL || s->member < g->n_there(r->env);
}

bool metrics_get(const struct watch_env *env, const char *name, uint64_t *value)
{
	const struct sample *s = find(name);
	struct reading r = { .env = env };
	const struct custom_metric *custom;

	if (s != NULL && is_there(s, &r)) {
		*value = value_of(s, &r);
		return true;
	}
	custom = custom_metrics_find(env->custom_metrics, name);
	if (custom == NULL)
		return false;
	*value = atomic_load_explicit(&custom->value, memory_order_relaxed);
	return true;
}

/* ---- visits ---- */

struct visit {
	struct reading reading;
	uint64_t sums[N_COUNTERS];
	char *hidden; /* a setting's value, or NULL */
	metric_cb *each;
	void *ctx;
	size_t next; /* of all.by_name */
};

struct looked_for {
	const char *name;
	bool found;
};

static int match_word(void *ctx, const char *word, size_t len)
{
	struct looked_for *l = ctx;

	l->found = l->found || (strlen(l->name) == len && memcmp(l->name, word, len) == 0);
	return E_OK;
}

static bool is_hidden(const struct visit *v, const char *name)
{
	struct looked_for l = { .name = name };

	return v->hidden != NULL && conf_each_word(v->hidden, match_word, &l) == E_OK && l.found;
}

static void begin(struct visit *v, const struct watch_env *env, const char *setting,
		  metric_cb *each, void *ctx)
{
	need_list();
	*v = (struct visit) { .each = each, .ctx = ctx };
	for (unsigned w = 0; w < env->n_workers; w++) {
		const counter *c = (const counter *)env->counters(env->ctx, w);

		for (size_t i = 0; i < N_COUNTERS; i++)
			v->sums[i] += counter_get(&c[i]);
	}
	v->reading = (struct reading) { .env = env, .sums = v->sums };
	if (setting != NULL)
		v->hidden = env->setting(env->ctx, setting);
}

static void show(struct visit *v, const struct sample *s)
{
	const struct row *row = s->row;
	char labels[LABELS_NOW_MAX];
	struct metric_sample out = {
		.name = s->called.name,
		.prometheus = s->called.prometheus,
		.labels = s->called.labels,
		.is_usec = s->called.is_usec,
		.metric = &row->m,
	};

	if (!is_there(s, &v->reading) || is_hidden(v, out.name) ||
	    (row->group != NULL && is_hidden(v, row->m.name)))
		return;
	if (row->group != NULL && row->group->labels_now != NULL) {
		row->group->labels_now(v->reading.env, s->member, labels);
		out.labels = labels;
	}
	out.value = value_of(s, &v->reading);
	v->each(v->ctx, &out);
}

/* One that has a name of ours does not stand in its place. */
static void show_custom(struct visit *v, const struct custom_metric *c)
{
	const struct metric metric = {
		.name = c->name,
		.help = c->help[0] != '\0' ? c->help : "of the operator's script",
		.kind = c->is_gauge ? METRIC_GAUGE : METRIC_COUNTER,
	};
	const struct metric_sample out = {
		.name = c->name,
		.prometheus = c->prometheus[0] != '\0' ? c->prometheus : NULL,
		.labels = "",
		.metric = &metric,
		.value = atomic_load_explicit(&c->value, memory_order_relaxed),
	};

	if (!is_hidden(v, c->name) && find(c->name) == NULL)
		v->each(v->ctx, &out);
}

/* ... after those of ours that come before it. */
static void merge_custom(void *ctx, const struct custom_metric *c)
{
	struct visit *v = ctx;

	while (v->next < all.n_samples &&
	       metric_name_compare(all.by_name[v->next]->called.name, c->name) < 0)
		show(v, all.by_name[v->next++]);
	show_custom(v, c);
}

static void append_custom(void *ctx, const struct custom_metric *c)
{
	show_custom(ctx, c);
}

void metrics_visit(const struct watch_env *env, const char *setting, metric_cb *each, void *ctx)
{
	struct visit v;

	begin(&v, env, setting, each, ctx);
	custom_metrics_walk(env->custom_metrics, merge_custom, &v);
	while (v.next < all.n_samples)
		show(&v, all.by_name[v.next++]);
	free(v.hidden);
}

void metrics_visit_grouped(const struct watch_env *env, const char *setting, metric_cb *each,
			   void *ctx)
{
	struct visit v;

	begin(&v, env, setting, each, ctx);
	for (size_t i = 0; i < all.n_samples; i++)
		show(&v, &all.samples[i]);
	custom_metrics_walk(env->custom_metrics, append_custom, &v);
	free(v.hidden);
}

/* ---- the metrics themselves ---- */

size_t metrics_count(void)
{
	return metrics_n_rows;
}

const struct metric *metrics_at(size_t i)
{
	need_list();
	ASSERT(i < metrics_n_rows);
	return &all.rows[i]->m;
}

void metrics_print_mdoc(FILE *f)
{
	for (size_t i = 0; i < metrics_n_rows; i++) {
		const struct metric *m = metrics_at(i);

		fprintf(f, ".It Cm ");
		mdoc_print(f, m->samples != NULL ? m->samples : m->name);
		fprintf(f, "\n%c", toupper((unsigned char)m->help[0]));
		mdoc_print(f, m->help + 1);
		fprintf(f, ".\n");
	}
}
