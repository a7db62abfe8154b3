#include "common/rrset.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"

static const uint8_t owner[] = "\3www\7example\3com";

static struct rdata rdata_of(const char *bytes, size_t len)
{
	return (struct rdata) { .data = (const uint8_t *)bytes, .len = (uint16_t)len };
}

static struct rrset *set_of(uint16_t type, const struct rdata *rr, size_t n)
{
	struct rrset *s = NULL;

	ck_assert_int_eq(rrset_new(&s, owner, type, 300, 1000, RANK_ANSWER, rr, n, NULL, 0), E_OK);
	return s;
}

/* `n` records of 4 bytes that count from `first` on. */
static struct rrset *counting(uint32_t first, size_t n, bool backwards)
{
	struct rdata *rr = calloc(n, sizeof(*rr));
	uint8_t *bytes = calloc(n, 4);
	struct rrset *s;

	ck_assert(rr != NULL && bytes != NULL);
	for (size_t i = 0; i < n; i++) {
		wire_put_u32(bytes + 4 * i, first + (uint32_t)(backwards ? n - 1 - i : i));
		rr[i] = (struct rdata) { .data = bytes + 4 * i, .len = 4 };
	}
	s = set_of(TYPE_A, rr, n);
	free(rr);
	free(bytes);
	return s;
}

START_TEST(holds_what_it_was_given)
{
	const struct rdata rr[] = { rdata_of("abcd", 4), rdata_of("", 0), rdata_of("xyz", 3) };
	const struct rdata sig[] = { rdata_of("sig1", 4), rdata_of("sig22", 5) };
	struct rrset *s = NULL;
	struct rdata got;
	size_t at = 0;

	ck_assert_int_eq(rrset_new(&s, owner, TYPE_TXT, 300, 1000, RANK_AUTH_ANSWER, rr, 3, sig, 2),
			 E_OK);
	ck_assert(name_equal_case(rrset_owner(s), owner));
	ck_assert_uint_eq(s->owner_len, sizeof(owner));
	ck_assert_uint_eq(s->type, TYPE_TXT);
	ck_assert_uint_eq(s->ttl, 300);
	ck_assert_uint_eq(s->expires_s, 1300);
	ck_assert_uint_eq(s->kind, RRSET_DATA);
	ck_assert_uint_eq(s->rank, RANK_AUTH_ANSWER);
	ck_assert_uint_eq(rrset_security(s), SEC_UNCHECKED);
	ck_assert_uint_eq(s->glue_s, RRSET_GLUE_LONG);
	ck_assert_uint_eq(s->n_rr, 3);
	ck_assert_uint_eq(s->n_sig, 2);
	ck_assert_uint_eq(s->size, offsetof(struct rrset, data) + sizeof(owner) + 13 + 13 + 4);
	for (size_t i = 0; i < ARRAY_LEN(rr); i++) {
		ck_assert(rrset_next(s, &at, &got));
		ck_assert_uint_eq(got.len, rr[i].len);
		ck_assert(memcmp(got.data, rr[i].data, got.len) == 0);
	}
	ck_assert(!rrset_next(s, &at, &got));
	ck_assert(!rrset_next(s, &at, &got));
	at = 0;
	for (size_t i = 0; i < ARRAY_LEN(sig); i++) {
		ck_assert(rrset_next_sig(s, &at, &got));
		ck_assert_uint_eq(got.len, sig[i].len);
		ck_assert(memcmp(got.data, sig[i].data, got.len) == 0);
	}
	ck_assert(!rrset_next_sig(s, &at, &got));
	rrset_put(s);
	rrset_put(NULL);
}
END_TEST

START_TEST(equal_records_are_kept_once)
{
	const struct rdata rr[] = { rdata_of("abcd", 4), rdata_of("abc", 3), rdata_of("abcd", 4),
				    rdata_of("abce", 4), rdata_of("abc", 3) };
	const struct rdata sig[] = { rdata_of("s", 1), rdata_of("s", 1) };
	struct rrset *s = NULL;
	struct rdata got;
	size_t at = 0;

	ck_assert_int_eq(rrset_new(&s, owner, TYPE_TXT, 1, 1, RANK_ANSWER, rr, 5, sig, 2), E_OK);
	ck_assert_uint_eq(s->n_rr, 3);
	ck_assert_uint_eq(s->n_sig, 1);
	/* The first of each, in order. */
	ck_assert(rrset_next(s, &at, &got) && got.len == 4 && got.data[3] == 'd');
	ck_assert(rrset_next(s, &at, &got) && got.len == 3);
	ck_assert(rrset_next(s, &at, &got) && got.len == 4 && got.data[3] == 'e');
	ck_assert(!rrset_next(s, &at, &got));
	ck_assert_uint_eq(s->size, offsetof(struct rrset, data) + sizeof(owner) + 17 + 3 + 4);
	rrset_put(s);
}
END_TEST

/* Above and below the number at which the way of comparing changes. */
START_TEST(equal_records_among_many)
{
	enum { MOST = RRSET_MAX_RECORDS };
	static uint8_t bytes[MOST][4];
	static struct rdata rr[MOST];

	for (size_t n = 2; n <= MOST; n = n * 3 / 2 + 1) {
		struct rrset *s;
		struct rdata got;
		size_t at = 0;
		uint32_t next = 0;

		/* 0 1 2 ... twice over */
		for (uint32_t i = 0; i < n; i++) {
			wire_put_u32(bytes[i], i % (uint32_t)(n / 2));
			rr[i] = (struct rdata) { .data = bytes[i], .len = 4 };
		}
		s = set_of(TYPE_A, rr, n);
		ck_assert_uint_eq(s->n_rr, n / 2);
		while (rrset_next(s, &at, &got))
			ck_assert_uint_eq(wire_get_u32(got.data), next++);
		ck_assert_uint_eq(next, n / 2);
		rrset_put(s);
	}
}
END_TEST

START_TEST(limits)
{
	static struct rdata rr[RRSET_MAX_RECORDS + 1];
	static uint8_t bytes[RRSET_MAX_RECORDS + 1][4];
	static const uint8_t big[65535];
	struct rrset *s = NULL;

	for (uint32_t i = 0; i < ARRAY_LEN(rr); i++) {
		wire_put_u32(bytes[i], i);
		rr[i] = (struct rdata) { .data = bytes[i], .len = 4 };
	}
	ck_assert_int_eq(
		rrset_new(&s, owner, TYPE_A, 1, 1, RANK_ANSWER, rr, ARRAY_LEN(rr), NULL, 0),
		E_LIMIT);
	ck_assert_int_eq(rrset_new(&s, owner, TYPE_A, 1, 1, RANK_ANSWER, rr, 1, rr, ARRAY_LEN(rr)),
			 E_LIMIT);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(rrset_new(&s, owner, TYPE_A, 1, 1, RANK_ANSWER, rr, RRSET_MAX_RECORDS, rr,
				   RRSET_MAX_SIGS),
			 E_OK);
	ck_assert_uint_eq(s->n_rr, RRSET_MAX_RECORDS);
	ck_assert_uint_eq(s->n_sig, RRSET_MAX_SIGS);
	rrset_put(s);

	rr[0] = (struct rdata) { .data = big, .len = 65535 };
	rr[1] = (struct rdata) { .data = big, .len = 65534 };
	s = NULL;
	ck_assert_int_eq(rrset_new(&s, owner, TYPE_TXT, 1, 1, RANK_ANSWER, rr, 2, NULL, 0),
			 E_LIMIT);
	ck_assert_ptr_null(s);
	rr[1].len = 60000;
	ck_assert_int_eq(rrset_new(&s, owner, TYPE_TXT, 1, 1, RANK_ANSWER, rr, 2, NULL, 0), E_OK);
	ck_assert_uint_le(s->size, RRSET_MAX_BYTES);
	rrset_put(s);
}
END_TEST

START_TEST(negative_holds_its_proofs)
{
	struct rdata rr = rdata_of("soa", 3);
	struct rrset *soa = set_of(TYPE_SOA, &rr, 1), *nsec = set_of(TYPE_NSEC, &rr, 1);
	struct rrset *proofs[] = { soa, nsec }, *s = NULL, *nine[RRSET_MAX_PROOFS + 1];
	static const uint8_t names[][8] = { "", "\1a", "\2ab", "\3abc", "\4abcd", "\5abcde" };
	struct rdata got;
	size_t at = 0;

	/* Owners of every length modulo a pointer's size. */
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_int_eq(rrset_new_negative(&s, RRSET_NXDOMAIN, names[i], 0, 60, 1000,
						    RANK_AUTH_AUTHORITY, proofs, 2, 0),
				 E_OK);
		ck_assert_uint_eq(s->kind, RRSET_NXDOMAIN);
		ck_assert_uint_eq(s->n_proofs, 2);
		ck_assert(name_equal(rrset_owner(s), names[i]));
		ck_assert_ptr_eq(rrset_proofs(s)[0], soa);
		ck_assert_ptr_eq(rrset_proofs(s)[1], nsec);
		ck_assert_uint_eq(atomic_load(&soa->refs), 2);
		ck_assert(!rrset_next(s, &at, &got));
		ck_assert(!rrset_next_sig(s, &at, &got));
		rrset_put(s);
		ck_assert_uint_eq(atomic_load(&soa->refs), 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(nine); i++)
		nine[i] = soa;
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NODATA, owner, TYPE_A, 60, 1000,
					    RANK_AUTH_AUTHORITY, nine, ARRAY_LEN(nine), 0),
			 E_LIMIT);
	ck_assert_uint_eq(atomic_load(&soa->refs), 1);
	rrset_put(soa);
	rrset_put(nsec);
}
END_TEST

/* Data of every length modulo a pointer's size, with and without RRSIGs. */
START_TEST(data_may_have_proofs)
{
	struct rdata rr = rdata_of("nsec", 4), got;
	struct rrset *proof = set_of(TYPE_NSEC, &rr, 1), *proofs[] = { proof, proof };

	for (unsigned i = 0; i < 32; i++) {
		const struct rdata data[] = { rdata_of("abcdefghijklmnop", i % 16 + 1),
					      rdata_of("abcdefghijklmnop", i % 16 + 1) };
		const struct rdata sigs[] = { rdata_of("1234", 4), rdata_of("5678", 4) };
		size_t n_sig = i < 16 ? 2 : 0, at = 0, sig_at = 0;
		struct rrset *s = NULL, *copy = NULL;

		ck_assert_int_eq(rrset_new_proved(&s, owner, TYPE_TXT, 60, 1000, RANK_AUTH_ANSWER,
						  data, 2, sigs, n_sig, proofs, 2),
				 E_OK);
		ck_assert_int_eq(rrset_copy(&copy, s, RANK_ANSWER, 30, 1000), E_OK);
		ck_assert_uint_eq(atomic_load(&proof->refs), 5);
		rrset_put(s);
		ck_assert_uint_eq(copy->n_rr, 1);
		ck_assert_uint_eq(copy->n_proofs, 2);
		ck_assert_ptr_eq(rrset_proofs(copy)[0], proof);
		ck_assert_ptr_eq(rrset_proofs(copy)[1], proof);
		ck_assert(rrset_next(copy, &at, &got));
		ck_assert_uint_eq(got.len, i % 16 + 1);
		ck_assert(!rrset_next(copy, &at, &got));
		for (size_t k = 0; k < n_sig; k++) {
			ck_assert(rrset_next_sig(copy, &sig_at, &got));
			ck_assert_mem_eq(got.data, sigs[k].data, 4);
		}
		ck_assert(!rrset_next_sig(copy, &sig_at, &got));
		rrset_put(copy);
		ck_assert_uint_eq(atomic_load(&proof->refs), 1);
	}
	rrset_put(proof);
}
END_TEST

START_TEST(a_verdict_stays)
{
	struct rdata rr = rdata_of("abcd", 4);
	struct rrset *s = set_of(TYPE_A, &rr, 1);

	ck_assert_int_eq(rrset_security(s), SEC_UNCHECKED);
	rrset_set_security(s, SEC_BOGUS, 31);
	rrset_set_security(s, SEC_SECURE, 0);
	ck_assert_int_eq(rrset_security(s), SEC_BOGUS);
	ck_assert_uint_eq(rrset_bogus(s), 31);
	rrset_put(s);
}
END_TEST

START_TEST(failure_says_why)
{
	struct rrset *s = NULL;

	ck_assert_int_eq(rrset_new_negative(&s, RRSET_FAILURE, owner, TYPE_A, 5, 1000, RANK_NONE,
					    NULL, 0, 7),
			 E_OK);
	ck_assert_uint_eq(s->kind, RRSET_FAILURE);
	ck_assert_uint_eq(s->cause, 7);
	ck_assert_uint_eq(s->n_proofs, 0);
	rrset_put(s);
}
END_TEST

START_TEST(copies)
{
	const struct rdata rr[] = { rdata_of("abcd", 4), rdata_of("efgh", 4) };
	struct rrset *s = set_of(TYPE_A, rr, 2), *copy = NULL, *negative = NULL;

	s->zone_labels = 2;
	rrset_set_security(s, SEC_SECURE, 0);
	ck_assert_int_eq(rrset_copy(&copy, s, RANK_REFERRAL, 30, 2000), E_OK);
	ck_assert_uint_eq(copy->rank, RANK_REFERRAL);
	ck_assert_uint_eq(copy->ttl, 30);
	ck_assert_uint_eq(copy->expires_s, 2030);
	ck_assert_uint_eq(copy->zone_labels, 2);
	ck_assert_uint_eq(rrset_security(copy), SEC_SECURE);
	ck_assert_uint_eq(copy->size, s->size);
	ck_assert(rrset_equal_data(copy, s));
	ck_assert_uint_eq(atomic_load(&s->refs), 1);
	rrset_put(copy);

	ck_assert_int_eq(rrset_new_negative(&negative, RRSET_NODATA, owner, TYPE_AAAA, 60, 1000,
					    RANK_AUTH_AUTHORITY, &s, 1, 0),
			 E_OK);
	ck_assert_int_eq(rrset_copy(&copy, negative, RANK_ANSWER, 9, 9), E_OK);
	ck_assert_uint_eq(copy->kind, RRSET_NODATA);
	ck_assert_uint_eq(atomic_load(&s->refs), 3);
	rrset_put(negative);
	ck_assert_ptr_eq(rrset_proofs(copy)[0], s);
	rrset_put(copy);
	ck_assert_uint_eq(atomic_load(&s->refs), 1);
	rrset_put(s);
}
END_TEST

START_TEST(ttl_counts_down)
{
	const struct rdata rr = rdata_of("abcd", 4);
	struct rrset *s = set_of(TYPE_A, &rr, 1), *last = NULL;

	ck_assert_uint_eq(rrset_ttl_left(s, 1000), 300);
	ck_assert_uint_eq(rrset_ttl_left(s, 1001), 299);
	ck_assert_uint_eq(rrset_ttl_left(s, 1299), 1);
	ck_assert(!rrset_is_expired(s, 1299));
	ck_assert_uint_eq(rrset_ttl_left(s, 1300), 0);
	ck_assert(rrset_is_expired(s, 1300));
	ck_assert_uint_eq(rrset_ttl_left(s, UINT32_MAX), 0);
	/* A clock set back does not lengthen it. */
	ck_assert_uint_eq(rrset_ttl_left(s, 5), 300);
	rrset_put(s);

	ck_assert_int_eq(rrset_new(&last, owner, TYPE_A, INT32_MAX, UINT32_MAX - 5, RANK_ANSWER,
				   &rr, 1, NULL, 0),
			 E_OK);
	ck_assert_uint_eq(last->expires_s, UINT32_MAX);
	ck_assert(!rrset_is_expired(last, UINT32_MAX - 5));
	rrset_put(last);
}
END_TEST

START_TEST(clock_set_back)
{
	const struct rdata rr = rdata_of("abcd", 4);
	struct rrset *s = set_of(TYPE_A, &rr, 1), *failure = NULL;

	ck_assert(!rrset_is_expired(s, 1000 - 600));
	ck_assert_int_eq(rrset_new_negative(&failure, RRSET_FAILURE, owner, TYPE_A, 5, 1000,
					    RANK_NONE, NULL, 0, 1),
			 E_OK);
	ck_assert(!rrset_is_expired(failure, 1000));
	ck_assert(rrset_is_expired(failure, 1000 - 600));
	rrset_set_security(s, SEC_BOGUS, 1);
	ck_assert(!rrset_is_expired(s, 1000));
	ck_assert(rrset_is_expired(s, 1000 - 600));
	rrset_put(failure);
	rrset_put(s);
}
END_TEST

START_TEST(equal_data)
{
	static const size_t sizes[] = { 1, 2, 15, 16, 17, 18, 100, 4096 };
	const struct rdata one[] = { rdata_of("ab", 2), rdata_of("c", 1) };
	const struct rdata two[] = { rdata_of("a", 1), rdata_of("bc", 2) };
	struct rrset *a, *b;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct rrset *up = counting(7, sizes[i], false);
		struct rrset *down = counting(7, sizes[i], true);
		struct rrset *other = counting(8, sizes[i], true);

		ck_assert(rrset_equal_data(up, up));
		ck_assert(rrset_equal_data(up, down));
		ck_assert(!rrset_equal_data(up, other));
		ck_assert(!rrset_equal_data(other, down));
		rrset_put(up);
		rrset_put(down);
		rrset_put(other);
	}
	a = set_of(TYPE_TXT, one, 2);
	b = set_of(TYPE_TXT, two, 2);
	ck_assert(!rrset_equal_data(a, b));
	rrset_put(b);
	b = set_of(TYPE_TXT, one, 1);
	ck_assert(!rrset_equal_data(a, b));
	rrset_put(a);
	rrset_put(b);
}
END_TEST

static void expect_text(uint16_t type, const char *rdata, size_t len, const char *want)
{
	struct rdata rr = rdata_of(rdata, len);
	struct rrset *s = set_of(type, &rr, 1);
	char text[2048];

	ck_assert_int_eq(rrset_record_text(s, &rr, 42, text, sizeof(text)), E_OK);
	ck_assert_str_eq(text, want);
	text[0] = '#';
	ck_assert_int_eq(rrset_record_text(s, &rr, 42, text, strlen(want)), E_TOO_LONG);
	ck_assert_int_eq(text[0], '#');
	ck_assert_int_eq(rrset_record_text(s, &rr, 42, text, strlen(want) + 1), E_OK);
	ck_assert_int_eq(rrset_record_text(s, &rr, 42, NULL, 0), E_TOO_LONG);
	rrset_put(s);
}

#define W "www.example.com. 42 IN "

START_TEST(record_text)
{
	expect_text(TYPE_A, "\xc0\0\2\1", 4, W "A 192.0.2.1");
	expect_text(TYPE_AAAA, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, W "AAAA 2001:db8::1");
	expect_text(TYPE_MX, "\0\12\4mail\7example\3com", 20, W "MX 10 mail.example.com.");
	expect_text(TYPE_TXT, "\3a\tb\2\"c", 7, W "TXT \"a\\009b\" \"\\\"c\"");
	expect_text(65280, "\1\2\3", 3, W "TYPE65280 \\# 3 010203");
	expect_text(65280, "", 0, W "TYPE65280 \\# 0");
	expect_text(TYPE_NSEC, "\1b\0\0\1\x40", 6, W "NSEC b. A");
	/* Rdata that are not what their type says are still shown. */
	expect_text(TYPE_A, "\1\2\3", 3, W "A \\# 3 010203");
	expect_text(TYPE_TXT, "\7a", 2, W "TXT \\# 2 0761");
	expect_text(TYPE_SOA, "", 0, W "SOA \\# 0");
}
END_TEST

static void *get_and_put(void *arg)
{
	struct rrset *s = arg;

	for (int i = 0; i < 20000; i++)
		rrset_put(rrset_get(s));
	rrset_put(s);
	return NULL;
}

START_TEST(references_of_many_threads)
{
	const struct rdata rr = rdata_of("abcd", 4);
	struct rrset *s = set_of(TYPE_A, &rr, 1);
	pthread_t threads[3];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, get_and_put, rrset_get(s)), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(atomic_load(&s->refs), 1);
	rrset_put(s);
}
END_TEST

Suite *suite_rrset(void)
{
	Suite *s = suite_create("rrset");
	TCase *t = tcase_create("rrset");

	tcase_add_test(t, holds_what_it_was_given);
	tcase_add_test(t, equal_records_are_kept_once);
	tcase_add_test(t, equal_records_among_many);
	tcase_add_test(t, limits);
	tcase_add_test(t, negative_holds_its_proofs);
	tcase_add_test(t, data_may_have_proofs);
	tcase_add_test(t, a_verdict_stays);
	tcase_add_test(t, failure_says_why);
	tcase_add_test(t, copies);
	tcase_add_test(t, ttl_counts_down);
	tcase_add_test(t, clock_set_back);
	tcase_add_test(t, equal_data);
	tcase_add_test(t, record_text);
	tcase_add_test(t, references_of_many_threads);
	suite_add_tcase(s, t);
	return s;
}
