/* answer: what goes to a client. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/answer.h"

enum { NOW = 1700000000 };

struct asked {
	uint8_t wire[QUERY_HEAD_MAX];
	struct query q;
};

/* www.example. AAAA IN, as a client may spell it. */
static void ask(struct asked *a, uint16_t flags, bool edns, uint16_t payload)
{
	static const char question[] = "\3WwW\7example\0\0\x1c\0\1";

	memset(a, 0, sizeof(*a));
	memcpy(a->wire, "\xab\xcd\0\0\0\1\0\0\0\0\0\0", WIRE_HEADER_LEN);
	wire_put_u16(a->wire + 2, flags);
	memcpy(a->wire + WIRE_HEADER_LEN, question, sizeof(question) - 1);
	a->q = (struct query) {
		.wire = a->wire,
		.question_end = (uint16_t)(WIRE_HEADER_LEN + sizeof(question) - 1),
		.flags = flags,
		.type = TYPE_AAAA,
		.class = CLASS_IN,
		.payload = payload,
		.edns = edns,
	};
}

static struct rrset *set_of(const char *owner, uint16_t type, uint32_t ttl, const char *data,
			    uint16_t len, size_t n)
{
	uint8_t name[NAME_MAX_LEN], copies[64][64];
	struct rdata rr[64];
	struct rrset *s = NULL;

	ck_assert(n <= 64 && len <= 64);
	ck_assert_int_eq(name_from_text(name, owner), E_OK);
	for (size_t i = 0; i < n; i++) {
		memcpy(copies[i], data, len);
		if (n > 1)
			copies[i][len - 1] = (uint8_t)i; /* distinct */
		rr[i] = (struct rdata) { .data = copies[i], .len = len };
	}
	ck_assert_int_eq(rrset_new(&s, name, type, ttl, NOW, RANK_AUTH_ANSWER, rr, n, NULL, 0),
			 E_OK);
	return s;
}

#define ADDRESS "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define SOA_RDATA "\2ns\7example\0\4mail\2ns\7example\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"

static void reread(struct msg *m, const uint8_t *wire, size_t len)
{
	struct msg_rr rr;
	int err;

	ck_assert_int_eq(msg_open(m, wire, len), E_OK);
	do {
		uint8_t data[512];
		uint16_t data_len;

		err = msg_next(m, &rr);
		if (err == E_OK)
			ck_assert_int_eq(msg_rdata(m, &rr, data, sizeof(data), &data_len), E_OK);
	} while (err == E_OK);
	ck_assert_int_eq(err, E_END);
	ck_assert_int_eq(msg_open(m, wire, len), E_OK);
}

START_TEST(flags_and_question_are_the_clients)
{
	struct answer a = { .rcode = RCODE_NOERROR, .ede = EDE_NONE };
	uint8_t out[512];
	struct packed to;
	struct asked k;
	struct msg m;

	ask(&k, MSG_RD | MSG_CD | MSG_AD | MSG_AA | MSG_TC, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.id, 0xabcd);
	ck_assert_uint_eq(m.flags, MSG_QR | MSG_RD | MSG_RA | MSG_CD);
	ck_assert(name_equal_case(m.qname, (const uint8_t *)"\3WwW\7example"));
	ck_assert_uint_eq(m.qtype, TYPE_AAAA);
	ck_assert(!m.edns.present);
	ck_assert_uint_eq(to.len, k.q.question_end);
	ck_assert_uint_eq(to.min_ttl, 0);

	ask(&k, 0, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	ck_assert_uint_eq(wire_get_u16(out + 2), MSG_QR | MSG_RA);
}
END_TEST

START_TEST(an_alias_and_its_data)
{
	struct rrset *alias = set_of("www.example", TYPE_CNAME, 60, "\1a\3www\7example", 15, 1);
	struct rrset *data = set_of("a.www.example", TYPE_AAAA, 30, ADDRESS, 16, 3);
	struct rrset *sets[] = { alias, data };
	struct answer a = { .ede = EDE_NONE, .sets = sets, .n_sets = 2 };
	uint8_t out[512], rdata[64];
	uint16_t rdata_len;
	struct packed to;
	struct asked k;
	struct msg_rr rr;
	struct msg m;
	unsigned seen = 0;

	ask(&k, MSG_RD, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW + 10);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.count[SECTION_ANSWER], 4);
	ck_assert_uint_eq(m.count[SECTION_AUTHORITY], 0);
	ck_assert_uint_eq(to.min_ttl, 20);
	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	ck_assert_uint_eq(rr.type, TYPE_CNAME);
	ck_assert_uint_eq(rr.ttl, 50);
	ck_assert_int_eq(msg_rdata(&m, &rr, rdata, sizeof(rdata), &rdata_len), E_OK);
	ck_assert(name_equal(rdata, (const uint8_t *)"\1a\3www\7example"));
	ck_assert_uint_eq(rr.rdlen, 4); /* compressed */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(msg_next(&m, &rr), E_OK);
		ck_assert(name_equal(rr.owner, (const uint8_t *)"\1a\3www\7example"));
		ck_assert_uint_eq(rr.type, TYPE_AAAA);
		ck_assert_uint_eq(rr.class, CLASS_IN);
		ck_assert_uint_eq(rr.ttl, 20);
		seen |= 1U << out[rr.rdata + 15];
	}
	ck_assert_uint_eq(seen, 7);
	/* Owner names are pointers: two bytes and ten fixed ones before 16 of address. */
	ck_assert_uint_eq(to.len, k.q.question_end + (12 + 4) + 3 * (12 + 16));
	rrset_put(alias);
	rrset_put(data);
}
END_TEST

START_TEST(records_begin_at_another_for_each_id)
{
	struct rrset *data = set_of("www.example", TYPE_AAAA, 30, ADDRESS, 16, 4);
	struct answer a = { .ede = EDE_NONE, .sets = &data, .n_sets = 1 };
	unsigned first = 0;

	for (uint16_t id = 0; id < 4; id++) {
		uint8_t out[512];
		struct packed to;
		struct asked k;

		ask(&k, MSG_RD, false, 512);
		wire_put_u16(k.wire, id);
		answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
		first |= 1U << out[k.q.question_end + 12 + 15];
	}
	ck_assert_uint_eq(first, 15);
	rrset_put(data);
}
END_TEST

START_TEST(the_soa_of_a_denial)
{
	struct rrset *soa = set_of("example", TYPE_SOA, 5, SOA_RDATA, sizeof(SOA_RDATA) - 1, 1);
	struct answer a = {
		.rcode = RCODE_NXDOMAIN,
		.ede = EDE_NONE,
		.authority = &soa,
		.n_authority = 1,
	};
	uint8_t out[512], rdata[128];
	uint16_t rdata_len;
	struct packed to;
	struct asked k;
	struct msg_rr rr;
	struct msg m;

	ask(&k, MSG_RD, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW + 2);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(m.count[SECTION_ANSWER], 0);
	ck_assert_uint_eq(m.count[SECTION_AUTHORITY], 1);
	ck_assert_int_eq(msg_next(&m, &rr), E_OK);
	ck_assert_uint_eq(rr.type, TYPE_SOA);
	ck_assert_uint_eq(rr.ttl, 3);
	ck_assert_uint_eq(to.min_ttl, 3);
	ck_assert_int_eq(msg_rdata(&m, &rr, rdata, sizeof(rdata), &rdata_len), E_OK);
	ck_assert_uint_eq(rdata_len, sizeof(SOA_RDATA) - 1);
	ck_assert_mem_eq(rdata, SOA_RDATA, rdata_len);
	ck_assert_uint_lt(rr.rdlen, rdata_len);
	rrset_put(soa);
}
END_TEST

/* RFC 3597 4: names in newer types are written in full, however often they stand above. */
START_TEST(newer_types_are_not_compressed)
{
	static const char srv[] = "\0\1\0\2\0\3\3www\7example";
	struct rrset *s = set_of("www.example", TYPE_SRV, 5, srv, sizeof(srv), 1);
	struct answer a = { .ede = EDE_NONE, .sets = &s, .n_sets = 1 };
	uint8_t out[512];
	struct packed to;
	struct asked k;

	ask(&k, MSG_RD, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	ck_assert_uint_eq(to.len, k.q.question_end + 12 + sizeof(srv));
	ck_assert_mem_eq(out + to.len - sizeof(srv), srv, sizeof(srv));
	rrset_put(s);
}
END_TEST

/* RRSIG rdata: only its shape counts here. */
#define SIG "\0\x1c\15\2\0\0\0\5\x70\0\0\0\x60\0\0\0\0\x2a\7example\0signature"

static struct rrset *signed_set(const char *owner, uint16_t type, uint32_t ttl, const char *data,
				uint16_t len)
{
	const struct rdata rr = { .data = (const uint8_t *)data, .len = len };
	const struct rdata sig = { .data = (const uint8_t *)SIG, .len = sizeof(SIG) - 1 };
	uint8_t name[NAME_MAX_LEN];
	struct rrset *s = NULL;

	ck_assert_int_eq(name_from_text(name, owner), E_OK);
	ck_assert_int_eq(rrset_new(&s, name, type, ttl, NOW, RANK_AUTH_ANSWER, &rr, 1, &sig, 1),
			 E_OK);
	return s;
}

/* "TYPE/TTL" of each record, sections divided by a bar. */
static const char *shape_of(struct msg *m)
{
	static char text[256];
	unsigned section = SECTION_ANSWER;
	size_t len = 0;
	struct msg_rr rr;

	text[0] = '\0';
	while (msg_next(m, &rr) == E_OK && len < sizeof(text) - 64) {
		char type[RRTYPE_TEXT_MAX];

		for (; section < rr.section; section++)
			text[len++] = '|';
		if (rr.type != TYPE_OPT)
			len += (size_t)sprintf(text + len, " %s/%u ", rrtype_to_text(rr.type, type),
					       rr.ttl);
		text[len] = '\0';
	}
	return text;
}

START_TEST(signatures_and_proofs_are_for_who_asks)
{
	struct rrset *data = signed_set("www.example", TYPE_AAAA, 100, ADDRESS, 16);
	struct rrset *authority[] = {
		signed_set("example", TYPE_SOA, 9, SOA_RDATA, sizeof(SOA_RDATA) - 1),
		signed_set("a.example", TYPE_NSEC, 5, "\1b\7example\0\0\1\x40", 14),
	};
	struct answer expanded = {
		.ede = EDE_NONE,
		.sets = &data,
		.n_sets = 1,
		.authority = authority + 1,
		.n_authority = 1,
		.security = SEC_SECURE,
	};
	struct answer denial = {
		.rcode = RCODE_NXDOMAIN,
		.ede = EDE_NONE,
		.authority = authority,
		.n_authority = 2,
		.security = SEC_SECURE,
	};
	static const struct {
		unsigned wants;
		const char *expanded, *denial;
	} table[] = {
		{ 0, " AAAA/98 ", "| SOA/7 " },
		{ QUERY_AD | QUERY_VALIDATE | QUERY_REFUSE, " AAAA/98 ", "| SOA/7 " },
		{ QUERY_SIGNED, " AAAA/98  RRSIG/98 | NSEC/3  RRSIG/3 ",
		  "| SOA/7  RRSIG/7  NSEC/3  RRSIG/3 " },
		{ QUERY_SIGNED | QUERY_AD, " AAAA/98  RRSIG/98 | NSEC/3  RRSIG/3 ",
		  "| SOA/7  RRSIG/7  NSEC/3  RRSIG/3 " },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bool wants_ad = table[i].wants & QUERY_AD;
		uint8_t out[512];
		struct packed to;
		struct asked k;
		struct msg m;

		ask(&k, MSG_RD, table[i].wants & QUERY_SIGNED, 512);
		k.q.dnssec = (uint8_t)table[i].wants;
		answer_pack(&to, out, sizeof(out), &k.q, &expanded, true, NOW + 2);
		reread(&m, out, to.len);
		ck_assert_int_eq((m.flags & MSG_AD) != 0, wants_ad);
		ck_assert_int_eq(m.edns.dnssec_ok, (table[i].wants & QUERY_SIGNED) != 0);
		ck_assert_str_eq(shape_of(&m), table[i].expanded);
		ck_assert_uint_eq(to.min_ttl, table[i].wants & QUERY_SIGNED ? 3 : 98);
		answer_pack(&to, out, sizeof(out), &k.q, &denial, true, NOW + 2);
		reread(&m, out, to.len);
		ck_assert_int_eq((m.flags & MSG_AD) != 0, wants_ad);
		ck_assert_str_eq(shape_of(&m), table[i].denial);
	}
	rrset_put(data);
	rrset_put(authority[0]);
	rrset_put(authority[1]);
}
END_TEST

START_TEST(ad_is_for_what_is_secure)
{
	for (unsigned security = SEC_UNCHECKED; security <= SEC_BOGUS; security++) {
		struct answer a = { .ede = EDE_NONE, .security = (enum security)security };
		uint8_t out[512];
		struct packed to;
		struct asked k;
		struct msg m;

		ask(&k, MSG_RD | MSG_CD, true, 512);
		k.q.dnssec = QUERY_AD;
		answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
		reread(&m, out, to.len);
		ck_assert_int_eq((m.flags & MSG_AD) != 0, security == SEC_SECURE);
		ck_assert(m.flags & MSG_CD);
	}
}
END_TEST

/* RFC 4035 3.1.1: signatures that do not fit are not left out in silence. */
START_TEST(signatures_that_do_not_fit)
{
	struct rrset *data = signed_set("www.example", TYPE_AAAA, 100, ADDRESS, 16);
	const struct rdata long_sig = { .data = (const uint8_t[600]) { 0, 28, 13 }, .len = 600 };
	const struct rdata rr = { .data = (const uint8_t *)ADDRESS, .len = 16 };
	struct rrset *large = NULL;
	struct answer a = { .ede = EDE_NONE, .sets = &large, .n_sets = 1 };
	uint8_t out[512];
	struct packed to;
	struct asked k;
	struct msg m;

	ck_assert_int_eq(rrset_new(&large, rrset_owner(data), TYPE_AAAA, 100, NOW, RANK_AUTH_ANSWER,
				   &rr, 1, &long_sig, 1),
			 E_OK);
	ask(&k, MSG_RD, true, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	ck_assert(!to.truncated);
	k.q.dnssec = QUERY_SIGNED;
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert(to.truncated && (m.flags & MSG_TC));
	ck_assert_uint_eq(m.count[SECTION_ANSWER], 0);
	rrset_put(data);
	rrset_put(large);
}
END_TEST

START_TEST(edns_and_extended_errors)
{
	struct answer a = { .rcode = RCODE_SERVFAIL,
			    .ede = EDE_NO_REACHABLE_AUTHORITY,
			    .ede_text = "all silent" };
	const uint8_t *option;
	uint16_t option_len;
	uint8_t out[512];
	struct packed to;
	struct asked k;
	struct msg m;

	ask(&k, MSG_RD, true, 4096);
	k.q.dnssec = QUERY_SIGNED;
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.rcode, RCODE_SERVFAIL);
	ck_assert(m.edns.present && m.edns.dnssec_ok);
	ck_assert_uint_eq(m.edns.payload, 1232);
	ck_assert_uint_eq(m.edns.version, 0);
	ck_assert_int_eq(msg_edns_option(&m.edns, 15, &option, &option_len), E_OK);
	ck_assert_uint_eq(option_len, 12);
	ck_assert_mem_eq(option,
			 "\0\x16"
			 "all silent",
			 12);

	a.ede_text = NULL;
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert_int_eq(msg_edns_option(&m.edns, 15, &option, &option_len), E_OK);
	ck_assert_uint_eq(option_len, 2);

	a.is_remembered = true;
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.edns.options_len, 12);
	ck_assert_mem_eq(m.edns.options, "\0\xf\0\2\0\x16\0\xf\0\2\0\xd", 12);

	answer_pack(&to, out, sizeof(out), &k.q, &a, false, NOW);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.edns.options_len, 0);

	ask(&k, MSG_RD, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert(!m.edns.present);
}
END_TEST

START_TEST(a_long_rcode_needs_edns)
{
	struct answer a = { .rcode = RCODE_BADVERS, .ede = EDE_NONE };
	uint8_t out[512];
	struct packed to;
	struct asked k;
	struct msg m;

	ask(&k, MSG_RD, true, 1232);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.rcode, RCODE_BADVERS);
	ask(&k, MSG_RD, false, 512);
	answer_pack(&to, out, sizeof(out), &k.q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert_uint_eq(m.rcode, RCODE_SERVFAIL);
}
END_TEST

START_TEST(limits)
{
	struct asked k;

	ask(&k, 0, true, 4096);
	ck_assert_uint_eq(answer_limit(&k.q, false, 1232), 1232);
	ck_assert_uint_eq(answer_limit(&k.q, true, 1232), 65535);
	ck_assert_uint_eq(answer_limit(&k.q, false, 0), 512);
	ask(&k, 0, true, 1000);
	ck_assert_uint_eq(answer_limit(&k.q, false, 1232), 1000);
	ask(&k, 0, false, 512);
	ck_assert_uint_eq(answer_limit(&k.q, false, 1232), 512);
}
END_TEST

/* At every limit: all of it, or TC and nothing; never a byte too many. */
START_TEST(what_does_not_fit_is_not_sent)
{
	struct rrset *data = set_of("www.example", TYPE_AAAA, 30, ADDRESS, 16, 20);
	struct answer a = { .ede = EDE_NONE, .sets = &data, .n_sets = 1, .cacheable = true };
	size_t whole = 0;

	for (int edns = 0; edns <= 1; edns++) {
		struct packed to;
		struct asked k;

		ask(&k, MSG_RD, edns, 1232);
		whole = k.q.question_end + 20 * 28 + (edns ? 11U : 0U);
		for (size_t limit = whole - 12; limit <= whole + 1; limit++) {
			uint8_t out[1232];
			struct msg m;

			memset(out, 0x5a, sizeof(out));
			answer_pack(&to, out, limit, &k.q, &a, true, NOW);
			ck_assert_uint_eq(out[limit], 0x5a);
			reread(&m, out, to.len);
			ck_assert_int_eq(to.truncated, limit < whole);
			ck_assert_int_eq((m.flags & MSG_TC) != 0, limit < whole);
			ck_assert_uint_eq(m.count[SECTION_ANSWER], limit < whole ? 0 : 20);
			ck_assert_int_eq(m.edns.present, edns);
			ck_assert_uint_eq(to.min_ttl, limit < whole ? 0 : 30);
		}
	}
	rrset_put(data);
}
END_TEST

START_TEST(the_longest_name_and_text_fit_512_bytes)
{
	static const char text[] =
		"0123456789012345678901234567890123456789012345678901234567890123"
		"0123456789012345678901234567890123456789012345678901234567890123";
	struct answer a = {
		.rcode = RCODE_SERVFAIL, .ede = EDE_OTHER, .ede_text = text, .is_remembered = true
	};
	uint8_t wire[QUERY_HEAD_MAX] = { 0 }, out[512];
	struct query q = { .wire = wire, .question_end = QUERY_HEAD_MAX, .edns = true };
	struct packed to;
	struct msg m;

	wire[5] = 1;
	for (size_t at = 0; at < 254; at += 2) {
		wire[WIRE_HEADER_LEN + at] = 1;
		wire[WIRE_HEADER_LEN + at + 1] = 'x';
	}
	answer_pack(&to, out, sizeof(out), &q, &a, true, NOW);
	reread(&m, out, to.len);
	ck_assert(!to.truncated);
	ck_assert_uint_eq(m.edns.options_len, 6 + ANSWER_EDE_TEXT_MAX + 6);
}
END_TEST

START_TEST(truncated_on_purpose)
{
	uint8_t out[512];
	struct packed to;
	struct asked k;
	struct msg m;

	ask(&k, MSG_RD, true, 1232);
	answer_pack_truncated(&to, out, sizeof(out), &k.q);
	reread(&m, out, to.len);
	ck_assert(to.truncated && (m.flags & MSG_TC));
	ck_assert_uint_eq(m.rcode, RCODE_NOERROR);
	ck_assert(m.edns.present);
}
END_TEST

START_TEST(a_header_alone)
{
	/* opcode 4 (NOTIFY), every flag set, counts that mean nothing */
	static const uint8_t query[WIRE_HEADER_LEN] = { 0xbe, 0xef, 0x27, 0xff, 0, 9,
							0,    9,    0,    9,    0, 9 };
	uint8_t out[WIRE_HEADER_LEN];

	ck_assert_uint_eq(answer_pack_header(out, query, RCODE_NOTIMP), WIRE_HEADER_LEN);
	ck_assert_mem_eq(out, "\xbe\xef\xa1\x84\0\0\0\0\0\0\0\0", WIRE_HEADER_LEN);
}
END_TEST

Suite *suite_answer(void)
{
	Suite *s = suite_create("answer");
	TCase *tc = tcase_create("answer");

	tcase_add_test(tc, flags_and_question_are_the_clients);
	tcase_add_test(tc, an_alias_and_its_data);
	tcase_add_test(tc, records_begin_at_another_for_each_id);
	tcase_add_test(tc, the_soa_of_a_denial);
	tcase_add_test(tc, newer_types_are_not_compressed);
	tcase_add_test(tc, signatures_and_proofs_are_for_who_asks);
	tcase_add_test(tc, ad_is_for_what_is_secure);
	tcase_add_test(tc, signatures_that_do_not_fit);
	tcase_add_test(tc, edns_and_extended_errors);
	tcase_add_test(tc, a_long_rcode_needs_edns);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, what_does_not_fit_is_not_sent);
	tcase_add_test(tc, the_longest_name_and_text_fit_512_bytes);
	tcase_add_test(tc, truncated_on_purpose);
	tcase_add_test(tc, a_header_alone);
	suite_add_tcase(s, tc);
	return s;
}
