/*
 * soak: one seed: a random Internet, a resolver with a random configuration, clients that ask,
 * go away, and operators who turn every knob meanwhile; then the faults end, and what can be
 * resolved must be.  Everything follows from the seed.
 *
 * Checked of every answer: once; within the budgets of questions and of time; a message that
 * parses; and where nobody could lie: true, and no older than its TTL.  When all on the way is
 * sound: there.  Of the cache: nothing in it that is false of a trusted zone.  Of the end:
 * nothing left over.
 *
 * Memory:  struct soak is large and reused; what a seed allocates is freed at its end.
 */
#ifndef SOAK_SOAK_H
#define SOAK_SOAK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/metrics.h"
#include "recursor/resolve/resolver.h"
#include "tests/sim/network.h"
#include "tests/soak/internet.h"
#include "tests/soak/server.h"

enum { ASKERS_MAX = 96 };

enum asker_state { ASKER_WAITS, ASKER_ANSWERED, ASKER_CANCELLED };

/* Must a question be resolved? */
enum must { MUST_NOT, MUST_UNLESS_LIMITED, MUST };

/* A client with one question. */
struct asker {
	struct soak *soak;
	struct request *request;
	enum asker_state state;
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	bool cache_only;
	enum must must;     /* be resolved */
	uint64_t limits;    /* met by then */
	bool alone;         /* nothing else is going on */
	uint32_t max_qperq; /* the largest in force while it waits */
	uint32_t max_msec;  /* as it asked */
	uint64_t asked_us;
	uint64_t sent, primings; /* by then */
	struct trace *trace;
};

/* A seed's configuration: what the resolver is told, and its surroundings. */
struct setup {
	struct resolver_config cfg;
	struct cache_config cache;
	struct servers_config servers;
	unsigned forged, no_resources;
	bool wide; /* the caches are large enough for everything */
};

struct soak {
	uint64_t seed;
	struct internet net;
	struct setup setup;
	struct servers_ctx ctx;
	struct network network;
	struct counters counters;
	struct cache *cache;
	struct servers *servers;
	struct resolver *resolver;
	struct rng rng;
	struct asker askers[ASKERS_MAX];
	unsigned n_askers, n_waiting;
	uint32_t min_ttl, max_ttl; /* the largest in force so far */
	bool was_tight;            /* limits were such that anything may have failed */
	uint64_t wiped_us;         /* when the cache was last wiped */
	char failure[400];         /* "" while all is well */

	/* For tests/oom: allocations may fail until the faults are over. */
	bool starved;
	void (*relent)(void);
	void (*harness)(bool begins); /* what comes is the soak's own doing, or was */

	FILE *out;                                        /* tells the story, or NULL */
	uint64_t questions, out_queries, musts, failures; /* for the totals */
};

/* Runs a seed; false: it failed, and s->failure says how. */
bool soak_run(struct soak *s, uint64_t seed, FILE *out);

void soak_fail(struct soak *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- setup.c ---- */

void setup_draw(struct setup *u, struct rng *r);
/* Other limits, at run time. */
void setup_change(struct setup *u, struct rng *r);
/* Limits that stand in nobody's way. */
void setup_relax(struct setup *u);

/* ---- check.c ---- */

/* Must this question be answered, with what is in force now? */
enum must must_succeed(const struct soak *s, const uint8_t *name, uint16_t type);
/* How often one query was ended by a limit. */
uint64_t limits_met(const struct soak *s);
void check_answer(struct soak *s, const struct asker *a, const struct answer *answer);
void check_cache(struct soak *s);
void check_end(struct soak *s);

#endif
