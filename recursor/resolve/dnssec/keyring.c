#include "recursor/resolve/dnssec/keyring.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/grow.h"
#include "common/hash.h"
#include "common/sieve.h"

struct held {
	struct pubkey *key; /* NULL: the bytes make none */
	uint8_t algorithm;
	uint16_t len;
	uint8_t bytes[];
};

struct keyring {
	struct sieve held;
	size_t max;
	uint64_t hits, misses;
	EVP_MD *md[HASH_N];
	EVP_MD_CTX *hashing[HASH_N];
	struct canonical canonical;
	uint16_t *tags;
	size_t tags_cap;
};

int keyring_new(struct keyring **out, size_t max)
{
	struct keyring *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return E_NOMEM;
	sieve_init(&r->held);
	r->max = max > 0 ? max : 1;
	for (enum hash h = HASH_SHA1; h < HASH_N; h++) {
		r->md[h] = EVP_MD_fetch(NULL, hash_name(h), NULL);
		r->hashing[h] = EVP_MD_CTX_new();
	}
	ERR_clear_error();
	if (r->md[HASH_SHA256] == NULL || r->hashing[HASH_SHA256] == NULL) {
		keyring_free(r);
		return E_UNSUPPORTED;
	}
	*out = r;
	return E_OK;
}

static void drop(struct keyring *r, uint32_t at)
{
	struct held *h = sieve_remove(&r->held, at);

	pubkey_free(h->key);
	free(h);
}

static void shrink(struct keyring *r, size_t max)
{
	while (r->held.n > max)
		drop(r, sieve_victim(&r->held));
}

void keyring_free(struct keyring *r)
{
	if (r == NULL)
		return;
	shrink(r, 0);
	sieve_deinit(&r->held);
	for (enum hash h = HASH_SHA1; h < HASH_N; h++) {
		EVP_MD_CTX_free(r->hashing[h]);
		EVP_MD_free(r->md[h]);
	}
	canonical_deinit(&r->canonical);
	free(r->tags);
	free(r);
}

void keyring_configure(struct keyring *r, size_t max)
{
	r->max = max > 0 ? max : 1;
	shrink(r, r->max);
}

struct keyring_stats keyring_stats(const struct keyring *r)
{
	return (struct keyring_stats) {
		.keys = r->held.n,
		.bytes = sizeof(*r) + sieve_bytes(&r->held) + r->held.n * KEYRING_KEY_BYTES,
		.hits = r->hits,
		.misses = r->misses,
	};
}

/* Makes the key and puts it into the ring; what is none as well. */
static int add(struct pubkey **out, struct keyring *r, const struct algorithm *a,
	       const struct dnskey *k, uint32_t hash)
{
	struct held *h = malloc(sizeof(*h) + k->key_len);
	struct pubkey *key = NULL;
	uint32_t at;
	int err;

	if (h == NULL)
		return E_NOMEM;
	err = pubkey_new(&key, a, k->key, k->key_len);
	if (err == E_NOMEM)
		goto failed;
	*h = (struct held) { .key = key, .algorithm = k->algorithm, .len = k->key_len };
	memcpy(h->bytes, k->key, k->key_len);
	shrink(r, r->max - 1);
	err = sieve_insert(&r->held, hash, h, &at);
	if (err != E_OK)
		goto failed;
	*out = key;
	return key != NULL ? E_OK : E_UNSUPPORTED;
failed:
	pubkey_free(key);
	free(h);
	return E_NOMEM;
}

int keyring_find(struct pubkey **out, struct keyring *r, const struct dnskey *k)
{
	const struct algorithm *a = algorithm_find(k->algorithm);
	uint32_t hash, at;

	if (a == NULL || k->key_len > DNSKEY_KEY_MAX)
		return E_UNSUPPORTED;
	/* Algorithm and key stand side by side. */
	hash = (uint32_t)hash_bytes(k->rdata.data + 3, 1 + (size_t)k->key_len);
	for (at = sieve_first(&r->held, hash); at != SIEVE_NONE; at = sieve_next(&r->held, at)) {
		const struct held *h = r->held.slots[at].value;

		if (h->algorithm == k->algorithm && h->len == k->key_len &&
		    memcmp(h->bytes, k->key, k->key_len) == 0) {
			r->held.slots[at].visited = 1;
			r->hits++;
			*out = h->key;
			return h->key != NULL ? E_OK : E_UNSUPPORTED;
		}
	}
	r->misses++;
	return add(out, r, a, k, hash);
}

int keyring_hash(struct keyring *r, enum hash h, uint8_t *out, const void *data, size_t len)
{
	EVP_MD_CTX *ctx = r->hashing[h];

	if (r->md[h] == NULL || ctx == NULL)
		return E_UNSUPPORTED;
	if (EVP_DigestInit_ex(ctx, r->md[h], NULL) == 1 && EVP_DigestUpdate(ctx, data, len) == 1 &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1)
		return E_OK;
	ERR_clear_error();
	return E_UNSUPPORTED;
}

struct canonical *keyring_canonical(struct keyring *r)
{
	return &r->canonical;
}

uint16_t *keyring_tags(struct keyring *r, size_t n)
{
	return grow(&r->tags, &r->tags_cap, n, sizeof(r->tags[0]), 64) ? r->tags : NULL;
}
