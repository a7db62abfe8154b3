/* judge: which zones are trusted, which are sound, and what they cost; see internet.h. */
#include "common/check.h"
#include "tests/soak/internet.h"

/* Calls `is_fine` for each name server that anybody names for the zone. */
static bool each_ns(const struct internet *net, const struct zone *z,
		    bool (*is_fine)(const struct internet *net, const struct zone *z,
				    const struct ns_host *ns, const struct reach *reach),
		    const struct reach *reach)
{
	for (unsigned i = 0; i < z->n_ns; i++)
		if (!is_fine(net, z, &net->ns[z->ns[i]], reach))
			return false;
	for (unsigned i = 0; i < z->n_parent_ns; i++)
		if (!is_fine(net, z, &net->ns[z->parent_ns[i]], reach))
			return false;
	return true;
}

static bool ns_is_trusted(const struct internet *net, const struct zone *z,
			  const struct ns_host *ns, const struct reach *reach)
{
	(void)z;
	(void)reach;
	return net->hosts[ns->host].fate != FATE_LIAR && net->zones[ns->zone].trusted;
}

static bool host_works(const struct internet *net, const struct zone *z, const struct host *h,
		       const struct reach *reach)
{
	return (h->fate == FATE_SOUND || (net->calm && h->fate == FATE_SHAKY)) &&
	       ((reach->use_ipv4 && h->has_v4) || (reach->use_ipv6 && h->has_v6)) &&
	       (net->serves[h - net->hosts] >> (z - net->zones) & 1);
}

static bool ns_is_sound(const struct internet *net, const struct zone *z, const struct ns_host *ns,
			const struct reach *reach)
{
	const struct host *h = &net->hosts[ns->host];

	return host_works(net, z, h, reach) && !z->old_glue &&
	       (&net->zones[ns->zone] == z || net->zones[ns->zone].sound);
}

/* Does it give signatures? */
static bool host_proves(const struct host *h)
{
	return h->edns == EDNS_WORKS && !h->oblivious;
}

static bool ns_proves(const struct internet *net, const struct zone *z, const struct ns_host *ns,
		      const struct reach *reach)
{
	(void)z;
	(void)reach;
	return host_proves(&net->hosts[ns->host]);
}

static bool ns_is_reachable(const struct internet *net, const struct zone *z,
			    const struct ns_host *ns, const struct reach *reach)
{
	return host_works(net, z, &net->hosts[ns->host], reach) &&
	       (&net->zones[ns->zone] == z || net->zones[ns->zone].reachable);
}

/* Until nothing changes: one falls, and others fall with it. */
static void trust_judge(struct internet *net)
{
	bool changed = true;

	for (unsigned i = 0; i < net->n_zones; i++)
		net->zones[i].trusted = true;
	while (changed) {
		changed = false;
		for (unsigned i = 0; i < net->n_zones; i++) {
			struct zone *z = &net->zones[i];

			if (!z->trusted ||
			    (net->zones[z->parent].trusted && each_ns(net, z, ns_is_trusted, NULL)))
				continue;
			z->trusted = false;
			changed = true;
		}
	}
}

/* In the worst case the addresses of two name servers are looked up side by side, of both
 * families. */
static void cost_judge(struct internet *net, struct zone *z)
{
	const struct zone *above = &net->zones[z->parent];
	unsigned depth = above->depth, dearest = 0;

	for (unsigned i = 0; i < z->n_ns + z->n_parent_ns; i++) {
		const struct ns_host *ns =
			&net->ns[i < z->n_ns ? z->ns[i] : z->parent_ns[i - z->n_ns]];
		const struct zone *its = &net->zones[ns->zone];
		unsigned cost = its->cost + name_labels(ns->name) - its->labels + 1;

		if (its == z)
			continue;
		if (cost > dearest)
			dearest = cost;
		if (its->depth + 1U > depth)
			depth = its->depth + 1U;
	}
	z->depth = (uint8_t)(depth < UINT8_MAX ? depth : UINT8_MAX);
	z->cost = 1;
	if (z != above)
		z->cost = (uint16_t)(above->cost + (unsigned)(z->labels - above->labels) +
				     4 * dearest);
}

/* From the root down, until nothing changes: a zone stands on what is known to stand. */
static void soundness_judge(struct internet *net, const struct reach *reach)
{
	bool changed = true;

	for (unsigned i = 0; i < net->n_zones; i++)
		net->zones[i].sound = false;
	while (changed) {
		changed = false;
		for (unsigned i = 0; i < net->n_zones; i++) {
			struct zone *z = &net->zones[i];

			if (z->sound || z->gone || (i > 0 && !net->zones[z->parent].sound) ||
			    !z->trusted || !each_ns(net, z, ns_is_sound, reach))
				continue;
			z->depth = 0;
			z->cost = 0;
			cost_judge(net, z);
			z->sound = true;
			changed = true;
		}
	}
}

/* Likewise. */
static void reach_judge(struct internet *net, const struct reach *reach)
{
	bool changed = true;

	for (unsigned i = 0; i < net->n_zones; i++)
		net->zones[i].reachable = false;
	while (changed) {
		changed = false;
		for (unsigned i = 0; i < net->n_zones; i++) {
			struct zone *z = &net->zones[i];

			if (z->reachable || z->gone ||
			    (i > 0 && !net->zones[z->parent].reachable) || !z->trusted)
				continue;
			for (unsigned k = 0; k < z->n_parent_ns && !z->reachable; k++)
				z->reachable = ns_is_reachable(net, z, &net->ns[z->parent_ns[k]],
							       reach);
			changed = changed || z->reachable;
		}
	}
}

/* Does a server of a zone above speak for it, too, and without what shows that it is signed?  Whoever asks
 * there does not hear of the zone's other servers. */
static bool is_hidden(const struct internet *net, const struct zone *z)
{
	unsigned index = (unsigned)(z - net->zones);

	for (unsigned i = 0; i < net->n_hosts; i++) {
		if (host_proves(&net->hosts[i]) || !(net->serves[i] >> index & 1))
			continue;
		for (const struct zone *a = z; a != net->zones;) {
			a = &net->zones[a->parent];
			if (net->serves[i] >> (a - net->zones) & 1)
				return true;
		}
	}
	return false;
}

/* Do the zone's servers, or does one that can be reached, give what shows it to be what it is? */
static bool zone_proves(const struct internet *net, const struct zone *z, bool one_is_enough,
			const struct reach *reach)
{
	if (!z->is_signed)
		return true;
	if (!one_is_enough)
		return each_ns(net, z, ns_proves, reach);
	if (is_hidden(net, z))
		return false;
	for (unsigned i = 0; i < z->n_parent_ns; i++)
		if (ns_is_reachable(net, z, &net->ns[z->parent_ns[i]], reach) &&
		    ns_proves(net, z, &net->ns[z->parent_ns[i]], reach))
			return true;
	return false;
}

static void proof_judge(struct internet *net, const struct reach *reach)
{
	for (unsigned i = 0; i < net->n_zones; i++) {
		struct zone *z = &net->zones[i];

		z->proved_sound = z->sound;
		z->proved_reachable = z->reachable;
		for (const struct zone *at = z;; at = &net->zones[at->parent]) {
			z->proved_sound &= zone_proves(net, at, false, reach);
			z->proved_reachable &= zone_proves(net, at, true, reach);
			if (at == net->zones)
				break;
		}
	}
}

/* What was learnt from a liar may be remembered when he has gone. */
static void distrust_remember(struct internet *net)
{
	for (unsigned e = 0; e + 1 < net->n_epochs; e++)
		for (unsigned i = 0; i < net->n_zones; i++)
			net->zones[i].trusted &= net->epochs[e].zones[i].trusted;
}

/* What a liar had a validator believe while hashes were too dear to compute, too. */
static void shields_remember(struct internet *net)
{
	for (unsigned e = 0; e + 1 < net->n_epochs; e++)
		for (unsigned i = 0; i < net->n_zones; i++)
			net->zones[i].shielded &= net->epochs[e].zones[i].shielded;
}

void internet_judge(struct internet *net, const struct reach *reach)
{
	trust_judge(net);
	distrust_remember(net);
	soundness_judge(net, reach);
	reach_judge(net, reach);
	signed_judge(net);
	shields_remember(net);
	proof_judge(net, reach);
}
