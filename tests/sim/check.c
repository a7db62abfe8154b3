/* The steps that look at what a question cost and what was counted. */
#include <inttypes.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "tests/sim/play.h"

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define COUNTER_ROW(member, name, kind, help) { name, offsetof(struct counters, member) },
	METRICS_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
#define RCODE_ROW(rcode, number)                                                                   \
	{                                                                                          \
		"auth-" rcode "-answers", offsetof(struct counters, auth_rcodes[number])           \
	}
		RCODE_ROW("noerror", RCODE_NOERROR),
	RCODE_ROW("formerr", RCODE_FORMERR),
	RCODE_ROW("servfail", RCODE_SERVFAIL),
	RCODE_ROW("nxdomain", RCODE_NXDOMAIN),
	RCODE_ROW("notimp", RCODE_NOTIMP),
	RCODE_ROW("refused", RCODE_REFUSED),
#undef RCODE_ROW
};

/* `relation` is =, <=, >=. */
static bool is_so(uint64_t value, const char *relation, uint64_t wanted)
{
	if (strcmp(relation, "<=") == 0)
		return value <= wanted;
	if (strcmp(relation, ">=") == 0)
		return value >= wanted;
	return strcmp(relation, "=") == 0 && value == wanted;
}

/* "what relation number" with what left to the caller; `rest` takes a word that follows. */
static bool parse(const char *text, char what[64], char relation[4], uint64_t *wanted,
		  char rest[16])
{
	rest[0] = '\0';
	return sscanf(text, "%63s %3[<=>] %" SCNu64 " %15s", what, relation, wanted, rest) >= 3;
}

static uint64_t count_asked(const struct player *p, const char *server, const char *transport)
{
	struct addr a = { 0 };
	uint64_t n = 0;

	if (strcmp(server, "*") != 0 && addr_from_text(&a, server, 0) != E_OK)
		return UINT64_MAX;
	for (size_t i = 0; i < p->n_asked; i++) {
		const struct asked *q = &p->asked[i];

		if (a.family != 0 && !addr_equal_ip(&a, &q->server))
			continue;
		if (*transport != '\0' &&
		    (strcmp(transport, "TCP") == 0) != (q->transport == TRANSPORT_TCP))
			continue;
		n++;
	}
	return n;
}

static uint64_t read_counter(const struct player *p, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		if (strcmp(counters[i].name, name) == 0)
			return counter_get(
				(const counter *)(const void *)((const char *)&p->counters +
								counters[i].offset));
	return UINT64_MAX;
}

/* "queries": packets that left for servers since the question; "ms": until its answer. */
static uint64_t read_cost(const struct player *p, const char *what)
{
	if (strcmp(what, "queries") == 0)
		return p->n_asked;
	if (strcmp(what, "ms") == 0 && p->client != NULL && p->client->answered)
		return (p->client->answered_us - p->client->asked_us) / 1000;
	return UINT64_MAX;
}

/* Has the last question's account a step of that word, about that name if one is given? */
static bool has_event(const struct player *p, const char *argument)
{
	const struct trace *t = &p->client->trace;
	char word[32], text[256];
	uint8_t name[NAME_MAX_LEN];
	int n = sscanf(argument, "%31s %255s", word, text);

	if (n < 1 || (n == 2 && name_from_text(name, text) != E_OK))
		return false;
	for (uint32_t i = 0; i < t->n_events; i++) {
		const uint8_t *about = trace_name(t, t->events[i].name);

		if (strcmp(event_word(t->events[i].kind), word) == 0 &&
		    (n == 1 || (about != NULL && name_equal(about, name))))
			return true;
	}
	return false;
}

void play_check(struct player *p, const struct step *step)
{
	char what[64], relation[4], rest[16];
	uint64_t value = UINT64_MAX, wanted;
	int ede;

	if (step->kind == STEP_CHECK_EDE) {
		if (sscanf(step->argument, "%d", &ede) != 1 || p->client == NULL)
			play_fail(p, step, "not a number: %s", step->argument);
		else if (p->client->ede != ede)
			play_fail(p, step, "EDE %d expected, not %d", ede, p->client->ede);
		return;
	}
	if (step->kind == STEP_CHECK_EVENT) {
		if (p->client == NULL || !has_event(p, step->argument))
			play_fail(p, step, "no such step: %s", step->argument);
		return;
	}
	if (!parse(step->argument, what, relation, &wanted, rest)) {
		play_fail(p, step, "not `what = number`: %s", step->argument);
		return;
	}
	if (step->kind == STEP_CHECK_ASKED)
		value = count_asked(p, what, rest);
	else if (step->kind == STEP_CHECK_COUNTER)
		value = read_counter(p, what);
	else if (step->kind == STEP_CHECK_COST)
		value = read_cost(p, what);
	if (value == UINT64_MAX)
		play_fail(p, step, "not known: %s", what);
	else if (!is_so(value, relation, wanted))
		play_fail(p, step, "%s: it is %" PRIu64, step->argument, value);
}
