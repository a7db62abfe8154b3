#include <check.h>

#include "common/check.h"
#include "recursor/reasons.h"

/* Each cause, as the table has it. */
static const struct {
	const char *text;
	int ede;
	enum metrics_reason reason;
} rows[] = {
#define ROW(name, code, what, why) { (what), EDE_##code, REASON_##why },
	CAUSES(ROW)
#undef ROW
};

START_TEST(causes_are_told_and_counted)
{
	struct answer a = { .rcode = RCODE_SERVFAIL };

	answer_blame(&a, (enum cause)_i);
	ck_assert_uint_eq(a.cause, (unsigned)_i);
	ck_assert_int_eq(a.ede, rows[_i].ede);
	ck_assert_pstr_eq(a.ede_text, rows[_i].text);
	ck_assert_int_eq(reason_of_answer(&a), rows[_i].reason);
	ck_assert_int_eq(reason_of_script(&a),
			 rows[_i].reason == REASON_OTHER ? REASON_SCRIPT : rows[_i].reason);
	a.is_remembered = true;
	ck_assert_int_eq(reason_of_answer(&a), REASON_CACHED_FAILURE);
	ck_assert_int_eq(reason_of_script(&a), REASON_CACHED_FAILURE);
}
END_TEST

START_TEST(answers_without_a_cause_are_counted)
{
	const struct answer a = { .rcode = RCODE_REFUSED, .ede = EDE_BLOCKED };

	ck_assert_int_eq(reason_of_answer(&a), REASON_OTHER);
	ck_assert_int_eq(reason_of_script(&a), REASON_SCRIPT);
}
END_TEST

Suite *suite_reasons(void)
{
	Suite *s = suite_create("reasons");
	TCase *t = tcase_create("reasons");

	tcase_add_loop_test(t, causes_are_told_and_counted, 0, CAUSE_N);
	tcase_add_test(t, answers_without_a_cause_are_counted);
	suite_add_tcase(s, t);
	return s;
}
