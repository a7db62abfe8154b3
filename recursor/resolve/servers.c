#include "recursor/resolve/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/name.h"
#include "recursor/resolve/inflight.h"
#include "recursor/resolve/servers_table.h"

enum {
	MAX_DOUBLINGS = 16,
	NAME_KEPT_MS = 1000,
	STALE_HALF_LIVES = 10,         /* then a new RTT counts as the first */
	UNREACHABLE_COST_US = 1000000, /* what a network error counts for, as time lost */
};

enum { VICTIMS_AN_INSERT = 8, CLEAR_STEP = 64 };

static size_t share(size_t total)
{
	size_t each = total / SERVERS_SHARDS;

	if (total == 0 || each > SIEVE_MAX_SLOTS)
		return SIEVE_MAX_SLOTS;
	return each == 0 ? 1 : each;
}

/* Another worker's clock, by which something was noted, may be some milliseconds ahead. */
static uint64_t since(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
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
	weather_init(&s->weather, &cfg->weather);
	for (int i = 0; i < SERVERS_SHARDS; i++) {
		gate_init(&s->shards[i].gate);
		sieve_init(&s->shards[i].servers);
		sieve_init(&s->shards[i].throttles);
		sieve_init(&s->shards[i].unresolved);
	}
	servers_set_limit(s, cfg->max_bytes);
	*out = s;
	return E_OK;
}

void servers_set_limit(struct servers *s, size_t max_bytes)
{
	size_t own = servers_own_bytes();
	size_t each = max_bytes > own ? (max_bytes - own) / SERVERS_SHARDS : 0;

	for (int i = 0; i < SERVERS_SHARDS; i++) {
		struct shard *sh = &s->shards[i];

		gate_enter(&sh->gate);
		sh->max_bytes = max_bytes == 0 ? SIZE_MAX : each;
		shard_unlock(sh);
	}
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

/* Takes one entry away; false: there is none. */
static bool evict(struct servers *s, struct shard *sh)
{
	if (sh->throttles.n > sh->servers.n && sh->throttles.n >= sh->unresolved.n)
		throttle_remove(s, sh, sieve_victim(&sh->throttles));
	else if (sh->unresolved.n > sh->servers.n)
		unresolved_remove(s, sh, sieve_victim(&sh->unresolved));
	else if (sh->servers.n > 0)
		server_remove(sh, sieve_victim(&sh->servers));
	else
		return false;
	return true;
}

bool shard_make_room(struct servers *s, struct shard *sh, size_t more)
{
	size_t before = shard_bytes(sh);

	for (int gone = 0; shard_bytes(sh) + more > sh->max_bytes; gone++) {
		if (gone == VICTIMS_AN_INSERT)
			return before - shard_bytes(sh) >= more;
		if (!evict(s, sh))
			return false;
	}
	return true;
}

size_t servers_shrink_some(struct servers *s, size_t n)
{
	size_t gone = 0;

	for (int i = 0; i < SERVERS_SHARDS; i++) {
		struct shard *sh = &s->shards[i];

		gate_enter(&sh->gate);
		while (gone < n && shard_bytes(sh) > sh->max_bytes && evict(s, sh))
			gone++;
		shard_unlock(sh);
	}
	return gone;
}

/* ---- while our own network was gone ---- */

struct weather *servers_weather(struct servers *s)
{
	return &s->weather;
}

static void before_keep(struct servers *s, struct server *e, uint64_t now_ms)
{
	if (e->before.at_ms != 0 &&
	    e->before.at_ms > weather_quiet_since(&s->weather, e->addr.family, now_ms))
		return;
	e->before = (struct server_before) {
		.at_ms = now_ms,
		.seen_ms = e->seen_ms,
		.down_until_ms = e->down_until_ms,
		.lost_us = e->lost_us,
		.window = e->window,
		.fails = e->fails,
		.doublings = e->doublings,
		.known = e->known,
	};
}

void server_take_back(struct servers *s, struct shard *sh, struct server *e)
{
	const struct server_before *b = &e->before;

	if (b->at_ms == 0 || !weather_was_early(&s->weather, e->addr.family, b->at_ms))
		return;
	sh->failed -= e->fails > 0;
	sh->failed += b->fails > 0;
	e->seen_ms = b->seen_ms;
	e->down_until_ms = b->down_until_ms;
	e->lost_us = b->lost_us;
	e->window = b->window;
	e->fails = b->fails;
	e->doublings = b->doublings;
	e->known = b->known;
	e->before.at_ms = 0;
}

struct server *server_find(struct servers *s, struct shard *sh, const struct addr *a, uint64_t hash)
{
	uint32_t at = sieve_first(&sh->servers, (uint32_t)hash);

	while (at != SIEVE_NONE && !addr_equal(&server_at(sh, at)->addr, a))
		at = sieve_next(&sh->servers, at);
	if (at == SIEVE_NONE)
		return NULL;
	sh->servers.slots[at].visited = 1;
	server_take_back(s, sh, server_at(sh, at));
	return server_at(sh, at);
}

struct server *server_need(struct servers *s, struct shard *sh, const struct addr *a, uint64_t hash)
{
	struct server *e = server_find(s, sh, a, hash);
	uint32_t at;

	if (e != NULL)
		return e;
	while (sh->servers.n >= s->max_servers)
		server_remove(sh, sieve_victim(&sh->servers));
	if (!shard_make_room(s, sh, heap_cost(sizeof(*e)) + sieve_growth(&sh->servers)))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->addr = *a;
	e->window = s->cfg.max_inflight;
	if (sieve_insert(&sh->servers, (uint32_t)hash, e, &at) != E_OK) {
		free(e);
		return NULL;
	}
	sh->entry_bytes += heap_cost(sizeof(*e));
	return e;
}

/* What is still to be cleared of a shard: below.  Downward, see common/sieve.h. */
struct clearing {
	uint32_t throttles, unresolved, servers;
	bool speeds_too;
};

static bool lower(uint32_t *at, const struct sieve *map)
{
	if (*at > map->n)
		*at = map->n;
	return *at > 0;
}

/* CLEAR_STEP entries at most; false: there are no more.  How many throttles they were, and names. */
static bool clear_some(struct servers *s, struct shard *sh, struct clearing *c, uint64_t now_ms,
		       size_t *n)
{
	for (int left = CLEAR_STEP; left > 0; left--) {
		if (lower(&c->throttles, &sh->throttles)) {
			*n += throttle_at(sh, --c->throttles)->until_ms > now_ms;
			throttle_remove(s, sh, c->throttles);
		} else if (lower(&c->unresolved, &sh->unresolved)) {
			unresolved_remove(s, sh, --c->unresolved);
			++*n;
		} else if (!lower(&c->servers, &sh->servers)) {
			return false;
		} else if (c->speeds_too) {
			server_remove(sh, --c->servers);
		} else {
			struct server *e = server_at(sh, --c->servers);

			*n += e->down_until_ms > now_ms;
			e->down_until_ms = 0;
		}
	}
	return true;
}

size_t servers_clear(struct servers *s, bool speeds_too, uint64_t now_ms)
{
	size_t n = 0;

	for (int i = 0; i < SERVERS_SHARDS; i++) {
		struct clearing c = { UINT32_MAX, UINT32_MAX, UINT32_MAX, speeds_too };
		struct shard *sh = &s->shards[i];
		bool is_more = true;

		while (is_more) {
			gate_enter(&sh->gate);
			is_more = clear_some(s, sh, &c, now_ms, &n);
			shard_unlock(sh);
			gate_give_way(&sh->gate);
		}
	}
	return n;
}

void servers_free(struct servers *s)
{
	if (s == NULL)
		return;
	servers_clear(s, true, 0);
	for (int i = 0; i < SERVERS_SHARDS; i++) {
		sieve_deinit(&s->shards[i].servers);
		sieve_deinit(&s->shards[i].throttles);
		sieve_deinit(&s->shards[i].unresolved);
		gate_destroy(&s->shards[i].gate);
	}
	weather_deinit(&s->weather);
	free(s);
}

void server_go_down(const struct servers *s, struct server *e, uint64_t now_ms)
{
	e->down_until_ms = now_ms + s->cfg.down_time_s * 1000ULL;
	e->down_tries = SERVERS_DOWN_TRIES;
}

/* --- RTT ------------------------------------------------------------------------------- */

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

static unsigned doublings_left(const struct server *e, uint64_t now_ms)
{
	uint64_t faded = half_lives(e, now_ms);

	return e->doublings > faded ? (unsigned)(e->doublings - faded) : 0;
}

static uint32_t timeout_of(const struct servers *s, const struct server *e, uint64_t now_ms)
{
	uint64_t ms = SERVERS_FIRST_TIMEOUT_MS;
	uint64_t spread_us;

	/* One whose times hardly vary is given a quarter more all the same: one that is late is
	 * under load, and then they do. */
	if (e != NULL && e->measured) {
		spread_us = 4 * (uint64_t)e->rttvar_us;
		if (spread_us < e->srtt_us / 4)
			spread_us = e->srtt_us / 4;
		ms = (e->srtt_us + spread_us + 999) / 1000;
	}
	ms = ms > SERVERS_MIN_TIMEOUT_MS ? ms : SERVERS_MIN_TIMEOUT_MS;
	if (e != NULL)
		ms <<= doublings_left(e, now_ms);
	return ms < s->cfg.network_timeout_ms ? (uint32_t)ms : s->cfg.network_timeout_ms;
}

void server_view_fill(const struct servers *s, const struct server *e, uint64_t now_ms,
		      struct server_view *v)
{
	*v = (struct server_view) { .timeout_ms = timeout_of(s, e, now_ms) };
	if (e == NULL)
		return;
	v->in_flight = e->in_flight;
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

	server_view_fill(s, server_find(s, sh, a, hash), now_ms, view);
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

static void count_fail(struct servers *s, struct shard *sh, struct server *e, uint64_t now_ms)
{
	sh->failed += e->fails == 0;
	if (e->fails < UINT32_MAX)
		e->fails++;
	if (s->cfg.down_max_fails != 0 && e->fails >= s->cfg.down_max_fails)
		server_go_down(s, e, now_ms);
}

static void see(struct server *e, uint64_t now_ms)
{
	e->known = true;
	e->seen_ms = now_ms;
}

static uint32_t bounded_us(uint64_t us)
{
	return us < SERVERS_RTT_MAX_US ? (uint32_t)us : SERVERS_RTT_MAX_US;
}

static void leave_flight(struct server *e)
{
	if (e->in_flight > 0) /* it may have been thrown out and be back */
		e->in_flight--;
}

static void learn_answer(const struct servers *s, struct shard *sh, struct server *e,
			 uint32_t rtt_us, bool useful, uint64_t now_ms)
{
	leave_flight(e);
	e->window = inflight_grow(s->cfg.max_inflight, e->window);
	learn_rtt(e, bounded_us(rtt_us), now_ms);
	learn_loss(e, 0, now_ms);
	e->doublings = 0;
	if (useful)
		reset_fails(sh, e);
	see(e, now_ms);
	e->answered_ms = now_ms;
	e->before.at_ms = 0;
}

/* After waiting in vain the next wait is twice as long (RFC 6298 5.5, 5.7): twice what was waited,
 * which may have been more than the server's own time-out (ask.c).  Or one that answered within a
 * millisecond and has become slow would be down, and no try ever wait until it answers. */
static void back_off(const struct servers *s, struct server *e, uint32_t waited_ms, uint64_t now_ms)
{
	uint64_t wanted_ms = 2 * (uint64_t)waited_ms;

	if (wanted_ms > s->cfg.network_timeout_ms)
		wanted_ms = s->cfg.network_timeout_ms;
	e->doublings = (uint8_t)doublings_left(e, now_ms);
	see(e, now_ms); /* what had faded is gone */
	while (e->doublings < MAX_DOUBLINGS && timeout_of(s, e, now_ms) < wanted_ms)
		e->doublings++;
	e->doubled_ms = now_ms;
}

/* Was it sent after we doubled last?  Then it waited for that long in vain. */
static void learn_timeout(const struct servers *s, struct server *e, uint32_t waited_ms,
			  uint64_t now_ms)
{
	e->window = inflight_shrink(s->cfg.max_inflight, e->window, INFLIGHT_SERVER_CUT);
	learn_loss(e, bounded_us(waited_ms * 1000ULL), now_ms);
	if (e->doublings == 0 || since(e->doubled_ms, now_ms) >= waited_ms)
		back_off(s, e, waited_ms, now_ms);
}

static bool learn_failure(struct servers *s, const struct addr *a, const uint8_t *zone,
			  uint32_t waited_ms, bool is_timeout, uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh;
	struct server *e;
	bool had_answered = false;
	bool is_ours = weather_is_out(&s->weather, a->family) ||
		       weather_was_cut(&s->weather, a->family, now_ms - waited_ms);

	sh = shard_lock(s, hash);
	e = server_need(s, sh, a, hash);
	if (e != NULL)
		leave_flight(e);
	if (e != NULL && !is_ours) {
		before_keep(s, e, now_ms);
		if (is_timeout)
			learn_timeout(s, e, waited_ms, now_ms);
		else
			learn_loss(e, UNREACHABLE_COST_US, now_ms);
		count_fail(s, sh, e, now_ms);
		see(e, now_ms);
		had_answered = e->answered_ms != 0 &&
			       since(e->answered_ms, now_ms) < WEATHER_WITNESS_MS;
	}
	shard_unlock(sh);
	if (had_answered && zone != NULL)
		weather_failed(&s->weather, a, zone, now_ms);
	return !is_ours;
}

bool servers_timed_out(struct servers *s, const struct addr *a, const uint8_t *zone,
		       uint32_t waited_ms, uint64_t now_ms)
{
	return learn_failure(s, a, zone, waited_ms, true, now_ms);
}

bool servers_unreachable(struct servers *s, const struct addr *a, const uint8_t *zone,
			 uint32_t waited_ms, uint64_t now_ms)
{
	return learn_failure(s, a, zone, waited_ms, false, now_ms);
}

static void note_edns(struct server *e, enum edns_state state, uint64_t now_ms)
{
	e->edns = (uint8_t)state;
	e->edns_until_ms = now_ms + SERVERS_EDNS_NONE_S * 1000ULL;
}

/* Many zones may call one address by names of their own: while it answers all the time it keeps the
 * name that it has. */
static void note_name(struct shard *sh, struct server *e, const uint8_t *ns_name)
{
	uint8_t *copy;

	if (e->ns_name != NULL && name_equal(e->ns_name, ns_name))
		return;
	copy = malloc(name_len(ns_name));
	if (copy == NULL)
		return;
	name_lower(copy, ns_name);
	sh->entry_bytes += name_cost(copy) - name_cost(e->ns_name);
	free(e->ns_name);
	e->ns_name = copy;
}

void servers_set_name(struct servers *s, const struct addr *a, const uint8_t *ns_name)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);

	if (e != NULL)
		note_name(sh, e, ns_name);
	shard_unlock(sh);
}

void servers_learn(struct servers *s, const struct addr *a, const struct server_answer *answer,
		   uint64_t now_ms)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);
	bool is_busy;

	if (e != NULL) {
		is_busy = e->ns_name != NULL && since(e->answered_ms, now_ms) < NAME_KEPT_MS;
		learn_answer(s, sh, e, answer->rtt_us, answer->useful, now_ms);
		if (answer->edns != EDNS_UNKNOWN)
			note_edns(e, answer->edns, now_ms);
		if (answer->ns_name != NULL && !is_busy)
			note_name(sh, e, answer->ns_name);
	}
	shard_unlock(sh);
	weather_answered(&s->weather, a, now_ms);
}

/* --- questions in flight ----------------------------------------------------------------- */

static bool has_room(const struct servers *s, const struct server *e, bool is_known)
{
	uint32_t max = s->cfg.max_inflight;
	uint32_t window = inflight_window(max, e->window, e->measured ? e->srtt_us : 0);

	/* The zone has a reserve that is bounded; here it is on top, for questions sent before the
	 * window became small are in the way for a while. */
	return max == 0 || e->in_flight < window + (is_known ? inflight_reserve(max, window) : 0);
}

bool servers_take(struct servers *s, const struct addr *a, bool is_known, bool goes_on,
		  uint64_t now_ms, struct server_view *view)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_need(s, sh, a, hash);
	bool taken = e == NULL || goes_on || has_room(s, e, is_known);

	if (e != NULL)
		e->in_flight += taken;
	server_view_fill(s, e, now_ms, view);
	shard_unlock(sh);
	return taken;
}

void servers_release(struct servers *s, const struct addr *a)
{
	uint64_t hash = addr_hash(a);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_find(s, sh, a, hash);

	if (e != NULL)
		leave_flight(e);
	shard_unlock(sh);
}
