/*
 * metrics (reading side): every metric as name, kind, help and values: counters summed over the
 * workers (common/metrics.h), gauges read from where they live.
 *
 * A metric has one sample, of its own name, or many: a histogram has one for each bound, a
 * multicounter one for each thread, rcode and so on.  What gets, lists or exports values goes by
 * samples; what explains metrics, by metrics.  In one visit all samples are of the same moment: a
 * histogram's count is that of its last bucket.
 *
 * Threads: the control thread and its like, never a worker; a script's getStat() is the exception,
 *          and asks for one value.
 */
#ifndef WATCH_METRICS_H
#define WATCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "recursor/watch/env.h"

enum metric_kind {
	METRIC_COUNTER, /* of the workers together */
	METRIC_GAUGE,
	METRIC_PEAK, /* the most that a worker has seen */
	METRIC_MULTICOUNTER,
	METRIC_HISTOGRAM, /* cumulative, of microseconds */
};

struct metric {
	const char *name, *help;
	enum metric_kind kind;
	const char *samples; /* how they are called, for the reader of a manual; NULL: as it is */
};

struct metric_sample {
	const char *name;       /* as get-all has it: "cumul-clientanswers-le-10" */
	const char *prometheus; /* the exporter's, less its prefix; NULL: made from `name` */
	const char *labels;     /* thread="0" or the like; "": none */
	bool is_usec;           /* a time, which Prometheus has in seconds */
	const struct metric *metric;
	uint64_t value;
};

/* What it is shown is gone when it comes back; it must not visit. */
typedef void metric_cb(void *ctx, const struct metric_sample *s);

/* All samples, those that scripts made (getMetric) included, in order of name
 * (common/metric_name.h), but for those that a setting names, by their own name or their metric's:
 * stats-rec-control-disabled-list, -carbon-, -api-; NULL: all. */
void metrics_visit(const struct watch_env *env, const char *setting, metric_cb *each, void *ctx);
/* The same metric by metric: the samples of one follow each other. */
void metrics_visit_grouped(const struct watch_env *env, const char *setting, metric_cb *each,
			   void *ctx);

/* A sample by its name, hidden or not; false: there is none. */
bool metrics_get(const struct watch_env *env, const char *name, uint64_t *value);

/* Answers sent to clients with this rcode; METRICS_RCODES - 1 and above: all of those. */
uint64_t metrics_answers_of_rcode(const struct watch_env *env, unsigned rcode);
/* ... of more than `above` bytes, and at most `most`: multiples of METRICS_SIZE_STEP, or all there is. */
uint64_t metrics_answers_of_size(const struct watch_env *env, size_t above, size_t most);

/* Our own metrics, in order of name. */
size_t metrics_count(void);
const struct metric *metrics_at(size_t i);

/* What must add up: each query, answer or connection that is counted in the total is counted in
 * exactly one of the parts, once no query is being resolved.  The parts are the reasons why. */
struct metric_sum {
	const char *total;
	const char *const *parts;
	size_t n_parts;
};
extern const struct metric_sum metrics_sums[];
extern const size_t metrics_n_sums;

/* The list as mdoc, for rec_control(1). */
void metrics_print_mdoc(FILE *f);

#endif
