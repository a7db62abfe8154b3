/* client_query: see passage.h.  A query while the resolver works at it. */
#include "recursor/passage.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/timers.h"
#include "recursor/flight.h"
#include "recursor/hooks.h"
#include "recursor/local.h"
#include "recursor/sentinel.h"
#include "recursor/shield.h"
#include "recursor/validation.h"
#include "recursor/watch/tracer.h"

/* ANY is resolved as A: that tells whether the name is there, and the A records, or an alias,
 * are an answer (RFC 8482 4.1: a subset).  A name without them has the HINFO of RFC 8482 4.2, which
 * nobody has signed.  An alias is not followed for ANY (RFC 1034 3.6.2).  *made is for the caller to
 * give back. */
static void answer_any(struct answer *a, struct rrset **made, const struct query *q, uint32_t now_s)
{
	for (size_t i = 0; i < a->n_sets; i++)
		if (a->sets[i]->type == TYPE_CNAME) {
			a->n_sets = i + 1;
			a->rcode = RCODE_NOERROR;
			a->n_authority = 0;
			a->security = SEC_UNCHECKED;
			return;
		}
	if (a->rcode != RCODE_NOERROR || a->n_sets > 0)
		return;
	a->n_authority = 0;
	a->security = SEC_UNCHECKED;
	*made = local_any(q, now_s);
	a->sets = made;
	a->n_sets = *made != NULL;
}

/* What the cache knew without asking anybody: the data or a denial, or no more than an alias? */
static bool is_whole(const struct answer *a, uint16_t type)
{
	return answer_soa(a) != NULL || (a->n_sets > 0 && a->sets[a->n_sets - 1]->type == type);
}

/* NULL: it is not to be traced. */
static struct trace *begin_trace(struct pipeline *p, struct client_query *cq)
{
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);
	struct trace_rule *rule = p->trace_rule;

	if (rule != NULL && !trace_rule_matches(rule, query_name(&cq->q)))
		rule = NULL;
	if (rule == NULL && s->trace[0] == 'n')
		return NULL;
	cq->traced = tracer_begin(p->worker->server->tracer, rule);
	if (cq->traced == NULL) {
		COUNT(p->account.counters, traces_skipped);
		return NULL;
	}
	/* What the rule asks for is shown whatever the outcome. */
	cq->trace_failure_only = rule == NULL && s->trace[0] == 'f';
	return traced_events(cq->traced);
}

static void end_trace(struct pipeline *p, struct client_query *cq, const struct answer *a)
{
	const struct traced_end end = {
		.name = query_name(&cq->q),
		.type = cq->q.type,
		.client = cq->client.remote,
		.rcode = a->rcode,
		.us = loop_now_us() - cq->start_us,
		.out_queries = a->out_queries,
	};
	bool is_shown = a->rcode == RCODE_SERVFAIL || !cq->trace_failure_only;

	tracer_end(p->worker->server->tracer, cq->traced, is_shown ? &end : NULL);
	cq->traced = NULL;
}

void client_query_let_go(struct client_query *cq)
{
	if (cq->hooked != NULL)
		hooks_end(cq);
	slots_give(cq->pipeline->slots, &cq->slot);
	slab_give(&cq->pipeline->queries, cq);
}

static void over_capacity(struct pipeline *p, const struct passage *t)
{
	struct flight_refusal refusal = {
		.reason = RECORDER_OVER_CAPACITY,
		.labels = name_labels(name_parent(query_name(&t->q))),
		.is_dropped = true,
		.ede = EDE_NONE,
	};
	char figures[RECORDER_TEXT_MAX];

	COUNT(p->account.counters, over_capacity_drops);
	if (flight_wants(p, t, &refusal)) {
		(void)snprintf(figures, sizeof(figures),
			       "%u queries are being resolved (max-mthreads)",
			       slots_used(p->slots));
		flight_refused(p, t, &refusal, figures);
	}
	shield_dropped(p, t);
}

static void count_whence(struct pipeline *p, const struct answer *a)
{
	if (client_query_is_from_cache(a))
		COUNT(p->account.counters, cache_hits);
	else
		COUNT(p->account.counters, cache_misses);
}

void client_query_charge(const struct client_query *cq, uint32_t outqueries)
{
	const struct settings *s = atomic_load_explicit(&cq->pipeline->worker->server->settings,
							memory_order_acquire);
	struct costing *costing = &cq->pipeline->worker->costing;
	const struct costing_query q = {
		.weight = cq->weight,
		.client = &cq->client,
		.name = query_name(&cq->q),
		.domain_labels = cq->domain_labels,
		.begun_us = cq->begun_us,
		.arrived_us = cq->start_us,
		.outqueries = outqueries,
	};

	if (cq->weight == 0)
		costing_ended_unseen(costing);
	else
		account_own_time(&cq->pipeline->account,
				 costing_ended(costing, s->psl, &q, loop_now_us()), cq->weight);
}

/* RFC 8509 2.2: for an answer that has validated; who sets CD has none. */
static void answer_sentinel(const struct client_query *cq, struct answer *a)
{
	const struct anchors *anchors = resolver_anchors(cq->pipeline->worker->resolver);

	if (a->security != SEC_SECURE || !sentinel_denies(anchors, query_name(&cq->q), cq->q.type))
		return;
	*a = (struct answer) {
		.rcode = RCODE_SERVFAIL,
		.out_queries = a->out_queries,
		.timeouts = a->timeouts,
		.throttled = a->throttled,
		.bytes = a->bytes,
		.trace = a->trace,
		.goal = a->goal,
		.from_cache = a->from_cache,
	};
	answer_blame(a, CAUSE_SENTINEL);
}

static void ask_anew(struct client_query *cq, const struct answer *refused)
{
	if (cq->traced != NULL)
		end_trace(cq->pipeline, cq, refused);
	cq->asked_before = refused->out_queries;
	client_query_resolve(cq);
}

void client_query_finish(void *ctx, const struct answer *found)
{
	struct client_query *cq = ctx;
	struct pipeline *p = cq->pipeline;
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);
	struct answer a = *found, told;
	struct rrset *any = NULL;
	uint32_t note;

	if (cq->over_capacity && !is_whole(&a, cq->asked_type)) {
		p->is_unknown = true;
		return;
	}
	validation_note(cq, s, &a);
	if (validation_asks_anew(cq, &a)) {
		ask_anew(cq, &a);
		return;
	}
	a.out_queries += cq->asked_before;
	count_whence(p, &a);
	if (s->root_key_sentinel)
		answer_sentinel(cq, &a);
	/* Hooks see what the resolver has found, everybody else what the client is told. */
	told = a;
	validation_apply(cq, s, &told);
	note = shield_answered(p, cq, s, &told);
	if (cq->hooked != NULL)
		cq->hooked->note = note;
	if (cq->traced != NULL)
		end_trace(p, cq, &told);
	if (cq->q.type == TYPE_ANY && told.rcode != RCODE_SERVFAIL) {
		answer_any(&a, &any, &cq->q, worker_wall_s(p->worker));
		told = a;
		validation_apply(cq, s, &told);
	}
	/* Hooks may hold it up; then nothing is left of its steps. */
	if (cq->hooked != NULL)
		flight_answered(p, cq, &told, loop_now_us() - cq->start_us);
	if (cq->hooked == NULL || hooks_found(cq, &a)) {
		respond(p, cq, s, &told, note);
		client_query_charge(cq, a.out_queries);
		client_query_let_go(cq);
	}
	rrset_put(any);
}

void client_query_take_slot(struct client_query *cq)
{
	struct pipeline *p = cq->pipeline;

	slots_take(p->slots, &cq->slot, &cq->client.remote);
	counter_max(&p->account.counters->peak_in_flight, slots_used(p->slots));
	counter_max(&p->account.counters->peak_client, slots_most(p->slots));
}

bool client_query_make_room(struct pipeline *p, const struct addr *client)
{
	struct slot *slot = slots_victim(p->slots, client);
	struct client_query *cq;

	if (slot == NULL)
		return false;
	cq = CONTAINER(slot, struct client_query, slot);
	COUNT(p->account.counters, fair_share_refusals);
	cq->gave_way = true;
	/* client_query_finish() gets the failure, or expired data. */
	if (cq->request != NULL)
		resolver_give_up(p->worker->resolver, cq->request, CAUSE_FAIR_SHARE);
	else
		hooks_give_up(cq);
	return !slots_are_full(p->slots);
}

static void ask_resolver(struct pipeline *p, struct client_query *cq)
{
	struct question question = {
		.name = query_name(&cq->q),
		.name_hash = cq->q.name_hash,
		.type = cq->asked_type,
		.cache_only = cq->over_capacity || !(cq->q.flags & MSG_RD),
		.no_stale = !(cq->q.flags & MSG_RD),
		.route = cq->mark.route,
		.validate = (cq->q.dnssec & QUERY_VALIDATE) != 0 && !cq->takes_bogus,
		.policed = true,
	};
	struct request *request;

	if (p->traces && !question.cache_only)
		question.trace = begin_trace(p, cq);
	request = resolver_ask(p->worker->resolver, &question, client_query_finish, cq);

	if (request == NULL) /* client_query_finish() has been called */
		return;
	cq->request = request;
	if (cq->weight > 0)
		cq->begun_us = costing_begun(&p->worker->costing, loop_now_us()) + 1;
	if (!cq->slot.is_taken)
		client_query_take_slot(cq);
}

void client_query_resolve(struct client_query *cq)
{
	ask_resolver(cq->pipeline, cq);
}

/* When max-mthreads are being resolved, one more may look whether the answer is known; if it is
 * not, another may have to make room. */
enum step resolve_query(struct pipeline *p, struct passage *t)
{
	struct client_query *cq = slab_take_part(&p->queries, offsetof(struct client_query, head));

	if (cq == NULL) {
		over_capacity(p, t);
		return STEP_DROP;
	}
	cq->pipeline = p;
	cq->client = *t->from;
	cq->q = t->q;
	memcpy(cq->head, t->q.wire, t->q.question_end);
	cq->q.wire = cq->head;
	cq->mark = t->mark;
	cq->start_us = loop_now_us();
	cq->begun_us = 0;
	cq->takes_bogus = false;
	cq->asked_before = 0;
	cq->weight = costing_query_came(&p->worker->costing, cq->start_us);
	cq->over_capacity = slots_are_full(p->slots);
	cq->asked_type = cq->q.type == TYPE_ANY ? TYPE_A : cq->q.type; /* see answer_any() */
	if (!hooks_before(cq, t))
		return STEP_DONE;
	p->is_unknown = false;
	ask_resolver(p, cq);
	if (!p->is_unknown)
		return STEP_DONE;
	if ((cq->q.flags & MSG_RD) && client_query_make_room(p, &cq->client.remote)) {
		cq->over_capacity = false;
		ask_resolver(p, cq);
		return STEP_DONE;
	}
	over_capacity(p, t);
	client_query_let_go(cq);
	return STEP_DROP;
}
