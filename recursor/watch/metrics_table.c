/* metrics_table: the table of all metrics; see metrics_impl.h. */
#include <assert.h>

#include "common/check.h"
#include "recursor/watch/metrics_impl.h"

#define COUNTED(member, name, kind, help)                                                          \
	{ .m = { name, help, METRIC_##kind, NULL }, .counter = COUNTER_PLACE(member) },
#define READ(name, kind, reader, help)                                                             \
	{                                                                                          \
		.m = { name, help, METRIC_##kind, NULL }, .read = metric_read_##reader             \
	}
#define GROUP(name, called, kind, members, help)                                                   \
	{                                                                                          \
		.m = { name, help, METRIC_##kind, called }, .group = &metric_group_##members       \
	}

#define REASON_HELP(reason, name, help) "; " name ": " help
#define METRICS_REASONS_HELP "error-answers by reason" METRICS_REASONS(REASON_HELP)

/* Names that scripts of the field ask for, of things that cannot happen here. */
#define NEVER(name, why) READ(name, COUNTER, zero, "always 0: " why)

/* What validation came to: all names, and those of x-dnssec-names. */
#define RESULT(result, name, help)                                                                 \
	COUNTED(dnssec_results[METRICS_DNSSEC_##result], "dnssec-result-" name, COUNTER,           \
		"of dnssec-validations: " help)
#define X_RESULT(result, name, help)                                                               \
	{ .m = { "x-dnssec-result-" name, "the same of names in x-dnssec-names: " help,            \
		 METRIC_COUNTER, NULL },                                                           \
	  .counter = COUNTER_PLACE(x_dnssec_results[METRICS_DNSSEC_##result]),                     \
	  .is_there = metric_has_x_dnssec },

const struct row metrics_rows[] = {
	METRICS_COUNTERS(COUNTED) METRICS_DNSSEC_RESULTS(RESULT) METRICS_DNSSEC_RESULTS(X_RESULT)
	/* One count under a second name, as in the field. */
	COUNTED(throttled_out, "throttled-outqueries", COUNTER, "the same as throttled-out")
		READ("dnssec-result-bogus", COUNTER, bogus,
		     "of dnssec-validations: Bogus, for whatever reason"),
	{ .m = { "x-dnssec-result-bogus",
		 "the same of names in x-dnssec-names: Bogus, for whatever reason", METRIC_COUNTER,
		 NULL },
	  .read = metric_read_x_bogus,
	  .is_there = metric_has_x_dnssec },
	READ("aggressive-nsec-cache-entries", GAUGE, aggressive_entries,
	     "NSEC and NSEC3 records, and data of wildcards, kept to answer for other names"),
	READ("aggressive-nsec-cache-bytes", GAUGE, aggressive_bytes,
	     "what they take, without the record sets, which cache-bytes has"),
	READ("cache-bytes", GAUGE, cache_bytes, "bytes of the record cache"),
	READ("cache-entries", GAUGE, cache_entries, "record sets in the record cache"),
	READ("negcache-entries", GAUGE, cache_negative,
	     "denials and recent failures in the record cache"),
	READ("max-cache-entries", GAUGE, max_cache, "the setting of that name"),
	READ("cache-entries-peak", PEAK, cache_most,
	     "most entries of the record cache, those of each of its parts added up "
	     "(max-cache-entries)"),
	READ("record-cache-acquired", COUNTER, cache_acquired,
	     "times a lock of the record cache was taken"),
	READ("record-cache-contended", COUNTER, cache_contended,
	     "times a lock of the record cache had to be waited for"),
	READ("record-cache-evicted", COUNTER, cache_evicted,
	     "record sets that made room for others before they expired"),
	READ("record-cache-expired", COUNTER, cache_expired,
	     "record sets removed because they had expired"),
	READ("packetcache-bytes", GAUGE, packetcache_bytes, "bytes of the packet caches"),
	READ("packetcache-entries", GAUGE, packetcache_entries, "answers in the packet caches"),
	READ("max-packetcache-entries", GAUGE, max_packetcache, "the setting of that name"),
	READ("cache-memory", GAUGE, cache_memory,
	     "bytes of record cache, packet caches and server table together"),
	READ("max-cache-memory", GAUGE, max_cache_memory,
	     "bytes that caches and server table may take: that setting, or what stands for it"),
	READ("cache-file-loaded", GAUGE, file_loaded,
	     "record sets and servers taken from cache-file after the start"),
	READ("cache-file-dropped", GAUGE, file_dropped,
	     "record sets and servers of cache-file not taken: expired, newer known, no room"),
	READ("cache-file-refused", COUNTER, file_refused,
	     "files refused: damaged, of another version, not ours"),
	READ("cache-file-written", GAUGE, file_written,
	     "record sets and servers written to cache-file the last time"),
	READ("cache-file-writes", COUNTER, file_writes, "times cache-file was written"),
	READ("cache-file-errors", COUNTER, file_errors, "times it could not be written, or read"),
	READ("cache-file-time", GAUGE, file_time,
	     "when it was written the last time, in seconds since 1970; 0: not yet"),
	READ("nsspeeds-entries", GAUGE, nsspeeds, "servers whose speed is known"),
	READ("failed-host-entries", GAUGE, failed_hosts,
	     "servers that failed when they were asked last"),
	READ("non-resolving-nameserver-entries", GAUGE, unresolved,
	     "names of name servers for which no address was found of late"),
	READ("throttle-entries", GAUGE, throttles,
	     "servers, and questions to servers, that are throttled"),
	READ("network-down", GAUGE, network_down,
	     "address families (0 to 2) over which no server answers any more: our own network"),
	READ("network-down-events", COUNTER, network_downs,
	     "times that a family was down, the present one included"),
	READ("network-down-msec", COUNTER, network_down_ms,
	     "milliseconds that a family was down, summed over the families"),
	READ("network-unrouted", GAUGE, network_unrouted,
	     "address families (0 to 2) for which there is no route"),
	READ("network-unrouted-events", COUNTER, network_unrouteds,
	     "times that a family had no route, the present one included"),
	READ("network-unrouted-msec", COUNTER, network_unrouted_ms,
	     "milliseconds that a family had no route, summed over the families"),
	READ("concurrent-queries", GAUGE, in_flight, "client queries being resolved"),
	READ("tcp-clients", GAUGE, tcp_clients, "open TCP connections of clients"),
	READ("flight-recorder-bytes", GAUGE, flight_bytes,
	     "bytes of the flight recorder's stories and of steps being recorded"),
	READ("flight-recorder-stories", GAUGE, flight_stories,
	     "stories that the flight recorder has"),
	READ("qa-latency", GAUGE, latency, "moving average of the time to answer, in microseconds"),
	READ("udp-recvbuf-errors", COUNTER, udp4_recvbuf,
	     "the kernel's, of this host over IPv4: packets lost because a receive buffer was full"),
	READ("udp-sndbuf-errors", COUNTER, udp4_sndbuf,
	     "the kernel's, of this host over IPv4: packets not sent because a send buffer was full"),
	READ("udp-noport-errors", COUNTER, udp4_noport,
	     "the kernel's, of this host over IPv4: packets to a port at which nobody listens"),
	READ("udp-in-errors", COUNTER, udp4_in,
	     "the kernel's, of this host over IPv4: packets that could not be received, for any reason"),
	READ("udp-in-csum-errors", COUNTER, udp4_csum,
	     "the kernel's, of this host over IPv4: packets with a wrong checksum"),
	READ("udp6-recvbuf-errors", COUNTER, udp6_recvbuf,
	     "the kernel's, of this host over IPv6: packets lost because a receive buffer was full"),
	READ("udp6-sndbuf-errors", COUNTER, udp6_sndbuf,
	     "the kernel's, of this host over IPv6: packets not sent because a send buffer was full"),
	READ("udp6-noport-errors", COUNTER, udp6_noport,
	     "the kernel's, of this host over IPv6: packets to a port at which nobody listens"),
	READ("udp6-in-errors", COUNTER, udp6_in,
	     "the kernel's, of this host over IPv6: packets that could not be received, for any reason"),
	READ("udp6-in-csum-errors", COUNTER, udp6_csum,
	     "the kernel's, of this host over IPv6: packets with a wrong checksum"),
	READ("ready", GAUGE, ready,
	     "1 when clients should be sent here: the root's name servers are known or have been "
	     "waited for long enough, and it does not drain"),
	READ("ipset-sets", GAUGE, ipset_sets, "sets of addresses with a name"),
	READ("ipset-sets-peak", PEAK, ipset_most_sets,
	     "most sets of addresses with a name (ipset-max-sets)"),
	READ("ipset-entries", GAUGE, ipset_entries, "addresses in all sets of addresses"),
	READ("ipset-bytes", GAUGE, ipset_bytes, "bytes of all sets of addresses"),
	READ("ipset-adds", COUNTER, ipset_adds, "addresses added to sets, or renewed there"),
	READ("ipset-removals", COUNTER, ipset_removals,
	     "addresses removed from sets before they expired"),
	READ("ipset-refusals", COUNTER, ipset_refusals,
	     "addresses not added because their set, or all sets together (ipset-max-entries), "
	     "were full"),
	READ("ipset-expirations", COUNTER, ipset_expirations, "addresses in sets that expired"),
	READ("ipset-sets-refused", COUNTER, ipset_sets_refused,
	     "sets of addresses not opened because of ipset-max-sets"),
	READ("ratelimit-refusals", COUNTER, shelf_refused,
	     "queries that rate limits of scripts refused"),
	READ("ratelimit-forgotten", COUNTER, shelf_forgotten,
	     "clients that rate limits of scripts forgot too early, for want of room (max)"),
	READ("script-list-names", GAUGE, shelf_names,
	     "names in the lists that scripts have of files"),
	READ("script-shared-bytes", GAUGE, shelf_bytes,
	     "bytes of lists of names and rate limits of scripts"),
	READ("zone-copies", GAUGE, copies_used, "zones that a copy answers for (zoneToCache)"),
	READ("zone-copy-records", GAUGE, copy_records, "records of all copies of zones"),
	READ("zone-copy-bytes", GAUGE, copy_bytes, "bytes of all copies of zones"),
	READ("zone-copy-loads", COUNTER, copy_loads, "copies of zones that were loaded"),
	READ("zone-copy-errors", COUNTER, copy_errors,
	     "copies of zones that could not be loaded, or were refused"),
	READ("dnssec-key-bytes", GAUGE, key_bytes,
	     "bytes of the public keys of zones that are kept ready to validate with"),
	READ("trust-anchors", GAUGE, trust_anchors, "zones with a trust anchor"),
	READ("trust-anchors-revoked", GAUGE, revoked_anchors,
	     "zones whose trust anchors are of keys that all are revoked: they count as without one"),
	READ("negative-trust-anchors", GAUGE, negative_anchors,
	     "zones that are not validated, for a negative trust anchor of their own"),
	READ("defender-accused", GAUGE, accused, "accusations of the defender in force"),
	READ("defender-accusations", COUNTER, accusations, "accusations begun"),
	READ("defender-accusations-refused", COUNTER, accusations_refused,
	     "accusations not begun because there are 1000"),
	READ("defender-zones-evicted", COUNTER, defender_evicted,
	     "zones no longer counted for want of room (defender-memory)"),
	READ("defender-bytes", GAUGE, defender_bytes, "bytes in which the defender counts answers"),
	READ("defender-known-names", GAUGE, known, "names known to exist, about"),
	READ("defender-known-bytes", GAUGE, known_bytes,
	     "bytes in which names known to exist are remembered"),
	READ("defender-known-left-out", COUNTER, known_left_out,
	     "names not remembered because their zone has its share of defender-known-memory"),
	READ("carbon-pushes", COUNTER, carbon_pushes,
	     "times that a server of carbon-server has taken all metrics"),
	READ("carbon-errors", COUNTER, carbon_errors,
	     "pushes that a server of carbon-server did not take: it refused or the network failed"),
	READ("carbon-timeouts", COUNTER, carbon_timeouts,
	     "pushes that a server of carbon-server was too slow to take (network-timeout)"),
	READ("security-status", GAUGE, security_status,
	     "what the zone of security-poll-suffix says of this version: 0 nothing, 1 no problem "
	     "is known, 2 upgrade recommended, 3 upgrade mandatory"),
	READ("security-polls", COUNTER, security_polls,
	     "times that the zone of security-poll-suffix was asked"),
	READ("security-poll-failures", COUNTER, security_poll_failures,
	     "times that the zone of security-poll-suffix gave no status"),
	READ("dnstap-frames", COUNTER, dnstap_frames, "messages sent to servers of dnstap-server"),
	READ("dnstap-drops", COUNTER, dnstap_drops,
	     "messages that a server's full queue had no room for (dnstap-queue-size)"),
	READ("dnstap-failures", COUNTER, dnstap_failures,
	     "connections to servers of dnstap-server that could not be made, or broke"),
	READ("dnstap-queue-peak", PEAK, dnstap_most_queued,
	     "most bytes that waited in one thread for one server of dnstap-server "
	     "(dnstap-queue-size)"),
	READ("dnstap-connected", GAUGE, dnstap_connected,
	     "servers of dnstap-server that are connected"),
	READ("log-lines", COUNTER, log_lines, "lines of the log that were written"),
	READ("log-lines-held-back", COUNTER, log_held_back,
	     "lines not written because the same was said too often (log-rate)"),
	READ("log-lines-lost", COUNTER, log_lost, "lines that no destination of the log took"),
	READ("query-log-lines", COUNTER, query_log_lines,
	     "lines of questions and answers that were written (quiet=no, log-queries)"),
	READ("query-log-held-back", COUNTER, query_log_held_back,
	     "lines of questions and answers not written because of query-log-rate"),
	READ("query-log-rules", GAUGE, query_log_rules, "rules of log-queries in force"),
	READ("query-log-rules-peak", PEAK, query_log_most_rules,
	     "most rules of log-queries in force"),
	READ("query-log-queue-peak", PEAK, query_log_most_queued,
	     "most lines of questions and answers of one thread that waited to be written"),
	READ("lua-memory-peak", PEAK, scripts_heap,
	     "most memory of a script in one thread, in bytes (lua-memory-limit)"),
	READ("lua-threads-peak", PEAK, scripts_threads,
	     "most scripts that ran beside the threads that serve (spawnThread())"),
	READ("control-file-refusals", COUNTER, passed_file_refusals,
	     "commands of rec_control refused because as many as may were at their files"),
	READ("draining", GAUGE, draining, "1 after rec_control drain"),
	READ("webserver-connections", GAUGE, web_connections, "connections to the web server"),
	READ("webserver-connections-peak", PEAK, web_peak,
	     "most connections to the web server at once (webserver-max-connections)"),
	READ("webserver-connections-per-client-peak", PEAK, web_client_peak,
	     "most connections to the web server from one address "
	     "(webserver-max-connections-per-client)"),
	READ("webserver-request-size-peak", PEAK, web_body_peak,
	     "longest body of a request to the web server, in bytes "
	     "(webserver-max-request-size)"),
	READ("webserver-connections-forbidden", COUNTER, web_forbidden,
	     "connections to the web server closed because of webserver-allow-from"),
	READ("webserver-connections-displaced", COUNTER, web_displaced,
	     "connections to the web server closed because one too many came"),
	READ("webserver-connections-late", COUNTER, web_late,
	     "connections to the web server closed because request or reply took too long"),
	READ("webserver-requests", COUNTER, web_requests,
	     "requests to the web server with a reply"),
	READ("webserver-requests-unauthorized", COUNTER, web_unauthorized,
	     "requests to the web server refused for want of the right key or password"),
	READ("webserver-requests-too-large", COUNTER, web_too_large,
	     "requests to the web server refused for webserver-max-request-size"),
	READ("webserver-requests-failed", COUNTER, web_errors,
	     "requests to the web server that ended in another error of client or server"),
	READ("uptime", COUNTER, uptime, "seconds since start"),
	READ("user-msec", COUNTER, user_ms, "milliseconds of CPU time in user mode"),
	READ("sys-msec", COUNTER, sys_ms, "milliseconds of CPU time in the kernel"),
	READ("real-memory-usage", GAUGE, resident_bytes,
	     "resident memory in bytes (0 where /proc is not to be seen)"),
	READ("fd-usage", GAUGE, open_fds,
	     "open file descriptors (0 where /proc is not to be seen)"),

	GROUP("auth-rcode-answers", "auth-RCODE-answers", MULTICOUNTER, auth_rcodes,
	      "answers of servers by rcode: noerror, formerr, ... rcode15"),
	GROUP("cumul-clientanswers", "cumul-clientanswers-le-USEC", HISTOGRAM, clientanswers,
	      "time from question to answer, packet-cache hits as 0: how many took no longer than "
	      "so many microseconds; also -le-max, -count, -sum (in microseconds)"),
	GROUP("cumul-authanswers", "cumul-authanswers-le-USECFAMILY", HISTOGRAM, authanswers,
	      "time from question to answer of servers, by family (4 or 6): as "
	      "cumul-clientanswers"),
	GROUP("cumul-outqueries", "cumul-outqueries-PROTOCOL-le-USEC", HISTOGRAM, outqueries,
	      "time from question to answer of servers, by transport and family (udp4, udp6, tcp4, "
	      "tcp6): as cumul-clientanswers"),
	GROUP("cumul-query-cpu", "cumul-query-cpu-le-USEC", HISTOGRAM, query_cpu,
	      "CPU time of client queries, as cumul-clientanswers: estimated from those that "
	      "top-cost measures (top-cost-entries)"),

	READ("noerror-answers", COUNTER, noerror, "answers sent with rcode NOERROR"),
	READ("nxdomain-answers", COUNTER, nxdomain, "answers sent with rcode NXDOMAIN"),
	READ("servfail-answers", COUNTER, servfail, "answers sent with rcode SERVFAIL"),
	READ("other-rcode-answers", COUNTER, other_rcodes, "answers sent with any other rcode"),
	READ("error-answers", COUNTER, errors,
	     "answers sent with another rcode than NOERROR and NXDOMAIN; each has a reason"),
	GROUP("error-answers-by-reason", "error-answers-REASON", MULTICOUNTER, reasons,
	      METRICS_REASONS_HELP),
	READ("client-parse-errors", COUNTER, parse_errors,
	     "client packets that could not be parsed, answered with FORMERR or dropped"),
	READ("empty-queries", COUNTER, empty, "client packets without a question"),
	READ("notimp-queries", COUNTER, notimp, "client queries of an opcode not served"),
	READ("no-rd-refused", COUNTER, no_rd,
	     "client queries without RD refused: not allowed (allow-no-rd), or not in the cache"),
	READ("auth4-answers0-1", COUNTER, auth4_0_1,
	     "answers of servers over IPv4 in less than 1 ms"),
	READ("auth4-answers1-10", COUNTER, auth4_1_10,
	     "answers of servers over IPv4 in 1 to 10 ms"),
	READ("auth4-answers10-100", COUNTER, auth4_10_100,
	     "answers of servers over IPv4 in 10 to 100 ms"),
	READ("auth4-answers100-1000", COUNTER, auth4_100_1000,
	     "answers of servers over IPv4 in 100 ms to 1 s"),
	READ("auth4-answers-slow", COUNTER, auth4_slow,
	     "answers of servers over IPv4 after 1 s or more"),
	READ("auth6-answers0-1", COUNTER, auth6_0_1,
	     "answers of servers over IPv6 in less than 1 ms"),
	READ("auth6-answers1-10", COUNTER, auth6_1_10,
	     "answers of servers over IPv6 in 1 to 10 ms"),
	READ("auth6-answers10-100", COUNTER, auth6_10_100,
	     "answers of servers over IPv6 in 10 to 100 ms"),
	READ("auth6-answers100-1000", COUNTER, auth6_100_1000,
	     "answers of servers over IPv6 in 100 ms to 1 s"),
	READ("auth6-answers-slow", COUNTER, auth6_slow,
	     "answers of servers over IPv6 after 1 s or more"),
	READ("x-our-latency", GAUGE, our_latency,
	     "moving average of the CPU time to answer, in microseconds (as measured for top-cost)"),
	READ("idle-tcpout-connections", GAUGE, tcp_idle_out,
	     "TCP connections to servers that are kept for the next question"),
	READ("taskqueue-size", GAUGE, backgrounds, "resolutions that no client waits for"),
	COUNTED(backgrounds, "taskqueue-pushed", COUNTER, "the same as background-resolutions")
		READ("defender-accused-peak", PEAK, most_accused,
		     "most accusations of the defender in force"),
	READ("special-memory-usage", GAUGE, special_bytes,
	     "memory in bytes, with what is shared divided among those who share it; dear to read"),
	READ("cpu-iowait", COUNTER, cpu_iowait,
	     "the host's: time spent in waiting for disks, in ticks (USER_HZ)"),
	READ("cpu-steal", COUNTER, cpu_steal,
	     "the host's: time that other guests had, in ticks (USER_HZ)"),
	GROUP("cpu-msec", "cpu-msec-thread-N", MULTICOUNTER, cpu,
	      "milliseconds of CPU time of each thread that serves clients"),
	GROUP("policy-hits", "policy-hits", MULTICOUNTER, policy_hits,
	      "client queries that a policy took; policy-hits-filter: that of a script"),
	GROUP("remote-logger-count", "remote-logger-count-OUTCOME-N", MULTICOUNTER, remote_loggers,
	      "messages for the Nth server of dnstap-server, from 0, by what became of them: q "
	      "queued, p dropped because its queue was full, t because it was too small for them; "
	      "and o, connections that could not be made, or broke"),

	NEVER("dlg-only-drops", "there are no delegation-only zones"),
	NEVER("edns-ping-matches", "EDNS ping is not spoken"),
	NEVER("edns-ping-mismatches", "EDNS ping is not spoken"),
	NEVER("malloc-bytes", "see real-memory-usage"),
	NEVER("max-mthread-stack", "a resolution has no stack of its own"),
	NEVER("no-packet-error", "sockets are read in batches until they are empty"),
	NEVER("noping-outqueries", "EDNS ping is not spoken"),
	NEVER("too-old-drops", "queries are not dropped for their age"),
};

const size_t metrics_n_rows = ARRAY_LEN(metrics_rows);
static_assert(sizeof(struct counters) % sizeof(counter) == 0, "counters alone");

/* ---- what adds up ---- */

static const char *const ends_of_questions[] = {
	"packetcache-hits",    "answers0-1",      "answers1-10",
	"answers10-100",       "answers100-1000", "answers-slow",
	"over-capacity-drops", "defender-drops",  "policy-drops",
};
static const char *const reasons_of_drops[] = {
	"unauthorized-udp", "truncated-drops",          "client-parse-drops",
	"ignored-packets",  "source-disallowed-notify", "zone-disallowed-notify",
	"notify-overflows", "over-capacity-drops",      "defender-drops",
	"policy-drops",     "unauthorized-tcp-queries",
};
static const char *const reasons_of_errors[] = {
#define REASON_METRIC(reason, name, help) "error-answers-" name,
	METRICS_REASONS(REASON_METRIC)
#undef REASON_METRIC
};
static const char *const reasons_of_connections[] = {
	"unauthorized-tcp",
	"tcp-overflow",
	"tcp-client-overflow",
	"tcp-no-resources",
};
static const char *const rcodes_of_errors[] = { "servfail-answers", "other-rcode-answers" };

#define SUM(total, parts)                                                                          \
	{                                                                                          \
		total, parts, ARRAY_LEN(parts)                                                     \
	}
const struct metric_sum metrics_sums[] = {
	SUM("questions", ends_of_questions),
	SUM("dropped-queries", reasons_of_drops),
	SUM("error-answers", reasons_of_errors),
	SUM("error-answers", rcodes_of_errors),
	SUM("tcp-refused-connections", reasons_of_connections),
};
const size_t metrics_n_sums = ARRAY_LEN(metrics_sums);
