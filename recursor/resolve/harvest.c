/* harvest: see harvest.h. */
#include "recursor/resolve/harvest.h"

#include "recursor/resolve/goal.h"

/* ---- whose turn it is ---- */

static struct harvest_zone *slot_of(struct resolver *r, uint64_t hash)
{
	return &r->harvest.zones[hash % HARVEST_SLOTS];
}

static bool is_window_over(const struct harvest_zone *z, uint64_t now_ms)
{
	return now_ms - z->since_ms >= HARVEST_WINDOW_MS;
}

/* Counts one more of the zone; NULL: another zone has the slot. */
static struct harvest_zone *count_in(struct resolver *r, uint64_t hash, uint64_t now_ms)
{
	struct harvest_zone *z = slot_of(r, hash);

	if (z->hash != hash) {
		if (z->is_under_way || now_ms < z->rest_until_ms ||
		    (z->since_ms != 0 && !is_window_over(z, now_ms)))
			return NULL;
		*z = (struct harvest_zone) { .hash = hash, .since_ms = now_ms };
	}
	if (is_window_over(z, now_ms)) {
		z->since_ms = now_ms;
		z->seen = 0;
	}
	if (z->seen < r->cfg.harvest_after)
		z->seen++;
	return z;
}

static bool may_begin_one(struct resolver *r, uint64_t now_ms)
{
	struct harvest *h = &r->harvest;
	uint64_t more = (now_ms - h->filled_ms) * r->cfg.max_validations / 1000;
	uint64_t left = h->left + more;

	/* What is less than one is not lost. */
	if (more > 0)
		h->filled_ms = now_ms;
	h->left = left < r->cfg.max_validations ? (uint32_t)left : r->cfg.max_validations;
	if (h->left > 0)
		return true;
	COUNT(r->counters, limit_harvests);
	return false;
}

/* ---- what it is worth ---- */

/* The zone that has signed the proofs, or NULL. */
static const uint8_t *proofs_zone(const struct rrset *s)
{
	for (unsigned i = 0; i < s->n_proofs; i++) {
		struct rrset *proof = rrset_proofs(s)[i];

		if (rrtype_is_denial(proof->type) && proof->n_sig > 0)
			return check_signer(proof);
	}
	return NULL;
}

static bool is_of_interest(const struct resolver *r, const struct goal *g, const struct rrset *s)
{
	return r->cfg.max_validations > 0 && r->aggressive != NULL &&
	       r->cfg.dnssec >= DNSSEC_PROCESS && s != NULL && s->n_proofs > 0 && !g->validates &&
	       !goal_is_private(g) && !g->authoritative && rrset_security(s) == SEC_UNCHECKED;
}

static bool is_known_insecure(struct resolver *r, const uint8_t *zone)
{
	struct trust t;
	bool is_known = trust_known(r, zone, &t);

	rrset_put(t.keys);
	return is_known && t.security != SEC_SECURE;
}

static void rest(struct harvest_zone *z, uint64_t now_ms)
{
	z->rest_until_ms = now_ms + HARVEST_REST_MS;
	z->in_vain = 0;
}

void harvest_offer(struct resolver *r, struct goal *g, const struct rrset *s)
{
	uint8_t zone[NAME_MAX_LEN];
	const uint8_t *signer;
	struct harvest_zone *z;
	uint64_t now_ms;

	if (!is_of_interest(r, g, s))
		return;
	signer = proofs_zone(s);
	if (signer == NULL)
		return;
	name_lower(zone, signer);
	now_ms = r->world.now_ms(r->world.ctx);
	z = count_in(r, name_hash(zone), now_ms);
	if (z == NULL || z->seen < r->cfg.harvest_after || z->is_under_way ||
	    now_ms < z->rest_until_ms)
		return;
	if (is_known_insecure(r, zone)) {
		rest(z, now_ms);
		return;
	}
	if (!may_begin_one(r, now_ms) ||
	    !request_begin_harvest(r, g->name, g->type, (uint16_t)(z - r->harvest.zones + 1)))
		return;
	r->harvest.left--;
	z->is_under_way = true;
	COUNT(r->counters, harvests);
	GOAL_EVENT(r, g, EVENT_HARVEST, g->name, zone, .type = g->type);
}

/* ---- what came of it ---- */

void harvest_was_of_use(struct resolver *r, const uint8_t *zone)
{
	uint64_t hash = name_hash(zone);
	struct harvest_zone *z = slot_of(r, hash);

	if (z->hash == hash)
		z->in_vain = 0;
}

void harvest_ended(struct resolver *r, struct request *req, const struct answer *a)
{
	struct harvest_zone *z = &r->harvest.zones[req->harvest - 1];

	req->harvest = 0;
	z->is_under_way = false;
	if (a == NULL)
		return;
	if (a->rcode == RCODE_SERVFAIL || a->security != SEC_SECURE ||
	    ++z->in_vain >= HARVEST_IN_VAIN)
		rest(z, r->world.now_ms(r->world.ctx));
}
