/* request: somebody who waits for an answer: how long, at what cost, and what it gets at the end. */
#include "recursor/resolve/asking.h"

#include "common/check.h"

void request_attach(struct resolver *r, struct goal *g, struct request *req)
{
	goal_come_nearer(r, g, 0, 0);
	req->goal = g;
	req->next = g->requests;
	req->prev = &g->requests;
	if (req->next != NULL)
		req->next->prev = &req->next;
	g->requests = req;
	goal_waiters_add(g, 1);
}

struct goal *request_detach(struct resolver *r, struct request *req)
{
	struct goal *g = req->goal;

	if (r->asking == req)
		r->asking = NULL;
	timers_stop(r->timers, &req->timer);
	*req->prev = req->next;
	if (req->next != NULL)
		req->next->prev = req->prev;
	*req->all_prev = req->all_next;
	if (req->all_next != NULL)
		req->all_next->all_prev = req->all_prev;
	if (req->doomed_prev != NULL) {
		*req->doomed_prev = req->doomed_next;
		if (req->doomed_next != NULL)
			req->doomed_next->doomed_prev = req->doomed_prev;
	}
	r->n_requests--;
	r->n_traces -= req->trace != NULL;
	if (req->background) {
		r->n_background--;
		g->has_background = false;
	}
	if (req->harvest != 0)
		harvest_ended(r, req, NULL);
	ASSERT(g->n_waiters > 0);
	goal_waiters_add(g, -1);
	slab_give(&r->requests, req);
	return g;
}

/* What does not validate is no reason to serve what has expired (RFC 8767 4); that keys could not be
 * had is. */
static bool is_a_lie(const struct answer *a)
{
	return a->security == SEC_BOGUS && a->bogus != BOGUS_NONE &&
	       a->bogus != BOGUS_UNABLE_TO_GET_DSS && a->bogus != BOGUS_UNABLE_TO_GET_DNSKEYS;
}

void request_finish(struct resolver *r, struct request *req, const struct answer *a)
{
	resolver_done_cb done = req->done;
	bool has_client = !req->background;
	struct answer better = *a;
	void *ctx = req->ctx;
	struct stale_answer stale = { 0 };

	counter_max(&r->counters->peak_qperq, req->out_queries);
	counter_max(&r->counters->peak_query_bytes, req->bytes);
	if (has_client && a->rcode == RCODE_SERVFAIL && a->cause != CAUSE_STOPPING &&
	    !is_a_lie(a) && stale_serve(r, req, &stale, &better))
		a = &better;
	if (req->refreshes)
		refresh_ended(r, req->goal, a->rcode != RCODE_SERVFAIL);
	if (req->harvest != 0)
		harvest_ended(r, req, a);
	request_detach(r, req);
	if (has_client)
		done(ctx, a);
	stale_clear(&stale);
}

/* The client has its answer; the resolution goes on for the cache's sake.  One request a goal is
 * enough for that. */
static void request_go_on_alone(struct resolver *r, struct request *req)
{
	struct goal *g = req->goal;

	if (g->has_background || r->n_background >= r->cfg.max_background) {
		if (!g->has_background)
			COUNT(r->counters, limit_background);
		request_detach(r, req);
		if (g->n_waiters == 0)
			goal_drop(r, g);
		return;
	}
	COUNT(r->counters, backgrounds);
	r->n_traces -= req->trace != NULL;
	req->trace = NULL;
	req->done = NULL;
	req->ctx = NULL;
	req->policed = false;
	req->background = g->has_background = true;
	r->n_background++;
	counter_max(&r->counters->peak_background, r->n_background);
}

static void answer_for(const struct request *req, enum cause why, struct answer *a)
{
	*a = (struct answer) {
		.rcode = RCODE_SERVFAIL,
		.from_cache = req->out_queries == 0,
		.out_queries = req->out_queries,
		.timeouts = req->timeouts,
		.throttled = req->throttled,
		.bytes = req->bytes,
		.trace = req->trace,
		.goal = req->goal,
	};
	answer_blame(a, why);
}

bool request_serve_stale(struct resolver *r, struct request *req, enum cause why)
{
	resolver_done_cb done = req->done;
	void *ctx = req->ctx;
	struct stale_answer stale;
	struct answer a;

	answer_for(req, why, &a);
	if (!stale_serve(r, req, &stale, &a))
		return false;
	request_go_on_alone(r, req);
	done(ctx, &a);
	stale_clear(&stale);
	return true;
}

/* The goals on the way along the aliases that the question has gone. */
static struct goal *alias_below(const struct goal *g)
{
	for (const struct edge *e = g->children; e != NULL; e = e->next_of_parent)
		if (e->kind == EDGE_ALIAS)
			return e->child;
	return NULL;
}

/* RFC 9520 2.1: a question that cost its whole budget is not worked on again at once.  RFC 8767 5: nor
 * are the aliases' targets that were tried for as long as a client waits, when there is something to
 * serve meanwhile. */
static void request_remember_failure(struct resolver *r, const struct request *req, enum cause why)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	const struct goal *g = req->goal;

	if (g->met_cut || goal_ends_private(g) || network_is_gone(r))
		return;
	resolver_remember_failure(r, g->name, g->type, why);
	while (r->cfg.stale_s != 0 && (g = alias_below(g)) != NULL && !g->met_cut &&
	       !goal_ends_private(g))
		if (now_ms - g->began_ms >= r->cfg.stale_client_timeout_ms &&
		    stale_is_known(r, g->name, g->type))
			resolver_remember_failure(r, g->name, g->type, why);
}

void request_end(struct resolver *r, struct request *req, enum cause why)
{
	struct goal *g = req->goal;
	struct answer a;

	answer_for(req, why, &a);
	request_finish(r, req, &a);
	if (g->n_waiters == 0)
		goal_drop(r, g);
}

void request_fail(struct resolver *r, struct request *req, enum cause why)
{
	if (why != CAUSE_STOPPING)
		request_remember_failure(r, req, why);
	request_end(r, req, why);
}

struct request *request_new(struct resolver *r, const struct question *q, resolver_done_cb done,
			    void *ctx)
{
	struct request *req = slab_take(&r->requests);

	if (req == NULL)
		return NULL;
	req->done = done;
	req->ctx = ctx;
	req->trace = q->trace;
	req->timer.kind = TIMER_REQUEST;
	req->type = q->type;
	req->began_ms = r->world.now_ms(r->world.ctx);
	if (q->trace != NULL && q->trace->began_us == 0)
		q->trace->began_us = r->world.now_us(r->world.ctx);
	req->all_next = r->all;
	req->all_prev = &r->all;
	if (r->all != NULL)
		r->all->all_prev = &req->all_next;
	r->all = req;
	r->n_requests++;
	r->n_traces += q->trace != NULL;
	req->no_stale = q->no_stale || q->route != 0;
	req->policed = q->policed;
	req->serial = ++r->request_serial;
	req->entry = r->entries;
	return req;
}

static void request_wait_to_the_end(struct resolver *r, struct request *req)
{
	req->waits_stale = false;
	if (r->cfg.max_total_msec > 0)
		timers_start(r->timers, &req->timer, req->began_ms + r->cfg.max_total_msec);
}

/* RFC 8767 5: the client response timer.  Who joins a resolution that takes its time already waits no
 * longer than who came first. */
void request_wait(struct resolver *r, struct request *req, const struct question *q)
{
	uint64_t patience_ms = req->goal->began_ms + r->cfg.stale_client_timeout_ms;

	if (r->cfg.stale_s == 0 || req->no_stale || q->no_cache || patience_ms <= req->began_ms ||
	    (r->cfg.max_total_msec > 0 && patience_ms >= req->began_ms + r->cfg.max_total_msec)) {
		request_wait_to_the_end(r, req);
		return;
	}
	req->waits_stale = true;
	timers_start(r->timers, &req->timer, patience_ms);
}

bool request_is_impatient(const struct resolver *r, const struct request *req,
			  const struct question *q)
{
	return r->cfg.stale_s != 0 && !req->no_stale && !q->no_cache && !req->waits_stale &&
	       req->goal->began_ms + r->cfg.stale_client_timeout_ms <= req->began_ms;
}

static bool background_is_allowed(struct resolver *r)
{
	if (r->n_background < r->cfg.max_background)
		return true;
	COUNT(r->counters, limit_background);
	return false;
}

/* A request of our own on a goal that was just made; NULL: no memory, and there is no goal. */
static struct request *begin_alone(struct resolver *r, struct goal *g, const struct question *q)
{
	struct request *req = request_new(r, q, NULL, NULL);

	if (req == NULL) {
		goal_drop(r, g);
		return NULL;
	}
	req->background = g->has_background = true;
	r->n_background++;
	counter_max(&r->counters->peak_background, r->n_background);
	COUNT(r->counters, backgrounds);
	request_attach(r, g, req);
	request_wait_to_the_end(r, req);
	return req;
}

bool request_begin_refresh(struct resolver *r, const uint8_t *name, uint16_t type, bool validates)
{
	struct question q = { .name = name, .type = type, .no_cache = true, .no_stale = true };
	struct request *req;
	struct goal *g;

	if (!background_is_allowed(r))
		return false;
	g = goal_new(r, name, name_hash(name), type, 0, validates);
	if (g == NULL)
		return false;
	g->no_cache = g->refreshes = true;
	req = begin_alone(r, g, &q);
	if (req != NULL)
		req->refreshes = true;
	return req != NULL;
}

bool request_begin_harvest(struct resolver *r, const uint8_t *name, uint16_t type, uint16_t slot)
{
	struct question q = { .name = name, .type = type, .no_stale = true };
	uint64_t hash = name_hash(name);
	struct request *req;
	struct goal *g;

	if (goal_find(r, name, hash, type, 0, true) != NULL || !background_is_allowed(r))
		return false;
	g = goal_new(r, name, hash, type, 0, true);
	if (g == NULL)
		return false;
	req = begin_alone(r, g, &q);
	if (req != NULL)
		req->harvest = slot;
	return req != NULL;
}

void request_ring(struct resolver *r, struct request *req)
{
	if (req->waits_stale) {
		request_wait_to_the_end(r, req);
		if (request_serve_stale(r, req, CAUSE_LATE))
			COUNT(r->counters, stale_after_timeout);
		return;
	}
	COUNT(r->counters, limit_time);
	request_fail(r, req, CAUSE_TIME);
}
