/* What a hostile zone can make verify_set() do (CVE-2023-50387 and its kin): counted, not timed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/verify.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000, TAG = 12345, RSA_LEN = 128, KEY_LEN = 4 + 2 + RSA_LEN, MANY = 200 };

static const uint8_t apex[] = "\7example";

static struct keyring *ring;
static struct dnssec_limits limits;
static struct dnssec_work work;
static struct verification v;

static void setup(void)
{
	ck_assert_int_eq(keyring_new(&ring, 64), E_OK);
	limits = (struct dnssec_limits)DNSSEC_LIMITS_DEFAULTS;
	work = (struct dnssec_work) { .checks = 0 };
}

static void teardown(void)
{
	keyring_free(ring);
}

/* An RSA key, the n-th of those with TAG: any odd modulus will do. */
static void colliding_key(uint8_t out[KEY_LEN], uint32_t n)
{
	struct rdata rr = { out, KEY_LEN };

	memset(out, 0x5b, KEY_LEN);
	memcpy(out, "\1\0\3\10\1\3\300", 7);
	wire_put_u32(out + 20, n);
	wire_put_u16(out + 30, 0);
	/* The tag is a sum of such pairs: the first guess is right but for a carry. */
	for (uint16_t guess = (uint16_t)(TAG - dnskey_tag(&rr) - 1); dnskey_tag(&rr) != TAG;
	     guess++)
		wire_put_u16(out + 30, guess);
	ck_assert_uint_eq(dnskey_tag(&rr), TAG);
}

static struct rrset *colliding_keys(size_t n)
{
	static uint8_t bytes[MANY][KEY_LEN];
	struct rdata rr[MANY];
	struct rrset *s = NULL;

	for (size_t i = 0; i < n; i++) {
		colliding_key(bytes[i], (uint32_t)i);
		rr[i] = (struct rdata) { bytes[i], KEY_LEN };
	}
	ck_assert_int_eq(
		rrset_new(&s, apex, TYPE_DNSKEY, 300, NOW, RANK_AUTH_ANSWER, rr, n, NULL, 0), E_OK);
	ck_assert_uint_eq(s->n_rr, n);
	return s;
}

/* A set with so many signatures, none of which is one. */
static struct rrset *garbage_signed(size_t n, uint16_t tag)
{
	static const uint8_t address[] = { 192, 0, 2, 1 };
	static uint8_t bytes[MANY][RRSIG_HEAD_LEN + sizeof(apex) + RSA_LEN];
	const struct rdata rr = { address, sizeof(address) };
	struct rdata sig[MANY];
	struct rrset *s = NULL;

	for (size_t i = 0; i < n; i++) {
		uint8_t *p = bytes[i];

		memset(p, 0x11, sizeof(bytes[i]));
		wire_put_u16(p, TYPE_A);
		p[2] = ALGORITHM_RSASHA256;
		p[3] = 1;
		wire_put_u32(p + 4, 300);
		wire_put_u32(p + 8, NOW + 100);
		wire_put_u32(p + 12, NOW - 100);
		wire_put_u16(p + 16, tag);
		memcpy(p + RRSIG_HEAD_LEN, apex, sizeof(apex));
		wire_put_u16(p + RRSIG_HEAD_LEN + sizeof(apex) + 8, (uint16_t)i);
		sig[i] = (struct rdata) { p, sizeof(bytes[i]) };
	}
	ck_assert_int_eq(rrset_new(&s, apex, TYPE_A, 300, NOW, RANK_AUTH_ANSWER, &rr, 1, sig, n),
			 E_OK);
	return s;
}

/* Verifies it; how many checks that took. */
static uint32_t checks_of(size_t n_sigs, uint16_t tag, size_t n_keys)
{
	struct rrset *s = garbage_signed(n_sigs, tag), *keys = colliding_keys(n_keys);
	uint32_t before = work.checks;

	work.met_limit = BOGUS_NONE;
	ck_assert_int_eq(verify_set(ring, &limits, s, apex, keys, NOW, &work, &v), SEC_BOGUS);
	rrset_put(s);
	rrset_put(keys);
	return work.checks - before;
}

/* RFC 4034 B: a tag is a sum over the whole key, and computed once for all signatures. */
START_TEST(tags_are_not_computed_for_each_signature)
{
	uint64_t of_one;

	ck_assert_uint_eq(checks_of(1, TAG + 1, MANY), 0);
	of_one = work.ns;
	ck_assert_uint_gt(of_one, 0);
	ck_assert_uint_eq(checks_of(VERIFY_MAX_RRSIGS, TAG + 1, MANY), 0);
	ck_assert_uint_lt(work.ns - of_one, of_one * VERIFY_MAX_RRSIGS / 4);
}
END_TEST

START_TEST(keys_and_signatures_do_not_multiply)
{
	ck_assert_uint_eq(checks_of(1, TAG, 1), 1);
	ck_assert_int_eq(work.met_limit, BOGUS_NONE);
	ck_assert_int_eq(v.why, BOGUS_NO_VALID_RRSIG);
	ck_assert_uint_eq(checks_of(1, TAG, MANY), 2);
	ck_assert_int_eq(work.met_limit, v.why);
	ck_assert_int_eq(v.why, BOGUS_MAX_DNSKEYS);
	ck_assert_uint_eq(checks_of(MANY, TAG, 1), 2);
	ck_assert_int_eq(work.met_limit, v.why);
	ck_assert_int_eq(v.why, BOGUS_MAX_RRSIGS);
	ck_assert_uint_eq(checks_of(MANY, TAG, MANY), 2);
	limits.max_dnskeys = 3;
	limits.max_rrsigs_per_record = 4;
	ck_assert_uint_eq(checks_of(MANY, TAG, 3), 12);
	ck_assert_int_eq(v.why, BOGUS_MAX_RRSIGS);
}
END_TEST

START_TEST(a_query_has_so_many_checks_in_all)
{
	work.checks = 28;
	ck_assert_uint_eq(checks_of(2, TAG, 1), 2);
	ck_assert_int_eq(work.met_limit, BOGUS_NONE);
	ck_assert_uint_eq(checks_of(2, TAG, 1), 0);
	ck_assert_int_eq(work.met_limit, v.why);
	ck_assert_int_eq(v.why, BOGUS_MAX_CHECKS);
	/* Without the other limits, too. */
	limits.max_dnskeys = limits.max_rrsigs_per_record = 0;
	work.checks = 0;
	ck_assert_uint_eq(checks_of(MANY, TAG, MANY), limits.max_signature_validations);
	ck_assert_int_eq(v.why, BOGUS_MAX_CHECKS);
}
END_TEST

/* Keys are looked for so often, whatever the settings. */
START_TEST(one_call_ends)
{
	limits.max_dnskeys = limits.max_rrsigs_per_record = limits.max_signature_validations = 0;
	ck_assert_uint_eq(checks_of(MANY, TAG, 1), VERIFY_MAX_RRSIGS);
	ck_assert_int_eq(v.why, BOGUS_MAX_RRSIGS);
	ck_assert_uint_eq(checks_of(MANY, TAG + 1, MANY), 0);
	ck_assert_int_eq(work.met_limit, v.why);
	/* What is in the ring is bounded as well. */
	(void)checks_of(1, TAG, MANY);
	ck_assert_uint_eq(keyring_stats(ring).keys, 64);
}
END_TEST

static struct rrset *ds_set(size_t n, bool of_a_key)
{
	static uint8_t bytes[MANY][4 + 32];
	uint8_t digest[HASH_MAX_LEN];
	uint8_t key[KEY_LEN];
	const struct rdata key_rr = { key, KEY_LEN };
	struct rdata rr[MANY];
	struct rrset *s = NULL;
	size_t len;

	colliding_key(key, MANY - 1);
	ck_assert_int_eq(dnskey_digest(digest, &len, DIGEST_SHA256, apex, &key_rr), E_OK);
	ck_assert_uint_eq(len, 32);
	for (size_t i = 0; i < n; i++) {
		wire_put_u16(bytes[i], TAG);
		bytes[i][2] = ALGORITHM_RSASHA256;
		bytes[i][3] = DIGEST_SHA256;
		memcpy(bytes[i] + 4, digest, len);
		if (!of_a_key || i + 1 < n)
			wire_put_u16(bytes[i] + 4, (uint16_t)i);
		rr[i] = (struct rdata) { bytes[i], sizeof(bytes[i]) };
	}
	ck_assert_int_eq(rrset_new(&s, apex, TYPE_DS, 300, NOW, RANK_AUTH_ANSWER, rr, n, NULL, 0),
			 E_OK);
	return s;
}

static enum bogus why_not(size_t n_keys, size_t n_ds, bool of_a_key)
{
	struct rrset *keys = colliding_keys(n_keys), *ds = ds_set(n_ds, of_a_key);

	work = (struct dnssec_work) { .checks = 0 };
	ck_assert_int_eq(verify_dnskeys(ring, &limits, keys, ds, NOW, &work, &v), SEC_BOGUS);
	ck_assert_uint_eq(work.checks, 0);
	rrset_put(keys);
	rrset_put(ds);
	return v.why;
}

START_TEST(ds_and_keys_do_not_multiply)
{
	ck_assert_int_eq(why_not(2, 8, false), BOGUS_NO_VALID_DNSKEY);
	ck_assert_int_eq(work.met_limit, BOGUS_NONE);
	ck_assert_int_eq(why_not(2, 9, false), BOGUS_MAX_DS);
	ck_assert_int_eq(work.met_limit, v.why);
	ck_assert_int_eq(why_not(MANY, 8, false), BOGUS_MAX_DNSKEYS);
	/* The one that would do stands behind the limit. */
	ck_assert_int_eq(why_not(MANY, 1, true), BOGUS_MAX_DNSKEYS);
	limits.max_dnskeys = limits.max_ds_per_zone = 0;
	ck_assert_int_eq(why_not(MANY, 100, true), BOGUS_NO_RRSIG);
}
END_TEST

Suite *suite_keytrap(void)
{
	Suite *s = suite_create("keytrap");
	TCase *t = tcase_create("keytrap");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, keys_and_signatures_do_not_multiply);
	tcase_add_test(t, tags_are_not_computed_for_each_signature);
	tcase_add_test(t, a_query_has_so_many_checks_in_all);
	tcase_add_test(t, one_call_ends);
	tcase_add_test(t, ds_and_keys_do_not_multiply);
	suite_add_tcase(s, t);
	return s;
}
