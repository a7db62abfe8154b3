/* journal: see journal.h. */
#include "recursor/resolve/journal.h"

#include <assert.h>
#include <string.h>

#include "common/check.h"
#include "common/name.h"
#include "common/rrtype.h"

static_assert(sizeof(struct journal_chunk) == JOURNAL_CHUNK, "a chunk has the size it says");
static_assert(sizeof(struct journal_step) == 16 && sizeof(struct journal_reply) == 12 &&
		      sizeof(struct addr) == 20,
	      "the parts of a step");

enum {
	NAME_LEAST = 64, /* room for a second name: so much of its end at least */
	STEP_MAX = JOURNAL_CHUNK_DATA,
};

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* ---- chunks ---- */

void journals_init(struct journals *js, struct counters *counters)
{
	*js = (struct journals) { .counters = counters };
	slab_init(&js->chunks, sizeof(struct journal_chunk), 0);
}

void journals_configure(struct journals *js, uint64_t bytes)
{
	js->max = (size_t)(bytes / JOURNAL_CHUNK);
	js->chunks.max = js->max;
	js->is_on = js->max > 0;
}

void journals_deinit(struct journals *js)
{
	while (js->free != NULL) {
		struct journal_chunk *c = js->free;

		js->free = c->next;
		slab_give(&js->chunks, c);
	}
	slab_deinit(&js->chunks);
}

void journal_give(struct journals *js, struct journal *j)
{
	if (j->first != NULL) {
		j->last->next = js->free;
		js->free = j->first;
		js->used -= j->n_chunks;
	}
	*j = (struct journal) { .n_chunks = 0 };
}

/* A goal that has nothing yet comes before one that has much. */
static struct journal_chunk *take_chunk(struct journals *js, struct journal *j)
{
	struct journal_chunk *c = js->free;
	size_t most = j->first == NULL ? js->max : js->max - js->max / 4;

	if (j->n_chunks == JOURNAL_CHUNKS_MAX || js->used >= most)
		return NULL;
	if (c != NULL)
		js->free = c->next;
	else
		c = slab_take_part(&js->chunks, sizeof(c->next));
	if (c == NULL)
		return NULL;
	c->next = NULL;
	c->used = c->n_steps = 0;
	j->n_chunks++;
	if (++js->used > js->peak)
		js->peak = js->used;
	return c;
}

static void refuse(struct journals *js, struct journal *j)
{
	if (j->first == NULL && !j->is_refused) {
		j->is_refused = true;
		COUNT(js->counters, flight_unrecorded);
	}
	if (j->hole_at == 0)
		j->hole_at = j->n_chunks;
	j->lost++;
}

/* The oldest one behind the hole, emptied; NULL: all there is belongs to the beginning. */
static struct journal_chunk *take_own(struct journal *j)
{
	unsigned keep = j->hole_at > 0 ? j->hole_at : (j->n_chunks + 1U) / 2;
	struct journal_chunk *before = j->first, *c;

	if (j->n_chunks <= keep)
		return NULL;
	for (unsigned i = 1; i < keep; i++)
		before = before->next;
	c = before->next;
	before->next = c->next;
	if (j->last == c)
		j->last = before;
	j->hole_at = (uint8_t)keep;
	j->lost = (uint16_t)(j->lost + c->n_steps);
	*c = (struct journal_chunk) { .used = 0 };
	return c;
}

/* A step at the beginning of a chunk. */
static struct journal_step *begin_chunk(struct journal *j, struct journal_chunk *c, size_t len)
{
	void *at = c->data;

	c->used = (uint16_t)len;
	c->n_steps = 1;
	if (j->last != NULL)
		j->last->next = c;
	else
		j->first = c;
	j->last = c;
	return at;
}

struct journal_step *journal_step_more(struct journals *js, struct journal *j, size_t len)
{
	struct journal_chunk *c;

	if (!js->is_on && j->first == NULL)
		return NULL;
	if (!EXPECT(len <= JOURNAL_CHUNK_DATA))
		return NULL;
	c = take_chunk(js, j);
	if (c == NULL)
		c = take_own(j);
	if (c == NULL) {
		refuse(js, j);
		return NULL;
	}
	return begin_chunk(j, c, len);
}

/* ---- writing ---- */

/* The end of a name that fits, with a label "..." for what is left out. */
static size_t name_put(uint8_t *at, const uint8_t *name, size_t room)
{
	static const uint8_t dots[] = { 3, '.', '.', '.' };
	size_t len = name_len(name), n = 0;

	if (len > room) {
		while (name_len(name) + sizeof(dots) > room)
			name = name_parent(name);
		memcpy(at, dots, sizeof(dots));
		n = sizeof(dots);
		len = name_len(name);
	}
	memcpy(at + n, name, len);
	return n + len;
}

static bool is_end_of(const struct journal_event *ev, const uint8_t *name)
{
	return name >= ev->own && name < ev->own + ev->own_len;
}

static bool is_answered(const struct event *e)
{
	return e->kind == EVENT_ANSWERED;
}

/* The parts behind the step; returns the length of all. */
static size_t parts_put(uint8_t *buf, struct journal_step *s, const struct journal_event *ev)
{
	const struct event *e = ev->e;
	size_t at = sizeof(*s);

	if (e->server.family != 0) {
		s->parts |= JOURNAL_SERVER;
		memcpy(buf + at, &e->server, sizeof(e->server));
		at += sizeof(e->server);
	}
	if (is_answered(e)) {
		const struct journal_reply reply = {
			.size = e->size,
			.records = { e->records[0], e->records[1], e->records[2] },
			.rcode = e->rcode,
		};

		s->parts |= JOURNAL_REPLY;
		memcpy(buf + at, &reply, sizeof(reply));
		at += sizeof(reply);
	}
	if (e->note != NULL) {
		s->parts |= JOURNAL_NOTE;
		memcpy(buf + at, &e->note, sizeof(e->note));
		at += sizeof(e->note);
	}
	if (ev->name != NULL && is_end_of(ev, ev->name)) {
		s->labels = (uint8_t)name_labels(ev->name);
	} else if (ev->name != NULL) {
		s->parts |= JOURNAL_NAME;
		at += padded(name_put(buf + at, ev->name, NAME_MAX_LEN));
	}
	if (ev->other != NULL && at + NAME_LEAST <= STEP_MAX) {
		size_t room = STEP_MAX - at;

		s->parts |= JOURNAL_OTHER;
		at += padded(
			name_put(buf + at, ev->other, room < NAME_MAX_LEN ? room : NAME_MAX_LEN));
	}
	return at;
}

void journal_write(struct journals *js, struct journal *j, const struct journal_event *ev)
{
	uint8_t buf[STEP_MAX + NAME_LEAST] = { 0 };
	struct journal_step s = {
		.kind = ev->e->kind,
		.parts = ev->e->transport == TRANSPORT_TCP ? JOURNAL_TCP : 0,
		.labels = JOURNAL_NO_LABELS,
		.goal = ev->e->goal,
		.type = ev->e->type,
		.at_ms = ev->now_ms,
		.value = ev->value,
	};
	size_t len = parts_put(buf, &s, ev);
	void *to = journal_step(js, j, len);

	if (to == NULL)
		return;
	s.words = (uint8_t)(len / 4);
	memcpy(buf, &s, sizeof(s));
	memcpy(to, buf, len);
}

static size_t step_len(const uint8_t *at)
{
	return 4U * at[offsetof(struct journal_step, words)];
}

void journal_take(struct journals *js, struct journal *j, const struct journal *from)
{
	for (const struct journal_chunk *c = from->first; c != NULL; c = c->next)
		for (size_t at = 0; at < c->used; at += step_len(c->data + at)) {
			size_t len = step_len(c->data + at);
			void *to = journal_step(js, j, len);

			if (to != NULL)
				memcpy(to, c->data + at, len);
		}
	j->lost = (uint16_t)(j->lost + from->lost);
}

/* ---- reading ---- */

/* When the last step in it was taken. */
static uint32_t last_ms(const struct journal_chunk *c)
{
	struct journal_step s = { .words = 0 };

	for (size_t at = 0; at < c->used; at += step_len(c->data + at))
		memcpy(&s, c->data + at, sizeof(s));
	return s.at_ms;
}

/* Behind `c`. */
static void mark_hole(const struct journal *j, const struct journal_chunk *c,
		      struct journal_story *story, uint8_t *buf, size_t cap)
{
	struct journal_step hole = {
		.kind = EVENT_LEFT_OUT,
		.labels = JOURNAL_NO_LABELS,
		.words = sizeof(hole) / 4,
		.goal = story->goal,
		.at_ms = last_ms(c),
		.value = j->lost,
	};

	if (story->len + sizeof(hole) > cap)
		return;
	memcpy(buf + story->len, &hole, sizeof(hole));
	story->len += sizeof(hole);
}

void journal_copy(const struct journal *j, struct journal_story *story, uint8_t *buf, size_t cap)
{
	unsigned n = 0;

	for (const struct journal_chunk *c = j->first; c != NULL; c = c->next) {
		if (story->len + c->used <= cap) {
			memcpy(buf + story->len, c->data, c->used);
			story->len += c->used;
		} else {
			story->lost += c->n_steps;
		}
		if (++n == j->hole_at)
			mark_hole(j, c, story, buf, cap);
	}
}

void journal_fail(struct journal_story *story, uint8_t *buf, size_t cap, uint16_t type,
		  const char *why)
{
	struct journal_step s = {
		.kind = EVENT_FAILED,
		.parts = why != NULL ? JOURNAL_NOTE : 0,
		.labels = JOURNAL_WHOLE,
		.words = (uint8_t)((sizeof(s) + (why != NULL ? sizeof(why) : 0)) / 4),
		.goal = story->goal,
		.type = type,
		.at_ms = story->ended_ms,
		.value = RCODE_SERVFAIL,
	};

	if (story->len + 4U * s.words > cap) {
		story->lost++;
		return;
	}
	memcpy(buf + story->len, &s, sizeof(s));
	if (why != NULL)
		memcpy(buf + story->len + sizeof(s), &why, sizeof(why));
	story->len += 4U * s.words;
}

/* What a reading knows of the story's goals. */
struct goals {
	unsigned n;
	struct {
		uint16_t serial, name; /* offset in the trace */
		bool has_begun;        /* a step of it has been read, */
		bool is_at_cut;        /* the last one was a zone cut */
		struct addr server;    /* that was asked last */
		uint8_t transport;
		uint16_t server_name, asked_name;
		uint16_t asked_type;
	} a[256];
};

static unsigned goal_of(struct goals *gs, uint16_t serial)
{
	for (unsigned i = 0; i < gs->n; i++)
		if (gs->a[i].serial == serial)
			return i;
	if (gs->n == ARRAY_LEN(gs->a))
		return 0;
	gs->a[gs->n].serial = serial;
	gs->a[gs->n].name = TRACE_NO_NAME;
	gs->a[gs->n].server_name = gs->a[gs->n].asked_name = TRACE_NO_NAME;
	return gs->n++;
}

static bool take_name(struct trace *t, const uint8_t *at, size_t left, uint16_t *name, size_t *len)
{
	if (name_check(at, left, len) != E_OK)
		return false;
	*name = trace_add_name(t, at);
	*len = padded(*len);
	return true;
}

/* The parts of a step of `len` bytes; the name is left alone if it has none. */
static bool parts_read(struct trace *t, struct event *e, const struct journal_step *s,
		       const uint8_t *p, size_t len)
{
	size_t at = sizeof(*s), n;

	if (s->parts & JOURNAL_SERVER) {
		if (at + sizeof(e->server) > len)
			return false;
		memcpy(&e->server, p + at, sizeof(e->server));
		at += sizeof(e->server);
	}
	if (s->parts & JOURNAL_REPLY) {
		struct journal_reply reply;

		if (at + sizeof(reply) > len)
			return false;
		memcpy(&reply, p + at, sizeof(reply));
		at += sizeof(reply);
		e->size = reply.size;
		e->rcode = reply.rcode;
		memcpy(e->records, reply.records, sizeof(e->records));
	}
	if (s->parts & JOURNAL_NOTE) {
		if (at + sizeof(e->note) > len)
			return false;
		memcpy(&e->note, p + at, sizeof(e->note));
		at += sizeof(e->note);
	}
	if (s->parts & JOURNAL_NAME) {
		if (!take_name(t, p + at, len - at, &e->name, &n))
			return false;
		at += n;
	}
	return !(s->parts & JOURNAL_OTHER) || take_name(t, p + at, len - at, &e->other, &n);
}

/* What the value of a step of that kind is. */
static void value_read(struct event *e, uint32_t value)
{
	switch (e->kind) {
	case EVENT_ANSWERED:
		e->us = value;
		break;
	case EVENT_GOAL:
	case EVENT_JOINED:
		e->parent = (uint16_t)value;
		break;
	case EVENT_BAD_RCODE:
	case EVENT_DONE:
	case EVENT_FAILED:
		e->rcode = (uint16_t)value;
		break;
	case EVENT_LEFT_OUT:
		e->size = value;
		break;
	case EVENT_ASKED: /* see add_implied() */
		break;
	default:
		e->ttl = value;
		break;
	}
}

static bool opens(const struct event *e)
{
	return e->kind == EVENT_GOAL || e->kind == EVENT_JOINED;
}

/* What a step leaves to the ones before it. */
static void complete(struct goals *gs, struct trace *t, struct event *e,
		     const struct journal_step *s)
{
	unsigned g = goal_of(gs, e->goal);

	if (e->name == TRACE_NO_NAME && s->labels != JOURNAL_NO_LABELS &&
	    gs->a[g].name != TRACE_NO_NAME)
		e->name = trace_add_name(t, name_suffix(t->names + gs->a[g].name, s->labels));
	switch (e->kind) {
	case EVENT_GOAL:
	case EVENT_JOINED:
		gs->a[g].name = e->name;
		break;
	case EVENT_ASKED:
		gs->a[g].server = e->server;
		gs->a[g].transport = e->transport;
		gs->a[g].server_name = e->other;
		gs->a[g].asked_name = e->name;
		gs->a[g].asked_type = e->type;
		break;
	case EVENT_ANSWERED: /* by who was asked, to what it was asked */
		if (e->server.family != 0)
			break;
		e->server = gs->a[g].server;
		e->transport = gs->a[g].transport;
		e->other = gs->a[g].server_name;
		e->name = gs->a[g].asked_name;
		e->type = gs->a[g].asked_type;
		break;
	default:
		break;
	}
}

/* Who looks for a zone cut first has found nothing in the cache; and with the first question to a
 * zone stands how many addresses of its servers there are. */
static void add_implied(struct goals *gs, struct trace *t, const struct event *e, uint32_t value)
{
	unsigned g = goal_of(gs, e->goal);
	struct event implied = {
		.goal = e->goal,
		.at_ms = e->at_ms,
		.us = e->us,
		.name = TRACE_NO_NAME,
		.other = TRACE_NO_NAME,
	};

	if (opens(e))
		return;
	if (e->kind == EVENT_CUT && !gs->a[g].has_begun) {
		implied.kind = EVENT_CACHE_MISS;
		trace_add(t, &implied);
	} else if (e->kind == EVENT_ASKED && gs->a[g].is_at_cut && value > 0) {
		implied.kind = EVENT_ADDRESS_KNOWN;
		implied.size = value;
		trace_add(t, &implied);
	}
	gs->a[g].has_begun = true;
	gs->a[g].is_at_cut = e->kind == EVENT_CUT || (gs->a[g].is_at_cut && e->kind != EVENT_ASKED);
}

static bool step_read(struct trace *t, struct goals *gs, const struct journal_story *story,
		      const uint8_t *p, size_t left, size_t *len)
{
	struct journal_step s;
	struct event e = { .name = TRACE_NO_NAME, .other = TRACE_NO_NAME, .budget = UINT16_MAX };
	uint32_t at_ms;

	if (left < sizeof(s))
		return false;
	memcpy(&s, p, sizeof(s));
	*len = 4U * s.words;
	if (*len < sizeof(s) || *len > left || s.kind >= EVENT_KINDS)
		return false;
	e.kind = s.kind;
	e.goal = s.goal;
	e.type = s.type;
	e.transport = s.parts & JOURNAL_TCP ? TRANSPORT_TCP : TRANSPORT_UDP;
	/* A goal that others wanted before may have begun earlier than the story. */
	at_ms = s.at_ms - story->began_ms;
	e.at_ms = at_ms < UINT32_MAX / 2 ? at_ms : 0;
	e.us = e.at_ms * 1000;
	value_read(&e, s.value);
	if (!parts_read(t, &e, &s, p, *len))
		return false;
	complete(gs, t, &e, &s);
	add_implied(gs, t, &e, s.value);
	trace_add(t, &e);
	return true;
}

static bool is_same(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && a->goal == b->goal && a->at_ms == b->at_ms &&
	       a->type == b->type && a->name == b->name && a->other == b->other && a->us == b->us &&
	       a->note == b->note && addr_equal(&a->server, &b->server);
}

/* In the order in which they happened, and each but once: what two goals learnt from a third, both
 * have. */
static void put_in_order(struct trace *t, uint16_t top)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n_events; i++) {
		struct event e = t->events[i];
		unsigned at = n;
		bool is_known = false, is_top = e.goal == top;

		while (at > 0 && t->events[at - 1].at_ms > e.at_ms)
			at--;
		for (unsigned j = at;
		     j-- > 0 && !is_top && !is_known && t->events[j].at_ms == e.at_ms;)
			is_known = is_same(&t->events[j], &e);
		if (is_known)
			continue;
		memmove(&t->events[at + 1], &t->events[at], (n - at) * sizeof(e));
		t->events[at] = e;
		n++;
	}
	t->n_events = n;
}

bool journal_expand(struct trace *out, const struct journal_story *story, const uint8_t *steps,
		    const uint8_t *name, uint16_t type)
{
	struct goals gs = { .n = 0 };
	struct event top = {
		.kind = EVENT_GOAL,
		.goal = story->goal,
		.type = type,
		.other = TRACE_NO_NAME,
	};
	size_t len;

	trace_init(out);
	top.name = trace_add_name(out, name);
	gs.a[goal_of(&gs, story->goal)].name = top.name;
	trace_add(out, &top);
	for (size_t at = 0; at < story->len; at += len)
		if (!step_read(out, &gs, story, steps + at, story->len - at, &len))
			return false;
	put_in_order(out, story->goal);
	out->lost += story->lost;
	return true;
}
