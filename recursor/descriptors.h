/*
 * descriptors: the process's limit of open files, raised to what the settings ask for.
 */
#ifndef RECURSOR_DESCRIPTORS_H
#define RECURSOR_DESCRIPTORS_H

#include <stdint.h>

#include "recursor/settings.h"

/* Needs root to go above the hard limit, so it comes before privileges are dropped.  Returns
 * what max-mthreads has to be so that it suffices: the setting itself, or less. */
uint32_t descriptors_raise(const struct settings *s);

#endif
