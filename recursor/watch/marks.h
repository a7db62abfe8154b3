/*
 * marks: which metric is the high-water mark of which limit, and why a setting that is a number has
 * none.  What an operator sees of a limit is how near it comes: a limit without a mark is found by the
 * unit test of this table, which walks the settings and the metrics.
 */
#ifndef WATCH_MARKS_H
#define WATCH_MARKS_H

#include <stddef.h>

struct mark {
	const char *limit;  /* a setting, or in words what cannot be set */
	const char *metric; /* of kind METRIC_PEAK; NULL: it has none, */
	const char *why;    /* for this reason */
};

extern const struct mark marks[];
extern const size_t n_marks;

/* The next row after `last` (NULL: the first) that is of that setting; NULL: there is no more. */
const struct mark *mark_of(const char *setting, const struct mark *last);

#endif
