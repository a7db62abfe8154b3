/* pipeline: see pipeline.h.  The table of stages below is what happens to a query. */
#include "recursor/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/flight.h"
#include "recursor/hooks.h"
#include "recursor/local.h"
#include "recursor/passage.h"
#include "recursor/policy/acl.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/zones.h"
#include "recursor/shield.h"
#include "recursor/tapping.h"
#include "recursor/watch/tracer.h"
#include "recursor/watch/wiper.h"
#include "recursor/wiring.h"

static stage check_acl, check_header, check_opcode, read_question, check_edns, know_packet,
	look_in_packetcache, look_in_packetcache_logged, answer_locally, check_recursion,
	log_question;

/* The packet is read ... */
static stage *const reading[] = {
	check_acl,     /* may they ask? */
	check_header,  /* can it be a query? */
	hooks_filter,  /* ipfilter */
	check_opcode,  /* is it one? */
	read_question, /* what is asked, and how */
	check_edns,    /* in a version that we speak? */
	hooks_tag,     /* gettag */
	know_packet,   /* the key of its answer */
};

/* ... and answered: over UDP, once a few more have been read.  The other table is the same with what
 * it takes to log it. */
static stage *const answering[] = {
	shield_before_cache,    /* rules of the defender that do not wait for the caches */
	look_in_packetcache,    /* the answer of a moment ago */
	answer_locally,         /* questions about ourselves, and what nobody resolves */
	check_recursion,        /* without RD we are not to ask anybody */
	shield_before_resolver, /* is the domain under attack? */
	resolve_query,          /* and respond(), once the resolver is done */
};
static stage *const answering_logged[] = {
	log_question,   shield_before_cache, look_in_packetcache_logged,
	answer_locally, check_recursion,     shield_before_resolver,
	resolve_query,
};

static enum step pass(struct pipeline *p, struct passage *t, stage *const *stages, size_t n)
{
	enum step step = STEP_ON;

	for (size_t i = 0; i < n && step == STEP_ON; i++)
		step = stages[i](p, t);
	return step;
}

/* What the answers of a batch need is far away, and each of its places is told by the one before:
 * all go a step together. */
static void fetch_ahead(struct pipeline *p)
{
	const struct packetcache *pc = p->worker->packetcache;
	bool is_unknown[PASSAGES_AHEAD];

	for (unsigned i = 0; i < p->n_ahead; i++)
		packetcache_fetch(pc, p->ahead[i].hash, PACKETCACHE_SLOT);
	for (unsigned i = 0; i < p->n_ahead; i++) {
		is_unknown[i] = !packetcache_fetch(pc, p->ahead[i].hash, PACKETCACHE_ENTRY);
		if (is_unknown[i])
			cache_fetch_shard(p->worker->server->cache, p->ahead[i].q.name_hash);
	}
	for (unsigned i = 0; i < p->n_ahead; i++)
		if (is_unknown[i])
			cache_fetch_bucket(p->worker->server->cache, p->ahead[i].q.name_hash);
		else
			defender_tally_fetch(p->defender_rows,
					     packetcache_note(pc, p->ahead[i].hash));
}

/* Apart from pass(), which is compiled into each of its two places. */
static __attribute__((noinline, cold)) enum step pass_logged(struct pipeline *p, struct passage *t)
{
	const struct query_outcome dropped = { .dropped = true, .ede = EDE_NONE };
	enum step step = STEP_ON;

	for (size_t i = 0; i < ARRAY_LEN(answering_logged) && step == STEP_ON; i++)
		step = answering_logged[i](p, t);
	if (step == STEP_DROP)
		respond_log(p, t->from, &t->q, &dropped);
	return step;
}

static enum step answer_one(struct pipeline *p, struct passage *t)
{
	enum step step;

	if (p->logged == NULL)
		step = pass(p, t, answering, ARRAY_LEN(answering));
	else
		step = pass_logged(p, t);
	if (step == STEP_DROP)
		account_dropped(&p->account);
	if (t->hooked != NULL)
		hooks_leave(p, t);
	return step;
}

static void answer_ahead(void *ctx)
{
	struct pipeline *p = ctx;

	tapping_batch(p->worker);
	fetch_ahead(p);
	for (unsigned i = 0; i < p->n_ahead; i++)
		(void)answer_one(p, &p->ahead[i]);
	p->n_ahead = 0;
}

static enum listen_verdict take_query(void *ctx, const struct client *from, uint8_t *wire,
				      size_t len)
{
	struct pipeline *p = ctx;
	struct passage *t = &p->ahead[p->n_ahead], alone;
	enum step step;

	if (from->tcp)
		t = &alone;
	if (from->tcp || p->n_ahead == 0)
		tapping_batch(p->worker);
	t->settings = atomic_load_explicit(&p->worker->server->settings, memory_order_acquire);
	t->from = from;
	t->wire = wire;
	t->len = len;
	t->hooked = NULL;
	step = pass(p, t, reading, ARRAY_LEN(reading));
	if (step == STEP_DROP)
		account_dropped(&p->account);
	if (from->tcp && step == STEP_ON) {
		tapping_batch(p->worker);
		step = answer_one(p, t);
	} else if (step == STEP_ON && ++p->n_ahead == PASSAGES_AHEAD) {
		answer_ahead(p);
	}
	return step == STEP_DROP && from->tcp ? LISTEN_CLOSE : LISTEN_TAKEN;
}

/* ---- the stages ---- */

/* The listener counts those it turns away. */
static bool accept_client(void *ctx, const struct addr *remote)
{
	const struct pipeline *p = ctx;
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);

	account_remote(&p->account, remote, true);
	return acl_allows(s->allow_from, remote);
}

static unsigned opcode_of(const struct passage *t)
{
	return t->wire[2] >> 3 & 15;
}

static enum step check_acl(struct pipeline *p, struct passage *t)
{
	/* A TCP client was counted when it connected, and looked at by the list of then. */
	if (!t->from->tcp)
		account_remote(&p->account, &t->from->remote, false);
	if (acl_allows(t->settings->allow_from, &t->from->remote))
		return STEP_ON;
	/* take_notify() has a list of its own. */
	if (t->len >= WIRE_HEADER_LEN && opcode_of(t) == OPCODE_NOTIFY)
		return STEP_ON;
	if (t->from->tcp)
		COUNT(p->account.counters, unauthorized_tcp_queries);
	else
		COUNT(p->account.counters, unauthorized_udp);
	flight_packet_refused(p, t, RECORDER_ACL);
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
	tapping_reply(p->worker, t->from, out, packed.len);
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
		return respond_header(p, t, RCODE_FORMERR, REASON_MALFORMED);
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
		COUNT(p->account.counters, client_parse_drops);
		return STEP_DROP;
	}
	flags = wire_get_u16(t->wire + 2);
	/* To answer an answer is how two servers come to talk for ever. */
	if (flags & MSG_QR) {
		COUNT(p->account.counters, ignored_packets);
		return STEP_DROP;
	}
	tapping_query(p->worker, t->from, t->wire, t->len);
	return STEP_ON;
}

static enum step check_opcode(struct pipeline *p, struct passage *t)
{
	if (opcode_of(t) == OPCODE_NOTIFY)
		return take_notify(p, t);
	if (opcode_of(t) != OPCODE_QUERY)
		return respond_header(p, t, RCODE_NOTIMP, REASON_OPCODE);
	return STEP_ON;
}

static enum step read_question(struct pipeline *p, struct passage *t)
{
	int err = query_read(&t->q, t->wire, t->len);

	if (err != E_OK)
		return respond_header(p, t, RCODE_FORMERR,
				      err == E_END ? REASON_NO_QUESTION : REASON_MALFORMED);
	account_question(&p->account, t->from, &t->q);
	t->q.dnssec = query_dnssec_of(&p->dnssec, t->q.flags, t->q.dnssec_ok);
	return STEP_ON;
}

static enum step check_edns(struct pipeline *p, struct passage *t)
{
	if (t->q.edns_version == 0)
		return STEP_ON;
	return respond_error(p, t, RCODE_BADVERS, CAUSE_EDNS_VERSION);
}

static enum step know_packet(struct pipeline *p, struct passage *t)
{
	t->limit = answer_limit(&t->q, t->from->tcp, t->settings->udp_truncation_threshold);
	t->key = respond_key(&t->q, t->from->tcp, t->limit);
	if (t->hooked != NULL)
		t->key.tag = t->hooked->q.tag;
	t->hash = packetcache_hash(&t->key);
	packetcache_fetch(p->worker->packetcache, t->hash, PACKETCACHE_BUCKET);
	return STEP_ON;
}

static enum step look_in_packetcache(struct pipeline *p, struct passage *t)
{
	struct costing *costing = &p->worker->costing;
	struct packetcache_hit hit;
	uint8_t *out;
	bool sampled;
	size_t len;

	if (t->settings->disable_packetcache)
		return STEP_ON;
	sampled = costing_samples(costing);
	if (sampled)
		costing_open(costing);
	out = respond_place(p, t->from, t->limit);
	len = packetcache_get(p->worker->packetcache, &t->key, worker_wall_s(p->worker), out,
			      t->limit, &hit);
	if (len == 0) {
		COUNT(p->account.counters, packetcache_misses);
		return STEP_ON;
	}
	account_packetcache_hit(&p->account, t->from, &t->q, hit.rcode, len);
	if (hit.bogus)
		account_bogus(&p->account, t->from, &t->q);
	shield_hit(p, &hit);
	tapping_hit(p->worker, t->from, out, len);
	if (sampled)
		account_hit_cpu(&p->account, costing_hit(costing, t->settings->psl, t->from,
							 query_name(&t->q), loop_now_us()));
	return STEP_DONE;
}

/* The answer is still where it was built. */
static enum step look_in_packetcache_logged(struct pipeline *p, struct passage *t)
{
	struct query_outcome outcome = { .from_packetcache = true, .ede = EDE_NONE };
	const uint8_t *out = respond_place(p, t->from, t->limit);
	enum step step = look_in_packetcache(p, t);

	if (step == STEP_DONE) {
		outcome.rcode = out[3] & 15;
		respond_log(p, t->from, &t->q, &outcome);
	}
	return step;
}

static enum step log_question(struct pipeline *p, struct passage *t)
{
	const struct query_seen seen = respond_seen(t->from, &t->q);

	query_filter_question(p->logged, &seen, loop_now_ms(p->worker->loop));
	return STEP_ON;
}

static enum step answer_locally(struct pipeline *p, struct passage *t)
{
	struct local_answer local;
	struct answer a;
	enum step step;

	switch (local_look(&local, &t->q, t->from->tcp, t->settings,
			   resolver_anchors(p->worker->resolver), worker_wall_s(p->worker))) {
	case LOCAL_RESOLVE:
		return STEP_ON;
	case LOCAL_TRUNCATE:
		return respond_now(p, t, NULL);
	case LOCAL_ANSWER:
		break;
	}
	a = (struct answer) {
		.rcode = local.rcode,
		.sets = &local.set,
		.n_sets = local.set != NULL,
	};
	answer_blame(&a, local.cause);
	step = respond_now(p, t, &a);
	rrset_put(local.set);
	return step;
}

static enum step check_recursion(struct pipeline *p, struct passage *t)
{
	if ((t->q.flags & MSG_RD) || t->settings->allow_no_rd)
		return STEP_ON;
	return respond_error(p, t, RCODE_REFUSED, CAUSE_NO_RECURSION);
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

static void look_for_queries(struct pipeline *p)
{
	uint64_t now_ms = p->worker->loop != NULL ? loop_now_ms(p->worker->loop) : 0;
	bool is_used = query_filter_is_used(&p->query_filter, now_ms);

	p->logged = is_used ? &p->query_filter : NULL;
}

int pipeline_new(struct pipeline **out, struct worker *w)
{
	const struct settings *s = atomic_load_explicit(&w->server->settings, memory_order_acquire);
	struct pipeline *p = calloc(1, sizeof(*p));
	struct slots_config cfg;

	if (p == NULL)
		return E_NOMEM;
	p->worker = w;
	query_filter_init(&p->query_filter, w->server->query_log, w->index, &w->counters);
	p->query_filter.all = !s->quiet;
	look_for_queries(p);
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
	if (shield_new(&p->shield, w) != E_OK) {
		pipeline_free(p);
		return E_NOMEM;
	}
	if (hooks_init(p, s) != E_OK) {
		pipeline_free(p);
		return E_NOMEM;
	}
	if (flight_init(&p->flight, s) != E_OK) {
		pipeline_close(p); /* the hooks' timer hangs on the loop */
		pipeline_free(p);
		return E_NOMEM;
	}
	p->defender_rows = shield_rows(p->shield);
	slab_init(&p->queries, sizeof(struct client_query), (size_t)s->max_mthreads + 1);
	p->traces = s->trace[0] != 'n';
	query_dnssec_fill(&p->dnssec, wiring_dnssec_mode(s));
	*out = p;
	return E_OK;
}

void pipeline_close(struct pipeline *p)
{
	hooks_close(p);
}

void pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	hooks_deinit(p);
	flight_deinit(&p->flight);
	trace_rule_free(p->trace_rule);
	shield_free(p->shield);
	slots_free(p->slots);
	slab_deinit(&p->queries);
	account_deinit(&p->account);
	free(p);
}

void pipeline_tick(struct pipeline *p)
{
	shield_tick(p->shield);
	flight_tick(p);
	hooks_tick(p);
	look_for_queries(p);
}

void pipeline_set_script(struct pipeline *p, struct script *script)
{
	hooks_set_script(p, script);
}

void pipeline_configure(struct pipeline *p, const struct settings *s)
{
	struct slots_config cfg = slots_config(s);

	hooks_configure(p, s);
	flight_configure(&p->flight, s);
	account_configure(&p->account, s);
	slots_configure(p->slots, &cfg);
	p->queries.max = (size_t)s->max_mthreads + 1;
	query_dnssec_fill(&p->dnssec, wiring_dnssec_mode(s));
	p->traces = p->trace_rule != NULL || s->trace[0] != 'n';
	p->query_filter.all = !s->quiet;
	look_for_queries(p);
}

void pipeline_set_query_rules(struct pipeline *p, const struct query_rules *rules)
{
	p->query_filter.rules = *rules;
	look_for_queries(p);
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
	*h = (struct listen_handler) {
		.ctx = p,
		.query = take_query,
		.taken = answer_ahead,
		.accept = accept_client,
	};
}

void pipeline_set_rings(struct pipeline *p, struct rings *rings)
{
	p->account.rings = rings;
}

void pipeline_timed_out(const struct pipeline *p, const struct addr *server)
{
	account_timeout(&p->account, server);
}

size_t pipeline_in_flight(const struct pipeline *p)
{
	return slots_used(p->slots);
}

const counter *pipeline_qtypes(const struct pipeline *p)
{
	return p->account.qtypes;
}

const counter *pipeline_sizes(const struct pipeline *p)
{
	return p->account.sizes;
}

uint64_t pipeline_latency_us(struct pipeline *p)
{
	account_catch_up(&p->account);
	return (uint64_t)p->account.latency_us;
}

uint64_t pipeline_our_latency_us(struct pipeline *p)
{
	account_catch_up(&p->account);
	return (uint64_t)p->account.our_latency_us;
}

const struct client *pipeline_client_of(const struct request_view *v)
{
	const struct client_query *cq = v->ctx;

	return v->done == client_query_finish || v->done == hooks_followed ? &cq->client : NULL;
}

const struct recorder *pipeline_recorder(const struct pipeline *p)
{
	return p->flight.recorder;
}
