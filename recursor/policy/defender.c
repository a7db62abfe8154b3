/* defender: see defender.h.  Who is accused, and until when. */
#include "recursor/policy/defender.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/policy/defender_impl.h"

enum { LOOKS_A_TICK = 50 }; /* a worker does it, between queries */

/* ---- the set that queries look at ---- */

struct defender_accused *accused_get(struct defender_accused *a)
{
	if (a != NULL)
		atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void accused_put(struct defender_accused *a)
{
	if (a == NULL || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
		return;
	defender_rules_put(a->rules);
	free(a->buckets);
	free(a->entries);
	free(a);
}

static bool acts_before_cache(const struct defender_rule *rule)
{
	return !rule->known_first;
}

static void accused_add(struct defender_accused *set, const struct accusation *a)
{
	struct accused_entry *e = &set->entries[set->n];
	uint16_t *bucket;

	*e = (struct accused_entry) {
		.hash = a->hash,
		.id = a->id,
		.rule = (uint16_t)a->rule,
		.labels = (uint16_t)a->labels,
		.is_zone = a->is_zone,
		.acts = a->acts,
	};
	bucket = &set->buckets[e->hash & (set->n_buckets - 1)];
	e->next = *bucket;
	*bucket = (uint16_t)++set->n;
	set->labels[a->labels / 64] |= 1ULL << a->labels % 64;
	set->before_cache |= acts_before_cache(&set->rules->rules[a->rule]);
}

static struct defender_accused *accused_new(const struct defender *d)
{
	struct defender_accused *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	atomic_init(&set->refs, 1);
	set->rules = defender_rules_get(d->rules);
	set->n_buckets = 16;
	while (set->n_buckets < 2 * d->n)
		set->n_buckets *= 2;
	set->buckets = calloc(set->n_buckets, sizeof(*set->buckets));
	set->entries = calloc(d->n, sizeof(*set->entries));
	if (set->buckets == NULL || set->entries == NULL) {
		accused_put(set);
		return NULL;
	}
	for (size_t i = 0; i < d->n; i++)
		accused_add(set, d->accusations[i]);
	return set;
}

/* Without memory the old set holds for another while. */
static void publish(struct defender *d)
{
	struct defender_accused *set = NULL;

	if (!d->is_stale)
		return;
	if (d->n > 0) {
		set = accused_new(d);
		if (set == NULL)
			return;
	}
	accused_put(d->accused);
	d->accused = set;
	d->generation++;
	d->is_stale = false;
}

/* ---- accusing ---- */

/* Is it, or what it lies below, accused by this rule already? */
static bool is_covered(const struct defender *d, unsigned rule, const uint8_t *name,
		       unsigned labels)
{
	uint64_t hash = name_hash(name);

	for (size_t i = 0; i < d->n; i++) {
		const struct accusation *a = d->accusations[i];

		if (a->rule != rule)
			continue;
		if (a->hash == hash || (a->labels < labels && name_is_below(name, a->name)))
			return true;
	}
	return false;
}

/* What the rule sees of `name`; false: the thresholds are not met.  Questions for zones below that
 * are accused themselves are not held against it. */
static bool look(struct defender *d, unsigned rule, const uint8_t *name, unsigned labels,
		 uint64_t now_ms, struct defender_figures *out)
{
	const struct defender_rule *r = &d->rules->rules[rule];
	struct defender_watched *row = defender_watch_find(d->watch, name);
	struct defender_sum sum, part;

	*out = (struct defender_figures) { .queries = 0 };
	if (row == NULL)
		return false;
	defender_watch_count(d->watch, row, r->window_s, now_ms, &sum);
	defender_watch_count_children(d->watch, row, r->window_s, now_ms, &sum);
	for (size_t i = 0; i < d->n; i++) {
		const struct accusation *a = d->accusations[i];

		if (a->rule != rule || a->labels <= labels || !name_is_below(a->name, name))
			continue;
		row = defender_watch_find(d->watch, a->name);
		if (row == NULL)
			continue;
		defender_watch_count(d->watch, row, r->window_s, now_ms, &part);
		defender_watch_count_children(d->watch, row, r->window_s, now_ms, &part);
		defender_sum_subtract(&sum, &part);
	}
	defender_figures(out, r, &sum);
	return defender_rule_holds(r, labels, out);
}

bool defender_look(struct defender *d, const struct accusation *a, uint64_t now_ms,
		   struct defender_figures *out)
{
	return look(d, a->rule, a->name, a->labels, now_ms, out);
}

static bool rule_acts(const struct defender *d, const struct defender_rule *r)
{
	if (d->mode == DEFENDER_BY_RULES)
		return !r->observe;
	if (d->mode == DEFENDER_ACT)
		return !r->observe || d->rules->file == NULL;
	return false;
}

static void tell_begin(const struct defender *d, const struct accusation *a)
{
	const struct defender_rule *r = &d->rules->rules[a->rule];
	const struct defender_figures *f = &a->begun;
	char name[NAME_TEXT_MAX], action[DEFENDER_ACTION_TEXT_MAX];

	(void)name_to_text(name, a->name);
	(void)defender_action_text(action, &r->action);
	log_with(LOG_LEVEL_NOTICE,
		 LOG_FIELDS(LOG_TEXT("domain", name), LOG_NUMBER("rule", a->rule + 1U),
			    LOG_TEXT("action", action), LOG_BOOL("acts", a->acts),
			    LOG_REAL("qps", f->qps), LOG_REAL("children", f->children),
			    LOG_REAL("cache_hit_ratio", f->cache_hit_ratio),
			    LOG_REAL("failure_ratio", f->failure_ratio),
			    LOG_NUMBER("duration_s", r->duration_s)),
		 "defender: %s is accused by rule %u%s%s%s: %.0f qps (>= %u), %.0f children (>= "
		 "%u), %.2f queries a child (<= %g), %.2f from cache (<= %g), %.2f failed (>= "
		 "%g); %s%s for %u s",
		 name, a->rule + 1, r->comment != NULL ? " (" : "",
		 r->comment != NULL ? r->comment : "", r->comment != NULL ? ")" : "", f->qps,
		 r->min_qps, f->children, r->min_children, f->queries_per_child,
		 r->max_queries_per_child, f->cache_hit_ratio, r->max_cache_hit_ratio,
		 f->failure_ratio, r->min_failure_ratio, a->acts ? "" : "observed, else ", action,
		 r->duration_s);
}

/* What is told of an accusation that has ended. */
struct ending {
	unsigned rule;
	uint64_t seconds;
	uint64_t done[DEFENDER_DONES];
	uint8_t name[NAME_MAX_LEN];
};

static void tell_end(const struct ending *e, const char *why)
{
	const uint64_t *done = e->done;
	uint64_t turned_away = done[DEFENDER_DONE_REFUSED] + done[DEFENDER_DONE_DROPPED] +
			       done[DEFENDER_DONE_NXDOMAIN] + done[DEFENDER_DONE_TRUNCATED];
	char name[NAME_TEXT_MAX];

	(void)name_to_text(name, e->name);
	log_with(LOG_LEVEL_NOTICE,
		 LOG_FIELDS(LOG_TEXT("domain", name), LOG_NUMBER("rule", e->rule + 1U),
			    LOG_TEXT("reason", why), LOG_NUMBER("seconds", e->seconds),
			    LOG_NUMBER("turned_away", turned_away)),
		 "defender: %s is no longer accused by rule %u (%s) after %" PRIu64 " s: %" PRIu64
		 " queries turned away, %" PRIu64 " only observed, %" PRIu64
		 " let through as known or cached, %" PRIu64 " unseen names let through",
		 name, e->rule + 1, why, e->seconds, turned_away, done[DEFENDER_DONE_OBSERVED],
		 done[DEFENDER_DONE_KNOWN] + done[DEFENDER_DONE_CACHED],
		 done[DEFENDER_DONE_PROBED] + done[DEFENDER_DONE_REPEATED]);
}

static void accuse(struct defender *d, unsigned rule, const uint8_t *name, unsigned labels,
		   bool is_zone, const struct defender_figures *f, uint64_t now_ms, uint32_t wall_s)
{
	const struct defender_rule *r = &d->rules->rules[rule];
	struct accusation *a = NULL;

	if (d->n < DEFENDER_ACCUSATIONS_MAX)
		a = calloc(1, sizeof(*a));
	if (a == NULL) {
		d->refused++;
		return;
	}
	a->id = ++d->last_id;
	a->hash = name_hash(name);
	a->rule = rule;
	a->labels = labels;
	a->is_zone = is_zone;
	a->acts = rule_acts(d, r);
	a->since_ms = now_ms;
	a->until_ms = now_ms + (uint64_t)r->duration_s * 1000;
	a->since_s = wall_s;
	a->until_s = wall_s + r->duration_s;
	a->begun = *f;
	name_copy(a->name, name);
	d->accusations[d->n++] = a;
	d->most = d->n > d->most ? d->n : d->most;
	d->begun++;
	d->is_stale = true;
	tell_begin(d, a);
}

/* Does a zone or domain whose row has grown meet a rule? */
static void judge(struct defender *d, const uint8_t *name, unsigned labels, bool is_zone,
		  struct defender_watched *row, uint64_t now_ms, uint32_t wall_s)
{
	for (unsigned i = 0; i < d->rules->n; i++) {
		const struct defender_rule *r = &d->rules->rules[i];
		struct defender_figures f;
		struct defender_sum sum;

		/* Most are far from it. */
		if (labels < r->min_labels)
			continue;
		defender_watch_count(d->watch, row, r->window_s, now_ms, &sum);
		if (defender_sum_queries(&sum) < (double)r->min_qps * r->window_s)
			continue;
		if (is_covered(d, i, name, labels) || !look(d, i, name, labels, now_ms, &f))
			continue;
		if (r->exclude != NULL && nameset_encloses(r->exclude, name))
			continue;
		accuse(d, i, name, labels, is_zone, &f, now_ms, wall_s);
	}
}

void defender_bring(struct defender *d, const struct defender_row *row,
		    const struct defender_zone *zone, uint64_t now_ms, uint32_t wall_s)
{
	const uint8_t *domain = name_suffix(zone->name, zone->domain_labels);
	bool is_zone = zone->labels > zone->domain_labels;
	struct defender_watched *to;

	/* A denial from above the registrable domains: nobody there is accused. */
	if (d->mode == DEFENDER_OFF || zone->domain_labels > zone->labels)
		return;
	to = defender_watch_add(d->watch, zone->name, &row->counts, &zone->children, now_ms);
	judge(d, zone->name, zone->labels, is_zone, to, now_ms, wall_s);
	if (!is_zone)
		return;
	/* The zone first: what it is accused of is not the whole domain's doing. */
	to = defender_watch_add(d->watch, domain, &row->counts, &zone->children, now_ms);
	judge(d, domain, zone->domain_labels, false, to, now_ms, wall_s);
}

/* ---- ending ---- */

static void end(struct defender *d, size_t i, uint64_t now_ms, struct ending *out)
{
	struct accusation *a = d->accusations[i];
	struct accusation **place = &d->ended[d->n_ended++ % ENDED_KEPT];

	out->rule = a->rule;
	out->seconds = (now_ms - a->since_ms) / 1000;
	memcpy(out->done, a->evidence.done, sizeof(out->done));
	name_copy(out->name, a->name);
	a->until_ms = now_ms;
	free(*place);
	*place = a;
	d->accusations[i] = d->accusations[--d->n];
	d->is_stale = true;
}

void defender_settle(struct defender *d, uint64_t now_ms, uint32_t wall_s)
{
	unsigned looked_at = 0;

	for (size_t i = d->n; i-- > 0 && looked_at < LOOKS_A_TICK;) {
		struct accusation *a = d->accusations[i];
		uint32_t duration_s = d->rules->rules[a->rule].duration_s;
		struct defender_figures f;
		struct ending ending;

		if (now_ms < a->until_ms)
			continue;
		looked_at++;
		if (defender_look(d, a, now_ms, &f)) {
			a->until_ms = now_ms + (uint64_t)duration_s * 1000;
			a->until_s = wall_s + duration_s;
		} else {
			end(d, i, now_ms, &ending);
			tell_end(&ending, "the thresholds are no longer met");
		}
	}
	publish(d);
}

/* ---- life ---- */

int defender_new(struct defender **out, const struct defender_config *cfg,
		 struct defender_rules *rules)
{
	struct defender *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return E_NOMEM;
	pthread_mutex_init(&d->lock, NULL);
	d->cfg = *cfg;
	d->mode = cfg->mode;
	d->rules = defender_rules_get(rules);
	/* One half is the workers'. */
	d->tally_bytes = cfg->bytes / 2 / cfg->n_workers;
	err = defender_watch_new(&d->watch, cfg->bytes / 2, rules);
	if (err == E_OK)
		err = defender_known_new(&d->known, cfg->known_bytes, cfg->known_keep_s);
	if (err == E_OK)
		*out = d;
	else
		defender_free(d);
	return err;
}

void defender_free(struct defender *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->accusations[i]);
	for (size_t i = 0; i < ENDED_KEPT; i++)
		free(d->ended[i]);
	accused_put(d->accused);
	defender_watch_free(d->watch);
	defender_known_free(d->known);
	defender_rules_put(d->rules);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static bool needs_other_watch(struct defender *d, const struct defender_rules *rules)
{
	bool needs;

	pthread_mutex_lock(&d->lock);
	needs = !defender_watch_suits(d->watch, rules);
	pthread_mutex_unlock(&d->lock);
	return needs;
}

/* The workers wait for the lock: what takes time comes before it and after it. */
int defender_configure(struct defender *d, enum defender_mode mode, struct defender_rules *rules,
		       uint64_t now_ms)
{
	struct ending *endings = malloc(DEFENDER_ACCUSATIONS_MAX * sizeof(*endings));
	struct defender_watch *watch = NULL;
	size_t n = 0;
	int err = E_NOMEM;

	if (endings == NULL)
		return E_NOMEM;
	if (needs_other_watch(d, rules)) {
		err = defender_watch_new(&watch, d->cfg.bytes / 2, rules);
		if (err != E_OK)
			goto out;
	}
	pthread_mutex_lock(&d->lock);
	/* The next answers tell soon enough who is to be accused by the new rules. */
	while (d->n > 0)
		end(d, d->n - 1, now_ms, &endings[n++]);
	d->mode = mode;
	defender_rules_put(d->rules);
	d->rules = defender_rules_get(rules);
	if (watch != NULL) {
		struct defender_watch *old = d->watch;

		d->evicted += defender_watch_evicted(old);
		d->watch = watch;
		watch = old;
	}
	publish(d);
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < n; i++)
		tell_end(&endings[i], "other rules");
	err = E_OK;
out:
	defender_watch_free(watch);
	free(endings);
	return err;
}

void defender_stats(struct defender *d, struct defender_stats *out)
{
	pthread_mutex_lock(&d->lock);
	*out = (struct defender_stats) {
		.accused = d->n,
		.most_accused = d->most,
		.begun = d->begun,
		.refused = d->refused,
		.evicted = d->evicted + defender_watch_evicted(d->watch),
		.bytes = defender_watch_bytes(d->watch) + d->cfg.n_workers * d->tally_bytes,
		.known_left_out = d->known_left_out,
	};
	defender_known_stats(d->known, &out->known);
	pthread_mutex_unlock(&d->lock);
}
