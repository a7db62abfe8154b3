/* defender_worker: see defender.h.  What one worker counts, and what it does to a query. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/policy/defender_impl.h"

enum {
	SLICES = 5, /* of the tally, one a tick */
	ASKED_BYTES = 1 << 20,
	ASKED_KEEP_S = 20,
	REPEATED_FACTOR = 5, /* shares of a name that is asked for again */
	ZONE_PART = 16,      /* of the filter of known names: no more for one zone */
};

/* What a worker has of one accusation. */
struct side {
	struct evidence evidence;
	uint64_t probe_due_us, repeated_due_us;
	bool is_new; /* evidence, that is */
};

struct defender_worker {
	struct defender *d;
	struct defender_tally *tally;
	struct defender_row *rows;
	struct defender_accused *accused; /* a reference, or NULL */
	struct side *sides;               /* of its entries */
	struct defender_known *asked;     /* unseen names of late, while somebody is accused */
	uint64_t generation;
	uint64_t learnt, asked_new, left_out, evicted;
	uint64_t known_turns;
	uint32_t learn_most;
	unsigned slice;
	bool is_off; /* nothing is counted */
};

int defender_worker_new(struct defender_worker **out, struct defender *d)
{
	struct defender_worker *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return E_NOMEM;
	w->d = d;
	w->is_off = d->cfg.mode == DEFENDER_OFF;
	err = defender_tally_new(&w->tally, d->tally_bytes);
	if (err != E_OK) {
		free(w);
		return err;
	}
	w->rows = defender_tally_rows(w->tally);
	w->learn_most = (uint32_t)(defender_known_capacity(d->known) / ZONE_PART /
				   d->cfg.n_workers);
	*out = w;
	return E_OK;
}

void defender_worker_free(struct defender_worker *w)
{
	if (w == NULL)
		return;
	accused_put(w->accused);
	defender_known_free(w->asked);
	defender_tally_free(w->tally);
	free(w->sides);
	free(w);
}

struct defender_row *defender_worker_rows(struct defender_worker *w)
{
	return w->rows;
}

/* ---- answers ---- */

static void learn(struct defender_worker *w, uint64_t hash, uint32_t note)
{
	if (defender_known_has(w->d->known, hash)) {
		/* In the older filter perhaps. */
		w->learnt += defender_known_add(w->d->known, hash);
		return;
	}
	if (!defender_tally_may_learn(w->tally, note, w->learn_most)) {
		w->left_out++;
		return;
	}
	w->learnt += defender_known_add(w->d->known, hash);
}

bool defender_worker_is_off(const struct defender_worker *w)
{
	return w->is_off;
}

uint32_t defender_worker_answer(struct defender_worker *w, const struct defender_seen_answer *a)
{
	const uint8_t *zone = a->zone != NULL ? a->zone : name_suffix(a->qname, a->domain_labels);
	const struct defender_answer answer = {
		.zone = zone,
		.zone_labels = a->zone != NULL ? name_labels(zone) : a->domain_labels,
		.domain_labels = a->domain_labels,
		.child = a->child,
		.hint = a->hint,
		.end = a->end,
		.cached = a->cached,
		.probe = a->probe,
	};
	uint32_t note = defender_tally_answer(w->tally, &answer);

	if (a->exists)
		learn(w, answer.child, note);
	return note;
}

void defender_worker_fetch(const struct defender_worker *w, const struct defender_seen_answer *a)
{
	if (a->exists)
		defender_known_fetch(w->d->known, a->child);
}

void defender_worker_learn(struct defender_worker *w, const uint8_t *name, uint32_t note)
{
	learn(w, name_hash(name), note);
}

/* ---- the tick ---- */

struct bringing {
	struct defender *d;
	uint64_t now_ms;
	uint32_t wall_s;
};

static void bring(void *ctx, const struct defender_row *row, const struct defender_zone *zone)
{
	const struct bringing *b = ctx;

	defender_bring(b->d, row, zone, b->now_ms, b->wall_s);
}

static struct evidence *evidence_of(struct defender *d, uint32_t id)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->accusations[i]->id == id)
			return &d->accusations[i]->evidence;
	for (size_t i = 0; i < ENDED_KEPT; i++)
		if (d->ended[i] != NULL && d->ended[i]->id == id)
			return &d->ended[i]->evidence;
	return NULL;
}

static void bring_evidence(struct defender_worker *w)
{
	for (size_t i = 0; w->accused != NULL && i < w->accused->n; i++) {
		struct side *side = &w->sides[i];
		struct evidence *to;

		if (!side->is_new)
			continue;
		to = evidence_of(w->d, w->accused->entries[i].id);
		if (to != NULL)
			evidence_unite(to, &side->evidence);
		memset(&side->evidence, 0, sizeof(side->evidence));
		side->is_new = false;
	}
}

/* What probes were let through before holds for those that are still accused. */
static void take_dues(struct side *to, const struct accused_entry *e,
		      const struct defender_worker *old)
{
	for (size_t i = 0; old->accused != NULL && i < old->accused->n; i++)
		if (old->accused->entries[i].id == e->id) {
			to->probe_due_us = old->sides[i].probe_due_us;
			to->repeated_due_us = old->sides[i].repeated_due_us;
			return;
		}
}

/* Looks at the set that is in force now.  Without memory the old one serves until the next tick. */
static void adopt(struct defender_worker *w)
{
	struct defender *d = w->d;
	struct side *sides = NULL;

	if (w->generation == d->generation)
		return;
	if (d->accused != NULL) {
		if (w->asked == NULL &&
		    defender_known_new(&w->asked, ASKED_BYTES, ASKED_KEEP_S) != E_OK)
			return;
		sides = calloc(d->accused->n, sizeof(*sides));
		if (sides == NULL)
			return;
		for (size_t i = 0; i < d->accused->n; i++)
			take_dues(&sides[i], &d->accused->entries[i], w);
	} else {
		defender_known_free(w->asked);
		w->asked = NULL;
	}
	accused_put(w->accused);
	free(w->sides);
	w->accused = accused_get(d->accused);
	w->sides = sides;
	w->generation = d->generation;
}

void defender_worker_tick(struct defender_worker *w, uint64_t now_ms, uint32_t wall_s)
{
	struct bringing b = { .d = w->d, .now_ms = now_ms, .wall_s = wall_s };
	struct defender_known_stats known;
	uint64_t evicted = defender_tally_evicted(w->tally);

	pthread_mutex_lock(&w->d->lock);
	/* Off, too: the packet cache's hits go on being counted, and are none of what comes then. */
	defender_tally_take_hot(w->tally, bring, &b);
	defender_tally_take(w->tally, w->slice, SLICES, bring, &b);
	w->slice = (w->slice + 1) % SLICES;
	bring_evidence(w);
	defender_settle(w->d, now_ms, wall_s);
	adopt(w);
	w->is_off = w->d->mode == DEFENDER_OFF;
	w->d->evicted += evicted - w->evicted;
	w->d->known_left_out += w->left_out;
	defender_known_tick(w->d->known, w->learnt, now_ms);
	pthread_mutex_unlock(&w->d->lock);
	w->evicted = evicted;
	w->learnt = w->left_out = 0;
	defender_known_stats(w->d->known, &known);
	if (known.turns != w->known_turns)
		defender_tally_forget_learnt(w->tally);
	w->known_turns = known.turns;
	if (w->asked != NULL)
		defender_known_tick(w->asked, w->asked_new, now_ms);
	w->asked_new = 0;
}

/* ---- whom it concerns ---- */

bool defender_is_accusing(const struct defender_worker *w)
{
	return w->accused != NULL;
}

bool defender_acts_before_cache(const struct defender_worker *w)
{
	return w->accused->before_cache;
}

/* In the order of the rules; of one rule the nearest. */
static void case_add(const struct defender_accused *set, struct defender_case *c, uint16_t place)
{
	unsigned at = c->n;

	while (at > 0 && set->entries[c->entries[at - 1]].rule > set->entries[place].rule)
		at--;
	/* The deeper ones were looked for first. */
	if (at > 0 && set->entries[c->entries[at - 1]].rule == set->entries[place].rule)
		return;
	c->rules |= 1U << set->entries[place].rule;
	if (at == DEFENDER_CASE_MAX)
		return;
	/* Those that come last have their say last, or none. */
	c->n -= c->n == DEFENDER_CASE_MAX;
	memmove(&c->entries[at + 1], &c->entries[at], (c->n - at) * sizeof(c->entries[0]));
	c->entries[at] = place;
	c->n++;
}

static void look_for(const struct defender_accused *set, const uint8_t *suffix, unsigned labels,
		     struct defender_case *c)
{
	uint64_t hash = name_hash(suffix);
	uint16_t place = set->buckets[hash & (set->n_buckets - 1)];

	for (; place != 0; place = set->entries[place - 1].next) {
		const struct accused_entry *e = &set->entries[place - 1];

		/* The hash is keyed and of 64 bits: it is the name. */
		if (e->hash == hash && e->labels == labels)
			case_add(set, c, (uint16_t)(place - 1));
	}
}

bool defender_match(const struct defender_worker *w, const uint8_t *qname, uint64_t child,
		    struct defender_case *out)
{
	const struct defender_accused *set = w->accused;
	unsigned labels = name_labels(qname);

	out->n = 0;
	out->rules = 0;
	for (const uint8_t *at = qname; labels > 0; at = name_parent(at), labels--)
		if (set->labels[labels / 64] >> labels % 64 & 1)
			look_for(set, at, labels, out);
	if (out->n == 0)
		return false;
	out->child = child;
	return true;
}

void defender_case_tags(uint32_t rules, void (*cb)(void *ctx, const char *tag, size_t len),
			void *ctx)
{
	for (unsigned i = 0; i < DEFENDER_RULES_MAX; i++) {
		char tag[32];

		if (rules >> i & 1)
			cb(ctx, tag, (size_t)snprintf(tag, sizeof(tag), "defender-prsd-%u", i + 1));
	}
}

bool defender_knows(const struct defender_worker *w, const struct defender_case *c)
{
	return defender_known_has(w->d->known, c->child);
}

/* ---- deciding ---- */

struct deciding {
	struct defender_worker *w;
	const struct defender_query *q;
	const struct defender_case *c;
	struct defender_decision *out;
	/* the accusation at hand */
	const struct accused_entry *entry;
	const struct defender_rule *rule;
	struct side *side;
};

static void did(struct deciding *x, enum defender_done done)
{
	struct defender_decision *out = x->out;

	x->side->evidence.done[done]++;
	x->side->is_new = true;
	if (out->n_done == ARRAY_LEN(out->done))
		return;
	out->done[out->n_done].done = done;
	out->done[out->n_done].is_zone = x->entry->is_zone;
	out->n_done++;
}

static void keep_bits(uint8_t *ip, unsigned n, unsigned bits)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned keep = bits >= 8 ? 8 : bits;

		ip[i] &= (uint8_t)(0xff << (8 - keep));
		bits -= keep;
	}
}

/* What of the address, and of the port, tells one client from another. */
static struct addr client_of(const struct defender_rule *r, const struct addr *a)
{
	struct addr c = *a;

	if (a->family == 4)
		keep_bits(c.ip, 4, r->ipv4_bits);
	else
		keep_bits(c.ip, sizeof(c.ip), r->ipv6_bits);
	c.port &= (uint16_t)(0xffffU << (16 - r->port_bits));
	return c;
}

static void note(struct deciding *x)
{
	struct addr client = client_of(x->rule, x->q->client);

	evidence_name(&x->side->evidence, x->q->qname);
	evidence_client(&x->side->evidence, &client, 1);
}

/* `per_s` in all workers, a second's worth at once. */
static bool take_share(const struct deciding *x, uint64_t *due_us, uint64_t per_s)
{
	uint64_t now_us = x->q->now_ms * 1000, step_us;

	if (per_s == 0)
		return false;
	step_us = (uint64_t)1000000 * x->w->d->cfg.n_workers / per_s;
	if (*due_us < now_us)
		*due_us = now_us;
	if (*due_us - now_us > 1000000)
		return false;
	*due_us += step_us;
	return true;
}

/* Some unseen names pass: true. */
static bool is_let_through(struct deciding *x)
{
	struct defender_worker *w = x->w;
	uint64_t unseen_qps = x->rule->unseen_qps;
	bool is_new;

	if (defender_known_has(w->asked, x->c->child)) {
		if (!take_share(x, &x->side->repeated_due_us, unseen_qps * REPEATED_FACTOR))
			return false;
		did(x, DEFENDER_DONE_REPEATED);
		return true;
	}
	is_new = defender_known_add(w->asked, x->c->child);
	w->asked_new += is_new;
	if (!take_share(x, &x->side->probe_due_us, unseen_qps))
		return false;
	x->out->probe = true;
	did(x, DEFENDER_DONE_PROBED);
	return true;
}

static const enum defender_done done_by_effect[] = {
	[DEFENDER_REFUSED] = DEFENDER_DONE_REFUSED,
	[DEFENDER_DROP] = DEFENDER_DONE_DROPPED,
	[DEFENDER_NXDOMAIN] = DEFENDER_DONE_NXDOMAIN,
	[DEFENDER_TRUNCATE] = DEFENDER_DONE_TRUNCATED,
};

/* True: the query ends here. */
static bool end_query(struct deciding *x, enum defender_effect effect)
{
	if (effect == DEFENDER_TRUNCATE && x->q->tcp) {
		did(x, DEFENDER_DONE_ALLOWED);
		return false;
	}
	note(x);
	if (!x->entry->acts) {
		did(x, DEFENDER_DONE_OBSERVED);
		return false;
	}
	if (is_let_through(x))
		return false;
	did(x, done_by_effect[effect]);
	x->out->effect = effect;
	x->out->labels = x->entry->labels;
	return true;
}

static void log_query(const struct deciding *x)
{
	char name[NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	(void)addr_ip_text(addr, x->q->client);
	(void)name_to_text(name, x->q->qname);
	log_limited_with(LOG_LEVEL_INFO,
			 LOG_FIELDS(LOG_NUMBER("rule", x->entry->rule + 1U),
				    LOG_TEXT("client", addr), LOG_TEXT("qname", name)),
			 "defender: rule %u: %s asks for '%s'", x->entry->rule + 1U, addr, name);
}

/* True: no further rule is asked. */
static bool apply(struct deciding *x, const struct defender_action *a)
{
	switch (a->effect) {
	case DEFENDER_ALLOW:
		did(x, DEFENDER_DONE_ALLOWED);
		return true;
	case DEFENDER_RATE_LIMIT:
		if (!ratelimit_allows(a->limit, x->q->client, x->q->now_ms * 1000))
			return end_query(x, a->otherwise);
		did(x, DEFENDER_DONE_ALLOWED);
		return false;
	case DEFENDER_SLIP:
		if (!x->q->tcp && x->q->random % a->slip != 0)
			return end_query(x, a->otherwise);
		did(x, DEFENDER_DONE_ALLOWED);
		return false;
	case DEFENDER_LOG:
		log_query(x);
		did(x, DEFENDER_DONE_LOGGED);
		return false;
	case DEFENDER_ROUTE:
		if (x->entry->acts && x->out->route == 0)
			x->out->route = a->route;
		did(x, x->entry->acts ? DEFENDER_DONE_ROUTED : DEFENDER_DONE_OBSERVED);
		return false;
	default:
		return end_query(x, a->effect);
	}
}

/* The first that matches, even if a later one fits better; NULL: the rule's own action. */
static const struct defender_policy *policy_of(const struct deciding *x)
{
	unsigned protocol = x->q->tcp ? DEFENDER_TCP : DEFENDER_UDP;

	for (size_t i = 0; i < x->rule->n_policies; i++) {
		const struct defender_policy *p = &x->rule->policies[i];

		if (p->protocols != 0 && !(p->protocols & protocol))
			continue;
		if (p->subnets == NULL || netset_match(p->subnets, x->q->client))
			return p;
	}
	return NULL;
}

static bool is_concerned(const struct deciding *x)
{
	const struct defender_rule *r = x->rule;

	if (r->clients != NULL && !netset_match(r->clients, x->q->client))
		return false;
	return r->include_domain || name_labels(x->q->qname) != x->entry->labels;
}

/* What is cached passes, where that is to be looked at first; what is known to exist, with
 * known_first. */
static bool is_known(struct deciding *x)
{
	if (x->q->knowledge == DEFENDER_UNSEEN)
		return false;
	if (x->q->knowledge == DEFENDER_SEEN && !x->rule->known_first)
		return false;
	did(x, x->q->knowledge == DEFENDER_CACHED ? DEFENDER_DONE_CACHED : DEFENDER_DONE_KNOWN);
	return true;
}

/* True: no further rule is asked. */
static bool judge(struct deciding *x)
{
	const struct defender_policy *p;
	bool waits;

	if (!is_concerned(x))
		return false;
	p = policy_of(x);
	waits = x->rule->known_first || (p != NULL && p->allow_cache_lookups);
	if (x->q->before_cache == waits) {
		x->out->is_final &= !waits;
		return false;
	}
	if (waits && is_known(x))
		return false;
	return apply(x, p != NULL ? &p->action : &x->rule->action);
}

void defender_decide(struct defender_worker *w, const struct defender_case *c,
		     const struct defender_query *q, struct defender_decision *out)
{
	struct deciding x = { .w = w, .q = q, .c = c, .out = out };

	*out = (struct defender_decision) { .effect = DEFENDER_ALLOW, .is_final = true };
	for (unsigned i = 0; i < c->n; i++) {
		x.entry = &w->accused->entries[c->entries[i]];
		x.rule = &w->accused->rules->rules[x.entry->rule];
		x.side = &w->sides[c->entries[i]];
		if (judge(&x)) {
			out->is_final = true;
			return;
		}
	}
}
