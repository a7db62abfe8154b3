#include "common/rrset.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/heap.h"
#include "common/rrtype.h"
#include "common/wire.h"

enum {
	LINEAR_MAX = 16, /* up to here records are compared each with each */
	TABLE_SLOTS = 2 * RRSET_MAX_RECORDS,
};

/* Records packed one behind another, and a way to find one of them. */
struct pack {
	const uint8_t *base;
	size_t len;
	bool use_table;
	size_t mask;
	uint32_t table[TABLE_SLOTS]; /* offset + 1; 0: free */
};

enum {
	HEAD = offsetof(struct rrset, data),
	SIGS_AT_LEN = sizeof(uint32_t),
	PROVED_TAIL_LEN = 2 * sizeof(uint32_t),
};

_Static_assert(HEAD == 24 && sizeof(struct rrset) == HEAD, "packed");
_Static_assert(RRSET_MAX_BYTES < 1 << 18 && RRSET_MAX_RECORDS < 1 << 13 &&
		       RRSET_MAX_SIGS < 1 << 8 && RRSET_MAX_PROOFS < 1 << 3,
	       "in the bits of struct rrset");

static uint32_t offset_at(const struct rrset *s, size_t from_end)
{
	uint32_t at;

	memcpy(&at, s->data + s->size - HEAD - from_end, sizeof(at));
	return at;
}

/* Where the RRSIGs begin, and the records end. */
static size_t sigs_at(const struct rrset *s)
{
	if (s->kind != RRSET_DATA)
		return s->owner_len;
	if (s->n_sig == 0 && s->n_proofs == 0)
		return (size_t)s->size - HEAD;
	return offset_at(s, SIGS_AT_LEN);
}

/* With proofs there stands one more offset: where the RRSIGs end. */
static size_t sigs_end(const struct rrset *s)
{
	if (s->n_proofs > 0)
		return offset_at(s, PROVED_TAIL_LEN);
	return (size_t)s->size - HEAD - SIGS_AT_LEN;
}

static size_t get_record(const uint8_t *at, struct rdata *rr)
{
	rr->len = wire_get_u16(at);
	rr->data = at + 2;
	return 2 + (size_t)rr->len;
}

static bool rdata_equal(const struct rdata *a, const struct rdata *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void pack_init(struct pack *p, const uint8_t *base, size_t n)
{
	size_t slots = 1;

	p->base = base;
	p->len = 0;
	p->use_table = n > LINEAR_MAX;
	if (!p->use_table)
		return;
	while (slots < 2 * n)
		slots *= 2;
	ASSERT(slots <= TABLE_SLOTS);
	p->mask = slots - 1;
	memset(p->table, 0, slots * sizeof(p->table[0]));
}

/* True if the pack has it; else *slot is where it belongs. */
static bool pack_find(const struct pack *p, const struct rdata *rr, size_t *slot)
{
	struct rdata have;

	if (!p->use_table) {
		for (size_t at = 0; at < p->len;) {
			at += get_record(p->base + at, &have);
			if (rdata_equal(&have, rr))
				return true;
		}
		return false;
	}
	*slot = hash_bytes(rr->data, rr->len) & p->mask;
	for (; p->table[*slot] != 0; *slot = (*slot + 1) & p->mask) {
		(void)get_record(p->base + p->table[*slot] - 1, &have);
		if (rdata_equal(&have, rr))
			return true;
	}
	return false;
}

/* The record that stands behind the pack now belongs to it. */
static void pack_grow(struct pack *p, const struct rdata *rr, size_t slot)
{
	if (p->use_table)
		p->table[slot] = (uint32_t)p->len + 1;
	p->len += 2 + (size_t)rr->len;
}

/* Writes each different record once; returns how many.  Sets *len to the bytes written. */
static uint32_t write_records(uint8_t *out, const struct rdata *rr, size_t n, size_t *len)
{
	struct pack p;
	uint32_t kept = 0;

	pack_init(&p, out, n);
	for (size_t i = 0; i < n; i++) {
		size_t slot = 0;

		if (pack_find(&p, &rr[i], &slot))
			continue;
		wire_put_u16(out + p.len, rr[i].len);
		if (rr[i].len > 0)
			memcpy(out + p.len + 2, rr[i].data, rr[i].len);
		pack_grow(&p, &rr[i], slot);
		kept++;
	}
	*len = p.len;
	return kept;
}

static uint32_t expiry(uint32_t now_s, uint32_t ttl)
{
	return ttl > UINT32_MAX - now_s ? UINT32_MAX : now_s + ttl;
}

static void set_size(struct rrset *s, size_t data_len)
{
	s->size = (HEAD + data_len) & ((1 << 18) - 1);
}

static struct rrset *block_new(size_t data_len, const uint8_t *owner, uint16_t type, uint32_t ttl,
			       uint32_t now_s, enum rank rank)
{
	struct rrset *s = malloc(HEAD + data_len);

	if (s == NULL)
		return NULL;
	*s = (struct rrset) {
		.ttl = ttl,
		.expires_s = expiry(now_s, ttl),
		.type = type,
		.rank = rank & 7,
		.owner_len = (uint8_t)name_len(owner),
		.glue_s = RRSET_GLUE_LONG,
	};
	atomic_init(&s->refs, 1);
	set_size(s, data_len);
	memcpy(s->data, owner, s->owner_len);
	return s;
}

static size_t packed_len(const struct rdata *rr, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += 2 + (size_t)rr[i].len;
	return len;
}

/* Gives memory that was not needed back. */
static struct rrset *block_trim(struct rrset *s, size_t data_len)
{
	struct rrset *smaller;

	if (s->size == HEAD + data_len)
		return s;
	set_size(s, data_len);
	smaller = realloc(s, s->size);
	if (smaller == NULL)
		return s;
	return smaller;
}

/* Where references can stand in data[] at the earliest: aligned. */
static size_t align_in_data(size_t at)
{
	const size_t align = _Alignof(struct rrset *);

	return (HEAD + at + align - 1) / align * align - HEAD;
}

static void put_proofs(struct rrset *s, size_t at, struct rrset *const *proofs, size_t n_proofs)
{
	for (size_t i = 0; i < n_proofs; i++) {
		struct rrset *proof;

		/* So that freeing goes two levels deep at most. */
		ASSERT(proofs[i]->n_proofs == 0 ||
		       (s->kind == RRSET_FAILURE && proofs[i]->kind != RRSET_FAILURE));
		proof = rrset_get(proofs[i]);
		memcpy(s->data + at + i * sizeof(proof), &proof, sizeof(proof));
	}
	s->n_proofs = n_proofs & 7;
}

int rrset_new_proved(struct rrset **out, const uint8_t *owner, uint16_t type, uint32_t ttl,
		     uint32_t now_s, enum rank rank, const struct rdata *rr, size_t n_rr,
		     const struct rdata *sig, size_t n_sig, struct rrset *const *proofs,
		     size_t n_proofs)
{
	struct rrset *s;
	size_t most, len, end;
	uint32_t at;

	if (n_rr > RRSET_MAX_RECORDS || n_sig > RRSET_MAX_SIGS || n_proofs > RRSET_MAX_PROOFS)
		return E_LIMIT;
	most = name_len(owner) + packed_len(rr, n_rr) + packed_len(sig, n_sig);
	if (n_proofs > 0)
		most = align_in_data(most) + n_proofs * sizeof(s) + PROVED_TAIL_LEN;
	else if (n_sig > 0)
		most += SIGS_AT_LEN;
	if (most > RRSET_MAX_BYTES - HEAD)
		return E_LIMIT;
	s = block_new(most, owner, type, ttl, now_s, rank);
	if (s == NULL)
		return E_NOMEM;
	s->kind = RRSET_DATA;
	s->n_rr = write_records(s->data + s->owner_len, rr, n_rr, &len) & 0x1fff;
	end = s->owner_len + len;
	at = (uint32_t)end;
	if (n_sig > 0) {
		s->n_sig = (uint8_t)write_records(s->data + end, sig, n_sig, &len);
		end += len;
	}
	if (n_proofs > 0) {
		uint32_t sigs_end_at = (uint32_t)end;

		memset(s->data + end, 0, align_in_data(end) - end);
		end = align_in_data(end);
		put_proofs(s, end, proofs, n_proofs);
		end += n_proofs * sizeof(s) + SIGS_AT_LEN;
		memcpy(s->data + end - SIGS_AT_LEN, &sigs_end_at, SIGS_AT_LEN);
	}
	if (n_sig + n_proofs > 0) {
		end += SIGS_AT_LEN;
		memcpy(s->data + end - SIGS_AT_LEN, &at, SIGS_AT_LEN);
	}
	*out = block_trim(s, end);
	return E_OK;
}

int rrset_new(struct rrset **out, const uint8_t *owner, uint16_t type, uint32_t ttl, uint32_t now_s,
	      enum rank rank, const struct rdata *rr, size_t n_rr, const struct rdata *sig,
	      size_t n_sig)
{
	return rrset_new_proved(out, owner, type, ttl, now_s, rank, rr, n_rr, sig, n_sig, NULL, 0);
}

/* Where the references to proofs stand in data[]: of a denial behind the owner, else behind
 * records and RRSIGs. */
static size_t proofs_at(const struct rrset *s)
{
	return align_in_data(s->kind == RRSET_DATA ? sigs_end(s) : s->owner_len);
}

int rrset_new_negative(struct rrset **out, enum rrset_kind kind, const uint8_t *owner,
		       uint16_t type, uint32_t ttl, uint32_t now_s, enum rank rank,
		       struct rrset *const *proofs, size_t n_proofs, unsigned cause)
{
	size_t at = align_in_data(name_len(owner));
	struct rrset *s;

	if (n_proofs > RRSET_MAX_PROOFS)
		return E_LIMIT;
	s = block_new(at + n_proofs * sizeof(s), owner, type, ttl, now_s, rank);
	if (s == NULL)
		return E_NOMEM;
	s->kind = kind & 3;
	s->cause = (uint8_t)cause;
	put_proofs(s, at, proofs, n_proofs);
	*out = s;
	return E_OK;
}

const char *security_text(enum security s)
{
	static const char *const texts[] = {
		[SEC_UNCHECKED] = "Unchecked", [SEC_INDETERMINATE] = "Indeterminate",
		[SEC_INSECURE] = "Insecure",   [SEC_SECURE] = "Secure",
		[SEC_BOGUS] = "Bogus",
	};

	return (size_t)s < ARRAY_LEN(texts) ? texts[s] : "?";
}

void rrset_set_security(struct rrset *s, enum security security, unsigned bogus)
{
	unsigned char unchecked = SEC_UNCHECKED;

	ASSERT(bogus < 32);
	(void)atomic_compare_exchange_strong_explicit(
		&s->verdict, &unchecked, (unsigned char)((unsigned)security | bogus << 3),
		memory_order_relaxed, memory_order_relaxed);
}

void rrset_forget_security(struct rrset *s)
{
	atomic_store_explicit(&s->verdict, SEC_UNCHECKED, memory_order_relaxed);
}

int rrset_copy(struct rrset **out, const struct rrset *s, enum rank rank, uint32_t ttl,
	       uint32_t now_s)
{
	struct rrset *copy = block_new(s->size - HEAD, rrset_owner(s), s->type, ttl, now_s, rank);

	if (copy == NULL)
		return E_NOMEM;
	copy->n_rr = s->n_rr;
	copy->n_sig = s->n_sig;
	copy->cause = s->cause;
	copy->kind = s->kind;
	atomic_init(&copy->verdict, atomic_load_explicit(&s->verdict, memory_order_relaxed));
	copy->n_proofs = s->n_proofs;
	copy->no_stale = s->no_stale;
	copy->zone_labels = s->zone_labels;
	memcpy(copy->data, s->data, s->size - HEAD);
	for (size_t i = 0; i < copy->n_proofs; i++)
		(void)rrset_get(rrset_proofs(copy)[i]);
	*out = copy;
	return E_OK;
}

/* Of all charged sets: there is one heap, too. */
static atomic_size_t charged_bytes;

void rrset_charge(struct rrset *s)
{
	/* Most are charged already: to look first leaves the line where it is. */
	if (atomic_load_explicit(&s->refs, memory_order_relaxed) & RRSET_CHARGED)
		return;
	if ((atomic_fetch_or_explicit(&s->refs, RRSET_CHARGED, memory_order_relaxed) &
	     RRSET_CHARGED) == 0)
		atomic_fetch_add_explicit(&charged_bytes, heap_cost(s->size), memory_order_relaxed);
}

size_t rrset_charged_bytes(void)
{
	return atomic_load_explicit(&charged_bytes, memory_order_relaxed);
}

void rrset_share_proof(struct rrset *denial, unsigned i, struct rrset *proof, uint32_t now_s)
{
	struct rrset **place = (struct rrset **)(void *)(denial->data + proofs_at(denial));

	ASSERT(i < denial->n_proofs && proof->n_proofs == 0);
	rrset_get(proof);
	rrset_put(place[i]);
	place[i] = proof;
	if (denial->expires_s > proof->expires_s)
		denial->expires_s = proof->expires_s;
	if (denial->ttl > rrset_ttl_left(proof, now_s))
		denial->ttl = rrset_ttl_left(proof, now_s);
}

struct rrset *rrset_get(struct rrset *s)
{
	/* Whoever has a reference may copy it: nothing need be ordered before. */
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void rrset_put(struct rrset *s)
{
	unsigned before;

	if (s == NULL)
		return;
	before = atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel);
	ASSERT((before & ~RRSET_CHARGED) != 0);
	if ((before & ~RRSET_CHARGED) > 1)
		return;
	if (before & RRSET_CHARGED)
		atomic_fetch_sub_explicit(&charged_bytes, heap_cost(s->size), memory_order_relaxed);
	for (size_t i = 0; i < s->n_proofs; i++)
		rrset_put(rrset_proofs(s)[i]);
	free(s);
}

const uint8_t *rrset_owner(const struct rrset *s)
{
	return s->data;
}

const uint8_t *rrset_zone(const struct rrset *s)
{
	return name_suffix(rrset_owner(s), s->zone_labels);
}

bool rrset_is_of_apex(const struct rrset *s)
{
	return s->owner_len > 1 && s->zone_labels == name_labels(rrset_owner(s));
}

bool rrset_speaks_of(const struct rrset *s, uint16_t type)
{
	return type != TYPE_DS || !rrset_is_of_apex(s);
}

struct rrset *const *rrset_proofs(const struct rrset *s)
{
	return (struct rrset *const *)(const void *)(s->data + proofs_at(s));
}

const struct rrset *rrset_soa(const struct rrset *s)
{
	const struct rrset *first = s->n_proofs > 0 ? rrset_proofs(s)[0] : NULL;

	return first != NULL && first->type == TYPE_SOA ? first : NULL;
}

bool rrset_next(const struct rrset *s, size_t *at, struct rdata *rr)
{
	size_t pos = *at != 0 ? *at : s->owner_len;

	if (pos >= sigs_at(s))
		return false;
	*at = pos + get_record(s->data + pos, rr);
	return true;
}

bool rrset_next_sig(const struct rrset *s, size_t *at, struct rdata *sig)
{
	size_t pos = *at != 0 ? *at : sigs_at(s);

	if (s->n_sig == 0 || pos >= sigs_end(s))
		return false;
	*at = pos + get_record(s->data + pos, sig);
	return true;
}

uint32_t rrset_ttl_left(const struct rrset *s, uint32_t now_s)
{
	uint32_t left;

	if (now_s >= s->expires_s)
		return 0;
	left = s->expires_s - now_s;
	return left < s->ttl ? left : s->ttl;
}

bool rrset_is_expired(const struct rrset *s, uint32_t now_s)
{
	/* A failure gets none: it would hide a name that works by now (RFC 9520 3.2). */
	bool has_failed = s->kind == RRSET_FAILURE || rrset_security(s) == SEC_BOGUS;
	uint32_t slack_s = has_failed ? 0 : RRSET_CLOCK_SLACK_S;

	return now_s >= s->expires_s || s->expires_s - now_s > (uint64_t)s->ttl + slack_s;
}

bool rrset_is_stale(const struct rrset *s, uint32_t now_s, uint32_t window_s)
{
	return window_s != 0 && now_s >= s->expires_s && now_s - s->expires_s <= window_s &&
	       s->kind != RRSET_FAILURE && rrset_security(s) != SEC_BOGUS && !s->no_stale;
}

bool rrset_equal_data(const struct rrset *a, const struct rrset *b)
{
	const uint8_t *a_data = a->data + a->owner_len, *b_data = b->data + b->owner_len;
	size_t len = sigs_at(a) - a->owner_len, at = 0, slot = 0;
	struct pack p;
	struct rdata rr;

	if (a->n_rr != b->n_rr || len != sigs_at(b) - b->owner_len)
		return false;
	if (memcmp(a_data, b_data, len) == 0)
		return true;
	pack_init(&p, a_data, a->n_rr);
	while (p.len < len) {
		(void)get_record(a_data + p.len, &rr);
		if (p.use_table)
			(void)pack_find(&p, &rr, &slot);
		pack_grow(&p, &rr, slot);
	}
	/* In neither is a record twice, so it is enough that all of b are in a. */
	while (rrset_next(b, &at, &rr))
		if (!pack_find(&p, &rr, &slot))
			return false;
	return true;
}
