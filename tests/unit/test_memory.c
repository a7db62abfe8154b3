#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/memory.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/keyring.h"
#include "recursor/resolve/packetcache.h"
#include "recursor/resolve/servers.h"
#include "recursor/wiring.h"
#include "recursor/worker.h"
#include "tests/unit/text_set.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000, TOTAL = 1600000 };

/* ---- the shares ---- */

static struct memory_part parts[MEMORY_PARTS];

static void begin(void)
{
	parts[MEMORY_RECORDS] = (struct memory_part) { .due = 1000000, .limit = 1000000 };
	parts[MEMORY_PACKETS] = (struct memory_part) { .due = 500000, .limit = 500000 };
	parts[MEMORY_SERVERS] = (struct memory_part) { .due = 100000, .limit = 100000 };
}

/* Each part grows towards what it would have, shrinks to its limit by so much, and the limits are
 * moved; at every moment all fit. */
static void live(size_t records, size_t packets, size_t servers, unsigned turns)
{
	const size_t would_have[] = { records, packets, servers };

	while (turns-- > 0) {
		size_t sum = 0;

		for (int i = 0; i < MEMORY_PARTS; i++) {
			struct memory_part *p = &parts[i];
			size_t goal = would_have[i] < p->limit ? would_have[i] : p->limit;

			if (p->used > goal)
				p->used -= p->used - goal < 5000 ? p->used - goal : 5000;
			else
				p->used += goal - p->used < 20000 ? goal - p->used : 20000;
			sum += p->used > p->limit ? p->used : p->limit;
		}
		ck_assert_uint_le(sum, TOTAL);
		for (int i = 0; i < MEMORY_PARTS; i++)
			parts[i].held = parts[i].used;
		memory_share(TOTAL, parts);
	}
}

START_TEST(each_gets_its_due)
{
	begin();
	live(TOTAL, TOTAL, TOTAL, 1000);
	for (int i = 0; i < MEMORY_PARTS; i++) {
		ck_assert_uint_ge(parts[i].used, parts[i].due - TOTAL / 100);
		ck_assert_uint_le(parts[i].used, parts[i].due + TOTAL / 100);
	}
}
END_TEST

START_TEST(what_one_does_not_need_another_has)
{
	begin();
	live(TOTAL, 10000, 10000, 1000);
	ck_assert_uint_ge(parts[MEMORY_RECORDS].used, TOTAL - 120000);
	/* The one whose due it is needs it now. */
	live(TOTAL, TOTAL, 10000, 1000);
	ck_assert_uint_ge(parts[MEMORY_PACKETS].used, parts[MEMORY_PACKETS].due - TOTAL / 100);
	ck_assert_uint_ge(parts[MEMORY_RECORDS].used, parts[MEMORY_RECORDS].due - TOTAL / 100);
	/* The other way round. */
	live(10000, TOTAL, 10000, 1000);
	ck_assert_uint_ge(parts[MEMORY_PACKETS].used, TOTAL - 120000);
	live(TOTAL, TOTAL, TOTAL, 1000);
	ck_assert_uint_ge(parts[MEMORY_RECORDS].used, parts[MEMORY_RECORDS].due - TOTAL / 100);
}
END_TEST

START_TEST(who_holds_more_is_waited_for)
{
	begin();
	parts[MEMORY_PACKETS].held = TOTAL; /* its worker has not heard of a limit yet */
	parts[MEMORY_RECORDS].used = parts[MEMORY_RECORDS].held = 1000000;
	memory_share(TOTAL, parts);
	ck_assert_uint_le(parts[MEMORY_RECORDS].limit, 1000000);
	parts[MEMORY_PACKETS].held = 0;
	memory_share(TOTAL, parts);
	memory_share(TOTAL, parts);
	ck_assert_uint_gt(parts[MEMORY_RECORDS].limit, 1000000);
}
END_TEST

START_TEST(settled_limits_stay)
{
	struct memory_part before[MEMORY_PARTS];

	begin();
	live(300000, 200000, 50000, 100);
	memcpy(before, parts, sizeof(before));
	for (int i = 0; i < MEMORY_PARTS; i++)
		parts[i].used = parts[i].held += 1000;
	memory_share(TOTAL, parts);
	for (int i = 0; i < MEMORY_PARTS; i++)
		ck_assert_uint_eq(parts[i].limit, before[i].limit);
}
END_TEST

/* ---- the account and the process ---- */

enum { MANY = 40000, SLACK = 64 * 1024 };

/* All that the process may write to, but for what malloc has in stock. */
static size_t process_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages), 1);
	ck_assert_int_eq(fclose(f), 0);
	return pages * (size_t)sysconf(_SC_PAGESIZE) - mallinfo2().fordblks;
}

/* A sanitizer's malloc tells nothing. */
static bool malloc_tells(void)
{
	size_t before = mallinfo2().uordblks;
	void *volatile p = malloc(10000);
	bool tells = mallinfo2().uordblks - before >= 10000;

	free(p);
	return tells;
}

/* malloc keeps a few small blocks to itself, and now and then gives 16 bytes more than it must. */
static void compare(size_t accounted, size_t before)
{
	size_t taken = process_bytes() - before, slack = SLACK + taken / 50;

	ck_assert_uint_ge(accounted, 20 * SLACK); /* or this shows nothing */
	ck_assert_uint_ge(accounted + slack, taken);
	ck_assert_uint_le(accounted, taken + slack);
}

static void name_of(uint8_t out[NAME_MAX_LEN], unsigned i)
{
	char text[80];

	snprintf(text, sizeof(text), "%.*s%u.zone%u.example.", (int)(i % 23),
		 "abcdefghijklmnopqrstuvwxyz", i, i % 1000);
	ck_assert_int_eq(name_from_text(out, text), E_OK);
}

static void put_one(struct cache *c, unsigned i)
{
	uint8_t name[NAME_MAX_LEN], bytes[70] = { (uint8_t)i, (uint8_t)(i >> 8) };
	struct rdata rr = { .data = bytes, .len = (uint16_t)(4 + i % 60) };
	struct rrset *s = NULL, *soa = NULL;

	name_of(name, i);
	ck_assert_int_eq(rrset_new(&s, name, TYPE_TXT, 300, NOW, RANK_AUTH_ANSWER, &rr, 1, NULL, 0),
			 E_OK);
	ck_assert_int_eq(cache_put(c, s, false, NOW), CACHE_STORED);
	rrset_put(s);
	if (i % 4 != 0)
		return;
	/* A denial with a proof of its own. */
	s = NULL;
	ck_assert_int_eq(rrset_new(&soa, name_suffix(name, 2), TYPE_SOA, 300, NOW,
				   RANK_AUTH_AUTHORITY, &rr, 1, NULL, 0),
			 E_OK);
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NODATA, name, TYPE_A, 300, NOW,
					    RANK_AUTH_ANSWER, &soa, 1, 0),
			 E_OK);
	rrset_put(soa);
	ck_assert_int_eq(cache_put(c, s, false, NOW), CACHE_STORED);
	rrset_put(s);
}

START_TEST(the_record_cache_takes_what_it_says)
{
	const struct cache_config cfg = { .max_entries = 4 * MANY, .shards = 64 };
	size_t before = process_bytes();
	struct cache_stats stats;
	struct cache *c = NULL;

	if (!malloc_tells())
		return;
	ck_assert_int_eq(cache_new(&c, &cfg), E_OK);
	for (unsigned i = 0; i < MANY; i++)
		put_one(c, i);
	cache_stats(c, &stats);
	compare(stats.fixed_bytes + stats.bytes, before);
	/* And as it shrinks. */
	cache_set_limits(c, 0, stats.bytes / 2);
	while (cache_shrink_some(c, 1000, NOW) > 0)
		;
	cache_stats(c, &stats);
	compare(stats.fixed_bytes + stats.bytes, before);
	cache_free(c);
	ck_assert_uint_le(process_bytes(), before + SLACK);
}
END_TEST

static void keep_one(struct packetcache *pc, unsigned i)
{
	uint8_t wire[512] = { 0 }, name[NAME_MAX_LEN];
	struct packetcache_key key = { .query = wire, .payload = 1232 };
	size_t len = WIRE_HEADER_LEN;

	name_of(name, i);
	wire_put_u16(wire + 4, 1);
	len += name_copy(wire + len, name);
	key.name_hash = name_hash(name);
	wire_put_u16(wire + len, TYPE_A);
	wire_put_u16(wire + len + 2, CLASS_IN);
	len += 4;
	key.question_end = len;
	for (unsigned n = i % 5; n > 0; n--) {
		static const uint8_t record[] = "\xc0\x0c\0\1\0\1\0\0\1\0\0\4";

		wire[7]++;
		memcpy(wire + len, record, 12);
		wire_put_u32(wire + len + 12, i);
		len += 16;
	}
	packetcache_put(pc, &key, wire, len, 100, 0, false, NOW);
}

START_TEST(a_packet_cache_takes_what_it_says)
{
	const struct packetcache_config cfg = { .max_entries = 2 * MANY };
	size_t before = process_bytes();
	struct packetcache_stats stats;
	struct packetcache *pc = NULL;

	if (!malloc_tells())
		return;
	ck_assert_int_eq(packetcache_new(&pc, &cfg), E_OK);
	for (unsigned i = 0; i < MANY; i++)
		keep_one(pc, i);
	packetcache_stats(pc, &stats);
	ck_assert_uint_eq(stats.entries, MANY);
	compare(stats.bytes, before);
	packetcache_set_limits(pc, MANY / 3, 0);
	while (packetcache_shrink_some(pc, 1000) > 0)
		;
	packetcache_stats(pc, &stats);
	ck_assert_uint_eq(stats.entries, MANY / 3);
	compare(stats.bytes, before);
	packetcache_free(pc);
}
END_TEST

START_TEST(the_server_table_takes_what_it_says)
{
	const struct servers_config cfg = { .network_timeout_ms = 1500 };
	size_t before = process_bytes();
	struct servers_stats stats;
	struct servers *s = NULL;
	uint8_t name[NAME_MAX_LEN];

	if (!malloc_tells())
		return;
	hash_key_set(0x243f6a8885a308d3, 0x13198a2e03707344);
	ck_assert_int_eq(servers_new(&s, &cfg), E_OK);
	for (unsigned i = 0; i < MANY; i++) {
		struct addr a = { .family = 4, .port = 53 };

		wire_put_u32(a.ip, i);
		name_of(name, i);
		servers_answered(s, &a, 1000, true, 1000);
		servers_set_name(s, &a, name);
		if (i % 3 == 0)
			servers_throttle(s, &a, name, TYPE_A, 2, THROTTLE_LAME, 1000);
	}
	servers_stats(s, &stats);
	compare(stats.bytes, before);
	/* It keeps to a limit, and may be told one that is lower. */
	servers_set_limit(s, stats.bytes / 2);
	ck_assert_uint_eq(servers_shrink_some(s, 10), 10);
	while (servers_shrink_some(s, 1000) > 0)
		;
	before += stats.bytes / 2;
	servers_stats(s, &stats);
	ck_assert_uint_le(process_bytes(), before + 2 * SLACK);
	for (unsigned i = 0; i < MANY; i++) {
		struct addr a = { .family = 6, .port = 53 };

		wire_put_u32(a.ip, i);
		servers_answered(s, &a, 1000, true, 1000);
	}
	ck_assert_uint_le(process_bytes(), before + 2 * SLACK);
	servers_free(s);
}
END_TEST

/* Those of a few zones of many names, and of many zones. */
START_TEST(proofs_take_what_they_say)
{
	const struct aggressive_config cfg = { .max_entries = 2 * MANY };
	size_t before = process_bytes();
	struct aggressive *a = NULL;
	struct aggressive_sum sum;

	if (!malloc_tells())
		return;
	ck_assert_int_eq(aggressive_new(&a, &cfg), E_OK);
	for (unsigned i = 0; i < MANY / 2; i++) {
		unsigned zone = i % 2 == 0 ? i % 16 : i;
		char apex[40], line[160];
		struct rrset *soa, *s;

		snprintf(apex, sizeof(apex), "zone%u.example", zone);
		snprintf(line, sizeof(line), "%s. SOA ns. host. 1 2 3 4 600", apex);
		soa = text_set(apex, line);
		snprintf(line, sizeof(line), "n%06u.%s. NSEC n%06u.%s. A RRSIG NSEC", i, apex,
			 i + 1, apex);
		s = text_set(apex, line);
		aggressive_put(a, wire(apex), s, soa, TEXT_SET_NOW_S);
		rrset_put(s);
		rrset_put(soa);
	}
	ck_assert_uint_eq(aggressive_entries(a), MANY / 2);
	aggressive_sum(a, &sum);
	compare(sum.bytes + rrset_charged_bytes(), before);
	/* And as they go. */
	for (unsigned i = 0; i < 8; i++) {
		char apex[40];

		snprintf(apex, sizeof(apex), "zone%u.example", i);
		(void)aggressive_wipe(a, wire(apex), true);
	}
	aggressive_sum(a, &sum);
	compare(sum.bytes + rrset_charged_bytes(), before);
	aggressive_free(a);
	ck_assert_uint_eq(rrset_charged_bytes(), 0);
}
END_TEST

/* Keys of the kinds that take most, made and used; and what all workers may keep is a part of the whole. */
START_TEST(a_keyring_takes_no_more_than_it_says)
{
	static const unsigned bits[] = { 1024, 2048, 4096 };
	uint8_t rdata[4 + 4 + 512] = { 1, 1, 3, 8, 3, 1, 0, 1 }, sig[512] = { 1 };
	struct pubkey *key;

	if (!malloc_tells())
		return;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		const size_t len = 8 + bits[i] / 8, before = process_bytes();
		struct keyring *ring = NULL;

		memset(rdata + 8, 0xa5, len - 8);
		ck_assert_int_eq(keyring_new(&ring, 1000), E_OK);
		for (uint32_t n = 0; n < 1500; n++) {
			struct rdata rr = { rdata, (uint16_t)len };
			struct dnskey k;

			wire_put_u32(rdata + 16, n);
			ck_assert_int_eq(dnskey_read(&k, &rr), E_OK);
			ck_assert_int_eq(keyring_find(&key, ring, &k), E_OK);
			(void)pubkey_check(key, sig, 32, sig, (uint16_t)(bits[i] / 8));
		}
		ck_assert_uint_eq(keyring_stats(ring).keys, 1000);
		ck_assert_uint_le(process_bytes() - before, keyring_stats(ring).bytes + SLACK);
		ck_assert_uint_ge(process_bytes() - before, keyring_stats(ring).bytes / 4);
		keyring_free(ring);
	}
}
END_TEST

START_TEST(keys_have_a_part_of_the_whole)
{
	struct memory m;

	memset(&m, 0, sizeof(m));
	atomic_store(&m.max_cache_memory, 1ULL << 40);
	ck_assert_uint_eq(memory_keys(&m, 4), KEYRING_KEYS_DEFAULT);
	atomic_store(&m.max_cache_memory, 64 << 20);
	ck_assert_uint_le(2 * memory_keys(&m, 2) * KEYRING_KEY_BYTES, (64 << 20) / 32);
	ck_assert_uint_lt(memory_keys(&m, 2), memory_keys(&m, 1));
	atomic_store(&m.max_cache_memory, 8 << 20);
	ck_assert_uint_gt(memory_keys(&m, 64), 0);
}
END_TEST

/* ---- the budget of all ---- */

static void ignore_line(void *ctx, const char *line)
{
	(void)ctx, (void)line;
}

/* What the house is kept with, of a server that does not run. */
static void open_house(struct server *server, struct settings **s)
{
	char *argv[] = { (char *)"recursor", (char *)"--max-cache-memory=32M",
			 (char *)"--threads=1", (char *)"--config-dir=/nonexistent" };
	char reason[SETTINGS_WHY_MAX] = "";
	struct aggressive_config aggressive;
	struct servers_config servers;
	struct cache_config cache;

	hash_key_init();
	ck_assert_msg(settings_load(s, ARRAY_LEN(argv), argv, ignore_line, NULL, reason) == E_OK,
		      "%s", reason);
	memset(server, 0, sizeof(*server));
	memory_init(&server->memory, *s);
	wiring_cache_config(&cache, *s, &server->memory);
	wiring_servers_config(&servers, *s, &server->memory);
	wiring_aggressive_config(&aggressive, *s, &server->memory);
	ck_assert_int_eq(cache_new(&server->cache, &cache), E_OK);
	ck_assert_int_eq(servers_new(&server->servers, &servers), E_OK);
	ck_assert_int_eq(aggressive_new(&server->aggressive, &aggressive), E_OK);
	server->n_workers = 1;
	server->workers = aligned_alloc(64, sizeof(*server->workers));
	ck_assert_ptr_nonnull(server->workers);
	memset(server->workers, 0, sizeof(*server->workers));
}

/* So many new names, and now and then the house is kept. */
static void keep_filling(struct server *server, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		static const uint8_t ip[4] = { 192, 0, 2, 1 };
		const struct rdata rr = { ip, sizeof(ip) };
		uint8_t name[NAME_MAX_LEN];
		struct rrset *s = NULL;

		name_of(name, i);
		ck_assert_int_eq(
			rrset_new(&s, name, TYPE_A, 300, NOW, RANK_AUTH_ANSWER, &rr, 1, NULL, 0),
			E_OK);
		(void)cache_put(server->cache, s, 0, NOW);
		rrset_put(s);
		if (i % 1000 == 0)
			memory_rebalance(server, NOW);
	}
	for (unsigned i = 0; i < 100; i++)
		memory_rebalance(server, NOW);
}

/* Keys and proofs are made when the cache has long been full: it gives way to them. */
START_TEST(what_stands_beside_records_has_its_room_from_them)
{
	static struct server server;
	struct settings *s = NULL;
	const struct memory_part *records = &server.memory.parts[MEMORY_RECORDS];

	open_house(&server, &s);
	keep_filling(&server, 0, 400000);
	ck_assert_uint_ge(records->used, records->limit - records->limit / 20); /* it is full */
	ck_assert_uint_le(records->used, records->limit);
	atomic_store(&server.workers[0].gauges.key_bytes, (32 << 20) / 32);
	keep_filling(&server, 400000, 10000);
	ck_assert_uint_le(records->used, records->limit);
	ck_assert_uint_le(memory_used(&server.memory), 32 << 20);
	free(server.workers);
	aggressive_free(server.aggressive);
	servers_free(server.servers);
	cache_free(server.cache);
	settings_free(s);
}
END_TEST

Suite *suite_memory(void)
{
	Suite *s = suite_create("memory");
	TCase *tc = tcase_create("memory");

	tcase_add_test(tc, each_gets_its_due);
	tcase_add_test(tc, what_one_does_not_need_another_has);
	tcase_add_test(tc, who_holds_more_is_waited_for);
	tcase_add_test(tc, settled_limits_stay);
	tcase_add_test(tc, the_record_cache_takes_what_it_says);
	tcase_add_test(tc, a_packet_cache_takes_what_it_says);
	tcase_add_test(tc, the_server_table_takes_what_it_says);
	tcase_add_test(tc, proofs_take_what_they_say);
	tcase_add_test(tc, a_keyring_takes_no_more_than_it_says);
	tcase_add_test(tc, keys_have_a_part_of_the_whole);
	tcase_add_test(tc, what_stands_beside_records_has_its_room_from_them);
	suite_add_tcase(s, tc);
	return s;
}
