#include "recursor/resolve/cache.h"

#include <string.h>

#include "common/heap.h"
#include "common/rrtype.h"
#include "recursor/resolve/cache_shard.h"

enum {
	VICTIMS_AN_INSERT = 8,
	BYTES_A_VICTIM = 64, /* a large set may push out more, one for each of these */
};

/* What an entry of its own adds; the proofs that it holds are charged to nobody in particular. */
static size_t set_cost(const struct rrset *s, unsigned tag)
{
	return (tag & TAG_SHARED) != 0 ? 0 : heap_cost(s->size);
}

void cache_entry_fill(struct shard *sh, uint32_t at, struct rrset *s, unsigned tag)
{
	struct sieve_slot *slot = &sh->map.slots[at];

	if (sh->map.n > sh->most)
		sh->most = sh->map.n;
	slot->value = rrset_get(s);
	slot->tag = tag & 7;
	sh->set_bytes += set_cost(s, tag);
	sh->negative += is_negative(s);
	sh->shared += (tag & TAG_SHARED) != 0;
	if ((tag & TAG_SHARED) != 0)
		rrset_charge(s);
	for (unsigned i = 0; i < s->n_proofs; i++)
		rrset_charge(rrset_proofs(s)[i]);
}

void cache_entry_empty(struct shard *sh, uint32_t at, struct drops *drops)
{
	struct rrset *s = set_at(sh, at);

	sh->set_bytes -= set_cost(s, sh->map.slots[at].tag);
	sh->negative -= is_negative(s);
	sh->shared -= is_shared(sh, at);
	drops_add(drops, s);
}

void cache_entry_remove(struct shard *sh, uint32_t at, struct drops *drops)
{
	cache_entry_empty(sh, at, drops);
	sieve_remove(&sh->map, at);
}

bool cache_is_over(const struct shard *sh, size_t more_entries, size_t more_bytes)
{
	if (sh->map.n + more_entries > sh->max_entries)
		return true;
	if (more_entries > 0)
		more_bytes += sieve_growth(&sh->map);
	return sh->max_bytes != 0 &&
	       shard_bytes(sh) + rrset_charged_bytes() / sh->n_shards + more_bytes > sh->max_bytes;
}

bool cache_evict(struct shard *sh, uint32_t now_s, struct drops *drops)
{
	uint32_t at = sieve_victim(&sh->map);

	if (at == SIEVE_NONE)
		return false;
	if (rrset_is_expired(set_at(sh, at), now_s))
		sh->expired++;
	else
		sh->evicted++;
	cache_entry_remove(sh, at, drops);
	return true;
}

bool cache_make_room(struct shard *sh, size_t more_entries, size_t more_bytes, uint32_t now_s,
		     struct drops *drops)
{
	size_t budget = VICTIMS_AN_INSERT + more_bytes / BYTES_A_VICTIM;
	size_t before = shard_bytes(sh);
	size_t gone = 0;

	for (; cache_is_over(sh, more_entries, more_bytes); gone++) {
		if (gone == budget)
			return gone > more_entries && before - shard_bytes(sh) >= more_bytes;
		if (!cache_evict(sh, now_s, drops))
			return false;
	}
	return true;
}

/* --- looking --------------------------------------------------------------------------- */

static const struct shard *shard_by_hash(const struct cache *c, uint64_t name_hash)
{
	return &c->shards[(name_hash >> 32) & (c->n_shards - 1)];
}

void cache_fetch_shard(const struct cache *c, uint64_t name_hash)
{
	const struct shard *sh = shard_by_hash(c, name_hash);

	__builtin_prefetch(&sh->lock, 1);
	__builtin_prefetch(&sh->map);
}

/* Not &array[at]: there may be no array, or a smaller one by now. */
static void fetch(const void *array, size_t at, size_t size)
{
	__builtin_prefetch((const void *)((uintptr_t)array + at * size));
}

/* Without the lock: at worst the wrong memory is fetched. */
__attribute__((no_sanitize("thread"))) void cache_fetch_bucket(const struct cache *c,
							       uint64_t name_hash)
{
	const struct sieve *map = &shard_by_hash(c, name_hash)->map;
	uint32_t at = (uint32_t)name_hash & (map->mask * 2 + 1);

	/* sieve_bucket() */
	fetch(map->buckets, at < map->n_buckets ? at : at & map->mask, sizeof(*map->buckets));
}

__attribute__((no_sanitize("thread"))) void cache_fetch_place(const struct cache *c,
							      uint64_t name_hash, uint16_t type)
{
	const struct sieve *map = &shard_by_hash(c, name_hash)->map;

	cache_fetch_bucket(c, name_hash);
	/* The bucket that the insert will split, and the slot that it will fill (sieve_insert()), in
	 * a cache that is not full yet. */
	fetch(map->buckets, map->n_buckets & map->mask, sizeof(*map->buckets));
	fetch(map->slots, map->n, sizeof(*map->slots));
	if (c->remembered != NULL)
		remembered_fetch(c->remembered, name_hash, type);
}

static bool is_fresh(const struct rrset *s, uint32_t now_s, uint32_t stale_s)
{
	return !rrset_is_expired(s, now_s) || rrset_is_stale(s, now_s, stale_s);
}

/* RFC 2181 5.4.1: what was told in passing is none; a failure has no rank. */
static bool is_answer(const struct rrset *s)
{
	return s->rank > RANK_REFERRAL && s->kind != RRSET_FAILURE;
}

/* A failure stands beside what it failed to renew, and comes second; and beside what was told in passing,
 * and comes first. */
static bool is_exact(const struct cache_view *v, const struct rrset *s)
{
	return v->exact == NULL || is_answer(s) ||
	       (s->kind == RRSET_FAILURE && !is_answer(v->exact));
}

/* view_offer(), of what has the type CNAME or DNAME where that is asked for.  That its answers were bogus stands
 * beside the set, as for other types: whoever asks with CD=1 is told that one. */
static void view_offer_alias(struct cache_view *v, struct rrset *s)
{
	if (rrset_is_bogus_failure(v->exact) && s->kind == RRSET_DATA) {
		v->cname = s;
		return;
	}
	if (rrset_is_bogus_failure(s) && v->exact != NULL && v->exact->kind == RRSET_DATA) {
		v->cname = v->exact;
		v->exact = s;
	} else if (is_exact(v, s)) {
		v->exact = s;
	}
}

/* Gives an entry its place in the view; false: it has none. */
static bool view_offer(struct cache_view *v, struct rrset *s, bool delegation, uint16_t type,
		       unsigned want)
{
	bool cut = (want & CACHE_WANT_CUT) != 0;
	bool answer = (want & CACHE_WANT_ANSWER) != 0;
	bool used = false;

	if (delegation) {
		if (!cut || s->type != TYPE_NS)
			return false;
		v->delegation = s;
		return true;
	}
	if (s->kind == RRSET_NXDOMAIN) {
		v->nxdomain = s;
		return true;
	}
	if (answer && s->type == type) {
		if (type == TYPE_CNAME || type == TYPE_DNAME)
			view_offer_alias(v, s);
		else if (is_exact(v, s))
			v->exact = s;
		used = v->exact == s || v->cname == s;
	}
	if (s->kind != RRSET_DATA)
		return used;
	if (answer && s->type == TYPE_CNAME && type != TYPE_CNAME) {
		v->cname = s;
		used = true;
	}
	if (cut && s->type == TYPE_DNAME) {
		v->dname = s;
		used = true;
	}
	if (cut && s->type == TYPE_NS) {
		v->ns = s;
		used = true;
	}
	return used;
}

static void hold(struct rrset *s)
{
	if (s != NULL)
		rrset_get(s);
}

bool cache_look(struct cache *c, const uint8_t *name, uint16_t type, unsigned want, uint32_t now_s,
		uint32_t stale_s, struct cache_view *view)
{
	return cache_look_hashed(c, name, name_hash(name), type, want, now_s, stale_s, view);
}

bool cache_answers(struct cache *c, const uint8_t *name, uint16_t type, uint32_t now_s,
		   uint32_t stale_s)
{
	struct cache_view v;
	bool is_live, is_there;

	if (!cache_look(c, name, type, CACHE_WANT_ANSWER, now_s, stale_s, &v))
		return false;
	is_live = (v.exact != NULL && v.exact->kind == RRSET_FAILURE) ||
		  (v.nxdomain != NULL && !rrset_is_expired(v.nxdomain, now_s));
	is_there = (v.cname != NULL && is_answer(v.cname)) ||
		   (v.exact != NULL && is_answer(v.exact));
	cache_view_put(&v);
	return is_live || is_there;
}

bool cache_look_hashed(struct cache *c, const uint8_t *name, uint64_t name_hash, uint16_t type,
		       unsigned want, uint32_t now_s, uint32_t stale_s, struct cache_view *view)
{
	const struct key k = { .name = name, .len = name_len(name), .hash = name_hash };
	struct shard *sh = shard_lock(shard_of(c, &k));
	struct cache_view v = { 0 };
	bool found = false;

	for (uint32_t at = first_of(sh, &k); at != SIEVE_NONE; at = next_of(sh, at, &k)) {
		struct rrset *s = set_at(sh, at);
		bool used = is_fresh(s, now_s, stale_s) &&
			    view_offer(&v, s, is_delegation(sh, at), type, want);

		found = found || used;
		/* What is of no use any more is the first to go, however often it was used. */
		if (used)
			sh->map.slots[at].visited = 1;
		else if (is_spent(s, now_s, stale_window(c)))
			sh->map.slots[at].visited = 0;
	}
	hold(v.exact);
	hold(v.cname);
	hold(v.dname);
	hold(v.nxdomain);
	hold(v.ns);
	hold(v.delegation);
	shard_unlock(sh);
	*view = v;
	return found;
}

void cache_view_put(struct cache_view *view)
{
	rrset_put(view->exact);
	rrset_put(view->cname);
	rrset_put(view->dname);
	rrset_put(view->nxdomain);
	rrset_put(view->ns);
	rrset_put(view->delegation);
	*view = (struct cache_view) { 0 };
}

struct rrset *cache_get(struct cache *c, const uint8_t *name, uint16_t type, enum rank rank,
			uint32_t now_s)
{
	struct key k = key_of(name);
	struct shard *sh = shard_lock(shard_of(c, &k));
	bool delegation = type == CACHE_DELEGATION;
	struct rrset *found = NULL;

	for (uint32_t at = first_of(sh, &k); at != SIEVE_NONE; at = next_of(sh, at, &k)) {
		struct rrset *s = set_at(sh, at);

		if (is_delegation(sh, at) != delegation || s->kind != RRSET_DATA)
			continue;
		if (s->type != (delegation ? TYPE_NS : type) || s->rank < rank)
			continue;
		if (rrset_is_expired(s, now_s))
			continue;
		sh->map.slots[at].visited = 1;
		found = rrset_get(s);
		break;
	}
	shard_unlock(sh);
	return found;
}

/* Gives an entry its place among a server's addresses; false: it has none. */
static bool address_offer(struct cache_addresses *v, struct rrset *s, bool delegation)
{
	if (s->kind == RRSET_FAILURE)
		return false;
	if (s->kind == RRSET_NXDOMAIN) {
		v->a = v->a != NULL ? v->a : s;
		v->aaaa = v->aaaa != NULL ? v->aaaa : s;
	} else if (s->type == TYPE_A) {
		*(delegation ? &v->glue_a : &v->a) = s;
	} else if (s->type == TYPE_AAAA) {
		*(delegation ? &v->glue_aaaa : &v->aaaa) = s;
	} else {
		return false;
	}
	return true;
}

void cache_get_addresses(struct cache *c, const uint8_t *name, uint64_t name_hash, uint32_t now_s,
			 uint32_t stale_s, struct cache_addresses *out)
{
	const struct key k = { .name = name, .len = name_len(name), .hash = name_hash };
	struct shard *sh = shard_lock(shard_of(c, &k));
	struct cache_addresses v = { 0 };

	for (uint32_t at = first_of(sh, &k); at != SIEVE_NONE; at = next_of(sh, at, &k)) {
		struct rrset *s = set_at(sh, at);

		if (is_fresh(s, now_s, stale_s) && address_offer(&v, s, is_delegation(sh, at)))
			sh->map.slots[at].visited = 1;
	}
	hold(v.a);
	hold(v.aaaa);
	hold(v.glue_a);
	hold(v.glue_aaaa);
	shard_unlock(sh);
	*out = v;
}

void cache_addresses_put(struct cache_addresses *out)
{
	rrset_put(out->a);
	rrset_put(out->aaaa);
	rrset_put(out->glue_a);
	rrset_put(out->glue_aaaa);
	*out = (struct cache_addresses) { 0 };
}

/* --- putting --------------------------------------------------------------------------- */

struct offer {
	struct key key;
	struct rrset *set;
	bool delegation;
	bool refreshes;
	bool fills;
	bool at_configured;
	uint32_t now_s, stale_s, locked_percent;
};

static bool is_denial_or_data(const struct rrset *s)
{
	return s->kind == RRSET_DATA || s->kind == RRSET_NODATA;
}

/* One key holds data or NODATA of a type.  NXDOMAIN is one for the name.  A failure has a key
 * of its own: it must not cost us the stale data it failed to renew (RFC 8767 4, 9520 2.5). */
static bool is_same_key(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);

	if (is_delegation(sh, at) || o->delegation)
		return is_delegation(sh, at) && o->delegation && s->type == o->set->type;
	if (s->kind == RRSET_NXDOMAIN || o->set->kind == RRSET_NXDOMAIN)
		return s->kind == o->set->kind;
	return s->type == o->set->type && is_denial_or_data(s) == is_denial_or_data(o->set);
}

/* An expired answer that may yet be served stale gives way to nothing that could not answer. */
static bool is_worth_keeping(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);

	return rrset_is_stale(s, o->now_s, o->stale_s) && !is_delegation(sh, at) &&
	       !o->delegation && s->rank > RANK_REFERRAL && o->set->rank <= RANK_REFERRAL &&
	       o->set->kind != RRSET_FAILURE && is_same_key(sh, at, o);
}

/* record-cache-locked-ttl-perc: for that part of its TTL a set is replaced by none of its own rank
 * or by one authoritative set by another, so that a forger who makes us ask again and again (Kaminsky)
 * has to wait. */
static bool is_locked(const struct rrset *s, const struct offer *o)
{
	uint64_t locked_s = (uint64_t)s->ttl * o->locked_percent / 100;
	bool was_auth = s->rank >= RANK_AUTH_AUTHORITY;

	if (locked_s == 0 || o->refreshes || s->kind != RRSET_DATA || o->set->kind != RRSET_DATA)
		return false;
	return (was_auth || o->set->rank < RANK_AUTH_AUTHORITY) &&
	       rrset_ttl_left(s, o->now_s) > s->ttl - locked_s;
}

/* What was told in passing does not live longer by being told in passing again: a server that has lost
 * a zone, and tells its own old address with each answer, would be asked for ever (the ghost of
 * CVE-2012-1192, in an address).  At its end the parent's glue counts. */
static bool is_in_passing(const struct rrset *s, const struct offer *o)
{
	return s->rank == RANK_ADDITIONAL && o->set->rank == RANK_ADDITIONAL && !o->delegation &&
	       s->kind == RRSET_DATA;
}

/* A name exists or it does not: the denial and all else are one question.  But what is known of a
 * zone's being signed is not of the name. */
static bool is_of_existence(const struct rrset *a, const struct rrset *b)
{
	return (a->kind == RRSET_NXDOMAIN || b->kind == RRSET_NXDOMAIN) && a->type != CACHE_TRUST &&
	       b->type != CACHE_TRUST;
}

/* That a configured zone is not there, as the zone above says, is another question than what is said there. */
static bool stand_apart(const struct rrset *s, const struct offer *o)
{
	return o->at_configured && rrset_is_of_apex(s) != rrset_is_of_apex(o->set);
}

/* Does what is said of the whole name speak of the type?  At a configured zone, what the one above says speaks
 * of its DS alone. */
static bool speaks_of(const struct rrset *s, uint16_t type, const struct offer *o)
{
	bool is_the_parents = o->at_configured && s->owner_len > 1 && !rrset_is_of_apex(s);

	return rrset_speaks_of(s, type) && (type == TYPE_DS || !is_the_parents);
}

static bool is_answer_for(const struct rrset *s, const struct offer *o)
{
	bool is_of_all_types = s->kind == RRSET_NXDOMAIN ||
			       (s->kind == RRSET_DATA && s->type == TYPE_CNAME);

	if (s->kind != RRSET_NXDOMAIN && !is_answer(s))
		return false;
	return s->type == o->set->type || (is_of_all_types && speaks_of(s, o->set->type, o));
}

/* A denial or an alias that nobody has checked yet came with another question: what is known to have been
 * bogus for this one stands beside it. */
static bool may_be_the_same_lie(const struct rrset *s, const struct rrset *failure)
{
	return failure->kind == RRSET_FAILURE && rrset_security(s) == SEC_UNCHECKED &&
	       (s->kind == RRSET_NXDOMAIN || (s->kind == RRSET_DATA && s->type == TYPE_CNAME));
}

/* Does the entry forbid the offered set?  RFC 2181 5.4.1. */
static bool outranks(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);

	if (rrset_is_expired(s, o->now_s))
		return is_worth_keeping(sh, at, o);
	if (is_delegation(sh, at) != o->delegation)
		return false;
	if (o->fills)
		return is_answer_for(s, o) && !may_be_the_same_lie(s, o->set);
	if (o->set->kind == RRSET_FAILURE)
		return s->kind == RRSET_NXDOMAIN ? speaks_of(s, o->set->type, o)
						 : is_answer(s) && s->type == o->set->type;
	if (s->kind == RRSET_FAILURE)
		return false;
	if (is_in_passing(s, o) && is_same_key(sh, at, o))
		return true;
	if (o->locked_percent != 0 && is_same_key(sh, at, o) && is_locked(s, o))
		return true;
	if (s->rank <= o->set->rank)
		return false;
	return is_same_key(sh, at, o) || (is_of_existence(s, o->set) && !stand_apart(s, o));
}

/* Types that stand beside a CNAME (RFC 2181 10.1, 4034 2.5 and 3). */
static bool is_beside_cname(uint16_t type)
{
	return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_SIG ||
	       type == TYPE_NXT || type == TYPE_KEY;
}

/* Is the alias the answer for that type, too? */
static bool alias_covers(const struct rrset *alias, uint16_t type)
{
	return !is_beside_cname(type) && rrset_speaks_of(alias, type);
}

/* A zone's secure keys say that what comes from it is signed.  A denial that nobody has checked, as of
 * a minimised step, does not take them away: or whoever forges one could go on with what its parent
 * said before it was signed (has_secure_zone_below() in validate.c). */
static bool are_trusted_keys(const struct rrset *s, const struct rrset *denial, uint32_t now_s)
{
	return s->kind == RRSET_DATA && s->type == TYPE_DNSKEY && rrset_security(s) == SEC_SECURE &&
	       denial->kind == RRSET_NXDOMAIN && rrset_security(denial) != SEC_SECURE &&
	       !rrset_is_expired(s, now_s);
}

/* What was validated, or failed to be, does not go because of a denial or an alias that nobody has
 * checked: that may be a lie, told for one type, and is found to be one of that type alone.  A DNAME, which is
 * said of the names below it, leaves what is known of its own type if that was bogus. */
static bool was_validated(const struct rrset *s, const struct rrset *set, uint32_t now_s)
{
	enum security known = rrset_security(s);
	bool is_alias = set->kind == RRSET_DATA &&
			(set->type == TYPE_CNAME ||
			 (set->type == TYPE_DNAME && rrset_is_bogus_failure(s)));
	bool is_of_all_types = set->kind == RRSET_NXDOMAIN || is_alias;

	if (!is_of_all_types || rrset_security(set) == SEC_SECURE || rrset_is_expired(s, now_s))
		return false;
	return known == SEC_BOGUS || (known == SEC_SECURE && is_denial_or_data(s));
}

/* Does the offered set make the entry, which has another key and does not outrank it, untrue?
 * A CNAME takes denials of types away, since the alias now answers for them, but not data:
 * servers that mix both are met in the wild, and the data are good for their own type. */
static bool displaces(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);
	const struct rrset *set = o->set;

	if (is_delegation(sh, at) || o->delegation || o->fills || set->kind == RRSET_FAILURE ||
	    was_validated(s, set, o->now_s))
		return false;
	if (s->kind == RRSET_FAILURE)
		return set->kind == RRSET_NXDOMAIN ? speaks_of(set, s->type, o)
						   : s->type == set->type && is_answer(set);
	if (is_of_existence(s, set))
		return !stand_apart(s, o);
	if (set->kind != RRSET_DATA)
		return false;
	if (s->rank > set->rank && !rrset_is_expired(s, o->now_s))
		return false;
	if (set->type == TYPE_CNAME)
		return s->kind == RRSET_NODATA && alias_covers(set, s->type);
	return s->type == TYPE_CNAME && s->kind == RRSET_DATA && set->rank >= RANK_AUTH_ANSWER &&
	       alias_covers(s, set->type);
}

/* Removes what the offer displaces; tells the slot of its own key, or SIEVE_NONE. */
static uint32_t clear_the_way(struct shard *sh, const struct offer *o, struct drops *drops)
{
	uint32_t own = SIEVE_NONE, denial = SIEVE_NONE, last = SIEVE_NONE;
	uint32_t at = first_of(sh, &o->key);
	unsigned n = 0;

	while (at != SIEVE_NONE) {
		if (is_same_key(sh, at, o)) {
			own = at;
		} else if (displaces(sh, at, o)) {
			/* Slots move at a removal: start again. */
			cache_entry_remove(sh, at, drops);
			own = denial = last = SIEVE_NONE;
			n = 0;
			at = first_of(sh, &o->key);
			continue;
		} else if (is_negative(set_at(sh, at))) {
			denial = at;
		} else if (!is_delegation(sh, at)) {
			last = at;
		}
		n++;
		at = next_of(sh, at, &o->key);
	}
	if (own == SIEVE_NONE && n >= CACHE_MAX_SETS_A_NAME) {
		cache_entry_remove(sh, denial != SIEVE_NONE ? denial : last, drops);
		sh->evicted++;
	}
	return own;
}

static enum cache_put_result replace(struct shard *sh, uint32_t at, const struct offer *o,
				     struct drops *drops)
{
	/* Asked for again after it had expired: that is a use. */
	if (rrset_is_expired(set_at(sh, at), o->now_s))
		sh->map.slots[at].visited = 1;
	cache_entry_empty(sh, at, drops);
	cache_entry_fill(sh, at, o->set, o->delegation ? TAG_DELEGATION : 0);
	cache_make_room(sh, 0, 0, o->now_s, drops);
	return CACHE_STORED;
}

static enum cache_put_result insert(struct shard *sh, const struct offer *o, struct drops *drops)
{
	size_t cost = set_cost(o->set, 0);
	uint32_t at;

	if (!cache_make_room(sh, 1, cost, o->now_s, drops))
		return CACHE_REFUSED;
	if (sieve_insert(&sh->map, (uint32_t)o->key.hash, o->set, &at) != E_OK)
		return CACHE_REFUSED;
	cache_entry_fill(sh, at, o->set, o->delegation ? TAG_DELEGATION : 0);
	return CACHE_STORED;
}

static void note_remembered(struct cache *c, const struct offer *o)
{
	if (c->remembered != NULL && o->set->rank >= RANK_ANSWER && is_denial_or_data(o->set))
		remembered_note(c->remembered, o->key.hash, o->set->type);
}

bool cache_remembers(const struct cache *c, uint64_t name_hash, uint16_t type)
{
	return c->remembered != NULL && (remembered_has(c->remembered, name_hash, type) ||
					 remembered_has(c->remembered, name_hash, TYPE_CNAME));
}

enum cache_put_result cache_put(struct cache *c, struct rrset *s, unsigned how, uint32_t now_s)
{
	return cache_put_hashed(c, s, name_hash(rrset_owner(s)), how, now_s);
}

enum cache_put_result cache_put_hashed(struct cache *c, struct rrset *s, uint64_t owner_hash,
				       unsigned how, uint32_t now_s)
{
	struct offer o = {
		.key = { .name = rrset_owner(s), .len = s->owner_len, .hash = owner_hash },
		.set = s,
		.delegation = (how & CACHE_AS_DELEGATION) != 0,
		.refreshes = (how & CACHE_REFRESHES) != 0,
		.fills = (how & CACHE_FILLS) != 0,
		.at_configured = (how & CACHE_AT_CONFIGURED) != 0,
		.now_s = now_s,
		.stale_s = stale_window(c),
		.locked_percent = atomic_load_explicit(&c->locked_percent, memory_order_relaxed),
	};
	struct drops drops = { 0 };
	enum cache_put_result result = CACHE_KEPT_BETTER;
	struct shard *sh;
	uint32_t at;

	note_remembered(c, &o);
	if (s->ttl == 0 || rrset_is_expired(s, now_s))
		return CACHE_REFUSED;
	if (c->max_set_bytes != 0 && s->size > c->max_set_bytes)
		return CACHE_REFUSED;
	sh = shard_lock(shard_of(c, &o.key));
	for (at = first_of(sh, &o.key); at != SIEVE_NONE; at = next_of(sh, at, &o.key)) {
		if (outranks(sh, at, &o))
			goto out;
	}
	at = clear_the_way(sh, &o, &drops);
	result = at != SIEVE_NONE ? replace(sh, at, &o, &drops) : insert(sh, &o, &drops);
out:
	shard_unlock(sh);
	drops_put(&drops);
	return result;
}

/* The place of that very set; SIEVE_NONE: it is not there any more. */
static uint32_t place_of(const struct shard *sh, const struct key *k, const struct rrset *s)
{
	uint32_t at = first_of(sh, k);

	while (at != SIEVE_NONE && set_at(sh, at) != s)
		at = next_of(sh, at, k);
	return at;
}

bool cache_drop(struct cache *c, const struct rrset *s)
{
	struct key k = key_of(rrset_owner(s));
	struct shard *sh = shard_lock(shard_of(c, &k));
	uint32_t at = place_of(sh, &k, s);
	struct drops drops = { 0 };

	if (at != SIEVE_NONE)
		cache_entry_remove(sh, at, &drops);
	shard_unlock(sh);
	drops_put(&drops);
	return at != SIEVE_NONE;
}

void cache_replace(struct cache *c, const struct rrset *s, struct rrset *by, unsigned how,
		   uint32_t now_s)
{
	struct offer o = {
		.key = key_of(rrset_owner(s)),
		.set = by,
		.at_configured = (how & CACHE_AT_CONFIGURED) != 0,
		.now_s = now_s,
	};
	struct shard *sh = shard_lock(shard_of(c, &o.key));
	uint32_t at = place_of(sh, &o.key, s);
	struct drops drops = { 0 };

	if (at != SIEVE_NONE) {
		o.delegation = is_delegation(sh, at);
		at = clear_the_way(sh, &o, &drops);
		(void)replace(sh, at, &o, &drops);
	}
	shard_unlock(sh);
	drops_put(&drops);
}

/* --- restoring ------------------------------------------------------------------------- */

static bool is_an_alias(const struct rrset *s)
{
	return s->kind == RRSET_DATA && s->type == TYPE_CNAME;
}

/* What is there was learnt since, and says the same or something else. */
static bool is_answered(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);

	if (is_same_key(sh, at, o) || was_validated(s, o->set, o->now_s))
		return true;
	if (displaces(sh, at, o))
		return !are_trusted_keys(o->set, s, o->now_s);
	if (is_delegation(sh, at) || o->delegation)
		return false;
	return (is_an_alias(s) && alias_covers(s, o->set->type)) ||
	       (is_an_alias(o->set) && alias_covers(o->set, s->type));
}

static enum cache_put_result restore(struct shard *sh, const struct offer *o)
{
	size_t cost = set_cost(o->set, 0), n = 0;
	uint32_t at;

	for (at = first_of(sh, &o->key); at != SIEVE_NONE; at = next_of(sh, at, &o->key), n++)
		if (is_answered(sh, at, o))
			return CACHE_KEPT_BETTER;
	if (n >= CACHE_MAX_SETS_A_NAME || cache_is_over(sh, 1, cost))
		return CACHE_REFUSED;
	if (sieve_insert(&sh->map, (uint32_t)o->key.hash, o->set, &at) != E_OK)
		return CACHE_REFUSED;
	cache_entry_fill(sh, at, o->set, o->delegation ? TAG_DELEGATION : 0);
	return CACHE_STORED;
}

enum cache_put_result cache_restore(struct cache *c, struct rrset *s, bool as_delegation,
				    uint32_t now_s)
{
	const struct offer o = {
		.key = key_of(rrset_owner(s)),
		.set = s,
		.delegation = as_delegation,
		.now_s = now_s,
	};
	enum cache_put_result result = CACHE_REFUSED;
	struct cache_wiped wiped = { 0 };
	struct shard *sh;

	if (is_spent(s, now_s, stale_window(c)) ||
	    (c->max_set_bytes != 0 && s->size > c->max_set_bytes) ||
	    cache_was_wiped(c, s, as_delegation))
		return result;
	cache_find_proofs(c, s, now_s);
	sh = shard_lock(shard_of(c, &o.key));
	result = restore(sh, &o);
	shard_unlock(sh);
	if (result != CACHE_STORED)
		return result;
	/* A wipe is noted before it is done: one that is not seen here either comes by yet. */
	if (cache_was_wiped(c, s, as_delegation)) {
		cache_wipe_name(c, o.key.name, s->type, &wiped);
		return CACHE_REFUSED;
	}
	note_remembered(c, &o);
	return result;
}
