#include "common/err.h"

#include <check.h>
#include <string.h>

#include "common/check.h"

START_TEST(every_error_has_a_text_and_number_of_its_own)
{
	static const int all[] = {
#define ERR_ROW(name, value, text) (value),
		ERR_TABLE(ERR_ROW)
#undef ERR_ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		ck_assert_int_le(all[i], 0);
		ck_assert_str_ne(err_text(all[i]), "unknown error");
		for (size_t j = 0; j < i; j++) {
			ck_assert_int_ne(all[i], all[j]);
			ck_assert_str_ne(err_text(all[i]), err_text(all[j]));
		}
	}
}
END_TEST

START_TEST(texts)
{
	ck_assert_str_eq(err_text(E_OK), "no error");
	ck_assert_str_eq(err_text(E_NOMEM), "out of memory");
	ck_assert_str_eq(err_text(1), "unknown error");
	ck_assert_str_eq(err_text(-9999), "unknown error");
}
END_TEST

Suite *suite_err(void)
{
	Suite *s = suite_create("err");
	TCase *t = tcase_create("err");

	tcase_add_test(t, every_error_has_a_text_and_number_of_its_own);
	tcase_add_test(t, texts);
	suite_add_tcase(s, t);
	return s;
}
