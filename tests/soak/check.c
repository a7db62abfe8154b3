/* check: what must be so; see soak.h. */
#include <string.h>

#include "common/rrtype.h"
#include "tests/soak/soak.h"

enum {
	LINKS_MAX = 32,
	ONE_WAY_MS = 150, /* there and back, from the slowest sound server, at most */
	LOSS_MS = 1500,
	LOSSES = 2, /* that one question may meet: server.c */
	REPLY_BYTES = 1000,
	WIPED_US = 2000000,
	STALE_TTL_S = 30, /* RFC 8767 4 */
};

/* ---- must it succeed? ---- */

/* What an honest way to the answer may cost. */
struct estimate {
	unsigned questions, depth, records, checks;
	size_t bytes;
	bool is_sound;
};

/* What it takes to trace trust from the zone to the root: DS and DNSKEY, label by label. */
static void trust_estimate(const struct soak *s, const struct zone *z, struct estimate *e)
{
	e->questions += 2u * z->labels + 2;
	for (; z != s->net.zones; z = &s->net.zones[z->parent]) {
		e->questions += 2;
		e->depth += 2;
		e->checks += 3;
	}
}

static bool zone_estimate(const struct soak *s, const struct truth *t, const uint8_t *name,
			  bool validates, struct estimate *e)
{
	if (validates ? !t->zone->proved_reachable : !t->zone->reachable)
		return false;
	e->is_sound = e->is_sound && (validates ? t->zone->proved_sound : t->zone->sound);
	if (validates)
		trust_estimate(s, t->zone, e);
	e->questions += t->zone->cost + name_labels(name) - t->zone->labels + 1;
	if (t->zone->depth > e->depth)
		e->depth = t->zone->depth;
	for (unsigned i = 0; t->set != NULL && i < t->set->n; i++)
		e->bytes += 2 * (model_record(&s->net, t->set, i)->len + 12u);
	if (t->set != NULL && t->set->n > e->records)
		e->records = t->set->n;
	return true;
}

static bool fits(const struct soak *s, const struct estimate *e)
{
	const struct resolver_config *cfg = &s->setup.cfg;
	/* EDNS refused, truncation, a forger: each question may have to be asked twice. */
	unsigned questions = 2 * e->questions + LOSSES + 4;
	size_t bytes = e->bytes + questions * (size_t)REPLY_BYTES;

	/* Servers are throttled for a while after they could not be reached. */
	if (s->net.cut_until_us > 0)
		return false;
	/* A delegation that has just lost its glue is not fetched anew at once. */
	if (soak_now_us(s) < s->wiped_us + WIPED_US)
		return false;
	return s->setup.wide && s->setup.no_resources == 0 && !s->was_tight &&
	       questions <= cfg->max_qperq &&
	       questions * ONE_WAY_MS + LOSSES * LOSS_MS <= cfg->max_total_msec &&
	       (cfg->max_bytesperq == 0 || bytes <= cfg->max_bytesperq) &&
	       (cfg->max_depth == 0 || e->depth < cfg->max_depth) &&
	       e->records <= cfg->max_rrset_records && cfg->max_ns_address_qperq >= 5 &&
	       cfg->max_goals >= 1000 && cfg->max_chain == 0 && cfg->network_timeout_ms >= 1500 &&
	       (cfg->dnssec_limits.max_signature_validations == 0 ||
		e->checks + 4 <= cfg->dnssec_limits.max_signature_validations) &&
	       (cfg->max_inflight_zone == 0 || cfg->max_inflight_zone >= 500) &&
	       (s->setup.servers.max_inflight == 0 || s->setup.servers.max_inflight >= 500) &&
	       (s->setup.servers.down_max_fails == 0 || s->setup.servers.down_max_fails > 10);
}

/* May what was learnt before a change lead astray?  Not how zones were signed, where nobody was
 * hasty. */
static bool may_be_astray(const struct soak *s)
{
	if (s->is_settled)
		return false;
	return !s->net.only_rolls || soak_now_us(s) < s->net.astray_until_us;
}

/* What was on its way when the clock jumped is signed for another time: bogus, and remembered. */
static bool may_have_lapsed(const struct soak *s)
{
	const struct resolver_config *cfg = &s->setup.cfg;
	uint64_t for_us = (cfg->max_total_msec + 1000ull * cfg->max_bogus_ttl) * 1000;

	return s->jumped_us > 0 && soak_now_us(s) < s->jumped_us + for_us;
}

/* RFC 6761 6.3: answered by the resolver itself. */
static bool is_special(const uint8_t *name)
{
	return name_is_within(name, (const uint8_t *)"\11localhost");
}

static enum must judge(const struct soak *s, const struct estimate *e)
{
	if (s->configured == 0 && e->is_sound && fits(s, e))
		return MUST;
	return s->net.calm ? MUST_UNLESS_LIMITED : MUST_NOT;
}

enum must must_succeed(struct soak *s, const uint8_t *name, uint16_t type, bool validates)
{
	uint8_t at[NAME_MAX_LEN], target[NAME_MAX_LEN];
	struct estimate e = { .is_sound = true };
	struct truth t;

	if (is_special(name) || may_be_astray(s) || (validates && may_have_lapsed(s)))
		return MUST_NOT;
	name_lower(at, name);
	for (unsigned links = 0; links <= s->setup.cfg.max_cnames; links++) {
		enum finding f;

		truth_of(&s->net, at, type, &t);
		f = finding_of(&s->net, &t, at, type);
		if (!zone_estimate(s, &t, at, validates, &e) ||
		    (validates &&
		     (f == FIND_BOGUS || f == FIND_ANYTHING || was_ever_refused(s, at, type))))
			return MUST_NOT;
		if (t.kind != TRUTH_CNAME && t.kind != TRUTH_DNAME)
			return judge(s, &e);
		if (!truth_target(&s->net, &t, at, target))
			return MUST_NOT;
		name_lower(at, target);
	}
	return MUST_NOT;
}

/* ---- an answer ---- */

/* Reading an answer section: where the chain has led. */
struct reading {
	struct soak *s;
	const struct asker *a;
	const struct answer *answer;
	uint8_t at[NAME_MAX_LEN];
	struct truth t; /* of that name */
	size_t i;
	bool has_data;
};

static void wrong(struct reading *x, const char *what)
{
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	soak_fail(x->s, "%s, at %.200s %s", what, name_to_text(name, x->at),
		  rrtype_to_text(x->a->type, type));
}

/* What the epochs that count have for a name, together: who was sent to a liar by a delegation of
 * one may find that nothing is signed by the chain of another. */
struct exposure {
	bool has_liar, is_open;
};

/* Does nothing but the truth count, as the epoch in use has it?  Where a liar has a say there is no
 * truth to know, unless signatures protect it: then he may still say what once was so. */
static bool truth_counts(struct reading *x, struct exposure *e)
{
	const struct internet *net = &x->s->net;

	truth_of(net, x->at, x->a->type, &x->t);
	if (!x->t.zone->trusted)
		e->has_liar = true;
	if (!x->a->validates || x->s->configured != 0 ||
	    !is_protected(net, &x->t, x->at, x->a->type))
		e->is_open = true;
	return !e->has_liar || !e->is_open;
}

/* Is it so, or was it at a time when it may have been learnt?  `then_us` is when what is judged was
 * received. */
static bool was_true(struct reading *x, uint64_t then_us,
		     const char *(*find)(struct reading *x, const struct rrset *set,
					 const struct rrset *dname),
		     const struct rrset *set, const struct rrset *dname)
{
	struct internet *net = &x->s->net;
	const char *what = NULL, *first = NULL;
	struct exposure exposure = { false, false };
	bool has_liar;

	truth_of(net, x->at, x->a->type, &x->t);
	has_liar = !x->t.zone->trusted;
	for (unsigned e = net->n_epochs; e-- > 0;) {
		internet_use(net, e);
		if (!has_liar && !epoch_counts(net, x->at, then_us))
			continue;
		what = truth_counts(x, &exposure) ? find(x, set, dname) : NULL;
		if (what == NULL)
			break;
		if (first == NULL)
			first = what;
	}
	internet_use_latest(net);
	if (what != NULL)
		wrong(x, first);
	return what == NULL;
}

/* When a set was received; what has been put together from stale data no longer tells. */
static uint64_t received_us(const struct reading *x, const struct rrset *set)
{
	const struct belief *b = &x->s->net.belief;
	uint64_t now_us = soak_now_us(x->s), oldest_us = 1000000ull * (b->stale_s + b->max_ttl);

	if (x->answer->is_stale)
		return now_us > oldest_us ? now_us - oldest_us : 0;
	return set != NULL ? check_received_us(x->s, set) : now_us;
}

static bool ttl_is_too_long(const struct reading *x, const struct rrset *set)
{
	const struct belief *b = &x->s->net.belief;
	uint32_t ttl = x->t.set->ttl > INT32_MAX ? 0 : x->t.set->ttl;

	/* What we say ourselves is as the operator has written it. */
	if (set->rank != RANK_LOCAL && ttl > b->max_ttl)
		ttl = b->max_ttl;
	if (ttl < b->min_ttl)
		ttl = b->min_ttl;
	if (x->answer->is_stale && ttl < STALE_TTL_S)
		ttl = STALE_TTL_S;
	return rrset_ttl_left(set, soak_wall_s(x->s)) > ttl;
}

static bool target_of(const struct rrset *cname, uint8_t out[NAME_MAX_LEN])
{
	struct rdata rr;
	size_t at = 0;

	if (!rrset_next(cname, &at, &rr))
		return false;
	name_lower(out, rr.data);
	return true;
}

bool data_is_true(const struct internet *net, const struct rrset *set, const struct truth *t)
{
	uint8_t target[NAME_MAX_LEN], right[NAME_MAX_LEN];

	if (t->kind == TRUTH_DATA)
		return truth_has(net, t->set, set);
	return t->kind == TRUTH_DNAME && set->type == TYPE_CNAME && target_of(set, target) &&
	       truth_target(net, t, rrset_owner(set), right) && name_equal(target, right);
}

static const char *judge_alias(struct reading *x, const struct rrset *cname,
			       const struct rrset *dname)
{
	uint8_t target[NAME_MAX_LEN], right[NAME_MAX_LEN];

	if (x->t.kind != (dname != NULL ? TRUTH_DNAME : TRUTH_CNAME) ||
	    !truth_target(&x->s->net, &x->t, x->at, right) || !target_of(cname, target) ||
	    !name_equal(target, right))
		return "a false alias";
	return ttl_is_too_long(x, cname) ? "a TTL that is too long" : NULL;
}

/* A CNAME, that may follow from the DNAME before it. */
static void read_alias(struct reading *x, const struct rrset *cname, const struct rrset *dname)
{
	uint8_t target[NAME_MAX_LEN];

	if (!name_equal(rrset_owner(cname), x->at) || !target_of(cname, target))
		wrong(x, "an alias of another name");
	else if (was_true(x, received_us(x, dname != NULL ? dname : cname), judge_alias, cname,
			  dname))
		name_copy(x->at, target);
}

static const char *judge_data(struct reading *x, const struct rrset *set, const struct rrset *dname)
{
	(void)dname;
	if (!data_is_true(&x->s->net, set, &x->t))
		return "false data";
	return ttl_is_too_long(x, set) ? "a TTL that is too long" : NULL;
}

static void read_data(struct reading *x, const struct rrset *set)
{
	if (!name_equal(rrset_owner(set), x->at) || set->type != x->a->type)
		wrong(x, "data that were not asked for");
	else
		(void)was_true(x, received_us(x, set), judge_data, set, NULL);
	x->has_data = true;
}

static void read_sets(struct reading *x)
{
	const struct answer *answer = x->answer;

	for (; x->i < answer->n_sets && !x->has_data; x->i++) {
		const struct rrset *set = answer->sets[x->i], *dname = NULL;

		if (set->type == TYPE_DNAME && name_is_below(x->at, rrset_owner(set))) {
			/* RFC 6672 2.2: it would make a name that is none. */
			if (x->i + 1 == answer->n_sets && answer->rcode == RCODE_YXDOMAIN)
				continue;
			if (x->i + 1 < answer->n_sets) {
				dname = set;
				set = answer->sets[++x->i];
			}
		}
		if (set->type == TYPE_CNAME && x->a->type != TYPE_CNAME)
			read_alias(x, set, dname);
		else
			read_data(x, set);
	}
	if (x->i < answer->n_sets)
		wrong(x, "sets after the data");
}

static const char *judge_denial(struct reading *x, const struct rrset *set,
				const struct rrset *dname)
{
	bool nxdomain = x->answer->rcode == RCODE_NXDOMAIN;

	(void)set;
	(void)dname;
	if (x->t.kind == TRUTH_NODATA && !nxdomain)
		return NULL;
	if (x->t.kind == TRUTH_NXDOMAIN && nxdomain)
		return NULL;
	/* Some say so of an empty non-terminal. */
	if (nxdomain && x->t.zone->denies_empty && x->t.empty)
		return NULL;
	return nxdomain ? "a name denied that exists" : "a type denied that exists";
}

/* The answer ends without data: is there none? */
static void check_denial(struct reading *x)
{
	if (!x->has_data && !x->a->cache_only)
		(void)was_true(x, received_us(x, answer_soa(x->answer)), judge_denial, NULL, NULL);
}

static const char *judge_too_long(struct reading *x, const struct rrset *set,
				  const struct rrset *dname)
{
	uint8_t target[NAME_MAX_LEN];

	(void)set;
	(void)dname;
	return x->t.kind == TRUTH_DNAME && !truth_target(&x->s->net, &x->t, x->at, target)
		       ? NULL
		       : "no name is made too long by a DNAME here";
}

static void check_too_long(struct reading *x)
{
	const struct answer *answer = x->answer;
	const struct rrset *last = answer->n_sets > 0 ? answer->sets[answer->n_sets - 1] : NULL;

	(void)was_true(x, received_us(x, last), judge_too_long, NULL, NULL);
}

static uint64_t limits_of(const struct counters *c)
{
	return counter_get(&c->limit_qperq) + counter_get(&c->limit_time) +
	       counter_get(&c->limit_checks) + counter_get(&c->limit_hashes) +
	       counter_get(&c->limit_cnames) + counter_get(&c->limit_depth) +
	       counter_get(&c->limit_ns_address) + counter_get(&c->limit_ns) +
	       counter_get(&c->limit_subgoals) + counter_get(&c->limit_referrals) +
	       counter_get(&c->limit_rrset) + counter_get(&c->limit_records) +
	       counter_get(&c->limit_inflight_zone) + counter_get(&c->limit_inflight_server);
}

uint64_t limits_met(const struct soak *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->setup.n_nodes; i++)
		n += limits_of(&s->nodes[i].counters);
	return n;
}

uint64_t unasked(const struct node *n)
{
	return counter_get(&n->counters.primings) +
	       counter_get(&n->counters.almost_expired_pushed) +
	       counter_get(&n->counters.harvests) + counter_get(&n->counters.network_probes);
}

static void check_budget(struct soak *s, const struct asker *a, const struct answer *answer)
{
	uint64_t spent_us = soak_now_us(s) - a->asked_us;
	uint64_t sent = a->node->ctx.asked - a->sent;
	uint64_t began = unasked(a->node) - a->unasked;

	if (answer->out_queries > a->max_qperq)
		soak_fail(s, "%u questions to servers, %u are allowed", answer->out_queries,
			  a->max_qperq);
	if (a->alone && sent > a->max_qperq * (1 + began))
		soak_fail(s, "%llu questions left, %u are allowed", (unsigned long long)sent,
			  a->max_qperq);
	if (spent_us > (a->max_msec + 1) * 1000ull)
		soak_fail(s, "answered after %llu ms, %u are allowed",
			  (unsigned long long)spent_us / 1000, a->max_msec);
}

/* RFC 8914: each error says why, from the cache as from the network. */
static void check_cause(struct reading *x)
{
	const struct answer *answer = x->answer;
	int ede = answer->cause == CAUSE_BOGUS ? bogus_row(answer->bogus)->ede
					       : cause_row(answer->cause)->ede;
	bool is_error = answer->rcode != RCODE_NOERROR && answer->rcode != RCODE_NXDOMAIN;

	if ((is_error || answer->is_stale) != (answer->cause != CAUSE_NONE))
		wrong(x, "an error without a cause, or the other way round");
	if (answer->rcode == RCODE_SERVFAIL && answer->ede != ede)
		wrong(x, "the extended error is not the cause's");
	if (answer->is_remembered && answer->rcode != RCODE_SERVFAIL)
		wrong(x, "a failure is remembered, and there was none");
}

void check_answer(struct soak *s, const struct asker *a, const struct answer *answer)
{
	struct reading x = { .s = s, .a = a, .answer = answer };

	name_lower(x.at, a->name);
	check_budget(s, a, answer);
	if (answer->is_stale && (s->net.belief.stale_s == 0 || a->cache_only))
		wrong(&x, "stale, and it was not to be");
	if (answer->is_stale !=
	    (answer->ede == EDE_STALE_ANSWER || answer->ede == EDE_STALE_NXDOMAIN_ANSWER))
		wrong(&x, "stale, and the extended error does not say so, or the other way round");
	check_cause(&x);
	if (is_special(x.at)) {
		if (answer->out_queries > 0 && a->type != TYPE_DS)
			wrong(&x, "a special name, and somebody was asked");
		return;
	}
	if (a->validates)
		check_security(s, a, answer);
	switch (answer->rcode) {
	case RCODE_NOERROR:
	case RCODE_NXDOMAIN:
		read_sets(&x);
		check_denial(&x);
		break;
	case RCODE_YXDOMAIN:
		read_sets(&x);
		check_too_long(&x);
		break;
	case RCODE_SERVFAIL:
		if (a->must == MUST ||
		    (a->must == MUST_UNLESS_LIMITED && limits_met(s) == a->limits))
			wrong(&x, "not resolved");
		break;
	case RCODE_REFUSED:
		if (a->cache_only)
			break;
		/* fall through */
	default:
		wrong(&x, "an rcode that nobody expects");
		break;
	}
}
