#include <check.h>

#include "common/check.h"
#include "common/metric_name.h"

START_TEST(numbers_at_the_end_are_numbers)
{
	static const char *const in_order[] = {
		"",
		"2",
		"10",
		"a",
		"a1",
		"a02",
		"a2",
		"a10",
		"a-",
		"a-1",
		"ab",
		"auth4-answers-slow",
		"auth4-answers0-1",
		"auth4-answers10-100",
		"auth4-answers100-1000",
		"b9",
		"b10",
		"c99999999999999999998",
		"c99999999999999999999",
	};

	for (size_t i = 0; i < ARRAY_LEN(in_order); i++)
		for (size_t k = 0; k < ARRAY_LEN(in_order); k++) {
			int order = metric_name_compare(in_order[i], in_order[k]);

			ck_assert_msg((order < 0) == (i < k) && (order == 0) == (i == k),
				      "'%s' and '%s'", in_order[i], in_order[k]);
		}
}
END_TEST

Suite *suite_metric_name(void)
{
	Suite *s = suite_create("metric_name");
	TCase *t = tcase_create("metric_name");

	tcase_add_test(t, numbers_at_the_end_are_numbers);
	suite_add_tcase(s, t);
	return s;
}
