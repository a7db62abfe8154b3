/*
 * still_world: a resolver in a world where nothing happens by itself: its clocks stand still, and what
 * it sends is noted.  For the tests of what the simulator is too large for.
 *
 * One at a time: `still`.
 */
#ifndef TEST_UNIT_STILL_WORLD_H
#define TEST_UNIT_STILL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metrics.h"
#include "recursor/resolve/resolver.h"

enum { STILL_SENT_MAX = 256, STILL_MESSAGE = 512 };

struct sent {
	struct outquery q;
	uint8_t wire[STILL_MESSAGE];
	bool cancelled;
};

struct still_world {
	struct resolver *r;
	struct cache *cache;
	struct servers *servers;
	struct counters counters;
	struct resolver_config cfg; /* as at first; for resolver_configure() */
	unsigned (*domain_labels)(void *ctx, const uint8_t *name); /* the world's, or NULL */
	uint64_t now_us;
	uint64_t late_us;   /* so much is now_ms() behind it, as a turn's time is */
	uint64_t waited_us; /* for what was sent and has ended last */
	uint32_t wall_s;
	uint64_t wake_at_ms;
	uint64_t random;
	struct sent sent[STILL_SENT_MAX];
	unsigned n_sent;
	enum send_result send_result;
};

extern struct still_world still;

/* Caches and configuration; then, perhaps with another one, the resolver. */
void still_open(void);
void still_resolver(enum outquery_verdict (*policy)(void *ctx, void *client,
						    struct outquery_plan *plan));
void still_close(void);

/* An answer to a question sent, in `out` (STILL_MESSAGE): one A record, or none, with the flags. */
size_t still_answer(const struct sent *s, uint8_t *out, unsigned flags, bool with_data);
bool still_reply(const struct sent *s, unsigned flags, bool with_data);

/* What a loop does: the time, a millisecond of it, then what came meanwhile, all at once: `reply` is called for each
 * question that has been sent, until there are none. */
void still_turn(void (*reply)(const struct sent *s));

/* Nothing is under way. */
void still_expect_idle(void);

#endif
