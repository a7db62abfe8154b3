/*
 * tsig: messages signed with a secret that both sides share (RFC 8945).
 *
 *     tsig_new(&t, &key);
 *     tsig_sign(t, wire, &len, cap, now_s);            a question
 *     tsig_verify(t, wire, &len, now_s, why);          each message of the answer, in order
 *     tsig_is_complete(t)                              the last one was signed
 *
 * tsig_verify() takes the TSIG record out of the message.  Of an answer of many messages the first and the
 * last are signed and at least each hundredth; the others count into the next signature (5.3.1).
 *
 * Threads: one at a time.
 */
#ifndef RESOLVE_DNSSEC_TSIG_H
#define RESOLVE_DNSSEC_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"

enum {
	TSIG_SECRET_MAX = 256,
	TSIG_MAC_MAX = 64,
	TSIG_WHY_MAX = 200,
	TSIG_UNSIGNED_MAX = 99, /* messages in a row */
	TSIG_ROOM = 2 * NAME_MAX_LEN + 26 + TSIG_MAC_MAX,
};

/* Plain data; secret_len 0: there is none. */
struct tsig_key {
	uint8_t name[NAME_MAX_LEN]; /* lower case */
	uint8_t algorithm;
	uint16_t secret_len;
	uint8_t secret[TSIG_SECRET_MAX];
};

/* `algorithm`: "hmac-sha256" and kin; `secret`: in base64.  E_MALFORMED: what is wrong stands in `why`
 * (TSIG_WHY_MAX). */
int tsig_key_read(struct tsig_key *out, const char *name, const char *algorithm, const char *secret,
		  char *why) MUST_USE;

struct tsig;

/* The key is borrowed.  E_NOMEM; E_UNSUPPORTED: OpenSSL has not its hash. */
int tsig_new(struct tsig **out, const struct tsig_key *key) MUST_USE;
void tsig_free(struct tsig *t); /* accepts NULL */

/* Adds the record to a whole message.  E_TOO_LONG: TSIG_ROOM bytes are not there; E_UNSUPPORTED. */
int tsig_sign(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s) MUST_USE;

/* E_MALFORMED: it is not signed as it should be; some words stand in `why` (TSIG_WHY_MAX). */
int tsig_verify(struct tsig *t, uint8_t *wire, size_t *len, uint64_t now_s, char *why) MUST_USE;
bool tsig_is_complete(const struct tsig *t);

#endif
