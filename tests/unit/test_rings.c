#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/rings.h"
#include "tests/unit/wire_name.h"

enum { WORKERS = 2, ENTRIES = 100 };

static struct ringset *set;
static struct rings *rings[WORKERS];

static void make_rings(void)
{
	ck_assert_int_eq(ringset_new(&set, WORKERS), E_OK);
	for (unsigned i = 0; i < WORKERS; i++) {
		ck_assert_int_eq(rings_new(&rings[i], ENTRIES), E_OK);
		ck_assert_ptr_null(ringset_swap(set, i, rings[i]));
	}
}

static void free_rings(void)
{
	ringset_free(set);
	ringset_free(NULL);
	rings_free(NULL);
}

static void note(unsigned worker, enum ring_kind ring, const char *remote, const char *name,
		 uint16_t type, bool tcp)
{
	const uint8_t *w = name == NULL ? NULL : wire(name);
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, remote, 53), E_OK);
	rings_note(rings[worker], ring,
		   &(struct ring_note) { .remote = &a,
					 .name = w,
					 .name_len = w == NULL ? 0 : name_len(w),
					 .type = type,
					 .tcp = tcp });
}

/* What a ring holds, one text for all. */
static char text[1 << 20];

static bool write_entry(void *ctx, const struct ring_entry *e)
{
	char remote[ADDR_TEXT_MAX], name[NAME_TEXT_MAX] = "-", *end = text + strlen(text);

	(void)ctx;
	if (e->has_name)
		(void)name_to_text(name, e->name);
	(void)snprintf(end, (size_t)(text + sizeof(text) - end), "%s %s %u%s\n",
		       addr_text(remote, &e->remote), name, e->type, e->tcp ? " tcp" : "");
	return true;
}

static const char *content(enum ring_kind ring)
{
	text[0] = '\0';
	(void)ringset_read(set, ring, write_entry, NULL);
	return text;
}

START_TEST(empty_rings)
{
	for (unsigned i = 0; i < RING_COUNT; i++) {
		ck_assert_str_eq(content((enum ring_kind)i), "");
		ck_assert_uint_gt(strlen(ring_name((enum ring_kind)i)), 0);
	}
}
END_TEST

START_TEST(what_is_noted_is_read)
{
	note(0, RING_QUERIES, "192.0.2.1", "WWW.Example.COM", 28, false);
	note(0, RING_QUERIES, "2001:db8::1", "a.b", 1, true);
	note(0, RING_QUERIES, "192.0.2.2", ".", 65535, false);
	note(1, RING_QUERIES, "192.0.2.3", "other", 1, false);
	note(1, RING_REMOTES, "2001:db8::2", NULL, 0, true);
	note(1, RING_REMOTES, "192.0.2.4", NULL, 0, false);
	ck_assert_str_eq(content(RING_QUERIES), "192.0.2.2:0 . 65535\n"
						"[2001:db8::1]:0 a.b. 1 tcp\n"
						"192.0.2.1:0 www.example.com. 28\n"
						"192.0.2.3:0 other. 1\n");
	ck_assert_str_eq(content(RING_REMOTES), "192.0.2.4:0 - 0\n"
						"[2001:db8::2]:0 - 0 tcp\n");
	ck_assert_str_eq(content(RING_SERVFAIL), "");
}
END_TEST

static bool take_one(void *ctx, const struct ring_entry *e)
{
	(void)e;
	++*(unsigned *)ctx;
	return false;
}

START_TEST(a_reader_may_end_it)
{
	unsigned calls = 0;

	note(0, RING_QUERIES, "192.0.2.1", "a", 1, false);
	note(0, RING_QUERIES, "192.0.2.1", "b", 1, false);
	note(1, RING_QUERIES, "192.0.2.1", "c", 1, false);
	ck_assert_uint_eq(ringset_read(set, RING_QUERIES, take_one, &calls), 1);
	ck_assert_uint_eq(calls, 1);
}
END_TEST

/* The last ENTRIES are there, newest first, however often the ring has gone round. */
START_TEST(the_last_ones_stay)
{
	char expected[ENTRIES * 64], *end = expected;
	unsigned last = 100 * ENTRIES + 7;

	for (unsigned i = 0; i <= last; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "n%u%.*s", i, (int)(i % 40),
			       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		note(0, RING_QUERIES, i % 3 == 0 ? "2001:db8::1" : "192.0.2.1", name, 1, false);
	}
	for (unsigned i = last; i > last - ENTRIES; i--)
		end += snprintf(end, (size_t)(expected + sizeof(expected) - end), "%s n%u%.*s. 1\n",
				i % 3 == 0 ? "[2001:db8::1]:0" : "192.0.2.1:0", i, (int)(i % 40),
				"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	ck_assert_str_eq(content(RING_QUERIES), expected);
}
END_TEST

/* The longest names take more room than is reckoned with: there are fewer, all of them whole. */
START_TEST(of_long_names_there_are_fewer)
{
	char name[256] = "";
	size_t n, lines = 0;

	for (unsigned i = 0; i < 3; i++)
		(void)snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s.",
			       "123456789012345678901234567890123456789012345678901234567890123");
	(void)snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s",
		       "1234567890123456789012345678901234567890123456789012345678901");
	for (unsigned i = 0; i < 10 * ENTRIES; i++)
		note(0, RING_QUERIES, "2001:db8::1", name, 1, false);
	n = strlen(name);
	for (const char *p = content(RING_QUERIES); *p != '\0'; p = strchr(p, '\n') + 1, lines++)
		ck_assert(memcmp(p + strlen("[2001:db8::1]:0 "), name, n) == 0);
	ck_assert_uint_ge(lines, ENTRIES / 5);
	ck_assert_uint_lt(lines, ENTRIES);
}
END_TEST

START_TEST(one_entry_is_enough)
{
	struct rings *small;

	ck_assert_int_eq(rings_new(&small, 1), E_OK);
	rings_free(ringset_swap(set, 0, small));
	rings[0] = small;
	for (unsigned i = 0; i < 100; i++)
		note(0, RING_QUERIES, "192.0.2.1", i % 2 ? "a" : "b", 1, false);
	ck_assert_str_eq(content(RING_QUERIES), "192.0.2.1:0 a. 1\n");
}
END_TEST

START_TEST(a_worker_without_rings)
{
	note(0, RING_QUERIES, "192.0.2.1", "a", 1, false);
	note(1, RING_QUERIES, "192.0.2.1", "b", 1, false);
	rings_free(ringset_swap(set, 0, NULL));
	ck_assert_str_eq(content(RING_QUERIES), "192.0.2.1:0 b. 1\n");
}
END_TEST

/* ---- a writer and readers at the same time ---- */

/* All of an entry follows from its number, so half of one and half of another would show. */
static void make_entry(struct addr *a, uint8_t name[NAME_MAX_LEN], uint16_t *type, uint32_t i)
{
	unsigned len = 4 + i % 60;

	*a = (struct addr) { .family = i % 2 ? 6 : 4 };
	memcpy(a->ip, &i, sizeof(i));
	if (a->family == 6)
		memcpy(a->ip + 12, &i, sizeof(i));
	name[0] = (uint8_t)len;
	for (unsigned k = 0; k < len; k++)
		name[1 + k] = (uint8_t)('a' + (i + k) % 26);
	name[1 + len] = 0;
	*type = (uint16_t)(i * 7);
}

static bool check_entry(void *ctx, const struct ring_entry *e)
{
	uint8_t name[NAME_MAX_LEN];
	struct addr a;
	uint16_t type;
	uint32_t i;

	memcpy(&i, e->remote.ip, sizeof(i));
	make_entry(&a, name, &type, i);
	++*(size_t *)ctx;
	ck_assert(e->has_name && e->type == type && addr_equal_ip(&a, &e->remote) &&
		  name_equal_case(name, e->name));
	return true;
}

static _Atomic bool ends;

static void *write_on(void *arg)
{
	struct rings *r = arg;

	for (uint32_t i = 0; !atomic_load(&ends); i++) {
		uint8_t name[NAME_MAX_LEN];
		struct ring_note n = { .name = name };
		struct addr a;

		make_entry(&a, name, &n.type, i);
		n.remote = &a;
		n.name_len = name_len(name);
		rings_note(r, RING_QUERIES, &n);
	}
	return NULL;
}

START_TEST(readers_see_whole_entries)
{
	size_t seen = 0;
	pthread_t thread;

	atomic_store(&ends, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_on, rings[0]), 0);
	while (seen < 100000)
		(void)ringset_read(set, RING_QUERIES, check_entry, &seen);
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
	seen = 0;
	ck_assert_uint_eq(ringset_read(set, RING_QUERIES, check_entry, &seen), seen);
	ck_assert_uint_gt(seen, ENTRIES / 2);
}
END_TEST

Suite *suite_rings(void)
{
	Suite *s = suite_create("rings");
	TCase *tc = tcase_create("rings");

	tcase_add_checked_fixture(tc, make_rings, free_rings);
	tcase_add_test(tc, empty_rings);
	tcase_add_test(tc, what_is_noted_is_read);
	tcase_add_test(tc, a_reader_may_end_it);
	tcase_add_test(tc, the_last_ones_stay);
	tcase_add_test(tc, of_long_names_there_are_fewer);
	tcase_add_test(tc, one_entry_is_enough);
	tcase_add_test(tc, a_worker_without_rings);
	tcase_add_test(tc, readers_see_whole_entries);
	suite_add_tcase(s, tc);
	return s;
}
