/*
 * rings: what came last: the clients, questions, failures and so on of a moment ago, for top-*,
 * try-lua-script and the live page.
 *
 * A worker has one of each (the table below) and alone writes to them: no lock, no malloc, about
 * ten nanoseconds.  Control threads read them while it writes: nobody waits for anybody.
 *
 *     rings_note(r, RING_QUERIES, &e);               the worker's side
 *     ringset_read(set, RING_QUERIES, cb, ctx);      everybody else's: all workers' entries
 *
 * A ring is an array of words with records one behind the other: a word with type, length of the
 * name and IPv4 address; two more for an IPv6 address; the name, padded to whole words.  In its
 * first word a record has the length of the one before it, and `head` has where the last one ends
 * and its length, so a reader goes backwards from there.  What it copies was there all the time if,
 * after it has copied, the head is still less than the array's length ahead.  This is a seqlock by
 * position (H. Boehm, "Can seqlocks get along with programming language memory models?", 2012):
 * words are written with release and read with acquire, so who reads a word of a newer record
 * also sees the head of the record before that, and no record is longer than RING_RECORD_MAX.
 *
 * Limits:  a ring holds the last `entries` records, fewer when their names are longer than about 50
 *          bytes on average: 24 bytes of memory for each entry without a name, 64 for one with.
 * Memory:  rings are their maker's until they are given to a ringset, then the set's.
 * Threads: rings_note() is one worker's; ringset_*() any number of control threads'.
 */
#ifndef WATCH_RINGS_H
#define WATCH_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"

/* ring, its name, words for an entry, filled when */
#define RINGS(X)                                                                                   \
	X(RING_REMOTES, "remotes", 3, "a UDP packet or TCP connection came, from whomever")        \
	X(RING_QUERIES, "queries", 8, "a question came from somebody who may ask")                 \
	X(RING_SERVFAIL, "servfail", 8, "a question was answered SERVFAIL")                        \
	X(RING_LARGE_ANSWERS, "large-answers", 8, "an answer was larger than 1000 bytes")          \
	X(RING_BOGUS, "bogus", 8, "an answer failed validation")                                   \
	X(RING_TIMEOUTS, "timeouts", 3, "a server did not answer in time; it is the entry")

enum ring_kind {
#define RING_ENUM(ring, name, words, help) ring,
	RINGS(RING_ENUM)
#undef RING_ENUM
		RING_COUNT
};

enum {
	RING_LARGE_ANSWER = 1000,   /* larger ones are in RING_LARGE_ANSWERS */
	RING_ENTRIES_MAX = 10000000 /* of a ring, all workers together */
};

/* What is noted; packet-cache hits are treated as any other answer. */
struct ring_note {
	const struct addr *remote; /* the port is not kept */
	const uint8_t *name;       /* NULL: none; in any case */
	size_t name_len;
	uint16_t type;
	bool tcp;
};

/* What is read. */
struct ring_entry {
	struct addr remote; /* port 0 */
	uint16_t type;
	bool tcp;
	bool has_name;
	uint8_t name[NAME_MAX_LEN]; /* lower case */
};

const char *ring_name(enum ring_kind kind);

/* ---- a worker's ---- */

struct rings;

/* `entries` of each ring; 0 is not possible: who wants none has no rings. */
int rings_new(struct rings **out, size_t entries) MUST_USE;
void rings_free(struct rings *r); /* accepts NULL */

void rings_note(struct rings *r, enum ring_kind kind, const struct ring_note *note);

/* ---- all workers' ---- */

struct ringset;

int ringset_new(struct ringset **out, unsigned n_workers) MUST_USE;
void ringset_free(struct ringset *s); /* with the rings in it; accepts NULL */

/* A worker has other rings now, or none (NULL).  Takes them; returns the ones before, which no
 * reader looks at any more, for the caller to free once the worker does not either. */
struct rings *ringset_swap(struct ringset *s, unsigned worker, struct rings *r);

/* Calls back with every entry of all workers, each worker's newest first; false ends it.  Returns
 * how many there were.  The callback is short and calls nothing of here: it holds up resizing and
 * other readers, though no worker. */
size_t ringset_read(struct ringset *s, enum ring_kind kind,
		    bool (*cb)(void *ctx, const struct ring_entry *e), void *ctx);

#endif
