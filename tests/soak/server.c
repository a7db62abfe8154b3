/* server: a question's way: who is asked, what goes wrong, what comes back; see server.h. */
#include "tests/soak/server.h"

#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"

enum {
	UDP_PLAIN = 512,
	LOSS_PAUSE_US = 4 * 1000000, /* losses of sound servers are at least so far apart */
	FATE_WORDS_MAX = 64,
};

/* A question at a server, and what is decided about it. */
struct call {
	struct servers_ctx *s;
	struct network *n;
	const struct outquery *q;
	struct msg m;
	int host; /* -1: nobody's address */
	char what[FATE_WORDS_MAX];
};

static uint8_t answer_buf[WIRE_MSG_MAX];

static void note(struct call *c, const char *what)
{
	snprintf(c->what, sizeof(c->what), "%s", what);
}

static void tell(const struct call *c)
{
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], server[ADDR_TEXT_MAX];

	if (c->s->out == NULL)
		return;
	fprintf(c->s->out, "  %9.1f ms %s %s asked %s %s%s: %s\n", (double)c->n->now_us / 1000,
		addr_text(server, &c->q->server), c->q->transport == TRANSPORT_TCP ? "TCP" : "UDP",
		name_to_text(name, c->m.qname), rrtype_to_text(c->m.qtype, type),
		c->m.edns.present ? " +EDNS" : "", c->what);
}

static void deliver(struct call *c, const uint8_t *wire, size_t len, unsigned delay_ms)
{
	network_deliver(c->n, c->q->ticket, wire, len, delay_ms);
	if (rng_chance(&c->s->rng, 5))
		network_deliver(c->n, c->q->ticket, wire, len, delay_ms + 20);
}

/* ---- a forger on the way ---- */

static void spell_otherwise(uint8_t *name)
{
	for (size_t i = 0, left = 0; name[i] != 0 || left > 0; i++, left--) {
		if (left == 0)
			left = name[i] + 1u;
		else if ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z')
			name[i] ^= 0x20;
	}
}

/* An answer with the right id and the wrong question, or spelt otherwise when that is a
 * difference. */
static void forge_question(struct call *c)
{
	static const uint8_t evil[] = { 66, 6, 6, 6 };
	struct reply_writer b = { 0 };
	uint8_t buf[1024];
	struct msg m = c->m;

	if (c->s->use_0x20 && rng_chance(&c->s->rng, 50))
		spell_otherwise(m.qname);
	else if (rng_chance(&c->s->rng, 50))
		m.qtype ^= 1;
	else
		name_copy(m.qname, c->s->net->zones[c->s->net->n_zones - 1].apex);
	if (m.qtype == c->m.qtype && name_equal_case(m.qname, c->m.qname))
		return;
	if (!c->s->use_0x20 && m.qtype == c->m.qtype && name_equal(m.qname, c->m.qname))
		return;
	reply_begin(&b, buf, sizeof(buf), &m, MSG_AA);
	reply_record(&b, SECTION_ANSWER, c->m.qname, c->m.qtype, 86400, evil, sizeof(evil));
	network_deliver(c->n, c->q->ticket, buf, reply_finish(&b, false), 0);
}

static void forge(struct call *c)
{
	unsigned n = rng_between(&c->s->rng, 1, 4);

	if (c->q->transport != TRANSPORT_UDP || !rng_chance(&c->s->rng, c->s->forged))
		return;
	while (n-- > 0) {
		if (rng_chance(&c->s->rng, 50))
			network_near_miss(c->n, c->q->ticket, 0);
		else
			forge_question(c);
	}
}

/* ---- faults ---- */

static bool is_out(const struct call *c, const struct host *h)
{
	return !c->s->net->calm && c->n->now_us >= h->out_from_us && c->n->now_us < h->out_until_us;
}

static bool happens(const struct call *c, unsigned percent)
{
	return !c->s->net->calm && rng_chance(&c->s->rng, percent);
}

/* Lost, by a server that is sound: seldom, and never the same question twice in a row. */
static bool loses_once(struct call *c, struct host *h)
{
	uint64_t key = name_hash(c->m.qname) ^ c->m.qtype;
	uint64_t *slot = &h->lost[key % 16];

	if (c->s->net->calm || !h->loses_now_and_then || c->q->transport != TRANSPORT_UDP)
		return false;
	if (*slot == key) {
		*slot = 0;
		return false;
	}
	if (c->n->now_us < c->s->net->last_loss_us + LOSS_PAUSE_US || !rng_chance(&c->s->rng, 20))
		return false;
	*slot = key;
	c->s->net->last_loss_us = c->n->now_us;
	return true;
}

/* The connection, or the port: true when nothing else is to be said. */
static bool transport_fails(struct call *c, const struct host *h)
{
	if (c->q->transport != TRANSPORT_TCP || h->tcp == TCP_WORKS || c->s->net->calm)
		return false;
	if (h->tcp == TCP_CLOSED)
		network_fail(c->n, c->q->ticket, NET_CLOSED, 0);
	note(c, "TCP fails");
	return true;
}

/* FORMERR with or without the question: a server older than EDNS (RFC 6891 7). */
static void answer_formerr(struct call *c, const struct host *h)
{
	struct reply_writer b = { 0 };
	size_t len;

	reply_begin(&b, answer_buf, sizeof(answer_buf), &c->m, RCODE_FORMERR);
	len = reply_finish(&b, false);
	if (h->edns == EDNS_FORMERR_HEADER) {
		len = WIRE_HEADER_LEN;
		wire_put_u16(answer_buf + 4, 0);
	}
	note(c, "FORMERR to EDNS");
	deliver(c, answer_buf, len, h->delay_ms);
}

static void answer_rcode(struct call *c, const struct host *h)
{
	static const unsigned rcodes[] = { 2, 2, 5, 5, 4, 1, 9, 10, 15 };
	unsigned flags = RNG_PICK(&c->s->rng, rcodes);
	struct reply_writer b = { 0 };

	reply_begin(&b, answer_buf, sizeof(answer_buf), &c->m, flags);
	note(c, "an error");
	deliver(c, answer_buf, reply_finish(&b, c->m.edns.present && rng_chance(&c->s->rng, 80)),
		h->delay_ms);
}

static void answer_garbage(struct call *c, const struct host *h)
{
	size_t len = rng_below(&c->s->rng, 200), from = rng_chance(&c->s->rng, 50) ? 12 : 2;

	memcpy(answer_buf, c->q->wire, c->q->len);
	wire_put_u16(answer_buf, c->m.id);
	answer_buf[2] |= 0x80;
	for (size_t i = from; i < len; i++)
		answer_buf[i] = (uint8_t)rng_next(&c->s->rng);
	/* A message that says it is truncated is what it says. */
	answer_buf[2] &= 0xfd;
	note(c, "garbage");
	deliver(c, answer_buf, len, h->delay_ms);
}

/* ---- answers ---- */

static size_t udp_limit(const struct msg *m, const struct host *h)
{
	if (h->edns == EDNS_IGNORED || !m->edns.present || m->edns.payload < UDP_PLAIN)
		return UDP_PLAIN;
	return m->edns.payload;
}

static size_t answer_make(struct call *c, const struct host *h, size_t cap)
{
	bool with_opt = c->m.edns.present && h->edns != EDNS_IGNORED;
	struct reply_writer b = { .compresses = h->compresses };
	unsigned flags;

	if (happens(c, h->corrupt)) {
		b.corruption = (enum corruption)rng_between(&c->s->rng, 1, CORRUPTIONS - 1);
		note(c, "answered with its signatures corrupted");
	}
	reply_begin(&b, answer_buf, cap - (with_opt ? 11 : 0), &c->m, 0);
	flags = honest_answer(&b, c->s->net, (unsigned)c->host, &c->m);
	if (b.full || (h->truncates && c->q->transport == TRANSPORT_UDP)) {
		reply_begin(&b, answer_buf, cap, &c->m, 0);
		flags = (flags & MSG_AA) | MSG_TC;
		note(c, "truncated");
	}
	b.w.cap = cap;
	if (happens(c, h->no_aa))
		flags &= ~(unsigned)MSG_AA;
	wire_put_u16(answer_buf + 2, (uint16_t)(MSG_QR | flags));
	return reply_finish(&b, with_opt);
}

static void answer_honestly(struct call *c, const struct host *h)
{
	size_t cap = c->q->transport == TRANSPORT_TCP ? WIRE_MSG_MAX : udp_limit(&c->m, h), len;
	unsigned delay_ms = h->delay_ms;

	note(c, "answered");
	if (h->lowers_case)
		name_lower(c->m.qname, c->m.qname);
	len = answer_make(c, h, cap);
	if (happens(c, h->cut) && !(answer_buf[2] & 2)) {
		len = rng_below(&c->s->rng, (uint32_t)len);
		note(c, "cut short");
	}
	if (happens(c, h->late))
		delay_ms += rng_below(&c->s->rng, 4000);
	if (happens(c, h->wrong_id))
		network_near_miss(c->n, c->q->ticket, delay_ms);
	else
		deliver(c, answer_buf, len, delay_ms);
}

static void answer_falsely(struct call *c)
{
	size_t cap = c->q->transport == TRANSPORT_TCP ? WIRE_MSG_MAX : 4096, len;

	note(c, "a lie");
	len = liar_answer(c->s, c->host, &c->m, answer_buf, cap);
	deliver(c, answer_buf, len, 0);
}

static void answer(struct call *c, struct host *h)
{
	if (happens(c, h->loss) || loses_once(c, h) ||
	    (c->m.edns.present && h->edns == EDNS_DROPPED && !c->s->net->calm)) {
		note(c, "lost");
	} else if (transport_fails(c, h)) {
		return;
	} else if (h->fate == FATE_LIAR) {
		answer_falsely(c);
	} else if (c->m.edns.present &&
		   (h->edns == EDNS_FORMERR || h->edns == EDNS_FORMERR_HEADER)) {
		answer_formerr(c, h);
	} else if (happens(c, h->bad_rcode)) {
		answer_rcode(c, h);
	} else if (happens(c, h->garbage)) {
		answer_garbage(c, h);
	} else {
		answer_honestly(c, h);
	}
}

static enum send_result during_outage(struct call *c, const struct host *h)
{
	note(c, "out");
	if (h->outage == OUTAGE_UNREACHABLE)
		return SEND_UNREACHABLE;
	if (h->outage == OUTAGE_REFUSED)
		network_fail(c->n, c->q->ticket, NET_REFUSED, 0);
	return SEND_OK;
}

/* Whoever was asked for a zone may be asked for it to see whether the network is there: nobody reads
 * the answer. */
static bool is_probe(const struct call *c)
{
	return c->m.qtype == TYPE_NS && !c->m.edns.present;
}

/* Could a liar have had a say in where the name's servers are? */
static bool may_be_misled(const struct call *c)
{
	struct internet *net = c->s->net;
	bool may = false;

	for (unsigned e = net->n_epochs; e-- > 0 && !may;) {
		internet_use(net, e);
		may = epoch_counts(net, c->m.qname, c->n->now_us) &&
		      !zone_of(net, c->m.qname, c->m.qtype, UINT32_MAX)->trusted;
	}
	internet_use_latest(net);
	return may;
}

/* Nobody's address, or a liar's own.  A name of a trusted zone is never asked for there. */
static void at_strange_address(struct call *c)
{
	char name[NAME_TEXT_MAX], server[ADDR_TEXT_MAX];

	/* Where a zone is gone, its parent's wildcard may speak of its servers' names. */
	if (addr_is_old(&c->q->server) ||
	    (c->s->net->n_epochs > 1 && addr_is_of_records(&c->q->server))) {
		note(c, "nobody there any more");
		return;
	}
	if (!is_probe(c) && !may_be_misled(c) && c->s->breach[0] == '\0')
		snprintf(c->s->breach, sizeof(c->s->breach), "asked %s for %.100s",
			 addr_text(server, &c->q->server), name_to_text(name, c->m.qname));
	if (addr_is_evil(&c->q->server) && rng_chance(&c->s->rng, 80))
		answer_falsely(c);
	else
		note(c, "nobody there");
}

/* Is the name server at that host, or was it when its address may have been learnt?  A delegation that
 * is new leads to an old address while that lives: the two are learnt apart (RFC 2181 5.4.1). */
static bool ns_may_be_at(struct internet *net, unsigned ns, unsigned host, uint64_t now_us)
{
	bool may = false;

	for (unsigned e = net->n_epochs; e-- > 0 && !may;) {
		internet_use(net, e);
		may = net->ns[ns].host == host && epoch_counts(net, net->ns[ns].name, now_us);
	}
	return may;
}

/* Is the host a server of a zone that the name is in, as an epoch has it? */
static bool may_be_asked(struct internet *net, unsigned epoch, unsigned host, const uint8_t *name,
			 uint64_t now_us)
{
	const struct zone *zones = net->epochs[epoch].zones;

	for (unsigned i = 0; i < net->n_zones; i++) {
		const struct zone *z = &zones[i];

		if (z->gone || !name_is_within(name, z->apex))
			continue;
		for (unsigned k = 0; k < z->n_ns + z->n_parent_ns; k++) {
			unsigned ns = k < z->n_ns ? z->ns[k] : z->parent_ns[k - z->n_ns];

			if (ns_may_be_at(net, ns, host, now_us))
				return true;
		}
	}
	return false;
}

/* Ghosts and phoenixes: a zone that was taken back, or has moved, is over when its delegation is. */
static void check_asked(struct call *c)
{
	struct internet *net = c->s->net;
	char name[NAME_TEXT_MAX];
	bool may = false;

	for (unsigned e = net->n_epochs; e-- > 0 && !may;) {
		const struct zone *z;

		internet_use(net, e);
		z = zone_of(net, c->m.qname, c->m.qtype, UINT32_MAX);
		may = epoch_counts(net, c->m.qname, c->n->now_us) &&
		      (!z->trusted ||
		       may_be_asked(net, e, (unsigned)c->host, c->m.qname, c->n->now_us));
	}
	internet_use_latest(net);
	if (!may && !is_probe(c) && c->s->breach[0] == '\0')
		snprintf(c->s->breach, sizeof(c->s->breach),
			 "asked host%d, no server of a zone of %.100s, or not any more", c->host,
			 name_to_text(name, c->m.qname));
}

/* A zone that it has lost, and answers for as before, unless it serves a deeper one. */
static void use_its_epoch(const struct call *c, const struct host *h)
{
	struct internet *net = c->s->net;
	const struct zone *z = zone_of(net, c->m.qname, c->m.qtype, net->serves[c->host]);
	int labels = z != NULL ? z->labels : -1;

	if (h->ghosts == 0)
		return;
	internet_use(net, h->stuck);
	z = zone_of(net, c->m.qname, c->m.qtype, h->ghosts);
	if (z == NULL || z->labels <= labels)
		internet_use_latest(net);
}

static void at_host(struct call *c)
{
	struct internet *net = c->s->net;
	struct host *h = &net->hosts[c->host];

	signed_at(c->n->world.wall_s(c->n->world.ctx));
	use_its_epoch(c, h);
	forge(c);
	answer(c, h);
	internet_use_latest(net);
}

enum send_result servers_serve(void *ctx, struct network *n, const struct outquery *q,
			       const uint8_t *wire, size_t len)
{
	struct call c = { .s = ctx, .n = n, .q = q };
	enum send_result result = SEND_OK;

	if (msg_open(&c.m, wire, len) != E_OK)
		return SEND_OK; /* the network has said so */
	c.host = host_find(c.s->net, &q->server);
	if (c.host >= 0)
		check_asked(&c);
	if (!c.s->net->calm && rng_below(&c.s->rng, 1000) < c.s->no_resources) {
		note(&c, "no resources");
		result = SEND_NO_RESOURCES;
	} else if (n->now_us < c.s->net->cut_until_us) {
		static const enum send_result results[] = {
			[CUT_SILENT] = SEND_OK,
			[CUT_UNREACHABLE] = SEND_UNREACHABLE,
			[CUT_UNROUTED] = SEND_UNROUTED,
		};

		note(&c, "cut off");
		result = results[c.s->net->cut];
	} else if (c.host < 0) {
		at_strange_address(&c);
	} else if (is_out(&c, &c.s->net->hosts[c.host])) {
		result = during_outage(&c, &c.s->net->hosts[c.host]);
	} else {
		at_host(&c);
	}
	c.s->asked += result == SEND_OK;
	tell(&c);
	return result;
}
