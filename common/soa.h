/*
 * soa: the numbers that close the rdata of a SOA record (RFC 1035 3.3.13).
 */
#ifndef COMMON_SOA_H
#define COMMON_SOA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rrset.h"
#include "common/wire.h"

struct soa {
	uint32_t serial, refresh_s, retry_s, expire_s;
	uint32_t minimum_s; /* what a denial may live for (RFC 2308 4) */
};

/* False: they are cut short. */
static inline bool soa_read(struct soa *out, const struct rdata *rr)
{
	enum { NAMES_MIN = 2, NUMBERS_LEN = 20 };
	const uint8_t *p;

	if (rr->len < NAMES_MIN + NUMBERS_LEN)
		return false;
	p = rr->data + rr->len - NUMBERS_LEN;
	*out = (struct soa) {
		.serial = wire_get_u32(p),
		.refresh_s = wire_get_u32(p + 4),
		.retry_s = wire_get_u32(p + 8),
		.expire_s = wire_get_u32(p + 12),
		.minimum_s = wire_get_u32(p + 16),
	};
	return true;
}

#endif
