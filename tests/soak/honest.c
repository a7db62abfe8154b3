/* honest: an authority's answer (RFC 1034 4.3.2), made from the truth; and how a server answers
 * for what it does not serve. */
#include <string.h>

#include "common/rrtype.h"
#include "tests/signer/rrsig.h"
#include "tests/soak/server.h"

enum { LINKS_MAX = 8, PROOFS_MAX = (LINKS_MAX + 1) * SIGNED_PROOFS_MAX };

struct answering {
	struct reply_writer *b;
	const struct internet *net;
	const struct host *host;
	uint16_t type;
	bool signs;
	/* what is to go into the authority section when the answer section is written */
	const struct signed_set *proofs[PROOFS_MAX];
	unsigned n_proofs;
};

/* ---- writing ---- */

void reply_begin(struct reply_writer *b, uint8_t *buf, size_t cap, const struct msg *query,
		 unsigned flags)
{
	*b = (struct reply_writer) { .compresses = b->compresses, .corruption = b->corruption };
	wire_writer_init(&b->w, buf, cap);
	b->full |= wire_write_u16(&b->w, query->id) != E_OK;
	b->full |= wire_write_u16(&b->w, (uint16_t)(MSG_QR | flags)) != E_OK;
	b->full |= wire_write_u32(&b->w, 0x00010000) != E_OK;
	b->full |= wire_write_u32(&b->w, 0) != E_OK;
	b->full |= wire_write_name(&b->w, query->qname) != E_OK;
	b->full |= wire_write_u16(&b->w, query->qtype) != E_OK;
	b->full |= wire_write_u16(&b->w, query->qclass) != E_OK;
}

void reply_record(struct reply_writer *b, unsigned section, const uint8_t *owner, uint16_t type,
		  uint32_t ttl, const uint8_t *rdata, size_t len)
{
	struct wire_writer *w = &b->w;
	size_t start = w->len, rdlen_at;
	bool is_name = type == TYPE_NS || type == TYPE_CNAME || type == TYPE_PTR;
	bool ok = wire_write_name(w, owner) == E_OK && wire_write_u16(w, type) == E_OK &&
		  wire_write_u16(w, CLASS_IN) == E_OK && wire_write_u32(w, ttl) == E_OK;

	rdlen_at = w->len;
	ok = ok && wire_write_u16(w, (uint16_t)len) == E_OK &&
	     (b->compresses && is_name ? wire_write_name(w, rdata)
				       : wire_write_bytes(w, rdata, len)) == E_OK;
	if (!ok) {
		wire_rewind(w, start);
		b->full = true;
		return;
	}
	wire_put_u16(w->buf + rdlen_at, (uint16_t)(w->len - rdlen_at - 2));
	b->count[section]++;
}

void reply_set(struct reply_writer *b, unsigned section, const struct internet *net,
	       const struct model_set *s, const uint8_t *owner)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct rdata *rr = model_record(net, s, i);

		reply_record(b, section, owner, s->type, s->ttl, rr->data, rr->len);
	}
}

size_t reply_finish(struct reply_writer *b, bool with_opt)
{
	static const uint8_t opt[] = { 0, 0, TYPE_OPT, 0x04, 0xd0, 0, 0, 0, 0, 0, 0 };

	if (with_opt && wire_write_bytes(&b->w, opt, sizeof(opt)) == E_OK)
		b->count[SECTION_ADDITIONAL]++;
	for (unsigned i = 1; i <= 3; i++)
		wire_put_u16(b->w.buf + 4 + 2 * i, b->count[i]);
	return b->w.len;
}

/* ---- signatures and proofs ---- */

static void sigs_add(const struct answering *a, unsigned section, const struct signed_set *s,
		     const uint8_t *owner)
{
	uint8_t rdata[SIGN_RRSIG_MAX];

	for (size_t i = 0; i < s->n_sig && a->b->corruption != CORRUPT_STRIPPED; i++) {
		memcpy(rdata, s->sig[i].data, s->sig[i].len);
		if (a->b->corruption == CORRUPT_GARBLED)
			rdata[s->sig[i].len - 1] ^= 1;
		reply_record(a->b, section, owner, TYPE_RRSIG, s->ttl, rdata, s->sig[i].len);
	}
}

/* The RRSIGs of a set of the zone's, under the name that it is given with. */
static void sign(const struct answering *a, unsigned section, const struct zone *z,
		 const struct model_set *set, const uint8_t *owner)
{
	struct signed_zone *signed_zone = a->signs ? signed_of(a->net, z) : NULL;
	const struct signed_set *s = NULL;

	if (signed_zone != NULL)
		s = signed_zone_find(signed_zone, set->owner, set->type);
	if (s != NULL)
		sigs_add(a, section, s, owner);
}

/* Proofs of what is said of the name are to come. */
static void prove(struct answering *a, const struct zone *z, const uint8_t *name, uint16_t type)
{
	struct signed_zone *signed_zone = a->signs ? signed_of(a->net, z) : NULL;

	if (signed_zone != NULL && a->b->corruption != CORRUPT_NO_PROOFS)
		a->n_proofs += (unsigned)signed_zone_prove(signed_zone, name, type,
							   a->proofs + a->n_proofs);
}

static void proofs_add(struct answering *a)
{
	for (unsigned i = 0; i < a->n_proofs; i++) {
		const struct signed_set *s = a->proofs[i];

		for (unsigned k = 0; k < i && s != NULL; k++)
			if (a->proofs[k] == s)
				s = NULL;
		if (s == NULL)
			continue;
		for (size_t k = 0; k < s->n; k++)
			reply_record(a->b, SECTION_AUTHORITY, s->owner, s->type, s->ttl,
				     s->rr[k].data, s->rr[k].len);
		sigs_add(a, SECTION_AUTHORITY, s, s->owner);
	}
	a->n_proofs = 0;
}

/* ---- sections ---- */

static const struct model_set *apex_set(const struct answering *a, const struct zone *z,
					uint16_t type)
{
	struct truth t;

	truth_in_zone(a->net, z, z->apex, type, &t);
	return t.kind == TRUTH_DATA ? t.set : NULL;
}

static void old_glue_add(const struct answering *a, const struct ns_host *h,
			 const struct zone *child)
{
	struct addr old;

	addr_old(a->net, child, &old);
	reply_record(a->b, SECTION_ADDITIONAL, h->name, TYPE_A, child->ns_ttl, old.ip, 4);
}

/* The addresses of name servers, as far as `z` may speak for them. */
static void addresses_add(const struct answering *a, const struct zone *z, const uint8_t *ns,
			  unsigned n, const struct zone *child)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };

	for (unsigned i = 0; i < n * 2; i++) {
		const struct ns_host *h = &a->net->ns[ns[i / 2]];
		struct truth t;

		if (!name_is_within(h->name, z->apex) ||
		    (child != NULL && !child->gives_glue && !name_is_within(h->name, child->apex)))
			continue;
		truth_of(a->net, h->name, types[i % 2], &t);
		if (t.kind == TRUTH_DATA)
			reply_set(a->b, SECTION_ADDITIONAL, a->net, t.set, h->name);
		if (child != NULL && child->old_glue && i == 0)
			old_glue_add(a, h, child);
	}
}

static void ns_add(const struct answering *a, const struct zone *z, const uint8_t *ns, unsigned n,
		   uint32_t ttl)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *name = a->net->ns[ns[i]].name;

		reply_record(a->b, SECTION_AUTHORITY, z->apex, TYPE_NS, ttl, name, name_len(name));
	}
}

/* The zone's own. */
static void apex_ns_add(const struct answering *a, const struct zone *z)
{
	const struct model_set *set = apex_set(a, z, TYPE_NS);

	ns_add(a, z, z->ns, z->n_ns, z->ns_ttl);
	if (set != NULL)
		sign(a, SECTION_AUTHORITY, z, set, z->apex);
}

static void soa_add(const struct answering *a, const struct zone *z)
{
	const struct model_set *soa = apex_set(a, z, TYPE_SOA);

	/* RFC 2308 2.1.1, type 1. */
	if (a->host->talks && !a->host->no_soa && a->type != TYPE_DS)
		apex_ns_add(a, z);

	/* Without it nobody could tell a zone's word on its own DS from its parent's. */
	if (soa == NULL || (a->host->no_soa && a->type != TYPE_DS && !z->is_signed))
		return;
	reply_set(a->b, SECTION_AUTHORITY, a->net, soa, z->apex);
	sign(a, SECTION_AUTHORITY, z, soa, z->apex);
}

static unsigned refer(struct answering *a, const struct zone *above, const struct zone *child)
{
	ns_add(a, child, child->parent_ns, child->n_parent_ns, child->ns_ttl);
	prove(a, above, child->apex, TYPE_NS);
	proofs_add(a);
	addresses_add(a, above, child->parent_ns, child->n_parent_ns, child);
	return 0;
}

static void dname_write(const struct answering *a, const struct truth *t)
{
	reply_set(a->b, SECTION_ANSWER, a->net, t->set, t->set->owner);
	sign(a, SECTION_ANSWER, t->zone, t->set, t->set->owner);
}

static void alias_write(struct answering *a, const struct truth *t, const uint8_t *name,
			const uint8_t *target)
{
	if (t->kind == TRUTH_DNAME)
		dname_write(a, t);
	reply_record(a->b, SECTION_ANSWER, name, TYPE_CNAME, t->set->ttl, target, name_len(target));
	if (t->kind == TRUTH_CNAME) {
		sign(a, SECTION_ANSWER, t->zone, t->set, name);
		prove(a, t->zone, name, a->type);
	}
}

/* ---- the whole ---- */

/* The end of a chain. */
static unsigned conclude(struct answering *a, const struct truth *t, const uint8_t *name,
			 bool was_alias)
{
	switch (t->kind) {
	case TRUTH_DATA:
		reply_set(a->b, SECTION_ANSWER, a->net, t->set, name);
		sign(a, SECTION_ANSWER, t->zone, t->set, name);
		prove(a, t->zone, name, a->type);
		proofs_add(a);
		if (!a->host->talks)
			return MSG_AA;
		/* What it says of itself; its NS set is the one at its apex. */
		if (t->set->type != TYPE_NS)
			apex_ns_add(a, t->zone);
		addresses_add(a, t->zone, t->zone->ns, t->zone->n_ns, NULL);
		return MSG_AA;
	case TRUTH_REFERRAL:
		if (was_alias) {
			proofs_add(a);
			return MSG_AA;
		}
		return refer(a, t->zone, t->child);
	case TRUTH_NXDOMAIN:
	case TRUTH_NODATA:
		soa_add(a, t->zone);
		prove(a, t->zone, name, a->type);
		proofs_add(a);
		if (t->kind == TRUTH_NXDOMAIN)
			return MSG_AA | RCODE_NXDOMAIN;
		return MSG_AA | (t->empty && t->zone->denies_empty ? RCODE_NXDOMAIN : 0);
	case TRUTH_CNAME:
	case TRUTH_DNAME:
		break;
	}
	return MSG_AA;
}

/* Bits: the zones that it is named a server of. */
static uint32_t named_for(const struct answering *a)
{
	const struct internet *net = a->net;
	uint32_t zones = 0;

	for (unsigned i = 0; i < net->n_zones; i++) {
		const struct zone *z = &net->zones[i];

		for (unsigned k = 0; !z->gone && k < z->n_ns + z->n_parent_ns; k++) {
			unsigned ns = k < z->n_ns ? z->ns[k] : z->parent_ns[k - z->n_ns];

			zones |= (uint32_t)(&net->hosts[net->ns[ns].host] == a->host) << i;
		}
	}
	return zones;
}

static unsigned lame_answer(const struct answering *a, const uint8_t *name)
{
	const struct zone *root = &a->net->zones[0];
	const struct zone *z = zone_of(a->net, name, a->type, named_for(a));

	switch (a->host->lame) {
	case LAME_SERVFAIL:
		return RCODE_SERVFAIL;
	case LAME_UPWARD:
		ns_add(a, root, root->ns, root->n_ns, root->ns_ttl);
		return 0;
	case LAME_SELF:
		/* From a parent without DNSSEC this would mean that there is none.  And a referral
		 * without glue, from one who is named for a zone above, too, leads astray. */
		if (a->type == TYPE_DS || z == NULL ||
		    zone_of(a->net, name_parent(z->apex), TYPE_A, named_for(a)) != NULL)
			break;
		ns_add(a, z, z->parent_ns, z->n_parent_ns, z->ns_ttl);
		return 0;
	case LAME_EMPTY:
		return 0;
	case LAME_REFUSED:
	case LAME_HABITS:
		break;
	}
	return RCODE_REFUSED;
}

unsigned honest_answer(struct reply_writer *b, const struct internet *net, unsigned host,
		       const struct msg *query)
{
	struct answering a = {
		.b = b,
		.net = net,
		.host = &net->hosts[host],
		.type = query->qtype,
		.signs = query->edns.dnssec_ok && net->hosts[host].edns == EDNS_WORKS &&
			 !net->hosts[host].oblivious,
	};
	uint8_t name[NAME_MAX_LEN], target[NAME_MAX_LEN];
	/* In an epoch that is over it has kept no more than what it lost then. */
	uint32_t mask = net->zones == net->epochs[net->n_epochs - 1].zones ? net->serves[host]
									   : a.host->ghosts;
	const struct zone *first = NULL;
	struct truth t;

	name_lower(name, query->qname);
	for (unsigned links = 0;; links++) {
		const struct zone *z = zone_of(net, name, a.type, mask);

		if (z == NULL && first == NULL)
			return lame_answer(&a, name);
		if (first == NULL)
			first = z;
		if (z == NULL || (links > 0 && z != first && !a.host->follows_all))
			break;
		truth_in_zone(net, z, name, a.type, &t);
		if (t.kind != TRUTH_CNAME && t.kind != TRUTH_DNAME)
			return conclude(&a, &t, name, links > 0);
		if (!truth_target(net, &t, name, target)) {
			dname_write(&a, &t);
			proofs_add(&a);
			return MSG_AA | RCODE_YXDOMAIN;
		}
		alias_write(&a, &t, name, target);
		if (links == LINKS_MAX)
			break;
		name_lower(name, target);
	}
	proofs_add(&a);
	return MSG_AA;
}
