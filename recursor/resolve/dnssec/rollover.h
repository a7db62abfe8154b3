/*
 * rollover: which keys of a zone are trusted, as they change (RFC 5011).
 *
 *     rollover_begin(&r, zone, ds);                 what is configured is trusted
 *     rollover_see(&r, dnskeys, &look);             a DNSKEY set that has validated
 *     rollover_see_revoked(&r, dnskeys, &look);     one that has not
 *     rollover_miss(&r, now_s);                     there was none
 *     rollover_trusted(&ds, &r);                    the DS set for anchors_set()
 *     rollover_clear(&r);                           an operator wants no anchor there
 *
 *     ADDING --30 days in every set--> TRUSTED <--seen-- MISSING
 *        |  gone                        |   --gone-->       |
 *        v  or revoked                  v revoked           v revoked
 *     forgotten                       REVOKED --30 days--> REMOVED
 *
 * A key is known by what it is without its REVOKE bit: setting the bit changes the tag, not the key.
 * It is revoked by a set that it has signed itself with the bit set (2.1), and then never trusted
 * again, whatever is configured.  Only keys with the SEP bit are taken up; one that is configured need
 * not have it.  What is configured as a DS counts as trusted, though its key has not been seen.
 *
 * When no key of a zone is trusted any more (5), the zone is as if it had no anchor.
 *
 * Limits:  ROLLOVER_KEYS_MAX keys of a zone: one more is not taken up.  When there is no room the key
 *          removed longest ago is forgotten.
 * Time:    seconds of the day; the caller's.
 * Memory:  keys are malloc'ed; rollover_deinit().
 * Threads: one.
 */
#ifndef RESOLVE_DNSSEC_ROLLOVER_H
#define RESOLVE_DNSSEC_ROLLOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"
#include "recursor/resolve/dnssec/key.h"

enum {
	ROLLOVER_KEYS_MAX = 32,
	ROLLOVER_RDATA_MAX = 4 + DNSKEY_KEY_MAX,
	ROLLOVER_HOUR_S = 3600,
	ROLLOVER_DAY_S = 24 * ROLLOVER_HOUR_S,
	ROLLOVER_HOLD_S = 30 * ROLLOVER_DAY_S, /* RFC 5011 2.4.1, 2.4.2 */
	/* However long a zone's TTL: no cache of ours or of others keeps its keys for longer. */
	ROLLOVER_HOLD_MAX_S = 90 * ROLLOVER_DAY_S,
};

/* symbol, how it is called in the file and in the log */
#define ROLLOVER_STATES(X)                                                                         \
	X(ADDING, "adding")                                                                        \
	X(TRUSTED, "trusted")                                                                      \
	X(MISSING, "missing") /* trusted all the same */                                           \
	X(REVOKED, "revoked")                                                                      \
	X(REMOVED, "removed")

enum rollover_state {
#define ROLLOVER_ENUM(symbol, text) ROLLOVER_##symbol,
	ROLLOVER_STATES(ROLLOVER_ENUM)
#undef ROLLOVER_ENUM
		ROLLOVER_N
};

const char *rollover_state_text(enum rollover_state state);

struct rollover_key {
	enum rollover_state state;
	uint32_t since_s;
	uint32_t until_s; /* ADDING: then it may be trusted; REVOKED: then it is removed */
	bool seen;        /* while a set is looked at */
	bool is_dnskey;   /* else a DS, whose key has not been seen */
	uint16_t len;
	uint8_t *rdata;
};

struct rollover {
	uint8_t zone[NAME_MAX_LEN]; /* lower case */
	uint64_t print;             /* of what was configured when it began; 0: cleared */
	uint32_t next_s;            /* when to look again */
	uint32_t seen_s;            /* when a set was seen last; 0: never */
	uint32_t interval_s;        /* as long as the next failure waits */
	size_t n;
	struct rollover_key keys[ROLLOVER_KEYS_MAX];
};

/* A DS set as a number, in any process the same, in whatever order. */
uint64_t rollover_print(const struct rrset *ds);

/* E_NOMEM, E_LIMIT: more than ROLLOVER_KEYS_MAX. */
int rollover_begin(struct rollover *r, const uint8_t *zone, const struct rrset *ds) MUST_USE;
int rollover_copy(struct rollover *out, const struct rollover *from) MUST_USE;
void rollover_deinit(struct rollover *r);
/* What is configured has changed: begins anew with that, but what was revoked stays so. */
int rollover_restart(struct rollover *r, const struct rrset *ds) MUST_USE;
/* Up to rollover_restart() its keys are not followed, and it knows those alone that were revoked.  False:
 * none was. */
bool rollover_clear(struct rollover *r);
bool rollover_is_cleared(const struct rollover *r);
/* A key more that is trusted, by its DS; once revoked, never again (RFC 5011 2.1): E_EXISTS.  Of a zone that
 * is cleared only that is asked: none is taken up. */
int rollover_trust(struct rollover *r, const struct rdata *ds) MUST_USE;
/* For who reads a file: takes a copy of the rdata. */
int rollover_add(struct rollover *r, const struct rollover_key *key) MUST_USE;

/* What looking at a set needs. */
struct rollover_look {
	uint32_t now_s;
	/* Of the signature by which the set validated, and of no other: who is on the path adds
	 * signatures as he likes.  Its original TTL, and its expiration; rollover_see() alone. */
	uint32_t ttl, until_s;
	/* Has the key signed the set? */
	bool (*is_self_signed)(void *ctx, const struct dnskey *key);
	/* A key changes its state; `to` NULL: it is forgotten, `from` NULL: it is new. */
	void (*changed)(void *ctx, uint16_t tag, const char *from, const char *to);
	void *ctx;
};

/* `dnskeys`: the zone's, validated by a key that is trusted, with its RRSIGs. */
int rollover_see(struct rollover *r, const struct rrset *dnskeys,
		 const struct rollover_look *look) MUST_USE;
/* `dnskeys` did not validate, as is so when the last key that is trusted has been revoked.  What they say of
 * keys counts only where a key says of itself that it is revoked: its own signature is enough (2.1). */
int rollover_see_revoked(struct rollover *r, const struct rrset *dnskeys,
			 const struct rollover_look *look) MUST_USE;
/* It could not be had, or did not validate: sets next_s (RFC 5011 2.3). */
void rollover_miss(struct rollover *r, uint32_t now_s);

/* E_OK, with a reference; *out is NULL when no key is trusted. */
int rollover_trusted(struct rrset **out, const struct rollover *r) MUST_USE;

#endif
