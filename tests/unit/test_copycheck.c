/* What vouches for a copy: the signed zone of RFC 8976 A.4, as it is and with something wrong. */
#include "recursor/resolve/copycheck.h"

#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "tests/unit/copy_text.h"
#include "tests/unit/wire_name.h"
#include "tests/unit/zonemd_vectors.h"

static const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
static struct keyring *ring;
static struct copy_verdict verdict;
static char why[COPYCHECK_WHY_MAX];

static void setup(void)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(keyring_new(&ring, 10), E_OK);
}

static void teardown(void)
{
	keyring_free(ring);
}

/* The DS of a key of the zone that has its SEP bit set. */
static struct rrset *ds_of(const struct zonecopy *z)
{
	struct rrset *keys = NULL, *ds = NULL;
	uint8_t rdata[ANCHORS_DS_LEN];
	struct rdata rr;

	ck_assert_int_eq(zonecopy_set(z, zonecopy_apex(z), TYPE_DNSKEY, 0, &keys), E_OK);
	for (size_t at = 0; ds == NULL && rrset_next(keys, &at, &rr);) {
		if (rr.data[1] != 1)
			continue;
		ck_assert_int_eq(anchors_ds_of(rdata, zonecopy_apex(z), rr.data, rr.len), E_OK);
		ck_assert_int_eq(rrset_new(&ds, zonecopy_apex(z), TYPE_DS, 60, 0, RANK_LOCAL,
					   &(struct rdata) { rdata, sizeof(rdata) }, 1, NULL, 0),
				 E_OK);
	}
	rrset_put(keys);
	return ds;
}

static int check(const char *text, bool with_ds, enum copy_wish zonemd, enum copy_wish dnssec,
		 uint32_t now_s)
{
	struct zonecopy *whole = copy_text("uri.arpa", zonemd_uri),
			*z = copy_text("uri.arpa", text);
	struct rrset *ds = with_ds ? ds_of(whole) : NULL;
	const struct copycheck c = { z, zonemd, dnssec, ds, ring, &limits, now_s, NULL };
	int err;

	why[0] = '\0';
	verdict = (struct copy_verdict) { false, false };
	err = copycheck(&c, &verdict, why);
	rrset_put(ds);
	zonecopy_put(z);
	zonecopy_put(whole);
	return err;
}

/* The vector without the lines that hold the words. */
static const char *without(const char *words)
{
	static char text[sizeof(zonemd_uri)];
	size_t n = 0;

	for (const char *line = zonemd_uri; *line != '\0';) {
		size_t len = strcspn(line, "\n") + 1;
		const char *found = strstr(line, words);

		if (found == NULL || found >= line + len) {
			memcpy(text + n, line, len);
			n += len;
		}
		line += len;
	}
	text[n] = '\0';
	return text;
}

START_TEST(the_vector)
{
	ck_assert_msg(check(zonemd_uri, true, COPY_REQUIRE, COPY_REQUIRE, ZONEMD_URI_NOW) == E_OK,
		      "%s", why);
	ck_assert(verdict.is_signed && verdict.is_digested);
	/* Where nothing says that it is signed, the digest is a checksum. */
	ck_assert_int_eq(check(zonemd_uri, false, COPY_REQUIRE, COPY_VALIDATE, 0), E_OK);
	ck_assert(!verdict.is_signed && verdict.is_digested);
	ck_assert_int_eq(check(zonemd_uri, true, COPY_IGNORE, COPY_IGNORE, 0), E_OK);
	ck_assert(!verdict.is_signed && !verdict.is_digested);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *without, *why;
	} cases[] = {
		{ "DNSKEY", "no DNSKEY record" },
		{ "RRSIG DNSKEY", "its DNSKEY records" },
		{ "RRSIG SOA", "its SOA record" },
		{ "RRSIG ZONEMD", "its ZONEMD record" },
		{ "ZONEMD", "which is not proved" },
		{ "mailto.uri.arpa. 604800 IN NAPTR", "digest is wrong" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(check(without(cases[i].without), true, COPY_VALIDATE,
				       COPY_VALIDATE, ZONEMD_URI_NOW),
				 E_MALFORMED);
		ck_assert_msg(strstr(why, cases[i].why) != NULL, "%s: %s", cases[i].without, why);
	}
	ck_assert_int_eq(
		check(zonemd_uri, true, COPY_VALIDATE, COPY_VALIDATE, ZONEMD_URI_NOW + 365 * 86400),
		E_MALFORMED);
	ck_assert_int_eq(check(zonemd_uri, false, COPY_VALIDATE, COPY_REQUIRE, ZONEMD_URI_NOW),
			 E_MALFORMED);
	ck_assert_int_eq(check(without("ZONEMD"), false, COPY_REQUIRE, COPY_VALIDATE, 0),
			 E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "has no ZONEMD"));
	ck_assert_int_eq(check(without("ZONEMD"), false, COPY_VALIDATE, COPY_VALIDATE, 0), E_OK);
}
END_TEST

Suite *suite_copycheck(void);
Suite *suite_copycheck(void)
{
	Suite *s = suite_create("copycheck");
	TCase *t = tcase_create("copycheck");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_vector);
	tcase_add_test(t, refused);
	suite_add_tcase(s, t);
	return s;
}
