#include "recursor/resolve/dnssec/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "common/wire.h"

enum { ALGORITHM_RSAMD5 = 1 };

int dnskey_read(struct dnskey *k, const struct rdata *rr)
{
	if (rr->len <= DNSKEY_HEAD_LEN)
		return E_TRUNCATED;
	*k = (struct dnskey) {
		.flags = wire_get_u16(rr->data),
		.protocol = rr->data[2],
		.algorithm = rr->data[3],
		.key_len = (uint16_t)(rr->len - DNSKEY_HEAD_LEN),
		.key = rr->data + DNSKEY_HEAD_LEN,
		.rdata = *rr,
	};
	return E_OK;
}

int ds_read(struct ds *d, const struct rdata *rr)
{
	if (rr->len <= DS_HEAD_LEN)
		return E_TRUNCATED;
	*d = (struct ds) {
		.tag = wire_get_u16(rr->data),
		.algorithm = rr->data[2],
		.digest_type = rr->data[3],
		.digest_len = (uint16_t)(rr->len - DS_HEAD_LEN),
		.digest = rr->data + DS_HEAD_LEN,
	};
	return E_OK;
}

int rrsig_read(struct rrsig *s, const struct rdata *rr)
{
	const uint8_t *p = rr->data;
	size_t len;
	int err;

	if (rr->len <= RRSIG_HEAD_LEN)
		return E_TRUNCATED;
	err = name_check(p + RRSIG_HEAD_LEN, rr->len - RRSIG_HEAD_LEN, &len);
	if (err != E_OK)
		return err;
	len += RRSIG_HEAD_LEN;
	if (len >= rr->len)
		return E_TRUNCATED;
	*s = (struct rrsig) {
		.type_covered = wire_get_u16(p),
		.algorithm = p[2],
		.labels = p[3],
		.original_ttl = wire_get_u32(p + 4),
		.expiration_s = wire_get_u32(p + 8),
		.inception_s = wire_get_u32(p + 12),
		.tag = wire_get_u16(p + 16),
		.signer = p + RRSIG_HEAD_LEN,
		.signature = p + len,
		.signature_len = (uint16_t)(rr->len - len),
		.head = p,
	};
	return E_OK;
}

uint16_t dnskey_tag(const struct rdata *rr)
{
	const uint8_t *p = rr->data;
	uint32_t sum = 0;
	size_t i;

	/* RFC 4034 B.1: the last but two bytes of the modulus. */
	if (p[3] == ALGORITHM_RSAMD5)
		return rr->len < 7 ? 0 : wire_get_u16(p + rr->len - 3);
	/* At most 32768 times 0xffff: it does not overflow. */
	for (i = 0; i + 1 < rr->len; i += 2)
		sum += wire_get_u16(p + i);
	if (i < rr->len)
		sum += (uint32_t)p[i] << 8;
	return (uint16_t)(sum + (sum >> 16));
}

int dnskey_digest(uint8_t out[HASH_MAX_LEN], size_t *len, unsigned digest_type,
		  const uint8_t *owner, const struct rdata *dnskey)
{
	const struct digest *d = digest_find(digest_type);
	uint8_t name[NAME_MAX_LEN];
	EVP_MD_CTX *ctx;
	EVP_MD *md;
	bool ok;

	if (d == NULL)
		return E_UNSUPPORTED;
	md = EVP_MD_fetch(NULL, hash_name(d->hash), NULL);
	ctx = EVP_MD_CTX_new();
	ok = md != NULL && ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
	     EVP_DigestUpdate(ctx, name, name_lower(name, owner)) == 1 &&
	     EVP_DigestUpdate(ctx, dnskey->data, dnskey->len) == 1 &&
	     EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	if (!ok) {
		ERR_clear_error();
		return E_UNSUPPORTED;
	}
	*len = hash_len(d->hash);
	return E_OK;
}

bool ds_matches(const struct ds *d, const uint8_t *owner, const struct dnskey *k)
{
	uint8_t digest[HASH_MAX_LEN];
	size_t len;

	/* Longer ones would only cost: no algorithm of ours has such. */
	return k->key_len <= DNSKEY_KEY_MAX && d->algorithm == k->algorithm &&
	       d->tag == dnskey_tag(&k->rdata) &&
	       dnskey_digest(digest, &len, d->digest_type, owner, &k->rdata) == E_OK &&
	       len == d->digest_len && memcmp(digest, d->digest, len) == 0;
}
