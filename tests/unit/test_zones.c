#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/authzone.h"
#include "recursor/resolve/zones.h"

static struct zones *zones;

static void setup(void)
{
	hash_key_set(1, 2);
	ck_assert_int_eq(zones_new(&zones), E_OK);
}

static void teardown(void)
{
	zones_put(zones);
}

static const uint8_t *name(const char *text)
{
	static uint8_t out[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(out, text), E_OK);
	return out;
}

static void add_to(struct zones *z, const char *zone, const char *server, bool recurse, bool notify)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, server, 53), E_OK);
	ck_assert_int_eq(zones_add_forward(z, name(zone), &a, 1, recurse, notify), E_OK);
}

static void add_auth_to(struct zones *z, const char *zone, const char *soa)
{
	char why[AUTHZONE_WHY_MAX];
	struct authzone *a = NULL;

	ck_assert_int_eq(authzone_new(&a, name(zone)), E_OK);
	ck_assert_int_eq(authzone_add(a, name(zone), TYPE_SOA, 60, (const uint8_t *)soa, 22, why),
			 E_OK);
	ck_assert_int_eq(authzone_finish(a, why), E_OK);
	ck_assert_int_eq(zones_add_auth(z, a), E_OK);
}

static void found(const char *asked, const char *zone)
{
	const struct configured_zone *z = zones_find(zones, name(asked));
	char text[NAME_TEXT_MAX];

	if (zone == NULL) {
		ck_assert_ptr_null(z);
		return;
	}
	ck_assert_ptr_nonnull(z);
	ck_assert_str_eq(name_to_text(text, z->name), zone);
}

static const char soa[] = "\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";

START_TEST(the_nearest_zone_is_found)
{
	add_to(zones, "example.com.", "192.0.2.1", false, false);
	add_to(zones, "a.b.example.com.", "192.0.2.1", true, false);
	add_auth_to(zones, "arpa.", soa);
	found("example.com.", "example.com.");
	found("www.example.com.", "example.com.");
	found("b.example.com.", "example.com.");
	found("a.b.example.com.", "a.b.example.com.");
	found("x.y.a.b.example.com.", "a.b.example.com.");
	found("1.in-addr.arpa.", "arpa.");
	found("com.", NULL);
	found("xexample.com.", NULL);
	found(".", NULL);
	ck_assert_ptr_null(zones_find(NULL, name("com.")));
	add_to(zones, ".", "192.0.2.1", true, false);
	found(".", ".");
	found("com.", ".");
	found("www.example.com.", "example.com.");
	ck_assert_uint_eq(zones_count(zones, false), 3);
	ck_assert_uint_eq(zones_count(zones, true), 1);
}
END_TEST

START_TEST(a_ds_is_the_parents)
{
	add_to(zones, "example.com.", "192.0.2.1", false, false);
	ck_assert_ptr_null(zones_find_for(zones, name("example.com."), TYPE_DS));
	ck_assert_ptr_nonnull(zones_find_for(zones, name("example.com."), TYPE_A));
	ck_assert_ptr_nonnull(zones_find_for(zones, name("a.example.com."), TYPE_DS));
}
END_TEST

START_TEST(a_later_zone_takes_the_place)
{
	const struct configured_zone *z;

	add_to(zones, "example.com.", "192.0.2.1", false, true);
	add_auth_to(zones, "example.com.", soa);
	z = zones_exact(zones, name("example.com."));
	ck_assert_ptr_nonnull(z->auth);
	ck_assert(!zones_allow_notify(zones, name("example.com.")));
	add_to(zones, "example.com.", "192.0.2.2", true, false);
	z = zones_exact(zones, name("example.com."));
	ck_assert_ptr_null(z->auth);
	ck_assert(z->recurse);
	ck_assert_uint_eq(z->n_servers, 1);
	ck_assert_uint_eq(zones_count(zones, false), 1);
	ck_assert_uint_eq(zones_count(zones, true), 0);
}
END_TEST

START_TEST(notify_is_heard_below_a_zone_too)
{
	add_to(zones, "example.com.", "192.0.2.1", false, true);
	add_to(zones, "sub.example.com.", "192.0.2.1", false, false);
	ck_assert(zones_allow_notify(zones, name("example.com.")));
	ck_assert(zones_allow_notify(zones, name("a.sub.example.com.")));
	ck_assert(!zones_allow_notify(zones, name("com.")));
	ck_assert(!zones_allow_notify(NULL, name("com.")));
}
END_TEST

START_TEST(a_forward_needs_servers_but_not_too_many)
{
	struct addr many[ZONES_SERVERS_MAX + 1] = { 0 };

	ck_assert_int_eq(zones_add_forward(zones, name("a."), many, 0, false, false), E_LIMIT);
	ck_assert_int_eq(
		zones_add_forward(zones, name("a."), many, ZONES_SERVERS_MAX + 1, false, false),
		E_LIMIT);
	ck_assert_uint_eq(zones_count(zones, false), 0);
	ck_assert_int_eq(
		zones_add_forward(zones, name("a."), many, ZONES_SERVERS_MAX, false, false), E_OK);
}
END_TEST

START_TEST(a_hundred_thousand_are_found)
{
	char text[64];

	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "z%d.example.", i);
		add_to(zones, text, "192.0.2.1", false, false);
	}
	ck_assert_uint_eq(zones_count(zones, false), 100000);
	for (int i = 0; i < 100000; i += 997) {
		snprintf(text, sizeof(text), "www.z%d.example.", i);
		ck_assert_ptr_nonnull(zones_find(zones, name(text)));
	}
	found("www.z100000.example.", NULL);
}
END_TEST

static char differing[256];

static int note(void *ctx, const uint8_t *zone)
{
	char text[NAME_TEXT_MAX];

	(void)ctx;
	strcat(strcat(differing, name_to_text(text, zone)), " ");
	return E_OK;
}

START_TEST(what_differs_is_told)
{
	static char other_soa[sizeof(soa)];
	struct zones *to = NULL;

	memcpy(other_soa, soa, sizeof(soa));
	other_soa[5] = 2; /* the serial number */
	ck_assert_int_eq(zones_new(&to), E_OK);
	add_to(zones, "same.", "192.0.2.1", false, false);
	add_to(to, "same.", "192.0.2.1", false, false);
	add_auth_to(zones, "sameauth.", soa);
	add_auth_to(to, "sameauth.", soa);
	ck_assert_int_eq(zones_diff(zones, to, note, NULL), E_OK);
	ck_assert_str_eq(differing, "");
	add_to(zones, "gone.", "192.0.2.1", false, false);
	add_to(to, "new.", "192.0.2.1", false, false);
	ck_assert_int_eq(zones_diff(zones, to, note, NULL), E_OK);
	ck_assert_str_eq(differing, "gone. new. ");
	differing[0] = '\0';
	add_to(to, "gone.", "192.0.2.2", false, false);
	add_to(zones, "new.", "192.0.2.1", true, false);
	add_auth_to(zones, "sameauth.", other_soa);
	ck_assert_int_eq(zones_diff(zones, to, note, NULL), E_OK);
	ck_assert_uint_eq(strlen(differing), strlen("gone. new. sameauth. "));
	differing[0] = '\0';
	ck_assert_int_eq(zones_diff(NULL, to, note, NULL), E_OK);
	ck_assert_uint_eq(strlen(differing), strlen("same. gone. new. sameauth. "));
	zones_put(to);
}
END_TEST

static int stop(void *ctx, const uint8_t *zone)
{
	(void)zone;
	++*(int *)ctx;
	return E_LIMIT;
}

START_TEST(a_callback_ends_the_telling)
{
	int calls = 0;

	add_to(zones, "a.", "192.0.2.1", false, false);
	add_to(zones, "b.", "192.0.2.1", false, false);
	ck_assert_int_eq(zones_diff(zones, NULL, stop, &calls), E_LIMIT);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(groups_have_names_of_their_own)
{
	struct addr many[ZONES_SERVERS_MAX + 1] = { { 0 } };
	const struct configured_zone *g;
	char text[16];

	ck_assert_int_eq(addr_from_text(&many[0], "192.0.2.1", 53), E_OK);
	ck_assert_int_eq(zones_add_group(zones, "a", many, 0), E_LIMIT);
	ck_assert_int_eq(zones_add_group(zones, "a", many, ARRAY_LEN(many)), E_LIMIT);
	ck_assert_int_eq(zones_add_group(zones, "a", many, 1), E_OK);
	ck_assert_int_eq(zones_add_group(zones, "a", many, 1), E_EXISTS);
	ck_assert_uint_ne(zones_group_id("a"), zones_group_id("A"));
	g = zones_group(zones, zones_group_id("a"));
	ck_assert_ptr_nonnull(g);
	ck_assert(g->recurse && g->auth == NULL && g->labels == 0 && g->print != 0);
	ck_assert(addr_equal(&g->servers[0], &many[0]));
	ck_assert_ptr_null(zones_group(zones, zones_group_id("b")));
	ck_assert_ptr_null(zones_group(NULL, zones_group_id("a")));
	/* No zone comes of it. */
	ck_assert_uint_eq(zones_count(zones, false), 0);
	ck_assert_ptr_null(zones_find(zones, name_root));
	for (int i = 1; i < ZONES_GROUPS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "g%d", i);
		ck_assert_int_eq(zones_add_group(zones, text, many, 1), E_OK);
	}
	ck_assert_uint_eq(zones_count_groups(zones), ZONES_GROUPS_MAX);
	ck_assert_int_eq(zones_add_group(zones, "more", many, 1), E_LIMIT);
}
END_TEST

Suite *suite_zones(void)
{
	Suite *s = suite_create("zones");
	TCase *c = tcase_create("zones");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, the_nearest_zone_is_found);
	tcase_add_test(c, a_ds_is_the_parents);
	tcase_add_test(c, a_later_zone_takes_the_place);
	tcase_add_test(c, notify_is_heard_below_a_zone_too);
	tcase_add_test(c, a_forward_needs_servers_but_not_too_many);
	tcase_add_test(c, a_hundred_thousand_are_found);
	tcase_add_test(c, what_differs_is_told);
	tcase_add_test(c, a_callback_ends_the_telling);
	tcase_add_test(c, groups_have_names_of_their_own);
	suite_add_tcase(s, c);
	return s;
}
