#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/name.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/packetcache.h"

enum { NOW = 1700000000, RD = 0x0100, AD = 0x0020, CD = 0x0010, QR = 0x8000 };

static const struct packetcache_config small = {
	.max_entries = 100,
	.max_bytes = 1 << 20,
	.max_packet = 4096,
};

struct question {
	uint8_t wire[512];
	struct packetcache_key key;
};

static struct packetcache *make_cache(const struct packetcache_config *cfg)
{
	struct packetcache *pc = NULL;

	ck_assert_int_eq(packetcache_new(&pc, cfg), E_OK);
	return pc;
}

static size_t header_and_question(uint8_t *out, uint16_t id, uint16_t flags, const char *name,
				  uint16_t type)
{
	uint8_t wire[NAME_MAX_LEN];
	size_t len;

	ck_assert_int_eq(name_from_text(wire, name), E_OK);
	memset(out, 0, WIRE_HEADER_LEN);
	wire_put_u16(out, id);
	wire_put_u16(out + 2, flags);
	wire_put_u16(out + 4, 1);
	len = WIRE_HEADER_LEN + name_copy(out + WIRE_HEADER_LEN, wire);
	wire_put_u16(out + len, type);
	wire_put_u16(out + len + 2, CLASS_IN);
	return len + 4;
}

static struct question *ask(struct question *q, uint16_t id, uint16_t flags, const char *name,
			    uint16_t type)
{
	size_t end = header_and_question(q->wire, id, flags, name, type);

	q->key = (struct packetcache_key) {
		.query = q->wire,
		.question_end = end,
		.name_hash = name_hash(q->wire + WIRE_HEADER_LEN),
		.edns = true,
		.payload = 1232,
	};
	return q;
}

static size_t add_record(uint8_t *out, size_t at, uint16_t type, uint32_t ttl, uint16_t rdata_len)
{
	wire_put_u16(out + at, 0xc00c); /* the question's name */
	wire_put_u16(out + at + 2, type);
	wire_put_u16(out + at + 4, CLASS_IN);
	wire_put_u32(out + at + 6, ttl);
	wire_put_u16(out + at + 10, rdata_len);
	memset(out + at + 12, 0xab, rdata_len);
	return at + 12 + rdata_len;
}

static size_t add_opt(uint8_t *out, size_t at)
{
	out[at] = 0;
	wire_put_u16(out + at + 1, TYPE_OPT);
	wire_put_u16(out + at + 3, 1232);
	wire_put_u32(out + at + 5, 0x00008000);
	wire_put_u16(out + at + 9, 0);
	return at + 11;
}

/* Two answers, an SOA, an OPT. */
static size_t answer(uint8_t *out, const char *name, uint16_t type, uint16_t flags)
{
	size_t at = header_and_question(out, 0xdead, QR | flags, name, type);

	wire_put_u16(out + 6, 2);
	wire_put_u16(out + 8, 1);
	wire_put_u16(out + 10, 1);
	at = add_record(out, at, TYPE_A, 300, 4);
	at = add_record(out, at, TYPE_A, 200, 4);
	at = add_record(out, at, TYPE_SOA, 100, 30);
	return add_opt(out, at);
}

static void keep(struct packetcache *pc, const char *name, uint16_t type, uint32_t ttl)
{
	uint8_t out[1024];
	struct question q;
	size_t len = answer(out, name, type, RD);

	packetcache_put(pc, &ask(&q, 1, RD, name, type)->key, out, len, ttl, 0, false, NOW);
}

static size_t get_at(struct packetcache *pc, const struct packetcache_key *key, uint32_t now)
{
	struct packetcache_hit hit;
	uint8_t out[1024];

	return packetcache_get(pc, key, now, out, sizeof(out), &hit);
}

static bool has(struct packetcache *pc, const char *name, uint16_t type)
{
	struct question q;

	return get_at(pc, &ask(&q, 1, RD, name, type)->key, NOW) > 0;
}

static struct packetcache_stats stats_of(const struct packetcache *pc)
{
	struct packetcache_stats st;

	packetcache_stats(pc, &st);
	return st;
}

START_TEST(a_hit_is_fitted_to_the_query)
{
	struct packetcache *pc = make_cache(&small);
	struct packetcache_hit hit = { .rcode = 99 };
	uint8_t kept[1024], want[1024], out[1024];
	size_t len = answer(kept, "www.example.", TYPE_A, RD | RCODE_NXDOMAIN);
	struct question q;
	size_t at;

	packetcache_put(pc, &ask(&q, 1, RD, "www.example.", TYPE_A)->key, kept, len, 100, 4711,
			true, NOW);
	ask(&q, 0xbeef, RD, "wWw.eXample.", TYPE_A);
	ck_assert_uint_eq(packetcache_get(pc, &q.key, NOW + 30, out, sizeof(out), &hit), len);
	ck_assert_uint_eq(hit.rcode, RCODE_NXDOMAIN);
	ck_assert_uint_eq(hit.note, 4711);
	ck_assert(hit.bogus);

	/* The asker's id and spelling, TTLs less 30, all else to the byte. */
	memcpy(want, kept, len);
	memcpy(want, q.wire, 2);
	memcpy(want + 12, q.wire + 12, q.key.question_end - 12);
	at = q.key.question_end + 6;
	wire_put_u32(want + at, 270);
	wire_put_u32(want + at + 16, 170);
	wire_put_u32(want + at + 32, 70);
	ck_assert_mem_eq(out, want, len);
	packetcache_free(pc);
}
END_TEST

START_TEST(what_is_fetched_is_what_is_found)
{
	struct packetcache *pc = make_cache(&small);
	struct question q;
	uint32_t hash = packetcache_hash(&ask(&q, 1, RD, "www.example.", TYPE_A)->key);

	for (unsigned what = PACKETCACHE_BUCKET; what <= PACKETCACHE_ENTRY; what++)
		ck_assert_int_eq(packetcache_fetch(pc, hash, what), what != PACKETCACHE_ENTRY);
	keep(pc, "www.example.", TYPE_A, 100);
	for (unsigned what = PACKETCACHE_BUCKET; what <= PACKETCACHE_ENTRY; what++)
		ck_assert(packetcache_fetch(pc, hash, what));
	ck_assert(packetcache_hash(&ask(&q, 2, RD, "WWW.example.", TYPE_A)->key) == hash);
	ck_assert(packetcache_hash(&ask(&q, 2, RD, "www.example.", TYPE_MX)->key) != hash);
	packetcache_free(pc);
}
END_TEST

START_TEST(what_the_answer_depends_on_is_the_key)
{
	struct packetcache *pc = make_cache(&small);
	struct question q;

	keep(pc, "www.example.", TYPE_A, 100);
	ck_assert(get_at(pc, &ask(&q, 9, RD, "WWW.example.", TYPE_A)->key, NOW) > 0);
	ck_assert_uint_eq(get_at(pc, &ask(&q, 9, 0, "www.example.", TYPE_A)->key, NOW), 0);
	/* Of CD, AD and DO the key has what the caller makes of them. */
	ck_assert(get_at(pc, &ask(&q, 9, RD | CD | AD, "www.example.", TYPE_A)->key, NOW) > 0);
	ck_assert_uint_eq(get_at(pc, &ask(&q, 9, RD, "www.example.", TYPE_AAAA)->key, NOW), 0);
	ck_assert_uint_eq(get_at(pc, &ask(&q, 9, RD, "ww.wexample.", TYPE_A)->key, NOW), 0);
	ask(&q, 9, RD, "www.example.", TYPE_A)->key.tag = 1;
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	ask(&q, 9, RD, "www.example.", TYPE_A)->key.tcp = true;
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	ask(&q, 9, RD, "www.example.", TYPE_A)->key.edns = false;
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	for (unsigned i = 1; i < PACKETCACHE_DNSSEC; i++) {
		ask(&q, 9, RD, "www.example.", TYPE_A)->key.dnssec = (uint8_t)i;
		ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	}
	ask(&q, 9, RD, "www.example.", TYPE_A);
	wire_put_u16(q.wire + q.key.question_end - 2, CLASS_CH);
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	packetcache_free(pc);
}
END_TEST

START_TEST(each_tag_has_its_own_answer)
{
	struct packetcache *pc = make_cache(&small);
	uint8_t out[1024], name[NAME_MAX_LEN];
	size_t len = answer(out, "www.example.", TYPE_A, RD), cursor = SIZE_MAX, wiped = 0;
	struct question q;

	for (uint32_t tag = 0; tag < 4; tag++) {
		ask(&q, 1, RD, "www.example.", TYPE_A)->key.tag = tag * 0x55555555;
		packetcache_put(pc, &q.key, out, len, 100 + tag, 0, false, NOW);
	}
	ck_assert_uint_eq(stats_of(pc).entries, 4);
	for (uint32_t tag = 0; tag < 4; tag++) {
		ask(&q, 1, RD, "www.example.", TYPE_A)->key.tag = tag * 0x55555555;
		ck_assert(get_at(pc, &q.key, NOW) > 0);
		ck_assert((get_at(pc, &q.key, NOW + 101) > 0) == (tag > 1));
	}
	/* A wipe does not ask for the tag. */
	ck_assert_int_eq(name_from_text(name, "www.example."), E_OK);
	while (packetcache_wipe_some(pc, &cursor, 1, name, TYPE_A, false, &wiped))
		;
	ck_assert_uint_eq(wiped, 2);
	packetcache_free(pc);
}
END_TEST

START_TEST(an_answer_serves_whoever_takes_its_length)
{
	struct packetcache *pc = make_cache(&small);
	struct packetcache_hit hit;
	uint8_t out[1024];
	struct question q;
	size_t len;

	keep(pc, "www.example.", TYPE_A, 100);
	len = get_at(pc, &ask(&q, 1, RD, "www.example.", TYPE_A)->key, NOW);
	q.key.payload = (uint16_t)len;
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), len);
	q.key.payload = (uint16_t)(len - 1);
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	q.key.payload = 1232;
	ck_assert_uint_eq(packetcache_get(pc, &q.key, NOW, out, len - 1, &hit), 0);
	ck_assert_uint_eq(packetcache_get(pc, &q.key, NOW, out, len, &hit), len);
	packetcache_free(pc);
}
END_TEST

START_TEST(an_answer_lives_for_its_ttl)
{
	struct packetcache *pc = make_cache(&small);
	struct question q;

	ask(&q, 1, RD, "www.example.", TYPE_A);
	keep(pc, "www.example.", TYPE_A, 100);
	ck_assert(get_at(pc, &q.key, NOW + 99) > 0);
	ck_assert_uint_eq(get_at(pc, &q.key, NOW + 100), 0);
	ck_assert_uint_eq(stats_of(pc).entries, 0);
	/* A clock set back. */
	keep(pc, "www.example.", TYPE_A, 100);
	ck_assert_uint_eq(get_at(pc, &q.key, NOW - 1), 0);
	keep(pc, "www.example.", TYPE_A, 0);
	ck_assert_uint_eq(get_at(pc, &q.key, NOW), 0);
	packetcache_free(pc);
}
END_TEST

START_TEST(a_later_answer_replaces)
{
	struct packetcache *pc = make_cache(&small);
	struct question q;

	keep(pc, "www.example.", TYPE_A, 100);
	keep(pc, "WWW.example.", TYPE_A, 200);
	ck_assert_uint_eq(stats_of(pc).entries, 1);
	ck_assert(get_at(pc, &ask(&q, 1, RD, "www.example.", TYPE_A)->key, NOW + 150) > 0);
	packetcache_free(pc);
}
END_TEST

static size_t bytes_when_empty(void)
{
	struct packetcache *pc = make_cache(&small);
	size_t bytes = stats_of(pc).bytes;

	packetcache_free(pc);
	return bytes;
}

START_TEST(what_cannot_be_read_is_not_kept)
{
	struct packetcache *pc = make_cache(&small);
	uint8_t out[8192] = { 0 };
	struct question q;
	size_t len = answer(out, "www.example.", TYPE_A, RD);

	ask(&q, 1, RD, "www.example.", TYPE_A);
	for (size_t cut = 0; cut < len; cut++)
		packetcache_put(pc, &q.key, out, cut, 100, 0, false, NOW);
	packetcache_put(pc, &q.key, out, len + 1, 100, 0, false, NOW); /* rubbish behind */
	packetcache_put(pc, &q.key, out, small.max_packet + 1, 100, 0, false, NOW); /* too large */
	ck_assert_uint_eq(stats_of(pc).entries, 0);
	ck_assert_uint_eq(stats_of(pc).bytes, bytes_when_empty());
	packetcache_free(pc);
}
END_TEST

START_TEST(an_answer_without_records_is_kept)
{
	struct packetcache *pc = make_cache(&small);
	uint8_t out[512];
	struct question q;
	size_t len = header_and_question(out, 1, QR | RD | RCODE_SERVFAIL, "bad.example.", TYPE_A);

	packetcache_put(pc, &ask(&q, 1, RD, "bad.example.", TYPE_A)->key, out, len, 10, 0, false,
			NOW);
	ck_assert_uint_eq(get_at(pc, &q.key, NOW + 5), len);
	packetcache_free(pc);
}
END_TEST

static void keep_numbered(struct packetcache *pc, unsigned from, unsigned to)
{
	char name[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		keep(pc, name, TYPE_A, 100);
	}
}

static unsigned count_numbered(struct packetcache *pc, unsigned from, unsigned to)
{
	char name[32];
	unsigned n = 0;

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		n += has(pc, name, TYPE_A);
	}
	return n;
}

START_TEST(limits_hold_and_the_hot_stay)
{
	struct packetcache_config cfg = small;
	struct packetcache *pc = make_cache(&cfg);
	size_t before;

	keep_numbered(pc, 0, 30);
	ck_assert_uint_eq(count_numbered(pc, 0, 30), 30);
	for (unsigned i = 30; i < 3000; i++) {
		keep_numbered(pc, i, i + 1);
		ck_assert_uint_le(stats_of(pc).entries, cfg.max_entries);
	}
	ck_assert_uint_ge(count_numbered(pc, 0, 30), 29);
	ck_assert_uint_eq(stats_of(pc).evicted, 2900);

	packetcache_set_limits(pc, 0, 10000);
	keep_numbered(pc, 3000, 3100);
	ck_assert_uint_le(stats_of(pc).bytes, 10000);
	ck_assert_uint_ge(stats_of(pc).bytes, 5000);
	/* Set lower: it shrinks as much as it is told to. */
	before = stats_of(pc).entries;
	ck_assert_uint_gt(before, 35);
	packetcache_set_limits(pc, 30, 0);
	ck_assert_uint_eq(packetcache_shrink_some(pc, 5), 5);
	ck_assert_uint_eq(stats_of(pc).entries, before - 5);
	packetcache_shrink_some(pc, 1000);
	ck_assert_uint_eq(stats_of(pc).entries, 30);
	ck_assert_uint_eq(packetcache_shrink_some(pc, 1000), 0);
	/* Room for nothing. */
	packetcache_set_limits(pc, 0, 10);
	keep_numbered(pc, 3100, 3200);
	ck_assert_uint_eq(stats_of(pc).entries, 0);
	ck_assert_uint_eq(stats_of(pc).bytes, bytes_when_empty());
	packetcache_free(pc);
}
END_TEST

START_TEST(names_asked_once_take_no_room)
{
	struct packetcache_config cfg = small;
	struct packetcache *pc = NULL;

	cfg.marks = 3;
	ck_assert_int_eq(packetcache_new(&pc, &cfg), E_RANGE);
	cfg.marks = 1024;
	pc = make_cache(&cfg);
	keep_numbered(pc, 0, 50);
	ck_assert_uint_eq(stats_of(pc).entries, 0);
	keep_numbered(pc, 0, 50);
	ck_assert_uint_ge(count_numbered(pc, 0, 50), 40); /* but for marks that fell together */
	keep_numbered(pc, 1000, 20000);
	ck_assert_uint_le(stats_of(pc).entries, 60);
	/* What is there already is renewed at once. */
	keep(pc, "n0.example.", TYPE_A, 100);
	ck_assert(has(pc, "n0.example.", TYPE_A));
	packetcache_free(pc);
}
END_TEST

static const uint8_t *wire(uint8_t out[NAME_MAX_LEN], const char *text)
{
	ck_assert_int_eq(name_from_text(out, text), E_OK);
	return out;
}

/* In slices of three. */
static size_t wipe(struct packetcache *pc, const uint8_t *name, uint16_t type, bool subtree)
{
	size_t cursor = SIZE_MAX, wiped = 0;

	while (packetcache_wipe_some(pc, &cursor, 3, name, type, subtree, &wiped))
		;
	return wiped;
}

START_TEST(wipes_by_name_type_and_subtree)
{
	struct packetcache *pc = make_cache(&small);
	uint8_t name[NAME_MAX_LEN];

	keep(pc, "example.", TYPE_A, 100);
	keep(pc, "A.example.", TYPE_A, 100);
	keep(pc, "a.example.", TYPE_TXT, 100);
	keep(pc, "b.a.example.", TYPE_A, 100);
	keep(pc, "xa.example.", TYPE_A, 100);
	ck_assert_uint_eq(wipe(pc, wire(name, "a.example."), TYPE_A, false), 1);
	ck_assert(!has(pc, "a.example.", TYPE_A));
	ck_assert(has(pc, "a.example.", TYPE_TXT));
	ck_assert_uint_eq(wipe(pc, wire(name, "a.example."), 0, true), 2);
	ck_assert(has(pc, "example.", TYPE_A));
	ck_assert(has(pc, "xa.example.", TYPE_A));
	ck_assert_uint_eq(wipe(pc, name_root, 0, true), 2);
	ck_assert_uint_eq(stats_of(pc).bytes, bytes_when_empty());
	packetcache_free(pc);
}
END_TEST

struct seen {
	unsigned n;
	uint32_t tags;
	int result;
};

static int look_at(void *ctx, const struct packetcache_view *v)
{
	uint8_t name[NAME_MAX_LEN];
	struct seen *seen = ctx;

	ck_assert(name_equal_case(v->qname, wire(name, "www.example.")));
	ck_assert_uint_eq(v->qtype, TYPE_MX);
	ck_assert_uint_eq(v->ttl_left, 90);
	ck_assert(!v->tcp);
	seen->tags |= v->tag;
	seen->n++;
	return seen->result;
}

START_TEST(a_walk_shows_the_live_ones)
{
	struct packetcache *pc = make_cache(&small);
	uint8_t out[1024];
	size_t len = answer(out, "www.example.", TYPE_MX, RD | CD), cursor = SIZE_MAX;
	struct seen seen = { 0 };
	struct question q;

	ask(&q, 1, RD | CD, "www.example.", TYPE_MX)->key.tag = 0x80000001;
	packetcache_put(pc, &q.key, out, len, 100, 0, false, NOW);
	keep(pc, "WWW.example.", TYPE_MX, 100);
	keep(pc, "old.example.", TYPE_MX, 10);
	ck_assert(packetcache_walk_some(pc, &cursor, 1, look_at, &seen, NOW + 10));
	ck_assert_uint_eq(seen.n, 0);
	ck_assert(!packetcache_walk_some(pc, &cursor, 2, look_at, &seen, NOW + 10));
	ck_assert_uint_eq(seen.n, 2);
	ck_assert_uint_eq(seen.tags, 0x80000001);
	/* Ended by the callback. */
	cursor = SIZE_MAX;
	seen.result = -5;
	ck_assert(!packetcache_walk_some(pc, &cursor, SIZE_MAX, look_at, &seen, NOW + 10));
	ck_assert_uint_eq(seen.n, 3);
	packetcache_free(pc);
}
END_TEST

Suite *suite_packetcache(void);

Suite *suite_packetcache(void)
{
	Suite *s = suite_create("packetcache");
	TCase *t = tcase_create("packetcache");

	tcase_add_test(t, a_hit_is_fitted_to_the_query);
	tcase_add_test(t, what_is_fetched_is_what_is_found);
	tcase_add_test(t, what_the_answer_depends_on_is_the_key);
	tcase_add_test(t, each_tag_has_its_own_answer);
	tcase_add_test(t, an_answer_serves_whoever_takes_its_length);
	tcase_add_test(t, an_answer_lives_for_its_ttl);
	tcase_add_test(t, a_later_answer_replaces);
	tcase_add_test(t, what_cannot_be_read_is_not_kept);
	tcase_add_test(t, an_answer_without_records_is_kept);
	tcase_add_test(t, limits_hold_and_the_hot_stay);
	tcase_add_test(t, names_asked_once_take_no_room);
	tcase_add_test(t, wipes_by_name_type_and_subtree);
	tcase_add_test(t, a_walk_shows_the_live_ones);
	suite_add_tcase(s, t);
	return s;
}
