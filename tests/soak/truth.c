/* truth: what is at a name; see internet.h. */
#include "tests/soak/internet.h"

#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/reply.h"

const struct zone *zone_of(const struct internet *net, const uint8_t *name, uint16_t type,
			   uint32_t mask)
{
	const struct zone *best = NULL, *own = NULL;

	for (unsigned i = 0; i < net->n_zones; i++) {
		const struct zone *z = &net->zones[i];

		if (z->gone || !(mask >> i & 1) || !name_is_within(name, z->apex))
			continue;
		if (type == TYPE_DS && name_equal(name, z->apex))
			own = z;
		else if (best == NULL || z->labels > best->labels)
			best = z;
	}
	/* Of its own DS a zone answers only when there is nobody above it to ask. */
	return best != NULL ? best : own;
}

/* What was met of a name on the way through a zone's sets. */
struct meeting {
	const struct model_set *exact, *cname, *dname;
	bool exists;      /* with any type */
	bool has_below;   /* something is below it */
	unsigned closest; /* labels of the deepest ancestor that exists, or of the name */
};

static void meet(struct meeting *m, const uint8_t *owner, const uint8_t *name)
{
	unsigned common = name_common_labels(owner, name);

	if (common > m->closest)
		m->closest = common;
	m->has_below = m->has_below || name_is_below(owner, name);
}

static void meet_set(struct meeting *m, const struct model_set *s, const uint8_t *name,
		     uint16_t type)
{
	if (name_equal(s->owner, name)) {
		m->exists = true;
		if (s->type == type)
			m->exact = s;
		if (s->type == TYPE_CNAME)
			m->cname = s;
	} else if (s->type == TYPE_DNAME && name_is_below(name, s->owner)) {
		m->dname = s;
	}
	meet(m, s->owner, name);
}

static const struct model_set *set_next(const struct internet *net, const struct model_set *s)
{
	return s->next == SET_NONE ? NULL : &net->sets[s->next];
}

static const struct model_set *zone_sets(const struct internet *net, const struct zone *z)
{
	return z->first_set == SET_NONE ? NULL : &net->sets[z->first_set];
}

/* RFC 4592 2.2.1: the asterisk right below the closest encloser, or nothing. */
static void wildcard_meet(const struct internet *net, const struct zone *z, const uint8_t *name,
			  uint16_t type, unsigned closest, struct meeting *out)
{
	const uint8_t *encloser = name_suffix(name, closest);

	memset(out, 0, sizeof(*out));
	for (const struct model_set *s = zone_sets(net, z); s != NULL; s = set_next(net, s)) {
		if (s->owner[0] != 1 || s->owner[1] != '*' ||
		    !name_equal(name_parent(s->owner), encloser))
			continue;
		out->exists = true;
		if (s->type == type)
			out->exact = s;
		if (s->type == TYPE_CNAME)
			out->cname = s;
	}
}

static void at_name(const struct meeting *m, struct truth *out)
{
	if (m->exact != NULL) {
		out->kind = TRUTH_DATA;
		out->set = m->exact;
	} else if (m->cname != NULL) {
		out->kind = TRUTH_CNAME;
		out->set = m->cname;
	} else {
		out->kind = TRUTH_NODATA;
	}
}

void truth_in_zone(const struct internet *net, const struct zone *z, const uint8_t *name,
		   uint16_t type, struct truth *out)
{
	struct meeting m = { 0 }, wild;

	*out = (struct truth) { .zone = z };
	for (unsigned i = 1; i < net->n_zones; i++) {
		const struct zone *c = &net->zones[i];

		if (c->gone || &net->zones[c->parent] != z)
			continue;
		if (name_is_within(name, c->apex) &&
		    !(type == TYPE_DS && name_equal(name, c->apex))) {
			out->kind = TRUTH_REFERRAL;
			out->child = c;
			return;
		}
		m.exists = m.exists || name_equal(name, c->apex);
		meet(&m, c->apex, name);
	}
	for (const struct model_set *s = zone_sets(net, z); s != NULL; s = set_next(net, s))
		meet_set(&m, s, name, type);
	if (m.dname != NULL) {
		out->kind = TRUTH_DNAME;
		out->set = m.dname;
	} else if (m.exists) {
		at_name(&m, out);
	} else if (m.has_below) {
		out->kind = TRUTH_NODATA;
		out->empty = true;
	} else {
		wildcard_meet(net, z, name, type, m.closest, &wild);
		out->is_wildcard = wild.exists;
		if (wild.exists)
			at_name(&wild, out);
		else
			out->kind = TRUTH_NXDOMAIN;
	}
}

void truth_of(const struct internet *net, const uint8_t *name, uint16_t type, struct truth *out)
{
	truth_in_zone(net, zone_of(net, name, type, UINT32_MAX), name, type, out);
}

bool truth_target(const struct internet *net, const struct truth *t, const uint8_t *name,
		  uint8_t out[NAME_MAX_LEN])
{
	const uint8_t *target = model_record(net, t->set, 0)->data;

	if (t->kind == TRUTH_DNAME)
		return dname_substitute(out, name, t->set->owner, target) == E_OK;
	name_copy(out, target);
	return true;
}

/* Equal but for the case of letters: names in rdata may have been compressed on the way. */
static bool rdata_equal(const struct rdata *a, const struct rdata *b)
{
	if (a->len != b->len)
		return false;
	for (unsigned i = 0; i < a->len; i++) {
		uint8_t x = a->data[i], y = b->data[i];

		if (x != y && ((x ^ y) != 0x20 || (x | 0x20) < 'a' || (x | 0x20) > 'z'))
			return false;
	}
	return true;
}

static bool model_has(const struct internet *net, const struct model_set *m, const struct rdata *rr,
		      unsigned likely)
{
	if (likely < m->n && rdata_equal(model_record(net, m, likely), rr))
		return true;
	for (unsigned i = 0; i < m->n; i++)
		if (rdata_equal(model_record(net, m, i), rr))
			return true;
	return false;
}

bool truth_has(const struct internet *net, const struct model_set *m, const struct rrset *s)
{
	struct rdata rr;
	size_t at = 0;

	if (s->type != m->type || s->n_rr != m->n)
		return false;
	for (unsigned i = 0; rrset_next(s, &at, &rr); i++)
		if (!model_has(net, m, &rr, i))
			return false;
	return true;
}
