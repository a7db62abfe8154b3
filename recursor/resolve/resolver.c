/* resolver: requests, the entries from outside, the run loop. */
#include "recursor/resolve/resolver.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/resolve/asking.h"
#include "recursor/resolve/copies.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/resolve/roothints.h"

enum { EDGES_PER_GOAL = 4 };

void resolver_config_defaults(struct resolver_config *cfg)
{
	*cfg = (struct resolver_config) {
		.max_qperq = 50,
		.max_total_msec = 7000,
		.max_bytesperq = 100000,
		.max_cnames = 10,
		.max_depth = 16,
		.max_ns_address_qperq = 10,
		.max_ns_per_resolve = GOAL_NS_MAX,
		.max_rrset_records = 256,
		.max_goals = 200000,
		.max_chain = 0,
		.max_inflight_zone = 512,
		.network_timeout_ms = 1500,
		.edns_payload = 1232,
		.use_ipv4 = true,
		.use_ipv6 = true,
		.qname_minimisation = true,
		.minimise_max = 10,
		.minimise_one_lab = 4,
		.spoof_nearmiss_max = 1,
		.prime = true,
		.server_port = 53,
		.nothing_below_nxdomain = NX_CUT_DNSSEC,
		.dnssec = DNSSEC_PROCESS,
		.dnssec_limits = DNSSEC_LIMITS_DEFAULTS,
		.max_bogus_ttl = 3600,
		.max_validations = 100,
		.harvest_after = 10,
		.root_nx_trust = true,
		.min_ttl = 1,
		.max_ttl = 86400,
		.max_negative_ttl = 3600,
		.failure_ttl = 5,
		.stale_client_timeout_ms = 1800,
		.max_background = 1000,
		.serve_rfc1918 = true,
		.serve_rfc6303 = true,
		.serve_special = true,
	};
}

/* ---- random numbers, drawn ahead so that a choice costs no call ---- */

uint64_t resolver_random(struct resolver *r)
{
	if (r->pool_left == 0) {
		r->world.random(r->world.ctx, r->pool, sizeof(r->pool));
		r->pool_left = ARRAY_LEN(r->pool);
	}
	return r->pool[--r->pool_left];
}

uint32_t resolver_random_below(struct resolver *r, uint32_t bound)
{
	return (uint32_t)(((resolver_random(r) & UINT32_MAX) * bound) >> 32);
}

/* ---- the run loop ---- */

static void wake_up_arrange(struct resolver *r)
{
	uint64_t next = timers_next(r->timers);

	if (next != r->wake_at_ms) {
		r->wake_at_ms = next;
		r->world.wake_at(r->world.ctx, next);
	}
}

/* Every entry from outside lies between enter() and leave().  What a callback calls us for is
 * noted only: the work is done when the entry that called back has finished its own, and no goal
 * is freed before. */
static void enter(struct resolver *r)
{
	if (r->entered++ == 0)
		r->entries++;
}

static void leave(struct resolver *r)
{
	if (r->entered > 1) {
		r->entered--;
		return;
	}
	while (r->ready_first != NULL) {
		struct goal *g = r->ready_first;

		r->ready_first = g->ready_next;
		if (r->ready_first == NULL)
			r->ready_last = &r->ready_first;
		g->is_ready = false;
		if (g->state == GOAL_DEAD) {
			g->walk_next = r->buried;
			r->buried = g;
		} else {
			goal_step(r, g);
		}
	}
	goal_bury_all(r);
	r->entered--;
	wake_up_arrange(r);
}

/* ---- the resolver ---- */

void resolver_configure(struct resolver *r, const struct resolver_config *cfg)
{
	r->cfg = *cfg;
	if (cfg->max_depth == 0 || cfg->max_depth > GOAL_DEPTH_MAX)
		r->cfg.max_depth = GOAL_DEPTH_MAX;
	r->goals.max = cfg->max_goals;
	r->edges.max = (size_t)cfg->max_goals * EDGES_PER_GOAL;
	r->requests.max = SIZE_MAX;
	inflight_configure(&r->inflight, cfg->max_inflight_zone);
	journals_configure(&r->journals, cfg->journal_bytes);
}

void resolver_set_preoutquery(struct resolver *r,
			      enum outquery_verdict (*policy)(void *ctx, void *client,
							      struct outquery_plan *plan))
{
	r->world.preoutquery = policy;
}

static int hints_built_in(struct resolver *r)
{
	struct rrset *sets[ROOTHINTS_MAX];
	size_t n = 0;
	int err = roothints_make(sets, &n);

	if (err != E_OK)
		return err;
	err = resolver_set_hints(r, sets, n);
	while (n > 0)
		rrset_put(sets[--n]);
	return err;
}

int resolver_new(struct resolver **out, const struct resolver_config *cfg, struct cache *cache,
		 struct servers *servers, struct counters *counters, const struct world *world)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int err = E_NOMEM;

	if (r == NULL)
		return E_NOMEM;
	r->cache = cache;
	r->servers = servers;
	r->counters = counters;
	r->world = *world;
	r->ready_last = &r->ready_first;
	r->slot_free = UINT32_MAX;
	r->wake_at_ms = UINT64_MAX;
	slab_init(&r->goals, sizeof(struct goal), cfg->max_goals);
	slab_init(&r->edges, sizeof(struct edge), SIZE_MAX);
	slab_init(&r->requests, sizeof(struct request), SIZE_MAX);
	journals_init(&r->journals, counters);
	resolver_configure(r, cfg);
	r->timers = timers_new(r->world.now_ms(r->world.ctx));
	r->scratch = reply_scratch_new();
	if (r->timers != NULL && r->scratch != NULL)
		err = chains_init(&r->table);
	if (err == E_OK)
		err = chains_init(&r->steps);
	if (err == E_OK)
		err = inflight_init(&r->inflight, cfg->max_inflight_zone);
	if (err == E_OK)
		err = special_new(&r->special);
	if (err == E_OK)
		err = hints_built_in(r);
	if (err == E_OK)
		err = keyring_new(&r->keyring, KEYRING_KEYS_DEFAULT);
	if (err != E_OK) {
		resolver_free(r);
		return err;
	}
	*out = r;
	return E_OK;
}

static void hints_drop(struct resolver *r)
{
	while (r->n_hints > 0)
		rrset_put(r->hints[--r->n_hints]);
	rrset_put(r->root_ns);
	r->root_ns = NULL;
}

void resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	enter(r);
	while (r->all != NULL)
		request_fail(r, r->all, CAUSE_STOPPING);
	network_stop(r);
	/* Goals that were ready are still on the list; they are dead now. */
	for (struct goal *g = r->ready_first; g != NULL; g = g->ready_next) {
		ASSERT(g->state == GOAL_DEAD);
		g->walk_next = r->buried;
		r->buried = g;
	}
	goal_bury_all(r);
	hints_drop(r);
	zones_put(r->zones);
	copies_put(r->copies);
	anchors_put(r->anchors);
	keyring_free(r->keyring);
	special_free(r->special);
	reply_scratch_free(r->scratch);
	if (r->timers != NULL)
		timers_free(r->timers);
	chains_deinit(&r->table);
	chains_deinit(&r->steps);
	free(r->slots);
	free(r->slot_next_free);
	inflight_deinit(&r->inflight);
	slab_deinit(&r->goals);
	slab_deinit(&r->edges);
	slab_deinit(&r->requests);
	journals_deinit(&r->journals);
	free(r);
}

void resolver_drop_hints(struct resolver *r)
{
	hints_drop(r);
}

const struct zones *resolver_zones(const struct resolver *r)
{
	return r->zones;
}

void resolver_set_aggressive(struct resolver *r, struct aggressive *a)
{
	r->aggressive = a;
}

void resolver_set_anchors(struct resolver *r, struct anchors *anchors)
{
	struct anchors *before = r->anchors;

	r->anchors = anchors_get(anchors);
	anchors_put(before);
}

const struct anchors *resolver_anchors(const struct resolver *r)
{
	return r->anchors;
}

void resolver_set_zones(struct resolver *r, struct zones *zones)
{
	struct zones *before = r->zones;

	/* To have none costs nothing. */
	if (zones_count(zones, true) + zones_count(zones, false) + zones_count_groups(zones) == 0)
		zones = NULL;
	r->zones = zones_get(zones);
	r->zones_serial++;
	zones_put(before);
}

int resolver_set_hints(struct resolver *r, struct rrset *const *sets, size_t n)
{
	bool has_ns = false;

	for (size_t i = 0; i < n; i++)
		has_ns |= sets[i]->type == TYPE_NS && name_is_root(rrset_owner(sets[i]));
	if (!has_ns)
		return E_NOT_FOUND;
	hints_drop(r);
	for (size_t i = 0; i < n; i++) {
		if (sets[i]->type == TYPE_NS && name_is_root(rrset_owner(sets[i])) &&
		    r->root_ns == NULL)
			r->root_ns = rrset_get(sets[i]);
		else if (r->n_hints < ARRAY_LEN(r->hints))
			r->hints[r->n_hints++] = rrset_get(sets[i]);
	}
	return E_OK;
}

/* ---- asking ---- */

static void refuse(resolver_done_cb done, void *ctx, const struct question *q, enum cause why)
{
	struct answer a = {
		.rcode = RCODE_SERVFAIL,
		.from_cache = true,
		.trace = q->trace,
		.refused = true,
	};

	answer_blame(&a, why);
	done(ctx, &a);
}

/* The goal that answers the question, found or made; NULL, and why not. */
static struct goal *goal_for(struct resolver *r, const struct question *q, bool *joined,
			     enum cause *why)
{
	uint64_t hash = q->name_hash != 0 ? q->name_hash : name_hash(q->name);
	uint8_t name[NAME_MAX_LEN];
	struct goal *g;

	*why = CAUSE_GOALS;
	name_lower(name, q->name);
	g = goal_find(r, name, hash, q->type, q->route, q->validate);
	*joined = g != NULL;
	if (g == NULL) {
		g = goal_new(r, name, hash, q->type, q->route, q->validate);
		if (g != NULL)
			g->no_cache = q->no_cache;
	} else if (r->cfg.max_chain > 0 && g->n_waiters >= r->cfg.max_chain) {
		COUNT(r->counters, chain_limits);
		*why = CAUSE_CHAIN;
		return NULL;
	} else if (!crowd_may_join(r, g)) {
		*why = CAUSE_ZONE_AT_ONCE;
		return NULL;
	}
	return g;
}

bool resolver_seeks(uint16_t type)
{
	return type != 0 && type != CACHE_DELEGATION && type != CACHE_TRUST &&
	       !rrtype_is_meta(type);
}

struct request *resolver_ask(struct resolver *r, const struct question *q, resolver_done_cb done,
			     void *ctx)
{
	struct request *req, *outer = r->asking;
	enum cause why;
	struct goal *g;
	bool joined;

	if (q->cache_only) {
		if (!stale_answer_question(r, q, CAUSE_GOALS, done, ctx))
			cacheonly_answer(r, q, done, ctx);
		return NULL;
	}
	if (network_is_gone(r) && !q->no_cache &&
	    stale_answer_question(r, q, CAUSE_NETWORK, done, ctx)) {
		enter(r);
		network_watch(r);
		leave(r);
		COUNT(r->counters, stale_at_once);
		return NULL;
	}
	enter(r);
	g = goal_for(r, q, &joined, &why);
	req = g != NULL ? request_new(r, q, done, ctx) : NULL;
	if (req == NULL) {
		if (g != NULL && g->n_waiters == 0)
			goal_drop(r, g);
		if (!stale_answer_question(r, q, why, done, ctx))
			refuse(done, ctx, q, why);
		leave(r);
		return NULL;
	}
	request_attach(r, g, req);
	request_wait(r, req, q);
	req->joined = joined;
	if (joined)
		COUNT(r->counters, chain_resends);
	counter_max(&r->counters->peak_chain, g->n_waiters);
	TRACE_EVENT(r, g, joined ? EVENT_JOINED : EVENT_GOAL, g->name, NULL, .type = g->type);
	r->asking = req;
	leave(r);
	/* Inside a callback the goal takes its first step only when that has returned. */
	req = r->asking;
	r->asking = outer;
	if (req == NULL || !request_is_impatient(r, req, q))
		return req;
	enter(r);
	if (request_serve_stale(r, req, CAUSE_NOT_YET)) {
		COUNT(r->counters, stale_at_once);
		req = NULL;
	}
	leave(r);
	return req;
}

void resolver_cancel(struct resolver *r, struct request *req)
{
	struct goal *g;

	enter(r);
	g = request_detach(r, req);
	if (g->n_waiters == 0)
		goal_drop(r, g);
	leave(r);
}

void resolver_give_up(struct resolver *r, struct request *req, enum cause why)
{
	enter(r);
	request_end(r, req, why);
	leave(r);
}

/* ---- entries from the world ---- */

static void reply_take(struct resolver *r, struct goal *g, size_t len, struct msg *m)
{
	cache_fetch_place(r->cache, g->name_hash, g->type);
	/* A truncated message may end anywhere: it says only that TCP is wanted. */
	if (msg_open_records(m) != E_OK && !(m->flags & MSG_TC))
		outcome_garbled(r, g);
	else
		outcome_reply(r, g, len, m);
}

bool resolver_reply(struct resolver *r, uint64_t ticket, const uint8_t *wire, size_t len)
{
	struct goal *g = ask_find(r, ticket);
	enum ask_match match = ASK_MATCHES;
	struct msg m;

	if (g == NULL) {
		if (!network_probe_replied(r, ticket))
			COUNT(r->counters, unexpected_packets);
		return true;
	}
	enter(r);
	/* The answer's place in the cache comes nearer while the answer is read. */
	cache_fetch_shard(r->cache, g->name_hash);
	if (msg_open_question(&m, wire, len) != E_OK)
		outcome_garbled(r, g);
	else if ((match = ask_match(r, g, &m)) == ASK_MATCHES)
		reply_take(r, g, len, &m);
	else if (match == ASK_RESPELT)
		outcome_respelt(r, g);
	else
		outcome_near_miss(r, g);
	leave(r);
	return match == ASK_MATCHES;
}

void resolver_near_miss(struct resolver *r, uint64_t ticket)
{
	struct goal *g = ask_find(r, ticket);

	if (g == NULL)
		return;
	enter(r);
	outcome_near_miss(r, g);
	leave(r);
}

void resolver_failed(struct resolver *r, uint64_t ticket, enum net_failure why)
{
	struct goal *g = ask_find(r, ticket);

	if (g == NULL) {
		(void)network_probe_failed(r, ticket);
		return;
	}
	enter(r);
	outcome_failed(r, g, why);
	leave(r);
}

static void timer_ring(struct resolver *r, struct timer *t)
{
	if (t->kind == TIMER_ANSWER)
		outcome_timeout(r, CONTAINER(t, struct goal, timer));
	else if (t->kind == TIMER_TURN)
		goal_make_ready(r, CONTAINER(t, struct goal, timer));
	else if (t->kind == TIMER_PROBE)
		network_ring(r);
	else
		request_ring(r, CONTAINER(t, struct request, timer));
}

void resolver_tick(struct resolver *r)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	struct timer *t;

	r->wake_at_ms = UINT64_MAX;
	while ((t = timers_take(r->timers, now_ms)) != NULL) {
		enter(r);
		timer_ring(r, t);
		leave(r);
	}
	wake_up_arrange(r);
}

void resolver_limit_keys(struct resolver *r, size_t max)
{
	keyring_configure(r->keyring, max);
}

/* ---- looking in ---- */

void resolver_stats(const struct resolver *r, struct resolver_stats *out)
{
	const struct keyring_stats ring = keyring_stats(r->keyring);

	*out = (struct resolver_stats) {
		.requests = r->n_requests,
		.backgrounds = r->n_background,
		.goals = r->goals.used,
		.edges = r->edges.used,
		.timers = timers_count(r->timers),
		.zones = r->inflight.zones.used - r->inflight.n_idle,
		.bytes = r->goals.peak * sizeof(struct goal) + r->edges.peak * sizeof(struct edge) +
			 r->requests.peak * sizeof(struct request) + chains_bytes(&r->table) +
			 chains_bytes(&r->steps) + inflight_bytes(&r->inflight) +
			 r->n_slots * (sizeof(struct goal *) + sizeof(uint32_t)),
		.journals = r->journals.used,
		.journals_peak = r->journals.peak,
		.keys = ring.keys,
		.key_bytes = ring.bytes,
	};
}

void resolver_walk(const struct resolver *r, bool (*cb)(void *ctx, const struct request_view *v),
		   void *ctx)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);

	for (const struct request *req = r->all; req != NULL; req = req->all_next) {
		struct request_view v = {
			.name = req->goal->name,
			.type = req->type,
			.done = req->done,
			.ctx = req->ctx,
			.chained = req->joined,
			.spent_ms = (uint32_t)(now_ms - req->began_ms),
			.out_queries = req->out_queries,
		};
		if (!cb(ctx, &v))
			return;
	}
}
