/*
 * boards: the one table of what is drawn: a row a board, with its lines.
 *
 * A line is a sum of metrics ("questions", "user-msec+sys-msec"), perhaps as a part of another sum
 * ("per"), times a scale.  RATE: growth a second; VALUE: as it is.  Of a fleet the sums are added
 * up over all resolvers before one is divided by the other; MEAN lines are averaged instead, for
 * what cannot be added (a latency).  PERCENTILE lines read a histogram's buckets, METRIC-N with N
 * in microseconds, whose growth they add up over the fleet.
 *
 * Boards are of resolvers or of hosts; which a source is, its last part says: graphs-feed's is
 * "host".  To add a board is to add a row.
 */
#ifndef GRAPHS_BOARDS_H
#define GRAPHS_BOARDS_H

#include <stdbool.h>
#include <stddef.h>

enum board_of { BOARD_RESOLVER, BOARD_HOST };
enum board_line_kind { LINE_RATE, LINE_VALUE, LINE_MEAN, LINE_PERCENTILE };

struct board_line {
	const char *label;
	enum board_line_kind kind;
	const char *sum, *per; /* per NULL: the sum itself */
	double scale;          /* of a percentile: which, 0 to 1; its unit is the millisecond */
	const char *colour;    /* a name that the style sheet knows */
};

enum { BOARD_LINES_MAX = 12, BOARD_TERMS_MAX = 8 };

struct board {
	const char *id, *title, *unit;
	enum board_of of;
	bool is_stacked;
	struct board_line lines[BOARD_LINES_MAX]; /* label NULL ends them */
};

size_t boards_count(void);
const struct board *boards_at(size_t i);
const struct board *boards_find(const char *id); /* NULL: there is none */

/* The metrics of "a+b+c": calls back with each, a NUL at its end. */
typedef void (*board_term_cb)(void *ctx, const char *metric);
void boards_each_term(const char *sum, board_term_cb cb, void *ctx);

/* What a source is, by its name's last part; and the host that a resolver runs on, or the other way
 * round: pdns.ns1.host for pdns.ns1.recursor.  False when it does not fit. */
enum board_of boards_of_source(const char *source);
bool boards_host_of(const char *source, char *out, size_t cap);

#endif
