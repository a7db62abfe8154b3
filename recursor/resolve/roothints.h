/*
 * roothints: the built-in addresses of the root's name servers, for when no hint-file is given.
 */
#ifndef RESOLVE_ROOTHINTS_H
#define RESOLVE_ROOTHINTS_H

#include <stddef.h>

#include "common/rrset.h"

enum { ROOTHINTS_MAX = 32 };

/* The root's NS set and the address sets, of rank LOCAL, each with one reference. */
int roothints_make(struct rrset *out[ROOTHINTS_MAX], size_t *n) MUST_USE;

#endif
