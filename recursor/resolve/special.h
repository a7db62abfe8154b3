/*
 * special: names that are never asked for on the Internet and are answered here: localhost,
 * invalid, test, onion (RFC 6761, 7686), home.arpa (RFC 8375), and the reverse zones of private
 * and reserved addresses (RFC 1918, 6303).
 *
 * Threads: one resolver's; read-only after special_new().
 */
#ifndef RESOLVE_SPECIAL_H
#define RESOLVE_SPECIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rrset.h"

struct resolver_config;
struct special;

int special_new(struct special **out) MUST_USE;
void special_free(struct special *s);

/* False when the name is not special, or its kind is switched off, or the special zone's name has
 * fewer than `least_labels`: then the operator has configured a nearer one, or the same.  Else *out
 * is a set (a reference for the caller): data, NODATA or NXDOMAIN of rank LOCAL; NULL: there was no
 * memory for it. */
bool special_look(struct rrset **out, const struct special *s, const struct resolver_config *cfg,
		  const uint8_t *name, uint16_t type, unsigned least_labels, uint32_t now_s);

#endif
