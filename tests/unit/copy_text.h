/* A copy of a zone (recursor/resolve/zonecopy.h) out of a zone file's text, for tests. */
#ifndef UNIT_COPY_TEXT_H
#define UNIT_COPY_TEXT_H

#include <stdint.h>

struct zonecopy;

/* Fails the test when it is none.  For the caller to put. */
struct zonecopy *copy_text(const char *zone, const char *text);
struct zonecopy *copy_file(const char *zone, const char *path);

#endif
