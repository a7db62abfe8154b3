/*
 * recorder: the stories of the last queries that failed, took long or were refused, one recorder a
 * worker: the flight recorder.
 *
 * A story has who asked for what, when, how it ended, and the steps of resolve/journal.h as bytes.
 * Failures, slow answers and refusals have a part of the memory each, so that a flood of the one
 * does not cost the others theirs.  In a part the newest win, but
 *
 *     a domain (and a reason) has RECORDER_DOMAIN_MAX stories at most: the newest one of a flooded
 *     domain replaces its own oldest.  Once it has so many, it gets one each RECORDER_PAUSE_MS, so that
 *     a flood costs next to nothing;
 *     a client (an address, or the prefix of fair-share-*-bits) has one of RECORDER_CLIENT_PART
 *     parts of the memory at most;
 *     when the part is full, the domain that has most gives up its oldest; when none has two, the
 *     oldest of all goes.
 *
 *     if (recorder_wants(r, &key, now_ms)) recorder_keep(r, &key, &story);     a worker's
 *     recorder_read(r, &filter, &cursor, out, n);                              a visit's
 *
 * Limits:  RECORDER_STORIES_MAX stories of a kind.
 * Memory:  blocks of RECORDER_BLOCK bytes, RECORDER_BLOCK + RECORDER_GROUP of the given for each; a
 *          story is one block or more.  They are made as they are needed, and stay.
 * Threads: one recorder, one worker.
 */
#ifndef WATCH_RECORDER_H
#define WATCH_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/name.h"
#include "recursor/resolve/journal.h"

enum {
	RECORDER_BLOCK = 512,
	RECORDER_GROUP = 192, /* what tells domains and clients apart, for a block */
	RECORDER_DOMAIN_MAX = 8,
	RECORDER_PAUSE_MS = 250,
	RECORDER_CLIENT_PART = 8,
	RECORDER_TEXT_MAX = 160, /* EDE and figures */
	RECORDER_STORIES_MAX = 4096,
};

/* kind, its name, sentence */
#define RECORDER_KINDS(X)                                                                          \
	X(RECORDER_FAILED, "failed", "could not be answered")                                      \
	X(RECORDER_SLOW, "slow", "was answered late")                                              \
	X(RECORDER_REFUSED, "refused", "was refused")

enum recorder_kind {
#define RECORDER_ENUM(kind, name, sentence) kind,
	RECORDER_KINDS(RECORDER_ENUM)
#undef RECORDER_ENUM
		RECORDER_KIND_COUNT
};

/* reason, its name, sentence */
/* clang-format off */
#define RECORDER_REASONS(X)                                                                      \
	X(RECORDER_RESOLVED, "resolution", "resolution")                                         \
	X(RECORDER_SCRIPT, "script", "a hook of the script")                                     \
	X(RECORDER_ACL, "allow-from", "the client may not ask (allow-from)")                     \
	X(RECORDER_IPFILTER, "ipfilter", "dropped by the script's ipfilter()")                   \
	X(RECORDER_DROPPED, "policy-drop", "dropped by a hook of the script")                    \
	X(RECORDER_DEFENDER, "defender", "the defender turned it away")                          \
	X(RECORDER_FAIR_SHARE, "fair-share", "gave way to a client that has fewer queries")      \
	X(RECORDER_OVER_CAPACITY, "over-capacity", "dropped: all places were taken")             \
	X(RECORDER_LIMIT, "limit", "a limit of ours was reached")
/* clang-format on */

enum recorder_reason {
#define RECORDER_ENUM(reason, name, sentence) reason,
	RECORDER_REASONS(RECORDER_ENUM)
#undef RECORDER_ENUM
		RECORDER_REASON_COUNT
};

const char *recorder_kind_name(unsigned kind);
const char *recorder_reason_name(unsigned reason);
const char *recorder_reason_sentence(unsigned reason);

/* What a story is counted under. */
struct recorder_key {
	enum recorder_kind kind;
	enum recorder_reason reason;
	uint64_t domain; /* a hash of the registrable domain, or of what else there is */
	uint64_t client; /* of its prefix */
};

/* A story, as it is noted and as it is read. */
struct recorder_story {
	const uint8_t *name; /* in any case; NULL: nobody has read it */
	uint16_t type;       /* 0 with the name */
	struct addr client;
	bool tcp;
	uint64_t at_us;  /* monotonic: when it ended */
	uint32_t wall_s; /* the time of day */
	uint16_t rcode;
	bool is_dropped; /* nothing was sent: there is no rcode */
	int16_t ede;
	const char *text;    /* of the EDE, or NULL */
	const char *figures; /* of a refusal, or NULL */
	uint64_t took_us;
	uint32_t out_queries, timeouts, throttled, bytes;
	bool has_steps;
	struct journal_story steps;
	const uint8_t *step_bytes;
};

struct recorder;

int recorder_new(struct recorder **out, uint64_t bytes) MUST_USE;
void recorder_free(struct recorder *r); /* accepts NULL */
/* Fewer than are in use: some go. */
void recorder_set_bytes(struct recorder *r, uint64_t bytes);

/* False: it has as many of these, and one of a moment ago. */
bool recorder_wants(const struct recorder *r, const struct recorder_key *key, uint64_t now_ms);
/* Whether it had memory for it. */
bool recorder_keep(struct recorder *r, const struct recorder_key *key,
		   const struct recorder_story *s, uint64_t now_ms);

struct recorder_stats {
	size_t stories[RECORDER_KIND_COUNT];
	size_t bytes; /* all that was allocated */
	size_t blocks_used, blocks;
};
void recorder_stats(const struct recorder *r, struct recorder_stats *out);

/* ---- reading ---- */

enum {
	RECORDER_LOOKED_AT = 256, /* stories that one recorder_read() looks at */
	RECORDER_COPIED = 16,     /* and gives */
	RECORDER_STORY_BYTES = JOURNAL_STORY_MAX + 1024,
};

struct recorder_filter {
	const uint8_t *name; /* NULL: any */
	bool below;          /* and all names below it */
	uint16_t type;       /* 0: any */
	uint8_t kinds;       /* bits, 1 << enum recorder_kind */
	struct addr client;  /* family 0: any */
	unsigned client_bits;
};

struct recorder_cursor {
	enum recorder_kind kind; /* zeroed: at the beginning */
	uint64_t before;         /* what was kept before that one; 0: all */
	bool is_done;
};

/* A story on its own: pointers lead into `memory`. */
struct recorder_copy {
	enum recorder_kind kind;
	enum recorder_reason reason;
	struct recorder_story story;
	uint8_t name[NAME_MAX_LEN];
	char text[RECORDER_TEXT_MAX], figures[RECORDER_TEXT_MAX];
	uint8_t *memory; /* the steps, or NULL; the caller's to free() */
};

/* It was copied: its pointers lead into the new place. */
void recorder_copy_moved(struct recorder_copy *c);

/* The next stories that the filter lets through, each kind's newest first; at most RECORDER_COPIED,
 * none when there are none among those looked at.  With steps: `memory` is allocated.  Returns how
 * many. */
size_t recorder_read(const struct recorder *r, const struct recorder_filter *f, bool with_steps,
		     struct recorder_cursor *cursor, struct recorder_copy *out, size_t n);

#endif
