/*
 * env: what the operator's side may see and touch of the running daemon.  Filled by worker.c, so
 * that this room needs to know neither the pipeline nor the network.
 *
 * Threads: every function here but client_of() and set_trace_rule() may be called by several of
 *          the control server's threads at once, and by no worker; those by a visit.
 */
#ifndef WATCH_ENV_H
#define WATCH_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/custom_metrics.h"
#include "common/metrics.h"
#include "common/name.h"
#include "common/psl.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/packetcache.h"
#include "recursor/resolve/resolver.h"
#include "recursor/resolve/servers.h"
#include "recursor/resolve/zones.h"
#include "recursor/watch/costs.h"
#include "recursor/watch/rings.h"

enum { ENV_WHY_MAX = 512 };

struct aggressive;
struct recorder;
struct anchors;     /* resolve/dnssec/anchors.h */
struct trace_rule;  /* tracer.h */
struct query_rules; /* query_log.h */
struct try_request; /* this and the next: try_script.h */
struct try_report;
struct json_t; /* jansson.h */
struct carbon;
struct secpoll;
struct dnstap;

/* What a function that visits a worker gets: valid on that worker's thread, for the call. */
struct watch_worker {
	unsigned index;
	struct resolver *resolver;
	struct packetcache *packetcache;
	const struct costs *costs;       /* NULL: nobody counts them */
	const struct recorder *recorder; /* NULL: off */
	void *ctx;                       /* for set_trace_rule() */
};

/* A client's address and transport. */
struct watch_client {
	struct addr remote;
	bool tcp;
};

enum { WATCH_SOURCE_MAX = 4096 };

/* A zone that is to be at hand whole (recursor/localcopy.h). */
struct watch_copy {
	uint8_t zone[NAME_MAX_LEN];
	char source[WATCH_SOURCE_MAX], error[400]; /* the last try's; "": it went well */
	bool is_file, has_copy, is_expired;
	bool is_digested, is_signed; /* what vouches for it */
	uint32_t serial;
	uint32_t loaded_s, expires_s; /* time of day */
	size_t records, bytes;
	uint64_t loads, errors; /* since it is wanted */
};

/* All of them together. */
struct watch_copies {
	uint64_t used; /* that answer */
	uint64_t records, bytes;
	uint64_t loads, errors; /* since the start */
};

/* What a worker publishes of itself. */
struct watch_gauges {
	uint64_t our_latency_us; /* moving average of a query's time in this process */
	uint64_t cpu_us;         /* of its thread */
	uint64_t tcp_idle_out;   /* connections to servers that are kept */
	uint64_t backgrounds;    /* resolutions that no client waits for */
};

/* What became of cache-file. */
struct watch_cachefile {
	uint64_t loaded;  /* sets and servers taken from it at the start */
	uint64_t dropped; /* the same that were not: expired, newer known, no room */
	uint64_t refused; /* files: damaged, not ours, ... */
	uint64_t written; /* sets and servers, the last time */
	uint64_t writes, errors;
	uint64_t written_s; /* the time of day of the last time; 0: not yet */
};

enum { ENV_IPSET_NAME_MAX = 64 };

/* A set of addresses with a name (policy/ipset.h). */
struct watch_ipset {
	char name[ENV_IPSET_NAME_MAX];
	uint32_t ttl_s; /* of an entry that comes without one; 0: it does not expire */
	uint64_t max;   /* entries; 0: as many as all sets together may have */
	uint64_t entries, bytes;
	uint64_t adds, removals, refusals, expirations;
};

/* All sets, those without a name too. */
struct watch_ipsets {
	uint64_t sets, entries, bytes;
	uint64_t adds, removals, refusals, expirations, sets_refused;
	uint64_t most_sets; /* with a name */
};

/* The sets, as commands reach them; on error one line is in `why` (ENV_WHY_MAX).  now_s: monotonic. */
struct watch_ipset_ops {
	void *ctx;
	void (*sums)(void *ctx, struct watch_ipsets *out);
	/* In order of name, for the caller to free. */
	int (*list)(void *ctx, struct watch_ipset **out, size_t *n);
	/* `ttl_s` UINT32_MAX: the set's.  Added until one is refused: *n of them. */
	int (*add)(void *ctx, const char *name, const struct addr *list, size_t *n, uint32_t ttl_s,
		   uint32_t now_s, char *why);
	/* *n: how many of them were in. */
	int (*remove)(void *ctx, const char *name, const struct addr *list, size_t *n,
		      uint32_t now_s, char *why);
	int (*clear)(void *ctx, const char *name, size_t *n, char *why);
	int (*dump)(void *ctx, const char *name, FILE *f, uint32_t now_s, size_t *n, char *why);
	/* The set is what the file says, or as it was; `file` is what it is called. */
	int (*load)(void *ctx, const char *name, FILE *f, const char *file, uint32_t now_s,
		    size_t *n, char *why);
};

/* What the web server counts; written by its threads, read by any. */
struct watch_web {
	_Atomic uint64_t connections, peak; /* now, and the most there were */
	_Atomic uint64_t client_peak;       /* ... of one client */
	_Atomic uint64_t body_peak;         /* the longest body of a request */
	_Atomic uint64_t requests;          /* with a reply; of these: */
	_Atomic uint64_t unauthorized, too_large, errors;
	_Atomic uint64_t forbidden; /* connections: not from webserver-allow-from, */
	_Atomic uint64_t displaced; /* one too many, so that one had to go, */
	_Atomic uint64_t late;      /* too slow */
};

/* What else scripts share (policy/shelf.h). */
struct watch_shelf {
	uint64_t lists, names, limits; /* what is there */
	uint64_t refused, forgotten;   /* by rate limits, ever */
	uint64_t bytes;
};

/* The most that scripts had at once; written by whoever runs them. */
struct watch_scripts {
	_Atomic uint64_t threads; /* beside the workers (errands.h) */
	_Atomic uint64_t heap;    /* bytes, of one state */
};

/* What the defender holds. */
struct watch_defender {
	uint64_t accused, most_accused;
	uint64_t accusations, refused; /* begun; those for which there was no room */
	uint64_t evicted;              /* zones no longer counted for want of room */
	uint64_t bytes;                /* of counts and windows */
	uint64_t known, known_bytes;   /* names known to exist, about; and their filter */
	uint64_t known_left_out;       /* names not remembered: their zone has its share */
};

struct watch_env {
	void *ctx;
	void (*shelf)(void *ctx, struct watch_shelf *out);
	struct watch_ipset_ops ipsets;
	unsigned n_workers;
	struct cache *cache;
	struct servers *servers;
	struct aggressive *aggressive;         /* resolve/dnssec/aggressive.h */
	struct ringset *rings;                 /* what came last to the workers */
	struct query_log *query_log;           /* quiet=no, log-queries */
	struct custom_metrics *custom_metrics; /* of the operator's script */
	struct carbon *carbon;                 /* or NULL, as the next */
	struct secpoll *secpoll;
	struct dnstap *dnstap;
	const struct watch_web *web;         /* NULL: nobody counts */
	const struct watch_scripts *scripts; /* likewise */
	struct health *health;               /* health.h; NULL: nobody looks */
	uint64_t started_ms;

	const struct counters *(*counters)(void *ctx, unsigned worker);
	/* Questions by type: an array of 65536. */
	const counter *(*qtypes)(void *ctx, unsigned worker);
	/* A visit's: what the worker traces from now on, or NULL; returns the rule before, or NULL,
	 * for the caller to free. */
	struct trace_rule *(*set_trace_rule)(const struct watch_worker *w, struct trace_rule *rule);
	/* A visit's: which questions the worker has logged from now on. */
	void (*set_query_rules)(const struct watch_worker *w, const struct query_rules *rules);
	/* Answers to clients by size: an array of METRICS_SIZES. */
	const counter *(*sizes)(void *ctx, unsigned worker);
	/* Gauges a worker publishes. */
	void (*gauges)(void *ctx, unsigned worker, struct watch_gauges *out);
	size_t (*in_flight)(void *ctx, unsigned worker);
	size_t (*tcp_clients)(void *ctx, unsigned worker);
	size_t (*packetcache_entries)(void *ctx, unsigned worker);
	size_t (*packetcache_bytes)(void *ctx, unsigned worker);
	size_t (*key_bytes)(void *ctx, unsigned worker); /* of public keys of zones */
	uint64_t (*max_cache_memory)(void *ctx);         /* bytes, in force */
	/* Moving average of the time from question to answer, over latency-statistic-size
	 * answers; a packet-cache hit counts as 0.  NULL: not measured. */
	uint64_t (*latency_us)(void *ctx, unsigned worker);
	/* Of the flight recorder. */
	size_t (*flight_stories)(void *ctx, unsigned worker);
	size_t (*flight_bytes)(void *ctx, unsigned worker);

	/* Runs `visit` on the worker's thread and comes back when it has run.  E_SYSTEM when the
	 * worker has stopped.  A visit must end well within 1 ms: long work is done in slices. */
	int (*on_worker)(void *ctx, unsigned worker,
			 void (*visit)(void *arg, const struct watch_worker *w), void *arg);
	/* False: the request is no client's, but ours. */
	bool (*client_of)(void *ctx, const struct request_view *v, struct watch_client *out);
	/* A setting's value as text, for the caller to free; NULL: there is none of that name. */
	char *(*setting)(void *ctx, const char *name);
	char *(*setting_default)(void *ctx, const char *name); /* likewise: what it is unset */
	/* Calls back with each setting and its value, in order of name; good for the call. */
	void (*each_setting)(void *ctx,
			     void (*cb)(void *cb_ctx, const char *name, const char *value),
			     void *cb_ctx);
	/* The netmasks in force of allow-from or allow-notify-from, ", " between, for the caller to
	 * free: of a file too, where one takes the setting's place.  NULL: no memory. */
	char *(*netmasks)(void *ctx, const char *name);
	/* The zones that are configured: a reference, for zones_put(). */
	struct zones *(*zones)(void *ctx);
	/* The trust anchors in force: a reference, for anchors_put(). */
	struct anchors *(*anchors)(void *ctx);
	/* `edit` gets a copy of them, which takes their place in every worker unless it returns an
	 * error; the caches forget what was judged by others. */
	int (*edit_anchors)(void *ctx, int (*edit)(void *arg, struct anchors *copy), void *arg,
			    char *why);
	/* Reads what is configured of them again, with lua-config-file, or `file` in its place unless
	 * it is NULL; `path` (ENV_WHY_MAX) is which was read, also on error.  `why`: as of change(). */
	int (*reload_anchors)(void *ctx, const char *file, char *path, char *why);
	/* How the copies of zones are (zoneToCache); *out is for free().  E_NOMEM. */
	int (*copies)(void *ctx, struct watch_copy **out, size_t *n);
	void (*copies_stats)(void *ctx, struct watch_copies *out);
	/* What names are grouped by: a reference, for psl_put(). */
	struct psl *(*psl)(void *ctx);
	/* Another value for one, or for several what the files say now; in force when it comes
	 * back.  On error one line in `why` (ENV_WHY_MAX) and all is as before; else what there is to
	 * warn of, "" or in lines. */
	int (*change)(void *ctx, const char *name, const char *value, char *why);
	int (*reload)(void *ctx, const char *const *names, size_t n, char *why);
	/* Another value made of the one in force, which nobody else changes meanwhile: `make` returns
	 * it for free(), or NULL when there is no memory. */
	int (*amend)(void *ctx, const char *name, char *(*make)(void *arg, const char *now),
		     void *arg, char *why);
	/* The same for the zones that are configured, with their files, and in one go for the
	 * settings `more`; the caches forget what is the zones'. */
	int (*reload_zones)(void *ctx, const char *const *more, size_t n, char *why);
	/* The same for the rules of the defender. */
	int (*reload_defender)(void *ctx, char *why);
	/* Loads a script for all workers, or what lua-dns-script names when `path` is NULL; "": none.
	 * `loaded` (ENV_WHY_MAX) is its path, also on error. */
	int (*load_script)(void *ctx, const char *path, char *loaded, char *why);
	/* Who is accused, as text, and as members of `json` unless it is NULL. */
	void (*defender_show)(void *ctx, FILE *out, struct json_t *json);
	/* Runs a script over a ring (try_script.h), on the caller's thread; `out` is zeroed.  On error
	 * one line in `why` (ENV_WHY_MAX). */
	int (*try_script)(void *ctx, const struct try_request *rq, struct try_report *out,
			  char *why);
	void (*defender_stats)(void *ctx, struct watch_defender *out);
	/* Were the root's name servers fetched, ever, or is that not wanted? */
	bool (*is_primed)(void *ctx);
	/* Should clients be sent here? */
	bool (*is_ready)(void *ctx);
	/* Marks the daemon as one to which nobody new should come, or no longer; it serves all the
	 * same.  False: it was so marked already. */
	bool (*drain)(void *ctx, bool on);
	uint64_t (*draining_since_ms)(void *ctx); /* 0: it is not */
	/* A question is answered after so long at the latest. */
	uint64_t (*patience_ms)(void *ctx);
	/* Writes cache-file now.  One line in `why` (ENV_WHY_MAX) on error. */
	int (*save_cache)(void *ctx, char *why);
	void (*cachefile)(void *ctx, struct watch_cachefile *out);
	/* Ends the daemon; `nicely`: what is in flight is answered first.  Comes back at once. */
	void (*quit)(void *ctx, bool nicely);
	uint64_t (*now_ms)(void *ctx);
	uint32_t (*wall_s)(void *ctx);
};

#endif
