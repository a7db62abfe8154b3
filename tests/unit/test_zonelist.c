#include "recursor/settings/zonelist.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/settings/settings.h"

static char items[4096];
static char reason[SETTINGS_WHY_MAX];

/* "zone +^ server server file; " */
static int note(void *ctx, const struct zonelist_item *item)
{
	char name[NAME_TEXT_MAX], server[ADDR_TEXT_MAX];

	ck_assert_ptr_eq(ctx, items);
	strcat(strcat(items, name_to_text(name, item->name)), item->recurse ? " +" : "");
	strcat(items, item->notify ? " ^" : "");
	for (size_t i = 0; i < item->n_servers; i++)
		strcat(strcat(items, " "), addr_text(server, &item->servers[i]));
	if (item->file != NULL && item->n_servers == 0)
		strcat(strcat(items, " "), item->file);
	strcat(items, "; ");
	return E_OK;
}

static const struct {
	const char *text, *items, *reason; /* items NULL: an error */
} forwards[] = {
	{ "", "", NULL },
	{ "example.com=192.0.2.1", "example.com. 192.0.2.1:53; ", NULL },
	{ "Example.COM.=192.0.2.1:5300;192.0.2.2, .=[2001:db8::1]:5301;2001:db8::2",
	  "example.com. 192.0.2.1:5300 192.0.2.2:53; . [2001:db8::1]:5301 [2001:db8::2]:53; ",
	  NULL },
	{ "a=192.0.2.1\tb=192.0.2.2", "a. 192.0.2.1:53; b. 192.0.2.2:53; ", NULL },
	{ "^a=192.0.2.1, b=192.0.2.2", "a. ^ 192.0.2.1:53; b. 192.0.2.2:53; ", NULL },
	{ "^=192.0.2.1", NULL, "'' is no name of a zone" },
	{ "example.com", NULL, "'example.com': no '=' after the zone" },
	{ "=192.0.2.1", NULL, "'' is no name of a zone" },
	{ "a..b=192.0.2.1", NULL, "'a..b' is no name of a zone" },
	{ "a=", NULL, "a zone without servers" },
	{ "a=;", NULL, "a zone without servers" },
	{ "a=ns.example.com", NULL, "'ns.example.com' is no address of a server" },
	{ "a=192.0.2.1:0", NULL, "'192.0.2.1:0' is no address of a server" },
	{ "a=192.0.2.1:65536", NULL, "'192.0.2.1:65536' is no address of a server" },
	{ "a=192.0.2.1;x, b=192.0.2.2", NULL, "'x' is no address of a server" },
};

START_TEST(values_of_forward_zones)
{
	const char *text = forwards[_i].text;
	int err;

	items[0] = '\0';
	err = zonelist_read_forwards(text, note, items, reason);
	ck_assert_int_eq(zonelist_read_forwards(text, NULL, NULL, reason), err);
	if (forwards[_i].items != NULL) {
		ck_assert_int_eq(err, E_OK);
		ck_assert_str_eq(items, forwards[_i].items);
	} else {
		ck_assert_int_lt(err, 0);
		ck_assert_str_eq(reason, forwards[_i].reason);
	}
}
END_TEST

START_TEST(so_many_servers)
{
	char text[4096] = "a=";

	for (int i = 0; i < ZONES_SERVERS_MAX; i++)
		sprintf(text + strlen(text), "192.0.2.%d;", i);
	ck_assert_int_eq(zonelist_read_forwards(text, NULL, NULL, reason), E_OK);
	strcat(text, "192.0.2.99");
	ck_assert_int_eq(zonelist_read_forwards(text, NULL, NULL, reason), E_LIMIT);
	ck_assert_str_eq(reason, "more than 64 servers");
}
END_TEST

START_TEST(values_of_auth_zones)
{
	items[0] = '\0';
	ck_assert_int_eq(zonelist_read_files("a=/etc/a b.c=b=c", note, items, reason), E_OK);
	ck_assert_str_eq(items, "a. /etc/a; b.c. b=c; ");
	ck_assert_int_eq(zonelist_read_files("a=", note, items, reason), E_MALFORMED);
	ck_assert_str_eq(reason, "'a': a zone without a file");
	ck_assert_int_eq(zonelist_read_files("a", note, items, reason), E_MALFORMED);
}
END_TEST

static int note_group(void *ctx, const struct zonelist_item *item)
{
	char server[ADDR_TEXT_MAX];

	ck_assert_ptr_eq(ctx, items);
	strcat(items, item->group);
	for (size_t i = 0; i < item->n_servers; i++)
		strcat(strcat(items, " "), addr_text(server, &item->servers[i]));
	strcat(items, "; ");
	return E_OK;
}

static const struct {
	const char *text, *items, *reason; /* items NULL: an error */
} groups[] = {
	{ "", "", NULL },
	{ "best-effort=192.0.2.1;192.0.2.2:5300, Scrub_2.x=::1",
	  "best-effort 192.0.2.1:53 192.0.2.2:5300; Scrub_2.x [::1]:53; ", NULL },
	{ "a", NULL, "'a': no '=' after the group" },
	{ "=192.0.2.1", NULL, "'' is no name of a group" },
	{ "a/b=192.0.2.1", NULL, "'a/b' is no name of a group" },
	{ "0123456789012345678901234567890123456789012345678901234567890123=192.0.2.1", NULL,
	  "'0123456789012345678901234567890123456789012345678901234567890123' is no name of a "
	  "group" },
	{ "a=", NULL, "a group without servers" },
	{ "a=x", NULL, "'x' is no address of a server" },
};

START_TEST(values_of_forward_groups)
{
	int err;

	items[0] = '\0';
	err = zonelist_read_groups(groups[_i].text, note_group, items, reason);
	ck_assert_int_eq(zonelist_read_groups(groups[_i].text, NULL, NULL, reason), err);
	if (groups[_i].items != NULL) {
		ck_assert_int_eq(err, E_OK);
		ck_assert_str_eq(items, groups[_i].items);
	} else {
		ck_assert_int_eq(err, E_MALFORMED);
		ck_assert_str_eq(reason, groups[_i].reason);
	}
}
END_TEST

static int stop(void *ctx, const struct zonelist_item *item)
{
	(void)item;
	++*(int *)ctx;
	return E_LIMIT;
}

START_TEST(a_callback_ends_it)
{
	int calls = 0;

	ck_assert_int_eq(zonelist_read_files("a=x b=y", stop, &calls, reason), E_LIMIT);
	ck_assert_int_eq(calls, 1);
}
END_TEST

static const struct {
	const char *line, *items, *reason; /* items "": it says nothing */
} lines[] = {
	{ "", "", NULL },
	{ " \t\r", "", NULL },
	{ "# all of it", "", NULL },
	{ "a=192.0.2.1", "a. 192.0.2.1:53; ", NULL },
	{ "  +a.b = 192.0.2.1 , 192.0.2.2:5300;192.0.2.3 # why\r",
	  "a.b. + 192.0.2.1:53 192.0.2.2:5300 192.0.2.3:53; ", NULL },
	{ "^a=192.0.2.1", "a. ^ 192.0.2.1:53; ", NULL },
	{ "+^a=192.0.2.1", "a. + ^ 192.0.2.1:53; ", NULL },
	{ "^+.=2001:db8::1", ". + ^ [2001:db8::1]:53; ", NULL },
	{ "a", NULL, "'a': no '=' after the zone" },
	{ "+=192.0.2.1", NULL, "'' is no name of a zone" },
	{ "a=#192.0.2.1", NULL, "a zone without servers" },
	{ "a=x", NULL, "'x' is no address of a server" },
};

START_TEST(lines_of_the_file)
{
	struct zonelist_item item;
	char line[200];
	bool found = true;
	int err;

	strcpy(line, lines[_i].line);
	items[0] = '\0';
	err = zonelist_read_line(line, &item, &found, reason);
	if (lines[_i].items == NULL) {
		ck_assert_int_lt(err, 0);
		ck_assert_str_eq(reason, lines[_i].reason);
		return;
	}
	ck_assert_int_eq(err, E_OK);
	if (found)
		ck_assert_int_eq(note(items, &item), E_OK);
	ck_assert_str_eq(items, lines[_i].items);
}
END_TEST

Suite *suite_zonelist(void)
{
	Suite *s = suite_create("zonelist");
	TCase *c = tcase_create("zonelist");

	tcase_add_loop_test(c, values_of_forward_zones, 0, (int)ARRAY_LEN(forwards));
	tcase_add_test(c, so_many_servers);
	tcase_add_loop_test(c, values_of_forward_groups, 0, (int)ARRAY_LEN(groups));
	tcase_add_test(c, values_of_auth_zones);
	tcase_add_test(c, a_callback_ends_it);
	tcase_add_loop_test(c, lines_of_the_file, 0, (int)ARRAY_LEN(lines));
	suite_add_tcase(s, c);
	return s;
}
