/* choose: which of the zone's servers is asked next. */
#include "recursor/resolve/asking.h"

enum {
	NEW_SERVER_US = 30000,        /* what a server not yet heard of is taken for, and as much */
	NEW_SERVER_SPREAD_US = 30000, /* again at random, so that each gets its turn */
	FAILURE_US = 400000,          /* each failure in a row counts as so much slower */
	TRY_US = 100000000,           /* an address already tried comes after all that are not */
	EXPLORE_ONE_IN = 32,
};

static uint64_t score(struct resolver *r, const struct target *t, uint64_t now_ms)
{
	struct server_view v;
	uint64_t us;

	servers_look(r->servers, &t->addr, now_ms, &v);
	us = v.measured ? v.srtt_us
			: NEW_SERVER_US + resolver_random_below(r, NEW_SERVER_SPREAD_US);
	us += (uint64_t)(v.fails < 64 ? v.fails : 64) * FAILURE_US;
	return us + (uint64_t)t->tries * TRY_US;
}

static bool is_alive(const struct target *t)
{
	return t->dead == TARGET_ALIVE && t->tries < GOAL_TRIES_MAX;
}

bool cut_has_choice(struct resolver *r, const struct goal *g)
{
	struct weather *w = servers_weather(r->servers);

	for (unsigned i = 0; i < g->n_targets; i++)
		if (is_alive(&g->targets[i]) &&
		    (weather_is_fair(w) || weather_may_ask(w, &g->targets[i].addr)))
			return true;
	return false;
}

/* The target's family is out.  Somebody has to find out when it is back: a few questions a second,
 * each once a family, when there is nobody else to ask; and where there is no route, and so no
 * packet that is lost, one now and then in any case. */
static bool is_tried(struct resolver *r, struct goal *g, const struct target *t, bool is_alone,
		     uint64_t now_ms)
{
	struct weather *w = servers_weather(r->servers);
	uint8_t bit = t->addr.family == 4 ? 1 : 2;

	if (weather_state(w, t->addr.family) == WEATHER_DOWN)
		g->met_cut |= is_alone;
	else if (weather_take_recheck(w, t->addr.family, now_ms))
		return true;
	if (!is_alone || (g->tried & bit) != 0 || !weather_take_try(w, t->addr.family, now_ms))
		return false;
	g->tried |= bit;
	return true;
}

int cut_choose(struct resolver *r, struct goal *g)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx), best_score = UINT64_MAX;
	int candidates[GOAL_TARGETS_MAX], n = 0, best = -1;
	struct weather *w = servers_weather(r->servers);
	bool is_fair = weather_is_fair(w);

	for (int i = 0; i < g->n_targets; i++)
		if (is_alive(&g->targets[i]) &&
		    (is_fair || weather_may_ask(w, &g->targets[i].addr)))
			candidates[n++] = i;
	for (int i = 0; i < g->n_targets && !is_fair; i++)
		if (is_alive(&g->targets[i]) && !weather_may_ask(w, &g->targets[i].addr) &&
		    is_tried(r, g, &g->targets[i], n == 0, now_ms))
			return i;
	if (!is_fair)
		network_watch(r);
	if (n <= 1)
		return n == 1 ? candidates[0] : -1;
	for (int i = 0; i < n; i++) {
		uint64_t s = score(r, &g->targets[candidates[i]], now_ms);

		if (s < best_score) {
			best_score = s;
			best = candidates[i];
		}
	}
	/* Now and then another that has been tried no oftener: a server that has got faster, or
	 * come back, shows it only when asked. */
	if (resolver_random_below(r, EXPLORE_ONE_IN) == 0) {
		int other = candidates[resolver_random_below(r, (uint32_t)n)];
		if (g->targets[other].tries <= g->targets[best].tries)
			best = other;
	}
	return best;
}

bool cut_try_those_down(struct resolver *r, struct goal *g)
{
	bool any = false;

	for (unsigned i = 0; i < g->n_targets; i++) {
		struct target *t = &g->targets[i];

		if (t->dead != TARGET_DOWN || t->despite_down || !crowd_knows(r, g))
			continue;
		t->despite_down = any = true;
		t->dead = TARGET_ALIVE;
	}
	return any;
}
