/* soak: a seed's course; see soak.h. */
#include "tests/soak/soak.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "tests/sim/story.h"

enum {
	WALL_S = 1700000000,
	SECOND_US = 1000000,
	CALM_US = 700 * SECOND_US, /* until throttles and failures are forgotten */
	DRAIN_US = 120 * SECOND_US,
	CALM_QUESTIONS = 4,
	DAY_S = 86400,
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

static void __attribute__((format(printf, 2, 3))) say(struct soak *s, const char *format, ...)
{
	va_list args;

	if (s->out == NULL)
		return;
	fprintf(s->out, "  %9.1f ms ", (double)s->network.now_us / 1000);
	va_start(args, format);
	vfprintf(s->out, format, args);
	va_end(args);
	fputc('\n', s->out);
}

/* ---- clients ---- */

static void done(void *ctx, const struct answer *answer)
{
	struct asker *a = ctx;
	struct soak *s = a->soak;
	char rcode[RRTYPE_TEXT_MAX];

	if (a->state != ASKER_WAITS) {
		soak_fail(s, "answered twice, or after it was cancelled");
		return;
	}
	a->state = ASKER_ANSWERED;
	a->request = NULL;
	s->n_waiting--;
	s->out_queries += answer->out_queries;
	s->failures += answer->rcode == RCODE_SERVFAIL;
	say(s, "answer to question %d: %s, %zu sets, %u questions%s%s", (int)(a - s->askers),
	    rcode_to_text(answer->rcode, rcode), answer->n_sets, answer->out_queries,
	    answer->ede_text != NULL ? ": " : "", answer->ede_text != NULL ? answer->ede_text : "");
	check_answer(s, a, answer);
	if (a->trace != NULL) {
		if (s->harness != NULL)
			s->harness(true);
		story_print(s->out, a->trace);
		if (s->harness != NULL)
			s->harness(false);
	}
	free(a->trace);
	a->trace = NULL;
}

static struct asker *ask(struct soak *s, const uint8_t *name, uint16_t type, bool cache_only)
{
	struct asker *a = &s->askers[s->n_askers];
	char text[NAME_TEXT_MAX], type_text[RRTYPE_TEXT_MAX];
	static const char *const musts[] = { "", ", must be resolved unless limited",
					     ", must be resolved" };
	struct resolver_stats before;
	struct request *request;

	if (s->n_askers == ASKERS_MAX)
		return NULL;
	resolver_stats(s->resolver, &before);
	*a = (struct asker) {
		.soak = s,
		.type = type,
		.cache_only = cache_only,
		.alone = before.goals == 0,
		.max_qperq = s->setup.cfg.max_qperq,
		.max_msec = s->setup.cfg.max_total_msec,
		.asked_us = s->network.now_us,
		.sent = s->ctx.asked,
		.primings = counter_get(&s->counters.primings),
	};
	name_copy(a->name, name);
	a->must = cache_only ? MUST_NOT : must_succeed(s, name, type);
	a->limits = limits_met(s);
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].alone = false;
	s->n_askers++;
	s->n_waiting++;
	s->questions++;
	s->musts += a->must != MUST_NOT;
	say(s, "question %u: %s %s%s%s", s->n_askers - 1, name_to_text(text, name),
	    rrtype_to_text(type, type_text), cache_only ? ", of the cache only" : "",
	    musts[a->must]);
	if (s->out != NULL) {
		a->trace = calloc(1, sizeof(*a->trace));
		ASSERT(a->trace != NULL);
		a->trace->next_goal = 1;
	}
	request = resolver_ask(s->resolver,
			       &(struct question) { .name = a->name,
						    .type = type,
						    .cache_only = cache_only,
						    .no_stale = cache_only,
						    .trace = a->trace },
			       done, a);
	if (a->state == ASKER_WAITS)
		a->request = request;
	else if (request != NULL)
		soak_fail(s, "a request is left after its answer");
	return a;
}

static void random_label_prepend(struct soak *s, uint8_t name[NAME_MAX_LEN])
{
	static const char *const labels[] = { "a", "www", "x", "nx", "0", "y" };
	const char *label = RNG_PICK(&s->rng, labels);
	size_t len = name_len(name), add = strlen(label);

	if (len + add + 1 > NAME_MAX_LEN)
		return;
	memmove(name + add + 1, name, len);
	memcpy(name + 1, label, add);
	name[0] = (uint8_t)add;
}

static void random_case(struct soak *s, uint8_t *name)
{
	for (size_t i = 0, left = 0; name[i] != 0 || left > 0; i++, left--) {
		if (left == 0)
			left = name[i] + 1u;
		else if (name[i] >= 'a' && name[i] <= 'z' && rng_chance(&s->rng, 50))
			name[i] ^= 0x20;
	}
}

static uint16_t random_question(struct soak *s, uint8_t name[NAME_MAX_LEN])
{
	static const uint16_t types[] = { TYPE_A,  TYPE_A,     TYPE_A,     TYPE_AAAA, TYPE_TXT,
					  TYPE_NS, TYPE_CNAME, TYPE_DNAME, TYPE_DS,   TYPE_SOA,
					  TYPE_MX, TYPE_PTR,   300 };
	const struct internet *net = &s->net;
	const struct model_set *set = &net->sets[rng_below(&s->rng, net->n_sets)];
	uint16_t type = rng_chance(&s->rng, 60) ? set->type : RNG_PICK(&s->rng, types);
	unsigned how = rng_below(&s->rng, 100);

	if (how < 10 && s->n_askers > 0) {
		const struct asker *a = &s->askers[rng_below(&s->rng, s->n_askers)];

		name_copy(name, a->name);
		return a->type;
	}
	if (how < 60)
		name_copy(name, set->owner);
	else if (how < 75)
		name_copy(name, net->zones[rng_below(&s->rng, net->n_zones)].apex);
	else if (how < 82)
		name_copy(name, net->ns[rng_below(&s->rng, net->n_ns)].name);
	else if (how < 85)
		memcpy(name, "\11localhost", 11);
	else
		name_copy(name, set->owner);
	for (unsigned n = rng_chance(&s->rng, 70) ? 0 : rng_between(&s->rng, 1, 4); n > 0; n--)
		random_label_prepend(s, name);
	if (rng_chance(&s->rng, 10))
		random_case(s, name);
	return type;
}

static void ask_something(struct soak *s)
{
	unsigned again = rng_chance(&s->rng, 85) ? 1 : rng_between(&s->rng, 2, 5);
	uint8_t name[NAME_MAX_LEN];
	uint16_t type = random_question(s, name);

	while (again-- > 0)
		ask(s, name, type, rng_chance(&s->rng, 3));
}

static void cancel(struct soak *s, struct asker *a)
{
	if (a->state != ASKER_WAITS)
		return;
	a->state = ASKER_CANCELLED;
	s->n_waiting--;
	say(s, "question %d goes away", (int)(a - s->askers));
	resolver_cancel(s->resolver, a->request);
	free(a->trace);
	a->trace = NULL;
}

static void cancel_something(struct soak *s)
{
	for (unsigned i = 0; i < s->n_askers; i++)
		if (rng_chance(&s->rng, 30))
			cancel(s, &s->askers[i]);
}

/* ---- operators, and the weather ---- */

static void configure(struct soak *s)
{
	const struct resolver_config *cfg = &s->setup.cfg;

	for (unsigned i = 0; i < s->n_askers; i++)
		if (s->askers[i].max_qperq < cfg->max_qperq)
			s->askers[i].max_qperq = cfg->max_qperq;
	resolver_configure(s->resolver, cfg);
	if (cfg->min_ttl > s->min_ttl)
		s->min_ttl = cfg->min_ttl;
	if (cfg->max_ttl > s->max_ttl)
		s->max_ttl = cfg->max_ttl;
}

static void change_limits(struct soak *s)
{
	say(s, "other limits");
	s->was_tight = true;
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].must = MUST_NOT;
	setup_change(&s->setup, &s->rng);
	configure(s);
	if (rng_chance(&s->rng, 30))
		cache_set_limits(s->cache, rng_below(&s->rng, 300), 0);
}

static void wipe(struct soak *s)
{
	uint8_t name[NAME_MAX_LEN];
	uint16_t type = random_question(s, name);
	bool subtree = rng_chance(&s->rng, 60);

	say(s, "wipes the cache");
	s->wiped_us = s->network.now_us;
	cache_wipe(s->cache, subtree && rng_chance(&s->rng, 30) ? name_root : name,
		   rng_chance(&s->rng, 20) ? type : 0, subtree);
	if (rng_chance(&s->rng, 30))
		servers_clear(s->servers, rng_chance(&s->rng, 50));
}

static void jump_clock(struct soak *s)
{
	static const int far[] = { 1, 10, 400, 4000, DAY_S, 30 * DAY_S };
	int by = RNG_PICK(&s->rng, far);

	if (rng_chance(&s->rng, 50))
		by = -by;
	say(s, "the clock jumps by %d s", by);
	s->network.wall_offset_s += by;
}

static void prime(struct soak *s)
{
	resolver_prime(s->resolver, NULL, NULL);
}

static void housekeeping(struct soak *s)
{
	cache_expire_some(s->cache, rng_below(&s->rng, 50),
			  s->network.world.wall_s(s->network.world.ctx));
}

/* Packets that answer nothing, for tickets there may be or not. */
static void stray_packets(struct soak *s)
{
	static const uint8_t wire[WIRE_HEADER_LEN] = { 0, 0, 0x80 };
	uint64_t ticket = (uint64_t)rng_below(&s->rng, 200) << 32 | rng_below(&s->rng, 70);

	for (size_t i = 0; i < s->network.n_pending; i++)
		if (s->network.pending[i] == ticket)
			return;
	resolver_reply(s->resolver, ticket, wire, sizeof(wire));
	resolver_near_miss(s->resolver, ticket);
	resolver_failed(s->resolver, ticket, (enum net_failure)rng_below(&s->rng, 4));
	resolver_tick(s->resolver);
}

static void pass_time(struct soak *s)
{
	static const uint32_t most_us[] = { 1000,          30000,          300000,
					    3 * SECOND_US, 20 * SECOND_US, 200 * SECOND_US };
	uint64_t until_us = s->network.now_us + rng_below(&s->rng, RNG_PICK(&s->rng, most_us));

	while (network_step(&s->network, until_us))
		;
}

/* ---- the course ---- */

static void live(struct soak *s)
{
	static const struct {
		void (*what)(struct soak *s);
		unsigned weight;
	} events[] = {
		{ ask_something, 60 }, { cancel_something, 4 }, { wipe, 4 },
		{ jump_clock, 4 },     { change_limits, 2 },    { prime, 1 },
		{ housekeeping, 3 },   { stray_packets, 3 },    { pass_time, 19 },
	};
	unsigned n = rng_between(&s->rng, 4, 24);

	while (n-- > 0 && s->failure[0] == '\0') {
		unsigned dice = rng_below(&s->rng, 100), i = 0;

		for (; dice >= events[i].weight; i++)
			dice -= events[i].weight;
		events[i].what(s);
		if (rng_chance(&s->rng, 70))
			pass_time(s);
	}
}

static void drain(struct soak *s, uint64_t us)
{
	uint64_t until_us = s->network.now_us + us;

	while (network_step(&s->network, until_us))
		;
}

/* The faults end, the limits are wide, and time passes: what can be resolved must be. */
static void calm(struct soak *s)
{
	struct reach reach = { s->setup.cfg.use_ipv4, s->setup.cfg.use_ipv6 };
	unsigned found = 0;

	say(s, "calm");
	s->net.calm = true;
	setup_relax(&s->setup);
	configure(s);
	cache_set_limits(s->cache, 20000, 0);
	s->ctx.forged = s->ctx.no_resources = 0;
	if (s->starved)
		s->relent();
	s->was_tight = false;
	drain(s, CALM_US);
	internet_judge(&s->net, &reach);
	for (unsigned i = 0; i < 4 * CALM_QUESTIONS && found < CALM_QUESTIONS; i++) {
		uint8_t name[NAME_MAX_LEN];
		uint16_t type = random_question(s, name);

		if (s->failure[0] != '\0' || must_succeed(s, name, type) == MUST_NOT)
			continue;
		found++;
		if (ask(s, name, type, false) != NULL)
			drain(s, DRAIN_US);
	}
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
	memset(&s->counters, 0, sizeof(s->counters));
	ASSERT(network_init(&s->network, s->seed, WALL_S) == E_OK);
	s->ctx = (struct servers_ctx) {
		.net = &s->net,
		.rng = rng_for(s->seed, 'H'),
		.use_0x20 = s->setup.cfg.use_0x20,
		.forged = s->setup.forged,
		.no_resources = s->setup.no_resources,
		.out = s->out,
	};
	s->network.serve = servers_serve;
	s->network.serve_ctx = &s->ctx;
	s->rng = rng_for(s->seed, 'C');
	s->n_askers = s->n_waiting = 0;
	s->questions = s->out_queries = s->musts = s->failures = 0;
	s->min_ttl = s->max_ttl = 0;
	s->was_tight = s->starved;
	s->wiped_us = 0;
	s->failure[0] = '\0';
}

/* False when there is no memory for it. */
static bool open_all(struct soak *s)
{
	s->cache = NULL;
	s->servers = NULL;
	s->resolver = NULL;
	if (cache_new(&s->cache, &s->setup.cache) != E_OK ||
	    servers_new(&s->servers, &s->setup.servers) != E_OK ||
	    resolver_new(&s->resolver, &s->setup.cfg, s->cache, s->servers, &s->counters,
			 &s->network.world) != E_OK)
		return false;
	s->network.resolver = s->resolver;
	configure(s);
	return true;
}

/* The root's servers as the hints have them. */
static bool hints_set(struct soak *s)
{
	struct rrset *sets[2 * ZONE_NS_MAX + 1] = { NULL };
	struct rdata ns[ZONE_NS_MAX];
	const struct zone *root = &s->net.zones[0];
	int err = E_OK;
	size_t n = 0;

	for (unsigned i = 0; i < root->n_ns; i++) {
		const struct ns_host *h = &s->net.ns[root->ns[i]];

		ns[i] = (struct rdata) { h->name, (uint16_t)name_len(h->name) };
		for (unsigned family = 4; family <= 6 && err == E_OK; family += 2) {
			struct addr a;
			struct rdata rr = { a.ip, family == 4 ? 4 : 16 };

			if (host_addr(&s->net, h->host, family, &a))
				err = rrset_new(&sets[n++], h->name,
						family == 4 ? TYPE_A : TYPE_AAAA, 3600, 0,
						RANK_LOCAL, &rr, 1, NULL, 0);
		}
	}
	if (err == E_OK)
		err = rrset_new(&sets[n++], name_root, TYPE_NS, 3600, 0, RANK_LOCAL, ns, root->n_ns,
				NULL, 0);
	if (err == E_OK)
		err = resolver_set_hints(s->resolver, sets, n);
	while (n > 0)
		rrset_put(sets[--n]);
	return err == E_OK;
}

static void stop(struct soak *s)
{
	for (unsigned i = 0; i < s->n_askers; i++)
		cancel(s, &s->askers[i]);
	resolver_free(s->resolver);
	servers_free(s->servers);
	cache_free(s->cache);
	network_deinit(&s->network);
}

static void check_world(struct soak *s)
{
	if (s->network.breach[0] != '\0')
		soak_fail(s, "%s", s->network.breach);
	if (s->ctx.breach[0] != '\0')
		soak_fail(s, "%s", s->ctx.breach);
	if (check_surprises() > 0)
		soak_fail(s, "an expectation of the resolver's own did not hold");
}

static void run(struct soak *s)
{
	live(s);
	drain(s, DRAIN_US);
	check_cache(s);
	calm(s);
	drain(s, DRAIN_US);
	check_cache(s);
	check_world(s);
	check_end(s);
}

bool soak_run(struct soak *s, uint64_t seed, FILE *out)
{
	s->seed = seed;
	s->out = out;
	start(s);
	if (out != NULL)
		internet_print(out, &s->net);
	if (open_all(s) && hints_set(s))
		run(s);
	else if (!s->starved)
		soak_fail(s, "no memory");
	stop(s);
	return s->failure[0] == '\0';
}
