/*
 * compare: do two messages match, in the things that a scenario names, and how to say in which
 * they do not.
 */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include <ldns/ldns.h>

#include "recursor/resolve/world.h"
#include "tests/sim/scenario.h"

/* The bits of `match` in which `got` differs from `expected`; 0: it matches. */
unsigned compare_messages(const ldns_pkt *expected, const ldns_pkt *got, unsigned match);

/* The bits that say something of the way a question came. */
unsigned compare_arrival(const ldns_pkt *query, enum transport transport, unsigned match);

/* "rcode answer" */
void compare_print_words(FILE *f, unsigned bits);

/* Header, question and sections, one record a line, each line after `indent`. */
void compare_print_message(FILE *f, const ldns_pkt *p, const char *indent);

#endif
