#include "common/msg.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"

static uint8_t buf[2048];
static struct wire_writer w;

static void name(const char *text)
{
	uint8_t wire[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(wire, text), E_OK);
	ck_assert_int_eq(wire_write_name(&w, wire), E_OK);
}

static void u16(unsigned v)
{
	ck_assert_int_eq(wire_write_u16(&w, (uint16_t)v), E_OK);
}

static void bytes(const char *data, size_t len)
{
	ck_assert_int_eq(wire_write_bytes(&w, data, len), E_OK);
}

static void header(unsigned flags, unsigned qd, unsigned an, unsigned ns, unsigned ar)
{
	memset(buf, 0xee, sizeof(buf));
	wire_writer_init(&w, buf, sizeof(buf));
	u16(0x1234);
	u16(flags);
	u16(qd);
	u16(an);
	u16(ns);
	u16(ar);
}

static void question(const char *qname, unsigned type)
{
	name(qname);
	u16(type);
	u16(CLASS_IN);
}

/* A record up to its rdata; the length is set by end(). */
static size_t begin(const char *owner, unsigned type, uint32_t ttl)
{
	name(owner);
	u16(type);
	u16(CLASS_IN);
	ck_assert_int_eq(wire_write_u32(&w, ttl), E_OK);
	u16(0);
	return w.len;
}

static void end(size_t rdata)
{
	wire_put_u16(buf + rdata - 2, (uint16_t)(w.len - rdata));
}

static void record(const char *owner, unsigned type, uint32_t ttl, const char *rdata, size_t len)
{
	size_t at = begin(owner, type, ttl);

	bytes(rdata, len);
	end(at);
}

static void opt(unsigned payload, uint32_t ttl, const char *options, size_t len)
{
	bytes("", 1);
	u16(TYPE_OPT);
	u16(payload);
	ck_assert_int_eq(wire_write_u32(&w, ttl), E_OK);
	u16((unsigned)len);
	bytes(options, len);
}

/* Question, one A, one NS, its glue and an OPT. */
static void whole_answer(void)
{
	size_t at;

	header(MSG_QR | MSG_AA | MSG_RD | RCODE_NXDOMAIN, 1, 1, 1, 2);
	question("Www.Example.com", TYPE_A);
	record("wWw.example.com", TYPE_A, 300, "\xc0\0\2\1", 4);
	at = begin("example.com", TYPE_NS, 3600);
	name("ns1.EXAMPLE.com");
	end(at);
	opt(1232, 0x01000000 | 0x8000, "\0\x0a\0\2xy", 6);
	record("ns1.example.com", TYPE_A, 60, "\xc0\0\2\2", 4);
}

/* Opens, walks, unfolds everything: the first error met, E_END when there is none. */
static int walk(const uint8_t *wire, size_t len, unsigned *n)
{
	struct msg m;
	struct msg_rr rr;
	uint8_t rdata[2048];
	uint16_t rdlen;
	int err = msg_open(&m, wire, len);

	*n = 0;
	if (err != E_OK)
		return err;
	while ((err = msg_next(&m, &rr)) == E_OK) {
		err = msg_rdata(&m, &rr, rdata, sizeof(rdata), &rdlen);
		if (err != E_OK)
			return err;
		++*n;
	}
	return err;
}

START_TEST(whole)
{
	uint8_t want[NAME_MAX_LEN], rdata[300];
	const uint8_t *data = NULL;
	uint16_t len = 0;
	struct msg m;
	struct msg_rr rr;

	whole_answer();
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_OK);
	ck_assert_uint_eq(m.id, 0x1234);
	ck_assert_uint_eq(m.flags & MSG_AA, MSG_AA);
	ck_assert_uint_eq(m.opcode, OPCODE_QUERY);
	ck_assert_uint_eq(m.rcode, RCODE_BADVERS | RCODE_NXDOMAIN);
	ck_assert(m.has_question);
	ck_assert_int_eq(name_from_text(want, "Www.Example.com"), E_OK);
	ck_assert(name_equal_case(m.qname, want));
	ck_assert_uint_eq(m.qname_len, 17);
	ck_assert_uint_eq(m.qtype, TYPE_A);
	ck_assert_uint_eq(m.qclass, CLASS_IN);
	ck_assert_uint_eq(m.question_end, 12 + 17 + 4);
	ck_assert(m.edns.present && m.edns.dnssec_ok);
	ck_assert_uint_eq(m.edns.version, 0);
	ck_assert_uint_eq(m.edns.payload, 1232);
	ck_assert_int_eq(msg_edns_option(&m.edns, 10, &data, &len), E_OK);
	ck_assert_uint_eq(len, 2);
	ck_assert_mem_eq(data, "xy", 2);
	ck_assert_int_eq(msg_edns_option(&m.edns, 11, &data, &len), E_NOT_FOUND);

	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	ck_assert_uint_eq(rr.section, SECTION_ANSWER);
	ck_assert_mem_eq(rr.owner, "\3www\7example\3com", 17);
	ck_assert_uint_eq(rr.owner_len, 17);
	ck_assert_uint_eq(rr.type, TYPE_A);
	ck_assert_uint_eq(rr.class, CLASS_IN);
	ck_assert_uint_eq(rr.ttl, 300);
	ck_assert_int_eq(msg_rdata(&m, &rr, rdata, sizeof(rdata), &len), E_OK);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(rdata, "\xc0\0\2\1", 4);

	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	ck_assert_uint_eq(rr.section, SECTION_AUTHORITY);
	ck_assert_int_eq(msg_rdata(&m, &rr, rdata, sizeof(rdata), &len), E_OK);
	ck_assert_uint_eq(len, 17);
	ck_assert_mem_eq(rdata, "\3ns1\7Example\3com", 17);

	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	ck_assert_uint_eq(rr.section, SECTION_ADDITIONAL);
	ck_assert_uint_eq(rr.type, TYPE_A);
	ck_assert_uint_eq(rr.ttl, 60);
	ck_assert_int_eq(msg_next(&m, &rr), E_END);
	ck_assert_int_eq(msg_next(&m, &rr), E_END);
}
END_TEST

START_TEST(cut_anywhere)
{
	unsigned n;

	whole_answer();
	ck_assert_int_eq(walk(buf, w.len, &n), E_END);
	ck_assert_uint_eq(n, 3);
	for (size_t len = 0; len < w.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct msg m;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, buf, len);
		ck_assert_int_eq(msg_open(&m, copy, len), E_TRUNCATED);
		ck_assert_int_eq(msg_open_question(&m, copy, len),
				 len < 12 + 17 + 4 ? E_TRUNCATED : E_OK);
		free(copy);
	}
	/* Bytes behind the last record are let be. */
	ck_assert_int_eq(walk(buf, w.len + 5, &n), E_END);
	ck_assert_uint_eq(n, 3);
}
END_TEST

/* Every byte replaced by some others: no result matters but that it is one. */
START_TEST(bent_anywhere)
{
	static const uint8_t values[] = { 0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff };

	for (size_t at = 0;; at++) {
		unsigned n;

		whole_answer();
		if (at == w.len)
			break;
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			uint8_t *copy = malloc(w.len);
			int err;

			ck_assert_ptr_nonnull(copy);
			memcpy(copy, buf, w.len);
			copy[at] = values[i];
			err = walk(copy, w.len, &n);
			ck_assert(err == E_END || err == E_TRUNCATED || err == E_MALFORMED ||
				  err == E_TOO_LONG);
			free(copy);
		}
	}
}
END_TEST

START_TEST(questions)
{
	struct msg m;
	struct msg_rr rr;

	header(MSG_RD, 0, 0, 0, 0);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_OK);
	ck_assert(!m.has_question);
	ck_assert(name_is_root(m.qname));
	ck_assert_uint_eq(m.question_end, 12);
	ck_assert_int_eq(msg_next(&m, &rr), E_END);

	header(MSG_RD, 2, 0, 0, 0);
	question("a", TYPE_A);
	question("b", TYPE_A);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_MALFORMED);
	ck_assert_int_eq(msg_open_question(&m, buf, w.len), E_MALFORMED);
	ck_assert_uint_eq(m.id, 0x1234); /* for an answer of the header alone */

	/* The question alone: what follows is not looked at. */
	header(MSG_RD | OPCODE_NOTIFY << 11, 1, 9, 9, 9);
	question(".", TYPE_NS);
	ck_assert_int_eq(msg_open_question(&m, buf, w.len), E_OK);
	ck_assert_uint_eq(m.opcode, OPCODE_NOTIFY);
	ck_assert_uint_eq(m.qname_len, 1);
	ck_assert_uint_eq(m.question_end, w.len);
	ck_assert(!m.edns.present);
	ck_assert_int_eq(msg_next(&m, &rr), E_END);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_TRUNCATED);
}
END_TEST

START_TEST(too_long_a_message)
{
	static uint8_t big[WIRE_MSG_MAX + 1];
	struct msg m;

	ck_assert_int_eq(msg_open(&m, big, WIRE_MSG_MAX), E_OK);
	ck_assert_int_eq(msg_open(&m, big, WIRE_MSG_MAX + 1), E_TOO_LONG);
}
END_TEST

START_TEST(opt_in_its_place)
{
	struct msg m;

	header(0, 0, 0, 0, 2);
	opt(512, 0, "", 0);
	opt(512, 0, "", 0);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_MALFORMED);

	header(0, 0, 1, 0, 0);
	opt(512, 0, "", 0);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_MALFORMED);

	header(0, 0, 0, 1, 0);
	opt(512, 0, "", 0);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_MALFORMED);

	header(0, 0, 0, 0, 1);
	record("a", TYPE_OPT, 0, "", 0);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_MALFORMED);

	header(0, 0, 0, 0, 1);
	opt(4096, 0xff010000, "", 0);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_OK);
	ck_assert_uint_eq(m.rcode, 0xff0);
	ck_assert_uint_eq(m.edns.version, 1);
	ck_assert(!m.edns.dnssec_ok);
}
END_TEST

START_TEST(options)
{
	static const char list[] = "\0\3\0\0\0\x0a\0\3abc\0\x0a\0\1z";
	const uint8_t *data = NULL;
	uint16_t len = 0;
	struct msg m;

	header(0, 0, 0, 0, 1);
	opt(512, 0, list, 16);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_OK);
	ck_assert_int_eq(msg_edns_option(&m.edns, 3, &data, &len), E_OK);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(msg_edns_option(&m.edns, 10, &data, &len), E_OK);
	ck_assert_uint_eq(len, 3); /* the first of two */
	ck_assert_int_eq(msg_edns_option(&m.edns, 15, &data, &len), E_NOT_FOUND);
	/* Cut within the last option: what stands before is still found. */
	for (uint16_t cut = 12; cut < 16; cut++) {
		m.edns.options_len = cut;
		ck_assert_int_eq(msg_edns_option(&m.edns, 10, &data, &len), E_OK);
		ck_assert_int_eq(msg_edns_option(&m.edns, 15, &data, &len), E_MALFORMED);
	}
	m.edns = (struct msg_edns) { 0 };
	ck_assert_int_eq(msg_edns_option(&m.edns, 10, &data, &len), E_NOT_FOUND);
}
END_TEST

START_TEST(ttl_above_the_top_bit)
{
	static const uint32_t in[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff };
	static const uint32_t out[] = { 0, 0x7fffffff, 0, 0 };
	struct msg m;
	struct msg_rr rr;

	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		header(MSG_QR, 0, 1, 0, 0);
		record("a", TYPE_A, in[i], "abcd", 4);
		ck_assert_int_eq(msg_open(&m, buf, w.len), E_OK);
		ck_assert_int_eq(msg_next(&m, &rr), E_OK);
		ck_assert_uint_eq(rr.ttl, out[i]);
	}
}
END_TEST

/* The result of unfolding one record's rdata. */
static int unfold(unsigned type, const char *rdata, size_t rdlen, uint8_t *out, size_t cap,
		  uint16_t *len)
{
	struct msg m;
	struct msg_rr rr;
	uint8_t *copy;
	int err;

	header(MSG_QR, 1, 1, 0, 0);
	question("example.com", type); /* at 12: what pointers point at */
	record("example.com", type, 1, rdata, rdlen);
	copy = malloc(w.len);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, buf, w.len);
	ck_assert_int_eq(msg_open(&m, copy, w.len), E_OK);
	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	err = msg_rdata(&m, &rr, out, cap, len);
	free(copy);
	return err;
}

#define EXAMPLE "\7example\3com" /* its final zero is the string's */
#define P "\xc0\x0c"

START_TEST(rdata_unfolded)
{
	static const struct {
		unsigned type;
		const char *in;
		size_t in_len;
		const char *out;
		size_t out_len;
	} rows[] = {
		{ TYPE_NS, P, 2, EXAMPLE, 13 },
		{ TYPE_CNAME, "\1X" P, 4, "\1X" EXAMPLE, 15 },
		{ TYPE_MX, "\0\5\1m" P, 6, "\0\5\1m" EXAMPLE, 17 },
		{ TYPE_SOA, P "\1h" P "12345678901234567890", 26,
		  EXAMPLE "\0\1h" EXAMPLE "\0"
			  "12345678901234567890",
		  48 },
		{ TYPE_SRV, "\0\1\0\2\0\3" P, 8, "\0\1\0\2\0\3" EXAMPLE, 19 },
		{ TYPE_NAPTR, "\0\1\0\2\1U\3E2U\0" P, 13, "\0\1\0\2\1U\3E2U\0" EXAMPLE, 24 },
		{ TYPE_RP, P P, 4, EXAMPLE "\0" EXAMPLE, 26 },
		{ TYPE_DNAME, EXAMPLE, 13, EXAMPLE, 13 },
		{ TYPE_NXT, P "\x40", 3, EXAMPLE "\0\x40", 14 },
		{ TYPE_A, "abcd", 4, "abcd", 4 },
		{ TYPE_AAAA, "0123456789abcdef", 16, "0123456789abcdef", 16 },
		{ TYPE_TXT, "\xc0\x0c", 2, "\xc0\x0c", 2 },
		{ 65280, "", 0, "", 0 },
	};
	uint8_t out[64];
	uint16_t len;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int err = unfold(rows[i].type, rows[i].in, rows[i].in_len, out, sizeof(out), &len);

		ck_assert_msg(err == E_OK, "type %u: %s", rows[i].type, err_text(err));
		ck_assert_uint_eq(len, rows[i].out_len);
		ck_assert_mem_eq(out, rows[i].out, len);
		/* One byte less of room is too little, and is not written past. */
		for (size_t cap = 0; cap < rows[i].out_len; cap++) {
			uint8_t *tight = malloc(cap > 0 ? cap : 1);

			ck_assert_ptr_nonnull(tight);
			ck_assert_int_eq(
				unfold(rows[i].type, rows[i].in, rows[i].in_len, tight, cap, &len),
				E_TOO_LONG);
			free(tight);
		}
	}
}
END_TEST

START_TEST(rdata_refused)
{
	static const struct {
		unsigned type;
		const char *in;
		size_t len;
	} rows[] = {
		{ TYPE_A, "abc", 3 },
		{ TYPE_A, "abcde", 5 },
		{ TYPE_A, "", 0 },
		{ TYPE_AAAA, "0123456789abcde", 15 },
		{ TYPE_NS, "", 0 },
		{ TYPE_NS, P "x", 3 },
		{ TYPE_NS, EXAMPLE, 12 }, /* the root's byte is missing */
		{ TYPE_NS, "\xc0", 1 },
		{ TYPE_NS, "\xc0\xff", 2 },
		{ TYPE_NS,
		  "\x40"
		  "a",
		  2 },
		{ TYPE_MX, "\0", 1 },
		{ TYPE_MX, "\0\5", 2 },
		{ TYPE_MX, "\0\5" P P, 6 },
		{ TYPE_SOA, P, 2 },
		{ TYPE_SRV, "\0\1\0\2" P, 6 },
		{ TYPE_NAPTR, "\0\1\0\2", 4 },
		{ TYPE_NAPTR, "\0\1\0\2\1U\7E2U", 10 },
		{ TYPE_RP, P, 2 },
	};
	uint8_t out[64];
	uint16_t len = 77;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int err = unfold(rows[i].type, rows[i].in, rows[i].len, out, sizeof(out), &len);

		ck_assert_msg(err == E_MALFORMED, "row %zu: %s", i, err_text(err));
	}
	ck_assert_uint_eq(len, 77);
}
END_TEST

START_TEST(owner_that_cannot_be_read)
{
	struct msg m;
	struct msg_rr rr;

	header(MSG_QR, 0, 2, 0, 0);
	record("a", TYPE_A, 1, "abcd", 4);
	bytes("\xc3\xff", 2);
	u16(TYPE_A);
	u16(CLASS_IN);
	bytes("\0\0\0\1\0\4abcd", 10);
	ck_assert_int_eq(msg_open(&m, buf, w.len), E_OK);
	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	ck_assert_int_eq(msg_next(&m, &rr), E_MALFORMED);
}
END_TEST

Suite *suite_msg(void)
{
	Suite *s = suite_create("msg");
	TCase *t = tcase_create("msg");

	tcase_add_test(t, whole);
	tcase_add_test(t, cut_anywhere);
	tcase_add_test(t, bent_anywhere);
	tcase_add_test(t, questions);
	tcase_add_test(t, too_long_a_message);
	tcase_add_test(t, opt_in_its_place);
	tcase_add_test(t, options);
	tcase_add_test(t, ttl_above_the_top_bit);
	tcase_add_test(t, rdata_unfolded);
	tcase_add_test(t, rdata_refused);
	tcase_add_test(t, owner_that_cannot_be_read);
	suite_add_tcase(s, t);
	return s;
}
