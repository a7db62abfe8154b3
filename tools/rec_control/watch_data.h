/*
 * watch_data: what `rec_control watch` shows, asked of the daemon: figures with what they were the
 * last minutes, and one ring as a table.
 *
 * A look is two requests over the control socket, `get` and `top-*`.  Rates come from two looks; when
 * the daemon was started anew in between, or was away, they begin again.
 *
 * Memory:  a watch_data owns what it has; watch_data_clear().
 */
#ifndef REC_CONTROL_WATCH_DATA_H
#define REC_CONTROL_WATCH_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_HISTORY = 240, WATCH_ROWS_MAX = 1000, WATCH_KEY_MAX = 1100, WATCH_FILTER_MAX = 256 };

enum watch_unit {
	WATCH_RATE,    /* a second */
	WATCH_PERCENT, /* 0 to 100 */
	WATCH_USEC,
	WATCH_COUNT,
};

/* series, label, unit, metrics that are added up (of a rate: what they grew by) */
#define WATCH_SERIES(X)                                                                            \
	X(SERIES_QUERIES, "queries", WATCH_RATE, "questions")                                      \
	X(SERIES_NOERROR, "NOERROR", WATCH_RATE, "noerror-answers")                                \
	X(SERIES_NXDOMAIN, "NXDOMAIN", WATCH_RATE, "nxdomain-answers")                             \
	X(SERIES_SERVFAIL, "SERVFAIL", WATCH_RATE, "servfail-answers")                             \
	X(SERIES_OTHER, "other", WATCH_RATE, "other-rcode-answers")                                \
	X(SERIES_HITS, "cache hits", WATCH_PERCENT, "")                                            \
	X(SERIES_P50, "latency p50", WATCH_USEC, "")                                               \
	X(SERIES_P95, "latency p95", WATCH_USEC, "")                                               \
	X(SERIES_P99, "latency p99", WATCH_USEC, "")                                               \
	X(SERIES_OUTQUERIES, "outqueries", WATCH_RATE, "all-outqueries")                           \
	X(SERIES_TIMEOUTS, "timeouts", WATCH_RATE, "outgoing-timeouts")                            \
	X(SERIES_RUNNING, "in flight", WATCH_COUNT, "concurrent-queries")                          \
	X(SERIES_DROPS, "dropped", WATCH_RATE, "")                                                 \
	X(SERIES_NOT_ALLOWED, "not allowed", WATCH_RATE,                                           \
	  "unauthorized-udp unauthorized-tcp unauthorized-tcp-queries no-rd-refused "              \
	  "source-disallowed-notify zone-disallowed-notify")                                       \
	X(SERIES_MALFORMED, "malformed", WATCH_RATE,                                               \
	  "client-parse-errors empty-queries ignored-packets notimp-queries")                      \
	X(SERIES_CAPACITY, "over capacity", WATCH_RATE,                                            \
	  "over-capacity-drops fair-share-refusals chain-limits tcp-overflow tcp-client-overflow " \
	  "notify-overflows udp-recvbuf-errors udp6-recvbuf-errors")                               \
	X(SERIES_POLICY, "policy", WATCH_RATE, "policy-drops policy-kills ratelimit-refusals")     \
	X(SERIES_DEFENDER, "defender", WATCH_RATE,                                                 \
	  "defender-domain-dropped defender-domain-refused defender-domain-nxdomain "              \
	  "defender-domain-truncated defender-zone-dropped defender-zone-refused "                 \
	  "defender-zone-nxdomain defender-zone-truncated")

enum watch_series {
#define WATCH_ENUM(series, label, unit, metrics) series,
	WATCH_SERIES(WATCH_ENUM)
#undef WATCH_ENUM
		SERIES_COUNT
};

struct watch_history {
	double last[WATCH_HISTORY]; /* NAN: nothing is known; a ring */
};

/* Which ring, and what of it. */
struct watch_wanted {
	char command[64];              /* top-... */
	char client[WATCH_FILTER_MAX]; /* a netmask, or "" */
	char text[WATCH_FILTER_MAX];   /* a part of the key, in any case, or "" */
};

struct watch_row {
	double count;
	char key[WATCH_KEY_MAX];
};

struct watch_table {
	size_t entries; /* that were counted */
	size_t n;
	struct watch_row *rows; /* WATCH_ROWS_MAX */
	char error[200];        /* why there is none, or "" */
};

struct watch_data {
	json_t *now, *before;
	uint64_t now_ms, before_ms;
	struct watch_history history[SERIES_COUNT];
	unsigned at; /* in the histories: the newest */
	struct watch_table table;
	char version[64];
	double uptime_s;
	bool is_draining, is_ready;
	char error[300]; /* why the daemon was not heard, or "" */
};

int watch_data_init(struct watch_data *d);
void watch_data_clear(struct watch_data *d);

/* Asks the daemon behind the socket; what went wrong stands in `error`. */
void watch_data_look(struct watch_data *d, const char *path, const struct watch_wanted *wanted,
		     int timeout_ms);

const char *watch_label(enum watch_series s);
enum watch_unit watch_unit(enum watch_series s);
/* `back` looks ago; NAN when it is not known. */
double watch_value(const struct watch_data *d, enum watch_series s, unsigned back);

/* Of a cumulative histogram's steps (upper bounds in microseconds, INFINITY the last; how many were at
 * most that): what a part of all are at most.  NAN: there was nothing. */
struct watch_step {
	double bound, n;
};
double watch_percentile(const struct watch_step *steps, size_t n, double part);

#endif
