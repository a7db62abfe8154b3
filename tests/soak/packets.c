/* packets: the packet cache before a resolver, as the pipeline uses it, and what must be so of a
 * hit: it is an answer that was put in for such a question, with the asker's id and spelling, no
 * older than was said, and its TTLs so much lower; see soak.h. */
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/answer.h"
#include "tests/soak/soak.h"

enum { THRESHOLD = 1232, PACKET_TTL_S = 86400, SLICE = 3, CD = 0x10 };

void packets_query(struct soak *s, struct asker *a)
{
	static const uint8_t opt[11] = { 0, 0, TYPE_OPT, 0x10, 0, 0, 0, 0, 0, 0, 0 };
	size_t len = WIRE_HEADER_LEN + name_copy(a->wire + WIRE_HEADER_LEN, a->name);
	bool edns = rng_chance(&s->rng, 85);
	bool dnssec_ok = rng_chance(&s->rng, s->setup.cfg.dnssec >= DNSSEC_PROCESS ? 70 : 10);
	struct query_dnssec_table dnssec;
	int err;

	memset(a->wire, 0, WIRE_HEADER_LEN);
	wire_put_u16(a->wire, (uint16_t)rng_next(&s->rng));
	a->wire[2] = a->cache_only ? 0 : 1; /* RD */
	a->wire[3] = rng_chance(&s->rng, 4) ? CD : 0;
	a->wire[5] = 1;
	wire_put_u16(a->wire + len, a->type);
	wire_put_u16(a->wire + len + 2, CLASS_IN);
	len += 4;
	if (edns) {
		memcpy(a->wire + len, opt, sizeof(opt));
		a->wire[len + 7] = dnssec_ok ? 0x80 : 0;
		a->wire[11] = 1;
		len += sizeof(opt);
	}
	a->tcp = rng_chance(&s->rng, 8);
	a->no_packets = !s->setup.uses_packets || rng_chance(&s->rng, 20);
	err = query_read(&a->query, a->wire, len);
	ASSERT(err == E_OK);
	query_dnssec_fill(&dnssec, s->setup.cfg.dnssec);
	a->query.dnssec = query_dnssec_of(&dnssec, a->query.flags, a->query.dnssec_ok);
	a->validates = (a->query.dnssec & QUERY_VALIDATE) != 0;
}

static struct packetcache_key key_of(const struct asker *a)
{
	return (struct packetcache_key) {
		.query = a->wire,
		.question_end = a->query.question_end,
		.name_hash = a->query.name_hash,
		.tcp = a->tcp,
		.edns = a->query.edns,
		.dnssec = a->query.dnssec,
		.payload = (uint16_t)answer_limit(&a->query, a->tcp, THRESHOLD),
	};
}

/* ---- is a hit right? ---- */

static bool same_question(const struct kept_packet *k, const struct asker *a)
{
	const uint8_t *name = k->wire + WIRE_HEADER_LEN;

	return k->node == a->node && k->tcp == a->tcp && k->edns == a->query.edns &&
	       k->dnssec == a->query.dnssec && k->question_end == a->query.question_end &&
	       name_equal(name, a->name) &&
	       memcmp(k->wire + k->question_end - 4, a->wire + a->query.question_end - 4, 4) == 0 &&
	       ((k->wire[2] ^ a->wire[2]) & 1) == 0;
}

/* The same message but for CD, its TTLs lower by `age_s`. */
static bool same_message(const struct kept_packet *k, const uint8_t *wire, size_t len,
			 uint32_t age_s)
{
	struct msg was, is;
	struct msg_rr x, y;
	int err;

	if (len != k->len || wire[2] != k->wire[2] || ((wire[3] ^ k->wire[3]) & ~CD) != 0 ||
	    memcmp(wire + 4, k->wire + 4, WIRE_HEADER_LEN - 4) != 0 ||
	    msg_open(&was, k->wire, k->len) != E_OK || msg_open(&is, wire, len) != E_OK)
		return false;
	while ((err = msg_next(&was, &x)) == E_OK) {
		uint32_t ttl = x.ttl > age_s ? x.ttl - age_s : 0;

		if (msg_next(&is, &y) != E_OK || x.type != y.type || x.section != y.section ||
		    (x.type != TYPE_OPT && y.ttl != ttl) || x.rdlen != y.rdlen ||
		    memcmp(k->wire + x.rdata, wire + y.rdata, x.rdlen) != 0)
			return false;
	}
	return err == E_END && msg_next(&is, &y) == E_END;
}

static bool is_right(const struct kept_packet *k, const struct asker *a, const uint8_t *wire,
		     size_t len, uint32_t now_s)
{
	uint32_t age_s = now_s - k->put_s;

	return same_question(k, a) && age_s < k->ttl && same_message(k, wire, len, age_s) &&
	       memcmp(wire, a->wire, 2) == 0 && ((wire[3] ^ a->wire[3]) & CD) == 0 &&
	       memcmp(wire + WIRE_HEADER_LEN, a->wire + WIRE_HEADER_LEN,
		      a->query.question_end - WIRE_HEADER_LEN) == 0;
}

static void check_hit(struct soak *s, const struct asker *a, const uint8_t *wire, size_t len,
		      uint8_t rcode)
{
	uint32_t now_s = soak_wall_s(s);

	if ((wire[3] & 15) != rcode)
		soak_fail(s, "the packet cache tells another rcode than it answers");
	for (unsigned i = 0; i < s->n_kept; i++)
		if (is_right(&s->kept[i], a, wire, len, now_s))
			return;
	soak_fail(s, "the packet cache answers with what was not put in, or is too old");
}

bool packets_look(struct soak *s, struct asker *a)
{
	static uint8_t out[WIRE_MSG_MAX];
	struct packetcache_key key = key_of(a);
	struct packetcache_hit hit = { .rcode = 0 };
	size_t len;

	if (a->no_packets)
		return false;
	len = packetcache_get(a->node->packets, &key, soak_wall_s(s), out,
			      answer_limit(&a->query, a->tcp, THRESHOLD), &hit);
	if (len == 0)
		return false;
	s->hits++;
	soak_say(s, "answer to question %d: from the packet cache", (int)(a - s->askers));
	check_hit(s, a, out, len, hit.rcode);
	return true;
}

/* ---- what goes in ---- */

static void keep(struct soak *s, const struct asker *a, const uint8_t *wire, size_t len,
		 uint32_t ttl)
{
	struct kept_packet *k = &s->kept[s->n_kept];

	if (len > PACKET_MAX || s->n_kept == ASKERS_MAX)
		return;
	s->n_kept++;
	*k = (struct kept_packet) {
		.node = a->node,
		.len = len,
		.question_end = a->query.question_end,
		.ttl = ttl,
		.put_s = soak_wall_s(s),
		.tcp = a->tcp,
		.edns = a->query.edns,
		.dnssec = a->query.dnssec,
	};
	memcpy(k->wire, wire, len);
}

void packets_answer(struct soak *s, struct asker *a, const struct answer *answer)
{
	static uint8_t out[WIRE_MSG_MAX];
	struct packetcache_key key = key_of(a);
	struct packed packed;
	uint32_t ttl;
	struct msg m;

	answer_pack(&packed, out, answer_limit(&a->query, a->tcp, THRESHOLD), &a->query, answer,
		    true, soak_wall_s(s));
	if (msg_open(&m, out, packed.len) != E_OK)
		soak_fail(s, "an answer that does not parse");
	ttl = packed.min_ttl < PACKET_TTL_S ? packed.min_ttl : PACKET_TTL_S;
	if (a->no_packets || !answer->from_cache || !answer->cacheable || packed.truncated ||
	    ttl == 0)
		return;
	packetcache_put(a->node->packets, &key, out, packed.len, ttl, 0, false, soak_wall_s(s));
	keep(s, a, out, packed.len, ttl);
}

/* ---- commands ---- */

void packets_wipe_begin(struct soak *s, const uint8_t *name, uint16_t type, bool subtree)
{
	struct packet_wipe *w = &s->wipe;

	if (w->node != NULL)
		return;
	w->node = &s->nodes[rng_below(&s->rng, s->setup.n_nodes)];
	w->cursor = SIZE_MAX;
	w->type = type;
	w->subtree = subtree;
	name_copy(w->name, name);
	for (unsigned i = 0; i < s->n_kept; i++) {
		struct kept_packet *k = &s->kept[i];
		const uint8_t *qname = k->wire + WIRE_HEADER_LEN;

		k->is_doomed = k->node == w->node &&
			       (subtree ? name_is_within(qname, name) : name_equal(qname, name)) &&
			       (type == 0 || wire_get_u16(k->wire + k->question_end - 4) == type);
	}
}

void packets_wipe_on(struct soak *s)
{
	struct packet_wipe *w = &s->wipe;
	size_t wiped = 0;

	if (w->node == NULL || packetcache_wipe_some(w->node->packets, &w->cursor, SLICE, w->name,
						     w->type, w->subtree, &wiped))
		return;
	w->node = NULL;
	for (unsigned i = 0; i < s->n_kept; i++)
		if (s->kept[i].is_doomed)
			s->kept[i].node = NULL;
}

static int see_packet(void *ctx, const struct packetcache_view *v)
{
	struct soak *s = ctx;

	for (unsigned i = 0; i < s->n_kept; i++) {
		const struct kept_packet *k = &s->kept[i];

		if (k->node != NULL && k->tcp == v->tcp && v->ttl_left <= k->ttl &&
		    name_equal(k->wire + WIRE_HEADER_LEN, v->qname) &&
		    wire_get_u16(k->wire + k->question_end - 4) == v->qtype)
			return E_OK;
	}
	soak_fail(s, "a dump shows an answer in the packet cache that was not put in");
	return E_OK;
}

void packets_walk(struct soak *s)
{
	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		size_t cursor = SIZE_MAX;

		while (packetcache_walk_some(s->nodes[i].packets, &cursor, SLICE, see_packet, s,
					     soak_wall_s(s)))
			;
	}
}
