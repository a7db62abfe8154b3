#include "recursor/watch/prometheus.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "config.h"
#include "recursor/watch/metrics.h"

#define PREFIX "pdns_recursor_"

enum {
	NAME_CAP = CUSTOM_METRIC_NAME_MAX + 1,
	NAMES_MAX = 4096, /* a power of two, well above what there can be */
	USEC_PER_SEC = 1000000,
};
static_assert(CUSTOM_METRICS_MAX <= NAMES_MAX / 4, "a set of names that is half empty");

struct writing {
	FILE *out;
	const struct metric *metric; /* the samples of which are being written */
	bool is_left_out;            /* it is a twin */
	size_t n_names;
	uint64_t names[NAMES_MAX]; /* hashes of those taken; 0: free */
};

/* False: it was taken already. */
static bool take_name(struct writing *w, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name)) | 1;
	size_t at = hash >> 1 & (NAMES_MAX - 1);

	for (; w->names[at] != 0; at = (at + 1) & (NAMES_MAX - 1))
		if (w->names[at] == hash)
			return false;
	ASSERT(++w->n_names < NAMES_MAX);
	w->names[at] = hash;
	return true;
}

static void exported_name(char out[NAME_CAP], const struct metric_sample *s)
{
	snprintf(out, NAME_CAP, "%s", s->prometheus != NULL ? s->prometheus : s->name);
	for (char *p = out; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
}

/* A histogram's samples are base_bucket, base_sum, base_count. */
static void base_name(char out[NAME_CAP], const char *name, enum metric_kind kind)
{
	char *end;

	strcpy(out, name);
	end = kind == METRIC_HISTOGRAM ? strrchr(out, '_') : NULL;
	if (end != NULL)
		*end = '\0';
}

static const char *type_of(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_COUNTER:
	case METRIC_MULTICOUNTER:
		return "counter";
	case METRIC_GAUGE:
	case METRIC_PEAK:
		return "gauge";
	case METRIC_HISTOGRAM:
		break;
	}
	return "histogram";
}

static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);

	json_decref(string);
	return string != NULL;
}

/* One line; a script may have put any bytes into it. */
static void write_help(FILE *out, const char *help)
{
	bool keeps_bytes = is_utf8(help);

	for (const char *p = help; *p != '\0'; p++)
		if (*p == '\n')
			fputs("\\n", out);
		else if (*p == '\\')
			fputs("\\\\", out);
		else
			fputc(keeps_bytes || isprint((unsigned char)*p) ? *p : '?', out);
}

static void begin_metric(struct writing *w, const struct metric_sample *s, const char *name)
{
	char base[NAME_CAP];

	w->metric = s->metric;
	base_name(base, name, s->metric->kind);
	w->is_left_out = !take_name(w, base);
	if (w->is_left_out)
		return;
	fprintf(w->out, "# TYPE " PREFIX "%s %s\n# HELP " PREFIX "%s ", base,
		type_of(s->metric->kind), base);
	write_help(w->out, s->metric->help);
	fputc('\n', w->out);
}

static void write_sample(void *ctx, const struct metric_sample *s)
{
	struct writing *w = ctx;
	char name[NAME_CAP];

	exported_name(name, s);
	/* Those of scripts have one sample each, and their struct metric the same place. */
	if (s->metric != w->metric || s->metric->name == s->name)
		begin_metric(w, s, name);
	if (w->is_left_out)
		return;
	if (s->metric->kind == METRIC_HISTOGRAM)
		(void)take_name(w, name); /* from scripts */
	fprintf(w->out, PREFIX "%s", name);
	if (s->labels[0] != '\0')
		fprintf(w->out, "{%s}", s->labels);
	if (s->is_usec)
		fprintf(w->out, " %" PRIu64 ".%06" PRIu64 "\n", s->value / USEC_PER_SEC,
			s->value % USEC_PER_SEC);
	else
		fprintf(w->out, " %" PRIu64 "\n", s->value);
}

void prometheus_write(FILE *out, const struct watch_env *env)
{
	struct writing w = { .out = out };

	(void)take_name(&w, "info");
	metrics_visit_grouped(env, "stats-api-disabled-list", write_sample, &w);
	fprintf(out,
		"# TYPE " PREFIX "info gauge\n"
		"# HELP " PREFIX "info the version that runs; the value is always 1\n" PREFIX
		"info{version=\"%s\"} 1\n",
		PACKAGE_VERSION);
}
