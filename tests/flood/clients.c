/* clients: who asks, and what becomes of it: the pipeline in small: the defender before the resolver,
 * slots, and an account of each answer. */
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "common/timers.h"
#include "common/wire.h"
#include "recursor/policy/defender.h"
#include "tests/flood/flood.h"

enum { RIGHT_WITHIN_US = 2 * SECOND_US, END_GRACE_US = 1600000, LEGIT_CLIENTS = 40 };

static struct score *score_of(const struct asker *a)
{
	return &a->node->flood->scores[a->phase][a->kind];
}

/* ---- the account ---- */

static enum defender_end end_of(const struct answer *a)
{
	switch (a->rcode) {
	case RCODE_NOERROR:
		return DEFENDER_END_NOERROR;
	case RCODE_NXDOMAIN:
		return DEFENDER_END_NXDOMAIN;
	case RCODE_SERVFAIL:
		break;
	default:
		return DEFENDER_END_OTHER;
	}
	return a->timeouts > 0 || (!a->is_remembered && a->ede == EDE_NO_REACHABLE_AUTHORITY)
		       ? DEFENDER_END_TIMEOUT
		       : DEFENDER_END_SERVFAIL;
}

static void tell_defender(struct asker *a, enum defender_end end, bool cached, bool exists)
{
	const struct defender_seen_answer seen = {
		.qname = a->name,
		.child = a->child,
		.domain_labels = DOMAIN_LABELS,
		.end = end,
		.cached = cached,
		.probe = a->probe,
		.exists = exists,
	};

	(void)defender_worker_answer(a->node->defender, &seen);
}

static bool is_right(const struct asker *a, const struct answer *answer)
{
	struct rdata rr;
	size_t at = 0;

	return answer->rcode == RCODE_NOERROR && answer->n_sets == 1 &&
	       rrset_next(answer->sets[0], &at, &rr) && rr.len == 4 &&
	       wire_get_u32(rr.data) == a->right;
}

static void legit_failed(struct asker *a, const char *how)
{
	char name[NAME_TEXT_MAX];

	if (a->kind == KIND_LEGIT)
		flood_fail(a->node->flood, "%.60s %s", name_to_text(name, a->name), how);
}

static void account(struct asker *a, const struct answer *answer)
{
	struct flood *f = a->node->flood;
	struct score *s = score_of(a);
	uint64_t us = flood_now_us(f) - a->asked_us;

	if (us > f->cfg.max_total_msec * 1000ull + END_GRACE_US)
		flood_fail(f, "a query took %u ms", (unsigned)(us / 1000));
	if (us > s->slowest_us)
		s->slowest_us = us;
	if (a->kind == KIND_FLOOD) {
		s->right += answer->rcode == RCODE_NXDOMAIN;
		s->failed += answer->rcode != RCODE_NXDOMAIN;
		return;
	}
	if (is_right(a, answer)) {
		s->right++;
		if (us > RIGHT_WITHIN_US)
			legit_failed(a, "was answered late");
		return;
	}
	s->failed++;
	s->wrong += answer->rcode == RCODE_NOERROR || answer->rcode == RCODE_NXDOMAIN;
	legit_failed(a, answer->ede_text != NULL ? answer->ede_text : "was not answered");
}

/* ---- the pipeline in small ---- */

static void let_go(struct asker *a)
{
	slots_give(a->node->slots, &a->slot);
	a->in_use = false;
	a->node->flood->n_askers--;
}

static void done(void *ctx, const struct answer *answer)
{
	struct asker *a = ctx;

	ASSERT(a->in_use);
	if (a->over_capacity && answer->n_sets == 0 && answer_soa(answer) == NULL) {
		a->unknown = true;
		return;
	}
	account(a, answer);
	/* What was refused at once has not been found in a cache. */
	tell_defender(a, end_of(answer),
		      answer->from_cache &&
			      (answer->rcode != RCODE_SERVFAIL || answer->is_remembered),
		      answer->rcode == RCODE_NOERROR || answer->n_sets > 0);
	let_go(a);
}

static void drop(struct asker *a)
{
	score_of(a)->dropped++;
	legit_failed(a, "was dropped: all slots are taken");
	tell_defender(a, DEFENDER_END_TIMEOUT, false, false);
	let_go(a);
}

static void ask_resolver(struct asker *a)
{
	struct question q = {
		.name = a->name,
		.name_hash = a->child,
		.type = a->type,
		.cache_only = a->over_capacity,
	};
	struct request *request = resolver_ask(a->node->resolver, &q, done, a);

	if (request == NULL)
		return;
	a->request = request;
	slots_take(a->node->slots, &a->slot, &a->client);
}

static bool make_room(struct asker *a)
{
	struct slot *slot = slots_victim(a->node->slots, &a->client);

	if (slot == NULL)
		return false;
	resolver_give_up(a->node->resolver, CONTAINER(slot, struct asker, slot)->request,
			 CAUSE_FAIR_SHARE);
	return !slots_are_full(a->node->slots);
}

static void resolve(struct asker *a)
{
	a->over_capacity = slots_are_full(a->node->slots);
	ask_resolver(a);
	if (!a->unknown)
		return;
	a->unknown = false;
	if (make_room(a)) {
		a->over_capacity = false;
		ask_resolver(a);
	} else {
		drop(a);
	}
}

/* False: the defender ended it. */
static bool may_pass(struct asker *a)
{
	struct defender_worker *w = a->node->defender;
	struct flood *f = a->node->flood;
	const struct world *world = &a->node->network.world;
	struct defender_query q = {
		.qname = a->name,
		.client = &a->client,
		.random = (uint32_t)rng_next(&f->rng),
		.now_ms = flood_now_us(f) / 1000,
	};
	struct defender_decision d;
	struct defender_case c;

	if (!defender_is_accusing(w) || !defender_match(w, a->name, a->child, &c))
		return true;
	if (cache_answers(f->cache, a->name, a->type, world->wall_s(world->ctx), f->setup.stale_s))
		q.knowledge = DEFENDER_CACHED;
	else if (defender_knows(w, &c))
		q.knowledge = DEFENDER_SEEN;
	defender_decide(w, &c, &q, &d);
	a->probe = d.probe;
	return d.effect == DEFENDER_ALLOW;
}

static struct asker *take_asker(struct flood *f)
{
	for (unsigned i = 0; i < ASKERS_MAX; i++)
		if (!f->askers[i].in_use)
			return &f->askers[i];
	flood_fail(f, "more queries are in flight than there can be");
	return NULL;
}

static void ask(struct flood *f, enum kind kind, const uint8_t *name, uint16_t type, uint32_t right,
		uint32_t client)
{
	struct asker *a = take_asker(f);

	if (a == NULL)
		return;
	*a = (struct asker) {
		.node = &f->nodes[rng_below(&f->rng, f->setup.n_nodes)],
		.client = { .family = 4, .port = 4000 },
		.kind = kind,
		.phase = f->phase,
		.in_use = true,
		.right = right,
		.asked_us = flood_now_us(f),
		.type = type,
	};
	wire_put_u32(a->client.ip, client);
	(void)name_copy(a->name, name);
	a->child = name_hash(a->name);
	f->n_askers++;
	score_of(a)->asked++;
	if (may_pass(a)) {
		resolve(a);
		return;
	}
	score_of(a)->turned++;
	legit_failed(a, "was turned away");
	tell_defender(a, DEFENDER_END_TURNED, false, false);
	let_go(a);
}

/* ---- who asks ---- */

static uint32_t ordinary_client(struct flood *f)
{
	return 0xc0000200 | rng_below(&f->rng, LEGIT_CLIENTS);
}

void clients_ask_host(struct flood *f)
{
	unsigned domain = rng_below(&f->rng, DOMAINS), host = rng_below(&f->rng, HOSTS);
	uint8_t name[NAME_MAX_LEN];

	world_host_name(name, domain, host);
	ask(f, KIND_LEGIT, name, TYPE_A, world_host_address(domain, host), ordinary_client(f));
}

void clients_ask_known(struct flood *f, unsigned n)
{
	uint8_t name[NAME_MAX_LEN];

	world_known_name(name, n);
	ask(f, KIND_KNOWN, name, TYPE_A, world_known_address(n), ordinary_client(f));
}

void clients_flood(struct flood *f)
{
	uint8_t name[NAME_MAX_LEN];

	world_random_name(f, name);
	ask(f, KIND_FLOOD, name, rng_chance(&f->rng, 80) ? TYPE_A : TYPE_AAAA, 0,
	    0xcb000000 | rng_below(&f->rng, f->setup.attackers));
}

void clients_cancel_all(struct flood *f)
{
	for (unsigned i = 0; i < ASKERS_MAX; i++) {
		struct asker *a = &f->askers[i];

		if (!a->in_use)
			continue;
		resolver_cancel(a->node->resolver, a->request);
		let_go(a);
	}
}
