/*
 * The carbon lines that tools/graphs takes, from any bytes in any pieces: however they are cut, the
 * same lines come of them, and no name that is taken leaves its directory.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "tools/graphs/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000 };

struct tally {
	unsigned lines, taken, refused;
	double sum;
};

static void check_name(const char *name)
{
	ASSERT(name[0] != '\0' && name[0] != '.' && name[0] != '-');
	ASSERT(strchr(name, '/') == NULL && strstr(name, "..") == NULL);
}

static void on_line(void *ctx, const char *text, size_t len)
{
	struct tally *t = ctx;
	struct line l;

	t->lines++;
	if (text == NULL)
		return;
	ASSERT(len > 0 && len <= LINE_TEXT_MAX);
	if (line_parse(&l, text, len, NOW) != REFUSAL_NONE) {
		t->refused++;
		return;
	}
	t->taken++;
	t->sum += (double)(l.time_s % 1000);
	ASSERT(isfinite(l.value) && l.time_s >= 0);
	ASSERT(line_is_source(l.source) && line_is_metric(l.metric));
	ASSERT(strchr(l.metric, '.') == NULL);
	check_name(l.source);
	check_name(l.metric);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_reader whole = { .len = 0 }, pieces = { .len = 0 };
	struct tally a = { 0 }, b = { 0 };
	const char *text = (const char *)data;

	line_read(&whole, text, size, on_line, &a);
	for (size_t at = 0, n; at < size; at += n) {
		n = 1 + data[at] % 7;
		if (n > size - at)
			n = size - at;
		line_read(&pieces, text + at, n, on_line, &b);
	}
	ASSERT(a.lines == b.lines && a.taken == b.taken && a.refused == b.refused);
	ASSERT(a.sum == b.sum);
	return 0;
}
