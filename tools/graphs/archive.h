/*
 * archive: one round-robin file (librrd) for each metric of each source; all that knows rrd.h.
 *
 *     archives, with a step of 10 s       average          largest
 *     every 10 s for a day                8640 rows
 *     a minute, four days                 5760
 *     five minutes, fifteen days          4320             4320
 *     half an hour, seventy days          3360             3360
 *     four hours, two years               4380             4380
 *
 * A file is some 300 KB from the moment it is made, and never grows.  It holds a data source
 * "value" (a gauge), or "rate" (a counter: its growth a second; DDERIVE with a floor of 0, so that
 * a restart is a gap and no spike), or both, where nobody knows which it is.
 *
 * A file a metric, not a file a resolver: librrd reads and writes whole rows, so that one line of a
 * board would cost all 400 metrics of a resolver (0.3 ms and more a fetch against 0.03), names are
 * 19 characters there, and a new metric would have all of it written anew.  What that costs in
 * writing (35 us of CPU a file, one value or ten) is saved by writing values together: see store.h.
 *
 * Threads: any, but a file has one user at a time.
 */
#ifndef GRAPHS_ARCHIVE_H
#define GRAPHS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "tools/graphs/kinds.h"

struct sample {
	int64_t time_s;
	double value;
};

/* Of E_SYSTEM's that follow: what librrd said last to this thread. */
const char *archive_error(void);

/* Makes the file whole or not at all.  Values are taken from `start_s` on; a gap longer than
 * `heartbeat_s` is one. */
int archive_create(const char *path, enum kind kind, int64_t start_s, unsigned step_s,
		   unsigned heartbeat_s) MUST_USE;

/* What a file that is there holds, whoever made it, and the time of its last value.  E_SYSTEM. */
int archive_look(const char *path, enum kind *kind, int64_t *last_s) MUST_USE;

/* Values in order of time, each later than what is there.  E_SYSTEM, E_NOMEM. */
int archive_append(const char *path, enum kind kind, const struct sample *s, size_t n) MUST_USE;

/* A stretch of time cut into steps: value k is of the time from_s + k * step_s to the next one. */
struct stretch {
	int64_t from_s;
	unsigned step_s;
	size_t n;
	bool peaks; /* the largest within each step, where that is kept, not the average */
};

/* The finest steps that the archives have for from..to, not many more than 2000 of them. */
void archive_cut(struct stretch *out, int64_t from_s, int64_t to_s, int64_t now_s, unsigned step_s,
		 bool peaks);

/* Reads `n` values into `out`, NAN where there are none: growth a second when `rate`, as they were
 * otherwise.  E_SYSTEM; E_NOT_FOUND: the file does not hold that. */
int archive_fetch(const char *path, bool rate, const struct stretch *s, double *out) MUST_USE;

#endif
