/* cache_share: proofs that many denials share. */
#include <string.h>

#include "common/heap.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/cache_shard.h"

/* A share of its life by which a proof may be older than the denial that is to share it. */
enum { SHARED_LIFE_PART = 8 };

/* Where a proof is kept to be shared; `at` SIEVE_NONE: it is not. */
struct place {
	struct key key;
	struct shard *shard;
	uint32_t at;
};

/* Locks the shard.  False: the proof has expired, and nothing is locked. */
static bool place_lock(struct place *p, struct cache *c, const struct rrset *proof, uint32_t now_s)
{
	struct shard *sh;

	if (rrset_is_expired(proof, now_s))
		return false;
	p->key = key_of(rrset_owner(proof));
	p->shard = sh = shard_lock(shard_of(c, &p->key));
	for (p->at = sieve_first(&sh->map, (uint32_t)p->key.hash); p->at != SIEVE_NONE;
	     p->at = sieve_next(&sh->map, p->at)) {
		const struct rrset *s = set_at(sh, p->at);

		if (is_shared(sh, p->at) && s->type == proof->type && s->owner_len == p->key.len &&
		    memcmp(rrset_owner(s), p->key.name, p->key.len) == 0)
			break;
	}
	return true;
}

static void place_unlock(const struct place *p, struct drops *drops)
{
	shard_unlock(p->shard);
	drops_put(drops);
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

/* Keeps a proof for others to share, in that place. */
static void keep_shared(const struct place *p, struct rrset *proof, uint32_t now_s,
			struct drops *drops)
{
	struct shard *sh = p->shard;
	uint32_t at = p->at;

	if (at != SIEVE_NONE) {
		cache_entry_empty(sh, at, drops);
	} else if (!cache_make_room(sh, 1, heap_cost(proof->size), now_s, drops) ||
		   sieve_insert(&sh->map, (uint32_t)p->key.hash, proof, &at) != E_OK) {
		return;
	}
	cache_entry_fill(sh, at, proof, TAG_SHARED);
}

static void share(struct cache *c, struct rrset *denial, uint32_t now_s, bool keeps)
{
	for (unsigned i = 0; i < denial->n_proofs; i++) {
		struct rrset *proof = rrset_proofs(denial)[i], *kept = NULL;
		struct drops drops = { 0 };
		struct place p;

		if (!place_lock(&p, c, proof, now_s))
			continue;
		if (p.at != SIEVE_NONE && stands_for(set_at(p.shard, p.at), proof, now_s)) {
			kept = rrset_get(set_at(p.shard, p.at));
			p.shard->map.slots[p.at].visited = 1;
		} else if (keeps) {
			keep_shared(&p, proof, now_s, &drops);
		}
		place_unlock(&p, &drops);
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
		struct drops drops = { 0 };
		struct place p;

		if (!place_lock(&p, c, proof, now_s))
			continue;
		if (p.at == SIEVE_NONE ? !cache_is_over(p.shard, 1, heap_cost(proof->size))
				       : rrset_is_expired(set_at(p.shard, p.at), now_s))
			keep_shared(&p, proof, now_s, &drops);
		place_unlock(&p, &drops);
	}
}
