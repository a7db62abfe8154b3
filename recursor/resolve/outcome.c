/* outcome: what became of a question to a server: an answer of some kind, silence, an error; what
 * is learned about the server, and where the goal goes from here. */
#include "recursor/resolve/asking.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/resolve/copyask.h"

static struct target *target_asked(struct goal *g)
{
	return &g->targets[g->target];
}

static void choose_again(struct resolver *r, struct goal *g)
{
	g->state = GOAL_CHOOSE;
	goal_make_ready(r, g);
}

/* The server is of no use (for the question, or for the zone), and not for others who ask the
 * same for a while. */
static void target_mark(struct resolver *r, struct goal *g, enum target_life dead,
			enum throttle_reason why)
{
	struct target *t = target_asked(g);

	if (g->by_copy) {
		copy_give_up(r, g, NULL);
		return;
	}
	t->dead = (uint8_t)dead;
	/* What the policy sends elsewhere, says itself or has led to is not the server's doing. */
	if (g->diverted || g->by_policy || ask_is_exempt(r, g, t))
		return;
	servers_throttle(r->servers, &t->addr, name_suffix(g->name, g->asked_labels), g->asked_type,
			 g->zone_labels, why, r->world.now_ms(r->world.ctx));
}

static void target_give_up(struct resolver *r, struct goal *g, enum target_life dead,
			   enum throttle_reason why)
{
	target_mark(r, g, dead, why);
	choose_again(r, g);
}

/* The same server once more, over TCP or without EDNS. */
static void ask_again(struct resolver *r, struct goal *g, enum transport transport)
{
	if (!ask_send(r, g, g->target, transport) && g->state != GOAL_DEAD)
		choose_again(r, g);
}

/* ---- no answer ---- */

/* It has answered the question, only without EDNS and so with nothing to validate, and was asked once more:
 * that it is silent now is no reason for others not to ask. */
static void leave_it_be(struct resolver *r, struct goal *g)
{
	target_asked(g)->dead = TARGET_SILENT_ON;
	choose_again(r, g);
}

/* Our own network was to blame; by now it may be there again. */
static void spare(struct resolver *r, struct goal *g)
{
	struct target *t = target_asked(g);

	g->met_cut = true;
	if (weather_is_out(servers_weather(r->servers), g->server.family))
		t->dead = TARGET_SILENT_ON;
	choose_again(r, g);
}

void outcome_timeout(struct resolver *r, struct goal *g)
{
	struct target *t = target_asked(g);
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	bool blamed;

	ask_forget(r, g);
	COUNT(r->counters, outgoing_timeouts);
	if (g->server.family == 4)
		COUNT(r->counters, outgoing4_timeouts);
	else
		COUNT(r->counters, outgoing6_timeouts);
	ask_tell_end(r, g, (uint64_t)g->timeout_ms * 1000, OUTQUERY_END_TIMEOUT);
	blamed = servers_timed_out(r->servers, &g->server, goal_zone(g), g->timeout_ms, now_ms);
	if (g->crowd != NULL && blamed)
		inflight_timed_out(&r->inflight, g->crowd);
	network_watch(r);
	goal_charge_timeout(r, g);
	GOAL_EVENT(r, g, EVENT_TIMEOUT, cut_ns_name(g, t->ns), NULL, .server = g->server,
		   .transport = g->transport);
	if (!blamed)
		spare(r, g);
	else if (g->transport != TRANSPORT_TCP && t->tries < GOAL_TRIES_MAX)
		choose_again(r, g);
	else if (t->in_spite)
		leave_it_be(r, g);
	else
		target_give_up(r, g, TARGET_SILENT_ON, THROTTLE_TIMEOUT);
}

/* The time of a turn of the loop may be before that of something sent in it. */
static uint32_t waited(const struct goal *g, uint64_t now_ms)
{
	uint64_t sent_ms = g->sent_us / 1000;

	return now_ms > sent_ms ? (uint32_t)(now_ms - sent_ms) : 0;
}

void outcome_failed(struct resolver *r, struct goal *g, enum net_failure why)
{
	struct target *t = target_asked(g);
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	uint32_t waited_ms = waited(g, now_ms);
	static const char *const notes[] = {
		[NET_UNREACHABLE] = "no way there",
		[NET_REFUSED] = "nothing listens there",
		[NET_CLOSED] = "connection closed",
		[NET_NO_RESOURCES] = "no descriptor or memory",
	};

	g->ticket = 0;
	timers_stop(r->timers, &g->timer);
	ask_tell_end(r, g, (uint64_t)waited_ms * 1000, OUTQUERY_END_FAILURE);
	GOAL_EVENT(r, g, why == NET_NO_RESOURCES ? EVENT_NO_RESOURCES : EVENT_UNREACHABLE,
		   cut_ns_name(g, t->ns), NULL, .server = g->server, .note = notes[why]);
	if (why == NET_NO_RESOURCES) {
		/* Our fault, not the server's. */
		COUNT(r->counters, resource_limits);
		g->met_cut = g->met_want = true;
		servers_release(r->servers, &g->server);
		t->dead = TARGET_SILENT_ON;
		choose_again(r, g);
		return;
	}
	COUNT(r->counters, unreachables);
	/* Who refuses or closes is there, and so is the network. */
	if (!servers_unreachable(r->servers, &g->server,
				 why == NET_UNREACHABLE ? goal_zone(g) : NULL, waited_ms, now_ms)) {
		spare(r, g);
		return;
	}
	network_watch(r);
	target_give_up(r, g, why == NET_CLOSED ? TARGET_SILENT_ON : TARGET_DEAD,
		       THROTTLE_UNREACHABLE);
}

/* The server is not to blame (CVE-2023-26437): ask it where guessing does not help. */
static void ask_over_tcp(struct resolver *r, struct goal *g)
{
	GOAL_EVENT(r, g, EVENT_SPOOFED, NULL, NULL, .server = g->server);
	ask_cancel(r, g);
	ask_again(r, g, TRANSPORT_TCP);
}

void outcome_near_miss(struct resolver *r, struct goal *g)
{
	COUNT(r->counters, spoof_nearmisses);
	GOAL_EVENT(r, g, EVENT_NEAR_MISS, NULL, NULL, .server = g->server);
	if (g->near_misses < UINT8_MAX)
		g->near_misses++;
	if (r->cfg.spoof_nearmiss_max == 0 || g->near_misses <= r->cfg.spoof_nearmiss_max ||
	    g->transport == TRANSPORT_TCP)
		return;
	COUNT(r->counters, spoof_prevents);
	ask_over_tcp(r, g);
}

/* Right but for the case of letters: a forger's, or of a server that does not keep the case; TCP
 * tells the two apart, so there is nothing to wait for. */
void outcome_respelt(struct resolver *r, struct goal *g)
{
	COUNT(r->counters, case_mismatches);
	GOAL_EVENT(r, g, EVENT_NEAR_MISS, NULL, NULL, .server = g->server,
		   .note = "the name's letters are in another case");
	ask_over_tcp(r, g);
}

void outcome_garbled(struct resolver *r, struct goal *g)
{
	struct target *t = target_asked(g);

	if (g->ticket != 0) /* else it has been read in part, and the server table knows of it */
		servers_release(r->servers, &g->server);
	g->ticket = 0;
	timers_stop(r->timers, &g->timer);
	COUNT(r->counters, server_parse_errors);
	GOAL_EVENT(r, g, EVENT_GARBLED, cut_ns_name(g, t->ns), NULL, .server = g->server);
	target_give_up(r, g, TARGET_SILENT_ON, THROTTLE_GARBLED);
}

/* ---- answers with another rcode than NOERROR and NXDOMAIN ---- */

static void rtt_count(struct resolver *r, const struct goal *g, uint32_t us)
{
	bool is_tcp = g->transport == TRANSPORT_TCP;
	counter *four = is_tcp ? r->counters->tcp4_us : r->counters->udp4_us;
	counter *six = is_tcp ? r->counters->tcp6_us : r->counters->udp6_us;

	histogram_add(g->server.family == 6 ? six : four, METRICS_SERVER_FIRST_US,
		      METRICS_SERVER_STEPS, us, 1);
}

static void rcode_count(struct resolver *r, uint16_t rcode)
{
	if (rcode < METRICS_AUTH_RCODES)
		counter_add(&r->counters->auth_rcodes[rcode], 1);
	else
		COUNT(r->counters, auth_other);
}

static void on_bad_rcode(struct resolver *r, struct goal *g, const struct msg *m)
{
	struct target *t = target_asked(g);

	/* RFC 6891 7: a server that does not know EDNS says FORMERR and has no OPT in its answer.
	 * Nothing else is taken for that (DNS flag day 2019). */
	if (m->rcode == RCODE_FORMERR && g->sent_edns && !m->edns.present) {
		COUNT(r->counters, edns_fallbacks);
		GOAL_EVENT(r, g, EVENT_NO_EDNS, cut_ns_name(g, t->ns), NULL, .server = g->server);
		t->no_edns = true;
		ask_again(r, g, g->transport);
		return;
	}
	g->saw_refusal = true;
	GOAL_EVENT(r, g, EVENT_BAD_RCODE, cut_ns_name(g, t->ns), NULL, .server = g->server,
		   .rcode = m->rcode);
	target_give_up(r, g, TARGET_SILENT_ON, THROTTLE_RCODE);
}

static void on_truncated(struct resolver *r, struct goal *g)
{
	GOAL_EVENT(r, g, EVENT_TRUNCATED, NULL, NULL, .server = g->server,
		   .transport = g->transport);
	if (g->transport == TRANSPORT_TCP) {
		target_give_up(r, g, TARGET_SILENT_ON, THROTTLE_TRUNCATED);
		return;
	}
	COUNT(r->counters, truncated_outanswers);
	ask_again(r, g, TRANSPORT_TCP);
}

/* ---- answers ---- */

static void on_lame(struct resolver *r, struct goal *g, const struct reply *reply)
{
	struct target *t = target_asked(g);

	if (g->by_copy) {
		target_give_up(r, g, TARGET_SILENT_ON, THROTTLE_LAME);
		return;
	}
	COUNT(r->counters, lame_answers);
	GOAL_EVENT(r, g, EVENT_LAME, cut_ns_name(g, t->ns), goal_zone(g), .server = g->server,
		   .note = reply->note);
	g->saw_refusal = true;
	target_give_up(r, g, minimise_is_over(g) ? TARGET_DEAD : TARGET_SILENT_ON, THROTTLE_LAME);
}

static void keep_all(struct resolver *r, struct goal *g, const struct reply *reply)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	const struct rrset *verdict = reply->referral != NULL ? reply->referral : reply->negative;
	bool is_known = verdict == NULL;
	/* A zone is fetched anew from above because what is known of it does not work; another
	 * server is asked because the answer of the one before was bogus. */
	bool is_anew = g->up_from != 0 || g->refreshes || g->v.last_bogus != BOGUS_NONE;
	unsigned refreshes = is_anew ? CACHE_REFRESHES : 0U;

	for (unsigned i = 0; i < reply->n_keep; i++) {
		const struct reply_kept *k = &reply->keep[i];

		const uint8_t *owner = rrset_owner(k->set);
		uint64_t hash = name_equal(owner, g->name) ? g->name_hash : name_hash(owner);
		unsigned how = refreshes | goal_put_how(r, owner) |
			       (k->as_delegation ? CACHE_AS_DELEGATION : 0U);

		cache_share_proofs(r->cache, k->set, now_s);
		if (cache_put_hashed(r->cache, k->set, hash, how, now_s) != CACHE_REFUSED)
			is_known |= k->set == verdict;
	}
	/* Who shares the step would not find its outcome in the cache, and ask the same again. */
	if (!is_known && reply->kind != REPLY_NODATA)
		minimise_release(r, g, STEP_DENIED);
	if (reply->out_of_bailiwick > 0)
		GOAL_EVENT(r, g, EVENT_OUT_OF_BAILIWICK, goal_zone(g), NULL,
			   .records = { (uint16_t)reply->out_of_bailiwick });
}

/* Does the absence of a name on the way to ours answer the question (RFC 8020)? */
static bool covers_all_below(const struct resolver *r, const struct goal *g)
{
	/* root-nx-trust: the root knows all top-level domains.  What its servers say of longer names
	 * comes from another zone that they happen to serve. */
	return r->cfg.nothing_below_nxdomain == NX_CUT_YES ||
	       (r->cfg.root_nx_trust && g->zone_labels == 0 && g->asked_labels == 1);
}

/* An answer to a name cut short says only whether there is a zone cut. */
static void on_step(struct resolver *r, struct goal *g, const struct reply *reply)
{
	if (reply->kind != REPLY_NXDOMAIN) {
		minimise_on(r, g);
		choose_again(r, g);
		return;
	}
	if (covers_all_below(r, g) && knowledge_is_heard(r, g->name, g->type, reply->negative)) {
		GOAL_EVENT(r, g, EVENT_NXDOMAIN, name_suffix(g->name, g->asked_labels), NULL, );
		goal_end_denial(r, g, reply->negative);
		return;
	}
	/* RFC 9156 2.3: there are servers that deny empty non-terminals. */
	minimise_off(r, g);
	choose_again(r, g);
}

static void on_whole(struct resolver *r, struct goal *g, const struct reply *reply)
{
	harvest_offer(r, g, reply->negative != NULL ? reply->negative : reply->answer);
	switch (reply->kind) {
	case REPLY_ANSWER:
		goal_note(r, g, EVENT_ANSWER, JOURNAL_WHOLE, g->type, reply->answer->ttl);
		TRACE_EVENT(r, g, EVENT_ANSWER, g->name, NULL, .type = g->type,
			    .ttl = reply->answer->ttl);
		goal_end_data(r, g, reply->answer);
		return;
	case REPLY_ALIAS:
		if (goal_is_private(g))
			goal_follow_chain(r, g, reply);
		else
			goal_follow_alias(r, g, reply->dname, reply->answer);
		return;
	case REPLY_NODATA:
		goal_note(r, g, EVENT_NODATA, JOURNAL_WHOLE, g->type, 0);
		TRACE_EVENT(r, g, EVENT_NODATA, g->name, NULL, .type = g->type);
		goal_end_denial(r, g, reply->negative);
		return;
	case REPLY_NXDOMAIN:
		goal_note(r, g, EVENT_NXDOMAIN, JOURNAL_WHOLE, g->type, 0);
		TRACE_EVENT(r, g, EVENT_NXDOMAIN, g->name, NULL, .type = g->type);
		goal_end_denial(r, g, reply->negative);
		return;
	case REPLY_YXDOMAIN:
		goal_end_too_long(r, g, reply->dname);
		return;
	case REPLY_REFERRAL:
	case REPLY_LAME:
	case REPLY_UNUSABLE:
		break;
	}
	ASSERT(false && "handled before");
}

static void on_content(struct resolver *r, struct goal *g, struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_LAME:
		on_lame(r, g, reply);
		return;
	case REPLY_UNUSABLE:
		GOAL_EVENT(r, g, EVENT_LIMIT, NULL, NULL, .server = g->server, .note = reply->note);
		target_give_up(r, g, TARGET_SILENT_ON, THROTTLE_GARBLED);
		return;
	case REPLY_REFERRAL:
		GOAL_EVENT(r, g, EVENT_REFERRAL, rrset_owner(reply->referral), NULL,
			   .type = TYPE_NS, .ttl = reply->referral->ttl);
		goal_enter_referral(r, g, reply);
		return;
	case REPLY_ANSWER:
	case REPLY_ALIAS:
	case REPLY_NODATA:
	case REPLY_NXDOMAIN:
	case REPLY_YXDOMAIN:
		break;
	}
	if (minimise_is_over(g))
		on_whole(r, g, reply);
	else
		on_step(r, g, reply);
}

static void content_read(struct resolver *r, struct goal *g, struct msg *m)
{
	struct reply reply;
	struct reply_question q = {
		.name = name_suffix(g->name, g->asked_labels),
		.type = g->asked_type,
		.zone = goal_zone(g),
		.now_s = r->world.wall_s(r->world.ctx),
		.has_delegation = g->zone_labels > 0 && g->ns_parent != NULL,
		.recurse = g->recurse,
		/* What a route leads to may speak of everything. */
		.zones = g->route != 0 ? NULL : r->zones,
		.by_stale = g->by_stale,
		.dnssec = r->cfg.dnssec != DNSSEC_OFF,
	};
	int err;

	if (q.has_delegation) {
		q.delegation_expires_s = g->ns_parent->expires_s;
		q.ns_own = g->at_parents_set ? NULL : g->ns_own;
		q.ns_parent = g->ns_parent;
	}
	err = reply_read(&reply, r->scratch, m, &q, &r->cfg, r->counters);
	if (err != E_OK && g->by_copy) {
		copy_give_up(r, g, err_text(err));
		choose_again(r, g);
		return;
	}
	if (err != E_OK) {
		outcome_garbled(r, g);
		return;
	}
	if (!goal_is_private(g))
		keep_all(r, g, &reply);
	on_content(r, g, &reply);
	reply_clear(&reply);
}

/* What the answer says of the server, whatever it says of the name. */
static void server_learn(struct resolver *r, struct goal *g, const struct msg *m, uint32_t rtt_us,
			 uint64_t now_ms)
{
	struct target *t = target_asked(g);
	bool useful = m->rcode == RCODE_NOERROR || m->rcode == RCODE_NXDOMAIN;
	enum edns_state edns = EDNS_UNKNOWN;

	rcode_count(r, m->rcode);
	rtt_count(r, g, rtt_us);
	if (useful && t->no_edns)
		edns = EDNS_NONE;
	else if (useful && m->edns.present)
		edns = EDNS_OK;
	servers_learn(
		r->servers, &g->server,
		&(struct server_answer) { .rtt_us = rtt_us,
					  .useful = useful,
					  .edns = edns,
					  .ns_name = g->diverted ? NULL : cut_ns_name(g, t->ns) },
		now_ms);
	if (g->crowd != NULL)
		inflight_answered(&r->inflight, g->crowd, rtt_us);
}

void outcome_reply(struct resolver *r, struct goal *g, size_t len, struct msg *m)
{
	struct target *t = target_asked(g);
	uint32_t rtt_us = (uint32_t)(r->world.now_us(r->world.ctx) - g->sent_us);
	uint64_t now_ms = r->world.now_ms(r->world.ctx);

	r->step_ms = (uint32_t)now_ms;
	g->ticket = 0;
	timers_stop(r->timers, &g->timer);
	ask_tell_end(r, g, rtt_us, OUTQUERY_END_ANSWER);
	if (r->journals.is_on)
		goal_note_answered(r, g, m, len, rtt_us);
	TRACE_EVENT(r, g, EVENT_ANSWERED, name_suffix(g->name, g->asked_labels),
		    cut_ns_name(g, t->ns), .type = g->asked_type, .server = g->server,
		    .transport = g->transport, .rcode = m->rcode, .us = rtt_us,
		    .size = (uint32_t)len, .records = { m->count[1], m->count[2], m->count[3] });
	server_learn(r, g, m, rtt_us, now_ms);
	counter_max(&r->counters->peak_chain_weight, (uint64_t)g->n_waiters * len);
	if (!goal_charge_bytes(r, g, len) || goal_begin_anew_if_zone_changed(r, g))
		return;
	if (m->flags & MSG_TC)
		on_truncated(r, g);
	else if (m->rcode == RCODE_NOERROR || m->rcode == RCODE_NXDOMAIN ||
		 (m->rcode == RCODE_YXDOMAIN && m->count[1] > 0))
		content_read(r, g, m);
	else
		on_bad_rcode(r, g, m);
}

/* ---- the policy in a server's place (world.h) ---- */

void outcome_by_policy(struct resolver *r, struct goal *g, const struct outquery_plan *plan)
{
	struct target *t = target_asked(g);
	size_t len = 0;
	uint8_t *wire;
	struct msg m;

	COUNT(r->counters, policy_outanswers);
	GOAL_EVENT(r, g, EVENT_POLICY, NULL, NULL, .server = t->addr,
		   .note = "answers in its place");
	/* Who waits for the step only has clients of its own, to be asked for. */
	minimise_release(r, g, STEP_LOST);
	g->by_policy = true;
	wire = policy_reply_make(g, plan, &len);
	if (wire == NULL || msg_open(&m, wire, len) != E_OK) {
		t->dead = TARGET_SILENT_ON;
		choose_again(r, g);
	} else if (m.rcode == RCODE_NOERROR || m.rcode == RCODE_NXDOMAIN) {
		content_read(r, g, &m);
	} else {
		g->saw_refusal = true;
		t->dead = TARGET_SILENT_ON;
		choose_again(r, g);
	}
	free(wire);
}

void outcome_by_policy_timeout(struct resolver *r, struct goal *g)
{
	GOAL_EVENT(r, g, EVENT_POLICY, NULL, NULL, .server = g->server,
		   .note = "takes it for silent");
	goal_charge_timeout(r, g);
	target_mark(r, g, TARGET_SILENT_ON, THROTTLE_TIMEOUT);
}

void outcome_by_policy_no_resources(struct resolver *r, struct goal *g)
{
	COUNT(r->counters, resource_limits);
	GOAL_EVENT(r, g, EVENT_POLICY, NULL, NULL, .server = g->server,
		   .note = "not to be sent: a limit of ours");
	goal_refund_query(r, g);
	target_asked(g)->dead = TARGET_DEAD;
}

/* ---- a copy of the zone in its servers' place (copies.h) ---- */

void outcome_by_copy(struct resolver *r, struct goal *g, const uint8_t *wire, size_t len)
{
	struct msg m;

	g->by_copy = true;
	if (msg_open(&m, wire, len) != E_OK) {
		copy_give_up(r, g, NULL);
		choose_again(r, g);
		return;
	}
	content_read(r, g, &m);
}
