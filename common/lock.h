/*
 * lock: a mutex for what is held for one probe of a table, some 50 ns: who finds it taken spins
 * for a moment before he sleeps, since to sleep and be woken costs a hundred times as much.
 */
#ifndef COMMON_LOCK_H
#define COMMON_LOCK_H

#include <pthread.h>

static inline void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

#endif
