#include "recursor/resolve/dnssec/proof.h"

#include "common/rrtype.h"
#include "recursor/resolve/dnssec/key.h"

enum { WINDOW_MAX = 32 }; /* bytes of a window's bitmap */

bool typemap_is_valid(const struct typemap *m)
{
	int last = -1;

	for (size_t at = 0; at < m->len;) {
		if (m->len - at < 2 || m->data[at] <= last)
			return false;
		last = m->data[at];
		if (m->data[at + 1] == 0 || m->data[at + 1] > WINDOW_MAX ||
		    m->data[at + 1] > m->len - at - 2)
			return false;
		at += 2 + (size_t)m->data[at + 1];
	}
	return true;
}

bool typemap_has(const struct typemap *m, uint16_t type)
{
	const unsigned window = type >> 8, byte = (type & 0xffU) / 8, bit = 0x80U >> (type % 8);

	for (size_t at = 0; at < m->len; at += 2 + (size_t)m->data[at + 1])
		if (m->data[at] == window)
			return byte < m->data[at + 1] && (m->data[at + 2 + byte] & bit) != 0;
	return false;
}

bool typemap_is_cut(const struct typemap *m)
{
	return typemap_has(m, TYPE_NS) && !typemap_has(m, TYPE_SOA);
}

bool typemap_ends_zone(const struct typemap *m)
{
	return typemap_is_cut(m) || typemap_has(m, TYPE_DNAME);
}

/* Nothing but what every name of a signed zone has. */
static bool is_bare(const struct typemap *m)
{
	for (size_t at = 0; at < m->len; at += 2 + (size_t)m->data[at + 1])
		for (unsigned bit = 0; bit < m->data[at + 1] * 8U; bit++) {
			unsigned type = m->data[at] * 256U + bit;

			if ((m->data[at + 2 + bit / 8] & 0x80U >> (bit % 8)) != 0 &&
			    type != TYPE_NSEC && type != TYPE_RRSIG)
				return false;
		}
	return true;
}

bool typemap_denies(const struct typemap *m, const uint8_t *name, uint16_t type)
{
	if (type == TYPE_ANY)
		return is_bare(m);
	if (typemap_has(m, type) || typemap_has(m, TYPE_CNAME))
		return false;
	/* The DS stands above the cut, everything else below it. */
	if (type == TYPE_DS)
		return !typemap_has(m, TYPE_SOA) || name_is_root(name);
	return !typemap_is_cut(m);
}

enum ds_denial typemap_ds(const struct typemap *m, const uint8_t *name)
{
	/* With SOA it is the child's apex that speaks, which knows nothing of its DS (RFC 4035 5.2). */
	if (typemap_has(m, TYPE_DS) || (typemap_has(m, TYPE_SOA) && !name_is_root(name)))
		return DS_DENIAL_NOT_PROVED;
	return typemap_is_cut(m) ? DS_DENIAL_CUT : DS_DENIAL_NO_CUT;
}

/* All of them must be as we want them: which one verified is not told, and a forged one beside it
 * must not help. */
static bool is_signed_by(const struct rrset *s, const uint8_t *zone)
{
	const unsigned labels = name_signed_labels(rrset_owner(s));
	struct rdata rr;
	struct rrsig sig;
	size_t at = 0;

	if (s->n_sig == 0)
		return false;
	while (rrset_next_sig(s, &at, &rr))
		if (rrsig_read(&sig, &rr) != E_OK || sig.type_covered != s->type ||
		    sig.labels != labels || !name_equal(sig.signer, zone))
			return false;
	return true;
}

bool proof_read(const struct rrset *s, uint16_t type, const uint8_t *zone, struct rdata *rr)
{
	size_t at = 0;

	return s->type == type && s->kind == RRSET_DATA && s->n_rr == 1 &&
	       name_is_within(rrset_owner(s), zone) && is_signed_by(s, zone) &&
	       rrset_next(s, &at, rr);
}

bool proof_wildcard(uint8_t out[NAME_MAX_LEN], const uint8_t *encloser)
{
	if (name_len(encloser) + 2 > NAME_MAX_LEN)
		return false;
	out[0] = 1;
	out[1] = '*';
	(void)name_copy(out + 2, encloser);
	return true;
}
