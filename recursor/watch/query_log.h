/*
 * query_log: questions and answers as lines of the log: all of them with quiet=no, and those that
 * match a rule of log-queries: a client, a suffix, a share of the traffic, for a time that ends by
 * itself.
 *
 * A worker has a copy of the rules (struct query_filter) and looks at each question; what is to be
 * logged goes into a queue of its own, and a thread of the query log's writes it.  So nobody waits
 * for the log, and neither a flood nor a slow disk stops a worker: what finds the queue full is
 * dropped and counted (query-log-drops), what comes faster than query-log-rate is not written and
 * counted (query-log-held-back), and once a second a line says how many.
 *
 *     if (p->logged != NULL)                          off: this test is all that a query pays
 *             query_filter_question(p->logged, &seen, ...);
 *
 * A share is of questions: whether one is in it is told by a keyed hash of what the client chose (id,
 * port, address, name), so that its answer is logged if it is.
 *
 * Lines are logged whatever loglevel says: somebody has asked for them.
 *
 * Limits:  QUERY_RULES_MAX rules; QUERY_QUEUE_MAX lines wait for each worker, 1.5 MB once it logs.
 * Memory:  a query_log owns queues and rules; a filter is its worker's and borrows the queue.
 * Threads: query_filter_*: the worker's; the rest: control threads.  The thread that writes is there
 *          from the first rule on.
 */
#ifndef WATCH_QUERY_LOG_H
#define WATCH_QUERY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/metrics.h"
#include "common/name.h"

enum { QUERY_RULES_MAX = 16, QUERY_QUEUE_MAX = 4096, QUERY_LOG_S_MAX = 86400 };

struct query_log;
struct query_queue;

/* What is logged; what is not set is not looked at. */
struct query_rule {
	unsigned id;
	bool has_client, has_suffix, has_share;
	bool answers; /* and not only the questions */
	struct addr client;
	unsigned client_bits;
	uint8_t suffix[NAME_MAX_LEN]; /* lower case */
	uint32_t share;               /* of 2^32 */
	double percent;               /* as it was asked for */
	uint64_t until_ms;            /* of clock.h, which is loop_now_ms()'s */
};

struct query_rules {
	unsigned n;
	struct query_rule rules[QUERY_RULES_MAX];
};

/* ---- a worker's ---- */

struct query_filter {
	struct query_queue *queue;
	struct counters *counters; /* query_log_drops */
	bool all;                  /* quiet=no */
	struct query_rules rules;
};

/* A question as it came; borrowed for the call. */
struct query_seen {
	const struct addr *client;
	const uint8_t *name;
	uint64_t name_hash;
	uint16_t id, type;
	bool tcp, edns, dnssec_ok;
};

/* What became of it. */
struct query_outcome {
	bool from_packetcache, dropped, truncated;
	uint16_t rcode;
	int16_t ede;        /* or -1 */
	const char *dnssec; /* what validation found: a constant; NULL: nobody asked */
	size_t sets;
	uint32_t out_queries, throttled, timeouts;
	uint64_t us;
};

void query_filter_init(struct query_filter *f, struct query_log *log, unsigned worker,
		       struct counters *counters);
/* Is there anything to look for?  Rules whose time is over are taken out. */
bool query_filter_is_used(struct query_filter *f, uint64_t now_ms);

void query_filter_question(struct query_filter *f, const struct query_seen *q, uint64_t now_ms);
void query_filter_answer(struct query_filter *f, const struct query_seen *q,
			 const struct query_outcome *a, uint64_t now_ms);

/* ---- everybody's ---- */

int query_log_new(struct query_log **out, unsigned n_workers) MUST_USE;
/* What waits is written first.  No worker runs any more.  Accepts NULL. */
void query_log_free(struct query_log *log);

/* `rate`: lines a second, 0: no limit; `all`: quiet=no. */
int query_log_configure(struct query_log *log, uint32_t rate, bool all) MUST_USE;

struct query_rule_shown {
	struct query_rule rule;
	uint64_t lines, held_back;
};

struct query_log_stats {
	uint64_t lines;     /* written */
	uint64_t held_back; /* beyond the rate */
	unsigned rules, most_rules;
	uint64_t most_queued; /* lines, of one worker */
};

/* Takes a rule and gives it its id.  E_LIMIT: there are QUERY_RULES_MAX. */
int query_log_add(struct query_log *log, struct query_rule *rule) MUST_USE;
/* `id` 0: all.  Returns how many there were. */
unsigned query_log_remove(struct query_log *log, unsigned id);
/* Has `give` bring those in force to all workers, one change after the other. */
void query_log_spread(struct query_log *log,
		      void (*give)(void *ctx, const struct query_rules *rules), void *ctx);
unsigned query_log_show(struct query_log *log, struct query_rule_shown out[QUERY_RULES_MAX]);
void query_log_stats(struct query_log *log, struct query_log_stats *out);

#endif
