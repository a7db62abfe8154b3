/* What an answer means, and what of it is believed: one table of answers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/reply.h"

enum { NOW = 1700000000 };

/* A record of the answers below: rdata are a name, an address, or for SOA the MINIMUM. */
struct line {
	enum msg_section section;
	const char *owner;
	uint16_t type;
	uint32_t ttl;
	const char *data;
};

static struct reply reply;
static struct reply_scratch *scratch;
static struct counters counters;
static struct resolver_config cfg;
static struct reply_question question;
static uint8_t qname[NAME_MAX_LEN], zone[NAME_MAX_LEN];

static void setup(void)
{
	hash_key_set(3, 4);
	memset(&counters, 0, sizeof(counters));
	memset(&reply, 0, sizeof(reply));
	resolver_config_defaults(&cfg);
	scratch = reply_scratch_new();
	ck_assert_ptr_nonnull(scratch);
	ck_assert_int_eq(name_from_text(qname, "www.example.com."), E_OK);
	ck_assert_int_eq(name_from_text(zone, "example.com."), E_OK);
	question = (struct reply_question) {
		.name = qname,
		.type = TYPE_A,
		.zone = zone,
		.now_s = NOW,
		.has_delegation = true,
		.delegation_expires_s = NOW + 1000,
	};
}

static void teardown(void)
{
	reply_clear(&reply);
	reply_scratch_free(scratch);
}

static void rdata_write(struct wire_writer *w, const struct line *l)
{
	uint8_t name[NAME_MAX_LEN];
	size_t at = w->len;

	ck_assert_int_eq(wire_write_u16(w, 0), E_OK);
	if (l->type == TYPE_A) {
		ck_assert_int_eq(wire_write_bytes(w, "\xc0\0\2", 3), E_OK);
		ck_assert_int_eq(wire_write_u8(w, (uint8_t)atoi(l->data)), E_OK);
	} else if (l->type == TYPE_SOA) {
		ck_assert_int_eq(wire_write_bytes(w, "\0\0", 2), E_OK);
		for (unsigned i = 0; i < 4; i++)
			ck_assert_int_eq(wire_write_u32(w, 1), E_OK);
		ck_assert_int_eq(wire_write_u32(w, (uint32_t)atoi(l->data)), E_OK);
	} else {
		ck_assert_int_eq(name_from_text(name, l->data), E_OK);
		ck_assert_int_eq(wire_write_name_plain(w, name), E_OK);
	}
	wire_put_u16(w->buf + at, (uint16_t)(w->len - at - 2));
}

static int read_answer(unsigned flags, const struct line *lines, size_t n)
{
	static uint8_t wire[65535];
	uint8_t owner[NAME_MAX_LEN];
	struct wire_writer w;
	struct msg m;

	wire_writer_init(&w, wire, sizeof(wire));
	memset(wire, 0, WIRE_HEADER_LEN);
	w.len = WIRE_HEADER_LEN;
	wire_put_u16(wire + 2, (uint16_t)(MSG_QR | flags));
	wire_put_u16(wire + 4, 1);
	ck_assert_int_eq(wire_write_name(&w, question.name), E_OK);
	ck_assert_int_eq(wire_write_u16(&w, question.type), E_OK);
	ck_assert_int_eq(wire_write_u16(&w, CLASS_IN), E_OK);
	for (size_t i = 0; i < n; i++) {
		uint8_t *count = wire + 4 + 2 * lines[i].section;

		ck_assert_int_eq(name_from_text(owner, lines[i].owner), E_OK);
		ck_assert_int_eq(wire_write_name(&w, owner), E_OK);
		ck_assert_int_eq(wire_write_u16(&w, lines[i].type), E_OK);
		ck_assert_int_eq(wire_write_u16(&w, CLASS_IN), E_OK);
		ck_assert_int_eq(wire_write_u32(&w, lines[i].ttl), E_OK);
		rdata_write(&w, &lines[i]);
		wire_put_u16(count, (uint16_t)(wire_get_u16(count) + 1));
	}
	ck_assert_int_eq(msg_open(&m, wire, w.len), E_OK);
	reply_clear(&reply);
	return reply_read(&reply, scratch, &m, &question, &cfg, &counters);
}

/* The set kept for (owner, type), or NULL. */
static const struct reply_kept *kept(const char *owner, uint16_t type)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, owner), E_OK);
	for (unsigned i = 0; i < reply.n_keep; i++)
		if (reply.keep[i].set->type == type &&
		    name_equal(rrset_owner(reply.keep[i].set), name))
			return &reply.keep[i];
	return NULL;
}

#define AN SECTION_ANSWER
#define AU SECTION_AUTHORITY
#define AD SECTION_ADDITIONAL

/* One line each: flags, up to three records, what it must be taken for. */
static const struct {
	unsigned flags;
	struct line lines[3];
	enum reply_kind kind;
} kinds[] = {
	{ MSG_AA, { { AN, "www.example.com.", TYPE_A, 60, "1" } }, REPLY_ANSWER },
	{ 0, { { AN, "www.example.com.", TYPE_A, 60, "1" } }, REPLY_ANSWER },
	{ MSG_AA, { { AN, "www.example.com.", TYPE_CNAME, 60, "a.example.net." } }, REPLY_ALIAS },
	{ MSG_AA, { { AN, "example.com.", TYPE_DNAME, 60, "example.net." } }, REPLY_ALIAS },
	{ MSG_AA, { { AU, "example.com.", TYPE_SOA, 60, "60" } }, REPLY_NODATA },
	{ 0, { { AU, "example.com.", TYPE_SOA, 60, "60" } }, REPLY_NODATA },
	{ MSG_AA, { { 0, NULL, 0, 0, NULL } }, REPLY_NODATA },
	{ MSG_AA | RCODE_NXDOMAIN, { { AU, "example.com.", TYPE_SOA, 60, "60" } }, REPLY_NXDOMAIN },
	{ MSG_AA | RCODE_NXDOMAIN, { { 0, NULL, 0, 0, NULL } }, REPLY_NXDOMAIN },
	{ RCODE_NXDOMAIN, { { 0, NULL, 0, 0, NULL } }, REPLY_LAME },
	{ 0, { { AU, "www.example.com.", TYPE_NS, 60, "ns.example.net." } }, REPLY_REFERRAL },
	{ MSG_AA, { { AU, "www.example.com.", TYPE_NS, 60, "ns.example.net." } }, REPLY_REFERRAL },
	/* Upward, sideways and to itself: no referral. */
	{ 0, { { AU, "com.", TYPE_NS, 60, "ns.example.net." } }, REPLY_LAME },
	{ 0, { { AU, "ftp.example.com.", TYPE_NS, 60, "ns.example.net." } }, REPLY_LAME },
	{ 0, { { AU, "example.com.", TYPE_NS, 60, "ns.example.net." } }, REPLY_LAME },
	{ 0, { { 0, NULL, 0, 0, NULL } }, REPLY_LAME },
	/* An answer to another question is none. */
	{ 0, { { AN, "ftp.example.com.", TYPE_A, 60, "1" } }, REPLY_LAME },
	/* A SOA from outside the zone closes nothing. */
	{ RCODE_NXDOMAIN, { { AU, "com.", TYPE_SOA, 60, "60" } }, REPLY_LAME },
};

START_TEST(answers_are_understood)
{
	size_t n = 0;

	while (n < 3 && kinds[_i].lines[n].owner != NULL)
		n++;
	ck_assert_int_eq(read_answer(kinds[_i].flags, kinds[_i].lines, n), E_OK);
	ck_assert_int_eq(reply.kind, kinds[_i].kind);
}
END_TEST

START_TEST(only_what_is_theirs_is_believed)
{
	static const struct line lines[] = {
		{ AN, "www.example.com.", TYPE_CNAME, 60, "www.example.net." },
		{ AN, "www.example.net.", TYPE_A, 60, "66" },
		{ AU, "example.com.", TYPE_NS, 60, "ns.example.com." },
		{ AU, "com.", TYPE_NS, 60, "ns.evil.com." },
		{ AU, "example.net.", TYPE_NS, 60, "ns.evil.com." },
		{ AD, "ns.example.com.", TYPE_A, 60, "3" },
		{ AD, "ns.evil.com.", TYPE_A, 60, "66" },
		{ AD, "ftp.example.com.", TYPE_A, 60, "4" }, /* nobody's name server */
	};

	ck_assert_int_eq(read_answer(MSG_AA, lines, 8), E_OK);
	ck_assert_int_eq(reply.kind, REPLY_ALIAS);
	ck_assert_uint_eq(reply.n_keep, 3);
	ck_assert_int_eq(kept("www.example.com.", TYPE_CNAME)->set->rank, RANK_AUTH_ANSWER);
	ck_assert_int_eq(kept("example.com.", TYPE_NS)->set->rank, RANK_AUTH_AUTHORITY);
	ck_assert_int_eq(kept("ns.example.com.", TYPE_A)->set->rank, RANK_ADDITIONAL);
	ck_assert_uint_eq(reply.out_of_bailiwick, 4);
	ck_assert_uint_eq(counter_get(&counters.out_of_bailiwick), 4);
}
END_TEST

START_TEST(ranks_follow_rfc_2181)
{
	static const struct line chain[] = {
		{ AN, "www.example.com.", TYPE_CNAME, 60, "a.example.com." },
		{ AN, "a.example.com.", TYPE_A, 60, "1" },
	};
	static const struct line referral[] = {
		{ AU, "www.example.com.", TYPE_NS, 60, "ns.www.example.com." },
		{ AD, "ns.www.example.com.", TYPE_A, 60, "1" },
	};

	ck_assert_int_eq(read_answer(MSG_AA, chain, 2), E_OK);
	ck_assert_int_eq(kept("www.example.com.", TYPE_CNAME)->set->rank, RANK_AUTH_ANSWER);
	ck_assert_int_eq(kept("a.example.com.", TYPE_A)->set->rank, RANK_ANSWER);
	ck_assert_int_eq(read_answer(0, chain, 2), E_OK);
	ck_assert_int_eq(kept("www.example.com.", TYPE_CNAME)->set->rank, RANK_ANSWER);
	ck_assert_int_eq(read_answer(0, referral, 2), E_OK);
	ck_assert_int_eq(kept("www.example.com.", TYPE_NS)->set->rank, RANK_REFERRAL);
	ck_assert(kept("www.example.com.", TYPE_NS)->as_delegation);
	ck_assert(kept("ns.www.example.com.", TYPE_A)->as_delegation);
}
END_TEST

START_TEST(a_referral_knows_how_soon_its_glue_ends)
{
	static const struct line referral[] = {
		{ AU, "www.example.com.", TYPE_NS, 60, "ns.www.example.com." },
		{ AU, "www.example.com.", TYPE_NS, 60, "ns.example.com." },
		{ AD, "ns.www.example.com.", TYPE_A, 7, "1" },
		{ AD, "ns.example.com.", TYPE_A, 3, "1" },
	};

	ck_assert_int_eq(read_answer(0, referral, 2), E_OK);
	ck_assert_uint_eq(reply.referral->glue_s, RRSET_GLUE_LONG);
	/* Another server's address can be looked up elsewhere. */
	ck_assert_int_eq(read_answer(0, referral, 4), E_OK);
	ck_assert_uint_eq(reply.referral->glue_s, 7);
}
END_TEST

START_TEST(a_zone_does_not_outlive_its_delegation)
{
	static const struct line own[] = {
		{ AN, "www.example.com.", TYPE_A, 86400, "1" },
		{ AU, "example.com.", TYPE_NS, 86400, "ns.example.com." },
	};
	static const struct line below[] = {
		{ AU, "www.example.com.", TYPE_NS, 86400, "ns.example.net." },
	};

	ck_assert_int_eq(read_answer(MSG_AA, own, 2), E_OK);
	ck_assert_uint_eq(kept("example.com.", TYPE_NS)->set->ttl, 1000);
	ck_assert_uint_eq(kept("www.example.com.", TYPE_A)->set->ttl, 86400);
	ck_assert_int_eq(read_answer(0, below, 1), E_OK);
	ck_assert_uint_eq(kept("www.example.com.", TYPE_NS)->set->ttl, 1000);
	question.delegation_expires_s = NOW;
	ck_assert_int_eq(read_answer(0, below, 1), E_OK);
	ck_assert_int_eq(reply.kind, REPLY_REFERRAL);
	ck_assert_ptr_null(kept("www.example.com.", TYPE_NS));
}
END_TEST

START_TEST(negative_ttl_is_the_lesser)
{
	static const struct line soas[][1] = {
		{ { AU, "example.com.", TYPE_SOA, 60, "900" } },
		{ { AU, "example.com.", TYPE_SOA, 900, "60" } },
		{ { AU, "example.com.", TYPE_SOA, 86400, "86400" } },
		{ { AU, "example.com.", TYPE_SOA, 86400, "0" } },
	};
	static const uint32_t expected[] = { 60, 60, 3600, 1 };

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(read_answer(MSG_AA | RCODE_NXDOMAIN, soas[i], 1), E_OK);
		ck_assert_uint_eq(reply.negative->ttl, expected[i]);
		ck_assert_uint_eq(rrset_proofs(reply.negative)[0]->ttl, expected[i]);
	}
}
END_TEST

START_TEST(ttls_have_floor_and_cap)
{
	static const struct line low[] = { { AN, "www.example.com.", TYPE_A, 0, "1" } };
	static const struct line high[] = { { AN, "www.example.com.", TYPE_A, 600000, "1" } };
	static const struct line two[] = {
		{ AN, "www.example.com.", TYPE_A, 300, "1" },
		{ AN, "www.example.com.", TYPE_A, 200, "2" },
	};

	ck_assert_int_eq(read_answer(MSG_AA, low, 1), E_OK);
	ck_assert_uint_eq(reply.answer->ttl, 1);
	ck_assert_int_eq(read_answer(MSG_AA, high, 1), E_OK);
	ck_assert_uint_eq(reply.answer->ttl, 86400);
	/* RFC 2181 5.2: one set, one TTL. */
	ck_assert_int_eq(read_answer(MSG_AA, two, 2), E_OK);
	ck_assert_uint_eq(reply.answer->ttl, 200);
	ck_assert_uint_eq(reply.answer->n_rr, 2);
}
END_TEST

START_TEST(a_set_too_large_is_not_used)
{
	struct line *lines = calloc(300, sizeof(*lines));
	char numbers[300][4];

	ck_assert_ptr_nonnull(lines);
	for (size_t i = 0; i < 300; i++) {
		snprintf(numbers[i], sizeof(numbers[i]), "%u", (unsigned)(i % 256));
		lines[i] = (struct line) { AN, "www.example.com.", TYPE_A, 60, numbers[i] };
	}
	ck_assert_int_eq(read_answer(MSG_AA, lines, 256), E_OK);
	ck_assert_int_eq(reply.kind, REPLY_ANSWER);
	ck_assert_int_eq(read_answer(MSG_AA, lines, 257), E_OK);
	ck_assert_int_eq(reply.kind, REPLY_UNUSABLE);
	ck_assert_uint_eq(counter_get(&counters.limit_rrset), 1);
	ck_assert_uint_eq(reply.n_keep, 0);
	free(lines);
}
END_TEST

START_TEST(an_answer_of_too_many_sets_is_not_used)
{
	enum { SETS = REPLY_GROUPS_MAX + 1 };
	struct line *lines = calloc(SETS, sizeof(*lines));
	char(*owners)[32] = calloc(SETS, sizeof(*owners));

	ck_assert_ptr_nonnull(lines);
	ck_assert_ptr_nonnull(owners);
	for (size_t i = 0; i < SETS; i++) {
		snprintf(owners[i], sizeof(owners[i]), "n%zu.example.com.", i);
		lines[i] = (struct line) { AN, owners[i], TYPE_A, 60, "1" };
	}
	lines[0].owner = "www.example.com.";
	ck_assert_int_eq(read_answer(MSG_AA, lines, SETS - 1), E_OK);
	ck_assert_int_eq(reply.kind, REPLY_ANSWER);
	ck_assert_uint_eq(counter_get(&counters.limit_records), 0);
	ck_assert_int_eq(read_answer(MSG_AA, lines, SETS), E_OK);
	ck_assert_int_eq(reply.kind, REPLY_UNUSABLE);
	ck_assert_uint_eq(counter_get(&counters.limit_records), 1);
	free(lines);
	free(owners);
}
END_TEST

START_TEST(dname_makes_names)
{
	uint8_t out[NAME_MAX_LEN], name[NAME_MAX_LEN], owner[NAME_MAX_LEN], target[NAME_MAX_LEN];
	char longest[300] = "", text[NAME_TEXT_MAX];

	ck_assert_int_eq(name_from_text(name, "a.b.example.com."), E_OK);
	ck_assert_int_eq(name_from_text(owner, "example.com."), E_OK);
	ck_assert_int_eq(name_from_text(target, "x.net."), E_OK);
	ck_assert_int_eq(dname_substitute(out, name, owner, target), E_OK);
	ck_assert_str_eq(name_to_text(text, out), "a.b.x.net.");
	ck_assert_int_eq(dname_substitute(out, name, owner, name_root), E_OK);
	ck_assert_str_eq(name_to_text(text, out), "a.b.");
	for (unsigned i = 0; i < 125; i++)
		strcat(longest, "a.");
	ck_assert_int_eq(name_from_text(target, longest), E_OK);
	ck_assert_int_eq(dname_substitute(out, name, owner, target), E_OK);
	strcat(longest, "a.");
	ck_assert_int_eq(name_from_text(target, longest), E_OK);
	ck_assert_int_eq(dname_substitute(out, name, owner, target), E_TOO_LONG);
}
END_TEST

Suite *suite_reply(void)
{
	Suite *s = suite_create("reply");
	TCase *c = tcase_create("reply");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, answers_are_understood, 0, (int)(sizeof(kinds) / sizeof(kinds[0])));
	tcase_add_test(c, only_what_is_theirs_is_believed);
	tcase_add_test(c, ranks_follow_rfc_2181);
	tcase_add_test(c, a_referral_knows_how_soon_its_glue_ends);
	tcase_add_test(c, a_zone_does_not_outlive_its_delegation);
	tcase_add_test(c, negative_ttl_is_the_lesser);
	tcase_add_test(c, ttls_have_floor_and_cap);
	tcase_add_test(c, a_set_too_large_is_not_used);
	tcase_add_test(c, an_answer_of_too_many_sets_is_not_used);
	tcase_add_test(c, dname_makes_names);
	suite_add_tcase(s, c);
	return s;
}
