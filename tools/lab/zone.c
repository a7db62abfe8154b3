/* zone: see zone.h. */
#include "tools/lab/zone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/name.h"

/* In ldns a name is in wire form, too; our own functions take less time over long ones. */
static bool is_equal(const ldns_rdf *a, const ldns_rdf *b)
{
	return name_equal(ldns_rdf_data(a), ldns_rdf_data(b));
}

static int compare(const ldns_rdf *a, const ldns_rdf *b)
{
	return name_compare(ldns_rdf_data(a), ldns_rdf_data(b));
}

bool zone_holds(const struct zone *z, const ldns_rdf *name)
{
	return name_is_within(ldns_rdf_data(name), ldns_rdf_data(z->origin));
}

/* ---- reading ---- */

static int by_owner(const void *a, const void *b)
{
	const ldns_rr *x = *(ldns_rr *const *)a, *y = *(ldns_rr *const *)b;
	int c = compare(ldns_rr_owner(x), ldns_rr_owner(y));

	return c != 0 ? c : (int)ldns_rr_get_type(x) - (int)ldns_rr_get_type(y);
}

static void push(struct zone *z, size_t *cap, ldns_rr *rr)
{
	if (z->n_rr == *cap) {
		*cap = *cap == 0 ? 64 : 2 * *cap;
		z->rr = realloc(z->rr, *cap * sizeof(*z->rr));
		ASSERT(z->rr != NULL);
	}
	z->rr[z->n_rr++] = rr;
}

static int read_records(struct zone *z, FILE *f, const char *name, char *why)
{
	uint32_t ttl = ZONE_DEFAULT_TTL;
	ldns_rdf *origin = z->origin == NULL ? NULL : ldns_rdf_clone(z->origin), *previous = NULL;
	size_t cap = 0;
	int line = 1, err = E_OK;

	while (err == E_OK && !feof(f)) {
		ldns_rr *rr = NULL;
		ldns_status s = ldns_rr_new_frm_fp_l(&rr, f, &ttl, &origin, &previous, &line);

		if (s == LDNS_STATUS_OK) {
			push(z, &cap, rr);
		} else if (s != LDNS_STATUS_SYNTAX_EMPTY && s != LDNS_STATUS_SYNTAX_TTL &&
			   s != LDNS_STATUS_SYNTAX_ORIGIN) {
			snprintf(why, ZONE_WHY_MAX, "%s:%d: %s", name, line,
				 ldns_get_errorstr_by_id(s));
			err = E_MALFORMED;
		}
	}
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	return err;
}

/* Finds the SOA, and with it the origin if it is not known; nothing may lie outside. */
static int settle(struct zone *z, const char *name, char *why)
{
	for (size_t i = 0; i < z->n_rr && z->soa == NULL; i++)
		if (ldns_rr_get_type(z->rr[i]) == LDNS_RR_TYPE_SOA)
			z->soa = z->rr[i];
	if (z->origin == NULL && z->soa != NULL)
		z->origin = ldns_rdf_clone(ldns_rr_owner(z->soa));
	if (z->origin == NULL) {
		snprintf(why, ZONE_WHY_MAX, "%s: no SOA record, and no origin given", name);
		return E_MALFORMED;
	}
	ldns_dname2canonical(z->origin);
	for (size_t i = 0; i < z->n_rr; i++) {
		char *owner;

		if (zone_holds(z, ldns_rr_owner(z->rr[i])))
			continue;
		owner = ldns_rdf2str(ldns_rr_owner(z->rr[i]));
		snprintf(why, ZONE_WHY_MAX, "%s: outside of the zone: %s", name, owner);
		free(owner);
		return E_MALFORMED;
	}
	if (z->n_rr > 0)
		qsort(z->rr, z->n_rr, sizeof(*z->rr), by_owner);
	return E_OK;
}

int zone_read(struct zone **out, FILE *f, const char *name, const char *origin,
	      char why[ZONE_WHY_MAX])
{
	struct zone *z = calloc(1, sizeof(*z));
	int err = E_OK;

	ASSERT(z != NULL);
	if (origin != NULL && (z->origin = ldns_dname_new_frm_str(origin)) == NULL) {
		snprintf(why, ZONE_WHY_MAX, "%s: not a name: %s", name, origin);
		err = E_MALFORMED;
	}
	if (err == E_OK)
		err = read_records(z, f, name, why);
	if (err == E_OK)
		err = settle(z, name, why);
	if (err == E_OK) {
		*out = z;
		z = NULL;
	}
	zone_free(z);
	return err;
}

void zone_add(struct zone *z, ldns_rr *rr)
{
	size_t cap = z->n_rr; /* it is full, as far as is known here */

	push(z, &cap, rr);
	qsort(z->rr, z->n_rr, sizeof(*z->rr), by_owner);
}

void zone_free(struct zone *z)
{
	if (z == NULL)
		return;
	for (size_t i = 0; i < z->n_rr; i++)
		ldns_rr_free(z->rr[i]);
	free(z->rr);
	ldns_rdf_deep_free(z->origin);
	free(z);
}

/* ---- looking ---- */

/* The first record at the name or after it in canonical order. */
static size_t lower_bound(const struct zone *z, const ldns_rdf *name)
{
	size_t low = 0, high = z->n_rr;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (compare(ldns_rr_owner(z->rr[mid]), name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Calls for each record of a name and type (ANY: every type); the number of them. */
static size_t each(const struct zone *z, const ldns_rdf *name, ldns_rr_type type,
		   void (*cb)(void *ctx, const ldns_rr *rr), void *ctx)
{
	size_t n = 0;

	for (size_t i = lower_bound(z, name);
	     i < z->n_rr && is_equal(ldns_rr_owner(z->rr[i]), name); i++) {
		if (type != LDNS_RR_TYPE_ANY && ldns_rr_get_type(z->rr[i]) != type)
			continue;
		if (cb != NULL)
			cb(ctx, z->rr[i]);
		n++;
	}
	return n;
}

static const ldns_rr *first(const struct zone *z, const ldns_rdf *name, ldns_rr_type type)
{
	for (size_t i = lower_bound(z, name);
	     i < z->n_rr && is_equal(ldns_rr_owner(z->rr[i]), name); i++)
		if (ldns_rr_get_type(z->rr[i]) == type)
			return z->rr[i];
	return NULL;
}

/* Does the name exist, be it as an empty non-terminal (RFC 4592 2.2.2)? */
static bool exists(const struct zone *z, const ldns_rdf *name)
{
	size_t i = lower_bound(z, name);

	return i < z->n_rr &&
	       name_is_within(ldns_rdf_data(ldns_rr_owner(z->rr[i])), ldns_rdf_data(name));
}

/* ---- saying ---- */

struct say {
	const struct zone *zone;
	ldns_pkt *reply;
	ldns_pkt_section section;
	const ldns_rdf *owner; /* for records of a wildcard; or NULL */
	bool with_addresses;   /* of the names in them */
};

static void push_copy(ldns_pkt *reply, ldns_pkt_section section, const ldns_rr *rr,
		      const ldns_rdf *owner, uint32_t ttl)
{
	ldns_rr *copy = ldns_rr_clone(rr);

	ASSERT(copy != NULL);
	if (owner != NULL) {
		ldns_rdf_deep_free(ldns_rr_owner(copy));
		ldns_rr_set_owner(copy, ldns_rdf_clone(owner));
	}
	ldns_rr_set_ttl(copy, ttl);
	if (!ldns_pkt_safe_push_rr(reply, section, copy))
		ldns_rr_free(copy);
}

static void say_address(void *ctx, const ldns_rr *rr)
{
	struct say *s = ctx;
	ldns_rr_type type = ldns_rr_get_type(rr);

	if (type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA)
		push_copy(s->reply, LDNS_SECTION_ADDITIONAL, rr, NULL, ldns_rr_ttl(rr));
}

static void say_one(void *ctx, const ldns_rr *rr)
{
	struct say *s = ctx;

	push_copy(s->reply, s->section, rr, s->owner, ldns_rr_ttl(rr));
	if (s->with_addresses && ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS)
		each(s->zone, ldns_rr_rdf(rr, 0), LDNS_RR_TYPE_ANY, say_address, s);
}

static void say_none(const struct zone *z, ldns_pkt *reply, ldns_pkt_rcode rcode)
{
	uint32_t ttl, minimum;

	ldns_pkt_set_rcode(reply, (uint8_t)rcode);
	if (z->soa == NULL)
		return;
	ttl = ldns_rr_ttl(z->soa);
	minimum = ldns_rdf2native_int32(ldns_rr_rdf(z->soa, 6));
	push_copy(reply, LDNS_SECTION_AUTHORITY, z->soa, NULL, ttl < minimum ? ttl : minimum);
}

static void say_referral(const struct zone *z, ldns_pkt *reply, const ldns_rdf *cut)
{
	struct say s = { z, reply, LDNS_SECTION_AUTHORITY, NULL, true };

	each(z, cut, LDNS_RR_TYPE_NS, say_one, &s);
}

/* The records at `at` (the name itself or a wildcard) of the type; false: there are none. */
static bool say_data(const struct zone *z, ldns_pkt *reply, const ldns_rdf *at,
		     const ldns_rdf *owner, ldns_rr_type type)
{
	struct say s = { z, reply, LDNS_SECTION_ANSWER, owner, true };

	return each(z, at, type, say_one, &s) > 0;
}

/* ---- one name ---- */

/* The ancestor of `name` with so many labels; the caller frees it. */
static ldns_rdf *ancestor(const ldns_rdf *name, unsigned labels)
{
	unsigned all = ldns_dname_label_count(name);
	ldns_rdf *d;

	if (labels == 0)
		return ldns_dname_new_frm_str(".");
	d = ldns_dname_clone_from(name, (uint16_t)(all - labels));
	ASSERT(d != NULL);
	return d;
}

/* Below a DNAME: the record, and the CNAME that it makes of the name (RFC 6672 3.1).  Returns
 * the new name, or NULL when it would be too long. */
static ldns_rdf *say_dname(ldns_pkt *reply, const ldns_rdf *name, const ldns_rr *dname)
{
	unsigned keep = (unsigned)ldns_dname_label_count(name) -
			(unsigned)ldns_dname_label_count(ldns_rr_owner(dname));
	ldns_rdf *target = NULL, *left = ldns_dname_clone_from(name, 0);
	ldns_rr *cname = NULL;
	char *head, *tail, *dot, *text = NULL;

	push_copy(reply, LDNS_SECTION_ANSWER, dname, NULL, ldns_rr_ttl(dname));
	head = ldns_rdf2str(left);
	tail = ldns_rdf2str(ldns_rr_rdf(dname, 0));
	ldns_rdf_deep_free(left);
	ASSERT(head != NULL && tail != NULL);
	for (dot = head; keep > 0 && *dot != '\0'; dot++)
		if (*dot == '\\' && dot[1] != '\0')
			dot++;
		else if (*dot == '.')
			keep--;
	*dot = '\0';
	if (asprintf(&text, "%s%s", head, strcmp(tail, ".") == 0 ? "" : tail) >= 0)
		target = ldns_dname_new_frm_str(text);
	if (target == NULL) {
		ldns_pkt_set_rcode(reply, LDNS_RCODE_YXDOMAIN);
	} else {
		cname = ldns_rr_new_frm_type(LDNS_RR_TYPE_CNAME);
		ASSERT(cname != NULL);
		ldns_rr_set_owner(cname, ldns_rdf_clone(name));
		ldns_rr_set_ttl(cname, ldns_rr_ttl(dname));
		ldns_rr_set_rdf(cname, ldns_rdf_clone(target), 0);
		ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, cname);
	}
	free(text);
	free(head);
	free(tail);
	return target;
}

/* The name itself, or the wildcard that stands in for it; NULL: it does not exist. */
static ldns_rdf *source_of(const struct zone *z, const ldns_rdf *name)
{
	ldns_rdf *star = ldns_dname_new_frm_str("*"), *found = NULL;
	unsigned labels = ldns_dname_label_count(name);

	if (exists(z, name)) {
		ldns_rdf_deep_free(star);
		return ldns_rdf_clone(name);
	}
	while (labels-- > ldns_dname_label_count(z->origin)) {
		ldns_rdf *encloser = ancestor(name, labels);
		bool is_closest = exists(z, encloser) || is_equal(encloser, z->origin);
		ldns_rdf *wildcard = ldns_dname_cat_clone(star, encloser);

		if (is_closest && exists(z, wildcard))
			found = ldns_rdf_clone(wildcard);
		ldns_rdf_deep_free(wildcard);
		ldns_rdf_deep_free(encloser);
		if (is_closest)
			break;
	}
	ldns_rdf_deep_free(star);
	return found;
}

/* Answers at or below a zone cut or a DNAME; true: that was it.  `next` is set to the name a
 * DNAME leads to. */
static bool answer_above(const struct zone *z, const ldns_rdf *name, ldns_rr_type type,
			 ldns_pkt *reply, ldns_rdf **next)
{
	unsigned all = ldns_dname_label_count(name);
	bool done = false;

	for (unsigned l = ldns_dname_label_count(z->origin); l <= all && !done; l++) {
		ldns_rdf *at = ancestor(name, l);
		const ldns_rr *dname = l < all ? first(z, at, LDNS_RR_TYPE_DNAME) : NULL;
		bool is_cut = !is_equal(at, z->origin) && first(z, at, LDNS_RR_TYPE_NS) != NULL;

		if (is_cut && !(l == all && type == LDNS_RR_TYPE_DS)) {
			say_referral(z, reply, at);
			done = true;
		} else if (dname != NULL) {
			*next = say_dname(reply, name, dname);
			done = true;
		}
		ldns_rdf_deep_free(at);
	}
	return done;
}

/* One link of the chain; the name to go on with, or NULL at its end. */
static ldns_rdf *answer_one(const struct zone *z, const ldns_rdf *name, ldns_rr_type type,
			    ldns_pkt *reply)
{
	ldns_rdf *next = NULL, *source;
	const ldns_rr *cname;

	if (answer_above(z, name, type, reply, &next))
		return next;
	source = source_of(z, name);
	if (source == NULL) {
		say_none(z, reply, LDNS_RCODE_NXDOMAIN);
		return NULL;
	}
	cname = first(z, source, LDNS_RR_TYPE_CNAME);
	if (cname != NULL && type != LDNS_RR_TYPE_CNAME && type != LDNS_RR_TYPE_ANY) {
		push_copy(reply, LDNS_SECTION_ANSWER, cname, name, ldns_rr_ttl(cname));
		next = ldns_rdf_clone(ldns_rr_rdf(cname, 0));
	} else if (!say_data(z, reply, source, name, type)) {
		say_none(z, reply, LDNS_RCODE_NOERROR);
	}
	ldns_rdf_deep_free(source);
	return next;
}

void zone_answer(const struct zone *z, const ldns_rdf *qname, ldns_rr_type qtype, ldns_pkt *reply)
{
	ldns_rdf *name = ldns_rdf_clone(qname);

	ASSERT(name != NULL);
	for (unsigned i = 0; i < ZONE_CHAIN_MAX && name != NULL && zone_holds(z, name); i++) {
		ldns_rdf *next = answer_one(z, name, qtype, reply);

		ldns_rdf_deep_free(name);
		name = next;
	}
	ldns_rdf_deep_free(name);
	/* AA speaks of the first name (RFC 1035 4.1.1): only a referral at once lacks it. */
	ldns_pkt_set_aa(reply, ldns_pkt_ancount(reply) > 0 || ldns_pkt_nscount(reply) == 0 ||
				       ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_authority(reply),
									0)) == LDNS_RR_TYPE_SOA);
}
