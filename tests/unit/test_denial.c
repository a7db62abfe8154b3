#include "recursor/resolve/dnssec/denial.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/nsec3.h"
#include "text_set.h"
#include "wire_name.h"

enum { SETS_MAX = 24 };

static struct dnssec_limits limits;
static struct dnssec_work work;
static struct rrset *sets[SETS_MAX];
static struct denial_proof proof;

static void setup(void)
{
	limits = (struct dnssec_limits)DNSSEC_LIMITS_DEFAULTS;
	work = (struct dnssec_work) { 0 };
	proof = (struct denial_proof) { .sets = sets };
}

static void clear(void)
{
	while (proof.n > 0)
		rrset_put(sets[--proof.n]);
	work = (struct dnssec_work) { 0 };
}

static void add(struct rrset *s)
{
	ck_assert_uint_lt(proof.n, SETS_MAX);
	sets[proof.n++] = s;
}

/* The zone of RFC 4035 A, of which each letter chooses a record, and that of RFC 5155 A. */
static void of_4035(const char *which)
{
	static const char *const lines[] = {
		"example. NSEC a.example. NS SOA MX RRSIG NSEC DNSKEY",
		"a.example. NSEC ai.example. NS DS RRSIG NSEC",
		"ai.example. NSEC b.example. A HINFO AAAA RRSIG NSEC",
		"b.example. NSEC ns1.example. NS RRSIG NSEC",
		"ns1.example. NSEC ns2.example. A RRSIG NSEC",
		"ns2.example. NSEC *.w.example. A RRSIG NSEC",
		"*.w.example. NSEC x.w.example. MX RRSIG NSEC",
		"x.w.example. NSEC x.y.w.example. MX RRSIG NSEC",
		"x.y.w.example. NSEC xx.example. MX RRSIG NSEC",
		"xx.example. NSEC example. A HINFO AAAA RRSIG NSEC",
	};

	clear();
	proof.zone = wire("example");
	for (; *which != '\0'; which++)
		add(text_set("example", lines[*which - 'a']));
}

/* With "1" or "0" before the parameters that all share: the opt-out. */
static void of_5155(const char *which, char opt_out)
{
	static const struct {
		const char *owner, *next, *types;
	} rows[] = {
		{ "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
		  "MX DNSKEY NS SOA NSEC3PARAM RRSIG" },
		{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s",
		  "A RRSIG" },
		{ "2vptu5timamqttgl4luu9kg21e0aor3s", "35mthgpgcu1qg68fab165klnsnk3dpvl",
		  "MX RRSIG" },
		{ "35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995",
		  "NS DS RRSIG" },
		{ "b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi",
		  "MX RRSIG" },
		{ "gjeqe526plbf1g8mklp59enfd789njgi", "ji6neoaepv8b5o6k4ev33abha8ht9fgc",
		  "HINFO A AAAA RRSIG" },
		{ "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "k8udemvp1j2f7eg6jebps17vp3n8i58h", "" },
		{ "k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "" },
		{ "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "q04jkcevqvmu85r014c7dkba38o0ji5r",
		  "A RRSIG" },
		{ "q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en",
		  "A RRSIG" },
		{ "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv",
		  "MX RRSIG" },
		{ "t644ebqk9bibcna874givr6joj62mlhv", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
		  "HINFO A AAAA RRSIG" },
	};
	char line[256];

	clear();
	proof.zone = wire("example");
	for (; *which != '\0'; which++) {
		unsigned i = (unsigned)(*which - 'a');

		(void)snprintf(line, sizeof(line), "%s.example. NSEC3 1 %c 12 aabbccdd %s %s",
			       rows[i].owner, opt_out, rows[i].next, rows[i].types);
		add(text_set("example", line));
	}
}

static enum denial nxdomain(const char *name)
{
	return denial_nxdomain(&limits, &proof, wire(name), &work);
}

static enum denial nodata(const char *name, uint16_t type)
{
	return denial_nodata(&limits, &proof, wire(name), type, &work);
}

static enum denial wildcard(const char *name, unsigned labels)
{
	return denial_wildcard(&limits, &proof, wire(name), labels, &work);
}

static enum ds_denial ds(const char *name)
{
	return denial_ds(&limits, &proof, wire(name), &work);
}

START_TEST(rfc4035_appendix_b)
{
	of_4035("da"); /* B.2 */
	ck_assert_int_eq(nxdomain("ml.example"), DENIAL_PROVED);
	ck_assert_int_eq(nxdomain("b.example"), DENIAL_NOT_PROVED);
	ck_assert_int_eq(nodata("ml.example", TYPE_A), DENIAL_NOT_PROVED);
	of_4035("d"); /* nothing of the wildcard */
	ck_assert_int_eq(nxdomain("ml.example"), DENIAL_NOT_PROVED);
	of_4035("e"); /* B.3 */
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_PROVED);
	ck_assert_int_eq(nodata("NS1.example", TYPE_A), DENIAL_NOT_PROVED);
	of_4035("d"); /* B.5 */
	ck_assert_int_eq(ds("b.example"), DS_DENIAL_CUT);
	ck_assert_int_eq(nodata("b.example", TYPE_DS), DENIAL_PROVED);
	/* The parent's NSEC says nothing of the child's types, nor of what is below. */
	ck_assert_int_eq(nodata("b.example", TYPE_A), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("mc.b.example"), DS_DENIAL_NOT_PROVED);
	of_4035("i"); /* B.6 */
	ck_assert_int_eq(wildcard("a.z.w.example", 2), DENIAL_PROVED);
	ck_assert_int_eq(wildcard("a.z.w.example", 1), DENIAL_NOT_PROVED);
	/* Not expanded; and an apex that is called like a wildcard. */
	ck_assert_int_eq(wildcard("*.z.w.example", 3), DENIAL_PROVED);
	ck_assert_int_eq(wildcard("a.z.w.example", 4), DENIAL_PROVED);
	ck_assert_int_eq(wildcard("a.z.w.example", 5), DENIAL_NOT_PROVED);
	ck_assert_int_eq(wildcard("a.z.w.example", 0), DENIAL_NOT_PROVED);
	proof.zone = wire("*.w.example");
	ck_assert_int_eq(wildcard("*.w.example", 2), DENIAL_PROVED);
	proof.zone = wire("example");
	ck_assert_int_eq(nodata("a.z.w.example", TYPE_AAAA), DENIAL_NOT_PROVED);
	of_4035("ig"); /* B.7 */
	ck_assert_int_eq(nodata("a.z.w.example", TYPE_AAAA), DENIAL_PROVED);
	ck_assert_int_eq(nodata("a.z.w.example", TYPE_MX), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("a.z.w.example"), DS_DENIAL_NO_NAME);
	of_4035("a"); /* B.8: the child's side */
	ck_assert_int_eq(nodata("example", TYPE_DS), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("example"), DS_DENIAL_NOT_PROVED);
	of_4035("h"); /* an empty non-terminal */
	ck_assert_int_eq(nodata("y.w.example", TYPE_A), DENIAL_PROVED);
	ck_assert_int_eq(nodata("y.w.example", TYPE_ANY), DENIAL_PROVED);
	ck_assert_int_eq(nxdomain("y.w.example"), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("y.w.example"), DS_DENIAL_NO_CUT);
}
END_TEST

START_TEST(rfc5155_appendix_b)
{
	of_5155("ead", '1'); /* B.1 */
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_INSECURE);
	ck_assert(!denial_has_many_iterations(&limits, &proof));
	of_5155("ead", '0');
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_PROVED);
	for (unsigned missing = 0; missing < 3; missing++) {
		static const char *const two[] = { "ad", "ed", "ea" };

		of_5155(two[missing], '0');
		ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_NOT_PROVED);
	}
	of_5155("b", '1'); /* B.2 */
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_PROVED);
	ck_assert_int_eq(nodata("ns1.example", TYPE_A), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("ns1.example"), DS_DENIAL_NO_CUT);
	of_5155("g", '1'); /* B.2.1 */
	ck_assert_int_eq(nodata("y.w.example", TYPE_A), DENIAL_PROVED);
	of_5155("da", '1'); /* B.3 */
	ck_assert_int_eq(ds("c.example"), DS_DENIAL_OPT_OUT);
	ck_assert_int_eq(nodata("c.example", TYPE_DS), DENIAL_INSECURE);
	of_5155("da", '0');
	ck_assert_int_eq(ds("c.example"), DS_DENIAL_NO_NAME);
	ck_assert_int_eq(nodata("c.example", TYPE_DS), DENIAL_NOT_PROVED);
	of_5155("j", '0'); /* B.4 */
	ck_assert_int_eq(wildcard("a.z.w.example", 2), DENIAL_PROVED);
	ck_assert_int_eq(wildcard("a.z.w.example", 1), DENIAL_NOT_PROVED);
	of_5155("j", '1');
	ck_assert_int_eq(wildcard("a.z.w.example", 2), DENIAL_INSECURE);
	of_5155("hjk", '0'); /* B.5 */
	ck_assert_int_eq(nodata("a.z.w.example", TYPE_AAAA), DENIAL_PROVED);
	ck_assert_int_eq(nodata("a.z.w.example", TYPE_MX), DENIAL_NOT_PROVED);
	of_5155("hjk", '1');
	ck_assert_int_eq(nodata("a.z.w.example", TYPE_AAAA), DENIAL_INSECURE);
	of_5155("a", '1'); /* B.6 */
	ck_assert_int_eq(nodata("example", TYPE_DS), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("example"), DS_DENIAL_NOT_PROVED);
}
END_TEST

/* RFC 5155 A names the hash of each. */
START_TEST(nsec3_hashes)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
		{ "A.Example", "35mthgpgcu1qg68fab165klnsnk3dpvl" },
		{ "*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
		{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi" },
	};
	const struct nsec3_param param = { .salt = (const uint8_t *)"\xaa\xbb\xcc\xdd",
					   .salt_len = 4,
					   .iterations = 12 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t hash[NSEC3_HASH_LEN], named[NSEC3_HASH_LEN], label[1 + NSEC3_LABEL_LEN];

		ck_assert_int_eq(nsec3_hash(hash, &param, wire(rows[i].name)), E_OK);
		label[0] = NSEC3_LABEL_LEN;
		memcpy(label + 1, rows[i].label, NSEC3_LABEL_LEN);
		ck_assert(nsec3_label_read(named, label));
		ck_assert(memcmp(named, hash, sizeof(hash)) == 0);
		label[7] = 'w';
		ck_assert(!nsec3_label_read(named, label));
	}
}
END_TEST

/* What verified, and yet is no proof. */
START_TEST(sets_that_prove_nothing)
{
	static const char line[] = "ns1.example. NSEC ns2.example. A RRSIG NSEC";

	of_4035("e");
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_PROVED);
	clear();
	add(text_set_labels("example", line, 1)); /* came out of *.example */
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_NOT_PROVED);
	clear();
	add(text_set_labels("example", "*.w.example. NSEC x.w.example. MX RRSIG NSEC", 2));
	ck_assert_int_eq(nodata("*.w.example", TYPE_A), DENIAL_PROVED);
	clear();
	add(text_set(".", line)); /* another zone's word */
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_NOT_PROVED);
	clear();
	add(text_set("example", "ns1.example. NSEC other. A RRSIG NSEC")); /* leaves the zone */
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_NOT_PROVED);
	clear();
	add(text_set("example", "ns1.example. NSEC a.example. A RRSIG NSEC")); /* backwards */
	ck_assert_int_eq(nodata("ns1.example", TYPE_MX), DENIAL_NOT_PROVED);
	ck_assert_int_eq(nodata("b.other", TYPE_MX), DENIAL_NOT_PROVED);
}
END_TEST

/* RFC 6840 4.1 and 4.3. */
START_TEST(delegations_aliases_and_dnames)
{
	of_4035("");
	add(text_set("example", "d.example. NSEC z.example. DNAME RRSIG NSEC"));
	add(text_set("example", "example. NSEC c.example. NS SOA RRSIG NSEC"));
	ck_assert_int_eq(nxdomain("a.d.example"), DENIAL_NOT_PROVED);
	ck_assert_int_eq(nxdomain("e.example"), DENIAL_PROVED);
	ck_assert_int_eq(nodata("d.example", TYPE_A), DENIAL_PROVED);
	of_4035("");
	add(text_set("example", "d.example. NSEC z.example. CNAME RRSIG NSEC"));
	ck_assert_int_eq(nodata("d.example", TYPE_A), DENIAL_NOT_PROVED);
	ck_assert_int_eq(nodata("d.example", TYPE_CNAME), DENIAL_NOT_PROVED);
	ck_assert_int_eq(nodata("d.example", TYPE_ANY), DENIAL_NOT_PROVED);
	ck_assert_int_eq(ds("d.example"), DS_DENIAL_NO_CUT);
	of_5155("", '0'); /* the closest encloser a.example is a delegation */
	of_5155("dabcefghijkl", '0');
	limits.max_nsec3s_per_record = 0;
	ck_assert_int_eq(nxdomain("x.a.example"), DENIAL_NOT_PROVED);
	ck_assert_int_eq(nxdomain("x.ai.example"), DENIAL_PROVED);
}
END_TEST

START_TEST(limits_hold)
{
	of_5155("ead", '0');
	limits.nsec3_max_iterations = 11;
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_INSECURE);
	ck_assert_int_eq(nodata("x.w.example", TYPE_A), DENIAL_INSECURE);
	ck_assert_int_eq(wildcard("a.z.w.example", 2), DENIAL_INSECURE);
	ck_assert_int_eq(ds("c.example"), DS_DENIAL_MANY_ITERATIONS);
	ck_assert(denial_has_many_iterations(&limits, &proof));
	ck_assert_uint_eq(work.hashes, 0);
	limits.nsec3_max_iterations = 12;
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_PROVED);
	/* The name, c.x.w, the apex, x.w; the wildcard: 12 iterations each. */
	ck_assert_uint_eq(work.hashes, 5 * 13);
	ck_assert_int_eq(work.met_limit, BOGUS_NONE);
	limits.max_nsec3_hashes = 8 * 13 - 1;
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_TOO_COSTLY);
	ck_assert_int_eq(work.met_limit, BOGUS_MAX_HASHES);
	ck_assert_uint_le(work.hashes, limits.max_nsec3_hashes);
	ck_assert_int_eq(ds("c.example"), DS_DENIAL_TOO_COSTLY);
	limits.max_nsec3_hashes = 0;
	work = (struct dnssec_work) { 0 };
	/* The name; from the apex w, x.w and c.x.w, by turns with four from below; the wildcard. */
	ck_assert_int_eq(nxdomain("a.b.d.e.f.g.h.i.j.k.l.m.c.x.w.example"), DENIAL_PROVED);
	ck_assert_uint_eq(work.hashes, (1 + 4 + 4 + 1) * 13);
	work = (struct dnssec_work) { 0 };
	limits.max_nsec3s_per_record = 2;
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_TOO_COSTLY);
	ck_assert_int_eq(work.met_limit, BOGUS_MAX_NSEC3S);
}
END_TEST

/* Of a proof that is none: what it wants, and of which name. */
static void wants(enum denial said, enum denial_gap gap, const char *name, const char *about)
{
	uint8_t found[NAME_MAX_LEN];
	char text[NAME_TEXT_MAX];

	ck_assert_int_eq(said, DENIAL_NOT_PROVED);
	ck_assert_uint_eq(work.gap, gap);
	ck_assert_ptr_nonnull(denial_gap_text(&work, wire(name), found));
	ck_assert_str_eq(name_to_text(text, found), about);
}

START_TEST(what_is_wanting_is_told)
{
	uint8_t about[NAME_MAX_LEN];

	ck_assert_ptr_null(denial_gap_text(&work, wire("ml.example"), about));
	of_4035("a");
	wants(nxdomain("ml.example"), DENIAL_GAP_NAME, "ml.example", "ml.example.");
	wants(nodata("ml.example", TYPE_A), DENIAL_GAP_NAME, "ml.example", "ml.example.");
	wants(wildcard("a.z.w.example", 2), DENIAL_GAP_NEXT_CLOSER, "a.z.w.example",
	      "z.w.example.");
	wants(nxdomain("other"), DENIAL_GAP_ZONE, "other", "other.");
	of_4035("d");
	wants(nxdomain("ml.example"), DENIAL_GAP_WILDCARD, "ml.example", "*.example.");
	wants(nxdomain("b.example"), DENIAL_GAP_EXISTS, "b.example", "b.example.");
	of_4035("e");
	wants(nodata("ns1.example", TYPE_A), DENIAL_GAP_TYPE, "ns1.example", "ns1.example.");
	of_4035("i");
	wants(nodata("a.z.w.example", TYPE_A), DENIAL_GAP_WILDCARD_NODE, "a.z.w.example",
	      "*.w.example.");
	of_4035("gi");
	wants(nodata("a.z.w.example", TYPE_MX), DENIAL_GAP_WILDCARD_TYPE, "a.z.w.example",
	      "*.w.example.");

	of_5155("aed", '1');
	ck_assert_int_eq(nxdomain("a.c.x.w.example"), DENIAL_INSECURE);
	of_5155("ed", '0');
	wants(nxdomain("a.c.x.w.example"), DENIAL_GAP_NEXT_CLOSER, "a.c.x.w.example",
	      "c.x.w.example.");
	of_5155("ae", '0');
	wants(nxdomain("a.c.x.w.example"), DENIAL_GAP_WILDCARD, "a.c.x.w.example",
	      "*.x.w.example.");
	wants(nodata("a.c.x.w.example", TYPE_A), DENIAL_GAP_WILDCARD_NODE, "a.c.x.w.example",
	      "*.x.w.example.");
	wants(nxdomain("x.w.example"), DENIAL_GAP_EXISTS, "x.w.example", "x.w.example.");
	wants(nodata("x.w.example", TYPE_MX), DENIAL_GAP_TYPE, "x.w.example", "x.w.example.");
	of_5155("d", '0');
	wants(nxdomain("a.c.x.w.example"), DENIAL_GAP_ENCLOSER, "a.c.x.w.example",
	      "a.c.x.w.example.");
	wants(nxdomain("x.a.example"), DENIAL_GAP_BELOW_CUT, "x.a.example", "a.example.");
	wants(wildcard("a.z.w.example", 2), DENIAL_GAP_NEXT_CLOSER, "a.z.w.example",
	      "z.w.example.");
}
END_TEST

Suite *suite_denial(void)
{
	Suite *s = suite_create("denial");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, clear);
	tcase_add_test(t, rfc4035_appendix_b);
	tcase_add_test(t, rfc5155_appendix_b);
	tcase_add_test(t, nsec3_hashes);
	tcase_add_test(t, sets_that_prove_nothing);
	tcase_add_test(t, delegations_aliases_and_dnames);
	tcase_add_test(t, limits_hold);
	tcase_add_test(t, what_is_wanting_is_told);
	suite_add_tcase(s, t);
	return s;
}
