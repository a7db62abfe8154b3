#include "recursor/watch/web/credential.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"

enum {
	DIGEST_LEN = 32,
	SALT_MAX = 32,
	SALT_LEN = 16, /* of those we make */
	HASH_MAX = 48,
	HASH_LEN = 32,
	LN_MAX = 20,
	P_MAX = 16,
	R_MAX = 32,
};

/* 128 * N * r: what one try may need. */
#define SCRYPT_MEMORY_MAX (1ULL << 30)

#define BASE64_LEN(bytes) (((bytes) + 2) / 3 * 4)

static const char form[] = "$scrypt$";

struct scrypt {
	unsigned ln, p, r;
	uint8_t salt[SALT_MAX], hash[HASH_MAX];
	size_t salt_len, hash_len;
};

struct credential {
	uint8_t key[DIGEST_LEN];
	bool hashed;
	struct scrypt scrypt;
	pthread_mutex_t lock; /* of what follows */
	bool known;
	uint8_t right[DIGEST_LEN]; /* if known */
	uint8_t wrong[CREDENTIAL_WRONG_KEPT][DIGEST_LEN];
	unsigned n_wrong, next_wrong;
};

/* ---- the form ---- */

/* `name=` and a number, no more than `max`; *at is moved behind it. */
static bool read_parameter(const char **at, const char *name, unsigned max, unsigned *out)
{
	size_t len = strlen(name);
	unsigned n = 0, digits = 0;

	if (strncmp(*at, name, len) != 0)
		return false;
	for (*at += len; **at >= '0' && **at <= '9' && digits < 4; (*at)++, digits++)
		n = n * 10 + (unsigned)(**at - '0');
	*out = n;
	return digits > 0 && n >= 1 && n <= max;
}

static bool read_form(struct scrypt *s, const char *text)
{
	const char *at = text + sizeof(form) - 1, *dollar;

	if (!read_parameter(&at, "ln=", LN_MAX, &s->ln) ||
	    !read_parameter(&at, ",p=", P_MAX, &s->p) || !read_parameter(&at, ",r=", R_MAX, &s->r))
		return false;
	if ((128ULL << s->ln) * s->r > SCRYPT_MEMORY_MAX || *at++ != '$')
		return false;
	dollar = strchr(at, '$');
	return dollar != NULL &&
	       base64_read(at, (size_t)(dollar - at), s->salt, SALT_MAX, &s->salt_len) &&
	       base64_read(dollar + 1, strlen(dollar + 1), s->hash, HASH_MAX, &s->hash_len);
}

bool credential_is_hashed(const char *text)
{
	return strncmp(text, form, sizeof(form) - 1) == 0;
}

int credential_check(const char *text, char *why)
{
	struct scrypt s;

	if (!credential_is_hashed(text) || read_form(&s, text))
		return E_OK;
	(void)snprintf(why, CREDENTIAL_WHY_MAX,
		       "begins with $scrypt$ and is no hash of rec_control hash-password");
	return E_MALFORMED;
}

/* ---- digests ---- */

static bool run_scrypt(const struct scrypt *s, const char *secret, uint8_t *out, size_t len)
{
	/* Besides the table some for the blocks of p. */
	return EVP_PBE_scrypt(secret, strlen(secret), s->salt, s->salt_len, 1ULL << s->ln, s->r,
			      s->p, SCRYPT_MEMORY_MAX + (1 << 20), out, len) == 1;
}

static bool digest(const struct credential *c, const char *secret, uint8_t out[DIGEST_LEN])
{
	unsigned len = DIGEST_LEN;

	return HMAC(EVP_sha256(), c->key, sizeof(c->key), (const unsigned char *)secret,
		    strlen(secret), out, &len) != NULL;
}

/* Under the lock. */
static enum credential_verdict look(const struct credential *c, const uint8_t d[DIGEST_LEN])
{
	if (c->known && CRYPTO_memcmp(c->right, d, DIGEST_LEN) == 0)
		return CREDENTIAL_RIGHT;
	if (!c->hashed)
		return CREDENTIAL_WRONG;
	for (unsigned i = 0; i < c->n_wrong; i++)
		if (CRYPTO_memcmp(c->wrong[i], d, DIGEST_LEN) == 0)
			return CREDENTIAL_WRONG;
	return CREDENTIAL_UNKNOWN;
}

static void remember(struct credential *c, const uint8_t d[DIGEST_LEN], bool right)
{
	pthread_mutex_lock(&c->lock);
	if (right) {
		memcpy(c->right, d, DIGEST_LEN);
		c->known = true;
	} else {
		memcpy(c->wrong[c->next_wrong], d, DIGEST_LEN);
		c->next_wrong = (c->next_wrong + 1) % CREDENTIAL_WRONG_KEPT;
		c->n_wrong += c->n_wrong < CREDENTIAL_WRONG_KEPT;
	}
	pthread_mutex_unlock(&c->lock);
}

/* ---- credentials ---- */

int credential_new(struct credential **out, const char *text)
{
	struct credential *c = calloc(1, sizeof(*c));
	int err = E_NOMEM;

	if (c == NULL)
		return err;
	pthread_mutex_init(&c->lock, NULL);
	c->hashed = credential_is_hashed(text);
	if (RAND_bytes(c->key, sizeof(c->key)) != 1)
		err = E_SYSTEM;
	else if (c->hashed)
		err = read_form(&c->scrypt, text) ? E_OK : E_MALFORMED;
	else if (digest(c, text, c->right))
		err = E_OK;
	c->known = !c->hashed;
	if (err == E_OK)
		*out = c;
	else
		credential_free(c);
	return err;
}

void credential_free(struct credential *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->lock);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

enum credential_verdict credential_look(struct credential *c, const char *secret)
{
	enum credential_verdict verdict;
	uint8_t d[DIGEST_LEN];

	if (!digest(c, secret, d))
		return CREDENTIAL_WRONG;
	pthread_mutex_lock(&c->lock);
	verdict = look(c, d);
	pthread_mutex_unlock(&c->lock);
	return verdict;
}

enum credential_verdict credential_verify(struct credential *c, const char *secret)
{
	enum credential_verdict verdict = credential_look(c, secret);
	uint8_t d[DIGEST_LEN], hash[HASH_MAX];
	bool right;

	if (verdict != CREDENTIAL_UNKNOWN)
		return verdict;
	if (!digest(c, secret, d) || !run_scrypt(&c->scrypt, secret, hash, c->scrypt.hash_len))
		return CREDENTIAL_WRONG;
	right = CRYPTO_memcmp(hash, c->scrypt.hash, c->scrypt.hash_len) == 0;
	OPENSSL_cleanse(hash, sizeof(hash));
	remember(c, d, right);
	return right ? CREDENTIAL_RIGHT : CREDENTIAL_WRONG;
}

int credential_hash(char out[CREDENTIAL_TEXT_MAX], const char *secret, uint64_t work_factor)
{
	struct scrypt s = { .p = 1, .r = 8, .salt_len = SALT_LEN };
	char salt[BASE64_LEN(SALT_LEN) + 1], hash[BASE64_LEN(HASH_LEN) + 1];
	uint8_t bytes[HASH_LEN];

	if (work_factor < 2 || work_factor > CREDENTIAL_WORK_FACTOR_MAX ||
	    (work_factor & (work_factor - 1)) != 0)
		return E_RANGE;
	while (1ULL << s.ln < work_factor)
		s.ln++;
	if (RAND_bytes(s.salt, SALT_LEN) != 1)
		return E_SYSTEM;
	if (!run_scrypt(&s, secret, bytes, HASH_LEN))
		return E_NOMEM;
	EVP_EncodeBlock((unsigned char *)salt, s.salt, SALT_LEN);
	EVP_EncodeBlock((unsigned char *)hash, bytes, HASH_LEN);
	(void)snprintf(out, CREDENTIAL_TEXT_MAX, "%sln=%u,p=%u,r=%u$%s$%s", form, s.ln, s.p, s.r,
		       salt, hash);
	return E_OK;
}
