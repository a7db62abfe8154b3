/* ipset: one set; see ipset.h.  Names, readers and what is freed later: ipsets.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/lock.h"
#include "recursor/policy/ipset_impl.h"

/* A table is full at two thirds of its slots, and the next one is made so large that half of it are
 * taken.  A probe for what is not there looks at 5 slots of a full table in the mean, mostly in one
 * cache line; larger steps would save copying and cost memory. */
enum { SLOTS_LEAST = 8, FULL_NUM = 2, FULL_DEN = 3, LOAD_NUM = 1, LOAD_DEN = 2 };

/* ---- keys ---- */

struct key {
	unsigned family; /* index into shards */
	unsigned shard;
	uint32_t place; /* of the table's length, as a fraction */
	uint32_t tag;
	uint64_t words[2]; /* IPv6 */
};

static bool is_mapped(const uint8_t *ip)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

static bool make_key(struct key *k, const struct addr *a)
{
	const uint8_t *v4 = a->family == 4 ? a->ip : a->ip + 12;
	uint64_t h;

	if (a->family == 6 && !is_mapped(a->ip)) {
		memcpy(k->words, a->ip, 16);
		h = hash_mix(k->words[0], k->words[1]);
		k->family = 1;
		/* Bits that choose neither shard nor place, for the most part. */
		k->tag = (uint32_t)(hash_mix(h, 6) >> 32);
	} else if (a->family == 4 || a->family == 6) {
		k->family = 0;
		k->words[0] = k->words[1] = 0;
		k->tag = (uint32_t)v4[0] << 24 | (uint32_t)v4[1] << 16 | (uint32_t)v4[2] << 8 |
			 v4[3];
		h = hash_mix(k->tag, 4);
	} else {
		return false;
	}
	k->shard = (unsigned)(h >> (64 - IPSET_SHARD_BITS));
	k->place = (uint32_t)(h >> (32 - IPSET_SHARD_BITS));
	return true;
}

static void key_addr(struct addr *out, unsigned family, const struct ipset_table *t, size_t at)
{
	*out = (struct addr) { .family = family == 0 ? 4 : 6 };
	if (family == 0) {
		uint32_t v4 =
			(uint32_t)(atomic_load_explicit(&t->words[at], memory_order_relaxed) >> 32);

		for (unsigned i = 0; i < 4; i++)
			out->ip[i] = (uint8_t)(v4 >> (24 - 8 * i));
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		uint64_t word = atomic_load_explicit(&t->words[at + 1 + i], memory_order_relaxed);

		memcpy(out->ip + 8 * i, &word, 8);
	}
}

/* ---- a table ---- */

static uint64_t slot_load(const struct ipset_table *t, size_t at)
{
	return atomic_load_explicit(&t->words[at], memory_order_acquire);
}

static bool is_key(const struct ipset_table *t, size_t at, uint64_t word, const struct key *k)
{
	if ((uint32_t)(word >> 32) != k->tag)
		return false;
	return t->stride == 1 ||
	       (atomic_load_explicit(&t->words[at + 1], memory_order_relaxed) == k->words[0] &&
		atomic_load_explicit(&t->words[at + 2], memory_order_relaxed) == k->words[1]);
}

static bool is_live(uint32_t expires)
{
	return expires >= IPSET_CLOCK_BASE;
}

/* The slot's second word half, or 0; `at` is its place, or the empty one where it would be.  There
 * is an empty one always: see make_room(). */
static uint32_t probe(const struct ipset_table *t, const struct key *k, size_t *at)
{
	const size_t end = (size_t)t->cap * t->stride;
	size_t i = (size_t)((uint64_t)k->place * t->cap >> 32) * t->stride;

	for (;;) {
		uint64_t word = slot_load(t, i);

		if (word == 0 || is_key(t, i, word, k)) {
			*at = i;
			return (uint32_t)word;
		}
		i += t->stride;
		if (i == end)
			i = 0;
	}
}

static void slot_set(struct ipset_table *t, size_t at, uint32_t tag, uint32_t expires)
{
	atomic_store_explicit(&t->words[at], (uint64_t)tag << 32 | expires, memory_order_release);
}

/* An empty slot gets a key. */
static void slot_fill(struct ipset_table *t, size_t at, const struct key *k, uint32_t expires)
{
	for (unsigned i = 0; i + 1 < t->stride; i++)
		atomic_store_explicit(&t->words[at + 1 + i], k->words[i], memory_order_relaxed);
	slot_set(t, at, k->tag, expires);
}

/* Large ones are given back to the system, whatever thread made them and whatever else is in malloc's
 * arenas: where all tables grow at about the same time, the holes would cost a third. */
enum { MAPPED_LEAST = 16 * 1024 };

static struct ipset_table *table_new(uint32_t slots, uint32_t stride)
{
	size_t bytes = sizeof(struct ipset_table) + (size_t)slots * stride * sizeof(uint64_t);
	struct ipset_table *t;

	if (bytes < MAPPED_LEAST) {
		t = calloc(1, bytes);
	} else {
		t = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		t = t == MAP_FAILED ? NULL : t;
	}
	if (t == NULL)
		return NULL;
	t->bytes = bytes;
	t->cap = slots;
	t->stride = stride;
	return t;
}

void ipset_table_free(struct ipset_table *t)
{
	if (t->bytes < MAPPED_LEAST)
		free(t);
	else
		EXPECT(munmap(t, t->bytes) == 0);
}

/* ---- a shard: the caller has its lock ---- */

static pthread_mutex_t *shard_lock(struct ipset *s, unsigned shard)
{
	return &s->locks[shard % IPSET_LOCKS];
}

static struct ipset_table *shard_table(const struct ipset_shard *sh)
{
	/* Changed with the lock held, which the caller has. */
	return atomic_load_explicit(&sh->table, memory_order_relaxed);
}

static void add_to(_Atomic uint64_t *sum, uint64_t n)
{
	atomic_fetch_add_explicit(sum, n, memory_order_relaxed);
}

static void take_from(_Atomic uint64_t *sum, uint64_t n)
{
	atomic_fetch_sub_explicit(sum, n, memory_order_relaxed);
}

static uint64_t sum_of(const _Atomic uint64_t *sum)
{
	return atomic_load_explicit(sum, memory_order_relaxed);
}

static void count_entries(struct ipset *s, uint64_t fewer)
{
	take_from(&s->entries, fewer);
	take_from(&s->all->entries, fewer);
}

/* Sequentially consistent, as is what a reader does: see protect(). */
static void shard_put_table(struct ipset *s, struct ipset_shard *sh, struct ipset_table *t)
{
	struct ipset_table *old = atomic_exchange(&sh->table, t);

	if (t != NULL) {
		add_to(&s->bytes, t->bytes);
		add_to(&s->all->bytes, t->bytes);
	}
	if (old != NULL) {
		take_from(&s->bytes, old->bytes);
		take_from(&s->all->bytes, old->bytes);
		ipsets_retire(s->all, old);
	}
}

/* Copies what has not expired; `to` is nobody else's yet. */
static void table_copy(struct ipset_shard *sh, struct ipset_table *to, unsigned family,
		       const struct ipset_table *from, uint32_t now)
{
	const size_t end = (size_t)from->cap * from->stride;

	sh->used = sh->live = 0;
	sh->expires_first = IPSET_FOREVER;
	for (size_t i = 0; i < end; i += from->stride) {
		uint32_t expires = (uint32_t)slot_load(from, i);
		struct addr a;
		struct key k;
		size_t at;

		if (expires <= IPSET_GONE || (is_live(expires) && expires <= now))
			continue;
		key_addr(&a, family, from, i);
		EXPECT(make_key(&k, &a));
		(void)probe(to, &k, &at);
		slot_fill(to, at, &k, expires);
		sh->used++;
		sh->live += is_live(expires);
		if (is_live(expires) && expires < sh->expires_first)
			sh->expires_first = expires;
	}
}

/* What a table holds that has to be copied. */
static uint32_t count_kept(const struct ipset_table *t, uint32_t now)
{
	const size_t end = (size_t)t->cap * t->stride;
	uint32_t n = 0;

	for (size_t i = 0; i < end; i += t->stride) {
		uint32_t expires = (uint32_t)slot_load(t, i);

		n += expires == IPSET_MASKED || (is_live(expires) && expires > now);
	}
	return n;
}

/* Another table with room for one more; what expired stays behind. */
static int rebuild(struct ipset *s, struct ipset_shard *sh, unsigned family, uint32_t now)
{
	const struct ipset_table *old = shard_table(sh);
	uint64_t kept = old == NULL ? 0 : count_kept(old, now), slots;
	struct ipset_table *t;
	uint32_t before = sh->live;

	slots = (kept + 1) * LOAD_DEN / LOAD_NUM + 1;
	if (slots < SLOTS_LEAST)
		slots = SLOTS_LEAST;
	if (slots > UINT32_MAX / 4)
		return E_NOMEM;
	t = table_new((uint32_t)slots, family == 0 ? 1 : 3);
	if (t == NULL)
		return E_NOMEM;
	if (old != NULL) {
		table_copy(sh, t, family, old, now);
		count_entries(s, before - sh->live);
		add_to(&s->expirations, before - sh->live);
	} else {
		sh->used = sh->live = 0;
		sh->expires_first = IPSET_FOREVER;
	}
	shard_put_table(s, sh, t);
	return E_OK;
}

/* A slot more may be taken.  Where there is no memory for a larger table the last third serves,
 * but for one slot, at which probes end. */
static int make_room(struct ipset *s, struct ipset_shard *sh, unsigned family, uint32_t now)
{
	const struct ipset_table *t = shard_table(sh);

	if (t != NULL && (uint64_t)(sh->used + 1) * FULL_DEN <= (uint64_t)t->cap * FULL_NUM)
		return E_OK;
	if (rebuild(s, sh, family, now) == E_OK)
		return E_OK;
	return t != NULL && sh->used + 1 < t->cap ? E_OK : E_NOMEM;
}

/* ---- reading ---- */

/* The shard's table, which is not freed before release(): a writer exchanges the pointer and then
 * looks at all readers; a reader says what it looks at and then looks at the pointer again.  Of these
 * four one is last in the one order that all threads see, so either the reader takes the new table
 * or the writer sees that it has the old. */
static const struct ipset_table *protect(struct ipset_reader *reader, const struct ipset_shard *sh)
{
	struct ipset_table *t = atomic_load_explicit(&sh->table, memory_order_relaxed);

	while (t != NULL) {
		struct ipset_table *again;

		atomic_store(&reader->table, t);
		again = atomic_load(&sh->table);
		if (again == t)
			return t;
		t = again;
	}
	return NULL;
}

static void release(struct ipset_reader *reader)
{
	atomic_store_explicit(&reader->table, NULL, memory_order_release);
}

/* The slot's second word half, or 0. */
static uint32_t look_up(const struct ipset *s, struct ipset_reader *reader, const struct key *k)
{
	const struct ipset_shard *sh = &s->shards[k->family][k->shard];
	const struct ipset_table *t;
	uint32_t expires = 0;
	size_t at;

	if (reader == NULL) {
		pthread_mutex_t *lock = shard_lock((struct ipset *)s, k->shard);

		pthread_mutex_lock(lock);
		t = shard_table(sh);
		if (t != NULL)
			expires = probe(t, k, &at);
		pthread_mutex_unlock(lock);
		return expires;
	}
	t = protect(reader, sh);
	if (t != NULL)
		expires = probe(t, k, &at);
	release(reader);
	return expires;
}

static const struct ipset *below_of(const struct ipset *s)
{
	return s->below != NULL && !atomic_load_explicit(&s->hides_below, memory_order_relaxed)
		       ? s->below
		       : NULL;
}

bool ipset_has(const struct ipset *s, struct ipset_reader *reader, const struct addr *a,
	       uint32_t now_s)
{
	struct key k;
	uint32_t expires;

	if (!make_key(&k, a))
		return false;
	expires = look_up(s, reader, &k);
	if (is_live(expires))
		return expires > now_s + IPSET_CLOCK_BASE;
	if (expires == IPSET_MASKED || s->below == NULL || below_of(s) == NULL)
		return false;
	return ipset_has(s->below, NULL, a, now_s);
}

uint64_t ipset_count(const struct ipset *s)
{
	const struct ipset *below = below_of(s);
	int64_t n;

	if (s->below == NULL)
		return sum_of(&s->entries);
	n = atomic_load_explicit(&s->overlaid, memory_order_relaxed);
	if (below != NULL)
		n += (int64_t)ipset_count(below);
	return n < 0 ? 0 : (uint64_t)n;
}

const char *ipset_name(const struct ipset *s)
{
	return s->name;
}

/* ---- writing ---- */

/* Looks for what expired in a full set, a piece once a second: the last one does not pay for all. */
enum { SWEEP_WHEN_FULL = 65536 };

static void sweep_when_full(struct ipset *s, uint32_t now_s)
{
	uint32_t before = atomic_load_explicit(&s->swept_s, memory_order_relaxed);

	if (before != now_s + 1 &&
	    atomic_compare_exchange_strong_explicit(&s->swept_s, &before, now_s + 1,
						    memory_order_relaxed, memory_order_relaxed))
		(void)ipset_sweep(s, now_s, SWEEP_WHEN_FULL);
}

static bool count_up(_Atomic uint64_t *sum, uint64_t max)
{
	if (atomic_fetch_add_explicit(sum, 1, memory_order_relaxed) < max)
		return true;
	take_from(sum, 1);
	return false;
}

/* One entry more, if the limits allow it. */
static bool reserve(struct ipset *s)
{
	uint64_t max = sum_of(&s->max), max_all = sum_of(&s->all->max_entries);

	if (!count_up(&s->entries, max == 0 ? UINT64_MAX : max))
		return false;
	if (count_up(&s->all->entries, max_all))
		return true;
	take_from(&s->entries, 1);
	return false;
}

static uint32_t expiry(const struct ipset *s, uint32_t ttl_s, uint32_t now_s)
{
	if (ttl_s == IPSET_TTL_OF_SET)
		ttl_s = atomic_load_explicit(&s->ttl_s, memory_order_relaxed);
	if (ttl_s == 0)
		return IPSET_FOREVER;
	if (ttl_s > IPSET_TTL_MAX)
		ttl_s = IPSET_TTL_MAX;
	return now_s + IPSET_CLOCK_BASE + ttl_s;
}

/* The entry is there now, with this expiry.  E_LIMIT: it would be one more than may be. */
static int put(struct ipset *s, struct ipset_shard *sh, const struct key *k, uint32_t expires,
	       uint32_t now)
{
	struct ipset_table *t = shard_table(sh);
	uint32_t before = 0;
	size_t at = 0;
	int err;

	if (t != NULL)
		before = probe(t, k, &at);
	if (!is_live(before) && !reserve(s))
		return E_LIMIT;
	if (before == 0) {
		err = make_room(s, sh, k->family, now);
		if (err != E_OK) {
			count_entries(s, 1);
			return err;
		}
		t = shard_table(sh);
		(void)probe(t, k, &at);
		slot_fill(t, at, k, expires);
		sh->used++;
	} else {
		slot_set(t, at, k->tag, expires);
		if (is_live(before) && before <= now)
			add_to(&s->expirations, 1);
	}
	sh->live += !is_live(before);
	if (expires < sh->expires_first)
		sh->expires_first = expires;
	return E_OK;
}

static int put_locked(struct ipset *s, const struct key *k, uint32_t expires, uint32_t now)
{
	pthread_mutex_t *lock = shard_lock(s, k->shard);
	int err;

	pthread_mutex_lock(lock);
	err = put(s, &s->shards[k->family][k->shard], k, expires, now);
	pthread_mutex_unlock(lock);
	return err;
}

int ipset_add(struct ipset *s, const struct addr *a, uint32_t ttl_s, uint32_t now_s)
{
	uint32_t now = now_s + IPSET_CLOCK_BASE;
	bool was_in = s->below != NULL && ipset_has(s, NULL, a, now_s);
	struct key k;
	int err;

	if (!make_key(&k, a))
		return E_MALFORMED;
	err = put_locked(s, &k, expiry(s, ttl_s, now_s), now);
	if (err == E_LIMIT) {
		sweep_when_full(s, now_s);
		err = put_locked(s, &k, expiry(s, ttl_s, now_s), now);
	}
	add_to(err == E_OK ? &s->adds : &s->refusals, 1);
	if (err == E_OK && s->below != NULL && !was_in)
		atomic_fetch_add_explicit(&s->overlaid, 1, memory_order_relaxed);
	return err;
}

/* Keeps an overlay from seeing what is below; whether that was there. */
static bool mask(struct ipset *s, const struct key *k, uint32_t now_s)
{
	struct ipset_shard *sh = &s->shards[k->family][k->shard];
	pthread_mutex_t *lock = shard_lock(s, k->shard);
	size_t at;

	pthread_mutex_lock(lock);
	/* Without memory it stays to be seen: nothing real depends on it. */
	if (make_room(s, sh, k->family, now_s + IPSET_CLOCK_BASE) == E_OK) {
		struct ipset_table *t = shard_table(sh);

		sh->used += probe(t, k, &at) == 0;
		slot_fill(t, at, k, IPSET_MASKED);
	}
	pthread_mutex_unlock(lock);
	return true;
}

bool ipset_remove(struct ipset *s, const struct addr *a, uint32_t now_s)
{
	bool was_in = s->below != NULL && ipset_has(s, NULL, a, now_s);
	struct ipset_shard *sh;
	pthread_mutex_t *lock;
	struct ipset_table *t;
	uint32_t before = 0;
	struct key k;
	size_t at;

	if (!make_key(&k, a))
		return false;
	sh = &s->shards[k.family][k.shard];
	lock = shard_lock(s, k.shard);
	pthread_mutex_lock(lock);
	t = shard_table(sh);
	if (t != NULL)
		before = probe(t, &k, &at);
	if (is_live(before)) {
		slot_set(t, at, k.tag, IPSET_GONE);
		sh->live--;
		count_entries(s, 1);
		if (before <= now_s + IPSET_CLOCK_BASE)
			add_to(&s->expirations, 1);
	}
	pthread_mutex_unlock(lock);
	if (s->below != NULL) {
		if (was_in && mask(s, &k, now_s))
			atomic_fetch_sub_explicit(&s->overlaid, 1, memory_order_relaxed);
	} else {
		was_in = before > now_s + IPSET_CLOCK_BASE;
	}
	if (was_in)
		add_to(&s->removals, 1);
	return was_in;
}

static void shard_empty(struct ipset *s, struct ipset_shard *sh)
{
	count_entries(s, sh->live);
	shard_put_table(s, sh, NULL);
	sh->used = sh->live = 0;
	sh->expires_first = IPSET_FOREVER;
}

void ipset_clear(struct ipset *s)
{
	for (unsigned i = 0; i < 2 * IPSET_SHARDS; i++) {
		struct ipset_shard *sh = &s->shards[i / IPSET_SHARDS][i % IPSET_SHARDS];
		pthread_mutex_t *lock = shard_lock(s, i % IPSET_SHARDS);

		pthread_mutex_lock(lock);
		add_to(&s->removals, sh->live);
		shard_empty(s, sh);
		pthread_mutex_unlock(lock);
	}
	atomic_store_explicit(&s->hides_below, true, memory_order_relaxed);
	atomic_store_explicit(&s->overlaid, 0, memory_order_relaxed);
}

/* ---- what expired ---- */

static void shard_sweep(struct ipset *s, struct ipset_shard *sh, unsigned family, uint32_t now)
{
	struct ipset_table *t = shard_table(sh);
	const size_t end = (size_t)t->cap * t->stride;
	uint32_t gone = 0, first = IPSET_FOREVER;

	for (size_t i = 0; i < end; i += t->stride) {
		uint64_t word = slot_load(t, i);
		uint32_t expires = (uint32_t)word;

		if (is_live(expires) && expires <= now) {
			slot_set(t, i, (uint32_t)(word >> 32), IPSET_GONE);
			gone++;
		} else if (is_live(expires) && expires < first) {
			first = expires;
		}
	}
	sh->expires_first = first;
	sh->live -= gone;
	count_entries(s, gone);
	add_to(&s->expirations, gone);
	if (sh->live == 0 && s->below == NULL)
		shard_empty(s, sh);
	else if (t->cap > 4 * SLOTS_LEAST && (uint64_t)sh->live * 4 < t->cap)
		/* Without memory for a smaller one the large one stays. */
		(void)(rebuild(s, sh, family, now) == E_OK);
}

size_t ipset_sweep(struct ipset *s, uint32_t now_s, size_t slots)
{
	const uint32_t now = now_s + IPSET_CLOCK_BASE;
	size_t seen = 0;

	for (unsigned n = 0; n < 2 * IPSET_SHARDS && seen < slots; n++) {
		unsigned i = atomic_fetch_add_explicit(&s->sweep_at, 1, memory_order_relaxed) %
			     (2 * IPSET_SHARDS);
		struct ipset_shard *sh = &s->shards[i / IPSET_SHARDS][i % IPSET_SHARDS];
		pthread_mutex_t *lock = shard_lock(s, i % IPSET_SHARDS);

		/* Most have nothing that may have expired. */
		pthread_mutex_lock(lock);
		if (shard_table(sh) != NULL && sh->expires_first <= now) {
			seen += shard_table(sh)->cap;
			shard_sweep(s, sh, i / IPSET_SHARDS, now);
		}
		pthread_mutex_unlock(lock);
	}
	return seen;
}

/* ---- all entries ---- */

struct copied {
	struct addr addr;
	uint32_t left_s;
};

struct copies {
	struct copied *list;
	size_t n, cap;
};

static int copy_shard(struct copies *c, struct ipset *s, unsigned family, unsigned shard,
		      uint32_t now)
{
	struct ipset_shard *sh = &s->shards[family][shard];
	pthread_mutex_t *lock = shard_lock(s, shard);
	const struct ipset_table *t;
	int err = E_OK;

	c->n = 0;
	pthread_mutex_lock(lock);
	t = shard_table(sh);
	if (t != NULL && sh->live > c->cap) {
		struct copied *more = realloc(c->list, sh->live * sizeof(*more));

		if (more == NULL) {
			err = E_NOMEM;
			goto out;
		}
		c->list = more;
		c->cap = sh->live;
	}
	for (size_t i = 0; t != NULL && i < (size_t)t->cap * t->stride; i += t->stride) {
		uint32_t expires = (uint32_t)slot_load(t, i);

		if (!is_live(expires) || expires <= now)
			continue;
		ASSERT(c->n < c->cap);
		key_addr(&c->list[c->n].addr, family, t, i);
		c->list[c->n++].left_s = expires == IPSET_FOREVER ? 0 : expires - now;
	}
out:
	pthread_mutex_unlock(lock);
	return err;
}

int ipset_walk(struct ipset *s, uint32_t now_s,
	       int (*each)(void *ctx, const struct addr *a, uint32_t left_s), void *ctx)
{
	struct copies c = { 0 };
	int err = E_OK;

	for (unsigned i = 0; i < 2 * IPSET_SHARDS && err == E_OK; i++) {
		err = copy_shard(&c, s, i / IPSET_SHARDS, i % IPSET_SHARDS,
				 now_s + IPSET_CLOCK_BASE);
		for (size_t n = 0; n < c.n && err == E_OK; n++)
			err = each(ctx, &c.list[n].addr, c.list[n].left_s);
	}
	free(c.list);
	return err;
}

/* Both are of the same registry; `from`'s tables become this set's, and are read from then on. */
int ipset_take(struct ipset *s, struct ipset *from)
{
	uint64_t more = sum_of(&from->entries), max = sum_of(&s->max);

	ASSERT(s->all == from->all);
	if (max != 0 && more > max)
		return E_LIMIT;
	for (unsigned i = 0; i < 2 * IPSET_SHARDS; i++) {
		struct ipset_shard *sh = &s->shards[i / IPSET_SHARDS][i % IPSET_SHARDS];
		struct ipset_shard *new = &from->shards[i / IPSET_SHARDS][i % IPSET_SHARDS];
		pthread_mutex_t *lock = shard_lock(s, i % IPSET_SHARDS);
		struct ipset_table *t = atomic_exchange(&new->table, NULL);

		pthread_mutex_lock(lock);
		add_to(&s->adds, new->live);
		add_to(&s->removals, sh->live);
		shard_empty(s, sh);
		if (t != NULL) {
			take_from(&from->bytes, t->bytes);
			take_from(&s->all->bytes, t->bytes);
			shard_put_table(s, sh, t);
		}
		sh->used = new->used;
		sh->live = new->live;
		sh->expires_first = new->expires_first;
		take_from(&from->entries, new->live);
		add_to(&s->entries, new->live);
		pthread_mutex_unlock(lock);
		new->used = new->live = 0;
	}
	return E_OK;
}

/* ---- life ---- */

size_t ipset_bytes_empty(void)
{
	return sizeof(struct ipset);
}

int ipset_new(struct ipset **out, struct ipsets *all)
{
	struct ipset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return E_NOMEM;
	s->all = all;
	s->references = 1;
	for (unsigned i = 0; i < IPSET_LOCKS; i++)
		lock_init(&s->locks[i]);
	for (unsigned i = 0; i < 2 * IPSET_SHARDS; i++)
		s->shards[i / IPSET_SHARDS][i % IPSET_SHARDS].expires_first = IPSET_FOREVER;
	add_to(&all->bytes, sizeof(*s));
	add_to(&s->bytes, sizeof(*s));
	*out = s;
	return E_OK;
}

void ipset_free(struct ipset *s)
{
	for (unsigned i = 0; i < 2 * IPSET_SHARDS; i++)
		shard_empty(s, &s->shards[i / IPSET_SHARDS][i % IPSET_SHARDS]);
	for (unsigned i = 0; i < IPSET_LOCKS; i++)
		pthread_mutex_destroy(&s->locks[i]);
	take_from(&s->all->bytes, sizeof(*s));
	free(s);
}

void ipset_stats(const struct ipset *s, struct ipset_stats *out)
{
	*out = (struct ipset_stats) {
		.ttl_s = atomic_load_explicit(&s->ttl_s, memory_order_relaxed),
		.max = sum_of(&s->max),
		.entries = ipset_count(s),
		.bytes = sum_of(&s->bytes),
		.adds = sum_of(&s->adds),
		.removals = sum_of(&s->removals),
		.refusals = sum_of(&s->refusals),
		.expirations = sum_of(&s->expirations),
	};
	memcpy(out->name, s->name, sizeof(out->name));
}
