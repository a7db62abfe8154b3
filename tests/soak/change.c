/* change: what becomes different in an Internet; see internet.h.  A zone is taken back or moves, a
 * name server gets another address, records come and go.  Of the servers that lose a zone some go on
 * answering as before, liars always: a zone that was taken back shall not live on by its own word
 * (ghost domains, CVE-2012-1192; phoenix domains, CVE-2022-30698). */
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tests/soak/making.h"

enum {
	SLACK_US = 130 * 1000000, /* what was begun is brought to its end */
	STALE_LED_S = 30,         /* what is learnt from servers that are known by stale data */
	CLIMB_LABELS = 2,         /* below such a zone no delegation outlives that of the zone */
};

/* ---- how long an epoch counts ---- */

static uint64_t life_s(const struct internet *net, const struct zone *z)
{
	uint32_t ttl = z->ns_ttl > INT32_MAX ? 0 : z->ns_ttl;

	if (!net->zones[z->parent].trusted || ttl > net->belief.max_ttl)
		ttl = net->belief.max_ttl;
	return ttl > net->belief.min_ttl ? ttl : net->belief.min_ttl;
}

static uint64_t path_life_s(const struct internet *net, const struct zone *z)
{
	uint64_t s = 0;

	for (; z != net->zones; z = &net->zones[z->parent])
		if (net->zones[z->parent].labels < CLIMB_LABELS)
			s += life_s(net, z);
	return s;
}

/* A server's old address is believed as long as that, and comes from any zone. */
static uint64_t address_life_s(const struct internet *net)
{
	uint64_t longest = 0;

	for (unsigned i = 1; i < net->n_zones; i++) {
		uint64_t s = path_life_s(net, &net->zones[i]);

		if (s > longest)
			longest = s;
	}
	return longest + net->belief.max_ttl;
}

static bool has_changed_since(const struct internet *net, size_t epoch, const struct zone *z)
{
	for (size_t e = epoch + 1; e < net->n_epochs; e++)
		if (net->epochs[e].changed == z - net->zones)
			return true;
	return false;
}

static uint32_t hosts_of(const struct internet *net, const struct zone *z)
{
	uint32_t hosts = 0;

	for (unsigned n = 0; n < z->n_ns + z->n_parent_ns; n++)
		hosts |= 1u << net->ns[n < z->n_ns ? z->ns[n] : z->parent_ns[n - z->n_ns]].host;
	return hosts;
}

/* May a delegation of the zone's be learnt as one of a zone so high that it has its own time?  A
 * server of both refers past those between. */
static bool has_own_time(const struct internet *net, const struct zone *z)
{
	const struct zone *above = &net->zones[z->parent];
	uint32_t hosts = hosts_of(net, above);

	for (;; above = &net->zones[above->parent]) {
		if (above->labels < CLIMB_LABELS && (hosts & hosts_of(net, above)) != 0)
			return true;
		if (above == net->zones)
			return false;
	}
}

bool epoch_counts(const struct internet *net, const uint8_t *name, uint64_t at_us)
{
	const struct zone *z = zone_of(net, name, TYPE_A, UINT32_MAX);
	uint64_t s = net->belief.stale_s + STALE_LED_S, below_s = 0, longest_s = 0;
	bool has_changed = false;
	size_t epoch = 0;

	while (net->epochs[epoch].zones != net->zones)
		epoch++;
	if (epoch + 1 == net->n_epochs)
		return true;
	/* The delegation of a zone that has changed, and those below it that may outlive it.  Of the zones
	 * above, one may have changed much later. */
	for (; z != net->zones; z = &net->zones[z->parent]) {
		uint64_t its_s = below_s + life_s(net, z);

		if (has_changed_since(net, epoch, z)) {
			has_changed = true;
			longest_s = its_s > longest_s ? its_s : longest_s;
		}
		if (has_own_time(net, z))
			below_s = its_s;
	}
	if (!has_changed)
		return true;
	s += longest_s + (net->renumbered ? address_life_s(net) : 0);
	return at_us <= net->epochs[epoch + 1].from_us + SLACK_US + s * 1000000;
}

/* ---- sets ---- */

bool making_copy_sets(struct internet *net, struct zone *z, const uint8_t *owner, uint16_t type)
{
	unsigned at = z->first_set, n = 0;

	for (unsigned i = at; i != SET_NONE; i = net->sets[i].next)
		n++;
	if (net->n_sets + n > SETS_MAX)
		return false;
	z->first_set = SET_NONE;
	for (; at != SET_NONE; at = net->sets[at].next) {
		const struct model_set *s = &net->sets[at];

		if (name_equal(s->owner, owner) && (type == 0 || s->type == type))
			continue;
		net->sets[net->n_sets] = *s;
		net->sets[net->n_sets].next = z->first_set;
		z->first_set = (uint16_t)net->n_sets++;
	}
	return true;
}

static bool is_ns_name(const struct internet *net, const uint8_t *name)
{
	for (unsigned i = 0; i < net->n_ns; i++)
		if (name_equal(net->ns[i].name, name))
			return true;
	return false;
}

static void records_change(struct making *k, struct zone *z)
{
	struct internet *net = k->net;
	unsigned at = z->first_set;
	struct model_set old, *s;

	for (unsigned skip = rng_below(&k->rng, 8); at != SET_NONE; at = net->sets[at].next)
		if (skip-- == 0)
			break;
	if (at == SET_NONE) {
		making_random_set(k, z);
		return;
	}
	old = net->sets[at];
	if (old.type == TYPE_NS || old.type == TYPE_SOA || old.type == TYPE_DS ||
	    old.type == TYPE_DNSKEY || is_ns_name(net, old.owner) ||
	    !making_copy_sets(net, z, old.owner, old.type) || rng_chance(&k->rng, 30) ||
	    old.type == TYPE_CNAME || old.type == TYPE_DNAME)
		return;
	s = making_set(k, z, old.owner, old.type);
	if (s == NULL)
		return;
	making_records(k, s);
	if (s->n == 0) {
		s->first = old.first;
		s->n = old.n;
	}
}

/* ---- zones and servers ---- */

static bool is_below(const struct internet *net, unsigned zone, unsigned above)
{
	while (zone != 0 && zone != above)
		zone = net->zones[zone].parent;
	return zone == above;
}

static void revoke(struct making *k, struct zone *z)
{
	struct internet *net = k->net;
	unsigned index = (unsigned)(z - net->zones);

	if (!making_copy_sets(net, &net->zones[z->parent], z->apex, TYPE_DS))
		return;
	for (unsigned i = 1; i < net->n_zones; i++) {
		if (!is_below(net, i, index))
			continue;
		net->zones[i].gone = true;
		for (unsigned h = 0; h < net->n_hosts; h++)
			net->serves[h] &= ~(1u << i);
	}
}

static void move(struct making *k, struct zone *z)
{
	struct internet *net = k->net;
	unsigned index = (unsigned)(z - net->zones), n = rng_between(&k->rng, 1, 3);
	uint8_t list[ZONE_NS_MAX], n_list = 0;
	struct model_set *s;

	while (n-- > 0) {
		int ns = making_ns(k, index, z->labels < 2);

		if (ns >= 0 && !net->zones[net->ns[ns].zone].gone)
			making_ns_list_add(list, &n_list, (uint8_t)ns);
	}
	if (n_list == 0 || !making_copy_sets(net, z, z->apex, TYPE_NS) ||
	    (s = making_set(k, z, z->apex, TYPE_NS)) == NULL)
		return;
	s->ttl = z->ns_ttl;
	for (unsigned i = 0; i < n_list; i++)
		making_record_name(net, s, net->ns[list[i]].name);
	memcpy(z->ns, list, n_list);
	z->n_ns = n_list;
	memcpy(z->parent_ns, list, n_list);
	z->n_parent_ns = n_list;
	z->old_glue = false;
	for (unsigned h = 0; h < net->n_hosts; h++)
		net->serves[h] &= ~(1u << index);
	for (unsigned i = 0; i < n_list; i++)
		net->serves[net->ns[list[i]].host] |= 1u << index;
}

/* A zone's servers are those that somebody names. */
static void serve_anew(struct internet *net)
{
	memset(net->serves, 0, sizeof(net->epochs[0].serves));
	for (unsigned i = 0; i < net->n_zones; i++) {
		const struct zone *z = &net->zones[i];

		for (unsigned n = 0; !z->gone && n < z->n_ns + z->n_parent_ns; n++) {
			unsigned ns = n < z->n_ns ? z->ns[n] : z->parent_ns[n - z->n_ns];

			net->serves[net->ns[ns].host] |= 1u << i;
		}
	}
}

static void renumber(struct making *k, struct zone *z)
{
	struct internet *net = k->net;
	struct ns_host *ns = &net->ns[z->parent_ns[rng_below(&k->rng, z->n_parent_ns)]];
	struct zone *its = &net->zones[ns->zone];
	unsigned host = rng_below(&k->rng, net->n_hosts);

	/* The root's are in the hints, too, and those do not expire. */
	for (unsigned i = 0; i < net->zones[0].n_ns; i++)
		if (&net->ns[net->zones[0].ns[i]] == ns)
			return;
	if (its->gone || net->hosts[host].fate == FATE_LIAR || host == ns->host ||
	    !making_copy_sets(net, its, ns->name, TYPE_A) ||
	    !making_copy_sets(net, its, ns->name, TYPE_AAAA))
		return;
	net->renumbered = true;
	ns->host = (uint8_t)host;
	making_addresses(k, its, ns->name, host);
	serve_anew(net);
}

/* ---- who has heard of it ---- */

/* Is the host named for the zone, or one above it? */
static bool is_named_above(const struct internet *net, unsigned host, const struct zone *z)
{
	for (;; z = &net->zones[z->parent]) {
		for (unsigned n = 0; !z->gone && n < z->n_ns + z->n_parent_ns; n++)
			if (net->ns[n < z->n_ns ? z->ns[n] : z->parent_ns[n - z->n_ns]].host ==
			    host)
				return true;
		if (z == net->zones)
			return false;
	}
}

/* Who has lost a zone may go on as before, unless he is asked for one above it, too. */
static void hosts_hear(struct making *k, const struct epoch *before)
{
	struct internet *net = k->net;

	for (unsigned i = 0; i < net->n_hosts; i++) {
		struct host *h = &net->hosts[i];
		uint32_t lost = before->serves[i] & ~net->serves[i];

		if (h->ghosts == 0 && (h->fate == FATE_LIAR || rng_chance(&k->rng, 70))) {
			h->ghosts = lost;
			h->stuck = net->n_epochs - 2;
		}
		for (unsigned z = 0; z < net->n_zones; z++)
			if ((h->ghosts >> z & 1) && is_named_above(net, i, &net->zones[z]))
				h->ghosts &= ~(1u << z);
	}
}

bool internet_change(struct internet *net, struct rng *r, const struct reach *reach,
		     uint64_t now_us)
{
	static void (*const ways[])(struct making * k,
				    struct zone * z) = { revoke,   move,           move,
							 renumber, records_change, records_change };
	struct making k = { .net = net, .rng = { rng_next(r) } };
	const struct epoch *before = &net->epochs[net->n_epochs - 1];
	struct epoch *e = &net->epochs[net->n_epochs];
	unsigned zone = rng_between(r, 1, net->n_zones - 1), n_ns = net->n_ns;

	if (net->n_epochs == EPOCHS_MAX || !making_has_room(net) || net->zones[zone].gone ||
	    (net->zones[zone].labels < 2 && rng_chance(r, 70)))
		return false;
	*e = *before;
	e->from_us = now_us;
	net->n_epochs++;
	net->only_rolls = false;
	internet_use_latest(net);
	e->changed = (uint8_t)zone;
	RNG_PICK(r, ways)(&k, &net->zones[zone]);
	/* New names have a host in every epoch, though nobody names them there. */
	for (unsigned i = 0; i + 1 < net->n_epochs; i++)
		memcpy(&net->epochs[i].ns[n_ns], &e->ns[n_ns],
		       (net->n_ns - n_ns) * sizeof(e->ns[0]));
	hosts_hear(&k, before);
	internet_judge(net, reach);
	return true;
}
