/*
 * web: the web server (endpoints: endpoint_table.h, who may: auth.h, pages: asset.h).
 *
 * One thread moves the bytes of all connections: it accepts, has libmicrohttpd parse, looks whether
 * whoever asks may, and sends replies.  Handlers run on WEB_THREADS others, which may wait; what
 * cannot wait (pages, rows that are ENDPOINT_OPEN) is answered at once.  No worker's thread takes
 * part in any of it.
 *
 *     accepted      not from webserver-allow-from: closed, nothing was read
 *     headers       too long: 431.  No such path: 404, method: 405, not allowed to: 401 and others,
 *                   body too long: 413.  All before anything of a body is kept.
 *     body          kept, up to webserver-max-request-size
 *     handler       on its own thread
 *     reply         sent; the connection is closed then, as PowerDNS does
 *
 * Limits:  connections in all and from one address: one more takes the place of the one that has
 *          been longest about its request.  Time to send a request, and to take the reply; time in
 *          which nothing comes.  Who is late gets a 408.
 * Order of life, as main.c needs it: web_open() as root, before chroot and setuid;
 *          web_start() when the workers run; web_stop() before they are stopped.
 * Memory:  the web belongs to whoever opened it; `env` is borrowed until web_stop().
 * Threads: open, start and stop from one.
 */
#ifndef WATCH_WEB_WEB_H
#define WATCH_WEB_WEB_H

#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/netset.h"
#include "recursor/watch/env.h"

enum { WEB_THREADS = 4, WEB_BACKLOG = 128, WEB_LAST_MS = 200, WEB_WHY_MAX = 256 };

struct web;

enum web_log { WEB_LOG_NONE, WEB_LOG_NORMAL, WEB_LOG_DETAILED };

/* Borrowed until web_stop(), but for password and key. */
struct web_options {
	const struct addr *addresses; /* with ports */
	size_t n_addresses;
	const struct netset *allow_from; /* empty: nobody */
	const char *password, *key;      /* plain or hashed; "": none */
	bool readonly;                   /* nothing but GET */
	const char *cross_origin;        /* "": none */
	enum web_log log;
	size_t max_body, max_header;
	unsigned max_connections, max_per_client;
	uint64_t request_ms, idle_ms;
	struct watch_web *counters;
};

/* Binds the sockets.  On error one line in `why` (WEB_WHY_MAX), and nothing is left behind. */
int web_open(struct web **out, const struct web_options *o, char *why) MUST_USE;

/* Starts the threads.  E_SYSTEM, E_NOMEM. */
int web_start(struct web *w, const struct watch_env *env) MUST_USE;

/* Ends what is being served, joins the threads, frees.  Accepts NULL. */
void web_stop(struct web *w);

#endif
