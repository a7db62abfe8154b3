/*
 * journal: the steps of each goal in short, while it lives, in case it ends badly.
 *
 * Nobody knows beforehand which question will fail, so every goal that asks somebody writes its
 * steps (event.h) down: 16 bytes a step, and behind them what the step is about.  A name that is the
 * end of the goal's own is a number of labels; a server's address and name are copied, since the goal
 * may move on to another zone.  What a goal did for another (the address of a name server, the target
 * of an alias) is copied to that one's when it ends.  When a client is answered, resolver_story() has
 * the steps that led there; most answers are good and fast, nobody asks, and the journal goes back.
 *
 *     journal_step(&r->journals, &g->journal, sizeof(struct journal_step))   a step more
 *     resolver_story(r, answer, &story, buf, cap)                        within done()
 *     journal_expand(&story, buf, name, type, trace)                      for trace_text.h
 *
 * Limits:  a journal is chunks of JOURNAL_CHUNK bytes, at most JOURNAL_CHUNKS_MAX; beyond them it keeps
 *          its beginning and its end, and how many steps between are left out.  All journals of a
 *          resolver take no more than resolver_config.journal_bytes; the last quarter of that is for
 *          first chunks.  A goal without one writes nothing down, and is counted.
 * Memory:  chunks are the resolver's slab's.
 * Threads: one worker's; journal_expand() is a pure function.
 */
#ifndef RESOLVE_JOURNAL_H
#define RESOLVE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metrics.h"
#include "common/slab.h"
#include "recursor/resolve/event.h"

enum {
	JOURNAL_CHUNK = 512,
	JOURNAL_CHUNK_DATA = JOURNAL_CHUNK - 16,
	JOURNAL_CHUNKS_MAX = 16,
	/* Of a story: what a goal may write, and some of the goals that it waits for. */
	JOURNAL_STORY_MAX = 24 * JOURNAL_CHUNK_DATA,
	JOURNAL_WHOLE = 254, /* labels: the whole name of the goal */
	JOURNAL_NO_LABELS = 255,
};

/* What stands behind a step, in this order. */
enum journal_part {
	JOURNAL_SERVER = 1, /* struct addr */
	JOURNAL_REPLY = 2,  /* struct journal_reply */
	JOURNAL_NOTE = 4,   /* const char *, of a constant */
	JOURNAL_NAME = 8,   /* in wire form, to a multiple of four bytes; so the next */
	JOURNAL_OTHER = 16,
	JOURNAL_TCP = 32, /* takes no room */
};

struct journal_step {
	uint8_t kind;   /* enum event_kind */
	uint8_t parts;  /* bits of enum journal_part */
	uint8_t labels; /* the name: so many of the goal's, or JOURNAL_NO_LABELS */
	uint8_t words;  /* of four bytes: its length with all parts */
	uint16_t goal, type;
	uint32_t at_ms; /* of the resolver's clock, the low bits */
	uint32_t value; /* what the kind has: TTL, RTT in microseconds, rcode, goal, how many */
};

struct journal_reply {
	uint32_t size;
	uint16_t records[3], rcode;
};

struct journal_chunk {
	struct journal_chunk *next;
	uint16_t used, n_steps;
	uint32_t unused;
	uint8_t data[JOURNAL_CHUNK_DATA];
};

/* A goal's; zeroed, it is empty. */
struct journal {
	struct journal_chunk *first, *last;
	uint16_t lost;    /* steps left out... */
	uint8_t hole_at;  /* ... behind so many chunks */
	uint8_t n_chunks; /* 0: nothing is written yet */
	bool is_refused;  /* there was no chunk for it */
};

/* All of a resolver's. */
struct journals {
	struct slab chunks;
	struct journal_chunk *free; /* taken out of it, and given back to us */
	size_t used, peak, max;     /* chunks that hold steps */
	bool is_on;
	struct counters *counters;
};

/* The steps that led to an answer, as bytes, and what it takes to read them. */
struct journal_story {
	uint16_t goal; /* that answers the question */
	uint32_t began_ms, ended_ms;
	uint32_t lost; /* steps that did not fit */
	size_t len;    /* bytes of steps */
};

void journals_init(struct journals *js, struct counters *counters);
/* bytes 0: nothing is written down.  Fewer than are in use: no more until they are given back. */
void journals_configure(struct journals *js, uint64_t bytes);
void journals_deinit(struct journals *js);

void journal_give(struct journals *js, struct journal *j);
/* Room in another chunk, or NULL. */
struct journal_step *journal_step_more(struct journals *js, struct journal *j, size_t len);

/* Room for a step of `len` bytes with its parts, a multiple of four; NULL: there is none. */
static inline struct journal_step *journal_step(struct journals *js, struct journal *j, size_t len)
{
	struct journal_chunk *c = j->last;
	void *at;

	if (c == NULL || c->used + len > JOURNAL_CHUNK_DATA)
		return journal_step_more(js, j, len);
	at = c->data + c->used;
	c->used = (uint16_t)(c->used + len);
	c->n_steps++;
	return at;
}

/* What the resolver puts together of an event. */
struct journal_event {
	const struct event *e;
	const uint8_t *own;          /* the goal's name, of ... */
	size_t own_len;              /* ... so many bytes */
	const uint8_t *name, *other; /* or NULL */
	uint32_t now_ms;
	uint32_t value;
};
void journal_write(struct journals *js, struct journal *j, const struct journal_event *ev);
/* Copies the steps of a goal that worked for this one. */
void journal_take(struct journals *js, struct journal *j, const struct journal *from);
/* Adds them to a story. */
void journal_copy(const struct journal *j, struct journal_story *story, uint8_t *buf, size_t cap);

/* And that it failed, for which reason (a constant, or NULL), though the goal goes on for others. */
void journal_fail(struct journal_story *story, uint8_t *buf, size_t cap, uint16_t type,
		  const char *why);

/* The story as a trace.  False: it is damaged. */
bool journal_expand(struct trace *out, const struct journal_story *story, const uint8_t *steps,
		    const uint8_t *name, uint16_t type);

#endif
