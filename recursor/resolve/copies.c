/* copies: see copies.h. */
#include "recursor/resolve/copies.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/name.h"
#include "common/rrtype.h"

struct entry {
	struct zonecopy *copy;
	const uint8_t *zone;
	atomic_uint expires_s;
};

struct copies {
	atomic_uint refs;
	unsigned n;
	struct entry entries[COPIES_MAX];
};

int copies_new(struct copies **out)
{
	struct copies *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return E_NOMEM;
	atomic_init(&c->refs, 1);
	*out = c;
	return E_OK;
}

struct copies *copies_get(struct copies *c)
{
	if (c != NULL)
		(void)atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void copies_put(struct copies *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < c->n; i++)
		zonecopy_put(c->entries[i].copy);
	free(c);
}

static const struct entry *entry_of(const struct copies *c, const uint8_t *zone)
{
	for (unsigned i = 0; i < c->n; i++)
		if (name_equal(c->entries[i].zone, zone))
			return &c->entries[i];
	return NULL;
}

int copies_add(struct copies *c, struct zonecopy *copy, uint32_t expires_s)
{
	struct entry *e = &c->entries[c->n];

	if (c->n == COPIES_MAX)
		return E_LIMIT;
	if (entry_of(c, zonecopy_apex(copy)) != NULL)
		return E_EXISTS;
	e->copy = zonecopy_get(copy);
	e->zone = zonecopy_apex(copy);
	atomic_init(&e->expires_s, expires_s);
	c->n++;
	return E_OK;
}

size_t copies_count(const struct copies *c)
{
	return c == NULL ? 0 : c->n;
}

bool copies_set_expiry(struct copies *c, const uint8_t *zone, uint32_t expires_s)
{
	struct entry *e = (struct entry *)(uintptr_t)entry_of(c, zone);

	if (e != NULL)
		atomic_store_explicit(&e->expires_s, expires_s, memory_order_relaxed);
	return e != NULL;
}

static bool is_good(const struct entry *e, uint32_t now_s)
{
	return now_s < atomic_load_explicit(&e->expires_s, memory_order_relaxed);
}

const struct zonecopy *copies_find(const struct copies *c, const uint8_t *zone, uint32_t now_s)
{
	const struct entry *e = c == NULL ? NULL : entry_of(c, zone);

	return e != NULL && is_good(e, now_s) ? e->copy : NULL;
}

const struct zonecopy *copies_enclosing(const struct copies *c, const uint8_t *name, uint16_t type,
					uint32_t now_s)
{
	const struct zonecopy *best = NULL;
	unsigned deepest = 0;

	for (unsigned i = 0; c != NULL && i < c->n; i++) {
		const struct entry *e = &c->entries[i];
		unsigned labels = name_labels(e->zone);

		if ((best != NULL && labels <= deepest) || !name_is_within(name, e->zone) ||
		    !is_good(e, now_s) ||
		    (type == TYPE_DS && labels > 0 && name_equal(name, e->zone)))
			continue;
		best = e->copy;
		deepest = labels;
	}
	return best;
}
