/* zonemd: see zonemd.h. */
#include "recursor/resolve/dnssec/zonemd.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/name.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/canonical.h"
#include "recursor/resolve/dnssec/key.h"

enum {
	HEAD_LEN = 6, /* serial, scheme, hash */
	SCHEME_SIMPLE = 1,
	HASHES = 2,
};

static const struct {
	const char *name;
	uint8_t number, len;
} hashes[HASHES] = {
	{ "SHA384", 1, 48 },
	{ "SHA512", 2, 64 },
};

struct zonemd_digest {
	const uint8_t *apex;
	enum zonemd refusal; /* when none is of use */
	bool is_broken;      /* OpenSSL failed on the way */
	EVP_MD_CTX *ctx[HASHES];
	const uint8_t *wanted[HASHES]; /* NULL: none of that hash is of use */
	uint8_t record[NAME_MAX_LEN + WIRE_RR_FIXED + WIRE_MSG_MAX];
};

const char *zonemd_text(enum zonemd verdict)
{
	static const char *const texts[] = {
#define ZONEMD_TEXT(symbol, text) [ZONEMD_##symbol] = (text),
		ZONEMD_VERDICTS(ZONEMD_TEXT)
#undef ZONEMD_TEXT
	};

	return texts[verdict];
}

void zonemd_canonical(uint8_t *out, uint16_t type, const struct rdata *rr)
{
	size_t len;

	canonical_rdata(out, type, rr);
	if (type == TYPE_RRSIG && rr->len > RRSIG_HEAD_LEN &&
	    name_check(out + RRSIG_HEAD_LEN, rr->len - RRSIG_HEAD_LEN, &len) == E_OK)
		(void)name_lower(out + RRSIG_HEAD_LEN, out + RRSIG_HEAD_LEN);
}

/* Which of our hashes a record is of; negative: none. */
static int hash_of(const struct rdata *rr)
{
	if (rr->len < HEAD_LEN || rr->data[4] != SCHEME_SIMPLE)
		return -1;
	for (int h = 0; h < HASHES; h++)
		if (hashes[h].number == rr->data[5] && rr->len == HEAD_LEN + hashes[h].len)
			return h;
	return -1;
}

/* RFC 8976 4, step 4: another record of the same scheme and hash spoils both. */
static bool is_alone(const struct rrset *set, const struct rdata *rr)
{
	struct rdata other;
	unsigned n = 0;

	for (size_t at = 0; rrset_next(set, &at, &other);)
		n += other.len >= HEAD_LEN && memcmp(other.data + 4, rr->data + 4, 2) == 0;
	return n == 1;
}

static void pick(struct zonemd_digest *m, uint32_t serial, const struct rrset *set)
{
	struct rdata rr;

	m->refusal = ZONEMD_UNSUPPORTED;
	for (size_t at = 0; rrset_next(set, &at, &rr);) {
		int h = hash_of(&rr);

		if (h < 0)
			continue;
		if (!is_alone(set, &rr))
			m->refusal = ZONEMD_AMBIGUOUS;
		else if (wire_get_u32(rr.data) != serial)
			m->refusal = ZONEMD_SERIAL;
		else
			m->wanted[h] = rr.data + HEAD_LEN;
	}
}

static int start_hash(struct zonemd_digest *m, unsigned h)
{
	EVP_MD *md = EVP_MD_fetch(NULL, hashes[h].name, NULL);
	int err = E_UNSUPPORTED;

	m->ctx[h] = EVP_MD_CTX_new();
	if (m->ctx[h] == NULL)
		err = E_NOMEM;
	else if (md != NULL && EVP_DigestInit_ex2(m->ctx[h], md, NULL) == 1)
		err = E_OK;
	EVP_MD_free(md);
	return err;
}

int zonemd_new(struct zonemd_digest **out, const uint8_t *apex, uint32_t serial,
	       const struct rrset *zonemds)
{
	struct zonemd_digest *m = calloc(1, sizeof(*m));
	int err = E_OK;

	if (m == NULL)
		return E_NOMEM;
	m->apex = apex;
	m->refusal = ZONEMD_NONE;
	if (zonemds != NULL)
		pick(m, serial, zonemds);
	for (unsigned h = 0; err == E_OK && h < HASHES; h++)
		if (m->wanted[h] != NULL)
			err = start_hash(m, h);
	if (err != E_OK) {
		zonemd_free(m);
		return err;
	}
	*out = m;
	return E_OK;
}

void zonemd_free(struct zonemd_digest *m)
{
	if (m == NULL)
		return;
	for (unsigned h = 0; h < HASHES; h++)
		EVP_MD_CTX_free(m->ctx[h]);
	free(m);
}

bool zonemd_wants_records(const struct zonemd_digest *m)
{
	return m->ctx[0] != NULL || m->ctx[1] != NULL;
}

/* RFC 8976 3.3.1: the ZONEMD set of the apex and its signatures; those of other names count. */
static bool is_left_out(const struct zonemd_digest *m, const uint8_t *owner, uint16_t type,
			const struct rdata *rr)
{
	bool is_it = type == TYPE_ZONEMD ||
		     (type == TYPE_RRSIG && rr->len >= 2 && wire_get_u16(rr->data) == TYPE_ZONEMD);

	return is_it && name_equal(owner, m->apex);
}

void zonemd_record(struct zonemd_digest *m, const uint8_t *owner, uint16_t type, uint32_t ttl,
		   const struct rdata *rr)
{
	size_t len;

	if (is_left_out(m, owner, type, rr))
		return;
	len = name_lower(m->record, owner);
	zonemd_canonical(wire_put_fixed(m->record + len, type, ttl, rr->len), type, rr);
	len += WIRE_RR_FIXED + rr->len;
	for (unsigned h = 0; h < HASHES; h++)
		if (m->ctx[h] != NULL && EVP_DigestUpdate(m->ctx[h], m->record, len) != 1)
			m->is_broken = true;
}

enum zonemd zonemd_end(struct zonemd_digest *m)
{
	enum zonemd verdict = m->refusal;

	for (unsigned h = 0; h < HASHES; h++) {
		uint8_t digest[EVP_MAX_MD_SIZE];
		unsigned len = 0;

		if (m->ctx[h] == NULL || verdict == ZONEMD_MATCHES)
			continue;
		if (m->is_broken || EVP_DigestFinal_ex(m->ctx[h], digest, &len) != 1 ||
		    len != hashes[h].len || memcmp(digest, m->wanted[h], len) != 0)
			verdict = ZONEMD_DIFFERS;
		else
			verdict = ZONEMD_MATCHES;
	}
	zonemd_free(m);
	return verdict;
}
