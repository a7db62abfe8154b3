/* refresh: what is asked for and about to expire is renewed before it does (refresh-on-ttl-perc). */
#include "recursor/resolve/asking.h"

#include "common/check.h"
#include "common/hash.h"

enum { REFRESH_AGAIN_MS = 5000 }; /* what could not be renewed is left alone for so long */

static bool is_almost_expired(const struct rrset *s, uint32_t percent, uint32_t now_s)
{
	return rrset_ttl_left(s, now_s) <= (uint64_t)s->ttl * percent / 100;
}

/* Whoever asks for it, validated or not. */
static uint64_t hash_of(const struct goal *g)
{
	return hash_mix(g->name_hash, g->type);
}

/* Was it tried a moment ago?  Marks it.  Two names that share a mark make one try oftener, which does
 * no harm. */
static bool was_tried(struct resolver *r, const struct goal *g, uint64_t now_ms)
{
	uint64_t hash = hash_of(g);
	struct refresh_mark *mark = &r->refresh_marks[hash % ARRAY_LEN(r->refresh_marks)];

	if (mark->hash == hash && now_ms < mark->until_ms)
		return true;
	*mark = (struct refresh_mark) { .hash = hash, .until_ms = now_ms + REFRESH_AGAIN_MS };
	return false;
}

void refresh_ended(struct resolver *r, const struct goal *g, bool worked)
{
	uint64_t hash = hash_of(g);
	struct refresh_mark *mark = &r->refresh_marks[hash % ARRAY_LEN(r->refresh_marks)];

	if (!worked) {
		COUNT(r->counters, almost_expired_exceptions);
		return;
	}
	COUNT(r->counters, almost_expired_run);
	if (mark->hash == hash)
		mark->until_ms = 0;
}

static bool is_under_way(struct resolver *r, const struct goal *g)
{
	return goal_find_refresh(r, g, false) != NULL || goal_find_refresh(r, g, true) != NULL;
}

void refresh_if_due(struct resolver *r, struct goal *g, const struct knowledge *k)
{
	const struct rrset *s = k->dname != NULL ? k->dname : k->set;

	if (k->authoritative || g->no_cache ||
	    (k->what != KNOWN_DATA && k->what != KNOWN_ALIAS && k->what != KNOWN_NODATA) ||
	    !is_almost_expired(s, r->cfg.refresh_percent, r->world.wall_s(r->world.ctx)) ||
	    was_tried(r, g, r->world.now_ms(r->world.ctx)) || is_under_way(r, g))
		return;
	/* What has been validated gives way to a denial or an alias that has been, too, and to no other. */
	if (!request_begin_refresh(r, g->name, g->type, rrset_security(s) == SEC_SECURE))
		return;
	COUNT(r->counters, almost_expired_pushed);
	GOAL_EVENT(r, g, EVENT_REFRESH, g->name, NULL, .type = g->type);
}

bool refresh_join(struct resolver *r, struct goal *g)
{
	struct goal *other;

	/* What it brings has not been validated; and nobody is refused for what is bogus who has not asked to
	 * be. */
	if (r->n_background == 0 || g->no_cache || g->validates)
		return false;
	other = goal_find_refresh(r, g, false);
	if (other == NULL || !goal_follow(r, g, other))
		return false;
	/* It asks nobody any more: others may have its place at the zone. */
	cut_leave(r, g);
	GOAL_EVENT(r, g, EVENT_JOINED, g->name, NULL, .type = g->type);
	g->state = GOAL_ALIAS;
	return true;
}
