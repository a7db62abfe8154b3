#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/conf.h"

/* Items as text: "line:name=value|" or "line:name+=value|". */
struct seen {
	char text[4096];
	size_t len;
	int stop_at; /* the n-th item is refused; 0: none */
	int n;
	const char *file;
};

static int note(void *ctx, const struct conf_item *item)
{
	struct seen *seen = ctx;

	if (++seen->n == seen->stop_at)
		return E_LIMIT;
	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
				      "%u:%s%s=%s|", item->line, item->name,
				      item->append ? "+" : "", item->value);
	ck_assert_uint_lt(seen->len, sizeof(seen->text));
	if (seen->file != NULL)
		ck_assert_str_eq(item->file, seen->file);
	return E_OK;
}

static int read_text(struct seen *seen, const char *text, size_t len, char why[200])
{
	memset(seen, 0, sizeof(*seen));
	seen->file = "t.conf";
	why[0] = '\0';
	return conf_read_text(text, len, "t.conf", note, seen, why, 200);
}

START_TEST(reads_lines)
{
	static const struct {
		const char *text, *items;
	} rows[] = {
		{ "", "" },
		{ "\n \n\t\r\n", "" },
		{ "a=1", "1:a=1|" },
		{ "a=1\nb=2\n", "1:a=1|2:b=2|" },
		{ "a=1\r\nb=2\r\n", "1:a=1|2:b=2|" },
		{ "  a  =  1 2  \n", "1:a=1 2|" },
		{ "a\n", "1:a=|" },
		{ "a=\n", "1:a=|" },
		{ "a=b=c\n", "1:a=b=c|" },
		{ "a+=1\n", "1:a+=1|" },
		{ "a +=  1\n", "1:a+=1|" },
		{ "a=+=1\n", "1:a=+=1|" },
		{ "=1\n", "1:=1|" },
		{ "+=1\n", "1:+=1|" },
		{ "A=x\na=y\n", "1:A=x|2:a=y|" },
		{ "two words\n", "1:two words=|" },
		{ "a=\"q\"\n", "1:a=\"q\"|" },
		/* comments */
		{ "# a=1\nb=2\n", "2:b=2|" },
		{ "  # a=1\nb=2\n", "2:b=2|" },
		{ "a=1 # one\n", "1:a=1|" },
		{ "a=1\t# one\n", "1:a=1|" },
		{ "a=p#q\n", "1:a=p#q|" },
		{ "a=p#q #r\n", "1:a=p#q|" },
		{ "a=#1\n", "1:a=#1|" },
		{ "a= #1\n", "1:a=|" },
		/* continuation */
		{ "a=1,\\\n  2\nb=3\n", "1:a=1,  2|3:b=3|" },
		{ "a=1,\\  \n2\n", "1:a=1,2|" },
		{ "a=1,\\\n\\\n\\\n2\nb=3\n", "1:a=1,2|5:b=3|" },
		{ "a=1\\", "1:a=1|" },
		{ "a=1\\\n", "1:a=1|" },
		{ "\\\n\\\na=1\n", "1:a=1|" },
		{ "a=1\\\\\n", "1:a=1\\|" },
		{ "# a \\\nb=2\nc=3\n", "3:c=3|" },
	};
	struct seen seen;
	char why[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(read_text(&seen, rows[i].text, strlen(rows[i].text), why), E_OK);
		ck_assert_msg(strcmp(seen.text, rows[i].items) == 0, "%s gave %s, not %s",
			      rows[i].text, seen.text, rows[i].items);
		ck_assert_str_eq(why, "");
	}
}
END_TEST

START_TEST(refuses_nul)
{
	struct seen seen;
	char why[200];

	ck_assert_int_eq(read_text(&seen, "a=1\nb=\0002\nc=3", 13, why), E_MALFORMED);
	ck_assert_str_eq(seen.text, "1:a=1|");
	ck_assert_str_eq(why, "t.conf:2: a NUL byte in the line");
}
END_TEST

START_TEST(refuses_long_lines)
{
	size_t len = CONF_LINE_MAX + 4;
	char *text = malloc(len), why[200];
	struct seen seen;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', len);
	text[0] = '\n';
	text[len / 2] = '\\'; /* in two parts, joined */
	text[len / 2 + 1] = '\n';
	ck_assert_int_eq(read_text(&seen, text, len, why), E_TOO_LONG);
	ck_assert_str_eq(why, "t.conf:3: the line is longer than 65536 bytes");

	/* The longest one is taken. */
	memset(text, ' ', len);
	memcpy(text, "a=1\\\n", 5);
	text[CONF_LINE_MAX + 1] = '#';
	ck_assert_int_eq(read_text(&seen, text, CONF_LINE_MAX + 2, why), E_OK);
	ck_assert_str_eq(seen.text, "1:a=1|");
	free(text);
}
END_TEST

START_TEST(stops_where_refused)
{
	struct seen seen = { .stop_at = 2 };
	char why[200] = "mine";

	ck_assert_int_eq(conf_read_text("a=1\nb=2\nc=3\n", 12, "f", note, &seen, why, 200),
			 E_LIMIT);
	ck_assert_int_eq(seen.n, 2);
	ck_assert_str_eq(why, "mine"); /* what the callback wrote is not painted over */
}
END_TEST

START_TEST(reads_files)
{
	char path[] = "/tmp/unit_conf_XXXXXX", why[200] = "", expected[200];
	struct seen seen = { .file = path };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "a=1\nb\n", 6), 6);
	ck_assert_int_eq(conf_read_file(path, note, &seen, why, sizeof(why)), E_OK);
	ck_assert_str_eq(seen.text, "1:a=1|2:b=|");

	/* An editor's mark is no part of the first name; elsewhere it is text. */
	ck_assert_int_eq(pwrite(fd, "\xef\xbb\xbfz=1\n\xef\xbb\xbfy\n", 12, 0), 12);
	seen.len = 0;
	ck_assert_int_eq(conf_read_file(path, note, &seen, why, sizeof(why)), E_OK);
	ck_assert_str_eq(seen.text, "1:z=1|2:\xef\xbb\xbfy=|");

	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(conf_read_file(path, note, &seen, why, sizeof(why)), E_OK);
	(void)close(fd);
	(void)unlink(path);

	ck_assert_int_eq(conf_read_file(path, note, &seen, why, sizeof(why)), E_SYSTEM);
	(void)snprintf(expected, sizeof(expected), "%s: No such file or directory", path);
	ck_assert_str_eq(why, expected);
	ck_assert_int_eq(conf_read_file("/", note, &seen, why, sizeof(why)), E_SYSTEM);

	/* Nobody writes to it: whoever opens it waits for ever. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(conf_read_file(path, note, &seen, why, sizeof(why)), E_NOT_FILE);
	(void)unlink(path);
	(void)snprintf(expected, sizeof(expected), "%s: not a plain file", path);
	ck_assert_str_eq(why, expected);
}
END_TEST

START_TEST(reads_arguments)
{
	char *argv[] = { "prog",     "--a=1", "get", "-b=2",   "--c", "--d+=x y",
			 "--e=# no", "-",     "x=y", "--f=\\", "--",  NULL };
	int argc = (int)ARRAY_LEN(argv) - 1, n_words = -1;
	const char *words[ARRAY_LEN(argv)];
	struct seen seen = { .file = "command line" };

	ck_assert_int_eq(conf_read_args(argc, argv, note, &seen, words, &n_words), E_OK);
	ck_assert_str_eq(seen.text, "0:a=1|0:b=2|0:c=|0:d+=x y|0:e=# no|0:f=\\|0:=|");
	ck_assert_int_eq(n_words, 3);
	ck_assert_str_eq(words[0], "get");
	ck_assert_str_eq(words[1], "-");
	ck_assert_str_eq(words[2], "x=y");

	seen = (struct seen) { .stop_at = 2 };
	ck_assert_int_eq(conf_read_args(argc, argv, note, &seen, words, &n_words), E_LIMIT);
	ck_assert_int_eq(seen.n, 2);
}
END_TEST

static int join_words(void *ctx, const char *word, size_t len)
{
	char *out = ctx;

	if (strncmp(word, "stop", len) == 0)
		return E_LIMIT;
	strncat(out, word, len);
	strcat(out, "|");
	return E_OK;
}

START_TEST(splits_lists)
{
	static const struct {
		const char *list, *words;
		int err;
	} rows[] = {
		{ "", "", E_OK },
		{ " ,\t,\n ", "", E_OK },
		{ "a", "a|", E_OK },
		{ "a,b c\td\ne", "a|b|c|d|e|", E_OK },
		{ " a , , b ", "a|b|", E_OK },
		{ "a;b", "a;b|", E_OK },
		{ "a,stop,b", "a|", E_LIMIT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[100] = "";

		ck_assert_int_eq(conf_each_word(rows[i].list, join_words, out), rows[i].err);
		ck_assert_str_eq(out, rows[i].words);
	}
}
END_TEST

START_TEST(reads_booleans)
{
	ck_assert(!conf_bool("no"));
	ck_assert(!conf_bool("off"));
	ck_assert(conf_bool(""));
	ck_assert(conf_bool("yes"));
	ck_assert(conf_bool("on"));
	ck_assert(conf_bool("0"));
	ck_assert(conf_bool("false"));
	ck_assert(conf_bool("No"));
}
END_TEST

START_TEST(reads_integers)
{
	static const struct {
		const char *text;
		int err;
		long long value;
	} rows[] = {
		{ "0", E_OK, 0 },
		{ "10", E_OK, 10 },
		{ "0x10", E_OK, 16 },
		{ "010", E_OK, 8 },
		{ "-5", E_OK, -5 },
		{ "1000", E_OK, 1000 },
		{ "1001", E_RANGE, 0 },
		{ "-6", E_RANGE, 0 },
		{ "99999999999999999999", E_RANGE, 0 },
		{ "-99999999999999999999", E_RANGE, 0 },
		{ "", E_MALFORMED, 0 },
		{ "x", E_MALFORMED, 0 },
		{ "10x", E_MALFORMED, 0 },
		{ "10 ", E_MALFORMED, 0 },
		{ "09", E_MALFORMED, 0 },
		{ "1.5", E_MALFORMED, 0 },
		{ "yes", E_MALFORMED, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long value = 77;

		ck_assert_msg(conf_int(rows[i].text, -5, 1000, &value) == rows[i].err, "%s",
			      rows[i].text);
		ck_assert_int_eq(value, rows[i].err == E_OK ? rows[i].value : 77);
	}
}
END_TEST

START_TEST(reads_sizes)
{
	static const struct {
		const char *text;
		int err;
		long long value;
	} rows[] = {
		{ "0", E_OK, 0 },
		{ "4096", E_OK, 4096 },
		{ "1k", E_OK, 1024 },
		{ "1K", E_OK, 1024 },
		{ "0x10k", E_OK, 16384 },
		{ "64M", E_OK, 64LL << 20 },
		{ "64m", E_OK, 64LL << 20 },
		{ "3G", E_OK, 3LL << 30 },
		{ "3g", E_OK, 3LL << 30 },
		{ "1T", E_OK, 1LL << 40 },
		{ "2T", E_RANGE, 0 },
		{ "-1k", E_RANGE, 0 },
		{ "9999999999999999T", E_RANGE, 0 },
		{ "99999999999999999999k", E_RANGE, 0 },
		{ "", E_MALFORMED, 0 },
		{ "k", E_MALFORMED, 0 },
		{ "1kb", E_MALFORMED, 0 },
		{ "1 k", E_MALFORMED, 0 },
		{ "1t", E_MALFORMED, 0 },
		{ "1.5G", E_MALFORMED, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long value = 77;

		ck_assert_msg(conf_size(rows[i].text, 0, 1LL << 40, &value) == rows[i].err, "%s",
			      rows[i].text);
		ck_assert_int_eq(value, rows[i].err == E_OK ? rows[i].value : 77);
	}
}
END_TEST

Suite *suite_conf(void)
{
	Suite *s = suite_create("conf");
	TCase *tc = tcase_create("conf");

	tcase_add_test(tc, reads_lines);
	tcase_add_test(tc, refuses_nul);
	tcase_add_test(tc, refuses_long_lines);
	tcase_add_test(tc, stops_where_refused);
	tcase_add_test(tc, reads_files);
	tcase_add_test(tc, reads_arguments);
	tcase_add_test(tc, splits_lists);
	tcase_add_test(tc, reads_booleans);
	tcase_add_test(tc, reads_integers);
	tcase_add_test(tc, reads_sizes);
	suite_add_tcase(s, tc);
	return s;
}
