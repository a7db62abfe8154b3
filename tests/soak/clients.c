/* clients: who asks what, and goes away; see soak.h. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/journal.h"
#include "tests/sim/story.h"
#include "tests/soak/soak.h"

static void trace_drop(struct soak *s, struct asker *a, bool tell)
{
	if (a->trace == NULL)
		return;
	if (s->harness != NULL)
		s->harness(true);
	if (tell)
		story_print(s->out, a->trace);
	if (s->harness != NULL)
		s->harness(false);
	free(a->trace);
	a->trace = NULL;
}

/* Somebody's answer makes others ask, or go away: from within. */
static void react(struct soak *s)
{
	if (s->ends || !rng_chance(&s->rng, 4))
		return;
	if (rng_chance(&s->rng, 60))
		ask_something(s);
	else
		cancel_something(s);
}

/* The story of a failure ends with it, if it is all there. */
static void check_story(struct soak *s, const struct asker *a, const struct answer *answer)
{
	static uint8_t steps[JOURNAL_STORY_MAX];
	static struct trace told;
	struct journal_story story;
	uint8_t name[NAME_MAX_LEN];
	bool is_whole;

	if (!resolver_story(a->node->resolver, answer, &story, steps, sizeof(steps)))
		return;
	name_lower(name, a->name);
	if (!journal_expand(&told, &story, steps, name, a->type)) {
		soak_fail(s, "a story cannot be read");
		return;
	}
	is_whole = told.lost == 0;
	for (unsigned i = 0; i < told.n_events; i++)
		is_whole &= told.events[i].kind != EVENT_LEFT_OUT;
	if (is_whole && answer->rcode == RCODE_SERVFAIL &&
	    (told.events[told.n_events - 1].kind != EVENT_FAILED ||
	     told.events[told.n_events - 1].goal != story.goal))
		soak_fail(s, "the story of a failure does not end with it");
}

static void done(void *ctx, const struct answer *answer)
{
	struct asker *a = ctx;
	struct soak *s = a->soak;
	char rcode[RRTYPE_TEXT_MAX];

	if (a->state != ASKER_WAITS) {
		soak_fail(s, "answered twice, or after it was cancelled");
		return;
	}
	a->state = ASKER_ANSWERED;
	a->request = NULL;
	s->n_waiting--;
	s->out_queries += answer->out_queries;
	s->failures += answer->rcode == RCODE_SERVFAIL;
	soak_say(s, "answer to question %d: %s, %s, %zu sets, %u questions%s%s",
		 (int)(a - s->askers), rcode_to_text(answer->rcode, rcode),
		 security_text(answer->security), answer->n_sets, answer->out_queries,
		 answer->ede_text != NULL ? ": " : "",
		 answer->ede_text != NULL ? answer->ede_text : "");
	check_story(s, a, answer);
	if (!s->ends) {
		check_answer(s, a, answer);
		packets_answer(s, a, answer);
	}
	trace_drop(s, a, true);
	react(s);
}

static struct asker *asker_new(struct soak *s, const uint8_t *name, uint16_t type, bool cache_only)
{
	struct asker *a = &s->askers[s->n_askers];
	struct resolver_stats before;

	if (s->n_askers == ASKERS_MAX)
		return NULL;
	*a = (struct asker) {
		.soak = s,
		.node = &s->nodes[rng_below(&s->rng, s->setup.n_nodes)],
		.type = type,
		.cache_only = cache_only,
		.max_qperq = s->setup.cfg.max_qperq,
		.max_msec = s->setup.cfg.max_total_msec,
		.asked_us = soak_now_us(s),
	};
	a->sent = a->node->ctx.asked;
	a->unasked = unasked(a->node);
	resolver_stats(a->node->resolver, &before);
	a->alone = before.goals == 0;
	name_copy(a->name, name);
	packets_query(s, a);
	a->must = cache_only ? MUST_NOT : must_succeed(s, name, type, a->validates);
	a->limits = limits_met(s);
	for (unsigned i = 0; i < s->n_askers; i++)
		if (s->askers[i].node == a->node)
			s->askers[i].alone = false;
	s->n_askers++;
	s->questions++;
	s->musts += a->must != MUST_NOT;
	return a;
}

static void put_to_resolver(struct soak *s, struct asker *a)
{
	struct question q = {
		.name = a->name,
		.type = a->type,
		.cache_only = a->cache_only,
		.no_stale = a->cache_only,
		.validate = a->validates,
	};
	struct request *request;

	if (s->out != NULL) {
		a->trace = calloc(1, sizeof(*a->trace));
		ASSERT(a->trace != NULL);
		a->trace->next_goal = 1;
		q.trace = a->trace;
	}
	s->n_waiting++;
	request = resolver_ask(a->node->resolver, &q, done, a);
	if (a->state == ASKER_WAITS)
		a->request = request;
	else if (request != NULL)
		soak_fail(s, "a request is left after its answer");
}

struct asker *client_ask(struct soak *s, const uint8_t *name, uint16_t type, bool cache_only)
{
	static const char *const musts[] = { "", ", must be resolved unless limited",
					     ", must be resolved" };
	char text[NAME_TEXT_MAX], type_text[RRTYPE_TEXT_MAX];
	struct asker *a = asker_new(s, name, type, cache_only);

	if (a == NULL)
		return NULL;
	soak_say(s, "question %d to worker %d: %s %s%s%s%s", (int)(a - s->askers),
		 (int)(a->node - s->nodes), name_to_text(text, name),
		 rrtype_to_text(type, type_text), cache_only ? ", of the cache only" : "",
		 a->validates ? ", validated" : "", musts[a->must]);
	if (packets_look(s, a))
		a->state = ASKER_ANSWERED;
	else
		put_to_resolver(s, a);
	return a;
}

void client_cancel(struct soak *s, struct asker *a)
{
	/* One whose answer is on its way, from within which this is called, has no request yet. */
	if (a->state != ASKER_WAITS || a->request == NULL)
		return;
	a->state = ASKER_CANCELLED;
	s->n_waiting--;
	soak_say(s, "question %d goes away", (int)(a - s->askers));
	resolver_cancel(a->node->resolver, a->request);
	trace_drop(s, a, false);
}

void cancel_something(struct soak *s)
{
	for (unsigned i = 0; i < s->n_askers; i++)
		if (rng_chance(&s->rng, 30))
			client_cancel(s, &s->askers[i]);
}

/* ---- what is asked ---- */

static void random_label_prepend(struct soak *s, uint8_t name[NAME_MAX_LEN])
{
	static const char *const labels[] = { "a", "www", "x", "nx", "0", "y" };
	const char *label = RNG_PICK(&s->rng, labels);
	size_t len = name_len(name), add = strlen(label);

	if (len + add + 1 > NAME_MAX_LEN)
		return;
	memmove(name + add + 1, name, len);
	memcpy(name + 1, label, add);
	name[0] = (uint8_t)add;
}

static void random_case(struct soak *s, uint8_t *name)
{
	for (size_t i = 0, left = 0; name[i] != 0 || left > 0; i++, left--) {
		if (left == 0)
			left = name[i] + 1u;
		else if (name[i] >= 'a' && name[i] <= 'z' && rng_chance(&s->rng, 50))
			name[i] ^= 0x20;
	}
}

uint16_t random_question(struct soak *s, uint8_t name[NAME_MAX_LEN])
{
	static const uint16_t types[] = { TYPE_A,  TYPE_A,     TYPE_A,     TYPE_AAAA, TYPE_TXT,
					  TYPE_NS, TYPE_CNAME, TYPE_DNAME, TYPE_DS,   TYPE_SOA,
					  TYPE_MX, TYPE_PTR,   300 };
	const struct internet *net = &s->net;
	const struct model_set *set = &net->sets[rng_below(&s->rng, net->n_sets)];
	uint16_t type = rng_chance(&s->rng, 60) ? set->type : RNG_PICK(&s->rng, types);
	unsigned how = rng_below(&s->rng, 100);

	if (how < 12 && s->n_askers > 0) {
		const struct asker *a = &s->askers[rng_below(&s->rng, s->n_askers)];

		name_copy(name, a->name);
		return a->type;
	}
	if (how < 60 && net->n_epochs > 1 && rng_chance(&s->rng, 40))
		name_copy(name, net->zones[internet_changed(net)].apex);
	else if (how < 60)
		name_copy(name, set->owner);
	else if (how < 75)
		name_copy(name, net->zones[rng_below(&s->rng, net->n_zones)].apex);
	else if (how < 82)
		name_copy(name, net->ns[rng_below(&s->rng, net->n_ns)].name);
	else if (how < 85)
		memcpy(name, "\11localhost", 11);
	else
		name_copy(name, set->owner);
	for (unsigned n = rng_chance(&s->rng, 70) ? 0 : rng_between(&s->rng, 1, 4); n > 0; n--)
		random_label_prepend(s, name);
	if (rng_chance(&s->rng, 10))
		random_case(s, name);
	return type;
}

void ask_something(struct soak *s)
{
	unsigned again = rng_chance(&s->rng, 85) ? 1 : rng_between(&s->rng, 2, 5);
	uint8_t name[NAME_MAX_LEN];
	uint16_t type = random_question(s, name);

	while (again-- > 0)
		client_ask(s, name, type, rng_chance(&s->rng, 3));
}

void ask_what_is_known(struct soak *s)
{
	const struct asker *a;
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;

	if (s->n_askers == 0)
		return;
	a = &s->askers[rng_below(&s->rng, s->n_askers)];
	name_copy(name, a->name);
	type = a->type;
	for (unsigned again = rng_between(&s->rng, 1, 5); again > 0; again--) {
		if (rng_chance(&s->rng, 20))
			random_case(s, name);
		client_ask(s, name, type, false);
	}
}

/* Again and again something below the zone that was changed last, each time a label deeper, and
 * never so long apart that its delegation would end unseen: what keeps a ghost alive. */
void haunt(struct soak *s)
{
	const struct zone *z = &s->net.zones[internet_changed(&s->net)];
	uint32_t ttl = z->ns_ttl < s->setup.cfg.max_ttl ? z->ns_ttl : s->setup.cfg.max_ttl;
	uint8_t name[NAME_MAX_LEN];

	if (ttl < s->setup.cfg.min_ttl)
		ttl = s->setup.cfg.min_ttl;
	name_copy(name, z->apex);
	for (unsigned n = rng_between(&s->rng, 4, 20); n > 0; n--) {
		random_label_prepend(s, name);
		client_ask(s, name, TYPE_A, false);
		soak_drain(s, (uint64_t)(rng_below(&s->rng, ttl + 1) + 1) * 900000);
	}
}
