/*
 * servers: what is known of each server's address (RTT, failures, EDNS), and which questions
 * are not to be put to it for a while.  Shared by all workers.
 *
 * RTT is kept as in RFC 6298 (smoothed mean and variation, microseconds); a server not heard
 * of has none and is worth trying.  Time lost to time-outs is averaged likewise, apart from the
 * RTT (Karn: a lost packet measures nothing) and added to it for choosing, so that a server
 * that loses half of what it gets looks as slow as it is.  What is not heard from for long
 * fades, by half each SERVERS_HALF_LIFE_S, so that a server that was slow gets another chance.
 * One packet is one observation, however many questions wait behind it: callers report per
 * packet.  Time-outs of packets that were under way together double the time-out once.
 *
 * While our own network is gone (weather.h) nothing is learnt of failures, and what was learnt
 * between the cut and the moment it was noticed is taken back: an entry keeps what it was before
 * the first failure of such a time, throttles and their reasons know when they were made.
 *
 * Throttles (reference: attacks.md section 2): a (server, name, type) for a time or a number
 * of suppressed attempts; a whole server after `down_max_fails` failures in a row, with one
 * try in `bypass_probability` let through.
 *
 * Names of name servers without address: left out after `unresolved_max_fails` vain look-ups in a
 * row, for a time.
 *
 * Questions in flight (inflight.h): each server has a window of at most `max_inflight`, which
 * time-outs make smaller and answers larger; beyond it a question is not sent.  Those of all
 * workers count.
 *
 * Memory:  two hash tables in shards, which grow with need; SIEVE (common/sieve.h) chooses who
 *          goes when max is reached.
 * Limits:  max_servers, max_throttles, max_inflight (0: none); max_bytes (0: none) for both tables.
 * Threads: any; a lock for each shard, held for one probe.
 * Clock:   monotonic milliseconds, passed in.
 */
#ifndef RESOLVE_SERVERS_H
#define RESOLVE_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "recursor/resolve/weather.h"

struct servers;

struct servers_config {
	size_t max_servers;
	size_t max_throttles;
	size_t max_bytes;
	uint32_t down_max_fails; /* 0: never down */
	uint32_t down_time_s;
	uint32_t unresolved_max_fails; /* 0: never left out */
	uint32_t unresolved_time_s;
	uint32_t bypass_probability; /* one in n; 0: never */
	uint32_t network_timeout_ms;
	uint32_t max_inflight; /* questions to one server */
	struct weather_config weather;
};

int servers_new(struct servers **out, const struct servers_config *cfg) MUST_USE;
void servers_free(struct servers *s);

/* Whether our own network is there; a part of the table. */
struct weather *servers_weather(struct servers *s);

enum edns_state {
	EDNS_UNKNOWN,
	EDNS_OK,
	EDNS_NONE, /* answered FORMERR to EDNS and worked without: for SERVERS_EDNS_NONE_S */
};

struct server_view {
	bool known;       /* heard of: some observation, good or bad */
	uint32_t srtt_us; /* for choosing: mean RTT (0 unless `measured`) and time lost, faded */
	uint32_t
		timeout_ms; /* how long to wait: mean + 4 variations (at least a quarter), after time-outs
				 twice what was waited in vain,
				 within [SERVERS_MIN_TIMEOUT_MS, network_timeout_ms] */
	uint32_t fails; /* failures in a row */
	bool measured;  /* an RTT was measured */
	bool down;      /* throttled as a whole just now */
	enum edns_state edns;
	uint32_t in_flight;
};

enum {
	SERVERS_RTT_MAX_US = 60 * 1000 * 1000, /* of any one observation */
	SERVERS_MIN_TIMEOUT_MS = 50,
	SERVERS_FIRST_TIMEOUT_MS = 400,
	SERVERS_HALF_LIFE_S = 60,
	SERVERS_EDNS_NONE_S = 3600, /* then EDNS is tried again */
	SERVERS_DOWN_TRIES = 10000, /* suppressed attempts that end a server's throttle early */
};

void servers_look(struct servers *s, const struct addr *a, uint64_t now_ms,
		  struct server_view *view);

/* A question is on its way to the server: until servers_answered(), servers_learn(),
 * servers_timed_out(), servers_unreachable() or servers_release().  False: as many as it can take
 * are in flight.
 * `is_known`: the name is known to exist (cache_remembers()), for which there is a reserve;
 * `goes_on`: it is part of a question that was let in before.  Fills the view in any case. */
bool servers_take(struct servers *s, const struct addr *a, bool is_known, bool goes_on,
		  uint64_t now_ms, struct server_view *view);
/* Nobody waits for the answer any more, or nothing can be learnt from it. */
void servers_release(struct servers *s, const struct addr *a);

/* All that an answer says of a server: one look for what would be three. */
struct server_answer {
	uint32_t rtt_us;
	/* rcode NOERROR or NXDOMAIN and not lame: resets the failures in a row and lifts the server's
	 * throttle; any other answer leaves them as they are. */
	bool useful;
	enum edns_state edns;   /* EDNS_UNKNOWN: as before */
	const uint8_t *ns_name; /* the name by which the server was reached, or NULL */
};
void servers_learn(struct servers *s, const struct addr *a, const struct server_answer *answer,
		   uint64_t now_ms);
static inline void servers_answered(struct servers *s, const struct addr *a, uint32_t rtt_us,
				    bool useful, uint64_t now_ms)
{
	servers_learn(s, a, &(struct server_answer) { .rtt_us = rtt_us, .useful = useful }, now_ms);
}

/* A question to a server of `zone` was not answered in time; or the network said that the server
 * cannot be reached (zone NULL: its host said so).  False: our own network was to blame, and nothing is learnt. */
bool servers_timed_out(struct servers *s, const struct addr *a, const uint8_t *zone,
		       uint32_t waited_ms, uint64_t now_ms);
bool servers_unreachable(struct servers *s, const struct addr *a, const uint8_t *zone,
			 uint32_t waited_ms, uint64_t now_ms);
/* The name by which the server was reached, for the dump: the last one wins. */
void servers_set_name(struct servers *s, const struct addr *a, const uint8_t *ns_name);

enum throttle_reason {
	THROTTLE_NONE,
	THROTTLE_TIMEOUT,     /* 10 s or 5 tries */
	THROTTLE_RCODE,       /* 60 s or 3 tries */
	THROTTLE_LAME,        /* 60 s or 100 tries */
	THROTTLE_UNREACHABLE, /* 60 s or 100 tries */
	THROTTLE_GARBLED,     /* 10 s or 2 tries */
	THROTTLE_TRUNCATED,   /* truncated over TCP: 60 s or 3 tries */
	THROTTLE_DOWN,        /* the whole server */
	THROTTLE_REASONS
};
const char *throttle_reason_text(enum throttle_reason r);

/* From now on the question is not to be put to the server, for the time its reason sets.
 * `name` NULL or THROTTLE_DOWN: no question is.
 *
 * A question is one to a server of a zone, which is the last `zone_labels` labels of the name: who is
 * lame for a zone, or refuses it, may serve the one above and know whom to ask. */
void servers_throttle(struct servers *s, const struct addr *a, const uint8_t *name, uint16_t type,
		      unsigned zone_labels, enum throttle_reason why, uint64_t now_ms);

/* Is it throttled?  Uses up one of its tries.  `dice` is a random number: it decides whether a
 * server that is down gets its one try in n. */
enum throttle_reason servers_is_throttled(struct servers *s, const struct addr *a,
					  const uint8_t *name, uint16_t type, unsigned zone_labels,
					  uint32_t dice, uint64_t now_ms);

/* No address was found for a name server's name; or one was. */
void servers_ns_unresolved(struct servers *s, const uint8_t *ns_name, uint64_t now_ms);
void servers_ns_resolved(struct servers *s, const uint8_t *ns_name);
/* Is it not worth looking again? */
bool servers_ns_is_left_out(struct servers *s, const uint8_t *ns_name, uint64_t now_ms);

struct unresolved_dump {
	const uint8_t *ns_name;
	uint32_t fails;
	uint64_t age_ms; /* since the last of them */
};

/* Walks collect under a shard's lock and call with none held; what a dump points to is borrowed.
 * A negative return of cb stops, and is returned. */
struct server_dump {
	struct addr addr;
	const uint8_t *ns_name; /* or NULL */
	struct server_view view;
	uint64_t age_ms; /* since the last observation */
	/* As measured: srtt_us of the view is made of them. */
	uint32_t srtt_us, rttvar_us, lost_us;
	uint32_t edns_left_s; /* until EDNS is tried again, with EDNS_NONE */
};
int servers_walk(struct servers *s, int (*cb)(void *ctx, const struct server_dump *d), void *ctx,
		 uint64_t now_ms);

struct throttle_dump {
	struct addr addr;
	const uint8_t *name; /* NULL: the whole server */
	uint16_t type;
	uint32_t tries_left;
	uint32_t ms_left;
	enum throttle_reason why;
};
int servers_walk_throttles(struct servers *s, int (*cb)(void *ctx, const struct throttle_dump *d),
			   void *ctx, uint64_t now_ms);

int servers_walk_unresolved(struct servers *s,
			    int (*cb)(void *ctx, const struct unresolved_dump *d), void *ctx,
			    uint64_t now_ms);

struct servers_stats {
	size_t servers, failed; /* failed: with failures in a row */
	size_t throttles;       /* of questions */
	size_t unresolved;      /* names of name servers */
	size_t bytes;
};
void servers_stats(struct servers *s, struct servers_stats *out);

/* What was known of a server before the daemon was started: as servers_walk() told it, but for
 * `view`, of which only `measured` and `edns` count; `age_ms` as of now.  It is taken only where
 * nothing is known, and pushes nothing out.  True: taken. */
bool servers_restore(struct servers *s, const struct server_dump *kept, uint64_t now_ms);

/* A new limit of bytes; shrinking happens a few entries an insert, and by servers_shrink_some():
 * up to `n` of them.  Returns how many. */
void servers_set_limit(struct servers *s, size_t max_bytes);
size_t servers_shrink_some(struct servers *s, size_t n);

/* Forgets everything (throttles and names without address only, or the speeds too); how many
 * throttles that had not ended, and names, those were. */
size_t servers_clear(struct servers *s, bool speeds_too, uint64_t now_ms);

#endif
