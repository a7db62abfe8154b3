/*
 * web_impl: what the files of the web server share; private to web*.c.
 *
 * An exchange is a connection and the one request that comes over it.  It is the moving thread's,
 * but while its phase is EXCHANGE_WORKING: then libmicrohttpd has it suspended, and `call` and
 * `verdict` are a handler thread's.
 */
#ifndef WATCH_WEB_WEB_IMPL_H
#define WATCH_WEB_WEB_IMPL_H

#include <microhttpd.h>
#include <pthread.h>
#include <sys/queue.h>

#include "recursor/watch/web/auth.h"
#include "recursor/watch/web/endpoint.h"
#include "recursor/watch/web/web.h"

enum { WEB_PARAMETERS_MAX = 32, WEB_URI_MAX = 200 };

enum exchange_phase {
	EXCHANGE_RECEIVING, /* the request */
	EXCHANGE_WORKING,   /* with a handler thread, or waiting for one */
	EXCHANGE_ANSWERING,
};

enum exchange_work { WORK_VERIFY, WORK_RUN };

struct asset;

struct exchange {
	TAILQ_ENTRY(exchange) all; /* in order of arrival */
	TAILQ_ENTRY(exchange) queue;
	struct web *web;
	struct MHD_Connection *connection;
	int fd;
	struct addr from;
	uint64_t began_ms; /* its phase; for EXCHANGE_RECEIVING the connection */
	enum exchange_phase phase;
	bool doomed;   /* its connection was shut down */
	bool bad_uri;  /* a zero byte in it */
	bool accepted; /* it may send its body, if it has one */
	bool verified; /* `verdict` says who it is */
	bool is_done;  /* the handler has run */
	bool too_large;
	bool head;
	enum exchange_work work;
	enum auth_verdict verdict;
	enum endpoint_auth need;
	struct auth_given
		given; /* the key is libmicrohttpd's memory, the password its for free() */
	char *password;
	const struct asset *asset; /* what is asked for, or */
	struct endpoint_match match;
	struct endpoint_parameter parameters[WEB_PARAMETERS_MAX];
	struct endpoint_call call;
	char *body;
	size_t body_len, body_cap;
	char method[8], uri[WEB_URI_MAX]; /* for the log */
};

TAILQ_HEAD(exchange_list, exchange);

struct web {
	struct web_options options;
	struct auth *auth;
	const struct watch_env *env;
	int *listen_fds;
	size_t n_listen_fds;
	int stop_fd; /* an eventfd: readable from web_stop() on */
	int done_fd; /* an eventfd: something is in `done` */
	/* the moving thread's */
	struct MHD_Daemon *mhd;
	struct exchange_list exchanges;
	unsigned n_exchanges;
	uint64_t accept_after_ms; /* there were no descriptors */
	pthread_t mover;
	bool has_mover;
	/* the handlers' */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct exchange_list waiting, done;
	bool stopping;
	pthread_t handlers[WEB_THREADS];
	unsigned n_handlers;
};

#define web_count(w, member)                                                                       \
	atomic_fetch_add_explicit(&(w)->options.counters->member, 1, memory_order_relaxed)

/* The moving thread's. */
static inline void web_note_most(_Atomic uint64_t *most, uint64_t n)
{
	if (n > atomic_load_explicit(most, memory_order_relaxed))
		atomic_store_explicit(most, n, memory_order_relaxed);
}

/* ---- web_exchange.c: a request, from libmicrohttpd's calls to its reply ---- */

enum MHD_Result exchange_take(void *web, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_len, void **context);
/* Before a request's first line is parsed. */
void *exchange_see_uri(void *web, const char *uri, struct MHD_Connection *connection);
/* Frees what it holds and itself. */
void exchange_free(struct exchange *x);
/* On a handler's thread. */
void exchange_work(struct exchange *x);
/* Shuts its connection down, with a few words if it is a request that is late or too large. */
void exchange_doom(struct exchange *x, const char *status_line);

/* ---- web_work.c: the handler threads ---- */

int web_work_start(struct web *w) MUST_USE;
/* Ends them; what they had not begun is in `done` too. */
void web_work_stop(struct web *w);
void web_work_add(struct web *w, struct exchange *x);
/* What has been worked on since, or NULL. */
struct exchange *web_work_take(struct web *w);

/* ---- web_reply.c ---- */

/* A JSON object {"error": text}. */
enum MHD_Result reply_error(struct exchange *x, unsigned status, const char *text);
enum MHD_Result reply_options(struct exchange *x, const char *methods);
enum MHD_Result reply_asset(struct exchange *x);
/* What the handler has left. */
enum MHD_Result reply_call(struct exchange *x);

#endif
