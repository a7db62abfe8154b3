/*
 * servers_table: what servers.c (RTT), throttles.c and servers_dump.c share; for them and tests.
 *
 * What takes a shard, an entry or a slot wants the shard's lock held.
 */
#ifndef RESOLVE_SERVERS_TABLE_H
#define RESOLVE_SERVERS_TABLE_H

#include <stdatomic.h>

#include "common/heap.h"
#include "common/lock.h"
#include "common/sieve.h"
#include "recursor/resolve/servers.h"

enum { SERVERS_SHARDS = 64 }; /* a power of two */

/* What an entry was before the first failure since many answered: to be had back when it turns out
 * that our own network was to blame (weather.h). */
struct server_before {
	uint64_t at_ms; /* 0: nothing is kept */
	uint64_t seen_ms;
	uint64_t down_until_ms;
	uint32_t lost_us;
	uint32_t window;
	uint32_t fails;
	uint8_t doublings;
	bool known;
};

struct server {
	struct addr addr;
	uint32_t srtt_us, rttvar_us; /* RFC 6298 2; as measured, never faded */
	uint32_t lost_us;            /* time lost to time-outs, smoothed alike */
	uint32_t fails;
	uint32_t down_tries;
	uint32_t in_flight, window; /* questions; see inflight.h */
	uint8_t doublings;
	uint8_t edns;
	bool known;
	bool measured;
	uint8_t *ns_name;     /* or NULL */
	uint64_t seen_ms;     /* the last observation, */
	uint64_t answered_ms; /* the last answer */
	uint64_t doubled_ms;
	uint64_t down_until_ms;
	uint64_t edns_until_ms;
	struct server_before before;
};

struct throttle {
	struct addr addr;
	uint16_t type;
	uint8_t why;
	uint8_t name_len;
	uint8_t zone_labels;
	uint32_t tries;
	uint64_t until_ms;
	uint8_t name[]; /* lower case */
};

/* A name server's name that no address was found for. */
struct unresolved {
	uint64_t failed_ms; /* the last time */
	uint32_t fails;     /* in a row */
	uint8_t name_len;
	uint8_t name[]; /* lower case */
};

struct shard {
	struct gate gate;
	struct sieve servers;
	struct sieve throttles;
	struct sieve unresolved;
	size_t failed;
	size_t entry_bytes, max_bytes;
	uint32_t tidy_at;
} __attribute__((aligned(64)));

struct servers {
	struct servers_config cfg;
	size_t max_servers, max_throttles; /* of a shard */
	atomic_size_t n_unresolved;        /* likewise */
	atomic_size_t n_throttles;         /* none is the ordinary day: nothing is looked up then */
	struct weather weather;
	struct shard shards[SERVERS_SHARDS];
};

static inline struct shard *shard_lock(struct servers *s, uint64_t hash)
{
	struct shard *sh = &s->shards[(hash >> 32) & (SERVERS_SHARDS - 1)];

	gate_enter(&sh->gate);
	return sh;
}

static inline void shard_unlock(struct shard *sh)
{
	gate_leave(&sh->gate);
}

static inline struct server *server_at(const struct shard *sh, uint32_t at)
{
	return sh->servers.slots[at].value;
}

static inline struct throttle *throttle_at(const struct shard *sh, uint32_t at)
{
	return sh->throttles.slots[at].value;
}

static inline size_t throttle_cost(const struct throttle *t)
{
	return heap_cost(sizeof(*t) + t->name_len);
}

static inline uint64_t age_ms(const struct server *e, uint64_t now_ms)
{
	return now_ms > e->seen_ms ? now_ms - e->seen_ms : 0;
}

/* What the table takes when it is empty. */
static inline size_t servers_own_bytes(void)
{
	return heap_cost(sizeof(struct servers));
}

static inline size_t shard_bytes(const struct shard *sh)
{
	return sieve_bytes(&sh->servers) + sieve_bytes(&sh->throttles) +
	       sieve_bytes(&sh->unresolved) + sh->entry_bytes;
}

/* Makes room for so many more bytes, a few entries at most; the table with most entries gives.
 * False: there is none. */
bool shard_make_room(struct servers *s, struct shard *sh, size_t more);

static inline struct unresolved *unresolved_at(const struct shard *sh, uint32_t at)
{
	return sh->unresolved.slots[at].value;
}

static inline size_t unresolved_cost(const struct unresolved *u)
{
	return heap_cost(sizeof(*u) + u->name_len);
}

void unresolved_remove(struct servers *s, struct shard *sh, uint32_t at);

/* Finds; NULL: not heard of. */
struct server *server_find(struct servers *s, struct shard *sh, const struct addr *a,
			   uint64_t hash);

/* Makes good what was learnt of it while our own network was gone. */
void server_take_back(struct servers *s, struct shard *sh, struct server *e);

/* Finds or makes.  NULL without memory: then nothing is learnt this time. */
struct server *server_need(struct servers *s, struct shard *sh, const struct addr *a,
			   uint64_t hash);

void server_view_fill(const struct servers *s, const struct server *e, uint64_t now_ms,
		      struct server_view *v);

/* From now on it is throttled as a whole. */
void server_go_down(const struct servers *s, struct server *e, uint64_t now_ms);

void throttle_remove(struct servers *s, struct shard *sh, uint32_t at);

/* Its time is over, its tries are used up, or our own network was to blame. */
bool throttle_has_ended(struct servers *s, const struct throttle *t, uint64_t now_ms);

#endif
