/* trust: whether a zone is signed, and by which keys: the chain of trust (RFC 4035 5.2).
 *
 * What it comes to is in the cache: a zone that is signed has its DNSKEY set there, SEC_SECURE; one that is
 * not has a set of the type CACHE_TRUST without records, SEC_INSECURE; where the chain is broken the DS or
 * DNSKEY set is SEC_BOGUS.  A set of that type that is unchecked came with a referral: the
 * parent's proof that the zone is not signed, which spares the question for its DS.
 */
#include "recursor/resolve/goal.h"

#include <string.h>

#include "common/check.h"

enum { STAGE_LOOK, STAGE_PROOF, STAGE_DS, STAGE_KEYS };

/* ---- what is known ---- */

static bool take_keys(struct resolver *r, const uint8_t *zone, uint32_t now_s, struct trust *out)
{
	struct rrset *keys = cache_get(r->cache, zone, TYPE_DNSKEY, RANK_ANSWER, now_s);

	if (keys == NULL)
		return false;
	if (rrset_security(keys) == SEC_SECURE) {
		out->security = SEC_SECURE;
		out->keys = keys;
		return true;
	}
	rrset_put(keys);
	return false;
}

static bool take_mark(struct resolver *r, const uint8_t *zone, uint32_t now_s, struct trust *out)
{
	struct rrset *mark = cache_get(r->cache, zone, CACHE_TRUST, RANK_NONE, now_s);
	bool is_checked = mark != NULL && rrset_security(mark) != SEC_UNCHECKED;

	if (is_checked) {
		out->security = rrset_security(mark);
		out->bogus = (enum bogus)rrset_bogus(mark);
	}
	rrset_put(mark);
	return is_checked;
}

/* *anchor: the one that counts for it, where nothing is known. */
static bool look_itself(struct resolver *r, const uint8_t *zone, const struct anchor **anchor,
			struct trust *out)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);

	*out = (struct trust) { .security = check_security_unasked(r, zone, false, anchor) };
	out->is_under_nta = out->security == SEC_INSECURE;
	return out->security != SEC_UNCHECKED || take_keys(r, zone, now_s, out) ||
	       take_mark(r, zone, now_s, out);
}

bool trust_known_itself(struct resolver *r, const uint8_t *zone, struct trust *out)
{
	const struct anchor *anchor;

	return look_itself(r, zone, &anchor, out);
}

bool trust_known(struct resolver *r, const uint8_t *zone, struct trust *out)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	const struct anchor *anchor;
	struct trust above;

	if (look_itself(r, zone, &anchor, out))
		return true;
	/* Below a zone that is not signed none is, but by an anchor of its own. */
	for (unsigned left = name_labels(zone) - name_labels(anchor->name); left > 0; left--) {
		zone = name_parent(zone);
		above = (struct trust) { .security = SEC_UNCHECKED };
		if (take_keys(r, zone, now_s, &above)) {
			rrset_put(above.keys);
			return false;
		}
		if (take_mark(r, zone, now_s, &above)) {
			*out = above;
			return true;
		}
	}
	return false;
}

bool trust_has_keys(struct resolver *r, const uint8_t *zone)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct trust t = { .keys = NULL };
	bool has_keys = check_anchor(r, zone, false, NULL) == ANCHORING_TRUST &&
			take_keys(r, zone, now_s, &t);

	rrset_put(t.keys);
	return has_keys;
}

/* ---- being told ---- */

bool trust_was_told(const struct goal *g, const uint8_t *name, uint16_t type)
{
	return g->v.told.type == type && g->v.told.name_hash == name_hash(name);
}

/* It failed for want of something of our own, which makes nobody's answer bogus. */
static bool is_ours(const struct goal *child)
{
	return child->rcode == RCODE_SERVFAIL &&
	       (child->cause == CAUSE_GOALS || child->cause == CAUSE_RESOURCES);
}

void trust_told(const struct resolver *r, struct goal *parent, const struct goal *child)
{
	struct told *t = &parent->v.told;
	struct rrset *set = child->n_chain > 0 ? child->chain[child->n_chain - 1] : child->denial;
	/* Of a question for the chain's sake nothing is taken that was not looked at, as long as anything
	 * is: it may have been turned off meanwhile. */
	bool failed = (child->rcode == RCODE_SERVFAIL && child->security != SEC_BOGUS) ||
		      (child->security == SEC_UNCHECKED && r->cfg.dnssec >= DNSSEC_PROCESS);

	/* What kept it from one server, when another has answered, is nobody's matter. */
	if (child->rcode == RCODE_SERVFAIL)
		goal_met_what(parent, child);
	parent->trust_by_policy |= child->by_policy || child->trust_by_policy;
	rrset_put(t->set);
	*t = (struct told) {
		.name_hash = child->name_hash,
		.type = child->type,
		.security = (uint8_t)(failed ? SEC_BOGUS : goal_security(child)),
		.bogus = child->bogus,
		.is_under_nta = child->is_under_nta,
		.is_no_cut = child->is_no_cut,
		.ours = (uint8_t)(is_ours(child) ? child->cause : CAUSE_NONE),
		.set = set != NULL ? rrset_get(set) : NULL,
	};
	if (failed)
		t->bogus = child->type == TYPE_DNSKEY ? BOGUS_UNABLE_TO_GET_DNSKEYS
						      : BOGUS_UNABLE_TO_GET_DSS;
}

bool trust_end_at_alias(struct resolver *r, struct goal *g)
{
	for (struct edge *e = g->parents, *next; e != NULL; e = next) {
		struct goal *parent = e->parent;

		next = e->next_of_child;
		if (e->kind != EDGE_TRUST)
			continue;
		trust_told(r, parent, g);
		goal_unwait(r, e);
		goal_make_ready(r, parent);
	}
	if (g->n_waiters > 0)
		return false;
	goal_drop(r, g);
	return true;
}

void trust_want(struct resolver *r, struct goal *g, const uint8_t *name, uint16_t type)
{
	bool is_keys = type == TYPE_DNSKEY;

	switch (goal_want(r, g, EDGE_TRUST, 0, name, type)) {
	case EDGE_MADE:
		return;
	case EDGE_CYCLE:
		goal_end_bogus(r, g,
			       is_keys ? BOGUS_UNABLE_TO_GET_DNSKEYS : BOGUS_UNABLE_TO_GET_DSS);
		return;
	case EDGE_TOO_DEEP:
	case EDGE_NO_ROOM:
		break;
	}
	goal_end_unchecked(r, g, CAUSE_GOALS);
}

bool trust_take_told(const struct goal *g, const uint8_t *zone, struct trust *out)
{
	const struct told *t = &g->v.told;

	if (!trust_was_told(g, zone, CACHE_TRUST))
		return false;
	*out = (struct trust) {
		.security = (enum security)t->security,
		.bogus = (enum bogus)t->bogus,
		.is_under_nta = t->is_under_nta,
		.is_no_cut = t->is_no_cut,
		.keys = t->set != NULL && t->set->type == TYPE_DNSKEY ? rrset_get(t->set) : NULL,
	};
	return true;
}

enum checked trust_get(struct resolver *r, struct goal *g, const uint8_t *zone, struct trust *out)
{
	if (trust_known(r, zone, out) || trust_take_told(g, zone, out))
		return CHECKED;
	trust_want(r, g, zone, CACHE_TRUST);
	return CHECKED_LATER;
}

/* ---- ends ---- */

static void end(struct resolver *r, struct goal *g, const struct trust *t)
{
	static const char *const notes[] = {
		[SEC_INDETERMINATE] = "no anchor above it",
		[SEC_INSECURE] = "it is not signed",
		[SEC_SECURE] = "it is signed",
	};

	if (t->security == SEC_BOGUS) {
		goal_end_bogus(r, g, t->bogus);
		return;
	}
	g->security = (uint8_t)t->security;
	g->bogus = (uint8_t)t->bogus;
	g->is_under_nta = t->is_under_nta;
	g->is_no_cut = t->is_no_cut;
	if (t->keys != NULL)
		g->chain[g->n_chain++] = rrset_get(t->keys);
	g->rcode = RCODE_NOERROR;
	GOAL_EVENT(r, g, EVENT_TRUST, g->name, NULL,
		   .note = t->is_under_nta ? "a negative trust anchor"
			   : t->is_no_cut  ? "no zone of its own"
					   : notes[t->security]);
	goal_end(r, g);
}

/* Remembers that the zone is not signed, or (`why`) as good as that. */
static void mark_insecure(struct resolver *r, const struct goal *g, enum bogus why, uint32_t ttl)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct rrset *s = NULL;

	if (goal_ends_private(g))
		return;
	if (ttl > r->cfg.max_ttl)
		ttl = r->cfg.max_ttl;
	if (rrset_new(&s, g->name, CACHE_TRUST, ttl, now_s, RANK_LOCAL, NULL, 0, NULL, 0) == E_OK) {
		rrset_set_security(s, SEC_INSECURE, why);
		cache_put(r->cache, s, CACHE_REFRESHES, now_s);
		rrset_put(s);
	}
}

static void end_insecure(struct resolver *r, struct goal *g, enum bogus why, uint32_t ttl)
{
	mark_insecure(r, g, why, ttl);
	end(r, g, &(struct trust) { .security = SEC_INSECURE, .bogus = why });
}

/* By what it was told: insecure, indeterminate or bogus. */
static void end_as_told(struct resolver *r, struct goal *g)
{
	const struct told *t = &g->v.told;
	uint32_t now_s = r->world.wall_s(r->world.ctx);

	if (t->security == SEC_INSECURE && !t->is_under_nta && t->set != NULL)
		mark_insecure(r, g, (enum bogus)t->bogus, rrset_ttl_left(t->set, now_s));
	end(r, g,
	    &(struct trust) { .security = (enum security)t->security,
			      .bogus = (enum bogus)t->bogus,
			      .is_under_nta = t->is_under_nta });
}

/* ---- stages ---- */

static enum bogus why_insecure(enum ds_denial denial)
{
	return denial == DS_DENIAL_MANY_ITERATIONS ? BOGUS_MAX_ITERATIONS : BOGUS_NONE;
}

/* The parent's proof that came with the referral: insecure, or nothing that helps. */
static enum checked stage_proof(struct resolver *r, struct goal *g)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct dnssec_work work = { .memo = &r->nsec3_memo };
	struct denial_proof proof;
	const uint8_t *signer = NULL;
	uint8_t zone[NAME_MAX_LEN];
	enum ds_denial denial;
	uint32_t ttl = UINT32_MAX;

	if (g->v.set == NULL)
		g->v.set = cache_get(r->cache, g->name, CACHE_TRUST, RANK_NONE, now_s);
	g->v.stage = STAGE_DS;
	if (g->v.set == NULL || g->v.set->n_proofs == 0)
		return CHECKED;
	for (; g->v.at < g->v.set->n_proofs; g->v.at++) {
		struct rrset *s = rrset_proofs(g->v.set)[g->v.at];
		struct check c;

		signer = check_proof_signer(r, s, g->name, true);
		if (signer == NULL)
			return CHECKED;
		if (check_any(r, g, s, &c) == CHECKED_LATER) {
			if (g->state != GOAL_DEAD)
				g->v.stage = STAGE_PROOF;
			return CHECKED_LATER;
		}
		if (c.security == SEC_INSECURE && !c.is_under_nta) {
			end_insecure(r, g, c.bogus, rrset_ttl_left(g->v.set, now_s));
			return CHECKED_LATER;
		}
		if (c.security != SEC_SECURE)
			return CHECKED;
		rrset_set_security(s, SEC_SECURE, BOGUS_NONE);
		if (c.ttl < ttl)
			ttl = c.ttl;
	}
	if (!turn_may_work(r, g, check_blame(g->v.set))) {
		g->v.stage = STAGE_PROOF;
		g->v.at = 0;
		return CHECKED_LATER;
	}
	name_lower(zone, signer);
	proof = (struct denial_proof) { .zone = zone,
					.sets = rrset_proofs(g->v.set),
					.n = g->v.set->n_proofs };
	denial = denial_ds(&r->cfg.dnssec_limits, &proof, g->name, &work);
	if (!turn_end(r, g, check_blame(g->v.set), false, &work))
		return CHECKED_LATER;
	if (denial != DS_DENIAL_CUT && denial != DS_DENIAL_OPT_OUT &&
	    denial != DS_DENIAL_MANY_ITERATIONS)
		return CHECKED;
	if (rrset_ttl_left(g->v.set, now_s) < ttl)
		ttl = rrset_ttl_left(g->v.set, now_s);
	end_insecure(r, g, why_insecure(denial), ttl);
	return CHECKED_LATER;
}

/* What a good answer to a question for the name's DS says, which is no DS. */
static enum ds_denial weigh(const struct resolver *r, const struct rrset *s, const uint8_t *name,
			    struct dnssec_work *work)
{
	struct good_proofs good;

	/* An alias stands beside no zone cut (RFC 2181 10.1). */
	if (s == NULL || s->kind == RRSET_DATA)
		return s == NULL ? DS_DENIAL_NOT_PROVED : DS_DENIAL_NO_CUT;
	check_good_proofs(r, s, name, true, NULL, &good);
	return good.proof.zone == NULL ? DS_DENIAL_NOT_PROVED
				       : denial_ds(&r->cfg.dnssec_limits, &good.proof, name, work);
}

enum checked trust_weigh_ds(struct resolver *r, struct goal *g, struct trust *out)
{
	const struct rrset *set = g->v.told.set;
	const uint8_t *blamed = set != NULL ? check_blame(set) : g->name;
	struct dnssec_work work = { .memo = &r->nsec3_memo };
	enum ds_denial denial;

	if (!turn_may_work(r, g, blamed))
		return CHECKED_LATER;
	denial = weigh(r, set, g->name, &work);
	*out = (struct trust) { .security = SEC_BOGUS };
	switch (denial) {
	case DS_DENIAL_CUT:
	case DS_DENIAL_OPT_OUT:
	case DS_DENIAL_MANY_ITERATIONS:
		out->security = SEC_INSECURE;
		out->bogus = why_insecure(denial);
		break;
	case DS_DENIAL_NO_CUT:
	case DS_DENIAL_NO_NAME:
		out->security = SEC_SECURE;
		out->is_no_cut = true;
		break;
	case DS_DENIAL_NOT_PROVED:
		out->bogus = BOGUS_INVALID_DENIAL;
		break;
	case DS_DENIAL_TOO_COSTLY:
		out->bogus = work.met_limit;
		break;
	}
	return turn_end(r, g, blamed, false, &work) ? CHECKED : CHECKED_LATER;
}

/* Which DS it has, or why none. */
static enum checked stage_ds(struct resolver *r, struct goal *g)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	const struct told *t = &g->v.told;
	struct trust found;

	if (!trust_was_told(g, g->name, TYPE_DS)) {
		trust_want(r, g, g->name, TYPE_DS);
		return CHECKED_LATER;
	}
	if (t->security != SEC_SECURE) {
		end_as_told(r, g);
		return CHECKED_LATER;
	}
	if (t->set != NULL && t->set->kind == RRSET_DATA && t->set->type == TYPE_DS) {
		if (ds_is_usable(t->set, &r->cfg.dnssec_limits)) {
			g->v.stage = STAGE_KEYS;
			return CHECKED;
		}
		end_insecure(r, g, BOGUS_NONE, rrset_ttl_left(t->set, now_s));
		return CHECKED_LATER;
	}
	if (trust_weigh_ds(r, g, &found) == CHECKED_LATER)
		return CHECKED_LATER;
	/* Who walks down names may find that it speaks of the next ones, too. */
	if (found.is_no_cut && t->set->kind != RRSET_DATA)
		g->denial = rrset_get(t->set);
	if (found.security == SEC_INSECURE)
		end_insecure(r, g, found.bogus, rrset_ttl_left(t->set, now_s));
	else
		end(r, g, &found);
	return CHECKED_LATER;
}

static enum checked stage_keys(struct resolver *r, struct goal *g)
{
	const struct told *t = &g->v.told;

	if (!trust_was_told(g, g->name, TYPE_DNSKEY)) {
		trust_want(r, g, g->name, TYPE_DNSKEY);
		return CHECKED_LATER;
	}
	if (t->security != SEC_SECURE)
		end_as_told(r, g);
	else if (t->set != NULL && t->set->kind == RRSET_DATA && t->set->type == TYPE_DNSKEY &&
		 name_equal(rrset_owner(t->set), g->name)) /* not behind an alias */
		end(r, g, &(struct trust) { .security = SEC_SECURE, .keys = t->set });
	else
		end(r, g,
		    &(struct trust) { .security = SEC_BOGUS, .bogus = BOGUS_NO_VALID_DNSKEY });
	return CHECKED_LATER;
}

/* Has somebody come to it from above, and found all in order there?  To climb up again from each name of a
 * way would look at each of them as often as there are names below. */
static bool is_walked_to(const struct goal *g)
{
	unsigned labels = name_labels(g->name);

	for (const struct edge *e = g->parents; e != NULL; e = e->next_of_child) {
		const struct validation *v = &e->parent->v;

		if (v->walk_labels == labels && v->walk_first < labels)
			return true;
	}
	return false;
}

static enum checked stage_look(struct resolver *r, struct goal *g)
{
	const struct anchor *anchor;
	struct trust t;
	bool is_there, is_known = is_walked_to(g) ? trust_known_itself(r, g->name, &t)
						  : trust_known(r, g->name, &t);

	if (is_known) {
		end(r, g, &t);
		rrset_put(t.keys);
		return CHECKED_LATER;
	}
	/* Something is known to be signed above it, or an anchor is there. */
	is_there = check_anchor(r, g->name, false, &anchor) == ANCHORING_TRUST &&
		   name_equal(anchor->name, g->name);
	g->v.stage = is_there ? STAGE_KEYS : STAGE_PROOF;
	return CHECKED;
}

void trust_step(struct resolver *r, struct goal *g)
{
	static enum checked (*const stages[])(struct resolver *, struct goal *) = {
		[STAGE_LOOK] = stage_look,
		[STAGE_PROOF] = stage_proof,
		[STAGE_DS] = stage_ds,
		[STAGE_KEYS] = stage_keys,
	};

	g->state = GOAL_TRUST;
	if (g->children != NULL)
		return;
	if (g->v.told.ours != CAUSE_NONE) {
		goal_end_unchecked(r, g, (enum cause)g->v.told.ours);
		return;
	}
	while (stages[g->v.stage](r, g) == CHECKED)
		;
}
