/* copyask: the copy of a zone in the place of its servers (copies.h).
 *
 * Why not put the zone into the record cache, as PowerDNS does: a cache evicts, holds no more than was
 * put there, and knows denials name by name; it would have to be filled again before every TTL, and what
 * was in it would outlive the zone.  A copy that is asked like a server gives the referral,
 * the DS, and the NSEC that proves that a junk top-level domain is not there, whatever is asked; its
 * replies take the way of all replies: bailiwick, cache, validation, aggressive NSEC.  When it has
 * expired, or its answer is bogus, or none, the zone's servers are asked, by the code that is there. */
#include "recursor/resolve/copyask.h"

#include "recursor/resolve/asking.h"
#include "recursor/resolve/copies.h"

/* More replies than a goal has steps: something goes round. */
enum { REPLIES_MAX = GOAL_CUTS_MAX + NAME_MAX_LABELS };

void resolver_set_copies(struct resolver *r, struct copies *copies)
{
	struct copies *before = r->copies;

	if (copies_count(copies) == 0)
		copies = NULL;
	r->copies = copies_get(copies);
	copies_put(before);
}

static bool may_ask(const struct goal *g)
{
	/* What the operator has configured for the name, or a policy or route led to, is another zone
	 * than the Internet's of that name. */
	return !g->copy_spent && !g->forwarded && !goal_is_private(g) &&
	       g->floor_labels <= g->zone_labels && g->copy_replies < REPLIES_MAX;
}

void copy_give_up(struct resolver *r, struct goal *g, const char *why)
{
	g->copy_spent = true;
	COUNT(r->counters, copy_refusals);
	GOAL_EVENT(r, g, EVENT_COPY_REFUSED, ask_name(g), goal_zone(g), .type = g->asked_type,
		   .note = why);
}

bool copy_answers(struct resolver *r, struct goal *g)
{
	uint8_t wire[WIRE_MSG_MAX];
	const struct zonecopy *copy;
	size_t len;
	int err;

	if (!may_ask(g))
		return false;
	copy = copies_find(r->copies, goal_zone(g), r->world.wall_s(r->world.ctx));
	if (copy == NULL)
		return false;
	err = zonecopy_reply(copy, ask_name(g), g->asked_type, &r->cfg.dnssec_limits, wire,
			     WIRE_MSG_MAX, &len);
	if (err != E_OK) {
		copy_give_up(r, g, err_text(err));
		return false;
	}
	COUNT(r->counters, copy_answers);
	g->copy_replies++;
	GOAL_EVENT(r, g, EVENT_LOCAL_COPY, ask_name(g), goal_zone(g), .type = g->asked_type);
	outcome_by_copy(r, g, wire, len);
	return true;
}

/* A zone whose copy is at hand is entered without a word from its parents. */
void copy_enter(struct resolver *r, const struct goal *g, struct knowledge *k)
{
	const struct zonecopy *copy;
	struct rrset *ns = NULL;
	unsigned labels;
	uint32_t now_s;

	if (r->copies == NULL || k->zone != NULL || g->route != 0 || g->stays_above)
		return;
	now_s = r->world.wall_s(r->world.ctx);
	copy = copies_enclosing(r->copies, g->name, g->type, now_s);
	if (copy == NULL)
		return;
	labels = name_labels(zonecopy_apex(copy));
	if (labels <= k->zone_labels ||
	    zonecopy_set(copy, zonecopy_apex(copy), TYPE_NS, now_s, &ns) != E_OK)
		return;
	rrset_put(k->ns_own);
	rrset_put(k->ns_parent);
	k->ns_own = NULL;
	k->ns_parent = ns;
	k->zone_labels = labels;
	k->zone_hash = name_hash(zonecopy_apex(copy));
}
