#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrset_pack.h"
#include "common/rrtype.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000 };

static struct rrset_unpacker unpacker;
static uint8_t packed[RRSET_PACKED_MAX];
static size_t packed_len;

static struct rrset *data_set(const char *name, uint16_t type, const struct rdata *rr, size_t n,
			      const struct rdata *sig, size_t n_sig)
{
	struct rrset *s = NULL;

	ck_assert_int_eq(
		rrset_new(&s, wire(name), type, 300, NOW, RANK_AUTH_ANSWER, rr, n, sig, n_sig),
		E_OK);
	s->zone_labels = 1;
	return s;
}

/* An RRSIG over A by example., without a signature's worth. */
static const uint8_t sig_bytes[] = "\0\1\10\2\0\0\1\54\0\0\0\2\0\0\0\1\0\1\7example\0SIGN";
static const struct rdata sig_a = { sig_bytes, sizeof(sig_bytes) - 1 };
static const struct rdata two[] = { { (const uint8_t *)"\300\0\2\1", 4 },
				    { (const uint8_t *)"\300\0\2\2", 4 } };

static struct rrset *a_set(void)
{
	return data_set("www.example.", TYPE_A, two, 2, &sig_a, 1);
}

static struct rrset *soa_set(void)
{
	static const uint8_t bytes[] =
		"\2ns\7example\0\1h\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	const struct rdata rr = { bytes, sizeof(bytes) - 1 };

	return data_set("example.", TYPE_SOA, &rr, 1, NULL, 0);
}

static struct rrset *denial(enum rrset_kind kind, uint16_t type)
{
	struct rrset *soa = soa_set(), *s = NULL;

	ck_assert_int_eq(rrset_new_negative(&s, kind, wire("no.example."), type, 60, NOW,
					    RANK_AUTH_ANSWER, &soa, 1, 0),
			 E_OK);
	s->zone_labels = 1;
	rrset_put(soa);
	return s;
}

static void pack(const struct rrset *s)
{
	ck_assert(rrset_is_packable(s));
	ck_assert_int_eq(rrset_pack(s, packed, sizeof(packed), &packed_len), E_OK);
}

static int unpack_some(struct rrset **out, size_t len)
{
	/* Where a sanitizer sees what is read beyond. */
	uint8_t *copy = malloc(len + 1);
	struct wire_reader r = { .msg = copy, .len = len };
	int err;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, packed, len);
	err = rrset_unpack(out, &unpacker, &r);
	if (err == E_OK)
		ck_assert_uint_eq(r.pos, len);
	free(copy);
	return err;
}

static void same(const struct rrset *a, const struct rrset *b)
{
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_uint_eq(a->ttl, b->ttl);
	ck_assert_uint_eq(a->expires_s, b->expires_s);
	ck_assert_uint_eq(a->type, b->type);
	ck_assert_uint_eq(a->rank, b->rank);
	ck_assert_uint_eq(a->kind, b->kind);
	ck_assert_uint_eq(a->n_rr, b->n_rr);
	ck_assert_uint_eq(a->n_sig, b->n_sig);
	ck_assert_uint_eq(a->n_proofs, b->n_proofs);
	ck_assert_uint_eq(a->zone_labels, b->zone_labels);
	ck_assert_uint_eq(a->no_stale, b->no_stale);
	if (a->kind == RRSET_DATA)
		ck_assert_mem_eq(a->data, b->data, a->size - sizeof(*a));
	else
		ck_assert_mem_eq(rrset_owner(a), rrset_owner(b), a->owner_len);
	for (unsigned i = 0; i < a->n_proofs; i++)
		same(rrset_proofs(a)[i], rrset_proofs(b)[i]);
}

static void comes_back(struct rrset *s)
{
	struct rrset *back = NULL;

	pack(s);
	ck_assert_int_eq(unpack_some(&back, packed_len), E_OK);
	same(s, back);
	rrset_put(back);
	rrset_put(s);
}

START_TEST(sets_come_back)
{
	struct rrset *s = a_set();

	s->no_stale = 1;
	comes_back(s);
	comes_back(soa_set());
	comes_back(data_set("example.", TYPE_TXT, &(struct rdata) { (const uint8_t *)"\0", 1 }, 1,
			    NULL, 0));
	comes_back(denial(RRSET_NXDOMAIN, 0));
	comes_back(denial(RRSET_NODATA, TYPE_AAAA));
}
END_TEST

START_TEST(some_are_not_for_packing)
{
	struct rrset *s = a_set();
	struct rrset *failure = NULL;

	rrset_set_security(s, SEC_BOGUS, 1);
	ck_assert(!rrset_is_packable(s));
	rrset_put(s);
	s = a_set();
	rrset_set_security(s, SEC_SECURE, 0);
	ck_assert(rrset_is_packable(s));
	/* What was secure is not taken for it. */
	pack(s);
	rrset_put(s);
	ck_assert_int_eq(unpack_some(&s, packed_len), E_OK);
	ck_assert_int_eq(rrset_security(s), SEC_UNCHECKED);
	s->rank = RANK_LOCAL;
	ck_assert(!rrset_is_packable(s));
	ck_assert_int_eq(rrset_new_negative(&failure, RRSET_FAILURE, wire("a."), TYPE_A, 5, NOW,
					    RANK_NONE, NULL, 0, 1),
			 E_OK);
	ck_assert(!rrset_is_packable(failure));
	rrset_put(failure);
	/* No room. */
	s->rank = RANK_ANSWER;
	pack(s);
	for (size_t cap = 0, len = 77; cap < packed_len; cap++) {
		ck_assert_int_eq(rrset_pack(s, packed, cap, &len), E_TOO_LONG);
		ck_assert_uint_eq(len, 77);
	}
	rrset_put(s);
}
END_TEST

/* Cut short anywhere it is refused; with a bit turned anywhere it is refused or is still a set that
 * can be packed, and nothing is read beyond its end. */
static void harm(struct rrset *s)
{
	struct rrset *back = NULL;
	uint8_t whole[512];

	pack(s);
	ck_assert_uint_le(packed_len, sizeof(whole));
	memcpy(whole, packed, packed_len);
	for (size_t len = 0; len < packed_len; len++)
		ck_assert_int_lt(unpack_some(&back, len), 0);
	for (size_t bit = 0; bit < packed_len * 8; bit++) {
		struct wire_reader r = { .msg = packed, .len = packed_len };

		packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (rrset_unpack(&back, &unpacker, &r) == E_OK) {
			uint8_t again[512];
			size_t len;

			ck_assert(rrset_is_packable(back));
			ck_assert_int_eq(rrset_pack(back, again, sizeof(again), &len), E_OK);
			ck_assert_uint_le(len, r.pos);
			rrset_put(back);
			back = NULL;
		}
		memcpy(packed, whole, packed_len);
	}
	rrset_put(s);
}

START_TEST(harm_is_seen)
{
	harm(a_set());
	harm(soa_set());
	harm(denial(RRSET_NXDOMAIN, 0));
	harm(denial(RRSET_NODATA, TYPE_AAAA));
}
END_TEST

/* Of a_set(): offsets in the packed form. */
enum { KIND, RANK, SECURITY, ZONE_LABELS, TYPE, TTL = 6, OWNER = 14, COUNTS = 14 + 13 };

START_TEST(each_field_is_checked)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} rows[] = {
		{ KIND, RRSET_FAILURE },
		{ KIND, 4 },
		{ KIND, RRSET_NXDOMAIN }, /* that has no type */
		{ RANK, RANK_NONE },
		{ RANK, RANK_LOCAL },
		{ RANK, 200 },
		{ SECURITY, SEC_BOGUS },
		{ SECURITY, 100 },
		{ ZONE_LABELS, 3 },     /* of two */
		{ TYPE + 1, 0 },        /* none */
		{ TYPE + 1, TYPE_OPT }, /* no data */
		{ TYPE + 1, 255 },      /* ANY */
		{ TYPE + 1, TYPE_AAAA },
		{ TTL, 0x80 }, /* RFC 2181 8 */
		{ OWNER, 64 },
		{ OWNER, 0xc0 },
		{ OWNER + 1, 'W' }, /* upper case */
		{ COUNTS + 1, 0 },
		{ COUNTS, 0x20 }, /* more than there can be */
		{ COUNTS + 2, 0x20 },
		{ COUNTS + 1, 3 },
		{ COUNTS + 3, 2 },
		{ COUNTS + 5, 3 },            /* an A of 3 bytes */
		{ COUNTS + 16 + 3, TYPE_NS }, /* a signature over something else */
	};
	struct rrset *s = a_set(), *back = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pack(s);
		packed[rows[i].at] = rows[i].value;
		ck_assert_msg(unpack_some(&back, packed_len) < 0, "row %zu", i);
	}
	rrset_put(s);
}
END_TEST

/* A denial's proof has to be the SOA of a zone that it is in. */
START_TEST(proofs_are_checked)
{
	struct rrset *s = denial(RRSET_NXDOMAIN, 0), *back = NULL;
	const size_t proof = 14 + 12 + 1; /* head and owner, then how many */

	pack(s);
	packed[proof - 1] = 0;
	ck_assert_int_lt(unpack_some(&back, packed_len), 0);
	pack(s);
	packed[proof - 1] = RRSET_MAX_PROOFS + 1;
	ck_assert_int_lt(unpack_some(&back, packed_len), 0);
	pack(s);
	packed[proof + TYPE + 1] = TYPE_TXT;
	ck_assert_int_lt(unpack_some(&back, packed_len), 0);
	pack(s);
	packed[proof + OWNER + 1] = 'f'; /* fxample. */
	ck_assert_int_lt(unpack_some(&back, packed_len), 0);
	rrset_put(s);
}
END_TEST

/* Names within rdata are whole. */
START_TEST(no_name_is_compressed)
{
	static const uint8_t target[] = "\3www\7example";
	const struct rdata rr = { target, sizeof(target) };
	struct rrset *s = data_set("a.example.", TYPE_CNAME, &rr, 1, NULL, 0), *back = NULL;
	size_t rdata;

	pack(s);
	rdata = packed_len - sizeof(target);
	wire_put_u16(packed + rdata - 2, 2);
	wire_put_u16(packed + rdata, 0xc000 | 14); /* the owner */
	ck_assert_int_lt(unpack_some(&back, rdata + 2), 0);
	rrset_put(s);
}
END_TEST

Suite *suite_rrset_pack(void)
{
	Suite *s = suite_create("rrset_pack");
	TCase *tc = tcase_create("rrset_pack");

	tcase_add_test(tc, sets_come_back);
	tcase_add_test(tc, some_are_not_for_packing);
	tcase_add_test(tc, harm_is_seen);
	tcase_add_test(tc, each_field_is_checked);
	tcase_add_test(tc, proofs_are_checked);
	tcase_add_test(tc, no_name_is_compressed);
	suite_add_tcase(s, tc);
	return s;
}
