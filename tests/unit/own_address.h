/*
 * own_address: addresses of 127/8 that belong to this process alone, so that tests that open
 * sockets can run side by side.  `last` is 1 or 2.
 */
#ifndef UNIT_OWN_ADDRESS_H
#define UNIT_OWN_ADDRESS_H

#include <unistd.h>

#include "common/addr.h"

static inline void own_address(struct addr *a, unsigned last, uint16_t port)
{
	unsigned pid = (unsigned)getpid();

	*a = (struct addr) {
		.family = 4,
		.port = port,
		.ip = { 127, (uint8_t)(64 + (pid >> 14) % 128), (uint8_t)(pid >> 7 & 127),
			(uint8_t)((pid & 127) * 2 % 250 + last) },
	};
}

#endif
