/* anchors: see anchors.h. */
#include "recursor/resolve/dnssec/anchors.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/grow.h"
#include "common/hash.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/key.h"

enum { NODES_FIRST = 4 };

/* The names that it tells of stand in their DS set, or in their negative anchor. */
struct negative {
	atomic_uint refs;
	struct nta nta;
	uint8_t data[]; /* the name, the reason */
};

struct anchors {
	atomic_uint refs;
	size_t n, cap;
	struct anchor *nodes; /* in canonical order */
	/* The label counts that names of it have: others need not be looked for. */
	uint64_t depths[(NAME_MAX_LABELS + 1) / 64];
};

/* ---- negative anchors, shared by copies ---- */

static struct negative *negative_of(const struct nta *nta)
{
	return (struct negative *)((char *)(uintptr_t)nta - offsetof(struct negative, nta));
}

static const struct nta *nta_get(const struct nta *nta)
{
	if (nta != NULL)
		atomic_fetch_add_explicit(&negative_of(nta)->refs, 1, memory_order_relaxed);
	return nta;
}

static void nta_put(const struct nta *nta)
{
	if (nta != NULL &&
	    atomic_fetch_sub_explicit(&negative_of(nta)->refs, 1, memory_order_acq_rel) == 1)
		free(negative_of(nta));
}

static const struct nta *nta_new(const uint8_t *name, const char *reason, uint32_t expires_s)
{
	size_t len = name_len(name), text = strnlen(reason, ANCHORS_REASON_MAX - 1);
	struct negative *n = malloc(sizeof(*n) + len + text + 1);

	if (n == NULL)
		return NULL;
	(void)name_lower(n->data, name);
	memcpy(n->data + len, reason, text);
	n->data[len + text] = '\0';
	n->nta = (struct nta) { expires_s, n->data, (const char *)n->data + len };
	atomic_init(&n->refs, 1);
	return &n->nta;
}

/* ---- the whole ---- */

int anchors_new(struct anchors **out)
{
	struct anchors *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return E_NOMEM;
	atomic_init(&a->refs, 1);
	*out = a;
	return E_OK;
}

struct anchors *anchors_get(struct anchors *a)
{
	if (a != NULL)
		atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void anchors_put(struct anchors *a)
{
	if (a == NULL || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < a->n; i++) {
		rrset_put(a->nodes[i].ds);
		rrset_put(a->nodes[i].lost);
		nta_put(a->nodes[i].nta);
	}
	free(a->nodes);
	free(a);
}

int anchors_copy(struct anchors **out, const struct anchors *from)
{
	struct anchors *a = NULL;
	int err = anchors_new(&a);

	if (err == E_OK && !grow(&a->nodes, &a->cap, from->n, sizeof(a->nodes[0]), NODES_FIRST))
		err = E_NOMEM;
	if (err != E_OK) {
		anchors_put(a);
		return err;
	}
	for (size_t i = 0; i < from->n; i++) {
		a->nodes[i] = from->nodes[i];
		if (a->nodes[i].ds != NULL)
			rrset_get(a->nodes[i].ds);
		if (a->nodes[i].lost != NULL)
			rrset_get(a->nodes[i].lost);
		(void)nta_get(a->nodes[i].nta);
	}
	a->n = from->n;
	memcpy(a->depths, from->depths, sizeof(a->depths));
	*out = a;
	return E_OK;
}

/* ---- names ---- */

/* Where it is, or would stand. */
static bool find(const struct anchors *a, const uint8_t *name, size_t *at)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_compare(a->nodes[middle].name, name);

		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

/* A place for it, with neither kind yet. */
static int open_node(struct anchors *a, const uint8_t *name, size_t *at)
{
	unsigned labels = name_labels(name);

	if (find(a, name, at))
		return E_OK;
	if (a->n >= ANCHORS_MAX)
		return E_LIMIT;
	if (!grow(&a->nodes, &a->cap, a->n + 1, sizeof(a->nodes[0]), NODES_FIRST))
		return E_NOMEM;
	memmove(a->nodes + *at + 1, a->nodes + *at, (a->n - *at) * sizeof(a->nodes[0]));
	a->nodes[*at] = (struct anchor) { 0 };
	a->n++;
	a->depths[labels / 64] |= 1ULL << (labels % 64);
	return E_OK;
}

/* Gives it the name that one of its parts has; one without a part goes. */
static void settle_node(struct anchors *a, size_t at)
{
	struct anchor *node = &a->nodes[at];

	if (node->ds != NULL) {
		node->name = rrset_owner(node->ds);
	} else if (node->nta != NULL) {
		node->name = node->nta->name;
	} else if (node->lost != NULL) {
		node->name = rrset_owner(node->lost);
	} else {
		a->n--;
		memmove(node, node + 1, (a->n - at) * sizeof(*node));
	}
}

static void put_lost(struct anchor *node, struct rrset *lost)
{
	rrset_put(node->lost);
	node->lost = lost;
}

static int put_ds(struct anchors *a, const uint8_t *name, struct rrset *ds)
{
	size_t at;
	int err = open_node(a, name, &at);

	if (err != E_OK)
		return err;
	ASSERT(at < a->n && a->nodes != NULL);
	rrset_put(a->nodes[at].ds);
	a->nodes[at].ds = ds;
	if (ds != NULL)
		put_lost(&a->nodes[at], NULL);
	settle_node(a, at);
	return E_OK;
}

static int put_nta(struct anchors *a, const uint8_t *name, const struct nta *nta)
{
	size_t at;
	int err = open_node(a, name, &at);

	if (err != E_OK)
		return err;
	ASSERT(at < a->n && a->nodes != NULL);
	nta_put(a->nodes[at].nta);
	a->nodes[at].nta = nta;
	settle_node(a, at);
	return E_OK;
}

/* ---- building ---- */

static const char *refuse_ds(const struct rdata *rr)
{
	const struct digest *known;
	struct ds ds;

	if (ds_read(&ds, rr) != E_OK)
		return "it has no digest";
	known = digest_find(ds.digest_type);
	if (known != NULL && hash_len((enum hash)known->hash) != ds.digest_len)
		return "the digest's length is not that of its type";
	return NULL;
}

static const char *refuse_dnskey(const struct rdata *rr)
{
	struct dnskey key;

	if (dnskey_read(&key, rr) != E_OK)
		return "it has no key";
	if ((key.flags & DNSKEY_ZONE) == 0)
		return "it is no zone key (RFC 4034 2.1.1)";
	if ((key.flags & DNSKEY_REVOKE) != 0)
		return "it is revoked (RFC 5011 2.1)";
	if (key.protocol != DNSKEY_PROTOCOL)
		return "its protocol is not 3 (RFC 4034 2.1.2)";
	return NULL;
}

const char *anchors_refuse(uint16_t type, const uint8_t *rdata, size_t len)
{
	const struct rdata rr = { rdata, (uint16_t)len };

	if (len > UINT16_MAX)
		return "it is too long";
	if (type == TYPE_DS)
		return refuse_ds(&rr);
	if (type == TYPE_DNSKEY)
		return refuse_dnskey(&rr);
	return "it is neither DS nor DNSKEY";
}

static int ds_set(struct rrset **out, const uint8_t *name, const struct rdata *rr, size_t n)
{
	uint8_t lower[NAME_MAX_LEN];

	(void)name_lower(lower, name);
	return rrset_new(out, lower, TYPE_DS, UINT32_MAX, 0, RANK_LOCAL, rr, n, NULL, 0);
}

/* The name's DS, and one more. */
static int add_ds(struct anchors *a, const uint8_t *name, const struct rdata *fresh)
{
	const struct anchor *have = anchors_exact(a, name);
	struct rdata rr[ANCHORS_RECORDS_MAX + 1];
	struct rrset *ds = NULL;
	size_t n = 0, at = 0;
	int err;

	if (have != NULL && have->ds != NULL)
		while (n < ANCHORS_RECORDS_MAX && rrset_next(have->ds, &at, &rr[n]))
			n++;
	rr[n++] = *fresh;
	err = ds_set(&ds, name, rr, n);
	if (err == E_OK && ds->n_rr > ANCHORS_RECORDS_MAX)
		err = E_LIMIT;
	if (err == E_OK)
		err = put_ds(a, name, ds);
	if (err != E_OK)
		rrset_put(ds);
	return err;
}

int anchors_add(struct anchors *a, const uint8_t *name, uint16_t type, const uint8_t *rdata,
		size_t len)
{
	uint8_t digest[ANCHORS_DS_LEN];
	struct rdata rr = { rdata, (uint16_t)len };
	int err = E_OK;

	if (anchors_refuse(type, rdata, len) != NULL)
		return E_MALFORMED;
	if (type == TYPE_DNSKEY) {
		err = anchors_ds_of(digest, name, rdata, len);
		rr = (struct rdata) { digest, sizeof(digest) };
	}
	return err == E_OK ? add_ds(a, name, &rr) : err;
}

int anchors_add_text(struct anchors *a, const uint8_t *name, const char *ds, char *reason)
{
	uint8_t *rdata = malloc(WIRE_MSG_MAX);
	const char *wrong = NULL;
	uint16_t len = 0;
	int err = E_NOMEM;

	reason[0] = '\0';
	if (rdata != NULL)
		err = rdata_from_text(rdata, &len, TYPE_DS, ds, NULL, reason);
	if (err == E_OK) {
		wrong = anchors_refuse(TYPE_DS, rdata, len);
		err = anchors_add(a, name, TYPE_DS, rdata, len);
	}
	if (err != E_OK && reason[0] == '\0')
		(void)snprintf(reason, RDATA_TEXT_WHY_MAX, "%s",
			       wrong != NULL ? wrong : err_text(err));
	free(rdata);
	return err;
}

bool anchors_clear(struct anchors *a, const uint8_t *name)
{
	const struct anchor *have = anchors_exact(a, name);

	if (have == NULL || have->ds == NULL)
		return false;
	/* Without a node to make it cannot fail. */
	return put_ds(a, name, NULL) == E_OK;
}

/* The DS set goes; `lost`, or nothing, tells of it. */
static void take_parts(struct anchors *a, size_t at, struct rrset *lost)
{
	rrset_put(a->nodes[at].ds);
	a->nodes[at].ds = NULL;
	put_lost(&a->nodes[at], lost);
	settle_node(a, at);
}

int anchors_set(struct anchors *a, const uint8_t *name, struct rrset *ds)
{
	int err;

	if (ds == NULL) {
		size_t at;

		if (find(a, name, &at))
			take_parts(a, at, NULL);
		return E_OK;
	}
	ASSERT(ds->type == TYPE_DS && name_equal(rrset_owner(ds), name));
	err = put_ds(a, name, rrset_get(ds));
	if (err != E_OK)
		rrset_put(ds);
	return err;
}

int anchors_lose(struct anchors *a, const uint8_t *name)
{
	struct rrset *lost = NULL;
	size_t at;
	int err = rrset_new_negative(&lost, RRSET_NODATA, name, TYPE_DS, 0, 0, RANK_LOCAL, NULL, 0,
				     0);

	if (err == E_OK)
		err = open_node(a, name, &at);
	if (err != E_OK) {
		rrset_put(lost);
		return err;
	}
	take_parts(a, at, lost);
	return E_OK;
}

int anchors_add_nta(struct anchors *a, const uint8_t *name, const char *reason, uint32_t expires_s)
{
	const struct nta *nta = nta_new(name, reason, expires_s);
	int err;

	if (nta == NULL)
		return E_NOMEM;
	err = put_nta(a, nta->name, nta);
	if (err != E_OK)
		nta_put(nta);
	return err;
}

int anchors_share_nta(struct anchors *a, const struct nta *nta)
{
	int err = put_nta(a, nta->name, nta_get(nta));

	if (err != E_OK)
		nta_put(nta);
	return err;
}

bool anchors_clear_nta(struct anchors *a, const uint8_t *name)
{
	const struct anchor *have = anchors_exact(a, name);

	if (have == NULL || have->nta == NULL)
		return false;
	return put_nta(a, name, NULL) == E_OK;
}

void anchors_clear_all(struct anchors *a, bool (*clear)(struct anchors *a, const uint8_t *name))
{
	uint8_t name[NAME_MAX_LEN];

	for (size_t i = a->n; i-- > 0;) {
		/* Its own goes with what is cleared. */
		(void)name_copy(name, a->nodes[i].name);
		(void)clear(a, name);
	}
}

/* ---- asking ---- */

const struct anchor *anchors_exact(const struct anchors *a, const uint8_t *name)
{
	size_t at;

	return a != NULL && find(a, name, &at) ? &a->nodes[at] : NULL;
}

bool anchors_nta_counts(const struct nta *nta, uint32_t now_s)
{
	return nta != NULL && (nta->expires_s == 0 || now_s < nta->expires_s);
}

enum anchoring anchors_find(const struct anchors *a, const uint8_t *name, uint32_t now_s,
			    const struct anchor **out)
{
	if (a == NULL || a->n == 0)
		return ANCHORING_NONE;
	for (unsigned labels = name_labels(name) + 1; labels-- > 0;) {
		const struct anchor *at;
		enum anchoring is;

		if ((a->depths[labels / 64] >> (labels % 64) & 1) == 0)
			continue;
		at = anchors_exact(a, name_suffix(name, labels));
		if (at == NULL)
			continue;
		if (anchors_nta_counts(at->nta, now_s))
			is = ANCHORING_NEGATIVE;
		else if (at->ds != NULL)
			is = ANCHORING_TRUST;
		else
			continue;
		if (out != NULL)
			*out = at;
		return is;
	}
	return ANCHORING_NONE;
}

size_t anchors_count(const struct anchors *a)
{
	return a == NULL ? 0 : a->n;
}

const struct anchor *anchors_at(const struct anchors *a, size_t i)
{
	ASSERT(a != NULL && i < a->n);
	return &a->nodes[i];
}

static bool node_equal(const struct anchor *a, const struct anchor *b)
{
	if ((a->ds == NULL) != (b->ds == NULL) || (a->nta == NULL) != (b->nta == NULL) ||
	    (a->lost == NULL) != (b->lost == NULL))
		return false;
	if (a->ds != NULL && !rrset_equal_data(a->ds, b->ds))
		return false;
	return a->nta == NULL || a->nta == b->nta ||
	       (a->nta->expires_s == b->nta->expires_s &&
		strcmp(a->nta->reason, b->nta->reason) == 0);
}

uint64_t anchors_digest(const struct anchors *a, uint32_t now_s)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < anchors_count(a); i++) {
		const struct anchor *at = anchors_at(a, i);
		bool is_negative = anchors_nta_counts(at->nta, now_s);
		struct rdata ds;

		if (at->ds == NULL && !is_negative)
			continue;
		digest = hash_lasting(digest, at->name, name_len(at->name));
		digest = hash_lasting(digest, &is_negative, 1);
		for (size_t pos = 0; at->ds != NULL && rrset_next(at->ds, &pos, &ds);)
			digest = hash_lasting(digest, ds.data, ds.len);
	}
	return digest != 0 ? digest : 1;
}

/* Both are in order, so they are walked side by side. */
void anchors_diff(const struct anchors *from, const struct anchors *to,
		  void (*cb)(void *ctx, const uint8_t *name), void *ctx)
{
	size_t i = 0, j = 0, n = anchors_count(from), m = anchors_count(to);

	while (i < n || j < m) {
		int order = i == n   ? 1
			    : j == m ? -1
				     : name_compare(from->nodes[i].name, to->nodes[j].name);

		if (order != 0)
			cb(ctx, order < 0 ? from->nodes[i].name : to->nodes[j].name);
		else if (!node_equal(&from->nodes[i], &to->nodes[j]))
			cb(ctx, to->nodes[j].name);
		i += order <= 0;
		j += order >= 0;
	}
}

/* ---- keys ---- */

int anchors_ds_of(uint8_t out[ANCHORS_DS_LEN], const uint8_t *name, const uint8_t *dnskey,
		  size_t len)
{
	const struct rdata rr = { dnskey, (uint16_t)len };
	uint8_t digest[HASH_MAX_LEN];
	size_t digest_len = 0;
	int err;

	if (len <= DNSKEY_HEAD_LEN || len > UINT16_MAX)
		return E_MALFORMED;
	err = dnskey_digest(digest, &digest_len, DIGEST_SHA256, name, &rr);
	if (err != E_OK)
		return err;
	if (!EXPECT(digest_len == ANCHORS_DS_LEN - DS_HEAD_LEN))
		return E_RANGE;
	wire_put_u16(out, dnskey_tag(&rr));
	out[2] = dnskey[3];
	out[3] = DIGEST_SHA256;
	memcpy(out + DS_HEAD_LEN, digest, digest_len);
	return E_OK;
}

/* ---- what is built in ---- */

/* As IANA publishes them in root-anchors.xml (RFC 9718). */
static const uint8_t root_2017[ANCHORS_DS_LEN] = {
	0x4f, 0x66, 8,    2,    0xe0, 0x6d, 0x44, 0xb8, 0x0b, 0x8f, 0x1d, 0x39,
	0xa9, 0x5c, 0x0b, 0x0d, 0x7c, 0x65, 0xd0, 0x84, 0x58, 0xe8, 0x80, 0x40,
	0x9b, 0xbc, 0x68, 0x34, 0x57, 0x10, 0x42, 0x37, 0xc7, 0xf8, 0xec, 0x8d,
};
static const uint8_t root_2024[ANCHORS_DS_LEN] = {
	0x97, 0x28, 8,    2,    0x68, 0x3d, 0x2d, 0x0a, 0xcb, 0x8c, 0x9b, 0x71,
	0x2a, 0x19, 0x48, 0xb2, 0x7f, 0x74, 0x12, 0x19, 0x29, 0x8d, 0x0a, 0x45,
	0x0d, 0x61, 0x2c, 0x48, 0x3a, 0xf4, 0x44, 0xa4, 0xc0, 0xfb, 0x2b, 0x16,
};

int anchors_new_builtin(struct anchors **out)
{
	struct anchors *a = NULL;
	int err = anchors_new(&a);

	if (err == E_OK)
		err = anchors_add(a, name_root, TYPE_DS, root_2017, sizeof(root_2017));
	if (err == E_OK)
		err = anchors_add(a, name_root, TYPE_DS, root_2024, sizeof(root_2024));
	if (err == E_OK)
		*out = a;
	else
		anchors_put(a);
	return err;
}
