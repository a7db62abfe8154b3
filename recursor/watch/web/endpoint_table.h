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
	X("GET", "/api/v1", KEY, api_v1, "where the servers of version 1 are")
/* clang-format on */

#define ENDPOINT_DECLARE(method, path, auth, handler, help) int handler(struct endpoint_call *c);
ENDPOINTS(ENDPOINT_DECLARE)
#undef ENDPOINT_DECLARE

#endif
