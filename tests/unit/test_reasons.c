#include <check.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/reasons.h"

START_TEST(texts_have_reasons)
{
	static const struct {
		const char *text;
		enum metrics_reason reason;
	} rows[] = {
		{ "Query killed by policy", REASON_SCRIPT_KILL },
		{ "alias loop", REASON_ALIAS },
		{ "empty alias", REASON_ALIAS },
		{ "failed a moment ago", REASON_CACHED_FAILURE },
		{ "gave way to another client", REASON_FAIR_SHARE },
		{ "max-bytesperq", REASON_BYTES },
		{ "max-chain-length", REASON_CHAIN },
		{ "max-cnames-followed", REASON_CNAMES },
		{ "max-inflight-per-server", REASON_SERVER },
		{ "max-inflight-per-zone", REASON_ZONE },
		{ "max-qperq", REASON_QPERQ },
		{ "max-total-msec", REASON_TIME },
		{ "max-total-msec reached in a script's followup", REASON_TIME },
		{ "no forwarder of the zone answers", REASON_NO_ANSWER },
		{ "no server of the zone answers", REASON_NO_ANSWER },
		{ "our own network is down", REASON_NETWORK },
		{ "out of memory", REASON_GOALS },
		{ "shutting down", REASON_STOPPING },
		{ "the script's followup cannot be done", REASON_SCRIPT_FOLLOWUP },
		{ "too many followups of a script", REASON_SCRIPT_FOLLOWUP },
		{ "too many queries wait", REASON_SCRIPT_FOLLOWUP },
		{ "too many referrals", REASON_REFERRALS },
		{ "too much to do", REASON_GOALS },
		{ "no such group in forward-groups", REASON_GROUP },
		{ "what nobody says", REASON_OTHER },
		{ "", REASON_OTHER },
		{ NULL, REASON_OTHER },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(reason_of_answer(RCODE_SERVFAIL, EDE_OTHER, rows[i].text) ==
				      rows[i].reason,
			      "'%s'", rows[i].text);
}
END_TEST

START_TEST(rcodes_have_reasons)
{
	ck_assert_int_eq(reason_of_answer(RCODE_REFUSED, EDE_NOT_AUTHORITATIVE, NULL),
			 REASON_NO_RECURSION);
	ck_assert_int_eq(reason_of_answer(RCODE_REFUSED, EDE_NONE, NULL), REASON_OTHER);
	ck_assert_int_eq(reason_of_answer(RCODE_YXDOMAIN, EDE_NONE, NULL), REASON_ALIAS);
	ck_assert_int_eq(reason_of_script(RCODE_REFUSED, EDE_NONE, NULL), REASON_SCRIPT);
	ck_assert_int_eq(reason_of_script(RCODE_SERVFAIL, EDE_OTHER, "max-qperq"), REASON_QPERQ);
}
END_TEST

Suite *suite_reasons(void)
{
	Suite *s = suite_create("reasons");
	TCase *t = tcase_create("reasons");

	tcase_add_test(t, texts_have_reasons);
	tcase_add_test(t, rcodes_have_reasons);
	suite_add_tcase(s, t);
	return s;
}
