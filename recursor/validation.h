/*
 * validation: what becomes of an answer that was validated (resolve/dnssec/): who is refused it, what is
 * counted, noted and logged of it.
 *
 *     validation_note(cq, s, a);            once, when the resolver has answered
 *     if (validation_asks_anew(cq, a)) ...  it is to be had all the same
 *     validation_apply(cq, s, &a);          from here on it is what the client is told
 *
 * Each answer to a question that was to be validated is counted under one of dnssec-result-* (those of
 * x-dnssec-names apart); a failure for another reason than validation is none.  Answers out of the packet
 * cache were validated when they went in: they are in the rings of bogus answers, and counted no more.
 *
 * Threads: all of it is one worker's.
 */
#ifndef RECURSOR_VALIDATION_H
#define RECURSOR_VALIDATION_H

#include <stdbool.h>

#include "recursor/passage.h"

void validation_note(struct client_query *cq, const struct settings *s, const struct answer *a);

/* The resolver has refused what this client gets nevertheless (dnssec=log-fail): it is to be asked
 * without validation.  Remembers that. */
bool validation_asks_anew(struct client_query *cq, const struct answer *a);

/* SERVFAIL in the place of what is bogus, for who is refused that; the Extended DNS Error of a negative
 * trust anchor, where that is wanted. */
void validation_apply(const struct client_query *cq, const struct settings *s, struct answer *a);

/* Failed validation, told or not. */
static inline bool validation_is_bogus(const struct client_query *cq, const struct answer *a)
{
	return a->security == SEC_BOGUS || cq->takes_bogus;
}

/* "Secure" and so on; NULL: nobody has looked. */
const char *validation_text(const struct answer *a);

/* Of pdns.validationstates, with the reason of what is bogus. */
unsigned validation_state(const struct answer *a);

#endif
