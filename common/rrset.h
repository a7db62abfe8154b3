/*
 * rrset: a set of records (RFC 2181 5) as one immutable, reference-counted block.
 *
 *     struct rrset | owner (lower case) | rdata: u16 len, bytes | ... | RRSIG rdata: same ... |
 *     where the RRSIGs begin: u32, if there are any
 *
 * Also what is known not to be: an NXDOMAIN or a NODATA is a block with the owner asked
 * for, no rdata, and references to the sets that prove it (the zone's SOA first, then NSEC or
 * NSEC3).  Data that a wildcard made have the NSEC or NSEC3 sets that prove it, too.
 * And a resolution failure (RFC 9520): no rdata, its cause in `cause`; one that is SEC_BOGUS has a
 * reference to the answer that was.
 *
 * A set never changes after rrset_new(), but for its reference count, what validation found of it
 * (once, from SEC_UNCHECKED) and the cache's own fields, so any number of threads may read it.
 * Caches, goals and answers each hold a
 * reference; the last rrset_put() frees.
 *
 * Memory:  a set that several entries of a cache hold (a zone's SOA, which proves many denials) is in
 *          no one entry's account: rrset_charge() puts it into one of the process, until it is freed.
 *
 * Time:    `expires_s` is the time of day (seconds since 1970) at which the TTL reaches 0.
 * Limits:  RRSET_MAX_RECORDS records; the block is at most RRSET_MAX_BYTES.
 */
#ifndef COMMON_RRSET_H
#define COMMON_RRSET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"

enum {
	RRSET_MAX_RECORDS = 4096,
	RRSET_MAX_SIGS = 255,
	RRSET_MAX_BYTES = 128 * 1024,
	RRSET_MAX_PROOFS = 7,
	RRSET_CLOCK_SLACK_S = 3600,
	RRSET_GLUE_LONG = 255,
};

#define RRSET_CHARGED (1U << 31)

/* Trustworthiness after RFC 2181 5.4.1, least first. */
enum rank {
	RANK_NONE,
	RANK_ADDITIONAL,     /* glue and other additional data: never an answer */
	RANK_REFERRAL,       /* authority section of an answer without AA */
	RANK_ANSWER,         /* answer section without AA, or not the head of a chain */
	RANK_AUTH_AUTHORITY, /* authority section of an authoritative answer */
	RANK_AUTH_ANSWER,    /* answer section of an authoritative answer */
	RANK_LOCAL,          /* hints, zones and names of ours */
};

enum rrset_kind {
	RRSET_DATA,     /* records */
	RRSET_NODATA,   /* the name has no such type; proofs */
	RRSET_NXDOMAIN, /* no such name; type 0; proofs */
	RRSET_FAILURE,  /* could not be resolved a moment ago; `cause` says why */
};

/* Validation state (RFC 4033 5). */
enum security { SEC_UNCHECKED, SEC_INDETERMINATE, SEC_INSECURE, SEC_SECURE, SEC_BOGUS };

/* "Secure", as PowerDNS has it. */
const char *security_text(enum security s);

struct rdata {
	const uint8_t *data;
	uint16_t len;
};

/* 24 bytes, since a cache holds millions. */
struct rrset {
	atomic_uint refs; /* and RRSET_CHARGED */
	uint32_t ttl;     /* as received, after floors and caps */
	uint32_t expires_s;
	uint16_t type;
	uint8_t owner_len;
	uint8_t zone_labels; /* labels of the zone it came from: an ancestor of the owner, or it */
	uint32_t size : 18;  /* bytes of the block */
	uint32_t n_rr : 13;
	uint32_t no_stale : 1; /* never of use once it has expired; see resolve/goal.h */
	uint8_t n_sig;
	uint8_t rank : 3; /* enum rank */
	uint8_t kind : 2; /* enum rrset_kind */
	uint8_t n_proofs : 3;
	atomic_uchar verdict; /* rrset_security(), rrset_bogus() */
	union {
		uint8_t cause; /* FAILURE: enum cause of resolve/cause.h */
		/* A parent's NS set: seconds that the shortest-lived address lasts which came with
		 * it, of servers within the zone; at most RRSET_GLUE_LONG. */
		uint8_t glue_s;
	};
	uint8_t data[];
};

/* Builds a set with one reference.  `owner` is lower case.  Equal rdata are kept once
 * (RFC 2181 5).  Sigs are RRSIG rdata.  *out is written on success.
 * E_NOMEM, E_LIMIT (too many records or bytes). */
int rrset_new(struct rrset **out, const uint8_t *owner, uint16_t type, uint32_t ttl, uint32_t now_s,
	      enum rank rank, const struct rdata *rr, size_t n_rr, const struct rdata *sig,
	      size_t n_sig) MUST_USE;

/* The same, with the sets that prove that no closer name is there than the wildcard it was made of
 * (RFC 4035 3.1.3.3); takes a reference to each. */
int rrset_new_proved(struct rrset **out, const uint8_t *owner, uint16_t type, uint32_t ttl,
		     uint32_t now_s, enum rank rank, const struct rdata *rr, size_t n_rr,
		     const struct rdata *sig, size_t n_sig, struct rrset *const *proofs,
		     size_t n_proofs) MUST_USE;

/* Builds a negative set or a failure; takes a reference to each proof. */
int rrset_new_negative(struct rrset **out, enum rrset_kind kind, const uint8_t *owner,
		       uint16_t type, uint32_t ttl, uint32_t now_s, enum rank rank,
		       struct rrset *const *proofs, size_t n_proofs, unsigned cause) MUST_USE;

/* What validation found of the set: it is written down once, by whoever is first, and stays.
 * `bogus`: why it is SEC_BOGUS, or only insecure (enum bogus of resolve/dnssec/bogus.h, below 32). */
void rrset_set_security(struct rrset *s, enum security security, unsigned bogus);
/* It is to be found again.  For a set that nobody else has seen yet. */
void rrset_forget_security(struct rrset *s);
static inline enum security rrset_security(const struct rrset *s)
{
	return (enum security)(atomic_load_explicit(&s->verdict, memory_order_relaxed) & 7);
}
static inline unsigned rrset_bogus(const struct rrset *s)
{
	return atomic_load_explicit(&s->verdict, memory_order_relaxed) >> 3;
}
/* A failure that came of answers which were all bogus.  NULL is none. */
static inline bool rrset_is_bogus_failure(const struct rrset *s)
{
	return s != NULL && s->kind == RRSET_FAILURE && rrset_security(s) == SEC_BOGUS;
}
/* Said by the zone whose apex the name is, but for the root: no word on the name's DS, which is the parent's
 * (RFC 4035 3.1.4.1). */
bool rrset_is_of_apex(const struct rrset *s);
/* Does what is said of the whole name, an alias or that it is not there, speak of that type, too? */
bool rrset_speaks_of(const struct rrset *s, uint16_t type);

/* A copy with another rank and expiry (a new block with one reference). */
int rrset_copy(struct rrset **out, const struct rrset *s, enum rank rank, uint32_t ttl,
	       uint32_t now_s) MUST_USE;

struct rrset *rrset_get(struct rrset *s);
/* Gives a reference back; accepts NULL. */
void rrset_put(struct rrset *s);

/* From now on it is accounted for as a set that many share, once; how many bytes all such take,
 * with what malloc adds. */
void rrset_charge(struct rrset *s);
size_t rrset_charged_bytes(void);

/* Puts an equal set into the place of a denial's proof, and has the denial expire with it.  For a
 * denial that nobody else has seen yet. */
void rrset_share_proof(struct rrset *denial, unsigned i, struct rrset *proof, uint32_t now_s);

/* Borrowed, within the block. */
const uint8_t *rrset_owner(const struct rrset *s);
/* The zone it came from: an ancestor of the owner, or it. */
const uint8_t *rrset_zone(const struct rrset *s);
struct rrset *const *rrset_proofs(const struct rrset *s);

/* A denial's SOA, borrowed, or NULL: one without is not for keeping (RFC 2308 5). */
const struct rrset *rrset_soa(const struct rrset *s);

/* Walks the records: start with *at = 0; false after the last.  Then the same for RRSIGs. */
bool rrset_next(const struct rrset *s, size_t *at, struct rdata *rr);
bool rrset_next_sig(const struct rrset *s, size_t *at, struct rdata *sig);

/* Seconds left at `now_s`, at least 0, at most `ttl`: a clock set back does not lengthen it. */
uint32_t rrset_ttl_left(const struct rrset *s, uint32_t now_s);
/* Also when the clock has been set back by more than RRSET_CLOCK_SLACK_S since it was made: what was
 * stored while the clock was ahead does not live until that time comes.  A failure, or bogus data:
 * when it has been set back at all. */
bool rrset_is_expired(const struct rrset *s, uint32_t now_s);
/* Expired no longer than `window_s` ago, and of a kind that may serve even so (RFC 8767): no failure,
 * nothing bogus, nothing marked no_stale.  Never with a window of 0, nor when it is expired only
 * because the clock was set back. */
bool rrset_is_stale(const struct rrset *s, uint32_t now_s, uint32_t window_s);

/* Same records, regardless of order. */
bool rrset_equal_data(const struct rrset *a, const struct rrset *b);

/* One record as text with ldns, "name ttl IN TYPE rdata" without a newline; into `out`.
 * For dumps and traces, not for the hot path. */
int rrset_record_text(const struct rrset *s, const struct rdata *rr, uint32_t ttl, char *out,
		      size_t cap) MUST_USE;

/* The address in an A or AAAA record's rdata is handled by addr_from_rdata() in addr.h. */

#endif
