/*
 * store: what has arrived, by source and metric: the values that wait to be written, and the files
 * that they are written to, DIRECTORY/SOURCE/METRIC.rrd.
 *
 *     receiver ---store_take()---> memory ---a thread of the store's---> files
 *                                                store_fetch() writes what waits, then reads
 *
 * Values wait for write_every_s and are written together, each file at a moment of its own; a
 * write costs the same for one as for ten.  So store_take() never waits for the disk, a board is
 * never older than what has arrived, and store_close() writes all.  Who is killed loses what he had
 * not written.
 *
 * Limits: files (each has its size from the beginning, so this is the limit of the disk as well),
 *         metrics a source, PENDING_MAX values that wait for one file, times a day ago and five
 *         minutes ahead.  Each refusal is counted under its reason.  Metrics are never forgotten
 *         while the program runs; who wants one forgotten removes its files before a start.
 * Threads: any.  `lock` guards all in memory and is held for one value; a metric's `file` guards
 *         its file, and is taken first.
 */
#ifndef GRAPHS_STORE_H
#define GRAPHS_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "tools/graphs/archive.h"
#include "tools/graphs/line.h"
#include "tools/graphs/refusal.h"

struct store;

struct store_options {
	const char *directory;
	unsigned step_s, heartbeat_s, write_every_s;
	size_t max_files, max_metrics;
};

enum { STORE_WHY_MAX = 512 };

/* Finds what is in the directory, and makes it when it is not there.  On failure `why` has the line
 * to show: it cannot be written to, or another program is at work in it. */
int store_open(struct store **out, const struct store_options *o, char why[STORE_WHY_MAX]) MUST_USE;
/* Writes what waits.  Accepts NULL. */
void store_close(struct store *s);

/* REFUSAL_NONE, or why the value is not kept; a refusal is counted here. */
enum refusal store_take(struct store *s, const struct line *l, int64_t now_s);
/* Counts what others refused. */
void store_refuse(struct store *s, enum refusal why);
void store_count_connection(struct store *s);

struct store_stats {
	uint64_t taken, connections, writes, written, refused[REFUSAL_COUNT];
	size_t sources, metrics, waiting;
};
void store_stats(struct store *s, struct store_stats *out);

/* The sources in order of name.  Returning false ends it. */
struct store_source {
	const char *name;
	int64_t last_s; /* when it was heard last; 0: never */
	size_t metrics;
};
typedef bool (*store_source_cb)(void *ctx, const struct store_source *source);
void store_each_source(struct store *s, store_source_cb cb, void *ctx);

/* The metrics of a source in order of name.  E_NOT_FOUND: no such source. */
typedef void (*store_metric_cb)(void *ctx, const char *metric, enum kind kind);
int store_each_metric(struct store *s, const char *source, store_metric_cb cb, void *ctx) MUST_USE;

/* The last value, or the growth a second between the last two; NAN without them. */
double store_now(struct store *s, const char *source, const char *metric, bool rate);

/* A stretch of one metric's past: see archive_fetch().  E_NOT_FOUND: no such metric. */
int store_fetch(struct store *s, const char *source, const char *metric, bool rate,
		const struct stretch *t, double *out) MUST_USE;

unsigned store_step_s(const struct store *s);
unsigned store_heartbeat_s(const struct store *s);

#endif
