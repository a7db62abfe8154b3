#include "recursor/files/zoneload.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/authzone.h"
#include "tests/unit/tmpdir.h"

static char dir[TMPDIR_MAX];
static char warnings[4096];
static char why[SETTINGS_WHY_MAX];
static struct zones *zones;

static void setup(void)
{
	hash_key_set(1, 2);
	tmpdir_make(dir);
	warnings[0] = why[0] = '\0';
	zones = NULL;
}

static void teardown(void)
{
	zones_put(zones);
	tmpdir_remove(dir);
}

static void warn(void *ctx, const char *line)
{
	(void)ctx;
	strcat(strcat(warnings, line), "\n");
}

/* "@" stands for the directory. */
static const char *with_dir(const char *text)
{
	static char out[4][4096];
	static unsigned turn;
	char *to = out[turn++ % 4];
	size_t len = 0;

	for (; *text != '\0'; text++)
		len += (size_t)snprintf(to + len, 4096 - len, *text == '@' ? "%s" : "%.1s",
					*text == '@' ? dir : text);
	to[len] = '\0';
	return to;
}

static void write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static int load(const char *conf)
{
	static const struct hosts_warn to = { .line = warn };
	char option[200];
	char *argv[] = { (char *)"recursor", option };
	struct settings *s = NULL;
	int err;

	write_file("recursor.conf", with_dir(conf));
	snprintf(option, sizeof(option), "--config-dir=%s", dir);
	zones_put(zones);
	zones = NULL;
	ck_assert_msg(settings_load(&s, 2, argv, warn, NULL, why) == E_OK, "%s", why);
	err = zoneload(&zones, s, &to, NULL, why);
	settings_free(s);
	return err;
}

static const struct configured_zone *zone(const char *text)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return zones_exact(zones, name);
}

static enum auth_kind look(const char *apex, const char *text, uint16_t type)
{
	const struct configured_zone *z = zone(apex);
	uint8_t name[NAME_MAX_LEN];
	struct auth_answer a;

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	ck_assert_ptr_nonnull(z->auth);
	ck_assert_int_eq(authzone_look(z->auth, name, type, 0, &a), E_OK);
	rrset_put(a.set);
	rrset_put(a.dname);
	return a.kind;
}

static const char soa[] = "@ SOA ns h 1 2 3 4 5\n";

START_TEST(nothing_is_configured)
{
	ck_assert_int_eq(load(""), E_OK);
	ck_assert_uint_eq(zones_count(zones, true) + zones_count(zones, false), 0);
}
END_TEST

START_TEST(later_ones_take_the_place_of_earlier)
{
	write_file("zone", soa);
	write_file("forwards", "# these win\n+^file.example=192.0.2.4\n\ndotless=192.0.2.5\n");
	write_file("hosts", "192.0.2.99 auth.example host.example\n");
	ck_assert_int_eq(
		load("auth-zones=auth.example=@/zone, fwd.example=@/zone, rec.example=@/zone, "
		     "file.example=@/zone\n"
		     "forward-zones=fwd.example=192.0.2.2;192.0.2.3\n"
		     "forward-zones+=rec.example=192.0.2.2\n"
		     "forward-zones-recurse=rec.example=192.0.2.3, file.example=192.0.2.3\n"
		     "forward-zones-file=@/forwards\n"
		     "export-etc-hosts=yes\n"
		     "etc-hosts-file=@/hosts\n"),
		E_OK);
	ck_assert_str_eq(warnings, "");
	ck_assert_ptr_nonnull(zone("auth.example.")->auth);
	ck_assert_int_eq(look("auth.example.", "auth.example.", TYPE_A), AUTH_NODATA);
	ck_assert_ptr_null(zone("fwd.example.")->auth);
	ck_assert_uint_eq(zone("fwd.example.")->n_servers, 2);
	ck_assert(!zone("fwd.example.")->recurse);
	ck_assert(zone("rec.example.")->recurse);
	ck_assert(zone("file.example.")->recurse);
	ck_assert(zone("file.example.")->notify);
	ck_assert_uint_eq(zone("file.example.")->servers[0].ip[3], 4);
	ck_assert(!zone("dotless.")->recurse);
	ck_assert_ptr_nonnull(zone("host.example.")->auth);
	ck_assert_ptr_nonnull(zone("99.2.0.192.in-addr.arpa.")->auth);
}
END_TEST

START_TEST(includes)
{
	write_file("zone", "@ SOA ns h 1 2 3 4 5\n"
			   "$INCLUDE more sub\n"
			   "  A 192.0.2.1\n"
			   "after A 192.0.2.1\n");
	write_file("more", "www A 192.0.2.2\n$INCLUDE deeper\nlast A 192.0.2.2\n");
	write_file("deeper", "$ORIGIN d.example.\ndeep TXT deep\n");
	ck_assert_msg(load("auth-zones=example=@/zone\nmax-include-depth=2") == E_OK, "%s", why);
	ck_assert_int_eq(look("example.", "www.sub.example.", TYPE_A), AUTH_DATA);
	ck_assert_int_eq(look("example.", "deep.d.example.", TYPE_TXT), AUTH_DATA);
	ck_assert_int_eq(look("example.", "last.sub.example.", TYPE_A), AUTH_DATA);
	ck_assert_int_eq(look("example.", "example.", TYPE_A), AUTH_DATA);
	ck_assert_int_eq(look("example.", "after.example.", TYPE_A), AUTH_DATA);
	ck_assert_int_eq(load("auth-zones=example=@/zone\nmax-include-depth=1"), E_LIMIT);
	ck_assert_str_eq(why, with_dir("auth-zones: @/more:2: $INCLUDE is deeper than "
				       "max-include-depth, which is 1"));
	write_file("deeper", "$INCLUDE zone\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	write_file("more", "$INCLUDE /nowhere/at/all\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_SYSTEM);
	ck_assert_str_eq(why, with_dir("auth-zones: @/more:1: $INCLUDE of '/nowhere/at/all': No "
				       "such file or directory"));
	write_file("more", "$INCLUDE\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	write_file("more", "www A 192.0.2\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "/more:1: the rdata"));
}
END_TEST

START_TEST(generated_records)
{
	write_file("zone", "@ SOA ns h 1 2 3 4 5\n"
			   "$GENERATE 1-3 host-$ A 192.0.2.$\n"
			   "$GENERATE 0-4/2 ${0,2} 30 IN CNAME host-${1}\n");
	ck_assert_msg(load("auth-zones=example=@/zone\n") == E_OK, "%s", why);
	ck_assert_int_eq(look("example.", "host-3.example.", TYPE_A), AUTH_DATA);
	ck_assert_int_eq(look("example.", "host-4.example.", TYPE_A), AUTH_NXDOMAIN);
	ck_assert_int_eq(look("example.", "04.example.", TYPE_CNAME), AUTH_DATA);
	ck_assert_int_eq(look("example.", "03.example.", TYPE_CNAME), AUTH_NXDOMAIN);
	ck_assert_int_eq(load("auth-zones=example=@/zone\nmax-generate-steps=2"), E_LIMIT);
	ck_assert_str_eq(why, with_dir("auth-zones: @/zone:2: '1-3' has more steps than "
				       "max-generate-steps, which is 2"));
	write_file("zone", "$GENERATE 1-256 a A 192.0.2.$\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	write_file("zone", "$GENERATE x a A 192.0.2.$\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "/zone:1: 'x' is no range for $GENERATE"));
	write_file("zone", "$GENERATE 1-2\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	write_file("zone", "$GENERATE 1-2 ${x} A 192.0.2.1\n");
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "/zone:1: $GENERATE for 1: "));
}
END_TEST

static const struct {
	const char *zone, *why;
} bad_zones[] = {
	{ "www A 192.0.2.1\n", "auth-zones=@/zone: the zone has no SOA record" },
	{ "@ SOA ns h 1 2 3 4 5\n\nwww.example.net. A 192.0.2.1\n",
	  "auth-zones: @/zone:3: the name is not within the zone" },
	{ "@ SOA ns h 1 2 3 4 5\na CNAME b\na A 192.0.2.1\n",
	  "auth-zones: @/zone:3: other data beside a CNAME record" },
	{ "@ SOA ns h 1 2 3 4 5\na A 192.0.2.1\na CNAME b\n",
	  "auth-zones: @/zone:3: a CNAME record beside other data" },
	{ "@ SOA ns h 1 2 3 4 5\na CNAME b\na CNAME c\n",
	  "auth-zones: @/zone:3: a second CNAME record of the name" },
	{ "@ SOA ns h 1 2 3 4 5\na A 192.0.2\n",
	  "auth-zones: @/zone:2: the rdata: Syntax error, could not parse the RR's rdata" },
};

START_TEST(bad_zones_are_refused)
{
	write_file("zone", bad_zones[_i].zone);
	ck_assert_int_eq(load("auth-zones=example=@/zone\n"), E_MALFORMED);
	ck_assert_str_eq(why, with_dir(bad_zones[_i].why));
	ck_assert_ptr_null(zones);
}
END_TEST

START_TEST(bad_files_are_refused)
{
	write_file("forwards", "a=192.0.2.1\n\n+b=192.0.2.x\n");
	ck_assert_int_eq(load("forward-zones-file=@/forwards\n"), E_MALFORMED);
	ck_assert_str_eq(why, with_dir("forward-zones-file=@/forwards: line 3: '192.0.2.x' is no "
				       "address of a server"));
	ck_assert_int_eq(load("forward-zones-file=/nowhere/x\n"), E_SYSTEM);
	ck_assert_str_eq(why, "forward-zones-file=/nowhere/x: No such file or directory");
	ck_assert_int_eq(load("auth-zones=a=/nowhere/x\n"), E_SYSTEM);
	ck_assert_str_eq(why, "auth-zones: /nowhere/x: No such file or directory");
	ck_assert_int_eq(load("export-etc-hosts\netc-hosts-file=/nowhere/x\n"), E_SYSTEM);
	ck_assert_int_eq(load("export-etc-hosts\nexport-etc-hosts-search-suffix=a..b\n"),
			 E_MALFORMED);
	ck_assert_str_eq(why, "export-etc-hosts-search-suffix=a..b: not a name");
}
END_TEST

START_TEST(groups_of_forwarders)
{
	ck_assert_int_eq(load("forward-groups=a=192.0.2.1;192.0.2.2,\n"
			      "forward-groups+=b=192.0.2.3\n"),
			 E_OK);
	ck_assert_uint_eq(zones_count_groups(zones), 2);
	ck_assert_uint_eq(zones_group(zones, zones_group_id("a"))->n_servers, 2);
	ck_assert_int_eq(load("forward-groups=a=192.0.2.1, a=192.0.2.2\n"), E_EXISTS);
	ck_assert_str_eq(why, "forward-groups=a: named twice");
	ck_assert_ptr_null(zones);
}
END_TEST

START_TEST(without_hints_the_root_is_somebodys)
{
	ck_assert_int_eq(load("hint-file=no\nforward-zones=com=192.0.2.1\n"), E_NOT_FOUND);
	ck_assert_str_eq(why, "hint-file=no: needs a forward or a zone of our own for '.'");
	ck_assert_int_eq(load("hint-file=no\nforward-zones-recurse=.=192.0.2.1\n"), E_OK);
}
END_TEST

START_TEST(hosts_get_their_suffix)
{
	write_file("hosts", "192.0.2.1 pc\nbad\n");
	ck_assert_int_eq(load("export-etc-hosts\netc-hosts-file=@/hosts\n"
			      "export-etc-hosts-search-suffix=.Home.example\n"),
			 E_OK);
	ck_assert_ptr_nonnull(zone("pc.home.example."));
	ck_assert_str_eq(warnings,
			 with_dir("etc-hosts-file: @/hosts:2: 'bad' is no address, ignored\n"));
}
END_TEST

START_TEST(settings_with_a_wrong_value)
{
	char option[200];
	char *argv[] = { (char *)"recursor", option };
	struct settings *s = NULL;

	write_file("recursor.conf", "quiet=yes\nforward-zones=a=192.0.2.1, b=x\n");
	snprintf(option, sizeof(option), "--config-dir=%s", dir);
	ck_assert_int_eq(settings_load(&s, 2, argv, warn, NULL, why), E_MALFORMED);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:2: forward-zones=a=192.0.2.1, b=x: 'x' is "
				       "no address of a server"));
	write_file("recursor.conf", "auth-zones=a\n");
	ck_assert_int_eq(settings_load(&s, 2, argv, warn, NULL, why), E_MALFORMED);
}
END_TEST

Suite *suite_zoneload(void)
{
	Suite *s = suite_create("zoneload");
	TCase *c = tcase_create("zoneload");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, nothing_is_configured);
	tcase_add_test(c, later_ones_take_the_place_of_earlier);
	tcase_add_test(c, includes);
	tcase_add_test(c, generated_records);
	tcase_add_loop_test(c, bad_zones_are_refused, 0, (int)ARRAY_LEN(bad_zones));
	tcase_add_test(c, bad_files_are_refused);
	tcase_add_test(c, groups_of_forwarders);
	tcase_add_test(c, without_hints_the_root_is_somebodys);
	tcase_add_test(c, hosts_get_their_suffix);
	tcase_add_test(c, settings_with_a_wrong_value);
	suite_add_tcase(s, c);
	return s;
}
