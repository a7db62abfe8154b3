/*
 * defender_tally: what one worker has answered of late, by zone: the defender's near end.
 *
 * Each answer is counted in a row of its zone: the deepest zone known, from the registrable domain
 * down (a denial of something above that, of a domain that does not exist, in a row of the zone
 * that denied it).  A row says how the answers ended, and how many distinct names were asked for.
 * A few times a second a slice of the rows is taken out by defender_watch.h and begins at zero.
 *
 * A packet-cache hit costs an increment: who keeps an answer keeps with it the note that
 * defender_tally_answer() gave, the row's number and generation; a note of a row that is another
 * zone's by now counts nothing.
 *
 * Rows stand in sets of eight.  A zone that has none takes the place of the lightest of its set,
 * and its weight (space-saving): zones that are asked for once push out each other, and none that
 * is asked for often.  Weights halve every second.
 *
 * Memory:  fixed, DEFENDER_TALLY_ROW bytes a row.
 * Threads: one tally, one worker.
 */
#ifndef POLICY_DEFENDER_TALLY_H
#define POLICY_DEFENDER_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/name.h"
#include "recursor/policy/defender_sketch.h"

/* How a question ended for the client. */
enum defender_end {
	DEFENDER_END_NOERROR,
	DEFENDER_END_NXDOMAIN,
	DEFENDER_END_SERVFAIL,
	DEFENDER_END_TIMEOUT, /* SERVFAIL because no server answered; or no answer at all */
	DEFENDER_END_OTHER,
	DEFENDER_END_TURNED, /* the defender ended it */
	DEFENDER_ENDS,
};

struct defender_counts {
	uint32_t ends[DEFENDER_ENDS];
	uint32_t cached; /* of them: answered from a cache */
	/* of them: unseen names of an accused domain, let through to see how they end */
	uint32_t probes[DEFENDER_END_TURNED];
};

struct defender_row {
	uint64_t hash; /* of the name; 0: the row is free */
	uint32_t generation;
	uint32_t known_added; /* names that were new to the filter, defender_tally_may_learn() */
	struct defender_counts counts;
};

/* The rest of a row, not touched by a hit. */
struct defender_zone {
	struct sketch children;
	uint8_t labels;        /* of the name */
	uint8_t domain_labels; /* of the registrable domain */
	uint8_t name[NAME_MAX_LEN];
};

enum { DEFENDER_TALLY_ROW = sizeof(struct defender_row) + sizeof(struct defender_zone) + 12 };

struct defender_tally;

/* As many rows as `bytes` hold, 64 at least. */
int defender_tally_new(struct defender_tally **out, size_t bytes) MUST_USE;
void defender_tally_free(struct defender_tally *t); /* accepts NULL */
size_t defender_tally_bytes(const struct defender_tally *t);

struct defender_answer {
	const uint8_t *zone; /* any case; borrowed for the call */
	unsigned zone_labels;
	unsigned domain_labels; /* of the registrable domain; more than the zone's: it lies above */
	uint32_t hint;          /* the note of an answer of the same zone, or 0 */
	uint64_t child;         /* name_hash() of the name asked for */
	enum defender_end end;
	bool cached, probe;
};

/* Returns the note for who keeps the answer: never 0. */
uint32_t defender_tally_answer(struct defender_tally *t, const struct defender_answer *a);

/* An answer that was kept under this note is given again. */
enum { DEFENDER_NOTE_ROW_BITS = 20 };
struct defender_row *defender_tally_rows(struct defender_tally *t);
static inline void defender_tally_hit(struct defender_row *rows, uint32_t note,
				      enum defender_end end)
{
	struct defender_row *row;

	if (note == 0)
		return;
	row = &rows[note & ((1U << DEFENDER_NOTE_ROW_BITS) - 1)];
	if (row->generation != note >> DEFENDER_NOTE_ROW_BITS)
		return;
	row->counts.ends[end]++;
	row->counts.cached++;
}

/* What that call will touch comes nearer. */
static inline void defender_tally_fetch(const struct defender_row *rows, uint32_t note)
{
	__builtin_prefetch(&rows[note & ((1U << DEFENDER_NOTE_ROW_BITS) - 1)], 1);
}

/* May one more name of the zone of this note be learnt?  `most` of one zone until the next call of
 * defender_tally_forget_learnt(): a zone that answers every name would fill all room. */
bool defender_tally_may_learn(struct defender_tally *t, uint32_t note, uint32_t most);
void defender_tally_forget_learnt(struct defender_tally *t);

/* Hands the rows of slice `i` of `n` that counted anything to cb, zeroes them, and halves their
 * weights. */
void defender_tally_take(struct defender_tally *t, unsigned i, unsigned n,
			 void (*cb)(void *ctx, const struct defender_row *row,
				    const struct defender_zone *zone),
			 void *ctx);

/* Likewise the rows that are asked for most just now, whatever slice they are in; their weights
 * stay. */
void defender_tally_take_hot(struct defender_tally *t,
			     void (*cb)(void *ctx, const struct defender_row *row,
					const struct defender_zone *zone),
			     void *ctx);

/* Zones whose row another took. */
uint64_t defender_tally_evicted(const struct defender_tally *t);

static inline uint64_t defender_counts_total(const struct defender_counts *c)
{
	uint64_t n = 0;

	for (int i = 0; i < DEFENDER_ENDS; i++)
		n += c->ends[i];
	return n;
}

#endif
