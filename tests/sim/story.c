#include "tests/sim/story.h"

#include <stdlib.h>

#include "common/check.h"
#include "common/rrtype.h"

enum { GOALS_MAX = 4096, DEEPEST = 30 };

static void print_name(FILE *f, const char *before, const uint8_t *name)
{
	char text[NAME_TEXT_MAX];

	if (name != NULL)
		fprintf(f, "%s%s", before, name_to_text(text, name));
}

static void print_event(FILE *f, const struct trace *t, const struct event *e, unsigned depth)
{
	char type[RRTYPE_TEXT_MAX], server[ADDR_TEXT_MAX];

	fprintf(f, "  %6u ms %*s%s", e->at_ms, (int)(2 * depth), "", event_word(e->kind));
	print_name(f, " ", trace_name(t, e->name));
	if (e->type != 0)
		fprintf(f, " %s", rrtype_to_text(e->type, type));
	print_name(f, " -> ", trace_name(t, e->other));
	if (e->server.family != 0)
		fprintf(f, " @%s", addr_text(server, &e->server));
	if (e->kind == EVENT_ANSWERED || e->kind == EVENT_BAD_RCODE || e->kind == EVENT_DONE)
		fprintf(f, " %s", rcode_to_text(e->rcode, type));
	if (e->kind == EVENT_ANSWERED)
		fprintf(f, " %u/%u/%u %u bytes", e->records[0], e->records[1], e->records[2],
			e->size);
	if (e->ttl != 0)
		fprintf(f, " ttl %u", e->ttl);
	if (e->note != NULL)
		fprintf(f, " (%s)", e->note);
	fprintf(f, "  [goal %u, %u left]\n", e->goal, e->budget);
}

void story_print(FILE *f, const struct trace *t)
{
	uint8_t *depth = calloc(GOALS_MAX, 1);

	ASSERT(depth != NULL);
	for (uint32_t i = 0; i < t->n_events; i++) {
		const struct event *e = &t->events[i];

		if (e->kind == EVENT_GOAL && e->goal < GOALS_MAX && e->parent < GOALS_MAX &&
		    e->parent != 0 && depth[e->parent] < DEEPEST)
			depth[e->goal] = (uint8_t)(depth[e->parent] + 1);
		print_event(f, t, e, e->goal < GOALS_MAX ? depth[e->goal] : 0);
	}
	if (t->lost > 0)
		fprintf(f, "  (%u events more than the trace holds)\n", t->lost);
	free(depth);
}
