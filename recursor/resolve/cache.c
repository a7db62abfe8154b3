#include "recursor/resolve/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"
#include "common/heap.h"
#include "common/rrtype.h"
#include "common/sieve.h"

enum {
	TAG_DELEGATION = 1,
	TAG_PROOFS = 2, /* the proofs' blocks are charged to this entry */
};

enum {
	MIN_ENTRIES_A_SHARD = 16,
	SCAN_STEP = 64, /* slots looked at under one lock by walks */
	DROPS_MAX = 32,
	VICTIMS_AN_INSERT = 8,
	BYTES_A_VICTIM = 64, /* a large set may push out more, one for each of these */
	EXPIRE_LOOKS = 8,    /* slots looked at for each expired one hoped for */
};

struct shard {
	pthread_mutex_t lock;
	struct sieve map;
	size_t max_entries, max_bytes; /* of this shard */
	size_t set_bytes;
	size_t negative;
	uint32_t expire_at; /* slots below are still to be looked at by cache_expire_some() */
	uint64_t acquired, contended, evicted, expired;
} __attribute__((aligned(64)));

struct cache {
	size_t max_set_bytes;
	unsigned n_shards;
	atomic_uint expire_shard;
	struct shard shards[];
};

/* Sets to be given back when the lock is no longer held. */
struct drops {
	unsigned n;
	struct rrset *set[DROPS_MAX];
};

struct key {
	const uint8_t *name;
	size_t len;
	uint64_t hash;
};

static struct key key_of(const uint8_t *name)
{
	return (struct key) { .name = name, .len = name_len(name), .hash = name_hash(name) };
}

static struct shard *shard_lock(struct shard *sh)
{
	bool waited = pthread_mutex_trylock(&sh->lock) != 0;

	if (waited)
		pthread_mutex_lock(&sh->lock);
	sh->acquired++;
	sh->contended += waited;
	return sh;
}

static void shard_unlock(struct shard *sh)
{
	pthread_mutex_unlock(&sh->lock);
}

static struct shard *shard_of(struct cache *c, const struct key *k)
{
	return &c->shards[(k->hash >> 32) & (c->n_shards - 1)];
}

static struct rrset *set_at(const struct shard *sh, uint32_t at)
{
	return sh->map.slots[at].value;
}

static bool is_delegation(const struct shard *sh, uint32_t at)
{
	return (sh->map.slots[at].tag & TAG_DELEGATION) != 0;
}

static uint32_t same_name(const struct shard *sh, uint32_t at, const struct key *k)
{
	for (; at != SIEVE_NONE; at = sieve_next(&sh->map, at)) {
		const struct rrset *s = set_at(sh, at);

		if (s->owner_len == k->len && ascii_equal(rrset_owner(s), k->name, k->len))
			break;
	}
	return at;
}

static uint32_t first_of(const struct shard *sh, const struct key *k)
{
	return same_name(sh, sieve_first(&sh->map, (uint32_t)k->hash), k);
}

static uint32_t next_of(const struct shard *sh, uint32_t at, const struct key *k)
{
	return same_name(sh, sieve_next(&sh->map, at), k);
}

static void drops_add(struct drops *d, struct rrset *s)
{
	if (d->n == DROPS_MAX)
		rrset_put(s);
	else
		d->set[d->n++] = s;
}

static void drops_put(struct drops *d)
{
	while (d->n > 0)
		rrset_put(d->set[--d->n]);
}

/* --- entries --------------------------------------------------------------------------- */

/* A proof that several denials share (the zone's SOA) is charged to the first of them: its
 * other holders are then the one who offers the set, and perhaps the cache's own SOA entry. */
static bool proofs_are_charged(const struct rrset *s)
{
	enum { FEW_HOLDERS = 3 };

	return s->n_proofs > 0 && atomic_load(&rrset_proofs(s)[0]->refs) <= FEW_HOLDERS;
}

static size_t set_cost(const struct rrset *s, bool with_proofs)
{
	size_t cost = heap_cost(s->size);

	for (unsigned i = 0; with_proofs && i < s->n_proofs; i++)
		cost += heap_cost(rrset_proofs(s)[i]->size);
	return cost;
}

static size_t cost_at(const struct shard *sh, uint32_t at)
{
	return set_cost(set_at(sh, at), (sh->map.slots[at].tag & TAG_PROOFS) != 0);
}

static bool is_negative(const struct rrset *s)
{
	return s->kind != RRSET_DATA;
}

static void entry_fill(struct shard *sh, uint32_t at, struct rrset *s, bool delegation)
{
	struct sieve_slot *slot = &sh->map.slots[at];
	bool charged = proofs_are_charged(s);

	slot->value = rrset_get(s);
	slot->tag = (delegation ? TAG_DELEGATION : 0) | (charged ? TAG_PROOFS : 0);
	sh->set_bytes += set_cost(s, charged);
	sh->negative += is_negative(s);
}

/* Takes the set out of the account and hands it to `drops`; the slot is to be filled again or
 * removed. */
static void entry_empty(struct shard *sh, uint32_t at, struct drops *drops)
{
	struct rrset *s = set_at(sh, at);

	sh->set_bytes -= cost_at(sh, at);
	sh->negative -= is_negative(s);
	drops_add(drops, s);
}

static void entry_remove(struct shard *sh, uint32_t at, struct drops *drops)
{
	entry_empty(sh, at, drops);
	sieve_remove(&sh->map, at);
}

static size_t shard_bytes(const struct shard *sh)
{
	return sieve_bytes(&sh->map) + sh->set_bytes;
}

static bool is_over(const struct shard *sh, size_t more_entries, size_t more_bytes)
{
	if (sh->max_entries != 0 && sh->map.n + more_entries > sh->max_entries)
		return true;
	if (more_entries > 0)
		more_bytes += sieve_growth(&sh->map);
	return sh->max_bytes != 0 && shard_bytes(sh) + more_bytes > sh->max_bytes;
}

/* Evicts until there is room for so much more.  Bounded, so that limits set lower are reached
 * over many inserts: then true as long as more goes than comes. */
static bool make_room(struct shard *sh, size_t more_entries, size_t more_bytes, uint32_t now_s,
		      struct drops *drops)
{
	size_t budget = VICTIMS_AN_INSERT + more_bytes / BYTES_A_VICTIM;
	size_t before = shard_bytes(sh);
	size_t gone = 0;

	while (is_over(sh, more_entries, more_bytes)) {
		uint32_t at = sieve_victim(&sh->map);

		if (at == SIEVE_NONE)
			return false;
		if (gone == budget)
			return gone > more_entries && before - shard_bytes(sh) >= more_bytes;
		if (rrset_is_expired(set_at(sh, at), now_s))
			sh->expired++;
		else
			sh->evicted++;
		entry_remove(sh, at, drops);
		gone++;
	}
	return true;
}

/* --- looking --------------------------------------------------------------------------- */

static bool is_fresh(const struct rrset *s, uint32_t now_s, uint32_t stale_s)
{
	return !rrset_is_expired(s, now_s) || (stale_s != 0 && now_s - s->expires_s <= stale_s);
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
		/* A failure stands beside what it failed to renew, and comes second. */
		if (v->exact == NULL || v->exact->kind == RRSET_FAILURE)
			v->exact = s;
		used = v->exact == s;
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
	struct key k = key_of(name);
	struct shard *sh = shard_lock(shard_of(c, &k));
	struct cache_view v = { 0 };
	bool found = false;

	for (uint32_t at = first_of(sh, &k); at != SIEVE_NONE; at = next_of(sh, at, &k)) {
		struct rrset *s = set_at(sh, at);
		bool used = is_fresh(s, now_s, stale_s) &&
			    view_offer(&v, s, is_delegation(sh, at), type, want);

		found = found || used;
		/* What is expired is the first to go, however often it was used. */
		if (rrset_is_expired(s, now_s))
			sh->map.slots[at].visited = 0;
		else if (used)
			sh->map.slots[at].visited = 1;
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

void cache_get_addresses(struct cache *c, const uint8_t *name, uint32_t now_s,
			 struct cache_addresses *out)
{
	struct key k = key_of(name);
	struct shard *sh = shard_lock(shard_of(c, &k));
	struct cache_addresses v = { 0 };

	for (uint32_t at = first_of(sh, &k); at != SIEVE_NONE; at = next_of(sh, at, &k)) {
		struct rrset *s = set_at(sh, at);

		if (!rrset_is_expired(s, now_s) && address_offer(&v, s, is_delegation(sh, at)))
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
	uint32_t now_s;
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

/* Does the live entry forbid the offered set?  RFC 2181 5.4.1. */
static bool outranks(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);

	if (rrset_is_expired(s, o->now_s) || is_delegation(sh, at) != o->delegation)
		return false;
	if (o->set->kind == RRSET_FAILURE)
		return s->kind == RRSET_NXDOMAIN ||
		       (s->kind != RRSET_FAILURE && s->type == o->set->type);
	if (s->kind == RRSET_FAILURE || s->rank <= o->set->rank)
		return false;
	/* A name exists or it does not: the denial and all else are one question. */
	return is_same_key(sh, at, o) || s->kind == RRSET_NXDOMAIN ||
	       o->set->kind == RRSET_NXDOMAIN;
}

/* Types that stand beside a CNAME (RFC 2181 10.1, 4034 2.5 and 3). */
static bool is_beside_cname(uint16_t type)
{
	return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_SIG ||
	       type == TYPE_NXT || type == TYPE_KEY;
}

/* Does the offered set make the entry, which has another key and does not outrank it, untrue?
 * A CNAME takes denials of types away, since the alias now answers for them, but not data:
 * servers that mix both are met in the wild, and the data are good for their own type. */
static bool displaces(const struct shard *sh, uint32_t at, const struct offer *o)
{
	const struct rrset *s = set_at(sh, at);
	const struct rrset *set = o->set;

	if (is_delegation(sh, at) || o->delegation || set->kind == RRSET_FAILURE)
		return false;
	if (s->kind == RRSET_NXDOMAIN || set->kind == RRSET_NXDOMAIN)
		return true;
	if (s->kind == RRSET_FAILURE)
		return s->type == set->type;
	if (set->kind != RRSET_DATA)
		return false;
	if (s->rank > set->rank && !rrset_is_expired(s, o->now_s))
		return false;
	if (set->type == TYPE_CNAME)
		return s->kind == RRSET_NODATA && !is_beside_cname(s->type);
	return s->type == TYPE_CNAME && s->kind == RRSET_DATA && set->rank >= RANK_AUTH_ANSWER &&
	       !is_beside_cname(set->type);
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
			entry_remove(sh, at, drops);
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
		entry_remove(sh, denial != SIEVE_NONE ? denial : last, drops);
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
	entry_empty(sh, at, drops);
	entry_fill(sh, at, o->set, o->delegation);
	make_room(sh, 0, 0, o->now_s, drops);
	return CACHE_STORED;
}

static enum cache_put_result insert(struct shard *sh, const struct offer *o, struct drops *drops)
{
	size_t cost = set_cost(o->set, proofs_are_charged(o->set));
	uint32_t at;

	if (!make_room(sh, 1, cost, o->now_s, drops))
		return CACHE_REFUSED;
	if (sieve_insert(&sh->map, (uint32_t)o->key.hash, o->set, &at) != E_OK)
		return CACHE_REFUSED;
	entry_fill(sh, at, o->set, o->delegation);
	return CACHE_STORED;
}

enum cache_put_result cache_put(struct cache *c, struct rrset *s, bool as_delegation,
				uint32_t now_s)
{
	struct offer o = {
		.key = key_of(rrset_owner(s)),
		.set = s,
		.delegation = as_delegation,
		.now_s = now_s,
	};
	struct drops drops = { 0 };
	enum cache_put_result result = CACHE_KEPT_BETTER;
	struct shard *sh;
	uint32_t at;

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

/* --- the whole cache ------------------------------------------------------------------- */

int cache_new(struct cache **out, const struct cache_config *cfg)
{
	unsigned n = cfg->shards;
	struct cache *c;

	if (n == 0 || (n & (n - 1)) != 0)
		return E_RANGE;
	while (n > 1 && cfg->max_entries != 0 && cfg->max_entries / n < MIN_ENTRIES_A_SHARD)
		n /= 2;
	c = aligned_alloc(64, sizeof(*c) + n * sizeof(struct shard));
	if (c == NULL)
		return E_NOMEM;
	memset(c, 0, sizeof(*c) + n * sizeof(struct shard));
	c->max_set_bytes = cfg->max_set_bytes;
	c->n_shards = n;
	for (unsigned i = 0; i < n; i++) {
		pthread_mutex_init(&c->shards[i].lock, NULL);
		sieve_init(&c->shards[i].map);
	}
	cache_set_limits(c, cfg->max_entries, cfg->max_bytes);
	*out = c;
	return E_OK;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; i < c->n_shards; i++) {
		struct shard *sh = &c->shards[i];

		for (uint32_t at = 0; at < sh->map.n; at++)
			rrset_put(set_at(sh, at));
		sieve_deinit(&sh->map);
		pthread_mutex_destroy(&sh->lock);
	}
	free(c);
}

static size_t share(size_t total, unsigned n)
{
	size_t each = total / n;

	return total != 0 && each == 0 ? 1 : each;
}

void cache_set_limits(struct cache *c, size_t max_entries, size_t max_bytes)
{
	for (unsigned i = 0; i < c->n_shards; i++) {
		struct shard *sh = shard_lock(&c->shards[i]);

		sh->max_entries = share(max_entries, c->n_shards);
		sh->max_bytes = share(max_bytes, c->n_shards);
		shard_unlock(sh);
	}
}

void cache_stats(struct cache *c, struct cache_stats *out)
{
	struct cache_stats sum = { 0 };

	for (unsigned i = 0; i < c->n_shards; i++) {
		struct shard *sh = &c->shards[i];

		/* Not by shard_lock(): looking on is no use of the cache. */
		pthread_mutex_lock(&sh->lock);
		sum.entries += sh->map.n;
		sum.negative += sh->negative;
		sum.bytes += shard_bytes(sh);
		sum.lock_acquired += sh->acquired;
		sum.lock_contended += sh->contended;
		sum.evicted += sh->evicted;
		sum.expired += sh->expired;
		shard_unlock(sh);
	}
	*out = sum;
}

/* An operator who names NS means both NS sets; a denial of the name denies every type. */
static bool is_wiped(const struct shard *sh, uint32_t at, uint16_t type)
{
	const struct rrset *s = set_at(sh, at);

	if (type == 0 || s->kind == RRSET_NXDOMAIN)
		return true;
	if (is_delegation(sh, at))
		return type == TYPE_NS || type == CACHE_DELEGATION;
	return s->type == type;
}

static void wipe_entry(struct shard *sh, uint32_t at, struct cache_wiped *wiped,
		       struct drops *drops)
{
	if (is_negative(set_at(sh, at)))
		wiped->negative++;
	else
		wiped->records++;
	entry_remove(sh, at, drops);
}

static void wipe_name(struct cache *c, const uint8_t *name, uint16_t type,
		      struct cache_wiped *wiped)
{
	struct key k = key_of(name);
	struct drops drops = { 0 };
	struct shard *sh = shard_lock(shard_of(c, &k));
	uint32_t at = first_of(sh, &k);

	while (at != SIEVE_NONE) {
		if (is_wiped(sh, at, type)) {
			wipe_entry(sh, at, wiped, &drops);
			at = first_of(sh, &k);
		} else {
			at = next_of(sh, at, &k);
		}
	}
	shard_unlock(sh);
	drops_put(&drops);
}

/* Looks at the SCAN_STEP slots below *at; false when there are none left.  Downward, see
 * common/sieve.h. */
static bool wipe_step(struct shard *sh, uint32_t *at, const uint8_t *name, uint16_t type,
		      struct cache_wiped *wiped)
{
	struct drops drops = { 0 };

	shard_lock(sh);
	if (*at > sh->map.n)
		*at = sh->map.n;
	for (int i = 0; i<SCAN_STEP && * at> 0; i++) {
		--*at;
		if (is_wiped(sh, *at, type) && name_is_within(rrset_owner(set_at(sh, *at)), name))
			wipe_entry(sh, *at, wiped, &drops);
	}
	shard_unlock(sh);
	drops_put(&drops);
	return *at > 0;
}

struct cache_wiped cache_wipe(struct cache *c, const uint8_t *name, uint16_t type, bool subtree)
{
	struct cache_wiped wiped = { 0 };

	if (!subtree) {
		wipe_name(c, name, type, &wiped);
		return wiped;
	}
	for (unsigned i = 0; i < c->n_shards; i++) {
		uint32_t at = SIEVE_NONE;

		while (wipe_step(&c->shards[i], &at, name, type, &wiped))
			;
	}
	return wiped;
}

struct borrowed {
	struct rrset *set[SCAN_STEP];
	bool delegation[SCAN_STEP];
	unsigned n;
};

static void borrow_step(struct shard *sh, uint32_t *at, struct borrowed *b)
{
	b->n = 0;
	shard_lock(sh);
	if (*at > sh->map.n)
		*at = sh->map.n;
	while (b->n<SCAN_STEP && * at> 0) {
		--*at;
		b->set[b->n] = rrset_get(set_at(sh, *at));
		b->delegation[b->n++] = is_delegation(sh, *at);
	}
	shard_unlock(sh);
}

int cache_walk(struct cache *c, int (*cb)(void *ctx, const struct rrset *s, bool delegation),
	       void *ctx)
{
	int result = 0;

	for (unsigned i = 0; i < c->n_shards && result >= 0; i++) {
		uint32_t at = SIEVE_NONE;

		while (at > 0 && result >= 0) {
			struct borrowed b;

			borrow_step(&c->shards[i], &at, &b);
			for (unsigned j = 0; j < b.n; j++) {
				if (result >= 0)
					result = cb(ctx, b.set[j], b.delegation[j]);
				rrset_put(b.set[j]);
			}
		}
	}
	return result < 0 ? result : E_OK;
}

/* One step of cache_expire_some() in a shard; goes on where the last one ended. */
static size_t expire_step(struct shard *sh, size_t n, uint32_t now_s)
{
	struct drops drops = { 0 };
	size_t gone = 0;

	shard_lock(sh);
	if (sh->expire_at == 0 || sh->expire_at > sh->map.n)
		sh->expire_at = sh->map.n;
	for (int i = 0; i < SCAN_STEP && sh->expire_at > 0 && gone < n; i++) {
		uint32_t at = --sh->expire_at;

		if (rrset_is_expired(set_at(sh, at), now_s)) {
			entry_remove(sh, at, &drops);
			gone++;
		}
	}
	sh->expired += gone;
	shard_unlock(sh);
	drops_put(&drops);
	return gone;
}

size_t cache_expire_some(struct cache *c, size_t n, uint32_t now_s)
{
	size_t steps = 1 + n * EXPIRE_LOOKS / SCAN_STEP;
	size_t gone = 0;

	while (steps-- > 0 && gone < n) {
		unsigned i = atomic_fetch_add(&c->expire_shard, 1);

		gone += expire_step(&c->shards[i & (c->n_shards - 1)], n - gone, now_s);
	}
	return gone;
}
