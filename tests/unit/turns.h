/*
 * turns: runs a loop until something is so, for tests with real sockets: whatever else goes on on
 * the machine only makes them slower.
 */
#ifndef UNIT_TURNS_H
#define UNIT_TURNS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "recursor/net/loop.h"

/* When a test gives up: far more than it needs. */
enum { TURNS_LIMIT_MS = 20000, TURNS_TICK_MS = 2 };

struct turns {
	struct loop *loop;
	struct loop_timer *tick;
	uint64_t end_ms;
	bool (*is_so)(void *ctx);
	void *ctx;
	bool was_so;
};

static inline void turns_look(void *ctx)
{
	struct turns *t = ctx;
	uint64_t now = loop_now_ms(t->loop);

	t->was_so = t->is_so(t->ctx);
	if (t->was_so || now >= t->end_ms)
		loop_stop(t->loop);
	else
		loop_timer_at(t->tick, now + TURNS_TICK_MS);
}

static inline void turns_init(struct turns *t)
{
	*t = (struct turns) { 0 };
	ck_assert_int_eq(loop_new(&t->loop), E_OK);
	ck_assert_int_eq(loop_timer_new(&t->tick, t->loop, turns_look, t), E_OK);
}

static inline void turns_deinit(struct turns *t)
{
	loop_timer_close(t->tick);
	loop_free(t->loop);
}

/* False: it has not come about in TURNS_LIMIT_MS. */
static inline bool turns_until(struct turns *t, bool (*is_so)(void *ctx), void *ctx)
{
	t->is_so = is_so;
	t->ctx = ctx;
	t->end_ms = loop_now_us() / 1000 + TURNS_LIMIT_MS;
	loop_timer_at(t->tick, 0);
	loop_run(t->loop);
	return t->was_so;
}

static inline bool turns_count_down(void *ctx)
{
	unsigned *left = ctx;

	return (*left)-- == 0;
}

/* Some turns, in which what is not to happen would happen. */
static inline void turns_some(struct turns *t)
{
	unsigned left = 10;

	ck_assert(turns_until(t, turns_count_down, &left));
}

#endif
