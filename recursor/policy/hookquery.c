/* hookquery: see hookquery.h. */
#include "recursor/policy/hookquery.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"

/* ---- records ---- */

enum { CHUNK_BYTES = 2048, FIRST_ROWS = 8 };

struct hook_chunk {
	struct hook_chunk *next;
	size_t used, room;
	uint8_t bytes[];
};

static uint8_t *take_bytes(struct hook_records *r, size_t n)
{
	struct hook_chunk *c = r->chunks;

	if (c == NULL || c->room - c->used < n) {
		size_t room = n > CHUNK_BYTES ? n : CHUNK_BYTES;

		c = malloc(sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		*c = (struct hook_chunk) { .next = r->chunks, .room = room };
		r->chunks = c;
	}
	c->used += n;
	return c->bytes + c->used - n;
}

static int make_row(struct hook_records *r)
{
	size_t room = r->room == 0 ? FIRST_ROWS : 2 * r->room;
	struct hook_record *rows;

	if (r->n < r->room)
		return E_OK;
	if (r->n >= HOOK_RECORDS_MAX)
		return E_LIMIT;
	rows = realloc(r->rows, room * sizeof(*rows));
	if (rows == NULL)
		return E_NOMEM;
	r->rows = rows;
	r->room = room;
	return E_OK;
}

int hookrecords_add(struct hook_records *to, const struct hook_record *row)
{
	size_t name = name_len(row->name), bytes = name + row->rdlen;
	uint8_t *at;
	int err;

	if (bytes > HOOK_RECORDS_BYTES - to->bytes)
		return E_LIMIT;
	err = make_row(to);
	if (err != E_OK)
		return err;
	at = take_bytes(to, bytes);
	if (at == NULL)
		return E_NOMEM;
	memcpy(at, row->name, name);
	if (row->rdlen > 0)
		memcpy(at + name, row->rdata, row->rdlen);
	to->bytes += bytes;
	to->rows[to->n] = *row;
	to->rows[to->n].name = at;
	to->rows[to->n].rdata = at + name;
	to->n++;
	return E_OK;
}

int hookrecords_copy(struct hook_records *to, const struct hook_records *from)
{
	for (size_t i = 0; i < from->n; i++) {
		int err = hookrecords_add(to, &from->rows[i]);

		if (err != E_OK) {
			hookrecords_clear(to);
			return err;
		}
	}
	return E_OK;
}

void hookrecords_clear(struct hook_records *r)
{
	while (r->chunks != NULL) {
		struct hook_chunk *next = r->chunks->next;

		free(r->chunks);
		r->chunks = next;
	}
	free(r->rows);
	*r = (struct hook_records) { 0 };
}

/* ---- texts ---- */

int hooktext_set(struct hook_text *t, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return E_NOMEM;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	free(t->text);
	*t = (struct hook_text) { .text = copy, .len = len };
	return E_OK;
}

void hooktext_put(struct hook_text *t, const void *text, size_t len)
{
	if (hooktext_set(t, text, len) != E_OK)
		hooktext_clear(t);
}

void hooktext_clear(struct hook_text *t)
{
	free(t->text);
	*t = (struct hook_text) { 0 };
}

int hooktags_add(struct hook_tags *t, const char *text, size_t len)
{
	int err;

	for (unsigned i = 0; i < t->n; i++)
		if (t->tag[i].len == len && memcmp(t->tag[i].text, text, len) == 0)
			return E_OK;
	if (t->n >= HOOK_TAGS_MAX || len > HOOK_TAG_MAX)
		return E_LIMIT;
	err = hooktext_set(&t->tag[t->n], text, len);
	if (err == E_OK)
		t->n++;
	return err;
}

void hooktags_clear(struct hook_tags *t)
{
	for (unsigned i = 0; i < t->n; i++)
		hooktext_clear(&t->tag[i]);
	t->n = 0;
}

/* ---- drafts ---- */

void hookanswer_clear(struct hook_answer *a)
{
	hooktext_clear(&a->ede_text);
	hookrecords_clear(&a->records);
	hooktext_clear(&a->followup_name);
	hooktext_clear(&a->followup_prefix);
	hooktext_clear(&a->udp_query);
	*a = (struct hook_answer) { .ede = -1 };
}

void hookquery_begin(struct hook_query *q)
{
	hookanswer_clear(&q->draft);
	q->draft.rcode = q->answer.rcode;
	q->draft.ede = q->answer.ede;
}

int hookquery_load(struct hook_query *q)
{
	int err = E_OK;

	if (!q->answer.has_records && q->load != NULL)
		err = q->load(q->load_ctx, &q->answer.records);
	if (err != E_OK) {
		hookrecords_clear(&q->answer.records);
		return err;
	}
	q->answer.has_records = true;
	return E_OK;
}

struct hook_records *hookquery_records(struct hook_query *q)
{
	struct hook_answer *d = &q->draft;

	if (d->has_records)
		return &d->records;
	if (hookquery_load(q) != E_OK)
		return NULL;
	if (hookrecords_copy(&d->records, &q->answer.records) != E_OK)
		return NULL;
	d->has_records = true;
	return &d->records;
}

void hookquery_commit(struct hook_query *q)
{
	struct hook_answer *a = &q->answer, *d = &q->draft;

	/* What the hook did not touch stays. */
	if (!d->has_records) {
		d->records = a->records;
		d->has_records = a->has_records;
		a->records = (struct hook_records) { 0 };
	}
	if (d->ede_text.text == NULL && d->ede == a->ede) {
		d->ede_text = a->ede_text;
		d->cause = a->cause;
		d->is_remembered = a->is_remembered;
		a->ede_text = (struct hook_text) { 0 };
	}
	hookanswer_clear(a);
	*a = *d;
	*d = (struct hook_answer) { .ede = -1 };
}

static int copy_answer(struct hook_answer *to, const struct hook_answer *from)
{
	int err = hookrecords_copy(&to->records, &from->records);

	if (err != E_OK)
		return err;
	to->has_records = true;
	to->rcode = from->rcode;
	to->ede = from->ede;
	to->cause = from->cause;
	to->is_remembered = from->is_remembered;
	to->is_truncated = from->is_truncated;
	if (from->ede_text.text != NULL)
		hooktext_put(&to->ede_text, from->ede_text.text, from->ede_text.len);
	return E_OK;
}

int hookquery_keep(struct hook_query *q)
{
	int err;

	if (q->has_before ||
	    (q->draft.followup != FOLLOWUP_UDP_RESPONSE && q->draft.followup != FOLLOWUP_FAKE_AAAA))
		return E_OK;
	err = hookquery_load(q);
	if (err == E_OK)
		err = copy_answer(&q->before, &q->answer);
	q->has_before = err == E_OK;
	return err;
}

void hookquery_settle(struct hook_query *q)
{
	hookanswer_clear(&q->before);
	q->has_before = false;
}

void hookquery_take_back(struct hook_query *q)
{
	if (!q->has_before)
		return;
	hookanswer_clear(&q->answer);
	q->answer = q->before;
	q->before = (struct hook_answer) { .ede = -1 };
	q->has_before = false;
}

void hookquery_discard(struct hook_query *q)
{
	hookanswer_clear(&q->draft);
}

/* ---- life ---- */

void hookquery_init(struct hook_query *q)
{
	q->answer.ede = q->draft.ede = q->before.ede = -1;
	q->wants_rpz = q->log_response = q->add_padding = true;
	q->policy.ttl = -1;
}

void hookquery_deinit(struct hook_query *q)
{
	ASSERT(q->script == NULL);
	hookanswer_clear(&q->answer);
	hookanswer_clear(&q->draft);
	hookanswer_clear(&q->before);
	hooktext_clear(&q->requestor_id);
	hooktext_clear(&q->device_id);
	hooktext_clear(&q->device_name);
	hooktext_clear(&q->routing_tag);
	hooktext_clear(&q->policy.name);
	hooktext_clear(&q->policy.custom);
	hooktext_clear(&q->policy.trigger);
	hooktext_clear(&q->policy.hit);
	hooktext_clear(&q->udp_answer);
	hooktags_clear(&q->tags);
	hooktags_clear(&q->discarded);
}
