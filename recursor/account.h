/*
 * account: what the pipeline counts and logs of questions and answers.
 *
 * `questions` is every well-formed question of somebody who may ask, and what ipfilter() drops, of
 * which nobody has seen whether it is one.  Each ends in exactly one of packetcache-hits,
 * over-capacity-drops, defender-drops, policy-drops and the buckets answers0-1 ... answers-slow.
 * What is no question is counted by its reason: unauthorized-udp, client-parse-errors,
 * ignored-packets, notimp-queries, empty-queries.
 *
 * Threads: one account, one worker.
 */
#ifndef RECURSOR_ACCOUNT_H
#define RECURSOR_ACCOUNT_H

#include <stdint.h>

#include "common/err.h"
#include "common/metrics.h"
#include "recursor/net/listen.h"
#include "recursor/query.h"
#include "recursor/resolve/resolver.h"
#include "recursor/settings/settings.h"
#include "recursor/watch/rings.h"

enum { ACCOUNT_QTYPES = 65536 };

struct account {
	struct counters *counters; /* borrowed */
	counter *qtypes;           /* questions by type, ACCOUNT_QTYPES of them */
	counter *sizes;            /* answers by size, METRICS_SIZES of them */
	double latency_us;         /* moving average over about latency-statistic-size answers */
	double our_latency_us;     /* ... of what was spent here, and not in waiting */
	uint64_t hits_averaged;    /* packet-cache hits that are in both, as samples of 0 */
	double latency_keep;       /* its weight against a new sample */
	double latency_max;        /* a sample counts as no more: network-timeout */
	struct rings *rings;       /* what came last, for top-*; NULL: not wanted; borrowed */
};

int account_init(struct account *a, struct counters *counters, const struct settings *s) MUST_USE;
void account_deinit(struct account *a);
/* What was made of the settings is made anew. */
void account_configure(struct account *a, const struct settings *s);

/* A packet or a TCP connection came, perhaps from somebody who may not ask. */
void account_remote(const struct account *a, const struct addr *remote, bool tcp);
void account_question(struct account *a, const struct client *from, const struct query *q);
/* ipfilter() did not let it in: a question, and its end. */
void account_filtered(struct account *a, const struct client *from);
/* What was left without an answer; the reason has a counter of its own. */
void account_dropped(struct account *a);
/* An answer of any kind was sent.  The reason is that of an error. */
void account_rcode(struct account *a, unsigned rcode, enum metrics_reason why, size_t len);
/* ... to a question that could be read. */
void account_answer(struct account *a, const struct client *to, const struct query *q,
		    unsigned rcode, enum metrics_reason why, size_t len);
/* ... to a question that took `us` microseconds. */
void account_latency(struct account *a, uint64_t us);
/* ... `us` of them here, of CPU; a sample that counts for `weight` questions. */
void account_own_time(struct account *a, uint64_t us, unsigned weight);
/* The same of a packet-cache hit; it counts for COSTING_SAMPLE. */
void account_hit_cpu(struct account *a, uint64_t us);
/* The averages up to now. */
void account_catch_up(struct account *a);
/* ... out of the packet cache. */
void account_packetcache_hit(struct account *a, const struct client *to, const struct query *q,
			     unsigned rcode, size_t len);
/* A server did not answer in time. */
void account_timeout(const struct account *a, const struct addr *server);

/* ... which failed validation; one out of the packet cache, too. */
void account_bogus(const struct account *a, const struct client *to, const struct query *q);

/* What log-common-errors asks for: why a client gets SERVFAIL; one line a second at most. */
void account_log_failure(const struct client *to, const struct query *q, const struct answer *a);

#endif
