/* The digest of a zone against the vectors of RFC 8976 A, and each way of not having the right one. */
#include "recursor/resolve/dnssec/zonemd.h"

#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/zonecopy.h"
#include "tests/unit/copy_text.h"
#include "tests/unit/wire_name.h"
#include "tests/unit/zonemd_vectors.h"

static void take(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		 const struct rdata *rr)
{
	zonemd_record(ctx, owner, type, ttl, rr);
}

static enum zonemd digest(const char *zone, const char *text)
{
	struct zonecopy *z = copy_text(zone, text);
	struct zonemd_digest *m = NULL;
	struct rrset *set = NULL;
	struct soa soa;
	enum zonemd verdict;

	ck_assert_int_ge(zonecopy_set(z, zonecopy_apex(z), TYPE_ZONEMD, 0, &set), E_NOT_FOUND);
	zonecopy_soa(z, &soa);
	ck_assert_int_eq(zonemd_new(&m, zonecopy_apex(z), soa.serial, set), E_OK);
	ck_assert_int_eq(zonecopy_walk(z, NULL, take, m), E_OK);
	verdict = zonemd_end(m);
	rrset_put(set);
	zonecopy_put(z);
	return verdict;
}

START_TEST(vectors)
{
	ck_assert_int_eq(digest("example", zonemd_simple), ZONEMD_MATCHES);
	ck_assert_int_eq(digest("example", zonemd_complex), ZONEMD_MATCHES);
	ck_assert_int_eq(digest("example", A3_REST A3_384 A3_512 A3_OTHERS), ZONEMD_MATCHES);
	ck_assert_int_eq(digest("example", A3_REST A3_384), ZONEMD_MATCHES);
	ck_assert_int_eq(digest("example", A3_REST A3_512), ZONEMD_MATCHES);
	ck_assert_int_eq(digest("uri.arpa", zonemd_uri), ZONEMD_MATCHES);
}
END_TEST

/* A byte, a TTL, a record more or less, an owner: each is another digest. */
START_TEST(differs)
{
	static const char *const zones[] = {
		A1_REST "example. 86400 IN ZONEMD 2018031900 1 1 "
			"c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3"
			"a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044d\n",
		A1_REST "example. 86400 IN ZONEMD 2018031900 1 1 " A1_DIGEST "\n"
			"ns3 3600 IN A 203.0.113.64\n",
		A1_REST "example. 86400 IN ZONEMD 2018031900 1 1 " A1_DIGEST "\n"
			"deep.non-apex 3600 IN ZONEMD 2018031900 1 1 " A1_DIGEST "\n",
		"example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400\n"
		"example. 86400 IN NS ns1\n"
		"example. 86400 IN ZONEMD 2018031900 1 1 " A1_DIGEST "\n"
		"example. 86400 IN NS ns2\n"
		"ns1 3601 IN A 203.0.113.63\n"
		"ns2 3600 IN AAAA 2001:db8::63\n",
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		ck_assert_int_eq(digest("example", zones[i]), ZONEMD_DIFFERS);
}
END_TEST

START_TEST(none_of_use)
{
	ck_assert_int_eq(digest("example", A1_REST), ZONEMD_NONE);
	ck_assert_int_eq(digest("example",
				A1_REST "example. 86400 IN ZONEMD 2018031901 1 1 " A1_DIGEST "\n"),
			 ZONEMD_SERIAL);
	ck_assert_int_eq(digest("example", A3_REST A3_OTHERS), ZONEMD_UNSUPPORTED);
	/* A digest shorter than its hash's, as no digest may be. */
	ck_assert_int_eq(digest("example", A1_REST "example. 86400 IN TYPE63 \\# 18 784a141c 01 01 "
						   "c68090d90a7aed716bc459f9\n"),
			 ZONEMD_UNSUPPORTED);
}
END_TEST

/* What ldns would not read, and a transfer may bring. */
START_TEST(cut_short)
{
	static const struct rdata rr[] = { { (const uint8_t *)"\0\0\1", 3 }, { NULL, 0 } };
	struct zonemd_digest *m = NULL;
	struct rrset *set = NULL;

	ck_assert_int_eq(rrset_new(&set, wire("example"), TYPE_ZONEMD, 60, 0, RANK_AUTH_ANSWER, rr,
				   2, NULL, 0),
			 E_OK);
	ck_assert_int_eq(zonemd_new(&m, wire("example"), 1, set), E_OK);
	ck_assert(!zonemd_wants_records(m));
	ck_assert_int_eq(zonemd_end(m), ZONEMD_UNSUPPORTED);
	rrset_put(set);
}
END_TEST

/* Two of one scheme and hash spoil each other, whatever their serials and lengths; another hash's is
 * as good as ever. */
START_TEST(ambiguous)
{
	ck_assert_int_eq(digest("example", A1_REST
				"example. 86400 IN ZONEMD 2018031900 1 1 " A1_DIGEST
				"\nexample. 86400 IN ZONEMD 2018031901 1 1 " A1_DIGEST "\n"),
			 ZONEMD_AMBIGUOUS);
	ck_assert_int_eq(digest("example",
				A1_REST "example. 86400 IN ZONEMD 2018031900 1 1 " A1_DIGEST
					"\nexample. 86400 IN TYPE63 \\# 7 784a141c 01 01 "
					"00\n"),
			 ZONEMD_AMBIGUOUS);
	ck_assert_int_eq(digest("example",
				A3_REST A3_384 A3_512 A3_ZONEMD(
					"1 1", "62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637"
					       "493daaf401c92c279dd10f0edb1c56f8080211f8480ee307")),
			 ZONEMD_MATCHES);
}
END_TEST

/* One that matches is enough, and one that does not does no harm beside it (RFC 8976 4). */
START_TEST(one_of_two)
{
	ck_assert_int_eq(
		digest("example",
		       A3_REST A3_384 A3_ZONEMD(
			       "1 2",
			       "08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a"
			       "4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd28")),
		ZONEMD_MATCHES);
}
END_TEST

/* No signature covers the case of an RRSIG's signer, but the digest is of the lower one. */
START_TEST(signer_in_lower_case)
{
	static const uint8_t rdata[] = "\0\6\15\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7EXAMPLE\0Sig";
	uint8_t out[sizeof(rdata)];

	zonemd_canonical(out, TYPE_RRSIG, &(struct rdata) { rdata, sizeof(rdata) });
	ck_assert_mem_eq(out + 18, "\7example\0Sig", 13);
	/* One that is cut short is left alone. */
	zonemd_canonical(out, TYPE_RRSIG, &(struct rdata) { rdata, 22 });
	ck_assert_mem_eq(out + 18, "\7EXA", 4);
	zonemd_canonical(out, TYPE_RRSIG, &(struct rdata) { rdata, 0 });
}
END_TEST

static void setup(void)
{
	hash_key_set(1, 2);
}

Suite *suite_zonemd(void);
Suite *suite_zonemd(void)
{
	Suite *s = suite_create("zonemd");
	TCase *t = tcase_create("zonemd");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, vectors);
	tcase_add_test(t, differs);
	tcase_add_test(t, none_of_use);
	tcase_add_test(t, cut_short);
	tcase_add_test(t, ambiguous);
	tcase_add_test(t, one_of_two);
	tcase_add_test(t, signer_in_lower_case);
	suite_add_tcase(s, t);
	return s;
}
