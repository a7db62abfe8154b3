#include "recursor/watch/trace_command.h"

#include <pthread.h>
#include <stdlib.h>

#include "recursor/watch/tracer.h"

struct rule_visit {
	const struct watch_env *env;
	struct trace_rule *rule; /* in: the new one; out: the one before */
};

static void visit_rule(void *arg, const struct watch_worker *w)
{
	struct rule_visit *v = arg;

	v->rule = v->env->set_trace_rule(w, v->rule);
}

/* Each worker gets its rule, or none; a line for each, as in the field. */
static void set_rules(struct command_call *call, struct trace_rule **rules)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	const struct watch_env *env = call->env;

	/* Two at once would leave some workers with one's rule and some with the other's. */
	pthread_mutex_lock(&one_at_a_time);
	for (unsigned i = 0; i < env->n_workers; i++) {
		struct rule_visit v = { .env = env, .rule = rules[i] };

		/* One that has stopped took nothing, and has what was for it given back. */
		if (env->on_worker(env->ctx, i, visit_rule, &v) == E_OK)
			fprintf(call->out, call->argc > 0 ? "ok\n" : "unset\n");
		trace_rule_free(v.rule);
	}
	pthread_mutex_unlock(&one_at_a_time);
	json_object_set_new(call->json, "result", json_string(call->argc > 0 ? "ok" : "unset"));
}

int trace_regex(struct command_call *call)
{
	struct trace_rule **rules = calloc(call->env->n_workers + 1, sizeof(*rules));
	char why[512];
	int err = E_OK;

	if (rules == NULL) {
		fprintf(call->out, "%s\n", err_text(E_NOMEM));
		return 1;
	}
	if (call->argc > 0)
		err = trace_rules_new(rules, call->env->n_workers, call->argv[0], call->file, why,
				      sizeof(why));
	if (err == E_OK)
		set_rules(call, rules);
	else
		fprintf(call->out, "%s\n", why);
	free(rules);
	return err != E_OK;
}
