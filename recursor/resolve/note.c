/* note: what goals write down of their steps (journal.h), and the story it makes for who asks. */
#include "recursor/resolve/goal.h"

#include <string.h>

#include "common/check.h"

/* ---- the steps that every question takes ---- */

void goal_note_asked(struct resolver *r, struct goal *g, const uint8_t *ns)
{
	const size_t fixed = sizeof(struct journal_step) + sizeof(struct addr);
	size_t len = name_len(ns), words = (fixed + len + 3) / 4;
	struct journal_step *s = journal_step(&r->journals, &g->journal, 4 * words);
	void *server;

	if (s == NULL)
		return;
	server = s + 1;
	*s = (struct journal_step) {
		.kind = EVENT_ASKED,
		.parts = g->transport == TRANSPORT_TCP
				 ? JOURNAL_SERVER | JOURNAL_OTHER | JOURNAL_TCP
				 : JOURNAL_SERVER | JOURNAL_OTHER,
		.labels = g->asked_labels,
		.words = (uint8_t)words,
		.goal = g->serial,
		.type = g->asked_type,
		.at_ms = r->step_ms,
		.value = g->n_targets,
	};
	*(struct addr *)server = g->server;
	memcpy((uint8_t *)s + fixed, ns, len);
}

void goal_note_answered(struct resolver *r, struct goal *g, const struct msg *m, size_t size,
			uint32_t rtt_us)
{
	const size_t len = sizeof(struct journal_step) + sizeof(struct journal_reply);
	struct journal_step *s = journal_step(&r->journals, &g->journal, len);
	struct journal_reply *reply;
	void *behind;

	if (s == NULL)
		return;
	behind = s + 1;
	*s = (struct journal_step) {
		.kind = EVENT_ANSWERED,
		.parts = JOURNAL_REPLY,
		.labels = JOURNAL_NO_LABELS,
		.words = (uint8_t)(len / 4),
		.goal = g->serial,
		.at_ms = r->step_ms,
		.value = rtt_us,
	};
	reply = behind;
	reply->size = (uint32_t)size;
	reply->records[0] = m->count[1];
	reply->records[1] = m->count[2];
	reply->records[2] = m->count[3];
	reply->rcode = m->rcode;
}

/* ---- and the others ---- */

static void write_down(struct resolver *r, struct goal *g, const struct event *e, uint32_t value,
		       const uint8_t *name, const uint8_t *other)
{
	r->step_ms = (uint32_t)r->world.now_ms(r->world.ctx);
	journal_write(&r->journals, &g->journal,
		      &(struct journal_event) {
			      .e = e,
			      .own = g->name,
			      .own_len = g->name_len,
			      .name = name,
			      .other = other,
			      .now_ms = r->step_ms,
			      .value = value,
		      });
}

/* Of what is answered without asking anybody there is no story, unless it is a part of another's. */
static bool is_at_once(const struct event *e)
{
	return e->kind == EVENT_SPECIAL || e->kind == EVENT_AUTH_ZONE;
}

void goal_step_note(struct resolver *r, struct goal *g, const struct event *e, const uint8_t *name,
		    const uint8_t *other)
{
	struct event copy = *e;
	uint32_t value = e->ttl;

	if (is_at_once(e) && !goal_is_noted(r, g))
		return;
	if (e->kind == EVENT_BAD_RCODE || e->kind == EVENT_DONE || e->kind == EVENT_FAILED)
		value = e->rcode;
	copy.goal = g->serial;
	write_down(r, g, &copy, value, name, other);
}

void goal_note_child(struct resolver *r, struct goal *parent, const struct goal *child,
		     enum event_kind kind)
{
	const struct event e = { .kind = (uint8_t)kind,
				 .goal = child->serial,
				 .type = child->type };

	if (r->journals.is_on)
		write_down(r, parent, &e, parent->serial, child->name, NULL);
}

/* ---- the story ---- */

/* The goals that it waits for still, and those that these wait for. */
static void copy_below(struct resolver *r, struct goal *g, struct journal_story *story,
		       uint8_t *buf, size_t cap)
{
	struct goal *last = g;

	g->mark = ++r->walk_mark;
	g->walk_next = NULL;
	for (struct goal *at = g; at != NULL && story->len < cap; at = at->walk_next) {
		if (at != g)
			journal_copy(&at->journal, story, buf, cap);
		for (struct edge *e = at->children; e != NULL; e = e->next_of_parent) {
			if (e->child->mark == r->walk_mark || e->child->state == GOAL_DEAD)
				continue;
			e->child->mark = r->walk_mark;
			e->child->walk_next = NULL;
			last->walk_next = e->child;
			last = e->child;
		}
	}
}

bool resolver_story(struct resolver *r, const struct answer *a, struct journal_story *out,
		    uint8_t *buf, size_t cap)
{
	struct goal *g = a->goal;

	if (g == NULL || !r->journals.is_on)
		return false;
	*out = (struct journal_story) {
		.goal = g->serial,
		.began_ms = (uint32_t)g->began_ms,
		.ended_ms = (uint32_t)r->world.now_ms(r->world.ctx),
		.lost = g->journal.hole_at == 0 ? g->journal.lost : 0,
	};
	journal_copy(&g->journal, out, buf, cap);
	/* One that is dead is on another list by walk_next, and waits for nobody. */
	if (g->state != GOAL_DEAD) {
		copy_below(r, g, out, buf, cap);
		if (a->rcode == RCODE_SERVFAIL)
			journal_fail(out, buf, cap, g->type, a->ede_text);
	}
	return true;
}
