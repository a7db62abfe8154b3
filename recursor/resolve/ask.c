/* ask: one question to one server: the packet, its ticket, and what counts as its answer. */
#include "recursor/resolve/asking.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"

enum { ASK_PACKET_MAX = WIRE_HEADER_LEN + NAME_MAX_LEN + 4 + 11, ASK_SLOTS_START = 64 };

/* ---- tickets: slot + 1 below, a serial number above, so that an old one finds nothing ---- */

static int slots_grow(struct resolver *r)
{
	uint32_t n = r->n_slots == 0 ? ASK_SLOTS_START : r->n_slots * 2;
	struct goal **slots = realloc(r->slots, n * sizeof(struct goal *));
	uint32_t *next_free;

	if (slots == NULL)
		return E_NOMEM;
	r->slots = slots;
	next_free = realloc(r->slot_next_free, n * sizeof(*next_free));
	if (next_free == NULL)
		return E_NOMEM;
	r->slot_next_free = next_free;
	for (uint32_t i = r->n_slots; i < n; i++) {
		slots[i] = NULL;
		next_free[i] = i + 1 < n ? i + 1 : UINT32_MAX;
	}
	r->slot_free = r->n_slots;
	r->n_slots = n;
	return E_OK;
}

int ask_slot_take(struct resolver *r, struct goal *g)
{
	if (r->slot_free == UINT32_MAX && slots_grow(r) != E_OK)
		return E_NOMEM;
	g->slot = r->slot_free;
	r->slot_free = r->slot_next_free[g->slot];
	r->slots[g->slot] = g;
	return E_OK;
}

void ask_slot_give(struct resolver *r, struct goal *g)
{
	r->slots[g->slot] = NULL;
	r->slot_next_free[g->slot] = r->slot_free;
	r->slot_free = g->slot;
}

struct goal *ask_find(struct resolver *r, uint64_t ticket)
{
	uint32_t slot = (uint32_t)ticket - 1;
	struct goal *g = slot < r->n_slots ? r->slots[slot] : NULL;

	return g != NULL && ticket != 0 && g->ticket == ticket ? g : NULL;
}

/* ---- the question ---- */

const uint8_t *ask_name(const struct goal *g)
{
	return name_suffix(g->name, g->asked_labels);
}

/* Draws the spelling of the name: each letter upper or lower by the toss of a coin, 0x20 bits
 * more that a forger has to guess (draft-vixie-dnsext-dns0x20). */
static void spelling_draw(struct resolver *r, struct goal *g)
{
	g->is_spelt = r->cfg.use_0x20;
	if (g->is_spelt)
		r->world.random(r->world.ctx, g->spelling, sizeof(g->spelling));
}

static size_t name_spell(const struct goal *g, uint8_t out[NAME_MAX_LEN])
{
	size_t len = name_copy(out, ask_name(g));

	if (!g->is_spelt)
		return len;
	for (size_t i = 0, left = 0; i < len; i++, left--) {
		if (left == 0) {
			left = out[i] + 1U;
			continue;
		}
		if (out[i] >= 'a' && out[i] <= 'z' && (g->spelling[i / 8] >> (i % 8) & 1))
			out[i] = (uint8_t)(out[i] - 'a' + 'A');
	}
	return len;
}

static size_t packet_build(const struct resolver *r, const struct goal *g,
			   uint8_t out[ASK_PACKET_MAX])
{
	size_t len = WIRE_HEADER_LEN;

	memset(out, 0, WIRE_HEADER_LEN);
	out[2] = g->recurse; /* RD is for forwarders that recurse; authorities have no use for it */
	/* RFC 6840 5.9: what a resolver finds bogus we look at ourselves. */
	if (g->recurse && r->cfg.dnssec >= DNSSEC_PROCESS)
		out[3] = MSG_CD;
	out[5] = 1; /* QDCOUNT */
	len += name_spell(g, out + len);
	len = (size_t)(wire_put_asked(out + len, g->asked_type) - out);
	if (g->sent_edns) {
		out[11] = 1; /* ARCOUNT: the OPT record, RFC 6891 6.1.2 */
		memset(out + len, 0, 11);
		wire_put_u16(out + len + 1, TYPE_OPT);
		wire_put_u16(out + len + 3, r->cfg.edns_payload);
		if (r->cfg.dnssec != DNSSEC_OFF)
			out[len + 7] = 0x80; /* RFC 3225 3: DO */
		len += 11;
	}
	return len;
}

static void sent_count(struct resolver *r, const struct goal *g, enum transport transport)
{
	COUNT(r->counters, all_outqueries);
	if (g->diverted)
		COUNT(r->counters, policy_diversions);
	if (g->server.family == 6)
		COUNT(r->counters, ipv6_outqueries);
	if (transport == TRANSPORT_TCP)
		COUNT(r->counters, tcp_outqueries);
	if (!g->sent_edns)
		COUNT(r->counters, noedns_outqueries);
}

/* The packet did not leave: it costs nobody anything. */
static bool send_failed(struct resolver *r, struct goal *g, struct target *t, enum send_result why)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);

	g->ticket = 0;
	goal_refund_query(r, g);
	t->dead = TARGET_DEAD;
	if (why == SEND_UNROUTED) {
		COUNT(r->counters, unrouted);
		servers_release(r->servers, &g->server);
		/* Where there never is a route, to anybody or to that network, that is how it is. */
		g->met_cut |= network_uses(r, g->server.family) &&
			      weather_has_answered_from(servers_weather(r->servers), &g->server);
		weather_unsent(servers_weather(r->servers), &g->server, now_ms);
		GOAL_EVENT(r, g, EVENT_UNROUTED, cut_ns_name(g, t->ns), NULL, .server = g->server);
	} else if (why == SEND_UNREACHABLE) {
		COUNT(r->counters, unreachables);
		g->met_cut |= !servers_unreachable(r->servers, &g->server, goal_zone(g), 0, now_ms);
		network_watch(r);
		GOAL_EVENT(r, g, EVENT_UNREACHABLE, cut_ns_name(g, t->ns), NULL,
			   .server = g->server);
	} else {
		COUNT(r->counters, resource_limits);
		g->met_cut = g->met_want = true;
		servers_release(r->servers, &g->server);
		GOAL_EVENT(r, g, EVENT_NO_RESOURCES, NULL, NULL, .server = g->server);
	}
	return false;
}

bool ask_is_exempt(const struct resolver *r, const struct goal *g, const struct target *t)
{
	return (r->cfg.dont_throttle_nets != NULL &&
		netset_match(r->cfg.dont_throttle_nets, &t->addr)) ||
	       (r->cfg.dont_throttle_names != NULL &&
		nameset_encloses(r->cfg.dont_throttle_names, cut_ns_name(g, t->ns)));
}

/* A throttled server is passed over.  A second question to a server that answers (TCP after a
 * truncation, a repeat without EDNS) is part of the first and is not asked about. */
static bool is_throttled(struct resolver *r, struct goal *g, struct target *t)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	/* For one question in so many to a server that is down: no secret. */
	uint64_t dice = hash_mix((uint64_t)r->ticket_serial << 32 | g->serial, now_ms);
	enum throttle_reason why;

	if (t->tries > 0)
		return false;
	why = servers_is_throttled(r->servers, &t->addr, ask_name(g), g->asked_type, g->zone_labels,
				   (uint32_t)dice, now_ms);
	if (why == THROTTLE_NONE || (why == THROTTLE_DOWN && t->despite_down) ||
	    ask_is_exempt(r, g, t))
		return false;
	t->dead = why == THROTTLE_DOWN ? TARGET_DOWN : TARGET_SILENT_ON;
	COUNT(r->counters, throttled_out);
	GOAL_EVENT(r, g, EVENT_THROTTLED, cut_ns_name(g, t->ns), NULL, .server = t->addr,
		   .note = throttle_reason_text(why));
	(void)goal_charge_throttled(r, g);
	return true;
}

/* As many questions as the server can take are on their way to it: another is chosen. */
static bool is_busy(struct resolver *r, struct goal *g, struct target *t, const struct addr *server,
		    uint64_t now_ms, struct server_view *view)
{
	/* A resolver that is late for one name is not for another. */
	bool goes_on = t->tries > 0 || g->recurse;

	if (servers_take(r->servers, server, false, goes_on, now_ms, view) ||
	    (crowd_knows(r, g) && servers_take(r->servers, server, true, goes_on, now_ms, view))) {
		counter_max(&r->counters->peak_server, view->in_flight);
		return false;
	}
	t->dead = TARGET_SILENT_ON;
	g->met_crowd = true;
	COUNT(r->counters, limit_inflight_server);
	GOAL_EVENT(r, g, EVENT_THROTTLED, cut_ns_name(g, t->ns), NULL, .server = *server,
		   .note = "max-inflight-per-server");
	return true;
}

/* How long to wait.  A server that answers within a millisecond is given little time at first, so
 * that another can be asked; its second and third try get more, or packets lost for a moment would
 * end the whole query. */
static uint32_t patience_ms(const struct resolver *r, const struct target *t,
			    enum transport transport, const struct server_view *view)
{
	uint32_t ms = view->timeout_ms;

	if (transport == TRANSPORT_TCP)
		return r->cfg.network_timeout_ms;
	if (t->tries > 0 && ms < (uint32_t)SERVERS_FIRST_TIMEOUT_MS << (t->tries - 1))
		ms = (uint32_t)SERVERS_FIRST_TIMEOUT_MS << (t->tries - 1);
	return ms < r->cfg.network_timeout_ms ? ms : r->cfg.network_timeout_ms;
}

/* Puts the question to where it goes: chosen, let pass and charged. */
static bool put(struct resolver *r, struct goal *g, struct target *t,
		const struct server_view *view, uint64_t now_ms)
{
	enum transport transport = (enum transport)g->transport;
	uint8_t packet[ASK_PACKET_MAX];
	enum send_result sent;

	g->sent_edns = !t->no_edns && (t->in_spite || view->edns != EDNS_NONE);
	g->near_misses = 0;
	g->timeout_ms = patience_ms(r, t, transport, view);
	g->ticket = (uint64_t)++r->ticket_serial << 32 | (g->slot + 1);
	spelling_draw(r, g);
	if (t->tries < UINT8_MAX)
		t->tries++;

	sent = r->world.send(r->world.ctx, &(struct outquery) {
						   .ticket = g->ticket,
						   .server = g->server,
						   .transport = transport,
						   .wire = packet,
						   .len = packet_build(r, g, packet),
					   });
	if (sent != SEND_OK)
		return send_failed(r, g, t, sent);
	weather_sent(servers_weather(r->servers), g->server.family, now_ms);
	sent_count(r, g, transport);
	g->sent_us = r->world.now_us(r->world.ctx);
	g->state = GOAL_ASKED;
	minimise_lead(r, g);
	g->timer.kind = TIMER_ANSWER;
	timers_start(r->timers, &g->timer, now_ms + g->timeout_ms);
	if (r->journals.is_on) {
		r->step_ms = (uint32_t)now_ms;
		goal_note_asked(r, g, cut_ns_name(g, t->ns));
	}
	TRACE_EVENT(r, g, EVENT_ASKED, ask_name(g), cut_ns_name(g, t->ns), .type = g->asked_type,
		    .server = g->server, .transport = (uint8_t)transport);
	return true;
}

/* To where the policy sends it.  False: more are on their way there than may be. */
static bool divert(struct resolver *r, struct goal *g, struct target *t,
		   const struct outquery_plan *plan, struct server_view *view, uint64_t now_ms)
{
	struct addr there = plan->server;

	if (plan->transport == TRANSPORT_TCP)
		g->transport = TRANSPORT_TCP;
	if (there.port == 0)
		there.port = r->cfg.server_port;
	if (addr_equal(&there, &t->addr))
		return true;
	servers_release(r->servers, &t->addr);
	if (is_busy(r, g, t, &there, now_ms, view))
		return false;
	g->server = there;
	g->diverted = true;
	GOAL_EVENT(r, g, EVENT_POLICY, NULL, NULL, .server = there, .note = "asked instead");
	return true;
}

/* The operator's policy first (world.h). */
static bool put_if_allowed(struct resolver *r, struct goal *g, struct target *t,
			   struct server_view *view, uint64_t now_ms)
{
	struct outquery_plan plan;
	bool done = false;

	plan.name = ask_name(g);
	plan.type = g->asked_type;
	plan.server = t->addr;
	plan.transport = (enum transport)g->transport;
	plan.rcode = RCODE_NOERROR;
	plan.n_sets = 0;
	switch (policy_ask(r, g, &plan)) {
	case POLICY_GO:
		done = divert(r, g, t, &plan, view, now_ms) && put(r, g, t, view, now_ms);
		break;
	case POLICY_ANSWERED:
		servers_release(r->servers, &g->server);
		outcome_by_policy(r, g, &plan);
		done = true;
		break;
	case POLICY_TIMEOUT:
		servers_release(r->servers, &g->server);
		outcome_by_policy_timeout(r, g);
		break;
	case POLICY_NO_RESOURCES:
		servers_release(r->servers, &g->server);
		outcome_by_policy_no_resources(r, g);
		break;
	case POLICY_NOBODY:
	case POLICY_ANEW:
		servers_release(r->servers, &g->server);
		if (g->state != GOAL_DEAD) {
			g->state = GOAL_CHOOSE;
			goal_make_ready(r, g);
			done = true;
		}
		break;
	}
	policy_plan_clear(&plan);
	return done;
}

bool ask_send(struct resolver *r, struct goal *g, unsigned target, enum transport transport)
{
	struct target *t = &g->targets[target];
	struct addr server = t->addr; /* charging may end the goal */
	struct server_view view;
	uint64_t now_ms = r->world.now_ms(r->world.ctx);

	if (is_throttled(r, g, t) || is_busy(r, g, t, &server, now_ms, &view))
		return false;
	if (!goal_charge_query(r, g)) {
		servers_release(r->servers, &server);
		return false;
	}
	g->target = (uint8_t)target;
	g->transport = (uint8_t)transport;
	g->server = server;
	g->diverted = g->by_copy = false;
	if (r->world.preoutquery != NULL)
		return put_if_allowed(r, g, t, &view, now_ms);
	return put(r, g, t, &view, now_ms);
}

void ask_cancel(struct resolver *r, struct goal *g)
{
	if (g->ticket == 0)
		return;
	servers_release(r->servers, &g->server);
	ask_tell_end(r, g, r->world.now_us(r->world.ctx) - g->sent_us, OUTQUERY_END_CANCEL);
	ask_forget(r, g);
}

void ask_tell_end(struct resolver *r, const struct goal *g, uint64_t waited_us,
		  enum outquery_end end)
{
	if (r->world.ended != NULL)
		r->world.ended(r->world.ctx, &g->server, waited_us, end);
}

void ask_forget(struct resolver *r, struct goal *g)
{
	r->world.cancel(r->world.ctx, g->ticket);
	g->ticket = 0;
	timers_stop(r->timers, &g->timer);
}

enum ask_match ask_match(const struct resolver *r, const struct goal *g, const struct msg *m)
{
	uint8_t spelt[NAME_MAX_LEN];

	if (!(m->flags & MSG_QR) || m->opcode != OPCODE_QUERY)
		return ASK_OTHER;
	/* Some servers that could not read the question do not repeat it. */
	if (!m->has_question)
		return m->rcode != RCODE_NOERROR && m->rcode != RCODE_NXDOMAIN ? ASK_MATCHES
									       : ASK_OTHER;
	if (m->qtype != g->asked_type || m->qclass != CLASS_IN ||
	    !name_equal(m->qname, ask_name(g)))
		return ASK_OTHER;
	if (!r->cfg.use_0x20 || g->transport == TRANSPORT_TCP)
		return ASK_MATCHES;
	name_spell(g, spelt);
	return name_equal_case(m->qname, spelt) ? ASK_MATCHES : ASK_RESPELT;
}
