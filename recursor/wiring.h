/*
 * wiring: what joins the rooms of a worker: the settings as each room wants them, and the
 * resolver's world (resolve/world.h) made of the worker's loop, sockets and random source.
 *
 * Threads: the world's functions are for the worker's own thread.
 */
#ifndef RECURSOR_WIRING_H
#define RECURSOR_WIRING_H

#include "recursor/policy/script.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/worker.h"

/* How long expired data are kept, and served if need be. */
uint32_t wiring_stale_s(const struct settings *s);
void wiring_cache_config(struct cache_config *cfg, const struct settings *s,
			 const struct memory *m);
void wiring_servers_config(struct servers_config *cfg, const struct settings *s,
			   const struct memory *m);
void wiring_packetcache_config(struct packetcache_config *cfg, const struct settings *s,
			       const struct memory *m);
void wiring_aggressive_config(struct aggressive_config *cfg, const struct settings *s,
			      const struct memory *m);
enum dnssec_mode wiring_dnssec_mode(const struct settings *s);
void wiring_resolver_config(struct resolver_config *cfg, const struct settings *s);
struct script_limits wiring_script_limits(const struct settings *s);
void wiring_listen_limits(struct listen_limits *limits, const struct settings *s);
/* `max_sockets`: this worker's part of the descriptors. */
void wiring_outgoing_config(struct outgoing_config *cfg, const struct settings *s,
			    uint32_t max_sockets);

/* What of the process's descriptors each worker may use for asking. */
uint32_t wiring_sockets_each(const struct settings *s);

/* Of each ring of a worker; 0: there are none. */
size_t wiring_ring_entries(const struct settings *s);
/* Half of a worker's part of flight-recorder-memory, each: for the steps of what is being resolved,
 * and for stories. */
uint64_t wiring_flight_bytes(const struct settings *s);

/* What the resolver begins at the root with. */
int wiring_hints(struct resolver *r, const struct server *server,
		 const struct settings *s) MUST_USE;
void wiring_world(struct world *out, struct worker *w);
void wiring_outgoing_handler(struct outgoing_handler *out, struct worker *w);

#endif
