#include "recursor/resolve/dnssec/denial.h"

#include "recursor/resolve/dnssec/nsec.h"
#include "recursor/resolve/dnssec/nsec3.h"

const char *denial_gap_text(const struct dnssec_work *work, const uint8_t *name,
			    uint8_t about[NAME_MAX_LEN])
{
	static const struct {
		bool is_wildcard;
		const char *text;
	} gaps[DENIAL_GAP_N] = {
#define DENIAL_GAP_ROW(symbol, is_wildcard, text) { is_wildcard, text },
		DENIAL_GAPS(DENIAL_GAP_ROW)
#undef DENIAL_GAP_ROW
	};

	if (work->gap == DENIAL_GAP_NONE || work->gap_labels > name_labels(name))
		return NULL;
	name = name_suffix(name, work->gap_labels);
	if (!gaps[work->gap].is_wildcard || !proof_wildcard(about, name))
		(void)name_copy(about, name);
	return gaps[work->gap].text;
}

/* A zone has one chain or the other; while it changes, both. */

enum denial denial_nxdomain(const struct dnssec_limits *limits, const struct denial_proof *p,
			    const uint8_t *name, struct dnssec_work *work)
{
	if (!name_is_below(name, p->zone))
		return proof_lacks(work, DENIAL_GAP_ZONE, name);
	if (nsec_nxdomain(p, name, work) == DENIAL_PROVED)
		return DENIAL_PROVED;
	return nsec3_nxdomain(limits, p, name, work);
}

enum denial denial_nodata(const struct dnssec_limits *limits, const struct denial_proof *p,
			  const uint8_t *name, uint16_t type, struct dnssec_work *work)
{
	if (!name_is_within(name, p->zone))
		return proof_lacks(work, DENIAL_GAP_ZONE, name);
	if (nsec_nodata(p, name, type, work) == DENIAL_PROVED)
		return DENIAL_PROVED;
	return nsec3_nodata(limits, p, name, type, work);
}

enum denial denial_wildcard(const struct dnssec_limits *limits, const struct denial_proof *p,
			    const uint8_t *name, unsigned labels, struct dnssec_work *work)
{
	unsigned have = name_labels(name);

	if (!name_is_within(name, p->zone) || labels > have)
		return proof_lacks(work, DENIAL_GAP_ZONE, name);
	/* Not expanded at all: the name itself, or the wildcard asked for by its name (which an apex may
	 * be, too). */
	if (labels == have || labels == name_signed_labels(name))
		return DENIAL_PROVED;
	if (labels < name_labels(p->zone))
		return proof_lacks(work, DENIAL_GAP_ZONE, name);
	if (nsec_wildcard(p, name, labels, work) == DENIAL_PROVED)
		return DENIAL_PROVED;
	return nsec3_wildcard(limits, p, name, labels, work);
}

enum ds_denial denial_ds(const struct dnssec_limits *limits, const struct denial_proof *p,
			 const uint8_t *name, struct dnssec_work *work)
{
	enum ds_denial said;

	if (!name_is_within(name, p->zone))
		return DS_DENIAL_NOT_PROVED;
	said = nsec_ds(p, name, work);
	return said != DS_DENIAL_NOT_PROVED ? said : nsec3_ds(limits, p, name, work);
}

unsigned denial_empty_labels(const struct denial_proof *p, const uint8_t *name,
			     const uint8_t *whole)
{
	return nsec_empty_labels(p, name, whole);
}

bool denial_has_many_iterations(const struct dnssec_limits *limits, const struct denial_proof *p)
{
	return nsec3_has_many_iterations(limits, p);
}
