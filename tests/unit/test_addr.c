#include <check.h>
#include <netinet/in.h>
#include <string.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/hash.h"

static struct addr parse(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_from_text(&a, text, 53) == E_OK, "refused: %s", text);
	return a;
}

START_TEST(reads_and_prints)
{
	static const char *const rows[][3] = {
		/* text, with the port, without */
		{ "192.0.2.1", "192.0.2.1:53", "192.0.2.1" },
		{ "192.0.2.1:5300", "192.0.2.1:5300", "192.0.2.1" },
		{ "2001:db8::1", "[2001:db8::1]:53", "2001:db8::1" },
		{ "[2001:db8::1]", "[2001:db8::1]:53", "2001:db8::1" },
		{ "[2001:db8::1]:5300", "[2001:db8::1]:5300", "2001:db8::1" },
		{ "::", "[::]:53", "::" },
		{ "::1", "[::1]:53", "::1" },
		{ "0.0.0.0:65535", "0.0.0.0:65535", "0.0.0.0" },
		{ "2001:DB8:0:0::0:1", "[2001:db8::1]:53", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:53", "::ffff:192.0.2.1" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888",
		  "[1111:2222:3333:4444:5555:6666:7777:8888]:53",
		  "1111:2222:3333:4444:5555:6666:7777:8888" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = parse(rows[i][0]), again;
		char text[ADDR_TEXT_MAX];

		ck_assert_str_eq(addr_text(text, &a), rows[i][1]);
		again = parse(text);
		ck_assert(addr_equal(&a, &again));
		ck_assert_str_eq(addr_ip_text(text, &a), rows[i][2]);
	}
}
END_TEST

START_TEST(refuses)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:123456",
		"192.0.2.1:+5",
		"192.0.2.1: 5",
		"192.0.2.1:5x",
		"192.0.2.1/24",
		" 192.0.2.1",
		"192.0.2.1 ",
		":53",
		"[192.0.2.1]",
		"[192.0.2.1]:53",
		"[::1",
		"[::1]x",
		"[::1]53",
		"[::1]:",
		"[::1]:0",
		"[]",
		"[]:53",
		"::1]",
		"fe80::1%eth0",
		":::",
		"1::2::3",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"00000000000000000000000000000000000000000000000000000000000000000000000000",
	};
	struct addr a, before;

	memset(&a, 0x55, sizeof(a));
	before = a;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(addr_from_text(&a, bad[i], 53) == E_MALFORMED, "taken: %s", bad[i]);
	ck_assert_mem_eq(&a, &before, sizeof(a));
}
END_TEST

START_TEST(reads_prefixes)
{
	static const struct {
		const char *text, *ip;
		unsigned bits;
		int err;
	} rows[] = {
		{ "192.0.2.77/24", "192.0.2.77", 24, E_OK },
		{ "192.0.2.77", "192.0.2.77", 32, E_OK },
		{ "0.0.0.0/0", "0.0.0.0", 0, E_OK },
		{ "2001:db8::1", "2001:db8::1", 128, E_OK },
		{ "2001:db8::/032", "2001:db8::", 32, E_OK },
		{ "192.0.2.0/33", NULL, 0, E_RANGE },
		{ "::/129", NULL, 0, E_RANGE },
		{ "192.0.2.0/", NULL, 0, E_MALFORMED },
		{ "192.0.2.0/0024", NULL, 0, E_MALFORMED },
		{ "192.0.2.0/+8", NULL, 0, E_MALFORMED },
		{ "192.0.2.0/0x8", NULL, 0, E_MALFORMED },
		{ "192.0.2.0:53/24", NULL, 0, E_MALFORMED },
		{ "[2001:db8::]/32", NULL, 0, E_MALFORMED },
		{ "/24", NULL, 0, E_MALFORMED },
		{ "", NULL, 0, E_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = { .family = 1 };
		unsigned bits = 7;
		char text[ADDR_TEXT_MAX];

		ck_assert_msg(addr_prefix_from_text(&a, &bits, rows[i].text) == rows[i].err, "%s",
			      rows[i].text);
		ck_assert_uint_eq(bits, rows[i].err == E_OK ? rows[i].bits : 7);
		if (rows[i].err == E_OK)
			ck_assert_str_eq(addr_ip_text(text, &a), rows[i].ip);
	}
}
END_TEST

START_TEST(prints_none)
{
	struct addr none = { 0 };
	char text[ADDR_TEXT_MAX];

	ck_assert_str_eq(addr_ip_text(text, &none), "none");
	ck_assert_str_eq(addr_text(text, &none), "none:0");
}
END_TEST

START_TEST(passes_sockaddr)
{
	static const char *const rows[] = { "192.0.2.1:5300", "[2001:db8::1]:53" };
	struct sockaddr_storage ss;
	struct addr back;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = parse(rows[i]);
		socklen_t len = addr_to_sockaddr(&a, &ss);

		ck_assert_uint_eq(len, i == 0 ? sizeof(struct sockaddr_in)
					      : sizeof(struct sockaddr_in6));
		ck_assert_int_eq(addr_from_sockaddr(&back, (struct sockaddr *)&ss), E_OK);
		ck_assert(addr_equal(&a, &back));
	}
	ss.ss_family = AF_UNIX;
	ck_assert_int_eq(addr_from_sockaddr(&back, (struct sockaddr *)&ss), E_UNSUPPORTED);
}
END_TEST

START_TEST(mapped_sockaddr_is_ipv4)
{
	struct addr a = parse("[::ffff:192.0.2.1]:53"), plain = parse("192.0.2.1:53"), back;
	struct sockaddr_storage ss;

	(void)addr_to_sockaddr(&a, &ss);
	ck_assert_int_eq(addr_from_sockaddr(&back, (struct sockaddr *)&ss), E_OK);
	ck_assert(addr_equal(&back, &plain));
}
END_TEST

START_TEST(reads_rdata)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 };
	struct addr a, expected = parse("192.0.2.1:53");

	ck_assert_int_eq(addr_from_rdata(&a, v4, 4, 53), E_OK);
	ck_assert(addr_equal(&a, &expected));
	ck_assert_int_eq(addr_from_rdata(&a, mapped, 16, 53), E_OK);
	ck_assert_uint_eq(a.family, 6);
	ck_assert_int_eq(addr_from_rdata(&a, mapped, 5, 53), E_MALFORMED);
	ck_assert_int_eq(addr_from_rdata(&a, mapped, 0, 53), E_MALFORMED);
}
END_TEST

START_TEST(compares)
{
	struct addr a = parse("192.0.2.1:53"), b = parse("192.0.2.1:54"), c = parse("192.0.2.2:53");
	struct addr six = parse("c000:201::"); /* the first four bytes of 192.0.2.1 */

	hash_key_set(0x0123456789abcdef, 0xfedcba9876543210);
	ck_assert(!addr_equal(&a, &b));
	ck_assert(addr_equal_ip(&a, &b));
	ck_assert(!addr_equal_ip(&a, &c));
	ck_assert(!addr_equal_ip(&a, &six));
	ck_assert_uint_eq(addr_hash(&a), addr_hash(&a));
	ck_assert_uint_ne(addr_hash(&a), addr_hash(&b));
	ck_assert_uint_ne(addr_hash(&a), addr_hash(&c));
	ck_assert_uint_ne(addr_hash(&a), addr_hash(&six));
}
END_TEST

Suite *suite_addr(void)
{
	Suite *s = suite_create("addr");
	TCase *tc = tcase_create("addr");

	tcase_add_test(tc, reads_and_prints);
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, reads_prefixes);
	tcase_add_test(tc, prints_none);
	tcase_add_test(tc, passes_sockaddr);
	tcase_add_test(tc, mapped_sockaddr_is_ipv4);
	tcase_add_test(tc, reads_rdata);
	tcase_add_test(tc, compares);
	suite_add_tcase(s, tc);
	return s;
}
