/* flood: a seed's course; see flood.h. */
#include "tests/flood/flood.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"

enum {
	WALL_S = 1700000000,
	WARM_UP_US = 4 * SECOND_US,
	DRAIN_US = 60 * SECOND_US,
	KNOWN_EVERY_US = 300000,
	DEFENDER_BYTES = 8 << 20,
	KNOWN_BYTES = 1 << 20,
};

void flood_fail(struct flood *f, const char *format, ...)
{
	va_list args;

	if (f->failure[0] != '\0')
		return;
	va_start(args, format);
	(void)vsnprintf(f->failure, sizeof(f->failure), format, args);
	va_end(args);
}

/* ---- the setup ---- */

static void setup_draw(struct setup *u, struct rng *r)
{
	static const uint32_t ttls[] = { 1, 5, 60, 300 };
	static const uint32_t victim_ttls[] = { 1, 2, 5 };
	static const uint32_t delegations[] = { 300, 300, 3 };
	static const uint32_t threads[] = { 128, 256, 512, 2048 };
	static const unsigned attackers[] = { 1, 20, 500, 100000 };

	*u = (struct setup) {
		.authority = (enum authority)rng_below(r, AUTHORITIES),
		.acts = rng_chance(r, 67),
		.n_nodes = rng_between(r, 1, NODES_MAX),
		.n_victim_servers = rng_between(r, 1, VICTIM_SERVERS_MAX),
		.delay_ms = rng_between(r, 200, 1200),
		.limit_qps = rng_between(r, 50, 300),
		.flood_qps = rng_between(r, 300, 1200),
		.legit_qps = rng_between(r, 20, 100),
		.attackers = RNG_PICK(r, attackers),
		.flood_s = rng_between(r, 8, 12),
		.mthreads = RNG_PICK(r, threads),
		.deep = rng_chance(r, 30),
		.minimises = rng_chance(r, 70),
		.healthy_ttl = RNG_PICK(r, ttls),
		.victim_ttl = RNG_PICK(r, victim_ttls),
		.delegation_ttl = RNG_PICK(r, delegations),
		.stale_s = rng_chance(r, 30) ? 3600 : 0,
	};
}

static void config_make(const struct setup *u, struct resolver_config *cfg)
{
	resolver_config_defaults(cfg);
	cfg->use_ipv6 = false;
	cfg->prime = false;
	cfg->qname_minimisation = u->minimises;
	cfg->stale_s = u->stale_s;
	cfg->journal_bytes = 64 * 1024; /* less than a flood takes */
	/* As the daemon has them by default: percents of max-mthreads. */
	cfg->max_inflight_zone = u->mthreads / 4;
}

static int open_shared(struct flood *f)
{
	struct cache_config cache = { .max_entries = 100000, .shards = 4 };
	struct servers_config servers = {
		.max_servers = 10000,
		.max_throttles = 10000,
		.down_max_fails = 64,
		.down_time_s = 60,
		.bypass_probability = 25,
		.network_timeout_ms = 1500,
		.max_inflight = f->setup.mthreads * f->setup.n_nodes / 2,
		.unresolved_max_fails = 5,
		.unresolved_time_s = 60,
		.weather = { .min_servers = 8 },
	};
	struct defender_config defender = {
		.mode = f->setup.acts ? DEFENDER_ACT : DEFENDER_OBSERVE,
		.bytes = DEFENDER_BYTES,
		.known_bytes = KNOWN_BYTES,
		.known_keep_s = 86400,
		.n_workers = f->setup.n_nodes,
	};
	struct defender_rules *rules = NULL;
	int err;

	cache.stale_s = f->setup.stale_s;
	err = cache_new(&f->cache, &cache);
	if (err == E_OK)
		err = servers_new(&f->servers, &servers);
	if (err == E_OK)
		err = defender_rules_builtin(&rules);
	if (err == E_OK)
		err = defender_new(&f->defender, &defender, rules);
	defender_rules_put(rules);
	return err;
}

static int open_node(struct flood *f, unsigned i)
{
	const struct slots_config slots = { .max = f->setup.mthreads, .ipv4_bits = 32 };
	struct rrset *hints[2] = { NULL, NULL };
	struct node *n = &f->nodes[i];
	int err;

	n->flood = f;
	err = network_init(&n->network, f->seed + i * 0x100000001u, WALL_S);
	n->network.serve = world_serve;
	n->network.serve_ctx = n;
	if (err == E_OK)
		err = resolver_new(&n->resolver, &f->cfg, f->cache, f->servers, &n->counters,
				   &n->network.world);
	n->network.resolver = n->resolver;
	if (err == E_OK)
		err = slots_new(&n->slots, &slots);
	if (err == E_OK)
		err = defender_worker_new(&n->defender, f->defender);
	if (err == E_OK)
		err = world_hints(hints, WALL_S);
	if (err == E_OK)
		err = resolver_set_hints(n->resolver, hints, 2);
	rrset_put(hints[0]);
	rrset_put(hints[1]);
	return err;
}

static void close_all(struct flood *f)
{
	for (unsigned i = 0; i < f->setup.n_nodes; i++) {
		struct node *n = &f->nodes[i];

		if (n->resolver != NULL)
			resolver_free(n->resolver);
		slots_free(n->slots);
		defender_worker_free(n->defender);
		network_deinit(&n->network);
	}
	defender_free(f->defender);
	if (f->servers != NULL)
		servers_free(f->servers);
	if (f->cache != NULL)
		cache_free(f->cache);
}

/* ---- time ---- */

/* The next event of any node; time is one for all. */
static bool step(struct flood *f, uint64_t until_us)
{
	struct network *next = &f->nodes[0].network;
	uint64_t next_us;

	for (unsigned i = 1; i < f->setup.n_nodes; i++)
		if (network_next_us(&f->nodes[i].network) < network_next_us(next))
			next = &f->nodes[i].network;
	next_us = network_next_us(next);
	if (next_us > until_us)
		next_us = until_us;
	for (unsigned i = 0; i < f->setup.n_nodes; i++)
		if (&f->nodes[i].network != next && f->nodes[i].network.now_us < next_us)
			f->nodes[i].network.now_us = next_us;
	return network_step(next, until_us);
}

static void run_until(struct flood *f, uint64_t until_us)
{
	while (f->failure[0] == '\0' && step(f, until_us))
		;
	for (unsigned i = 0; i < f->setup.n_nodes; i++)
		if (f->nodes[i].network.breach[0] != '\0')
			flood_fail(f, "%s", f->nodes[i].network.breach);
}

static void tick(struct flood *f)
{
	uint64_t now_us = flood_now_us(f);
	struct defender_stats stats;

	for (unsigned i = 0; i < f->setup.n_nodes; i++)
		defender_worker_tick(f->nodes[i].defender, now_us / 1000,
				     WALL_S + (uint32_t)(now_us / SECOND_US));
	defender_stats(f->defender, &stats);
	if (f->accused_us == 0 && stats.accused > 0)
		f->accused_us = now_us;
	/* By then each worker has heard of it. */
	if (f->accused_us > 0 && now_us - f->accused_us >= 2 * (uint64_t)TICK_US)
		f->phase = PHASE_ACCUSED;
}

/* About so many a second, at random. */
static uint64_t next_of(struct flood *f, uint64_t now_us, unsigned qps)
{
	return qps == 0 ? UINT64_MAX : now_us + rng_between(&f->rng, 1, 2 * SECOND_US / qps);
}

/* Lets clients ask until then. */
static void live(struct flood *f, uint64_t end_us, unsigned flood_qps)
{
	uint64_t now_us = flood_now_us(f), legit_us = now_us, known_us = now_us, tick_us = now_us;
	uint64_t flood_us = flood_qps > 0 ? now_us : UINT64_MAX;
	unsigned known = 0;

	while (now_us < end_us && f->failure[0] == '\0') {
		uint64_t next_us = legit_us < flood_us ? legit_us : flood_us;

		next_us = known_us < next_us ? known_us : next_us;
		next_us = tick_us < next_us ? tick_us : next_us;
		run_until(f, next_us);
		now_us = flood_now_us(f);
		if (tick_us <= now_us) {
			tick(f);
			tick_us = now_us + TICK_US;
		}
		if (legit_us <= now_us) {
			clients_ask_host(f);
			legit_us = next_of(f, now_us, f->setup.legit_qps);
		}
		if (known_us <= now_us) {
			clients_ask_known(f, known++ % KNOWN);
			known_us = now_us + KNOWN_EVERY_US;
		}
		if (flood_us <= now_us) {
			clients_flood(f);
			flood_us = next_of(f, now_us, flood_qps);
		}
	}
}

/* ---- the verdict ---- */

static const char *const authorities[AUTHORITIES] = { "silent", "slow", "limited" };
static const char *const phases[PHASES] = { "before", "onset", "accused" };
static const char *const kinds[KINDS] = { "legit", "known", "flood" };

static void tell_setup(const struct flood *f)
{
	const struct setup *u = &f->setup;

	if (f->out == NULL)
		return;
	fprintf(f->out,
		"seed %" PRIu64 ": %s (%u ms, %u qps, %u servers), defender %s, %u workers of %u, "
		"flood %u qps for %u s from %u%s, legit %u qps, TTLs %u %u %u, stale %u\n",
		f->seed, authorities[u->authority], u->delay_ms, u->limit_qps, u->n_victim_servers,
		u->acts ? "acts" : "observes", u->n_nodes, u->mthreads, u->flood_qps, u->flood_s,
		u->attackers, u->deep ? ", deep" : "", u->legit_qps, u->healthy_ttl, u->victim_ttl,
		u->delegation_ttl, u->stale_s);
}

static void tell(const struct flood *f)
{
	for (unsigned p = 0; f->out != NULL && p < PHASES; p++) {
		for (unsigned k = 0; k < KINDS; k++) {
			const struct score *s = &f->scores[p][k];

			if (s->asked > 0)
				fprintf(f->out,
					"  %s %s: %" PRIu64 " asked, %" PRIu64 " right, %" PRIu64
					" failed, %" PRIu64 " turned away, %" PRIu64
					" dropped, slowest %" PRIu64 " ms\n",
					phases[p], kinds[k], s->asked, s->right, s->failed,
					s->turned, s->dropped, s->slowest_us / 1000);
		}
		fprintf(f->out, "  %s: victim asked %" PRIu64 " times, %" PRIu64 " for strangers\n",
			phases[p], f->victim_asked[p], f->victim_asked_unknown[p]);
	}
}

/* What was remembered of the onset, a failure or a throttled server, may still be in the way of some. */
static void judge_known(struct flood *f)
{
	const struct score *s = &f->scores[PHASE_ACCUSED][KIND_KNOWN];
	const struct setup *u = &f->setup;
	unsigned percent = 0;

	if (u->stale_s > 0)
		percent = 100;
	else if (u->authority != AUTHORITY_SILENT && u->acts)
		percent = 65;
	else if (u->authority == AUTHORITY_SLOW)
		percent = 50;
	if (s->right * 100 < s->asked * percent)
		flood_fail(f, "of %u questions for known names of the victim's %u were answered",
			   (unsigned)s->asked, (unsigned)s->right);
}

/* A question of the flood's costs the victim two at most: its names have a label or two to minimise. */
static void judge_victim(struct flood *f)
{
	uint64_t flood = f->scores[PHASE_ACCUSED][KIND_FLOOD].asked;
	uint64_t asked = f->victim_asked_unknown[PHASE_ACCUSED], most = 3 * flood + 100;

	if (f->setup.acts)
		most = flood / 10 + 120;
	else if (f->setup.authority == AUTHORITY_SILENT)
		most = flood / 4 + 120;
	if (asked > most)
		flood_fail(f, "the victim was asked %u times about %u names of the flood's",
			   (unsigned)asked, (unsigned)flood);
}

static void judge(struct flood *f)
{
	const struct score *s = &f->scores[PHASE_BEFORE][KIND_KNOWN];

	if (s->right < s->asked)
		flood_fail(f, "a name of the victim's failed before the flood");
	if (f->accused_us == 0)
		flood_fail(f, "the flood was not noticed");
	judge_known(f);
	judge_victim(f);
}

static void check_idle(struct flood *f)
{
	if (f->n_askers > 0)
		flood_fail(f, "%u queries did not end", f->n_askers);
	for (unsigned i = 0; i < f->setup.n_nodes; i++) {
		struct resolver_stats left;

		resolver_stats(f->nodes[i].resolver, &left);
		if (left.requests + left.goals + left.edges + left.timers + left.zones +
			    f->nodes[i].network.n_pending >
		    0)
			flood_fail(f,
				   "left over: %zu requests, %zu goals, %zu edges, %zu timers, "
				   "%zu zones, %zu questions",
				   left.requests, left.goals, left.edges, left.timers, left.zones,
				   f->nodes[i].network.n_pending);
		if (slots_used(f->nodes[i].slots) > 0)
			flood_fail(f, "a slot is left over");
	}
}

/* ---- the course ---- */

static void course(struct flood *f)
{
	uint64_t begin_us = flood_now_us(f);

	live(f, begin_us + WARM_UP_US, 0);
	f->phase = PHASE_ONSET;
	live(f, begin_us + WARM_UP_US + f->setup.flood_s * (uint64_t)SECOND_US, f->setup.flood_qps);
	if (f->failure[0] == '\0')
		run_until(f, flood_now_us(f) + DRAIN_US);
	tell(f);
	judge(f);
	if (f->failure[0] == '\0')
		check_idle(f);
	else
		clients_cancel_all(f);
}

bool flood_run(struct flood *f, uint64_t seed, FILE *out)
{
	struct rng r = rng_for(seed, 'F');
	int err;

	memset(f, 0, sizeof(*f));
	f->seed = seed;
	f->out = out;
	f->rng = rng_for(seed, 'C');
	hash_key_set(seed, ~seed * 0x9e3779b97f4a7c15u);
	setup_draw(&f->setup, &r);
	config_make(&f->setup, &f->cfg);
	tell_setup(f);
	err = open_shared(f);
	for (unsigned i = 0; i < f->setup.n_nodes && err == E_OK; i++)
		err = open_node(f, i);
	if (err == E_OK)
		course(f);
	else
		flood_fail(f, "%s", err_text(err));
	close_all(f);
	if (out != NULL && f->failure[0] != '\0')
		fprintf(out, "  *** %s\n", f->failure);
	return f->failure[0] == '\0';
}
