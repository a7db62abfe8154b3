/*
 * web: the boards in the browser: the page's files, which are in the program, and api.h's answers,
 * over HTTP (libmicrohttpd).
 *
 * Nothing can be changed through it: GET and HEAD alone.  Behind a name of one's own, or with a
 * password, it stands behind a proxy.
 *
 * Limits: 128 connections, 64 an address, 15 seconds for a slow one, 16 KB a request.
 * Threads: two of libmicrohttpd's, from web_start() to web_stop().
 */
#ifndef GRAPHS_WEB_H
#define GRAPHS_WEB_H

#include "common/addr.h"
#include "common/netset.h"
#include "tools/graphs/store.h"

struct web;

/* E_SYSTEM (errno set), E_NOMEM. */
int web_start(struct web **out, struct store *store, const struct addr *listen,
	      const struct netset *allow) MUST_USE;
void web_stop(struct web *w); /* accepts NULL */

#endif
