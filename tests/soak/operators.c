/* operators: what happens besides questions: commands of every kind at any moment, clocks that
 * jump, stray packets, time; see soak.h. */
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tests/soak/soak.h"

enum { SECOND_US = 1000000, DAY_S = 86400 };

static struct node *any_node(struct soak *s)
{
	return &s->nodes[rng_below(&s->rng, s->setup.n_nodes)];
}

static void belief_raise(struct belief *b, const struct resolver_config *cfg)
{
	if (cfg->min_ttl > b->min_ttl)
		b->min_ttl = cfg->min_ttl;
	if (cfg->max_ttl > b->max_ttl)
		b->max_ttl = cfg->max_ttl;
	if (cfg->stale_s > b->stale_s)
		b->stale_s = cfg->stale_s;
}

void configure(struct soak *s)
{
	const struct resolver_config *cfg = &s->setup.cfg;

	for (unsigned i = 0; i < s->n_askers; i++) {
		struct asker *a = &s->askers[i];

		if (a->max_qperq < cfg->max_qperq)
			a->max_qperq = cfg->max_qperq;
		if (a->max_msec < cfg->max_total_msec)
			a->max_msec = cfg->max_total_msec;
	}
	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		resolver_configure(s->nodes[i].resolver, cfg);
	belief_raise(&s->net.belief, cfg);
}

/* ---- commands that change something ---- */

static void change_limits(struct soak *s)
{
	soak_say(s, "other limits");
	s->was_tight = true;
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].must = MUST_NOT;
	setup_change(&s->setup, &s->rng);
	configure(s);
	if (rng_chance(&s->rng, 30))
		cache_set_limits(s->cache, rng_below(&s->rng, 300), 0);
	if (rng_chance(&s->rng, 30))
		packetcache_set_limits(any_node(s)->packets, rng_between(&s->rng, 1, 50),
				       rng_chance(&s->rng, 50) ? 0
							       : rng_between(&s->rng, 100, 5000));
}

void soak_wipe(struct soak *s, const uint8_t *name, uint16_t type, bool subtree)
{
	soak_say(s, "wipes the caches");
	s->wiped_us = soak_now_us(s);
	cache_wipe(s->cache, name, type, subtree);
	(void)aggressive_wipe(s->aggressive, name, subtree);
	packets_wipe_begin(s, name, type, subtree);
}

static void wipe(struct soak *s)
{
	uint8_t name[NAME_MAX_LEN];
	uint16_t type = random_question(s, name);
	bool subtree = rng_chance(&s->rng, 60);

	if (subtree && rng_chance(&s->rng, 30))
		name_copy(name, name_root);
	if (!rng_chance(&s->rng, 20))
		type = 0;
	name_lower(name, name);
	soak_wipe(s, name, type, subtree);
}

static void clear_servers(struct soak *s)
{
	soak_say(s, "clears throttles, and perhaps speeds");
	servers_clear(s->servers, rng_chance(&s->rng, 50), 0);
}

static void prime(struct soak *s)
{
	resolver_prime(any_node(s)->resolver, NULL, NULL);
}

static void housekeeping(struct soak *s)
{
	cache_expire_some(s->cache, rng_below(&s->rng, 50), soak_wall_s(s));
	cache_shrink_some(s->cache, rng_below(&s->rng, 50), soak_wall_s(s));
	(void)aggressive_expire_some(s->aggressive, rng_below(&s->rng, 50), soak_wall_s(s));
}

/* ---- commands that look ---- */

struct seen {
	struct soak *s;
	const struct node *node;
	unsigned n;
};

static bool see_request(void *ctx, const struct request_view *v)
{
	struct seen *seen = ctx;
	const struct asker *a = v->ctx;

	/* Priming's own. */
	if (a < seen->s->askers || a >= seen->s->askers + ASKERS_MAX)
		return true;
	seen->n++;
	if (a->state != ASKER_WAITS || a->node != seen->node || a->type != v->type ||
	    !name_equal(a->name, v->name))
		soak_fail(seen->s, "current-queries shows question %d, which does not wait",
			  (int)(a - seen->s->askers));
	return true;
}

/* current-queries: each that waits, once. */
static void list_requests(struct soak *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		struct seen seen = { s, &s->nodes[i], 0 };

		resolver_walk(s->nodes[i].resolver, see_request, &seen);
		n += seen.n;
	}
	if (n != s->n_waiting)
		soak_fail(s, "current-queries shows %u questions, %u wait", n, s->n_waiting);
}

static int see_server(void *ctx, const struct server_dump *d)
{
	struct soak *s = ctx;

	if (d->addr.family == 0 || (d->view.measured && d->view.timeout_ms == 0))
		soak_fail(s, "a server without address, or time-out");
	return E_OK;
}

static int see_throttle(void *ctx, const struct throttle_dump *d)
{
	struct soak *s = ctx;

	if (d->addr.family == 0 || d->why == THROTTLE_NONE)
		soak_fail(s, "a throttle without address, or reason");
	return E_OK;
}

static void dump(struct soak *s)
{
	uint64_t now_ms = soak_now_us(s) / 1000;

	check_cache(s);
	packets_walk(s);
	servers_walk(s->servers, see_server, s, now_ms);
	servers_walk_throttles(s->servers, see_throttle, s, now_ms);
}

/* ---- the world ---- */

static void jump_clock(struct soak *s)
{
	static const int far[] = { 1, 10, 400, 4000, DAY_S, 30 * DAY_S };
	int by = RNG_PICK(&s->rng, far);

	if (rng_chance(&s->rng, 50) && !s->setup.changes)
		by = -by;
	s->was_set_back |= by < 0;
	soak_say(s, "the clock jumps by %d s", by);
	s->jumped_us = soak_now_us(s);
	/* What is on its way may be signed for another time. */
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].must = MUST_NOT;
	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		s->nodes[i].network.wall_offset_s += by;
}

/* The way to the world is cut, and comes back. */
static void cut_off(struct soak *s)
{
	uint64_t us = rng_between(&s->rng, 1, 200) * (uint64_t)SECOND_US;

	if (soak_now_us(s) < s->net.cut_until_us)
		return;
	soak_say(s, "the way to the world is cut for %llu s", (unsigned long long)us / SECOND_US);
	s->net.cut_until_us = soak_now_us(s) + us;
	s->net.cut = (enum cut)rng_below(&s->rng, CUTS);
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].must = MUST_NOT;
}

void change_the_world(struct soak *s)
{
	struct reach reach = { s->setup.cfg.use_ipv4, s->setup.cfg.use_ipv6 };

	if (!s->setup.changes) {
		configure_zones(s);
		return;
	}
	if (s->setup.rolls) {
		roll_over(s);
		return;
	}
	if (!internet_change(&s->net, &s->rng, &reach, soak_now_us(s)))
		return;
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].must = MUST_NOT;
	soak_say(s, "zone %u has changed:", internet_changed(&s->net));
	if (s->out != NULL)
		internet_print(s->out, &s->net);
	if (rng_chance(&s->rng, 50))
		haunt(s);
}

static void keep_stale_and_lock(struct soak *s)
{
	cache_set_stale(s->cache, s->setup.cfg.stale_s);
	cache_set_locked(s->cache, rng_chance(&s->rng, 50) ? 0 : rng_below(&s->rng, 101));
}

/* Packets that answer nothing, for tickets there may be or not. */
static void stray_packets(struct soak *s)
{
	static const uint8_t wire[WIRE_HEADER_LEN] = { 0, 0, 0x80 };
	uint64_t ticket = (uint64_t)rng_below(&s->rng, 200) << 32 | rng_below(&s->rng, 70);
	struct node *n = any_node(s);

	for (size_t i = 0; i < n->network.n_pending; i++)
		if (n->network.pending[i] == ticket)
			return;
	resolver_reply(n->resolver, ticket, wire, sizeof(wire));
	resolver_near_miss(n->resolver, ticket);
	resolver_failed(n->resolver, ticket, (enum net_failure)rng_below(&s->rng, 4));
	resolver_tick(n->resolver);
}

void pass_time(struct soak *s)
{
	static const uint32_t most_us[] = { 1000,          30000,          300000,
					    3 * SECOND_US, 20 * SECOND_US, 200 * SECOND_US };
	uint64_t until_us = soak_now_us(s) + rng_below(&s->rng, RNG_PICK(&s->rng, most_us));

	/* Until delegations end. */
	if (s->setup.changes && rng_chance(&s->rng, 20))
		until_us += rng_below(&s->rng, rng_chance(&s->rng, 50) ? 4000 : 2 * DAY_S) *
			    (uint64_t)SECOND_US;

	while (soak_step(s, until_us))
		;
}

void something_else(struct soak *s)
{
	static void (*const events[])(struct soak *) = {
		wipe,
		wipe,
		wipe,
		packets_wipe_on,
		clear_servers,
		jump_clock,
		jump_clock,
		jump_clock,
		change_limits,
		change_limits,
		prime,
		housekeeping,
		housekeeping,
		stray_packets,
		stray_packets,
		list_requests,
		list_requests,
		dump,
		cut_off,
		change_the_world,
		change_the_world,
		keep_stale_and_lock,
	};

	RNG_PICK(&s->rng, events)(s);
	packets_wipe_on(s);
}
