/*
 * prometheus: the metrics as Prometheus reads them (text format 0.0.4), under the names that
 * PowerDNS Recursor exports: pdns_recursor_ and the metric's, each byte that is neither letter nor
 * digit a '_'.
 *
 *     # TYPE pdns_recursor_questions counter
 *     # HELP pdns_recursor_questions client queries received over UDP and TCP
 *     pdns_recursor_questions 12345
 *
 * Times are in seconds where a histogram has them, and as the metric's name says elsewhere.  Peaks
 * are gauges.  What stats-api-disabled-list names is left out.  Of two metrics of scripts that would
 * have the same name here, or one that would have ours, the first in order of name is shown.
 *
 * Threads: as metrics.h.
 */
#ifndef WATCH_PROMETHEUS_H
#define WATCH_PROMETHEUS_H

#include <stdio.h>

#include "recursor/watch/env.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4"

/* An error of writing is the stream's to remember. */
void prometheus_write(FILE *out, const struct watch_env *env);

#endif
