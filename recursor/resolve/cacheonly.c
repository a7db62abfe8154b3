/* cacheonly: an answer out of what is known, for who may not, or cannot, have anybody asked. */
#include <string.h>

#include "common/check.h"
#include "recursor/resolve/known.h"

/* The answer as it grows: the references that its sets are borrowed from. */
struct known_answer {
	struct answer a;
	struct rrset *chain[GOAL_CHAIN_MAX];
	struct rrset *denial;
	struct rrset *authority[GOAL_AUTHORITY_MAX]; /* borrowed of both */
};

static void chain_add(struct known_answer *k, struct rrset *set)
{
	if (set != NULL && EXPECT(k->a.n_sets < GOAL_CHAIN_MAX))
		k->chain[k->a.n_sets++] = rrset_get(set);
}

static void deny(struct known_answer *k, struct rrset *denial)
{
	k->denial = rrset_get(denial);
	k->a.rcode = denial->kind == RRSET_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR;
	k->a.cacheable = denial->n_proofs > 0;
}

static bool take_special(struct resolver *r, const uint8_t *name, const struct question *q,
			 struct known_answer *k)
{
	struct rrset *set = NULL;

	if (!special_find(r, name, q->type, &set))
		return false;
	if (q->validate)
		k->a.security = security_of_both(k->a.security, SEC_INSECURE);
	if (set == NULL) {
		k->a.rcode = RCODE_SERVFAIL;
		answer_blame(&k->a, CAUSE_MEMORY);
	} else if (set->kind == RRSET_DATA) {
		chain_add(k, set);
		k->a.cacheable = true;
	} else {
		deny(k, set);
	}
	rrset_put(set);
	return true;
}

static void blame_bogus(struct known_answer *k, const struct rrset *set)
{
	k->a.rcode = RCODE_SERVFAIL;
	k->a.cacheable = false;
	answer_blame_bogus(&k->a, rrset_bogus(set));
}

/* One link of the answer.  True: an alias, on with its target, which is put into `name`. */
static bool take_link(struct resolver *r, uint8_t name[NAME_MAX_LEN], const struct question *q,
		      struct known_answer *k)
{
	uint16_t type = q->type;
	const struct rrset *mark;
	struct knowledge found;
	struct rdata target;
	bool goes_on = false;
	size_t at = 0;

	if (take_special(r, name, q, k))
		return false;
	knowledge_look(r, name, name_hash(name), type, q->validate ? LOOK_VALIDATED : LOOK_ANSWER,
		       0, NAME_MAX_LABELS, &found);
	if (!knowledge_may_serve(r, &found, name, type, q->validate, &k->a.security)) {
		if (k->a.security == SEC_BOGUS)
			blame_bogus(k, found.dname != NULL ? found.dname : found.set);
		knowledge_clear(&found);
		return false;
	}
	mark = found.dname != NULL ? found.dname : found.set;
	/* A failure may have no set. */
	if (found.what != KNOWN_NOTHING && found.what != KNOWN_FAILURE)
		answer_blame_insecure(&k->a, rrset_bogus(mark));
	if (found.authoritative) {
		COUNT(r->counters, auth_zone_queries);
		k->a.authoritative |= k->a.n_sets == 0;
	}
	switch (found.what) {
	case KNOWN_DATA:
		chain_add(k, found.set);
		k->a.cacheable = true;
		break;
	case KNOWN_ALIAS:
		chain_add(k, found.dname);
		chain_add(k, found.set);
		/* The CNAME that a DNAME makes is what was asked for. */
		goes_on = type != TYPE_CNAME && EXPECT(rrset_next(found.set, &at, &target));
		if (goes_on)
			name_lower(name, target.data);
		break;
	case KNOWN_NODATA:
	case KNOWN_NXDOMAIN:
		deny(k, found.set);
		break;
	case KNOWN_YXDOMAIN:
		chain_add(k, found.dname);
		k->a.rcode = RCODE_YXDOMAIN;
		answer_blame(&k->a, CAUSE_ALIAS_TOO_LONG);
		k->a.cacheable = true;
		break;
	case KNOWN_FAILURE:
	case KNOWN_NOTHING:
		break;
	}
	knowledge_clear(&found);
	return goes_on;
}

void cacheonly_answer(struct resolver *r, const struct question *q, resolver_done_cb done,
		      void *ctx)
{
	struct known_answer k = {
		.a = { .ede = EDE_NONE, .from_cache = true, .trace = q->trace },
	};
	uint8_t name[NAME_MAX_LEN];

	name_lower(name, q->name);
	/* A link adds two sets at the most. */
	for (uint32_t links = 0; links <= r->cfg.max_cnames && k.a.n_sets + 2 <= GOAL_CHAIN_MAX;
	     links++)
		if (!take_link(r, name, q, &k))
			break;
	if (k.a.n_sets == 0 && k.denial == NULL && k.a.rcode == RCODE_NOERROR) {
		k.a.rcode = RCODE_REFUSED;
		answer_blame(&k.a, CAUSE_NO_RECURSION);
	}
	k.a.sets = k.chain;
	k.a.authority = k.authority;
	k.a.n_authority = goal_authority(k.authority, k.a.security, k.denial, k.chain, k.a.n_sets);
	done(ctx, &k.a);
	while (k.a.n_sets > 0)
		rrset_put(k.chain[--k.a.n_sets]);
	rrset_put(k.denial);
}
