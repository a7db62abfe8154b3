#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/heap.h"
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

static struct rrset *set_with(const char *name, uint16_t type, uint32_t ttl, enum rank rank,
			      const void *rdata, uint16_t len)
{
	struct rdata rr = { .data = rdata, .len = len };
	struct rrset *s = NULL;

	ck_assert_int_eq(rrset_new(&s, wire(name), type, ttl, NOW, rank, &rr, 1, NULL, 0), E_OK);
	return s;
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

static struct rrset *set_a(const char *name, uint32_t ttl, enum rank rank)
{
	return set_with(name, TYPE_A, ttl, rank, "\x7f\0\0\1", 4);
}

static enum cache_put_result put_a(struct cache *c, const char *name, uint32_t ttl)
{
	return put(c, set_a(name, ttl, RANK_AUTH_ANSWER));
}

static bool has(struct cache *c, const char *name, uint16_t type)
{
	struct cache_view v;
	bool there;

	cache_look(c, wire(name), type, CACHE_WANT_ANSWER, NOW, 0, &v);
	there = v.exact != NULL;
	cache_view_put(&v);
	return there;
}

static struct cache_stats stats_of(struct cache *c)
{
	struct cache_stats st;

	cache_stats(c, &st);
	return st;
}

START_TEST(one_look_finds_everything)
{
	struct cache *c = cache_make(&small);
	const uint8_t *name = wire("a.example.");
	struct cache_view v;

	put(c, set_with("a.example.", TYPE_DNAME, 60, RANK_AUTH_ANSWER, "\1c\0", 3));
	put(c, set_with("a.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3));
	put(c, set_with("a.example.", TYPE_NS, 60, RANK_AUTH_AUTHORITY, "\1d\0", 3));
	put_as(c, set_with("a.example.", TYPE_NS, 60, RANK_REFERRAL, "\1e\0", 3), true, NOW);
	put(c, negative(RRSET_NODATA, "a.example.", TYPE_NSEC, 60, RANK_AUTH_ANSWER));

	ck_assert(cache_look(c, name, TYPE_NSEC, CACHE_WANT_ANSWER | CACHE_WANT_CUT, NOW, 0, &v));
	ck_assert_int_eq(v.exact->kind, RRSET_NODATA);
	ck_assert_int_eq(v.cname->type, TYPE_CNAME);
	ck_assert_int_eq(v.dname->type, TYPE_DNAME);
	ck_assert_int_eq(v.ns->rank, RANK_AUTH_AUTHORITY);
	ck_assert_int_eq(v.delegation->rank, RANK_REFERRAL);
	ck_assert_ptr_null(v.nxdomain);
	cache_view_put(&v);
	ck_assert_ptr_null(v.exact);

	ck_assert(cache_look(c, name, TYPE_A, CACHE_WANT_CUT, NOW, 0, &v));
	ck_assert_ptr_null(v.cname);
	ck_assert_ptr_nonnull(v.delegation);
	cache_view_put(&v);

	/* The type of a CNAME question is no alias; the number used inside is no question. */
	ck_assert(cache_look(c, name, TYPE_CNAME, CACHE_WANT_ANSWER, NOW, 0, &v));
	ck_assert_ptr_nonnull(v.exact);
	ck_assert_ptr_null(v.cname);
	cache_view_put(&v);
	ck_assert(!has(c, "a.example.", CACHE_DELEGATION));
	ck_assert(has(c, "A.eXAMple.", TYPE_NSEC));
	ck_assert(!cache_look(c, wire("b.example."), TYPE_A, CACHE_WANT_ANSWER, NOW, 0, &v));
	cache_free(c);
}
END_TEST

START_TEST(get_asks_for_type_and_rank)
{
	struct cache *c = cache_make(&small);
	struct rrset *s;

	put(c, set_a("a.example.", 60, RANK_ADDITIONAL));
	put_as(c, set_with("a.example.", TYPE_NS, 60, RANK_REFERRAL, "\1e\0", 3), true, NOW);
	s = cache_get(c, wire("a.example."), TYPE_A, RANK_ADDITIONAL, NOW);
	ck_assert_ptr_nonnull(s);
	rrset_put(s);
	ck_assert_ptr_null(cache_get(c, wire("a.example."), TYPE_A, RANK_REFERRAL, NOW));
	ck_assert_ptr_null(cache_get(c, wire("a.example."), TYPE_NS, RANK_NONE, NOW));
	ck_assert_ptr_null(cache_get(c, wire("a.example."), TYPE_A, RANK_NONE, NOW + 60));
	s = cache_get(c, wire("a.example."), CACHE_DELEGATION, RANK_NONE, NOW);
	ck_assert_ptr_nonnull(s);
	rrset_put(s);
	cache_free(c);
}
END_TEST

START_TEST(addresses_come_together)
{
	struct cache *c = cache_make(&small);
	struct cache_addresses v;

	put_a(c, "ns.example.", 60);
	put(c, negative(RRSET_NODATA, "ns.example.", TYPE_AAAA, 60, RANK_AUTH_ANSWER));
	cache_get_addresses(c, wire("ns.example."), name_hash(wire("ns.example.")), NOW, 0, &v);
	ck_assert_int_eq(v.a->kind, RRSET_DATA);
	ck_assert_int_eq(v.aaaa->kind, RRSET_NODATA);
	ck_assert_ptr_null(v.glue_a);
	cache_addresses_put(&v);
	/* The parent's word stands beside the server's own, and is no answer. */
	put_as(c, set_a("ns.example.", 60, RANK_ADDITIONAL), true, NOW);
	put(c, negative(RRSET_NXDOMAIN, "ns.example.", 0, 60, RANK_AUTH_ANSWER));
	cache_get_addresses(c, wire("ns.example."), name_hash(wire("ns.example.")), NOW, 0, &v);
	ck_assert_int_eq(v.a->kind, RRSET_NXDOMAIN);
	ck_assert_ptr_eq(v.a, v.aaaa);
	ck_assert_int_eq(v.glue_a->kind, RRSET_DATA);
	ck_assert_ptr_null(v.glue_aaaa);
	cache_addresses_put(&v);
	ck_assert_ptr_null(cache_get(c, wire("ns.example."), TYPE_A, RANK_NONE, NOW));
	ck_assert_ptr_null(cache_get(c, wire("ns.example."), CACHE_DELEGATION, RANK_NONE, NOW));
	cache_get_addresses(c, wire("ns.example."), name_hash(wire("ns.example.")), NOW + 60, 0,
			    &v);
	ck_assert_ptr_null(v.a);
	ck_assert_ptr_null(v.aaaa);
	ck_assert_ptr_null(v.glue_a);
	cache_free(c);
}
END_TEST

/* RFC 2181 5.4.1.  What stands there, what is offered, when, and what is there in the end. */
static const struct {
	enum rrset_kind old_kind, new_kind;
	enum rank old_rank, new_rank;
	uint32_t later_s; /* the old one expires after 60 */
	enum cache_put_result result;
} rankings[] = {
	{ RRSET_DATA, RRSET_DATA, RANK_ADDITIONAL, RANK_ADDITIONAL, 0, CACHE_KEPT_BETTER },
	{ RRSET_DATA, RRSET_DATA, RANK_ADDITIONAL, RANK_ADDITIONAL, 60, CACHE_STORED },
	{ RRSET_DATA, RRSET_DATA, RANK_ADDITIONAL, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_DATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_ADDITIONAL, 0, CACHE_KEPT_BETTER },
	{ RRSET_DATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_AUTH_AUTHORITY, 0, CACHE_KEPT_BETTER },
	{ RRSET_DATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_AUTH_AUTHORITY, 59, CACHE_KEPT_BETTER },
	{ RRSET_DATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_ADDITIONAL, 60, CACHE_STORED },
	{ RRSET_DATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_DATA, RRSET_NODATA, RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_DATA, RRSET_NODATA, RANK_AUTH_ANSWER, RANK_ANSWER, 0, CACHE_KEPT_BETTER },
	{ RRSET_NODATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_NODATA, RRSET_DATA, RANK_AUTH_ANSWER, RANK_ADDITIONAL, 0, CACHE_KEPT_BETTER },
	{ RRSET_DATA, RRSET_NXDOMAIN, RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_DATA, RRSET_NXDOMAIN, RANK_LOCAL, RANK_AUTH_ANSWER, 0, CACHE_KEPT_BETTER },
	{ RRSET_DATA, RRSET_NXDOMAIN, RANK_LOCAL, RANK_AUTH_ANSWER, 60, CACHE_STORED },
	{ RRSET_NXDOMAIN, RRSET_DATA, RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_NXDOMAIN, RRSET_DATA, RANK_AUTH_ANSWER, RANK_ADDITIONAL, 0, CACHE_KEPT_BETTER },
	{ RRSET_NXDOMAIN, RRSET_DATA, RANK_AUTH_ANSWER, RANK_ADDITIONAL, 60, CACHE_STORED },
	{ RRSET_NXDOMAIN, RRSET_NODATA, RANK_AUTH_ANSWER, RANK_AUTH_ANSWER, 0, CACHE_STORED },
	{ RRSET_NXDOMAIN, RRSET_NXDOMAIN, RANK_AUTH_ANSWER, RANK_ANSWER, 0, CACHE_KEPT_BETTER },
	{ RRSET_FAILURE, RRSET_DATA, RANK_LOCAL, RANK_ANSWER, 0, CACHE_STORED },
	{ RRSET_FAILURE, RRSET_FAILURE, RANK_LOCAL, RANK_NONE, 0, CACHE_STORED },
	{ RRSET_DATA, RRSET_FAILURE, RANK_ANSWER, RANK_LOCAL, 0, CACHE_KEPT_BETTER },
	{ RRSET_NXDOMAIN, RRSET_FAILURE, RANK_ADDITIONAL, RANK_LOCAL, 0, CACHE_KEPT_BETTER },
};

static struct rrset *set_of_kind(enum rrset_kind kind, uint32_t ttl, enum rank rank)
{
	if (kind == RRSET_DATA)
		return set_a("a.example.", ttl, rank);
	return negative(kind, "a.example.", kind == RRSET_NXDOMAIN ? 0 : TYPE_A, ttl, rank);
}

START_TEST(the_better_rank_stays)
{
	struct cache *c = cache_make(&small);
	struct rrset *old = set_of_kind(rankings[_i].old_kind, 60, rankings[_i].old_rank);
	struct rrset *new = set_of_kind(rankings[_i].new_kind, 600, rankings[_i].new_rank);
	uint32_t later = NOW + rankings[_i].later_s;
	const struct rrset *left;
	struct cache_view v;

	ck_assert_int_eq(cache_put(c, old, false, NOW), CACHE_STORED);
	ck_assert_int_eq(cache_put(c, new, false, later), rankings[_i].result);
	left = rankings[_i].result == CACHE_STORED ? new : old;
	cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, later, 0, &v);
	ck_assert_ptr_eq(left->kind == RRSET_NXDOMAIN ? v.nxdomain : v.exact, left);
	ck_assert_ptr_null(left->kind == RRSET_NXDOMAIN ? v.exact : v.nxdomain);
	ck_assert_uint_eq(stats_of(c).entries, 1);
	cache_view_put(&v);
	rrset_put(old);
	rrset_put(new);
	cache_free(c);
}
END_TEST

START_TEST(nxdomain_takes_all_but_the_delegation)
{
	struct cache *c = cache_make(&small);
	struct cache_view v;

	put_a(c, "a.example.", 60);
	put(c, set_with("a.example.", TYPE_NS, 60, RANK_AUTH_AUTHORITY, "\1d\0", 3));
	put(c, negative(RRSET_NODATA, "a.example.", TYPE_MX, 60, RANK_AUTH_ANSWER));
	put(c, negative(RRSET_FAILURE, "a.example.", TYPE_TXT, 60, RANK_NONE));
	put_as(c, set_with("a.example.", TYPE_NS, 60, RANK_REFERRAL, "\1e\0", 3), true, NOW);
	put_a(c, "b.example.", 60);
	put(c, negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER));
	ck_assert_uint_eq(stats_of(c).entries, 3);
	ck_assert_uint_eq(stats_of(c).negative, 1);
	ck_assert(cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_CUT, NOW, 0, &v));
	ck_assert_ptr_nonnull(v.nxdomain);
	ck_assert_ptr_nonnull(v.delegation);
	ck_assert_ptr_null(v.ns);
	cache_view_put(&v);
	ck_assert(has(c, "b.example.", TYPE_A));
	cache_free(c);
}
END_TEST

/* What is known of a zone's being signed outlives a denial of its name that may be anyone's. */
START_TEST(an_unchecked_nxdomain_leaves_trust)
{
	struct cache *c = cache_make(&small);
	struct rrset *keys = set_with("a.example.", TYPE_DNSKEY, 60, RANK_AUTH_ANSWER, "k", 1);
	struct rrset *denial = negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER);

	rrset_set_security(keys, SEC_SECURE, 0);
	put(c, rrset_get(keys));
	put(c, set_with("a.example.", CACHE_TRUST, 60, RANK_LOCAL, "", 0));
	put(c, rrset_get(denial));
	ck_assert(has(c, "a.example.", TYPE_DNSKEY));
	ck_assert(has(c, "a.example.", CACHE_TRUST));
	ck_assert_uint_eq(stats_of(c).negative, 1);
	/* Nor does such knowledge say that the name exists. */
	put(c, set_with("a.example.", CACHE_TRUST, 60, RANK_LOCAL, "", 0));
	ck_assert_uint_eq(stats_of(c).negative, 1);

	rrset_set_security(denial, SEC_SECURE, 0);
	put(c, denial);
	ck_assert(!has(c, "a.example.", TYPE_DNSKEY));
	ck_assert(has(c, "a.example.", CACHE_TRUST));
	rrset_forget_security(keys);
	put(c, keys);
	ck_assert_uint_eq(stats_of(c).negative, 0);
	put(c, negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER));
	ck_assert(!has(c, "a.example.", TYPE_DNSKEY));
	cache_free(c);
}
END_TEST

/* Nor does anything else that was validated go: the denial, or the alias, may be a lie, told for one type. */
START_TEST(what_was_validated_stays_beside_what_is_not)
{
	struct cache *c = cache_make(&small);
	struct rrset *a = set_a("a.example.", 60, RANK_AUTH_ANSWER);
	struct rrset *nodata = negative(RRSET_NODATA, "a.example.", TYPE_MX, 60, RANK_AUTH_ANSWER);
	struct rrset *lie = negative(RRSET_NODATA, "a.example.", TYPE_AAAA, 60, RANK_AUTH_ANSWER);
	struct rrset *failure = negative(RRSET_FAILURE, "a.example.", TYPE_TXT, 60, RANK_NONE);
	struct rrset *alias = set_with("a.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3);
	struct rrset *denial = negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER);

	rrset_set_security(a, SEC_SECURE, 0);
	rrset_set_security(nodata, SEC_SECURE, 0);
	rrset_set_security(lie, SEC_BOGUS, 1);
	rrset_set_security(failure, SEC_BOGUS, 1);
	put(c, a);
	put(c, nodata);
	put(c, lie);
	put(c, failure);
	put(c, set_with("a.example.", TYPE_SRV, 60, RANK_AUTH_ANSWER, "x", 1));
	put(c, alias);
	ck_assert_uint_eq(stats_of(c).entries, 6);
	put(c, rrset_get(denial));
	ck_assert(has(c, "a.example.", TYPE_A));
	ck_assert(!has(c, "a.example.", TYPE_SRV));
	ck_assert(!has(c, "a.example.", TYPE_CNAME));
	ck_assert_uint_eq(stats_of(c).negative, 4);

	/* Validated itself, it takes away what it makes untrue. */
	rrset_set_security(denial, SEC_SECURE, 0);
	cache_replace(c, denial, denial, 0, NOW);
	ck_assert_uint_eq(stats_of(c).entries, 1);
	ck_assert(cache_drop(c, denial));
	cache_replace(c, denial, denial, 0, NOW); /* it is there no more */
	ck_assert(!cache_drop(c, denial));
	ck_assert_uint_eq(stats_of(c).entries, 0);
	rrset_put(denial);
	cache_free(c);
}
END_TEST

START_TEST(what_fills_takes_no_place)
{
	struct cache *c = cache_make(&small);
	struct rrset *lie = set_with("a.example.", TYPE_A, 60, RANK_AUTH_ANSWER, "lie!", 4);
	struct rrset *denial;

	put_a(c, "a.example.", 60);
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW + 59), CACHE_KEPT_BETTER);
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW + 60), CACHE_REFUSED); /* expired */
	cache_wipe(c, wire("a.example."), 0, false);
	put(c, set_with("a.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3));
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_KEPT_BETTER);
	put(c, negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER));
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_KEPT_BETTER);
	cache_wipe(c, wire("a.example."), 0, false);
	put(c, negative(RRSET_NODATA, "a.example.", TYPE_MX, 60, RANK_AUTH_ANSWER));
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_STORED);
	ck_assert_uint_eq(stats_of(c).entries, 2);
	rrset_put(lie);

	/* But the alias may be the lie that the failure is of, told for another type. */
	cache_wipe(c, wire("a.example."), 0, false);
	put(c, set_with("a.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3));
	lie = negative(RRSET_FAILURE, "a.example.", TYPE_A, 60, RANK_NONE);
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_STORED);
	rrset_put(lie);

	/* Or for that one, to somebody with CD=1 in between. */
	lie = negative(RRSET_FAILURE, "a.example.", TYPE_CNAME, 60, RANK_NONE);
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_STORED);
	rrset_put(lie);

	/* Nobody but the parent has an answer for a zone's DS. */
	cache_wipe(c, wire("a.example."), 0, false);
	denial = negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER);
	denial->zone_labels = 2;
	rrset_set_security(denial, SEC_INSECURE, 0);
	put(c, denial);
	lie = negative(RRSET_FAILURE, "a.example.", TYPE_A, 60, RANK_NONE);
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_KEPT_BETTER);
	rrset_put(lie);
	lie = negative(RRSET_FAILURE, "a.example.", TYPE_DS, 60, RANK_NONE);
	ck_assert_int_eq(cache_put(c, lie, CACHE_FILLS, NOW), CACHE_STORED);
	rrset_put(lie);
	cache_free(c);
}
END_TEST

/* Of the zone at "a.example." or, with fewer labels, of one above. */
static struct rrset *said_by(struct rrset *s, uint8_t zone_labels)
{
	s->zone_labels = zone_labels;
	return s;
}

static enum cache_put_result offer_failure(struct cache *c, uint16_t type, unsigned how)
{
	struct rrset *s = negative(RRSET_FAILURE, "a.example.", type, 60, RANK_NONE);
	enum cache_put_result result = cache_put(c, s, how, NOW);

	rrset_put(s);
	return result;
}

/* At the name of a configured zone the parent's denial speaks of the DS alone; the zone's own of all else. */
START_TEST(a_failure_stands_beside_the_parents_denial)
{
	static const struct {
		uint8_t zone_labels;
		unsigned how;
		enum cache_put_result of_a, of_ds;
	} rows[] = {
		{ 1, CACHE_AT_CONFIGURED, CACHE_STORED, CACHE_KEPT_BETTER },
		{ 2, CACHE_AT_CONFIGURED, CACHE_KEPT_BETTER, CACHE_STORED },
		{ 1, 0, CACHE_KEPT_BETTER, CACHE_KEPT_BETTER },
		{ 2, 0, CACHE_KEPT_BETTER, CACHE_STORED },
	};
	struct cache *c = cache_make(&small);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rrset *denial = said_by(
			negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER),
			rows[i].zone_labels);
		size_t stay = 2U - (rows[i].of_a != CACHE_STORED) - (rows[i].of_ds != CACHE_STORED);

		/* What lies fills a place, and what failed has one: one rule for both. */
		for (unsigned fills = 0; fills <= CACHE_FILLS; fills += CACHE_FILLS) {
			unsigned how = rows[i].how | fills;

			rrset_forget_security(denial);
			rrset_set_security(denial, SEC_INSECURE, 0);
			ck_assert_int_eq(cache_put(c, denial, rows[i].how, NOW), CACHE_STORED);
			ck_assert_int_eq(offer_failure(c, TYPE_A, how), rows[i].of_a);
			ck_assert_int_eq(offer_failure(c, TYPE_DS, how), rows[i].of_ds);
			ck_assert_uint_eq(stats_of(c).entries, 1 + stay);
			cache_wipe(c, wire("a.example."), 0, false);
		}
		/* The other way round: it takes those away that it speaks of. */
		ck_assert_int_eq(offer_failure(c, TYPE_A, rows[i].how), CACHE_STORED);
		ck_assert_int_eq(offer_failure(c, TYPE_DS, rows[i].how), CACHE_STORED);
		ck_assert_int_eq(cache_put(c, denial, rows[i].how, NOW), CACHE_STORED);
		ck_assert_uint_eq(stats_of(c).entries, 1 + stay);
		cache_wipe(c, wire("a.example."), 0, false);
		rrset_put(denial);
	}
	cache_free(c);
}
END_TEST

/* The verdict on what the parent said of a configured zone leaves what the zone says. */
START_TEST(a_verdict_on_the_parents_denial_leaves_the_zones_word)
{
	struct cache *c = cache_make(&small);
	struct rrset *denial = said_by(
		negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER), 1);
	struct rrset *word = said_by(set_a("a.example.", 60, RANK_ANSWER), 2);

	ck_assert_int_eq(cache_put(c, denial, CACHE_AT_CONFIGURED, NOW), CACHE_STORED);
	ck_assert_int_eq(cache_put(c, word, CACHE_AT_CONFIGURED, NOW), CACHE_STORED);
	rrset_set_security(denial, SEC_SECURE, 0);
	cache_replace(c, denial, denial, CACHE_AT_CONFIGURED, NOW);
	ck_assert_uint_eq(stats_of(c).entries, 2);
	cache_replace(c, denial, denial, 0, NOW);
	ck_assert_uint_eq(stats_of(c).entries, 1);
	rrset_put(denial);
	rrset_put(word);
	cache_free(c);
}
END_TEST

START_TEST(a_failure_stands_beside_what_was_told_in_passing)
{
	struct cache *c = cache_make(&small);
	const uint8_t *name = wire("a.example.");
	struct cache_addresses found;
	struct cache_view v;

	put(c, set_a("a.example.", 60, RANK_ADDITIONAL));
	ck_assert(!cache_answers(c, name, TYPE_A, NOW, 0));
	for (int i = 0; i < 2; i++) {
		put(c, negative(RRSET_FAILURE, "a.example.", TYPE_A, 60, RANK_NONE));
		ck_assert(cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW, 0, &v));
		ck_assert_int_eq(v.exact->kind, RRSET_FAILURE);
		cache_view_put(&v);
		ck_assert(cache_answers(c, name, TYPE_A, NOW, 0));
		cache_get_addresses(c, name, name_hash(name), NOW, 0, &found);
		ck_assert_ptr_nonnull(found.a);
		cache_addresses_put(&found);
		/* Whichever came first. */
		cache_wipe(c, name, 0, false);
		put(c, negative(RRSET_FAILURE, "a.example.", TYPE_A, 60, RANK_NONE));
		put(c, set_a("a.example.", 60, RANK_ADDITIONAL));
	}
	ck_assert_uint_eq(stats_of(c).entries, 2);
	put_a(c, "a.example.", 60);
	ck_assert_uint_eq(stats_of(c).entries, 1);
	cache_free(c);
}
END_TEST

START_TEST(trust_is_restored_beside_an_unchecked_nxdomain)
{
	struct cache *c = cache_make(&small);
	struct rrset *keys = set_with("a.example.", TYPE_DNSKEY, 60, RANK_AUTH_ANSWER, "k", 1);
	struct rrset *denial = negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER);

	put(c, rrset_get(denial));
	ck_assert_int_eq(cache_restore(c, keys, false, NOW), CACHE_KEPT_BETTER);
	rrset_set_security(keys, SEC_SECURE, 0);
	ck_assert_int_eq(cache_restore(c, keys, false, NOW), CACHE_STORED);
	/* What was learnt since stays alone. */
	cache_drop(c, denial);
	ck_assert_int_eq(cache_restore(c, denial, false, NOW), CACHE_KEPT_BETTER);
	ck_assert(has(c, "a.example.", TYPE_DNSKEY));
	ck_assert_uint_eq(stats_of(c).entries, 1);
	rrset_put(keys);
	rrset_put(denial);
	cache_free(c);
}
END_TEST

START_TEST(that_very_set_is_dropped)
{
	struct cache *c = cache_make(&small);
	struct rrset *denial = negative(RRSET_NXDOMAIN, "a.example.", 0, 60, RANK_AUTH_ANSWER);
	struct rrset *a = set_a("a.example.", 60, RANK_AUTH_ANSWER);

	put(c, set_with("a.example.", TYPE_TXT, 60, RANK_AUTH_ANSWER, "\1x", 2));
	put_as(c, set_with("a.example.", TYPE_NS, 60, RANK_REFERRAL, "\1e\0", 3), true, NOW);
	put(c, rrset_get(a));
	put_a(c, "a.example.", 60); /* in its place */
	cache_drop(c, a);
	cache_drop(c, denial);
	ck_assert_uint_eq(stats_of(c).entries, 3);
	put(c, rrset_get(denial));
	cache_drop(c, denial);
	ck_assert_uint_eq(stats_of(c).entries, 1);
	rrset_put(a);
	rrset_put(denial);
	cache_free(c);
}
END_TEST

START_TEST(an_alias_and_other_data_exclude_each_other)
{
	struct cache *c = cache_make(&small);

	put(c, set_with("a.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3));
	/* Glue does not unseat an alias; beside it DNSSEC's types may stand. */
	put(c, set_a("a.example.", 60, RANK_ADDITIONAL));
	put(c, set_with("a.example.", TYPE_NSEC, 60, RANK_AUTH_ANSWER, "\1b\0\0\1\x40", 6));
	ck_assert(has(c, "a.example.", TYPE_CNAME));
	put_a(c, "a.example.", 60);
	ck_assert(!has(c, "a.example.", TYPE_CNAME));
	ck_assert(has(c, "a.example.", TYPE_NSEC));

	put(c, negative(RRSET_NODATA, "c.example.", TYPE_A, 60, RANK_AUTH_ANSWER));
	put(c, negative(RRSET_NXDOMAIN, "d.example.", 0, 60, RANK_AUTH_ANSWER));
	put(c, set_with("c.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3));
	put(c, set_with("d.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\1b\0", 3));
	ck_assert(!has(c, "c.example.", TYPE_A));
	ck_assert_uint_eq(stats_of(c).negative, 0);
	cache_free(c);
}
END_TEST

START_TEST(what_is_expired_is_for_stale_use_only)
{
	struct cache *c = cache_make(&small);
	const uint8_t *name = wire("a.example.");
	struct cache_view v;

	put_a(c, "a.example.", 60);
	ck_assert(!cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW + 60, 0, &v));
	ck_assert(cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW + 60, 100, &v));
	cache_view_put(&v);
	ck_assert(cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW + 160, 100, &v));
	cache_view_put(&v);
	ck_assert(!cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW + 161, 100, &v));

	/* A failure to renew it does not take it away, and is found first where it should be. */
	ck_assert_int_eq(put_as(c, negative(RRSET_FAILURE, "a.example.", TYPE_A, 100, RANK_NONE),
				false, NOW + 60),
			 CACHE_STORED);
	ck_assert(cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW + 61, 0, &v));
	ck_assert_int_eq(v.exact->kind, RRSET_FAILURE);
	cache_view_put(&v);
	ck_assert(cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER, NOW + 61, 100, &v));
	ck_assert_int_eq(v.exact->kind, RRSET_DATA);
	cache_view_put(&v);
	cache_free(c);
}
END_TEST

START_TEST(a_clock_set_back_does_no_harm)
{
	struct cache *c = cache_make(&small);
	struct cache_view v;

	put_a(c, "a.example.", 60);
	ck_assert(cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, NOW - 50, 0, &v));
	ck_assert_uint_eq(rrset_ttl_left(v.exact, NOW - 50), 60);
	cache_view_put(&v);
	/* It would live for hours more. */
	ck_assert(
		!cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, NOW - 10000, 0, &v));
	ck_assert(!cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, NOW - 10000, 100,
			      &v));
	ck_assert_int_eq(put_as(c, set_a("a.example.", 60, RANK_ADDITIONAL), false, NOW - 10000),
			 CACHE_REFUSED);
	cache_free(c);
}
END_TEST

START_TEST(some_sets_are_refused)
{
	static const uint8_t large[9000];
	struct cache *c = cache_make(&small);

	ck_assert_int_eq(put_a(c, "a.example.", 0), CACHE_REFUSED);
	ck_assert_int_eq(put_as(c, set_a("a.example.", 60, RANK_LOCAL), false, NOW + 60),
			 CACHE_REFUSED);
	ck_assert_int_eq(put(c, set_with("a.example.", TYPE_TXT, 60, RANK_AUTH_ANSWER, large,
					 sizeof(large))),
			 CACHE_REFUSED);
	ck_assert_uint_eq(stats_of(c).entries, 0);
	cache_free(c);
}
END_TEST

static void put_numbered(struct cache *c, unsigned from, unsigned to)
{
	char name[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		put_a(c, name, 3600);
	}
}

static unsigned count_numbered(struct cache *c, unsigned from, unsigned to)
{
	char name[32];
	unsigned n = 0;

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		n += has(c, name, TYPE_A);
	}
	return n;
}

START_TEST(memory_is_accounted_to_the_byte)
{
	struct cache *c = cache_make(&small);
	struct rrset *soa = set_with("example.", TYPE_SOA, 60, RANK_AUTH_AUTHORITY, "\1a\0", 3);
	struct rrset *s = NULL;
	size_t empty = stats_of(c).bytes, before;

	put_numbered(c, 0, 500);
	before = stats_of(c).bytes;
	ck_assert_uint_ge(before - empty, 500 * (heap_cost(sizeof(struct rrset) + 20) + 24));

	/* A denial brings its proof along. */
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NODATA, wire("n1.example."), TYPE_AAAA, 60,
					    NOW, RANK_AUTH_ANSWER, &soa, 1, CAUSE_NONE),
			 E_OK);
	put(c, s);
	ck_assert_uint_ge(stats_of(c).bytes, before + heap_cost(soa->size) + heap_cost(40));
	rrset_put(soa);

	put_numbered(c, 0, 250); /* replaced, not added */
	ck_assert_uint_eq(stats_of(c).entries, 501);
	ck_assert_uint_eq(cache_wipe(c, wire("n1.example."), TYPE_AAAA, false).negative, 1);
	ck_assert_uint_eq(cache_wipe(c, wire("."), 0, true).records, 500);
	ck_assert_uint_eq(stats_of(c).bytes, empty);
	ck_assert_uint_eq(stats_of(c).negative, 0);
	cache_free(c);
}
END_TEST

static struct rrset *denial_at(const char *name, const void *soa_rdata, uint32_t now_s)
{
	const struct rdata rr = { .data = soa_rdata, .len = 3 };
	struct rrset *soa = NULL, *s = NULL;

	ck_assert_int_eq(rrset_new(&soa, wire("example."), TYPE_SOA, 80, now_s, RANK_AUTH_AUTHORITY,
				   &rr, 1, NULL, 0),
			 E_OK);
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NXDOMAIN, wire(name), 0, 80, now_s,
					    RANK_AUTH_ANSWER, &soa, 1, CAUSE_NONE),
			 E_OK);
	rrset_put(soa);
	return s;
}

/* The SOA of a denial that was put at that time. */
static const struct rrset *deny(struct cache *c, const char *name, const void *soa_rdata,
				uint32_t now_s)
{
	struct rrset *s = denial_at(name, soa_rdata, now_s);
	const struct rrset *soa;

	cache_share_proofs(c, s, now_s);
	soa = rrset_proofs(s)[0];
	ck_assert_uint_eq(s->expires_s, soa->expires_s);
	ck_assert_uint_eq(s->ttl, s->expires_s - now_s);
	ck_assert_int_eq(cache_put(c, s, 0, now_s), CACHE_STORED);
	rrset_put(s);
	return soa;
}

START_TEST(denials_of_a_zone_share_their_proof)
{
	struct cache *c = cache_make(&small);
	size_t empty = stats_of(c).bytes, first, each;
	const struct rrset *soa = deny(c, "a.example.", "\1a\0", NOW);
	char name[32];

	first = stats_of(c).bytes;
	ck_assert_uint_eq(stats_of(c).entries, 1); /* what is kept to be shared is none */
	ck_assert(!has(c, "example.", TYPE_SOA));
	ck_assert_ptr_eq(deny(c, "b.example.", "\1a\0", NOW), soa);
	/* A little later still; the denial ends with its proof. */
	ck_assert_ptr_eq(deny(c, "c.example.", "\1a\0", NOW + 10), soa);
	ck_assert_ptr_ne(deny(c, "d.example.", "\1a\0", NOW + 11), soa);
	/* The zone has changed. */
	ck_assert_ptr_ne(deny(c, "e.example.", "\1b\0", NOW + 11), soa);

	/* Accounted once: with each comes what its own block and slot take. */
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		deny(c, name, "\1b\0", NOW + 11);
	}
	each = (stats_of(c).bytes - first) / 200;
	ck_assert_uint_ge(each, heap_cost(sizeof(struct rrset) + 8 + 20));
	ck_assert_uint_le(each, heap_cost(sizeof(struct rrset) + 8 + 20) + 32);
	ck_assert_uint_gt(rrset_charged_bytes(), 0);
	cache_wipe(c, wire("."), 0, true);
	ck_assert_uint_eq(rrset_charged_bytes(), 0);
	ck_assert_uint_eq(stats_of(c).bytes, empty);
	ck_assert_uint_eq(stats_of(c).entries, 0);
	cache_free(c);
}
END_TEST

/* Out of a file comes what ended long ago: it takes no room, least of all that of others. */
START_TEST(a_proof_that_has_ended_is_not_kept)
{
	struct cache *c = cache_make(&small);
	size_t empty = stats_of(c).bytes;
	struct rrset *s = denial_at("a.example.", "\1a\0", NOW);

	cache_share_proofs(c, s, NOW + 80);
	ck_assert_uint_eq(stats_of(c).bytes, empty);
	cache_share_proofs(c, s, NOW + 79);
	ck_assert_uint_gt(stats_of(c).bytes, empty);
	rrset_put(s);
	cache_free(c);
}
END_TEST

static struct rrset *denial_of_zone(unsigned i, uint32_t now_s)
{
	static const struct rdata rr = { .data = (const uint8_t *)"\1a\0", .len = 3 };
	struct rrset *soa = NULL, *s = NULL;
	char name[32];

	snprintf(name, sizeof(name), "z%u.example.", i);
	ck_assert_int_eq(rrset_new(&soa, wire(name), TYPE_SOA, 80, now_s, RANK_AUTH_AUTHORITY, &rr,
				   1, NULL, 0),
			 E_OK);
	snprintf(name, sizeof(name), "n.z%u.example.", i);
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NXDOMAIN, wire(name), 0, 80, now_s,
					    RANK_AUTH_ANSWER, &soa, 1, CAUSE_NONE),
			 E_OK);
	rrset_put(soa);
	return s;
}

/* As cachecopy.c loads it. */
static enum cache_put_result load(struct cache *c, struct rrset *s)
{
	enum cache_put_result result = cache_restore(c, s, false, NOW);

	if (result == CACHE_STORED)
		cache_keep_proofs(c, s, NOW);
	rrset_put(s);
	return result;
}

START_TEST(what_is_restored_pushes_nothing_out)
{
	static const struct cache_config full = { .max_entries = 16, .shards = 1 };
	struct cache *c = cache_make(&full);
	struct rrset *s;

	for (unsigned i = 0; i < 15; i++)
		put_numbered(c, i, i + 1);
	/* For the denial there is room, but not for its proof as well. */
	ck_assert_int_eq(load(c, denial_of_zone(0, NOW)), CACHE_STORED);
	for (unsigned i = 1; i < 20; i++)
		ck_assert_int_eq(load(c, denial_of_zone(i, NOW)), CACHE_REFUSED);
	ck_assert_uint_eq(stats_of(c).entries, 16);
	ck_assert_uint_eq(stats_of(c).evicted, 0);
	/* An older proof takes no newer one's place, and what is not taken leaves none. */
	cache_wipe(c, wire("."), 0, true);
	s = denial_of_zone(1, NOW);
	cache_share_proofs(c, s, NOW);
	ck_assert_int_eq(cache_put(c, s, 0, NOW), CACHE_STORED);
	ck_assert_int_eq(load(c, denial_of_zone(1, NOW - 70)), CACHE_KEPT_BETTER);
	cache_wipe(c, rrset_owner(s), 0, false);
	ck_assert_int_eq(load(c, denial_of_zone(1, NOW - 70)), CACHE_STORED);
	cache_wipe(c, rrset_owner(s), 0, false);
	ck_assert_int_eq(load(c, denial_of_zone(1, NOW)), CACHE_STORED);
	ck_assert_uint_eq(rrset_charged_bytes(), heap_cost(rrset_proofs(s)[0]->size));
	rrset_put(s);
	cache_free(c);
}
END_TEST

/* Who holds a proof still when the cache has given it up: then it is in the account still. */
START_TEST(a_proof_counts_until_it_is_gone)
{
	struct cache *c = cache_make(&small);
	struct rrset *s = denial_at("a.example.", "\1a\0", NOW);
	size_t cost = heap_cost(rrset_proofs(s)[0]->size);

	cache_share_proofs(c, s, NOW);
	ck_assert_int_eq(cache_put(c, s, 0, NOW), CACHE_STORED);
	ck_assert_uint_eq(rrset_charged_bytes(), cost);
	cache_wipe(c, wire("."), 0, true);
	ck_assert_uint_eq(rrset_charged_bytes(), cost);
	rrset_put(s);
	ck_assert_uint_eq(rrset_charged_bytes(), 0);
	cache_free(c);
}
END_TEST

static enum cache_put_result offer_restored(struct cache *c, struct rrset *s, bool delegation,
					    uint32_t now_s)
{
	enum cache_put_result result = cache_restore(c, s, delegation, now_s);

	rrset_put(s);
	return result;
}

static enum cache_put_result restore_a(struct cache *c, const char *name, uint16_t type)
{
	struct rrset *s = set_with(name, type, 500, RANK_AUTH_ANSWER, "1234567812345678",
				   type == TYPE_A ? 4 : 16);

	return offer_restored(c, s, false, NOW);
}

/* A wipe while the file is read holds for what has not been read yet. */
START_TEST(what_is_wiped_is_not_restored)
{
	struct cache *c = cache_make(&small);

	cache_wipe(c, wire("a.example."), 0, false);
	ck_assert_int_eq(restore_a(c, "a.example.", TYPE_A), CACHE_STORED);
	cache_restore_begin(c);
	cache_wipe(c, wire("a.example."), 0, false);
	cache_wipe(c, wire("b.example."), 0, true);
	cache_wipe(c, wire("c.example."), TYPE_A, false);
	ck_assert_int_eq(restore_a(c, "a.example.", TYPE_A), CACHE_REFUSED);
	ck_assert_int_eq(restore_a(c, "x.a.example.", TYPE_A), CACHE_STORED);
	ck_assert_int_eq(restore_a(c, "b.example.", TYPE_A), CACHE_REFUSED);
	/* More often than wipes can be noted: what is refused is none. */
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(restore_a(c, "x.y.b.example.", TYPE_A), CACHE_REFUSED);
	ck_assert_int_eq(restore_a(c, "c.example.", TYPE_A), CACHE_REFUSED);
	ck_assert_int_eq(restore_a(c, "c.example.", TYPE_AAAA), CACHE_STORED);
	for (unsigned i = 0; i < 300; i++)
		cache_wipe(c, wire("d.example."), 0, false);
	ck_assert_int_eq(restore_a(c, "e.example.", TYPE_A), CACHE_REFUSED);
	cache_restore_end(c);
	ck_assert_int_eq(restore_a(c, "a.example.", TYPE_A), CACHE_STORED);
	ck_assert_int_eq(restore_a(c, "e.example.", TYPE_A), CACHE_STORED);
	/* Freed with the cache, were it not ended. */
	cache_restore_begin(c);
	cache_free(c);
}
END_TEST

/* The start's file, and one that an operator has loaded meanwhile. */
START_TEST(two_restore_at_once)
{
	struct cache *c = cache_make(&small);

	cache_restore_begin(c);
	cache_wipe(c, wire("a.example."), 0, false);
	cache_restore_begin(c);
	ck_assert_int_eq(restore_a(c, "a.example.", TYPE_A), CACHE_REFUSED);
	cache_restore_end(c);
	cache_wipe(c, wire("b.example."), 0, false);
	ck_assert_int_eq(restore_a(c, "a.example.", TYPE_A), CACHE_REFUSED);
	ck_assert_int_eq(restore_a(c, "b.example.", TYPE_A), CACHE_REFUSED);
	ck_assert_int_eq(restore_a(c, "c.example.", TYPE_A), CACHE_STORED);
	cache_restore_end(c);
	ck_assert_int_eq(restore_a(c, "b.example.", TYPE_A), CACHE_STORED);
	cache_free(c);
}
END_TEST

START_TEST(what_is_restored_gives_way)
{
	struct cache_config cfg = small;
	struct cache *c;
	struct rrset *s;

	cfg.stale_s = 100;
	c = cache_make(&cfg);
	/* Known since the start, if by a lesser rank: it stays. */
	put(c, set_with("a.example.", TYPE_A, 60, RANK_ADDITIONAL, "\1\1\1\1", 4));
	s = set_with("a.example.", TYPE_A, 500, RANK_AUTH_ANSWER, "\2\2\2\2", 4);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_KEPT_BETTER);
	/* Another type, and the parent's word, stand beside it. */
	s = set_with("a.example.", TYPE_AAAA, 500, RANK_AUTH_ANSWER, "1234567812345678", 16);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_STORED);
	s = set_with("a.example.", TYPE_A, 500, RANK_ADDITIONAL, "\2\2\2\2", 4);
	ck_assert_int_eq(offer_restored(c, s, true, NOW), CACHE_STORED);
	/* The name does not exist, or is an alias, say what is known now or what is kept. */
	s = negative(RRSET_NXDOMAIN, "a.example.", 0, 500, RANK_AUTH_ANSWER);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_KEPT_BETTER);
	s = set_with("a.example.", TYPE_CNAME, 500, RANK_AUTH_ANSWER, "\0", 1);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_KEPT_BETTER);
	put(c, set_with("b.example.", TYPE_CNAME, 60, RANK_AUTH_ANSWER, "\0", 1));
	s = negative(RRSET_NODATA, "b.example.", TYPE_MX, 500, RANK_AUTH_ANSWER);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_KEPT_BETTER);
	put(c, negative(RRSET_NXDOMAIN, "c.example.", 0, 60, RANK_ANSWER));
	s = set_with("c.example.", TYPE_MX, 500, RANK_AUTH_ANSWER, "\0\1\0", 3);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_KEPT_BETTER);
	/* Within the stale window, and beyond it. */
	s = set_with("d.example.", TYPE_A, 60, RANK_AUTH_ANSWER, "\1\1\1\1", 4);
	ck_assert_int_eq(cache_restore(c, s, false, NOW + 161), CACHE_REFUSED);
	ck_assert_int_eq(offer_restored(c, s, false, NOW + 159), CACHE_STORED);
	/* Nothing is pushed out. */
	cache_set_limits(c, stats_of(c).entries, 0);
	s = set_with("e.example.", TYPE_A, 60, RANK_AUTH_ANSWER, "\1\1\1\1", 4);
	ck_assert_int_eq(offer_restored(c, s, false, NOW), CACHE_REFUSED);
	cache_free(c);
}
END_TEST

START_TEST(limits_hold_at_every_moment)
{
	enum { A_FEW = 10 }; /* 8, and one for each 64 bytes of the new one */
	struct cache_config cfg = small;
	struct cache *c;
	size_t before;

	cfg.max_bytes = 50000;
	c = cache_make(&cfg);
	for (unsigned i = 0; i < 3000; i += 10) {
		put_numbered(c, i, i + 10);
		ck_assert_uint_le(stats_of(c).bytes, cfg.max_bytes);
		ck_assert_uint_le(stats_of(c).entries, cfg.max_entries);
	}
	ck_assert_uint_ge(stats_of(c).bytes, cfg.max_bytes / 2);
	/* Set lower: it shrinks as much as it is told to, and no more. */
	before = stats_of(c).entries;
	cache_set_limits(c, 0, 30000);
	ck_assert_uint_eq(cache_shrink_some(c, 10, NOW), 10);
	ck_assert_uint_eq(stats_of(c).entries, before - 10);
	while (cache_shrink_some(c, 1000, NOW) > 0)
		;
	ck_assert_uint_le(stats_of(c).bytes, 30000);
	ck_assert_uint_ge(stats_of(c).bytes, 25000);
	/* By count, too, and lower than what is there: a few an insert, however much is too much. */
	cache_set_limits(c, 100, 0);
	for (unsigned i = 3000; i < 3010; i++) {
		before = stats_of(c).evicted;
		put_numbered(c, i, i + 1);
		ck_assert_uint_gt(stats_of(c).evicted, before);
		ck_assert_uint_le(stats_of(c).evicted, before + A_FEW);
	}
	ck_assert_uint_gt(stats_of(c).entries, 100);
	put_numbered(c, 3010, 4000);
	ck_assert_uint_le(stats_of(c).entries, 100);
	ck_assert_uint_ge(stats_of(c).entries, 80);
	ck_assert_uint_gt(stats_of(c).evicted, 3000);
	cache_free(c);
}
END_TEST

START_TEST(a_flood_of_names_leaves_the_hot_ones)
{
	struct cache *c = cache_make(&small);

	put_numbered(c, 0, 200);
	ck_assert_uint_eq(count_numbered(c, 0, 200), 200); /* a hit each */
	put_numbered(c, 1000, 20000);
	ck_assert_uint_ge(count_numbered(c, 0, 200), 190);
	ck_assert_uint_le(stats_of(c).entries, small.max_entries);
	cache_free(c);
}
END_TEST

START_TEST(the_expired_go_first)
{
	struct cache_config cfg = small;
	struct cache_view v;
	struct cache *c;

	cfg.shards = 1;
	cfg.max_entries = 100;
	c = cache_make(&cfg);
	put_a(c, "a.example.", 60);
	put_numbered(c, 0, 50);
	count_numbered(c, 0, 50);
	/* In use until it expired; after that only looked for in vain. */
	ck_assert(has(c, "a.example.", TYPE_A));
	cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, NOW + 61, 0, &v);
	put_numbered(c, 50, 100);
	ck_assert(!cache_look(c, wire("a.example."), TYPE_A, CACHE_WANT_ANSWER, NOW + 61, 999, &v));
	ck_assert_uint_eq(count_numbered(c, 0, 50), 50);
	cache_free(c);
}
END_TEST

START_TEST(one_name_holds_so_many_types)
{
	struct cache *c = cache_make(&small);

	put_a(c, "a.example.", 60);
	for (uint16_t type = 1000; type < 2000; type++)
		put(c, negative(RRSET_NODATA, "a.example.", type, 60, RANK_AUTH_ANSWER));
	ck_assert_uint_le(stats_of(c).entries, CACHE_MAX_SETS_A_NAME);
	ck_assert(has(c, "a.example.", TYPE_A));
	ck_assert(has(c, "a.example.", 1999));
	cache_free(c);
}
END_TEST

START_TEST(wipes_by_name_type_and_subtree)
{
	struct cache *c = cache_make(&small);
	struct cache_wiped w;

	put_a(c, "example.", 60);
	put_a(c, "a.example.", 60);
	put(c, set_with("a.example.", TYPE_TXT, 60, RANK_AUTH_ANSWER, "\1a", 2));
	put_a(c, "b.a.example.", 60);
	put_a(c, "xa.example.", 60);
	put(c, negative(RRSET_NXDOMAIN, "c.a.example.", 0, 60, RANK_AUTH_ANSWER));
	put_as(c, set_with("a.example.", TYPE_NS, 60, RANK_REFERRAL, "\1e\0", 3), true, NOW);

	put_as(c, set_a("a.example.", 60, RANK_ADDITIONAL), true, NOW);
	w = cache_wipe(c, wire("a.example."), TYPE_A, false);
	ck_assert_uint_eq(w.records, 2); /* the parent's glue as well */
	ck_assert(has(c, "a.example.", TYPE_TXT));
	w = cache_wipe(c, wire("a.example."), TYPE_NS, false);
	ck_assert_uint_eq(w.records, 1);
	w = cache_wipe(c, wire("a.example."), 0, true);
	ck_assert_uint_eq(w.records, 2);
	ck_assert_uint_eq(w.negative, 1);
	ck_assert(has(c, "example.", TYPE_A));
	ck_assert(has(c, "xa.example.", TYPE_A));
	w = cache_wipe(c, wire("nothing.example."), 0, true);
	ck_assert_uint_eq(w.records + w.negative, 0);
	cache_free(c);
}
END_TEST

struct walk {
	struct cache *c;
	unsigned n, delegations, stop_after;
};

static int count_and_disturb(void *ctx, const struct rrset *s, bool delegation)
{
	struct walk *w = ctx;
	char name[32];

	ck_assert_uint_gt(s->ttl, 0);
	w->n++;
	w->delegations += delegation;
	if (w->stop_after != 0 && w->n == w->stop_after)
		return -77;
	/* No lock is held: the cache may be changed from here. */
	snprintf(name, sizeof(name), "new%u.example.", w->n);
	put_a(w->c, name, 60);
	return 0;
}

START_TEST(a_walk_shows_all_that_was_there)
{
	struct cache_config cfg = small;
	struct walk w = { 0 };

	cfg.max_entries = 0;
	w.c = cache_make(&cfg);
	put_numbered(w.c, 0, 300);
	put_as(w.c, set_with("a.example.", TYPE_NS, 60, RANK_REFERRAL, "\1e\0", 3), true, NOW);
	ck_assert_int_eq(cache_walk(w.c, count_and_disturb, &w), E_OK);
	ck_assert_uint_ge(w.n, 301);
	ck_assert_uint_eq(w.delegations, 1);
	w = (struct walk) { .c = w.c, .stop_after = 5 };
	ck_assert_int_eq(cache_walk(w.c, count_and_disturb, &w), -77);
	ck_assert_uint_eq(w.n, 5);
	cache_free(w.c);
}
END_TEST

START_TEST(the_expired_are_taken_away_in_steps)
{
	struct cache *c = cache_make(&small);
	size_t gone = 0, step;

	put_numbered(c, 0, 100);
	for (unsigned i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "short%u.example.", i);
		put_a(c, name, 60);
	}
	for (int i = 0; i < 100; i++) {
		step = cache_expire_some(c, 10, NOW + 60);
		ck_assert_uint_le(step, 10);
		gone += step;
	}
	ck_assert_uint_eq(gone, 100);
	ck_assert_uint_eq(stats_of(c).expired, 100);
	ck_assert_uint_eq(count_numbered(c, 0, 100), 100);
	cache_free(c);
}
END_TEST

START_TEST(needs_a_power_of_two)
{
	struct cache_config cfg = small;
	struct cache *c = NULL;

	cfg.shards = 3;
	ck_assert_int_eq(cache_new(&c, &cfg), E_RANGE);
	cfg.shards = 1024; /* too many for so few entries */
	cfg.max_entries = 50;
	c = cache_make(&cfg);
	put_numbered(c, 0, 500);
	ck_assert_uint_le(stats_of(c).entries, 50);
	ck_assert_uint_ge(stats_of(c).entries, 32);
	cache_free(c);
}
END_TEST

static void *hammer(void *arg)
{
	struct cache *c = arg;
	char text[32];
	uint8_t name[NAME_MAX_LEN];

	for (unsigned i = 0; i < 4000; i++) {
		unsigned n = i * 7919 % 500;
		struct rdata rr = { .data = (const uint8_t *)"\x7f\0\0\1", .len = 4 };
		struct rrset *s = NULL;
		struct cache_addresses addresses;
		struct cache_view v;

		snprintf(text, sizeof(text), "n%u.example.", n);
		ck_assert_int_eq(name_from_text(name, text), E_OK);
		ck_assert_int_eq(
			rrset_new(&s, name, TYPE_A, 60, NOW, RANK_AUTH_ANSWER, &rr, 1, NULL, 0),
			E_OK);
		cache_put(c, s, i % 5 == 0, NOW + i % 2);
		rrset_put(s);
		if (cache_look(c, name, TYPE_A, CACHE_WANT_ANSWER | CACHE_WANT_CUT, NOW, 0, &v))
			cache_view_put(&v);
		cache_get_addresses(c, name, name_hash(name), NOW, 0, &addresses);
		cache_addresses_put(&addresses);
		if (i % 1000 == 0)
			cache_wipe(c, name, 0, true);
		if (i % 100 == 0)
			cache_expire_some(c, 5, NOW + 61);
	}
	return NULL;
}

START_TEST(two_threads_share_it)
{
	struct cache_config cfg = small;
	pthread_t thread;
	struct cache *c;
	size_t empty;

	cfg.max_entries = 300;
	c = cache_make(&cfg);
	empty = stats_of(c).bytes;
	ck_assert_int_eq(pthread_create(&thread, NULL, hammer, c), 0);
	hammer(c);
	pthread_join(thread, NULL);
	ck_assert_uint_le(stats_of(c).entries, 300);
	ck_assert_uint_ge(stats_of(c).lock_acquired, 2 * 4000 * 3);
	cache_wipe(c, wire("."), 0, true);
	ck_assert_uint_eq(stats_of(c).bytes, empty);
	cache_free(c);
}
END_TEST

Suite *suite_cache(void);

Suite *suite_cache(void)
{
	Suite *s = suite_create("cache");
	TCase *t = tcase_create("cache");

	tcase_add_test(t, one_look_finds_everything);
	tcase_add_test(t, get_asks_for_type_and_rank);
	tcase_add_test(t, addresses_come_together);
	tcase_add_loop_test(t, the_better_rank_stays, 0,
			    (int)(sizeof(rankings) / sizeof(*rankings)));
	tcase_add_test(t, nxdomain_takes_all_but_the_delegation);
	tcase_add_test(t, an_unchecked_nxdomain_leaves_trust);
	tcase_add_test(t, what_was_validated_stays_beside_what_is_not);
	tcase_add_test(t, what_fills_takes_no_place);
	tcase_add_test(t, a_failure_stands_beside_the_parents_denial);
	tcase_add_test(t, a_verdict_on_the_parents_denial_leaves_the_zones_word);
	tcase_add_test(t, a_failure_stands_beside_what_was_told_in_passing);
	tcase_add_test(t, trust_is_restored_beside_an_unchecked_nxdomain);
	tcase_add_test(t, that_very_set_is_dropped);
	tcase_add_test(t, an_alias_and_other_data_exclude_each_other);
	tcase_add_test(t, what_is_expired_is_for_stale_use_only);
	tcase_add_test(t, a_clock_set_back_does_no_harm);
	tcase_add_test(t, some_sets_are_refused);
	tcase_add_test(t, memory_is_accounted_to_the_byte);
	tcase_add_test(t, denials_of_a_zone_share_their_proof);
	tcase_add_test(t, a_proof_counts_until_it_is_gone);
	tcase_add_test(t, what_is_restored_pushes_nothing_out);
	tcase_add_test(t, a_proof_that_has_ended_is_not_kept);
	tcase_add_test(t, what_is_restored_gives_way);
	tcase_add_test(t, what_is_wiped_is_not_restored);
	tcase_add_test(t, two_restore_at_once);
	tcase_add_test(t, limits_hold_at_every_moment);
	tcase_add_test(t, a_flood_of_names_leaves_the_hot_ones);
	tcase_add_test(t, the_expired_go_first);
	tcase_add_test(t, one_name_holds_so_many_types);
	tcase_add_test(t, wipes_by_name_type_and_subtree);
	tcase_add_test(t, a_walk_shows_all_that_was_there);
	tcase_add_test(t, the_expired_are_taken_away_in_steps);
	tcase_add_test(t, needs_a_power_of_two);
	tcase_add_test(t, two_threads_share_it);
	suite_add_tcase(s, t);
	return s;
}
