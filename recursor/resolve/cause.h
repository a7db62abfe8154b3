/*
 * cause: why a question could not be answered as it should have been.
 *
 * A row of CAUSES is one cause: what the client is told of it (the info code and EXTRA-TEXT of an
 * Extended DNS Error, RFC 8914), and which reason of METRICS_REASONS counts it.  Who finds that a
 * question fails names the cause and nothing else; goals, answers and remembered failures (RFC 9520,
 * struct rrset) carry its number, in a byte, so that it is the same from the cache as the first time.
 * To add one is to add a row.
 *
 * Threads: any; the table is constant.
 */
#ifndef RESOLVE_CAUSE_H
#define RESOLVE_CAUSE_H

#include <stdint.h>

#include "common/metrics.h"
#include "common/rrtype.h"

/* cause, EDE, text or NULL, reason */
/* clang-format off */
#define CAUSES(X)                                                                                \
	X(NONE, NONE, NULL, OTHER) /* it did not fail, or nobody knows why */                    \
	/* limits for one query */                                                               \
	X(QPERQ, NO_REACHABLE_AUTHORITY, "max-qperq", QPERQ)                                     \
	X(TIME, NO_REACHABLE_AUTHORITY, "max-total-msec", TIME)                                  \
	X(BYTES, INVALID_DATA, "max-bytesperq", BYTES)                                           \
	X(CNAMES, OTHER, "max-cnames-followed", CNAMES)                                          \
	X(REFERRALS, OTHER, "too many referrals", REFERRALS)                                     \
	X(CHECKS, DNSSEC_BOGUS, "max-signature-validations-per-query", CHECKS)                   \
	X(HASHES, DNSSEC_BOGUS, "max-nsec3-hash-computations-per-query", HASHES)                 \
	/* limits of the whole */                                                                \
	X(CHAIN, OTHER, "max-chain-length", CHAIN)                                               \
	X(ZONE, NO_REACHABLE_AUTHORITY, "max-inflight-per-zone", ZONE)                           \
	X(ZONE_AT_ONCE, OTHER, "max-inflight-per-zone", ZONE) /* nobody was asked for it */      \
	X(SERVER, NO_REACHABLE_AUTHORITY, "max-inflight-per-server", SERVER)                     \
	X(GOALS, OTHER, "too much to do", GOALS)                                                 \
	X(MEMORY, OTHER, "out of memory", GOALS)                                                 \
	X(FAIR_SHARE, OTHER, "gave way to another client", FAIR_SHARE)                           \
	X(STOPPING, NOT_READY, "shutting down", STOPPING)                                        \
	/* the name's own, and its servers' */                                                   \
	X(ALIAS_LOOP, OTHER, "alias loop", ALIAS)                                                \
	X(ALIAS_EMPTY, INVALID_DATA, "empty alias", ALIAS)                                       \
	X(ALIAS_TOO_LONG, NONE, NULL, ALIAS) /* RFC 6672 2.2: the rcode says it, YXDOMAIN */     \
	X(NO_SERVER, NO_REACHABLE_AUTHORITY, "no server of the zone answers", NO_ANSWER)         \
	X(NO_FORWARDER, NO_REACHABLE_AUTHORITY, "no forwarder of the zone answers", NO_ANSWER)   \
	X(NO_GROUP, OTHER, "no such group in forward-groups", GROUP)                             \
	X(BOGUS, DNSSEC_BOGUS, NULL, BOGUS) /* the answer's enum bogus says why */               \
	/* our own network's (RFC 8914 4.24) */                                                  \
	X(NETWORK, NETWORK_ERROR, "our own network is down", NETWORK)                            \
	X(SERVER_CUT_OFF, NETWORK_ERROR, "no server of the zone answers", NO_ANSWER)             \
	X(FORWARDER_CUT_OFF, NETWORK_ERROR, "no forwarder of the zone answers", NO_ANSWER)       \
	/* our own host's */                                                                     \
	X(RESOURCES, OTHER, "no descriptor, port or memory to ask with", RESOURCES)              \
	/* the question's; nobody is asked */                                                    \
	X(NO_RECURSION, NOT_AUTHORITATIVE, NULL, NO_RECURSION) /* RD=0 (RFC 8914 4.21) */        \
	X(EDNS_VERSION, NONE, NULL, EDNS_VERSION) /* RFC 6891 6.1.3: the rcode says it */        \
	X(CLASS, NOT_SUPPORTED, NULL, LOCAL)                                                     \
	X(CHAOS, NOT_SUPPORTED, NULL, LOCAL) /* a name of class CH that is not known */          \
	X(TYPE, NOT_SUPPORTED, NULL, LOCAL)                                                      \
	X(META_TYPE, NONE, NULL, LOCAL) /* the rcode says it, FORMERR */                         \
	X(SENTINEL, NONE, NULL, LOCAL) /* RFC 8509 2.2: SERVFAIL is the answer */                \
	X(TRANSFER, NOT_AUTHORITATIVE, NULL, LOCAL)                                              \
	/* the policy's */                                                                       \
	X(DEFENDER, BLOCKED, NULL, DEFENDER) /* RFC 8914 4.16 */                                 \
	X(SCRIPT_KILL, BLOCKED, "Query killed by policy", SCRIPT_KILL)                           \
	X(FOLLOWUP, OTHER, "the script's followup cannot be done", SCRIPT_FOLLOWUP)              \
	X(FOLLOWUPS, OTHER, "too many followups of a script", SCRIPT_FOLLOWUP)                   \
	X(FOLLOWUP_CROWD, OTHER, "too many queries wait", SCRIPT_FOLLOWUP)                       \
	X(FOLLOWUP_TIME, OTHER, "max-total-msec reached in a script's followup", TIME)           \
	/* why expired data were served; the answer's own info code takes the place of this one */ \
	X(LATE, STALE_ANSWER, "no answer in time", OTHER)                                        \
	X(NOT_YET, STALE_ANSWER, "no answer yet", OTHER)
/* clang-format on */

enum cause {
#define CAUSE_ENUM(name, ede, text, reason) CAUSE_##name,
	CAUSES(CAUSE_ENUM)
#undef CAUSE_ENUM
		CAUSE_N,
};

struct cause_row {
	const char *text; /* or NULL */
	int16_t ede;      /* enum ede */
	uint8_t reason;   /* enum metrics_reason */
};

/* Borrowed, for good; CAUSE_NONE's for a number that is none. */
const struct cause_row *cause_row(unsigned cause);

#endif
