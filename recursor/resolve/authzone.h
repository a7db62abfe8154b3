/*
 * authzone: the data of one zone that we serve ourselves, and the answer they give to a question
 * (RFC 1034 4.3.2, wildcards after RFC 4592, DNAME after RFC 6672).
 *
 *     authzone_new(&a, apex); authzone_add(a, ...) for each record; authzone_finish(a, ...)
 *     authzone_look(a, name, type, now_s, &answer)
 *
 * What a name's answer goes on with (the target of an alias, the servers of a delegation) is the
 * resolver's business: it may lie in this zone, in another or out on the Internet.
 *
 * Memory:  the zone owns its records; an answer's sets are references for the caller, made anew
 *          with each answer, for their time begins with it.
 * Threads: one while it is built, any number afterwards.
 * Limits:  those of a set (rrset.h).
 */
#ifndef RESOLVE_AUTHZONE_H
#define RESOLVE_AUTHZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"

enum { AUTHZONE_WHY_MAX = 160 };

struct authzone;

/* `apex` is lower case. */
int authzone_new(struct authzone **out, const uint8_t *apex) MUST_USE;
void authzone_free(struct authzone *a); /* accepts NULL */

/* Adds a record; `owner` is lower case, the rdata are sound.  A record that is there already is
 * none.  On error some words in `why`: E_MALFORMED (not within the zone, a second CNAME or SOA, a
 * CNAME beside other data, a SOA below the apex), E_NOMEM, E_LIMIT. */
int authzone_add(struct authzone *a, const uint8_t *owner, uint16_t type, uint32_t ttl,
		 const uint8_t *rdata, uint16_t len, char why[AUTHZONE_WHY_MAX]) MUST_USE;

/* All records are there: is it a zone (it has a SOA)?  Only then may it be looked in. */
int authzone_finish(struct authzone *a, char why[AUTHZONE_WHY_MAX]) MUST_USE;

const uint8_t *authzone_apex(const struct authzone *a);
size_t authzone_records(const struct authzone *a);
/* The same for the same records, in whatever order and process. */
uint64_t authzone_print(const struct authzone *a);

enum auth_kind {
	AUTH_DATA,     /* `set` */
	AUTH_ALIAS,    /* `set`: the CNAME; `dname` when it follows from one */
	AUTH_NODATA,   /* `set`: the denial, with the SOA in it */
	AUTH_NXDOMAIN, /* likewise */
	AUTH_REFERRAL, /* `set`: the NS set of a zone below */
	AUTH_YXDOMAIN, /* `dname`: its target makes the name too long (RFC 6672 2.2) */
};

struct auth_answer {
	enum auth_kind kind;
	struct rrset *set, *dname; /* references for the caller */
};

/* `name` is lower case and within the zone.  E_NOMEM, E_LIMIT; then there is no answer. */
int authzone_look(const struct authzone *a, const uint8_t *name, uint16_t type, uint32_t now_s,
		  struct auth_answer *out) MUST_USE;

/* Calls back with every record, in no order; false ends it.  What it gets is the zone's own. */
typedef bool (*authzone_record_cb)(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
				   const struct rdata *rr);
void authzone_walk(const struct authzone *a, authzone_record_cb cb, void *ctx);

/* The zone's addresses of a name, glue below a delegation too; each NULL or a reference. */
void authzone_glue(const struct authzone *a, const uint8_t *name, uint32_t now_s, struct rrset **v4,
		   struct rrset **v6);

#endif
