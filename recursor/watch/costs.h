/*
 * costs: who costs us: clients, domains, servers, and which client asks for which domain, by CPU time,
 * questions to servers and waiting, over the last minute, ten minutes and hour.
 *
 * A worker's own; every figure is in the worker's summaries of heavy.h, in fixed memory: 7 slots of
 * ten seconds, 11 of a minute, 7 of ten minutes for each kind.  What is charged goes to the slot of
 * this moment alone; when its ten seconds are over it is merged into the minute that runs, and
 * that in its time into the ten minutes.  A window is the slots that it consists of, the one that
 * runs included, so it is up to one slot longer than its name says.
 *
 * A client is counted by its address, cut to fair-share-ipv4-bits or -ipv6-bits; a domain is the
 * registrable one (psl.h), in lower case, or, of more than COSTS_NAME_MAX bytes, what of its end
 * fits.
 *
 * Threads: one worker's; others read it on a visit, a slot at a time.
 */
#ifndef WATCH_COSTS_H
#define WATCH_COSTS_H

#include "common/addr.h"
#include "common/err.h"
#include "common/psl.h"
#include "recursor/watch/heavy.h"

enum {
	COSTS_NAME_MAX = 104,
	COSTS_REMOTE_MAX = 18,
	COSTS_ENTRIES_MAX = 4096, /* a slot is copied, and merged, in well under 1 ms */
};

/* kind, its name, bytes of a key */
#define COST_KINDS(X)                                                                              \
	X(COST_REMOTES, "remotes", COSTS_REMOTE_MAX)                                               \
	X(COST_DOMAINS, "domains", COSTS_NAME_MAX)                                                 \
	X(COST_SERVERS, "servers", COSTS_REMOTE_MAX)                                               \
	X(COST_PAIRS, "remotes-domains", COSTS_REMOTE_MAX + COSTS_NAME_MAX)

enum cost_kind {
#define COST_KIND_ENUM(kind, name, bytes) kind,
	COST_KINDS(COST_KIND_ENUM)
#undef COST_KIND_ENUM
		COST_KIND_COUNT
};

enum cost_window { COST_MINUTE, COST_TEN_MINUTES, COST_HOUR, COST_WINDOW_COUNT };

struct costs;

/* `entries` keys in each slot. */
int costs_new(struct costs **out, unsigned entries, uint64_t now_ms) MUST_USE;
void costs_free(struct costs *c); /* accepts NULL */
/* To so many bits clients' addresses are cut. */
void costs_set_bits(struct costs *c, unsigned ipv4_bits, unsigned ipv6_bits);

/* Moves the windows on; to be called a few times a second.  At most one kind moves at a time. */
void costs_tick(struct costs *c, uint64_t now_ms);

/* `name`: as asked for, in any case. */
void costs_charge_client(struct costs *c, const struct psl *psl, const struct addr *remote,
			 const uint8_t *name, const struct cost *cost);
/* The same, by the registrable domain of the name. */
void costs_charge_client_of(struct costs *c, const struct addr *remote, const uint8_t *domain,
			    const struct cost *cost);
void costs_charge_server(struct costs *c, const struct addr *server, const struct cost *cost);

/* ---- reading, on a visit ---- */

/* Slots of a window. */
unsigned costs_window_slots(enum cost_window window);

struct costs_slot {
	const struct heavy *heavy;
	size_t size;       /* of it: to be copied whole */
	uint64_t began_ms; /* UINT64_MAX: it has not begun yet */
	uint64_t serial;   /* another one: the windows have moved on meanwhile */
};
struct costs_slot costs_slot(const struct costs *c, enum cost_kind kind, enum cost_window window,
			     unsigned i);

/* A key of COST_REMOTES or COST_SERVERS, or the head of one of COST_PAIRS: returns its length; the
 * rest of that is a name. */
size_t costs_read_remote(const uint8_t *key, struct addr *out, unsigned *bits);

#endif
