/*
 * metrics_impl: what the parts of metrics.c share: metrics.c lists and visits, metrics_table.c has the
 * rows, metrics_read.c the gauges, metrics_groups.c metrics of many samples.
 */
#ifndef WATCH_METRICS_IMPL_H
#define WATCH_METRICS_IMPL_H

#include "recursor/watch/metrics.h"
#include "recursor/watch/query_log.h"

enum {
	N_COUNTERS = sizeof(struct counters) / sizeof(counter),
	SAMPLE_NAME_MAX = 56,
	SAMPLE_LABELS_MAX = 64,
	LABELS_NOW_MAX = 768,
};

/* One visit, or one value.  What many metrics read from is read once. */
struct reading {
	const struct watch_env *env;
	const uint64_t *sums; /* of all counters over the workers; NULL: one value is wanted */
	bool has_cache, has_servers, has_defender, has_ipsets, has_shelf, has_cachefile, has_copies;
	bool has_query_log, has_x_dnssec;
	bool names_x_dnssec; /* x-dnssec-names names something */
	struct cache_stats cache;
	struct servers_stats servers;
	struct watch_defender defender;
	struct watch_ipsets ipsets;
	struct watch_shelf shelf;
	struct watch_cachefile cachefile;
	struct watch_copies copies;
	struct query_log_stats query_log;
};

/* A counter by its place in struct counters. */
uint64_t reading_counter(const struct reading *r, size_t place);
#define COUNTER_PLACE(member) (offsetof(struct counters, member) / sizeof(counter))

/* How a sample of a group is called. */
struct group_member {
	char name[SAMPLE_NAME_MAX];
	char labels[SAMPLE_LABELS_MAX];
	const char *prometheus;
	bool is_usec;
};

/* What stands behind a metric of many samples. */
struct metric_group {
	size_t n; /* members, some of which may not be there */
	void (*name)(const struct metric_group *g, size_t member, struct group_member *out);
	uint64_t (*value)(const struct metric_group *g, struct reading *r, size_t member);
	size_t (*n_there)(const struct watch_env *env); /* the first so many; NULL: all */
	/* The labels, when they are known at run time only, in place of the name's; or NULL. */
	void (*labels_now)(const struct watch_env *env, size_t member, char out[LABELS_NOW_MAX]);
	const void *what; /* the group's own */
};

typedef uint64_t metric_reader(struct reading *r);

metric_reader metric_read_aggressive_bytes;
metric_reader metric_read_aggressive_entries;
metric_reader metric_read_auth4_0_1;
metric_reader metric_read_auth4_100_1000;
metric_reader metric_read_auth4_10_100;
metric_reader metric_read_auth4_1_10;
metric_reader metric_read_auth4_slow;
metric_reader metric_read_auth6_0_1;
metric_reader metric_read_auth6_100_1000;
metric_reader metric_read_auth6_10_100;
metric_reader metric_read_auth6_1_10;
metric_reader metric_read_auth6_slow;
metric_reader metric_read_backgrounds;
metric_reader metric_read_bogus, metric_read_x_bogus;
metric_reader metric_read_cache_most;
metric_reader metric_read_cpu_iowait;
metric_reader metric_read_cpu_steal;
metric_reader metric_read_empty;
metric_reader metric_read_errors;
metric_reader metric_read_ipset_most_sets;
metric_reader metric_read_most_accused;
metric_reader metric_read_no_rd;
metric_reader metric_read_noerror;
metric_reader metric_read_notimp;
metric_reader metric_read_nxdomain;
metric_reader metric_read_other_rcodes;
metric_reader metric_read_our_latency;
metric_reader metric_read_parse_errors;
metric_reader metric_read_query_log_most_queued;
metric_reader metric_read_query_log_most_rules;
metric_reader metric_read_scripts_heap;
metric_reader metric_read_scripts_threads;
metric_reader metric_read_servfail;
metric_reader metric_read_special_bytes;
metric_reader metric_read_tcp_idle_out;

struct row {
	struct metric m;
	size_t counter; /* its place, when there is no `read` and no `group` */
	uint64_t (*read)(struct reading *r);
	const struct metric_group *group;
	bool (*is_there)(struct reading *r); /* NULL: always */
};

/* x-dnssec-names names something. */
bool metric_has_x_dnssec(struct reading *r);

extern const struct row metrics_rows[];
extern const size_t metrics_n_rows;

/* ---- metrics_groups.c ---- */

extern const struct metric_group metric_group_auth_rcodes, metric_group_cpu, metric_group_reasons,
	metric_group_policy_hits, metric_group_clientanswers, metric_group_authanswers,
	metric_group_outqueries, metric_group_query_cpu, metric_group_remote_loggers;

/* ---- metrics_read.c ---- */

extern metric_reader metric_read_accusations, metric_read_accusations_refused, metric_read_accused,
	metric_read_cache_acquired, metric_read_cache_bytes, metric_read_cache_contended,
	metric_read_cache_entries, metric_read_cache_evicted, metric_read_cache_expired,
	metric_read_cache_memory, metric_read_cache_negative, metric_read_defender_bytes,
	metric_read_defender_evicted, metric_read_draining, metric_read_failed_hosts,
	metric_read_file_dropped, metric_read_file_errors, metric_read_file_loaded,
	metric_read_file_refused, metric_read_file_time, metric_read_file_writes,
	metric_read_file_written, metric_read_in_flight, metric_read_ipset_adds,
	metric_read_ipset_bytes, metric_read_ipset_entries, metric_read_ipset_expirations,
	metric_read_ipset_refusals, metric_read_ipset_removals, metric_read_ipset_sets,
	metric_read_ipset_sets_refused, metric_read_known, metric_read_known_bytes,
	metric_read_key_bytes, metric_read_known_left_out, metric_read_latency,
	metric_read_log_held_back, metric_read_log_lines, metric_read_log_lost,
	metric_read_max_cache, metric_read_max_cache_memory, metric_read_max_packetcache,
	metric_read_negative_anchors, metric_read_network_down, metric_read_network_down_ms,
	metric_read_network_downs, metric_read_network_unrouted, metric_read_network_unrouted_ms,
	metric_read_network_unrouteds, metric_read_nsspeeds, metric_read_open_fds,
	metric_read_packetcache_bytes, metric_read_packetcache_entries,
	metric_read_passed_file_refusals, metric_read_query_log_held_back,
	metric_read_query_log_lines, metric_read_query_log_rules, metric_read_ready,
	metric_read_resident_bytes, metric_read_revoked_anchors, metric_read_shelf_bytes,
	metric_read_shelf_forgotten, metric_read_shelf_names, metric_read_shelf_refused,
	metric_read_copies_used, metric_read_copy_bytes, metric_read_copy_errors,
	metric_read_copy_loads, metric_read_copy_records, metric_read_sys_ms,
	metric_read_tcp_clients, metric_read_trust_anchors, metric_read_flight_bytes,
	metric_read_flight_stories, metric_read_throttles, metric_read_udp4_csum,
	metric_read_udp4_in, metric_read_udp4_noport, metric_read_udp4_recvbuf,
	metric_read_udp4_sndbuf, metric_read_udp6_csum, metric_read_udp6_in,
	metric_read_udp6_noport, metric_read_udp6_recvbuf, metric_read_udp6_sndbuf,
	metric_read_unresolved, metric_read_uptime, metric_read_user_ms, metric_read_zero;
extern metric_reader metric_read_web_body_peak, metric_read_web_client_peak;
extern metric_reader metric_read_web_connections, metric_read_web_displaced, metric_read_web_errors,
	metric_read_web_forbidden, metric_read_web_late, metric_read_web_peak,
	metric_read_web_requests, metric_read_web_too_large, metric_read_web_unauthorized;
extern metric_reader metric_read_carbon_errors, metric_read_carbon_pushes,
	metric_read_carbon_timeouts;
extern metric_reader metric_read_dnstap_connected, metric_read_dnstap_drops,
	metric_read_dnstap_failures, metric_read_dnstap_frames, metric_read_dnstap_most_queued;
extern metric_reader metric_read_security_poll_failures, metric_read_security_polls,
	metric_read_security_status;

#endif
