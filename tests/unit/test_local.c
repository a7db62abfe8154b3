/* local: what is answered or refused for what it is. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/local.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/dnssec/anchors.h"

enum { NOW = 1700000000 };

static const struct settings defaults = {
	.version_string = "A Resolver 1.0",
	.server_id = "host1",
	.any_to_tcp = true,
};

struct asked {
	uint8_t wire[QUERY_HEAD_MAX];
	struct query q;
};

static void ask(struct asked *a, const char *name, uint16_t type, uint16_t class)
{
	memset(a, 0, sizeof(*a));
	ck_assert_int_eq(name_from_text(a->wire + WIRE_HEADER_LEN, name), E_OK);
	a->q = (struct query) { .wire = a->wire, .type = type, .class = class };
	a->q.question_end = (uint16_t)(WIRE_HEADER_LEN + name_len(query_name(&a->q)) + 4);
}

static void check_txt(const struct settings *s, const char *name, const char *text)
{
	struct local_answer out;
	struct asked k;
	struct rdata rr;
	size_t at = 0;

	ask(&k, name, TYPE_TXT, CLASS_CH);
	ck_assert_int_eq(local_look(&out, &k.q, false, s, NULL, NOW), LOCAL_ANSWER);
	if (text == NULL) {
		ck_assert_uint_eq(out.rcode, RCODE_REFUSED);
		ck_assert_ptr_null(out.set);
		return;
	}
	ck_assert_uint_eq(out.rcode, RCODE_NOERROR);
	ck_assert_ptr_nonnull(out.set);
	ck_assert_uint_eq(out.set->type, TYPE_TXT);
	ck_assert(name_equal(rrset_owner(out.set), query_name(&k.q)));
	ck_assert(rrset_next(out.set, &at, &rr));
	ck_assert_uint_eq(rr.len, 1 + strlen(text));
	ck_assert_uint_eq(rr.data[0], strlen(text));
	ck_assert_mem_eq(rr.data + 1, text, strlen(text));
	rrset_put(out.set);
}

START_TEST(names_about_ourselves)
{
	check_txt(&defaults, "version.bind", "A Resolver 1.0");
	check_txt(&defaults, "VERSION.pdns", "A Resolver 1.0");
	check_txt(&defaults, "id.server", "host1");
	check_txt(&defaults, "hostname.bind", "host1");
	check_txt(&defaults, "authors.bind", NULL);
	check_txt(&defaults, "a.version.bind", NULL);
	check_txt(&defaults, ".", NULL);
}
END_TEST

START_TEST(which_may_be_kept_secret)
{
	struct settings s = defaults;

	s.version_string = "";
	s.server_id = "disabled";
	check_txt(&s, "version.bind", NULL);
	check_txt(&s, "id.server", NULL);
}
END_TEST

static void check_anchors(const struct settings *s, const struct anchors *anchors, const char *name,
			  const char *texts)
{
	struct local_answer out;
	char got[256] = "";
	struct rdata rr;
	struct asked k;

	ask(&k, name, TYPE_TXT, CLASS_CH);
	ck_assert_int_eq(local_look(&out, &k.q, false, s, anchors, NOW), LOCAL_ANSWER);
	ck_assert_uint_eq(out.rcode, texts == NULL ? RCODE_REFUSED : RCODE_NOERROR);
	for (size_t at = 0; out.set != NULL && rrset_next(out.set, &at, &rr);)
		sprintf(got + strlen(got), "[%.*s]", rr.data[0], (const char *)rr.data + 1);
	ck_assert_str_eq(got, texts == NULL ? "" : texts);
	rrset_put(out.set);
}

START_TEST(trust_anchors_for_who_may_know)
{
	static const char positive[] = "TrustAnchor.server",
			  negative[] = "negativetrustanchor.server";
	struct settings s = defaults;
	struct anchors *anchors = NULL;

	ck_assert_int_eq(anchors_new_builtin(&anchors), E_OK);
	check_anchors(&s, anchors, positive, NULL);
	check_anchors(&s, anchors, negative, NULL);
	s.allow_trust_anchor_query = true;
	check_anchors(&s, anchors, positive, "[. 20326 38696]");
	check_anchors(&s, anchors, negative, "");
	check_anchors(&s, NULL, positive, "");
	check_anchors(&s, anchors, "trustanchor.bind", NULL);
	ck_assert_int_eq(anchors_add_nta(anchors, (const uint8_t *)"\1a", "", 0), E_OK);
	ck_assert_int_eq(anchors_add_nta(anchors, (const uint8_t *)"\1b", "their DS is old", 0),
			 E_OK);
	check_anchors(&s, anchors, negative, "[a.][b. their DS is old]");
	anchors_put(anchors);
}
END_TEST

START_TEST(a_long_text_is_several_strings)
{
	struct settings s = defaults;
	struct local_answer out;
	char text[601];
	struct asked k;
	struct rdata rr;
	size_t at = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	s.version_string = text;
	ask(&k, "version.bind", TYPE_TXT, CLASS_CH);
	ck_assert_int_eq(local_look(&out, &k.q, false, &s, NULL, NOW), LOCAL_ANSWER);
	ck_assert(rrset_next(out.set, &at, &rr));
	ck_assert_uint_eq(rr.len, 603);
	ck_assert_uint_eq(rr.data[0], 255);
	ck_assert_uint_eq(rr.data[256], 255);
	ck_assert_uint_eq(rr.data[512], 90);
	rrset_put(out.set);
}
END_TEST

START_TEST(chaos_has_no_other_types)
{
	struct local_answer out;
	struct asked k;

	ask(&k, "version.bind", TYPE_A, CLASS_CH);
	ck_assert_int_eq(local_look(&out, &k.q, false, &defaults, NULL, NOW), LOCAL_ANSWER);
	ck_assert_uint_eq(out.rcode, RCODE_NOERROR);
	ck_assert_ptr_null(out.set);
}
END_TEST

START_TEST(kinds_of_questions)
{
	static const struct {
		uint16_t type, class;
		enum local_verdict verdict;
		uint16_t rcode;
		enum cause cause;
	} rows[] = {
		{ TYPE_A, CLASS_IN, LOCAL_RESOLVE, 0, CAUSE_NONE },
		{ TYPE_RRSIG, CLASS_IN, LOCAL_RESOLVE, 0, CAUSE_NONE },
		{ 65280, CLASS_IN, LOCAL_RESOLVE, 0, CAUSE_NONE },
		{ TYPE_A, 4, LOCAL_ANSWER, RCODE_REFUSED, CAUSE_CLASS },
		{ TYPE_A, CLASS_ANY, LOCAL_ANSWER, RCODE_REFUSED, CAUSE_CLASS },
		{ TYPE_A, CLASS_NONE, LOCAL_ANSWER, RCODE_REFUSED, CAUSE_CLASS },
		{ TYPE_AXFR, CLASS_IN, LOCAL_ANSWER, RCODE_REFUSED, CAUSE_TRANSFER },
		{ TYPE_IXFR, CLASS_IN, LOCAL_ANSWER, RCODE_REFUSED, CAUSE_TRANSFER },
		{ TYPE_MAILA, CLASS_IN, LOCAL_ANSWER, RCODE_NOTIMP, CAUSE_TYPE },
		{ TYPE_MAILB, CLASS_IN, LOCAL_ANSWER, RCODE_NOTIMP, CAUSE_TYPE },
		{ CACHE_DELEGATION, CLASS_IN, LOCAL_ANSWER, RCODE_NOTIMP, CAUSE_TYPE },
		{ TYPE_OPT, CLASS_IN, LOCAL_ANSWER, RCODE_FORMERR, CAUSE_META_TYPE },
		{ TYPE_TSIG, CLASS_IN, LOCAL_ANSWER, RCODE_FORMERR, CAUSE_META_TYPE },
		{ TYPE_TKEY, CLASS_IN, LOCAL_ANSWER, RCODE_FORMERR, CAUSE_META_TYPE },
		{ 0, CLASS_IN, LOCAL_ANSWER, RCODE_FORMERR, CAUSE_META_TYPE },
		{ 128, CLASS_IN, LOCAL_ANSWER, RCODE_FORMERR, CAUSE_META_TYPE },
		{ 248, CLASS_IN, LOCAL_ANSWER, RCODE_FORMERR, CAUSE_META_TYPE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct local_answer out;
		struct asked k;

		ask(&k, "www.example", rows[i].type, rows[i].class);
		ck_assert_int_eq(local_look(&out, &k.q, false, &defaults, NULL, NOW),
				 rows[i].verdict);
		if (rows[i].verdict == LOCAL_ANSWER) {
			ck_assert_uint_eq(out.rcode, rows[i].rcode);
			ck_assert_int_eq((int)out.cause, (int)rows[i].cause);
			ck_assert_ptr_null(out.set);
		}
	}
}
END_TEST

START_TEST(any_goes_to_tcp)
{
	struct settings s = defaults;
	struct local_answer out;
	struct asked k;

	ask(&k, "www.example", TYPE_ANY, CLASS_IN);
	ck_assert_int_eq(local_look(&out, &k.q, false, &s, NULL, NOW), LOCAL_TRUNCATE);
	ck_assert_int_eq(local_look(&out, &k.q, true, &s, NULL, NOW), LOCAL_RESOLVE);
	s.any_to_tcp = false;
	ck_assert_int_eq(local_look(&out, &k.q, false, &s, NULL, NOW), LOCAL_RESOLVE);
}
END_TEST

START_TEST(any_is_one_hinfo)
{
	struct rrset *set;
	struct asked k;
	struct rdata rr;
	size_t at = 0;

	ask(&k, "Www.example", TYPE_ANY, CLASS_IN);
	set = local_any(&k.q, NOW);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(set->type, TYPE_HINFO);
	ck_assert(name_equal_case(rrset_owner(set), (const uint8_t *)"\3www\7example"));
	ck_assert(rrset_next(set, &at, &rr));
	ck_assert_uint_eq(rr.len, 9);
	ck_assert_mem_eq(rr.data, "\7RFC8482\0", 9);
	ck_assert(!rrset_next(set, &at, &rr));
	rrset_put(set);
}
END_TEST

Suite *suite_local(void)
{
	Suite *s = suite_create("local");
	TCase *tc = tcase_create("local");

	tcase_add_test(tc, names_about_ourselves);
	tcase_add_test(tc, trust_anchors_for_who_may_know);
	tcase_add_test(tc, which_may_be_kept_secret);
	tcase_add_test(tc, a_long_text_is_several_strings);
	tcase_add_test(tc, chaos_has_no_other_types);
	tcase_add_test(tc, kinds_of_questions);
	tcase_add_test(tc, any_goes_to_tcp);
	tcase_add_test(tc, any_is_one_hinfo);
	suite_add_tcase(s, tc);
	return s;
}
