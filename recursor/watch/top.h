/*
 * top: what the rings hold, counted: the commands top-*, and rows for whoever shows them otherwise.
 *
 * A row of TOPS is a way to count a ring: by question (name and type), by public suffix (the name's
 * registrable domain and type) or by address.  Largest count first; of equal ones the lower name
 * (RFC 4034 6.1) or address.  Counting is done by the thread that asks, on a copy: no worker waits.
 *
 * Memory:  a top is the caller's to free; it is as large as what the rings hold.
 * Threads: control threads.
 */
#ifndef WATCH_TOP_H
#define WATCH_TOP_H

#include "common/netset.h"
#include "common/psl.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/rings.h"

enum top_by { TOP_BY_QUESTION, TOP_BY_SUFFIX, TOP_BY_REMOTE };

/* function, ring, counted by, what it is called where a word is needed for it */
#define TOPS(X)                                                                                    \
	X(top_bogus_queries, RING_BOGUS, TOP_BY_QUESTION, "bogus-queries")                         \
	X(top_bogus_remotes, RING_BOGUS, TOP_BY_REMOTE, "bogus-remotes")                           \
	X(top_largeanswer_remotes, RING_LARGE_ANSWERS, TOP_BY_REMOTE, "large-answer-remotes")      \
	X(top_pub_bogus_queries, RING_BOGUS, TOP_BY_SUFFIX, "pub-bogus-queries")                   \
	X(top_pub_queries, RING_QUERIES, TOP_BY_SUFFIX, "pub-queries")                             \
	X(top_pub_servfail_queries, RING_SERVFAIL, TOP_BY_SUFFIX, "pub-servfail-queries")          \
	X(top_queries, RING_QUERIES, TOP_BY_QUESTION, "queries")                                   \
	X(top_remotes, RING_REMOTES, TOP_BY_REMOTE, "remotes")                                     \
	X(top_servfail_queries, RING_SERVFAIL, TOP_BY_QUESTION, "servfail-queries")                \
	X(top_servfail_remotes, RING_SERVFAIL, TOP_BY_REMOTE, "servfail-remotes")                  \
	X(top_timeouts, RING_TIMEOUTS, TOP_BY_REMOTE, "timeouts")

#define TOP_COMMAND(function, ring, by, word) int function(struct command_call *call);
TOPS(TOP_COMMAND)
#undef TOP_COMMAND

/* The ring of a word of the table above, or of a ring's own name (rings.h). */
bool top_find_ring(const char *word, enum ring_kind *out);

struct top_row {
	size_t count;
	const uint8_t *name; /* lower case; NULL: it is an address */
	uint16_t type;
	struct addr remote;
};

struct top {
	size_t entries; /* counted */
	size_t n;
	struct top_row *rows;
	void *memory; /* what the names are in */
};

/* What is counted, and how. */
struct top_wanted {
	enum ring_kind ring;
	enum top_by by;
	const struct psl *psl;        /* for TOP_BY_SUFFIX */
	const struct netset *clients; /* only entries of these; NULL: of all */
	const uint8_t *within;        /* only names of this domain (lower case); NULL: all */
};

/* E_NOMEM. */
int top_count(struct top *out, struct ringset *rings, const struct top_wanted *wanted) MUST_USE;
void top_clear(struct top *t);

#endif
