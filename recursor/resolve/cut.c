/* cut: where to ask: the closest zone cut, its name servers, their addresses. */
#include "recursor/resolve/asking.h"

#include <string.h>

#include "common/check.h"
#include "recursor/resolve/authzone.h"

enum {
	/* a cut younger than this is not fetched anew because its servers fail */
	STALE_CUT_S = 30,
};

/* ---- entering a zone ---- */

static struct rrset *set_in_use(const struct goal *g)
{
	return g->ns_own != NULL && !g->at_parents_set ? g->ns_own : g->ns_parent;
}

/* Forwarders have no names: they go by their zone's. */
const uint8_t *cut_ns_name(const struct goal *g, unsigned ns)
{
	return g->forwarded ? goal_zone(g) : set_in_use(g)->data + g->ns[ns].offset;
}

void cut_leave(struct resolver *r, struct goal *g)
{
	crowd_leave(r, g);
	goal_unwant_addresses(r, g); /* of servers that are its no more */
	rrset_put(g->ns_own);
	rrset_put(g->ns_parent);
	g->ns_own = g->ns_parent = NULL;
	g->n_ns = g->n_targets = 0;
}

static bool family_is_used(const struct resolver *r, const struct addr *a)
{
	return a->family == 4 ? r->cfg.use_ipv4 : r->cfg.use_ipv6;
}

static bool target_is_known(const struct goal *g, const struct addr *a)
{
	for (unsigned i = 0; i < g->n_targets; i++)
		if (addr_equal(&g->targets[i].addr, a))
			return true;
	return false;
}

/* A name server with dozens of addresses leaves room for the others', and those of one family for the
 * other's. */
static bool has_its_share(const struct resolver *r, const struct goal *g, unsigned ns,
			  const struct addr *a)
{
	unsigned families = r->cfg.use_ipv4 && r->cfg.use_ipv6 ? 2 : 1;
	unsigned names = g->n_ns > 0 ? g->n_ns : 1, n = 0;
	unsigned share = (unsigned)GOAL_TARGETS_MAX / names / families;

	for (unsigned i = 0; i < g->n_targets; i++)
		n += g->targets[i].ns == ns && g->targets[i].addr.family == a->family;
	return n >= share;
}

static void target_add(struct resolver *r, struct goal *g, unsigned ns, const struct addr *a,
		       bool is_hint)
{
	if (!family_is_used(r, a) || g->n_targets == GOAL_TARGETS_MAX || has_its_share(r, g, ns, a))
		return;
	/* What the operator has written into the hints he means. */
	if (!is_hint && r->cfg.dont_query != NULL && netset_match(r->cfg.dont_query, a)) {
		COUNT(r->counters, dont_outqueries);
		GOAL_EVENT(r, g, EVENT_DONT_QUERY, cut_ns_name(g, ns), NULL, .server = *a);
		return;
	}
	g->ns[ns].state = NS_KNOWN;
	g->ns[ns].has_address = true;
	if (target_is_known(g, a))
		return;
	g->targets[g->n_targets++] = (struct target) { .addr = *a, .ns = (uint8_t)ns };
	TRACE_EVENT(r, g, EVENT_ADDRESS_KNOWN, cut_ns_name(g, ns), NULL, .server = *a);
}

static bool is_data(const struct rrset *s)
{
	return s != NULL && s->kind == RRSET_DATA;
}

/* Adds the addresses in a set, if it is one of addresses. */
static void targets_add(struct resolver *r, struct goal *g, unsigned ns, const struct rrset *s,
			bool is_hint)
{
	struct rdata rr;
	size_t at = 0;

	if (!is_data(s) || (s->type != TYPE_A && s->type != TYPE_AAAA))
		return;
	while (rrset_next(s, &at, &rr)) {
		struct addr a;

		if (addr_from_rdata(&a, rr.data, rr.len, r->cfg.server_port) == E_OK)
			target_add(r, g, ns, &a, is_hint);
	}
}

/* The addresses of the root's servers that came with the hints. */
static void hints_add(struct resolver *r, struct goal *g, unsigned ns)
{
	for (unsigned i = 0; i < r->n_hints; i++)
		if (name_equal(rrset_owner(r->hints[i]), cut_ns_name(g, ns)))
			targets_add(r, g, ns, r->hints[i], true);
}

/* The addresses that our own zone has of the servers it delegates to: the operator's word, like
 * the hints. */
static void own_glue_add(struct resolver *r, struct goal *g, unsigned ns)
{
	const struct configured_zone *zone = zones_find_for(r->zones, g->name, g->type);
	struct rrset *v4, *v6;
	uint8_t name[NAME_MAX_LEN];

	if (zone == NULL || zone->auth == NULL || g->zone_labels != g->floor_labels)
		return;
	name_lower(name, cut_ns_name(g, ns));
	authzone_glue(zone->auth, name, r->world.wall_s(r->world.ctx), &v4, &v6);
	targets_add(r, g, ns, v4, true);
	targets_add(r, g, ns, v6, true);
	rrset_put(v4);
	rrset_put(v6);
}

static bool is_cut_off(const struct ns_name *n)
{
	return n->cut_off_a || n->cut_off_aaaa;
}

/* A server's own word on its addresses counts; the parent's glue while there is none, or when
 * the servers the zone names have all failed. */
static void addresses_look(struct resolver *r, struct goal *g, unsigned ns, uint64_t name_hash)
{
	struct cache_addresses v;
	struct ns_name *n = &g->ns[ns];
	bool was_cut_off = is_cut_off(n);

	cache_get_addresses(r->cache, cut_ns_name(g, ns), name_hash, r->world.wall_s(r->world.ctx),
			    g->by_stale ? r->cfg.stale_s : 0, &v);
	n->asked_a = v.a != NULL || !network_uses(r, 4);
	n->asked_aaaa = v.aaaa != NULL || !network_uses(r, 6);
	n->cut_off_a = v.a == NULL && r->cfg.use_ipv4 && !network_uses(r, 4);
	n->cut_off_aaaa = v.aaaa == NULL && r->cfg.use_ipv6 && !network_uses(r, 6);
	/* There is a route again. */
	if (n->state == NS_NONE && was_cut_off && !is_cut_off(n))
		n->state = NS_UNKNOWN;
	targets_add(r, g, ns, v.a, false);
	targets_add(r, g, ns, v.aaaa, false);
	if (g->with_glue || (!is_data(v.a) && !is_data(v.aaaa))) {
		targets_add(r, g, ns, v.glue_a, false);
		targets_add(r, g, ns, v.glue_aaaa, false);
	}
	if (g->zone_labels == 0 && (g->with_glue || n->state == NS_UNKNOWN))
		hints_add(r, g, ns);
	if (r->zones != NULL && (g->with_glue || n->state == NS_UNKNOWN))
		own_glue_add(r, g, ns);
	if (n->state == NS_UNKNOWN && n->asked_a && n->asked_aaaa)
		n->state = NS_NONE;
	cache_addresses_put(&v);
}

/* What is known of one server is far from what is known of the next: all come nearer together. */
static void all_addresses_look(struct resolver *r, struct goal *g)
{
	const unsigned n = g->n_ns;
	uint64_t hashes[GOAL_NS_MAX];

	for (unsigned i = 0; i < n; i++) {
		hashes[i] = name_hash(cut_ns_name(g, i));
		cache_fetch_bucket(r->cache, hashes[i]);
	}
	for (unsigned i = 0; i < n; i++)
		addresses_look(r, g, i, hashes[i]);
}

/* Takes the names of the set in use, at most max-ns-per-resolve of them, each with the same
 * chance (reservoir sampling), so that a delegation to hundreds costs no more than one to 13. */
static void ns_names_take(struct resolver *r, struct goal *g)
{
	const struct rrset *set = set_in_use(g);
	uint32_t max = r->cfg.max_ns_per_resolve, seen = 0;
	struct rdata rr;
	size_t at = 0;

	if (max == 0 || max > GOAL_NS_MAX)
		max = GOAL_NS_MAX;
	g->n_ns = g->n_targets = 0;
	while (set != NULL && rrset_next(set, &at, &rr)) {
		size_t offset = (size_t)(rr.data - set->data);
		uint32_t place = seen < max ? seen : resolver_random_below(r, seen + 1);

		if (offset > UINT16_MAX)
			break;
		seen++;
		if (place >= max)
			continue;
		g->ns[place] = (struct ns_name) { .offset = (uint16_t)offset };
		if (g->n_ns < max)
			g->n_ns++;
	}
	counter_max(&r->counters->peak_ns, seen);
	if (seen > max) {
		COUNT(r->counters, limit_ns);
		GOAL_EVENT(r, g, EVENT_LIMIT, NULL, NULL, .note = "max-ns-per-resolve");
	}
	all_addresses_look(r, g);
}

void cut_enter(struct resolver *r, struct goal *g, unsigned zone_labels, uint64_t zone_hash,
	       struct rrset **ns_own, struct rrset **ns_parent)
{
	minimise_release(r, g, STEP_LOST);
	cut_leave(r, g);
	g->zone_labels = (uint8_t)zone_labels;
	g->zone_hash = zone_hash;
	g->asked_labels = (uint8_t)zone_labels;
	g->minimise_steps = 0;
	g->at_parents_set = g->with_glue = g->lacks_glue = false;
	g->forwarded = g->recurse = false;
	g->copy_spent = g->by_copy = false;
	g->met_crowd = false; /* the former zone's */
	g->n_cuts++;
	if (ns_own != NULL) {
		g->ns_own = *ns_own;
		*ns_own = NULL;
	}
	g->ns_parent = *ns_parent;
	*ns_parent = NULL;
	if (set_in_use(g) == NULL)
		return; /* a forward, or a root without hints */
	goal_note(r, g, EVENT_CUT, g->zone_labels, TYPE_NS, 0);
	TRACE_EVENT(r, g, EVENT_CUT, goal_zone(g), NULL, .type = TYPE_NS);
	ns_names_take(r, g);
}

/* Of more forwarders than a goal has room for, those that follow one drawn at random. */
static void forwarders_take(struct resolver *r, struct goal *g, const struct configured_zone *zone)
{
	unsigned first = 0;

	if (zone->n_servers > GOAL_TARGETS_MAX)
		first = resolver_random_below(r, zone->n_servers);
	for (unsigned i = 0; i < zone->n_servers && g->n_targets < GOAL_TARGETS_MAX; i++) {
		const struct addr *a = &zone->servers[(first + i) % zone->n_servers];

		/* dont-query is not for servers that the operator names. */
		if (family_is_used(r, a) && !target_is_known(g, a))
			g->targets[g->n_targets++] = (struct target) { .addr = *a };
	}
	g->forwarded = true;
	g->recurse = zone->recurse;
	GOAL_EVENT(r, g, EVENT_FORWARD, goal_zone(g), NULL,
		   .note = zone->recurse ? "recursing" : NULL);
}

void cut_enter_known(struct resolver *r, struct goal *g, struct knowledge *k)
{
	bool is_forward = k->zone != NULL && k->zone->auth == NULL && k->ns_parent == NULL;

	g->floor_labels = (uint8_t)k->floor_labels;
	g->zones_serial = r->zones_serial;
	g->zone_print = zones_print(k->zone);
	cut_enter(r, g, k->zone_labels, k->zone_hash, &k->ns_own, &k->ns_parent);
	if (is_forward)
		forwarders_take(r, g, k->zone);
}

/* The glue that came with the referral, also what no cache keeps (TTL 0, or too little room): it is
 * good for the question that brought it. */
void cut_take_glue(struct resolver *r, struct goal *g, const struct reply *reply)
{
	for (unsigned ns = 0; ns < g->n_ns; ns++) {
		if (g->ns[ns].state == NS_KNOWN)
			continue;
		for (unsigned i = 0; i < reply->n_keep; i++)
			if (name_equal(rrset_owner(reply->keep[i].set), cut_ns_name(g, ns)))
				targets_add(r, g, ns, reply->keep[i].set, false);
	}
}

void cut_stop_waiting(struct resolver *r, struct goal *g)
{
	for (unsigned i = 0; i < g->n_ns; i++)
		if (g->ns[i].state == NS_WAITING) {
			g->ns[i].state = NS_UNKNOWN;
			g->ns[i].asked_a = !network_uses(r, 4);
			g->ns[i].asked_aaaa = !network_uses(r, 6);
		}
}

/* What has been tried stays tried when the list of servers is made anew. */
static bool targets_inherit(struct goal *g, const struct target *old, unsigned n_old)
{
	bool any_alive = false;

	for (unsigned i = 0; i < g->n_targets; i++) {
		struct target *t = &g->targets[i];

		for (unsigned k = 0; k < n_old; k++)
			if (addr_equal(&t->addr, &old[k].addr)) {
				t->tries = old[k].tries;
				t->dead = old[k].dead;
			}
		any_alive |= t->dead == TARGET_ALIVE && t->tries < GOAL_TRIES_MAX;
	}
	return any_alive;
}

static unsigned unknown_count(const struct goal *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->n_ns; i++)
		n += g->ns[i].state == NS_UNKNOWN;
	return n;
}

bool cut_use_parents_set(struct resolver *r, struct goal *g)
{
	struct target old[GOAL_TARGETS_MAX];
	unsigned n_old = g->n_targets, n_unknown;
	bool differs = g->ns_own != NULL && g->ns_parent != NULL &&
		       !rrset_equal_data(g->ns_own, g->ns_parent);

	if (g->with_glue || g->forwarded)
		return false;
	goal_unwant_all(r, g);
	cut_stop_waiting(r, g);
	n_unknown = unknown_count(g);
	memcpy(old, g->targets, n_old * sizeof(old[0]));
	g->with_glue = true;
	g->at_parents_set = differs;
	if (differs)
		ns_names_take(r, g);
	else
		all_addresses_look(r, g);
	if (!targets_inherit(g, old, n_old) && !differs)
		return unknown_count(g) > n_unknown;
	COUNT(r->counters, nsset_invalidations);
	GOAL_EVENT(r, g, EVENT_PARENT_AGAIN, goal_zone(g), NULL, );
	return true;
}

/* Is it worth asking the parent whom it refers to by now?  Yes if the referral is not of just
 * now, or if the glue that must have come with it is there no more: some of it expired, all of it
 * evicted, or wiped while the referral was being entered.  But a zone whose servers are dead shall
 * not send all its queries to its parent. */
static bool cut_may_be_stale(struct resolver *r, const struct goal *g)
{
	const struct rrset *s = g->ns_parent;
	int64_t age_s;

	if (s == NULL || g->lacks_glue)
		return true;
	age_s = (int64_t)r->world.wall_s(r->world.ctx) - ((int64_t)s->expires_s - s->ttl);
	/* Made in the future: the clock was set back, nobody knows how old it is. */
	return age_s < 0 || age_s >= STALE_CUT_S || age_s >= s->glue_s;
}

bool cut_go_up(struct resolver *r, struct goal *g)
{
	struct knowledge k;

	/* Ever further up, but down and up again only once. */
	if (g->by_stale || g->zone_labels <= g->floor_labels ||
	    (g->up_from != 0 && g->zone_labels >= g->up_from) || !cut_may_be_stale(r, g))
		return false;
	g->up_from = g->zone_labels;
	g->stays_above = true;
	knowledge_look(r, g->name, g->name_hash, g->type, LOOK_CUT, 0, g->zone_labels - 1U, &k);
	goal_unwant_all(r, g);
	cut_enter_known(r, g, &k);
	knowledge_clear(&k);
	return true;
}

/* The addresses that have expired, of the servers of the zone on hand. */
static bool stale_addresses_use(struct resolver *r, struct goal *g)
{
	struct target old[GOAL_TARGETS_MAX];
	unsigned n_old = g->n_targets;

	memcpy(old, g->targets, n_old * sizeof(old[0]));
	all_addresses_look(r, g);
	return targets_inherit(g, old, n_old);
}

static bool stale_cut_take(struct resolver *r, struct goal *g, struct knowledge *k)
{
	g->by_stale = true;
	g->stays_above = false;
	goal_unwant_all(r, g);
	cut_enter_known(r, g, k);
	return g->n_ns > 0;
}

static void stale_cut_note(struct resolver *r, struct goal *g)
{
	COUNT(r->counters, stale_cuts);
	GOAL_EVENT(r, g, EVENT_STALE_CUT, goal_zone(g), NULL, );
}

bool cut_use_stale(struct resolver *r, struct goal *g)
{
	struct knowledge k;
	bool found;

	if (r->cfg.stale_s == 0 || g->by_stale || g->forwarded)
		return false;
	knowledge_look(r, g->name, g->name_hash, g->type, LOOK_CUT, r->cfg.stale_s, NAME_MAX_LABELS,
		       &k);
	if (k.zone_labels > g->zone_labels) {
		found = stale_cut_take(r, g, &k);
	} else {
		g->by_stale = true;
		goal_unwant_all(r, g);
		cut_stop_waiting(r, g);
		found = stale_addresses_use(r, g);
	}
	knowledge_clear(&k);
	if (found)
		stale_cut_note(r, g);
	return found;
}

bool cut_leave_silent_parent(struct resolver *r, struct goal *g)
{
	struct knowledge k;
	bool found;

	if (r->cfg.stale_s == 0 || g->looked_below || g->by_stale || g->forwarded ||
	    r->world.now_ms(r->world.ctx) - g->began_ms < STALE_CUT_AFTER_MS)
		return false;
	g->looked_below = true;
	knowledge_look(r, g->name, g->name_hash, g->type, LOOK_CUT, r->cfg.stale_s, NAME_MAX_LABELS,
		       &k);
	/* One that is live was left for good reason. */
	found = k.zone_labels > g->zone_labels && k.ns_parent != NULL &&
		rrset_is_expired(k.ns_parent, r->world.wall_s(r->world.ctx)) &&
		stale_cut_take(r, g, &k);
	knowledge_clear(&k);
	if (found)
		stale_cut_note(r, g);
	return found;
}

/* ---- looking up name servers' addresses ---- */

/* Only the parent can tell where such a server is, if the zone's others do not. */
static bool is_within_its_zone(const struct goal *g, unsigned ns)
{
	return g->zone_labels > 0 && name_is_within(cut_ns_name(g, ns), goal_zone(g));
}

static void ns_has_none(struct goal *g, unsigned ns)
{
	g->ns[ns].state = NS_NONE;
	g->lacks_glue = g->lacks_glue || (is_within_its_zone(g, ns) && !g->ns[ns].has_address);
}

/* All ways to this name server's address have been tried.  False: it is known by one all the same, and
 * that there are no others is no failure. */
static bool ns_give_up(struct resolver *r, struct goal *g, unsigned ns)
{
	if (g->ns[ns].has_address) {
		g->ns[ns].state = NS_KNOWN;
		return false;
	}
	ns_has_none(g, ns);
	GOAL_EVENT(r, g, EVENT_ADDRESS_NONE, cut_ns_name(g, ns), NULL, );
	goal_charge_ns_failure(r, g);
	return true;
}

/* Has one address type of a name server looked up: A first, AAAA when that brought nothing, or none
 * that answers. */
static bool ns_look_up(struct resolver *r, struct goal *g, unsigned ns)
{
	struct ns_name *n = &g->ns[ns];
	const uint8_t *written = cut_ns_name(g, ns);
	uint8_t name[NAME_MAX_LEN];

	name_lower(name, written);
	while (!n->asked_a || !n->asked_aaaa) {
		uint16_t type = n->asked_a ? TYPE_AAAA : TYPE_A;

		if (type == TYPE_A)
			n->asked_a = true;
		else
			n->asked_aaaa = true;
		GOAL_EVENT(r, g, EVENT_ADDRESS_WANTED, name, NULL, .type = type);
		if (goal_want(r, g, EDGE_ADDRESS, (uint8_t)ns, name, type) == EDGE_MADE) {
			n->state = NS_WAITING;
			return true;
		}
	}
	(void)ns_give_up(r, g, ns);
	return false;
}

/* Its name has led nowhere a few times in a row: left alone for a while. */
static bool ns_is_left_out(struct resolver *r, struct goal *g, unsigned ns)
{
	if (!servers_ns_is_left_out(r->servers, cut_ns_name(g, ns), r->world.now_ms(r->world.ctx)))
		return false;
	ns_has_none(g, ns);
	COUNT(r->counters, unresolved_skips);
	GOAL_EVENT(r, g, EVENT_ADDRESS_NONE, cut_ns_name(g, ns), NULL,
		   .note = "non-resolving-ns-max-fails");
	return true;
}

static bool is_worth_asking(struct resolver *r, unsigned family)
{
	return network_uses(r, family) || network_looks_for_route(r, family);
}

/* Where no address of a family is known, no question would ever find out that it has a route again: now and
 * then one is looked up all the same, of a server that is of no use without it, and no other. */
static void look_past_the_cut(struct resolver *r, struct ns_name *n)
{
	bool may_a = n->cut_off_a && is_worth_asking(r, 4);
	bool may_aaaa = n->cut_off_aaaa && is_worth_asking(r, 6);

	if (may_a)
		n->cut_off_a = n->asked_a = false;
	if (may_aaaa)
		n->cut_off_aaaa = n->asked_aaaa = false;
	if ((may_a || may_aaaa) && n->state == NS_NONE)
		n->state = NS_UNKNOWN;
}

/* Where a server within the zone is, its parent has told; perhaps long ago: those that answer, but without
 * what validates, may know better. */
static bool may_look_up(const struct goal *g, unsigned ns)
{
	return !name_is_within(cut_ns_name(g, ns), goal_zone(g)) ||
	       (g->v.last_bogus != BOGUS_NONE && !g->ns[ns].is_there);
}

/* Worth a look-up: of no known address; `known`: known by addresses of one family, or by glue, to no avail. */
static bool wants_look_up(struct resolver *r, struct goal *g, unsigned ns, bool known)
{
	struct ns_name *n = &g->ns[ns];

	if (n->state == (known ? NS_KNOWN : NS_NONE) && may_look_up(g, ns))
		look_past_the_cut(r, n);
	if (!known)
		return n->state == NS_UNKNOWN;
	return n->state == NS_KNOWN && !(n->asked_a && n->asked_aaaa) && may_look_up(g, ns);
}

/* How many goals it waits on in the end. */
static unsigned look_up_some(struct resolver *r, struct goal *g, bool known, unsigned waiting)
{
	unsigned start = g->n_ns > 0 ? resolver_random_below(r, g->n_ns) : 0;

	for (unsigned k = 0; k < g->n_ns && waiting < GOAL_LOOKUPS_AT_ONCE; k++) {
		unsigned ns = (start + k) % g->n_ns;

		if (!wants_look_up(r, g, ns, known))
			continue;
		if (!goal_may_look_up_ns(r, g)) {
			g->met_limit = true;
			GOAL_EVENT(r, g, EVENT_LIMIT, NULL, NULL, .note = "max-ns-address-qperq");
			break;
		}
		if (!known && ns_is_left_out(r, g, ns))
			continue;
		waiting += ns_look_up(r, g, ns);
		if (g->state == GOAL_DEAD)
			return 0;
	}
	return waiting;
}

unsigned cut_look_up_addresses(struct resolver *r, struct goal *g)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < g->n_ns; i++) {
		waiting += g->ns[i].state == NS_WAITING;
		/* When none of the zone's can be asked.  Those that answer, but without what
		 * validates, can tell. */
		if (g->ns[i].state == NS_UNKNOWN && g->v.last_bogus == BOGUS_NONE &&
		    is_within_its_zone(g, i))
			ns_has_none(g, i);
	}
	return look_up_some(r, g, false, waiting);
}

unsigned cut_look_up_others(struct resolver *r, struct goal *g)
{
	return look_up_some(r, g, true, 0);
}

/* What was refused for who asks, or for the many, is no failure of the name's; and a look-up is one, however
 * many waited for it. */
static void ns_unresolved_count(struct resolver *r, struct goal *child)
{
	if (child->is_unresolved || child->met_limit || child->met_crowd || child->met_cut ||
	    child->met_cycle || child->by_policy)
		return;
	child->is_unresolved = true;
	servers_ns_unresolved(r->servers, child->name, r->world.now_ms(r->world.ctx));
}

void cut_address_found(struct resolver *r, struct goal *g, unsigned ns, struct goal *child)
{
	struct ns_name *n = &g->ns[ns];

	ASSERT(ns < g->n_ns);
	n->state = NS_UNKNOWN;
	g->met_limit |= child->rcode == RCODE_SERVFAIL && child->met_limit;
	g->met_crowd |= child->rcode == RCODE_SERVFAIL && child->met_crowd;
	g->met_cut |= child->rcode == RCODE_SERVFAIL && child->met_cut;
	g->met_want |= child->rcode == RCODE_SERVFAIL && child->met_want;
	g->by_policy |= child->by_policy;
	if (child->rcode == RCODE_NOERROR && child->n_chain > 0)
		targets_add(r, g, ns, child->chain[child->n_chain - 1], false);
	/* NXDOMAIN says it for the other family too. */
	if (child->rcode == RCODE_NXDOMAIN)
		n->asked_a = n->asked_aaaa = true;
	if (n->state == NS_KNOWN)
		servers_ns_resolved(r->servers, cut_ns_name(g, ns));
	else if (n->asked_a && n->asked_aaaa && ns_give_up(r, g, ns))
		ns_unresolved_count(r, child);
}
