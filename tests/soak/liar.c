/* liar: what a hostile server answers: truth with something beside it, referrals that lead
 * nowhere or to others' names, aliases without end, or noise in the form of a message. */
#include "common/rrtype.h"
#include "tests/soak/server.h"

#include <string.h>

struct lying {
	struct servers_ctx *s;
	struct reply_writer b;
	const struct msg *query;
	const struct zone *zone; /* that it was asked for, probably */
	int host;                /* -1: at an address that only liars know */
};

static struct rng *dice(struct lying *l)
{
	return &l->s->rng;
}

/* ---- names, types, records to lie about ---- */

static void label_add(struct lying *l, uint8_t out[NAME_MAX_LEN], const uint8_t *parent)
{
	uint8_t joined[NAME_MAX_LEN];
	size_t len = name_len(parent);

	if (len + 4 > NAME_MAX_LEN) {
		name_lower(out, parent);
		return;
	}
	joined[0] = 3;
	for (int i = 1; i <= 3; i++)
		joined[i] = (uint8_t)('a' + rng_below(dice(l), 26));
	memcpy(joined + 4, parent, len);
	name_lower(out, joined);
}

static void longest_name(uint8_t out[NAME_MAX_LEN])
{
	for (unsigned i = 0; i < NAME_MAX_LEN - 1; i += 2) {
		out[i] = 1;
		out[i + 1] = 'l';
	}
	out[NAME_MAX_LEN - 1] = 0;
}

/* Somebody's name: the victim's, often. */
static void any_name(struct lying *l, uint8_t out[NAME_MAX_LEN])
{
	const struct internet *net = l->s->net;
	unsigned how = rng_below(dice(l), 100);

	if (how < 25)
		name_lower(out, l->query->qname);
	else if (how < 35)
		name_lower(out, l->zone->apex);
	else if (how < 42)
		name_lower(out, net->zones[l->zone->parent].apex);
	else if (how < 55)
		name_lower(out, net->zones[rng_below(dice(l), net->n_zones)].apex);
	else if (how < 70)
		name_lower(out, net->sets[rng_below(dice(l), net->n_sets)].owner);
	else if (how < 80)
		name_lower(out, net->ns[rng_below(dice(l), net->n_ns)].name);
	else if (how < 90)
		label_add(l, out, l->query->qname);
	else if (how < 99)
		label_add(l, out, l->zone->apex);
	else
		longest_name(out);
}

static uint32_t any_ttl(struct lying *l)
{
	static const uint32_t ttls[] = { 0, 1, 300, 86400, 0x7fffffff, 0xffffffff };

	return RNG_PICK(dice(l), ttls);
}

static void evil_record(struct lying *l, unsigned section, const uint8_t *owner, uint16_t type)
{
	uint8_t data[2 * NAME_MAX_LEN + 20] = { 66, 6, 6 };
	size_t len = 4;

	switch (type) {
	case TYPE_A:
		data[3] = (uint8_t)rng_below(dice(l), 4);
		break;
	case TYPE_AAAA:
		len = 16;
		break;
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_DNAME:
	case TYPE_PTR:
		any_name(l, data);
		len = name_len(data);
		break;
	case TYPE_SOA:
		any_name(l, data);
		len = name_len(data);
		any_name(l, data + len);
		len += name_len(data + len) + 20;
		break;
	default:
		len = rng_below(dice(l), 40);
		break;
	}
	if (rng_chance(dice(l), 1))
		len = rng_below(dice(l), (uint32_t)len + 1); /* malformed, mostly */
	reply_record(&l->b, section, owner, type, any_ttl(l), data, len);
}

static void any_record(struct lying *l, unsigned section)
{
	static const uint16_t types[] = { TYPE_A,     TYPE_A,   TYPE_AAAA, TYPE_NS, TYPE_NS,
					  TYPE_CNAME, TYPE_SOA, TYPE_TXT,  TYPE_DS, TYPE_DNAME,
					  TYPE_RRSIG, TYPE_MX,  255,       0,       41 };
	uint16_t type = rng_chance(dice(l), 20) ? l->query->qtype : RNG_PICK(dice(l), types);
	uint8_t owner[NAME_MAX_LEN];

	any_name(l, owner);
	evil_record(l, section, owner, type);
}

static void any_records(struct lying *l, unsigned section, unsigned often)
{
	unsigned n = rng_chance(dice(l), often) ? rng_between(dice(l), 1, 4) : 0;

	if (rng_chance(dice(l), 1))
		n = rng_between(dice(l), 100, 400);
	while (n-- > 0)
		any_record(l, section);
}

/* ---- ways to lie: each writes the sections in order and returns flags and rcode ---- */

static unsigned truth_and_more(struct lying *l)
{
	unsigned flags = 0;

	l->b.corruption = (enum corruption)rng_below(dice(l), CORRUPTIONS);
	if (l->host >= 0)
		flags = honest_answer(&l->b, l->s->net, (unsigned)l->host, l->query);
	any_records(l, l->b.count[2] == 0 && l->b.count[3] == 0 ? 1 : 3, 50);
	any_records(l, l->b.count[3] == 0 ? 2 : 3, 50);
	any_records(l, 3, 80);
	return flags;
}

static unsigned noise(struct lying *l)
{
	static const uint16_t rcodes[] = { 0, 0, 0, 0, 3, 3, 1, 2, 5, 6, 15 };

	any_records(l, 1, 50);
	any_records(l, 2, 50);
	any_records(l, 3, 50);
	return RNG_PICK(dice(l), rcodes) | (rng_chance(dice(l), 70) ? MSG_AA : 0) |
	       (rng_chance(dice(l), 2) ? MSG_TC : 0);
}

/* What is true of another name, or of another type: signatures and proofs that hold, of something
 * that was not asked for. */
static unsigned truth_of_another(struct lying *l)
{
	static const uint16_t types[] = { TYPE_A,   TYPE_NS,    TYPE_DS, TYPE_DNSKEY,
					  TYPE_TXT, TYPE_CNAME, 300 };
	struct msg other = *l->query;
	unsigned flags;

	if (l->host < 0)
		return noise(l);
	if (rng_chance(dice(l), 60))
		any_name(l, other.qname);
	if (rng_chance(dice(l), 60))
		other.qtype = RNG_PICK(dice(l), types);
	flags = honest_answer(&l->b, l->s->net, (unsigned)l->host, &other);
	return rng_chance(dice(l), 30) ? flags ^ RCODE_NXDOMAIN : flags;
}

/* Data that are false, and are taken for true where the liar may speak. */
static unsigned false_data(struct lying *l)
{
	uint8_t name[NAME_MAX_LEN];

	name_lower(name, l->query->qname);
	evil_record(l, 1, name, l->query->qtype);
	any_records(l, 1, 20);
	any_records(l, 3, 50);
	return MSG_AA;
}

/* To a zone one label deeper, for ever, or to the zone itself, or to anybody. */
static unsigned referral(struct lying *l)
{
	unsigned labels = name_labels(l->query->qname), n = rng_between(dice(l), 1, 4);
	uint8_t owner[NAME_MAX_LEN], ns[NAME_MAX_LEN];

	name_lower(owner,
		   name_suffix(l->query->qname,
			       rng_between(dice(l), l->zone->labels,
					   labels > l->zone->labels ? labels : l->zone->labels)));
	if (rng_chance(dice(l), 20))
		any_name(l, owner);
	if (rng_chance(dice(l), 10))
		n = 30; /* NXNSAttack */
	while (n-- > 0) {
		any_name(l, ns);
		if (rng_chance(dice(l), 40))
			label_add(l, ns, owner);
		reply_record(&l->b, 2, owner, TYPE_NS, any_ttl(l), ns, name_len(ns));
	}
	if (rng_chance(dice(l), 60))
		evil_record(l, 3, ns, TYPE_A);
	any_records(l, 3, 30);
	return 0;
}

static unsigned alias(struct lying *l)
{
	uint8_t name[NAME_MAX_LEN], target[NAME_MAX_LEN];
	unsigned n = rng_chance(dice(l), 80) ? 1 : rng_between(dice(l), 2, 20);

	name_lower(name, l->query->qname);
	if (rng_chance(dice(l), 20))
		evil_record(l, 1, name_parent(name), TYPE_DNAME);
	while (n-- > 0) {
		any_name(l, target);
		reply_record(&l->b, 1, name, TYPE_CNAME, any_ttl(l), target, name_len(target));
		name_lower(name, target);
	}
	/* And the victim's address at once, please. */
	if (rng_chance(dice(l), 60))
		evil_record(l, 1, name, l->query->qtype);
	any_records(l, 2, 30);
	return MSG_AA;
}

static unsigned denial(struct lying *l)
{
	uint8_t owner[NAME_MAX_LEN];

	name_lower(owner, l->zone->apex);
	if (rng_chance(dice(l), 40))
		any_name(l, owner);
	evil_record(l, 2, owner, TYPE_SOA);
	any_records(l, 2, 20);
	return (rng_chance(dice(l), 80) ? MSG_AA : 0) | (rng_chance(dice(l), 60) ? 3 : 0);
}

size_t liar_answer(struct servers_ctx *s, int host, const struct msg *query, uint8_t *buf,
		   size_t cap)
{
	static unsigned (*const ways[])(struct lying * l) = {
		truth_and_more, truth_and_more, truth_and_more,   noise,
		false_data,     false_data,     referral,         referral,
		alias,          denial,         truth_of_another,
	};
	struct lying l = { .s = s, .query = query, .host = host };
	uint32_t mask = host >= 0 ? s->net->serves[host] : UINT32_MAX;
	unsigned flags;

	l.zone = zone_of(s->net, query->qname, query->qtype, mask);
	if (l.zone == NULL)
		l.zone = &s->net->zones[0];
	l.b.compresses = rng_chance(dice(&l), 50);
	reply_begin(&l.b, buf, cap, query, 0);
	flags = RNG_PICK(dice(&l), ways)(&l);
	wire_put_u16(buf + 2, (uint16_t)(MSG_QR | flags));
	return reply_finish(&l.b, query->edns.present && rng_chance(dice(&l), 90));
}
