#include "recursor/resolve/dnssec/nsec3.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/nsec3_memo.h"

enum {
	ALGORITHM_SHA1 = 1,
	FLAG_OPT_OUT = 1,
	FIXED_LEN = 5,    /* algorithm, flags, iterations, length of the salt: RFC 5155 3.2 */
	RECORDS_MAX = 32, /* of one denial, where the setting knows no limit */
};

/* One denial's records, all with the same parameters. */
struct search {
	const struct dnssec_limits *limits;
	struct dnssec_work *work;
	const uint8_t *zone;
	unsigned n;
	struct nsec3 records[RECORDS_MAX];
};

/* RFC 5155 7.2.1: the closest encloser is there, the next closer name is not. */
struct encloser {
	const struct nsec3 *match;
	const struct nsec3 *cover; /* NULL: the name itself is there */
	const uint8_t *name;
};

void nsec3_label_write(uint8_t out[NSEC3_LABEL_LEN], const uint8_t hash[NSEC3_HASH_LEN])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

	for (unsigned i = 0; i < NSEC3_LABEL_LEN; i++) {
		unsigned at = i * 5 / 8, shift = i * 5 % 8;
		unsigned pair = (unsigned)hash[at] << 8 |
				(at + 1 < NSEC3_HASH_LEN ? hash[at + 1] : 0U);

		out[i] = (uint8_t)digits[pair >> (11 - shift) & 31];
	}
}

bool nsec3_label_read(uint8_t out[NSEC3_HASH_LEN], const uint8_t *label)
{
	uint32_t bits = 0;
	unsigned have = 0, at = 0;

	if (label[0] != NSEC3_LABEL_LEN)
		return false;
	for (unsigned i = 1; i <= NSEC3_LABEL_LEN; i++) {
		uint8_t c = ascii_lower(label[i]);

		if (c >= '0' && c <= '9')
			bits = bits << 5 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'v')
			bits = bits << 5 | (uint32_t)(c - 'a' + 10);
		else
			return false;
		have += 5;
		if (have >= 8) {
			have -= 8;
			out[at++] = (uint8_t)(bits >> have);
		}
	}
	return true;
}

/* The rdata from the algorithm to the types. */
static bool read_rdata(struct nsec3 *n, const struct rdata *rr)
{
	size_t at = FIXED_LEN;

	if (rr->len < FIXED_LEN || rr->data[0] != ALGORITHM_SHA1 ||
	    (rr->data[1] & ~FLAG_OPT_OUT) != 0)
		return false;
	n->has_opt_out = (rr->data[1] & FLAG_OPT_OUT) != 0;
	n->param.iterations = wire_get_u16(rr->data + 2);
	n->param.salt_len = rr->data[4];
	n->param.salt = rr->data + at;
	at += n->param.salt_len;
	if (rr->len < at + 1 + NSEC3_HASH_LEN || rr->data[at] != NSEC3_HASH_LEN)
		return false;
	n->next = rr->data + at + 1;
	at += 1 + NSEC3_HASH_LEN;
	n->types = (struct typemap) { .data = rr->data + at, .len = rr->len - at };
	return typemap_is_valid(&n->types);
}

bool nsec3_read(struct nsec3 *out, const struct rrset *s, const uint8_t *zone)
{
	struct rdata rr;

	return proof_read(s, TYPE_NSEC3, zone, &rr) &&
	       s->owner_len == name_len(zone) + 1 + NSEC3_LABEL_LEN &&
	       nsec3_label_read(out->owner, rrset_owner(s)) && read_rdata(out, &rr);
}

void nsec3_open(struct nsec3 *out, const struct rrset *s)
{
	struct rdata rr;
	size_t at = 0;

	ASSERT(rrset_next(s, &at, &rr) && read_rdata(out, &rr));
}

bool nsec3_param_equal(const struct nsec3_param *a, const struct nsec3_param *b)
{
	return a->iterations == b->iterations && a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0;
}

bool nsec3_covers(const struct nsec3 *n, const uint8_t hash[NSEC3_HASH_LEN])
{
	bool is_after = memcmp(n->owner, hash, NSEC3_HASH_LEN) < 0;
	bool is_before = memcmp(hash, n->next, NSEC3_HASH_LEN) < 0;

	/* The last one goes round to the first; one alone goes from itself to itself. */
	if (memcmp(n->owner, n->next, NSEC3_HASH_LEN) >= 0)
		return (is_after || is_before) && memcmp(n->owner, hash, NSEC3_HASH_LEN) != 0;
	return is_after && is_before;
}

static EVP_MD *sha1;

static void fetch_sha1(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

static bool digest(EVP_MD_CTX *ctx, const void *data, size_t len, const struct nsec3_param *param,
		   uint8_t out[NSEC3_HASH_LEN])
{
	return EVP_DigestInit_ex2(ctx, sha1, NULL) == 1 && EVP_DigestUpdate(ctx, data, len) == 1 &&
	       (param->salt_len == 0 || EVP_DigestUpdate(ctx, param->salt, param->salt_len) == 1) &&
	       EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

int nsec3_hash(uint8_t out[NSEC3_HASH_LEN], const struct nsec3_param *param, const uint8_t *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint8_t lower[NAME_MAX_LEN], hash[NSEC3_HASH_LEN];
	size_t len = name_lower(lower, name);
	EVP_MD_CTX *ctx;
	bool ok;

	pthread_once(&once, fetch_sha1);
	ctx = sha1 != NULL ? EVP_MD_CTX_new() : NULL;
	ok = ctx != NULL && digest(ctx, lower, len, param, hash);
	for (unsigned i = 0; ok && i < param->iterations; i++)
		ok = digest(ctx, hash, sizeof(hash), param, hash);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return E_NOMEM;
	memcpy(out, hash, sizeof(hash));
	return E_OK;
}

bool nsec3_is_too_many(const struct dnssec_limits *limits, uint16_t iterations)
{
	return iterations > NSEC3_MAX_ITERATIONS ||
	       (limits->nsec3_max_iterations != 0 && iterations > limits->nsec3_max_iterations);
}

bool nsec3_has_many_iterations(const struct dnssec_limits *limits, const struct denial_proof *p)
{
	struct nsec3 n;

	for (size_t i = 0; i < p->n; i++)
		if (nsec3_read(&n, p->sets[i], p->zone))
			return nsec3_is_too_many(limits, n.param.iterations);
	return false;
}

static enum denial too_costly(struct dnssec_work *work, enum bogus limit)
{
	work->met_limit = limit;
	return DENIAL_TOO_COSTLY;
}

/* DENIAL_PROVED: there are records to look at. */
static enum denial search_begin(struct search *s, const struct dnssec_limits *limits,
				const struct denial_proof *p, struct dnssec_work *work)
{
	s->limits = limits;
	s->work = work;
	s->zone = p->zone;
	s->n = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct nsec3 n;

		if (!nsec3_read(&n, p->sets[i], p->zone))
			continue;
		/* RFC 5155 8.2: records with other parameters belong to another chain. */
		if (s->n > 0 && !nsec3_param_equal(&n.param, &s->records[0].param))
			continue;
		if (s->n == RECORDS_MAX ||
		    (limits->max_nsec3s_per_record != 0 && s->n == limits->max_nsec3s_per_record))
			return too_costly(work, BOGUS_MAX_NSEC3S);
		s->records[s->n++] = n;
	}
	if (s->n == 0)
		return DENIAL_NOT_PROVED;
	return nsec3_is_too_many(limits, s->records[0].param.iterations) ? DENIAL_INSECURE
									 : DENIAL_PROVED;
}

static enum denial search_hash(struct search *s, const uint8_t *name, uint8_t hash[NSEC3_HASH_LEN])
{
	const struct nsec3_param *param = &s->records[0].param;
	const uint32_t cost = param->iterations + 1U;
	const uint8_t *known = nsec3_memo_find(s->work->memo, param, name);

	if (known != NULL) {
		memcpy(hash, known, NSEC3_HASH_LEN);
		return DENIAL_PROVED;
	}
	if (s->limits->max_nsec3_hashes != 0 &&
	    (cost > s->limits->max_nsec3_hashes ||
	     s->work->hashes > s->limits->max_nsec3_hashes - cost))
		return too_costly(s->work, BOGUS_MAX_HASHES);
	s->work->hashes += cost;
	if (nsec3_hash(hash, param, name) != E_OK)
		return DENIAL_NOT_PROVED;
	nsec3_memo_keep(s->work->memo, param, name, hash);
	return DENIAL_PROVED;
}

static const struct nsec3 *match(const struct search *s, const uint8_t hash[NSEC3_HASH_LEN])
{
	for (unsigned i = 0; i < s->n; i++)
		if (memcmp(s->records[i].owner, hash, NSEC3_HASH_LEN) == 0)
			return &s->records[i];
	return NULL;
}

static const struct nsec3 *cover(const struct search *s, const uint8_t hash[NSEC3_HASH_LEN])
{
	for (unsigned i = 0; i < s->n; i++)
		if (nsec3_covers(&s->records[i], hash))
			return &s->records[i];
	return NULL;
}

/* `name`, an end of `whole`, exists, and what is one label longer does not. */
static enum denial end_search(struct search *s, struct encloser *out, const struct nsec3 *found,
			      const uint8_t *whole, const uint8_t *name,
			      const struct nsec3 *covering)
{
	/* What is below it must be this zone's to deny. */
	if (typemap_ends_zone(&found->types))
		return proof_lacks(s->work, DENIAL_GAP_BELOW_CUT, name);
	if (covering == NULL)
		return proof_lacks(s->work, DENIAL_GAP_NEXT_CLOSER,
				   name_suffix(whole, name_labels(name) + 1));
	*out = (struct encloser) { .match = found, .name = name, .cover = covering };
	return DENIAL_PROVED;
}

/* RFC 5155 8.3: the one ancestor that exists while the next closer name does not.  It is looked for
 * from both ends by turns, so a name with many labels of which few exist, or many, costs at most twice
 * what there is of the fewer; and no name is hashed twice. */
static enum denial search_between(struct search *s, const uint8_t *name,
				  uint8_t closer[NSEC3_HASH_LEN], struct encloser *out)
{
	/* From `bottom` on there is no match, and `closer` is its hash; up to `top` it has been looked
	 * for, and `above` is what matches the name one label shorter. */
	unsigned bottom = name_labels(name), top = name_labels(s->zone);
	const struct nsec3 *above = NULL, *found;
	uint8_t hash[NSEC3_HASH_LEN];
	enum denial said;

	while (bottom > top) {
		said = search_hash(s, name_suffix(name, bottom - 1), hash);
		if (said != DENIAL_PROVED)
			return said;
		found = match(s, hash);
		if (found != NULL)
			return end_search(s, out, found, name, name_suffix(name, bottom - 1),
					  cover(s, closer));
		memcpy(closer, hash, NSEC3_HASH_LEN);
		bottom--;
		if (bottom == top)
			break;
		said = search_hash(s, name_suffix(name, top), hash);
		if (said != DENIAL_PROVED)
			return said;
		found = above != NULL ? cover(s, hash) : NULL;
		if (found != NULL)
			return end_search(s, out, above, name, name_suffix(name, top - 1), found);
		above = match(s, hash);
		top++;
	}
	if (above == NULL)
		return proof_lacks(s->work, DENIAL_GAP_ENCLOSER, name);
	return end_search(s, out, above, name, name_suffix(name, top - 1), cover(s, closer));
}

static enum denial find_encloser(struct search *s, const uint8_t *name, struct encloser *out)
{
	uint8_t hash[NSEC3_HASH_LEN];
	enum denial said = search_hash(s, name, hash);
	const struct nsec3 *found;

	if (said != DENIAL_PROVED)
		return said;
	found = match(s, hash);
	if (found == NULL)
		return search_between(s, name, hash, out);
	*out = (struct encloser) { .match = found, .name = name };
	return DENIAL_PROVED;
}

/* RFC 5155 9.2: below an opt-out there may be an insecure delegation. */
static enum denial by_cover(const struct nsec3 *n)
{
	return n->has_opt_out ? DENIAL_INSECURE : DENIAL_PROVED;
}

/* RFC 5155 8.4. */
enum denial nsec3_nxdomain(const struct dnssec_limits *limits, const struct denial_proof *p,
			   const uint8_t *name, struct dnssec_work *work)
{
	uint8_t wildcard[NAME_MAX_LEN], hash[NSEC3_HASH_LEN];
	struct encloser e;
	struct search s;
	enum denial said = search_begin(&s, limits, p, work);

	if (said == DENIAL_PROVED)
		said = find_encloser(&s, name, &e);
	if (said != DENIAL_PROVED)
		return said;
	if (e.cover == NULL)
		return proof_lacks(work, DENIAL_GAP_EXISTS, name);
	if (!proof_wildcard(wildcard, e.name))
		return proof_lacks(work, DENIAL_GAP_WILDCARD, e.name);
	said = search_hash(&s, wildcard, hash);
	if (said != DENIAL_PROVED)
		return said;
	return cover(&s, hash) != NULL ? by_cover(e.cover)
				       : proof_lacks(work, DENIAL_GAP_WILDCARD, e.name);
}

/* RFC 5155 8.7: the wildcard that stands in for a name that is not there. */
static enum denial wildcard_nodata(struct search *s, const struct encloser *e, uint16_t type)
{
	uint8_t wildcard[NAME_MAX_LEN], hash[NSEC3_HASH_LEN];
	const struct nsec3 *found;
	enum denial said;

	if (!proof_wildcard(wildcard, e->name))
		return proof_lacks(s->work, DENIAL_GAP_WILDCARD_NODE, e->name);
	said = search_hash(s, wildcard, hash);
	if (said != DENIAL_PROVED)
		return said;
	found = match(s, hash);
	if (found == NULL)
		return proof_lacks(s->work, DENIAL_GAP_WILDCARD_NODE, e->name);
	return typemap_denies(&found->types, wildcard, type)
		       ? DENIAL_PROVED
		       : proof_lacks(s->work, DENIAL_GAP_WILDCARD_TYPE, e->name);
}

/* RFC 5155 8.5, 8.6, 8.7. */
enum denial nsec3_nodata(const struct dnssec_limits *limits, const struct denial_proof *p,
			 const uint8_t *name, uint16_t type, struct dnssec_work *work)
{
	struct encloser e;
	struct search s;
	enum denial said = search_begin(&s, limits, p, work);

	if (said == DENIAL_PROVED)
		said = find_encloser(&s, name, &e);
	if (said != DENIAL_PROVED)
		return said;
	if (e.cover == NULL)
		return typemap_denies(&e.match->types, name, type)
			       ? DENIAL_PROVED
			       : proof_lacks(work, DENIAL_GAP_TYPE, name);
	/* An unsigned delegation has no NSEC3 in an opt-out, nor have the empty non-terminals above
	 * it (RFC 5155 8.6 and 7.1). */
	if (e.cover->has_opt_out)
		return DENIAL_INSECURE;
	return wildcard_nodata(&s, &e, type);
}

/* RFC 5155 8.8. */
enum denial nsec3_wildcard(const struct dnssec_limits *limits, const struct denial_proof *p,
			   const uint8_t *name, unsigned labels, struct dnssec_work *work)
{
	const uint8_t *closer = name_suffix(name, labels + 1);
	uint8_t hash[NSEC3_HASH_LEN];
	const struct nsec3 *found;
	struct search s;
	enum denial said = search_begin(&s, limits, p, work);

	if (said == DENIAL_PROVED)
		said = search_hash(&s, closer, hash);
	if (said != DENIAL_PROVED)
		return said;
	found = cover(&s, hash);
	return found != NULL ? by_cover(found) : proof_lacks(work, DENIAL_GAP_NEXT_CLOSER, closer);
}

/* RFC 5155 8.6, 8.9. */
enum ds_denial nsec3_ds(const struct dnssec_limits *limits, const struct denial_proof *p,
			const uint8_t *name, struct dnssec_work *work)
{
	struct encloser e;
	struct search s;
	enum denial said = search_begin(&s, limits, p, work);

	if (said == DENIAL_INSECURE)
		return DS_DENIAL_MANY_ITERATIONS;
	if (said == DENIAL_PROVED)
		said = find_encloser(&s, name, &e);
	if (said != DENIAL_PROVED)
		return said == DENIAL_TOO_COSTLY ? DS_DENIAL_TOO_COSTLY : DS_DENIAL_NOT_PROVED;
	(void)proof_lacks(work, DENIAL_GAP_TYPE, name);
	if (e.cover == NULL)
		return typemap_ds(&e.match->types, name);
	return e.cover->has_opt_out ? DS_DENIAL_OPT_OUT : DS_DENIAL_NO_NAME;
}
