/* byproof: answers of proofs that came with others (RFC 8198; dnssec/aggressive.h). */
#include "recursor/resolve/dnssec/aggressive.h"

#include "recursor/resolve/known.h"

void byproof_keep(struct resolver *r, struct rrset *s)
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

bool byproof_end(struct resolver *r, struct goal *g, const struct knowledge *k)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	const struct anchor *anchor;
	const uint8_t *zone;
	struct rrset *s = NULL;
	enum aggressive_hit hit;

	/* Names of zones that the operator has configured are not the Internet's to deny. */
	if (r->aggressive == NULL || g->no_cache || g->refreshes || k->zone != NULL ||
	    r->cfg.dnssec < DNSSEC_PROCESS ||
	    check_anchor(r, g->name, g->type == TYPE_DS, &anchor) != ANCHORING_TRUST)
		return false;
	hit = aggressive_look(r->aggressive, g->name, g->type, now_s, &r->nsec3_memo, &s);
	if (hit == AGGRESSIVE_NONE)
		return false;
	zone = rrset_zone(s);
	if (name_is_below(anchor->name, zone)) {
		rrset_put(s);
		return false;
	}
	hit_count(r, hit);
	if (r->cfg.max_validations > 0)
		harvest_was_of_use(r, zone);
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
