/* servers_dump: the table of servers and throttles shown, and counted. */
#include "recursor/resolve/servers.h"

#include "common/name.h"
#include "recursor/resolve/servers_table.h"

enum { WALK_STEP = 16 }; /* entries copied under one lock */

/* What one step of a walk copies under the lock. */
struct copied {
	struct servers *servers;
	uint64_t now_ms;
	unsigned n;
	struct server_dump server[WALK_STEP];
	struct throttle_dump throttle[WALK_STEP];
	struct unresolved_dump unresolved[WALK_STEP];
	uint8_t name[WALK_STEP][NAME_MAX_LEN];
};

static void copy_server(struct copied *c, struct shard *sh, uint32_t at)
{
	struct server *e = server_at(sh, at);
	struct server_dump *d = &c->server[c->n];

	server_take_back(c->servers, sh, e);
	if (!e->known)
		return;
	*d = (struct server_dump) {
		.addr = e->addr,
		.age_ms = age_ms(e, c->now_ms),
		.srtt_us = e->srtt_us,
		.rttvar_us = e->rttvar_us,
		.lost_us = e->lost_us,
	};
	if (e->edns == EDNS_NONE && e->edns_until_ms > c->now_ms)
		d->edns_left_s = (uint32_t)((e->edns_until_ms - c->now_ms) / 1000);
	server_view_fill(c->servers, e, c->now_ms, &d->view);
	if (e->ns_name != NULL) {
		name_copy(c->name[c->n], e->ns_name);
		d->ns_name = c->name[c->n];
	}
	c->n++;
}

static uint32_t until(uint64_t end_ms, uint64_t now_ms)
{
	uint64_t left = end_ms - now_ms;

	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static void copy_down(struct copied *c, struct shard *sh, uint32_t at)
{
	struct server *e = server_at(sh, at);

	server_take_back(c->servers, sh, e);
	if (e->down_until_ms <= c->now_ms)
		return;
	c->throttle[c->n++] = (struct throttle_dump) {
		.addr = e->addr,
		.tries_left = e->down_tries,
		.ms_left = until(e->down_until_ms, c->now_ms),
		.why = THROTTLE_DOWN,
	};
}

static void copy_throttle(struct copied *c, struct shard *sh, uint32_t at)
{
	const struct throttle *t = throttle_at(sh, at);

	if (throttle_has_ended(c->servers, t, c->now_ms))
		return;
	name_copy(c->name[c->n], t->name);
	c->throttle[c->n] = (struct throttle_dump) {
		.addr = t->addr,
		.name = c->name[c->n],
		.type = t->type,
		.tries_left = t->tries,
		.ms_left = until(t->until_ms, c->now_ms),
		.why = (enum throttle_reason)t->why,
	};
	c->n++;
}

static void copy_unresolved(struct copied *c, struct shard *sh, uint32_t at)
{
	const struct unresolved *u = unresolved_at(sh, at);

	name_copy(c->name[c->n], u->name);
	c->unresolved[c->n] = (struct unresolved_dump) {
		.ns_name = c->name[c->n],
		.fails = u->fails,
		.age_ms = c->now_ms > u->failed_ms ? c->now_ms - u->failed_ms : 0,
	};
	c->n++;
}

/* Copies entries below *at and moves it down (common/sieve.h says why down).  False when the
 * shard is through. */
static bool copy_step(struct copied *c, struct shard *sh, const struct sieve *map, uint32_t *at,
		      void (*copy)(struct copied *c, struct shard *sh, uint32_t at))
{
	if (*at == 0)
		return false;
	c->n = 0;
	gate_enter(&sh->gate);
	if (*at > map->n)
		*at = map->n;
	for (int i = 0; i<WALK_STEP && * at> 0; i++)
		copy(c, sh, --*at);
	shard_unlock(sh);
	return true;
}

int servers_walk(struct servers *s, int (*cb)(void *ctx, const struct server_dump *d), void *ctx,
		 uint64_t now_ms)
{
	struct copied c = { .servers = s, .now_ms = now_ms };

	for (int i = 0; i < SERVERS_SHARDS; i++) {
		struct shard *sh = &s->shards[i];
		uint32_t at = SIEVE_NONE;

		while (copy_step(&c, sh, &sh->servers, &at, copy_server)) {
			for (unsigned j = 0; j < c.n; j++) {
				int result = cb(ctx, &c.server[j]);

				if (result < 0)
					return result;
			}
		}
	}
	return E_OK;
}

static int dump_throttles(const struct copied *c,
			  int (*cb)(void *ctx, const struct throttle_dump *d), void *ctx)
{
	for (unsigned i = 0; i < c->n; i++) {
		int result = cb(ctx, &c->throttle[i]);

		if (result < 0)
			return result;
	}
	return E_OK;
}

int servers_walk_throttles(struct servers *s, int (*cb)(void *ctx, const struct throttle_dump *d),
			   void *ctx, uint64_t now_ms)
{
	struct copied c = { .servers = s, .now_ms = now_ms };
	int result = E_OK;

	for (int i = 0; i < SERVERS_SHARDS && result >= 0; i++) {
		struct shard *sh = &s->shards[i];
		uint32_t at = SIEVE_NONE;

		while (result >= 0 && copy_step(&c, sh, &sh->servers, &at, copy_down))
			result = dump_throttles(&c, cb, ctx);
		at = SIEVE_NONE;
		while (result >= 0 && copy_step(&c, sh, &sh->throttles, &at, copy_throttle))
			result = dump_throttles(&c, cb, ctx);
	}
	return result;
}

int servers_walk_unresolved(struct servers *s,
			    int (*cb)(void *ctx, const struct unresolved_dump *d), void *ctx,
			    uint64_t now_ms)
{
	struct copied c = { .servers = s, .now_ms = now_ms };

	for (int i = 0; i < SERVERS_SHARDS; i++) {
		struct shard *sh = &s->shards[i];
		uint32_t at = SIEVE_NONE;

		while (copy_step(&c, sh, &sh->unresolved, &at, copy_unresolved)) {
			for (unsigned j = 0; j < c.n; j++) {
				int result = cb(ctx, &c.unresolved[j]);

				if (result < 0)
					return result;
			}
		}
	}
	return E_OK;
}

void servers_stats(struct servers *s, struct servers_stats *out)
{
	struct servers_stats sum = { .bytes = servers_own_bytes() };

	for (int i = 0; i < SERVERS_SHARDS; i++) {
		struct shard *sh = &s->shards[i];

		gate_enter(&sh->gate);
		sum.servers += sh->servers.n;
		sum.failed += sh->failed;
		sum.throttles += sh->throttles.n;
		sum.unresolved += sh->unresolved.n;
		sum.bytes += shard_bytes(sh);
		shard_unlock(sh);
	}
	*out = sum;
}
