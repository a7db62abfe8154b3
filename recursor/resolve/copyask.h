/*
 * copyask: a copy of a zone (copies.h) in the place of its servers, as goals meet it.
 *
 * Threads: the resolver's.
 */
#ifndef RESOLVE_COPYASK_H
#define RESOLVE_COPYASK_H

#include "recursor/resolve/known.h"

/* Before a server is chosen: a copy of the zone answers.  The goal has gone on, or has ended. */
bool copy_ask(struct resolver *r, struct goal *g);
/* Before a goal enters what is known: the deepest zone that there is a copy of. */
void copy_enter(struct resolver *r, const struct goal *g, struct knowledge *k);

/* outcome.c: this is what it answered. */
void outcome_by_copy(struct resolver *r, struct goal *g, const uint8_t *wire, size_t len);

#endif
