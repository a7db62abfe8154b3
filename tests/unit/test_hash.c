#include "common/hash.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "common/name.h"

enum { MAX = 80 };

/* The same hash by another hand. */
static uint64_t reference(EVP_MAC *mac, const uint8_t key[16], const uint8_t *data, size_t len)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	unsigned c_rounds = 1, d_rounds = 3;
	size_t size = 8, got = 0;
	uint8_t out[8];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c_rounds),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d_rounds),
		OSSL_PARAM_construct_end(),
	};
	uint64_t hash = 0;

	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_eq(EVP_MAC_init(ctx, key, 16, params), 1);
	ck_assert_int_eq(EVP_MAC_update(ctx, data, len), 1);
	ck_assert_int_eq(EVP_MAC_final(ctx, out, &got, sizeof(out)), 1);
	ck_assert_uint_eq(got, sizeof(out));
	EVP_MAC_CTX_free(ctx);
	for (int i = 7; i >= 0; i--)
		hash = hash << 8 | out[i];
	return hash;
}

START_TEST(is_siphash_1_3)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	uint8_t key[16], data[MAX];

	ck_assert_ptr_nonnull(mac);
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 17 + 3);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31);
	for (size_t len = 0; len <= MAX; len++) {
		uint64_t k0 = 0, k1 = 0;

		key[len % 16] ^= (uint8_t)(len + 1);
		for (int i = 7; i >= 0; i--) {
			k0 = k0 << 8 | key[i];
			k1 = k1 << 8 | key[8 + i];
		}
		hash_key_set(k0, k1);
		ck_assert_uint_eq(hash_bytes(data, len), reference(mac, key, data, len));
	}
	EVP_MAC_free(mac);
}
END_TEST

START_TEST(lower_is_the_hash_of_the_lowered)
{
	uint8_t mixed[MAX], lower[MAX];

	for (unsigned i = 0; i < MAX; i++) {
		mixed[i] = (uint8_t)(i * 7 + 40);
		lower[i] = mixed[i] >= 'A' && mixed[i] <= 'Z' ? (uint8_t)(mixed[i] + 32) : mixed[i];
	}
	hash_key_set(1, 2);
	for (size_t len = 0; len <= MAX; len++)
		ck_assert_uint_eq(hash_bytes_lower(mixed, len), hash_bytes(lower, len));
	ck_assert_uint_eq(name_hash((const uint8_t *)"\3WwW\1A"), hash_bytes("\3www\1a", 7));
}
END_TEST

START_TEST(key_matters)
{
	uint64_t bytes, mix;

	hash_key_set(1, 2);
	bytes = hash_bytes("abc", 3);
	mix = hash_mix(5, 6);
	ck_assert_uint_eq(hash_mix(5, 6), mix);
	ck_assert(hash_mix(6, 5) != mix);
	hash_key_set(1, 3);
	ck_assert(hash_bytes("abc", 3) != bytes);
	ck_assert(hash_mix(5, 6) != mix);
	hash_key_init();
	ck_assert(hash_bytes("abc", 3) != bytes);
	mix = hash_mix(5, 6);
	hash_key_init();
	ck_assert(hash_mix(5, 6) != mix);
}
END_TEST

START_TEST(mix_spreads_counters)
{
	enum { BUCKETS = 1024, KEYS = 16 * BUCKETS };
	unsigned count[BUCKETS] = { 0 }, most = 0;

	hash_key_set(0x0123456789abcdef, 0xfedcba9876543210);
	for (uint64_t i = 0; i < KEYS; i++)
		count[hash_mix(i, i << 32) % BUCKETS]++;
	for (size_t i = 0; i < BUCKETS; i++)
		most = count[i] > most ? count[i] : most;
	/* 16 on average; the chance of 50 in one of 1024 is below 10^-8. */
	ck_assert_uint_lt(most, 50);
}
END_TEST

Suite *suite_hash(void)
{
	Suite *s = suite_create("hash");
	TCase *t = tcase_create("hash");

	tcase_add_test(t, is_siphash_1_3);
	tcase_add_test(t, lower_is_the_hash_of_the_lowered);
	tcase_add_test(t, key_matters);
	tcase_add_test(t, mix_spreads_counters);
	suite_add_tcase(s, t);
	return s;
}
