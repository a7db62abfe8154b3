/* minimise: QNAME minimisation (RFC 9156): which question is put to a zone's servers next; what the
 * cache spares; and that equal steps of many goals are one question. */
#include "recursor/resolve/asking.h"

#include "common/check.h"

static const uint8_t *step_name(const struct goal *g)
{
	return name_suffix(g->name, g->asked_labels);
}

/* A label more than is known to exist, the first few one by one, the rest in as many strides as
 * are left (RFC 9156 2.3); the whole name with its type at last. */
void minimise_choose(const struct resolver *r, struct goal *g)
{
	unsigned max_steps = r->cfg.minimise_max, one_label = r->cfg.minimise_one_lab;
	unsigned whole = name_labels(g->name), left = whole - g->asked_labels, stride = 1;

	if (g->minimise_steps >= max_steps || !g->minimise || g->recurse)
		stride = left;
	else if (g->minimise_steps >= one_label)
		stride = (left + max_steps - g->minimise_steps - 1) /
			 (max_steps - g->minimise_steps);
	if (stride >= left) {
		g->asked_labels = (uint8_t)whole;
		g->asked_type = g->type;
		return;
	}
	g->minimise_steps++;
	g->asked_labels = (uint8_t)(g->asked_labels + stride);
	/* RFC 9156 2.1: a type that is ordinary everywhere. */
	g->asked_type = TYPE_A;
}

bool minimise_is_over(const struct goal *g)
{
	return g->asked_type == g->type && g->asked_labels == name_labels(g->name);
}

/* Another question: every server may be asked it. */
static void targets_renew(struct goal *g)
{
	for (unsigned i = 0; i < g->n_targets; i++) {
		struct target *t = &g->targets[i];

		t->tries = 0;
		if (t->dead == TARGET_SILENT_ON)
			t->dead = TARGET_ALIVE;
	}
}

void minimise_on(struct resolver *r, struct goal *g)
{
	minimise_release(r, g, STEP_PASSED);
	minimise_choose(r, g);
	targets_renew(g);
	GOAL_EVENT(r, g, EVENT_MINIMISED_ON, name_suffix(g->name, g->asked_labels), NULL,
		   .type = g->asked_type);
}

/* RFC 9156 2.3, relaxed: a server that stumbles over a name cut short gets the whole. */
bool minimise_off(struct resolver *r, struct goal *g)
{
	if (minimise_is_over(g))
		return false;
	minimise_release(r, g, STEP_DENIED);
	COUNT(r->counters, qmin_fallbacks);
	g->gave_up_minimising = true;
	GOAL_EVENT(r, g, EVENT_MINIMISE_OFF, g->name, NULL, );
	g->minimise = false;
	minimise_choose(r, g);
	targets_renew(g);
	return true;
}

/* ---- what the cache spares ---- */

void minimise_by_what_is_known(struct resolver *r, struct goal *g)
{
	while (!minimise_is_over(g)) {
		struct cache_view v;
		bool exists, denied;

		cache_look(r->cache, step_name(g), g->asked_type, CACHE_WANT_ANSWER,
			   r->world.wall_s(r->world.ctx), 0, &v);
		/* An ancestor's denial that covers all below has been looked for already. */
		denied = v.nxdomain != NULL;
		exists = v.cname != NULL || (v.exact != NULL && v.exact->kind != RRSET_FAILURE);
		cache_view_put(&v);
		if (denied)
			minimise_off(r, g);
		else if (exists)
			minimise_on(r, g);
		else
			return;
	}
}

/* ---- equal steps are one question ----
 *
 * Many names below one name have the same first steps.  Were each asked by itself, whoever sends
 * such names to us could have one question in flight as often as he likes, and guess an answer to
 * any of them (the birthday attack).  So a step that is in flight is waited for: by an edge, like
 * all waiting.  It lasts while the leader has its question on its way. */

static uint64_t step_hash(const struct goal *g)
{
	return name_hash(step_name(g)) + ((uint64_t)g->zone_labels << 16 | g->asked_type);
}

static struct goal *leader_find(const struct resolver *r, const struct goal *g)
{
	struct chain_link *l = chains_first(&r->steps, step_hash(g));

	for (; l != NULL; l = chains_next(l)) {
		struct goal *at = CONTAINER(l, struct goal, by_step);

		if (at->zone_labels == g->zone_labels && at->asked_type == g->asked_type &&
		    name_equal_case(step_name(at), step_name(g)))
			return at;
	}
	return NULL;
}

void minimise_lead(struct resolver *r, struct goal *g)
{
	/* What the policy led it to is for its own clients. */
	if (g->leads || g->by_policy || minimise_is_over(g))
		return;
	chains_add(&r->steps, &g->by_step, step_hash(g));
	g->leads = true;
}

bool minimise_follow(struct resolver *r, struct goal *g)
{
	struct goal *leader;

	/* Not beside address look-ups: who starts anew must have none. */
	if (g->leads || g->by_policy || minimise_is_over(g) || g->children != NULL)
		return false;
	leader = leader_find(r, g);
	if (leader == NULL || !goal_wait(r, g, EDGE_STEP, leader))
		return false;
	COUNT(r->counters, chain_resends);
	GOAL_EVENT(r, g, EVENT_STEP_SHARED, step_name(g), NULL, .type = g->asked_type);
	g->state = GOAL_FOLLOW;
	return true;
}

void minimise_release(struct resolver *r, struct goal *g, enum step_end how)
{
	struct edge *e, *next;

	if (!g->leads)
		return;
	chains_remove(&r->steps, &g->by_step);
	g->leads = false;
	for (e = g->parents; e != NULL; e = next) {
		struct goal *follower = e->parent;

		next = e->next_of_child;
		if (e->kind != EDGE_STEP)
			continue;
		goal_unwait(r, e);
		follower->state = how == STEP_LOST ? GOAL_START : GOAL_CHOOSE;
		/* The leader's step is theirs: it need not be in the cache for that. */
		if (how == STEP_PASSED)
			minimise_on(r, follower);
		else if (how == STEP_DENIED)
			minimise_off(r, follower);
		goal_make_ready(r, follower);
	}
}
