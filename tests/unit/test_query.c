/* query: what a client's packet asks; the short way and msg_open() must agree. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/query.h"

struct packet {
	uint8_t wire[600];
	size_t len;
};

static void put(struct packet *p, const void *data, size_t len)
{
	ck_assert(p->len + len <= sizeof(p->wire));
	memcpy(p->wire + p->len, data, len);
	p->len += len;
}
#define PUT(p, bytes) put((p), (bytes), sizeof(bytes) - 1)

static struct packet question(uint16_t flags)
{
	struct packet p = { .len = 0 };

	PUT(&p, "\x12\x34\0\0\0\1\0\0\0\0\0\0");
	wire_put_u16(p.wire + 2, flags);
	PUT(&p, "\3wWw\7eXample\0\0\x1c\0\1");
	return p;
}

static void add_opt(struct packet *p, uint16_t payload, uint8_t version, bool dnssec_ok,
		    const char *options, size_t options_len)
{
	uint8_t opt[11] = { 0, 0, TYPE_OPT };

	wire_put_u16(opt + 3, payload);
	opt[6] = version;
	opt[7] = dnssec_ok ? 0x80 : 0;
	wire_put_u16(opt + 9, (uint16_t)options_len);
	put(p, opt, sizeof(opt));
	put(p, options, options_len);
	p->wire[11]++;
}

START_TEST(a_plain_question_is_read)
{
	struct packet p = question(MSG_RD | MSG_CD);
	struct query q;

	ck_assert_int_eq(query_read(&q, p.wire, p.len), E_OK);
	ck_assert_uint_eq(q.type, TYPE_AAAA);
	ck_assert_uint_eq(q.class, CLASS_IN);
	ck_assert_uint_eq(q.flags, MSG_RD | MSG_CD);
	ck_assert_uint_eq(q.question_end, p.len);
	ck_assert_uint_eq(q.payload, 512);
	ck_assert(!q.edns && !q.dnssec_ok);
	ck_assert(name_equal_case(query_name(&q), (const uint8_t *)"\3wWw\7eXample"));
}
END_TEST

START_TEST(edns_is_read)
{
	static const struct {
		uint16_t announced, taken;
	} rows[] = { { 0, 512 }, { 511, 512 }, { 512, 512 }, { 1232, 1232 }, { 65535, 65535 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet p = question(MSG_RD);
		struct query q;

		add_opt(&p, rows[i].announced, (uint8_t)i, i & 1, "", 0);
		ck_assert_int_eq(query_read(&q, p.wire, p.len), E_OK);
		ck_assert(q.edns);
		ck_assert_uint_eq(q.payload, rows[i].taken);
		ck_assert_uint_eq(q.edns_version, i);
		ck_assert_int_eq(q.dnssec_ok, i & 1);
	}
}
END_TEST

START_TEST(options_are_walked)
{
	struct packet good = question(MSG_RD), bad = question(MSG_RD);
	struct query q;

	add_opt(&good, 1232, 0, true, "\0\xa\0\2ab\0\xc\0\0", 10);
	ck_assert_int_eq(query_read(&q, good.wire, good.len), E_OK);
	ck_assert(q.edns && q.dnssec_ok);
	add_opt(&bad, 1232, 0, true, "\0\xa\0\3ab", 6);
	ck_assert_int_ne(query_read(&q, bad.wire, bad.len), E_OK);
}
END_TEST

/* What the short way does not know is read all the same. */
START_TEST(an_uncommon_packet_is_read)
{
	static const char rr[] = "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4";
	struct packet p = question(MSG_RD);
	struct query q;

	p.wire[11]++;
	put(&p, rr, sizeof(rr) - 1);
	add_opt(&p, 1400, 0, true, "", 0);
	ck_assert_int_eq(query_read(&q, p.wire, p.len), E_OK);
	ck_assert(q.edns && q.dnssec_ok);
	ck_assert_uint_eq(q.payload, 1400);
	/* A second OPT: RFC 6891 6.1.1. */
	add_opt(&p, 1400, 0, true, "", 0);
	ck_assert_int_eq(query_read(&q, p.wire, p.len), E_MALFORMED);
}
END_TEST

START_TEST(what_is_no_question_is_refused)
{
	struct packet p = question(MSG_RD);
	struct query q;

	p.wire[5] = 0;
	ck_assert_int_eq(query_read(&q, p.wire, p.len), E_END);
	p.wire[5] = 2;
	ck_assert_int_eq(query_read(&q, p.wire, p.len), E_MALFORMED);
	p.wire[5] = 1;
	p.wire[WIRE_HEADER_LEN] = 0xc0; /* a pointer into the header */
	ck_assert_int_ne(query_read(&q, p.wire, p.len), E_OK);
	p = question(MSG_RD);
	p.wire[11] = 1; /* a record is promised, none is there */
	ck_assert_int_ne(query_read(&q, p.wire, p.len), E_OK);
}
END_TEST

/* Each prefix of a query, in a block of its own so that ASan sees a byte read too many. */
START_TEST(a_cut_packet_is_refused)
{
	struct packet p = question(MSG_RD);
	struct query q;

	add_opt(&p, 1232, 0, true, "\0\xa\0\2ab", 6);
	for (size_t len = WIRE_HEADER_LEN; len < p.len; len++) {
		uint8_t *copy = malloc(len);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, p.wire, len);
		ck_assert_int_ne(query_read(&q, copy, len), E_OK);
		free(copy);
	}
}
END_TEST

START_TEST(what_do_ad_and_cd_come_to)
{
	enum { S = QUERY_SIGNED, A = QUERY_AD, V = QUERY_VALIDATE, R = QUERY_REFUSE };
	static const uint16_t flags[4] = { 0, MSG_CD, MSG_AD, MSG_AD | MSG_CD };
	static const unsigned want[][8] = {
		[DNSSEC_OFF] = { 0 },
		[DNSSEC_PROCESS_NO_VALIDATE] = { 0, 0, 0, 0, S, S, S, S },
		[DNSSEC_PROCESS] = { 0, 0, A | V | R, A, S | A | V | R, S | A, S | A | V | R,
				     S | A },
		[DNSSEC_LOG_FAIL] = { V, 0, A | V | R, A, S | A | V | R, S | A, S | A | V | R,
				      S | A },
		[DNSSEC_VALIDATE] = { V | R, 0, A | V | R, A, S | A | V | R, S | A, S | A | V | R,
				      S | A },
	};

	for (unsigned mode = 0; mode < ARRAY_LEN(want); mode++) {
		struct query_dnssec_table table;

		query_dnssec_fill(&table, (enum dnssec_mode)mode);
		for (unsigned i = 0; i < 8; i++)
			ck_assert_uint_eq(
				query_dnssec_of(&table, (uint16_t)(MSG_RD | flags[i % 4]), i >= 4),
				want[mode][i]);
	}
}
END_TEST

Suite *suite_query(void)
{
	Suite *s = suite_create("query");
	TCase *tc = tcase_create("query");

	tcase_add_test(tc, a_plain_question_is_read);
	tcase_add_test(tc, edns_is_read);
	tcase_add_test(tc, options_are_walked);
	tcase_add_test(tc, an_uncommon_packet_is_read);
	tcase_add_test(tc, what_is_no_question_is_refused);
	tcase_add_test(tc, a_cut_packet_is_refused);
	tcase_add_test(tc, what_do_ad_and_cd_come_to);
	suite_add_tcase(s, tc);
	return s;
}
