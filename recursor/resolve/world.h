/*
 * world: all that the resolver knows of the world outside: two clocks, a source of random
 * bytes, a way to ask a server, a way to be woken.
 *
 * libuv fills it in production (recursor/net/), a simulator in tests/sim.  What happens in
 * the world comes back as calls of resolver.h: resolver_reply(), resolver_failed(),
 * resolver_near_miss(), resolver_tick().
 *
 * The world owns sockets, ports and message ids: send() takes a question whose id is zero,
 * puts an id of its own into it, unpredictable and unused on that socket, and hands back
 * only a packet that came from the address and port asked to the port it was asked from,
 * with that id.  Whether name, type and class match is the resolver's business; whatever
 * misses by the id is reported with resolver_near_miss().
 *
 * preoutquery, NULL where the operator has no such policy, is asked before every packet that a
 * goal sends, TCP after a truncated answer and repeats without EDNS included, when limits and
 * throttles have let it pass.  It speaks for one client's query: of all that wait for the goal,
 * however indirectly (a name server's address is looked up for somebody), the oldest first.
 *
 *     GO            The question leaves, over TCP if the policy says so, or to the server that the
 *                   policy names: this packet only.  The answer is taken from that address alone,
 *                   what is learnt (RTT, EDNS, silence) is its own, and nothing is throttled for it.
 *                   Neither dont-query nor the throttles stand in the way: the script's word is the
 *                   operator's.  What it answers is cached as the zone's.
 *     ANSWERED      The policy's records are the server's reply to this goal: an answer, a denial
 *                   (no records: NODATA), a referral; the zone's bailiwick holds for them too.
 *                   Neither they nor what a goal finds by way of them go into the record cache or
 *                   the packet cache, and no failure that comes of it is remembered: the next
 *                   client's query is asked about anew.
 *     TIMEOUT       As if the server had been silent: it is left alone for the question as after a
 *                   time-out.  The server's RTT and failures do not count it, nor the weather.
 *     NO_RESOURCES  As if the question could not have left for want of descriptors.
 *     KILL          That client's query ends with SERVFAIL and EDE 15, never with expired data; then
 *                   the next is spoken for.  When none is left the work stops.
 *
 * So each call ends a query or decides on the packet.  Every packet decided on counts against
 * max-qperq, as one that is sent.  Work that no client waits for (priming, refreshing, going on
 * after an answer of expired data, explain) is not asked about.
 *
 * Threads: one world a resolver, one resolver a thread.
 */
#ifndef RESOLVE_WORLD_H
#define RESOLVE_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

/* One question to one server.  Everything is borrowed for the call of send(). */
struct outquery {
	uint64_t ticket; /* names the question in every later call; never 0 */
	struct addr server;
	enum transport transport;
	const uint8_t *wire; /* a whole message, id zero */
	size_t len;
};

enum send_result {
	SEND_OK,          /* on its way; reply, failed or cancel will end it */
	SEND_UNROUTED,    /* the kernel knows no way there: of ours, not of the server's making */
	SEND_UNREACHABLE, /* it cannot be sent there, now */
	SEND_NO_RESOURCES /* no descriptor, port or memory: our fault, not the server's */
};

enum outquery_verdict {
	OUTQUERY_GO,
	OUTQUERY_ANSWERED,
	OUTQUERY_TIMEOUT,
	OUTQUERY_NO_RESOURCES,
	OUTQUERY_KILL
};

struct rrset;

enum { OUTQUERY_SETS_MAX = 64 };

/* A question about to leave, as the policy sees and changes it. */
struct outquery_plan {
	const uint8_t *name; /* as asked (RFC 9156: perhaps cut short), lower case; borrowed */
	uint16_t type;
	struct addr server;       /* GO: may be another; port 0: the usual one */
	enum transport transport; /* GO: UDP may become TCP, not the other way */
	/* ANSWERED.  The sets are references that the resolver gives back, whatever the verdict. */
	uint16_t rcode;
	unsigned n_sets;
	struct outquery_set {
		struct rrset *set;
		uint8_t section; /* enum msg_section */
	} sets[OUTQUERY_SETS_MAX];
};

enum outquery_end {
	OUTQUERY_END_ANSWER,
	OUTQUERY_END_TIMEOUT,
	OUTQUERY_END_FAILURE,
	OUTQUERY_END_CANCEL
};

struct world {
	void *ctx;
	/* Monotonic milliseconds: time-outs and RTTs. */
	uint64_t (*now_ms)(void *ctx);
	/* Monotonic microseconds, for measured RTTs; same origin as now_ms. */
	uint64_t (*now_us)(void *ctx);
	/* Seconds since 1970: TTLs and signatures.  It may jump. */
	uint32_t (*wall_s)(void *ctx);
	/* Unpredictable bytes. */
	void (*random)(void *ctx, void *buf, size_t len);
	/* Asks.  Never calls back into the resolver before it returns. */
	enum send_result (*send)(void *ctx, const struct outquery *q);
	/* The resolver no longer waits for `ticket`: forget it.  A UDP answer that still comes is
	 * counted as unexpected. */
	void (*cancel)(void *ctx, uint64_t ticket);
	/* A question that was sent waits no longer; NULL: nobody wants to know. */
	void (*ended)(void *ctx, const struct addr *server, uint64_t waited_us,
		      enum outquery_end end);
	/* Call resolver_tick() at `due_ms` or as soon after as can be; the latest call counts.
	 * UINT64_MAX: not needed. */
	void (*wake_at)(void *ctx, uint64_t due_ms);
	/* How many labels at the end of a name are the domain of one owner (psl.h); NULL: two. */
	unsigned (*domain_labels)(void *ctx, const uint8_t *name);
	/* The policy; `client` is what resolver_ask() got as ctx with the question spoken for.  Never
	 * calls back into the resolver before it returns. */
	enum outquery_verdict (*preoutquery)(void *ctx, void *client, struct outquery_plan *plan);
};

#endif
