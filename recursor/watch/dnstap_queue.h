/*
 * dnstap_queue: frames on their way from a worker to the thread that sends them.
 *
 * A ring of bytes in fixed memory.  The worker writes a frame where it will be sent from, and waits
 * for nobody: when there is no room the frame is dropped, and counted.  Each stands there as Frame
 * Streams sends it, behind its length in 4 bytes, so that those which follow each other leave in one
 * piece.
 *
 *     worker:   place = dnstap_queue_reserve(q, room);
 *               if (place != NULL) dnstap_queue_commit(q, write(place));
 *     sender:   from = dnstap_queue_begin(q);
 *               while (dnstap_queue_run(q, &from, max, &run)) ...
 *               dnstap_queue_release(q, from);        up to there it is sent
 *
 * Threads: one writes, one reads; no lock, no system call.
 */
#ifndef WATCH_DNSTAP_QUEUE_H
#define WATCH_DNSTAP_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct dnstap_queue {
	uint8_t *bytes;
	size_t size; /* a power of two */
	/* Positions only grow.  What the two sides write to stands in cache lines of their own. */
	alignas(64) _Atomic size_t written;
	size_t freed_seen; /* the writer's: `freed` when it looked last */
	size_t reserved;   /* the writer's: where the frame under way begins */
	/* Frames: taken; not, because the ring was full; not, because there would be no room for them
	 * at this place of the ring if it were empty. */
	_Atomic uint64_t queued, dropped, too_large;
	alignas(64) _Atomic size_t freed;
	_Atomic size_t most; /* bytes that waited, until they were released */
};

enum { DNSTAP_QUEUE_LEAST = 131072 }; /* the largest frame has room twice, nearly */

/* `size` is cut to a power of two. */
int dnstap_queue_init(struct dnstap_queue *q, size_t size) MUST_USE;
void dnstap_queue_deinit(struct dnstap_queue *q);

/* NULL: there is no room; counted. */
uint8_t *dnstap_queue_reserve(struct dnstap_queue *q, size_t len);
/* `len`: no more than was reserved. */
void dnstap_queue_commit(struct dnstap_queue *q, size_t len);

size_t dnstap_queue_begin(const struct dnstap_queue *q);
/* Frames that stand in one piece, each behind its length. */
struct dnstap_run {
	uint8_t *bytes;
	size_t len;
	unsigned n_frames;
	bool is_last; /* nothing waited behind it */
};
/* The next from *at on, which then is behind them: of `max` bytes at most, but one in any case.
 * False: there is none yet. */
bool dnstap_queue_run(const struct dnstap_queue *q, size_t *at, size_t max, struct dnstap_run *run);
void dnstap_queue_release(struct dnstap_queue *q, size_t at);

/* The most bytes that have waited; by any thread. */
size_t dnstap_queue_most(const struct dnstap_queue *q);

#endif
