#include "recursor/resolve/dnssec/bogus.h"

#include <check.h>
#include <string.h>

START_TEST(each_cause_is_told)
{
	for (unsigned b = BOGUS_NONE; b < BOGUS_N; b++) {
		const struct bogus_row *row = bogus_row(b);

		ck_assert(row->text != NULL && row->text[0] != '\0');
		ck_assert_str_ne(ede_to_text(row->ede), "none");
		ck_assert(row->ede > EDE_OTHER);
		ck_assert(bogus_reason_text(row->reason)[0] != '\0');
	}
	ck_assert_int_eq(bogus_row(BOGUS_SIGNATURE_EXPIRED)->ede, 7);
	ck_assert_int_eq(bogus_row(BOGUS_SIGNATURE_BACKWARDS)->ede, 25);
	ck_assert_str_eq(bogus_reason_text(bogus_row(BOGUS_MAX_CHECKS)->reason), "no-valid-rrsig");
	/* What an old cache file says is not trusted. */
	ck_assert_ptr_eq(bogus_row(255), bogus_row(BOGUS_NONE));
	ck_assert_int_eq(bogus_row(BOGUS_NONE)->ede, 6);
}
END_TEST

Suite *suite_bogus(void)
{
	Suite *s = suite_create("bogus");
	TCase *t = tcase_create("bogus");

	tcase_add_test(t, each_cause_is_told);
	suite_add_tcase(s, t);
	return s;
}
