/*
 * reply: what a server's answer means (RFC 1034 4.3.2, 2308, 6672), and which of its records
 * may be believed.
 *
 * In goes a parsed message, already known to answer our question, and the zone whose server sent
 * it; out comes one kind and the sets worth keeping.  Nothing is looked up and nothing is cached
 * here: the caller does that.
 *
 * Where DNSSEC is processed, a denial takes the NSEC and NSEC3 sets beside it along as its proofs, and
 * so does what a wildcard made; a referral's DS set, or the proof that there is none, is kept under
 * the name of the zone referred to (DS, CACHE_TRUST).  Nothing is verified here.
 *
 * Believed is only what the zone's server may say: records whose owner lies within the zone
 * (bailiwick) and in no other zone that the operator has configured.  In the answer section, the chain from the name asked; in the authority section
 * NS of the zone itself or of a zone on the way to the name, and the SOA that closes a denial; in
 * the additional section addresses of the name servers named there.  The rest is counted
 * (out-of-bailiwick-records) and thrown away.
 *
 * Memory:  sets in struct reply are references for the caller: reply_clear().
 * Limits:  REPLY_RECORDS_MAX records in REPLY_GROUPS_MAX sets, REPLY_ARENA bytes of unfolded data;
 *          max_rrset_records a set.
 * Threads: one struct reply_scratch, one thread.
 */
#ifndef RESOLVE_REPLY_H
#define RESOLVE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/metrics.h"
#include "common/msg.h"
#include "common/rrset.h"
#include "recursor/resolve/resolver.h"
#include "recursor/resolve/zones.h"

enum {
	REPLY_RECORDS_MAX = 1024,
	REPLY_GROUPS_MAX = 256,
	REPLY_ARENA = 128 * 1024,
	REPLY_KEEP_MAX = 64,
	REPLY_LINKS_MAX = 16,
	REPLY_SIGS_MAX = 32, /* RRSIGs of one set; no signer has more of use (CVE-2023-50387) */
};

enum reply_kind {
	REPLY_ANSWER, /* `answer`: data of the type asked, at the name asked */
	REPLY_ALIAS,  /* `answer`: the CNAME at the name asked; `dname` when it follows from one */
	REPLY_NODATA, /* `negative`, perhaps with a SOA */
	REPLY_NXDOMAIN, /* likewise */
	REPLY_YXDOMAIN, /* `dname` makes the name too long (RFC 6672 2.2) */
	REPLY_REFERRAL, /* `referral`: the NS set of a zone nearer to the name */
	REPLY_LAME,     /* the server does not serve the zone; `note` says how it shows */
	REPLY_UNUSABLE, /* too many records or bytes; `note` */
};

struct reply_kept {
	struct rrset *set;
	bool as_delegation;
};

struct reply {
	enum reply_kind kind;
	const char *note;
	struct rrset *answer;
	struct rrset *dname;
	struct rrset *negative;
	struct rrset *referral;
	struct reply_kept keep[REPLY_KEEP_MAX]; /* to be offered to the cache, in this order */
	unsigned n_keep;
	unsigned out_of_bailiwick; /* records thrown away */
};

struct reply_question {
	const uint8_t *name; /* lower case, as asked (perhaps minimised) */
	uint16_t type;
	const uint8_t *zone; /* lower case: whose server was asked */
	uint32_t now_s;
	bool has_delegation; /* the zone was reached by a referral that ends at ... */
	uint32_t delegation_expires_s;
	/* The zone's own NS set, if the server was found by that, and the parent's. */
	const struct rrset *ns_own, *ns_parent;
	bool recurse; /* asked of a resolver, with RD=1 */
	const struct zones
		*zones; /* or NULL: names of another configured zone are not its to tell */
	bool dnssec;    /* proofs are wanted */
	bool by_stale;  /* the server was found by what has expired: see goal.h */
};

struct reply_scratch;
struct reply_scratch *reply_scratch_new(void);
void reply_scratch_free(struct reply_scratch *s);

/* Reads the records of `m` (opened with msg_open(), rcode NOERROR or NXDOMAIN).  E_MALFORMED and
 * the like when a record cannot be parsed, E_NOMEM; then *out holds nothing. */
int reply_read(struct reply *out, struct reply_scratch *s, struct msg *m,
	       const struct reply_question *q, const struct resolver_config *cfg,
	       struct counters *counters) MUST_USE;
void reply_clear(struct reply *r);

/* `name` with its end `owner` replaced by `target` (RFC 6672 2.2).  E_TOO_LONG. */
int dname_substitute(uint8_t out[NAME_MAX_LEN], const uint8_t *name, const uint8_t *owner,
		     const uint8_t *target) MUST_USE;

/* The CNAME that a DNAME above `name` makes. */
int cname_synthesise(struct rrset **out, const uint8_t *name, const struct rrset *dname,
		     uint32_t now_s) MUST_USE;

#endif
