/*
 * datagram: one packet to an address, and the one that comes back: what a script's udpQueryResponse
 * asks of another service (a database, a reputation server).  The bytes are the script's both ways;
 * nothing here takes them for DNS.
 *
 *     err = datagram_send(&d, ds, &to, bytes, len, done, ctx);
 *     done(ctx, DATAGRAM_REPLY, reply, n)     exactly once, later; `d` is gone then
 *
 * Each has a socket of its own, connected, from a random port (udp-source-port-min and kin) and one
 * of our addresses (query-local-address), as questions to servers have: a stranger has to guess the
 * port, and forge the address.  What comes from elsewhere is not taken.  Nobody waits meanwhile.
 *
 * Limits:  `max` in flight (max-lua-udp-queries), within the sockets that outgoing may have
 *          (outgoing.h); DATAGRAM_MAX bytes each way, a longer reply is cut there.
 * Counted: lua-udp-queries, lua-udp-query-timeouts, lua-udp-query-failures, and
 *          lua-udp-query-limits for what was not sent.
 * Threads: all on one worker's loop.  No call here calls back before it returns.
 */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/metrics.h"
#include "recursor/net/loop.h"
#include "recursor/net/outgoing.h"

enum { DATAGRAM_MAX = 65507 };

enum datagram_end {
	DATAGRAM_REPLY,
	DATAGRAM_TIMEOUT, /* nothing came in time */
	DATAGRAM_FAILED,  /* nothing listens there, or no way leads there */
};

struct datagrams;
struct datagram;

/* `reply` is borrowed for the call; NULL but with DATAGRAM_REPLY. */
typedef void (*datagram_done_cb)(void *ctx, enum datagram_end how, const uint8_t *reply,
				 size_t len);

/* `loop`, `outgoing` and `counters` are borrowed and outlive it. */
int datagrams_new(struct datagrams **out, struct loop *loop, struct outgoing *outgoing,
		  struct counters *counters) MUST_USE;
/* What is in flight is forgotten: nobody is called. */
void datagrams_free(struct datagrams *ds);
/* So many at once, each for so long; what is in flight keeps its time. */
void datagrams_configure(struct datagrams *ds, uint32_t max, uint32_t timeout_ms);

/* E_LIMIT: too many are in flight, or no socket is to be had; E_RANGE: no address to send to, or too
 * many bytes; E_SYSTEM: the kernel refuses it.  Then done() is not called. */
int datagram_send(struct datagram **out, struct datagrams *ds, const struct addr *to,
		  const void *bytes, size_t len, datagram_done_cb done, void *ctx) MUST_USE;
/* done() is not called. */
void datagram_cancel(struct datagram *d);

size_t datagrams_in_flight(const struct datagrams *ds);

#endif
