/*
 * server_state: whether the server should be sent clients (readiness.h says how that is told), and
 * whether its workers are alive.
 *
 * Threads: any, but server_is_alive(): one.
 */
#ifndef RECURSOR_SERVER_STATE_H
#define RECURSOR_SERVER_STATE_H

#include "recursor/worker.h"

enum server_state {
	SERVER_STARTING, /* the root's name servers are being fetched, for the first time */
	SERVER_SERVING,
	SERVER_ROOTLESS, /* they could not be, or not yet */
	SERVER_DRAINING,
};

/* Priming is waited for so long, then we serve without. */
enum { SERVER_STARTING_MS = 5000 };

enum server_state server_state(const struct server *s);
/* The root's name servers were fetched, be it long ago, or nobody wants them fetched. */
bool server_is_primed(const struct server *s);

/* `changed` is called when the state may be another, from any thread; before server_start(). */
void server_on_change(struct server *s, void (*changed)(void *ctx), void *ctx);

/* The first worker's: what became of fetching the root's name servers. */
void server_primed(struct server *s, bool ok);

/* True if that was not so before. */
bool server_set_draining(struct server *s, bool on);
/* 0: it is not. */
uint64_t server_draining_since_ms(const struct server *s);

/* False when a worker has not answered since the last call. */
bool server_is_alive(struct server *s);

#endif
