/* pipeline: see pipeline.h.  The table of stages below is what happens to a query. */
#include "recursor/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/slab.h"
#include "common/timers.h"
#include "recursor/account.h"
#include "recursor/answer.h"
#include "recursor/local.h"
#include "recursor/policy/acl.h"
#include "recursor/policy/slots.h"
#include "recursor/query.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/zones.h"
#include "recursor/watch/tracer.h"
#include "recursor/watch/wiper.h"

enum { STALE_PACKET_S = 5 }; /* so long an answer of expired data is kept as a packet */

struct pipeline {
	struct worker *worker;
	struct account account;
	struct slab queries;           /* struct client_query: those being resolved */
	struct slots *slots;           /* who waits: no more than max-mthreads */
	bool traces;                   /* the rule or the setting wants some questions traced */
	struct trace_rule *trace_rule; /* trace-regex, or NULL */
	bool is_unknown;               /* finish() tells resolve() that the cache has no answer */
	uint8_t scratch[WIRE_MSG_MAX]; /* an answer, where the listener has no place for it */
};

/* A query in the resolver. */
struct client_query {
	struct pipeline *pipeline;
	struct client client;
	struct query q; /* reads from `head` */
	uint64_t start_us;
	uint16_t asked_type; /* of the resolver */
	bool over_capacity;
	struct request *request; /* while it waits */
	struct traced *traced;   /* or NULL */
	bool trace_failure_only;
	struct slot slot;
	uint8_t head[QUERY_HEAD_MAX];
};

/* A packet on its way through the stages. */
struct passage {
	const struct settings *settings;
	const struct client *from;
	const uint8_t *wire;
	size_t len;
	struct query q; /* from read_question() on */
};

enum step {
	STEP_ON,   /* to the next stage */
	STEP_DONE, /* answered, or will be */
	STEP_DROP, /* no answer: silence over UDP, the end of a TCP connection */
};

typedef enum step stage(struct pipeline *p, struct passage *t);

static stage check_acl, check_header, read_question, check_edns, look_in_packetcache,
	answer_locally, check_recursion, resolve;

static stage *const stages[] = {
	check_acl,           /* may they ask? */
	check_header,        /* is it a query? */
	read_question,       /* what is asked, and how */
	check_edns,          /* in a version that we speak? */
	look_in_packetcache, /* the answer of a moment ago */
	answer_locally,      /* questions about ourselves, and what nobody resolves */
	check_recursion,     /* without RD we are not to ask anybody */
	resolve,             /* and finish(), once the resolver is done */
};

static enum listen_verdict take_query(void *ctx, const struct client *from, uint8_t *wire,
				      size_t len)
{
	struct pipeline *p = ctx;
	struct passage t = {
		.settings = atomic_load_explicit(&p->worker->server->settings,
						 memory_order_acquire),
		.from = from,
		.wire = wire,
		.len = len,
	};
	enum step step = STEP_ON;

	for (size_t i = 0; i < ARRAY_LEN(stages) && step == STEP_ON; i++)
		step = stages[i](p, &t);
	return step == STEP_DROP && from->tcp ? LISTEN_CLOSE : LISTEN_TAKEN;
}

/* ---- sending ---- */

static uint8_t *answer_place(struct pipeline *p, const struct client *to, size_t limit)
{
	uint8_t *place = listen_reply_buffer(p->worker->listener, to, limit);

	return place != NULL ? place : p->scratch;
}

static void send_packed(struct pipeline *p, const struct client *to, const uint8_t *wire,
			const struct packed *packed, unsigned rcode, uint64_t us)
{
	/* Counted first: who has the answer may look at the counters. */
	if (packed->truncated)
		COUNT(p->account.counters, truncated_answers);
	account_rcode(&p->account, rcode);
	account_latency(&p->account, us);
	listen_reply(p->worker->listener, to, wire, packed->len);
}

/* An answer that took no time and is not kept; NULL: ask again over TCP. */
static enum step send_now(struct pipeline *p, const struct passage *t, const struct answer *a)
{
	size_t limit = answer_limit(&t->q, t->from->tcp, t->settings->udp_truncation_threshold);
	uint8_t *out = answer_place(p, t->from, limit);
	struct packed packed;

	if (a == NULL)
		answer_pack_truncated(&packed, out, limit, &t->q);
	else
		answer_pack(&packed, out, limit, &t->q, a, t->settings->extended_resolution_errors,
			    worker_wall_s(p->worker));
	send_packed(p, t->from, out, &packed, a == NULL ? RCODE_NOERROR : a->rcode, 0);
	return STEP_DONE;
}

static enum step send_error(struct pipeline *p, const struct passage *t, uint16_t rcode,
			    int16_t ede)
{
	const struct answer a = { .rcode = rcode, .ede = ede };

	return send_now(p, t, &a);
}

static enum step send_header(struct pipeline *p, const struct passage *t, uint16_t rcode)
{
	uint8_t out[WIRE_HEADER_LEN];
	size_t len = answer_pack_header(out, t->wire, rcode);

	account_rcode(&p->account, rcode);
	listen_reply(p->worker->listener, t->from, out, len);
	return STEP_DONE;
}

/* ---- the stages ---- */

/* The listener counts those it turns away. */
static bool accept_client(void *ctx, const struct addr *remote)
{
	const struct pipeline *p = ctx;
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);

	return acl_allows(s->allow_from, remote);
}

static unsigned opcode_of(const struct passage *t)
{
	return t->wire[2] >> 3 & 15;
}

static enum step check_acl(struct pipeline *p, struct passage *t)
{
	/* A TCP client was looked at when it connected. */
	if (t->from->tcp || acl_allows(t->settings->allow_from, &t->from->remote))
		return STEP_ON;
	/* take_notify() has a list of its own. */
	if (t->len >= WIRE_HEADER_LEN && opcode_of(t) == OPCODE_NOTIFY)
		return STEP_ON;
	COUNT(p->account.counters, unauthorized_udp);
	return STEP_DROP;
}

/* RFC 1996 4.7: the same header and question, as a response. */
static enum step send_notify_response(struct pipeline *p, const struct passage *t)
{
	uint8_t out[QUERY_UDP_PLAIN];
	const struct answer nothing = { .rcode = RCODE_NOERROR, .ede = EDE_NONE };
	struct packed packed;

	answer_pack(&packed, out, sizeof(out), &t->q, &nothing, false, 0);
	wire_put_u16(out + 2, (uint16_t)(MSG_QR | OPCODE_NOTIFY << 11 | (t->q.flags & MSG_AA)));
	listen_reply(p->worker->listener, t->from, out, packed.len);
	return STEP_DONE;
}

/* A zone has changed: what the caches hold of it is to be forgotten, not by this thread. */
static enum step take_notify(struct pipeline *p, struct passage *t)
{
	uint8_t zone[NAME_MAX_LEN];

	if (!netset_match(t->settings->allow_notify_from, &t->from->remote)) {
		COUNT(p->account.counters, source_disallowed_notify);
		return STEP_DROP;
	}
	if (query_read(&t->q, t->wire, t->len) != E_OK) {
		COUNT(p->account.counters, client_parse_errors);
		return send_header(p, t, RCODE_FORMERR);
	}
	name_lower(zone, query_name(&t->q));
	if (!nameset_encloses(t->settings->allow_notify_for, zone) &&
	    !zones_allow_notify(resolver_zones(p->worker->resolver), zone)) {
		COUNT(p->account.counters, zone_disallowed_notify);
		return STEP_DROP;
	}
	/* Who is not answered says it again. */
	if (!wiper_post(p->worker->server->wiper, zone)) {
		COUNT(p->account.counters, notify_overflows);
		return STEP_DROP;
	}
	COUNT(p->account.counters, notifies);
	return send_notify_response(p, t);
}

static enum step check_header(struct pipeline *p, struct passage *t)
{
	unsigned flags;

	/* Nobody asks from port 0; an answer could not be sent. */
	if (t->len < WIRE_HEADER_LEN || t->from->remote.port == 0) {
		COUNT(p->account.counters, client_parse_errors);
		return STEP_DROP;
	}
	flags = wire_get_u16(t->wire + 2);
	/* To answer an answer is how two servers come to talk for ever. */
	if (flags & MSG_QR) {
		COUNT(p->account.counters, ignored_packets);
		return STEP_DROP;
	}
	if (opcode_of(t) == OPCODE_NOTIFY)
		return take_notify(p, t);
	if (opcode_of(t) != OPCODE_QUERY) {
		COUNT(p->account.counters, notimp_queries);
		return send_header(p, t, RCODE_NOTIMP);
	}
	return STEP_ON;
}

static enum step read_question(struct pipeline *p, struct passage *t)
{
	int err = query_read(&t->q, t->wire, t->len);

	if (err != E_OK) {
		if (err == E_END)
			COUNT(p->account.counters, empty_queries);
		else
			COUNT(p->account.counters, client_parse_errors);
		return send_header(p, t, RCODE_FORMERR);
	}
	account_question(&p->account, t->from, &t->q);
	return STEP_ON;
}

static enum step check_edns(struct pipeline *p, struct passage *t)
{
	if (t->q.edns_version == 0)
		return STEP_ON;
	return send_error(p, t, RCODE_BADVERS, EDE_NONE); /* RFC 6891 6.1.3 */
}

static struct packetcache_key cache_key(const struct query *q, bool tcp, size_t limit)
{
	return (struct packetcache_key) {
		.query = q->wire,
		.question_end = q->question_end,
		.tcp = tcp,
		.edns = q->edns,
		.dnssec_ok = q->dnssec_ok,
		.payload = (uint16_t)limit,
	};
}

static enum step look_in_packetcache(struct pipeline *p, struct passage *t)
{
	size_t limit = answer_limit(&t->q, t->from->tcp, t->settings->udp_truncation_threshold);
	struct packetcache_key key;
	uint8_t *out, rcode;
	size_t len;

	if (t->settings->disable_packetcache)
		return STEP_ON;
	key = cache_key(&t->q, t->from->tcp, limit);
	out = answer_place(p, t->from, limit);
	len = packetcache_get(p->worker->packetcache, &key, worker_wall_s(p->worker), out, limit,
			      &rcode);
	if (len == 0) {
		COUNT(p->account.counters, packetcache_misses);
		return STEP_ON;
	}
	account_packetcache_hit(&p->account, rcode);
	listen_reply(p->worker->listener, t->from, out, len);
	if (!t->settings->quiet)
		account_log_question(t->from, &t->q, ": answered from the packet cache");
	return STEP_DONE;
}

static enum step answer_locally(struct pipeline *p, struct passage *t)
{
	struct local_answer local;
	struct answer a;
	enum step step;

	if (!t->settings->quiet)
		account_log_question(t->from, &t->q, "");
	switch (local_look(&local, &t->q, t->from->tcp, t->settings, worker_wall_s(p->worker))) {
	case LOCAL_RESOLVE:
		return STEP_ON;
	case LOCAL_TRUNCATE:
		return send_now(p, t, NULL);
	case LOCAL_ANSWER:
		break;
	}
	a = (struct answer) {
		.rcode = local.rcode,
		.ede = local.ede,
		.sets = &local.set,
		.n_sets = local.set != NULL,
	};
	step = send_now(p, t, &a);
	rrset_put(local.set);
	return step;
}

static enum step check_recursion(struct pipeline *p, struct passage *t)
{
	if ((t->q.flags & MSG_RD) || t->settings->allow_no_rd)
		return STEP_ON;
	COUNT(p->account.counters, no_rd_refused);
	return send_error(p, t, RCODE_REFUSED, EDE_NOT_AUTHORITATIVE); /* RFC 8914 4.21 */
}

/* ---- the resolver's answer ---- */

/* ANY is resolved as A: that tells whether the name is there, and the A records, or an alias,
 * are an answer (RFC 8482 4.1: a subset).  A name without them has the HINFO of RFC 8482 4.2.
 * An alias is not followed for ANY (RFC 1034 3.6.2).  Returns a set for the caller to give back. */
static struct rrset *answer_any(struct answer *a, const struct query *q, uint32_t now_s)
{
	struct rrset *hinfo = NULL;

	for (size_t i = 0; i < a->n_sets; i++)
		if (a->sets[i]->type == TYPE_CNAME) {
			a->n_sets = i + 1;
			a->rcode = RCODE_NOERROR;
			a->soa = NULL;
			return NULL;
		}
	if (a->rcode == RCODE_NOERROR && a->n_sets == 0) {
		hinfo = local_any(q, now_s);
		a->soa = NULL;
	}
	return hinfo;
}

/* RFC 9520 3.2: a failure is told for no longer than it is remembered. */
static uint32_t failure_ttl_left(struct pipeline *p, const struct client_query *cq, uint32_t now_s)
{
	uint8_t name[NAME_MAX_LEN];
	struct cache_view known;
	uint32_t ttl = 0;

	name_lower(name, query_name(&cq->q));
	if (!cache_look(p->worker->server->cache, name, cq->asked_type, CACHE_WANT_ANSWER, now_s, 0,
			&known))
		return 0;
	if (known.exact != NULL && known.exact->kind == RRSET_FAILURE)
		ttl = rrset_ttl_left(known.exact, now_s);
	cache_view_put(&known);
	return ttl;
}

/* refresh-on-ttl-perc has to see who asks in the last part of a set's TTL: until then the packet
 * may stay, and for a second at a time from then on. */
static uint32_t before_refresh_s(const struct answer *a, uint32_t percent, uint32_t now_s)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i <= a->n_sets; i++) {
		const struct rrset *set = i < a->n_sets ? a->sets[i] : a->soa;
		uint32_t left, last;

		if (set == NULL)
			continue;
		left = rrset_ttl_left(set, now_s);
		last = (uint32_t)((uint64_t)set->ttl * percent / 100);
		left = left > last ? left - last : 1;
		least = left < least ? left : least;
	}
	return least;
}

/* How long the packet cache may keep an answer; 0: not at all.  What had to be asked for is not
 * kept yet but when it is asked for again, out of the record cache: names that are asked once,
 * an attack's above all, cost no place here. */
static uint32_t packet_ttl(struct pipeline *p, const struct client_query *cq,
			   const struct settings *s, const struct answer *a,
			   const struct packed *packed, uint32_t now_s)
{
	uint32_t ttl = packed->min_ttl, cap = s->packetcache_ttl_s;

	if (!a->from_cache || packed->truncated || s->disable_packetcache)
		return 0;
	if (a->rcode == RCODE_SERVFAIL) {
		ttl = failure_ttl_left(p, cq, now_s);
		cap = s->packetcache_servfail_ttl_s;
	} else if (!a->cacheable) {
		return 0;
	} else if (a->soa != NULL) {
		cap = s->packetcache_negative_ttl_s;
	}
	/* Something better may come any moment. */
	if (a->is_stale && cap > STALE_PACKET_S)
		cap = STALE_PACKET_S;
	if (ttl < cap)
		cap = ttl;
	if (s->refresh_on_ttl_perc != 0 && a->rcode != RCODE_SERVFAIL) {
		ttl = before_refresh_s(a, s->refresh_on_ttl_perc, now_s);
		cap = ttl < cap ? ttl : cap;
	}
	return cap;
}

static void send_answer(struct pipeline *p, const struct client_query *cq, const struct settings *s,
			const struct answer *a)
{
	size_t limit = answer_limit(&cq->q, cq->client.tcp, s->udp_truncation_threshold);
	struct packetcache_key key = cache_key(&cq->q, cq->client.tcp, limit);
	uint8_t *out = answer_place(p, &cq->client, limit);
	uint64_t us = loop_now_us() - cq->start_us;
	uint32_t now_s = worker_wall_s(p->worker), ttl;
	struct packed packed;

	answer_pack(&packed, out, limit, &cq->q, a, s->extended_resolution_errors, now_s);
	ttl = packet_ttl(p, cq, s, a, &packed, now_s);
	if (ttl > 0)
		packetcache_put(p->worker->packetcache, &key, out, packed.len, ttl, now_s);
	send_packed(p, &cq->client, out, &packed, a->rcode, us);
	if (a->rcode == RCODE_SERVFAIL && s->log_common_errors)
		account_log_failure(&cq->client, &cq->q, a);
	if (!s->quiet)
		account_log_answer(&cq->q, a, us);
}

/* What the cache knew without asking anybody: the data or a denial, or no more than an alias? */
static bool is_whole(const struct answer *a, uint16_t type)
{
	return a->soa != NULL || (a->n_sets > 0 && a->sets[a->n_sets - 1]->type == type);
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

static void let_go(struct client_query *cq)
{
	slots_give(cq->pipeline->slots, &cq->slot);
	slab_give(&cq->pipeline->queries, cq);
}

/* What was refused at once has not been found in a cache. */
static void count_whence(struct pipeline *p, const struct answer *a)
{
	if (a->from_cache && (a->rcode != RCODE_SERVFAIL || a->ede == EDE_CACHED_ERROR))
		COUNT(p->account.counters, cache_hits);
	else
		COUNT(p->account.counters, cache_misses);
}

static void finish(void *ctx, const struct answer *found)
{
	struct client_query *cq = ctx;
	struct pipeline *p = cq->pipeline;
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);
	struct answer a = *found;
	struct rrset *any = NULL;

	if (cq->over_capacity && !is_whole(&a, cq->asked_type)) {
		p->is_unknown = true;
		return;
	}
	count_whence(p, &a);
	if (cq->traced != NULL)
		end_trace(p, cq, &a);
	if (cq->q.type == TYPE_ANY) {
		any = answer_any(&a, &cq->q, worker_wall_s(p->worker));
		if (any != NULL) {
			a.sets = &any;
			a.n_sets = 1;
		}
	}
	send_answer(p, cq, s, &a);
	rrset_put(any);
	let_go(cq);
}

/* All slots are taken: the client that holds most gives up one, if it has so many more. */
static bool make_room(struct pipeline *p, const struct addr *client)
{
	struct slot *slot = slots_victim(p->slots, client);
	struct client_query *cq;

	if (slot == NULL)
		return false;
	cq = CONTAINER(slot, struct client_query, slot);
	COUNT(p->account.counters, fair_share_refusals);
	/* finish() gets the failure, or expired data. */
	resolver_give_up(p->worker->resolver, cq->request, "gave way to another client");
	return !slots_are_full(p->slots);
}

static void ask_resolver(struct pipeline *p, struct client_query *cq)
{
	struct question question = {
		.name = query_name(&cq->q),
		.type = cq->asked_type,
		.cache_only = cq->over_capacity || !(cq->q.flags & MSG_RD),
		.no_stale = !(cq->q.flags & MSG_RD),
	};
	struct request *request;

	if (p->traces && !question.cache_only)
		question.trace = begin_trace(p, cq);
	request = resolver_ask(p->worker->resolver, &question, finish, cq);

	if (request == NULL) /* finish() has been called */
		return;
	cq->request = request;
	slots_take(p->slots, &cq->slot, &cq->client.remote);
}

/* When max-mthreads are being resolved, one more may look whether the answer is known; if it is
 * not, another may have to make room. */
static enum step resolve(struct pipeline *p, struct passage *t)
{
	struct client_query *cq = slab_take(&p->queries);

	if (cq == NULL) {
		COUNT(p->account.counters, over_capacity_drops);
		return STEP_DROP;
	}
	cq->pipeline = p;
	cq->client = *t->from;
	cq->q = t->q;
	memcpy(cq->head, t->q.wire, t->q.question_end);
	cq->q.wire = cq->head;
	cq->start_us = loop_now_us();
	cq->over_capacity = slots_are_full(p->slots);
	cq->asked_type = cq->q.type == TYPE_ANY ? TYPE_A : cq->q.type; /* see answer_any() */
	p->is_unknown = false;
	ask_resolver(p, cq);
	if (!p->is_unknown)
		return STEP_DONE;
	if ((cq->q.flags & MSG_RD) && make_room(p, &cq->client.remote)) {
		cq->over_capacity = false;
		ask_resolver(p, cq);
		return STEP_DONE;
	}
	COUNT(p->account.counters, over_capacity_drops);
	let_go(cq);
	return STEP_DROP;
}

static struct slots_config slots_config(const struct settings *s)
{
	return (struct slots_config) {
		.max = s->max_mthreads,
		.ipv4_bits = s->fair_share_ipv4_bits,
		.ipv6_bits = s->fair_share_ipv6_bits,
	};
}

/* ---- life ---- */

int pipeline_new(struct pipeline **out, struct worker *w)
{
	const struct settings *s = atomic_load_explicit(&w->server->settings, memory_order_acquire);
	struct pipeline *p = calloc(1, sizeof(*p));
	struct slots_config cfg;

	if (p == NULL)
		return E_NOMEM;
	p->worker = w;
	if (account_init(&p->account, &w->counters, s) != E_OK) {
		free(p);
		return E_NOMEM;
	}
	cfg = slots_config(s);
	if (slots_new(&p->slots, &cfg) != E_OK) {
		account_deinit(&p->account);
		free(p);
		return E_NOMEM;
	}
	slab_init(&p->queries, sizeof(struct client_query), (size_t)s->max_mthreads + 1);
	p->traces = s->trace[0] != 'n';
	*out = p;
	return E_OK;
}

void pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	trace_rule_free(p->trace_rule);
	slots_free(p->slots);
	slab_deinit(&p->queries);
	account_deinit(&p->account);
	free(p);
}

void pipeline_configure(struct pipeline *p, const struct settings *s)
{
	struct slots_config cfg = slots_config(s);

	account_configure(&p->account, s);
	slots_configure(p->slots, &cfg);
	p->queries.max = (size_t)s->max_mthreads + 1;
	p->traces = p->trace_rule != NULL || s->trace[0] != 'n';
}

struct trace_rule *pipeline_set_trace_rule(struct pipeline *p, struct trace_rule *rule)
{
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);
	struct trace_rule *old = p->trace_rule;

	p->trace_rule = rule;
	p->traces = rule != NULL || s->trace[0] != 'n';
	return old;
}

void pipeline_listen_handler(struct pipeline *p, struct listen_handler *h)
{
	*h = (struct listen_handler) { .ctx = p, .query = take_query, .accept = accept_client };
}

size_t pipeline_in_flight(const struct pipeline *p)
{
	return slots_used(p->slots);
}

const counter *pipeline_qtypes(const struct pipeline *p)
{
	return p->account.qtypes;
}

uint64_t pipeline_latency_us(const struct pipeline *p)
{
	return (uint64_t)p->account.latency_us;
}

const struct client *pipeline_client_of(const struct request_view *v)
{
	const struct client_query *cq = v->ctx;

	return v->done == finish ? &cq->client : NULL;
}
