/*
 * passage: a client's packet on its way through the pipeline, and the query that it becomes.
 *
 * Private to the pipeline: pipeline.c has the stages and the order in which a packet passes them,
 * client_query.c what is done while the resolver works, respond.c what leaves.
 *
 * Memory:  a passage is the stack's or the batch's; a client_query is given back when its answer has left.
 * Threads: all of it is one worker's.
 */
#ifndef RECURSOR_PASSAGE_H
#define RECURSOR_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/rrtype.h"
#include "common/slab.h"
#include "recursor/account.h"
#include "recursor/answer.h"
#include "recursor/policy/slots.h"
#include "recursor/query.h"
#include "recursor/watch/query_log.h"
#include "recursor/watch/recorder.h"
#include "recursor/worker.h"

/* So many packets are read before the first of them is answered: what the answers need is fetched
 * meanwhile.  More would not stay in the processor's first cache. */
enum { PASSAGES_AHEAD = 16 };

/* What the defender (shield.h) makes of a query. */
struct shield_mark {
	uint32_t rules;  /* a bit for each by which its domain is accused */
	bool is_settled; /* no rule is left to be asked */
	bool is_probe;   /* let through to see how it ends */
	uint64_t route;  /* the group of forwarders that it goes to, or 0 */
};

/* A packet on its way through the stages. */
struct passage {
	const struct settings *settings;
	const struct client *from;
	const uint8_t *wire;
	size_t len;
	struct query q;             /* from read_question() on */
	size_t limit;               /* of the answer; from know_packet() on, as is */
	struct packetcache_key key; /* what the packet cache knows it by */
	uint32_t hash;              /* of the key */
	struct shield_mark mark;
	struct hooked *hooked; /* or NULL; the passage's, until it is a query's */
};

struct shield;
struct defender_row;
struct hooked;
struct script;

TAILQ_HEAD(hooked_list, hooked);

/* The operator's script: see hooks.h. */
struct hooks {
	struct script *script; /* a reference, or NULL: there is none */
	struct slab queries;   /* struct hooked */
	/* Those that wait for a datagram; those whose followup begins in the next turn. */
	struct hooked_list waiting, late;
	struct loop_timer *later;
	uint64_t maintain_at_ms;
};

/* The flight recorder: see flight.h. */
struct flight {
	struct recorder *recorder; /* NULL: off */
	uint64_t slow_us;
	uint64_t packet_after_ms; /* so long no other packet that nobody has read is kept */
	uint32_t ipv4_bits, ipv6_bits;
	uint8_t steps[JOURNAL_STORY_MAX];
};

struct pipeline {
	struct worker *worker;
	struct account account;
	struct slab queries; /* struct client_query: those being resolved */
	struct slots *slots; /* who waits: no more than max-mthreads */
	struct hooks hooks;
	struct flight flight;
	struct shield *shield;
	struct defender_row *defender_rows; /* the shield's: a hit counts in them */
	bool traces;                   /* the rule or the setting wants some questions traced */
	struct trace_rule *trace_rule; /* trace-regex, or NULL */
	struct query_filter *logged;   /* what is logged of questions, NULL: nothing */
	struct query_filter query_filter;
	bool is_unknown; /* client_query_finish(): the cache has no answer */
	struct query_dnssec_table dnssec;
	unsigned n_ahead; /* packets read and not answered */
	struct passage ahead[PASSAGES_AHEAD];
	uint8_t scratch[WIRE_MSG_MAX]; /* an answer, where the listener has no place for it */
};

/* A query in the resolver. */
struct client_query {
	struct pipeline *pipeline;
	struct client client;
	struct query q; /* reads from `head` */
	uint64_t start_us;
	uint64_t begun_us;     /* of CPU until it began to wait, 0 if it did not */
	unsigned weight;       /* among those whose costs are measured; 0: it is none of them */
	uint16_t asked_type;   /* of the resolver */
	uint8_t domain_labels; /* of the registrable domain; 0 if shield_answered() has not looked */
	bool over_capacity;
	bool gave_way;    /* its place is another client's */
	bool is_recorded; /* the flight recorder has seen how it ended */
	struct shield_mark mark;
	struct hooked *hooked;   /* what the script knows of it, or NULL */
	struct request *request; /* while it waits */
	struct traced *traced;   /* or NULL */
	bool trace_failure_only;
	bool takes_bogus;      /* is asked anew, without validation */
	uint32_t asked_before; /* servers, until then */
	struct slot slot;
	uint8_t head[QUERY_HEAD_MAX];
};

enum step {
	STEP_ON,   /* to the next stage */
	STEP_DONE, /* answered, or will be */
	STEP_DROP, /* no answer: silence over UDP, the end of a TCP connection */
};

typedef enum step stage(struct pipeline *p, struct passage *t);

/* ---- client_query.c ---- */

/* The last stage: to the resolver, and from there to respond(). */
stage resolve_query;

/* What was refused at once has not been found in a cache. */
static inline bool client_query_is_from_cache(const struct answer *a)
{
	return a->from_cache &&
	       (a->rcode != RCODE_SERVFAIL || a->is_remembered || a->security == SEC_BOGUS);
}

/* What the resolver calls in the end; tells a client's request from one of ours. */
void client_query_finish(void *ctx, const struct answer *found);

/* Puts it to the resolver. */
void client_query_resolve(struct client_query *cq);
/* One of max-mthreads is its own from now on; there is room. */
void client_query_take_slot(struct client_query *cq);
/* All slots are taken: the client that holds most gives up one, if it has so many more. */
bool client_query_make_room(struct pipeline *p, const struct addr *client);
/* What it cost, to who caused it. */
void client_query_charge(const struct client_query *cq, uint32_t outqueries);
/* It ends here, answered or not. */
void client_query_let_go(struct client_query *cq);

/* ---- respond.c ---- */

/* Where an answer of at most `limit` bytes is built: in the listener's batch, if it has a place. */
static inline uint8_t *respond_place(struct pipeline *p, const struct client *to, size_t limit)
{
	uint8_t *place = listen_reply_buffer(p->worker->listener, to, limit);

	return place != NULL ? place : p->scratch;
}

/* An answer that took no time and is not kept; NULL: ask again over TCP. */
enum step respond_now(struct pipeline *p, const struct passage *t, const struct answer *a);
enum step respond_error(struct pipeline *p, const struct passage *t, uint16_t rcode,
			enum cause why);
/* A header alone: no more of the packet is trusted. */
enum step respond_header(struct pipeline *p, const struct passage *t, uint16_t rcode,
			 enum metrics_reason why);

static inline struct query_seen respond_seen(const struct client *from, const struct query *q)
{
	return (struct query_seen) {
		.client = &from->remote,
		.name = query_name(q),
		.name_hash = q->name_hash,
		.id = wire_get_u16(q->wire),
		.type = q->type,
		.tcp = from->tcp,
		.edns = q->edns,
		.dnssec_ok = q->dnssec_ok,
	};
}
/* What became of a question, for the log; p->logged is not NULL. */
void respond_log(struct pipeline *p, const struct client *to, const struct query *q,
		 const struct query_outcome *outcome);

/* What the resolver found; kept as a packet, if it may be, with the shield's `note`. */
void respond(struct pipeline *p, struct client_query *cq, const struct settings *s,
	     const struct answer *a, uint32_t note);

/* What a script made of it. */
void respond_hooked(struct pipeline *p, struct client_query *cq, const struct settings *s);

/* What the packet cache knows the query by; `limit`: of its answer. */
static inline struct packetcache_key respond_key(const struct query *q, bool tcp, size_t limit)
{
	return (struct packetcache_key) {
		.query = q->wire,
		.question_end = q->question_end,
		.name_hash = q->name_hash,
		.tcp = tcp,
		.edns = q->edns,
		.dnssec = q->dnssec,
		.payload = (uint16_t)limit,
	};
}

#endif
