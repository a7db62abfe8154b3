/*
 * api: what the page asks for, as JSON; one table row a path.
 *
 *     api/boards      the table of boards
 *     api/overview    each source with its figures now
 *     api/board       id, and source or fleet; from, to; peaks=1: its lines
 *     api/metrics     source: its metrics
 *     api/metric      source, metric, rate=1; from, to: one metric as it is kept
 *     api/status      what arrived, what was refused and why
 *
 * Times are seconds since 1970; a fleet is a pattern as a shell has them ("pdns.fra*").
 *
 * Limits: API_FLEET_MAX sources in a sum; some 2000 points a line.
 * Threads: any; see store.h.
 */
#ifndef GRAPHS_API_H
#define GRAPHS_API_H

#include <jansson.h>

#include "tools/graphs/store.h"

enum { API_FLEET_MAX = 2000 };

/* The value of a parameter of the query, or NULL. */
typedef const char *(*api_parameter_cb)(void *ctx, const char *name);

struct api_call {
	struct store *store;
	int64_t now_s;
	api_parameter_cb parameter;
	void *ctx;
};

/* The status, and *out for the caller to put, an object with "error" where it is not 200.  NULL:
 * there was no memory. */
unsigned api_answer(const struct api_call *c, const char *path, json_t **out);

#endif
