/*
 * past_stories: the stories that a question about the past (past.h) is answered with: the newest that
 * match, of all workers together.
 *
 *     struct past_stories s = { .n = 0 };
 *     past_stories_read(&s, env, q, with_steps);
 *     ... s.list[0] is the newest ...
 *     past_stories_free(&s);
 *
 * Limits:  as many as the question's limit; with steps, as many as have no more than PAST_STEPS_MAX
 *          bytes of them together, since a step of twenty bytes becomes a JSON object of a thousand.
 *          While they are read there are never more than twice that.
 * Threads: as past.h.
 */
#ifndef WATCH_PAST_STORIES_H
#define WATCH_PAST_STORIES_H

#include <assert.h>

#include "recursor/watch/past.h"

static_assert((int)PAST_LIMIT * (int)JOURNAL_STORY_MAX <= (int)PAST_STEPS_MAX,
	      "what is shown unless more is asked for is shown whole");

struct past_story {
	struct recorder_copy copy;
	unsigned worker;
};

/* Zeroed: empty. */
struct past_stories {
	struct past_story **list; /* the newest first */
	size_t n, cap;
	size_t bytes;   /* of steps */
	bool is_on;     /* some worker has a recorder */
	bool is_cut;    /* there was no room for the steps of as many as were wanted: */
	uint64_t to_us; /* ... the newest of those left out ended then */
};

/* E_NOMEM: then it is empty. */
int past_stories_read(struct past_stories *s, const struct watch_env *env,
		      const struct past_query *q, bool with_steps) MUST_USE;
void past_stories_free(struct past_stories *s);

#endif
