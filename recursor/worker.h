/*
 * worker: a thread that answers clients, and the process that owns the threads.
 *
 * A worker owns its loop, sockets, packet cache, resolver, counters.  Shared by all workers are
 * the record cache, the server table, the settings snapshot.  The control thread (main's own)
 * owns signals and the control socket; it reaches a worker only by loop_post().
 *
 * Order of life: server_new() binds every worker's sockets (before privileges are dropped),
 * server_start() starts the threads, server_stop() ends and joins them, server_free().
 */
#ifndef RECURSOR_WORKER_H
#define RECURSOR_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/metrics.h"
#include "common/random.h"
#include "recursor/net/listen.h"
#include "recursor/net/loop.h"
#include "recursor/net/outgoing.h"
#include "recursor/resolve/packetcache.h"
#include "recursor/resolve/resolver.h"
#include "recursor/settings.h"

struct server;

struct worker {
	struct server *server;
	unsigned index;
	pthread_t thread;
	bool started;
	struct loop *loop;
	struct listener *listener;
	struct outgoing *outgoing;
	struct resolver *resolver;
	struct packetcache *packetcache;
	struct pipeline *pipeline;
	struct loop_timer *tick;
	struct random_source random;
	struct counters counters;
};

struct server {
	_Atomic(const struct settings *) settings;
	struct cache *cache;
	struct servers *servers;
	struct worker *workers;
	unsigned n_workers;
	uint64_t started_ms;
	_Atomic bool primed;
};

/* Makes caches and workers and binds their sockets.  `why` (SETTINGS_WHY_MAX) on error. */
int server_new(struct server **out, const struct settings *s, char *why) MUST_USE;
int server_start(struct server *s) MUST_USE;
/* Stops listening, lets go of what is being resolved, ends and joins the threads. */
void server_stop(struct server *s);
void server_free(struct server *s);

#endif
