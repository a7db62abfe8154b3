/* Every name and type of small random zones: what denial.h says is compared with the truth. */
#include "recursor/resolve/dnssec/denial.h"

#include <check.h>
#include <stdio.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "others.h"
#include "random_zone.h"
#include "tests/unit/tmpdir.h"
#include "tests/unit/zone_text.h"

enum { ZONES = 40, SUBSETS = 6, OTHERS_ZONES = 2, PATH_LEN = 512 };

static const uint16_t types[] = { TYPE_A,  TYPE_TXT, TYPE_CNAME, TYPE_DNAME, TYPE_NS,
				  TYPE_DS, TYPE_SOA, TYPE_NSEC,  TYPE_ANY,   TYPE_CAA };

static struct dnssec_limits limits;
static uint64_t asked, proved, insecure;

static void setup(void)
{
	limits = (struct dnssec_limits)DNSSEC_LIMITS_DEFAULTS;
	limits.max_nsec3s_per_record = 0;
	asked = proved = insecure = 0;
}

/* PROVED must be true, INSECURE happens with opt-out alone; what is true must be found when the
 * `whole` proof is there. */
static void judge(const struct random_zone *z, enum denial said, bool is_true, bool whole,
		  const char *what, const uint8_t *name, uint16_t type)
{
	char text[NAME_TEXT_MAX];

	(void)name_to_text(text, name);
	asked++;
	proved += said == DENIAL_PROVED;
	insecure += said == DENIAL_INSECURE;
	ck_assert_msg(said != DENIAL_PROVED || is_true, "%s %s %u: proved and false", what, text,
		      type);
	ck_assert_msg(said != DENIAL_INSECURE || z->denial == SIGN_OPT_OUT, "%s %s %u: insecure",
		      what, text, type);
	ck_assert_msg(!whole || !is_true || said == DENIAL_PROVED || said == DENIAL_INSECURE,
		      "%s %s %u: true and not proved", what, text, type);
}

static void judge_ds(const struct random_zone *z, enum ds_denial said, bool whole,
		     const uint8_t *name)
{
	const struct random_node *n = random_zone_node(z, name);
	enum ds_denial expected = DS_DENIAL_NO_NAME;
	char text[NAME_TEXT_MAX];

	(void)name_to_text(text, name);
	if (random_zone_is_cut_off(z, name) || (n != NULL && (n->soa || n->ds)))
		expected = DS_DENIAL_NOT_PROVED;
	else if (n != NULL && n->ns)
		expected = DS_DENIAL_CUT;
	else if (random_zone_has(z, name))
		expected = DS_DENIAL_NO_CUT;
	if (said == DS_DENIAL_OPT_OUT && z->denial == SIGN_OPT_OUT)
		ck_assert_msg(n == NULL || (n->ns && !n->ds), "%s: opted out", text);
	else if (whole || said != DS_DENIAL_NOT_PROVED)
		ck_assert_msg(said == expected, "%s: DS %d, not %d", text, (int)said,
			      (int)expected);
}

/* Of data that a wildcard made: is nothing closer to the name?  By NSEC3 that is asked of data which the
 * zone signed, so there is neither a cut nor a DNAME above them. */
static void judge_wildcard(const struct random_zone *z, const struct denial_proof *p, bool whole,
			   const uint8_t *name, unsigned labels)
{
	const uint8_t *closer = name_suffix(name, labels + 1);
	bool is_cut_off = random_zone_is_cut_off(z, closer);
	struct dnssec_work work = { 0 };

	if (is_cut_off && z->denial != SIGN_NSEC)
		return;
	judge(z, denial_wildcard(&limits, p, name, labels, &work),
	      !is_cut_off && !random_zone_has(z, closer), whole, "wildcard", name,
	      (uint16_t)labels);
}

/* An opt-out has no NSEC3 of empty non-terminals above insecure delegations alone (RFC 5155 7.1): what
 * they keep a wildcard from cannot be proved.  Without such: is it NXDOMAIN? */
static bool is_provable(const struct random_zone *z, const uint8_t *name)
{
	struct random_zone seen = *z;

	seen.n = 0;
	for (unsigned i = 0; i < z->n; i++)
		if (z->denial != SIGN_OPT_OUT || !z->nodes[i].ns || z->nodes[i].ds ||
		    z->nodes[i].soa)
			seen.nodes[seen.n++] = z->nodes[i];
	return random_zone_truth(&seen, name, TYPE_CAA) == TRUTH_NXDOMAIN;
}

static void judge_all(const struct random_zone *z, const struct denial_proof *p, bool whole)
{
	for (unsigned i = 0; i < RANDOM_ZONE_NAMES; i++) {
		uint8_t buf[NAME_MAX_LEN];
		const uint8_t *name = random_zone_name(i, buf);
		const unsigned have = name_labels(name);
		struct dnssec_work work = { 0 };

		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			enum truth truth = random_zone_truth(z, name, types[t]);

			work = (struct dnssec_work) { 0 };
			judge(z, denial_nodata(&limits, p, name, types[t], &work),
			      truth == TRUTH_NODATA || truth == TRUTH_WILDCARD_NODATA, whole,
			      "NODATA", name, types[t]);
		}
		work = (struct dnssec_work) { 0 };
		judge(z, denial_nxdomain(&limits, p, name, &work),
		      random_zone_truth(z, name, TYPE_CAA) == TRUTH_NXDOMAIN,
		      whole && is_provable(z, name), "NXDOMAIN", name, 0);
		for (unsigned labels = 1; labels < have; labels++)
			if (labels + 1 != have || name[1] != '*')
				judge_wildcard(z, p, whole, name, labels);
		work = (struct dnssec_work) { 0 };
		judge_ds(z, denial_ds(&limits, p, name, &work), whole, name);
	}
}

/* The whole chain as proof: all that is true, and nothing else; a part of it: nothing that is false. */
static void zone_by_chain(uint64_t seed, enum sign_denial denial)
{
	struct rrset *part[RANDOM_ZONE_CHAIN];
	struct denial_proof p;
	struct random_zone z;

	random_zone_make(&z, seed, denial);
	p = (struct denial_proof) { .zone = z.apex, .sets = z.chain, .n = z.n_chain };
	judge_all(&z, &p, true);
	p.sets = part;
	for (unsigned round = 0; round < SUBSETS; round++) {
		p.n = 0;
		for (unsigned i = 0; i < z.n_chain; i++) {
			seed = seed * 6364136223846793005U + 1442695040888963407U;
			if ((seed >> 40) % 2 == 0)
				part[p.n++] = z.chain[i];
		}
		judge_all(&z, &p, false);
	}
	random_zone_free(&z);
}

/* What a server sends as proof is enough. */
static void zone_by_server(uint64_t seed, enum sign_denial denial)
{
	struct random_zone z;

	random_zone_make(&z, seed, denial);
	for (unsigned i = 0; i < RANDOM_ZONE_NAMES; i++) {
		uint8_t buf[NAME_MAX_LEN];
		const uint8_t *name = random_zone_name(i, buf);

		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			enum truth truth = random_zone_truth(&z, name, types[t]);
			struct rrset *sets[SIGNED_PROOFS_MAX];
			struct denial_proof p = { .zone = z.apex, .sets = sets };
			struct dnssec_work work = { 0 };

			if (truth == TRUTH_ELSEWHERE || truth == TRUTH_DATA)
				continue;
			p.n = random_zone_prove(&z, name, types[t], sets);
			judge(&z, denial_nxdomain(&limits, &p, name, &work),
			      truth == TRUTH_NXDOMAIN, is_provable(&z, name), "NXDOMAIN", name,
			      types[t]);
			judge(&z, denial_nodata(&limits, &p, name, types[t], &work),
			      truth == TRUTH_NODATA || truth == TRUTH_WILDCARD_NODATA, true,
			      "NODATA", name, types[t]);
			while (p.n > 0)
				rrset_put(sets[--p.n]);
		}
	}
	random_zone_free(&z);
}

static void zones(enum sign_denial denial)
{
	for (uint64_t seed = 1; seed <= ZONES; seed++) {
		zone_by_chain(seed, denial);
		zone_by_server(seed, denial);
	}
	/* They are such that there is something to say. */
	ck_assert_uint_gt(proved + insecure, asked / 10);
	if (denial == SIGN_OPT_OUT)
		ck_assert_uint_gt(insecure, asked / 20);
}

START_TEST(nsec)
{
	zones(SIGN_NSEC);
}
END_TEST

START_TEST(nsec3)
{
	zones(SIGN_NSEC3);
}
END_TEST

START_TEST(opt_out)
{
	zones(SIGN_OPT_OUT);
}
END_TEST

/* ---- zones that others have signed ---- */

static const char *const programs[] = { "dnssec-signzone", "ldns-signzone", "kzonesign" };
static const char *const words[] = { "nsec", "nsec3", "opt-out" };

static void write_file(const struct random_zone *z, const char *dir)
{
	char path[PATH_LEN];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/zone", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	random_zone_write(z, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void zone_by_other(uint64_t seed, const char *program, enum sign_denial denial)
{
	struct rrset *chain[RANDOM_ZONE_CHAIN];
	struct denial_proof p = { .sets = chain };
	char dir[TMPDIR_MAX], path[PATH_LEN];
	struct random_zone z;
	struct zone_text text;

	random_zone_make(&z, seed, denial);
	p.zone = z.apex;
	tmpdir_make(dir);
	write_file(&z, dir);
	if (others_sign(dir, program, "13", words[denial])) {
		(void)snprintf(path, sizeof(path), "%s/out", dir);
		zone_text_read_file(&text, path, name_root, RANDOM_ZONE_NOW_S);
		for (size_t i = 0; i < text.n; i++) {
			if (text.sets[i]->type != TYPE_NSEC && text.sets[i]->type != TYPE_NSEC3)
				continue;
			ck_assert_uint_lt(p.n, RANDOM_ZONE_CHAIN);
			chain[p.n++] = text.sets[i];
		}
		ck_assert_uint_gt(p.n, 0);
		judge_all(&z, &p, true);
		ck_assert_uint_gt(proved + insecure, asked / 10);
		zone_text_free(&text);
	}
	tmpdir_remove(dir);
	random_zone_free(&z);
}

START_TEST(by_others)
{
	for (uint64_t seed = 1; seed <= OTHERS_ZONES; seed++)
		zone_by_other(seed * 17 + (uint64_t)_i, programs[_i / 3],
			      (enum sign_denial)(_i % 3));
}
END_TEST

Suite *suite_denial_zones(void)
{
	Suite *s = suite_create("denial_zones");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, nsec);
	tcase_add_test(t, nsec3);
	tcase_add_test(t, opt_out);
	tcase_add_loop_test(t, by_others, 0, 9);
	suite_add_tcase(s, t);
	return s;
}
