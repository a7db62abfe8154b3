/* respond: see passage.h.  An answer is packed, kept if it may be, counted, sent. */
#include "recursor/passage.h"

#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/flight.h"
#include "recursor/hooks.h"
#include "recursor/reasons.h"
#include "recursor/resolve/cache.h"
#include "recursor/shield.h"
#include "recursor/tapping.h"
#include "recursor/validation.h"

enum { STALE_PACKET_S = 5 }; /* so long an answer of expired data is kept as a packet */

void respond_log(struct pipeline *p, const struct client *to, const struct query *q,
		 const struct query_outcome *outcome)
{
	const struct query_seen seen = respond_seen(to, q);

	query_filter_answer(p->logged, &seen, outcome, loop_now_ms(p->worker->loop));
}

static void log_answer(struct pipeline *p, const struct client *to, const struct query *q,
		       const struct answer *a, uint64_t us)
{
	const struct query_outcome outcome = {
		.rcode = a->rcode,
		.ede = a->ede,
		.dnssec = validation_text(a),
		.sets = a->n_sets,
		.out_queries = a->out_queries,
		.throttled = a->throttled,
		.timeouts = a->timeouts,
		.us = us,
	};

	respond_log(p, to, q, &outcome);
}

static void send_packed(struct pipeline *p, const struct client *to, const struct query *q,
			const uint8_t *wire, const struct packed *packed, unsigned rcode,
			enum metrics_reason why, uint64_t us)
{
	/* Counted first: who has the answer may look at the counters. */
	if (packed->truncated)
		COUNT(p->account.counters, truncated_answers);
	account_answer(&p->account, to, q, rcode, why, packed->len);
	account_latency(&p->account, us);
	tapping_reply(p->worker, to, wire, packed->len);
}

enum step respond_now(struct pipeline *p, const struct passage *t, const struct answer *a)
{
	size_t limit = answer_limit(&t->q, t->from->tcp, t->settings->udp_truncation_threshold);
	uint8_t *out = respond_place(p, t->from, limit);
	struct packed packed;

	if (a == NULL)
		answer_pack_truncated(&packed, out, limit, &t->q);
	else
		answer_pack(&packed, out, limit, &t->q, a, t->settings->extended_resolution_errors,
			    worker_wall_s(p->worker));
	send_packed(p, t->from, &t->q, out, &packed, a == NULL ? RCODE_NOERROR : a->rcode,
		    a == NULL ? REASON_OTHER : reason_of_answer(a), 0);
	if (p->logged != NULL && a != NULL)
		log_answer(p, t->from, &t->q, a, 0);
	else if (p->logged != NULL)
		respond_log(p, t->from, &t->q,
			    &(const struct query_outcome) { .truncated = true, .ede = EDE_NONE });
	return STEP_DONE;
}

enum step respond_error(struct pipeline *p, const struct passage *t, uint16_t rcode, enum cause why)
{
	struct answer a = { .rcode = rcode };

	answer_blame(&a, why);
	return respond_now(p, t, &a);
}

enum step respond_header(struct pipeline *p, const struct passage *t, uint16_t rcode,
			 enum metrics_reason why)
{
	uint8_t out[WIRE_HEADER_LEN];
	size_t len = answer_pack_header(out, t->wire, rcode);

	account_rcode(&p->account, rcode, why, len);
	tapping_reply(p->worker, t->from, out, len);
	return STEP_DONE;
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
	/* That its answers were bogus is no reason of this one, which was not validated. */
	if (known.exact != NULL && known.exact->kind == RRSET_FAILURE &&
	    rrset_security(known.exact) != SEC_BOGUS)
		ttl = rrset_ttl_left(known.exact, now_s);
	cache_view_put(&known);
	return ttl;
}

/* refresh-on-ttl-perc has to see who asks in the last part of a set's TTL: until then the packet
 * may stay, and for a second at a time from then on. */
static uint32_t before_refresh_s(const struct answer *a, uint32_t percent, uint32_t now_s)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < a->n_sets + a->n_authority; i++) {
		const struct rrset *set = i < a->n_sets ? a->sets[i] : a->authority[i - a->n_sets];
		uint32_t left = rrset_ttl_left(set, now_s);
		uint32_t last = (uint32_t)((uint64_t)set->ttl * percent / 100);

		left = left > last ? left - last : 1;
		least = left < least ? left : least;
	}
	return least;
}

static uint32_t shorter(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
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
		/* What makes it bogus may lie anywhere in the chain of trust. */
		ttl = a->security == SEC_BOGUS ? s->failure_ttl_s : failure_ttl_left(p, cq, now_s);
		cap = shorter(cap, s->packetcache_servfail_ttl_s);
	} else if (!a->cacheable) {
		return 0;
	} else if (answer_soa(a) != NULL) {
		cap = shorter(cap, s->packetcache_negative_ttl_s);
	}
	/* Something better may come any moment. */
	if (a->is_stale)
		cap = shorter(cap, STALE_PACKET_S);
	cap = shorter(cap, ttl);
	if (s->refresh_on_ttl_perc != 0 && a->rcode != RCODE_SERVFAIL)
		cap = shorter(cap, before_refresh_s(a, s->refresh_on_ttl_perc, now_s));
	return cap;
}

/* To the client, and into the log as far as that is asked for. */
static void send_resolved(struct pipeline *p, struct client_query *cq, const struct settings *s,
			  const struct answer *a, const uint8_t *wire, const struct packed *packed,
			  enum metrics_reason why, uint64_t us)
{
	flight_answered(p, cq, a, us);
	send_packed(p, &cq->client, &cq->q, wire, packed, a->rcode, why, us);
	if (a->rcode == RCODE_SERVFAIL && s->log_common_errors)
		account_log_failure(&cq->client, &cq->q, a);
	if (p->logged != NULL)
		log_answer(p, &cq->client, &cq->q, a, us);
}

void respond(struct pipeline *p, struct client_query *cq, const struct settings *s,
	     const struct answer *a, uint32_t note)
{
	size_t limit = answer_limit(&cq->q, cq->client.tcp, s->udp_truncation_threshold);
	struct packetcache_key key = respond_key(&cq->q, cq->client.tcp, limit);
	uint8_t *out = respond_place(p, &cq->client, limit);
	uint64_t us = loop_now_us() - cq->start_us;
	uint32_t now_s = worker_wall_s(p->worker), ttl;
	struct packed packed;

	answer_pack(&packed, out, limit, &cq->q, a, s->extended_resolution_errors, now_s);
	ttl = packet_ttl(p, cq, s, a, &packed, now_s);
	if (cq->hooked != NULL) {
		key.tag = cq->hooked->q.tag;
		if (cq->hooked->q.variable || cq->hooked->has_consulted)
			ttl = 0;
		if (cq->hooked->q.variable)
			COUNT(p->account.counters, variable_responses);
	}
	if (ttl > 0)
		packetcache_put(p->worker->packetcache, &key, out, packed.len, ttl, note,
				validation_is_bogus(cq, a), now_s);
	send_resolved(p, cq, s, a, out, &packed, reason_of_answer(a), us);
}

/* Records without a TTL are as good as a denial; a failure is told for as long as one of ours. */
static uint32_t hooked_ttl(const struct hooked *h, const struct settings *s,
			   const struct packed *packed)
{
	const struct hook_answer *a = &h->q.answer;
	uint32_t cap = s->packetcache_ttl_s;

	if (!h->is_kept || h->q.variable || packed->truncated || s->disable_packetcache)
		return 0;
	if (a->rcode == RCODE_SERVFAIL)
		return shorter(cap, s->packetcache_servfail_ttl_s);
	if (a->rcode == RCODE_NXDOMAIN || a->records.n == 0)
		cap = shorter(cap, s->packetcache_negative_ttl_s);
	return a->records.n > 0 ? shorter(cap, packed->min_ttl) : cap;
}

/* What a script was shown and has left alone is told as if there were none.  True: it is refused. */
static bool apply_validated(const struct client_query *cq, const struct settings *s,
			    struct answer *a)
{
	const struct validated *v = &cq->hooked->validated;

	a->security = v->security;
	a->bogus = v->bogus;
	a->is_under_nta = v->is_under_nta;
	a->is_stale = v->is_stale;
	a->authoritative = v->authoritative;
	validation_apply(cq, s, a);
	return a->security == SEC_BOGUS && a->rcode == RCODE_SERVFAIL;
}

void respond_hooked(struct pipeline *p, struct client_query *cq, const struct settings *s)
{
	const struct hooked *h = cq->hooked;
	size_t limit = answer_limit(&cq->q, cq->client.tcp, s->udp_truncation_threshold);
	struct packetcache_key key = respond_key(&cq->q, cq->client.tcp, limit);
	uint8_t *out = respond_place(p, &cq->client, limit);
	uint64_t us = loop_now_us() - cq->start_us;
	uint32_t now_s = worker_wall_s(p->worker), ttl;
	static const struct hook_records none;
	const struct hook_records *rows = &h->q.answer.records;
	bool is_found = h->was_found && !h->is_changed;
	struct answer a = {
		.rcode = (uint16_t)h->q.answer.rcode,
		.ede = (int16_t)h->q.answer.ede,
		.cause = h->q.answer.cause,
		.is_remembered = h->q.answer.is_remembered,
		.ede_text = h->q.answer.ede_text.text,
	};
	uint32_t note = h->note;
	struct packed packed;

	if (is_found && apply_validated(cq, s, &a))
		rows = &none;
	if (h->is_made_of_secure)
		a.security = SEC_SECURE;
	if (!h->was_found)
		note = shield_made(p, &cq->q, s, a.rcode);
	if (h->q.answer.is_truncated)
		answer_pack_truncated(&packed, out, limit, &cq->q);
	else
		answer_pack_rows(&packed, out, limit, &cq->q, &a, rows,
				 s->extended_resolution_errors);
	ttl = hooked_ttl(h, s, &packed);
	if (h->q.variable)
		COUNT(p->account.counters, variable_responses);
	key.tag = h->q.tag;
	if (ttl > 0)
		packetcache_put(p->worker->packetcache, &key, out, packed.len, ttl, note, false,
				now_s);
	send_resolved(p, cq, s, &a, out, &packed,
		      is_found ? reason_of_answer(&a) : reason_of_script(&a), us);
}
