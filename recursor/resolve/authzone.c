/* authzone: see authzone.h. */
#include "recursor/resolve/authzone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/soa.h"
#include "common/wire.h"
#include "recursor/resolve/reply.h"

enum {
	BUCKETS_START = 16,
	RDATA_ON_STACK = 64,
};

/* The records of a name and type: lengths and rdata, packed. */
struct data {
	struct data *next;
	uint16_t type;
	uint16_t n;
	uint32_t ttl;
	uint32_t size;
	uint8_t *bytes;
};

/* A name of the zone.  One without data is an empty non-terminal (RFC 4592 2.2.2). */
struct node {
	struct node *next; /* in its bucket */
	uint64_t hash;
	struct data *data;
	uint8_t name[];
};

struct authzone {
	size_t n_nodes, n_buckets, n_records;
	struct node **buckets;
	uint64_t print;
	struct node *apex;
	const struct data *soa; /* from authzone_finish() on */
	uint8_t labels;
};

/* ---- nodes ---- */

static struct node *node_find(const struct authzone *a, const uint8_t *name)
{
	uint64_t hash = name_hash(name);

	for (struct node *at = a->buckets[hash & (a->n_buckets - 1)]; at != NULL; at = at->next)
		if (at->hash == hash && name_equal_case(at->name, name))
			return at;
	return NULL;
}

/* A table that cannot grow has longer chains. */
static void grow(struct authzone *a)
{
	size_t n = a->n_buckets * 2;
	struct node **fresh;

	if (a->n_nodes < a->n_buckets)
		return;
	fresh = calloc(n, sizeof(struct node *));
	if (fresh == NULL)
		return;
	for (size_t i = 0; i < a->n_buckets; i++)
		for (struct node *at = a->buckets[i], *next; at != NULL; at = next) {
			next = at->next;
			at->next = fresh[at->hash & (n - 1)];
			fresh[at->hash & (n - 1)] = at;
		}
	free(a->buckets);
	a->buckets = fresh;
	a->n_buckets = n;
}

static struct node *node_make(struct authzone *a, const uint8_t *name)
{
	struct node *node = node_find(a, name);
	size_t len = name_len(name), at;

	if (node != NULL)
		return node;
	node = calloc(1, sizeof(*node) + len);
	if (node == NULL)
		return NULL;
	memcpy(node->name, name, len);
	node->hash = name_hash(name);
	grow(a);
	at = node->hash & (a->n_buckets - 1);
	node->next = a->buckets[at];
	a->buckets[at] = node;
	a->n_nodes++;
	return node;
}

static struct data *data_find(const struct node *node, uint16_t type)
{
	for (struct data *d = node->data; d != NULL; d = d->next)
		if (d->type == type)
			return d;
	return NULL;
}

/* Walks the records of a name and type: *at is 0 to begin with. */
static bool data_next(const struct data *d, uint32_t *at, struct rdata *rr)
{
	if (*at >= d->size)
		return false;
	rr->len = wire_get_u16(d->bytes + *at);
	rr->data = d->bytes + *at + 2;
	*at += 2U + rr->len;
	return true;
}

/* ---- building ---- */

int authzone_new(struct authzone **out, const uint8_t *apex)
{
	struct authzone *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return E_NOMEM;
	a->n_buckets = BUCKETS_START;
	a->labels = (uint8_t)name_labels(apex);
	a->buckets = calloc(a->n_buckets, sizeof(struct node *));
	if (a->buckets != NULL)
		a->apex = node_make(a, apex);
	if (a->apex == NULL) {
		authzone_free(a);
		return E_NOMEM;
	}
	*out = a;
	return E_OK;
}

static void node_free(struct node *node)
{
	for (struct data *d = node->data, *next; d != NULL; d = next) {
		next = d->next;
		free(d->bytes);
		free(d);
	}
	free(node);
}

void authzone_free(struct authzone *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; a->buckets != NULL && i < a->n_buckets; i++)
		for (struct node *at = a->buckets[i], *next; at != NULL; at = next) {
			next = at->next;
			node_free(at);
		}
	free(a->buckets);
	free(a);
}

/* RFC 4035 2.5: these stand beside a CNAME. */
static bool may_stand_beside_cname(uint16_t type)
{
	return type == TYPE_RRSIG || type == TYPE_NSEC;
}

static const char *objection(const struct authzone *a, const struct node *node, uint16_t type)
{
	if (type == TYPE_SOA && node != a->apex)
		return "a SOA record belongs to the zone's own name";
	if (data_find(node, type) != NULL) {
		if (type == TYPE_SOA)
			return "a second SOA record";
		if (type == TYPE_CNAME) /* RFC 2181 10.1 */
			return "a second CNAME record of the name";
		if (type == TYPE_DNAME) /* RFC 6672 2.4 */
			return "a second DNAME record of the name";
	}
	/* RFC 1034 3.6.2 */
	if (type == TYPE_CNAME) {
		for (const struct data *d = node->data; d != NULL; d = d->next)
			if (d->type != TYPE_CNAME && !may_stand_beside_cname(d->type))
				return "a CNAME record beside other data";
	} else if (!may_stand_beside_cname(type) && data_find(node, TYPE_CNAME) != NULL) {
		return "other data beside a CNAME record";
	}
	return NULL;
}

static bool is_there(const struct data *d, const uint8_t *rdata, uint16_t len)
{
	struct rdata rr;
	uint32_t at = 0;

	while (data_next(d, &at, &rr))
		if (rr.len == len && memcmp(rr.data, rdata, len) == 0)
			return true;
	return false;
}

static int data_append(struct data *d, const uint8_t *rdata, uint16_t len)
{
	uint8_t *bytes;

	if (d->n >= RRSET_MAX_RECORDS || d->size + 2U + len > RRSET_MAX_BYTES - NAME_MAX_LEN - 64)
		return E_LIMIT;
	bytes = realloc(d->bytes, d->size + 2U + len);
	if (bytes == NULL)
		return E_NOMEM;
	d->bytes = bytes;
	wire_put_u16(bytes + d->size, len);
	memcpy(bytes + d->size + 2, rdata, len);
	d->size += 2U + len;
	d->n++;
	return E_OK;
}

static int data_add(struct node *node, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		    uint16_t len)
{
	struct data *d = data_find(node, type);
	bool is_new = d == NULL;
	int err;

	if (is_new) {
		d = calloc(1, sizeof(*d));
		if (d == NULL)
			return E_NOMEM;
		d->type = type;
		d->ttl = ttl;
	}
	err = data_append(d, rdata, len);
	if (err != E_OK) {
		if (is_new)
			free(d);
		return err;
	}
	if (is_new) {
		d->next = node->data;
		node->data = d;
	}
	/* RFC 2181 5.2: the TTLs of a set are equal; if not, the lowest is the safe one. */
	if (ttl < d->ttl)
		d->ttl = ttl;
	return E_OK;
}

static int refuse(char why[AUTHZONE_WHY_MAX], int err, const char *reason)
{
	(void)snprintf(why, AUTHZONE_WHY_MAX, "%s", reason);
	return err;
}

/* The names between the apex and the owner exist, too. */
static int ancestors_make(struct authzone *a, const uint8_t *owner)
{
	for (unsigned labels = name_labels(owner); labels > a->labels; labels--)
		if (node_make(a, name_suffix(owner, labels)) == NULL)
			return E_NOMEM;
	return E_OK;
}

static uint64_t record_print(const uint8_t *owner, uint16_t type, uint32_t ttl,
			     const uint8_t *rdata, uint16_t len)
{
	uint8_t numbers[8];

	wire_put_u16(numbers, type);
	wire_put_u32(numbers + 2, ttl);
	wire_put_u16(numbers + 6, len);
	return hash_lasting(
		hash_lasting(hash_lasting(0, owner, name_len(owner)), numbers, sizeof(numbers)),
		rdata, len);
}

int authzone_add(struct authzone *a, const uint8_t *owner, uint16_t type, uint32_t ttl,
		 const uint8_t *rdata, uint16_t len, char why[AUTHZONE_WHY_MAX])
{
	const struct data *there;
	const char *reason;
	struct node *node;
	int err;

	if (!name_is_within(owner, a->apex->name))
		return refuse(why, E_MALFORMED, "the name is not within the zone");
	err = ancestors_make(a, owner);
	if (err != E_OK)
		return refuse(why, err, err_text(err));
	node = node_find(a, owner);
	ASSERT(node != NULL);
	there = data_find(node, type);
	if (there != NULL && is_there(there, rdata, len))
		return E_OK;
	reason = objection(a, node, type);
	if (reason != NULL)
		return refuse(why, E_MALFORMED, reason);
	err = data_add(node, type, ttl, rdata, len);
	if (err != E_OK)
		return refuse(why, err,
			      err == E_LIMIT ? "too many records of a name and type"
					     : err_text(err));
	a->n_records++;
	/* Added up, so that the order of records does not matter. */
	a->print += record_print(owner, type, ttl, rdata, len);
	return E_OK;
}

int authzone_finish(struct authzone *a, char why[AUTHZONE_WHY_MAX])
{
	a->soa = data_find(a->apex, TYPE_SOA);
	if (a->soa == NULL)
		return refuse(why, E_MALFORMED, "the zone has no SOA record");
	return E_OK;
}

const uint8_t *authzone_apex(const struct authzone *a)
{
	return a->apex->name;
}

size_t authzone_records(const struct authzone *a)
{
	return a->n_records;
}

static bool walk_node(const struct node *node, authzone_record_cb cb, void *ctx)
{
	for (const struct data *d = node->data; d != NULL; d = d->next) {
		struct rdata rr;
		uint32_t at = 0;

		while (data_next(d, &at, &rr))
			if (!cb(ctx, node->name, d->type, d->ttl, &rr))
				return false;
	}
	return true;
}

void authzone_walk(const struct authzone *a, authzone_record_cb cb, void *ctx)
{
	for (size_t i = 0; i < a->n_buckets; i++)
		for (const struct node *node = a->buckets[i]; node != NULL; node = node->next)
			if (!walk_node(node, cb, ctx))
				return;
}

uint64_t authzone_print(const struct authzone *a)
{
	return a->print;
}

/* ---- answering ---- */

/* The records as a set of `owner`, which for a wildcard's is the name asked for. */
static int set_make(const struct authzone *a, const struct data *d, const uint8_t *owner,
		    uint32_t ttl, uint32_t now_s, struct rrset **out)
{
	struct rdata few[RDATA_ON_STACK], *rr = few;
	uint32_t at = 0;
	size_t n = 0;
	int err;

	if (d->n > RDATA_ON_STACK) {
		rr = malloc(d->n * sizeof(*rr));
		if (rr == NULL)
			return E_NOMEM;
	}
	while (data_next(d, &at, &rr[n]))
		n++;
	err = rrset_new(out, owner, d->type, ttl, now_s, RANK_LOCAL, rr, n, NULL, 0);
	if (err == E_OK)
		(*out)->zone_labels = a->labels;
	if (rr != few)
		free(rr);
	return err;
}

/* RFC 2308 3: a denial lives for the lesser of the SOA's TTL and its MINIMUM. */
static uint32_t denial_ttl(const struct data *soa)
{
	struct rdata rr = { NULL, 0 };
	struct soa numbers;
	uint32_t at = 0;

	if (data_next(soa, &at, &rr) && soa_read(&numbers, &rr) && numbers.minimum_s < soa->ttl)
		return numbers.minimum_s;
	return soa->ttl;
}

static int deny(const struct authzone *a, bool nxdomain, const uint8_t *name, uint16_t type,
		uint32_t now_s, struct auth_answer *out)
{
	uint32_t ttl = denial_ttl(a->soa);
	struct rrset *proof = NULL;
	int err = set_make(a, a->soa, a->apex->name, ttl, now_s, &proof);

	if (err == E_OK)
		err = rrset_new_negative(&out->set, nxdomain ? RRSET_NXDOMAIN : RRSET_NODATA, name,
					 nxdomain ? 0 : type, ttl, now_s, RANK_LOCAL, &proof, 1,
					 CAUSE_NONE);
	if (err == E_OK)
		out->kind = nxdomain ? AUTH_NXDOMAIN : AUTH_NODATA;
	rrset_put(proof);
	return err;
}

/* What a node, of the name's own or a wildcard's, says of the name (RFC 1034 4.3.2 3a and 3c). */
static int node_answer(const struct authzone *a, const struct node *node, const uint8_t *name,
		       uint16_t type, uint32_t now_s, struct auth_answer *out)
{
	const struct data *d = data_find(node, type);

	out->kind = AUTH_DATA;
	if (d == NULL) {
		d = data_find(node, TYPE_CNAME);
		out->kind = AUTH_ALIAS;
	}
	if (d == NULL)
		return deny(a, false, name, type, now_s, out);
	return set_make(a, d, name, d->ttl, now_s, &out->set);
}

/* RFC 6672 3.2 */
static int dname_answer(const struct authzone *a, const struct node *node, const struct data *d,
			const uint8_t *name, uint32_t now_s, struct auth_answer *out)
{
	int err = set_make(a, d, node->name, d->ttl, now_s, &out->dname);

	if (err != E_OK)
		return err;
	err = cname_synthesise(&out->set, name, out->dname, now_s);
	out->kind = err == E_TOO_LONG ? AUTH_YXDOMAIN : AUTH_ALIAS;
	return err == E_TOO_LONG ? E_OK : err;
}

/* The name is not there: a wildcard at its closest encloser stands for it (RFC 4592 3.3.1). */
static int wildcard_answer(const struct authzone *a, const struct node *encloser,
			   const uint8_t *name, uint16_t type, uint32_t now_s,
			   struct auth_answer *out)
{
	uint8_t wildcard[NAME_MAX_LEN] = "\1*";
	const struct node *node = NULL;

	if (name_len(encloser->name) + 2 <= sizeof(wildcard)) {
		name_copy(wildcard + 2, encloser->name);
		node = node_find(a, wildcard);
	}
	if (node == NULL)
		return deny(a, true, name, type, now_s, out);
	return node_answer(a, node, name, type, now_s, out);
}

/* From the apex down to the name: the first delegation or DNAME on the way decides. */
static int look(const struct authzone *a, const uint8_t *name, uint16_t type, uint32_t now_s,
		struct auth_answer *out)
{
	unsigned whole = name_labels(name);
	const struct node *node = a->apex, *below;

	ASSERT(a->soa != NULL);
	for (unsigned labels = a->labels;; labels++, node = below) {
		const struct data *d = NULL;

		/* RFC 4035 3.1.4.1: the DS stands on this side of the cut. */
		if (labels > a->labels && !(labels == whole && type == TYPE_DS))
			d = data_find(node, TYPE_NS);
		if (d != NULL) {
			out->kind = AUTH_REFERRAL;
			return set_make(a, d, node->name, d->ttl, now_s, &out->set);
		}
		if (labels == whole)
			return node_answer(a, node, name, type, now_s, out);
		d = data_find(node, TYPE_DNAME);
		if (d != NULL)
			return dname_answer(a, node, d, name, now_s, out);
		below = node_find(a, name_suffix(name, labels + 1));
		if (below == NULL)
			return wildcard_answer(a, node, name, type, now_s, out);
	}
}

int authzone_look(const struct authzone *a, const uint8_t *name, uint16_t type, uint32_t now_s,
		  struct auth_answer *out)
{
	struct auth_answer answer = { .kind = AUTH_DATA };
	int err = look(a, name, type, now_s, &answer);

	if (err != E_OK) {
		rrset_put(answer.dname);
		return err;
	}
	*out = answer;
	return E_OK;
}

void authzone_glue(const struct authzone *a, const uint8_t *name, uint32_t now_s, struct rrset **v4,
		   struct rrset **v6)
{
	const struct node *node = name_is_within(name, a->apex->name) ? node_find(a, name) : NULL;
	const struct data *d;

	*v4 = *v6 = NULL;
	if (node == NULL)
		return;
	d = data_find(node, TYPE_A);
	if (d != NULL && set_make(a, d, node->name, d->ttl, now_s, v4) != E_OK)
		*v4 = NULL;
	d = data_find(node, TYPE_AAAA);
	if (d != NULL && set_make(a, d, node->name, d->ttl, now_s, v6) != E_OK)
		*v6 = NULL;
}
