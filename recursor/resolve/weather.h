/*
 * weather: is it the servers that do not answer, or is our own network gone?
 *
 * For each address family:
 *
 *     FAIR ---- many unrelated servers fail, none answers ----> SUSPECT
 *     SUSPECT -- probes are sent; an answer to one -----------> FAIR
 *     SUSPECT -- and so for WEATHER_SUSPECT_MS more ----------> DOWN      what was learnt of servers
 *     DOWN ---- the first answer ------------------------------> FAIR     meanwhile is taken back
 *     any ------ the kernel knows no way to anybody -----------> UNROUTED
 *     UNROUTED -- a question leaves ---------------------------> FAIR
 *
 * While DOWN or UNROUTED nobody is blamed: no RTT, loss, failure or throttle is learnt of a server of
 * that family, and questions are not put to it, but for a few tries a second; what was learnt
 * between the cut and the moment it was noticed, servers.c takes back (weather_was_early()).
 *
 * Who fails: a server counts that has answered within WEATHER_WITNESS_MS, once a network (/16, /32);
 * `min_servers` networks in at least half as many zones must have failed within WEATHER_WINDOW_MS,
 * all of them after the last answer, and that at least WEATHER_QUIET_MS ago.  Up to WEATHER_LOCAL_MAX
 * networks may go on answering (our own servers, on this side of the cut); each such asks for
 * WEATHER_LOCAL_MORE more that fail.  Their servers are asked on while DOWN, and their answers end
 * nothing.
 *
 * UNROUTED takes WEATHER_UNSENT networks without a way in a row, and no question that left between
 * them: one server in a prefix that is routed nowhere, asked again and again, is not everybody.
 *
 * An attacker can make many servers of his fall silent at once, in many networks, after they have
 * answered.  He cannot make others silent: with any traffic but his, their answers come from more
 * networks than WEATHER_LOCAL_MAX.  And where there is none, SUSPECT asks: root servers, and those
 * who failed; one answer, and the weather is fair.  Were he to get through, a try of anybody's
 * question that is answered, ten a second, ends it; so would a probe, four a second.
 * A resolver with little traffic does not meet `min_servers` within the window, and does as if this
 * module were not there.
 *
 * Costs:   an answer from a server: two loads, and a relaxed store if none came from that part of
 *          the address space within WEATHER_GRAIN_MS; a question: one load.
 * Memory:  fixed; part of struct servers.
 * Threads: any.  A lock, taken only for failures when nobody has answered of late, and for changes.
 * Clock:   monotonic milliseconds, passed in.
 */
#ifndef RESOLVE_WEATHER_H
#define RESOLVE_WEATHER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/name.h"

enum {
	WEATHER_SLOTS = 64,     /* of networks that answer, by hash */
	WEATHER_GRAIN_MS = 32,  /* how exactly it is known when they did */
	WEATHER_WITNESSES = 32, /* networks remembered as failing */
	WEATHER_LOCAL_MAX = 3,  /* networks that may go on answering */
	WEATHER_LOCAL_MORE = 4, /* failing ones more for each of them */
	WEATHER_MIN_SERVERS_MAX = WEATHER_WITNESSES - WEATHER_LOCAL_MAX * WEATHER_LOCAL_MORE,
	WEATHER_WITNESS_MS = 3600 * 1000,
	WEATHER_WINDOW_MS = 30 * 1000,
	WEATHER_QUIET_MS = 500, /* nothing is suspected sooner after an answer */
	WEATHER_SUSPECT_MS = 1000,
	WEATHER_PROBE_SUSPECT_MS = 250,
	WEATHER_PROBE_DOWN_MS = 500,
	WEATHER_TRY_DOWN_MS = 100,    /* between questions let through */
	WEATHER_TRY_UNROUTED_MS = 20, /* these cost no packet */
	WEATHER_RECHECK_MS = 3000,    /* of a family without a route beside one that has one */
	WEATHER_UNSENT = 3,           /* networks in a row without a way */
	WEATHER_ROUTED_MS = 1000,     /* who answered so lately had a way */
	WEATHER_CUTS = 8,             /* remembered, a family */
};

enum weather_state { WEATHER_FAIR, WEATHER_SUSPECT, WEATHER_DOWN, WEATHER_UNROUTED };

struct weather_change {
	unsigned family; /* 4, 6 */
	enum weather_state from, to;
	uint64_t lasted_ms; /* the state it was in */
	unsigned witnesses; /* to DOWN: how many networks failed */
};

struct weather_config {
	uint32_t min_servers; /* 0: never DOWN */
	/* Told of each change but between FAIR and SUSPECT; from any thread, no lock held; or NULL. */
	void (*changed)(void *ctx, const struct weather_change *c);
	void *ctx;
};

/* A network whose server failed. */
struct weather_witness {
	struct addr addr; /* family 0: free */
	uint64_t network, zone_hash;
	uint64_t at_ms;
	uint8_t zone[NAME_MAX_LEN];
};

struct weather_cut {
	uint64_t began_ms, noticed_ms, ended_ms; /* ended: UINT64_MAX while it lasts */
};

struct weather_family {
	_Atomic uint64_t answered_ms[WEATHER_SLOTS];
	atomic_uint state;
	atomic_uint unsent;     /* of unsent_networks, since a question left */
	_Atomic uint64_t local; /* slots that go on answering while DOWN, a bit each */
	_Atomic uint64_t next_probe_ms, next_try_ms, next_recheck_ms;
	atomic_uint n_cuts;
	/* under the lock */
	uint64_t unsent_networks[WEATHER_UNSENT];
	uint64_t since_ms;                               /* the state */
	uint64_t proved_ms;                              /* what failed before is no witness */
	uint64_t downs, unrouteds, down_ms, unrouted_ms; /* closed ones, for the metrics */
	struct weather_witness witnesses[WEATHER_WITNESSES];
	struct weather_cut cuts[WEATHER_CUTS]; /* n_cuts % WEATHER_CUTS is the next */
} __attribute__((aligned(64)));

struct weather {
	atomic_uint clouded; /* families that are not FAIR */
	struct weather_config cfg;
	pthread_mutex_t lock;
	struct weather_family families[2];
};

void weather_init(struct weather *w, const struct weather_config *cfg);
void weather_deinit(struct weather *w);

static inline struct weather_family *weather_family(struct weather *w, unsigned family)
{
	return &w->families[family == 6];
}

static inline enum weather_state weather_state(struct weather *w, unsigned family)
{
	return (enum weather_state)atomic_load_explicit(&weather_family(w, family)->state,
							memory_order_relaxed);
}

/* The ordinary day: no family is in question. */
static inline bool weather_is_fair(struct weather *w)
{
	return atomic_load_explicit(&w->clouded, memory_order_relaxed) == 0;
}

/* Nobody of that family can be reached. */
static inline bool weather_is_out(struct weather *w, unsigned family)
{
	return weather_state(w, family) >= WEATHER_DOWN;
}

/* Somebody of that family has ever answered. */
bool weather_has_answered(struct weather *w, unsigned family);
/* Likewise, of the server's network, or of one with the same hash. */
bool weather_has_answered_from(struct weather *w, const struct addr *a);

/* ---- what happened ---- */

/* A server answered. */
void weather_answered(struct weather *w, const struct addr *a, uint64_t now_ms);

/* A server of `zone` did not answer, or the network said that it cannot be reached; it had answered
 * within WEATHER_WITNESS_MS. */
void weather_failed(struct weather *w, const struct addr *a, const uint8_t *zone, uint64_t now_ms);

/* The kernel took a question; it knew no way to the server. */
void weather_way_found(struct weather *w, unsigned family, uint64_t now_ms);
static inline void weather_sent(struct weather *w, unsigned family, uint64_t now_ms)
{
	if (atomic_load_explicit(&weather_family(w, family)->unsent, memory_order_relaxed) != 0)
		weather_way_found(w, family, now_ms);
}
void weather_unsent(struct weather *w, const struct addr *a, uint64_t now_ms);

/* ---- what follows ---- */

/* May the server be asked as on any day? */
bool weather_may_ask(struct weather *w, const struct addr *a);

/* Of a family without a route: is it time to see whether it has one?  True for one caller. */
bool weather_take_recheck(struct weather *w, unsigned family, uint64_t now_ms);

/* May a question be put to the family as a try?  Uses the try up. */
bool weather_take_try(struct weather *w, unsigned family, uint64_t now_ms);

/* A question that left at that time is none of the server's fault, whatever became of it. */
bool weather_was_cut(struct weather *w, unsigned family, uint64_t sent_ms);

/* What was learnt at that time of failures was learnt between a cut and when it was noticed.  Any
 * family: 0. */
bool weather_was_early(struct weather *w, unsigned family, uint64_t at_ms);

/* No answer came since from more than a few networks: what a server's entry was then may be wanted
 * back. */
uint64_t weather_quiet_since(struct weather *w, unsigned family, uint64_t now_ms);

/* ---- probes, while it is not FAIR ---- */

/* Is one wanted now?  Looks also whether SUSPECT has lasted long enough.  True for one caller. */
bool weather_take_probe(struct weather *w, unsigned family, uint64_t now_ms);

/* One of those who failed, to be asked about its zone; false: there is none. */
bool weather_witness_pick(struct weather *w, unsigned family, uint32_t dice, struct addr *a,
			  uint8_t zone[NAME_MAX_LEN]);

/* It was answered. */
void weather_probe_answered(struct weather *w, const struct addr *a, uint64_t now_ms);

struct weather_stats {
	enum weather_state state;
	uint64_t downs, unrouteds;     /* how often */
	uint64_t down_ms, unrouted_ms; /* how long, in all */
};
void weather_stats(struct weather *w, unsigned family, uint64_t now_ms, struct weather_stats *out);

#endif
