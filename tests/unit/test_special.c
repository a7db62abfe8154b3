#include <check.h>
#include <stdlib.h>

#include "common/rrtype.h"
#include "recursor/resolve/resolver.h"
#include "recursor/resolve/roothints.h"
#include "recursor/resolve/special.h"

enum { NOW = 1700000000 };

static struct special *special;
static struct resolver_config cfg;

static void setup(void)
{
	resolver_config_defaults(&cfg);
	ck_assert_int_eq(special_new(&special), E_OK);
}

static void teardown(void)
{
	special_free(special);
}

static struct rrset *look(const char *text, uint16_t type)
{
	struct rrset *set = NULL;
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return special_look(&set, special, &cfg, name, type, 0, NOW) ? set : NULL;
}

static const struct {
	const char *name;
	uint16_t type;
	int kind; /* -1: not special */
} cases[] = {
	{ "localhost.", TYPE_A, RRSET_DATA },
	{ "localhost.", TYPE_AAAA, RRSET_DATA },
	{ "localhost.", TYPE_MX, RRSET_NODATA },
	{ "a.b.localhost.", TYPE_A, RRSET_DATA },
	{ "invalid.", TYPE_A, RRSET_NXDOMAIN },
	{ "www.invalid.", TYPE_A, RRSET_NXDOMAIN },
	{ "www.test.", TYPE_A, RRSET_NXDOMAIN },
	{ "abc.onion.", TYPE_A, RRSET_NXDOMAIN },
	{ "home.arpa.", TYPE_SOA, RRSET_DATA },
	{ "home.arpa.", TYPE_NS, RRSET_DATA },
	{ "home.arpa.", TYPE_A, RRSET_NODATA },
	{ "home.arpa.", TYPE_DS, -1 },
	{ "printer.home.arpa.", TYPE_A, RRSET_NXDOMAIN },
	{ "1.0.0.127.in-addr.arpa.", TYPE_PTR, RRSET_NXDOMAIN },
	{ "1.1.168.192.in-addr.arpa.", TYPE_PTR, RRSET_NXDOMAIN },
	{ "1.1.31.172.in-addr.arpa.", TYPE_PTR, RRSET_NXDOMAIN },
	{ "10.in-addr.arpa.", TYPE_SOA, RRSET_DATA },
	{ "1.1.32.172.in-addr.arpa.", TYPE_PTR, -1 },
	{ "110.in-addr.arpa.", TYPE_PTR, -1 },
	{ "a.8.b.d.0.1.0.0.2.ip6.arpa.", TYPE_PTR, RRSET_NXDOMAIN },
	{ "a.c.b.d.0.1.0.0.2.ip6.arpa.", TYPE_PTR, -1 },
	{ "arpa.", TYPE_NS, -1 },
	{ "in-addr.arpa.", TYPE_NS, -1 },
	{ "notlocalhost.", TYPE_A, -1 },
	{ "localhost.example.", TYPE_A, -1 },
	{ "test.example.", TYPE_A, -1 },
	{ ".", TYPE_NS, -1 },
};

START_TEST(names_are_known)
{
	struct rrset *s = look(cases[_i].name, cases[_i].type);

	ck_assert_msg((s != NULL ? (int)s->kind : -1) == cases[_i].kind, "%s type %u: kind %d",
		      cases[_i].name, cases[_i].type, s != NULL ? (int)s->kind : -1);
	if (s != NULL && s->kind != RRSET_DATA) {
		/* RFC 2308 3: a denial carries the zone's SOA. */
		ck_assert_uint_eq(s->n_proofs, 1);
		ck_assert_uint_eq(rrset_proofs(s)[0]->type, TYPE_SOA);
		ck_assert(name_is_within(rrset_owner(s), rrset_owner(rrset_proofs(s)[0])));
	}
	rrset_put(s);
}
END_TEST

START_TEST(kinds_are_switched_off)
{
	struct rrset *s;

	cfg.serve_rfc1918 = false;
	ck_assert_ptr_null(look("1.10.in-addr.arpa.", TYPE_PTR));
	s = look("1.127.in-addr.arpa.", TYPE_PTR);
	ck_assert_ptr_nonnull(s);
	rrset_put(s);
	cfg.serve_rfc6303 = false;
	ck_assert_ptr_null(look("1.127.in-addr.arpa.", TYPE_PTR));
	cfg.serve_special = false;
	ck_assert_ptr_null(look("localhost.", TYPE_A));
}
END_TEST

START_TEST(the_roots_servers_are_built_in)
{
	struct rrset *sets[ROOTHINTS_MAX];
	size_t n = 0, addresses = 0, at = 0;
	struct rdata ns;

	ck_assert_int_eq(roothints_make(sets, &n), E_OK);
	ck_assert_uint_eq(n, 27);
	ck_assert_uint_eq(sets[n - 1]->type, TYPE_NS);
	ck_assert_uint_eq(sets[n - 1]->n_rr, 13);
	/* Each name has an address of each family. */
	while (rrset_next(sets[n - 1], &at, &ns))
		for (size_t i = 0; i + 1 < n; i++)
			addresses += name_equal(rrset_owner(sets[i]), ns.data);
	ck_assert_uint_eq(addresses, 26);
	while (n > 0)
		rrset_put(sets[--n]);
}
END_TEST

Suite *suite_special(void)
{
	Suite *s = suite_create("special");
	TCase *c = tcase_create("special");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, names_are_known, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(c, kinds_are_switched_off);
	tcase_add_test(c, the_roots_servers_are_built_in);
	suite_add_tcase(s, c);
	return s;
}
