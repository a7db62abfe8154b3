/*
 * resolver: from a question to an answer.
 *
 * The life of one question, as a caller sees it:
 *
 *     request = resolver_ask(r, &question, done, ctx);
 *             looks into the cache; if the answer is there, done() is called before
 *             resolver_ask() returns (and NULL comes back).  Otherwise a goal for
 *             (name, type) is found or made, and the request waits on it.
 *     world->send(...)                   is what the goal wants of the world
 *     resolver_reply(r, ticket, ...)     is what the world brings; the goal takes a step
 *     resolver_tick(r)                   time passed: time-outs
 *     done(ctx, &answer)                 exactly once; the request is gone after it (inside, it may
 *                                        go on without its client: see goal.h on serving stale)
 *
 * Inside: a *goal* is to know (name, type).  Clients, alias targets and name servers'
 * addresses all wait on goals, so equal questions share one piece of work.  A goal asks one
 * server at a time, waits on sub-goals, or ends.  Goals that wait on each other in a circle are
 * found when the edge would be made.  Everything a goal sends is charged to every client query
 * that waits on it, however indirectly; a client query whose budget is used up is answered
 * SERVFAIL at once, and work that nobody waits for stops.
 *
 * Nothing here blocks, reads a clock, opens a socket or draws a random number but through
 * struct world.
 *
 * Threads: one resolver, one worker.  The record cache and the server table are shared.
 * Memory:  goals, edges and requests come from slabs; a goal that waits for a packet costs
 *          about 2 KB with everything that hangs on it.
 */
#ifndef RESOLVE_RESOLVER_H
#define RESOLVE_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/metrics.h"
#include "common/nameset.h"
#include "common/netset.h"
#include "common/rrset.h"
#include "common/rrtype.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/cause.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/resolve/dnssec/bogus.h"
#include "recursor/resolve/dnssec/limits.h"
#include "recursor/resolve/event.h"
#include "recursor/resolve/servers.h"
#include "recursor/resolve/world.h"

enum nx_cut { NX_CUT_NO, NX_CUT_DNSSEC, NX_CUT_YES };

/* What is done of DNSSEC, as PowerDNS has it.  But for OFF, servers are asked with DO, and clients
 * that ask so get RRSIGs and proofs.  Whose question is validated the pipeline says
 * (question.validate): PROCESS: who asks with DO or AD; the last two: everybody; nobody's with CD. */
enum dnssec_mode {
	DNSSEC_OFF,
	DNSSEC_PROCESS_NO_VALIDATE,
	DNSSEC_PROCESS,
	DNSSEC_LOG_FAIL,
	DNSSEC_VALIDATE,
};

/* Every limit and habit of the resolver; filled from the settings.  Copied by resolver_new()
 * and resolver_configure(). */
struct resolver_config {
	/* limits for one client query */
	uint32_t max_qperq;
	uint32_t max_total_msec;
	uint32_t max_bytesperq;
	uint32_t max_cnames;
	uint32_t max_depth; /* 0: as deep as max_qperq allows */
	uint32_t max_ns_address_qperq;
	uint32_t max_ns_per_resolve;
	uint32_t max_rrset_records;
	/* limits of the whole */
	uint32_t max_goals;
	uint32_t max_chain;         /* requests and goals that may wait on one goal; 0: no limit */
	uint32_t max_inflight_zone; /* waiters for one zone (inflight.h); 0: no limit */
	/* asking */
	uint32_t network_timeout_ms;
	uint16_t edns_payload;
	bool use_ipv4, use_ipv6;
	bool qname_minimisation;
	uint32_t minimise_max;     /* RFC 9156 MAX_MINIMISE_COUNT */
	uint32_t minimise_one_lab; /* RFC 9156 MINIMISE_ONE_LAB */
	bool use_0x20;
	uint32_t spoof_nearmiss_max;
	bool prime;           /* ask the root for its servers when only the hints are known */
	uint16_t server_port; /* 53; the lab and tests may use another */
	const struct netset *dont_query; /* borrowed; outlives the resolver */
	/* Servers that are never throttled; borrowed likewise, or NULL. */
	const struct nameset *dont_throttle_names;
	const struct netset *dont_throttle_nets;
	/* believing */
	enum nx_cut nothing_below_nxdomain;
	bool root_nx_trust;
	enum dnssec_mode dnssec;
	struct dnssec_limits dnssec_limits;
	uint32_t max_bogus_ttl;   /* max-cache-bogus-ttl */
	uint32_t max_validations; /* of answers for their proofs alone, a second; 0: none */
	uint32_t harvest_after;   /* of a zone that denies so many names in a short time */
	/* keeping */
	uint32_t min_ttl, max_ttl;
	uint32_t max_negative_ttl;
	uint32_t failure_ttl; /* RFC 9520: 1 to 300 s */
	/* serving stale (RFC 8767) */
	uint32_t stale_s; /* for so long after it expired; 0: never */
	uint32_t
		stale_client_timeout_ms; /* a client waits so long for something better; 0: not at all */
	uint32_t max_background;         /* resolutions that no client waits for */
	uint32_t
		refresh_percent; /* a set with no more than that of its TTL left is renewed; 0: none */
	/* the steps of what is being resolved (journal.h): in so many bytes; 0: not written down */
	uint64_t journal_bytes;
	/* local */
	bool serve_rfc1918, serve_rfc6303, serve_special; /* RFC 6761 and kin */
};

/* The values of design.md and of PowerDNS's defaults. */
void resolver_config_defaults(struct resolver_config *cfg);

struct resolver;
struct zones;

/* `cache`, `servers`, `counters` and `world` are borrowed and outlive the resolver. */
int resolver_new(struct resolver **out, const struct resolver_config *cfg, struct cache *cache,
		 struct servers *servers, struct counters *counters,
		 const struct world *world) MUST_USE;

/* Every request still waiting is answered SERVFAIL first. */
void resolver_free(struct resolver *r);

void resolver_configure(struct resolver *r, const struct resolver_config *cfg);

/* The root's name servers: NS and addresses as sets of rank LOCAL.  Without this call the
 * built-in hints are used.  References are taken. */
int resolver_set_hints(struct resolver *r, struct rrset *const *sets, size_t n) MUST_USE;

/* No hints at all: what no forward or auth zone covers fails. */
void resolver_drop_hints(struct resolver *r);

/* The zones that the operator has configured, or NULL; a reference is taken, and that of the
 * zones before is given back.  What is being resolved of a zone that changes begins anew. */
void resolver_set_zones(struct resolver *r, struct zones *zones);
/* Borrowed. */
const struct zones *resolver_zones(const struct resolver *r);

/* Public keys of zones that are kept ready; those above the limit go at once. */
void resolver_limit_keys(struct resolver *r, size_t max);

struct aggressive;
/* Proofs that other answers came with (dnssec/aggressive.h), shared by all workers; borrowed, and
 * outlives the resolver.  NULL: each answer is asked for. */
void resolver_set_aggressive(struct resolver *r, struct aggressive *a);

struct copies;
/* The zones that are at hand whole (copies.h), or NULL; a reference is taken, and that of those before is
 * given back. */
void resolver_set_copies(struct resolver *r, struct copies *copies);

/* Where trust begins (dnssec/anchors.h), or NULL; a reference is taken, and that of those before is
 * given back.  Who changes them wipes from the caches what was judged by others. */
void resolver_set_anchors(struct resolver *r, struct anchors *anchors);
/* Borrowed. */
const struct anchors *resolver_anchors(const struct resolver *r);

/* Asks a root server for the root's name servers (RFC 9609).  done(ctx, ok) may be NULL. */
void resolver_prime(struct resolver *r, void (*done)(void *ctx, bool ok), void *ctx);

/* Types that zones have: not 0, none of the meta types (RFC 6895 3.1), none of the cache's own. */
bool resolver_seeks(uint16_t type);

struct question {
	const uint8_t *name; /* any case */
	uint64_t name_hash;  /* its name_hash(), or 0: not at hand */
	uint16_t type;
	bool cache_only;     /* RD=0 with allow-no-rd, or no room: never ask a server */
	bool no_cache;       /* explain: do not take the final answer from the cache */
	bool no_stale;       /* and never one that has expired (RD=0, priming) */
	bool validate;       /* the answer's `security` is to be known */
	bool policed;        /* world.preoutquery is asked for it; ctx is the client it gets */
	uint64_t route;      /* a group of forwarders (zones_group_id()), or 0; see below */
	struct trace *trace; /* or NULL; the caller's, alive until done() */
};

/* A question with a route is put to the resolvers of that group (zones.h), with RD=1, and to nobody
 * else, whatever zones are configured; its aliases' targets too.  What comes of it is for those who
 * asked by that route while it was asked: it is neither looked for in the record cache nor kept
 * there, nor is a failure, nor may the answer go into the packet cache (answer.cacheable): the group
 * may see another Internet, and who asks without a route is not to be told.  Questions for one name
 * by one route are one piece of work, apart from those by another or by none.  Special names
 * (RFC 6761) are answered here all the same.  Expired data are never an answer.  A group that is not
 * there, or no more, makes it SERVFAIL.  With cache_only it means nothing. */

/* What done() gets; everything is borrowed for the call: take references to keep it. */
struct answer {
	uint16_t rcode;
	int16_t ede;               /* enum ede */
	uint8_t cause;             /* enum cause: why it is an error, or has expired */
	bool is_remembered;        /* it failed a moment ago (RFC 9520), for this cause */
	const char *ede_text;      /* or NULL */
	struct rrset *const *sets; /* the answer section in order: aliases, then the data */
	size_t n_sets;
	/* Of a denial: the zone's SOA, if there is one, and behind it its proofs.  Of data: what proves
	 * that a wildcard was rightly expanded. */
	struct rrset *const *authority;
	size_t n_authority;
	enum security security; /* of all of it, where it was to be validated */
	bool is_under_nta;      /* INSECURE because of a negative trust anchor (RFC 7646) */
	uint8_t bogus;          /* enum bogus of dnssec/bogus.h: why it is SEC_BOGUS, or INSECURE */
	bool authoritative;     /* it is a zone's that we serve (auth-zones) */
	bool from_cache;        /* at hand: no server was asked for it, nobody waited for */
	bool cacheable;         /* may go into the packet cache */
	bool is_stale;          /* some of it had expired; not to be kept for long */
	uint32_t out_queries;   /* what it cost */
	uint32_t timeouts, throttled;
	uint32_t bytes;
	struct trace *trace;
	bool refused;      /* SERVFAIL for a limit of ours, not of the name's making */
	struct goal *goal; /* for resolver_story(); NULL: nobody looked for it */
};

/* The answer says why. */
static inline void answer_blame(struct answer *a, enum cause why)
{
	const struct cause_row *row = cause_row(why);

	a->cause = (uint8_t)why;
	a->ede = row->ede;
	a->ede_text = row->text;
}

/* The same of one that did not validate; `bogus`: enum bogus. */
static inline void answer_blame_bogus(struct answer *a, unsigned bogus)
{
	answer_blame(a, CAUSE_BOGUS);
	a->security = SEC_BOGUS;
	a->bogus = (uint8_t)bogus;
	a->ede = bogus_row(bogus)->ede;
	a->ede_text = bogus_row(bogus)->text;
}

/* Why one is insecure that a limit of ours makes so; nothing that was to be told is pushed aside. */
static inline void answer_blame_insecure(struct answer *a, unsigned bogus)
{
	if (a->security != SEC_INSECURE || bogus == BOGUS_NONE || a->ede != EDE_NONE)
		return;
	a->bogus = (uint8_t)bogus;
	a->ede = bogus_row(bogus)->ede;
	a->ede_text = bogus_row(bogus)->text;
}

/* The SOA of a denial, or NULL. */
static inline const struct rrset *answer_soa(const struct answer *a)
{
	return a->n_authority > 0 && a->authority[0]->type == TYPE_SOA ? a->authority[0] : NULL;
}

struct journal_story;
/* Within done(): the steps that led to the answer (journal.h), JOURNAL_STORY_MAX bytes at most into
 * `buf`.  False: none are on record. */
bool resolver_story(struct resolver *r, const struct answer *a, struct journal_story *out,
		    uint8_t *buf, size_t cap);

typedef void (*resolver_done_cb)(void *ctx, const struct answer *a);

struct request;

/* See the head of this file.  The caller keeps the request only to cancel it.
 * When no memory is left or max_goals is reached, done() is called with SERVFAIL. */
struct request *resolver_ask(struct resolver *r, const struct question *q, resolver_done_cb done,
			     void *ctx);

/* The policy before each question to a server (world.h), from now on; NULL: none. */
void resolver_set_preoutquery(struct resolver *r,
			      enum outquery_verdict (*policy)(void *ctx, void *client,
							      struct outquery_plan *plan));

/* The client went away: done() is not called. */
void resolver_cancel(struct resolver *r, struct request *req);

/* The request's place is wanted: done() is called, with SERVFAIL, or with expired data. */
void resolver_give_up(struct resolver *r, struct request *req, enum cause why);

/* A packet with the right id from the server that `ticket` was put to.  An unknown ticket is
 * counted (unexpected-packets).  `wire` is borrowed for the call.  Returns false when the packet
 * turned out not to answer the question (a near miss): then the ticket goes on waiting, and the
 * socket should not be used for further questions. */
bool resolver_reply(struct resolver *r, uint64_t ticket, const uint8_t *wire, size_t len);

/* A packet from the right address with a wrong id. */
void resolver_near_miss(struct resolver *r, uint64_t ticket);

enum net_failure { NET_UNREACHABLE, NET_REFUSED, NET_CLOSED, NET_NO_RESOURCES };

/* The transport failed: ICMP, connection refused or closed. */
void resolver_failed(struct resolver *r, uint64_t ticket, enum net_failure why);

/* Time passed; see world->wake_at. */
void resolver_tick(struct resolver *r);

struct resolver_stats {
	size_t requests, goals, edges, timers;
	size_t backgrounds;             /* requests that no client waits for */
	size_t zones;                   /* that are worked at, where that is counted (inflight.h) */
	size_t bytes;                   /* slabs and scratch */
	size_t journals, journals_peak; /* chunks in use, of JOURNAL_CHUNK bytes */
	size_t keys, key_bytes;         /* public keys of zones, kept ready (dnssec/keyring.h) */
};
void resolver_stats(const struct resolver *r, struct resolver_stats *out);

/* The requests waiting now, for current-queries; cb returns false to stop. */
struct request_view {
	const uint8_t *name;
	uint16_t type;
	resolver_done_cb done; /* whose it is; NULL: nobody's, or no longer */
	void *ctx;             /* which of his: as given to resolver_ask() */
	bool chained;
	uint32_t spent_ms;
	uint32_t out_queries;
};
void resolver_walk(const struct resolver *r, bool (*cb)(void *ctx, const struct request_view *v),
		   void *ctx);

#endif
