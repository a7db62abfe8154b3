/*
 * series: the lines of a board over a stretch of time, of one source or of several together.
 *
 * Where a source has no value at a time it does not count there; where none has one, there is NAN.
 *
 * Threads: any; see store.h.
 */
#ifndef GRAPHS_SERIES_H
#define GRAPHS_SERIES_H

#include <stddef.h>

#include "common/err.h"
#include "tools/graphs/boards.h"
#include "tools/graphs/store.h"

/* t->n values, for the caller to free.  E_NOMEM. */
int series_of_line(struct store *s, const struct board_line *line, const char *const *sources,
		   size_t n_sources, const struct stretch *t, double **out) MUST_USE;

/* One metric as it is kept. */
int series_of_metric(struct store *s, const char *source, const char *metric, bool rate,
		     const struct stretch *t, double **out) MUST_USE;

/* The line's value now, by what arrived last; NAN without it, and for percentiles. */
double series_now(struct store *s, const struct board_line *line, const char *source);

/* The histogram's value below which that part of its growth lies: `edges` in rising order, and how
 * much grew below each; the last edge is without end.  NAN when nothing grew. */
double series_percentile(const double *edges, const double *below, size_t n, double part);

#endif
