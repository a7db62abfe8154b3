/*
 * lock: a mutex for what is held for one probe of a table, some 50 ns: who finds it taken spins
 * for a moment before he sleeps, since to sleep and be woken costs a hundred times as much.
 *
 * gate: the same before a table that somebody else goes through from end to end, in pieces of some
 * ten microseconds.  A mutex alone is no help to who sleeps at it: before he is awake the other has
 * it again, and so on to the end.  Those who wait at a gate are counted, and seen.
 */
#ifndef COMMON_LOCK_H
#define COMMON_LOCK_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static inline void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

struct gate {
	pthread_mutex_t lock;
	atomic_uint waiting;
};

static inline void gate_init(struct gate *g)
{
	lock_init(&g->lock);
	atomic_init(&g->waiting, 0);
}

static inline void gate_destroy(struct gate *g)
{
	pthread_mutex_destroy(&g->lock);
}

static inline void gate_enter(struct gate *g)
{
	if (pthread_mutex_trylock(&g->lock) == 0)
		return;
	atomic_fetch_add_explicit(&g->waiting, 1, memory_order_relaxed);
	pthread_mutex_lock(&g->lock);
	atomic_fetch_sub_explicit(&g->waiting, 1, memory_order_relaxed);
}

static inline void gate_leave(struct gate *g)
{
	pthread_mutex_unlock(&g->lock);
}

/* Between two pieces, outside: until nobody waits, or for a moment (where many come there is always
 * one who does). */
static inline void gate_give_way(const struct gate *g)
{
	enum { MOMENT = 1000 };

	for (int i = 0; i < MOMENT && atomic_load_explicit(&g->waiting, memory_order_relaxed) > 0;
	     i++)
		(void)sched_yield();
}

#endif
