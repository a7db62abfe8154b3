/*
 * line: carbon's text protocol: lines `name value time`, ended by LF or CR LF.
 *
 *     pdns.ns1.recursor.questions 1234 1423480000
 *
 * What stands behind the name's last dot is the metric, what stands before it the source: a
 * resolver (pdns.ns1.recursor), or a host (pdns.ns1.host).  Names become names of files, so no
 * more is taken than letters, digits, '-', '_' and single dots between: there is no '/', no part
 * is empty and none begins with a dot or a hyphen.
 *
 * A value is a decimal number, no larger than 2^64; a time is seconds since 1970, or -1 or N for
 * now; a fraction of a second is dropped.
 *
 * Limits: LINE_TEXT_MAX bytes a line, LINE_PARTS_MAX parts a name; what is too long is skipped to
 *         the line's end, however many bytes that takes, and counted once.
 */
#ifndef GRAPHS_LINE_H
#define GRAPHS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/graphs/refusal.h"

enum { LINE_TEXT_MAX = 512, LINE_SOURCE_MAX = 161, LINE_METRIC_MAX = 81, LINE_PARTS_MAX = 16 };

struct line {
	char source[LINE_SOURCE_MAX], metric[LINE_METRIC_MAX];
	double value;
	int64_t time_s;
};

/* REFUSAL_NONE, or why the line is not taken; `out` is written only when it is. */
enum refusal line_parse(struct line *out, const char *text, size_t len, int64_t now_s);

/* Whether a source's or a metric's name is one that line_parse() could have given. */
bool line_is_source(const char *name);
bool line_is_metric(const char *name);

/* Puts lines together from what arrives in any pieces.  Zeroed, it is at a line's beginning. */
struct line_reader {
	char text[LINE_TEXT_MAX];
	size_t len;
	bool is_skipping;
};

/* Called with each line, without its end; text is NULL for one that was too long. */
typedef void (*line_cb)(void *ctx, const char *text, size_t len);
void line_read(struct line_reader *r, const char *data, size_t len, line_cb cb, void *ctx);

#endif
