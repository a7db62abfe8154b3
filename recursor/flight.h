/*
 * flight: the flight recorder (watch/recorder.h) in the pipeline: which queries it keeps, and what is
 * said of them.
 *
 * Kept are answers SERVFAIL, answers after flight-recorder-slow-msec or more, and what was turned
 * away: by allow-from, ipfilter, a hook, the defender, for want of a place, for another client's
 * sake, for a limit of ours.  A good and fast answer pays a comparison; its steps (resolve/journal.h)
 * are given back with its goal.
 *
 * Threads: all of it is one worker's.
 */
#ifndef RECURSOR_FLIGHT_H
#define RECURSOR_FLIGHT_H

#include "recursor/passage.h"

int flight_init(struct flight *f, const struct settings *s) MUST_USE;
void flight_deinit(struct flight *f);
void flight_configure(struct flight *f, const struct settings *s);
/* A few times a second: what is seen from outside. */
void flight_tick(struct pipeline *p);

/* A query of the resolver's, or of a script, is answered after `us`. */
void flight_keep(struct pipeline *p, struct client_query *cq, const struct answer *a, uint64_t us);

static inline void flight_answered(struct pipeline *p, struct client_query *cq,
				   const struct answer *a, uint64_t us)
{
	if (a->rcode == RCODE_SERVFAIL || us >= p->flight.slow_us)
		flight_keep(p, cq, a, us);
}

/* A query of the resolver's will not be answered: a hook drops it. */
void flight_dropped(struct pipeline *p, const struct client_query *cq, const char *hook);

/* A packet was turned away before it became a query.  It is asked for first, since a flood of them
 * need not be put into words. */
struct flight_refusal {
	enum recorder_reason reason;
	unsigned labels; /* of the name, what it is counted under */
	bool is_dropped; /* without an answer */
	uint16_t rcode;
	int16_t ede;
	struct recorder_key key; /* flight_wants() fills it */
};
bool flight_wants(struct pipeline *p, const struct passage *t, struct flight_refusal *r);
void flight_refused(struct pipeline *p, const struct passage *t, const struct flight_refusal *r,
		    const char *figures);
/* The same when nothing but the sender is known for sure. */
void flight_packet_refused(struct pipeline *p, const struct passage *t,
			   enum recorder_reason reason);

#endif
