/*
 * worker: a thread that answers clients, and the process that owns the threads.
 *
 * A worker owns its loop, sockets, packet cache, resolver, counters.  Shared by all workers are
 * the record cache, the server table, the tally of TCP clients, the settings snapshot.  The
 * control threads (main's own, for signals, and the control socket's) reach a worker only by its
 * mailbox: recursor/visit.h.
 *
 * Order of life: server_new() binds every worker's sockets (before privileges are dropped),
 * server_start() makes loops and threads (after the last fork), server_stop() ends and joins
 * them, server_free().
 */
#ifndef RECURSOR_WORKER_H
#define RECURSOR_WORKER_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/metrics.h"
#include "common/psl.h"
#include "common/random.h"
#include "common/zonefile.h"
#include "recursor/costing.h"
#include "recursor/memory.h"
#include "recursor/net/datagram.h"
#include "recursor/net/listen.h"
#include "recursor/net/loop.h"
#include "recursor/net/outgoing.h"
#include "recursor/resolve/packetcache.h"
#include "recursor/resolve/resolver.h"
#include "recursor/settings/settings.h"
#include "recursor/watch/env.h"

struct server;

/* What other threads may read of a worker, written by it after each turn of its loop. */
struct worker_gauges {
	_Atomic size_t in_flight, tcp_clients;
	_Atomic bool owes; /* listener_owes() */
	_Atomic bool
		is_deaf; /* server_stop_listening() has come true: nothing is to be added above */
	_Atomic size_t packetcache_entries, packetcache_bytes;
	_Atomic size_t packetcache_limit; /* of bytes, as its packet cache has it */
	_Atomic uint64_t latency_us;
	_Atomic size_t flight_stories, flight_bytes; /* now and then */
	_Atomic uint64_t our_latency_us, cpu_us;
	_Atomic size_t tcp_idle_out, backgrounds;
	_Atomic size_t key_bytes; /* resolver_stats() */
};

struct worker {
	/* No cache line has parts of two workers. */
	alignas(64) struct server *server;
	unsigned index;
	pthread_t thread;
	atomic_bool started; /* its loop is there for visits */
	bool stopping;       /* its own thread's: what ends now ends because of that */
	bool is_deaf;        /* its own thread's: it reads no more */
	struct loop *loop;
	struct listener *listener;
	struct outgoing *outgoing;
	struct datagrams *datagrams; /* of scripts */
	struct resolver *resolver;
	struct packetcache *packetcache;
	struct pipeline *pipeline;
	struct loop_timer *tick;
	struct loop_timer *housekeeping;
	uint64_t want_told_ms; /* when it was logged last that nothing is left to ask with, or 0 */
	uint64_t wall_read_ms; /* when wall_s was read */
	uint32_t wall_s;
	struct random_source random;
	struct psl_memo *domains; /* of the resolver's forwarded questions */
	struct costing costing;
	struct dnstap_tap *tap; /* NULL: nobody watches */
	uint64_t tap_ns;        /* tapping_batch() */
	struct counters counters;
	struct worker_gauges gauges;
	_Atomic bool ping_waits; /* server_is_alive() */
};

/* The time of day, read once a turn of the loop; for the worker's own thread. */
static inline uint32_t worker_wall_s(struct worker *w)
{
	uint64_t now_ms = loop_now_ms(w->loop);

	if (w->wall_read_ms != now_ms) {
		w->wall_s = loop_wall_s();
		w->wall_read_ms = now_ms;
	}
	return w->wall_s;
}

enum priming { PRIMING_PENDING, PRIMING_DONE, PRIMING_FAILED };

struct server {
	/* In force; another thread than a worker's takes a reference (recursor/reconfigure.h). */
	_Atomic(const struct settings *) settings;
	pthread_mutex_t settings_lock; /* between reading the pointer and counting the reference */
	pthread_mutex_t change_lock;   /* one change after the other */
	pthread_mutex_t zones_lock;    /* one reading of zones after the other; taken first */
	atomic_bool ends;              /* server_end_begins() */
	int argc;                      /* the command line, to read settings again */
	char *const *argv;
	struct cache *cache;
	struct servers *servers;
	struct aggressive *aggressive; /* proofs that answer for other names */
	struct memory memory;          /* the caches' budget */
	struct keeper *keeper;         /* main's: of cache-file, or NULL */
	struct shelf *shelf;           /* what else scripts share */
	struct ipsets *ipsets;         /* of scripts; reader i is worker i's */
	struct tally *tally;           /* of the clients' TCP connections */
	struct tracer *tracer;
	struct query_log *query_log;
	struct ringset *rings; /* what came last to each worker */
	struct scripts *scripts;
	struct errands *errands;               /* scripts beside the workers */
	struct custom_metrics *custom_metrics; /* of scripts, whichever is loaded */
	struct wiper *wiper;
	struct carbon *carbon;
	struct secpoll *secpoll;
	struct dnstap *dnstap; /* or NULL */
	struct defender *defender;
	struct watch_web web; /* what the web server counts */
	struct watch_scripts scripts_most;
	struct watch_env own_env; /* the wiper's */
	struct worker *workers;
	unsigned n_workers;
	uint64_t started_ms;
	bool primes;          /* hint-file is not no-refresh */
	uint64_t prime_at_ms; /* the first worker's: when to fetch the root's name servers again */
	_Atomic enum priming priming;
	_Atomic uint64_t draining_since_ms; /* 0: it does not drain; these: server_state.h */
	void (*changed)(void *ctx);
	void *changed_ctx;
	struct rrset **hints; /* none: the resolver's own */
	size_t n_hints;
	struct anchorage *anchorage; /* trust anchors */
	struct localcopy *localcopy; /* copies of zones */
	struct zones
		*zones; /* configured; a reference, changed between server_change_begin() and end */
	void (*quit)(void *ctx, bool nicely); /* server_watch() */
	void *quit_ctx;
};

/* Makes caches and workers and binds their sockets.  `leave`, or NULL: may the reading of zones go
 * on?  `why` (SETTINGS_WHY_MAX) on error.  A reference to the settings is taken. */
int server_new(struct server **out, const struct settings *s, const struct zonefile_leave *leave,
	       char *why) MUST_USE;
/* On error nothing runs; errno tells more when it is E_SYSTEM. */
int server_start(struct server *s) MUST_USE;
/* What an operator has begun and nobody is to wait for is broken off; from any thread. */
void server_end_begins(struct server *s);
/* Stops listening, lets go of what is being resolved, ends and joins the threads. */
void server_stop(struct server *s);
void server_free(struct server *s);

/* Fills what the operator's side may see and touch; `quit` is called when it wants the daemon to
 * end.  Valid until server_free(). */
void server_watch(struct server *s, struct watch_env *env, void (*quit)(void *ctx, bool nicely),
		  void *ctx);

/* Workers take no new queries; what they have is resolved and answered, and TCP clients have time
 * to read it.  server_stop() comes next, when nothing is left, or after server_patience_ms(). */
void server_stop_listening(struct server *s);
/* After server_stop_listening(). */
bool server_is_busy(const struct server *s);
uint64_t server_patience_ms(const struct settings *now);

#endif
