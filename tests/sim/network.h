/*
 * network: a pretended network, clock and generator: the struct world under which tests/sim
 * runs the resolver.
 *
 * Time stands still while the resolver computes and jumps to the next event when it waits, so
 * seven seconds of time-outs take microseconds, and a run is repeatable to the last bit from
 * its seed.
 *
 *     network_init(&net, seed, wall_s);  net.serve = ...;  resolver_new(..., &net.world);
 *     net.resolver = r;  resolver_ask(...);
 *     while (!answered && network_step(&net, deadline_us)) ;
 *
 * What is checked of the resolver on the way: tickets are fresh and not 0, questions are whole
 * messages with id 0, it does not spin without time passing.  A breach is kept in `breach`.
 *
 * Memory: network_deinit() frees what is in flight.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recursor/resolve/resolver.h"
#include "recursor/resolve/world.h"

enum {
	NETWORK_EVENTS_MAX = 4096,
	NETWORK_PENDING_MAX = 4096,
	NETWORK_SPIN_MAX = 20000, /* events without time passing */
};

enum delivery_kind { DELIVER_PACKET, DELIVER_NEAR_MISS, DELIVER_FAILURE };

struct delivery {
	uint64_t at_us;
	uint64_t seq; /* breaks ties in order of sending */
	uint64_t ticket;
	enum delivery_kind kind;
	enum net_failure failure;
	uint8_t *wire;
	size_t len;
};

struct network;

/* A question arrived at a server; the wire has an id by now.  Answers with any number of
 * network_deliver() and the like; SEND_OK unless the "kernel" shall refuse. */
typedef enum send_result (*network_serve_cb)(void *ctx, struct network *net,
					     const struct outquery *q, const uint8_t *wire,
					     size_t len);

/* The operator's policy; what world.preoutquery of the resolver is to be set to. */
enum outquery_verdict network_preoutquery(void *ctx, void *client, struct outquery_plan *plan);

struct network {
	struct world world;
	struct resolver *resolver;
	network_serve_cb serve;
	void *serve_ctx;
	enum outquery_verdict (*policy)(void *ctx, void *client, struct outquery_plan *plan);
	void *policy_ctx;

	uint64_t now_us;
	int64_t wall_offset_s; /* wall clock minus monotonic clock */
	uint64_t wake_ms;
	uint64_t random_state[2];  /* what the resolver draws */
	uint64_t latency_state[2]; /* what the network draws */

	struct delivery *queue; /* a heap */
	size_t n_queue;
	uint64_t *pending; /* tickets in flight */
	size_t n_pending;
	uint64_t seq;
	unsigned spin;

	uint64_t sent_udp, sent_tcp, received_bytes;
	char breach[160]; /* "" while the resolver keeps its word */
};

int network_init(struct network *n, uint64_t seed, uint32_t wall_s) MUST_USE;
void network_deinit(struct network *n);

/* To be called by the server: hands bytes (copied) to the resolver after the network's latency
 * plus `delay_ms`. */
void network_deliver(struct network *n, uint64_t ticket, const uint8_t *wire, size_t len,
		     unsigned delay_ms);
void network_near_miss(struct network *n, uint64_t ticket, unsigned delay_ms);
void network_fail(struct network *n, uint64_t ticket, enum net_failure why, unsigned delay_ms);

/* Goes on to the next event, if there is one up to `until_us`, and hands it over.  False: there
 * was none; time stands at `until_us` then. */
bool network_step(struct network *n, uint64_t until_us);

/* When network_step() would have something to hand over; UINT64_MAX: never, by now. */
uint64_t network_next_us(const struct network *n);

/* Is a reply, a failure or a timer under way? */
bool network_is_busy(const struct network *n);

/* Uniform in [0, bound). */
uint32_t network_random_below(struct network *n, uint32_t bound);

#endif
