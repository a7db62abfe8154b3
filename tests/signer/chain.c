/* chain: a zone's NSEC or NSEC3 sets, and which of them prove what; see zone.h. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/signer/zone_internal.h"

enum {
	BITMAP_MAX = 256 * 34,
	WINDOWS = 256,
	NSEC3_LABEL = 32, /* 20 bytes in base32 */
	FLAG_OPT_OUT = 1,
	DENIAL_TTL = 300, /* without an SOA */
};

static bool is_nsec3(const struct signed_zone *z)
{
	return z->policy.denial != SIGN_NSEC;
}

/* ---- type bitmaps (RFC 4034 4.1.2) ---- */

/* A window that has no types is not even cleared. */
struct types {
	bool has[WINDOWS];
	uint8_t bits[WINDOWS][32];
};

static void window_open(struct types *t, unsigned w)
{
	if (!t->has[w])
		memset(t->bits[w], 0, sizeof(t->bits[w]));
	t->has[w] = true;
}

static void types_add(struct types *t, uint16_t type)
{
	window_open(t, type >> 8);
	t->bits[type >> 8][(type & 0xff) / 8] |= (uint8_t)(0x80 >> (type & 7));
}

static size_t types_write(const struct types *t, uint8_t *out)
{
	size_t len = 0;

	for (unsigned w = 0; w < WINDOWS; w++) {
		unsigned n = t->has[w] ? 32 : 0;

		while (n > 0 && t->bits[w][n - 1] == 0)
			n--;
		if (n == 0)
			continue;
		out[len++] = (uint8_t)w;
		out[len++] = (uint8_t)n;
		memcpy(out + len, t->bits[w], n);
		len += n;
	}
	return len;
}

/* What the parent's side, or the zone, has at a name. */
static size_t bitmap_of(const struct signed_zone *z, const uint8_t *name, uint8_t *out)
{
	struct types t;
	bool has_sigs = !is_nsec3(z);

	memset(t.has, 0, sizeof(t.has));
	for (size_t i = zone_lower_bound(z, name);
	     i < z->sets.n && name_equal(z->sets.at[i]->s.owner, name); i++) {
		const struct signed_set *s = &z->sets.at[i]->s;

		if (s->is_signed || s->type == TYPE_NS)
			types_add(&t, s->type);
		has_sigs = has_sigs || s->is_signed;
	}
	if (has_sigs)
		types_add(&t, TYPE_RRSIG);
	if (!is_nsec3(z))
		types_add(&t, TYPE_NSEC);
	if (z->policy.fault == SIGN_ALL_TYPES) {
		t.has[0] = t.has[1] = true;
		memset(t.bits, 0xff, 2 * sizeof(t.bits[0]));
		t.bits[0][0] &= 0x7f;
	}
	return types_write(&t, out);
}

/* ---- which names are in the chain ---- */

/* Of a delegation: a DS set, and so something to sign. */
static bool has_signed(const struct signed_zone *z, const uint8_t *name)
{
	for (size_t i = zone_lower_bound(z, name);
	     i < z->sets.n && name_equal(z->sets.at[i]->s.owner, name); i++)
		if (z->sets.at[i]->s.is_signed)
			return true;
	return false;
}

static bool is_in_chain(const struct signed_zone *z, const uint8_t *name)
{
	return signed_zone_cut(z, name, TYPE_DS) == NULL &&
	       (z->policy.denial != SIGN_OPT_OUT || has_signed(z, name));
}

static uint32_t denial_ttl(const struct signed_zone *z)
{
	const struct zone_set *soa = zone_set_find(z, z->apex, TYPE_SOA);
	uint32_t minimum;

	if (soa == NULL)
		return DENIAL_TTL;
	/* RFC 9077 3. */
	minimum = wire_get_u32(soa->s.rr[0].data + soa->s.rr[0].len - 4);
	return minimum < soa->s.ttl ? minimum : soa->s.ttl;
}

/* ---- NSEC ---- */

static struct zone_set *nsec_at(const struct signed_zone *z, size_t i)
{
	return z->chain.at[i % z->chain.n];
}

static void nsec_write(struct signed_zone *z, size_t i)
{
	struct zone_set *set = z->chain.at[i];
	uint8_t rdata[NAME_MAX_LEN + 2 + BITMAP_MAX];
	size_t len = 0;

	if (z->policy.fault == SIGN_SPANS_NOTHING && name_len(set->s.owner) + 2 <= NAME_MAX_LEN) {
		rdata[len++] = 1;
		rdata[len++] = 0;
		len += name_copy(rdata + len, set->s.owner);
	} else {
		len = name_copy(rdata, nsec_at(z, i + 1)->s.owner);
	}
	len += bitmap_of(z, set->s.owner, rdata + len);
	zone_set_add(z, set, rdata, len);
}

static void nsec_chain(struct signed_zone *z)
{
	for (size_t i = 0; i < z->sets.n; i++) {
		const uint8_t *owner = z->sets.at[i]->s.owner;

		if (z->chain.n > 0 && name_equal(z->chain.at[z->chain.n - 1]->s.owner, owner))
			continue;
		if (is_in_chain(z, owner))
			zone_sets_push(z, &z->chain, owner, TYPE_NSEC, denial_ttl(z))->s.is_signed =
				true;
	}
	for (size_t i = 0; i < z->chain.n; i++)
		nsec_write(z, i);
}

/* The set at the name, or the one before it, whose span it is in. */
static struct zone_set *nsec_find(const struct signed_zone *z, const uint8_t *name)
{
	size_t at = 0;

	for (size_t i = 0; i < z->chain.n; i++)
		if (name_compare(z->chain.at[i]->s.owner, name) <= 0)
			at = i;
	return z->chain.at[at];
}

/* ---- NSEC3 ---- */

/* Fetched and allocated once: both cost more than a hash does. */
static void sha1(const uint8_t *data, size_t len, uint8_t out[SIGN_HASH_LEN])
{
	static EVP_MD *md;
	static EVP_MD_CTX *ctx;

	if (ctx == NULL) {
		md = EVP_MD_fetch(NULL, "SHA1", NULL);
		ctx = EVP_MD_CTX_new();
	}
	ASSERT(EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, data, len) == 1 &&
	       EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void sign_hash(const uint8_t *name, uint16_t iterations, const uint8_t *salt, size_t salt_len,
	       uint8_t out[SIGN_HASH_LEN])
{
	uint8_t data[NAME_MAX_LEN + SIGN_SALT_MAX];
	size_t len = name_lower(data, name);

	for (unsigned i = 0; i <= iterations; i++) {
		if (salt_len > 0)
			memcpy(data + len, salt, salt_len);
		sha1(data, len + salt_len, out);
		memcpy(data, out, SIGN_HASH_LEN);
		len = SIGN_HASH_LEN;
	}
}

static void hash_of(const struct signed_zone *z, const uint8_t *name, uint8_t out[SIGN_HASH_LEN])
{
	const struct sign_policy *p = &z->policy;

	sign_hash(name, p->iterations, p->salt, p->salt_len, out);
}

/* RFC 4648 7, in lower case as owners are. */
static void hash_owner(const struct signed_zone *z, const uint8_t hash[SIGN_HASH_LEN],
		       uint8_t out[NAME_MAX_LEN])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

	ASSERT(1 + NSEC3_LABEL + name_len(z->apex) <= NAME_MAX_LEN);
	out[0] = NSEC3_LABEL;
	for (unsigned i = 0; i < NSEC3_LABEL; i++) {
		unsigned bit = 5 * i, two = (unsigned)hash[bit / 8] << 8;

		if (bit / 8 + 1 < SIGN_HASH_LEN)
			two |= hash[bit / 8 + 1];
		out[1 + i] = (uint8_t)digits[two >> (11 - bit % 8) & 31];
	}
	name_copy(out + 1 + NSEC3_LABEL, z->apex);
}

static void nsec3_push(struct signed_zone *z, const uint8_t *name)
{
	uint8_t hash[SIGN_HASH_LEN], owner[NAME_MAX_LEN];
	struct zone_set *set;

	hash_of(z, name, hash);
	for (size_t i = 0; i < z->chain.n; i++)
		if (memcmp(z->chain.at[i]->hash, hash, sizeof(hash)) == 0)
			return;
	hash_owner(z, hash, owner);
	set = zone_sets_push(z, &z->chain, owner, TYPE_NSEC3, denial_ttl(z));
	set->s.is_signed = true;
	memcpy(set->hash, hash, sizeof(hash));
	set->original = zone_keep(z, name, name_len(name));
}

static int by_hash(const void *a, const void *b)
{
	return memcmp((*(struct zone_set *const *)a)->hash, (*(struct zone_set *const *)b)->hash,
		      SIGN_HASH_LEN);
}

static void nsec3_write(struct signed_zone *z, size_t i)
{
	const struct sign_policy *p = &z->policy;
	struct zone_set *set = z->chain.at[i];
	uint8_t rdata[6 + SIGN_SALT_MAX + SIGN_HASH_LEN + BITMAP_MAX] = { 1 };
	size_t len = 5;

	rdata[1] = p->denial == SIGN_OPT_OUT ? FLAG_OPT_OUT : 0;
	wire_put_u16(rdata + 2, p->iterations);
	rdata[4] = p->salt_len;
	memcpy(rdata + len, p->salt, p->salt_len);
	len += p->salt_len;
	rdata[len++] = SIGN_HASH_LEN;
	memcpy(rdata + len, p->fault == SIGN_SPANS_NOTHING ? set->hash : nsec_at(z, i + 1)->hash,
	       SIGN_HASH_LEN);
	for (size_t at = len + SIGN_HASH_LEN; p->fault == SIGN_SPANS_NOTHING && at-- > len;)
		if (++rdata[at] != 0)
			break;
	len += SIGN_HASH_LEN;
	len += bitmap_of(z, set->original, rdata + len);
	zone_set_add(z, set, rdata, len);
}

/* The names, and the empty ones on the way to them (RFC 5155 7.1). */
static void nsec3_chain(struct signed_zone *z)
{
	unsigned above = name_labels(z->apex);

	for (size_t i = 0; i < z->sets.n; i++) {
		const uint8_t *owner = z->sets.at[i]->s.owner;

		if (!is_in_chain(z, owner))
			continue;
		for (unsigned labels = name_labels(owner); labels >= above; labels--) {
			nsec3_push(z, name_suffix(owner, labels));
			if (labels == 0)
				break;
		}
	}
	qsort(z->chain.at, z->chain.n, sizeof(struct zone_set *), by_hash);
	for (size_t i = 0; i < z->chain.n; i++)
		nsec3_write(z, i);
}

/* The set of the name's hash, or the one whose span it is in; the first one's begins with the last. */
static struct zone_set *nsec3_find(const struct signed_zone *z, const uint8_t *name)
{
	uint8_t hash[SIGN_HASH_LEN];
	size_t at = z->chain.n - 1;

	hash_of(z, name, hash);
	for (size_t i = 0; i < z->chain.n; i++)
		if (memcmp(z->chain.at[i]->hash, hash, sizeof(hash)) <= 0)
			at = i;
	return z->chain.at[at];
}

static bool nsec3_matches(const struct signed_zone *z, const uint8_t *name)
{
	return name_equal(nsec3_find(z, name)->original, name);
}

void zone_chain_make(struct signed_zone *z)
{
	if (is_nsec3(z))
		nsec3_chain(z);
	else
		nsec_chain(z);
}

bool signed_zone_knows(const struct signed_zone *z, const uint8_t *name)
{
	return is_nsec3(z) ? nsec3_matches(z, name) : name_equal(nsec_find(z, name)->s.owner, name);
}

const struct signed_set *signed_zone_chain(struct signed_zone *z, size_t i)
{
	return i < z->chain.n ? zone_set_signed(z, z->chain.at[i]) : NULL;
}

/* ---- proofs ---- */

struct proof {
	struct signed_zone *z;
	const struct signed_set **out;
	size_t n;
};

static void proof_add(struct proof *p, struct zone_set *set, enum sign_fault leaves_it_out)
{
	if (p->z->policy.fault == leaves_it_out || p->z->policy.fault == SIGN_NO_PROOF)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (p->out[i] == &set->s)
			return;
	ASSERT(p->n < SIGNED_PROOFS_MAX);
	p->out[p->n++] = zone_set_signed(p->z, set);
}

static struct zone_set *cover(const struct signed_zone *z, const uint8_t *name)
{
	return is_nsec3(z) ? nsec3_find(z, name) : nsec_find(z, name);
}

/* The closest encloser that the chain knows: above what opt-out has left out. */
static unsigned provable_encloser(const struct signed_zone *z, const uint8_t *name)
{
	unsigned labels = name_labels(name) - 1;

	while (!nsec3_matches(z, name_suffix(name, labels)))
		labels--;
	return labels;
}

/* RFC 5155 7.2.1: that, and the name one label longer. */
static void proof_add_closest(struct proof *p, const uint8_t *name, bool with_encloser)
{
	unsigned labels = provable_encloser(p->z, name);

	if (with_encloser)
		proof_add(p, nsec3_find(p->z, name_suffix(name, labels)), SIGN_NO_ENCLOSER_PROOF);
	proof_add(p, nsec3_find(p->z, name_suffix(name, labels + 1)), SIGN_NO_NAME_PROOF);
}

/* The name exists, the type does not (RFC 4035 3.1.3.1; RFC 5155 7.2.3, 7.2.4). */
static void prove_nodata(struct proof *p, const uint8_t *name)
{
	if (!is_nsec3(p->z) || nsec3_matches(p->z, name))
		proof_add(p, cover(p->z, name), SIGN_NO_PROOF);
	else
		proof_add_closest(p, name, true);
}

static void prove_no_name(struct proof *p, const uint8_t *name, bool with_encloser)
{
	if (is_nsec3(p->z))
		proof_add_closest(p, name, with_encloser);
	else
		proof_add(p, nsec_find(p->z, name), SIGN_NO_NAME_PROOF);
}

static bool has_answer(const struct signed_zone *z, const uint8_t *owner, uint16_t type)
{
	return zone_set_find(z, owner, type) != NULL || zone_set_find(z, owner, TYPE_CNAME) != NULL;
}

static bool is_below_dname(const struct signed_zone *z, const uint8_t *name)
{
	for (unsigned labels = name_labels(name); labels-- > name_labels(z->apex);)
		if (zone_set_find(z, name_suffix(name, labels), TYPE_DNAME) != NULL)
			return true;
	return false;
}

static void prove_referral(struct proof *p, const uint8_t *cut)
{
	struct zone_set *ds = zone_set_find(p->z, cut, TYPE_DS);

	if (ds != NULL)
		p->out[p->n++] = zone_set_signed(p->z, ds);
	else
		prove_nodata(p, cut);
}

size_t signed_zone_prove(struct signed_zone *z, const uint8_t *name, uint16_t type,
			 const struct signed_set *out[SIGNED_PROOFS_MAX])
{
	struct proof p = { z, out, 0 };
	const uint8_t *cut = signed_zone_cut(z, name, type);
	uint8_t wildcard[NAME_MAX_LEN];

	if (cut != NULL) {
		prove_referral(&p, cut);
	} else if (is_below_dname(z, name)) {
		return 0;
	} else if (zone_name_exists(z, name)) {
		if (!has_answer(z, name, type))
			prove_nodata(&p, name);
	} else if (signed_zone_wildcard(z, name, wildcard)) {
		bool is_there = has_answer(z, wildcard, type);

		prove_no_name(&p, name, !is_there);
		if (!is_there)
			prove_nodata(&p, wildcard);
	} else {
		prove_no_name(&p, name, true);
		zone_wildcard_name(wildcard, name,
				   is_nsec3(z) ? provable_encloser(z, name)
					       : zone_closest_encloser(z, name));
		proof_add(&p, cover(z, wildcard), SIGN_NO_WILDCARD_PROOF);
	}
	return p.n;
}
