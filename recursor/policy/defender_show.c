/* defender_show: see defender.h.  Evidence, and how it is told. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "recursor/policy/defender_impl.h"

/* ---- evidence ---- */

/* The first ones, and later ones now and then. */
void evidence_name(struct evidence *e, const uint8_t *name)
{
	uint64_t i = e->n_names++;

	if (i >= EVIDENCE_NAMES && i % 64 != 0)
		return;
	name_lower(e->names[i < EVIDENCE_NAMES ? i : i / 64 % EVIDENCE_NAMES], name);
}

void evidence_client(struct evidence *e, const struct addr *client, uint64_t n)
{
	struct evidence_client *least = &e->clients[0];

	for (unsigned i = 0; i < EVIDENCE_CLIENTS; i++) {
		struct evidence_client *c = &e->clients[i];

		if (addr_equal(&c->client, client)) {
			c->n += n;
			return;
		}
		if (c->n < least->n)
			least = c;
	}
	least->client = *client;
	least->n += n;
}

void evidence_unite(struct evidence *to, const struct evidence *from)
{
	uint64_t names = from->n_names < EVIDENCE_NAMES ? from->n_names : EVIDENCE_NAMES;

	for (int i = 0; i < DEFENDER_DONES; i++)
		to->done[i] += from->done[i];
	for (uint64_t i = 0; i < names; i++)
		evidence_name(to, from->names[i]);
	to->n_names += from->n_names - names;
	for (unsigned i = 0; i < EVIDENCE_CLIENTS; i++)
		if (from->clients[i].n > 0)
			evidence_client(to, &from->clients[i].client, from->clients[i].n);
}

const char *defender_done_text(enum defender_done done)
{
	static const char *const words[] = {
#define DONE_TEXT(word, member, name, help) name,
		DEFENDER_DONE_TABLE(DONE_TEXT)
#undef DONE_TEXT
	};

	ASSERT(done < DEFENDER_DONES);
	return words[done];
}

/* ---- figures against thresholds: a row each ---- */

struct threshold {
	const char *name, *sign;
	double is, must;
};

enum { THRESHOLDS = 6 };

static void thresholds(struct threshold out[THRESHOLDS], const struct defender_rule *r,
		       unsigned labels, const struct defender_figures *f)
{
	out[0] = (struct threshold) { "labels", ">=", labels, r->min_labels };
	out[1] = (struct threshold) { "qps", ">=", f->qps, r->min_qps };
	out[2] = (struct threshold) { "children", ">=", f->children, r->min_children };
	out[3] = (struct threshold) { "queries-per-child", "<=", f->queries_per_child,
				      r->max_queries_per_child };
	out[4] = (struct threshold) { "cache-hit-ratio", "<=", f->cache_hit_ratio,
				      r->max_cache_hit_ratio };
	out[5] = (struct threshold) { "failure-ratio", ">=", f->failure_ratio,
				      r->min_failure_ratio };
}

/* ---- text ---- */

static char *time_text(char out[32], uint32_t wall_s)
{
	time_t t = wall_s;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, 32, "%u", wall_s);
	return out;
}

static void say_done(FILE *out, const struct evidence *e)
{
	bool any = false;

	fprintf(out, "  queries:");
	for (unsigned i = 0; i < DEFENDER_DONES; i++)
		if (e->done[i] > 0) {
			fprintf(out, "%s %s %" PRIu64, any ? "," : "", defender_done_text(i),
				e->done[i]);
			any = true;
		}
	fprintf(out, "%s\n", any ? "" : " none yet");
}

static void sort_clients(struct evidence_client to[EVIDENCE_CLIENTS], const struct evidence *e)
{
	memcpy(to, e->clients, sizeof(e->clients));
	for (unsigned i = 1; i < EVIDENCE_CLIENTS; i++)
		for (unsigned at = i; at > 0 && to[at].n > to[at - 1].n; at--) {
			struct evidence_client swap = to[at];

			to[at] = to[at - 1];
			to[at - 1] = swap;
		}
}

static char *client_text(char out[ADDR_TEXT_MAX], const struct addr *client)
{
	return client->port != 0 ? addr_text(out, client) : addr_ip_text(out, client);
}

static unsigned names_of(const struct evidence *e)
{
	return e->n_names < EVIDENCE_NAMES ? (unsigned)e->n_names : EVIDENCE_NAMES;
}

static void say_evidence(FILE *out, const struct evidence *e)
{
	struct evidence_client clients[EVIDENCE_CLIENTS];
	char text[NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	say_done(out, e);
	if (e->n_names > 0)
		fprintf(out, "  names:");
	for (unsigned i = 0; i < names_of(e); i++)
		fprintf(out, " %s", name_to_text(text, e->names[i]));
	if (e->n_names > 0)
		fputc('\n', out);
	sort_clients(clients, e);
	if (clients[0].n > 0)
		fprintf(out, "  clients:");
	for (unsigned i = 0; i < EVIDENCE_CLIENTS && clients[i].n > 0; i++)
		fprintf(out, "%s %s %" PRIu64, i > 0 ? "," : "",
			client_text(addr, &clients[i].client), clients[i].n);
	if (clients[0].n > 0)
		fputc('\n', out);
}

/* An accusation as it stood at one moment. */
struct shown {
	struct accusation a;
	struct defender_rules *rules; /* a reference; NULL: it has ended */
	struct defender_figures now;
};

static void say_current(FILE *out, const struct shown *s, uint64_t now_ms)
{
	const struct accusation *a = &s->a;
	const struct defender_rule *r = &s->rules->rules[a->rule];
	struct threshold then[THRESHOLDS], now[THRESHOLDS];
	char name[NAME_TEXT_MAX], since[32], until[32], action[DEFENDER_ACTION_TEXT_MAX];

	thresholds(then, r, a->labels, &a->begun);
	thresholds(now, r, a->labels, &s->now);
	fprintf(out, "%s  rule %u%s%s  %s%s\n", name_to_text(name, a->name), a->rule + 1,
		r->comment != NULL ? "  " : "", r->comment != NULL ? r->comment : "",
		a->acts ? "" : "observed, else ", defender_action_text(action, &r->action));
	fprintf(out, "  since %s, until %s (%" PRIu64 " s), then looked at again\n",
		time_text(since, a->since_s), time_text(until, a->until_s),
		a->until_ms > now_ms ? (a->until_ms - now_ms) / 1000 : 0);
	for (unsigned i = 0; i < THRESHOLDS; i++)
		fprintf(out, "  %-18s %10.4g now, %10.4g when accused, %s %g\n", now[i].name,
			now[i].is, then[i].is, now[i].sign, now[i].must);
	say_evidence(out, &a->evidence);
}

static void say_ended(FILE *out, const struct accusation *a, uint64_t now_ms)
{
	char name[NAME_TEXT_MAX], since[32];
	/* It may have ended since the command was given. */
	uint64_t ago_ms = now_ms > a->until_ms ? now_ms - a->until_ms : 0;

	fprintf(out, "%s  rule %u  ended %" PRIu64 " s ago, accused since %s\n",
		name_to_text(name, a->name), a->rule + 1, ago_ms / 1000,
		time_text(since, a->since_s));
	say_evidence(out, &a->evidence);
}

/* ---- JSON ---- */

static json_t *evidence_json(const struct evidence *e)
{
	struct evidence_client clients[EVIDENCE_CLIENTS];
	json_t *o = json_object(), *done = json_object(), *names = json_array();
	json_t *tops = json_array();
	char text[NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	for (unsigned i = 0; i < DEFENDER_DONES; i++)
		json_object_set_new(done, defender_done_text(i),
				    json_integer((json_int_t)e->done[i]));
	for (unsigned i = 0; i < names_of(e); i++)
		json_array_append_new(names, json_string(name_to_text(text, e->names[i])));
	sort_clients(clients, e);
	for (unsigned i = 0; i < EVIDENCE_CLIENTS && clients[i].n > 0; i++) {
		json_t *c = json_object();

		json_object_set_new(c, "client",
				    json_string(client_text(addr, &clients[i].client)));
		json_object_set_new(c, "queries", json_integer((json_int_t)clients[i].n));
		json_array_append_new(tops, c);
	}
	json_object_set_new(o, "queries", done);
	json_object_set_new(o, "names", names);
	json_object_set_new(o, "clients", tops);
	return o;
}

static json_t *accusation_json(const struct accusation *a)
{
	json_t *o = evidence_json(&a->evidence);
	char name[NAME_TEXT_MAX];

	json_object_set_new(o, "domain", json_string(name_to_text(name, a->name)));
	json_object_set_new(o, "class", json_string(a->is_zone ? "zone" : "domain"));
	json_object_set_new(o, "rule", json_integer(a->rule + 1));
	json_object_set_new(o, "since", json_integer(a->since_s));
	return o;
}

static json_t *current_json(const struct shown *s)
{
	const struct accusation *a = &s->a;
	const struct defender_rule *r = &s->rules->rules[a->rule];
	struct threshold then[THRESHOLDS], now[THRESHOLDS];
	json_t *o = accusation_json(a), *figures = json_object();
	char action[DEFENDER_ACTION_TEXT_MAX];

	thresholds(then, r, a->labels, &a->begun);
	thresholds(now, r, a->labels, &s->now);
	for (unsigned i = 0; i < THRESHOLDS; i++) {
		json_t *t = json_object();

		json_object_set_new(t, "now", json_real(now[i].is));
		json_object_set_new(t, "when-accused", json_real(then[i].is));
		json_object_set_new(t, now[i].sign[0] == '>' ? "minimum" : "maximum",
				    json_real(now[i].must));
		json_object_set_new(figures, now[i].name, t);
	}
	json_object_set_new(o, "figures", figures);
	json_object_set_new(o, "until", json_integer(a->until_s));
	json_object_set_new(o, "comment", json_string(r->comment != NULL ? r->comment : ""));
	json_object_set_new(o, "action", json_string(defender_action_text(action, &r->action)));
	json_object_set_new(o, "observe", json_boolean(!a->acts));
	return o;
}

/* ---- all ---- */

static const char *mode_text(enum defender_mode mode)
{
	static const char *const words[] = { "off", "observe", "rules", "act" };

	return words[mode];
}

/* The numbers of those that there are, the current ones first.  With the lock held. */
static size_t list(const struct defender *d, uint32_t ids[DEFENDER_ACCUSATIONS_MAX + ENDED_KEPT])
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		ids[n++] = d->accusations[i]->id;
	for (size_t i = 0; i < ENDED_KEPT && i < d->n_ended; i++)
		ids[n++] = d->ended[(d->n_ended - 1 - i) % ENDED_KEPT]->id;
	return n;
}

/* Workers need the lock as well: it is held for one accusation at a time.  False: it is gone. */
static bool look_at(struct defender *d, uint32_t id, uint64_t now_ms, struct shown *out)
{
	const struct accusation *found = NULL;

	out->rules = NULL;
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n && found == NULL; i++)
		if (d->accusations[i]->id == id) {
			found = d->accusations[i];
			out->rules = defender_rules_get(d->rules);
			(void)defender_look(d, found, now_ms, &out->now);
		}
	for (size_t i = 0; i < ENDED_KEPT && found == NULL; i++)
		if (d->ended[i] != NULL && d->ended[i]->id == id)
			found = d->ended[i];
	if (found != NULL)
		out->a = *found;
	pthread_mutex_unlock(&d->lock);
	return found != NULL;
}

static void show_one(const struct shown *s, FILE *out, json_t *accused, json_t *ended,
		     uint64_t now_ms)
{
	if (s->rules != NULL) {
		say_current(out, s, now_ms);
		if (accused != NULL)
			json_array_append_new(accused, current_json(s));
	} else {
		say_ended(out, &s->a, now_ms);
		if (ended != NULL)
			json_array_append_new(ended, accusation_json(&s->a));
	}
}

void defender_show(struct defender *d, FILE *out, struct json_t *json, uint64_t now_ms)
{
	uint32_t ids[DEFENDER_ACCUSATIONS_MAX + ENDED_KEPT];
	json_t *accused = json != NULL ? json_array() : NULL;
	json_t *ended = json != NULL ? json_array() : NULL;
	struct defender_rules *rules;
	enum defender_mode mode;
	size_t n, n_now;

	pthread_mutex_lock(&d->lock);
	n = list(d, ids);
	n_now = d->n;
	mode = d->mode;
	rules = defender_rules_get(d->rules);
	pthread_mutex_unlock(&d->lock);
	fprintf(out, "defender=%s, %zu rules (%s), %zu accused, %zu no longer\n", mode_text(mode),
		rules->n, rules->file != NULL ? rules->file : "built in", n_now, n - n_now);
	for (size_t i = 0; i < n; i++) {
		struct shown s;

		if (!look_at(d, ids[i], now_ms, &s))
			continue;
		show_one(&s, out, accused, ended, now_ms);
		defender_rules_put(s.rules);
	}
	if (json != NULL) {
		json_object_set_new(json, "mode", json_string(mode_text(mode)));
		json_object_set_new(json, "rules",
				    json_string(rules->file != NULL ? rules->file : "built in"));
		json_object_set_new(json, "accused", accused);
		json_object_set_new(json, "ended", ended);
	}
	defender_rules_put(rules);
}
