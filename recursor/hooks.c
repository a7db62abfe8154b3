/* hooks: see hooks.h. */
#include "recursor/hooks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/flight.h"
#include "recursor/net/datagram.h"
#include "recursor/shield.h"
#include "recursor/validation.h"
#include "recursor/wiring.h"

static void run_later(void *ctx);
static void stop_waiting(struct hooks *k, struct hooked *h);

/* ---- life ---- */

/* As many as there are queries, and those that are on their way to the packet cache. */
static size_t most(const struct settings *s)
{
	return (size_t)s->max_mthreads + PASSAGES_AHEAD + 2;
}

int hooks_init(struct pipeline *p, const struct settings *s)
{
	struct hooks *k = &p->hooks;

	TAILQ_INIT(&k->waiting);
	TAILQ_INIT(&k->late);
	slab_init(&k->queries, sizeof(struct hooked), most(s));
	return loop_timer_new(&k->later, p->worker->loop, run_later, p);
}

void hooks_close(struct pipeline *p)
{
	struct hooks *k = &p->hooks;

	while (!TAILQ_EMPTY(&k->waiting))
		client_query_let_go(TAILQ_FIRST(&k->waiting)->cq);
	while (!TAILQ_EMPTY(&k->late))
		client_query_let_go(TAILQ_FIRST(&k->late)->cq);
	if (k->later != NULL)
		loop_timer_close(k->later);
	k->later = NULL;
}

void hooks_deinit(struct pipeline *p)
{
	script_put(p->hooks.script);
	p->hooks.script = NULL;
	slab_deinit(&p->hooks.queries);
}

void hooks_configure(struct pipeline *p, const struct settings *s)
{
	struct script_limits limits = wiring_script_limits(s);

	p->hooks.queries.max = most(s);
	if (p->hooks.script != NULL)
		script_configure(p->hooks.script, &limits);
}

void hooks_set_script(struct pipeline *p, struct script *script)
{
	struct resolver *r = p->worker->resolver;

	script_put(p->hooks.script);
	p->hooks.script = script;
	p->hooks.maintain_at_ms = 0;
	resolver_set_preoutquery(r, script != NULL && script_has(script, HOOK_PREOUTQUERY)
					    ? hooks_preoutquery
					    : NULL);
}

void hooks_tick(struct pipeline *p)
{
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);
	uint64_t now_ms = loop_now_ms(p->worker->loop);
	struct hooks *k = &p->hooks;

	if (k->script == NULL || s->lua_maintenance_interval_s == 0 || now_ms < k->maintain_at_ms ||
	    !script_has(k->script, HOOK_MAINTENANCE))
		return;
	k->maintain_at_ms = now_ms + (uint64_t)s->lua_maintenance_interval_s * 1000;
	script_maintain(k->script);
}

/* ---- a query's part ---- */

/* The OPT record's options, copied: the packet goes, or is answered over. */
static void take_options(struct hooked *h, const struct passage *t)
{
	struct msg m;

	if (!t->q.edns || msg_open(&m, t->wire, t->len) != E_OK)
		return;
	h->q.edns_flags = m.edns.dnssec_ok ? 0x8000 : 0;
	if (m.edns.options_len == 0)
		return;
	h->options = malloc(m.edns.options_len);
	if (h->options == NULL)
		return;
	memcpy(h->options, m.edns.options, m.edns.options_len);
	h->q.options = h->options;
	h->q.options_len = m.edns.options_len;
}

static struct hooked *begin(struct pipeline *p, const struct passage *t)
{
	struct hooked *h = slab_take(&p->hooks.queries);
	struct timespec now;

	if (h == NULL)
		return NULL;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	h->q.remote = t->from->remote;
	h->q.local = t->from->local;
	h->q.qname = query_name(&t->q);
	h->q.qtype = t->q.type;
	h->q.qclass = t->q.class;
	h->q.tcp = t->from->tcp;
	h->q.edns = t->q.edns;
	h->q.shows_options = t->settings->gettag_needs_edns_options;
	h->q.time_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	memcpy(h->q.header, t->wire, WIRE_HEADER_LEN);
	hookquery_init(&h->q);
	h->q.script = script_get(p->hooks.script);
	take_options(h, t);
	h->is_kept = true;
	return h;
}

static void end(struct pipeline *p, struct hooked *h)
{
	stop_waiting(&p->hooks, h);
	if (h->datagram != NULL)
		datagram_cancel(h->datagram);
	script_query_end(&h->q);
	hookquery_deinit(&h->q);
	free(h->options);
	slab_give(&p->hooks.queries, h);
}

static void count_policy(struct counters *c, enum hook_policy done)
{
	switch (done) {
	case POLICY_NO_ACTION:
		COUNT(c, policy_noaction);
		break;
	case POLICY_DROP:
		COUNT(c, policy_drop);
		break;
	case POLICY_NXDOMAIN:
		COUNT(c, policy_nxdomain);
		break;
	case POLICY_NODATA:
		COUNT(c, policy_nodata);
		break;
	case POLICY_TRUNCATE:
		COUNT(c, policy_truncate);
		break;
	case POLICY_CUSTOM:
		COUNT(c, policy_custom);
		break;
	}
}

void hooks_end(struct client_query *cq)
{
	struct hooked *h = cq->hooked;

	count_policy(cq->pipeline->account.counters, h->q.policy.done);
	cq->hooked = NULL;
	end(cq->pipeline, h);
}

void hooks_leave(struct pipeline *p, struct passage *t)
{
	end(p, t->hooked);
	t->hooked = NULL;
}

/* ---- the packet ---- */

enum step hooks_filter(struct pipeline *p, struct passage *t)
{
	struct script *s = p->hooks.script;

	if (s == NULL || !script_has(s, HOOK_IPFILTER) ||
	    !script_ipfilter(s, &t->from->remote, &t->from->local, t->wire, t->from->tcp))
		return STEP_ON;
	account_filtered(&p->account, t->from);
	flight_packet_refused(p, t, RECORDER_IPFILTER);
	return STEP_DROP;
}

enum step hooks_tag(struct pipeline *p, struct passage *t)
{
	struct script *s = p->hooks.script;

	if (s == NULL || !script_has(s, HOOK_GETTAG))
		return STEP_ON;
	t->hooked = begin(p, t);
	if (t->hooked == NULL) {
		COUNT(p->account.counters, over_capacity_drops);
		return STEP_DROP;
	}
	script_gettag(s, &t->hooked->q);
	return STEP_ON;
}

/* ---- an answer, or none ---- */

static const struct settings *settings_of(const struct client_query *cq)
{
	return atomic_load_explicit(&cq->pipeline->worker->server->settings, memory_order_acquire);
}

static void drop(struct hooked *h)
{
	const struct query_outcome dropped = { .dropped = true, .ede = EDE_NONE };
	struct client_query *cq = h->cq;
	struct pipeline *p = cq->pipeline;

	COUNT(p->account.counters, policy_drops);
	if (p->logged != NULL)
		respond_log(p, &cq->client, &cq->q, &dropped);
	flight_dropped(p, cq, hook_name(h->dropper));
	account_dropped(&p->account);
	listen_drop(p->worker->listener, &cq->client);
	client_query_charge(cq, h->outqueries);
	client_query_let_go(cq);
}

static void answer(struct hooked *h)
{
	struct client_query *cq = h->cq;

	respond_hooked(cq->pipeline, cq, settings_of(cq));
	client_query_charge(cq, h->outqueries);
	client_query_let_go(cq);
}

static void fail(struct hooked *h, enum cause why)
{
	struct answer failure = { .rcode = RCODE_SERVFAIL };
	struct hook_answer *a = &h->q.answer;

	hookanswer_clear(a);
	a->has_records = true;
	h->is_changed = true;
	answer_blame(&failure, why);
	followup_say(a, &failure);
	h->is_kept = false;
	answer(h);
}

/* ---- waiting ---- */

static void wait_in(struct hooked *h, bool is_late)
{
	struct hooks *k = &h->cq->pipeline->hooks;

	h->is_waiting = true;
	h->is_late = is_late;
	TAILQ_INSERT_TAIL(is_late ? &k->late : &k->waiting, h, link);
}

static void stop_waiting(struct hooks *k, struct hooked *h)
{
	if (h->is_waiting)
		TAILQ_REMOVE(h->is_late ? &k->late : &k->waiting, h, link);
	h->is_waiting = false;
}

/* A place among those that wait, as for a question to the resolver. */
static bool take_slot(struct client_query *cq)
{
	struct pipeline *p = cq->pipeline;

	if (cq->slot.is_taken)
		return true;
	if (slots_are_full(p->slots) && !client_query_make_room(p, &cq->client.remote))
		return false;
	client_query_take_slot(cq);
	return true;
}

void hooks_give_up(struct client_query *cq)
{
	fail(cq->hooked, CAUSE_FAIR_SHARE);
}

/* ---- the hooks of what was resolved ---- */

static bool calls(const struct hooked *h, enum hook hook)
{
	return script_has(h->q.script, hook);
}

/* NOERROR, and no record of the type asked for? */
static bool is_nodata(const struct hooked *h)
{
	const struct hook_query *q = &h->q;
	const struct answer *a = h->found;

	if (q->answer.has_records || a == NULL) {
		for (size_t i = 0; i < q->answer.records.n; i++)
			if (q->answer.records.rows[i].place == PLACE_ANSWER &&
			    (q->answer.records.rows[i].type == q->qtype || q->qtype == TYPE_ANY))
				return false;
		return true;
	}
	for (size_t i = 0; i < a->n_sets; i++)
		if (a->sets[i]->type == q->qtype || q->qtype == TYPE_ANY)
			return false;
	return true;
}

/* What comes after h->hook; HOOKS: nothing. */
static enum hook next_hook(const struct hooked *h)
{
	bool is_noerror = h->q.answer.rcode == RCODE_NOERROR;

	switch (h->hook) {
	case HOOK_PRERESOLVE:
		if (h->q.answer.rcode == RCODE_NXDOMAIN)
			return HOOK_NXDOMAIN;
		return is_noerror ? HOOK_NOERROR : HOOK_POSTRESOLVE;
	case HOOK_NOERROR:
		return is_noerror && is_nodata(h) ? HOOK_NODATA : HOOK_POSTRESOLVE;
	case HOOK_NXDOMAIN:
	case HOOK_NODATA:
		return HOOK_POSTRESOLVE;
	default:
		return HOOKS;
	}
}

/* What one hook has said.  A postresolve still sees what another wanted dropped, as rcode -2, and
 * may answer all the same; not what a policy drops. */
static void take_verdict(struct hooked *h, enum script_verdict verdict)
{
	if (verdict == SCRIPT_TAKEN) {
		h->is_changed = true;
		h->is_dropped = false;
		h->is_made_of_secure = false;
	} else if (verdict != SCRIPT_PASS) {
		h->is_dropped = true;
		h->dropper = h->hook;
		if (h->q.policy.kind == POLICY_DROP)
			h->hook = HOOK_POSTRESOLVE;
		h->q.answer.rcode = HOOK_RCODE_DROP;
	}
}

static void call(struct hooked *h, enum hook hook)
{
	h->hook = hook;
	h->was_changed = h->is_changed;
	h->was_dropped = h->is_dropped;
	if (calls(h, hook))
		take_verdict(h, script_call(h->q.script, hook, &h->q));
}

/* The resolver is not asked from within its own call. */
static void put_off(struct hooked *h)
{
	struct pipeline *p = h->cq->pipeline;

	if (h->cq->gave_way) {
		fail(h, CAUSE_FAIR_SHARE);
		return;
	}
	if (hookquery_load(&h->q) != E_OK) {
		fail(h, CAUSE_MEMORY);
		return;
	}
	h->found = NULL;
	h->q.load = NULL;
	if (!take_slot(h->cq)) {
		COUNT(p->account.counters, lua_followup_limits);
		fail(h, CAUSE_FOLLOWUP_CROWD);
		return;
	}
	h->cq->over_capacity = false; /* it has a place like any other */
	wait_in(h, true);
	loop_timer_at(p->hooks.later, loop_now_ms(p->worker->loop));
}

/* Calls the hooks that are left, up to one that wants something first.  True: none has changed
 * anything, and the resolver's answer is at hand. */
static bool go_on(struct hooked *h)
{
	while (h->q.answer.followup == FOLLOWUP_NONE && h->was_found) {
		enum hook next = next_hook(h);

		if (next == HOOKS)
			break;
		call(h, next);
	}
	if (h->is_dropped)
		drop(h);
	else if (h->q.answer.followup != FOLLOWUP_NONE)
		put_off(h);
	else if (h->is_changed || h->found == NULL)
		answer(h);
	else
		return true;
	return false;
}

static int load_found(void *ctx, struct hook_records *to)
{
	const struct hooked *h = ctx;

	return followup_rows(to, h->found, h->cq->q.dnssec & QUERY_SIGNED,
			     worker_wall_s(h->cq->pipeline->worker));
}

bool hooks_found(struct client_query *cq, const struct answer *a)
{
	struct hooked *h = cq->hooked;

	if (cq->pipeline->worker->stopping)
		return true;
	cq->request = NULL;
	/* A hook before has perhaps looked at the records, when there were none. */
	hookanswer_clear(&h->q.answer);
	h->found = a;
	h->outqueries = a->out_queries;
	h->was_found = true;
	h->hook = HOOK_PRERESOLVE;
	h->is_kept = h->is_kept && a->from_cache && a->cacheable && !a->is_stale;
	h->q.load = load_found;
	h->q.load_ctx = h;
	h->q.validation = (uint8_t)validation_state(a);
	h->validated = (struct validated) {
		.security = a->security,
		.bogus = a->bogus,
		.is_under_nta = a->is_under_nta,
		.is_stale = a->is_stale,
		.authoritative = a->authoritative,
	};
	followup_say(&h->q.answer, a);
	return go_on(h);
}

/* ---- before it is resolved ---- */

/* False: it is not to be resolved. */
static bool call_before(struct hooked *h, enum hook hook)
{
	call(h, hook);
	return !h->is_changed && !h->is_dropped;
}

bool hooks_before(struct client_query *cq, struct passage *t)
{
	struct pipeline *p = cq->pipeline;
	struct hooked *h = t->hooked;

	if (h == NULL) {
		if (p->hooks.script == NULL || !script_has_query_hooks(p->hooks.script))
			return true;
		h = begin(p, t);
	}
	if (h == NULL)
		return true; /* there is no memory for it */
	t->hooked = NULL;
	cq->hooked = h;
	h->cq = cq;
	h->q.qname = query_name(&cq->q);
	shield_fill_tags(cq->mark.rules, &h->q.tags);
	if (call_before(h, HOOK_PRERPZ) && call_before(h, HOOK_PRERESOLVE))
		return true;
	(void)go_on(h);
	return false;
}

/* ---- followups ---- */

/* As if the hook that wanted it had not taken the query over. */
static void take_back(struct hooked *h)
{
	hookquery_take_back(&h->q);
	h->is_kept = false; /* what is kept is looked at as the hooks' */
	h->is_changed = h->was_changed;
	h->is_dropped = h->was_dropped;
	if (h->was_found) {
		(void)go_on(h);
		return;
	}
	hookanswer_clear(&h->q.answer);
	client_query_resolve(h->cq);
}

static void take_callback(struct hooked *h)
{
	enum script_verdict verdict = script_callback(h->q.script, &h->q);

	if (verdict == SCRIPT_PASS) {
		take_back(h);
		return;
	}
	if (verdict != SCRIPT_TAKEN)
		h->q.answer.followup = FOLLOWUP_NONE;
	if (h->q.answer.followup == FOLLOWUP_NONE)
		hookquery_settle(&h->q);
	take_verdict(h, verdict);
	(void)go_on(h);
}

static void on_datagram(void *ctx, enum datagram_end how, const uint8_t *reply, size_t len)
{
	struct hooked *h = ctx;

	h->datagram = NULL;
	stop_waiting(&h->cq->pipeline->hooks, h);
	hooktext_clear(&h->q.udp_answer);
	if (how == DATAGRAM_REPLY)
		hooktext_put(&h->q.udp_answer, reply, len);
	take_callback(h);
}

static void begin_datagram(struct hooked *h)
{
	const struct hook_answer *a = &h->q.answer;
	struct worker *w = h->cq->pipeline->worker;

	h->is_kept = false;
	h->has_consulted = true;
	if (datagram_send(&h->datagram, w->datagrams, &a->udp_dest,
			  a->udp_query.text == NULL ? "" : a->udp_query.text, a->udp_query.len,
			  on_datagram, h) == E_OK) {
		wait_in(h, false);
		return;
	}
	on_datagram(h, DATAGRAM_FAILED, NULL, 0);
}

static void begin_question(struct hooked *h)
{
	struct client_query *cq = h->cq;
	uint8_t name[NAME_MAX_LEN];
	struct question question = {
		.name = name,
		.cache_only = !(cq->q.flags & MSG_RD),
		.no_stale = !(cq->q.flags & MSG_RD),
		.validate = (cq->q.dnssec & QUERY_VALIDATE) != 0,
		.policed = true,
	};
	struct request *request;

	if (!followup_question(h, name, &question.type) || !resolver_seeks(question.type)) {
		fail(h, CAUSE_FOLLOWUP);
		return;
	}
	question.name_hash = name_hash(name);
	request = resolver_ask(cq->pipeline->worker->resolver, &question, hooks_followed, cq);
	if (request != NULL) /* else hooks_followed() has been called */
		cq->request = request;
}

static void begin_followup(struct hooked *h)
{
	struct counters *counters = h->cq->pipeline->account.counters;
	const struct settings *s = settings_of(h->cq);

	if (s->max_total_msec != 0 &&
	    loop_now_us() - h->cq->start_us > (uint64_t)s->max_total_msec * 1000) {
		COUNT(counters, limit_time);
		fail(h, CAUSE_FOLLOWUP_TIME);
	} else if (h->n_followups == HOOKS_FOLLOWUPS_MAX) {
		COUNT(counters, lua_followup_limits);
		fail(h, CAUSE_FOLLOWUPS);
	} else if (!followup_is_allowed(h)) {
		take_back(h);
	} else {
		counter_max(&counters->peak_followups, ++h->n_followups);
		if (h->q.answer.followup == FOLLOWUP_UDP_RESPONSE)
			begin_datagram(h);
		else
			begin_question(h);
	}
}

static void run_later(void *ctx)
{
	struct pipeline *p = ctx;
	struct hooks *k = &p->hooks;
	struct hooked *h;
	size_t n = 0;

	/* Those that come meanwhile are for the next turn. */
	TAILQ_FOREACH (h, &k->late, link)
		n++;
	for (; n > 0 && (h = TAILQ_FIRST(&k->late)) != NULL; n--) {
		stop_waiting(k, h);
		begin_followup(h);
	}
	listener_flush(p->worker->listener);
}

void hooks_followed(void *ctx, const struct answer *a)
{
	struct client_query *cq = ctx;
	struct hooked *h = cq->hooked;
	struct answer told = *a;

	cq->request = NULL;
	h->outqueries += a->out_queries;
	validation_apply(cq, settings_of(cq), &told);
	followup_take(h, &told);
	hookquery_settle(&h->q);
	if (cq->pipeline->worker->stopping)
		answer(h);
	else
		(void)go_on(h);
}

/* ---- before a server is asked ---- */

static int add_to_plan(struct outquery_plan *plan, const struct hook_records *r, size_t first,
		       bool *done, uint32_t now_s)
{
	const struct hook_record *row = &r->rows[first];
	struct rdata rr[OUTQUERY_SETS_MAX];
	uint8_t owner[NAME_MAX_LEN];
	size_t n = 0;
	int err;

	if (plan->n_sets == OUTQUERY_SETS_MAX)
		return E_LIMIT;
	for (size_t i = first; i < r->n && n < OUTQUERY_SETS_MAX; i++) {
		const struct hook_record *other = &r->rows[i];

		if (done[i] || other->type != row->type || other->place != row->place ||
		    !name_equal(other->name, row->name))
			continue;
		done[i] = true;
		rr[n++] = (struct rdata) { .data = other->rdata, .len = other->rdlen };
	}
	(void)name_lower(owner, row->name);
	err = rrset_new(&plan->sets[plan->n_sets].set, owner, row->type, row->ttl, now_s,
			RANK_AUTH_ANSWER, rr, n, NULL, 0);
	if (err == E_OK)
		plan->sets[plan->n_sets++].section = row->place;
	return err;
}

/* Equal name, type and section are a set.  What is too much for a reply is left out. */
static void fill_plan(struct outquery_plan *plan, const struct hook_answer *reply, uint32_t now_s)
{
	enum { ROWS_MAX = 256 };
	bool done[ROWS_MAX] = { false };
	size_t n = reply->records.n < ROWS_MAX ? reply->records.n : ROWS_MAX;
	const struct hook_records rows = { .rows = reply->records.rows, .n = n };

	plan->rcode = (uint16_t)reply->rcode;
	for (size_t i = 0; i < n; i++)
		if (!done[i] && add_to_plan(plan, &rows, i, done, now_s) != E_OK)
			return;
}

enum outquery_verdict hooks_preoutquery(void *ctx, void *client, struct outquery_plan *plan)
{
	struct worker *w = ctx;
	const struct client_query *cq = client;
	struct hooked *h = cq->hooked;
	struct hook_outquery out = {
		.server = plan->server,
		.qname = plan->name,
		.qtype = plan->type,
		.tcp = plan->transport == TRANSPORT_TCP,
	};
	enum script_verdict verdict;

	/* The query began before the script, or another had no such hook. */
	if (h == NULL || !calls(h, HOOK_PREOUTQUERY))
		return OUTQUERY_GO;
	h->q.out = &out;
	verdict = script_call(h->q.script, HOOK_PREOUTQUERY, &h->q);
	h->q.out = NULL;
	if (verdict == SCRIPT_TAKEN)
		fill_plan(plan, &out.reply, worker_wall_s(w));
	hookanswer_clear(&out.reply);
	switch (verdict) {
	case SCRIPT_TAKEN:
		return OUTQUERY_ANSWERED;
	case SCRIPT_DROP:
		return OUTQUERY_NO_RESOURCES;
	case SCRIPT_KILL:
		return OUTQUERY_KILL;
	case SCRIPT_PASS:
		break;
	}
	plan->server = out.server;
	if (out.tcp)
		plan->transport = TRANSPORT_TCP;
	return OUTQUERY_GO;
}
