#include "recursor/resolve/dnssec/verify.h"

#include <check.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/signer/rrsig.h"
#include "tests/signer/zone.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000, DAY = 86400 };

static const uint8_t apex[] = "\7example";
static const uint8_t all_algorithms[] = { 5, 7, 8, 10, 13, 14, 15, 16 };

static const char records[] = "example. 3600 IN SOA ns.Example. host.example. 1 2 3 4 300\n"
			      "example. 3600 IN NS NS.example.\n"
			      "example. 3600 IN MX 10 Mail.Example.\n"
			      "www.example. 300 IN A 192.0.2.3\n"
			      "www.example. 300 IN A 192.0.2.1\n"
			      "www.example. 300 IN TXT \"b\" \"c\"\n"
			      "www.example. 300 IN TXT \"b\"\n"
			      "_sip._tcp.example. 60 IN SRV 1 2 5060 WWW.example.\n"
			      "*.wild.example. 60 IN TXT \"any\"\n"
			      "alias.example. 60 IN CNAME WWW.example.\n"
			      "naptr.example. 60 IN NAPTR 1 2 \"u\" \"E2U\" \"x\" Www.Example.\n";

static struct keyring *ring;
static struct dnssec_limits limits;
static struct dnssec_work work;
static struct verification v;

static void setup(void)
{
	ck_assert_int_eq(keyring_new(&ring, KEYRING_KEYS_DEFAULT), E_OK);
	limits = (struct dnssec_limits)DNSSEC_LIMITS_DEFAULTS;
	work = (struct dnssec_work) { .checks = 0 };
}

static void teardown(void)
{
	keyring_free(ring);
	ring = NULL;
}

static struct signed_zone *zone_new(uint8_t algorithm, const char *broken, enum sign_fault fault)
{
	struct signed_zone *z = signed_zone_new(apex);

	ck_assert(signed_zone_read(z, records));
	if (broken != NULL)
		signed_zone_break(z, wire(broken), 0, fault);
	signed_zone_sign(z, &(struct sign_policy) {
				    .algorithm = algorithm,
				    .two_keys = true,
				    .inception_s = NOW - DAY,
				    .expiration_s = NOW + DAY,
				    .fault = broken == NULL ? fault : SIGN_NONE,
			    });
	return z;
}

static struct rrset *set_of(struct signed_zone *z, const char *owner, uint16_t type)
{
	const struct signed_set *s = signed_zone_find(z, wire(owner), type);

	ck_assert_ptr_nonnull(s);
	return signed_set_rrset(s, NULL, NOW);
}

static struct rrset *ds_of(struct signed_zone *z, unsigned digest)
{
	uint8_t rdata[SIGN_DS_MAX];
	struct rdata rr = { .data = rdata };
	struct rrset *ds = NULL;

	rr.len = (uint16_t)signed_zone_ds(z, 0, digest, rdata);
	ck_assert_int_eq(
		rrset_new(&ds, apex, TYPE_DS, 3600, NOW, RANK_AUTH_ANSWER, &rr, 1, NULL, 0), E_OK);
	return ds;
}

static enum security verify_at(struct signed_zone *z, struct rrset *s, uint32_t now_s)
{
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY);
	enum security verdict;

	work = (struct dnssec_work) { .checks = 0 };
	verdict = verify_set(ring, &limits, s, apex, keys, now_s, &work, &v);
	ck_assert_int_eq(verdict == SEC_SECURE, v.why == BOGUS_NONE);
	rrset_put(keys);
	return verdict;
}

static enum security verify(struct signed_zone *z, const char *owner, uint16_t type)
{
	struct rrset *s = set_of(z, owner, type);
	enum security verdict = verify_at(z, s, NOW);

	rrset_put(s);
	return verdict;
}

START_TEST(what_is_signed_verifies)
{
	static const struct {
		const char *owner;
		uint16_t type;
	} sets[] = { { "example", TYPE_SOA },         { "example", TYPE_NS },
		     { "example", TYPE_MX },          { "www.example", TYPE_A },
		     { "www.example", TYPE_TXT },     { "_sip._tcp.example", TYPE_SRV },
		     { "*.wild.example", TYPE_TXT },  { "alias.example", TYPE_CNAME },
		     { "naptr.example", TYPE_NAPTR }, { "www.example", TYPE_NSEC } };
	uint8_t algorithm = all_algorithms[_i];
	struct signed_zone *z = zone_new(algorithm, NULL, SIGN_NONE);

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		ck_assert_msg(verify(z, sets[i].owner, sets[i].type) == SEC_SECURE, "%s %u: %s",
			      sets[i].owner, sets[i].type, bogus_row(v.why)->text);
		ck_assert(!v.is_expanded && v.algorithm == algorithm);
		ck_assert_uint_eq(v.until_s, NOW + DAY);
		ck_assert_uint_eq(v.inception_s, NOW - DAY);
		ck_assert_uint_eq(work.checks, 1);
	}
	/* One key signed them all. */
	ck_assert_uint_eq(keyring_stats(ring).keys, 1);
	ck_assert_uint_eq(keyring_stats(ring).misses, 1);
	signed_zone_free(z);
}
END_TEST

START_TEST(ds_leads_to_keys)
{
	static const unsigned digests[] = { 1, 2, 4 };
	uint8_t algorithm = all_algorithms[_i];
	struct signed_zone *z = zone_new(algorithm, NULL, SIGN_NONE);
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY);

	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		struct rrset *ds = ds_of(z, digests[i]);

		ck_assert(ds_is_usable(ds, &limits));
		ck_assert_int_eq(verify_dnskeys(ring, &limits, keys, ds, NOW, &work, &v),
				 SEC_SECURE);
		ck_assert_uint_eq(v.digest_type, digests[i]);
		ck_assert_uint_eq(v.algorithm, algorithm);
		rrset_put(ds);
	}
	rrset_put(keys);
	signed_zone_free(z);
}
END_TEST

static const struct {
	enum sign_fault fault;
	enum bogus why;
} faults[] = {
	{ SIGN_UNSIGNED, BOGUS_NO_RRSIG },
	{ SIGN_EXPIRED, BOGUS_SIGNATURE_EXPIRED },
	{ SIGN_NOT_YET, BOGUS_SIGNATURE_NOT_YET_VALID },
	{ SIGN_BACKWARD, BOGUS_SIGNATURE_BACKWARDS },
	{ SIGN_GARBLED, BOGUS_NO_VALID_RRSIG },
	{ SIGN_SHORT, BOGUS_NO_VALID_RRSIG },
	{ SIGN_EMPTY, BOGUS_MALFORMED_RRSIG },
	{ SIGN_OTHER_DATA, BOGUS_NO_VALID_RRSIG },
	{ SIGN_OTHER_KEY, BOGUS_NO_KEY_OF_RRSIG },
	{ SIGN_FORGED, BOGUS_NO_VALID_RRSIG },
	{ SIGN_OTHER_SIGNER, BOGUS_FOREIGN_SIGNER },
	{ SIGN_OTHER_TAG, BOGUS_NO_KEY_OF_RRSIG },
	{ SIGN_OTHER_TYPE, BOGUS_MALFORMED_RRSIG },
	{ SIGN_OTHER_TTL, BOGUS_NO_VALID_RRSIG },
	{ SIGN_MORE_LABELS, BOGUS_MALFORMED_RRSIG },
	{ SIGN_FEWER_LABELS, BOGUS_NO_VALID_RRSIG },
};

START_TEST(each_fault_has_its_cause)
{
	for (size_t a = 0; a < sizeof(all_algorithms); a++) {
		struct signed_zone *z = zone_new(all_algorithms[a], "www.example",
						 faults[_i].fault);

		ck_assert_int_eq(verify(z, "www.example", TYPE_A), SEC_BOGUS);
		ck_assert_msg(v.why == faults[_i].why, "%s of algorithm %u: %s",
			      sign_fault_word(faults[_i].fault), all_algorithms[a],
			      bogus_row(v.why)->text);
		signed_zone_free(z);
	}
}
END_TEST

/* ---- keys ---- */

static const struct {
	enum sign_fault fault;
	enum bogus keys, sets; /* of the DNSKEY set by the DS; of the zone's sets by the DNSKEYs */
} key_faults[] = {
	{ SIGN_DS_DIGEST, BOGUS_NO_VALID_DNSKEY, BOGUS_NONE },
	{ SIGN_DS_TAG, BOGUS_NO_VALID_DNSKEY, BOGUS_NONE },
	{ SIGN_DS_ALGORITHM, BOGUS_NO_VALID_DNSKEY, BOGUS_NONE },
	{ SIGN_KEYS_UNSIGNED, BOGUS_NO_RRSIG, BOGUS_NONE },
	{ SIGN_KEYS_BY_ZSK, BOGUS_UNSIGNED_DNSKEYS, BOGUS_NONE },
	{ SIGN_KEYS_EXPIRED, BOGUS_SIGNATURE_EXPIRED, BOGUS_NONE },
	{ SIGN_ZSK_GONE, BOGUS_NONE, BOGUS_NO_KEY_OF_RRSIG },
	{ SIGN_KSK_REVOKED, BOGUS_REVOKED_DNSKEY, BOGUS_NONE },
	{ SIGN_NO_ZONE_FLAG, BOGUS_NO_ZONE_KEY_BIT_SET, BOGUS_NO_ZONE_KEY_BIT_SET },
	/* The tag counts the protocol, too. */
	{ SIGN_PROTOCOL, BOGUS_INVALID_DNSKEY_PROTOCOL, BOGUS_NO_KEY_OF_RRSIG },
};

static enum security verify_keys(struct signed_zone *z, unsigned digest)
{
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY), *ds = ds_of(z, digest);
	enum security verdict;

	work = (struct dnssec_work) { .checks = 0 };
	verdict = verify_dnskeys(ring, &limits, keys, ds, NOW, &work, &v);
	ck_assert_int_eq(verdict == SEC_SECURE, v.why == BOGUS_NONE);
	rrset_put(keys);
	rrset_put(ds);
	return verdict;
}

START_TEST(each_fault_of_keys_has_its_cause)
{
	for (size_t a = 0; a < sizeof(all_algorithms); a++) {
		struct signed_zone *z = zone_new(all_algorithms[a], NULL, key_faults[_i].fault);
		const char *word = sign_fault_word(key_faults[_i].fault);

		(void)verify_keys(z, 2);
		ck_assert_msg(v.why == key_faults[_i].keys, "%s of algorithm %u: %s", word,
			      all_algorithms[a], bogus_row(v.why)->text);
		(void)verify(z, "www.example", TYPE_A);
		ck_assert_msg(v.why == key_faults[_i].sets, "%s of algorithm %u: %s", word,
			      all_algorithms[a], bogus_row(v.why)->text);
		signed_zone_free(z);
	}
}
END_TEST

/* A record of the zone's DNSKEY set, by its flags. */
static struct dnskey key_of(const struct rrset *keys, uint16_t flags)
{
	struct dnskey k = { .flags = 0 };
	struct rdata rr;
	size_t at = 0;

	while (rrset_next(keys, &at, &rr) && k.flags != flags)
		ck_assert_int_eq(dnskey_read(&k, &rr), E_OK);
	ck_assert_uint_eq(k.flags, flags);
	return k;
}

/* RFC 5011 2.1: a key says itself that it is revoked. */
START_TEST(a_revoked_key_signs_for_itself)
{
	struct signed_zone *z = zone_new(13, NULL, SIGN_KSK_REVOKED);
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY);
	struct dnskey ksk = key_of(keys, SIGN_KSK | SIGN_REVOKED), zsk = key_of(keys, SIGN_ZSK);

	ck_assert_int_eq(verify_self_signed(ring, &limits, keys, &ksk, NOW, &work, &v), SEC_SECURE);
	ck_assert_uint_eq(v.tag, dnskey_tag(&ksk.rdata));
	ck_assert_int_eq(verify_self_signed(ring, &limits, keys, &zsk, NOW, &work, &v), SEC_BOGUS);
	rrset_put(keys);
	signed_zone_free(z);
}
END_TEST

/* The DS that is known is that of the key before it was revoked. */
START_TEST(a_ds_of_a_key_that_was_revoked)
{
	struct signed_zone *before = zone_new(8, NULL, SIGN_NONE);
	struct signed_zone *z = zone_new(8, NULL, SIGN_KSK_REVOKED);
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY), *ds = ds_of(before, 2);

	ck_assert_int_eq(verify_dnskeys(ring, &limits, keys, ds, NOW, &work, &v), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_REVOKED_DNSKEY);
	rrset_put(keys);
	rrset_put(ds);
	signed_zone_free(z);
	signed_zone_free(before);
}
END_TEST

/* ---- DS sets ---- */

/* Of DS records, each: algorithm, digest type; of a key that is there, or garbage. */
static struct rrset *ds_set(struct signed_zone *z, const uint8_t (*what)[3], size_t n)
{
	static uint8_t rdata[16][SIGN_DS_MAX];
	struct rdata rr[16];
	struct rrset *ds = NULL;

	for (size_t i = 0; i < n; i++) {
		rr[i].data = rdata[i];
		rr[i].len = (uint16_t)signed_zone_ds(z, 0, what[i][1] % 2 ? 1 : 2, rdata[i]);
		rdata[i][2] = what[i][0];
		rdata[i][3] = what[i][1];
		if (!what[i][2])
			rdata[i][10] ^= (uint8_t)(i + 1);
	}
	ck_assert_int_eq(rrset_new(&ds, apex, TYPE_DS, 3600, NOW, RANK_AUTH_ANSWER, rr, n, NULL, 0),
			 E_OK);
	return ds;
}

static const struct {
	uint8_t what[3][3];
	uint8_t n;
	bool is_usable;
	bool is_secure;
} ds_cases[] = {
	{ { { 13, 2, 1 } }, 1, true, true },
	{ { { 13, 1, 1 } }, 1, true, true },
	/* RFC 4509 3: with SHA-256 there, SHA-1 does not count. */
	{ { { 13, 1, 1 }, { 13, 2, 0 } }, 2, true, false },
	{ { { 13, 1, 0 }, { 13, 2, 1 } }, 2, true, true },
	/* But one that we cannot use is not there. */
	{ { { 13, 1, 1 }, { 13, 99, 0 } }, 2, true, true },
	{ { { 13, 1, 1 }, { 99, 2, 0 } }, 2, true, true },
	{ { { 99, 2, 1 }, { 12, 2, 1 } }, 2, false, false },
	{ { { 13, 99, 1 }, { 13, 0, 1 } }, 2, false, false },
	{ { { 13, 99, 1 }, { 99, 2, 1 } }, 2, false, false },
	{ { { 1, 2, 1 } }, 1, false, false },
	{ { { 13, 2, 0 }, { 8, 2, 1 }, { 13, 2, 1 } }, 3, true, true },
};

START_TEST(ds_sets_are_of_use_or_not)
{
	struct signed_zone *z = zone_new(13, NULL, SIGN_NONE);
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY);
	struct rrset *ds = ds_set(z, ds_cases[_i].what, ds_cases[_i].n);

	ck_assert_int_eq(ds_is_usable(ds, &limits), ds_cases[_i].is_usable);
	ck_assert_int_eq(verify_dnskeys(ring, &limits, keys, ds, NOW, &work, &v) == SEC_SECURE,
			 ds_cases[_i].is_secure);
	rrset_put(ds);
	rrset_put(keys);
	signed_zone_free(z);
}
END_TEST

START_TEST(disabled_algorithms_do_not_count)
{
	struct signed_zone *z = zone_new(13, NULL, SIGN_NONE);
	struct rrset *ds = ds_of(z, 2);

	limits.disabled_algorithms[0] |= 1U << 13;
	ck_assert(!ds_is_usable(ds, &limits));
	ck_assert_int_eq(verify_keys(z, 2), SEC_BOGUS);
	ck_assert_int_eq(verify(z, "www.example", TYPE_A), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_UNSUPPORTED_DNSKEY_ALGO);
	ck_assert_uint_eq(work.checks, 0);
	rrset_put(ds);
	signed_zone_free(z);
}
END_TEST

/* RFC 6840 5.11: one good signature is enough, whatever the other algorithms' are. */
START_TEST(one_of_two_algorithms_is_enough)
{
	struct signed_zone *z = signed_zone_new(apex);

	ck_assert(signed_zone_read(z, records));
	signed_zone_sign(z, &(struct sign_policy) {
				    .algorithm = 8,
				    .more = { 13 },
				    .inception_s = NOW - DAY,
				    .expiration_s = NOW + DAY,
			    });
	ck_assert_int_eq(verify(z, "www.example", TYPE_A), SEC_SECURE);
	ck_assert_uint_eq(v.algorithm, 8);
	ck_assert_int_eq(verify_keys(z, 2), SEC_SECURE);
	limits.disabled_algorithms[0] |= 1U << 8;
	ck_assert_int_eq(verify(z, "www.example", TYPE_A), SEC_SECURE);
	ck_assert_uint_eq(v.algorithm, 13);
	signed_zone_free(z);
}
END_TEST

/* ---- names and times ---- */

START_TEST(wildcards_are_told)
{
	struct signed_zone *z = zone_new(13, NULL, SIGN_NONE);
	const struct signed_set *wild = signed_zone_find(z, wire("*.wild.example"), TYPE_TXT);
	const struct signed_set *nsec = signed_zone_find(z, wire("*.wild.example"), TYPE_NSEC);
	struct rrset *s = signed_set_rrset(wild, wire("a.b.wild.example"), NOW);

	ck_assert_int_eq(verify_at(z, s, NOW), SEC_SECURE);
	ck_assert(v.is_expanded);
	ck_assert_uint_eq(v.labels, 2);
	rrset_put(s);
	/* Asked for by its own name it was not expanded. */
	ck_assert_int_eq(verify(z, "*.wild.example", TYPE_TXT), SEC_SECURE);
	ck_assert(!v.is_expanded);
	/* Nor can it be carried to a name that it does not cover, */
	s = signed_set_rrset(wild, wire("a.example"), NOW);
	ck_assert_int_eq(verify_at(z, s, NOW), SEC_BOGUS);
	rrset_put(s);
	/* An NSEC is expanded like other data (RFC 4592 4.7). */
	ck_assert_ptr_nonnull(nsec);
	s = signed_set_rrset(nsec, wire("a.wild.example"), NOW);
	ck_assert_int_eq(verify_at(z, s, NOW), SEC_SECURE);
	ck_assert(v.is_expanded);
	rrset_put(s);
	signed_zone_free(z);
}
END_TEST

/* What `zone` says of `owner` with a signature made for `made_for`. */
static enum security verify_made(const char *zone, const char *owner, const char *made_for,
				 uint16_t type)
{
	static const uint8_t rdata[] = { 192, 0, 2, 1 };
	const struct rdata rr = { rdata, sizeof(rdata) };
	const struct sign_with with = { sign_key(13, 0), SIGN_ZSK, wire(zone), NOW - DAY,
					NOW + DAY };
	uint8_t sig[SIGN_RRSIG_MAX], dnskey[SIGN_DNSKEY_MAX];
	struct rdata keys_rr = { .data = dnskey }, sig_rr = { .data = sig };
	struct rrset *keys = NULL, *s = NULL;
	enum security verdict;

	keys_rr.len = (uint16_t)sign_key_dnskey(with.key, SIGN_ZSK, dnskey);
	sig_rr.len = (uint16_t)sign_records(&with, SIGN_NONE, wire(made_for), type, 300, &rr, 1,
					    sig);
	ck_assert_int_eq(rrset_new(&keys, wire(zone), TYPE_DNSKEY, 300, NOW, RANK_AUTH_ANSWER,
				   &keys_rr, 1, NULL, 0),
			 E_OK);
	ck_assert_int_eq(
		rrset_new(&s, wire(owner), type, 300, NOW, RANK_AUTH_ANSWER, &rr, 1, &sig_rr, 1),
		E_OK);
	verdict = verify_set(ring, &limits, s, wire(zone), keys, NOW, &work, &v);
	rrset_put(keys);
	rrset_put(s);
	return verdict;
}

START_TEST(names_that_a_zone_may_sign)
{
	ck_assert_int_eq(verify_made("example", "a.b.example", "*.b.example", TYPE_A), SEC_SECURE);
	ck_assert_int_eq(verify_made("b.example", "a.b.example", "*.b.example", TYPE_A),
			 SEC_SECURE);
	/* Not a wildcard above itself. */
	ck_assert_int_eq(verify_made("b.example", "a.b.example", "*.example", TYPE_A), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_MALFORMED_RRSIG);
	ck_assert_int_eq(verify_made("b.example", "b.example", "*.example", TYPE_A), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_MALFORMED_RRSIG);
	/* Zones whose names are wildcards, strange as that is. */
	ck_assert_int_eq(verify_made("*.example", "*.example", "*.example", TYPE_A), SEC_SECURE);
	ck_assert(!v.is_expanded);
	ck_assert_int_eq(verify_made("*.example", "a.*.example", "a.*.example", TYPE_A),
			 SEC_SECURE);
	ck_assert_int_eq(verify_made("*.example", "a.*.example", "*.example", TYPE_A), SEC_BOGUS);
	/* The root. */
	ck_assert_int_eq(verify_made(".", "a.example", "*", TYPE_A), SEC_SECURE);
	ck_assert_uint_eq(v.labels, 0);
	ck_assert_int_eq(verify_made(".", ".", ".", TYPE_A), SEC_SECURE);
	ck_assert(!v.is_expanded);
	/* An NSEC3's owner is a hash. */
	ck_assert_int_eq(verify_made("example", "a.example", "*.example", TYPE_NSEC3), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_EXPANDED_DENIAL);
}
END_TEST

static const struct {
	uint32_t inception_s, expiration_s, now_s;
	enum bogus why;
} times[] = {
	{ NOW, NOW + 10, NOW, BOGUS_NONE },
	{ NOW, NOW + 10, NOW + 10, BOGUS_NONE },
	{ NOW, NOW + 10, NOW + 11, BOGUS_SIGNATURE_EXPIRED },
	/* signature-inception-skew */
	{ NOW, NOW + 10, NOW - 60, BOGUS_NONE },
	{ NOW, NOW + 10, NOW - 61, BOGUS_SIGNATURE_NOT_YET_VALID },
	{ NOW + 10, NOW, NOW + 5, BOGUS_SIGNATURE_BACKWARDS },
	/* RFC 4034 3.1.5: in February 2106 the count begins anew. */
	{ UINT32_MAX - 99, 100, UINT32_MAX, BOGUS_NONE },
	{ UINT32_MAX - 99, 100, 50, BOGUS_NONE },
	{ UINT32_MAX - 99, 100, 101, BOGUS_SIGNATURE_EXPIRED },
	{ 10, 1000, UINT32_MAX - 20, BOGUS_NONE },
	{ 50, 1000, UINT32_MAX - 20, BOGUS_SIGNATURE_NOT_YET_VALID },
};

START_TEST(times_are_serial_numbers)
{
	struct signed_zone *z = signed_zone_new(apex);
	struct rrset *s;

	ck_assert(signed_zone_read(z, records));
	signed_zone_sign(z, &(struct sign_policy) { .algorithm = 15,
						    .inception_s = times[_i].inception_s,
						    .expiration_s = times[_i].expiration_s });
	s = set_of(z, "www.example", TYPE_A);
	(void)verify_at(z, s, times[_i].now_s);
	ck_assert_int_eq(v.why, times[_i].why);
	rrset_put(s);
	signed_zone_free(z);
}
END_TEST

static const struct {
	enum sign_fault faults[3];
	enum bogus why;
} several[] = {
	{ { SIGN_OTHER_SIGNER, SIGN_EXPIRED, SIGN_OTHER_TAG }, BOGUS_NO_KEY_OF_RRSIG },
	{ { SIGN_OTHER_TYPE, SIGN_EXPIRED, SIGN_OTHER_SIGNER }, BOGUS_SIGNATURE_EXPIRED },
	{ { SIGN_GARBLED, SIGN_EXPIRED, SIGN_OTHER_TAG }, BOGUS_NO_VALID_RRSIG },
	{ { SIGN_EXPIRED, SIGN_OTHER_TAG, SIGN_NONE }, BOGUS_NONE },
	{ { SIGN_GARBLED, SIGN_NONE, SIGN_EXPIRED }, BOGUS_NONE },
	{ { SIGN_EMPTY, SIGN_EMPTY, SIGN_NONE }, BOGUS_NONE },
};

/* Of several signatures one that holds is enough; of those that do not, the one that came closest is
 * told of. */
START_TEST(the_cause_is_of_the_best_signature)
{
	struct signed_zone *z = zone_new(13, NULL, SIGN_NONE);
	const struct signed_set *set = signed_zone_find(z, wire("www.example"), TYPE_A);
	const struct sign_with with = { sign_key(13, 0), SIGN_ZSK, apex, NOW - DAY, NOW + DAY };
	uint8_t sigs[3][SIGN_RRSIG_MAX];
	struct rdata sig[3];
	struct rrset *s = NULL;

	for (size_t i = 0; i < 3; i++) {
		sig[i].data = sigs[i];
		sig[i].len = (uint16_t)sign_records(&with, several[_i].faults[i], set->owner,
						    TYPE_A, set->ttl, set->rr, set->n, sigs[i]);
	}
	ck_assert_int_eq(rrset_new(&s, set->owner, TYPE_A, set->ttl, NOW, RANK_AUTH_ANSWER, set->rr,
				   set->n, sig, 3),
			 E_OK);
	(void)verify_at(z, s, NOW);
	ck_assert_msg(v.why == several[_i].why, "%s", bogus_row(v.why)->text);
	rrset_put(s);
	signed_zone_free(z);
}
END_TEST

Suite *suite_verify(void)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("verify");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, what_is_signed_verifies, 0, sizeof(all_algorithms));
	tcase_add_loop_test(t, ds_leads_to_keys, 0, sizeof(all_algorithms));
	tcase_add_loop_test(t, each_fault_has_its_cause, 0, ARRAY_LEN(faults));
	tcase_add_loop_test(t, each_fault_of_keys_has_its_cause, 0, ARRAY_LEN(key_faults));
	tcase_add_test(t, a_revoked_key_signs_for_itself);
	tcase_add_test(t, a_ds_of_a_key_that_was_revoked);
	tcase_add_loop_test(t, ds_sets_are_of_use_or_not, 0, ARRAY_LEN(ds_cases));
	tcase_add_test(t, disabled_algorithms_do_not_count);
	tcase_add_test(t, one_of_two_algorithms_is_enough);
	tcase_add_test(t, wildcards_are_told);
	tcase_add_test(t, names_that_a_zone_may_sign);
	tcase_add_loop_test(t, times_are_serial_numbers, 0, ARRAY_LEN(times));
	tcase_add_loop_test(t, the_cause_is_of_the_best_signature, 0, ARRAY_LEN(several));
	suite_add_tcase(s, t);
	return s;
}
