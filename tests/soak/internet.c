/* internet: making a small random Internet; see internet.h. */
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/soak/making.h"

/* ---- names ---- */

static uint8_t *arena_take(struct internet *net, size_t len)
{
	uint8_t *at = net->arena + net->arena_len;

	ASSERT(net->arena_len + len <= ARENA_MAX);
	net->arena_len += len;
	return at;
}

static const uint8_t *name_keep(struct internet *net, const uint8_t *name)
{
	uint8_t *kept = arena_take(net, name_len(name));

	name_lower(kept, name);
	return kept;
}

/* `label` before `parent`; false: too long. */
static bool name_join(uint8_t out[NAME_MAX_LEN], const char *label, size_t len,
		      const uint8_t *parent)
{
	size_t rest = name_len(parent);

	if (1 + len + rest > NAME_MAX_LEN || name_labels(parent) >= NAME_MAX_LABELS)
		return false;
	memmove(out + 1 + len, parent, rest);
	memcpy(out + 1, label, len);
	out[0] = (uint8_t)len;
	return true;
}

static bool random_label_join(struct making *k, uint8_t out[NAME_MAX_LEN], const uint8_t *parent)
{
	static const char *const usual[] = { "a", "b", "c", "d", "www", "mail", "x", "y", "0" };
	static const char *const odd[] = { "a.b", "\\", "_sip", "\377\001", "-", "*a", " " };
	char longest[NAME_MAX_LABEL];
	const char *label = RNG_PICK(&k->rng, usual);

	if (rng_chance(&k->rng, 5))
		label = RNG_PICK(&k->rng, odd);
	if (!rng_chance(&k->rng, 2))
		return name_join(out, label, strlen(label), parent);
	memset(longest, 'l', sizeof(longest));
	return name_join(out, longest, sizeof(longest), parent);
}

/* One label below `parent`, now and then two or three: empty non-terminals. */
static bool random_name_below(struct making *k, uint8_t out[NAME_MAX_LEN], const uint8_t *parent)
{
	unsigned labels = rng_chance(&k->rng, 80) ? 1 : rng_between(&k->rng, 2, 5);

	name_copy(out, parent);
	while (labels-- > 0)
		if (!random_label_join(k, out, out))
			return false;
	return true;
}

/* ---- sets ---- */

static uint32_t random_ttl(struct making *k)
{
	static const uint32_t ttls[] = { 0,    1,    2,    5,     30,    60,     300,       300,
					 3600, 3600, 3600, 86400, 86400, 604800, 0x80000001 };

	return RNG_PICK(&k->rng, ttls);
}

struct model_set *making_set(struct making *k, struct zone *z, const uint8_t *owner, uint16_t type)
{
	struct internet *net = k->net;
	struct model_set *s = &net->sets[net->n_sets];

	if (net->n_sets == SETS_MAX)
		return NULL;
	*s = (struct model_set) {
		.owner = name_keep(net, owner),
		.ttl = random_ttl(k),
		.type = type,
		.first = (uint16_t)net->n_records,
		.next = z->first_set,
	};
	z->first_set = (uint16_t)net->n_sets++;
	return s;
}

/* Names are small; what takes room are large sets. */
bool making_has_room(const struct internet *net)
{
	return net->n_records < RECORDS_MAX && net->arena_len < ARENA_MAX / 2;
}

/* To the set made last. */
void making_record(struct internet *net, struct model_set *s, const void *data, size_t len)
{
	uint8_t *kept;

	if (!making_has_room(net))
		return;
	kept = arena_take(net, len);
	memcpy(kept, data, len);
	net->records[net->n_records++] = (struct rdata) { kept, (uint16_t)len };
	s->n++;
}

void making_record_name(struct internet *net, struct model_set *s, const uint8_t *name)
{
	making_record(net, s, name, name_len(name));
}

/* May data of a type stand there: in this zone and not below one of its aliases. */
static bool is_free(const struct internet *net, const struct zone *z, const uint8_t *owner,
		    uint16_t type)
{
	if (zone_of(net, owner, TYPE_A, UINT32_MAX) != z)
		return false;
	for (unsigned i = 0; i < net->n_sets; i++) {
		const struct model_set *s = &net->sets[i];

		if (name_equal(s->owner, owner) &&
		    (s->type == type || s->type == TYPE_CNAME || type == TYPE_CNAME))
			return false;
		if (s->type == TYPE_DNAME && name_is_below(owner, s->owner))
			return false;
		if (type == TYPE_DNAME && name_is_below(s->owner, owner))
			return false;
	}
	for (unsigned i = 1; i < net->n_zones; i++)
		if (type == TYPE_DNAME && name_is_below(net->zones[i].apex, owner))
			return false;
	return true;
}

/* Any name there is, or might be. */
static bool random_target(struct making *k, uint8_t out[NAME_MAX_LEN])
{
	struct internet *net = k->net;

	if (net->n_sets > 0 && rng_chance(&k->rng, 75)) {
		name_copy(out, net->sets[rng_below(&k->rng, net->n_sets)].owner);
		return true;
	}
	return random_name_below(k, out, net->zones[rng_below(&k->rng, net->n_zones)].apex);
}

static void random_txt(struct making *k, struct model_set *s, unsigned n, unsigned len)
{
	uint8_t data[256];

	for (unsigned i = 0; i < n; i++) {
		data[0] = (uint8_t)len;
		memset(data + 1, 'a' + (int)rng_below(&k->rng, 26), len);
		data[1] = (uint8_t)i;
		making_record(k->net, s, data, len + 1);
	}
}

void making_records(struct making *k, struct model_set *s)
{
	bool big = rng_chance(&k->rng, 8);
	unsigned n = big ? rng_between(&k->rng, 20, 120) : rng_between(&k->rng, 1, 3);
	uint8_t data[NAME_MAX_LEN + 32];

	for (unsigned i = 0; i < n && (s->type == TYPE_A || s->type == TYPE_AAAA); i++) {
		memset(data, 0, 16);
		wire_put_u32(data, 0xc0000200u + i * 256 + rng_below(&k->rng, 256));
		making_record(k->net, s, data, s->type == TYPE_A ? 4 : 16);
	}
	if (s->type == TYPE_TXT)
		random_txt(k, s, n, big ? 200 : 10);
	for (unsigned i = 0; i < n && s->type == TYPE_MX && i < 4; i++) {
		wire_put_u16(data, (uint16_t)i);
		if (random_target(k, data + 2))
			making_record(k->net, s, data, 2 + name_len(data + 2));
	}
	if (s->type == TYPE_DS) {
		memset(data, 7, 24);
		making_record(k->net, s, data, 24);
	}
}

static void alias_make(struct making *k, struct zone *z, const uint8_t *owner, uint16_t type)
{
	uint8_t target[NAME_MAX_LEN];
	struct model_set *s;

	if (is_free(k->net, z, owner, type) && making_has_room(k->net) &&
	    random_target(k, target) && (s = making_set(k, z, owner, type)) != NULL)
		making_record_name(k->net, s, target);
}

void making_random_set(struct making *k, struct zone *z)
{
	static const uint16_t types[] = { TYPE_A,     TYPE_A,     TYPE_A,    TYPE_AAAA,
					  TYPE_TXT,   TYPE_TXT,   TYPE_MX,   TYPE_CNAME,
					  TYPE_CNAME, TYPE_CNAME, TYPE_DNAME };
	uint16_t type = RNG_PICK(&k->rng, types);
	uint8_t owner[NAME_MAX_LEN];
	struct model_set *s;

	name_copy(owner, z->apex);
	if ((!rng_chance(&k->rng, 10) || type == TYPE_CNAME || type == TYPE_DNAME) &&
	    !random_name_below(k, owner, z->apex))
		return;
	if (rng_chance(&k->rng, 12) && type != TYPE_DNAME && !name_join(owner, "*", 1, owner))
		return;
	if (type == TYPE_CNAME || type == TYPE_DNAME) {
		alias_make(k, z, owner, type);
		return;
	}
	if (!is_free(k->net, z, owner, type) || !making_has_room(k->net) ||
	    (s = making_set(k, z, owner, type)) == NULL)
		return;
	making_records(k, s);
	/* No other record of the type could be made: any data will do. */
	if (s->n == 0)
		making_record(k->net, s, "\0\1", 3);
}

/* ---- zones and who serves them ---- */

static bool zone_exists(const struct internet *net, const uint8_t *apex)
{
	for (unsigned i = 0; i < net->n_zones; i++)
		if (name_equal(net->zones[i].apex, apex))
			return true;
	return false;
}

static void zone_add(struct making *k, const uint8_t *apex)
{
	struct internet *net = k->net;

	if (net->n_zones == ZONES_MAX || zone_exists(net, apex))
		return;
	net->zones[net->n_zones] = (struct zone) {
		.apex = name_keep(net, apex),
		.labels = (uint8_t)name_labels(apex),
		.first_set = SET_NONE,
		.gives_glue = rng_chance(&k->rng, 60),
		.denies_empty = rng_chance(&k->rng, 6) && net->n_zones > 0,
		.old_glue = rng_chance(&k->rng, 4) && net->n_zones > 0,
		.ns_ttl = random_ttl(k),
	};
	net->n_zones++;
}

static void zones_make(struct making *k)
{
	static const char *const tlds[] = { "com", "net", "org", "nl" };
	struct internet *net = k->net;
	unsigned n_tlds = rng_between(&k->rng, 1, ARRAY_LEN(tlds));
	unsigned n = rng_between(&k->rng, 2, ZONES_MAX - 5);
	uint8_t name[NAME_MAX_LEN];

	zone_add(k, name_root);
	for (unsigned i = 0; i < n_tlds; i++)
		if (name_join(name, tlds[i], strlen(tlds[i]), name_root))
			zone_add(k, name);
	for (unsigned i = 0; i < n; i++) {
		unsigned above = rng_between(&k->rng, 1, net->n_zones - 1);

		if (random_name_below(k, name, net->zones[above].apex))
			zone_add(k, name);
	}
	for (unsigned i = 1; i < net->n_zones; i++) {
		struct zone *z = &net->zones[i];
		const struct zone *above = zone_of(net, name_parent(z->apex), TYPE_A,
						   UINT32_MAX & ~(1u << i));

		z->parent = (uint8_t)(above - net->zones);
	}
}

void making_addresses(struct making *k, struct zone *z, const uint8_t *name, unsigned host)
{
	struct model_set *s;
	struct addr a;

	if (host_addr(k->net, host, 4, &a) && (s = making_set(k, z, name, TYPE_A)) != NULL)
		making_record(k->net, s, a.ip, 4);
	if (host_addr(k->net, host, 6, &a) && (s = making_set(k, z, name, TYPE_AAAA)) != NULL)
		making_record(k->net, s, a.ip, 16);
}

static unsigned host_for(struct making *k, bool is_high)
{
	for (unsigned tries = 0;; tries++) {
		unsigned host = rng_below(&k->rng, k->net->n_hosts);

		if (!is_high || k->net->hosts[host].fate != FATE_LIAR || tries > 50)
			return host;
	}
}

/* A new name for a host, in a zone; -1: no room. */
static int ns_make(struct making *k, unsigned zone, bool is_high)
{
	static const char *const labels[] = { "ns0", "ns1", "ns2", "ns3", "ns4" };
	struct internet *net = k->net;
	const char *label = RNG_PICK(&k->rng, labels);
	uint8_t name[NAME_MAX_LEN];

	if (net->n_ns == NS_NAMES_MAX || !making_has_room(net) ||
	    !name_join(name, label, 3, net->zones[zone].apex))
		return -1;
	for (unsigned i = 0; i < net->n_ns; i++)
		if (name_equal(net->ns[i].name, name))
			return (int)i;
	if (!is_free(net, &net->zones[zone], name, TYPE_A))
		return -1;
	net->ns[net->n_ns] = (struct ns_host) {
		.name = name_keep(net, name),
		.zone = (uint8_t)zone,
		.host = (uint8_t)host_for(k, is_high),
	};
	making_addresses(k, &net->zones[zone], name, net->ns[net->n_ns].host);
	return (int)net->n_ns++;
}

int making_ns(struct making *k, unsigned zone, bool is_high)
{
	unsigned how = rng_below(&k->rng, 100);

	if (zone == 0 || how < 50 || k->net->n_ns == 0)
		return ns_make(k, zone, is_high);
	if (how < 85)
		return (int)rng_below(&k->rng, k->net->n_ns);
	return ns_make(k, rng_below(&k->rng, k->net->n_zones), is_high);
}

void making_ns_list_add(uint8_t list[ZONE_NS_MAX], uint8_t *n, uint8_t ns)
{
	for (unsigned i = 0; i < *n; i++)
		if (list[i] == ns)
			return;
	if (*n < ZONE_NS_MAX)
		list[(*n)++] = ns;
}

static void zone_serve(struct making *k, unsigned index)
{
	struct internet *net = k->net;
	struct zone *z = &net->zones[index];
	bool is_high = index == 0 || (z->labels == 1 && rng_chance(&k->rng, 85));
	unsigned n = rng_between(&k->rng, 1, 4);

	for (unsigned i = 0; i < n || z->n_ns == 0; i++) {
		int ns = making_ns(k, index, is_high);

		if (ns < 0 || (index == 0 && net->hosts[net->ns[ns].host].fate == FATE_LIAR))
			continue;
		making_ns_list_add(z->ns, &z->n_ns, (uint8_t)ns);
		if (z->n_parent_ns == 0 || !rng_chance(&k->rng, 5))
			making_ns_list_add(z->parent_ns, &z->n_parent_ns, (uint8_t)ns);
		if (!rng_chance(&k->rng, 3))
			net->serves[net->ns[ns].host] |= 1u << index;
	}
	/* The parent has not heard of the latest change. */
	if (index > 0 && rng_chance(&k->rng, 4))
		making_ns_list_add(z->parent_ns, &z->n_parent_ns,
				   (uint8_t)rng_below(&k->rng, net->n_ns));
}

static void apex_make(struct making *k, struct zone *z)
{
	static const uint32_t minimums[] = { 0, 1, 10, 300, 3600, 100000 };
	uint8_t soa[2 * NAME_MAX_LEN + 20];
	struct model_set *s = making_set(k, z, z->apex, TYPE_NS);
	size_t len;

	if (s != NULL)
		s->ttl = z->ns_ttl;
	for (unsigned i = 0; s != NULL && i < z->n_ns; i++)
		making_record_name(k->net, s, k->net->ns[z->ns[i]].name);
	s = making_set(k, z, z->apex, TYPE_SOA);
	len = name_copy(soa, k->net->ns[z->ns[0]].name);
	len += name_copy(soa + len, z->apex);
	memset(soa + len, 1, 16);
	wire_put_u32(soa + len + 16, RNG_PICK(&k->rng, minimums));
	if (s != NULL)
		making_record(k->net, s, soa, len + 20);
	/* A DS is the parent's; this one leads nowhere: no validator knows its digest. */
	if (!signed_add_keys(k, z) && z->labels > 0 && rng_chance(&k->rng, 20)) {
		s = making_set(k, &k->net->zones[z->parent], z->apex, TYPE_DS);
		if (s != NULL)
			making_records(k, s);
	}
}

/* ---- hosts ---- */

static void habits_draw(struct making *k, struct host *h)
{
	static const unsigned delays[] = { 0, 0, 0, 0, 30, 100 };
	struct rng *r = &k->rng;

	h->has_v4 = rng_chance(r, 92);
	h->has_v6 = !h->has_v4 || rng_chance(r, 40);
	h->edns = rng_chance(r, 85) ? EDNS_WORKS
				    : (enum edns_habit)rng_between(r, EDNS_FORMERR, EDNS_IGNORED);
	h->lame = (enum lame_habit)rng_below(r, LAME_HABITS);
	h->lowers_case = rng_chance(r, 6);
	h->no_soa = rng_chance(r, 5);
	h->talks = rng_chance(r, 40);
	h->follows_all = rng_chance(r, 30);
	h->truncates = rng_chance(r, 4);
	h->compresses = rng_chance(r, 70);
	h->delay_ms = RNG_PICK(r, delays);
	h->loses_now_and_then = rng_chance(r, 15);
	h->oblivious = rng_chance(&k->signing, 6);
}

static unsigned sometimes(struct rng *r, unsigned often, unsigned most)
{
	return rng_chance(r, often) ? rng_between(r, 1, most) : 0;
}

static void faults_draw(struct making *k, struct host *h)
{
	struct rng *r = &k->rng;

	h->loss = sometimes(r, 40, 60);
	if (rng_chance(r, 15))
		h->loss = 100;
	h->garbage = sometimes(r, 20, 100);
	h->cut = sometimes(r, 20, 60);
	h->bad_rcode = sometimes(r, 30, 100);
	h->no_aa = sometimes(r, 15, 100);
	h->wrong_id = sometimes(r, 20, 60);
	h->late = sometimes(r, 20, 100);
	h->corrupt = sometimes(&k->signing, 40, 100);
	if (rng_chance(r, 25))
		h->tcp = (enum tcp_habit)rng_between(r, TCP_CLOSED, TCP_SILENT);
	if (rng_chance(r, 15))
		h->edns = EDNS_DROPPED;
	if (rng_chance(r, 50)) {
		h->out_from_us = rng_below(r, 60) * 1000000ull;
		h->out_until_us = h->out_from_us + rng_below(r, 120) * 1000000ull;
		h->outage = (enum outage)rng_below(r, OUTAGES);
	}
}

static void hosts_make(struct making *k)
{
	struct internet *net = k->net;

	net->n_hosts = rng_between(&k->rng, 2, HOSTS_MAX);
	for (unsigned i = 0; i < net->n_hosts; i++) {
		struct host *h = &net->hosts[i];

		memset(h, 0, sizeof(*h));
		habits_draw(k, h);
		if (i > 0 && rng_chance(&k->rng, k->lying)) {
			h->fate = FATE_LIAR;
		} else if (rng_chance(&k->rng, k->bad)) {
			h->fate = FATE_SHAKY;
			faults_draw(k, h);
		}
	}
}

bool host_addr(const struct internet *net, unsigned host, unsigned family, struct addr *out)
{
	const struct host *h = &net->hosts[host];

	if (family == 4 ? !h->has_v4 : !h->has_v6)
		return false;
	*out = (struct addr) { .family = (uint8_t)family, .port = SERVER_PORT };
	/* Each in a network of its own (weather.h). */
	out->ip[0] = family == 4 ? 10 : 0xfd;
	out->ip[family == 4 ? 1 : 3] = (uint8_t)(HOST_NETWORKS + host);
	out->ip[family == 4 ? 3 : 15] = (uint8_t)(host + 1);
	return true;
}

int host_find(const struct internet *net, const struct addr *a)
{
	unsigned n = a->ip[a->family == 4 ? 3 : 15];
	struct addr own;

	if (n < 1 || n > net->n_hosts || !host_addr(net, n - 1, a->family, &own) ||
	    !addr_equal(&own, a))
		return -1;
	return (int)n - 1;
}

void addr_old(const struct internet *net, const struct zone *z, struct addr *out)
{
	*out = (struct addr) { .family = 4, .port = SERVER_PORT, .ip = { 10, 9, 9 } };
	out->ip[3] = (uint8_t)(z - net->zones);
}

bool addr_is_old(const struct addr *a)
{
	return a->family == 4 && a->ip[0] == 10 && a->ip[1] == 9;
}

bool addr_is_of_records(const struct addr *a)
{
	return a->ip[0] == 192 && a->ip[1] == 0;
}

bool addr_is_evil(const struct addr *a)
{
	return a->ip[0] == 66;
}

void internet_use(struct internet *net, unsigned epoch)
{
	net->zones = net->epochs[epoch].zones;
	net->policies = net->epochs[epoch].policies;
	net->ns = net->epochs[epoch].ns;
	net->serves = net->epochs[epoch].serves;
}

void internet_make(struct internet *net, uint64_t seed)
{
	static const unsigned shares[] = { 0, 0, 15, 40 };
	struct making k = {
		.net = net,
		.rng = rng_for(seed, 'I'),
		.signing = rng_for(seed, 'D'),
	};
	unsigned sets;

	signed_forget();
	net->n_epochs = 1;
	internet_use(net, 0);
	net->epochs[0].from_us = 0;
	memset(net->serves, 0, sizeof(net->epochs[0].serves));
	net->belief = (struct belief) { 0, 0, 0 };
	net->epochs[0].changed = 0;
	net->renumbered = false;
	net->only_rolls = true;
	net->astray_until_us = 0;
	net->n_zones = net->n_ns = net->n_hosts = net->n_sets = net->n_records = 0;
	net->arena_len = 0;
	net->calm = false;
	net->cut = CUT_SILENT;
	net->cut_until_us = 0;
	net->last_loss_us = 0;
	k.bad = RNG_PICK(&k.rng, shares);
	k.lying = RNG_PICK(&k.rng, shares);
	hosts_make(&k);
	zones_make(&k);
	for (unsigned i = 0; i < net->n_zones; i++)
		zone_serve(&k, i);
	signed_draw(&k);
	for (unsigned i = 0; i < net->n_zones; i++)
		apex_make(&k, &net->zones[i]);
	sets = rng_between(&k.rng, net->n_zones * 2, net->n_zones * 6);
	for (unsigned i = 0; i < sets; i++)
		making_random_set(&k, &net->zones[rng_below(&k.rng, net->n_zones)]);
	signed_break(&k);
}
