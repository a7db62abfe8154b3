/*
 * sentinel: names by which a client learns whether a key of the root is trusted here (RFC 8509).
 *
 *     root-key-sentinel-is-ta-20326.example.     SERVFAIL if that key is not trusted
 *     root-key-sentinel-not-ta-20326.example.    SERVFAIL if it is
 *
 * Threads: pure functions.
 */
#ifndef RECURSOR_SENTINEL_H
#define RECURSOR_SENTINEL_H

#include <stdbool.h>
#include <stdint.h>

#include "recursor/resolve/dnssec/anchors.h"

/* Is the answer to be SERVFAIL?  For one that has validated, to a question with CD clear (RFC 8509
 * 2.2).  `anchors` may be NULL. */
bool sentinel_denies(const struct anchors *anchors, const uint8_t *name, uint16_t type);

#endif
