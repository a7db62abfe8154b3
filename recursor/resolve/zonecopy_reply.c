/* zonecopy_reply: the message that an authority of the zone would answer with. */
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/key.h"
#include "recursor/resolve/dnssec/limits.h"
#include "recursor/resolve/dnssec/proof.h"
#include "recursor/resolve/reply.h"
#include "recursor/resolve/zonecopy_impl.h"

enum {
	PARTS_MAX = 64, /* sets of one reply */
	GLUE_NS_MAX = 16,
	/* Of SHA-1, for one reply: some 0.3 ms, and a question may take ten replies.  A zone of 50 iterations
	 * has 19 hashes then, and needs some six; only a name of many labels without NSEC3 needs more. */
	HASH_ROUNDS_MAX = 1000,
};

/* One set, and where it goes. */
struct part {
	const struct zonecopy_node *node;
	const uint8_t *owner; /* what a wildcard makes has the name asked for */
	uint16_t type;
	uint8_t section;
};

struct making {
	const struct zonecopy *z;
	const uint8_t *name;
	uint16_t type, rcode;
	const uint8_t *alias; /* of a DNAME: the name asked for is an alias of it */
	uint32_t alias_ttl;
	uint8_t alias_buf[NAME_MAX_LEN];
	struct part parts[PARTS_MAX];
	unsigned n;
	unsigned rounds; /* of hashing */
	bool is_dear;    /* more than a reply may cost */
};

/* ---- choosing ---- */

/* Each once: one NSEC often proves two things. */
static void add(struct making *m, unsigned section, const struct zonecopy_node *node,
		const uint8_t *owner, uint16_t type)
{
	if (node == NULL || m->n == PARTS_MAX || zonecopy_data(m->z, node, type) == NULL)
		return;
	if (owner == NULL)
		owner = zonecopy_owner(m->z, node);
	for (unsigned i = 0; i < m->n; i++)
		if (m->parts[i].node == node && m->parts[i].type == type)
			return;
	m->parts[m->n++] = (struct part) { node, owner, type, (uint8_t)section };
}

static void add_proof(struct making *m, const struct zonecopy_node *node)
{
	add(m, SECTION_AUTHORITY, node, NULL, m->z->has_param ? TYPE_NSEC3 : TYPE_NSEC);
}

/* A name that only an NSEC3 has is none of the zone's (RFC 5155 7.2.8). */
static bool is_hash(const struct zonecopy *z, const struct zonecopy_node *node)
{
	for (uint32_t i = 0; i < node->n; i++) {
		uint16_t type = z->data[node->first + i].type;

		if (type != TYPE_NSEC3 && type != TYPE_RRSIG)
			return false;
	}
	return true;
}

/* The name exists; without records where others are below it (RFC 4592 2.2.2). */
static bool exists(const struct zonecopy *z, const uint8_t *name, const struct zonecopy_node **node)
{
	bool exact;
	uint32_t at = zonecopy_seek(z, name, &exact);

	if (exact && is_hash(z, &z->nodes[at])) {
		exact = false;
		at++;
	}
	*node = exact ? &z->nodes[at] : NULL;
	return exact || (at < z->n_nodes && name_is_below(zonecopy_owner(z, &z->nodes[at]), name));
}

/* The NSEC whose gap the name, which has no records, is in. */
static void cover(struct making *m, const uint8_t *name)
{
	bool exact;
	uint32_t at = zonecopy_seek(m->z, name, &exact);

	if (exact || at == 0)
		return;
	if (zonecopy_data(m->z, &m->z->nodes[at - 1], TYPE_NSEC) != NULL)
		add_proof(m, &m->z->nodes[at - 1]);
	else if (m->z->nodes[at - 1].nsec_before != ZONECOPY_NONE)
		add_proof(m, &m->z->nodes[m->z->nodes[at - 1].nsec_before]);
}

static const struct zonecopy_node *hashed(struct making *m, const uint8_t *name, bool before)
{
	uint8_t hash[NSEC3_HASH_LEN];

	m->rounds += 1U + m->z->param.iterations;
	if (m->rounds > HASH_ROUNDS_MAX)
		m->is_dear = true;
	if (m->is_dear || nsec3_hash(hash, &m->z->param, name) != E_OK)
		return NULL;
	return zonecopy_nsec3(m->z, hash, before);
}

/* RFC 5155 7.2.1: the closest encloser that has an NSEC3, and the gap with the next closer name.  With
 * opt-out that encloser may lie above the one that is in the zone. */
static void prove_encloser(struct making *m, const uint8_t *name)
{
	for (unsigned labels = name_labels(name); labels > m->z->labels; labels--) {
		const uint8_t *closer = name_suffix(name, labels);
		const struct zonecopy_node *match = hashed(m, name_parent(closer), false);

		if (match == NULL)
			continue;
		add_proof(m, match);
		add_proof(m, hashed(m, closer, true));
		return;
	}
}

static void deny(struct making *m)
{
	add(m, SECTION_AUTHORITY, zonecopy_node(m->z, m->z->apex), NULL, TYPE_SOA);
}

/* The name is there without the type (RFC 5155 7.2.3, 7.2.4). */
static void deny_type(struct making *m, const uint8_t *name, const struct zonecopy_node *node)
{
	const struct zonecopy_node *match;

	if (!m->z->has_param) {
		if (node != NULL)
			add_proof(m, node);
		else
			cover(m, name);
		return;
	}
	match = hashed(m, name, false);
	if (match != NULL)
		add_proof(m, match);
	else
		prove_encloser(m, name);
}

/* The name is not there; nor, unless that is what answers, a wildcard for it. */
static void deny_name(struct making *m, const uint8_t *closer, const uint8_t *wildcard)
{
	if (!m->z->has_param) {
		cover(m, m->name);
		if (wildcard != NULL)
			cover(m, wildcard);
		return;
	}
	prove_encloser(m, closer);
	if (wildcard != NULL)
		add_proof(m, hashed(m, wildcard, true));
}

static void add_glue(struct making *m, const struct zonecopy_data *ns)
{
	for (uint32_t i = 0; i < ns->n && i < GLUE_NS_MAX; i++) {
		struct rdata rr = zonecopy_record(m->z, ns->first + i).rr;
		const struct zonecopy_node *node;
		uint8_t name[NAME_MAX_LEN];

		(void)name_lower(name, rr.data);
		node = name_is_within(name, m->z->apex) ? zonecopy_node(m->z, name) : NULL;
		add(m, SECTION_ADDITIONAL, node, NULL, TYPE_A);
		add(m, SECTION_ADDITIONAL, node, NULL, TYPE_AAAA);
	}
}

/* RFC 4035 3.1.4, RFC 5155 7.2.7: the DS, or that there is none. */
static void refer(struct making *m, const uint8_t *cut, const struct zonecopy_node *node)
{
	add(m, SECTION_AUTHORITY, node, NULL, TYPE_NS);
	if (zonecopy_data(m->z, node, TYPE_DS) != NULL)
		add(m, SECTION_AUTHORITY, node, NULL, TYPE_DS);
	else
		deny_type(m, cut, node);
	add_glue(m, zonecopy_data(m->z, node, TYPE_NS));
}

/* Records of a node for the name asked for: its own node, or a wildcard's.  False: it has neither the
 * type nor an alias. */
static bool take_data(struct making *m, const struct zonecopy_node *node)
{
	uint16_t type = m->type;

	if (node == NULL)
		return false;
	if (zonecopy_data(m->z, node, type) == NULL)
		type = TYPE_CNAME;
	if (zonecopy_data(m->z, node, type) == NULL)
		return false;
	add(m, SECTION_ANSWER, node, m->name, type);
	if (type == TYPE_NS)
		add_glue(m, zonecopy_data(m->z, node, type));
	return true;
}

/* RFC 4592 3.3.1: below its closest encloser, which is there, the name is not; a wildcard may be. */
static void take_wildcard(struct making *m, const uint8_t *encloser, const uint8_t *closer)
{
	uint8_t wildcard[NAME_MAX_LEN];
	const struct zonecopy_node *node = NULL;
	bool fits = proof_wildcard(wildcard, encloser);

	if (!fits || !exists(m->z, wildcard, &node)) {
		m->rcode = RCODE_NXDOMAIN;
		deny(m);
		deny_name(m, closer, fits ? wildcard : NULL);
		return;
	}
	if (take_data(m, node)) {
		deny_name(m, closer, NULL);
		return;
	}
	deny(m);
	deny_name(m, closer, NULL);
	deny_type(m, wildcard, node);
}

/* RFC 6672 3.2 */
static void take_dname(struct making *m, const struct zonecopy_node *node,
		       const struct zonecopy_data *d)
{
	struct zonecopy_record r = zonecopy_record(m->z, d->first);

	add(m, SECTION_ANSWER, node, NULL, TYPE_DNAME);
	m->alias_ttl = r.ttl;
	if (dname_substitute(m->alias_buf, m->name, r.owner, r.rr.data) == E_OK)
		m->alias = m->alias_buf;
	else
		m->rcode = RCODE_YXDOMAIN;
}

/* From the apex down to the name: the first delegation or DNAME on the way decides. */
static void look(struct making *m)
{
	const struct zonecopy *z = m->z;
	unsigned whole = name_labels(m->name);
	const uint8_t *at = z->apex;
	const struct zonecopy_node *node = zonecopy_node(z, at);

	for (unsigned labels = z->labels;; labels++) {
		const struct zonecopy_data *d = NULL;
		const uint8_t *below;

		/* RFC 4035 3.1.4.1: the DS stands on this side of the cut. */
		if (node != NULL && labels > z->labels &&
		    !(labels == whole && m->type == TYPE_DS) &&
		    zonecopy_data(z, node, TYPE_NS) != NULL) {
			refer(m, at, node);
			return;
		}
		if (labels == whole) {
			if (!take_data(m, node)) {
				deny(m);
				deny_type(m, at, node);
			}
			return;
		}
		if (node != NULL)
			d = zonecopy_data(z, node, TYPE_DNAME);
		if (d != NULL) {
			take_dname(m, node, d);
			return;
		}
		below = name_suffix(m->name, labels + 1);
		if (!exists(z, below, &node)) {
			take_wildcard(m, at, below);
			return;
		}
		at = below;
	}
}

/* ---- writing; names are not compressed: nobody sends it ---- */

struct writing {
	uint8_t *at, *end;
	uint8_t *counts; /* ANCOUNT, ... */
	bool is_full;
};

static void put_record(struct writing *w, unsigned section, const uint8_t *owner, uint16_t type,
		       uint32_t ttl, const struct rdata *rr)
{
	size_t owner_len = name_len(owner), len = owner_len + WIRE_RR_FIXED + rr->len;
	uint8_t *count = w->counts + 2 * ((size_t)section - 1), *p = w->at;

	if (len > (size_t)(w->end - w->at) || wire_get_u16(count) == UINT16_MAX) {
		w->is_full = true;
		return;
	}
	memcpy(p, owner, owner_len);
	p += owner_len;
	p = wire_put_fixed(p, type, ttl, rr->len);
	if (rr->len > 0)
		memcpy(p, rr->data, rr->len);
	w->at += len;
	wire_put_u16(count, (uint16_t)(wire_get_u16(count) + 1));
}

static void put_part(struct writing *w, const struct zonecopy *z, const struct part *p)
{
	const struct zonecopy_data *d = zonecopy_data(z, p->node, p->type);
	uint32_t first = 0, n_sigs = zonecopy_sigs(z, p->node, p->type, &first);

	for (uint32_t i = 0; i < d->n && !w->is_full; i++) {
		struct zonecopy_record r = zonecopy_record(z, d->first + i);

		put_record(w, p->section, p->owner, r.type, r.ttl, &r.rr);
	}
	for (uint32_t i = 0; i < n_sigs && !w->is_full; i++) {
		struct zonecopy_record r = zonecopy_record(z, first + i);

		if (r.rr.len >= RRSIG_HEAD_LEN)
			put_record(w, p->section, p->owner, r.type, r.ttl, &r.rr);
	}
}

static bool is_referral(const struct making *m)
{
	return m->n > 0 && m->parts[0].section == SECTION_AUTHORITY && m->parts[0].type == TYPE_NS;
}

static int put_message(const struct making *m, uint8_t *buf, size_t cap, size_t *len)
{
	struct writing w = { .end = buf + cap, .counts = buf + 6 };
	unsigned flags = MSG_QR | (is_referral(m) ? 0U : MSG_AA) | m->rcode;

	if (cap < WIRE_HEADER_LEN + NAME_MAX_LEN + 4)
		return E_TOO_LONG;
	memset(buf, 0, WIRE_HEADER_LEN);
	wire_put_u16(buf + 2, (uint16_t)flags);
	buf[5] = 1;
	w.at = buf + WIRE_HEADER_LEN;
	w.at += name_copy(w.at, m->name);
	w.at = wire_put_asked(w.at, m->type);
	for (unsigned section = SECTION_ANSWER; section <= SECTION_ADDITIONAL; section++) {
		for (unsigned i = 0; i < m->n; i++)
			if (m->parts[i].section == section)
				put_part(&w, m->z, &m->parts[i]);
		if (section == SECTION_ANSWER && m->alias != NULL) {
			struct rdata rr = { m->alias, (uint16_t)name_len(m->alias) };

			put_record(&w, section, m->name, TYPE_CNAME, m->alias_ttl, &rr);
		}
	}
	if (w.is_full)
		return E_TOO_LONG;
	*len = (size_t)(w.at - buf);
	return E_OK;
}

int zonecopy_reply(const struct zonecopy *z, const uint8_t *name, uint16_t type,
		   const struct dnssec_limits *limits, uint8_t *buf, size_t cap, size_t *len)
{
	struct making m = { .z = z, .name = name, .type = type };

	ASSERT(z->n_nodes > 0 && z->nodes != NULL && name_is_within(name, z->apex));
	if (type == TYPE_RRSIG || !resolver_seeks(type) ||
	    (type == TYPE_DS && !name_is_below(name, z->apex)))
		return E_UNSUPPORTED;
	if (z->has_param && nsec3_is_too_many(limits, z->param.iterations))
		return E_UNSUPPORTED;
	m.rcode = RCODE_NOERROR;
	look(&m);
	if (m.is_dear)
		return E_UNSUPPORTED;
	return put_message(&m, buf, cap, len);
}
