/*
 * secpoll: asks by DNS whether the version that runs has a security problem (security-poll-suffix).
 *
 *     recursor-0.1.0.security-status.<suffix>.            TXT "1 OK"
 *     recursor-0.1.0-1.debian.security-status.<suffix>.   of a package: its distribution answers
 *
 * The question is put to the server's own resolver right after the start and then every
 * security-poll-interval; after one that got no answer sooner.  What is learnt is the metric
 * security-status, and lines in the log:
 *
 *     status              0 no data   1 ok   2 upgrade recommended   3 upgrade mandatory
 *     an answer says N    N           N      N                       N
 *     there is none       0           0      2                       3
 *
 * so that a failure hides no problem that is known.
 *
 * Threads: new, start, stop, free from one; secpoll_stats() any.
 */
#ifndef WATCH_SECPOLL_H
#define WATCH_SECPOLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/watch/env.h"

enum secpoll_status {
	SECPOLL_NO_DATA,
	SECPOLL_OK,
	SECPOLL_RECOMMENDED,
	SECPOLL_MANDATORY,
};
enum { SECPOLL_MESSAGE_MAX = 256, SECPOLL_NAME_MAX = 1024 };

struct secpoll;

/* `version` is the release's; `package` the distribution's of it, which ends in the
 * distribution's name, or "".  Both are borrowed. */
int secpoll_new(struct secpoll **out, const char *version, const char *package) MUST_USE;
/* `env` is borrowed until secpoll_stop(). */
int secpoll_start(struct secpoll *p, const struct watch_env *env) MUST_USE;
/* While the workers can still be visited. */
void secpoll_stop(struct secpoll *p);
void secpoll_free(struct secpoll *p); /* accepts NULL */

struct secpoll_stats {
	uint64_t status; /* enum secpoll_status */
	uint64_t polls, failures;
};
void secpoll_stats(const struct secpoll *p, struct secpoll_stats *out); /* accepts NULL */

/* ---- its parts ---- */

/* The text of the name that is asked for; false: it does not fit. */
bool secpoll_name(char out[SECPOLL_NAME_MAX], const char *version, const char *suffix);

/* A release is named after exactly two dots: others need not be known to the zone. */
bool secpoll_is_release(const char *version);

struct secpoll_said {
	enum secpoll_status status;
	char message[SECPOLL_MESSAGE_MAX]; /* printable */
};
/* The rdata of a TXT record.  E_MALFORMED: no status that we know. */
int secpoll_read(struct secpoll_said *out, const uint8_t *rdata, size_t len) MUST_USE;

/* The table above. */
enum secpoll_status secpoll_without_answer(enum secpoll_status before);

#endif
