#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/wire.h"
#include "recursor/files/anchorload.h"
#include "tests/unit/tmpdir.h"

#define DIGEST "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"

enum { LATER = 11 }; /* functions of lua-config-file that are still to be built */

static char dir[TMPDIR_MAX], ta_file[96], lua_file[96];
static struct anchorload loaded;
static char why[SETTINGS_WHY_MAX];

static void setup(void)
{
	hash_key_set(1, 2);
	tmpdir_make(dir);
	(void)snprintf(ta_file, sizeof(ta_file), "%s/ta", dir);
	(void)snprintf(lua_file, sizeof(lua_file), "%s/config.lua", dir);
	loaded = (struct anchorload) { 0 };
}

static void teardown(void)
{
	anchorload_clear(&loaded);
	tmpdir_remove(dir);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	(void)fclose(f);
}

static int load(bool with_file, bool with_lua, const char *negative)
{
	const struct settings s = {
		.trustanchorfile = with_file ? ta_file : "",
		.lua_config_file = with_lua ? lua_file : "",
		.negative_trustanchors = negative,
		.trustanchorfile_interval_h = 24,
	};

	anchorload_clear(&loaded);
	loaded = (struct anchorload) { 0 };
	return anchorload(&loaded, &s, why);
}

static int lua(const char *text)
{
	write_file(lua_file, text);
	return load(false, true, "");
}

/* The key tags and reasons of all: ".:20326+38696 example.:'why' ". */
static const char *all(void)
{
	static char out[1024];
	char text[NAME_TEXT_MAX];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < anchors_count(loaded.anchors); i++) {
		const struct anchor *a = anchors_at(loaded.anchors, i);
		struct rdata rr;
		size_t at = 0;

		len += (size_t)sprintf(out + len, "%s:", name_to_text(text, a->name));
		for (bool first = true; a->ds != NULL && rrset_next(a->ds, &at, &rr); first = false)
			len += (size_t)sprintf(out + len, "%s%u", first ? "" : "+",
					       (unsigned)wire_get_u16(rr.data));
		if (a->nta != NULL)
			len += (size_t)sprintf(out + len, "'%s'", a->nta->reason);
		len += (size_t)sprintf(out + len, " ");
	}
	return out;
}

START_TEST(the_roots_keys_unless_said_otherwise)
{
	ck_assert_int_eq(load(false, false, ""), E_OK);
	ck_assert_str_eq(all(), ".:20326+38696 ");
	ck_assert_uint_eq(loaded.interval_s, 0);
}
END_TEST

START_TEST(a_file_takes_their_place)
{
	write_file(ta_file, "$TTL 1h\n"
			    "example. IN DS 1 13 2 " DIGEST "\n"
			    "         IN DS 2 13 2 " DIGEST "\n"
			    "example. IN SOA a. b. 1 2 3 4 5\n"
			    "Other.   86400 IN DNSKEY 257 3 13 AAAA\n"
			    "gone.    IN DNSKEY 385 3 13 AAAA ; revoked\n");
	ck_assert_int_eq(load(true, false, ""), E_OK);
	ck_assert_str_eq(all(), "example.:1+2 other.:1038 ");
	ck_assert_uint_eq(loaded.interval_s, 24 * 3600);
}
END_TEST

START_TEST(a_file_may_be_wrong)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "no DS or DNSKEY record" },
		{ ". IN NS a.\n", "no DS or DNSKEY record" },
		{ ". IN DNSKEY 385 3 13 AAAA\n", "no DS or DNSKEY record" },
		{ "\n. IN DS 1 13 2 00\n", "ta:2: " },
		{ ". IN DS 1 13 2 00\n", "the digest's length" },
		{ ". IN DNSKEY 0 3 13 AAAA\n", "no zone key" },
		{ ". IN DS frob\n", "ta:1: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		write_file(ta_file, bad[i].text);
		ck_assert_int_ne(load(true, false, ""), E_OK);
		ck_assert_msg(strncmp(why, "trustanchorfile: ", 17) == 0 &&
				      strstr(why, bad[i].why) != NULL,
			      "%s", why);
	}
	(void)unlink(ta_file);
	ck_assert_int_eq(load(true, false, ""), E_SYSTEM);
	ck_assert_msg(strstr(why, "No such file") != NULL, "%s", why);
}
END_TEST

START_TEST(names_are_not_validated)
{
	ck_assert_int_eq(load(false, false, "b.example, Example.COM. ."), E_OK);
	ck_assert_str_eq(all(), ".:20326+38696'' example.com.:'' b.example.:'' ");
	ck_assert_int_eq(load(false, false, "a, b..c"), E_MALFORMED);
	ck_assert_str_eq(why, "negative-trustanchors=b..c: the data are malformed");
}
END_TEST

START_TEST(lua_adds_and_clears)
{
	ck_assert_int_eq(
		lua("addTA('example.com', '1 13 2 " DIGEST "')\n"
		    "addDS('Example.com.', \"44030 8 2 D4C3D5552B8679FAEEBC317E5F048B614B2E5F607"
		    "DC57F1553182D49 AB2179F7\")\n"
		    "addNTA('a.example', \"Someone messed up\") addNTA('b.example')\n"
		    "addNTA('c.example') clearNTA('c.example') clearTA('nothing.example')\n"),
		E_OK);
	ck_assert_str_eq(all(), ".:20326+38696 example.com.:1+44030 a.example.:'Someone messed up' "
				"b.example.:'' ");
	ck_assert_int_eq(
		lua("addTA('x', '1 13 99 00') addTA('y', '1 13 99 00') addNTA('y') clearDS('x') "
		    "clearTA() addNTA('z') clearNTA()"),
		E_OK);
	ck_assert_str_eq(all(), "");
	/* Names of the setting come behind. */
	write_file(lua_file, "addNTA('a', 'lua') clearTA('.')");
	ck_assert_int_eq(load(false, true, "b"), E_OK);
	ck_assert_str_eq(all(), "a.:'lua' b.:'' ");
}
END_TEST

START_TEST(lua_reads_files)
{
	char text[512];

	write_file(ta_file, "example. IN DS 7 13 99 00\n");
	(void)snprintf(text, sizeof(text),
		       "addNTA('a.') readTrustAnchorsFromFile('%s', 2) addTA('b', '1 13 99 00')",
		       ta_file);
	ck_assert_int_eq(lua(text), E_OK);
	ck_assert_str_eq(all(), "a.:'' b.:1 example.:7 ");
	ck_assert_uint_eq(loaded.interval_s, 2 * 3600);
	(void)snprintf(text, sizeof(text), "readTrustAnchorsFromFile('%s')", ta_file);
	ck_assert_int_eq(lua(text), E_OK);
	ck_assert_uint_eq(loaded.interval_s, 24 * 3600);
	(void)snprintf(text, sizeof(text), "readTrustAnchorsFromFile('%s', 0)", ta_file);
	ck_assert_int_eq(lua(text), E_OK);
	ck_assert_uint_eq(loaded.interval_s, 0);
	ck_assert_int_eq(lua("\nreadTrustAnchorsFromFile('/nowhere')"), E_MALFORMED);
	ck_assert_msg(strstr(why, "config.lua:2: readTrustAnchorsFromFile(): ") != NULL &&
			      strstr(why, "/nowhere") != NULL,
		      "%s", why);
}
END_TEST

START_TEST(lua_may_be_wrong)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "addTA('a b..c', '')", "config.lua:1: addTA(): its first argument is no domain" },
		{ "\n\naddTA('a', 'x')", "config.lua:3: addTA(): " },
		{ "addTA('a', '1 13 2 00')", "addTA(): the digest's length" },
		{ "addTA('a')", "bad argument #2" },
		{ "addNTA('..')", "addNTA(): its first" },
		{ "frobnicate()",
		  "config.lua:1: attempt to call a nil value (global 'frobnicate')" },
		{ "if", "config.lua:1: " },
		{ "error({})", "config.lua: an error that is no text" },
		{ "while true do pcall(function() while true do end end) end",
		  "config.lua:1: it runs for too long" },
		{ "t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end",
		  "config.lua: it takes too much memory" },
		{ "coroutine.yield(1)", "config.lua: attempt to yield" },
		{ "io.open('/tmp/x', 'w')", "io" },
		{ "os.execute('true')", "execute" },
		{ "load('x = 1')()", "load" },
		{ "zoneToCache('.', 'axfr')", "bad argument #3" },
		{ "zoneToCache('a..b', 'axfr', '192.0.2.1')", "no domain name" },
		{ "zoneToCache('.', 'rsync', 'x')", "axfr or file, not 'rsync'" },
		{ "zoneToCache('.', 'url', 'https://x/')", "curl(1)" },
		{ "zoneToCache('.', 'axfr', 'x')", "no address of a server: 'x'" },
		{ "zoneToCache('.', 'file', '')", "no source" },
		{ "zoneToCache('.', 'axfr', {})", "up to 8" },
		{ "zoneToCache('.', 'axfr', { '::1', {} })", "a source that is no text" },
		{ "zoneToCache('.', 'axfr', { '::1', 'x' })", "no address of a server: 'x'" },
		{ "zoneToCache('.', 'axfr', '::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9')",
		  "too many servers" },
		{ "zoneToCache('.', 'file', { '/a', '/b' })", "more than one file" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { zonemd = 'yes' })", "zonemd is ignore" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { dnssec = '' })", "dnssec is ignore" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { dnssec = true })", "dnssec is no text" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { refresh = 1 })",
		  "no setting 'refresh'" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { refreshPeriod = -1 })",
		  "refreshPeriod is no number" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { timeout = 0 })", "at least 1" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { localAddress = '::1' })",
		  "localAddress" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { tsigname = 'k' })", "tsigsecret" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { tsigname = 'k', tsigalgo = 'crc', "
		  "tsigsecret = 'AAAA' })",
		  "tsigalgo is not known" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1', { tsigname = 'k', "
		  "tsigalgo = 'hmac-sha256', tsigsecret = '?' })",
		  "no base64" },
		{ "zoneToCache('.', 'axfr', '192.0.2.1') zoneToCache('.', 'file', 'x')",
		  "a second copy" },
		{ "for i = 1, 65 do zoneToCache('z' .. i, 'file', 'x') end", "too many zones" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_ne(lua(bad[i].text), E_OK);
		ck_assert_msg(strncmp(why, "lua-config-file: ", 17) == 0 &&
				      strstr(why, bad[i].why) != NULL,
			      "%s: %s", bad[i].text, why);
	}
	(void)unlink(lua_file);
	ck_assert_int_eq(load(false, true, ""), E_SYSTEM);
	ck_assert_msg(strstr(why, "No such file") != NULL, "%s", why);
}
END_TEST

START_TEST(lua_copies_of_zones)
{
	const struct copy_plan *p;

	ck_assert_int_eq(
		lua("zoneToCache('.', 'axfr', '192.0.2.1')\n"
		    "zoneToCache('Example.COM', 'axfr', '[2001:db8::1]:5300', { timeout = 7,\n"
		    "  tsigname = 'Key.', tsigalgo = 'hmac-sha256', tsigsecret = 'AAECAw==',\n"
		    "  refreshPeriod = 0, retryOnErrorPeriod = 5, maxReceivedMBytes = 3,\n"
		    "  localAddress = '2001:db8::2', zonemd = 'require', dnssec = 'ignore' })\n"
		    "zoneToCache('a.', 'file', '/zones/a', {})\n"
		    "zoneToCache('b', 'axfr', { '192.0.2.1:54', '2001:db8::1' },\n"
		    "  { localAddress = '::1' })"),
		E_OK);
	ck_assert_uint_eq(loaded.copies.n, 4);
	p = &loaded.copies.plans[0];
	ck_assert(name_is_root(p->zone) && !p->is_file && p->n_primaries == 1 &&
		  p->primaries[0].port == 53);
	ck_assert(p->timeout_s == 20 && p->refresh_s == 86400 && p->retry_s == 60);
	ck_assert(p->zonemd == COPY_VALIDATE && p->dnssec == COPY_VALIDATE);
	ck_assert(p->max_bytes == 0 && p->local.family == 0 && p->tsig.secret_len == 0);
	p = &loaded.copies.plans[1];
	ck_assert(name_equal_case(p->zone, (const uint8_t *)"\7example\3com"));
	ck_assert(p->primaries[0].port == 5300 && p->local.family == 6);
	ck_assert(p->timeout_s == 7 && p->refresh_s == 0 && p->retry_s == 5);
	ck_assert(p->max_bytes == 3 << 20 && p->zonemd == COPY_REQUIRE && p->dnssec == COPY_IGNORE);
	ck_assert_uint_eq(p->tsig.secret_len, 4);
	ck_assert_mem_eq(p->tsig.secret, "\0\1\2\3", 4);
	ck_assert(loaded.copies.plans[2].is_file);
	ck_assert_str_eq(loaded.copies.plans[2].source, "/zones/a");
	p = &loaded.copies.plans[3];
	ck_assert_str_eq(p->source, "192.0.2.1:54 2001:db8::1");
	ck_assert(p->n_primaries == 2 && p->primaries[0].port == 54 && p->primaries[1].family == 6);
	ck_assert(p->local.family == 6);
}
END_TEST

START_TEST(lua_knows_the_others)
{
	ck_assert_int_eq(lua("rpzFile('x', {defpol=Policy.Custom}) rpzPrimary('1.2.3.4', 'x')\n"
			     "protobufServer('127.0.0.1:1') addSortList('::/0', '::/0')\n"
			     "addAllowedAdditionalQType(pdns.MX, {pdns.A, pdns.AAAA}, "
			     "{mode=pdns.AdditionalMode.CacheOnly})\n"
			     "pdnslog('hello', pdns.loglevels.Debug) addNTA('a')\n"
			     "assert(os.time() > 0 and utf8 and math.floor(1.5) == 1)"),
			 E_OK);
	ck_assert_str_eq(all(), ".:20326+38696 a.:'' ");
}
END_TEST

/* The functions that are still to be built: each is warned of by its name, and by nothing but that. */
START_TEST(lua_warns_of_what_does_nothing)
{
	static const char *const later[] = {
		"addAllowedAdditionalQType",
		"addProxyMapping",
		"addSortList",
		"dnstapFrameStreamServer",
		"dnstapNODFrameStreamServer",
		"outgoingProtobufServer",
		"protobufServer",
		"rpzFile",
		"rpzMaster",
		"rpzPrimary",
		"setProtobufMasks",
	};
	const char *name = later[_i];
	char text[128], path[96], said[4096];
	int fd, was;
	FILE *f;
	size_t n;

	ck_assert_uint_eq(ARRAY_LEN(later), LATER);
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	(void)snprintf(text, sizeof(text), "\n%s({'x'}, 1)\naddNTA('a')\n", name);
	f = fopen(path, "w+");
	ck_assert_ptr_nonnull(f);
	fd = fileno(f);
	was = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	ck_assert_int_eq(lua(text), E_OK);
	ck_assert_int_ge(dup2(was, STDERR_FILENO), 0);
	(void)close(was);
	rewind(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	(void)fclose(f);

	(void)snprintf(text, sizeof(text), "config.lua:2: %s()", name);
	ck_assert_msg(strstr(said, text) != NULL, "%s is not in '%s'", text, said);
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		(void)snprintf(text, sizeof(text), " %s()", later[i]);
		ck_assert((strstr(said, text) != NULL) == (i == (size_t)_i));
	}
	ck_assert_str_eq(all(), ".:20326+38696 a.:'' ");
}
END_TEST

Suite *suite_anchorload(void);

Suite *suite_anchorload(void)
{
	Suite *s = suite_create("anchorload");
	TCase *t = tcase_create("anchorload");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_roots_keys_unless_said_otherwise);
	tcase_add_test(t, a_file_takes_their_place);
	tcase_add_test(t, a_file_may_be_wrong);
	tcase_add_test(t, names_are_not_validated);
	tcase_add_test(t, lua_adds_and_clears);
	tcase_add_test(t, lua_reads_files);
	tcase_add_test(t, lua_may_be_wrong);
	tcase_add_test(t, lua_copies_of_zones);
	tcase_add_test(t, lua_knows_the_others);
	tcase_add_loop_test(t, lua_warns_of_what_does_nothing, 0, LATER);
	suite_add_tcase(s, t);
	return s;
}
