#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/files/cachefile.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000, NOW_MS = 900000000, NAMES = 20 };

static struct cache *cache;
static struct servers *servers;
static char *file;
static size_t file_len;

static struct rrset *data_set(const char *name, uint16_t type, uint32_t ttl, const void *rdata,
			      size_t len)
{
	const struct rdata rr = { .data = rdata, .len = (uint16_t)len };
	struct rrset *s = NULL;

	ck_assert_int_eq(
		rrset_new(&s, wire(name), type, ttl, NOW, RANK_AUTH_ANSWER, &rr, 1, NULL, 0), E_OK);
	return s;
}

static void put(struct rrset *s, unsigned how)
{
	ck_assert_int_eq(cache_put(cache, s, how, NOW), CACHE_STORED);
	rrset_put(s);
}

static void put_denial(const char *name)
{
	static const uint8_t soa_rdata[] = "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	struct rrset *soa = data_set("example.", TYPE_SOA, 60, soa_rdata, 22), *s = NULL;

	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NXDOMAIN, wire(name), 0, 60, NOW,
					    RANK_AUTH_ANSWER, &soa, 1, 0),
			 E_OK);
	rrset_put(soa);
	put(s, 0);
}

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 53), E_OK);
	return a;
}

static void open_caches(void)
{
	const struct cache_config c = { .max_entries = 1000, .shards = 4, .stale_s = 50 };
	const struct servers_config s = { .network_timeout_ms = 1500 };

	hash_key_set(0x243f6a8885a308d3, 0x13198a2e03707344);
	ck_assert_int_eq(cache_new(&cache, &c), E_OK);
	ck_assert_int_eq(servers_new(&servers, &s), E_OK);
}

static void close_caches(void)
{
	cache_free(cache);
	servers_free(servers);
	cache = NULL;
	servers = NULL;
}

static void fill(void)
{
	struct addr slow = address("192.0.2.1"), plain = address("[2001:db8::1]:5300");
	char name[32];

	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		put(data_set(name, TYPE_A, 100 + i, "\300\0\2\1", 4), 0);
	}
	put(data_set("example.", TYPE_NS, 1000, "\2ns\7example", 12), CACHE_AS_DELEGATION);
	put_denial("no.example.");
	servers_answered(servers, &slow, 80000, true, NOW_MS - 5000);
	servers_set_name(servers, &slow, wire("ns.example."));
	servers_learn(
		servers, &plain,
		&(struct server_answer) { .rtt_us = 20000, .useful = true, .edns = EDNS_NONE },
		NOW_MS - 1000);
}

static uint64_t zone_of(void *ctx, const struct rrset *s)
{
	ck_assert_ptr_eq(ctx, &file);
	return s->type == TYPE_NS ? 0 : 0xfedcba9876543210;
}

static void write_file(uint32_t now_s, uint64_t max_bytes)
{
	const struct cachefile_source from = {
		.cache = cache,
		.servers = servers,
		.now_s = now_s,
		.stale_s = 50,
		.now_ms = NOW_MS,
		.max_sets = UINT64_MAX,
		.max_bytes = max_bytes,
		.zone_of = zone_of,
		.ctx = &file,
	};
	struct cachefile_counts counts = { 0 };
	FILE *f = open_memstream(&file, &file_len);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(cachefile_write(f, &from, &counts), E_OK);
	ck_assert_int_eq(fclose(f), 0);
	if (max_bytes == UINT64_MAX) {
		ck_assert_uint_eq(counts.sets, NAMES + 2);
		ck_assert_uint_eq(counts.servers, 2);
	}
}

struct seen {
	unsigned sets, in_zones, delegations, servers, restored, pauses, pauses_left;
	uint32_t now_s;
};

static void see_set(void *ctx, struct rrset *s, bool delegation, uint64_t zone)
{
	struct seen *seen = ctx;

	seen->sets++;
	seen->in_zones += zone == (s->type == TYPE_NS ? 0 : 0xfedcba9876543210); /* see zone_of() */
	seen->delegations += delegation;
	(void)cache_restore(cache, s, delegation, seen->now_s);
}

static void see_server(void *ctx, const struct server_dump *s)
{
	struct seen *seen = ctx;

	seen->servers++;
	seen->restored += servers_restore(servers, s, 2 * (uint64_t)NOW_MS);
}

static bool see_pause(void *ctx)
{
	struct seen *seen = ctx;

	seen->pauses++;
	return seen->pauses_left == 0 || --seen->pauses_left > 0;
}

static char why[CACHEFILE_WHY_MAX];

static int read_bytes(const char *bytes, size_t len, struct seen *seen)
{
	const struct cachefile_sink sink = {
		.ctx = seen,
		.now_s = seen->now_s,
		.set = see_set,
		.server = see_server,
		.go_on = see_pause,
	};
	struct cachefile_info info;
	FILE *f = fmemopen((void *)(uintptr_t)bytes, len, "r");
	int err;

	ck_assert_ptr_nonnull(f);
	err = cachefile_read(f, &sink, &info, why);
	ck_assert_int_eq(fclose(f), 0);
	if (err == E_OK) {
		ck_assert_uint_eq(info.counts.sets, seen->sets);
		ck_assert_uint_eq(info.counts.servers, seen->servers);
	}
	return err;
}

static bool has(const char *name, uint16_t type, uint32_t now_s)
{
	struct rrset *s = cache_get(cache, wire(name), type, RANK_ADDITIONAL, now_s);
	bool found = s != NULL;

	rrset_put(s);
	return found;
}

static void begin(void)
{
	open_caches();
	fill();
	write_file(NOW + 10, UINT64_MAX);
	close_caches();
}

static void end(void)
{
	free(file);
	file = NULL;
}

START_TEST(caches_come_back)
{
	struct seen seen = { .now_s = NOW + 70 };
	struct addr slow = address("192.0.2.1"), plain = address("[2001:db8::1]:5300");
	struct cache_view v;
	struct server_view view;
	char name[32];

	begin();
	open_caches();
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_OK);
	ck_assert_uint_eq(seen.sets, NAMES + 2);
	ck_assert_uint_eq(seen.in_zones, seen.sets);
	ck_assert_uint_eq(seen.delegations, 1);
	ck_assert_uint_eq(seen.servers, 2);
	ck_assert_uint_eq(seen.restored, 2);
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		ck_assert(has(name, TYPE_A, NOW + 99));
		ck_assert(!has(name, TYPE_A, NOW + 100 + i)); /* within the TTL still */
	}
	ck_assert(has("example.", CACHE_DELEGATION, NOW + 70));
	ck_assert(!has("example.", TYPE_NS, NOW + 70));
	/* Expired, but within the stale window. */
	ck_assert(cache_look(cache, wire("no.example."), TYPE_A, CACHE_WANT_ANSWER, NOW + 70, 50,
			     &v));
	ck_assert_ptr_nonnull(v.nxdomain);
	cache_view_put(&v);

	/* Time has gone by for them: 5 s before, and 60 s while nobody ran. */
	servers_look(servers, &slow, 2 * (uint64_t)NOW_MS, &view);
	ck_assert(view.known && view.measured);
	ck_assert_uint_gt(view.srtt_us, 30000);
	ck_assert_uint_lt(view.srtt_us, 40000);
	ck_assert_int_eq(view.edns, EDNS_UNKNOWN);
	servers_look(servers, &plain, 2 * (uint64_t)NOW_MS, &view);
	ck_assert_int_eq(view.edns, EDNS_NONE);
	servers_look(servers, &plain, 2 * (uint64_t)NOW_MS + 3540000, &view);
	ck_assert_int_ne(view.edns, EDNS_NONE); /* an hour from when it was learnt, file and all */
	close_caches();
	end();
}
END_TEST

START_TEST(what_is_spent_stays_out)
{
	struct seen seen = { .now_s = NOW + 115 };

	begin();
	open_caches();
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_OK);
	ck_assert(!has("n3.example.", TYPE_A, NOW + 115));
	ck_assert(has("n19.example.", TYPE_A, NOW + 115));
	ck_assert(!cache_look(cache, wire("no.example."), TYPE_A, CACHE_WANT_ANSWER, NOW + 1, 1000,
			      &(struct cache_view) { 0 }));
	close_caches();
	/* Nor is it written. */
	open_caches();
	fill();
	free(file);
	file = NULL;
	write_file(NOW + 5000, 1 << 20);
	seen = (struct seen) { .now_s = NOW + 5000 };
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_OK);
	ck_assert_uint_eq(seen.sets, 0);
	close_caches();
	end();
}
END_TEST

START_TEST(each_byte_counts)
{
	struct seen seen;
	char *copy;

	begin();
	copy = malloc(file_len + 1);
	ck_assert_ptr_nonnull(copy);
	open_caches();
	for (size_t at = 0; at < file_len; at++) {
		memcpy(copy, file, file_len);
		copy[at] ^= (char)(1 << at % 8);
		seen = (struct seen) { .now_s = NOW + 10 };
		ck_assert_int_lt(read_bytes(copy, file_len, &seen), 0);
		ck_assert_ptr_nonnull(strstr(why, "offset "));
	}
	for (size_t len = 1; len < file_len; len++) {
		seen = (struct seen) { .now_s = NOW + 10 };
		memcpy(copy, file, len);
		ck_assert_int_eq(read_bytes(copy, len, &seen), E_MALFORMED);
		ck_assert_ptr_nonnull(strstr(why, "ends too early"));
	}
	memcpy(copy, file, file_len);
	copy[file_len] = '\0';
	seen = (struct seen) { .now_s = NOW + 10 };
	ck_assert_int_eq(read_bytes(copy, file_len + 1, &seen), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "behind the end"));
	free(copy);
	close_caches();
	end();
}
END_TEST

START_TEST(another_time_or_version_is_told)
{
	struct seen seen = { .now_s = NOW + 10 - 3601 };

	begin();
	open_caches();
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_RANGE);
	ck_assert_str_eq(why, "offset 0: written in the future: is the clock right?");
	seen.now_s = NOW + 10 - 3599; /* clocks are set now and then */
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_OK);
	file[11] = 2;
	seen = (struct seen) { .now_s = NOW + 10 };
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_UNSUPPORTED);
	ck_assert_str_eq(why, "offset 0: written by another version");
	close_caches();
	end();
}
END_TEST

/* A right checksum makes no entry right. */
START_TEST(entries_are_checked_behind_the_checksum)
{
	enum { HEAD = 32, BLOCK_HEAD = 20 };
	struct seen seen;
	unsigned refused = 0;
	size_t len, first;
	uint8_t *block;
	char *copy;

	begin();
	copy = malloc(file_len);
	ck_assert_ptr_nonnull(copy);
	open_caches();
	first = HEAD + BLOCK_HEAD +
		wire_get_u32((uint8_t *)file + HEAD + 12); /* past the servers */
	len = wire_get_u32((uint8_t *)file + first + 12);
	for (size_t at = 0; at < len; at++) {
		memcpy(copy, file, file_len);
		block = (uint8_t *)copy + first;
		block[BLOCK_HEAD + at] ^= 0x80;
		wire_put_u32(block + 16,
			     crc32c(crc32c(0, block, BLOCK_HEAD - 4), block + BLOCK_HEAD, len));
		seen = (struct seen) { .now_s = NOW + 10 };
		refused += read_bytes(copy, file_len, &seen) < 0;
	}
	/* The others are bytes of addresses, names and TTLs, which may have any value. */
	ck_assert_uint_gt(refused, len / 3);
	free(copy);
	close_caches();
	end();
}
END_TEST

START_TEST(it_can_be_stopped_and_bounded)
{
	struct seen seen = { .now_s = NOW, .pauses_left = 2 };
	char name[32];

	open_caches();
	for (unsigned i = 0; i < 900; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		put(data_set(name, TYPE_A, 100, "\300\0\2\1", 4), 0);
	}
	write_file(NOW, UINT64_MAX - 1);
	ck_assert_int_eq(read_bytes(file, file_len, &seen), E_END);
	ck_assert_uint_eq(seen.sets, 2 * CACHEFILE_SLICE);
	free(file);
	file = NULL;
	for (uint64_t most = 100; most < 100000; most += most / 3) {
		free(file);
		file = NULL;
		write_file(NOW, most);
		ck_assert_uint_le(file_len, most);
		seen = (struct seen) { .now_s = NOW };
		ck_assert_int_eq(read_bytes(file, file_len, &seen), E_OK);
		if (most > 1000) /* it is nearly filled, or has them all */
			ck_assert(seen.sets == 900 || file_len + 200 > most);
	}
	close_caches();
	end();
}
END_TEST

/* A zone may send its SOA twice, and a proof that others share may be found bogus by one of them: that costs
 * the file nothing else. */
START_TEST(what_would_be_refused_is_not_written)
{
	static const uint8_t one[] = "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	static const uint8_t other[] = "\0\0\0\0\0\2\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	const struct rdata twice[] = { { one, 22 }, { other, 22 } };
	struct rrset *soa = NULL, *bogus = data_set("example.", TYPE_SOA, 60, one, 22), *s = NULL;
	struct seen seen = { .now_s = NOW };

	open_caches();
	fill();
	ck_assert_int_eq(rrset_new(&soa, wire("example."), TYPE_SOA, 60, NOW, RANK_AUTH_AUTHORITY,
				   twice, 2, NULL, 0),
			 E_OK);
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NODATA, wire("twice.example."), TYPE_A, 60,
					    NOW, RANK_AUTH_ANSWER, &soa, 1, 0),
			 E_OK);
	rrset_put(soa);
	put(s, 0);
	rrset_set_security(bogus, SEC_BOGUS, 1);
	ck_assert_int_eq(rrset_new_negative(&s, RRSET_NODATA, wire("bogus.example."), TYPE_A, 60,
					    NOW, RANK_AUTH_ANSWER, &bogus, 1, 0),
			 E_OK);
	rrset_put(bogus);
	put(s, 0);
	write_file(NOW, UINT64_MAX - 1);
	close_caches();
	open_caches();
	ck_assert_msg(read_bytes(file, file_len, &seen) == E_OK, "%s", why);
	ck_assert_uint_eq(seen.sets, NAMES + 2);
	close_caches();
	end();
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
	const struct cachefile_source from = { .now_s = NOW,
					       .max_bytes = 1 << 20,
					       .max_sets = UINT64_MAX };
	struct cachefile_source full = from;
	struct cachefile_counts counts;
	FILE *f = fopen("/dev/full", "we");

	if (f == NULL)
		return;
	open_caches();
	fill();
	full.cache = cache;
	full.servers = servers;
	ck_assert_int_eq(cachefile_write(f, &full, &counts), E_SYSTEM);
	(void)fclose(f);
	close_caches();
}
END_TEST

Suite *suite_cachefile(void)
{
	Suite *s = suite_create("cachefile");
	TCase *tc = tcase_create("cachefile");

	tcase_add_test(tc, caches_come_back);
	tcase_add_test(tc, what_is_spent_stays_out);
	tcase_add_test(tc, each_byte_counts);
	tcase_add_test(tc, another_time_or_version_is_told);
	tcase_add_test(tc, entries_are_checked_behind_the_checksum);
	tcase_add_test(tc, it_can_be_stopped_and_bounded);
	tcase_add_test(tc, what_would_be_refused_is_not_written);
	tcase_add_test(tc, a_full_disk_is_an_error);
	suite_add_tcase(s, tc);
	return s;
}
