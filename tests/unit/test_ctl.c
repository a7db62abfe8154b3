#include <check.h>
#include <string.h>

#include "common/check.h"
#include "common/ctl.h"

START_TEST(header_passes)
{
	struct ctl_header in = { .status = -7, .length = 1000 }, out = { 0 };
	uint8_t wire[CTL_HEADER_LEN];

	ctl_put_header(wire, &in);
	ck_assert_int_eq(ctl_get_header(wire, 1000, &out), E_OK);
	ck_assert_int_eq(out.status, -7);
	ck_assert_uint_eq(out.length, 1000);
}
END_TEST

START_TEST(length_is_checked)
{
	struct ctl_header in = { .length = 1001 }, out = { .status = 5, .length = 6 };
	uint8_t wire[CTL_HEADER_LEN];

	ctl_put_header(wire, &in);
	ck_assert_int_eq(ctl_get_header(wire, 1000, &out), E_RANGE);
	in.length = UINT64_MAX;
	ctl_put_header(wire, &in);
	ck_assert_int_eq(ctl_get_header(wire, CTL_REPLY_MAX, &out), E_RANGE);
	ck_assert_int_eq(out.status, 5);
	ck_assert_uint_eq(out.length, 6);
}
END_TEST

START_TEST(socket_has_the_known_name)
{
	char path[200], small[30], dir[120];

	ck_assert_int_eq(ctl_socket_path(path, sizeof(path), "/var/run/pdns-recursor", ""), E_OK);
	ck_assert_str_eq(path, "/var/run/pdns-recursor/pdns_recursor.controlsocket");
	ck_assert_int_eq(ctl_socket_path(path, sizeof(path), "/run", "two"), E_OK);
	ck_assert_str_eq(path, "/run/pdns_recursor-two.controlsocket");

	ck_assert_int_eq(ctl_socket_path(small, sizeof(small), "/run", "two"), E_TOO_LONG);
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	ck_assert_int_eq(ctl_socket_path(path, sizeof(path), dir, ""), E_TOO_LONG);
	ck_assert_str_eq(path, "/run/pdns_recursor-two.controlsocket");
}
END_TEST

START_TEST(splits)
{
	static const struct {
		const char *text;
		int n;
		const char *words[4];
	} rows[] = {
		{ "", 0, { 0 } },
		{ " \t\r\n", 0, { 0 } },
		{ "ping", 1, { "ping" } },
		{ "PING\n", 1, { "ping" } },
		{ "  Get\tQuestions  X ", 3, { "get", "Questions", "X" } },
		{ "a b c d", 4, { "a", "b", "c", "d" } },
		{ "a b c d e", E_LIMIT, { 0 } },
		{ "a b c d ", 4, { "a", "b", "c", "d" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64], *words[4];
		int n;

		strcpy(text, rows[i].text);
		n = ctl_split(text, words, 4);
		ck_assert_int_eq(n, rows[i].n);
		for (int k = 0; k < n; k++)
			ck_assert_str_eq(words[k], rows[i].words[k]);
	}
}
END_TEST

Suite *suite_ctl(void)
{
	Suite *s = suite_create("ctl");
	TCase *tc = tcase_create("ctl");

	tcase_add_test(tc, header_passes);
	tcase_add_test(tc, length_is_checked);
	tcase_add_test(tc, socket_has_the_known_name);
	tcase_add_test(tc, splits);
	suite_add_tcase(s, tc);
	return s;
}
