#include "common/chains.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"

int chains_init(struct chains *c)
{
	*c = (struct chains) {
		.buckets = calloc(CHAINS_START, sizeof(c->buckets[0])),
		.n_buckets = CHAINS_START,
		.cap = CHAINS_START,
		.mask = CHAINS_START - 1,
	};
	return c->buckets == NULL ? E_NOMEM : E_OK;
}

void chains_deinit(struct chains *c)
{
	free(c->buckets);
	*c = (struct chains) { 0 };
}

static bool make_room(struct chains *c)
{
	struct chain_link **more;

	if (c->n_buckets < c->cap)
		return true;
	more = realloc(c->buckets, 2 * c->cap * sizeof(c->buckets[0]));
	if (more == NULL)
		return false;
	c->buckets = more;
	c->cap *= 2;
	return true;
}

/* The next bucket in turn gives those of its links that belong there to a new one, the last. */
static void split(struct chains *c)
{
	size_t fresh = c->n_buckets;
	struct chain_link *l, *next, **stay;

	if (!make_room(c))
		return;
	if (fresh > c->mask * 2 + 1)
		c->mask = c->mask * 2 + 1;
	stay = &c->buckets[fresh & c->mask];
	l = *stay;
	*stay = c->buckets[fresh] = NULL;
	c->n_buckets++;
	for (; l != NULL; l = next) {
		struct chain_link **bucket = chains_bucket(c, l->hash);

		next = l->next;
		l->next = *bucket;
		*bucket = l;
	}
}

void chains_add(struct chains *c, struct chain_link *l, uint64_t hash)
{
	struct chain_link **bucket;

	if (c->n >= c->n_buckets)
		split(c);
	bucket = chains_bucket(c, hash);
	l->hash = hash;
	l->next = *bucket;
	*bucket = l;
	c->n++;
}

void chains_remove(struct chains *c, struct chain_link *l)
{
	struct chain_link **at = chains_bucket(c, l->hash);

	while (*at != l) {
		ASSERT(*at != NULL);
		at = &(*at)->next;
	}
	*at = l->next;
	c->n--;
}
