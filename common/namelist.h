/*
 * namelist: a large list of names out of a file, asked whether a name is one of them or lies below one.
 *
 * Where nameset is for a setting's few names, this is for half a million: 12 bytes a name beside its
 * own, and a look-up costs one probe for each label count that the list has names of.
 *
 * The file has a name a line; blank lines and what follows a # do not count.
 *
 * Built once, then only read: any number of threads may ask it.
 *
 * Limits: NAMELIST_MAX names; the file, CONF_FILE_MAX bytes.
 */
#ifndef COMMON_NAMELIST_H
#define COMMON_NAMELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { NAMELIST_MAX = 10000000, NAMELIST_WHY_MAX = 512 };

struct namelist;

/* On error one line in `why` (NAMELIST_WHY_MAX), with the file's name and, where it is the file's
 * fault, the line. */
int namelist_load(struct namelist **out, const char *path, char *why) MUST_USE;
/* The same of text, which is written to and ends with a zero at text[len]; `file` is what it is
 * called. */
int namelist_read(struct namelist **out, char *text, size_t len, const char *file,
		  char *why) MUST_USE;
void namelist_free(struct namelist *l); /* accepts NULL */

/* Is it, or a name above it, in the list?  In any case of letters. */
bool namelist_encloses(const struct namelist *l, const uint8_t *name);
size_t namelist_count(const struct namelist *l); /* without repetitions */
size_t namelist_bytes(const struct namelist *l);

#endif
