/*
 * timers: due times in a wheel of one-millisecond slots; start and stop cost a few
 * instructions, whatever is pending.
 *
 *     owner embeds a struct timer; timers_start(w, &g->timer, due_ms); ... timers_stop(w, &g->timer);
 *     while ((t = timers_take(w, now_ms)) != NULL) { g = CONTAINER(t, struct goal, timer); ... }
 *     next = timers_next(w);                        // when to come back
 *
 * A timer due further ahead than the wheel reaches (TIMERS_SLOTS ms) waits in the last slot and
 * is put back when that comes round, so any due time is allowed.
 *
 * Memory:  the wheel is one block; timers belong to their owners, who stop them before
 *          freeing them.
 * Clock:   passed in; a step backwards only delays.
 * Threads: one wheel, one thread.
 */
#ifndef COMMON_TIMERS_H
#define COMMON_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMERS_SLOTS = 8192 };

struct timer {
	struct timer *next, **prev; /* prev is NULL while not started */
	uint64_t due_ms;
	unsigned kind; /* the owner's own, to tell its timers apart */
};

struct timers;

struct timers *timers_new(uint64_t now_ms); /* NULL: out of memory */
void timers_free(struct timers *w);

void timers_start(struct timers *w, struct timer *t, uint64_t due_ms); /* restarts if pending */
void timers_stop(struct timers *w, struct timer *t);                   /* may be stopped already */
static inline bool timer_is_pending(const struct timer *t)
{
	return t->prev != NULL;
}

/* A timer that is due at `now_ms`, taken out; NULL when none is. */
struct timer *timers_take(struct timers *w, uint64_t now_ms);

/* No later than the earliest due time (it may be earlier); UINT64_MAX when nothing is pending. */
uint64_t timers_next(const struct timers *w);

size_t timers_count(const struct timers *w);

#define CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
