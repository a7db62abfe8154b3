/* memory: see memory.h. */
#include "recursor/memory.h"

#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "recursor/worker.h"

enum {
	RECORDS_LEAST = 2 << 20, /* of which the record cache has most */
	SERVERS_PART = 16,       /* one in so many bytes */
	KEYS_PART = 32,
	KEYS_LEAST = 64,
	ROOM_PART = 8,     /* a part that uses n bytes may soon want n / 8 more, */
	STEP_PART = 64,    /* and one in so many of the whole */
	SLACK_PART = 256,  /* differences smaller than one in so many are not worth a change */
	SHARED_PART = 128, /* one in so many bytes of records is left free for that */
	/* Entries, each time: of what is shared, and as many packets.  To take one away costs up to
	 * half a microsecond, and all that is to be less than a millisecond. */
	SHRINK_AT_ONCE = 600,
	SHRINK_SERVERS = 100, /* at least of these */
};

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t max_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* a * b / c without overflow; c is not 0. */
static size_t scaled(size_t a, size_t b, size_t c)
{
	return (size_t)((unsigned __int128)a * b / c);
}

/* ---- sharing ---- */

/* What each part should have: first what it needs of its due; then those who need more get of
 * what is left in proportion to that, or, if there is plenty, all in proportion to their due. */
static void find_targets(size_t total, const struct memory_part *parts, size_t *target)
{
	size_t left = total, wanted = 0, wants[MEMORY_PARTS];

	for (int i = 0; i < MEMORY_PARTS; i++) {
		const struct memory_part *p = &parts[i];
		size_t need = p->used + p->used / ROOM_PART + total / STEP_PART;

		target[i] = min_of(need, p->due);
		wants[i] = need - target[i];
		wanted += wants[i];
		left -= target[i];
	}
	for (int i = 0; i < MEMORY_PARTS; i++) {
		if (wanted > left)
			target[i] += scaled(left, wants[i], wanted);
		else
			target[i] += wants[i] + scaled(left - wanted, parts[i].due, total);
	}
}

void memory_share(size_t total, struct memory_part parts[MEMORY_PARTS])
{
	size_t target[MEMORY_PARTS], taken = 0, spare, slack = total / SLACK_PART;

	find_targets(total, parts, target);
	/* Who is to give has not given yet. */
	for (int i = 0; i < MEMORY_PARTS; i++)
		taken += max_of(parts[i].limit, max_of(parts[i].held, parts[i].used));
	spare = total > taken ? total - taken : 0;
	for (int i = 0; i < MEMORY_PARTS; i++) {
		struct memory_part *p = &parts[i];
		size_t more;

		if (target[i] + slack < p->limit) {
			p->limit = target[i];
		} else if (target[i] > p->limit + slack) {
			more = min_of(target[i] - p->limit, spare);
			p->limit += more;
			spare -= more;
		}
	}
}

/* ---- the budget ---- */

void memory_set_limits(struct memory *m, const struct settings *s)
{
	atomic_store(&m->max_cache_memory, s->max_cache_memory);
	atomic_store(&m->max_cache_entries, s->max_cache_entries);
	atomic_store(&m->max_packetcache_entries, s->max_packetcache_entries);
}

uint64_t memory_total(const struct memory *m)
{
	uint64_t total = atomic_load(&m->max_cache_memory);

	if (total != 0)
		return total;
	return (atomic_load(&m->max_cache_entries) + atomic_load(&m->max_packetcache_entries)) *
		       SETTINGS_ENTRY_BYTES +
	       SETTINGS_CACHES_BYTES;
}

uint64_t memory_used(const struct memory *m)
{
	uint64_t sum = 0;

	for (int i = 0; i < MEMORY_PARTS; i++)
		sum += m->parts[i].used;
	return sum;
}

size_t memory_keys(const struct memory *m, unsigned n_workers)
{
	size_t n = memory_total(m) / KEYS_PART / n_workers / KEYRING_KEY_BYTES;

	return max_of(min_of(n, KEYRING_KEYS_DEFAULT), KEYS_LEAST);
}

static void find_dues(struct memory *m, size_t total)
{
	size_t records = atomic_load(&m->max_cache_entries);
	size_t packets = atomic_load(&m->max_packetcache_entries);
	size_t servers = total / SERVERS_PART, rest = total - servers - RECORDS_LEAST;

	m->parts[MEMORY_SERVERS].due = servers;
	m->parts[MEMORY_PACKETS].due = scaled(rest, packets, records + packets);
	m->parts[MEMORY_RECORDS].due = total - servers - m->parts[MEMORY_PACKETS].due;
}

/* Of the record cache's part, what none of its entries has. */
static size_t beside_records(struct server *s, const struct cache_stats *cache)
{
	struct aggressive_sum proofs;
	size_t keys = 0;

	aggressive_sum(s->aggressive, &proofs);
	for (unsigned i = 0; i < s->n_workers; i++)
		keys += atomic_load_explicit(&s->workers[i].gauges.key_bytes, memory_order_relaxed);
	return cache->fixed_bytes + proofs.bytes + keys;
}

static size_t limit_of_entries(const struct memory *m, size_t beside)
{
	size_t limit = m->parts[MEMORY_RECORDS].limit;

	/* What shards share grows between their own looks at it. */
	limit -= limit / SHARED_PART;
	return limit > beside ? limit - beside : 1; /* 0: no limit */
}

size_t memory_record_limit(struct server *s)
{
	struct cache_stats stats;

	cache_stats(s->cache, &stats);
	return limit_of_entries(&s->memory, beside_records(s, &stats));
}

/* For the workers to take over. */
static void publish(struct memory *m, unsigned n_workers)
{
	uint64_t entries = atomic_load(&m->max_packetcache_entries);

	atomic_store(&m->packet_entries, (size_t)((entries + n_workers - 1) / n_workers));
	atomic_store(&m->packet_bytes, max_of(m->parts[MEMORY_PACKETS].limit / n_workers, 1));
}

void memory_init(struct memory *m, const struct settings *s)
{
	memory_set_limits(m, s);
	find_dues(m, memory_total(m));
	for (int i = 0; i < MEMORY_PARTS; i++)
		m->parts[i].limit = m->parts[i].due;
	publish(m, s->threads);
}

/* Returns what is there beside records. */
static size_t measure(struct server *s)
{
	struct memory_part *packets = &s->memory.parts[MEMORY_PACKETS];
	struct memory_part *records = &s->memory.parts[MEMORY_RECORDS];
	struct memory_part *servers = &s->memory.parts[MEMORY_SERVERS];
	struct cache_stats cache;
	struct servers_stats table;
	size_t beside;

	cache_stats(s->cache, &cache);
	servers_stats(s->servers, &table);
	beside = beside_records(s, &cache);
	records->used = records->held = beside + cache.bytes;
	servers->used = servers->held = table.bytes;
	packets->used = packets->held = 0;
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct worker_gauges *g = &s->workers[i].gauges;
		size_t bytes = atomic_load_explicit(&g->packetcache_bytes, memory_order_relaxed);
		size_t limit = atomic_load_explicit(&g->packetcache_limit, memory_order_relaxed);

		packets->used += bytes;
		packets->held += max_of(bytes, limit);
	}
	return beside;
}

static void move_limits(struct server *s)
{
	struct memory *m = &s->memory;
	size_t total = memory_total(m), entries = atomic_load(&m->max_cache_entries);
	size_t servers = m->parts[MEMORY_SERVERS].limit, beside, bytes;

	find_dues(m, total);
	beside = measure(s);
	memory_share(total, m->parts);
	/* Keys and proofs come and go while the part's own limit stays. */
	bytes = limit_of_entries(m, beside);
	if (bytes != m->record_bytes || entries != m->record_entries)
		cache_set_limits(s->cache, entries, bytes);
	m->record_entries = entries;
	m->record_bytes = bytes;
	if (servers != m->parts[MEMORY_SERVERS].limit)
		servers_set_limit(s->servers, m->parts[MEMORY_SERVERS].limit);
	publish(m, s->n_workers);
}

static void take_over(struct worker *w)
{
	const struct memory *m = &w->server->memory;
	size_t bytes = atomic_load_explicit(&m->packet_bytes, memory_order_relaxed);

	packetcache_set_limits(w->packetcache, atomic_load(&m->packet_entries), bytes);
	atomic_store_explicit(&w->gauges.packetcache_limit, bytes, memory_order_relaxed);
	resolver_limit_keys(w->resolver, memory_keys(m, w->server->n_workers));
}

void memory_adopt(struct worker *w)
{
	if (w->index == 0)
		move_limits(w->server);
	take_over(w);
}

void memory_rebalance(struct server *s, uint32_t wall_s)
{
	size_t gone;

	move_limits(s);
	gone = cache_shrink_some(s->cache, SHRINK_AT_ONCE - SHRINK_SERVERS, wall_s);
	(void)servers_shrink_some(s->servers, SHRINK_AT_ONCE - gone);
}

void memory_tidy(struct worker *w)
{
	take_over(w);
	(void)packetcache_shrink_some(w->packetcache, SHRINK_AT_ONCE);
}
