#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/generate.h"

START_TEST(ranges)
{
	static const struct {
		const char *text;
		int err;
		uint32_t first, last, step;
		uint64_t count;
	} rows[] = {
		{ "1-254", E_OK, 1, 254, 1, 254 },
		{ "0-0", E_OK, 0, 0, 1, 1 },
		{ "0-9/2", E_OK, 0, 9, 2, 5 },
		{ "0-2147483647", E_OK, 0, 2147483647, 1, 2147483648 },
		{ "5-4", E_MALFORMED, 0, 0, 0, 0 },
		{ "0-9/0", E_MALFORMED, 0, 0, 0, 0 },
		{ "0-2147483648", E_MALFORMED, 0, 0, 0, 0 },
		{ "0-99999999999999999999", E_MALFORMED, 0, 0, 0, 0 },
		{ "1", E_MALFORMED, 0, 0, 0, 0 },
		{ "-1", E_MALFORMED, 0, 0, 0, 0 },
		{ "1-", E_MALFORMED, 0, 0, 0, 0 },
		{ "1-2x", E_MALFORMED, 0, 0, 0, 0 },
		{ "1-2/", E_MALFORMED, 0, 0, 0, 0 },
		{ "", E_MALFORMED, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct generate_range r = { 0 };

		ck_assert_msg(generate_read_range(&r, rows[i].text) == rows[i].err, "%s",
			      rows[i].text);
		ck_assert_uint_eq(r.first, rows[i].first);
		ck_assert_uint_eq(r.last, rows[i].last);
		ck_assert_uint_eq(r.step, rows[i].step);
		if (rows[i].err == E_OK)
			ck_assert_uint_eq(generate_count(&r), rows[i].count);
	}
}
END_TEST

START_TEST(templates)
{
	static const struct {
		const char *template;
		uint32_t number;
		const char *text; /* NULL: malformed */
	} rows[] = {
		{ "host-$", 7, "host-7" },
		{ "$.$", 12, "12.12" },
		{ "none", 1, "none" },
		{ "${10}", 5, "15" },
		{ "${-5}", 5, "0" },
		{ "${+1}", 5, "6" },
		{ "${-6}", 5, NULL },
		{ "${0,3}x", 5, "005x" },
		{ "${0,3,d}", 1234, "1234" },
		{ "${0,4,x}", 255, "00ff" },
		{ "${0,0,X}", 255, "FF" },
		{ "${0,0,o}", 8, "10" },
		{ "\\$$$", 3, "$$" },
		{ "\\065$", 3, "\\0653" },
		{ "${", 1, NULL },
		{ "${}", 1, NULL },
		{ "${0", 1, NULL },
		{ "${0,3", 1, NULL },
		{ "${0,3,z}", 1, NULL },
		{ "${0,256}", 1, NULL },
		{ "${0,3,d", 1, NULL },
		{ "$", 0, "0" },
		{ "", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[64] = "as before";
		int err = generate_expand(out, sizeof(out), rows[i].template, rows[i].number);

		ck_assert_msg(err == (rows[i].text == NULL ? E_MALFORMED : E_OK), "%s: %d",
			      rows[i].template, err);
		if (rows[i].text != NULL)
			ck_assert_str_eq(out, rows[i].text);
	}
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
	for (size_t cap = 0; cap < 12; cap++) {
		char *out = malloc(cap == 0 ? 1 : cap);
		int err = generate_expand(out, cap, "ab$c${0,4}", 7);

		/* "ab7c0007" and the zero; the check may ask for a byte more. */
		ck_assert_int_eq(err, cap > 8 ? E_OK : E_TOO_LONG);
		free(out);
	}
}
END_TEST

Suite *suite_generate(void)
{
	Suite *s = suite_create("generate");
	TCase *c = tcase_create("generate");

	tcase_add_test(c, ranges);
	tcase_add_test(c, templates);
	tcase_add_test(c, no_more_than_there_is_room_for);
	suite_add_tcase(s, c);
	return s;
}
