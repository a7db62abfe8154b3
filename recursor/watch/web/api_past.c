/* The flight recorder's stories: the same as rec_control explain --past. */
#include "recursor/watch/past.h"
#include "recursor/watch/web/endpoint.h"
#include "recursor/watch/web/endpoint_table.h"

int api_past(struct endpoint_call *c)
{
	static const char *const parameters[] = { "name", "type", "client", "kind", "limit" };
	const char *steps = endpoint_parameter(c, "steps");
	struct past_query q = { .limit = 0 };
	char why[PAST_WHY_MAX];
	json_t *json;

	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const char *value = endpoint_parameter(c, parameters[i]);

		if (value != NULL && *value != '\0' &&
		    past_query_set(&q, parameters[i], value, why) != E_OK)
			return endpoint_fail(c, 422, "%s", why);
	}
	json = past_json(c->env, &q, steps != NULL && *steps != '\0');
	if (json == NULL)
		return endpoint_fail(c, 500, "%s", err_text(E_NOMEM));
	return endpoint_reply_json(c, json);
}
