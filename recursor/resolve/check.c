/* check: one set: its signature, or by what right it has none (RFC 4035 5.2, 5.3). */
#include "recursor/resolve/goal.h"

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

enum anchoring check_anchor(const struct resolver *r, const uint8_t *name, bool is_parents,
			    const struct anchor **anchor)
{
	return anchors_find(r->anchors, is_parents ? name_parent(name) : name,
			    r->world.wall_s(r->world.ctx), anchor);
}

enum security check_security_unasked(const struct resolver *r, const uint8_t *name, bool is_parents,
				     const struct anchor **anchor)
{
	switch (check_anchor(r, name, is_parents, anchor)) {
	case ANCHORING_NONE:
		return SEC_INDETERMINATE;
	case ANCHORING_NEGATIVE:
		return SEC_INSECURE;
	case ANCHORING_TRUST:
		break;
	}
	return SEC_UNCHECKED;
}

bool check_is_above_anchor(const struct resolver *r, const uint8_t *name, bool is_parents,
			   const uint8_t *who)
{
	const struct anchor *anchor;

	return check_anchor(r, name, is_parents, &anchor) == ANCHORING_TRUST &&
	       name_is_below(anchor->name, who);
}

static const uint8_t *signer_in_force(const struct resolver *r, const struct rrset *s)
{
	const uint8_t *signer = check_signer(s);

	/* At a cut there is an NSEC of the parent's, too (RFC 4035 2.3): the signer tells which it is. */
	bool is_parents = s->type == TYPE_DS || s->type == TYPE_NSEC;

	return signer != NULL && check_is_above_anchor(r, rrset_owner(s), is_parents, signer)
		       ? NULL
		       : signer;
}

const uint8_t *check_proof_signer(const struct resolver *r, const struct rrset *proof,
				  const uint8_t *name, bool is_ds)
{
	const uint8_t *signer = rrtype_is_denial(proof->type) ? signer_in_force(r, proof) : NULL;

	is_ds = is_ds && !name_is_root(name);
	return signer != NULL && name_is_within(name, signer) &&
			       !(is_ds && name_equal(name, signer)) &&
			       !check_is_above_anchor(r, name, is_ds, signer)
		       ? signer
		       : NULL;
}

void check_good_proofs(const struct resolver *r, const struct rrset *s, const uint8_t *name,
		       bool is_ds, const uint8_t *only, struct good_proofs *out)
{
	out->proof = (struct denial_proof) { .sets = out->sets };
	for (unsigned i = 0; i < s->n_proofs; i++) {
		struct rrset *p = rrset_proofs(s)[i];
		const uint8_t *signer = check_proof_signer(r, p, name, is_ds);

		if (signer == NULL || (only != NULL && !name_equal(signer, only)) ||
		    rrset_security(p) != SEC_SECURE)
			continue;
		out->sets[out->proof.n++] = p;
		if (out->proof.zone == NULL) {
			name_lower(out->zone, signer);
			out->proof.zone = out->zone;
		}
	}
}

/* A verdict lasts no longer than a signature: how long that is at least; 0: all have ended. */
static uint32_t signed_for_s(const struct rrset *s, uint32_t now_s)
{
	uint32_t least = 0;
	struct rdata rr;
	size_t at = 0;

	while (rrset_next_sig(s, &at, &rr)) {
		struct rrsig sig;
		uint32_t left;

		if (rrsig_read(&sig, &rr) != E_OK || !serial_is_before(now_s, sig.expiration_s))
			continue;
		left = sig.expiration_s - now_s;
		if (least == 0 || left < least)
			least = left;
	}
	return least;
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

const uint8_t *check_blame(const struct rrset *s)
{
	bool has_proofs = s->kind != RRSET_DATA && s->n_proofs > 0;
	const uint8_t *signer = check_signer(has_proofs ? rrset_proofs(s)[0] : s);
	const uint8_t *zone = rrset_zone(s);

	return signer != NULL && name_is_below(signer, zone) ? signer : zone;
}

/* A set was looked at. */
static enum checked account(struct resolver *r, struct goal *g, const struct rrset *s,
			    enum security security, const struct dnssec_work *work)
{
	return turn_end(r, g, check_blame(s), security == SEC_BOGUS, work) ? CHECKED
									   : CHECKED_LATER;
}

static void take_verification(struct resolver *r, struct check *out, const struct rrset *s,
			      enum security security, const struct verification *v)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	uint32_t left = v->until_s - now_s; /* it is valid now: not before */
	uint32_t most = v->ttl_max > r->cfg.min_ttl ? v->ttl_max : r->cfg.min_ttl;

	*out = (struct check) {
		.security = security,
		.bogus = v->why,
		.is_expanded = v->is_expanded,
		.labels = v->labels,
		.ttl = s->ttl,
	};
	/* RFC 4035 5.3.3; but the operator's floor holds for the original TTL as for the one that came. */
	if (security == SEC_SECURE && most < out->ttl)
		out->ttl = most;
	if (security == SEC_SECURE && left < out->ttl)
		out->ttl = left;
}

/* What the parent says of the goal's name, which has no DS. */
static enum checked no_ds(struct resolver *r, struct goal *g, struct check *out)
{
	const struct told *told = &g->v.told;
	struct trust t = {
		.security = (enum security)told->security,
		.bogus = (enum bogus)told->bogus,
		.is_under_nta = told->is_under_nta,
	};
	bool is_weighed = t.security == SEC_SECURE;

	if (is_weighed && trust_weigh_ds(r, g, &t) == CHECKED_LATER)
		return CHECKED_LATER;
	take_trust(out, &t);
	if (is_weighed && t.security != SEC_INSECURE) /* it is at odds with what is signed here */
		*out = (struct check) { .security = SEC_BOGUS,
					.bogus = t.is_no_cut ? BOGUS_FOREIGN_SIGNER : t.bogus };
	return CHECKED;
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
	*out = (struct check) { .security = check_security_unasked(r, g->name, false, &anchor),
				.ttl = UINT32_MAX,
				.is_of_trust = true };
	out->is_under_nta = out->security == SEC_INSECURE;
	if (out->security != SEC_UNCHECKED)
		return CHECKED;
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
	else if (!ds_is_usable(*ds, &r->cfg.dnssec_limits)) {
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
	if (!turn_may_work(r, g, check_blame(s))) {
		rrset_put(ds);
		return CHECKED_LATER;
	}
	security = verify_dnskeys(r->keyring, &r->cfg.dnssec_limits, s, ds, now_s, &work, &v);
	story_verified(r, g, s, g->name, ds, NULL, &v);
	rrset_put(ds);
	take_verification(r, out, s, security, &v);
	return account(r, g, s, security, &work);
}

/* Is it to find the keys of a zone that has an anchor of its own, or for which the operator wants none? */
static bool is_anchored(const struct resolver *r, const struct goal *g)
{
	const struct anchor *anchor;
	enum anchoring how = check_anchor(r, g->name, false, &anchor);

	return how == ANCHORING_NEGATIVE ||
	       (how == ANCHORING_TRUST && name_equal(anchor->name, g->name));
}

/* That a zone has no keys it can prove only where none are expected of it. */
static enum checked lack_of_keys(struct resolver *r, struct goal *g, struct check *out)
{
	struct rrset *ds;

	if (ds_get(r, g, &ds, out) == CHECKED_LATER)
		return CHECKED_LATER;
	if (ds != NULL) {
		story_ds(r, g, ds);
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_NO_VALID_DNSKEY };
	}
	rrset_put(ds);
	return CHECKED;
}

/* By its RRSIGs, one of which is by `signer`. */
static enum checked check_signed(struct resolver *r, struct goal *g, struct rrset *s,
				 const uint8_t *signer, struct check *out)
{
	uint8_t zone[NAME_MAX_LEN];
	struct dnssec_work work = { 0 };
	struct verification v;
	struct trust t;
	enum security security;

	name_lower(zone, signer);
	/* Whether the zone is signed is what these are to tell. */
	if (g->type == TYPE_DS && !name_is_root(g->name) && name_is_within(zone, g->name)) {
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_SELF_SIGNED_DS };
		return CHECKED;
	}
	if (g->type == TYPE_DNSKEY && name_equal(zone, g->name))
		return lack_of_keys(r, g, out);
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
	if (!turn_may_work(r, g, check_blame(s))) {
		rrset_put(t.keys);
		return CHECKED_LATER;
	}
	security = verify_set(r->keyring, &r->cfg.dnssec_limits, s, zone, t.keys,
			      r->world.wall_s(r->world.ctx), &work, &v);
	story_verified(r, g, s, zone, NULL, t.keys, &v);
	rrset_put(t.keys);
	take_verification(r, out, s, security, &v);
	return account(r, g, s, security, &work);
}

/* Where the way to an unsigned set's owner begins: at the zone that said it, but no higher than where trust
 * does.  Of what is the parent's an anchor at the name itself says nothing. */
static unsigned walk_begin(const struct resolver *r, const struct rrset *s, bool is_parents)
{
	const struct anchor *anchor;
	bool has_one = check_anchor(r, rrset_owner(s), is_parents, &anchor) != ANCHORING_NONE;
	unsigned labels = has_one ? name_labels(anchor->name) : 0;

	return labels > s->zone_labels ? labels : s->zone_labels;
}

/* What a step of the way to an unsigned set's owner is taken to last: two goals and what they look up, or a
 * look at a proof that is at hand. */
enum { WALK_STEP_NS = 20000, WALK_PROVED_NS = 2000 };

static enum bogus missing(const struct rrset *s)
{
	return s->kind != RRSET_DATA ? BOGUS_MISSING_NEGATIVE_INDICATION
	       : s->n_sig > 0        ? BOGUS_FOREIGN_SIGNER
				     : BOGUS_NO_RRSIG;
}

/* Does what proved that the name above is no cut prove it of this one, too?  An NSEC speaks of all empty
 * non-terminals that it covers, and below a name that does not exist there is none (RFC 8020): the way has
 * come down to *labels. */
static bool is_proved_above(struct resolver *r, const struct goal *g, const uint8_t *owner,
			    const uint8_t *name, uint8_t *labels, struct dnssec_work *work)
{
	const struct told *told = &g->v.told;
	struct good_proofs good;

	if (told->type != CACHE_TRUST || !told->is_no_cut || told->set == NULL)
		return false;
	check_good_proofs(r, told->set, name, true, NULL, &good);
	if (good.proof.zone == NULL)
		return false;
	switch (denial_ds(&r->cfg.dnssec_limits, &good.proof, name, work)) {
	case DS_DENIAL_NO_CUT:
		*labels = (uint8_t)denial_empty_labels(&good.proof, name, owner);
		return true;
	case DS_DENIAL_NO_NAME:
		*labels = (uint8_t)name_labels(owner);
		return true;
	case DS_DENIAL_CUT:
	case DS_DENIAL_OPT_OUT:
	case DS_DENIAL_MANY_ITERATIONS:
	case DS_DENIAL_NOT_PROVED:
	case DS_DENIAL_TOO_COSTLY:
		break;
	}
	return false;
}

/* The next name of the way, all above which is in order.  *out as trust_get() has it. */
static enum checked walk_step(struct resolver *r, struct goal *g, const struct rrset *s,
			      const uint8_t *name, struct trust *out)
{
	const uint32_t most = r->cfg.dnssec_limits.max_ds_lookups_per_record;
	struct dnssec_work work = { .memo = &r->nsec3_memo, .ns = WALK_PROVED_NS };
	bool is_known = true;

	if (trust_take_told(g, name, out))
		return CHECKED;
	if (!turn_may_work(r, g, check_blame(s)))
		return CHECKED_LATER;
	if (is_proved_above(r, g, rrset_owner(s), name, &g->v.walk_labels, &work)) {
		*out = (struct trust) { .security = SEC_SECURE, .is_no_cut = true };
	} else if (!trust_known_itself(r, name, out)) {
		is_known = most > 0 && g->v.n_ds_lookups >= most;
		if (is_known) {
			work.met_limit = BOGUS_MAX_DS_LOOKUPS;
			*out = (struct trust) { .security = SEC_BOGUS,
						.bogus = BOGUS_MAX_DS_LOOKUPS };
		} else {
			work.ns = WALK_STEP_NS;
			g->v.n_ds_lookups++;
		}
	}
	if (!turn_end(r, g, check_blame(s), false, &work)) {
		rrset_put(is_known ? out->keys : NULL);
		return CHECKED_LATER;
	}
	if (is_known)
		return CHECKED;
	trust_want(r, g, name, CACHE_TRUST);
	return CHECKED_LATER;
}

/* What nobody would say speaks neither for nor against an answer. */
static bool is_out_of_reach(const struct trust *t)
{
	return t->security == SEC_BOGUS &&
	       (t->bogus == BOGUS_UNABLE_TO_GET_DSS || t->bogus == BOGUS_UNABLE_TO_GET_DNSKEYS);
}

/* From the name of `first` labels down to that of `last`.  out->security SEC_UNCHECKED: all are in order. */
static enum checked walk(struct resolver *r, struct goal *g, const struct rrset *s, unsigned first,
			 unsigned last, struct check *out)
{
	struct validation *v = &g->v;

	/* Behind the last when it has been walked: what was told there, with a TTL of 0, is gone when the
	 * goal comes back with the DS (RFC 1035 3.2.1: for the transaction in progress it holds), and what
	 * another server of the zone says of the same name needs no second walk. */
	if (v->walk_labels < first || v->walk_first != first)
		v->walk_labels = v->walk_first = (uint8_t)first;
	*out = (struct check) { .security = SEC_UNCHECKED };
	for (; v->walk_labels <= last; v->walk_labels++) {
		const uint8_t *name = name_suffix(rrset_owner(s), v->walk_labels);
		bool is_first = v->walk_labels == first;
		struct trust t;

		if ((is_first ? trust_get(r, g, name, &t) : walk_step(r, g, s, name, &t)) ==
		    CHECKED_LATER)
			return CHECKED_LATER;
		rrset_put(t.keys);
		if (!is_first && t.security == SEC_BOGUS && t.bogus == BOGUS_MAX_DS_LOOKUPS) {
			*out = (struct check) { .security = SEC_BOGUS, .bogus = t.bogus };
			return CHECKED;
		}
		/* Below the apex it is that name's own data that are at odds with the zone's: a broken alias at
		 * an empty non-terminal says nothing of the cuts below it, which the zone proves as well without
		 * it.  If none is insecure it is this answer that lacks its signature. */
		if (t.security == SEC_BOGUS && !is_first && !is_out_of_reach(&t))
			continue;
		if (t.security != SEC_SECURE) {
			take_trust(out, &t);
			return CHECKED;
		}
	}
	return CHECKED;
}

/* That a name is not there is the word of a zone above it: that an insecure one was proved to begin at the name
 * says nothing for that, but against it.  An anchor at the name, for or against it, still counts. */
static bool is_denied_above(const struct resolver *r, const struct rrset *s)
{
	unsigned labels = name_labels(rrset_owner(s));
	const struct anchor *anchor;

	return s->kind == RRSET_NXDOMAIN && s->zone_labels < labels &&
	       (check_anchor(r, rrset_owner(s), false, &anchor) == ANCHORING_NONE ||
		name_labels(anchor->name) < labels);
}

/* What nobody has signed may be so only where a delegation on the way to it is proved to be insecure
 * (RFC 4035 5.2): at the zone that said it, or at one below that the same servers serve. */
enum checked check_unsigned(struct resolver *r, struct goal *g, const struct rrset *s,
			    struct check *out)
{
	const uint8_t *owner = rrset_owner(s);
	unsigned whole = name_labels(owner);
	/* Whether there is a cut at the name itself such questions are to tell. */
	bool is_parents = whole > 0 && (is_denied_above(r, s) ||
					((g->type == TYPE_DS || g->type == TYPE_DNSKEY) &&
					 name_equal(owner, g->name)));
	unsigned first = walk_begin(r, s, is_parents), last = whole - is_parents;
	const struct dnssec_work work = { 0 };

	/* Of a zone with an anchor, for or against it, those above say nothing: no alias and no denial
	 * stands in its keys' place. */
	if (g->type == TYPE_DNSKEY && is_anchored(r, g))
		return lack_of_keys(r, g, out);
	/* Nor do they deny all that is below an anchor (RFC 8020), which may be where they are not signed. */
	if (s->kind != RRSET_DATA && check_is_above_anchor(r, g->name, g->type == TYPE_DS, owner)) {
		*out = (struct check) { .security = SEC_BOGUS,
					.bogus = BOGUS_MISSING_NEGATIVE_INDICATION };
		return CHECKED;
	}
	if (first > last)
		first = last;
	if (walk(r, g, s, first, last, out) == CHECKED_LATER)
		return CHECKED_LATER;
	if (out->security != SEC_UNCHECKED)
		return CHECKED;
	if (g->type == TYPE_DNSKEY && name_equal(owner, g->name))
		return lack_of_keys(r, g, out);
	*out = (struct check) { .security = SEC_BOGUS, .bogus = missing(s) };
	/* Who has others walk is not served first the next time. */
	return turn_end(r, g, check_blame(s), g->v.n_ds_lookups > 0, &work) ? CHECKED
									    : CHECKED_LATER;
}

enum checked check_any(struct resolver *r, struct goal *g, struct rrset *s, struct check *out)
{
	enum security known = rrset_security(s);
	const uint8_t *signer;
	uint32_t ttl = s->ttl, left = UINT32_MAX;

	/* RFC 4035 5.3.3: what was secure is so no longer than its signature. */
	if (known == SEC_SECURE && s->n_sig > 0)
		left = signed_for_s(s, r->world.wall_s(r->world.ctx));
	if (left < ttl)
		ttl = left;
	if (known != SEC_UNCHECKED && left > 0) {
		*out = (struct check) { .security = known,
					.bogus = (enum bogus)rrset_bogus(s),
					.ttl = ttl };
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
	signer = signer_in_force(r, s);
	return signer != NULL ? check_signed(r, g, s, signer, out) : check_unsigned(r, g, s, out);
}
