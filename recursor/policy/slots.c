#include "recursor/policy/slots.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/slab.h"

TAILQ_HEAD(slot_list, slot);
LIST_HEAD(client_list, slots_client);

struct prefix {
	uint8_t family;
	uint8_t ip[16];
};

struct slots_client {
	struct slots_client *next;      /* in its bucket */
	LIST_ENTRY(slots_client) equal; /* those that hold as many */
	struct slot_list slots;
	struct prefix prefix;
	uint32_t n;
};

struct slots {
	struct slots_config cfg;
	struct slab clients;
	struct slots_client **buckets;
	uint32_t mask;            /* of the buckets */
	uint32_t used, most;      /* slots; those of the client that holds most */
	uint32_t room;            /* in by_n, less one */
	struct client_list *by_n; /* by_n[n]: the clients that hold n */
};

/* ---- clients ---- */

static void mask_bits(uint8_t *ip, unsigned bits, unsigned len)
{
	for (unsigned i = 0; i < len; i++) {
		unsigned keep = bits >= 8 ? 8 : bits;

		ip[i] &= (uint8_t)(0xff << (8 - keep));
		bits -= keep;
	}
}

static struct prefix prefix_of(const struct slots *s, const struct addr *a)
{
	struct prefix p = { .family = a->family };

	memcpy(p.ip, a->ip, sizeof(p.ip));
	if (a->family == 4)
		mask_bits(p.ip, s->cfg.ipv4_bits, 4);
	else
		mask_bits(p.ip, s->cfg.ipv6_bits, sizeof(p.ip));
	return p;
}

static struct slots_client **bucket(const struct slots *s, const struct prefix *p)
{
	uint64_t half[2];

	memcpy(half, p->ip, sizeof(half));
	return &s->buckets[hash_mix(hash_mix(half[0], half[1]), p->family) & s->mask];
}

static struct slots_client *find(struct slots_client *const *at, const struct prefix *p)
{
	struct slots_client *c = *at;

	while (c != NULL && memcmp(&c->prefix, p, sizeof(*p)) != 0)
		c = c->next;
	return c;
}

static void move(struct slots *s, struct slots_client *c, uint32_t n)
{
	if (c->n > 0)
		LIST_REMOVE(c, equal);
	c->n = n;
	if (n > 0)
		LIST_INSERT_HEAD(&s->by_n[n], c, equal);
	if (n > s->most)
		s->most = n;
	/* It was the last with that many: it now holds one fewer, and nobody holds more. */
	else if (LIST_EMPTY(&s->by_n[s->most]) && s->most > 0)
		s->most--;
}

static void forget(struct slots *s, struct slots_client *c)
{
	struct slots_client **at = bucket(s, &c->prefix);

	while (*at != c) {
		ASSERT(*at != NULL);
		at = &(*at)->next;
	}
	*at = c->next;
	slab_give(&s->clients, c);
}

/* ---- slots ---- */

int slots_new(struct slots **out, const struct slots_config *cfg)
{
	struct slots *s = calloc(1, sizeof(*s));
	uint32_t n = 64;

	if (s == NULL)
		return E_NOMEM;
	while (n < cfg->max)
		n *= 2;
	s->buckets = calloc(n, sizeof(struct slots_client *));
	s->by_n = calloc(cfg->max + 1UL, sizeof(s->by_n[0]));
	if (s->buckets == NULL || s->by_n == NULL) {
		free(s->buckets);
		free(s->by_n);
		free(s);
		return E_NOMEM;
	}
	s->cfg = *cfg;
	s->mask = n - 1;
	s->room = cfg->max;
	slab_init(&s->clients, sizeof(struct slots_client), SIZE_MAX);
	*out = s;
	return E_OK;
}

static bool make_room(struct slots *s, uint32_t max)
{
	struct client_list *more;
	struct slots_client *first;

	if (max <= s->room)
		return true;
	more = calloc(max + 1UL, sizeof(*more));
	if (more == NULL)
		return false;
	for (uint32_t n = 0; n <= s->room; n++)
		if ((first = LIST_FIRST(&s->by_n[n])) != NULL) {
			more[n].lh_first = first;
			first->equal.le_prev = &more[n].lh_first;
		}
	free(s->by_n);
	s->by_n = more;
	s->room = max;
	return true;
}

void slots_configure(struct slots *s, const struct slots_config *cfg)
{
	uint32_t before = s->cfg.max;

	s->cfg = *cfg;
	if (!make_room(s, cfg->max))
		s->cfg.max = before;
}

void slots_free(struct slots *s)
{
	if (s == NULL)
		return;
	ASSERT(s->used == 0);
	slab_deinit(&s->clients);
	free(s->buckets);
	free(s->by_n);
	free(s);
}

bool slots_are_full(const struct slots *s)
{
	return s->used >= s->cfg.max;
}

uint32_t slots_used(const struct slots *s)
{
	return s->used;
}

uint32_t slots_of_client(const struct slot *slot)
{
	return slot->is_taken && slot->client != NULL ? slot->client->n : 0;
}

uint32_t slots_most(const struct slots *s)
{
	return s->most;
}

void slots_take(struct slots *s, struct slot *slot, const struct addr *client)
{
	struct prefix p = prefix_of(s, client);
	struct slots_client **at = bucket(s, &p), *c = find(at, &p);

	ASSERT(!slot->is_taken && s->used < s->cfg.max);
	slot->is_taken = true;
	s->used++;
	if (c == NULL) {
		c = slab_take(&s->clients);
		if (c == NULL)
			return;
		c->prefix = p;
		TAILQ_INIT(&c->slots);
		c->next = *at;
		*at = c;
	}
	slot->client = c;
	TAILQ_INSERT_TAIL(&c->slots, slot, link);
	move(s, c, c->n + 1);
}

void slots_give(struct slots *s, struct slot *slot)
{
	struct slots_client *c = slot->client;

	if (!slot->is_taken)
		return;
	slot->is_taken = false;
	s->used--;
	if (c == NULL)
		return;
	slot->client = NULL;
	TAILQ_REMOVE(&c->slots, slot, link);
	move(s, c, c->n - 1);
	if (c->n == 0)
		forget(s, c);
}

struct slot *slots_victim(const struct slots *s, const struct addr *client)
{
	struct prefix p = prefix_of(s, client);
	const struct slots_client *c = find(bucket(s, &p), &p);
	uint32_t mine = c != NULL ? c->n : 0;

	if (s->most < mine + 2)
		return NULL;
	return TAILQ_FIRST(&LIST_FIRST(&s->by_n[s->most])->slots);
}
