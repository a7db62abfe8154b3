/*
 * goal: the inside of the resolver: goals, the edges between them, requests.
 *
 * Private to recursor/resolve/: callers see resolver.h.  What is known of a name is in known.h, whom
 * a goal asks in asking.h.
 *
 *     request --> goal (www.example.com, A)            a client waits on a goal
 *                  | edge (alias)
 *                  v
 *                 goal (www.example.net, A) --- asks one server at a time
 *                  | edge (address)
 *                  v
 *                 goal (ns1.example.org, A)            joined, if somebody else wants it too
 *
 * A goal lives while somebody waits on it.  Work is done when an entry from outside ends (leave() in
 * resolver.c): a goal that something
 * happened to is put on the ready list and takes its step there, never deeper in the stack; a goal
 * that has ended is buried and freed when the list is empty, so a pointer to a goal stays good for
 * as long as one entry into the resolver lasts.
 *
 * Files:   resolver.c  entries from outside, the run loop
 *          request.c   who waits for an answer
 *          goal.c      the table, edges, budgets (everything that walks the graph)
 *          iterate.c   a goal's steps: the states
 *          known.c     what is known of a name, and from where one would ask
 *          cut.c       where to ask: zone cut, name servers, their addresses
 *          choose.c    the choice among them
 *          ask.c       one question to one server, and matching what comes back
 *          crowd.c     how many are at a zone (inflight.h), and who is refused
 *          minimise.c  how much of the name is asked for (RFC 9156)
 *          copyask.c   a copy of the zone that answers in its servers' place
 *          copies.c    which zones there are copies of
 *          zonecopy.c  one such copy
 *          policy.c    what the operator's policy makes of it (preoutquery)
 *          outcome.c   what became of it: an answer, silence, an error
 *          reply.c     what an answer means
 *          special.c   names that are answered here
 *          cacheonly.c answers for which nobody is asked
 *          zones.c     zones that the operator has configured
 *          authzone.c  answers out of one that is ours
 *          network.c   what follows from the weather (weather.h), and probes
 *          stale.c     answers of expired data
 *          refresh.c   renewing what is about to expire
 *          harvest.c   proofs out of answers that nobody wants validated
 *          validate.c  an answer before it is believed (RFC 4035 5)
 *          check.c     one set of it
 *          byproof.c   answers of proofs that came with others (RFC 8198)
 *          turns.c     all that in pieces, between which others have their turn
 *          trust.c     whether a zone is signed, and its keys: the chain of trust
 *          note.c      its steps, written down (journal.h)
 *
 * What has expired (RFC 8767), with serve-stale-extensions: the cache keeps it for the stale window.
 *
 *   Answers.  When a client has waited long enough (serve-stale-client-timeout since the work on its
 *   question began), or its resolution failed or was refused for a limit, it gets the chain of
 *   aliases and data, or the denial, that the cache has, fresh links or expired ones, the expired with
 *   a TTL of 30 s, and EDE 3 or 19.  Its request then stays on as one without a client
 *   (`background`), so that the resolution goes on within the same budgets and renews the cache; one
 *   such request a goal is enough.  A name that failed has its failure remembered for 30 s, and
 *   within these it is answered so at once; as is every name while our own network is gone
 *   (network.c).  Only what was an answer can be one again: what a referral or additional data said
 *   never is; what was wiped is gone from the cache; with RD=0 it is not done.
 *
 *   Delegations and addresses.  When all else has failed, or the servers above an expired zone cut have
 *   not answered for 1.8 s, a goal goes once to the deepest zone cut that the cache knows, expired or not,
 *   and uses the expired addresses of its servers too: so names below a zone whose parent is dead go on
 *   being resolved.  No ghost domain comes of it:
 *   only the parent's own word (CACHE_DELEGATION) is a cut, and nothing but the parent's word renews it,
 *   so a delegation serves until the end of its window and not a second longer, whatever its zone says
 *   meanwhile.  As soon as the parent answers, its answer is the one that counts, since it is asked
 *   first.  And what is learnt that way lives 30 s at most and is marked no_stale: expired once, it is
 *   gone.
 */
#ifndef RESOLVE_GOAL_H
#define RESOLVE_GOAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/chains.h"
#include "common/rrtype.h"
#include "common/slab.h"
#include "common/timers.h"
#include "recursor/resolve/dnssec/nsec3_memo.h"
#include "recursor/resolve/harvest.h"
#include "recursor/resolve/inflight.h"
#include "recursor/resolve/journal.h"
#include "recursor/resolve/reply.h"
#include "recursor/resolve/resolver.h"
#include "recursor/resolve/special.h"
#include "recursor/resolve/validate.h"
#include "recursor/resolve/zones.h"

enum {
	GOAL_NS_MAX = 13,         /* names of one delegation that are used, at most */
	GOAL_TARGETS_MAX = 26,    /* addresses, each name and family its share */
	GOAL_TRIES_MAX = 3,       /* questions to one address for one name, time-outs only */
	GOAL_LOOKUPS_AT_ONCE = 2, /* name servers whose addresses are looked up side by side */
	GOAL_CHAIN_MAX = 24,      /* sets in an answer: ten aliases, each perhaps with its DNAME */
	GOAL_AUTHORITY_MAX = 32,  /* sets in an answer's authority section */
	GOAL_SUBGOALS_MAX = 200,  /* for one request */
	GOAL_CUTS_MAX = 64,       /* referrals followed by one goal */
	GOAL_DEPTH_MAX = 100,
	STALE_TTL = 30, /* of expired records in an answer (RFC 8767 4), */
	STALE_CUT_AFTER_MS = 1800,
	STALE_RECHECK_S = 30, /* and how long a name that failed is left alone (5) */
	PROBES_MAX = 8,       /* on their way at once */
};

struct goal;
struct request;

enum edge_kind { EDGE_ALIAS, EDGE_ADDRESS, EDGE_STEP, EDGE_TRUST };

struct edge {
	struct goal *parent, *child;
	struct edge *next_of_parent, **prev_of_parent;
	struct edge *next_of_child, **prev_of_child;
	uint8_t kind; /* enum edge_kind */
	uint8_t ns;   /* ADDRESS: which of the parent's name servers */
};

/* One of a delegation's name servers. */
enum ns_state {
	NS_UNKNOWN, /* no address known, none looked for */
	NS_WAITING, /* a goal is looking */
	NS_KNOWN,   /* has addresses among the targets */
	NS_NONE,    /* has none, or must not be looked up */
};

struct ns_name {
	uint16_t offset; /* of the name in the NS set's data */
	uint8_t state;
	bool asked_a : 1, asked_aaaa : 1;
	bool cut_off_a : 1,
		cut_off_aaaa : 1; /* of no use to ask, only because no route leads there */
	bool is_there : 1;        /* answered, if only what is bogus */
	bool has_address : 1;     /* among the targets, if only as another's */
};

enum target_life {
	TARGET_ALIVE,
	TARGET_SILENT_ON, /* of no use for the question on hand */
	TARGET_DOWN,      /* it is down, as far as the server table knows */
	TARGET_DEAD,      /* of no use for the zone */
};

struct target {
	struct addr addr;
	uint8_t ns;
	uint8_t tries;
	uint8_t dead; /* enum target_life */
	bool no_edns; /* answered FORMERR: once more without */
	bool in_spite; /* without EDNS, by what is remembered of it, it gave nothing to validate: with */
	bool despite_down;
};

/* What a timer of the resolver's is for. */
enum timer_kind { TIMER_ANSWER, TIMER_REQUEST, TIMER_PROBE, TIMER_TURN };

enum goal_state {
	GOAL_START,     /* look at what is known */
	GOAL_CHOOSE,    /* pick a server, or have addresses looked up */
	GOAL_ASKED,     /* a question is on its way */
	GOAL_ADDRESSES, /* waits for name servers' addresses */
	GOAL_FOLLOW,    /* waits for another goal's question, the same as its own next one */
	GOAL_VALIDATE,  /* has its answer, which is being validated */
	GOAL_TRUST,     /* is to know whether a zone is signed (trust.c) */
	GOAL_ALIAS,     /* waits for the alias's target */
	GOAL_ENDING,    /* the alias's target has ended: so does this goal */
	GOAL_DEAD,      /* ended; buried */
	GOAL_STATES
};

struct goal {
	struct chain_link by_question; /* in resolver.table */
	struct goal *ready_next;
	struct goal *walk_next;
	struct edge *parents;  /* who waits on this goal, */
	struct edge *children; /* whom it waits on */
	struct request *requests;
	uint32_t n_waiters;   /* requests and parents */
	uint32_t n_followers; /* of these, those that wait for its step alone */
	uint32_t mark;        /* the walk that last came by */
	uint64_t began_ms;
	uint64_t name_hash;
	uint64_t route;  /* the group of forwarders that it goes by (resolver.h), or 0 */
	uint32_t slot;   /* in resolver.slots; part of the ticket */
	uint16_t serial; /* its name in traces */
	uint16_t type;
	uint8_t state;
	uint8_t depth; /* sub-goals above it, on the shortest way from a request */
	uint8_t links; /* aliases followed to it, likewise */
	uint8_t name_len;
	bool is_ready, in_table, no_cache, met_cycle, saw_refusal;
	bool has_background; /* one of the requests is without a client */
	bool refreshes;      /* renews what the cache has: those who ask are answered out of that */
	bool validates;      /* its answer is validated before it ends; others are apart from it */
	bool met_cut;        /* our own network was in the way: no failure of the name's own */
	bool met_want;       /* likewise: of descriptors or memory; then met_cut, too */
	uint8_t tried;       /* families that were asked although they are out: bits */
	bool met_limit; /* something below was refused for who asks: no failure of the name's own */
	bool met_crowd; /* something was refused for the many who ask: the same, for anybody */
	bool by_policy; /* the policy answered in a server's place: nothing of it is kept */
	bool trust_by_policy; /* likewise for what it was told of trust: no verdict is kept */

	/* where to ask */
	uint64_t zone_hash;
	uint8_t zone_labels; /* the zone is the last so many labels of the name */
	bool at_parents_set; /* the zone's own servers failed: those its parent names */
	bool with_glue;      /* and the addresses that the parent gave, whatever the servers say */
	bool lacks_glue;     /* servers within the zone are without an address */
	uint8_t up_from;     /* labels of the zone that was last given up for one above; 0: none */
	bool stays_above;    /* of that zone, until it is referred down */
	uint8_t place;       /* to ask its servers from: enum inflight_place */
	bool by_stale;       /* led on by what has expired */
	bool looked_below;   /* for an expired cut, because the parent is silent */
	uint8_t n_cuts, copy_replies;
	uint8_t floor_labels; /* of the configured zone or our own delegation: nothing above is asked */
	bool forwarded;       /* the targets are forwarders: there is no NS set */
	bool by_copy, copy_spent; /* a copy of the zone replied; it has no better reply */
	bool recurse;             /* and resolvers: asked with RD=1, for all at once */
	bool authoritative;       /* our own zone's answer, or begins with it */
	uint32_t zones_serial;    /* of the configured zones that were looked in, */
	uint64_t zone_print;      /* and what the name's was */
	uint8_t n_ns, n_targets;
	struct inflight_zone *crowd;      /* the zone's, that it is held by; or NULL */
	struct rrset *ns_own, *ns_parent; /* the two NS sets of the zone; one may be NULL */

	/* what to ask: QNAME minimisation (RFC 9156) */
	bool minimise;
	bool gave_up_minimising;
	bool leads; /* its step is on its way, and in resolver.steps */
	struct chain_link by_step;
	uint8_t minimise_steps;
	uint8_t asked_labels;
	uint16_t asked_type;

	/* the question on its way */
	uint64_t ticket;
	uint64_t sent_us;
	uint32_t timeout_ms;
	struct addr server; /* that it was put to: the target's, or... */
	bool diverted;      /* ... the policy's */
	uint8_t target;     /* index */
	uint8_t transport;
	bool sent_edns;
	bool is_spelt; /* the name on its way has the letters of `spelling` */
	uint8_t near_misses;
	struct timer timer;

	struct journal journal; /* its steps */

	struct validation v; /* of what it has found */

	/* how it ended */
	uint8_t security; /* enum security, where it validates */
	uint8_t bogus;    /* enum bogus */
	bool is_under_nta;
	bool is_no_cut; /* CACHE_TRUST: SEC_SECURE, but there is no zone of that name */
	uint16_t rcode;
	uint8_t cause;      /* enum cause */
	bool is_remembered; /* it is a failure's that was known (RFC 9520) */
	bool is_unresolved; /* counted as a failure to find a name server's address */
	uint8_t n_chain;
	bool cacheable;
	struct rrset *denial;

	/* From here on goal_new() zeroes nothing: what is in use was written, and is counted above. */
	struct ns_name ns[GOAL_NS_MAX];
	struct target targets[GOAL_TARGETS_MAX];
	struct rrset *chain[GOAL_CHAIN_MAX];
	uint8_t spelling[32];       /* 0x20: a bit for each byte of the name in upper case */
	uint8_t name[NAME_MAX_LEN]; /* lower case */
};

struct request {
	struct goal *goal;
	struct request *next, **prev;         /* on its goal */
	struct request *all_next, **all_prev; /* of the resolver */
	struct request *doomed_next,
		**doomed_prev; /* over its budget, to be answered; or policed */
	uint64_t serial;       /* the later it came the larger */
	uint64_t entry;        /* in which it came */
	resolver_done_cb done;
	void *ctx;
	struct timer timer;
	struct trace *trace;
	uint64_t began_ms;
	uint32_t out_queries, bytes, timeouts, throttled, ns_failures, subgoals;
	uint32_t checks, hashes; /* of signatures, of NSEC3 */
	uint16_t type;
	bool joined;
	bool no_stale;    /* never answered with expired data */
	bool waits_stale; /* the timer is the client's patience (RFC 8767 5), not the last word */
	bool background;  /* no client waits any more, or ever did: nobody is told */
	bool refreshes;   /* it never did */
	bool policed;     /* the policy is asked for it */
	uint16_t harvest; /* it is for its proofs (harvest.h): the zone's slot, and 1 */
};

struct refresh_mark {
	uint64_t hash, until_ms;
};

/* A question of our own, to find out whether the network is there. */
struct probe {
	uint64_t ticket; /* 0: none is on its way */
	uint64_t until_ms;
	struct addr server;
};

struct resolver {
	struct resolver_config cfg;
	struct cache *cache;
	struct servers *servers;
	struct counters *counters;
	struct world world;
	struct special *special;
	struct reply_scratch *scratch;
	struct zones *zones;     /* a reference, or NULL */
	struct anchors *anchors; /* the same */
	uint32_t zones_serial;
	struct copies *copies; /* the same */
	struct keyring *keyring;
	struct aggressive *aggressive; /* borrowed, or NULL */
	struct harvest harvest;
	struct nsec3_memo nsec3_memo;
	struct turns turns;

	struct slab goals, edges, requests;
	struct journals journals;
	uint32_t step_ms; /* when something came in last: the time of a step */
	struct inflight inflight;
	struct chains table; /* goals by (name, type) */
	struct goal **slots; /* by ticket */
	uint32_t *slot_next_free;
	uint32_t n_slots, slot_free;
	uint32_t ticket_serial;
	uint16_t goal_serial;
	uint64_t request_serial;
	uint32_t walk_mark;

	struct chains steps; /* goals whose minimised question is on its way, by that */
	struct goal *ready_first, **ready_last;
	struct goal *buried;
	struct request *all;
	size_t n_requests, n_traces, n_background;
	struct refresh_mark refresh_marks[512];
	struct timers *timers;
	uint64_t wake_at_ms;
	unsigned entered; /* entries from outside, one in another's callback */
	uint64_t entries; /* so many there have been, without those within others */
	struct request *doomed;
	struct request *asking; /* the request resolver_ask() is busy with; NULL once it is done */

	uint64_t prime_after_ms; /* no sooner is the root asked for its servers again */
	struct rrset *root_ns;   /* the hints' NS set; what priming brings is in the cache */
	struct rrset *hints[2 * GOAL_NS_MAX];
	unsigned n_hints;

	struct probe probes[PROBES_MAX];
	unsigned next_probe;
	struct timer probe_timer;

	uint64_t pool[16]; /* random bytes drawn ahead */
	unsigned pool_left;
};

/* ---- goal.c ---- */

/* The goal for (name, type) by that route, or NULL; one that only renews what is known is another's
 * business. */
struct goal *goal_find(struct resolver *r, const uint8_t *name, uint64_t name_hash, uint16_t type,
		       uint64_t route, bool validates);
struct goal *goal_find_refresh(struct resolver *r, const struct goal *g, bool validates);
/* A new one, ready for its first step.  NULL: max_goals is reached, or no memory (counted). */
struct goal *goal_new(struct resolver *r, const uint8_t *name, uint64_t name_hash, uint16_t type,
		      uint64_t route, bool validates);
void goal_make_ready(struct resolver *r, struct goal *g);
/* Somebody else comes to wait on it, to whom it is so near, and all it waits on with it. */
void goal_come_nearer(struct resolver *r, struct goal *g, unsigned depth, unsigned links);

/* The parent comes to wait on a goal for (name, type), made if need be.
 * Returns EDGE_MADE, or why not. */
enum edge_result { EDGE_MADE, EDGE_CYCLE, EDGE_TOO_DEEP, EDGE_NO_ROOM };
enum edge_result goal_want(struct resolver *r, struct goal *parent, enum edge_kind kind, uint8_t ns,
			   const uint8_t *name, uint16_t type);
/* Waits on a goal that is there; false: no memory, or too many wait on it.  The caller knows that
 * no circle comes of it. */
bool goal_wait(struct resolver *r, struct goal *parent, enum edge_kind kind, struct goal *child);
/* The child's outcome shall be the parent's: both look for the same.  False: as above, or it would be a
 * circle. */
bool goal_follow(struct resolver *r, struct goal *parent, struct goal *child);
void goal_unwait(struct resolver *r, struct edge *e);
/* The goal waits on nothing any more; children that nobody else wants are dropped. */
void goal_unwant_all(struct resolver *r, struct goal *g);
/* The same for the addresses of name servers alone. */
void goal_unwant_addresses(struct resolver *r, struct goal *g);

/* Ends with what is in g->rcode, chain, denial, cause: tells everyone who waits. */
void goal_end(struct resolver *r, struct goal *g);
/* What its answer is taken for, whatever way it came: not for good if it was to be validated and nobody did. */
enum security goal_security(const struct goal *g);
/* What stands in the authority section of an answer of that security: the denial's proofs (or NULL), and
 * those of the wildcards on the way to it.  RFC 4035 3.2.3: in one that is secure is nothing that is not.
 * Borrowed; returns how many. */
size_t goal_authority(struct rrset *out[GOAL_AUTHORITY_MAX], enum security security,
		      const struct rrset *denial, struct rrset *const *chain, size_t n_chain);
/* What stood in the child's way stands in the parent's. */
void goal_met_what(struct goal *parent, const struct goal *child);
/* Nobody waits any more. */
void goal_drop(struct resolver *r, struct goal *g);
void goal_bury_all(struct resolver *r);

/* Charges one out-query to every request that waits on the goal; those over their budget are
 * answered SERVFAIL.  False: nobody is left, the goal is dead. */
bool goal_charge_query(struct resolver *r, struct goal *g);
bool goal_charge_bytes(struct resolver *r, struct goal *g, size_t bytes);
/* The question could not leave after all: it costs nobody anything. */
void goal_refund_query(struct resolver *r, struct goal *g);
void goal_charge_timeout(struct resolver *r, struct goal *g);
/* A throttled question costs what one that is sent costs (attacks.md 2): what is done for it stays
 * bounded.  False: nobody is left, the goal is dead. */
bool goal_charge_throttled(struct resolver *r, struct goal *g);
/* What was done to validate; false: nobody is left, the goal is dead. */
bool goal_charge_work(struct resolver *r, struct goal *g, const struct dnssec_work *work);
/* A name server without address.  False when no request of the goal's may look up more. */
void goal_charge_ns_failure(struct resolver *r, struct goal *g);
bool goal_may_look_up_ns(struct resolver *r, struct goal *g);

/* The requests that wait on the goal, however indirectly, and that the policy is asked for, put on a
 * list of their own through doomed_next, in any order. */
void goal_collect_policed(struct resolver *r, struct goal *g, struct request **list);

/* Writes an event to every trace that listens to the goal. */
void goal_event(struct resolver *r, struct goal *g, const struct event *e, const uint8_t *name,
		const uint8_t *other);
/* And to its journal. */
void goal_step_note(struct resolver *r, struct goal *g, const struct event *e, const uint8_t *name,
		    const uint8_t *other);

#define TRACE_EVENT(r, g, evkind, name_, other_, ...)                                              \
	do {                                                                                       \
		if ((r)->n_traces > 0)                                                             \
			goal_event((r), (g), &(struct event) { .kind = (evkind), __VA_ARGS__ },    \
				   (name_), (other_));                                             \
	} while (0)
#define GOAL_EVENT(r, g, evkind, name_, other_, ...)                                               \
	do {                                                                                       \
		if ((r)->journals.is_on)                                                           \
			goal_step_note((r), (g),                                                   \
				       &(struct event) { .kind = (evkind), __VA_ARGS__ }, (name_), \
				       (other_));                                                  \
		TRACE_EVENT(r, g, evkind, name_, other_, __VA_ARGS__);                             \
	} while (0)

/* The steps that every question takes are written down without an event being made: pairs of these
 * and a TRACE_EVENT. */
static inline void goal_note(struct resolver *r, struct goal *g, enum event_kind kind,
			     unsigned labels, uint16_t type, uint32_t value)
{
	struct journal_step *s = NULL;

	if (r->journals.is_on)
		s = journal_step(&r->journals, &g->journal, sizeof(*s));
	if (s != NULL)
		*s = (struct journal_step) {
			.kind = (uint8_t)kind,
			.labels = (uint8_t)labels,
			.words = sizeof(*s) / 4,
			.goal = g->serial,
			.type = type,
			.at_ms = r->step_ms,
			.value = value,
		};
}
/* A goal is wanted by another: JOINED or GOAL. */
void goal_note_child(struct resolver *r, struct goal *parent, const struct goal *child,
		     enum event_kind kind);
void goal_note_asked(struct resolver *r, struct goal *g, const uint8_t *ns);
void goal_note_answered(struct resolver *r, struct goal *g, const struct msg *m, size_t size,
			uint32_t rtt_us);

/* Somebody waits for it, or it has been at work: what it comes to is worth a note. */
static inline bool goal_is_noted(const struct resolver *r, const struct goal *g)
{
	return r->journals.is_on && (g->parents != NULL || g->journal.first != NULL);
}

static inline const uint8_t *goal_zone(const struct goal *g)
{
	return name_suffix(g->name, g->zone_labels);
}

/* Is what it finds for those alone who wait for it? */
static inline bool goal_is_private(const struct goal *g)
{
	return g->by_policy || g->route != 0;
}

/* Is what it comes to?  What it finds may yet be validated, and be in the cache without a verdict. */
static inline bool goal_ends_private(const struct goal *g)
{
	return goal_is_private(g) || g->trust_by_policy;
}

/* The zone that the operator has configured for it, or its route's group; NULL: none. */
static inline const struct configured_zone *goal_configured(const struct resolver *r,
							    const struct goal *g)
{
	return g->route != 0 ? zones_group(r->zones, g->route)
			     : zones_find_for(r->zones, g->name, g->type);
}

/* How what is said of that name, or that nothing was, is put into the cache. */
static inline unsigned goal_put_how(const struct resolver *r, const uint8_t *owner)
{
	return zones_exact(r->zones, owner) != NULL ? CACHE_AT_CONFIGURED : 0U;
}

/* ---- request.c ---- */

/* One more of the resolver's, waiting on nothing yet; NULL: no memory. */
struct request *request_new(struct resolver *r, const struct question *q, resolver_done_cb done,
			    void *ctx);
void request_attach(struct resolver *r, struct goal *g, struct request *req);
/* Takes the request off every list and gives it back; its goal may be left without a waiter. */
struct goal *request_detach(struct resolver *r, struct request *req);
/* Starts its timer, when it is attached. */
void request_wait(struct resolver *r, struct request *req, const struct question *q);
/* Its timer rings. */
void request_ring(struct resolver *r, struct request *req);
/* Its client's patience was over before it came. */
bool request_is_impatient(const struct resolver *r, const struct request *req,
			  const struct question *q);
/* Answers the client with expired data, if there are any, while the resolution goes on; `why` it comes
 * to that. */
bool request_serve_stale(struct resolver *r, struct request *req, enum cause why);
/* Answers a request and frees it; in place of a failure it may get expired data. */
void request_finish(struct resolver *r, struct request *req, const struct answer *a);
/* Does so with a failure, and drops the goal if nobody else waits. */
void request_end(struct resolver *r, struct request *req, enum cause why);
/* Likewise, when its budget is used up: the failure is remembered. */
void request_fail(struct resolver *r, struct request *req, enum cause why);
/* A request without a client, for what the cache has already.  False: too many are under way, or there
 * is no room (counted). */
bool request_begin_refresh(struct resolver *r, const uint8_t *name, uint16_t type, bool validates);
/* Likewise, for an answer that is in the cache and is to be validated; `slot`: harvest.h.  False also
 * when somebody else has that done. */
bool request_begin_harvest(struct resolver *r, const uint8_t *name, uint16_t type, uint16_t slot);

/* ---- resolver.c ---- */

uint64_t resolver_random(struct resolver *r);
/* Uniform below `bound` (at least 1); the bias of 2^-32 does not matter for choices. */
uint32_t resolver_random_below(struct resolver *r, uint32_t bound);

/* Asks for the root's name servers, unless that was tried just now. */
void resolver_prime_soon(struct resolver *r);

/* ---- cacheonly.c ---- */

/* What is known, aliases followed: an alias may be the last of it.  REFUSED when that is nothing. */
void cacheonly_answer(struct resolver *r, const struct question *q, resolver_done_cb done,
		      void *ctx);

/* ---- iterate.c ---- */

void goal_step(struct resolver *r, struct goal *g);
void goal_child_ended(struct resolver *r, struct edge *e);
void goal_end_data(struct resolver *r, struct goal *g, struct rrset *set);
void goal_end_denial(struct resolver *r, struct goal *g, struct rrset *set);
/* The name is an alias: `cname`, that follows from `dname` or NULL. */
void goal_follow_alias(struct resolver *r, struct goal *g, struct rrset *dname,
		       struct rrset *cname);
/* The same with as much of the chain as the reply has, which no cache keeps for later. */
void goal_follow_chain(struct resolver *r, struct goal *g, const struct reply *reply);
void resolver_remember_failure(struct resolver *r, const uint8_t *name, uint16_t type,
			       enum cause why);
/* The special name's answer (special.h), unless a configured zone takes its place. */
bool special_find(struct resolver *r, const uint8_t *name, uint16_t type, struct rrset **out);
/* The name lies below a DNAME that makes it too long (RFC 6672 2.2). */
void goal_end_too_long(struct resolver *r, struct goal *g, struct rrset *dname);
void goal_enter_referral(struct resolver *r, struct goal *g, struct reply *reply);
/* If the name's configured zone is another since the goal looked, the goal begins anew: what is
 * under way, or came of it, is not to be used. */
bool goal_begin_anew_if_zone_changed(struct resolver *r, struct goal *g);

/* ---- crowd.c: the limits of a zone ---- */

/* The goal is to work at its zone, with all who wait for it; false: too many do. */
bool crowd_enter(struct resolver *r, struct goal *g);
/* It is to ask the zone's servers; false: as many do as the zone can take. */
bool crowd_take_place(struct resolver *r, struct goal *g);
/* It is through with the zone. */
void crowd_leave(struct resolver *r, struct goal *g);
/* May another client come to wait for it? */
bool crowd_may_join(struct resolver *r, const struct goal *g);
/* Is the goal's question one that is known to have an answer, or one of ours? */
bool crowd_knows(const struct resolver *r, const struct goal *g);

/* Who is at the goal's zone because of it.  Those that follow its step are there themselves. */
static inline uint32_t goal_crowd(const struct goal *g)
{
	return g->n_waiters - g->n_followers;
}

/* One more waits for the goal, or one fewer. */
static inline void goal_waiters_add(struct goal *g, int change)
{
	g->n_waiters += (uint32_t)change;
	if (g->crowd != NULL)
		inflight_waiters(g->crowd, change);
}

#endif
