#include "recursor/resolve/dnssec/aggressive.h"

#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"
#include "common/hash.h"
#include "common/heap.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/aggressive_shard.h"
#include "recursor/resolve/dnssec/key.h"
#include "recursor/resolve/dnssec/nsec.h"

enum {
	VICTIMS_A_PUT = 4,
	NEIGHBOURS_A_PUT = 8, /* that a newer record contradicts */
	OLD_A_PUT = 16,       /* of parameters that a zone has left */
};

/* What is to be put: where it belongs, and for how long. */
struct putting {
	const uint8_t *zone;
	struct rrset *set;
	uint32_t until_s;
	bool is_nsec3;
	enum tree tree; /* of NSEC3: TREE_NSEC3, whichever it is in the zone */
	struct nsec nsec;
	struct nsec3 nsec3;
	uint16_t key_len;
	uint8_t key[KEY_MAX];
};

/* ---- keys ---- */

/* Labels from the last to the first, each closed by a zero, in lower case; the two bytes that would
 * collide with that are escaped, so that order stays. */
uint16_t aggressive_key(uint8_t out[KEY_MAX], const uint8_t *name, unsigned zone_labels)
{
	const uint8_t *labels[NAME_MAX_LABELS];
	unsigned n = 0;
	uint8_t *p = out;

	for (; *name != 0; name += 1 + *name)
		labels[n++] = name;
	while (n > zone_labels) {
		const uint8_t *label = labels[n - 1 - zone_labels];

		n--;
		for (unsigned i = 1; i <= *label; i++) {
			if (label[i] <= 1) {
				*p++ = 1;
				*p++ = label[i] + 1;
			} else {
				*p++ = ascii_lower(label[i]);
			}
		}
		*p++ = 0;
	}
	return (uint16_t)(p - out);
}

uint16_t aggressive_data_key(uint8_t out[KEY_MAX], const uint8_t *name, unsigned zone_labels,
			     uint16_t type)
{
	uint16_t len = aggressive_key(out, name, zone_labels);

	wire_put_u16(out + len, type);
	return (uint16_t)(len + 2);
}

/* ---- zones and entries ---- */

struct aggressive_zone *aggressive_zone(struct aggressive_shard *sh, const uint8_t *name,
					uint64_t hash)
{
	for (uint32_t at = sieve_first(&sh->zones, (uint32_t)hash); at != SIEVE_NONE;
	     at = sieve_next(&sh->zones, at)) {
		struct aggressive_zone *z = sh->zones.slots[at].value;

		if (name_equal(z->name, name))
			return z;
	}
	return NULL;
}

static uint32_t slot_of(const struct sieve *s, uint32_t hash, const void *value)
{
	uint32_t at = sieve_first(s, hash);

	while (at != SIEVE_NONE && s->slots[at].value != value)
		at = sieve_next(s, at);
	ASSERT(at != SIEVE_NONE);
	return at;
}

static size_t zone_cost(const struct aggressive_zone *z)
{
	return heap_cost(sizeof(*z) + z->name_len);
}

static size_t entry_cost(const struct aggressive_entry *e)
{
	return heap_cost(sizeof(*e) + e->node.key_len);
}

static struct aggressive_zone *zone_new(struct aggressive *a, struct aggressive_shard *sh,
					const uint8_t *name, uint64_t hash)
{
	size_t len = name_len(name);
	struct aggressive_zone *z = calloc(1, sizeof(*z) + len);
	uint32_t at;

	if (z == NULL)
		return NULL;
	z->hash = (uint32_t)hash;
	z->present = (hash >> 36) % PRESENT;
	z->nsec3 = TREE_NSEC3;
	z->name_len = (uint8_t)len;
	(void)name_lower(z->name, name);
	if (sieve_insert(&sh->zones, z->hash, z, &at) != E_OK) {
		free(z);
		return NULL;
	}
	sh->bytes += zone_cost(z);
	atomic_fetch_add_explicit(&a->present[z->present], 1, memory_order_relaxed);
	return z;
}

static void zone_free(struct aggressive *a, struct aggressive_shard *sh, struct aggressive_zone *z)
{
	(void)sieve_remove(&sh->zones, slot_of(&sh->zones, z->hash, z));
	atomic_fetch_sub_explicit(&a->present[z->present], 1, memory_order_relaxed);
	sh->bytes -= zone_cost(z);
	rrset_put(z->soa);
	free(z);
}

/* Leaves the zone, even when it has nothing any more. */
static void take_away(struct aggressive *a, struct aggressive_shard *sh, struct aggressive_entry *e)
{
	order_remove(&e->zone->trees[e->tree], &e->node);
	(void)sieve_remove(&sh->entries, slot_of(&sh->entries, e->node.priority, e));
	sh->bytes -= entry_cost(e);
	e->zone->n--;
	atomic_fetch_sub_explicit(&sh->n, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&a->n, 1, memory_order_relaxed);
	rrset_put(e->set);
	free(e);
}

void aggressive_remove(struct aggressive *a, struct aggressive_shard *sh,
		       struct aggressive_entry *e)
{
	struct aggressive_zone *z = e->zone;

	take_away(a, sh, e);
	if (z->n == 0)
		zone_free(a, sh, z);
}

void aggressive_visit(struct aggressive_shard *sh, const struct aggressive_entry *e)
{
	sh->entries.slots[slot_of(&sh->entries, e->node.priority, e)].visited = 1;
}

bool aggressive_param(const struct aggressive_zone *z, struct nsec3_param *out)
{
	struct order_node *any = z->trees[z->nsec3].root;
	struct nsec3 n;

	if (any == NULL)
		return false;
	nsec3_open(&n, aggressive_entry_of(any)->set);
	*out = n.param;
	return true;
}

static bool entry_add(struct aggressive *a, struct aggressive_shard *sh, struct aggressive_zone *z,
		      const struct putting *p)
{
	struct aggressive_entry *e = malloc(sizeof(*e) + p->key_len);
	uint32_t at;

	if (e == NULL)
		return false;
	*e = (struct aggressive_entry) {
		.node = { .key = e->key,
			  .key_len = p->key_len,
			  .priority = (uint32_t)hash_mix(
				  atomic_fetch_add_explicit(&a->drawn, 1, memory_order_relaxed),
				  z->hash) },
		.zone = z,
		.until_s = p->until_s,
		.tree = (uint8_t)p->tree,
	};
	memcpy(e->key, p->key, p->key_len);
	if (sieve_insert(&sh->entries, e->node.priority, e, &at) != E_OK) {
		free(e);
		return false;
	}
	e->set = rrset_get(p->set);
	order_insert(&z->trees[e->tree], &e->node);
	sh->bytes += entry_cost(e);
	z->n++;
	atomic_fetch_add_explicit(&sh->n, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&a->n, 1, memory_order_relaxed);
	return true;
}

/* ---- what is taken ---- */

/* By TTL, and by the first of its signatures to expire (RFC 4034 3.1.5: serial arithmetic). */
static uint32_t set_until(const struct rrset *s, uint32_t now_s)
{
	uint32_t left = rrset_ttl_left(s, now_s);
	struct rdata rr;
	size_t at = 0;

	while (rrset_next_sig(s, &at, &rr)) {
		struct rrsig sig;
		int32_t valid = rrsig_read(&sig, &rr) == E_OK ? (int32_t)(sig.expiration_s - now_s)
							      : 0;

		if (valid < 0)
			valid = 0;
		if (left > (uint32_t)valid)
			left = (uint32_t)valid;
	}
	return now_s + left < now_s ? UINT32_MAX : now_s + left;
}

/* White lies (RFC 4470): a gap that has room for the one name asked for. */
static bool is_narrow(const struct nsec *n)
{
	const uint8_t *owner = n->owner, *next = n->next;

	if (next[0] == 1 && next[1] == 0 && name_equal(next + 2, owner))
		return true;
	if (owner[0] == 0 || next[0] == 0)
		return false;
	return (owner[owner[0]] == '~' || owner[owner[0]] == 0xff) &&
	       (next[next[0]] == '!' || next[next[0]] == 0);
}

/* It may be used, and the part of all hashes that is in its gap is at least 1/ratio. */
static bool is_likely(const struct aggressive *a, const struct nsec3 *n)
{
	const uint32_t ratio = atomic_load_explicit(&a->min_hit_ratio, memory_order_relaxed);
	const uint32_t most = atomic_load_explicit(&a->max_iterations, memory_order_relaxed);
	uint64_t owner = (uint64_t)wire_get_u32(n->owner) << 32 | wire_get_u32(n->owner + 4);
	uint64_t next = (uint64_t)wire_get_u32(n->next) << 32 | wire_get_u32(n->next + 4);

	if (ratio == 0 || n->param.iterations > (most != 0 ? most : NSEC3_MAX_ITERATIONS))
		return false;
	/* One alone covers everything but itself; and every denial needs the apex. */
	if (memcmp(n->owner, n->next, NSEC3_HASH_LEN) == 0 || typemap_has(&n->types, TYPE_SOA))
		return true;
	return next - owner >= UINT64_MAX / ratio;
}

/* Labels of the wildcard's parent, when the set was made of a wildcard of the zone. */
static bool is_made(const struct rrset *s, const uint8_t *zone, unsigned *labels)
{
	const unsigned have = name_labels(rrset_owner(s));
	struct rdata rr;
	struct rrsig sig;
	size_t at = 0;
	bool is_first = true;

	while (rrset_next_sig(s, &at, &rr)) {
		if (rrsig_read(&sig, &rr) != E_OK || sig.type_covered != s->type ||
		    sig.labels >= have || !name_equal(sig.signer, zone))
			return false;
		if (!is_first && *labels != sig.labels)
			return false;
		*labels = sig.labels;
		is_first = false;
	}
	/* The wildcard asked for by its own name was not expanded: it is one label longer. */
	return !is_first && *labels >= name_labels(zone) && name_is_within(rrset_owner(s), zone);
}

/* The same data as those of the wildcard itself, without their proofs. */
static struct rrset *wildcard_set(const struct rrset *s, const uint8_t *wildcard, uint32_t now_s)
{
	struct rdata rr[AGGRESSIVE_RECORDS_MAX], sig[AGGRESSIVE_SIGS_MAX];
	size_t n = 0, n_sig = 0, at = 0;
	struct rrset *out = NULL;

	if (s->n_rr > AGGRESSIVE_RECORDS_MAX || s->n_sig > AGGRESSIVE_SIGS_MAX)
		return NULL;
	while (rrset_next(s, &at, &rr[n < AGGRESSIVE_RECORDS_MAX ? n : 0]))
		n++;
	at = 0;
	while (rrset_next_sig(s, &at, &sig[n_sig < AGGRESSIVE_SIGS_MAX ? n_sig : 0]))
		n_sig++;
	if (rrset_new(&out, wildcard, s->type, rrset_ttl_left(s, now_s), now_s, RANK_AUTH_ANSWER,
		      rr, n, sig, n_sig) != E_OK)
		return NULL;
	rrset_set_security(out, SEC_SECURE, 0);
	out->zone_labels = s->zone_labels;
	return out;
}

/* False: nothing to keep.  p->set is a reference. */
static bool read_set(const struct aggressive *a, struct putting *p, struct rrset *set,
		     uint32_t now_s)
{
	const unsigned apex = name_labels(p->zone);
	uint8_t wildcard[NAME_MAX_LEN];
	unsigned labels = 0;

	if (nsec_read(&p->nsec, set, p->zone)) {
		p->tree = TREE_NSEC;
		p->key_len = aggressive_key(p->key, p->nsec.owner, apex);
		p->set = is_narrow(&p->nsec) ? NULL : rrset_get(set);
	} else if (nsec3_read(&p->nsec3, set, p->zone)) {
		p->tree = TREE_NSEC3;
		p->is_nsec3 = true;
		p->key_len = NSEC3_HASH_LEN;
		memcpy(p->key, p->nsec3.owner, NSEC3_HASH_LEN);
		p->set = is_likely(a, &p->nsec3) ? rrset_get(set) : NULL;
	} else if (!rrtype_is_denial(set->type) && set->kind == RRSET_DATA &&
		   is_made(set, p->zone, &labels) &&
		   proof_wildcard(wildcard, name_suffix(rrset_owner(set), labels))) {
		p->tree = TREE_DATA;
		p->key_len = aggressive_data_key(p->key, wildcard, apex, set->type);
		p->set = wildcard_set(set, wildcard, now_s);
	}
	return p->set != NULL;
}

/* ---- putting ---- */

/* The zone has changed since: what stands in the new one's gap is gone, and so is the gap in which the
 * new one's owner would not be. */
static void settle(struct aggressive *a, struct aggressive_shard *sh, struct aggressive_zone *z,
		   const struct putting *p)
{
	const struct order *tree = &z->trees[p->tree];
	struct order_node *before = order_before(tree, p->key, p->key_len);

	if (before != NULL) {
		struct aggressive_entry *e = aggressive_entry_of(before);
		struct nsec3 n3;
		struct nsec n;
		bool covers;

		if (p->is_nsec3) {
			nsec3_open(&n3, e->set);
			memcpy(n3.owner, e->key, NSEC3_HASH_LEN);
			covers = nsec3_covers(&n3, p->key);
		} else {
			nsec_open(&n, e->set);
			covers = name_equal(n.next, p->zone) ||
				 name_compare(p->nsec.owner, n.next) < 0;
		}
		if (covers)
			take_away(a, sh, e);
	}
	for (unsigned i = 0; i < NEIGHBOURS_A_PUT; i++) {
		struct order_node *behind = order_behind(tree, p->key, p->key_len);
		struct aggressive_entry *e = behind != NULL ? aggressive_entry_of(behind) : NULL;

		if (e == NULL ||
		    !(p->is_nsec3 ? nsec3_covers(&p->nsec3, e->key)
				  : name_equal(p->nsec.next, p->zone) ||
					    name_compare(rrset_owner(e->set), p->nsec.next) < 0))
			break;
		take_away(a, sh, e);
	}
}

/* The tree for records with these parameters; false: the zone changed them twice in a short time. */
static bool choose_nsec3(struct aggressive *a, struct aggressive_shard *sh,
			 struct aggressive_zone *z, struct putting *p)
{
	unsigned other = z->nsec3 == TREE_NSEC3 ? TREE_NSEC3_OTHER : TREE_NSEC3;
	struct nsec3_param now;

	for (unsigned i = 0; i < OLD_A_PUT && z->trees[other].root != NULL; i++)
		take_away(a, sh, aggressive_entry_of(z->trees[other].root));
	if (aggressive_param(z, &now) && !nsec3_param_equal(&now, &p->nsec3.param)) {
		if (z->trees[other].root != NULL)
			return false;
		z->nsec3 = (uint8_t)other;
	}
	p->tree = (enum tree)z->nsec3;
	return true;
}

static void put_soa(struct aggressive_zone *z, struct rrset *soa, uint32_t now_s)
{
	uint32_t until_s = set_until(soa, now_s);

	if (z->soa != NULL && z->soa_until_s >= until_s)
		return;
	rrset_charge(soa);
	rrset_put(z->soa);
	z->soa = rrset_get(soa);
	z->soa_until_s = until_s;
}

static void put_locked(struct aggressive *a, struct aggressive_shard *sh, uint64_t hash,
		       struct putting *p, struct rrset *soa, uint32_t now_s)
{
	struct aggressive_zone *z = aggressive_zone(sh, p->zone, hash);
	struct order_node *same;

	if (z == NULL)
		z = zone_new(a, sh, p->zone, hash);
	if (z == NULL)
		return;
	if (soa != NULL)
		put_soa(z, soa, now_s);
	if (!p->is_nsec3 || choose_nsec3(a, sh, z, p)) {
		same = order_find(&z->trees[p->tree], p->key, p->key_len);
		if (same != NULL && aggressive_entry_of(same)->until_s >= p->until_s &&
		    rrset_equal_data(aggressive_entry_of(same)->set, p->set)) {
			aggressive_visit(sh, aggressive_entry_of(same));
		} else {
			if (same != NULL)
				take_away(a, sh, aggressive_entry_of(same));
			if (p->tree != TREE_DATA)
				settle(a, sh, z, p);
			(void)entry_add(a, sh, z, p);
		}
	}
	if (z->n == 0)
		zone_free(a, sh, z);
}

void aggressive_put(struct aggressive *a, const uint8_t *zone, struct rrset *set, struct rrset *soa,
		    uint32_t now_s)
{
	struct putting p = { .zone = zone };
	struct aggressive_shard *sh;
	uint64_t hash;

	if (atomic_load_explicit(&a->max_entries, memory_order_relaxed) == 0 ||
	    set->size > AGGRESSIVE_MAX_SET_BYTES || rrset_security(set) != SEC_SECURE)
		return;
	if (soa != NULL &&
	    (soa->type != TYPE_SOA || soa->kind != RRSET_DATA || soa->n_rr != 1 ||
	     soa->size > AGGRESSIVE_MAX_SET_BYTES || rrset_security(soa) != SEC_SECURE ||
	     !name_equal(rrset_owner(soa), zone)))
		soa = NULL;
	p.until_s = set_until(set, now_s);
	if (p.until_s <= now_s || !read_set(a, &p, set, now_s))
		return;
	rrset_charge(p.set);
	hash = name_hash(zone);
	sh = aggressive_shard(a, hash);
	gate_enter(&sh->gate);
	put_locked(a, sh, hash, &p, soa, now_s);
	gate_leave(&sh->gate);
	rrset_put(p.set);
	if (aggressive_is_over(a))
		(void)aggressive_evict(a, VICTIMS_A_PUT);
}
