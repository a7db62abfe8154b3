#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "recursor/watch/dnstap_frame.h"

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return a;
}

/* Written by hand from the schema; varints in three bytes, of which all but the last have a bit. */
START_TEST(a_query_of_a_client)
{
	static const uint8_t expected[] = {
		0x0a, 0x83, 0x80, 0,    'n',  's',  '1',  0x12, 0x82, 0x80,
		0,    'v',  '1',  0x78, 1,       /* identity, version, type */
		0x72, 0xad, 0x80, 0,             /* message: 45 */
		0x08, 5,    0x10, 1,    0x18, 2, /* CLIENT_QUERY, INET, TCP */
		0x22, 4,    192,  0,    2,    1,    0x30, 0xb9, 0xe0, 0, /* from port 12345 */
		0x2a, 4,    127,  0,    0,    1,    0x38, 0xb5, 0x80, 0, /* to port 53 */
		0x40, 0x80, 0xe2, 0xcf, 0xaa, 0x06,                      /* 1700000000 s */
		0x4d, 7,    0,    0,    0,                               /* 7 ns */
		0x52, 0x84, 0x80, 0,    1,    2,    3,    4,             /* the wire */
	};
	const struct addr from = address("192.0.2.1:12345"), to = address("127.0.0.1:53");
	const struct dnstap_message m = {
		.type = DNSTAP_CLIENT_QUERY,
		.from = &from,
		.to = &to,
		.tcp = true,
		.query_ns = 1700000000ULL * 1000000000 + 7,
		.wire = (const uint8_t *)"\1\2\3\4",
		.len = 4,
	};
	uint8_t out[1024];
	struct dnstap_head head;
	size_t len;

	dnstap_head_make(&head, "ns1", "v1");
	ck_assert_uint_le(dnstap_frame_room(&head, &m), sizeof(out));
	len = dnstap_frame_write(out, &head, &m);
	ck_assert_uint_eq(len, sizeof(expected));
	ck_assert_mem_eq(out, expected, len);
}
END_TEST

/* A machine whose clock was never set: seconds are as long as others'. */
START_TEST(soon_after_1970)
{
	static const uint8_t expected[] = {
		0x78, 1,    0x72, 0x93, 0x80, 0,    0x08, 6,          /* CLIENT_RESPONSE */
		0x60, 0x83, 0x80, 0x80, 0x80, 0x00, 0x6d, 9, 2, 0, 0, /* 3 s, 521 ns */
		0x72, 0x82, 0x80, 0,    7,    8,
	};
	const struct dnstap_message m = {
		.type = DNSTAP_CLIENT_RESPONSE,
		.response_ns = 3ULL * 1000000000 + 521,
		.wire = (const uint8_t *)"\7\10",
		.len = 2,
	};
	struct dnstap_head head;
	uint8_t out[256];

	dnstap_head_make(&head, "", "");
	ck_assert_uint_eq(dnstap_frame_write(out, &head, &m), sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
}
END_TEST

START_TEST(the_largest_fits)
{
	char longest[1000];
	uint8_t *wire = calloc(1, 65535), *out = malloc(DNSTAP_FRAME_MAX);
	const struct addr from = address("[2001:db8::1]:65535"), none = { 0 };
	const struct addr to = address("[2001:db8::2]:65535");
	struct dnstap_message m = {
		.type = DNSTAP_RESOLVER_RESPONSE,
		.from = &from,
		.to = &to,
		.query_ns = UINT64_MAX,
		.response_ns = UINT64_MAX - 1,
		.wire = wire,
		.len = 65535,
	};
	struct dnstap_head head;
	size_t len;

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	dnstap_head_make(&head, longest, longest);
	ck_assert_uint_eq(head.len, DNSTAP_HEAD_MAX);
	ck_assert_uint_le(dnstap_frame_room(&head, &m), DNSTAP_FRAME_MAX);
	len = dnstap_frame_write(out, &head, &m);
	ck_assert_uint_le(len, dnstap_frame_room(&head, &m));
	/* Nothing but the message: addresses that are not known are left out. */
	dnstap_head_make(&head, "", "");
	ck_assert_uint_eq(head.len, 2);
	m = (struct dnstap_message) { .type = DNSTAP_CLIENT_RESPONSE, .wire = wire, .len = 12 };
	ck_assert_uint_eq(dnstap_frame_write(out, &head, &m), 2 + 4 + 2 + 4 + 12);
	ck_assert_int_eq(out[8], 14 << 3 | 2); /* response_message */
	m.from = m.to = &none;
	ck_assert_uint_eq(dnstap_frame_write(out, &head, &m), 2 + 4 + 2 + 4 + 12);
	/* One end is known: family, protocol, and address and port of that. */
	m.to = &to;
	ck_assert_uint_eq(dnstap_frame_write(out, &head, &m), 2 + 4 + 2 + 4 + 18 + 4 + 4 + 12);
	ck_assert_int_eq(out[12], 5 << 3 | 2); /* response_address */
	free(wire);
	free(out);
}
END_TEST

Suite *suite_dnstap_frame(void)
{
	Suite *s = suite_create("dnstap_frame");
	TCase *t = tcase_create("dnstap_frame");

	tcase_add_test(t, a_query_of_a_client);
	tcase_add_test(t, soon_after_1970);
	tcase_add_test(t, the_largest_fits);
	suite_add_tcase(s, t);
	return s;
}
