/*
 * event: what a resolution does, step by step, as small events of one enumeration.
 *
 * Somebody who wants to know (explain, trace, the simulator) attaches a struct trace to a
 * request; each step of a goal that works for that request is then appended to it.  With
 * nobody listening a step costs one test of a flag.
 *
 * An event says which goal it belongs to (`goal`, numbered from 1 within the trace as they
 * appear), for which parent goal (0: the client's question itself), and what happened.
 * Readers: recursor/watch/explain.c draws the tree, tests/sim prints a failing seed's story.
 *
 * Memory:  the trace belongs to whoever made it; its events are a fixed buffer, and what does
 *          not fit is counted in `lost`.
 */
#ifndef RESOLVE_EVENT_H
#define RESOLVE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/name.h"
#include "recursor/resolve/world.h"

/* kind, word for machines, sentence for people (the reader appends the fields) */
/* clang-format off */
#define EVENT_TABLE(X)                                                                           \
	X(EVENT_GOAL, "goal", "looks for")                                                       \
	X(EVENT_JOINED, "joined", "somebody looks for it already: waits with them")              \
	X(EVENT_SPECIAL, "special", "a special name, answered here")                             \
	X(EVENT_AUTH_ZONE, "auth-zone", "answered from a zone of ours")                          \
	X(EVENT_LOCAL_COPY, "local-copy", "answered from a copy of the zone")                    \
	X(EVENT_COPY_REFUSED, "copy-refused", "what the copy says is of no use: servers are asked") \
	X(EVENT_CACHE_HIT, "cache-hit", "the cache has it")                                      \
	X(EVENT_CACHE_NEGATIVE, "cache-negative", "the cache knows that there is none")          \
	X(EVENT_CACHE_FAILURE, "cache-failure", "it failed a moment ago")                        \
	X(EVENT_CACHE_MISS, "cache-miss", "not in the cache")                                    \
	X(EVENT_CUT, "cut", "closest known zone cut")                                            \
	X(EVENT_FORWARD, "forward", "belongs to forwarders")                                     \
	X(EVENT_ZONES_CHANGED, "zones-changed", "its zone has been configured anew: begins again") \
	X(EVENT_ADDRESS_KNOWN, "address-known", "address of a name server, from the cache")      \
	X(EVENT_ADDRESS_WANTED, "address-wanted", "looks up the address of a name server")       \
	X(EVENT_ADDRESS_NONE, "address-none", "name server without address")                     \
	X(EVENT_THROTTLED, "throttled", "not asked: throttled")                                  \
	X(EVENT_POLICY, "policy", "the policy (preoutquery) decides")                            \
	X(EVENT_UNROUTED, "unrouted", "not asked: no route leads there")                         \
	X(EVENT_NETWORK_DOWN, "network-down", "our own network is down: no server is asked")     \
	X(EVENT_DONT_QUERY, "dont-query", "not asked: its address is not to be asked")           \
	X(EVENT_ASKED, "asked", "asks")                                                          \
	X(EVENT_TIMEOUT, "timeout", "no answer in time")                                         \
	X(EVENT_UNREACHABLE, "unreachable", "cannot be reached")                                 \
	X(EVENT_NO_RESOURCES, "no-resources", "could not ask: no descriptor or memory left")     \
	X(EVENT_NEAR_MISS, "near-miss", "an answer that does not match was thrown away")         \
	X(EVENT_SPOOFED, "spoofed", "too many near misses: asks again over TCP")                 \
	X(EVENT_ANSWERED, "answered", "answered")                                                \
	X(EVENT_GARBLED, "garbled", "an answer that cannot be parsed")                           \
	X(EVENT_TRUNCATED, "truncated", "truncated: asks again over TCP")                        \
	X(EVENT_NO_EDNS, "no-edns", "FORMERR: asks again without EDNS")                          \
	X(EVENT_BAD_RCODE, "bad-rcode", "cannot or will not answer")                             \
	X(EVENT_LAME, "lame", "does not serve the zone")                                         \
	X(EVENT_OUT_OF_BAILIWICK, "out-of-bailiwick", "not its to say, thrown away")             \
	X(EVENT_REFERRAL, "referral", "refers to")                                               \
	X(EVENT_ANSWER, "answer", "found")                                                       \
	X(EVENT_CNAME, "cname", "is an alias of")                                                \
	X(EVENT_DNAME, "dname", "lies below an alias of")                                        \
	X(EVENT_NODATA, "nodata", "exists, without that type")                                   \
	X(EVENT_NXDOMAIN, "nxdomain", "does not exist")                                          \
	X(EVENT_MINIMISED_ON, "minimised-on", "nothing there yet: goes on with a longer name")   \
	X(EVENT_STEP_SHARED, "step-shared", "the same is being asked already: waits for it")     \
	X(EVENT_MINIMISE_OFF, "minimise-off", "gives up minimising the name")                    \
	X(EVENT_PARENT_AGAIN, "parent-again", "none of the zone's own servers works: the parent's") \
	X(EVENT_REFRESH, "refresh", "about to expire: is being renewed meanwhile")               \
	X(EVENT_STALE, "stale", "served stale")                                                  \
	X(EVENT_STALE_CUT, "stale-cut", "nothing else is left: goes on by what has expired")     \
	X(EVENT_TRUST, "trust", "the chain of trust")                                            \
	X(EVENT_HARVEST, "harvest", "validated meanwhile for its proofs (RFC 8198)")             \
	X(EVENT_AGGRESSIVE, "aggressive", "proofs seen before answer it (RFC 8198)")             \
	X(EVENT_VERIFIED, "verified", "is signed as it should be")                               \
	X(EVENT_NOT_VERIFIED, "not-verified", "is not signed as it should be")                   \
	X(EVENT_PROVED, "proved", "is proved not to be")                                         \
	X(EVENT_NOT_PROVED, "not-proved", "is not proved not to be")                             \
	X(EVENT_WANTING, "wanting", "wanting in the proof")                                      \
	X(EVENT_DS, "ds", "has a DS")                                                            \
	X(EVENT_DNSKEY, "dnskey", "has a DNSKEY")                                                \
	X(EVENT_BOGUS, "bogus", "bogus")                                                         \
	X(EVENT_CYCLE, "cycle", "would wait on itself")                                          \
	X(EVENT_LIMIT, "limit", "a limit was reached")                                           \
	X(EVENT_LEFT_OUT, "left-out", "steps of which there is no record")                       \
	X(EVENT_FAILED, "failed", "could not be resolved")                                       \
	X(EVENT_DONE, "done", "done")

enum event_kind {
#define EVENT_ENUM(kind, word, sentence) kind,
	EVENT_TABLE(EVENT_ENUM)
#undef EVENT_ENUM
	EVENT_KINDS
};
/* clang-format on */

struct event {
	uint8_t kind;      /* enum event_kind */
	uint8_t transport; /* ASKED, ANSWERED: enum transport */
	uint16_t goal;
	uint16_t parent;     /* GOAL, JOINED: the goal that wants it; 0: the client */
	uint16_t type;       /* the type looked for, asked for or found; 0: none */
	uint16_t rcode;      /* ANSWERED, BAD_RCODE, DONE */
	uint16_t budget;     /* out-queries left for the client's query; UINT16_MAX: not known */
	uint32_t us;         /* ANSWERED: RTT; else since the trace began */
	uint32_t at_ms;      /* since the trace began */
	uint32_t ttl;        /* ANSWER, CACHE_HIT, CUT: seconds left; STALE: since it expired */
	uint32_t size;       /* ANSWERED: bytes; ADDRESS_KNOWN, LEFT_OUT: how many; 0: this one */
	uint16_t records[3]; /* ANSWERED: answer, authority, additional */
	struct addr server;  /* ASKED, ANSWERED and the like */
	uint16_t name;       /* offset into trace->names; the name the event is about */
	uint16_t other;      /* second name: CNAME target, zone, name server; 0xffff: none */
	const char *note;    /* a constant string, or NULL: which limit, why lame */
};

enum { TRACE_EVENTS_MAX = 1024, TRACE_NAMES_MAX = 32768, TRACE_NO_NAME = 0xffff };

struct trace {
	uint32_t n_events;
	uint32_t names_len;
	uint32_t lost;
	uint16_t next_goal;
	uint64_t began_us;
	struct event events[TRACE_EVENTS_MAX];
	uint8_t names[TRACE_NAMES_MAX];
};

const char *event_word(enum event_kind kind);
const char *event_sentence(enum event_kind kind);

/* An empty one, without clearing its buffers. */
void trace_init(struct trace *t);

/* The name at an offset, or NULL. */
static inline const uint8_t *trace_name(const struct trace *t, uint16_t offset)
{
	return offset == TRACE_NO_NAME ? NULL : t->names + offset;
}

/* Appends a name (once: an equal one is found again); its offset, or TRACE_NO_NAME when full. */
uint16_t trace_add_name(struct trace *t, const uint8_t *name);

/* Appends an event, or counts it as lost. */
void trace_add(struct trace *t, const struct event *e);

#endif
