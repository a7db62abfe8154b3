/* What of the expired the record cache keeps (RFC 8767), and what it locks. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/cause.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000 };

static const struct cache_config small = {
	.max_entries = 1000,
	.max_bytes = 1 << 20,
	.max_set_bytes = 8192,
	.shards = 4,
};

static struct cache *cache_make(const struct cache_config *cfg)
{
	struct cache *c = NULL;

	ck_assert_int_eq(cache_new(&c, cfg), E_OK);
	return c;
}

static struct rrset *negative(enum rrset_kind kind, const char *name, uint16_t type, uint32_t ttl,
			      enum rank rank)
{
	struct rrset *s = NULL;

	ck_assert_int_eq(
		rrset_new_negative(&s, kind, wire(name), type, ttl, NOW, rank, NULL, 0, CAUSE_NONE),
		E_OK);
	return s;
}

/* Puts and gives our own reference back. */
static enum cache_put_result put_as(struct cache *c, struct rrset *s, bool delegation, uint32_t now)
{
	enum cache_put_result result = cache_put(c, s, delegation, now);

	rrset_put(s);
	return result;
}

static enum cache_put_result put(struct cache *c, struct rrset *s)
{
	return put_as(c, s, false, NOW);
}

static struct cache_stats stats_of(struct cache *c)
{
	struct cache_stats st;

	cache_stats(c, &st);
	return st;
}

static struct rrset *set_a(const char *name, uint32_t ttl, enum rank rank)
{
	struct rdata rr = { .data = (const uint8_t *)"\x7f\0\0\1", .len = 4 };
	struct rrset *s = NULL;

	ck_assert_int_eq(rrset_new(&s, wire(name), TYPE_A, ttl, NOW, rank, &rr, 1, NULL, 0), E_OK);
	return s;
}

static struct rrset *set_of_kind(enum rrset_kind kind, uint32_t ttl, enum rank rank)
{
	if (kind == RRSET_DATA)
		return set_a("a.example.", ttl, rank);
	return negative(kind, "a.example.", kind == RRSET_NXDOMAIN ? 0 : TYPE_A, ttl, rank);
}

/* What is left of `a.example.`'s address at a time, for who would take it stale. */
static bool is_left(struct cache *c, uint32_t now, uint32_t stale_s)
{
	struct cache_view v;
	bool left = cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, now, stale_s, &v);

	cache_view_put(&v);
	return left;
}

START_TEST(the_expired_stay_for_the_stale_window)
{
	struct cache_config cfg = small;
	struct cache *c;

	cfg.stale_s = 100;
	cfg.shards = 1;
	c = cache_make(&cfg);
	put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
	put(c, negative(RRSET_FAILURE, "b.example.", TYPE_A, 60, RANK_NONE));
	/* A failure is of no use when it is over. */
	ck_assert_uint_eq(cache_expire_some(c, 100, NOW + 160), 1);
	ck_assert(is_left(c, NOW + 160, 100));
	/* Nor is anything when the window is over, or gone. */
	ck_assert_uint_eq(cache_expire_some(c, 100, NOW + 161), 1);
	put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
	cache_set_stale(c, 0);
	ck_assert_uint_eq(cache_expire_some(c, 100, NOW + 61), 1);
	cache_free(c);
}
END_TEST

START_TEST(some_sets_are_never_stale)
{
	struct cache *c = cache_make(&small);
	struct rrset *s = set_a("a.example.", 60, RANK_AUTH_ANSWER);

	s->no_stale = 1;
	put(c, s);
	ck_assert(is_left(c, NOW + 59, 100));
	ck_assert(!is_left(c, NOW + 60, 100));
	s = set_a("a.example.", 60, RANK_AUTH_ANSWER);
	rrset_set_security(s, SEC_BOGUS, 1);
	ck_assert_int_eq(put_as(c, s, false, NOW), CACHE_STORED);
	ck_assert(!is_left(c, NOW + 60, 100));
	put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
	ck_assert(is_left(c, NOW + 60, 100));
	/* What was wiped is gone. */
	cache_wipe(c, wire("a.example."), 0, false);
	ck_assert(!is_left(c, NOW + 60, 100));
	cache_free(c);
}
END_TEST

/* What takes the place of an address that expired a second ago, with and without a window? */
static const struct {
	enum rrset_kind kind;
	enum rank rank;
	uint32_t stale_s;
	enum cache_put_result result;
} successors[] = {
	{ RRSET_DATA, RANK_AUTH_ANSWER, 100, CACHE_STORED },
	{ RRSET_DATA, RANK_ANSWER, 100, CACHE_STORED },
	{ RRSET_DATA, RANK_ADDITIONAL, 100, CACHE_KEPT_BETTER }, /* never an answer */
	{ RRSET_DATA, RANK_ADDITIONAL, 0, CACHE_STORED },
	{ RRSET_NODATA, RANK_AUTH_ANSWER, 100, CACHE_STORED },
	{ RRSET_NXDOMAIN, RANK_AUTH_ANSWER, 100, CACHE_STORED },
};

START_TEST(a_stale_answer_gives_way_to_answers)
{
	struct cache_config cfg = small;
	struct rrset *s;
	struct cache *c;

	cfg.stale_s = successors[_i].stale_s;
	c = cache_make(&cfg);
	put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
	s = set_of_kind(successors[_i].kind, 600, successors[_i].rank);
	ck_assert_int_eq(put_as(c, s, false, NOW + 61), successors[_i].result);
	ck_assert_uint_eq(stats_of(c).entries, 1);
	cache_free(c);
}
END_TEST

/* A failure stands beside it, and the parent's glue has a place of its own. */
START_TEST(a_stale_answer_stands_beside_failures_and_glue)
{
	struct cache_config cfg = small;
	struct cache *c;

	cfg.stale_s = 100;
	c = cache_make(&cfg);
	put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
	put_as(c, negative(RRSET_FAILURE, "a.example.", TYPE_A, 90, RANK_NONE), false, NOW + 61);
	put_as(c, set_a("a.example.", 600, RANK_ADDITIONAL), true, NOW + 61);
	ck_assert_uint_eq(stats_of(c).entries, 3);
	ck_assert(is_left(c, NOW + 61, 100));
	cache_free(c);
}
END_TEST

START_TEST(the_stale_make_room_like_all)
{
	struct cache_config cfg = small;
	struct cache *c;

	cfg.shards = 1;
	cfg.max_entries = 100;
	cfg.stale_s = 1000;
	for (int used = 0; used < 2; used++) {
		c = cache_make(&cfg);
		put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
		/* Served as stale it stays, while names go by that are used once. */
		if (used)
			ck_assert(is_left(c, NOW + 61, 1000));
		for (unsigned i = 0; i < 400; i++) {
			char name[32];

			snprintf(name, sizeof(name), "n%u.example.", i);
			put(c, set_a(name, 3600, RANK_AUTH_ANSWER));
		}
		ck_assert_int_eq(is_left(c, NOW + 61, 1000), used);
		ck_assert_uint_le(stats_of(c).entries, 100);
		cache_free(c);
	}
}
END_TEST

/* record-cache-locked-ttl-perc: for half of its TTL of 60, a set of one rank by one of another. */
static const struct {
	enum rank old_rank, new_rank;
	uint32_t later_s;
	unsigned how;
	enum cache_put_result result;
} locks[] = {
	{ RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 29, 0, CACHE_KEPT_BETTER },
	{ RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 30, 0, CACHE_STORED },
	{ RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 29, CACHE_REFRESHES, CACHE_STORED },
	{ RANK_AUTH_AUTHORITY, RANK_AUTH_ANSWER, 29, 0, CACHE_KEPT_BETTER },
	{ RANK_ADDITIONAL, RANK_ADDITIONAL, 29, 0, CACHE_KEPT_BETTER },
	{ RANK_ADDITIONAL, RANK_AUTH_ANSWER, 0, 0, CACHE_STORED },
	{ RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 60, 0, CACHE_STORED },
};

START_TEST(a_locked_set_is_not_replaced)
{
	struct cache_config cfg = small;
	struct cache *c;
	struct rrset *s;

	cfg.locked_percent = 50;
	c = cache_make(&cfg);
	put(c, set_a("a.example.", 60, locks[_i].old_rank));
	s = set_a("a.example.", 600, locks[_i].new_rank);
	ck_assert_int_eq(cache_put(c, s, locks[_i].how, NOW + locks[_i].later_s), locks[_i].result);
	/* A denial is no lesser word, and off is off. */
	rrset_put(s);
	put(c, set_a("a.example.", 60, RANK_AUTH_ANSWER));
	s = set_of_kind(RRSET_NODATA, 60, RANK_AUTH_ANSWER);
	ck_assert_int_eq(put(c, s), CACHE_STORED);
	cache_set_locked(c, 0);
	put(c, set_a("b.example.", 60, RANK_AUTH_ANSWER));
	ck_assert_int_eq(put(c, set_a("b.example.", 60, RANK_AUTH_ANSWER)), CACHE_STORED);
	cache_free(c);
}
END_TEST

Suite *suite_cache_stale(void);

Suite *suite_cache_stale(void)
{
	Suite *s = suite_create("cache_stale");
	TCase *t = tcase_create("cache_stale");

	tcase_add_test(t, the_expired_stay_for_the_stale_window);
	tcase_add_test(t, some_sets_are_never_stale);
	tcase_add_loop_test(t, a_stale_answer_gives_way_to_answers, 0,
			    (int)(sizeof(successors) / sizeof(*successors)));
	tcase_add_test(t, a_stale_answer_stands_beside_failures_and_glue);
	tcase_add_test(t, the_stale_make_room_like_all);
	tcase_add_loop_test(t, a_locked_set_is_not_replaced, 0,
			    (int)(sizeof(locks) / sizeof(*locks)));
	suite_add_tcase(s, t);
	return s;
}
