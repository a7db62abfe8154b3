#include "recursor/policy/ratelimit.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

/* A client's places: two cache lines. */
enum { PLACES = 8, TRIES = 4 };
#define BURST_NS_MOST (UINT64_MAX / 4)

struct bucket {
	_Atomic uint64_t key;     /* the prefix's hash; 0: nobody's */
	_Atomic uint64_t full_ns; /* when it is full again */
};

_Static_assert(sizeof(struct bucket) == RATELIMIT_CLIENT_BYTES, "what the header says");

struct ratelimit {
	uint64_t interval_ns; /* between two queries at `qps`; 1 at least */
	uint64_t burst_ns;    /* how far ahead of the clock `full_ns` may be before a query */
	unsigned ipv4_bits, ipv6_bits;
	uint32_t n_groups;
	struct bucket *buckets;
	alignas(64) _Atomic uint64_t refused;
	_Atomic uint64_t forgotten;
};

int ratelimit_new(struct ratelimit **out, const struct ratelimit_config *cfg)
{
	uint64_t burst = cfg->burst;
	struct ratelimit *r = NULL;
	size_t bytes;

	/* Written so that no number at all (NaN) is refused, too. */
	if (!(cfg->qps >= RATELIMIT_QPS_LEAST && cfg->qps <= RATELIMIT_QPS_MOST) ||
	    cfg->burst > RATELIMIT_BURST_MOST || cfg->ipv4_bits > 32 || cfg->ipv6_bits > 128 ||
	    cfg->max == 0 || cfg->max > RATELIMIT_CLIENTS_MOST)
		return E_RANGE;
	if (burst == 0)
		burst = cfg->qps < 1 ? 1 : (uint64_t)cfg->qps;
	r = aligned_alloc(alignof(struct ratelimit), sizeof(*r));
	if (r == NULL)
		return E_NOMEM;
	memset(r, 0, sizeof(*r));
	r->interval_ns = (uint64_t)(1e9 / cfg->qps);
	r->burst_ns = burst - 1 > BURST_NS_MOST / r->interval_ns ? BURST_NS_MOST
								 : (burst - 1) * r->interval_ns;
	r->ipv4_bits = cfg->ipv4_bits;
	r->ipv6_bits = cfg->ipv6_bits;
	r->n_groups = (cfg->max + PLACES - 1) / PLACES;
	bytes = (size_t)r->n_groups * PLACES * sizeof(struct bucket);
	r->buckets = aligned_alloc(PLACES * sizeof(struct bucket), bytes);
	if (r->buckets == NULL) {
		free(r);
		return E_NOMEM;
	}
	memset(r->buckets, 0, bytes);
	*out = r;
	return E_OK;
}

void ratelimit_free(struct ratelimit *r)
{
	if (r == NULL)
		return;
	free(r->buckets);
	free(r);
}

/* The hash of the client's prefix, never 0. */
static uint64_t hash_client(const struct ratelimit *r, const struct addr *a)
{
	unsigned bits = a->family == 4 ? r->ipv4_bits : r->ipv6_bits;
	uint8_t ip[16] = { 0 };
	uint64_t high, low, h;

	memcpy(ip, a->ip, (bits + 7) / 8);
	if (bits % 8 != 0)
		ip[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
	memcpy(&high, ip, 8);
	memcpy(&low, ip + 8, 8);
	h = hash_mix(high ^ a->family, low ^ 0x9e3779b97f4a7c15);
	return h == 0 ? 1 : h;
}

/* The client's bucket, its own or one that becomes its own; NULL: others were quicker. */
static struct bucket *find_bucket(struct ratelimit *r, uint64_t key, uint64_t now_ns)
{
	struct bucket *group = r->buckets + ((key >> 32) * r->n_groups >> 32) * PLACES;
	struct bucket *fullest = group;
	uint64_t least = UINT64_MAX, before;

	for (unsigned i = 0; i < PLACES; i++)
		if (atomic_load_explicit(&group[i].key, memory_order_relaxed) == key)
			return &group[i];
	for (unsigned i = 0; i < PLACES; i++) {
		uint64_t full_ns = atomic_load_explicit(&group[i].full_ns, memory_order_relaxed);

		if (full_ns < least) {
			least = full_ns;
			fullest = &group[i];
		}
	}
	before = atomic_load_explicit(&fullest->key, memory_order_relaxed);
	if (!atomic_compare_exchange_strong_explicit(&fullest->key, &before, key,
						     memory_order_relaxed, memory_order_relaxed))
		return NULL;
	if (least > now_ns)
		atomic_fetch_add_explicit(&r->forgotten, 1, memory_order_relaxed);
	atomic_store_explicit(&fullest->full_ns, now_ns, memory_order_relaxed);
	return fullest;
}

bool ratelimit_allows(struct ratelimit *r, const struct addr *client, uint64_t now_us)
{
	const uint64_t now_ns = now_us * 1000, key = hash_client(r, client);
	struct bucket *b = find_bucket(r, key, now_ns);
	uint64_t full_ns;

	if (b == NULL)
		return true;
	full_ns = atomic_load_explicit(&b->full_ns, memory_order_relaxed);
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t from_ns = full_ns > now_ns ? full_ns : now_ns;

		if (from_ns - now_ns > r->burst_ns) {
			atomic_fetch_add_explicit(&r->refused, 1, memory_order_relaxed);
			return false;
		}
		if (atomic_compare_exchange_weak_explicit(
			    &b->full_ns, &full_ns, from_ns + r->interval_ns, memory_order_relaxed,
			    memory_order_relaxed))
			return true;
	}
	return true;
}

void ratelimit_stats(const struct ratelimit *r, struct ratelimit_stats *out)
{
	*out = (struct ratelimit_stats) {
		.refused = atomic_load_explicit(&r->refused, memory_order_relaxed),
		.forgotten = atomic_load_explicit(&r->forgotten, memory_order_relaxed),
		.bytes = sizeof(*r) + (size_t)r->n_groups * PLACES * sizeof(struct bucket),
	};
}
