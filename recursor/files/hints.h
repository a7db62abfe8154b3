/*
 * hints: the setting hint-file: the root's name servers and their addresses from a zone file,
 * for resolver_set_hints().
 *
 * Limits: HINTS_RECORDS_MAX records are read.
 */
#ifndef RECURSOR_HINTS_H
#define RECURSOR_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"

enum { HINTS_RECORDS_MAX = 256 };

/* The value of hint-file: a path, or "", "no", "no-refresh", for which *n becomes 0: what is
 * built in is used, or with "no" nothing.  One line into `why` (SETTINGS_WHY_MAX) on error. */
int hints_load(struct rrset ***out, size_t *n, const char *hint_file, uint32_t now_s,
	       char *why) MUST_USE;

/* Gives the references back; accepts NULL. */
void hints_free(struct rrset **sets, size_t n);

/* False for "no-refresh" and "no": the root is not to be asked for newer ones. */
bool hints_are_refreshed(const char *hint_file);
/* False for "no": what no forward or zone of ours covers fails. */
bool hints_are_used(const char *hint_file);

#endif
