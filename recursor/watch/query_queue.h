/*
 * query_queue: lines of the query log on their way from a worker to the thread that writes them.
 *
 * A ring of records with one writer and one reader: neither waits for the other.  Private to
 * query_log.c and its tests.
 *
 * Memory:  one block; pages that no record was written to are none.
 * Threads: query_queue_place() and _put() one worker's; query_queue_look() and _took() one reader's.
 */
#ifndef WATCH_QUERY_QUEUE_H
#define WATCH_QUERY_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>

#include "recursor/watch/query_log.h"

struct query_record {
	uint32_t rules; /* a bit for each that matched */
	uint32_t worker;
	struct addr client;
	uint16_t id, type;
	bool tcp, edns, dnssec_ok;
	bool is_answer;
	struct query_outcome outcome;
	uint8_t name[NAME_MAX_LEN];
};

struct query_queue {
	alignas(64) _Atomic uint64_t written; /* by the worker */
	alignas(64) _Atomic uint64_t read;    /* by the reader */
	_Atomic uint64_t most;                /* records that waited, likewise */
	alignas(64) unsigned worker;
	struct query_record records[QUERY_QUEUE_MAX];
};

/* Where the next record goes, or NULL: the queue is full. */
static inline struct query_record *query_queue_place(struct query_queue *q)
{
	uint64_t written = atomic_load_explicit(&q->written, memory_order_relaxed);

	if (written - atomic_load_explicit(&q->read, memory_order_acquire) >= QUERY_QUEUE_MAX)
		return NULL;
	return &q->records[written % QUERY_QUEUE_MAX];
}

static inline void query_queue_put(struct query_queue *q)
{
	atomic_fetch_add_explicit(&q->written, 1, memory_order_release);
}

/* The oldest, or NULL. */
static inline const struct query_record *query_queue_look(struct query_queue *q)
{
	uint64_t read = atomic_load_explicit(&q->read, memory_order_relaxed);

	if (read == atomic_load_explicit(&q->written, memory_order_acquire))
		return NULL;
	return &q->records[read % QUERY_QUEUE_MAX];
}

/* What waits only grows until one is taken, so it is noted here. */
static inline void query_queue_took(struct query_queue *q)
{
	uint64_t waiting = atomic_load_explicit(&q->written, memory_order_relaxed) -
			   atomic_load_explicit(&q->read, memory_order_relaxed);

	if (waiting > atomic_load_explicit(&q->most, memory_order_relaxed))
		atomic_store_explicit(&q->most, waiting, memory_order_relaxed);
	atomic_fetch_add_explicit(&q->read, 1, memory_order_release);
}

#endif
