/* iterate: a goal's steps.  One function a state; the table at the end is the list of what can
 * happen. */
#include "recursor/resolve/asking.h"

#include <string.h>

#include "common/check.h"
#include "recursor/resolve/copyask.h"

/* ---- ends ---- */

static void chain_add(struct goal *g, struct rrset *set)
{
	if (set != NULL && EXPECT(g->n_chain < GOAL_CHAIN_MAX))
		g->chain[g->n_chain++] = rrset_get(set);
}

static void chain_clear(struct goal *g)
{
	while (g->n_chain > 0)
		rrset_put(g->chain[--g->n_chain]);
	rrset_put(g->denial);
	g->denial = NULL;
}

void resolver_remember_failure(struct resolver *r, const uint8_t *name, uint16_t type,
			       enum cause why)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx), ttl = r->cfg.failure_ttl;
	struct rrset *failure = NULL;

	/* RFC 8767 5: while there is old data to serve, a name that failed is not tried again sooner. */
	if (ttl < STALE_RECHECK_S && stale_is_known(r, name, type))
		ttl = STALE_RECHECK_S;
	if (ttl == 0 || rrset_new_negative(&failure, RRSET_FAILURE, name, type, ttl, now_s,
					   RANK_NONE, NULL, 0, why) != E_OK)
		return;
	cache_put(r->cache, failure, goal_put_how(r, name), now_s);
	rrset_put(failure);
}

static void fail(struct resolver *r, struct goal *g, enum cause why)
{
	chain_clear(g);
	g->rcode = RCODE_SERVFAIL;
	g->cause = (uint8_t)why;
	g->cacheable = false;
	goal_end(r, g);
}

static void end_with_failure(struct resolver *r, struct goal *g, enum cause why)
{
	/* RFC 9520 3: a failure is remembered for a while.  Not one that comes of a circle or of a
	 * long way to here: it may be none for whoever asks from another side; nor one that comes of
	 * many questions for one zone, which may have passed by the next, or of our own network or host. */
	bool is_far = g->depth > 0 || g->links > 0;

	if (!g->met_cycle && !g->met_crowd && !g->met_cut && !goal_ends_private(g) &&
	    !(g->met_limit && is_far) && !g->is_remembered)
		resolver_remember_failure(r, g->name, g->type, why);
	fail(r, g, why);
}

void goal_end_unchecked(struct resolver *r, struct goal *g, enum cause why)
{
	fail(r, g, why);
}

void goal_end_bogus(struct resolver *r, struct goal *g, enum bogus why)
{
	chain_clear(g);
	g->rcode = RCODE_SERVFAIL;
	g->cause = CAUSE_BOGUS;
	g->security = SEC_BOGUS;
	g->bogus = (uint8_t)why;
	g->cacheable = false;
	GOAL_EVENT(r, g, EVENT_BOGUS, g->name, NULL, .type = g->type, .note = bogus_row(why)->text);
	goal_end(r, g);
}

void goal_end_data(struct resolver *r, struct goal *g, struct rrset *set)
{
	if (validate_first(r, g, THEN_DATA, NULL, set))
		return;
	chain_add(g, set);
	g->rcode = RCODE_NOERROR;
	g->cacheable = true;
	goal_end(r, g);
}

void goal_end_denial(struct resolver *r, struct goal *g, struct rrset *set)
{
	if (validate_first(r, g, THEN_DENIAL, NULL, set))
		return;
	g->rcode = set->kind == RRSET_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR;
	g->denial = rrset_get(set);
	g->cacheable = rrset_soa(set) != NULL;
	goal_end(r, g);
}

void goal_end_too_long(struct resolver *r, struct goal *g, struct rrset *dname)
{
	if (validate_first(r, g, THEN_TOO_LONG, dname, NULL))
		return;
	GOAL_EVENT(r, g, EVENT_DNAME, g->name, rrset_owner(dname),
		   .note = "what it stands for is too long for a name");
	chain_add(g, dname);
	g->rcode = RCODE_YXDOMAIN;
	g->cause = CAUSE_ALIAS_TOO_LONG;
	g->cacheable = true;
	goal_end(r, g);
}

/* ---- aliases ---- */

void goal_follow_alias(struct resolver *r, struct goal *g, struct rrset *dname, struct rrset *cname)
{
	uint8_t target[NAME_MAX_LEN];
	struct rdata rr;
	size_t at = 0;

	if (validate_first(r, g, THEN_ALIAS, dname, cname))
		return;
	chain_add(g, dname);
	chain_add(g, cname);
	g->cacheable = true;
	if (g->type == TYPE_DS && trust_end_at_alias(r, g))
		return;
	if (!EXPECT(rrset_next(cname, &at, &rr))) {
		end_with_failure(r, g, CAUSE_ALIAS_EMPTY);
		return;
	}
	name_lower(target, rr.data);
	GOAL_EVENT(r, g, dname != NULL ? EVENT_DNAME : EVENT_CNAME, g->name, target,
		   .type = TYPE_CNAME);
	/* The CNAME that a DNAME makes is what was asked for. */
	if (g->type == TYPE_CNAME) {
		g->rcode = RCODE_NOERROR;
		goal_end(r, g);
		return;
	}
	if (g->links >= r->cfg.max_cnames) {
		COUNT(r->counters, limit_cnames);
		g->met_limit = true;
		GOAL_EVENT(r, g, EVENT_LIMIT, target, NULL, .note = cause_row(CAUSE_CNAMES)->text);
		end_with_failure(r, g, CAUSE_CNAMES);
		return;
	}
	counter_max(&r->counters->peak_links, g->links + 1U);
	cut_leave(r, g);
	switch (goal_want(r, g, EDGE_ALIAS, 0, target, g->type)) {
	case EDGE_MADE:
		g->state = GOAL_ALIAS;
		return;
	case EDGE_CYCLE:
		end_with_failure(r, g, CAUSE_ALIAS_LOOP);
		return;
	case EDGE_TOO_DEEP:
	case EDGE_NO_ROOM:
		break;
	}
	end_with_failure(r, g, CAUSE_GOALS);
}

/* What the reply has of a name on the chain: data of the type, a denial, another alias. */
static struct rrset *chain_next(const struct reply *reply, const uint8_t *name, uint16_t type)
{
	for (unsigned i = 0; i < reply->n_keep; i++) {
		struct rrset *s = reply->keep[i].set;

		if (!reply->keep[i].as_delegation && name_equal(rrset_owner(s), name) &&
		    (s->kind != RRSET_DATA || s->type == type || s->type == TYPE_CNAME))
			return s;
	}
	return NULL;
}

void goal_follow_chain(struct resolver *r, struct goal *g, const struct reply *reply)
{
	struct rrset *dname = reply->dname, *cname = reply->answer, *next = NULL;
	struct rdata rr;

	for (unsigned links = 0; links < r->cfg.max_cnames && links < REPLY_LINKS_MAX; links++) {
		size_t at = 0;

		if (g->type != TYPE_CNAME && rrset_next(cname, &at, &rr))
			next = chain_next(reply, rr.data, g->type);
		if (next == NULL)
			break;
		GOAL_EVENT(r, g, EVENT_CNAME, rrset_owner(cname), rr.data, .type = TYPE_CNAME);
		chain_add(g, dname);
		chain_add(g, cname);
		dname = NULL;
		if (next->kind != RRSET_DATA) {
			goal_end_denial(r, g, next);
			return;
		}
		if (next->type == g->type) {
			goal_end_data(r, g, next);
			return;
		}
		cname = next;
		next = NULL;
	}
	goal_follow_alias(r, g, dname, cname);
}

static unsigned links_count(const struct goal *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->n_chain; i++)
		n += g->chain[i]->type == TYPE_CNAME;
	return n;
}

/* The alias's target has ended: its answer continues ours. */
static void alias_ended(struct resolver *r, struct goal *g, const struct goal *child)
{
	g->state = GOAL_ENDING;
	g->rcode = child->rcode;
	g->cause = child->cause;
	g->is_remembered = child->is_remembered;
	/* What was followed before zones were configured anew may not be an answer now. */
	g->cacheable = g->cacheable && child->cacheable && g->zones_serial == r->zones_serial;
	goal_met_what(g, child);
	g->by_policy = g->by_policy || child->by_policy;
	g->security = (uint8_t)security_of_both((enum security)g->security, goal_security(child));
	if (child->bogus != BOGUS_NONE)
		g->bogus = child->bogus;
	g->is_under_nta = g->is_under_nta || child->is_under_nta;
	if (child->rcode == RCODE_SERVFAIL)
		return;
	if (links_count(g) + links_count(child) > r->cfg.max_cnames ||
	    g->n_chain + child->n_chain > GOAL_CHAIN_MAX) {
		COUNT(r->counters, limit_cnames);
		g->rcode = RCODE_SERVFAIL;
		g->cause = CAUSE_CNAMES;
		return;
	}
	for (unsigned i = 0; i < child->n_chain; i++)
		chain_add(g, child->chain[i]);
	if (child->denial != NULL)
		g->denial = rrset_get(child->denial);
}

void goal_child_ended(struct resolver *r, struct edge *e)
{
	if (e->kind == EDGE_ALIAS)
		alias_ended(r, e->parent, e->child);
	else if (e->kind == EDGE_TRUST)
		trust_told(r, e->parent, e->child);
	else
		cut_address_found(r, e->parent, e->ns, e->child);
}

static void step_ending(struct resolver *r, struct goal *g)
{
	if (g->security == SEC_BOGUS && g->bogus != BOGUS_NONE)
		goal_end_bogus(r, g, (enum bogus)g->bogus);
	else if (g->rcode == RCODE_SERVFAIL)
		end_with_failure(r, g, (enum cause)g->cause);
	else
		goal_end(r, g);
}

/* ---- looking at what is known ---- */

bool special_find(struct resolver *r, const uint8_t *name, uint16_t type, struct rrset **out)
{
	const struct configured_zone *zone = zones_find(r->zones, name);

	if (!special_look(out, r->special, &r->cfg, name, type,
			  zone != NULL ? zone->labels + 1U : 0, r->world.wall_s(r->world.ctx)))
		return false;
	COUNT(r->counters, special_answers);
	return true;
}

static bool special_try(struct resolver *r, struct goal *g)
{
	struct rrset *set = NULL;

	if (!special_find(r, g->name, g->type, &set))
		return false;
	GOAL_EVENT(r, g, EVENT_SPECIAL, g->name, NULL, .type = g->type);
	if (set == NULL)
		end_with_failure(r, g, CAUSE_MEMORY);
	else if (set->kind == RRSET_DATA)
		goal_end_data(r, g, set);
	else
		goal_end_denial(r, g, set);
	rrset_put(set);
	return true;
}

static uint32_t ttl_of(const struct resolver *r, const struct knowledge *k)
{
	return k->set != NULL ? rrset_ttl_left(k->set, r->world.wall_s(r->world.ctx)) : 0;
}

static void known_report(struct resolver *r, struct goal *g, const struct knowledge *k)
{
	static const uint8_t kinds[] = {
		[KNOWN_NOTHING] = EVENT_CACHE_MISS,      [KNOWN_DATA] = EVENT_CACHE_HIT,
		[KNOWN_ALIAS] = EVENT_CACHE_HIT,         [KNOWN_NODATA] = EVENT_CACHE_NEGATIVE,
		[KNOWN_NXDOMAIN] = EVENT_CACHE_NEGATIVE, [KNOWN_FAILURE] = EVENT_CACHE_FAILURE,
		[KNOWN_YXDOMAIN] = EVENT_CACHE_HIT,
	};

	if (k->authoritative) {
		COUNT(r->counters, auth_zone_queries);
		GOAL_EVENT(r, g, EVENT_AUTH_ZONE, k->zone->name, NULL, .type = g->type);
		return;
	}
	/* An answer that is at hand is no story, but a part of another's; that there is none needs no
	 * note, since a zone cut follows (journal.c). */
	if (k->what == KNOWN_FAILURE || (k->what != KNOWN_NOTHING && goal_is_noted(r, g)))
		goal_note(r, g, kinds[k->what], JOURNAL_WHOLE, g->type, ttl_of(r, k));
	TRACE_EVENT(r, g, kinds[k->what], g->name, NULL, .type = g->type, .ttl = ttl_of(r, k));
}

/* By a route: nothing is known but whom to ask. */
static void start_by_route(struct resolver *r, struct goal *g)
{
	struct knowledge k = { .zone = goal_configured(r, g) };

	if (k.zone == NULL) {
		end_with_failure(r, g, CAUSE_NO_GROUP);
		return;
	}
	cut_enter_known(r, g, &k);
	minimise_choose(r, g);
	g->state = GOAL_CHOOSE;
	goal_make_ready(r, g);
}

static void step_start(struct resolver *r, struct goal *g)
{
	enum look what = g->validates ? LOOK_VALIDATED : LOOK_ANSWER;
	struct knowledge k;

	if (g->type == CACHE_TRUST) {
		trust_step(r, g);
		return;
	}
	if (special_try(r, g))
		return;
	if (g->route != 0) {
		start_by_route(r, g);
		return;
	}
	/* A zone that was given up is reached again from above only. */
	knowledge_look(r, g->name, g->name_hash, g->type, g->no_cache ? LOOK_CUT : what, 0,
		       g->stays_above ? g->up_from - 1U : NAME_MAX_LABELS, &k);
	known_report(r, g, &k);
	g->zones_serial = r->zones_serial;
	g->authoritative = k.authoritative;
	if (r->cfg.refresh_percent != 0)
		refresh_if_due(r, g, &k);
	switch (k.what) {
	case KNOWN_DATA:
		goal_end_data(r, g, k.set);
		break;
	case KNOWN_ALIAS:
		goal_follow_alias(r, g, k.dname, k.set);
		break;
	case KNOWN_NODATA:
	case KNOWN_NXDOMAIN:
		goal_end_denial(r, g, k.set);
		break;
	case KNOWN_YXDOMAIN:
		goal_end_too_long(r, g, k.dname);
		break;
	case KNOWN_FAILURE:
		if (k.authoritative) {
			end_with_failure(r, g, CAUSE_MEMORY);
			break;
		}
		COUNT(r->counters, failures_cached);
		g->is_remembered = true;
		if (rrset_security(k.set) == SEC_BOGUS) {
			story_again(r, g, rrset_proofs(k.set)[0]);
			goal_end_bogus(r, g, (enum bogus)rrset_bogus(k.set));
			break;
		}
		end_with_failure(r, g, (enum cause)k.set->cause);
		break;
	case KNOWN_NOTHING:
		if (refresh_join(r, g) || byproof_end(r, g, &k))
			break;
		if (k.zone_labels == 0 && k.ns_own == NULL && k.zone == NULL)
			resolver_prime_soon(r);
		copy_enter(r, g, &k);
		cut_enter_known(r, g, &k);
		minimise_choose(r, g);
		g->state = GOAL_CHOOSE;
		goal_make_ready(r, g);
		break;
	}
	knowledge_clear(&k);
}

/* ---- choosing and waiting ---- */

/* Those who shared its step were the last to wait for it. */
static bool is_forsaken(struct resolver *r, struct goal *g)
{
	if (g->n_waiters > 0)
		return false;
	goal_drop(r, g);
	return true;
}

/* More than its share is in flight for the zone already. */
static void end_for_the_zone(struct resolver *r, struct goal *g)
{
	end_with_failure(r, g, CAUSE_ZONE);
}

bool goal_begin_anew_if_zone_changed(struct resolver *r, struct goal *g)
{
	if (g->zones_serial == r->zones_serial)
		return false;
	if (zones_print(goal_configured(r, g)) == g->zone_print) {
		g->zones_serial = r->zones_serial;
		return false;
	}
	GOAL_EVENT(r, g, EVENT_ZONES_CHANGED, g->name, NULL, );
	validate_forget(g); /* the former zone's servers said that */
	minimise_release(r, g, STEP_LOST);
	goal_unwant_all(r, g);
	cut_leave(r, g);
	g->up_from = 0;
	g->stays_above = g->by_stale = g->by_policy = g->trust_by_policy = false;
	g->state = GOAL_START;
	goal_make_ready(r, g);
	return true;
}

/* None of the servers known can be asked: another way to ask, or others. */
static void choose_otherwise(struct resolver *r, struct goal *g)
{
	if ((g->saw_refusal && minimise_off(r, g)) || cut_use_parents_set(r, g) ||
	    (!g->met_crowd && minimise_off(r, g))) {
		goal_make_ready(r, g);
		return;
	}
	/* Neither the name nor the delegation is to blame. */
	if (g->met_crowd) {
		end_with_failure(r, g, CAUSE_SERVER);
		return;
	}
	if (cut_look_up_others(r, g) > 0) {
		g->state = GOAL_ADDRESSES;
		return;
	}
	/* What is bogus at all servers is so further up as well, unless some were not found. */
	if (g->state == GOAL_DEAD || (!g->lacks_glue && validate_give_up(r, g)))
		return;
	if (cut_go_up(r, g) || cut_use_stale(r, g)) {
		minimise_choose(r, g);
		goal_make_ready(r, g);
		return;
	}
	if (validate_give_up(r, g))
		return;
	if (g->met_want)
		end_with_failure(r, g, CAUSE_RESOURCES);
	else if (g->met_cut)
		end_with_failure(r, g,
				 g->forwarded ? CAUSE_FORWARDER_CUT_OFF : CAUSE_SERVER_CUT_OFF);
	else
		end_with_failure(r, g, g->forwarded ? CAUSE_NO_FORWARDER : CAUSE_NO_SERVER);
}

/* Nobody can be asked: nothing else need be tried. */
static void end_for_the_network(struct resolver *r, struct goal *g)
{
	COUNT(r->counters, network_down_failures);
	g->met_cut = true;
	GOAL_EVENT(r, g, EVENT_NETWORK_DOWN, NULL, NULL, );
	end_with_failure(r, g, CAUSE_NETWORK);
}

static void step_choose(struct resolver *r, struct goal *g)
{
	int target;

	if (goal_begin_anew_if_zone_changed(r, g))
		return;
	g->state = GOAL_CHOOSE;
	if (cut_leave_silent_parent(r, g))
		minimise_choose(r, g);
	minimise_by_what_is_known(r, g);
	if (is_forsaken(r, g))
		return;
	if (copy_ask(r, g))
		return;
	if (!crowd_enter(r, g)) {
		end_for_the_zone(r, g);
		return;
	}
	if (minimise_follow(r, g))
		return;
	if (!crowd_take_place(r, g)) {
		end_for_the_zone(r, g);
		return;
	}
	do {
		while ((target = cut_choose(r, g)) >= 0)
			if (ask_send(r, g, (unsigned)target, TRANSPORT_UDP) ||
			    g->state == GOAL_DEAD)
				return;
	} while (cut_try_those_down(r, g));
	minimise_release(r, g, g->saw_refusal ? STEP_DENIED : STEP_LOST);
	if (is_forsaken(r, g))
		return;
	if (network_is_gone(r)) {
		end_for_the_network(r, g);
		return;
	}
	if (cut_look_up_addresses(r, g) > 0) {
		g->state = GOAL_ADDRESSES;
		return;
	}
	if (g->state == GOAL_DEAD)
		return;
	choose_otherwise(r, g);
}

/* Something came of an address look-up: either a server can be asked now, or another look-up
 * is worth starting, or all have ended. */
static void step_addresses(struct resolver *r, struct goal *g)
{
	if (cut_has_choice(r, g) || network_is_gone(r))
		goal_unwant_all(r, g);
	if (g->children == NULL)
		cut_stop_waiting(r, g);
	step_choose(r, g);
}

static void step_nothing(struct resolver *r, struct goal *g)
{
	(void)r;
	(void)g;
}

void goal_step(struct resolver *r, struct goal *g)
{
	static void (*const steps[GOAL_STATES])(struct resolver *, struct goal *) = {
		[GOAL_START] = step_start,       [GOAL_CHOOSE] = step_choose,
		[GOAL_ASKED] = step_nothing,     [GOAL_ADDRESSES] = step_addresses,
		[GOAL_ALIAS] = step_nothing,     [GOAL_FOLLOW] = step_nothing,
		[GOAL_ENDING] = step_ending,     [GOAL_DEAD] = step_nothing,
		[GOAL_VALIDATE] = validate_step, [GOAL_TRUST] = trust_step,
	};

	if (g->state == GOAL_DEAD || !is_forsaken(r, g))
		steps[g->state](r, g);
}

void goal_enter_referral(struct resolver *r, struct goal *g, struct reply *reply)
{
	const uint8_t *zone = rrset_owner(reply->referral);

	if (g->n_cuts >= GOAL_CUTS_MAX) {
		COUNT(r->counters, limit_referrals);
		GOAL_EVENT(r, g, EVENT_LIMIT, NULL, NULL, .note = cause_row(CAUSE_REFERRALS)->text);
		end_with_failure(r, g, CAUSE_REFERRALS);
		return;
	}
	g->stays_above = false;
	cut_enter(r, g, name_labels(zone), name_hash(zone), NULL, &reply->referral);
	cut_take_glue(r, g, reply);
	minimise_choose(r, g);
	g->state = GOAL_CHOOSE;
	goal_make_ready(r, g);
}
