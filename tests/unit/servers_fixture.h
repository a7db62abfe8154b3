/* A table of servers, its addresses and names, and looks into it. */
#ifndef UNIT_SERVERS_FIXTURE_H
#define UNIT_SERVERS_FIXTURE_H

#include <check.h>

#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/servers.h"

enum { T0 = 5000000 };

static const struct servers_config ordinary = {
	.max_servers = 6400,
	.max_throttles = 6400,
	.down_max_fails = 64,
	.down_time_s = 60,
	.bypass_probability = 25,
	.network_timeout_ms = 1500,
};

static inline struct servers *make_table(const struct servers_config *cfg)
{
	struct servers *s = NULL;

	hash_key_set(0x243f6a8885a308d3, 0x13198a2e03707344);
	ck_assert_int_eq(servers_new(&s, cfg), E_OK);
	return s;
}

static inline struct addr addr_n(unsigned n)
{
	return (struct addr) {
		.family = 4,
		.port = 53,
		.ip = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n },
	};
}

static inline struct server_view look(struct servers *s, const struct addr *a, uint64_t now_ms)
{
	struct server_view v;

	servers_look(s, a, now_ms, &v);
	return v;
}

static inline struct servers_stats stats_of(struct servers *s)
{
	struct servers_stats st;

	servers_stats(s, &st);
	return st;
}

static inline size_t bytes_when_empty(void)
{
	struct servers *s = make_table(&ordinary);
	size_t bytes = stats_of(s).bytes;

	servers_free(s);
	return bytes;
}

enum { ZONE_LABELS = 1 };

static const uint8_t www[] = "\3www\7example";
static const uint8_t www_spelt[] = "\3wWw\7Example";
static const uint8_t ftp[] = "\3ftp\7example";

static inline enum throttle_reason is_throttled(struct servers *s, const struct addr *a,
						const uint8_t *name, uint64_t now_ms)
{
	return servers_is_throttled(s, a, name, TYPE_A, ZONE_LABELS, 1, now_ms);
}

#endif
