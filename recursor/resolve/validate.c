/* validate: an answer before it is believed (RFC 4035 5): its sets' signatures, its denials' proofs. */
#include "recursor/resolve/goal.h"

#include <string.h>

#include "common/check.h"
#include "recursor/resolve/dnssec/aggressive.h"

/* RFC 9520 2.5, 3.2: a failure to validate is cached for five minutes at most. */
enum { BOGUS_TTL_MAX = 300 };

enum { STAGE_SET, STAGE_PROOFS, STAGE_DENIAL, STAGE_DONE };

enum security security_of_both(enum security a, enum security b)
{
	static const uint8_t weight[] = { [SEC_UNCHECKED] = 0,
					  [SEC_SECURE] = 1,
					  [SEC_INSECURE] = 2,
					  [SEC_INDETERMINATE] = 3,
					  [SEC_BOGUS] = 4 };

	return weight[a] >= weight[b] ? a : b;
}

/* ---- pieces of the work ---- */

bool check_may_work(struct resolver *r, struct goal *g)
{
	if (r->work_left > 0)
		return true;
	/* Others first: what has come in meanwhile, then this. */
	g->timer.kind = TIMER_TURN;
	timers_start(r->timers, &g->timer, r->world.now_ms(r->world.ctx) + 1);
	return false;
}

/* RFC 4035 5.3.1: the signer is the zone of the set, so its owner's name or one above; of a DS the
 * parent (RFC 4035 5.2).  Of several the deepest: what is below an apex is the child's to sign. */
const uint8_t *check_signer(const struct rrset *s)
{
	const uint8_t *owner = rrset_owner(s), *best = NULL;
	struct rdata rr;
	size_t at = 0;

	while (rrset_next_sig(s, &at, &rr)) {
		struct rrsig sig;

		if (rrsig_read(&sig, &rr) != E_OK || !name_is_within(owner, sig.signer) ||
		    (s->type == TYPE_DS && name_equal(owner, sig.signer)))
			continue;
		if (best == NULL || name_is_below(sig.signer, best))
			best = sig.signer;
	}
	return best;
}

static void take_trust(struct check *out, const struct trust *t)
{
	*out = (struct check) {
		.security = t->security,
		.bogus = t->bogus,
		.is_under_nta = t->is_under_nta,
		.is_of_trust = true,
		.ttl = UINT32_MAX,
	};
}

static void report(struct resolver *r, struct goal *g, const struct rrset *s, const uint8_t *zone,
		   const struct verification *v)
{
	GOAL_EVENT(r, g, v->why == BOGUS_NONE ? EVENT_VERIFIED : EVENT_NOT_VERIFIED, rrset_owner(s),
		   zone, .type = s->type, .rcode = v->tag, .records = { v->algorithm },
		   .ttl = v->until_s, .us = v->inception_s,
		   .note = v->why == BOGUS_NONE ? NULL : bogus_row(v->why)->text);
}

static void take_verification(struct resolver *r, struct check *out, const struct rrset *s,
			      enum security security, const struct verification *v)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	uint32_t left = v->until_s - now_s; /* it is valid now: not before */

	*out = (struct check) {
		.security = security,
		.bogus = v->why,
		.is_expanded = v->is_expanded,
		.labels = v->labels,
		.ttl = s->ttl,
	};
	/* RFC 4035 5.3.3 */
	if (security == SEC_SECURE && v->ttl_max < out->ttl)
		out->ttl = v->ttl_max;
	if (security == SEC_SECURE && left < out->ttl)
		out->ttl = left;
}

/* What the parent says of the goal's name, which has no DS. */
static enum checked no_ds(struct resolver *r, struct goal *g, struct check *out)
{
	const struct told *told = &g->v.told;
	struct dnssec_work work = { 0 };

	out->security = (enum security)told->security;
	out->bogus = (enum bogus)told->bogus;
	out->is_under_nta = told->is_under_nta;
	if (told->security != SEC_SECURE)
		return CHECKED;
	switch (trust_ds_denial(r, told->set, g->name, &work)) {
	case DS_DENIAL_CUT:
	case DS_DENIAL_OPT_OUT:
	case DS_DENIAL_MANY_ITERATIONS:
		out->security = SEC_INSECURE;
		break;
	case DS_DENIAL_NO_CUT:
	case DS_DENIAL_NO_NAME:
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_FOREIGN_SIGNER };
		break;
	case DS_DENIAL_NOT_PROVED:
	case DS_DENIAL_TOO_COSTLY:
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_INVALID_DENIAL };
		break;
	}
	return goal_charge_work(r, g, &work) ? CHECKED : CHECKED_LATER;
}

/* The DS of the goal's name, a reference: its anchor's or its parent's.  NULL: there is none of use,
 * and *out says what that means. */
static enum checked ds_get(struct resolver *r, struct goal *g, struct rrset **ds, struct check *out)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	const struct anchor *anchor = NULL;
	enum checked how = CHECKED;
	const struct told *told = &g->v.told;

	*ds = NULL;
	*out = (struct check) { .security = SEC_INDETERMINATE,
				.ttl = UINT32_MAX,
				.is_of_trust = true };
	switch (anchors_find(r->anchors, g->name, now_s, &anchor)) {
	case ANCHORING_NONE:
		return CHECKED;
	case ANCHORING_NEGATIVE:
		out->security = SEC_INSECURE;
		out->is_under_nta = true;
		return CHECKED;
	case ANCHORING_TRUST:
		break;
	}
	if (name_equal(anchor->name, g->name))
		*ds = rrset_get(anchor->ds);
	else
		*ds = cache_get(r->cache, g->name, TYPE_DS, RANK_ANSWER, now_s);
	if (*ds != NULL && rrset_security(*ds) != SEC_SECURE && (*ds)->rank != RANK_LOCAL) {
		rrset_put(*ds);
		*ds = NULL;
	}
	if (*ds == NULL && !trust_was_told(g, g->name, TYPE_DS)) {
		trust_want(r, g, g->name, TYPE_DS);
		return CHECKED_LATER;
	}
	if (*ds == NULL && told->security == SEC_SECURE && told->set != NULL &&
	    told->set->type == TYPE_DS && told->set->kind == RRSET_DATA)
		*ds = rrset_get(told->set);
	if (*ds == NULL)
		how = no_ds(r, g, out);
	else if (ds_use(*ds, &r->cfg.dnssec_limits) != DS_USABLE) {
		out->security = SEC_INSECURE;
		rrset_put(*ds);
		*ds = NULL;
	}
	return how;
}

/* The zone's keys sign themselves, by one that the parent or an anchor vouches for (RFC 4035 5.2). */
static enum checked check_dnskeys(struct resolver *r, struct goal *g, struct rrset *s,
				  struct check *out)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct dnssec_work work = { 0 };
	struct verification v;
	struct rrset *ds;
	enum security security;

	if (ds_get(r, g, &ds, out) == CHECKED_LATER)
		return CHECKED_LATER;
	if (ds == NULL)
		return CHECKED;
	if (!check_may_work(r, g)) {
		rrset_put(ds);
		return CHECKED_LATER;
	}
	security = verify_dnskeys(r->keyring, &r->cfg.dnssec_limits, s, ds, now_s, &work, &v);
	rrset_put(ds);
	report(r, g, s, g->name, &v);
	take_verification(r, out, s, security, &v);
	return goal_charge_work(r, g, &work) ? CHECKED : CHECKED_LATER;
}

/* That a zone has no keys it can prove only where none are expected of it. */
static enum checked check_lack_of_keys(struct resolver *r, struct goal *g, struct check *out)
{
	struct rrset *ds;

	if (ds_get(r, g, &ds, out) == CHECKED_LATER)
		return CHECKED_LATER;
	if (ds != NULL)
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_NO_VALID_DNSKEY };
	rrset_put(ds);
	return CHECKED;
}

enum checked check_signed(struct resolver *r, struct goal *g, struct rrset *s, struct check *out)
{
	const uint8_t *signer = check_signer(s);
	uint8_t zone[NAME_MAX_LEN];
	struct dnssec_work work = { 0 };
	struct verification v;
	struct trust t;
	enum security security;

	if (signer == NULL) {
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_FOREIGN_SIGNER };
		return CHECKED;
	}
	name_lower(zone, signer);
	/* Whether the zone is signed is what these are to tell. */
	if (g->type == TYPE_DS && !name_is_root(g->name) && name_is_within(zone, g->name)) {
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_SELF_SIGNED_DS };
		return CHECKED;
	}
	if (g->type == TYPE_DNSKEY && name_equal(zone, g->name))
		return check_lack_of_keys(r, g, out);
	if (trust_get(r, g, zone, &t) == CHECKED_LATER)
		return CHECKED_LATER;
	if (t.security != SEC_SECURE) {
		take_trust(out, &t);
		return CHECKED;
	}
	if (t.is_no_cut) {
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_FOREIGN_SIGNER };
		return CHECKED;
	}
	if (!check_may_work(r, g)) {
		rrset_put(t.keys);
		return CHECKED_LATER;
	}
	security = verify_set(r->keyring, &r->cfg.dnssec_limits, s, zone, t.keys,
			      r->world.wall_s(r->world.ctx), &work, &v);
	rrset_put(t.keys);
	report(r, g, s, zone, &v);
	take_verification(r, out, s, security, &v);
	return goal_charge_work(r, g, &work) ? CHECKED : CHECKED_LATER;
}

/* Where the way to an unsigned set's owner begins: at the zone that said it, but no higher than where trust
 * does.  Of what is the parent's an anchor at the name itself says nothing. */
static unsigned walk_begin(const struct resolver *r, const struct rrset *s, bool is_parents)
{
	const uint8_t *owner = rrset_owner(s);
	const struct anchor *anchor = NULL;
	unsigned labels;

	(void)anchors_find(r->anchors, is_parents ? name_parent(owner) : owner,
			   r->world.wall_s(r->world.ctx), &anchor);
	labels = anchor != NULL ? name_labels(anchor->name) : 0;
	return labels > s->zone_labels ? labels : s->zone_labels;
}

/* What nobody has signed may be so only where a delegation on the way to it is proved to be insecure
 * (RFC 4035 5.2): at the zone that said it, or at one below that the same servers serve. */
static enum checked check_unsigned(struct resolver *r, struct goal *g, const struct rrset *s,
				   struct check *out)
{
	const uint8_t *owner = rrset_owner(s);
	unsigned whole = name_labels(owner);
	/* Whether there is a cut at the name itself such questions are to tell. */
	bool is_parents = (g->type == TYPE_DS || g->type == TYPE_DNSKEY) && whole > 0 &&
			  name_equal(owner, g->name);
	unsigned first = walk_begin(r, s, is_parents);

	if (g->v.walk_labels < first)
		g->v.walk_labels = (uint8_t)first;
	if (is_parents && g->v.walk_labels >= whole)
		g->v.walk_labels = (uint8_t)(whole - 1);
	for (; g->v.walk_labels <= whole - is_parents; g->v.walk_labels++) {
		struct trust t;

		if (trust_get(r, g, name_suffix(owner, g->v.walk_labels), &t) == CHECKED_LATER)
			return CHECKED_LATER;
		rrset_put(t.keys);
		/* Below the apex it is this answer that is at odds with the zone's. */
		if (t.security == SEC_BOGUS && g->v.walk_labels > first)
			break;
		if (t.security != SEC_SECURE) {
			take_trust(out, &t);
			return CHECKED;
		}
	}
	if (g->type == TYPE_DNSKEY && name_equal(owner, g->name))
		return check_lack_of_keys(r, g, out);
	*out = (struct check) {
		.security = SEC_BOGUS,
		.bogus = s->kind != RRSET_DATA ? BOGUS_MISSING_NEGATIVE_INDICATION
			 : s->n_sig > 0        ? BOGUS_FOREIGN_SIGNER
					       : BOGUS_NO_RRSIG,
	};
	return CHECKED;
}

/* ---- what is found ---- */

static void found(struct goal *g, const struct check *c)
{
	struct validation *v = &g->v;

	v->security = (uint8_t)security_of_both((enum security)v->security, c->security);
	if (c->security == SEC_BOGUS) {
		v->bogus = (uint8_t)c->bogus;
		v->is_of_trust = c->is_of_trust;
	}
	v->is_under_nta = v->is_under_nta || c->is_under_nta;
	if (c->ttl < v->ttl)
		v->ttl = c->ttl;
}

/* A verdict on a set is kept with it, unless it comes of a zone's state, which may change. */
static void found_of(struct goal *g, struct rrset *s, const struct check *c)
{
	if (!c->is_under_nta && !(c->security == SEC_BOGUS && c->is_of_trust))
		rrset_set_security(s, c->security, c->bogus);
	found(g, c);
}

/* ---- stages ---- */

static enum checked check_any(struct resolver *r, struct goal *g, struct rrset *s,
			      struct check *out)
{
	enum security known = rrset_security(s);

	if (known != SEC_UNCHECKED) {
		*out = (struct check) { .security = known,
					.bogus = (enum bogus)rrset_bogus(s),
					.ttl = s->ttl };
		return CHECKED;
	}
	if (s->type == TYPE_DNSKEY && g->type == TYPE_DNSKEY && name_equal(rrset_owner(s), g->name))
		return check_dnskeys(r, g, s, out);
	/* RFC 4035 2.2: RRSIGs are not signed. */
	if (s->type == TYPE_RRSIG) {
		*out = (struct check) { .security = SEC_INSECURE, .ttl = s->ttl };
		return CHECKED;
	}
	/* What nobody could have signed is as good as unsigned. */
	return check_signer(s) != NULL ? check_signed(r, g, s, out) : check_unsigned(r, g, s, out);
}

/* The DNAME, then the set itself; the CNAME that a DNAME makes has no signature (RFC 6672 5.3.1). */
static enum checked stage_set(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct rrset *s = v->dname != NULL ? v->dname : v->set;
	struct check c;

	if (s->kind != RRSET_DATA) {
		v->stage = STAGE_PROOFS;
		return CHECKED;
	}
	if (check_any(r, g, s, &c) == CHECKED_LATER)
		return CHECKED_LATER;
	if (c.is_expanded && s->type == TYPE_DNAME) {
		/* RFC 6672 3.3 has no use for one that a wildcard made. */
		c = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_NO_VALID_RRSIG };
	}
	v->is_expanded = c.is_expanded && c.security == SEC_SECURE;
	v->labels = c.labels;
	if (v->is_expanded) {
		found(g, &c); /* the set's verdict waits for its proofs' */
		v->stage = STAGE_PROOFS;
	} else {
		found_of(g, s, &c);
		v->stage = STAGE_DONE;
	}
	return CHECKED;
}

static bool is_proof(const struct rrset *s)
{
	return s->type == TYPE_NSEC || s->type == TYPE_NSEC3;
}

/* Is any of the proofs signed?  Else the denial is as unsigned data are. */
static bool has_signed_proofs(const struct rrset *s)
{
	for (unsigned i = 0; i < s->n_proofs; i++)
		if (is_proof(rrset_proofs(s)[i]) && rrset_proofs(s)[i]->n_sig > 0)
			return true;
	return false;
}

/* The denial's sets, one after the other. */
static enum checked stage_proofs(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct check c;

	if (!has_signed_proofs(v->set)) {
		if (v->is_expanded)
			c = (struct check) { .security = SEC_BOGUS,
					     .bogus = BOGUS_MISSING_NEGATIVE_INDICATION };
		else if (check_unsigned(r, g, v->set, &c) == CHECKED_LATER)
			return CHECKED_LATER;
		found(g, &c);
		v->stage = STAGE_DONE;
		return CHECKED;
	}
	for (; v->at < v->set->n_proofs; v->at++) {
		struct rrset *proof = rrset_proofs(v->set)[v->at];

		if (check_any(r, g, proof, &c) == CHECKED_LATER)
			return CHECKED_LATER;
		found_of(g, proof, &c);
	}
	v->stage = v->security == SEC_SECURE ? STAGE_DENIAL : STAGE_DONE;
	return CHECKED;
}

static enum denial ds_denial_weigh(enum ds_denial d, bool is_nxdomain)
{
	switch (d) {
	case DS_DENIAL_CUT:
	case DS_DENIAL_NO_CUT:
		return is_nxdomain ? DENIAL_NOT_PROVED : DENIAL_PROVED;
	case DS_DENIAL_NO_NAME:
		return DENIAL_PROVED;
	case DS_DENIAL_OPT_OUT:
	case DS_DENIAL_MANY_ITERATIONS:
		return DENIAL_INSECURE;
	case DS_DENIAL_TOO_COSTLY:
		return DENIAL_TOO_COSTLY;
	case DS_DENIAL_NOT_PROVED:
		break;
	}
	return DENIAL_NOT_PROVED;
}

static enum denial weigh(const struct resolver *r, const struct goal *g,
			 const struct denial_proof *proof, struct dnssec_work *work)
{
	const struct dnssec_limits *limits = &r->cfg.dnssec_limits;
	const struct rrset *s = g->v.set;
	const uint8_t *name = rrset_owner(s);

	if (g->v.is_expanded)
		return denial_wildcard(limits, proof, name, g->v.labels, work);
	if (s->kind == RRSET_NXDOMAIN)
		return denial_nxdomain(limits, proof, name, work);
	if (s->type == TYPE_DS && !name_is_root(name))
		return ds_denial_weigh(denial_ds(limits, proof, name, work), false);
	return denial_nodata(limits, proof, name, s->type, work);
}

/* They are good; do they prove it? */
static enum checked stage_denial(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct rrset *const *sets = rrset_proofs(v->set);
	struct denial_proof proof = { .sets = sets, .n = v->set->n_proofs };
	struct check c = { .security = SEC_SECURE, .ttl = UINT32_MAX };
	struct dnssec_work work = { 0 };
	uint8_t zone[NAME_MAX_LEN];

	if (!check_may_work(r, g))
		return CHECKED_LATER;
	for (unsigned i = 0; i < proof.n && proof.zone == NULL; i++) {
		const uint8_t *signer = is_proof(sets[i]) ? check_signer(sets[i]) : NULL;

		if (signer != NULL) {
			name_lower(zone, signer);
			proof.zone = zone;
		}
	}
	if (proof.zone == NULL) {
		c = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_INVALID_DENIAL };
	} else {
		switch (weigh(r, g, &proof, &work)) {
		case DENIAL_PROVED:
			break;
		case DENIAL_INSECURE:
			c.security = SEC_INSECURE;
			break;
		case DENIAL_NOT_PROVED:
			c = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_INVALID_DENIAL };
			break;
		case DENIAL_TOO_COSTLY:
			c = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_MAX_HASHES };
			break;
		}
	}
	GOAL_EVENT(r, g, c.security == SEC_BOGUS ? EVENT_NOT_PROVED : EVENT_PROVED,
		   rrset_owner(v->set), proof.zone, .type = v->set->type,
		   .note = c.security == SEC_BOGUS ? bogus_row(c.bogus)->text : NULL);
	found(g, &c);
	v->stage = STAGE_DONE;
	return goal_charge_work(r, g, &work) ? CHECKED : CHECKED_LATER;
}

/* ---- the whole ---- */

void validate_clear(struct goal *g)
{
	rrset_put(g->v.dname);
	rrset_put(g->v.set);
	rrset_put(g->v.told.set);
	g->v = (struct validation) { .last_bogus = g->v.last_bogus };
}

/* What is ours, and what a policy made or a route led to, is not the Internet's to sign. */
static bool is_to_be_validated(const struct resolver *r, const struct goal *g)
{
	return g->validates && g->v.then == THEN_NOTHING && r->cfg.dnssec >= DNSSEC_PROCESS;
}

bool validate_first(struct resolver *r, struct goal *g, enum then then, struct rrset *dname,
		    struct rrset *set)
{
	const struct rrset *first = dname != NULL ? dname : set;
	enum security security;

	if (!is_to_be_validated(r, g))
		return false;
	security = rrset_security(first);
	if (g->state == GOAL_START && security == SEC_BOGUS) {
		goal_end_bogus(r, g, (enum bogus)rrset_bogus(first));
		return true;
	}
	if (security != SEC_UNCHECKED && security != SEC_BOGUS) {
		g->security = (uint8_t)security_of_both((enum security)g->security, security);
		return false;
	}
	if (goal_is_private(g) || g->authoritative || first->rank == RANK_LOCAL) {
		g->security = (uint8_t)security_of_both((enum security)g->security, SEC_INSECURE);
		return false;
	}
	g->v.then = (uint8_t)then;
	g->v.dname = dname != NULL ? rrset_get(dname) : NULL;
	g->v.set = set != NULL ? rrset_get(set) : NULL;
	g->v.stage = STAGE_SET;
	g->v.ttl = UINT32_MAX;
	g->v.is_from_cache = g->state == GOAL_START;
	minimise_release(r, g, STEP_LOST);
	goal_unwant_all(r, g);
	crowd_leave(r, g);
	g->state = GOAL_VALIDATE;
	goal_make_ready(r, g);
	return true;
}

/* In the cache from now on, too, it lives no longer than it may. */
static void cap(struct resolver *r, struct rrset **s, uint32_t ttl)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct rrset *copy = NULL;

	if (*s == NULL || rrset_ttl_left(*s, now_s) <= ttl ||
	    rrset_copy(&copy, *s, (enum rank)(*s)->rank, ttl, now_s) != E_OK)
		return;
	/* With no time left it is not kept at all. */
	if (cache_put(r->cache, copy, CACHE_REFRESHES, now_s) == CACHE_REFUSED)
		(void)cache_wipe(r->cache, rrset_owner(copy), copy->type, false);
	rrset_put(*s);
	*s = copy;
}

/* ---- what is proved of other names, too (RFC 8198) ---- */

static void proofs_keep(struct resolver *r, struct rrset *s)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct rrset *soa = NULL;
	uint8_t zone[NAME_MAX_LEN];

	for (unsigned i = 0; i < s->n_proofs; i++) {
		struct rrset *proof = rrset_proofs(s)[i];
		const uint8_t *signer = check_signer(proof);

		if (signer == NULL || rrset_security(proof) != SEC_SECURE)
			continue;
		name_lower(zone, signer);
		if (proof->type == TYPE_SOA)
			soa = proof;
		else
			aggressive_put(r->aggressive, zone, proof, soa, now_s);
	}
	if (s->kind == RRSET_DATA && check_signer(s) != NULL) {
		name_lower(zone, check_signer(s));
		aggressive_put(r->aggressive, zone, s, NULL, now_s);
	}
}

static void hit_count(struct resolver *r, enum aggressive_hit hit)
{
	switch (hit) {
	case AGGRESSIVE_NSEC:
		COUNT(r->counters, aggressive_nsec);
		break;
	case AGGRESSIVE_NSEC3:
		COUNT(r->counters, aggressive_nsec3);
		break;
	case AGGRESSIVE_NSEC_WILDCARD:
		COUNT(r->counters, aggressive_nsec_wildcard);
		break;
	case AGGRESSIVE_NSEC3_WILDCARD:
		COUNT(r->counters, aggressive_nsec3_wildcard);
		break;
	case AGGRESSIVE_NONE:
		break;
	}
}

bool validate_by_proofs(struct resolver *r, struct goal *g, const struct knowledge *k)
{
	const struct anchor *anchor = NULL;
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct rrset *s = NULL;
	enum aggressive_hit hit;

	/* Names of zones that the operator has configured are not the Internet's to deny. */
	if (r->aggressive == NULL || g->no_cache || g->refreshes || k->zone != NULL ||
	    r->cfg.dnssec < DNSSEC_PROCESS)
		return false;
	hit = aggressive_look(r->aggressive, g->name, g->type, now_s, true, &s);
	if (hit == AGGRESSIVE_NONE)
		return false;
	if (anchors_find(r->anchors, g->name, now_s, &anchor) != ANCHORING_TRUST) {
		rrset_put(s);
		return false;
	}
	hit_count(r, hit);
	GOAL_EVENT(r, g, EVENT_AGGRESSIVE, g->name, NULL, .type = g->type);
	if (s->kind != RRSET_DATA)
		goal_end_denial(r, g, s);
	else if (s->type == TYPE_CNAME && g->type != TYPE_CNAME)
		goal_follow_alias(r, g, NULL, s);
	else
		goal_end_data(r, g, s);
	rrset_put(s);
	return true;
}

static void go_on(struct resolver *r, struct goal *g)
{
	enum then then = (enum then)g->v.then;
	struct rrset *dname = g->v.dname, *set = g->v.set;

	g->security = (uint8_t)security_of_both((enum security)g->security,
						(enum security)g->v.security);
	g->is_under_nta = g->is_under_nta || g->v.is_under_nta;
	if (r->aggressive != NULL && set != NULL && set->n_proofs > 0 &&
	    g->v.security == SEC_SECURE && !g->v.is_from_cache)
		proofs_keep(r, set);
	cap(r, dname != NULL ? &dname : &set, g->v.ttl);
	g->v.dname = g->v.set = NULL;
	switch (then) {
	case THEN_DATA:
		goal_end_data(r, g, set);
		break;
	case THEN_DENIAL:
		goal_end_denial(r, g, set);
		break;
	case THEN_ALIAS:
		goal_follow_alias(r, g, dname, set);
		break;
	case THEN_TOO_LONG:
		goal_end_too_long(r, g, dname);
		break;
	case THEN_NOTHING:
		ASSERT(false && "nothing to go on with");
	}
	rrset_put(dname);
	rrset_put(set);
}

/* The cache may have been told a lie: the servers are asked; and of these the others. */
static void ask_others(struct resolver *r, struct goal *g)
{
	bool is_from_cache = g->v.is_from_cache;

	g->v.last_bogus = g->v.bogus;
	if (is_from_cache) {
		validate_clear(g);
		g->no_cache = true;
		g->state = GOAL_START;
	} else {
		struct target *t = &g->targets[g->target];

		/* Without EDNS there is no DO, and so nothing to validate.  That a server has none is what
		 * one FORMERR said, perhaps long ago: before its word on a signed zone is refused it is
		 * asked with EDNS once more. */
		if (!g->sent_edns && !t->no_edns && !t->in_spite)
			t->in_spite = true;
		else
			t->dead = TARGET_SILENT_ON;
		validate_clear(g);
		g->state = GOAL_CHOOSE;
	}
	goal_make_ready(r, g);
}

bool validate_give_up(struct resolver *r, struct goal *g)
{
	if (g->v.last_bogus == BOGUS_NONE)
		return false;
	goal_end_bogus(r, g, (enum bogus)g->v.last_bogus);
	return true;
}

static void on_bogus(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct rrset **s = v->dname != NULL ? &v->dname : &v->set;

	cap(r, s, r->cfg.max_bogus_ttl < BOGUS_TTL_MAX ? r->cfg.max_bogus_ttl : BOGUS_TTL_MAX);
	if (v->is_of_trust) {
		goal_end_bogus(r, g, (enum bogus)v->bogus);
		return;
	}
	GOAL_EVENT(r, g, EVENT_BOGUS, rrset_owner(*s), NULL, .type = (*s)->type,
		   .note = bogus_row(v->bogus)->text);
	ask_others(r, g);
}

/* The verdict on a denial, on what a wildcard made, and on the CNAME of a DNAME is that of all parts. */
static void conclude(struct goal *g)
{
	struct validation *v = &g->v;

	if (v->set != NULL && !v->is_under_nta && !(v->security == SEC_BOGUS && v->is_of_trust))
		rrset_set_security(v->set, (enum security)v->security, v->bogus);
}

void validate_step(struct resolver *r, struct goal *g)
{
	static enum checked (*const stages[])(struct resolver *, struct goal *) = {
		[STAGE_SET] = stage_set,
		[STAGE_PROOFS] = stage_proofs,
		[STAGE_DENIAL] = stage_denial,
	};

	if (g->children != NULL)
		return;
	while (g->v.stage != STAGE_DONE)
		if (stages[g->v.stage](r, g) == CHECKED_LATER)
			return;
	conclude(g);
	if (g->v.security == SEC_BOGUS)
		on_bogus(r, g);
	else
		go_on(r, g);
}
