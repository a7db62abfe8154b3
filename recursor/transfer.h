/*
 * transfer: a zone from one of its servers, over TCP (RFC 5936), signed with a secret if there is one.
 *
 * One connection: the SOA record is asked for; if its serial is not newer than what is at hand, that is
 * all; else the zone follows.  Blocks the calling thread until it is there, something is wrong, the time is
 * over, or `stop_fd` can be read from; while the zone is put in order then, until `leave` says so.
 *
 * Limits:  `timeout_s` for all of it; `max_bytes` of messages, and of the copy.
 * Threads: any but a worker's.
 */
#ifndef RECURSOR_TRANSFER_H
#define RECURSOR_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "recursor/resolve/dnssec/tsig.h"
#include "recursor/resolve/zonecopy.h"

enum { TRANSFER_WHY_MAX = 256 };

struct transfer {
	const uint8_t *zone; /* lower case */
	struct addr server;
	struct addr local;           /* family 0: any */
	const struct tsig_key *tsig; /* or NULL */
	uint32_t timeout_s;
	size_t max_bytes; /* 0: ZONECOPY_BYTES_MAX */
	int stop_fd;
	const struct zonefile_leave *leave; /* or NULL */
	bool has_serial;                    /* of the copy at hand */
	uint32_t serial;
};

/* E_EXISTS: what is at hand is as new.  Else what is wrong stands in `why`: E_SYSTEM (the network), E_LIMIT,
 * E_MALFORMED and the like, E_UNSUPPORTED (it is refused), E_STOPPED, E_NOMEM. */
int transfer_zone(struct zonecopy **out, const struct transfer *t,
		  char why[TRANSFER_WHY_MAX]) MUST_USE;

#endif
