#include "common/name.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"
#include "common/hash.h"

struct name {
	uint8_t wire[NAME_MAX_LEN];
};

static struct name name_of(const char *text)
{
	struct name n;

	ck_assert_int_eq(name_from_text(n.wire, text), E_OK);
	return n;
}

/* A name of `len` bytes with labels as long as can be. */
static struct name name_of_length(size_t len, char letter)
{
	struct name n;
	size_t pos = 0;

	memset(n.wire, letter, sizeof(n.wire));
	while (len - pos > 1) {
		size_t rest = len - pos - 2; /* letters if this were the last label */
		size_t label = rest <= NAME_MAX_LABEL ? rest : NAME_MAX_LABEL;

		/* A label of no letters would be left: make this one shorter. */
		if (label == NAME_MAX_LABEL && rest == NAME_MAX_LABEL + 1)
			label--;
		n.wire[pos] = (uint8_t)label;
		pos += 1 + label;
	}
	n.wire[pos] = 0;
	ck_assert_uint_eq(pos + 1, len);
	return n;
}

START_TEST(length_and_labels)
{
	ck_assert_uint_eq(name_len(name_root), 1);
	ck_assert_uint_eq(name_labels(name_root), 0);
	ck_assert_uint_eq(name_len(name_of("www.example.com").wire), 17);
	ck_assert_uint_eq(name_labels(name_of("www.example.com").wire), 3);
	ck_assert_uint_eq(name_signed_labels(name_root), 0);
	ck_assert_uint_eq(name_signed_labels(name_of("www.example.com").wire), 3);
	ck_assert_uint_eq(name_signed_labels(name_of("*.example.com").wire), 2);
	ck_assert_uint_eq(name_signed_labels(name_of("*").wire), 0);
	ck_assert_uint_eq(name_signed_labels(name_of("**.example.com").wire), 3);
	ck_assert(!name_is_wildcard(name_of("a.*.com").wire) &&
		  !name_is_wildcard(name_of(".").wire));
	for (size_t len = 3; len <= NAME_MAX_LEN; len++)
		ck_assert_uint_eq(name_len(name_of_length(len, 'x').wire), len);
}
END_TEST

START_TEST(check_accepts_what_is_valid)
{
	static const uint8_t most_labels[NAME_MAX_LEN] = "\1a\1a";
	struct name n;
	size_t len = 0;

	ck_assert_int_eq(name_check(name_root, 1, &len), E_OK);
	ck_assert_uint_eq(len, 1);
	ck_assert_int_eq(name_check(most_labels, sizeof(most_labels), &len), E_OK);
	ck_assert_uint_eq(len, 5);
	n = name_of_length(NAME_MAX_LEN, 'x');
	ck_assert_int_eq(name_check(n.wire, sizeof(n.wire), &len), E_OK);
	ck_assert_uint_eq(len, NAME_MAX_LEN);
	for (size_t i = 0; i < NAME_MAX_LEN - 1; i++)
		n.wire[i] = i % 2 == 0 ? 1 : 'x';
	ck_assert_int_eq(name_check(n.wire, sizeof(n.wire), &len), E_OK);
	ck_assert_uint_eq(name_labels(n.wire), NAME_MAX_LABELS);
}
END_TEST

START_TEST(check_refuses_what_is_not)
{
	static const uint8_t pointer[] = { 1, 'a', 0xc0, 0 };
	static const uint8_t long_label[66] = { 64 };
	static const uint8_t reserved[] = { 0x80, 0 };
	uint8_t too_long[NAME_MAX_LEN + 8];
	struct name n = name_of("www.example.com");
	size_t len = 77;

	ck_assert_int_eq(name_check(pointer, sizeof(pointer), &len), E_MALFORMED);
	ck_assert_int_eq(name_check(long_label, sizeof(long_label), &len), E_MALFORMED);
	ck_assert_int_eq(name_check(reserved, sizeof(reserved), &len), E_MALFORMED);
	for (size_t avail = 0; avail < 17; avail++)
		ck_assert_int_eq(name_check(n.wire, avail, &len), E_TRUNCATED);
	for (size_t i = 0; i < sizeof(too_long); i++)
		too_long[i] = i % 2 == 0 ? 1 : 'x';
	ck_assert_int_eq(name_check(too_long, sizeof(too_long), &len), E_TOO_LONG);
	too_long[254] = 0;
	ck_assert_int_eq(name_check(too_long, sizeof(too_long), &len), E_OK);
	too_long[252] = 2; /* one byte more: the root's byte would be the 256th */
	too_long[255] = 0;
	len = 77;
	ck_assert_int_eq(name_check(too_long, sizeof(too_long), &len), E_TOO_LONG);
	ck_assert_uint_eq(len, 77);
}
END_TEST

START_TEST(parent_and_suffix)
{
	struct name n = name_of("a.b.c");

	ck_assert(name_parent(name_root) == name_root);
	ck_assert(name_parent(n.wire) == n.wire + 2);
	ck_assert(name_suffix(n.wire, 0) == n.wire + 6);
	ck_assert(name_suffix(n.wire, 1) == n.wire + 4);
	ck_assert(name_suffix(n.wire, 3) == n.wire);
	ck_assert(name_suffix(n.wire, 9) == n.wire);
}
END_TEST

START_TEST(lower_touches_letters_only)
{
	struct name n;
	uint8_t lower[NAME_MAX_LEN];

	/* All 256 values of a byte, in labels of 63. */
	for (unsigned first = 0; first < 256; first += NAME_MAX_LABEL) {
		n.wire[0] = NAME_MAX_LABEL;
		for (unsigned i = 0; i < NAME_MAX_LABEL; i++)
			n.wire[1 + i] = (uint8_t)(first + i);
		n.wire[1 + NAME_MAX_LABEL] = 0;
		ck_assert_uint_eq(name_lower(lower, n.wire), 65);
		for (unsigned i = 0; i < NAME_MAX_LABEL; i++) {
			uint8_t c = n.wire[1 + i];

			ck_assert_uint_eq(lower[1 + i], c >= 'A' && c <= 'Z' ? c + 32 : c);
		}
		ck_assert(name_equal(lower, n.wire));
		ck_assert_uint_eq(name_hash(lower), name_hash(n.wire));
	}
	n = name_of("WwW.eXample.COM");
	ck_assert_uint_eq(name_lower(n.wire, n.wire), 17);
	ck_assert_mem_eq(n.wire, "\3www\7example\3com", 17);
}
END_TEST

START_TEST(equal_ignores_case_and_nothing_else)
{
	/* Pairs that differ by bit 5 alone and are no letters. */
	static const char *const different[][2] = {
		{ "a@b", "a`b" },
		{ "a[b", "a{b" },
		{ "www.example.com", "www.example.co" },
		{ "ab.c", "a.bc" },
		{ "\\001a", "a\\001" },
		{ "a.b", "a.b.c" },
		{ "\\193", "\\225" },
	};

	ck_assert(name_equal(name_of("WWW.Example.COM").wire, name_of("www.example.com.").wire));
	ck_assert(!name_equal_case(name_of("WWW.a").wire, name_of("www.a").wire));
	ck_assert(name_equal_case(name_of("wWw.a").wire, name_of("wWw.a").wire));
	ck_assert(name_equal(name_root, name_root));
	ck_assert(!name_equal(name_root, name_of("a").wire));
	for (size_t i = 0; i < ARRAY_LEN(different); i++)
		ck_assert_msg(
			!name_equal(name_of(different[i][0]).wire, name_of(different[i][1]).wire),
			"%s equals %s", different[i][0], different[i][1]);
	/* A difference in any byte is seen. */
	for (size_t at = 1; at < NAME_MAX_LEN - 1; at++) {
		struct name a = name_of_length(NAME_MAX_LEN, 'x'), b = a;

		if (b.wire[at] != 'x')
			continue;
		b.wire[at] = 'y';
		ck_assert(!name_equal(a.wire, b.wire));
		ck_assert(name_hash(a.wire) != name_hash(b.wire));
	}
}
END_TEST

START_TEST(within_and_below)
{
	struct name zone = name_of("Example.com"), n = name_of("www.eXample.COM");

	ck_assert(name_is_within(n.wire, zone.wire));
	ck_assert(name_is_below(n.wire, zone.wire));
	ck_assert(name_is_within(zone.wire, zone.wire));
	ck_assert(!name_is_below(zone.wire, zone.wire));
	ck_assert(name_is_within(n.wire, name_root));
	ck_assert(name_is_within(name_root, name_root));
	ck_assert(!name_is_below(name_root, name_root));
	ck_assert(!name_is_within(zone.wire, n.wire));
	ck_assert(!name_is_within(name_root, zone.wire));
	/* It ends with the same bytes, but not at a label's border. */
	ck_assert(!name_is_within(name_of("myexample.com").wire, zone.wire));
	ck_assert(!name_is_within(name_of("a\\007example.com").wire, zone.wire));
	ck_assert(!name_is_within(name_of("www.example.net").wire, zone.wire));
}
END_TEST

START_TEST(common_labels)
{
	static const struct {
		const char *a, *b;
		unsigned labels;
	} rows[] = {
		{ ".", ".", 0 },           { "a.", ".", 0 },        { "a.b.c", "A.B.C", 3 },
		{ "x.b.c", "a.b.c", 2 },   { "a.x.c", "a.b.c", 1 }, { "a.b.x", "a.b.c", 0 },
		{ "z.y.a.b.c", "b.c", 2 }, { "bb.c", "b.c", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name a = name_of(rows[i].a), b = name_of(rows[i].b);

		ck_assert_uint_eq(name_common_labels(a.wire, b.wire), rows[i].labels);
		ck_assert_uint_eq(name_common_labels(b.wire, a.wire), rows[i].labels);
	}
}
END_TEST

START_TEST(canonical_order)
{
	/* RFC 4034 6.1's own example, with the root before it. */
	static const char *const sorted[] = {
		".",           "example",         "a.example", "yljkjljk.a.example",
		"Z.a.example", "zABC.a.EXAMPLE",  "z.example", "\\001.z.example",
		"*.z.example", "\\200.z.example",
	};

	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			int order = name_compare(name_of(sorted[i]).wire, name_of(sorted[j]).wire);

			ck_assert_msg((order < 0) == (i < j) && (order > 0) == (i > j),
				      "%s against %s: %d", sorted[i], sorted[j], order);
		}
	}
	ck_assert_int_eq(name_compare(name_of("A.b").wire, name_of("a.B").wire), 0);
	ck_assert_int_lt(name_compare(name_of("a.b").wire, name_of("aa.b").wire), 0);
	ck_assert_int_lt(name_compare(name_of("z.a.b").wire, name_of("a.aa.b").wire), 0);
}
END_TEST

START_TEST(text_read)
{
	static const struct {
		const char *text;
		const char *wire;
		size_t len;
	} rows[] = {
		{ ".", "", 1 },
		{ "com", "\3com", 5 },
		{ "com.", "\3com", 5 },
		{ "a\\.b.c", "\3a.b\1c", 7 },
		{ "\\097\\046", "\2a.", 4 },
		{ "\\000\\255", "\2\0\377", 4 },
		{ "\\\\.\\\"", "\1\\\1\"", 5 },
		{ "Case.KEPT", "\4Case\4KEPT", 11 },
		{ "with space", "\12with space", 12 },
	};
	uint8_t out[NAME_MAX_LEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(name_from_text(out, rows[i].text), E_OK);
		ck_assert_mem_eq(out, rows[i].wire, rows[i].len);
		ck_assert_uint_eq(name_len(out), rows[i].len);
	}
}
END_TEST

START_TEST(text_refused)
{
	static const char *const malformed[] = {
		"",    "..",   ".a",    "a..b",  "a..",   "a\\",      "\\",
		"\\1", "\\12", "\\256", "\\999", "\\1a1", "a.\\12.b",
	};
	char text[NAME_TEXT_MAX + 8];
	uint8_t out[NAME_MAX_LEN] = { 0xee };

	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		ck_assert_msg(name_from_text(out, malformed[i]) == E_MALFORMED, "%s", malformed[i]);
	memset(text, 'x', sizeof(text));
	text[NAME_MAX_LABEL + 1] = '\0';
	ck_assert_int_eq(name_from_text(out, text), E_TOO_LONG);
	ck_assert_uint_eq(out[0], 0xee);
	text[NAME_MAX_LABEL] = '\0';
	ck_assert_int_eq(name_from_text(out, text), E_OK);
	ck_assert_uint_eq(name_len(out), NAME_MAX_LABEL + 2);

	/* 127 labels of one letter: 255 bytes; one more does not fit. */
	for (size_t i = 0; i < 256; i++)
		text[i] = i % 2 == 0 ? 'x' : '.';
	text[253] = '\0';
	ck_assert_int_eq(name_from_text(out, text), E_OK);
	ck_assert_uint_eq(name_len(out), NAME_MAX_LEN);
	text[253] = '.';
	text[254] = '\0';
	ck_assert_int_eq(name_from_text(out, text), E_OK);
	text[254] = 'x';
	text[255] = '\0';
	ck_assert_int_eq(name_from_text(out, text), E_TOO_LONG);
	memcpy(text + 252, "xx", 3);
	ck_assert_int_eq(name_from_text(out, text), E_TOO_LONG);
}
END_TEST

START_TEST(text_written)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ ".", "." },
		{ "www.Example.com", "www.Example.com." },
		{ "a\\.b\\\\.c\\;d\\\"\\(\\)\\@\\$", "a\\.b\\\\.c\\;d\\\"\\(\\)\\@\\$." },
		{ "\\000\\009\\032\\127\\255", "\\000\\009\\032\\127\\255." },
		{ "*._tcp-x", "*._tcp-x." },
	};
	char text[NAME_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name n = name_of(rows[i].in);

		ck_assert(name_to_text(text, n.wire) == text);
		ck_assert_str_eq(text, rows[i].out);
	}
}
END_TEST

START_TEST(text_may_do_without_the_final_dot)
{
	static const char *const rows[][2] = {
		{ ".", "." },
		{ "a.", "a" },
		{ "www.Example.com.", "www.Example.com" },
		{ "a\\..", "a\\." },
	};
	char text[NAME_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name n = name_of(rows[i][0]);

		ck_assert(name_to_text_undotted(text, n.wire) == text);
		ck_assert_str_eq(text, rows[i][1]);
	}
}
END_TEST

START_TEST(text_goes_round)
{
	char text[NAME_TEXT_MAX + 1];
	uint8_t back[NAME_MAX_LEN];

	/* The longest texts there are fit, and come back the same. */
	for (unsigned c = 0; c < 256; c++) {
		struct name n = name_of_length(NAME_MAX_LEN, (char)c);

		text[NAME_TEXT_MAX] = '#';
		(void)name_to_text(text, n.wire);
		ck_assert_int_eq(text[NAME_TEXT_MAX], '#');
		ck_assert_int_eq(name_from_text(back, text), E_OK);
		ck_assert_mem_eq(back, n.wire, NAME_MAX_LEN);
	}
}
END_TEST

START_TEST(copies)
{
	struct name n = name_of("www.example.com");
	uint8_t out[NAME_MAX_LEN];

	ck_assert_uint_eq(name_copy(out, n.wire), 17);
	ck_assert_mem_eq(out, n.wire, 17);
	/* Onto itself, moved: what chopping a label does. */
	ck_assert_uint_eq(name_copy(out, name_parent(out)), 13);
	ck_assert(name_equal(out, name_of("example.com").wire));
}
END_TEST

Suite *suite_name(void)
{
	Suite *s = suite_create("name");
	TCase *t = tcase_create("name");

	tcase_add_test(t, length_and_labels);
	tcase_add_test(t, check_accepts_what_is_valid);
	tcase_add_test(t, check_refuses_what_is_not);
	tcase_add_test(t, parent_and_suffix);
	tcase_add_test(t, lower_touches_letters_only);
	tcase_add_test(t, equal_ignores_case_and_nothing_else);
	tcase_add_test(t, within_and_below);
	tcase_add_test(t, common_labels);
	tcase_add_test(t, canonical_order);
	tcase_add_test(t, text_read);
	tcase_add_test(t, text_refused);
	tcase_add_test(t, text_written);
	tcase_add_test(t, text_goes_round);
	tcase_add_test(t, text_may_do_without_the_final_dot);
	tcase_add_test(t, copies);
	suite_add_tcase(s, t);
	return s;
}
