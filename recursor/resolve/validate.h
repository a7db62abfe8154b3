/*
 * validate: goals that validate their answers, and the chain of trust that they do it by (RFC 4035 5).
 *
 * Private to recursor/resolve/, a part of goal.h.
 *
 *     (www.example.com, A) has its answer; its RRSIG is by example.com
 *          | edge (trust)
 *     (example.com, TRUST) --> (example.com, DS) --> (com, TRUST) --> ...   up to an anchor
 *                          --> (example.com, DNSKEY)
 *
 * A goal that validates is another than the one for the same question that does not, so that the
 * addresses of name servers, which are not validated, never wait for the keys of the zones they
 * serve.  What was found of a set stays with it (rrset_security()), for whoever asks next.
 *
 * Without RRSIGs an answer is good where a delegation on the way to it is proved to be insecure; such
 * proofs are looked for from the zone that said it down to the name.  What is bogus is asked of the
 * zone's other servers; only when none is left it is told.
 *
 * Limits:  dnssec_limits for one query; and for all of them together so much work between two turns of the
 *          loop that everybody else is served in time:
 *
 *          - Work is done in pieces: one set verified, or one denial looked at.  A piece that may begin is
 *            done whole: at most max_rrsigs_per_record * max_dnskeys checks (4) or max_nsec3_hashes (600).
 *          - A turn has TURN_OTHERS_US for pieces, by what they are known to take (dnssec_work.ns: checks,
 *            and what is read, put in order and hashed besides), and TURN_SUSPECT_US for those of zones
 *            that said something bogus or met a limit within the last TURN_SUSPECT_MS.  A piece may begin
 *            while something is left of its share; goals that come too late, were they all woken by the
 *            same DNSKEY set, wait for a later turn (TIMER_TURN).  Suspects' begin only while something
 *            is left of both together.
 *          - No piece is free: with signatures by keys that are not there a zone would have any number.
 *          - So a turn takes no longer than both shares, and what the last piece of each takes beyond them:
 *            with the defaults 1 ms and a check or two.  The worst is P-384, 0.7 ms a check, with two keys
 *            of a tag: 0.7 ms and four checks when the zone is met first, 3.5 ms; later 0.3 ms and four
 *            checks, and beside them 0.7 ms and one check of zones that are in order, 4.5 ms.
 *            To read, order and hash the sets of the largest message takes half a millisecond more.
 *          - A zone that fails uses up its own share only: whose zone is in order waits for no more than
 *            one piece of it a turn, however many questions for it are waiting.
 */
#ifndef RESOLVE_VALIDATE_H
#define RESOLVE_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rrset.h"
#include "recursor/resolve/cause.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/resolve/dnssec/denial.h"
#include "recursor/resolve/dnssec/verify.h"

struct goal;
struct resolver;

/* What a goal is told by the one it waited for to validate with; of the zone or set of that name. */
struct told {
	uint64_t name_hash;
	uint16_t type;    /* CACHE_TRUST, TYPE_DS or TYPE_DNSKEY; 0: nothing */
	uint8_t security; /* enum security */
	uint8_t bogus;    /* enum bogus */
	bool is_under_nta;
	bool is_no_cut; /* CACHE_TRUST: SEC_SECURE, but there is no zone of that name */
	uint8_t ours; /* enum cause: nobody knows, for want of goals or descriptors; or CAUSE_NONE */
	/* Reference: the zone's DNSKEYs, the DS or its denial (also that of a name that is no cut); or
	 * NULL. */
	struct rrset *set;
};

/* An answer that is being validated; zeroed, there is none. */
struct validation {
	struct rrset *dname, *set; /* references: what is looked at */
	uint8_t then;              /* enum then: what the goal does with it */
	uint8_t stage;
	uint8_t at;          /* which of the proofs */
	uint8_t first_heard; /* of the proofs, counted from 1, that may speak of it; 0: none yet */
	uint8_t walk_labels; /* the name of so many labels is looked at for an insecure cut; */
	uint8_t walk_first; /* all from this one to it are none; both hold for what the next server says */
	uint32_t n_ds_lookups; /* that the walks of all servers' answers took */
	uint8_t labels;        /* of the wildcard, where one was expanded */
	uint8_t security;      /* what it has come to so far */
	uint8_t bogus;
	uint8_t last_bogus; /* what was wrong with the answers of servers asked before */
	bool is_expanded;
	bool is_under_nta;
	bool is_of_trust; /* the chain of trust is to blame, not this answer */
	bool is_from_cache;
	struct rrset *lie; /* reference: of the answers that were bogus the last, or NULL */
	uint64_t wipes;    /* cache_wipes() when the last answer came */
	uint32_t ttl;      /* for so long it may be kept */
	struct told told;
};

/* ---- iterate.c ---- */

/* Ends a goal whose answer, or whose chain of trust, is bogus. */
void goal_end_bogus(struct resolver *r, struct goal *g, enum bogus why);
/* Ends one that cannot be validated for want of something of our own, of room for another goal or of
 * descriptors, which says nothing of the answer and is not remembered. */
void goal_end_unchecked(struct resolver *r, struct goal *g, enum cause why);

/* ---- validate.c ---- */

/* What an answer is for, once it is found to be good. */
enum then { THEN_NOTHING, THEN_DATA, THEN_DENIAL, THEN_ALIAS, THEN_TOO_LONG };
/* Is the answer to be validated first?  Then that has begun, and the goal goes on with it when it is
 * done; `dname` and `set` as the functions that end goals have them. */
bool validate_first(struct resolver *r, struct goal *g, enum then then, struct rrset *dname,
		    struct rrset *set);
void validate_step(struct resolver *r, struct goal *g);
/* All servers of the zone gave bogus answers: ends the goal with that.  False: none did. */
bool validate_give_up(struct resolver *r, struct goal *g);
/* Lets go of what is being validated; also of what was wrong with the answers before. */
void validate_clear(struct goal *g);
void validate_forget(struct goal *g);
/* What two parts make of the whole. */
enum security security_of_both(enum security a, enum security b);

/* ---- check.c ---- */

enum checked {
	CHECKED,      /* the verdict is out */
	CHECKED_LATER /* the goal waits for another, or for its turn; or is dead */
};
struct check {
	enum security security;
	enum bogus bogus; /* why it is bogus; or insecure: BOGUS_MAX_ITERATIONS */
	bool is_under_nta;
	bool is_of_trust; /* it comes of the zone's state, not of the set */
	bool is_expanded;
	uint8_t labels;
	uint32_t ttl; /* for so long it may be kept */
};
/* The signer that a set's RRSIGs name, the deepest of those that can be; borrowed; or NULL. */
const uint8_t *check_signer(const struct rrset *s);
/* What counts for what is at the name; of what is the parent's there, such as a DS (RFC 4035 5.2), an anchor
 * at the name itself says nothing.  *anchor as anchors_find() has it. */
enum anchoring check_anchor(const struct resolver *r, const uint8_t *name, bool is_parents,
			    const struct anchor **anchor);
/* What follows for it without a look at it: insecure under a negative anchor, indeterminate without any;
 * SEC_UNCHECKED: it is to be validated, from *anchor on. */
enum security check_security_unasked(const struct resolver *r, const uint8_t *name, bool is_parents,
				     const struct anchor **anchor);
/* Is `who` above the trust anchor that counts for it?  Then it is not heard. */
bool check_is_above_anchor(const struct resolver *r, const uint8_t *name, bool is_parents,
			   const uint8_t *who);
/* The signer of an NSEC or NSEC3 set, where that is a zone that may speak of the name (of its DS, as the
 * parent); else NULL.  What another zone says, signed or not, is no word on this name: nor is the name
 * insecure because that zone is. */
const uint8_t *check_proof_signer(const struct resolver *r, const struct rrset *proof,
				  const uint8_t *name, bool is_ds);
struct good_proofs {
	struct denial_proof proof; /* of `sets` and `zone`; ->zone NULL: there are none */
	struct rrset *sets[RRSET_MAX_PROOFS];
	uint8_t zone[NAME_MAX_LEN]; /* that the first is signed by */
};
/* Those of the set's proofs that have been found good, by zones that may speak of the name as above; by that
 * one alone, if `only` is not NULL.  Borrowed; not to be copied. */
void check_good_proofs(const struct resolver *r, const struct rrset *s, const uint8_t *name,
		       bool is_ds, const uint8_t *only, struct good_proofs *out);
/* A denial, or what a wildcard made: that is to be proved. */
struct claim {
	const struct rrset *set;
	bool is_of_ds;    /* of the DS asked for, at the parent */
	bool is_expanded; /* as in struct verification */
	uint8_t labels;
};
/* That of a set which answers the goal, if no wildcard made it.  validate.c */
struct claim validate_claim_of(const struct goal *g, const struct rrset *s);
/* What those of its proofs make of it that have been found good. */
void validate_claim(struct resolver *r, const struct claim *it, struct good_proofs *good,
		    struct dnssec_work *work, struct check *out);
/* Whose doing it is if it takes too long: the zone whose servers said it, or the one below that says it is
 * the signer.  Not one above, which anybody can name. */
const uint8_t *check_blame(const struct rrset *s);

/* What nobody signed. */
enum checked check_unsigned(struct resolver *r, struct goal *g, const struct rrset *s,
			    struct check *out);
/* Any set: by its RRSIGs or for want of them, or by what was found of it before. */
enum checked check_any(struct resolver *r, struct goal *g, struct rrset *s, struct check *out);

/* ---- story.c: for who listens ---- */

/* A zone's DS set, and its keys: a few of them. */
void story_ds(struct resolver *r, struct goal *g, const struct rrset *ds);
void story_keys(struct resolver *r, struct goal *g, const struct rrset *keys);
/* A set was looked at: a DNSKEY set by `ds` (else NULL), or another by its zone's `keys`.  Where the link is
 * broken, what there is on both sides of it is told as well. */
void story_verified(struct resolver *r, struct goal *g, const struct rrset *s, const uint8_t *zone,
		    const struct rrset *ds, const struct rrset *keys, const struct verification *v);
/* Which proof was wanting. */
void story_gap(struct resolver *r, struct goal *g, const uint8_t *name,
	       const struct dnssec_work *work);
/* The set was found bogus before: who is traced is told how, as then, by a few checks made again, as long as
 * something of the turn is left. */
void story_again(struct resolver *r, struct goal *g, const struct rrset *s);

/* ---- byproof.c ---- */

struct knowledge;
/* Ends the goal with what proofs seen before say of its name, if they do. */
bool byproof_end(struct resolver *r, struct goal *g, const struct knowledge *k);
/* Keeps the proofs of a denial, or of what a wildcard made, that has been found good. */
void byproof_keep(struct resolver *r, struct rrset *s);

/* ---- turns.c ---- */

enum { TURNS_SUSPECTS = 64 }; /* zones told apart; those of one place follow each other */

enum turn_class { TURN_OTHERS, TURN_SUSPECT, TURN_CLASSES };

struct turns {
	uint64_t at_ms; /* the turn of the loop that the rest is of, by the world's clock */
	int64_t left_ns[TURN_CLASSES];
	uint32_t n_away; /* goals that were told to come again */
	struct suspect {
		uint64_t zone_hash, until_ms;
	} suspects[TURNS_SUSPECTS];
};

/* Is something of the turn left for a piece of work on what this zone said?  What may as well be left undone
 * asks for no more, and says what it took, at nobody's charge. */
bool turn_has_left(struct resolver *r, const uint8_t *zone);
void turn_spend(struct resolver *r, const uint8_t *zone, const struct dnssec_work *work);
/* May a piece of work on what this zone said begin?  Else the goal gets its turn later. */
bool turn_may_work(struct resolver *r, struct goal *g, const uint8_t *zone);
/* It is done; `is_bad`: what the zone said was found to be bogus.  False: nobody is left, the goal is dead. */
bool turn_end(struct resolver *r, struct goal *g, const uint8_t *zone, bool is_bad,
	      const struct dnssec_work *work);

/* ---- trust.c ---- */

/* Whether a zone is signed, and its keys. */
struct trust {
	enum security security; /* SECURE: `keys`, or is_no_cut */
	enum bogus bogus;       /* as in struct check */
	bool is_under_nta;
	bool is_no_cut;     /* no zone of that name */
	struct rrset *keys; /* reference, or NULL */
};
/* Out of what is known; false: it is to be found out. */
bool trust_known(struct resolver *r, const uint8_t *zone, struct trust *out);
/* Is it known to be signed, its keys at hand?  Looks at that name alone, which a name of many labels can have
 * asked for each of its own. */
bool trust_has_keys(struct resolver *r, const uint8_t *zone);
/* Likewise, where all above it are known to be in order: looks at that name alone. */
bool trust_known_itself(struct resolver *r, const uint8_t *zone, struct trust *out);
/* What the goal was told of it, if that is what it was told last. */
bool trust_take_told(const struct goal *g, const uint8_t *zone, struct trust *out);
/* As trust_known(), or what the goal was told; else it comes to wait for it, or ends. */
enum checked trust_get(struct resolver *r, struct goal *g, const uint8_t *zone, struct trust *out);
/* The goal waits to be told of (name, type), which is not known yet; or has ended. */
void trust_want(struct resolver *r, struct goal *g, const uint8_t *name, uint16_t type);
/* Whom it waited for has ended. */
void trust_told(const struct resolver *r, struct goal *parent, const struct goal *child);
/* Was it told of that? */
bool trust_was_told(const struct goal *g, const uint8_t *name, uint16_t type);
/* What it comes to that the goal was told, for the DS of its name, of a good answer that is no DS: insecure,
 * no cut, or bogus. */
enum checked trust_weigh_ds(struct resolver *r, struct goal *g, struct trust *out);
/* The goal's name, of whose DS it is to know, is an alias: those who wait because of trust need no more.
 * True: nobody else waits. */
bool trust_end_at_alias(struct resolver *r, struct goal *g);
void trust_step(struct resolver *r, struct goal *g);

#endif
