/*
 * kinds: whether a metric is a counter, whose growth a second is wanted, or a gauge.
 *
 * The resolver's come from its table (recursor/watch/metrics.h), a host's from host_metrics.h.
 * Of a name that neither knows (a script's own metric, another program's) both are kept.
 */
#ifndef GRAPHS_KINDS_H
#define GRAPHS_KINDS_H

enum kind { KIND_GAUGE, KIND_COUNTER, KIND_UNKNOWN };

enum kind kind_of(const char *metric);

#endif
