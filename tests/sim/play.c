#include "tests/sim/play.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/netset.h"
#include "recursor/resolve/zones.h"
#include "tests/sim/compare.h"
#include "tests/sim/story.h"

enum {
	PATIENCE_US = 20 * 1000000, /* the client's */
	IDLE_US = 60 * 1000000,     /* until when the resolver must be done with everything */
};

void play_fail(struct player *p, const struct step *step, const char *format, ...)
{
	va_list args;

	if (p->failed)
		return;
	p->failed = true;
	fprintf(p->o->out, "FAIL %s (minimise %s): ", p->s->name, p->o->minimise ? "on" : "off");
	if (step != NULL)
		fprintf(p->o->out, "step %u, line %u: ", step->number, step->line);
	va_start(args, format);
	vfprintf(p->o->out, format, args);
	va_end(args);
	fputc('\n', p->o->out);
}

/* ---- the world and who lives in it ---- */

static int start(struct player *p, char *why)
{
	static const struct cache_config cache = { .max_entries = 100000, .shards = 1 };
	static const struct servers_config servers = {
		.max_servers = 10000,
		.max_throttles = 10000,
		.down_max_fails = 64,
		.down_time_s = 60,
		.bypass_probability = 25,
		.network_timeout_ms = 1500,
		.max_inflight = 1024,
		.unresolved_max_fails = 5,
		.unresolved_time_s = 60,
	};
	struct servers_config servers_cfg = servers;
	int err = play_configure(p, why);

	if (err != E_OK)
		return err;
	servers_cfg.network_timeout_ms = p->cfg.network_timeout_ms;
	if (p->max_inflight_server != 0)
		servers_cfg.max_inflight = p->max_inflight_server;
	/* Not ~seed: hash_mix() multiplies, and with -1 all goals of a type have one hash. */
	hash_key_set(p->o->seed, ~p->o->seed * 0x9e3779b97f4a7c15);
	if ((err = network_init(&p->net, p->o->seed, play_start_time(p->s))) != E_OK ||
	    (err = cache_new(&p->cache, &cache)) != E_OK ||
	    (err = servers_new(&p->servers, &servers_cfg)) != E_OK ||
	    (err = resolver_new(&p->resolver, &p->cfg, p->cache, p->servers, &p->counters,
				&p->net.world)) != E_OK) {
		snprintf(why, SCENARIO_WHY_MAX, "%s", err_text(err));
		return err;
	}
	cache_set_stale(p->cache, p->cfg.stale_s);
	p->net.resolver = p->resolver;
	p->net.serve = play_serve;
	p->net.serve_ctx = p;
	err = play_set_hints(p, why);
	if (err == E_OK)
		err = play_set_zones(p, why);
	if (err == E_OK)
		err = play_sign(p, why);
	if (err == E_OK)
		err = play_set_copies(p, why);
	return err == E_OK ? play_set_trust(p, why) : err;
}

static void stop(struct player *p)
{
	while (p->clients != NULL) {
		struct client *c = p->clients;

		p->clients = c->next;
		client_free(c);
	}
	if (p->resolver != NULL)
		resolver_free(p->resolver);
	if (p->servers != NULL)
		servers_free(p->servers);
	if (p->cache != NULL)
		cache_free(p->cache);
	network_deinit(&p->net);
	play_policy_free(p);
	play_sign_free(p);
	netset_free(p->dont_query);
	netset_free(p->dont_throttle_nets);
	nameset_free(p->dont_throttle_names);
}

/* ---- steps ---- */

/* Lets the world go on until *flag; false: it did not happen in time. */
static bool wait_for(struct player *p, const bool *flag, uint64_t until_us)
{
	while (!*flag && network_step(&p->net, until_us))
		;
	return *flag;
}

/* "NOWAIT", "KNOWN", "ROUTE group", in any order. */
static bool read_manner(const struct step *step, struct client_manner *manner, bool *waits)
{
	char text[256], *save = NULL;

	*manner = (struct client_manner) { .route = 0 };
	*waits = true;
	(void)snprintf(text, sizeof(text), "%s", step->argument);
	for (char *word = strtok_r(text, " \t", &save); word != NULL;
	     word = strtok_r(NULL, " \t", &save)) {
		if (strcmp(word, "NOWAIT") == 0)
			*waits = false;
		else if (strcmp(word, "KNOWN") == 0)
			manner->known = true;
		else if (strcmp(word, "ROUTE") == 0 &&
			 (word = strtok_r(NULL, " \t", &save)) != NULL)
			manner->route = zones_group_id(word);
		else
			return false;
	}
	return true;
}

static void ask(struct player *p, const struct step *step)
{
	struct client_manner manner;
	struct client *c;
	bool waits;

	if (!read_manner(step, &manner, &waits)) {
		play_fail(p, step, "what is `%s`?", step->argument);
		return;
	}

	if (p->client == NULL || p->client->answered) {
		p->n_asked = 0;
		p->asked_us = p->net.now_us;
	}
	manner.dnssec = p->cfg.dnssec;
	manner.sentinel = p->o->foreign;
	c = client_new(&p->net, step->entry->pkt, &manner, ++p->n_clients);
	if (c == NULL) {
		play_fail(p, step, "not a question that a client can send");
		return;
	}
	c->next = p->clients;
	p->clients = p->client = c;
	if (waits)
		wait_for(p, &c->answered, p->net.now_us + PATIENCE_US);
	if (p->o->verbose)
		story_print(p->o->out, &c->trace);
}

static void check_client(struct player *p, const struct step *step, struct client *c)
{
	unsigned differs;

	if (!wait_for(p, &c->answered, c->asked_us + PATIENCE_US)) {
		play_fail(p, step, "no answer within %d s", PATIENCE_US / 1000000);
		return;
	}
	if (c->answer == NULL) {
		play_fail(p, step, "the answer is no DNS message");
		return;
	}
	differs = compare_messages(step->entry->pkt, c->answer, step->entry->match);
	if (differs == 0 || p->failed)
		return;
	play_fail(p, step, "differs in what follows");
	fprintf(p->o->out, "  in:");
	compare_print_words(p->o->out, differs);
	fprintf(p->o->out, "\n  expected:\n");
	compare_print_message(p->o->out, step->entry->pkt, "    ");
	fprintf(p->o->out, "  got:\n");
	compare_print_message(p->o->out, c->answer, "    ");
}

static void check_answer(struct player *p, const struct step *step)
{
	if (p->client == NULL) {
		play_fail(p, step, "nothing was asked");
		return;
	}
	if (strcmp(step->argument, "ALL") != 0) {
		check_client(p, step, p->client);
		return;
	}
	for (struct client *c = p->clients; c != NULL; c = c->next)
		check_client(p, step, c);
}

static void pass_time(struct player *p, const struct step *step)
{
	unsigned seconds;
	bool never = false;

	if (sscanf(step->argument, "ELAPSE %u", &seconds) != 1)
		play_fail(p, step, "not `ELAPSE seconds`: %s", step->argument);
	else
		wait_for(p, &never, p->net.now_us + seconds * 1000000ull);
}

static void primed(void *ctx, bool ok)
{
	struct player *p = ctx;

	p->primed = true;
	p->primed_ok = ok;
}

static void prime(struct player *p, const struct step *step)
{
	p->n_asked = 0;
	p->asked_us = p->net.now_us;
	p->primed = p->primed_ok = false;
	resolver_prime(p->resolver, primed, p);
	if (!wait_for(p, &p->primed, p->net.now_us + PATIENCE_US))
		play_fail(p, step, "priming does not end");
	else if (!p->primed_ok != (strcmp(step->argument, "FAILS") == 0))
		play_fail(p, step, "priming %s", p->primed_ok ? "works" : "fails");
}

static void jump_clock(struct player *p, const struct step *step)
{
	int seconds;

	if (sscanf(step->argument, "%d", &seconds) != 1)
		play_fail(p, step, "not a number of seconds: %s", step->argument);
	else
		p->net.wall_offset_s += seconds;
}

static void wipe(struct player *p, const struct step *step)
{
	uint8_t name[NAME_MAX_LEN];

	if (name_from_text(name, step->argument) != E_OK) {
		play_fail(p, step, "not a name: %s", step->argument);
		return;
	}
	name_lower(name, name);
	cache_wipe(p->cache, name, 0, true);
}

static void take_step(struct player *p, const struct step *step)
{
	p->step = step->number;
	if (p->o->verbose)
		fprintf(p->o->out, "  step %u, line %u: %s %s\n", step->number, step->line,
			step_word(step->kind), step->argument);
	switch (step->kind) {
	case STEP_QUERY:
		ask(p, step);
		break;
	case STEP_CHECK_ANSWER:
		check_answer(p, step);
		break;
	case STEP_TIME_PASSES:
		pass_time(p, step);
		break;
	case STEP_PRIME:
		prime(p, step);
		break;
	case STEP_CLOCK:
		jump_clock(p, step);
		break;
	case STEP_WIPE:
		wipe(p, step);
		break;
	case STEP_NETWORK:
		p->no_route[0] = strcmp(step->argument, "GONE") == 0 ||
				 strcmp(step->argument, "GONE 4") == 0;
		p->no_route[1] = strcmp(step->argument, "GONE") == 0 ||
				 strcmp(step->argument, "GONE 6") == 0;
		p->no_room = strcmp(step->argument, "FULL") == 0;
		break;
	case STEP_POLICY:
		play_policy(p, step);
		break;
	case STEP_REPLY:
	case STEP_CHECK_OUT_QUERY:
	case STEP_KINDS:
		break;
	case STEP_CHECK_ASKED:
	case STEP_CHECK_COUNTER:
	case STEP_CHECK_COST:
	case STEP_CHECK_EDE:
	case STEP_CHECK_EVENT:
		play_check(p, step);
		break;
	}
}

/* ---- after the last step ---- */

static void check_leaks(struct player *p)
{
	struct resolver_stats left;
	bool never = false;

	wait_for(p, &never, p->net.now_us + IDLE_US);
	resolver_stats(p->resolver, &left);
	if (left.requests + left.goals + left.edges + left.timers + left.zones + p->net.n_pending >
	    0)
		play_fail(p, NULL,
			  "left over: %zu requests, %zu goals, %zu edges, %zu timers, %zu zones, "
			  "%zu questions",
			  left.requests, left.goals, left.edges, left.timers, left.zones,
			  p->net.n_pending);
}

static void check_mandatory(struct player *p)
{
	for (size_t i = 0; i < p->s->n_ranges; i++)
		for (size_t k = 0; k < p->s->ranges[i].n_entries; k++) {
			const struct entry *e = p->s->ranges[i].entries[k];

			if (e->mandatory && e->used == 0)
				play_fail(p, NULL, "line %u: never asked for", e->line);
		}
}

void play(struct scenario *s, const struct play_options *o, struct play_result *result)
{
	struct player *p = calloc(1, sizeof(*p));
	char why[SCENARIO_WHY_MAX];

	ASSERT(p != NULL);
	p->s = s;
	p->o = o;
	scenario_reset(s);
	if (o->verbose)
		fprintf(o->out, "%s (minimise %s): %s\n", s->name, o->minimise ? "on" : "off",
			s->title);
	if (start(p, why) != E_OK)
		play_fail(p, NULL, "%s", why);
	for (size_t i = 0; i < s->n_steps && !p->failed; i++) {
		take_step(p, &s->steps[i]);
		if (p->net.breach[0] != '\0')
			play_fail(p, &s->steps[i], "%s", p->net.breach);
	}
	if (!p->failed)
		check_mandatory(p);
	if (!p->failed)
		check_leaks(p);
	if (o->strict && p->unforeseen > 0)
		play_fail(p, NULL, "%u questions that were not foreseen", p->unforeseen);
	result->passed = !p->failed;
	result->unforeseen = p->unforeseen;
	stop(p);
	free(p);
}
