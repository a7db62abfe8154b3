#include "tests/unit/full_server.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/visit.h"

enum { PACKETS_A_VISIT = 500, SIGNATURE_BYTES = 64 };

void full_server_name(uint8_t out[NAME_MAX_LEN], unsigned i)
{
	char text[40];

	snprintf(text, sizeof(text), "n%u.%u.fill.", i, i % 1000);
	ck_assert_int_eq(name_from_text(out, text), E_OK);
}

static void fill_records(struct server *s, unsigned n)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	const struct rdata rr = { .data = ip, .len = sizeof(ip) };
	uint32_t now_s = loop_wall_s();

	for (unsigned i = 0; i < n; i++) {
		uint8_t name[NAME_MAX_LEN];
		struct rrset *set = NULL;

		full_server_name(name, i);
		ck_assert_int_eq(rrset_new(&set, name, TYPE_A, 3600, now_s, RANK_AUTH_ANSWER, &rr,
					   1, NULL, 0),
				 E_OK);
		(void)cache_put(s->cache, set, false, now_s);
		rrset_put(set);
	}
}

/* Twice: an answer is kept when it is put again. */
static void put_packets(struct worker *w, void *arg)
{
	const unsigned *first = arg;
	uint32_t now_s = loop_wall_s();

	for (unsigned i = *first; i < *first + PACKETS_A_VISIT; i++) {
		uint8_t wire[512] = { 0 };
		struct packetcache_key key = { .query = wire, .payload = 512 };
		size_t len = WIRE_HEADER_LEN;

		wire_put_u16(wire + 4, 1);
		full_server_name(wire + len, i);
		key.name_hash = name_hash(wire + len);
		len += name_len(wire + len);
		wire_put_u16(wire + len, TYPE_A);
		wire_put_u16(wire + len + 2, CLASS_IN);
		key.question_end = len + 4;
		packetcache_put(w->packetcache, &key, wire, len + 4, 3600, 0, false, now_s);
		packetcache_put(w->packetcache, &key, wire, len + 4, 3600, 0, false, now_s);
	}
}

static void fill_packets(struct server *s)
{
	for (unsigned i = 0; i < FULL_PACKETS; i += PACKETS_A_VISIT)
		for (unsigned k = 0; k < s->n_workers; k++)
			ck_assert_int_eq(visit_worker(&s->workers[k], put_packets, &i), E_OK);
}

static struct addr address(unsigned i)
{
	return (struct addr) {
		.family = 4,
		.port = 53,
		.ip = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i },
	};
}

/* Some of them fail, some are asked without EDNS. */
static void fill_servers(struct server *s)
{
	uint64_t now_ms = loop_now_us() / 1000;

	for (unsigned i = 0; i < FULL_SERVERS; i++) {
		struct server_answer answer = {
			.rtt_us = 20000,
			.useful = true,
			.edns = i % 4 == 0 ? EDNS_NONE : EDNS_OK,
		};
		struct addr a = address(i);
		uint8_t name[NAME_MAX_LEN];

		full_server_name(name, i);
		answer.ns_name = name;
		servers_learn(s->servers, &a, &answer, now_ms);
		if (i % 4 == 1)
			(void)servers_timed_out(s->servers, &a, name, 100, now_ms);
	}
}

static void fill_throttles(struct server *s)
{
	uint64_t now_ms = loop_now_us() / 1000;

	for (unsigned i = 0; i < FULL_THROTTLES; i++) {
		struct addr a = address(i);
		uint8_t name[NAME_MAX_LEN];

		full_server_name(name, i);
		servers_throttle(s->servers, &a, name, TYPE_A, 1, THROTTLE_LAME, now_ms);
		servers_ns_unresolved(s->servers, name, now_ms);
	}
}

static void proof_name(uint8_t out[NAME_MAX_LEN], unsigned i)
{
	char text[40];

	snprintf(text, sizeof(text), "p%06u.sub.fill.", i);
	ck_assert_int_eq(name_from_text(out, text), E_OK);
}

/* Of one zone, which is one shard's: no proofs are worse to go through. */
static void fill_proofs(struct server *s)
{
	static const uint8_t zone[] = "\4fill", bitmap[] = { 0, 6, 0x40, 0, 0, 0, 0, 3 };
	uint8_t bytes[NAME_MAX_LEN + sizeof(bitmap)], name[NAME_MAX_LEN];
	uint8_t signature[18 + sizeof(zone) + SIGNATURE_BYTES] = { 0 };
	const struct rdata sig = { .data = signature, .len = sizeof(signature) };
	uint32_t now_s = loop_wall_s();

	wire_put_u16(signature, TYPE_NSEC);
	signature[2] = 13;
	signature[3] = 3;
	wire_put_u32(signature + 4, 3600);
	wire_put_u32(signature + 8, now_s + 86400);
	wire_put_u32(signature + 12, now_s - 3600);
	memcpy(signature + 18, zone, sizeof(zone));
	for (unsigned i = 0; i < FULL_PROOFS; i++) {
		struct rdata rr = { .data = bytes };
		struct rrset *set = NULL;
		size_t len;

		proof_name(bytes, i + 1);
		len = name_len(bytes);
		memcpy(bytes + len, bitmap, sizeof(bitmap));
		rr.len = (uint16_t)(len + sizeof(bitmap));
		proof_name(name, i);
		ck_assert_int_eq(rrset_new(&set, name, TYPE_NSEC, 3600, now_s, RANK_AUTH_AUTHORITY,
					   &rr, 1, &sig, 1),
				 E_OK);
		rrset_set_security(set, SEC_SECURE, 0);
		set->zone_labels = 1;
		aggressive_put(s->aggressive, zone, set, NULL, now_s);
		rrset_put(set);
	}
}

void full_server_look(struct server *s, struct full_server *out)
{
	struct servers_stats servers;
	struct cache_stats cache;

	cache_stats(s->cache, &cache);
	servers_stats(s->servers, &servers);
	*out = (struct full_server) {
		.records = cache.entries,
		.servers = servers.servers,
		.throttles = servers.throttles,
		.proofs = aggressive_entries(s->aggressive),
	};
	for (unsigned i = 0; i < s->n_workers; i++)
		out->packets += atomic_load(&s->workers[i].gauges.packetcache_entries);
}

/* Some come and go while the server runs. */
static bool is_short(size_t n, size_t wanted)
{
	return n < wanted - wanted / 10;
}

void full_server_fill(struct server *s, unsigned records)
{
	struct full_server now;

	full_server_look(s, &now);
	if (is_short(now.records, records))
		fill_records(s, records);
	if (is_short(now.packets, (size_t)FULL_PACKETS * s->n_workers))
		fill_packets(s);
	if (is_short(now.servers, FULL_SERVERS))
		fill_servers(s);
	if (is_short(now.throttles, FULL_THROTTLES))
		fill_throttles(s);
	if (is_short(now.proofs, FULL_PROOFS))
		fill_proofs(s);
}
