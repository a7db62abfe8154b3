#include "recursor/trial_known.h"

#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/validate.h"

enum { DNS_PORT = 53 };

/* ---- the answer ---- */

/* Takes the set out of the view. */
static struct rrset *take(struct known *k, struct rrset **from)
{
	struct rrset *s = *from;
	enum security its = rrset_security(s);

	*from = NULL;
	if (its == SEC_BOGUS && k->security != SEC_BOGUS)
		k->bogus = rrset_bogus(s);
	/* What nobody has looked at may be anything. */
	if (k->security == SEC_UNCHECKED || its == SEC_UNCHECKED)
		k->security = SEC_UNCHECKED;
	else
		k->security = security_of_both(k->security, its);
	return s;
}

/* One link.  True: an alias; on with `name`. */
static bool take_link(struct known *k, struct cache_view *v, uint16_t type,
		      uint8_t name[NAME_MAX_LEN], bool *is_known)
{
	struct rdata target;
	size_t at = 0;

	*is_known = true;
	if (v->exact != NULL && v->exact->kind == RRSET_DATA) {
		k->sets[k->n_sets++] = take(k, &v->exact);
		return false;
	}
	if (v->cname != NULL && type != TYPE_CNAME && rrset_next(v->cname, &at, &target)) {
		name_lower(name, target.data);
		k->sets[k->n_sets++] = take(k, &v->cname);
		return true;
	}
	if (v->nxdomain != NULL) {
		k->rcode = RCODE_NXDOMAIN;
		k->denial = take(k, &v->nxdomain);
		return false;
	}
	if (v->exact != NULL && v->exact->kind == RRSET_NODATA) {
		k->is_nodata = true;
		k->denial = take(k, &v->exact);
		return false;
	}
	if (v->exact != NULL)
		k->rcode = RCODE_SERVFAIL;
	else
		*is_known = false;
	return false;
}

bool known_look(struct known *k, struct cache *cache, const uint8_t *name, uint16_t type,
		uint32_t now_s)
{
	uint8_t at[NAME_MAX_LEN];
	bool is_known = false, goes_on = true;

	*k = (struct known) { .rcode = RCODE_NOERROR, .now_s = now_s, .security = SEC_SECURE };
	name_lower(at, name);
	while (goes_on && k->n_sets < KNOWN_LINKS_MAX) {
		struct cache_view view = { 0 };

		is_known = false;
		goes_on = false;
		if (cache_look(cache, at, type, CACHE_WANT_ANSWER, now_s, KNOWN_STALE_S, &view))
			goes_on = take_link(k, &view, type, at, &is_known);
		cache_view_put(&view);
	}
	if (is_known && !goes_on)
		return true;
	known_put(k);
	return false;
}

void known_put(struct known *k)
{
	for (size_t i = 0; i < k->n_sets; i++)
		rrset_put(k->sets[i]);
	rrset_put(k->denial);
	k->n_sets = 0;
	k->denial = NULL;
}

static int add_rows(struct hook_records *to, const struct rrset *s, enum hook_place place,
		    uint32_t now_s)
{
	struct rdata rr;
	size_t at = 0;

	while (rrset_next(s, &at, &rr)) {
		struct hook_record row = {
			.name = rrset_owner(s),
			.rdata = rr.data,
			.rdlen = rr.len,
			.ttl = rrset_ttl_left(s, now_s),
			.type = s->type,
			.class = CLASS_IN,
			.place = (uint8_t)place,
		};
		int err = hookrecords_add(to, &row);

		if (err != E_OK)
			return err;
	}
	return E_OK;
}

int known_rows(struct hook_records *to, const struct known *k)
{
	int err = E_OK;

	for (size_t i = 0; i < k->n_sets && err == E_OK; i++)
		err = add_rows(to, k->sets[i], PLACE_ANSWER, k->now_s);
	if (err == E_OK && k->denial != NULL && k->denial->n_proofs > 0)
		err = add_rows(to, rrset_proofs(k->denial)[0], PLACE_AUTHORITY, k->now_s);
	return err;
}

/* ---- the servers ---- */

static size_t add_addresses(struct addr *out, size_t n, size_t max, const struct rrset *s)
{
	struct rdata rr;
	size_t at = 0;

	while (s != NULL && s->kind == RRSET_DATA && n < max && rrset_next(s, &at, &rr)) {
		bool is_new = addr_from_rdata(&out[n], rr.data, rr.len, DNS_PORT) == E_OK;

		for (size_t i = 0; is_new && i < n; i++)
			is_new = !addr_equal(&out[i], &out[n]);
		n += is_new;
	}
	return n;
}

static size_t addresses_of(struct addr *out, size_t max, struct cache *cache,
			   const struct rrset *ns, uint32_t now_s)
{
	struct rdata rr;
	size_t at = 0, n = 0;

	while (n < max && rrset_next(ns, &at, &rr)) {
		struct cache_addresses known = { 0 };

		cache_get_addresses(cache, rr.data, name_hash(rr.data), now_s, KNOWN_STALE_S,
				    &known);
		n = add_addresses(out, n, max, known.a != NULL ? known.a : known.glue_a);
		n = add_addresses(out, n, max, known.aaaa != NULL ? known.aaaa : known.glue_aaaa);
		cache_addresses_put(&known);
	}
	return n;
}

size_t known_servers(struct addr *out, size_t max, struct cache *cache, const uint8_t *name,
		     uint32_t now_s)
{
	const uint8_t *zone = name;
	size_t n = 0;

	for (;;) {
		struct cache_view v = { 0 };
		const struct rrset *ns = NULL;

		if (cache_look(cache, zone, TYPE_NS, CACHE_WANT_CUT, now_s, KNOWN_STALE_S, &v))
			ns = v.delegation != NULL ? v.delegation : v.ns;
		if (ns != NULL && ns->kind == RRSET_DATA)
			n = addresses_of(out, max, cache, ns, now_s);
		cache_view_put(&v);
		if (n > 0 || name_is_root(zone))
			return n;
		zone = name_parent(zone);
	}
}
