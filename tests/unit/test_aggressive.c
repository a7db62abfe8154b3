#include "recursor/resolve/dnssec/aggressive.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "random_zone.h"
#include "recursor/resolve/dnssec/aggressive_shard.h"
#include "recursor/resolve/dnssec/denial.h"
#include "text_set.h"
#include "wire_name.h"

enum { ZONES = 40, NOW = TEXT_SET_NOW_S };

_Static_assert((int)NOW == (int)RANDOM_ZONE_NOW_S, "one clock");

static const struct aggressive_config config = {
	.max_entries = 1000,
	.min_nsec3_hit_ratio = 2000,
	.max_nsec3_iterations = 50,
	.max_nsec3_hash_cost = 150,
};

static struct aggressive *cache;
static struct rrset *soa, *found;

static void setup(void)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(aggressive_new(&cache, &config), E_OK);
	soa = text_set("example", "example. SOA ns. host. 1 2 3 4 600");
}

static void teardown(void)
{
	rrset_put(found);
	found = NULL;
	rrset_put(soa);
	ck_assert_uint_eq(aggressive_entries(cache), 0 + aggressive_wipe(cache, name_root, true));
	aggressive_free(cache);
	ck_assert_uint_eq(rrset_charged_bytes(), 0);
}

static void put(const char *line)
{
	struct rrset *s = text_set("example", line);

	aggressive_put(cache, wire("example"), s, soa, NOW);
	rrset_put(s);
}

static enum aggressive_hit look_at(const char *name, uint16_t type, uint32_t now_s)
{
	rrset_put(found);
	found = NULL;
	return aggressive_look(cache, wire(name), type, now_s, NULL, &found);
}

static enum aggressive_hit look(const char *name, uint16_t type)
{
	return look_at(name, type, NOW);
}

static void expect_denial(enum rrset_kind kind, const char *name, uint16_t type, unsigned proofs,
			  uint32_t ttl)
{
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(found->kind, kind);
	ck_assert(name_equal(rrset_owner(found), wire(name)));
	ck_assert_uint_eq(found->type, kind == RRSET_NXDOMAIN ? 0 : type);
	ck_assert_int_eq(rrset_security(found), SEC_SECURE);
	ck_assert_uint_eq(found->n_proofs, proofs);
	ck_assert_uint_eq(rrset_proofs(found)[0]->type, TYPE_SOA);
	ck_assert_uint_eq(found->ttl, ttl);
	ck_assert_uint_eq(found->zone_labels, 1);
}

START_TEST(answers_by_nsec)
{
	ck_assert_int_eq(look("a.example", TYPE_A), AGGRESSIVE_NONE);
	put("b.example. NSEC ns1.example. NS RRSIG NSEC");
	/* Nothing is known of the wildcard yet. */
	ck_assert_int_eq(look("ml.example", TYPE_A), AGGRESSIVE_NONE);
	put("example. NSEC a.example. NS SOA MX RRSIG NSEC DNSKEY");
	ck_assert_int_eq(look("ml.example", TYPE_A), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NXDOMAIN, "ml.example", TYPE_A, 3, 600);
	ck_assert_int_eq(look("x.y.ml.example", TYPE_DS), AGGRESSIVE_NSEC);
	/* A zone cut's own names, its types, and what is below. */
	ck_assert_int_eq(look("b.example", TYPE_A), AGGRESSIVE_NONE);
	ck_assert_int_eq(look("x.b.example", TYPE_A), AGGRESSIVE_NONE);
	ck_assert_int_eq(look("b.example", TYPE_DS), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NODATA, "b.example", TYPE_DS, 2, 600);
	ck_assert_int_eq(look("example", TYPE_TXT), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NODATA, "example", TYPE_TXT, 2, 600);
	ck_assert_int_eq(look("example", TYPE_MX), AGGRESSIVE_NONE);
	ck_assert_int_eq(look("example", 65281), AGGRESSIVE_NONE);
	ck_assert_int_eq(look("example", TYPE_DS), AGGRESSIVE_NONE);
	ck_assert_int_eq(look("ns1.example", TYPE_A), AGGRESSIVE_NONE);
	ck_assert_int_eq(look("other", TYPE_A), AGGRESSIVE_NONE);
	/* An empty non-terminal. */
	put("x.w.example. NSEC x.y.w.example. MX RRSIG NSEC");
	ck_assert_int_eq(look("y.w.example", TYPE_A), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NODATA, "y.w.example", TYPE_A, 2, 600);
	ck_assert_uint_eq(aggressive_entries(cache), 3);
}
END_TEST

/* RFC 8198 5.4, RFC 9077: no longer than any of its records. */
START_TEST(lasts_no_longer_than_its_records)
{
	struct aggressive_config capped = config;

	put("example. NSEC b.example. NS SOA RRSIG NSEC");
	ck_assert_int_eq(look_at("a.example", TYPE_A, NOW + 3000), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NXDOMAIN, "a.example", TYPE_A, 2, 600);
	capped.max_negative_ttl = 100;
	aggressive_configure(cache, &capped);
	ck_assert_int_eq(look_at("a.example", TYPE_A, NOW + 3000), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NXDOMAIN, "a.example", TYPE_A, 2, 100);
	ck_assert_int_eq(look_at("a.example", TYPE_A, NOW + 3590), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NXDOMAIN, "a.example", TYPE_A, 2, 10);
	ck_assert_uint_eq(aggressive_entries(cache), 1);
	ck_assert_int_eq(look_at("a.example", TYPE_A, NOW + 3600), AGGRESSIVE_NONE);
	ck_assert_uint_eq(aggressive_entries(cache), 0);
}
END_TEST

START_TEST(lasts_no_longer_than_its_signatures)
{
	struct rrset *s = text_set("example", "example. NSEC b.example. NS SOA RRSIG NSEC");
	struct rrset *later = NULL, *later_soa = NULL;
	const uint32_t end_s = TEXT_SET_UNTIL_S;

	ck_assert_int_eq(rrset_copy(&later, s, RANK_AUTH_AUTHORITY, 3600, end_s - 100), E_OK);
	ck_assert_int_eq(rrset_copy(&later_soa, soa, RANK_AUTH_AUTHORITY, 3600, end_s - 100), E_OK);
	aggressive_put(cache, wire("example"), later, later_soa, end_s - 100);
	ck_assert_int_eq(look_at("a.example", TYPE_A, end_s - 40), AGGRESSIVE_NSEC);
	ck_assert_uint_eq(found->ttl, 40);
	ck_assert_int_eq(look_at("a.example", TYPE_A, end_s), AGGRESSIVE_NONE);
	rrset_put(s);
	rrset_put(later);
	rrset_put(later_soa);
}
END_TEST

START_TEST(makes_data_of_wildcards)
{
	struct rdata a = { .data = (const uint8_t *)"\300\0\2\1", .len = 4 }, rr;
	struct rrset *s = text_set_of(wire("example"), wire("p.w.example"), TYPE_A, &a, 1, 2);
	size_t at = 0;

	put("x.y.w.example. NSEC xx.example. MX RRSIG NSEC");
	ck_assert_int_eq(look("z.w.example", TYPE_A), AGGRESSIVE_NONE);
	aggressive_put(cache, wire("example"), s, NULL, NOW);
	rrset_put(s);
	ck_assert_int_eq(look("q.z.w.example", TYPE_A), AGGRESSIVE_NSEC_WILDCARD);
	ck_assert_int_eq(found->kind, RRSET_DATA);
	ck_assert_uint_eq(found->type, TYPE_A);
	ck_assert(name_equal(rrset_owner(found), wire("q.z.w.example")));
	ck_assert_uint_eq(found->n_rr, 1);
	ck_assert_uint_eq(found->n_sig, 1);
	ck_assert_uint_eq(found->n_proofs, 1);
	ck_assert_uint_eq(rrset_proofs(found)[0]->type, TYPE_NSEC);
	ck_assert_int_eq(rrset_security(found), SEC_SECURE);
	ck_assert(rrset_next(found, &at, &rr) && rr.len == 4 && memcmp(rr.data, a.data, 4) == 0);
	at = 0;
	ck_assert(rrset_next_sig(found, &at, &rr) && rr.data[3] == 2);
	/* Another type of it is not known. */
	ck_assert_int_eq(look("q.z.w.example", TYPE_TXT), AGGRESSIVE_NONE);
	put("*.w.example. NSEC x.w.example. A RRSIG NSEC");
	ck_assert_int_eq(look("q.z.w.example", TYPE_TXT), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NODATA, "q.z.w.example", TYPE_TXT, 3, 600);
	/* An alias stands for all types. */
	s = text_set_of(wire("example"), wire("p.x.y.w.example"), TYPE_CNAME,
			&(struct rdata) { .data = (const uint8_t *)"\5other", .len = 7 }, 1, 4);
	aggressive_put(cache, wire("example"), s, NULL, NOW);
	rrset_put(s);
	ck_assert_int_eq(look("r.x.y.w.example", TYPE_MX), AGGRESSIVE_NSEC_WILDCARD);
	ck_assert_uint_eq(found->type, TYPE_CNAME);
	/* A DS would stand in a zone above, which no wildcard cuts off. */
	ck_assert_int_eq(look("q.z.w.example", TYPE_DS), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NODATA, "q.z.w.example", TYPE_DS, 3, 600);
}
END_TEST

/* Unsigned, unverified, of another zone, out of a wildcard itself, next to nothing, too large. */
START_TEST(takes_only_what_serves)
{
	static const char line[] = "a.example. NSEC c.example. A RRSIG NSEC";
	struct rrset *s, *copy = NULL;
	struct rdata rr = { 0 };
	size_t at = 0;

	s = text_set("example", line);
	ck_assert(rrset_next(s, &at, &rr));
	ck_assert_int_eq(rrset_new(&copy, rrset_owner(s), TYPE_NSEC, 300, NOW, RANK_AUTH_AUTHORITY,
				   &rr, 1, NULL, 0),
			 E_OK);
	rrset_set_security(copy, SEC_SECURE, 0);
	aggressive_put(cache, wire("example"), copy, soa, NOW);
	aggressive_put(cache, name_root, s, NULL, NOW);
	rrset_put(copy);
	rrset_put(s);
	s = text_set_labels("example", line, 1);
	aggressive_put(cache, wire("example"), s, soa, NOW);
	rrset_put(s);
	put("a.example. NSEC \\000.a.example. A RRSIG NSEC");
	put("a~.example. NSEC c!.example. A RRSIG NSEC");
	put("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 0 - "
	    "0p9mhaveqvm6t7vbl5lop2u3t2rp3ton A RRSIG");
	put("a.example. A 192.0.2.1");
	ck_assert_uint_eq(aggressive_entries(cache), 0);
	put(line);
	ck_assert_uint_eq(aggressive_entries(cache), 1);
	put(line);
	ck_assert_uint_eq(aggressive_entries(cache), 1);
}
END_TEST

/* A zone that changes: the newer record is right. */
START_TEST(newer_records_take_older_ones_away)
{
	put("example. NSEC z.example. NS SOA RRSIG NSEC");
	ck_assert_int_eq(look("b.example", TYPE_A), AGGRESSIVE_NSEC);
	put("b.example. NSEC d.example. A RRSIG NSEC");
	ck_assert_uint_eq(aggressive_entries(cache), 1);
	ck_assert_int_eq(look("a.example", TYPE_A), AGGRESSIVE_NONE);
	put("example. NSEC b.example. NS SOA RRSIG NSEC");
	put("d.example. NSEC z.example. A RRSIG NSEC");
	ck_assert_uint_eq(aggressive_entries(cache), 3);
	put("b.example. NSEC z.example. A RRSIG NSEC");
	ck_assert_uint_eq(aggressive_entries(cache), 2);
	ck_assert_int_eq(look("d.example", TYPE_TXT), AGGRESSIVE_NSEC);
	expect_denial(RRSET_NXDOMAIN, "d.example", TYPE_TXT, 3, 600);
}
END_TEST

/* Other NSEC3 parameters: the old records go away by and by, and deny nothing meanwhile. */
START_TEST(nsec3_parameters_change)
{
	static const char *const hashes[] = { "0", "4", "8", "c", "g", "k", "o", "s" };
	char line[200];

	for (unsigned salt = 0; salt < 3; salt++)
		for (unsigned i = 0; i < ARRAY_LEN(hashes); i++) {
			(void)snprintf(
				line, sizeof(line),
				"%s0000000000000000000000000000000.example. NSEC3 1 0 0 %02x "
				"%s0000000000000000000000000000000 A RRSIG",
				hashes[i], salt, hashes[(i + 1) % ARRAY_LEN(hashes)]);
			put(line);
			ck_assert_uint_le(aggressive_entries(cache), 2 * ARRAY_LEN(hashes));
		}
	ck_assert_uint_eq(aggressive_entries(cache), ARRAY_LEN(hashes));
}
END_TEST

START_TEST(bounded_and_evicted)
{
	struct aggressive_config smaller = config;
	struct aggressive_sum sum;
	char line[200];

	put("example. NSEC 0.example. NS SOA RRSIG NSEC");
	for (unsigned i = 0; i < 3000; i++) {
		(void)snprintf(line, sizeof(line),
			       "a%05u.example. NSEC a%05ux.example. A RRSIG NSEC", i, i);
		put(line);
		ck_assert_uint_le(aggressive_entries(cache), config.max_entries);
		/* What is of use stays. */
		ck_assert_int_eq(look("example", TYPE_A), AGGRESSIVE_NSEC);
	}
	aggressive_sum(cache, &sum);
	ck_assert_uint_eq(sum.entries, config.max_entries);
	ck_assert_uint_eq(sum.zones, 1);
	ck_assert_uint_le(sum.bytes, 300 * config.max_entries);
	smaller.max_entries = 10;
	aggressive_configure(cache, &smaller);
	ck_assert_uint_eq(aggressive_entries(cache), 10);
	smaller.max_entries = 0;
	aggressive_configure(cache, &smaller);
	ck_assert_uint_eq(aggressive_entries(cache), 0);
	put("example. NSEC 0.example. NS SOA RRSIG NSEC");
	ck_assert_uint_eq(aggressive_entries(cache), 0);
}
END_TEST

START_TEST(wiped)
{
	put("example. NSEC b.example. NS SOA RRSIG NSEC");
	put("b.example. NSEC x.b.example. A RRSIG NSEC");
	put("x.b.example. NSEC d.example. A RRSIG NSEC");
	put("d.example. NSEC example. A RRSIG NSEC");
	ck_assert_int_eq(look("c.example", TYPE_A), AGGRESSIVE_NSEC);
	ck_assert_uint_eq(aggressive_wipe(cache, wire("c.example"), false), 1);
	ck_assert_int_eq(look("c.example", TYPE_A), AGGRESSIVE_NONE);
	ck_assert_uint_eq(aggressive_entries(cache), 3);
	put("x.b.example. NSEC d.example. A RRSIG NSEC");
	/* The name, the name below it, and the one that denies it. */
	ck_assert_uint_eq(aggressive_wipe(cache, wire("b.example"), true), 2);
	ck_assert_uint_eq(aggressive_entries(cache), 2);
	ck_assert_uint_eq(aggressive_wipe(cache, wire("other"), true), 0);
	ck_assert_uint_eq(aggressive_wipe(cache, wire("example"), false), 2);
}
END_TEST

static int sign_of(int n)
{
	return (n > 0) - (n < 0);
}

/* Names of a few labels of bytes that are hard to tell apart: RFC 4034 6.1 in bytes. */
START_TEST(keys_are_in_canonical_order)
{
	static const uint8_t bytes[] = { 0, 1, 2, '*', 'A', 'b', 255 };
	static uint8_t names[150][NAME_MAX_LEN], keys[150][KEY_MAX];
	uint16_t lens[150];
	uint32_t state = 5;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		size_t at = 0;

		for (unsigned labels = i % 4; labels > 0; labels--) {
			uint8_t len;

			state = state * 1664525U + 1013904223U;
			len = (uint8_t)(1 + (state >> 20) % 3);
			names[i][at++] = len;
			for (unsigned k = 0; k < len; k++) {
				state = state * 1664525U + 1013904223U;
				names[i][at++] = bytes[(state >> 20) % ARRAY_LEN(bytes)];
			}
		}
		(void)name_copy(names[i] + at, wire("zone"));
		lens[i] = aggressive_key(keys[i], names[i], 1);
	}
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		for (unsigned k = 0; k < ARRAY_LEN(names); k++) {
			struct order_node n = { .key = keys[i], .key_len = lens[i] };

			ck_assert_int_eq(sign_of(order_compare(&n, keys[k], lens[k])),
					 sign_of(name_compare(names[i], names[k])));
		}
}
END_TEST

static int count_set(void *ctx, const struct rrset *s)
{
	unsigned *left = ctx;

	ck_assert_uint_eq(s->type, TYPE_NSEC);
	return --*left == 0 ? -7 : 0;
}

START_TEST(walked_and_expired)
{
	unsigned left = 1000, gone = 0;
	char line[200];

	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(line, sizeof(line),
			       "a%03u.example. NSEC a%03ux.example. A RRSIG NSEC", i, i);
		put(line);
	}
	ck_assert_int_eq(aggressive_walk(cache, count_set, &left), 0);
	ck_assert_uint_eq(left, 800);
	left = 100;
	ck_assert_int_eq(aggressive_walk(cache, count_set, &left), -7);
	for (unsigned i = 0; i < 100; i++)
		gone += (unsigned)aggressive_expire_some(cache, 10, NOW + 3599);
	ck_assert_uint_eq(gone, 0);
	for (unsigned i = 0; i < 100; i++)
		gone += (unsigned)aggressive_expire_some(cache, 10, NOW + 3600);
	ck_assert_uint_eq(gone, 200);
	ck_assert_uint_eq(aggressive_entries(cache), 0);
}
END_TEST

/* ---- every name of small zones ---- */

static bool is_denied(const struct random_zone *z, const uint8_t *name, uint16_t type,
		      enum truth truth)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct dnssec_work work = { 0 };
	struct denial_proof p = { .zone = z->apex };

	p.sets = rrset_proofs(found);
	p.n = found->n_proofs;
	switch (found->kind) {
	case RRSET_NXDOMAIN:
		return truth == TRUTH_NXDOMAIN &&
		       denial_nxdomain(&limits, &p, name, &work) == DENIAL_PROVED;
	case RRSET_NODATA:
		return (truth == TRUTH_NODATA || truth == TRUTH_WILDCARD_NODATA) &&
		       denial_nodata(&limits, &p, name, type, &work) == DENIAL_PROVED;
	default:
		return false;
	}
}

static bool is_made(const struct random_zone *z, const uint8_t *name, enum truth truth)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct dnssec_work work = { 0 };
	struct denial_proof p = { .zone = z->apex };
	struct rdata sig = { 0 };
	size_t at = 0;

	p.sets = rrset_proofs(found);
	p.n = found->n_proofs;
	return truth == TRUTH_WILDCARD && found->kind == RRSET_DATA &&
	       rrset_next_sig(found, &at, &sig) &&
	       denial_wildcard(&limits, &p, name, sig.data[3], &work) == DENIAL_PROVED;
}

static const uint16_t types[] = { TYPE_A, TYPE_TXT, TYPE_CNAME, TYPE_NS, TYPE_DS, TYPE_CAA };

/* Everything that the cache says is true, and proved; how much it says of what could be said. */
static void judge(const struct random_zone *z, unsigned *said, unsigned *could)
{
	for (unsigned i = 0; i < RANDOM_ZONE_NAMES; i++) {
		uint8_t buf[NAME_MAX_LEN];
		const uint8_t *name = random_zone_name(i, buf);

		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			enum truth truth = random_zone_truth(z, name, types[t]);
			char text[NAME_TEXT_MAX];
			enum aggressive_hit hit;

			rrset_put(found);
			found = NULL;
			hit = aggressive_look(cache, name, types[t], NOW, NULL, &found);
			*could += truth != TRUTH_DATA && truth != TRUTH_ELSEWHERE &&
				  (truth != TRUTH_WILDCARD || types[t] != TYPE_DS);
			*said += hit != AGGRESSIVE_NONE;
			if (hit == AGGRESSIVE_NONE)
				continue;
			ck_assert_msg(hit <= AGGRESSIVE_NSEC3 ? is_denied(z, name, types[t], truth)
							      : is_made(z, name, truth),
				      "%s %u: %d", name_to_text(text, name), types[t], (int)hit);
		}
	}
}

/* What a validator has verified when it was asked this. */
static void learn(const struct random_zone *z, const uint8_t *name, uint16_t type)
{
	enum truth truth = random_zone_truth(z, name, type);
	struct rrset *sets[SIGNED_PROOFS_MAX], *data;
	uint8_t wildcard[NAME_MAX_LEN];
	const struct signed_set *s;
	unsigned n;

	if (truth == TRUTH_ELSEWHERE || truth == TRUTH_DATA)
		return;
	n = random_zone_prove(z, name, type, sets);
	for (unsigned i = 0; i < n; i++) {
		aggressive_put(cache, z->apex, sets[i], truth == TRUTH_WILDCARD ? NULL : z->soa,
			       NOW);
		rrset_put(sets[i]);
	}
	if (truth != TRUTH_WILDCARD)
		return;
	ck_assert(signed_zone_wildcard(z->z, name, wildcard));
	s = signed_zone_find(z->z, wildcard, type);
	if (s == NULL)
		s = signed_zone_find(z->z, wildcard, TYPE_CNAME);
	data = signed_set_rrset(s, name, NOW);
	rrset_set_security(data, SEC_SECURE, 0);
	aggressive_put(cache, z->apex, data, NULL, NOW);
	rrset_put(data);
}

static void zones(enum sign_denial denial)
{
	unsigned early_said = 0, early_could = 0, said = 0, could = 0;
	struct aggressive_config all = config;

	all.min_nsec3_hit_ratio = UINT32_MAX;
	aggressive_configure(cache, &all);

	for (uint64_t seed = 1; seed <= ZONES; seed++) {
		uint8_t buf[NAME_MAX_LEN];
		struct random_zone z;

		random_zone_make(&z, seed, denial);
		for (unsigned i = 0; i < 4; i++) {
			learn(&z, random_zone_name((unsigned)seed * 7 % 31 + i * 17, buf), TYPE_A);
			judge(&z, &early_said, &early_could);
		}
		for (unsigned i = 0; i < RANDOM_ZONE_NAMES; i++)
			for (size_t t = 0; t < ARRAY_LEN(types); t++)
				learn(&z, random_zone_name(i, buf), types[t]);
		judge(&z, &said, &could);
		(void)aggressive_wipe(cache, z.apex, false);
		random_zone_free(&z);
	}
	/* A few answers say much of the rest; all of them, everything (an opt-out next to nothing). */
	if (denial != SIGN_OPT_OUT) {
		ck_assert_uint_gt(early_said, early_could / 3);
		ck_assert_uint_eq(said, could);
	}
	ck_assert_uint_gt(said, 0);
}

START_TEST(zones_with_nsec)
{
	zones(SIGN_NSEC);
}
END_TEST

START_TEST(zones_with_nsec3)
{
	zones(SIGN_NSEC3);
}
END_TEST

START_TEST(zones_with_opt_out)
{
	zones(SIGN_OPT_OUT);
}
END_TEST

START_TEST(nsec3_settings)
{
	struct aggressive_config cfg = config;
	uint8_t buf[NAME_MAX_LEN];
	struct random_zone z;

	random_zone_make(&z, 4, SIGN_NSEC3);
	for (unsigned i = 0; i < z.n_chain; i++)
		aggressive_put(cache, z.apex, z.chain[i], z.soa, NOW);
	ck_assert_uint_gt(aggressive_entries(cache), 0);
	ck_assert_int_eq(
		aggressive_look(cache, random_zone_name(0, buf), TYPE_CAA, NOW, NULL, &found),
		AGGRESSIVE_NSEC3);
	rrset_put(found);
	found = NULL;
	cfg.max_nsec3_hash_cost = 0;
	aggressive_configure(cache, &cfg);
	ck_assert_int_eq(
		aggressive_look(cache, random_zone_name(0, buf), TYPE_CAA, NOW, NULL, &found),
		AGGRESSIVE_NONE);
	(void)aggressive_wipe(cache, z.apex, true);
	cfg.min_nsec3_hit_ratio = 0;
	aggressive_configure(cache, &cfg);
	for (unsigned i = 0; i < z.n_chain; i++)
		aggressive_put(cache, z.apex, z.chain[i], z.soa, NOW);
	ck_assert_uint_eq(aggressive_entries(cache), 0);
	random_zone_free(&z);
}
END_TEST

/* ---- threads ---- */

enum { SHARED = 64 };
static struct rrset *shared[SHARED];

static void *worker(void *arg)
{
	static const uint8_t zone[] = "\7example", name[] = "\4a31x\7example";
	uint32_t state = *(unsigned *)arg;
	struct rrset *out = NULL;

	for (unsigned i = 0; i < 20000; i++) {
		state = state * 1664525U + 1013904223U;
		aggressive_put(cache, zone, shared[(state >> 16) % SHARED], soa, NOW);
		if (aggressive_look(cache, name, TYPE_A, NOW, NULL, &out) != AGGRESSIVE_NONE)
			rrset_put(out);
		if ((state >> 16) % 512 == 0)
			(void)aggressive_wipe(cache, (state >> 28) % 2 == 0 ? zone : name, true);
	}
	return NULL;
}

START_TEST(by_many_threads)
{
	struct aggressive_config few = config;
	unsigned seeds[3] = { 1, 2, 3 };
	pthread_t threads[3];
	char line[200];

	few.max_entries = 40;
	aggressive_configure(cache, &few);
	for (unsigned i = 0; i < SHARED; i++) {
		(void)snprintf(line, sizeof(line),
			       "a%02u.example. NSEC a%02u.example. A RRSIG NSEC", i, i + 1);
		shared[i] = text_set("example", line);
	}
	for (unsigned i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, &seeds[i]), 0);
	for (unsigned i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_le(aggressive_entries(cache), few.max_entries + ARRAY_LEN(threads));
	for (unsigned i = 0; i < SHARED; i++)
		rrset_put(shared[i]);
}
END_TEST

/* Who looks while others wipe: `between` counts the times when he had looked, and some were gone, but
 * not all.  Once he may be told of that before the wipe has the lock. */
struct onlooker {
	size_t all;
	atomic_bool is_there, is_over;
	unsigned between;
};

static void *look_on(void *arg)
{
	static const uint8_t name[] = "\1a\5other\7example";
	struct onlooker *o = arg;
	struct rrset *out = NULL;

	while (!atomic_load(&o->is_over)) {
		size_t n;

		if (aggressive_look(cache, name, TYPE_A, NOW, NULL, &out) != AGGRESSIVE_NONE)
			rrset_put(out);
		n = aggressive_entries(cache);
		o->between += n > 0 && n < o->all;
		atomic_store(&o->is_there, true);
	}
	return NULL;
}

START_TEST(a_wipe_lets_others_pass)
{
	enum { PROOFS = 20000, TRIES = 20 };
	struct aggressive_config many = config;
	unsigned most = 0;
	char line[200];

	many.max_entries = PROOFS;
	aggressive_configure(cache, &many);
	for (int t = 0; t < TRIES && most < 2; t++) {
		struct onlooker o = { .all = PROOFS };
		pthread_t thread;

		for (unsigned i = 0; i < PROOFS; i++) {
			(void)snprintf(line, sizeof(line),
				       "a%05u.sub.example. NSEC a%05u.sub.example. A RRSIG NSEC", i,
				       i + 1);
			put(line);
		}
		ck_assert_uint_eq(aggressive_entries(cache), PROOFS);
		ck_assert_int_eq(pthread_create(&thread, NULL, look_on, &o), 0);
		while (!atomic_load(&o.is_there))
			(void)sched_yield();
		ck_assert_uint_eq(aggressive_wipe(cache, wire("sub.example"), true), PROOFS);
		atomic_store(&o.is_over, true);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		most = o.between;
	}
	ck_assert_uint_ge(most, 2);
}
END_TEST

Suite *suite_aggressive(void)
{
	Suite *s = suite_create("aggressive");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, answers_by_nsec);
	tcase_add_test(t, lasts_no_longer_than_its_records);
	tcase_add_test(t, lasts_no_longer_than_its_signatures);
	tcase_add_test(t, makes_data_of_wildcards);
	tcase_add_test(t, takes_only_what_serves);
	tcase_add_test(t, newer_records_take_older_ones_away);
	tcase_add_test(t, nsec3_parameters_change);
	tcase_add_test(t, bounded_and_evicted);
	tcase_add_test(t, wiped);
	tcase_add_test(t, walked_and_expired);
	tcase_add_test(t, keys_are_in_canonical_order);
	tcase_add_test(t, zones_with_nsec);
	tcase_add_test(t, zones_with_nsec3);
	tcase_add_test(t, zones_with_opt_out);
	tcase_add_test(t, nsec3_settings);
	tcase_add_test(t, by_many_threads);
	tcase_add_test(t, a_wipe_lets_others_pass);
	suite_add_tcase(s, t);
	return s;
}
