/* The steps that are the operator's policy: a scripted preoutquery. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "tests/sim/play.h"

enum { ANY = 0, RDATA_MAX = 4096 };

struct policy_rule {
	struct policy_rule *next;
	const struct step *step;
	/* whom it is for */
	struct addr server; /* family 0: any */
	bool has_name, over_tcp;
	uint8_t name[NAME_MAX_LEN];
	unsigned client;
	unsigned uses_left; /* UINT_MAX: for ever */
	/* what it says */
	enum outquery_verdict verdict;
	struct addr to; /* family 0: where it would go */
	bool to_tcp;
};

/* ---- the verdict's records ---- */

static struct rrset *set_of(const ldns_rr *rr, uint32_t now_s)
{
	uint8_t rdata[RDATA_MAX], owner[NAME_MAX_LEN];
	struct rdata one = { .data = rdata };
	struct rrset *set = NULL;
	size_t len = 0;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);

		ASSERT(len + ldns_rdf_size(field) <= sizeof(rdata));
		memcpy(rdata + len, ldns_rdf_data(field), ldns_rdf_size(field));
		len += ldns_rdf_size(field);
	}
	one.len = (uint16_t)len;
	name_lower(owner, ldns_rdf_data(ldns_rr_owner(rr)));
	ASSERT(rrset_new(&set, owner, (uint16_t)ldns_rr_get_type(rr), ldns_rr_ttl(rr), now_s,
			 RANK_LOCAL, &one, 1, NULL, 0) == E_OK);
	return set;
}

static void add_section(struct outquery_plan *plan, const ldns_rr_list *list, unsigned section,
			uint32_t now_s)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list) && plan->n_sets < OUTQUERY_SETS_MAX; i++)
		plan->sets[plan->n_sets++] = (struct outquery_set) {
			set_of(ldns_rr_list_rr(list, i), now_s),
			(uint8_t)section,
		};
}

static void answer(struct player *p, const struct policy_rule *rule, struct outquery_plan *plan)
{
	const ldns_pkt *pkt = rule->step->entry->pkt;
	uint32_t now_s = p->net.world.wall_s(p->net.world.ctx);

	plan->rcode = (uint16_t)ldns_pkt_get_rcode(pkt);
	add_section(plan, ldns_pkt_answer(pkt), SECTION_ANSWER, now_s);
	add_section(plan, ldns_pkt_authority(pkt), SECTION_AUTHORITY, now_s);
	add_section(plan, ldns_pkt_additional(pkt), SECTION_ADDITIONAL, now_s);
}

/* ---- deciding ---- */

static bool fits(const struct policy_rule *rule, const struct client *c,
		 const struct outquery_plan *plan)
{
	return rule->uses_left > 0 &&
	       (rule->server.family == ANY || addr_equal_ip(&rule->server, &plan->server)) &&
	       (!rule->has_name || name_is_within(plan->name, rule->name)) &&
	       (rule->client == ANY || rule->client == c->number) &&
	       (!rule->over_tcp || plan->transport == TRANSPORT_TCP);
}

static enum outquery_verdict decide(void *ctx, void *client, struct outquery_plan *plan)
{
	struct player *p = ctx;
	struct policy_rule *rule = p->rules;

	if (((struct client *)client)->answered)
		play_fail(p, NULL, "the policy is asked for a client that has its answer");
	while (rule != NULL && !fits(rule, client, plan))
		rule = rule->next;
	if (rule == NULL)
		return OUTQUERY_GO;
	if (rule->uses_left != UINT_MAX)
		rule->uses_left--;
	if (rule->verdict == OUTQUERY_ANSWERED)
		answer(p, rule, plan);
	if (rule->to.family != ANY)
		plan->server = rule->to;
	if (rule->to_tcp)
		plan->transport = TRANSPORT_TCP;
	return rule->verdict;
}

/* ---- the steps ---- */

static bool read_verdict(struct policy_rule *rule, const char *word, char **save)
{
	static const struct {
		const char *word;
		enum outquery_verdict verdict;
	} words[] = {
		{ "GO", OUTQUERY_GO },           { "OVER", OUTQUERY_GO },
		{ "TO", OUTQUERY_GO },           { "ANSWER", OUTQUERY_ANSWERED },
		{ "TIMEOUT", OUTQUERY_TIMEOUT }, { "NO_RESOURCES", OUTQUERY_NO_RESOURCES },
		{ "KILL", OUTQUERY_KILL },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		rule->verdict = words[i].verdict;
		word = strtok_r(NULL, " \t", save);
		if (strcmp(words[i].word, "OVER") == 0)
			rule->to_tcp = word != NULL && strcmp(word, "TCP") == 0;
		else if (strcmp(words[i].word, "TO") == 0)
			return word != NULL && addr_from_text(&rule->to, word, 0) == E_OK;
		else
			return word == NULL &&
			       (rule->verdict != OUTQUERY_ANSWERED || rule->step->entry != NULL);
		return rule->to_tcp;
	}
	return false;
}

static bool read_rule(struct policy_rule *rule, char *text)
{
	char *save = NULL, *word;

	while ((word = strtok_r(text, " \t", &save)) != NULL) {
		const char *value;

		text = NULL;
		if (strcmp(word, "TCP") == 0) {
			rule->over_tcp = true;
			continue;
		}
		if (read_verdict(rule, word, &save))
			return true;
		value = strtok_r(NULL, " \t", &save);
		if (value == NULL)
			return false;
		if (strcmp(word, "SERVER") == 0 && addr_from_text(&rule->server, value, 0) == E_OK)
			continue;
		if (strcmp(word, "NAME") == 0 && name_from_text(rule->name, value) == E_OK)
			rule->has_name = true;
		else if (strcmp(word, "CLIENT") == 0)
			rule->client = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(word, "USES") == 0)
			rule->uses_left = (unsigned)strtoul(value, NULL, 10);
		else
			return false;
	}
	return false;
}

void play_policy_free(struct player *p)
{
	while (p->rules != NULL) {
		struct policy_rule *rule = p->rules;

		p->rules = rule->next;
		free(rule);
	}
}

void play_policy(struct player *p, const struct step *step)
{
	struct policy_rule *rule, **end = &p->rules;
	char text[512];

	if (strcmp(step->argument, "NONE") == 0) {
		play_policy_free(p);
		resolver_set_preoutquery(p->resolver, NULL);
		return;
	}
	rule = calloc(1, sizeof(*rule));
	ASSERT(rule != NULL);
	rule->step = step;
	rule->uses_left = UINT_MAX;
	(void)snprintf(text, sizeof(text), "%s", step->argument);
	if (!read_rule(rule, text)) {
		play_fail(p, step, "no rule of a policy: %s", step->argument);
		free(rule);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = rule;
	p->net.policy = decide;
	p->net.policy_ctx = p;
	resolver_set_preoutquery(p->resolver, network_preoutquery);
}
