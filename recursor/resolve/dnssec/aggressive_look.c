#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/soa.h"
#include "recursor/resolve/dnssec/aggressive_shard.h"
#include "recursor/resolve/dnssec/nsec.h"
#include "recursor/resolve/dnssec/nsec3_memo.h"

enum {
	USED_MAX = 3,
	DEAD_MAX = 4,
	HASHES_MAX = NAME_MAX_LABELS + 1,
	PRIVATE_TYPES = 65280, /* from here on: RFC 6895 3.1 */
};

/* The names from the one asked for up to the apex, hashed; and the wildcard, once it is known which. */
struct hashes {
	struct nsec3_param param;
	unsigned n;
	const uint8_t *encloser; /* of the wildcard; NULL: not known yet */
	uint8_t wildcard[NSEC3_HASH_LEN];
	uint8_t salt[UINT8_MAX];
	uint8_t hash[HASHES_MAX][NSEC3_HASH_LEN];
};

/* One look-up: what was asked, and what was found in the zone. */
struct look {
	const uint8_t *zone, *name;
	uint16_t type;
	uint32_t now_s;
	unsigned zone_labels;
	struct hashes *hashes; /* for NSEC3 */
	struct nsec3_memo *memo;
	struct aggressive_zone *z;
	/* found: */
	const uint8_t *encloser; /* by NSEC3: a suffix of the name */
	enum rrset_kind kind;
	struct aggressive_entry *data; /* of a wildcard, for a set of kind DATA */
	struct aggressive_entry *used[USED_MAX];
	unsigned n_used;
	struct aggressive_entry *dead[DEAD_MAX]; /* to be removed */
	unsigned n_dead;
};

/* What is taken out of the lock: references, and until when. */
struct finding {
	enum rrset_kind kind;
	struct rrset *data;
	struct rrset *proofs[1 + USED_MAX]; /* of a denial: the SOA first */
	unsigned n;
	uint32_t until_s;
};

static struct aggressive_entry *live(struct look *l, struct order_node *n)
{
	struct aggressive_entry *e = n != NULL ? aggressive_entry_of(n) : NULL;

	if (e == NULL || !aggressive_is_expired(e, l->now_s))
		return e;
	for (unsigned i = 0; i < l->n_dead; i++)
		if (l->dead[i] == e)
			return NULL;
	if (l->n_dead < DEAD_MAX)
		l->dead[l->n_dead++] = e;
	return NULL;
}

static void use(struct look *l, struct aggressive_entry *e)
{
	for (unsigned i = 0; i < l->n_used; i++)
		if (l->used[i] == e)
			return;
	ASSERT(l->n_used < USED_MAX);
	l->used[l->n_used++] = e;
}

/* Data are made of a wildcard for a name: what stands for itself at each name is not. */
static bool may_be_made(uint16_t type)
{
	return !rrtype_is_meta(type) && type != TYPE_DS && type != TYPE_RRSIG &&
	       !rrtype_is_denial(type);
}

/* The wildcard's data of the type, or its alias. */
static bool find_data(struct look *l, const uint8_t *wildcard)
{
	const struct order *tree = &l->z->trees[TREE_DATA];
	uint8_t key[KEY_MAX];
	uint16_t len;

	if (tree->root == NULL || !may_be_made(l->type))
		return false;
	len = aggressive_data_key(key, wildcard, l->zone_labels, l->type);
	l->data = live(l, order_find(tree, key, len));
	if (l->data == NULL && l->type != TYPE_CNAME) {
		len = aggressive_data_key(key, wildcard, l->zone_labels, TYPE_CNAME);
		l->data = live(l, order_find(tree, key, len));
	}
	return l->data != NULL;
}

/* ---- NSEC ---- */

static struct aggressive_entry *find_nsec(struct look *l, const uint8_t *name, struct nsec *out)
{
	uint8_t key[KEY_MAX];
	uint16_t len = aggressive_key(key, name, l->zone_labels);
	struct aggressive_entry *e = live(l, order_at_or_before(&l->z->trees[TREE_NSEC], key, len));

	if (e != NULL)
		nsec_open(out, e->set);
	return e;
}

static enum aggressive_hit look_nsec_wildcard(struct look *l, const uint8_t *wildcard)
{
	struct aggressive_entry *e;
	struct nsec n;

	if (find_data(l, wildcard))
		return AGGRESSIVE_NSEC_WILDCARD;
	e = find_nsec(l, wildcard, &n);
	if (e == NULL)
		return AGGRESSIVE_NONE;
	if (name_equal(n.owner, wildcard)) {
		if (!typemap_denies(&n.types, wildcard, l->type))
			return AGGRESSIVE_NONE;
		l->kind = RRSET_NODATA;
	} else {
		if (!nsec_covers(&n, l->zone, wildcard))
			return AGGRESSIVE_NONE;
		l->kind = name_is_below(n.next, wildcard) ? RRSET_NODATA : RRSET_NXDOMAIN;
	}
	use(l, e);
	return AGGRESSIVE_NSEC;
}

static enum aggressive_hit look_nsec(struct look *l)
{
	uint8_t wildcard[NAME_MAX_LEN];
	struct aggressive_entry *e;
	struct nsec n;

	e = find_nsec(l, l->name, &n);
	if (e == NULL)
		return AGGRESSIVE_NONE;
	if (name_equal(n.owner, l->name)) {
		if (!typemap_denies(&n.types, l->name, l->type))
			return AGGRESSIVE_NONE;
	} else if (!nsec_covers(&n, l->zone, l->name)) {
		return AGGRESSIVE_NONE;
	} else if (!name_is_below(n.next, l->name)) {
		use(l, e);
		if (!proof_wildcard(wildcard, nsec_encloser(&n, l->name)))
			return AGGRESSIVE_NONE;
		return look_nsec_wildcard(l, wildcard);
	}
	use(l, e);
	l->kind = RRSET_NODATA;
	return AGGRESSIVE_NSEC;
}

/* ---- NSEC3 ---- */

static struct aggressive_entry *match_nsec3(struct look *l, const uint8_t hash[NSEC3_HASH_LEN],
					    struct nsec3 *out)
{
	struct aggressive_entry *e = live(
		l, order_find(&l->z->trees[l->z->nsec3], hash, NSEC3_HASH_LEN));

	if (e != NULL)
		nsec3_open(out, e->set);
	return e;
}

static struct aggressive_entry *cover_nsec3(struct look *l, const uint8_t hash[NSEC3_HASH_LEN],
					    struct nsec3 *out)
{
	const struct order *tree = &l->z->trees[l->z->nsec3];
	struct order_node *n = order_before(tree, hash, NSEC3_HASH_LEN);
	struct aggressive_entry *e;

	/* Before the first there may be the gap of the last. */
	e = live(l, n != NULL ? n : order_last(tree));
	if (e == NULL)
		return NULL;
	nsec3_open(out, e->set);
	memcpy(out->owner, e->key, NSEC3_HASH_LEN);
	return nsec3_covers(out, hash) ? e : NULL;
}

/* How many labels less than the name its closest encloser has; 0: the name itself is there.  The next
 * closer name is covered then.  -1: that is not known. */
static int find_encloser(struct look *l)
{
	const struct hashes *h = l->hashes;
	const uint8_t *name = l->name;
	uint8_t wildcard[NAME_MAX_LEN];
	struct aggressive_entry *e;
	struct nsec3 n;

	for (unsigned i = 0; i < h->n; i++, name = name_parent(name)) {
		e = match_nsec3(l, h->hash[i], &n);
		if (e != NULL && i > 0 && typemap_ends_zone(&n.types))
			return -1;
		if (e != NULL)
			use(l, e);
		if (i == 0) {
			if (e != NULL)
				return 0;
			continue;
		}
		/* Data made of the wildcard below it prove as well that it is there. */
		if (e == NULL && (!proof_wildcard(wildcard, name) || !find_data(l, wildcard)))
			continue;
		e = cover_nsec3(l, h->hash[i - 1], &n);
		/* Below an opt-out there may be an insecure delegation (RFC 5155 6). */
		if (e == NULL || n.has_opt_out)
			return -1;
		use(l, e);
		return (int)i;
	}
	return -1;
}

static enum aggressive_hit look_nsec3_wildcard(struct look *l, const uint8_t *wildcard)
{
	const uint8_t *hash = l->hashes->wildcard;
	struct aggressive_entry *e;
	struct nsec3 n;

	e = match_nsec3(l, hash, &n);
	if (e != NULL) {
		l->kind = RRSET_NODATA;
		if (!typemap_denies(&n.types, wildcard, l->type))
			return AGGRESSIVE_NONE;
	} else {
		l->kind = RRSET_NXDOMAIN;
		e = cover_nsec3(l, hash, &n);
		if (e == NULL)
			return AGGRESSIVE_NONE;
	}
	use(l, e);
	return AGGRESSIVE_NSEC3;
}

/* NONE with l->encloser set, for want of the hash of the wildcard below that. */
static enum aggressive_hit look_nsec3(struct look *l)
{
	uint8_t wildcard[NAME_MAX_LEN];
	int up = find_encloser(l);
	struct nsec3 n;

	if (up < 0)
		return AGGRESSIVE_NONE;
	if (up == 0) {
		nsec3_open(&n, l->used[0]->set);
		l->kind = RRSET_NODATA;
		return typemap_denies(&n.types, l->name, l->type) ? AGGRESSIVE_NSEC3
								  : AGGRESSIVE_NONE;
	}
	l->encloser = name_suffix(l->name, name_labels(l->name) - (unsigned)up);
	if (!proof_wildcard(wildcard, l->encloser))
		return AGGRESSIVE_NONE;
	if (find_data(l, wildcard)) {
		/* The proof of such data is that the next closer name is not there (RFC 5155 7.2.6). */
		l->used[0] = l->used[l->n_used - 1];
		l->n_used = 1;
		return AGGRESSIVE_NSEC3_WILDCARD;
	}
	return l->hashes->encloser == l->encloser ? look_nsec3_wildcard(l, wildcard)
						  : AGGRESSIVE_NONE;
}

/* ---- what comes of it ---- */

static uint32_t soa_minimum(const struct rrset *soa)
{
	struct rdata rr;
	struct soa numbers;
	size_t at = 0;

	return rrset_next(soa, &at, &rr) && soa_read(&numbers, &rr) ? numbers.minimum_s : 0;
}

static void limit_until(uint32_t *until_s, uint32_t now_s, uint32_t left)
{
	if (*until_s > now_s && *until_s - now_s > left)
		*until_s = now_s + left;
}

/* Takes references to what was found; false: it lacks the SOA. */
static bool finding_take(const struct aggressive *a, struct aggressive_shard *sh, struct look *l,
			 struct finding *out)
{
	const uint32_t most = atomic_load_explicit(&a->max_negative_ttl, memory_order_relaxed);
	const bool is_data = l->data != NULL;
	struct rrset *soa = l->z->soa;

	*out = (struct finding) { .kind = is_data ? RRSET_DATA : l->kind, .until_s = UINT32_MAX };
	if (!is_data) {
		if (soa == NULL || l->z->soa_until_s <= l->now_s || rrset_is_expired(soa, l->now_s))
			return false;
		/* RFC 2308 5, RFC 9077 3. */
		out->until_s = l->z->soa_until_s;
		limit_until(&out->until_s, l->now_s, soa_minimum(soa));
		limit_until(&out->until_s, l->now_s, rrset_ttl_left(soa, l->now_s));
		limit_until(&out->until_s, l->now_s, most != 0 ? most : UINT32_MAX);
		out->proofs[out->n++] = rrset_get(soa);
	} else {
		out->data = rrset_get(l->data->set);
		out->until_s = l->data->until_s;
		limit_until(&out->until_s, l->now_s, rrset_ttl_left(out->data, l->now_s));
		aggressive_visit(sh, l->data);
	}
	for (unsigned i = 0; i < l->n_used; i++) {
		struct aggressive_entry *e = l->used[i];

		if (out->until_s > e->until_s)
			out->until_s = e->until_s;
		limit_until(&out->until_s, l->now_s, rrset_ttl_left(e->set, l->now_s));
		out->proofs[out->n++] = rrset_get(e->set);
		aggressive_visit(sh, e);
	}
	return true;
}

static int make_data(const struct finding *f, const struct look *l, uint32_t ttl,
		     struct rrset **out)
{
	struct rdata rr[AGGRESSIVE_RECORDS_MAX], sig[AGGRESSIVE_SIGS_MAX];
	size_t n = 0, n_sig = 0, at = 0;

	while (n < AGGRESSIVE_RECORDS_MAX && rrset_next(f->data, &at, &rr[n]))
		n++;
	at = 0;
	while (n_sig < AGGRESSIVE_SIGS_MAX && rrset_next_sig(f->data, &at, &sig[n_sig]))
		n_sig++;
	return rrset_new_proved(out, l->name, f->data->type, ttl, l->now_s, RANK_AUTH_ANSWER, rr, n,
				sig, n_sig, f->proofs, f->n);
}

/* Gives the finding's references back. */
static enum aggressive_hit make(enum aggressive_hit hit, struct finding *f, const struct look *l,
				struct rrset **out)
{
	struct rrset *set = NULL;
	uint32_t ttl = f->until_s > l->now_s ? f->until_s - l->now_s : 0;
	int err;

	if (f->kind == RRSET_DATA)
		err = make_data(f, l, ttl, &set);
	else
		err = rrset_new_negative(&set, f->kind, l->name,
					 f->kind == RRSET_NXDOMAIN ? 0 : l->type, ttl, l->now_s,
					 RANK_AUTH_AUTHORITY, f->proofs, f->n, 0);
	for (unsigned i = 0; i < f->n; i++)
		rrset_put(f->proofs[i]);
	rrset_put(f->data);
	if (err != E_OK)
		return AGGRESSIVE_NONE;
	rrset_set_security(set, SEC_SECURE, 0);
	set->zone_labels = (uint8_t)l->zone_labels;
	*out = set;
	return hit;
}

/* ---- looking ---- */

/* The most hashes that a denial of the name may take; a salt counts as one more block of each. */
static bool is_too_dear(const struct aggressive *a, const struct look *l,
			const struct nsec3_param *param)
{
	uint32_t depth = name_labels(l->name) - l->zone_labels + 1;
	uint32_t each = param->iterations + 1U + (param->salt_len > 0);

	return (uint64_t)depth * each >
	       atomic_load_explicit(&a->max_hash_cost, memory_order_relaxed);
}

static bool make_hashes(struct hashes *h, const struct look *l)
{
	const uint8_t *name = l->name;

	h->n = name_labels(l->name) - l->zone_labels + 1;
	ASSERT(h->n <= HASHES_MAX);
	for (unsigned i = 0; i < h->n; i++, name = name_parent(name))
		if (nsec3_memo_hash(l->memo, h->hash[i], &h->param, name) != E_OK)
			return false;
	return true;
}

/* With the lock held: takes what was found out of it. */
static enum aggressive_hit end(struct aggressive *a, struct aggressive_shard *sh, struct look *l,
			       enum aggressive_hit hit, struct finding *f)
{
	if (hit != AGGRESSIVE_NONE && !finding_take(a, sh, l, f))
		hit = AGGRESSIVE_NONE;
	/* The last entry takes the zone with it. */
	for (unsigned i = 0; i < l->n_dead; i++)
		aggressive_remove(a, sh, l->dead[i]);
	l->n_dead = 0;
	return hit;
}

/* The hashing is done without the lock: whether the zone is hashed as before is looked at again. */
static enum aggressive_hit look_by_nsec3(struct aggressive *a, struct aggressive_shard *sh,
					 uint64_t hash, struct look *l, struct finding *f)
{
	struct hashes *h = l->hashes;
	uint8_t wildcard[NAME_MAX_LEN];

	if (is_too_dear(a, l, &h->param) || !make_hashes(h, l))
		return AGGRESSIVE_NONE;
	for (;;) {
		enum aggressive_hit hit = AGGRESSIVE_NONE;
		struct nsec3_param now;

		l->n_used = 0;
		l->data = NULL;
		l->encloser = NULL;
		gate_enter(&sh->gate);
		l->z = aggressive_zone(sh, l->zone, hash);
		if (l->z != NULL && aggressive_param(l->z, &now) &&
		    nsec3_param_equal(&now, &h->param))
			hit = end(a, sh, l, look_nsec3(l), f);
		gate_leave(&sh->gate);
		if (hit != AGGRESSIVE_NONE || l->encloser == NULL || h->encloser != NULL)
			return hit;
		h->encloser = l->encloser;
		if (!proof_wildcard(wildcard, h->encloser) ||
		    nsec3_memo_hash(l->memo, h->wildcard, &h->param, wildcard) != E_OK)
			return AGGRESSIVE_NONE;
	}
}

/* False: nothing is known of the zone. */
static bool look_in(struct aggressive *a, struct look *l, uint64_t hash, enum aggressive_hit *hit,
		    struct finding *f)
{
	struct aggressive_shard *sh = aggressive_shard(a, hash);
	bool has_nsec3 = false;
	struct hashes h;

	gate_enter(&sh->gate);
	l->z = aggressive_zone(sh, l->zone, hash);
	if (l->z == NULL) {
		gate_leave(&sh->gate);
		return false;
	}
	has_nsec3 = aggressive_param(l->z, &h.param);
	if (has_nsec3) {
		memcpy(h.salt, h.param.salt, h.param.salt_len);
		h.param.salt = h.salt;
	}
	*hit = end(a, sh, l, look_nsec(l), f);
	gate_leave(&sh->gate);
	if (*hit == AGGRESSIVE_NONE && has_nsec3) {
		h.encloser = NULL;
		l->hashes = &h;
		*hit = look_by_nsec3(a, sh, hash, l, f);
		l->hashes = NULL;
	}
	return true;
}

static bool look_at(struct aggressive *a, const uint8_t *zone, const uint8_t *name, uint16_t type,
		    uint32_t now_s, struct nsec3_memo *memo, enum aggressive_hit *hit,
		    struct rrset **out)
{
	struct look l = {
		.zone = zone,
		.name = name,
		.type = type,
		.now_s = now_s,
		.memo = memo,
		.zone_labels = name_labels(zone),
	};
	uint64_t hash = name_hash(zone);
	struct finding f;

	/* Private types are what the resolver asks itself; no bitmap denies them. */
	if (type >= PRIVATE_TYPES || !aggressive_may_have(a, hash) ||
	    !look_in(a, &l, hash, hit, &f))
		return false;
	if (*hit != AGGRESSIVE_NONE)
		*hit = make(*hit, &f, &l, out);
	return true;
}

enum aggressive_hit aggressive_look(struct aggressive *a, const uint8_t *name, uint16_t type,
				    uint32_t now_s, struct nsec3_memo *memo, struct rrset **out)
{
	enum aggressive_hit hit = AGGRESSIVE_NONE;
	/* The DS stands above the cut (RFC 4035 3.1.4.1). */
	const uint8_t *zone = type == TYPE_DS ? name_parent(name) : name;

	if (aggressive_entries(a) == 0)
		return AGGRESSIVE_NONE;
	while (!look_at(a, zone, name, type, now_s, memo, &hit, out) && !name_is_root(zone))
		zone = name_parent(zone);
	return hit;
}
