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

/* A batch of packets is taken, or begins to be answered: its queries and its hits have this time,
 * since a look at the clock for each would cost more than the copy. */
static inline void tapping_batch(struct worker *w)
{
	if (w->tap != NULL)
		w->tap_ns = dnstap_time_ns();
}

/* `at_ns`: when; 0: now. */
void tapping_show_client(struct worker *w, enum dnstap_type type, const struct client *c,
			 const uint8_t *wire, size_t len, uint64_t at_ns);

/* Of the batch. */
static inline void tapping_query(struct worker *w, const struct client *c, const uint8_t *wire,
				 size_t len)
{
	if (w->tap != NULL)
		tapping_show_client(w, DNSTAP_CLIENT_QUERY, c, wire, len, w->tap_ns);
}

/* These show a response and send it: one of the batch that waited for nothing, */
static inline void tapping_hit(struct worker *w, const struct client *c, const uint8_t *wire,
			       size_t len)
{
	if (w->tap != NULL)
		tapping_show_client(w, DNSTAP_CLIENT_RESPONSE, c, wire, len, w->tap_ns);
	listen_reply(w->listener, c, wire, len);
}

/* ... and any other. */
static inline void tapping_reply(struct worker *w, const struct client *c, const uint8_t *wire,
				 size_t len)
{
	if (w->tap != NULL)
		tapping_show_client(w, DNSTAP_CLIENT_RESPONSE, c, wire, len, 0);
	listen_reply(w->listener, c, wire, len);
}

#endif
