/*
 * text_set: sets for tests of what works on signed ones: from the text of one record, with an RRSIG
 * of the right shape whose signature is none.
 *
 * The caller gives them back.
 */
#ifndef TESTS_UNIT_TEXT_SET_H
#define TESTS_UNIT_TEXT_SET_H

#include "common/rrset.h"

enum { TEXT_SET_NOW_S = 1700000000, TEXT_SET_UNTIL_S = 2000000000, TEXT_SET_TTL = 3600 };

/* "ns1.example. NSEC ns2.example. A RRSIG NSEC", signed by `zone` ("example."), not expanded. */
struct rrset *text_set(const char *zone, const char *line);

/* With another number of labels in the RRSIG. */
struct rrset *text_set_labels(const char *zone, const char *line, unsigned labels);

/* From rdata; `owner` is lower case. */
struct rrset *text_set_of(const uint8_t *zone, const uint8_t *owner, uint16_t type,
			  const struct rdata *rr, size_t n_rr, unsigned labels);

#endif
