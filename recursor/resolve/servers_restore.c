/* servers_restore: what was known of servers before the daemon was started. */
#include "recursor/resolve/servers.h"

#include "recursor/resolve/servers_table.h"

static bool has_room(const struct servers *s, const struct shard *sh)
{
	size_t more = heap_cost(sizeof(struct server)) + sieve_growth(&sh->servers);

	return sh->servers.n < s->max_servers && shard_bytes(sh) + more <= sh->max_bytes;
}

static void fill(struct server *e, const struct server_dump *kept, uint64_t now_ms)
{
	e->known = true;
	e->measured = kept->view.measured;
	e->srtt_us = kept->srtt_us;
	e->rttvar_us = kept->rttvar_us;
	e->lost_us = kept->lost_us;
	e->edns = (uint8_t)kept->view.edns;
	e->edns_until_ms = now_ms + kept->edns_left_s * 1000ULL;
	/* The host may be up for less than that. */
	e->seen_ms = now_ms > kept->age_ms ? now_ms - kept->age_ms : 0;
}

bool servers_restore(struct servers *s, const struct server_dump *kept, uint64_t now_ms)
{
	uint64_t hash = addr_hash(&kept->addr);
	struct shard *sh = shard_lock(s, hash);
	struct server *e = server_find(s, sh, &kept->addr, hash);
	bool take = e != NULL ? !e->known : has_room(s, sh);

	if (take)
		e = server_need(s, sh, &kept->addr, hash);
	take = take && e != NULL;
	if (take)
		fill(e, kept, now_ms);
	shard_unlock(sh);
	if (take && kept->ns_name != NULL)
		servers_set_name(s, &kept->addr, kept->ns_name);
	return take;
}
