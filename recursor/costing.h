/*
 * costing: what a query costs, measured, and charged to who caused it (watch/costs.h).
 *
 * CPU time is measured by the monotonic clock, at the doors of a worker: from the moment when
 * something comes in (a question, a server's answer, a time-out) to the moment when a client's
 * query ends or the worker has done what followed.  Whoever's query ends is charged the time since
 * then; what a query's own beginning took is kept with it.  So first and last step are measured;
 * those between, whose answers led to the next question only, are charged at the average of such
 * steps.  A packet-cache hit is too short for two looks at the clock: one in COSTING_SAMPLE
 * is measured and counts for as many.  Of queries to be resolved, and of questions to servers, all
 * are measured while fewer than a thousand a second come; then one in two, in four, in eight.
 * Which ones is left to chance, so that what comes in a rhythm is not seen more often or more
 * seldom than the rest.
 *
 * What the kernel takes to receive and to send happens in batches, outside the doors.  Several times
 * a second the worker's own CPU time (CLOCK_THREAD_CPUTIME_ID) is compared with what was charged,
 * and the difference is spread over the questions and answers of the next moment.  So the sum
 * of what is charged is what the worker used, whatever the clock cannot see; a single query's share
 * of the kernel's work is an average.
 *
 * Outqueries are those that the client's query was charged for (max-qperq); a question that several
 * clients waited for is charged to each.  Waiting is the time from question to answer, for a server
 * that until it answered or was given up.
 *
 * Threads: one costing, one worker.
 */
#ifndef RECURSOR_COSTING_H
#define RECURSOR_COSTING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/metrics.h"
#include "common/psl.h"
#include "recursor/net/listen.h"
#include "recursor/net/loop.h"
#include "recursor/watch/costs.h"

enum { COSTING_SAMPLE = 64 };

/* Chooses some of many. */
struct costing_choice {
	unsigned one_in;  /* on average */
	unsigned to_next; /* how many are to come until one is taken */
};

struct costing {
	struct costs *costs; /* NULL: nobody wants to know; borrowed */
	struct costing_choice hits, queries, servers;
	uint32_t chance;
	uint64_t entered_us; /* when the door opened */
	uint64_t from_us;    /* what has been since is not charged yet, */
	unsigned n_ended;    /* but that of so many queries that were not chosen is in it */
	bool has_ended;      /* some client's query, since the door opened */
	unsigned answered;   /* `server` did; the weight of that, 0: none, or not chosen */
	struct addr server;
	uint64_t server_wait_us;
	uint64_t step_ns;     /* average of steps that ended no query */
	uint64_t overhead_ns; /* of a question or answer, outside the doors */
	uint64_t n_queries;   /* since the last tick */
	/* since overhead_ns was found */
	uint64_t charged_us;
	uint64_t cpu_us, packets; /* of the worker, then */
};

/* Something came in. */
void costing_enter(struct costing *c, uint64_t now_us);
static inline void costing_open(struct costing *c)
{
	if (c->costs != NULL)
		costing_enter(c, loop_now_us());
}
/* It was a server's answer, and what came of it has been done. */
void costing_leave(struct costing *c, uint64_t now_us);
static inline void costing_close(struct costing *c)
{
	if (c->costs != NULL && c->answered > 0)
		costing_leave(c, loop_now_us());
}

void costing_init(struct costing *c);

/* Is this packet one of those that are measured? */
bool costing_samples_now(struct costing *c);
static inline bool costing_samples(struct costing *c)
{
	return --c->hits.to_next == 0 && costing_samples_now(c);
}
/* It was, since costing_enter(), and was answered out of the packet cache.  Returns microseconds of
 * CPU. */
uint64_t costing_hit(struct costing *c, const struct psl *psl, const struct client *to,
		     const uint8_t *name, uint64_t now_us);

/* A query came and is to be resolved: its weight, to be kept with it. */
unsigned costing_query_came(struct costing *c, uint64_t now_us);
/* The time since the door opened, for a query that begins to wait: to be kept with it. */
uint64_t costing_begun(struct costing *c, uint64_t now_us);
/* A client's query that has ended. */
struct costing_query {
	unsigned weight; /* costing_query_came() */
	const struct client *client;
	const uint8_t *name;
	unsigned domain_labels; /* of its registrable domain; 0: nobody has counted them */
	uint64_t begun_us;   /* of CPU: costing_begun() and one more, or 0 when it did not wait */
	uint64_t arrived_us; /* when it came */
	uint32_t outqueries;
};
/* Returns what it cost by itself, in microseconds of CPU. */
uint64_t costing_ended(struct costing *c, const struct psl *psl, const struct costing_query *q,
		       uint64_t now_us);
/* One that has no weight; now is no matter. */
static inline void costing_ended_unseen(struct costing *c)
{
	c->n_ended++;
	c->has_ended = true;
}

/* A server answered, or was given up. */
void costing_server(struct costing *c, const struct addr *server, uint64_t waited_us,
		    bool timed_out);

/* To be called several times a second; the worker's CPU time and counters so far. */
void costing_tick(struct costing *c, const struct counters *counters, uint64_t cpu_us,
		  uint64_t now_ms);

#endif
