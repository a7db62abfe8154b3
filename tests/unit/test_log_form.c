#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/log_form.h"

static const struct log_field fields[] = {
	LOG_TEXT("client", "192.0.2.1"), LOG_NUMBER("n", UINT64_MAX), LOG_REAL("qps", 1.5),
	LOG_BOOL("acts", true),          LOG_TEXT("none", NULL),
};

static struct log_record record(const char *message)
{
	return (struct log_record) {
		.level = LOG_LEVEL_NOTICE,
		.subsystem = "some",
		.message = message,
		.fields = fields,
		.n_fields = sizeof(fields) / sizeof(fields[0]),
		.thread = 4,
		.when = { 1700000000, 5000000 },
	};
}

static const char *ended(char *out, size_t len)
{
	out[len] = '\0';
	return out;
}

START_TEST(each_form)
{
	struct log_record r = record("said \"so\"");
	char out[LOG_RECORD_MAX + 1];

	ck_assert_str_eq(ended(out, log_form_text(out, LOG_RECORD_MAX, &r, false)),
			 "said \"so\"\n");
	ck_assert_str_eq(ended(out, log_form_pairs(out, LOG_RECORD_MAX, &r)),
			 "msg=\"said \\\"so\\\"\" subsystem=\"some\" level=\"0\" prio=\"Notice\" "
			 "tid=\"4\" ts=\"1700000000.005\" client=\"192.0.2.1\" "
			 "n=\"18446744073709551615\" qps=\"1.5\" acts=\"true\"\n");
	ck_assert_str_eq(ended(out, log_form_json(out, LOG_RECORD_MAX, &r)),
			 "{\"ts\":\"1700000000.005\",\"prio\":\"Notice\",\"tid\":4,"
			 "\"subsystem\":\"some\",\"msg\":\"said \\\"so\\\"\","
			 "\"client\":\"192.0.2.1\",\"n\":18446744073709551615,\"qps\":1.5,"
			 "\"acts\":true}\n");
	ck_assert_str_eq(ended(out, log_form_journal(out, LOG_RECORD_MAX, &r, "me", LOG_LOCAL0)),
			 "PRIORITY=5\nSYSLOG_IDENTIFIER=me\nSYSLOG_FACILITY=16\nTID=4\n"
			 "SUBSYSTEM=some\nMESSAGE=said \"so\"\nCLIENT=192.0.2.1\n"
			 "N=18446744073709551615\nQPS=1.5\nACTS=true\n");
}
END_TEST

START_TEST(what_was_held_back)
{
	struct log_record r = record("x");
	char out[LOG_RECORD_MAX + 1];

	r.n_fields = 0;
	r.held_back = 12;
	ck_assert_str_eq(ended(out, log_form_text(out, LOG_RECORD_MAX, &r, false)),
			 "x (12 more like this before)\n");
	ck_assert_ptr_nonnull(
		strstr(ended(out, log_form_json(out, LOG_RECORD_MAX, &r)), "\"held_back\":12}\n"));
	ck_assert_ptr_nonnull(
		strstr(ended(out, log_form_pairs(out, LOG_RECORD_MAX, &r)), " held_back=\"12\"\n"));
	ck_assert_ptr_nonnull(strstr(ended(out, log_form_journal(out, LOG_RECORD_MAX, &r, "me", 0)),
				     "MESSAGE=x (12 more like this before)\nHELD_BACK=12\n"));
}
END_TEST

/* A field with a newline comes with its length, and none of it is taken for another field. */
START_TEST(journal_fields_cannot_be_forged)
{
	static const char wanted[] = "QNAME\n\x08\0\0\0\0\0\0\0a\nUID=0\n\n";
	const struct log_field field = LOG_TEXT("qname", "a\nUID=0\n");
	struct log_record r = record("m\nUID=0");
	char out[LOG_RECORD_MAX];
	size_t len;

	r.fields = &field;
	r.n_fields = 1;
	len = log_form_journal(out, sizeof(out), &r, "me", 0);
	ck_assert_uint_gt(len, sizeof(wanted));
	ck_assert_mem_eq(out + len - (sizeof(wanted) - 1), wanted, sizeof(wanted) - 1);
	ck_assert_ptr_nonnull(memmem(out, len, "MESSAGE=m?UID=0\n", 16));
}
END_TEST

/* Every byte, and what looks like UTF-8 but is none. */
START_TEST(json_is_valid_whatever_is_said)
{
	static const char *const bad[] = {
		"\x80",
		"\xc0\x80",
		"\xc3",
		"\xe0\x80\x80",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xff\xfe",
	};
	char all[256], out[LOG_RECORD_MAX + 1];
	struct log_record r = record(all);
	json_t *line;

	r.n_fields = 1;
	for (unsigned i = 0; i < 255; i++)
		all[i] = (char)(unsigned char)(i + 1);
	all[255] = '\0';
	line = json_loads(ended(out, log_form_json(out, LOG_RECORD_MAX, &r)), 0, NULL);
	ck_assert_ptr_nonnull(line);
	json_decref(line);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r.message = bad[i];
		line = json_loads(ended(out, log_form_json(out, LOG_RECORD_MAX, &r)), 0, NULL);
		ck_assert_ptr_nonnull(line);
		ck_assert_int_eq(
			strncmp(json_string_value(json_object_get(line, "msg")), "\xef\xbf\xbd", 3),
			0);
		json_decref(line);
	}
	r.message = "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";
	line = json_loads(ended(out, log_form_json(out, LOG_RECORD_MAX, &r)), 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(line, "msg")), r.message);
	json_decref(line);
}
END_TEST

/* Whatever room there is, what is written is whole. */
START_TEST(what_does_not_fit_is_cut)
{
	char text[1000], out[LOG_RECORD_MAX + 1];
	const struct log_field list[] = { LOG_TEXT("one", text), LOG_NUMBER("two", 2),
					  LOG_TEXT("three", text) };
	struct log_record r = record(text);

	r.fields = list;
	r.n_fields = 3;
	r.held_back = 3;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "a\"\x01\xc3\xa9"[i % 5];
	text[sizeof(text) - 1] = '\0';
	for (size_t cap = LOG_FORM_LEAST; cap < LOG_RECORD_MAX; cap += 7) {
		size_t len = log_form_json(out, cap, &r);
		json_t *line = json_loads(ended(out, len), 0, NULL);

		ck_assert_uint_le(len, cap);
		ck_assert_msg(line != NULL, "%zu: %s", cap, out);
		if (cap < 4000)
			ck_assert(json_is_true(json_object_get(line, "cut")));
		json_decref(line);
		ck_assert_uint_le(log_form_text(out, cap, &r, true), cap);
		len = log_form_pairs(out, cap, &r);
		ck_assert_uint_le(len, cap);
		ck_assert_int_eq(out[len - 1], '\n');
		ck_assert_int_eq(out[len - 2], '"');
		ck_assert_uint_le(log_form_journal(out, cap, &r, "me", 0), cap);
	}
}
END_TEST

START_TEST(numbers_that_are_none)
{
	const struct log_field list[] = { LOG_REAL("a", (double)1e300 * 1e300),
					  LOG_REAL("b", 0.0 * (double)1e300 * 1e300) };
	struct log_record r = record("x");
	char out[LOG_RECORD_MAX + 1];

	r.fields = list;
	r.n_fields = 2;
	ck_assert_ptr_nonnull(
		strstr(ended(out, log_form_json(out, LOG_RECORD_MAX, &r)), "\"a\":null,\"b\""));
}
END_TEST

Suite *suite_log_form(void)
{
	Suite *s = suite_create("log_form");
	TCase *tc = tcase_create("log_form");

	tcase_add_test(tc, each_form);
	tcase_add_test(tc, what_was_held_back);
	tcase_add_test(tc, journal_fields_cannot_be_forged);
	tcase_add_test(tc, json_is_valid_whatever_is_said);
	tcase_add_test(tc, what_does_not_fit_is_cut);
	tcase_add_test(tc, numbers_that_are_none);
	suite_add_tcase(s, tc);
	return s;
}
