/* unresolved: names of name servers for which no address could be found. */
#include "recursor/resolve/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/name.h"
#include "recursor/resolve/servers_table.h"

static uint32_t find(const struct shard *sh, const uint8_t *name, uint64_t hash)
{
	uint32_t at = sieve_first(&sh->unresolved, (uint32_t)hash);

	while (at != SIEVE_NONE && !name_equal(unresolved_at(sh, at)->name, name))
		at = sieve_next(&sh->unresolved, at);
	return at;
}

void unresolved_remove(struct servers *s, struct shard *sh, uint32_t at)
{
	struct unresolved *u = sieve_remove(&sh->unresolved, at);

	sh->entry_bytes -= unresolved_cost(u);
	atomic_fetch_sub_explicit(&s->n_unresolved, 1, memory_order_relaxed);
	free(u);
}

static bool is_old(const struct servers *s, const struct unresolved *u, uint64_t now_ms)
{
	return now_ms > u->failed_ms && now_ms - u->failed_ms >= s->cfg.unresolved_time_s * 1000ULL;
}

static struct unresolved *make(struct servers *s, struct shard *sh, const uint8_t *name,
			       uint64_t hash)
{
	size_t len = name_len(name), cost = heap_cost(sizeof(struct unresolved) + len);
	struct unresolved *u = NULL;
	uint32_t at;

	if (shard_make_room(s, sh, cost + sieve_growth(&sh->unresolved)))
		u = calloc(1, sizeof(*u) + len);
	if (u == NULL)
		return NULL;
	u->name_len = (uint8_t)len;
	name_lower(u->name, name);
	while (sh->unresolved.n >= s->max_throttles)
		unresolved_remove(s, sh, sieve_victim(&sh->unresolved));
	if (sieve_insert(&sh->unresolved, (uint32_t)hash, u, &at) != E_OK) {
		free(u);
		return NULL;
	}
	sh->entry_bytes += unresolved_cost(u);
	atomic_fetch_add_explicit(&s->n_unresolved, 1, memory_order_relaxed);
	return u;
}

void servers_ns_unresolved(struct servers *s, const uint8_t *ns_name, uint64_t now_ms)
{
	uint64_t hash = name_hash(ns_name);
	struct unresolved *u;
	struct shard *sh;
	uint32_t at;

	if (s->cfg.unresolved_max_fails == 0)
		return;
	sh = shard_lock(s, hash);
	at = find(sh, ns_name, hash);
	u = at != SIEVE_NONE ? unresolved_at(sh, at) : make(s, sh, ns_name, hash);
	if (u != NULL) {
		/* What failed long ago says nothing of a row. */
		u->fails = is_old(s, u, now_ms) ? 1 : u->fails + 1;
		u->failed_ms = now_ms;
	}
	shard_unlock(sh);
}

void servers_ns_resolved(struct servers *s, const uint8_t *ns_name)
{
	uint64_t hash;
	struct shard *sh;
	uint32_t at;

	if (atomic_load_explicit(&s->n_unresolved, memory_order_relaxed) == 0)
		return;
	hash = name_hash(ns_name);
	sh = shard_lock(s, hash);
	at = find(sh, ns_name, hash);
	if (at != SIEVE_NONE)
		unresolved_remove(s, sh, at);
	shard_unlock(sh);
}

bool servers_ns_is_left_out(struct servers *s, const uint8_t *ns_name, uint64_t now_ms)
{
	bool left_out = false;
	uint64_t hash;
	struct shard *sh;
	uint32_t at;

	if (s->cfg.unresolved_max_fails == 0 ||
	    atomic_load_explicit(&s->n_unresolved, memory_order_relaxed) == 0)
		return false;
	hash = name_hash(ns_name);
	sh = shard_lock(s, hash);
	at = find(sh, ns_name, hash);
	if (at != SIEVE_NONE && is_old(s, unresolved_at(sh, at), now_ms)) {
		unresolved_remove(s, sh, at);
	} else if (at != SIEVE_NONE) {
		sh->unresolved.slots[at].visited = 1;
		left_out = unresolved_at(sh, at)->fails >= s->cfg.unresolved_max_fails;
	}
	shard_unlock(sh);
	return left_out;
}
