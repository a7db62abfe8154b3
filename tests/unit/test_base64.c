#include "common/base64.h"

#include <check.h>
#include <string.h>

#include "common/check.h"

static size_t read_text(const char *text, uint8_t *out, size_t cap)
{
	size_t len = 0;

	return base64_read(text, strlen(text), out, cap, &len) ? len : 0;
}

/* RFC 4648 10 */
START_TEST(vectors)
{
	static const char *const rows[][2] = {
		{ "Zg==", "f" },        { "Zm8=", "fo" },        { "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
	};
	uint8_t out[8];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i][1]);

		ck_assert_uint_eq(read_text(rows[i][0], out, sizeof(out)), len);
		ck_assert(memcmp(out, rows[i][1], len) == 0);
		ck_assert_uint_eq(read_text(rows[i][0], out, len), len);
		ck_assert_uint_eq(read_text(rows[i][0], out, len - 1), 0);
	}
}
END_TEST

START_TEST(what_is_none)
{
	static const char *const rows[] = {
		"",      "Zg",    "Zg=",  "Zg===", "====", "A=BC",  "A=B=",       "=ABC",
		"Zm9 v", "Zm9v ", " Zm9", "Zm9\n", "Zm-_", "Zm9vZ", "\303\244AA",
	};
	uint8_t out[8];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(read_text(rows[i], out, sizeof(out)) == 0, "'%s'", rows[i]);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
	char text[BASE64_MAX + 5];
	uint8_t out[BASE64_MAX];

	memset(text, 'A', sizeof(text));
	text[BASE64_MAX + 4] = '\0';
	ck_assert_uint_eq(read_text(text, out, sizeof(out)), 0);
	text[BASE64_MAX] = '\0';
	ck_assert_uint_eq(read_text(text, out, sizeof(out)), BASE64_MAX / 4 * 3);
}
END_TEST

Suite *suite_base64(void);
Suite *suite_base64(void)
{
	Suite *s = suite_create("base64");
	TCase *t = tcase_create("base64");

	tcase_add_test(t, vectors);
	tcase_add_test(t, what_is_none);
	tcase_add_test(t, no_more_than_there_is_room_for);
	suite_add_tcase(s, t);
	return s;
}
