/* wiring: see wiring.h. */
#include "recursor/wiring.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/files/hints.h"
#include "recursor/pipeline.h"
#include "recursor/resolve/inflight.h"

enum {
	SERVERS_MAX = 200000, /* addresses of servers remembered */
	THROTTLES_MAX = 100000,
	OTHER_DESCRIPTORS = 100, /* logs, control connections, the loops' own */
	SOCKETS_LEAST = 64,
	SOCKETS_MOST = 32768,          /* half the ports there are */
	SHARED_PART = 8,               /* one in so many sockets is for many servers, */
	SHARED_MOST = 256,             /* at most so many */
	AGGRESSIVE_PART = 8,           /* of max-cache-memory one in so many bytes, at most, */
	AGGRESSIVE_ENTRY_BYTES = 1024, /* of which a record takes so many, its signature included */
	WANT_TOLD_MS = 60000,
};

/* A limit of inflight.h; below its least it would be none of the zone's or server's making. */
static uint32_t percent_of(uint32_t percent, uint64_t whole)
{
	uint64_t part = whole * percent / 100;

	if (percent == 0)
		return 0;
	return part < INFLIGHT_LEAST ? INFLIGHT_LEAST : (uint32_t)part;
}

static unsigned power_of_two_below(uint32_t n)
{
	unsigned p = 1;

	while (p <= n / 2)
		p *= 2;
	return p;
}

uint32_t wiring_stale_s(const struct settings *s)
{
	return s->serve_stale_extensions * 30;
}

void wiring_cache_config(struct cache_config *cfg, const struct settings *s, const struct memory *m)
{
	*cfg = (struct cache_config) {
		.max_entries = s->max_cache_entries,
		.max_bytes = m->parts[MEMORY_RECORDS].limit,
		.max_set_bytes = s->max_recordcache_entry_size,
		.shards = power_of_two_below(s->record_cache_shards),
		.stale_s = wiring_stale_s(s),
		.locked_percent = s->record_cache_locked_ttl_perc,
	};
}

static void tell_weather(void *ctx, const struct weather_change *c)
{
	uint64_t ms = c->lasted_ms;

	(void)ctx;
	if (c->from == WEATHER_DOWN)
		log_notice("IPv%u: our own network answers again, after %" PRIu64 ".%03u s",
			   c->family, ms / 1000, (unsigned)(ms % 1000));
	else if (c->from == WEATHER_UNROUTED)
		log_notice("IPv%u: there is a route again, after %" PRIu64 ".%03u s", c->family,
			   ms / 1000, (unsigned)(ms % 1000));
	if (c->to == WEATHER_DOWN)
		log_warning("IPv%u: our own network is down: servers in %u networks that had "
			    "answered fail together; none is blamed, few questions leave",
			    c->family, c->witnesses);
	else if (c->to == WEATHER_UNROUTED)
		log_warning("IPv%u: no route leads to its servers: they are not asked", c->family);
}

void wiring_servers_config(struct servers_config *cfg, const struct settings *s,
			   const struct memory *m)
{
	*cfg = (struct servers_config) {
		.max_servers = SERVERS_MAX,
		.max_throttles = THROTTLES_MAX,
		.max_bytes = m->parts[MEMORY_SERVERS].limit,
		.down_max_fails = s->server_down_max_fails,
		.down_time_s = s->server_down_throttle_time_s,
		.unresolved_max_fails = s->non_resolving_ns_max_fails,
		.unresolved_time_s = s->non_resolving_ns_throttle_time_s,
		.bypass_probability = s->bypass_server_throttling_probability,
		.network_timeout_ms = s->network_timeout_ms,
		.max_inflight = percent_of(s->max_inflight_per_server,
					   (uint64_t)s->max_mthreads * s->threads),
		.weather = { .min_servers = s->network_down_servers, .changed = tell_weather },
	};
}

void wiring_packetcache_config(struct packetcache_config *cfg, const struct settings *s,
			       const struct memory *m)
{
	*cfg = (struct packetcache_config) {
		.max_entries = atomic_load(&m->packet_entries),
		.max_bytes = atomic_load(&m->packet_bytes),
		.max_packet = s->max_packetcache_entry_size,
	};
}

void wiring_aggressive_config(struct aggressive_config *cfg, const struct settings *s,
			      const struct memory *m)
{
	uint64_t room = memory_total(m) / AGGRESSIVE_PART / AGGRESSIVE_ENTRY_BYTES;

	*cfg = (struct aggressive_config) {
		.max_entries = s->aggressive_nsec_cache_size,
		.min_nsec3_hit_ratio = s->aggressive_min_hit_ratio,
		.max_nsec3_iterations = s->nsec3_max_iterations,
		.max_nsec3_hash_cost = s->aggressive_max_hash_cost,
		.max_negative_ttl = s->max_negative_ttl_s,
	};
	if (cfg->max_entries > room)
		cfg->max_entries = (size_t)room;
}

static enum nx_cut nx_cut_of(const char *text)
{
	if (strcmp(text, "no") == 0)
		return NX_CUT_NO;
	return strcmp(text, "yes") == 0 ? NX_CUT_YES : NX_CUT_DNSSEC;
}

enum dnssec_mode wiring_dnssec_mode(const struct settings *s)
{
	static const char *const texts[] = {
		[DNSSEC_OFF] = "off",
		[DNSSEC_PROCESS_NO_VALIDATE] = "process-no-validate",
		[DNSSEC_PROCESS] = "process",
		[DNSSEC_LOG_FAIL] = "log-fail",
		[DNSSEC_VALIDATE] = "validate",
	};
	unsigned mode = DNSSEC_VALIDATE;

	while (mode > DNSSEC_OFF && strcmp(s->dnssec, texts[mode]) != 0)
		mode--;
	return (enum dnssec_mode)mode;
}

static bool has_family(const struct addr_list *l, uint8_t family)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->a[i].family == family)
			return true;
	return false;
}

static void dnssec_limits_fill(struct dnssec_limits *l, const struct settings *s)
{
	*l = (struct dnssec_limits) {
		.max_rrsigs_per_record = s->max_rrsigs_per_record,
		.max_dnskeys = s->max_dnskeys,
		.max_ds_per_zone = s->max_ds_per_zone,
		.max_signature_validations = s->max_signature_validations_per_query,
		.nsec3_max_iterations = s->nsec3_max_iterations,
		.max_ds_lookups_per_record = s->max_ds_lookups_per_record,
		.max_nsec3s_per_record = s->max_nsec3s_per_record,
		.max_nsec3_hashes = s->max_nsec3_hash_computations_per_query,
		.signature_inception_skew_s = s->signature_inception_skew_s,
	};
	static_assert(sizeof(l->disabled_algorithms) == sizeof(s->dnssec_disabled_algorithms),
		      "same room");
	memcpy(l->disabled_algorithms, s->dnssec_disabled_algorithms.bits,
	       sizeof(l->disabled_algorithms));
}

void wiring_resolver_config(struct resolver_config *cfg, const struct settings *s)
{
	resolver_config_defaults(cfg);
	cfg->max_qperq = s->max_qperq;
	cfg->max_total_msec = s->max_total_msec;
	cfg->max_bytesperq = s->max_bytesperq;
	cfg->max_cnames = s->max_cnames_followed;
	cfg->max_depth = s->max_recursion_depth;
	cfg->max_ns_address_qperq = s->max_ns_address_qperq;
	cfg->max_ns_per_resolve = s->max_ns_per_resolve;
	cfg->max_rrset_records = s->max_rrset_size;
	cfg->max_goals = s->max_goals;
	cfg->max_chain = s->max_chain_length;
	cfg->max_inflight_zone = percent_of(s->max_inflight_per_zone, s->max_mthreads);
	cfg->network_timeout_ms = s->network_timeout_ms;
	cfg->edns_payload = (uint16_t)s->edns_outgoing_bufsize;
	cfg->use_ipv4 = has_family(&s->query_local_address, 4);
	cfg->use_ipv6 = has_family(&s->query_local_address, 6);
	cfg->qname_minimisation = s->qname_minimization;
	cfg->minimise_max = s->qname_max_minimize_count;
	cfg->minimise_one_lab = s->qname_minimize_one_label;
	cfg->use_0x20 = s->use_0x20;
	cfg->spoof_nearmiss_max = s->spoof_nearmiss_max;
	cfg->prime = hints_are_refreshed(s->hint_file);
	cfg->server_port = s->outgoing_port;
	cfg->dont_query = s->dont_query;
	cfg->dont_throttle_names = s->dont_throttle_names;
	cfg->dont_throttle_nets = s->dont_throttle_netmasks;
	cfg->nothing_below_nxdomain = nx_cut_of(s->nothing_below_nxdomain);
	cfg->root_nx_trust = s->root_nx_trust;
	cfg->dnssec = wiring_dnssec_mode(s);
	dnssec_limits_fill(&cfg->dnssec_limits, s);
	cfg->max_bogus_ttl = s->max_cache_bogus_ttl_s;
	if (s->aggressive_nsec_cache_size > 0)
		cfg->max_validations = s->aggressive_max_validations;
	else
		cfg->max_validations = 0;
	cfg->min_ttl = s->minimum_ttl_override_s;
	cfg->max_ttl = s->max_cache_ttl_s;
	cfg->max_negative_ttl = s->max_negative_ttl_s;
	cfg->failure_ttl = s->failure_ttl_s;
	cfg->stale_s = wiring_stale_s(s);
	cfg->stale_client_timeout_ms = s->serve_stale_client_timeout_ms;
	cfg->max_background = s->max_background_resolutions;
	cfg->refresh_percent = s->refresh_on_ttl_perc;
	cfg->serve_rfc1918 = s->serve_rfc1918;
	cfg->serve_rfc6303 = s->serve_rfc6303;
	cfg->serve_special = true;
	cfg->journal_bytes = wiring_flight_bytes(s);
}

struct script_limits wiring_script_limits(const struct settings *s)
{
	return (struct script_limits) {
		.instructions = s->lua_hook_instructions,
		.call_bytes = s->lua_hook_memory,
		.heap_bytes = s->lua_memory_limit,
	};
}

void wiring_listen_limits(struct listen_limits *limits, const struct settings *s)
{
	*limits = (struct listen_limits) {
		.tcp_clients = s->max_tcp_clients,
		.tcp_per_client = s->max_tcp_per_client,
		.tcp_queries_at_once = s->max_concurrent_requests_per_tcp_connection,
		.tcp_queries_per_conn = s->max_tcp_queries_per_connection,
		.tcp_idle_ms = s->client_tcp_timeout_s * 1000,
		.udp_batches = (s->max_udp_queries_per_round + LISTEN_UDP_BATCH - 1) /
			       LISTEN_UDP_BATCH,
	};
}

static void add_local(struct addr *list, size_t cap, unsigned *n, const struct addr *a)
{
	if (*n < cap)
		list[(*n)++] = *a;
}

static uint32_t shared_of(uint32_t sockets)
{
	uint32_t part = sockets / SHARED_PART;

	return part < SHARED_MOST ? part : SHARED_MOST;
}

void wiring_outgoing_config(struct outgoing_config *cfg, const struct settings *s,
			    uint32_t max_sockets)
{
	*cfg = (struct outgoing_config) {
		.port_min = s->udp_source_port_min,
		.port_max = s->udp_source_port_max,
		.max_sockets = max_sockets - shared_of(max_sockets),
		.max_shared = shared_of(max_sockets),
		.tcp_connect_ms = s->network_timeout_ms,
		.tcp_idle_ms = s->tcp_out_max_idle_ms,
		.tcp_max_idle_server = s->tcp_out_max_idle_per_auth,
		.tcp_max_idle = s->tcp_out_max_idle_per_thread,
		.tcp_max_queries = s->tcp_out_max_queries,
	};
	static_assert(sizeof(cfg->avoid) == sizeof(s->udp_source_port_avoid), "same room");
	memcpy(cfg->avoid, s->udp_source_port_avoid, sizeof(cfg->avoid));
	cfg->n_avoid = s->n_udp_source_port_avoid;
	for (unsigned i = 0; i < s->query_local_address.n; i++) {
		const struct addr *a = &s->query_local_address.a[i];

		if (a->family == 4)
			add_local(cfg->local4, ARRAY_LEN(cfg->local4), &cfg->n_local4, a);
		else
			add_local(cfg->local6, ARRAY_LEN(cfg->local6), &cfg->n_local6, a);
	}
}

uint32_t wiring_sockets_each(const struct settings *s)
{
	uint64_t listening = 2ULL * s->local_address.n * s->threads;
	uint64_t taken = OTHER_DESCRIPTORS + listening + s->max_tcp_clients +
			 (s->webserver ? s->webserver_max_connections : 0);
	uint64_t each = 0;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > taken)
		each = (limit.rlim_cur - taken) / s->threads;
	if (each < SOCKETS_LEAST)
		return SOCKETS_LEAST;
	return each > SOCKETS_MOST ? SOCKETS_MOST : (uint32_t)each;
}

size_t wiring_ring_entries(const struct settings *s)
{
	return s->stats_ringbuffer_entries / s->threads;
}

uint64_t wiring_flight_bytes(const struct settings *s)
{
	return s->flight_recorder_memory / s->threads / 2;
}

/* ---- the resolver's world ---- */

static uint64_t world_now_ms(void *ctx)
{
	struct worker *w = ctx;

	return loop_now_ms(w->loop);
}

static uint64_t world_now_us(void *ctx)
{
	(void)ctx;
	return loop_now_us();
}

static uint32_t world_wall_s(void *ctx)
{
	return worker_wall_s(ctx);
}

static void world_random(void *ctx, void *buf, size_t len)
{
	struct worker *w = ctx;

	random_bytes(&w->random, buf, len);
}

/* Each thread once a minute, whatever comes. */
static void tell_of_want(struct worker *w)
{
	uint64_t now_ms = loop_now_ms(w->loop);

	if (w->want_told_ms != 0 && now_ms - w->want_told_ms < WANT_TOLD_MS)
		return;
	w->want_told_ms = now_ms;
	log_warning("no descriptor, port or memory is left to ask servers with: such questions are "
		    "counted as resource-limits");
}

static enum send_result world_send(void *ctx, const struct outquery *q)
{
	struct worker *w = ctx;

	switch (outgoing_send(w->outgoing, q->ticket, &q->server, q->transport == TRANSPORT_TCP,
			      q->wire, q->len)) {
	case OUTGOING_OK:
		return SEND_OK;
	case OUTGOING_UNROUTED:
		return SEND_UNROUTED;
	case OUTGOING_UNREACHABLE:
		return SEND_UNREACHABLE;
	default:
		tell_of_want(w);
		return SEND_NO_RESOURCES;
	}
}

static void world_cancel(void *ctx, uint64_t ticket)
{
	struct worker *w = ctx;

	outgoing_cancel(w->outgoing, ticket);
}

static void world_ended(void *ctx, const struct addr *server, uint64_t waited_us,
			enum outquery_end end)
{
	struct worker *w = ctx;

	costing_server(&w->costing, server, waited_us, end != OUTQUERY_END_ANSWER);
	/* There is no pipeline yet, or none any more, while the worker begins and ends. */
	if (end == OUTQUERY_END_TIMEOUT && w->pipeline != NULL)
		pipeline_timed_out(w->pipeline, server);
}

static void world_wake_at(void *ctx, uint64_t due_ms)
{
	struct worker *w = ctx;

	loop_timer_at(w->tick, due_ms);
}

int wiring_hints(struct resolver *r, const struct server *server, const struct settings *s)
{
	if (!hints_are_used(s->hint_file))
		resolver_drop_hints(r);
	else if (server->n_hints > 0)
		return resolver_set_hints(r, server->hints, server->n_hints);
	return E_OK;
}

static unsigned world_domain_labels(void *ctx, const uint8_t *name)
{
	struct worker *w = ctx;
	const struct settings *s = atomic_load(&w->server->settings);

	return psl_registrable_memo(w->domains, s->psl, name, name_hash(name));
}

void wiring_world(struct world *out, struct worker *w)
{
	*out = (struct world) {
		.ctx = w,
		.now_ms = world_now_ms,
		.now_us = world_now_us,
		.wall_s = world_wall_s,
		.random = world_random,
		.send = world_send,
		.cancel = world_cancel,
		.ended = world_ended,
		.wake_at = world_wake_at,
		.domain_labels = world_domain_labels,
	};
}

/* ---- and what comes back ---- */

static bool on_reply(void *ctx, uint64_t ticket, const uint8_t *wire, size_t len)
{
	struct worker *w = ctx;
	bool answers;

	costing_open(&w->costing);
	answers = resolver_reply(w->resolver, ticket, wire, len);
	costing_close(&w->costing);
	return answers;
}

static void on_near_miss(void *ctx, uint64_t ticket)
{
	struct worker *w = ctx;

	resolver_near_miss(w->resolver, ticket);
}

static void on_failed(void *ctx, uint64_t ticket, enum outgoing_failure why)
{
	static const enum net_failure same[] = {
		[OUTGOING_FAIL_UNREACHABLE] = NET_UNREACHABLE,
		[OUTGOING_FAIL_REFUSED] = NET_REFUSED,
		[OUTGOING_FAIL_CLOSED] = NET_CLOSED,
		[OUTGOING_FAIL_RESOURCES] = NET_NO_RESOURCES,
	};
	struct worker *w = ctx;

	if (why == OUTGOING_FAIL_RESOURCES)
		tell_of_want(w);
	costing_open(&w->costing);
	resolver_failed(w->resolver, ticket, same[why]);
}

static void on_unexpected(void *ctx)
{
	struct worker *w = ctx;

	COUNT(&w->counters, unexpected_packets);
}

static void on_shared(void *ctx)
{
	struct worker *w = ctx;

	COUNT(&w->counters, shared_outqueries);
}

void wiring_outgoing_handler(struct outgoing_handler *out, struct worker *w)
{
	*out = (struct outgoing_handler) {
		.ctx = w,
		.reply = on_reply,
		.near_miss = on_near_miss,
		.failed = on_failed,
		.unexpected = on_unexpected,
		.shared = on_shared,
	};
}
