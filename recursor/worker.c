/* worker: see worker.h. */
#include "recursor/worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/custom_metrics.h"
#include "common/log.h"
#include "config.h"
#include "recursor/anchorage.h"
#include "recursor/errands.h"
#include "recursor/files/hints.h"
#include "recursor/files/zoneload.h"
#include "recursor/localcopy.h"
#include "recursor/pipeline.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/shelf.h"
#include "recursor/scripts.h"
#include "recursor/server_state.h"
#include "recursor/shield.h"
#include "recursor/tapping.h"
#include "recursor/watch/carbon.h"
#include "recursor/watch/dnstap.h"
#include "recursor/watch/query_log.h"
#include "recursor/watch/rings.h"
#include "recursor/watch/secpoll.h"
#include "recursor/watch/tracer.h"
#include "recursor/watch/wiper.h"
#include "recursor/wiring.h"

enum {
	HOUSEKEEPING_MS = 200,
	EXPIRE_AT_ONCE = 2000, /* cache entries looked at each time */
	PRIME_RETRY_MS = 30 * 1000,
	PRIME_AGAIN_MS = 12 * 3600 * 1000,
	NO_LIMIT_PATIENCE_MS = 10000,
};

/* ---- a worker's own thread ---- */

static void publish_gauges(void *ctx)
{
	struct worker *w = ctx;
	struct worker_gauges *g = &w->gauges;
	struct packetcache_stats stats;

	packetcache_stats(w->packetcache, &stats);
	atomic_store_explicit(&g->in_flight, pipeline_in_flight(w->pipeline), memory_order_relaxed);
	atomic_store_explicit(&g->tcp_clients, listener_tcp_clients(w->listener),
			      memory_order_relaxed);
	atomic_store_explicit(&g->owes, listener_owes(w->listener), memory_order_relaxed);
	atomic_store_explicit(&g->is_deaf, w->is_deaf, memory_order_release);
	atomic_store_explicit(&g->packetcache_entries, stats.entries, memory_order_relaxed);
	counter_max(&w->counters.peak_packets, stats.entries);
	atomic_store_explicit(&g->packetcache_bytes, stats.bytes, memory_order_relaxed);
	atomic_store_explicit(&g->latency_us, pipeline_latency_us(w->pipeline),
			      memory_order_relaxed);
}

static void tick(void *ctx)
{
	struct worker *w = ctx;

	costing_open(&w->costing);
	resolver_tick(w->resolver);
}

static void primed(void *ctx, bool ok)
{
	struct worker *w = ctx;
	uint64_t now_ms = loop_now_ms(w->loop);

	if (w->stopping)
		return;
	w->server->prime_at_ms = now_ms + (ok ? PRIME_AGAIN_MS : PRIME_RETRY_MS);
	server_primed(w->server, ok);
	if (!ok)
		log_warning("the root's name servers could not be fetched; using what is known");
}

/* Of what all share, as it is now: the first worker keeps them. */
static void note_peaks(struct worker *w)
{
	struct server *s = w->server;

	counter_max(&w->counters.peak_cache_memory, memory_used(&s->memory));
	counter_max(&w->counters.peak_ipset_entries, ipsets_entries(s->ipsets));
	counter_max(&w->counters.peak_aggressive, aggressive_entries(s->aggressive));
}

/* What one worker does for all: the first. */
static void keep_shared_house(struct worker *w)
{
	struct server *s = w->server;
	uint64_t now_ms = loop_now_ms(w->loop);

	if (now_ms >= s->prime_at_ms && s->primes) {
		s->prime_at_ms = UINT64_MAX; /* until primed() */
		resolver_prime(w->resolver, primed, w);
	}
	(void)cache_expire_some(s->cache, EXPIRE_AT_ONCE, worker_wall_s(w));
	(void)aggressive_expire_some(s->aggressive, EXPIRE_AT_ONCE, worker_wall_s(w));
	memory_rebalance(s, worker_wall_s(w));
	ipsets_tidy(s->ipsets, (uint32_t)(now_ms / 1000));
	note_peaks(w);
}

/* What is not worth a look after each turn of the loop. */
static void publish_slow_gauges(struct worker *w, uint64_t cpu_us)
{
	struct worker_gauges *g = &w->gauges;
	struct outgoing_stats asking;
	struct resolver_stats resolving;

	outgoing_stats(w->outgoing, &asking);
	resolver_stats(w->resolver, &resolving);
	atomic_store_explicit(&g->our_latency_us, pipeline_our_latency_us(w->pipeline),
			      memory_order_relaxed);
	atomic_store_explicit(&g->cpu_us, cpu_us, memory_order_relaxed);
	atomic_store_explicit(&g->tcp_idle_out, asking.tcp_idle, memory_order_relaxed);
	atomic_store_explicit(&g->backgrounds, resolving.backgrounds, memory_order_relaxed);
	atomic_store_explicit(&g->key_bytes, resolving.key_bytes, memory_order_relaxed);
	counter_max(&w->counters.peak_tcp_idle, asking.most_tcp_idle);
	counter_max(&w->counters.peak_tcp_idle_server, asking.most_tcp_idle_server);
	counter_max(&w->counters.peak_tcp_asked, asking.most_tcp_asked);
}

static void keep_house(void *ctx)
{
	struct worker *w = ctx;
	uint64_t began_us = loop_now_us(), cpu_us;

	if (w->index == 0)
		keep_shared_house(w);
	memory_tidy(w);
	pipeline_tick(w->pipeline);
	cpu_us = loop_thread_cpu_us();
	costing_tick(&w->costing, &w->counters, cpu_us, loop_now_ms(w->loop));
	publish_slow_gauges(w, cpu_us);
	COUNT(&w->counters, maintenance_calls);
	counter_add(&w->counters.maintenance_usec, loop_now_us() - began_us);
	loop_timer_at(w->housekeeping, loop_now_ms(w->loop) + HOUSEKEEPING_MS);
}

static void *run(void *ctx)
{
	struct worker *w = ctx;

	log_thread_is_worker(w->index + 1);
	keep_house(w);
	loop_run(w->loop);
	return NULL;
}

/* Lets go of everything that hangs on the loop.  The resolver goes first: its questions are
 * answered SERVFAIL, and the listener still sends. */
static void close_worker(void *ctx)
{
	struct worker *w = ctx;

	w->stopping = true;
	if (w->listener != NULL)
		listener_stop(w->listener);
	resolver_free(w->resolver);
	w->resolver = NULL;
	if (w->pipeline != NULL)
		pipeline_close(w->pipeline);
	if (w->listener != NULL) {
		listener_flush(w->listener);
		listener_close(w->listener);
		w->listener = NULL;
	}
	datagrams_free(w->datagrams);
	w->datagrams = NULL;
	if (w->outgoing != NULL)
		outgoing_close(w->outgoing);
	w->outgoing = NULL;
	if (w->tick != NULL)
		loop_timer_close(w->tick);
	w->tick = NULL;
	if (w->housekeeping != NULL)
		loop_timer_close(w->housekeeping);
	w->housekeeping = NULL;
	if (w->loop != NULL) {
		loop_after_turn_cancel(w->loop, publish_gauges, w);
		loop_stop(w->loop);
	}
}

/* ---- a worker's life, seen from outside ---- */

static bool shares_ports(const struct settings *s)
{
	return s->reuseport || s->threads > 1;
}

static int bind_worker(struct worker *w, const struct settings *s, char *why)
{
	struct listen_limits limits;
	int err;

	wiring_listen_limits(&limits, s);
	limits.tally = w->server->tally;
	err = listener_new(&w->listener, &limits, &w->counters);
	if (err != E_OK) {
		snprintf(why, SETTINGS_WHY_MAX, "cannot listen: %s", err_text(err));
		return err;
	}
	for (unsigned i = 0; i < s->local_address.n; i++) {
		err = listener_bind(w->listener, &s->local_address.a[i], shares_ports(s),
				    s->non_local_bind, why, SETTINGS_WHY_MAX);
		if (err != E_OK)
			return err;
	}
	return E_OK;
}

static void set_anchors(struct worker *w)
{
	struct anchors *anchors = anchorage_get(w->server->anchorage);

	resolver_set_anchors(w->resolver, anchors);
	anchors_put(anchors);
}

static void set_copies(struct worker *w)
{
	struct copies *copies = localcopy_get(w->server->localcopy);

	resolver_set_copies(w->resolver, copies);
	copies_put(copies);
}

static int open_resolver(struct worker *w, const struct settings *s)
{
	struct server *server = w->server;
	struct resolver_config cfg;
	struct world world;
	int err;

	wiring_resolver_config(&cfg, s);
	wiring_world(&world, w);
	err = resolver_new(&w->resolver, &cfg, server->cache, server->servers, &w->counters,
			   &world);
	if (err != E_OK)
		return err;
	resolver_set_zones(w->resolver, server->zones);
	resolver_set_aggressive(w->resolver, server->aggressive);
	set_anchors(w);
	set_copies(w);
	return wiring_hints(w->resolver, server, s);
}

static int open_datagrams(struct worker *w, const struct settings *s)
{
	int err = datagrams_new(&w->datagrams, w->loop, w->outgoing, &w->counters);

	if (err == E_OK)
		datagrams_configure(w->datagrams, s->max_lua_udp_queries, s->network_timeout_ms);
	return err;
}

/* Before its thread runs. */
static int open_rings(struct worker *w, const struct settings *s)
{
	size_t entries = wiring_ring_entries(s);
	struct rings *rings = NULL;
	int err = entries == 0 ? E_OK : rings_new(&rings, entries);

	if (err != E_OK)
		return err;
	rings_free(ringset_swap(w->server->rings, w->index, rings));
	pipeline_set_rings(w->pipeline, rings);
	return E_OK;
}

static int open_costs(struct worker *w, const struct settings *s)
{
	int err = E_OK;

	costing_init(&w->costing);
	if (s->top_cost_entries > 0)
		err = costs_new(&w->costing.costs, s->top_cost_entries, loop_now_ms(w->loop));
	if (w->costing.costs != NULL)
		costs_set_bits(w->costing.costs, s->fair_share_ipv4_bits, s->fair_share_ipv6_bits);
	return err;
}

/* What does not live through a fork, and so is not made in server_new(). */
static int open_worker(struct worker *w, const struct settings *s, uint32_t max_sockets)
{
	struct packetcache_config packets;
	struct outgoing_handler answers;
	struct outgoing_config asking;
	struct listen_handler queries;
	int err;

	wiring_packetcache_config(&packets, s, &w->server->memory);
	wiring_outgoing_config(&asking, s, max_sockets);
	wiring_outgoing_handler(&answers, w);
	tapping_open(w, &answers);
	err = random_init(&w->random);
	if (err == E_OK)
		err = psl_memo_new(&w->domains);
	if (err == E_OK)
		err = loop_new(&w->loop);
	if (err == E_OK)
		err = loop_timer_new(&w->tick, w->loop, tick, w);
	if (err == E_OK)
		err = loop_timer_new(&w->housekeeping, w->loop, keep_house, w);
	if (err == E_OK)
		err = outgoing_new(&w->outgoing, w->loop, &asking, &answers);
	if (err == E_OK)
		err = open_datagrams(w, s);
	if (err == E_OK)
		err = packetcache_new(&w->packetcache, &packets);
	if (err == E_OK)
		err = open_resolver(w, s);
	if (err == E_OK)
		err = pipeline_new(&w->pipeline, w);
	if (err == E_OK)
		err = open_rings(w, s);
	if (err == E_OK)
		err = open_costs(w, s);
	if (err == E_OK)
		err = loop_after_turn(w->loop, publish_gauges, w);
	if (err != E_OK)
		return err;
	pipeline_set_script(w->pipeline, scripts_take(w->server->scripts, w->index));
	pipeline_listen_handler(w->pipeline, &queries);
	return listener_start(w->listener, w->loop, &queries);
}

static int start_thread(struct worker *w)
{
	char name[16];
	sigset_t all, before;
	int rc;

	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return E_SYSTEM;
	}
	w->started = true;
	snprintf(name, sizeof(name), "rec/worker-%u", w->index % 1000);
	(void)pthread_setname_np(w->thread, name);
	return E_OK;
}

static void post(struct worker *w, void (*fn)(void *ctx))
{
	/* A full mailbox empties itself. */
	while (loop_post(w->loop, fn, w) != E_OK)
		(void)sched_yield();
}

static void stop_worker(struct worker *w)
{
	if (w->started) {
		post(w, close_worker);
		pthread_join(w->thread, NULL);
		w->started = false;
	} else {
		close_worker(w);
	}
	if (w->loop != NULL)
		loop_free(w->loop);
	w->loop = NULL;
	pipeline_free(w->pipeline);
	w->pipeline = NULL;
	packetcache_free(w->packetcache);
	w->packetcache = NULL;
	costs_free(w->costing.costs);
	w->costing.costs = NULL;
	psl_memo_free(w->domains);
	w->domains = NULL;
}

/* ---- the server ---- */

static int make_shared(struct server *s, const struct settings *settings)
{
	const struct ipsets_config ipsets = {
		.n_readers = settings->threads,
		.max_sets = settings->ipset_max_sets,
		.max_entries = settings->ipset_max_entries,
	};
	struct aggressive_config aggressive;
	struct servers_config servers;
	struct cache_config cache;
	int err;

	memory_init(&s->memory, settings);
	wiring_cache_config(&cache, settings, &s->memory);
	wiring_servers_config(&servers, settings, &s->memory);
	wiring_aggressive_config(&aggressive, settings, &s->memory);
	err = aggressive_new(&s->aggressive, &aggressive);
	if (err == E_OK)
		err = cache_new(&s->cache, &cache);
	if (err == E_OK)
		cache_set_limits(s->cache, cache.max_entries, memory_record_limit(s));
	if (err == E_OK)
		err = servers_new(&s->servers, &servers);
	if (err == E_OK)
		err = ipsets_new(&s->ipsets, &ipsets);
	if (err == E_OK)
		err = shelf_new(&s->shelf);
	if (err == E_OK)
		err = tally_new(&s->tally, settings->max_tcp_clients, settings->max_tcp_per_client);
	if (err == E_OK)
		err = tracer_new(&s->tracer);
	if (err == E_OK)
		err = query_log_new(&s->query_log, settings->threads);
	if (err == E_OK)
		err = ringset_new(&s->rings, settings->threads);
	if (err == E_OK)
		err = custom_metrics_new(&s->custom_metrics);
	if (err == E_OK)
		err = scripts_new(&s->scripts, s);
	if (err == E_OK)
		err = errands_new(&s->errands, s);
	if (err == E_OK)
		err = wiper_new(&s->wiper);
	if (err == E_OK)
		err = carbon_new(&s->carbon);
	if (err == E_OK)
		err = secpoll_new(&s->secpoll, PACKAGE_VERSION, PACKAGEVERSION);
	if (err == E_OK)
		err = tapping_make(&s->dnstap, settings);
	return err;
}

/* An address that the host has not would make each question to a server fail, one by one. */
static int check_query_addresses(const struct settings *settings, char *why)
{
	for (unsigned i = 0; i < settings->query_local_address.n; i++) {
		const struct addr *a = &settings->query_local_address.a[i];
		char text[ADDR_TEXT_MAX];

		if (outgoing_can_use(a))
			continue;
		snprintf(why, SETTINGS_WHY_MAX, "query-local-address=%s: cannot ask from there: %s",
			 addr_ip_text(text, a), strerror(errno));
		return E_SYSTEM;
	}
	return E_OK;
}

static int bind_workers(struct server *s, const struct settings *settings, char *why)
{
	int err = check_query_addresses(settings, why);

	if (err != E_OK)
		return err;
	/* All before the first is bound: one of them may be any address of the host. */
	for (unsigned i = 0; i < settings->local_address.n && shares_ports(settings); i++) {
		err = listener_probe(&settings->local_address.a[i], settings->non_local_bind, why,
				     SETTINGS_WHY_MAX);
		if (err != E_OK)
			return err;
	}
	for (unsigned i = 0; i < settings->threads && err == E_OK; i++) {
		struct worker *w = &s->workers[s->n_workers++];

		w->server = s;
		w->index = i;
		err = bind_worker(w, settings, why);
	}
	return err;
}

int server_new(struct server **out, const struct settings *settings,
	       const struct zonefile_leave *leave, char *why)
{
	struct server *s = calloc(1, sizeof(*s));
	int err = E_NOMEM;

	snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
	if (s == NULL)
		return err;
	atomic_init(&s->settings, settings_get(settings));
	pthread_mutex_init(&s->settings_lock, NULL);
	pthread_mutex_init(&s->change_lock, NULL);
	pthread_mutex_init(&s->zones_lock, NULL);
	s->started_ms = loop_now_us() / 1000;
	s->workers = aligned_alloc(alignof(struct worker), settings->threads * sizeof(*s->workers));
	if (s->workers == NULL)
		goto out;
	memset(s->workers, 0, settings->threads * sizeof(*s->workers));
	err = make_shared(s, settings);
	if (err != E_OK) {
		snprintf(why, SETTINGS_WHY_MAX, "cannot make the caches: %s", err_why(err));
		goto out;
	}
	s->primes = hints_are_refreshed(settings->hint_file);
	err = hints_load(&s->hints, &s->n_hints, settings->hint_file, loop_wall_s(), why);
	if (err == E_OK)
		err = zoneload_said(&s->zones, settings, leave, why);
	if (err == E_OK)
		err = localcopy_new(&s->localcopy, s);
	if (err == E_OK)
		err = anchorage_open(&s->anchorage, s, settings, why);
	if (err == E_OK)
		err = shield_make(&s->defender, settings, s->zones, why);
	if (err == E_OK)
		err = bind_workers(s, settings, why);
	if (err == E_OK) {
		/* Scripts have it from when they are loaded on, and threads of theirs read it. */
		server_watch(s, &s->own_env, NULL, NULL);
		*out = s;
		s = NULL;
	}
out:
	server_free(s);
	return err;
}

int server_start(struct server *s)
{
	const struct settings *settings = atomic_load(&s->settings);
	uint32_t sockets = wiring_sockets_each(settings);
	int err = E_OK;

	anchorage_prepare(s->anchorage);
	for (unsigned i = 0; i < s->n_workers && err == E_OK; i++)
		err = open_worker(&s->workers[i], settings, sockets);
	for (unsigned i = 0; i < s->n_workers && err == E_OK; i++)
		err = start_thread(&s->workers[i]);
	if (err == E_OK) {
		err = wiper_start(s->wiper, &s->own_env);
	}
	if (err == E_OK)
		err = anchorage_start(s->anchorage);
	if (err == E_OK)
		err = localcopy_start(s->localcopy);
	if (err == E_OK)
		err = carbon_start(s->carbon, &s->own_env);
	if (err == E_OK)
		err = secpoll_start(s->secpoll, &s->own_env);
	if (err == E_OK)
		err = dnstap_start(s->dnstap);
	if (err == E_OK) {
		/* It has a thread of its own, which no fork is to lose. */
		err = query_log_configure(s->query_log, settings->query_log_rate, !settings->quiet);
	}
	if (err != E_OK) {
		int why = errno; /* of E_SYSTEM, for the caller to tell */

		server_stop(s);
		errno = why;
	}
	return err;
}

void server_end_begins(struct server *s)
{
	atomic_store(&s->ends, true);
}

void server_stop(struct server *s)
{
	if (s->secpoll != NULL)
		secpoll_stop(s->secpoll);
	if (s->carbon != NULL)
		carbon_stop(s->carbon);
	if (s->wiper != NULL)
		wiper_stop(s->wiper);
	if (s->localcopy != NULL)
		localcopy_stop(s->localcopy);
	if (s->anchorage != NULL)
		anchorage_stop(s->anchorage);
	for (unsigned i = 0; i < s->n_workers; i++)
		stop_worker(&s->workers[i]);
	dnstap_stop(s->dnstap);
}

void server_free(struct server *s)
{
	if (s == NULL)
		return;
	server_stop(s);
	hints_free(s->hints, s->n_hints);
	zones_put(s->zones);
	localcopy_free(s->localcopy);
	anchorage_free(s->anchorage);
	scripts_free(s->scripts);
	errands_free(s->errands);
	wiper_free(s->wiper);
	carbon_free(s->carbon);
	secpoll_free(s->secpoll);
	dnstap_free(s->dnstap);
	ringset_free(s->rings);
	defender_free(s->defender);
	custom_metrics_free(s->custom_metrics);
	tracer_free(s->tracer);
	query_log_free(s->query_log);
	tally_free(s->tally);
	ipsets_free(s->ipsets);
	shelf_free(s->shelf);
	servers_free(s->servers);
	cache_free(s->cache);
	aggressive_free(s->aggressive);
	settings_free(atomic_load(&s->settings));
	pthread_mutex_destroy(&s->settings_lock);
	pthread_mutex_destroy(&s->change_lock);
	pthread_mutex_destroy(&s->zones_lock);
	free(s->workers);
	free(s);
}

static void stop_listening(void *ctx)
{
	struct worker *w = ctx;

	listener_stop(w->listener);
	w->is_deaf = true;
}

void server_stop_listening(struct server *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i].started)
			post(&s->workers[i], stop_listening);
}

bool server_is_busy(const struct server *s)
{
	for (unsigned i = 0; i < s->n_workers; i++) {
		const struct worker_gauges *g = &s->workers[i].gauges;

		if (!s->workers[i].started)
			continue;
		/* What it has read in a long turn is in no gauge before that turn's end. */
		if (!atomic_load_explicit(&g->is_deaf, memory_order_acquire) ||
		    atomic_load_explicit(&g->in_flight, memory_order_relaxed) > 0 ||
		    atomic_load_explicit(&g->owes, memory_order_relaxed))
			return true;
	}
	return false;
}

uint64_t server_patience_ms(const struct settings *now)
{
	return now->max_total_msec > 0 ? now->max_total_msec : NO_LIMIT_PATIENCE_MS;
}
