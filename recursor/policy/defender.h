/*
 * defender: who is accused of being flooded, and what is done to the queries for it.
 *
 *     each worker:  defender_worker_new()
 *       an answer leaves            defender_worker_answer(), defender_tally_hit()
 *       a few times a second        defender_worker_tick()
 *       a question comes            if (defender_is_accusing(w) && defender_match(w, ...))
 *                                           defender_decide(w, ...)
 *
 * Answers are counted by each worker (defender_tally.h) and brought together over a window
 * (defender_watch.h).  A domain that meets all thresholds of a rule is accused, for the rule's
 * action_duration; when that is over it is looked at again.  What is accused is the zone below a
 * registrable domain that has the failures, if there is one, and the domain when not, or when several
 * of its zones have them.  Public suffixes and what is above them are never accused.
 *
 * Known names first: while a domain is accused, a name below it that is cached, or was seen to exist
 * (defender_known.h), passes.  Of the others a few a second pass as probes: how they end tells
 * whether the flood is still one, and new names become known.  A name that is asked for again
 * within some seconds, as those of people are and those of floods are not, has a share of its own.
 *
 * Owns:    rules, windows, accusations, the filter of known names; a worker's tally and evidence are
 *          its own and brought in by its tick.
 * Limits:  DEFENDER_ACCUSATIONS_MAX at a time; memory by the configuration.
 * Threads: `struct defender` any (a lock, which queries never take); a defender_worker one.
 * Clock:   passed in: monotonic milliseconds, and the time of day for people.
 */
#ifndef POLICY_DEFENDER_H
#define POLICY_DEFENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/err.h"
#include "recursor/policy/defender_known.h"
#include "recursor/policy/defender_rules.h"
#include "recursor/policy/defender_tally.h"

enum {
	DEFENDER_ACCUSATIONS_MAX = 1000,
	DEFENDER_CASE_MAX = 8, /* accusations that one query is judged by: of the first rules */
};

/* What became of a query for an accused domain: enum, name, help. */
/* clang-format off */
#define DEFENDER_DONE_TABLE(X)                                                                   \
	X(REFUSED, refused, "refused", "answered REFUSED")                                       \
	X(DROPPED, dropped, "dropped", "not answered")                                           \
	X(NXDOMAIN, nxdomain, "nxdomain", "answered NXDOMAIN")                                   \
	X(TRUNCATED, truncated, "truncated", "told to come again over TCP")                      \
	X(ROUTED, routed, "routed", "sent to another group of forwarders")                       \
	X(LOGGED, logged, "logged", "logged, and let through")                                   \
	X(ALLOWED, allowed, "allowed", "let through by a policy")                                \
	X(CACHED, cached, "cached", "let through: the answer is cached")                         \
	X(KNOWN, known, "known", "let through: the name is known to exist")                      \
	X(REPEATED, repeated, "repeated", "let through: an unseen name asked for again")         \
	X(PROBED, probed, "probed", "let through: an unseen name, to see how it ends")           \
	X(OBSERVED, observed, "observed", "let through: the rule only observes")
/* clang-format on */

enum defender_done {
#define DEFENDER_DONE_ENUM(word, member, name, help) DEFENDER_DONE_##word,
	DEFENDER_DONE_TABLE(DEFENDER_DONE_ENUM)
#undef DEFENDER_DONE_ENUM
		DEFENDER_DONES
};
const char *defender_done_text(enum defender_done done);

enum defender_mode {
	DEFENDER_OFF,
	DEFENDER_OBSERVE, /* no rule acts */
	DEFENDER_BY_RULES,
	DEFENDER_ACT, /* those that are built in act as well */
};

struct defender_config {
	enum defender_mode mode;
	size_t bytes; /* of tallies and windows */
	size_t known_bytes;
	uint32_t known_keep_s;
	unsigned n_workers;
};

struct defender;

/* A reference to `rules` is taken. */
int defender_new(struct defender **out, const struct defender_config *cfg,
		 struct defender_rules *rules) MUST_USE;
void defender_free(struct defender *d); /* accepts NULL; its workers have gone */
/* Other rules, or another mode.  Accusations by rules that are not there any more end.  On error all
 * is as before.  By one thread at a time. */
int defender_configure(struct defender *d, enum defender_mode mode, struct defender_rules *rules,
		       uint64_t now_ms) MUST_USE;

/* ---- a worker's side ---- */

struct defender_worker;

int defender_worker_new(struct defender_worker **out, struct defender *d) MUST_USE;
void defender_worker_free(struct defender_worker *w); /* accepts NULL */

/* Nobody need be told of answers. */
bool defender_worker_is_off(const struct defender_worker *w);
/* Returns the note for who keeps the answer.  `domain_labels` as psl_registrable() counts them.
 * `exists`: the name was answered for. */
struct defender_seen_answer {
	const uint8_t *qname, *zone; /* zone: NULL: the registrable domain */
	uint64_t child;              /* name_hash() of the qname */
	uint32_t hint;               /* the note of an answer of the same zone, or 0 */
	unsigned domain_labels;
	enum defender_end end;
	bool cached, probe, exists;
};
uint32_t defender_worker_answer(struct defender_worker *w, const struct defender_seen_answer *a);
/* An answer is on its way there: has memory fetch what is known of the name. */
void defender_worker_fetch(const struct defender_worker *w, const struct defender_seen_answer *a);
/* Another name is known to exist: an alias's target.  `note` is the answer's: whose zone gives names
 * such as are asked for once pays for where they lead to as well. */
void defender_worker_learn(struct defender_worker *w, const uint8_t *name, uint32_t note);
/* What defender_tally_hit() takes: one increment. */
struct defender_row *defender_worker_rows(struct defender_worker *w);

/* Every 200 ms or so. */
void defender_worker_tick(struct defender_worker *w, uint64_t now_ms, uint32_t wall_s);

/* ---- deciding ---- */

struct defender_accused;

/* The accusations that hold for a name, in the order of their rules. */
struct defender_case {
	unsigned n;
	uint16_t entries[DEFENDER_CASE_MAX];
	uint32_t rules; /* a bit for each rule */
	uint64_t child; /* name_hash() of the name */
};

bool defender_is_accusing(const struct defender_worker *w);
/* Some rule wants to be asked before the packet cache is. */
bool defender_acts_before_cache(const struct defender_worker *w);
/* False: nothing is accused that the name is, or lies below. */
bool defender_match(const struct defender_worker *w, const uint8_t *qname, uint64_t child,
		    struct defender_case *out);
/* "defender-prsd-N" for each rule of the case. */
void defender_case_tags(uint32_t rules, void (*cb)(void *ctx, const char *tag, size_t len),
			void *ctx);

enum defender_knowledge { DEFENDER_UNSEEN, DEFENDER_SEEN, DEFENDER_CACHED };

/* Has it been seen to exist? */
bool defender_knows(const struct defender_worker *w, const struct defender_case *c);

struct defender_query {
	const uint8_t *qname; /* any case */
	const struct addr *client;
	bool tcp;
	bool before_cache; /* the first of two turns: what need not know of caches */
	enum defender_knowledge knowledge; /* of the second */
	uint32_t random;
	uint64_t now_ms;
};

struct defender_decision {
	/* DEFENDER_REFUSED, _DROP, _NXDOMAIN, _TRUNCATE; else DEFENDER_ALLOW */
	enum defender_effect effect;
	bool is_final;   /* there is no second turn */
	bool probe;      /* defender_seen_answer.probe of its answer */
	unsigned labels; /* of the domain for which it is ended */
	uint64_t route;  /* a group of forwarders (zones_group_id()), or 0 */
	/* what was done, in order, and to which class of domain */
	unsigned n_done;
	struct {
		enum defender_done done;
		bool is_zone;
	} done[DEFENDER_CASE_MAX];
};

void defender_decide(struct defender_worker *w, const struct defender_case *c,
		     const struct defender_query *q, struct defender_decision *out);

/* ---- evidence ---- */

struct json_t;
/* The accusations as text, or as members of `json` (an object) when that is not NULL. */
void defender_show(struct defender *d, FILE *out, struct json_t *json, uint64_t now_ms);

struct defender_stats {
	size_t accused, most_accused;
	uint64_t begun, refused; /* accusations; those for which there was no room */
	uint64_t evicted;        /* zones whose row another took */
	size_t bytes;
	struct defender_known_stats known;
	uint64_t known_left_out; /* names of zones that had their share of the filter */
};
void defender_stats(struct defender *d, struct defender_stats *out);

#endif
