/* story: the chain of trust link by link, for who asks why (event.h). */
#include "recursor/resolve/goal.h"

/* Checks that are made again, and records of a set that are told. */
enum { AGAIN_CHECKS_MAX = 4, TOLD_MAX = 16 };

void story_ds(struct resolver *r, struct goal *g, const struct rrset *set)
{
	struct rdata rr;
	struct ds ds;
	unsigned n = 0;

	for (size_t at = 0; r->n_traces > 0 && n < TOLD_MAX && rrset_next(set, &at, &rr); n++)
		if (ds_read(&ds, &rr) == E_OK)
			TRACE_EVENT(r, g, EVENT_DS, rrset_owner(set), NULL, .rcode = ds.tag,
				    .records = { ds.algorithm, ds.digest_type });
}

void story_keys(struct resolver *r, struct goal *g, const struct rrset *set)
{
	struct rdata rr;
	struct dnskey k;
	unsigned n = 0;

	for (size_t at = 0; r->n_traces > 0 && n < TOLD_MAX && rrset_next(set, &at, &rr); n++)
		if (dnskey_read(&k, &rr) == E_OK)
			TRACE_EVENT(r, g, EVENT_DNSKEY, rrset_owner(set), NULL,
				    .rcode = dnskey_tag(&rr), .records = { k.algorithm },
				    .size = k.flags);
}

void story_verified(struct resolver *r, struct goal *g, const struct rrset *s, const uint8_t *zone,
		    const struct rrset *ds, const struct rrset *keys, const struct verification *v)
{
	if (v->why != BOGUS_NONE && ds != NULL) {
		story_ds(r, g, ds);
		story_keys(r, g, s);
	} else if (v->why == BOGUS_NO_KEY_OF_RRSIG) {
		story_keys(r, g, keys);
	}
	GOAL_EVENT(r, g, v->why == BOGUS_NONE ? EVENT_VERIFIED : EVENT_NOT_VERIFIED, rrset_owner(s),
		   zone, .type = s->type, .rcode = v->tag,
		   .records = { v->algorithm, v->digest_type }, .ttl = v->until_s,
		   .us = v->inception_s,
		   .note = v->why == BOGUS_NONE ? NULL : bogus_row(v->why)->text);
}

void story_gap(struct resolver *r, struct goal *g, const uint8_t *name,
	       const struct dnssec_work *work)
{
	uint8_t about[NAME_MAX_LEN];
	const char *text = denial_gap_text(work, name, about);

	if (text != NULL)
		GOAL_EVENT(r, g, EVENT_WANTING, about, NULL, .note = text);
}

/* A zone's DS set, by its anchor or as the cache has it. */
static struct rrset *ds_known(struct resolver *r, const uint8_t *zone, uint32_t now_s)
{
	const struct anchor *anchor = NULL;

	if (check_anchor(r, zone, false, &anchor) == ANCHORING_TRUST &&
	    name_equal(anchor->name, zone))
		return rrset_get(anchor->ds);
	return cache_get(r->cache, zone, TYPE_DS, RANK_ANSWER, now_s);
}

/* A set that was found bogus, looked at again. */
struct again {
	struct resolver *r;
	struct goal *g;
	struct dnssec_limits limits;
	struct dnssec_work work;
};

/* The keys of a zone, by its DS. */
static void keys_again(struct again *x, const struct rrset *s)
{
	struct resolver *r = x->r;
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	struct verification v;
	struct rrset *ds = ds_known(r, x->g->name, now_s);

	if (ds != NULL && ds->kind == RRSET_DATA) {
		(void)verify_dnskeys(r->keyring, &x->limits, s, ds, now_s, &x->work, &v);
		story_verified(r, x->g, s, x->g->name, ds, NULL, &v);
	}
	rrset_put(ds);
}

/* Whether a wildcard made it, *it tells. */
static void set_again(struct again *x, const struct rrset *s, struct claim *it)
{
	struct resolver *r = x->r;
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	const uint8_t *signer = check_signer(s);
	struct verification v;
	struct trust t = { .keys = NULL };
	uint8_t zone[NAME_MAX_LEN];

	if (signer == NULL)
		return;
	name_lower(zone, signer);
	if (trust_known(r, zone, &t) && t.keys != NULL) {
		(void)verify_set(r->keyring, &x->limits, s, zone, t.keys, now_s, &x->work, &v);
		story_verified(r, x->g, s, zone, NULL, t.keys, &v);
		it->is_expanded = v.why == BOGUS_NONE && v.is_expanded;
		it->labels = v.labels;
	}
	rrset_put(t.keys);
}

/* The first of its proofs that is bogus; if none is, what they lack. */
static void claim_again(struct again *x, const struct claim *it)
{
	struct good_proofs good;
	struct check c;
	struct claim none = { .set = NULL };

	for (unsigned i = 0; i < it->set->n_proofs; i++) {
		const struct rrset *p = rrset_proofs(it->set)[i];

		if (rrset_security(p) == SEC_BOGUS) {
			set_again(x, p, &none);
			return;
		}
	}
	validate_claim(x->r, it, &good, &x->work, &c);
	if (c.security == SEC_BOGUS)
		story_gap(x->r, x->g, rrset_owner(it->set), &x->work);
}

void story_again(struct resolver *r, struct goal *g, const struct rrset *s)
{
	struct again x = {
		.r = r, .g = g, .limits = r->cfg.dnssec_limits, .work = { .memo = &r->nsec3_memo }
	};
	struct claim it = validate_claim_of(g, s);

	if (r->n_traces == 0 || !turn_has_left(r, check_blame(s)))
		return;
	x.limits.max_signature_validations = AGAIN_CHECKS_MAX;
	if (s->kind == RRSET_DATA && s->type == TYPE_DNSKEY)
		keys_again(&x, s);
	else if (s->kind == RRSET_DATA)
		set_again(&x, s, &it);
	if (s->kind != RRSET_DATA || it.is_expanded)
		claim_again(&x, &it);
	turn_spend(r, check_blame(s), &x.work);
}
