/* event: the texts of the events, and the buffer they are written to. */
#include "recursor/resolve/event.h"

#include <string.h>

#include "common/check.h"

static const struct {
	const char *word, *sentence;
} texts[EVENT_KINDS] = {
#define EVENT_TEXT(kind, word, sentence) [kind] = { word, sentence },
	EVENT_TABLE(EVENT_TEXT)
#undef EVENT_TEXT
};

const char *event_word(enum event_kind kind)
{
	return kind < EVENT_KINDS ? texts[kind].word : "unknown";
}

const char *event_sentence(enum event_kind kind)
{
	return kind < EVENT_KINDS ? texts[kind].sentence : "unknown";
}

void trace_init(struct trace *t)
{
	t->n_events = 0;
	t->names_len = 0;
	t->lost = 0;
	t->next_goal = 0;
	t->began_us = 0;
}

uint16_t trace_add_name(struct trace *t, const uint8_t *name)
{
	size_t len = name_len(name);
	uint32_t at = 0;

	while (at < t->names_len) {
		if (name_equal_case(t->names + at, name))
			return (uint16_t)at;
		at += (uint32_t)name_len(t->names + at);
	}
	if (at + len > TRACE_NAMES_MAX)
		return TRACE_NO_NAME;
	memcpy(t->names + at, name, len);
	t->names_len += (uint32_t)len;
	return (uint16_t)at;
}

void trace_add(struct trace *t, const struct event *e)
{
	if (t->n_events == TRACE_EVENTS_MAX) {
		t->lost++;
		return;
	}
	t->events[t->n_events++] = *e;
}
