#include "recursor/resolve/dnssec/verify.h"

#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"

/* How far a signature got.  Of a set's signatures the one is told of that got furthest. */
enum stage {
	STAGE_NONE,
	STAGE_FORM,
	STAGE_ALGORITHM,
	STAGE_TIME,
	STAGE_NO_KEY,
	STAGE_KEY,
	STAGE_CHECK,
	STAGE_LIMIT
};

/* A key that a DS vouches for. */
struct vouched {
	const uint8_t *rdata; /* within the DNSKEY set */
	uint8_t digest_type;
};

enum { VOUCHED_MAX = 16 };

/* About what the work takes beside the checks (pubkey_check_us()) on the same machine of 2020: what it
 * takes at most, since a hostile zone chooses. */
enum {
	SIGNATURE_NS = 100, /* read, here and by who asks for this */
	KEY_LOOKED_AT_NS = 5,
	KEY_MADE_NS = 30000, /* a point found to be on its curve */
	TAG_NS = 10,
	TAG_KB_NS = 250,
	DIGEST_NS = 700,
	RECORD_NS = 100,    /* put in order among a thousand */
	LOWER_KB_NS = 2200, /* names of many labels */
	HASH_KB_NS = 2500,  /* SHAKE256; SHA-256 where the processor knows nothing of it */
};

/* One set being verified. */
struct job {
	struct keyring *ring;
	const struct dnssec_limits *limits;
	struct dnssec_work *work;
	struct verification *out;
	const struct rrset *s;
	const uint8_t *zone;
	unsigned owner_labels; /* as an RRSIG counts them (RFC 4034 3.1.3) */
	uint32_t now_s;
	uint32_t n_looked_for, n_tried; /* signatures */
	bool is_loaded;                 /* the set is in the keyring's canonical form */
	uint16_t *tags;                 /* the keyring's place; of the first n_tags keys */
	uint32_t n_tags;
	enum stage stage;
	/* Which of the keys may be used: those vouched for; without a list, all that are fit. */
	bool has_list;
	bool takes_revoked;
	unsigned n_vouched;
	struct vouched vouched[VOUCHED_MAX];
};

static bool is_limit(uint32_t n, uint32_t limit)
{
	return limit != 0 && n >= limit;
}

static void spend(struct job *j, uint64_t ns)
{
	j->work->ns += ns;
}

static void spend_kb(struct job *j, size_t bytes, unsigned kb_ns)
{
	spend(j, (uint64_t)bytes * kb_ns / 1024);
}

static void job_init(struct job *j, struct keyring *ring, const struct dnssec_limits *limits,
		     const struct rrset *s, const uint8_t *zone, const struct rrset *dnskeys,
		     uint32_t now_s, struct dnssec_work *work, struct verification *out)
{
	*out = (struct verification) { .why = BOGUS_NO_RRSIG };
	*j = (struct job) {
		.ring = ring,
		.limits = limits,
		.work = work,
		.out = out,
		.s = s,
		.zone = zone,
		.owner_labels = name_signed_labels(rrset_owner(s)),
		.now_s = now_s,
		.tags = keyring_tags(ring, dnskeys->n_rr),
	};
}

/* The tag of the key that is the n-th of the set, each computed once: signatures may be many, and
 * keys long.  Keys are gone through from the first, so those before it are known. */
static uint16_t tag_of(struct job *j, uint32_t n, const struct rdata *key)
{
	uint16_t tag;

	if (n < j->n_tags)
		return j->tags[n];
	tag = key->len > DNSKEY_HEAD_LEN ? dnskey_tag(key) : 0; /* else dnskey_read() refuses it */
	spend(j, TAG_NS);
	spend_kb(j, key->len, TAG_KB_NS);
	if (j->tags != NULL) {
		j->tags[n] = tag;
		j->n_tags = n + 1;
	}
	return tag;
}

static void tell(struct job *j, const struct rrsig *sig, enum bogus why)
{
	j->out->why = why;
	j->out->labels = sig->labels;
	j->out->is_expanded = sig->labels < j->owner_labels;
	j->out->algorithm = sig->algorithm;
	j->out->tag = sig->tag;
	j->out->inception_s = sig->inception_s;
	j->out->until_s = sig->expiration_s;
	j->out->ttl_max = sig->original_ttl;
}

static void fail(struct job *j, const struct rrsig *sig, enum stage stage, enum bogus why)
{
	if (stage <= j->stage)
		return;
	j->stage = stage;
	tell(j, sig, why);
}

/* A limit ends the work, and is the cause. */
static void meet_limit(struct job *j, const struct rrsig *sig, enum bogus why)
{
	j->work->met_limit = why;
	fail(j, sig, STAGE_LIMIT, why);
}

/* RFC 4035 5.3.1, but for the key. */
static bool may_be_valid(struct job *j, const struct rrsig *sig)
{
	/* An apex that is a wildcard itself counts its asterisk as little as other owners do. */
	unsigned least = name_labels(j->zone);

	if (least > j->owner_labels)
		least = j->owner_labels;
	if (sig->type_covered != j->s->type || sig->labels > j->owner_labels)
		fail(j, sig, STAGE_FORM, BOGUS_MALFORMED_RRSIG);
	else if (!name_equal(sig->signer, j->zone))
		fail(j, sig, STAGE_FORM, BOGUS_FOREIGN_SIGNER);
	else if (sig->labels < least)
		fail(j, sig, STAGE_FORM, BOGUS_MALFORMED_RRSIG);
	else if (j->s->type == TYPE_NSEC3 && sig->labels < j->owner_labels)
		/* Its owner is a hash.  An NSEC may be expanded, for whoever asks for that type (RFC
		 * 4592 4.7); it proves nothing then, to which those see who read proofs. */
		fail(j, sig, STAGE_FORM, BOGUS_EXPANDED_DENIAL);
	else if (!algorithm_is_usable(sig->algorithm, j->limits))
		fail(j, sig, STAGE_ALGORITHM, BOGUS_UNSUPPORTED_DNSKEY_ALGO);
	else if (serial_is_before(sig->expiration_s, sig->inception_s))
		fail(j, sig, STAGE_TIME, BOGUS_SIGNATURE_BACKWARDS);
	else if (serial_is_before(sig->expiration_s, j->now_s))
		fail(j, sig, STAGE_TIME, BOGUS_SIGNATURE_EXPIRED);
	else if (serial_is_before(j->now_s + j->limits->signature_inception_skew_s,
				  sig->inception_s))
		fail(j, sig, STAGE_TIME, BOGUS_SIGNATURE_NOT_YET_VALID);
	else
		return true;
	return false;
}

/* RFC 4034 3.1.8.1: the RRSIG's head and signer, then the records under the name that was signed:
 * the owner, or the wildcard that it was expanded from (RFC 4035 5.3.2). */
static int write_form(struct job *j, const struct rrsig *sig)
{
	struct canonical *c = keyring_canonical(j->ring);
	const uint8_t *owner = rrset_owner(j->s);
	uint8_t wildcard[2 + NAME_MAX_LEN] = { 1, '*' };
	int err = E_OK;

	if (!j->is_loaded) {
		spend(j, (uint64_t)j->s->n_rr * RECORD_NS);
		spend_kb(j, j->s->size, LOWER_KB_NS);
		err = canonical_load(c, j->s);
	}
	if (err != E_OK)
		return err;
	j->is_loaded = true;
	if (sig->labels < j->owner_labels) {
		(void)name_copy(wildcard + 2, name_suffix(owner, sig->labels));
		owner = wildcard;
	}
	canonical_start(c);
	err = canonical_put(c, sig->head, RRSIG_HEAD_LEN);
	if (err == E_OK)
		err = canonical_put(c, j->zone, name_len(j->zone));
	if (err == E_OK)
		err = canonical_put_set(c, owner, sig->original_ttl);
	return err;
}

/* What a signature's keys are tried with: the hash, or the form itself. */
struct signed_data {
	const uint8_t *data;
	size_t len;
	uint8_t hash[HASH_MAX_LEN];
};

static int data_of(struct job *j, const struct rrsig *sig, struct signed_data *d)
{
	const struct algorithm *a = algorithm_find(sig->algorithm);
	const struct canonical *c = keyring_canonical(j->ring);
	int err = write_form(j, sig);

	if (err != E_OK)
		return err;
	d->data = c->form;
	d->len = c->form_len;
	if (a->hash == HASH_NONE) /* each check hashes it: check() */
		return E_OK;
	spend_kb(j, c->form_len, HASH_KB_NS);
	err = keyring_hash(j->ring, a->hash, d->hash, c->form, c->form_len);
	d->data = d->hash;
	d->len = hash_len(a->hash);
	return err;
}

/* What we could not do says nothing about the signature. */
static void fail_for(struct job *j, const struct rrsig *sig, int err)
{
	fail(j, sig, STAGE_LIMIT, err == E_LIMIT ? BOGUS_TOO_LARGE : BOGUS_OUT_OF_MEMORY);
}

/* One check of a signature with a key of its tag and algorithm. */
static bool check(struct job *j, const struct rrsig *sig, const struct dnskey *k,
		  struct signed_data *d)
{
	uint64_t had_to_make = keyring_stats(j->ring).misses;
	struct pubkey *key;
	int err;

	if (d->data == NULL) {
		err = data_of(j, sig, d);
		if (err != E_OK) {
			d->data = NULL;
			fail_for(j, sig, err);
			return false;
		}
	}
	err = keyring_find(&key, j->ring, k);
	if (keyring_stats(j->ring).misses != had_to_make)
		spend(j, KEY_MADE_NS);
	if (err == E_NOMEM) {
		fail_for(j, sig, err);
		return false;
	}
	j->work->checks++;
	if (err != E_OK) {
		fail(j, sig, STAGE_KEY, BOGUS_UNUSABLE_DNSKEY);
		return false;
	}
	spend(j, pubkey_check_us(key) * 1000ULL);
	if (algorithm_find(sig->algorithm)->hash == HASH_NONE)
		spend_kb(j, d->len, HASH_KB_NS);
	if (pubkey_check(key, d->data, d->len, sig->signature, sig->signature_len))
		return true;
	fail(j, sig, STAGE_CHECK, BOGUS_NO_VALID_RRSIG);
	return false;
}

/* RFC 4035 5.3.1: the key must be a zone key, of protocol 3 (RFC 4034 2.1.2), and not revoked (RFC
 * 5011 2.1). */
static enum bogus key_fault(const struct dnskey *k)
{
	if ((k->flags & DNSKEY_ZONE) == 0)
		return BOGUS_NO_ZONE_KEY_BIT_SET;
	if (k->protocol != DNSKEY_PROTOCOL)
		return BOGUS_INVALID_DNSKEY_PROTOCOL;
	if ((k->flags & DNSKEY_REVOKE) != 0)
		return BOGUS_REVOKED_DNSKEY;
	return BOGUS_NONE;
}

static const struct vouched *find_vouched(const struct job *j, const struct dnskey *k)
{
	for (unsigned i = 0; i < j->n_vouched; i++)
		if (j->vouched[i].rdata == k->rdata.data)
			return &j->vouched[i];
	return NULL;
}

/* May the key be used for this set at all?  If it is a fault of its own, that is told. */
static bool may_use(struct job *j, const struct rrsig *sig, const struct dnskey *k)
{
	enum bogus fault = key_fault(k);

	if (j->has_list) {
		const struct vouched *v = find_vouched(j, k);

		if (v == NULL)
			return false;
		j->out->digest_type = v->digest_type;
	}
	if (fault == BOGUS_NONE || (fault == BOGUS_REVOKED_DNSKEY && j->takes_revoked))
		return true;
	fail(j, sig, STAGE_KEY, fault);
	return false;
}

/* Tries the keys that have the signature's tag and algorithm. */
static bool try_keys(struct job *j, const struct rrsig *sig, const struct rrset *dnskeys)
{
	const struct dnssec_limits *l = j->limits;
	struct signed_data d = { .data = NULL };
	uint32_t n_keys = 0, nth = 0;
	size_t at = 0;
	struct dnskey k;
	struct rdata rr;

	fail(j, sig, STAGE_NO_KEY, j->has_list ? BOGUS_UNSIGNED_DNSKEYS : BOGUS_NO_KEY_OF_RRSIG);
	for (; rrset_next(dnskeys, &at, &rr); nth++) {
		spend(j, KEY_LOOKED_AT_NS);
		if (tag_of(j, nth, &rr) != sig->tag || dnskey_read(&k, &rr) != E_OK ||
		    k.algorithm != sig->algorithm || !may_use(j, sig, &k))
			continue;
		if (is_limit(n_keys, l->max_dnskeys)) {
			meet_limit(j, sig, BOGUS_MAX_DNSKEYS);
			break;
		}
		if (n_keys == 0 && is_limit(j->n_tried, l->max_rrsigs_per_record)) {
			meet_limit(j, sig, BOGUS_MAX_RRSIGS);
			break;
		}
		if (is_limit(j->work->checks, l->max_signature_validations)) {
			meet_limit(j, sig, BOGUS_MAX_CHECKS);
			break;
		}
		if (n_keys++ == 0)
			j->n_tried++;
		if (check(j, sig, &k, &d))
			return true;
	}
	return false;
}

/* The signatures in turn, until one verifies. */
static enum security try_signatures(struct job *j, const struct rrset *dnskeys)
{
	struct rdata rr;
	struct rrsig sig;
	size_t at = 0;

	while (j->stage != STAGE_LIMIT && rrset_next_sig(j->s, &at, &rr)) {
		spend(j, SIGNATURE_NS);
		if (rrsig_read(&sig, &rr) != E_OK) {
			if (j->stage == STAGE_NONE)
				j->out->why = BOGUS_MALFORMED_RRSIG;
			continue;
		}
		if (!may_be_valid(j, &sig))
			continue;
		if (j->n_looked_for++ == VERIFY_MAX_RRSIGS) {
			meet_limit(j, &sig, BOGUS_MAX_RRSIGS);
			break;
		}
		if (try_keys(j, &sig, dnskeys)) {
			tell(j, &sig, BOGUS_NONE);
			return SEC_SECURE;
		}
	}
	return SEC_BOGUS;
}

enum security verify_set(struct keyring *ring, const struct dnssec_limits *limits,
			 const struct rrset *s, const uint8_t *zone, const struct rrset *dnskeys,
			 uint32_t now_s, struct dnssec_work *work, struct verification *out)
{
	struct job j;

	job_init(&j, ring, limits, s, zone, dnskeys, now_s, work, out);
	return try_signatures(&j, dnskeys);
}

/* ---- from DS to DNSKEY ---- */

/* The next DS that may vouch for a key.  RFC 4509 3: SHA-1 does not where there is a better one. */
static bool next_ds(const struct rrset *set, const struct dnssec_limits *limits, bool with_sha1,
		    size_t *at, struct ds *ds)
{
	struct rdata rr;

	while (rrset_next(set, at, &rr))
		if (ds_read(ds, &rr) == E_OK && algorithm_is_usable(ds->algorithm, limits) &&
		    digest_is_usable(ds->digest_type) &&
		    (with_sha1 || ds->digest_type != DIGEST_SHA1))
			return true;
	return false;
}

/* May the DS be of that key before it was revoked?  The flag changes the tag (RFC 5011 2.1). */
static bool may_be_revoked_since(struct job *j, const struct ds *ds, const struct dnskey *k)
{
	uint8_t rdata[4 + DNSKEY_KEY_MAX];
	struct rdata before = { rdata, k->rdata.len };

	if ((k->flags & DNSKEY_REVOKE) == 0 || before.len > sizeof(rdata))
		return false;
	memcpy(rdata, k->rdata.data, before.len);
	wire_put_u16(rdata, (uint16_t)(k->flags & ~DNSKEY_REVOKE));
	spend(j, TAG_NS);
	spend_kb(j, 2U * before.len, TAG_KB_NS); /* the copy, too */
	return dnskey_tag(&before) == ds->tag;
}

/* Puts the keys that one DS vouches for on the list. */
static void vouch(struct job *j, const struct rrset *dnskeys, const struct ds *ds)
{
	uint32_t n_tried = 0, nth = 0;
	enum bogus fault;
	uint16_t tag;
	struct dnskey k;
	struct rdata rr;
	size_t at = 0;

	for (; rrset_next(dnskeys, &at, &rr) && j->n_vouched < VOUCHED_MAX; nth++) {
		spend(j, KEY_LOOKED_AT_NS);
		tag = tag_of(j, nth, &rr);
		if (dnskey_read(&k, &rr) != E_OK || k.algorithm != ds->algorithm)
			continue;
		if (may_be_revoked_since(j, ds, &k))
			j->out->why = BOGUS_REVOKED_DNSKEY;
		if (tag != ds->tag || find_vouched(j, &k) != NULL)
			continue;
		if (is_limit(n_tried++, j->limits->max_dnskeys)) {
			j->work->met_limit = j->out->why = BOGUS_MAX_DNSKEYS;
			return;
		}
		spend(j, DIGEST_NS);
		spend_kb(j, rr.len, HASH_KB_NS);
		if (!ds_matches(ds, rrset_owner(dnskeys), &k))
			continue;
		fault = key_fault(&k);
		if (fault == BOGUS_NONE)
			j->vouched[j->n_vouched++] = (struct vouched) {
				.rdata = rr.data,
				.digest_type = ds->digest_type,
			};
		else
			j->out->why = fault;
	}
}

static void vouch_all(struct job *j, const struct rrset *dnskeys, const struct rrset *set)
{
	uint32_t n = 0;
	struct ds ds;
	size_t at = 0;
	bool with_sha1 = !next_ds(set, j->limits, false, &at, &ds);

	at = 0;
	j->has_list = true;
	while (next_ds(set, j->limits, with_sha1, &at, &ds)) {
		if (is_limit(n++, j->limits->max_ds_per_zone)) {
			j->work->met_limit = j->out->why = BOGUS_MAX_DS;
			return;
		}
		vouch(j, dnskeys, &ds);
	}
}

enum security verify_dnskeys(struct keyring *ring, const struct dnssec_limits *limits,
			     const struct rrset *dnskeys, const struct rrset *ds, uint32_t now_s,
			     struct dnssec_work *work, struct verification *out)
{
	struct job j;

	job_init(&j, ring, limits, dnskeys, rrset_owner(dnskeys), dnskeys, now_s, work, out);
	out->why = BOGUS_NO_VALID_DNSKEY;
	vouch_all(&j, dnskeys, ds);
	if (j.n_vouched == 0)
		return SEC_BOGUS;
	out->why = BOGUS_NO_RRSIG;
	return try_signatures(&j, dnskeys);
}

enum security verify_self_signed(struct keyring *ring, const struct dnssec_limits *limits,
				 const struct rrset *dnskeys, const struct dnskey *key,
				 uint32_t now_s, struct dnssec_work *work, struct verification *out)
{
	struct rdata rr;
	struct job j;
	size_t at = 0;

	job_init(&j, ring, limits, dnskeys, rrset_owner(dnskeys), dnskeys, now_s, work, out);
	j.has_list = true;
	j.takes_revoked = true;
	while (rrset_next(dnskeys, &at, &rr))
		if (rr.len == key->rdata.len && memcmp(rr.data, key->rdata.data, rr.len) == 0)
			j.vouched[j.n_vouched++] = (struct vouched) { .rdata = rr.data };
	if (j.n_vouched == 0) {
		out->why = BOGUS_NO_VALID_DNSKEY;
		return SEC_BOGUS;
	}
	return try_signatures(&j, dnskeys);
}

bool ds_is_usable(const struct rrset *set, const struct dnssec_limits *limits)
{
	struct ds ds;
	size_t at = 0;

	return next_ds(set, limits, true, &at, &ds);
}
