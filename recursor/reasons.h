/*
 * reasons: why the resolver, or a script, answered with an error (METRICS_REASONS of
 * common/metrics.h).
 *
 * The resolver tells by the text of its Extended DNS Error.  A text that is not in the table is
 * counted as `other`, so that the reasons add up to the errors whatever comes.
 *
 * Threads: any; nothing is kept.
 */
#ifndef RECURSOR_REASONS_H
#define RECURSOR_REASONS_H

#include <stdint.h>

#include "common/metrics.h"

/* `ede_text` may be NULL. */
enum metrics_reason reason_of_answer(uint16_t rcode, int ede, const char *ede_text);
/* The same for what a script had a hand in. */
enum metrics_reason reason_of_script(uint16_t rcode, int ede, const char *ede_text);

#endif
