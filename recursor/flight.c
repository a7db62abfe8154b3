/* flight: see flight.h. */
#include "recursor/flight.h"

#include <stdio.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/wiring.h"

enum {
	PACKETS_EACH_MS = 10
}; /* of packets that a flood may bring by the million, one in so long */

/* ---- life ---- */

static void set_recorder(struct flight *f, const struct settings *s)
{
	uint64_t bytes = wiring_flight_bytes(s);

	if (bytes == 0) {
		recorder_free(f->recorder);
		f->recorder = NULL;
	} else if (f->recorder != NULL) {
		recorder_set_bytes(f->recorder, bytes);
	} else if (recorder_new(&f->recorder, bytes) != E_OK) {
		f->recorder = NULL;
	}
}

void flight_configure(struct flight *f, const struct settings *s)
{
	set_recorder(f, s);
	f->slow_us = s->flight_recorder_slow_msec == 0 ? UINT64_MAX
						       : s->flight_recorder_slow_msec * 1000ULL;
	f->ipv4_bits = s->fair_share_ipv4_bits;
	f->ipv6_bits = s->fair_share_ipv6_bits;
}

int flight_init(struct flight *f, const struct settings *s)
{
	flight_configure(f, s);
	return f->recorder == NULL && wiring_flight_bytes(s) > 0 ? E_NOMEM : E_OK;
}

void flight_deinit(struct flight *f)
{
	recorder_free(f->recorder);
	f->recorder = NULL;
}

void flight_tick(struct pipeline *p)
{
	struct worker_gauges *g = &p->worker->gauges;
	struct recorder_stats stats = { .bytes = 0 };
	struct resolver_stats steps;
	size_t n = 0;

	resolver_stats(p->worker->resolver, &steps);
	if (p->flight.recorder != NULL)
		recorder_stats(p->flight.recorder, &stats);
	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++)
		n += stats.stories[i];
	atomic_store_explicit(&g->flight_stories, n, memory_order_relaxed);
	stats.bytes += steps.journals_peak * JOURNAL_CHUNK;
	atomic_store_explicit(&g->flight_bytes, stats.bytes, memory_order_relaxed);
	counter_max(&p->account.counters->peak_flight, stats.bytes);
}

/* ---- keeping ---- */

static uint64_t client_hash(const struct flight *f, const struct addr *client)
{
	struct addr a = *client;

	a.port = 0;
	addr_truncate(&a, a.family == 4 ? f->ipv4_bits : f->ipv6_bits);
	return addr_hash(&a);
}

static void count_kept(struct counters *c, enum recorder_kind kind)
{
	switch (kind) {
	case RECORDER_FAILED:
		COUNT(c, flight_failed);
		break;
	case RECORDER_SLOW:
		COUNT(c, flight_slow);
		break;
	default:
		COUNT(c, flight_refused);
		break;
	}
}

/* False: not another of that kind now. */
static bool is_wanted(struct pipeline *p, struct recorder_key *key, const struct addr *client)
{
	struct flight *f = &p->flight;

	key->client = client_hash(f, client);
	if (recorder_wants(f->recorder, key, loop_now_ms(p->worker->loop)))
		return true;
	COUNT(p->account.counters, flight_skipped);
	return false;
}

static void keep(struct pipeline *p, const struct recorder_key *key, struct recorder_story *s)
{
	s->at_us = loop_now_us();
	s->wall_s = worker_wall_s(p->worker);
	if (recorder_keep(p->flight.recorder, key, s, loop_now_ms(p->worker->loop)))
		count_kept(p->account.counters, key->kind);
	else
		COUNT(p->account.counters, flight_skipped);
}

/* ---- what the resolver, or a script, has answered ---- */

static uint64_t domain_of(struct pipeline *p, const struct client_query *cq)
{
	const struct settings *s = atomic_load_explicit(&p->worker->server->settings,
							memory_order_acquire);
	const uint8_t *name = query_name(&cq->q);
	unsigned labels = cq->domain_labels;

	if (labels == 0)
		labels = psl_registrable(s->psl, name);
	return name_hash(name_suffix(name, labels));
}

static struct recorder_key key_of(const struct client_query *cq, const struct answer *a,
				  uint64_t us, const struct flight *f)
{
	struct recorder_key key = { .kind = RECORDER_FAILED, .reason = RECORDER_RESOLVED };

	if (cq->gave_way) {
		key.kind = RECORDER_REFUSED;
		key.reason = RECORDER_FAIR_SHARE;
	} else if (a->refused) {
		key.kind = RECORDER_REFUSED;
		key.reason = RECORDER_LIMIT;
	} else if (a->rcode != RCODE_SERVFAIL && us >= f->slow_us) {
		key.kind = RECORDER_SLOW;
	}
	if (cq->hooked != NULL && a->goal == NULL && key.kind != RECORDER_REFUSED)
		key.reason = RECORDER_SCRIPT;
	return key;
}

/* Who gave way, to whom. */
static const char *figures_of(const struct pipeline *p, const struct client_query *cq,
			      char buf[RECORDER_TEXT_MAX])
{
	if (!cq->gave_way)
		return NULL;
	(void)snprintf(buf, RECORDER_TEXT_MAX, "its client held %u of %u places (max-mthreads)",
		       slots_of_client(&cq->slot), slots_used(p->slots));
	return buf;
}

void flight_keep(struct pipeline *p, struct client_query *cq, const struct answer *a, uint64_t us)
{
	struct flight *f = &p->flight;
	char figures[RECORDER_TEXT_MAX];
	struct recorder_story s;
	struct recorder_key key;

	if (f->recorder == NULL || cq->is_recorded)
		return;
	cq->is_recorded = true;
	key = key_of(cq, a, us, f);
	key.domain = domain_of(p, cq);
	if (!is_wanted(p, &key, &cq->client.remote))
		return;
	s = (struct recorder_story) {
		.name = query_name(&cq->q),
		.type = cq->q.type,
		.client = cq->client.remote,
		.tcp = cq->client.tcp,
		.rcode = a->rcode,
		.ede = a->ede,
		.text = a->ede_text,
		.figures = figures_of(p, cq, figures),
		.took_us = us,
		.out_queries = a->out_queries,
		.timeouts = a->timeouts,
		.throttled = a->throttled,
		.bytes = a->bytes,
		.step_bytes = f->steps,
	};
	s.has_steps = resolver_story(p->worker->resolver, a, &s.steps, f->steps, sizeof(f->steps));
	keep(p, &key, &s);
}

/* ---- what was turned away ---- */

void flight_dropped(struct pipeline *p, const struct client_query *cq, const char *hook)
{
	struct recorder_key key = { .kind = RECORDER_REFUSED, .reason = RECORDER_DROPPED };
	struct recorder_story s = {
		.name = query_name(&cq->q),
		.type = cq->q.type,
		.client = cq->client.remote,
		.tcp = cq->client.tcp,
		.is_dropped = true,
		.ede = EDE_NONE,
		.figures = hook,
		.took_us = loop_now_us() - cq->start_us,
	};

	if (p->flight.recorder == NULL)
		return;
	key.domain = domain_of(p, cq);
	if (is_wanted(p, &key, &cq->client.remote))
		keep(p, &key, &s);
}

bool flight_wants(struct pipeline *p, const struct passage *t, struct flight_refusal *r)
{
	if (p->flight.recorder == NULL)
		return false;
	r->key = (struct recorder_key) {
		.kind = RECORDER_REFUSED,
		.reason = r->reason,
		.domain = name_hash(name_suffix(query_name(&t->q), r->labels)),
	};
	return is_wanted(p, &r->key, &t->from->remote);
}

void flight_refused(struct pipeline *p, const struct passage *t, const struct flight_refusal *r,
		    const char *figures)
{
	struct recorder_story s = {
		.name = query_name(&t->q),
		.type = t->q.type,
		.client = t->from->remote,
		.tcp = t->from->tcp,
		.is_dropped = r->is_dropped,
		.rcode = r->rcode,
		.ede = r->ede,
		.figures = figures,
	};

	keep(p, &r->key, &s);
}

void flight_packet_refused(struct pipeline *p, const struct passage *t, enum recorder_reason reason)
{
	struct recorder_key key = { .kind = RECORDER_REFUSED, .reason = reason };
	struct recorder_story s = {
		.client = t->from->remote,
		.tcp = t->from->tcp,
		.is_dropped = true,
		.ede = EDE_NONE,
	};
	struct flight *f = &p->flight;
	uint64_t now_ms = loop_now_ms(p->worker->loop);
	struct query q;

	if (f->recorder == NULL || now_ms < f->packet_after_ms)
		return;
	f->packet_after_ms = now_ms + PACKETS_EACH_MS;
	key.domain = client_hash(f, &t->from->remote);
	if (!is_wanted(p, &key, &t->from->remote))
		return;
	if (t->len >= WIRE_HEADER_LEN && query_read(&q, t->wire, t->len) == E_OK) {
		s.name = query_name(&q);
		s.type = q.type;
	}
	keep(p, &key, &s);
}
