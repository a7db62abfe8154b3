#include "recursor/resolve/servers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/heap.h"
#include "common/name.h"
#include "common/sieve.h"

enum {
	N_SHARDS = 64, /* a power of two */
	MAX_DOUBLINGS = 5,
	STALE_HALF_LIVES = 10,         /* then a new RTT counts as the first */
	UNREACHABLE_COST_US = 1000000, /* what a network error counts for, as time lost */
	WALK_STEP = 16,                /* entries copied under one lock by walks */
	TIDY_STEP = 2,                 /* throttles looked at for having ended, an insert */
	RTT_MAX_US = 60 * 1000 * 1000, /* of any one observation */
};

struct server {
	struct addr addr;
	uint32_t srtt_us, rttvar_us; /* RFC 6298 2; as measured, never faded */
	uint32_t lost_us;            /* time lost to time-outs, smoothed alike */
	uint32_t fails;
	uint32_t down_tries;
	uint8_t doublings;
	uint8_t edns;
	bool known;
	bool measured;
	uint8_t *ns_name; /* or NULL */
	uint64_t seen_ms; /* the last observation */
	uint64_t doubled_ms;
	uint64_t down_until_ms;
	uint64_t edns_until_ms;
};

struct throttle {
	struct addr addr;
	uint16_t type;
	uint8_t why;
	uint8_t name_len;
	uint32_t tries;
	uint64_t until_ms;
	uint8_t name[]; /* lower case */
};

struct shard {
	pthread_mutex_t lock;
	struct sieve servers;
	struct sieve throttles;
	size_t failed;
	size_t entry_bytes;
	uint32_t tidy_at;
} __attribute__((aligned(64)));

struct servers {
	struct servers_config cfg;
	size_t max_servers, max_throttles; /* of a shard */
	atomic_size_t n_throttles;         /* none is the ordinary day: nothing is looked up then */
	struct shard shards[N_SHARDS];
};

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

static size_t share(size_t total)
{
	size_t each = total / N_SHARDS;

	return total != 0 && each == 0 ? 1 : each;
}

int servers_new(struct servers **out, const struct servers_config *cfg)
{
	struct servers *s = aligned_alloc(64, sizeof(*s));

	if (s == NULL)
		return E_NOMEM;
	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	s->max_servers = share(cfg->max_servers);
	s->max_throttles = share(cfg->max_throttles);
	for (int i = 0; i < N_SHARDS; i++) {
		pthread_mutex_init(&s->shards[i].lock, NULL);
		sieve_init(&s->shards[i].servers);
		sieve_init(&s->shards[i].throttles);
	}
	*out = s;
	return E_OK;
}

/* --- entries: all with the shard's lock held ------------------------------------------- */

static struct shard *shard_lock(struct servers *s, uint64_t hash)
{
	struct shard *sh = &s->shards[(hash >> 32) & (N_SHARDS - 1)];

	pthread_mutex_lock(&sh->lock);
	return sh;
}

static void shard_unlock(struct shard *sh)
{
	pthread_mutex_unlock(&sh->lock);
}

static struct server *server_at(const struct shard *sh, uint32_t at)
{
	return sh->servers.slots[at].value;
}

static struct throttle *throttle_at(const struct shard *sh, uint32_t at)
{
	return sh->throttles.slots[at].value;
}

static size_t name_cost(const uint8_t *name)
{
	return name == NULL ? 0 : heap_cost(name_len(name));
}

static void server_remove(struct shard *sh, uint32_t at)
{
	struct server *e = sieve_remove(&sh->servers, at);

	sh->failed -= e->fails > 0;
	sh->entry_bytes -= heap_cost(sizeof(*e)) + name_cost(e->ns_name);
	free(e->ns_name);
	free(e);
}

static size_t throttle_cost(const struct throttle *t)
{
	return heap_cost(sizeof(*t) + t->name_len);
}

static void throttle_remove(struct servers *s, struct shard *sh, uint32_t at)
{
	struct throttle *t = sieve_remove(&sh->throttles, at);

	sh->entry_bytes -= throttle_cost(t);
	atomic_fetch_sub_explicit(&s->n_throttles, 1, memory_order_relaxed);
	free(t);
}

static struct server *server_find(struct shard *sh, const struct addr *a, uint64_t hash)
{
	uint32_t at = sieve_first(&sh->servers, (uint32_t)hash);

	while (at != SIEVE_NONE && !addr_equal(&server_at(sh, at)->addr, a))
		at = sieve_next(&sh->servers, at);
	if (at == SIEVE_NONE)
		return NULL;
	sh->servers.slots[at].visited = 1;
	return server_at(sh, at);
}

/* Finds or makes.  NULL without memory: then nothing is learnt this time. */
static struct server *server_need(struct servers *s, struct shard *sh, const struct addr *a,
				  uint64_t hash)
{
	struct server *e = server_find(sh, a, hash);
	uint32_t at;

	if (e != NULL)
		return e;
	while (s->max_servers != 0 && sh->servers.n >= s->max_servers)
		server_remove(sh, sieve_victim(&sh->servers));
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->addr = *a;
	if (sieve_insert(&sh->servers, (uint32_t)hash, e, &at) != E_OK) {
		free(e);
		return NULL;
	}
	sh->entry_bytes += heap_cost(sizeof(*e));
	return e;
}

void servers_clear(struct servers *s, bool speeds_too)
{
	for (int i = 0; i < N_SHARDS; i++) {
		struct shard *sh = &s->shards[i];

		pthread_mutex_lock(&sh->lock);
		while (sh->throttles.n > 0)
			throttle_remove(s, sh, sh->throttles.n - 1);
		while (speeds_too && sh->servers.n > 0)
			server_remove(sh, sh->servers.n - 1);
		for (uint32_t at = 0; at < sh->servers.n; at++)
			server_at(sh, at)->down_until_ms = 0;
		shard_unlock(sh);
	}
}

void servers_free(struct servers *s)
{
	if (s == NULL)
		return;
	servers_clear(s, true);
	for (int i = 0; i < N_SHARDS; i++) {
		sieve_deinit(&s->shards[i].servers);
		sieve_deinit(&s->shards[i].throttles);
		pthread_mutex_destroy(&s->shards[i].lock);
	}
	free(s);
}

/* --- RTT ------------------------------------------------------------------------------- */

static uint64_t age_ms(const struct server *e, uint64_t now_ms)
{
	return now_ms > e->seen_ms ? now_ms - e->seen_ms : 0;
}

static uint64_t half_lives(const struct server *e, uint64_t now_ms)
{
	return age_ms(e, now_ms) / (SERVERS_HALF_LIFE_S * 1000);
}

/* Halves for each half-life gone by; straight lines in between. */
static uint32_t fade(uint32_t us, const struct server *e, uint64_t now_ms)
{
	uint64_t halvings = half_lives(e, now_ms);
	uint64_t rest_ms = age_ms(e, now_ms) % (SERVERS_HALF_LIFE_S * 1000);
	uint64_t left;

	if (halvings >= 32)
		return 0;
	left = us >> halvings;
	return (uint32_t)(left - left * rest_ms / (2 * SERVERS_HALF_LIFE_S * 1000));
}

static uint32_t timeout_of(const struct servers *s, const struct server *e, uint64_t now_ms)
{
	uint64_t ms = SERVERS_FIRST_TIMEOUT_MS;
	uint64_t faded, doublings;

	if (e != NULL && e->measured)
		ms = ((uint64_t)e->srtt_us + 4 * (uint64_t)e->rttvar_us + 999) / 1000;
	if (e != NULL && e->doublings > 0) {
		faded = half_lives(e, now_ms);
		doublings = e->doublings > faded ? e->doublings - faded : 0;
		ms <<= doublings;
	}
	ms = ms > SERVERS_MIN_TIMEOUT_MS ? ms : SERVERS_MIN_TIMEOUT_MS;
	return ms < s->cfg.network_timeout_ms ? (uint32_t)ms : s->cfg.network_timeout_ms;
}

static void fill_view(const struct servers *s, const struct server *e, uint64_t now_ms,
		      struct server_view *v)
{
	*v = (struct server_view) { .timeout_ms = timeout_of(s, e, now_ms) };
	if (e == NULL)
		return;
	v->known = e->known;
	v->srtt_us = fade(e->srtt_us + e->lost_us, e, now_ms);
	v->fails = e->fails;
	v->measured = e->measured;
	v->down = e->down_until_ms > now_ms;
	v->edns = (enum edns_state)e->edns;
	if (v->edns == EDNS_NONE && e->edns_until_ms <= now_ms)
		v->edns = EDNS_UNKNOWN;
}

void servers_look(struct servers *s, const struct addr *a, uint64_t now_ms,
		  struct server_view *view)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);

	fill_view(s, server_find(sh, a, hash), now_ms, view);
	shard_unlock(sh);
}

static uint32_t difference(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* RFC 6298 2.2 and 2.3. */
static void learn_rtt(struct server *e, uint32_t rtt_us, uint64_t now_ms)
{
	if (!e->measured || half_lives(e, now_ms) >= STALE_HALF_LIVES) {
		e->srtt_us = rtt_us;
		e->rttvar_us = rtt_us / 2;
		e->measured = true;
		return;
	}
	e->rttvar_us = e->rttvar_us - e->rttvar_us / 4 + difference(e->srtt_us, rtt_us) / 4;
	e->srtt_us = e->srtt_us - e->srtt_us / 8 + rtt_us / 8;
}

static void learn_loss(struct server *e, uint32_t lost_us, uint64_t now_ms)
{
	uint32_t before = fade(e->lost_us, e, now_ms);

	e->lost_us = before - before / 8 + lost_us / 8;
}

static void reset_fails(struct shard *sh, struct server *e)
{
	sh->failed -= e->fails > 0;
	e->fails = 0;
	e->down_until_ms = 0;
}

static void go_down(const struct servers *s, struct server *e, uint64_t now_ms)
{
	e->down_until_ms = now_ms + s->cfg.down_time_s * 1000ULL;
	e->down_tries = reasons[THROTTLE_DOWN].tries;
}

static void count_fail(struct servers *s, struct shard *sh, struct server *e, uint64_t now_ms)
{
	sh->failed += e->fails == 0;
	if (e->fails < UINT32_MAX)
		e->fails++;
	if (s->cfg.down_max_fails != 0 && e->fails >= s->cfg.down_max_fails)
		go_down(s, e, now_ms);
}

static void see(struct server *e, uint64_t now_ms)
{
	e->known = true;
	e->seen_ms = now_ms;
}

static uint32_t bounded_us(uint64_t us)
{
	return us < RTT_MAX_US ? (uint32_t)us : RTT_MAX_US;
}

void servers_answered(struct servers *s, const struct addr *a, uint32_t rtt_us, bool useful,
		      uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);

	if (e != NULL) {
		learn_rtt(e, bounded_us(rtt_us), now_ms);
		learn_loss(e, 0, now_ms);
		e->doublings = 0;
		if (useful)
			reset_fails(sh, e);
		see(e, now_ms);
	}
	shard_unlock(sh);
}

void servers_timed_out(struct servers *s, const struct addr *a, uint32_t waited_ms, uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);

	if (e != NULL) {
		/* Was it sent after we doubled last?  Then it waited for that long in vain. */
		if (e->doublings == 0 || now_ms - e->doubled_ms >= waited_ms) {
			if (e->doublings < MAX_DOUBLINGS)
				e->doublings++;
			e->doubled_ms = now_ms;
		}
		learn_loss(e, bounded_us(waited_ms * 1000ULL), now_ms);
		count_fail(s, sh, e, now_ms);
		see(e, now_ms);
	}
	shard_unlock(sh);
}

void servers_unreachable(struct servers *s, const struct addr *a, uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);

	if (e != NULL) {
		learn_loss(e, UNREACHABLE_COST_US, now_ms);
		count_fail(s, sh, e, now_ms);
		see(e, now_ms);
	}
	shard_unlock(sh);
}

void servers_set_edns(struct servers *s, const struct addr *a, enum edns_state state,
		      uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);

	if (e != NULL) {
		e->edns = (uint8_t)state;
		e->edns_until_ms = now_ms + SERVERS_EDNS_NONE_S * 1000ULL;
	}
	shard_unlock(sh);
}

void servers_set_name(struct servers *s, const struct addr *a, const uint8_t *ns_name)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);
	uint8_t *copy;

	if (e == NULL || (e->ns_name != NULL && name_equal(e->ns_name, ns_name)))
		goto out;
	copy = malloc(name_len(ns_name));
	if (copy == NULL)
		goto out;
	name_lower(copy, ns_name);
	sh->entry_bytes += name_cost(copy) - name_cost(e->ns_name);
	free(e->ns_name);
	e->ns_name = copy;
out:
	shard_unlock(sh);
}

/* --- throttles ------------------------------------------------------------------------- */

struct question {
	const struct addr *addr;
	uint8_t name[NAME_MAX_LEN];
	uint8_t name_len;
	uint16_t type;
	uint64_t hash;
};

static void question_of(struct question *q, const struct addr *a, const uint8_t *name,
			uint16_t type)
{
	q->addr = a;
	q->name_len = (uint8_t)name_lower(q->name, name);
	q->type = type;
	q->hash = hash_mix(addr_hash(a) + type, hash_bytes(q->name, q->name_len));
}

static uint32_t throttle_find(const struct shard *sh, const struct question *q)
{
	uint32_t at = sieve_first(&sh->throttles, (uint32_t)q->hash);

	for (; at != SIEVE_NONE; at = sieve_next(&sh->throttles, at)) {
		const struct throttle *t = throttle_at(sh, at);

		if (t->type == q->type && t->name_len == q->name_len &&
		    memcmp(t->name, q->name, q->name_len) == 0 && addr_equal(&t->addr, q->addr))
			break;
	}
	return at;
}

static bool has_ended(const struct throttle *t, uint64_t now_ms)
{
	return t->tries == 0 || t->until_ms <= now_ms;
}

/* Throttles that nobody asks about again would stay, and be counted. */
static void tidy(struct servers *s, struct shard *sh, uint64_t now_ms)
{
	for (int i = 0; i < TIDY_STEP && sh->throttles.n > 0; i++) {
		if (sh->tidy_at == 0 || sh->tidy_at > sh->throttles.n)
			sh->tidy_at = sh->throttles.n;
		if (has_ended(throttle_at(sh, --sh->tidy_at), now_ms))
			throttle_remove(s, sh, sh->tidy_at);
	}
}

static struct throttle *throttle_new(struct servers *s, struct shard *sh, const struct question *q)
{
	struct throttle *t = calloc(1, sizeof(*t) + q->name_len);
	uint32_t at;

	if (t == NULL)
		return NULL;
	t->addr = *q->addr;
	t->type = q->type;
	t->name_len = q->name_len;
	memcpy(t->name, q->name, q->name_len);
	while (s->max_throttles != 0 && sh->throttles.n >= s->max_throttles)
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
		go_down(s, e, now_ms);
	shard_unlock(sh);
}

void servers_throttle(struct servers *s, const struct addr *a, const uint8_t *name, uint16_t type,
		      enum throttle_reason why, uint64_t now_ms)
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
	question_of(&q, a, name, type);
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
	struct server *e = server_find(sh, a, hash);
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
					  const uint8_t *name, uint16_t type, uint32_t dice,
					  uint64_t now_ms)
{
	enum throttle_reason why = THROTTLE_NONE;
	struct question q;
	struct shard *sh;
	uint32_t at;

	if (is_down(s, a, dice, now_ms))
		return THROTTLE_DOWN;
	if (atomic_load_explicit(&s->n_throttles, memory_order_relaxed) == 0)
		return THROTTLE_NONE;
	question_of(&q, a, name, type);
	sh = shard_lock(s, q.hash);
	at = throttle_find(sh, &q);
	if (at != SIEVE_NONE && has_ended(throttle_at(sh, at), now_ms)) {
		throttle_remove(s, sh, at);
	} else if (at != SIEVE_NONE) {
		sh->throttles.slots[at].visited = 1;
		throttle_at(sh, at)->tries--;
		why = (enum throttle_reason)throttle_at(sh, at)->why;
	}
	shard_unlock(sh);
	return why;
}

/* --- dumps ----------------------------------------------------------------------------- */

/* What one step of a walk copies under the lock. */
struct copied {
	struct servers *servers;
	uint64_t now_ms;
	unsigned n;
	struct server_dump server[WALK_STEP];
	struct throttle_dump throttle[WALK_STEP];
	uint8_t name[WALK_STEP][NAME_MAX_LEN];
};

static void copy_server(struct copied *c, const struct shard *sh, uint32_t at)
{
	const struct server *e = server_at(sh, at);
	struct server_dump *d = &c->server[c->n];

	if (!e->known)
		return;
	*d = (struct server_dump) { .addr = e->addr, .age_ms = age_ms(e, c->now_ms) };
	fill_view(c->servers, e, c->now_ms, &d->view);
	if (e->ns_name != NULL) {
		name_copy(c->name[c->n], e->ns_name);
		d->ns_name = c->name[c->n];
	}
	c->n++;
}

static uint32_t until(uint64_t end_ms, uint64_t now_ms)
{
	uint64_t left = end_ms - now_ms;

	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static void copy_down(struct copied *c, const struct shard *sh, uint32_t at)
{
	const struct server *e = server_at(sh, at);

	if (e->down_until_ms <= c->now_ms)
		return;
	c->throttle[c->n++] = (struct throttle_dump) {
		.addr = e->addr,
		.tries_left = e->down_tries,
		.ms_left = until(e->down_until_ms, c->now_ms),
		.why = THROTTLE_DOWN,
	};
}

static void copy_throttle(struct copied *c, const struct shard *sh, uint32_t at)
{
	const struct throttle *t = throttle_at(sh, at);

	if (has_ended(t, c->now_ms))
		return;
	name_copy(c->name[c->n], t->name);
	c->throttle[c->n] = (struct throttle_dump) {
		.addr = t->addr,
		.name = c->name[c->n],
		.type = t->type,
		.tries_left = t->tries,
		.ms_left = until(t->until_ms, c->now_ms),
		.why = (enum throttle_reason)t->why,
	};
	c->n++;
}

/* Copies entries below *at and moves it down (common/sieve.h says why down).  False when the
 * shard is through. */
static bool copy_step(struct copied *c, struct shard *sh, const struct sieve *map, uint32_t *at,
		      void (*copy)(struct copied *c, const struct shard *sh, uint32_t at))
{
	if (*at == 0)
		return false;
	c->n = 0;
	pthread_mutex_lock(&sh->lock);
	if (*at > map->n)
		*at = map->n;
	for (int i = 0; i<WALK_STEP && * at> 0; i++)
		copy(c, sh, --*at);
	shard_unlock(sh);
	return true;
}

int servers_walk(struct servers *s, int (*cb)(void *ctx, const struct server_dump *d), void *ctx,
		 uint64_t now_ms)
{
	struct copied c = { .servers = s, .now_ms = now_ms };

	for (int i = 0; i < N_SHARDS; i++) {
		struct shard *sh = &s->shards[i];
		uint32_t at = SIEVE_NONE;

		while (copy_step(&c, sh, &sh->servers, &at, copy_server)) {
			for (unsigned j = 0; j < c.n; j++) {
				int result = cb(ctx, &c.server[j]);

				if (result < 0)
					return result;
			}
		}
	}
	return E_OK;
}

static int dump_throttles(const struct copied *c,
			  int (*cb)(void *ctx, const struct throttle_dump *d), void *ctx)
{
	for (unsigned i = 0; i < c->n; i++) {
		int result = cb(ctx, &c->throttle[i]);

		if (result < 0)
			return result;
	}
	return E_OK;
}

int servers_walk_throttles(struct servers *s, int (*cb)(void *ctx, const struct throttle_dump *d),
			   void *ctx, uint64_t now_ms)
{
	struct copied c = { .servers = s, .now_ms = now_ms };
	int result = E_OK;

	for (int i = 0; i < N_SHARDS && result >= 0; i++) {
		struct shard *sh = &s->shards[i];
		uint32_t at = SIEVE_NONE;

		while (result >= 0 && copy_step(&c, sh, &sh->servers, &at, copy_down))
			result = dump_throttles(&c, cb, ctx);
		at = SIEVE_NONE;
		while (result >= 0 && copy_step(&c, sh, &sh->throttles, &at, copy_throttle))
			result = dump_throttles(&c, cb, ctx);
	}
	return result;
}

void servers_stats(struct servers *s, struct servers_stats *out)
{
	struct servers_stats sum = { 0 };

	for (int i = 0; i < N_SHARDS; i++) {
		struct shard *sh = &s->shards[i];

		pthread_mutex_lock(&sh->lock);
		sum.servers += sh->servers.n;
		sum.failed += sh->failed;
		sum.throttles += sh->throttles.n;
		sum.bytes += sieve_bytes(&sh->servers) + sieve_bytes(&sh->throttles) +
			     sh->entry_bytes;
		shard_unlock(sh);
	}
	*out = sum;
}
