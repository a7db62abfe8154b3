/* reply: reading a server's answer; see reply.h. */
#include "recursor/resolve/reply.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/soa.h"
#include "recursor/resolve/reply_groups.h"

enum { BY_STALE_TTL = 30 };

/* What the steps below share. */
struct reading {
	struct reply *out;
	struct reply_scratch *s;
	const struct msg *m;
	const struct reply_question *q;
	const struct resolver_config *cfg;
	struct counters *counters;
	const struct configured_zone *configured; /* the question's, or NULL */
};

void reply_clear(struct reply *r)
{
	rrset_put(r->answer);
	rrset_put(r->dname);
	rrset_put(r->negative);
	rrset_put(r->referral);
	for (unsigned i = 0; i < r->n_keep; i++)
		rrset_put(r->keep[i].set);
	memset(r, 0, sizeof(*r));
}

/* Seconds a negative answer may be kept: the lesser of the SOA's TTL and its MINIMUM
 * (RFC 2308 5). */
static uint32_t negative_ttl(const struct rrset *soa, uint32_t soa_ttl)
{
	struct rdata rr;
	struct soa numbers;
	size_t at = 0;

	if (rrset_next(soa, &at, &rr) && soa_read(&numbers, &rr) && numbers.minimum_s < soa_ttl)
		return numbers.minimum_s;
	return soa_ttl;
}

/* ---- from groups to sets ---- */

static uint32_t ttl_clamp(const struct reading *x, uint32_t ttl)
{
	if (ttl < x->cfg->min_ttl)
		ttl = x->cfg->min_ttl;
	if (x->q->by_stale && ttl > BY_STALE_TTL)
		ttl = BY_STALE_TTL;
	return ttl < x->cfg->max_ttl ? ttl : x->cfg->max_ttl;
}

/* How long a zone's own NS set may live: never longer than the referral that led here, or a zone
 * that its parent has taken back could keep itself alive (ghost domains, CVE-2012-1192).  Servers that the
 * parent does not name do not make the set longer by which they were found: its parent may refer to
 * others since.  And what else is_bounded_by_delegation(). */
static uint32_t ttl_within_delegation(const struct reading *x, uint32_t ttl)
{
	const struct reply_question *q = x->q;
	int32_t left, own_left;

	if (!q->has_delegation)
		return ttl;
	left = (int32_t)(q->delegation_expires_s - q->now_s);
	if (q->ns_own != NULL) {
		own_left = (int32_t)(q->ns_own->expires_s - q->now_s);
		if (own_left < left && !rrset_equal_data(q->ns_own, q->ns_parent))
			left = own_left;
	}
	if (left < 0)
		left = 0;
	return ttl < (uint32_t)left ? ttl : (uint32_t)left;
}

/* Of a zone's words on who serves it and what is below it.  Below a top-level domain no delegation
 * outlives the one above it either, or a zone taken back could live on in its sub-zones, each
 * beginning when the one before ends (phoenix domains, CVE-2022-30698).  Those that top-level domains
 * give are spared: all of them would end at once, with the domain's own. */
static bool is_bounded_by_delegation(const struct reading *x, const struct group *g, enum rank rank)
{
	return g->type == TYPE_NS && (name_equal(group_owner(x->s, g), x->q->zone) ||
				      (rank == RANK_REFERRAL && name_labels(x->q->zone) >= 2));
}

static int set_make(struct reading *x, struct group *g, enum rank rank, struct rrset **out);
static bool in_bailiwick(const struct reading *x, const struct group *g);

/* What a message has of NSEC or NSEC3: references. */
struct proofs {
	struct rrset *sets[RRSET_MAX_PROOFS];
	unsigned n;
	uint32_t ttl; /* of the shortest-lived */
};

static void proofs_clear(struct proofs *p)
{
	while (p->n > 0)
		rrset_put(p->sets[--p->n]);
}

/* Adds those of the authority section; what finds no room proves nothing. */
static int proofs_gather(struct reading *x, struct proofs *p)
{
	int err = E_OK;

	for (unsigned i = 0; x->q->dnssec && i < x->s->n_groups && err == E_OK; i++) {
		struct group *g = &x->s->groups[i];

		if (g->section != SECTION_AUTHORITY || p->n == RRSET_MAX_PROOFS ||
		    !rrtype_is_denial(g->type) || !in_bailiwick(x, g))
			continue;
		err = set_make(x, g, RANK_AUTH_AUTHORITY, &p->sets[p->n]);
		if (err != E_OK) {
			err = err == E_LIMIT ? E_OK : err;
			continue;
		}
		if (p->sets[p->n]->ttl < p->ttl)
			p->ttl = p->sets[p->n]->ttl;
		p->n++;
	}
	if (err != E_OK)
		proofs_clear(p);
	return err;
}

/* RFC 4034 3.1.3: fewer labels in an RRSIG than in its owner say that a wildcard made the set. */
static bool is_expanded(const uint8_t *owner, const struct rdata *sigs, size_t n)
{
	unsigned labels = name_signed_labels(owner);

	for (size_t i = 0; i < n; i++)
		if (sigs[i].data[3] < labels)
			return true;
	return false;
}

/* RFC 4035 5.3.3: whatever TTL came with it, a set lives no longer than its RRSIGs say, all of which say
 * the same (RFC 4034 3).  Which of them is good is not known yet: the least counts. */
static uint32_t ttl_signed(uint32_t ttl, const struct rdata *sigs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t original = wire_get_u32(sigs[i].data + 4);

		if (original < ttl)
			ttl = original;
	}
	return ttl;
}

/* Its records and RRSIGs are the first in s->rdata; others are read into it meanwhile. */
static int expanded_make(struct reading *x, const struct group *g, enum rank rank, uint32_t ttl,
			 size_t n, size_t n_sig, struct rrset **out)
{
	struct proofs p = { .ttl = ttl };
	struct rdata *own = malloc((n + n_sig) * sizeof(*own));
	int err;

	if (own == NULL)
		return E_NOMEM;
	memcpy(own, x->s->rdata, (n + n_sig) * sizeof(*own));
	err = proofs_gather(x, &p);
	if (err == E_OK)
		err = rrset_new_proved(out, group_owner(x->s, g), g->type, p.ttl, x->q->now_s, rank,
				       own, n, own + n, n_sig, p.sets, p.n);
	proofs_clear(&p);
	free(own);
	return err;
}

static int set_make(struct reading *x, struct group *g, enum rank rank, struct rrset **out)
{
	struct reply_scratch *s = x->s;
	struct group *sigs = NULL;
	size_t n = 0, n_sig = 0;
	uint32_t ttl;
	int err;

	counter_max(&x->counters->peak_rrset, g->n);
	if (g->n > x->cfg->max_rrset_records) {
		COUNT(x->counters, limit_rrset);
		return E_LIMIT;
	}
	for (unsigned i = g->first; i != GROUP_NONE; i = s->records[i].next)
		s->rdata[n++] = (struct rdata) { s->arena + s->records[i].rdata,
						 s->records[i].rdlen };
	sigs = group_find(s, group_owner(s, g), TYPE_RRSIG, g->section);
	if (sigs != NULL && g->type != TYPE_RRSIG)
		for (unsigned i = sigs->first; i != GROUP_NONE && n_sig < REPLY_SIGS_MAX;
		     i = s->records[i].next) {
			const struct record *rec = &s->records[i];
			/* RFC 4034 3.1.1: the type covered comes first. */
			if (rec->rdlen > 18 && wire_get_u16(s->arena + rec->rdata) == g->type)
				s->rdata[n + n_sig++] = (struct rdata) { s->arena + rec->rdata,
									 rec->rdlen };
		}
	g->ttl = ttl_signed(g->ttl, s->rdata + n, n_sig);
	ttl = ttl_clamp(x, g->ttl);
	if (is_bounded_by_delegation(x, g, rank))
		ttl = ttl_within_delegation(x, ttl);
	/* Glue that is gone at once would leave a delegation behind that nobody can follow.  It is
	 * never an answer. */
	if (rank == RANK_ADDITIONAL && ttl == 0)
		ttl = 1;
	g->used = true;
	if (g->section == SECTION_ANSWER && x->q->dnssec &&
	    is_expanded(group_owner(s, g), s->rdata + n, n_sig))
		err = expanded_make(x, g, rank, ttl, n, n_sig, out);
	else
		err = rrset_new(out, group_owner(s, g), g->type, ttl, x->q->now_s, rank, s->rdata,
				n, s->rdata + n, n_sig);
	if (err == E_OK) {
		(*out)->zone_labels = (uint8_t)name_labels(x->q->zone);
		(*out)->no_stale = x->q->by_stale;
	}
	return err;
}

/* Notes a set for the cache; it keeps a reference of its own. */
static void keep(struct reading *x, struct rrset *set, bool as_delegation)
{
	if (x->out->n_keep < REPLY_KEEP_MAX)
		x->out->keep[x->out->n_keep++] = (struct reply_kept) { rrset_get(set),
								       as_delegation };
}

/* May the zone asked tell of records of that type at the name? */
static bool is_its_to_tell(const struct reading *x, const uint8_t *name, uint16_t type)
{
	uint8_t lower[NAME_MAX_LEN];

	if (!name_is_within(name, x->q->zone))
		return false;
	if (x->q->zones == NULL)
		return true;
	name_lower(lower, name);
	/* At a zone cut both sides have an NSEC (RFC 4035 2.3): whose it is its signature says. */
	return zones_find_for(x->q->zones, lower, type) == x->configured ||
	       (type == TYPE_NSEC && zones_find_for(x->q->zones, lower, TYPE_DS) == x->configured);
}

static bool in_bailiwick(const struct reading *x, const struct group *g)
{
	return is_its_to_tell(x, group_owner(x->s, g), g->type);
}

static const uint8_t *group_target(const struct reply_scratch *s, const struct group *g)
{
	return s->arena + s->records[g->first].rdata;
}

/* ---- the answer section: the chain from the name asked ---- */

/* A DNAME above `name` in the answer, within the zone (RFC 6672 2.2). */
static struct group *dname_find(struct reading *x, const uint8_t *name)
{
	for (unsigned i = 0; i < x->s->n_groups; i++) {
		struct group *g = &x->s->groups[i];
		if (g->type == TYPE_DNAME && g->section == SECTION_ANSWER && in_bailiwick(x, g) &&
		    name_is_below(name, group_owner(x->s, g)))
			return g;
	}
	return NULL;
}

int dname_substitute(uint8_t out[NAME_MAX_LEN], const uint8_t *name, const uint8_t *owner,
		     const uint8_t *target)
{
	size_t prefix = name_len(name) - name_len(owner), tail = name_len(target);

	if (prefix + tail > NAME_MAX_LEN)
		return E_TOO_LONG; /* RFC 6672 2.3: YXDOMAIN there */
	memcpy(out, name, prefix);
	memcpy(out + prefix, target, tail);
	return E_OK;
}

int cname_synthesise(struct rrset **out, const uint8_t *name, const struct rrset *dname,
		     uint32_t now_s)
{
	uint8_t target[NAME_MAX_LEN];
	struct rdata rr;
	size_t at = 0;
	int err;

	if (!rrset_next(dname, &at, &rr))
		return E_MALFORMED;
	err = dname_substitute(target, name, rrset_owner(dname), rr.data);
	if (err != E_OK)
		return err;
	rr = (struct rdata) { target, (uint16_t)name_len(target) };
	/* RFC 6672 3.1: the CNAME lives as long as the DNAME it follows from. */
	err = rrset_new(out, name, TYPE_CNAME, rrset_ttl_left(dname, now_s), now_s, dname->rank,
			&rr, 1, NULL, 0);
	if (err == E_OK)
		(*out)->zone_labels = dname->zone_labels;
	return err;
}

struct chain {
	uint8_t end[NAME_MAX_LEN]; /* lower case: where the chain has led so far */
	unsigned links;
	bool found;    /* data of the type asked stand at its end */
	bool too_long; /* a DNAME makes a name of it that is too long */
};

/* RFC 2181 5.4.1: with an alias only the first link is authoritative. */
static enum rank rank_of_link(const struct reading *x, unsigned links)
{
	return (x->m->flags & MSG_AA) && links == 0 ? RANK_AUTH_ANSWER : RANK_ANSWER;
}

static int chain_follow_dname(struct reading *x, struct chain *c, struct group *g)
{
	struct rrset *dname = NULL, *cname = NULL;
	int err = set_make(x, g, rank_of_link(x, c->links), &dname);

	if (err == E_OK)
		err = cname_synthesise(&cname, c->end, dname, x->q->now_s);
	if (err == E_TOO_LONG) {
		/* Further on in the chain it is for whoever looks that name up. */
		keep(x, dname, false);
		c->too_long = true;
		if (c->links == 0)
			x->out->dname = rrset_get(dname);
		err = E_OK;
	} else if (err == E_OK) {
		size_t at = 0;
		struct rdata rr;

		keep(x, dname, false);
		if (rrset_next(cname, &at, &rr))
			name_lower(c->end, rr.data);
		if (c->links == 0) {
			x->out->dname = rrset_get(dname);
			x->out->answer = rrset_get(cname);
		}
	}
	rrset_put(dname);
	rrset_put(cname);
	return err;
}

static int chain_follow_cname(struct reading *x, struct chain *c, struct group *g)
{
	struct rrset *set = NULL;
	int err;

	/* RFC 2181 10.1: one CNAME a name; of several the first is believed. */
	if (g->n > 1) {
		g->n = 1;
		x->s->records[g->first].next = GROUP_NONE;
	}
	err = set_make(x, g, rank_of_link(x, c->links), &set);
	if (err != E_OK)
		return err;
	keep(x, set, false);
	name_lower(c->end, group_target(x->s, g));
	if (c->links == 0)
		x->out->answer = rrset_get(set);
	rrset_put(set);
	return E_OK;
}

static int chain_end(struct reading *x, struct chain *c, struct group *g)
{
	struct rrset *set = NULL;
	int err = set_make(x, g, rank_of_link(x, c->links), &set);

	if (err != E_OK)
		return err;
	keep(x, set, false);
	if (c->links == 0)
		x->out->answer = rrset_get(set);
	rrset_put(set);
	c->found = true;
	return E_OK;
}

/* RFC 4035 3.1.4.1: a zone cannot speak of its own DS; its parent can. */
static bool is_own_ds(const struct reading *x, const uint8_t *name, const uint8_t *zone)
{
	return x->q->type == TYPE_DS && !name_is_root(zone) && name_equal(name, zone);
}

static int chain_walk(struct reading *x, struct chain *c)
{
	int err = E_OK;

	name_copy(c->end, x->q->name);
	while (err == E_OK && !c->found && !c->too_long && c->links < REPLY_LINKS_MAX &&
	       is_its_to_tell(x, c->end, x->q->type) && !is_own_ds(x, c->end, x->q->zone)) {
		struct group *g = group_find(x->s, c->end, x->q->type, SECTION_ANSWER);

		/* A CNAME below a DNAME is no record of its own. */
		if (g != NULL && (x->q->type != TYPE_CNAME || dname_find(x, c->end) == NULL)) {
			err = chain_end(x, c, g);
			continue;
		}
		g = dname_find(x, c->end);
		if (g != NULL) {
			err = chain_follow_dname(x, c, g);
			c->links += !c->too_long;
			continue;
		}
		g = group_find(x->s, c->end, TYPE_CNAME, SECTION_ANSWER);
		if (g == NULL || g->used)
			break;
		err = chain_follow_cname(x, c, g);
		c->links++;
	}
	return err;
}

/* ---- the authority section ---- */

static struct group *soa_find(struct reading *x, const uint8_t *name)
{
	for (unsigned i = 0; i < x->s->n_groups; i++) {
		struct group *g = &x->s->groups[i];
		if (g->type == TYPE_SOA && g->section == SECTION_AUTHORITY && in_bailiwick(x, g) &&
		    name_is_within(name, group_owner(x->s, g)))
			return g;
	}
	return NULL;
}

/* The NS set of the zone nearest to the name, below the zone asked. */
static struct group *referral_find(struct reading *x)
{
	struct group *best = NULL;

	for (unsigned i = 0; i < x->s->n_groups; i++) {
		struct group *g = &x->s->groups[i];
		const uint8_t *owner = group_owner(x->s, g);

		if (g->type != TYPE_NS || g->section != SECTION_AUTHORITY ||
		    !name_is_below(owner, x->q->zone) || !name_is_within(x->q->name, owner))
			continue;
		if (best == NULL || name_is_below(owner, group_owner(x->s, best)))
			best = g;
	}
	return best;
}

static bool ns_names(const struct reply_scratch *s, const struct group *ns, const uint8_t *name)
{
	for (unsigned i = ns->first; i != GROUP_NONE; i = s->records[i].next)
		if (name_equal(s->arena + s->records[i].rdata, name))
			return true;
	return false;
}

/* Addresses of the servers that `ns` names, from the additional section: the zone asked may
 * speak for names within it only (and never for an address outside of it: Kashpureff). */
static int glue_keep(struct reading *x, const struct group *ns, bool as_delegation)
{
	for (unsigned i = 0; i < x->s->n_groups; i++) {
		struct group *g = &x->s->groups[i];
		struct rrset *set = NULL;
		int err;

		if (g->section != SECTION_ADDITIONAL || g->used ||
		    (g->type != TYPE_A && g->type != TYPE_AAAA) || !in_bailiwick(x, g) ||
		    !ns_names(x->s, ns, group_owner(x->s, g)))
			continue;
		err = set_make(x, g, RANK_ADDITIONAL, &set);
		if (err == E_LIMIT)
			continue;
		if (err != E_OK)
			return err;
		keep(x, set, as_delegation);
		rrset_put(set);
	}
	return E_OK;
}

/* The zone's own NS set beside an answer, and its addresses. */
static int apex_ns_keep(struct reading *x)
{
	struct group *g = group_find(x->s, x->q->zone, TYPE_NS, SECTION_AUTHORITY);
	struct rrset *set = NULL;
	int err;

	if (g == NULL)
		g = group_find(x->s, x->q->zone, TYPE_NS, SECTION_ANSWER);
	if (g == NULL || !(x->m->flags & MSG_AA))
		return E_OK;
	if (!g->used) {
		err = set_make(x, g, RANK_AUTH_AUTHORITY, &set);
		if (err != E_OK)
			return err == E_LIMIT ? E_OK : err;
		keep(x, set, false);
		rrset_put(set);
	}
	return glue_keep(x, g, false);
}

/* Where servers within the zone are only its parent can tell: it is worth asking again as soon as
 * one of their addresses has ended, though others have not. */
static void glue_life_note(struct reading *x)
{
	uint32_t shortest = RRSET_GLUE_LONG;

	for (unsigned i = 0; i < x->out->n_keep; i++) {
		const struct rrset *s = x->out->keep[i].set;

		if ((s->type == TYPE_A || s->type == TYPE_AAAA) && s->ttl < shortest &&
		    name_is_within(rrset_owner(s), rrset_owner(x->out->referral)))
			shortest = s->ttl;
	}
	x->out->referral->glue_s = (uint8_t)shortest;
}

static bool delegation_is_over(const struct reading *x)
{
	return x->q->has_delegation && (int32_t)(x->q->delegation_expires_s - x->q->now_s) <= 0;
}

/* RFC 4035 3.1.4: a signed parent says of the zone it refers to that it is signed, or proves that it
 * is not. */
static int trust_keep(struct reading *x, const uint8_t *zone)
{
	struct group *g = group_find(x->s, zone, TYPE_DS, SECTION_AUTHORITY);
	struct proofs p = { .ttl = x->cfg->max_ttl };
	struct rrset *set = NULL;
	int err;

	if (g != NULL) {
		err = set_make(x, g, RANK_AUTH_AUTHORITY, &set);
	} else {
		err = proofs_gather(x, &p);
		if (err == E_OK && p.n > 0)
			err = rrset_new_proved(&set, zone, CACHE_TRUST, p.ttl, x->q->now_s,
					       RANK_REFERRAL, NULL, 0, NULL, 0, p.sets, p.n);
		if (set != NULL)
			set->zone_labels = (uint8_t)name_labels(x->q->zone);
	}
	if (set != NULL)
		keep(x, set, false);
	rrset_put(set);
	proofs_clear(&p);
	return err;
}

static int referral_take(struct reading *x, struct group *g)
{
	int err = set_make(x, g, RANK_REFERRAL, &x->out->referral);

	if (err != E_OK)
		return err;
	x->out->kind = REPLY_REFERRAL;
	/* A zone whose own delegation has ended meanwhile hands out none that last (phoenix
	 * domains, CVE-2022-30698): this one serves the question on hand only. */
	if (!delegation_is_over(x))
		keep(x, x->out->referral, true);
	if (x->q->dnssec)
		err = trust_keep(x, group_owner(x->s, g));
	if (err == E_OK)
		err = glue_keep(x, g, true);
	glue_life_note(x);
	return err;
}

/* ---- denials (RFC 2308) ---- */

/* Makes the negative set for `name`; without a SOA it is not to be cached (RFC 2308 5). */
static int denial_make(struct reading *x, const uint8_t *name, bool nxdomain, struct rrset **out)
{
	struct group *g = soa_find(x, name);
	struct proofs p = { .ttl = x->cfg->max_ttl };
	struct rrset *raw = NULL;
	enum rank rank = x->m->flags & MSG_AA ? RANK_AUTH_ANSWER : RANK_ANSWER;
	uint32_t ttl = 0;
	int err = E_OK;

	if (g != NULL) {
		err = set_make(x, g, RANK_AUTH_AUTHORITY, &raw);
		if (err != E_OK)
			return err;
		ttl = ttl_clamp(x, negative_ttl(raw, g->ttl));
		if (ttl > x->cfg->max_negative_ttl)
			ttl = x->cfg->max_negative_ttl;
		err = rrset_copy(&p.sets[0], raw, RANK_AUTH_AUTHORITY, ttl, x->q->now_s);
		p.n = err == E_OK;
	}
	if (err == E_OK)
		err = proofs_gather(x, &p);
	/* RFC 9077 4: nor longer than the records that prove it. */
	if (err == E_OK)
		err = rrset_new_negative(out, nxdomain ? RRSET_NXDOMAIN : RRSET_NODATA, name,
					 nxdomain ? 0 : x->q->type, ttl < p.ttl ? ttl : p.ttl,
					 x->q->now_s, rank, p.sets, p.n, CAUSE_NONE);
	if (err == E_OK) {
		(*out)->no_stale = x->q->by_stale;
		(*out)->zone_labels = (uint8_t)name_labels(g != NULL ? group_owner(x->s, g)
								     : x->q->zone);
	}
	rrset_put(raw);
	proofs_clear(&p);
	return err;
}

static int denial_take(struct reading *x, const uint8_t *name, bool nxdomain)
{
	int err = denial_make(x, name, nxdomain, &x->out->negative);

	if (err != E_OK)
		return err;
	x->out->kind = nxdomain ? REPLY_NXDOMAIN : REPLY_NODATA;
	if (rrset_soa(x->out->negative) != NULL)
		keep(x, x->out->negative, false);
	return apex_ns_keep(x);
}

/* The alias led to a name of the same zone that is denied in the same answer (RFC 6604 3). */
static int denial_of_target(struct reading *x, const struct chain *c)
{
	const struct group *soa = soa_find(x, c->end);
	struct rrset *negative = NULL;
	int err;

	if (!(x->m->flags & MSG_AA) || !is_its_to_tell(x, c->end, x->q->type) || soa == NULL ||
	    is_own_ds(x, c->end, group_owner(x->s, soa)))
		return E_OK;
	err = denial_make(x, c->end, x->m->rcode == RCODE_NXDOMAIN, &negative);
	if (err != E_OK)
		return err;
	keep(x, negative, false);
	rrset_put(negative);
	return E_OK;
}

static int lame(struct reading *x, const char *note)
{
	x->out->kind = REPLY_LAME;
	x->out->note = note;
	return E_OK;
}

/* ---- the whole ---- */

static int empty_read(struct reading *x)
{
	/* A resolver's word counts as well, where one was asked. */
	bool aa = (x->m->flags & MSG_AA) != 0 || (x->q->recurse && (x->m->flags & MSG_RA));
	bool has_soa = soa_find(x, x->q->name) != NULL;
	struct group *g;

	/* Also where the name is a configured zone's, whose SOA is not this one's to tell. */
	if (is_own_ds(x, x->q->name, x->q->name) &&
	    group_find(x->s, x->q->name, TYPE_SOA, SECTION_AUTHORITY) != NULL)
		return lame(x, "the zone itself, asked for its DS");
	if (x->m->rcode == RCODE_NXDOMAIN)
		return aa || has_soa ? denial_take(x, x->q->name, true)
				     : lame(x, "NXDOMAIN without AA and SOA");
	if (has_soa)
		return denial_take(x, x->q->name, false);
	g = referral_find(x);
	/* RFC 4035 3.1.4.1: a parent that knows no DS answers for itself, it does not refer. */
	if (g != NULL && x->q->type == TYPE_DS && name_equal(group_owner(x->s, g), x->q->name))
		return denial_take(x, x->q->name, false);
	if (g != NULL)
		return x->q->recurse ? lame(x, "refers to others, asked to recurse")
				     : referral_take(x, g);
	if (aa)
		return denial_take(x, x->q->name, false);
	return lame(x, group_find(x->s, x->q->zone, TYPE_NS, SECTION_AUTHORITY) != NULL
			       ? "refers to the zone itself"
			       : "neither answer, referral nor denial");
}

static int answer_read(struct reading *x)
{
	struct chain c = { .links = 0 };
	int err = chain_walk(x, &c);

	if (err != E_OK)
		return err;
	if (x->out->answer == NULL && c.too_long) {
		x->out->kind = REPLY_YXDOMAIN;
		return E_OK;
	}
	if (x->out->answer == NULL)
		return x->m->rcode == RCODE_YXDOMAIN ? lame(x, "YXDOMAIN without cause")
						     : empty_read(x);
	x->out->kind = c.links > 0 ? REPLY_ALIAS : REPLY_ANSWER;
	err = apex_ns_keep(x);
	if (err == E_OK && c.links > 0 && !c.found)
		err = denial_of_target(x, &c);
	return err;
}

static void strangers_count(struct reading *x)
{
	for (unsigned i = 0; i < x->s->n_groups; i++)
		if (!in_bailiwick(x, &x->s->groups[i]))
			x->out->out_of_bailiwick += x->s->groups[i].n;
	counter_add(&x->counters->out_of_bailiwick, x->out->out_of_bailiwick);
}

int reply_read(struct reply *out, struct reply_scratch *s, struct msg *m,
	       const struct reply_question *q, const struct resolver_config *cfg,
	       struct counters *counters)
{
	struct reading x = { .out = out, .s = s, .m = m, .q = q, .cfg = cfg, .counters = counters };
	int err;

	memset(out, 0, sizeof(*out));
	x.configured = zones_find_for(q->zones, q->name, q->type);
	err = groups_gather(s, m);
	if (err == E_LIMIT)
		COUNT(counters, limit_records);
	if (err == E_OK)
		err = answer_read(&x);
	if (err == E_LIMIT) {
		reply_clear(out);
		out->kind = REPLY_UNUSABLE;
		out->note = "too many records";
		return E_OK;
	}
	if (err != E_OK) {
		reply_clear(out);
		return err;
	}
	strangers_count(&x);
	return E_OK;
}
