#include "recursor/files/hosts.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/authzone.h"
#include "recursor/settings/settings.h"

static struct zones *zones;
static char warnings[4096];
static char why[SETTINGS_WHY_MAX];

static void setup(void)
{
	hash_key_set(1, 2);
	warnings[0] = '\0';
	ck_assert_int_eq(zones_new(&zones), E_OK);
}

static void teardown(void)
{
	zones_put(zones);
}

static void warn(void *ctx, const char *line)
{
	(void)ctx;
	strcat(strcat(warnings, line), "\n");
}

static const struct hosts_warn to_warnings = { .line = warn };

static const uint8_t *name(const char *text)
{
	static uint8_t out[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(out, text), E_OK);
	return out;
}

static void add(const char *text, const char *suffix)
{
	char *copy = strdup(text);

	ck_assert_int_eq(hosts_add_text(zones, copy, "hosts", name(suffix), &to_warnings, why),
			 E_OK);
	free(copy);
}

/* The records of a name and type, as text: "192.0.2.1 192.0.2.2", or a name; "" for none. */
static const char *records(const char *owner, uint16_t type)
{
	static char out[1024];
	const struct configured_zone *z = zones_find(zones, name(owner));
	struct auth_answer a;
	struct rdata rr;
	size_t at = 0;

	out[0] = '\0';
	if (z == NULL)
		return "no zone";
	ck_assert_int_eq(authzone_look(z->auth, name(owner), type, 0, &a), E_OK);
	if (a.kind != AUTH_DATA)
		strcpy(out, a.kind == AUTH_NODATA ? "nodata" : "nxdomain");
	while (a.kind == AUTH_DATA && rrset_next(a.set, &at, &rr)) {
		char text[NAME_TEXT_MAX];
		struct addr addr;

		if (type == TYPE_PTR || type == TYPE_NS)
			name_to_text(text, rr.data);
		else if (addr_from_rdata(&addr, rr.data, rr.len, 0) == E_OK)
			addr_ip_text(text, &addr);
		strcat(strcat(out, out[0] == '\0' ? "" : " "), text);
	}
	rrset_put(a.set);
	rrset_put(a.dname);
	return out;
}

START_TEST(names_and_addresses)
{
	add("127.0.0.1 localhost\n"
	    "192.0.2.1\tWWW.Example.com www2.example.com # the web\n"
	    "   # nothing\n"
	    "\n"
	    "192.0.2.2 www.example.com\r\n"
	    "2001:db8::1 www.example.com six.example.com.\n"
	    "192.0.2.1 late.example.com",
	    ".");
	ck_assert_str_eq(warnings, "");
	ck_assert_str_eq(records("www.example.com.", TYPE_A), "192.0.2.1 192.0.2.2");
	ck_assert_str_eq(records("www.example.com.", TYPE_AAAA), "2001:db8::1");
	ck_assert_str_eq(records("www2.example.com.", TYPE_A), "192.0.2.1");
	ck_assert_str_eq(records("www2.example.com.", TYPE_AAAA), "nodata");
	ck_assert_str_eq(records("six.example.com.", TYPE_AAAA), "2001:db8::1");
	ck_assert_str_eq(records("late.example.com.", TYPE_A), "192.0.2.1");
	ck_assert_str_eq(records("a.www.example.com.", TYPE_A), "nxdomain");
	ck_assert_str_eq(records("www.example.com.", TYPE_NS), "localhost.");
	ck_assert_str_eq(records("example.com.", TYPE_A), "no zone");
	ck_assert_str_eq(records("localhost.", TYPE_A), "127.0.0.1");
	ck_assert_str_eq(records("1.2.0.192.in-addr.arpa.", TYPE_PTR), "www.example.com.");
	ck_assert_str_eq(records("2.2.0.192.in-addr.arpa.", TYPE_PTR), "www.example.com.");
	ck_assert_str_eq(records("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
				 "ip6.arpa.",
				 TYPE_PTR),
			 "www.example.com.");
	ck_assert_uint_eq(zones_count(zones, true), 9);
}
END_TEST

START_TEST(short_names_get_the_suffix)
{
	add("192.0.2.1 pc pc.lan dot.\n", "home.example.");
	ck_assert_str_eq(records("pc.home.example.", TYPE_A), "192.0.2.1");
	ck_assert_str_eq(records("pc.lan.", TYPE_A), "192.0.2.1");
	ck_assert_str_eq(records("dot.", TYPE_A), "192.0.2.1");
	ck_assert_str_eq(records("1.2.0.192.in-addr.arpa.", TYPE_PTR), "pc.home.example.");
	ck_assert_str_eq(records("pc.", TYPE_A), "no zone");
}
END_TEST

START_TEST(without_a_suffix_they_stay_short)
{
	add("192.0.2.1 pc\n", ".");
	ck_assert_str_eq(records("pc.", TYPE_A), "192.0.2.1");
}
END_TEST

START_TEST(bad_lines_give_a_warning_each)
{
	add("192.0.2 a\n"
	    "192.0.2.1:53 b\n"
	    "fe80::1%lo0 c\n"
	    "192.0.2.1\n"
	    "192.0.2.1 a..b good \033bad..\n"
	    "what\n",
	    ".");
	ck_assert_str_eq(warnings,
			 "etc-hosts-file: hosts:1: '192.0.2' is no address, ignored\n"
			 "etc-hosts-file: hosts:2: '192.0.2.1:53' is no address, ignored\n"
			 "etc-hosts-file: hosts:3: 'fe80::1%lo0' is no address, ignored\n"
			 "etc-hosts-file: hosts:5: 'a..b' is no name of a host, ignored\n"
			 "etc-hosts-file: hosts:5: '?bad..' is no name of a host, ignored\n"
			 "etc-hosts-file: hosts:6: 'what' is no address, ignored\n");
	ck_assert_str_eq(records("good.", TYPE_A), "192.0.2.1");
	ck_assert_str_eq(records("1.2.0.192.in-addr.arpa.", TYPE_PTR), "good.");
	ck_assert_uint_eq(zones_count(zones, true), 2);
}
END_TEST

START_TEST(what_is_configured_stays)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, "192.0.2.53", 53), E_OK);
	ck_assert_int_eq(zones_add_forward(zones, name("www.example.com."), &a, 1, false, false),
			 E_OK);
	ck_assert_int_eq(
		zones_add_forward(zones, name("1.2.0.192.in-addr.arpa."), &a, 1, false, false),
		E_OK);
	add("192.0.2.1 www.example.com ftp.example.com\n", ".");
	ck_assert_ptr_null(zones_exact(zones, name("www.example.com."))->auth);
	ck_assert_ptr_null(zones_exact(zones, name("1.2.0.192.in-addr.arpa."))->auth);
	ck_assert_str_eq(records("ftp.example.com.", TYPE_A), "192.0.2.1");
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	ck_assert_int_eq(hosts_add(zones, "/nowhere/hosts", name("."), &to_warnings, why),
			 E_SYSTEM);
	ck_assert_str_eq(why, "etc-hosts-file=/nowhere/hosts: No such file or directory");
}
END_TEST

Suite *suite_hosts(void)
{
	Suite *s = suite_create("hosts");
	TCase *c = tcase_create("hosts");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, names_and_addresses);
	tcase_add_test(c, short_names_get_the_suffix);
	tcase_add_test(c, without_a_suffix_they_stay_short);
	tcase_add_test(c, bad_lines_give_a_warning_each);
	tcase_add_test(c, what_is_configured_stays);
	tcase_add_test(c, a_file_that_is_not_there);
	suite_add_tcase(s, c);
	return s;
}
