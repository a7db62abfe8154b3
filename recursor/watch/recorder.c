/* recorder: see recorder.h. */
#include "recursor/watch/recorder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/chains.h"
#include "common/check.h"
#include "common/slab.h"
#include "common/timers.h"

struct kept;
TAILQ_HEAD(kept_list, kept);
TAILQ_HEAD(group_list, group);

/* Those of one domain, or of one client. */
struct group {
	struct chain_link by_key;
	struct kept_list stories; /* the oldest first */
	TAILQ_ENTRY(group) equal; /* domains that have as many; the one that changed last, last */
	uint32_t n, blocks;
	uint64_t newest_ms;
};
static_assert(2 * sizeof(struct group) <= RECORDER_GROUP, "two groups a block, at the most");

/* What follows a story's first block. */
struct block {
	struct block *next;
	uint8_t data[RECORDER_BLOCK - sizeof(struct block *)];
};

struct kept {
	struct block *rest;
	TAILQ_ENTRY(kept) of_all, of_domain, of_client;
	struct group *domain, *client;
	uint64_t serial;
	uint32_t n_blocks;
	uint8_t reason;
	bool has_name, has_text, has_figures;
	uint16_t name_len, text_len, figures_len;
	struct recorder_story s; /* without its pointers */
	uint8_t data[];          /* name, text, figures, steps; goes on in `rest` */
};

enum {
	FIRST_ROOM = RECORDER_BLOCK - sizeof(struct kept),
	REST_ROOM = sizeof(((struct block *)0)->data)
};
static_assert(sizeof(struct kept) + 64 <= RECORDER_BLOCK, "a short name fits the first block");

/* The stories of a kind. */
struct part {
	struct kept_list all; /* the oldest first */
	struct chains domains, clients;
	struct group_list
		by_n[RECORDER_DOMAIN_MAX + 1]; /* domains by the number of their stories */
	size_t n, used, max;                   /* stories; blocks */
};

struct recorder {
	struct part parts[RECORDER_KIND_COUNT];
	struct slab blocks, groups;
	uint64_t serial;
};

static const char *const kind_names[] = {
#define NAME_OF(kind, name, sentence) name,
	RECORDER_KINDS(NAME_OF)
#undef NAME_OF
};

static const struct {
	const char *name, *sentence;
} reasons[] = {
#define NAME_OF(reason, name, sentence) { name, sentence },
	RECORDER_REASONS(NAME_OF)
#undef NAME_OF
};

const char *recorder_kind_name(unsigned kind)
{
	return kind < ARRAY_LEN(kind_names) ? kind_names[kind] : "?";
}

const char *recorder_reason_name(unsigned reason)
{
	return reason < ARRAY_LEN(reasons) ? reasons[reason].name : "?";
}

const char *recorder_reason_sentence(unsigned reason)
{
	return reason < ARRAY_LEN(reasons) ? reasons[reason].sentence : "?";
}

/* ---- life ---- */

int recorder_new(struct recorder **out, uint64_t bytes)
{
	struct recorder *r = calloc(1, sizeof(*r));
	int err = E_OK;

	if (r == NULL)
		return E_NOMEM;
	slab_init(&r->blocks, RECORDER_BLOCK, 0);
	slab_init(&r->groups, sizeof(struct group), 0);
	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++) {
		struct part *p = &r->parts[i];

		TAILQ_INIT(&p->all);
		for (unsigned n = 0; n < ARRAY_LEN(p->by_n); n++)
			TAILQ_INIT(&p->by_n[n]);
		if (err == E_OK)
			err = chains_init(&p->domains);
		if (err == E_OK)
			err = chains_init(&p->clients);
	}
	recorder_set_bytes(r, bytes);
	if (err == E_OK)
		*out = r;
	else
		recorder_free(r);
	return err;
}

static void drop(struct recorder *r, struct part *p, struct kept *k);

void recorder_free(struct recorder *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++) {
		struct part *p = &r->parts[i];

		while (!TAILQ_EMPTY(&p->all))
			drop(r, p, TAILQ_FIRST(&p->all));
		chains_deinit(&p->domains);
		chains_deinit(&p->clients);
	}
	slab_deinit(&r->blocks);
	slab_deinit(&r->groups);
	free(r);
}

/* ---- groups ---- */

static struct group *group_find(const struct chains *c, uint64_t key)
{
	struct chain_link *l = chains_first(c, key);

	return l == NULL ? NULL : CONTAINER(l, struct group, by_key);
}

static struct group *group_get(struct recorder *r, struct chains *c, uint64_t key)
{
	struct group *g = group_find(c, key);

	if (g != NULL)
		return g;
	g = slab_take(&r->groups);
	if (g == NULL)
		return NULL;
	TAILQ_INIT(&g->stories);
	chains_add(c, &g->by_key, key);
	return g;
}

static void group_put_if_empty(struct recorder *r, struct chains *c, struct group *g)
{
	if (g == NULL || g->n > 0)
		return;
	chains_remove(c, &g->by_key);
	slab_give(&r->groups, g);
}

/* A domain has one more or less. */
static void domain_move(struct part *p, struct group *g, uint32_t n)
{
	if (g->n > 0)
		TAILQ_REMOVE(&p->by_n[g->n], g, equal);
	g->n = n;
	if (n > 0)
		TAILQ_INSERT_TAIL(&p->by_n[n], g, equal);
}

static void give_blocks(struct recorder *r, struct kept *k)
{
	struct block *b = k->rest, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		slab_give(&r->blocks, b);
	}
	slab_give(&r->blocks, k);
}

static void drop(struct recorder *r, struct part *p, struct kept *k)
{
	struct group *domain = k->domain, *client = k->client;

	TAILQ_REMOVE(&p->all, k, of_all);
	TAILQ_REMOVE(&domain->stories, k, of_domain);
	TAILQ_REMOVE(&client->stories, k, of_client);
	domain_move(p, domain, domain->n - 1);
	client->n--;
	client->blocks -= k->n_blocks;
	p->n--;
	p->used -= k->n_blocks;
	give_blocks(r, k);
	group_put_if_empty(r, &p->domains, domain);
	group_put_if_empty(r, &p->clients, client);
}

/* Who has most gives up its oldest. */
static struct kept *victim(struct part *p)
{
	for (unsigned n = RECORDER_DOMAIN_MAX; n > 1; n--)
		if (!TAILQ_EMPTY(&p->by_n[n]))
			return TAILQ_FIRST(&TAILQ_FIRST(&p->by_n[n])->stories);
	return TAILQ_FIRST(&p->all);
}

void recorder_set_bytes(struct recorder *r, uint64_t bytes)
{
	size_t blocks = (size_t)(bytes / (RECORDER_BLOCK + RECORDER_GROUP));

	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++) {
		struct part *p = &r->parts[i];

		p->max = i == RECORDER_FAILED ? blocks / 2 : blocks / 4;
		while (p->used > p->max)
			drop(r, p, victim(p));
	}
	r->blocks.max = blocks;
	r->groups.max = 2 * blocks;
}

/* ---- keeping ---- */

static uint64_t domain_of(const struct recorder_key *key)
{
	return key->domain ^ key->reason * 0x9e3779b97f4a7c15U;
}

bool recorder_wants(const struct recorder *r, const struct recorder_key *key, uint64_t now_ms)
{
	const struct group *g = group_find(&r->parts[key->kind].domains, domain_of(key));

	return g == NULL || g->n < RECORDER_DOMAIN_MAX ||
	       now_ms - g->newest_ms >= RECORDER_PAUSE_MS;
}

/* Where the bytes of a story go to, or come from. */
struct flow {
	struct kept *k;
	struct block *b; /* NULL: still in the first */
	size_t at;       /* in it */
};

static uint8_t *flow_room(struct flow *f, size_t *room)
{
	size_t whole = f->b == NULL ? FIRST_ROOM : REST_ROOM;

	if (f->at == whole) {
		f->b = f->b == NULL ? f->k->rest : f->b->next;
		f->at = 0;
		whole = f->b == NULL ? 0 : REST_ROOM;
	}
	*room = whole - f->at;
	return (f->b == NULL ? f->k->data : f->b->data) + f->at;
}

static void flow_write(struct flow *f, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len > 0) {
		size_t room, n;
		uint8_t *to = flow_room(f, &room);

		ASSERT(room > 0);
		n = len < room ? len : room;
		memcpy(to, from, n);
		f->at += n;
		from += n;
		len -= n;
	}
}

static void flow_read(struct flow *f, void *data, size_t len)
{
	uint8_t *to = data;

	while (len > 0) {
		size_t room, n;
		const uint8_t *from = flow_room(f, &room);

		ASSERT(room > 0);
		n = len < room ? len : room;
		memcpy(to, from, n);
		f->at += n;
		to += n;
		len -= n;
	}
}

/* Room for it, of others' if need be; then the blocks. */
static struct kept *take_blocks(struct recorder *r, struct part *p, size_t n)
{
	struct block **last;
	struct kept *k;

	while (p->n > 0 && (p->used + n > p->max || p->n >= RECORDER_STORIES_MAX))
		drop(r, p, victim(p));
	if (p->used + n > p->max)
		return NULL;
	k = slab_take_part(&r->blocks, sizeof(*k));
	if (k == NULL)
		return NULL;
	last = &k->rest;
	for (size_t i = 1; i < n; i++) {
		struct block *b = slab_take_part(&r->blocks, sizeof(b->next));

		if (b == NULL)
			break;
		k->n_blocks++;
		*last = b;
		last = &b->next;
	}
	k->n_blocks++;
	if (k->n_blocks == n)
		return k;
	give_blocks(r, k);
	return NULL;
}

static size_t text_len(const char *text)
{
	return text == NULL ? 0 : strnlen(text, RECORDER_TEXT_MAX - 1);
}

static void fill(struct kept *k, const struct recorder_story *s)
{
	struct flow f = { .k = k };

	k->s = *s;
	k->s.name = NULL;
	k->s.text = k->s.figures = NULL;
	k->s.step_bytes = NULL;
	k->has_name = s->name != NULL;
	k->has_text = s->text != NULL;
	k->has_figures = s->figures != NULL;
	k->name_len = s->name == NULL ? 0 : (uint16_t)name_len(s->name);
	k->text_len = (uint16_t)text_len(s->text);
	k->figures_len = (uint16_t)text_len(s->figures);
	if (!s->has_steps)
		k->s.steps.len = 0;
	flow_write(&f, s->name, k->name_len);
	flow_write(&f, s->text, k->text_len);
	flow_write(&f, s->figures, k->figures_len);
	flow_write(&f, s->step_bytes, k->s.steps.len);
}

static size_t blocks_for(const struct recorder_story *s)
{
	size_t len = text_len(s->text) + text_len(s->figures);

	len += s->name == NULL ? 0 : name_len(s->name);
	len += s->has_steps ? s->steps.len : 0;
	return len <= FIRST_ROOM ? 1 : 1 + (len - FIRST_ROOM + REST_ROOM - 1) / REST_ROOM;
}

static void join(struct part *p, struct kept *k, struct group *domain, struct group *client,
		 uint64_t now_ms)
{
	k->domain = domain;
	k->client = client;
	TAILQ_INSERT_TAIL(&p->all, k, of_all);
	TAILQ_INSERT_TAIL(&domain->stories, k, of_domain);
	TAILQ_INSERT_TAIL(&client->stories, k, of_client);
	domain_move(p, domain, domain->n + 1);
	domain->newest_ms = now_ms;
	client->n++;
	client->blocks += k->n_blocks;
	p->n++;
	p->used += k->n_blocks;
}

/* The domain's and the client's own go first. */
static void keep_shares(struct recorder *r, struct part *p, const struct recorder_key *key,
			size_t n)
{
	struct group *g = group_find(&p->domains, domain_of(key));

	if (g != NULL && g->n == RECORDER_DOMAIN_MAX)
		drop(r, p, TAILQ_FIRST(&g->stories));
	while ((g = group_find(&p->clients, key->client)) != NULL &&
	       g->blocks + n > p->max / RECORDER_CLIENT_PART)
		drop(r, p, TAILQ_FIRST(&g->stories));
}

bool recorder_keep(struct recorder *r, const struct recorder_key *key,
		   const struct recorder_story *s, uint64_t now_ms)
{
	struct part *p = &r->parts[key->kind];
	struct group *domain, *client;
	size_t n = blocks_for(s);
	struct kept *k;

	keep_shares(r, p, key, n);
	k = take_blocks(r, p, n);
	if (k == NULL)
		return false;
	domain = group_get(r, &p->domains, domain_of(key));
	client = domain == NULL ? NULL : group_get(r, &p->clients, key->client);
	if (client == NULL) {
		give_blocks(r, k);
		group_put_if_empty(r, &p->domains, domain);
		return false;
	}
	k->serial = ++r->serial;
	k->reason = (uint8_t)key->reason;
	fill(k, s);
	join(p, k, domain, client, now_ms);
	return true;
}

void recorder_stats(const struct recorder *r, struct recorder_stats *out)
{
	*out = (struct recorder_stats) { .blocks_used = r->blocks.used, .blocks = r->blocks.max };
	out->bytes = sizeof(*r) + r->blocks.peak * RECORDER_BLOCK +
		     r->groups.peak * sizeof(struct group);
	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++) {
		out->stories[i] = r->parts[i].n;
		out->bytes += chains_bytes(&r->parts[i].domains) +
			      chains_bytes(&r->parts[i].clients);
	}
}

/* ---- reading ---- */

static bool client_passes(const struct recorder_filter *f, const struct addr *client)
{
	struct addr a = *client, want = f->client;

	if (want.family == 0)
		return true;
	addr_truncate(&a, f->client_bits);
	addr_truncate(&want, f->client_bits);
	return addr_equal_ip(&a, &want);
}

static bool passes(const struct recorder_filter *f, const struct kept *k)
{
	struct flow flow = { .k = (struct kept *)(uintptr_t)k };
	uint8_t name[NAME_MAX_LEN];

	if ((f->type != 0 && f->type != k->s.type) || !client_passes(f, &k->s.client))
		return false;
	if (f->name == NULL)
		return true;
	if (!k->has_name)
		return false;
	flow_read(&flow, name, k->name_len);
	return f->below ? name_is_within(name, f->name) : name_equal(name, f->name);
}

/* False: no memory for the steps. */
static bool copy(const struct kept *k, bool with_steps, struct recorder_copy *out)
{
	struct flow f = { .k = (struct kept *)(uintptr_t)k };

	out->story = k->s;
	out->reason = k->reason;
	out->memory = NULL;
	out->text[k->text_len] = out->figures[k->figures_len] = '\0';
	flow_read(&f, out->name, k->name_len);
	flow_read(&f, out->text, k->text_len);
	flow_read(&f, out->figures, k->figures_len);
	/* What they lead to does not matter, but whether they lead anywhere. */
	out->story.name = k->has_name ? out->name : NULL;
	out->story.text = k->has_text ? out->text : NULL;
	out->story.figures = k->has_figures ? out->figures : NULL;
	if (!with_steps || k->s.steps.len == 0)
		return true;
	out->memory = malloc(k->s.steps.len);
	if (out->memory == NULL)
		return false;
	flow_read(&f, out->memory, k->s.steps.len);
	out->story.step_bytes = out->memory;
	return true;
}

void recorder_copy_moved(struct recorder_copy *c)
{
	struct recorder_story *s = &c->story;

	s->name = s->name == NULL ? NULL : c->name;
	s->text = s->text == NULL ? NULL : c->text;
	s->figures = s->figures == NULL ? NULL : c->figures;
	s->step_bytes = c->memory;
}

static size_t read_part(const struct part *p, const struct recorder_filter *f, bool with_steps,
			struct recorder_cursor *c, struct recorder_copy *out, size_t n)
{
	size_t got = 0, looked_at = 0;
	const struct kept *k;

	TAILQ_FOREACH_REVERSE(k, &p->all, kept_list, of_all)
	{
		if (c->before != 0 && k->serial >= c->before)
			continue;
		if (got == n || looked_at++ == RECORDER_LOOKED_AT)
			return got;
		c->before = k->serial;
		if (!passes(f, k))
			continue;
		out[got].kind = c->kind;
		got += copy(k, with_steps, &out[got]);
	}
	c->kind++;
	c->before = 0;
	c->is_done = c->kind == RECORDER_KIND_COUNT;
	return got;
}

size_t recorder_read(const struct recorder *r, const struct recorder_filter *f, bool with_steps,
		     struct recorder_cursor *c, struct recorder_copy *out, size_t n)
{
	while (!c->is_done && !(f->kinds >> c->kind & 1)) {
		c->kind++;
		c->before = 0;
		c->is_done = c->kind == RECORDER_KIND_COUNT;
	}
	if (c->is_done)
		return 0;
	return read_part(&r->parts[c->kind], f, with_steps, c, out,
			 n < RECORDER_COPIED ? n : RECORDER_COPIED);
}
