/*
 * copyask: a copy of a zone (copies.h) in the place of its servers, as goals meet it.
 *
 * Threads: the resolver's.
 */
#ifndef RESOLVE_COPYASK_H
#define RESOLVE_COPYASK_H

#include "recursor/resolve/known.h"

/* A copy of the zone answers, if there is one: the goal has gone on, or has ended. */
bool copy_answers(struct resolver *r, struct goal *g);
/* The same, before a server is chosen. */
static inline bool copy_ask(struct resolver *r, struct goal *g)
{
	return r->copies != NULL && copy_answers(r, g);
}
/* What it says is of no use: the zone's servers are asked. */
void copy_give_up(struct resolver *r, struct goal *g, const char *why);
/* Before a goal enters what is known: the deepest zone that there is a copy of. */
void copy_enter(struct resolver *r, const struct goal *g, struct knowledge *k);

/* outcome.c: this is what it answered. */
void outcome_by_copy(struct resolver *r, struct goal *g, const uint8_t *wire, size_t len);

#endif
