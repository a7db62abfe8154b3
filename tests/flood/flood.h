/*
 * flood: one seed: a flood of random names below one domain (PRSD, water torture), whose authority
 * is silent, slow or answers so many questions a second, among the questions of ordinary clients for
 * other names; one or two workers over one record cache and server table, with the limits that are
 * always on (inflight.h, slots.h) and, in two seeds of three, the defender acting.  Everything
 * follows from the seed; time is pretended (tests/sim/network.h).
 *
 * What must be so in every seed:
 *
 *     whoever asks for a healthy name gets its address, soon, whatever the flood is like;
 *     every query ends once, within the time that a query may take;
 *     with the defender acting the victim is hardly asked, and its known names resolve as far as
 *     its authority answers at all; without it they do so mostly;
 *     at the end nothing is left over.
 *
 *     flood.c     a seed's course        world.c   the servers
 *     clients.c   who asks, and what becomes of it: the pipeline in small
 *
 * Memory: struct flood is large and reused; what a seed allocates is freed at its end.
 */
#ifndef FLOOD_FLOOD_H
#define FLOOD_FLOOD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/metrics.h"
#include "recursor/policy/defender.h"
#include "recursor/policy/slots.h"
#include "recursor/resolve/resolver.h"
#include "tests/sim/network.h"
#include "tests/soak/rng.h"

enum {
	NODES_MAX = 2,
	ASKERS_MAX = 8192,
	TLDS = 3,
	DOMAINS = 12, /* healthy ones; domain d lies below tld d % TLDS */
	HOSTS = 20,   /* in each */
	KNOWN = 10,   /* names of the victim that exist */
	VICTIM_SERVERS_MAX = 3,
	DOMAIN_LABELS = 2,
	SECOND_US = 1000000,
	TICK_US = 200000,
};

enum authority { AUTHORITY_SILENT, AUTHORITY_SLOW, AUTHORITY_LIMITED, AUTHORITIES };

/* Who asks for what. */
enum kind { KIND_LEGIT, KIND_KNOWN, KIND_FLOOD, KINDS };

/* When: before the flood, in its first moments, and when the defender has found out. */
enum phase { PHASE_BEFORE, PHASE_ONSET, PHASE_ACCUSED, PHASES };

struct flood;

struct node {
	struct flood *flood;
	struct network network;
	struct counters counters;
	struct resolver *resolver;
	struct slots *slots;
	struct defender_worker *defender;
};

struct asker {
	struct node *node;
	struct request *request;
	struct slot slot;
	struct addr client;
	enum kind kind;
	enum phase phase; /* in which it asked */
	bool in_use, over_capacity, unknown, probe;
	uint32_t right; /* the address that is the answer */
	uint64_t asked_us;
	uint64_t child;
	uint16_t type;
	uint8_t name[NAME_MAX_LEN];
};

/* What became of the queries of a kind. */
struct score {
	uint64_t asked, right, wrong, failed, turned, dropped;
	uint64_t slowest_us;
};

struct setup {
	enum authority authority;
	bool acts; /* the defender */
	unsigned n_nodes, n_victim_servers;
	unsigned delay_ms;  /* SLOW */
	unsigned limit_qps; /* LIMITED: of each server */
	unsigned flood_qps, legit_qps, attackers;
	unsigned flood_s;
	uint32_t mthreads;
	bool deep, minimises; /* the flood's names have two random labels; QNAME minimisation */
	uint32_t healthy_ttl, victim_ttl, delegation_ttl;
	uint32_t stale_s;
};

struct flood {
	uint64_t seed;
	struct setup setup;
	struct resolver_config cfg;
	struct rng rng;
	struct cache *cache;
	struct servers *servers;
	struct defender *defender;
	struct node nodes[NODES_MAX];
	struct asker askers[ASKERS_MAX];
	unsigned n_askers; /* in use */
	enum phase phase;
	uint64_t accused_us; /* 0: nobody is */
	struct score scores[PHASES][KINDS];
	/* the victim's servers */
	uint64_t victim_asked[PHASES], victim_asked_unknown[PHASES]; /* all; not for known names */
	uint64_t limit_second[VICTIM_SERVERS_MAX];
	unsigned limit_used[VICTIM_SERVERS_MAX];
	FILE *out; /* tells the story, or NULL */
	char failure[300];
};

/* Runs a seed; false: it failed, and f->failure says how. */
bool flood_run(struct flood *f, uint64_t seed, FILE *out);
void flood_fail(struct flood *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline uint64_t flood_now_us(const struct flood *f)
{
	return f->nodes[0].network.now_us;
}

/* ---- world.c ---- */

/* The wire form of "wH.dD.tT.", "kN.victim.t0." */
void world_host_name(uint8_t out[NAME_MAX_LEN], unsigned domain, unsigned host);
void world_known_name(uint8_t out[NAME_MAX_LEN], unsigned n);
void world_random_name(struct flood *f, uint8_t out[NAME_MAX_LEN]);
uint32_t world_host_address(unsigned domain, unsigned host);
uint32_t world_known_address(unsigned n);
int world_hints(struct rrset *sets[2], uint32_t now_s) MUST_USE;
/* The network's serve callback; ctx is a node. */
enum send_result world_serve(void *ctx, struct network *net, const struct outquery *q,
			     const uint8_t *wire, size_t len);

/* ---- clients.c ---- */

void clients_ask_host(struct flood *f);
void clients_ask_known(struct flood *f, unsigned n);
void clients_flood(struct flood *f);
void clients_cancel_all(struct flood *f);

#endif
