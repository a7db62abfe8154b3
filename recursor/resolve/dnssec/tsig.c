/* tsig: see tsig.h. */
#include "recursor/resolve/dnssec/tsig.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/rrtype.h"
#include "common/wire.h"

enum {
	FUDGE_S = 300,
	FIXED_LEN = 10, /* type, class, TTL, length */
	TIMERS_LEN = 8, /* time, fudge */
};

/* RFC 8945 6; a name is the algorithm's as PowerDNS has it, or with its zone. */
static const struct {
	const char *text, *also, *hash;
	uint8_t len;
} algorithms[] = {
	{ "hmac-md5", "hmac-md5.sig-alg.reg.int", "MD5", 16 },
	{ "hmac-sha1", NULL, "SHA1", 20 },
	{ "hmac-sha224", NULL, "SHA224", 28 },
	{ "hmac-sha256", NULL, "SHA256", 32 },
	{ "hmac-sha384", NULL, "SHA384", 48 },
	{ "hmac-sha512", NULL, "SHA512", 64 },
};

enum { ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };

struct tsig {
	const struct tsig_key *key;
	EVP_MAC_CTX *ctx;
	uint8_t algorithm_name[NAME_MAX_LEN];
	uint8_t mac[TSIG_MAC_MAX]; /* the last one */
	size_t mac_len;
	unsigned n_signed, n_unsigned; /* messages of the answer; since the last signed one */
	bool runs;                     /* the ctx has taken something in */
};

/* ---- keys ---- */

static int refuse(char *why, const char *what, const char *words)
{
	(void)snprintf(why, TSIG_WHY_MAX, "%s%s%.100s%s", words, what != NULL ? " '" : "",
		       what != NULL ? what : "", what != NULL ? "'" : "");
	return E_MALFORMED;
}

int tsig_key_read(struct tsig_key *out, const char *name, const char *algorithm, const char *secret,
		  char *why)
{
	struct tsig_key k = { .algorithm = ALGORITHMS };
	size_t len;

	if (*name == '\0' || name_from_text(k.name, name) != E_OK)
		return refuse(why, name, "tsigname is no domain name:");
	(void)name_lower(k.name, k.name);
	for (unsigned i = 0; i < ALGORITHMS; i++)
		if (strcasecmp(algorithm, algorithms[i].text) == 0 ||
		    (algorithms[i].also != NULL && strcasecmp(algorithm, algorithms[i].also) == 0))
			k.algorithm = (uint8_t)i;
	if (k.algorithm == ALGORITHMS)
		return refuse(why, algorithm, "tsigalgo is not known:");
	if (!base64_read(secret, strlen(secret), k.secret, TSIG_SECRET_MAX, &len))
		return refuse(why, NULL, "tsigsecret is no base64");
	k.secret_len = (uint16_t)len;
	*out = k;
	return E_OK;
}

/* ---- the digest ---- */

static bool start(struct tsig *t)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST,
			(char *)(uintptr_t)algorithms[t->key->algorithm].hash, 0),
		OSSL_PARAM_construct_end(),
	};

	t->runs = true;
	return EVP_MAC_init(t->ctx, t->key->secret, t->key->secret_len, params) == 1;
}

static bool update(struct tsig *t, const void *data, size_t len)
{
	return len == 0 || EVP_MAC_update(t->ctx, data, len) == 1;
}

/* The signature before this one stands first (RFC 8945 4.3.1). */
static bool start_after(struct tsig *t)
{
	uint8_t len[2];

	wire_put_u16(len, (uint16_t)t->mac_len);
	return start(t) && update(t, len, 2) && update(t, t->mac, t->mac_len);
}

static bool finish(struct tsig *t, uint8_t out[TSIG_MAC_MAX])
{
	size_t len = 0;

	t->runs = false;
	return EVP_MAC_final(t->ctx, out, &len, TSIG_MAC_MAX) == 1 &&
	       len == algorithms[t->key->algorithm].len;
}

static void put_timers(uint8_t out[TIMERS_LEN], uint64_t now_s)
{
	wire_put_u16(out, (uint16_t)(now_s >> 32));
	wire_put_u32(out + 2, (uint32_t)now_s);
	wire_put_u16(out + 6, FUDGE_S);
}

/* RFC 8945 4.3.3: name, class, TTL, algorithm, timers, error, other data. */
static bool update_variables(struct tsig *t, const uint8_t *timers, const uint8_t *error,
			     size_t error_len)
{
	static const uint8_t class_ttl[] = { 0, CLASS_ANY, 0, 0, 0, 0 };

	return update(t, t->key->name, name_len(t->key->name)) &&
	       update(t, class_ttl, sizeof(class_ttl)) &&
	       update(t, t->algorithm_name, name_len(t->algorithm_name)) &&
	       update(t, timers, TIMERS_LEN) && update(t, error, error_len);
}

int tsig_new(struct tsig **out, const struct tsig_key *key)
{
	const char *text = algorithms[key->algorithm].also;
	struct tsig *t = calloc(1, sizeof(*t));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	int err = E_NOMEM;

	if (t == NULL)
		goto out;
	t->key = key;
	t->ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	if (t->ctx == NULL)
		goto out;
	err = name_from_text(t->algorithm_name,
			     text != NULL ? text : algorithms[key->algorithm].text);
	/* A policy may forbid the hash. */
	if (err == E_OK && !start(t))
		err = E_UNSUPPORTED;
out:
	EVP_MAC_free(mac);
	if (err == E_OK)
		*out = t;
	else
		tsig_free(t);
	return err;
}

void tsig_free(struct tsig *t)
{
	if (t == NULL)
		return;
	EVP_MAC_CTX_free(t->ctx);
	free(t);
}

/* ---- signing ---- */

int tsig_sign(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s)
{
	static const uint8_t no_error[4];
	size_t mac_len = algorithms[t->key->algorithm].len, rdlen;
	uint8_t timers[TIMERS_LEN], *p = wire + *len;

	if (cap - *len < TSIG_ROOM)
		return E_TOO_LONG;
	put_timers(timers, now_s);
	if (!start(t) || !update(t, wire, *len) ||
	    !update_variables(t, timers, no_error, sizeof(no_error)) || !finish(t, t->mac))
		return E_UNSUPPORTED;
	t->mac_len = mac_len;
	t->n_signed = t->n_unsigned = 0;
	rdlen = name_len(t->algorithm_name) + TIMERS_LEN + 2 + mac_len + 6;
	p += name_copy(p, t->key->name);
	wire_put_u16(p, TYPE_TSIG);
	wire_put_u16(p + 2, CLASS_ANY);
	wire_put_u32(p + 4, 0);
	wire_put_u16(p + 8, (uint16_t)rdlen);
	p += FIXED_LEN;
	p += name_copy(p, t->algorithm_name);
	memcpy(p, timers, TIMERS_LEN);
	p += TIMERS_LEN;
	wire_put_u16(p, (uint16_t)mac_len);
	memcpy(p + 2, t->mac, mac_len);
	p += 2 + mac_len;
	memcpy(p, wire, 2); /* the id */
	memset(p + 2, 0, 4);
	*len = (size_t)(p + 6 - wire);
	wire_put_u16(wire + 10, (uint16_t)(wire_get_u16(wire + 10) + 1));
	return E_OK;
}

/* ---- verifying ---- */

/* What a TSIG record says; borrowed from the message. */
struct said {
	size_t begins; /* where the message ends without it */
	const uint8_t *timers, *mac, *id, *error;
	size_t mac_len, error_len;
};

/* Moves to the last record, if that is a TSIG.  E_NOT_FOUND: it is another. */
static int find_last(struct wire_reader *r, const uint8_t *wire, size_t len)
{
	unsigned n = 0, questions;
	uint16_t type, rdlen;
	int err = E_OK;

	*r = (struct wire_reader) { wire, len, WIRE_HEADER_LEN };
	if (len < WIRE_HEADER_LEN)
		return E_TRUNCATED;
	questions = wire_get_u16(wire + 4);
	for (unsigned i = 0; i < questions && err == E_OK; i++) {
		err = wire_skip_name(r);
		if (err == E_OK)
			err = wire_skip(r, 4);
	}
	for (unsigned i = 6; i <= 10; i += 2)
		n += wire_get_u16(wire + i);
	if (err != E_OK || wire_get_u16(wire + 10) == 0)
		return err != E_OK ? err : E_NOT_FOUND;
	for (;; n--) {
		size_t begins = r->pos;

		err = wire_skip_name(r);
		if (err == E_OK)
			err = wire_read_u16(r, &type);
		if (err == E_OK)
			err = wire_skip(r, 6);
		if (err == E_OK)
			err = wire_read_u16(r, &rdlen);
		if (err == E_OK)
			err = wire_skip(r, rdlen);
		if (err != E_OK)
			return err;
		if (n == 1) {
			r->pos = begins;
			return type == TYPE_TSIG ? E_OK : E_NOT_FOUND;
		}
	}
}

static int read_said(struct said *s, const struct tsig *t, const uint8_t *wire, size_t len)
{
	uint8_t name[NAME_MAX_LEN], algorithm[NAME_MAX_LEN];
	size_t name_bytes, left;
	struct wire_reader r;
	const uint8_t *p;
	int err = find_last(&r, wire, len);

	if (err != E_OK)
		return err;
	s->begins = r.pos;
	err = wire_read_name(&r, name, &name_bytes);
	if (err == E_OK)
		err = wire_skip(&r, FIXED_LEN);
	if (err == E_OK)
		err = wire_read_name(&r, algorithm, &name_bytes);
	if (err != E_OK || !name_equal(name, t->key->name) ||
	    !name_equal(algorithm, t->algorithm_name))
		return E_MALFORMED;
	p = wire + r.pos;
	left = len - r.pos;
	if (left < TIMERS_LEN + 2)
		return E_MALFORMED;
	s->timers = p;
	s->mac_len = wire_get_u16(p + TIMERS_LEN);
	s->mac = p + TIMERS_LEN + 2;
	left -= TIMERS_LEN + 2;
	if (left < s->mac_len + 6)
		return E_MALFORMED;
	s->id = s->mac + s->mac_len;
	s->error = s->id + 2;
	s->error_len = left - s->mac_len - 2;
	return s->error_len == 4U + wire_get_u16(s->error + 2) ? E_OK : E_MALFORMED;
}

static bool is_in_time(const uint8_t *timers, uint64_t now_s)
{
	uint64_t then_s = (uint64_t)wire_get_u16(timers) << 32 | wire_get_u32(timers + 2);
	uint64_t off_s = then_s > now_s ? then_s - now_s : now_s - then_s;

	return off_s <= wire_get_u16(timers + 6);
}

static bool is_right(struct tsig *t, const struct said *s, bool is_first)
{
	uint8_t mac[TSIG_MAC_MAX];
	bool ok = is_first ? update_variables(t, s->timers, s->error, s->error_len)
			   : update(t, s->timers, TIMERS_LEN);

	/* Cut short signatures are nobody's in transfers (RFC 8945 5.2.2.1). */
	return ok && finish(t, mac) && s->mac_len == algorithms[t->key->algorithm].len &&
	       CRYPTO_memcmp(mac, s->mac, s->mac_len) == 0;
}

/* RFC 8945 5.2 */
static const char *what_is_wrong(uint16_t error)
{
	switch (error) {
	case 17: /* BADKEY */
		return "the server does not know our key (TSIG)";
	case 18: /* BADTIME */
		return "the server's clock and ours differ (TSIG)";
	default:
		return "the server takes our signature (TSIG) for wrong";
	}
}

int tsig_verify(struct tsig *t, uint8_t *wire, size_t *len, uint64_t now_s, char *why)
{
	bool is_first = t->n_signed == 0;
	struct said s;
	int err = read_said(&s, t, wire, *len);

	if (err == E_NOT_FOUND && !is_first && t->n_unsigned < TSIG_UNSIGNED_MAX) {
		t->n_unsigned++;
		if ((t->runs || start_after(t)) && update(t, wire, *len))
			return E_OK;
		return refuse(why, NULL, "its signature (TSIG) cannot be checked");
	}
	if (err == E_NOT_FOUND)
		return refuse(why, NULL, "a message without a signature (TSIG)");
	if (err != E_OK)
		return refuse(why, NULL, "a signature (TSIG) that is malformed, or by another key");
	if (wire_get_u16(s.error) != 0)
		return refuse(why, NULL, what_is_wrong(wire_get_u16(s.error)));
	/* As it was when it was signed. */
	memcpy(wire, s.id, 2);
	wire_put_u16(wire + 10, (uint16_t)(wire_get_u16(wire + 10) - 1));
	if ((!t->runs && !start_after(t)) || !update(t, wire, s.begins) ||
	    !is_right(t, &s, is_first))
		return refuse(why, NULL, "a wrong signature (TSIG)");
	if (!is_in_time(s.timers, now_s))
		return refuse(why, NULL, "a signature (TSIG) of another time");
	memcpy(t->mac, s.mac, s.mac_len);
	t->mac_len = s.mac_len;
	t->n_signed++;
	t->n_unsigned = 0;
	*len = s.begins;
	return E_OK;
}

bool tsig_is_complete(const struct tsig *t)
{
	return t->n_signed > 0 && t->n_unsigned == 0;
}
