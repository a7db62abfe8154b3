#include "recursor/policy/shelf.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/name.h"
#include "tests/unit/tmpdir.h"

static struct shelf *shelf;
static char dir[TMPDIR_MAX], path[TMPDIR_MAX + 16], why[NAMELIST_WHY_MAX];

static void begin(void)
{
	hash_key_set(1, 2);
	tmpdir_make(dir);
	snprintf(path, sizeof(path), "%s/list", dir);
	ck_assert_int_eq(shelf_new(&shelf), E_OK);
}

static void end(void)
{
	shelf_free(shelf);
	shelf_free(NULL);
	shelf_put(NULL);
	tmpdir_remove(dir);
}

static void write_list(const char *text)
{
	FILE *f;

	(void)unlink(path); /* another inode, however coarse the clock is */
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static struct shelf_item *get_list(void)
{
	struct shelf_item *item = NULL;

	ck_assert_msg(shelf_get_names(shelf, &item, path, why) == E_OK, "%s", why);
	return item;
}

static struct shelf_item *get_limit(const char *name, double qps)
{
	const struct ratelimit_config cfg = {
		.qps = qps, .ipv4_bits = 32, .ipv6_bits = 64, .max = 100
	};
	struct shelf_item *item = NULL;

	ck_assert_int_eq(shelf_get_ratelimit(shelf, &item, name, &cfg), E_OK);
	return item;
}

static struct shelf_stats stats(void)
{
	struct shelf_stats s;

	shelf_stats(shelf, &s);
	return s;
}

START_TEST(a_file_is_read_once)
{
	struct shelf_item *a, *b, *c;

	write_list("a.example\nb.example\n");
	a = get_list();
	b = get_list();
	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(stats().lists, 1);
	ck_assert_uint_eq(stats().names, 2);
	ck_assert_uint_gt(stats().bytes, 2 * 10);
	write_list("c.example\n"); /* what it says now is another list */
	c = get_list();
	ck_assert_ptr_ne(a, c);
	ck_assert(namelist_encloses(shelf_names(b), (const uint8_t *)"\1a\7example"));
	ck_assert(!namelist_encloses(shelf_names(c), (const uint8_t *)"\1a\7example"));
	shelf_put(a);
	ck_assert_uint_eq(stats().lists, 2);
	shelf_put(b);
	ck_assert_uint_eq(stats().lists, 1);
	shelf_put(c);
	ck_assert_uint_eq(stats().bytes, 0);
}
END_TEST

START_TEST(a_bad_file_is_told)
{
	struct shelf_item *item = NULL;
	char expected[2 * TMPDIR_MAX];

	write_list("a\nb..c\n");
	ck_assert_int_eq(shelf_get_names(shelf, &item, path, why), E_MALFORMED);
	snprintf(expected, sizeof(expected), "%s:2: 'b..c': not a name", path);
	ck_assert_str_eq(why, expected);
	ck_assert_ptr_null(item);
	unlink(path);
	ck_assert_int_eq(shelf_get_names(shelf, &item, path, why), E_SYSTEM);
	snprintf(expected, sizeof(expected), "%s: No such file or directory", path);
	ck_assert_str_eq(why, expected);
}
END_TEST

START_TEST(limits_are_shared_by_name)
{
	struct shelf_item *a = get_limit("a", 1), *b = get_limit("a", 1),
			  *other = get_limit("a", 2);
	struct shelf_item *own = get_limit(NULL, 1), *own_too = get_limit("", 1);
	const struct addr client = { .family = 4, .ip = { 192, 0, 2, 1 } };

	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_ne(a, other);
	ck_assert_ptr_ne(own, own_too);
	ck_assert_uint_eq(stats().limits, 4);
	ck_assert(ratelimit_allows(shelf_ratelimit(a), &client, 1000000));
	ck_assert(!ratelimit_allows(shelf_ratelimit(b), &client, 1000000));
	ck_assert(ratelimit_allows(shelf_ratelimit(other), &client, 1000000));
	ck_assert_uint_eq(stats().refused, 1);
	shelf_put(a);
	shelf_put(b);
	shelf_put(other);
	shelf_put(own);
	shelf_put(own_too);
	ck_assert_uint_eq(stats().limits, 0);
	ck_assert_uint_eq(stats().refused, 1); /* what is no more counts on */
}
END_TEST

static atomic_int loading; /* 1: it is being loaded; 2: it is there */

static void *load_list(void *arg)
{
	struct shelf_item **item = arg;

	atomic_store(&loading, 1);
	*item = get_list();
	atomic_store(&loading, 2);
	return NULL;
}

/* How often somebody comes at what is on the shelf while a thread loads what it gives to *item. */
static unsigned turns_beside(void *(*load)(void *), struct shelf_item **item)
{
	unsigned turns = 0;
	pthread_t thread;

	atomic_store(&loading, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, load, item), 0);
	while (atomic_load(&loading) == 0)
		usleep(100);
	for (; atomic_load(&loading) == 1; turns++) {
		(void)stats();
		usleep(1000);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_ptr_nonnull(*item);
	return turns;
}

/* A long list: others come at what is on the shelf meanwhile, and more than once. */
START_TEST(others_do_not_wait_for_a_file)
{
	enum { NAMES = 300000 };
	struct shelf_item *item = NULL;
	unsigned turns;
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < NAMES; i++)
		fprintf(f, "n%u.example\n", i);
	ck_assert_int_eq(fclose(f), 0);
	turns = turns_beside(load_list, &item);
	ck_assert_uint_eq(stats().names, NAMES);
	ck_assert_uint_gt(turns, 2);
	shelf_put(item);
}
END_TEST

/* Whose memory takes its time to clear. */
static void *make_large_limit(void *arg)
{
	const struct ratelimit_config cfg = {
		.qps = 1, .ipv4_bits = 32, .ipv6_bits = 64, .max = 4000000
	};
	struct shelf_item **item = arg;

	atomic_store(&loading, 1);
	if (shelf_get_ratelimit(shelf, item, "large", &cfg) != E_OK)
		*item = NULL;
	atomic_store(&loading, 2);
	return NULL;
}

/* Once is enough: a busy host may let nobody come for as long. */
START_TEST(others_do_not_wait_for_a_large_limit)
{
	enum { TRIES = 10 };
	unsigned turns = 0;

	for (unsigned i = 0; i < TRIES && turns <= 2; i++) {
		struct shelf_item *item = NULL;

		turns = turns_beside(make_large_limit, &item);
		shelf_put(item);
	}
	ck_assert_uint_gt(turns, 2);
}
END_TEST

/* Each makes it without the lock, and one of them was there first. */
START_TEST(two_at_once_share_a_limit)
{
	struct shelf_item *items[2] = { NULL };
	pthread_t threads[2];

	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, make_large_limit, &items[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_ptr_nonnull(items[0]);
	ck_assert_ptr_eq(items[0], items[1]);
	ck_assert_uint_eq(stats().limits, 1);
	shelf_put(items[0]);
	ck_assert_uint_eq(stats().limits, 1);
	shelf_put(items[1]);
	ck_assert_uint_eq(stats().limits, 0);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	const struct ratelimit_config cfg = { .qps = 0, .max = 100 };
	struct shelf_item *item = NULL;

	ck_assert_int_eq(shelf_get_ratelimit(shelf, &item, "a", &cfg), E_RANGE);
	ck_assert_ptr_null(item);
}
END_TEST

Suite *suite_shelf(void)
{
	Suite *s = suite_create("shelf");
	TCase *t = tcase_create("shelf");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_file_is_read_once);
	tcase_add_test(t, a_bad_file_is_told);
	tcase_add_test(t, limits_are_shared_by_name);
	tcase_add_test(t, others_do_not_wait_for_a_file);
	tcase_add_test(t, others_do_not_wait_for_a_large_limit);
	tcase_add_test(t, two_at_once_share_a_limit);
	tcase_add_test(t, nonsense_is_refused);
	suite_add_tcase(s, t);
	return s;
}
