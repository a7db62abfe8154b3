/*
 * auth: who may do what over HTTP.
 *
 *     open                 anybody who may connect
 *     password             webserver-password, with any user name; anybody when it is empty
 *     key                  the header X-API-Key; nobody when api-key is empty
 *     key or password      a key that is sent decides; without one, or when no api-key is
 *                          configured, as for password
 *
 * What it costs: auth_look() is cheap.  Where only scrypt can tell (credential.h) it says
 * AUTH_VERIFY, and auth_verify() is called by a thread that has time; of such tries
 * AUTH_TRIES_PER_SECOND are granted in all, AUTH_TRIES_PER_CLIENT to one address, and beyond that
 * AUTH_LATER is the verdict.  A secret that was right before is never made to wait.
 *
 * Threads: auth_look() one, auth_verify() any.
 */
#ifndef WATCH_WEB_AUTH_H
#define WATCH_WEB_AUTH_H

#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "recursor/watch/web/endpoint.h"

enum { AUTH_TRIES_PER_SECOND = 20, AUTH_TRIES_PER_CLIENT = 4 };

struct auth;

/* Either may be empty, plain or hashed.  E_NOMEM, E_SYSTEM, E_MALFORMED. */
int auth_new(struct auth **out, const char *password, const char *key) MUST_USE;
void auth_free(struct auth *a); /* accepts NULL */

bool auth_has_password(const struct auth *a);

enum auth_verdict { AUTH_GRANTED, AUTH_REFUSED, AUTH_VERIFY, AUTH_LATER };

/* What a request brings; NULL: nothing of that kind. */
struct auth_given {
	const char *key, *password;
};

enum auth_verdict auth_look(struct auth *a, enum endpoint_auth need, const struct auth_given *given,
			    const struct addr *from, uint64_t now_ms);
/* AUTH_GRANTED or AUTH_REFUSED. */
enum auth_verdict auth_verify(struct auth *a, enum endpoint_auth need,
			      const struct auth_given *given);

#endif
