/*
 * The endpoint of numbers: the metrics, and how answers spread over types, sizes and rcodes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/watch/metrics.h"
#include "recursor/watch/web/api_impl.h"
#include "recursor/watch/web/endpoint_table.h"

enum {
	SIZES_LAST_STEP = 64800,
	SIZES_ALL = METRICS_SIZES * METRICS_SIZE_STEP,
};

static json_t *item_json(const char *name, uint64_t value)
{
	return json_pack("{s:s, s:s, s:o}", "type", "StatisticItem", "name", name, "value",
			 json_sprintf("%llu", (unsigned long long)value));
}

static void add_sample(void *ctx, const struct metric_sample *s)
{
	json_array_append_new(ctx, item_json(s->name, s->value));
}

/* ---- maps ---- */

static void add_entry(json_t *map, const char *name, uint64_t value)
{
	if (value > 0)
		json_array_append_new(map,
				      json_pack("{s:s, s:o}", "name", name, "value",
						json_sprintf("%llu", (unsigned long long)value)));
}

static json_t *by_qtype(const struct watch_env *env)
{
	json_t *map = json_array();
	char text[RRTYPE_TEXT_MAX];

	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < env->n_workers; i++)
			sum += counter_get(&env->qtypes(env->ctx, i)[type]);
		/* Most were never asked for, and a name for each takes milliseconds. */
		if (sum > 0)
			add_entry(map, rrtype_to_text((uint16_t)type, text), sum);
	}
	return map;
}

/* As PowerDNS calls them there. */
static json_t *by_rcode(const struct watch_env *env)
{
	static const char *const names[] = { "No Error",        "Form Error",
					     "Server Failure",  "Non-Existent domain",
					     "Not Implemented", "Query Refused" };
	json_t *map = json_array();
	char text[RRTYPE_TEXT_MAX];

	for (unsigned rcode = 0; rcode < METRICS_RCODES; rcode++)
		add_entry(map, rcode < ARRAY_LEN(names) ? names[rcode] : rcode_to_text(rcode, text),
			  metrics_answers_of_rcode(env, rcode));
	return map;
}

/* The most bytes of what is counted there. */
static size_t next_size(size_t size)
{
	if (size < 100)
		return size + 20;
	if (size < 200)
		return size + 50;
	return size < SIZES_LAST_STEP ? size + 200 : UINT16_MAX;
}

static json_t *by_size(const struct watch_env *env)
{
	json_t *map = json_array();
	size_t below = 0;

	while (below < UINT16_MAX) {
		size_t most = next_size(below);
		char text[16];

		(void)snprintf(text, sizeof(text), "%zu", most);
		add_entry(
			map, text,
			metrics_answers_of_size(env, below, most < UINT16_MAX ? most : SIZES_ALL));
		below = most;
	}
	return map;
}

static const struct {
	const char *name;
	json_t *(*make)(const struct watch_env *env);
} maps[] = {
	{ "response-by-qtype", by_qtype },
	{ "response-sizes", by_size },
	{ "response-by-rcode", by_rcode },
};

static json_t *map_json(const struct watch_env *env, size_t i)
{
	return json_pack("{s:s, s:s, s:o}", "type", "MapStatisticItem", "name", maps[i].name,
			 "value", maps[i].make(env));
}

/* ---- the endpoint ---- */

static int show_one(struct endpoint_call *c, const char *name)
{
	uint64_t value;

	if (metrics_get(c->env, name, &value))
		return endpoint_reply_json(c, json_pack("[o]", item_json(name, value)));
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (strcmp(maps[i].name, name) == 0)
			return endpoint_reply_json(c, json_pack("[o]", map_json(c->env, i)));
	return endpoint_fail(c, 422, "Unknown statistic name");
}

int api_statistics(struct endpoint_call *c)
{
	const char *name = endpoint_parameter(c, "statistic");
	json_t *list;

	if (name != NULL && *name != '\0')
		return show_one(c, name);
	list = json_array();
	metrics_visit(c->env, "stats-api-disabled-list", add_sample, list);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		json_array_append_new(list, map_json(c->env, i));
	return endpoint_reply_json(c, list);
}
