/* rollover: how zones are signed changes, step by step (RFC 6781 4.1): keys and algorithms roll over,
 * chains change, a zone becomes insecure and secure again, signatures run out and are renewed; where
 * trust begins an operator changes the anchor at the right moment.  See soak.h.
 *
 * Each step is an epoch.  Who waits after each until what was so before has left all caches does no
 * harm at any moment: all must be resolved as ever.  Who is hasty, leaves out a step, or never ends,
 * may, until caches have what is so in the end; a zone that is then wrong stays bogus. */
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tests/soak/making.h"
#include "tests/soak/soak.h"

enum {
	SECOND_US = 1000000,
	SLACK_S = 140,    /* what was begun is brought to its end */
	FORGIVEN_S = 400, /* bogus data, failures and throttles are remembered so long, at most */
	STAGES_MAX = 5,
	NUMBER_TURN = 8, /* a key's number, and that of the one after it, differ by this bit */
	WAIT_KEYS = 1,   /* until no cache has the DNSKEY or DS set of before */
	WAIT_ALL = 2,    /* or any of the zone's sets */
};

/* What the keys do, in this order: the old ZSK and KSK, the new ZSK and KSK. */
enum { OLD_ZSK, OLD_KSK, NEW_ZSK, NEW_KSK, ROLLING };

enum { P = USE_SHOWN, S = USE_SIGNS, K = USE_SIGNS_KEYS, D = USE_TRUSTED };

enum affair { OF_KEYS, OF_DS, OF_CHAIN, OF_TIME };

struct stage {
	uint8_t does[ROLLING];
	uint8_t wait;
};

static const struct way {
	const char *name;
	enum affair affair;
	unsigned keys; /* that the zone has; 0: any number */
	bool algorithm;
	struct stage stages[STAGES_MAX]; /* up to one that waits for nothing */
} ways[] = {
	{ "a ZSK, published before",
	  OF_KEYS,
	  2,
	  false,
	  { { { P | S, P | K | D, P, 0 }, WAIT_KEYS },
	    { { P, P | K | D, P | S, 0 }, WAIT_ALL },
	    { { 0, P | K | D, P | S, 0 }, 0 } } },
	{ "a ZSK, with double signatures",
	  OF_KEYS,
	  2,
	  false,
	  { { { P | S, P | K | D, P | S, 0 }, WAIT_ALL }, { { 0, P | K | D, P | S, 0 }, 0 } } },
	{ "a KSK, with double signatures",
	  OF_KEYS,
	  2,
	  false,
	  { { { P | S, P | K | D, 0, P | K }, WAIT_KEYS },
	    { { P | S, P | K, 0, P | K | D }, WAIT_KEYS },
	    { { P | S, 0, 0, P | K | D }, 0 } } },
	{ "a KSK, with two DS",
	  OF_KEYS,
	  2,
	  false,
	  { { { P | S, P | K | D, 0, D }, WAIT_KEYS },
	    { { P | S, D, 0, P | K | D }, WAIT_KEYS },
	    { { P | S, 0, 0, P | K | D }, 0 } } },
	{ "the only key",
	  OF_KEYS,
	  1,
	  false,
	  { { { 0, P | S | K | D, 0, P | S | K }, WAIT_ALL },
	    { { 0, P | S | K, 0, P | S | K | D }, WAIT_KEYS },
	    { { 0, 0, 0, P | S | K | D }, 0 } } },
	{ "the algorithm, signatures first",
	  OF_KEYS,
	  2,
	  true,
	  { { { P | S, P | K | D, S, 0 }, WAIT_ALL },
	    { { P | S, P | K | D, P | S, P | K }, WAIT_KEYS },
	    { { P | S, P | K, P | S, P | K | D }, WAIT_KEYS },
	    { { S, 0, P | S, P | K | D }, WAIT_KEYS },
	    { { 0, 0, P | S, P | K | D }, 0 } } },
	{ "the algorithm, all at once",
	  OF_KEYS,
	  2,
	  true,
	  { { { P | S, P | K | D, P | S, P | K }, WAIT_ALL },
	    { { P | S, P | K, P | S, P | K | D }, WAIT_KEYS },
	    { { 0, 0, P | S, P | K | D }, 0 } } },
	{ "the only key's algorithm",
	  OF_KEYS,
	  1,
	  true,
	  { { { 0, P | S | K | D, 0, P | S | K }, WAIT_ALL },
	    { { 0, P | S | K, 0, P | S | K | D }, WAIT_KEYS },
	    { { 0, 0, 0, P | S | K | D }, 0 } } },
	{ "no DS, and one again",
	  OF_DS,
	  2,
	  false,
	  { { { P | S, P | K, 0, 0 }, WAIT_KEYS }, { { P | S, P | K | D, 0, 0 }, 0 } } },
	{ "no DS, and one again",
	  OF_DS,
	  1,
	  false,
	  { { { 0, P | S | K, 0, 0 }, WAIT_KEYS }, { { 0, P | S | K | D, 0, 0 }, 0 } } },
	{ "the chain", OF_CHAIN, 0, false, { { { 0 }, 0 } } },
	{ "the chain, twice", OF_CHAIN, 0, false, { { { 0 }, WAIT_KEYS }, { { 0 }, 0 } } },
	{ "signatures that run out, and are renewed",
	  OF_TIME,
	  0,
	  false,
	  { { { 0 }, WAIT_KEYS }, { { 0 }, 0 } } },
};

struct rollover {
	const struct way *way;
	unsigned zone;
	bool hasty, gives_up;
	struct sign_use keys[ROLLING];
};

/* ---- the zone ---- */

static bool is_unbroken(const struct internet *net, const struct zone *z, const struct zone *of,
			uint16_t type)
{
	for (unsigned i = of->first_set; i != SET_NONE; i = net->sets[i].next)
		if (net->sets[i].type == type && name_equal(net->sets[i].owner, z->apex))
			return net->sets[i].fault == SIGN_NONE;
	return z->is_anchor;
}

static bool may_roll(const struct internet *net, const struct zone *z)
{
	const struct sign_policy *p = &net->policies[z - net->zones];

	return z->is_signed && !z->is_nta && (z->has_ds || z->is_anchor) && p->fault == SIGN_NONE &&
	       p->more[0] == 0 && is_unbroken(net, z, z, TYPE_DNSKEY) &&
	       is_unbroken(net, z, &net->zones[z->parent], TYPE_DS);
}

static unsigned stages(const struct way *w)
{
	unsigned n = 1;

	while (w->stages[n - 1].wait != 0)
		n++;
	return n;
}

static bool way_fits(const struct internet *net, const struct zone *z, const struct way *w)
{
	unsigned keys = net->policies[z - net->zones].two_keys ? 2 : 1;

	return (w->keys == 0 || w->keys == keys) && (w->affair != OF_DS || z->has_ds) &&
	       net->n_epochs + stages(w) <= EPOCHS_MAX;
}

static struct sign_use key_after(struct rng *r, struct sign_use key, bool other_algorithm)
{
	static const uint8_t algorithms[] = { 13, 15, 8 };
	uint8_t before = key.algorithm;

	while (other_algorithm && key.algorithm == before)
		key.algorithm = RNG_PICK(r, algorithms);
	key.number ^= NUMBER_TURN;
	return key;
}

/* False: it is not the time for it. */
static bool rollover_draw(struct rollover *o, const struct internet *net, struct rng *r)
{
	const struct zone *z;

	*o = (struct rollover) { .way = &RNG_PICK(r, ways) };
	for (unsigned tries = 0; tries < 2 * ZONES_MAX; tries++) {
		o->zone = rng_below(r, net->n_zones);
		z = &net->zones[o->zone];
		if (may_roll(net, z) && way_fits(net, z, o->way))
			break;
		o->way = &RNG_PICK(r, ways);
		if (tries + 1 == 2 * ZONES_MAX)
			return false;
	}
	o->hasty = rng_chance(r, 25);
	o->gives_up = o->hasty && rng_chance(r, 20);
	o->keys[OLD_ZSK] = z->zsk;
	o->keys[OLD_KSK] = z->ksk;
	o->keys[NEW_ZSK] = key_after(r, z->zsk, o->way->algorithm);
	o->keys[NEW_KSK] = key_after(r, z->ksk, false);
	if (o->way->algorithm)
		o->keys[NEW_KSK].algorithm = o->keys[NEW_ZSK].algorithm;
	return true;
}

static void keys_use(const struct rollover *o, const struct stage *stage, struct zone *z,
		     struct sign_policy *p)
{
	unsigned n = 0;

	memset(p->uses, 0, sizeof(p->uses));
	for (unsigned i = 0; i < ROLLING; i++) {
		struct sign_use u = o->keys[i];

		u.does = stage->does[i];
		/* The parent is never told. */
		if (o->gives_up && (i == NEW_KSK || i == OLD_KSK))
			u.does = (uint8_t)((u.does & ~D) | (i == OLD_KSK ? D : 0));
		if (u.does != 0)
			p->uses[n++] = u;
	}
	if (stage->wait != 0)
		return;
	if (stage->does[NEW_ZSK] != 0)
		z->zsk = o->keys[NEW_ZSK];
	if (stage->does[NEW_KSK] != 0)
		z->ksk = o->keys[NEW_KSK];
}

static void chain_use(struct sign_policy *p, const struct zone *z, struct rng *r)
{
	/* An owner of NSEC3 has to be a name. */
	if (p->denial != SIGN_OPT_OUT && name_len(z->apex) < NAME_MAX_LEN - SIGN_HASH_LEN * 2)
		p->denial = rng_chance(r, 50) ? SIGN_NSEC : SIGN_NSEC3;
	p->salt_len = (uint8_t)rng_below(r, SIGN_SALT_MAX + 1);
	for (unsigned i = 0; i < p->salt_len; i++)
		p->salt[i] = (uint8_t)rng_below(r, 256);
	p->iterations = p->denial == SIGN_NSEC ? 0 : (uint16_t)rng_below(r, 3);
}

/* A step, and an epoch. */
static bool epoch_begin(struct soak *s, struct rollover *o, const struct stage *stage)
{
	struct making k = { .net = &s->net, .rng = { rng_next(&s->rng) } };
	struct reach reach = { s->setup.cfg.use_ipv4, s->setup.cfg.use_ipv6 };
	struct internet *net = &s->net;
	struct epoch *e = &net->epochs[net->n_epochs];
	struct sign_policy *p = &e->policies[o->zone];
	struct zone *z = &e->zones[o->zone];
	bool ok = true;

	*e = net->epochs[net->n_epochs - 1];
	e->from_us = soak_now_us(s);
	e->changed = (uint8_t)o->zone;
	net->n_epochs++;
	internet_use_latest(net);
	switch (o->way->affair) {
	case OF_DS:
		z->has_ds = stage->wait == 0;
		/* fall through */
	case OF_KEYS:
		keys_use(o, stage, z, p);
		ok = signed_renew_keys(&k, z);
		break;
	case OF_CHAIN:
		chain_use(p, z, &k.rng);
		break;
	case OF_TIME:
		p->fault = stage->wait != 0 ? SIGN_EXPIRED : SIGN_NONE;
		break;
	}
	internet_judge(net, &reach);
	return ok;
}

/* ---- how long to wait ---- */

static uint32_t life_s(const struct internet *net, uint32_t ttl)
{
	const struct belief *b = &net->belief;

	if (ttl > INT32_MAX)
		ttl = 0;
	if (ttl > b->max_ttl)
		ttl = b->max_ttl;
	return ttl > b->min_ttl ? ttl : b->min_ttl;
}

static uint32_t wait_s(const struct internet *net, const struct zone *z, unsigned wait)
{
	uint32_t longest = life_s(net, SIGNED_KEYS_TTL);

	for (unsigned i = z->first_set; i != SET_NONE && wait == WAIT_ALL; i = net->sets[i].next)
		if (life_s(net, net->sets[i].ttl) > longest)
			longest = life_s(net, net->sets[i].ttl);
	return longest + SLACK_S;
}

/* ---- the course ---- */

/* Something in the zone, or what is not there. */
static void ask_there(struct soak *s, unsigned zone)
{
	const struct internet *net = &s->net;
	const struct zone *z = &net->zones[zone];
	unsigned skip = rng_below(&s->rng, 12), i = z->first_set;
	uint8_t name[NAME_MAX_LEN];

	while (skip-- > 0 && i != SET_NONE && net->sets[i].next != SET_NONE)
		i = net->sets[i].next;
	name_copy(name, i == SET_NONE ? z->apex : net->sets[i].owner);
	if (rng_chance(&s->rng, 20) && name_len(name) + 2 <= NAME_MAX_LEN) {
		memmove(name + 2, name, name_len(name));
		memcpy(name, "\1q", 2);
	}
	client_ask(s, name, i == SET_NONE ? TYPE_SOA : net->sets[i].type, false);
}

static void stage_begin(struct soak *s, struct rollover *o, const struct stage *stage)
{
	const struct zone *z;

	ask_there(s, o->zone);
	if (rng_chance(&s->rng, 80))
		soak_drain(s, (uint64_t)rng_below(&s->rng, 10) * SECOND_US);
	/* With no room for all of it there is no knowing what is right. */
	s->net.only_rolls &= epoch_begin(s, o, stage);
	z = &s->net.zones[o->zone];
	soak_say(s, "zone %u: a step of rolling over %s%s", o->zone, o->way->name,
		 o->hasty ? ", hasty" : "");
	if (s->out != NULL)
		internet_print(s->out, &s->net);
	if (z->is_anchor && o->way->affair == OF_KEYS) {
		s->net.only_rolls &= anchors_publish(s);
		soak_wipe(s, z->apex, 0, true);
	}
	ask_there(s, o->zone);
}

static void stage_wait(struct soak *s, const struct rollover *o, unsigned wait)
{
	uint64_t us = (uint64_t)wait_s(&s->net, &s->net.zones[o->zone], wait) * SECOND_US;
	uint64_t some_us = (uint64_t)rng_below(&s->rng, (uint32_t)(us / SECOND_US)) * SECOND_US;

	if (o->hasty)
		us = rng_chance(&s->rng, 50) ? 0 : some_us;
	if (some_us > us)
		some_us = us;
	soak_drain(s, some_us);
	ask_there(s, o->zone);
	soak_drain(s, us - some_us);
}

void roll_over(struct soak *s)
{
	struct rollover o;

	if (!rollover_draw(&o, &s->net, &s->rng))
		return;
	if (o.hasty || o.way->affair == OF_TIME) {
		s->net.astray_until_us = UINT64_MAX;
		for (unsigned i = 0; i < s->n_askers; i++)
			s->askers[i].must = MUST_NOT;
	}
	for (unsigned i = 0; i < stages(o.way) && s->failure[0] == '\0'; i++) {
		const struct stage *stage = &o.way->stages[i];

		if (o.hasty && stage->wait != 0 && rng_chance(&s->rng, 30))
			continue;
		stage_begin(s, &o, stage);
		if (stage->wait != 0)
			stage_wait(s, &o, stage->wait);
	}
	if (o.hasty || o.way->affair == OF_TIME)
		s->net.astray_until_us = soak_now_us(s) +
					 (2ull * wait_s(&s->net, &s->net.zones[o.zone], WAIT_ALL) +
					  FORGIVEN_S) *
						 SECOND_US;
}
