/* serve: from a question to the packets that answer it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "tools/lab/lab.h"

enum { PAYLOAD = 4096, UDP_PLAIN = 512 };

uint64_t lab_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* xorshift: losses need no secrets. */
uint32_t lab_random_below(struct lab *lab, uint32_t bound)
{
	lab->random ^= lab->random << 13;
	lab->random ^= lab->random >> 7;
	lab->random ^= lab->random << 17;
	return (uint32_t)(lab->random >> 32) % bound;
}

ldns_pkt *serve_reply_new(const struct lab_query *q, ldns_pkt_rcode rcode)
{
	ldns_pkt *reply = ldns_pkt_new();

	ASSERT(reply != NULL);
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_rd(reply, ldns_pkt_rd(q->pkt));
	ldns_pkt_set_rcode(reply, (uint8_t)rcode);
	if (ldns_pkt_edns(q->pkt)) {
		ldns_pkt_set_edns_udp_size(reply, PAYLOAD);
		ldns_pkt_set_edns_do(reply, ldns_pkt_edns_do(q->pkt));
	}
	ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(q->question));
	return reply;
}

static ldns_pkt *ask_zones(const struct lab_query *q)
{
	const ldns_rdf *name = ldns_rr_owner(q->question);
	const struct zone *best = NULL;
	ldns_pkt *reply;

	for (unsigned i = 0; i < q->server->n_zones; i++) {
		const struct zone *z = q->server->zones[i];

		if (zone_holds(z, name) && (best == NULL || zone_holds(best, z->origin)))
			best = z;
	}
	if (best == NULL)
		return serve_reply_new(q, LDNS_RCODE_REFUSED);
	reply = serve_reply_new(q, LDNS_RCODE_NOERROR);
	zone_answer(best, name, ldns_rr_get_type(q->question), reply);
	return reply;
}

/* The bytes, with TC and nothing else when they are too many for UDP (RFC 2181 9). */
static uint8_t *pack(const struct lab_query *q, ldns_pkt *reply, size_t *len)
{
	size_t limit = ldns_pkt_edns_udp_size(q->pkt);
	uint8_t *wire = NULL;
	ldns_pkt *shorter;

	ldns_pkt_set_id(reply, ldns_pkt_id(q->pkt));
	if (ldns_pkt2wire(&wire, reply, len) != LDNS_STATUS_OK)
		return NULL;
	if (q->transport == LAB_TCP || *len <= (limit < UDP_PLAIN ? UDP_PLAIN : limit))
		return wire;
	free(wire);
	wire = NULL;
	shorter = serve_reply_new(q, ldns_pkt_get_rcode(reply));
	ldns_pkt_set_id(shorter, ldns_pkt_id(q->pkt));
	ldns_pkt_set_aa(shorter, ldns_pkt_aa(reply));
	ldns_pkt_set_tc(shorter, true);
	if (ldns_pkt2wire(&wire, shorter, len) != LDNS_STATUS_OK)
		wire = NULL;
	ldns_pkt_free(shorter);
	return wire;
}

static void keep(struct lab *lab, const struct lab_query *q)
{
	struct kept_query *k = &lab->queries[lab->n_queries++ % LAB_QUERIES_KEPT];
	char *name = ldns_rdf2str(ldns_rr_owner(q->question));
	char *type = ldns_rr_type2str(ldns_rr_get_type(q->question));

	free(k->text);
	k->text = NULL;
	if (name != NULL && type != NULL && asprintf(&k->text, "%s %s", name, type) < 0)
		k->text = NULL;
	k->at_ms = lab_now_ms();
	k->transport = q->transport;
	k->port = q->client.port;
	k->id = ldns_pkt_id(q->pkt);
	for (k->server = 0; lab->servers[k->server] != q->server; k->server++)
		;
	free(name);
	free(type);
}

static void send_reply(struct lab *lab, const struct lab_query *q, ldns_pkt *reply,
		       lab_send_cb send, void *ctx)
{
	uint8_t *wire;
	size_t len = 0;

	fault_spoil(q, reply);
	wire = pack(q, reply, &len);
	if (wire != NULL) {
		q->server->n_answers++;
		fault_send(lab, q, wire, len, send, ctx);
	}
	free(wire);
	ldns_pkt_free(reply);
}

struct late {
	lab_send_cb send;
	void *ctx;
	uint32_t delay_ms;
};

static void send_late(void *ctx, const uint8_t *wire, size_t len, uint32_t delay_ms)
{
	const struct late *l = ctx;

	l->send(l->ctx, wire, len, delay_ms + l->delay_ms);
}

static void answer(struct lab *lab, const struct lab_query *q, lab_send_cb send, void *ctx)
{
	struct hook_answer h = { 0 };
	struct late late = { send, ctx, 0 };
	ldns_pkt *reply = fault_answer(q);

	if (reply == NULL && lab->hook != NULL) {
		switch (hook_ask(lab->hook, q, &h)) {
		case HOOK_SILENT:
			return;
		case HOOK_RAW:
			q->server->n_answers++;
			send(ctx, h.raw, h.raw_len, h.delay_ms);
			free(h.raw);
			return;
		case HOOK_ANSWER:
			reply = h.reply;
			late.delay_ms = h.delay_ms;
			break;
		case HOOK_PASS:
			break;
		}
	}
	if (reply == NULL)
		reply = ask_zones(q);
	send_reply(lab, q, reply, send_late, &late);
}

void serve(struct lab *lab, const struct lab_query *query, lab_send_cb send, void *ctx)
{
	struct lab_query q = *query;
	ldns_pkt *pkt = NULL;

	if (q.transport == LAB_UDP)
		q.server->n_udp++;
	else
		q.server->n_tcp++;
	if (ldns_wire2pkt(&pkt, q.wire, q.len) != LDNS_STATUS_OK || ldns_pkt_qr(pkt) ||
	    ldns_rr_list_rr_count(ldns_pkt_question(pkt)) != 1) {
		ldns_pkt_free(pkt);
		return;
	}
	q.pkt = pkt;
	q.question = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
	keep(lab, &q);
	if (!fault_swallows(lab, q.server))
		answer(lab, &q, send, ctx);
	ldns_pkt_free(pkt);
}
