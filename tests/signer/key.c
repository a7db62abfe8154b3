/* key: see key.h. */
#include "tests/signer/key.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "common/check.h"
#include "common/name.h"
#include "common/wire.h"

enum {
	RSA_EXPONENT = 65537,
	PUBLIC_MAX = 4 + 256,
	SEED_MAX = 192,
	ALGORITHMS = 17,
};

struct sign_key {
	uint8_t algorithm;
	EVP_PKEY *pkey; /* RSA and EdDSA */
	EC_GROUP *group;
	BIGNUM *d; /* ECDSA's private number */
	uint8_t public[PUBLIC_MAX];
	size_t public_len;
};

static struct sign_key *keys[ALGORITHMS][SIGN_KEYS_MAX];

/* Bytes that follow from the key's name and what they are for. */
static void seed_bytes(unsigned algorithm, unsigned number, char what, uint8_t *out, size_t len)
{
	uint8_t from[] = {
		's', 'i', 'g', 'n', (uint8_t)algorithm, (uint8_t)number, (uint8_t)what, 0
	};
	uint8_t hash[64];

	for (size_t at = 0; at < len; at += sizeof(hash), from[7]++) {
		ASSERT(EVP_Digest(from, sizeof(from), hash, NULL, EVP_sha512(), NULL) == 1);
		memcpy(out + at, hash, len - at < sizeof(hash) ? len - at : sizeof(hash));
	}
}

/* ---- RSA ---- */

/* The first prime after a number that the seed gives; its two highest bits are set, so that the
 * product of two has the full length. */
static BIGNUM *prime_make(unsigned algorithm, unsigned number, char what, int bits, BN_CTX *ctx)
{
	uint8_t seed[SEED_MAX];
	BIGNUM *p;

	seed_bytes(algorithm, number, what, seed, (size_t)bits / 8);
	p = BN_bin2bn(seed, bits / 8, NULL);
	ASSERT(p != NULL && BN_set_bit(p, bits - 1) && BN_set_bit(p, bits - 2) && BN_set_bit(p, 0));
	while (BN_check_prime(p, ctx, NULL) != 1 || BN_mod_word(p, RSA_EXPONENT) == 1)
		ASSERT(BN_add_word(p, 2));
	return p;
}

static BIGNUM *less_one(const BIGNUM *p)
{
	BIGNUM *copy = BN_dup(p);

	ASSERT(copy != NULL && BN_sub_word(copy, 1));
	return copy;
}

static EVP_PKEY *rsa_from(BIGNUM *const part[8])
{
	static const char *const names[] = {
		OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		ASSERT(OSSL_PARAM_BLD_push_BN(builder, names[i], part[i]));
	params = OSSL_PARAM_BLD_to_param(builder);
	ASSERT(EVP_PKEY_fromdata_init(ctx) == 1 &&
	       EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* RFC 3110 2: length of the exponent, exponent, modulus. */
static void rsa_make(struct sign_key *k, unsigned number)
{
	int bits = number < SIGN_KEY_LARGE ? 1024 : 2048;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = prime_make(k->algorithm, number, 'p', bits / 2, ctx);
	BIGNUM *q = prime_make(k->algorithm, number, 'q', bits / 2, ctx);
	BIGNUM *p1 = less_one(p), *q1 = less_one(q), *phi = BN_new();
	BIGNUM *part[8];

	for (unsigned i = 0; i < ARRAY_LEN(part); i++)
		part[i] = BN_new();
	ASSERT(BN_mul(part[0], p, q, ctx) && BN_set_word(part[1], RSA_EXPONENT) &&
	       BN_mul(phi, p1, q1, ctx) && BN_mod_inverse(part[2], part[1], phi, ctx) != NULL &&
	       BN_copy(part[3], p) && BN_copy(part[4], q) && BN_mod(part[5], part[2], p1, ctx) &&
	       BN_mod(part[6], part[2], q1, ctx) && BN_mod_inverse(part[7], q, p, ctx) != NULL);
	k->pkey = rsa_from(part);
	memcpy(k->public, "\3\1\0\1", 4);
	k->public_len = 4 + (size_t)BN_bn2bin(part[0], k->public + 4);
	for (unsigned i = 0; i < ARRAY_LEN(part); i++)
		BN_clear_free(part[i]);
	BN_free(p);
	BN_free(q);
	BN_free(p1);
	BN_free(q1);
	BN_free(phi);
	BN_CTX_free(ctx);
}

/* ---- EdDSA ---- */

static void eddsa_make(struct sign_key *k, unsigned number)
{
	bool small = k->algorithm == 15;
	uint8_t seed[57];

	k->public_len = small ? 32 : 57;
	seed_bytes(k->algorithm, number, 'e', seed, k->public_len);
	k->pkey = EVP_PKEY_new_raw_private_key(small ? EVP_PKEY_ED25519 : EVP_PKEY_ED448, NULL,
					       seed, k->public_len);
	ASSERT(k->pkey != NULL &&
	       EVP_PKEY_get_raw_public_key(k->pkey, k->public, &k->public_len) == 1);
}

/* Without a digest of ours (EdDSA), or with it. */
static size_t evp_sign(const struct sign_key *k, const EVP_MD *md, const uint8_t *data, size_t len,
		       uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = SIGN_SIGNATURE_MAX;

	ASSERT(ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, k->pkey) == 1 &&
	       EVP_DigestSign(ctx, out, &n, data, len) == 1);
	EVP_MD_CTX_free(ctx);
	return n;
}

/* ---- ECDSA (RFC 6605) ---- */

static size_t ecdsa_len(const struct sign_key *k)
{
	return k->algorithm == 13 ? 32 : 48;
}

static void point_write(const struct sign_key *k, const EC_POINT *point, uint8_t *x, uint8_t *y,
			BN_CTX *ctx)
{
	BIGNUM *a = BN_new(), *b = BN_new();

	ASSERT(EC_POINT_get_affine_coordinates(k->group, point, a, b, ctx) &&
	       BN_bn2binpad(a, x, (int)ecdsa_len(k)) > 0);
	if (y != NULL)
		ASSERT(BN_bn2binpad(b, y, (int)ecdsa_len(k)) > 0);
	BN_free(a);
	BN_free(b);
}

/* A number from 1 to the order less one. */
static BIGNUM *scalar(const struct sign_key *k, const uint8_t *bytes, size_t len, BN_CTX *ctx)
{
	BIGNUM *n = BN_bin2bn(bytes, (int)len, NULL),
	       *below = BN_dup(EC_GROUP_get0_order(k->group));

	ASSERT(n != NULL && below != NULL && BN_sub_word(below, 1) && BN_mod(n, n, below, ctx) &&
	       BN_add_word(n, 1));
	BN_free(below);
	return n;
}

static void ecdsa_make(struct sign_key *k, unsigned number)
{
	BN_CTX *ctx = BN_CTX_new();
	EC_POINT *point;
	uint8_t seed[64];

	k->group = EC_GROUP_new_by_curve_name(k->algorithm == 13 ? NID_X9_62_prime256v1
								 : NID_secp384r1);
	ASSERT(k->group != NULL);
	seed_bytes(k->algorithm, number, 'd', seed, sizeof(seed));
	k->d = scalar(k, seed, sizeof(seed), ctx);
	point = EC_POINT_new(k->group);
	ASSERT(point != NULL && EC_POINT_mul(k->group, point, k->d, NULL, NULL, ctx));
	point_write(k, point, k->public, k->public + ecdsa_len(k), ctx);
	k->public_len = 2 * ecdsa_len(k);
	EC_POINT_free(point);
	BN_CTX_free(ctx);
}

/* The secret number: a hash of the key and the digest. */
static BIGNUM *nonce(const struct sign_key *k, const uint8_t *digest, BN_CTX *ctx)
{
	size_t len = ecdsa_len(k);
	uint8_t from[2 * 48], hash[64];

	ASSERT(BN_bn2binpad(k->d, from, (int)len) > 0);
	memcpy(from + len, digest, len);
	ASSERT(EVP_Digest(from, 2 * len, hash, NULL, EVP_sha512(), NULL) == 1);
	return scalar(k, hash, sizeof(hash), ctx);
}

/* r = (nG).x, s = (z + r d) / n, all modulo the order. */
static size_t ecdsa_sign(const struct sign_key *k, const uint8_t *data, size_t len, uint8_t *out)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->group);
	BIGNUM *r, *s = BN_new(), *n, *z;
	EC_POINT *point = EC_POINT_new(k->group);
	BN_CTX *ctx = BN_CTX_new();
	uint8_t digest[48];
	size_t size = ecdsa_len(k);

	ASSERT(EVP_Digest(data, len, digest, NULL, size == 32 ? EVP_sha256() : EVP_sha384(),
			  NULL) == 1);
	n = nonce(k, digest, ctx);
	ASSERT(EC_POINT_mul(k->group, point, n, NULL, NULL, ctx));
	point_write(k, point, out, NULL, ctx);
	r = BN_bin2bn(out, (int)size, NULL);
	z = BN_bin2bn(digest, (int)size, NULL);
	ASSERT(BN_mod(r, r, order, ctx) && BN_mod_mul(s, r, k->d, order, ctx) &&
	       BN_mod_add(s, s, z, order, ctx) && BN_mod_inverse(n, n, order, ctx) != NULL &&
	       BN_mod_mul(s, s, n, order, ctx) && BN_bn2binpad(r, out, (int)size) > 0 &&
	       BN_bn2binpad(s, out + size, (int)size) > 0);
	BN_free(r);
	BN_free(s);
	BN_free(n);
	BN_free(z);
	EC_POINT_free(point);
	BN_CTX_free(ctx);
	return 2 * size;
}

/* ---- all ---- */

const struct sign_key *sign_key(unsigned algorithm, unsigned number)
{
	struct sign_key *k;

	ASSERT(algorithm < ALGORITHMS && number < SIGN_KEYS_MAX);
	if (keys[algorithm][number] != NULL)
		return keys[algorithm][number];
	k = calloc(1, sizeof(*k));
	ASSERT(k != NULL);
	k->algorithm = (uint8_t)algorithm;
	switch (algorithm) {
	case 5:
	case 7:
	case 8:
	case 10:
		rsa_make(k, number);
		break;
	case 13:
	case 14:
		ecdsa_make(k, number);
		break;
	default:
		ASSERT(algorithm == 15 || algorithm == 16);
		eddsa_make(k, number);
		break;
	}
	keys[algorithm][number] = k;
	return k;
}

uint8_t sign_key_algorithm(const struct sign_key *k)
{
	return k->algorithm;
}

size_t sign_key_dnskey(const struct sign_key *k, uint16_t flags, uint8_t out[SIGN_DNSKEY_MAX])
{
	wire_put_u16(out, flags);
	out[2] = 3;
	out[3] = k->algorithm;
	memcpy(out + 4, k->public, k->public_len);
	return 4 + k->public_len;
}

uint16_t sign_dnskey_tag(const uint8_t *rdata, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)rdata[i] << 8 : rdata[i];
	return (uint16_t)(sum + (sum >> 16));
}

uint16_t sign_key_tag(const struct sign_key *k, uint16_t flags)
{
	uint8_t rdata[SIGN_DNSKEY_MAX];

	return sign_dnskey_tag(rdata, sign_key_dnskey(k, flags, rdata));
}

size_t sign_ds(const uint8_t *owner, const uint8_t *dnskey, size_t len, unsigned digest,
	       uint8_t out[SIGN_DS_MAX])
{
	const EVP_MD *md = digest == 1 ? EVP_sha1() : digest == 2 ? EVP_sha256() : EVP_sha384();
	uint8_t data[NAME_MAX_LEN + SIGN_DNSKEY_MAX];
	size_t n = name_lower(data, owner);
	unsigned size = 0;

	memcpy(data + n, dnskey, len);
	wire_put_u16(out, sign_dnskey_tag(dnskey, len));
	out[2] = dnskey[3];
	out[3] = (uint8_t)digest;
	ASSERT(EVP_Digest(data, n + len, out + 4, &size, md, NULL) == 1);
	return 4 + size;
}

size_t sign_bytes(const struct sign_key *k, const uint8_t *data, size_t len,
		  uint8_t out[SIGN_SIGNATURE_MAX])
{
	switch (k->algorithm) {
	case 5:
	case 7:
		return evp_sign(k, EVP_sha1(), data, len, out);
	case 8:
		return evp_sign(k, EVP_sha256(), data, len, out);
	case 10:
		return evp_sign(k, EVP_sha512(), data, len, out);
	case 13:
	case 14:
		return ecdsa_sign(k, data, len, out);
	default:
		return evp_sign(k, NULL, data, len, out);
	}
}
