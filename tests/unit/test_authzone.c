/* What records a zone takes, and its answers; the rest of their way is tests/sim's (auth_*.rpl). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/authzone.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000 };

static struct authzone *zone;
static char why[AUTHZONE_WHY_MAX];

static int add_to(struct authzone *a, const char *owner, uint16_t type, uint32_t ttl,
		  const char *rdata, size_t len)
{
	why[0] = '\0';
	return authzone_add(a, wire(owner), type, ttl, (const uint8_t *)rdata, (uint16_t)len, why);
}

static int add(const char *owner, uint16_t type, const char *rdata, size_t len)
{
	return add_to(zone, owner, type, 600, rdata, len);
}

static int add_name(const char *owner, uint16_t type, const char *target)
{
	const uint8_t *name = wire(target);

	return add(owner, type, (const char *)name, name_len(name));
}

static const char a1[] = "\300\0\2\1", a2[] = "\300\0\2\2";
static const char six[] = "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1";
/* . . 1 1 1 1 30 */
static const char soa[] = "\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\36";

static void setup(void)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(authzone_new(&zone, wire("example.")), E_OK);
	ck_assert_int_eq(add("example.", TYPE_SOA, soa, 22), E_OK);
	ck_assert_int_eq(authzone_finish(zone, why), E_OK);
}

static void teardown(void)
{
	authzone_free(zone);
}

START_TEST(a_zone_has_a_soa)
{
	struct authzone *a = NULL;

	ck_assert_int_eq(authzone_new(&a, wire("a.")), E_OK);
	ck_assert_int_eq(authzone_finish(a, why), E_MALFORMED);
	ck_assert_str_eq(why, "the zone has no SOA record");
	authzone_free(a);
}
END_TEST

START_TEST(what_is_no_zones_record_is_refused)
{
	ck_assert_int_eq(add("www.example.net.", TYPE_A, a1, 4), E_MALFORMED);
	ck_assert_str_eq(why, "the name is not within the zone");
	ck_assert_int_eq(add("www.example.", TYPE_SOA, soa, 22), E_MALFORMED);
	ck_assert_str_eq(why, "a SOA record belongs to the zone's own name");
	ck_assert_int_eq(add("example.", TYPE_SOA, "\0\0aaaaaaaaaaaaaaaaaaaa", 22), E_MALFORMED);
	ck_assert_str_eq(why, "a second SOA record");
	ck_assert_int_eq(add_name("example.", TYPE_CNAME, "a."), E_MALFORMED);
	ck_assert_str_eq(why, "a CNAME record beside other data");
	ck_assert_int_eq(add_name("c.example.", TYPE_CNAME, "a."), E_OK);
	ck_assert_int_eq(add("c.example.", TYPE_A, a1, 4), E_MALFORMED);
	ck_assert_str_eq(why, "other data beside a CNAME record");
	ck_assert_int_eq(add_name("c.example.", TYPE_CNAME, "b."), E_MALFORMED);
	ck_assert_str_eq(why, "a second CNAME record of the name");
	ck_assert_int_eq(add_name("c.example.", TYPE_CNAME, "a."), E_OK); /* the same once more */
	ck_assert_int_eq(add_name("c.example.", TYPE_NSEC, "a."), E_OK);
	ck_assert_int_eq(add_name("d.example.", TYPE_DNAME, "a."), E_OK);
	ck_assert_int_eq(add_name("d.example.", TYPE_DNAME, "b."), E_MALFORMED);
	ck_assert_str_eq(why, "a second DNAME record of the name");
	ck_assert_uint_eq(authzone_records(zone), 4);
}
END_TEST

START_TEST(a_set_has_its_limits)
{
	char rdata[200] = { 0 };
	int err = E_OK;

	for (unsigned i = 0; i < 5000 && err == E_OK; i++) {
		wire_put_u32((uint8_t *)rdata, i);
		err = add("big.example.", 65280, rdata, sizeof(rdata));
	}
	ck_assert_int_eq(err, E_LIMIT);
	ck_assert_str_eq(why, "too many records of a name and type");
}
END_TEST

static enum auth_kind look(const char *name, uint16_t type, struct auth_answer *out)
{
	ck_assert_int_eq(authzone_look(zone, wire(name), type, NOW, out), E_OK);
	return out->kind;
}

static void put(struct auth_answer *a)
{
	rrset_put(a->set);
	rrset_put(a->dname);
}

START_TEST(sets_are_whole_and_their_time_begins_now)
{
	struct auth_answer a;

	ck_assert_int_eq(add("www.example.", TYPE_A, a1, 4), E_OK);
	ck_assert_int_eq(add("www.example.", TYPE_A, a1, 4), E_OK);
	ck_assert_int_eq(add_to(zone, "www.example.", TYPE_A, 60, a2, 4), E_OK);
	ck_assert_int_eq(look("www.example.", TYPE_A, &a), AUTH_DATA);
	ck_assert_uint_eq(a.set->n_rr, 2);
	ck_assert_uint_eq(a.set->ttl, 60); /* the lowest of the set */
	ck_assert_uint_eq(rrset_ttl_left(a.set, NOW), 60);
	ck_assert_uint_eq(a.set->rank, RANK_LOCAL);
	put(&a);
}
END_TEST

START_TEST(denials_have_the_soa_and_its_minimum)
{
	struct auth_answer a;

	ck_assert_int_eq(look("no.example.", TYPE_A, &a), AUTH_NXDOMAIN);
	ck_assert_int_eq(a.set->kind, RRSET_NXDOMAIN);
	ck_assert_uint_eq(rrset_proofs(a.set)[0]->ttl, 30);
	ck_assert_uint_eq(a.set->ttl, 30);
	put(&a);
	ck_assert_int_eq(look("example.", TYPE_A, &a), AUTH_NODATA);
	ck_assert_int_eq(a.set->kind, RRSET_NODATA);
	put(&a);
}
END_TEST

START_TEST(a_wildcard_takes_the_name_asked_for)
{
	struct auth_answer a;

	ck_assert_int_eq(add("*.example.", TYPE_A, a1, 4), E_OK);
	ck_assert_int_eq(look("x.y.example.", TYPE_A, &a), AUTH_DATA);
	ck_assert(name_equal_case(rrset_owner(a.set), wire("x.y.example.")));
	put(&a);
}
END_TEST

START_TEST(no_wildcard_fits_a_name_of_full_length)
{
	/* 255 bytes, so that no "*." fits before it. */
	static const char longest[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.a.example.";
	struct auth_answer a;

	/* The closest encloser is one label short of it. */
	ck_assert_int_eq(add(strchr(longest, '.') + 1, TYPE_A, a1, 4), E_OK);
	ck_assert_int_eq(look(longest, TYPE_A, &a), AUTH_NXDOMAIN);
	put(&a);
}
END_TEST

START_TEST(glue_is_found_below_a_delegation)
{
	struct rrset *v4, *v6;
	struct auth_answer a;

	ck_assert_int_eq(add_name("sub.example.", TYPE_NS, "ns.sub.example."), E_OK);
	ck_assert_int_eq(add("ns.sub.example.", TYPE_A, a1, 4), E_OK);
	ck_assert_int_eq(add("ns.sub.example.", TYPE_AAAA, six, 16), E_OK);
	ck_assert_int_eq(look("ns.sub.example.", TYPE_A, &a), AUTH_REFERRAL);
	ck_assert(name_equal_case(rrset_owner(a.set), wire("sub.example.")));
	put(&a);
	authzone_glue(zone, wire("ns.sub.example."), NOW, &v4, &v6);
	ck_assert_uint_eq(v4->n_rr, 1);
	ck_assert_uint_eq(v6->n_rr, 1);
	rrset_put(v4);
	rrset_put(v6);
	authzone_glue(zone, wire("ns.example.net."), NOW, &v4, &v6);
	ck_assert_ptr_null(v4);
	ck_assert_ptr_null(v6);
}
END_TEST

static char walked[256];

static bool note_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
			const struct rdata *rr)
{
	char name[NAME_TEXT_MAX], line[NAME_TEXT_MAX + 64];
	unsigned *left = ctx;

	(void)snprintf(line, sizeof(line), "%s %u %u %u; ", name_to_text(name, owner), type, ttl,
		       rr->len);
	ck_assert_ptr_null(strstr(walked, line));
	strcat(walked, line);
	return --*left > 0;
}

START_TEST(a_walk_sees_each_record_once)
{
	unsigned left = 100;

	ck_assert_int_eq(add("a.b.example.", TYPE_A, a1, 4), E_OK);
	ck_assert_int_eq(add("a.b.example.", TYPE_AAAA, six, 16), E_OK);
	walked[0] = '\0';
	authzone_walk(zone, note_record, &left);
	ck_assert_uint_eq(left, 97);
	ck_assert_ptr_nonnull(strstr(walked, "example. 6 600 22; "));
	ck_assert_ptr_nonnull(strstr(walked, "a.b.example. 1 600 4; "));
	ck_assert_ptr_nonnull(strstr(walked, "a.b.example. 28 600 16; "));
	left = 2;
	walked[0] = '\0';
	authzone_walk(zone, note_record, &left);
	ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(equal_zones_have_equal_prints)
{
	struct authzone *other = NULL;

	ck_assert_int_eq(authzone_new(&other, wire("example.")), E_OK);
	ck_assert_int_eq(add_to(other, "b.example.", TYPE_A, 600, a1, 4), E_OK);
	ck_assert_int_eq(add_to(other, "a.example.", TYPE_A, 600, a2, 4), E_OK);
	ck_assert_int_eq(add_to(other, "example.", TYPE_SOA, 600, soa, 22), E_OK);
	ck_assert_int_eq(add("a.example.", TYPE_A, a2, 4), E_OK);
	ck_assert_uint_ne(authzone_print(zone), authzone_print(other));
	ck_assert_int_eq(add("b.example.", TYPE_A, a1, 4), E_OK);
	ck_assert_uint_eq(authzone_print(zone), authzone_print(other));
	ck_assert_int_eq(add("b.example.", TYPE_A, a2, 4), E_OK);
	ck_assert_uint_ne(authzone_print(zone), authzone_print(other));
	authzone_free(other);
}
END_TEST

Suite *suite_authzone(void)
{
	Suite *s = suite_create("authzone");
	TCase *c = tcase_create("authzone");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_zone_has_a_soa);
	tcase_add_test(c, what_is_no_zones_record_is_refused);
	tcase_add_test(c, a_set_has_its_limits);
	tcase_add_test(c, sets_are_whole_and_their_time_begins_now);
	tcase_add_test(c, denials_have_the_soa_and_its_minimum);
	tcase_add_test(c, a_wildcard_takes_the_name_asked_for);
	tcase_add_test(c, no_wildcard_fits_a_name_of_full_length);
	tcase_add_test(c, glue_is_found_below_a_delegation);
	tcase_add_test(c, a_walk_sees_each_record_once);
	tcase_add_test(c, equal_zones_have_equal_prints);
	suite_add_tcase(s, c);
	return s;
}
