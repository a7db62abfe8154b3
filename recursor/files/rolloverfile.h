/*
 * rolloverfile: what is known of the rollovers of trusted keys, as text (trustanchor-state-file).
 *
 *     recursor trust anchors 1
 *     zone . 8c0f...(16 digits) NEXT SEEN INTERVAL           begins a zone: see struct rollover; all
 *                                                            digits 0: an operator has cleared it
 *     key trusted SINCE UNTIL dnskey 010103080301...         its keys, in any number
 *     key adding SINCE UNTIL ds 4f66...
 *     end 1a2b3c4d                                           CRC-32C of all before this line
 *
 * Times are seconds since 1970, rdata hexadecimal.  It is read whole or not at all.
 *
 * Limits:  ROLLOVERFILE_ZONES_MAX zones, ROLLOVERFILE_BYTES_MAX bytes.
 * Threads: any; nothing is shared.
 */
#ifndef RECURSOR_ROLLOVERFILE_H
#define RECURSOR_ROLLOVERFILE_H

#include <stdio.h>

#include "common/err.h"
#include "recursor/resolve/dnssec/rollover.h"

enum {
	ROLLOVERFILE_ZONES_MAX = 64,
	ROLLOVERFILE_BYTES_MAX = 8 << 20,
	ROLLOVERFILE_WHY_MAX = 128,
};

struct rollovers {
	size_t n;
	struct rollover zones[ROLLOVERFILE_ZONES_MAX];
};

void rollovers_deinit(struct rollovers *r);
/* NULL: the zone, lower case, is not among them. */
struct rollover *rollovers_find(struct rollovers *r, const uint8_t *zone);
/* Takes it out. */
void rollovers_drop(struct rollovers *r, struct rollover *zone);

/* Text of `len` bytes, which is written to.  *out is to be given back in any case.  On error
 * what is wrong, with the line, in `why` (ROLLOVERFILE_WHY_MAX): E_MALFORMED, E_NOMEM. */
int rolloverfile_parse(struct rollovers *out, char *text, size_t len, char *why) MUST_USE;
/* The same, and E_SYSTEM: it cannot be read. */
int rolloverfile_read(struct rollovers *out, FILE *f, char *why) MUST_USE;

/* E_SYSTEM, E_NOMEM. */
int rolloverfile_write(FILE *f, const struct rollovers *r) MUST_USE;

#endif
