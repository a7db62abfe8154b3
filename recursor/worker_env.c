/*
 * The server as the operator's side sees it (watch/env.h): gauges, and visits to workers on their
 * own threads.
 */
#include "common/check.h"
#include "recursor/pipeline.h"
#include "recursor/worker.h"

static const struct counters *env_counters(void *ctx, unsigned worker)
{
	struct server *s = ctx;

	ASSERT(worker < s->n_workers);
	return &s->workers[worker].counters;
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
GAUGE(uint64_t, latency_us)

/* Lives on the stack of who waits for it. */
struct visit {
	struct worker *worker;
	void (*fn)(void *arg, const struct watch_worker *w);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

static void run_visit(void *ctx)
{
	struct visit *v = ctx;
	struct watch_worker w = {
		.index = v->worker->index,
		.resolver = v->worker->resolver,
		.packetcache = v->worker->packetcache,
	};

	v->fn(v->arg, &w);
	pthread_mutex_lock(&v->lock);
	v->done = true;
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static int env_on_worker(void *ctx, unsigned worker,
			 void (*fn)(void *arg, const struct watch_worker *w), void *arg)
{
	struct server *s = ctx;
	struct visit v = {
		.worker = &s->workers[worker],
		.fn = fn,
		.arg = arg,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};

	ASSERT(worker < s->n_workers);
	if (!v.worker->started || loop_post(v.worker->loop, run_visit, &v) != E_OK)
		return E_SYSTEM;
	pthread_mutex_lock(&v.lock);
	while (!v.done)
		pthread_cond_wait(&v.changed, &v.lock);
	pthread_mutex_unlock(&v.lock);
	pthread_cond_destroy(&v.changed);
	pthread_mutex_destroy(&v.lock);
	return E_OK;
}

/* Called on the thread of the worker that is visited: whose pipeline it is follows from that. */
static bool env_client_of(void *ctx, const void *request_ctx, struct watch_client *out)
{
	struct server *s = ctx;

	for (unsigned i = 0; i < s->n_workers; i++) {
		const struct client *c;

		if (!pthread_equal(s->workers[i].thread, pthread_self()))
			continue;
		c = pipeline_client_of(s->workers[i].pipeline, request_ctx);
		if (c == NULL)
			return false;
		*out = (struct watch_client) { .remote = c->remote, .tcp = c->tcp };
		return true;
	}
	return false;
}

static const char *env_setting(void *ctx, const char *name)
{
	struct server *s = ctx;

	return settings_text(atomic_load(&s->settings), name);
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
		.started_ms = s->started_ms,
		.counters = env_counters,
		.in_flight = env_in_flight,
		.tcp_clients = env_tcp_clients,
		.packetcache_entries = env_packetcache_entries,
		.packetcache_bytes = env_packetcache_bytes,
		.latency_us = env_latency_us,
		.on_worker = env_on_worker,
		.client_of = env_client_of,
		.setting = env_setting,
		.quit = env_quit,
		.now_ms = env_now_ms,
		.wall_s = env_wall_s,
	};
}
