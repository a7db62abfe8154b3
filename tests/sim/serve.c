/* The pretended servers: which answer a question gets, and how it is fitted to it. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tests/sim/compare.h"
#include "tests/sim/generate.h"
#include "tests/sim/play.h"

static bool holds(const struct range *r, unsigned step, const struct addr *a)
{
	if (step < r->first || step > r->last)
		return false;
	for (size_t i = 0; i < r->n_addrs; i++)
		if (addr_equal_ip(&r->addrs[i], a))
			return true;
	return r->everywhere;
}

static bool fits(const struct entry *e, const ldns_pkt *query, enum transport transport)
{
	return (e->uses_max == 0 || e->used < e->uses_max) &&
	       compare_messages(e->pkt, query, e->match) == 0 &&
	       compare_arrival(query, transport, e->match) == 0;
}

static struct range *find_range(struct player *p, const struct addr *a)
{
	for (size_t i = 0; i < p->s->n_ranges; i++)
		if (holds(&p->s->ranges[i], p->step, a))
			return &p->s->ranges[i];
	return NULL;
}

static struct entry *find_entry(struct player *p, struct range *r, const ldns_pkt *query,
				enum transport transport)
{
	if (r != NULL) {
		for (size_t i = 0; i < r->n_entries; i++)
			if (fits(r->entries[i], query, transport))
				return r->entries[i];
		return NULL;
	}
	for (size_t i = 0; i < p->s->n_steps; i++) {
		struct step *step = &p->s->steps[i];

		if (step->kind == STEP_REPLY && step->entry->used == 0 &&
		    fits(step->entry, query, transport))
			return step->entry;
	}
	return NULL;
}

static void copy_question(ldns_pkt *reply, const ldns_pkt *query, bool type_too)
{
	ldns_rr_list *ours = ldns_pkt_question(reply);
	const ldns_rr *theirs = ldns_rr_list_rr(ldns_pkt_question(query), 0);

	if (type_too || ldns_rr_list_rr_count(ours) == 0) {
		if (!type_too)
			return;
		ldns_rr_list_deep_free(ours);
		ldns_pkt_set_question(reply, ldns_rr_list_clone(ldns_pkt_question(query)));
		ldns_pkt_set_qdcount(reply, 1);
		return;
	}
	ldns_rdf_deep_free(ldns_rr_owner(ldns_rr_list_rr(ours, 0)));
	ldns_rr_set_owner(ldns_rr_list_rr(ours, 0), ldns_rdf_clone(ldns_rr_owner(theirs)));
}

static void fit_edns(ldns_pkt *reply, const ldns_pkt *query, bool without)
{
	if (ldns_pkt_edns(query) && !without) {
		ldns_pkt_set_edns_do(reply, ldns_pkt_edns_do(query));
		return;
	}
	ldns_pkt_set_edns_udp_size(reply, 0);
	ldns_pkt_set_edns_do(reply, false);
	ldns_pkt_set_edns_extended_rcode(reply, 0);
}

/* The bytes of an answer; the caller frees them. */
static uint8_t *entry_wire(const struct entry *e, const ldns_pkt *query, size_t *len)
{
	uint8_t *wire = NULL;
	ldns_pkt *reply;

	if (e->raw != NULL) {
		wire = malloc(e->raw_len + 1);
		ASSERT(wire != NULL);
		memcpy(wire, e->raw, e->raw_len);
		*len = e->raw_len;
		if (e->adjust & ADJUST_RAW_ID && e->raw_len >= 2)
			ldns_write_uint16(wire, ldns_pkt_id(query));
		return wire;
	}
	reply = ldns_pkt_clone(e->pkt);
	ASSERT(reply != NULL);
	ldns_pkt_set_id(reply, ldns_pkt_id(query));
	if (e->adjust & (ADJUST_COPY_ID | ADJUST_COPY_QUERY))
		copy_question(reply, query, e->adjust & ADJUST_COPY_QUERY);
	fit_edns(reply, query, e->adjust & ADJUST_NO_OPT);
	ASSERT(ldns_pkt2wire(&wire, reply, len) == LDNS_STATUS_OK);
	ldns_pkt_free(reply);
	return wire;
}

static enum send_result give(struct player *p, struct entry *e, const struct outquery *q,
			     const ldns_pkt *query)
{
	uint8_t *wire;
	size_t len;

	e->used++;
	if (e->adjust & ADJUST_UNREACHABLE)
		return SEND_UNREACHABLE;
	for (unsigned i = 0; i < e->spoofs; i++)
		network_near_miss(&p->net, q->ticket, 0);
	if (e->adjust & ADJUST_CLOSE) {
		network_fail(&p->net, q->ticket,
			     q->transport == TRANSPORT_TCP ? NET_CLOSED : NET_REFUSED, e->delay_ms);
	} else if (e->adjust & ADJUST_WRONG_ID) {
		network_near_miss(&p->net, q->ticket, e->delay_ms);
	} else if (!(e->adjust & ADJUST_SILENT)) {
		wire = entry_wire(e, query, &len);
		network_deliver(&p->net, q->ticket, wire, len, e->delay_ms);
		free(wire);
	}
	return SEND_OK;
}

static void give_packet(struct player *p, ldns_pkt *reply, const struct outquery *q,
			const ldns_pkt *query, unsigned delay_ms)
{
	uint8_t *wire = NULL;
	size_t len = 0;

	ldns_pkt_set_id(reply, ldns_pkt_id(query));
	fit_edns(reply, query, false);
	ASSERT(ldns_pkt2wire(&wire, reply, &len) == LDNS_STATUS_OK);
	network_deliver(&p->net, q->ticket, wire, len, delay_ms);
	free(wire);
	ldns_pkt_free(reply);
}

static ldns_pkt *reply_new(const ldns_pkt *query, ldns_pkt_rcode rcode)
{
	ldns_pkt *reply = ldns_pkt_new();

	ASSERT(reply != NULL);
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_rcode(reply, (uint8_t)rcode);
	ldns_pkt_set_edns_udp_size(reply, 1232);
	copy_question(reply, query, true);
	return reply;
}

/* A DS is the parent's, if that is here (RFC 4035 3.1.4.1). */
static const struct zone *closest_zone(const struct range *r, const ldns_rr *question)
{
	const struct zone *best = NULL, *own = NULL;

	for (size_t i = 0; i < r->n_zones; i++) {
		const struct zone *z = r->zones[i];

		if (!zone_holds(z, ldns_rr_owner(question)))
			continue;
		if (ldns_rr_get_type(question) == LDNS_RR_TYPE_DS &&
		    ldns_dname_compare(z->origin, ldns_rr_owner(question)) == 0)
			own = z;
		else if (best == NULL || zone_holds(best, z->origin))
			best = z;
	}
	return best != NULL ? best : own;
}

/* As an authority for the range's zones: the closest one speaks, over UDP no more than fits. */
static ldns_pkt *ask_zones(const struct player *p, const struct range *r, const ldns_pkt *query,
			   enum transport transport)
{
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	size_t limit = ldns_pkt_edns_udp_size(query), len = 0;
	const struct zone *best = closest_zone(r, question);
	ldns_pkt *reply;
	uint8_t *wire = NULL;

	if (best == NULL)
		return reply_new(query, LDNS_RCODE_REFUSED);
	reply = reply_new(query, LDNS_RCODE_NOERROR);
	zone_answer(best, ldns_rr_owner(question), ldns_rr_get_type(question), reply);
	play_sign_reply(p, best, query, reply);
	ASSERT(ldns_pkt2wire(&wire, reply, &len) == LDNS_STATUS_OK);
	free(wire);
	if (transport == TRANSPORT_UDP && len > (limit < 512 ? 512 : limit)) {
		ldns_pkt_free(reply);
		reply = reply_new(query, LDNS_RCODE_NOERROR);
		ldns_pkt_set_tc(reply, true);
	}
	return reply;
}

static void set_ttls(const ldns_rr_list *records, unsigned ttl)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++)
		ldns_rr_set_ttl(ldns_rr_list_rr(records, i), ttl);
}

/* What a zone says, signed as it is, under the entry's rcode, and with its TTL. */
static ldns_pkt *twist_zones(const struct player *p, const struct range *r, struct entry *e,
			     const ldns_pkt *query, enum transport transport)
{
	ldns_pkt *reply = ask_zones(p, r, query, transport);

	e->used++;
	ldns_pkt_set_rcode(reply, (uint8_t)ldns_pkt_get_rcode(e->pkt));
	if (e->ttl_line != 0) {
		set_ttls(ldns_pkt_answer(reply), e->ttl);
		set_ttls(ldns_pkt_authority(reply), e->ttl);
		set_ttls(ldns_pkt_additional(reply), e->ttl);
	}
	return reply;
}

static void note(struct player *p, const struct outquery *q, const ldns_pkt *query,
		 const char *what)
{
	char *question, server[ADDR_TEXT_MAX];

	if (p->n_asked < PLAY_ASKED_MAX)
		p->asked[p->n_asked++] = (struct asked) { q->server, q->transport };
	if (!p->o->verbose && strcmp(what, "UNFORESEEN") != 0)
		return;
	question = ldns_rr2str(ldns_rr_list_rr(ldns_pkt_question(query), 0));
	ASSERT(question != NULL);
	question[strcspn(question, "\n")] = '\0';
	fprintf(p->o->out, "  %s step %u: %7.1f ms %s %s asked %s%s (%s)\n", p->s->name, p->step,
		(double)(p->net.now_us - p->asked_us) / 1000, addr_text(server, &q->server),
		q->transport == TRANSPORT_TCP ? "TCP" : "UDP", question,
		ldns_pkt_edns(query) ? " +EDNS" : "", what);
	free(question);
}

enum send_result play_serve(void *ctx, struct network *net, const struct outquery *q,
			    const uint8_t *wire, size_t len)
{
	struct player *p = ctx;
	struct range *range = find_range(p, &q->server);
	enum send_result result = SEND_OK;
	struct entry *e = NULL;
	ldns_pkt *query = NULL, *reply = NULL;

	(void)net;
	if (p->no_route[q->server.family == 6])
		return SEND_UNROUTED;
	if (p->no_room)
		return SEND_NO_RESOURCES;
	if (ldns_wire2pkt(&query, wire, len) != LDNS_STATUS_OK) {
		play_fail(p, NULL, "a question that ldns cannot read");
		return SEND_OK;
	}
	if ((e = find_entry(p, range, query, q->transport)) != NULL) {
		char line[32];

		snprintf(line, sizeof(line), "line %u", e->line);
		note(p, q, query, line);
		if (e->adjust & ADJUST_ZONE && range != NULL)
			give_packet(p, twist_zones(p, range, e, query, q->transport), q, query,
				    e->delay_ms);
		else
			result = give(p, e, q, query);
	} else if (range != NULL && range->generate != NULL) {
		note(p, q, query, range->generate);
		reply = generate(range->generate, p, q, query);
		if (reply != NULL)
			give_packet(p, reply, q, query, 0);
	} else if (range != NULL && range->n_zones > 0) {
		note(p, q, query, "zone");
		give_packet(p, ask_zones(p, range, query, q->transport), q, query, 0);
	} else {
		note(p, q, query, "UNFORESEEN");
		p->unforeseen++;
		give_packet(p, reply_new(query, LDNS_RCODE_SERVFAIL), q, query, 0);
	}
	ldns_pkt_free(query);
	return result;
}
