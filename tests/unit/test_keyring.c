#include "recursor/resolve/dnssec/keyring.h"

#include <check.h>
#include <string.h>

#include "tests/signer/key.h"

/* A DNSKEY of the signer's; good until the next of the same slot. */
static struct dnskey key_of(unsigned algorithm, unsigned number, uint16_t flags)
{
	static uint8_t rdata[4][SIGN_DNSKEY_MAX];
	static unsigned next;
	uint8_t *at = rdata[next++ % 4];
	struct rdata rr = { .data = at };
	struct dnskey k;

	rr.len = (uint16_t)sign_key_dnskey(sign_key(algorithm, number), flags, at);
	ck_assert_int_eq(dnskey_read(&k, &rr), E_OK);
	return k;
}

/* NULL: it is none. */
static struct pubkey *find(struct keyring *r, const struct dnskey *k)
{
	struct pubkey *key = NULL;
	int err = keyring_find(&key, r, k);

	ck_assert(err == E_UNSUPPORTED || (err == E_OK && key != NULL));
	return err == E_OK ? key : NULL;
}

static struct keyring *ring_new(size_t max)
{
	struct keyring *r = NULL;

	ck_assert_int_eq(keyring_new(&r, max), E_OK);
	return r;
}

START_TEST(a_key_is_made_once)
{
	struct keyring *r = ring_new(10);
	struct dnskey zsk = key_of(13, 0, SIGN_ZSK), ksk = key_of(13, 0, SIGN_KSK);
	struct dnskey other = key_of(13, 1, SIGN_ZSK);
	struct pubkey *k = find(r, &zsk);

	ck_assert_ptr_nonnull(k);
	/* Whatever its flags, and whosever it is. */
	ck_assert_ptr_eq(find(r, &ksk), k);
	ck_assert_ptr_ne(find(r, &other), k);
	ck_assert_ptr_eq(find(r, &zsk), k);
	ck_assert_uint_eq(keyring_stats(r).keys, 2);
	ck_assert_uint_eq(keyring_stats(r).hits, 2);
	ck_assert_uint_eq(keyring_stats(r).misses, 2);
	ck_assert_uint_gt(keyring_stats(r).bytes, 2 * sizeof(struct dnskey));
	keyring_free(r);
}
END_TEST

/* The same bytes are other keys in other algorithms. */
START_TEST(the_algorithm_is_of_the_key)
{
	struct keyring *r = ring_new(10);
	struct dnskey a = key_of(8, 0, SIGN_ZSK), b = a;
	uint8_t rdata[SIGN_DNSKEY_MAX];

	memcpy(rdata, a.rdata.data, a.rdata.len);
	rdata[3] = 10;
	b.rdata.data = rdata;
	ck_assert_int_eq(dnskey_read(&b, &b.rdata), E_OK);
	ck_assert_ptr_nonnull(find(r, &a));
	ck_assert_ptr_ne(find(r, &b), find(r, &a));
	ck_assert_uint_eq(keyring_stats(r).keys, 2);
	keyring_free(r);
}
END_TEST

START_TEST(there_are_no_more_than_so_many)
{
	struct keyring *r = ring_new(4);

	for (unsigned i = 0; i < 20; i++) {
		struct dnskey k = key_of(15, i, SIGN_ZSK);

		ck_assert_ptr_nonnull(find(r, &k));
		ck_assert_uint_le(keyring_stats(r).keys, 4);
	}
	ck_assert_uint_eq(keyring_stats(r).keys, 4);
	keyring_configure(r, 2);
	ck_assert_uint_eq(keyring_stats(r).keys, 2);
	keyring_configure(r, 0);
	ck_assert_uint_eq(keyring_stats(r).keys, 1);
	keyring_configure(r, 3);
	for (unsigned i = 0; i < 20; i++) {
		struct dnskey k = key_of(15, i, SIGN_ZSK);

		ck_assert_ptr_nonnull(find(r, &k));
	}
	ck_assert_uint_eq(keyring_stats(r).keys, 3);
	keyring_free(r);
}
END_TEST

/* A flood of keys seen once does not drive out the one that is in use. */
START_TEST(what_is_in_use_stays)
{
	struct keyring *r = ring_new(8);

	for (unsigned i = 0; i < 40; i++) {
		struct dnskey used = key_of(15, 50, SIGN_ZSK), once = key_of(15, i, SIGN_ZSK);

		ck_assert_ptr_nonnull(find(r, &used));
		ck_assert_ptr_nonnull(find(r, &once));
	}
	ck_assert_uint_eq(keyring_stats(r).misses, 41);
	ck_assert_uint_eq(keyring_stats(r).hits, 39);
	keyring_free(r);
}
END_TEST

START_TEST(what_is_no_key_is_kept_as_that)
{
	struct keyring *r = ring_new(8);
	struct dnskey k = key_of(13, 0, SIGN_ZSK);
	uint8_t rdata[SIGN_DNSKEY_MAX], longer[4 + DNSKEY_KEY_MAX + 1] = { 1, 0, 3, 8, 1, 3 };

	memcpy(rdata, k.rdata.data, k.rdata.len);
	rdata[20] ^= 1; /* a point that is not on the curve */
	k.rdata.data = rdata;
	ck_assert_int_eq(dnskey_read(&k, &k.rdata), E_OK);
	ck_assert_ptr_null(find(r, &k));
	ck_assert_ptr_null(find(r, &k));
	ck_assert_uint_eq(keyring_stats(r).misses, 1);
	ck_assert_uint_eq(keyring_stats(r).keys, 1);
	/* Not even that: an algorithm we do not know, and what is too long. */
	k.algorithm = 12;
	ck_assert_ptr_null(find(r, &k));
	k.rdata = (struct rdata) { longer, sizeof(longer) };
	ck_assert_int_eq(dnskey_read(&k, &k.rdata), E_OK);
	ck_assert_ptr_null(find(r, &k));
	ck_assert_uint_eq(keyring_stats(r).keys, 1);
	keyring_free(r);
}
END_TEST

START_TEST(hashes_are_those_of_fips_180_4)
{
	static const uint8_t sha256[] = { 0xba, 0x78, 0x16, 0xbf };
	struct keyring *r = ring_new(1);
	uint8_t out[HASH_MAX_LEN];

	/* Twice: the context is used again. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(keyring_hash(r, HASH_SHA256, out, "abc", 3), E_OK);
		ck_assert_mem_eq(out, sha256, sizeof(sha256));
	}
	ck_assert_int_eq(keyring_hash(r, HASH_NONE, out, "abc", 3), E_UNSUPPORTED);
	keyring_free(r);
	keyring_free(NULL);
}
END_TEST

Suite *suite_keyring(void)
{
	Suite *s = suite_create("keyring");
	TCase *t = tcase_create("keyring");

	tcase_add_test(t, a_key_is_made_once);
	tcase_add_test(t, the_algorithm_is_of_the_key);
	tcase_add_test(t, there_are_no_more_than_so_many);
	tcase_add_test(t, what_is_in_use_stays);
	tcase_add_test(t, what_is_no_key_is_kept_as_that);
	tcase_add_test(t, hashes_are_those_of_fips_180_4);
	suite_add_tcase(s, t);
	return s;
}
