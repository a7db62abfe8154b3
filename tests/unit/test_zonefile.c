#include "common/zonefile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/name.h"
#include "common/rrset.h"
#include "common/rrtype.h"

/* The records read, as lines. */
struct lines {
	char text[4096];
	unsigned n;
	unsigned refuse_at; /* 0: none */
};

static int add(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
	       uint16_t rdlen)
{
	struct lines *l = ctx;
	struct rdata rr = { rdata, rdlen };
	struct rrset *s = NULL;
	size_t len = strlen(l->text);

	if (++l->n == l->refuse_at)
		return E_EXISTS;
	ck_assert_int_eq(rrset_new(&s, owner, type, ttl, 0, RANK_LOCAL, &rr, 1, NULL, 0), E_OK);
	ck_assert_int_eq(rrset_record_text(s, &rr, ttl, l->text + len, sizeof(l->text) - len - 1),
			 E_OK);
	strcat(l->text, "\n");
	rrset_put(s);
	return E_OK;
}

static int read_bytes(const char *zone, size_t len, const char *origin, struct lines *l, char *why,
		      size_t cap)
{
	uint8_t name[NAME_MAX_LEN];
	int fd = memfd_create("zone", 0), err;
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, zone, len), (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (origin != NULL)
		ck_assert_int_eq(name_from_text(name, origin), E_OK);
	l->text[0] = '\0';
	l->n = 0;
	err = zonefile_read(path, origin != NULL ? name : NULL, add, l, why, cap);
	close(fd);
	return err;
}

static void expect(const char *zone, const char *origin, const char *want)
{
	struct lines l = { .refuse_at = 0 };
	char why[256] = "";
	int err = read_bytes(zone, strlen(zone), origin, &l, why, sizeof(why));

	ck_assert_msg(err == E_OK, "%s", why);
	ck_assert_str_eq(l.text, want);
}

/* `want` is what stands behind the path: ":line: what". */
static void expect_refused(const char *zone, int want_err, const char *want)
{
	struct lines l = { .refuse_at = 0 };
	char why[256] = "";
	int err = read_bytes(zone, strlen(zone), NULL, &l, why, sizeof(why));
	const char *colon = strchr(why, ':');

	ck_assert_msg(err == want_err, "%s gives %d", zone, err);
	ck_assert_int_eq(strncmp(why, "/proc/self/fd/", 14), 0);
	ck_assert_ptr_nonnull(colon);
	ck_assert_str_eq(colon, want);
}

START_TEST(a_zone)
{
	expect("; a comment\n"
	       "$TTL 1h\n"
	       "@ IN SOA ns Host\\.Master ( ; begins\n"
	       "\t1 ; serial\n"
	       "\t2 3 4 5 )\n"
	       "  NS  ns\n"
	       "\tNS  ns.Other.NET. ; the second\n"
	       "\n"
	       "WWW 5 IN A 192.0.2.1\r\n"
	       "    IN 1w2d3h4m5s AAAA 2001:db8::1\n"
	       "\"q\" TXT \"a;b (c)\" d\\;e \"\\\"\"\n"
	       "t TYPE65280 \\# 2 0102\n"
	       "0 MX 10 @",
	       "Example.com",
	       "example.com. 3600 IN SOA ns.Example.com. Host\\.Master.Example.com. 1 2 3 4 5\n"
	       "example.com. 3600 IN NS ns.Example.com.\n"
	       "example.com. 3600 IN NS ns.Other.NET.\n"
	       "www.example.com. 5 IN A 192.0.2.1\n"
	       "www.example.com. 788645 IN AAAA 2001:db8::1\n"
	       "\\\"q\\\".example.com. 3600 IN TXT \"a;b (c)\" \"d;e\" \"\\\"\"\n"
	       "t.example.com. 3600 IN TYPE65280 \\# 2 0102\n"
	       "0.example.com. 3600 IN MX 10 Example.com.\n");
}
END_TEST

START_TEST(hints)
{
	expect(".                        3600000      NS    A.ROOT-SERVERS.NET.\n"
	       "A.ROOT-SERVERS.NET.      3600000      A     198.41.0.4\n"
	       "A.ROOT-SERVERS.NET.      3600000      AAAA  2001:503:ba3e::2:30\n",
	       NULL,
	       ". 3600000 IN NS A.ROOT-SERVERS.NET.\n"
	       "a.root-servers.net. 3600000 IN A 198.41.0.4\n"
	       "a.root-servers.net. 3600000 IN AAAA 2001:503:ba3e::2:30\n");
	expect("", NULL, "");
	expect("\n ; nothing\n\t\n", NULL, "");
}
END_TEST

START_TEST(blanks_at_the_end)
{
	expect("a. CAA 0 issue \"x\" \nb. TXT \"b\"\t \nc. TXT c\\ \nd. MX 1 e. ; said\n", NULL,
	       "a. 3600 IN CAA 0 issue \"x\"\n"
	       "b. 3600 IN TXT \"b\"\n"
	       "c. 3600 IN TXT \"c \"\n"
	       "d. 3600 IN MX 1 e.\n");
}
END_TEST

START_TEST(numbers)
{
	expect("a. MX 65535 b.\na. SOA b. c. 4294967295 1h 0 4294967295 1\na. SRV 0 65535 0 1.\n"
	       "a. SOA b. c\\.d. 1 1h30M 2W 7101w 1\n"
	       "a. DS 65535 ECDSAP256SHA256 2 00\na. TXT 65536 -1\n99999. NS 99999.\n",
	       NULL,
	       "a. 3600 IN MX 65535 b.\n"
	       "a. 3600 IN SOA b. c. 4294967295 3600 0 4294967295 1\n"
	       "a. 3600 IN SRV 0 65535 0 1.\n"
	       "a. 3600 IN SOA b. c\\.d. 1 5400 1209600 4294684800 1\n"
	       "a. 3600 IN DS 65535 13 2 00\n"
	       "a. 3600 IN TXT \"65536\" \"-1\"\n"
	       "99999. 3600 IN NS 99999.\n");
}
END_TEST

START_TEST(origins)
{
	expect("a A 192.0.2.1\n$ORIGIN sub\na A 192.0.2.1\n$origin x.\na NS b\n$ORIGIN @\n"
	       "a A 192.0.2.1\n$ORIGIN a\\.\n@ A 192.0.2.1\n",
	       "example",
	       "a.example. 3600 IN A 192.0.2.1\n"
	       "a.sub.example. 3600 IN A 192.0.2.1\n"
	       "a.x. 3600 IN NS b.x.\n"
	       "a.x. 3600 IN A 192.0.2.1\n"
	       "a\\..x. 3600 IN A 192.0.2.1\n");
}
END_TEST

START_TEST(ttls)
{
	/* That of the record before, until $TTL says otherwise. */
	expect("a. A 192.0.2.1\nb. 7 A 192.0.2.1\nc. A 192.0.2.1\n$TTL 0\nd. A 192.0.2.1\n"
	       "e. 9 A 192.0.2.1\nf. A 192.0.2.1\ng. 2147483647 A 192.0.2.1\n",
	       NULL,
	       "a. 3600 IN A 192.0.2.1\nb. 7 IN A 192.0.2.1\nc. 7 IN A 192.0.2.1\n"
	       "d. 0 IN A 192.0.2.1\ne. 9 IN A 192.0.2.1\nf. 0 IN A 192.0.2.1\n"
	       "g. 2147483647 IN A 192.0.2.1\n");
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		const char *zone;
		int err;
		const char *why;
	} rows[] = {
		{ "\na. A 192.0.2\n", E_MALFORMED,
		  ":2: the rdata: Syntax error, could not parse the RR's rdata" },
		{ "a. NS\n", E_MALFORMED, ":1: the rdata: Syntax error, value expected" },
		{ "a. A 192.0.2.1 192.0.2.2\n", E_MALFORMED,
		  ":1: the rdata: Syntax error, superfluous text present" },
		{ "a. BOGUS x\n", E_MALFORMED, ":1: 'BOGUS' is no record type" },
		{ "a. ANY x\n", E_MALFORMED, ":1: a zone has no records of type ANY" },
		{ "a. TYPE0 \\# 0\n", E_MALFORMED, ":1: a zone has no records of type TYPE0" },
		{ "a.\n", E_MALFORMED, ":1: the record has no type" },
		{ "a. 5\n", E_MALFORMED, ":1: the record has no type" },
		{ "a. 5x A 192.0.2.1\n", E_MALFORMED, ":1: '5x' is no TTL" },
		{ "a. 2147483648 A 192.0.2.1\n", E_MALFORMED,
		  ":1: the TTL '2147483648' is above 2147483647" },
		{ "a. 99999999999999999999w A 192.0.2.1\n", E_MALFORMED,
		  ":1: the TTL '99999999999999999999w' is above 2147483647" },
		{ "a. CH TXT x\n", E_UNSUPPORTED, ":1: class CH is not supported" },
		{ "a..b A 192.0.2.1\n", E_MALFORMED,
		  ":1: 'a..b' is no name: the data are malformed" },
		{ " A 192.0.2.1\n", E_MALFORMED, ":1: the first record has no owner" },
		{ "$INCLUDE x\n", E_UNSUPPORTED, ":1: $INCLUDE is not supported" },
		{ "$FROB 1\n", E_MALFORMED, ":1: unknown directive '$FROB'" },
		{ "\n\n$TTL\n", E_MALFORMED, ":3: $TTL takes one value" },
		{ "$TTL 1 2\n", E_MALFORMED, ":1: $TTL takes one value" },
		{ "$TTL x\n", E_MALFORMED, ":1: 'x' is no TTL" },
		{ "$ORIGIN a..\n", E_MALFORMED, ":1: 'a..' is no name: the data are malformed" },
		{ "a. TXT \"x\nb. TXT \"y\"\n", E_MALFORMED,
		  ":1: the string has no end on its line" },
		{ "a. TXT x\\\n", E_MALFORMED, ":1: a backslash at the end of the line" },
		{ "\n(\n; c\n a. A\n\n", E_MALFORMED, ":4: the file ends within the record" },
		{ "a. A 192.0.2.1 )\n", E_MALFORMED, ":1: ')' without '('" },
		{ "a. MX 65536 b.\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. DS 65536 13 2 00\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. DS 1 269 2 00\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. DS 1 13 (\n 258 ) 00\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. SOA b. c. 4294967296 1 1 1 1\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. MX +65537 b.\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. TLSA 259 1 1 00\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. SOA b. c\\.\\ d. 4294967297 1 1 1 1\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. SOA b. c. 1 1 1 1 7102w\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. SRV 1 -1 1 b.\n", E_MALFORMED,
		  ":1: the rdata: a number is too large or too small for its place" },
		{ "a. A \\# 3 010203\n", E_MALFORMED, ":1: the rdata: Packet size overflow" },
		{ "a. A \\# 0\n", E_MALFORMED, ":1: the rdata: the data are malformed" },
		{ "a. RP \\# 3 016100\n", E_MALFORMED, ":1: the rdata: the data are malformed" },
		{ "a\033[2Jb. BOG\001US x\n", E_MALFORMED, ":1: 'BOG?US' is no record type" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_refused(rows[i].zone, rows[i].err, rows[i].why);
}
END_TEST

START_TEST(zero_byte)
{
	struct lines l = { .refuse_at = 0 };
	char why[256] = "";

	ck_assert_int_eq(read_bytes("a. A 192.0.2.1\na\0b", 18, NULL, &l, why, sizeof(why)),
			 E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, ":2: a zero byte"));
	ck_assert_uint_eq(l.n, 1);
}
END_TEST

START_TEST(names_too_long_with_their_origin)
{
	char zone[1024], label[64], why[256] = "";
	struct lines l = { .refuse_at = 0 };

	memset(label, 'x', 63);
	label[63] = '\0';
	/* 192 bytes of labels, the root, and a label of 61 or 62. */
	(void)snprintf(zone, sizeof(zone), "$ORIGIN %s.%s.%s.\n%.61s A 192.0.2.1\n", label, label,
		       label, label);
	ck_assert_int_eq(read_bytes(zone, strlen(zone), NULL, &l, why, sizeof(why)), E_OK);
	ck_assert_uint_eq(l.n, 1);
	(void)snprintf(zone, sizeof(zone), "$ORIGIN %s.%s.%s.\n%.62s A 192.0.2.1\n", label, label,
		       label, label);
	ck_assert_int_eq(read_bytes(zone, strlen(zone), NULL, &l, why, sizeof(why)), E_TOO_LONG);
	ck_assert_ptr_nonnull(strstr(why, ":2: "));
	ck_assert_ptr_nonnull(strstr(why, "is too long below its origin"));
}
END_TEST

START_TEST(callback_ends_it)
{
	struct lines l = { .refuse_at = 2 };
	char why[256] = "", tiny[8] = "";
	const char *zone = "a. A 192.0.2.1\n\nb. A 192.0.2.1\nc. A 192.0.2.1\n";

	ck_assert_int_eq(read_bytes(zone, strlen(zone), NULL, &l, why, sizeof(why)), E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why, ":3: exists already"));
	ck_assert_uint_eq(l.n, 2);
	ck_assert_int_eq(read_bytes(zone, strlen(zone), NULL, &l, tiny, sizeof(tiny)), E_EXISTS);
	ck_assert_str_eq(tiny, "/proc/s");
}
END_TEST

/* How often go_on() was asked, and when it says no. */
struct asked {
	unsigned n, refuse_at;
};

static bool go_on(void *ctx)
{
	struct asked *a = ctx;

	return ++a->n != a->refuse_at;
}

static int count_one(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		     const uint8_t *rdata, uint16_t rdlen)
{
	(void)owner, (void)type, (void)ttl, (void)rdata, (void)rdlen;
	++*(unsigned *)ctx;
	return E_OK;
}

/* One line of it would be read for hours. */
START_TEST(reading_is_broken_off)
{
	static const char zone[] = "@ 60 A 192.0.2.1\n$GENERATE 0-2147483647 a$ 60 A 192.0.2.1\n";
	struct asked asked = { .refuse_at = 3 };
	const struct zonefile_leave leave = { go_on, &asked };
	const struct zonefile_options o = { .leave = &leave };
	int fd = memfd_create("zone", 0);
	char path[64], why[256] = "";
	unsigned n = 0;

	ck_assert_int_eq(write(fd, zone, sizeof(zone) - 1), (ssize_t)sizeof(zone) - 1);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(zonefile_read_with(path, &o, count_one, &n, why, sizeof(why)), E_STOPPED);
	ck_assert_uint_eq(asked.n, 3);
	ck_assert_uint_eq(n, 3 * ZONEFILE_SLICE - 1);
	ck_assert_ptr_nonnull(strstr(why, ":2: broken off"));
	close(fd);
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	struct lines l = { .refuse_at = 0 };
	char path[] = "/tmp/unit_zonefile_XXXXXX", why[256] = "", expected[256];
	int fd = mkstemp(path);

	ck_assert_int_eq(zonefile_read("/nonexistent/zone", NULL, add, &l, why, sizeof(why)),
			 E_SYSTEM);
	ck_assert_str_eq(why, "/nonexistent/zone: No such file or directory");
	ck_assert_int_eq(zonefile_read("/", NULL, add, &l, why, sizeof(why)), E_SYSTEM);
	ck_assert_str_eq(why, "/:1: Is a directory");

	/* Nobody writes to it: whoever opens it waits for ever. */
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	(void)unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(zonefile_read(path, NULL, add, &l, why, sizeof(why)), E_NOT_FILE);
	(void)unlink(path);
	(void)snprintf(expected, sizeof(expected), "%s: not a plain file", path);
	ck_assert_str_eq(why, expected);
}
END_TEST

START_TEST(a_record_too_long)
{
	size_t len = ZONEFILE_RECORD_MAX + 100;
	char *zone = malloc(len), why[256] = "";
	struct lines l = { .refuse_at = 0 };

	ck_assert_ptr_nonnull(zone);
	memset(zone, 'x', len);
	ck_assert_int_eq(read_bytes(zone, len, NULL, &l, why, sizeof(why)), E_TOO_LONG);
	ck_assert_ptr_nonnull(strstr(why, ":1: the record is too long"));
	free(zone);
}
END_TEST

Suite *suite_zonefile(void)
{
	Suite *s = suite_create("zonefile");
	TCase *t = tcase_create("zonefile");

	tcase_add_test(t, a_zone);
	tcase_add_test(t, hints);
	tcase_add_test(t, blanks_at_the_end);
	tcase_add_test(t, numbers);
	tcase_add_test(t, origins);
	tcase_add_test(t, ttls);
	tcase_add_test(t, refusals);
	tcase_add_test(t, zero_byte);
	tcase_add_test(t, names_too_long_with_their_origin);
	tcase_add_test(t, callback_ends_it);
	tcase_add_test(t, reading_is_broken_off);
	tcase_add_test(t, files_that_cannot_be_read);
	tcase_add_test(t, a_record_too_long);
	suite_add_tcase(s, t);
	return s;
}
