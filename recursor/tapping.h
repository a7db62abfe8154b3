/*
 * tapping: what the workers show to dnstap (watch/dnstap.h): clients' messages as the pipeline takes
 * and sends them, and those of servers as they leave and come.
 *
 * Shown of clients is what passed allow-from and has the header of a query, before anything else is
 * made of it, and every response.
 *
 * Threads: the worker's own, but for tapping_make().
 */
#ifndef RECURSOR_TAPPING_H
#define RECURSOR_TAPPING_H

#include "recursor/watch/dnstap.h"
#include "recursor/worker.h"

/* Of the settings; *out is NULL when it is off. */
int tapping_make(struct dnstap **out, const struct settings *s) MUST_USE;

/* The worker's tap, and who looks on at its outgoing sockets; before those are made. */
void tapping_open(struct worker *w, struct outgoing_handler *servers);

void tapping_show_client(struct worker *w, enum dnstap_type type, const struct client *c,
			 const uint8_t *wire, size_t len);

static inline void tapping_client(struct worker *w, enum dnstap_type type, const struct client *c,
				  const uint8_t *wire, size_t len)
{
	if (w->tap != NULL)
		tapping_show_client(w, type, c, wire, len);
}

/* Shows a response and sends it. */
static inline void tapping_reply(struct worker *w, const struct client *c, const uint8_t *wire,
				 size_t len)
{
	tapping_client(w, DNSTAP_CLIENT_RESPONSE, c, wire, len);
	listen_reply(w->listener, c, wire, len);
}

#endif
