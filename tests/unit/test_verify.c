#include "recursor/resolve/dnssec/verify.h"

#include <check.h>
#include <string.h>

#include "common/rrtype.h"
#include "common/wire.h"
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

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		ck_assert_msg(verify(z, sets[i].owner, sets[i].type) == SEC_SECURE, "%s %u: %s",
			      sets[i].owner, sets[i].type, bogus_row(v.why)->text);
		ck_assert(!v.is_expanded && v.algorithm == algorithm);
		ck_assert_uint_eq(v.until_s, NOW + DAY);
		ck_assert_uint_eq(v.inception_s, NOW - DAY);
		ck_assert_uint_eq(work.checks, 1);
	}
	/* One key signed them all. */
	ck_assert_uint_eq(keyring_count(ring), 1);
	ck_assert_uint_eq(keyring_misses(ring), 1);
	signed_zone_free(z);
}
END_TEST

START_TEST(ds_leads_to_keys)
{
	static const unsigned digests[] = { 1, 2, 4 };
	uint8_t algorithm = all_algorithms[_i];
	struct signed_zone *z = zone_new(algorithm, NULL, SIGN_NONE);
	struct rrset *keys = set_of(z, "example", TYPE_DNSKEY);

	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		struct rrset *ds = ds_of(z, digests[i]);

		ck_assert_int_eq(ds_use(ds, &limits), DS_USABLE);
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

Suite *suite_verify(void)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("verify");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, what_is_signed_verifies, 0, sizeof(all_algorithms));
	tcase_add_loop_test(t, ds_leads_to_keys, 0, sizeof(all_algorithms));
	tcase_add_loop_test(t, each_fault_has_its_cause, 0, sizeof(faults) / sizeof(faults[0]));
	suite_add_tcase(s, t);
	return s;
}
