/* acl: who may ask. */
#include <check.h>

#include "recursor/policy/acl.h"

static struct addr addr_of(const char *text)
{
	struct addr a = { 0 };

	ck_assert_int_eq(addr_from_text(&a, text, 53), E_OK);
	return a;
}

static struct netset *set_of(const char *list)
{
	char bad[ADDR_TEXT_MAX];
	struct netset *s = NULL;

	ck_assert_int_eq(netset_new(&s), E_OK);
	ck_assert_int_eq(netset_add_list(s, list, bad), E_OK);
	return s;
}

START_TEST(only_those_named_may_ask)
{
	struct netset *s = set_of("127.0.0.0/8, !127.9.0.0/16, ::1");
	struct addr a = addr_of("127.0.0.1"), b = addr_of("192.0.2.1"), c = addr_of("127.9.1.1");
	struct addr d = addr_of("::1"), e = addr_of("::2");

	ck_assert(acl_allows(s, &a));
	ck_assert(!acl_allows(s, &b));
	ck_assert(!acl_allows(s, &c));
	ck_assert(acl_allows(s, &d));
	ck_assert(!acl_allows(s, &e));
	netset_free(s);
}
END_TEST

START_TEST(an_empty_set_allows_everybody)
{
	struct netset *s = set_of("");
	struct addr a = addr_of("192.0.2.1"), b = addr_of("2001:db8::1");

	ck_assert(acl_allows(s, &a));
	ck_assert(acl_allows(s, &b));
	netset_free(s);
}
END_TEST

Suite *suite_acl(void)
{
	Suite *s = suite_create("acl");
	TCase *tc = tcase_create("acl");

	tcase_add_test(tc, only_those_named_may_ask);
	tcase_add_test(tc, an_empty_set_allows_everybody);
	suite_add_tcase(s, tc);
	return s;
}
