/* rrsig: see rrsig.h. */
#include "tests/signer/rrsig.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"

enum {
	CLASS_INTERNET = 1,
	DAY_S = 86400,
	YEAR_S = 365 * DAY_S,
	RRSIG_HEAD = 18,
	NUMBER_STRANGE = SIGN_KEY_LARGE - 1, /* of a key that no zone has */
};

static const struct {
	const char *word, *text;
} faults[] = {
#define ROW(name, word, text) [SIGN_##name] = { word, text },
	SIGN_FAULTS(ROW)
#undef ROW
};

const char *sign_fault_word(enum sign_fault f)
{
	return faults[f].word;
}

const char *sign_fault_text(enum sign_fault f)
{
	return faults[f].text;
}

enum sign_fault sign_fault_find(const char *word)
{
	unsigned f = 0;

	while (f < SIGN_FAULT_END && strcmp(faults[f].word, word) != 0)
		f++;
	return (enum sign_fault)f;
}

/* ---- canonical form ---- */

/* Fixed bytes before the names, and how many names there are. */
static const struct {
	uint16_t type;
	uint8_t before, names;
} with_names[] = {
	{ TYPE_NS, 0, 1 },    { TYPE_MD, 0, 1 },    { TYPE_MF, 0, 1 },     { TYPE_CNAME, 0, 1 },
	{ TYPE_SOA, 0, 2 },   { TYPE_MB, 0, 1 },    { TYPE_MG, 0, 1 },     { TYPE_MR, 0, 1 },
	{ TYPE_PTR, 0, 1 },   { TYPE_MINFO, 0, 2 }, { TYPE_MX, 2, 1 },     { TYPE_RP, 0, 2 },
	{ TYPE_AFSDB, 2, 1 }, { TYPE_RT, 2, 1 },    { TYPE_PX, 2, 2 },     { TYPE_SRV, 6, 1 },
	{ TYPE_KX, 2, 1 },    { TYPE_DNAME, 0, 1 }, { TYPE_RRSIG, 18, 1 },
};

static void naptr_lower(uint8_t *rdata, size_t len)
{
	size_t at = 4, n;

	for (unsigned i = 0; i < 3 && at < len; i++)
		at += 1u + rdata[at];
	if (at < len && name_check(rdata + at, len - at, &n) == E_OK)
		name_lower(rdata + at, rdata + at);
}

void sign_canonical_rdata(uint16_t type, uint8_t *rdata, size_t len)
{
	size_t at, n;

	if (type == TYPE_NAPTR)
		naptr_lower(rdata, len);
	for (size_t i = 0; i < ARRAY_LEN(with_names); i++) {
		if (with_names[i].type != type)
			continue;
		at = with_names[i].before;
		for (unsigned k = with_names[i].names; k > 0; k--) {
			if (at > len || name_check(rdata + at, len - at, &n) != E_OK)
				return;
			at += name_lower(rdata + at, rdata + at);
		}
	}
}

/* As unsigned bytes, the shorter one first when it is the other's beginning (RFC 4034 6.3). */
static int by_bytes(const void *a, const void *b)
{
	const struct rdata *x = a, *y = b;
	int c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : (int)x->len - (int)y->len;
}

/* ---- what is signed (RFC 4034 3.1.8.1) ---- */

struct signing {
	uint8_t *data;
	size_t len;
};

static void append(struct signing *s, const void *data, size_t len)
{
	memcpy(s->data + s->len, data, len);
	s->len += len;
}

static void append_records(struct signing *s, const uint8_t *owner, uint16_t type, uint32_t ttl,
			   const struct rdata *rr, size_t n)
{
	struct rdata *sorted = calloc(n, sizeof(*sorted));
	uint8_t head[NAME_MAX_LEN + 10];
	size_t len = name_lower(head, owner);

	ASSERT(sorted != NULL);
	wire_put_u16(head + len, type);
	wire_put_u16(head + len + 2, CLASS_INTERNET);
	wire_put_u32(head + len + 4, ttl);
	for (size_t i = 0; i < n; i++) {
		uint8_t *copy = malloc(rr[i].len + 1u);

		ASSERT(copy != NULL);
		memcpy(copy, rr[i].data, rr[i].len);
		sign_canonical_rdata(type, copy, rr[i].len);
		sorted[i] = (struct rdata) { copy, rr[i].len };
	}
	qsort(sorted, n, sizeof(*sorted), by_bytes);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && by_bytes(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		wire_put_u16(head + len + 8, sorted[i].len);
		append(s, head, len + 10);
		append(s, sorted[i].data, sorted[i].len);
	}
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)sorted[i].data);
	free(sorted);
}

static size_t room_for(const struct rdata *rr, size_t n)
{
	size_t room = SIGN_RRSIG_MAX + 16;

	for (size_t i = 0; i < n; i++)
		room += NAME_MAX_LEN + 10u + rr[i].len;
	return room;
}

/* ---- faults ---- */

/* Those that are signed with the rest: the signature itself is right. */
static void fault_before(enum sign_fault fault, struct sign_with *with)
{
	if (fault == SIGN_EXPIRED) {
		with->expiration_s = with->inception_s - YEAR_S;
		with->inception_s = with->expiration_s - 30 * DAY_S;
	} else if (fault == SIGN_NOT_YET) {
		with->inception_s = with->expiration_s + YEAR_S;
		with->expiration_s = with->inception_s + 30 * DAY_S;
	} else if (fault == SIGN_BACKWARD) {
		uint32_t at = with->inception_s;

		with->inception_s = with->expiration_s;
		with->expiration_s = at;
	} else if (fault == SIGN_OTHER_KEY || fault == SIGN_FORGED) {
		with->key = sign_key(sign_key_algorithm(with->key), NUMBER_STRANGE);
	}
}

/* Those that are done to it afterwards; the length. */
static size_t fault_after(enum sign_fault fault, uint8_t *rdata, size_t len, size_t signer_len)
{
	switch (fault) {
	case SIGN_GARBLED:
		rdata[len - 2] ^= 4;
		return len;
	case SIGN_SHORT:
		return len - 1;
	case SIGN_EMPTY:
		return RRSIG_HEAD + signer_len;
	case SIGN_OTHER_SIGNER:
		/* Another label of the same length; the root's has none. */
		if (rdata[RRSIG_HEAD] != 0)
			rdata[RRSIG_HEAD + 1] = rdata[RRSIG_HEAD + 1] == 'z' ? 'y' : 'z';
		else
			rdata[len - 2] ^= 4;
		return len;
	case SIGN_OTHER_TAG:
		rdata[17] ^= 1;
		return len;
	case SIGN_OTHER_ALGORITHM:
		rdata[2] = rdata[2] == 13 ? 8 : 13;
		return len;
	case SIGN_OTHER_TYPE:
		rdata[1] ^= 1;
		return len;
	case SIGN_OTHER_TTL:
		rdata[7] ^= 1;
		return len;
	case SIGN_MORE_LABELS:
		rdata[3]++;
		return len;
	case SIGN_FEWER_LABELS:
		/* The root has none to take away. */
		rdata[3] = rdata[3] > 0 ? rdata[3] - 1 : 1;
		return len;
	default:
		return len;
	}
}

size_t sign_records(const struct sign_with *with, enum sign_fault fault, const uint8_t *owner,
		    uint16_t type, uint32_t ttl, const struct rdata *rr, size_t n,
		    uint8_t out[SIGN_RRSIG_MAX])
{
	struct signing s = { malloc(room_for(rr, n)), 0 };
	struct sign_with w = *with;
	bool is_wildcard = name_is_wildcard(owner);
	size_t len, signer_len;

	ASSERT(s.data != NULL);
	fault_before(fault, &w);
	wire_put_u16(out, type);
	out[2] = sign_key_algorithm(w.key);
	out[3] = (uint8_t)(name_labels(owner) - is_wildcard);
	wire_put_u32(out + 4, ttl);
	wire_put_u32(out + 8, w.expiration_s);
	wire_put_u32(out + 12, w.inception_s);
	wire_put_u16(out + 16, sign_key_tag(fault == SIGN_FORGED ? with->key : w.key, w.flags));
	signer_len = name_lower(out + RRSIG_HEAD, w.zone);
	len = RRSIG_HEAD + signer_len;
	append(&s, out, len);
	append_records(&s, owner, type, ttl, rr, n);
	if (fault == SIGN_OTHER_DATA)
		append(&s, "other", 5);
	len += sign_bytes(w.key, s.data, s.len, out + len);
	free(s.data);
	return fault_after(fault, out, len, signer_len);
}
