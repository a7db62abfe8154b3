/* cache_share: proofs that many denials share. */
#include <string.h>

#include "common/heap.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/cache_shard.h"

/* A share of its life by which a proof may be older than the denial that is to share it. */
enum { SHARED_LIFE_PART = 8 };

static uint32_t find_shared(const struct shard *sh, const struct key *k, uint16_t type)
{
	uint32_t at = sieve_first(&sh->map, (uint32_t)k->hash);

	for (; at != SIEVE_NONE; at = sieve_next(&sh->map, at)) {
		const struct rrset *s = set_at(sh, at);

		if (is_shared(sh, at) && s->type == type && s->owner_len == k->len &&
		    memcmp(rrset_owner(s), k->name, k->len) == 0)
			break;
	}
	return at;
}

/* Does the kept one say the same, for nearly as long? */
static bool stands_for(const struct rrset *kept, const struct rrset *s, uint32_t now_s)
{
	return !rrset_is_expired(kept, now_s) && kept->expires_s <= s->expires_s &&
	       s->expires_s - kept->expires_s <= s->ttl / SHARED_LIFE_PART &&
	       kept->size == s->size && kept->rank == s->rank && kept->n_rr == s->n_rr &&
	       kept->n_sig == s->n_sig && rrset_security(kept) != SEC_BOGUS &&
	       memcmp(kept->data, s->data, s->size - sizeof(*s)) == 0;
}

/* Keeps a proof for others to share, at that place or, SIEVE_NONE, a new one. */
static void keep_shared(struct shard *sh, uint32_t at, const struct key *k, struct rrset *proof,
			uint32_t now_s, struct drops *drops)
{
	if (at != SIEVE_NONE) {
		cache_entry_empty(sh, at, drops);
	} else if (!cache_make_room(sh, 1, heap_cost(proof->size), now_s, drops) ||
		   sieve_insert(&sh->map, (uint32_t)k->hash, proof, &at) != E_OK) {
		return;
	}
	cache_entry_fill(sh, at, proof, TAG_SHARED);
}

static void share(struct cache *c, struct rrset *denial, uint32_t now_s, bool keeps)
{
	for (unsigned i = 0; i < denial->n_proofs; i++) {
		struct rrset *proof = rrset_proofs(denial)[i], *kept = NULL;
		const struct key k = key_of(rrset_owner(proof));
		struct drops drops = { 0 };
		struct shard *sh;
		uint32_t at;

		if (rrset_is_expired(proof, now_s))
			continue;
		sh = shard_lock(shard_of(c, &k));
		at = find_shared(sh, &k, proof->type);
		if (at != SIEVE_NONE && stands_for(set_at(sh, at), proof, now_s)) {
			kept = rrset_get(set_at(sh, at));
			sh->map.slots[at].visited = 1;
		} else if (keeps) {
			keep_shared(sh, at, &k, proof, now_s, &drops);
		}
		shard_unlock(sh);
		drops_put(&drops);
		if (kept != NULL)
			rrset_share_proof(denial, i, kept, now_s);
		rrset_put(kept);
	}
}

void cache_share_proofs(struct cache *c, struct rrset *denial, uint32_t now_s)
{
	share(c, denial, now_s, true);
}

void cache_find_proofs(struct cache *c, struct rrset *denial, uint32_t now_s)
{
	share(c, denial, now_s, false);
}

void cache_keep_proofs(struct cache *c, const struct rrset *denial, uint32_t now_s)
{
	for (unsigned i = 0; i < denial->n_proofs; i++) {
		struct rrset *proof = rrset_proofs(denial)[i];
		const struct key k = key_of(rrset_owner(proof));
		struct drops drops = { 0 };
		struct shard *sh;
		uint32_t at;

		if (rrset_is_expired(proof, now_s))
			continue;
		sh = shard_lock(shard_of(c, &k));
		at = find_shared(sh, &k, proof->type);
		if (at == SIEVE_NONE ? !cache_is_over(sh, 1, heap_cost(proof->size))
				     : rrset_is_expired(set_at(sh, at), now_s))
			keep_shared(sh, at, &k, proof, now_s, &drops);
		shard_unlock(sh);
		drops_put(&drops);
	}
}
