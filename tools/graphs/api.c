#include "tools/graphs/api.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tools/graphs/series.h"

enum { HTTP_OK = 200, HTTP_BAD = 400, HTTP_NOT_FOUND = 404, HTTP_FAILED = 500 };
enum { STANDARD_RANGE_S = 3600, YEAR_S = 366 * 86400, YEARS_BACK = 3, AHEAD_S = 300 };

static unsigned fail(json_t **out, unsigned status, const char *what)
{
	*out = json_pack("{ss}", "error", what);
	return status;
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static const char *parameter(const struct api_call *c, const char *name)
{
	return c->parameter(c->ctx, name);
}

static bool read_time(const struct api_call *c, const char *name, int64_t *out)
{
	const char *text = parameter(c, name);
	char *end;
	long long value;

	if (text == NULL)
		return true;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return false;
	*out = value;
	return true;
}

static bool is_set(const struct api_call *c, const char *name)
{
	const char *text = parameter(c, name);

	return text != NULL && strcmp(text, "1") == 0;
}

static bool read_stretch(const struct api_call *c, struct stretch *out)
{
	int64_t to = c->now_s, from;

	if (!read_time(c, "to", &to))
		return false;
	from = to - STANDARD_RANGE_S;
	if (!read_time(c, "from", &from) || from >= to || to > c->now_s + AHEAD_S ||
	    from < c->now_s - (int64_t)YEARS_BACK * YEAR_S)
		return false;
	archive_cut(out, from, to, c->now_s, store_step_s(c->store), is_set(c, "peaks"));
	return true;
}

/* ---- sources ---- */

struct sources {
	char *names[API_FLEET_MAX];
	size_t n;
	const char *pattern;
	enum board_of of;
	int64_t heard_by_all_s, live_after_s;
	bool failed;
};

static void free_sources(struct sources *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s);
}

static bool add_source(void *ctx, const struct store_source *source)
{
	struct sources *s = ctx;

	if (boards_of_source(source->name) != s->of || fnmatch(s->pattern, source->name, 0) != 0)
		return true;
	s->names[s->n] = strdup(source->name);
	if (s->names[s->n] == NULL) {
		s->failed = true;
		return false;
	}
	s->n++;
	/* Who pushes still, and has not yet pushed for the last moments, would make a dip there. */
	if (source->last_s >= s->live_after_s && source->last_s < s->heard_by_all_s)
		s->heard_by_all_s = source->last_s;
	return s->n < API_FLEET_MAX;
}

/* NULL: no memory. */
static struct sources *find_fleet(const struct api_call *c, const char *pattern, enum board_of of)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->pattern = pattern;
	s->of = of;
	s->heard_by_all_s = c->now_s;
	s->live_after_s = c->now_s - store_heartbeat_s(c->store);
	store_each_source(c->store, add_source, s);
	if (!s->failed)
		return s;
	free_sources(s);
	return NULL;
}

static void ignore_metric(void *ctx, const char *metric, enum kind kind)
{
	(void)ctx;
	(void)metric;
	(void)kind;
}

static struct sources *find_one(const struct api_call *c, const char *source, enum board_of of)
{
	struct sources *s = calloc(1, sizeof(*s));
	char host[LINE_SOURCE_MAX + 8];

	if (s == NULL)
		return NULL;
	s->heard_by_all_s = INT64_MAX;
	if (of == BOARD_HOST && boards_of_source(source) == BOARD_RESOLVER) {
		if (!boards_host_of(source, host, sizeof(host)))
			return s;
		source = host;
	} else if (of != boards_of_source(source)) {
		return s;
	}
	if (store_each_metric(c->store, source, ignore_metric, NULL) != E_OK)
		return s;
	s->names[0] = strdup(source);
	if (s->names[0] == NULL) {
		free(s);
		return NULL;
	}
	s->n = 1;
	return s;
}

/* ---- lines ---- */

static json_t *values_json(const double *values, size_t n)
{
	json_t *list = json_array();

	for (size_t k = 0; k < n; k++)
		if (json_array_append_new(list, number(values[k])) != 0)
			break;
	return list;
}

static json_t *stretch_json(const struct stretch *t, size_t n_sources, json_t *lines)
{
	return json_pack("{sI si si so}", "from", (json_int_t)t->from_s, "step", (int)t->step_s,
			 "sources", (int)n_sources, "lines", lines);
}

static int add_line(const struct api_call *c, const struct board_line *line,
		    const struct sources *s, const struct stretch *t, json_t *lines)
{
	double *values = NULL;
	int err = series_of_line(c->store, line, (const char *const *)s->names, s->n, t, &values);

	if (err != E_OK)
		return err;
	err = json_array_append_new(lines, values_json(values, t->n)) == 0 ? E_OK : E_NOMEM;
	free(values);
	return err;
}

static void cut_to_all(const struct sources *s, struct stretch *t)
{
	int64_t n = (s->heard_by_all_s - t->from_s) / (int64_t)t->step_s;

	if (n < (int64_t)t->n)
		t->n = n < 0 ? 0 : (size_t)n;
}

static unsigned answer_board(const struct api_call *c, json_t **out)
{
	const char *id = parameter(c, "id"), *source = parameter(c, "source");
	const char *fleet = parameter(c, "fleet");
	const struct board *board = id == NULL ? NULL : boards_find(id);
	struct sources *s;
	struct stretch t;
	json_t *lines;
	int err = E_OK;

	if (board == NULL)
		return fail(out, HTTP_NOT_FOUND, "there is no such board");
	if ((source == NULL) == (fleet == NULL) || (source != NULL && !line_is_source(source)))
		return fail(out, HTTP_BAD, "a source is to be named, or a fleet");
	if (!read_stretch(c, &t))
		return fail(out, HTTP_BAD, "from and to are seconds since 1970, from before to");
	s = source != NULL ? find_one(c, source, board->of) : find_fleet(c, fleet, board->of);
	if (s == NULL)
		return fail(out, HTTP_FAILED, err_text(E_NOMEM));
	cut_to_all(s, &t);
	lines = json_array();
	for (size_t i = 0; err == E_OK && i < BOARD_LINES_MAX && board->lines[i].label != NULL; i++)
		err = add_line(c, &board->lines[i], s, &t, lines);
	*out = stretch_json(&t, s->n, lines);
	free_sources(s);
	if (err == E_OK)
		return HTTP_OK;
	json_decref(*out);
	return fail(out, HTTP_FAILED, err_text(err));
}

static unsigned answer_metric(const struct api_call *c, json_t **out)
{
	const char *source = parameter(c, "source"), *metric = parameter(c, "metric");
	struct stretch t;
	double *values;

	if (source == NULL || metric == NULL || !line_is_source(source) || !line_is_metric(metric))
		return fail(out, HTTP_BAD, "a source and a metric are to be named");
	if (!read_stretch(c, &t))
		return fail(out, HTTP_BAD, "from and to are seconds since 1970, from before to");
	if (series_of_metric(c->store, source, metric, is_set(c, "rate"), &t, &values) != E_OK)
		return fail(out, HTTP_FAILED, err_text(E_NOMEM));
	*out = stretch_json(&t, 1, json_pack("[o]", values_json(values, t.n)));
	free(values);
	return HTTP_OK;
}

/* ---- lists ---- */

static json_t *board_json(const struct board *b)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < BOARD_LINES_MAX && b->lines[i].label != NULL; i++)
		(void)json_array_append_new(lines, json_pack("{ss ss}", "label", b->lines[i].label,
							     "colour", b->lines[i].colour));
	return json_pack("{ss ss ss ss sb so}", "id", b->id, "title", b->title, "unit", b->unit,
			 "of", b->of == BOARD_HOST ? "host" : "resolver", "stacked",
			 (int)b->is_stacked, "lines", lines);
}

static unsigned answer_boards(const struct api_call *c, json_t **out)
{
	(void)c;
	*out = json_array();
	for (size_t i = 0; i < boards_count(); i++)
		(void)json_array_append_new(*out, board_json(boards_at(i)));
	return HTTP_OK;
}

static void add_metric(void *ctx, const char *metric, enum kind kind)
{
	static const char *const kinds[] = {
		[KIND_GAUGE] = "gauge", [KIND_COUNTER] = "counter", [KIND_UNKNOWN] = "unknown"
	};

	(void)json_array_append_new(ctx, json_pack("{ss ss}", "name", metric, "kind", kinds[kind]));
}

static unsigned answer_metrics(const struct api_call *c, json_t **out)
{
	const char *source = parameter(c, "source");
	json_t *list = json_array();

	if (source == NULL || store_each_metric(c->store, source, add_metric, list) != E_OK) {
		json_decref(list);
		return fail(out, HTTP_NOT_FOUND, "there is no such source");
	}
	*out = list;
	return HTTP_OK;
}

/* The figures of the overview, under the names that the page knows. */
static const struct board_line overview[] = {
	{ "queries", LINE_RATE, "questions", NULL, 1, NULL },
	{ "cache", LINE_RATE, "packetcache-hits+cache-hits",
	  "packetcache-hits+cache-hits+cache-misses", 100, NULL },
	{ "latency", LINE_MEAN, "qa-latency", NULL, 0.001, NULL },
	{ "failures", LINE_RATE, "servfail-answers", NULL, 1, NULL },
	{ "cpu", LINE_RATE, "user-msec+sys-msec", NULL, 0.1, NULL },
};

struct overview_list {
	json_t *sources;
};

static bool add_to_overview(void *ctx, const struct store_source *source)
{
	struct overview_list *list = ctx;

	(void)json_array_append_new(
		list->sources,
		json_pack("{ss ss sI si}", "name", source->name, "of",
			  boards_of_source(source->name) == BOARD_HOST ? "host" : "resolver",
			  "last", (json_int_t)source->last_s, "metrics", (int)source->metrics));
	return true;
}

static unsigned answer_overview(const struct api_call *c, json_t **out)
{
	struct overview_list list = { json_array() };
	json_t *source;
	size_t i;

	store_each_source(c->store, add_to_overview, &list);
	json_array_foreach(list.sources, i, source)
	{
		const char *name = json_string_value(json_object_get(source, "name"));
		json_int_t last = json_integer_value(json_object_get(source, "last"));
		bool is_live = last >= c->now_s - store_heartbeat_s(c->store);

		(void)json_object_set_new(source, "live", json_boolean(is_live));
		for (size_t k = 0; k < ARRAY_LEN(overview); k++) {
			double now = is_live ? series_now(c->store, &overview[k], name) : NAN;

			(void)json_object_set_new(source, overview[k].label, number(now));
		}
	}
	*out = json_pack("{sI so}", "now", (json_int_t)c->now_s, "sources", list.sources);
	return HTTP_OK;
}

static unsigned answer_status(const struct api_call *c, json_t **out)
{
	static const char *const names[] = {
#define REFUSAL_NAME(id, name, help) name,
		REFUSALS(REFUSAL_NAME)
#undef REFUSAL_NAME
	};
	json_t *refused = json_object();
	struct store_stats s;

	store_stats(c->store, &s);
	for (size_t i = 0; i < REFUSAL_COUNT; i++)
		(void)json_object_set_new(refused, names[i],
					  json_integer((json_int_t)s.refused[i]));
	*out = json_pack("{sI sI sI sI sI sI sI so}", "connections", (json_int_t)s.connections,
			 "taken", (json_int_t)s.taken, "written", (json_int_t)s.written, "writes",
			 (json_int_t)s.writes, "waiting", (json_int_t)s.waiting, "sources",
			 (json_int_t)s.sources, "metrics", (json_int_t)s.metrics, "refused",
			 refused);
	return HTTP_OK;
}

/* ---- paths ---- */

static const struct {
	const char *path;
	unsigned (*answer)(const struct api_call *c, json_t **out);
} table[] = {
	{ "/api/board", answer_board },       { "/api/boards", answer_boards },
	{ "/api/metric", answer_metric },     { "/api/metrics", answer_metrics },
	{ "/api/overview", answer_overview }, { "/api/status", answer_status },
};

unsigned api_answer(const struct api_call *c, const char *path, json_t **out)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(path, table[i].path) == 0)
			return table[i].answer(c, out);
	return fail(out, HTTP_NOT_FOUND, "there is nothing of that name");
}
