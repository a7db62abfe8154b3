/*
 * ratelimit: so many queries a second for each client, in memory of a fixed size.
 *
 *     ratelimit_new(&limit, &(struct ratelimit_config) { .qps = 50, .burst = 100, .ipv4_bits = 32,
 *                                                        .ipv6_bits = 64, .max = 100000 });
 *     if (!ratelimit_allows(limit, &client, now_us)) ...
 *
 * A client is a prefix.  Its bucket is one number: when it will be full again (the "theoretical arrival
 * time" of GCRA).  A bucket that is full is as good as none, so its place goes to the next who comes;
 * where there is none in the eight places that a client may have, the fullest goes and is counted as
 * forgotten: who floods is the last to be.
 *
 * What was refused takes nothing from the bucket: who keeps asking too fast still gets `qps`.
 *
 * Memory:  16 bytes for each of `max` clients, allocated at once.
 * Threads: any; no locks.  Two threads that meet at one bucket may let a query too many pass.
 * Clock:   the caller's, monotonic, in microseconds.
 */
#ifndef POLICY_RATELIMIT_H
#define POLICY_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

#define RATELIMIT_QPS_LEAST 0.001
#define RATELIMIT_QPS_MOST 1e9
enum {
	RATELIMIT_BURST_MOST = 1000000000,
	RATELIMIT_CLIENTS_MOST = 100000000,
	RATELIMIT_CLIENT_BYTES = 16
};

struct ratelimit;

struct ratelimit_config {
	double qps;
	uint32_t burst;                /* queries at once after a rest; 0: as many as in a second */
	unsigned ipv4_bits, ipv6_bits; /* what of an address is the client: 0 to 32, 0 to 128 */
	uint32_t max;                  /* clients */
};

/* E_RANGE: a number that makes no sense; E_NOMEM. */
int ratelimit_new(struct ratelimit **out, const struct ratelimit_config *cfg) MUST_USE;
void ratelimit_free(struct ratelimit *r); /* accepts NULL */

/* A query of this client: true and counted, or false. */
bool ratelimit_allows(struct ratelimit *r, const struct addr *client, uint64_t now_us);

struct ratelimit_stats {
	uint64_t refused;
	uint64_t forgotten; /* clients that lost their place before their bucket was full again */
	size_t bytes;
};

void ratelimit_stats(const struct ratelimit *r, struct ratelimit_stats *out);

#endif
