/* script_side: see script_side.h. */
#include "recursor/script_side.h"

#include <time.h>

#include "recursor/watch/metrics.h"

static uint64_t now_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void wall(void *ctx, int64_t *s, int32_t *us)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	*s = ts.tv_sec;
	*us = (int32_t)(ts.tv_nsec / 1000);
}

static void fill_random(void *ctx, void *buf, size_t len)
{
	struct script_side *side = ctx;

	random_bytes(&side->random, buf, len);
}

static bool stat(void *ctx, const char *name, uint64_t *value)
{
	const struct script_side *side = ctx;

	return side->env->ctx != NULL && metrics_get(side->env, name, value);
}

static unsigned registrable(void *ctx, const uint8_t *name)
{
	const struct script_side *side = ctx;

	return psl_registrable(side->psl, name);
}

int script_side_init(struct script_side *side, const struct watch_env *env, struct psl *psl)
{
	side->env = env;
	side->psl = psl;
	return random_init(&side->random);
}

void script_side_deinit(struct script_side *side)
{
	psl_put(side->psl);
}

void script_side_fill(struct script_side *side, struct script_host *host)
{
	host->ctx = side;
	host->now_ns = now_ns;
	host->wall = wall;
	host->random = fill_random;
	host->stat = stat;
	host->registrable = registrable;
}
