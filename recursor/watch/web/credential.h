/*
 * credential: a secret that somebody has to know, and whether he does.
 *
 * A secret is configured as it is, or as a hash in PowerDNS's form,
 *
 *     $scrypt$ln=10,p=1,r=8$<salt>$<hash>       salt and hash in base64
 *
 * which rec_control hash-password prints.  scrypt (RFC 7914) is dear by intent: milliseconds and
 * megabytes for each try.  So a secret that was found right is remembered, and the last
 * CREDENTIAL_WRONG_KEPT that were not; credential_look() is cheap always, and when it does not know,
 * credential_verify() may be called by somebody who has time.
 *
 * What is remembered is a digest under a key of this process's own (HMAC-SHA256), never the secret;
 * digests are compared in constant time.
 *
 * Threads: all, after credential_new().
 */
#ifndef WATCH_WEB_CREDENTIAL_H
#define WATCH_WEB_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	CREDENTIAL_TEXT_MAX = 128, /* a hash in that form */
	CREDENTIAL_WHY_MAX = 128,
	CREDENTIAL_WORK_FACTOR = 1024, /* PowerDNS's default */
	CREDENTIAL_WORK_FACTOR_MAX = 1 << 20,
	CREDENTIAL_WRONG_KEPT = 8,
};

struct credential;

enum credential_verdict {
	CREDENTIAL_RIGHT,
	CREDENTIAL_WRONG,
	CREDENTIAL_UNKNOWN, /* only scrypt can tell */
};

/* E_MALFORMED: begins like a hash and is none; one line in `why` (CREDENTIAL_WHY_MAX). */
int credential_check(const char *text, char *why) MUST_USE;
bool credential_is_hashed(const char *text);

/* `text` as it is configured and not empty; it is not kept.  E_MALFORMED, E_NOMEM, E_SYSTEM. */
int credential_new(struct credential **out, const char *text) MUST_USE;
void credential_free(struct credential *c); /* accepts NULL */

enum credential_verdict credential_look(struct credential *c, const char *secret);
/* The same with scrypt; never CREDENTIAL_UNKNOWN.  Want of memory is CREDENTIAL_WRONG, once. */
enum credential_verdict credential_verify(struct credential *c, const char *secret);

/* The hash of a secret with new salt, as it may be configured.  `work_factor`: a power of two, 2 to
 * CREDENTIAL_WORK_FACTOR_MAX.  E_RANGE, E_NOMEM, E_SYSTEM. */
int credential_hash(char out[CREDENTIAL_TEXT_MAX], const char *secret,
		    uint64_t work_factor) MUST_USE;

#endif
