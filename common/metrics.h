/*
 * metrics: the one table of counters, and the struct that holds them, one a worker.
 *
 * A row of METRICS_COUNTERS is a member of struct counters, a line of `get-all`, of the man
 * page and of every exporter; one of METRICS_HISTOGRAMS is what a histogram of them counts in.
 * The reading side (gauges, sums over the workers, texts) is recursor/watch/metrics.h.  A counter
 * is never reset.
 *
 * Threads: a worker alone writes its struct counters; anyone may read at any time.  Members
 *          are relaxed atomics written without a locked instruction, so counting costs an add.
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct {
	_Atomic uint64_t v;
} counter;

static inline void counter_add(counter *c, uint64_t n)
{
	atomic_store_explicit(&c->v, atomic_load_explicit(&c->v, memory_order_relaxed) + n,
			      memory_order_relaxed);
}
static inline void counter_max(counter *c, uint64_t n)
{
	if (n > atomic_load_explicit(&c->v, memory_order_relaxed))
		atomic_store_explicit(&c->v, n, memory_order_relaxed);
}
static inline uint64_t counter_get(const counter *c)
{
	return atomic_load_explicit(&c->v, memory_order_relaxed);
}
#define COUNT(counters, member) counter_add(&(counters)->member, 1)

/* member, exported name, kind (COUNTER: summed over workers; PEAK: the largest), help */
/* clang-format off */
#define METRICS_COUNTERS(X)                                                                      \
	X(questions, "questions", COUNTER, "client queries received over UDP and TCP")           \
	X(ipv6_questions, "ipv6-questions", COUNTER, "client queries received over IPv6")        \
	X(tcp_questions, "tcp-questions", COUNTER, "client queries received over TCP")           \
	X(dnssec_queries, "dnssec-queries", COUNTER, "client queries with the DO bit")           \
	X(dnssec_validations, "dnssec-validations", COUNTER,                                     \
	  "answers that were validated; each is of one dnssec-result-* or x-dnssec-result-*")    \
	X(limit_rrsigs, "max-rrsigs-reached", COUNTER,                                           \
	  "answers that are Bogus because of max-rrsigs-per-record")                             \
	X(limit_dnskeys, "max-dnskeys-reached", COUNTER,                                         \
	  "answers that are Bogus because of max-dnskeys")                                       \
	X(limit_ds, "max-ds-reached", COUNTER, "answers that are Bogus because of max-ds-per-zone") \
	X(limit_ds_lookups, "max-ds-lookups-reached", COUNTER,                                   \
	  "answers that are Bogus because of max-ds-lookups-per-record")                         \
	X(limit_nsec3s, "max-nsec3s-reached", COUNTER,                                           \
	  "answers that are Bogus because of max-nsec3s-per-record")                             \
	X(limit_iterations, "nsec3-max-iterations-reached", COUNTER,                             \
	  "answers that are Insecure because of nsec3-max-iterations")                           \
	X(dnssec_ad_queries, "dnssec-authentic-data-queries", COUNTER,                           \
	  "client queries with the AD bit")                                                      \
	X(dnssec_cd_queries, "dnssec-check-disabled-queries", COUNTER,                           \
	  "client queries with the CD bit")                                                      \
	X(cache_hits, "cache-hits", COUNTER,                                                     \
	  "questions resolved without asking a server, packet-cache hits not counted")           \
	X(cache_misses, "cache-misses", COUNTER, "questions for which a server was asked")       \
	X(packetcache_hits, "packetcache-hits", COUNTER, "answers copied from the packet cache") \
	X(packetcache_misses, "packetcache-misses", COUNTER,                                     \
	  "questions not found in the packet cache")                                             \
	X(truncated_answers, "truncated-answers", COUNTER, "UDP answers sent with TC")           \
	X(answers0_1, "answers0-1", COUNTER, "answered in less than 1 ms")                       \
	X(answers1_10, "answers1-10", COUNTER, "answered in 1 to 10 ms")                         \
	X(answers10_100, "answers10-100", COUNTER, "answered in 10 to 100 ms")                   \
	X(answers100_1000, "answers100-1000", COUNTER, "answered in 100 ms to 1 s")              \
	X(answers_slow, "answers-slow", COUNTER, "answered after 1 s or more")                   \
	X(ourtime0_1, "x-ourtime0-1", COUNTER,                                                   \
	  "resolved with less than 1 ms of CPU time (as measured for top-cost)")                 \
	X(ourtime1_2, "x-ourtime1-2", COUNTER,                                                   \
	  "resolved with 1 to 2 ms of CPU time (as measured for top-cost)")                      \
	X(ourtime2_4, "x-ourtime2-4", COUNTER,                                                   \
	  "resolved with 2 to 4 ms of CPU time (as measured for top-cost)")                      \
	X(ourtime4_8, "x-ourtime4-8", COUNTER,                                                   \
	  "resolved with 4 to 8 ms of CPU time (as measured for top-cost)")                      \
	X(ourtime8_16, "x-ourtime8-16", COUNTER,                                                 \
	  "resolved with 8 to 16 ms of CPU time (as measured for top-cost)")                     \
	X(ourtime16_32, "x-ourtime16-32", COUNTER,                                               \
	  "resolved with 16 to 32 ms of CPU time (as measured for top-cost)")                    \
	X(ourtime_slow, "x-ourtime-slow", COUNTER,                                               \
	  "resolved with 32 ms or more of CPU time (as measured for top-cost)")                  \
	X(unauthorized_udp, "unauthorized-udp", COUNTER, "UDP queries refused by allow-from")    \
	X(unauthorized_tcp, "unauthorized-tcp", COUNTER,                                         \
	  "TCP connections refused by allow-from")                                               \
	X(unauthorized_tcp_queries, "unauthorized-tcp-queries", COUNTER,                         \
	  "queries over TCP connections that allow-from let in before it was changed")           \
	X(dropped_queries, "dropped-queries", COUNTER,                                           \
	  "packets of clients that were left without an answer, for whatever reason")            \
	X(client_parse_drops, "client-parse-drops", COUNTER,                                     \
	  "client packets that could not be parsed and were not answered")                       \
	X(truncated_drops, "truncated-drops", COUNTER,                                           \
	  "client queries over UDP that were longer than a query may be")                        \
	X(ignored_packets, "ignored-packets", COUNTER,                                           \
	  "packets on a listening socket that are answers, not questions")                       \
	X(notifies, "notify-wipes", COUNTER, "NOTIFYs heard, each for a zone to be forgotten")   \
	X(notify_overflows, "notify-overflows", COUNTER,                                         \
	  "NOTIFYs dropped because too many zones were waiting to be forgotten")                \
	X(source_disallowed_notify, "source-disallowed-notify", COUNTER,                         \
	  "NOTIFYs dropped because of their sender (allow-notify-from)")                        \
	X(zone_disallowed_notify, "zone-disallowed-notify", COUNTER,                             \
	  "NOTIFYs dropped because of their zone (allow-notify-for)")                           \
	X(over_capacity_drops, "over-capacity-drops", COUNTER,                                   \
	  "client queries dropped because max-mthreads were being resolved")                     \
	X(fair_share_refusals, "fair-share-refusals", COUNTER,                                   \
	  "client queries given up for another client's because max-mthreads were being resolved") \
	X(tcp_client_overflow, "tcp-client-overflow", COUNTER,                                   \
	  "TCP connections refused by max-tcp-per-client")                                       \
	X(tcp_overflow, "tcp-overflow", COUNTER, "TCP connections refused by max-tcp-clients")   \
	X(tcp_timeouts, "tcp-client-timeouts", COUNTER, "TCP connections closed as idle")        \
	X(tcp_slow_readers, "tcp-slow-readers", COUNTER,                                         \
	  "TCP connections closed because answers were not read")                                \
	X(send_errors, "udp-send-errors", COUNTER, "UDP answers that the kernel did not take")   \
	X(defender_drops, "defender-drops", COUNTER,                                     \
	  "client queries that the defender left without an answer")                     \
	X(defender_domain_refused, "defender-domain-refused", COUNTER,                   \
	  "queries for accused registrable domains: answered REFUSED")                   \
	X(defender_domain_dropped, "defender-domain-dropped", COUNTER,                   \
	  "queries for accused registrable domains: not answered")                       \
	X(defender_domain_nxdomain, "defender-domain-nxdomain", COUNTER,                 \
	  "queries for accused registrable domains: answered NXDOMAIN")                  \
	X(defender_domain_truncated, "defender-domain-truncated", COUNTER,               \
	  "queries for accused registrable domains: told to come again over TCP")        \
	X(defender_domain_routed, "defender-domain-routed", COUNTER,                     \
	  "queries for accused registrable domains: sent to another group of forwarders") \
	X(defender_domain_logged, "defender-domain-logged", COUNTER,                     \
	  "queries for accused registrable domains: logged, and let through")            \
	X(defender_domain_allowed, "defender-domain-allowed", COUNTER,                   \
	  "queries for accused registrable domains: let through by a policy")            \
	X(defender_domain_cached, "defender-domain-cached", COUNTER,                     \
	  "queries for accused registrable domains: let through: the answer is cached")  \
	X(defender_domain_known, "defender-domain-known", COUNTER,                       \
	  "queries for accused registrable domains: let through: the name is known to exist") \
	X(defender_domain_repeated, "defender-domain-repeated", COUNTER,                 \
	  "queries for accused registrable domains: let through: an unseen name asked for again") \
	X(defender_domain_probed, "defender-domain-probed", COUNTER,                     \
	  "queries for accused registrable domains: let through: an unseen name, to see how it ends") \
	X(defender_domain_observed, "defender-domain-observed", COUNTER,                 \
	  "queries for accused registrable domains: let through: the rule only observes") \
	X(defender_zone_refused, "defender-zone-refused", COUNTER,                       \
	  "queries for accused zones below one: answered REFUSED")                       \
	X(defender_zone_dropped, "defender-zone-dropped", COUNTER,                       \
	  "queries for accused zones below one: not answered")                           \
	X(defender_zone_nxdomain, "defender-zone-nxdomain", COUNTER,                     \
	  "queries for accused zones below one: answered NXDOMAIN")                      \
	X(defender_zone_truncated, "defender-zone-truncated", COUNTER,                   \
	  "queries for accused zones below one: told to come again over TCP")            \
	X(defender_zone_routed, "defender-zone-routed", COUNTER,                         \
	  "queries for accused zones below one: sent to another group of forwarders")    \
	X(defender_zone_logged, "defender-zone-logged", COUNTER,                         \
	  "queries for accused zones below one: logged, and let through")                \
	X(defender_zone_allowed, "defender-zone-allowed", COUNTER,                       \
	  "queries for accused zones below one: let through by a policy")                \
	X(defender_zone_cached, "defender-zone-cached", COUNTER,                         \
	  "queries for accused zones below one: let through: the answer is cached")      \
	X(defender_zone_known, "defender-zone-known", COUNTER,                           \
	  "queries for accused zones below one: let through: the name is known to exist") \
	X(defender_zone_repeated, "defender-zone-repeated", COUNTER,                     \
	  "queries for accused zones below one: let through: an unseen name asked for again") \
	X(defender_zone_probed, "defender-zone-probed", COUNTER,                         \
	  "queries for accused zones below one: let through: an unseen name, to see how it ends") \
	X(defender_zone_observed, "defender-zone-observed", COUNTER,                     \
	  "queries for accused zones below one: let through: the rule only observes")    \
	X(all_outqueries, "all-outqueries", COUNTER, "questions sent to servers, all transports") \
	X(ipv6_outqueries, "ipv6-outqueries", COUNTER, "questions sent to servers over IPv6")    \
	X(tcp_outqueries, "tcp-outqueries", COUNTER, "questions sent to servers over TCP")       \
	X(noedns_outqueries, "noedns-outqueries", COUNTER,                                       \
	  "questions sent to servers without EDNS")                                              \
	X(shared_outqueries, "shared-socket-outqueries", COUNTER,                                \
	  "questions sent from a socket that several servers share, for want of sockets")        \
	X(chain_resends, "chain-resends", COUNTER,                                               \
	  "questions that joined an equal one in flight")                                        \
	X(chain_limits, "chain-limits", COUNTER,                                                 \
	  "questions refused because max-chain-length waited on one already")                    \
	X(outgoing_timeouts, "outgoing-timeouts", COUNTER, "questions to servers that timed out") \
	X(outgoing4_timeouts, "outgoing4-timeouts", COUNTER,                                     \
	  "questions to servers over IPv4 that timed out")                                       \
	X(outgoing6_timeouts, "outgoing6-timeouts", COUNTER,                                     \
	  "questions to servers over IPv6 that timed out")                                       \
	X(unreachables, "unreachables", COUNTER,                                                 \
	  "questions to servers that met a network error")                                       \
	X(unrouted, "unrouted-outqueries", COUNTER,                                              \
	  "questions not sent because no route leads to the server; they cost no budget")        \
	X(network_down_failures, "network-down-failures", COUNTER,                               \
	  "resolutions ended at once because our own network was down")                          \
	X(network_probes, "network-probes", COUNTER,                                             \
	  "questions of our own, to find out whether our network is down or back")               \
	X(throttled_out, "throttled-out", COUNTER,                                               \
	  "questions not sent because server or question are throttled")                         \
	X(dont_outqueries, "dont-outqueries", COUNTER, "questions not sent because of dont-query") \
	X(resource_limits, "resource-limits", COUNTER,                                           \
	  "questions not sent for want of descriptors or memory")                                \
	X(policy_kills, "policy-kills", COUNTER,                                                 \
	  "client queries ended by preoutquery, with SERVFAIL")                                  \
	X(policy_outanswers, "policy-outanswers", COUNTER,                                       \
	  "questions not sent because preoutquery answered in the server's place")               \
	X(policy_diversions, "policy-diversions", COUNTER,                                       \
	  "questions that preoutquery sent to another server")                                   \
	X(server_parse_errors, "server-parse-errors", COUNTER,                                   \
	  "answers of servers that could not be parsed")                                         \
	X(unexpected_packets, "unexpected-packets", COUNTER,                                     \
	  "packets from servers that answer no pending question")                                \
	X(spoof_prevents, "spoof-prevents", COUNTER,                                             \
	  "questions taken to TCP after too many near misses")                                   \
	X(spoof_nearmisses, "spoof-nearmisses", COUNTER,                                         \
	  "answers from the right server with a wrong id or question")                           \
	X(case_mismatches, "case-mismatches", COUNTER,                                           \
	  "answers whose name is spelt differently (0x20)")                                      \
	X(lame_answers, "lame-answers", COUNTER, "answers of servers that do not serve the zone") \
	X(truncated_outanswers, "truncated-outanswers", COUNTER,                                 \
	  "answers of servers with TC, asked again over TCP")                                    \
	X(edns_fallbacks, "edns-fallbacks", COUNTER,                                             \
	  "questions repeated without EDNS after FORMERR")                                       \
	X(out_of_bailiwick, "out-of-bailiwick-records", COUNTER,                                 \
	  "records of servers thrown away as not theirs to give")                                \
	X(nsset_invalidations, "nsset-invalidations", COUNTER,                                   \
	  "name server sets of a zone given up for those of its parent")                         \
	X(auth_other, "auth-other-answers", COUNTER, "answers of servers with an rcode above 15") \
	X(qmin_fallbacks, "qname-min-fallback", COUNTER,                                         \
	  "resolutions that gave up minimising the name")                                        \
	X(limit_qperq, "max-qperq-reached", COUNTER, "client queries ended by max-qperq")        \
	X(limit_time, "max-total-msec-reached", COUNTER,                                         \
	  "client queries ended by max-total-msec")                                              \
	X(limit_bytes, "max-bytesperq-reached", COUNTER, "client queries ended by max-bytesperq") \
	X(aggressive_nsec, "aggressive-nsec-cache-nsec-hits", COUNTER,                           \
	  "names denied by NSEC records of other answers (RFC 8198)")                            \
	X(aggressive_nsec3, "aggressive-nsec-cache-nsec3-hits", COUNTER,                         \
	  "names denied by NSEC3 records of other answers")                                      \
	X(aggressive_nsec_wildcard, "aggressive-nsec-cache-nsec-wc-hits", COUNTER,               \
	  "answers made of wildcards by NSEC records of other answers")                          \
	X(aggressive_nsec3_wildcard, "aggressive-nsec-cache-nsec3-wc-hits", COUNTER,             \
	  "answers made of wildcards by NSEC3 records of other answers")                         \
	X(harvests, "aggressive-cache-validations", COUNTER,                                     \
	  "answers validated for their proofs alone (aggressive-cache-max-validations)")         \
	X(limit_harvests, "aggressive-cache-max-validations-reached", COUNTER,                   \
	  "answers whose proofs would have been wanted but for that limit")                      \
	X(limit_checks, "max-signature-validations-reached", COUNTER,                            \
	  "queries ended by max-signature-validations-per-query")                                \
	X(limit_hashes, "max-nsec3-hashes-reached", COUNTER,                                     \
	  "queries ended by max-nsec3-hash-computations-per-query")                              \
	X(limit_cnames, "max-cnames-followed-reached", COUNTER,                                  \
	  "resolutions ended by max-cnames-followed")                                            \
	X(limit_depth, "max-recursion-depth-reached", COUNTER,                                   \
	  "sub-resolutions refused by max-recursion-depth")                                      \
	X(limit_ns_address, "max-ns-address-qperq-reached", COUNTER,                             \
	  "client queries that used up max-ns-address-qperq")                                    \
	X(unresolved_skips, "non-resolving-nameserver-skips", COUNTER,                           \
	  "name servers left out because no address was found for their names of late")          \
	X(limit_ns, "max-ns-per-resolve-reached", COUNTER,                                       \
	  "delegations cut to max-ns-per-resolve names")                                         \
	X(limit_rrset, "max-rrset-size-reached", COUNTER, "record sets refused as too large")    \
	X(limit_subgoals, "max-subgoals-reached", COUNTER,                                       \
	  "sub-resolutions refused because one client query asked for too many")                 \
	X(limit_inflight_zone, "max-inflight-per-zone-reached", COUNTER,                         \
	  "resolutions refused because as many were in flight for the zone as it may have")      \
	X(limit_inflight_server, "max-inflight-per-server-reached", COUNTER,                     \
	  "questions not sent because as many were in flight to the server as it can take")      \
	X(limit_goals, "max-goals-reached", COUNTER,                                             \
	  "sub-resolutions refused because too many were in flight")                             \
	X(limit_referrals, "max-referrals-reached", COUNTER,                                     \
	  "resolutions ended after too many referrals")                                          \
	X(limit_records, "max-answer-records-reached", COUNTER,                                  \
	  "answers of servers refused for their many records")                                   \
	X(goal_cycles, "resolution-cycles", COUNTER, "resolutions found to wait on themselves")  \
	X(failures_cached, "failure-cache-hits", COUNTER,                                        \
	  "questions answered from a recent failure (RFC 9520)")                                 \
	X(auth_zone_queries, "auth-zone-queries", COUNTER,                                       \
	  "questions answered from auth-zones and the hosts file")                              \
	X(copy_answers, "zone-copy-answers", COUNTER,                                            \
	  "questions to servers answered from copies of zones (zoneToCache) instead")            \
	X(copy_refusals, "zone-copy-refusals", COUNTER,                                          \
	  "answers of copies of zones that were of no use, so that the servers were asked")      \
	X(almost_expired_pushed, "almost-expired-pushed", COUNTER,                               \
	  "resolutions begun to renew what was about to expire (refresh-on-ttl-perc)")           \
	X(almost_expired_run, "almost-expired-run", COUNTER,                                     \
	  "refreshes of almost expired entries that ended with an answer")                       \
	X(almost_expired_exceptions, "almost-expired-exceptions", COUNTER,                       \
	  "refreshes of almost expired entries that failed")                                     \
	X(stale_answers, "stale-answers", COUNTER, "answers of expired data (RFC 8767)")         \
	X(stale_after_timeout, "stale-after-timeout", COUNTER,                                   \
	  "answers of expired data given because serve-stale-client-timeout was over")           \
	X(stale_at_once, "stale-at-once", COUNTER,                                               \
	  "answers of expired data given without waiting, because others waited already "        \
	  "or our network was down")                                                             \
	X(stale_cuts, "stale-delegations-used", COUNTER,                                         \
	  "resolutions that went on by expired delegations or addresses of servers")             \
	X(backgrounds, "background-resolutions", COUNTER,                                        \
	  "resolutions that went on or began without a client")                                  \
	X(limit_background, "max-background-resolutions-reached", COUNTER,                       \
	  "resolutions not gone on with because so many had no client")                          \
	X(special_answers, "special-name-answers", COUNTER,                                      \
	  "questions answered locally because the name is special (RFC 6761)")                   \
	X(primings, "root-primings", COUNTER, "times the root's name servers were fetched")      \
	X(lua_followup_limits, "lua-followup-limits", COUNTER,                                   \
	  "client queries ended because a script wanted one followup too many, or with no "    \
	  "place to wait for it")                                                                \
	X(lua_udp_queries, "lua-udp-queries", COUNTER,                                           \
	  "packets sent for a script's udpQueryResponse")                                        \
	X(lua_udp_timeouts, "lua-udp-query-timeouts", COUNTER,                                   \
	  "packets of scripts without a reply in time")                                          \
	X(lua_udp_failures, "lua-udp-query-failures", COUNTER,                                   \
	  "packets of scripts that met a network error")                                         \
	X(lua_udp_limits, "lua-udp-query-limits", COUNTER,                                       \
	  "packets of a script's not sent, for max-lua-udp-queries or for want of sockets")      \
	X(variable_responses, "variable-responses", COUNTER, "answers that a script marked as not to be kept")                                   \
	X(qmin_successes, "qname-min-fallback-success", COUNTER, "resolutions that were successful after they gave up minimising the name")   \
	X(maintenance_calls, "maintenance-calls", COUNTER, "times a thread kept house")          \
	X(maintenance_usec, "maintenance-usec", COUNTER, "microseconds that threads spent in keeping house, maintenance() of scripts included") \
	X(tcp_refused, "tcp-refused-connections", COUNTER, "TCP connections of clients that were closed at once, for whatever reason") \
	X(tcp_no_room, "tcp-no-resources", COUNTER,                                              \
	  "TCP connections of clients closed for want of memory")                                \
	X(peak_qperq, "query-outqueries-peak", PEAK, "most questions to servers for one client query (max-qperq)") \
	X(peak_query_bytes, "query-bytes-peak", PEAK, "most bytes received for one client query (max-bytesperq)") \
	X(peak_answer_us, "query-usec-peak", PEAK, "longest time that a client query took, in microseconds (max-total-msec)") \
	X(peak_links, "query-cnames-peak", PEAK, "most aliases followed on the way to an answer (max-cnames-followed)") \
	X(peak_depth, "query-depth-peak", PEAK, "deepest sub-resolution (max-recursion-depth)") \
	X(peak_checks, "query-signature-validations-peak", PEAK, "most signatures checked for one client query (max-signature-validations-per-query)") \
	X(peak_hashes, "query-nsec3-hashes-peak", PEAK, "most applications of NSEC3's hash for one client query (max-nsec3-hash-computations-per-query)") \
	X(peak_ns_address, "query-server-address-peak", PEAK, "most addresses of name servers looked for in vain for one client query (max-ns-address-qperq)") \
	X(peak_ns, "delegation-names-peak", PEAK, "most name servers of one delegation (max-ns-per-resolve)") \
	X(peak_rrset, "rrset-size-peak", PEAK, "most records of one set in an answer of a server (max-rrset-size)") \
	X(peak_in_flight, "concurrent-queries-peak", PEAK, "most client queries that one thread was resolving (max-mthreads)") \
	X(peak_client, "client-queries-peak", PEAK, "most client queries of one client that one thread was resolving (max-mthreads)") \
	X(peak_zone, "inflight-zone-peak", PEAK, "most questions in flight for one zone, of one thread (max-inflight-per-zone)") \
	X(peak_server, "inflight-server-peak", PEAK, "most questions in flight to one server (max-inflight-per-server)") \
	X(peak_background, "background-resolutions-peak", PEAK, "most resolutions of one thread that no client waited for (max-background-resolutions)") \
	X(peak_cache_memory, "cache-memory-peak", PEAK, "most bytes of all caches together (max-cache-memory)") \
	X(peak_followups, "lua-followups-peak", PEAK, "most followups of a script for one query") \
	X(peak_lua_udp, "lua-udp-queries-peak", PEAK, "most packets of scripts waiting for a reply, of one thread (max-lua-udp-queries)") \
	X(peak_aggressive, "aggressive-nsec-cache-entries-peak", PEAK, "most entries of the aggressive NSEC cache (aggressive-nsec-cache-size)") \
	X(peak_ipset_entries, "ipset-entries-peak", PEAK, "most addresses in all sets of addresses (ipset-max-entries)") \
	X(peak_tcp_clients, "tcp-clients-peak", PEAK, "most open TCP connections of clients (max-tcp-clients)") \
	X(peak_tcp_client, "tcp-per-client-peak", PEAK, "most open TCP connections from one address (max-tcp-per-client; 0 without that limit)") \
	X(peak_tcp_unread, "tcp-unread-peak", PEAK, "most bytes of answers that one TCP client had not read") \
	X(peak_tcp_unread_all, "tcp-unread-all-peak", PEAK, "most bytes set aside by one thread for answers that TCP clients had not read") \
	X(peak_tcp_turn, "tcp-turn-peak", PEAK, "most TCP queries taken in one turn of a thread's loop") \
	X(peak_tcp_at_once, "tcp-client-inflight-peak", PEAK, "most queries of one TCP connection that waited for answers (max-concurrent-requests-per-tcp-connection)") \
	X(peak_tcp_queries, "tcp-client-queries-peak", PEAK, "most queries over one TCP connection (max-tcp-queries-per-connection)") \
	X(peak_tcp_idle, "idle-tcpout-connections-peak", PEAK, "most idle TCP connections to servers that one thread kept (tcp-out-max-idle-per-thread)") \
	X(peak_tcp_idle_server, "idle-tcpout-per-server-peak", PEAK, "most idle TCP connections to one server that one thread kept (tcp-out-max-idle-per-auth)") \
	X(peak_tcp_asked, "tcpout-questions-peak", PEAK, "most questions over one TCP connection to a server (tcp-out-max-queries)") \
	X(peak_packets, "packetcache-entries-peak", PEAK, "most answers in the packet cache of one thread (max-packetcache-entries, divided by threads)") \
	X(peak_flight, "flight-recorder-bytes-peak", PEAK, "most bytes of the flight recorder of one thread (flight-recorder-memory, divided by threads)") \
	X(peak_lua_objects, "lua-objects-bytes-peak", PEAK, "most bytes of a script's groups of networks, rate limits and empty ipsets without a name, after a hook of one thread (lua-memory-limit)") \
	X(peak_lua_hook_bytes, "lua-hook-bytes-peak", PEAK, "most bytes that a call of a hook took, maintenance() aside (lua-hook-memory)") \
	X(peak_lua_hook_spent, "lua-hook-instructions-peak", PEAK, "most instructions of Lua's that a call of a hook took, by the thousand and maintenance() aside (lua-hook-instructions)") \
	X(peak_chain_weight, "max-chain-weight", PEAK, "most questions that waited on one, times the bytes of its answer") \
	X(peak_goals, "max-concurrent-goals", PEAK, "most resolutions of one thread in flight at once (max-goals)") \
	X(peak_chain, "max-chain-length", PEAK, "most questions that waited on one")             \
	X(query_log_drops, "query-log-drops", COUNTER,                                           \
	  "lines of the query log dropped because too many waited to be written")                \
	X(traces_skipped, "trace-queries-skipped", COUNTER,                                      \
	  "questions not traced because too many traces were being written")                    \
	X(flight_failed, "flight-recorder-failed", COUNTER,                                      \
	  "stories of failed queries that the flight recorder kept")                             \
	X(flight_slow, "flight-recorder-slow", COUNTER,                                          \
	  "stories of slow answers that the flight recorder kept")                               \
	X(flight_refused, "flight-recorder-refused", COUNTER,                                    \
	  "stories of refused queries that the flight recorder kept")                            \
	X(flight_skipped, "flight-recorder-skipped", COUNTER,                                    \
	  "stories that the flight recorder did not keep: it had as many of the same domain or " \
	  "reason a moment ago")                                                                 \
	X(flight_unrecorded, "flight-recorder-unrecorded", COUNTER,                              \
	  "resolutions without a place to write their steps to, for flight-recorder-memory")     \
	X(visit_max_us, "control-visit-max-usec", PEAK,                                          \
	  "longest time that a control command held a worker, in microseconds of CPU")          \
	X(traced_events_lost, "trace-events-lost", COUNTER,                                      \
	  "events of a traced query that did not fit its buffer")                                \
	X(policy_drops, "policy-drops", COUNTER,                                                 \
	  "client queries that a script or its policy left without an answer")                   \
	X(policy_noaction, "policy-result-noaction", COUNTER,                                    \
	  "client queries that a script saw and no policy took")                                 \
	X(policy_drop, "policy-result-drop", COUNTER, "client queries that a policy dropped")    \
	X(policy_nxdomain, "policy-result-nxdomain", COUNTER,                                    \
	  "client queries that a policy answered with NXDOMAIN")                                 \
	X(policy_nodata, "policy-result-nodata", COUNTER,                                        \
	  "client queries that a policy answered with no data")                                  \
	X(policy_truncate, "policy-result-truncate", COUNTER,                                    \
	  "client queries that a policy sent to TCP")                                            \
	X(policy_custom, "policy-result-custom", COUNTER,                                        \
	  "client queries that a policy answered in its own way")                                \
	METRICS_HOOK(X, ipfilter, "ipfilter")                                                    \
	METRICS_HOOK(X, gettag, "gettag")                                                        \
	METRICS_HOOK(X, prerpz, "prerpz")                                                        \
	METRICS_HOOK(X, preresolve, "preresolve")                                                \
	METRICS_HOOK(X, nxdomain, "nxdomain")                                                    \
	METRICS_HOOK(X, noerror, "noerror")                                                      \
	METRICS_HOOK(X, nodata, "nodata")                                                        \
	METRICS_HOOK(X, postresolve, "postresolve")                                              \
	METRICS_HOOK(X, preoutquery, "preoutquery")                                              \
	METRICS_HOOK(X, callback, "callback")                                                    \
	METRICS_HOOK(X, maintenance, "maintenance")

#define METRICS_HOOK(X, hook, function)                                                          \
	X(lua_##hook##_calls, "lua-" function "-calls", COUNTER,                                 \
	  "calls of the script's " function "()")                                                \
	X(lua_##hook##_errors, "lua-" function "-errors", COUNTER,                               \
	  "calls of the script's " function "() that ended in an error")                         \
	X(lua_##hook##_overruns, "lua-" function "-overruns", COUNTER,                           \
	  "calls of the script's " function "() that were ended by lua-hook-instructions, "      \
	  "lua-hook-memory or lua-memory-limit")                                                 \
	X(lua_##hook##_nsec, "lua-" function "-nsec", COUNTER,                                   \
	  "nanoseconds spent in the script's " function "()")
/* clang-format on */

/* Why a client's query was answered with an error, with another rcode than NOERROR and NXDOMAIN, that
 * is: reason, its name, help.  Each such answer has one. */
#define METRICS_REASONS(X)                                                                         \
	X(MALFORMED, "malformed", "FORMERR: the question could not be read")                       \
	X(NO_QUESTION, "no-question", "FORMERR: there was no question")                            \
	X(OPCODE, "opcode", "NOTIMP: an opcode that is not served")                                \
	X(EDNS_VERSION, "edns-version", "BADVERS: another version of EDNS than 0")                 \
	X(LOCAL, "not-resolved", "a class or type that nobody resolves, or a zone transfer")       \
	X(NO_RECURSION, "no-rd", "REFUSED: a query without RD")                                    \
	X(DEFENDER, "defender", "REFUSED: the domain is accused")                                  \
	X(SCRIPT, "script", "a script said so")                                                    \
	X(SCRIPT_FOLLOWUP, "script-followup", "a script's followup could not be done")             \
	X(SCRIPT_KILL, "script-kill", "preoutquery ended the query")                               \
	X(CACHED_PACKET, "cached-answer", "an error of a moment ago, out of the packet cache")     \
	X(CACHED_FAILURE, "cached-failure", "the name failed a moment ago (RFC 9520)")             \
	X(FAIR_SHARE, "fair-share", "the query gave way to another client's")                      \
	X(QPERQ, "max-qperq", "max-qperq")                                                         \
	X(TIME, "max-total-msec", "max-total-msec")                                                \
	X(BYTES, "max-bytesperq", "max-bytesperq")                                                 \
	X(CNAMES, "max-cnames-followed", "max-cnames-followed")                                    \
	X(REFERRALS, "max-referrals", "too many referrals")                                        \
	X(CHAIN, "max-chain-length", "max-chain-length")                                           \
	X(ZONE, "max-inflight-per-zone", "max-inflight-per-zone")                                  \
	X(SERVER, "max-inflight-per-server", "max-inflight-per-server")                            \
	X(GOALS, "max-goals", "max-goals, or too deep, or no memory")                              \
	X(ALIAS, "bad-alias", "an alias that leads nowhere, in a circle, or to too long a name")   \
	X(NETWORK, "network-down", "our own network was down")                                     \
	X(RESOURCES, "no-resources", "no descriptor, port or memory was left to ask with")         \
	X(NO_ANSWER, "no-server-answers", "no server or forwarder of the zone answers")            \
	X(BOGUS, "bogus", "SERVFAIL: the answer, or the chain of trust, did not validate")         \
	X(CHECKS, "max-signature-validations", "max-signature-validations-per-query")              \
	X(HASHES, "max-nsec3-hashes", "max-nsec3-hash-computations-per-query")                     \
	X(GROUP, "no-forward-group", "a rule of the defender names a group that is not there")     \
	X(STOPPING, "stopping", "the daemon stops")                                                \
	X(OTHER, "other", "any other")

enum metrics_reason {
#define METRICS_REASON(reason, name, help) REASON_##reason,
	METRICS_REASONS(METRICS_REASON)
#undef METRICS_REASON
		METRICS_N_REASONS,
};

/* What validation of an answer came to, in the order of PowerDNS; the reasons of what is bogus are those
 * of resolve/dnssec/bogus.h: result, its name, what it is. */
#define METRICS_DNSSEC_RESULTS(X)                                                                  \
	X(SECURE, "secure", "Secure")                                                              \
	X(INSECURE, "insecure", "Insecure: no chain of trust leads there, which is proved")        \
	X(INDETERMINATE, "indeterminate", "Indeterminate: there is no trust anchor")               \
	X(NTA, "nta", "not validated because of a negative trust anchor")                          \
	METRICS_BOGUS_REASONS(X)
#define METRICS_BOGUS_REASONS(X)                                                                   \
	X(NO_VALID_DNSKEY, "bogus-no-valid-dnskey", "Bogus: no DNSKEY that the DS leads to")       \
	X(INVALID_DENIAL, "bogus-invalid-denial", "Bogus: a denial that is not proved")            \
	X(UNABLE_TO_GET_DSS, "bogus-unable-to-get-dss", "Bogus: no DS to be had")                  \
	X(UNABLE_TO_GET_DNSKEYS, "bogus-unable-to-get-dnskeys", "Bogus: no DNSKEY to be had")      \
	X(SELF_SIGNED_DS, "bogus-self-signed-ds", "Bogus: a DS signed by the zone it is for")      \
	X(NO_RRSIG, "bogus-no-rrsig", "Bogus: no signature")                                       \
	X(NO_VALID_RRSIG, "bogus-no-valid-rrsig", "Bogus: no signature that verifies")             \
	X(MISSING_NEGATIVE_INDICATION, "bogus-missing-negative-indication",                        \
	  "Bogus: no NSEC or NSEC3")                                                               \
	X(SIGNATURE_NOT_YET_VALID, "bogus-signature-not-yet-valid",                                \
	  "Bogus: signatures of the future")                                                       \
	X(SIGNATURE_EXPIRED, "bogus-signature-expired", "Bogus: signatures that have expired")     \
	X(UNSUPPORTED_DNSKEY_ALGO, "bogus-unsupported-dnskey-algo",                                \
	  "Bogus: no signature of a known algorithm")                                              \
	X(UNSUPPORTED_DS_DIGEST_TYPE, "bogus-unsupported-ds-digest-type",                          \
	  "Bogus: no DS with a known digest")                                                      \
	X(NO_ZONE_KEY_BIT_SET, "bogus-no-zone-key-bit-set", "Bogus: a DNSKEY that is no zone key") \
	X(REVOKED_DNSKEY, "bogus-revoked-dnskey", "Bogus: a DNSKEY that is revoked")               \
	X(INVALID_DNSKEY_PROTOCOL, "bogus-invalid-dnskey-protocol",                                \
	  "Bogus: a DNSKEY of another protocol")

enum metrics_dnssec {
#define METRICS_DNSSEC_ENUM(result, name, help) METRICS_DNSSEC_##result,
	METRICS_DNSSEC_RESULTS(METRICS_DNSSEC_ENUM)
#undef METRICS_DNSSEC_ENUM
		METRICS_N_DNSSEC,
	METRICS_DNSSEC_FIRST_BOGUS = METRICS_DNSSEC_NO_VALID_DNSKEY,
	METRICS_DNSSEC_BOGUS_REASONS = METRICS_N_DNSSEC - METRICS_DNSSEC_FIRST_BOGUS
};

/* member, how many bounds: 1, 2, 5, 10, 20, ... times the first */
#define METRICS_HISTOGRAMS(X)                                                                      \
	X(client_us, METRICS_CLIENT_STEPS)                                                         \
	X(udp4_us, METRICS_SERVER_STEPS)                                                           \
	X(udp6_us, METRICS_SERVER_STEPS)                                                           \
	X(tcp4_us, METRICS_SERVER_STEPS)                                                           \
	X(tcp6_us, METRICS_SERVER_STEPS)                                                           \
	X(query_cpu_us, METRICS_CPU_STEPS)

enum {
	METRICS_CLIENT_FIRST_US = 10,
	METRICS_CLIENT_STEPS = 19, /* to 10 s */
	METRICS_SERVER_FIRST_US = 1000,
	METRICS_SERVER_STEPS = 13, /* to 10 s */
	METRICS_CPU_FIRST_US = 1,
	METRICS_CPU_STEPS = 16, /* to 100 ms */
	METRICS_AUTH_RCODES = 16,
	METRICS_RCODES = 25,                           /* the last is for what is above */
	METRICS_HIT_RCODES = 16,                       /* as the header has them */
	METRICS_SIZE_STEP = 10,                        /* bytes */
	METRICS_SIZES = 65535 / METRICS_SIZE_STEP + 2, /* what is left over has one of its own */
};

struct counters {
#define METRICS_MEMBER(member, name, kind, help) counter member;
	METRICS_COUNTERS(METRICS_MEMBER)
#undef METRICS_MEMBER
	counter auth_rcodes[METRICS_AUTH_RCODES]; /* answers of servers */
	counter rcodes[METRICS_RCODES];           /* answers to clients ... */
	counter hit_rcodes[METRICS_HIT_RCODES];   /* ... those out of the packet cache */
	counter reasons[METRICS_N_REASONS];       /* of those that are errors */
	counter dnssec_results[METRICS_N_DNSSEC], x_dnssec_results[METRICS_N_DNSSEC];
/* One for each bound, one for what is above them all, and the sum. */
#define METRICS_MEMBER(member, steps) counter member[(steps) + 2];
	METRICS_HISTOGRAMS(METRICS_MEMBER)
#undef METRICS_MEMBER
};

/* So many microseconds, `times` times; a bound is part of what it bounds. */
static inline void histogram_add(counter *histogram, uint64_t first_us, unsigned steps, uint64_t us,
				 uint64_t times)
{
	static const uint8_t of_ten[3] = { 1, 2, 5 };
	uint64_t decade_us = first_us;
	unsigned at = 0, third = 0;

	for (; at < steps && us > decade_us * of_ten[third]; at++)
		if (++third == 3) {
			third = 0;
			decade_us *= 10;
		}
	counter_add(&histogram[at], times);
	counter_add(&histogram[steps + 1], us * times);
}

#endif
