/* Zones that others have signed: BIND, ldns and Knot, in each algorithm, with NSEC, NSEC3 and opt-out.
 * Every set that they sign holds, and does not when a byte of it is another. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/verify.h"
#include "tests/unit/others.h"
#include "tests/unit/tmpdir.h"
#include "tests/unit/wire_name.h"
#include "tests/unit/zone_text.h"

enum { DAY = 86400, PATH_LEN = 512 };

static const char *const denials[] = { "nsec", "nsec3", "opt-out" };
static const uint8_t algorithms[] = { 5, 7, 8, 10, 13, 14, 15, 16 };

/* What canonical form may get wrong: case in names, records that are prefixes of others, types that
 * nobody knows, strings with bytes of all kinds. */
static const char zone_file[] =
	"$TTL 3600\n"
	"example. SOA ns.Example. Host.Example. 1 7200 3600 1209600 300\n"
	"example. NS NS.Example.\n"
	"example. NS ns2.example.\n"
	"example. MX 10 MAIL.example.\n"
	"example. MX 10 mail2.Example.\n"
	"example. CAA 0 issue \"ca.Example\"\n"
	"ns.example. A 192.0.2.53\n"
	"ns2.example. AAAA 2001:db8::53\n"
	"Www.example. 60 A 192.0.2.3\n"
	"www.example. 60 A 192.0.2.1\n"
	"www.example. 60 A 192.0.2.2\n"
	"txt.example. TXT \"B\" \"c\"\n"
	"txt.example. TXT \"B\"\n"
	"txt.example. TXT \"\"\n"
	"txt.example. TXT \"\\000\\255 \\\"\"\n"
	"_sip._tcp.example. SRV 1 2 5060 WWW.example.\n"
	"naptr.example. NAPTR 1 2 \"u\" \"E2U+sip\" \"!^.*$!SIP:x@Example!\" .\n"
	"naptr.example. NAPTR 1 2 \"s\" \"\" \"\" _SIP._tcp.example.\n"
	"_443._tcp.example. TLSA 3 1 1 0011223344\n"
	"host.example. SSHFP 1 1 000102030405060708090A0B0C0D0E0F10111213\n"
	"host.example. HINFO \"CPU\" \"Os\"\n"
	"host.example. RP Who.Example. txt.Example.\n"
	"alias.example. CNAME WWW.example.\n"
	"moved.example. DNAME Other.Example.\n"
	"odd.example. TYPE65400 \\# 3 ABCDEF\n"
	"\\104\\105\\.x.example. PTR A.b.C.example.\n"
	"*.wild.example. MX 1 AI.example.\n"
	"a.b.c.example. A 192.0.2.9\n"
	"sec.example. NS ns.sec.example.\n"
	"sec.example. DS 1 13 2 "
	"0102030405060708090A0B0C0D0E0F100102030405060708090A0B0C0D0E0F10\n"
	"ns.sec.example. A 192.0.2.54\n"
	"insec.example. NS ns.insec.example.\n"
	"ns.insec.example. A 192.0.2.55\n";

/* NS of the delegations, and glue. */
enum { UNSIGNED_SETS = 4 };

static struct keyring *ring;
static struct dnssec_limits limits;
static struct dnssec_work work;
static struct verification v;

static void write_zone(const char *dir)
{
	char path[PATH_LEN];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/zone", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(zone_file, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static struct rrset *altered(const struct rrset *s)
{
	struct rdata rr[16], sig[16], other;
	size_t n_rr = 0, n_sig = 0, at = 0;
	struct rrset *out = NULL;
	uint8_t bytes[1024];

	while (n_rr < 16 && rrset_next(s, &at, &rr[n_rr]))
		n_rr++;
	at = 0;
	while (n_sig < 16 && rrset_next_sig(s, &at, &sig[n_sig]))
		n_sig++;
	other = rr[n_rr - 1];
	ck_assert_uint_le(other.len, sizeof(bytes));
	memcpy(bytes, other.data, other.len);
	bytes[0] ^= 1;
	rr[n_rr - 1].data = bytes;
	ck_assert_int_eq(rrset_new(&out, rrset_owner(s), s->type, s->ttl, 0, RANK_AUTH_ANSWER, rr,
				   n_rr, sig, n_sig),
			 E_OK);
	return out;
}

static enum security verify(const struct rrset *s, const struct rrset *keys, const struct rrset *ds,
			    uint32_t now_s)
{
	work.checks = 0;
	if (s->type == TYPE_DNSKEY)
		return verify_dnskeys(ring, &limits, s, ds, now_s, &work, &v);
	return verify_set(ring, &limits, s, wire("example"), keys, now_s, &work, &v);
}

static void verify_one(const struct rrset *s, const struct rrset *keys, const struct rrset *ds,
		       uint32_t now_s)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	struct rrset *bad = altered(s);

	ck_assert_msg(verify(s, keys, ds, now_s) == SEC_SECURE, "%s %s: %s",
		      name_to_text(owner, rrset_owner(s)), rrtype_to_text(s->type, type),
		      bogus_row(v.why)->text);
	ck_assert(!v.is_expanded);
	ck_assert_msg(verify(bad, keys, ds, now_s) == SEC_BOGUS, "%s %s",
		      name_to_text(owner, rrset_owner(s)), rrtype_to_text(s->type, type));
	rrset_put(bad);
	ck_assert_int_eq(verify(s, keys, ds, now_s + 365 * DAY), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_SIGNATURE_EXPIRED);
	ck_assert_int_eq(verify(s, keys, ds, now_s - 365 * DAY), SEC_BOGUS);
	ck_assert_int_eq(v.why, BOGUS_SIGNATURE_NOT_YET_VALID);
	ck_assert_uint_eq(work.checks, 0);
}

static void read_both(const char *dir, uint32_t now_s, struct zone_text *z,
		      struct zone_text *parent)
{
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/out", dir);
	zone_text_read_file(z, path, name_root, now_s);
	(void)snprintf(path, sizeof(path), "%s/parent", dir);
	zone_text_read_file(parent, path, name_root, now_s);
}

static void verify_all(const char *dir, unsigned algorithm, bool has_nsec)
{
	uint32_t now_s = (uint32_t)time(NULL);
	size_t n_signed = 0, n_denials = 0;
	struct zone_text z, parent;
	struct rrset *keys, *ds;

	read_both(dir, now_s, &z, &parent);
	keys = zone_text_find(&z, "example", TYPE_DNSKEY);
	ds = zone_text_find(&parent, "example", TYPE_DS);
	ck_assert(keys != NULL && ds != NULL);
	for (size_t i = 0; i < z.n; i++) {
		if (z.sets[i]->n_sig == 0)
			continue;
		verify_one(z.sets[i], keys, ds, now_s);
		ck_assert_uint_eq(v.algorithm, algorithm);
		n_signed++;
		n_denials += z.sets[i]->type == (has_nsec ? TYPE_NSEC : TYPE_NSEC3);
	}
	ck_assert_uint_eq(z.n - n_signed, UNSIGNED_SETS);
	ck_assert_uint_gt(n_signed, 35);
	ck_assert_uint_gt(n_denials, 15);
	zone_text_free(&z);
	zone_text_free(&parent);
}

static void each_denial(const char *program, unsigned algorithm)
{
	char dir[TMPDIR_MAX], number[16];
	bool is_there = true;

	for (size_t i = 0; is_there && i < ARRAY_LEN(denials); i++) {
		/* RFC 5155 2: algorithm 5 is older than NSEC3. */
		if (algorithm == 5 && i > 0)
			continue;
		tmpdir_make(dir);
		ck_assert_int_eq(keyring_new(&ring, 10), E_OK);
		(void)snprintf(number, sizeof(number), "%u", algorithm);
		write_zone(dir);
		is_there = others_sign(dir, program, number, denials[i]);
		if (is_there)
			verify_all(dir, algorithm, i == 0);
		keyring_free(ring);
		tmpdir_remove(dir);
	}
}

START_TEST(by_bind)
{
	each_denial("dnssec-signzone", algorithms[_i]);
}
END_TEST

START_TEST(by_ldns)
{
	each_denial("ldns-signzone", algorithms[_i]);
}
END_TEST

START_TEST(by_knot)
{
	each_denial("kzonesign", algorithms[_i]);
}
END_TEST

/* ---- rollovers (RFC 6781 4) ---- */

static const struct {
	const char *program, *algorithms;
	uint8_t first, second;
} rollovers[] = {
	{ "dnssec-signzone", "8+8", 8, 8 },   { "dnssec-signzone", "13+13", 13, 13 },
	{ "dnssec-signzone", "8+13", 8, 13 }, { "ldns-signzone", "8+8", 8, 8 },
	{ "ldns-signzone", "13+13", 13, 13 }, { "ldns-signzone", "13+15", 13, 15 },
	{ "ldns-signzone", "7+16", 7, 16 },
};

/* One DS of the set, the parent's at some stage of the rollover. */
static struct rrset *one_ds(const struct rrset *all, const struct rdata *rr)
{
	struct rrset *ds = NULL;

	ck_assert_int_eq(
		rrset_new(&ds, rrset_owner(all), TYPE_DS, 60, 0, RANK_AUTH_ANSWER, rr, 1, NULL, 0),
		E_OK);
	return ds;
}

/* With the old DS, the new one, and both, whatever else signs. */
static void verify_by_each_ds(const struct zone_text *z, const struct rrset *all, uint32_t now_s)
{
	const struct rrset *keys = zone_text_find(z, "example", TYPE_DNSKEY);
	struct rdata rr;
	struct rrset *ds;
	size_t at = 0;

	ck_assert_uint_eq(keys->n_rr, 4);
	ck_assert_uint_ge(keys->n_sig, 2);
	ck_assert_uint_ge(all->n_rr, 2);
	ck_assert_int_eq(verify(keys, keys, all, now_s), SEC_SECURE);
	while (rrset_next(all, &at, &rr)) {
		ds = one_ds(all, &rr);
		ck_assert_int_eq(verify(keys, keys, ds, now_s), SEC_SECURE);
		ck_assert_uint_eq(v.tag, wire_get_u16(rr.data));
		rrset_put(ds);
	}
}

/* Two algorithms: with one of them disabled, the other is enough (RFC 6840 5.11). */
static void verify_by_each_algorithm(const struct zone_text *z, uint8_t disabled, uint32_t now_s)
{
	const struct rrset *keys = zone_text_find(z, "example", TYPE_DNSKEY);

	limits.disabled_algorithms[0] = 1ULL << disabled;
	for (size_t i = 0; i < z->n; i++) {
		const struct rrset *s = z->sets[i];

		if (s->n_sig == 0 || s->type == TYPE_DNSKEY)
			continue;
		ck_assert_int_eq(verify(s, keys, NULL, now_s), SEC_SECURE);
		ck_assert_uint_ne(v.algorithm, disabled);
	}
	limits.disabled_algorithms[0] = 0;
}

START_TEST(in_the_middle_of_a_rollover)
{
	uint32_t now_s = (uint32_t)time(NULL);
	struct zone_text z, parent;
	char dir[TMPDIR_MAX];

	tmpdir_make(dir);
	write_zone(dir);
	if (others_sign(dir, rollovers[_i].program, rollovers[_i].algorithms, "nsec")) {
		ck_assert_int_eq(keyring_new(&ring, 10), E_OK);
		read_both(dir, now_s, &z, &parent);
		verify_by_each_ds(&z, zone_text_find(&parent, "example", TYPE_DS), now_s);
		verify_by_each_algorithm(&z, 0, now_s);
		if (rollovers[_i].first != rollovers[_i].second) {
			verify_by_each_algorithm(&z, rollovers[_i].first, now_s);
			verify_by_each_algorithm(&z, rollovers[_i].second, now_s);
		}
		zone_text_free(&z);
		zone_text_free(&parent);
		keyring_free(ring);
	}
	tmpdir_remove(dir);
}
END_TEST

static void setup(void)
{
	limits = (struct dnssec_limits)DNSSEC_LIMITS_DEFAULTS;
}

Suite *suite_signers(void)
{
	Suite *s = suite_create("signers");
	TCase *t = tcase_create("signers");

	/* Keys take as long to find as luck will have it. */
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, by_bind, 0, ARRAY_LEN(algorithms));
	tcase_add_loop_test(t, by_ldns, 0, ARRAY_LEN(algorithms));
	tcase_add_loop_test(t, by_knot, 0, ARRAY_LEN(algorithms));
	tcase_add_loop_test(t, in_the_middle_of_a_rollover, 0, ARRAY_LEN(rollovers));
	suite_add_tcase(s, t);
	return s;
}
