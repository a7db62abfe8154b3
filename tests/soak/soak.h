/*
 * soak: one seed: a random Internet, one or two workers with a random configuration over one
 * record cache and server table, clients that ask, go away, and operators who turn every knob
 * meanwhile; then the faults end, and what can be resolved must be.  Everything follows from the
 * seed.
 *
 * Checked of every answer: once; within the budgets of questions and of time; a message that
 * parses; and where nobody could lie: true, and no older than its TTL.  When all on the way is
 * sound: there.  For who wants it validated: true wherever signatures protect it, whoever lies;
 * never what is wrongly signed; secure exactly when it is.  Of the packet caches: what comes out was put in, for that question, and is not
 * older than it may be.  Of the cache: nothing in it that is false of a trusted zone.  Of the end:
 * nothing left over; and when all is freed, wherever the seed ended, no block (tests/oom/alloc.h).
 *
 *     soak.c       a seed's course
 *     clients.c    who asks what, and goes away
 *     operators.c  what else happens: commands, clocks, time
 *     rollover.c   zones that are signed differently, step by step
 *     configured.c zones that the operator has configured
 *     packets.c    the packet cache before each resolver
 *     check.c      what must be so of an answer;  check_cache.c  of the caches, and at the end
 *     internet.h   the Internet, change.c what becomes different in it, signed.c what of it is signed,
 *                  server.h its servers
 *
 * Memory:  struct soak is large and reused; what a seed allocates is freed at its end.
 */
#ifndef SOAK_SOAK_H
#define SOAK_SOAK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/metrics.h"
#include "recursor/query.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/packetcache.h"
#include "recursor/resolve/resolver.h"
#include "tests/sim/network.h"
#include "tests/soak/internet.h"
#include "tests/soak/server.h"

enum { ASKERS_MAX = 96, NODES_MAX = 2, PACKET_MAX = 2048 };

enum asker_state { ASKER_WAITS, ASKER_ANSWERED, ASKER_CANCELLED };

/* Must a question be resolved? */
enum must { MUST_NOT, MUST_UNLESS_LIMITED, MUST };

struct soak;

/* A worker: a resolver, the packet cache before it, and its way to the network. */
struct node {
	struct soak *soak;
	struct network network;
	struct servers_ctx ctx;
	struct counters counters;
	struct resolver *resolver;
	struct packetcache *packets;
};

/* A client with one question. */
struct asker {
	struct soak *soak;
	struct node *node;
	struct request *request;
	enum asker_state state;
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	bool cache_only;
	bool validates; /* the answer's security is to be known */
	bool tcp, no_packets;
	struct query query; /* reads from `wire` */
	uint8_t wire[QUERY_HEAD_MAX + 11];
	enum must must;               /* be resolved */
	uint64_t limits;              /* met by then */
	bool alone;                   /* nothing else is going on at its node */
	uint32_t max_qperq, max_msec; /* the largest in force while it waits */
	uint64_t asked_us;
	uint64_t sent, unasked; /* by then */
	struct trace *trace;
};

/* An answer that was put into a packet cache. */
struct kept_packet {
	const struct node *node; /* NULL: wiped */
	bool is_doomed;          /* a wipe that is under way has to take it away */
	uint8_t wire[PACKET_MAX];
	size_t len, question_end;
	uint32_t ttl, put_s;
	bool tcp, edns;
	uint8_t dnssec;
};

/* A wipe of a node's packet cache, a slice at a time. */
struct packet_wipe {
	struct node *node; /* NULL: none is under way */
	size_t cursor;
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	bool subtree;
};

/* A seed's configuration: what the resolver is told, and its surroundings. */
struct setup {
	struct resolver_config cfg;
	struct cache_config cache;
	struct aggressive_config aggressive;
	struct servers_config servers;
	struct packetcache_config packets;
	unsigned n_nodes;
	unsigned forged, no_resources;
	bool uses_packets;
	bool changes; /* the Internet does (change.c); then clocks do not go back, nor are zones
			 configured */
	bool rolls;   /* then it is how zones are signed, and nothing else */
	bool wide;    /* the caches are large enough for everything */
};

struct soak {
	uint64_t seed;
	struct internet net;
	struct setup setup;
	struct node nodes[NODES_MAX];
	struct cache *cache;
	struct aggressive *aggressive;
	struct servers *servers;
	struct rng rng;
	struct asker askers[ASKERS_MAX];
	unsigned n_askers, n_waiting;
	struct kept_packet kept[ASKERS_MAX];
	unsigned n_kept;
	struct packet_wipe wipe;
	uint32_t configured;   /* bits: zones that are or were configured (configured.c) */
	uint64_t cut_until_us; /* when the way to the world was, or will be, open again */
	bool was_set_back;     /* the clock */
	bool is_settled;       /* nothing of before the last change is remembered */
	bool was_tight;        /* limits were such that anything may have failed */
	uint64_t wiped_us;     /* when the cache was last wiped */
	uint64_t jumped_us;    /* when the clock last jumped */
	bool ends;             /* the resolvers are being freed */
	char failure[400];     /* "" while all is well */

	/* For tests/oom: allocations may fail until the faults are over. */
	bool starved;
	void (*relent)(void);
	void (*harness)(bool begins); /* what comes is the soak's own doing, or was */

	FILE *out;                                              /* tells the story, or NULL */
	uint64_t questions, out_queries, musts, failures, hits; /* for the totals */
};

/* Runs a seed; false: it failed, and s->failure says how. */
bool soak_run(struct soak *s, uint64_t seed, FILE *out);

void soak_fail(struct soak *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void soak_say(struct soak *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Time is one for all nodes. */
static inline uint64_t soak_now_us(const struct soak *s)
{
	return s->nodes[0].network.now_us;
}

static inline uint32_t soak_wall_s(const struct soak *s)
{
	return s->nodes[0].network.world.wall_s(s->nodes[0].network.world.ctx);
}

/* Goes on to the next event of any node; false: there is none up to `until_us`, which it is then. */
bool soak_step(struct soak *s, uint64_t until_us);
void soak_drain(struct soak *s, uint64_t us);
/* Where trust begins: the keys of some zones, as they are now.  False: no memory. */
bool anchors_publish(struct soak *s);

/* ---- setup.c ---- */

void setup_draw(struct setup *u, struct rng *r);
/* Other limits, at run time. */
void setup_change(struct setup *u, struct rng *r);
/* Limits that stand in nobody's way. */
void setup_relax(struct setup *u);

/* ---- clients.c ---- */

/* Asks any node; NULL when there are too many askers. */
struct asker *client_ask(struct soak *s, const uint8_t *name, uint16_t type, bool cache_only);
void client_cancel(struct soak *s, struct asker *a);
/* A question about something that is there, or nearly; its type. */
uint16_t random_question(struct soak *s, uint8_t name[NAME_MAX_LEN]);
void ask_something(struct soak *s);
/* What was asked before, and may be in a cache. */
void ask_what_is_known(struct soak *s);
void cancel_something(struct soak *s);
void haunt(struct soak *s);

/* ---- operators.c ---- */

/* Anything but a question, and time. */
void something_else(struct soak *s);
void change_the_world(struct soak *s);
void pass_time(struct soak *s);
void configure(struct soak *s);
/* From all caches, as an operator does; type 0: all types. */
void soak_wipe(struct soak *s, const uint8_t *name, uint16_t type, bool subtree);

/* ---- rollover.c ---- */

/* A zone's keys roll over, or its chain changes; from the beginning to the end. */
void roll_over(struct soak *s);

/* ---- configured.c ---- */

void configure_zones(struct soak *s);

/* ---- packets.c ---- */

/* Makes the client's packet. */
void packets_query(struct soak *s, struct asker *a);
/* Is it answered by the packet cache?  What comes is checked. */
bool packets_look(struct soak *s, struct asker *a);
/* Packs the answer, and keeps it as the pipeline does. */
void packets_answer(struct soak *s, struct asker *a, const struct answer *answer);
void packets_wipe_begin(struct soak *s, const uint8_t *name, uint16_t type, bool subtree);
void packets_wipe_on(struct soak *s);
void packets_walk(struct soak *s);

/* ---- check.c ---- */

/* Must this question be answered, with what is in force now? */
enum must must_succeed(struct soak *s, const uint8_t *name, uint16_t type, bool validates);
/* How often one query was ended by a limit. */
uint64_t limits_met(const struct soak *s);
/* Resolutions that a worker began with no question behind them. */
uint64_t unasked(const struct node *n);
void check_answer(struct soak *s, const struct asker *a, const struct answer *answer);
/* Data, or the CNAME that a DNAME makes, for who asks for that. */
bool data_is_true(const struct internet *net, const struct rrset *set, const struct truth *t);

/* ---- check_security.c ---- */

/* For who wants it validated: is what the answer says of security what a validator must find? */
void check_security(struct soak *s, const struct asker *a, const struct answer *answer);
/* As long as older epochs are remembered: might a validator have refused it in one of them?  A DS that is
 * not there any more, or a key, is believed until it has left the caches. */
bool was_ever_refused(struct soak *s, const uint8_t *name, uint16_t type);

/* ---- check_cache.c ---- */

void check_cache(struct soak *s);
/* When the set may have been received, at the earliest. */
uint64_t check_received_us(const struct soak *s, const struct rrset *set);
/* Nothing waits, nothing is under way. */
void check_idle(struct soak *s);
void check_end(struct soak *s);

#endif
