/* A name as it stands in a message, from text: for tests that name many. */
#ifndef UNIT_WIRE_NAME_H
#define UNIT_WIRE_NAME_H

#include <check.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"

/* Good until fifteen more have been made. */
static inline const uint8_t *wire(const char *text)
{
	static uint8_t buf[16][NAME_MAX_LEN];
	static unsigned next;
	uint8_t *name = buf[next++ % 16];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return name;
}

#endif
