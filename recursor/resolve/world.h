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
	/* Call resolver_tick() at `due_ms` or as soon after as can be; the latest call counts.
	 * UINT64_MAX: not needed. */
	void (*wake_at)(void *ctx, uint64_t due_ms);
};

#endif
