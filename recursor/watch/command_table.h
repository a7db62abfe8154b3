/*
 * command_table: the one table of control commands.
 *
 * A row is a command: the server's table (commands.h), `help`, rec_control's usage, which of its
 * commands come with a file and how long it waits, the list in rec_control(1) and the tests that
 * walk them all come from it.  To add a command is to add a row and its function.  A second table has
 * the commands of PowerDNS that are not here.
 */
#ifndef WATCH_COMMAND_TABLE_H
#define WATCH_COMMAND_TABLE_H

enum { COMMAND_WORDS_MAX = 1024 };

/* Where the arguments hold the name of a file, to be opened by the client.  First: it is needed,
 * and does not go over the socket.  May: the second is one if it is there.  Reads: the second is one
 * to be read from, the others are written to. */
enum command_file {
	COMMAND_TAKES_NONE,
	COMMAND_TAKES_FILE,
	COMMAND_MAY_TAKE_FILE,
	COMMAND_READS_FILE,
};

/* Of top-*, whichever ring. */
#define TOP_ARGUMENTS "[client=NETMASK] [suffix=NAME] [limit=N]"

/* word, another word for it, arguments, fewest and most arguments (the file not counted), comes
 * with a file (true: COMMAND_TAKES_FILE), seconds that rec_control waits for the answer, function, help.
 * In order of the words. */
// clang-format off
#define COMMANDS(X)                                                                              \
	X("add-dont-throttle-names", "", "NAME...", 1, COMMAND_WORDS_MAX, false, 60,             \
	  add_dont_throttle_names, "never throttle name servers of these names or below them")   \
	X("add-dont-throttle-netmasks", "", "NETMASK...", 1, COMMAND_WORDS_MAX, false, 60,       \
	  add_dont_throttle_netmasks, "never throttle servers of these addresses")               \
	X("add-nta", "", "NAME [ttl=SECONDS] [REASON...]", 1, COMMAND_WORDS_MAX, false, 60,     \
	  add_nta, "do not validate NAME and what is below it, for nta-lifetime; ttl=0: until "   \
	  "it validates again")                                                                  \
	X("add-ta", "", "NAME DS-DATA...", 2, COMMAND_WORDS_MAX, false, 60, add_ta,              \
	  "trust a key of NAME: the tag, algorithm, digest type and digest of its DS")           \
	X("add-to-ipset", "", "NAME [ttl=SECONDS] ADDRESS...", 2, COMMAND_WORDS_MAX, false, 60,  \
	  add_to_ipset, "add these addresses to a set; ttl=0: they do not expire")               \
	X("clear-dont-throttle-names", "", "NAME...|*", 1, COMMAND_WORDS_MAX, false, 60,         \
	  clear_dont_throttle_names, "take these names, or all, off that list")                  \
	X("clear-dont-throttle-netmasks", "", "NETMASK...|*", 1, COMMAND_WORDS_MAX, false, 60,   \
	  clear_dont_throttle_netmasks, "take these netmasks, or all, off that list")            \
	X("clear-ipset", "", "NAME", 1, 1, false, 60, clear_ipset, "take all addresses out of a set")\
	X("clear-nsspeeds", "", "", 0, 0, false, 60, clear_nsspeeds,                             \
	  "forget all that is known of servers, throttles included")                             \
	X("clear-nta", "", "NAME...|*", 1, COMMAND_WORDS_MAX, false, 60, clear_nta,             \
	  "validate these names, or all, again")                                                 \
	X("clear-ta", "", "NAME...", 1, COMMAND_WORDS_MAX, false, 60, clear_ta,                  \
	  "trust the keys of these names no longer by themselves; the root's stay")              \
	X("clear-throttles", "", "", 0, 0, false, 60, clear_throttles,                           \
	  "ask every server again: forget throttles, and which names have no address")           \
	X("current-queries", "", "", 0, 0, false, 5, current_queries,                            \
	  "show the questions being resolved now")                                               \
	X("defender-show", "", "", 0, 0, false, 60, defender_show_command,                       \
	  "show which domains are accused of being flooded, why, and what is done about it")     \
	X("drain", "", "[still] [QPS]", 0, 2, false, 60, drain,                                  \
	  "say that nobody new should come, and wait until all is answered; with QPS, until no "  \
	  "more than so many questions a second come; with still, wait on where that was said "  \
	  "before")                                                                              \
	X("dump-cache", "", "FILE [r] [n] [p] [a]", 0, 4, true, 600, dump_cache_command,             \
	  "write to FILE records, negative entries, packets, aggressive NSEC; without a letter all")  \
	X("dump-edns", "dump-ednsstatus", "FILE", 0, 0, true, 600, dump_edns_command,            \
	  "write the servers that are asked without EDNS to FILE")                               \
	X("dump-failedservers", "", "FILE", 0, 0, true, 600, dump_failed_command,                \
	  "write the servers that failed when they were asked last to FILE")                     \
	X("dump-ipset", "", "NAME FILE", 2, 2, COMMAND_MAY_TAKE_FILE, 600, dump_ipset,           \
	  "write the addresses of a set to FILE, each with the seconds that it stays")           \
	X("dump-non-resolving", "", "FILE", 0, 0, true, 600, dump_non_resolving_command,         \
	  "write the names of name servers without address to FILE")                             \
	X("dump-nsspeeds", "", "FILE", 0, 0, true, 600, dump_nsspeeds_command,                   \
	  "write the speeds of servers to FILE")                                                 \
	X("dump-saved-parent-ns-sets", "", "FILE", 0, 0, true, 600, dump_parents_command,        \
	  "write the delegations of zones that have another NS set of their own to FILE")        \
	X("dump-throttlemap", "", "FILE", 0, 0, true, 600, dump_throttles_command,               \
	  "write the throttled servers and questions to FILE")                                   \
	X("explain", "", "[NAME [TYPE]] [--past [--failed] [--slow] [--refused] "                \
	  "[--client=MASK] [--limit=N] [--steps]]", 0, 9, false, 60, explain_command,            \
	  "resolve now and show each step; TYPE is A unless given; with --past show the steps "  \
	  "of queries that failed, were slow or were refused before")                            \
	X("get", "", "METRIC...", 0, COMMAND_WORDS_MAX, false, 5, get, "show these metrics")     \
	X("get-all", "", "", 0, 0, false, 5, get_all, "show all metrics")                        \
	X("get-default-parameter", "", "SETTING...", 1, COMMAND_WORDS_MAX, false, 5,             \
	  get_default_parameter, "show what settings are unless they are set")                   \
	X("get-dont-throttle-names", "", "", 0, 0, false, 5, get_dont_throttle_names,            \
	  "show the names of servers that are never throttled")                                  \
	X("get-dont-throttle-netmasks", "", "", 0, 0, false, 5, get_dont_throttle_netmasks,      \
	  "show the addresses of servers that are never throttled")                              \
	X("get-ntas", "", "", 0, 0, false, 5, get_ntas,                                          \
	  "show what is not validated, and why")                                                 \
	X("get-parameter", "", "SETTING...", 1, COMMAND_WORDS_MAX, false, 5, get_parameter,      \
	  "show the values of settings")                                                         \
	X("get-qtypelist", "", "", 0, 0, false, 5, get_qtypelist,                                \
	  "show how many questions came for each type")                                          \
	X("get-remotelogger-stats", "", "", 0, 0, false, 5, get_remotelogger_stats,              \
	  "show what became of the messages for each server of dnstap-server")                   \
	X("get-tas", "", "", 0, 0, false, 5, get_tas, "show whose keys are trusted")             \
	X("get-zone-copies", "", "", 0, 0, false, 5, get_zone_copies,                            \
	  "show the copies of zones that zoneToCache has, and how they are")                     \
	X("hash-password", "", "[WORK-FACTOR]", 0, 1, false, 5, client_command,                  \
	  "print the hash of a password or key that is typed, for webserver-password and api-key") \
	X("help", "", "", 0, 0, false, 5, help, "show this list")                                \
	X("list-dnssec-algos", "", "", 0, 0, false, 5, list_dnssec_algos,                        \
	  "show by which algorithms signatures are checked")                                     \
	X("list-ipsets", "", "", 0, 0, false, 5, list_ipsets,                                    \
	  "show the sets of addresses that scripts have opened")                                 \
	X("load-ipset", "", "NAME FILE", 2, 2, COMMAND_READS_FILE, 600, load_ipset,              \
	  "have a set hold the addresses of FILE, and no others; FILE is as dump-ipset writes it")\
	X("log-queries", "",                                                                     \
	  "[show|off|all|client=NETMASK|suffix=NAME|share=PERCENT|for=SECONDS|answers...]", 0, 6,  \
	  false, 60, log_queries,                                                                \
	  "log the questions that match, and with `answers` their answers, for a time (60 "       \
	  "seconds); `off N` takes a rule out, `off` all")                                       \
	X("ping", "", "", 0, 0, false, 5, ping, "have each worker answer")                       \
	X("quit", "", "", 0, 0, false, 5, quit, "end the daemon at once")                        \
	X("quit-nicely", "stop", "", 0, 0, false, 5, quit_nicely,                                \
	  "end the daemon when the questions being resolved are answered")                       \
	X("reload", "", "", 0, 0, false, 600, reload,                                            \
	  "do reload-acls and reload-zones in one: if anything in either is wrong nothing "      \
	  "changes")                                                                             \
	X("reload-acls", "", "", 0, 0, false, 60, reload_acls,                                   \
	  "read recursor.conf again for who may ask and who may notify")                         \
	X("reload-defender", "", "", 0, 0, false, 60, reload_defender,                           \
	  "read recursor.conf again for `defender`, and defender-config-file")                   \
	X("reload-lua-config", "reload-yaml", "[FILE]", 0, 1, false, 600, reload_lua_config,     \
	  "read trustanchorfile, lua-config-file, or FILE in its place, and their kin again")    \
	X("reload-lua-script", "", "[FILE]", 0, 1, false, 600, reload_lua_script,                \
	  "load lua-dns-script, or FILE in its place; one that does not load changes nothing")   \
	X("reload-public-suffix-list", "", "", 0, 0, false, 60, reload_public_suffix_list,       \
	  "read public-suffix-list-file again")                                                  \
	X("reload-zones", "", "", 0, 0, false, 600, reload_zones,                                \
	  "read forward-zones, auth-zones, the hosts file and their kin again")                  \
	X("remove-from-ipset", "", "NAME ADDRESS...", 2, COMMAND_WORDS_MAX, false, 60,           \
	  remove_from_ipset, "take these addresses out of a set")                                \
	X("save-cache", "", "", 0, 0, false, 600, save_cache, "write cache-file now")            \
	X("set-aggr-nsec-cache-size", "set-max-aggr-nsec-cache-size", "N", 0, COMMAND_WORDS_MAX, \
	  false, 60, set_aggr_nsec_cache_size, "change aggressive-nsec-cache-size")              \
	X("set-carbon-server", "", "[SERVER [NAME [NAMESPACE [INSTANCE]]]]", 0, 4, false, 60,    \
	  set_carbon_server,                                                                     \
	  "send the metrics to SERVER in place of carbon-server; without SERVER to nobody")      \
	X("set-dnssec-log-bogus", "", "yes|no", 1, 1, false, 60, set_dnssec_log_bogus,          \
	  "log each failed validation, or do not")                                               \
	X("set-max-cache-entries", "", "N", 0, COMMAND_WORDS_MAX, false, 60,                     \
	  set_max_cache_entries, "change max-cache-entries")                                     \
	X("set-max-cache-memory", "", "BYTES", 1, 1, false, 60, set_max_cache_memory,            \
	  "change max-cache-memory; k, M, G or T may stand behind the number")                   \
	X("set-max-packetcache-entries", "", "N", 0, COMMAND_WORDS_MAX, false, 60,               \
	  set_max_packetcache_entries, "change max-packetcache-entries")                         \
	X("set-minimum-ttl", "", "SECONDS", 0, COMMAND_WORDS_MAX, false, 60, set_minimum_ttl,    \
	  "change minimum-ttl-override")                                                         \
	X("set-quiet", "", "yes|no", 1, 1, false, 60, set_quiet,                                 \
	  "log each query and its answer (no), or do not (yes)")                                 \
	X("set-stats-ringbuffer-entries", "", "N", 1, 1, false, 60,                              \
	  set_stats_ringbuffer_entries, "change stats-ringbuffer-entries; the rings begin empty") \
	X("top-bogus-queries", "", TOP_ARGUMENTS, 0, 3, false, 60, top_bogus_queries,                       \
	  "show the questions whose answers failed validation most often")                       \
	X("top-bogus-remotes", "", TOP_ARGUMENTS, 0, 3, false, 60, top_bogus_remotes,                       \
	  "show the clients whose answers failed validation most often")                         \
	X("top-cost", "", "remotes|domains|servers|remotes-domains [cpu|outqueries|wait] [1m|10m|1h]", \
	  1, 3, false, 60, top_cost,                                                             \
	  "show who costs most: CPU time, questions to servers, waiting")                        \
	X("top-largeanswer-remotes", "", TOP_ARGUMENTS, 0, 3, false, 60, top_largeanswer_remotes,           \
	  "show the clients that got most answers of more than 1000 bytes")                      \
	X("top-pub-bogus-queries", "", TOP_ARGUMENTS, 0, 3, false, 60, top_pub_bogus_queries,               \
	  "show top-bogus-queries by registrable domain")                                        \
	X("top-pub-queries", "", TOP_ARGUMENTS, 0, 3, false, 60, top_pub_queries,                           \
	  "show top-queries by registrable domain")                                              \
	X("top-pub-servfail-queries", "", TOP_ARGUMENTS, 0, 3, false, 60, top_pub_servfail_queries,         \
	  "show top-servfail-queries by registrable domain")                                     \
	X("top-queries", "", TOP_ARGUMENTS, 0, 3, false, 60, top_queries,                                   \
	  "show the questions that came most often of late")                                     \
	X("top-remotes", "", TOP_ARGUMENTS, 0, 3, false, 60, top_remotes,                                   \
	  "show the clients from which most packets came of late")                               \
	X("top-servfail-queries", "", TOP_ARGUMENTS, 0, 3, false, 60, top_servfail_queries,                 \
	  "show the questions answered SERVFAIL most often")                                     \
	X("top-servfail-remotes", "", TOP_ARGUMENTS, 0, 3, false, 60, top_servfail_remotes,                 \
	  "show the clients that were answered SERVFAIL most often")                             \
	X("top-timeouts", "", TOP_ARGUMENTS, 0, 3, false, 60, top_timeouts,                                 \
	  "show the servers that did not answer in time most often")                             \
	X("trace-regex", "", "[REGEX [FILE]]", 0, 2, COMMAND_MAY_TAKE_FILE, 60, trace_regex,     \
	  "write how names that match are resolved to the log or to FILE; without REGEX stop")   \
	X("try-lua-script", "", "SCRIPT [RING]", 1, 2, false, 120, try_lua_script,                 \
	  "show what the script would have done to the questions of RING (queries, servfail, " \
	  "large-answers, bogus; remotes for ipfilter alone); nothing else is touched")          \
	X("undrain", "", "", 0, 0, false, 5, undrain, "take back drain")                         \
	X("unload-lua-script", "", "", 0, 0, false, 60, unload_lua_script,                       \
	  "go on without a script")                                                              \
	X("version", "", "", 0, 0, false, 5, version, "show the daemon's version")               \
	X("wipe-cache", "flushname", "NAME[$]...", 1, COMMAND_WORDS_MAX, false, 60, wipe_cache,  \
	  "forget what the caches hold of NAME; with a $ also of all names below it")            \
	X("wipe-cache-typed", "", "TYPE NAME[$]...", 0, COMMAND_WORDS_MAX, false, 60,            \
	  wipe_cache_typed, "forget records of TYPE only")

#define NO_COOKIES "servers are asked without DNS cookies"

/* Commands of PowerDNS that are not here, and why: the answer to each and the list in rec_control(1)
 * come from it.  In order of the words; one that is built moves up. */
#define COMMANDS_NOT_HERE(X)                                                                     \
	X("add-cookies-unsupported", NO_COOKIES)                                                 \
	X("clear-cookies", NO_COOKIES)                                                           \
	X("dump-cookies", NO_COOKIES)                                                            \
	X("dump-dot-probe-map", "no server is probed for DNS over TLS")                          \
	X("dump-rpz", "there are no response policy zones")                                      \
	X("get-proxymapping-stats", "clients' addresses are taken as they are, mapped to no others") \
	X("set-ecs-minimum-ttl", "what subnet a client is in is told to nobody: ECS is left out by design") \
	X("set-event-trace-enabled", "there are no event traces; explain shows each step of a query") \
	X("show-yaml", "settings are in recursor.conf, and YAML is not read")
// clang-format on

#endif
