/*
 * metrics (reading side): every metric as name, kind, help and value: counters summed over the
 * workers (common/metrics.h), gauges read from where they live.
 *
 * Threads: the control thread; counters may be read at any time.
 */
#ifndef WATCH_METRICS_H
#define WATCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "recursor/watch/env.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_PEAK };

struct metric {
	const char *name, *help;
	enum metric_kind kind;
};

/* All metrics in order of name. */
size_t metrics_count(void);
const struct metric *metrics_at(size_t i);
uint64_t metrics_value(const struct watch_env *env, size_t i);

/* By name; false when there is none. */
bool metrics_find(const char *name, size_t *i);

/* The list as mdoc, for rec_control(1). */
void metrics_print_mdoc(FILE *f);

#endif
