/*
 * The server as the operator's side sees it (watch/env.h): gauges, and visits to workers on their
 * own threads.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/anchorage.h"
#include "recursor/ipset_env.h"
#include "recursor/keeper.h"
#include "recursor/localcopy.h"
#include "recursor/pipeline.h"
#include "recursor/policy/shelf.h"
#include "recursor/reconfigure.h"
#include "recursor/rezone.h"
#include "recursor/scripts.h"
#include "recursor/server_state.h"
#include "recursor/shield.h"
#include "recursor/trial.h"
#include "recursor/visit.h"
#include "recursor/wiring.h"
#include "recursor/worker.h"

static_assert((int)ENV_WHY_MAX == (int)SETTINGS_WHY_MAX, "one line has the same room in both");

static const struct counters *env_counters(void *ctx, unsigned worker)
{
	struct server *s = ctx;

	ASSERT(worker < s->n_workers);
	return &s->workers[worker].counters;
}

static const counter *env_qtypes(void *ctx, unsigned worker)
{
	struct server *s = ctx;

	ASSERT(worker < s->n_workers);
	return pipeline_qtypes(s->workers[worker].pipeline);
}

#define GAUGE(type, name)                                                                          \
	static type env_##name(void *ctx, unsigned worker)                                         \
	{                                                                                          \
		struct server *s = ctx;                                                            \
                                                                                                   \
		ASSERT(worker < s->n_workers);                                                     \
		return atomic_load_explicit(&s->workers[worker].gauges.name,                       \
					    memory_order_relaxed);                                 \
	}
GAUGE(size_t, in_flight)
GAUGE(size_t, tcp_clients)
GAUGE(size_t, packetcache_entries)
GAUGE(size_t, packetcache_bytes)
GAUGE(size_t, key_bytes)
GAUGE(uint64_t, latency_us)
GAUGE(size_t, flight_stories)
GAUGE(size_t, flight_bytes)

static const counter *env_sizes(void *ctx, unsigned worker)
{
	struct server *s = ctx;

	ASSERT(worker < s->n_workers);
	return pipeline_sizes(s->workers[worker].pipeline);
}

static void env_gauges(void *ctx, unsigned worker, struct watch_gauges *out)
{
	struct server *s = ctx;
	const struct worker_gauges *g = &s->workers[worker].gauges;

	ASSERT(worker < s->n_workers);
	out->our_latency_us = atomic_load_explicit(&g->our_latency_us, memory_order_relaxed);
	out->cpu_us = atomic_load_explicit(&g->cpu_us, memory_order_relaxed);
	out->tcp_idle_out = atomic_load_explicit(&g->tcp_idle_out, memory_order_relaxed);
	out->backgrounds = atomic_load_explicit(&g->backgrounds, memory_order_relaxed);
}

static void env_shelf(void *ctx, struct watch_shelf *out)
{
	struct server *s = ctx;
	struct shelf_stats stats;

	shelf_stats(s->shelf, &stats);
	*out = (struct watch_shelf) {
		.lists = stats.lists,
		.names = stats.names,
		.limits = stats.limits,
		.refused = stats.refused,
		.forgotten = stats.forgotten,
		.bytes = stats.bytes,
	};
}

static int env_save_cache(void *ctx, char *why)
{
	struct server *s = ctx;

	return keeper_save(s->keeper, why);
}

static void env_cachefile(void *ctx, struct watch_cachefile *out)
{
	struct server *s = ctx;

	keeper_stats(s->keeper, out);
}

static uint64_t env_max_cache_memory(void *ctx)
{
	struct server *s = ctx;

	return memory_total(&s->memory);
}

struct env_visit {
	void (*fn)(void *arg, const struct watch_worker *w);
	void *arg;
};

static void run_visit(struct worker *worker, void *arg)
{
	const struct env_visit *v = arg;
	struct watch_worker w = {
		.index = worker->index,
		.resolver = worker->resolver,
		.packetcache = worker->packetcache,
		.costs = worker->costing.costs,
		.recorder = pipeline_recorder(worker->pipeline),
		.ctx = worker->pipeline,
	};

	v->fn(v->arg, &w);
}

static int env_on_worker(void *ctx, unsigned worker,
			 void (*fn)(void *arg, const struct watch_worker *w), void *arg)
{
	struct server *s = ctx;
	struct env_visit v = { .fn = fn, .arg = arg };

	ASSERT(worker < s->n_workers);
	return visit_worker(&s->workers[worker], run_visit, &v);
}

static bool env_client_of(void *ctx, const struct request_view *v, struct watch_client *out)
{
	const struct client *c = pipeline_client_of(v);

	(void)ctx;
	if (c == NULL)
		return false;
	*out = (struct watch_client) { .remote = c->remote, .tcp = c->tcp };
	return true;
}

static struct trace_rule *env_set_trace_rule(const struct watch_worker *w, struct trace_rule *rule)
{
	return pipeline_set_trace_rule(w->ctx, rule);
}

static void env_set_query_rules(const struct watch_worker *w, const struct query_rules *rules)
{
	pipeline_set_query_rules(w->ctx, rules);
}

static char *env_setting(void *ctx, const char *name)
{
	const struct settings *now = server_settings_get(ctx);
	const char *text = settings_text(now, name);
	char *copy = text == NULL ? NULL : strdup(text);

	settings_free(now);
	return copy;
}

static char *env_setting_default(void *ctx, const char *name)
{
	(void)ctx;
	return settings_default_text(name);
}

static void env_each_setting(void *ctx,
			     void (*cb)(void *cb_ctx, const char *name, const char *value),
			     void *cb_ctx)
{
	const struct settings *now = server_settings_get(ctx);

	settings_each(now, cb, cb_ctx);
	settings_free(now);
}

static char *env_netmasks(void *ctx, const char *name)
{
	const struct settings *now = server_settings_get(ctx);
	const struct netset *set = strcmp(name, "allow-from") == 0 ? now->allow_from
								   : now->allow_notify_from;
	size_t len = netset_text(set, NULL, 0);
	char *text = malloc(len + 1);

	if (text != NULL)
		(void)netset_text(set, text, len + 1);
	settings_free(now);
	return text;
}

static struct zones *env_zones(void *ctx)
{
	return server_zones_get(ctx);
}

static struct anchors *env_anchors(void *ctx)
{
	struct server *s = ctx;

	return anchorage_get(s->anchorage);
}

static int env_edit_anchors(void *ctx, int (*edit)(void *arg, struct anchors *copy), void *arg,
			    char *why)
{
	struct server *s = ctx;

	return anchorage_edit(s->anchorage, edit, arg, why);
}

static int env_reload_anchors(void *ctx, const char *file, char *path, char *why)
{
	return server_reload_anchors(ctx, file, path, why);
}

static int env_copies(void *ctx, struct watch_copy **out, size_t *n)
{
	struct server *s = ctx;

	return localcopy_states(s->localcopy, out, n);
}

static void env_copies_stats(void *ctx, struct watch_copies *out)
{
	struct server *s = ctx;

	localcopy_stats(s->localcopy, out);
}

static struct psl *env_psl(void *ctx)
{
	const struct settings *now = server_settings_get(ctx);
	struct psl *psl = psl_get(now->psl);

	settings_free(now);
	return psl;
}

/* The addresses that clients ask: the first of them. */
static struct addr first_address(const struct settings *now)
{
	const struct addr none = { .family = 4, .port = 53, .ip = { 127, 0, 0, 1 } };

	return now->local_address.n > 0 ? now->local_address.a[0] : none;
}

static int env_try_script(void *ctx, const struct try_request *rq, struct try_report *out,
			  char *why)
{
	struct server *s = ctx;
	const struct settings *now = server_settings_get(s);
	struct trial_options o = {
		.limits = wiring_script_limits(now),
		.include_dir = now->lua_global_include_dir,
		.config_dir = now->config_dir,
		.config_name = now->config_name,
		.local = first_address(now),
		.ipsets = s->ipsets,
	};
	int err = trial_run(&s->own_env, &o, rq, out, why);

	settings_free(now);
	return err;
}

static int env_change(void *ctx, const char *name, const char *value, char *why)
{
	return server_change(ctx, name, value, why);
}

static int env_amend(void *ctx, const char *name, char *(*make)(void *arg, const char *now),
		     void *arg, char *why)
{
	return server_amend(ctx, name, make, arg, why);
}

static int env_reload(void *ctx, const char *const *names, size_t n, char *why)
{
	return server_reload(ctx, names, n, why);
}

static int env_reload_zones(void *ctx, const char *const *more, size_t n, char *why)
{
	return server_reload_zones(ctx, more, n, why);
}

static int env_load_script(void *ctx, const char *path, char *loaded, char *why)
{
	return server_load_script(ctx, path, loaded, why);
}

static int env_reload_defender(void *ctx, char *why)
{
	return server_reload_defender(ctx, why);
}

static void env_defender_show(void *ctx, FILE *out, struct json_t *json)
{
	struct server *s = ctx;

	defender_show(s->defender, out, json, loop_now_us() / 1000);
}

static void env_defender_stats(void *ctx, struct watch_defender *out)
{
	struct server *s = ctx;
	struct defender_stats stats;

	defender_stats(s->defender, &stats);
	*out = (struct watch_defender) {
		.accused = stats.accused,
		.most_accused = stats.most_accused,
		.accusations = stats.begun,
		.refused = stats.refused,
		.evicted = stats.evicted,
		.bytes = stats.bytes,
		.known = stats.known.younger + stats.known.older,
		.known_bytes = stats.known.bytes,
		.known_left_out = stats.known_left_out,
	};
}

static bool env_is_ready(void *ctx)
{
	enum server_state state = server_state(ctx);

	return state == SERVER_SERVING || state == SERVER_ROOTLESS;
}

static bool env_is_primed(void *ctx)
{
	return server_is_primed(ctx);
}

static bool env_drain(void *ctx, bool on)
{
	return server_set_draining(ctx, on);
}

static uint64_t env_draining_since_ms(void *ctx)
{
	return server_draining_since_ms(ctx);
}

static uint64_t env_patience_ms(void *ctx)
{
	struct server *s = ctx;
	const struct settings *now = server_settings_get(s);
	uint64_t ms = server_patience_ms(now);

	settings_free(now);
	return ms;
}

static void env_quit(void *ctx, bool nicely)
{
	struct server *s = ctx;

	s->quit(s->quit_ctx, nicely);
}

static uint64_t env_now_ms(void *ctx)
{
	(void)ctx;
	return loop_now_us() / 1000;
}

static uint32_t env_wall_s(void *ctx)
{
	(void)ctx;
	return loop_wall_s();
}

void server_watch(struct server *s, struct watch_env *env, void (*quit)(void *ctx, bool nicely),
		  void *ctx)
{
	s->quit = quit;
	s->quit_ctx = ctx;
	*env = (struct watch_env) {
		.ctx = s,
		.n_workers = s->n_workers,
		.cache = s->cache,
		.servers = s->servers,
		.aggressive = s->aggressive,
		.rings = s->rings,
		.custom_metrics = s->custom_metrics,
		.web = &s->web,
		.scripts = &s->scripts_most,
		.carbon = s->carbon,
		.secpoll = s->secpoll,
		.dnstap = s->dnstap,
		.started_ms = s->started_ms,
		.counters = env_counters,
		.qtypes = env_qtypes,
		.sizes = env_sizes,
		.gauges = env_gauges,
		.in_flight = env_in_flight,
		.tcp_clients = env_tcp_clients,
		.packetcache_entries = env_packetcache_entries,
		.packetcache_bytes = env_packetcache_bytes,
		.key_bytes = env_key_bytes,
		.max_cache_memory = env_max_cache_memory,
		.save_cache = env_save_cache,
		.cachefile = env_cachefile,
		.latency_us = env_latency_us,
		.flight_stories = env_flight_stories,
		.flight_bytes = env_flight_bytes,
		.on_worker = env_on_worker,
		.client_of = env_client_of,
		.set_trace_rule = env_set_trace_rule,
		.set_query_rules = env_set_query_rules,
		.query_log = s->query_log,
		.setting = env_setting,
		.setting_default = env_setting_default,
		.each_setting = env_each_setting,
		.netmasks = env_netmasks,
		.zones = env_zones,
		.anchors = env_anchors,
		.edit_anchors = env_edit_anchors,
		.reload_anchors = env_reload_anchors,
		.copies = env_copies,
		.copies_stats = env_copies_stats,
		.psl = env_psl,
		.change = env_change,
		.amend = env_amend,
		.reload = env_reload,
		.reload_zones = env_reload_zones,
		.reload_defender = env_reload_defender,
		.load_script = env_load_script,
		.defender_show = env_defender_show,
		.try_script = env_try_script,
		.defender_stats = env_defender_stats,
		.is_primed = env_is_primed,
		.is_ready = env_is_ready,
		.drain = env_drain,
		.draining_since_ms = env_draining_since_ms,
		.patience_ms = env_patience_ms,
		.quit = env_quit,
		.now_ms = env_now_ms,
		.wall_s = env_wall_s,
	};
	ipset_env_fill(&env->ipsets, s->ipsets);
	env->shelf = env_shelf;
}
