/* costs: see costs.h. */
#include "recursor/watch/costs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/name.h"

enum { LEVELS = 3, SLOTS_MAX = 11 };

static const struct {
	unsigned slots, length_ms;
} levels[LEVELS] = { { 7, 10000 }, { 11, 60000 }, { 7, 600000 } };

enum { SLOTS_ALL = 7 + 11 + 7 };

static const unsigned key_max[COST_KIND_COUNT] = {
#define COST_KIND_BYTES(kind, name, bytes) [kind] = (bytes),
	COST_KINDS(COST_KIND_BYTES)
#undef COST_KIND_BYTES
};

struct level {
	unsigned now; /* the slot that runs */
	struct heavy *slots[SLOTS_MAX];
	uint64_t began_ms[SLOTS_MAX];
};

struct kind {
	size_t size; /* of a slot */
	uint64_t serial;
	struct level levels[LEVELS];
	void *memory;
};

struct costs {
	struct kind kinds[COST_KIND_COUNT];
	unsigned ipv4_bits, ipv6_bits;
	struct psl_memo *memo;
};

/* ---- life ---- */

static int kind_init(struct kind *k, unsigned entries, unsigned bytes, uint64_t now_ms)
{
	char *at;

	k->size = heavy_size(entries, bytes);
	/* In one piece: what is not used yet is no memory yet. */
	k->memory = at = calloc(SLOTS_ALL, k->size);
	if (at == NULL)
		return E_NOMEM;
	for (unsigned l = 0; l < LEVELS; l++) {
		for (unsigned i = 0; i < levels[l].slots; i++, at += k->size) {
			k->levels[l].slots[i] = (struct heavy *)(void *)at;
			heavy_init(k->levels[l].slots[i], entries, bytes);
			k->levels[l].began_ms[i] = i == 0 ? now_ms : UINT64_MAX;
		}
	}
	return E_OK;
}

int costs_new(struct costs **out, unsigned entries, uint64_t now_ms)
{
	struct costs *c = calloc(1, sizeof(*c));
	int err = c == NULL ? E_NOMEM : psl_memo_new(&c->memo);

	for (unsigned i = 0; i < COST_KIND_COUNT && err == E_OK; i++)
		err = kind_init(&c->kinds[i], entries, key_max[i], now_ms);
	if (err != E_OK) {
		costs_free(c);
		return err;
	}
	costs_set_bits(c, 32, 128);
	*out = c;
	return E_OK;
}

void costs_free(struct costs *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; i < COST_KIND_COUNT; i++)
		free(c->kinds[i].memory);
	psl_memo_free(c->memo);
	free(c);
}

void costs_set_bits(struct costs *c, unsigned ipv4_bits, unsigned ipv6_bits)
{
	c->ipv4_bits = ipv4_bits;
	c->ipv6_bits = ipv6_bits;
}

/* ---- time ---- */

static bool is_over(const struct level *l, unsigned length_ms, uint64_t now_ms)
{
	return now_ms - l->began_ms[l->now] >= length_ms;
}

static void move_on(struct kind *k, uint64_t now_ms)
{
	k->serial++;
	for (unsigned i = 0; i < LEVELS; i++) {
		struct level *l = &k->levels[i];

		if (!is_over(l, levels[i].length_ms, now_ms))
			return;
		if (i + 1 < LEVELS)
			heavy_merge(k->levels[i + 1].slots[k->levels[i + 1].now], l->slots[l->now]);
		l->now = (l->now + 1) % levels[i].slots;
		heavy_clear(l->slots[l->now]);
		l->began_ms[l->now] = now_ms;
	}
}

void costs_tick(struct costs *c, uint64_t now_ms)
{
	for (unsigned i = 0; i < COST_KIND_COUNT; i++) {
		if (is_over(&c->kinds[i].levels[0], levels[0].length_ms, now_ms)) {
			move_on(&c->kinds[i], now_ms);
			return;
		}
	}
}

/* ---- charging ---- */

static void charge(struct costs *c, enum cost_kind kind, const uint8_t *key, size_t len,
		   uint64_t hash, const struct cost *cost)
{
	const struct level *l = &c->kinds[kind].levels[0];

	heavy_add(l->slots[l->now], key, len, hash, cost);
}

/* Family, bits, and the address cut to these: COSTS_REMOTE_MAX bytes at most. */
static size_t write_remote(uint8_t *out, const struct addr *a, unsigned bits)
{
	size_t len = a->family == 6 ? 16 : 4;

	out[0] = a->family == 6 ? 6 : 4;
	out[1] = (uint8_t)bits;
	memcpy(out + 2, a->ip, len);
	if (bits < len * 8) {
		out[2 + bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
		memset(out + 2 + bits / 8 + 1, 0, len - bits / 8 - 1);
	}
	return 2 + len;
}

size_t costs_read_remote(const uint8_t *key, struct addr *out, unsigned *bits)
{
	size_t len = key[0] == 6 ? 16 : 4;

	*out = (struct addr) { .family = key[0] };
	memcpy(out->ip, key + 2, len);
	*bits = key[1];
	return 2 + len;
}

static size_t write_domain(uint8_t out[COSTS_NAME_MAX], const uint8_t *domain)
{
	uint8_t lower[NAME_MAX_LEN];
	size_t len;

	while (name_len(domain) > COSTS_NAME_MAX)
		domain = name_parent(domain);
	len = name_lower(lower, domain);
	memcpy(out, lower, len);
	return len;
}

void costs_charge_client(struct costs *c, const struct psl *psl, const struct addr *remote,
			 const uint8_t *name, const struct cost *cost)
{
	unsigned labels = psl_registrable_memo(c->memo, psl, name, name_hash(name));

	costs_charge_client_of(c, remote, name_suffix(name, labels), cost);
}

void costs_charge_client_of(struct costs *c, const struct addr *remote, const uint8_t *domain,
			    const struct cost *cost)
{
	unsigned bits = remote->family == 6 ? c->ipv6_bits : c->ipv4_bits;
	uint8_t key[COSTS_REMOTE_MAX + COSTS_NAME_MAX];
	size_t remote_len = write_remote(key, remote, bits);
	size_t name_len = write_domain(key + remote_len, domain);
	uint64_t remote_hash = hash_bytes(key, remote_len);
	uint64_t domain_hash = hash_bytes(key + remote_len, name_len);

	charge(c, COST_REMOTES, key, remote_len, remote_hash, cost);
	charge(c, COST_DOMAINS, key + remote_len, name_len, domain_hash, cost);
	charge(c, COST_PAIRS, key, remote_len + name_len, hash_mix(remote_hash, domain_hash), cost);
}

void costs_charge_server(struct costs *c, const struct addr *server, const struct cost *cost)
{
	uint8_t key[COSTS_REMOTE_MAX];
	size_t len = write_remote(key, server, server->family == 6 ? 128 : 32);

	charge(c, COST_SERVERS, key, len, hash_bytes(key, len), cost);
}

/* ---- reading ---- */

/* A window: all slots of its level, and of the levels below it what is not merged yet. */
unsigned costs_window_slots(enum cost_window window)
{
	return levels[window].slots + (unsigned)window;
}

struct costs_slot costs_slot(const struct costs *c, enum cost_kind kind, enum cost_window window,
			     unsigned i)
{
	static_assert((int)COST_WINDOW_COUNT == (int)LEVELS, "a window is a level");
	const struct kind *k = &c->kinds[kind];
	unsigned of_level = levels[window].slots;
	const struct level *l = &k->levels[i < of_level ? (unsigned)window : i - of_level];
	unsigned slot = i < of_level ? i : l->now;

	ASSERT(i < costs_window_slots(window));
	return (struct costs_slot) {
		.heavy = l->slots[slot],
		.size = k->size,
		.began_ms = l->began_ms[slot],
		.serial = k->serial,
	};
}
