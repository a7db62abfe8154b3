/*
 * defender_watch: what all workers have answered, by zone and registrable domain, over a sliding
 * window; and what that comes to by a rule's thresholds.
 *
 * Workers bring what their tallies hold (defender_tally.h).  A row has as many buckets as the
 * longest window of the rules has twelfths of the shortest; the oldest bucket counts by the part of
 * it that still lies in the window.  Which row makes room for a new zone is decided as in the tally.
 *
 * How those questions would have ended that the defender turned away is judged by those that it let
 * through to see (probes); without one, they count as failures.
 *
 * Memory:  fixed, `bytes` in all.
 * Threads: one at a time.
 * Clock:   passed in (monotonic, milliseconds).
 */
#ifndef POLICY_DEFENDER_WATCH_H
#define POLICY_DEFENDER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "recursor/policy/defender_rules.h"
#include "recursor/policy/defender_tally.h"

/* What a window holds. */
struct defender_sum {
	double ends[DEFENDER_ENDS], probes[DEFENDER_END_TURNED];
	double cached, children;
};

double defender_sum_queries(const struct defender_sum *s);
/* Takes a part away, of a zone below. */
void defender_sum_subtract(struct defender_sum *from, const struct defender_sum *part);

/* What a rule looks at. */
struct defender_figures {
	double queries, qps, children, queries_per_child, cache_hit_ratio, failure_ratio;
};

void defender_figures(struct defender_figures *out, const struct defender_rule *rule,
		      const struct defender_sum *sum);
/* All conditions together. */
bool defender_rule_holds(const struct defender_rule *rule, unsigned labels,
			 const struct defender_figures *f);

struct defender_watch;
struct defender_watched; /* a row */

int defender_watch_new(struct defender_watch **out, size_t bytes,
		       const struct defender_rules *rules) MUST_USE;
void defender_watch_free(struct defender_watch *w); /* accepts NULL */
/* Would a new one for these rules have the same buckets? */
bool defender_watch_suits(const struct defender_watch *w, const struct defender_rules *rules);
size_t defender_watch_bytes(const struct defender_watch *w);
uint64_t defender_watch_evicted(const struct defender_watch *w);
size_t defender_watch_rows(const struct defender_watch *w); /* in use */

/* `name` is lower case.  The row is borrowed until the next call. */
struct defender_watched *defender_watch_add(struct defender_watch *w, const uint8_t *name,
					    const struct defender_counts *counts,
					    const struct sketch *children, uint64_t now_ms);
struct defender_watched *defender_watch_find(struct defender_watch *w, const uint8_t *name);
/* The window's counts; and its children, for which a while longer is needed. */
void defender_watch_count(const struct defender_watch *w, struct defender_watched *row,
			  uint32_t window_s, uint64_t now_ms, struct defender_sum *out);
void defender_watch_count_children(const struct defender_watch *w, struct defender_watched *row,
				   uint32_t window_s, uint64_t now_ms, struct defender_sum *out);

#endif
