#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/files/hints.h"
#include "recursor/settings/settings.h"

static char path[64];
static char why[SETTINGS_WHY_MAX];

static void make_file(void)
{
	int fd;

	strcpy(path, "/tmp/unit_hints_XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	why[0] = '\0';
}

static void remove_file(void)
{
	(void)unlink(path);
}

static int load(struct rrset ***sets, size_t *n, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	return hints_load(sets, n, path, 1000, why);
}

static const struct rrset *find(struct rrset **sets, size_t n, const char *name, uint16_t type)
{
	uint8_t wire[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(wire, name), E_OK);
	for (size_t i = 0; i < n; i++)
		if (sets[i]->type == type && name_equal(rrset_owner(sets[i]), wire))
			return sets[i];
	return NULL;
}

START_TEST(reads_a_file)
{
	static const char text[] = "; as published\n"
				   "$TTL 3600\n"
				   ".  3600000  NS  A.ROOT-SERVERS.NET.\n"
				   ".  3600000  IN NS  b.root-servers.net.\n"
				   ".  NS  b.root-servers.net.\n"
				   "\n"
				   "A.ROOT-SERVERS.NET.  3600000  A  198.41.0.4\n"
				   "a.root-servers.net.  A  192.0.2.4 ; a second\n"
				   "A.ROOT-SERVERS.NET.  3600000  AAAA  2001:503:ba3e::2:30\n"
				   "b.root-servers.net.  3600000  A  170.247.170.2\n"
				   "other.example.  A  192.0.2.1\n"
				   "example.  NS  other.example.\n"
				   "b.root-servers.net.  TXT  \"not of interest\"\n";
	struct rrset **sets = NULL;
	const struct rrset *a;
	struct rdata rr;
	struct addr addr;
	char ip[ADDR_TEXT_MAX];
	size_t n = 0, at = 0;

	ck_assert_msg(load(&sets, &n, text) == E_OK, "%s", why);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(find(sets, n, ".", TYPE_NS)->n_rr, 2);
	a = find(sets, n, "a.root-servers.net.", TYPE_A);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->n_rr, 2);
	ck_assert_int_eq(a->rank, RANK_LOCAL);
	ck_assert(!rrset_is_expired(a, 1001));
	ck_assert(rrset_next(a, &at, &rr));
	ck_assert_int_eq(addr_from_rdata(&addr, rr.data, rr.len, 53), E_OK);
	ck_assert_str_eq(addr_ip_text(ip, &addr), "198.41.0.4");
	ck_assert_uint_eq(find(sets, n, "a.root-servers.net.", TYPE_AAAA)->n_rr, 1);
	ck_assert_uint_eq(find(sets, n, "b.root-servers.net.", TYPE_A)->n_rr, 1);
	ck_assert_ptr_null(find(sets, n, "other.example.", TYPE_A));
	hints_free(sets, n);
}
END_TEST

START_TEST(refuses)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", ": no NS record of the root" },
		{ "a. A 192.0.2.1\n", ": no NS record of the root" },
		{ ". NS a.\n", ": no address of a name server of the root" },
		{ ". NS a.\nb. A 192.0.2.1\n", ": no address of a name server of the root" },
		{ ". NS a.\na. A 192.0.2.999\n", ":2: " },
		{ ". NS a.\na. A\n", ":2: " },
		{ "what is this\n", ":1: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rrset **sets = NULL;
		size_t n = 77;
		char expected[200];

		ck_assert_msg(load(&sets, &n, rows[i].text) < 0, "taken: %s", rows[i].text);
		ck_assert_ptr_null(sets);
		ck_assert_uint_eq(n, 77);
		(void)snprintf(expected, sizeof(expected), "hint-file: %s%s", path, rows[i].why);
		ck_assert_msg(strncmp(why, expected, strlen(expected)) == 0, "%s", why);
	}
}
END_TEST

START_TEST(refuses_too_many)
{
	size_t cap = 64 * 1024, len = 0, n = 0;
	struct rrset **sets = NULL;
	char *text = malloc(cap);

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i <= HINTS_RECORDS_MAX; i++)
		len += (size_t)snprintf(text + len, cap - len, ". NS ns%d.example.\n", i);
	ck_assert_int_eq(load(&sets, &n, text), E_LIMIT);
	free(text);
}
END_TEST

START_TEST(words)
{
	struct rrset **sets = NULL;
	size_t n = 1;

	ck_assert_int_eq(hints_load(&sets, &n, "", 0, why), E_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_null(sets);
	ck_assert_int_eq(hints_load(&sets, &n, "no-refresh", 0, why), E_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert(!hints_are_refreshed("no-refresh"));
	ck_assert(!hints_are_refreshed("no"));
	ck_assert(!hints_are_used("no"));
	ck_assert(hints_are_used("no-refresh"));
	ck_assert(hints_are_refreshed(""));
	ck_assert(hints_are_refreshed("/etc/hints"));
	ck_assert_int_eq(hints_load(&sets, &n, "/nowhere/hints", 0, why), E_SYSTEM);
	ck_assert_str_eq(why, "hint-file: /nowhere/hints: No such file or directory");
	hints_free(NULL, 0);
}
END_TEST

Suite *suite_hints(void)
{
	Suite *s = suite_create("hints");
	TCase *tc = tcase_create("hints");

	tcase_add_checked_fixture(tc, make_file, remove_file);
	tcase_add_test(tc, reads_a_file);
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, refuses_too_many);
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	return s;
}
