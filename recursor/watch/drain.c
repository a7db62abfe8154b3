#include "recursor/watch/drain.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"

enum { STEP_MS = 20, RATE_OVER_MS = 1000, LATE_MS = 1000 };

struct progress {
	size_t in_flight;
	uint64_t qps;
	bool drained;
};

static size_t in_flight(const struct watch_env *env)
{
	size_t sum = 0;

	for (unsigned i = 0; i < env->n_workers; i++)
		sum += env->in_flight(env->ctx, i);
	return sum;
}

static uint64_t questions(const struct watch_env *env)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < env->n_workers; i++)
		sum += counter_get(&env->counters(env->ctx, i)->questions);
	return sum;
}

/* False: the daemon ends. */
static bool pause_ms(const struct command_call *call, int ms)
{
	struct pollfd p = { .fd = call->stop_fd, .events = POLLIN };

	return poll(&p, 1, ms) == 0;
}

/* Whoever announces our addresses has had its time. */
static bool is_heard_of(const struct watch_env *env)
{
	char *text = env->setting(env->ctx, "drain-grace");
	uint64_t grace_ms = text == NULL ? 0 : strtoull(text, NULL, 10) * 1000;

	free(text);
	return env->now_ms(env->ctx) >= env->draining_since_ms(env->ctx) + grace_ms;
}

/* What was asked before the drain is answered when nothing is in flight, or when it is longer ago
 * than any question takes. */
static bool is_answered(const struct watch_env *env)
{
	uint64_t since_ms = env->draining_since_ms(env->ctx);

	return in_flight(env) == 0 ||
	       env->now_ms(env->ctx) > since_ms + env->patience_ms(env->ctx) + LATE_MS;
}

static void look(const struct command_call *call, bool has_limit, uint64_t limit,
		 struct progress *p)
{
	const struct watch_env *env = call->env;
	uint64_t began_ms = env->now_ms(env->ctx), before = questions(env), ms = 0;

	/* As long as the rate needs; without a limit, no longer than until it is known. */
	for (int left = RATE_OVER_MS; left > 0 && pause_ms(call, STEP_MS); left -= STEP_MS)
		if (!has_limit && is_answered(env))
			break;
	ms = env->now_ms(env->ctx) - began_ms;
	p->in_flight = in_flight(env);
	p->qps = ms == 0 ? 0 : (questions(env) - before) * 1000 / ms;
	p->drained = is_answered(env) && is_heard_of(env) && (!has_limit || p->qps <= limit);
}

int drain(struct command_call *call)
{
	const struct watch_env *env = call->env;
	bool goes_on = call->argc > 0 && strcmp(call->argv[0], "still") == 0;
	const char *qps = call->argc > (goes_on ? 1 : 0) ? call->argv[call->argc - 1] : NULL;
	long long limit = 0;
	struct progress p;

	if (call->argc == 2 && !goes_on) {
		fprintf(call->out, "drain: '%s' is not 'still'\n", call->argv[0]);
		return 1;
	}
	if (qps != NULL && conf_int(qps, 0, INT32_MAX, &limit) != E_OK) {
		fprintf(call->out, "drain: '%s' is no number of questions a second\n", qps);
		return 1;
	}
	if (!goes_on)
		(void)env->drain(env->ctx, true);
	look(call, qps != NULL, (uint64_t)limit, &p);
	/* Somebody may have said undrain meanwhile, or between this one and the one before. */
	if (env->draining_since_ms(env->ctx) == 0) {
		fprintf(call->out, "not draining\n");
		return 1;
	}
	fprintf(call->out, "%s: %zu questions in flight, %llu a second come\n",
		p.drained ? "drained" : "draining", p.in_flight, (unsigned long long)p.qps);
	json_object_set_new(call->json, "drained", json_boolean(p.drained));
	json_object_set_new(call->json, "in-flight", json_integer((json_int_t)p.in_flight));
	json_object_set_new(call->json, "qps", json_integer((json_int_t)p.qps));
	return 0;
}

int undrain(struct command_call *call)
{
	bool was = call->env->drain(call->env->ctx, false);

	fprintf(call->out, was ? "ready again\n" : "was not draining\n");
	json_object_set_new(call->json, "was-draining", json_boolean(was));
	return 0;
}
