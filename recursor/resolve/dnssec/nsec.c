#include "recursor/resolve/dnssec/nsec.h"

#include "common/check.h"
#include "common/rrtype.h"

bool nsec_read(struct nsec *out, const struct rrset *s, const uint8_t *zone)
{
	struct nsec n;
	struct rdata rr;
	size_t len;

	if (!proof_read(s, TYPE_NSEC, zone, &rr) || name_check(rr.data, rr.len, &len) != E_OK)
		return false;
	n = (struct nsec) {
		.owner = rrset_owner(s),
		.next = rr.data,
		.types = { .data = rr.data + len, .len = rr.len - len },
	};
	if (!typemap_is_valid(&n.types) || !name_is_within(n.next, zone))
		return false;
	/* The last one names the apex (RFC 4034 4.1.1); any other goes forward. */
	if (!name_equal(n.next, zone) && name_compare(n.owner, n.next) >= 0)
		return false;
	*out = n;
	return true;
}

void nsec_open(struct nsec *out, const struct rrset *s)
{
	struct rdata rr;
	size_t at = 0, len;

	ASSERT(rrset_next(s, &at, &rr));
	len = name_len(rr.data);
	*out = (struct nsec) {
		.owner = rrset_owner(s),
		.next = rr.data,
		.types = { .data = rr.data + len, .len = rr.len - len },
	};
}

bool nsec_covers(const struct nsec *n, const uint8_t *zone, const uint8_t *name)
{
	return name_compare(n->owner, name) < 0 &&
	       (name_compare(name, n->next) < 0 || name_equal(n->next, zone)) &&
	       !(typemap_ends_zone(&n->types) && name_is_below(name, n->owner));
}

bool nsec_is_absent(const struct nsec *n, const uint8_t *zone, const uint8_t *name)
{
	return nsec_covers(n, zone, name) && !name_is_below(n->next, name);
}

const uint8_t *nsec_encloser(const struct nsec *n, const uint8_t *name)
{
	unsigned owner = name_common_labels(name, n->owner);
	unsigned next = name_common_labels(name, n->next);

	return name_suffix(name, owner > next ? owner : next);
}

static bool find_absent(const struct denial_proof *p, const uint8_t *name, struct nsec *out)
{
	for (size_t i = 0; i < p->n; i++)
		if (nsec_read(out, p->sets[i], p->zone) && nsec_is_absent(out, p->zone, name))
			return true;
	return false;
}

/* Has the name an NSEC of its own? */
static bool has_node(const struct denial_proof *p, const uint8_t *name)
{
	struct nsec n;

	for (size_t i = 0; i < p->n; i++)
		if (nsec_read(&n, p->sets[i], p->zone) && name_equal(n.owner, name))
			return true;
	return false;
}

/* It is there, or a name below it is. */
static bool exists(const struct denial_proof *p, const uint8_t *name)
{
	struct nsec n;

	for (size_t i = 0; i < p->n; i++)
		if (nsec_read(&n, p->sets[i], p->zone) &&
		    (name_is_within(n.owner, name) || name_is_within(n.next, name)))
			return true;
	return false;
}

enum denial nsec_nxdomain(const struct denial_proof *p, const uint8_t *name,
			  struct dnssec_work *work)
{
	uint8_t wildcard[NAME_MAX_LEN];
	const uint8_t *encloser;
	struct nsec n;

	if (!find_absent(p, name, &n))
		return proof_lacks(work, exists(p, name) ? DENIAL_GAP_EXISTS : DENIAL_GAP_NAME,
				   name);
	encloser = nsec_encloser(&n, name);
	if (!proof_wildcard(wildcard, encloser) || !find_absent(p, wildcard, &n))
		return proof_lacks(work, DENIAL_GAP_WILDCARD, encloser);
	return DENIAL_PROVED;
}

/* The name is in the zone and has no such type. */
static bool has_node_without(const struct denial_proof *p, const uint8_t *name, uint16_t type)
{
	struct nsec n;

	for (size_t i = 0; i < p->n; i++) {
		if (!nsec_read(&n, p->sets[i], p->zone))
			continue;
		if (name_equal(n.owner, name)) {
			if (typemap_denies(&n.types, name, type))
				return true;
		} else if (nsec_covers(&n, p->zone, name) && name_is_below(n.next, name)) {
			return true; /* an empty non-terminal: no types at all */
		}
	}
	return false;
}

enum denial nsec_nodata(const struct denial_proof *p, const uint8_t *name, uint16_t type,
			struct dnssec_work *work)
{
	uint8_t wildcard[NAME_MAX_LEN];
	const uint8_t *encloser;
	struct nsec n;

	if (has_node_without(p, name, type))
		return DENIAL_PROVED;
	/* Or there is no such name, and the wildcard that stands in for it has no such type. */
	if (!find_absent(p, name, &n))
		return proof_lacks(work, has_node(p, name) ? DENIAL_GAP_TYPE : DENIAL_GAP_NAME,
				   name);
	encloser = nsec_encloser(&n, name);
	if (!proof_wildcard(wildcard, encloser))
		return proof_lacks(work, DENIAL_GAP_WILDCARD_NODE, encloser);
	if (!has_node_without(p, wildcard, type))
		return proof_lacks(work,
				   has_node(p, wildcard) ? DENIAL_GAP_WILDCARD_TYPE
							 : DENIAL_GAP_WILDCARD_NODE,
				   encloser);
	return DENIAL_PROVED;
}

enum denial nsec_wildcard(const struct denial_proof *p, const uint8_t *name, unsigned labels,
			  struct dnssec_work *work)
{
	const uint8_t *closer = name_suffix(name, labels + 1);
	struct nsec n;

	/* The next closer name is absent with all below it, and so is all between it and `name`. */
	return find_absent(p, closer, &n) ? DENIAL_PROVED
					  : proof_lacks(work, DENIAL_GAP_NEXT_CLOSER, closer);
}

enum ds_denial nsec_ds(const struct denial_proof *p, const uint8_t *name, struct dnssec_work *work)
{
	struct nsec n;

	(void)proof_lacks(work, DENIAL_GAP_NAME, name);
	for (size_t i = 0; i < p->n; i++) {
		if (!nsec_read(&n, p->sets[i], p->zone))
			continue;
		if (name_equal(n.owner, name)) {
			(void)proof_lacks(work, DENIAL_GAP_TYPE, name);
			return typemap_ds(&n.types, name);
		}
		if (nsec_covers(&n, p->zone, name))
			return name_is_below(n.next, name) ? DS_DENIAL_NO_CUT : DS_DENIAL_NO_NAME;
	}
	return DS_DENIAL_NOT_PROVED;
}

unsigned nsec_empty_labels(const struct denial_proof *p, const uint8_t *name, const uint8_t *whole)
{
	unsigned labels = name_labels(name);
	struct nsec n;

	for (size_t i = 0; i < p->n; i++) {
		unsigned common;

		if (!nsec_read(&n, p->sets[i], p->zone) || !nsec_covers(&n, p->zone, name))
			continue;
		/* What is above the next name comes before it, and behind `name` what is below that. */
		common = name_common_labels(n.next, whole);
		if (common == name_labels(n.next))
			common--;
		if (common > labels)
			labels = common;
	}
	return labels;
}
