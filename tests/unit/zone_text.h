/*
 * zone_text: the sets of a zone file, each with its RRSIGs, for tests: published examples and what
 * other signers wrote.
 */
#ifndef UNIT_ZONE_TEXT_H
#define UNIT_ZONE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/rrset.h"

struct zone_text {
	struct rrset **sets; /* in canonical order of owners */
	size_t n;
};

/* Fails the test when the text is no zone file.  Sets begin at `now_s`. */
void zone_text_read(struct zone_text *z, const char *text, uint32_t now_s);
void zone_text_read_file(struct zone_text *z, const char *path, const uint8_t *origin,
			 uint32_t now_s);
void zone_text_free(struct zone_text *z);

/* Borrowed; NULL: there is none. */
struct rrset *zone_text_find(const struct zone_text *z, const char *owner, uint16_t type);

#endif
