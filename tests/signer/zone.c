/* zone: records, keys and signatures; see zone.h.  chain.c has the proofs. */
#include "tests/signer/zone.h"

#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/signer/rrsig.h"
#include "tests/signer/zone_internal.h"

enum { DNSKEY_TTL = 3600, DS_TTL = 3600, RDATA_MAX = 65535 };

struct zone_block {
	struct zone_block *next;
	uint8_t data[];
};

void *zone_keep(struct signed_zone *z, const void *data, size_t len)
{
	struct zone_block *b = malloc(sizeof(*b) + len + 1);

	ASSERT(b != NULL);
	b->next = z->blocks;
	z->blocks = b;
	if (data != NULL)
		memcpy(b->data, data, len);
	else
		memset(b->data, 0, len);
	return b->data;
}

struct signed_zone *signed_zone_new(const uint8_t *apex)
{
	struct signed_zone *z = calloc(1, sizeof(*z));
	uint8_t lower[NAME_MAX_LEN];

	ASSERT(z != NULL);
	z->apex = zone_keep(z, lower, name_lower(lower, apex));
	return z;
}

void signed_zone_free(struct signed_zone *z)
{
	if (z == NULL)
		return;
	while (z->blocks != NULL) {
		struct zone_block *b = z->blocks;

		z->blocks = b->next;
		free(b);
	}
	free(z->sets.at);
	free(z->chain.at);
	free(z);
}

const uint8_t *signed_zone_apex(const struct signed_zone *z)
{
	return z->apex;
}

/* ---- sets ---- */

struct zone_set *zone_sets_push(struct signed_zone *z, struct zone_sets *to, const uint8_t *owner,
				uint16_t type, uint32_t ttl)
{
	struct zone_set *set = zone_keep(z, NULL, sizeof(*set));
	uint8_t lower[NAME_MAX_LEN];

	if (to->n == to->cap) {
		to->cap = to->cap == 0 ? 16 : 2 * to->cap;
		to->at = realloc(to->at, to->cap * sizeof(struct zone_set *));
		ASSERT(to->at != NULL);
	}
	set->s.owner = zone_keep(z, lower, name_lower(lower, owner));
	set->s.type = type;
	set->s.ttl = ttl;
	to->at[to->n++] = set;
	return set;
}

static void push_rdata(struct signed_zone *z, const struct rdata **list, size_t *n,
		       const void *data, size_t len)
{
	struct rdata *longer = zone_keep(z, NULL, (*n + 1) * sizeof(*longer));

	if (*n > 0)
		memcpy(longer, *list, *n * sizeof(*longer));
	longer[*n] = (struct rdata) { zone_keep(z, data, len), (uint16_t)len };
	*list = longer;
	++*n;
}

void zone_set_add(struct signed_zone *z, struct zone_set *set, const void *rdata, size_t len)
{
	for (size_t i = 0; i < set->s.n; i++)
		if (set->s.rr[i].len == len && memcmp(set->s.rr[i].data, rdata, len) == 0)
			return;
	push_rdata(z, &set->s.rr, &set->s.n, rdata, len);
}

static int by_owner(const void *a, const void *b)
{
	const struct signed_set *x = &(*(struct zone_set *const *)a)->s;
	const struct signed_set *y = &(*(struct zone_set *const *)b)->s;
	int c = name_compare(x->owner, y->owner);

	return c != 0 ? c : (int)x->type - (int)y->type;
}

static void sort(struct signed_zone *z)
{
	if (z->sets.n > 0)
		qsort(z->sets.at, z->sets.n, sizeof(struct zone_set *), by_owner);
	z->is_sorted = true;
}

size_t zone_lower_bound(const struct signed_zone *z, const uint8_t *owner)
{
	size_t low = 0, high = z->sets.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (name_compare(z->sets.at[mid]->s.owner, owner) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct zone_set *zone_set_find(const struct signed_zone *z, const uint8_t *owner, uint16_t type)
{
	for (size_t i = z->is_sorted ? zone_lower_bound(z, owner) : 0; i < z->sets.n; i++) {
		struct zone_set *set = z->sets.at[i];

		if (name_equal(set->s.owner, owner) && set->s.type == type)
			return set;
		if (z->is_sorted && !name_equal(set->s.owner, owner))
			break;
	}
	return NULL;
}

void signed_zone_add(struct signed_zone *z, const uint8_t *owner, uint16_t type, uint32_t ttl,
		     const uint8_t *rdata, size_t len)
{
	struct zone_set *set = zone_set_find(z, owner, type);

	ASSERT(!z->is_signed && name_is_within(owner, z->apex) && len <= RDATA_MAX);
	if (set == NULL)
		set = zone_sets_push(z, &z->sets, owner, type, ttl);
	zone_set_add(z, set, rdata, len);
}

static bool add_ldns(struct signed_zone *z, const ldns_rr *rr)
{
	const uint8_t *owner = ldns_rdf_data(ldns_rr_owner(rr));
	uint8_t rdata[RDATA_MAX];
	size_t len = 0;

	if (!name_is_within(owner, z->apex))
		return false;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);

		memcpy(rdata + len, ldns_rdf_data(field), ldns_rdf_size(field));
		len += ldns_rdf_size(field);
	}
	signed_zone_add(z, owner, (uint16_t)ldns_rr_get_type(rr), ldns_rr_ttl(rr), rdata, len);
	return true;
}

bool signed_zone_read(struct signed_zone *z, const char *text)
{
	char *copy = strdup(text), *save = NULL;
	bool ok = copy != NULL;

	for (char *line = ok ? strtok_r(copy, "\n", &save) : NULL; ok && line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		ldns_rr *rr = NULL;

		if (line[strspn(line, " \t;")] == '\0')
			continue;
		ok = ldns_rr_new_frm_str(&rr, line, 3600, NULL, NULL) == LDNS_STATUS_OK &&
		     add_ldns(z, rr);
		ldns_rr_free(rr);
	}
	free(copy);
	return ok;
}

void signed_zone_break(struct signed_zone *z, const uint8_t *owner, uint16_t type,
		       enum sign_fault fault)
{
	for (size_t i = 0; i < z->sets.n; i++) {
		struct zone_set *set = z->sets.at[i];

		if ((owner == NULL || name_equal(set->s.owner, owner)) &&
		    (type == 0 || set->s.type == type))
			set->fault = fault;
	}
}

/* ---- keys ---- */

static void use_add(struct signed_zone *z, unsigned algorithm, unsigned number, uint16_t flags,
		    unsigned does)
{
	z->uses[z->n_uses++] = (struct sign_use) { (uint8_t)algorithm, (uint8_t)number, flags,
						   (uint8_t)does };
}

static void uses_of_algorithm(struct signed_zone *z, unsigned algorithm)
{
	unsigned number = z->policy.number;

	if (z->policy.two_keys)
		use_add(z, algorithm, number + 1, SIGN_KSK,
			USE_SHOWN | USE_SIGNS_KEYS | USE_TRUSTED);
	use_add(z, algorithm, number, z->policy.two_keys ? SIGN_ZSK : SIGN_KSK,
		USE_SHOWN | USE_SIGNS | (z->policy.two_keys ? 0 : USE_SIGNS_KEYS | USE_TRUSTED));
}

static void fault_use(enum sign_fault fault, struct sign_use *u)
{
	if (fault == SIGN_NO_ZONE_FLAG)
		u->flags &= (uint16_t)~SIGN_ZSK;
	if (fault == SIGN_KSK_REVOKED && (u->flags & 1))
		u->flags |= SIGN_REVOKED;
	if (fault == SIGN_ZSK_GONE && !(u->does & USE_TRUSTED))
		u->does &= (uint8_t)~USE_SHOWN;
}

static void uses_make(struct signed_zone *z)
{
	const struct sign_policy *p = &z->policy;

	for (unsigned i = 0; i < SIGN_USES_MAX && p->uses[i].algorithm != 0; i++)
		z->uses[z->n_uses++] = p->uses[i];
	if (z->n_uses == 0)
		uses_of_algorithm(z, p->algorithm);
	for (unsigned i = 0; i < ARRAY_LEN(p->more) && p->more[i] != 0; i++)
		uses_of_algorithm(z, p->more[i]);
	for (unsigned i = 0; i < z->n_uses; i++)
		fault_use(p->fault, &z->uses[i]);
}

static size_t dnskey_of(const struct signed_zone *z, const struct sign_use *u,
			uint8_t out[SIGN_DNSKEY_MAX])
{
	size_t len = sign_key_dnskey(sign_key(u->algorithm, u->number), u->flags, out);

	if (z->policy.fault == SIGN_PROTOCOL)
		out[2] = 2;
	return len;
}

static void keys_add(struct signed_zone *z)
{
	struct zone_set *set;
	uint8_t rdata[SIGN_DNSKEY_MAX];

	if (z->policy.fault == SIGN_KEYS_GONE)
		return;
	set = zone_sets_push(z, &z->sets, z->apex, TYPE_DNSKEY, DNSKEY_TTL);
	for (unsigned i = 0; i < z->n_uses; i++)
		if (z->uses[i].does & USE_SHOWN)
			zone_set_add(z, set, rdata, dnskey_of(z, &z->uses[i], rdata));
}

static void nsec3param_add(struct signed_zone *z)
{
	const struct sign_policy *p = &z->policy;
	struct zone_set *set = zone_sets_push(z, &z->sets, z->apex, TYPE_NSEC3PARAM, 0);
	uint8_t rdata[5 + SIGN_SALT_MAX] = { 1, 0 };

	wire_put_u16(rdata + 2, p->iterations);
	rdata[4] = p->salt_len;
	memcpy(rdata + 5, p->salt, p->salt_len);
	zone_set_add(z, set, rdata, 5u + p->salt_len);
}

size_t signed_zone_ds(const struct signed_zone *z, unsigned i, unsigned digest,
		      uint8_t out[SIGN_DS_MAX])
{
	uint8_t dnskey[SIGN_DNSKEY_MAX];
	unsigned u = 0;
	size_t len;

	ASSERT(z->is_signed);
	for (; u < z->n_uses; u++)
		if ((z->uses[u].does & USE_TRUSTED) && i-- == 0)
			break;
	if (u == z->n_uses)
		return 0;
	len = sign_ds(z->apex, dnskey, dnskey_of(z, &z->uses[u], dnskey), digest, out);
	if (z->policy.fault == SIGN_DS_DIGEST)
		out[len - 1] ^= 1;
	if (z->policy.fault == SIGN_DS_TAG)
		out[1] ^= 1;
	if (z->policy.fault == SIGN_DS_ALGORITHM)
		out[2] = out[2] == 8 ? 13 : 8;
	return len;
}

void signed_zone_delegate(struct signed_zone *z, const struct signed_zone *child, unsigned digest)
{
	uint8_t rdata[SIGN_DS_MAX];
	size_t len;

	for (unsigned i = 0; (len = signed_zone_ds(child, i, digest, rdata)) > 0; i++)
		signed_zone_add(z, child->apex, TYPE_DS, DS_TTL, rdata, len);
}

/* ---- signatures ---- */

static enum sign_fault fault_of(const struct signed_zone *z, const struct zone_set *set)
{
	enum sign_fault whole = z->policy.fault;

	if (set->fault != SIGN_NONE)
		return set->fault;
	if (set->s.type == TYPE_DNSKEY)
		return whole == SIGN_KEYS_UNSIGNED  ? SIGN_UNSIGNED
		       : whole == SIGN_KEYS_EXPIRED ? SIGN_EXPIRED
						    : SIGN_NONE;
	return whole < SIGN_DS_DIGEST ? whole : SIGN_NONE;
}

const struct signed_set *zone_set_signed(struct signed_zone *z, struct zone_set *set)
{
	enum sign_fault fault = fault_of(z, set);
	bool of_keys = set->s.type == TYPE_DNSKEY && z->policy.fault != SIGN_KEYS_BY_ZSK;
	unsigned does = of_keys ? USE_SIGNS_KEYS : USE_SIGNS;
	uint8_t rdata[SIGN_RRSIG_MAX];

	if (!z->is_signed || set->has_sigs || !set->s.is_signed || fault == SIGN_UNSIGNED)
		return &set->s;
	set->has_sigs = true;
	for (unsigned i = 0; i < z->n_uses; i++) {
		const struct sign_use *u = &z->uses[i];
		struct sign_with with = {
			.key = sign_key(u->algorithm, u->number),
			.flags = u->flags,
			.zone = z->apex,
			.inception_s = z->policy.inception_s,
			.expiration_s = z->policy.expiration_s,
		};

		if (u->does & does)
			push_rdata(z, &set->s.sig, &set->s.n_sig, rdata,
				   sign_records(&with, fault, set->s.owner, set->s.type, set->s.ttl,
						set->s.rr, set->s.n, rdata));
	}
	return &set->s;
}

void signed_zone_sign(struct signed_zone *z, const struct sign_policy *p)
{
	const uint8_t *cut = NULL;

	ASSERT(!z->is_signed);
	z->policy = *p;
	uses_make(z);
	keys_add(z);
	if (p->denial != SIGN_NSEC)
		nsec3param_add(z);
	sort(z);
	for (size_t i = 0; i < z->sets.n; i++) {
		struct signed_set *s = &z->sets.at[i]->s;

		if (cut != NULL && name_is_below(s->owner, cut))
			continue;
		if (cut == NULL || !name_equal(s->owner, cut))
			cut = !name_equal(s->owner, z->apex) &&
					      zone_set_find(z, s->owner, TYPE_NS) != NULL
				      ? s->owner
				      : NULL;
		s->is_signed = cut == NULL || s->type == TYPE_DS;
	}
	z->is_signed = true;
	zone_chain_make(z);
}

/* ---- looking ---- */

const struct signed_set *signed_zone_keys(const struct signed_zone *z)
{
	const struct zone_set *set = zone_set_find(z, z->apex, TYPE_DNSKEY);

	return set == NULL ? NULL : &set->s;
}

const struct signed_set *signed_zone_find(struct signed_zone *z, const uint8_t *owner,
					  uint16_t type)
{
	struct zone_set *set = zone_set_find(z, owner, type);

	for (size_t i = 0; i < z->chain.n && set == NULL; i++)
		if (z->chain.at[i]->s.type == type && name_equal(z->chain.at[i]->s.owner, owner))
			set = z->chain.at[i];
	return set == NULL ? NULL : zone_set_signed(z, set);
}

bool zone_name_exists(const struct signed_zone *z, const uint8_t *name)
{
	size_t i = zone_lower_bound(z, name);

	return name_equal(name, z->apex) ||
	       (i < z->sets.n && name_is_within(z->sets.at[i]->s.owner, name));
}

unsigned zone_closest_encloser(const struct signed_zone *z, const uint8_t *name)
{
	unsigned labels = name_labels(name);

	while (!zone_name_exists(z, name_suffix(name, labels)))
		labels--;
	return labels;
}

void zone_wildcard_name(uint8_t out[NAME_MAX_LEN], const uint8_t *name, unsigned labels)
{
	const uint8_t *encloser = name_suffix(name, labels);
	size_t len = name_len(encloser);

	/* Something is below it, so there is room for two bytes more. */
	ASSERT(len + 2 <= NAME_MAX_LEN);
	out[0] = 1;
	out[1] = '*';
	memcpy(out + 2, encloser, len);
}

bool signed_zone_wildcard(const struct signed_zone *z, const uint8_t *name,
			  uint8_t out[NAME_MAX_LEN])
{
	unsigned labels = zone_closest_encloser(z, name);

	if (labels == name_labels(name))
		return false;
	zone_wildcard_name(out, name, labels);
	return zone_name_exists(z, out);
}

const uint8_t *signed_zone_cut(const struct signed_zone *z, const uint8_t *name, uint16_t type)
{
	unsigned all = name_labels(name);

	for (unsigned labels = name_labels(z->apex) + 1; labels <= all; labels++) {
		const struct zone_set *ns = zone_set_find(z, name_suffix(name, labels), TYPE_NS);

		if (ns != NULL && !(labels == all && type == TYPE_DS))
			return ns->s.owner;
	}
	return NULL;
}

struct rrset *signed_set_rrset(const struct signed_set *s, const uint8_t *owner, uint32_t now_s)
{
	uint8_t lower[NAME_MAX_LEN];
	struct rrset *out = NULL;

	name_lower(lower, owner != NULL ? owner : s->owner);
	ASSERT(rrset_new(&out, lower, s->type, s->ttl, now_s, RANK_AUTH_ANSWER, s->rr, s->n, s->sig,
			 s->n_sig) == E_OK);
	return out;
}
