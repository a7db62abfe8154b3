#include <check.h>
#include <stdlib.h>

#include "common/mdoc.h"

START_TEST(what_roff_would_read_is_escaped)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	mdoc_print(f, "a\\b-c d");
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(text, "a\\eb\\-c d");
	free(text);
}
END_TEST

Suite *suite_mdoc(void)
{
	Suite *s = suite_create("mdoc");
	TCase *t = tcase_create("mdoc");

	tcase_add_test(t, what_roff_would_read_is_escaped);
	suite_add_tcase(s, t);
	return s;
}
