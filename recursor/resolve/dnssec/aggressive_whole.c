/* aggressive_whole: what concerns all of the aggressive cache: its life, limits, walks and wipes. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/resolve/dnssec/aggressive_shard.h"
#include "recursor/resolve/dnssec/nsec.h"

enum { BATCH = 64 }; /* entries under one lock */

int aggressive_new(struct aggressive **out, const struct aggressive_config *cfg)
{
	struct aggressive *a = aligned_alloc(64, sizeof(*a));

	if (a == NULL)
		return E_NOMEM;
	memset(a, 0, sizeof(*a));
	for (unsigned i = 0; i < SHARDS; i++) {
		gate_init(&a->shards[i].gate);
		sieve_init(&a->shards[i].entries);
		sieve_init(&a->shards[i].zones);
	}
	aggressive_configure(a, cfg);
	*out = a;
	return E_OK;
}

void aggressive_free(struct aggressive *a)
{
	if (a == NULL)
		return;
	(void)aggressive_wipe(a, name_root, true);
	for (unsigned i = 0; i < SHARDS; i++) {
		ASSERT(a->shards[i].entries.n == 0 && a->shards[i].zones.n == 0);
		sieve_deinit(&a->shards[i].entries);
		sieve_deinit(&a->shards[i].zones);
		gate_destroy(&a->shards[i].gate);
	}
	free(a);
}

/* ---- limits ---- */

bool aggressive_is_over(const struct aggressive *a)
{
	return atomic_load_explicit(&a->n, memory_order_relaxed) >
	       atomic_load_explicit(&a->max_entries, memory_order_relaxed);
}

static struct aggressive_shard *fullest(struct aggressive *a)
{
	struct aggressive_shard *best = &a->shards[0];

	for (unsigned i = 1; i < SHARDS; i++)
		if (atomic_load_explicit(&a->shards[i].n, memory_order_relaxed) >
		    atomic_load_explicit(&best->n, memory_order_relaxed))
			best = &a->shards[i];
	return best;
}

static size_t evict_from(struct aggressive *a, struct aggressive_shard *sh, size_t most)
{
	size_t gone = 0;

	gate_enter(&sh->gate);
	for (; gone < most && aggressive_is_over(a); gone++) {
		uint32_t at = sieve_victim(&sh->entries);

		if (at == SIEVE_NONE)
			break;
		aggressive_remove(a, sh, sh->entries.slots[at].value);
	}
	gate_leave(&sh->gate);
	return gone;
}

size_t aggressive_evict(struct aggressive *a, size_t most)
{
	return evict_from(a, fullest(a), most);
}

void aggressive_configure(struct aggressive *a, const struct aggressive_config *cfg)
{
	atomic_store_explicit(&a->max_entries, cfg->max_entries, memory_order_relaxed);
	atomic_store_explicit(&a->min_hit_ratio, cfg->min_nsec3_hit_ratio, memory_order_relaxed);
	atomic_store_explicit(&a->max_iterations, cfg->max_nsec3_iterations, memory_order_relaxed);
	atomic_store_explicit(&a->max_hash_cost, cfg->max_nsec3_hash_cost, memory_order_relaxed);
	atomic_store_explicit(&a->max_negative_ttl, cfg->max_negative_ttl, memory_order_relaxed);
	while (aggressive_is_over(a)) {
		struct aggressive_shard *sh = fullest(a);

		if (evict_from(a, sh, BATCH) == 0)
			break;
		gate_give_way(&sh->gate);
	}
}

size_t aggressive_expire_some(struct aggressive *a, size_t n, uint32_t now_s)
{
	struct aggressive_shard *sh =
		&a->shards[atomic_load_explicit(&a->expire_shard, memory_order_relaxed) % SHARDS];
	size_t gone = 0;

	if (aggressive_entries(a) == 0)
		return 0;
	gate_enter(&sh->gate);
	/* From the last slot down: what a removal moves has been looked at. */
	if (sh->expire_at == 0 || sh->expire_at > sh->entries.n)
		sh->expire_at = sh->entries.n;
	for (; n > 0 && sh->expire_at > 0; n--) {
		struct aggressive_entry *e = sh->entries.slots[--sh->expire_at].value;

		if (!aggressive_is_expired(e, now_s))
			continue;
		aggressive_remove(a, sh, e);
		gone++;
	}
	if (sh->expire_at == 0)
		atomic_fetch_add_explicit(&a->expire_shard, 1, memory_order_relaxed);
	gate_leave(&sh->gate);
	return gone;
}

/* ---- looking on ---- */

size_t aggressive_entries(const struct aggressive *a)
{
	return atomic_load_explicit(&a->n, memory_order_relaxed);
}

void aggressive_sum(struct aggressive *a, struct aggressive_sum *out)
{
	struct aggressive_sum sum = { .bytes = sizeof(*a) };

	for (unsigned i = 0; i < SHARDS; i++) {
		struct aggressive_shard *sh = &a->shards[i];

		gate_enter(&sh->gate);
		sum.entries += sh->entries.n;
		sum.zones += sh->zones.n;
		sum.bytes += sh->bytes + sieve_bytes(&sh->entries) + sieve_bytes(&sh->zones);
		gate_leave(&sh->gate);
	}
	*out = sum;
}

/* References to the entries below *at; fewer than BATCH: these were the last. */
static unsigned collect(struct aggressive_shard *sh, uint32_t *at, struct rrset *sets[BATCH])
{
	unsigned n = 0;

	gate_enter(&sh->gate);
	if (*at > sh->entries.n)
		*at = sh->entries.n;
	for (; n<BATCH && * at> 0; n++) {
		struct aggressive_entry *e = sh->entries.slots[--*at].value;

		sets[n] = rrset_get(e->set);
	}
	gate_leave(&sh->gate);
	return n;
}

int aggressive_walk(struct aggressive *a, int (*cb)(void *ctx, const struct rrset *s), void *ctx)
{
	int err = 0;

	for (unsigned i = 0; i < SHARDS && err >= 0; i++) {
		struct rrset *sets[BATCH];
		uint32_t at = UINT32_MAX;
		unsigned n;

		do {
			n = collect(&a->shards[i], &at, sets);
			for (unsigned k = 0; k < n; k++) {
				if (err >= 0)
					err = cb(ctx, sets[k]);
				rrset_put(sets[k]);
			}
		} while (n == BATCH && err >= 0);
	}
	return err;
}

/* ---- wiping ---- */

static struct aggressive_zone *zone_within(const struct aggressive_shard *sh, const uint8_t *name,
					   bool subtree)
{
	for (uint32_t at = 0; at < sh->zones.n; at++) {
		struct aggressive_zone *z = sh->zones.slots[at].value;

		if (subtree ? name_is_within(z->name, name) : name_equal(z->name, name))
			return z;
	}
	return NULL;
}

static struct aggressive_entry *any_of(const struct aggressive_zone *z)
{
	for (unsigned i = 0; i < TREES; i++)
		if (z->trees[i].root != NULL)
			return aggressive_entry_of(z->trees[i].root);
	return NULL;
}

/* Of the zones at the name (or below it) at most BATCH entries; false: there are no more. */
static bool wipe_some(struct aggressive *a, struct aggressive_shard *sh, const uint8_t *name,
		      bool subtree, size_t *gone)
{
	unsigned left = BATCH;

	while (left > 0) {
		struct aggressive_zone *z = zone_within(sh, name, subtree);
		struct aggressive_entry *e;

		if (z == NULL)
			return false;
		/* The last entry takes the zone with it. */
		for (uint32_t n = z->n; n > 0 && left > 0; n--, left--) {
			e = any_of(z);
			ASSERT(e != NULL);
			aggressive_remove(a, sh, e);
			(*gone)++;
		}
	}
	return true;
}

static void wipe_zones(struct aggressive *a, const uint8_t *name, bool subtree, size_t *gone)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		bool is_more = true;

		while (is_more) {
			gate_enter(&a->shards[i].gate);
			is_more = wipe_some(a, &a->shards[i], name, subtree, gone);
			gate_leave(&a->shards[i].gate);
			gate_give_way(&a->shards[i].gate);
		}
	}
}

/* The first entry whose key is that of the name, or with `below` that of a name below it.  Of data keys
 * have a type behind them: `more` bytes. */
static struct aggressive_entry *entry_within(const struct order *tree, const uint8_t *key,
					     uint16_t len, bool below, unsigned more)
{
	struct order_node *n = order_find(tree, key, len);

	if (n == NULL)
		n = order_behind(tree, key, len);
	if (n == NULL || n->key_len < len + more || memcmp(n->key, key, len) != 0 ||
	    (!below && n->key_len != len + more))
		return NULL;
	return aggressive_entry_of(n);
}

/* By names: the record that denies it, or is of it; and what is below.  One that goes. */
static struct aggressive_entry *by_name(const struct aggressive_zone *z, const uint8_t *name,
					bool subtree)
{
	uint8_t key[KEY_MAX];
	uint16_t len = aggressive_key(key, name, name_labels(z->name));
	struct aggressive_entry *e = entry_within(&z->trees[TREE_DATA], key, len, subtree, 2);
	struct order_node *n;
	struct nsec nsec;

	if (e == NULL)
		e = entry_within(&z->trees[TREE_NSEC], key, len, subtree, 0);
	if (e != NULL)
		return e;
	n = order_before(&z->trees[TREE_NSEC], key, len);
	if (n == NULL)
		return NULL;
	nsec_open(&nsec, aggressive_entry_of(n)->set);
	return nsec_covers(&nsec, z->name, name) ? aggressive_entry_of(n) : NULL;
}

static struct aggressive_entry *by_hash(const struct aggressive_zone *z,
					const uint8_t hash[NSEC3_HASH_LEN])
{
	const struct order *tree = &z->trees[z->nsec3];
	struct order_node *n = order_at_or_before(tree, hash, NSEC3_HASH_LEN);
	struct aggressive_entry *e;
	struct nsec3 nsec3;

	if (n == NULL)
		n = order_last(tree);
	if (n == NULL)
		return NULL;
	e = aggressive_entry_of(n);
	nsec3_open(&nsec3, e->set);
	memcpy(nsec3.owner, e->key, NSEC3_HASH_LEN);
	return order_compare(n, hash, NSEC3_HASH_LEN) == 0 || nsec3_covers(&nsec3, hash) ? e : NULL;
}

/* By names, at most BATCH entries; false: there are no more. */
static bool wipe_names(struct aggressive *a, struct aggressive_shard *sh, const uint8_t *zone,
		       uint64_t zone_hash, const uint8_t *name, bool subtree, size_t *gone)
{
	for (unsigned left = BATCH; left > 0; left--) {
		struct aggressive_zone *z = aggressive_zone(sh, zone, zone_hash);
		struct aggressive_entry *e = z == NULL ? NULL : by_name(z, name, subtree);

		if (e == NULL)
			return false;
		aggressive_remove(a, sh, e);
		(*gone)++;
	}
	return true;
}

static void wipe_hash(struct aggressive *a, struct aggressive_shard *sh, const uint8_t *zone,
		      uint64_t zone_hash, const uint8_t hash[NSEC3_HASH_LEN], size_t *gone)
{
	struct aggressive_zone *z;

	gate_enter(&sh->gate);
	z = aggressive_zone(sh, zone, zone_hash);
	if (z != NULL && by_hash(z, hash) != NULL) {
		aggressive_remove(a, sh, by_hash(z, hash));
		(*gone)++;
	}
	gate_leave(&sh->gate);
}

/* What a zone above says of the name, or (by NSEC3) of a next closer name of it. */
static void wipe_above(struct aggressive *a, const uint8_t *zone, const uint8_t *name, bool subtree,
		       size_t *gone)
{
	uint64_t hash = name_hash(zone);
	struct aggressive_shard *sh = aggressive_shard(a, hash);
	const unsigned zone_labels = name_labels(zone);
	uint8_t salt[UINT8_MAX], hashed[NSEC3_HASH_LEN];
	struct nsec3_param param;
	struct aggressive_zone *z;
	bool is_more = true, has_nsec3 = false;

	while (is_more) {
		gate_enter(&sh->gate);
		is_more = wipe_names(a, sh, zone, hash, name, subtree, gone);
		z = aggressive_zone(sh, zone, hash);
		if (!is_more && z != NULL && aggressive_param(z, &param)) {
			has_nsec3 = true;
			memcpy(salt, param.salt, param.salt_len);
			param.salt = salt;
		}
		gate_leave(&sh->gate);
		gate_give_way(&sh->gate);
	}
	for (unsigned left = name_labels(name); has_nsec3 && left > zone_labels;
	     left--, name = name_parent(name)) {
		if (nsec3_hash(hashed, &param, name) != E_OK)
			break;
		wipe_hash(a, sh, zone, hash, hashed, gone);
	}
}

size_t aggressive_wipe(struct aggressive *a, const uint8_t *name, bool subtree)
{
	const uint8_t *zone = name;
	size_t gone = 0;

	wipe_zones(a, name, subtree, &gone);
	while (!name_is_root(zone)) {
		zone = name_parent(zone);
		wipe_above(a, zone, name, subtree, &gone);
	}
	return gone;
}
