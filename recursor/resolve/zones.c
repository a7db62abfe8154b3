/* zones: see zones.h. */
#include "recursor/resolve/zones.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/authzone.h"

enum { BUCKETS_START = 64 };

struct group {
	uint64_t id;
	struct configured_zone *zone;
};

struct zones {
	atomic_uint refs;
	unsigned n_groups;
	struct group groups[ZONES_GROUPS_MAX];
	size_t n, n_auth, n_notify;
	size_t n_buckets; /* a power of two */
	struct configured_zone **buckets;
	/* The label counts that zones have: names need not be looked for at others. */
	uint64_t depths[2];
};

int zones_new(struct zones **out)
{
	struct zones *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return E_NOMEM;
	z->n_buckets = BUCKETS_START;
	z->buckets = calloc(z->n_buckets, sizeof(struct configured_zone *));
	if (z->buckets == NULL) {
		free(z);
		return E_NOMEM;
	}
	atomic_init(&z->refs, 1);
	*out = z;
	return E_OK;
}

static void zone_free(struct configured_zone *zone)
{
	authzone_free(zone->auth);
	free(zone->servers);
	free(zone);
}

struct zones *zones_get(struct zones *z)
{
	if (z != NULL)
		atomic_fetch_add_explicit(&z->refs, 1, memory_order_relaxed);
	return z;
}

void zones_put(struct zones *z)
{
	if (z == NULL || atomic_fetch_sub_explicit(&z->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < z->n_buckets; i++)
		for (struct configured_zone *at = z->buckets[i], *next; at != NULL; at = next) {
			next = at->next;
			zone_free(at);
		}
	for (unsigned i = 0; i < z->n_groups; i++)
		zone_free(z->groups[i].zone);
	free(z->buckets);
	free(z);
}

/* ---- building ---- */

static struct configured_zone **bucket(const struct zones *z, uint64_t hash)
{
	return &z->buckets[hash & (z->n_buckets - 1)];
}

/* Longer chains are no error: a table that cannot grow goes on. */
static void grow(struct zones *z)
{
	size_t n = z->n_buckets * 2;
	struct configured_zone **fresh;

	if (z->n < z->n_buckets)
		return;
	fresh = calloc(n, sizeof(struct configured_zone *));
	if (fresh == NULL)
		return;
	for (size_t i = 0; i < z->n_buckets; i++)
		for (struct configured_zone *at = z->buckets[i], *next; at != NULL; at = next) {
			next = at->next;
			at->next = fresh[at->hash & (n - 1)];
			fresh[at->hash & (n - 1)] = at;
		}
	free(z->buckets);
	z->buckets = fresh;
	z->n_buckets = n;
}

static void count(struct zones *z, const struct configured_zone *zone, bool comes)
{
	z->n += comes ? 1 : (size_t)-1;
	if (zone->auth != NULL)
		z->n_auth += comes ? 1 : (size_t)-1;
	if (zone->notify)
		z->n_notify += comes ? 1 : (size_t)-1;
}

static void insert(struct zones *z, struct configured_zone *zone)
{
	struct configured_zone **at;

	for (at = bucket(z, zone->hash); *at != NULL; at = &(*at)->next) {
		struct configured_zone *old = *at;

		if (old->hash != zone->hash || !name_equal_case(old->name, zone->name))
			continue;
		*at = old->next;
		count(z, old, false);
		zone_free(old);
		break;
	}
	grow(z);
	at = bucket(z, zone->hash);
	zone->next = *at;
	*at = zone;
	count(z, zone, true);
	z->depths[zone->labels / 64] |= 1ULL << (zone->labels % 64);
}

static struct configured_zone *zone_new(const uint8_t *name)
{
	size_t len = name_len(name);
	struct configured_zone *zone = calloc(1, sizeof(*zone) + len);

	if (zone == NULL)
		return NULL;
	memcpy(zone->name, name, len);
	zone->labels = (uint8_t)name_labels(name);
	zone->hash = name_hash(name);
	return zone;
}

/* Never 0, which stands for no zone. */
static uint64_t print_of(const struct configured_zone *zone)
{
	const uint8_t flags[] = { zone->auth != NULL, zone->recurse, zone->notify };
	uint64_t print = hash_lasting(0, zone->name, name_len(zone->name));
	uint64_t auth = zone->auth != NULL ? authzone_print(zone->auth) : 0;

	print = hash_lasting(print, flags, sizeof(flags));
	print = hash_lasting(print, &auth, sizeof(auth));
	print = hash_lasting(print, zone->servers, zone->n_servers * sizeof(zone->servers[0]));
	return print == 0 ? 1 : print;
}

static int forward_new(struct configured_zone **out, const uint8_t *name,
		       const struct addr *servers, size_t n, bool recurse, bool notify)
{
	struct configured_zone *zone;

	if (n == 0 || n > ZONES_SERVERS_MAX)
		return E_LIMIT;
	zone = zone_new(name);
	if (zone == NULL)
		return E_NOMEM;
	zone->servers = malloc(n * sizeof(servers[0]));
	if (zone->servers == NULL) {
		zone_free(zone);
		return E_NOMEM;
	}
	memcpy(zone->servers, servers, n * sizeof(servers[0]));
	zone->n_servers = (uint16_t)n;
	zone->recurse = recurse;
	zone->notify = notify;
	zone->print = print_of(zone);
	*out = zone;
	return E_OK;
}

int zones_add_forward(struct zones *z, const uint8_t *name, const struct addr *servers, size_t n,
		      bool recurse, bool notify)
{
	struct configured_zone *zone;
	int err = forward_new(&zone, name, servers, n, recurse, notify);

	if (err == E_OK)
		insert(z, zone);
	return err;
}

uint64_t zones_group_id(const char *name)
{
	uint64_t id = hash_lasting(0, (const uint8_t *)name, strlen(name));

	return id == 0 ? 1 : id;
}

int zones_add_group(struct zones *z, const char *name, const struct addr *servers, size_t n)
{
	uint64_t id = zones_group_id(name);
	struct configured_zone *zone;
	int err;

	if (z->n_groups == ZONES_GROUPS_MAX)
		return E_LIMIT;
	if (zones_group(z, id) != NULL)
		return E_EXISTS;
	err = forward_new(&zone, name_root, servers, n, true, false);
	if (err == E_OK)
		z->groups[z->n_groups++] = (struct group) { id, zone };
	return err;
}

const struct configured_zone *zones_group(const struct zones *z, uint64_t id)
{
	for (unsigned i = 0; z != NULL && i < z->n_groups; i++)
		if (z->groups[i].id == id)
			return z->groups[i].zone;
	return NULL;
}

size_t zones_count_groups(const struct zones *z)
{
	return z == NULL ? 0 : z->n_groups;
}

int zones_add_auth(struct zones *z, struct authzone *auth)
{
	struct configured_zone *zone = zone_new(authzone_apex(auth));

	if (zone == NULL)
		return E_NOMEM;
	zone->auth = auth;
	zone->print = print_of(zone);
	insert(z, zone);
	return E_OK;
}

/* ---- looking ---- */

static const struct configured_zone *probe(const struct zones *z, const uint8_t *name)
{
	uint64_t hash = name_hash(name);

	for (const struct configured_zone *at = *bucket(z, hash); at != NULL; at = at->next)
		if (at->hash == hash && name_equal_case(at->name, name))
			return at;
	return NULL;
}

static bool has_depth(const struct zones *z, unsigned labels)
{
	return z->depths[labels / 64] >> (labels % 64) & 1;
}

const struct configured_zone *zones_exact(const struct zones *z, const uint8_t *name)
{
	if (z == NULL || !has_depth(z, name_labels(name)))
		return NULL;
	return probe(z, name);
}

const struct configured_zone *zones_find(const struct zones *z, const uint8_t *name)
{
	if (z == NULL || z->n == 0)
		return NULL;
	for (unsigned labels = name_labels(name);; labels--, name = name_parent(name)) {
		const struct configured_zone *found = has_depth(z, labels) ? probe(z, name) : NULL;

		if (found != NULL || labels == 0)
			return found;
	}
}

const struct configured_zone *zones_find_for(const struct zones *z, const uint8_t *name,
					     uint16_t type)
{
	return zones_find(z, type == TYPE_DS ? name_parent(name) : name);
}

bool zones_allow_notify(const struct zones *z, const uint8_t *name)
{
	if (z == NULL || z->n_notify == 0)
		return false;
	for (unsigned labels = name_labels(name);; labels--, name = name_parent(name)) {
		const struct configured_zone *found = has_depth(z, labels) ? probe(z, name) : NULL;

		if (found != NULL && found->notify)
			return true;
		if (labels == 0)
			return false;
	}
}

size_t zones_count(const struct zones *z, bool auth)
{
	if (z == NULL)
		return 0;
	return auth ? z->n_auth : z->n - z->n_auth;
}

/* The zones of `a` that `b` lacks, and where `both`, those that differ. */
static int diff_one_way(const struct zones *a, const struct zones *b, bool both,
			int (*cb)(void *ctx, const uint8_t *name), void *ctx)
{
	int err = E_OK;

	for (size_t i = 0; a != NULL && i < a->n_buckets; i++)
		for (const struct configured_zone *at = a->buckets[i]; at != NULL && err >= 0;
		     at = at->next) {
			const struct configured_zone *other = zones_exact(b, at->name);

			if (other == NULL || (both && other->print != at->print))
				err = cb(ctx, at->name);
		}
	return err < 0 ? err : E_OK;
}

int zones_diff(const struct zones *from, const struct zones *to,
	       int (*cb)(void *ctx, const uint8_t *name), void *ctx)
{
	int err = diff_one_way(from, to, true, cb, ctx);

	return err == E_OK ? diff_one_way(to, from, false, cb, ctx) : err;
}
