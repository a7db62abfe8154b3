/*
 * defender_rate: how often a client's subnet may ask: so many a second, and a second's worth at once
 * (GCRA: of each subnet only the time is kept at which it will have used up what it may).
 *
 * Memory:  DEFENDER_RATE_SLOTS slots of 16 bytes.  A subnet without one takes the place of that of
 *          its four which is due soonest, and which it concerns least.
 * Threads: any number, without a lock: a lost race costs or gives a query.
 */
#ifndef POLICY_DEFENDER_RATE_H
#define POLICY_DEFENDER_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

enum { DEFENDER_RATE_SLOTS = 16384 };

struct defender_rate {
	struct {
		_Atomic uint64_t key, due_us;
	} slots[DEFENDER_RATE_SLOTS];
};

/* `a` with the bits past its prefix zeroed, and no port but the `port_bits` highest bits of it. */
struct addr defender_client(const struct addr *a, uint32_t ipv4_bits, uint32_t ipv6_bits,
			    uint32_t port_bits);

/* `what`: which limit it is.  False: it is over. */
bool defender_rate_take(struct defender_rate *r, const struct addr *subnet, uint64_t what,
			uint32_t qps, uint64_t now_us);

#endif
