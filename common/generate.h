/*
 * generate: the directive $GENERATE of zone files, as BIND and PowerDNS know it:
 *
 *     $GENERATE 1-254 host-$ A 192.0.2.$        a record for each number
 *     $GENERATE 0-98/2 ${1,3,d}.x PTR a$.       each second; one added, three digits
 *
 * `$` stands for the number, `${offset[,width[,base]]}` for it in another form (base d, o, x, X),
 * `\$` and `$$` for the sign itself.
 *
 * Threads: pure functions.
 */
#ifndef COMMON_GENERATE_H
#define COMMON_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct generate_range {
	uint32_t first, last, step; /* the step is at least 1 */
};

/* "1-254", "0-98/2".  E_MALFORMED. */
int generate_read_range(struct generate_range *out, const char *text) MUST_USE;
uint64_t generate_count(const struct generate_range *r);

/* The template with the number in it, closed with a zero byte.  E_MALFORMED (a bad ${}), E_TOO_LONG. */
int generate_expand(char *out, size_t cap, const char *template, uint32_t number) MUST_USE;

#endif
