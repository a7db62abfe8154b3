#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/hash.h"
#include "recursor/files/rolloverfile.h"

static struct rollovers r;
static char why[ROLLOVERFILE_WHY_MAX];

static void setup(void)
{
	hash_key_set(1, 2);
}

static void teardown(void)
{
	rollovers_deinit(&r);
}

/* The lines between the first and the last. */
static int parse(const char *lines)
{
	char text[8192];
	size_t len = (size_t)snprintf(text, 4096, "recursor trust anchors 1\n%s", lines);

	len += (size_t)sprintf(text + len, "end %08x\n", crc32c(0, text, len));
	rollovers_deinit(&r);
	return rolloverfile_parse(&r, text, len, why);
}

static char *write_all(size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	ck_assert_int_eq(rolloverfile_write(f, &r), E_OK);
	(void)fclose(f);
	return text;
}

#define GOOD                                                                                       \
	"zone . 0123456789abcdef 4294967295 1700000000 3600\n"                                     \
	"key trusted 1700000000 0 dnskey 0101030d00ff\n"                                           \
	"key adding 1700000001 1702592001 dnskey 0101030d01\n"                                     \
	"key missing 1 0 ds 4f66086300\n"                                                          \
	"zone a\\032b.example. 1 0 0 0\n"                                                          \
	"key revoked 1 2 dnskey 0101030d02\n"                                                      \
	"key removed 1 0 dnskey 0101030d03\n"                                                      \
	"zone none. 0 0 0 0\n"

START_TEST(what_is_written_is_read)
{
	size_t len, again_len;
	char *text, *again, *copy;

	ck_assert_int_eq(parse(GOOD), E_OK);
	ck_assert_uint_eq(r.n, 3);
	ck_assert(name_is_root(r.zones[0].zone));
	ck_assert(r.zones[0].print == 0x0123456789abcdefULL);
	ck_assert_uint_eq(r.zones[0].next_s, UINT32_MAX);
	ck_assert_uint_eq(r.zones[0].n, 3);
	ck_assert_int_eq(r.zones[0].keys[1].state, ROLLOVER_ADDING);
	ck_assert_uint_eq(r.zones[0].keys[1].until_s, 1702592001);
	ck_assert(!r.zones[0].keys[2].is_dnskey);
	ck_assert_ptr_nonnull(rollovers_find(&r, (const uint8_t *)"\3a b\7EXAMPLE"));
	text = write_all(&len);
	copy = strdup(text);
	rollovers_deinit(&r);
	ck_assert_int_eq(rolloverfile_parse(&r, text, len, why), E_OK);
	again = write_all(&again_len);
	ck_assert_str_eq(again, copy);
	free(again);
	free(copy);
	free(text);
}
END_TEST

/* That is not the file's fault: a directory can be opened, but not read. */
START_TEST(what_cannot_be_read_is_not_damaged)
{
	FILE *f = fopen("/", "r");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(rolloverfile_read(&r, f, why), E_SYSTEM);
	ck_assert_str_eq(why, "Is a directory");
	(void)fclose(f);
}
END_TEST

START_TEST(none_are_some_too)
{
	ck_assert_int_eq(parse(""), E_OK);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

/* No cut and no byte goes unnoticed. */
START_TEST(damage_is_seen)
{
	size_t len;
	char *text, *copy;

	ck_assert_int_eq(parse(GOOD), E_OK);
	text = write_all(&len);
	copy = malloc(len + 1);
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, text, len + 1);
		copy[i] ^= 0x01;
		rollovers_deinit(&r);
		ck_assert_int_ne(rolloverfile_parse(&r, copy, len, why), E_OK);
		memcpy(copy, text, len + 1);
		copy[i] = '\0';
		ck_assert_int_ne(rolloverfile_parse(&r, copy, i, why), E_OK);
		ck_assert_uint_eq(r.n, 0);
	}
	free(copy);
	free(text);
}
END_TEST

START_TEST(other_lines_are_refused)
{
	static const struct {
		const char *lines, *why;
	} bad[] = {
		{ "frob\n", "line 2: neither zone nor key" },
		{ "\n", "line 2: neither" },
		{ "zone . 1 2 3\n", "line 2: neither" },
		{ "zone . 1 2 3 4 5\n", "line 2: neither" },
		{ "zone a..b 1 2 3 4\n", "line 2: not a name" },
		{ "zone . x 2 3 4\n", "line 2: not a number" },
		{ "zone . 1 2 3 4294967296\n", "line 2: not a number" },
		{ "zone . 1 2 3 -4\n", "line 2: not a number" },
		{ "zone A. 1 2 3 4\nzone a. 1 2 3 4\n", "line 3: the zone for the second time" },
		{ "key trusted 1 0 ds 4f66086300\n", "line 2: a key of no zone" },
		{ "zone . 1 2 3 4\nkey loved 1 0 ds 4f66086300\n", "line 3: not a state" },
		{ "zone . 1 2 3 4\nkey trusted 1 0 rr 4f66086300\n",
		  "line 3: neither dnskey nor ds" },
		{ "zone . 1 2 3 4\nkey trusted 1 x ds 4f66086300\n", "line 3: not a number" },
		{ "zone . 1 2 3 4\nkey trusted 1 0 ds 4f6608630\n", "line 3: not the data" },
		{ "zone . 1 2 3 4\nkey trusted 1 0 ds 4F66086300\n", "line 3: not the data" },
		{ "zone . 1 2 3 4\nkey trusted 1 0 ds 4f660863\n", "line 3: not the data" },
		{ "zone . 1 2 3 4\nkey trusted 1 0 ds \n", "line 3: not the data" },
		{ "zone . 1 2 3 4\nkey trusted 1 0 dnskey 0181030d00\n", "line 3: not the data" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(parse(bad[i].lines), E_MALFORMED);
		ck_assert_msg(strstr(why, bad[i].why) == why, "%s: %s", bad[i].lines, why);
		ck_assert_uint_eq(r.n, 0);
	}
}
END_TEST

START_TEST(there_are_limits)
{
	char lines[4096] = "";

	for (int i = 0; i <= ROLLOVERFILE_ZONES_MAX; i++)
		sprintf(lines + strlen(lines), "zone z%d. 1 2 3 4\n", i);
	ck_assert_int_eq(parse(lines), E_MALFORMED);
	ck_assert_str_eq(why, "line 66: too many zones");
	strcpy(lines, "zone . 1 2 3 4\n");
	for (int i = 0; i <= ROLLOVER_KEYS_MAX; i++)
		sprintf(lines + strlen(lines), "key trusted 1 0 ds %04x086300\n", i);
	ck_assert_int_eq(parse(lines), E_MALFORMED);
	ck_assert_str_eq(why, "line 35: too many keys");
}
END_TEST

Suite *suite_rolloverfile(void);

Suite *suite_rolloverfile(void)
{
	Suite *s = suite_create("rolloverfile");
	TCase *t = tcase_create("rolloverfile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_written_is_read);
	tcase_add_test(t, what_cannot_be_read_is_not_damaged);
	tcase_add_test(t, none_are_some_too);
	tcase_add_test(t, damage_is_seen);
	tcase_add_test(t, other_lines_are_refused);
	tcase_add_test(t, there_are_limits);
	suite_add_tcase(s, t);
	return s;
}
