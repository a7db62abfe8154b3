/*
 * wipe: the commands that take entries out of the caches.
 *
 * All names are read before the first is wiped: a mistyped one wipes nothing.
 */
#ifndef WATCH_WIPE_H
#define WATCH_WIPE_H

#include "recursor/watch/commands.h"

/* Sums, to be added to. */
struct wiped {
	size_t records, negative, packets;
	size_t proofs; /* of the aggressive cache: of which the text does not tell, as in the field */
};

/* The record cache first, then proofs, then each worker's packet cache by short visits; `name` is lower case,
 * `type` 0 every type. */
void wipe_name(const struct watch_env *env, const uint8_t *name, bool subtree, uint16_t type,
	       struct wiped *sum);

int wipe_cache(struct command_call *call);
int wipe_cache_typed(struct command_call *call);

#endif
