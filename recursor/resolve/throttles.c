/* throttles: which questions are not to be put to a server for a while, and which servers. */
#include "recursor/resolve/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/name.h"
#include "recursor/resolve/servers_table.h"

enum { TIDY_STEP = 2 }; /* throttles looked at for having ended, an insert */

static const struct {
	const char *text;
	uint32_t time_s;
	uint32_t tries;
} reasons[THROTTLE_REASONS] = {
	[THROTTLE_NONE] = { "none", 0, 0 },
	[THROTTLE_TIMEOUT] = { "timeout", 10, 5 },
	[THROTTLE_RCODE] = { "rcode", 60, 3 },
	[THROTTLE_LAME] = { "lame", 60, 100 },
	[THROTTLE_UNREACHABLE] = { "unreachable", 60, 100 },
	[THROTTLE_GARBLED] = { "garbled", 10, 2 },
	[THROTTLE_TRUNCATED] = { "truncated", 60, 3 },
	[THROTTLE_DOWN] = { "down", 0, SERVERS_DOWN_TRIES }, /* the time is a setting */
};

const char *throttle_reason_text(enum throttle_reason r)
{
	return (unsigned)r < THROTTLE_REASONS ? reasons[r].text : "unknown";
}

struct question {
	const struct addr *addr;
	uint8_t name[NAME_MAX_LEN];
	uint8_t name_len;
	uint8_t zone_labels;
	uint16_t type;
	uint64_t hash;
};

static void question_of(struct question *q, const struct addr *a, const uint8_t *name,
			uint16_t type, unsigned zone_labels)
{
	q->addr = a;
	q->name_len = (uint8_t)name_lower(q->name, name);
	q->type = type;
	q->zone_labels = (uint8_t)zone_labels;
	q->hash = hash_mix(addr_hash(a) + type + (zone_labels << 16),
			   hash_bytes(q->name, q->name_len));
}

static uint32_t throttle_find(const struct shard *sh, const struct question *q)
{
	uint32_t at = sieve_first(&sh->throttles, (uint32_t)q->hash);

	for (; at != SIEVE_NONE; at = sieve_next(&sh->throttles, at)) {
		const struct throttle *t = throttle_at(sh, at);

		if (t->type == q->type && t->zone_labels == q->zone_labels &&
		    t->name_len == q->name_len && memcmp(t->name, q->name, q->name_len) == 0 &&
		    addr_equal(&t->addr, q->addr))
			break;
	}
	return at;
}

void throttle_remove(struct servers *s, struct shard *sh, uint32_t at)
{
	struct throttle *t = sieve_remove(&sh->throttles, at);

	sh->entry_bytes -= throttle_cost(t);
	atomic_fetch_sub_explicit(&s->n_throttles, 1, memory_order_relaxed);
	free(t);
}

/* It is of a time when our own network was gone, and says nothing of the server. */
static bool is_void(struct servers *s, const struct throttle *t)
{
	uint64_t made_ms = t->until_ms - reasons[t->why].time_s * 1000ULL;

	return (t->why == THROTTLE_TIMEOUT || t->why == THROTTLE_UNREACHABLE) &&
	       weather_was_early(&s->weather, t->addr.family, made_ms);
}

bool throttle_has_ended(struct servers *s, const struct throttle *t, uint64_t now_ms)
{
	return t->tries == 0 || t->until_ms <= now_ms || is_void(s, t);
}

/* Throttles that nobody asks about again would stay, and be counted. */
static void tidy(struct servers *s, struct shard *sh, uint64_t now_ms)
{
	for (int i = 0; i < TIDY_STEP && sh->throttles.n > 0; i++) {
		if (sh->tidy_at == 0 || sh->tidy_at > sh->throttles.n)
			sh->tidy_at = sh->throttles.n;
		if (throttle_has_ended(s, throttle_at(sh, --sh->tidy_at), now_ms))
			throttle_remove(s, sh, sh->tidy_at);
	}
}

static struct throttle *throttle_new(struct servers *s, struct shard *sh, const struct question *q)
{
	size_t cost = heap_cost(sizeof(struct throttle) + q->name_len);
	struct throttle *t = NULL;
	uint32_t at;

	if (shard_make_room(s, sh, cost + sieve_growth(&sh->throttles)))
		t = calloc(1, sizeof(*t) + q->name_len);
	if (t == NULL)
		return NULL;
	t->addr = *q->addr;
	t->type = q->type;
	t->name_len = q->name_len;
	t->zone_labels = q->zone_labels;
	memcpy(t->name, q->name, q->name_len);
	while (sh->throttles.n >= s->max_throttles)
		throttle_remove(s, sh, sieve_victim(&sh->throttles));
	if (sieve_insert(&sh->throttles, (uint32_t)q->hash, t, &at) != E_OK) {
		free(t);
		return NULL;
	}
	sh->entry_bytes += throttle_cost(t);
	atomic_fetch_add_explicit(&s->n_throttles, 1, memory_order_relaxed);
	return t;
}

static void throttle_server(struct servers *s, const struct addr *a, uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);

	if (e != NULL)
		server_go_down(s, e, now_ms);
	shard_unlock(sh);
}

void servers_throttle(struct servers *s, const struct addr *a, const uint8_t *name, uint16_t type,
		      unsigned zone_labels, enum throttle_reason why, uint64_t now_ms)
{
	struct question q;
	struct throttle *t;
	struct shard *sh;
	uint32_t at;

	if (why == THROTTLE_NONE)
		return;
	if (name == NULL || why == THROTTLE_DOWN) {
		throttle_server(s, a, now_ms);
		return;
	}
	question_of(&q, a, name, type, zone_labels);
	sh = shard_lock(s, q.hash);
	tidy(s, sh, now_ms);
	at = throttle_find(sh, &q);
	t = at != SIEVE_NONE ? throttle_at(sh, at) : throttle_new(s, sh, &q);
	if (t != NULL) {
		t->why = (uint8_t)why;
		t->tries = reasons[why].tries;
		t->until_ms = now_ms + reasons[why].time_s * 1000ULL;
	}
	shard_unlock(sh);
}

static bool is_down(struct servers *s, const struct addr *a, uint32_t dice, uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_find(s, sh, a, hash);
	uint32_t one_in = s->cfg.bypass_probability;
	bool down = e != NULL && e->down_until_ms > now_ms && e->down_tries > 0;

	if (down && one_in != 0 && dice % one_in == 0)
		down = false;
	if (down && --e->down_tries == 0)
		e->down_until_ms = 0;
	shard_unlock(sh);
	return down;
}

enum throttle_reason servers_is_throttled(struct servers *s, const struct addr *a,
					  const uint8_t *name, uint16_t type, unsigned zone_labels,
					  uint32_t dice, uint64_t now_ms)
{
	enum throttle_reason why = THROTTLE_NONE;
	struct question q;
	struct shard *sh;
	uint32_t at;

	if (is_down(s, a, dice, now_ms))
		return THROTTLE_DOWN;
	if (atomic_load_explicit(&s->n_throttles, memory_order_relaxed) == 0)
		return THROTTLE_NONE;
	question_of(&q, a, name, type, zone_labels);
	sh = shard_lock(s, q.hash);
	at = throttle_find(sh, &q);
	if (at != SIEVE_NONE && throttle_has_ended(s, throttle_at(sh, at), now_ms)) {
		throttle_remove(s, sh, at);
	} else if (at != SIEVE_NONE) {
		sh->throttles.slots[at].visited = 1;
		throttle_at(sh, at)->tries--;
		why = (enum throttle_reason)throttle_at(sh, at)->why;
	}
	shard_unlock(sh);
	return why;
}
