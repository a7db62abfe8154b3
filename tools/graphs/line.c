#include "tools/graphs/line.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"

enum { NUMBER_TEXT_MAX = 40 };
/* A counter of 64 bits is the largest thing there is to be told. */
static const double value_max = 18446744073709551616.0;

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '-' ||
	       c == '_';
}

/* Parts of word characters with single dots between; how many, 0: it is no name. */
static unsigned count_parts(const char *name, size_t len)
{
	unsigned parts = 0;
	size_t i = 0;

	while (i < len) {
		if (!is_word_char(name[i]) || name[i] == '-')
			return 0;
		while (i < len && is_word_char(name[i]))
			i++;
		if (++parts > LINE_PARTS_MAX)
			return 0;
		if (i == len)
			return parts;
		if (name[i++] != '.')
			return 0;
	}
	return 0; /* empty, or a dot at the end */
}

bool line_is_source(const char *name)
{
	size_t len = strlen(name);

	return len < LINE_SOURCE_MAX && count_parts(name, len) > 0;
}

bool line_is_metric(const char *name)
{
	size_t len = strlen(name);

	return len < LINE_METRIC_MAX && count_parts(name, len) == 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word; false when there is none. */
static bool next_word(const char **text, const char *end, const char **word, size_t *len)
{
	const char *p = *text;

	while (p < end && is_blank(*p))
		p++;
	*word = p;
	while (p < end && !is_blank(*p))
		p++;
	*len = (size_t)(p - *word);
	*text = p;
	return *len > 0;
}

static size_t skip_digits(const char *p, size_t len, size_t i)
{
	while (i < len && ascii_is_digit(p[i]))
		i++;
	return i;
}

/* [+-]digits[.digits][e[+-]digits]: strtod() alone would take "nan", "infinity" and "0x1p9". */
static bool is_decimal(const char *p, size_t len)
{
	size_t i = len > 0 && (p[0] == '-' || p[0] == '+') ? 1 : 0, start = i;

	i = skip_digits(p, len, i);
	if (i == start)
		return false;
	if (i < len && p[i] == '.')
		i = skip_digits(p, len, i + 1);
	if (i < len && (p[i] == 'e' || p[i] == 'E')) {
		i++;
		if (i < len && (p[i] == '-' || p[i] == '+'))
			i++;
		start = i;
		i = skip_digits(p, len, i);
		if (i == start)
			return false;
	}
	return i == len;
}

static bool read_number(const char *word, size_t len, double *out)
{
	char text[NUMBER_TEXT_MAX + 1];

	if (len > NUMBER_TEXT_MAX || !is_decimal(word, len))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	*out = strtod(text, NULL);
	return isfinite(*out) && fabs(*out) <= value_max;
}

static bool read_time(const char *word, size_t len, int64_t now_s, int64_t *out)
{
	double t;

	if ((len == 1 && word[0] == 'N') || (len == 2 && memcmp(word, "-1", 2) == 0)) {
		*out = now_s;
		return true;
	}
	if (!read_number(word, len, &t) || t < 0 || t > 1e15)
		return false;
	*out = (int64_t)t;
	return true;
}

static enum refusal read_name(struct line *l, const char *name, size_t len)
{
	const char *dot = memrchr(name, '.', len);
	size_t source_len, metric_len;

	if (count_parts(name, len) < 2 || dot == NULL)
		return REFUSAL_NAME;
	source_len = (size_t)(dot - name);
	metric_len = len - source_len - 1;
	if (source_len >= LINE_SOURCE_MAX || metric_len >= LINE_METRIC_MAX)
		return REFUSAL_NAME;
	memcpy(l->source, name, source_len);
	l->source[source_len] = '\0';
	memcpy(l->metric, dot + 1, metric_len);
	l->metric[metric_len] = '\0';
	return REFUSAL_NONE;
}

enum refusal line_parse(struct line *out, const char *text, size_t len, int64_t now_s)
{
	const char *end = text + len, *name, *value, *when, *more;
	size_t name_len, value_len, when_len, more_len;
	enum refusal why;
	struct line l;

	if (!next_word(&text, end, &name, &name_len) ||
	    !next_word(&text, end, &value, &value_len) ||
	    !next_word(&text, end, &when, &when_len) || next_word(&text, end, &more, &more_len))
		return REFUSAL_SYNTAX;
	why = read_name(&l, name, name_len);
	if (why != REFUSAL_NONE)
		return why;
	if (!read_number(value, value_len, &l.value))
		return REFUSAL_VALUE;
	if (!read_time(when, when_len, now_s, &l.time_s))
		return REFUSAL_TIME;
	*out = l;
	return REFUSAL_NONE;
}

static void end_line(struct line_reader *r, line_cb cb, void *ctx)
{
	size_t len = r->len;

	if (r->is_skipping) {
		cb(ctx, NULL, 0);
	} else {
		if (len > 0 && r->text[len - 1] == '\r')
			len--;
		if (len > 0)
			cb(ctx, r->text, len);
	}
	r->len = 0;
	r->is_skipping = false;
}

void line_read(struct line_reader *r, const char *data, size_t len, line_cb cb, void *ctx)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end != NULL ? (size_t)(end - data) : len;

		if (r->len + n > sizeof(r->text))
			r->is_skipping = true;
		if (!r->is_skipping) {
			memcpy(r->text + r->len, data, n);
			r->len += n;
		}
		if (end != NULL) {
			end_line(r, cb, ctx);
			n++;
		}
		data += n;
		len -= n;
	}
}
