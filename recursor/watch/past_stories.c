#include "recursor/watch/past_stories.h"

#include <stdlib.h>

#include "common/grow.h"

struct past_visit {
	const struct recorder_filter *filter;
	bool with_steps, is_on;
	struct recorder_cursor cursor;
	size_t n;
	struct recorder_copy copies[RECORDER_COPIED];
};

static void visit_read(void *arg, const struct watch_worker *w)
{
	struct past_visit *v = arg;

	v->is_on = w->recorder != NULL;
	if (v->is_on)
		v->n = recorder_read(w->recorder, v->filter, v->with_steps, &v->cursor, v->copies,
				     RECORDER_COPIED);
	else
		v->cursor.is_done = true;
}

static size_t step_bytes(const struct recorder_copy *c)
{
	return c->memory == NULL ? 0 : c->story.steps.len;
}

/* ---- the stories ---- */

static bool add(struct past_stories *s, const struct recorder_copy *c, unsigned worker)
{
	struct past_story *story = malloc(sizeof(*story));

	if (story == NULL || !grow(&s->list, &s->cap, s->n + 1, sizeof(*s->list), 64)) {
		free(story);
		return false;
	}
	story->copy = *c;
	story->worker = worker;
	recorder_copy_moved(&story->copy);
	s->list[s->n++] = story;
	s->bytes += step_bytes(c);
	return true;
}

static void drop_last(struct past_stories *s)
{
	struct past_story *story = s->list[--s->n];

	s->bytes -= step_bytes(&story->copy);
	free(story->copy.memory);
	free(story);
}

void past_stories_free(struct past_stories *s)
{
	while (s->n > 0)
		drop_last(s);
	free(s->list);
	*s = (struct past_stories) { .n = 0 };
}

static int newest_first(const void *a, const void *b)
{
	const struct past_story *const *x = a, *const *y = b;
	uint64_t at = (*x)->copy.story.at_us, other = (*y)->copy.story.at_us;

	return at < other ? 1 : at > other ? -1 : 0;
}

static bool is_before_cut(const struct past_stories *s, uint64_t at_us)
{
	return s->is_cut && at_us <= s->to_us;
}

/* There is no room for one that ended then.  Nor is there for older ones, of which a smaller one would
 * leave a hole in what is shown. */
static void cut(struct past_stories *s, uint64_t at_us)
{
	if (!is_before_cut(s, at_us))
		s->to_us = at_us;
	s->is_cut = true;
}

/* What the newest of those read so far leave no room for is not among the newest of all. */
static void prune(struct past_stories *s, size_t limit)
{
	if (s->n > 1)
		qsort(s->list, s->n, sizeof(s->list[0]), newest_first);
	while (s->n > limit)
		drop_last(s);
	while (s->bytes > PAST_STEPS_MAX) {
		cut(s, s->list[s->n - 1]->copy.story.at_us);
		drop_last(s);
	}
	while (s->n > 0 && is_before_cut(s, s->list[s->n - 1]->copy.story.at_us))
		drop_last(s);
}

/* ---- reading ---- */

/* A kind's newest of a worker: as many as may be among the newest of all. */
static int read_kind(struct past_stories *s, const struct watch_env *env, unsigned worker,
		     struct past_visit *v, size_t limit)
{
	const enum recorder_kind kind = v->cursor.kind;
	size_t got = 0, bytes = 0;
	int err = E_OK;

	while (!v->cursor.is_done && v->cursor.kind == kind && got < limit && err == E_OK) {
		v->n = 0;
		if (env->on_worker(env->ctx, worker, visit_read, v) != E_OK)
			return E_OK; /* it has stopped */
		for (size_t i = 0; i < v->n; i++) {
			const struct recorder_copy *c = &v->copies[i];

			bytes += step_bytes(c);
			if (bytes > PAST_STEPS_MAX && got < limit)
				cut(s, c->story.at_us);
			if (is_before_cut(s, c->story.at_us))
				got = limit;
			if (err == E_OK && got < limit) {
				got++;
				if (add(s, c, worker))
					continue;
				err = E_NOMEM;
			}
			free(c->memory);
		}
	}
	return err;
}

int past_stories_read(struct past_stories *s, const struct watch_env *env,
		      const struct past_query *q, bool with_steps)
{
	struct recorder_filter filter = {
		.name = q->has_name ? q->name : NULL,
		.below = q->below,
		.type = q->type,
		.client = q->client,
		.client_bits = q->client_bits,
	};
	size_t limit = q->limit == 0 ? PAST_LIMIT : q->limit;
	struct past_visit *v = malloc(sizeof(*v));
	int err = v == NULL ? E_NOMEM : E_OK;

	for (unsigned i = 0; i < env->n_workers && err == E_OK; i++)
		for (unsigned kind = 0; kind < RECORDER_KIND_COUNT && err == E_OK; kind++) {
			if (q->kinds != 0 && !(q->kinds >> kind & 1))
				continue;
			filter.kinds = (uint8_t)(1 << kind);
			*v = (struct past_visit) {
				.filter = &filter,
				.with_steps = with_steps,
				.cursor = { .kind = (enum recorder_kind)kind },
			};
			err = read_kind(s, env, i, v, limit);
			s->is_on |= v->is_on;
			prune(s, limit);
		}
	free(v);
	/* Then it is the limit that left some out. */
	if (s->n == limit)
		s->is_cut = false;
	if (err != E_OK)
		past_stories_free(s);
	return err;
}
