/* known: what is known of a name without asking: an answer, out of a zone of ours or the cache, and
 * the closest zone cut, not above the name's configured zone. */
#include "recursor/resolve/asking.h"

#include <string.h>

#include "recursor/resolve/authzone.h"

void knowledge_clear(struct knowledge *k)
{
	rrset_put(k->set);
	rrset_put(k->dname);
	rrset_put(k->ns_own);
	rrset_put(k->ns_parent);
	memset(k, 0, sizeof(*k));
}

bool knowledge_may_serve(const struct resolver *r, const struct knowledge *k, const uint8_t *name,
			 uint16_t type, bool validate, enum security *so_far)
{
	const struct rrset *s = k->dname != NULL ? k->dname : k->set;
	enum security security;

	if (!validate || s == NULL)
		return true;
	security = k->authoritative || s->rank == RANK_LOCAL ? SEC_INSECURE : rrset_security(s);
	/* Where nothing is validated, there is no verdict to wait for. */
	if (security == SEC_UNCHECKED)
		security = check_security_unasked(
			r, rrset_owner(s), type == TYPE_DS && name_equal(rrset_owner(s), name),
			NULL);
	*so_far = security_of_both(*so_far, security);
	return security != SEC_UNCHECKED && security != SEC_BOGUS;
}

/* RFC 2181 5.4.1: additional data and the authority of a referral are never an answer. */
static bool may_answer(const struct rrset *s)
{
	return s != NULL && s->rank > RANK_REFERRAL;
}

static void take(struct knowledge *k, enum known what, struct rrset **set)
{
	k->what = what;
	k->set = *set;
	*set = NULL;
}

/* What was said, when its DS was asked for, of a zone that the operator has configured, by who delegates
 * it or does not know it. */
static bool is_the_parents(const struct knowledge *k, const struct rrset *s)
{
	return k->zone != NULL && s->zone_labels < k->floor_labels &&
	       name_labels(rrset_owner(s)) == k->floor_labels;
}

/* A denial or an alias of the name: is there one, and does it speak of the type? */
static bool speaks_of(const struct knowledge *k, const struct rrset *s, uint16_t type)
{
	return s != NULL && rrset_speaks_of(s, type) && !is_the_parents(k, s);
}

static uint32_t made_s(const struct rrset *s)
{
	return s->expires_s - s->ttl;
}

static bool is_newer(const struct rrset *s, const struct rrset *than)
{
	return s != NULL && (int32_t)(made_s(s) - made_s(than)) > 0;
}

/* Is it a later word, and one that will be heard? */
static bool supersedes(const struct knowledge *k, const struct rrset *by, const struct rrset *s,
		       uint16_t type)
{
	return is_newer(by, s) && speaks_of(k, by, type);
}

/* Of what has expired only the newest word on a name counts, and no failure stands in its way. */
static void stale_sort_out(const struct knowledge *k, struct cache_view *v, uint16_t type,
			   uint32_t now_s)
{
	struct rrset *s = v->exact;

	if (s == NULL)
		return;
	if (s->kind == RRSET_FAILURE ||
	    (rrset_is_expired(s, now_s) &&
	     ((may_answer(v->cname) && supersedes(k, v->cname, s, type)) ||
	      supersedes(k, v->nxdomain, s, type)))) {
		rrset_put(s);
		v->exact = NULL;
	}
}

static bool is_believed(const struct rrset *s)
{
	enum security security = s != NULL ? rrset_security(s) : SEC_UNCHECKED;

	return security == SEC_SECURE || security == SEC_INSECURE;
}

/* All servers' answers to that question were bogus (validate_give_up()).  An alias or a denial that stands
 * beside that and that nobody has checked came with another question, and may be the same lie. */
static bool is_bogus(const struct cache_view *v, enum look what)
{
	return what == LOOK_VALIDATED && rrset_is_bogus_failure(v->exact) &&
	       !is_believed(v->nxdomain) && !is_believed(v->cname);
}

static bool is_failure(struct resolver *r, const struct rrset *s)
{
	return s != NULL && s->kind == RRSET_FAILURE && !rrset_is_bogus_failure(s) &&
	       !network_voids(r, s);
}

/* At the name itself. */
static void answer_take(struct resolver *r, struct knowledge *k, struct cache_view *v,
			uint16_t type, enum look what)
{
	if (is_bogus(v, what))
		take(k, KNOWN_FAILURE, &v->exact);
	else if (v->exact != NULL && v->exact->kind == RRSET_DATA && may_answer(v->exact))
		take(k, KNOWN_DATA, &v->exact);
	else if (speaks_of(k, v->nxdomain, type))
		take(k, KNOWN_NXDOMAIN, &v->nxdomain);
	else if (v->exact != NULL && v->exact->kind == RRSET_NODATA)
		take(k, KNOWN_NODATA, &v->exact);
	else if (may_answer(v->cname) && speaks_of(k, v->cname, type))
		take(k, type == v->cname->type ? KNOWN_DATA : KNOWN_ALIAS, &v->cname);
	else if (is_failure(r, v->exact))
		take(k, KNOWN_FAILURE, &v->exact);
}

/* May a denial of an ancestor answer for all below it (RFC 8020)? */
static bool nx_covers(const struct resolver *r, const struct knowledge *k, const struct rrset *nx)
{
	switch (r->cfg.nothing_below_nxdomain) {
	case NX_CUT_YES:
		return true;
	case NX_CUT_DNSSEC:
		if (rrset_security(nx) == SEC_SECURE)
			return true;
		break;
	case NX_CUT_NO:
		break;
	}
	/* root-nx-trust: the root, and nobody else, knows all top-level domains; but not those that are
	 * configured. */
	return r->cfg.root_nx_trust && nx->owner_len > 1 && nx->zone_labels == 0 &&
	       k->floor_labels == 0 && nx->owner_len == 2 + rrset_owner(nx)[0];
}

bool knowledge_is_heard(const struct resolver *r, const uint8_t *name, uint16_t type,
			const struct rrset *s)
{
	return r->cfg.dnssec < DNSSEC_PROCESS ||
	       !check_is_above_anchor(r, name, type == TYPE_DS, rrset_owner(s));
}

/* At an ancestor of the name. */
static void ancestor_take(struct resolver *r, struct knowledge *k, struct cache_view *v,
			  const uint8_t *name, uint16_t type, uint32_t now_s)
{
	int err = E_NOT_FOUND;

	if (may_answer(v->dname) && knowledge_is_heard(r, name, type, v->dname))
		err = cname_synthesise(&k->set, name, v->dname, now_s);
	if (err == E_OK || err == E_TOO_LONG) {
		k->what = err == E_OK ? KNOWN_ALIAS : KNOWN_YXDOMAIN;
		k->dname = v->dname;
		v->dname = NULL;
	} else if (v->nxdomain != NULL && nx_covers(r, k, v->nxdomain) &&
		   !is_the_parents(k, v->nxdomain) &&
		   knowledge_is_heard(r, name, type, v->nxdomain)) {
		take(k, KNOWN_NXDOMAIN, &v->nxdomain);
	}
}

static bool cut_take(struct knowledge *k, struct cache_view *v, unsigned labels)
{
	if (v->delegation == NULL)
		return false;
	k->zone_labels = labels;
	k->ns_own = v->ns;
	rrset_put(k->ns_parent); /* our own delegation, from further up */
	k->ns_parent = v->delegation;
	v->ns = v->delegation = NULL;
	return true;
}

/* Where the way up ends: the root, a forward, or a delegation from a zone of ours, whose NS set is
 * there already. */
static void floor_take(struct resolver *r, struct knowledge *k, struct cache_view *v)
{
	k->zone_labels = k->floor_labels;
	if (k->zone != NULL && k->zone->auth == NULL)
		return;
	k->ns_own = v->ns;
	v->ns = NULL;
	if (k->zone == NULL && r->root_ns != NULL)
		k->ns_parent = rrset_get(r->root_ns);
}

/* What a zone of ours says of the name; false: it delegates it, so that the cache is looked in down
 * to the delegation. */
static bool auth_take(struct knowledge *k, const uint8_t *name, uint16_t type, uint32_t now_s)
{
	static const uint8_t kinds[] = {
		[AUTH_DATA] = KNOWN_DATA,         [AUTH_ALIAS] = KNOWN_ALIAS,
		[AUTH_NODATA] = KNOWN_NODATA,     [AUTH_NXDOMAIN] = KNOWN_NXDOMAIN,
		[AUTH_YXDOMAIN] = KNOWN_YXDOMAIN, [AUTH_REFERRAL] = KNOWN_NOTHING,
	};
	struct auth_answer a;

	/* Without memory there is no answer, and nobody else is asked for one. */
	k->authoritative = true;
	k->what = KNOWN_FAILURE;
	if (authzone_look(k->zone->auth, name, type, now_s, &a) != E_OK)
		return true;
	k->what = (enum known)kinds[a.kind];
	if (a.kind == AUTH_REFERRAL) {
		k->authoritative = false;
		k->floor_labels = name_labels(rrset_owner(a.set));
		k->ns_parent = a.set;
		return false;
	}
	k->set = a.set;
	k->dname = a.dname;
	return true;
}

void knowledge_look(struct resolver *r, const uint8_t *name, uint64_t hash, uint16_t type,
		    enum look what, uint32_t stale_s, unsigned max_labels, struct knowledge *k)
{
	bool answer = what != LOOK_CUT;
	uint32_t now_s = r->world.wall_s(r->world.ctx);
	unsigned whole = name_labels(name);
	const uint8_t *at = name;
	uint64_t parent_hash = 0;
	bool done = false;

	memset(k, 0, sizeof(*k));
	k->zone_hash = hash;
	k->zone = zones_find_for(r->zones, name, type);
	if (k->zone != NULL)
		k->floor_labels = k->zone->labels;
	if (k->zone != NULL && k->zone->auth != NULL && auth_take(k, name, type, now_s))
		return;
	/* The parent comes nearer while the name is looked for: most often it is the zone. */
	if (whole > k->floor_labels) {
		parent_hash = name_hash(name_parent(name));
		cache_fetch_bucket(r->cache, parent_hash);
	}
	for (unsigned labels = whole; !done; labels--, at = name_parent(at)) {
		struct cache_view v;
		unsigned want = CACHE_WANT_CUT;
		/* RFC 4035 3.1.4.1: the DS of a zone is asked of its parent.  A resolver is asked for
		 * all names alike, wherever zones are cut. */
		bool may_cut = labels <= max_labels && !(type == TYPE_DS && labels == whole) &&
			       !(k->zone != NULL && k->zone->recurse);

		if (labels == whole && answer)
			want |= CACHE_WANT_ANSWER;
		if (labels < whole)
			k->zone_hash = labels + 1 == whole ? parent_hash : name_hash(at);
		memset(&v, 0, sizeof(v));
		if (cache_look_hashed(r->cache, at, k->zone_hash, type, want, now_s, stale_s, &v) &&
		    answer) {
			if (stale_s != 0)
				stale_sort_out(k, &v, type, now_s);
			if (labels == whole)
				answer_take(r, k, &v, type, what);
			else
				ancestor_take(r, k, &v, name, type, now_s);
		}
		done = k->what != KNOWN_NOTHING || labels == k->floor_labels;
		if (done && k->what == KNOWN_NOTHING)
			floor_take(r, k, &v);
		else if (!done && may_cut)
			done = cut_take(k, &v, labels);
		cache_view_put(&v);
	}
}
