/*
 * nameset: a set of names, asked whether a name is one of them or lies below one.
 *
 * Built once (added to, then sealed), then only read: any number of threads may ask it.
 *
 * Limits: NAMESET_MAX names.
 */
#ifndef COMMON_NAMESET_H
#define COMMON_NAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"

enum { NAMESET_MAX = 1000000 };

struct nameset;

int nameset_new(struct nameset **out) MUST_USE;
void nameset_free(struct nameset *s); /* accepts NULL */

/* A list with commas or blanks between.  On error `bad` holds the item refused, cut to fit. */
int nameset_add_list(struct nameset *s, const char *list, char bad[NAME_TEXT_MAX]) MUST_USE;
/* Nothing is added any more. */
void nameset_seal(struct nameset *s);

bool nameset_encloses(const struct nameset *s, const uint8_t *name);
size_t nameset_count(const struct nameset *s);

#endif
