/* watch_data: see watch_data.h. */
#include "tools/rec_control/watch_data.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/ctl.h"
#include "common/err.h"
#include "tools/rec_control/talk.h"

#define HISTOGRAM "cumul-clientanswers-le-"

enum { STEPS_MAX = 40, NAME_MAX_TEXT = 64 };

static const struct {
	const char *label, *metrics;
	enum watch_unit unit;
} table[] = {
#define WATCH_ROW(series, label, unit, metrics) { label, metrics, unit },
	WATCH_SERIES(WATCH_ROW)
#undef WATCH_ROW
};

const char *watch_label(enum watch_series s)
{
	return table[s].label;
}

enum watch_unit watch_unit(enum watch_series s)
{
	return table[s].unit;
}

/* ---- asking ---- */

/* The reply as an object, or NULL and one line. */
static json_t *ask(const char *path, const char *request, int timeout_ms, char *why, size_t cap)
{
	struct talk_reply r = { 0 };
	const char *wrong = NULL;
	json_t *reply = NULL;
	const char *said;
	int fd = talk_connect(path, timeout_ms);

	if (fd < 0) {
		(void)snprintf(why, cap, "no daemon behind '%s'", path);
		return NULL;
	}
	wrong = talk(fd, request, strlen(request), -1, talk_now_ms() + (uint64_t)timeout_ms, &r);
	(void)close(fd);
	if (wrong == NULL)
		reply = json_loadb(r.text, r.len, 0, NULL);
	if (wrong == NULL && reply == NULL)
		wrong = "the answer cannot be read";
	said = json_string_value(json_object_get(reply, "error"));
	if (wrong == NULL && r.status != 0)
		wrong = said != NULL ? said : "refused";
	if (wrong != NULL) {
		(void)snprintf(why, cap, "%.150s", wrong);
		json_decref(reply);
		reply = NULL;
	}
	free(r.text);
	return reply;
}

static bool add_words(char *text, size_t cap, const char *words)
{
	size_t len = strlen(text);

	return words[0] == '\0' || snprintf(text + len, cap - len, " %s", words) < (int)(cap - len);
}

/* The bounds of the histogram are 1, 2 and 5 of each decade; which of them there are, the daemon
 * tells by having no value for the others. */
static double bound_us(unsigned step)
{
	static const double of_ten[3] = { 1, 2, 5 };

	unsigned decade = step / 3;

	return of_ten[step % 3] * pow(10, decade);
}

static void make_request(char *text, size_t cap)
{
	char name[NAME_MAX_TEXT];

	(void)snprintf(text, cap,
		       "--json get uptime ready draining cache-hits cache-misses packetcache-hits");
	for (unsigned i = 0; i < SERIES_COUNT; i++)
		(void)add_words(text, cap, table[i].metrics);
	for (unsigned i = 0; i < STEPS_MAX - 1; i++) {
		(void)snprintf(name, sizeof(name), HISTOGRAM "%.0f", bound_us(i));
		(void)add_words(text, cap, name);
	}
	(void)add_words(text, cap, HISTOGRAM "max");
}

/* ---- figures ---- */

static double number(const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* What metrics with blanks between add up to; those that the daemon does not have count nothing. */
static double sum(const json_t *from, const char *names)
{
	double total = 0;

	while (*names != '\0') {
		char name[NAME_MAX_TEXT];
		size_t len = strcspn(names, " ");
		double value;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
		value = number(from, name);
		total += isnan(value) ? 0 : value;
		names += len + (names[len] == ' ');
	}
	return total;
}

static double grown(const struct watch_data *d, const char *names)
{
	double by = sum(d->now, names) - sum(d->before, names);

	return by > 0 ? by : 0;
}

double watch_percentile(const struct watch_step *steps, size_t n, double part)
{
	double total = n > 0 ? steps[n - 1].n : 0, low = 0, below = 0;

	if (!(total > 0))
		return NAN;
	for (size_t i = 0; i < n; i++) {
		double from = low > 0 ? low : steps[i].bound / 2;

		if (steps[i].n >= total * part && steps[i].n > below) {
			if (isinf(steps[i].bound))
				return low;
			/* On the logarithmic scale that the bounds are on. */
			return from * pow(steps[i].bound / from,
					  (total * part - below) / (steps[i].n - below));
		}
		low = steps[i].bound;
		below = steps[i].n;
	}
	return low;
}

static size_t read_steps(const struct watch_data *d, struct watch_step steps[STEPS_MAX])
{
	size_t n = 0;

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		bool is_last = i == STEPS_MAX - 1;
		char name[NAME_MAX_TEXT];

		if (is_last)
			strcpy(name, HISTOGRAM "max");
		else
			(void)snprintf(name, sizeof(name), HISTOGRAM "%.0f", bound_us(i));
		if (!isnan(number(d->now, name)))
			steps[n++] = (struct watch_step) { is_last ? INFINITY : bound_us(i),
							   grown(d, name) };
	}
	return n;
}

static double hit_percent(const struct watch_data *d)
{
	double hits = grown(d, "packetcache-hits cache-hits");
	double all = hits + grown(d, "cache-misses");

	return all > 0 ? 100 * hits / all : NAN;
}

static void note(struct watch_data *d)
{
	struct watch_step steps[STEPS_MAX];
	size_t n = d->before != NULL ? read_steps(d, steps) : 0;
	double seconds = (double)(d->now_ms - d->before_ms) / 1000, drops = 0;
	double values[SERIES_COUNT];

	for (unsigned i = 0; i < SERIES_COUNT; i++) {
		values[i] = NAN;
		if (table[i].unit == WATCH_COUNT)
			values[i] = sum(d->now, table[i].metrics);
		else if (table[i].metrics[0] != '\0' && d->before != NULL && seconds > 0)
			values[i] = grown(d, table[i].metrics) / seconds;
		if (i >= SERIES_NOT_ALLOWED)
			drops += values[i];
	}
	values[SERIES_DROPS] = drops;
	if (d->before != NULL)
		values[SERIES_HITS] = hit_percent(d);
	values[SERIES_P50] = watch_percentile(steps, n, 0.5);
	values[SERIES_P95] = watch_percentile(steps, n, 0.95);
	values[SERIES_P99] = watch_percentile(steps, n, 0.99);
	d->at = (d->at + 1) % WATCH_HISTORY;
	for (unsigned i = 0; i < SERIES_COUNT; i++)
		d->history[i].last[d->at] = values[i];
}

double watch_value(const struct watch_data *d, enum watch_series s, unsigned back)
{
	return back >= WATCH_HISTORY
		       ? NAN
		       : d->history[s].last[(d->at + WATCH_HISTORY - back) % WATCH_HISTORY];
}

/* ---- the table ---- */

static bool has_text(const char *key, const char *text)
{
	return text[0] == '\0' || strcasestr(key, text) != NULL;
}

static void take_rows(struct watch_table *t, const json_t *reply, const char *text)
{
	const json_t *row, *list = json_object_get(reply, "top");
	size_t i;

	t->entries = (size_t)json_integer_value(json_object_get(reply, "entries"));
	t->n = 0;
	json_array_foreach((json_t *)list, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *type = json_string_value(json_object_get(row, "type"));
		const char *remote = json_string_value(json_object_get(row, "remote"));
		struct watch_row *to = &t->rows[t->n];

		if (t->n == WATCH_ROWS_MAX)
			break;
		to->count = json_number_value(json_object_get(row, "count"));
		if (name != NULL && type != NULL)
			(void)snprintf(to->key, sizeof(to->key), "%s %s", name, type);
		else
			(void)snprintf(to->key, sizeof(to->key), "%s",
				       remote != NULL ? remote : "");
		t->n += has_text(to->key, text);
	}
}

static void look_at_ring(struct watch_data *d, const char *path, const struct watch_wanted *w,
			 int timeout_ms)
{
	char request[2 * WATCH_FILTER_MAX + 128];
	json_t *reply;

	d->table.error[0] = '\0';
	(void)snprintf(request, sizeof(request), "--json %s limit=%d%s%s", w->command,
		       WATCH_ROWS_MAX, w->client[0] != '\0' ? " client=" : "", w->client);
	reply = ask(path, request, timeout_ms, d->table.error, sizeof(d->table.error));
	if (reply == NULL)
		d->table.n = 0;
	else
		take_rows(&d->table, reply, w->text);
	json_decref(reply);
}

/* ---- a look ---- */

/* What is not known any more has no place among the rates. */
static void forget(struct watch_data *d)
{
	json_decref(d->before);
	json_decref(d->now);
	d->before = d->now = NULL;
}

static void look_at_version(struct watch_data *d, const char *path, int timeout_ms)
{
	char why[200];
	json_t *reply = ask(path, "--json version", timeout_ms, why, sizeof(why));
	const char *version = json_string_value(json_object_get(reply, "version"));

	(void)snprintf(d->version, sizeof(d->version), "%s", version != NULL ? version : "");
	json_decref(reply);
}

void watch_data_look(struct watch_data *d, const char *path, const struct watch_wanted *wanted,
		     int timeout_ms)
{
	char request[CTL_REQUEST_MAX];
	json_t *reply;

	make_request(request, sizeof(request));
	d->error[0] = '\0';
	reply = ask(path, request, timeout_ms, d->error, sizeof(d->error));
	if (reply == NULL) {
		forget(d);
		d->version[0] = '\0';
		return;
	}
	/* Another daemon than a second ago. */
	if (d->now != NULL && number(reply, "uptime") < number(d->now, "uptime")) {
		forget(d);
		d->version[0] = '\0';
	}
	if (d->version[0] == '\0')
		look_at_version(d, path, timeout_ms);
	json_decref(d->before);
	d->before = d->now;
	d->before_ms = d->now_ms;
	d->now = reply;
	d->now_ms = talk_now_ms();
	d->uptime_s = number(reply, "uptime");
	d->is_draining = number(reply, "draining") > 0;
	d->is_ready = number(reply, "ready") > 0;
	note(d);
	look_at_ring(d, path, wanted, timeout_ms);
}

int watch_data_init(struct watch_data *d)
{
	*d = (struct watch_data) { .at = 0 };
	for (unsigned i = 0; i < SERIES_COUNT; i++)
		for (unsigned j = 0; j < WATCH_HISTORY; j++)
			d->history[i].last[j] = NAN;
	d->table.rows = calloc(WATCH_ROWS_MAX + 1, sizeof(*d->table.rows));
	return d->table.rows == NULL ? E_NOMEM : E_OK;
}

void watch_data_clear(struct watch_data *d)
{
	forget(d);
	free(d->table.rows);
	d->table.rows = NULL;
}
