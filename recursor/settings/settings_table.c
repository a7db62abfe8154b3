/*
 * The table of settings.  To add a setting: a member in settings.h and a row here.
 * Own ones first, in order of name; then what PowerDNS has and we do not.
 */
#include "recursor/settings/settings_table.h"

#include <stdint.h>

#include "common/check.h"
#include "config.h"
#include "recursor/resolve/weather.h"
#include "recursor/watch/costs.h"
#include "recursor/watch/dnstap.h"
#include "recursor/watch/rings.h"

#define LOCAL_NETS                                                                                 \
	"127.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 192.168.0.0/16, "                 \
	"172.16.0.0/12, ::1/128, fc00::/7, fe80::/10"
#define BAD_NETS                                                                                   \
	"0.0.0.0/8, 192.0.0.0/24, 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, "                 \
	"240.0.0.0/4, ::/96, ::ffff:0:0/96, 100::/64, 2001:db8::/32"

/* A member's place; another type than the row's does not compile. */
#define MEMBER(m, member_type)                                                                     \
	(offsetof(struct settings, m) +                                                            \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((struct settings *)NULL)->m),    \
						      member_type)                                 \
				 ? 1                                                               \
				 : -1]))

#define OURS(type, m, member_type, min, max, unit)                                                 \
	SETTING_OURS, type, MEMBER(m, member_type), min, max, unit
#define BOOL(m) OURS(SET_BOOL, m, bool, 0, 0, NULL)
#define INT(m, min, max, unit) OURS(SET_INT, m, uint32_t, min, max, unit)
#define BIG(m, min, max, unit) OURS(SET_BIG, m, uint64_t, min, max, unit)
#define SIZE(m, min, max) OURS(SET_SIZE, m, uint64_t, min, max, NULL)
#define PORT(m) OURS(SET_PORT, m, uint16_t, 1, UINT16_MAX, NULL)
#define TEXT(m) OURS(SET_TEXT, m, const char *, 0, 0, NULL)
#define WORD(m, choices) OURS(SET_WORD, m, const char *, 0, 0, choices)
#define WORDS(m, choices) OURS(SET_WORDS, m, const char *, 0, 0, choices)
#define TAPS(m) OURS(SET_TAPS, m, const char *, 0, 0, NULL)
#define NAME(m) OURS(SET_NAME, m, const char *, 0, 0, NULL)
#define USER(m) OURS(SET_USER, m, const char *, 0, 0, NULL)
#define GROUP(m) OURS(SET_GROUP, m, const char *, 0, 0, NULL)
#define MODE(m) OURS(SET_MODE, m, const char *, 0, 0, NULL)
#define NETS(m) OURS(SET_NETS, m, struct netset *, 0, 0, NULL)
#define NAMES(m) OURS(SET_NAMES, m, struct nameset *, 0, 0, NULL)
#define ADDRS(m) OURS(SET_ADDRS, m, struct addr_list, 0, 0, NULL)
#define ZONES(m) OURS(SET_ZONES, m, const char *, 0, 0, NULL)
#define FORWARDS(m) OURS(SET_FORWARDS, m, const char *, 0, 0, NULL)
#define FORWARD_GROUPS(m) OURS(SET_FORWARD_GROUPS, m, const char *, 0, 0, NULL)
#define AVOID SETTING_OURS, SET_AVOID, SETTING_NO_MEMBER, 1, UINT16_MAX, NULL
#define NO_MEMBER(type) SETTING_OURS, type, SETTING_NO_MEMBER, 0, 0, NULL
#define COMMAND SETTING_COMMAND, SET_NONE, SETTING_NO_MEMBER, 0, 0, NULL
#define LATER(type) SETTING_LATER, SET_##type, SETTING_NO_MEMBER, 0, 0, NULL
#define ALIAS SETTING_ALIAS, SET_NONE, SETTING_NO_MEMBER, 0, 0, NULL
#define NO_USE SETTING_NO_USE, SET_NONE, SETTING_NO_MEMBER, 0, 0, NULL

#define ECS_REASON "what subnet a client is in is told to nobody: ECS is left out by design"

#define STATS_HIDDEN                                                                               \
	"cache-bytes, packetcache-bytes, special-memory-usage, cumul-clientanswers, "              \
	"cumul-authanswers, cumul-outqueries, cumul-query-cpu"

#define MANY SETTING_MANY
#define SIZE_MOST (1LL << 50)
#define TTL_MAX INT32_MAX /* RFC 2181 8 */

/* clang-format off */
const struct setting settings_table[] = {
{ "aggressive-cache-max-nsec3-hash-cost", INT(aggressive_max_hash_cost, 0, MANY, "hashes"), "150",
  "4.8.6",
  "A name whose denial by NSEC3 records of other answers would take more applications of the hash "
  "than this is asked for instead." },
{ "aggressive-cache-max-validations",
  INT(aggressive_max_validations, 0, 100000, "answers a second"), "100", "own",
  "So many denials a second, for each thread, are validated for their proofs alone: those of zones "
  "under a flood of names, which came for questions that want no validation.  0: none is." },
{ "aggressive-cache-min-nsec3-hit-ratio", INT(aggressive_min_hit_ratio, 0, MANY, NULL), "2000",
  "4.9.0",
  "An NSEC3 record is kept when at least one in so many names would fall into its gap.  0: none is." },
{ "aggressive-nsec-cache-size", INT(aggressive_nsec_cache_size, 0, MANY, "records"), "100000",
  "4.5.0",
  "NSEC and NSEC3 records, and data of wildcards, that are kept to answer for other names with them "
  "(RFC 8198), and never more than an eighth of max-cache-memory has room for.  0: none." },
{ "allow-from", NETS(allow_from), LOCAL_NETS, "3.0",
  "Clients that may ask.  Queries of others are dropped in silence.  Empty: everybody may ask." },
{ "allow-from-file", TEXT(allow_from_file), "", "3.1.7.1",
  "A file with one netmask a line, # for comments.  It takes the place of allow-from." },
{ "allow-no-rd", BOOL(allow_no_rd), "no", "5.0.0",
  "Answer queries without the RD bit, from the cache alone.  When off they are refused." },
{ "allow-notify-for", NAMES(allow_notify_for), "", "4.6.0",
  "Zones of which a NOTIFY is heard (RFC 1996), with all below them: what the caches hold of the "
  "zone it names is forgotten.  Other NOTIFYs are dropped.  See also ^ in forward-zones-file." },
{ "allow-notify-for-file", TEXT(allow_notify_for_file), "", "4.6.0",
  "A file with more of them, one a line, # for comments." },
{ "allow-notify-from", NETS(allow_notify_from), "", "4.6.0",
  "Servers that may send a NOTIFY.  They need not be in allow-from, but over TCP.  Empty: nobody." },
{ "allow-notify-from-file", TEXT(allow_notify_from_file), "", "4.6.0",
  "A file with one netmask a line, # for comments.  It takes the place of allow-notify-from." },
{ "allow-trust-anchor-query", BOOL(allow_trust_anchor_query), "no", "4.3.0",
  "Answer trustanchor.server and negativetrustanchor.server CH TXT with the trust anchors in force, "
  "at most 256: each with its key tags, or its reason." },
{ "any-to-tcp", BOOL(any_to_tcp), "yes", "3.6.0",
  "Answer a query for ANY over UDP with TC and nothing else, so that it comes again over TCP.  "
  "The answer to ANY is the name's A records or its alias, or else one HINFO record (RFC 8482)." },
{ "api-config-dir", TEXT(api_config_dir), "", "4.0.0",
  "The directory to which the HTTP API writes zones and lists of clients: include-dir, or nothing would "
  "read them.  If it is another or empty, or with chroot, the API changes nothing.  See recursor-api(5)." },
{ "api-key", TEXT(api_key), "", "4.0.0",
  "What API calls must have in the header X-API-Key: as it is, or as rec_control hash-password "
  "prints it.  Empty: they are refused, but for those that webserver-password opens." },
{ "api-readonly", BOOL(api_readonly), "no", "4.0.0", "Refuse API calls that change something." },
{ "auth-zones", ZONES(auth_zones), "", "3.1.2",
  "Zones that are answered from zone files: example.com=/path/of/its/file, and more.  What they "
  "delegate is resolved." },
{ "bypass-server-throttling-probability",
  INT(bypass_server_throttling_probability, 0, MANY, NULL), "25", "5.0.0",
  "A server that is throttled is asked all the same once in so many times.  0: never." },
{ "cache-file", TEXT(cache_file), "", "own",
  "Keep record cache and server table in this file: it is loaded after the start, and written at "
  "the end and every cache-file-interval.  With chroot it is looked for within.  Empty: they are "
  "not kept." },
{ "cache-file-interval", INT(cache_file_interval_s, 0, 86400, "seconds"), "900", "own",
  "cache-file is written so often.  0: at the end only." },
{ "carbon-instance", TEXT(carbon_instance), "recursor", "4.2.0",
  "The third part of what a metric is called in Graphite: namespace.ourname.instance.metric." },
{ "carbon-interval", INT(carbon_interval_s, 1, 86400, "seconds"), "30", "3.6.0",
  "The metrics are sent to carbon-server so often, for the first time right after the start." },
{ "carbon-namespace", TEXT(carbon_namespace), "pdns", "4.2.0", "The first part of it." },
{ "carbon-ourname", TEXT(carbon_ourname), "", "3.6.0",
  "The second part of it, dots included.  Empty: this host's name with _ for each dot." },
{ "carbon-server", ADDRS(carbon_server), "", "3.6.0",
  "Send all metrics to these receivers of Graphite, at port 2003 unless another is given: "
  "192.0.2.1, 192.0.2.2:2004, [2001:db8::1]:2003.  One that does not answer is told in the log; "
  "the others get theirs all the same.  rec_control set-carbon-server changes it.  Empty: none." },
{ "chroot", TEXT(chroot), "", "3.0",
  "Change the root directory to this one when the sockets are open.  socket-dir is then looked "
  "for within it." },
{ "client-tcp-timeout", INT(client_tcp_timeout_s, 1, 3600, "seconds"), "2", "3.0",
  "A client's TCP connection that is idle for so long is closed." },
{ "config", COMMAND, "", "3.0",
  "Print the settings as a file for recursor.conf, each with its default, and end.  "
  "--config=default: without what is configured; --config=diff: only what differs from the "
  "default; --config=check: print nothing but errors." },
{ "config-dir", TEXT(config_dir), SYSCONFDIR, "3.0",
  "The directory of recursor.conf.  On the command line only." },
{ "config-name", TEXT(config_name), "", "3.6.0",
  "Read recursor-NAME.conf; the names of control socket and pid file get -NAME too.  On the "
  "command line only." },
{ "cross-origin-request-header", TEXT(cross_origin_request_header), "", "5.1.10",
  "The web server's Access-Control-Allow-Origin: pages from there may call the API.  Empty: none "
  "from elsewhere may." },
{ "daemon", BOOL(daemon), "no", "3.0",
  "Go to the background.  The starting command ends when queries are served, or fails." },
{ "defender", WORD(defender, "off observe rules act"), "rules", "own",
  "Floods of random names below a domain: off: they are not looked for; observe: who is flooded is "
  "accused and logged (rec_control defender-show), nothing else; rules: rules of "
  "defender-config-file act, unless they say `observe: true`, those that are built in observe; "
  "act: those act too.  See recursor-defender(5)." },
{ "defender-config-file", TEXT(defender_config_file), "", "own",
  "The rules of the defender, a YAML file in the form of DNSdist Defender.  Empty: those built in.  "
  "With chroot it is read before." },
{ "defender-known-memory", SIZE(defender_known_memory, 0, SIZE_MOST), "16M", "own",
  "So many bytes remember which names were seen to exist: those are resolved although their domain "
  "is accused.  16M is room for 6 million.  0: none." },
{ "defender-known-time", INT(defender_known_time_s, 60, TTL_MAX, "seconds"), "172800", "own",
  "A name that is asked for is remembered for half as long to as long as this after it was last "
  "seen." },
{ "defender-memory", SIZE(defender_memory, 1048576, SIZE_MOST), "16M", "own",
  "So many bytes count who is asked for, and how often in vain: one half is the threads', one half "
  "holds the windows." },
{ "disable-packetcache", BOOL(disable_packetcache), "no", "3.2",
  "Keep no whole answers: each query is put together from the record cache." },
{ "disable-syslog", BOOL(disable_syslog), "no", "4.0.0",
  "Do not log to syslog.  In the foreground lines always go to stderr too." },
{ "dnssec", WORD(dnssec, "off process-no-validate process log-fail validate"), "process", "4.0.0",
  "off: nothing of DNSSEC.  process-no-validate: clients with DO get signatures and proofs; nothing is "
  "validated.  process: what is asked with DO or AD, and without CD, is validated; AD is set on what is "
  "secure, SERVFAIL takes the place of what is bogus.  log-fail: the same, but everything without CD is "
  "validated, and what is bogus logged.  validate: and nobody without CD gets what is bogus." },
{ "dnssec-disabled-algorithms", OURS(SET_ALGORITHMS, dnssec_disabled_algorithms, struct algorithm_set, 0, 255, NULL),
  "", "4.9.0",
  "Numbers of signature algorithms that are taken as unknown: a zone that has no other is insecure." },
{ "dnssec-log-bogus", BOOL(dnssec_log_bogus), "no", "4.0.0",
  "Log each answer that fails validation, and why.  rec_control set-dnssec-log-bogus changes it." },
{ "dnstap-identity", TEXT(dnstap_identity), SETTING_HOSTNAME, "own",
  "Who we are, in each message to dnstap-server.  Empty: it is not told." },
{ "dnstap-messages", WORDS(dnstap_messages, DNSTAP_MESSAGES), DNSTAP_MESSAGES, "own",
  "What is sent there: the messages of clients and those of servers, each way." },
{ "dnstap-queue-size", SIZE(dnstap_queue_size, DNSTAP_QUEUE_LEAST, 1LL << 30), "2M", "own",
  "So many bytes of messages wait in each thread for each server, as a power of two; what comes while "
  "they are full is dropped and counted (dnstap-drops)." },
{ "dnstap-reopen-interval", INT(dnstap_reopen_interval_s, 1, 3600, "seconds"), "5", "own",
  "A server that cannot be reached is tried again after so long." },
{ "dnstap-server", TAPS(dnstap_server), "", "own",
  "Send copies of messages (https://dnstap.info) to these readers of Frame Streams: paths of Unix "
  "sockets, and addresses with a port for TCP: /run/dnstap.sock, 192.0.2.1:6000.  With chroot paths "
  "are looked for within.  Empty: none." },
{ "dnstap-version", TEXT(dnstap_version), PACKAGE_STRING, "own",
  "What we are, in each message to dnstap-server.  Empty: it is not told." },
{ "dont-query", NETS(dont_query), LOCAL_NETS ", " BAD_NETS, "3.1.7.1",
  "Never send a query to these networks, whatever a delegation says.  Empty: ask anybody." },
{ "dont-throttle-names", NAMES(dont_throttle_names), "", "4.2.0",
  "Name servers of these names, or of names below them, are never throttled." },
{ "dont-throttle-netmasks", NETS(dont_throttle_netmasks), "", "4.2.0",
  "Servers of these addresses are never throttled." },
{ "drain-grace", INT(drain_grace_s, 0, 3600, "seconds"), "0", "own",
  "From rec_control drain until it may say that it is drained, and from SIGTERM or quit-nicely until "
  "it stops, everything is answered for so long, while /ready and the metric tell that nobody new "
  "should come: time for routers and load balancers to hear of it." },
{ "edns-outgoing-bufsize", INT(edns_outgoing_bufsize, 512, 4096, "bytes"), "1232", "4.0.0",
  "The size of answer that servers may send over UDP." },
{ "enable-old-settings", NO_MEMBER(SET_BOOL), "no", "5.2.0",
  "Accepted for the sake of PowerDNS's command lines: this form of recursor.conf is always "
  "read." },
{ "etc-hosts-file", TEXT(etc_hosts_file), "/etc/hosts", "3.2", "The hosts file for export-etc-hosts." },
{ "export-etc-hosts", BOOL(export_etc_hosts), "no", "3.1.2",
  "Answer for the names and addresses of the hosts file." },
{ "export-etc-hosts-search-suffix", TEXT(export_etc_hosts_search_suffix), "", "3.5",
  "What is put behind names of the hosts file that have no dot." },
{ "extended-resolution-errors", BOOL(extended_resolution_errors), "yes", "4.5.0",
  "Tell clients that speak EDNS why a resolution failed (RFC 8914)." },
{ "fair-share-ipv4-bits", INT(fair_share_ipv4_bits, 0, 32, "bits"), "32", "own",
  "When max-mthreads are being resolved, the client that has most gives up its oldest for one that "
  "has fewer.  IPv4 addresses that are equal in so many bits are one client." },
{ "fair-share-ipv6-bits", INT(fair_share_ipv6_bits, 0, 128, "bits"), "56", "own",
  "The same for IPv6 addresses." },
{ "flight-recorder-memory", SIZE(flight_recorder_memory, 0, SIZE_MOST), "16M", "own",
  "So many bytes, all threads together, hold how the last queries went that failed, were slow or were "
  "refused (rec_control explain --past): one half their stories, one half the steps of what is being "
  "resolved.  0: nothing is recorded." },
{ "flight-recorder-slow-msec", INT(flight_recorder_slow_msec, 0, 3600000, "milliseconds"), "1000", "own",
  "An answer that takes so long is recorded as slow.  0: none is." },
{ "forward-groups", FORWARD_GROUPS(forward_groups), "", "own",
  "Resolvers in groups, each with a name: scrubbers=192.0.2.1;[2001:db8::1]:5300, and more.  To one "
  "of them a policy may route a question, whatever its name is (`route` in defender-config-file); "
  "the group is asked for recursion, and what it answers is kept in no cache." },
{ "forward-zones", FORWARDS(forward_zones), "", "3.1.2",
  "Zones that are asked of given servers: example.com=192.0.2.1;[2001:db8::1]:5300, and more.  The "
  "servers are taken for authorities of the zone: what they delegate is followed.  ^ before the zone: a "
  "NOTIFY for it is heard." },
{ "forward-zones-file", TEXT(forward_zones_file), "", "3.1.7.1",
  "A file with one zone and its servers a line, # for comments.  + before the zone: as in "
  "forward-zones-recurse; ^: a NOTIFY for it is heard." },
{ "forward-zones-recurse", FORWARDS(forward_zones_recurse), "", "3.2",
  "As forward-zones, but the servers are resolvers and asked for recursion." },
{ "gettag-needs-edns-options", BOOL(gettag_needs_edns_options), "no", "4.1.0",
  "Show gettag() of lua-dns-script the query's EDNS options." },
{ "help", COMMAND, "", "3.0",
  "Print all settings, or with --help=PREFIX those that begin so, and end." },
{ "hint-file", TEXT(hint_file), "", "3.0",
  "A zone file with the names and addresses of the root's servers.  Empty: those built in.  "
  "no-refresh: those built in, and the root is not asked for newer ones.  no: none at all; "
  "then `.` must be a forward or a zone of our own." },
{ "ignore-unknown-settings", NO_MEMBER(SET_LIST), "", "4.6.0",
  "Names of settings that need not be known: they give a warning in place of an error." },
{ "include-dir", TEXT(include_dir), "", "3.6.0",
  "After recursor.conf read every *.conf of this directory, in order of name." },
{ "ipset-max-entries", BIG(ipset_max_entries, 0, 1000000000, "addresses"), "20000000", "own",
  "All sets of addresses that scripts open (iputils.newipset{}) hold at most so many together; 12 to "
  "16 bytes for one of IPv4, three times that for one of IPv6.  A set that is full refuses new ones." },
{ "ipset-max-sets", INT(ipset_max_sets, 0, 10000, "sets"), "64", "own",
  "So many of them may have a name, and be shared by all threads and seen by rec_control." },
{ "latency-statistic-size", INT(latency_statistic_size, 1, MANY, "queries"), "10000", "3.6.0",
  "About how many queries the average latency looks back." },
{ "local-address", ADDRS(local_address), "127.0.0.1, ::1", "3.0",
  "Addresses to serve clients on, each with a port if it is to be another than local-port: "
  "192.0.2.1:5300, [2001:db8::1]:5300.  Answers to a query received on 0.0.0.0 or :: leave from "
  "the address that was asked." },
{ "local-port", PORT(local_port), "53", "3.0",
  "The port for each local-address that has none of its own." },
{ "log-common-errors", BOOL(log_common_errors), "no", "3.0",
  "Log why a client is answered with SERVFAIL, at most once a second." },
{ "log-rate", INT(log_rate, 0, MANY, "lines"), "100", "own",
  "What one place in the code may log in a second; the log tells how many lines it held back.  What "
  "any client could cause is logged once a second at most.  0: no limit for the rest." },
{ "log-timestamp", BOOL(log_timestamp), "yes", "4.1.0",
  "Begin each line on stderr with the time." },
{ "logging-facility", WORD(logging_facility, "0 1 2 3 4 5 6 7"), "", "3.1.4",
  "Log to syslog's facility LOCALn, with n the digit given.  Empty: DAEMON." },
{ "loglevel", INT(loglevel, 0, 9, NULL), "6", "3.6.0",
  "What to log, as syslog counts: 3 errors, 4 warnings, 5 notices, 6 information, 7 and more "
  "everything.  Less than 3 is taken as 3; quiet=no raises it to 6." },
{ "lua-config-file", TEXT(lua_config_file), "", "4.0.0",
  "Run this file of Lua functions at the start: addTA(), clearTA(), addNTA(), clearNTA(), "
  "readTrustAnchorsFromFile(), zoneToCache(); see the sections TRUST ANCHORS and COPIES OF ZONES.  PowerDNS's other functions of that file "
  "are known and do nothing.  Empty: none." },
{ "lua-dns-script", TEXT(lua_dns_script), "", "3.1.7.1",
  "A script with hooks, in Lua 5.4 or compiled by luac: recursor-lua(7).  One that does not load at "
  "the start ends it.  rec_control reload-lua-script loads it anew." },
{ "lua-global-include-dir", TEXT(lua_global_include_dir), "", "5.2.0",
  "The files *.lua of this directory are run before lua-dns-script, in the order of their names." },
{ "lua-hook-instructions", INT(lua_hook_instructions, 0, MANY, NULL), "1000000", "own",
  "A call of a hook that takes more of Lua's instructions ends with an error; 1,000,000 take about "
  "10 ms, in which its thread answers nobody.  maintenance() may take 10 times, loading 1000 times "
  "as many.  0: no limit." },
{ "lua-hook-memory", SIZE(lua_hook_memory, 0, SIZE_MOST), "16M", "own",
  "So many bytes a call of a hook may take from memory; one that wants more ends with an error.  "
  "maintenance() and loading may take lua-memory-limit.  0: no limit." },
{ "lua-maintenance-interval", INT(lua_maintenance_interval_s, 0, 86400, "seconds"), "1", "4.2.0",
  "maintenance() of lua-dns-script is called so often in each thread.  0: never." },
{ "lua-memory-limit", SIZE(lua_memory_limit, 0, SIZE_MOST), "256M", "own",
  "So much memory a script may use in each thread, and its groups of networks, rate limits and "
  "empty ipsets without a name as much again.  "
  "0: no limit." },
{ "lua-start-stop-script", TEXT(lua_start_stop_script), "", "5.2.0",
  "A script that has nothing to do with queries: its on_recursor_start() is called when the threads "
  "serve, its on_recursor_stop() before they end, in a thread of its own: recursor-lua(7).  One that "
  "cannot be compiled at the start ends it." },
{ "max-background-resolutions", INT(max_background_resolutions, 0, MANY, NULL), "1000", "own",
  "Each thread has at most so many resolutions under way that no client waits for: those that go on "
  "after a client was served stale, and those that renew what is about to expire." },
{ "max-bytesperq", INT(max_bytesperq, 512, MANY, "bytes"), "100000", "5.1.10",
  "For one client query at most so much is received from servers." },
{ "max-cache-bogus-ttl", INT(max_cache_bogus_ttl_s, 1, TTL_MAX, "seconds"), "3600", "4.2.0",
  "What failed validation is kept no longer than this, and never longer than 300 seconds "
  "(RFC 9520)." },
{ "max-cache-entries", BIG(max_cache_entries, 1, MANY, "record sets"), "1000000", "3.0",
  "The size of the record cache, which all threads share.  It takes no more than 1024 bytes "
  "an entry on average, whatever their sizes." },
{ "max-cache-memory", SIZE(max_cache_memory, 0, SIZE_MOST), "0", "own",
  "So many bytes for all caches: record cache, packet caches and server table, with all that "
  "belongs to them, and at most a 32nd for public keys to validate with (dnssec-key-bytes).  "
  "8M or more.  0: 1024 for each entry that max-cache-entries and "
  "max-packetcache-entries allow, and 4M.  These two hold beside it." },
{ "max-cache-ttl", INT(max_cache_ttl_s, 1, TTL_MAX, "seconds"), "86400", "3.2",
  "Records are kept no longer than this, whatever their TTL." },
{ "max-chain-length", INT(max_chain_length, 0, MANY, "queries"), "0", "5.1.0",
  "At most so many queries wait for the answer to one equal question.  0: no limit." },
{ "max-cnames-followed", INT(max_cnames_followed, 1, 20, NULL), "10", "5.1.0",
  "A chain of CNAME and DNAME records may have so many links." },
{ "max-concurrent-requests-per-tcp-connection",
  INT(max_concurrent_requests_per_tcp_connection, 1, 65535, "queries"), "10", "4.3.0",
  "A client's TCP connection is not read further while so many of its queries are unanswered." },
{ "max-dnskeys", INT(max_dnskeys, 0, 255, "keys"), "2", "4.8.6",
  "Of a zone's keys with a signature's tag and algorithm so many are tried.  0: no limit." },
{ "max-ds-lookups-per-record", INT(max_ds_lookups_per_record, 0, 255, "names"), "40", "own",
  "On the way to a record set without signatures so many names are looked at, each for a delegation that "
  "would make it Insecure; beyond it is Bogus.  Names that one NSEC record proves to be none count as "
  "one.  0: no limit." },
{ "max-ds-per-zone", INT(max_ds_per_zone, 0, 255, "records"), "8", "4.8.6",
  "Of a zone's DS records so many are tried.  0: no limit." },
{ "max-generate-steps", INT(max_generate_steps, 0, MANY, "steps"), "0", "4.3.0",
  "The longest $GENERATE in a zone file.  0: no limit." },
{ "max-goals", INT(max_goals, 10, 10000000, NULL), "100000", "own",
  "Each thread resolves at most so many names at once, those of name servers included." },
{ "max-include-depth", INT(max_include_depth, 0, 1000, "files"), "20", "4.6.0",
  "So deep may zone files be nested with $INCLUDE." },
{ "max-inflight-per-server", INT(max_inflight_per_server, 0, 100, "percent"), "50", "own",
  "At most so many questions, as a part of max-mthreads times threads, are on their way to one "
  "server; fewer while it answers late or not at all.  Beyond it another server of the zone is "
  "asked, or the client is answered SERVFAIL at once.  0: no limit." },
{ "max-inflight-per-zone", INT(max_inflight_per_zone, 0, 100, "percent"), "25", "own",
  "At most so many queries, as a part of max-mthreads, wait in each thread for the servers of one "
  "zone; fewer questions are sent while they answer late or not at all.  Beyond it a client is "
  "answered SERVFAIL at once.  The root and top-level domains, where everybody is after a start, "
  "are limited only when their servers time out.  0: no limit." },
{ "max-lua-udp-queries", INT(max_lua_udp_queries, 0, 60000, "packets"), "256", "own",
  "So many packets of a script's udpQueryResponse wait in each thread for their replies, each as "
  "long as network-timeout; beyond it the script is told that there is none.  0: it may send none." },
{ "max-mthreads", INT(max_mthreads, 1, 1000000, "queries"), "2048", "3.2",
  "Each thread resolves at most so many client queries at once; beyond that a query is answered "
  "if the cache has its answer, takes the place of one of a client that has more of them "
  "(fair-share-ipv4-bits), or is dropped." },
{ "max-negative-ttl", INT(max_negative_ttl_s, 1, TTL_MAX, "seconds"), "3600", "3.0",
  "That a name or type does not exist is kept no longer than this." },
{ "max-ns-address-qperq", INT(max_ns_address_qperq, 1, 1000, NULL), "10", "4.1.16",
  "For one client query, at most so many name servers' addresses are looked for in vain." },
{ "max-ns-per-resolve", INT(max_ns_per_resolve, 0, 1000, NULL), "13", "4.5.11",
  "Of a delegation to more name servers than this, so many are used, chosen at random.  Never "
  "more than 13 are, whatever stands here; 0: 13." },
{ "max-nsec3-hash-computations-per-query",
  INT(max_nsec3_hash_computations_per_query, 0, MANY, "hashes"), "600", "4.8.6",
  "For one client query NSEC3 records may cost so many applications of their hash; beyond it the answer "
  "is SERVFAIL.  0: no limit." },
{ "max-nsec3s-per-record", INT(max_nsec3s_per_record, 0, 1000, "records"), "10", "4.8.6",
  "Of the NSEC3 records that are to prove a denial so many are looked at.  0: no limit." },
{ "max-packetcache-entries", BIG(max_packetcache_entries, 1, MANY, "answers"), "500000", "3.2",
  "The size of the packet cache, divided among the threads.  It takes no more than 1024 bytes an "
  "entry on average.  An answer enters it when it is asked for a second time." },
{ "max-packetcache-entry-size", INT(max_packetcache_entry_size, 64, 65535, "bytes"), "8192",
  "5.1.10", "Larger answers are not kept in the packet cache." },
{ "max-qperq", INT(max_qperq, 1, 10000, "questions"), "50", "3.7.0",
  "For one client query servers are asked at most so often." },
{ "max-recordcache-entry-size", INT(max_recordcache_entry_size, 64, 131072, "bytes"), "8192",
  "5.1.10", "Larger record sets are not kept in the record cache." },
{ "max-recursion-depth", INT(max_recursion_depth, 0, 100, NULL), "16", "4.0.4",
  "Names that must be resolved to resolve names to resolve a name: so deep it may go.  0: as deep "
  "as max-qperq allows." },
{ "max-rrsigs-per-record", INT(max_rrsigs_per_record, 0, 255, "signatures"), "2", "4.8.6",
  "Of a record set's signatures so many are tried.  0: no limit." },
{ "max-rrset-size", INT(max_rrset_size, 1, 1024, "records"), "256", "4.9.9",
  "Larger record sets of servers are refused." },
{ "max-signature-validations-per-query",
  INT(max_signature_validations_per_query, 0, MANY, "signatures"), "30", "4.8.6",
  "For one client query so many signatures are checked; beyond it the answer is SERVFAIL.  0: no limit." },
{ "max-tcp-clients", INT(max_tcp_clients, 1, 1000000, "connections"), "1024", "3.0",
  "Clients may hold so many TCP connections in all." },
{ "max-tcp-per-client", INT(max_tcp_per_client, 0, 1000000, "connections"), "0", "3.0",
  "Each client address may hold so many TCP connections.  0: no limit." },
{ "max-tcp-queries-per-connection", INT(max_tcp_queries_per_connection, 0, MANY, "queries"), "0",
  "4.1.0", "A client's TCP connection is closed after so many queries.  0: no limit." },
{ "max-total-msec", INT(max_total_msec, 0, 600000, "milliseconds"), "7000", "3.7.0",
  "A client query that takes longer than this is answered with SERVFAIL.  0: no limit of time." },
{ "max-udp-queries-per-round", INT(max_udp_queries_per_round, 1, MANY, "queries"), "10000",
  "4.1.4", "After so many queries received over UDP other work has its turn." },
{ "minimum-ttl-override", INT(minimum_ttl_override_s, 0, TTL_MAX, "seconds"), "1", "3.6.0",
  "Shorter TTLs are raised to this; of what is signed to no more than its signature has left." },
{ "negative-trustanchors", TEXT(negative_trustanchors), "", "5.1.0",
  "Zones that are not validated, with all below them (RFC 7646)." },
{ "network-down-servers", INT(network_down_servers, 0, WEATHER_MIN_SERVERS_MAX, NULL), "8", "own",
  "Our own network is taken to be down when servers in so many networks that had answered fail "
  "together while nobody answers: none is blamed then, and questions are kept back until one does.  "
  "0: never." },
{ "network-timeout", INT(network_timeout_ms, 10, 60000, "milliseconds"), "1500", "3.2",
  "The longest wait for a server's answer." },
{ "non-local-bind", BOOL(non_local_bind), "no", "4.0.0",
  "Serve on addresses that this host does not have, or not yet." },
{ "non-resolving-ns-max-fails", INT(non_resolving_ns_max_fails, 0, MANY, NULL), "5", "4.5.0",
  "A name server for whose name no address was found so many times in a row is left out.  0: "
  "never." },
{ "non-resolving-ns-throttle-time",
  INT(non_resolving_ns_throttle_time_s, 1, 86400, "seconds"), "60", "4.5.0",
  "It is left out for so long." },
{ "nothing-below-nxdomain", WORD(nothing_below_nxdomain, "no dnssec yes"), "dnssec", "4.3.0",
  "Where a name does not exist nothing exists below it (RFC 8020).  Believe that: no; dnssec: of "
  "validated answers; yes: always." },
{ "nsec3-max-iterations", INT(nsec3_max_iterations, 0, 2500, "iterations"), "50", "4.1.0",
  "A denial by NSEC3 records with more iterations proves nothing, and makes the answer insecure "
  "(RFC 9276); the client is told with an Extended DNS Error, 27." },
{ "nta-extended-error", BOOL(nta_extended_error), "no", "5.5.0",
  "Tell clients with an Extended DNS Error, 33, that the answer is not validated because of a negative "
  "trust anchor." },
{ "nta-lifetime", INT(nta_lifetime_s, 0, 31536000, "seconds"), "86400", "own",
  "A negative trust anchor that rec_control add-nta adds without a ttl ends after so long (RFC 7646 2).  "
  "0: it does not." },
{ "nta-recheck-interval", INT(nta_recheck_interval_s, 0, 86400, "seconds"), "300", "own",
  "Every zone for which rec_control has added a negative trust anchor is looked at so often, as if there "
  "were none; when its SOA validates the anchor ends.  0: never." },
{ "outgoing-port", PORT(outgoing_port), "53", "own",
  "The port at which servers are asked.  Another than 53 is for laboratories." },
{ "packetcache-negative-ttl", INT(packetcache_negative_ttl_s, 0, TTL_MAX, "seconds"), "60",
  "4.9.0", "Negative answers stay in the packet cache no longer than this." },
{ "packetcache-servfail-ttl", INT(packetcache_servfail_ttl_s, 0, TTL_MAX, "seconds"), "60",
  "3.2", "SERVFAIL answers stay in the packet cache no longer than this." },
{ "packetcache-ttl", INT(packetcache_ttl_s, 0, TTL_MAX, "seconds"), "86400", "3.2",
  "Answers stay in the packet cache no longer than this." },
{ "public-suffix-list-file", TEXT(public_suffix_list_file), "", "4.2.0",
  "A list of public suffixes in the form of publicsuffix.org, to group names by.  Empty: that of "
  "the system's package publicsuffix, or of libpsl." },
{ "qname-max-minimize-count", INT(qname_max_minimize_count, 1, 127, NULL), "10", "5.0.0",
  "A name is shortened for at most so many questions (RFC 9156: MAX_MINIMISE_COUNT)." },
{ "qname-minimization", BOOL(qname_minimization), "yes", "4.3.0",
  "Show each server no more of a name than it needs to see (RFC 9156)." },
{ "qname-minimize-one-label", INT(qname_minimize_one_label, 0, 127, NULL), "4", "5.0.0",
  "So many of them lengthen it by one label (RFC 9156: MINIMISE_ONE_LAB)." },
{ "query-local-address", ADDRS(query_local_address), "0.0.0.0, ::", "3.0",
  "Addresses to ask servers from.  0.0.0.0 and ::: any.  Without an address of a family, servers "
  "are not asked over it." },
{ "query-log-rate", INT(query_log_rate, 0, MANY, "lines"), "1000", "own",
  "What quiet=no and rec_control log-queries write in a second at most; the log tells how many lines "
  "it did not write.  0: no limit." },
{ "quiet", BOOL(quiet), "yes", "3.0",
  "Do not log each query and its answer.  SIGUSR2 turns it over." },
{ "record-cache-locked-ttl-perc",
  INT(record_cache_locked_ttl_perc, 0, 100, "percent of the TTL"), "0", "4.8.0",
  "For so much of its TTL a record set in the cache is not replaced by another that ranks no "
  "higher, so that a forged answer has little time to replace a good one.  What "
  "refresh-on-ttl-perc asks for replaces it all the same." },
{ "ready-test-name", TEXT(ready_test_name), ".", "own",
  "With webserver=yes this is asked of each thread every second, and /ready says yes while it is "
  "answered: a name, and a type behind a blank, if it is not A, or NS for the root.  Empty: nothing "
  "is asked." },
{ "record-cache-shards", INT(record_cache_shards, 1, 65536, NULL), "1024", "4.4.0",
  "The record cache is divided into so many parts with a lock each.  A power of two, or it is "
  "raised to the next." },
{ "refresh-on-ttl-perc", INT(refresh_on_ttl_perc, 0, 99, "percent of the TTL"), "0", "4.5.0",
  "When a name is asked for and no more than this is left of its TTL, it is answered from the cache "
  "and fetched anew, so that what is asked for often never expires.  10 is usual.  0: never." },
{ "resolution-failure-ttl", INT(failure_ttl_s, 1, 300, "seconds"), "5", "own",
  "A name that could not be resolved is not tried again for so long (RFC 9520)." },
{ "reuseport", BOOL(reuseport), "yes", "4.0.0",
  "Each thread has sockets of its own, and the kernel spreads the clients over them.  With "
  "more than one thread it is always so.  An address that another process has is an error." },
{ "root-key-sentinel", BOOL(root_key_sentinel), "no", "own",
  "Answer names that begin with root-key-sentinel-is-ta- and root-key-sentinel-not-ta- according to "
  "which keys of the root are trusted here (RFC 8509)." },
{ "root-nx-trust", BOOL(root_nx_trust), "yes", "3.7.0",
  "When a root server says that a top-level domain does not exist, nothing below it does." },
{ "save-parent-ns-set", BOOL(save_parent_ns_set), "yes", "4.7.0",
  "When the name servers that a zone names itself fail, those that its parent names are asked.  It is "
  "always done: no gives a warning." },
{ "security-poll-interval", INT(security_poll_interval_s, 1, 604800, "seconds"), "3600", "own",
  "security-poll-suffix is asked so often; after a question without answer, 60 times sooner." },
{ "security-poll-suffix", NAME(security_poll_suffix), "", "3.6.2",
  "The zone that knows of security problems: it is asked by DNS for this version, after the start "
  "and then every security-poll-interval.  The metric security-status and the log tell what it "
  "says.  Empty: nobody is asked.  There is no public zone; the section SECURITY POLLING says how to "
  "have one." },
{ "serve-rfc1918", BOOL(serve_rfc1918), "yes", "3.1.2",
  "Answer reverse lookups of private addresses (RFC 1918) here: there is nothing." },
{ "serve-rfc6303", BOOL(serve_rfc6303), "yes", "5.1.3",
  "The same for the other zones of RFC 6303." },
{ "serve-stale-client-timeout", INT(serve_stale_client_timeout_ms, 0, MANY, "milliseconds"),
  "1800", "own",
  "With serve-stale-extensions: a client waits so long for an answer before it gets an expired one "
  "(RFC 8767); the resolution goes on and renews the cache.  0: expired data are served at once "
  "while they are being renewed." },
{ "serve-stale-extensions", INT(serve_stale_extensions, 0, 1000000, "times 30 seconds"), "0",
  "4.8.0",
  "Expired records are kept for so many times 30 seconds, and served with a TTL of 30 and an "
  "Extended DNS Error when servers do not answer (RFC 8767).  2880 is a day.  0: never." },
{ "server-down-max-fails", INT(server_down_max_fails, 0, MANY, NULL), "64", "3.6.0",
  "A server that failed so many times in a row is taken to be down.  0: never." },
{ "server-down-throttle-time", INT(server_down_throttle_time_s, 1, 86400, "seconds"), "60",
  "3.6.0", "A server that is down is left alone for so long." },
{ "server-id", TEXT(server_id), SETTING_HOSTNAME, "3.0",
  "The answer to id.server CH TXT.  disabled: there is none." },
{ "setgid", GROUP(setgid), "", "3.0",
  "Take on this group when the sockets are open.  Empty: the group of setuid's user." },
{ "setuid", USER(setuid), "", "3.0",
  "Take on this user when the sockets are open, with no way back." },
{ "signature-inception-skew", INT(signature_inception_skew_s, 0, 86400, "seconds"), "60", "4.1.5",
  "A signature may be from so far in the future: clocks differ." },
{ "socket-dir", TEXT(socket_dir), "", "3.0",
  "The directory of the control socket and the pid file.  Empty: " RUNSTATEDIR "/pdns-recursor, "
  "which is made if it is not there." },
{ "socket-group", GROUP(socket_group), "", "3.2", "The group that the control socket gets." },
{ "socket-mode", MODE(socket_mode), "", "3.2",
  "The control socket's mode, in octal.  Empty: 600." },
{ "socket-owner", USER(socket_owner), "", "3.2", "The user that the control socket gets." },
{ "spoof-nearmiss-max", INT(spoof_nearmiss_max, 0, 65535, NULL), "1", "3.0",
  "After so many answers that are almost right the question is asked over TCP.  0: never." },
{ "statistics-interval", INT(statistics_interval_s, 0, TTL_MAX, "seconds"), "1800", "4.1.0",
  "Log a summary of the statistics so often.  0: never.  SIGUSR1 logs it at once." },
{ "stats-api-disabled-list", NO_MEMBER(SET_LIST),
  "cache-bytes, packetcache-bytes, special-memory-usage", "4.5.0",
  "Metrics that the HTTP API's list of statistics and Prometheus leave out; asked for by name they "
  "are shown.  The name of a metric of many values, cumul-clientanswers for one, stands for all of "
  "them, in each of these lists." },
{ "stats-carbon-disabled-list", NO_MEMBER(SET_LIST), STATS_HIDDEN, "4.5.0",
  "Metrics that are not sent to carbon." },
{ "stats-rec-control-disabled-list", NO_MEMBER(SET_LIST), STATS_HIDDEN, "4.5.0",
  "Metrics that rec_control get-all leaves out; get shows them." },
{ "stats-ringbuffer-entries",
  INT(stats_ringbuffer_entries, 0, RING_ENTRIES_MAX, NULL), "10000", "3.7.0",
  "So many of the last clients, questions, failures and so on are kept for rec_control top-*, all "
  "threads together; an entry with a name takes 64 bytes.  0, or fewer than threads: none." },
{ "structured-logging", BOOL(structured_logging), "yes", "4.6.0",
  "Log in the form of structured-logging-backend.  When off: lines of text." },
{ "structured-logging-backend", WORD(structured_logging_backend, "default json logfmt systemd-journal"),
  "default", "4.8.0",
  "default: lines of text; json: an object a line; logfmt: lines of key=\"value\", as PowerDNS writes "
  "by default; systemd-journal: to the journal with fields of its own, and to nothing else unless it "
  "cannot be reached." },
{ "tcp-out-max-idle-ms", INT(tcp_out_max_idle_ms, 0, 600000, "milliseconds"), "10000", "4.6.0",
  "An idle TCP connection to a server is kept for so long." },
{ "tcp-out-max-idle-per-auth", INT(tcp_out_max_idle_per_auth, 0, 65535, "connections"), "10",
  "4.6.0", "So many idle ones are kept to one server." },
{ "tcp-out-max-idle-per-thread", INT(tcp_out_max_idle_per_thread, 0, 65535, "connections"),
  "100", "4.6.0", "So many idle ones are kept by each thread." },
{ "tcp-out-max-queries", INT(tcp_out_max_queries, 0, MANY, "questions"), "0", "4.6.0",
  "A TCP connection to a server is closed after so many questions.  0: no limit." },
{ "threads", INT(threads, 1, 256, NULL), "2", "3.2", "Threads that serve clients." },
{ "top-cost-entries", INT(top_cost_entries, 0, COSTS_ENTRIES_MAX, NULL), "256", "own",
  "So many clients, domains, servers are told apart for rec_control top-cost in each slot of time "
  "by each thread; 256 take 3 MB a thread.  0: nothing is measured." },
{ "trace", WORD(trace, "no yes fail"), "no", "3.0",
  "Log each step in resolving a client's question: yes: of all, fail: of those answered with "
  "SERVFAIL.  Many at once are not all traced (trace-queries-skipped).  rec_control trace-regex "
  "does it for some names." },
{ "trust-anchor-signaling", BOOL(trust_anchor_signaling), "no", "own",
  "Tell the servers of zones with a trust anchor once a day which of their keys are trusted here, by a "
  "question for _ta-4f66-9728 or the like (RFC 8145)." },
{ "trustanchor-state-file", TEXT(trustanchor_state_file), "", "own",
  "Follow the rollovers of keys that trust anchors are of (RFC 5011), and keep in this file which are "
  "trusted by now.  Its directory must be writable for setuid's user.  Empty: the anchors stay what they "
  "are configured to be." },
{ "trustanchorfile", TEXT(trustanchorfile), "", "5.1.0",
  "A file in a zone file's form whose DS and DNSKEY records are the trust anchors, in the place of the "
  "root's keys that are built in.  Other records in it do not matter." },
{ "trustanchorfile-interval", INT(trustanchorfile_interval_h, 0, 8760, "hours"), "24", "5.1.0",
  "trustanchorfile is read again so often.  0: never." },
{ "udp-source-port-avoid", AVOID, "4791, 11211", "4.2.0",
  "Servers are not asked from these ports." },
{ "udp-source-port-max", PORT(udp_source_port_max), "65535", "4.2.0",
  "The highest port from which servers are asked." },
{ "udp-source-port-min", PORT(udp_source_port_min), "1024", "4.2.0",
  "The lowest port from which servers are asked." },
{ "udp-truncation-threshold", INT(udp_truncation_threshold, 512, 4096, "bytes"), "1232", "3.6.0",
  "Answers over UDP are never larger than this, whatever size the client allows." },
{ "use-0x20", BOOL(use_0x20), "no", "own",
  "Ask with letters of random case, and have the answer repeat them.  It makes forging answers "
  "harder; a few servers cannot do it." },
{ "version", COMMAND, "", "3.1.7.1", "Print the version and end." },
{ "version-string", TEXT(version_string), PACKAGE_STRING, "3.0",
  "The answer to version.bind CH TXT." },
{ "webserver", BOOL(webserver), "no", "4.0.0",
  "Serve the live page, the API, /metrics, /live and /ready over HTTP; see recursor-api(5)." },
{ "webserver-address", ADDRS(webserver_address), "127.0.0.1", "4.0.0",
  "The addresses at which the web server listens, each with a port if it is not webserver-port." },
{ "webserver-allow-from", NETS(webserver_allow_from), "127.0.0.1, ::1", "3.7.0",
  "Who may connect to the web server; the connections of others are closed before anything is "
  "read.  Empty: nobody." },
{ "webserver-hash-plaintext-credentials", BOOL(webserver_hash_plaintext_credentials), "no", "4.6.0",
  "Put hashes in the place of a plain api-key and webserver-password when they are read." },
{ "webserver-idle-timeout", INT(webserver_idle_timeout_s, 1, 3600, "seconds"), "5", "own",
  "A connection to the web server is closed when nothing of a request comes for so long." },
{ "webserver-loglevel", WORD(webserver_loglevel, "none normal detailed"), "normal", "4.2.0",
  "What is logged of requests: nothing, a line each, or their headers too." },
{ "webserver-max-connections", INT(webserver_max_connections, 1, 10000, NULL), "128", "own",
  "Connections to the web server at once.  One more takes the place of the one that has been longest "
  "about its request." },
{ "webserver-max-connections-per-client",
  INT(webserver_max_connections_per_client, 1, 10000, NULL), "32", "own",
  "The same from one address." },
{ "webserver-max-header-size",
  INT(webserver_max_header_size, 2048, 1048576, "bytes"), "16384", "own",
  "The longest first line and headers of a request, about." },
{ "webserver-max-request-size", INT(webserver_max_request_size, 1, 1024, "MiB"), "2", "5.3.6",
  "The longest body of a request." },
{ "webserver-password", TEXT(webserver_password), "", "4.0.0",
  "The password of /metrics and of what the live page shows, with any user name: as it is, or as "
  "rec_control hash-password prints it.  Empty: whoever may connect sees them." },
{ "webserver-port", PORT(webserver_port), "8082", "4.0.0", "The web server's port." },
{ "webserver-request-timeout", INT(webserver_request_timeout_s, 1, 3600, "seconds"), "15", "own",
  "A request must be whole after so long, and again its reply taken." },
{ "write-pid", BOOL(write_pid), "yes", "4.0.0",
  "Write the process id to pdns_recursor[-NAME].pid in socket-dir." },
{ "x-dnssec-names", NAMES(x_dnssec_names), "", "4.5.0",
  "What comes of validating these names, and those below them, is counted apart, in x-dnssec-result-* "
  "in the place of dnssec-result-*." },

/* What PowerDNS has and we do not, yet. */
{ "cpu-map", LATER(TEXT), "", "4.1.0", "CPUs for threads" },
{ "dns64-prefix", LATER(TEXT), "", "4.4.0", "prefix of DNS64 answers" },
{ "dot-to-auth-names", LATER(LIST), "", "4.6.0", "servers asked over TLS" },
{ "dot-to-port-853", LATER(BOOL), "yes", "4.6.0", "port 853 means TLS" },
{ "edns-padding-from", LATER(NETS), "", "4.5.0", "clients that get padded answers" },
{ "edns-padding-mode", LATER(TEXT), "padded-queries-only", "4.5.0", "which answers are padded" },
{ "edns-padding-out", LATER(BOOL), "yes", "4.8.0", "pad questions over TLS" },
{ "edns-padding-tag", LATER(INT), "7830", "4.5.0", "packet cache tag of padded answers" },
{ "event-trace-enabled", LATER(INT), "0", "4.6.0", "where events are traced to" },
{ "limit-qtype-any", LATER(BOOL), "yes", "4.9.9", "max-rrset-size holds for ANY too" },
{ "log-rpz-changes", LATER(BOOL), "no", "4.1.0", "log changes of RPZ zones" },
{ "lowercase-outgoing", LATER(BOOL), "no", "3.7.4", "ask servers in lower case" },
{ "max-busy-dot-probes", LATER(INT), "0", "4.7.0", "servers probed for TLS at once" },
{ "new-domain-db-size", LATER(INT), "67108864", "4.2.0", "cells of the filter" },
{ "new-domain-db-snapshot-interval", LATER(INT), "600", "5.1.0", "seconds between two snapshots" },
{ "new-domain-history-dir", LATER(TEXT), "", "4.2.0", "directory of the snapshots" },
{ "new-domain-ignore-list", LATER(LIST), "", "4.5.0", "names never new" },
{ "new-domain-ignore-list-file", LATER(TEXT), "", "5.1.0", "the same from a file" },
{ "new-domain-log", LATER(BOOL), "yes", "4.2.0", "log new names" },
{ "new-domain-lookup", LATER(TEXT), "", "4.2.0", "tell of new names by a lookup below this one" },
{ "new-domain-pb-tag", LATER(TEXT), "pdns-nod", "4.2.0", "tag of new names in protobuf" },
{ "new-domain-tracking", LATER(BOOL), "no", "4.2.0", "notice names never seen before" },
{ "out-any-to-tcp", LATER(BOOL), "yes", "5.4.0", "ask for ANY over TCP" },
{ "outgoing-cookies", LATER(BOOL), "no", "5.4.0", "cookies for servers" },
{ "outgoing-cookies-unsupported", LATER(ADDRS), "", "5.4.0", "servers without cookies" },
{ "packetcache-shards", LATER(INT), "1024", "4.9.0", "parts of the packet cache" },
{ "protobuf-use-kernel-timestamp", LATER(BOOL), "no", "4.2.0",
  "latency from the kernel's time of receipt" },
{ "proxy-protocol-exceptions", LATER(ADDRS), "", "5.1.0", "own addresses without PROXY header" },
{ "proxy-protocol-from", LATER(NETS), "", "4.4.0", "senders that must use PROXY v2" },
{ "proxy-protocol-maximum-size", LATER(INT), "512", "4.4.0", "longest PROXY header" },
{ "snmp-agent", LATER(BOOL), "no", "4.1.0", "SNMP over AgentX" },
{ "snmp-daemon-socket", LATER(TEXT), "", "4.5.0", "socket of the SNMP daemon" },
{ "stats-snmp-disabled-list", LATER(LIST), "", "4.5.0", "metrics not in SNMP" },
{ "system-resolver-interval", LATER(INT), "0", "5.1.0",
  "seconds between lookups of forwarders' names" },
{ "system-resolver-self-resolve-check", LATER(BOOL), "yes", "5.1.0",
  "notice when the system asks us" },
{ "system-resolver-ttl", LATER(INT), "0", "5.1.0", "TTL of forwarders' names" },
{ "tcp-fast-open", LATER(INT), "0", "4.1.0", "TCP fast open for clients" },
{ "tcp-fast-open-connect", LATER(BOOL), "no", "4.5.0", "TCP fast open to servers" },
{ "unique-response-db-size", LATER(INT), "67108864", "4.2.0", "cells of the filter" },
{ "unique-response-history-dir", LATER(TEXT), "", "4.2.0", "directory of the snapshots" },
{ "unique-response-ignore-list", LATER(LIST), "", "5.1.0", "names left out" },
{ "unique-response-ignore-list-file", LATER(TEXT), "", "5.1.0", "the same from a file" },
{ "unique-response-log", LATER(BOOL), "yes", "4.2.0", "log unique answers" },
{ "unique-response-pb-tag", LATER(TEXT), "pdns-udr", "4.2.0", "tag of unique answers in protobuf" },
{ "unique-response-tracking", LATER(BOOL), "no", "4.2.0", "notice answers never seen before" },

/* Old names of ours: `initial` is the row that each stands for. */
{ "experimental-api-config-dir", ALIAS, "api-config-dir", "3.6.0", "has another name since" },
{ "experimental-api-key", ALIAS, "api-key", "3.6.2", "has another name since" },
{ "experimental-api-readonly", ALIAS, "api-readonly", "3.6.0", "has another name since" },
{ "experimental-webserver", ALIAS, "webserver", "3.6.0", "has another name since" },
{ "experimental-webserver-address", ALIAS, "webserver-address", "3.6.0", "has another name since" },
{ "experimental-webserver-password", ALIAS, "webserver-password", "3.6.0", "has another name since" },
{ "experimental-webserver-port", ALIAS, "webserver-port", "3.6.0", "has another name since" },

/* What has no use here, or has another name now: the text says which. */
{ "aaaa-additional-processing", NO_USE, "", "", "gone before 3.7" },
{ "additional-processing", NO_USE, "", "", "gone before 3.7" },
{ "api-logfile", NO_USE, "", "", "gone since 4.2" },
{ "auth-can-lower-ttl", NO_USE, "", "", "gone before 3.7" },
{ "delegation-only", NO_USE, "", "", "gone since 4.6" },
{ "devonly-regression-test-mode", NO_USE, "", "", "internal to PowerDNS" },
{ "disable-edns", NO_USE, "", "", "gone since 4.0" },
{ "disable-real-memory-usage", NO_USE, "", "", "gone" },
{ "distribution-load-factor", NO_USE, "", "", "the kernel spreads clients over threads" },
{ "distribution-pipe-buffer-size", NO_USE, "", "", "there are no distributor threads" },
{ "distributor-threads", NO_USE, "", "", "there are none: each thread has sockets of its own" },
{ "ecs-add-for", NO_USE, "", "", ECS_REASON },
{ "ecs-cache-limit-ttl", NO_USE, "", "", ECS_REASON },
{ "ecs-ipv4-bits", NO_USE, "", "", ECS_REASON },
{ "ecs-ipv4-cache-bits", NO_USE, "", "", ECS_REASON },
{ "ecs-ipv4-never-cache", NO_USE, "", "", ECS_REASON },
{ "ecs-ipv6-bits", NO_USE, "", "", ECS_REASON },
{ "ecs-ipv6-cache-bits", NO_USE, "", "", ECS_REASON },
{ "ecs-ipv6-never-cache", NO_USE, "", "", ECS_REASON },
{ "ecs-minimum-ttl-override", NO_USE, "", "", ECS_REASON },
{ "ecs-scope-zero-address", NO_USE, "", "", ECS_REASON },
{ "edns-subnet-allow-list", NO_USE, "", "", ECS_REASON },
{ "edns-subnet-harden", NO_USE, "", "", ECS_REASON },
{ "edns-subnet-whitelist", NO_USE, "", "", ECS_REASON },
{ "entropy-source", NO_USE, "", "", "random numbers come from the kernel" },
{ "experimental-json-interface", NO_USE, "", "", "gone before 3.7" },
{ "experimental-logfile", NO_USE, "", "", "gone since 4.2" },
{ "fork", NO_USE, "", "", "gone before 3.7" },
{ "ignore-rd-bit", NO_USE, "", "", "gone before 3.7" },
{ "logfile", NO_USE, "", "", "gone before 3.7" },
{ "new-domain-whitelist", NO_USE, "", "", "now new-domain-ignore-list" },
{ "no-shuffle", NO_USE, "", "", "internal to PowerDNS" },
{ "pdns-distributes-queries", NO_USE, "", "", "the kernel spreads clients over threads" },
{ "processes", NO_USE, "", "", "there is one process with threads" },
{ "query-local-address6", NO_USE, "", "", "now part of query-local-address" },
{ "remotes-ringbuffer-entries", NO_USE, "", "", "now stats-ringbuffer-entries" },
{ "rng", NO_USE, "", "", "random numbers come from the kernel" },
{ "single-socket", NO_USE, "", "", "a question must leave from a random port" },
{ "snmp-master-socket", NO_USE, "", "", "now snmp-daemon-socket" },
{ "soa-minimum-ttl", NO_USE, "", "", "internal to PowerDNS" },
{ "soa-serial-offset", NO_USE, "", "", "gone before 3.7" },
{ "stack-cache-size", NO_USE, "", "", "a resolution needs no stack of its own" },
{ "stack-size", NO_USE, "", "", "a resolution needs no stack of its own" },
{ "stats-api-blacklist", NO_USE, "", "", "now stats-api-disabled-list" },
{ "stats-carbon-blacklist", NO_USE, "", "", "now stats-carbon-disabled-list" },
{ "stats-rec-control-blacklist", NO_USE, "", "", "now stats-rec-control-disabled-list" },
{ "stats-snmp-blacklist", NO_USE, "", "", "now stats-snmp-disabled-list" },
{ "taskthreads", NO_USE, "", "", "background work is done by the threads that serve" },
{ "tcp-threads", NO_USE, "", "", "each thread serves UDP and TCP" },
{ "use-incoming-edns-subnet", NO_USE, "", "", ECS_REASON },
{ "use-logfile", NO_USE, "", "", "gone before 3.7" },
{ "xpf-allow-from", NO_USE, "", "", "gone" },
{ "xpf-rr-code", NO_USE, "", "", "gone" },
};
/* clang-format on */

const size_t settings_count = ARRAY_LEN(settings_table);
