#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tools/graphs/line.h"

enum { NOW = 1700000000 };

static enum refusal parse(struct line *out, const char *text)
{
	return line_parse(out, text, strlen(text), NOW);
}

START_TEST(a_line_of_a_resolver)
{
	struct line l;

	ck_assert_int_eq(parse(&l, "pdns.ns1.recursor.questions 1234 1423480000"), REFUSAL_NONE);
	ck_assert_str_eq(l.source, "pdns.ns1.recursor");
	ck_assert_str_eq(l.metric, "questions");
	ck_assert_double_eq(l.value, 1234);
	ck_assert_int_eq(l.time_s, 1423480000);
}
END_TEST

START_TEST(dots_in_a_host_stay_in_the_source)
{
	struct line l;

	ck_assert_int_eq(parse(&l, "pdns.ns1.example.net.recursor.answers0-1 7 5"), REFUSAL_NONE);
	ck_assert_str_eq(l.source, "pdns.ns1.example.net.recursor");
	ck_assert_str_eq(l.metric, "answers0-1");
}
END_TEST

START_TEST(numbers_and_times_as_carbon_takes_them)
{
	struct line l;

	ck_assert_int_eq(parse(&l, "  a.b\t-1.5e3   1423480000.9 "), REFUSAL_NONE);
	ck_assert_double_eq(l.value, -1500);
	ck_assert_int_eq(l.time_s, 1423480000);
	ck_assert_int_eq(parse(&l, "a.b 18446744073709551615 -1"), REFUSAL_NONE);
	ck_assert_double_eq(l.value, 18446744073709551615.0);
	ck_assert_int_eq(l.time_s, NOW);
	ck_assert_int_eq(parse(&l, "a.b 1 N"), REFUSAL_NONE);
	ck_assert_int_eq(l.time_s, NOW);
}
END_TEST

/* What is refused, and for what. */
static const struct {
	const char *text;
	enum refusal why;
} wrong[] = {
	{ "a.b 1", REFUSAL_SYNTAX },
	{ "a.b 1 2 3", REFUSAL_SYNTAX },
	{ "", REFUSAL_SYNTAX },
	{ "a.b", REFUSAL_SYNTAX },
	{ "questions 1 2", REFUSAL_NAME },
	{ "../../etc/passwd 1 2", REFUSAL_NAME },
	{ "a/b.c 1 2", REFUSAL_NAME },
	{ "..a 1 2", REFUSAL_NAME },
	{ ".a.b 1 2", REFUSAL_NAME },
	{ "a..b 1 2", REFUSAL_NAME },
	{ "a.b. 1 2", REFUSAL_NAME },
	{ "a.-b 1 2", REFUSAL_NAME },
	{ "-a.b 1 2", REFUSAL_NAME },
	{ "a.b;host=x 1 2", REFUSAL_NAME },
	{ "a.b\x01 1 2", REFUSAL_NAME },
	{ "\xc3\xa4.b 1 2", REFUSAL_NAME },
	{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q 1 2", REFUSAL_NAME },
	{ "a.b nan 2", REFUSAL_VALUE },
	{ "a.b inf 2", REFUSAL_VALUE },
	{ "a.b 0x10 2", REFUSAL_VALUE },
	{ "a.b 1e999 2", REFUSAL_VALUE },
	{ "a.b 1e21 2", REFUSAL_VALUE },
	{ "a.b 1,5 2", REFUSAL_VALUE },
	{ "a.b 1e 2", REFUSAL_VALUE },
	{ "a.b - 2", REFUSAL_VALUE },
	{ "a.b 00000000000000000000000000000000000000001 2", REFUSAL_VALUE },
	{ "a.b 1 now", REFUSAL_TIME },
	{ "a.b 1 -2", REFUSAL_TIME },
	{ "a.b 1 1e18", REFUSAL_TIME },
};

START_TEST(what_is_refused_has_its_reason)
{
	struct line l = { .value = 42 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_msg(parse(&l, wrong[i].text) == wrong[i].why, "%s", wrong[i].text);
	ck_assert_double_eq(l.value, 42);
}
END_TEST

START_TEST(names_have_a_length)
{
	char text[512], name[LINE_SOURCE_MAX + 1];
	struct line l;

	memset(name, 'x', sizeof(name));
	snprintf(text, sizeof(text), "%.*s.m 1 2", LINE_SOURCE_MAX - 1, name);
	ck_assert_int_eq(parse(&l, text), REFUSAL_NONE);
	ck_assert(line_is_source(l.source));
	snprintf(text, sizeof(text), "%.*s.m 1 2", LINE_SOURCE_MAX, name);
	ck_assert_int_eq(parse(&l, text), REFUSAL_NAME);
	snprintf(text, sizeof(text), "a.%.*s 1 2", LINE_METRIC_MAX - 1, name);
	ck_assert_int_eq(parse(&l, text), REFUSAL_NONE);
	ck_assert(line_is_metric(l.metric));
	snprintf(text, sizeof(text), "a.%.*s 1 2", LINE_METRIC_MAX, name);
	ck_assert_int_eq(parse(&l, text), REFUSAL_NAME);
}
END_TEST

/* ---- the reader ---- */

struct heard {
	char text[1024];
	unsigned lines, too_long;
};

static void hear(void *ctx, const char *text, size_t len)
{
	struct heard *h = ctx;

	if (text == NULL) {
		h->too_long++;
		return;
	}
	h->lines++;
	strncat(h->text, text, len);
	strcat(h->text, "|");
}

START_TEST(lines_in_any_pieces)
{
	static const char stream[] = "a.b 1 2\r\nc.d 3 4\n\n\r\ne.f 5 6\r\n";

	for (size_t piece = 1; piece < sizeof(stream); piece++) {
		struct line_reader r = { .len = 0 };
		struct heard h = { .lines = 0 };

		for (size_t at = 0; at < sizeof(stream) - 1; at += piece) {
			size_t left = sizeof(stream) - 1 - at;

			line_read(&r, stream + at, left < piece ? left : piece, hear, &h);
		}
		ck_assert_str_eq(h.text, "a.b 1 2|c.d 3 4|e.f 5 6|");
		ck_assert_uint_eq(h.lines, 3);
	}
}
END_TEST

START_TEST(a_long_line_is_skipped_and_counted_once)
{
	struct line_reader r = { .len = 0 };
	struct heard h = { .lines = 0 };
	char much[LINE_TEXT_MAX];

	memset(much, 'x', sizeof(much));
	for (int i = 0; i < 1000; i++)
		line_read(&r, much, sizeof(much), hear, &h);
	ck_assert_uint_eq(h.lines + h.too_long, 0);
	line_read(&r, "\na.b 1 2\n", 9, hear, &h);
	ck_assert_uint_eq(h.too_long, 1);
	ck_assert_str_eq(h.text, "a.b 1 2|");
}
END_TEST

Suite *suite_graphs_line(void)
{
	Suite *s = suite_create("graphs_line");
	TCase *t = tcase_create("line");

	tcase_add_test(t, a_line_of_a_resolver);
	tcase_add_test(t, dots_in_a_host_stay_in_the_source);
	tcase_add_test(t, numbers_and_times_as_carbon_takes_them);
	tcase_add_test(t, what_is_refused_has_its_reason);
	tcase_add_test(t, names_have_a_length);
	tcase_add_test(t, lines_in_any_pieces);
	tcase_add_test(t, a_long_line_is_skipped_and_counted_once);
	suite_add_tcase(s, t);
	return s;
}
