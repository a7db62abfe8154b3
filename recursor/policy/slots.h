/*
 * slots: which client holds how many of a worker's max-mthreads slots, and who gives one up when
 * they are all taken.
 *
 * A client is a prefix: an IPv4 address, an IPv6 /56 (settings), so that a host with many addresses
 * is one.  One alone may fill all.  When another wants one, the client that holds most gives up its
 * oldest, as long as it holds at least two more than who asks would have: slots drift towards equal
 * shares, and nobody goes without because of a neighbour.  Its oldest, for what is answered at all
 * is answered soon; that one has had the longest chance.
 *
 * Against a flood with forged sources, a different one each, there is no share to be had: nobody
 * holds two more than anybody, so the newcomer has to go, as without this table.
 *
 * Each call is O(1): clients stand in lists by the number that they hold.
 *
 * Memory:  two words for each slot there may be, and about 64 bytes for each client that holds
 *          one; slots are part of what their owner allocates.
 * Threads: one table, one worker.
 */
#ifndef POLICY_SLOTS_H
#define POLICY_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/addr.h"
#include "common/err.h"

struct slots;
struct slots_client;

struct slot {
	TAILQ_ENTRY(slot) link;      /* of its client's, the oldest first */
	struct slots_client *client; /* NULL: not taken, or no memory to count it */
	bool is_taken;
};

struct slots_config {
	uint32_t max;
	uint32_t ipv4_bits, ipv6_bits;
};

int slots_new(struct slots **out, const struct slots_config *cfg) MUST_USE;
/* Fewer slots than are taken: no more are to be had until enough are given back.  Without memory for
 * more it stays as it is.  Clients are counted anew by the new prefixes as they come. */
void slots_configure(struct slots *s, const struct slots_config *cfg);
void slots_free(struct slots *s); /* accepts NULL; every slot has been given back */

bool slots_are_full(const struct slots *s);
uint32_t slots_used(const struct slots *s);
/* The most that one client holds. */
uint32_t slots_most(const struct slots *s);

/* How many slots the client has whose slot this is; 0 when it is not taken. */
uint32_t slots_of_client(const struct slot *slot);

/* `slot` is zeroed memory of the caller's, who gives it back.  The caller has seen that there is
 * room, or made some. */
void slots_take(struct slots *s, struct slot *slot, const struct addr *client);
void slots_give(struct slots *s, struct slot *slot);

/* The slot to be given back for this client to have one; NULL: nobody holds so many more. */
struct slot *slots_victim(const struct slots *s, const struct addr *client);

#endif
