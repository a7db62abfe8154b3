/* What the tests' signer makes (tests/signer), judged by ldns. */
#include "tests/signer/zone.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/unit/wire_name.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

enum { NOW = 1700000000, DAY = 86400, RECORD_MAX = 4096 };

/* What a library forgets between these two is not ours to free. */
static void leaks_begin(void)
{
#if defined(__SANITIZE_ADDRESS__)
	__lsan_disable();
#endif
}

static void leaks_end(void)
{
#if defined(__SANITIZE_ADDRESS__)
	__lsan_enable();
#endif
}

static const uint8_t apex[] = "\7example";
static const uint8_t algorithms[] = { 5, 7, 8, 10, 13, 14, 15, 16 };

/* Names within data in mixed case; a delegation with DS and two without, one of them below a name
 * that is empty; a wildcard; an alias; glue. */
static const char records[] = "example. 3600 IN SOA ns.Example. host.example. 1 2 3 4 300\n"
			      "example. 3600 IN NS NS.example.\n"
			      "example. 3600 IN MX 10 Mail.Example.\n"
			      "ns.example. 300 IN A 192.0.2.53\n"
			      "www.example. 300 IN A 192.0.2.3\n"
			      "www.example. 300 IN A 192.0.2.1\n"
			      "www.example. 300 IN A 192.0.2.2\n"
			      "www.example. 300 IN TXT \"b\" \"c\"\n"
			      "www.example. 300 IN TXT \"b\"\n"
			      "_sip._tcp.example. 60 IN SRV 1 2 5060 WWW.example.\n"
			      "a.b.c.example. 60 IN A 192.0.2.9\n"
			      "*.wild.example. 60 IN TXT \"any\"\n"
			      "alias.example. 60 IN CNAME WWW.example.\n"
			      "naptr.example. 60 IN NAPTR 1 2 \"u\" \"E2U\" \"x\" Www.Example.\n"
			      "sec.example. 60 IN NS ns.sec.example.\n"
			      "sec.example. 60 IN DS 1 13 2 0102030405060708090a0b0c0d0e0f10"
			      "0102030405060708090a0b0c0d0e0f10\n"
			      "ns.sec.example. 60 IN A 192.0.2.54\n"
			      "insec.example. 60 IN NS ns.insec.example.\n"
			      "ns.insec.example. 60 IN A 192.0.2.55\n"
			      "deep.ent.example. 60 IN NS ns.sec.example.\n";

static struct signed_zone *zone_of(const struct sign_policy *p, const uint8_t *broken,
				   enum sign_fault fault)
{
	struct signed_zone *z = signed_zone_new(apex);
	struct sign_policy policy = *p;

	ck_assert(signed_zone_read(z, records));
	if (broken != NULL)
		signed_zone_break(z, broken, 0, fault);
	policy.inception_s = NOW - DAY;
	policy.expiration_s = NOW + DAY;
	signed_zone_sign(z, &policy);
	return z;
}

/* ---- as ldns has it ---- */

static void push(ldns_rr_list *to, const struct signed_set *s, const uint8_t *owner, uint16_t type,
		 const struct rdata *rr, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t bytes[RECORD_MAX];
		size_t len = name_copy(bytes, owner), pos = 0;
		ldns_rr *out = NULL;

		wire_put_u16(bytes + len, type);
		wire_put_u16(bytes + len + 2, 1);
		wire_put_u32(bytes + len + 4, s->ttl);
		wire_put_u16(bytes + len + 8, rr[i].len);
		memcpy(bytes + len + 10, rr[i].data, rr[i].len);
		ck_assert_int_eq(
			ldns_wire2rr(&out, bytes, len + 10 + rr[i].len, &pos, LDNS_SECTION_ANSWER),
			LDNS_STATUS_OK);
		ldns_rr_list_push_rr(to, out);
	}
}

static ldns_rr_list *records_of(const struct signed_set *s, const uint8_t *owner)
{
	ldns_rr_list *l = ldns_rr_list_new();

	push(l, s, owner != NULL ? owner : s->owner, s->type, s->rr, s->n);
	return l;
}

static ldns_rr_list *sigs_of(const struct signed_set *s, const uint8_t *owner)
{
	ldns_rr_list *l = ldns_rr_list_new();

	push(l, s, owner != NULL ? owner : s->owner, TYPE_RRSIG, s->sig, s->n_sig);
	return l;
}

/* How many of the set's RRSIGs hold. */
static unsigned verified(struct signed_zone *z, const struct signed_set *s, const uint8_t *owner)
{
	ldns_rr_list *keys = records_of(signed_zone_find(z, apex, TYPE_DNSKEY), NULL);
	ldns_rr_list *rr = records_of(s, owner), *sigs = sigs_of(s, owner);
	unsigned n = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(sigs); i++) {
		ldns_rr_list *good = ldns_rr_list_new();

		n += ldns_verify_rrsig_keylist_time(rr, ldns_rr_list_rr(sigs, i), keys, NOW,
						    good) == LDNS_STATUS_OK;
		ldns_rr_list_free(good);
	}
	ldns_rr_list_deep_free(keys);
	ldns_rr_list_deep_free(rr);
	ldns_rr_list_deep_free(sigs);
	return n;
}

/* ---- signatures ---- */

static const struct {
	const char *owner;
	uint16_t type;
	bool is_signed;
} expected[] = {
	{ "example.", TYPE_SOA, true },         { "example.", TYPE_NS, true },
	{ "example.", TYPE_MX, true },          { "example.", TYPE_DNSKEY, true },
	{ "ns.example.", TYPE_A, true },        { "www.example.", TYPE_A, true },
	{ "www.example.", TYPE_TXT, true },     { "_sip._tcp.example.", TYPE_SRV, true },
	{ "a.b.c.example.", TYPE_A, true },     { "*.wild.example.", TYPE_TXT, true },
	{ "alias.example.", TYPE_CNAME, true }, { "naptr.example.", TYPE_NAPTR, true },
	{ "sec.example.", TYPE_DS, true },      { "sec.example.", TYPE_NS, false },
	{ "ns.sec.example.", TYPE_A, false },   { "insec.example.", TYPE_NS, false },
};

START_TEST(ldns_verifies_every_set_of_every_algorithm)
{
	struct sign_policy p = { .algorithm = algorithms[_i % 8], .two_keys = _i >= 8 };
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);

	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct signed_set *s = signed_zone_find(z, wire(expected[i].owner),
							      expected[i].type);

		ck_assert_msg(s != NULL && s->is_signed == expected[i].is_signed, "%s",
			      expected[i].owner);
		ck_assert_uint_eq(s->n_sig, expected[i].is_signed);
		ck_assert_msg(verified(z, s, NULL) == expected[i].is_signed, "%s",
			      expected[i].owner);
	}
	/* Expanded from a wildcard. */
	ck_assert_uint_eq(verified(z, signed_zone_find(z, wire("*.wild.example."), TYPE_TXT),
				   wire("x.y.wild.example.")),
			  1);
	signed_zone_free(z);
}
END_TEST

START_TEST(several_algorithms_sign_side_by_side)
{
	struct sign_policy p = { .algorithm = 8, .more = { 13, 15 }, .two_keys = true };
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);
	uint8_t ds[SIGN_DS_MAX];

	ck_assert_uint_eq(signed_zone_find(z, apex, TYPE_DNSKEY)->n, 6);
	ck_assert_uint_eq(verified(z, signed_zone_find(z, apex, TYPE_SOA), NULL), 3);
	ck_assert_uint_gt(signed_zone_ds(z, 2, 2, ds), 0);
	ck_assert_uint_eq(ds[2], 15);
	ck_assert_uint_eq(signed_zone_ds(z, 3, 2, ds), 0);
	signed_zone_free(z);
}
END_TEST

START_TEST(a_key_is_the_same_in_every_run)
{
	static const uint16_t tags[] = { 59816, 3406, 20422, 33411, 50616, 51897, 14661, 42803 };
	uint8_t first[SIGN_SIGNATURE_MAX], second[SIGN_SIGNATURE_MAX];
	const struct sign_key *k = sign_key(algorithms[_i], 0);
	size_t len = sign_bytes(k, (const uint8_t *)"data", 4, first);

	ck_assert_uint_eq(sign_key_tag(k, SIGN_KSK), tags[_i]);
	ck_assert_uint_ne(sign_key_tag(sign_key(algorithms[_i], 1), SIGN_KSK), tags[_i]);
	ck_assert_uint_eq(sign_bytes(k, (const uint8_t *)"data", 4, second), len);
	ck_assert_mem_eq(first, second, len);
}
END_TEST

START_TEST(large_rsa_keys_sign_as_well)
{
	struct sign_policy p = { .algorithm = 8, .number = SIGN_KEY_LARGE };
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);

	ck_assert_uint_eq(signed_zone_find(z, apex, TYPE_SOA)->sig[0].len, 18 + sizeof(apex) + 256);
	ck_assert_uint_eq(verified(z, signed_zone_find(z, apex, TYPE_SOA), NULL), 1);
	signed_zone_free(z);
}
END_TEST

START_TEST(a_ds_is_that_of_ldns)
{
	static const ldns_hash hashes[] = { LDNS_SHA1, LDNS_SHA256, LDNS_SHA384 };
	static const unsigned digests[] = { 1, 2, 4 };
	struct signed_zone *z = zone_of(&(struct sign_policy) { .algorithm = 13 }, NULL, SIGN_NONE);
	ldns_rr_list *keys = records_of(signed_zone_find(z, apex, TYPE_DNSKEY), NULL);
	struct signed_zone *root = signed_zone_new(name_root);
	const struct signed_set *ds;
	ldns_rr_list *ours;
	ldns_rr *theirs;

	signed_zone_delegate(root, z, digests[_i]);
	ds = signed_zone_find(root, apex, TYPE_DS);
	ck_assert_uint_eq(ds->n, 1);
	theirs = ldns_key_rr2ds(ldns_rr_list_rr(keys, 0), hashes[_i]);
	ours = records_of(ds, NULL);
	ldns_rr_set_ttl(theirs, ds->ttl);
	ck_assert_int_eq(ldns_rr_compare(theirs, ldns_rr_list_rr(ours, 0)), 0);
	ldns_rr_free(theirs);
	ldns_rr_list_deep_free(ours);
	ldns_rr_list_deep_free(keys);
	signed_zone_free(root);
	signed_zone_free(z);
}
END_TEST

/* ---- faults ---- */

START_TEST(a_signature_that_is_wrong_does_not_hold)
{
	enum sign_fault fault = (enum sign_fault)(SIGN_NONE + 1 + _i);
	const uint8_t *www = wire("www.example.");

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		struct sign_policy p = { .algorithm = algorithms[i] };
		struct signed_zone *z = zone_of(&p, www, fault);
		const struct signed_set *s = signed_zone_find(z, www, TYPE_A);

		ck_assert_uint_eq(s->n_sig, fault != SIGN_UNSIGNED);
		ck_assert_msg(verified(z, s, NULL) == 0, "%s", sign_fault_word(fault));
		/* And nothing else has suffered. */
		ck_assert_uint_eq(verified(z, signed_zone_find(z, apex, TYPE_SOA), NULL), 1);
		signed_zone_free(z);
	}
}
END_TEST

START_TEST(a_fault_of_the_zone_is_of_all_its_sets)
{
	struct sign_policy p = { .algorithm = 13, .fault = SIGN_GARBLED };
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);

	ck_assert_uint_eq(verified(z, signed_zone_find(z, apex, TYPE_SOA), NULL), 0);
	ck_assert_uint_eq(verified(z, signed_zone_find(z, wire("www.example."), TYPE_A), NULL), 0);
	/* The keys are left: another table of faults. */
	ck_assert_uint_eq(verified(z, signed_zone_find(z, apex, TYPE_DNSKEY), NULL), 1);
	signed_zone_free(z);
}
END_TEST

/* The tag that the DS names, and whether the key with that tag signs the keys. */
START_TEST(keys_are_wrong_as_named)
{
	enum sign_fault fault = (enum sign_fault)(SIGN_DS_DIGEST + _i);
	struct sign_policy p = { .algorithm = 13, .two_keys = true, .fault = fault };
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);
	struct signed_zone *good = zone_of(&(struct sign_policy) { 13, .two_keys = true }, NULL,
					   SIGN_NONE);
	const struct signed_set *keys = signed_zone_find(z, apex, TYPE_DNSKEY);
	uint8_t ds[SIGN_DS_MAX], right[SIGN_DS_MAX], of_key[SIGN_DS_MAX];
	size_t len = signed_zone_ds(z, 0, 2, ds);

	ck_assert_uint_eq(signed_zone_ds(good, 0, 2, right), len);
	if (keys == NULL) {
		ck_assert_int_eq(fault, SIGN_KEYS_GONE);
	} else {
		(void)sign_ds(apex, keys->rr[0].data, keys->rr[0].len, 2, of_key);
		switch (fault) {
		case SIGN_DS_DIGEST:
		case SIGN_DS_TAG:
		case SIGN_DS_ALGORITHM:
			ck_assert_mem_ne(ds, of_key, len);
			break;
		case SIGN_KEYS_UNSIGNED:
			ck_assert_uint_eq(keys->n_sig, 0);
			break;
		case SIGN_KEYS_BY_ZSK:
			ck_assert_uint_eq(wire_get_u16(keys->sig[0].data + 16),
					  sign_dnskey_tag(keys->rr[1].data, keys->rr[1].len));
			break;
		case SIGN_KEYS_EXPIRED:
			ck_assert_uint_eq(verified(z, keys, NULL), 0);
			break;
		case SIGN_ZSK_GONE:
			ck_assert_uint_eq(keys->n, 1);
			ck_assert_uint_eq(verified(z, keys, NULL), 1);
			ck_assert_uint_eq(verified(z, signed_zone_find(z, apex, TYPE_SOA), NULL),
					  0);
			break;
		case SIGN_KSK_REVOKED:
			ck_assert_uint_eq(wire_get_u16(keys->rr[0].data), 0x181);
			ck_assert_mem_ne(ds, right, len);
			break;
		case SIGN_NO_ZONE_FLAG:
			ck_assert_uint_eq(wire_get_u16(keys->rr[0].data) & 0x100, 0);
			break;
		default:
			ck_assert_int_eq(fault, SIGN_PROTOCOL);
			ck_assert_uint_eq(keys->rr[0].data[2], 2);
			break;
		}
	}
	signed_zone_free(z);
	signed_zone_free(good);
}
END_TEST

/* ---- proofs ---- */

static const struct {
	const char *name;
	uint16_t type;
	bool is_denial, is_nxdomain;
	unsigned nsec, nsec3; /* sets */
} proofs[] = {
	{ "www.example.", TYPE_A, false, false, 0, 0 },
	{ "alias.example.", TYPE_A, false, false, 0, 0 },
	{ "www.example.", TYPE_AAAA, true, false, 1, 1 },
	{ "c.example.", TYPE_A, true, false, 1, 1 },
	{ "example.", TYPE_DS, true, false, 1, 1 },
	{ "nx.example.", TYPE_A, true, true, 2, 3 },
	{ "zz.example.", TYPE_A, true, true, 2, 3 },
	{ "x.www.example.", TYPE_A, true, true, 1, 3 },
	{ "x.wild.example.", TYPE_TXT, false, false, 1, 1 },
	{ "x.wild.example.", TYPE_A, true, false, 1, 3 },
	{ "x.y.wild.example.", TYPE_TXT, false, false, 1, 1 },
	{ "sec.example.", TYPE_A, false, false, 1, 1 }, /* the DS set */
	{ "a.sec.example.", TYPE_A, false, false, 1, 1 },
	{ "insec.example.", TYPE_DS, true, false, 1, 1 },
};

/* ldns asks for the proof that there is no wildcard where a name is empty, which NSEC does not need:
 * something is below it (RFC 4035 5.4). */
static bool is_empty_name(const struct signed_set *nsec, const uint8_t *qname)
{
	return name_compare(nsec->owner, qname) < 0 && name_is_below(nsec->rr[0].data, qname);
}

static ldns_status judge(struct signed_zone *z, size_t which, bool with_nsec3,
			 const struct signed_set **sets, size_t n)
{
	const uint8_t *qname = wire(proofs[which].name);
	ldns_rr_list *rrs = ldns_rr_list_new(), *sigs = ldns_rr_list_new();
	ldns_rr *rr = ldns_rr_new();
	ldns_status status;

	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(verified(z, sets[i], NULL), 1);
		push(rrs, sets[i], sets[i]->owner, sets[i]->type, sets[i]->rr, sets[i]->n);
		push(sigs, sets[i], sets[i]->owner, TYPE_RRSIG, sets[i]->sig, sets[i]->n_sig);
	}
	ldns_rr_set_owner(rr, ldns_dname_new_frm_data((uint16_t)name_len(qname), qname));
	ldns_rr_set_type(rr, proofs[which].type);
	if (n == 0)
		status = LDNS_STATUS_ERR;
	else if (with_nsec3) {
		/* ldns 1.8 forgets names of its own there. */
		leaks_begin();
		status = ldns_dnssec_verify_denial_nsec3(
			rr, rrs, sigs,
			proofs[which].is_nxdomain ? LDNS_RCODE_NXDOMAIN : LDNS_RCODE_NOERROR,
			proofs[which].type, !proofs[which].is_nxdomain);
		leaks_end();
	} else if (is_empty_name(sets[0], qname))
		status = LDNS_STATUS_OK;
	else
		status = ldns_dnssec_verify_denial(rr, rrs, sigs);
	ldns_rr_free(rr);
	ldns_rr_list_deep_free(rrs);
	ldns_rr_list_deep_free(sigs);
	return status;
}

START_TEST(ldns_is_convinced_by_every_denial)
{
	struct sign_policy p = {
		.algorithm = 13,
		.denial = _i == 0 ? SIGN_NSEC : SIGN_NSEC3,
		.iterations = _i == 2 ? 5 : 0,
		.salt_len = _i == 2 ? 3 : 0,
		.salt = { 1, 2, 3 },
	};
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);
	const struct signed_set *sets[SIGNED_PROOFS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		size_t n = signed_zone_prove(z, wire(proofs[i].name), proofs[i].type, sets);

		ck_assert_msg(n <= (_i == 0 ? proofs[i].nsec : proofs[i].nsec3), "%s: %zu sets",
			      proofs[i].name, n);
		ck_assert_msg((n > 0) == (proofs[i].nsec > 0), "%s", proofs[i].name);
		if (proofs[i].is_denial)
			ck_assert_msg(judge(z, i, _i > 0, sets, n) == LDNS_STATUS_OK, "%s",
				      proofs[i].name);
	}
	signed_zone_free(z);
}
END_TEST

START_TEST(opt_out_leaves_out_what_is_not_signed)
{
	struct sign_policy p = { .algorithm = 13, .denial = SIGN_OPT_OUT };
	struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);
	struct signed_zone *all = zone_of(&(struct sign_policy) { 13, .denial = SIGN_NSEC3 }, NULL,
					  SIGN_NONE);
	const struct signed_set *sets[SIGNED_PROOFS_MAX];
	unsigned n = 0, n_all = 0;

	while (signed_zone_chain(z, n) != NULL)
		ck_assert_uint_eq(signed_zone_chain(z, n++)->rr[0].data[1], 1);
	while (signed_zone_chain(all, n_all) != NULL)
		n_all++;
	/* insec, deep.ent and ent */
	ck_assert_uint_eq(n_all - n, 3);
	/* The encloser, and the span that the delegation would be in; which may be one. */
	n = (unsigned)signed_zone_prove(z, wire("a.deep.ent.example."), TYPE_A, sets);
	ck_assert(n >= 1 && n <= 2);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(sets[i]->type, TYPE_NSEC3);
	signed_zone_free(z);
	signed_zone_free(all);
}
END_TEST

START_TEST(proofs_are_wanting_as_named)
{
	enum sign_fault fault = (enum sign_fault)(SIGN_NO_PROOF + _i);
	const struct signed_set *sets[SIGNED_PROOFS_MAX];
	size_t nodata = 2, nxdomain = 5;

	for (unsigned how = 0; how < 2; how++) {
		struct sign_policy p = { .algorithm = 13,
					 .denial = how == 0 ? SIGN_NSEC : SIGN_NSEC3,
					 .fault = fault };
		struct signed_zone *z = zone_of(&p, NULL, SIGN_NONE);
		size_t which = fault == SIGN_ALL_TYPES ? nodata : nxdomain;
		size_t n = signed_zone_prove(z, wire(proofs[which].name), proofs[which].type, sets);

		/* NSEC names no encloser. */
		if (how > 0 || fault != SIGN_NO_ENCLOSER_PROOF)
			ck_assert_msg(judge(z, which, how > 0, sets, n) != LDNS_STATUS_OK, "%s",
				      sign_fault_word(fault));
		signed_zone_free(z);
	}
}
END_TEST

/* RFC 5155 A: H(ns1.example) with 12 iterations and the salt aabbccdd. */
START_TEST(hashes_are_those_of_the_rfc)
{
	uint8_t hash[SIGN_HASH_LEN];

	sign_hash(wire("ns1.example."), 12, (const uint8_t *)"\xaa\xbb\xcc\xdd", 4, hash);
	/* 2t7b4g4vsa5smi47k61mv5bv1a22bojr */
	ck_assert_uint_eq(hash[0] >> 3, 2);
	ck_assert_uint_eq((hash[0] & 7) << 2 | hash[1] >> 6, 't' - 'a' + 10);
	ck_assert_uint_eq(hash[19] & 31, 'r' - 'a' + 10);
}
END_TEST

START_TEST(a_set_is_as_the_resolver_has_it)
{
	struct signed_zone *z = zone_of(&(struct sign_policy) { .algorithm = 13 }, NULL, SIGN_NONE);
	const uint8_t *owner = wire("X.wild.example.");
	struct rrset *s = signed_set_rrset(signed_zone_find(z, wire("*.wild.example."), TYPE_TXT),
					   owner, NOW);

	ck_assert(name_equal(rrset_owner(s), owner));
	ck_assert_uint_eq(s->n_rr, 1);
	ck_assert_uint_eq(s->n_sig, 1);
	ck_assert_uint_eq(s->ttl, 60);
	rrset_put(s);
	signed_zone_free(z);
}
END_TEST

START_TEST(every_fault_has_a_word)
{
	for (unsigned f = 0; f < SIGN_FAULT_END; f++) {
		ck_assert_int_eq(sign_fault_find(sign_fault_word((enum sign_fault)f)), f);
		ck_assert(sign_fault_text((enum sign_fault)f)[0] != '\0');
	}
	ck_assert_int_eq(sign_fault_find("good"), SIGN_FAULT_END);
}
END_TEST

Suite *suite_signer(void)
{
	Suite *s = suite_create("signer");
	TCase *t = tcase_create("signer");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, ldns_verifies_every_set_of_every_algorithm, 0, 16);
	tcase_add_test(t, several_algorithms_sign_side_by_side);
	tcase_add_loop_test(t, a_key_is_the_same_in_every_run, 0, ARRAY_LEN(algorithms));
	tcase_add_test(t, large_rsa_keys_sign_as_well);
	tcase_add_loop_test(t, a_ds_is_that_of_ldns, 0, 3);
	tcase_add_loop_test(t, a_signature_that_is_wrong_does_not_hold, 0,
			    SIGN_DS_DIGEST - SIGN_NONE - 1);
	tcase_add_test(t, a_fault_of_the_zone_is_of_all_its_sets);
	tcase_add_loop_test(t, keys_are_wrong_as_named, 0, SIGN_NO_PROOF - SIGN_DS_DIGEST);
	tcase_add_loop_test(t, ldns_is_convinced_by_every_denial, 0, 3);
	tcase_add_test(t, opt_out_leaves_out_what_is_not_signed);
	tcase_add_loop_test(t, proofs_are_wanting_as_named, 0, SIGN_FAULT_END - SIGN_NO_PROOF);
	tcase_add_test(t, hashes_are_those_of_the_rfc);
	tcase_add_test(t, a_set_is_as_the_resolver_has_it);
	tcase_add_test(t, every_fault_has_a_word);
	suite_add_tcase(s, t);
	return s;
}
