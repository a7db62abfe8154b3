#include "common/random.h"

#include <check.h>
#include <openssl/evp.h>
#include <string.h>

#include "common/check.h"

/* The ChaCha20 stream of a key, nonce and counter zero, by another hand. */
static void reference(const uint8_t key[32], uint8_t *out, int len)
{
	static const uint8_t iv[16], zeros[1024];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_eq(EVP_EncryptInit_ex(ctx, EVP_chacha20(), NULL, key, iv), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(ctx, out, &n, zeros, len), 1);
	ck_assert_int_eq(n, len);
	EVP_CIPHER_CTX_free(ctx);
}

START_TEST(is_chacha20_with_erased_keys)
{
	struct random_source r;
	uint8_t stream[32 + sizeof(r.pool)], out[sizeof(r.pool)];

	memset(&r, 0, sizeof(r));
	for (size_t i = 0; i < sizeof(r.key); i++)
		r.key[i] = (uint8_t)(200 + 3 * i);
	for (int refill = 0; refill < 5; refill++) {
		reference(r.key, stream, sizeof(stream));
		/* In pieces of odd sizes. */
		for (size_t at = 0, piece = 1; at < sizeof(out); at += piece, piece = 37) {
			if (piece > sizeof(out) - at)
				piece = sizeof(out) - at;
			random_bytes(&r, out + at, piece);
		}
		ck_assert_mem_eq(r.key, stream, 32);
		ck_assert_mem_eq(out, stream + 32, sizeof(out));
		/* Nothing handed out is left behind. */
		ck_assert_uint_eq(r.left, 0);
		memset(out, 0, sizeof(out));
		ck_assert_mem_eq(r.pool, out, sizeof(out));
	}
}
END_TEST

START_TEST(more_than_a_pool_at_once)
{
	struct random_source r, same;
	uint8_t all[3000], parts[3000];

	ck_assert_int_eq(random_init(&r), E_OK);
	same = r;
	random_bytes(&r, all, sizeof(all));
	for (size_t i = 0; i < sizeof(parts); i++)
		random_bytes(&same, parts + i, 1);
	ck_assert_mem_eq(all, parts, sizeof(all));
	random_bytes(&r, all, 0);
	ck_assert_mem_eq(&r, &same, sizeof(r));
}
END_TEST

START_TEST(sources_differ)
{
	struct random_source a, b;
	uint8_t x[32], y[32];

	ck_assert_int_eq(random_init(&a), E_OK);
	ck_assert_int_eq(random_init(&b), E_OK);
	random_bytes(&a, x, sizeof(x));
	random_bytes(&b, y, sizeof(y));
	ck_assert_mem_ne(x, y, sizeof(x));
	random_bytes(&a, y, sizeof(y));
	ck_assert_mem_ne(x, y, sizeof(x));
}
END_TEST

START_TEST(reseeds)
{
	struct random_source seeded, not_seeded;
	uint8_t x[600], y[600];

	ck_assert_int_eq(random_init(&seeded), E_OK);
	not_seeded = seeded;
	seeded.blocks = UINT64_MAX / 2; /* long due */
	random_bytes(&seeded, x, sizeof(x));
	random_bytes(&not_seeded, y, sizeof(y));
	ck_assert_mem_ne(x, y, sizeof(x));
	ck_assert_uint_eq(seeded.blocks, not_seeded.blocks);
}
END_TEST

START_TEST(below_its_bound)
{
	static const uint32_t bounds[] = { 1, 2, 3, 7, 64512, 0x80000001, UINT32_MAX };
	struct random_source r;
	unsigned count[7] = { 0 };

	memset(&r, 0, sizeof(r)); /* the key of zeros: it repeats */
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		for (int n = 0; n < 200; n++)
			ck_assert_uint_lt(random_below(&r, bounds[i]), bounds[i]);
	/* Of a bound of 3 * 2^30, each third is as likely: no value is folded onto the first. */
	for (int n = 0; n < 30000; n++)
		count[random_below(&r, 0xc0000000) >> 30]++;
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_gt(count[i], 9400);
		ck_assert_uint_lt(count[i], 10600);
		count[i] = 0;
	}
	for (int n = 0; n < 70000; n++)
		count[random_below(&r, 7)]++;
	/* 10,000 each; six standard deviations are 556. */
	for (size_t i = 0; i < ARRAY_LEN(count); i++) {
		ck_assert_uint_gt(count[i], 9400);
		ck_assert_uint_lt(count[i], 10600);
	}
}
END_TEST

Suite *suite_random(void)
{
	Suite *s = suite_create("random");
	TCase *t = tcase_create("random");

	tcase_add_test(t, is_chacha20_with_erased_keys);
	tcase_add_test(t, more_than_a_pool_at_once);
	tcase_add_test(t, sources_differ);
	tcase_add_test(t, reseeds);
	tcase_add_test(t, below_its_bound);
	suite_add_tcase(s, t);
	return s;
}
