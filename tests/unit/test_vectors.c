/* The examples of the RFCs that brought the algorithms: keys, DS and signatures as printed there. */
#include <check.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/verify.h"
#include "tests/unit/wire_name.h"
#include "tests/unit/zone_text.h"

static const struct {
	const char *rfc;
	const char *zone, *owner;
	uint16_t type, tag;
	uint32_t when_s; /* within the signature's time */
	bool is_expanded;
	const char *text;
} examples[] = {
	{ "RFC 4035 B.6", "example", "a.z.w.example", TYPE_MX, 38519, 1083000000, true,
	  "example. 3600 DNSKEY 256 3 5 ("
	  " AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5CQePxXHZS4i8dANH4DX3tbHol61e"
	  " k8EFMcsGXxKciJFHyhl94C+NwILQdzsUlSFovBZsyl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZI"
	  " ySFNsgEYvh0z2542lzMKR4Dh8uZffQ== )\n"
	  "a.z.w.example. 3600 MX 1 ai.example.\n"
	  "a.z.w.example. 3600 RRSIG MX 5 2 3600 20040509183619 20040409183619 38519 example. ("
	  " OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYI"
	  " SAxfAdvXSZ7xujKAtPbctvOQ2ofO7AZJ+d01EeeQTVBPq4/6KCWhq"
	  " e2XTjnkVLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC"
	  " 36SR5xBni8vHI= )\n" },
	{ "RFC 5702 6.1", "example.net", "www.example.net", TYPE_A, 9033, 1000000000, false,
	  "example.net. 3600 DNSKEY 256 3 8 ("
	  " AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Q"
	  " s8PkxUdp6p/DlUmObdk= )\n"
	  "www.example.net. 3600 A 192.0.2.91\n"
	  "www.example.net. 3600 RRSIG A 8 3 3600 20300101000000 20000101000000 9033"
	  " example.net. ( kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriSh"
	  " ZNz85mwlMgNEacFYK/lPtPiVYP4bwg== )\n" },
	{ "RFC 5702 6.2", "example.net", "www.example.net", TYPE_A, 3740, 1000000000, false,
	  "example.net. 3600 DNSKEY 256 3 10 ("
	  " AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/Ay"
	  " hqFDxj13tOnD9u/1kTg7cV6rklMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWX"
	  " jDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL )\n"
	  "www.example.net. 3600 A 192.0.2.91\n"
	  "www.example.net. 3600 RRSIG A 10 3 3600 20300101000000 20000101000000 3740"
	  " example.net. ( tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDt"
	  " suJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOLDiNa8iP5g9vMhpuv"
	  " 6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw= )\n" },
	{ "RFC 6605 6.1", "example.net", "www.example.net", TYPE_A, 55648, 1283000000, false,
	  "example.net. 3600 DNSKEY 257 3 13 ("
	  " GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+"
	  " Wi9xMWyQLc8NAA== )\n"
	  "example.net. 3600 DS 55648 13 2 ("
	  " b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17 )\n"
	  "www.example.net. 3600 A 192.0.2.1\n"
	  "www.example.net. 3600 RRSIG A 13 3 3600 20100909100439 20100812100439 55648"
	  " example.net. ( qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7t"
	  " ZoLBLlUzGGus7ZwmwWep666VCw== )\n" },
	{ "RFC 6605 6.2", "example.net", "www.example.net", TYPE_A, 10771, 1283000000, false,
	  "example.net. 3600 DNSKEY 257 3 14 ("
	  " xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X"
	  " 1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40 )\n"
	  "example.net. 3600 DS 10771 14 4 ( 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8"
	  " d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6 )\n"
	  "www.example.net. 3600 A 192.0.2.1\n"
	  "www.example.net. 3600 RRSIG A 14 3 3600 20100909102025 20100812102025 10771"
	  " example.net. ( /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOv"
	  " zFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm )\n" },
	{ "RFC 8080 6.1", "example.com", "example.com", TYPE_MX, 3613, 1439000000, false,
	  "example.com. 3600 DNSKEY 257 3 15 ( l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4= )\n"
	  "example.com. 3600 DS 3613 15 2 ("
	  " 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b )\n"
	  "example.com. 3600 MX 10 mail.example.com.\n"
	  "example.com. 3600 RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. ("
	  " oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9"
	  " VrbpMngwcrqNAg== )\n" },
	{ "RFC 8080 6.1, the second", "example.com", "example.com", TYPE_MX, 35217, 1439000000,
	  false,
	  "example.com. 3600 DNSKEY 257 3 15 ( zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs= )\n"
	  "example.com. 3600 DS 35217 15 2 ("
	  " 401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c )\n"
	  "example.com. 3600 MX 10 mail.example.com.\n"
	  "example.com. 3600 RRSIG MX 15 2 3600 1440021600 1438207200 35217 example.com. ("
	  " zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQ"
	  " R0O7KuI5k2pcBg== )\n" },
	{ "RFC 8080 6.2, with erratum 4935", "example.com", "example.com", TYPE_MX, 9713,
	  1439000000, false,
	  "example.com. 3600 DNSKEY 257 3 16 ("
	  " 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDp"
	  " JtIA )\n"
	  "example.com. 3600 DS 9713 16 2 ("
	  " 6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7 )\n"
	  "example.com. 3600 MX 10 mail.example.com.\n"
	  "example.com. 3600 RRSIG MX 16 2 3600 1440021600 1438207200 9713 example.com. ("
	  " 3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKi"
	  " wZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213"
	  " WKsJlwEA )\n" },
	{ "RFC 8080 6.2, the second", "example.com", "example.com", TYPE_MX, 38353, 1439000000,
	  false,
	  "example.com. 3600 DNSKEY 257 3 16 ("
	  " kkreGWoccSDmUBGAe7+zsbG6ZAFQp+syPmYUurBRQc3tDjeMCJcVMRDmgcNLp5HlHAMy12Vo"
	  " ISsA )\n"
	  "example.com. 3600 DS 38353 16 2 ("
	  " 645ff078b3568f5852b70cb60e8e696cc77b75bfaaffc118cf79cbda1ba28af4 )\n"
	  "example.com. 3600 MX 10 mail.example.com.\n"
	  "example.com. 3600 RRSIG MX 16 2 3600 1440021600 1438207200 38353 example.com. ("
	  " E1/oLjSGIbmLny/4fcgM1z4oL6aqo+izT3urCyHyvEp4Sp8Syg1eI+lJ57CSnZqjJP41O/9l"
	  " 4m0AsQ4f7qI1gVnML8vWWiyW2KXhT9kuAICUSxv5OWbf81Rq7Yu60npabODB0QFPb/rkW3kU"
	  " ZmQ0YQUA )\n" },
};

START_TEST(examples_verify)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	struct dnssec_work work = { .checks = 0 };
	struct rrset *keys, *ds, *set;
	struct keyring *ring = NULL;
	struct verification v;
	struct zone_text z;
	struct dnskey key;
	struct rdata rr;
	struct ds d;
	size_t at = 0;

	ck_assert_int_eq(keyring_new(&ring, 10), E_OK);
	zone_text_read(&z, examples[_i].text, examples[_i].when_s);
	keys = zone_text_find(&z, examples[_i].zone, TYPE_DNSKEY);
	set = zone_text_find(&z, examples[_i].owner, examples[_i].type);
	ck_assert_msg(verify_set(ring, &limits, set, wire(examples[_i].zone), keys,
				 examples[_i].when_s, &work, &v) == SEC_SECURE,
		      "%s: %s", examples[_i].rfc, bogus_row(v.why)->text);
	ck_assert_uint_eq(v.tag, examples[_i].tag);
	ck_assert_int_eq(v.is_expanded, examples[_i].is_expanded);

	ck_assert(rrset_next(keys, &at, &rr) && dnskey_read(&key, &rr) == E_OK);
	ck_assert_uint_eq(dnskey_tag(&rr), examples[_i].tag);
	ds = zone_text_find(&z, examples[_i].zone, TYPE_DS);
	at = 0;
	if (ds != NULL) {
		ck_assert(rrset_next(ds, &at, &rr) && ds_read(&d, &rr) == E_OK);
		ck_assert(ds_matches(&d, wire(examples[_i].zone), &key));
	}
	zone_text_free(&z);
	keyring_free(ring);
}
END_TEST

/* RFC 4034 5.4 */
START_TEST(example_of_a_ds)
{
	struct zone_text z;
	struct dnskey key;
	struct rdata rr;
	struct ds d;
	size_t at = 0;

	zone_text_read(&z,
		       "dskey.example.com. 86400 IN DNSKEY 256 3 5 ( AQOeiiR0GOMYkDshWoSKz9Xz"
		       " fwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx"
		       " egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/r"
		       " ljwvFw== )\n"
		       "dskey.example.com. 86400 IN DS 60485 5 1 ("
		       " 2BB183AF5F22588179A53B0A98631FAD1A292118 )\n",
		       0);
	ck_assert(rrset_next(zone_text_find(&z, "dskey.example.com", TYPE_DNSKEY), &at, &rr));
	ck_assert_int_eq(dnskey_read(&key, &rr), E_OK);
	ck_assert_uint_eq(dnskey_tag(&rr), 60485);
	at = 0;
	ck_assert(rrset_next(zone_text_find(&z, "dskey.example.com", TYPE_DS), &at, &rr));
	ck_assert_int_eq(ds_read(&d, &rr), E_OK);
	ck_assert(ds_matches(&d, wire("DSkey.example.com"), &key));
	ck_assert(!ds_matches(&d, wire("other.example.com"), &key));
	zone_text_free(&z);
}
END_TEST

Suite *suite_vectors(void)
{
	Suite *s = suite_create("vectors");
	TCase *t = tcase_create("vectors");

	tcase_add_loop_test(t, examples_verify, 0, ARRAY_LEN(examples));
	tcase_add_test(t, example_of_a_ds);
	suite_add_tcase(s, t);
	return s;
}
