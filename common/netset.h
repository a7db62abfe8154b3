/*
 * netset: a set of network prefixes, looked up by longest match (a path-compressed binary
 * trie for each family).
 *
 * Built once, then only read: any number of threads may ask it.  `!prefix` takes a part out
 * of what a shorter prefix allows.
 *
 * Limits: NETSET_MAX prefixes.
 */
#ifndef COMMON_NETSET_H
#define COMMON_NETSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

enum { NETSET_MAX = 1000000 };

struct netset;

int netset_new(struct netset **out) MUST_USE;
void netset_free(struct netset *s); /* accepts NULL */

/* "192.0.2.0/24", "2001:db8::1", "!10.1.0.0/16".  E_MALFORMED, E_RANGE (prefix length). */
int netset_add_text(struct netset *s, const char *text) MUST_USE;

/* A list with commas or blanks between.  On error `bad` (ADDR_TEXT_MAX bytes) holds the
 * item refused, cut to fit. */
int netset_add_list(struct netset *s, const char *list, char bad[ADDR_TEXT_MAX]) MUST_USE;

bool netset_match(const struct netset *s, const struct addr *a);
bool netset_is_empty(const struct netset *s);
size_t netset_count(const struct netset *s);
/* Bytes that it will hold once one more prefix is added. */
size_t netset_bytes_next(const struct netset *s);

/* Prints the prefixes in order of address, ", " between. */
size_t netset_text(const struct netset *s, char *out, size_t cap);

#endif
