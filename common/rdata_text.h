/*
 * rdata_text: a record's data from text in a zone file's form (RFC 1035 5.1), and to it.
 *
 * ldns reads and writes them; addresses and names alone, which are most of what scripts and the
 * like come with, are read here without it.
 *
 * Threads: pure functions.
 */
#ifndef COMMON_RDATA_TEXT_H
#define COMMON_RDATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/wire.h"

enum { RDATA_TEXT_WHY_MAX = 128 };

/* Reads the text of one record of this type.  Names that do not end with a dot are relative to
 * `origin` (NULL: the root).  What comes out is sound: its parts are what the type says.  On error
 * `why` says what is wrong.  E_MALFORMED, E_TOO_LONG, E_NOMEM. */
int rdata_from_text(uint8_t out[WIRE_MSG_MAX], uint16_t *len, uint16_t type, const char *text,
		    const uint8_t *origin, char why[RDATA_TEXT_WHY_MAX]) MUST_USE;

/* Are the parts of it what its type says, with no pointers in its names? */
bool rdata_is_sound(uint16_t type, const uint8_t *rdata, uint16_t len);

/* One line, malloc'ed, for the caller; in the generic form (RFC 3597 5) when ldns makes no sense
 * of it.  NULL: out of memory. */
char *rdata_to_text(uint16_t type, const uint8_t *rdata, uint16_t len);

#endif
