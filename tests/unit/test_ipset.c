#include "recursor/policy/ipset.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/hash.h"
#include "tests/unit/sanitizer.h"

enum { NOW = 1000, READERS = 4, MAX_ENTRIES = 20000000 };

static struct ipsets *all;
static struct ipset *set;
static char why[IPSET_WHY_MAX];

static struct ipset *open_set(const char *name, uint32_t ttl_s, uint64_t max)
{
	struct ipset_options o = {
		.name = name, .has_ttl = true, .has_max = true, .ttl_s = ttl_s, .max = max
	};
	struct ipset *s = NULL;

	ck_assert_int_eq(ipsets_open(all, &s, &o), E_OK);
	return s;
}

static void make_sets(void)
{
	static const struct ipsets_config cfg = { .n_readers = READERS,
						  .max_sets = 3,
						  .max_entries = MAX_ENTRIES };

	hash_key_set(1, 2);
	ck_assert_int_eq(ipsets_new(&all, &cfg), E_OK);
	set = open_set("blocked", 60, 0);
}

static void free_sets(void)
{
	ipset_put(set);
	ipsets_free(all);
	ipsets_free(NULL);
	ipset_put(NULL);
}

static struct addr addr(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return a;
}

static struct addr numbered(unsigned family, uint32_t i)
{
	struct addr a = { .family = (uint8_t)family };

	memcpy(a.ip, &i, sizeof(i));
	a.ip[family == 4 ? 0 : 15] ^= 0x55;
	return a;
}

static void add(const char *text, uint32_t ttl_s, uint32_t now_s)
{
	struct addr a = addr(text);

	ck_assert_int_eq(ipset_add(set, &a, ttl_s, now_s), E_OK);
}

/* The same with a lock and without. */
static bool has(const char *text, uint32_t now_s)
{
	struct addr a = addr(text);
	bool is_in = ipset_has(set, ipsets_reader(all, 0), &a, now_s);

	ck_assert(is_in == ipset_has(set, NULL, &a, now_s));
	return is_in;
}

static bool take(const char *text, uint32_t now_s)
{
	struct addr a = addr(text);

	return ipset_remove(set, &a, now_s);
}

static struct ipset_stats stats(void)
{
	struct ipset_stats s;

	ipset_stats(set, &s);
	return s;
}

/* ---- what is in, and until when ---- */

START_TEST(what_was_added_is_in)
{
	ck_assert(!has("192.0.2.1", NOW));
	add("192.0.2.1", IPSET_TTL_OF_SET, NOW);
	add("2001:db8::1", IPSET_TTL_OF_SET, NOW);
	add("0.0.0.0", IPSET_TTL_OF_SET, NOW);
	add("::", IPSET_TTL_OF_SET, NOW);
	ck_assert(has("192.0.2.1", NOW));
	ck_assert(has("2001:db8::1", NOW));
	ck_assert(has("0.0.0.0", NOW));
	ck_assert(has("::", NOW));
	ck_assert(!has("192.0.2.2", NOW));
	ck_assert(!has("2001:db8::2", NOW));
	ck_assert(!has("2001:db8:0:1::1", NOW));
	ck_assert_uint_eq(ipset_count(set), 4);
}
END_TEST

START_TEST(ports_do_not_count)
{
	add("192.0.2.1:53", IPSET_TTL_OF_SET, NOW);
	ck_assert(has("192.0.2.1:5300", NOW));
	ck_assert(take("192.0.2.1:1", NOW));
	ck_assert(!has("192.0.2.1:53", NOW));
}
END_TEST

START_TEST(a_mapped_address_is_ipv4)
{
	add("::ffff:192.0.2.1", IPSET_TTL_OF_SET, NOW);
	ck_assert(has("192.0.2.1", NOW));
	ck_assert(has("::ffff:192.0.2.1", NOW));
	ck_assert(!has("::192.0.2.1", NOW));
}
END_TEST

START_TEST(no_address_is_never_in)
{
	struct addr none = { 0 };

	ck_assert_int_eq(ipset_add(set, &none, 0, NOW), E_MALFORMED);
	ck_assert(!ipset_has(set, NULL, &none, NOW));
	ck_assert(!ipset_remove(set, &none, NOW));
	ck_assert_uint_eq(stats().refusals, 0);
}
END_TEST

START_TEST(entries_expire)
{
	add("192.0.2.1", IPSET_TTL_OF_SET, NOW); /* 60 */
	add("192.0.2.2", 10, NOW);
	add("192.0.2.3", 0, NOW);
	ck_assert(has("192.0.2.2", NOW + 9));
	ck_assert(!has("192.0.2.2", NOW + 10));
	ck_assert(has("192.0.2.1", NOW + 59));
	ck_assert(!has("192.0.2.1", NOW + 60));
	ck_assert(has("192.0.2.3", 2000000000));
	ck_assert_uint_eq(ipset_count(set), 3);
	ipsets_tidy(all, NOW + 10);
	ck_assert_uint_eq(ipset_count(set), 2);
	ipsets_tidy(all, NOW + 60);
	ck_assert_uint_eq(ipset_count(set), 1);
	ck_assert_uint_eq(stats().expirations, 2);
	ck_assert(has("192.0.2.3", NOW + 61));
}
END_TEST

/* The clock may begin at 0. */
START_TEST(entries_expire_just_after_boot)
{
	add("192.0.2.1", 1, 0);
	ck_assert(has("192.0.2.1", 0));
	ck_assert(!has("192.0.2.1", 1));
}
END_TEST

START_TEST(to_add_again_renews)
{
	add("192.0.2.1", 10, NOW);
	add("192.0.2.1", 10, NOW + 5);
	ck_assert(has("192.0.2.1", NOW + 14));
	ck_assert(!has("192.0.2.1", NOW + 15));
	add("192.0.2.1", 10, NOW + 20); /* expired, not swept */
	ck_assert(has("192.0.2.1", NOW + 29));
	ck_assert_uint_eq(ipset_count(set), 1);
	ck_assert_uint_eq(stats().adds, 3);
	ck_assert_uint_eq(stats().expirations, 1);
	add("192.0.2.1", 0, NOW + 20);
	ck_assert(has("192.0.2.1", NOW + 1000000));
	add("192.0.2.1", 1, NOW + 20); /* shorter is shorter */
	ck_assert(!has("192.0.2.1", NOW + 21));
}
END_TEST

START_TEST(what_was_removed_is_out)
{
	add("192.0.2.1", 10, NOW);
	ck_assert(take("192.0.2.1", NOW));
	ck_assert(!take("192.0.2.1", NOW));
	ck_assert(!take("192.0.2.2", NOW));
	ck_assert(!has("192.0.2.1", NOW));
	ck_assert_uint_eq(ipset_count(set), 0);
	add("192.0.2.1", 10, NOW);
	ck_assert(has("192.0.2.1", NOW));
	ck_assert_uint_eq(ipset_count(set), 1);
	ck_assert(!take("192.0.2.1", NOW + 10)); /* it has expired */
	ck_assert_uint_eq(ipset_count(set), 0);
	ck_assert_uint_eq(stats().removals, 1);
	ck_assert_uint_eq(stats().expirations, 1);
}
END_TEST

START_TEST(a_set_is_cleared)
{
	for (uint32_t i = 0; i < 5000; i++) {
		struct addr a = numbered(i % 2 == 0 ? 4 : 6, i);

		ck_assert_int_eq(ipset_add(set, &a, 0, NOW), E_OK);
	}
	ck_assert_uint_eq(ipset_count(set), 5000);
	ipset_clear(set);
	ck_assert_uint_eq(ipset_count(set), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		struct addr a = numbered(i % 2 == 0 ? 4 : 6, i);

		ck_assert(!ipset_has(set, NULL, &a, NOW));
	}
}
END_TEST

/* Against a plain array of what should be in: growth, shrinking, expiry and removal in any order. */
START_TEST(a_long_random_life)
{
	enum { KEYS = 3000, STEPS = 400000 };
	static uint32_t until[2][KEYS];
	struct ipset_reader *reader = ipsets_reader(all, 0);
	uint32_t now = NOW, seed = 1;

	memset(until, 0, sizeof(until));
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned which, family, n;
		struct addr a;

		seed = seed * 1664525 + 1013904223;
		which = seed >> 16 & 7;
		family = seed >> 19 & 1;
		/* Many for a while, then few. */
		n = (seed >> 8) % ((step / 50000) % 2 == 0 ? KEYS : 50);
		a = numbered(family == 0 ? 4 : 6, n);
		if (which < 3) {
			uint32_t ttl = 1 + (seed >> 20) % 40;

			ck_assert_int_eq(ipset_add(set, &a, ttl, now), E_OK);
			until[family][n] = now + ttl;
		} else if (which == 3) {
			ck_assert(ipset_remove(set, &a, now) == (until[family][n] > now));
			until[family][n] = 0;
		} else if (which < 7) {
			ck_assert(ipset_has(set, reader, &a, now) == (until[family][n] > now));
		} else if (step % 16 == 0) {
			ipsets_tidy(all, ++now);
		}
	}
	now += 100;
	for (unsigned i = 0; i < 10; i++)
		ipsets_tidy(all, now);
	ck_assert_uint_eq(ipset_count(set), 0);
}
END_TEST

/* ---- limits ---- */

START_TEST(a_full_set_refuses)
{
	struct ipset *small = open_set("small", 10, 2);
	struct addr a = numbered(4, 1), b = numbered(6, 2), c = numbered(4, 3);
	struct ipset_stats s;

	ck_assert_int_eq(ipset_add(small, &a, IPSET_TTL_OF_SET, NOW), E_OK);
	ck_assert_int_eq(ipset_add(small, &b, IPSET_TTL_OF_SET, NOW), E_OK);
	ck_assert_int_eq(ipset_add(small, &c, IPSET_TTL_OF_SET, NOW), E_LIMIT);
	ck_assert(!ipset_has(small, NULL, &c, NOW));
	ck_assert_int_eq(ipset_add(small, &a, IPSET_TTL_OF_SET, NOW + 5), E_OK); /* no new one */
	/* What expired makes room at once, though nobody has tidied. */
	ck_assert_int_eq(ipset_add(small, &c, IPSET_TTL_OF_SET, NOW + 10), E_OK);
	ipset_stats(small, &s);
	ck_assert_uint_eq(s.refusals, 1);
	ck_assert_uint_eq(s.adds, 4);
	ck_assert_uint_eq(s.expirations, 1);
	ck_assert_uint_eq(s.entries, 2);
	ipset_put(small);
}
END_TEST

START_TEST(all_sets_together_have_a_limit)
{
	struct ipset *other = open_set("other", 0, 0);
	struct addr a = numbered(4, 1), b = numbered(4, 2);

	ipsets_configure(all, 3, 1);
	ck_assert_int_eq(ipset_add(set, &a, 0, NOW), E_OK);
	ck_assert_int_eq(ipset_add(other, &a, 0, NOW), E_LIMIT);
	ck_assert(ipset_remove(set, &a, NOW));
	ck_assert_int_eq(ipset_add(other, &b, 0, NOW), E_OK);
	ipset_clear(other);
	ck_assert_int_eq(ipset_add(set, &a, 0, NOW), E_OK);
	ipset_put(other);
}
END_TEST

START_TEST(an_unused_set_makes_room_for_another)
{
	struct ipset *b = open_set("b", 0, 0), *c = open_set("c", 0, 0), *d = NULL;
	struct ipset_options o = { .name = "d" };
	struct addr a = numbered(4, 1);
	struct ipsets_stats s;

	ck_assert_int_eq(ipsets_open(all, &d, &o), E_LIMIT);
	ck_assert_int_eq(ipset_add(b, &a, 0, NOW), E_OK);
	ipset_put(b); /* nobody's, but not empty: a reload will want it */
	ck_assert_int_eq(ipsets_open(all, &d, &o), E_LIMIT);
	ipset_put(c);
	ck_assert_int_eq(ipsets_open(all, &d, &o), E_OK);
	ck_assert_ptr_null(ipsets_find(all, "c"));
	b = ipsets_find(all, "b");
	ck_assert_ptr_nonnull(b);
	ck_assert(ipset_has(b, NULL, &a, NOW));
	ipsets_stats(all, &s);
	ck_assert_uint_eq(s.sets, 3);
	ck_assert_uint_eq(s.most_sets, 3);
	ck_assert_uint_eq(s.sets_refused, 2);
	ck_assert_uint_eq(s.entries, 1);
	ipset_put(b);
	ipset_put(d);
}
END_TEST

/* ---- names ---- */

START_TEST(one_name_is_one_set)
{
	struct ipset_options o = { .name = "blocked", .has_max = true, .max = 7 };
	struct ipset *again = NULL;

	ck_assert_int_eq(ipsets_open(all, &again, &o), E_OK);
	ck_assert_ptr_eq(again, set);
	ck_assert_uint_eq(stats().ttl_s, 60); /* not said anew */
	ck_assert_uint_eq(stats().max, 7);
	ck_assert_str_eq(ipset_name(again), "blocked");
	ipset_put(again);
	ck_assert_ptr_null(ipsets_find(all, "Blocked"));
}
END_TEST

START_TEST(names_are_plain)
{
	static const char *const bad[] = {
		"a b", "a/b", "a\n", "\xc3\xa4",
		"0123456789012345678901234567890123456789012345678901234567890123"
	};
	struct ipset *s = NULL;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ipset_options o = { .name = bad[i] };

		ck_assert(!ipset_name_is_good(bad[i]));
		ck_assert_int_eq(ipsets_open(all, &s, &o), E_MALFORMED);
	}
	ck_assert(!ipset_name_is_good(""));
	ck_assert(ipset_name_is_good("a-B_9.x"));
}
END_TEST

START_TEST(a_set_without_name_is_its_owners)
{
	struct ipset *a = open_set(NULL, 5, 0), *b = open_set("", 5, 0);
	struct addr x = numbered(4, 1);
	struct ipset_stats *list = NULL;
	struct ipsets_stats sums;
	size_t n;

	ck_assert_ptr_ne(a, b);
	ck_assert_int_eq(ipset_add(a, &x, IPSET_TTL_OF_SET, NOW), E_OK);
	ck_assert(!ipset_has(b, NULL, &x, NOW));
	ck_assert_int_eq(ipsets_list(all, &list, &n), E_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].name, "blocked");
	free(list);
	ipset_put(a);
	ipset_put(b);
	ipsets_stats(all, &sums);
	ck_assert_uint_eq(sums.entries, 0);
	ck_assert_uint_eq(sums.adds, 1); /* what is no more counts on */
}
END_TEST

/* ---- overlays ---- */

START_TEST(an_overlay_keeps_its_changes)
{
	struct ipset_options o = { .name = "blocked", .has_ttl = true, .ttl_s = 5 };
	struct addr a = numbered(4, 1), b = numbered(6, 2), c = numbered(4, 3);
	struct ipset *over = NULL, *fresh = NULL;
	struct ipsets *tried = NULL;

	ck_assert_int_eq(ipset_add(set, &a, 0, NOW), E_OK);
	ck_assert_int_eq(ipset_add(set, &b, 0, NOW), E_OK);
	ck_assert_int_eq(ipsets_new_overlay(&tried, all), E_OK);
	ck_assert_int_eq(ipsets_open(tried, &over, &o), E_OK);
	ck_assert_uint_eq(ipset_count(over), 2);
	ck_assert(ipset_has(over, ipsets_reader(tried, 0), &a, NOW));
	ck_assert(ipset_remove(over, &a, NOW));
	ck_assert(!ipset_remove(over, &a, NOW));
	ck_assert_int_eq(ipset_add(over, &c, IPSET_TTL_OF_SET, NOW), E_OK);
	ck_assert_uint_eq(ipset_count(over), 2);
	ck_assert(!ipset_has(over, ipsets_reader(tried, 0), &a, NOW));
	ck_assert(ipset_has(over, NULL, &b, NOW));
	ck_assert(ipset_has(over, NULL, &c, NOW));
	ck_assert_int_eq(ipset_add(over, &a, 0, NOW), E_OK);
	ck_assert(ipset_has(over, NULL, &a, NOW));
	ck_assert_uint_eq(ipset_count(over), 3);
	ipset_clear(over);
	ck_assert(!ipset_has(over, NULL, &b, NOW));
	ck_assert_uint_eq(ipset_count(over), 0);
	o.name = "fresh";
	ck_assert_int_eq(ipsets_open(tried, &fresh, &o), E_OK);

	/* Nobody below has noticed. */
	ck_assert_uint_eq(ipset_count(set), 2);
	ck_assert(ipset_has(set, NULL, &a, NOW));
	ck_assert(!ipset_has(set, NULL, &c, NOW));
	ck_assert_uint_eq(stats().ttl_s, 60);
	ck_assert_uint_eq(stats().removals, 0);
	ck_assert_ptr_null(ipsets_find(all, "fresh"));
	ipset_put(fresh);
	ipset_put(over);
	ipsets_free(tried);
}
END_TEST

/* ---- files ---- */

static int read_text(const char *text, size_t len, size_t *n)
{
	FILE *f = fmemopen((void *)text, len, "r");
	int err;

	ck_assert_ptr_nonnull(f);
	why[0] = '\0';
	err = ipset_read(set, f, "list.txt", NOW, n, why);
	ck_assert_int_eq(fclose(f), 0);
	return err;
}

static void expect_read(const char *text, size_t n)
{
	size_t got = 0;

	ck_assert_msg(read_text(text, strlen(text), &got) == E_OK, "%s", why);
	ck_assert_uint_eq(got, n);
	ck_assert_uint_eq(ipset_count(set), n);
}

static void expect_refusal(const char *text, const char *reason)
{
	size_t got = 77;

	ck_assert_int_ne(read_text(text, strlen(text), &got), E_OK);
	ck_assert_str_eq(why, reason);
	ck_assert_uint_eq(got, 77);
	ck_assert_uint_eq(ipset_count(set), 1);
	ck_assert(has("192.0.2.99", NOW));
}

START_TEST(a_file_is_read)
{
	add("192.0.2.99", 0, NOW);
	expect_read("# a comment\n\n192.0.2.1\n  2001:db8::1\t30  # why\r\n192.0.2.2 0", 3);
	ck_assert(!has("192.0.2.99", NOW)); /* what it says, and nothing else */
	ck_assert(has("192.0.2.1", NOW + 59));
	ck_assert(!has("192.0.2.1", NOW + 60));
	ck_assert(has("2001:db8::1", NOW + 29));
	ck_assert(!has("2001:db8::1", NOW + 30));
	ck_assert(has("192.0.2.2", NOW + 1000000));
	ck_assert_uint_eq(stats().adds, 4);
	ck_assert_uint_eq(stats().removals, 1);
	expect_read("192.0.2.1\n192.0.2.1\n", 1);
	expect_read("# none\n", 0);
}
END_TEST

START_TEST(a_damaged_file_changes_nothing)
{
	char text[400];
	size_t n;

	add("192.0.2.99", 0, NOW);
	expect_refusal("192.0.2.1\n10.0.0.0/8\n",
		       "list.txt:2: an ipset holds addresses, no netmasks: '10.0.0.0/8'");
	expect_refusal("192.0.2.1\n\nwww.example\n", "list.txt:3: not an address: 'www.example'");
	expect_refusal("192.0.2.1:53", "list.txt:1: not an address: '192.0.2.1:53'");
	expect_refusal("192.0.2.1 x", "list.txt:1: not a number of seconds: 'x'");
	expect_refusal("192.0.2.1 -1", "list.txt:1: not a number of seconds: '-1'");
	expect_refusal("192.0.2.1 99999999999999999999",
		       "list.txt:1: not a number of seconds: '99999999999999999999'");
	expect_refusal("192.0.2.1 5 6", "list.txt:1: more than an address and its seconds: '6'");
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_refusal(text, "list.txt:1: the line is too long");
	ck_assert_int_eq(read_text("192.0.2.1\0\n", 11, &n), E_MALFORMED);
	ck_assert_str_eq(why, "list.txt:1: a zero byte");
	ipset_put(open_set("blocked", 60, 1));
	expect_refusal("192.0.2.1\n192.0.2.2\n",
		       "list.txt:2: more entries than max, or ipset-max-entries, allow");
	ck_assert_uint_eq(stats().refusals, 0);
	ck_assert_uint_eq(stats().adds, 1);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	char *text = NULL;
	size_t len, n = 0;
	FILE *f;

	for (uint32_t i = 0; i < 3000; i++) {
		struct addr a = numbered(i % 2 == 0 ? 4 : 6, i);

		ck_assert_int_eq(ipset_add(set, &a, i % 100, NOW), E_OK);
	}
	f = open_memstream(&text, &len);
	ck_assert_int_eq(ipset_write(set, f, NOW + 50, &n), E_OK);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_uint_eq(n, 49 * 30 + 30); /* those of 51 to 99 seconds, and for ever */
	ipset_clear(set);
	expect_read(text, n);
	free(text);
	for (uint32_t i = 0; i < 3000; i++) {
		struct addr a = numbered(i % 2 == 0 ? 4 : 6, i);
		uint32_t left = i % 100 == 0 ? 1000 : i % 100 < 50 ? 0 : i % 100 - 50;

		ck_assert(ipset_has(set, NULL, &a, NOW + left) == (i % 100 == 0));
		ck_assert(left == 0 || ipset_has(set, NULL, &a, NOW + left - 1));
	}
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	FILE *f = fopen("/dev/full", "we");
	size_t n = 77;

	add("192.0.2.1", 0, NOW);
	ck_assert_ptr_nonnull(f);
	setvbuf(f, NULL, _IONBF, 0);
	ck_assert_int_eq(ipset_write(set, f, NOW, &n), E_SYSTEM);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_uint_eq(n, 77);
	fclose(f);
}
END_TEST

/* ---- memory ---- */

static size_t anonymous_bytes(void)
{
	unsigned long pages = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%*u %lu %lu", &pages, &shared), 2);
	ck_assert_int_eq(fclose(f), 0);
	return (pages - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

/* A million, or IPSET_MILLIONS of them: make torture-ipset has ten in 200 MB. */
START_TEST(a_million_fit_in_20_megabytes)
{
	const char *millions = getenv("IPSET_MILLIONS");
	const uint32_t many = IS_SLOW ? 100000
				      : 1000000U *
						(millions == NULL ? 1U : (unsigned)atoi(millions));
	size_t before = anonymous_bytes(), peak = 0;

	for (uint32_t i = 0; i < many; i++) {
		struct addr a = numbered(4, i * 2654435761U);

		if (ipset_add(set, &a, IPSET_TTL_OF_SET, NOW) != E_OK)
			ck_abort_msg("not added");
		if (i % 100000 == 99999 && anonymous_bytes() > peak)
			peak = anonymous_bytes();
	}
	ck_assert_uint_eq(ipset_count(set), many);
	if (!IS_SLOW) {
		ck_assert_uint_le(peak - before, (size_t)many * 20);
		/* And what it says of itself is so, but for the holes that growing leaves. */
		ck_assert_uint_le(anonymous_bytes() - before, stats().bytes + stats().bytes / 2);
		ck_assert_uint_ge(anonymous_bytes() - before, stats().bytes - stats().bytes / 20);
	}
	for (uint32_t i = 0; i < many; i += 97) {
		struct addr a = numbered(4, i * 2654435761U);

		ck_assert(ipset_has(set, ipsets_reader(all, 0), &a, NOW + 59));
	}
	for (unsigned i = 0; i < 1000 && ipset_count(set) > 0; i++)
		ipsets_tidy(all, NOW + 60);
	ck_assert_uint_eq(ipset_count(set), 0);
	ck_assert_uint_eq(stats().expirations, many);
	if (!IS_SLOW)
		ck_assert_uint_le(anonymous_bytes(), before + many * 2);
}
END_TEST

/* ---- threads ---- */

enum {
	WRITERS = 3,
	HAMMERED = 20000,
	ROUNDS = IS_SLOW ? 2 : 4,
	OPENED = IS_SLOW ? 2000 : 20000,
	MANY_SETS = 64
};

static _Atomic bool is_over;
static _Atomic unsigned wrong, ended;

/* Addresses divisible by 10 are always in, those above HAMMERED never. */
static void *hammer_reading(void *arg)
{
	struct ipset_reader *reader = arg;
	uint32_t i = 0;

	while (!atomic_load(&is_over)) {
		struct addr in = numbered(i % 20 == 0 ? 4 : 6, i), out = in;

		out.ip[2] = 0xff;
		if (!ipset_has(set, reader, &in, NOW) || ipset_has(set, reader, &out, NOW))
			atomic_fetch_add(&wrong, 1);
		i = (i + 10) % HAMMERED;
	}
	return NULL;
}

static void *hammer_writing(void *arg)
{
	unsigned own = *(unsigned *)arg;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < HAMMERED; i++) {
			struct addr a = numbered(i % 20 < 10 ? 4 : 6, i);

			if (i % 10 == 0 || i % 10 == own + 1)
				(void)!ipset_add(set, &a, i % 10 == 0 ? 0 : 1, NOW + round);
		}
		for (uint32_t i = 0; i < HAMMERED; i++) {
			struct addr a = numbered(i % 20 < 10 ? 4 : 6, i);

			if (i % 10 == own + 1 && i % 3 != 0)
				ipset_remove(set, &a, NOW + round);
		}
		ipsets_tidy(all, NOW + round + 1);
	}
	return NULL;
}

START_TEST(readers_do_not_wait_for_writers)
{
	pthread_t readers[READERS], writers[WRITERS];
	unsigned own[WRITERS];

	for (uint32_t i = 0; i < HAMMERED; i += 10) {
		struct addr a = numbered(i % 20 == 0 ? 4 : 6, i);

		ck_assert_int_eq(ipset_add(set, &a, 0, NOW), E_OK);
	}
	for (unsigned i = 0; i < READERS; i++)
		ck_assert_int_eq(
			pthread_create(&readers[i], NULL, hammer_reading, ipsets_reader(all, i)),
			0);
	for (unsigned i = 0; i < WRITERS; i++) {
		own[i] = i;
		ck_assert_int_eq(pthread_create(&writers[i], NULL, hammer_writing, &own[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_join(writers[i], NULL), 0);
	atomic_store(&is_over, true);
	for (unsigned i = 0; i < READERS; i++)
		ck_assert_int_eq(pthread_join(readers[i], NULL), 0);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	for (unsigned i = 0; i < 100; i++)
		ipsets_tidy(all, NOW + 1000);
	ck_assert_uint_eq(ipset_count(set), HAMMERED / 10);
}
END_TEST

/* Each opens sets that nobody holds in the place of others that nobody holds. */
static void *hammer_opening(void *arg)
{
	unsigned own = *(unsigned *)arg;

	for (unsigned i = 0; i < OPENED; i++) {
		char name[IPSET_NAME_MAX];
		struct ipset_options o = { .name = name };
		struct ipset *s = NULL;

		/* In another order than that of the list. */
		snprintf(name, sizeof(name), "%u-%u", i * 7919 % 100, i * WRITERS + own);
		if (ipsets_open(all, &s, &o) != E_OK)
			atomic_fetch_add(&wrong, 1);
		ipset_put(s);
	}
	atomic_fetch_add(&ended, 1);
	return NULL;
}

/* Whichever set tidying began with is gone before it has seen the others. */
START_TEST(sets_go_while_they_are_tidied)
{
	pthread_t openers[WRITERS];
	unsigned own[WRITERS];

	ipsets_configure(all, MANY_SETS, MAX_ENTRIES);
	for (unsigned i = 0; i < WRITERS; i++) {
		own[i] = i;
		ck_assert_int_eq(pthread_create(&openers[i], NULL, hammer_opening, &own[i]), 0);
	}
	while (atomic_load(&ended) < WRITERS)
		ipsets_tidy(all, NOW);
	for (unsigned i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_join(openers[i], NULL), 0);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

Suite *suite_ipset(void)
{
	Suite *s = suite_create("ipset");
	TCase *t = tcase_create("ipset"), *process = tcase_create("process");

	tcase_add_checked_fixture(t, make_sets, free_sets);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_was_added_is_in);
	tcase_add_test(t, ports_do_not_count);
	tcase_add_test(t, a_mapped_address_is_ipv4);
	tcase_add_test(t, no_address_is_never_in);
	tcase_add_test(t, entries_expire);
	tcase_add_test(t, entries_expire_just_after_boot);
	tcase_add_test(t, to_add_again_renews);
	tcase_add_test(t, what_was_removed_is_out);
	tcase_add_test(t, a_set_is_cleared);
	tcase_add_test(t, a_long_random_life);
	tcase_add_test(t, a_full_set_refuses);
	tcase_add_test(t, all_sets_together_have_a_limit);
	tcase_add_test(t, an_unused_set_makes_room_for_another);
	tcase_add_test(t, one_name_is_one_set);
	tcase_add_test(t, names_are_plain);
	tcase_add_test(t, a_set_without_name_is_its_owners);
	tcase_add_test(t, an_overlay_keeps_its_changes);
	tcase_add_test(t, a_file_is_read);
	tcase_add_test(t, a_damaged_file_changes_nothing);
	tcase_add_test(t, what_was_written_is_read);
	tcase_add_test(t, a_full_disk_is_told);
	tcase_add_test(t, readers_do_not_wait_for_writers);
	tcase_add_test(t, sets_go_while_they_are_tidied);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(process, make_sets, free_sets);
	tcase_set_tags(process, "process");
	tcase_set_timeout(process, 120);
	tcase_add_test(process, a_million_fit_in_20_megabytes);
	suite_add_tcase(s, process);
	return s;
}
