#include "tools/graphs/series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

/* Sums of what several files say of each step. */
struct sums {
	struct store *store;
	const struct stretch *t;
	const char *source;
	bool rate;
	double *sum, *one; /* one: room for a file's values */
	unsigned *n;       /* how many values are in each sum */
	double now;        /* of series_now() */
};

static void free_sums(struct sums *s)
{
	free(s->sum);
	free(s->one);
	free(s->n);
}

static int make_sums(struct sums *s, struct store *store, const struct stretch *t, bool rate)
{
	*s = (struct sums) { .store = store, .t = t, .rate = rate };
	s->sum = calloc(t->n + 1, sizeof(*s->sum));
	s->one = calloc(t->n + 1, sizeof(*s->one));
	s->n = calloc(t->n + 1, sizeof(*s->n));
	if (s->sum != NULL && s->one != NULL && s->n != NULL)
		return E_OK;
	free_sums(s);
	return E_NOMEM;
}

static void add_metric(void *ctx, const char *metric)
{
	struct sums *s = ctx;

	if (store_fetch(s->store, s->source, metric, s->rate, s->t, s->one) != E_OK)
		return;
	for (size_t k = 0; k < s->t->n; k++) {
		if (isnan(s->one[k]))
			continue;
		s->sum[k] += s->one[k];
		s->n[k]++;
	}
}

static void add_sources(struct sums *s, const char *terms, const char *const *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->source = sources[i];
		boards_each_term(terms, add_metric, s);
	}
}

static double *take_values(struct sums *s, double scale, bool is_mean)
{
	double *values = s->sum;

	for (size_t k = 0; k < s->t->n; k++)
		values[k] = s->n[k] == 0 ? NAN : values[k] * scale / (is_mean ? s->n[k] : 1);
	s->sum = NULL;
	return values;
}

/* ---- percentiles ---- */

enum { BUCKETS_MAX = 32 };

struct histogram {
	const char *prefix;
	size_t n;
	struct {
		double edge;
		char metric[LINE_METRIC_MAX];
	} buckets[BUCKETS_MAX];
};

static void find_bucket(void *ctx, const char *metric, enum kind kind)
{
	struct histogram *h = ctx;
	size_t len = strlen(h->prefix), at;
	double edge;
	char *end;

	(void)kind;
	if (strncmp(metric, h->prefix, len) != 0 || metric[len] != '-' || h->n == BUCKETS_MAX)
		return;
	edge = strtod(metric + len + 1, &end);
	if (strcmp(metric + len + 1, "max") == 0)
		edge = INFINITY;
	else if (end == metric + len + 1 || *end != '\0')
		return;
	for (at = h->n; at > 0 && h->buckets[at - 1].edge > edge; at--)
		h->buckets[at] = h->buckets[at - 1];
	h->buckets[at].edge = edge;
	snprintf(h->buckets[at].metric, sizeof(h->buckets[at].metric), "%s", metric);
	h->n++;
}

double series_percentile(const double *edges, const double *below, size_t n, double part)
{
	double wanted, before = 0, from = 0;

	if (n == 0 || isnan(below[n - 1]) || below[n - 1] <= 0)
		return NAN;
	wanted = below[n - 1] * part;
	for (size_t i = 0; i < n; i++) {
		if (below[i] >= wanted) {
			if (isinf(edges[i]) || below[i] <= before)
				return from;
			return from + (edges[i] - from) * (wanted - before) / (below[i] - before);
		}
		before = below[i];
		from = edges[i];
	}
	return from;
}

/* Adds up every bucket over the sources, a row of t->n values a bucket. */
static int sum_buckets(struct store *store, const struct histogram *h, const char *const *sources,
		       size_t n_sources, const struct stretch *t, double *rows)
{
	for (size_t b = 0; b < h->n; b++) {
		struct sums s;
		double *values;

		if (make_sums(&s, store, t, true) != E_OK)
			return E_NOMEM;
		add_sources(&s, h->buckets[b].metric, sources, n_sources);
		values = take_values(&s, 1, false);
		memcpy(rows + b * t->n, values, t->n * sizeof(*rows));
		free(values);
		free_sums(&s);
	}
	return E_OK;
}

static int percentiles(struct store *store, const struct board_line *line,
		       const char *const *sources, size_t n_sources, const struct stretch *t,
		       double **out)
{
	struct histogram h = { .prefix = line->sum };
	double edges[BUCKETS_MAX], below[BUCKETS_MAX];
	double *values = calloc(t->n + 1, sizeof(*values)), *rows = NULL;
	int err = E_NOMEM;

	for (size_t i = 0; i < n_sources && h.n == 0; i++)
		if (store_each_metric(store, sources[i], find_bucket, &h) != E_OK)
			h.n = 0;
	rows = calloc(h.n * t->n + 1, sizeof(*rows));
	if (values == NULL || rows == NULL)
		goto out;
	err = sum_buckets(store, &h, sources, n_sources, t, rows);
	if (err != E_OK)
		goto out;
	for (size_t k = 0; k < t->n; k++) {
		for (size_t b = 0; b < h.n; b++) {
			edges[b] = h.buckets[b].edge / 1000; /* ms */
			below[b] = rows[b * t->n + k];
		}
		values[k] = series_percentile(edges, below, h.n, line->scale);
	}
	*out = values;
	values = NULL;
out:
	free(rows);
	free(values);
	return err;
}

/* ---- lines ---- */

static bool is_rate(const struct board_line *line)
{
	return line->kind == LINE_RATE || line->kind == LINE_PERCENTILE;
}

static int divide(struct store *store, const struct board_line *line, const char *const *sources,
		  size_t n_sources, const struct stretch *t, double *values)
{
	struct sums per;
	int err = make_sums(&per, store, t, is_rate(line));

	if (err != E_OK)
		return err;
	add_sources(&per, line->per, sources, n_sources);
	for (size_t k = 0; k < t->n; k++)
		values[k] = per.n[k] > 0 && per.sum[k] > 0 ? values[k] / per.sum[k] : NAN;
	free_sums(&per);
	return E_OK;
}

int series_of_line(struct store *store, const struct board_line *line, const char *const *sources,
		   size_t n_sources, const struct stretch *t, double **out)
{
	double *values;
	struct sums s;
	int err;

	if (line->kind == LINE_PERCENTILE)
		return percentiles(store, line, sources, n_sources, t, out);
	err = make_sums(&s, store, t, is_rate(line));
	if (err != E_OK)
		return err;
	add_sources(&s, line->sum, sources, n_sources);
	values = take_values(&s, line->scale, line->kind == LINE_MEAN);
	free_sums(&s);
	if (line->per != NULL)
		err = divide(store, line, sources, n_sources, t, values);
	if (err == E_OK)
		*out = values;
	else
		free(values);
	return err;
}

int series_of_metric(struct store *store, const char *source, const char *metric, bool rate,
		     const struct stretch *t, double **out)
{
	struct board_line line = { metric, rate ? LINE_RATE : LINE_VALUE, metric, NULL, 1, NULL };

	return series_of_line(store, &line, &source, 1, t, out);
}

static void add_now(void *ctx, const char *metric)
{
	struct sums *s = ctx;

	s->now += store_now(s->store, s->source, metric, s->rate);
}

double series_now(struct store *store, const struct board_line *line, const char *source)
{
	struct sums s = { .store = store, .source = source, .rate = is_rate(line) };
	double value;

	if (line->kind == LINE_PERCENTILE)
		return NAN;
	boards_each_term(line->sum, add_now, &s);
	value = s.now * line->scale;
	if (line->per != NULL) {
		s.now = 0;
		boards_each_term(line->per, add_now, &s);
		value = s.now > 0 ? value / s.now : NAN;
	}
	return value;
}
