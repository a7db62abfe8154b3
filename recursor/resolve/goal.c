/* goal: the table of goals, the graph of who waits on whom, and everything that walks it. */
#include "recursor/resolve/asking.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"

static uint64_t key_of(uint64_t name_hash, uint16_t type, uint64_t route, bool validates)
{
	return hash_mix(name_hash, route ^ type ^ (uint64_t)validates << 16);
}

static struct goal *find(struct resolver *r, const uint8_t *name, uint64_t hash, uint16_t type,
			 uint64_t route, bool validates, bool refreshes)
{
	struct chain_link *l = chains_first(&r->table, key_of(hash, type, route, validates));

	for (; l != NULL; l = chains_next(l)) {
		struct goal *g = CONTAINER(l, struct goal, by_question);

		if (g->type == type && g->refreshes == refreshes && g->route == route &&
		    g->validates == validates && name_equal_case(g->name, name))
			return g;
	}
	return NULL;
}

struct goal *goal_find(struct resolver *r, const uint8_t *name, uint64_t hash, uint16_t type,
		       uint64_t route, bool validates)
{
	return find(r, name, hash, type, route, validates, false);
}

struct goal *goal_find_refresh(struct resolver *r, const struct goal *g, bool validates)
{
	return find(r, g->name, g->name_hash, g->type, 0, validates, true);
}

static void table_remove(struct resolver *r, struct goal *g)
{
	if (!g->in_table)
		return;
	chains_remove(&r->table, &g->by_question);
	g->in_table = false;
}

struct goal *goal_new(struct resolver *r, const uint8_t *name, uint64_t hash, uint16_t type,
		      uint64_t route, bool validates)
{
	struct goal *g = slab_take_part(&r->goals, offsetof(struct goal, ns));

	if (g == NULL || ask_slot_take(r, g) != E_OK) {
		COUNT(r->counters, limit_goals);
		if (g != NULL)
			slab_give(&r->goals, g);
		return NULL;
	}
	g->name_len = (uint8_t)name_copy(g->name, name);
	g->name_hash = hash;
	g->type = type;
	g->route = route;
	g->validates = validates;
	g->serial = ++r->goal_serial;
	g->timer.kind = TIMER_ANSWER;
	g->minimise = r->cfg.qname_minimisation;
	g->began_ms = r->world.now_ms(r->world.ctx);
	r->step_ms = (uint32_t)g->began_ms;
	chains_add(&r->table, &g->by_question, key_of(hash, type, route, validates));
	g->in_table = true;
	counter_max(&r->counters->peak_goals, r->table.n);
	goal_make_ready(r, g);
	return g;
}

void goal_make_ready(struct resolver *r, struct goal *g)
{
	if (g->is_ready || g->state == GOAL_DEAD)
		return;
	g->is_ready = true;
	g->ready_next = NULL;
	*r->ready_last = g;
	r->ready_last = &g->ready_next;
}

/* ---- edges ---- */

static void waiters_add(const struct edge *e, int change)
{
	struct goal *g = e->child;

	if (e->kind != EDGE_STEP) {
		goal_waiters_add(g, change);
		return;
	}
	g->n_waiters += (uint32_t)change;
	g->n_followers += (uint32_t)change;
}

static void edge_link(struct edge *e)
{
	e->next_of_parent = e->parent->children;
	e->prev_of_parent = &e->parent->children;
	if (e->next_of_parent != NULL)
		e->next_of_parent->prev_of_parent = &e->next_of_parent;
	e->parent->children = e;

	e->next_of_child = e->child->parents;
	e->prev_of_child = &e->child->parents;
	if (e->next_of_child != NULL)
		e->next_of_child->prev_of_child = &e->next_of_child;
	e->child->parents = e;
	waiters_add(e, 1);
}

static void edge_free(struct resolver *r, struct edge *e)
{
	*e->prev_of_parent = e->next_of_parent;
	if (e->next_of_parent != NULL)
		e->next_of_parent->prev_of_parent = e->prev_of_parent;
	*e->prev_of_child = e->next_of_child;
	if (e->next_of_child != NULL)
		e->next_of_child->prev_of_child = e->prev_of_child;
	ASSERT(e->child->n_waiters > 0);
	waiters_add(e, -1);
	slab_give(&r->edges, e);
}

bool goal_wait(struct resolver *r, struct goal *parent, enum edge_kind kind, struct goal *child)
{
	struct edge *e;

	if (r->cfg.max_chain > 0 && child->n_waiters >= r->cfg.max_chain)
		return false;
	e = slab_take(&r->edges);
	if (e == NULL)
		return false;
	*e = (struct edge) { .parent = parent, .child = child, .kind = (uint8_t)kind };
	edge_link(e);
	counter_max(&r->counters->peak_chain, child->n_waiters);
	return true;
}

void goal_unwait(struct resolver *r, struct edge *e)
{
	edge_free(r, e);
}

/* Goes over every goal that waits on `g`, however indirectly, `g` first.  The list is chained
 * through walk_next, so no stack grows with the depth of the graph. */
static struct goal *walk_begin(struct resolver *r, struct goal *g)
{
	r->walk_mark++;
	g->mark = r->walk_mark;
	g->walk_next = NULL;
	return g;
}

/* Adds what waits on `at` behind `last`; returns the new last. */
static struct goal *walk_extend(struct resolver *r, struct goal *at, struct goal *last)
{
	for (struct edge *e = at->parents; e != NULL; e = e->next_of_child) {
		if (e->parent->mark == r->walk_mark)
			continue;
		e->parent->mark = r->walk_mark;
		e->parent->walk_next = NULL;
		last->walk_next = e->parent;
		last = e->parent;
	}
	return last;
}

static bool come_nearer(struct goal *g, unsigned depth, unsigned links)
{
	bool is_nearer = depth < g->depth || links < g->links;

	if (depth < g->depth)
		g->depth = (uint8_t)depth;
	if (links < g->links)
		g->links = (uint8_t)links;
	return is_nearer;
}

/* How far it is to whom the edge leads.  Aliases are counted by max-cnames-followed, the rest by
 * max-recursion-depth; the chain of trust has no more links than the name has labels. */
static unsigned depth_below(const struct goal *parent, enum edge_kind kind)
{
	return parent->depth + (kind == EDGE_ALIAS || kind == EDGE_TRUST ? 0U : 1U);
}

static unsigned links_below(const struct goal *parent, enum edge_kind kind)
{
	return kind == EDGE_ALIAS ? parent->links + 1U : 0U;
}

/* What it waits on comes nearer with it.  A goal is in the list once at a time, and again only when it
 * has come nearer once more: that ends, in a circle as well, and all who ever join cost a goal no more
 * steps than it was far. */
void goal_come_nearer(struct resolver *r, struct goal *g, unsigned depth, unsigned links)
{
	struct goal *last;

	if (!come_nearer(g, depth, links))
		return;
	last = walk_begin(r, g);
	for (struct goal *at = g; at != NULL; at = at->walk_next) {
		at->mark = r->walk_mark - 1;
		for (struct edge *e = at->children; e != NULL; e = e->next_of_parent) {
			struct goal *child = e->child;
			/* goal_follow(): it is the same question. */
			unsigned its_links = child->refreshes ? at->links
							      : links_below(at, e->kind);

			if (e->kind == EDGE_STEP || child->state == GOAL_DEAD ||
			    !come_nearer(child, depth_below(at, e->kind), its_links) ||
			    child->mark == r->walk_mark)
				continue;
			child->mark = r->walk_mark;
			child->walk_next = NULL;
			last->walk_next = child;
			last = child;
		}
	}
}

/* Does `g` wait on `other`, or is it `other`?  Asked from below: is `g` met above `other`? */
static bool waits_on(struct resolver *r, struct goal *g, struct goal *other)
{
	struct goal *last = walk_begin(r, other);

	for (struct goal *at = other; at != NULL; at = at->walk_next) {
		if (at == g)
			return true;
		last = walk_extend(r, at, last);
	}
	return false;
}

bool goal_follow(struct resolver *r, struct goal *parent, struct goal *child)
{
	if (waits_on(r, child, parent) || !goal_wait(r, parent, EDGE_ALIAS, child))
		return false;
	goal_come_nearer(r, child, parent->depth, parent->links);
	return true;
}

/* Sub-goals cost no packet while the cache knows of delegations but not of addresses, so
 * max-qperq does not bound them (NRDelegation, CVE-2022-2795).  Counted for each request; enough
 * that one of them may. */
static bool subgoal_is_allowed(struct resolver *r, struct goal *g)
{
	struct goal *last = walk_begin(r, g);
	bool allowed = false;

	for (struct goal *at = g; at != NULL; at = at->walk_next) {
		for (struct request *req = at->requests; req != NULL; req = req->next)
			allowed |= req->subgoals++ < GOAL_SUBGOALS_MAX;
		last = walk_extend(r, at, last);
	}
	return allowed;
}

/* May the parent have a goal more below it?  What is refused here says nothing of the name. */
static bool child_is_allowed(struct resolver *r, struct goal *parent, const struct goal *child,
			     enum edge_kind kind, const uint8_t *name, uint16_t type,
			     enum edge_result *why)
{
	const char *note = NULL;

	*why = EDGE_NO_ROOM;
	if (child != NULL && r->cfg.max_chain > 0 && child->n_waiters >= r->cfg.max_chain) {
		COUNT(r->counters, chain_limits);
		note = "max-chain-length";
	} else if (child == NULL && kind != EDGE_ALIAS && kind != EDGE_TRUST &&
		   parent->depth >= r->cfg.max_depth) {
		COUNT(r->counters, limit_depth);
		note = "max-recursion-depth";
		*why = EDGE_TOO_DEEP;
	} else if (child == NULL && !subgoal_is_allowed(r, parent)) {
		COUNT(r->counters, limit_subgoals);
		note = "too many sub-resolutions";
	}
	if (note == NULL)
		return true;
	GOAL_EVENT(r, parent, EVENT_LIMIT, name, NULL, .type = type, .note = note);
	return false;
}

enum edge_result goal_want(struct resolver *r, struct goal *parent, enum edge_kind kind, uint8_t ns,
			   const uint8_t *name, uint16_t type)
{
	uint64_t hash = name_hash(name);
	/* Addresses of servers are taken as they are: what is wrong with them shows. */
	bool validates = kind == EDGE_TRUST || (kind == EDGE_ALIAS && parent->validates);
	struct goal *child = goal_find(r, name, hash, type, parent->route, validates);
	unsigned depth = depth_below(parent, kind), links = links_below(parent, kind);
	bool joined = child != NULL;
	enum edge_result why;
	struct edge *e;

	if (joined && waits_on(r, child, parent)) {
		COUNT(r->counters, goal_cycles);
		parent->met_cycle = true;
		GOAL_EVENT(r, parent, EVENT_CYCLE, name, NULL, .type = type);
		return EDGE_CYCLE;
	}
	if (!child_is_allowed(r, parent, child, kind, name, type, &why)) {
		parent->met_limit = true;
		return why;
	}
	e = slab_take(&r->edges);
	if (!joined && e != NULL) {
		child = goal_new(r, name, hash, type, parent->route, validates);
		if (child != NULL) {
			child->depth = (uint8_t)depth;
			child->links = (uint8_t)links;
		}
	}
	if (e == NULL || child == NULL) {
		if (e != NULL)
			slab_give(&r->edges, e);
		else
			COUNT(r->counters, limit_goals);
		parent->met_limit = true;
		return EDGE_NO_ROOM;
	}
	goal_come_nearer(r, child, depth, links);
	*e = (struct edge) { .parent = parent, .child = child, .kind = (uint8_t)kind, .ns = ns };
	edge_link(e);
	counter_max(&r->counters->peak_chain, child->n_waiters);
	counter_max(&r->counters->peak_depth, depth);
	goal_note_child(r, parent, child, joined ? EVENT_JOINED : EVENT_GOAL);
	TRACE_EVENT(r, child, joined ? EVENT_JOINED : EVENT_GOAL, child->name, NULL,
		    .type = child->type, .parent = parent->serial);
	return EDGE_MADE;
}

/* Takes an edge to a child away; a child that nobody waits for any more is put before `orphans`,
 * chained through walk_next. */
static struct goal *child_leave(struct resolver *r, struct edge *e, struct goal *orphans)
{
	struct goal *child = e->child;

	edge_free(r, e);
	if (child->n_waiters > 0 || child->state == GOAL_DEAD)
		return orphans;
	child->walk_next = orphans;
	return child;
}

static struct goal *children_leave(struct resolver *r, struct goal *g, struct goal *orphans)
{
	while (g->children != NULL)
		orphans = child_leave(r, g->children, orphans);
	return orphans;
}

/* ---- the end of a goal ---- */

static void goal_release(struct resolver *r, struct goal *g)
{
	minimise_release(r, g, STEP_LOST);
	ask_cancel(r, g);
	timers_stop(r->timers, &g->timer);
	table_remove(r, g);
	cut_leave(r, g);
	validate_forget(g);
	g->state = GOAL_DEAD;
}

/* A goal on the ready list is buried when its turn comes (leave() in resolver.c). */
static void goal_bury(struct resolver *r, struct goal *g)
{
	g->walk_next = r->buried;
	r->buried = g;
}

/* No recursion: goals of many clients that join each other's make chains longer than any limit of
 * one of them. */
static void orphans_drop(struct resolver *r, struct goal *orphans)
{
	while (orphans != NULL) {
		struct goal *g = orphans;

		orphans = children_leave(r, g, g->walk_next);
		goal_release(r, g);
		if (!g->is_ready)
			goal_bury(r, g);
	}
}

void goal_unwant_all(struct resolver *r, struct goal *g)
{
	orphans_drop(r, children_leave(r, g, NULL));
}

void goal_unwant_addresses(struct resolver *r, struct goal *g)
{
	struct goal *orphans = NULL;

	for (struct edge *e = g->children, *next; e != NULL; e = next) {
		next = e->next_of_parent;
		if (e->kind == EDGE_ADDRESS)
			orphans = child_leave(r, e, orphans);
	}
	orphans_drop(r, orphans);
}

void goal_bury_all(struct resolver *r)
{
	while (r->buried != NULL) {
		struct goal *g = r->buried;

		r->buried = g->walk_next;
		ASSERT(g->n_waiters == 0 && g->children == NULL);
		for (unsigned i = 0; i < g->n_chain; i++)
			rrset_put(g->chain[i]);
		rrset_put(g->denial);
		ask_slot_give(r, g);
		journal_give(&r->journals, &g->journal);
		slab_give(&r->goals, g);
	}
}

enum security goal_security(const struct goal *g)
{
	return g->validates && g->security == SEC_UNCHECKED && g->rcode != RCODE_SERVFAIL
		       ? SEC_INDETERMINATE
		       : (enum security)g->security;
}

static bool is_among(struct rrset *const *sets, size_t n, const struct rrset *s)
{
	for (size_t i = 0; i < n; i++)
		if (sets[i] == s ||
		    (sets[i]->type == s->type && name_equal(rrset_owner(sets[i]), rrset_owner(s))))
			return true;
	return false;
}

size_t goal_authority(struct rrset *out[GOAL_AUTHORITY_MAX], enum security security,
		      const struct rrset *denial, struct rrset *const *chain, size_t n_chain)
{
	size_t n = 0;

	for (size_t i = 0; i <= n_chain; i++) {
		const struct rrset *of = i == 0 ? denial : chain[i - 1];

		for (unsigned k = 0; of != NULL && k < of->n_proofs; k++) {
			struct rrset *proof = rrset_proofs(of)[k];

			if (n < GOAL_AUTHORITY_MAX && !is_among(out, n, proof) &&
			    (security != SEC_SECURE || rrset_security(proof) == SEC_SECURE))
				out[n++] = proof;
		}
	}
	return n;
}

/* What it was begun with may have been wiped since, or the zones be others, if it was not all done when the
 * request came. */
static bool is_at_hand(const struct resolver *r, const struct request *req)
{
	return req->out_queries == 0 && !req->joined && req->entry == r->entries;
}

static void answer_of(const struct resolver *r, struct goal *g, const struct request *req,
		      struct answer *a, struct rrset *const *authority, size_t n_authority)
{
	*a = (struct answer) {
		.rcode = g->rcode,
		.is_remembered = g->is_remembered,
		.sets = g->chain,
		.n_sets = g->n_chain,
		.authority = authority,
		.n_authority = n_authority,
		.security = goal_security(g),
		.is_under_nta = g->is_under_nta,
		.authoritative = g->authoritative,
		.from_cache = is_at_hand(r, req),
		.cacheable = g->cacheable,
		.out_queries = req->out_queries,
		.timeouts = req->timeouts,
		.throttled = req->throttled,
		.bytes = req->bytes,
		.trace = req->trace,
		.goal = g,
		.refused = g->met_crowd && g->rcode == RCODE_SERVFAIL,
	};
	answer_blame(a, (enum cause)g->cause);
	if (g->security == SEC_BOGUS && g->bogus != BOGUS_NONE)
		answer_blame_bogus(a, g->bogus);
	answer_blame_insecure(a, g->bogus);
}

void goal_end(struct resolver *r, struct goal *g)
{
	struct rrset *authority[GOAL_AUTHORITY_MAX];
	size_t n_authority = 0;

	if (g->rcode == RCODE_SERVFAIL) {
		GOAL_EVENT(r, g, EVENT_FAILED, g->name, NULL, .type = g->type, .rcode = g->rcode,
			   .note = cause_row(g->cause)->text);
	} else {
		if (r->journals.is_on && g->parents != NULL)
			goal_note(r, g, EVENT_DONE, JOURNAL_NO_LABELS, g->type, g->rcode);
		TRACE_EVENT(r, g, EVENT_DONE, g->name, NULL, .type = g->type, .rcode = g->rcode,
			    .note = cause_row(g->cause)->text);
	}
	if (g->gave_up_minimising && g->rcode != RCODE_SERVFAIL)
		COUNT(r->counters, qmin_successes);
	g->by_policy = g->by_policy || g->trust_by_policy;
	g->cacheable = g->cacheable && !goal_is_private(g);
	goal_release(r, g);
	goal_unwant_all(r, g);
	if (g->requests != NULL)
		n_authority = goal_authority(authority, goal_security(g), g->denial, g->chain,
					     g->n_chain);
	while (g->requests != NULL) {
		struct answer a;

		answer_of(r, g, g->requests, &a, authority, n_authority);
		request_finish(r, g->requests, &a);
	}
	while (g->parents != NULL) {
		struct edge *e = g->parents;
		struct goal *parent = e->parent;

		journal_take(&r->journals, &parent->journal, &g->journal);
		goal_child_ended(r, e);
		edge_free(r, e);
		goal_make_ready(r, parent);
	}
	if (!g->is_ready)
		goal_bury(r, g);
}

void goal_met_what(struct goal *parent, const struct goal *child)
{
	parent->met_cycle = parent->met_cycle || child->met_cycle;
	parent->met_limit = parent->met_limit || child->met_limit;
	parent->met_crowd = parent->met_crowd || child->met_crowd;
	parent->met_cut = parent->met_cut || child->met_cut;
	parent->met_want = parent->met_want || child->met_want;
}

void goal_drop(struct resolver *r, struct goal *g)
{
	ASSERT(g->n_waiters == 0);
	if (g->state == GOAL_DEAD)
		return;
	g->walk_next = NULL;
	orphans_drop(r, g);
}

/* ---- budgets: what a goal does is charged to every request above it ---- */

static void doom(struct resolver *r, struct request *req)
{
	req->doomed_next = r->doomed;
	req->doomed_prev = &r->doomed;
	if (req->doomed_next != NULL)
		req->doomed_next->doomed_prev = &req->doomed_next;
	r->doomed = req;
}

/* Calls `charge` for each request that waits on `g`; those for which it returns true are doomed
 * and answered after the walk, for answering changes the graph. */
static bool each_request(struct resolver *r, struct goal *g,
			 bool (*charge)(struct resolver *r, struct request *req, size_t amount),
			 size_t amount, enum cause why)
{
	struct goal *last = walk_begin(r, g);

	for (struct goal *at = g; at != NULL; at = at->walk_next) {
		for (struct request *req = at->requests; req != NULL; req = req->next)
			if (charge(r, req, amount))
				doom(r, req);
		last = walk_extend(r, at, last);
	}
	if (r->doomed != NULL)
		GOAL_EVENT(r, g, EVENT_LIMIT, NULL, NULL, .note = cause_row(why)->text);
	/* A callback may cancel another of them: then it is off the list. */
	while (r->doomed != NULL)
		request_fail(r, r->doomed, why);
	return g->state != GOAL_DEAD;
}

void goal_collect_policed(struct resolver *r, struct goal *g, struct request **list)
{
	struct goal *last = walk_begin(r, g);

	for (struct goal *at = g; at != NULL; at = at->walk_next) {
		for (struct request *req = at->requests; req != NULL; req = req->next)
			if (req->policed) {
				req->doomed_next = *list;
				*list = req;
			}
		last = walk_extend(r, at, last);
	}
}

static bool query_is_over(struct resolver *r, struct request *req, size_t amount)
{
	(void)amount;
	if (req->out_queries + req->throttled >= r->cfg.max_qperq) {
		COUNT(r->counters, limit_qperq);
		return true;
	}
	req->out_queries++;
	return false;
}

bool goal_charge_query(struct resolver *r, struct goal *g)
{
	/* Those who shared its step may have been the last to wait for it. */
	if (g->n_waiters == 0) {
		goal_drop(r, g);
		return false;
	}
	return each_request(r, g, query_is_over, 1, CAUSE_QPERQ);
}

static bool query_refund(struct resolver *r, struct request *req, size_t amount)
{
	(void)r;
	/* One that came to wait from within another's answer, meanwhile, was not charged. */
	if (req->out_queries >= amount)
		req->out_queries -= (uint32_t)amount;
	return false;
}

void goal_refund_query(struct resolver *r, struct goal *g)
{
	each_request(r, g, query_refund, 1, CAUSE_NONE);
}

static bool bytes_are_over(struct resolver *r, struct request *req, size_t amount)
{
	req->bytes += (uint32_t)amount;
	if (r->cfg.max_bytesperq == 0 || req->bytes <= r->cfg.max_bytesperq)
		return false;
	COUNT(r->counters, limit_bytes);
	return true;
}

bool goal_charge_bytes(struct resolver *r, struct goal *g, size_t bytes)
{
	return each_request(r, g, bytes_are_over, bytes, CAUSE_BYTES);
}

static bool timeout_note(struct resolver *r, struct request *req, size_t amount)
{
	(void)r;
	req->timeouts += (uint32_t)amount;
	return false;
}

void goal_charge_timeout(struct resolver *r, struct goal *g)
{
	each_request(r, g, timeout_note, 1, CAUSE_NONE);
}

static bool throttled_is_over(struct resolver *r, struct request *req, size_t amount)
{
	req->throttled += (uint32_t)amount;
	if (req->out_queries + req->throttled <= r->cfg.max_qperq)
		return false;
	COUNT(r->counters, limit_qperq);
	return true;
}

bool goal_charge_throttled(struct resolver *r, struct goal *g)
{
	return each_request(r, g, throttled_is_over, 1, CAUSE_QPERQ);
}

static bool checks_are_over(struct resolver *r, struct request *req, size_t amount)
{
	uint32_t max = r->cfg.dnssec_limits.max_signature_validations;

	req->checks += (uint32_t)amount;
	counter_max(&r->counters->peak_checks, req->checks);
	if (max == 0 || req->checks <= max)
		return false;
	COUNT(r->counters, limit_checks);
	return true;
}

static bool hashes_are_over(struct resolver *r, struct request *req, size_t amount)
{
	uint32_t max = r->cfg.dnssec_limits.max_nsec3_hashes;

	req->hashes += (uint32_t)amount;
	counter_max(&r->counters->peak_hashes, req->hashes);
	if (max == 0 || req->hashes <= max)
		return false;
	COUNT(r->counters, limit_hashes);
	return true;
}

bool goal_charge_work(struct resolver *r, struct goal *g, const struct dnssec_work *work)
{
	return (work->checks == 0 ||
		each_request(r, g, checks_are_over, work->checks, CAUSE_CHECKS)) &&
	       (work->hashes == 0 ||
		each_request(r, g, hashes_are_over, work->hashes, CAUSE_HASHES));
}

static bool ns_failure_note(struct resolver *r, struct request *req, size_t amount)
{
	req->ns_failures += (uint32_t)amount;
	counter_max(&r->counters->peak_ns_address, req->ns_failures);
	if (req->ns_failures == r->cfg.max_ns_address_qperq)
		COUNT(r->counters, limit_ns_address);
	return false;
}

void goal_charge_ns_failure(struct resolver *r, struct goal *g)
{
	each_request(r, g, ns_failure_note, 1, CAUSE_NONE);
}

bool goal_may_look_up_ns(struct resolver *r, struct goal *g)
{
	struct goal *last = walk_begin(r, g);

	if (r->cfg.max_ns_address_qperq == 0)
		return true;
	for (struct goal *at = g; at != NULL; at = at->walk_next) {
		for (struct request *req = at->requests; req != NULL; req = req->next)
			if (req->ns_failures < r->cfg.max_ns_address_qperq)
				return true;
		last = walk_extend(r, at, last);
	}
	return false;
}

/* ---- events ---- */

static void event_write(const struct resolver *r, const struct request *req, const struct event *e,
			const uint8_t *name, const uint8_t *other)
{
	struct event copy = *e;
	uint64_t us = r->world.now_us(r->world.ctx) - req->trace->began_us;

	copy.at_ms = (uint32_t)(us / 1000);
	uint32_t spent = req->out_queries + req->throttled;

	copy.budget = (uint16_t)(r->cfg.max_qperq > spent ? r->cfg.max_qperq - spent : 0);
	copy.name = name != NULL ? trace_add_name(req->trace, name) : TRACE_NO_NAME;
	copy.other = other != NULL ? trace_add_name(req->trace, other) : TRACE_NO_NAME;
	trace_add(req->trace, &copy);
}

void goal_event(struct resolver *r, struct goal *g, const struct event *e, const uint8_t *name,
		const uint8_t *other)
{
	struct goal *last;
	struct event copy = *e;
	struct goal *next;

	copy.goal = g->serial;
	last = walk_begin(r, g);
	for (struct goal *at = g; at != NULL; at = next) {
		for (struct request *req = at->requests; req != NULL; req = req->next)
			if (req->trace != NULL) {
				uint32_t lost = req->trace->lost;

				event_write(r, req, &copy, name, other);
				counter_add(&r->counters->traced_events_lost,
					    req->trace->lost - lost);
			}
		last = walk_extend(r, at, last);
		next = at->walk_next;
	}
}
