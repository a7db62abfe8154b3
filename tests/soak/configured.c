/* configured: zones that the operator has configured: forwards to hosts that do serve the zone, and
 * auth zones that hold what it holds, so that the truth is the same; see soak.h. */
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/authzone.h"
#include "recursor/resolve/zones.h"
#include "tests/soak/soak.h"

static bool serves(const struct soak *s, unsigned host, unsigned zone)
{
	const struct host *h = &s->net.hosts[host];

	return h->fate != FATE_LIAR && (s->net.serves[host] >> zone & 1);
}

static int forward_add(struct soak *s, struct zones *z, unsigned zone)
{
	struct addr servers[2 * HOSTS_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < s->net.n_hosts; i++)
		for (unsigned family = 4; family <= 6 && serves(s, i, zone); family += 2)
			n += host_addr(&s->net, i, family, &servers[n]);
	return n == 0 ? E_OK
		      : zones_add_forward(z, s->net.zones[zone].apex, servers, n, false, false);
}

/* The addresses of a server below a zone's delegation. */
static int glue_add(const struct soak *s, struct authzone *a, const struct ns_host *ns, char *why)
{
	int err = E_OK;

	for (unsigned family = 4; family <= 6 && err == E_OK; family += 2) {
		struct addr addr;

		if (host_addr(&s->net, ns->host, family, &addr))
			err = authzone_add(a, ns->name, family == 4 ? TYPE_A : TYPE_AAAA, 300,
					   addr.ip, family == 4 ? 4 : 16, why);
	}
	return err;
}

static int delegation_add(const struct soak *s, struct authzone *a, const struct zone *child,
			  char *why)
{
	int err = E_OK;

	for (unsigned i = 0; i < child->n_parent_ns && err == E_OK; i++) {
		const struct ns_host *ns = &s->net.ns[child->parent_ns[i]];

		err = authzone_add(a, child->apex, TYPE_NS,
				   child->ns_ttl > INT32_MAX ? 0 : child->ns_ttl, ns->name,
				   (uint16_t)name_len(ns->name), why);
		if (err == E_OK && name_is_within(ns->name, child->apex))
			err = glue_add(s, a, ns, why);
	}
	return err;
}

static int auth_fill(const struct soak *s, struct authzone *a, unsigned zone)
{
	const struct zone *z = &s->net.zones[zone];
	char why[AUTHZONE_WHY_MAX];
	int err = E_OK;

	for (unsigned at = z->first_set; at != SET_NONE; at = s->net.sets[at].next) {
		const struct model_set *m = &s->net.sets[at];

		for (unsigned i = 0; i < m->n && err == E_OK; i++) {
			const struct rdata *rr = model_record(&s->net, m, i);

			/* RFC 2181 8: what reads zone files knows no other TTLs. */
			err = authzone_add(a, m->owner, m->type, m->ttl > INT32_MAX ? 0 : m->ttl,
					   rr->data, rr->len, why);
		}
	}
	for (unsigned c = 1; c < s->net.n_zones && err == E_OK; c++)
		if (&s->net.zones[s->net.zones[c].parent] == z)
			err = delegation_add(s, a, &s->net.zones[c], why);
	return err == E_OK ? authzone_finish(a, why) : err;
}

static int auth_add(struct soak *s, struct zones *z, unsigned zone)
{
	struct authzone *a = NULL;
	int err = authzone_new(&a, s->net.zones[zone].apex);

	if (err == E_OK)
		err = auth_fill(s, a, zone);
	if (err == E_OK)
		err = zones_add_auth(z, a);
	if (err != E_OK)
		authzone_free(a);
	return err;
}

/* All nodes at once, as a reload does it. */
void configure_zones(struct soak *s)
{
	unsigned n = rng_below(&s->rng, 3);
	struct zones *z = NULL;
	int err = zones_new(&z);

	while (n-- > 0 && err == E_OK) {
		unsigned zone = rng_below(&s->rng, s->net.n_zones);
		bool as_auth = rng_chance(&s->rng, 50);

		soak_say(s, "zone %u is configured: %s", zone, as_auth ? "auth" : "forward");
		s->configured |= 1u << zone;
		err = as_auth ? auth_add(s, z, zone) : forward_add(s, z, zone);
	}
	for (unsigned i = 0; i < s->setup.n_nodes && err == E_OK; i++)
		resolver_set_zones(s->nodes[i].resolver, z);
	zones_put(z);
	if (err != E_OK && !s->starved)
		soak_fail(s, "zones that are sound are refused: %d", err);
	for (unsigned i = 0; i < s->n_askers; i++)
		s->askers[i].must = MUST_NOT;
}
