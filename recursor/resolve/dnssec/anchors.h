/*
 * anchors: where trust begins, and where it is not to be looked for.
 *
 *     anchors_new_builtin(&a);                             the root's keys
 *     anchors_add(a, name, TYPE_DS, rdata, len);           a trust anchor (RFC 4033 2)
 *     anchors_add_nta(a, name, "their KSK is lost", 0);    a negative one (RFC 7646)
 *     resolver_set_anchors(r, a);                          published: only read from now on
 *
 * A snapshot is built by one thread, then published; who wants another one copies it, changes the
 * copy and publishes that.  Of the anchors at a name and above it the deepest counts; a name that has
 * both kinds is under the negative one.  So a trust anchor below a negative one is in force.
 *
 * A trust anchor is a DS set of rank LOCAL that never expires.  A DNSKEY given as an anchor becomes its
 * SHA-256 DS, so that there is one way to begin a chain (RFC 4035 5).
 *
 * Cost:    a binary search for each label count that some anchor has: one comparison with the root's
 *          anchor alone.
 * Limits:  ANCHORS_MAX names, ANCHORS_RECORDS_MAX DS of one, ANCHORS_REASON_MAX.
 * Memory:  reference-counted; so are the parts, which copies share.
 * Threads: one while it is built, any number afterwards.
 */
#ifndef RESOLVE_DNSSEC_ANCHORS_H
#define RESOLVE_DNSSEC_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rrset.h"

enum {
	ANCHORS_MAX = 10000,
	ANCHORS_RECORDS_MAX = 64,
	ANCHORS_REASON_MAX = 256, /* with the byte that ends it; longer ones are cut */
};

struct anchors;

struct nta {
	uint32_t expires_s;  /* time of day; 0: never */
	const uint8_t *name; /* lower case */
	const char *reason;  /* "" when none was given */
};

struct anchor {
	const uint8_t *name;   /* lower case */
	struct rrset *ds;      /* or NULL */
	const struct nta *nta; /* or NULL */
	struct rrset *lost; /* not NULL: it had anchors whose keys are all revoked (RFC 5011 5) */
};

/* An empty one, with one reference. */
int anchors_new(struct anchors **out) MUST_USE;
/* With the root's key-signing keys of 2017 (20326) and 2024 (38696). */
int anchors_new_builtin(struct anchors **out) MUST_USE;
int anchors_copy(struct anchors **out, const struct anchors *from) MUST_USE;
struct anchors *anchors_get(struct anchors *a); /* accepts NULL */
void anchors_put(struct anchors *a);            /* accepts NULL */

/* ---- building; names in any case ---- */

/* What keeps the rdata of a DS or DNSKEY from being an anchor, in a few words; NULL: nothing. */
const char *anchors_refuse(uint16_t type, const uint8_t *rdata, size_t len);

/* Adds to what the name has; what it has already is no error.  E_MALFORMED (anchors_refuse() says
 * why), E_LIMIT, E_NOMEM. */
int anchors_add(struct anchors *a, const uint8_t *name, uint16_t type, const uint8_t *rdata,
		size_t len) MUST_USE;
/* The same of a DS as text, "20326 8 2 E06D..."; on error `reason` (RDATA_TEXT_WHY_MAX) says why. */
int anchors_add_text(struct anchors *a, const uint8_t *name, const char *ds, char *reason) MUST_USE;
/* Puts a set of a DS of the name into the place of what it has; NULL removes it.  A reference is
 * taken. */
int anchors_set(struct anchors *a, const uint8_t *name, struct rrset *ds) MUST_USE;
/* Removes it, and notes that all its keys are revoked: that is to be seen, but the name is as without an
 * anchor (RFC 5011 5), until it has one again.  E_LIMIT, E_NOMEM. */
int anchors_lose(struct anchors *a, const uint8_t *name) MUST_USE;
/* False: it had none. */
bool anchors_clear(struct anchors *a, const uint8_t *name);

/* In the place of one of that name.  E_LIMIT, E_NOMEM. */
int anchors_add_nta(struct anchors *a, const uint8_t *name, const char *reason,
		    uint32_t expires_s) MUST_USE;
/* The same with one that another snapshot has. */
int anchors_share_nta(struct anchors *a, const struct nta *nta) MUST_USE;
bool anchors_clear_nta(struct anchors *a, const uint8_t *name);

/* anchors_clear() or anchors_clear_nta() at all names. */
void anchors_clear_all(struct anchors *a, bool (*clear)(struct anchors *a, const uint8_t *name));

/* ---- asking; `a` may be NULL, which is none; what comes back is borrowed ---- */

enum anchoring {
	ANCHORING_NONE,     /* no anchor at or above it: nothing says whether it is signed */
	ANCHORING_TRUST,    /* ->ds is where its chain begins */
	ANCHORING_NEGATIVE, /* ->nta: it is not to be validated */
};

/* What holds for a name (in any case); *out is set unless it is ANCHORING_NONE, and may be NULL. */
enum anchoring anchors_find(const struct anchors *a, const uint8_t *name, uint32_t now_s,
			    const struct anchor **out);
/* Of exactly that name, expired or not; or NULL. */
const struct anchor *anchors_exact(const struct anchors *a, const uint8_t *name);

/* It is there (`nta` may be NULL) and has not expired. */
bool anchors_nta_counts(const struct nta *nta, uint32_t now_s);

/* All, in canonical order (RFC 4034 6.1). */
size_t anchors_count(const struct anchors *a);
const struct anchor *anchors_at(const struct anchors *a, size_t i);

/* A number that tells sets of anchors apart, today and by tomorrow's process; an expired negative anchor
 * is none.  Never 0. */
uint64_t anchors_digest(const struct anchors *a, uint32_t now_s);

/* An anchor of either kind that one has and the other has not, or that differs, calls back with its
 * name, lower case; an expired negative anchor is one all the same. */
void anchors_diff(const struct anchors *from, const struct anchors *to,
		  void (*cb)(void *ctx, const uint8_t *name), void *ctx);

/* ---- keys ---- */

enum { ANCHORS_DS_LEN = 4 + 32 };
/* The SHA-256 DS of a key (RFC 4034 5.1.4, RFC 4509 2.1).  E_MALFORMED; E_UNSUPPORTED. */
int anchors_ds_of(uint8_t out[ANCHORS_DS_LEN], const uint8_t *name, const uint8_t *dnskey,
		  size_t len) MUST_USE;

#endif
