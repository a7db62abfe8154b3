/* validate: an answer before it is believed (RFC 4035 5): its sets, one after the other, and what its
 * denials prove; and what follows.
 *
 * A denial is proved by its NSEC or NSEC3 records and by nothing else (RFC 4035 5.4).  The SOA beside them
 * says how long it is kept (RFC 2308 5), and only less long than those last (RFC 9077): a SOA that nobody
 * signed can do no more harm than whoever holds answers back.  So it makes no denial bogus; but
 * nobody is given it as secure (goal_authority()). */
#include "recursor/resolve/asking.h"

#include <string.h>

#include "common/check.h"
#include "recursor/resolve/copyask.h"
#include "recursor/resolve/dnssec/proof.h"

/* RFC 9520 2.5, 3.2: a failure to validate is cached for five minutes at most. */
enum { BOGUS_TTL_MAX = 300 };

enum { STAGE_SET, STAGE_PROOFS, STAGE_DENIAL, STAGE_SOA, STAGE_DONE };

enum security security_of_both(enum security a, enum security b)
{
	static const uint8_t weight[] = { [SEC_UNCHECKED] = 0,
					  [SEC_SECURE] = 1,
					  [SEC_INSECURE] = 2,
					  [SEC_INDETERMINATE] = 3,
					  [SEC_BOGUS] = 4 };

	return weight[a] >= weight[b] ? a : b;
}

/* ---- what is found ---- */

static void found(struct goal *g, const struct check *c)
{
	struct validation *v = &g->v;

	v->security = (uint8_t)security_of_both((enum security)v->security, c->security);
	if (c->security == SEC_BOGUS) {
		v->bogus = (uint8_t)c->bogus;
		v->is_of_trust = c->is_of_trust;
	} else if (c->security == v->security && c->bogus != BOGUS_NONE) {
		v->bogus = (uint8_t)c->bogus; /* of what is insecure */
	}
	v->is_under_nta = v->is_under_nta || c->is_under_nta;
	if (c->ttl < v->ttl)
		v->ttl = c->ttl;
}

/* A verdict is kept with the set that it is of, unless it comes of what may change before the set does: a
 * zone's state, a negative anchor, memory; or is for those alone who wait. */
static void verdict_keep(const struct goal *g, struct rrset *s, const struct check *c)
{
	bool is_bogus = c->security == SEC_BOGUS;

	if (!goal_ends_private(g) && !c->is_under_nta &&
	    !(is_bogus && (c->is_of_trust || c->bogus == BOGUS_OUT_OF_MEMORY)))
		rrset_set_security(s, c->security, c->bogus);
}

static void found_of(struct goal *g, struct rrset *s, const struct check *c)
{
	verdict_keep(g, s, c);
	found(g, c);
}

/* Does the set answer for the very DS that is asked for? */
static bool is_of_ds(const struct goal *g, const struct rrset *s)
{
	return g->type == TYPE_DS && name_equal(rrset_owner(s), g->name);
}

/* At a name with a trust anchor those above may say of its DS that the name does not exist or is an alias,
 * but of nothing else; and what says so is one for all types.  Bogus it is for all. */
static bool is_for_ds_only(const struct resolver *r, const struct goal *g, const struct rrset *s)
{
	const uint8_t *owner = rrset_owner(s);
	const struct anchor *anchor;

	return is_of_ds(g, s) && s->type != TYPE_DS &&
	       check_anchor(r, owner, false, &anchor) != ANCHORING_NONE &&
	       name_equal(anchor->name, owner);
}

/* verdict_keep(), of the answer itself. */
static void verdict_keep_of_answer(const struct resolver *r, const struct goal *g, struct rrset *s,
				   const struct check *c)
{
	if (c->security == SEC_BOGUS || !is_for_ds_only(r, g, s))
		verdict_keep(g, s, c);
}

/* ---- stages ---- */

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
	if (s == v->dname && !knowledge_is_heard(r, g->name, g->type, s)) {
		/* Its own verdict is another. */
		found(g, &(struct check) { .security = SEC_BOGUS, .bogus = BOGUS_FOREIGN_SIGNER });
		v->stage = STAGE_DONE;
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
		verdict_keep_of_answer(r, g, s, &c);
		found(g, &c);
		v->stage = STAGE_DONE;
	}
	return CHECKED;
}

/* That the DS asked for is denied is the parent's to tell.  The absence of a name above it (RFC 8020) is
 * for the zone of that name, as of other types. */
struct claim validate_claim_of(const struct goal *g, const struct rrset *s)
{
	return (struct claim) { .set = s, .is_of_ds = is_of_ds(g, s) };
}

static struct claim claim_of(const struct goal *g)
{
	struct claim it = validate_claim_of(g, g->v.set);

	it.is_expanded = g->v.is_expanded;
	it.labels = g->v.labels;
	return it;
}

/* RFC 4035 5.3.4: of what a wildcard made only the zone of the data speaks; NULL: others may. */
static const uint8_t *zone_of_proofs(const struct claim *it)
{
	return it->is_expanded ? check_signer(it->set) : NULL;
}

/* May the proof speak of the goal's denial, or of what a wildcard made? */
static bool is_heard(const struct resolver *r, const struct goal *g, const struct rrset *proof)
{
	const struct claim it = claim_of(g);
	const uint8_t *only = zone_of_proofs(&it);
	const uint8_t *signer = check_proof_signer(r, proof, rrset_owner(it.set), it.is_of_ds);

	return signer != NULL && (only == NULL || name_equal(signer, only));
}

/* RFC 4035 5.3.4: nothing says that no closer name is there. */
static void lack_of_closer(const struct claim *it, struct dnssec_work *work, struct check *out)
{
	const uint8_t *owner = rrset_owner(it->set);

	(void)proof_lacks(work, DENIAL_GAP_NEXT_CLOSER, name_suffix(owner, it->labels + 1U));
	*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_MISSING_NEGATIVE_INDICATION };
}

static void no_proof_of_wildcard(struct resolver *r, struct goal *g, struct check *out)
{
	const struct claim it = claim_of(g);
	struct dnssec_work work = { 0 };

	lack_of_closer(&it, &work, out);
	story_gap(r, g, rrset_owner(it.set), &work);
}

/* The denial's sets, one after the other; if none is signed it is as unsigned data are. */
static enum checked stage_proofs(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct check c;

	for (; v->at < v->set->n_proofs; v->at++) {
		struct rrset *proof = rrset_proofs(v->set)[v->at];

		if (!is_heard(r, g, proof))
			continue;
		if (v->first_heard == 0)
			v->first_heard = (uint8_t)(v->at + 1);
		if (check_any(r, g, proof, &c) == CHECKED_LATER)
			return CHECKED_LATER;
		found_of(g, proof, &c);
		v->walk_labels = 0;
	}
	if (v->first_heard == 0) {
		if (v->is_expanded)
			no_proof_of_wildcard(r, g, &c);
		else if (check_unsigned(r, g, v->set, &c) == CHECKED_LATER)
			return CHECKED_LATER;
		found(g, &c);
		v->stage = STAGE_DONE;
		return CHECKED;
	}
	v->stage = v->security == SEC_SECURE ? STAGE_DENIAL : STAGE_DONE;
	return CHECKED;
}

static enum denial weigh_ds(const struct dnssec_limits *limits, const struct denial_proof *proof,
			    const uint8_t *name, struct dnssec_work *work)
{
	switch (denial_ds(limits, proof, name, work)) {
	case DS_DENIAL_CUT:
	case DS_DENIAL_NO_CUT:
		return DENIAL_PROVED;
	case DS_DENIAL_NO_NAME:
		/* No zone cut is there, but nor is the name (RFC 5155 8.6, RFC 4035 5.4), unless a
		 * wildcard stands in for it. */
		return denial_nodata(limits, proof, name, TYPE_DS, work);
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

static enum denial weigh(const struct resolver *r, const struct claim *it,
			 const struct denial_proof *proof, struct dnssec_work *work)
{
	const struct dnssec_limits *limits = &r->cfg.dnssec_limits;
	const struct rrset *s = it->set;
	const uint8_t *name = rrset_owner(s);

	if (it->is_expanded)
		return denial_wildcard(limits, proof, name, it->labels, work);
	if (s->kind == RRSET_NXDOMAIN)
		return denial_nxdomain(limits, proof, name, work);
	if (s->type == TYPE_DS && !name_is_root(name))
		return weigh_ds(limits, proof, name, work);
	return denial_nodata(limits, proof, name, s->type, work);
}

/* Is a zone known to be signed that stands between the name and the one whose records leave it open?
 * Then that is none of theirs to say. */
static bool has_secure_zone_below(struct resolver *r, const struct claim *it, const uint8_t *zone)
{
	const uint8_t *at = rrset_owner(it->set);
	bool is_secure = false;

	if (it->is_of_ds && !name_is_root(at))
		at = name_parent(at);
	for (; !is_secure && name_is_below(at, zone); at = name_parent(at))
		is_secure = trust_has_keys(r, at);
	return is_secure;
}

static void lack(const struct claim *it, struct dnssec_work *work, enum denial_gap gap,
		 struct check *out)
{
	(void)proof_lacks(work, gap, rrset_owner(it->set));
	*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_INVALID_DENIAL };
}

void validate_claim(struct resolver *r, const struct claim *it, struct good_proofs *good,
		    struct dnssec_work *work, struct check *out)
{
	*out = (struct check) { .security = SEC_SECURE, .ttl = UINT32_MAX };
	check_good_proofs(r, it->set, rrset_owner(it->set), it->is_of_ds, zone_of_proofs(it), good);
	if (good->proof.zone == NULL) {
		if (it->is_expanded)
			lack_of_closer(it, work, out);
		else
			lack(it, work, DENIAL_GAP_ZONE, out);
		return;
	}
	switch (weigh(r, it, &good->proof, work)) {
	case DENIAL_PROVED:
		break;
	case DENIAL_INSECURE:
		out->security = SEC_INSECURE;
		if (denial_has_many_iterations(&r->cfg.dnssec_limits, &good->proof))
			out->bogus = BOGUS_MAX_ITERATIONS;
		if (has_secure_zone_below(r, it, good->zone))
			lack(it, work, DENIAL_GAP_CHILD, out);
		break;
	case DENIAL_NOT_PROVED:
		*out = (struct check) { .security = SEC_BOGUS, .bogus = BOGUS_INVALID_DENIAL };
		break;
	case DENIAL_TOO_COSTLY:
		*out = (struct check) { .security = SEC_BOGUS, .bogus = work->met_limit };
		break;
	}
}

/* They are good; do they prove it? */
static enum checked stage_denial(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	const struct claim it = claim_of(g);
	struct good_proofs good;
	struct check c;
	struct dnssec_work work = { .memo = &r->nsec3_memo };

	if (!turn_may_work(r, g, check_blame(v->set)))
		return CHECKED_LATER;
	validate_claim(r, &it, &good, &work, &c);
	GOAL_EVENT(r, g, c.security == SEC_BOGUS ? EVENT_NOT_PROVED : EVENT_PROVED,
		   rrset_owner(v->set), good.proof.zone, .type = v->set->type,
		   .note = c.security == SEC_BOGUS ? bogus_row(c.bogus)->text : NULL);
	if (c.security == SEC_BOGUS)
		story_gap(r, g, rrset_owner(v->set), &work);
	found(g, &c);
	v->stage = v->security == SEC_SECURE ? STAGE_SOA : STAGE_DONE;
	return turn_end(r, g, check_blame(v->set), c.security == SEC_BOGUS, &work) ? CHECKED
										   : CHECKED_LATER;
}

/* It is proved: is the SOA good, too, by the keys of the zone that proved it? */
static enum checked stage_soa(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct rrset *soa = rrset_soa(v->set) != NULL ? rrset_proofs(v->set)[0] : NULL;
	const uint8_t *its = soa != NULL ? check_signer(soa) : NULL;
	struct check c;

	if (its != NULL &&
	    name_equal(its, check_signer(rrset_proofs(v->set)[v->first_heard - 1]))) {
		if (check_any(r, g, soa, &c) == CHECKED_LATER)
			return CHECKED_LATER;
		verdict_keep(g, soa, &c);
		if (c.security == SEC_SECURE)
			found(g, &c);
	}
	v->stage = STAGE_DONE;
	return CHECKED;
}

/* ---- the whole ---- */

void validate_clear(struct goal *g)
{
	rrset_put(g->v.dname);
	rrset_put(g->v.set);
	rrset_put(g->v.told.set);
	g->v = (struct validation) { .last_bogus = g->v.last_bogus,
				     .lie = g->v.lie,
				     .wipes = g->v.wipes,
				     .walk_labels = g->v.walk_labels,
				     .walk_first = g->v.walk_first,
				     .n_ds_lookups = g->v.n_ds_lookups };
}

void validate_forget(struct goal *g)
{
	validate_clear(g);
	rrset_put(g->v.lie);
	g->v = (struct validation) { .lie = NULL };
}

/* A part of the answer has that verdict, for that cause. */
static void join(struct goal *g, enum security security, unsigned why)
{
	g->security = (uint8_t)security_of_both((enum security)g->security, security);
	if (security == SEC_INSECURE && why != BOGUS_NONE)
		g->bogus = (uint8_t)why;
}

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
		story_again(r, g, first);
		goal_end_bogus(r, g, (enum bogus)rrset_bogus(first));
		return true;
	}
	if (security != SEC_UNCHECKED && security != SEC_BOGUS) {
		join(g, security, rrset_bogus(first));
		return false;
	}
	/* What is ours, and what a policy made or a route led to, is not the Internet's to sign. */
	if (goal_is_private(g) || g->authoritative || first->rank == RANK_LOCAL) {
		join(g, SEC_INSECURE, BOGUS_NONE);
		return false;
	}
	g->v.then = (uint8_t)then;
	g->v.dname = dname != NULL ? rrset_get(dname) : NULL;
	g->v.set = set != NULL ? rrset_get(set) : NULL;
	g->v.stage = STAGE_SET;
	g->v.ttl = UINT32_MAX;
	g->v.wipes = cache_wipes(r->cache);
	g->v.is_from_cache = g->state == GOAL_START;
	minimise_release(r, g, STEP_LOST);
	goal_unwant_all(r, g);
	cut_stop_waiting(r, g);
	crowd_leave(r, g);
	g->state = GOAL_VALIDATE;
	goal_make_ready(r, g);
	return true;
}

/* The CNAME of a DNAME, which is in no cache, lives no longer than that (RFC 6672 3.1, RFC 4035 5.3.3). */
static void shorten(struct resolver *r, struct rrset **s, uint32_t ttl)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct rrset *copy = NULL;

	if (rrset_ttl_left(*s, now_s) <= ttl ||
	    rrset_copy(&copy, *s, (enum rank)(*s)->rank, ttl, now_s) != E_OK)
		return;
	rrset_put(*s);
	*s = copy;
}

/* In the cache from now on, too, it lives no longer than it may. */
static void cap(struct resolver *r, struct rrset **s, uint32_t ttl)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct rrset *copy = NULL;

	if (*s == NULL || rrset_ttl_left(*s, now_s) <= ttl)
		return;
	if (rrset_copy(&copy, *s, (enum rank)(*s)->rank, ttl, now_s) != E_OK) {
		(void)cache_drop(r->cache, *s);
		return;
	}
	/* With no time left it is not kept at all. */
	if (ttl == 0)
		(void)cache_drop(r->cache, *s);
	else
		cache_replace(r->cache, *s, copy, goal_put_how(r, rrset_owner(copy)), now_s);
	rrset_put(*s);
	*s = copy;
}

/* While nobody had checked it, it left what is secure beside it. */
static void settle(struct resolver *r, struct rrset *s)
{
	bool is_of_all_types = s->kind == RRSET_NXDOMAIN || s->type == TYPE_CNAME;

	if (is_of_all_types && rrset_security(s) == SEC_SECURE)
		cache_replace(r->cache, s, s, goal_put_how(r, rrset_owner(s)),
			      r->world.wall_s(r->world.ctx));
}

static void go_on(struct resolver *r, struct goal *g)
{
	enum then then = (enum then)g->v.then;
	struct rrset *dname = g->v.dname, *set = g->v.set;

	join(g, (enum security)g->v.security, g->v.bogus);
	g->is_under_nta = g->is_under_nta || g->v.is_under_nta;
	if (r->aggressive != NULL && set != NULL && set->n_proofs > 0 &&
	    g->v.security == SEC_SECURE)
		byproof_keep(r, set);
	cap(r, dname != NULL ? &dname : &set, g->v.ttl);
	if (dname != NULL && set != NULL)
		shorten(r, &set, g->v.ttl);
	if (set != NULL)
		settle(r, set);
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

static void leave_target(struct goal *g)
{
	struct target *t = &g->targets[g->target];

	g->ns[t->ns].is_there = true;
	/* Without EDNS there is no DO, and so nothing to validate.  That a server has none is what one
	 * FORMERR said, perhaps long ago: before its word on a signed zone is refused it is asked with EDNS
	 * once more. */
	if (!g->sent_edns && !t->no_edns && !t->in_spite)
		t->in_spite = true;
	else
		t->dead = TARGET_SILENT_ON;
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
		if (g->by_copy)
			copy_give_up(r, g, bogus_row(g->v.bogus)->text);
		else
			leave_target(g);
		validate_clear(g);
		g->state = GOAL_CHOOSE;
	}
	goal_make_ready(r, g);
}

/* An alias, or that the name or one above it is not there, is said of other questions too, to which the
 * answer may be good. */
static bool is_of_the_question(const struct goal *g, const struct rrset *s)
{
	bool is_alias = s->kind == RRSET_DATA && (s->type == TYPE_CNAME || s->type == TYPE_DNAME);

	return s->kind != RRSET_NXDOMAIN && s->type == g->type && !is_alias &&
	       name_equal(rrset_owner(s), g->name);
}

/* What is bogus is so of the name and type that were asked for (RFC 9520 3.2, RFC 4035 4.7): either the
 * set itself, with its verdict, or a failure with that verdict, which holds it for the story.  A set without
 * a TTL is never itself in the cache: whoever asks with CD=1 would be told it. */
static int lie_make(struct rrset **out, const struct goal *g, uint32_t ttl, uint32_t now_s)
{
	struct rrset *lie = g->v.lie;
	int err;

	if (is_of_the_question(g, lie) && rrset_ttl_left(lie, now_s) > 0)
		return rrset_copy(out, lie, (enum rank)lie->rank, ttl, now_s);
	err = rrset_new_negative(out, RRSET_FAILURE, g->name, g->type, ttl, now_s, RANK_NONE, &lie,
				 1, CAUSE_BOGUS);
	if (err == E_OK)
		rrset_set_security(*out, SEC_BOGUS, g->v.last_bogus);
	return err;
}

/* Not what has been wiped since it came; of other wipes it is not known that they were others. */
static void lie_remember(struct resolver *r, struct goal *g)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	uint32_t left = rrset_ttl_left(g->v.lie, now_s), ttl = r->cfg.max_bogus_ttl;
	struct rrset *s = NULL;

	ttl = ttl < BOGUS_TTL_MAX ? ttl : BOGUS_TTL_MAX;
	/* Without one, as of a denial without SOA, it is a failure like others. */
	if (left == 0)
		left = r->cfg.failure_ttl;
	ttl = ttl < left ? ttl : left;
	if (ttl == 0 || g->v.wipes != cache_wipes(r->cache) || lie_make(&s, g, ttl, now_s) != E_OK)
		return;
	(void)cache_put(r->cache, s, CACHE_FILLS | goal_put_how(r, rrset_owner(s)), now_s);
	if (g->v.wipes != cache_wipes(r->cache))
		(void)cache_drop(r->cache, s);
	rrset_put(s);
}

bool validate_give_up(struct resolver *r, struct goal *g)
{
	if (g->v.last_bogus == BOGUS_NONE)
		return false;
	/* What our own network or the many who ask kept us from finding out is not the answer's fault. */
	if (g->v.lie != NULL && g->v.last_bogus != BOGUS_OUT_OF_MEMORY && !goal_ends_private(g) &&
	    !g->met_cut && !g->met_crowd)
		lie_remember(r, g);
	goal_end_bogus(r, g, (enum bogus)g->v.last_bogus);
	return true;
}

static void on_bogus(struct resolver *r, struct goal *g)
{
	struct validation *v = &g->v;
	struct rrset **s = v->dname != NULL ? &v->dname : &v->set;

	ASSERT(*s != NULL);
	if (v->is_of_trust) {
		goal_end_bogus(r, g, (enum bogus)v->bogus);
		return;
	}
	GOAL_EVENT(r, g, EVENT_BOGUS, rrset_owner(*s), NULL, .type = (*s)->type,
		   .note = bogus_row(v->bogus)->text);
	/* Nobody shall be told that it is bogus before all servers have been asked: until then it is not in
	 * the cache, and has no verdict there. */
	(void)cache_drop(r->cache, *s);
	rrset_put(v->lie);
	v->lie = rrset_get(*s);
	ask_others(r, g);
}

/* The verdict on a denial, on what a wildcard made, and on the CNAME of a DNAME is that of all parts. */
static void conclude(struct resolver *r, struct goal *g)
{
	const struct validation *v = &g->v;

	if (v->set != NULL)
		verdict_keep_of_answer(r, g, v->set,
				       &(struct check) { .security = (enum security)v->security,
							 .bogus = (enum bogus)v->bogus,
							 .is_under_nta = v->is_under_nta,
							 .is_of_trust = v->is_of_trust });
}

void validate_step(struct resolver *r, struct goal *g)
{
	static enum checked (*const stages[])(struct resolver *, struct goal *) = {
		[STAGE_SET] = stage_set,
		[STAGE_PROOFS] = stage_proofs,
		[STAGE_DENIAL] = stage_denial,
		[STAGE_SOA] = stage_soa,
	};

	if (g->children != NULL)
		return;
	if (g->v.told.ours != CAUSE_NONE) {
		goal_end_unchecked(r, g, (enum cause)g->v.told.ours);
		return;
	}
	while (g->v.stage != STAGE_DONE)
		if (stages[g->v.stage](r, g) == CHECKED_LATER)
			return;
	conclude(r, g);
	if (g->v.security == SEC_BOGUS)
		on_bogus(r, g);
	else
		go_on(r, g);
}
