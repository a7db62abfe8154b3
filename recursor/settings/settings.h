/*
 * settings: the one table of settings and their values.
 *
 * A row of the table in settings.c is a setting: parser, --help, --config, the list in
 * recursor.conf(5) and the tests that walk it all come from it.  A row is one of: ours (it has
 * a member of struct settings), or known (PowerDNS has it, we do not, yet: start-up warns and
 * goes on).
 *
 * A struct settings is a snapshot: read-only once made, shared by every thread; a change makes a
 * new one.  It is counted: settings_get(), settings_free(); who may hold which for how long is
 * recursor/reconfigure.h's business.  `texts` holds the value of each row as text, for --config and
 * get-parameter.
 *
 * Errors: one line that names file, line, key and the value refused; nothing is changed.
 */
#ifndef RECURSOR_SETTINGS_H
#define RECURSOR_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/nameset.h"
#include "common/netset.h"
#include "common/psl.h"

enum {
	SETTINGS_ADDRS_MAX = 64,
	SETTINGS_WHY_MAX = 512,
	SETTINGS_AVOID_MAX = 64,
	SETTINGS_MERGE_MAX = 32,
	/* The mean size of entries that max-cache-entries and max-packetcache-entries stand for, and
	 * what is there beside entries. */
	SETTINGS_ENTRY_BYTES = 1024,
	SETTINGS_CACHES_BYTES = 4 << 20,
};

struct addr_list {
	struct addr a[SETTINGS_ADDRS_MAX];
	unsigned n;
};

struct algorithm_set {
	uint64_t bits[4]; /* one for each number */
};

struct settings {
	/* listening */
	struct addr_list local_address; /* ports filled in from local-port */
	uint16_t local_port;            /* as set; local_address has it where needed */
	bool reuseport, non_local_bind;
	struct netset *allow_from; /* empty: everybody; allow-from-file's when that is set */
	const char *allow_from_file;
	/* who may say that a zone has changed, and of which; empty: nobody, of none */
	struct netset *allow_notify_from;
	const char *allow_notify_from_file;
	struct nameset *allow_notify_for; /* with those of allow-notify-for-file */
	const char *allow_notify_for_file;
	bool allow_no_rd, any_to_tcp;
	uint32_t udp_truncation_threshold;
	uint32_t max_tcp_clients, max_tcp_per_client, max_tcp_queries_per_connection;
	uint32_t max_concurrent_requests_per_tcp_connection;
	uint32_t client_tcp_timeout_s;
	uint32_t max_udp_queries_per_round;
	/* process */
	uint32_t threads;
	bool daemon, write_pid, quiet;
	const char *setuid, *setgid, *chroot;
	const char *config_dir, *config_name, *include_dir;
	const char *api_config_dir; /* "": the API changes nothing */
	/* socket_dir: never empty, and as seen before chroot */
	const char *socket_dir, *socket_owner, *socket_group, *socket_mode;
	const char *server_id, *version_string;
	bool disable_syslog, log_timestamp, log_common_errors;
	uint32_t loglevel; /* LOG_LEVEL_ERROR to LOG_LEVEL_DEBUG; quiet=no has raised it */
	const char *logging_facility;
	bool structured_logging;
	const char *structured_logging_backend;
	uint32_t query_log_rate; /* our own: lines a second of questions and answers; 0: no limit */
	uint32_t log_rate; /* our own: lines a second of one place in the code; 0: any number */
	uint32_t statistics_interval_s;
	/* asking */
	const char *hint_file;                /* "": built in */
	struct addr_list query_local_address; /* 0.0.0.0 and :: mean any */
	struct netset *dont_query;
	uint16_t udp_source_port_min, udp_source_port_max;
	uint16_t udp_source_port_avoid[SETTINGS_AVOID_MAX];
	unsigned n_udp_source_port_avoid;
	uint32_t network_timeout_ms;
	uint32_t edns_outgoing_bufsize;
	bool qname_minimization;
	uint32_t qname_max_minimize_count, qname_minimize_one_label;
	bool use_0x20; /* our own: `use-0x20` */
	uint32_t spoof_nearmiss_max;
	uint32_t server_down_max_fails, server_down_throttle_time_s;
	uint32_t bypass_server_throttling_probability;
	struct nameset *dont_throttle_names;
	struct netset *dont_throttle_netmasks;
	bool save_parent_ns_set; /* it is always done */
	uint32_t non_resolving_ns_max_fails, non_resolving_ns_throttle_time_s;
	uint32_t tcp_out_max_idle_ms, tcp_out_max_idle_per_auth, tcp_out_max_idle_per_thread;
	uint32_t tcp_out_max_queries;
	uint16_t outgoing_port; /* our own: `outgoing-port`, 53; the lab uses another */
	/* limits */
	uint32_t max_mthreads; /* client queries being resolved, each thread */
	uint32_t fair_share_ipv4_bits, fair_share_ipv6_bits; /* our own */
	uint32_t max_qperq, max_total_msec, max_bytesperq;
	uint32_t network_down_servers;
	uint32_t max_cnames_followed, max_recursion_depth;
	uint32_t max_ns_address_qperq, max_ns_per_resolve;
	uint32_t max_rrset_size, max_chain_length;
	uint32_t max_inflight_per_zone, max_inflight_per_server; /* our own; % of max_mthreads */
	uint32_t max_lua_udp_queries;                            /* our own, each thread */
	uint64_t ipset_max_entries;                              /* our own, as the next */
	uint32_t ipset_max_sets;
	uint32_t max_goals; /* our own: `max-goals`, each thread */
	/* caches */
	uint64_t max_cache_entries, max_packetcache_entries;
	uint64_t max_cache_memory; /* our own: bytes; 0: of the two numbers above */
	/* our own: cache_file as seen within chroot, "": none; 0: at the end only */
	const char *cache_file;
	uint32_t cache_file_interval_s;
	uint32_t max_recordcache_entry_size, max_packetcache_entry_size;
	uint32_t record_cache_shards; /* a power of two */
	bool disable_packetcache;
	uint32_t packetcache_ttl_s, packetcache_negative_ttl_s, packetcache_servfail_ttl_s;
	uint32_t max_cache_ttl_s, max_negative_ttl_s, minimum_ttl_override_s;
	uint32_t record_cache_locked_ttl_perc;
	uint32_t refresh_on_ttl_perc;
	uint32_t serve_stale_extensions;
	uint32_t serve_stale_client_timeout_ms; /* our own: `serve-stale-client-timeout` */
	uint32_t max_background_resolutions;    /* our own, each thread */
	uint32_t failure_ttl_s;                 /* our own: `resolution-failure-ttl` (RFC 9520) */
	/* the script of hooks */
	const char *lua_dns_script, *lua_global_include_dir; /* "": none */
	const char *lua_start_stop_script;                   /* "": none */
	uint32_t lua_maintenance_interval_s;
	uint32_t lua_hook_instructions;             /* our own */
	uint64_t lua_hook_memory, lua_memory_limit; /* our own */
	bool gettag_needs_edns_options;
	/* zones that are configured: see zonelist.h and hosts.h */
	const char *forward_groups; /* our own */
	const char *auth_zones, *forward_zones, *forward_zones_recurse, *forward_zones_file;
	bool export_etc_hosts;
	const char *etc_hosts_file, *export_etc_hosts_search_suffix;
	uint32_t max_generate_steps, max_include_depth;
	/* trust: anchorload.h and anchorage.h */
	const char *trustanchorfile, *negative_trustanchors, *lua_config_file; /* "": none */
	uint32_t trustanchorfile_interval_h;                                   /* 0: not again */
	bool allow_trust_anchor_query;
	/* our own */
	const char *trustanchor_state_file; /* RFC 5011; "": anchors stay as they are configured */
	uint32_t nta_lifetime_s,
		nta_recheck_interval_s;                 /* 0: they do not expire; are not checked */
	bool root_key_sentinel, trust_anchor_signaling; /* RFC 8509, RFC 8145 */
	/* the defender: policy/defender.h; our own */
	const char *defender; /* off, observe, rules, act */
	const char *defender_config_file;
	uint64_t defender_memory, defender_known_memory;
	uint32_t defender_known_time_s;
	/* local names */
	bool serve_rfc1918, serve_rfc6303, root_nx_trust;
	const char *nothing_below_nxdomain; /* no, dnssec, yes */
	/* DNSSEC */
	const char *dnssec; /* wiring_dnssec_mode() */
	bool dnssec_log_bogus, nta_extended_error;
	struct nameset *x_dnssec_names;
	struct algorithm_set dnssec_disabled_algorithms;
	uint32_t max_cache_bogus_ttl_s, signature_inception_skew_s, nsec3_max_iterations;
	uint32_t max_rrsigs_per_record, max_dnskeys, max_ds_per_zone, max_nsec3s_per_record;
	uint32_t max_ds_lookups_per_record;
	uint32_t max_signature_validations_per_query, max_nsec3_hash_computations_per_query;
	uint32_t aggressive_nsec_cache_size, aggressive_min_hit_ratio, aggressive_max_hash_cost;
	uint32_t aggressive_max_validations; /* our own: a second and thread */
	bool extended_resolution_errors;
	uint32_t latency_statistic_size;
	uint32_t stats_ringbuffer_entries; /* of each ring, all threads together; 0: none */
	uint32_t top_cost_entries;         /* our own: of each slot of costs.h; 0: none */
	const char *public_suffix_list_file;
	struct psl *psl;   /* what that file says, or the system's list */
	const char *trace; /* no, yes, fail */
	/* our own: of all threads, 0: off; 0: nothing is slow */
	uint64_t flight_recorder_memory;
	uint32_t flight_recorder_slow_msec;
	/* telling others: watch/carbon.h reads these by their texts */
	struct addr_list carbon_server;
	const char *carbon_ourname, *carbon_namespace, *carbon_instance;
	uint32_t carbon_interval_s;
	const char *security_poll_suffix; /* watch/secpoll.h the same; "": off */
	uint32_t security_poll_interval_s;
	/* our own: tapping.h */
	const char *dnstap_server, *dnstap_messages, *dnstap_identity, *dnstap_version;
	uint64_t dnstap_queue_size;
	uint32_t dnstap_reopen_interval_s;

	/* the web server: watch/web/web.h */
	bool webserver, webserver_hash_plaintext_credentials, api_readonly;
	struct addr_list webserver_address; /* ports filled in from webserver-port */
	uint16_t webserver_port;
	struct netset *webserver_allow_from;
	const char *webserver_password, *api_key; /* as they are, or hashed; "": none */
	const char *webserver_loglevel;           /* none, normal, detailed */
	const char *cross_origin_request_header;
	uint32_t webserver_max_request_size, webserver_max_header_size; /* MiB; bytes: our own */
	/* our own */
	uint32_t webserver_max_connections, webserver_max_connections_per_client;
	uint32_t webserver_request_timeout_s, webserver_idle_timeout_s;
	const char *ready_test_name; /* our own: watch/health.h */
	uint32_t drain_grace_s;      /* our own */

	bool has_file; /* there was a recursor.conf to be read */
	/* what stood in the files, or NULL */
	char *allow_from_lines, *allow_notify_from_lines, *allow_notify_for_lines;
	char **texts; /* one for each row of the table */
	void *memory; /* what the pointers above point into */
	_Atomic unsigned refs;
};

/* Defaults, then files and command line in PowerDNS's order: a lax pass over the command line
 * (config-dir, config-name), recursor.conf, include-dir, the command line again.
 * A warning is one line through `warn`; an error leaves *out alone and fills `why`. */
int settings_load(struct settings **out, int argc, char *const argv[],
		  void (*warn)(void *ctx, const char *line), void *ctx,
		  char why[SETTINGS_WHY_MAX]) MUST_USE;
/* Another reference. */
const struct settings *settings_get(const struct settings *s);
/* Gives one back; with the last the snapshot goes.  Accepts NULL. */
void settings_free(const struct settings *s);

/* A snapshot that differs in one setting.  Nothing outside is looked at again: files that others
 * name, users and groups stay what they were. */
int settings_change(struct settings **out, const struct settings *s, const char *name,
		    const char *value, char why[SETTINGS_WHY_MAX]) MUST_USE;

/* Is max-cache-memory more than can be filled?  Then `line` says so. */
bool settings_memory_is_idle(const struct settings *s, char line[SETTINGS_WHY_MAX]);

/* A snapshot in which the settings `names`, SETTINGS_MERGE_MAX at most, have the values that they
 * have in `with`, and the rest those of `s`. */
int settings_merge(struct settings **out, const struct settings *s, const struct settings *with,
		   const char *const *names, size_t n_names, char why[SETTINGS_WHY_MAX]) MUST_USE;

/* A snapshot in which the settings `names` have the values that files and command line give now,
 * and the rest those of `s`.  All files are read as by settings_load(), and an error in any of
 * them is one here; so is that there is no recursor.conf any more. */
int settings_reload(struct settings **out, const struct settings *s, int argc, char *const argv[],
		    const char *const *names, size_t n_names,
		    void (*warn)(void *ctx, const char *line), void *ctx,
		    char why[SETTINGS_WHY_MAX]) MUST_USE;

/* What to do instead of serving: --help[=prefix], --config[=default|diff|check], --version. */
enum settings_command { SETTINGS_RUN, SETTINGS_HELP, SETTINGS_CONFIG, SETTINGS_VERSION };
enum settings_command settings_command(int argc, char *const argv[], const char **argument);

void settings_print_help(FILE *f, const char *prefix);
/* `which` "": a commented template with every default, and the values in force that differ;
 * "default": without those (`s` may be NULL); "diff": only those. */
void settings_print_config(FILE *f, const struct settings *s, const char *which);
/* The rows as mdoc, for recursor.conf(5). */
void settings_print_mdoc(FILE *f);

/* The default as text, for the caller to free, or NULL when there is no such setting. */
char *settings_default_text(const char *name);
/* The value as text, or NULL when there is no such setting. */
const char *settings_text(const struct settings *s, const char *name);
/* All that are in force, in order of name. */
void settings_each(const struct settings *s,
		   void (*cb)(void *ctx, const char *name, const char *value), void *ctx);

#endif
