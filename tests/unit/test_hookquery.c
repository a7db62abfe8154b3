#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/policy/hookquery.h"

static const uint8_t name[] = "\3www\7example";
static const uint8_t ip[4] = { 192, 0, 2, 1 };
static const struct hook_record row = {
	.name = name,
	.rdata = ip,
	.rdlen = 4,
	.type = TYPE_A,
	.class = CLASS_IN,
	.ttl = 60,
	.place = PLACE_ANSWER,
};
static unsigned loads;

static int load(void *ctx, struct hook_records *to)
{
	(void)ctx;
	loads++;
	return hookrecords_add(to, &row);
}

static void add_to_draft(struct hook_query *q)
{
	struct hook_records *r = hookquery_records(q);

	ck_assert_ptr_nonnull(r);
	if (r != NULL)
		ck_assert_int_eq(hookrecords_add(r, &row), E_OK);
}

START_TEST(records_are_copies)
{
	struct hook_records r = { 0 };
	uint8_t spelt[sizeof(name)];
	struct hook_record mine = row;

	memcpy(spelt, name, sizeof(name));
	mine.name = spelt;
	for (unsigned i = 0; i < 500; i++)
		ck_assert_int_eq(hookrecords_add(&r, &mine), E_OK);
	spelt[1] = 'x';
	ck_assert_uint_eq(r.n, 500);
	ck_assert(name_equal(r.rows[0].name, name) && name_equal(r.rows[499].name, name));
	ck_assert(memcmp(r.rows[499].rdata, ip, 4) == 0);
	hookrecords_clear(&r);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(records_are_bounded)
{
	static uint8_t big[UINT16_MAX];
	struct hook_records r = { 0 };
	struct hook_record mine = row;

	for (unsigned i = 0; i < HOOK_RECORDS_MAX; i++)
		ck_assert_int_eq(hookrecords_add(&r, &row), E_OK);
	ck_assert_int_eq(hookrecords_add(&r, &row), E_LIMIT);
	hookrecords_clear(&r);
	mine.rdata = big;
	mine.rdlen = sizeof(big);
	while (hookrecords_add(&r, &mine) == E_OK)
		ck_assert_uint_lt(r.n, 10);
	ck_assert_int_eq(hookrecords_add(&r, &mine), E_LIMIT);
	ck_assert_uint_le(r.bytes, HOOK_RECORDS_BYTES);
	hookrecords_clear(&r);
}
END_TEST

START_TEST(a_draft_counts_when_it_is_said_so)
{
	struct hook_query q = { .load = load };

	hookquery_init(&q);
	q.answer.rcode = RCODE_NXDOMAIN;
	loads = 0;
	hookquery_begin(&q);
	ck_assert_int_eq(q.draft.rcode, RCODE_NXDOMAIN);
	q.draft.rcode = RCODE_REFUSED;
	hookquery_discard(&q);
	ck_assert_int_eq(q.answer.rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(loads, 0);

	hookquery_begin(&q);
	add_to_draft(&q);
	ck_assert_uint_eq(q.draft.records.n, 2);
	hookquery_discard(&q);
	ck_assert_uint_eq(q.answer.records.n, 1);

	hookquery_begin(&q);
	add_to_draft(&q);
	q.draft.rcode = RCODE_NOERROR;
	hookquery_commit(&q);
	ck_assert_uint_eq(q.answer.records.n, 2);
	ck_assert_int_eq(q.answer.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(loads, 1);

	/* A hook that looks at no record keeps them. */
	hookquery_begin(&q);
	q.draft.rcode = RCODE_SERVFAIL;
	hookquery_commit(&q);
	ck_assert_uint_eq(q.answer.records.n, 2);
	ck_assert_int_eq(q.answer.rcode, RCODE_SERVFAIL);
	hookquery_deinit(&q);
}
END_TEST

/* A followup that comes to nothing leaves the answer as it was before the first of them. */
START_TEST(an_answer_is_taken_back)
{
	struct hook_query q = { .load = load };

	hookquery_init(&q);
	q.answer.rcode = RCODE_NXDOMAIN;
	hooktext_put(&q.answer.ede_text, "why", 3);
	for (unsigned i = 0; i < 2; i++) {
		hookquery_begin(&q);
		add_to_draft(&q);
		q.draft.rcode = RCODE_REFUSED;
		q.draft.followup = FOLLOWUP_UDP_RESPONSE;
		ck_assert_int_eq(hookquery_keep(&q), E_OK);
		hookquery_commit(&q);
		ck_assert_uint_eq(q.answer.records.n, 2 + i);
	}
	ck_assert(q.has_before);
	hookquery_take_back(&q);
	ck_assert(!q.has_before);
	ck_assert_int_eq(q.answer.rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(q.answer.records.n, 1);
	ck_assert_str_eq(q.answer.ede_text.text, "why");

	/* What came of it counts; then there is nothing to be taken back. */
	hookquery_begin(&q);
	q.draft.rcode = RCODE_REFUSED;
	q.draft.followup = FOLLOWUP_FAKE_AAAA;
	ck_assert_int_eq(hookquery_keep(&q), E_OK);
	hookquery_commit(&q);
	hookquery_settle(&q);
	hookquery_take_back(&q);
	ck_assert_int_eq(q.answer.rcode, RCODE_REFUSED);

	hookquery_begin(&q);
	q.draft.followup = FOLLOWUP_CNAME;
	ck_assert_int_eq(hookquery_keep(&q), E_OK);
	ck_assert(!q.has_before);
	hookquery_deinit(&q);
}
END_TEST

START_TEST(tags_are_a_set)
{
	struct hook_tags t = { 0 };
	char text[300];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(hooktags_add(&t, "a", 1), E_OK);
	ck_assert_int_eq(hooktags_add(&t, "a", 1), E_OK);
	ck_assert_int_eq(hooktags_add(&t, "ab", 2), E_OK);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_int_eq(hooktags_add(&t, text, sizeof(text)), E_LIMIT);
	for (size_t i = 1; t.n < HOOK_TAGS_MAX; i++)
		ck_assert_int_eq(hooktags_add(&t, text, i), E_OK);
	ck_assert_int_eq(hooktags_add(&t, "b", 1), E_LIMIT);
	hooktags_clear(&t);
	ck_assert_uint_eq(t.n, 0);
}
END_TEST

Suite *suite_hookquery(void)
{
	Suite *s = suite_create("hookquery");
	TCase *t = tcase_create("hookquery");

	tcase_add_test(t, records_are_copies);
	tcase_add_test(t, records_are_bounded);
	tcase_add_test(t, a_draft_counts_when_it_is_said_so);
	tcase_add_test(t, an_answer_is_taken_back);
	tcase_add_test(t, tags_are_a_set);
	suite_add_tcase(s, t);
	return s;
}
