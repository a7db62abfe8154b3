#include "recursor/resolve/dnssec/pubkey.h"

#include <check.h>
#include <openssl/err.h>
#include <string.h>

#include "common/check.h"
#include "common/rrset.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "tests/signer/key.h"

static const char text[] = "what is signed";

/* The key field of a signer's DNSKEY. */
static size_t key_bytes(unsigned algorithm, uint8_t out[SIGN_DNSKEY_MAX])
{
	uint8_t rdata[SIGN_DNSKEY_MAX];
	size_t len = sign_key_dnskey(sign_key(algorithm, 3), SIGN_ZSK, rdata);

	memcpy(out, rdata + 4, len - 4);
	return len - 4;
}

static bool checks(struct pubkey *k, const struct algorithm *a, const uint8_t *sig, size_t len)
{
	struct keyring *r = NULL;
	uint8_t hash[HASH_MAX_LEN];
	bool ok;

	ck_assert_int_eq(keyring_new(&r, 1), E_OK);
	if (a->hash == HASH_NONE) {
		ok = pubkey_check(k, (const uint8_t *)text, sizeof(text), sig, len);
	} else {
		ck_assert_int_eq(keyring_hash(r, a->hash, hash, text, sizeof(text)), E_OK);
		ok = pubkey_check(k, hash, hash_len(a->hash), sig, len);
	}
	keyring_free(r);
	/* Nobody else finds our failures. */
	ck_assert_uint_eq(ERR_peek_error(), 0);
	return ok;
}

static const uint8_t algorithms[] = { 5, 7, 8, 10, 13, 14, 15, 16 };

START_TEST(signatures_of_every_algorithm)
{
	const struct algorithm *a = algorithm_find(algorithms[_i]);
	uint8_t key[SIGN_DNSKEY_MAX], sig[SIGN_SIGNATURE_MAX + 1];
	size_t key_len = key_bytes(a->number, key);
	size_t len = sign_bytes(sign_key(a->number, 3), (const uint8_t *)text, sizeof(text), sig);
	struct pubkey *k = NULL;

	ck_assert_int_eq(pubkey_new(&k, a, key, key_len), E_OK);
	ck_assert(checks(k, a, sig, len));
	ck_assert(pubkey_check_us(k) > 0 && pubkey_check_us(k) < 1000);
	/* A failure leaves the key as it was. */
	for (size_t i = 0; i < len; i += 7) {
		sig[i] ^= 0x10;
		ck_assert(!checks(k, a, sig, len));
		sig[i] ^= 0x10;
		ck_assert(checks(k, a, sig, len));
	}
	ck_assert(!checks(k, a, sig, len - 1));
	sig[len] = 0;
	ck_assert(!checks(k, a, sig, len + 1));
	ck_assert(!checks(k, a, sig, 0));
	memset(sig, 0, len);
	ck_assert(!checks(k, a, sig, len));
	memset(sig, 0xff, len);
	ck_assert(!checks(k, a, sig, len));
	pubkey_free(k);
}
END_TEST

START_TEST(keys_have_their_length)
{
	const struct algorithm *a = algorithm_find(algorithms[_i]);
	uint8_t key[SIGN_DNSKEY_MAX + 1];
	size_t len = key_bytes(a->number, key);
	struct pubkey *k = NULL;

	if (a->kind == KEY_RSA)
		return;
	key[len] = 0;
	ck_assert_int_eq(pubkey_new(&k, a, key, len - 1), E_MALFORMED);
	ck_assert_int_eq(pubkey_new(&k, a, key, len + 1), E_MALFORMED);
	ck_assert_int_eq(pubkey_new(&k, a, key, 0), E_MALFORMED);
	ck_assert_ptr_null(k);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* An RSA key with an exponent of so many bytes, in the long or the short form, and such a modulus. */
static int rsa(size_t exponent_len, uint8_t exponent, bool is_long, size_t modulus_len)
{
	uint8_t key[2048];
	struct pubkey *k = NULL;
	size_t at = 0;
	int err;

	if (is_long)
		key[at++] = 0, key[at++] = (uint8_t)(exponent_len >> 8);
	key[at++] = (uint8_t)exponent_len;
	memset(key + at, exponent, exponent_len);
	at += exponent_len;
	memset(key + at, 0xa5, modulus_len);
	err = pubkey_new(&k, algorithm_find(8), key, at + modulus_len);
	pubkey_free(k);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	return err;
}

/* RFC 3110 2 */
START_TEST(forms_of_rsa_keys)
{
	static const uint8_t nothing[] = { 0, 0, 0, 1, 2, 3 }, cut[] = { 3, 1, 0 };
	struct pubkey *k = NULL;

	ck_assert_int_eq(rsa(1, 3, false, 128), E_OK);
	ck_assert_int_eq(rsa(1, 3, true, 128), E_OK);
	ck_assert_int_eq(rsa(8, 3, false, 512), E_OK);
	ck_assert_int_eq(rsa(1, 3, false, 64), E_OK);
	/* What would cost too much, or is worth nothing. */
	ck_assert_int_eq(rsa(9, 3, false, 128), E_LIMIT);
	ck_assert_int_eq(rsa(300, 3, true, 512), E_LIMIT);
	ck_assert_int_eq(rsa(1, 3, false, 513), E_LIMIT);
	ck_assert_int_eq(rsa(1, 3, false, 63), E_LIMIT);
	/* No exponent that RSA knows. */
	ck_assert_int_eq(rsa(1, 0, false, 128), E_MALFORMED);
	ck_assert_int_eq(rsa(1, 1, false, 128), E_MALFORMED);
	ck_assert_int_eq(rsa(1, 4, false, 128), E_MALFORMED);
	/* No modulus, no exponent, nothing. */
	ck_assert_int_eq(rsa(3, 3, false, 0), E_MALFORMED);
	ck_assert_int_eq(pubkey_new(&k, algorithm_find(8), nothing, sizeof(nothing)), E_MALFORMED);
	ck_assert_int_eq(pubkey_new(&k, algorithm_find(8), cut, sizeof(cut)), E_MALFORMED);
	for (size_t len = 0; len < 4; len++)
		ck_assert_int_eq(pubkey_new(&k, algorithm_find(8), nothing, len), E_MALFORMED);
}
END_TEST

START_TEST(what_is_usable_is_known)
{
	struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;

	/* SHA-1 may be forbidden here; the rest is in every OpenSSL that we build with. */
	for (size_t i = 2; i < sizeof(algorithms); i++)
		ck_assert(algorithm_is_usable(algorithms[i], &limits));
	for (unsigned n = 0; n < 256; n++) {
		bool is_known = algorithm_find(n) != NULL;

		ck_assert(is_known || !algorithm_is_usable(n, &limits));
		ck_assert_int_eq(digest_is_usable(n), n == 1 || n == 2 || n == 4);
		ck_assert(algorithm_text(n)[0] != '\0');
	}
	ck_assert_str_eq(algorithm_text(7), "RSASHA1-NSEC3-SHA1");
	ck_assert_str_eq(algorithm_text(3), "DSA");
	ck_assert_str_eq(algorithm_text(200), "unknown");
}
END_TEST

Suite *suite_pubkey(void)
{
	Suite *s = suite_create("pubkey");
	TCase *t = tcase_create("pubkey");

	tcase_add_loop_test(t, signatures_of_every_algorithm, 0, sizeof(algorithms));
	tcase_add_loop_test(t, keys_have_their_length, 0, sizeof(algorithms));
	tcase_add_test(t, forms_of_rsa_keys);
	tcase_add_test(t, what_is_usable_is_known);
	suite_add_tcase(s, t);
	return s;
}
