/*
 * defender_known: which names have been seen to exist, forgotten after a while.
 *
 * Two Bloom filters: what is seen goes into the younger; both are looked at.  When the younger is
 * full, or has been filled for half of `keep_s`, the older is cleared, a little at each tick, and is
 * the younger from then on.  A name that is asked for is thus known for half of `keep_s` to all of
 * it after it was last seen, as long as fewer names come than there is room for.
 *
 * A name is six bits in one cache line: about two in a hundred names never seen look as if they had
 * been, when the filters are full.
 *
 * Memory:  `bytes` in all, from the system when they are first touched.
 * Threads: any number may add and ask: relaxed atomics, no lock.  defender_known_tick() is for one
 *          at a time.
 */
#ifndef POLICY_DEFENDER_KNOWN_H
#define POLICY_DEFENDER_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct defender_known;

/* `bytes` 0: none is ever known. */
int defender_known_new(struct defender_known **out, size_t bytes, uint32_t keep_s) MUST_USE;
void defender_known_free(struct defender_known *k); /* accepts NULL */

/* `hash`: name_hash().  True: it was not in the younger filter yet. */
bool defender_known_add(struct defender_known *k, uint64_t hash);
bool defender_known_has(const struct defender_known *k, uint64_t hash);
/* For who will soon ask or add: has memory fetch what is looked at. */
void defender_known_fetch(const struct defender_known *k, uint64_t hash);

/* Names that one filter holds. */
size_t defender_known_capacity(const struct defender_known *k);
/* Since the last call so many were added.  Call it a few times a second; callers' clocks may differ
 * by a little. */
void defender_known_tick(struct defender_known *k, uint64_t added, uint64_t now_ms);

struct defender_known_stats {
	uint64_t younger, older; /* names in each filter, about */
	uint64_t turns;
	size_t bytes;
};
void defender_known_stats(const struct defender_known *k, struct defender_known_stats *out);

#endif
