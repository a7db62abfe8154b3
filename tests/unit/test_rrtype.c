#include "common/rrtype.h"

#include <check.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

static const struct {
	const char *text;
	uint16_t type;
	const char *layout;
} rows[] = {
#define ROW(name, number, layout) { #name, (number), (layout) },
	RRTYPE_TABLE(ROW)
#undef ROW
};

START_TEST(every_type_goes_round)
{
	char buf[RRTYPE_TEXT_MAX];

	for (unsigned n = 0; n <= UINT16_MAX; n++) {
		const char *text = rrtype_to_text((uint16_t)n, buf);
		uint16_t back = (uint16_t)~n;

		ck_assert_int_eq(rrtype_from_text(text, &back), E_OK);
		ck_assert_uint_eq(back, n);
	}
}
END_TEST

START_TEST(texts)
{
	char buf[RRTYPE_TEXT_MAX];
	uint16_t type = 0;

	ck_assert_str_eq(rrtype_to_text(TYPE_AAAA, buf), "AAAA");
	ck_assert_str_eq(rrtype_to_text(TYPE_NULL, buf), "NULL");
	ck_assert_str_eq(rrtype_to_text(65280, buf), "TYPE65280");
	ck_assert_int_eq(rrtype_from_text("aAaA", &type), E_OK);
	ck_assert_uint_eq(type, TYPE_AAAA);
	ck_assert_int_eq(rrtype_from_text("type28", &type), E_OK);
	ck_assert_uint_eq(type, TYPE_AAAA);
	ck_assert_int_eq(rrtype_from_text("TYPE65535", &type), E_OK);
	ck_assert_uint_eq(type, 65535);
}
END_TEST

START_TEST(wrong_texts)
{
	static const char *const wrong[] = {
		"", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "TYPE 1", "AAAAA", "TYPE99999999999",
	};
	uint16_t type = 77;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_msg(rrtype_from_text(wrong[i], &type) == E_MALFORMED, "%s", wrong[i]);
	ck_assert_uint_eq(type, 77);
}
END_TEST

START_TEST(table_is_sane)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *layout = rows[i].layout, *star = strchr(layout, '*');

		if (i > 0)
			ck_assert_uint_gt(rows[i].type, rows[i - 1].type);
		ck_assert_uint_eq(strspn(layout, "nN2468s*"), strlen(layout));
		ck_assert(star == NULL || star[1] == '\0');
		ck_assert_str_eq(rrtype_layout(rows[i].type), layout);
	}
	ck_assert_str_eq(rrtype_layout(65280), "*");
}
END_TEST

/* Where ldns knows a name as a field, our layout has one, and nowhere else (but for the types
 * whose names may never be compressed: they stay as they are). */
START_TEST(layouts_agree_with_ldns)
{
	static const uint16_t never_compressed[] = { TYPE_RRSIG, TYPE_NSEC,  TYPE_LP,   TYPE_TSIG,
						     TYPE_SVCB,  TYPE_HTTPS, TYPE_TKEY, TYPE_HIP };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const ldns_rr_descriptor *d = ldns_rr_descript(rows[i].type);
		size_t ours = 0, theirs = 0;
		bool is_exempt = false;

		if (d == NULL || ldns_rr_descriptor_maximum(d) == 1 || rows[i].type == TYPE_OPT)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(never_compressed); j++)
			is_exempt |= rows[i].type == never_compressed[j];
		if (is_exempt)
			continue;
		for (const char *p = rows[i].layout; *p != '\0'; p++)
			ours += *p == 'n' || *p == 'N';
		for (size_t f = 0; f < ldns_rr_descriptor_minimum(d); f++)
			theirs += ldns_rr_descriptor_field_type(d, f) == LDNS_RDF_TYPE_DNAME;
		ck_assert_msg(ours == theirs, "%s: %zu, %zu", rows[i].text, ours, theirs);
	}
}
END_TEST

START_TEST(meta_types)
{
	ck_assert(rrtype_is_meta(TYPE_OPT));
	ck_assert(rrtype_is_meta(TYPE_TSIG));
	ck_assert(rrtype_is_meta(TYPE_TKEY));
	ck_assert(rrtype_is_meta(TYPE_ANY));
	ck_assert(rrtype_is_meta(TYPE_AXFR));
	ck_assert(rrtype_is_meta(128));
	ck_assert(!rrtype_is_meta(127));
	ck_assert(!rrtype_is_meta(256));
	ck_assert(!rrtype_is_meta(TYPE_A));
}
END_TEST

START_TEST(rcodes_and_ede)
{
	char buf[RRTYPE_TEXT_MAX];

	ck_assert_str_eq(rcode_to_text(RCODE_NXDOMAIN, buf), "NXDOMAIN");
	ck_assert_str_eq(rcode_to_text(RCODE_BADVERS, buf), "BADVERS");
	ck_assert_str_eq(rcode_to_text(17, buf), "RCODE17");
	ck_assert_str_eq(rcode_to_text(4095, buf), "RCODE4095");
	ck_assert_str_eq(ede_to_text(EDE_NONE), "none");
	ck_assert_str_eq(ede_to_text(EDE_NO_REACHABLE_AUTHORITY), "No Reachable Authority");
	ck_assert_str_eq(ede_to_text(9999), "unknown");
}
END_TEST

Suite *suite_rrtype(void)
{
	Suite *s = suite_create("rrtype");
	TCase *t = tcase_create("rrtype");

	tcase_add_test(t, every_type_goes_round);
	tcase_add_test(t, texts);
	tcase_add_test(t, wrong_texts);
	tcase_add_test(t, table_is_sane);
	tcase_add_test(t, layouts_agree_with_ldns);
	tcase_add_test(t, meta_types);
	tcase_add_test(t, rcodes_and_ede);
	suite_add_tcase(s, t);
	return s;
}
