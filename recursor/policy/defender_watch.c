/* defender_watch: see defender_watch.h. */
#include "recursor/policy/defender_watch.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/name.h"

enum {
	WAYS = 8,
	SETS_LEAST = 8,
	PARTS = 12, /* of the shortest window, a bucket each */
	BUCKETS_MOST = 64,
	BUCKET_MS_LEAST = 250,
	HALF_LIFE_MS = 8000, /* of a weight */
};

struct bucket {
	struct defender_counts counts;
	struct sketch children;
};

struct defender_watched {
	uint64_t hash;   /* 0: free */
	uint64_t number; /* of the bucket filled last: time by the buckets' width */
	uint64_t weighed_ms;
	uint32_t weight;
	uint8_t name[NAME_MAX_LEN];
	struct bucket buckets[];
};

struct layout {
	uint64_t width_ms;
	unsigned n;
};

struct defender_watch {
	struct layout layout;
	size_t n_sets, row_bytes;
	uint8_t *rows;
	size_t used;
	uint64_t evicted;
};

/* ---- figures ---- */

double defender_sum_queries(const struct defender_sum *s)
{
	double n = 0;

	for (int i = 0; i < DEFENDER_ENDS; i++)
		n += s->ends[i];
	return n;
}

static void take_off(double *from, double part)
{
	*from = *from > part ? *from - part : 0;
}

void defender_sum_subtract(struct defender_sum *from, const struct defender_sum *part)
{
	for (int i = 0; i < DEFENDER_ENDS; i++)
		take_off(&from->ends[i], part->ends[i]);
	for (int i = 0; i < DEFENDER_END_TURNED; i++)
		take_off(&from->probes[i], part->probes[i]);
	take_off(&from->cached, part->cached);
	take_off(&from->children, part->children);
}

static double failures(unsigned which, const double *ends)
{
	static const struct {
		unsigned bit;
		enum defender_end end;
	} kinds[] = {
		{ DEFENDER_FAIL_NXDOMAIN, DEFENDER_END_NXDOMAIN },
		{ DEFENDER_FAIL_SERVFAIL, DEFENDER_END_SERVFAIL },
		{ DEFENDER_FAIL_TIMEOUT, DEFENDER_END_TIMEOUT },
		{ DEFENDER_FAIL_OTHER, DEFENDER_END_OTHER },
	};
	double n = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (which & kinds[i].bit)
			n += ends[kinds[i].end];
	return n;
}

void defender_figures(struct defender_figures *out, const struct defender_rule *rule,
		      const struct defender_sum *sum)
{
	double queries = defender_sum_queries(sum), probes = 0, turned_part = 1, failed;

	for (int i = 0; i < DEFENDER_END_TURNED; i++)
		probes += sum->probes[i];
	if (probes > 0)
		turned_part = failures(rule->failures, sum->probes) / probes;
	failed = failures(rule->failures, sum->ends) + turned_part * sum->ends[DEFENDER_END_TURNED];
	*out = (struct defender_figures) {
		.queries = queries,
		.qps = queries / rule->window_s,
		.children = sum->children,
		/* A sketch may be wrong by a tenth; there are no more names than questions. */
		.queries_per_child = sum->children <= 0        ? 0
				     : sum->children > queries ? 1
							       : queries / sum->children,
		.cache_hit_ratio = queries > 0 ? sum->cached / queries : 0,
		.failure_ratio = queries > 0 ? failed / queries : 0,
	};
}

bool defender_rule_holds(const struct defender_rule *rule, unsigned labels,
			 const struct defender_figures *f)
{
	return labels >= rule->min_labels && f->qps >= rule->min_qps &&
	       f->children >= rule->min_children &&
	       f->queries_per_child <= rule->max_queries_per_child &&
	       f->cache_hit_ratio <= rule->max_cache_hit_ratio &&
	       f->failure_ratio >= rule->min_failure_ratio;
}

/* ---- rows ---- */

static struct layout layout_of(const struct defender_rules *rules)
{
	uint32_t least = DEFENDER_WINDOW_MAX, most = 1;
	struct layout l;

	for (size_t i = 0; i < rules->n; i++) {
		uint32_t window = rules->rules[i].window_s;

		least = window < least ? window : least;
		most = window > most ? window : most;
	}
	if (rules->n == 0)
		least = most = 1;
	l.width_ms = (uint64_t)least * 1000 / PARTS;
	if (l.width_ms < (uint64_t)most * 1000 / (BUCKETS_MOST - 2))
		l.width_ms = (uint64_t)most * 1000 / (BUCKETS_MOST - 2);
	if (l.width_ms < BUCKET_MS_LEAST)
		l.width_ms = BUCKET_MS_LEAST;
	/* The one that is being filled, and the one that is leaving. */
	l.n = (unsigned)((uint64_t)most * 1000 / l.width_ms) + 2;
	return l;
}

int defender_watch_new(struct defender_watch **out, size_t bytes,
		       const struct defender_rules *rules)
{
	struct defender_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return E_NOMEM;
	w->layout = layout_of(rules);
	w->row_bytes = sizeof(struct defender_watched) + w->layout.n * sizeof(struct bucket);
	w->row_bytes = (w->row_bytes + 7) & ~(size_t)7;
	w->n_sets = bytes / w->row_bytes / WAYS;
	if (w->n_sets < SETS_LEAST)
		w->n_sets = SETS_LEAST;
	w->rows = calloc(w->n_sets * WAYS, w->row_bytes);
	if (w->rows == NULL) {
		free(w);
		return E_NOMEM;
	}
	*out = w;
	return E_OK;
}

void defender_watch_free(struct defender_watch *w)
{
	if (w == NULL)
		return;
	free(w->rows);
	free(w);
}

bool defender_watch_suits(const struct defender_watch *w, const struct defender_rules *rules)
{
	struct layout l = layout_of(rules);

	return l.n == w->layout.n && l.width_ms == w->layout.width_ms;
}

size_t defender_watch_bytes(const struct defender_watch *w)
{
	return w->n_sets * WAYS * w->row_bytes;
}

uint64_t defender_watch_evicted(const struct defender_watch *w)
{
	return w->evicted;
}

size_t defender_watch_rows(const struct defender_watch *w)
{
	return w->used;
}

static struct defender_watched *row_at(const struct defender_watch *w, size_t at)
{
	return (void *)(w->rows + at * w->row_bytes);
}

/* Another worker's clock, which weighed it last, may be some milliseconds ahead. */
static uint64_t halves_since(const struct defender_watched *row, uint64_t now_ms)
{
	return now_ms > row->weighed_ms ? (now_ms - row->weighed_ms) / HALF_LIFE_MS : 0;
}

static uint32_t weight_now(const struct defender_watched *row, uint64_t now_ms)
{
	uint64_t halves = halves_since(row, now_ms);

	return halves > 31 ? 0 : row->weight >> halves;
}

static void weigh(struct defender_watched *row, uint64_t more, uint64_t now_ms)
{
	uint64_t halves = halves_since(row, now_ms);
	uint64_t weight = weight_now(row, now_ms) + more;

	row->weight = weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight;
	row->weighed_ms += halves * HALF_LIFE_MS;
}

static struct defender_watched *find(struct defender_watch *w, uint64_t hash, size_t *set)
{
	*set = hash % w->n_sets * WAYS;
	for (size_t at = *set; at < *set + WAYS; at++)
		if (row_at(w, at)->hash == hash)
			return row_at(w, at);
	return NULL;
}

static uint64_t hash_of(const uint8_t *name)
{
	uint64_t hash = name_hash(name);

	return hash == 0 ? 1 : hash;
}

struct defender_watched *defender_watch_find(struct defender_watch *w, const uint8_t *name)
{
	size_t set;

	return find(w, hash_of(name), &set);
}

static struct defender_watched *lightest(struct defender_watch *w, size_t set, uint64_t now_ms)
{
	struct defender_watched *best = row_at(w, set);

	for (size_t at = set + 1; at < set + WAYS; at++)
		if (weight_now(row_at(w, at), now_ms) < weight_now(best, now_ms))
			best = row_at(w, at);
	return best;
}

/* Buckets that time has passed since are empty. */
static void turn_to(const struct defender_watch *w, struct defender_watched *row, uint64_t number)
{
	uint64_t gone = number - row->number;

	if (number <= row->number)
		return;
	if (gone > w->layout.n)
		gone = w->layout.n;
	for (uint64_t i = 0; i < gone; i++)
		memset(&row->buckets[(number - i) % w->layout.n], 0, sizeof(struct bucket));
	row->number = number;
}

static void add_counts(struct defender_counts *to, const struct defender_counts *from)
{
	for (int i = 0; i < DEFENDER_ENDS; i++)
		to->ends[i] += from->ends[i];
	for (int i = 0; i < DEFENDER_END_TURNED; i++)
		to->probes[i] += from->probes[i];
	to->cached += from->cached;
}

struct defender_watched *defender_watch_add(struct defender_watch *w, const uint8_t *name,
					    const struct defender_counts *counts,
					    const struct sketch *children, uint64_t now_ms)
{
	uint64_t hash = hash_of(name), number = now_ms / w->layout.width_ms;
	size_t set;
	struct defender_watched *row = find(w, hash, &set);
	struct bucket *b;

	if (row == NULL) {
		row = lightest(w, set, now_ms);
		w->evicted += row->hash != 0;
		w->used += row->hash == 0;
		if (row->hash == 0)
			row->weighed_ms = now_ms;
		row->hash = hash;
		name_copy(row->name, name);
		memset(row->buckets, 0, w->layout.n * sizeof(*row->buckets));
		row->number = number;
	}
	turn_to(w, row, number);
	weigh(row, defender_counts_total(counts), now_ms);
	b = &row->buckets[row->number % w->layout.n];
	add_counts(&b->counts, counts);
	sketch_unite(&b->children, children);
	return row;
}

static void add_part(struct defender_sum *to, const struct defender_counts *c, double part)
{
	for (int i = 0; i < DEFENDER_ENDS; i++)
		to->ends[i] += part * c->ends[i];
	for (int i = 0; i < DEFENDER_END_TURNED; i++)
		to->probes[i] += part * c->probes[i];
	to->cached += part * c->cached;
}

/* The window begins within the bucket that is `whole` + 1 before this one; of that `part` counts.
 * Or, if another rule's is so long that buckets are longer than this one, within this bucket: of that
 * `of_this` counts. */
struct span {
	uint64_t number, whole;
	double part, of_this;
};

static struct span span_of(const struct defender_watch *w, uint32_t window_s, uint64_t now_ms)
{
	uint64_t width = w->layout.width_ms;
	uint64_t window = (uint64_t)window_s * 1000, begun = now_ms % width;
	uint64_t left = window > begun ? window - begun : 0;

	return (struct span) {
		.number = now_ms / width,
		.whole = left / width,
		.part = (double)(left % width) / (double)width,
		.of_this = window < begun ? (double)window / (double)begun : 1,
	};
}

void defender_watch_count(const struct defender_watch *w, struct defender_watched *row,
			  uint32_t window_s, uint64_t now_ms, struct defender_sum *out)
{
	struct span span = span_of(w, window_s, now_ms);

	*out = (struct defender_sum) { .cached = 0 };
	turn_to(w, row, span.number);
	for (uint64_t i = 0; i <= span.whole + 1 && i < w->layout.n && i <= span.number; i++)
		add_part(out, &row->buckets[(span.number - i) % w->layout.n].counts,
			 i == 0            ? span.of_this
			 : i <= span.whole ? 1
					   : span.part);
}

void defender_watch_count_children(const struct defender_watch *w, struct defender_watched *row,
				   uint32_t window_s, uint64_t now_ms, struct defender_sum *out)
{
	struct span span = span_of(w, window_s, now_ms);
	struct sketch children = { .at = { 0 } };

	turn_to(w, row, span.number);
	for (uint64_t i = 0; i <= span.whole && i < w->layout.n && i <= span.number; i++)
		sketch_unite(&children, &row->buckets[(span.number - i) % w->layout.n].children);
	out->children = sketch_count(&children) * span.of_this;
}
