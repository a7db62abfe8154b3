/*
 * reasons: under which reason (METRICS_REASONS of common/metrics.h) the resolver's error, or a
 * script's, is counted: by its cause (resolve/cause.h).  What has none is `other`, so that the
 * reasons add up to the errors whatever comes.
 *
 * Threads: any; nothing is kept.
 */
#ifndef RECURSOR_REASONS_H
#define RECURSOR_REASONS_H

#include "common/metrics.h"
#include "recursor/resolve/resolver.h"

enum metrics_reason reason_of_answer(const struct answer *a);
/* The same for what a script had a hand in. */
enum metrics_reason reason_of_script(const struct answer *a);

#endif
