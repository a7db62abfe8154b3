/*
 * custom_metrics: the metrics that scripts make with getMetric(), shared by all workers.
 *
 * Once made a metric stays until the daemon ends: a script that is loaded anew goes on counting.
 * The same name is the same metric, in every worker and script.
 *
 * Limits:  CUSTOM_METRICS_MAX metrics; names of CUSTOM_METRIC_NAME_MAX bytes: letters, digits, '-',
 *          '_', '.'.
 * Threads: any.  To find or make one takes a lock; to count, none.
 */
#ifndef COMMON_CUSTOM_METRICS_H
#define COMMON_CUSTOM_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	CUSTOM_METRICS_MAX = 1024,
	CUSTOM_METRIC_NAME_MAX = 100,
	CUSTOM_METRIC_HELP_MAX = 200,
};

struct custom_metric {
	char name[CUSTOM_METRIC_NAME_MAX + 1];
	char prometheus[CUSTOM_METRIC_NAME_MAX + 1]; /* "": made from the name */
	char help[CUSTOM_METRIC_HELP_MAX + 1];
	bool is_gauge;
	_Atomic uint64_t value;
};

struct custom_metrics;

int custom_metrics_new(struct custom_metrics **out) MUST_USE;
void custom_metrics_free(struct custom_metrics *m); /* accepts NULL */

/* The metric of that name; one that is not there is made as `like` says (its name, prometheus,
 * help, is_gauge).  It stays where it is.  E_MALFORMED (its name, or the one for Prometheus),
 * E_LIMIT, E_NOMEM. */
int custom_metrics_get(struct custom_metric **out, struct custom_metrics *m,
		       const struct custom_metric *like) MUST_USE;

/* NULL: there is none of that name. */
struct custom_metric *custom_metrics_find(struct custom_metrics *m, const char *name);

/* Calls cb for each, in order of name (common/metric_name.h), without the lock. */
void custom_metrics_walk(struct custom_metrics *m,
			 void (*cb)(void *ctx, const struct custom_metric *metric), void *ctx);

#endif
