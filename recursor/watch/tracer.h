/*
 * tracer: the steps of clients' questions, written as they are resolved: the setting `trace` and
 * the command trace-regex.
 *
 * A worker begins a trace when a question is to be resolved (an answer of the packet cache takes
 * no steps) and hands it over when the question is answered.  A thread of the tracer's own turns
 * it into text and writes it to the log or to the operator's file, so that neither the worker nor
 * the other operators wait for a slow one.
 *
 * Whether a question is traced is a worker's rule to say.  Each worker has one of its own, made by
 * the control thread and put in its place on a visit: nothing is shared or locked to ask it, and
 * without one nothing is asked.
 *
 * Limits:  TRACER_MAX traces begun and not written yet; a question beyond is not traced, and
 *          counted (trace-queries-skipped).  A file that takes nothing for TRACER_STALL_MS, or
 *          whose reader is gone, is given up and closed.  An expression is compiled again after
 *          TRACER_TURN_BYTES of names, for the library remembers of each what it can; one that
 *          takes longer than TRACER_TURN_USEC of a worker's time for so many, twice in a row, is
 *          given up: the first check refuses what takes minutes, not what takes milliseconds.
 * Memory:  a trace is some 120 KB while it lasts.
 * Threads: rules are made and freed by any, asked by their worker; tracer_begin() and
 *          tracer_end() by workers.
 */
#ifndef WATCH_TRACER_H
#define WATCH_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/resolve/resolver.h"

enum { TRACER_MAX = 64, TRACER_STALL_MS = 1000 };
/* Of a regular expression: bytes, and these times the product of the numbers in its intervals. */
enum { TRACER_REGEX_MAX = 255, TRACER_SIZE_MAX = 1200 };
/* Until it is compiled again: bytes of names matched, and what they may take. */
enum { TRACER_TURN_BYTES = 1024, TRACER_TURN_USEC = 4000 };

struct tracer;
struct trace_rule;
struct traced;

int tracer_new(struct tracer **out) MUST_USE;
/* What waits is written first.  Accepts NULL. */
void tracer_free(struct tracer *t);

/* `n` equal rules, one for each worker, that match names (with their final dot, in any case) by a
 * POSIX extended regular expression and write to a file, or with `fd` -1 to the log.  The
 * descriptor is duplicated.  E_LIMIT: the expression would take too long.  On error one line in
 * `why`. */
int trace_rules_new(struct trace_rule **rules, unsigned n, const char *regex, int fd, char *why,
		    size_t cap) MUST_USE;
void trace_rule_free(struct trace_rule *rule); /* accepts NULL */
/* By its worker alone.  False also when it has been given up. */
bool trace_rule_matches(struct trace_rule *rule, const uint8_t *name);

/* NULL: there are too many.  Without a rule it goes to the log. */
struct traced *tracer_begin(struct tracer *t, const struct trace_rule *rule);
/* For struct question: until the answer. */
struct trace *traced_events(struct traced *traced);

/* What stands above the steps. */
struct traced_end {
	const uint8_t *name;
	uint16_t type;
	struct addr client;
	uint16_t rcode;
	uint64_t us;
	uint32_t out_queries;
};
/* `end` NULL: it is not worth showing after all. */
void tracer_end(struct tracer *t, struct traced *traced, const struct traced_end *end);

#endif
