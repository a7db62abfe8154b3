#include "recursor/resolve/dnssec/pubkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/wire.h"

enum {
	ECDSA_MAX_HALF = 48,
	/* SEQUENCE { INTEGER, INTEGER }, each with a byte more where its first bit is set. */
	DER_MAX = 3 + 2 * (3 + ECDSA_MAX_HALF),
};

struct pubkey {
	const struct algorithm *algorithm;
	size_t signature_len;
	unsigned check_us;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx;   /* RSA, ECDSA */
	EVP_MD_CTX *message; /* EdDSA, which hashes by itself */
};

/* A failure leaves nothing in the thread's queue of errors for others to stumble over. */
static int refused(int err)
{
	ERR_clear_error();
	return err;
}

static int pkey_from_params(EVP_PKEY **out, const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	int err = E_UNSUPPORTED;

	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) <= 0)
		goto out;
	err = EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1 ? E_OK : E_MALFORMED;
out:
	EVP_PKEY_CTX_free(ctx);
	return err;
}

/* RFC 3110 2: the exponent's length in one byte, or in two behind a zero; exponent; modulus. */
static int rsa_split(const uint8_t *key, size_t len, size_t *exponent_at, size_t *exponent_len)
{
	size_t at = 1, n;

	if (len < 3)
		return E_MALFORMED;
	n = key[0];
	if (n == 0) {
		n = wire_get_u16(key + 1);
		at = 3;
	}
	if (n == 0 || n >= len - at)
		return E_MALFORMED;
	*exponent_at = at;
	*exponent_len = n;
	return E_OK;
}

static int rsa_limits(const BIGNUM *e, const BIGNUM *n)
{
	if (BN_is_zero(n) || !BN_is_odd(e) || BN_is_one(e))
		return E_MALFORMED;
	if (BN_num_bits(n) > PUBKEY_RSA_MAX_BITS || BN_num_bits(n) < PUBKEY_RSA_MIN_BITS ||
	    BN_num_bits(e) > PUBKEY_RSA_EXPONENT_BITS)
		return E_LIMIT;
	return E_OK;
}

/* At most two multiplications for each bit of the exponent, of 1 us with 2048 bits. */
static unsigned rsa_check_us(unsigned modulus_bits, unsigned exponent_bits)
{
	return 1 + 2 * exponent_bits * (modulus_bits / 64) * (modulus_bits / 64) / (32 * 32);
}

static int rsa_new(struct pubkey *k, const uint8_t *key, size_t len)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	BIGNUM *e = NULL, *n = NULL;
	size_t at, e_len;
	int err = rsa_split(key, len, &at, &e_len);

	if (err != E_OK)
		goto out;
	e = BN_bin2bn(key + at, (int)e_len, NULL);
	n = BN_bin2bn(key + at + e_len, (int)(len - at - e_len), NULL);
	if (bld == NULL || e == NULL || n == NULL) {
		err = E_NOMEM;
		goto out;
	}
	err = rsa_limits(e, n);
	if (err != E_OK)
		goto out;
	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1) {
		err = E_NOMEM;
		goto out;
	}
	params = OSSL_PARAM_BLD_to_param(bld);
	err = pkey_from_params(&k->pkey, "RSA", params);
	k->signature_len = (size_t)BN_num_bytes(n);
	k->check_us = rsa_check_us((unsigned)BN_num_bits(n), (unsigned)BN_num_bits(e));
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(e);
	BN_free(n);
	return err;
}

/* RFC 6605 4: x and y, each as long as the field. */
static int ecdsa_new(struct pubkey *k, const uint8_t *key, size_t len)
{
	uint8_t point[1 + 2 * ECDSA_MAX_HALF] = { 4 }; /* uncompressed */
	char group[16];
	OSSL_PARAM params[3];

	if (len != k->algorithm->signature_len)
		return E_MALFORMED;
	memcpy(point + 1, key, len);
	(void)snprintf(group, sizeof(group), "%s", k->algorithm->openssl);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + len);
	params[2] = OSSL_PARAM_construct_end();
	return pkey_from_params(&k->pkey, "EC", params);
}

static int eddsa_new(struct pubkey *k, const uint8_t *key, size_t len)
{
	if (len != k->algorithm->signature_len / 2U)
		return E_MALFORMED;
	k->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, k->algorithm->openssl, NULL, key, len);
	if (k->pkey == NULL)
		return E_UNSUPPORTED;
	k->message = EVP_MD_CTX_new();
	return k->message != NULL ? E_OK : E_NOMEM;
}

/* What every check with that key begins with, once. */
static int prepare(struct pubkey *k)
{
	EVP_MD *md = NULL;
	int err = E_UNSUPPORTED;

	if (k->algorithm->kind == KEY_EDDSA)
		return E_OK;
	k->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (k->ctx == NULL)
		return E_NOMEM;
	if (EVP_PKEY_verify_init(k->ctx) <= 0)
		return E_UNSUPPORTED;
	if (k->algorithm->kind != KEY_RSA)
		return E_OK;
	md = EVP_MD_fetch(NULL, hash_name(k->algorithm->hash), NULL);
	if (md != NULL && EVP_PKEY_CTX_set_rsa_padding(k->ctx, RSA_PKCS1_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_signature_md(k->ctx, md) > 0)
		err = E_OK;
	EVP_MD_free(md);
	return err;
}

int pubkey_new(struct pubkey **out, const struct algorithm *a, const uint8_t *key, size_t len)
{
	static int (*const makers[])(struct pubkey *, const uint8_t *, size_t) = {
		[KEY_RSA] = rsa_new,
		[KEY_ECDSA] = ecdsa_new,
		[KEY_EDDSA] = eddsa_new,
	};
	struct pubkey *k = calloc(1, sizeof(*k));
	int err;

	if (k == NULL)
		return E_NOMEM;
	k->algorithm = a;
	k->signature_len = a->signature_len;
	k->check_us = a->check_us;
	err = makers[a->kind](k, key, len);
	if (err == E_OK)
		err = prepare(k);
	if (err != E_OK) {
		pubkey_free(k);
		return refused(err);
	}
	*out = k;
	return E_OK;
}

void pubkey_free(struct pubkey *k)
{
	if (k == NULL)
		return;
	EVP_MD_CTX_free(k->message);
	EVP_PKEY_CTX_free(k->ctx);
	EVP_PKEY_free(k->pkey);
	free(k);
}

unsigned pubkey_check_us(const struct pubkey *k)
{
	return k->check_us;
}

/* A positive INTEGER, without zeros in front but for the one that keeps it positive. */
static size_t der_integer(uint8_t *out, const uint8_t *number, size_t len)
{
	size_t pad;

	for (; len > 1 && *number == 0; len--)
		number++;
	pad = *number >> 7;
	out[0] = 0x02;
	out[1] = (uint8_t)(len + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, number, len);
	return 2 + pad + len;
}

/* RFC 6605 4 puts r and s side by side; OpenSSL wants a SEQUENCE of both.  Its length is below 128
 * for the curves in use. */
static size_t der_signature(uint8_t out[DER_MAX], const uint8_t *sig, size_t half)
{
	size_t len = der_integer(out + 2, sig, half);

	len += der_integer(out + 2 + len, sig + half, half);
	out[0] = 0x30;
	out[1] = (uint8_t)len;
	return 2 + len;
}

bool pubkey_check(struct pubkey *k, const uint8_t *data, size_t len, const uint8_t *sig,
		  size_t sig_len)
{
	uint8_t der[DER_MAX];
	int ok;

	if (sig_len != k->signature_len)
		return false;
	switch (k->algorithm->kind) {
	case KEY_ECDSA:
		sig_len = der_signature(der, sig, sig_len / 2);
		ok = EVP_PKEY_verify(k->ctx, der, sig_len, data, len);
		break;
	case KEY_RSA:
		ok = EVP_PKEY_verify(k->ctx, sig, sig_len, data, len);
		break;
	default:
		ok = EVP_DigestVerifyInit(k->message, NULL, NULL, NULL, k->pkey);
		if (ok == 1)
			ok = EVP_DigestVerify(k->message, sig, sig_len, data, len);
		break;
	}
	if (ok != 1)
		ERR_clear_error();
	return ok == 1;
}
