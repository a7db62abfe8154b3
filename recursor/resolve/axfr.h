/*
 * axfr: reads the messages of a zone transfer (RFC 5936) into a copy of the zone.
 *
 *     struct axfr x;
 *     axfr_init(&x, copy, id);
 *     while (!x.is_done && more bytes come)
 *             err = axfr_take(&x, wire, len, why);             one message
 *
 * A transfer begins and ends with the zone's SOA record, the same both times; between them stands each other
 * record once, in any order.  Whatever is wrong with a message ends it: a zone is taken whole or not at all.
 *
 * Limits:  those of the copy.
 * Threads: one at a time.
 */
#ifndef RESOLVE_AXFR_H
#define RESOLVE_AXFR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/zonecopy.h"

struct axfr {
	struct zonecopy *copy; /* borrowed */
	uint16_t id;
	bool has_begun, is_done;
	uint32_t serial;
};

void axfr_init(struct axfr *x, struct zonecopy *copy, uint16_t id);

/* E_MALFORMED and the like, E_LIMIT, E_NOMEM, E_UNSUPPORTED (the server refuses); some words stand in `why`
 * then. */
int axfr_take(struct axfr *x, const uint8_t *wire, size_t len, char why[ZONECOPY_WHY_MAX]) MUST_USE;

/* The serial in the answer to a question for the zone's SOA record, by the same rules. */
int axfr_read_serial(uint32_t *serial, const uint8_t *zone, uint16_t id, const uint8_t *wire,
		     size_t len, char why[ZONECOPY_WHY_MAX]) MUST_USE;

#endif
