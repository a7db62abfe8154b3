#include "recursor/probe.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/rezone.h"
#include "recursor/wiring.h"
#include "recursor/worker.h"

enum {
	CACHE_ENTRIES = 4096,
	CACHE_BYTES = 8 << 20,
	SET_BYTES = 1 << 16,
	SOCKETS = 64,
	GOALS = 1000
};

struct probe {
	/* What a worker's resolver needs of a worker, and nothing that clients are answered with.  It
	 * comes first: the world's functions get it. */
	struct worker w;
	struct cache *cache;
	const struct settings *settings; /* its configuration borrows of them */
	atomic_bool stopped;
	struct probe_said *said; /* while it asks */
	const uint8_t *name;
	uint16_t type;
	bool is_done, runs;
};

static void tick(void *ctx)
{
	struct worker *w = ctx;

	resolver_tick(w->resolver);
}

/* ---- its life ---- */

/* By its own settings: those of the server may be freed as soon as the workers have newer ones. */
static unsigned domain_labels(void *ctx, const uint8_t *name)
{
	const struct probe *p = ctx;

	return psl_registrable_memo(p->w.domains, p->settings->psl, name, name_hash(name));
}

static int open_resolver(struct probe *p, struct anchors *anchors)
{
	struct server *server = p->w.server;
	struct resolver_config cfg;
	struct zones *zones;
	struct world world;
	int err;

	wiring_resolver_config(&cfg, p->settings);
	cfg.max_goals = GOALS;
	cfg.max_background = 0;
	cfg.stale_s = 0;
	cfg.refresh_percent = 0;
	cfg.journal_bytes = 0;
	wiring_world(&world, &p->w);
	world.domain_labels = domain_labels;
	err = resolver_new(&p->w.resolver, &cfg, p->cache, server->servers, &p->w.counters, &world);
	if (err != E_OK)
		return err;
	zones = server_zones_get(server);
	resolver_set_zones(p->w.resolver, zones);
	zones_put(zones);
	resolver_set_anchors(p->w.resolver, anchors);
	return wiring_hints(p->w.resolver, server, p->settings);
}

int probe_new(struct probe **out, struct server *server, struct anchors *anchors)
{
	static const struct cache_config small = {
		.max_entries = CACHE_ENTRIES,
		.max_bytes = CACHE_BYTES,
		.max_set_bytes = SET_BYTES,
		.shards = 1,
	};
	struct probe *p = aligned_alloc(alignof(struct probe), sizeof(*p));
	struct outgoing_handler answers;
	struct outgoing_config asking;
	int err;

	if (p == NULL)
		return E_NOMEM;
	memset(p, 0, sizeof(*p));
	p->w.server = server;
	p->settings = server_settings_get(server);
	costing_init(&p->w.costing);
	wiring_outgoing_config(&asking, p->settings, SOCKETS);
	wiring_outgoing_handler(&answers, &p->w);
	err = random_init(&p->w.random);
	if (err == E_OK)
		err = psl_memo_new(&p->w.domains);
	if (err == E_OK)
		err = loop_new(&p->w.loop);
	if (err == E_OK)
		err = loop_timer_new(&p->w.tick, p->w.loop, tick, &p->w);
	if (err == E_OK)
		err = outgoing_new(&p->w.outgoing, p->w.loop, &asking, &answers);
	if (err == E_OK)
		err = cache_new(&p->cache, &small);
	if (err == E_OK)
		err = open_resolver(p, anchors);
	if (err == E_OK)
		*out = p;
	else
		probe_free(p);
	return err;
}

void probe_free(struct probe *p)
{
	if (p == NULL)
		return;
	resolver_free(p->w.resolver);
	if (p->w.outgoing != NULL)
		outgoing_close(p->w.outgoing);
	if (p->w.tick != NULL)
		loop_timer_close(p->w.tick);
	if (p->w.loop != NULL)
		loop_free(p->w.loop);
	cache_free(p->cache);
	psl_memo_free(p->w.domains);
	settings_free(p->settings);
	free(p);
}

/* ---- asking ---- */

static void take(void *ctx, const struct answer *a)
{
	struct probe *p = ctx;

	p->is_done = true;
	p->said->rcode = a->rcode;
	p->said->security = a->security;
	for (size_t i = 0; i < a->n_sets && p->said->set == NULL; i++)
		if (a->sets[i]->type == p->type && name_equal(rrset_owner(a->sets[i]), p->name))
			p->said->set = rrset_get(a->sets[i]);
	/* A loop that does not run would remember it, and not run the next time. */
	if (p->runs)
		loop_stop(p->w.loop);
}

static int ask(struct probe *p, const uint8_t *name, uint16_t type, bool validate,
	       struct probe_said *said)
{
	const struct question q = {
		.name = name,
		.type = type,
		.no_stale = true,
		.validate = validate,
	};
	struct request *request;

	*said = (struct probe_said) { .rcode = 0 };
	if (atomic_load(&p->stopped))
		return E_STOPPED;
	p->said = said;
	p->name = name;
	p->type = type;
	p->is_done = false;
	request = resolver_ask(p->w.resolver, &q, take, p);
	p->runs = true;
	while (!p->is_done && !atomic_load(&p->stopped))
		loop_run(p->w.loop);
	p->runs = false;
	if (p->is_done)
		return E_OK;
	resolver_cancel(p->w.resolver, request);
	return E_STOPPED;
}

int probe_ask(struct probe *p, const uint8_t *name, uint16_t type, struct probe_said *said)
{
	return ask(p, name, type, true, said);
}

int probe_ask_unchecked(struct probe *p, const uint8_t *name, uint16_t type,
			struct probe_said *said)
{
	return ask(p, name, type, false, said);
}

void probe_said_put(struct probe_said *said)
{
	rrset_put(said->set);
	said->set = NULL;
}

static void stop(void *ctx)
{
	struct probe *p = ctx;

	loop_stop(p->w.loop);
}

void probe_stop(struct probe *p)
{
	atomic_store(&p->stopped, true);
	if (loop_post(p->w.loop, stop, p) != E_OK)
		return;
}
