/* soak: a seed's course; see soak.h. */
#include "tests/soak/soak.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"

enum {
	WALL_S = 1700000000,
	SECOND_US = 1000000,
	CALM_US = 700 * SECOND_US, /* until throttles and failures are forgotten */
	DRAIN_US = 120 * SECOND_US,
	CALM_QUESTIONS = 4,
	CALM_ENTRIES = 20000,
};

void soak_fail(struct soak *s, const char *format, ...)
{
	va_list args;

	if (s->failure[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(s->failure, sizeof(s->failure), format, args);
	va_end(args);
	if (s->out != NULL)
		fprintf(s->out, "  *** %s\n", s->failure);
}

void soak_say(struct soak *s, const char *format, ...)
{
	va_list args;

	if (s->out == NULL)
		return;
	fprintf(s->out, "  %9.1f ms ", (double)soak_now_us(s) / 1000);
	va_start(args, format);
	vfprintf(s->out, format, args);
	va_end(args);
	fputc('\n', s->out);
}

/* ---- time ---- */

bool soak_step(struct soak *s, uint64_t until_us)
{
	struct network *next = &s->nodes[0].network;
	uint64_t next_us;

	for (unsigned i = 1; i < s->setup.n_nodes; i++)
		if (network_next_us(&s->nodes[i].network) < network_next_us(next))
			next = &s->nodes[i].network;
	next_us = network_next_us(next);
	if (next_us > until_us)
		next_us = until_us;
	/* Before the step: what comes of it happens at one time everywhere. */
	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		if (&s->nodes[i].network != next && s->nodes[i].network.now_us < next_us)
			s->nodes[i].network.now_us = next_us;
	return network_step(next, until_us);
}

void soak_drain(struct soak *s, uint64_t us)
{
	uint64_t until_us = soak_now_us(s) + us;

	while (soak_step(s, until_us))
		;
}

/* ---- the course ---- */

static void live(struct soak *s)
{
	unsigned n = rng_between(&s->rng, 4, 24);

	while (n-- > 0 && s->failure[0] == '\0') {
		unsigned dice = rng_below(&s->rng, 100);

		if (dice < 52)
			ask_something(s);
		else if (dice < 58)
			ask_what_is_known(s);
		else if (dice < 62)
			cancel_something(s);
		else if (dice < 82)
			something_else(s);
		else
			pass_time(s);
		if (s->setup.changes && rng_chance(&s->rng, 20))
			change_the_world(s);
		if (rng_chance(&s->rng, 70))
			pass_time(s);
	}
}

/* What was learnt before the last change is wiped, or too old. */
static void settle(struct soak *s)
{
	const struct belief *b = &s->net.belief;

	if (rng_chance(&s->rng, 50)) {
		soak_say(s, "wipes everything");
		cache_wipe(s->cache, name_root, 0, true);
		(void)aggressive_wipe(s->aggressive, name_root, true);
		servers_clear(s->servers, true, 0);
	}
	soak_drain(s, (3ull * b->max_ttl + b->min_ttl + b->stale_s + 1000) * SECOND_US);
	s->is_settled = true;
}

static void world_ends_its_faults(struct soak *s)
{
	struct reach reach = { s->setup.cfg.use_ipv4, s->setup.cfg.use_ipv6 };

	soak_say(s, "calm");
	s->net.calm = true;
	s->net.cut_until_us = 0;
	setup_relax(&s->setup);
	configure(s);
	cache_set_limits(s->cache, CALM_ENTRIES, 0);
	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		s->nodes[i].ctx.forged = s->nodes[i].ctx.no_resources = 0;
	if (s->starved) {
		s->relent();
		/* A command that changed them may have found no memory: operators give it again. */
		(void)anchors_publish(s);
	}
	s->was_tight = false;
	/* A daemon does so all the time: what the clock left behind would come back with it. */
	(void)cache_expire_some(s->cache, CALM_ENTRIES, soak_wall_s(s));
	soak_drain(s, CALM_US);
	/* What was remembered for a while before the clock went back is so for longer. */
	if (s->was_set_back)
		soak_drain(s, (uint64_t)RRSET_CLOCK_SLACK_S * SECOND_US);
	/* Where only signatures changed it has to go on as it is. */
	if (s->net.n_epochs > 1 && (!s->net.only_rolls || rng_chance(&s->rng, 50)))
		settle(s);
	internet_judge(&s->net, &reach);
}

/* The faults end, the limits are wide, and time passes: what can be resolved must be. */
static void calm(struct soak *s)
{
	unsigned found = 0;

	world_ends_its_faults(s);
	for (unsigned i = 0; i < 4 * CALM_QUESTIONS && found < CALM_QUESTIONS; i++) {
		uint8_t name[NAME_MAX_LEN];
		uint16_t type = random_question(s, name);

		if (s->failure[0] != '\0' ||
		    must_succeed(s, name, type, s->setup.cfg.dnssec >= DNSSEC_PROCESS) == MUST_NOT)
			continue;
		found++;
		if (client_ask(s, name, type, false) != NULL)
			soak_drain(s, DRAIN_US);
	}
}

static void node_init(struct soak *s, unsigned i)
{
	struct node *n = &s->nodes[i];

	n->soak = s;
	n->resolver = NULL;
	n->packets = NULL;
	memset(&n->counters, 0, sizeof(n->counters));
	ASSERT(network_init(&n->network, s->seed + i * 0x100000001u, WALL_S) == E_OK);
	n->ctx = (struct servers_ctx) {
		.net = &s->net,
		.rng = rng_for(s->seed, 'H' + 256 * i),
		.use_0x20 = s->setup.cfg.use_0x20,
		.forged = s->setup.forged,
		.no_resources = s->setup.no_resources,
		.out = s->out,
	};
	n->network.serve = servers_serve;
	n->network.serve_ctx = &n->ctx;
}

static void start(struct soak *s)
{
	struct rng r = rng_for(s->seed, 'S');
	struct reach reach;

	hash_key_set(s->seed, ~s->seed);
	internet_make(&s->net, s->seed);
	setup_draw(&s->setup, &r);
	/* RFC 8020 holds only where no server denies empty non-terminals. */
	for (unsigned i = 0; i < s->net.n_zones; i++)
		s->net.zones[i].denies_empty &= s->setup.cfg.nothing_below_nxdomain != NX_CUT_YES;
	reach = (struct reach) { s->setup.cfg.use_ipv4, s->setup.cfg.use_ipv6 };
	internet_judge(&s->net, &reach);
	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		node_init(s, i);
	s->cache = NULL;
	s->aggressive = NULL;
	s->servers = NULL;
	s->rng = rng_for(s->seed, 'C');
	s->n_askers = s->n_waiting = s->n_kept = 0;
	s->wipe.node = NULL;
	s->questions = s->out_queries = s->musts = s->failures = s->hits = 0;
	s->is_settled = s->was_set_back = false;
	s->configured = 0;
	s->cut_until_us = 0;
	s->was_tight = s->starved;
	s->wiped_us = s->jumped_us = 0;
	s->ends = false;
	s->failure[0] = '\0';
}

/* False when there is no memory for it. */
static bool open_all(struct soak *s)
{
	if (aggressive_new(&s->aggressive, &s->setup.aggressive) != E_OK ||
	    cache_new(&s->cache, &s->setup.cache) != E_OK ||
	    servers_new(&s->servers, &s->setup.servers) != E_OK)
		return false;
	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		struct node *n = &s->nodes[i];

		if (resolver_new(&n->resolver, &s->setup.cfg, s->cache, s->servers, &n->counters,
				 &n->network.world) != E_OK ||
		    packetcache_new(&n->packets, &s->setup.packets) != E_OK)
			return false;
		n->network.resolver = n->resolver;
		resolver_set_aggressive(n->resolver, s->aggressive);
	}
	configure(s);
	return true;
}

/* The root's servers as the hints have them. */
static int hints_make(const struct soak *s, struct rrset **sets, size_t *n)
{
	const struct zone *root = &s->net.zones[0];
	struct rdata ns[ZONE_NS_MAX];
	int err = E_OK;

	for (unsigned i = 0; i < root->n_ns; i++) {
		const struct ns_host *h = &s->net.ns[root->ns[i]];

		ns[i] = (struct rdata) { h->name, (uint16_t)name_len(h->name) };
		for (unsigned family = 4; family <= 6 && err == E_OK; family += 2) {
			struct addr a;
			struct rdata rr = { a.ip, family == 4 ? 4 : 16 };

			if (host_addr(&s->net, h->host, family, &a))
				err = rrset_new(&sets[(*n)++], h->name,
						family == 4 ? TYPE_A : TYPE_AAAA, 3600, 0,
						RANK_LOCAL, &rr, 1, NULL, 0);
		}
	}
	if (err == E_OK)
		err = rrset_new(&sets[(*n)++], name_root, TYPE_NS, 3600, 0, RANK_LOCAL, ns,
				root->n_ns, NULL, 0);
	return err;
}

bool anchors_publish(struct soak *s)
{
	struct anchors *a = NULL;
	int err = anchors_new(&a);

	for (unsigned i = 0; i < s->net.n_zones && err == E_OK; i++)
		err = signed_anchor(&s->net, &s->net.zones[i], a);
	for (unsigned i = 0; i < s->setup.n_nodes && err == E_OK; i++)
		resolver_set_anchors(s->nodes[i].resolver, a);
	anchors_put(a);
	return err == E_OK;
}

static bool hints_set(struct soak *s)
{
	struct rrset *sets[2 * ZONE_NS_MAX + 1] = { NULL };
	size_t n = 0;
	int err = hints_make(s, sets, &n);

	for (unsigned i = 0; i < s->setup.n_nodes && err == E_OK; i++)
		err = resolver_set_hints(s->nodes[i].resolver, sets, n);
	while (n > 0)
		rrset_put(sets[--n]);
	return err == E_OK;
}

/* Who still waits is answered, or has gone before. */
static void stop(struct soak *s)
{
	bool go_away = rng_chance(&s->rng, 50);

	s->ends = true;
	for (unsigned i = 0; i < s->n_askers && go_away; i++)
		client_cancel(s, &s->askers[i]);
	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		resolver_free(s->nodes[i].resolver);
		packetcache_free(s->nodes[i].packets);
	}
	for (unsigned i = 0; i < s->n_askers; i++)
		if (s->askers[i].state == ASKER_WAITS)
			soak_fail(s, "question %u was never answered", i);
	servers_free(s->servers);
	cache_free(s->cache);
	aggressive_free(s->aggressive);
	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		network_deinit(&s->nodes[i].network);
}

static void run(struct soak *s)
{
	live(s);
	/* Now and then it ends in the middle. */
	if (rng_chance(&s->rng, 8))
		return;
	soak_drain(s, DRAIN_US);
	check_cache(s);
	calm(s);
	soak_drain(s, DRAIN_US);
	check_cache(s);
	check_end(s);
}

static void check_world(struct soak *s)
{
	for (unsigned i = 0; i < s->setup.n_nodes; i++) {
		if (s->nodes[i].network.breach[0] != '\0')
			soak_fail(s, "%s", s->nodes[i].network.breach);
		if (s->nodes[i].ctx.breach[0] != '\0')
			soak_fail(s, "%s", s->nodes[i].ctx.breach);
	}
	if (check_surprises() > 0)
		soak_fail(s, "an expectation of the resolver's own did not hold");
}

bool soak_run(struct soak *s, uint64_t seed, FILE *out)
{
	s->seed = seed;
	s->out = out;
	start(s);
	if (out != NULL)
		internet_print(out, &s->net);
	if (open_all(s) && hints_set(s) && anchors_publish(s))
		run(s);
	else if (!s->starved)
		soak_fail(s, "no memory");
	stop(s);
	check_world(s);
	return s->failure[0] == '\0';
}
