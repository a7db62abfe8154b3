/* defender_rate: see defender_rate.h. */
#include "recursor/policy/defender_rate.h"

#include "common/hash.h"

enum { WAYS = 4 };

static void keep_bits(uint8_t *ip, unsigned n, unsigned bits)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned keep = bits >= 8 ? 8 : bits;

		ip[i] &= (uint8_t)(0xff << (8 - keep));
		bits -= keep;
	}
}

struct addr defender_client(const struct addr *a, uint32_t ipv4_bits, uint32_t ipv6_bits,
			    uint32_t port_bits)
{
	struct addr c = *a;

	if (a->family == 4)
		keep_bits(c.ip, 4, ipv4_bits);
	else
		keep_bits(c.ip, sizeof(c.ip), ipv6_bits);
	c.port &= (uint16_t)(0xffff << (16 - port_bits));
	return c;
}

bool defender_rate_take(struct defender_rate *r, const struct addr *subnet, uint64_t what,
			uint32_t qps, uint64_t now_us)
{
	/* hash_mix() keeps apart what differs in its first argument: a hash already. */
	uint64_t key = hash_mix(hash_bytes(subnet, sizeof(*subnet)), what) | 1;
	uint64_t at = (key >> 1) % DEFENDER_RATE_SLOTS & ~(uint64_t)(WAYS - 1), best = at;
	uint64_t step_us = 1000000 / qps, due_us = 0;
	bool found = false;

	for (uint64_t i = at; i < at + WAYS && !found; i++) {
		uint64_t due = atomic_load_explicit(&r->slots[i].due_us, memory_order_relaxed);

		found = atomic_load_explicit(&r->slots[i].key, memory_order_relaxed) == key;
		if (found ||
		    due < atomic_load_explicit(&r->slots[best].due_us, memory_order_relaxed))
			best = i;
		if (found)
			due_us = due;
	}
	if (due_us < now_us)
		due_us = now_us;
	/* A second's worth may be asked at once. */
	if (due_us - now_us + step_us > 1000000)
		return false;
	atomic_store_explicit(&r->slots[best].key, key, memory_order_relaxed);
	atomic_store_explicit(&r->slots[best].due_us, due_us + step_us, memory_order_relaxed);
	return true;
}
