/*
 * play: one run of one scenario: a resolver with empty caches, a network that answers as the
 * scenario says, and a client that goes through its steps.
 *
 * What the client sees decides.  Questions that the scenario did not foresee are answered
 * SERVFAIL, counted, and fail the run only when `strict`.  After the last step the resolver
 * has a minute to become idle; work that is still there then is a leak and fails the run.
 *
 * Memory: everything of a run is freed at its end.
 */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/metrics.h"
#include "recursor/resolve/resolver.h"
#include "tests/signer/zone.h"
#include "tests/sim/client.h"
#include "tests/sim/network.h"
#include "tests/sim/scenario.h"

struct play_options {
	bool minimise;
	bool strict;
	bool verbose;
	bool all; /* play what needs things we do not have, too */
	bool foreign; /* somebody else's scenarios: special names (RFC 6761) are names like others, but for
			 the root's key sentinels (RFC 8509) */
	uint64_t seed;
	FILE *out;
};

struct play_result {
	bool passed;
	unsigned unforeseen;
};

/* A question as a server got it. */
struct asked {
	struct addr server;
	enum transport transport;
};

enum { PLAY_ASKED_MAX = 4096 };

struct policy_rule;
struct play_signed;

struct player {
	struct scenario *s;
	const struct play_options *o;
	uint32_t max_inflight_server; /* 0: as in play.c */
	struct netset *dont_throttle_nets;
	struct nameset *dont_throttle_names;
	struct resolver_config cfg;
	struct netset *dont_query;
	struct counters counters;
	struct cache *cache;
	struct servers *servers;
	struct network net;
	struct resolver *resolver;
	struct client *client; /* who asked last */
	struct client *clients;
	unsigned n_clients;
	struct policy_rule *rules; /* in the order in which they are tried */
	struct play_signed *signed_zones;
	bool priming, primed, primed_ok;
	unsigned step;                      /* the number of the step at hand */
	struct asked asked[PLAY_ASKED_MAX]; /* since the last question began */
	size_t n_asked;
	uint64_t asked_us;
	bool no_route[2]; /* to anybody: over IPv4, IPv6 */
	bool no_room;     /* for one more question to anybody */
	unsigned unforeseen;
	bool failed;
};

void play(struct scenario *s, const struct play_options *o, struct play_result *result);

/* Says what went wrong at a step (or at none: NULL), once a run: the first is what counts. */
void play_fail(struct player *p, const struct step *step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Why a scenario cannot be played (a constant or borrowed text), or NULL. */
const char *play_reason_to_skip(const struct scenario *s);

/* Header keys into a configuration; `why` on error (SCENARIO_WHY_MAX). */
int play_configure(struct player *p, char *why) MUST_USE;
int play_set_hints(struct player *p, char *why) MUST_USE;
int play_set_zones(struct player *p, char *why) MUST_USE;
/* Gives it copies of zones, when these are signed. */
int play_set_copies(struct player *p, char *why) MUST_USE;
int play_set_trust(struct player *p, char *why) MUST_USE;
/* Signs zones as the header says, before anything is asked; DS rdata for a trust anchor (0: no such
 * zone, or no more); what a signed zone's server adds to its answer. */
int play_sign(struct player *p, char *why) MUST_USE;
size_t play_signed_ds(const struct player *p, const uint8_t *apex, unsigned i,
		      uint8_t out[SIGN_DS_MAX]);
void play_sign_reply(const struct player *p, const struct zone *z, const ldns_pkt *query,
		     ldns_pkt *reply);
/* What signs it, or NULL. */
struct signed_zone *play_signed_zone(const struct player *p, const struct zone *z);
void play_sign_free(struct player *p);
/* Without a trust anchor nothing is validated. */
bool play_validates(const struct scenario *s);
uint32_t play_start_time(const struct scenario *s);

/* A POLICY step: one more rule, or none any more. */
void play_policy(struct player *p, const struct step *step);
void play_policy_free(struct player *p);

/* The steps that look at what happened. */
void play_check(struct player *p, const struct step *step);

/* The servers of the network: ranges and REPLY steps. */
enum send_result play_serve(void *ctx, struct network *net, const struct outquery *q,
			    const uint8_t *wire, size_t len);

#endif
