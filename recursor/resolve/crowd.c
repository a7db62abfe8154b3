/* crowd: how many are at a zone: the limits of inflight.h as goals meet them. */
#include "recursor/resolve/goal.h"

#include "common/check.h"

static uint64_t now_ms(const struct resolver *r)
{
	return r->world.now_ms(r->world.ctx);
}

bool crowd_knows(const struct resolver *r, const struct goal *g)
{
	return g->no_cache || cache_remembers(r->cache, g->name_hash, g->type);
}

static bool refuse(struct resolver *r, struct goal *g)
{
	COUNT(r->counters, limit_inflight_zone);
	g->met_crowd = true;
	GOAL_EVENT(r, g, EVENT_LIMIT, goal_zone(g), NULL, .note = cause_row(CAUSE_ZONE)->text);
	return false;
}

/* All the world may be one resolver's to answer: there each domain is a zone to itself. */
static uint64_t domain_hash(const struct resolver *r, const struct goal *g)
{
	unsigned labels = g->zone_labels + 2U, owned = 0;

	if (r->world.domain_labels != NULL)
		owned = r->world.domain_labels(r->world.ctx, g->name);
	return name_hash(name_suffix(g->name, owned > labels ? owned : labels));
}

bool crowd_enter(struct resolver *r, struct goal *g)
{
	/* Everybody is at the root, or at a top-level domain, after a start with nothing in the
	 * cache: that is no attack. */
	bool limited, is_common = g->zone_labels < 2 && !g->forwarded;
	uint64_t zone;

	if (g->crowd != NULL || r->inflight.max == 0)
		return true;
	zone = (g->recurse ? domain_hash(r, g) : g->zone_hash) ^ g->route;
	g->crowd = inflight_hold(&r->inflight, zone, is_common, goal_crowd(g), false, now_ms(r),
				 &limited);
	if (limited && crowd_knows(r, g))
		g->crowd = inflight_hold(&r->inflight, zone, is_common, goal_crowd(g), true,
					 now_ms(r), &limited);
	return !limited || refuse(r, g);
}

bool crowd_take_place(struct resolver *r, struct goal *g)
{
	if (g->crowd == NULL || g->place != INFLIGHT_NO_PLACE)
		return true;
	g->place = (uint8_t)inflight_take_place(&r->inflight, g->crowd, false);
	if (g->place == INFLIGHT_NO_PLACE && crowd_knows(r, g))
		g->place = (uint8_t)inflight_take_place(&r->inflight, g->crowd, true);
	if (g->place == INFLIGHT_NO_PLACE)
		return refuse(r, g);
	counter_max(&r->counters->peak_zone, inflight_places(g->crowd));
	return true;
}

void crowd_leave(struct resolver *r, struct goal *g)
{
	if (g->crowd == NULL)
		return;
	if (g->place != INFLIGHT_NO_PLACE)
		inflight_give_place(g->crowd, (enum inflight_place)g->place);
	inflight_let_go(&r->inflight, g->crowd, goal_crowd(g), now_ms(r));
	g->place = INFLIGHT_NO_PLACE;
	g->crowd = NULL;
}

bool crowd_may_join(struct resolver *r, const struct goal *g)
{
	if (g->crowd == NULL || inflight_may_join(&r->inflight, g->crowd, false) ||
	    (crowd_knows(r, g) && inflight_may_join(&r->inflight, g->crowd, true)))
		return true;
	COUNT(r->counters, limit_inflight_zone);
	return false;
}
