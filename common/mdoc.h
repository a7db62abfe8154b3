/*
 * mdoc: text as a manual page's source has it; the lists in our pages are printed from the tables.
 */
#ifndef COMMON_MDOC_H
#define COMMON_MDOC_H

#include <stdio.h>

/* Prints text so that it reads back the same: the backslash and the hyphen escaped. */
void mdoc_print(FILE *f, const char *text);

#endif
