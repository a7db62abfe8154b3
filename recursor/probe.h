/*
 * probe: questions of the daemon's own, under trust anchors of its own and past every cache.
 *
 *     probe_new(&p, server, anchors);
 *     probe_ask(p, name, TYPE_SOA, &said);      blocks the calling thread
 *     ... said.security ...
 *     probe_said_put(&said); probe_free(p);
 *
 * What a zone would be without its negative anchor, and what keys it has now, no cache of the workers'
 * may say, and what comes of it none may keep.  So this is a resolver beside theirs, with a loop, sockets
 * and a small cache of its own; it knows the configured zones, and shares the table of servers.
 *
 * Threads: one makes, asks and frees it; probe_stop() any.  Not a worker's.
 */
#ifndef RECURSOR_PROBE_H
#define RECURSOR_PROBE_H

#include "common/err.h"
#include "common/rrset.h"

struct anchors;
struct probe;
struct server;

/* Takes a reference to the anchors.  E_NOMEM, E_SYSTEM. */
int probe_new(struct probe **out, struct server *server, struct anchors *anchors) MUST_USE;
void probe_free(struct probe *p); /* accepts NULL */

struct probe_said {
	uint16_t rcode;
	enum security security;
	struct rrset *set; /* of the name and type asked for: a reference; or NULL */
};

/* E_STOPPED: probe_stop(). */
int probe_ask(struct probe *p, const uint8_t *name, uint16_t type,
	      struct probe_said *said) MUST_USE;
/* The same without validation: what the servers say, whoever has signed it. */
int probe_ask_unchecked(struct probe *p, const uint8_t *name, uint16_t type,
			struct probe_said *said) MUST_USE;
void probe_said_put(struct probe_said *said);

/* Whatever is asked, and will be, ends at once. */
void probe_stop(struct probe *p);

#endif
