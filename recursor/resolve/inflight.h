/*
 * inflight: how much of a worker each zone takes, so that one whose servers are dead, late or under
 * attack takes nobody else's place.
 *
 * A goal that works at a zone is held by it, with everybody who waits for the goal (but those who
 * follow its step: they are there themselves); a goal that asks the zone's servers has one of the
 * zone's places as well, until it is through with the zone.  At the root and at top-level domains
 * (`is_common`) everybody is after a start: they are limited only when time-outs have taken half of
 * their window.
 *
 *     held    requests and goals that wait: at most `max`
 *     places  goals that ask: at most the zone's window
 *
 * The window of a zone that answers promptly is `max`.  Each time-out takes a sixteenth of it away,
 * each answer gives one place back (as in TCP, RFC 5681): at servers that answer so many questions a
 * second and drop the rest it comes to rest where few are dropped; at silent ones only probes go out;
 * and it is whole again within a few round trips once they answer.  A zone whose answers take longer
 * than INFLIGHT_PROMPT_US has so much less, for each of them keeps somebody's slot so much longer.
 * It is never below INFLIGHT_LEAST.
 *
 * A part of either, a quarter as a rule, is for names that are known to exist (cache_remembers()), or the random names
 * of an attack would leave a zone's real ones no place.
 *
 * Servers have windows of the same kind, in the server table (servers.h): what counts there is the
 * questions of all workers, and none of them lasts long.
 *
 * Memory:  an entry of about 100 bytes for each zone that goals work at, and for at most
 *          INFLIGHT_IDLE_MAX others that did not answer well of late (for INFLIGHT_IDLE_MS).
 * Threads: one table, one worker.
 */
#ifndef RESOLVE_INFLIGHT_H
#define RESOLVE_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/chains.h"
#include "common/err.h"
#include "common/slab.h"

enum {
	INFLIGHT_LEAST = 16,
	INFLIGHT_RESERVE = 4,       /* one in so many places is for names that are known, */
	INFLIGHT_RESERVE_LEAST = 8, /* or so many, when the window is small */
	INFLIGHT_PROMPT_US = 200 * 1000,
	INFLIGHT_IDLE_MAX = 4096,
	INFLIGHT_IDLE_MS = 60 * 1000,
	INFLIGHT_ZONE_CUT = 16,   /* a time-out takes one in so many places of a zone, */
	INFLIGHT_SERVER_CUT = 32, /* and of a server: the zone that suffers gives way first */
};

enum inflight_place { INFLIGHT_NO_PLACE, INFLIGHT_PLACE, INFLIGHT_RESERVED };

struct inflight_zone;
TAILQ_HEAD(inflight_idle, inflight_zone);

struct inflight {
	uint32_t max; /* 0: no limit, and nothing is counted */
	struct slab zones;
	struct chains by_name;
	uint32_t n_idle;
	struct inflight_idle idle; /* those that nobody works at, the longest so first */
};

int inflight_init(struct inflight *in, uint32_t max) MUST_USE;
void inflight_deinit(struct inflight *in); /* also of zeroed memory */
size_t inflight_bytes(const struct inflight *in);
/* Zones that goals work at already keep being counted until they are through. */
void inflight_configure(struct inflight *in, uint32_t max);

/* The zone with that hash, held for so many who wait.  NULL: it holds too many already; *limited
 * says so, or that there is no limit (or no memory to count). */
struct inflight_zone *inflight_hold(struct inflight *in, uint64_t zone, bool is_common,
				    uint32_t waiters, bool is_known, uint64_t now_ms,
				    bool *limited);
/* More wait, or fewer, for a goal that is held. */
void inflight_waiters(struct inflight_zone *z, int change);
/* May another come to wait? */
bool inflight_may_join(const struct inflight *in, const struct inflight_zone *z, bool is_known);
void inflight_let_go(struct inflight *in, struct inflight_zone *z, uint32_t waiters,
		     uint64_t now_ms);

/* How many ask. */
uint32_t inflight_places(const struct inflight_zone *z);
/* A place to ask from. */
enum inflight_place inflight_take_place(const struct inflight *in, struct inflight_zone *z,
					bool is_known);
void inflight_give_place(struct inflight_zone *z, enum inflight_place place);

void inflight_answered(const struct inflight *in, struct inflight_zone *z, uint32_t rtt_us);
void inflight_timed_out(const struct inflight *in, struct inflight_zone *z);

/* ---- the arithmetic of windows, for zones and servers ---- */

/* What a window of `window` places out of `max` comes to when answers take `rtt_us`. */
uint32_t inflight_window(uint32_t max, uint32_t window, uint32_t rtt_us);
/* The part of it that is for names known to exist. */
uint32_t inflight_reserve(uint32_t max, uint32_t window);
uint32_t inflight_grow(uint32_t max, uint32_t window);
uint32_t inflight_shrink(uint32_t max, uint32_t window, uint32_t one_in);

#endif
