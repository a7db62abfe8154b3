#include "common/rrset_pack.h"

#include <string.h>

#include "common/msg.h"
#include "common/rrtype.h"

enum { NO_STALE = 0x80 }; /* in the byte of the kind */

enum { RRSIG_RDATA_MIN = 18 + 1 }; /* RFC 4034 3.1, before the signature */

/* ---- writing ---- */

struct packing {
	uint8_t *out;
	size_t cap, len;
};

static void put_bytes(struct packing *p, const void *data, size_t n)
{
	/* Too long shows at the end: it goes on counting. */
	if (p->len <= p->cap && n <= p->cap - p->len && n > 0)
		memcpy(p->out + p->len, data, n);
	p->len += n;
}

static void put_u8(struct packing *p, unsigned v)
{
	uint8_t byte = (uint8_t)v;

	put_bytes(p, &byte, 1);
}

static void put_u16(struct packing *p, unsigned v)
{
	uint8_t bytes[2];

	wire_put_u16(bytes, (uint16_t)v);
	put_bytes(p, bytes, sizeof(bytes));
}

static void put_u32(struct packing *p, uint32_t v)
{
	uint8_t bytes[4];

	wire_put_u32(bytes, v);
	put_bytes(p, bytes, sizeof(bytes));
}

static void put_records(struct packing *p, const struct rrset *s)
{
	struct rdata rr;
	size_t at = 0;

	put_u16(p, s->n_rr);
	put_u16(p, s->n_sig);
	while (rrset_next(s, &at, &rr)) {
		put_u16(p, rr.len);
		put_bytes(p, rr.data, rr.len);
	}
	at = 0;
	while (rrset_next_sig(s, &at, &rr)) {
		put_u16(p, rr.len);
		put_bytes(p, rr.data, rr.len);
	}
}

static void put_head(struct packing *p, const struct rrset *s)
{
	put_u8(p, s->kind | (s->no_stale ? NO_STALE : 0));
	put_u8(p, s->rank);
	put_u8(p, rrset_security(s));
	put_u8(p, s->zone_labels);
	put_u16(p, s->type);
	put_u32(p, s->ttl);
	put_u32(p, s->expires_s);
	put_bytes(p, rrset_owner(s), s->owner_len);
}

bool rrset_is_packable(const struct rrset *s)
{
	if (s->kind == RRSET_FAILURE || rrset_security(s) == SEC_BOGUS || s->ttl == 0)
		return false;
	if (s->rank == RANK_NONE || s->rank == RANK_LOCAL)
		return false;
	/* What a wildcard made is soon made again, proofs and all. */
	return s->kind == RRSET_DATA ? s->n_rr > 0 && s->n_proofs == 0 : s->n_proofs > 0;
}

int rrset_pack(const struct rrset *s, uint8_t *out, size_t cap, size_t *len)
{
	struct packing p = { .out = out, .cap = cap };

	put_head(&p, s);
	if (s->kind == RRSET_DATA) {
		put_records(&p, s);
	} else {
		put_u8(&p, s->n_proofs);
		for (unsigned i = 0; i < s->n_proofs; i++) {
			put_head(&p, rrset_proofs(s)[i]);
			put_records(&p, rrset_proofs(s)[i]);
		}
	}
	if (p.len > cap)
		return E_TOO_LONG;
	*len = p.len;
	return E_OK;
}

/* ---- reading ---- */

struct head {
	uint8_t kind, rank, security, zone_labels;
	bool no_stale;
	uint16_t type;
	uint32_t ttl, expires_s;
	uint8_t owner[NAME_MAX_LEN];
};

static bool is_lower_case(const uint8_t *name)
{
	uint8_t lower[NAME_MAX_LEN];

	return memcmp(lower, name, name_lower(lower, name)) == 0;
}

/* An uncompressed name in lower case, as caches have them. */
static int read_owner(struct wire_reader *r, uint8_t out[NAME_MAX_LEN])
{
	size_t len;
	int err = name_check(r->msg + r->pos, r->len - r->pos, &len);

	if (err != E_OK)
		return err;
	if (!is_lower_case(r->msg + r->pos))
		return E_MALFORMED;
	memcpy(out, r->msg + r->pos, len);
	return wire_skip(r, len);
}

static int check_head(const struct head *h)
{
	bool has_type = h->kind != RRSET_NXDOMAIN;

	if (h->kind > RRSET_NXDOMAIN || h->security >= SEC_BOGUS)
		return E_MALFORMED;
	if (h->rank < RANK_ADDITIONAL || h->rank > RANK_AUTH_ANSWER)
		return E_MALFORMED;
	if (has_type ? h->type == 0 || rrtype_is_meta(h->type) : h->type != 0)
		return E_MALFORMED;
	if (h->zone_labels > name_labels(h->owner) || h->ttl == 0 || h->ttl > INT32_MAX)
		return E_MALFORMED;
	return E_OK;
}

static int read_head(struct wire_reader *r, struct head *h)
{
	int err = wire_read_u8(r, &h->kind);

	if (err != E_OK)
		return err;
	h->no_stale = (h->kind & NO_STALE) != 0;
	h->kind &= (uint8_t)~NO_STALE;
	if (err == E_OK)
		err = wire_read_u8(r, &h->rank);
	if (err == E_OK)
		err = wire_read_u8(r, &h->security);
	if (err == E_OK)
		err = wire_read_u8(r, &h->zone_labels);
	if (err == E_OK)
		err = wire_read_u16(r, &h->type);
	if (err == E_OK)
		err = wire_read_u32(r, &h->ttl);
	if (err == E_OK)
		err = wire_read_u32(r, &h->expires_s);
	if (err == E_OK)
		err = read_owner(r, h->owner);
	return err == E_OK ? check_head(h) : err;
}

/* Rdata of that type, with no name compressed. */
static int read_rdata(struct rrset_unpacker *u, struct wire_reader *r, uint16_t type,
		      struct rdata *out)
{
	const struct msg m = { .wire = r->msg, .len = r->len };
	struct msg_rr rr = { .type = type };
	uint16_t len;
	int err = wire_read_u16(r, &rr.rdlen);

	rr.rdata = r->pos;
	if (err == E_OK)
		err = wire_skip(r, rr.rdlen);
	if (err == E_OK)
		err = msg_rdata(&m, &rr, u->scratch, sizeof(u->scratch), &len);
	if (err != E_OK)
		return err == E_TOO_LONG ? E_MALFORMED : err;
	if (len != rr.rdlen || memcmp(u->scratch, r->msg + rr.rdata, len) != 0)
		return E_MALFORMED;
	*out = (struct rdata) { .data = r->msg + rr.rdata, .len = len };
	return E_OK;
}

static int read_sig(struct rrset_unpacker *u, struct wire_reader *r, uint16_t covered,
		    struct rdata *out)
{
	int err = read_rdata(u, r, TYPE_RRSIG, out);

	if (err != E_OK)
		return err;
	return out->len >= RRSIG_RDATA_MIN && wire_get_u16(out->data) == covered ? E_OK
										 : E_MALFORMED;
}

/* The expiry is the file's, and what was found secure is to be found so again. */
static void finish(struct rrset *s, const struct head *h)
{
	s->expires_s = h->expires_s;
	s->zone_labels = h->zone_labels;
	s->no_stale = h->no_stale;
}

static int read_records(struct rrset **out, struct rrset_unpacker *u, struct wire_reader *r,
			const struct head *h)
{
	uint16_t n_rr = 0, n_sig = 0;
	int err = wire_read_u16(r, &n_rr);

	if (err == E_OK)
		err = wire_read_u16(r, &n_sig);
	if (err == E_OK && (n_rr == 0 || n_rr > RRSET_MAX_RECORDS || n_sig > RRSET_MAX_SIGS))
		err = E_MALFORMED;
	for (unsigned i = 0; i < n_rr && err == E_OK; i++)
		err = read_rdata(u, r, h->type, &u->rr[i]);
	for (unsigned i = 0; i < n_sig && err == E_OK; i++)
		err = read_sig(u, r, h->type, &u->sig[i]);
	if (err == E_OK)
		err = rrset_new(out, h->owner, h->type, h->ttl, 0, (enum rank)h->rank, u->rr, n_rr,
				u->sig, n_sig);
	if (err == E_OK)
		finish(*out, h);
	return err;
}

/* The zone's SOA comes first, its NSEC and NSEC3 (RFC 4035 3.1.3, 5155 7.2) after it. */
static int check_proof(const struct head *denial, const struct head *proof, unsigned i)
{
	bool fits = i == 0 ? proof->type == TYPE_SOA && name_is_within(denial->owner, proof->owner)
			   : rrtype_is_denial(proof->type);

	return fits && proof->kind == RRSET_DATA ? E_OK : E_MALFORMED;
}

static int read_denial(struct rrset **out, struct rrset_unpacker *u, struct wire_reader *r,
		       const struct head *h)
{
	struct rrset *proofs[RRSET_MAX_PROOFS] = { NULL };
	uint8_t n = 0;
	int err = wire_read_u8(r, &n);

	if (err == E_OK && (n == 0 || n > RRSET_MAX_PROOFS))
		err = E_MALFORMED;
	for (unsigned i = 0; i < n && err == E_OK; i++) {
		struct head proof;

		err = read_head(r, &proof);
		if (err == E_OK)
			err = check_proof(h, &proof, i);
		if (err == E_OK)
			err = read_records(&proofs[i], u, r, &proof);
	}
	if (err == E_OK && proofs[0]->n_rr != 1)
		err = E_MALFORMED;
	if (err == E_OK)
		err = rrset_new_negative(out, (enum rrset_kind)h->kind, h->owner, h->type, h->ttl,
					 0, (enum rank)h->rank, proofs, n, 0);
	if (err == E_OK)
		finish(*out, h);
	for (unsigned i = 0; i < RRSET_MAX_PROOFS; i++)
		rrset_put(proofs[i]);
	return err;
}

int rrset_unpack(struct rrset **out, struct rrset_unpacker *u, struct wire_reader *r)
{
	struct rrset *s = NULL;
	struct head h;
	int err = read_head(r, &h);

	if (err == E_OK)
		err = h.kind == RRSET_DATA ? read_records(&s, u, r, &h) : read_denial(&s, u, r, &h);
	if (err == E_OK)
		*out = s;
	return err;
}
