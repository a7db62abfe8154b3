/*
 * background: `daemon`: the command that was started waits until its child serves queries, or
 * has said why it does not, and ends with 0, or with the status of the child (1 when that is 0).
 *
 * To be called before there are threads and before the loop.
 */
#ifndef RECURSOR_BACKGROUND_H
#define RECURSOR_BACKGROUND_H

#include "common/err.h"

/* Goes on in a child, in a session of its own; the parent never comes back.  E_SYSTEM. */
int background_begin(void) MUST_USE;

/* The child serves: lets the parent end, and lets go of the terminal. */
void background_ready(void);

#endif
