/* signed: which zones are signed, how, what is wrong with some of them, and what a validator must
 * find; see internet.h. */
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tests/signer/zone.h"
#include "tests/soak/making.h"

enum {
	YEAR_S = 365 * 86400,
	SIGNED_FROM_S = 1600000000,
	KEY_PAIRS = 4,       /* so many different ones: RSA's take time to make */
	ITERATIONS_MAX = 50, /* of the resolver's own limit: more count as insecure */
	NSEC3_LABEL_MAX = 33,
	SIGNED_BEFORE_S = 3600, /* as those do who know that clocks differ */
};

/* Of the epoch and zone; made when somebody asks. */
static struct {
	struct signed_zone *zone;
	uint32_t until_s;
} built[EPOCHS_MAX][ZONES_MAX];

static uint32_t sign_now_s;

/* ---- making ---- */

static void policy_draw(struct making *k, unsigned index)
{
	static const uint32_t lives[] = { 0, 0, 0, 0, 0, 0, 30, 600, 4000 };
	/* A signature of 10, 14 or 16 costs as much as twenty of the others. */
	static const uint8_t common[] = { 13, 13, 15, 8 }, rare[] = { 10, 14, 16 };
	static const uint16_t iterations[] = { 0, 0, 0, 1, 10, 50, 51 };
	static const unsigned digests[] = { 2, 2, 2, 4, 1 };
	struct sign_policy *p = &k->net->policies[index];
	struct zone *z = &k->net->zones[index];
	struct rng *r = &k->signing;

	*p = (struct sign_policy) {
		.algorithm = rng_chance(r, 97) ? RNG_PICK(r, common) : RNG_PICK(r, rare),
		.number = (uint8_t)(2 * (index % KEY_PAIRS)),
		.two_keys = rng_chance(r, 60),
		.denial = (enum sign_denial)rng_below(r, 3),
		.salt_len = (uint8_t)(rng_chance(r, 30) ? rng_between(r, 1, SIGN_SALT_MAX) : 0),
		.inception_s = SIGNED_FROM_S,
		.expiration_s = SIGNED_FROM_S + 20u * YEAR_S,
	};
	k->net->sign_life_s[index] = RNG_PICK(r, lives);
	z->digest = (uint8_t)RNG_PICK(r, digests);
	/* There is no room for a hash before it. */
	if (name_len(z->apex) > NAME_MAX_LEN - NSEC3_LABEL_MAX)
		p->denial = SIGN_NSEC;
	if (p->denial != SIGN_NSEC)
		p->iterations = RNG_PICK(r, iterations);
	if (rng_chance(r, 5))
		p->more[0] = p->algorithm == 13 ? 8 : 13;
	if (rng_chance(r, k->breaking))
		p->fault = (enum sign_fault)rng_between(r, 1, SIGN_FAULT_END - 1);
	/* With one key these are no faults. */
	if (p->fault == SIGN_KEYS_BY_ZSK || p->fault == SIGN_ZSK_GONE)
		p->two_keys = true;
	z->zsk = (struct sign_use) { p->algorithm, p->number, SIGN_ZSK, USE_SHOWN | USE_SIGNS };
	z->ksk = (struct sign_use) { p->algorithm, (uint8_t)(p->number + p->two_keys), SIGN_KSK,
				     USE_SHOWN | USE_SIGNS_KEYS | USE_TRUSTED };
	if (!p->two_keys)
		z->ksk.does |= USE_SIGNS;
}

void signed_draw(struct making *k)
{
	static const unsigned shares[] = { 0, 0, 8, 20 };
	struct internet *net = k->net;
	struct rng *r = &k->signing;
	bool some = rng_chance(r, 75);

	k->breaking = RNG_PICK(r, shares);
	for (unsigned i = 0; i < net->n_zones; i++) {
		struct zone *z = &net->zones[i];

		z->is_signed = some && rng_chance(r, z->labels < 2 ? 92 : 65);
		z->has_ds = z->is_signed && i > 0 && rng_chance(r, 88);
		z->is_anchor = z->is_signed && (i == 0 || (!z->has_ds && rng_chance(r, 30)));
		z->is_nta = i > 0 && some && rng_chance(r, 3);
		/* The chain would say that such a name exists. */
		z->denies_empty &= !z->is_signed;
		policy_draw(k, i);
		/* Nothing can be wrong with a DS that is not there. */
		if (!z->has_ds && net->policies[i].fault >= SIGN_DS_DIGEST &&
		    net->policies[i].fault <= SIGN_DS_ALGORITHM)
			net->policies[i].fault = SIGN_NONE;
	}
}

/* The zone with nothing in it has its keys already; its chain is nobody's. */
static struct signed_zone *bare_zone(const struct internet *net, const struct zone *z)
{
	struct signed_zone *bare = signed_zone_new(z->apex);
	struct sign_policy p = net->policies[z - net->zones];

	p.denial = SIGN_NSEC;
	signed_zone_sign(bare, &p);
	return bare;
}

bool signed_add_keys(struct making *k, struct zone *z)
{
	struct internet *net = k->net;
	struct signed_zone *bare;
	const struct signed_set *keys;
	uint8_t ds[SIGN_DS_MAX];
	struct model_set *s;
	size_t len;

	if (!z->is_signed)
		return false;
	bare = bare_zone(net, z);
	keys = signed_zone_keys(bare);
	if (keys != NULL && (s = making_set(k, z, z->apex, TYPE_DNSKEY)) != NULL) {
		s->ttl = SIGNED_KEYS_TTL;
		for (size_t i = 0; i < keys->n; i++)
			making_record(net, s, keys->rr[i].data, keys->rr[i].len);
	}
	if (z->has_ds && (s = making_set(k, &net->zones[z->parent], z->apex, TYPE_DS)) != NULL) {
		s->ttl = SIGNED_KEYS_TTL;
		for (unsigned i = 0; (len = signed_zone_ds(bare, i, z->digest, ds)) > 0; i++)
			making_record(net, s, ds, len);
	}
	signed_zone_free(bare);
	return true;
}

bool signed_renew_keys(struct making *k, struct zone *z)
{
	struct internet *net = k->net;

	return making_copy_sets(net, z, z->apex, TYPE_DNSKEY) &&
	       making_copy_sets(net, &net->zones[z->parent], z->apex, TYPE_DS) &&
	       making_has_room(net) && signed_add_keys(k, z);
}

void signed_break(struct making *k)
{
	struct internet *net = k->net;

	for (unsigned i = 0; i < net->n_sets; i++)
		if (rng_chance(&k->signing, k->breaking / 2))
			net->sets[i].fault = (uint8_t)rng_between(&k->signing, 1,
								  SIGN_DS_DIGEST - 1);
}

/* ---- signed zones ---- */

static unsigned epoch_in_use(const struct internet *net)
{
	unsigned e = 0;

	while (net->epochs[e].zones != net->zones)
		e++;
	return e;
}

static void add_delegations(const struct internet *net, const struct zone *z,
			    struct signed_zone *to)
{
	for (unsigned i = 1; i < net->n_zones; i++) {
		const struct zone *c = &net->zones[i];

		for (unsigned n = 0; !c->gone && &net->zones[c->parent] == z && n < c->n_parent_ns;
		     n++) {
			const uint8_t *name = net->ns[c->parent_ns[n]].name;

			signed_zone_add(to, c->apex, TYPE_NS, c->ns_ttl, name, name_len(name));
		}
	}
}

void signed_at(uint32_t now_s)
{
	sign_now_s = now_s;
}

static struct signed_zone *build(const struct internet *net, const struct zone *z,
				 const struct sign_policy *p)
{
	struct signed_zone *to = signed_zone_new(z->apex);

	for (unsigned i = z->first_set; i != SET_NONE; i = net->sets[i].next) {
		const struct model_set *s = &net->sets[i];

		for (unsigned n = 0; n < s->n; n++)
			signed_zone_add(to, s->owner, s->type, s->ttl,
					model_record(net, s, n)->data,
					model_record(net, s, n)->len);
		signed_zone_break(to, s->owner, s->type, (enum sign_fault)s->fault);
	}
	add_delegations(net, z, to);
	signed_zone_sign(to, p);
	return to;
}

struct signed_zone *signed_of(const struct internet *net, const struct zone *z)
{
	size_t index = (size_t)(z - net->zones);
	uint32_t life_s = net->sign_life_s[index];
	struct sign_policy p = net->policies[index];
	unsigned e = epoch_in_use(net);

	if (!z->is_signed)
		return NULL;
	/* Renewed at half time, and when the clock has gone back. */
	if (built[e][index].zone != NULL && life_s > 0 &&
	    (sign_now_s + life_s / 2 > built[e][index].until_s ||
	     sign_now_s + life_s < built[e][index].until_s)) {
		signed_zone_free(built[e][index].zone);
		built[e][index].zone = NULL;
	}
	if (built[e][index].zone == NULL) {
		if (life_s > 0) {
			p.inception_s = sign_now_s - SIGNED_BEFORE_S;
			p.expiration_s = sign_now_s + life_s;
		}
		built[e][index].zone = build(net, z, &p);
		built[e][index].until_s = p.expiration_s;
	}
	return built[e][index].zone;
}

void signed_forget(void)
{
	for (unsigned e = 0; e < EPOCHS_MAX; e++)
		for (unsigned i = 0; i < ZONES_MAX; i++) {
			signed_zone_free(built[e][i].zone);
			built[e][i].zone = NULL;
		}
	sign_now_s = 0; /* the clock was that of the seed before */
}

int signed_anchor(const struct internet *net, const struct zone *z, struct anchors *a)
{
	struct signed_zone *bare;
	uint8_t ds[SIGN_DS_MAX];
	int err = E_OK;
	size_t len;

	if (z->is_nta)
		return anchors_add_nta(a, z->apex, "soak", 0);
	if (!z->is_anchor)
		return E_OK;
	bare = bare_zone(net, z);
	for (unsigned i = 0; err == E_OK && (len = signed_zone_ds(bare, i, 2, ds)) > 0; i++)
		err = anchors_add(a, z->apex, TYPE_DS, ds, len);
	signed_zone_free(bare);
	return err;
}

/* ---- what a validator must find ---- */

static const struct model_set *find_set(const struct internet *net, const struct zone *z,
					const uint8_t *owner, uint16_t type)
{
	for (unsigned i = z->first_set; i != SET_NONE; i = net->sets[i].next)
		if (net->sets[i].type == type && name_equal(net->sets[i].owner, owner))
			return &net->sets[i];
	return NULL;
}

static const struct sign_policy *policy_of(const struct internet *net, const struct zone *z)
{
	return &net->policies[z - net->zones];
}

static bool is_of_signatures(enum sign_fault f)
{
	return f != SIGN_NONE && f < SIGN_DS_DIGEST;
}

static bool is_of_keys(enum sign_fault f)
{
	return f >= SIGN_DS_DIGEST && f < SIGN_NO_PROOF;
}

static bool is_of_proofs(enum sign_fault f)
{
	return f >= SIGN_NO_PROOF;
}

/* Of a secure zone's set. */
static enum finding set_finding(const struct internet *net, const struct zone *z,
				const struct model_set *s)
{
	enum sign_fault whole = policy_of(net, z)->fault;

	/* The keys' own have faults of their own. */
	if (s->fault != SIGN_NONE || (is_of_signatures(whole) && s->type != TYPE_DNSKEY))
		return FIND_BOGUS;
	return FIND_SECURE;
}

/* Of a proof in a secure zone. */
static enum finding proof_finding(const struct internet *net, const struct zone *z)
{
	const struct sign_policy *p = policy_of(net, z);

	if (is_of_signatures(p->fault) || p->fault == SIGN_NO_PROOF)
		return FIND_BOGUS;
	/* What is wrong with the signature of a denial's SOA is not the denial's (RFC 4035 5.4). */
	if (is_of_proofs(p->fault))
		return FIND_ANYTHING;
	return p->iterations > ITERATIONS_MAX ? FIND_INSECURE : FIND_SECURE;
}

/* In a rollover: is one of the keys shown that the parent knows, and one that signs?  One way is enough,
 * whatever other algorithms there are (RFC 6840 5.11). */
static bool has_path(const struct sign_policy *p)
{
	const unsigned entry = USE_SHOWN | USE_SIGNS_KEYS | USE_TRUSTED;
	const unsigned signs = USE_SHOWN | USE_SIGNS;
	bool has_entry = p->uses[0].algorithm == 0, has_signing = has_entry;

	for (unsigned i = 0; i < SIGN_USES_MAX; i++) {
		has_entry = has_entry || (p->uses[i].does & entry) == entry;
		has_signing = has_signing || (p->uses[i].does & signs) == signs;
	}
	return has_entry && has_signing;
}

/* With its keys known by an anchor or a DS set that holds. */
static enum finding keys_finding(const struct internet *net, const struct zone *z)
{
	const struct model_set *keys = find_set(net, z, z->apex, TYPE_DNSKEY);

	if (is_of_keys(policy_of(net, z)->fault) || keys == NULL || keys->fault != SIGN_NONE ||
	    !has_path(policy_of(net, z)))
		return FIND_BOGUS;
	return FIND_SECURE;
}

/* An alias there, say. */
static bool has_fault_between(const struct internet *net, const struct zone *above,
			      const struct zone *z)
{
	for (unsigned i = above->first_set; i != SET_NONE; i = net->sets[i].next)
		if (net->sets[i].fault != SIGN_NONE && name_is_below(z->apex, net->sets[i].owner))
			return true;
	return false;
}

/* Whoever gets an unsigned answer looks at each name on the way from where trust begins, and for those
 * that are no zone's it takes a proof. */
static bool is_walkable(const struct internet *net, const struct zone *z)
{
	for (; !z->is_anchor && z != net->zones; z = &net->zones[z->parent]) {
		const struct zone *above = &net->zones[z->parent];

		if (z->labels > above->labels + 1 &&
		    (proof_finding(net, above) != FIND_SECURE || has_fault_between(net, above, z)))
			return false;
	}
	return true;
}

static enum finding zone_finding(const struct internet *net, const struct zone *z)
{
	const struct zone *above = &net->zones[z->parent];
	const struct model_set *ds;
	enum finding f;

	if (z->is_nta)
		return FIND_INSECURE;
	if (z->is_anchor)
		return keys_finding(net, z);
	if (z == net->zones)
		return FIND_INSECURE;
	f = zone_finding(net, above);
	if (f != FIND_SECURE)
		return f;
	ds = find_set(net, above, z->apex, TYPE_DS);
	if (ds != NULL && set_finding(net, above, ds) == FIND_BOGUS)
		return FIND_BOGUS;
	if (ds != NULL && z->has_ds)
		return keys_finding(net, z);
	/* That it is not there has to be proved, and that no zones are between. */
	f = proof_finding(net, above);
	if ((ds != NULL || f == FIND_SECURE) && !is_walkable(net, z))
		return FIND_ANYTHING;
	return f == FIND_SECURE || ds != NULL ? FIND_INSECURE : f;
}

/* Can nobody pretend that something of the zone's is not signed?  Where opt-out, or hashes that are
 * too dear to compute, prove nothing, a delegation may be invented. */
static bool is_shielded(const struct internet *net, const struct zone *z)
{
	for (;; z = &net->zones[z->parent]) {
		if (policy_of(net, z)->iterations > ITERATIONS_MAX)
			return false;
		if (z->is_anchor || z == net->zones)
			return true;
	}
}

void signed_judge(struct internet *net)
{
	for (unsigned i = 0; i < net->n_zones; i++) {
		struct zone *z = &net->zones[i];

		z->finding = zone_finding(net, z);
		z->shielded = (z->finding == FIND_SECURE || z->finding == FIND_BOGUS) &&
			      is_shielded(net, z);
	}
}

/* Is it so of a name that the chain of an opt-out zone does not know? */
static bool is_opted_out(const struct internet *net, const struct truth *t, const uint8_t *name)
{
	return t->zone->is_signed && policy_of(net, t->zone)->denial == SIGN_OPT_OUT &&
	       !signed_zone_knows(signed_of(net, t->zone), name);
}

/* Where the closest encloser is not in an opt-out zone's chain, the one that can be proved is above
 * it, and may have a wildcard that is nothing to the name: what denies the name cannot deny that too
 * (RFC 5155 7.2.2). */
static bool meets_strange_wildcard(const struct internet *net, const struct truth *t,
				   const uint8_t *name)
{
	const struct signed_zone *z = signed_of(net, t->zone);
	uint8_t wildcard[NAME_MAX_LEN] = { 1, '*' };

	while (!signed_zone_knows(z, name) && !name_equal(name, t->zone->apex))
		name = name_parent(name);
	if (name_len(name) + 2 > sizeof(wildcard))
		return false;
	name_copy(wildcard + 2, name);
	return signed_zone_knows(z, wildcard);
}

/* Below a key that is known, or that is not to be looked at, of a zone that is gone; or its DS, which
 * another zone has. */
static bool is_under_strange_anchor(const struct internet *net, const uint8_t *name, uint16_t type)
{
	for (unsigned i = 1; i < net->n_zones; i++) {
		const struct zone *z = &net->zones[i];

		if ((z->is_anchor || z->is_nta) && name_is_within(name, z->apex) &&
		    (z->gone || (type == TYPE_DS && name_equal(name, z->apex))))
			return true;
	}
	return false;
}

static enum finding worse(enum finding a, enum finding b)
{
	if (a == FIND_BOGUS || b == FIND_BOGUS)
		return FIND_BOGUS;
	if (a == FIND_ANYTHING || b == FIND_ANYTHING)
		return FIND_ANYTHING;
	return a == FIND_INSECURE ? a : b;
}

enum finding finding_of(const struct internet *net, const struct truth *t, const uint8_t *name,
			uint16_t type)
{
	const struct zone *z = t->zone;
	enum finding f = FIND_SECURE;

	if (is_under_strange_anchor(net, name, type))
		return FIND_ANYTHING;
	/* The keys may be right, and none of them the one that signs. */
	if (z->finding == FIND_BOGUS && type == TYPE_DNSKEY && name_equal(name, z->apex) &&
	    (policy_of(net, z)->fault == SIGN_ZSK_GONE ||
	     policy_of(net, z)->uses[0].algorithm != 0))
		return FIND_ANYTHING;
	if (z->finding != FIND_SECURE)
		return z->finding;
	if (t->set != NULL)
		f = set_finding(net, z, t->set);
	if (t->set == NULL || t->is_wildcard)
		f = worse(f, proof_finding(net, z));
	if (f == FIND_SECURE && t->kind != TRUTH_DNAME && is_opted_out(net, t, name))
		f = t->kind == TRUTH_NXDOMAIN && meets_strange_wildcard(net, t, name)
			    ? FIND_ANYTHING
			    : FIND_INSECURE;
	return f;
}

bool is_protected(const struct internet *net, const struct truth *t, const uint8_t *name,
		  uint16_t type)
{
	return t->zone->shielded && !is_opted_out(net, t, name) &&
	       !is_under_strange_anchor(net, name, type);
}
