/* log_queries: see log_queries.h. */
#include "recursor/watch/log_queries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/name.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/query_log.h"

enum { SECONDS_UNLESS_SAID = 60, NET_TEXT_MAX = ADDR_TEXT_MAX + 4 };

/* ---- words ---- */

/* What was wrong with a value, or NULL. */
typedef const char *read_value(struct query_rule *r, const char *value);

static const char *read_client(struct query_rule *r, const char *value)
{
	if (addr_prefix_from_text(&r->client, &r->client_bits, value) != E_OK)
		return "is no netmask";
	addr_truncate(&r->client, r->client_bits);
	r->has_client = true;
	return NULL;
}

static const char *read_suffix(struct query_rule *r, const char *value)
{
	uint8_t name[NAME_MAX_LEN];

	if (name_from_text(name, value) != E_OK)
		return "is no name";
	name_lower(r->suffix, name);
	r->has_suffix = true;
	return NULL;
}

static const char *read_share(struct query_rule *r, const char *value)
{
	char *end;
	double percent = strtod(value, &end);

	if (end == value || (*end != '\0' && strcmp(end, "%") != 0) ||
	    !(percent > 0 && percent <= 100))
		return "is no share: more than 0, up to 100 percent";
	r->percent = percent;
	r->has_share = percent < 100;
	r->share = r->has_share ? (uint32_t)(percent / 100 * 4294967296.0) : 0;
	return NULL;
}

/* until_ms: the seconds, until it is known from when on. */
static const char *read_seconds(struct query_rule *r, const char *value)
{
	long long seconds;

	if (conf_int(value, 1, QUERY_LOG_S_MAX, &seconds) != E_OK)
		return "is no number of seconds from 1 to 86400";
	r->until_ms = (uint64_t)seconds;
	return NULL;
}

static const struct {
	const char *word;
	read_value *read;
} words[] = {
	{ "client=", read_client },
	{ "suffix=", read_suffix },
	{ "share=", read_share },
	{ "for=", read_seconds },
};

static bool refuse(struct command_call *call, const char *word, const char *why)
{
	fprintf(call->out, "log-queries: '%s' %s\n", word, why);
	return false;
}

static bool read_word(struct command_call *call, struct query_rule *r, const char *word)
{
	if (strcasecmp(word, "all") == 0)
		return true;
	if (strcasecmp(word, "answers") == 0) {
		r->answers = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i].word);
		const char *wrong;

		if (strncasecmp(word, words[i].word, len) != 0)
			continue;
		wrong = words[i].read(r, word + len);
		return wrong == NULL || refuse(call, word, wrong);
	}
	return refuse(call, word,
		      "is none of all, client=, suffix=, share=, for=, answers, show, off");
}

/* ---- what is shown ---- */

static char *net_text(char out[NET_TEXT_MAX], const struct query_rule *r)
{
	char ip[ADDR_TEXT_MAX];

	(void)snprintf(out, NET_TEXT_MAX, "%s/%u", addr_ip_text(ip, &r->client), r->client_bits);
	return out;
}

static void print_rule(FILE *out, const struct query_rule *r, uint64_t now_ms)
{
	char net[NET_TEXT_MAX], name[NAME_TEXT_MAX];

	fprintf(out, "rule %u: %s", r->id, r->answers ? "questions and answers" : "questions");
	if (r->has_client)
		fprintf(out, " of %s", net_text(net, r));
	if (r->has_suffix)
		fprintf(out, " below %s", name_to_text(name, r->suffix));
	if (r->has_share)
		fprintf(out, ", %g %% of them", r->percent);
	fprintf(out, ", for %" PRIu64 " s",
		r->until_ms > now_ms ? (r->until_ms - now_ms + 999) / 1000 : 0);
}

static json_t *rule_json(const struct query_rule *r, uint64_t now_ms)
{
	char net[NET_TEXT_MAX], name[NAME_TEXT_MAX];
	json_t *rule = json_object();

	json_object_set_new(rule, "id", json_integer(r->id));
	if (r->has_client)
		json_object_set_new(rule, "client", json_string(net_text(net, r)));
	if (r->has_suffix)
		json_object_set_new(rule, "suffix",
				    command_json_text(name_to_text(name, r->suffix)));
	json_object_set_new(rule, "share", json_real(r->has_share ? r->percent : 100));
	json_object_set_new(rule, "answers", json_boolean(r->answers));
	json_object_set_new(rule, "seconds-left",
			    json_integer(r->until_ms > now_ms
						 ? (json_int_t)(r->until_ms - now_ms + 999) / 1000
						 : 0));
	return rule;
}

static int show(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct query_rule_shown rows[QUERY_RULES_MAX];
	unsigned n = query_log_show(env->query_log, rows);
	uint64_t now_ms = clock_now_ms();
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_t *rule = rule_json(&rows[i].rule, now_ms);

		print_rule(call->out, &rows[i].rule, now_ms);
		fprintf(call->out, "; %" PRIu64 " lines, %" PRIu64 " held back\n", rows[i].lines,
			rows[i].held_back);
		json_object_set_new(rule, "lines", json_integer((json_int_t)rows[i].lines));
		json_object_set_new(rule, "held-back", json_integer((json_int_t)rows[i].held_back));
		json_array_append_new(list, rule);
	}
	if (n == 0)
		fprintf(call->out, "no rules\n");
	json_object_set_new(call->json, "rules", list);
	return 0;
}

/* ---- changes ---- */

struct giving {
	const struct watch_env *env;
	const struct query_rules *rules;
};

static void visit(void *arg, const struct watch_worker *w)
{
	const struct giving *g = arg;

	g->env->set_query_rules(w, g->rules);
}

/* A worker that has stopped logs nothing. */
static void give(void *ctx, const struct query_rules *rules)
{
	const struct watch_env *env = ctx;
	struct giving g = { env, rules };

	for (unsigned i = 0; i < env->n_workers; i++)
		if (env->on_worker(env->ctx, i, visit, &g) != E_OK)
			continue;
}

static int off(struct command_call *call)
{
	const struct watch_env *env = call->env;
	long long id = 0;
	unsigned n;

	if (call->argc > 2)
		return !refuse(call, call->argv[2], "is too much: off [N]");
	if (call->argc == 2 && conf_int(call->argv[1], 1, UINT32_MAX, &id) != E_OK)
		return !refuse(call, call->argv[1], "is no rule's number");
	n = query_log_remove(env->query_log, (unsigned)id);
	if (id != 0 && n == 0)
		return !refuse(call, call->argv[1], "is none of the rules");
	query_log_spread(env->query_log, give, (void *)env);
	fprintf(call->out, "%u rule%s taken out\n", n, n == 1 ? "" : "s");
	json_object_set_new(call->json, "removed", json_integer(n));
	return 0;
}

static int add(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct query_rule rule = { .until_ms = SECONDS_UNLESS_SAID, .percent = 100 };
	uint64_t now_ms = clock_now_ms();
	int err;

	for (int i = 0; i < call->argc; i++)
		if (!read_word(call, &rule, call->argv[i]))
			return 1;
	rule.until_ms = now_ms + rule.until_ms * 1000;
	err = query_log_add(env->query_log, &rule);
	if (err != E_OK) {
		fprintf(call->out, "log-queries: %s\n",
			err == E_LIMIT ? "there are 16 rules already" : err_text(err));
		return 1;
	}
	query_log_spread(env->query_log, give, (void *)env);
	print_rule(call->out, &rule, now_ms);
	fprintf(call->out, "\n");
	json_object_set_new(call->json, "rule", rule_json(&rule, now_ms));
	return 0;
}

int log_queries(struct command_call *call)
{
	if (call->argc == 0 || (call->argc == 1 && strcasecmp(call->argv[0], "show") == 0))
		return show(call);
	if (strcasecmp(call->argv[0], "off") == 0)
		return off(call);
	return add(call);
}
