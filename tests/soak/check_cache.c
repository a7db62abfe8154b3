/* check_cache: what must be so of the caches, and at the end; see soak.h. */
#include <string.h>

#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/soak/soak.h"

/* ---- the cache ---- */

static const struct zone *zone_at(const struct internet *net, const uint8_t *apex)
{
	for (unsigned i = 0; i < net->n_zones; i++)
		if (!net->zones[i].gone && name_equal(net->zones[i].apex, apex))
			return &net->zones[i];
	return NULL;
}

/* The parent's word on who serves a zone. */
static bool delegation_is_true(const struct internet *net, const struct rrset *set)
{
	const struct zone *z = zone_at(net, rrset_owner(set));
	struct rdata rr;
	size_t at = 0;

	if (z == NULL || set->n_rr != z->n_parent_ns)
		return false;
	while (rrset_next(set, &at, &rr)) {
		bool found = false;

		for (unsigned i = 0; i < z->n_parent_ns; i++)
			found |= name_equal(net->ns[z->parent_ns[i]].name, rr.data);
		if (!found)
			return false;
	}
	return true;
}

static bool has_old_glue(const struct internet *net, const uint8_t *ns)
{
	for (unsigned i = 0; i < net->n_zones; i++)
		if (net->zones[i].old_glue &&
		    name_equal(net->ns[net->zones[i].parent_ns[0]].name, ns))
			return true;
	return false;
}

static bool is_true(const struct internet *net, const struct rrset *set, bool delegation)
{
	const uint8_t *owner = rrset_owner(set);
	const struct zone *z;
	struct truth t;

	if (delegation && set->type == TYPE_NS) {
		z = zone_at(net, owner);
		if (z == NULL)
			z = zone_of(net, owner, TYPE_A, UINT32_MAX);
		else
			z = &net->zones[z->parent];
		return !z->trusted || delegation_is_true(net, set);
	}
	truth_of(net, owner, set->type, &t);
	if (!t.zone->trusted)
		return true;
	switch ((enum rrset_kind)set->kind) {
	case RRSET_DATA:
		if (delegation && has_old_glue(net, owner))
			return true;
		return data_is_true(net, set, &t);
	case RRSET_NODATA:
		return t.kind == TRUTH_NODATA;
	case RRSET_NXDOMAIN:
		return t.kind == TRUTH_NXDOMAIN || (t.empty && t.zone->denies_empty);
	case RRSET_FAILURE:
		break;
	}
	return true;
}

/* Seconds since 1970 when the last of its signatures expires. */
static uint32_t signed_until_s(const struct rrset *set)
{
	uint32_t until_s = 0;
	struct rdata sig;
	size_t at = 0;

	while (rrset_next_sig(set, &at, &sig))
		if (sig.len > 12 && wire_get_u32(sig.data + 8) > until_s)
			until_s = wire_get_u32(sig.data + 8);
	return until_s;
}

/* What the validator has given less time, from when it did so: bogus data, and what is secure for as
 * long as it is signed. */
static bool was_capped(const struct rrset *set)
{
	return rrset_security(set) == SEC_BOGUS ||
	       (rrset_security(set) == SEC_SECURE && set->expires_s == signed_until_s(set));
}

uint64_t check_received_us(const struct soak *s, const struct rrset *set)
{
	int64_t age_s = (int64_t)soak_wall_s(s) - ((int64_t)set->expires_s - set->ttl);
	uint64_t now_us = soak_now_us(s);

	if (age_s < 0)
		age_s = 0;
	if (was_capped(set))
		age_s += s->net.belief.max_ttl;
	return now_us > (uint64_t)age_s * 1000000 ? now_us - (uint64_t)age_s * 1000000 : 0;
}

/* Now, or when it may have been learnt. */
static bool was_true(struct soak *s, const struct rrset *set, bool delegation)
{
	uint64_t then_us = check_received_us(s, set);
	bool is = false;

	for (unsigned e = s->net.n_epochs; e-- > 0 && !is;) {
		internet_use(&s->net, e);
		is = epoch_counts(&s->net, rrset_owner(set), then_us) &&
		     is_true(&s->net, set, delegation);
	}
	internet_use_latest(&s->net);
	return is;
}

static int check_entry(void *ctx, const struct rrset *set, bool delegation)
{
	static const char *const kinds[] = { "data", "NODATA", "NXDOMAIN", "failure" };
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	struct soak *s = ctx;

	if (set->type == CACHE_TRUST)
		return 0; /* no record of anybody's */
	if (!was_true(s, set, delegation))
		soak_fail(s, "in the cache and not true: %.200s %s%s, %s of rank %u",
			  name_to_text(name, rrset_owner(set)), rrtype_to_text(set->type, type),
			  delegation ? " (delegation)" : "", kinds[set->kind], set->rank);
	/* RFC 4035 5.3.3.  With a clock that goes back nothing is so sure. */
	if (!s->was_set_back && set->kind == RRSET_DATA && rrset_security(set) == SEC_SECURE &&
	    set->n_sig > 0 && set->expires_s > signed_until_s(set))
		soak_fail(s, "in the cache, and secure for longer than it is signed: %.200s %s",
			  name_to_text(name, rrset_owner(set)), rrtype_to_text(set->type, type));
	return 0;
}

void check_cache(struct soak *s)
{
	cache_walk(s->cache, check_entry, s);
}

/* ---- the end ---- */

static int count_in_flight(void *ctx, const struct server_dump *d)
{
	size_t *n = ctx;

	*n += d->view.in_flight;
	return E_OK;
}

void check_idle(struct soak *s)
{
	size_t in_flight = 0;

	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		const struct node *n = &s->nodes[i];
		struct resolver_stats left;

		resolver_stats(n->resolver, &left);
		if (left.requests + left.goals + left.edges + left.timers + left.zones +
			    n->network.n_pending >
		    0)
			soak_fail(s,
				  "left over: %zu requests, %zu goals, %zu edges, %zu timers, "
				  "%zu zones, %zu questions",
				  left.requests, left.goals, left.edges, left.timers, left.zones,
				  n->network.n_pending);
	}
	(void)servers_walk(s->servers, count_in_flight, &in_flight, 0);
	if (in_flight > 0)
		soak_fail(s, "left over: %zu questions to servers", in_flight);
	for (unsigned i = 0; i < s->n_askers; i++)
		if (s->askers[i].state == ASKER_WAITS)
			soak_fail(s, "question %u was never answered", i);
}

static void check_packets_empty(struct soak *s)
{
	struct packetcache_stats left;

	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		size_t cursor = SIZE_MAX, wiped = 0;

		while (packetcache_wipe_some(s->nodes[i].packets, &cursor, 10, name_root, 0, true,
					     &wiped))
			;
		packetcache_stats(s->nodes[i].packets, &left);
		if (left.entries > 0)
			soak_fail(s, "a wiped packet cache has %zu answers", left.entries);
	}
}

void check_end(struct soak *s)
{
	struct cache_stats cache;

	check_idle(s);
	check_packets_empty(s);
	cache_wipe(s->cache, name_root, 0, true);
	(void)aggressive_wipe(s->aggressive, name_root, true);
	if (aggressive_entries(s->aggressive) > 0)
		soak_fail(s, "an empty cache of proofs has entries");
	cache_stats(s->cache, &cache);
	/* A table that could not be made smaller for want of memory is as large as it says. */
	if (s->starved)
		cache.bytes = 0;
	if (cache.entries + cache.negative + cache.bytes > 0)
		soak_fail(s, "an empty cache has %zu entries, %zu of them negative, %zu bytes",
			  cache.entries, cache.negative, cache.bytes);
}
