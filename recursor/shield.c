/* shield: see shield.h. */
#include "recursor/shield.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "common/psl.h"
#include "common/rrtype.h"
#include "recursor/flight.h"
#include "recursor/policy/hookquery.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/cache.h"
#include "recursor/resolve/zones.h"
#include "recursor/wiring.h"

enum { CUTS_LOOKED_FOR = 4, PLACES = 1024 };

/* Where the answers for names right below a name are counted: to find that out takes libpsl a
 * microsecond. */
struct place {
	uint64_t hash; /* of the name above; 0: none */
	uint32_t note; /* of the registrable domain's row, or 0 */
	uint8_t domain_labels;
	uint8_t zone_labels; /* of the zone that answered last, or 0 */
	bool is_within;      /* the name above is of that domain, not of its public suffix */
};

struct shield {
	struct worker *worker;
	struct defender_worker *defender;
	struct psl *psl; /* that `places` are by; a reference */
	struct place places[PLACES];
};

int shield_new(struct shield **out, struct worker *w)
{
	struct shield *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return E_NOMEM;
	s->worker = w;
	err = defender_worker_new(&s->defender, w->server->defender);
	if (err == E_OK)
		*out = s;
	else
		shield_free(s);
	return err;
}

void shield_free(struct shield *s)
{
	if (s == NULL)
		return;
	psl_put(s->psl);
	defender_worker_free(s->defender);
	free(s);
}

struct defender_row *shield_rows(struct shield *s)
{
	return defender_worker_rows(s->defender);
}

void shield_tick(struct shield *s)
{
	defender_worker_tick(s->defender, loop_now_ms(s->worker->loop), worker_wall_s(s->worker));
}

/* ---- answers ---- */

/* The closest zone cut that the cache knows of, above the name and below the registrable domain. */
static const uint8_t *closest_cut(struct pipeline *p, const uint8_t *qname, unsigned domain_labels)
{
	unsigned labels = name_labels(qname);
	const uint8_t *at = name_parent(qname);

	for (unsigned i = 0; i < CUTS_LOOKED_FOR && labels > domain_labels + 1;
	     i++, labels--, at = name_parent(at)) {
		struct cache_view view;
		bool is_cut;

		if (!cache_look(p->worker->server->cache, at, TYPE_NS, CACHE_WANT_CUT,
				worker_wall_s(p->worker), 0, &view))
			continue;
		is_cut = view.ns != NULL || view.delegation != NULL;
		cache_view_put(&view);
		if (is_cut)
			return at;
	}
	return NULL;
}

/* Whose answer is it?  NULL: the registrable domain's, or nobody knows of a zone below that.  A
 * failure is of the zone that answered last for a name beside. */
static const uint8_t *zone_of(struct pipeline *p, const uint8_t *qname, const struct answer *a,
			      struct place *place)
{
	const struct rrset *first = a->n_sets > 0 ? a->sets[0] : NULL;
	const struct rrset *soa = answer_soa(a);
	unsigned labels;

	/* All that comes first but a DNAME is the name's own. */
	if (first != NULL && first->type != TYPE_DNAME) {
		labels = first->zone_labels > place->domain_labels ? first->zone_labels
								   : place->domain_labels;
	} else if (soa != NULL && name_is_within(qname, rrset_owner(soa))) {
		labels = name_labels(rrset_owner(soa));
	} else {
		if (place->zone_labels <= place->domain_labels)
			return closest_cut(p, qname, place->domain_labels);
		return name_suffix(qname, place->zone_labels);
	}
	if (labels < name_labels(qname))
		place->zone_labels = (uint8_t)labels;
	return labels == place->domain_labels ? NULL : name_suffix(qname, labels);
}

static enum defender_end end_of(const struct answer *a)
{
	if (a->rcode != RCODE_SERVFAIL)
		return shield_end_of(a->rcode);
	if (a->timeouts > 0 || (!a->is_remembered && (a->ede == EDE_NO_REACHABLE_AUTHORITY ||
						      a->ede == EDE_NETWORK_ERROR)))
		return DEFENDER_END_TIMEOUT;
	return DEFENDER_END_SERVFAIL;
}

/* The list tells names apart by what is above them, but for a few that stand in it themselves: those
 * are taken for their like. */
static unsigned count_domain_labels(const struct psl *psl, const uint8_t *above)
{
	uint8_t name[2 + NAME_MAX_LEN] = { 1, '-' };

	/* No name has room for a label more; only its end matters. */
	if (name_len(above) + 2 > NAME_MAX_LEN)
		above = name_parent(above);
	name_copy(name + 2, above);
	return psl_registrable(psl, name);
}

static struct place *place_of(struct shield *s, struct psl *psl, const uint8_t *qname)
{
	const uint8_t *above = name_parent(qname);
	uint64_t hash = name_hash(above) | 1;
	struct place *p = &s->places[hash >> 1 & (PLACES - 1)];

	if (s->psl != psl) {
		psl_put(s->psl);
		s->psl = psl_get(psl);
		memset(s->places, 0, sizeof(s->places));
	}
	if (p->hash != hash) {
		unsigned labels = count_domain_labels(psl, above);

		*p = (struct place) {
			.hash = hash,
			.domain_labels = (uint8_t)labels,
			.is_within = name_labels(above) >= labels,
		};
	}
	return p;
}

static uint32_t answered(struct pipeline *p, struct defender_seen_answer *seen, struct place *place)
{
	uint32_t note;

	seen->domain_labels = place->domain_labels;
	if (seen->zone == NULL)
		seen->hint = place->note;
	note = defender_worker_answer(p->shield->defender, seen);
	if (seen->zone == NULL && place->is_within)
		place->note = note;
	return note;
}

uint32_t shield_answered(struct pipeline *p, struct client_query *cq, const struct settings *s,
			 const struct answer *a)
{
	struct defender_worker *w = p->shield->defender;
	const uint8_t *qname = query_name(&cq->q);
	struct defender_seen_answer seen = {
		.qname = qname,
		.child = cq->q.name_hash,
		.end = end_of(a),
		.cached = a->authoritative || client_query_is_from_cache(a),
		.probe = cq->mark.is_probe,
		/* A group of forwarders may see another Internet. */
		.exists = cq->mark.route == 0 && (a->rcode == RCODE_NOERROR || a->n_sets > 0),
	};
	struct place *place;
	uint32_t note;

	if (defender_worker_is_off(w) || name_is_root(qname))
		return 0;
	defender_worker_fetch(w, &seen);
	place = place_of(p->shield, s->psl, qname);
	cq->domain_labels = place->domain_labels;
	seen.zone = zone_of(p, qname, a, place);
	note = answered(p, &seen, place);
	/* What an alias led to. */
	if (seen.exists && a->rcode == RCODE_NOERROR)
		for (size_t i = 1; i < a->n_sets; i++)
			defender_worker_learn(w, rrset_owner(a->sets[i]), note);
	return note;
}

/* What the resolver had no part in. */
static uint32_t count_ours(struct pipeline *p, const struct query *q, const struct settings *s,
			   enum defender_end end, unsigned zone_labels)
{
	const uint8_t *qname = query_name(q);
	struct defender_seen_answer seen = {
		.qname = qname,
		.child = q->name_hash,
		.end = end,
	};
	struct place *place;

	if (defender_worker_is_off(p->shield->defender) || name_is_root(qname))
		return 0;
	place = place_of(p->shield, s->psl, qname);
	if (zone_labels > place->domain_labels)
		seen.zone = name_suffix(qname, zone_labels);
	return answered(p, &seen, place);
}

uint32_t shield_made(struct pipeline *p, const struct query *q, const struct settings *s,
		     unsigned rcode)
{
	return count_ours(p, q, s, shield_end_of(rcode), 0);
}

void shield_dropped(struct pipeline *p, const struct passage *t)
{
	(void)count_ours(p, &t->q, t->settings, DEFENDER_END_TIMEOUT, 0);
}

/* ---- the stages ---- */

/* The counters of what is done, for domains and for zones below one. */
static const size_t counters_of[2][DEFENDER_DONES] = {
	{
#define DOMAIN_COUNTER(word, member, name, help)                                                   \
	[DEFENDER_DONE_##word] = offsetof(struct counters, defender_domain_##member),
		DEFENDER_DONE_TABLE(DOMAIN_COUNTER)
#undef DOMAIN_COUNTER
	},
	{
#define ZONE_COUNTER(word, member, name, help)                                                     \
	[DEFENDER_DONE_##word] = offsetof(struct counters, defender_zone_##member),
		DEFENDER_DONE_TABLE(ZONE_COUNTER)
#undef ZONE_COUNTER
	},
};

static void count_done(struct pipeline *p, const struct defender_decision *d)
{
	char *counters = (char *)p->account.counters;

	for (unsigned i = 0; i < d->n_done; i++)
		counter_add((counter *)(void *)(counters +
						counters_of[d->done[i].is_zone][d->done[i].done]),
			    1);
}

static void add_rule(void *ctx, const char *tag, size_t len)
{
	char *rules = ctx;
	size_t used = strlen(rules);

	if (used + len + 2 < RECORDER_TEXT_MAX)
		(void)snprintf(rules + used, RECORDER_TEXT_MAX - used, " %.*s", (int)len, tag);
}

static void tell_recorder(struct pipeline *p, const struct passage *t,
			  const struct defender_decision *d)
{
	static const uint16_t rcodes[] = {
		[DEFENDER_REFUSED] = RCODE_REFUSED,
		[DEFENDER_DROP] = RCODE_NOERROR,
		[DEFENDER_NXDOMAIN] = RCODE_NXDOMAIN,
		[DEFENDER_TRUNCATE] = RCODE_NOERROR,
	};
	struct flight_refusal refusal = {
		.reason = RECORDER_DEFENDER,
		.labels = d->labels,
		.is_dropped = d->effect == DEFENDER_DROP,
		.rcode = rcodes[d->effect],
		.ede = rcodes[d->effect] == RCODE_NOERROR ? EDE_NONE
							  : cause_row(CAUSE_DEFENDER)->ede,
	};
	char domain[NAME_TEXT_MAX], rules[RECORDER_TEXT_MAX] = "", figures[RECORDER_TEXT_MAX];

	if (!flight_wants(p, t, &refusal))
		return;
	defender_case_tags(t->mark.rules, add_rule, rules);
	name_to_text(domain, name_suffix(query_name(&t->q), d->labels));
	(void)snprintf(figures, sizeof(figures), "%s: %.60s accused by%.60s",
		       d->n_done == 0 ? "turned away"
				      : defender_done_text(d->done[d->n_done - 1].done),
		       domain, rules);
	flight_refused(p, t, &refusal, figures);
}

static enum step carry_out(struct pipeline *p, struct passage *t, const struct defender_decision *d)
{
	count_done(p, d);
	t->mark.is_probe |= d->probe;
	t->mark.is_settled |= d->is_final;
	if (t->mark.route == 0)
		t->mark.route = d->route;
	if (d->effect == DEFENDER_ALLOW)
		return STEP_ON;
	(void)count_ours(p, &t->q, t->settings, DEFENDER_END_TURNED, d->labels);
	tell_recorder(p, t, d);
	switch (d->effect) {
	case DEFENDER_REFUSED:
		return respond_error(p, t, RCODE_REFUSED, CAUSE_DEFENDER);
	case DEFENDER_NXDOMAIN:
		return respond_error(p, t, RCODE_NXDOMAIN, CAUSE_DEFENDER);
	case DEFENDER_TRUNCATE:
		return respond_now(p, t, NULL);
	default:
		COUNT(p->account.counters, defender_drops);
		return STEP_DROP;
	}
}

static enum step decide(struct pipeline *p, struct passage *t, const struct defender_case *c,
			bool before_cache, enum defender_knowledge knowledge)
{
	struct defender_worker *w = p->shield->defender;
	const struct defender_query q = {
		.qname = query_name(&t->q),
		.client = &t->from->remote,
		.tcp = t->from->tcp,
		.before_cache = before_cache,
		.knowledge = knowledge,
		.random = random_below(&p->worker->random, UINT32_MAX),
		.now_ms = loop_now_ms(p->worker->loop),
	};
	struct defender_decision d;

	defender_decide(w, c, &q, &d);
	return carry_out(p, t, &d);
}

static enum step look_before_cache(struct pipeline *p, struct passage *t)
{
	struct defender_worker *w = p->shield->defender;
	struct defender_case c;

	if (!defender_acts_before_cache(w) ||
	    !defender_match(w, query_name(&t->q), t->q.name_hash, &c))
		return STEP_ON;
	t->mark.rules = c.rules;
	return decide(p, t, &c, true, DEFENDER_UNSEEN);
}

enum step shield_before_cache(struct pipeline *p, struct passage *t)
{
	t->mark = (struct shield_mark) { .route = 0 };
	return defender_is_accusing(p->shield->defender) ? look_before_cache(p, t) : STEP_ON;
}

static bool is_cached(struct pipeline *p, const struct passage *t)
{
	return cache_answers(p->worker->server->cache, query_name(&t->q),
			     t->q.type == TYPE_ANY ? TYPE_A : t->q.type, worker_wall_s(p->worker),
			     wiring_stale_s(t->settings));
}

static enum step look_before_resolver(struct pipeline *p, struct passage *t)
{
	struct defender_worker *w = p->shield->defender;
	enum defender_knowledge knowledge = DEFENDER_UNSEEN;
	struct defender_case c;

	if (t->mark.is_settled || !defender_match(w, query_name(&t->q), t->q.name_hash, &c))
		return STEP_ON;
	t->mark.rules = c.rules;
	if (is_cached(p, t))
		knowledge = DEFENDER_CACHED;
	else if (defender_knows(w, &c))
		knowledge = DEFENDER_SEEN;
	return decide(p, t, &c, false, knowledge);
}

enum step shield_before_resolver(struct pipeline *p, struct passage *t)
{
	return defender_is_accusing(p->shield->defender) ? look_before_resolver(p, t) : STEP_ON;
}

static void add_tag(void *ctx, const char *tag, size_t len)
{
	/* Without room or memory it is a tag less. */
	if (hooktags_add(ctx, tag, len) != E_OK)
		return;
}

void shield_fill_tags(uint32_t accused_rules, struct hook_tags *tags)
{
	defender_case_tags(accused_rules, add_tag, tags);
}

/* ---- the server's ---- */

static void warn(const char *line)
{
	log_line(LOG_LEVEL_WARNING, "defender", NULL, "%s", line);
}

static enum defender_mode mode_of(const struct settings *s)
{
	switch (s->defender[0]) {
	case 'a':
		return DEFENDER_ACT;
	case 'r':
		return DEFENDER_BY_RULES;
	default:
		return s->defender[1] == 'b' ? DEFENDER_OBSERVE : DEFENDER_OFF;
	}
}

static void check_route(const struct defender_action *a, const char *file, unsigned line,
			const struct zones *zones)
{
	if (a->effect == DEFENDER_ROUTE && zones_group(zones, a->route) == NULL)
		log_with(LOG_LEVEL_WARNING,
			 LOG_FIELDS(LOG_TEXT("file", file), LOG_NUMBER("line", line),
				    LOG_TEXT("pool", a->pool)),
			 "%s:%u: pool '%s' is none of forward-groups: what goes there is answered "
			 "SERVFAIL",
			 file, line, a->pool);
}

static void check_routes(const struct defender_rules *rules, const struct zones *zones)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct defender_rule *r = &rules->rules[i];

		check_route(&r->action, rules->file, r->line, zones);
		for (size_t p = 0; p < r->n_policies; p++)
			check_route(&r->policies[p].action, rules->file, r->policies[p].line,
				    zones);
	}
}

static int load_rules(struct defender_rules **out, const struct settings *s,
		      const struct zones *zones, char *why)
{
	char reason[DEFENDER_WHY_MAX];
	int err;

	if (*s->defender_config_file == '\0')
		return defender_rules_builtin(out);
	err = defender_rules_load(out, s->defender_config_file, warn, reason);
	if (err == E_OK)
		check_routes(*out, zones);
	else
		(void)snprintf(why, SETTINGS_WHY_MAX, "defender-config-file: %.450s", reason);
	return err;
}

int shield_make(struct defender **out, const struct settings *s, const struct zones *zones,
		char *why)
{
	const struct defender_config cfg = {
		.mode = mode_of(s),
		.bytes = s->defender_memory,
		.known_bytes = s->defender_known_memory,
		.known_keep_s = s->defender_known_time_s,
		.n_workers = s->threads,
	};
	struct defender_rules *rules = NULL;
	int err = load_rules(&rules, s, zones, why);

	if (err == E_OK)
		err = defender_new(out, &cfg, rules);
	defender_rules_put(rules);
	return err;
}

int server_reload_defender(struct server *s, char *why)
{
	static const char *const names[] = { "defender", "defender-config-file" };
	struct defender_rules *rules = NULL;
	char told[SETTINGS_WHY_MAX] = "";
	struct settings *made = NULL;
	int err;

	server_change_begin(s);
	err = server_reread(s, &made, names, ARRAY_LEN(names), told, why);
	if (err == E_OK)
		err = load_rules(&rules, made, s->zones, why);
	if (err == E_OK) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(E_NOMEM));
		err = defender_configure(s->defender, mode_of(made), rules, loop_now_us() / 1000);
	}
	if (err == E_OK) {
		log_notice("reload-defender: %zu rules, defender=%s", rules->n, made->defender);
		server_reconfigure(s, made);
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", told);
		made = NULL;
	}
	server_change_end(s);
	defender_rules_put(rules);
	settings_free(made);
	return err;
}
