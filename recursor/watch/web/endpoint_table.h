/*
 * The one table of HTTP endpoints.  Dispatch, OPTIONS, the list in recursor-api(5) and the tests
 * that walk all of them come from it.
 *
 * To add one: a row here and its handler, declared below.  `<>` in a path is any one part; rows
 * that begin with /servers are below /api/v1 too.
 */
#ifndef WATCH_WEB_ENDPOINT_TABLE_H
#define WATCH_WEB_ENDPOINT_TABLE_H

struct endpoint_call;

/* clang-format off */
/* X(method, path, auth, handler, help) */
#define ENDPOINTS(X)                                                                               \
	X("GET", "/api", KEY, api_versions, "the versions of the API that are served")             \
	X("GET", "/api/v1", KEY, api_v1, "where the servers of version 1 are")                     \
	X("GET", "/jsonstat", KEY_OR_PASSWORD, api_jsonstat, "what came last, counted")            \
	X("GET", "/live", OPEN, health_live, "200 while no thread hangs, else 503 and why")        \
	X("GET", "/metrics", PASSWORD, metrics_page, "the metrics as Prometheus reads them")       \
	X("GET", "/ready", OPEN, health_ready,                                                     \
	  "200 while clients should be sent here, else 503 and why")                               \
	X("GET", "/servers", KEY, api_servers, "the servers: this one")                            \
	X("GET", "/servers/localhost", KEY_OR_PASSWORD, api_server, "what this server is")         \
	X("PUT", "/servers/localhost/cache/flush", KEY, api_cache_flush,                           \
	  "take a name, or a domain, out of the caches")                                           \
	X("GET", "/servers/localhost/config", KEY, api_config, "all settings")                     \
	X("GET", "/servers/localhost/config/allow-from", KEY, api_allow_from, "who may ask")       \
	X("PUT", "/servers/localhost/config/allow-from", KEY, api_allow_from_replace,              \
	  "say who may ask")                                                                       \
	X("GET", "/servers/localhost/config/allow-notify-from", KEY, api_allow_notify_from,        \
	  "who may send a NOTIFY")                                                                 \
	X("PUT", "/servers/localhost/config/allow-notify-from", KEY,                               \
	  api_allow_notify_from_replace, "say who may send a NOTIFY")                              \
	X("GET", "/servers/localhost/defender", KEY_OR_PASSWORD, api_defender,                     \
	  "which domains are accused of being flooded, and why")                                   \
	X("GET", "/servers/localhost/explain", KEY_OR_PASSWORD, api_explain,                       \
	  "resolve a question now, and show each step")                                            \
	X("PUT", "/servers/localhost/flush-cache", KEY, api_flush_cache,                           \
	  "take a name out of the caches, as 3.7 has it")                                          \
	X("GET", "/servers/localhost/past", KEY_OR_PASSWORD, api_past,                             \
	  "how the last queries went that failed, were slow or were refused")                      \
	X("GET", "/servers/localhost/rings/<>", KEY_OR_PASSWORD, api_ring,                         \
	  "what came last, counted by name, public suffix or client")                              \
	X("GET", "/servers/localhost/search-data", KEY, api_search_data,                           \
	  "look for a text in the zones and their records")                                        \
	X("GET", "/servers/localhost/statistics", KEY_OR_PASSWORD, api_statistics, "the metrics")  \
	X("GET", "/servers/localhost/top-cost", KEY_OR_PASSWORD, api_top_cost,                     \
	  "who costs us most")                                                                     \
	X("GET", "/servers/localhost/zones", KEY, api_zones, "the zones that are configured")      \
	X("POST", "/servers/localhost/zones", KEY, api_zone_create, "configure one more")          \
	X("GET", "/servers/localhost/zones/<>", KEY, api_zone, "a zone, with its records")         \
	X("PUT", "/servers/localhost/zones/<>", KEY, api_zone_replace,                             \
	  "say anew what a zone of the API's is")                                                  \
	X("DELETE", "/servers/localhost/zones/<>", KEY, api_zone_delete,                           \
	  "take a zone of the API's away")
/* clang-format on */

#define ENDPOINT_DECLARE(method, path, auth, handler, help) int handler(struct endpoint_call *c);
ENDPOINTS(ENDPOINT_DECLARE)
#undef ENDPOINT_DECLARE

#endif
