/* cachecopy: see cachecopy.h. */
#include "recursor/cachecopy.h"

#include <stdio.h>

#include "recursor/anchorage.h"
#include "recursor/net/loop.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/zones.h"
#include "recursor/rezone.h"
#include "recursor/wiring.h"

/* Where a set was learnt, that it may not be used when the zones are others. */
static uint64_t zone_of(void *ctx, const struct rrset *s)
{
	return zones_print(zones_find_for(ctx, rrset_owner(s), s->type));
}

/* By which anchors verdicts are found now. */
static uint64_t trust_of(const struct server *s)
{
	struct anchors *anchors = s->anchorage != NULL ? anchorage_get(s->anchorage) : NULL;
	uint64_t digest = anchors_digest(anchors, loop_wall_s());

	anchors_put(anchors);
	return digest;
}

/* ---- writing ---- */

int cachecopy_write(struct server *s, FILE *f, const struct cachecopy_choice *choice,
		    struct cachefile_counts *counts)
{
	const struct settings *now = server_settings_get(s);
	struct zones *zones = server_zones_get(s);
	struct cachefile_source from = {
		.cache = choice->sets ? s->cache : NULL,
		.servers = choice->servers ? s->servers : NULL,
		.now_s = loop_wall_s(),
		.now_ms = loop_now_us() / 1000,
		.trust = trust_of(s),
		.stale_s = wiring_stale_s(now),
		.max_sets = choice->max_sets,
		.max_bytes = choice->max_bytes,
		.zone_of = zone_of,
		.ctx = zones,
	};
	int err = cachefile_write(f, &from, counts);

	settings_free(now);
	zones_put(zones);
	return err;
}

/* ---- reading ---- */

struct load {
	struct server *server;
	uint32_t now_s, max_ttl_s, max_negative_ttl_s;
	uint64_t now_ms;
	struct cachecopy_counts counts;
	struct zones *zones; /* those that were in force when it began */
	bool (*go_on)(void *ctx);
	void *ctx;
	bool is_distrusted; /* verdicts are by other anchors than those in force */
};

static bool go_on(void *ctx)
{
	struct load *l = ctx;

	return l->go_on(l->ctx);
}

/* The settings may have become stricter.  Nobody else has seen the set yet. */
static void cap_ttl(struct rrset *s, uint32_t now_s, uint32_t cap_s)
{
	if (s->ttl <= cap_s)
		return;
	s->ttl = cap_s;
	if (s->expires_s > now_s && s->expires_s - now_s > cap_s)
		s->expires_s = now_s + cap_s;
}

/* Other zones may have come into force since: a reload-zones wipes what was there before, under the lock
 * that is waited for here. */
static bool is_elsewhere_now(struct load *l, const struct rrset *s, uint64_t zone)
{
	struct zones *now = server_zones_get(l->server);
	bool is = now != l->zones && zone_of(now, s) != zone;

	zones_put(now);
	return is;
}

static void load_set(void *ctx, struct rrset *s, bool as_delegation, uint64_t zone)
{
	struct load *l = ctx;
	uint32_t cap_s = s->kind == RRSET_DATA ? l->max_ttl_s : l->max_negative_ttl_s;

	if (zone_of(l->zones, s) != zone) {
		l->counts.dropped++;
		return;
	}
	cap_ttl(s, l->now_s, cap_s);
	if (l->is_distrusted)
		rrset_forget_security(s);
	for (unsigned i = 0; i < s->n_proofs; i++) {
		cap_ttl(rrset_proofs(s)[i], l->now_s, cap_s);
		if (l->is_distrusted)
			rrset_forget_security(rrset_proofs(s)[i]);
	}
	if (cache_restore(l->server->cache, s, as_delegation, l->now_s) != CACHE_STORED) {
		l->counts.dropped++;
	} else if (is_elsewhere_now(l, s, zone)) {
		cache_drop(l->server->cache, s);
		l->counts.dropped++;
	} else {
		cache_keep_proofs(l->server->cache, s, l->now_s);
		l->counts.loaded++;
	}
}

static void load_server(void *ctx, const struct server_dump *server)
{
	struct load *l = ctx;

	if (servers_restore(l->server->servers, server, l->now_ms))
		l->counts.loaded++;
	else
		l->counts.dropped++;
}

/* First all of it is looked at, then all of it is taken. */
static int load_from(FILE *f, struct load *l, char why[CACHEFILE_WHY_MAX])
{
	struct cachefile_sink sink = { .ctx = l, .now_s = l->now_s, .go_on = go_on };
	struct cachefile_info info;
	int err = cachefile_read(f, &sink, &info, why);

	if (err != E_OK)
		return err;
	l->is_distrusted = info.trust != trust_of(l->server);
	rewind(f);
	sink.set = load_set;
	sink.server = load_server;
	return cachefile_read(f, &sink, &info, why);
}

int cachecopy_read(struct server *s, FILE *f, bool (*go)(void *ctx), void *ctx,
		   struct cachecopy_counts *counts, char why[CACHEFILE_WHY_MAX])
{
	const struct settings *now = server_settings_get(s);
	struct load l = {
		.server = s,
		.now_s = loop_wall_s(),
		.now_ms = loop_now_us() / 1000,
		.max_ttl_s = now->max_cache_ttl_s,
		.max_negative_ttl_s = now->max_negative_ttl_s,
		.zones = server_zones_get(s),
		.go_on = go,
		.ctx = ctx,
	};
	int err;

	settings_free(now);
	cache_restore_begin(s->cache);
	err = load_from(f, &l, why);
	cache_restore_end(s->cache);
	zones_put(l.zones);
	*counts = l.counts;
	return err;
}
