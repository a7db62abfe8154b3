#include "tools/graphs/archive.h"

#include <math.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum { FUTURE_S = 600, POINTS_MAX = 2200, VALUE_TEXT_MAX = 96 };

static const struct {
	unsigned steps, rows;
	bool has_peaks;
} archives[] = {
	{ 1, 8640, false },   /* a day */
	{ 6, 5760, false },   /* four days */
	{ 30, 4320, true },   /* fifteen days */
	{ 180, 3360, true },  /* seventy days */
	{ 1440, 4380, true }, /* two years */
};
static const char value_ds[] = "value", rate_ds[] = "rate";

const char *archive_error(void)
{
	const char *text = rrd_get_error();

	return text != NULL && text[0] != '\0' ? text : "no reason given";
}

enum { DEFINITIONS_MAX = 2 + 2 * ARRAY_LEN(archives), DEFINITION_TEXT_MAX = 64 };

int archive_create(const char *path, enum kind kind, int64_t start_s, unsigned step_s,
		   unsigned heartbeat_s)
{
	char text[DEFINITIONS_MAX][DEFINITION_TEXT_MAX];
	const char *args[DEFINITIONS_MAX];
	int n = 0;

	if (kind != KIND_COUNTER)
		snprintf(text[n++], DEFINITION_TEXT_MAX, "DS:%s:GAUGE:%u:U:U", value_ds,
			 heartbeat_s);
	if (kind != KIND_GAUGE)
		snprintf(text[n++], DEFINITION_TEXT_MAX, "DS:%s:DDERIVE:%u:0:U", rate_ds,
			 heartbeat_s);
	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		snprintf(text[n++], DEFINITION_TEXT_MAX, "RRA:AVERAGE:0.5:%u:%u", archives[i].steps,
			 archives[i].rows);
		if (archives[i].has_peaks)
			snprintf(text[n++], DEFINITION_TEXT_MAX, "RRA:MAX:0.5:%u:%u",
				 archives[i].steps, archives[i].rows);
	}
	for (int i = 0; i < n; i++)
		args[i] = text[i];
	rrd_clear_error();
	return rrd_create_r(path, step_s, start_s, n, args) == 0 ? E_OK : E_SYSTEM;
}

int archive_look(const char *path, enum kind *kind, int64_t *last_s)
{
	char **names = NULL, **values = NULL;
	bool has_value = false, has_rate = false;
	unsigned long n = 0;
	time_t last;

	rrd_clear_error();
	if (rrd_lastupdate_r(path, &last, &n, &names, &values) != 0)
		return E_SYSTEM;
	for (unsigned long i = 0; i < n; i++) {
		has_value = has_value || strcmp(names[i], value_ds) == 0;
		has_rate = has_rate || strcmp(names[i], rate_ds) == 0;
		rrd_freemem(names[i]);
		rrd_freemem(values[i]);
	}
	rrd_freemem(names);
	rrd_freemem(values);
	if (!has_value && !has_rate) {
		rrd_set_error("a round-robin file of somebody else's");
		return E_SYSTEM;
	}
	*kind = !has_rate ? KIND_GAUGE : !has_value ? KIND_COUNTER : KIND_UNKNOWN;
	*last_s = last;
	return E_OK;
}

int archive_append(const char *path, enum kind kind, const struct sample *s, size_t n)
{
	char *text = malloc(n * VALUE_TEXT_MAX);
	const char **args = malloc(n * sizeof(*args));
	int err = E_NOMEM;

	if (text == NULL || args == NULL)
		goto out;
	for (size_t i = 0; i < n; i++) {
		char *arg = text + i * VALUE_TEXT_MAX;

		if (kind == KIND_UNKNOWN)
			snprintf(arg, VALUE_TEXT_MAX, "%lld:%.17g:%.17g", (long long)s[i].time_s,
				 s[i].value, s[i].value);
		else
			snprintf(arg, VALUE_TEXT_MAX, "%lld:%.17g", (long long)s[i].time_s,
				 s[i].value);
		args[i] = arg;
	}
	rrd_clear_error();
	err = rrd_update_r(path, NULL, (int)n, args) == 0 ? E_OK : E_SYSTEM;
out:
	free(args);
	free(text);
	return err;
}

void archive_cut(struct stretch *out, int64_t from_s, int64_t to_s, int64_t now_s, unsigned step_s,
		 bool peaks)
{
	int64_t step = step_s;

	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		/* One that was heard a little ahead of our time has its oldest row later. */
		int64_t reaches = (int64_t)archives[i].rows * archives[i].steps * step_s - FUTURE_S;

		if (peaks && !archives[i].has_peaks && i + 1 < ARRAY_LEN(archives))
			continue;
		step = (int64_t)archives[i].steps * step_s;
		if (now_s - from_s <= reaches && (to_s - from_s) / step <= POINTS_MAX)
			break;
	}
	out->step_s = (unsigned)step;
	out->from_s = from_s - from_s % step;
	out->n = to_s > out->from_s ? (size_t)((to_s - out->from_s) / step) : 0;
	if (out->n > POINTS_MAX)
		out->n = POINTS_MAX;
	out->peaks = peaks;
}

/* Where that time's value is among the rows that librrd gave: row i is of the step that ends at
 * start + (i + 1) * step. */
static void copy_rows(const struct stretch *s, int64_t start, int64_t end, int64_t step,
		      unsigned long columns, const rrd_value_t *column, double *out)
{
	int64_t rows = (end - start) / step;

	for (size_t k = 0; k < s->n; k++) {
		int64_t middle = s->from_s + (int64_t)k * s->step_s + s->step_s / 2;
		int64_t row = middle < start ? -1 : (middle - start) / step;

		out[k] = row >= 0 && row < rows ? column[(size_t)row * columns] : NAN;
	}
}

int archive_fetch(const char *path, bool rate, const struct stretch *s, double *out)
{
	time_t start = s->from_s, end = s->from_s + (int64_t)s->n * s->step_s;
	unsigned long step = s->step_s, columns = 0;
	const char *wanted = rate ? rate_ds : value_ds;
	rrd_value_t *data = NULL;
	char **names = NULL;
	int err = E_NOT_FOUND;

	rrd_clear_error();
	if (rrd_fetch_r(path, s->peaks ? "MAX" : "AVERAGE", &start, &end, &step, &columns, &names,
			&data) != 0)
		return E_SYSTEM;
	for (unsigned long i = 0; i < columns; i++) {
		if (err != E_OK && strcmp(names[i], wanted) == 0) {
			copy_rows(s, start, end, (int64_t)step, columns, data + i, out);
			err = E_OK;
		}
		rrd_freemem(names[i]);
	}
	rrd_freemem(names);
	rrd_freemem(data);
	return err;
}
