/*
 * psl_filter: which names are surely no public suffix, without asking libpsl.
 *
 * A random name below a domain is met once: no memo knows it, and libpsl takes a microsecond to
 * say no.  So the names of all rules are put into a Bloom filter of two bits in one word each; one
 * name in some hundred has to be asked about for nothing.
 *
 * libpsl does not tell its rules: they are read here from the text that it has read, where that leaves
 * no doubt.
 *
 * Memory:  32 KB, its maker's.
 * Threads: read-only once made.
 */
#ifndef COMMON_PSL_FILTER_H
#define COMMON_PSL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct psl_filter;

/* `text`: a list in the form of publicsuffix.org; changed.  NULL comes out where it cannot be told from here what
 * libpsl has read: a rule has signs of which it may make ASCII (a byte order mark within it, letters of
 * full width), or a line is longer than it takes at once. */
int psl_filter_new(struct psl_filter **out, char *text) MUST_USE;
void psl_filter_free(struct psl_filter *f); /* accepts NULL */

/* By the name_hash() of a name and of its parent: false: no rule names it. */
bool psl_filter_may_be_suffix(const struct psl_filter *f, uint64_t hash, uint64_t parent_hash);

/* Rules in other letters than ASCII stand for names that begin with xn--, which the filter does not
 * know. */
bool psl_filter_knows(const uint8_t *name);

#endif
