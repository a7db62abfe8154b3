/* stale: answers out of what has expired, when there is no better one in time (RFC 8767); see
 * goal.h for what may serve so. */
#include "recursor/resolve/known.h"

#include <string.h>

#include "common/check.h"

/* ---- putting an answer together out of the cache ---- */

static bool add(struct stale_answer *s, struct rrset *set)
{
	if (s->n == GOAL_CHAIN_MAX)
		return false;
	s->sets[s->n++] = set;
	return true;
}

static void note_stale(struct stale_answer *s, const struct rrset *set, uint32_t now_s)
{
	if (now_s - set->expires_s > s->expired_s)
		s->expired_s = now_s - set->expires_s;
	s->any_stale = true;
}

/* The set with a TTL to come back soon (RFC 8767 4).  NULL: no memory. */
static struct rrset *capped(struct rrset *set, uint32_t now_s)
{
	struct rrset *copy = NULL;

	return rrset_copy(&copy, set, (enum rank)set->rank, STALE_TTL, now_s) == E_OK ? copy : NULL;
}

/* A reference to the set as it goes to the client.  NULL: no memory. */
static struct rrset *servable(struct stale_answer *s, struct rrset *set, uint32_t now_s)
{
	if (!rrset_is_expired(set, now_s))
		return rrset_get(set);
	note_stale(s, set, now_s);
	return capped(set, now_s);
}

static bool take(struct stale_answer *s, struct rrset *set, uint32_t now_s)
{
	struct rrset *out = servable(s, set, now_s);

	if (out == NULL)
		return false;
	if (add(s, out))
		return true;
	rrset_put(out);
	return false;
}

/* A denial ends with the shortest of its proofs, and its SOA may live on: with it the client keeps the
 * denial. */
static bool take_denial(struct stale_answer *s, struct rrset *denial, uint32_t now_s)
{
	struct rrset *soa = denial->n_proofs > 0 ? rrset_proofs(denial)[0] : NULL;

	s->rcode = denial->kind == RRSET_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR;
	s->is_stale_denial = rrset_is_expired(denial, now_s);
	if (s->is_stale_denial)
		note_stale(s, denial, now_s);
	if (soa != NULL && s->is_stale_denial && rrset_ttl_left(soa, now_s) > STALE_TTL)
		s->soa = capped(soa, now_s);
	else if (soa != NULL)
		s->soa = servable(s, soa, now_s);
	return s->soa != NULL;
}

/* What is known of a name, without asking: the table of special names, then the cache. */
static void look(struct resolver *r, const uint8_t *name, uint16_t type, uint32_t stale_s,
		 struct knowledge *k)
{
	struct rrset *set = NULL;

	if (!special_find(r, name, type, &set)) {
		knowledge_look(r, name, name_hash(name), type, LOOK_ANSWER, stale_s,
			       NAME_MAX_LABELS, k);
		return;
	}
	*k = (struct knowledge) { .set = set, .what = KNOWN_NOTHING };
	if (set != NULL && set->kind == RRSET_DATA)
		k->what = KNOWN_DATA;
	else if (set != NULL)
		k->what = set->kind == RRSET_NXDOMAIN ? KNOWN_NXDOMAIN : KNOWN_NODATA;
}

/* One link of the chain; false: here it breaks. */
static bool link_take(struct stale_answer *s, const struct knowledge *k, uint32_t now_s)
{
	switch (k->what) {
	case KNOWN_DATA:
		return take(s, k->set, now_s);
	case KNOWN_ALIAS:
		return (k->dname == NULL || take(s, k->dname, now_s)) && take(s, k->set, now_s);
	case KNOWN_NODATA:
	case KNOWN_NXDOMAIN:
		return take_denial(s, k->set, now_s);
	case KNOWN_YXDOMAIN:
		s->rcode = RCODE_YXDOMAIN;
		return take(s, k->dname, now_s);
	case KNOWN_FAILURE:
	case KNOWN_NOTHING:
		break;
	}
	return false;
}

bool stale_put_together(struct resolver *r, const uint8_t *name, uint16_t type, bool validate,
			uint32_t stale_s, struct stale_answer *out)
{
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	uint8_t at[NAME_MAX_LEN];
	bool ok = true, goes_on = true;

	*out = (struct stale_answer) { .rcode = RCODE_NOERROR };
	name_lower(at, name);
	for (unsigned links = 0; ok && goes_on; links++) {
		struct knowledge k;
		struct rdata rr;
		size_t pos = 0;

		look(r, at, type, stale_s, &k);
		out->authoritative |= k.authoritative && links == 0;
		goes_on = k.what == KNOWN_ALIAS && type != TYPE_CNAME;
		ok = links <= r->cfg.max_cnames &&
		     knowledge_may_serve(r, &k, at, type, validate, &out->security) &&
		     link_take(out, &k, now_s);
		if (ok && goes_on && (ok = rrset_next(k.set, &pos, &rr)))
			name_lower(at, rr.data);
		knowledge_clear(&k);
	}
	if (!ok)
		stale_clear(out);
	return ok;
}

void stale_clear(struct stale_answer *s)
{
	while (s->n > 0)
		rrset_put(s->sets[--s->n]);
	rrset_put(s->soa);
	s->soa = NULL;
}

/* ---- serving it ---- */

void stale_fill(const struct stale_answer *s, struct answer *a)
{
	a->rcode = s->rcode;
	a->sets = s->sets;
	a->n_sets = s->n;
	a->authority = &s->soa;
	a->n_authority = s->soa != NULL;
	a->authoritative = s->authoritative;
	a->cacheable = a->is_stale = true;
	a->is_remembered = false;
	a->security = s->security;
	/* RFC 8914 4.4, 4.20; why it comes to that stands behind it. */
	a->ede = s->is_stale_denial && s->rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN_ANSWER
								  : EDE_STALE_ANSWER;
}

bool stale_serve(struct resolver *r, struct request *req, struct stale_answer *s, struct answer *a)
{
	struct goal *g = req->goal;

	if (r->cfg.stale_s == 0 || req->no_stale ||
	    !stale_put_together(r, g->name, g->type, g->validates, r->cfg.stale_s, s))
		return false;
	if (!s->any_stale) {
		/* All of it is fresh: the resolution finds that by itself. */
		stale_clear(s);
		return false;
	}
	GOAL_EVENT(r, g, EVENT_STALE, g->name, NULL, .type = g->type, .ttl = s->expired_s,
		   .note = a->ede_text);
	stale_fill(s, a);
	COUNT(r->counters, stale_answers);
	return true;
}

/* RFC 2181 5.4.1: what was told in passing never is. */
static bool is_served(const struct rrset *s)
{
	return s != NULL && s->kind != RRSET_FAILURE && s->rank > RANK_REFERRAL;
}

bool stale_is_known(struct resolver *r, const uint8_t *name, uint16_t type)
{
	struct cache_view v;
	bool known;

	if (r->cfg.stale_s == 0 || !cache_look(r->cache, name, type, CACHE_WANT_ANSWER,
					       r->world.wall_s(r->world.ctx), r->cfg.stale_s, &v))
		return false;
	known = is_served(v.exact) || is_served(v.cname) || v.nxdomain != NULL;
	cache_view_put(&v);
	return known;
}

bool stale_answer_question(struct resolver *r, const struct question *q, enum cause why,
			   resolver_done_cb done, void *ctx)
{
	struct answer a = { .from_cache = true, .trace = q->trace };
	uint32_t window_s = q->no_stale || (q->route != 0 && !q->cache_only) ? 0 : r->cfg.stale_s;
	struct stale_answer stale;
	bool ok;

	if (window_s == 0 ||
	    !stale_put_together(r, q->name, q->type, q->validate, window_s, &stale))
		return false;
	ok = stale.any_stale;
	if (ok) {
		COUNT(r->counters, stale_answers);
		answer_blame(&a, why);
		stale_fill(&stale, &a);
		done(ctx, &a);
	}
	stale_clear(&stale);
	return ok;
}
