/* cache_whole: what concerns all of the record cache: its life, limits, walks and wipes. */
#include "recursor/resolve/cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/heap.h"
#include "common/lock.h"
#include "common/rrtype.h"
#include "recursor/resolve/cache_shard.h"

enum {
	MIN_ENTRIES_A_SHARD = 16,
	MIN_BYTES_A_SHARD = 64 * 1024, /* a few of the largest sets */
	EVICT_STEP = 16,               /* under one lock */
	SCAN_STEP = 64,                /* slots looked at under one lock */
	EXPIRE_LOOKS = 8,              /* slots looked at for each expired one hoped for */
};

/* Shards so small that chance would fill one long before the others are too many. */
static bool are_too_many(unsigned shards, const struct cache_config *cfg)
{
	return (cfg->max_entries != 0 && cfg->max_entries / shards < MIN_ENTRIES_A_SHARD) ||
	       (cfg->max_bytes != 0 && cfg->max_bytes / shards < MIN_BYTES_A_SHARD);
}

static size_t own_size(unsigned shards)
{
	return sizeof(struct cache) + shards * sizeof(struct shard);
}

int cache_new(struct cache **out, const struct cache_config *cfg)
{
	unsigned n = cfg->shards;
	struct cache *c;

	if (n == 0 || (n & (n - 1)) != 0)
		return E_RANGE;
	while (n > 1 && are_too_many(n, cfg))
		n /= 2;
	c = aligned_alloc(64, own_size(n));
	if (c == NULL)
		return E_NOMEM;
	memset(c, 0, own_size(n));
	c->max_set_bytes = cfg->max_set_bytes;
	c->n_shards = n;
	pthread_mutex_init(&c->wipes.lock, NULL);
	c->remembered = calloc(REMEMBERED_TAGS, sizeof(*c->remembered));
	for (unsigned i = 0; i < n; i++) {
		lock_init(&c->shards[i].lock);
		sieve_init(&c->shards[i].map);
		c->shards[i].n_shards = n;
	}
	cache_set_limits(c, cfg->max_entries, cfg->max_bytes);
	cache_set_stale(c, cfg->stale_s);
	cache_set_locked(c, cfg->locked_percent);
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
	free(c->wipes.wipe); /* of a restore that was not ended */
	pthread_mutex_destroy(&c->wipes.lock);
	free((void *)c->remembered);
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
		if (sh->max_entries == 0 || sh->max_entries > SIEVE_MAX_SLOTS)
			sh->max_entries = SIEVE_MAX_SLOTS;
		sh->max_bytes = share(max_bytes, c->n_shards);
		shard_unlock(sh);
	}
}

void cache_set_stale(struct cache *c, uint32_t stale_s)
{
	atomic_store_explicit(&c->stale_s, stale_s, memory_order_relaxed);
}

void cache_set_locked(struct cache *c, uint32_t percent)
{
	atomic_store_explicit(&c->locked_percent, percent, memory_order_relaxed);
}

void cache_stats(struct cache *c, struct cache_stats *out)
{
	struct cache_stats sum = { 0 };

	for (unsigned i = 0; i < c->n_shards; i++) {
		struct shard *sh = &c->shards[i];

		/* Not by shard_lock(): looking on is no use of the cache. */
		pthread_mutex_lock(&sh->lock);
		sum.entries += sh->map.n - sh->shared;
		sum.negative += sh->negative;
		sum.bytes += shard_bytes(sh);
		sum.most_entries += sh->most;
		sum.lock_acquired += sh->acquired;
		sum.lock_contended += sh->contended;
		sum.evicted += sh->evicted;
		sum.expired += sh->expired;
		shard_unlock(sh);
	}
	sum.bytes += rrset_charged_bytes();
	sum.fixed_bytes = heap_cost(own_size(c->n_shards));
	if (c->remembered != NULL)
		sum.fixed_bytes += heap_cost(REMEMBERED_TAGS * sizeof(*c->remembered));
	*out = sum;
}

/* An operator who names a type means what the parent says as well; a denial of the name denies
 * every type. */
static bool has_type(const struct rrset *s, bool delegation, uint16_t type)
{
	if (type == 0 || s->kind == RRSET_NXDOMAIN)
		return true;
	if (type == CACHE_DELEGATION)
		return delegation && s->type == TYPE_NS;
	return s->type == type;
}

static bool is_wiped(const struct shard *sh, uint32_t at, uint16_t type)
{
	return has_type(set_at(sh, at), is_delegation(sh, at), type);
}

void cache_restore_begin(struct cache *c)
{
	struct wipes *w = &c->wipes;

	pthread_mutex_lock(&w->lock);
	if (w->restores++ == 0)
		w->wipe = calloc(WIPES_MAX, sizeof(*w->wipe));
	pthread_mutex_unlock(&w->lock);
}

void cache_restore_end(struct cache *c)
{
	struct wipes *w = &c->wipes;

	pthread_mutex_lock(&w->lock);
	ASSERT(w->restores > 0);
	if (--w->restores == 0) {
		free(w->wipe);
		w->wipe = NULL;
		w->n = 0;
		w->too_many = false;
	}
	pthread_mutex_unlock(&w->lock);
}

static void note_wipe(struct wipes *w, const uint8_t *name, uint16_t type, bool subtree)
{
	pthread_mutex_lock(&w->lock);
	if (w->restores > 0 && (w->wipe == NULL || w->n == WIPES_MAX)) {
		w->too_many = true;
	} else if (w->restores > 0) {
		struct wipe *wipe = &w->wipe[w->n++];

		wipe->type = type;
		wipe->subtree = subtree;
		(void)name_copy(wipe->name, name);
	}
	pthread_mutex_unlock(&w->lock);
}

bool cache_was_wiped(struct cache *c, const struct rrset *s, bool delegation)
{
	struct wipes *w = &c->wipes;
	bool found;

	pthread_mutex_lock(&w->lock);
	found = w->too_many;
	for (unsigned i = 0; i < w->n && !found; i++) {
		const struct wipe *wipe = &w->wipe[i];

		found = has_type(s, delegation, wipe->type) &&
			(wipe->subtree ? name_is_within(rrset_owner(s), wipe->name)
				       : name_equal(rrset_owner(s), wipe->name));
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

static void wipe_entry(struct shard *sh, uint32_t at, struct cache_wiped *wiped,
		       struct drops *drops)
{
	if (is_negative(set_at(sh, at)))
		wiped->negative++;
	else if (!is_shared(sh, at))
		wiped->records++;
	cache_entry_remove(sh, at, drops);
}

void cache_wipe_name(struct cache *c, const uint8_t *name, uint16_t type, struct cache_wiped *wiped)
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
static bool wipe_step(struct shard *sh, uint32_t *at, uint16_t type,
		      bool (*is_meant)(void *ctx, const uint8_t *name), void *ctx,
		      struct cache_wiped *wiped)
{
	struct drops drops = { 0 };

	shard_lock(sh);
	if (*at > sh->map.n)
		*at = sh->map.n;
	for (int i = 0; i<SCAN_STEP && * at> 0; i++) {
		--*at;
		if (is_wiped(sh, *at, type) && is_meant(ctx, rrset_owner(set_at(sh, *at))))
			wipe_entry(sh, *at, wiped, &drops);
	}
	shard_unlock(sh);
	drops_put(&drops);
	return *at > 0;
}

static struct cache_wiped wipe_all(struct cache *c, uint16_t type,
				   bool (*is_meant)(void *ctx, const uint8_t *name), void *ctx)
{
	struct cache_wiped wiped = { 0 };

	for (unsigned i = 0; i < c->n_shards; i++) {
		uint32_t at = SIEVE_NONE;

		while (wipe_step(&c->shards[i], &at, type, is_meant, ctx, &wiped))
			;
	}
	return wiped;
}

static bool is_within(void *ctx, const uint8_t *name)
{
	return name_is_within(name, ctx);
}

struct cache_wiped cache_wipe(struct cache *c, const uint8_t *name, uint16_t type, bool subtree)
{
	struct cache_wiped wiped = { 0 };

	atomic_fetch_add(&c->n_wipes, 1);
	note_wipe(&c->wipes, name, type, subtree);
	if (subtree)
		wiped = wipe_all(c, type, is_within, (void *)name);
	else
		cache_wipe_name(c, name, type, &wiped);
	atomic_fetch_add(&c->n_wipes, 1);
	return wiped;
}

struct cache_wiped cache_wipe_where(struct cache *c,
				    bool (*is_meant)(void *ctx, const uint8_t *name), void *ctx)
{
	struct cache_wiped wiped;

	atomic_fetch_add(&c->n_wipes, 1);
	wiped = wipe_all(c, 0, is_meant, ctx);
	atomic_fetch_add(&c->n_wipes, 1);
	return wiped;
}

uint64_t cache_wipes(const struct cache *c)
{
	return atomic_load(&c->n_wipes);
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
		if (is_shared(sh, *at))
			continue;
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
static size_t expire_step(struct shard *sh, size_t n, uint32_t now_s, uint32_t stale_s)
{
	struct drops drops = { 0 };
	size_t gone = 0;

	shard_lock(sh);
	if (sh->expire_at == 0 || sh->expire_at > sh->map.n)
		sh->expire_at = sh->map.n;
	for (int i = 0; i < SCAN_STEP && sh->expire_at > 0 && gone < n; i++) {
		uint32_t at = --sh->expire_at;

		if (is_spent(set_at(sh, at), now_s, stale_s)) {
			cache_entry_remove(sh, at, &drops);
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

		gone += expire_step(&c->shards[i & (c->n_shards - 1)], n - gone, now_s,
				    stale_window(c));
	}
	return gone;
}

static size_t shrink_step(struct shard *sh, size_t n, uint32_t now_s)
{
	struct drops drops = { 0 };
	size_t gone = 0;

	shard_lock(sh);
	while (gone < n && cache_is_over(sh, 0, 0) && cache_evict(sh, now_s, &drops))
		gone++;
	shard_unlock(sh);
	drops_put(&drops);
	return gone;
}

size_t cache_shrink_some(struct cache *c, size_t n, uint32_t now_s)
{
	size_t gone = 0;

	for (unsigned looked = 0; looked < c->n_shards && gone < n; looked++) {
		unsigned i = atomic_fetch_add(&c->shrink_shard, 1) & (c->n_shards - 1);
		size_t most = n - gone < EVICT_STEP ? n - gone : EVICT_STEP;

		gone += shrink_step(&c->shards[i], most, now_s);
	}
	return gone;
}
