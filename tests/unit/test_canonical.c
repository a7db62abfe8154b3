#include "recursor/resolve/dnssec/canonical.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/unit/wire_name.h"
#include "tests/unit/zone_text.h"

static struct canonical c;

static void setup(void)
{
	c = (struct canonical) { .form = NULL };
}

static void teardown(void)
{
	canonical_deinit(&c);
}

static struct rrset *set_of(uint16_t type, const struct rdata *rr, size_t n)
{
	struct rrset *s = NULL;

	ck_assert_int_eq(
		rrset_new(&s, wire("x.example"), type, 300, 0, RANK_ANSWER, rr, n, NULL, 0), E_OK);
	return s;
}

/* RFC 4034 6.3 */
START_TEST(records_are_in_order)
{
	static const uint8_t bytes[] = { 0x80, 0x00, 0x00, 0x7f, 0x80, 0x80 };
	const struct rdata rr[] = { { bytes, 1 },    { bytes + 3, 1 }, { bytes, 2 },
				    { bytes, 3 },    { bytes + 4, 2 }, { bytes + 1, 0 },
				    { bytes + 1, 1 } };
	static const uint16_t lens[] = { 0, 1, 1, 1, 2, 3, 2 };
	struct rrset *s = set_of(TYPE_TXT, rr, ARRAY_LEN(rr));

	ck_assert_int_eq(canonical_load(&c, s), E_OK);
	ck_assert_uint_eq(c.n, ARRAY_LEN(rr));
	for (size_t i = 0; i < c.n; i++)
		ck_assert_uint_eq(c.rr[i].len, lens[i]);
	ck_assert_uint_eq(c.rr[1].data[0], 0x00);
	ck_assert_uint_eq(c.rr[2].data[0], 0x7f);
	ck_assert_uint_eq(c.rr[6].data[1], 0x80);
	rrset_put(s);
}
END_TEST

/* RFC 4034 6.2, RFC 6840 5.1, RFC 3597 7: names of the old types only, NSEC's not. */
START_TEST(names_are_lowered_where_they_are_to_be)
{
	static const struct {
		const char *text;
		uint16_t type;
		bool is_lowered;
	} records[] = {
		{ "x.example. NS A.Example.\n", TYPE_NS, true },
		{ "x.example. SOA A.Example. B.Example. 1 2 3 4 5\n", TYPE_SOA, true },
		{ "x.example. MX 10 A.Example.\n", TYPE_MX, true },
		{ "x.example. SRV 1 2 3 A.Example.\n", TYPE_SRV, true },
		{ "x.example. NAPTR 1 2 \"u\" \"e\" \"\" A.example.\n", TYPE_NAPTR, true },
		{ "x.example. DNAME A.Example.\n", TYPE_DNAME, true },
		{ "x.example. RP A.Example. B.Example.\n", TYPE_RP, true },
		{ "x.example. TXT \"A.Example\"\n", TYPE_TXT, false },
		{ "x.example. NSEC A.Example. A\n", TYPE_NSEC, false },
		{ "x.example. HINFO \"A\" \"B\"\n", TYPE_HINFO, false },
		{ "x.example. SVCB 1 A.Example.\n", TYPE_SVCB, false },
		{ "x.example. LP 1 A.Example.\n", TYPE_LP, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct zone_text z;
		struct rrset *s;
		bool has_upper = false;

		zone_text_read(&z, records[i].text, 0);
		s = zone_text_find(&z, "x.example", records[i].type);
		ck_assert_int_eq(canonical_load(&c, s), E_OK);
		ck_assert_uint_eq(c.n, 1);
		for (size_t at = 0; at < c.rr[0].len; at++)
			has_upper |= c.rr[0].data[at] >= 'A' && c.rr[0].data[at] <= 'B';
		ck_assert_msg(has_upper != records[i].is_lowered, "%s", records[i].text);
		zone_text_free(&z);
	}
}
END_TEST

/* RFC 4034 6.3: what is equal in canonical form is one record. */
START_TEST(what_differs_in_case_is_one)
{
	struct zone_text z;

	zone_text_read(&z,
		       "x.example. MX 10 B.example.\n"
		       "x.example. MX 10 b.example.\n"
		       "x.example. MX 10 a.example.\n",
		       0);
	ck_assert_int_eq(canonical_load(&c, zone_text_find(&z, "x.example", TYPE_MX)), E_OK);
	ck_assert_uint_eq(c.n, 2);
	ck_assert_uint_eq(c.rr[0].data[3], 'a');
	zone_text_free(&z);
}
END_TEST

/* Rdata that are none of their type: nobody signed them, but they do no harm. */
START_TEST(malformed_rdata_are_taken_as_they_are)
{
	static const uint8_t cut_name[] = { 0, 10, 5, 'A', 'B' };
	static const uint8_t pointer[] = { 0, 10, 0xc0, 'A' };
	static const uint8_t string[] = { 0, 1, 0, 2, 200, 'A' };
	const struct rdata rr[] = { { cut_name, sizeof(cut_name) },
				    { pointer, sizeof(pointer) },
				    { cut_name, 0 },
				    { cut_name, 1 },
				    { string, sizeof(string) } };
	static const uint16_t types[] = { TYPE_MX, TYPE_NAPTR, TYPE_SOA, TYPE_SRV };

	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		for (size_t i = 0; i < ARRAY_LEN(rr); i++) {
			uint8_t *out = malloc(rr[i].len + 1U);

			ck_assert_ptr_nonnull(out);
			canonical_rdata(out, types[t], &rr[i]);
			if (rr[i].len > 0)
				ck_assert_mem_eq(out, rr[i].data, rr[i].len);
			free(out);
		}
	}
}
END_TEST

START_TEST(the_form_is_of_owner_type_class_ttl)
{
	static const uint8_t address[] = { 192, 0, 2, 1 };
	const struct rdata rr = { address, sizeof(address) };
	static const uint8_t form[] = "head\1*\7example\0"
				      "\0\1\0\1\0\0\16\20\0\4\300\0\2\1";
	struct rrset *s = set_of(TYPE_A, &rr, 1);

	ck_assert_int_eq(canonical_load(&c, s), E_OK);
	/* The place is used again. */
	for (int i = 0; i < 2; i++) {
		canonical_start(&c);
		ck_assert_int_eq(canonical_put(&c, "head", 4), E_OK);
		ck_assert_int_eq(canonical_put_set(&c, wire("*.example"), 3600), E_OK);
		ck_assert_uint_eq(c.form_len, sizeof(form) - 1);
		ck_assert_mem_eq(c.form, form, c.form_len);
	}
	rrset_put(s);
}
END_TEST

START_TEST(it_does_not_grow_without_end)
{
	enum { N = 2000 };
	static uint8_t bytes[N][4];
	static struct rdata rr[N];
	struct rrset *s;
	uint8_t *owner = (uint8_t *)wire("x.example");

	for (uint32_t i = 0; i < N; i++) {
		wire_put_u32(bytes[i], i);
		rr[i] = (struct rdata) { bytes[i], 4 };
	}
	s = set_of(TYPE_A, rr, N);
	ck_assert_int_eq(canonical_load(&c, s), E_OK);
	ck_assert_uint_eq(c.n, N);
	canonical_start(&c);
	ck_assert_int_eq(canonical_put_set(&c, owner, 1), E_OK);
	ck_assert_uint_eq(c.form_len, N * (11 + 14));
	while (canonical_put_set(&c, owner, 1) == E_OK)
		ck_assert_uint_le(c.form_len, CANONICAL_MAX_BYTES);
	ck_assert_int_eq(canonical_put_set(&c, owner, 1), E_LIMIT);
	rrset_put(s);
}
END_TEST

Suite *suite_canonical(void)
{
	Suite *s = suite_create("canonical");
	TCase *t = tcase_create("canonical");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, records_are_in_order);
	tcase_add_test(t, names_are_lowered_where_they_are_to_be);
	tcase_add_test(t, what_differs_in_case_is_one);
	tcase_add_test(t, malformed_rdata_are_taken_as_they_are);
	tcase_add_test(t, the_form_is_of_owner_type_class_ttl);
	tcase_add_test(t, it_does_not_grow_without_end);
	suite_add_tcase(s, t);
	return s;
}
