/* top_cost: see top_cost.h. */
#include "recursor/watch/top_cost.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/costs.h"

enum {
	ROWS_ALONE = 20, /* when one window is asked for */
	ROWS_EACH = 10,
	SLOTS_MOST = 12, /* of a window */
	COPY_TRIES = 5,  /* a worker's windows move on every ten seconds */
};

/* What is sorted by. */
enum measure { BY_SHARE, BY_CPU, BY_OUTQUERIES, BY_WAIT };

static const struct {
	const char *word;
	enum measure measure;
} measures[] = { { "cpu", BY_CPU }, { "outqueries", BY_OUTQUERIES }, { "wait", BY_WAIT } };

static const char *const windows[COST_WINDOW_COUNT] = { "1m", "10m", "1h" };

static const char *const kinds[COST_KIND_COUNT] = {
#define COST_KIND_NAME(kind, name, bytes) [kind] = (name),
	COST_KINDS(COST_KIND_NAME)
#undef COST_KIND_NAME
};

/* ---- copies of the slots ---- */

struct copies {
	unsigned n;
	struct heavy **of;
	uint64_t began_ms; /* the oldest of them */
};

static void copies_clear(struct copies *c, unsigned keep)
{
	while (c->n > keep)
		free(c->of[--c->n]);
}

struct slot_visit {
	enum cost_kind kind;
	enum cost_window window;
	unsigned slot;
	struct heavy *copy;
	size_t room; /* there; 0: only look */
	struct costs_slot seen;
	bool has_costs;
};

static void visit_slot(void *arg, const struct watch_worker *w)
{
	struct slot_visit *v = arg;

	v->has_costs = w->costs != NULL;
	if (!v->has_costs)
		return;
	v->seen = costs_slot(w->costs, v->kind, v->window, v->slot);
	if (v->seen.heavy->is_used && v->seen.size <= v->room)
		memcpy(v->copy, v->seen.heavy, v->seen.size);
}

/* One more slot; false: the windows have moved on, or the costs are others now. */
static int copy_slot(const struct watch_env *env, struct copies *c, unsigned worker,
		     struct slot_visit *v, bool *again)
{
	uint64_t serial = v->seen.serial;
	size_t size = v->seen.size;

	v->copy = calloc(1, size);
	v->room = size;
	if (v->copy == NULL)
		return E_NOMEM;
	c->of[c->n++] = v->copy;
	if (env->on_worker(env->ctx, worker, visit_slot, v) != E_OK || !v->has_costs ||
	    v->seen.serial != serial || v->seen.size != size) {
		*again = true;
		return E_OK;
	}
	if (v->copy->n_buckets == 0) /* it was empty, and was not copied */
		free(c->of[--c->n]);
	if (v->seen.began_ms < c->began_ms)
		c->began_ms = v->seen.began_ms;
	return E_OK;
}

static int copy_worker(const struct watch_env *env, struct copies *c, unsigned worker,
		       enum cost_kind kind, enum cost_window window)
{
	struct slot_visit v = { .kind = kind, .window = window };
	unsigned before = c->n;
	int err = E_OK;

	for (unsigned try = 0; try < COPY_TRIES; try++) {
		bool again = false;

		copies_clear(c, before);
		v.room = 0;
		v.slot = 0;
		if (env->on_worker(env->ctx, worker, visit_slot, &v) != E_OK || !v.has_costs)
			return E_OK; /* it has stopped, or counts no costs */
		for (; v.slot < costs_window_slots(window) && !again && err == E_OK; v.slot++)
			err = copy_slot(env, c, worker, &v, &again);
		if (err != E_OK || !again)
			return err;
	}
	copies_clear(c, before);
	return E_OK;
}

/* ---- rows ---- */

struct row {
	uint64_t tag;
	const uint8_t *key;
	size_t len;
	struct cost cost;
	double share; /* of the whole, in the measure that counts */
};

struct report {
	struct copies copies;
	struct cost total;
	uint64_t missed; /* a score: of anybody who is not in `rows` */
	struct row *rows;
	size_t n;
};

static double share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / (double)whole;
}

static double row_share(const struct cost *c, const struct cost *total, enum measure by)
{
	double cpu = share(c->cpu_us, total->cpu_us);
	double outqueries = share(c->outqueries, total->outqueries);
	double wait = share(c->wait_us, total->wait_us);

	if (by == BY_CPU)
		return cpu;
	if (by == BY_OUTQUERIES)
		return outqueries;
	if (by == BY_WAIT)
		return wait;
	cpu = cpu > outqueries ? cpu : outqueries;
	return cpu > wait ? cpu : wait;
}

static int compare_tags(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return (a->tag > b->tag) - (a->tag < b->tag);
}

static int compare_shares(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->share != b->share)
		return a->share > b->share ? -1 : 1;
	return compare_tags(x, y);
}

static void add_rows(struct report *r, const struct heavy *h)
{
	for (unsigned b = 0; b < h->n_buckets; b++) {
		for (unsigned way = 0; way < HEAVY_WAYS; way++) {
			struct row *row = &r->rows[r->n];

			row->key = heavy_key(h, b, way, &row->len);
			if (row->key == NULL)
				continue;
			row->tag = h->buckets[b].tag[way];
			row->cost = h->buckets[b].cost[way];
			r->n++;
		}
	}
}

static void join_rows(struct report *r)
{
	size_t n = 0;

	qsort(r->rows, r->n, sizeof(*r->rows), compare_tags);
	for (size_t i = 0; i < r->n; i++) {
		if (n > 0 && r->rows[n - 1].tag == r->rows[i].tag)
			cost_add(&r->rows[n - 1].cost, &r->rows[i].cost);
		else
			r->rows[n++] = r->rows[i];
	}
	r->n = n;
}

static int make_rows(struct report *r, enum measure by)
{
	size_t most = 1;

	for (unsigned i = 0; i < r->copies.n; i++)
		most += (size_t)r->copies.of[i]->n_buckets * HEAVY_WAYS;
	r->rows = calloc(most, sizeof(*r->rows));
	if (r->rows == NULL)
		return E_NOMEM;
	for (unsigned i = 0; i < r->copies.n; i++) {
		cost_add(&r->total, &r->copies.of[i]->total);
		r->missed += heavy_missed_most(r->copies.of[i]);
		add_rows(r, r->copies.of[i]);
	}
	join_rows(r);
	for (size_t i = 0; i < r->n; i++)
		r->rows[i].share = row_share(&r->rows[i].cost, &r->total, by);
	qsort(r->rows, r->n, sizeof(*r->rows), compare_shares);
	return E_OK;
}

static void report_clear(struct report *r)
{
	copies_clear(&r->copies, 0);
	free(r->copies.of);
	free(r->rows);
}

static int report_make(struct report *r, const struct watch_env *env, enum cost_kind kind,
		       enum cost_window window, enum measure by)
{
	int err = E_OK;

	*r = (struct report) { .copies.began_ms = UINT64_MAX };
	r->copies.of = calloc((size_t)env->n_workers * SLOTS_MOST + 1, sizeof(*r->copies.of));
	if (r->copies.of == NULL)
		return E_NOMEM;
	for (unsigned i = 0; i < env->n_workers && err == E_OK; i++)
		err = copy_worker(env, &r->copies, i, kind, window);
	if (err == E_OK)
		err = make_rows(r, by);
	if (err != E_OK)
		report_clear(r);
	return err;
}

/* ---- showing them ---- */

/* What a score may be of each kind of cost, and no more than there was of it. */
static struct cost most_of(uint64_t score, const struct cost *total)
{
	struct cost c = {
		.cpu_us = score / COST_CPU_WEIGHT,
		.outqueries = score / COST_OUTQUERY_WEIGHT,
		.wait_us = score / COST_WAIT_WEIGHT,
	};

	c.cpu_us = c.cpu_us < total->cpu_us ? c.cpu_us : total->cpu_us;
	c.outqueries = c.outqueries < total->outqueries ? c.outqueries : total->outqueries;
	c.wait_us = c.wait_us < total->wait_us ? c.wait_us : total->wait_us;
	return c;
}

static json_t *json_cost(const struct cost *c)
{
	return json_pack("{s:I,s:I,s:I}", "cpu-usec", (json_int_t)c->cpu_us, "outqueries",
			 (json_int_t)c->outqueries, "wait-usec", (json_int_t)c->wait_us);
}

enum { REMOTE_TEXT_MAX = ADDR_TEXT_MAX + 8 };

static size_t remote_text(char out[REMOTE_TEXT_MAX], const uint8_t *key)
{
	char ip[ADDR_TEXT_MAX];
	struct addr a;
	unsigned bits;
	size_t len = costs_read_remote(key, &a, &bits);

	addr_ip_text(ip, &a);
	if (bits == (a.family == 6 ? 128 : 32))
		(void)snprintf(out, REMOTE_TEXT_MAX, "%s", ip);
	else
		(void)snprintf(out, REMOTE_TEXT_MAX, "%s/%u", ip, bits);
	return len;
}

static void print_row(struct command_call *call, json_t *list, const struct report *r,
		      const struct row *row, enum cost_kind kind)
{
	char remote[REMOTE_TEXT_MAX] = "", name[NAME_TEXT_MAX] = "";
	uint64_t score = 0;
	struct cost missed;
	json_t *json = json_cost(&row->cost);
	size_t at = 0;

	if (kind != COST_DOMAINS)
		at = remote_text(remote, row->key);
	if (kind == COST_DOMAINS || kind == COST_PAIRS)
		(void)name_to_text(name, row->key + at);
	for (unsigned i = 0; i < r->copies.n; i++)
		score += heavy_missed(r->copies.of[i], row->tag);
	missed = most_of(score, &r->total);
	fprintf(call->out, "%6.2f%% %10.1f %6.2f%% %10llu %6.2f%% %10.1f  %s%s%s\n",
		100 * share(row->cost.cpu_us, r->total.cpu_us), (double)row->cost.cpu_us / 1000,
		100 * share(row->cost.outqueries, r->total.outqueries),
		(unsigned long long)row->cost.outqueries,
		100 * share(row->cost.wait_us, r->total.wait_us),
		(double)row->cost.wait_us / 1000000, remote, kind == COST_PAIRS ? " " : "", name);
	if (remote[0] != '\0')
		json_object_set_new(json, kind == COST_SERVERS ? "server" : "remote",
				    json_string(remote));
	if (name[0] != '\0')
		json_object_set_new(json, "domain", json_string(name));
	json_object_set_new(json, "missed", json_cost(&missed));
	json_array_append_new(list, json);
}

static void print_report(struct command_call *call, json_t *list, const struct report *r,
			 enum cost_kind kind, enum cost_window window, size_t rows)
{
	const struct watch_env *env = call->env;
	uint64_t now_ms = env->now_ms(env->ctx), began_ms = r->copies.began_ms;
	uint64_t seconds = began_ms < now_ms ? (now_ms - began_ms) / 1000 : 0;
	struct cost missed = most_of(r->missed, &r->total);
	json_t *top = json_array();

	fprintf(call->out,
		"Over the last %llu seconds: %.1f ms of CPU, %llu outqueries, %.1f s of "
		"waiting\n",
		(unsigned long long)seconds, (double)r->total.cpu_us / 1000,
		(unsigned long long)r->total.outqueries, (double)r->total.wait_us / 1000000);
	fprintf(call->out, "%7s %10s %7s %10s %7s %10s  %s\n", "cpu", "ms", "out", "queries",
		"wait", "s", kinds[kind]);
	for (size_t i = 0; i < r->n && i < rows; i++)
		print_row(call, top, r, &r->rows[i], kind);
	fprintf(call->out,
		"No figure is too low by more than %.1f ms, %llu outqueries, %.1f s; who "
		"is not known cost no more.\n",
		(double)missed.cpu_us / 1000, (unsigned long long)missed.outqueries,
		(double)missed.wait_us / 1000000);
	json_array_append_new(list, json_pack("{s:s,s:I,s:o,s:o,s:o}", "window", windows[window],
					      "seconds", (json_int_t)seconds, "total",
					      json_cost(&r->total), "missed", json_cost(&missed),
					      "top", top));
}

static int show_window(struct command_call *call, json_t *list, enum cost_kind kind,
		       enum cost_window window, enum measure by, size_t rows)
{
	struct report r;
	int err = report_make(&r, call->env, kind, window, by);

	if (err != E_OK)
		return err;
	print_report(call, list, &r, kind, window, rows);
	report_clear(&r);
	return E_OK;
}

/* ---- the command ---- */

static int find_word(const char *const *words, int n, const char *word)
{
	int i = 0;

	while (i < n && strcmp(words[i], word) != 0)
		i++;
	return i < n ? i : -1;
}

struct wanted {
	int kind;
	int window; /* -1: all */
	enum measure by;
};

static bool read_arguments(struct wanted *w, const struct command_call *call)
{
	*w = (struct wanted) { .window = -1 };
	w->kind = find_word(kinds, COST_KIND_COUNT, call->argv[0]);
	for (int i = 1; i < call->argc; i++) {
		int window = find_word(windows, COST_WINDOW_COUNT, call->argv[i]);
		bool known = window >= 0;

		if (known)
			w->window = window;
		for (size_t k = 0; k < ARRAY_LEN(measures); k++) {
			if (strcmp(measures[k].word, call->argv[i]) == 0) {
				w->by = measures[k].measure;
				known = true;
			}
		}
		if (!known)
			return false;
	}
	return w->kind >= 0;
}

int top_cost(struct command_call *call)
{
	struct wanted w;
	json_t *list = json_array();
	int err = E_OK;

	if (!read_arguments(&w, call)) {
		fprintf(call->out, "usage: top-cost remotes|domains|servers|remotes-domains "
				   "[cpu|outqueries|wait] [1m|10m|1h]\n");
		json_decref(list);
		return 1;
	}
	for (int i = 0; i < COST_WINDOW_COUNT && err == E_OK; i++) {
		if (w.window >= 0 && w.window != i)
			continue;
		if (w.window < 0 && i > 0)
			fprintf(call->out, "\n");
		err = show_window(call, list, (enum cost_kind)w.kind, (enum cost_window)i, w.by,
				  w.window < 0 ? ROWS_EACH : ROWS_ALONE);
	}
	if (err != E_OK)
		fprintf(call->out, "%s\n", err_text(err));
	json_object_set_new(call->json, "windows", list);
	return err != E_OK;
}
